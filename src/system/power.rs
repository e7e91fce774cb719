//! The machine's power switch: a program of the owner's choice, run a moment after it was asked for.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustix::fs::{Access, access};

use crate::error::{Error, Result};
use crate::logbook::{Event, Logbook};
use crate::{limits, process, terminal, threads};

/// What is to become of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Power off.
    ShutDown,
    /// Restart.
    Restart,
}

impl Act {
    /// In words for the log.
    fn name(self) -> &'static str {
        match self {
            Self::ShutDown => "shutdown",
            Self::Restart => "restart",
        }
    }
}

/// The switch. It is pressed once at a time.
#[derive(Clone, Default)]
pub struct Power(Arc<Mutex<Option<Act>>>);

impl Power {
    /// Runs `command` a moment from now, and does not wait for it. When the same was asked for a moment
    /// ago, that is enough.
    ///
    /// Errors: `Collision` while the other is under way; `Io` when there is no such program or it may
    /// not be started.
    pub fn press(&self, act: Act, command: &[String], logbook: &Arc<Logbook>) -> Result<()> {
        let (name, arguments) = command.split_first().ok_or(Error::Bug("no program".into()))?;
        let program = find(name).ok_or_else(|| {
            let what = format!("{}: {name} can't be started", act.name());
            Error::Io(std::io::Error::new(std::io::ErrorKind::NotFound, what))
        })?;
        {
            let mut pressed = threads::locked(&self.0);
            match *pressed {
                Some(before) if before == act => return Ok(()),
                Some(_) => return Err(Error::Conflict("The machine is going down already")),
                None => *pressed = Some(act),
            }
        }
        let (switch, logbook) = (self.clone(), Arc::clone(logbook));
        let mut run = Command::new(program);
        run.arg0(name).args(arguments);
        let started = threads::spawn("power", move || {
            std::thread::sleep(limits::POWER_DELAY);
            let outcome = run_bounded(&mut run);
            let line = format!("{}: {outcome}", act.name());
            terminal::warn(&line);
            logbook.note_own(Event::other(line));
            switch.release();
        });
        started.map(|_runs_by_itself| ()).map_err(|cause| {
            self.release();
            Error::Io(cause)
        })
    }

    /// Makes room for the next time.
    fn release(&self) {
        *threads::locked(&self.0) = None;
    }
}

/// Runs a program to its end, within bounds, and tells how it went.
fn run_bounded(command: &mut Command) -> String {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .env_clear()
        .envs(process::environment())
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(cause) => return format!("can't be started: {cause}"),
    };
    let until = Instant::now() + limits::POWER_COMMAND_TIME;
    while !process::has_ended(&child) && Instant::now() < until {
        std::thread::sleep(limits::COMMAND_LOOK_TIME);
    }
    match process::end_group(&mut child) {
        Ok(status) => format!("ended with exit code {}", process::exit_code(status)),
        Err(cause) => format!("is lost: {cause}"),
    }
}

/// The file of a program, if it may be started: as it is written when there is a `/` in it, else from
/// `PATH`.
fn find(name: &str) -> Option<PathBuf> {
    let may_start = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| may_start(path));
    }
    let environment = process::environment();
    let (_, path) = environment.iter().find(|(name, _)| *name == "PATH")?;
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|path| may_start(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_started_is_found() {
        assert!(find("sh").is_some());
        assert_eq!(find("/bin/sh"), Some("/bin/sh".into()));
        for name in ["no-such-program", "/no/such/program", "/bin", "/etc/passwd", "", "./"] {
            assert_eq!(find(name), None, "{name}");
        }
    }

    #[test]
    fn the_outcome_is_told() {
        let run = |words: &[&str]| run_bounded(Command::new(words[0]).args(&words[1..]));
        assert_eq!(run(&["/bin/sh", "-c", "exit 3"]), "ended with exit code 3");
        assert!(run(&["/no/such/program"]).starts_with("can't be started"));
    }
}
