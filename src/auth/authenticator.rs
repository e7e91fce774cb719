//! Whether a name and a password belong together, at all doors of one kind of account: the house's users have
//! one of these, FTP's own users another, so that guesses at one kind make nobody of the other wait.

use std::net::IpAddr;

use crate::auth::names::NameThrottle;
use crate::auth::password;
use crate::auth::turns::Party;
use crate::auth::verified::{Flight, Stored, Verified};
use crate::error::Result;
use crate::limits;

/// Judges those who want to sign in as somebody of one kind.
#[derive(Default)]
pub struct Authenticator {
    /// How often each name may be tried.
    names: NameThrottle,
    /// What was right lately.
    verified: Verified,
}

/// What came of a name and a password that are brought with each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// They were right lately.
    Remembered,
    /// They are right.
    Right,
    /// They do not belong together.
    Wrong,
}

impl Authenticator {
    /// Whether somebody at this address signed in under this name lately.
    pub fn is_known(&self, name: &str, from: IpAddr) -> bool {
        self.names.is_known(name, from)
    }

    /// Whether a try would be judged now, or has to come later. Costs nothing: for who is about to wait.
    ///
    /// Errors: `TooSoon`.
    pub fn check(&self, name: &str, from: IpAddr) -> Result<()> {
        self.names.check(name, from)
    }

    /// Lets somebody in by something that needs no hashing and nobody guesses; counted, and made to wait while the name
    /// is guessed, like any other.
    ///
    /// Errors: `TooSoon`.
    pub fn let_in(&self, name: &str, from: IpAddr) -> Result<()> {
        self.names.admit(name, from)?.was_right();
        Ok(())
    }

    /// Whether this is the password whose hash is `stored`; `None` when there is nobody of that name, which
    /// takes as long. What is judged at the same moment counts as wrong until it is known to be right. What was
    /// right lately is compared without hashing, but is counted, and has to wait, like any other.
    ///
    /// Errors: `TooSoon` after wrong ones, or when too many want to sign in at once.
    pub fn is_right(
        &self,
        name: &str,
        from: IpAddr,
        given: &str,
        stored: Option<Stored<'_>>,
    ) -> Result<bool> {
        if name.len() > limits::USERNAME_BYTES_MAX || given.len() > limits::PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        self.check(name, from)?;
        let flight = self.verified.enter(name, given)?;
        if stored.is_some_and(|stored| flight.was_right(&stored)) {
            self.names.admit(name, from)?.was_right();
            return Ok(true);
        }
        self.judge((name, from), given, stored, &flight)
    }

    /// The same of what is brought with each request: what was right lately never waits. Anything else is asked about
    /// first by `admit`; what is brought several times at once is judged once.
    ///
    /// Errors: those of `admit`; `TooSoon`.
    pub fn is_right_each_time(
        &self,
        (name, from): (&str, IpAddr),
        given: &str,
        stored: Option<Stored<'_>>,
        admit: &dyn Fn() -> Result<()>,
    ) -> Result<Judged> {
        if name.len() > limits::USERNAME_BYTES_MAX || given.len() > limits::PASSWORD_BYTES_MAX {
            return Ok(Judged::Wrong);
        }
        let flight = self.verified.enter(name, given)?;
        if stored.is_some_and(|stored| flight.was_right(&stored)) {
            return Ok(Judged::Remembered);
        }
        admit()?;
        self.check(name, from)?;
        let is_right = self.judge((name, from), given, stored, &flight)?;
        Ok(if is_right { Judged::Right } else { Judged::Wrong })
    }

    /// Hashes, when it is our turn.
    fn judge(
        &self,
        (name, from): (&str, IpAddr),
        given: &str,
        stored: Option<Stored<'_>>,
        flight: &Flight<'_>,
    ) -> Result<bool> {
        let party =
            if self.is_known(name, from) { Party::Known(from) } else { Party::Stranger(from) };
        let turn = password::turn(party)?;
        // Counted only now: those that wait for their turn are not judged yet, and many who give the right
        // password at once must not be taken for a flood.
        let tried = self.names.admit(name, from)?;
        let is_right = password::is_right(&turn, given, stored.map(|stored| stored.hash))?;
        match stored.filter(|_| is_right) {
            Some(stored) => {
                tried.was_right();
                flight.remember(&stored);
            }
            None => tried.was_wrong(),
        }
        Ok(is_right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 2));

