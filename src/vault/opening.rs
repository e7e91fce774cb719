//! Uploads that are being begun or come whole, of which nothing may be on the drive yet: whoever counts how many are open
//! counts those that came before them, too, so that a bound cannot be passed by racing.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::look::FileId;
use super::upload_record::UploadId;
use crate::threads::locked;

/// Those of this process, in the order in which they came.
static ALL: Mutex<Known> = Mutex::new(Known { last: 0, openings: BTreeMap::new() });

/// What is known of them.
struct Known {
    /// The number of the last.
    last: u64,
    /// Which upload, and of which share, by number.
    openings: BTreeMap<u64, (FileId, UploadId)>,
}

/// One of them; it is over with its drop.
pub(super) struct Opening {
    /// Its number.
    number: u64,
    /// Where the share is that it is of.
    home: FileId,
}

impl Opening {
    /// One that comes behind all others.
    pub fn new(home: FileId, id: UploadId) -> Self {
        let mut known = locked(&ALL);
        known.last += 1;
        let number = known.last;
        known.openings.insert(number, (home, id));
        Self { number, home }
    }

    /// Those of the same share that came before. Who asks before they look at the drive misses none: what is no
    /// opening any more has got its record before, or is none any more at all.
    pub fn before(&self) -> Vec<UploadId> {
        let known = locked(&ALL);
        let earlier = known.openings.range(..self.number).map(|(_, opening)| opening);
        earlier.filter(|(home, _)| *home == self.home).map(|(_, id)| id.clone()).collect()
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        locked(&ALL).openings.remove(&self.number);
    }
}
