//! How often somebody may ask: once in a while for each address. Bounded in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::limits;
use crate::threads::locked;

/// One request in `THROTTLE_INTERVAL` per client address.
#[derive(Default)]
pub struct AddressThrottle {
    /// When each address was last let through.
    last: Mutex<HashMap<IpAddr, Instant>>,
}

impl AddressThrottle {
    /// Lets the request through, or says how long to wait.
    ///
    /// Errors: `TooSoon`.
    pub fn admit(&self, address: IpAddr) -> Result<()> {
        self.admit_at(address, Instant::now())
    }

    /// The same at a given time.
    fn admit_at(&self, address: IpAddr, now: Instant) -> Result<()> {
        let mut last = locked(&self.last);
        let address = network_of(address);
        if let Some(before) = last.get(&address)
            && now.saturating_duration_since(*before) < limits::THROTTLE_INTERVAL
        {
            return Err(Error::TooSoon { retry_after_s: 1 });
        }
        make_room(&mut last, limits::THROTTLE_ADDRESSES_MAX, |then| {
            now.saturating_duration_since(*then) >= limits::THROTTLE_INTERVAL
        });
        last.insert(address, now);
        Ok(())
    }
}

/// So many wrong guesses in `GUESS_WINDOW` per client address. Whoever guesses right is never asked here.
#[derive(Default)]
pub struct GuessThrottle {
    /// Of each address when its window began, and how often it was wrong since.
    wrong: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl GuessThrottle {
    /// Counts a wrong guess, or says how long to wait with the next.
    ///
    /// Errors: `TooSoon`.
    pub fn was_wrong(&self, address: IpAddr) -> Result<()> {
        self.was_wrong_at(address, Instant::now())
    }

    /// The same at a given time.
    fn was_wrong_at(&self, address: IpAddr, now: Instant) -> Result<()> {
        let mut wrong = locked(&self.wrong);
        let address = network_of(address);
        let age = |since: Instant| now.saturating_duration_since(since);
        match wrong.get_mut(&address) {
            Some((since, count)) if age(*since) < limits::GUESS_WINDOW => {
                if *count >= limits::GUESSES_PER_WINDOW_MAX {
                    let rest = limits::GUESS_WINDOW.saturating_sub(age(*since));
                    return Err(Error::TooSoon { retry_after_s: rest.as_secs() + 1 });
                }
                *count += 1;
            }
            _ => {
                make_room(&mut wrong, limits::GUESSING_ADDRESSES_MAX, |(since, _)| {
                    age(*since) >= limits::GUESS_WINDOW
                });
                wrong.insert(address, (now, 1));
            }
        }
        Ok(())
    }
}

/// So many losses at once, and after them one each `LOST_UPLOAD_INTERVAL`, per link and client address: what guests
/// begin to bring and give up again costs the card as much as what they bring.
#[derive(Default)]
pub struct LossThrottle {
    /// Of each link and address when all of its losses will have been forgotten.
    until: Mutex<HashMap<(i64, IpAddr), Instant>>,
}

impl LossThrottle {
    /// Whether whoever brings something by this link from here has lost little of late.
    ///
    /// Errors: `TooSoon`.
    pub fn admit(&self, link_id: i64, address: IpAddr) -> Result<()> {
        self.admit_at((link_id, network_of(address)), Instant::now())
    }

    /// One more was lost.
    pub fn lost(&self, link_id: i64, address: IpAddr) {
        self.lost_at((link_id, network_of(address)), Instant::now());
    }

    /// The same at a given time.
    fn admit_at(&self, who: (i64, IpAddr), now: Instant) -> Result<()> {
        let until = locked(&self.until).get(&who).copied();
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let free = limits::LOST_UPLOAD_INTERVAL * (limits::LOST_UPLOADS_AT_ONCE - 1);
        match left.checked_sub(free) {
            Some(wait) if !wait.is_zero() => {
                Err(Error::TooSoon { retry_after_s: wait.as_secs() + 1 })
            }
            _ => Ok(()),
        }
    }

    /// The same at a given time.
    fn lost_at(&self, who: (i64, IpAddr), now: Instant) {
        let mut until = locked(&self.until);
        if !until.contains_key(&who) {
            make_room(&mut until, limits::THROTTLE_ADDRESSES_MAX, |until| *until <= now);
        }
        let before = until.get(&who).copied().unwrap_or(now).max(now);
        until.insert(who, before + limits::LOST_UPLOAD_INTERVAL);
    }
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 client chooses its own
/// address from.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
    }
}

