//! Who works on an upload that outlasts its request: one at a time, and whoever came last. A client whose connection
//! broke comes back long before larder knows that it broke; it must not wait for that.

use super::upload_record::UploadId;
use crate::error::{Error, Result};
use crate::threads::locked;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the older of two is told.
pub(super) const TAKEN_OVER: Error = Error::Conflict("The upload goes on over another connection");

/// The uploads that are worked on, of all shares: ids are random.
static IN_WORK: Mutex<BTreeMap<UploadId, Hold>> = Mutex::new(BTreeMap::new());

/// The right to work on an upload, as long as nobody else has taken it.
#[derive(Clone, Debug)]
pub(super) struct Hold(Arc<Mutex<bool>>);

impl Hold {
    /// Does some work on the upload. Nobody takes it over before that is done, and after that nothing is done any
    /// more.
    ///
    /// Errors: `Conflict` when somebody has; those of the work.
    pub fn work<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let is_over = locked(&self.0);
        if *is_over { Err(TAKEN_OVER) } else { work() }
    }

    /// Ends it, once nothing is being done.
    fn end(&self) {
        *locked(&self.0) = true;
    }
}

/// A `Hold` that is known to everybody. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Lease {
    /// Of which upload.
    id: UploadId,
    /// See `Hold`.
    hold: Hold,
}

impl Lease {
    /// Takes an upload over from whoever worked on it: when this returns, they do nothing any more.
    pub fn take(id: &UploadId) -> Self {
        let hold = Hold(Arc::new(Mutex::new(false)));
        let older = locked(&IN_WORK).insert(id.clone(), hold.clone());
        if let Some(older) = older {
            older.end();
        }
        Self { id: id.clone(), hold }
    }

    /// See `Hold`.
    pub fn hold(&self) -> &Hold {
        &self.hold
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.hold.end();
        let mut all = locked(&IN_WORK);
        if all.get(&self.id).is_some_and(|hold| Arc::ptr_eq(&hold.0, &self.hold.0)) {
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
}
