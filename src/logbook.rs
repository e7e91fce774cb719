//! What happened, for the owner: rows in `db/logs.db`, batched by one thread, pruned by age and
//! number. Knows no requests. Secrets are never handed to it.

mod thinning;

use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use self::thinning::Thinning;
use crate::error::{Error, Result};
use crate::{limits, store, terminal, threads, zone};

/// The schema, step by step; a step that has shipped never changes.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE logs(
        id INTEGER PRIMARY KEY,
        timestamp TEXT NOT NULL,
        action TEXT NOT NULL,
        ip TEXT NOT NULL
    ) STRICT;
"];

/// Takes rows without making anybody wait.
pub struct Logbook {
    /// To the writing thread; `None` once closed.
    queue: Mutex<Option<SyncSender<Message>>>,
    /// To read with: a reader does not wait for the writer, nor the other way round.
    reader: Mutex<Connection>,
    /// Days that rows are kept.
    retention_days: Arc<AtomicU32>,
    /// Rows lost because the queue was full; the writer tells of them.
    dropped: Arc<AtomicU64>,
    /// How many rows strangers cause; the writer tells what was left out.
    refusals: Arc<Mutex<Thinning>>,
    /// The writing thread.
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writing thread is told.
enum Message {
    /// A row to be written.
    Row(Entry),
    /// Write at once what came before, then say so.
    Flush(SyncSender<()>),
    /// Drop what is too old.
    Prune,
}

/// One row as it stands in the table.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Row {
    /// Grows from row to row.
    pub id: i64,
    /// Local time, `YYYY-MM-DD HH:MM:SS`.
    pub timestamp: String,
    /// What happened, in words.
    pub action: String,
    /// Who from; empty when larder itself did it.
    pub ip: String,
}

/// One row on its way.
struct Entry {
    /// When it was noted. It becomes local time where it is written (see `Logbook::open`).
    time: Timestamp,
    /// What happened, in words.
    action: String,
    /// Who from; empty when larder itself did it.
    ip: String,
}

impl Entry {
    /// A row of this moment.
    fn new(action: &str, ip: &str) -> Self {
        Self { time: Timestamp::now(), action: tidy(action), ip: ip.to_owned() }
    }
}

impl Logbook {
    /// Opens `logs.db` and starts the writing thread. Rows older than this are dropped now and
    /// then.
    pub fn open(path: &Path, retention_days: u32) -> Result<Self> {
        // Finding out the time zone takes some 300 KiB of stack in a build that is not optimised, which
        // a connection's thread has not. Once found it is remembered; here is a thread with enough.
        let _remembered = zone::local();
        let connection = store::open(path, MIGRATIONS, false)?;
        let reader = Mutex::new(store::open(path, MIGRATIONS, false)?);
        let (queue, messages) = sync_channel(limits::LOG_QUEUE_ROWS);
        let dropped = Arc::new(AtomicU64::new(0));
        let retention_days = Arc::new(AtomicU32::new(retention_days));
        let refusals: Arc<Mutex<Thinning>> = Arc::default();
        let (lost, days) = (Arc::clone(&dropped), Arc::clone(&retention_days));
        let thinned = Arc::clone(&refusals);
        let writer = threads::spawn("larder-logbook", move || {
            write_rows(&connection, &messages, &lost, &thinned, &days);
        })
        .map_err(Error::Io)?;
        let (queue, writer) = (Mutex::new(Some(queue)), Mutex::new(Some(writer)));
        Ok(Self { queue, reader, retention_days, dropped, refusals, writer })
    }

