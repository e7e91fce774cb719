//! What one caller may see of the share root: looking, listing and opening. Narrowed at birth to a
//! grant and never widened; writing is in `write.rs`, changing names in `change.rs`.

use super::list::Listing;
use super::look::{self, FileId};
use super::mount::Root;
use super::permit::Permit;
use super::resolve::{Finder, Follow, Lost, Spot};
use super::{Grant, NOT_THERE, VaultPath, os, raw_name};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Statx, StatxTimestamp};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// The share root, open, as far as one grant reaches.
#[derive(Clone)]
pub struct Share {
    /// Finds places in it.
    pub(super) finder: Finder,
    /// What may be read and written.
    grant: Arc<Grant>,
    /// Who it is for; a label that means nothing here.
    pub(super) by: Arc<str>,
}

/// Which right an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// To see content.
    Read,
    /// To make, change or remove.
    Write,
}

/// What there is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Anything else: a device, a pipe, a link that leads nowhere or where one may not look.
    Other,
}

/// One name of a listing and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as callers are told it.
    pub name: String,
    /// Whether that is not the name on the drive, which is no text or looks like what is told of such.
    pub raw: bool,
    /// What it is, links followed.
    pub kind: Kind,
    /// Bytes; 0 for everything but files.
    pub size: u64,
    /// When its content changed last.
    pub modified: SystemTime,
    /// Whether the caller may change it, and the drive lets larder.
    pub writable: bool,
    /// Its permission bits (`chmod(2)`); 0 when nothing is known of it.
    pub mode: u16,
    /// Which file it is; `None` when nothing is known of it.
    pub id: Option<FileId>,
}

/// What was opened.
pub enum Opened {
    /// A regular file.
    File(OpenFile),
    /// A folder.
    Folder,
}

/// A file, open for reading.
pub struct OpenFile {
    /// At its beginning.
    pub file: File,
    /// Bytes when it was opened.
    pub size: u64,
    /// When its content changed last.
    pub modified: SystemTime,
    /// Differs whenever the content does (RFC 9110, 8.8.1, strong validator); no quotes.
    pub tag: String,
}

/// Timestamps of filesystems with coarse clocks (FAT 2 s, ext3 1 s, exFAT 10 ms) are multiples of this
/// (nanoseconds).
const COARSE_NS: u32 = 10_000_000;

/// For so long after a coarse timestamp another change could have the same one.
const COARSE_WINDOW: Duration = Duration::from_secs(3);

impl Share {
    /// A share over an open root.
    pub(super) fn new(
        root: Arc<Root>,
        handle: OwnedFd,
        home: FileId,
        grant: Arc<Grant>,
        by: &str,
    ) -> Self {
        let finder = Finder::new(root, handle, home);
        Self { finder, grant, by: by.into() }
    }

    /// Who it is for.
    pub(super) fn by(&self) -> &str {
        &self.by
    }

    /// What may be read and written here.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Lists a folder that may be read, or, on the way to something that may, what leads there.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`.
    pub fn list(&self, path: &VaultPath) -> Result<Listing> {
        if !self.grant.may_see(path) {
            return Err(Error::Refused);
        }
        self.checked(|| {
            let spot = self.finder.locate(path, Follow::Last)?;
            if !self.grant.may_see(&spot.path) {
                return Err(Error::Refused);
            }
            let is_passage = !self.grant.may_read(path) || !self.grant.may_read(&spot.path);
            match spot.file_type() {
                None => return Err(NOT_THERE),
                Some(FileType::Directory) => {}
                Some(_) => return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
            }
            let _pass = self.finder.ask(&spot.path)?;
            let folder = look::open_to_read(&spot.folder, spot.name.as_bytes()).map_err(os)?;
            Listing::new(self.clone(), folder, path.clone(), spot.path, is_passage)
        })
    }

