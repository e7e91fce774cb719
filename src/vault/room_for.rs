//! Room on the drives of the share: which of them counts for what is to come, and what its trash gives back
//! for it. The drive where a thing will be is the one that is asked; no other gives way.

use super::mounts;
use super::path::VaultPath;
use super::room::Room;
use super::share::Share;
use super::spool::Spool;
use super::{hidden, trash};
use super::{look, os};
use crate::error::{Error, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Bytes that are free; all there can be where nobody knows.
fn free(folder: BorrowedFd<'_>) -> Result<u64> {
    Ok(Room::on(folder).map_err(os)?.map_or(u64::MAX, |room| room.free))
}

/// Sees to it that so many bytes are free beside a folder of larder's own, if need be with what the trash there
/// has; that is not touched when it would not be enough. Returns whether they are.
fn make_room(beside: BorrowedFd<'_>, bytes: u64) -> Result<bool> {
    if free(beside)? >= bytes {
        return Ok(true);
    }
    if !could_have(beside, bytes)? {
        return Ok(false);
    }
    trash::make_room(beside, bytes);
    Ok(free(beside)? >= bytes)
}

/// Whether so many bytes could be free there.
fn could_have(beside: BorrowedFd<'_>, bytes: u64) -> Result<bool> {
    let free = free(beside)?;
    if free >= bytes {
        return Ok(true);
    }
    let Ok(bin) = look::open_place(beside, format!("../{}", hidden::TRASH).as_bytes()) else {
        return Ok(false);
    };
    Ok(free.saturating_add(trash::reclaimable(bin.as_fd())?) >= bytes)
}

impl Share {
    /// Looks whether so many bytes could come at all, to whichever drive of the share.
    ///
    /// Errors: `DiskFull`, `StorageAbsent`, `Io`.
    pub fn expect(&self, bytes: u64) -> Result<()> {
        self.checked(|| {
            let root = self.finder.workshop(&VaultPath::root())?;
            let could = |folder: &OwnedFd| could_have(folder.as_fd(), bytes);
            let is_possible =
                could(&root)? || self.drives().iter().any(|drive| could(drive).unwrap_or(false));
            if is_possible { Ok(()) } else { Err(Error::DiskFull) }
        })
    }

    /// A new, empty spool on the filesystem of `near` (the folder where the file will most likely
    /// stay), or of the share root. Asks for no right: what is spooled is nowhere yet.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn spool(&self, near: Option<&VaultPath>) -> Result<Spool> {
        self.spool_sized(near, None)
    }

    /// A new, empty spool for at most so many bytes, as far as that is known, on the drive of the folder `near`
    /// where the file will be, whose trash makes room for it. As long as nobody knows where that is, it is on
    /// the share root's drive, or on another that has the room.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn spool_sized(&self, near: Option<&VaultPath>, bytes: Option<u64>) -> Result<Spool> {
        let needed = bytes.unwrap_or(0);
        self.checked(|| {
            let workshop = match near {
                Some(near) => self.workshop_near(near)?,
                None => self.workshop_anywhere(needed)?,
            };
            if !make_room(workshop.as_fd(), needed)? {
                return Err(Error::DiskFull);
            }
            Spool::open(workshop)
        })
    }

    /// The hidden folder on the drive of the share root, or on one that has so many bytes to spare as it is,
    /// or could have them.
    fn workshop_anywhere(&self, needed: u64) -> Result<Arc<OwnedFd>> {
        let root = self.finder.workshop(&VaultPath::root())?;
        if free(root.as_fd())? >= needed {
            return Ok(root);
        }
        let drives = self.drives();
        let has_room = |drive: &&Arc<OwnedFd>| free(drive.as_fd()).is_ok_and(|free| free >= needed);
        if let Some(drive) = drives.iter().find(has_room) {
            return Ok(Arc::clone(drive));
        }
        if could_have(root.as_fd(), needed)? {
            return Ok(root);
        }
        let could = |drive: &Arc<OwnedFd>| could_have(drive.as_fd(), needed).unwrap_or(false);
        Ok(drives.into_iter().find(could).unwrap_or(root))
    }

    /// The hidden folders on the drives that are mounted inside the share, as far as they take anything and
    /// the caller may put something there.
    pub(super) fn drives(&self) -> Vec<Arc<OwnedFd>> {
        mounts::mounts_below(self.finder.handle.as_fd())
            .iter()
            .map(|below| VaultPath::from_disk(below.as_os_str().as_bytes()))
            .filter(|top| !top.is_reserved() && self.grant().may_write_below(top))
            .filter_map(|top| self.finder.workshop(&top).ok())
            .collect()
    }
}

/// Sees to it that a file of so many bytes can be copied to where it will be.
///
/// Errors: `DiskFull`, `Io`.
pub(super) fn make_room_for(workshop: &OwnedFd, bytes: u64) -> Result<()> {
    if make_room(workshop.as_fd(), bytes)? { Ok(()) } else { Err(Error::DiskFull) }
}

/// Looks whether a file of so many bytes would fit as things are: nothing gives way for it.
///
/// Errors: `DiskFull`, `Io`.
pub(super) fn must_be_free(workshop: &OwnedFd, bytes: u64) -> Result<()> {
    if free(workshop.as_fd())? >= bytes { Ok(()) } else { Err(Error::DiskFull) }
}
