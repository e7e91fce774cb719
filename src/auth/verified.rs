//! Passwords that were right a while ago, so that a program that signs in for each file, as cameras do by FTP,
//! costs Argon2id once and not each time. What is remembered is a MAC of name and password under a key that is
//! made anew at each start: of use to nobody who does not read this process's memory, key and all. A pair that
//! was wrong is never remembered, only that it is being judged. Bounded in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use hmac_sha256::HMAC;

use crate::auth::key;
use crate::error::{Error, Result};
use crate::{limits, threads};

/// What a password is compared with, and what ends everything that was worked out from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The account's number.
    pub id: i64,
    /// The account's epoch; 0 where there is none.
    pub epoch: i64,
    /// Argon2id, in PHC form; its salt is another with each new password.
    pub hash: &'a str,
}

/// The pairs of one kind of account.
#[derive(Default)]
pub struct Verified {
    /// What is remembered, and what is being judged.
    state: Mutex<State>,
    /// Rings when something has been judged.
    judged: Condvar,
}

/// See `Verified`.
#[derive(Default)]
struct State {
    /// The key of this run, once it is needed.
    key: Option<[u8; 32]>,
    /// By the account's number: who has one password has one entry.
    right: HashMap<i64, Entry>,
    /// The MACs of those that are being judged at this moment.
    in_flight: HashSet<[u8; 32]>,
}

/// One that was right.
struct Entry {
    /// The account's epoch at that time.
    epoch: i64,
    /// The account's hash at that time.
    hash: String,
    /// Of name and password.
    mac: [u8; 32],
    /// When it was last asked for.
    used: Instant,
}

/// The right to have one name and password judged; whoever brings the same waits until it ends.
pub struct Flight<'a> {
    /// Where it is known.
    verified: &'a Verified,
    /// Of name and password.
    mac: [u8; 32],
}

impl Verified {
    /// Waits until nobody else has the same name and password judged: then one knows what came of it.
    ///
    /// Errors: `TooSoon` when that takes too long, `Io` (no randomness).
    pub fn enter(&self, name: &str, given: &str) -> Result<Flight<'_>> {
        let mut state = self.lock();
        let mac = state.mac(name, given)?;
        let until = Instant::now() + limits::HASHING_WAIT_MAX;
        while state.in_flight.contains(&mac) {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(Error::TooSoon { retry_after_s: limits::HASHING_RETRY_AFTER_S });
            }
            state = threads::whole(self.judged.wait_timeout(state, rest)).0;
        }
        state.in_flight.insert(mac);
        Ok(Flight { verified: self, mac })
    }

    /// See `threads::locked`.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }
}

impl Flight<'_> {
    /// Whether this pair was right lately for the account as it is now.
    pub fn was_right(&self, stored: &Stored<'_>) -> bool {
        self.was_right_at(stored, Instant::now())
    }

    /// The same at a given time.
    fn was_right_at(&self, stored: &Stored<'_>, now: Instant) -> bool {
        let mut state = self.verified.lock();
        let Some(entry) = state.right.get_mut(&stored.id) else { return false };
        if entry.epoch != stored.epoch || entry.hash != stored.hash || entry.is_over(now) {
            state.right.remove(&stored.id);
            return false;
        }
        let is_same = is_equal(&entry.mac, &self.mac);
        if is_same {
            entry.used = now;
        }
        is_same
    }

    /// Remembers that this pair is right.
    pub fn remember(&self, stored: &Stored<'_>) {
        self.remember_at(stored, Instant::now());
    }

    /// The same at a given time.
    fn remember_at(&self, stored: &Stored<'_>, now: Instant) {
        let mut state = self.verified.lock();
        state.make_room(stored.id, now);
        let hash = stored.hash.to_owned();
        let entry = Entry { epoch: stored.epoch, hash, mac: self.mac, used: now };
        state.right.insert(stored.id, entry);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.verified.lock().in_flight.remove(&self.mac);
        self.verified.judged.notify_all();
    }
}

impl State {
    /// The MAC of a name and a password. The length keeps them apart: "ab" and "c" are not "a" and "bc".
    fn mac(&mut self, name: &str, given: &str) -> Result<[u8; 32]> {
        let key = match self.key {
            Some(key) => key,
            None => *self.key.insert(key::random_bytes()?),
        };
        let mut mac = HMAC::new(key);
        mac.update(name.len().to_be_bytes());
        mac.update(name);
        mac.update(given);
        Ok(mac.finalize())
    }