    /// Notes one event; `ip` is empty when larder itself did it.
    pub fn note(&self, action: &str, ip: &str) {
        let entry = Entry::new(action, ip);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else { return };
        if let Err(TrySendError::Full(_)) = queue.try_send(Message::Row(entry)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes what was refused to somebody who need not have signed in. Anybody can cause such rows, as fast as
    /// they like: of very many at once some are left out, and how many is told.
    pub fn note_refusal(&self, action: &str, ip: &str) {
        if lock(&self.refusals).admit(Instant::now()) {
            self.note(action, ip);
        }
    }

    /// Keeps rows for so many days from now on.
    pub fn keep_days(&self, days: u32) {
        self.retention_days.store(days, Ordering::Relaxed);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // With a full queue the next hour's turn does it.
        let _later = queue.as_ref().map(|queue| queue.try_send(Message::Prune));
    }

    /// The newest rows, newest first, at most `rows_max`; with `before` only those of smaller ids.
    /// What was noted until now is among them.
    pub fn newest(&self, rows_max: i64, before: Option<i64>) -> Result<Vec<Row>> {
        self.flush();
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = reader.prepare_cached(
            "SELECT id, timestamp, action, ip FROM logs WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Row {
                id: row.get(0)?,
                timestamp: row.get(1)?,
                action: row.get(2)?,
                ip: row.get(3)?,
            })
        };
        let rows = statement.query_map(params![before.unwrap_or(i64::MAX), rows_max], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Waits until what was noted is in the table, but not for ever.
    fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if queue.is_some_and(|queue| queue.try_send(Message::Flush(done)).is_ok()) {
            let _in_time = is_done.recv_timeout(limits::LOG_FLUSH_TIME);
        }
    }

    /// Writes what waits and ends the thread.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _panicked = writer.join();
        }
    }
}

/// Writes one row from a process that keeps no logbook open, such as `larder user`.
pub fn note_once(path: &Path, action: &str) -> Result<()> {
    let connection = store::open(path, MIGRATIONS, false)?;
    write_batch(&connection, &[Entry::new(action, "")])
}

/// Looks through `logs.db` without changing it; gives the number of rows.
///
/// Errors: one sentence that says what is wrong with it.
pub fn examine(path: &Path) -> std::result::Result<i64, String> {
    let connection = store::examine(path, MIGRATIONS)?;
    connection
        .query_row("SELECT count(*) FROM logs", [], |row| row.get(0))
        .map_err(|cause| cause.to_string())
}

/// A panic while it was locked left it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line without control characters, cut to its bound.
fn tidy(action: &str) -> String {
    let mut text: String = action
        .chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect();
    if text.len() > limits::LOG_ACTION_BYTES_MAX {
        let end = text.floor_char_boundary(limits::LOG_ACTION_BYTES_MAX);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Gathers rows for a while, then writes them in one transaction, until all senders are gone.
fn write_rows(
    connection: &Connection,
    messages: &Receiver<Message>,
    lost: &AtomicU64,
    refusals: &Mutex<Thinning>,
    retention_days: &AtomicU32,
) {
    let mut last_pruned: Option<Instant> = None;
    let mut is_last = false;
    while !is_last {
        let first = match messages.recv_timeout(patience(refusals)) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                is_last = true;
                None
            }
        };
        let mut batch = gather(messages, first);
        if let Some(left_out) = lock(refusals).take(Instant::now(), is_last) {
            let told = format!("{left_out} more failed sign-ins and refusals were left out");
            batch.rows.push(Entry::new(&told, ""));
        }
        let gone = lost.swap(0, Ordering::Relaxed);
        if gone > 0 {
            batch
                .rows
                .push(Entry::new(&format!("{gone} log rows were lost: too many at once"), ""));
        }
        if let Err(cause) = write_batch(connection, &batch.rows) {
            terminal::warn(&format!("logs.db: {cause}"));
        }
        for reader in batch.readers {
            let _nobody_waits = reader.try_send(());
        }
        let is_time = last_pruned.is_none_or(|then| then.elapsed() >= limits::LOG_PRUNE_TIME);
        if is_time || batch.is_to_prune {
            last_pruned = Some(Instant::now());
            if let Err(cause) = prune(connection, retention_days.load(Ordering::Relaxed)) {
                terminal::warn(&format!("logs.db: {cause}"));
            }
        }
    }
    // So that the file alone is whole; the reader's connection is still open.
    let _best_effort = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

/// How long the writer may sleep.
fn patience(refusals: &Mutex<Thinning>) -> Duration {
    lock(refusals).look_in(Instant::now()).unwrap_or(limits::LOG_PRUNE_TIME)
}

/// What is written in one transaction, and what is to be done afterwards.
#[derive(Default)]
struct Batch {
    /// The rows.
    rows: Vec<Entry>,
    /// Who waits for them to be written.
    readers: Vec<SyncSender<()>>,
    /// Whether old rows are to go now.
    is_to_prune: bool,
}

/// Takes messages for a while; at once when somebody waits for them.
fn gather(messages: &Receiver<Message>, first: Option<Message>) -> Batch {
    let mut batch = Batch::default();
    let until = Instant::now() + limits::LOG_BATCH_TIME;
    let mut next = first;
    while let Some(message) = next {
        match message {
            Message::Row(entry) => batch.rows.push(entry),
            Message::Flush(reader) => batch.readers.push(reader),
            Message::Prune => batch.is_to_prune = true,
        }
        let is_full = batch.rows.len() >= limits::LOG_QUEUE_ROWS;
        let is_urgent = !batch.readers.is_empty() || batch.is_to_prune;
        next = if is_full || is_urgent {
            None
        } else {
            messages.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
        };
    }
    batch
}

/// One transaction.
fn write_batch(connection: &Connection, batch: &[Entry]) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    {
        let mut insert = transaction
            .prepare_cached("INSERT INTO logs(timestamp, action, ip) VALUES (?1, ?2, ?3)")?;
        let zone = zone::local();
        for row in batch {
            let local =
                row.time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
            insert.execute(params![local, row.action, row.ip])?;
        }
    }
    Ok(transaction.commit()?)
}

