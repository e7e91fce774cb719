//! The machine's clock, and how far it is to be believed: boards without a battery wake up in 1970, or when their
//! system was built, until they hear the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::limits;

/// Seconds since 1970.
pub fn now() -> i64 {
    seconds(SystemTime::now())
}

/// The same of any moment; one before 1970 is taken for its beginning.
pub fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_before_2025_was_never_set() {
        let begins = Duration::from_secs(limits::CLOCK_SET_FROM_S.cast_unsigned());
        let begins = UNIX_EPOCH + begins;
        assert_eq!(seconds(begins), limits::CLOCK_SET_FROM_S);
        assert!(is_set(seconds(begins)));
        let never =
            [begins - Duration::from_secs(1), UNIX_EPOCH, UNIX_EPOCH - Duration::from_secs(9)];
        assert_eq!(never.map(seconds).map(is_set), [false; 3]);
        assert!(is_set(now()) && known().is_some());
    }
}
