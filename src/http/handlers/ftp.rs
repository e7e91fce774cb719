//! The FTP server from outside: its users, starting and stopping it, who is on: contract, section 8.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::call::Call;
use crate::http::question::{Ask, Filled, Question, unless_empty};
use crate::logbook::Event;
use crate::people::ftp_users::{self, FtpChanges, NewFtpUser};
use crate::sessions::SessionInfo;
use crate::vault::{Grant, Kind, VaultPath};

/// What `create_user` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "NewFtpUser"))]
pub struct NewUser {
    /// To sign in with.
    username: Filled,
    /// In plain text.
    password: Filled,
    /// Letters for what they may do.
    permissions: Filled,
    /// The home folder; the share root if left out.
    path: Option<String>,
}

impl Question for NewUser {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some("No username, password or permissions provided")
    }
}

sentence!(/// Of `create_user`.
    FtpUserCreated, "FTP user created");

/// `POST /api/ftp/create_user`.
///
/// Errors: `Invalid`, `Refused` (the home folder), `NotFound` (likewise), `Collision`.
pub fn create_user(call: &mut Call<'_>, ask: Ask<NewUser>) -> Result<Answer<Done<FtpUserCreated>>> {
    let ask = ask.read(call)?;
    let new = NewFtpUser {
        username: &ask.username,
        password: &ask.password,
        home: ask.path.as_deref().unwrap_or_default(),
        permissions: &ask.permissions,
    };
    let (users, grant) = (&call.app.ftp_users, call.caller()?.grant());
    let made = ftp_users::create(users, grant, &new, |home| must_be_home(call, home))?;
    let (username, home, letters) = (new.username, made.home, made.permissions);
    call.note(Event::change(format!("created FTP user {username}: /{home}, {letters}")));
    done()
}

/// What `edit_user` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EditFtpUser {
    /// Who it is about.
    username: Filled,
    /// Another one, in plain text.
    #[serde(default, deserialize_with = "unless_empty")]
    password: Option<String>,
    /// Letters for what they may do.
    permissions: Option<String>,
    /// The home folder.
    path: Option<String>,
}

impl Question for EditFtpUser {}

sentence!(/// Of `edit_user`.
    FtpUserEdited, "FTP user edited");

/// `POST /api/ftp/edit_user`: what is left out stays. Open sessions of that user are closed, so that
/// what they may do now is what they may do.
///
/// Errors: `Invalid`, `NotFound` (the user, the home folder), `Refused` (the home folder, that of now or the new
/// one, with the letters of now or the new ones), `Conflict`.
pub fn edit_user(
    call: &mut Call<'_>,
    ask: Ask<EditFtpUser>,
) -> Result<Answer<Done<FtpUserEdited>>> {
    let ask = ask.read(call)?;
    let username: &str = &ask.username;
    let changes = FtpChanges {
        password: ask.password.as_deref(),
        home: ask.path.as_deref(),
        permissions: ask.permissions.as_deref(),
    };
    let (users, grant) = (&call.app.ftp_users, call.caller()?.grant());
    ftp_users::change(users, grant, username, &changes, |home| must_be_home(call, home))?;
    call.app.sessions.close_user(username);
    call.note(Event::change(format!("edited FTP user {username}")));
    done()
}

/// What `delete_user` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteFtpUser {
    /// Who it is about.
    username: Filled,
}

impl Question for DeleteFtpUser {}

sentence!(/// Of `delete_user`.
    FtpUserDeleted, "FTP user deleted");

/// `POST /api/ftp/delete_user`: their open sessions are closed.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (the home folder), `Conflict`.
pub fn delete_user(
    call: &mut Call<'_>,
    ask: Ask<DeleteFtpUser>,
) -> Result<Answer<Done<FtpUserDeleted>>> {
    let ask = ask.read(call)?;
    let username: &str = &ask.username;
    ftp_users::delete(&call.app.ftp_users, call.caller()?.grant(), username)?;
    call.app.sessions.close_user(username);
    call.note(Event::change(format!("deleted FTP user {username}")));
    done()
}

/// Somebody who may sign in by FTP.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FtpUser"))]
pub struct Shown {
    /// To sign in with.
    username: String,
    /// Always empty.
    password: &'static str,
    /// The home folder.
    path: String,
    /// Letters for what they may do.
    permissions: String,
}

/// `GET /api/ftp/get_users`.
pub fn get_users(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<Shown>>> {
    let shown: Vec<Shown> = call
        .app
        .ftp_users
        .all()?
        .into_iter()
        .map(|user| Shown {
            username: user.username,
            password: "",
            path: user.home,
            permissions: user.permissions,
        })
        .collect();
    Answer::of(&shown)
}

sentence!(/// Of `start`.
    FtpStarted, "FTP server started");

/// What `start` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FtpStartedAnswer"))]
pub struct Started {
    /// What was done.
    status: FtpStarted,
    /// Where it listens.
    port: u16,
}

/// `POST /api/ftp/start`: now, and at every start of larder.
///
/// Errors: `Failed` (the port is taken); then nothing has changed.
pub fn start(call: &mut Call<'_>, (): ()) -> Result<Answer<Started>> {
    let address = call.app.ftp()?.open(&call.app.config.settings())?;
    call.app.remember_ftp(true)?;
    call.app.announce();
    call.note(Event::change("started FTP"));
    Answer::of(&Started { status: FtpStarted, port: address.port() })
}

sentence!(/// Of `stop`.
    FtpStopped, "FTP server stopped");

/// `POST /api/ftp/stop`: now, and for good.
///
/// Errors: `Invalid` (it does not run).
pub fn stop(call: &mut Call<'_>, (): ()) -> Result<Answer<Done<FtpStopped>>> {
    let ftp = call.app.ftp()?;
    if ftp.address().is_none() {
        return Err(Error::invalid("FTP server is not running"));
    }
    call.app.remember_ftp(false)?;
    ftp.close();
    call.app.announce();
    call.note(Event::change("stopped FTP"));
    done()
}

/// `GET /api/ftp/sessions`: who is on, from where, doing what at which rate.
pub fn sessions(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<SessionInfo>>> {
    Answer::of(&call.app.sessions.list())
}

/// Whether this, where the caller may do something, can be somebody's home: a folder.
fn must_be_home(call: &Call<'_>, home: &VaultPath) -> Result<()> {
    // Who may only write there may ask that much of it.
    let (caller, mut seen) = (call.caller()?, vec![home.clone()]);
    seen.extend_from_slice(caller.grant().readable());
    let grant = Arc::new(Grant::new(seen, Vec::new()));
    match call.app.share(grant, caller.label())?.look(home)?.kind {
        Kind::Folder => Ok(()),
        _ => Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
    }
}
