//! Counts of what happens, for programs that watch larder from outside (second contract, section 24): plain numbers in
//! memory, of this process. Counting one thing is one instruction and takes no lock. Knows nobody's name.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// One number.
pub struct Count(AtomicU64);

impl Count {
    /// Nothing so far.
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// So much more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// So much by now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// One more, until what this gives is dropped.
    #[must_use]
    pub fn enter(&'static self) -> Within {
        self.add(1);
        Within(self)
    }
}

/// Something that is counted while it goes on.
pub struct Within(&'static Count);

impl Drop for Within {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers to requests over HTTP, by the first digit of their status: 2 to 5.
static ANSWERS: [Count; 4] = [const { Count::new() }; 4];

/// Requests over HTTP whose body, or whose long answer, is under way.
pub static TRANSFERS: Count = Count::new();

/// Bytes that came over data connections of FTP.
pub static FTP_RECEIVED: Count = Count::new();

/// Bytes that went over them.
pub static FTP_SENT: Count = Count::new();

/// Names, passwords and codes that were wrong, at any door.
pub static SIGN_IN_FAILURES: Count = Count::new();

/// Small pictures that were made.
pub static THUMBS_MADE: Count = Count::new();

/// Files of which none could be made.
pub static THUMBS_FAILED: Count = Count::new();

/// What the floor of HTTP counts by itself.
#[derive(Clone, Copy, Default)]
pub struct Traffic {
    /// Connections that are open.
    pub connections: u64,
    /// Requests that were none, which nobody else has seen.
    pub refused: u64,
    /// Connections for which there was no place.
    pub turned_away: u64,
    /// Bytes that came.
    pub received_bytes: u64,
    /// Bytes that went.
    pub sent_bytes: u64,
}

/// Asks the floor.
static FLOOR: OnceLock<Box<dyn Fn() -> Traffic + Send + Sync>> = OnceLock::new();

/// From now on the floor is asked so. Only the first is.
pub fn ask_floor_by(ask: impl Fn() -> Traffic + Send + Sync + 'static) {
    let _only_the_first = FLOOR.set(Box::new(ask));
}

/// What the floor has counted.
pub fn traffic() -> Traffic {
    FLOOR.get().map(|ask| ask()).unwrap_or_default()
}

/// A request was answered with this status.
pub fn answered(status: u16) {
    if let Some(count) = usize::from(status / 100).checked_sub(2).and_then(|at| ANSWERS.get(at)) {
        count.add(1);
    }
}

/// How many answers there were of each class, `2xx` first.
pub fn answers() -> [u64; 4] {
    ANSWERS.each_ref().map(Count::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_counted_until_it_ends() {
        static GOING_ON: Count = Count::new();
        let one = GOING_ON.enter();
        let two = GOING_ON.enter();
        assert_eq!(GOING_ON.get(), 2);
        drop((one, two));
        assert_eq!(GOING_ON.get(), 0);
    }

    #[test]
    fn a_status_outside_of_the_classes_counts_nowhere() {
        for status in [0, 100, 199, 600, u16::MAX] {
            answered(status);
        }
        // Other tests of this process may answer; none answers with 3xx in here.
        let before = answers()[1];
        answered(304);
        assert!(answers()[1] > before);
    }
}
