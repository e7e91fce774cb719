//! The links. Knows hashes of tokens only, never a token. Every count that is compared is raised in the statement that
//! compares it. How guests use them is in `link_uses`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::link_uses::Uses;
use super::schema::MIGRATIONS;
use crate::error::{Error, Result};
use crate::limits;
use crate::threads::locked;

/// What the contract calls a link that is not there.
pub(super) const NOT_THERE: Error = Error::NotFound("Link not found");

/// The columns of `links` in the order in which `LinkRow` reads them.
const COLUMNS: &str = "id, user_id, token_hash, nonce, path, is_folder, label, may_read, may_write, password, \
    epoch, expires, downloads_max, downloads, upload_bytes_max, uploaded_bytes, upload_files_max, uploaded_files, \
    guest_folders, created_ms, last_used, key_id";

/// One row of `links`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub struct LinkRow {
    /// The row's number: random, so that it is never given to another link.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// SHA-256 of the token, in hex.
    pub token_hash: String,
    /// What the token was made of, in hex.
    pub nonce: String,
    /// What it opens, relative to the share root.
    pub path: String,
    /// Whether that was a folder when the link was made.
    pub is_folder: bool,
    /// The owner's own words for it.
    pub label: String,
    /// Whether guests may look and download, as far as its maker may.
    pub read: bool,
    /// Whether guests may bring files, likewise; never into a file.
    pub write: bool,
    /// Argon2id, in PHC form.
    pub password_hash: Option<String>,
    /// Counts what ends all guests' sessions: another password, another token.
    pub epoch: i64,
    /// When it closes (seconds since 1970).
    pub expires: Option<i64>,
    /// How many downloads may begin.
    pub downloads_max: Option<i64>,
    /// How many have begun.
    pub downloads: i64,
    /// How many bytes may be brought.
    pub upload_bytes_max: Option<i64>,
    /// How many were, or are being.
    pub uploaded_bytes: i64,
    /// How many files may be brought.
    pub upload_files_max: Option<i64>,
    /// How many were, or are being.
    pub uploaded_files: i64,
    /// Whether each guest's files go into a folder of their own.
    pub guest_folders: bool,
    /// When it was made (milliseconds since 1970, so that what was made in turn is told in turn).
    pub created_ms: i64,
    /// When somebody used it last (seconds since 1970).
    pub last_used: Option<i64>,
    /// The narrowed key that made it, which may be gone; `None` for a link that its maker made with all that is theirs.
    pub key_id: Option<i64>,
}

/// Whose links are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOwner {
    /// Their maker.
    pub user_id: i64,
    /// The narrowed key with which that came, if it did: then only those that this key made.
    pub key_id: Option<i64>,
}

impl LinkOwner {
    /// Whether a link is among them.
    pub fn has(self, link: &LinkRow) -> bool {
        self.user_id == link.user_id && (self.key_id.is_none() || self.key_id == link.key_id)
    }
}

/// A place in the order in which links were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// When (milliseconds since 1970).
    at: i64,
    /// The link's number.
    id: i64,
}

impl Made {
    /// Before all.
    pub const MIN: Self = Self { at: i64::MIN, id: 0 };
}

impl LinkRow {
    /// Where it stands in the order.
    pub fn made(&self) -> Made {
        Made { at: self.created_ms, id: self.id }
    }
}

/// What a new link is made of.
#[derive(Clone, Debug)]
pub struct NewLink<'a> {
    /// See `LinkRow`.
    pub id: i64,
    /// Who makes it.
    pub owner: LinkOwner,
    /// See `LinkRow`.
    pub token_hash: &'a str,
    /// See `LinkRow`.
    pub nonce: &'a str,
    /// See `LinkRow`.
    pub path: &'a str,
    /// See `LinkRow`.
    pub is_folder: bool,
    /// See `LinkRow`.
    pub created_ms: i64,
    /// The rest.
    pub change: LinkChange<'a>,
}

/// What becomes of something that need not be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is this from now on, or nothing.
    Set(Option<T>),
}

