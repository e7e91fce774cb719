//! Narrowed keys of users. Knows hashes only, never a key.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::user::User;
use super::users::{UserStore, begin};
use crate::error::{Error, Result};
use crate::limits;
use crate::threads::locked;

/// What the contract calls a key that is not there.
const NOT_THERE: Error = Error::NotFound("Key not found");

/// The columns of `keys` in the order in which `KeyRow` reads them.
const COLUMNS: &str =
    "id, user_id, label, hash, hint, path, may_write, doors, expires, created_ms, last_day, ip";

/// One row of `keys`. Nothing of it ever changes but where and when it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The row's number: random, so that it is never given to another key.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Its user's own words for it.
    pub label: String,
    /// SHA-256 of the key, in hex.
    pub hash: String,
    /// Its beginning, to tell keys apart.
    pub hint: String,
    /// Where it may do anything at all, relative to the share root; empty for wherever its user may.
    pub path: String,
    /// Whether it may do more than read.
    pub may_write: bool,
    /// The doors that it opens, separated by commas.
    pub doors: String,
    /// When it ends (seconds since 1970).
    pub expires: Option<i64>,
    /// When it was made (milliseconds since 1970, so that what was made in turn is told in turn).
    pub created_ms: i64,
    /// The local day on which it was used last, as it was last written down; empty for never.
    pub last_day: String,
    /// From where.
    pub ip: String,
}

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewKeyRow<'a> {
    /// See `KeyRow`.
    pub id: i64,
    /// See `KeyRow`.
    pub user_id: i64,
    /// See `KeyRow`.
    pub label: &'a str,
    /// See `KeyRow`.
    pub hash: &'a str,
    /// See `KeyRow`.
    pub hint: &'a str,
    /// See `KeyRow`.
    pub path: &'a str,
    /// See `KeyRow`.
    pub may_write: bool,
    /// See `KeyRow`.
    pub doors: &'a str,
    /// See `KeyRow`.
    pub expires: Option<i64>,
    /// See `KeyRow`.
    pub created_ms: i64,
}

/// A user and the narrowed key that they are found by, unless it was their key for everything.
pub type KeyHolder = (Arc<User>, Option<Arc<KeyRow>>);

impl UserStore {
    /// Whose narrowed key has this SHA-256 hash (hex), and the key.
    pub fn by_narrowed_key(&self, hash: &str) -> Result<Option<(Arc<User>, Arc<KeyRow>)>> {
        self.reader()?.by_narrowed_key(hash)
    }

    /// Whose key this is by its SHA-256 hash (hex), and the key if it is a narrowed one: one look for what each
    /// request with a key asks.
    pub fn by_any_key(&self, hash: &str) -> Result<Option<KeyHolder>> {
        let mut reader = self.reader()?;
        // No text is both, so whichever is remembered is asked for nowhere else.
        if !reader.remembers_key(hash)
            && let Some(user) = reader.by_key_hash(hash)?
        {
            return Ok(Some((user, None)));
        }
        Ok(reader.by_narrowed_key(hash)?.map(|(user, key)| (user, Some(key))))
    }

    /// Keeps a key; on the disk when this returns.
    ///
    /// Errors: `Conflict` when its user has too many; `NotFound` (they are gone).
    pub fn insert_key(&self, key: &NewKeyRow<'_>) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let count: i64 = transaction
            .prepare_cached("SELECT count(*) FROM keys WHERE user_id = ?1")?
            .query_row([key.user_id], |row| row.get(0))?;
        if count >= limits::KEYS_PER_USER_MAX {
            return Err(Error::Conflict("Too many keys"));
        }
        let added = transaction
            .prepare_cached(
                "INSERT INTO keys(id, user_id, label, hash, hint, path, may_write, doors, expires, created_ms)
                 SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM users WHERE id = ?2",
            )?
            .execute(params![
                key.id,
                key.user_id,
                key.label,
                key.hash,
                key.hint,
                key.path,
                key.may_write,
                key.doors,
                key.expires,
                key.created_ms
            ])?;
        if added == 0 {
            return Err(Error::NotFound("User not found"));
        }
        Ok(transaction.commit()?)
    }

