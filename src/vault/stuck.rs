//! What of the unfinished things nobody but another account can remove.

use super::hidden::TEMPORARY;
use super::look;
use super::path::HOME;
use super::progress::Progress;
use super::walk::{Folder, Mark, Visitor, Walk, join};
use crate::error::{Error, Result};
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{Statx, StatxAttributes};
use rustix::io::Errno;
use std::convert::identity;
use std::sync::Arc;

/// Finds what of the unfinished things on one filesystem nobody but another account can remove; hands out
/// where it is in larder's hidden folder. Judged by owners and modes: who looks may be somebody else than who
/// removes.
pub(super) fn stuck(top: BorrowedFd<'_>, take: &mut dyn FnMut(String)) -> rustix::io::Result<()> {
    let home = look::open_place(top, HOME.as_bytes())?;
    let owner = look::look_at(&home)?.stx_uid;
    let workshop = look::open_to_read(&home, TEMPORARY.as_bytes())?;
    look::each_name(workshop.as_fd(), identity, &mut |name| {
        let Ok(thing) = look::open_place(&workshop, name) else { return Ok(()) };
        let mut survey = Foreign { name, owner, is_locked: false, take };
        let overflow = || Err(Error::DiskFull);
        let progress = Progress::default();
        let top = Arc::new(thing);
        let walk = Walk {
            top,
            no_openat2: false,
            unlocks: false,
            overflow: &overflow,
            progress: &progress,
        };
        let _as_far_as_it_went = walk.show(&mut survey);
        Ok(())
    })
}

/// Looks for what belongs to another account.
struct Foreign<'a> {
    /// The top's name.
    name: &'a [u8],
    /// Whose everything should be.
    owner: u32,
    /// Whether the folder that is walked through lets the owner take nothing out.
    is_locked: bool,
    /// Who hears of it.
    take: &'a mut dyn FnMut(String),
}

impl Foreign<'_> {
    /// Judges one thing in the present folder.
    fn judge(&mut self, place: &[u8], name: &[u8], stat: &Statx) {
        if self.is_locked || is_fixed(stat) {
            self.tell(&join(place, name));
        }
    }

    /// Tells of a thing.
    fn tell(&mut self, place: &[u8]) {
        let place = [TEMPORARY.as_bytes(), self.name, place].join(&b'/');
        (self.take)(String::from_utf8_lossy(&place).trim_end_matches('/').to_owned());
    }
}

/// Whether a thing is fixed (`chattr +i`, `+a`).
fn is_fixed(stat: &Statx) -> bool {
    stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND)
}

impl Visitor for Foreign<'_> {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        let stat = folder.stat;
        let is_foreign = self.owner != 0 && stat.stx_uid != self.owner;
        self.is_locked = is_fixed(stat) || is_foreign && stat.stx_mode & 0o022 == 0;
        Ok(())
    }

    fn wants(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<bool> {
        self.judge(folder.place, name, stat);
        Ok(true)
    }

    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<()> {
        self.judge(folder.place, name, stat);
        Ok(())
    }

    fn leave(&mut self, _place: &[u8], _mark: Mark) -> Result<()> {
        Ok(())
    }

    fn refused(&mut self, place: &[u8], _errno: Errno) -> Result<()> {
        self.tell(place);
        Ok(())
    }
}
