//! Who works on an upload that outlasts its request: one at a time, and whoever came last. A client whose connection
//! broke comes back long before larder knows that it broke; it must not wait for that.

use super::upload_record::UploadId;
use crate::error::{Error, Result};
use crate::limits;
use crate::threads::{locked, whole};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What the older of two is told.
pub(super) const TAKEN_OVER: Error = Error::Conflict("The upload goes on over another connection");

/// The uploads that are worked on, of all shares: ids are random.
static IN_WORK: Mutex<BTreeMap<UploadId, Hold>> = Mutex::new(BTreeMap::new());

/// Tells whoever works on an upload that somebody else wants to, from any thread. Never waits.
pub type Ask = Box<dyn FnOnce() + Send>;

/// The right to work on an upload, as long as nobody else has taken it.
#[derive(Clone)]
pub(super) struct Hold(Arc<Held>);

/// What those who want to work on an upload know of each other.
struct Held {
    /// Whether it is over; locked while work is being done.
    is_over: Mutex<bool>,
    /// Told when it is.
    ended: Condvar,
    /// How whoever holds it is asked to leave.
    ask: Mutex<Asking>,
}

/// Whether somebody was asked to leave.
#[derive(Default)]
struct Asking {
    /// How that is done; `None` where nothing can be.
    by: Option<Ask>,
    /// Whether it was done.
    is_asked: bool,
}

impl Hold {
    /// Nobody has taken it over yet.
    fn new() -> Self {
        let ask = Mutex::default();
        Self(Arc::new(Held { is_over: Mutex::new(false), ended: Condvar::new(), ask }))
    }

    /// Does some work on the upload. Nobody takes it over before that is done, and after that nothing is done any
    /// more.
    ///
    /// Errors: `Conflict` when somebody has; those of the work.
    pub fn work<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let is_over = locked(&self.0.is_over);
        if *is_over { Err(TAKEN_OVER) } else { work() }
    }

    /// How whoever works on it is to be asked to leave: then there is a moment left to put away what has come.
    /// `None` when nothing more is waited for.
    pub fn ask_by(&self, ask: Option<Ask>) {
        let mut asking = locked(&self.0.ask);
        if !asking.is_asked {
            asking.by = ask;
        } else if let Some(ask) = ask {
            ask();
        }
    }

    /// Whether somebody else wants to work on it.
    pub fn is_asked(&self) -> bool {
        locked(&self.0.ask).is_asked
    }

    /// Asks whoever works on it to leave, and waits a moment for that; then nothing is done any more.
    fn end(&self) {
        let ask = {
            let mut asking = locked(&self.0.ask);
            asking.is_asked = true;
            asking.by.take()
        };
        let mut is_over = locked(&self.0.is_over);
        if let Some(ask) = ask {
            ask();
            is_over = self.wait(is_over);
        }
        *is_over = true;
    }

    /// Waits until it is over, or has had its time.
    fn wait<'a>(&'a self, is_over: MutexGuard<'a, bool>) -> MutexGuard<'a, bool> {
        let waited =
            self.0.ended.wait_timeout_while(is_over, limits::UPLOAD_LEAVE_TIME, |over| !*over);
        whole(waited).0
    }

    /// It is over by itself.
    fn leave(&self) {
        *locked(&self.0.is_over) = true;
        self.0.ended.notify_all();
    }

    /// Whether this is the same as another.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A `Hold` that is known to everybody. Dropping it ends it.
pub(super) struct Lease {
    /// Of which upload.
    id: UploadId,
    /// See `Hold`.
    hold: Hold,
}

impl Lease {
    /// Takes an upload over from whoever worked on it: when this returns, they do nothing any more.
    pub fn take(id: &UploadId) -> Self {
        Self::take_and_ask_by(id, None)
    }

    /// The same by somebody who can be asked to leave (see `Hold::ask_by`) from the first moment on: what has come to
    /// them when the next one comes is put away, however early that is.
    pub fn take_and_ask_by(id: &UploadId, ask: Option<Ask>) -> Self {
        let hold = Hold::new();
        hold.ask_by(ask);
        {
            // Whoever comes next while this waits for the older one waits for both: else the older one and the next
            // would work at once.
            let _waiting = locked(&hold.0.is_over);
            let older = locked(&IN_WORK).insert(id.clone(), hold.clone());
            if let Some(older) = older {
                older.end();
            }
        }
        Self { id: id.clone(), hold }
    }