/// Before a map grows beyond its bound: drops what is over, and if nothing is, an arbitrary one.
fn make_room<K: Clone + Eq + Hash, V>(
    map: &mut HashMap<K, V>,
    entries_max: usize,
    is_over: impl Fn(&V) -> bool,
) {
    if map.len() < entries_max {
        return;
    }
    map.retain(|_, value| !is_over(value));
    if map.len() >= entries_max
        && let Some(victim) = map.keys().next().cloned()
    {
        map.remove(&victim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_guesses_a_minute_are_heard_of_one_address() {
        let throttle = GuessThrottle::default();
        let now = Instant::now();
        let guess = |address: &str, at| throttle.was_wrong_at(address.parse().unwrap(), at);
        for number in 0..30 {
            let told = guess(&format!("2001:db8::{number}"), now);
            assert_eq!(is_admitted(told), number < 10, "one network");
        }
        assert!(guess("2001:db8:0:1::1", now).is_ok(), "another network");
        let last = now + Duration::from_millis(59_999);
        assert!(matches!(guess("2001:db8::1", last), Err(Error::TooSoon { retry_after_s: 1 })));
        assert!(guess("2001:db8::1", now + limits::GUESS_WINDOW).is_ok());
        for number in 0..5000_u32 {
            let _counted = throttle.was_wrong_at(IpAddr::V4(number.into()), now);
        }
        assert!(locked(&throttle.wrong).len() <= limits::GUESSING_ADDRESSES_MAX);
    }

    #[test]
    fn who_has_lost_much_waits_and_nobody_else_does() {
        let throttle = LossThrottle::default();
        let (start, one, two) = (Instant::now(), [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let admit = |who, at| throttle.admit_at(who, at);
        for _ in 0..limits::LOST_UPLOADS_AT_ONCE {
            admit((7, one), start).unwrap();
            throttle.lost_at((7, one), start);
        }
        let wait = limits::LOST_UPLOAD_INTERVAL;
        let refused = admit((7, one), start);
        let told = wait.as_secs() + 1;
        assert!(matches!(refused, Err(Error::TooSoon { retry_after_s }) if retry_after_s == told));
        admit((8, one), start).unwrap();
        admit((7, two), start).unwrap();
        admit((7, one), start + wait).unwrap();
        throttle.lost_at((7, one), start + wait);
        assert!(admit((7, one), start + wait).is_err());
        let day = Duration::from_hours(24);
        for _ in 0..limits::LOST_UPLOADS_AT_ONCE {
            admit((7, one), start + day).unwrap();
            throttle.lost_at((7, one), start + day);
        }
        assert!(admit((7, one), start + day).is_err());
        for number in 0..5000_u32 {
            throttle.lost_at((7, IpAddr::V4(number.into())), start);
        }
        assert!(locked(&throttle.until).len() <= limits::THROTTLE_ADDRESSES_MAX);
    }

    fn is_admitted(result: Result<()>) -> bool {
        match result {
            Ok(()) => true,
            Err(Error::TooSoon { retry_after_s }) => {
                assert!((1..=61).contains(&retry_after_s));
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_a_second_for_each_address() {
        let throttle = AddressThrottle::default();
        let (start, one, two) = (Instant::now(), [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert!(is_admitted(throttle.admit_at(one, start)));
        assert!(!is_admitted(throttle.admit_at(one, start + Duration::from_millis(999))));
        assert!(is_admitted(throttle.admit_at(two, start)));
        assert!(is_admitted(throttle.admit_at(one, start + Duration::from_secs(1))));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let throttle = AddressThrottle::default();
        let now = Instant::now();
        assert!(is_admitted(throttle.admit_at("fd00::1".parse().unwrap(), now)));
        assert!(!is_admitted(throttle.admit_at("fd00::2".parse().unwrap(), now)));
        assert!(is_admitted(throttle.admit_at("fd00:0:0:1::1".parse().unwrap(), now)));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = AddressThrottle::default();
        let now = Instant::now();
        for number in 0..5000_u32 {
            assert!(is_admitted(throttle.admit_at(IpAddr::V4(number.into()), now)));
        }
        assert_eq!(locked(&throttle.last).len(), limits::THROTTLE_ADDRESSES_MAX);
    }
}