    /// A user's key with this number.
    pub fn key_of(&self, user_id: i64, id: i64) -> Result<Option<KeyRow>> {
        let reader = self.reader()?;
        let mut statement = reader.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM keys WHERE id = ?1 AND user_id = ?2"
        ))?;
        Ok(statement.query_row([id, user_id], read_row).optional()?)
    }

    /// A user's keys in the order in which they were made, each with where and when it was last used.
    pub fn keys_of(&self, user_id: i64) -> Result<Vec<KeyRow>> {
        let mut keys: Vec<KeyRow> = self
            .reader()?
            .connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM keys WHERE user_id = ?1 ORDER BY created_ms, id"
            ))?
            .query_map([user_id], read_row)?
            .collect::<rusqlite::Result<_>>()?;
        let used = locked(&self.used_keys);
        for key in &mut keys {
            if let Some((day, ip)) = used.last_of(key.id) {
                (key.last_day, key.ip) = (day, ip);
            }
        }
        Ok(keys)
    }

    /// Deletes a key of a user; on the disk when this returns. What it was is told.
    ///
    /// Errors: `NotFound`; whether it is another's is not told.
    pub fn delete_key(&self, user_id: i64, id: i64) -> Result<KeyRow> {
        let deleted = locked(&self.writer)
            .prepare_cached(&format!(
                "DELETE FROM keys WHERE id = ?1 AND user_id = ?2 RETURNING {COLUMNS}"
            ))?
            .query_row([id, user_id], read_row)
            .optional()?;
        locked(&self.used_keys).forget(id);
        deleted.ok_or(NOT_THERE)
    }

    /// Remembers where and when a key was used.
    pub fn used_key(&self, key: &KeyRow, address: IpAddr) {
        locked(&self.used_keys).used(key, address);
    }

    /// Writes down where and when keys were used: each once a day at most, and with `at_once` all that has changed
    /// since.
    pub(super) fn write_used_keys(&self, at_once: bool) -> Result<()> {
        let due = locked(&self.used_keys).due(at_once);
        if due.is_empty() {
            return Ok(());
        }
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let mut gone = Vec::new();
        for (id, day, ip) in due {
            let known = transaction
                .prepare_cached("UPDATE keys SET last_day = ?2, ip = ?3 WHERE id = ?1")?
                .execute(params![id, day, ip])?;
            if known == 0 {
                // Deleted by another process, or with its user.
                gone.push(id);
            }
        }
        transaction.commit()?;
        let mut used = locked(&self.used_keys);
        for id in gone {
            used.forget(id);
        }
        Ok(())
    }
}

/// The key with this hash.
pub(super) fn by_hash(connection: &Connection, hash: &str) -> Result<Option<KeyRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE hash = ?1"))?
        .query_row([hash], read_row)
        .optional()?)
}

