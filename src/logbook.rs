//! What happened, for the owner: rows in `db/logs.db`, batched by one thread, pruned by age and
//! number. Knows no requests. Secrets are never handed to it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::error::{Error, Result};
use crate::{limits, store, terminal, threads};

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
    queue: Mutex<Option<SyncSender<Entry>>>,
    /// Rows lost because the queue was full; the writer tells of them.
    dropped: Arc<AtomicU64>,
    /// The writing thread.
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// One row on its way.
struct Entry {
    /// Local time, `YYYY-MM-DD HH:MM:SS`.
    timestamp: String,
    /// What happened, in words.
    action: String,
    /// Who from; empty when larder itself did it.
    ip: String,
}

impl Entry {
    /// A row of this moment.
    fn new(action: &str, ip: &str) -> Self {
        Self {
            timestamp: jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H:%M:%S").to_string(),
            action: tidy(action),
            ip: ip.to_owned(),
        }
    }
}

impl Logbook {
    /// Opens `logs.db` and starts the writing thread. Rows older than this are dropped now and
    /// then.
    pub fn open(path: &Path, retention_days: u32) -> Result<Self> {
        let connection = store::open(path, MIGRATIONS, false)?;
        let (queue, rows) = sync_channel(limits::LOG_QUEUE_ROWS);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        let writer = threads::spawn("larder-logbook", move || {
            write_rows(&connection, &rows, &lost, retention_days);
        })
        .map_err(Error::Io)?;
        Ok(Self { queue: Mutex::new(Some(queue)), dropped, writer: Mutex::new(Some(writer)) })
    }

    /// Notes one event; `ip` is empty when larder itself did it.
    pub fn note(&self, action: &str, ip: &str) {
        let entry = Entry::new(action, ip);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else { return };
        if let Err(TrySendError::Full(_)) = queue.try_send(entry) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
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
    rows: &Receiver<Entry>,
    lost: &AtomicU64,
    retention_days: u32,
) {
    let mut last_pruned: Option<Instant> = None;
    while let Ok(first) = rows.recv() {
        let mut batch = vec![first];
        let until = Instant::now() + limits::LOG_BATCH_TIME;
        while batch.len() < limits::LOG_QUEUE_ROWS {
            match rows.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(row) => batch.push(row),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let gone = lost.swap(0, Ordering::Relaxed);
        if gone > 0 {
            let timestamp = batch.last().map(|row| row.timestamp.clone()).unwrap_or_default();
            batch.push(Entry {
                timestamp,
                action: format!("{gone} log rows were lost: too many at once"),
                ip: String::new(),
            });
        }
        if let Err(cause) = write_batch(connection, &batch) {
            terminal::warn(&format!("logs.db: {cause}"));
        }
        if last_pruned.is_none_or(|then| then.elapsed().as_secs() > 3600) {
            last_pruned = Some(Instant::now());
            if let Err(cause) = prune(connection, retention_days) {
                terminal::warn(&format!("logs.db: {cause}"));
            }
        }
    }
}

/// One transaction.
fn write_batch(connection: &Connection, batch: &[Entry]) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    {
        let mut insert = transaction
            .prepare_cached("INSERT INTO logs(timestamp, action, ip) VALUES (?1, ?2, ?3)")?;
        for row in batch {
            insert.execute(params![row.timestamp, row.action, row.ip])?;
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
