//! What locks mean for whoever uses a share: which they give and end, and what they may not do for those of others.

use super::attributes::kind;
use super::locks::{Changing, Lock, Locks, NoLock};
use super::path::VaultPath;
use super::resolve::{Follow, Lost};
use super::share::{Kind, Share};
use crate::error::{Error, Result};
use crate::limits;
use std::sync::Arc;
use std::time::Instant;

impl Share {
    /// The same share for somebody who shows these tokens.
    pub fn holding(mut self, tokens: Vec<String>) -> Self {
        self.tokens = tokens.into();
        self
    }

    /// The same with the tokens that are shown to another.
    pub fn holding_as(mut self, other: &Self) -> Self {
        self.tokens = Arc::clone(&other.tokens);
        self
    }

    /// A place begins to be changed; this comes before locks are asked for the last time.
    pub(super) fn changing(&self, place: &VaultPath) -> Changing<'_> {
        self.locks().begin(place)
    }

    /// Refuses another content, as far as that is locked.
    ///
    /// Errors: `Locked`.
    pub(super) fn may_change(&self, place: &VaultPath) -> Result<()> {
        self.locks().judge(&self.tokens, |lock| lock.covers(place))
    }

    /// Refuses a name that comes, as far as that is locked.
    ///
    /// Errors: `Locked`.
    pub(super) fn may_come(&self, place: &VaultPath) -> Result<()> {
        let folder = place.parent().unwrap_or_default();
        let is_meant = |lock: &Lock| lock.covers(place) || lock.keeps_names_in(&folder);
        self.locks().judge(&self.tokens, is_meant)
    }

    /// The same for something that goes, with all that is in it.
    ///
    /// Errors: `Locked`.
    pub(super) fn may_go(&self, place: &VaultPath) -> Result<()> {
        let folder = place.parent().unwrap_or_default();
        let is_meant = |lock: &Lock| {
            lock.covers(place) || lock.keeps_names_in(&folder) || lock.root.starts_with(place)
        };
        self.locks().judge(&self.tokens, is_meant)
    }

    /// The locks that cover a place.
    pub fn locks_at(&self, path: &VaultPath) -> Vec<Lock> {
        let has_any = self.locks().with(|locks| !locks.is_empty());
        if !has_any {
            return Vec::new();
        }
        let place = self.true_place(path);
        let covers = |lock: &&Lock| lock.covers(&place);
        self.locks().with(|locks| locks.iter().filter(covers).cloned().collect())
    }

    /// Where something really is, or would be, links followed.
    pub fn true_place(&self, path: &VaultPath) -> VaultPath {
        self.finder.locate(path, Follow::Last).map_or_else(|_| path.clone(), |spot| spot.path)
    }

    /// The same of a thing by itself: a link is what goes when its name does, not what it leads to.
    pub fn own_place(&self, path: &VaultPath) -> VaultPath {
        self.finder.locate(path, Follow::NotLast).map_or_else(|_| path.clone(), |spot| spot.path)
    }

    /// What kind of thing is at a place that may be changed, whoever has locked it; `None` when nothing is there.
    ///
    /// Errors: `Refused`, `StorageAbsent`, `DriveBusy`, `Io`.
    pub fn kind_to_lock(&self, path: &VaultPath) -> Result<Option<Kind>> {
        let may_change = |path: &VaultPath| {
            if self.grant().may_write(path) { Ok(()) } else { Err(Error::Refused) }
        };
        self.checked(|| {
            may_change(path)?;
            let spot = match self.finder.locate(path, Follow::Last) {
                Err(Lost::Missing) => return Ok(None),
                spot => spot?,
            };
            may_change(&spot.path)?;
            Ok(spot.stat.as_ref().map(kind))
        })
    }

    /// Locks something.
    ///
    /// Errors: why not.
    pub fn lock(&self, lock: &Lock) -> std::result::Result<(), NoLock> {
        self.locks().with(|locks| {
            let meets = |other: &&Lock| {
                other.covers(&lock.root) || (lock.is_deep && other.root.starts_with(&lock.root))
            };
            let is_apart = |other: &&Lock| lock.is_exclusive || other.is_exclusive;
            if let Some(other) = locks.iter().filter(meets).find(is_apart) {
                return Err(NoLock::Taken(Box::new(other.clone())));
            }
            let own = locks.iter().filter(|other| other.holder == lock.holder).count();
            if locks.len() >= limits::LOCKS_MAX || own >= limits::LOCKS_PER_USER_MAX {
                return Err(NoLock::TooMany);
            }
            locks.push(lock.clone());
            Ok(())
        })?;
        let is_meant = |place: &VaultPath| {
            let folder = place.parent().unwrap_or_default();
            lock.covers(place) || lock.keeps_names_in(&folder) || lock.root.starts_with(place)
        };
        if !self.locks().wait_for(is_meant) {
            self.unlock(&lock.token);
            return Err(NoLock::Busy);
        }
        Ok(())
    }

    /// Has the lock of a token, which covers a place, last until then; gives it.
    pub fn keep_lock(&self, path: &VaultPath, token: &str, until: Instant) -> Option<Lock> {
        let place = self.true_place(path);
        self.locks().with(|locks| {
            let mut found = locks.iter_mut();
            let lock = found.find(|lock| lock.token == token && lock.covers(&place))?;
            lock.until = until;
            Some(lock.clone())
        })
    }

    /// Ends a lock.
    pub fn unlock(&self, token: &str) {
        self.locks().with(|locks| locks.retain(|lock| lock.token != token));
    }

    /// The tokens of the locks on what is there, at a true path, and on all that is in it: those that end when it goes.
    /// Asked before it does, or what was locked anew at once would lose its lock.
    pub fn tokens_below(&self, place: &VaultPath) -> Vec<String> {
        let is_below = |lock: &&Lock| lock.root.starts_with(place);
        self.locks()
            .with(|locks| locks.iter().filter(is_below).map(|lock| lock.token.clone()).collect())
    }

    /// Ends the locks of these tokens.
    pub fn end_locks(&self, tokens: &[String]) {
        self.locks().with(|locks| locks.retain(|lock| !tokens.contains(&lock.token)));
    }

    /// All locks of this share.
    fn locks(&self) -> &Locks {
        &self.finder.root.locks
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, UPLOAD, path, upload};
    use super::super::{Fate, IfExists, TransferKind, What};
    use super::*;
    use std::time::Duration;

    fn lock(root: &str, token: &str, is_deep: bool, is_exclusive: bool) -> Lock {
        Lock {
            token: token.to_owned(),
            root: path(root),
            is_folder: !root.contains('.'),
            is_deep,
            is_exclusive,
            holder: 1,
            by: "Ana".to_owned(),
            words: "".into(),
            until: Instant::now() + Duration::from_mins(1),
        }
    }

    fn is_locked<T>(outcome: Result<T>) -> bool {
        match outcome {
            Err(Error::Locked { sentence, .. }) => {
                assert_eq!(sentence, "Locked by Ana");
                true
            }
            Err(other) => panic!("{other}"),
            Ok(_) => false,
        }
    }

    #[test]
    fn what_is_locked_is_changed_by_who_shows_the_token_alone() {
        let house = House::new();
        house.file("d/a.txt", "a");
        house.file("d/sub/b.txt", "b");
        house.folder("e");
        let share = house.share();
        let remove = |share: &Share, name: &str, what| share.remove(&path(name), what, Fate::Trash);
        share.lock(&lock("d/a.txt", "t", false, true)).unwrap();
        assert!(is_locked(upload(&share, &[("d/a.txt", "x")], &UPLOAD)));
        assert!(is_locked(remove(&share, "d/a.txt", What::File)));
        assert!(is_locked(remove(&share, "d", What::Tree)));
        let moved = |share: &Share, from: &str, to: &str| {
            let pair = vec![(path(from), path(to))];
            share.relocate(TransferKind::Move, pair, IfExists::Overwrite)
        };
        assert!(is_locked(moved(&share, "d", "f")));
        assert!(is_locked(moved(&share, "d/sub/b.txt", "d/a.txt")));
        assert!(!is_locked(upload(&share, &[("d/new", "x")], &UPLOAD)));
        let holder = share.clone().holding(vec!["t".to_owned()]);
        assert!(!is_locked(upload(&holder, &[("d/a.txt", "x")], &UPLOAD)));
        share.unlock("t");
        assert!(!is_locked(upload(&share, &[("d/a.txt", "y")], &UPLOAD)));
        // A folder by itself keeps its names, and no more.
        share.lock(&lock("d", "t", false, true)).unwrap();
        assert!(!is_locked(upload(&share, &[("d/a.txt", "z"), ("d/sub/c", "c")], &UPLOAD)));
        assert!(is_locked(upload(&share, &[("d/newer", "x")], &UPLOAD)));
        assert!(is_locked(remove(&share, "d/a.txt", What::File)));
        assert!(is_locked(share.make_folder(&path("d/made"))));
        assert!(is_locked(upload(&share, &[("d/made/x", "x")], &UPLOAD)));
        share.unlock("t");
        share.lock(&lock("d", "t", true, true)).unwrap();
        assert!(is_locked(upload(&share, &[("d/sub/c", "x")], &UPLOAD)));
        assert!(is_locked(share.make_folder(&path("d/sub/made"))));
        assert!(is_locked(moved(&share, "e", "d/e")));
        assert!(is_locked(share.set_modified(&path("d/sub/b.txt"), std::time::SystemTime::now())));
        share.end_locks(&share.tokens_below(&path("d")));
        assert!(!is_locked(share.make_folder(&path("d/sub/made"))));
    }

    #[test]
    fn locks_that_meet_are_all_shared_or_refused_and_end_by_themselves() {
        let house = House::new();
        house.file("d/a.txt", "a");
        let share = house.share();
        share.lock(&lock("d/a.txt", "one", false, false)).unwrap();
        share.lock(&lock("d/a.txt", "two", false, false)).unwrap();
        for taken in [lock("d/a.txt", "x", false, true), lock("d", "x", true, true)] {
            assert!(matches!(share.lock(&taken), Err(NoLock::Taken(_))));
        }
        share.lock(&lock("d", "three", false, true)).unwrap();
        let by_two = share.clone().holding(vec!["two".to_owned()]);
        assert!(!is_locked(upload(&by_two, &[("d/a.txt", "x")], &UPLOAD)));
        assert_eq!(share.locks_at(&path("d/a.txt")).len(), 2);
        let past = Instant::now();
        for token in ["one", "two"] {
            assert!(share.keep_lock(&path("d/a.txt"), token, past).is_some());
        }
        assert!(share.locks_at(&path("d/a.txt")).is_empty());
        for number in 1..limits::LOCKS_PER_USER_MAX {
            share.lock(&lock(&format!("x.{number}"), "n", false, true)).unwrap();
        }
        assert!(matches!(share.lock(&lock("y.1", "n", false, true)), Err(NoLock::TooMany)));
    }

    #[test]
    fn a_lock_waits_for_changes_that_have_begun_and_for_no_others() {
        let house = House::new();
        let share = house.share();
        let elsewhere = share.changing(&path("other"));
        share.lock(&lock("d/a.txt", "one", false, true)).unwrap();
        let has_ended = std::sync::atomic::AtomicBool::new(false);
        let changing = share.changing(&path("e/b.txt"));
        std::thread::scope(|scope| {
            let given = scope.spawn(|| {
                share.lock(&lock("e", "two", true, true)).unwrap();
                assert!(has_ended.load(std::sync::atomic::Ordering::Acquire));
            });
            // It is in force before it is given, and what begins by now is not waited for.
            while share.may_come(&path("e/new")).is_ok() {
                std::thread::yield_now();
            }
            let later = share.changing(&path("e/b.txt"));
            has_ended.store(true, std::sync::atomic::Ordering::Release);
            drop(changing);
            given.join().unwrap();
            drop((later, elsewhere));
        });
    }
}