/// One row, in the order of `COLUMNS`.
fn read_row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        label: row.get(2)?,
        hash: row.get(3)?,
        hint: row.get(4)?,
        path: row.get(5)?,
        may_write: row.get(6)?,
        doors: row.get(7)?,
        expires: row.get(8)?,
        created_ms: row.get(9)?,
        last_day: row.get(10)?,
        ip: row.get(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewUser;

    /// A store with ana, who is user 1.
    fn store() -> (tempfile::TempDir, UserStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = UserStore::open(&folder.path().join("users.db")).unwrap();
        add(&store, "ana");
        (folder, store)
    }

    fn add(store: &UserStore, username: &str) -> i64 {
        let user = NewUser {
            username,
            password_hash: "x",
            name: "A",
            role: "user",
            paths: "[\"\"]",
            paths_write: "[]",
            key_hash: username,
            key_hint: "",
        };
        store.insert(&user).unwrap()
    }

    fn phone(id: i64, hash: &str) -> NewKeyRow<'_> {
        NewKeyRow {
            id,
            user_id: 1,
            label: "Phone",
            hash,
            hint: "lk_1234",
            path: "photos",
            may_write: true,
            doors: "api,ftp",
            expires: Some(7),
            created_ms: id,
        }
    }

    #[test]
    fn a_key_is_found_by_its_hash_until_it_or_its_user_is_deleted() {
        let (folder, store) = store();
        let found = |hash: &str| store.by_narrowed_key(hash).unwrap();
        assert!(found("one").is_none());
        store.insert_key(&phone(8, "one")).unwrap();
        store.insert_key(&phone(9, "two")).unwrap();
        let (user, key) = found("one").unwrap();
        assert_eq!((user.username.as_str(), key.id, key.path.as_str()), ("ana", 8, "photos"));
        assert!(Arc::ptr_eq(&key, &found("one").unwrap().1), "it is remembered");
        assert_eq!(store.keys_of(1).unwrap().iter().map(|key| key.id).collect::<Vec<_>>(), [8, 9]);
        assert!(matches!(store.delete_key(2, 8), Err(Error::NotFound("Key not found"))));
        assert_eq!(store.delete_key(1, 8).unwrap().label, "Phone");
        assert!(store.delete_key(1, 8).is_err());
        assert!(found("one").is_none());
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        other.delete("ana", "admin", |_| Ok(false)).unwrap();
        assert!(found("two").is_none() && store.keys_of(1).unwrap().is_empty());
        assert!(matches!(store.insert_key(&phone(10, "x")), Err(Error::NotFound(_))));
    }

    #[test]
    fn a_user_has_so_many_keys_and_leaves_others_theirs() {
        let (_folder, store) = store();
        let bea = add(&store, "bea");
        for id in 1..=limits::KEYS_PER_USER_MAX {
            store.insert_key(&phone(id, &id.to_string())).unwrap();
        }
        let more = store.insert_key(&phone(99, "99"));
        assert!(matches!(more, Err(Error::Conflict("Too many keys"))));
        store.insert_key(&NewKeyRow { user_id: bea, ..phone(99, "99") }).unwrap();
        store.delete_key(1, 1).unwrap();
        store.insert_key(&phone(100, "100")).unwrap();
    }

    #[test]
    fn a_text_that_is_a_narrowed_key_becomes_nobodys_key_for_everything() {
        let (_folder, store) = store();
        store.insert_key(&phone(8, "one")).unwrap();
        let change = crate::store::UserChange { key_hash: Some("one"), ..Default::default() };
        let changed = store.change(1, &change, "admin");
        assert!(matches!(changed, Err(Error::Collision("API key already in use"))));
    }

    #[test]
    fn where_a_key_was_used_is_shown_at_once_and_written_once_a_day() {
        let (folder, store) = store();
        store.insert_key(&phone(8, "one")).unwrap();
        let other = UserStore::open(&folder.path().join("users.db")).unwrap();
        let shown = |store: &UserStore| {
            let key = store.keys_of(1).unwrap().remove(0);
            (!key.last_day.is_empty(), key.ip)
        };
        assert_eq!(shown(&store), (false, String::new()));
        for last in [1, 2, 3] {
            let (_, key) = store.by_narrowed_key("one").unwrap().unwrap();
            store.used_key(&key, [10, 0, 0, last].into());
            store.write_sightings(false).unwrap();
        }
        assert_eq!(shown(&store), (true, "10.0.0.3".to_owned()));
        assert_eq!(shown(&other), (true, "10.0.0.1".to_owned()));
        store.write_sightings(true).unwrap();
        assert_eq!(shown(&other), (true, "10.0.0.3".to_owned()));
    }
}