impl<T> Edit<T> {
    /// Whether it does not stay as it is.
    pub fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// What it is from now on.
    fn value(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => value,
        }
    }
}

/// What becomes different about a link; `None` stays as it is, or as it is at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkChange<'a> {
    /// See `LinkRow`.
    pub label: Option<&'a str>,
    /// See `LinkRow`.
    pub read: Option<bool>,
    /// See `LinkRow`.
    pub write: Option<bool>,
    /// See `LinkRow`; another ends all guests' sessions.
    pub password_hash: Edit<&'a str>,
    /// See `LinkRow`.
    pub expires: Edit<i64>,
    /// See `LinkRow`.
    pub downloads_max: Edit<i64>,
    /// See `LinkRow`.
    pub upload_bytes_max: Edit<i64>,
    /// See `LinkRow`.
    pub upload_files_max: Edit<i64>,
    /// See `LinkRow`.
    pub guest_folders: Option<bool>,
    /// A new nonce and the hash of the token that it makes, which ends all guests' sessions.
    pub token: Option<(&'a str, &'a str)>,
}

/// The tables, behind connections of their own: one to read, one to write, as those of the users. Whoever holds
/// several of the locks took them in the order writer, uses, reader.
pub struct LinkStore {
    /// For reading; statements take microseconds.
    reader: Mutex<Reader>,
    /// For changes, one at a time.
    pub(super) writer: Mutex<Connection>,
    /// What guests did by links and is not in the tables.
    pub(super) uses: Mutex<Uses>,
}

/// The reading connection and what is remembered of it.
pub(super) struct Reader {
    /// To `users.db`.
    pub(super) connection: Connection,
    /// `PRAGMA data_version` when the memory below was filled.
    seen_version: i64,
    /// Links by the hash of their token.
    links: HashMap<String, Arc<LinkRow>>,
}

impl LinkStore {
    /// Opens `users.db`, making it if need be.
    pub fn open(path: &Path) -> Result<Self> {
        let reader = Reader {
            connection: super::open(path, MIGRATIONS, true)?,
            seen_version: -1,
            links: HashMap::new(),
        };
        let writer = super::open(path, MIGRATIONS, true)?;
        let uses = Mutex::default();
        Ok(Self { reader: Mutex::new(reader), writer: Mutex::new(writer), uses })
    }

    /// The link whose token has this SHA-256 hash (hex), from memory or by the index; its use as the table has it.
    pub fn by_token_hash(&self, hash: &str) -> Result<Option<Arc<LinkRow>>> {
        let mut reader = self.reader()?;
        if let Some(link) = reader.links.get(hash) {
            return Ok(Some(Arc::clone(link)));
        }
        let Some(link) = reader.one("token_hash = ?1", hash)?.map(Arc::new) else {
            return Ok(None);
        };
        if reader.links.len() < limits::CACHED_LINKS_MAX {
            reader.links.insert(hash.to_owned(), Arc::clone(&link));
        }
        Ok(Some(link))
    }

    /// The link with this number.
    pub fn by_id(&self, id: i64) -> Result<Option<LinkRow>> {
        let row = self.reader()?.one("id = ?1", id)?;
        Ok(row.map(|row| self.with_uses(row)))
    }

