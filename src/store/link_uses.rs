//! How links are used: which downloads have begun, and who has looked. What no limit asks for is kept in memory, and
//! written down once in a while however many guests there are: SD cards wear out, and guests are strangers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use rusqlite::{Connection, Transaction, params};

use super::links::{LinkRow, LinkStore, NOT_THERE, begin, one};
use crate::error::Result;
use crate::limits;
use crate::threads::locked;

/// Bytes of a hash that tell somebody, or something, from all others.
type Told = [u8; 32];

/// What is not in the tables, or not yet.
#[derive(Default)]
pub(super) struct Uses {
    /// Downloads by links without a limit, the oldest first: when, by which link, what.
    begun: VecDeque<(i64, i64, Told)>,
    /// The same, to be found.
    found: HashSet<(i64, Told)>,
    /// Downloads that the table does not count yet, by link.
    downloads: HashMap<i64, i64>,
    /// When links were used last, where the table has another time.
    used: HashMap<i64, i64>,
    /// Who looked on which day and is not in the table yet.
    guests: HashMap<(i64, Told), i64>,
    /// When the tables were last brought up to date.
    written: Option<Instant>,
    /// On which day what is over was last removed from them.
    swept: Option<i64>,
}

impl LinkStore {
    /// Counts a download of something by somebody, both within `what`, unless it was counted lately. Says whether it
    /// may go on: `false` when the link is used up.
    ///
    /// Errors: `NotFound` when the link is no more.
    pub fn begin_download(&self, id: i64, what: &Told, now: i64) -> Result<bool> {
        if self.has_begun(id, what, now)? || self.begin_unlimited(id, what, now)? {
            return Ok(true);
        }
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        forget_downloads(&transaction, id, now)?;
        if has_begun(&transaction, id, what, now)? {
            return Ok(true);
        }
        let counted = transaction
            .prepare_cached(
                "UPDATE links SET downloads = downloads + 1
                 WHERE id = ?1 AND (downloads_max IS NULL OR downloads < downloads_max)",
            )?
            .execute([id])?;
        if counted == 0 {
            let is_there = one(&transaction, "id = ?1", id)?.is_some();
            return if is_there { Ok(false) } else { Err(NOT_THERE) };
        }
        transaction
            .prepare_cached("INSERT INTO link_downloads(link_id, what, began) VALUES (?1, ?2, ?3)")?
            .execute(params![id, what, now])?;
        transaction.commit()?;
        Ok(true)
    }

    /// The same by a link without a limit, which compares nothing and writes nothing; `false` where there is a limit.
    ///
    /// Errors: `NotFound` when the link is no more.
    fn begin_unlimited(&self, id: i64, what: &Told, now: i64) -> Result<bool> {
        // Held over the look, so that a limit that is set meanwhile finds what has begun.
        let mut uses = locked(&self.uses);
        let link = self.reader()?.one("id = ?1", id)?.ok_or(NOT_THERE)?;
        if link.downloads_max.is_some() {
            return Ok(false);
        }
        uses.begin_download(id, what, now);
        Ok(true)
    }

    /// Whether such a download was counted lately.
    pub fn has_begun(&self, id: i64, what: &Told, now: i64) -> Result<bool> {
        let is_in_memory = locked(&self.uses).has_begun(id, what, now);
        Ok(is_in_memory || has_begun(&self.reader()?.connection, id, what, now)?)
    }

    /// Remembers that a guest used a link; says whether it was the first time on this day. Beyond the bound of a day
    /// nobody is told of.
    pub fn seen(&self, id: i64, guest: &Told, now: i64) -> Result<bool> {
        let day = day_of(now);
        let mut uses = locked(&self.uses);
        let known = known(&self.reader()?.connection, id, guest, day)?;
        let Known::Link { is_guest, guests } = known else { return Ok(false) };
        uses.used.insert(id, now);
        if is_guest || uses.has_seen(id, guest, day) {
            return Ok(false);
        }
        let is_full = uses.guests.len() >= limits::LINK_GUESTS_IN_MEMORY_MAX;
        if is_full || guests + uses.guests_of(id, day) >= limits::LINK_GUESTS_PER_DAY_MAX {
            return Ok(false);
        }
        uses.guests.insert((id, *guest), day);
        Ok(true)
    }

    /// Writes down how links were used, when it is time to, or `at_once`; and removes what is over, once a day.
    pub fn write_uses(&self, now: i64, at_once: bool) -> Result<()> {
        if !locked(&self.uses).is_due(day_of(now), at_once) {
            return Ok(());
        }
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let mut uses = locked(&self.uses);
        uses.write_counts(&transaction)?;
        uses.write_guests(&transaction)?;
        sweep(&transaction, now)?;
        transaction.commit()?;
        uses.counts_are_written();
        uses.guests.clear();
        (uses.written, uses.swept) = (Some(Instant::now()), Some(day_of(now)));
        Ok(())
    }

    /// How many rows a table has.
    #[cfg(test)]
    pub fn rows(&self, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        self.reader().unwrap().connection.query_row(&count, [], |row| row.get(0)).unwrap()
    }

    /// A row with what the table does not have yet.
    pub(super) fn with_uses(&self, row: LinkRow) -> LinkRow {
        let uses = locked(&self.uses);
        let more = uses.downloads.get(&row.id).copied().unwrap_or(0);
        let last_used = uses.used.get(&row.id).copied().or(row.last_used);
        LinkRow { downloads: row.downloads.saturating_add(more), last_used, ..row }
    }
}

