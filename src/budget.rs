//! The memory of the whole house for what may grow: names of folders, ZIPs, lists of the trash. It is lent;
//! what has nothing left to lend calls back what its holders do not use at the moment, because their
//! clients do not read, and lets others wait a moment. Knows nothing of what is kept in it.

use std::net::IpAddr;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::permits::Tally;
use crate::{limits, threads};

/// The house's only one.
pub fn house() -> &'static Budget {
    static HOUSE: LazyLock<Budget> = LazyLock::new(|| Budget::new(limits::BUDGET_BYTES));
    &HOUSE
}

/// Lends memory, places and turns.
pub struct Budget {
    /// Bytes in all.
    bytes: usize,
    /// What is lent.
    state: Mutex<State>,
    /// Told whenever something came back.
    freed: Condvar,
}

/// What is lent.
#[derive(Default)]
struct State {
    /// Bytes.
    lent: usize,
    /// Places by line.
    seats: Tally<Line>,
    /// Since when those work who have a turn.
    turns: Vec<Instant>,
    /// Who may be asked to give something back.
    holders: Vec<Weak<dyn Holder>>,
}

/// Who has a number of places for long answers, and shares them with nobody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// A user, by name.
    User(Arc<str>),
    /// All guests of a link, by its number.
    Link(i64),
    /// Those of one network: they have some of the link's.
    Guest(i64, IpAddr),
}

impl Line {
    /// Places in it.
    fn seats(&self) -> usize {
        match self {
            Self::User(_) | Self::Link(_) => limits::STREAMS_PER_USER_MAX,
            Self::Guest(..) => limits::STREAMS_PER_GUEST_MAX,
        }
    }

    /// The one of which it is a part.
    fn around(&self) -> Option<Self> {
        match self {
            Self::User(_) | Self::Link(_) => None,
            Self::Guest(link, _) => Some(Self::Link(*link)),
        }
    }
}

/// Somebody who can do without what they hold, at some cost.
pub trait Holder: Send + Sync {
    /// How long it was not used; `None` while it is, or when nothing is held.
    fn paused(&self) -> Option<Duration>;
    /// Gives back what is not in use.
    fn give_back(&self);
}

impl State {
    /// Takes a place in a line, and in the one around it.
    fn take_seat(&mut self, line: &Line) -> bool {
        if !self.seats.take(line, line.seats()) {
            return false;
        }
        let is_taken = line.around().is_none_or(|around| self.seats.take(&around, around.seats()));
        if !is_taken {
            self.seats.give_back(line);
        }
        is_taken
    }

    /// Gives it back.
    fn give_back_seat(&mut self, line: &Line) {
        self.seats.give_back(line);
        line.around().into_iter().for_each(|around| self.seats.give_back(&around));
    }
}

impl Budget {
    /// So many bytes.
    fn new(bytes: usize) -> Self {
        Self { bytes, state: Mutex::default(), freed: Condvar::new() }
    }

    /// A place for a long answer to somebody; waits a moment for it.
    ///
    /// Errors: `TooSoon`.
    pub fn seat(&'static self, line: &Line) -> Result<Seat> {
        self.wait_for(|state| state.take_seat(line).then_some(()), false)?;
        Ok(Seat { budget: self, line: line.clone() })
    }

    /// Memory; waits a moment for it.
    ///
    /// Errors: `TooSoon`.
    pub fn lend(&'static self, bytes: usize) -> Result<Loan> {
        let at_once = self.lend_at_once(bytes);
        at_once.map_or_else(|| self.wait_for(|state| self.take(state, bytes), true), Ok)
    }

    /// Memory, if there is some or somebody can give it back.
    pub fn lend_at_once(&'static self, bytes: usize) -> Option<Loan> {
        let mut loan = self.take(&mut self.lock(), bytes);
        while loan.is_none() && self.call_back() {
            loan = self.take(&mut self.lock(), bytes);
        }
        loan
    }

