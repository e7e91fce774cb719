//! The machine's clock, and how far it is to be believed: boards without a battery wake up in 1970, or when their
//! system was built, until they hear the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::limits;

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Whether somebody has set a clock that says this.
pub fn is_set(now: i64) -> bool {
    now >= limits::CLOCK_SET_FROM_S
}

/// The time, if anybody knows it.
pub fn known() -> Option<i64> {
    Some(now()).filter(|now| is_set(*now))
}
