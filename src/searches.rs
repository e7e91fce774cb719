//! Who searches at the moment: one search for a user, a newer one ends the older, and a few in all. Knows neither what is
//! looked for nor where.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::vault::Progress;
use crate::{limits, threads};

/// All searches that go on.
#[derive(Default)]
pub struct Searches {
    /// Which those are.
    state: Mutex<State>,
    /// Told whenever one has ended.
    ended: Condvar,
}

/// See `Searches`.
#[derive(Default)]
struct State {
    /// Those that go on.
    running: Vec<Running>,
    /// How many have begun.
    begun: u64,
    /// Whether larder is ending.
    is_closed: bool,
}

/// One of them.
struct Running {
    /// The number of the user whose it is.
    user: i64,
    /// The newest has the highest.
    number: u64,
    /// Calls it off.
    progress: Arc<Progress>,
    /// Ends its client's connection.
    cut: Box<dyn Fn() + Send>,
}

/// How a search is brought to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Push {
    /// By itself.
    Asked,
    /// By its connection.
    Cut,
}

impl Searches {
    /// Begins a search of a user's; one that still goes on is ended. `cut` ends its client's connection. One that is
    /// not the newest any more has been called off already.
    ///
    /// Errors: `TooSoon`.
    pub fn begin(self: &Arc<Self>, user: i64, cut: Box<dyn Fn() + Send>) -> Result<Place> {
        const TOO_MANY: Error = Error::TooSoon { retry_after_s: limits::SEARCH_RETRY_AFTER_S };
        let mut state = threads::locked(&self.state);
        state.begun += 1;
        let number = state.begun;
        let progress = Arc::new(Progress::default());
        // Made only to be handed out: dropped in here, it would wait for ourselves.
        let place = |progress| Place { searches: Arc::clone(self), number, progress };
        let (asked, mut push) = (Instant::now(), Push::Asked);
        loop {
            let of_user = state.running.iter().filter(|running| running.user == user);
            let mut others = of_user.peekable();
            if others.peek().is_none() {
                break;
            }
            for other in others {
                if other.number > number {
                    progress.cancel();
                    return Ok(place(progress));
                }
                other.progress.cancel();
                if push == Push::Cut {
                    (other.cut)();
                }
            }
            let time = match push {
                Push::Asked => limits::SEARCH_ENDS_TIME,
                Push::Cut => limits::SEARCH_ENDS_TIME + limits::SEARCH_CUT_TIME,
            };
            let left = time.saturating_sub(asked.elapsed());
            match push {
                Push::Asked if left.is_zero() => push = Push::Cut,
                Push::Cut if left.is_zero() => return Err(TOO_MANY),
                _ => state = threads::whole(self.ended.wait_timeout(state, left)).0,
            }
        }
        if state.running.len() >= limits::SEARCHES_MAX || state.is_closed {
            return Err(TOO_MANY);
        }
        state.running.push(Running { user, number, progress: Arc::clone(&progress), cut });
        Ok(place(progress))
    }

    /// Ends all, now and later: larder is ending.
    pub fn close(&self) {
        let mut state = threads::locked(&self.state);
        state.is_closed = true;
        state.running.iter().for_each(|running| running.progress.cancel());
    }
}

/// A search that goes on until this is dropped.
pub struct Place {
    /// Where it is counted.
    searches: Arc<Searches>,
    /// Which it is.
    number: u64,
    /// Whether it shall go on.
    pub progress: Arc<Progress>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = threads::locked(&self.searches.state);
        state.running.retain(|running| running.number != self.number);
        drop(state);
        self.searches.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A search whose connection nobody cuts.
    fn begin(searches: &Arc<Searches>, user: i64) -> Result<Place> {
        searches.begin(user, Box::new(|| {}))
    }

    #[test]
    fn there_are_four_in_all_and_each_place_comes_back() {
        let searches = Arc::new(Searches::default());
        let places: Vec<Place> = (0..4).map(|user| begin(&searches, user).unwrap()).collect();
        assert!(matches!(begin(&searches, 4), Err(Error::TooSoon { .. })));
        drop(places);
        assert!(begin(&searches, 4).is_ok());
        assert!(threads::locked(&searches.state).running.is_empty());
        let place = begin(&searches, 1).unwrap();
        searches.close();
        assert!(place.progress.is_cancelled() && begin(&searches, 2).is_err());
    }

    #[test]
    fn a_newer_one_ends_the_older_and_takes_its_place() {
        let searches = Arc::new(Searches::default());
        let others: Vec<Place> = (1..4).map(|user| begin(&searches, user).unwrap()).collect();
        let older = begin(&searches, 9).unwrap();
        let progress = Arc::clone(&older.progress);
        let ends = std::thread::spawn(move || {
            while !older.progress.is_cancelled() {
                std::thread::yield_now();
            }
        });
        let newer = begin(&searches, 9).unwrap();
        ends.join().unwrap();
        assert!(progress.is_cancelled() && !newer.progress.is_cancelled());
        assert!(others.iter().all(|other| !other.progress.is_cancelled()));
    }

    #[test]
    fn one_that_does_not_end_is_cut() {
        let searches = Arc::new(Searches::default());
        let (cut, is_cut) = mpsc::channel();
        let hung = searches.begin(1, Box::new(move || cut.send(()).unwrap_or_default())).unwrap();
        let ends = std::thread::spawn(move || {
            is_cut.recv().unwrap();
            drop(hung);
        });
        assert!(begin(&searches, 1).is_ok());
        ends.join().unwrap();
        let _stays = begin(&searches, 1).unwrap();
        assert!(matches!(begin(&searches, 1), Err(Error::TooSoon { .. })));
    }

    #[test]
    fn of_two_that_wait_the_newest_stays() {
        let searches = Arc::new(Searches::default());
        let newest = begin(&searches, 1).unwrap();
        threads::locked(&searches.state).begun = 0;
        threads::locked(&searches.state).running[0].number = 9;
        let overtaken = begin(&searches, 1).unwrap();
        assert!(overtaken.progress.is_cancelled() && !newest.progress.is_cancelled());
        drop(overtaken);
        assert_eq!(threads::locked(&searches.state).running.len(), 1);
    }
}
