//! Bounds of asking other machines: the bridge of a cloud, and self-update.

use std::time::Duration;

// Other machines: the cloud's bridge.

/// Redirects that are followed where nothing secret is sent: release pages need two.
pub const FETCH_REDIRECTS_MAX: u32 = 5;

/// Silence after which another machine counts as gone.
pub const FETCH_STALL_TIME: Duration = Duration::from_secs(30);

/// Bytes taken from another machine at once.
pub const FETCH_BUFFER_BYTES: usize = 64 * 1024;

/// How long the cloud's bridge may take for everything (contract, section 10).
pub const CLOUD_TIME: Duration = Duration::from_secs(30);

/// Bytes of a bridge's answer. As values in memory it takes up to some 60 times as much, and that must
/// stay under the 32 MiB that a request may cost.
pub const CLOUD_ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// Bytes of a bridge's refusal that are passed on.
pub const CLOUD_DETAILS_BYTES_MAX: usize = 1024;

/// Bytes of one value that is kept of a bridge's answer: an id, a name, a time.
pub const CLOUD_VALUE_BYTES_MAX: usize = 1024;

/// Values that are kept of a bridge's answer.
pub const CLOUD_VALUES_MAX: usize = 16;

// Self-update.

/// Bytes of a release manifest; an entry for each target takes some 300.
pub const UPDATE_MANIFEST_BYTES_MAX: u64 = 64 * 1024;

/// How long fetching the manifest may take.
pub const UPDATE_MANIFEST_TIME: Duration = Duration::from_secs(30);

/// Bytes of a release's program: seven times ours.
pub const UPDATE_BINARY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long fetching a program may take: 9 MiB over a line of 100 kbit/s.
pub const UPDATE_DOWNLOAD_TIME: Duration = Duration::from_mins(15);

/// How long a new program may take to say its version: an SD card must read it first.
pub const UPDATE_VERSION_TIME: Duration = Duration::from_secs(20);

/// Bytes of what it says that are looked at.
pub const UPDATE_VERSION_BYTES_MAX: u64 = 256;

/// How long a new program may take to become ready; nobody is served meanwhile. Bringing a large log
/// database up to date on an SD card is the slowest of it.
pub const UPDATE_READY_TIME: Duration = Duration::from_mins(1);

/// How long a program that was tried out may take to stop: its running requests, and the databases.
pub const UPDATE_STOP_TIME: Duration = Duration::from_secs(20);

/// How often a program that was started is looked after.
pub const UPDATE_TICK: Duration = Duration::from_millis(20);

/// Times that starting a program is tried while its file is still open somewhere.
pub const UPDATE_SPAWN_TRIES: usize = 50;

/// Bytes of a datagram of `sd_notify(3)` that are looked at.
pub const NOTIFY_BYTES_MAX: usize = 256;

/// Versions of QR codes; 20 has 97 modules a side and takes 666 bytes at medium correction. Larger
/// ones have modules that a phone in the hand cannot tell apart on a screen.
pub const QR_VERSION_MAX: u8 = 20;
