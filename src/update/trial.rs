//! Runs a program that nobody has run here before: does it start, and does it become ready?

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use semver::Version;

use super::ear::{self, Ear};
use crate::limits;

/// Set in the environment of a larder that is tried out.
const TRIAL: &str = "LARDER_UPDATE_TRIAL";

/// How a trial ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The program became ready.
    Ready,
    /// It did not; one line says why.
    Failed(String),
    /// We were asked to stop meanwhile.
    Stopped,
}

/// Whether this process is such a trial: it leaves alone what its parent keeps for the case that it
/// fails.
pub fn is_trial() -> bool {
    std::env::var_os(TRIAL).is_some()
}

/// Sees to it that a trial does not outlive the process that tries it; else it would keep the state
/// directory from the next start. Nothing for others.
pub fn end_with_parent() -> Result<(), String> {
    let Some(parent) = std::env::var_os(TRIAL) else { return Ok(()) };
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|cause| format!("{TRIAL}: {cause}"))?;
    // It may have gone before we asked; then init has taken its place.
    if parent != "1" && getppid().is_none_or(Pid::is_init) {
        return Err(format!("{TRIAL} is set, and nobody is there to try this out"));
    }
    Ok(())
}

/// Asks a program for its version.
///
/// Errors: one line for the owner.
pub fn version_of(program: &Path, time: Duration) -> Result<Version, String> {
    let say = |why: &dyn std::fmt::Display| format!("the new program does not run here: {why}");
    let mut command = Command::new(program);
    command.arg("--version").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(Stdio::piped());
    let mut child = spawn(&mut command).map_err(|cause| say(&cause))?;
    let ended = wait(&mut child, Instant::now() + time, &|| false);
    let mut text = String::new();
    if let Some(output) = child.stdout.take().filter(|_| matches!(ended, Ok(Some(_)))) {
        let read = output.take(limits::UPDATE_VERSION_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|cause| say(&cause))?;
    }
    match ended {
        Ok(Some(status)) if status.success() => {}
        Ok(Some(status)) => return Err(say(&status)),
        Ok(None) => {
            end(&mut child);
            return Err(say(&"no answer in time"));
        }
        Err(cause) => {
            end(&mut child);
            return Err(say(&cause));
        }
    }
    let version = text.trim().strip_prefix("larder ").and_then(|text| Version::parse(text).ok());
    version.ok_or_else(|| say(&"it is no larder"))
}

/// Starts `larder serve` with these arguments, but at ports that nobody knows, waits until it says
/// that it is ready, and stops it.
pub fn run(
    program: &Path,
    state: &Path,
    arguments: &[OsString],
    time: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> End {
    let failed = |why: &dyn std::fmt::Display| End::Failed(format!("the new program {why}"));
    let ear = match Ear::open(state) {
        Ok(ear) => ear,
        Err(cause) => return End::Failed(format!("no socket to hear it by: {cause}")),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["--host", "127.0.0.1", "--port", "0", "--ftp-port", "0"])
        .env(TRIAL, std::process::id().to_string())
        .env(ear::SOCKET, ear.path())
        // It is not the service that the manager watches.
        .env_remove("WATCHDOG_USEC")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut child = match spawn(&mut command) {
        Ok(child) => child,
        Err(cause) => return failed(&format_args!("can't be run: {cause}")),
    };
    let deadline = Instant::now() + time;
    let is_ready_or_stopped = || is_stopped() || ear.heard_ready();
    let ended = wait(&mut child, deadline, &is_ready_or_stopped);
    // Asked once more: the word may have come together with the end of waiting.
    let is_ready = ear.heard_ready();
    if !matches!(ended, Ok(Some(_))) {
        end(&mut child);
    }
    match ended {
        _ if is_stopped() => End::Stopped,
        Ok(Some(status)) => failed(&format_args!("ended before it was ready ({status})")),
        Err(cause) => failed(&cause),
        Ok(None) if is_ready => End::Ready,
        Ok(None) => failed(&format_args!("was not ready within {} s", time.as_secs())),
    }
}

/// Starts a program as the leader of a group, so that all of it can be ended. A file that was written a
/// moment ago may still be open in a child that another thread is just starting.
fn spawn(command: &mut Command) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    for _ in 0..limits::UPDATE_SPAWN_TRIES {
        match command.spawn() {
            Err(cause) if cause.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(limits::UPDATE_TICK);
            }
            done => return done,
        }
    }
    command.spawn()
}

/// Waits for a child's end; `None` when the time is over or `is_enough`.
fn wait(
    child: &mut Child,
    deadline: Instant,
    is_enough: &dyn Fn() -> bool,
) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if is_enough() || Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(limits::UPDATE_TICK);
    }
}

/// Asks a child to stop, and ends it when it does not.
fn end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _already_gone = kill_process(pid, Signal::TERM);
    }
    let ended = wait(child, Instant::now() + limits::UPDATE_STOP_TIME, &|| false);
    if matches!(ended, Ok(Some(_))) {
        return;
    }
    if let Some(pid) = pid {
        let _already_gone = kill_process_group(pid, Signal::KILL);
    }
    let _reaped = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    const PLENTY: Duration = Duration::from_secs(20);

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    #[test]
    fn a_version_is_asked_for_and_nonsense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let ask = |text: &str, time| version_of(&script(folder.path(), text), time);
        assert_eq!(ask("echo larder 1.2.3", PLENTY), Ok(Version::new(1, 2, 3)));
        assert!(ask("echo hello", PLENTY).unwrap_err().contains("no larder"));
        assert!(ask("exit 3", PLENTY).unwrap_err().contains("exit status: 3"));
        assert!(ask("kill -9 $$", PLENTY).unwrap_err().contains("signal: 9"));
        let slow = ask("exec sleep 60", Duration::from_millis(50));
        assert!(slow.unwrap_err().contains("no answer in time"));
        let program = folder.path().join("program");
        fs::write(&program, b"\x7fELF nonsense").unwrap();
        assert!(version_of(&program, PLENTY).unwrap_err().contains("does not run here"));
    }

    #[test]
    fn what_ends_or_stays_silent_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let never = || false;
        let program = script(folder.path(), "exit 7");
        let End::Failed(line) = run(&program, folder.path(), &[], PLENTY, &never) else { panic!() };
        assert!(line.contains("exit status: 7"), "{line}");
        let program = script(folder.path(), "exec sleep 60");
        let End::Failed(line) =
            run(&program, folder.path(), &[], Duration::from_millis(50), &never)
        else {
            panic!()
        };
        assert!(line.contains("was not ready within"), "{line}");
        assert_eq!(run(&program, folder.path(), &[], PLENTY, &|| true), End::Stopped);
    }

    #[test]
    fn what_does_not_want_to_stop_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "trap '' TERM; sleep 60 & wait; sleep 60");
        let mut child = spawn(&mut Command::new(program)).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process_group(pid, Signal::KILL).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
