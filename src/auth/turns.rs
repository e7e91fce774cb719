//! Whose password is hashed next. Memory for Argon2id is scarce, so only a few are hashed at once; the turns
//! go round by address, so that one address that sends thousands of guesses holds up nobody but itself.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::throttle::network_of;
use crate::error::{Error, Result};
use crate::{limits, threads};

/// Hands out the turns.
pub struct Turns {
    /// Who works and who waits.
    state: Mutex<State>,
    /// Rings when turns were given to somebody who waits.
    given: Condvar,
    /// Turns at once.
    at_once: usize,
}

/// Who works and who waits.
struct State {
    /// Turns that are taken, those included that nobody has picked up yet.
    taken: usize,
    /// Who waits, in the order in which the next turns are given.
    lines: VecDeque<Line>,
    /// Tickets whose turn has come.
    called: Vec<u64>,
    /// The number of the last ticket.
    last_ticket: u64,
}

/// Those of one address who wait.
struct Line {
    /// Whose they are.
    whose: Party,
    /// Their tickets, the oldest first. Never empty.
    tickets: VecDeque<u64>,
}

/// For whom something is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Somebody who has signed in, or larder itself. Other limits bound how many those are.
    House,
    /// Somebody who wants to sign in from here, and did so lately.
    Known(IpAddr),
    /// Somebody who wants to sign in from here.
    Stranger(IpAddr),
}

/// The right to hash one password; ends with its drop.
pub struct Turn<'a>(&'a Turns);

impl Turns {
    /// So many at once.
    pub const fn new(at_once: usize) -> Self {
        let state = State { taken: 0, lines: VecDeque::new(), called: Vec::new(), last_ticket: 0 };
        Self { state: Mutex::new(state), given: Condvar::new(), at_once }
    }

    /// Waits for a turn.
    ///
    /// Errors: `TooSoon` when too many wait already, or it takes too long.
    pub fn take(&self, party: Party) -> Result<Turn<'_>> {
        self.take_within(party, limits::HASHING_WAIT_MAX)
    }

    /// The same, waiting at most so long.
    fn take_within(&self, party: Party, time: Duration) -> Result<Turn<'_>> {
        let mut state = self.lock();
        if state.taken < self.at_once {
            // Turns that become free are handed on at once: nobody waits while one is left.
            state.taken += 1;
            return Ok(Turn(self));
        }
        let ticket = state.queue(party.counted())?;
        let until = Instant::now() + time;
        loop {
            if state.is_called(ticket) {
                return Ok(Turn(self));
            }
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                state.leave(ticket);
                return Err(TOO_MANY);
            }
            let waited = self.given.wait_timeout(state, rest);
            state = threads::whole(waited).0;
        }
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }
}

/// What is said to whom there is no place for.
const TOO_MANY: Error = Error::TooSoon { retry_after_s: limits::HASHING_RETRY_AFTER_S };

impl Party {
    /// The same with what counts as one address.
    fn counted(self) -> Self {
        match self {
            Self::House => Self::House,
            Self::Known(address) => Self::Known(network_of(address)),
            Self::Stranger(address) => Self::Stranger(network_of(address)),
        }
    }
}

impl State {
    /// Joins the line of a party; gives the ticket.
    fn queue(&mut self, party: Party) -> Result<u64> {
        let in_all: usize = self.lines.iter().map(|line| line.tickets.len()).sum();
        let line = self.lines.iter_mut().find(|line| line.whose == party);
        let mine = line.as_ref().map_or(0, |line| line.tickets.len());
        let is_full = match party {
            Party::House => false,
            // Strangers who fill the queue must not keep those out who live here.
            Party::Known(_) => mine >= limits::HASHINGS_WAITING_PER_ADDRESS_MAX,
            Party::Stranger(_) => {
                mine >= limits::HASHINGS_WAITING_PER_ADDRESS_MAX
                    || in_all >= limits::HASHINGS_WAITING_MAX
            }
        };
        if is_full {
            return Err(TOO_MANY);
        }
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        if let Some(line) = line {
            line.tickets.push_back(ticket);
            return Ok(ticket);
        }
        let line = Line { whose: party, tickets: VecDeque::from([ticket]) };
        if matches!(party, Party::Known(_)) {
            // Once: whatever else waits in this line comes after everybody else's next turn.
            self.lines.push_front(line);
        } else {
            self.lines.push_back(line);
        }
        Ok(ticket)
    }

