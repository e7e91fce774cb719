//! What a row of `users` says, and what is asked of one: no more than values.

use std::path::Path;

use rusqlite::Row;

use super::schema::MIGRATIONS;

/// The columns of `users` in the order in which `User` reads them.
pub(super) const COLUMNS: &str = "id, username, password, name, ip, role, ftp_users, paths, settings, \
                       paths_write, key_hint, epoch, last_seen, last_agent, totp, totp_step";

/// One row of `users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row's number; never given to another user.
    pub id: i64,
    /// The name to sign in with.
    pub username: String,
    /// Argon2id, in PHC form; empty for who has chosen no password yet.
    pub password_hash: String,
    /// The name that people read.
    pub name: String,
    /// Address of the last successful request, as it was last written down.
    pub ip: String,
    /// Decides about endpoints, by `roles.json`.
    pub role: String,
    /// Free text of the user's own.
    pub ftp_users: String,
    /// JSON array of path prefixes that may be read.
    pub paths: String,
    /// Free text of the user's own: the pages keep their choices there.
    pub settings: String,
    /// JSON array of path prefixes that may be written.
    pub paths_write: String,
    /// The API key's beginning, to tell keys apart; empty without a key.
    pub key_hint: String,
    /// Counts what makes older tokens invalid: a new password, logging out everywhere.
    pub epoch: i64,
    /// When the last successful request was, as it was last written down (seconds since 1970; 0: never).
    pub last_seen: i64,
    /// What program made it, in its own words, likewise.
    pub last_agent: String,
    /// The secret of the second factor, sealed; `None` without one.
    pub factor: Option<String>,
    /// The last step whose code was taken.
    pub factor_step: i64,
}

impl User {
    /// Whether they can sign in by a password; without one only by a code, until they choose one.
    pub fn has_password(&self) -> bool {
        !self.password_hash.is_empty()
    }

    /// Whether they sign in with a code beside the password.
    pub fn has_factor(&self) -> bool {
        self.factor.is_some()
    }
}

/// What a new user is made of.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// See `User`.
    pub username: &'a str,
    /// See `User`.
    pub password_hash: &'a str,
    /// See `User`.
    pub name: &'a str,
    /// See `User`.
    pub role: &'a str,
    /// See `User`.
    pub paths: &'a str,
    /// See `User`.
    pub paths_write: &'a str,
    /// SHA-256 of the API key, in hex.
    pub key_hash: &'a str,
    /// See `User`.
    pub key_hint: &'a str,
}

/// What becomes different about a user; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// See `User`.
    pub username: Option<&'a str>,
    /// See `User`; a new one makes all tokens issued until now invalid, and ends all sessions but `keep_session`.
    pub password_hash: Option<&'a str>,
    /// See `User`.
    pub name: Option<&'a str>,
    /// See `User`.
    pub role: Option<&'a str>,
    /// See `User`.
    pub ftp_users: Option<&'a str>,
    /// See `User`.
    pub paths: Option<&'a str>,
    /// See `User`.
    pub settings: Option<&'a str>,
    /// See `User`.
    pub paths_write: Option<&'a str>,
    /// SHA-256 of a new API key, in hex.
    pub key_hash: Option<&'a str>,
    /// See `User`; comes with `key_hash`.
    pub key_hint: Option<&'a str>,
    /// The session that does not end with the old password: the one in which the new one is chosen.
    pub keep_session: Option<&'a str>,
}

/// Looks through `users.db` without changing it and hands out each user.
///
/// Errors: one sentence that says what is wrong with it.
pub fn examine_users(path: &Path, mut see: impl FnMut(&User)) -> std::result::Result<(), String> {
    let connection = super::examine(path, MIGRATIONS)?;
    let say = |cause: rusqlite::Error| cause.to_string();
    let mut statement =
        connection.prepare(&format!("SELECT {COLUMNS} FROM users ORDER BY id")).map_err(say)?;
    for user in statement.query_map([], read_user).map_err(say)? {
        see(&user.map_err(say)?);
    }
    Ok(())
}

/// One row, in the order of `COLUMNS`.
pub(super) fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        password_hash: row.get(2)?,
        name: row.get(3)?,
        ip: row.get(4)?,
        role: row.get(5)?,
        ftp_users: row.get(6)?,
        paths: row.get(7)?,
        settings: row.get(8)?,
        paths_write: row.get(9)?,
        key_hint: row.get(10)?,
        epoch: row.get(11)?,
        last_seen: row.get(12)?,
        last_agent: row.get(13)?,
        factor: row.get(14)?,
        factor_step: row.get(15)?,
    })
}
