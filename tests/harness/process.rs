//! One running larder: its process, its banner, its end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::wait::{self, PATIENCE};

/// The program under test: the one that was built with the tests, or what `LARDER_TEST_PROGRAM` names, as
/// for a board's binary that runs under an emulator.
pub static LARDER: LazyLock<OsString> = LazyLock::new(|| {
    std::env::var_os("LARDER_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_larder").into())
});

/// A larder that serves. Dropping it kills it.
pub struct Process {
    /// The child.
    child: Mutex<Child>,
    /// Its id, also after its end.
    pid: u32,
    /// The port that its banner names.
    pub port: u16,
    /// The banner up to that line.
    pub banner: Vec<String>,
    /// What it prints later.
    lines: Mutex<Receiver<String>>,
    /// Where its complaints go.
    complaints: PathBuf,
}

impl Process {
    /// Starts it and waits for its banner. `complaints` is the file for its standard error.
    #[track_caller]
    pub fn start(mut command: Command, complaints: &Path) -> Self {
        let stderr = File::options().create(true).append(true).open(complaints).unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("larder starts");
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut banner = Vec::new();
        let port = loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                let _ended = child.kill();
                let _ended = child.wait();
                let complaints = std::fs::read_to_string(complaints).unwrap_or_default();
                panic!("no banner; printed {banner:?}, complained {complaints:?}");
            };
            let port = line.trim().strip_prefix("http://127.0.0.1:").map(str::to_owned);
            banner.push(line);
            if let Some(port) = port {
                break port.trim_end_matches('/').parse().expect("a port in the banner");
            }
        };
        let pid = child.id();
        // A start hashes a password, which takes more memory than most of what is measured later: from here on the most
        // is counted anew (`proc_pid_clear_refs(5)`). Who is not root has to do with the larger figure.
        let _or_as_before = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        let complaints = complaints.to_owned();
        let (child, lines) = (Mutex::new(child), Mutex::new(lines));
        Self { child, pid, port, banner, lines, complaints }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The next line that it prints, if one comes.
    pub fn next_line(&self, time: Duration) -> Option<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time).ok()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().unwrap()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "larder does not end");
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Kills it at once and waits for its end.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _already_gone = child.kill();
        child.wait().unwrap();
    }

    /// What it holds open, as far as that has names; `None` where nobody may know: larder shuts its `/proc/PID/fd`
    /// to all but root.
    pub fn open_files(&self) -> Option<Vec<PathBuf>> {
        let handles = match std::fs::read_dir(format!("/proc/{}/fd", self.pid)) {
            Err(cause) if cause.kind() == ErrorKind::PermissionDenied => return None,
            handles => handles.unwrap(),
        };
        let names = handles.flatten().filter_map(|handle| std::fs::read_link(handle.path()).ok());
        Some(names.collect())
    }

    /// The most memory that was resident since it was started, in KiB (`VmHWM`, `proc_pid_status(5)`: inaccurate by what each
    /// processor has not yet added, so a later one may be a little less).
    pub fn memory_peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// Pages that programs it has started and reaped have asked for: each of them asks for some.
    pub fn pages_of_children(&self) -> u64 {
        self.stat()[11 - 3]
    }

    /// What it has used of processors so far: unlike time on a clock, not what others on the machine use.
    pub fn processor_time(&self) -> Duration {
        /// Of `/proc/PID/stat`, per second: `sysconf(_SC_CLK_TCK)`, which is this on every Linux.
        const TICKS: u64 = 100;
        let stat = self.stat();
        let ticks = stat[14 - 3] + stat[15 - 3];
        Duration::from_millis(ticks * 1000 / TICKS)
    }

    /// The numbers of `/proc/PID/stat` from the fourth on, which is the second here: `proc_pid_stat(5)` counts from 1,
    /// and the third is a letter.
    fn stat(&self) -> Vec<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        // The name, in parentheses, may hold anything.
        let (_, numbers) = stat.rsplit_once(')').unwrap();
        numbers.split_whitespace().map(|number| number.parse().unwrap_or(0)).collect()
    }

    /// One line of its status, in KiB.
    fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it has complained of so far.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(&self.complaints).unwrap_or_default()
    }

    /// Waits until it has complained of `what`.
    #[track_caller]
    pub fn wait_for_complaint(&self, what: &str) {
        wait::until(&format!("a complaint about {what}"), || self.complaints().contains(what));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let complaints = self.complaints();
            if !complaints.is_empty() {
                // The test harness shows this below the failing test.
                std::io::Write::write_all(&mut std::io::stderr(), complaints.as_bytes()).ok();
            }
        }
        self.kill();
    }
}
