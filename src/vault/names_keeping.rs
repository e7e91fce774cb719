//! Whether lists of names are kept, and which are being made durable. Knows not where they lie.

use super::look::Filesystem;
use crate::{limits, threads};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// A list that is kept in memory, and of which filesystem it is.
type InMemory = Option<(Filesystem, Arc<[u8]>)>;

/// Whether lists are kept, and those in memory.
#[derive(Debug, Default)]
pub(super) struct NamesKeeping {
    /// Whether none are.
    is_off: AtomicBool,
    /// Whether there may be some that are to go.
    is_due: AtomicBool,
    /// Held while a list gets its name, or all go; the one that is in memory.
    kept: Mutex<InMemory>,
    /// The filesystems whose lists are being made durable: of several of one the first is.
    storing: Mutex<Vec<Filesystem>>,
}

impl NamesKeeping {
    /// Whether lists are kept.
    pub fn is_on(&self) -> bool {
        !self.is_off.load(Ordering::Relaxed)
    }

    /// Whether they are kept from now on.
    pub fn set(&self, is_on: bool) {
        self.is_off.store(!is_on, Ordering::Relaxed);
        self.is_due.store(!is_on, Ordering::Relaxed);
    }

    /// Whether lists are to go that may be there. It is asked by whoever removes them then.
    pub fn is_due(&self) -> bool {
        self.is_due.swap(false, Ordering::Relaxed)
    }

    /// They are not removed yet.
    pub fn look_again(&self) {
        self.is_due.store(true, Ordering::Relaxed);
    }

    /// The list in memory. While this is held no other gets its name.
    pub fn in_memory(&self) -> MutexGuard<'_, InMemory> {
        threads::locked(&self.kept)
    }

    /// The list of a filesystem is about to be made durable; whether nobody does that already, nor too many others.
    pub fn begin_to_store(&self, filesystem: Filesystem) -> bool {
        let mut storing = threads::locked(&self.storing);
        let may_begin = !storing.contains(&filesystem) && storing.len() < limits::NAMES_STORING_MAX;
        if may_begin {
            storing.push(filesystem);
        }
        may_begin
    }

    /// It is.
    pub fn has_stored(&self, filesystem: Filesystem) {
        threads::locked(&self.storing).retain(|other| *other != filesystem);
    }
}
