//! What larder wanted to remove of its own and could not, because the drive takes no writes for now: noted in
//! memory, so that it is tried again when that has changed, and so that nobody looks at an idle drive for it.

use super::look;
use crate::{limits, threads};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
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
    threads::locked(&LEFT)
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
    if may_pass(errno) {
        note(folder);
    }
}

/// The drive of a folder is to be swept.
pub(super) fn note(folder: BorrowedFd<'_>) {
    if let Some(drive) = drive_of(folder) {
        left().drives.insert(drive);
    }
}

/// The drive that an open folder is on.
fn drive_of(folder: BorrowedFd<'_>) -> Option<Drive> {
    let stat = look::look_at(folder).ok()?;
    Some((stat.stx_dev_major, stat.stx_dev_minor))
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
