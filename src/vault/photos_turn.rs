//! Whose turn it is to look through a place for pictures: two at once would do the same work twice.

use super::path::VaultPath;
use super::progress::Progress;
use crate::error::Result;
use crate::{limits, threads};
use std::sync::{Condvar, Mutex};

/// Where somebody is looking through folders: at one place at a time.
#[derive(Debug, Default)]
pub(super) struct Looking {
    /// The places.
    places: Mutex<Vec<VaultPath>>,
    /// Told whenever one is done.
    done: Condvar,
}

/// The right to look through a place.
pub(super) struct Turn<'l> {
    /// Where that is noted.
    looking: &'l Looking,
    /// The place.
    place: VaultPath,
}

impl Looking {
    /// Waits until nobody looks through a place, what is in it, or what it is in.
    ///
    /// Errors: `Cancelled`.
    pub fn turn(&self, place: &VaultPath, progress: &Progress) -> Result<Turn<'_>> {
        let mut places = threads::locked(&self.places);
        let is_near = |other: &VaultPath| other.starts_with(place) || place.starts_with(other);
        while places.iter().any(is_near) {
            progress.expect(0, 0);
            progress.go_on()?;
            places = threads::whole(self.done.wait_timeout(places, limits::PROGRESS_INTERVAL)).0;
        }
        places.push(place.clone());
        Ok(Turn { looking: self, place: place.clone() })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut places = threads::locked(&self.looking.places);
        if let Some(at) = places.iter().position(|place| *place == self.place) {
            places.swap_remove(at);
        }
        drop(places);
        self.looking.done.notify_all();
    }
}
