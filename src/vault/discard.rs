//! Removing for good: one file, or a tree of any depth with a handful of descriptors. Never follows
//! a link and never leaves the filesystem it began on. Knows no grants.

use super::hidden;
use super::leftover;
use super::look::{self, Filesystem};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::{Errno, Result};
use std::convert::identity;
use std::ffi::OsStr;

/// Removes what is chosen by name from a folder of larder's own, open for reading; returns how many
/// names went. What cannot be removed stays.
pub fn clear(folder: BorrowedFd<'_>, is_chosen: &dyn Fn(&[u8]) -> bool) -> u64 {
    let mut removed = 0;
    let _stays = look::each_name(folder, identity, &mut |name| {
        if is_chosen(name) {
            match remove(folder, name) {
                Ok(is_gone) => removed += u64::from(is_gone),
                Err(errno) => leftover::missed(folder, errno),
            }
        }
        Ok(())
    });
    removed
}

/// Moves something, locked folders unlocked (see `moving`).
pub fn take_out(
    parent: BorrowedFd<'_>,
    name: &[u8],
    workshop: BorrowedFd<'_>,
    hidden: impl AsRef<OsStr>,
) -> Result<()> {
    let hidden = hidden.as_ref();
    moving(parent, name, false, || rustix::fs::renameat(parent, name, workshop, hidden))
}

/// Moves what is called `name` in `parent` elsewhere, which is what `take` does. Moving a folder changes
/// the folder itself (its `..`), which one that may not be written refuses; then it is unlocked, and locked
/// again if that did not help or if it is to stay as it was.
pub fn moving(
    parent: BorrowedFd<'_>,
    name: &[u8],
    is_to_stay: bool,
    take: impl Fn() -> Result<()>,
) -> Result<()> {
    let taken = take();
    if taken != Err(Errno::ACCESS) {
        return taken;
    }
    let locked = look::open_to_read(parent, name).map_err(|_| Errno::ACCESS)?;
    let mode = Mode::from_raw_mode(u32::from(look::look_at(&locked)?.stx_mode) & 0o7777);
    rustix::fs::fchmod(&locked, mode | Mode::RWXU).map_err(|_| Errno::ACCESS)?;
    let taken = take();
    if is_to_stay || taken.is_err() {
        let _as_well_as_we_can = rustix::fs::fchmod(&locked, mode);
    }
    taken
}

/// Bytes that the folder `name` in `parent` takes on the drive with all that is in it, within the bounds
/// of `limits`; what cannot be looked at counts nothing.
pub fn weigh(parent: BorrowedFd<'_>, name: &[u8]) -> u64 {
    let Ok(top) = look::open_place(parent, name) else { return 0 };
    let (mut bytes, mut things) = (0_u64, 0);
    // Folders still to be looked into, relative to the first, the next one last.
    let mut ahead: Vec<Vec<u8>> = vec![b".".to_vec()];
    let mut ahead_bytes = 0;
    while let Some(next) = ahead.pop() {
        ahead_bytes -= next.len().min(ahead_bytes);
        let Ok(folder) = look::open_to_read(&top, &next) else { continue };
        let _as_far_as_it_went = look::each_name(folder.as_fd(), identity, &mut |name| {
            things += 1;
            let Some(stat) = look::look(&folder, name)? else { return Ok(()) };
            bytes = bytes.saturating_add(stat.stx_blocks.saturating_mul(512));
            if look::type_of(&stat) == FileType::Directory {
                let inner = [&next[..], name].join(&b'/');
                ahead_bytes += inner.len();
                ahead.push(inner);
            }
            let is_within = things < limits::TRASH_WEIGH_THINGS_MAX
                && ahead_bytes < limits::TRASH_WEIGH_BYTES_MAX;
            if is_within { Ok(()) } else { Err(Errno::TOOBIG) }
        });
        if things >= limits::TRASH_WEIGH_THINGS_MAX || ahead_bytes >= limits::TRASH_WEIGH_BYTES_MAX
        {
            break;
        }
    }
    bytes
}

/// Removes an unfinished thing that nobody works on any more; if that fails, it is tried again later. Returns whether
/// this removed it.
pub fn give_up(workshop: BorrowedFd<'_>, name: &str) -> bool {
    let removed = remove(workshop, name.as_bytes());
    if let Err(errno) = removed {
        leftover::give_up(workshop, name, errno);
    }
    removed.is_ok()
}

