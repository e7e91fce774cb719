//! One wrong password in a while for each address, however many connections it has: the next try waits. Right
//! ones cost no time but their own, so that a program that opens ten connections at once gets them.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::throttle::network_of;
use crate::error::{Error, Result};
use crate::{limits, threads};

/// Lets tries in, one after the other in each lane.
#[derive(Default)]
pub struct Pace {
    /// Lanes in which somebody is, waits, or was wrong a moment ago.
    lanes: Mutex<HashMap<Name, Lane>>,
    /// Rings when somebody leaves a lane.
    left: Condvar,
}

/// Which lane: an address, and apart from it each name that was signed in from there lately. So whoever
/// guesses other names from behind the same address holds up none of these.
type Name = (IpAddr, Option<String>);

/// One lane.
struct Lane {
    /// Whether a try is being judged.
    is_busy: bool,
    /// Who waits, in order.
    waiting: VecDeque<u64>,
    /// The number of the last who waited.
    last_ticket: u64,
    /// When the next may be let in.
    open_at: Instant,
}

/// The right to be judged; whoever does not say that it was wrong lets the next in at once.
pub struct Admitted<'a> {
    /// Where it is.
    pace: &'a Pace,
    /// In which lane.
    name: Name,
    /// How long the lane stays closed behind it.
    rest: Duration,
}

impl Pace {
    /// Waits until a try from this address may be judged; with `known_as` when that name was signed in from
    /// there lately. Whoever `is_gone` waits no longer.
    ///
    /// Errors: `TooSoon` after `FTP_TRY_WAIT_MAX`, `Disconnected`.
    pub fn enter(
        &self,
        from: IpAddr,
        known_as: Option<&str>,
        is_gone: impl Fn() -> bool,
    ) -> Result<Admitted<'_>> {
        let name = (network_of(from), known_as.map(str::to_owned));
        let until = Instant::now() + limits::FTP_TRY_WAIT_MAX;
        let mut lanes = self.lock();
        let ticket = lane(&mut lanes, &name).join();
        loop {
            let now = Instant::now();
            let lane = lane(&mut lanes, &name);
            if is_gone() || now >= until {
                lane.waiting.retain(|waiting| *waiting != ticket);
                drop(lanes);
                self.left.notify_all();
                let retry_after_s = limits::HASHING_RETRY_AFTER_S;
                return Err(if now < until {
                    Error::Disconnected
                } else {
                    Error::TooSoon { retry_after_s }
                });
            }
            let Some(rest) = lane.rest(ticket, now) else {
                lane.waiting.pop_front();
                lane.is_busy = true;
                return Ok(Admitted { pace: self, name, rest: Duration::ZERO });
            };
            let waited = self.left.wait_timeout(lanes, rest.min(limits::FTP_TRY_LOOK_TIME));
            lanes = threads::whole(waited).0;
        }
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Lane>> {
        threads::locked(&self.lanes)
    }
}

/// The lane of this name. Those that nobody needs any more go when there are many: the rest are bounded by
/// the sessions that stand in them, and by what is judged in `THROTTLE_INTERVAL`.
fn lane<'a>(lanes: &'a mut HashMap<Name, Lane>, name: &Name) -> &'a mut Lane {
    let now = Instant::now();
    if lanes.len() >= limits::FTP_LANES_KEPT && !lanes.contains_key(name) {
        lanes.retain(|_, lane| lane.is_busy || !lane.waiting.is_empty() || lane.open_at > now);
    }
    lanes.entry(name.clone()).or_insert_with(|| Lane {
        is_busy: false,
        waiting: VecDeque::new(),
        last_ticket: 0,
        open_at: now,
    })
}

impl Lane {
    /// Takes a place at the end.
    fn join(&mut self) -> u64 {
        self.last_ticket += 1;
        self.waiting.push_back(self.last_ticket);
        self.last_ticket
    }

    /// How long this one has to wait at least, as far as can be said; `None`: not at all.
    fn rest(&self, ticket: u64, now: Instant) -> Option<Duration> {
        if self.is_busy || self.waiting.front() != Some(&ticket) {
            return Some(limits::FTP_TRY_LOOK_TIME);
        }
        let rest = self.open_at.saturating_duration_since(now);
        (!rest.is_zero()).then_some(rest)
    }
}

impl Admitted<'_> {
    /// The password was wrong: the next waits.
    pub fn was_wrong(mut self) {
        self.rest = limits::THROTTLE_INTERVAL;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let mut lanes = self.pace.lock();
        if let Some(lane) = lanes.get_mut(&self.name) {
            lane.is_busy = false;
            lane.open_at = Instant::now() + self.rest;
        }
        drop(lanes);
        self.pace.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn stays() -> bool {
        false
    }

    /// Whether one who looks once and leaves is let in.
    fn is_open(pace: &Pace, from: IpAddr, known_as: Option<&str>) -> bool {
        let looks = AtomicU32::new(0);
        let found = pace.enter(from, known_as, || looks.fetch_add(1, Ordering::Relaxed) > 0);
        assert!(matches!(found, Ok(_) | Err(Error::Disconnected)));
        found.is_ok()
    }

    #[test]
    fn a_wrong_one_closes_its_own_lane_for_a_while() {
        let pace = Pace::default();
        let begun = Instant::now();
        pace.enter(ONE, None, stays).unwrap().was_wrong();
        assert!(!is_open(&pace, ONE, None));
        assert!(is_open(&pace, TWO, None));
        assert!(is_open(&pace, ONE, Some("ana")), "who was here lately has a lane of their own");
        drop(pace.enter(ONE, None, stays).unwrap());
        assert!(begun.elapsed() >= limits::THROTTLE_INTERVAL);
        assert!(is_open(&pace, ONE, None), "a right one closes nothing");
    }

    #[test]
    fn one_after_the_other_is_judged() {
        let pace = Pace::default();
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _admitted = pace.enter(ONE, None, stays).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_leaves_the_line_holds_nobody_up_and_nothing_is_kept() {
        let pace = Pace::default();
        let judged = pace.enter(ONE, None, stays).unwrap();
        assert!(!is_open(&pace, ONE, None));
        drop(judged);
        assert!(is_open(&pace, ONE, None));
        for number in 0..5000_u32 {
            drop(pace.enter(IpAddr::V4(number.into()), None, stays).unwrap());
        }
        assert!(pace.lock().len() <= limits::FTP_LANES_KEPT);
    }
}