    /// Somebody's links, or with `None` everybody's, after this one in the order in which they were made, at most so
    /// many.
    pub fn after(
        &self,
        whose: Option<LinkOwner>,
        last: Made,
        count: usize,
    ) -> Result<Vec<LinkRow>> {
        let user_id = whose.map(|owner| owner.user_id);
        let key_id = whose.and_then(|owner| owner.key_id);
        let reader = self.reader()?;
        let mut statement = reader.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM links
             WHERE (created_ms, id) > (?1, ?2) AND (?3 IS NULL OR user_id = ?3)
                AND (?5 IS NULL OR key_id = ?5)
             ORDER BY created_ms, id LIMIT ?4"
        ))?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows =
            statement.query_map(params![last.at, last.id, user_id, count, key_id], read_row)?;
        let rows = rows.collect::<rusqlite::Result<Vec<LinkRow>>>()?;
        drop(statement);
        drop(reader);
        Ok(rows.into_iter().map(|row| self.with_uses(row)).collect())
    }

    /// Adds a link; on the disk when this returns.
    ///
    /// Errors: `Conflict` when its maker has too many.
    pub fn insert(&self, link: &NewLink<'_>) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let count: i64 = transaction.query_row(
            "SELECT count(*) FROM links WHERE user_id = ?1",
            [link.owner.user_id],
            |row| row.get(0),
        )?;
        if count >= limits::LINKS_PER_USER_MAX {
            return Err(Error::Conflict("Too many links"));
        }
        transaction.execute(
            "INSERT INTO links(id, user_id, token_hash, nonce, path, is_folder, may_read, may_write, created_ms,
                key_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8)",
            params![
                link.id,
                link.owner.user_id,
                link.token_hash,
                link.nonce,
                link.path,
                link.is_folder,
                link.created_ms,
                link.owner.key_id
            ],
        )?;
        change(&transaction, link.id, &link.change)?;
        Ok(transaction.commit()?)
    }

    /// Changes a link; on the disk when this returns.
    ///
    /// Errors: `NotFound`; those of `judge`, which sees the link as it would be, and then nothing changes.
    pub fn change(
        &self,
        id: i64,
        wanted: &LinkChange<'_>,
        judge: impl FnOnce(LinkRow) -> Result<()>,
    ) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        // A limit on downloads counts those that began before there was one.
        let mut uses = locked(&self.uses);
        uses.write_counts(&transaction)?;
        change(&transaction, id, wanted)?;
        judge(one(&transaction, "id = ?1", id)?.ok_or(NOT_THERE)?)?;
        transaction.commit()?;
        uses.counts_are_written();
        Ok(())
    }

    /// Removes a link and all that hangs on it; on the disk when this returns.
    ///
    /// Errors: `NotFound`.
    pub fn delete(&self, id: i64) -> Result<()> {
        let removed = locked(&self.writer).execute("DELETE FROM links WHERE id = ?1", [id])?;
        if removed == 0 { Err(NOT_THERE) } else { Ok(()) }
    }

    /// Counts files of so many bytes that are about to be brought. Says whether they may be.
    ///
    /// Errors: `NotFound` when the link is no more.
    pub fn begin_upload(&self, id: i64, bytes: i64, files: i64) -> Result<bool> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        // The difference cannot overflow, as a sum could.
        let counted = transaction
            .prepare_cached(
                "UPDATE links SET uploaded_bytes = uploaded_bytes + ?2, uploaded_files = uploaded_files + ?3
                 WHERE id = ?1 AND uploaded_bytes <= coalesce(upload_bytes_max, ?4) - ?2
                    AND uploaded_files <= coalesce(upload_files_max, ?4) - ?3",
            )?
            .execute(params![id, bytes, files, limits::LINK_BYTES_MAX])?;
        let is_there = counted > 0 || one(&transaction, "id = ?1", id)?.is_some();
        transaction.commit()?;
        if is_there { Ok(counted > 0) } else { Err(NOT_THERE) }
    }

    /// Takes back what was counted and never arrived.
    pub fn take_back_upload(&self, id: i64, bytes: i64, files: i64) -> Result<()> {
        take_back(&locked(&self.writer), id, bytes, files)
    }

    /// Takes back once what was counted of an upload that is about to be removed, however often that is said: whoever
    /// was killed before it was removed says it again.
    pub fn return_upload(&self, id: i64, upload: &str, bytes: i64) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let is_news = transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO link_returns(upload, link_id) SELECT ?1, id FROM links WHERE id = ?2",
            )?
            .execute(params![upload, id])?;
        if is_news > 0 {
            take_back(&transaction, id, bytes, 1)?;
        }
        Ok(transaction.commit()?)
    }

    /// Such an upload has been removed: nobody says it again.
    pub fn upload_was_returned(&self, upload: &str) -> Result<()> {
        locked(&self.writer).execute("DELETE FROM link_returns WHERE upload = ?1", [upload])?;
        Ok(())
    }

    /// Whether a link leads to this place, or to what lies in it.
    pub fn leads_into(&self, path: &str) -> Result<bool> {
        let reader = self.reader()?;
        let mut statement = reader.connection.prepare_cached(
            "SELECT 1 FROM links WHERE path = ?1 OR (path >= ?1 || '/' AND path < ?1 || '0')",
        )?;
        Ok(statement.exists([path])?)
    }

    /// How many of them have neither ended nor been used up by now.
    pub fn count_open(&self, now: i64) -> Result<i64> {
        let reader = self.reader()?;
        let mut statement = reader.connection.prepare_cached(
            "SELECT count(*) FROM links WHERE user_id != ?1 AND coalesce(expires > ?2, TRUE)
                AND coalesce(downloads < downloads_max, TRUE)",
        )?;
        Ok(statement.query_row(params![NOBODY, now], |row| row.get(0))?)
    }

    /// Whether there is any link.
    pub fn has_any(&self) -> Result<bool> {
        let reader = self.reader()?;
        let mut statement = reader.connection.prepare_cached("SELECT 1 FROM links")?;
        Ok(statement.exists([])?)
    }

    /// Notes that places with links are about to be others, each from and to; on the disk when this returns.
    pub fn note_moves(&self, moves: &[(&str, &str)]) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        for (from, to) in moves {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO link_moves(path_from, path_to) VALUES (?1, ?2)",
                )?
                .execute([from, to])?;
        }
        Ok(transaction.commit()?)
    }

    /// The moves that were noted, and of which nobody has said whether they were made.
    pub fn noted_moves(&self) -> Result<Vec<(String, String)>> {
        let reader = self.reader()?;
        let mut statement =
            reader.connection.prepare_cached("SELECT path_from, path_to FROM link_moves")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets the links to places, and to what lies in them, follow to others, each from and to; all or none.
    pub fn follow(&self, moves: &[(&str, &str)]) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        for (from, to) in moves {
            transaction
                .prepare_cached(
                    "UPDATE links SET path = ?2 || substr(path, length(?1) + 1)
                     WHERE path = ?1 OR (path >= ?1 || '/' AND path < ?1 || '0')",
                )?
                .execute([from, to])?;
            forget_move(&transaction, from)?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets moves that were noted, by where they would have begun.
    pub fn forget_moves(&self, from: &[&str]) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        from.iter().try_for_each(|from| forget_move(&transaction, from))?;
        Ok(transaction.commit()?)
    }

    /// To read with; what is remembered there is what the database says now.
    pub(super) fn reader(&self) -> Result<MutexGuard<'_, Reader>> {
        let mut reader = locked(&self.reader);
        reader.refresh()?;
        Ok(reader)
    }
}

