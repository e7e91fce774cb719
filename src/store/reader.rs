//! Users as each request asks for them: read once, remembered, and forgotten when anybody, another process included,
//! has changed the database.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::keys::{self, KeyRow};
use super::schema::MIGRATIONS;
use super::sessions::{self, SessionRow};
use super::user::{COLUMNS, User, read_user};
use crate::error::Result;
use crate::limits;

/// The reading connection and what is remembered of it.
pub(super) struct Reader {
    /// To `users.db`.
    connection: Connection,
    /// `PRAGMA data_version` when the memory below was filled.
    seen_version: i64,
    /// Users by id.
    users: HashMap<i64, Arc<User>>,
    /// Ids by the hash of their API key.
    ids_by_key: HashMap<String, i64>,
    /// Sessions by their ids.
    sessions: HashMap<String, Arc<SessionRow>>,
    /// Narrowed keys by their hash.
    keys: HashMap<String, Arc<KeyRow>>,
    /// Ids of tokens that have no session and were logged out.
    revoked: Option<HashSet<String>>,
}

impl Reader {
    /// Opens `users.db`; nothing is remembered yet.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            connection: super::open(path, MIGRATIONS, true)?,
            seen_version: -1,
            users: HashMap::new(),
            ids_by_key: HashMap::new(),
            sessions: HashMap::new(),
            keys: HashMap::new(),
            revoked: None,
        })
    }

    /// To ask the table itself.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Forgets what is remembered if anybody has changed the database since, and says then which edition of the
    /// roles there is now.
    ///
    /// Source: SQLite, `PRAGMA data_version`: changes of other connections, whichever process's.
    pub fn refresh(&mut self) -> Result<Option<i64>> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version == self.seen_version {
            return Ok(None);
        }
        self.users.clear();
        self.ids_by_key.clear();
        self.sessions.clear();
        self.keys.clear();
        self.revoked = None;
        let edition = self
            .connection
            .prepare_cached("SELECT roles_edition FROM marks")?
            .query_row([], |row| row.get(0))?;
        self.seen_version = version;
        Ok(Some(edition))
    }

    /// One user, from memory or from the table.
    pub fn by_id(&mut self, id: i64) -> Result<Option<Arc<User>>> {
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

    /// The user with this name, exactly as written.
    pub fn by_username(&mut self, username: &str) -> Result<Option<Arc<User>>> {
        let id = self.id_where("username = ?1", username)?;
        id.map_or(Ok(None), |id| self.by_id(id))
    }

    /// The user whose API key has this SHA-256 hash (hex).
    pub fn by_key_hash(&mut self, key_hash: &str) -> Result<Option<Arc<User>>> {
        if let Some(id) = self.ids_by_key.get(key_hash).copied() {
            return self.by_id(id);
        }
        let Some(id) = self.id_where("API_KEY = ?1", key_hash)? else { return Ok(None) };
        if self.ids_by_key.len() < limits::CACHED_USERS_MAX {
            self.ids_by_key.insert(key_hash.to_owned(), id);
        }
        self.by_id(id)
    }

    /// The user whose narrowed key has this SHA-256 hash (hex), and the key.
    pub fn by_narrowed_key(&mut self, hash: &str) -> Result<Option<(Arc<User>, Arc<KeyRow>)>> {
        let key = if let Some(key) = self.keys.get(hash) {
            Arc::clone(key)
        } else {
            let Some(key) = keys::by_hash(&self.connection, hash)? else { return Ok(None) };
            self.remember(key)
        };
        Ok(self.by_id(key.user_id)?.map(|user| (user, key)))
    }

    /// Whether a narrowed key with this hash is in memory.
    pub fn remembers_key(&self, hash: &str) -> bool {
        self.keys.contains_key(hash)
    }

    /// Keeps a key in memory, if there is room.
    fn remember(&mut self, key: KeyRow) -> Arc<KeyRow> {
        let key = Arc::new(key);
        if self.keys.len() < limits::CACHED_KEYS_MAX {
            self.keys.insert(key.hash.clone(), Arc::clone(&key));
        }
        key
    }

    /// The id of the user of whom `what` is so.
    fn id_where(&self, what: &str, value: &str) -> Result<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached(&format!("SELECT id FROM users WHERE {what}"))?
            .query_row([value], |row| row.get(0))
            .optional()?)
    }

    /// One session, from memory or from the table.
    pub fn session(&mut self, id: &str) -> Result<Option<Arc<SessionRow>>> {
        if let Some(session) = self.sessions.get(id) {
            return Ok(Some(Arc::clone(session)));
        }
        let found = sessions::row_of(&self.connection, id)?.map(Arc::new);
        if let Some(session) = &found
            && self.sessions.len() < limits::CACHED_USERS_MAX
        {
            self.sessions.insert(id.to_owned(), Arc::clone(session));
        }
        Ok(found)
    }

    /// Whether the token is among those logged out.
    pub fn is_revoked(&mut self, token_id: &str) -> Result<bool> {
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