    #[test]
    fn of_many_guesses_at_once_few_are_judged_and_of_right_ones_all() {
        let hash = password::hash("right").unwrap();
        let door = Authenticator::default();
        let (judged, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let guess = |number: u8| match door.is_right("ana", [10, 0, 1, number].into(), "x", None) {
            Ok(is_right) => {
                assert!(!is_right);
                judged.fetch_add(1, Ordering::Relaxed);
            }
            Err(Error::TooSoon { .. }) => {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(other) => panic!("{other:?}"),
        };
        thread::scope(|scope| {
            for number in 0..40 {
                scope.spawn(move || guess(number));
            }
        });
        let (judged, refused) = (judged.into_inner(), refused.into_inner());
        assert!((1..=10).contains(&judged) && judged + refused == 40, "{judged} were judged");
        let other = Authenticator::default();
        let stored = Stored { id: 1, epoch: 0, hash: &hash };
        thread::scope(|scope| {
            for _ in 0..12 {
                scope
                    .spawn(|| assert!(other.is_right("ana", HOME, "right", Some(stored)).unwrap()));
            }
        });
        assert!(other.is_known("ana", HOME) && !door.is_known("ana", HOME));
    }

    #[test]
    fn a_pair_that_is_brought_a_thousand_times_is_hashed_once_and_a_changed_one_anew() {
        let (hash, new) = (password::hash("right").unwrap(), password::hash("new").unwrap());
        let stored = Stored { id: 1, epoch: 3, hash: &hash };
        let door = Authenticator::default();
        let is_right = |given: &str, stored: Stored<'_>| {
            door.is_right("ana", HOME, given, Some(stored)).unwrap()
        };
        let hashings = password::tests::hashings();
        for _ in 0..1000 {
            assert!(is_right("right", stored));
        }
        assert_eq!(password::tests::hashings() - hashings, 1);
        assert!(!is_right("wrong", stored));
        assert!(!is_right("right", Stored { hash: &new, epoch: 4, ..stored }));
        assert!(is_right("new", Stored { hash: &new, epoch: 4, ..stored }));
        assert!(is_right("right", stored), "another hash, judged by itself");
        assert_eq!(password::tests::hashings() - hashings, 5);
    }

    #[test]
    fn what_comes_with_each_request_is_admitted_and_hashed_once() {
        let hash = password::hash("right").unwrap();
        let stored = Some(Stored { id: 1, epoch: 0, hash: &hash });
        let door = Authenticator::default();
        let admitted = AtomicUsize::new(0);
        let admit = || {
            admitted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let judge = |given: &str, stored: Option<Stored<'_>>| {
            door.is_right_each_time(("ana", HOME), given, stored, &admit)
        };
        let hashings = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert_ne!(judge("right", stored).unwrap(), Judged::Wrong);
                    }
                    hashings.fetch_add(password::tests::hashings(), Ordering::Relaxed);
                });
            }
        });
        assert_eq!((hashings.into_inner(), admitted.load(Ordering::Relaxed)), (1, 1));
        // What is known waits for no guesses, and what has changed is judged anew.
        while judge("wrong", stored).is_ok() {}
        assert_eq!(judge("right", stored).unwrap(), Judged::Remembered);
        let later = Some(Stored { id: 1, epoch: 1, hash: &hash });
        assert!(!matches!(judge("right", later), Ok(Judged::Remembered)));
        let refused = || Err(Error::TooSoon { retry_after_s: 1 });
        let asked = |given| door.is_right_each_time(("ana", HOME), given, stored, &refused);
        assert!(matches!(asked("other"), Err(Error::TooSoon { .. })));
    }

    #[test]
    fn a_wrong_password_and_an_unknown_name_are_hashed_once_each_time() {
        let hash = password::hash("right").unwrap();
        let stored = Some(Stored { id: 1, epoch: 0, hash: &hash });
        let door = Authenticator::default();
        assert!(!door.is_right("nobody", HOME, "makes the decoy", None).unwrap());
        for (name, stored) in [("ana", stored), ("mallory", None)] {
            let hashings = password::tests::hashings();
            for tried in 1..=2 {
                assert!(!door.is_right(name, HOME, "wrong", stored).unwrap());
                assert_eq!(password::tests::hashings() - hashings, tried, "{name}");
            }
        }
    }

    #[test]
    fn what_is_remembered_waits_like_any_other_while_the_name_is_guessed() {
        let hash = password::hash("right").unwrap();
        let stored = Some(Stored { id: 1, epoch: 0, hash: &hash });
        let door = Authenticator::default();
        assert!(door.is_right("ana", HOME, "right", stored).unwrap());
        while door.is_right("ana", HOME, "wrong", stored).is_ok() {}
        let right = door.is_right("ana", HOME, "right", stored);
        assert!(matches!(right, Err(Error::TooSoon { .. })));
    }

    #[test]
    fn the_same_pair_at_the_same_moment_is_hashed_once() {
        let hash = password::hash("right").unwrap();
        let stored = Some(Stored { id: 1, epoch: 0, hash: &hash });
        let door = Authenticator::default();
        let hashings = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    assert!(door.is_right("ana", HOME, "right", stored).unwrap());
                    hashings.fetch_add(password::tests::hashings(), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(hashings.into_inner(), 1);
    }
}
