//! The users. Knows hashes only, never a password or a key.

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::links;
use super::reader::Reader;
use super::schema::MIGRATIONS;
use super::seen::Seen;
use super::session_uses::Uses;
use super::used_keys::UsedKeys;
use super::user::{COLUMNS, NewUser, User, UserChange, read_user};
use crate::error::{Error, Result, Why};
use crate::threads::locked;
use crate::{clock, limits};

/// What the contract calls a user who is not there.
const NOT_THERE: Error = Error::NotFound("User not found");

/// The table. Reading and writing have a connection each, so that nobody who only asks waits for
/// the disk's sync behind somebody who changes something. What is asked for on each request is
/// kept in memory and looked up again as soon as anybody, another process included, has changed
/// the database.
pub struct UserStore {
    /// For reading; statements take microseconds.
    reader: Mutex<Reader>,
    /// For changes, one at a time.
    pub(super) writer: Mutex<Connection>,
    /// `marks.roles_edition` as the reader saw it last.
    roles_edition: AtomicI64,
    /// Where users were last seen.
    seen: Mutex<Seen>,
    /// When sessions were used last.
    pub(super) uses: Mutex<Uses>,
    /// Where keys were last used.
    pub(super) used_keys: Mutex<UsedKeys>,
}

impl UserStore {
    /// Opens `users.db`, making it if need be.
    pub fn open(path: &Path) -> Result<Self> {
        let writer = super::open(path, MIGRATIONS, true)?;
        let store = Self {
            reader: Mutex::new(Reader::open(path)?),
            writer: Mutex::new(writer),
            roles_edition: AtomicI64::new(0),
            seen: Mutex::default(),
            uses: Mutex::default(),
            used_keys: Mutex::default(),
        };
        drop(store.reader()?);
        Ok(store)
    }

    /// How many users there are.
    pub fn count(&self) -> Result<i64> {
        let reader = self.reader()?;
        Ok(reader.connection().query_row("SELECT count(*) FROM users", [], |row| row.get(0))?)
    }

    /// The user with this id.
    pub fn by_id(&self, id: i64) -> Result<Option<Arc<User>>> {
        self.reader()?.by_id(id)
    }

    /// The user with this name, exactly as written.
    pub fn by_username(&self, username: &str) -> Result<Option<Arc<User>>> {
        self.reader()?.by_username(username)
    }

    /// The user whose API key has this SHA-256 hash (hex).
    pub fn by_key_hash(&self, key_hash: &str) -> Result<Option<Arc<User>>> {
        self.reader()?.by_key_hash(key_hash)
    }

