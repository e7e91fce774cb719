//! Puts an update to work: beside a running server, which stops for it and starts again as the new
//! program, and from the command line. Every outcome stands in the log.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::process::{Signal, geteuid, getpid, kill_process};

use crate::app::{self, App};
use crate::logbook::Event;
use crate::notify::{Kind, News};
use crate::settings;
use crate::terminal;
use crate::update::{self, End, Prepared, VERSION};

/// Asks the server that this process is for an update; it begins behind the requests.
pub fn ask() -> Result<(), Errno> {
    kill_process(getpid(), Signal::USR1)
}

/// Looks for a newer program and makes it ready; `None` when there is none, or it is not good.
pub fn prepare(app: &App, executable: &Path) -> Option<Prepared> {
    let found = update::may_replace(executable);
    let found = found.and_then(|()| update::look(&app.config.settings())).and_then(|release| {
        release.map(|release| update::prepare(&release, executable)).transpose()
    });
    match found {
        Ok(Some(prepared)) => {
            let version = &prepared.version;
            app.logbook.note_own(Event::other(format!(
                "update: {version} is here and checked; it is started on trial"
            )));
            let text = format!("larder {version} is here and checked: larder starts anew with it.");
            app.notifier.raise(News::new(Kind::Update, &text));
            Some(prepared)
        }
        Ok(None) => {
            app.logbook.note_own(Event::other(format!("update: larder {VERSION} is the newest")));
            None
        }
        Err(line) => {
            let line = format!("update: {line}; nothing was changed");
            app.notifier.raise(News::new(Kind::Update, &format!("An {line}.")));
            app.logbook.note_own(Event::other(line));
            None
        }
    }
}

/// With the server stopped and `App` closed: tries the new program out, then becomes it; when it is no
/// good, becomes this one again. Comes back only when there is nothing left to become, or nobody wants
/// it any more.
///
/// `arguments` are those of `larder serve`.
pub fn take_over(
    app: &App,
    prepared: &Prepared,
    arguments: &[OsString],
    is_stopped: &dyn Fn() -> bool,
) -> Result<ExitCode, String> {
    app.release();
    let version = &prepared.version;
    let end = update::try_out(prepared, app.folder(), arguments, is_stopped);
    match &end {
        End::Ready => app.note_at_last(&format!("update: {version} is good and takes over")),
        End::Failed(line) => {
            terminal::warn(&format!("update to {version}: {line}"));
            app.note_at_last(&format!("update to {version}: {line}; rolled back to {VERSION}"));
        }
        End::Stopped => {
            app.note_at_last(&format!("update to {version}: larder was stopped meanwhile"));
            return Ok(ExitCode::SUCCESS);
        }
    }
    let executable = prepared.executable();
    let mut cause = update::become_program(executable, arguments);
    if end == End::Ready {
        // It ran a moment ago; whatever happened, the old one is still there.
        app.note_at_last(&format!("update to {version}: can't be run: {cause}; rolled back"));
        update::undo(executable)?;
        cause = update::become_program(executable, arguments);
    }
    Err(format!("{} can't be started: {cause}", executable.display()))
}

/// `larder update`: with `only_check` says whether there is a newer release; else fetches it and, when
/// no server uses the state directory, tries it out and installs it. A running server is asked to do
/// so itself.
pub fn offline(state: &Path, root: Option<&Path>, only_check: bool) -> Result<ExitCode, String> {
    let folder = state.join("settings");
    if !folder.join("settings.json").exists() {
        return Err(format!("{}: no larder has been started there yet", state.display()));
    }
    let settings = settings::read_settings(&folder)?;
    let failed = |line: String| {
        terminal::warn(&format!("update: {line}"));
        Ok(ExitCode::FAILURE)
    };
    let executable = own_path()?;
    if !only_check && let Err(line) = update::may_replace(&executable) {
        return failed(line);
    }
    let release = match update::look(&settings) {
        Ok(Some(release)) => release,
        Ok(None) => {
            terminal::say(&format!("larder {VERSION} is the newest"));
            return Ok(ExitCode::SUCCESS);
        }
        Err(line) => return failed(line),
    };
    if only_check {
        terminal::say(&format!("larder {} can be had; this is {VERSION}", release.version));
        return Ok(ExitCode::SUCCESS);
    }
    match app::server_of(state)? {
        Some(server) => {
            kill_process(server, Signal::USR1)
                .map_err(|cause| format!("the running larder can't be asked: {cause}"))?;
            terminal::say("The running larder updates itself; its log tells how it went");
            return Ok(ExitCode::SUCCESS);
        }
        None => terminal::say(&format!("Fetching larder {}", release.version)),
    }
    let (owner, ours) = (app::owner_of(state)?, geteuid().as_raw());
    if owner != ours {
        // Else the databases would end up with files that the server can't read.
        return failed(format!(
            "{} belongs to user {owner}; run this as that user",
            state.display()
        ));
    }
    let prepared = match update::prepare(&release, &executable) {
        Ok(prepared) => prepared,
        Err(line) => return failed(line),
    };
    let mut arguments: Vec<OsString> = vec!["serve".into(), "--state".into(), state.into()];
    if let Some(root) = root {
        arguments.extend(["--root".into(), root.into()]);
    }
    match update::try_out(&prepared, state, &arguments, &|| false) {
        End::Ready => {
            terminal::say(&format!("larder {} is installed", prepared.version));
            Ok(ExitCode::SUCCESS)
        }
        End::Failed(line) => failed(format!("{line}; this is still {VERSION}")),
        End::Stopped => failed("stopped".to_owned()),
    }
}

/// Where this program lies. Asked early: once the file is replaced, the system does not know.
pub fn own_path() -> Result<PathBuf, String> {
    std::env::current_exe()
        .map_err(|cause| format!("where this program lies is not known: {cause}"))
}
