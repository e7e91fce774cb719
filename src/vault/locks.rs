//! Locks (RFC 4918, 6 and 7): who alone may change something for a while. They hold for whoever changes anything by this
//! vault, by whatever door; what is shown of them is a token, which means nothing here. In memory only, and bounded.

use super::path::VaultPath;
use crate::error::{Error, Result};
use crate::{limits, threads};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Something that is locked.
#[derive(Clone, Debug)]
pub struct Lock {
    /// What its holder shows.
    pub token: String,
    /// What is locked: a true path.
    pub root: VaultPath,
    /// Whether that is a folder.
    pub is_folder: bool,
    /// Whether all that is in it is locked, too.
    pub is_deep: bool,
    /// Whether nobody else may have a lock there.
    pub is_exclusive: bool,
    /// Whose it is; a number that means nothing here.
    pub holder: i64,
    /// What others are told of them.
    pub by: String,
    /// What they said of themselves. Shared, as a lock is told with each thing that it covers.
    pub words: Arc<str>,
    /// When it ends.
    pub until: Instant,
}

impl Lock {
    /// Whether it is about a place itself.
    pub(super) fn covers(&self, place: &VaultPath) -> bool {
        self.root == *place || (self.is_deep && place.starts_with(&self.root))
    }

    /// Whether names in a folder may not come and go.
    pub(super) fn keeps_names_in(&self, folder: &VaultPath) -> bool {
        self.is_folder && self.covers(folder)
    }

    /// How long it lasts from now on.
    pub fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// What somebody hears who may not change what is locked.
    fn refusal(&self) -> Error {
        let (root, is_folder) = (self.root.clone(), self.is_folder);
        Error::Locked { sentence: format!("Locked by {}", self.by), root: root.into(), is_folder }
    }
}

/// Why there is no lock.
#[derive(Debug)]
pub enum NoLock {
    /// This one is in the way.
    Taken(Box<Lock>),
    /// There are as many as may be.
    TooMany,
    /// Somebody who began before takes long to change something there.
    Busy,
}

/// All locks of a share, and what is being changed at this moment by those whom no lock refused: a lock that is given
/// holds from its answer on, so that whoever gives it waits for them.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// See `State`.
    state: Mutex<State>,
    /// Rings when a change has been made.
    made: Condvar,
}

/// What is locked, and what is being changed.
#[derive(Debug, Default)]
struct State {
    /// The locks.
    locks: Vec<Lock>,
    /// The places that are being changed, by the numbers of the changes.
    changing: Vec<(u64, VaultPath)>,
    /// The number of the last change.
    last: u64,
}

/// A change that is being made: begun before it is judged, and over with its drop.
pub(super) struct Changing<'a> {
    /// Where it is known.
    locks: &'a Locks,
    /// Its number.
    number: u64,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let mut state = threads::locked(&self.locks.state);
        state.changing.retain(|(number, _)| *number != self.number);
        drop(state);
        self.locks.made.notify_all();
    }
}

impl Locks {
    /// Works on those that are not over.
    pub fn with<T>(&self, work: impl FnOnce(&mut Vec<Lock>) -> T) -> T {
        let mut state = threads::locked(&self.state);
        let locks = &mut state.locks;
        if !locks.is_empty() {
            let now = Instant::now();
            locks.retain(|lock| lock.until > now);
        }
        work(locks)
    }

    /// A place begins to be changed.
    pub fn begin(&self, place: &VaultPath) -> Changing<'_> {
        let mut state = threads::locked(&self.state);
        state.last += 1;
        let number = state.last;
        state.changing.push((number, place.clone()));
        Changing { locks: self, number }
    }

    /// Waits until the changes are made that have begun by now and are meant; false when that takes too long.
    pub fn wait_for(&self, is_meant: impl Fn(&VaultPath) -> bool) -> bool {
        let mut state = threads::locked(&self.state);
        let (last, until) = (state.last, Instant::now() + limits::LOCK_WAIT_MAX);
        while state.changing.iter().any(|(number, place)| *number <= last && is_meant(place)) {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            state = threads::whole(self.made.wait_timeout(state, rest)).0;
        }
        true
    }

    /// Refuses to change what somebody has locked whose token is not shown.
    ///
    /// Errors: `Locked`.
    pub fn judge(&self, tokens: &[String], is_meant: impl Fn(&Lock) -> bool) -> Result<()> {
        self.with(|locks| {
            let meant = || locks.iter().filter(|lock| is_meant(lock));
            // Of shared ones any is enough, of the same place.
            let is_shown = |lock: &Lock| {
                let mut others = meant().filter(|other| other.root == lock.root);
                others.any(|other| tokens.contains(&other.token))
            };
            let refused = meant().find(|lock| !is_shown(lock)).map(Lock::refusal);
            refused.map_or(Ok(()), Err)
        })
    }
}
