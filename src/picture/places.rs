//! Places for children, and the queue for them: first come, first served, and who leaves is not waited for.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::{limits, threads};

/// So many places.
pub struct Places {
    /// Places.
    in_all: usize,
    /// Who has one, who waits.
    state: Mutex<State>,
    /// Told when a place is free, or somebody has left the queue.
    changed: Condvar,
}

/// Who has a place, who waits.
#[derive(Default)]
struct State {
    /// Places that are taken.
    taken: usize,
    /// Tickets of those who wait, the first first.
    waiting: VecDeque<u64>,
    /// The next ticket.
    next: u64,
}

/// The right to one place; it is free again when this is dropped.
pub struct Place<'a>(&'a Places);

impl Places {
    /// So many.
    pub fn new(in_all: usize) -> Self {
        Self { in_all, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes a place, waiting for one as long as `is_wanted` says so.
    ///
    /// Errors: `Busy` when too many wait already, `Disconnected` when it is not wanted any more.
    pub fn take(&self, is_wanted: &dyn Fn() -> bool) -> Result<Place<'_>> {
        let mut state = threads::locked(&self.state);
        if state.taken >= self.in_all && state.waiting.len() >= limits::PICTURES_WAITING_MAX {
            return Err(Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S });
        }
        let ticket = state.next;
        state.next += 1;
        state.waiting.push_back(ticket);
        loop {
            if state.taken < self.in_all && state.waiting.front() == Some(&ticket) {
                state.waiting.pop_front();
                state.taken += 1;
                // There may be one for the next in the queue as well.
                self.changed.notify_all();
                return Ok(Place(self));
            }
            drop(state);
            // Asking may take a system call, for which nobody else should wait.
            let is_wanted = is_wanted();
            state = threads::locked(&self.state);
            if !is_wanted {
                state.waiting.retain(|waiting| *waiting != ticket);
                self.changed.notify_all();
                return Err(Error::Disconnected);
            }
            if state.taken >= self.in_all || state.waiting.front() != Some(&ticket) {
                let slept = self.changed.wait_timeout(state, limits::PICTURE_LOOK_TIME);
                state = threads::whole(slept).0;
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        threads::locked(&self.0.state).taken -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How many wait.
    fn waiting(places: &Places) -> usize {
        threads::locked(&places.state).waiting.len()
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let places = Places::new(1);
        let first = places.take(&|| true).unwrap();
        let served = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..limits::PICTURES_WAITING_MAX {
                scope.spawn(|| {
                    let _place = places.take(&|| true).unwrap();
                    served.fetch_add(1, Ordering::Relaxed);
                });
            }
            while waiting(&places) < limits::PICTURES_WAITING_MAX {
                std::thread::yield_now();
            }
            assert!(matches!(places.take(&|| true), Err(Error::Busy { retry_after_s: 2 })));
            drop(first);
        });
        assert_eq!(served.into_inner(), limits::PICTURES_WAITING_MAX);
        let state = threads::locked(&places.state);
        assert_eq!((state.taken, state.waiting.len()), (0, 0));
    }

    #[test]
    fn who_leaves_is_not_waited_for() {
        let places = Places::new(1);
        let first = places.take(&|| true).unwrap();
        assert!(matches!(places.take(&|| false), Err(Error::Disconnected)));
        assert_eq!(waiting(&places), 0);
        drop(first);
        assert!(places.take(&|| false).is_ok(), "nobody is asked where a place is free");
    }
}
