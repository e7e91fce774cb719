//! How often a name may be tried: a delay that grows with wrong passwords, on all doors of one kind of account
//! together. Bounded in memory. Unknown names are treated as known ones, or the delay would tell them apart.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::throttle::network_of;
use crate::error::{Error, Result};
use crate::{limits, threads};

/// The names that were tried of late, and from where each was signed in.
#[derive(Default)]
pub struct NameThrottle {
    /// Both change together.
    state: Mutex<State>,
}

/// See `NameThrottle`.
#[derive(Default)]
struct State {
    /// Names with recent failures.
    failures: HashMap<Tried, Failures>,
    /// Where each name was signed in, and when last.
    places: HashMap<(String, IpAddr), Instant>,
}

/// What failures are counted for: a name, apart for each address from which it was signed in lately and once
/// for all others together. So strangers can't make the people of the house wait, while whoever guesses from
/// within the house is delayed like any stranger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tried {
    /// The name.
    name: String,
    /// The address, if the name was signed in there lately.
    known_at: Option<IpAddr>,
}

/// What is remembered of a name.
#[derive(Clone, Copy)]
struct Failures {
    /// Wrong passwords in a row, and those that are being judged.
    count: u32,
    /// How many are being judged.
    pending: u32,
    /// When the last was tried or found wrong.
    last: Instant,
}

impl Failures {
    /// How long after the last failure the next try must wait.
    fn delay(self) -> Duration {
        if self.count <= limits::FAILURES_FREE {
            return Duration::ZERO;
        }
        let doublings = (self.count - limits::FAILURES_FREE).min(16);
        Duration::from_secs(1 << doublings).min(limits::FAILURE_DELAY_MAX)
    }

    /// Whether they count no longer.
    fn is_over(self, now: Instant) -> bool {
        self.pending == 0 && now.saturating_duration_since(self.last) >= limits::FAILURE_MEMORY
    }
}

/// A try that was let through. It counts as wrong from its beginning, so that many at the same moment are no
/// way around the delay; who does not say how it ended takes it back.
pub struct Try<'a> {
    /// Where it is counted.
    throttle: &'a NameThrottle,
    /// As what.
    tried: Tried,
    /// From where.
    from: IpAddr,
    /// Whether its end was told.
    is_settled: bool,
}

impl NameThrottle {
    /// Whether somebody at this address signed in under this name lately.
    pub fn is_known(&self, name: &str, from: IpAddr) -> bool {
        self.lock().is_known(name, from, Instant::now())
    }

    /// Whether a try for this name would be let through: asked before anybody waits for anything.
    ///
    /// Errors: `TooSoon`.
    pub fn check(&self, name: &str, from: IpAddr) -> Result<()> {
        let (state, now) = (self.lock(), Instant::now());
        state.check(&state.tried(name, from, now), now)
    }

    /// Lets a try for this name through and counts it, or says how long to wait.
    ///
    /// Errors: `TooSoon`.
    pub fn admit(&self, name: &str, from: IpAddr) -> Result<Try<'_>> {
        self.admit_at(name, from, Instant::now())
    }

    /// The same at a given time.
    fn admit_at(&self, name: &str, from: IpAddr, now: Instant) -> Result<Try<'_>> {
        let mut state = self.lock();
        let tried = state.tried(name, from, now);
        state.check(&tried, now)?;
        let failures = state.of(&tried, now);
        failures.count = failures.count.saturating_add(1);
        failures.pending += 1;
        failures.last = now;
        Ok(Try { throttle: self, tried, from: network_of(from), is_settled: false })
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }
}