/// Drops rows that are too old or too many.
fn prune(connection: &Connection, retention_days: u32) -> Result<()> {
    connection.execute(
        "DELETE FROM logs WHERE timestamp < datetime('now', 'localtime', ?1)
         OR id <= (SELECT max(id) FROM logs) - ?2",
        params![format!("-{retention_days} days"), limits::LOG_ROWS_MAX],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(path: &Path) -> Vec<(String, String)> {
        let connection = Connection::open(path).unwrap();
        let mut statement = connection.prepare("SELECT action, ip FROM logs ORDER BY id").unwrap();
        statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(|row| row.unwrap())
            .collect()
    }

    #[test]
    fn what_was_noted_is_there_after_closing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 90).unwrap();
        logbook.note("one", "10.0.0.1");
        logbook.note("two\nlines", "");
        logbook.close();
        logbook.note("too late", "");
        let expected = [
            ("one".to_owned(), "10.0.0.1".to_owned()),
            ("two\u{fffd}lines".to_owned(), String::new()),
        ];
        assert_eq!(rows(&path), expected);
    }

    #[test]
    fn another_process_notes_beside_an_open_logbook() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 90).unwrap();
        note_once(&path, "by hand").unwrap();
        logbook.close();
        assert_eq!(rows(&path), [("by hand".to_owned(), String::new())]);
    }

    #[test]
    fn a_reader_sees_what_was_noted_before_newest_first_and_pages_back() {
        let folder = tempfile::tempdir().unwrap();
        let logbook = Logbook::open(&folder.path().join("logs.db"), 90).unwrap();
        for number in 1..=10 {
            logbook.note(&format!("event {number}"), "10.0.0.1");
        }
        let rows = logbook.newest(4, None).unwrap();
        let actions: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["event 10", "event 9", "event 8", "event 7"]);
        let older = logbook.newest(100, Some(rows[3].id)).unwrap();
        assert_eq!((older.len(), older[0].action.as_str()), (6, "event 6"));
        assert_eq!(older[5].timestamp.len(), "2026-01-01 00:00:00".len());
        assert!(logbook.newest(100, Some(older[5].id)).unwrap().is_empty());
    }

    #[test]
    fn a_shorter_time_takes_effect_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 36_500).unwrap();
        logbook.note("new", "");
        logbook.newest(1, None).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute(
                "INSERT INTO logs(timestamp, action, ip) VALUES ('2001-01-01 00:00:00', 'old', '')",
                [],
            )
            .unwrap();
        assert_eq!(logbook.newest(9, None).unwrap().len(), 2);
        logbook.keep_days(90);
        logbook.newest(9, None).unwrap();
        let left = logbook.newest(9, None).unwrap();
        assert_eq!(left.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn old_rows_go_and_young_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let connection = store::open(&path, MIGRATIONS, false).unwrap();
        for timestamp in ["2001-01-01 00:00:00", "2999-01-01 00:00:00"] {
            connection
                .execute("INSERT INTO logs(timestamp, action, ip) VALUES (?1, ?1, '')", [timestamp])
                .unwrap();
        }
        prune(&connection, 90).unwrap();
        assert_eq!(rows(&path), [("2999-01-01 00:00:00".to_owned(), String::new())]);
    }

    #[test]
    fn a_row_is_one_bounded_line() {
        assert_eq!(tidy("a\r\n\0b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert!(tidy(&"é".repeat(5000)).len() <= limits::LOG_ACTION_BYTES_MAX + 3);
    }
}
