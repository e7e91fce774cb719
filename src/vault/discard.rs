//! Removing for good: one file, or a tree of any depth with a handful of descriptors. Never follows
//! a link and never leaves the filesystem it began on. Knows no grants.

use super::look::{self, Filesystem};
use super::mount;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode};
use rustix::io::{Errno, Result};

/// Removes what is chosen by name from a folder of larder's own; returns how many names went.
/// What cannot be removed stays.
pub fn clear(folder: BorrowedFd<'_>, is_chosen: &dyn Fn(&[u8]) -> bool) -> u64 {
    let mut removed = 0;
    let Ok(entries) = names(folder) else { return 0 };
    for name in entries.filter(|name| is_chosen(name)) {
        let is_gone = match rustix::fs::unlinkat(folder, &name[..], AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => remove_tree(folder, folder, &name).is_ok(),
            done => done.is_ok(),
        };
        removed += u64::from(is_gone);
    }
    removed
}

/// Takes the folder `name` out of `parent` in one step, so that it is gone for everybody at once,
/// and then removes it with all that is in it. `workshop` is larder's folder for unfinished things on
/// the same filesystem.
///
/// Errors: `EXDEV` and `EBUSY` when a drive is mounted there; then nothing was changed. What fails
/// later is left for the next sweep.
pub fn remove_tree(workshop: BorrowedFd<'_>, parent: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
    let work_name = mount::temporary_name();
    rustix::fs::mkdirat(workshop, &work_name, Mode::RWXU)?;
    let work = look::open_to_read(workshop, work_name.as_bytes())?;
    let taken = rustix::fs::renameat(parent, name, &work, "0");
    if taken.is_ok() {
        look::sync_folder(parent)?;
        let filesystem = look::filesystem_of(&look::look_at(&work)?);
        while empty_once(work.as_fd(), filesystem)? {}
    }
    let _left_for_the_sweep = rustix::fs::unlinkat(workshop, &work_name, AtFlags::REMOVEDIR);
    taken
}

/// One round over the folder `work`: files go, folders are emptied, and folders in folders move up
/// into `work` for the next round. So depth costs neither stack nor descriptors. Returns whether
/// anything is left that another round could remove.
fn empty_once(work: BorrowedFd<'_>, filesystem: Filesystem) -> Result<bool> {
    let mut has_moved = false;
    for name in names(work)? {
        let Some(stat) = look::look(work, &name)? else { continue };
        if look::filesystem_of(&stat) != filesystem {
            continue;
        }
        if look::type_of(&stat) != FileType::Directory {
            rustix::fs::unlinkat(work, &name[..], AtFlags::empty())?;
            continue;
        }
        let folder = open_even_if_locked(work, &name)?;
        for inner in names(folder.as_fd())? {
            match rustix::fs::unlinkat(&folder, &inner[..], AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR | Errno::PERM) => {}
                Err(errno) => return Err(errno),
            }
            match rustix::fs::unlinkat(&folder, &inner[..], AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            }
            rustix::fs::renameat(&folder, &inner[..], work, mount::temporary_name())?;
            has_moved = true;
        }
        rustix::fs::unlinkat(work, &name[..], AtFlags::REMOVEDIR)?;
    }
    Ok(has_moved)
}

/// Opens a folder that is to be emptied; one whose mode keeps even its owner out is unlocked first.
fn open_even_if_locked(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
    match look::open_to_read(parent, name) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            look::open_to_read(parent, name)
        }
        opened => opened,
    }
}

/// The names in a folder, without `.` and `..`; what cannot be read ends the list.
pub fn names(folder: BorrowedFd<'_>) -> Result<impl Iterator<Item = Vec<u8>>> {
    let entries = Dir::read_from(look::open_to_read(folder, b".")?)?;
    let names = entries.map_while(Result::ok).map(|entry| entry.file_name().to_bytes().to_vec());
    Ok(names.filter(|name| !matches!(&name[..], b"." | b"..")))
}
