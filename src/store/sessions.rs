//! Sessions: who has signed in where, until it ends. A token names its session and the generation that it is of, so
//! that a renewed one takes the place of the one before, and nothing but this table decides what is still good.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::moment::{self, Moment};
use super::seen::tidy;
use super::session_uses::{Use, Uses};
use super::user::User;
use super::users::{UserStore, begin};
use crate::error::{Error, Result, SignInProblem};
use crate::threads::locked;
use crate::{clock, limits};

/// The columns of `sessions` in the order in which `SessionRow` reads them.
const COLUMNS: &str =
    "id, user_id, created, last_used, ip, agent, is_remembered, generation, boot, renewed";

/// One row of `sessions`.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What its tokens name it by; no secret, as they are signed.
    pub id: String,
    /// Whose it is.
    pub user_id: i64,
    /// When it began (seconds since 1970; 0: nobody knew the time).
    pub created: i64,
    /// When it was used last, likewise.
    pub last_used: i64,
    /// From where.
    pub ip: String,
    /// By what program, in its own words.
    pub agent: String,
    /// Whether it lasts long without being used.
    pub is_remembered: bool,
    /// Which of its tokens is the present one: the first is 1.
    pub generation: i64,
    /// When that was issued.
    renewed: Moment,
}

/// What is found by what a token says.
pub struct Found {
    /// Whose it is.
    pub user: Arc<User>,
    /// Its session, unless that has ended or there was never one.
    pub session: Option<Arc<SessionRow>>,
    /// Whether the token was logged out by itself: one that has no session.
    pub is_revoked: bool,
}

/// From where somebody comes, and by what program, in its own words.
#[derive(Clone, Copy)]
pub struct Whence<'a> {
    /// The address.
    pub address: IpAddr,
    /// The program.
    pub agent: &'a str,
}

/// A token that was issued without a session, which it shall have from now on.
pub struct Sessionless<'a> {
    /// The user as the token says.
    pub user: &'a User,
    /// The token's own id, which becomes the session's.
    pub token_id: &'a str,
    /// When the token ends, in seconds since 1970.
    pub expires: i64,
}

impl SessionRow {
    /// How long it lasts after its last use, in seconds.
    pub fn life(&self) -> i64 {
        let life = if self.is_remembered { limits::REMEMBERED_LIFE } else { limits::SESSION_LIFE };
        i64::try_from(life.as_secs()).unwrap_or(i64::MAX)
    }

    /// Seconds since its present token was issued, whatever the clock says; `None` when the machine was started anew
    /// meanwhile.
    pub fn token_age(&self) -> Option<i64> {
        self.renewed.elapsed()
    }

    /// Whether the token before the present one is still good: its holder may not have heard of that yet. A machine
    /// takes longer to start.
    pub fn has_old_token(&self) -> bool {
        let bound = limits::OLD_TOKEN_LIFE.as_secs();
        self.token_age().is_some_and(|age| age.unsigned_abs() < bound)
    }

    /// Whether it has lasted. What happened in this run of larder is counted without the clock.
    fn is_over(&self, used: Option<&Use>) -> bool {
        match used {
            Some(used) => moment::seconds() - used.at >= self.life(),
            // A clock that is behind says nothing.
            None => self.last_used != 0 && clock::now() - self.last_used >= self.life(),
        }
    }

    /// The same as it is told: with what the table does not know yet.
    fn with(mut self, used: Option<&Use>) -> Self {
        if let Some(used) = used {
            self.ip = used.address.to_string();
            self.agent.clone_from(&used.agent);
            self.last_used = wall(used.at).unwrap_or(self.last_used);
        }
        self
    }
}

/// A moment since the machine's start by the clock, if anybody knows the time.
fn wall(at: i64) -> Option<i64> {
    Some(clock::known()? - (moment::seconds() - at))
}

impl UserStore {
    /// Who a token is of, and how its session stands: one look for what each request with a token asks.
    pub fn by_session(&self, user_id: i64, id: &str) -> Result<Option<Found>> {
        let mut reader = self.reader()?;
        let Some(user) = reader.by_id(user_id)? else { return Ok(None) };
        let session = reader.session(id)?.filter(|session| session.user_id == user_id);
        let is_revoked = session.is_none() && reader.is_revoked(id)?;
        Ok(Some(Found { user, session, is_revoked }))
    }