    /// Opens a folder as a place to be in. Whoever may not see it, or whom a link there would lead out
    /// of the share, is refused.
    ///
    /// Errors: `Refused`, `NotFound` (also what is no folder), `StorageAbsent`.
    pub fn enter(&self, path: &VaultPath) -> Result<OwnedFd> {
        if !self.grant.may_see(path) {
            return Err(Error::Refused);
        }
        self.checked(|| {
            let spot = self.finder.locate(path, Follow::Last).map_err(|lost| match lost {
                Lost::Escapes => Error::Refused,
                other => other.into(),
            })?;
            if !self.grant.may_see(&spot.path) {
                return Err(Error::Refused);
            }
            if !spot.is_folder() {
                return Err(NOT_THERE);
            }
            look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)
        })
    }

    /// Opens what may be read.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (neither file nor folder), `StorageAbsent`.
    pub fn open(&self, path: &VaultPath) -> Result<Opened> {
        self.checked(|| {
            for _ in 0..limits::RACE_TRIES_MAX {
                let spot = self.locate(path, Need::Read, Follow::Last)?;
                match spot.file_type() {
                    None => return Err(NOT_THERE),
                    Some(FileType::Directory) => return Ok(Opened::Folder),
                    Some(FileType::RegularFile) => {}
                    // Somebody put a link there since; it must be judged first.
                    Some(FileType::Symlink) => continue,
                    Some(_) => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
                }
                let _pass = self.finder.ask(&spot.path)?;
                match open_regular(&spot.folder, spot.name.as_bytes()) {
                    Err(Errno::LOOP | Errno::NXIO) => {}
                    Err(errno) => return Err(os(errno)),
                    Ok(opened) => return Ok(Opened::File(opened.ok_or(NOT_THERE)?)),
                }
            }
            Err(NOT_THERE)
        })
    }

    /// Finds a place by a name and judges both the name and the place, in that order: whoever may
    /// not use the name does not learn whether it exists.
    pub(super) fn locate(&self, path: &VaultPath, need: Need, follow: Follow) -> Result<Spot> {
        self.ask(path, need)?;
        let spot = self.finder.locate(path, follow)?;
        self.ask(&spot.path, need)?;
        Ok(spot)
    }

    /// Whether the grant reaches there.
    ///
    /// Errors: `Refused`.
    pub(super) fn ask(&self, path: &VaultPath, need: Need) -> Result<()> {
        let is_granted = match need {
            Need::Read => self.grant.may_read(path),
            Need::Write => self.grant.may_write(path),
        };
        if is_granted { Ok(()) } else { Err(Error::Refused) }
    }

    /// Judges that something gets another name: where it could be read under that, it must be readable now,
    /// as a move asks. There is more in a folder than its name tells, so any readable place at or below the
    /// target counts. Both ends are given by the name that was used and by where they really are.
    ///
    /// Errors: `Refused`.
    pub(super) fn ask_to_show(
        &self,
        now: &[&VaultPath],
        then: &[&VaultPath],
        is_folder: bool,
    ) -> Result<()> {
        let shows = |path: &VaultPath| {
            self.grant.may_read(path) || (is_folder && self.grant.may_pass(path))
        };
        if then.iter().any(|path| shows(path)) {
            now.iter().try_for_each(|path| self.ask(path, Need::Read))?;
        }
        Ok(())
    }

    /// Does some work on the drive; if the machine failed and the drive is no longer there, says
    /// so.
    pub(super) fn checked<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        work().map_err(|error| match error {
            Error::Io(_) if !self.finder.root.is_present() => Error::StorageAbsent,
            other => other,
        })
    }

    /// Puts together what is known of a name. `place` is `None` for a name that is not UTF-8, which
    /// no caller can use; `folder` and `on_disk` are where it was found.
    pub(super) fn describe(
        &self,
        name: String,
        place: Option<&VaultPath>,
        stat: Option<&Statx>,
        (folder, on_disk, permit): (&OwnedFd, &[u8], Permit),
    ) -> Entry {
        let mut writable = place.is_some_and(|place| self.grant.may_write(place))
            && stat.is_some_and(|stat| permit.permits(folder, on_disk, stat));
        let is_link = stat.is_some_and(|stat| look::type_of(stat) == FileType::Symlink);
        let followed = if is_link {
            let spot = place.and_then(|place| self.finder.glance_at(place, Follow::Last).ok());
            writable &= spot.as_ref().is_some_and(|spot| {
                self.grant.may_write(&spot.path)
                    && spot.stat.is_some_and(|stat| spot.permits(&stat))
            });
            spot.filter(|spot| self.grant.may_see(&spot.path)).and_then(|spot| spot.stat)
        } else {
            None
        };
        let seen = if is_link { followed.as_ref() } else { stat };
        let kind = match seen.map(look::type_of) {
            _ if place.is_none() => Kind::Other,
            Some(FileType::RegularFile) => Kind::File,
            Some(FileType::Directory) => Kind::Folder,
            _ => Kind::Other,
        };
        let size = seen.filter(|_| kind == Kind::File).map_or(0, |stat| stat.stx_size);
        let modified = seen.or(stat).map_or(SystemTime::UNIX_EPOCH, look::modified_of);
        let mode = seen.map_or(0, |stat| stat.stx_mode & 0o777);
        let raw = raw_name::is_raw(&name);
        Entry { name, raw, kind, size, modified, writable, mode, id: seen.map(look::id_of) }
    }
}

/// Opens a regular file without following a link and without waiting for a pipe's other end. `None`
/// when it is something else.
pub(super) fn open_regular(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<Option<OpenFile>> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let stat = look::look_at(&file)?;
    if look::type_of(&stat) != FileType::RegularFile {
        return Ok(None);
    }
    let modified = look::modified_of(&stat);
    Ok(Some(OpenFile { file: File::from(file), size: stat.stx_size, modified, tag: tag(&stat) }))
}

/// Whether a time is so close to now that another change could have the same one.
fn is_of_now(time: &StatxTimestamp) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    now.abs_diff(time.tv_sec) <= COARSE_WINDOW.as_secs()
}

/// A text that differs for any two contents: inode, size and both times, of which larder's own writes
/// set the first to the nanosecond. Where clocks are coarse and the file has just been changed, the text
/// is never the same twice. A date ahead of the clock is no sign of that: the next change would have
/// another.
fn tag(stat: &Statx) -> String {
    /// Counts what cannot be told apart otherwise.
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let (modified, changed) =
        (look::nanoseconds_of(&stat.stx_mtime), look::nanoseconds_of(&stat.stx_ctime));
    let plain = format!("{:x}-{:x}-{modified:x}-{changed:x}", stat.stx_ino, stat.stx_size);
    let is_coarse = |time: &StatxTimestamp| time.tv_nsec.is_multiple_of(COARSE_NS);
    let times = [&stat.stx_mtime, &stat.stx_ctime];
    if !times.into_iter().all(is_coarse) || !times.into_iter().any(is_of_now) {
        return plain;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{plain}-{:x}-{:x}", now.as_nanos(), NONCE.fetch_add(1, Ordering::Relaxed))
}
