//! The users and the tokens that they logged out. Knows hashes only, never a password or a key.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::{Error, Result};
use crate::limits;

/// The schema, step by step; a step that has shipped never changes.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE users(
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        name TEXT NOT NULL,
        ip TEXT NOT NULL DEFAULT '',
        role TEXT NOT NULL,
        ftp_users TEXT NOT NULL DEFAULT '',
        paths TEXT NOT NULL,
        settings TEXT NOT NULL DEFAULT '',
        API_KEY TEXT UNIQUE,
        paths_write TEXT NOT NULL,
        key_hint TEXT NOT NULL DEFAULT '',
        epoch INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE ftp_users(
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        homedir TEXT NOT NULL,
        permissions TEXT NOT NULL
    ) STRICT;
    CREATE TABLE revoked_tokens(
        token_id TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];

/// The columns of `users` in the order in which `User` reads them.
const COLUMNS: &str = "id, username, password, name, ip, role, ftp_users, paths, settings, \
                       paths_write, key_hint, epoch";

/// One row of `users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row's number; never given to another user while tokens of this one live, since it is
    /// taken together with `epoch`.
    pub id: i64,
    /// The name to sign in with.
    pub username: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// The name that people read.
    pub name: String,
    /// Address of the last successful request.
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

/// The table, behind one connection. What is asked for on each request is kept in memory and
/// looked up again as soon as anybody, another process included, has changed the database.
pub struct UserStore {
    /// One connection; statements take microseconds.
    inner: Mutex<Inner>,
}

/// The connection and what is remembered of it.
struct Inner {
    /// To `users.db`.
    connection: Connection,
    /// `PRAGMA data_version` when the memory below was filled.
    seen_version: i64,
    /// Users by id.
    users: HashMap<i64, Arc<User>>,
    /// Ids by the hash of their API key.
    ids_by_key: HashMap<String, i64>,
    /// Ids of tokens that were logged out.
    revoked: Option<HashSet<String>>,
}

impl UserStore {
    /// Opens `users.db`, making it if need be.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = super::open(path, MIGRATIONS, true)?;
        let inner = Inner {
            connection,
            seen_version: -1,
            users: HashMap::new(),
            ids_by_key: HashMap::new(),
            revoked: None,
        };
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// How many users there are.
    pub fn count(&self) -> Result<i64> {
        let inner = self.lock();
        Ok(inner.connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?)
    }

    /// The user with this id.
    pub fn by_id(&self, id: i64) -> Result<Option<Arc<User>>> {
        self.lock().fresh()?.user(id)
    }

    /// The user with this name, exactly as written.
    pub fn by_username(&self, username: &str) -> Result<Option<Arc<User>>> {
        let mut inner = self.lock();
        let id: Option<i64> = inner
            .connection
            .prepare_cached("SELECT id FROM users WHERE username = ?1")?
            .query_row([username], |row| row.get(0))
            .optional()?;
        id.map_or(Ok(None), |id| inner.fresh()?.user(id))
    }

    /// The user whose API key has this SHA-256 hash (hex).
    pub fn by_key_hash(&self, key_hash: &str) -> Result<Option<Arc<User>>> {
        let mut inner = self.lock();
        let inner = inner.fresh()?;
        let known = inner.ids_by_key.get(key_hash).copied();
        let id = match known {
            Some(id) => Some(id),
            None => inner
                .connection
                .prepare_cached("SELECT id FROM users WHERE API_KEY = ?1")?
                .query_row([key_hash], |row| row.get(0))
                .optional()?,
        };
        let Some(id) = id else { return Ok(None) };
        if known.is_none() && inner.ids_by_key.len() < limits::CACHED_USERS_MAX {
            inner.ids_by_key.insert(key_hash.to_owned(), id);
        }
        inner.user(id)
    }