    /// Takes memory if there is some.
    fn take(&'static self, state: &mut State, bytes: usize) -> Option<Loan> {
        if self.bytes - state.lent < bytes {
            return None;
        }
        state.lent += bytes;
        Some(Loan { budget: self, bytes })
    }

    /// A turn at work that keeps a processor busy: a few at once, so that short requests find one free.
    /// Whoever holds it for long, because the drive is slow, no longer counts.
    pub fn turn(&'static self) -> Turn {
        let is_mine = |state: &mut State| {
            state.turns.retain(|since| since.elapsed() < limits::TURN_TIME);
            let now = Instant::now();
            let is_free = state.turns.len() < limits::TURNS_MAX;
            state.turns.extend(Some(now).filter(|_| is_free));
            is_free.then_some(now)
        };
        // Late is better than never.
        Turn { budget: self, since: self.wait_for(is_mine, false).ok() }
    }

    /// From now on this one may be asked to give back.
    pub fn may_call_back(&self, holder: Weak<dyn Holder>) {
        let mut state = self.lock();
        state.holders.retain(|holder| holder.strong_count() > 0);
        state.holders.push(holder);
    }

    /// Calls back what was not used for longest; whether there was anything.
    fn call_back(&self) -> bool {
        let holders: Vec<_> = self.lock().holders.iter().filter_map(Weak::upgrade).collect();
        let paused = |holder: &Arc<dyn Holder>| {
            holder.paused().filter(|paused| *paused >= limits::HOLDER_PAUSE_TIME)
        };
        let longest = holders.iter().filter_map(|holder| Some((paused(holder)?, holder)));
        let Some((_, holder)) = longest.max_by_key(|(paused, _)| *paused) else { return false };
        holder.give_back();
        true
    }

    /// Waits until `take` gets what it wants, at most `BUDGET_TIME`. Of memory, what begins to be unused
    /// meanwhile is called back.
    ///
    /// Errors: `TooSoon`.
    fn wait_for<T>(&self, take: impl Fn(&mut State) -> Option<T>, is_memory: bool) -> Result<T> {
        let until = Instant::now() + limits::BUDGET_TIME;
        let mut state = self.lock();
        loop {
            if let Some(got) = take(&mut state) {
                return Ok(got);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::TooSoon { retry_after_s: limits::BUDGET_RETRY_AFTER_S });
            }
            // Turns expire and holders begin to pause without a word.
            let woken = self.freed.wait_timeout(state, left.min(limits::HOLDER_PAUSE_TIME));
            state = threads::whole(woken).0;
            if is_memory {
                drop(state);
                let _nobody_pauses = self.call_back();
                state = self.lock();
            }
        }
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }

    /// Something comes back.
    fn take_back(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.freed.notify_all();
    }
}

/// A place among somebody's long answers, until it is dropped.
pub struct Seat {
    /// Where it is counted.
    budget: &'static Budget,
    /// In which line.
    line: Line,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.budget.take_back(|state| state.give_back_seat(&self.line));
    }
}

/// Lent memory, until it is dropped.
pub struct Loan {
    /// Where it is counted.
    budget: &'static Budget,
    /// How much it is.
    bytes: usize,
}

impl Loan {
    /// How much it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts another one to it.
    pub fn join(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Gives back what is more than this.
    pub fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.budget.take_back(|state| state.lent -= surplus);
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.budget.take_back(|state| state.lent -= self.bytes);
    }
}

