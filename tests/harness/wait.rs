//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test calls it broken.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until `is_so`; fails with `what` when patience ends.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    assert!(comes_true(PATIENCE, &mut is_so), "waited {PATIENCE:?} in vain: {what}");
}

/// Whether `is_so` becomes true within `time`.
pub fn comes_true(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}