    /// Takes an upload that nobody works on; `None` when somebody does.
    pub fn take_idle(id: &UploadId) -> Option<Self> {
        let mut all = locked(&IN_WORK);
        if all.contains_key(id) {
            return None;
        }
        let hold = Hold::new();
        all.insert(id.clone(), hold.clone());
        drop(all);
        Some(Self { id: id.clone(), hold })
    }

    /// See `Hold`.
    pub fn hold(&self) -> &Hold {
        &self.hold
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.hold.leave();
        let mut all = locked(&IN_WORK);
        if all.get(&self.id).is_some_and(|hold| hold.is(&self.hold)) {
            all.remove(&self.id);
        }
    }
}

/// Whether somebody works on an upload.
pub(super) fn is_in_work(id: &UploadId) -> bool {
    locked(&IN_WORK).contains_key(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_newer_waits_for_what_is_being_done_and_ends_the_older() {
        let id = UploadId::new(None, "ana").unwrap();
        let older = Lease::take(&id);
        let (begun, told) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let hold = older.hold().clone();
            let working = scope.spawn(move || {
                hold.work(|| {
                    begun.send(()).unwrap();
                    wait.recv().unwrap();
                    Ok(())
                })
            });
            told.recv().unwrap();
            let taking = scope.spawn(|| Lease::take(&id));
            go_on.send(()).unwrap();
            let newer = taking.join().unwrap();
            assert!(working.join().unwrap().is_ok());
            assert!(matches!(older.hold().work(|| Ok(())), Err(Error::Conflict(_))));
            drop(older);
            assert!(is_in_work(&id) && newer.hold().work(|| Ok(())).is_ok());
        });
        assert!(!is_in_work(&id));
    }

    /// What has come and is not put away yet is not lost by the next request.
    #[test]
    fn whoever_is_asked_puts_away_what_has_come_and_leaves() {
        let id = UploadId::new(None, "ana").unwrap();
        let (ask, asked) = mpsc::channel();
        // From the first moment on, so that it does not matter how soon the next one comes.
        let ask: Ask = Box::new(move || ask.send(()).unwrap());
        let older = Lease::take_and_ask_by(&id, Some(ask));
        let mut is_put_away = false;
        std::thread::scope(|scope| {
            let taking = scope.spawn(|| Lease::take(&id));
            asked.recv().unwrap();
            assert!(older.hold().is_asked());
            is_put_away = older.hold().work(|| Ok(true)).unwrap();
            drop(older);
            assert!(taking.join().unwrap().hold().work(|| Ok(())).is_ok());
        });
        assert!(is_put_away);
    }

    #[test]
    fn whoever_does_not_leave_is_not_waited_for_long() {
        let id = UploadId::new(None, "ana").unwrap();
        let older = Lease::take(&id);
        older.hold().ask_by(Some(Box::new(|| {})));
        let newer = Lease::take(&id);
        assert!(older.hold().work(|| Ok(())).is_err());
        // Asked too late is asked at once.
        let (ask, asked) = mpsc::channel();
        older.hold().ask_by(Some(Box::new(move || ask.send(()).unwrap())));
        asked.try_recv().unwrap();
        assert!(!newer.hold().is_asked());
    }

    #[test]
    fn what_is_worked_on_is_not_idle() {
        let id = UploadId::new(None, "ana").unwrap();
        let idle = Lease::take_idle(&id).unwrap();
        assert!(Lease::take_idle(&id).is_none());
        // Whoever goes on with it is not kept from it.
        let newer = Lease::take(&id);
        assert!(idle.hold().work(|| Ok(())).is_err() && newer.hold().work(|| Ok(())).is_ok());
        drop((idle, newer));
        assert!(Lease::take_idle(&id).is_some());
    }

    /// Else the oldest and the newest would work at once.
    #[test]
    fn whoever_comes_while_another_still_waits_for_the_oldest_waits_too() {
        let id = UploadId::new(None, "ana").unwrap();
        let oldest = Lease::take(&id);
        let (ask, asked) = mpsc::channel();
        oldest.hold().ask_by(Some(Box::new(move || ask.send(()).unwrap())));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lease::take(&id));
            asked.recv().unwrap();
            let newest = Lease::take(&id);
            assert!(oldest.hold().work(|| Ok(())).is_err());
            let second = second.join().unwrap();
            assert!(second.hold().work(|| Ok(())).is_err());
            assert!(newest.hold().work(|| Ok(())).is_ok());
        });
    }
}
