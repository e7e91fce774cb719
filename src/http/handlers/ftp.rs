//! The FTP server from outside: its users, starting and stopping it, who is on: contract, section 8.

use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, text};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::logbook::Event;
use crate::people::ftp_users::{self, FtpChanges, NewFtpUser};
use crate::vault::{Grant, Kind, VaultPath};

/// The fields of `create_user` and `edit_user`.
pub const USER: &[Field] = &[text("username"), text("password"), text("path"), text("permissions")];

/// The fields of `delete_user`.
pub const DELETE: &[Field] = &[text("username")];

/// `POST /api/ftp/create_user`.
///
/// Errors: `Invalid`, `Refused` (the home folder), `NotFound` (likewise), `Collision`.
pub fn create_user(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let (Some(username), Some(password), Some(permissions)) =
        (given("username"), given("password"), given("permissions"))
    else {
        return Err(Error::invalid_as(
            Why::Missing,
            "No username, password or permissions provided",
        ));
    };
    let new =
        NewFtpUser { username, password, home: ask.text("path").unwrap_or_default(), permissions };
    let (users, grant) = (&call.app.ftp_users, call.caller()?.grant());
    let made = ftp_users::create(users, grant, &new, |home| must_be_home(call, home))?;
    let (home, letters) = (made.home, made.permissions);
    call.note(Event::change(format!("created FTP user {username}: /{home}, {letters}")));
    Reply::json(&Status { status: "FTP user created" })
}

/// `POST /api/ftp/edit_user`: what is left out stays. Open sessions of that user are closed, so that
/// what they may do now is what they may do.
///
/// Errors: `Invalid`, `NotFound` (the user, the home folder), `Refused` (the home folder, that of now or the new
/// one, with the letters of now or the new ones), `Conflict`.
pub fn edit_user(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let username = username_of(&ask)?;
    let changes = FtpChanges {
        password: ask.text("password").filter(|password| !password.is_empty()),
        home: ask.text("path"),
        permissions: ask.text("permissions"),
    };
    let (users, grant) = (&call.app.ftp_users, call.caller()?.grant());
    ftp_users::change(users, grant, username, &changes, |home| must_be_home(call, home))?;
    call.app.sessions.close_user(username);
    call.note(Event::change(format!("edited FTP user {username}")));
    Reply::json(&Status { status: "FTP user edited" })
}

/// `POST /api/ftp/delete_user`: their open sessions are closed.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (the home folder), `Conflict`.
pub fn delete_user(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let username = username_of(&ask)?;
    ftp_users::delete(&call.app.ftp_users, call.caller()?.grant(), username)?;
    call.app.sessions.close_user(username);
    call.note(Event::change(format!("deleted FTP user {username}")));
    Reply::json(&Status { status: "FTP user deleted" })
}

/// `GET /api/ftp/get_users`.
pub fn get_users(call: &mut Call<'_>) -> Result<Reply> {
    /// One of them.
    #[derive(Serialize)]
    struct Shown {
        /// To sign in with.
        username: String,
        /// Always empty.
        password: &'static str,
        /// The home folder.
        path: String,
        /// Letters.
        permissions: String,
    }
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
    Reply::json(&shown)
}

/// `POST /api/ftp/start`: now, and at every start of larder.
///
/// Errors: `Failed` (the port is taken); then nothing has changed.
pub fn start(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Started {
        /// The contract's sentence.
        status: &'static str,
        /// Where it listens.
        port: u16,
    }
    let address = call.app.ftp()?.open(&call.app.config.settings())?;
    call.app.remember_ftp(true)?;
    call.note(Event::change("started FTP"));
    Reply::json(&Started { status: "FTP server started", port: address.port() })
}

/// `POST /api/ftp/stop`: now, and for good.
///
/// Errors: `Invalid` (it does not run).
pub fn stop(call: &mut Call<'_>) -> Result<Reply> {
    let ftp = call.app.ftp()?;
    if ftp.address().is_none() {
        return Err(Error::invalid("FTP server is not running"));
    }
    call.app.remember_ftp(false)?;
    ftp.close();
    call.note(Event::change("stopped FTP"));
    Reply::json(&Status { status: "FTP server stopped" })
}

/// `GET /api/ftp/sessions`: who is on, from where, doing what at which rate.
pub fn sessions(call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(&call.app.sessions.list())
}

/// Who it is about.
fn username_of(ask: &Ask) -> Result<&str> {
    let username = ask.text("username").filter(|username| !username.is_empty());
    username.ok_or(Error::invalid_as(Why::Missing, "No username provided"))
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
