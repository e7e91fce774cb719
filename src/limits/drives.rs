//! Bounds of waiting for drives that do not answer.

use std::time::Duration;

/// Requests that ask a filesystem, or wait to while it is silent (contract, 13): each keeps a thread.
pub const DRIVE_WAITING_MAX: usize = 16;

/// How long a request waits for a drive, everything together (contract, 13). A disk that sleeps is awake
/// after ten seconds.
pub const DRIVE_PATIENCE: Duration = Duration::from_secs(30);

/// How long whoever looks at several drives waits for one of them: one that answers takes milliseconds.
pub const DRIVE_GLANCE_TIME: Duration = Duration::from_millis(250);

/// A drive that has answered within this time is taken to answer, and one that owes an answer for longer
/// is left out where several are looked at: no drive that is awake takes so long.
pub const DRIVE_FRESH_TIME: Duration = Duration::from_secs(1);

/// A drive that owes an answer for longer than this is silent also on a machine that is very busy.
pub const DRIVE_SILENT_TIME: Duration = Duration::from_secs(3);

/// Seconds after which somebody may try again whom a drive did not answer.
pub const DRIVE_RETRY_AFTER_S: u64 = 10;

/// Filesystems whose gates are remembered while nobody uses them.
pub const DRIVE_GATES_MAX: usize = 64;
