//! Bounds of telling people who are elsewhere what happens (second contract, section 24).

use std::time::Duration;

/// Who can be told.
pub const NOTIFY_TARGETS_MAX: usize = 5;

/// Bytes of an address.
pub const NOTIFY_URL_BYTES_MAX: usize = 2048;

/// Bytes of what is shown there.
pub const NOTIFY_TOKEN_BYTES_MAX: usize = 1024;

/// How long one try may take, from the name's lookup to the answer's head.
pub const NOTIFY_TIME: Duration = Duration::from_secs(10);

/// How long after a try that failed the next one is made: three tries over ten minutes.
pub const NOTIFY_RETRIES: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(570)];

/// What is told of one kind at most once; what happens meanwhile is counted.
pub const NOTIFY_KIND_INTERVAL: Duration = Duration::from_mins(10);

/// Messages that wait, all targets together.
pub const NOTIFY_QUEUE_MAX: usize = 100;

/// Bytes of a message's text, and of a name in it.
pub const NOTIFY_TEXT_BYTES_MAX: usize = 2048;

/// Sign-ins that fail within this time ...
pub const NOTIFY_FAILURES_TIME: Duration = Duration::from_mins(10);

/// ... and are so many are told of.
pub const NOTIFY_FAILURES_MIN: u64 = 10;

/// Days after which an address, or a program, from which somebody signs in is a new one.
pub const PLACE_KNOWN_DAYS: i64 = 90;

/// Addresses and programs that are remembered of one user; the longest unseen go.
pub const PLACES_PER_USER_MAX: i64 = 200;