    /// Whether a session has been unused for longer than it lasts.
    pub fn is_session_over(&self, session: &SessionRow) -> bool {
        session.is_over(locked(&self.uses).of(&session.id))
    }

    /// Begins a session of a user, who is as they are told here; on the disk when this returns. Of more than
    /// `SESSIONS_PER_USER_MAX` the longest unused ends.
    ///
    /// Errors: `SignIn` when they are gone, or got another password, meanwhile.
    pub fn begin_session(
        &self,
        user: &User,
        id: &str,
        is_remembered: bool,
        whence: Whence<'_>,
    ) -> Result<Arc<SessionRow>> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let session = new_row(&transaction, user, id, is_remembered, whence)?;
        let ended = make_room(&transaction, user.id, id, &self.uses)?;
        transaction.commit()?;
        drop(writer);
        self.used_now(id, whence);
        self.forget_uses(&ended);
        Ok(Arc::new(session))
    }

    /// The session with a new token in the place of the one of this generation; the same again for whoever comes with
    /// the one before. `None`: it has ended, or was renewed since.
    pub fn renew_session(
        &self,
        user: &User,
        id: &str,
        generation: Option<i64>,
        whence: Whence<'_>,
    ) -> Result<Option<Arc<SessionRow>>> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let found = row_of(&transaction, id)?.filter(|row| row.user_id == user.id);
        let Some(row) = found else { return Ok(None) };
        if !is_as_told(&transaction, user)? {
            return Ok(None);
        }
        let is_present = generation.is_none_or(|generation| generation == row.generation);
        let is_old = generation.is_some_and(|generation| generation + 1 == row.generation);
        if is_old && row.has_old_token() {
            return Ok(Some(Arc::new(row)));
        }
        if !is_present {
            return Ok(None);
        }
        let renewed = with_next_token(&transaction, row, whence)?;
        transaction.commit()?;
        drop(writer);
        self.used_now(id, whence);
        Ok(Some(Arc::new(renewed)))
    }

    /// Begins a session for a token that was issued without one, and from now on is the one before its first.
    ///
    /// Errors: `SignIn` when the user is gone, or got another password, meanwhile.
    pub fn adopt_session(
        &self,
        token: &Sessionless<'_>,
        whence: Whence<'_>,
    ) -> Result<Arc<SessionRow>> {
        let (user, id) = (token.user, token.token_id);
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        if let Some(row) = row_of(&transaction, id)? {
            // Another request with it was faster.
            return Ok(Arc::new(row));
        }
        // It shall not come to life again when the session has ended.
        revoke(&transaction, user.id, id, token.expires)?;
        let session = new_row(&transaction, user, id, false, whence)?;
        let ended = make_room(&transaction, user.id, id, &self.uses)?;
        transaction.commit()?;
        drop(writer);
        self.used_now(id, whence);
        self.forget_uses(&ended);
        Ok(Arc::new(session))
    }

    /// The sessions of a user that last, the one that was used last first.
    pub fn sessions_of(&self, user_id: i64) -> Result<Vec<SessionRow>> {
        let rows = {
            let reader = self.reader()?;
            rows_of(reader.connection(), user_id)?
        };
        let uses = locked(&self.uses);
        let lasting = rows.into_iter().filter(|row| !row.is_over(uses.of(&row.id)));
        let mut found: Vec<(Rank, SessionRow)> =
            lasting.map(|row| (rank(&row, &uses), row.clone().with(uses.of(&row.id)))).collect();
        drop(uses);
        // Those of the same second as they were made, the newest first.
        found.reverse();
        found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }

    /// Ends a session of a user; on the disk when this returns. Whether there was one.
    pub fn end_session(&self, user_id: i64, id: &str) -> Result<bool> {
        let ended = locked(&self.writer)
            .execute("DELETE FROM sessions WHERE id = ?1 AND user_id = ?2", params![id, user_id])?;
        locked(&self.uses).forget(id);
        Ok(ended > 0)
    }

    /// Makes all tokens of the user that were issued until now invalid, and ends all sessions.
    pub fn log_out_everywhere(&self, id: i64) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        end_everything(&transaction, id)?;
        Ok(transaction.commit()?)
    }

    /// Makes one token invalid that has no session. `expires` is in seconds since 1970.
    pub fn revoke_token(&self, user_id: i64, token_id: &str, expires: i64) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let revoked: i64 = transaction.query_row(
            "SELECT count(*) FROM revoked_tokens WHERE user_id = ?1",
            [user_id],
            |row| row.get(0),
        )?;
        if revoked >= limits::REVOKED_TOKENS_PER_USER_MAX {
            end_everything(&transaction, user_id)?;
        } else {
            revoke(&transaction, user_id, token_id, expires)?;
        }
        Ok(transaction.commit()?)
    }

    /// Remembers from where and by what program a session was used.
    pub fn saw_session(&self, id: &str, whence: Whence<'_>) {
        let whence = (whence.address, whence.agent);
        locked(&self.uses).saw(id, whence, moment::seconds(), false);
    }

    /// Writes down when sessions were used last, as far as it is time to, and removes those that are over.
    pub fn tend_sessions(&self, at_once: bool) -> Result<()> {
        let (due, is_time_to_look) = {
            let mut uses = locked(&self.uses);
            (uses.due(at_once), uses.is_time_to_look())
        };
        let over = if is_time_to_look { self.sessions_over()? } else { Vec::new() };
        let now = clock::known().filter(|_| is_time_to_look);
        let is_unknown = now.is_some() && self.has_undated_sessions()?;
        if due.is_empty() && over.is_empty() && !is_unknown {
            return Ok(());
        }
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        for (id, used) in due {
            transaction.execute(
                "UPDATE sessions SET ip = ?2, agent = ?3, last_used = coalesce(?4, last_used)
                 WHERE id = ?1",
                params![id, used.address.to_string(), used.agent, wall(used.at)],
            )?;
        }
        // From the moment that somebody knows the time their days are counted.
        transaction.execute(
            "UPDATE sessions SET last_used = ?1 WHERE last_used = 0 AND ?1 IS NOT NULL",
            [now],
        )?;
        for id in &over {
            transaction.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
        }
        transaction.commit()?;
        drop(writer);
        self.forget_uses(&over);
        Ok(())
    }

    /// The ids of sessions that are over.
    fn sessions_over(&self) -> Result<Vec<String>> {
        // Those that may be: the shorter life. What was used since larder started is asked of memory.
        let life = i64::try_from(limits::SESSION_LIFE.as_secs()).unwrap_or(i64::MAX);
        let rows: Vec<SessionRow> = self
            .reader()?
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE last_used <= ?1"))?
            .query_map([clock::now() - life], read_row)?
            .collect::<rusqlite::Result<_>>()?;
        let uses = locked(&self.uses);
        let over = rows.into_iter().filter(|row| row.is_over(uses.of(&row.id)));
        Ok(over.map(|row| row.id).collect())
    }

    /// Whether there are sessions of which nobody knew when they were used.
    fn has_undated_sessions(&self) -> Result<bool> {
        let reader = self.reader()?;
        let mut any =
            reader.connection().prepare_cached("SELECT 1 FROM sessions WHERE last_used = 0")?;
        Ok(any.exists([])?)
    }

    /// The table has just heard of it.
    fn used_now(&self, id: &str, whence: Whence<'_>) {
        let whence = (whence.address, whence.agent);
        locked(&self.uses).saw(id, whence, moment::seconds(), true);
    }

    /// Forgets those that have ended.
    fn forget_uses(&self, ended: &[String]) {
        let mut uses = locked(&self.uses);
        for id in ended {
            uses.forget(id);
        }
    }
}

