//! The FTP server from outside: its users, starting and stopping it, who is on: contract, section 8.

use serde::Serialize;

use crate::auth::password;
use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, text};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::limits;
use crate::store::FtpUser;
use crate::vault::{Kind, VaultPath};

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
    let permissions = call.app.ftp.check_letters(permissions)?;
    let home = VaultPath::parse(ask.text("path").unwrap_or_default())?;
    check_home(call, &home)?;
    if call.app.ftp_users.by_username(username)?.is_some() {
        return Err(Error::Collision("Username already exists"));
    }
    call.app.ftp_users.insert(&FtpUser {
        id: 0,
        username: username.to_owned(),
        password_hash: password::hash(password)?,
        home: home.as_str().to_owned(),
        permissions: permissions.clone(),
    })?;
    call.note(&format!("created FTP user {username}: /{home}, {permissions}"));
    Reply::json(&Status { status: "FTP user created" })
}

/// `POST /api/ftp/edit_user`: what is left out stays. Open sessions of that user are closed, so that
/// what they may do now is what they may do.
///
/// Errors: `Invalid`, `Refused` (the home folder), `NotFound` (the user, the home folder).
pub fn edit_user(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let username = username_of(&ask)?;
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let password = given("password");
    password.map_or(Ok(()), check_password)?;
    let permissions = match ask.text("permissions") {
        Some(letters) => Some(call.app.ftp.check_letters(letters)?),
        None => None,
    };
    let home = ask.text("path").map(VaultPath::parse).transpose()?;
    if call.app.ftp_users.by_username(username)?.is_none() {
        return Err(no_user());
    }
    if let Some(home) = &home {
        check_home(call, home)?;
    }
    let hash = password.map(password::hash).transpose()?;
    let home = home.as_ref().map(VaultPath::as_str);
    if !call.app.ftp_users.edit(username, hash.as_deref(), home, permissions.as_deref())? {
        return Err(no_user());
    }
    call.app.ftp.close_user(username);
    call.note(&format!("edited FTP user {username}"));
    Reply::json(&Status { status: "FTP user edited" })
}

/// `POST /api/ftp/delete_user`: their open sessions are closed.
///
/// Errors: `Invalid`, `NotFound`.
pub fn delete_user(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let username = username_of(&ask)?;
    if !call.app.ftp_users.delete(username)? {
        return Err(no_user());
    }
    call.app.ftp.close_user(username);
    call.note(&format!("deleted FTP user {username}"));
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
    let address = call.app.ftp.start(&call.app.config.settings().ftp)?;
    call.app.remember_ftp(true)?;
    call.note("started FTP");
    Reply::json(&Started { status: "FTP server started", port: address.port() })
}

/// `POST /api/ftp/stop`: now, and for good.
///
/// Errors: `Invalid` (it does not run).
pub fn stop(call: &mut Call<'_>) -> Result<Reply> {
    if call.app.ftp.address().is_none() {
        return Err(Error::invalid("FTP server is not running"));
    }
    call.app.remember_ftp(false)?;
    call.app.ftp.stop();
    call.note("stopped FTP");
    Reply::json(&Status { status: "FTP server stopped" })
}

/// `GET /api/ftp/sessions`: who is on, from where, doing what at which rate.
pub fn sessions(call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(&call.app.ftp.sessions())
}

/// Who it is about.
fn username_of(ask: &Ask) -> Result<&str> {
    let username = ask.text("username").filter(|username| !username.is_empty());
    username.ok_or(Error::invalid_as(Why::Missing, "No username provided"))
}

/// What the contract calls somebody who is not there.
fn no_user() -> Error {
    Error::NotFound("User not found")
}

/// Whether a password can be one.
fn check_password(password: &str) -> Result<()> {
    // A line of FTP ends where a control character would be.
    if password.len() > limits::PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
        return Err(Error::invalid("Invalid password"));
    }
    Ok(())
}

/// Whether this can be somebody's home: a folder that the caller may read themselves, so that nobody
/// hands out what they do not have.
fn check_home(call: &Call<'_>, home: &VaultPath) -> Result<()> {
    let share = call.share()?;
    if !share.grant().may_read(home) {
        return Err(Error::Refused);
    }
    match share.look(home)?.kind {
        Kind::Folder => Ok(()),
        _ => Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
    }
}
