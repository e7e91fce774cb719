//! The clock, as far as certificates may lean on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::CertificateParams;

use crate::limits;

/// The latest moment that a clock is believed, in seconds since 1970: the year 9900. Certificates know none after 9999
/// (RFC 5280, 4.1.2.5).
const LATEST: i64 = 250_245_000_000;

/// What the clock says, in seconds since 1970. One that was never set is taken for the earliest that may be: a
/// certificate of 1970 would be refused by every device, and would have to be made anew as soon as the clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// The earliest that is believed.
    pub const EARLIEST: Self = Self(limits::CLOCK_SET_FROM_S);

    /// What the clock says now.
    pub fn read(now: SystemTime) -> Self {
        let told = now.duration_since(UNIX_EPOCH).map_or(0, seconds);
        Self(told.clamp(Self::EARLIEST.0, LATEST))
    }

    /// So many seconds since 1970.
    pub const fn at(told: i64) -> Self {
        Self(told)
    }

    /// Seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// So much later.
    pub const fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(seconds(time)))
    }

    /// So much earlier.
    pub const fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(seconds(time)))
    }

    /// Since 1970.
    pub fn since_epoch(self) -> Duration {
        Duration::from_secs(u64::try_from(self.0).unwrap_or_default())
    }
}

/// Whole seconds of a time.
const fn seconds(time: Duration) -> i64 {
    // None of ours has that many; a clock may say anything.
    if time.as_secs() > LATEST.cast_unsigned() { LATEST } else { time.as_secs().cast_signed() }
}

/// Lets a certificate hold from here to there.
pub fn hold(wanted: &mut CertificateParams, from: Moment, to: Moment) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    wanted.not_before = epoch + from.since_epoch();
    wanted.not_after = epoch + to.since_epoch();
}
