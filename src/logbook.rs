//! What happened, for the owner: rows in `db/logs.db`, batched by one thread, pruned by age and
//! number. Knows no requests. Secrets are never handed to it.

mod event;
mod table;
mod thinning;

pub use event::{By, Event};
pub use table::{Filter, Row};

use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::table::{Entry, MIGRATIONS, prune, write_batch};
use self::thinning::Thinning;
use crate::error::{Error, Result};
use crate::{limits, store, terminal, threads, zone};

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
    Row(Box<Entry>),
    /// Write at once what came before, then say so.
    Flush(SyncSender<()>),
    /// Drop what is too old.
    Prune,
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

    /// Notes what somebody did. When very much happens at once the row may be lost, and that one was is told.
    pub fn note(&self, by: &By<'_>, event: Event) {
        let queue = threads::locked(&self.queue);
        let Some(queue) = queue.as_ref() else { return };
        let row = Message::Row(Box::new(Entry::new(by, event)));
        if let Err(TrySendError::Full(_)) = queue.try_send(row) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes what larder did by itself.
    pub fn note_own(&self, event: Event) {
        self.note(&By::machine(), event);
    }

    /// Notes one of many things that somebody did in one go. It waits for the writer, so that none of them is
    /// lost however many they are; who caused them waits alone.
    pub fn note_one_of_many(&self, by: &By<'_>, event: Event) {
        let row = Message::Row(Box::new(Entry::new(by, event)));
        let queue = threads::locked(&self.queue).clone();
        let _closed = queue.map(|queue| queue.send(row));
    }

    /// Notes what was refused to somebody who need not have signed in. Anybody can cause such rows, as fast as
    /// they like: of very many at once some are left out, and how many is told.
    pub fn note_refusal(&self, by: &By<'_>, event: Event) {
        if threads::locked(&self.refusals).admit(Instant::now()) {
            self.note(by, event);
        }
    }

    /// Keeps rows for so many days from now on.
    pub fn keep_days(&self, days: u32) {
        self.retention_days.store(days, Ordering::Relaxed);
        let queue = threads::locked(&self.queue);
        // With a full queue the next hour's turn does it.
        let _later = queue.as_ref().map(|queue| queue.try_send(Message::Prune));
    }

    /// The newest rows of those that are wanted, newest first. What was noted until now is among them.
    pub fn newest(&self, filter: &Filter) -> Result<Vec<Row>> {
        self.flush();
        let reader = threads::locked(&self.reader);
        table::newest(&reader, filter)
    }

    /// Waits until what was noted is in the table, but not for ever.
    fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        let queue = threads::locked(&self.queue).clone();
        if queue.is_some_and(|queue| queue.try_send(Message::Flush(done)).is_ok()) {
            let _in_time = is_done.recv_timeout(limits::LOG_FLUSH_TIME);
        }
    }

    /// Writes what waits and ends the thread.
    pub fn close(&self) {
        drop(threads::locked(&self.queue).take());
        let writer = threads::locked(&self.writer).take();
        if let Some(writer) = writer {
            let _panicked = writer.join();
        }
    }
}

/// Writes one row from a process that keeps no logbook open, such as `larder user`.
pub fn note_once(path: &Path, by: &By<'_>, event: Event) -> Result<()> {
    let connection = store::open(path, MIGRATIONS, false)?;
    write_batch(&connection, &[Entry::new(by, event)])
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
        if let Some(left_out) = threads::locked(refusals).take(Instant::now(), is_last) {
            let told = format!("{left_out} more failed sign-ins and refusals were left out");
            batch.rows.push(Entry::new(&By::machine(), Event::refused(told)));
        }
        let gone = lost.swap(0, Ordering::Relaxed);
        if gone > 0 {
            let told = Event::other(format!("{gone} log rows were lost: too many at once"));
            batch.rows.push(Entry::new(&By::machine(), told));
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
    threads::locked(refusals).look_in(Instant::now()).unwrap_or(limits::LOG_PRUNE_TIME)
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
            Message::Row(entry) => batch.rows.push(*entry),
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
        let ana = By::api(Some("ana"), [10, 0, 0, 1].into());
        logbook.note(&ana, Event::other("one"));
        logbook.note_own(Event::other("two\nlines"));
        logbook.close();
        logbook.note_own(Event::other("too late"));
        let expected = [
            ("ana: one".to_owned(), "10.0.0.1".to_owned()),
            ("two\u{fffd}lines".to_owned(), String::new()),
        ];
        assert_eq!(rows(&path), expected);
    }

    #[test]
    fn another_process_notes_beside_an_open_logbook() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 90).unwrap();
        note_once(&path, &By::command_line(), Event::other("by hand")).unwrap();
        logbook.close();
        assert_eq!(rows(&path), [("command line: by hand".to_owned(), String::new())]);
    }

    #[test]
    fn a_reader_sees_what_was_noted_before_newest_first_and_pages_back() {
        let folder = tempfile::tempdir().unwrap();
        let logbook = Logbook::open(&folder.path().join("logs.db"), 90).unwrap();
        for number in 1..=10 {
            logbook.note_own(Event::other(format!("event {number}")));
        }
        let newest = |rows_max, before| {
            logbook.newest(&Filter { rows_max, before, ..Filter::default() }).unwrap()
        };
        let rows = newest(4, None);
        let actions: Vec<_> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["event 10", "event 9", "event 8", "event 7"]);
        let older = newest(100, Some(rows[3].id));
        assert_eq!((older.len(), older[0].action.as_str()), (6, "event 6"));
        assert_eq!(older[5].timestamp.len(), "2026-01-01 00:00:00".len());
        assert!(newest(100, Some(older[5].id)).is_empty());
    }

    #[test]
    fn a_shorter_time_takes_effect_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 36_500).unwrap();
        let newest = || logbook.newest(&Filter { rows_max: 9, ..Filter::default() }).unwrap();
        logbook.note_own(Event::other("new"));
        newest();
        Connection::open(&path)
            .unwrap()
            .execute(
                "INSERT INTO logs(timestamp, action, ip) VALUES ('2001-01-01 00:00:00', 'old', '')",
                [],
            )
            .unwrap();
        assert_eq!(newest().len(), 2);
        logbook.keep_days(90);
        newest();
        let left = newest();
        assert_eq!(left.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn of_many_things_in_one_go_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let logbook = Logbook::open(&path, 90).unwrap();
        let count = limits::LOG_QUEUE_ROWS * 5;
        for number in 0..count {
            logbook.note_one_of_many(&By::machine(), Event::created(&number.to_string()));
        }
        logbook.close();
        logbook.note_one_of_many(&By::machine(), Event::other("too late"));
        let rows = rows(&path);
        assert_eq!(rows.len(), count);
        assert_eq!(rows[count - 1].0, format!("created /{}", count - 1));
    }
}
