//! Other programs that larder starts: what they inherit, what a child of its own gives up, and how all of one ends.
//! Knows nothing of why.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, kill_process_group, nice,
    set_parent_process_death_signal, setrlimit, waitid,
};
use rustix::thread::set_no_new_privs;

/// The program that runs, whatever stands under its name by now: an update may have put another one there.
pub const OWN_PROGRAM: &str = "/proc/self/exe";

/// What a program inherits of larder's environment. Everything else stays here: it may be a secret.
const INHERITED: [&str; 8] =
    ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "HOME"];

/// Where programs are looked for when nobody says (what Debian gives to root).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of a program that larder starts.
pub fn environment() -> Vec<(&'static str, OsString)> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut found: Vec<_> =
        INHERITED.into_iter().filter_map(|name| Some((name, set(name)?))).collect();
    if !found.iter().any(|(name, _)| *name == "PATH") {
        found.push(("PATH", PATH.into()));
    }
    found
}

/// Keeps open files that larder was started with, and knows nothing of, from the programs that it starts.
pub fn keep_to_itself() {
    // Linux before 5.11 does not know how; then they inherit what larder inherited, as from any other program.
    let _as_before = larder_process::keep_descriptors();
}

/// Starts `program`, which is our own, for one task. It inherits nothing.
pub fn own(program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().args(words);
    command
}

/// What a child of our own may use.
pub struct Bounds {
    /// Address space (bytes).
    pub memory_bytes: u64,
    /// Processor time (seconds).
    pub processor_time_s: u64,
}

/// Gives up, for the rest of this process, what a task on somebody's bytes does not need: memory, time, files, more
/// rights, and its turn before others. It ends with the process that started it.
pub fn confine(bounds: &Bounds) -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    larder_heap::share_one();
    nice(19)?;
    // Where the kernel was built without classes of priority for drives, `nice` still counts.
    let _as_before = larder_process::yield_drives();
    for (resource, most) in [
        (Resource::As, bounds.memory_bytes),
        (Resource::Cpu, bounds.processor_time_s),
        // Pipes have no size: what it writes is written to one.
        (Resource::Fsize, 0),
        // None is opened any more.
        (Resource::Nofile, 0),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Whether a child has ended. It is not reaped, so that its number, which is its group's, stays its own
/// until `end_group`.
pub fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    pid(child).is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
}

/// Kills everything in the group that a child leads, then reaps the child.
pub fn end_group(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(pid) = pid(child) {
        // Nothing is left of the group when the child was alone in it and has ended.
        let _nobody_left = kill_process_group(pid, Signal::KILL);
    }
    child.wait()
}

/// What a shell would call the outcome: the exit code, or 128 and the signal's number.
pub fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A child's number.
fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    #[test]
    fn a_group_ends_with_its_leader() {
        let mut child =
            Command::new("/bin/sh").args(["-c", "sleep 60"]).process_group(0).spawn().unwrap();
        assert!(!has_ended(&child));
        assert_eq!(exit_code(end_group(&mut child).unwrap()), 128 + 9);
        let mut child = Command::new("/bin/sh").args(["-c", "exit 7"]).spawn().unwrap();
        while !has_ended(&child) {
            std::thread::yield_now();
        }
        assert_eq!(exit_code(child.wait().unwrap()), 7);
    }

    #[test]
    fn there_is_always_a_path_and_never_anything_of_ours() {
        let names: Vec<_> = environment().into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"PATH"));
        assert!(names.iter().all(|name| !name.starts_with("LARDER")), "{names:?}");
    }
}