/// How lately a session was used: in this run of larder, else by the clock.
type Rank = (i64, i64);

/// See `Rank`.
fn rank(row: &SessionRow, uses: &Uses) -> Rank {
    (uses.of(&row.id).map_or(i64::MIN, |used| used.at), row.last_used)
}

/// Adds a row, for a user who is as they are told here.
///
/// Errors: `SignIn`.
fn new_row(
    transaction: &Transaction<'_>,
    user: &User,
    id: &str,
    is_remembered: bool,
    whence: Whence<'_>,
) -> Result<SessionRow> {
    if !is_as_told(transaction, user)? {
        return Err(Error::SignIn(SignInProblem::Unauthorized));
    }
    let now = clock::known().unwrap_or(0);
    let row = SessionRow {
        id: id.to_owned(),
        user_id: user.id,
        created: now,
        last_used: now,
        ip: whence.address.to_string(),
        agent: tidy(whence.agent),
        is_remembered,
        generation: 1,
        renewed: Moment::now(),
    };
    transaction.execute(
        &format!("INSERT INTO sessions({COLUMNS}) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        params![
            row.id,
            row.user_id,
            row.created,
            row.ip,
            row.agent,
            row.is_remembered,
            row.generation,
            row.renewed.boot,
            row.renewed.seconds
        ],
    )?;
    Ok(row)
}

