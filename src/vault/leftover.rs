//! What larder wanted to remove of its own and could not, because the drive takes no writes for now: noted in
//! memory, so that it is tried again when that has changed, and so that nobody looks at an idle drive for it.

use super::look;
use super::mount::{self, TEMPORARY};
use super::path::HOME;
use super::progress::Progress;
use super::walk::{Folder, Mark, Visitor, Walk, join};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Statx, StatxAttributes};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::convert::identity;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One drive: major and minor.
type Drive = (u32, u32);

/// What is left.
struct Left {
    /// Names that this process made and gave up: nobody is working on them any more.
    names: BTreeSet<String>,
    /// The drives (major and minor) on which something waits to be tried again, of whichever process.
    drives: BTreeSet<Drive>,
    /// When any was tried last.
    tried: Option<Instant>,
}

/// What is left on all drives.
static LEFT: Mutex<Left> =
    Mutex::new(Left { names: BTreeSet::new(), drives: BTreeSet::new(), tried: None });

/// What is left.
fn left() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a failure may pass: a drive that takes no writes may take them again. Permissions stay as they are
/// until somebody changes them, and the next start tries again.
fn may_pass(errno: Errno) -> bool {
    !matches!(errno, Errno::NOENT | Errno::ACCESS | Errno::PERM | Errno::BUSY)
}

/// Nobody works any more on a thing of this process that could not be removed from a folder.
pub(super) fn give_up(folder: BorrowedFd<'_>, name: &str, errno: Errno) {
    if !may_pass(errno) {
        return;
    }
    missed(folder, errno);
    let mut left = left();
    left.names.insert(name.to_owned());
    if left.names.len() > limits::LEFTOVERS_MAX {
        // The next start knows it by its process.
        left.names.pop_first();
    }
}

/// Something of whichever process could not be removed from a folder.
pub(super) fn missed(folder: BorrowedFd<'_>, errno: Errno) {
    if may_pass(errno)
        && let Some(drive) = drive_of(folder)
    {
        left().drives.insert(drive);
    }
}

/// The drive that an open folder is on.
fn drive_of(folder: BorrowedFd<'_>) -> Option<Drive> {
    let stat = look::look_at(folder).ok()?;
    Some((stat.stx_dev_major, stat.stx_dev_minor))
}

/// Whether this process made a name and still works on it.
pub(super) fn is_in_work(name: &str) -> bool {
    mount::is_ours(name) && !is_given_up(name)
}

/// Whether this process gave a name up.
pub(super) fn is_given_up(name: &str) -> bool {
    left().names.contains(name)
}

/// Whether there is anything to be tried again, and none was tried lately. Asks only the memory.
pub(super) fn is_due() -> bool {
    let left = left();
    !left.drives.is_empty()
        && left.tried.is_none_or(|tried| tried.elapsed() >= limits::SWEEP_AGAIN_TIME)
}

/// Whether anything waits on the drive of a folder.
pub(super) fn waits_on(folder: BorrowedFd<'_>) -> bool {
    drive_of(folder).is_some_and(|drive| left().drives.contains(&drive))
}

/// It is tried now on the drive of a folder.
pub(super) fn begin(folder: BorrowedFd<'_>) {
    let drive = drive_of(folder);
    let mut left = left();
    left.drives.retain(|waiting| Some(*waiting) != drive);
    left.tried = Some(Instant::now());
}

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
