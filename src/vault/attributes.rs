//! Looking at one place and changing what is known of it besides its content: the time of its last
//! change and its mode. Never makes and never removes anything.

use super::look;
use super::os;
use super::path::VaultPath;
use super::permit::Permit;
use super::resolve::{Follow, Lost, Spot, there};
use super::share::{Entry, Kind, Need, Share};
use crate::error::{Error, Result, Why};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Statx, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt as _;
use std::time::SystemTime;

impl Share {
    /// What is at a place that may be seen, links followed.
    ///
    /// Errors: `Refused`, `NotFound`, `StorageAbsent`.
    pub fn look(&self, path: &VaultPath) -> Result<Entry> {
        self.checked(|| {
            let spot = self.locate(path, Need::See, Follow::Last)?;
            let stat = there(&spot)?;
            let at = (&*spot.folder, spot.name.as_bytes(), Permit::of(&*spot.folder));
            let mut entry = self.describe(path.name().to_owned(), Some(&spot.path), Some(stat), at);
            entry.writable &= self.grant().may_write(path);
            Ok(entry)
        })
    }

    /// Where something that may be seen really is, links followed, and what it is.
    ///
    /// Errors: `Refused`, `NotFound`, `StorageAbsent`.
    pub fn real_place(&self, path: &VaultPath) -> Result<(VaultPath, Kind)> {
        self.checked(|| {
            let spot = self.locate(path, Need::See, Follow::Last)?;
            let kind = kind(there(&spot)?);
            Ok((spot.path, kind))
        })
    }

    /// What kind of thing is at the place that the caller is confined to; `None` when nothing is there, or when a link
    /// leads there.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`, `Io`.
    pub fn kind_of_confines(&self) -> Result<Option<Kind>> {
        let Some(place) = self.grant().confines() else { return Ok(Some(Kind::Folder)) };
        self.checked(|| {
            let spot = match self.finder.locate(place, Follow::Last) {
                Err(Lost::Missing | Lost::Escapes | Lost::Loops) => return Ok(None),
                spot => spot?,
            };
            Ok(spot.stat.as_ref().filter(|_| spot.path == *place).map(kind))
        })
    }

    /// What kind of thing is at a place that may be changed, links followed.
    ///
    /// Errors: `Refused`, `NotFound`, `StorageAbsent`.
    pub fn kind_of(&self, path: &VaultPath) -> Result<Kind> {
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            Ok(kind(there(&spot)?))
        })
    }

    /// Whether two names mean the same name in the same folder, links on the way followed.
    ///
    /// Errors: `Refused`, `NotFound` (a folder on the way), `StorageAbsent`.
    pub fn is_same_place(&self, one: &VaultPath, other: &VaultPath) -> Result<bool> {
        self.checked(|| {
            let one = self.locate(one, Need::Write, Follow::NotLast)?;
            Ok(one.path == self.locate(other, Need::Write, Follow::NotLast)?.path)
        })
    }

    /// Sets when a file or folder changed last, durably.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (neither file nor folder), `StorageAbsent`.
    pub fn set_modified(&self, path: &VaultPath, time: SystemTime) -> Result<()> {
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            let handle = open_itself(&spot, OFlags::RDONLY | OFlags::NONBLOCK)?;
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let times = Timestamps {
                last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
                last_modification: Timespec {
                    tv_sec: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: since.subsec_nanos().into(),
                },
            };
            rustix::fs::futimens(&handle, &times).map_err(os)?;
            self.finder.root.news.came(path);
            sync_itself(&handle)
        })
    }

    /// Sets the permission bits of a file or folder (`chmod(2)`), durably. Others are left as they are:
    /// nobody is given a program that runs as somebody else.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (neither file nor folder), `StorageAbsent`.
    pub fn set_mode(&self, path: &VaultPath, mode: u32) -> Result<()> {
        /// Read, write and execute for the owner, the group and everybody.
        const PERMISSIONS: u32 = 0o777;
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            let old = u32::from(there(&spot)?.stx_mode);
            let mode = Mode::from_raw_mode(old & 0o7000 | mode & PERMISSIONS);
            match open_itself(&spot, OFlags::RDONLY | OFlags::NONBLOCK) {
                Ok(handle) => {
                    rustix::fs::fchmod(&handle, mode).map_err(os)?;
                    self.finder.root.news.came(path);
                    sync_itself(&handle)
                }
                // A mode that keeps us out can still be changed by its owner.
                Err(Error::DeniedByDrive) => {
                    let handle = open_itself(&spot, OFlags::PATH)?;
                    let place = format!("/proc/self/fd/{}", handle.as_raw_fd());
                    rustix::fs::chmod(place, mode).map_err(os)?;
                    self.finder.root.news.came(path);
                    rustix::fs::sync();
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })
    }
}

/// Opens what was found at a place, which must still be a file or a folder.
pub(super) fn open_itself(spot: &Spot, flags: OFlags) -> Result<OwnedFd> {
    there(spot)?;
    let flags = flags | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(&*spot.folder, &spot.name, flags, Mode::empty());
    let handle = handle.map_err(|errno| match errno {
        Errno::NXIO => Error::invalid_as(Why::NotAFile, "Path is not a file"),
        errno => os(errno),
    })?;
    let stat = look::look_at(&handle).map_err(os)?;
    match look::type_of(&stat) {
        FileType::RegularFile | FileType::Directory => Ok(handle),
        _ => Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
    }
}

/// Makes what was changed durable, where the filesystem has such a notion.
pub(super) fn sync_itself(handle: &OwnedFd) -> Result<()> {
    match rustix::fs::fsync(handle.as_fd()) {
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        done => done.map_err(os),
    }
}

/// What something is.
pub(super) fn kind(stat: &Statx) -> Kind {
    match look::type_of(stat) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        _ => Kind::Other,
    }
}