/// Whether a user is there and has the password that they are known by.
fn is_as_told(transaction: &Transaction<'_>, user: &User) -> Result<bool> {
    let mut same =
        transaction.prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND epoch = ?2")?;
    Ok(same.exists([user.id, user.epoch])?)
}

/// Counts a new token of a session.
fn with_next_token(
    transaction: &Transaction<'_>,
    mut row: SessionRow,
    whence: Whence<'_>,
) -> Result<SessionRow> {
    row.generation += 1;
    row.renewed = Moment::now();
    row.last_used = clock::known().unwrap_or(row.last_used);
    transaction.execute(
        "UPDATE sessions SET generation = ?2, boot = ?3, renewed = ?4, last_used = ?5, ip = ?6,
             agent = ?7
         WHERE id = ?1",
        params![
            row.id,
            row.generation,
            row.renewed.boot,
            row.renewed.seconds,
            row.last_used,
            whence.address.to_string(),
            tidy(whence.agent)
        ],
    )?;
    Ok(row)
}

/// Ends the longest unused of more sessions than a user may have, but never `but`; gives their ids.
fn make_room(
    transaction: &Transaction<'_>,
    user_id: i64,
    but: &str,
    uses: &Mutex<Uses>,
) -> Result<Vec<String>> {
    let rows = rows_of(transaction, user_id)?;
    let surplus = rows.len().saturating_sub(limits::SESSIONS_PER_USER_MAX);
    if surplus == 0 {
        return Ok(Vec::new());
    }
    let mut ranked: Vec<(Rank, String)> = {
        let uses = locked(uses);
        rows.into_iter().map(|row| (rank(&row, &uses), row.id)).collect()
    };
    ranked.retain(|(_, id)| id != but);
    // Those of the same second stay in the order in which they were made.
    ranked.sort_by_key(|(rank, _)| *rank);
    let ended: Vec<String> = ranked.into_iter().take(surplus).map(|(_, id)| id).collect();
    for id in &ended {
        transaction.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
    }
    Ok(ended)
}

/// Ends the sessions of a user who gets another password, but for the one that it is chosen in.
pub(super) fn end_all_but(
    transaction: &Transaction<'_>,
    user_id: i64,
    kept: Option<&str>,
) -> Result<()> {
    transaction.execute(
        "DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2",
        params![user_id, kept],
    )?;
    Ok(())
}

/// Ends every session and every token of a user.
fn end_everything(transaction: &Transaction<'_>, user_id: i64) -> Result<()> {
    transaction.execute("UPDATE users SET epoch = epoch + 1 WHERE id = ?1", [user_id])?;
    transaction.execute("DELETE FROM revoked_tokens WHERE user_id = ?1", [user_id])?;
    end_all_but(transaction, user_id, None)
}

/// Remembers that a token is good no longer until it would have ended. Those whose time is over go on this occasion,
/// if anybody knows the time.
fn revoke(transaction: &Transaction<'_>, user_id: i64, token_id: &str, expires: i64) -> Result<()> {
    transaction.execute("DELETE FROM revoked_tokens WHERE expires < ?1", [clock::now()])?;
    // A user who was deleted meanwhile has no valid token left, and needs no row.
    transaction.execute(
        "INSERT OR IGNORE INTO revoked_tokens(token_id, user_id, expires)
         SELECT ?1, id, ?3 FROM users WHERE id = ?2",
        params![token_id, user_id, expires],
    )?;
    Ok(())
}

/// One session.
pub(super) fn row_of(connection: &Connection, id: &str) -> Result<Option<SessionRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))?
        .query_row([id], read_row)
        .optional()?)
}

/// Those of a user, in the order in which they were made.
fn rows_of(connection: &Connection, user_id: i64) -> Result<Vec<SessionRow>> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 ORDER BY rowid"
        ))?
        .query_map([user_id], read_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// One row, in the order of `COLUMNS`.
fn read_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        created: row.get(2)?,
        last_used: row.get(3)?,
        ip: row.get(4)?,
        agent: row.get(5)?,
        is_remembered: row.get(6)?,
        generation: row.get(7)?,
        renewed: Moment { boot: row.get(8)?, seconds: row.get(9)? },
    })
}

#[cfg(test)]
mod tests;