impl Reader {
    /// Forgets what is remembered if anybody has changed the database since.
    ///
    /// Source: SQLite, `PRAGMA data_version`: changes of other connections, whichever process's.
    fn refresh(&mut self) -> Result<()> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.seen_version {
            self.links.clear();
            self.seen_version = version;
        }
        Ok(())
    }

    /// The one link of which `what` is so.
    pub(super) fn one(&self, what: &str, value: impl rusqlite::ToSql) -> Result<Option<LinkRow>> {
        one(&self.connection, what, value)
    }
}

/// What stands in a link's row for a maker who was deleted. Numbers of users begin at 1 and are never given twice.
const NOBODY: i64 = 0;

/// Leaves the links of a user who is deleted to nobody: they open nothing any more, but who has one of their
/// addresses is told that it is over, not that there never was a link (contract, section 15). Of nobody's links
/// the newest are kept.
pub(super) fn leave_to_nobody(connection: &Connection, user_id: i64) -> Result<()> {
    connection.execute(
        "UPDATE links SET user_id = ?2, password = NULL WHERE user_id = ?1",
        params![user_id, NOBODY],
    )?;
    connection.execute(
        "DELETE FROM links WHERE user_id = ?1 AND id NOT IN
            (SELECT id FROM links WHERE user_id = ?1 ORDER BY created_ms DESC, id DESC LIMIT ?2)",
        params![NOBODY, limits::LINKS_OF_NOBODY_MAX],
    )?;
    Ok(())
}

