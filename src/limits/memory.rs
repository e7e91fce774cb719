//! Bounds of what the whole house has once: memory, and a processor for long work.

use std::time::Duration;

/// Bytes that listings, ZIPs and lists together may take (contract, 26).
pub const BUDGET_BYTES: usize = 64 << 20;

/// Long answers at once for one user (contract, 26).
pub const STREAMS_PER_USER_MAX: usize = 32;

/// The same for the guests of one network, of as many that those of a link have together: a browser asks for six things
/// at once, and four networks must come together to fill a link.
pub const STREAMS_PER_GUEST_MAX: usize = 8;

/// How long somebody waits for memory, a place or a turn: what is short is back after this, what is long
/// is not.
pub const BUDGET_TIME: Duration = Duration::from_secs(4);

/// Seconds after which somebody may try again who got none.
pub const BUDGET_RETRY_AFTER_S: u64 = 5;

/// Who does not go on for so long gives back what they hold when others need it. Longer than a client takes
/// for what it was sent, shorter than a person waits.
pub const HOLDER_PAUSE_TIME: Duration = Duration::from_millis(100);

/// How long a thread that makes a long answer works at most before it lets go of the processor, while short
/// requests come.
///
/// Linux lets a thread that computes run for its whole slice, up to 4 ms, whoever waits. Forty clients that list a
/// folder of 100 000 names kept thirty threads ready to run on two cores, and one in a hundred short requests waited
/// for 130 ms and more. Letting go every 200 µs brought that to 2 ms: a short request takes a tenth of that time, so
/// less would gain little, and letting go costs a hundredth of it. Niceness was tried instead: it starves listings
/// beside other busy programs.
pub const GIVE_WAY_TIME: Duration = Duration::from_micros(200);

/// Steps of such work, each a name or a comparison of two, after which the clock is looked at: looking takes
/// as long as a comparison.
pub const GIVE_WAY_STEPS: u32 = 32;

/// How long after a short request others are still to be expected: pages send several after each other.
pub const SHORT_WORK_TIME: Duration = Duration::from_millis(100);

/// Large folders that are read and sorted at the same moment: that is work for a processor, and short
/// requests should find one free.
pub const TURNS_MAX: usize = 2;

/// A turn that lasts longer waits for the drive, not for the processor, and no longer counts.
pub const TURN_TIME: Duration = Duration::from_secs(1);
