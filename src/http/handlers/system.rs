//! The server and the machine it runs on: contract, sections 4 and 6.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::call::Call;
use crate::http::gate;
use crate::http::question::{Ask, Query, Question};
use crate::logbook::Event;
use crate::presence::Person;
use crate::system::{Act, Moment, Sample};
use crate::{renew, update};

sentence!(/// Of `is_up`.
    ServerIsUp, "Server is up");

/// What `is_up` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HowUp {
    /// Whether to look after the drive, too (anything but `0`): for whoever has signed in, as often as they like.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    deep: bool,
}

impl Question for HowUp {}

/// What `is_up` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ServerIsUpAnswer"))]
pub struct Up {
    /// That it is.
    status: ServerIsUp,
    /// With `deep`: that the drive is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    drive: Option<bool>,
}

/// `GET /api/is_up`: answers whoever asks, once a second for each address. With `deep` it looks after the drive, for
/// whoever has signed in, and as often as they like.
///
/// Errors: `TooSoon`; with `deep` also `SignIn`, `FactorNeeded`, `Forbidden`, `StorageAbsent`.
pub fn is_up(call: &mut Call<'_>, ask: Query<HowUp>) -> Result<Answer<Up>> {
    let is_deep = ask.read(call)?.deep;
    let who = if is_deep { gate::must_be_signed_in(call.app, call.request) } else { Ok(()) };
    if !is_deep || who.is_err() {
        call.app.is_up_throttle.admit(call.address)?;
    }
    who?;
    // One that does not answer is as good as gone to whoever waits for it.
    if is_deep && !call.app.vault.answers() {
        return Err(Error::StorageAbsent);
    }
    Answer::of(&Up { status: ServerIsUp, drive: is_deep.then_some(true) })
}

/// What `update` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Update {
    /// Only look.
    #[serde(default)]
    check: bool,
}

impl Question for Update {}

sentence!(/// Of `update`, and of what stops larder for one.
    UpdateStarted, "Update started");
sentence!(/// Of `update` with `check`: never mistaken for the beginning of one.
    UpdateChecked, "Update checked");

/// What `update` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(untagged)]
pub enum Updating {
    /// It goes on.
    Started(Done<UpdateStarted>),
    /// With `check`.
    Checked(Checked),
}

/// What `update` answers with `check`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "UpdateCheckedAnswer"))]
pub struct Checked {
    /// What was done.
    status: UpdateChecked,
    /// This program's.
    version: &'static str,
    /// The newer one's; null when there is none, or `problem` keeps us from knowing.
    available: Option<String>,
    /// Why nobody knows, in words for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `POST /api/update`: begins to look for a newer program; what comes of it stands in the log. While
/// one update is under way this begins no second one. With `check` it only says whether there is one.
pub fn update(call: &mut Call<'_>, ask: Ask<Update>) -> Result<Answer<Updating>> {
    if !ask.read(call)?.check {
        call.note(Event::change("started an update"));
        renew::ask().map_err(|errno| Error::Io(errno.into()))?;
        return Answer::of(&Updating::Started(Done::default()));
    }
    let (available, problem) = match update::look(&call.app.config.settings()) {
        Ok(release) => (release.map(|release| release.version.to_string()), None),
        Err(line) => (None, Some(line)),
    };
    let version = update::VERSION;
    let checked = Checked { status: UpdateChecked, version, available, problem };
    Answer::of(&Updating::Checked(checked))
}

/// It has no fields, but must be what a body has to be.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Nothing {}

impl Question for Nothing {}

sentence!(/// Of `shutdown`.
    ShuttingDown, "Shutting down");
sentence!(/// Of `restart`.
    Restarting, "Restarting");

/// `POST /api/shutdown`: powers the machine off, a moment after the answer.
///
/// Errors: `Io` (the command can't be started), `Collision` (it restarts already).
pub fn shut_down(call: &mut Call<'_>, ask: Ask<Nothing>) -> Result<Answer<Done<ShuttingDown>>> {
    press(call, ask, Act::ShutDown)?;
    done()
}

/// `POST /api/restart`: restarts the machine, a moment after the answer.
///
/// Errors: `Io` (the command can't be started), `Collision` (it shuts down already).
pub fn restart(call: &mut Call<'_>, ask: Ask<Nothing>) -> Result<Answer<Done<Restarting>>> {
    press(call, ask, Act::Restart)?;
    done()
}

/// Presses the power switch, and says who did.
fn press(call: &mut Call<'_>, ask: Ask<Nothing>, act: Act) -> Result<()> {
    let Nothing {} = ask.read(call)?;
    let settings = call.app.config.settings();
    let (command, what) = match act {
        Act::ShutDown => (&settings.shutdown_command, "shut the machine down"),
        Act::Restart => (&settings.restart_command, "restarted the machine"),
    };
    call.app.power.press(act, command, &call.app.logbook)?;
    call.note(Event::change(what));
    Ok(())
}

/// What `resources` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Watch {
    /// Whether to tell the last ten minutes, too (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    history: bool,
}

impl Question for Watch {}

/// What `resources` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resources {
    /// The machine.
    #[serde(flatten)]
    sample: Sample,
    /// Who has asked for anything of late; for those who may see all users.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<Person>>,
    /// The port of the FTP server, while it runs; for those who may see its users.
    #[serde(skip_serializing_if = "Option::is_none")]
    ftp_port: Option<u16>,
    /// With `history=1`: how it was of late, the oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Moment>>,
}

/// `GET /api/resources`: how busy the machine is, with `history=1` also how it was in the last ten minutes; for those who may see all users also who is on, for
/// those who may see FTP's users where FTP listens: the command line may decide that, not the settings.
pub fn resources(call: &mut Call<'_>, ask: Query<Watch>) -> Result<Answer<Resources>> {
    let ask = ask.read(call)?;
    let people = call.may("/api/user/get_all")?.then(|| call.app.presence.on());
    let may_see_ftp = call.may("/api/ftp/get_users")?;
    let ftp_port = call.app.ftp()?.address().filter(|_| may_see_ftp).map(|address| address.port());
    let sample = call.app.resources.newest();
    let history = ask.history.then(|| call.app.resources.history());
    Answer::of(&Resources { sample, people, ftp_port, history })
}

/// What `get_version` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Version {
    /// This program's.
    version: &'static str,
    /// SHA-256 of the authority that devices can be told to trust (`/ca`), pairs of hexadecimal digits with colons;
    /// left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_fingerprint: Option<String>,
}

/// `GET /api/get_version`.
pub fn version(call: &mut Call<'_>, (): ()) -> Result<Answer<Version>> {
    let ca_fingerprint = call.app.tls.known_authority().map(|authority| authority.fingerprint());
    Answer::of(&Version { version: env!("CARGO_PKG_VERSION"), ca_fingerprint })
}

/// `POST /update_start_exit_program`: answers, then stops as on SIGTERM.
///
/// Errors: `Io`.
pub fn exit(call: &mut Call<'_>, ask: Ask<Nothing>) -> Result<Answer<Done<UpdateStarted>>> {
    let Nothing {} = ask.read(call)?;
    call.note(Event::change("stopped larder for an update"));
    // Stopping lets running requests finish, this one included.
    call.app.stop()?;
    done()
}