/// A transaction that keeps everybody else from writing from its beginning.
pub(super) fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// The one link of which `what` is so.
pub(super) fn one(
    connection: &Connection,
    what: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<LinkRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM links WHERE {what}"))?
        .query_row([value], read_row)
        .optional()?)
}

/// Writes down what becomes different about a link.
///
/// Errors: `NotFound`.
fn change(connection: &Connection, id: i64, change: &LinkChange<'_>) -> Result<()> {
    let (nonce, token_hash) = change.token.unzip();
    let changed = connection
        .prepare_cached(
            "UPDATE links SET
                 label = coalesce(?2, label),
                 may_read = coalesce(?3, may_read),
                 may_write = coalesce(?4, may_write),
                 password = iif(?5, ?6, password),
                 expires = iif(?7, ?8, expires),
                 downloads_max = iif(?9, ?10, downloads_max),
                 upload_bytes_max = iif(?11, ?12, upload_bytes_max),
                 upload_files_max = iif(?13, ?14, upload_files_max),
                 guest_folders = coalesce(?15, guest_folders),
                 nonce = coalesce(?16, nonce),
                 token_hash = coalesce(?17, token_hash),
                 epoch = epoch + (?5 OR ?17 IS NOT NULL)
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            change.label,
            change.read,
            change.write,
            change.password_hash.is_set(),
            change.password_hash.value(),
            change.expires.is_set(),
            change.expires.value(),
            change.downloads_max.is_set(),
            change.downloads_max.value(),
            change.upload_bytes_max.is_set(),
            change.upload_bytes_max.value(),
            change.upload_files_max.is_set(),
            change.upload_files_max.value(),
            change.guest_folders,
            nonce,
            token_hash
        ])?;
    if changed == 0 { Err(NOT_THERE) } else { Ok(()) }
}

/// Takes back so many bytes and files that were counted.
fn take_back(connection: &Connection, id: i64, bytes: i64, files: i64) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE links SET uploaded_bytes = max(uploaded_bytes - ?2, 0),
                uploaded_files = max(uploaded_files - ?3, 0)
             WHERE id = ?1",
        )?
        .execute(params![id, bytes, files])?;
    Ok(())
}

/// Forgets a move that was noted.
fn forget_move(connection: &Connection, from: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM link_moves WHERE path_from = ?1")?.execute([from])?;
    Ok(())
}

/// One row, in the order of `COLUMNS`.
fn read_row(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    Ok(LinkRow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        token_hash: row.get(2)?,
        nonce: row.get(3)?,
        path: row.get(4)?,
        is_folder: row.get(5)?,
        label: row.get(6)?,
        read: row.get(7)?,
        write: row.get(5)? && row.get(8)?,
        password_hash: row.get(9)?,
        epoch: row.get(10)?,
        expires: row.get(11)?,
        downloads_max: row.get(12)?,
        downloads: row.get(13)?,
        upload_bytes_max: row.get(14)?,
        uploaded_bytes: row.get(15)?,
        upload_files_max: row.get(16)?,
        uploaded_files: row.get(17)?,
        guest_folders: row.get(18)?,
        created_ms: row.get(19)?,
        last_used: Some(row.get(20)?).filter(|last| *last > 0),
        key_id: row.get(21)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guesses come by the million, and renames by the ten thousand.
    #[test]
    fn what_anybody_can_ask_for_is_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = LinkStore::open(&folder.path().join("users.db")).unwrap();
        let reader = store.reader().unwrap();
        for what in ["token_hash = ?1", "path = ?1 OR (path >= ?1 || '/' AND path < ?1 || '0')"] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM links WHERE {what}");
            let mut statement = reader.connection.prepare(&sql).unwrap();
            let rows = statement.query_map(["x"], |row| row.get::<_, String>(3)).unwrap();
            let plan: Vec<String> = rows.collect::<rusqlite::Result<_>>().unwrap();
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{what}: {plan:?}");
        }
    }
}
