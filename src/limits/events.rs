//! Bounds of following changes.

use std::time::Duration;

/// Streams of events at once, all users together: each takes a connection for as long as a page is
/// open, and most of the connections stay for others.
pub const EVENT_STREAMS_MAX: usize = 64;

/// Streams of events at once for one user: a phone, a tablet and a few windows.
pub const EVENT_STREAMS_PER_USER_MAX: usize = 8;

/// Seconds that a client refused for these is told to wait.
pub const EVENT_RETRY_AFTER_S: u64 = 10;

/// Folders that one stream may name.
pub const EVENT_PATHS_MAX: usize = 16;

/// Folders followed for the sake of whole trees. The kernel keeps some 1 KiB for each and cannot
/// swap it out; larder keeps some 300 bytes.
pub const EVENT_FOLDERS_MAX: usize = 8192;

/// Folders that the kernel gives no watch for and that are looked at now and then instead.
pub const EVENT_POLLED_FOLDERS_MAX: usize = 256;

/// How often those are looked at, and whether the drive is still the same: a few system calls.
pub const EVENT_RECHECK_TIME: Duration = Duration::from_secs(2);

/// Changed folders that wait to be told to one client; beyond them it is told that everything may have
/// changed.
pub const EVENT_PENDING_FOLDERS_MAX: usize = 256;

/// Folders with changes of larder's own that wait for the thread that follows the share; beyond them it takes
/// everything to have changed. Some 200 bytes each, and only while somebody listens.
pub const NEWS_FOLDERS_MAX: usize = 256;

/// How long changes are gathered before they are told, so that a group of files is one event.
pub const EVENT_GATHER_TIME: Duration = Duration::from_millis(100);

/// The shortest time between two tellings, so that copying 10 000 files is a few events.
pub const EVENT_INTERVAL: Duration = Duration::from_millis(500);

/// How often a stream looks whether its client is there and may still listen.
pub const EVENT_CHECK_TIME: Duration = Duration::from_secs(1);

/// After so long without an event a comment is sent, so that dead peers and proxies are noticed
/// (most cut a connection that is silent for a minute).
pub const EVENT_HEARTBEAT_TIME: Duration = Duration::from_secs(15);

/// How often a stream tells what the machine is doing: dashboards look alive, phones may doze.
pub const EVENT_RESOURCES_TIME: Duration = Duration::from_secs(5);

/// How long the head of an answer waits until the folders are followed; with large trees it comes before.
pub const EVENT_READY_TIME: Duration = Duration::from_secs(2);
