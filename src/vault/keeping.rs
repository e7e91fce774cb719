//! How much the trash keeps, and when its keeper has to look at the drives.

use super::room::Room;
use super::trash_id::now_ms;
use crate::limits;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// How much is kept, and what the keeper knows of it.
#[derive(Debug)]
pub(super) struct Keeping {
    /// Days that things are kept; 0 keeps nothing.
    days: AtomicU32,
    /// Percent of a drive that they may take; 0 keeps nothing.
    percent: AtomicU32,
    /// Whether anything came in, or the rules changed, since the keeper looked last.
    is_changed: AtomicBool,
    /// When the oldest thing has been kept long enough (milliseconds since 1970).
    next_ms: AtomicU64,
    /// Versions of one file that are kept.
    versions_max: AtomicU32,
    /// Whether there may be versions that are not to be kept.
    is_to_thin: AtomicBool,
    /// When there may be others (milliseconds since 1970).
    thin_ms: AtomicU64,
    /// Bytes that the keeper found last; `NOT_WEIGHED` before it has looked.
    bytes: AtomicU64,
}

/// Nobody knows how much there is.
const NOT_WEIGHED: u64 = u64::MAX;

impl Default for Keeping {
    /// As the settings have it until they say otherwise.
    fn default() -> Self {
        Self {
            days: AtomicU32::new(30),
            percent: AtomicU32::new(10),
            is_changed: AtomicBool::new(true),
            next_ms: AtomicU64::new(0),
            versions_max: AtomicU32::new(limits::VERSIONS_DEFAULT),
            is_to_thin: AtomicBool::new(true),
            thin_ms: AtomicU64::new(u64::MAX),
            bytes: AtomicU64::new(NOT_WEIGHED),
        }
    }
}

impl Keeping {
    /// Sets the rules.
    pub fn set(&self, days: u32, percent: u32) {
        let before = (
            self.days.swap(days, Ordering::Relaxed),
            self.percent.swap(percent, Ordering::Relaxed),
        );
        if before != (days, percent) {
            self.is_changed.store(true, Ordering::Relaxed);
        }
    }

    /// Sets how many versions of one file are kept.
    pub fn set_versions(&self, most: u32) {
        if self.versions_max.swap(most, Ordering::Relaxed) != most {
            self.thin_again();
        }
    }

    /// How many versions of one file are kept.
    pub(super) fn versions_max(&self) -> usize {
        usize::try_from(self.versions_max.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// There may be versions that are not to be kept.
    pub fn thin_again(&self) {
        self.is_to_thin.store(true, Ordering::Relaxed);
    }

    /// Whether versions are to be looked through; whoever hears that does it.
    pub fn begin_to_thin(&self) -> bool {
        let is_late = now_ms() >= self.thin_ms.load(Ordering::Relaxed);
        self.is_to_thin.swap(false, Ordering::Relaxed) || is_late
    }

    /// Notes when versions are to be looked through again.
    pub fn thinned(&self, next_ms: u64) {
        self.thin_ms.store(next_ms, Ordering::Relaxed);
    }

    /// Whether anything is kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.days.load(Ordering::Relaxed) > 0 && self.percent.load(Ordering::Relaxed) > 0
    }

    /// Whether the keeper should look at the drive. Asks only the memory.
    pub fn is_due(&self) -> bool {
        let is_late = |ms: &AtomicU64| now_ms() >= ms.load(Ordering::Relaxed);
        let is_told = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is_told(&self.is_changed)
            || is_told(&self.is_to_thin)
            || is_late(&self.next_ms)
            || is_late(&self.thin_ms)
    }

    /// Bytes that the trash of such a drive may have; of one that does not tell its size, any number.
    pub(super) fn bytes_max(&self, drive: Option<Room>) -> u64 {
        if !self.is_on() {
            return 0;
        }
        let percent = u64::from(self.percent.load(Ordering::Relaxed));
        drive.map_or(u64::MAX, |drive| drive.total / 100 * percent)
    }

    /// What was deleted before this (milliseconds since 1970) has been kept long enough.
    pub(super) fn oldest_ms(&self) -> u64 {
        if !self.is_on() {
            return u64::MAX;
        }
        now_ms().saturating_sub(self.kept_ms())
    }

    /// How long things are kept, in milliseconds.
    pub(super) fn kept_ms(&self) -> u64 {
        u64::from(self.days.load(Ordering::Relaxed)) * 24 * 3600 * 1000
    }

    /// Notes what the keeper found: when it has to look again, and how many bytes there are.
    pub fn looked(&self, next_ms: u64, bytes: u64) {
        self.next_ms.store(next_ms, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes there were when the keeper looked last.
    pub fn bytes(&self) -> Option<u64> {
        Some(self.bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes != NOT_WEIGHED)
    }

    /// The keeper begins to look: what comes in from now on is new to it.
    pub fn begin_to_look(&self) {
        self.is_changed.store(false, Ordering::Relaxed);
    }

    /// The keeper could not look, or does not know any more what is there.
    pub fn look_again(&self) {
        self.is_changed.store(true, Ordering::Relaxed);
    }
}
