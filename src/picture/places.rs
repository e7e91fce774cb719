//! Places for children, and the queue for them: whoever is of the house goes before guests, else first come, first
//! served; and who leaves is not waited for.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::{limits, threads};

/// What is asked now and then of whoever waits.
pub trait Wish {
    /// Whether it is still wanted.
    fn is_wanted(&self) -> bool;

    /// Whether guests let it go first.
    fn is_first(&self) -> bool {
        true
    }
}

impl<F: Fn() -> bool + ?Sized> Wish for F {
    fn is_wanted(&self) -> bool {
        self()
    }
}

/// So many places.
pub struct Places {
    /// Places.
    in_all: usize,
    /// Of these, those that guests may have.
    for_guests: usize,
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
    /// Of these, those that guests have.
    taken_by_guests: usize,
    /// Those who wait, as they came.
    waiting: Vec<Waiting>,
    /// The next ticket.
    next: u64,
}

/// Somebody who waits.
struct Waiting {
    /// Their ticket.
    ticket: u64,
    /// Whether guests let them go first, as they said last.
    is_first: bool,
}

/// The right to one place; it is free again when this is dropped.
pub struct Place<'a> {
    /// Whose place it is.
    places: &'a Places,
    /// Whether a guest has it.
    is_guests: bool,
}

impl Places {
    /// So many, of which guests may have so many.
    pub fn new(in_all: usize, for_guests: usize) -> Self {
        Self { in_all, for_guests, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes a place, waiting for one as long as it is wanted.
    ///
    /// Errors: `Busy` when too many wait already, `Disconnected` when it is not wanted any more.
    pub fn take(&self, wish: &dyn Wish) -> Result<Place<'_>> {
        let mut is_first = wish.is_first();
        let mut state = threads::locked(&self.state);
        if state.taken >= self.in_all && state.waiting.len() >= limits::PICTURES_WAITING_MAX {
            return Err(Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S });
        }
        let ticket = state.next;
        state.next += 1;
        state.waiting.push(Waiting { ticket, is_first });
        let mut look_at = Instant::now();
        loop {
            if self.is_turn_of(&state, ticket, is_first) {
                state.leave(ticket);
                state.taken += 1;
                state.taken_by_guests += usize::from(!is_first);
                // There may be one for the next in the queue as well.
                self.changed.notify_all();
                return Ok(Place { places: self, is_guests: !is_first });
            }
            let left = look_at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                state = threads::whole(self.changed.wait_timeout(state, left)).0;
                continue;
            }
            drop(state);
            // Asking may take a system call, for which nobody else should wait, and much of the stack.
            let is_wanted = wish.is_wanted();
            is_first = wish.is_first();
            threads::shed_stack();
            look_at = Instant::now() + limits::PICTURE_LOOK_TIME;
            state = threads::locked(&self.state);
            if !is_wanted {
                state.leave(ticket);
                self.changed.notify_all();
                return Err(Error::Disconnected);
            }
            state.rank(ticket, is_first);
        }
    }

    /// Whether somebody who waits has their place now.
    fn is_turn_of(&self, state: &State, ticket: u64, is_first: bool) -> bool {
        let is_free =
            state.taken < self.in_all && (is_first || state.taken_by_guests < self.for_guests);
        is_free && state.next_in_line() == Some(ticket)
    }
}

impl State {
    /// Whose turn it is: of those who go first, else of all, whoever came first.
    fn next_in_line(&self) -> Option<u64> {
        let mut first = self.waiting.iter().filter(|waiting| waiting.is_first);
        first.next().or(self.waiting.first()).map(|waiting| waiting.ticket)
    }

    /// Somebody says anew whether guests let them go first.
    fn rank(&mut self, ticket: u64, is_first: bool) {
        if let Some(own) = self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            own.is_first = is_first;
        }
    }

    /// Somebody waits no more.
    fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = threads::locked(&self.places.state);
        state.taken -= 1;
        state.taken_by_guests -= usize::from(self.is_guests);
        drop(state);
        self.places.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// How many wait.
    fn waiting(places: &Places) -> usize {
        threads::locked(&places.state).waiting.len()
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let places = Places::new(1, 1);
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
        let places = Places::new(1, 1);
        let first = places.take(&|| true).unwrap();
        assert!(matches!(places.take(&|| false), Err(Error::Disconnected)));
        assert_eq!(waiting(&places), 0);
        drop(first);
        assert!(places.take(&|| false).is_ok(), "nobody is asked where a place is free");
    }

    /// A guest, who may be raised.
    #[derive(Default)]
    struct Guest(AtomicBool);

    impl Wish for Guest {
        fn is_wanted(&self) -> bool {
            true
        }

        fn is_first(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// What came of a crowd of guests and somebody of the house who came last, in the order in which they had the only
    /// place; the guest with the number `raised` is raised when all wait.
    fn order_of_a_crowd(raised: Option<usize>) -> Vec<&'static str> {
        let (places, served) = (Places::new(1, 1), Mutex::new(Vec::new()));
        let guests: Vec<Guest> = (0..5).map(|_| Guest::default()).collect();
        let first = places.take(&|| true).unwrap();
        let go = |wish: &dyn Wish, name: &'static str| {
            let place = places.take(wish).unwrap();
            threads::locked(&served).push(name);
            drop(place);
        };
        std::thread::scope(|scope| {
            let go = &go;
            for (number, guest) in guests.iter().enumerate() {
                let name = if raised == Some(number) { "raised" } else { "guest" };
                scope.spawn(move || go(guest, name));
                while waiting(&places) <= number {
                    std::thread::yield_now();
                }
            }
            if raised.is_none() {
                scope.spawn(move || go(&|| true, "user"));
                while waiting(&places) < 6 {
                    std::thread::yield_now();
                }
            }
            if let Some(guest) = raised.and_then(|number| guests.get(number)) {
                guest.0.store(true, Ordering::Relaxed);
                let has_heard =
                    || threads::locked(&places.state).waiting.iter().any(|one| one.is_first);
                while !has_heard() {
                    std::thread::yield_now();
                }
            }
            drop(first);
        });
        threads::whole(served.into_inner())
    }

    #[test]
    fn whoever_is_of_the_house_goes_before_a_crowd_of_guests() {
        assert_eq!(order_of_a_crowd(None)[0], "user");
        assert_eq!(order_of_a_crowd(Some(3))[0], "raised");
    }

    #[test]
    fn guests_leave_some_places_to_the_house() {
        let places = Places::new(2, 1);
        let guest = places.take(&Guest::default()).unwrap();
        std::thread::scope(|scope| {
            let another = scope.spawn(|| drop(places.take(&Guest::default()).unwrap()));
            while waiting(&places) == 0 {
                std::thread::yield_now();
            }
            drop(places.take(&|| true).unwrap());
            assert!(!another.is_finished());
            drop(guest);
        });
        let state = threads::locked(&places.state);
        assert_eq!((state.taken, state.taken_by_guests, state.waiting.len()), (0, 0, 0));
    }
}
