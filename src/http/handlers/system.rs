//! The server and the machine it runs on: contract, sections 4 and 6.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::http::body::{Field, flag};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::logbook::Event;
use crate::presence::Person;
use crate::system::{Act, Moment, Sample};
use crate::{renew, update};

/// `GET /api/is_up`: answers whoever asks, once a second for each address.
///
/// Errors: `TooSoon`.
pub fn is_up(call: &mut Call<'_>) -> Result<Reply> {
    call.app.is_up_throttle.admit(call.address)?;
    Reply::json(&Status { status: "Server is up" })
}

/// The fields of `update`.
pub const UPDATE: &[Field] = &[flag("check")];

/// `POST /api/update`: begins to look for a newer program; what comes of it stands in the log. While
/// one update is under way this begins no second one. With `check` it only says whether there is one.
pub fn update(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer to `check`.
    #[derive(Serialize)]
    struct Checked {
        /// Never mistaken for the beginning of an update.
        status: &'static str,
        /// This program's.
        version: &'static str,
        /// The newer one's; null when there is none, or `problem` keeps us from knowing.
        available: Option<String>,
        /// Why nobody knows, in words for the owner.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    }
    if !call.ask()?.flag("check") {
        call.note(Event::change("started an update"));
        renew::ask().map_err(|errno| Error::Io(errno.into()))?;
        return Reply::json(&Status { status: "Update started" });
    }
    let (available, problem) = match update::look(&call.app.config.settings()) {
        Ok(release) => (release.map(|release| release.version.to_string()), None),
        Err(line) => (None, Some(line)),
    };
    Reply::json(&Checked { status: "Update checked", version: update::VERSION, available, problem })
}

/// `POST /api/shutdown`: powers the machine off, a moment after the answer.
///
/// Errors: `Io` (the command can't be started), `Collision` (it restarts already).
pub fn shut_down(call: &mut Call<'_>) -> Result<Reply> {
    press(call, Act::ShutDown)?;
    Reply::json(&Status { status: "Shutting down" })
}

/// `POST /api/restart`: restarts the machine, a moment after the answer.
///
/// Errors: `Io` (the command can't be started), `Collision` (it shuts down already).
pub fn restart(call: &mut Call<'_>) -> Result<Reply> {
    press(call, Act::Restart)?;
    Reply::json(&Status { status: "Restarting" })
}

/// Presses the power switch, and says who did.
fn press(call: &mut Call<'_>, act: Act) -> Result<()> {
    // It has no fields, but must be what a body has to be.
    let _nothing = call.ask()?;
    let settings = call.app.config.settings();
    let (command, what) = match act {
        Act::ShutDown => (&settings.shutdown_command, "shut the machine down"),
        Act::Restart => (&settings.restart_command, "restarted the machine"),
    };
    call.app.power.press(act, command, &call.app.logbook)?;
    call.note(Event::change(what));
    Ok(())
}

/// `GET /api/resources`: how busy the machine is, with `history=1` also how it was in the last ten minutes; for those who may see all users also who is on, for
/// those who may see FTP's users where FTP listens: the command line may decide that, not the settings.
pub fn resources(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Answer {
        /// The machine.
        #[serde(flatten)]
        sample: Sample,
        /// Who has asked for anything of late.
        #[serde(skip_serializing_if = "Option::is_none")]
        people: Option<Vec<Person>>,
        /// The port of the FTP server, while it runs.
        #[serde(skip_serializing_if = "Option::is_none")]
        ftp_port: Option<u16>,
        /// How it was of late, the oldest first.
        #[serde(skip_serializing_if = "Option::is_none")]
        history: Option<Vec<Moment>>,
    }
    let people = call.may("/api/user/get_all")?.then(|| call.app.presence.on());
    let may_see_ftp = call.may("/api/ftp/get_users")?;
    let ftp_port = call.app.ftp()?.address().filter(|_| may_see_ftp).map(|address| address.port());
    let sample = call.app.resources.newest();
    let history = call.has_flag("history")?.then(|| call.app.resources.history());
    Reply::json(&Answer { sample, people, ftp_port, history })
}

/// `GET /api/get_version`.
pub fn version(_: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Version {
        /// This program's.
        version: &'static str,
    }
    Reply::json(&Version { version: env!("CARGO_PKG_VERSION") })
}

/// `POST /update_start_exit_program`: answers, then stops as on SIGTERM.
///
/// Errors: `Io`.
pub fn exit(call: &mut Call<'_>) -> Result<Reply> {
    let _nothing = call.ask()?;
    call.note(Event::change("stopped larder for an update"));
    // Stopping lets running requests finish, this one included.
    call.app.stop()?;
    Reply::json(&Status { status: "Update started" })
}
