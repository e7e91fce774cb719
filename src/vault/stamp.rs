//! The tag by which two contents of a file are told apart.

use super::look;
use rustix::fs::{Statx, StatxTimestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Timestamps of filesystems with coarse clocks (FAT 2 s, ext3 1 s, exFAT 10 ms) are multiples of this
/// (nanoseconds).
const COARSE_NS: u32 = 10_000_000;

/// For so long after a coarse timestamp another change could have the same one.
const COARSE_WINDOW: Duration = Duration::from_secs(3);

/// Whether a time is so close to now that another change could have the same one.
fn is_of_now(time: &StatxTimestamp) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    now.abs_diff(time.tv_sec) <= COARSE_WINDOW.as_secs()
}

/// What tells a file's content from any other it may have: inode, size and both times, of which larder's
/// own writes set the first to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its inode.
    inode: u64,
    /// Bytes.
    size: u64,
    /// When its content changed last (nanoseconds since 1970).
    modified: i128,
    /// When anything about it changed last (nanoseconds since 1970).
    changed: i128,
    /// The clock is coarse and the file has just been changed: the next change could look the same.
    is_doubtful: bool,
}

impl Stamp {
    /// That of what was looked at.
    pub(super) fn of(stat: &Statx) -> Self {
        let is_coarse = |time: &StatxTimestamp| time.tv_nsec.is_multiple_of(COARSE_NS);
        let times = [&stat.stx_mtime, &stat.stx_ctime];
        Self {
            inode: stat.stx_ino,
            size: stat.stx_size,
            modified: look::nanoseconds_of(&stat.stx_mtime),
            changed: look::nanoseconds_of(&stat.stx_ctime),
            is_doubtful: times.into_iter().all(is_coarse) && times.into_iter().any(is_of_now),
        }
    }

    /// What tells this content from any other that the file may have, whatever it is called; `None` where nobody
    /// can be sure. Giving it another name changes the second time, not this.
    pub(super) fn content(&self) -> Option<String> {
        let Self { inode, size, modified, .. } = self;
        (!self.is_doubtful).then(|| format!("{inode:x}-{size:x}-{modified:x}"))
    }

    /// What a tag of this content begins with, whatever is done to the file but for its content.
    pub(super) fn stem(&self) -> String {
        let Self { inode, size, modified, .. } = self;
        format!("{inode:x}-{size:x}-{modified:x}")
    }

    /// Whether it was dated by larder, whose dates have no two contents of the same: their last digits are random.
    pub(super) fn is_dated_finely(&self) -> bool {
        self.modified % 1_000_000 != 0
    }

    /// A text that differs for any two contents. Where nobody can be sure, it is never the same twice. A
    /// date ahead of the clock is no reason to doubt: the next change would have another.
    pub fn tag(&self) -> String {
        /// Counts what cannot be told apart otherwise.
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let Self { inode, size, modified, changed, is_doubtful } = self;
        let plain = format!("{inode:x}-{size:x}-{modified:x}-{changed:x}");
        if !is_doubtful {
            return plain;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{plain}-{:x}-{:x}", now.as_nanos(), NONCE.fetch_add(1, Ordering::Relaxed))
    }
}
