//! What is made in larder's hidden folder and has no place yet. However an operation ends, dropping it leaves nothing
//! behind; whoever gives it a place takes it by value.

use super::discard;
use rustix::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// A thing in larder's hidden folder that nobody has been promised. Dropping it does with it what its end says.
pub struct Unfinished {
    /// The folder.
    pub folder: Arc<OwnedFd>,
    /// Its name there.
    pub name: String,
    /// What becomes of it.
    end: End,
}

/// What becomes of an unfinished thing that gets no place.
pub enum End {
    /// It is removed.
    Removed,
    /// It waits in this folder of larder's own, under this name, for whoever goes on with it.
    Waits(Arc<OwnedFd>, String),
    /// It stays where it is: somebody else sees to it.
    Stays,
}

impl Unfinished {
    /// One that has this name in this hidden folder.
    pub fn new(folder: Arc<OwnedFd>, name: String, end: End) -> Self {
        Self { folder, name, end }
    }

    /// From now on it has another end.
    pub fn set_end(&mut self, end: End) {
        self.end = end;
    }

    /// What would become of it.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// Its name is not its own any more: it has its place. Returns what would have become of it, for whoever may
    /// have to take that back.
    pub fn leave(mut self) -> End {
        std::mem::replace(&mut self.end, End::Stays)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        match &self.end {
            End::Removed => _ = discard::give_up(self.folder.as_fd(), &self.name),
            End::Waits(_, name) if *name == self.name => {}
            End::Waits(folder, name) => {
                // If that fails, the sweep finds it where it is.
                let _as_well_as_we_can =
                    rustix::fs::renameat(&*self.folder, &self.name, &**folder, name);
            }
            End::Stays => {}
        }
    }
}