impl Uses {
    /// Counts one, unless it was counted. Of too many the oldest are forgotten, and would be counted again.
    fn begin_download(&mut self, id: i64, what: &Told, now: i64) {
        if self.has_begun(id, what, now) {
            return;
        }
        if self.begun.len() >= limits::LINK_DOWNLOADS_IN_MEMORY_MAX {
            self.forget_oldest();
        }
        self.begun.push_back((now, id, *what));
        self.found.insert((id, *what));
        *self.downloads.entry(id).or_default() += 1;
    }

    /// Whether one was counted lately.
    fn has_begun(&mut self, id: i64, what: &Told, now: i64) -> bool {
        // A moment ahead of the clock is from before the clock was set back.
        let is_over = |(began, ..): &(i64, i64, Told)| began.abs_diff(now) >= DOWNLOAD_LIFE_S;
        while self.begun.front().is_some_and(is_over) {
            self.forget_oldest();
        }
        self.found.contains(&(id, *what))
    }

    /// Forgets the one that began first.
    fn forget_oldest(&mut self) {
        if let Some((_, id, what)) = self.begun.pop_front() {
            self.found.remove(&(id, what));
        }
    }

    /// Whether a guest of that day waits to be written down.
    fn has_seen(&self, id: i64, guest: &Told, day: i64) -> bool {
        self.guests.get(&(id, *guest)) == Some(&day)
    }

    /// How many of a link do.
    fn guests_of(&self, id: i64, day: i64) -> i64 {
        let is_one = |((link, _), of): &(&(i64, Told), &i64)| *link == id && **of == day;
        i64::try_from(self.guests.iter().filter(is_one).count()).unwrap_or(i64::MAX)
    }

    /// Whether there is something to write, and it is time to.
    fn is_due(&self, day: i64, at_once: bool) -> bool {
        let is_recent =
            self.written.is_some_and(|then| then.elapsed() < limits::LINK_USED_INTERVAL);
        let is_news =
            !self.downloads.is_empty() || !self.used.is_empty() || !self.guests.is_empty();
        (is_news && (at_once || !is_recent)) || self.swept != Some(day)
    }

    /// Writes down how often and when links were used.
    pub(super) fn write_counts(&self, transaction: &Transaction<'_>) -> Result<()> {
        let mut count = transaction
            .prepare_cached("UPDATE links SET downloads = downloads + ?2 WHERE id = ?1")?;
        for (id, more) in &self.downloads {
            count.execute([id, more])?;
        }
        let mut date =
            transaction.prepare_cached("UPDATE links SET last_used = ?2 WHERE id = ?1")?;
        for (id, at) in &self.used {
            date.execute([id, at])?;
        }
        Ok(())
    }

    /// They are in the table for good.
    pub(super) fn counts_are_written(&mut self) {
        self.downloads.clear();
        self.used.clear();
    }

    /// Writes down who looked.
    fn write_guests(&self, transaction: &Transaction<'_>) -> Result<()> {
        let mut note = transaction.prepare_cached(
            "INSERT OR REPLACE INTO link_guests(link_id, guest, day)
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM links WHERE id = ?1)",
        )?;
        for ((id, guest), day) in &self.guests {
            note.execute(params![id, guest, day])?;
        }
        Ok(())
    }
}

/// What the tables say of a guest.
enum Known {
    /// There is no such link.
    Nothing,
    /// There is.
    Link {
        /// Whether the guest has looked on that day.
        is_guest: bool,
        /// How many have.
        guests: i64,
    },
}

/// What the tables say of a guest on a day.
fn known(connection: &Connection, id: i64, guest: &Told, day: i64) -> Result<Known> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM link_guests WHERE link_id = ?1 AND guest = ?2 AND day = ?3),
            (SELECT count(*) FROM link_guests WHERE link_id = ?1 AND day = ?3)
         FROM links WHERE id = ?1",
    )?;
    let mut rows = statement.query(params![id, guest, day])?;
    match rows.next()? {
        None => Ok(Known::Nothing),
        Some(row) => Ok(Known::Link { is_guest: row.get(0)?, guests: row.get(1)? }),
    }
}

/// Whether the table has such a download. A moment ahead of the clock is from before the clock was set back.
fn has_begun(connection: &Connection, id: i64, what: &Told, now: i64) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM link_downloads
             WHERE link_id = ?1 AND what = ?2 AND abs(?3 - began) < ?4",
        )?
        .exists(params![id, what, now, download_life()])?)
}

/// Makes room for one more of a link's.
fn forget_downloads(connection: &Connection, id: i64, now: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM link_downloads WHERE link_id = ?1 AND abs(?2 - began) >= ?3")?
        .execute(params![id, now, download_life()])?;
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM link_downloads WHERE link_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    if count >= limits::LINK_DOWNLOADS_REMEMBERED_MAX {
        connection
            .prepare_cached(
                "DELETE FROM link_downloads WHERE link_id = ?1 AND what IN
                    (SELECT what FROM link_downloads WHERE link_id = ?1 ORDER BY began LIMIT ?2)",
            )?
            .execute(params![id, count - limits::LINK_DOWNLOADS_REMEMBERED_MAX + 1])?;
    }
    Ok(())
}

/// Removes what is over, of all links.
fn sweep(connection: &Connection, now: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM link_downloads WHERE abs(?1 - began) >= ?2")?
        .execute(params![now, download_life()])?;
    connection.prepare_cached("DELETE FROM link_guests WHERE day <> ?1")?.execute([day_of(now)])?;
    Ok(())
}

/// Seconds that a counted download is remembered.
const DOWNLOAD_LIFE_S: u64 = limits::LINK_DOWNLOAD_LIFE.as_secs();

/// The same as the tables count.
fn download_life() -> i64 {
    i64::try_from(DOWNLOAD_LIFE_S).unwrap_or(i64::MAX)
}

/// The day of a moment, both since 1970.
fn day_of(now: i64) -> i64 {
    now.div_euclid(24 * 3600)
}