    /// Adds a user. Its first epoch is the present time, so that a token of a deleted user whose
    /// id it got stays invalid.
    ///
    /// Errors: `Collision` when the name is taken.
    pub fn insert(&self, user: &NewUser<'_>) -> Result<i64> {
        let mut inner = self.lock();
        let added = inner.connection.execute(
            "INSERT INTO users(username, password, name, role, paths, paths_write, API_KEY, key_hint, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, unixepoch())",
            params![
                user.username,
                user.password_hash,
                user.name,
                user.role,
                user.paths,
                user.paths_write,
                user.key_hash,
                user.key_hint
            ],
        );
        inner.forget();
        match added {
            Ok(_) => Ok(inner.connection.last_insert_rowid()),
            Err(cause)
                if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                Err(Error::Collision("Username already exists"))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    /// Remembers where the user's last successful request came from.
    pub fn set_ip(&self, id: i64, ip: &str) -> Result<()> {
        self.change("UPDATE users SET ip = ?2 WHERE id = ?1", params![id, ip])
    }

    /// Makes all tokens of the user that were issued until now invalid.
    pub fn log_out_everywhere(&self, id: i64) -> Result<()> {
        self.change("UPDATE users SET epoch = epoch + 1 WHERE id = ?1", params![id])
    }

    /// Makes one token invalid. `expires` and `now` are seconds since 1970; rows of tokens that
    /// have expired are dropped on this occasion.
    pub fn log_out(&self, user_id: i64, token_id: &str, expires: i64, now: i64) -> Result<()> {
        self.change("DELETE FROM revoked_tokens WHERE expires < ?1", params![now])?;
        let logged_out: i64 = self.lock().connection.query_row(
            "SELECT count(*) FROM revoked_tokens WHERE user_id = ?1",
            [user_id],
            |row| row.get(0),
        )?;
        if logged_out >= limits::REVOKED_TOKENS_PER_USER_MAX {
            self.log_out_everywhere(user_id)?;
            return self.change("DELETE FROM revoked_tokens WHERE user_id = ?1", params![user_id]);
        }
        self.change(
            "INSERT OR IGNORE INTO revoked_tokens(token_id, user_id, expires) VALUES (?1, ?2, ?3)",
            params![token_id, user_id, expires],
        )
    }

    /// Whether this token was logged out by itself.
    pub fn is_logged_out(&self, token_id: &str) -> Result<bool> {
        self.lock().fresh()?.is_revoked(token_id)
    }

    /// Moves the write-ahead log into the database, so that the file alone is whole.
    pub fn checkpoint(&self) -> Result<()> {
        let inner = self.lock();
        Ok(inner.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Runs one statement that changes something.
    fn change(&self, statement: &str, values: impl rusqlite::Params) -> Result<()> {
        let mut inner = self.lock();
        inner.connection.prepare_cached(statement)?.execute(values)?;
        inner.forget();
        Ok(())
    }

    /// A panic elsewhere while the lock was held left nothing half-done: SQLite has transactions.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Forgets what is remembered if another connection has changed the database since.
    ///
    /// Source: SQLite, `PRAGMA data_version` (our own changes call `forget` themselves).
    fn fresh(&mut self) -> Result<&mut Self> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.seen_version {
            self.forget();
            self.seen_version = version;
        }
        Ok(self)
    }

    /// Empties the memory.
    fn forget(&mut self) {
        self.users.clear();
        self.ids_by_key.clear();
        self.revoked = None;
    }

    /// One user, from memory or from the table.
    fn user(&mut self, id: i64) -> Result<Option<Arc<User>>> {
        if let Some(user) = self.users.get(&id) {
            return Ok(Some(Arc::clone(user)));
        }
        let found = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?
            .query_row([id], read_user)
            .optional()?;
        let Some(user) = found.map(Arc::new) else { return Ok(None) };
        if self.users.len() < limits::CACHED_USERS_MAX {
            self.users.insert(id, Arc::clone(&user));
        }
        Ok(Some(user))
    }

    /// Whether the token is among those logged out.
    fn is_revoked(&mut self, token_id: &str) -> Result<bool> {
        if let Some(revoked) = &self.revoked {
            return Ok(revoked.contains(token_id));
        }
        let revoked: HashSet<String> = self
            .connection
            .prepare_cached("SELECT token_id FROM revoked_tokens")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let is_revoked = revoked.contains(token_id);
        self.revoked = Some(revoked);
        Ok(is_revoked)
    }
}

/// One row, in the order of `COLUMNS`.
fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store with one user, `ana`, in a folder of its own.
    fn store() -> (tempfile::TempDir, UserStore, i64) {
        let folder = tempfile::tempdir().unwrap();
        let store = UserStore::open(&folder.path().join("users.db")).unwrap();
        let id = store.insert(&ana("ana", "hash-a")).unwrap();
        (folder, store, id)
    }

    fn ana<'a>(username: &'a str, key_hash: &'a str) -> NewUser<'a> {
        NewUser {
            username,
            password_hash: "$argon2id$x",
            name: "Ana",
            role: "user",
            paths: "[\"\"]",
            paths_write: "[]",
            key_hash,
            key_hint: "lk_1",
        }
    }

    #[test]
    fn a_user_is_found_by_id_name_and_key() {
        let (_folder, store, id) = store();
        let user = store.by_id(id).unwrap().unwrap();
        assert_eq!(store.by_username("ana").unwrap().unwrap(), user);
        assert_eq!(store.by_key_hash("hash-a").unwrap().unwrap(), user);
        assert_eq!(store.by_key_hash("hash-a").unwrap().unwrap(), user);
        assert_eq!(store.by_username("Ana").unwrap(), None);
        assert_eq!(store.by_key_hash("hash-b").unwrap(), None);
        assert_eq!(store.by_id(id + 1).unwrap(), None);
    }

    #[test]
    fn a_name_is_taken_once() {
        let (_folder, store, _) = store();
        assert!(matches!(
            store.insert(&ana("ana", "hash-b")),
            Err(Error::Collision("Username already exists"))
        ));
        assert_eq!(store.count().unwrap(), 1);
    }

    #[test]
    fn what_another_process_changes_is_seen_at_once() {
        let (folder, store, id) = store();
        let before = store.by_id(id).unwrap().unwrap().epoch;
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        other.log_out_everywhere(id).unwrap();
        assert_eq!(store.by_id(id).unwrap().unwrap().epoch, before + 1);
        assert!(!store.is_logged_out("t").unwrap());
        other.log_out(id, "t", 1000, 0).unwrap();
        assert!(store.is_logged_out("t").unwrap());
    }

    #[test]
    fn logged_out_tokens_survive_a_restart_and_are_bounded() {
        let (folder, store, id) = store();
        store.log_out(id, "t", 1000, 0).unwrap();
        drop(store);
        let store = UserStore::open(&folder.path().join("users.db")).unwrap();
        assert!(store.is_logged_out("t").unwrap());
        let epoch = store.by_id(id).unwrap().unwrap().epoch;
        for number in 0..=limits::REVOKED_TOKENS_PER_USER_MAX {
            store.log_out(id, &number.to_string(), 1000, 0).unwrap();
        }
        assert!(store.by_id(id).unwrap().unwrap().epoch > epoch);
        store.log_out(id, "late", 3000, 2000).unwrap();
        assert!(!store.is_logged_out("100").unwrap());
        assert!(store.is_logged_out("late").unwrap());
    }
}