impl Try<'_> {
    /// The password was right: the failures are forgotten, and the address is known from now on.
    pub fn was_right(self) {
        self.was_right_at(Instant::now());
    }

    /// The password was wrong.
    pub fn was_wrong(self) {
        self.was_wrong_at(Instant::now());
    }

    /// The same at a given time.
    fn was_right_at(mut self, now: Instant) {
        self.is_settled = true;
        let mut state = self.throttle.lock();
        if let Some(failures) = state.failures.get_mut(&self.tried) {
            failures.pending = failures.pending.saturating_sub(1);
            failures.count = failures.pending;
            if failures.pending == 0 {
                state.failures.remove(&self.tried);
            }
        }
        state.remember(&self.tried.name, self.from, now);
    }

    /// The same at a given time.
    fn was_wrong_at(mut self, now: Instant) {
        self.is_settled = true;
        let mut state = self.throttle.lock();
        let failures = state.of(&self.tried, now);
        failures.pending = failures.pending.saturating_sub(1);
        failures.count = failures.count.max(1);
        failures.last = now;
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let mut state = self.throttle.lock();
        if let Some(failures) = state.failures.get_mut(&self.tried) {
            failures.pending = failures.pending.saturating_sub(1);
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

impl State {
    /// Whether somebody at this address signed in under this name lately.
    fn is_known(&self, name: &str, from: IpAddr, now: Instant) -> bool {
        self.places
            .get(&(name.to_owned(), network_of(from)))
            .is_some_and(|then| now.saturating_duration_since(*then) < limits::PLACE_MEMORY)
    }

    /// What a try is counted as.
    fn tried(&self, name: &str, from: IpAddr, now: Instant) -> Tried {
        let known_at = self.is_known(name, from, now).then(|| network_of(from));
        Tried { name: name.to_owned(), known_at }
    }

    /// Whether it need not wait.
    fn check(&self, tried: &Tried, now: Instant) -> Result<()> {
        let failures = self.failures.get(tried).filter(|failures| !failures.is_over(now));
        let Some(failures) = failures else { return Ok(()) };
        let waited = now.saturating_duration_since(failures.last);
        let rest = failures.delay().saturating_sub(waited);
        if rest.is_zero() {
            return Ok(());
        }
        Err(Error::TooSoon { retry_after_s: rest.as_secs() + 1 })
    }

    /// The failures of a name, none if there were none of late.
    fn of(&mut self, tried: &Tried, now: Instant) -> &mut Failures {
        if !self.failures.contains_key(tried) {
            self.make_room(now);
        }
        let fresh = Failures { count: 0, pending: 0, last: now };
        let failures = self.failures.entry(tried.clone()).or_insert(fresh);
        if failures.is_over(now) {
            *failures = fresh;
        }
        failures
    }

    /// Before there are too many names: drops those that are over, and if none is, the one with the fewest
    /// failures. So nobody gets rid of a name's failures with a flood of made-up ones.
    fn make_room(&mut self, now: Instant) {
        if self.failures.len() < limits::FAILURE_NAMES_MAX {
            return;
        }
        self.failures.retain(|_, failures| !failures.is_over(now));
        if self.failures.len() < limits::FAILURE_NAMES_MAX {
            return;
        }
        let least =
            self.failures.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
        if let Some(least) = least.map(|(tried, _)| tried.clone()) {
            self.failures.remove(&least);
        }
    }

    /// Remembers that somebody signed in here. Of one name, and in all, the oldest place makes room.
    fn remember(&mut self, name: &str, from: IpAddr, now: Instant) {
        self.places.insert((name.to_owned(), from), now);
        let of_name = self.places.keys().filter(|(other, _)| other == name).count();
        let is_full = self.places.len() > limits::PLACES_MAX;
        if of_name <= limits::PLACES_PER_NAME_MAX && !is_full {
            return;
        }
        let is_meant = |other: &str| of_name <= limits::PLACES_PER_NAME_MAX || other == name;
        let oldest = self.places.iter().filter(|((other, _), _)| is_meant(other));
        let oldest = oldest.min_by_key(|(_, then)| **then).map(|(place, _)| place.clone());
        if let Some(oldest) = oldest {
            self.places.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 2));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    fn wrong(throttle: &NameThrottle, name: &str, from: IpAddr, now: Instant) {
        throttle.admit_at(name, from, now).unwrap().was_wrong_at(now);
    }

    fn is_admitted(throttle: &NameThrottle, name: &str, from: IpAddr, now: Instant) -> bool {
        match throttle.admit_at(name, from, now) {
            Ok(_taken_back) => true,
            Err(Error::TooSoon { retry_after_s }) => {
                assert!((1..=31).contains(&retry_after_s));
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_delay_of_a_name_grows_and_ends() {
        let throttle = NameThrottle::default();
        let now = Instant::now();
        for _ in 0..limits::FAILURES_FREE {
            wrong(&throttle, "ana", AWAY, now);
            assert!(is_admitted(&throttle, "ana", AWAY, now));
        }
        wrong(&throttle, "ana", AWAY, now);
        assert!(!is_admitted(&throttle, "ana", AWAY, now));
        assert!(!is_admitted(&throttle, "ana", HOME, now), "one delay for all strangers");
        assert!(is_admitted(&throttle, "bea", AWAY, now));
        let mut now = now + Duration::from_secs(2);
        for _ in 0..40 {
            wrong(&throttle, "ana", AWAY, now);
            assert!(!is_admitted(&throttle, "ana", AWAY, now));
            now += limits::FAILURE_DELAY_MAX;
        }
        throttle.admit_at("ana", AWAY, now).unwrap().was_right_at(now);
        assert!(is_admitted(&throttle, "ana", HOME, now));
    }

    #[test]
    fn many_at_the_same_moment_are_no_way_around_the_delay() {
        let throttle = NameThrottle::default();
        let now = Instant::now();
        let judged: Vec<Try<'_>> =
            (0..100).filter_map(|_| throttle.admit_at("ana", AWAY, now).ok()).collect();
        assert!((1..=10).contains(&judged.len()), "{}", judged.len());
        assert!(!is_admitted(&throttle, "ana", AWAY, now));
        // Those that nobody could judge, or that were right, leave nothing behind.
        drop(judged);
        for _ in 0..100 {
            throttle.admit_at("ana", AWAY, now).unwrap().was_right_at(now);
        }
        assert!(throttle.lock().failures.is_empty());
    }

    #[test]
    fn a_right_password_does_not_take_back_the_guesses_beside_it() {
        let throttle = NameThrottle::default();
        let now = Instant::now();
        let guess = throttle.admit_at("ana", AWAY, now).unwrap();
        throttle.admit_at("ana", HOME, now).unwrap().was_right_at(now);
        guess.was_wrong_at(now);
        let tried = throttle.lock().tried("ana", AWAY, now);
        assert_eq!(throttle.lock().failures[&tried].count, 1);
    }

    #[test]
    fn strangers_do_not_make_the_house_wait_but_its_own_mistakes_do() {
        let throttle = NameThrottle::default();
        let now = Instant::now();
        throttle.admit_at("ana", HOME, now).unwrap().was_right_at(now);
        for _ in 0..=limits::FAILURES_FREE {
            wrong(&throttle, "ana", AWAY, now);
        }
        assert!(!is_admitted(&throttle, "ana", AWAY, now));
        assert!(is_admitted(&throttle, "ana", HOME, now) && throttle.is_known("ana", HOME));
        // Coming home does not help who guesses elsewhere.
        throttle.admit_at("ana", HOME, now).unwrap().was_right_at(now);
        assert!(!is_admitted(&throttle, "ana", AWAY, now));
        for _ in 0..=limits::FAILURES_FREE {
            wrong(&throttle, "ana", HOME, now);
        }
        assert!(!is_admitted(&throttle, "ana", HOME, now));
        assert!(!throttle.is_known("bea", HOME));
        let later = now + limits::PLACE_MEMORY;
        assert!(!throttle.lock().is_known("ana", HOME, later));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_names_gets_rid_of_nothing() {
        let throttle = NameThrottle::default();
        let now = Instant::now();
        for _ in 0..=limits::FAILURES_FREE {
            wrong(&throttle, "ana", AWAY, now);
        }
        for number in 0..2000 {
            wrong(&throttle, &number.to_string(), AWAY, now + Duration::from_millis(number));
        }
        assert_eq!(throttle.lock().failures.len(), limits::FAILURE_NAMES_MAX);
        assert!(!is_admitted(&throttle, "ana", AWAY, now + Duration::from_secs(1)));
        for number in 0..3000_u32 {
            let (name, from) = ((number / 20).to_string(), IpAddr::V4(number.into()));
            let then = now + Duration::from_mins(30) + Duration::from_millis(number.into());
            throttle.admit_at(&name, from, then).unwrap().was_right_at(then);
            assert!(throttle.lock().is_known(&name, from, then));
        }
        let state = throttle.lock();
        assert_eq!(state.places.len(), limits::PLACES_MAX);
        let of_one = state.places.keys().filter(|(name, _)| name == "149").count();
        assert_eq!(of_one, limits::PLACES_PER_NAME_MAX);
    }
}