    /// Before there are too many: drops those that are over, and if none is, the one longest unused.
    fn make_room(&mut self, id: i64, now: Instant) {
        if self.right.len() < limits::VERIFIED_MAX || self.right.contains_key(&id) {
            return;
        }
        self.right.retain(|_, entry| !entry.is_over(now));
        if self.right.len() < limits::VERIFIED_MAX {
            return;
        }
        let oldest = self.right.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.right.remove(&oldest);
        }
    }
}

impl Entry {
    /// Whether it was not asked for in so long that it counts no more.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= limits::VERIFIED_LIFE
    }
}

/// Whether two MACs are the same, in a time that does not tell how far they are. An attacker cannot even make one
/// without the key; this is so that nobody has to think about it.
fn is_equal(one: &[u8; 32], two: &[u8; 32]) -> bool {
    one.iter().zip(two).fold(0, |differing, (one, two)| differing | (one ^ two)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    const ANA: Stored<'static> = Stored { id: 1, epoch: 7, hash: "$argon2id$one" };

    #[test]
    fn a_right_pair_is_known_until_the_account_changes_or_it_is_not_used() {
        let verified = Verified::default();
        let start = Instant::now();
        let enter = |name: &str, given: &str| verified.enter(name, given).unwrap();
        assert!(!enter("ana", "right").was_right_at(&ANA, start));
        enter("ana", "right").remember_at(&ANA, start);
        let almost = limits::VERIFIED_LIFE.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(enter("ana", "right").was_right_at(&ANA, start + almost));
        assert!(enter("ana", "right").was_right_at(&ANA, start + almost + almost), "it was used");
        for (name, given) in [("ana", "wrong"), ("anar", "ight"), ("eve", "right"), ("ana", "")] {
            assert!(!enter(name, given).was_right_at(&ANA, start), "{name} {given}");
        }
        assert!(enter("ana", "right").was_right_at(&ANA, start), "wrong ones drop nothing");
        let idle = start + almost + almost + limits::VERIFIED_LIFE;
        assert!(!enter("ana", "right").was_right_at(&ANA, idle));
        for changed in [
            Stored { epoch: 8, ..ANA },
            Stored { hash: "$argon2id$two", ..ANA },
            Stored { id: 2, ..ANA },
        ] {
            enter("ana", "right").remember_at(&ANA, start);
            assert!(!enter("ana", "right").was_right_at(&changed, start));
        }
    }

    #[test]
    fn what_an_account_no_longer_is_is_dropped_when_it_is_seen() {
        let verified = Verified::default();
        let flight = verified.enter("ana", "right").unwrap();
        flight.remember(&ANA);
        assert!(!flight.was_right(&Stored { epoch: 8, ..ANA }));
        assert!(verified.lock().right.is_empty());
    }

    #[test]
    fn a_pair_that_was_only_judged_leaves_nothing_behind() {
        let verified = Verified::default();
        drop(verified.enter("ana", "wrong").unwrap());
        let state = verified.lock();
        assert!(state.right.is_empty() && state.in_flight.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_longest_unused_goes_first() {
        let verified = Verified::default();
        let flight = verified.enter("ana", "right").unwrap();
        let start = Instant::now();
        for (number, id) in (0..=limits::VERIFIED_MAX).zip(0..) {
            let now = start + Duration::from_millis(number.try_into().unwrap());
            flight.remember_at(&Stored { id, ..ANA }, now);
        }
        assert_eq!(verified.lock().right.len(), limits::VERIFIED_MAX);
        assert!(!flight.was_right_at(&Stored { id: 0, ..ANA }, start));
        assert!(flight.was_right_at(&Stored { id: 1, ..ANA }, start));
        flight.remember_at(&ANA, start + limits::VERIFIED_LIFE * 2);
        assert_eq!(verified.lock().right.len(), limits::VERIFIED_MAX, "it had a place");
        flight.remember_at(&Stored { id: -1, ..ANA }, start + limits::VERIFIED_LIFE * 2);
        assert_eq!(verified.lock().right.len(), 2, "all others were over");
    }

    #[test]
    fn who_brings_the_same_waits_and_who_brings_another_does_not() {
        let verified = Verified::default();
        let has_ended = AtomicBool::new(false);
        let first = verified.enter("ana", "right").unwrap();
        drop(verified.enter("ana", "wrong").unwrap());
        drop(verified.enter("eve", "right").unwrap());
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                let flight = verified.enter("ana", "right").unwrap();
                assert!(has_ended.load(Ordering::Acquire) && flight.was_right(&ANA));
            });
            first.remember(&ANA);
            has_ended.store(true, Ordering::Release);
            drop(first);
            second.join().unwrap();
        });
    }
}