    /// The users after this id in order of id, at most so many, each with the address it was last
    /// seen at.
    pub fn after(&self, id: i64, count: usize) -> Result<Vec<User>> {
        let mut users: Vec<User> = self
            .reader()?
            .connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM users WHERE id > ?1 ORDER BY id LIMIT ?2"
            ))?
            .query_map(params![id, i64::try_from(count).unwrap_or(i64::MAX)], read_user)?
            .collect::<rusqlite::Result<_>>()?;
        let seen = locked(&self.seen);
        for user in &mut users {
            if let Some(sighting) = seen.of(user.id) {
                user.ip = sighting.address.to_string();
                user.last_seen = sighting.at;
                user.last_agent.clone_from(&sighting.agent);
            }
        }
        Ok(users)
    }

    /// Adds a user. Its id was never another's and its first epoch is random, so that no token of
    /// a deleted user comes to life again.
    ///
    /// Errors: `Collision` when the name or the key is taken, `Invalid` when there are too many.
    pub fn insert(&self, user: &NewUser<'_>) -> Result<i64> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let count: i64 =
            transaction.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
        if count >= limits::USERS_MAX {
            return Err(Error::invalid_as(Why::TooMany, "Too many users"));
        }
        must_be_free(&transaction, 0, Some(user.username), Some(user.key_hash))?;
        let id: i64 = transaction.query_row(
            "UPDATE marks SET last_user_id =
                 max(last_user_id, (SELECT coalesce(max(id), 0) FROM users)) + 1
             RETURNING last_user_id",
            [],
            |row| row.get(0),
        )?;
        transaction.execute(
            "INSERT INTO users(id, username, password, name, role, paths, paths_write, API_KEY, key_hint, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, random() & 0x3fffffffffffffff)",
            params![
                id,
                user.username,
                user.password_hash,
                user.name,
                user.role,
                user.paths,
                user.paths_write,
                user.key_hash,
                user.key_hint
            ],
        )?;
        transaction.commit()?;
        Ok(id)
    }

    /// Changes a user; on the disk when this returns. The role `keep` never loses its last member.
    ///
    /// Errors: `NotFound`; `Collision` when the name or the key is taken, or for `keep`.
    pub fn change(&self, id: i64, change: &UserChange<'_>, keep: &str) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let role: Option<String> = transaction
            .prepare_cached("SELECT role FROM users WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let role = role.ok_or(NOT_THERE)?;
        must_be_free(&transaction, id, change.username, change.key_hash)?;
        let leaves_it = role == keep && change.role.is_some_and(|new| new != keep);
        if leaves_it && others_with_role(&transaction, keep, id)? == 0 {
            return Err(Error::Conflict("The last admin must keep its role"));
        }
        super::codes::end_those_of(&transaction, id, change)?;
        transaction
            .prepare_cached(
                "UPDATE users SET
                     username = coalesce(?2, username),
                     password = coalesce(?3, password),
                     name = coalesce(?4, name),
                     role = coalesce(?5, role),
                     ftp_users = coalesce(?6, ftp_users),
                     paths = coalesce(?7, paths),
                     settings = coalesce(?8, settings),
                     paths_write = coalesce(?9, paths_write),
                     API_KEY = coalesce(?10, API_KEY),
                     key_hint = coalesce(?11, key_hint),
                     epoch = epoch + (?3 IS NOT NULL)
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                change.username,
                change.password_hash,
                change.name,
                change.role,
                change.ftp_users,
                change.paths,
                change.settings,
                change.paths_write,
                change.key_hash,
                change.key_hint
            ])?;
        if change.password_hash.is_some() {
            super::sessions::end_all_but(&transaction, id, change.keep_session)?;
        }
        Ok(transaction.commit()?)
    }

    /// Deletes a user; on the disk when this returns. The role `keep` never loses its last
    /// member; any other role that does is handed to `forget_role` in the same transaction, which
    /// says whether that changed anything.
    ///
    /// Errors: `NotFound`; `Collision` for `keep`; those of `forget_role`, and then nobody is
    /// deleted.
    pub fn delete(
        &self,
        username: &str,
        keep: &str,
        forget_role: impl FnOnce(&str) -> Result<bool>,
    ) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let found: Option<(i64, String)> = transaction
            .prepare_cached("SELECT id, role FROM users WHERE username = ?1")?
            .query_row([username], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (id, role) = found.ok_or(NOT_THERE)?;
        let is_last = others_with_role(&transaction, &role, id)? == 0;
        if is_last && role == keep {
            return Err(Error::Conflict("The last admin can't be deleted"));
        }
        transaction.execute("DELETE FROM users WHERE id = ?1", [id])?;
        links::leave_to_nobody(&transaction, id)?;
        if is_last && forget_role(&role)? {
            transaction.execute("UPDATE marks SET roles_edition = roles_edition + 1", [])?;
        }
        transaction.commit()?;
        locked(&self.seen).forget(id);
        Ok(())
    }

    /// Runs what replaces `roles.json` while no other process changes users or roles, and then
    /// tells every process that it has to be read again.
    pub fn change_roles(&self, replace: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        replace()?;
        transaction.execute("UPDATE marks SET roles_edition = roles_edition + 1", [])?;
        Ok(transaction.commit()?)
    }

    /// How often larder, in whatever process, has changed `roles.json`: as of the last question
    /// about a user.
    pub fn roles_edition(&self) -> i64 {
        self.roles_edition.load(Ordering::Acquire)
    }

    /// Remembers where and when a user's last successful request came from, and from what program.
    pub fn saw(&self, user: &User, address: IpAddr, agent: &str) {
        locked(&self.seen).saw(user, address, agent, clock::now());
    }

    /// Writes down where and when users were last seen, and keys used, as far as it is time to; all of it with
    /// `at_once`.
    pub fn write_sightings(&self, at_once: bool) -> Result<()> {
        self.write_used_keys(at_once)?;
        let due = locked(&self.seen).due(at_once);
        if due.is_empty() {
            return Ok(());
        }
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let mut gone = Vec::new();
        for (id, sighting) in due {
            let known = transaction.execute(
                "UPDATE users SET ip = ?2, last_seen = ?3, last_agent = ?4 WHERE id = ?1",
                params![id, sighting.address.to_string(), sighting.at, sighting.agent],
            )?;
            if known == 0 {
                // Deleted while their last request was answered.
                gone.push(id);
            }
        }
        transaction.commit()?;
        drop(writer);
        let mut seen = locked(&self.seen);
        for id in gone {
            seen.forget(id);
        }
        Ok(())
    }

    /// Moves the write-ahead log into the database, so that the file alone is whole.
    pub fn checkpoint(&self) -> Result<()> {
        let writer = locked(&self.writer);
        Ok(writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// To read with; what is remembered there is what the database says now.
    pub(super) fn reader(&self) -> Result<MutexGuard<'_, Reader>> {
        let mut reader = locked(&self.reader);
        if let Some(edition) = reader.refresh()? {
            self.roles_edition.store(edition, Ordering::Release);
        }
        Ok(reader)
    }
}

