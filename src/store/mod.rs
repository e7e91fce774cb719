//! `db/users.db`: opening, numbered migrations, one file per table. Knows no requests.

mod codes;
mod dump;
mod factors;
mod ftp_users;
mod keys;
mod link_uses;
mod links;
mod moment;
mod places;
mod reader;
mod schema;
mod seen;
mod session_uses;
mod sessions;
mod used_keys;
mod user;
mod users;

pub use dump::{dump, load};
pub use factors::ON_ALREADY as FACTOR_ON_ALREADY;
pub use ftp_users::{FtpUser, FtpUserStore};
pub use keys::{KeyRow, NewKeyRow};
pub use links::{Edit, LinkChange, LinkOwner, LinkRow, LinkStore, Made, NewLink};
pub use places::Place;
pub use sessions::{Found, SessionRow, Sessionless, Whence};
pub use user::{NewUser, User, UserChange, examine_users};
pub use users::UserStore;

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::limits;

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Store(cause.to_string()),
        }
    }
}

/// Opens a database of the state directory, mode 0600, and brings it up to date.
///
/// `migrations` are numbered from 1; each runs once, in a transaction of its own, and the number
/// of the last is kept in `user_version`. With `is_precious` each commit reaches the disk before
/// it returns; without, a power cut may cost the last few rows but never the database.
///
/// Errors: `Store`, also when the database was written by a newer larder.
pub fn open(path: &Path, migrations: &[&str], is_precious: bool) -> Result<Connection> {
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if is_precious { "FULL" } else { "NORMAL" })?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -limits::SQLITE_CACHE_KIB)?;
    let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if done as usize > migrations.len() {
        return Err(Error::Store(format!("{}: made by a newer larder", path.display())));
    }
    for (number, migration) in (0_u32..).zip(migrations).skip(done as usize) {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster between our look and our lock.
        let now: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if now == number {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", number + 1)?;
        }
        transaction.commit()?;
    }
    Ok(connection)
}

/// Looks through a database without changing it, and gives it to be read.
///
/// Errors: one sentence: it can't be opened, is damaged, or was made by a newer larder.
pub fn examine(path: &Path, migrations: &[&str]) -> std::result::Result<Connection, String> {
    let say = |cause: rusqlite::Error| cause.to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(say)?;
    connection.busy_timeout(limits::SQLITE_BUSY).map_err(say)?;
    // The first row says either `ok` or what is wrong first.
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(say)?;
    if verdict != "ok" {
        return Err(format!("damaged: {verdict}"));
    }
    let strangers =
        connection.prepare("PRAGMA foreign_key_check").and_then(|mut rows| rows.exists([]));
    if strangers.map_err(say)? {
        return Err("damaged: a row belongs to one that is not there".to_owned());
    }
    let done: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(say)?;
    if done as usize > migrations.len() {
        return Err("made by a newer larder".to_owned());
    }
    if done == 0 {
        return Err("empty: no larder has made it".to_owned());
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn sqlite_is_built_without_the_modules_that_nobody_uses() {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let options: Vec<String> = rows.collect::<rusqlite::Result<_>>().unwrap();
        assert!(options.iter().any(|option| option == "THREADSAFE=1"), "{options:?}");
        for unused in ["FTS", "RTREE", "DBSTAT", "STAT4", "API_ARMOR", "ENABLE_LOAD"] {
            let found = options.iter().find(|option| option.contains(unused));
            assert_eq!(found, None, "is .cargo/config.toml read?");
        }
    }

    #[test]
    fn each_migration_runs_once_and_a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let steps = ["CREATE TABLE a(b TEXT) STRICT", "INSERT INTO a VALUES ('once')"];
        drop(open(&path, &steps[..1], true).unwrap());
        drop(open(&path, &steps, true).unwrap());
        let connection = open(&path, &steps, true).unwrap();
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(open(&path, &steps[..1], true), Err(Error::Store(_))));
    }
}