    /// Whether the turn of a ticket has come; then the ticket is gone.
    fn is_called(&mut self, ticket: u64) -> bool {
        let called = self.called.iter().position(|called| *called == ticket);
        called.map(|at| self.called.swap_remove(at)).is_some()
    }

    /// Waits no longer.
    fn leave(&mut self, ticket: u64) {
        for line in &mut self.lines {
            line.tickets.retain(|waiting| *waiting != ticket);
        }
        self.lines.retain(|line| !line.tickets.is_empty());
    }

    /// Gives a turn that has become free to whoever is next; says whether there is anybody.
    fn call_next(&mut self) -> bool {
        let Some(mut line) = self.lines.pop_front() else { return false };
        self.called.extend(line.tickets.pop_front());
        if !line.tickets.is_empty() {
            self.lines.push_back(line);
        }
        true
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.call_next() {
            drop(state);
            self.0.given.notify_all();
        } else {
            state.taken -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));
    const THREE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 3));

    fn waiting(turns: &Turns) -> usize {
        turns.lock().lines.iter().map(|line| line.tickets.len()).sum()
    }

    /// The order in which parties get their turns when they came in this one.
    fn served(parties: &[Party]) -> Vec<Party> {
        let turns = Turns::new(1);
        let (sender, order) = mpsc::channel();
        thread::scope(|scope| {
            let held = turns.take(Party::House).unwrap();
            for (index, party) in parties.iter().copied().enumerate() {
                let (turns, sender) = (&turns, sender.clone());
                scope.spawn(move || {
                    let _turn = turns.take(party).unwrap();
                    sender.send(party).unwrap();
                });
                while waiting(turns) <= index {
                    thread::yield_now();
                }
            }
            drop(held);
        });
        order.try_iter().collect()
    }

    #[test]
    fn turns_go_round_by_address() {
        let (one, two, three) =
            (Party::Stranger(ONE), Party::Stranger(TWO), Party::Stranger(THREE));
        assert_eq!(served(&[one, one, one, two, three, two]), [one, two, three, one, two, one]);
        assert_eq!(served(&[one, one, Party::House]), [one, Party::House, one]);
    }

    #[test]
    fn who_was_here_lately_comes_first_but_only_once() {
        let (one, two) = (Party::Stranger(ONE), Party::Stranger(TWO));
        let known = Party::Known(THREE);
        assert_eq!(served(&[one, two, known, known]), [known, one, two, known]);
    }

    #[test]
    fn addresses_of_one_ipv6_network_wait_in_one_line() {
        let [one, same, other] = ["fd00::1", "fd00::2", "fd00:0:0:1::1"]
            .map(|text| Party::Stranger(text.parse().unwrap()));
        assert_eq!(served(&[one, same, other]), [one, other, same]);
    }

    #[test]
    fn no_more_wait_than_may_and_not_for_ever() {
        let turns = Turns::new(1);
        let held = turns.take(Party::House).unwrap();
        let brief = Duration::from_millis(1);
        let is_refused =
            |party| matches!(turns.take_within(party, brief), Err(Error::TooSoon { .. }));
        assert!(is_refused(Party::House));
        assert_eq!(waiting(&turns), 0);
        for _ in 0..limits::HASHINGS_WAITING_PER_ADDRESS_MAX {
            turns.lock().queue(Party::Stranger(ONE)).unwrap();
        }
        assert!(turns.lock().queue(Party::Stranger(ONE)).is_err());
        for number in 0.. {
            let address = IpAddr::V4((0x0b00_0000 + number).into());
            if turns.lock().queue(Party::Stranger(address)).is_err() {
                break;
            }
        }
        assert_eq!(waiting(&turns), limits::HASHINGS_WAITING_MAX);
        turns.lock().queue(Party::Known(TWO)).unwrap();
        turns.lock().queue(Party::House).unwrap();
        drop(held);
    }

    #[test]
    fn a_turn_that_nobody_waits_for_is_free() {
        let turns = Turns::new(2);
        let (one, two) = (turns.take(Party::House).unwrap(), turns.take(Party::House).unwrap());
        drop((one, two));
        assert_eq!(turns.lock().taken, 0);
        let _again = turns.take(Party::House).unwrap();
    }
}
