//! Bounds of what lies in the state directory, of its backup and of looking through it.

use std::time::Duration;

// Files of the state directory.

/// Bytes of `settings.json` (contract, section 12), `roles.json` and `cloud.json`.
pub const STATE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Memory for SQLite's pages, per connection (KiB).
pub const SQLITE_CACHE_KIB: i64 = 512;

/// How long a database statement waits for another process (`larder user ...`) to finish.
pub const SQLITE_BUSY: Duration = Duration::from_secs(5);

// Certificates.

/// How long a certificate counts as looked at: whoever renews one waits no longer for it to be served.
pub const CERTIFICATE_LOOK_TIME: Duration = Duration::from_mins(1);

// `larder check`.

/// Free bytes below which a drive is told to be nearly full: the databases and a small upload.
pub const FREE_SPACE_BYTES_MIN: u64 = 64 << 20;

/// Before this moment the clock was never set (2025-01-01, seconds since 1970): boards without one of their own
/// start in 1970, or when their system was built.
pub const CLOCK_SET_FROM_S: i64 = 1_735_689_600;

/// How far a clock may be corrected backwards without a complaint.
pub const CLOCK_DRIFT_MAX: Duration = Duration::from_hours(1);

/// Findings of one kind in one line.
pub const FINDINGS_IN_LINE_MAX: usize = 5;

// The logbook.

/// Rows that wait to be written; when the card is slower than that, the newest are counted and dropped.
pub const LOG_QUEUE_ROWS: usize = 1024;

/// How long the logbook gathers rows before it writes them in one transaction: SD cards wear out.
pub const LOG_BATCH_TIME: Duration = Duration::from_millis(500);

/// How long a reader waits for the rows before it to be written; a card that takes longer is ill.
pub const LOG_FLUSH_TIME: Duration = Duration::from_secs(2);

/// Rows about refused strangers in `REFUSAL_ROWS_TIME` (contract part 2, section 26), the one included that tells
/// how many were left out.
pub const REFUSAL_ROWS_MAX: usize = 60;

/// See `REFUSAL_ROWS_MAX`.
pub const REFUSAL_ROWS_TIME: Duration = Duration::from_secs(10);

/// How often old rows are looked for.
pub const LOG_PRUNE_TIME: Duration = Duration::from_hours(1);

/// Rows in one answer of `get_logs` when the caller names no number (contract, section 6).
pub const LOG_ROWS_DEFAULT: i64 = 125;

/// Rows in one answer of `get_logs` (contract, section 6): about 1 MiB.
pub const LOG_ROWS_PER_ANSWER_MAX: i64 = 1000;

/// Bytes of one row's text; what strangers send is cut to this.
pub const LOG_ACTION_BYTES_MAX: usize = 1024;

/// Bytes of the rules of a time zone; the longest have 4 KiB.
pub const ZONE_BYTES_MAX: u64 = 64 * 1024;

/// Rows kept at most, whatever their age: about 50 MB of database.
pub const LOG_ROWS_MAX: i64 = 500_000;

// The backup on the drive.

/// Documents of larder's own that are kept on the drive: one for each card that died.
pub const KEPT_DOCUMENTS_MAX: usize = 8;

/// Bytes of one such document: some thousand users.
pub const KEPT_DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// How long after the start the backup is looked at first: not while everything else begins.
pub const BACKUP_FIRST_TIME: Duration = Duration::from_mins(1);

/// How often it is looked at then. It is written only when something has changed.
pub const BACKUP_INTERVAL: Duration = Duration::from_hours(24);

/// When it is tried again while the drive is away.
pub const BACKUP_RETRY_TIME: Duration = Duration::from_mins(10);

// Shares for Samba.

/// Bytes read of the system's list of users, and of its groups: some 10 000 rows.
pub const ACCOUNTS_BYTES_MAX: u64 = 1 << 20;

/// Bytes of an account's name: 32 with its end (`useradd(8)`).
pub const ACCOUNT_NAME_BYTES_MAX: usize = 31;

/// Names in the lists of all shares together: nobody looks through more, and some 50 bytes each are held.
pub const SAMBA_ENTRIES_MAX: usize = 10_000;

/// Sentences about what is left out, some 200 bytes each.
pub const SAMBA_REMARKS_MAX: usize = 500;

/// Bytes that are shown of a name or a path in a comment.
pub const SAMBA_SHOWN_BYTES_MAX: usize = 200;

/// Bytes of a share's name, before a number: Windows takes 80 letters.
pub const SAMBA_NAME_BYTES_MAX: usize = 60;
