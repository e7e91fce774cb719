//! The FTP server from outside: its users, starting and stopping it, who is on: contract, section 8.

use std::sync::Arc;

use serde::Serialize;

use crate::auth::letters::Letters;
use crate::auth::password;
use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, text};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::limits;
use crate::logbook::Event;
use crate::store::FtpUser;
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
    if username.len() > limits::USERNAME_BYTES_MAX || username.chars().any(char::is_control) {
        return Err(Error::invalid("Invalid username"));
    }
    check_password(password)?;
    let letters = Letters::parse(permissions)?;
    let home = VaultPath::parse(ask.text("path").unwrap_or_default())?;
    may_hand_out(call, &home, &letters)?;
    check_home(call, &home)?;
    if call.app.ftp_users.by_username(username)?.is_some() {
        return Err(Error::Collision("Username already exists"));
    }
    call.app.ftp_users.insert(&FtpUser {
        id: 0,
        username: username.to_owned(),
        password_hash: password::hash(password)?,
        home: home.as_str().to_owned(),
        permissions: letters.as_str().to_owned(),
    })?;
    call.note(Event::change(format!("created FTP user {username}: /{home}, {}", letters.as_str())));
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
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let password = given("password");
    password.map_or(Ok(()), check_password)?;
    let letters = ask.text("permissions").map(Letters::parse).transpose()?;
    let home = ask.text("path").map(VaultPath::parse).transpose()?;
    let before = user_within_reach(call, username)?;
    let (home_of_now, letters_of_now) = rights_of(&before);
    let will_have = letters.as_ref().unwrap_or(&letters_of_now);
    may_hand_out(call, home.as_ref().unwrap_or(&home_of_now), will_have)?;
    if let Some(home) = &home {
        check_home(call, home)?;
    }
    let hash = password.map(password::hash).transpose()?;
    let home = home.as_ref().map(VaultPath::as_str);
    let letters = letters.as_ref().map(Letters::as_str);
    if !call.app.ftp_users.edit(&before, hash.as_deref(), home, letters)? {
        return Err(CHANGED_MEANWHILE);
    }
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
    let before = user_within_reach(call, username)?;
    if !call.app.ftp_users.delete(&before)? {
        return Err(CHANGED_MEANWHILE);
    }
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

/// Somebody else was quicker, and what was judged is no longer so.
const CHANGED_MEANWHILE: Error = Error::Conflict("The FTP user was changed meanwhile");

/// An FTP user that the caller could have made: nobody changes or removes one who may do more than themselves.
///
/// Errors: `NotFound`, `Refused`.
fn user_within_reach(call: &Call<'_>, username: &str) -> Result<FtpUser> {
    let user = call.app.ftp_users.by_username(username)?;
    let user = user.ok_or(Error::NotFound("User not found"))?;
    let (home, letters) = rights_of(&user);
    may_hand_out(call, &home, &letters)?;
    Ok(user)
}

/// What a stored user may do where. A home that can't be read counts as the root, so that only those who may
/// everything touch such a row.
fn rights_of(user: &FtpUser) -> (VaultPath, Letters) {
    let home = VaultPath::parse(&user.home).unwrap_or_else(|_| VaultPath::root());
    (home, Letters::stored(&user.permissions))
}

/// Whether the caller may do at `home` what the letters give there. Whether it exists is not looked at: that is
/// nobody's business who may not.
///
/// Errors: `Refused`.
fn may_hand_out(call: &Call<'_>, home: &VaultPath, letters: &Letters) -> Result<()> {
    if letters.are_within(call.caller()?.grant(), home) { Ok(()) } else { Err(Error::Refused) }
}

/// Whether a password can be one.
fn check_password(password: &str) -> Result<()> {
    // A line of FTP ends where a control character would be.
    if password.len() > limits::PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
        return Err(Error::invalid("Invalid password"));
    }
    Ok(())
}

/// Whether this, where the caller may do something, can be somebody's home: a folder.
fn check_home(call: &Call<'_>, home: &VaultPath) -> Result<()> {
    // Who may only write there may ask that much of it.
    let (caller, mut seen) = (call.caller()?, vec![home.clone()]);
    seen.extend_from_slice(caller.grant().readable());
    let grant = Arc::new(Grant::new(seen, Vec::new()));
    match call.app.share(grant, caller.label())?.look(home)?.kind {
        Kind::Folder => Ok(()),
        _ => Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
    }
}