/// Removes a file, or a folder with all that is in it; returns whether all of it is gone.
pub fn remove(workshop: BorrowedFd<'_>, name: &[u8]) -> Result<bool> {
    match rustix::fs::unlinkat(workshop, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        done => return done.map(|()| true),
    }
    let folder = open_unlocked(workshop, name)?;
    let is_empty = empty(folder.as_fd())?;
    rustix::fs::unlinkat(workshop, name, AtFlags::REMOVEDIR)?;
    Ok(is_empty)
}

/// What a round did not finish.
#[derive(Default)]
struct Rest {
    /// Folders were moved up and wait for the next round.
    is_moved: bool,
    /// A folder filled up again, or was not read to its end, while it was emptied.
    is_refilled: bool,
    /// Something cannot be removed.
    is_stuck: bool,
}

/// Removes what is in the folder `work`, in rounds; returns whether all of it is gone.
fn empty(work: BorrowedFd<'_>) -> Result<bool> {
    let filesystem = look::filesystem_of(&look::look_at(work)?);
    let mut refills = 0;
    loop {
        let rest = empty_once(work, filesystem)?;
        refills += usize::from(rest.is_refilled);
        if refills > limits::RACE_TRIES_MAX || !(rest.is_moved || rest.is_refilled) {
            return Ok(!(rest.is_stuck || rest.is_moved || rest.is_refilled));
        }
    }
}

/// One round over the folder `work`: files go, folders are emptied, and folders in folders move up
/// into `work` for the next round. So depth costs neither stack nor descriptors.
fn empty_once(work: BorrowedFd<'_>, filesystem: Filesystem) -> Result<Rest> {
    let mut rest = Rest::default();
    look::each_name(work, identity, &mut |name| {
        match rustix::fs::unlinkat(work, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(_) => {
                rest.is_stuck = true;
                return Ok(());
            }
        }
        let was_stuck = std::mem::take(&mut rest.is_stuck);
        let emptied = empty_folder(work, name, filesystem, &mut rest);
        rest.is_stuck |= emptied.is_err();
        if !rest.is_stuck {
            match rustix::fs::unlinkat(work, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::NOTEMPTY | Errno::EXIST) => rest.is_refilled = true,
                Err(_) => rest.is_stuck = true,
            }
        }
        rest.is_stuck |= was_stuck;
        Ok(())
    })?;
    Ok(rest)
}

/// Empties the folder `name` in `work`; folders in it that are not empty move up into `work`.
///
/// Errors: it cannot be opened, or belongs to another filesystem.
fn empty_folder(
    work: BorrowedFd<'_>,
    name: &[u8],
    filesystem: Filesystem,
    rest: &mut Rest,
) -> Result<()> {
    let folder = open_unlocked(work, name)?;
    if look::filesystem_of(&look::look_at(&folder)?) != filesystem {
        return Err(Errno::XDEV);
    }
    look::each_name(folder.as_fd(), identity, &mut |inner| {
        match rustix::fs::unlinkat(&folder, inner, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(_) => {
                rest.is_stuck = true;
                return Ok(());
            }
        }
        match rustix::fs::unlinkat(&folder, inner, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(_not_empty) => {}
        }
        let up =
            |inner: &[u8]| rustix::fs::renameat(&folder, inner, work, hidden::temporary_name());
        let moved = match up(inner) {
            Err(Errno::ACCESS) => open_unlocked(folder.as_fd(), inner).and_then(|_| up(inner)),
            moved => moved,
        };
        rest.is_moved |= moved.is_ok();
        rest.is_stuck |= moved.is_err();
        Ok(())
    })
}

/// Opens a folder that is to be emptied; one whose mode keeps its owner out is unlocked first.
fn open_unlocked(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
    let place = look::open_place(parent, name)?;
    let mode = Mode::from_raw_mode(u32::from(look::look_at(&place)?.stx_mode));
    if !mode.contains(Mode::RWXU) {
        // Not ours to change: then opening or removing says so.
        let _told_by_what_follows = look::unlock(place.as_fd());
    }
    look::open_to_read(&place, b".")
}