/// A turn at work, until it is dropped.
pub struct Turn {
    /// Where it is counted.
    budget: &'static Budget,
    /// When it began; `None` for who waited for too long and works without one.
    since: Option<Instant>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(since) = self.since else { return };
        self.budget.take_back(|state| {
            if let Some(at) = state.turns.iter().position(|turn| *turn == since) {
                state.turns.swap_remove(at);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget of its own.
    fn budget(bytes: usize) -> &'static Budget {
        Box::leak(Box::new(Budget::new(bytes)))
    }

    /// Holds a loan until it is asked for it.
    struct Pausing(Mutex<Option<Loan>>);

    impl Holder for Pausing {
        fn paused(&self) -> Option<Duration> {
            self.0.lock().unwrap().as_ref().map(|_| Duration::from_mins(1))
        }

        fn give_back(&self) {
            *self.0.lock().unwrap() = None;
        }
    }

    #[test]
    fn a_loan_grows_shrinks_and_comes_back() {
        let budget = budget(100);
        let mut loan = budget.lend(60).unwrap();
        assert!(budget.lend_at_once(50).is_none());
        assert!(matches!(budget.lend(50), Err(Error::TooSoon { .. })));
        loan.join(budget.lend_at_once(40).unwrap());
        assert_eq!((loan.bytes(), budget.lend_at_once(1).is_some()), (100, false));
        loan.shrink_to(10);
        drop(budget.lend(90).unwrap());
        drop(loan);
        assert_eq!(budget.lend(100).unwrap().bytes(), 100);
    }

    #[test]
    fn who_pauses_gives_back() {
        let budget = budget(100);
        let holder = Arc::new(Pausing(Mutex::new(Some(budget.lend(100).unwrap()))));
        let weak: Weak<Pausing> = Arc::downgrade(&holder);
        budget.may_call_back(weak);
        assert_eq!(budget.lend(60).unwrap().bytes(), 60);
        assert!(holder.0.lock().unwrap().is_none());
    }

    #[test]
    fn one_user_has_so_many_places_and_leaves_the_others_theirs() {
        let budget = budget(0);
        let (ana, ben) = (Line::User("ana".into()), Line::User("ben".into()));
        let seats: Vec<Seat> =
            (0..limits::STREAMS_PER_USER_MAX).map(|_| budget.seat(&ana).unwrap()).collect();
        assert!(matches!(budget.seat(&ana), Err(Error::TooSoon { .. })));
        drop(budget.seat(&ben).unwrap());
        drop(seats);
        drop(budget.seat(&ana).unwrap());
        assert_eq!(budget.lock().seats.in_all(), 0);
    }

    #[test]
    fn a_link_has_a_line_of_its_own_and_one_guest_a_part_of_it() {
        let budget = budget(0);
        let guest = |link, last| Line::Guest(link, [192, 0, 2, last].into());
        let seats = |line: &Line, count: usize| -> Vec<Seat> {
            (0..count).map(|_| budget.seat(line).unwrap()).collect()
        };
        let of_one = seats(&guest(5, 1), limits::STREAMS_PER_GUEST_MAX);
        assert!(matches!(budget.seat(&guest(5, 1)), Err(Error::TooSoon { .. })));
        let parts = limits::STREAMS_PER_USER_MAX / limits::STREAMS_PER_GUEST_MAX;
        let of_others: Vec<_> = (2..=u8::try_from(parts).unwrap())
            .map(|last| seats(&guest(5, last), limits::STREAMS_PER_GUEST_MAX))
            .collect();
        assert!(matches!(budget.seat(&guest(5, 99)), Err(Error::TooSoon { .. })));
        // Neither another link nor a user waits, whatever they are called.
        drop(budget.seat(&guest(6, 1)).unwrap());
        drop(budget.seat(&Line::User("link 5".into())).unwrap());
        drop((of_one, of_others));
        assert_eq!(budget.lock().seats.in_all(), 0);
    }

    #[test]
    fn turns_are_few_and_come_back() {
        let budget = budget(0);
        let turns: Vec<Turn> = (0..limits::TURNS_MAX).map(|_| budget.turn()).collect();
        assert!(turns.iter().all(|turn| turn.since.is_some()));
        drop(turns);
        assert!(budget.turn().since.is_some());
        assert!(budget.lock().turns.is_empty());
    }
}