/// A transaction that keeps every other process from writing from its beginning.
pub(super) fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Sees to it that nobody but the user `id` has this name or this key.
///
/// Errors: `Collision`.
fn must_be_free(
    transaction: &Transaction<'_>,
    id: i64,
    username: Option<&str>,
    key_hash: Option<&str>,
) -> Result<()> {
    let is_taken = |statement: &str, value: Option<&str>| -> Result<bool> {
        Ok(transaction.prepare_cached(statement)?.exists(params![value, id])?)
    };
    if is_taken("SELECT 1 FROM users WHERE username = ?1 AND id <> ?2", username)? {
        return Err(Error::Collision("Username already exists"));
    }
    if is_taken("SELECT 1 FROM users WHERE API_KEY = ?1 AND id <> ?2", key_hash)? {
        return Err(Error::Collision("API key already in use"));
    }
    // Whoever has it would be let in narrowed by one look and as the whole user by the other.
    let is_narrowed = "SELECT 1 FROM keys WHERE hash = ?1 AND ?2 IS NOT NULL";
    if is_taken(is_narrowed, key_hash)? {
        return Err(Error::Collision("API key already in use"));
    }
    Ok(())
}

/// How many users besides this one have the role.
fn others_with_role(transaction: &Transaction<'_>, role: &str, id: i64) -> Result<i64> {
    Ok(transaction
        .prepare_cached("SELECT count(*) FROM users WHERE role = ?1 AND id <> ?2")?
        .query_row(params![role, id], |row| row.get(0))?)
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
    fn a_name_and_a_key_are_taken_once() {
        let (_folder, store, id) = store();
        let taken = Err("Username already exists");
        let sentence = |result: Result<i64>| match result {
            Err(Error::Collision(sentence)) => Err(sentence),
            other => Ok(other.unwrap()),
        };
        assert_eq!(sentence(store.insert(&ana("ana", "hash-b"))), taken);
        assert_eq!(sentence(store.insert(&ana("bea", "hash-a"))), Err("API key already in use"));
        let bea = store.insert(&ana("bea", "hash-b")).unwrap();
        let rename = |id, username| {
            let change = UserChange { username: Some(username), ..UserChange::default() };
            store.change(id, &change, "admin").map(|()| id)
        };
        assert_eq!(sentence(rename(bea, "ana")), taken);
        assert_eq!(sentence(rename(id, "ana")), Ok(id));
        assert_eq!(store.count().unwrap(), 2);
    }

    #[test]
    fn only_what_is_given_changes_and_a_new_password_raises_the_epoch() {
        let (_folder, store, id) = store();
        let before = store.by_id(id).unwrap().unwrap();
        let change = UserChange { name: Some("Bea"), settings: Some("s"), ..UserChange::default() };
        store.change(id, &change, "admin").unwrap();
        let after = store.by_id(id).unwrap().unwrap();
        let expected =
            User { name: "Bea".to_owned(), settings: "s".to_owned(), ..User::clone(&before) };
        assert_eq!(*after, expected);
        let change = UserChange { password_hash: Some("$new"), ..UserChange::default() };
        store.change(id, &change, "admin").unwrap();
        let after = store.by_id(id).unwrap().unwrap();
        assert_eq!((after.password_hash.as_str(), after.epoch), ("$new", before.epoch + 1));
        let key = UserChange {
            key_hash: Some("hash-c"),
            key_hint: Some("lk_2"),
            ..UserChange::default()
        };
        store.change(id, &key, "admin").unwrap();
        assert!(store.by_key_hash("hash-a").unwrap().is_none());
        assert_eq!(store.by_key_hash("hash-c").unwrap().unwrap().key_hint, "lk_2");
    }

    #[test]
    fn neither_id_nor_epoch_of_a_deleted_user_comes_again() {
        let (folder, store, id) = store();
        let first = store.by_id(id).unwrap().unwrap();
        store.delete("ana", "admin", |_| Ok(false)).unwrap();
        assert_eq!(store.by_id(id).unwrap(), None);
        drop(store);
        let store = UserStore::open(&folder.path().join("users.db")).unwrap();
        let again = store.insert(&ana("ana", "hash-a")).unwrap();
        assert_ne!(again, id);
        assert_ne!(store.by_id(again).unwrap().unwrap().epoch, first.epoch);
    }

    #[test]
    fn a_database_of_the_first_schema_goes_on_counting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        let old = crate::store::open(&path, &MIGRATIONS[..1], true).unwrap();
        old.execute(
            "INSERT INTO users(id, username, password, name, role, paths, paths_write)
             VALUES (7, 'old', 'x', 'Old', 'user', '[]', '[]')",
            [],
        )
        .unwrap();
        drop(old);
        let store = UserStore::open(&path).unwrap();
        store.delete("old", "admin", |_| Ok(false)).unwrap();
        assert_eq!(store.insert(&ana("ana", "hash-a")).unwrap(), 8);
        assert!(store.by_id(8).unwrap().unwrap().epoch >= 0);
    }

    #[test]
    fn a_failure_to_forget_the_role_keeps_the_user() {
        let (_folder, store, id) = store();
        let failed = store.delete("ana", "admin", |role| {
            assert_eq!(role, "user");
            Err(Error::DiskFull)
        });
        assert!(matches!(failed, Err(Error::DiskFull)));
        assert!(store.by_id(id).unwrap().is_some());
    }

    #[test]
    fn another_process_changing_the_roles_is_noticed() {
        let (folder, store, id) = store();
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        other.change_roles(|| Ok(())).unwrap();
        store.by_id(id).unwrap();
        assert_eq!(store.roles_edition(), 1);
        assert!(other.change_roles(|| Err(Error::DiskFull)).is_err());
        store.by_id(id).unwrap();
        assert_eq!(store.roles_edition(), 1);
    }

    #[test]
    fn the_last_address_is_shown_at_once_and_written_down_later() {
        let (folder, store, id) = store();
        let ip = |store: &UserStore| store.after(0, 9).unwrap()[0].ip.clone();
        assert_eq!(ip(&store), "");
        for last in [1, 2, 3] {
            store.saw(&store.by_id(id).unwrap().unwrap(), [10, 0, 0, last].into(), "curl/8");
            store.write_sightings(false).unwrap();
        }
        assert_eq!(ip(&store), "10.0.0.3");
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        assert_eq!(ip(&other), "10.0.0.1");
        store.write_sightings(true).unwrap();
        assert_eq!(ip(&other), "10.0.0.3");
        let ana = &other.after(0, 9).unwrap()[0];
        assert!(ana.last_seen > 1_700_000_000 && ana.last_agent == "curl/8", "{ana:?}");
    }

    #[test]
    fn users_are_read_in_pieces() {
        let (_folder, store, _) = store();
        for number in 0..5 {
            store.insert(&ana(&format!("u{number}"), &format!("hash-{number}"))).unwrap();
        }
        let mut names = Vec::new();
        let mut last = 0;
        loop {
            let some = store.after(last, 2).unwrap();
            let Some(end) = some.last() else { break };
            last = end.id;
            names.extend(some.iter().map(|user| user.username.clone()));
        }
        assert_eq!(names, ["ana", "u0", "u1", "u2", "u3", "u4"]);
    }

    #[test]
    fn what_another_process_changes_is_seen_at_once() {
        let (folder, store, id) = store();
        let before = store.by_id(id).unwrap().unwrap().epoch;
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        other.log_out_everywhere(id).unwrap();
        assert_eq!(store.by_id(id).unwrap().unwrap().epoch, before + 1);
        let is_revoked = || store.by_session(id, "t").unwrap().unwrap().is_revoked;
        assert!(!is_revoked());
        other.revoke_token(id, "t", i64::MAX).unwrap();
        assert!(is_revoked());
    }
}
