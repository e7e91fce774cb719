//! Opening what may be read, and the tag by which two contents are told apart.

use super::look;
use super::resolve::{Follow, Lost};
use super::share::{Need, Share};
use super::{NOT_THERE, VaultPath, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Statx, StatxTimestamp};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

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
    /// Opens a folder as a place to be in. Whoever may not see it, or whom a link there would lead out
    /// of the share, is refused.
    ///
    /// Errors: `Refused`, `NotFound` (also what is no folder), `StorageAbsent`.
    pub fn enter(&self, path: &VaultPath) -> Result<OwnedFd> {
        self.checked(|| {
            self.ask(path, Need::See)?;
            let spot = self.finder.locate(path, Follow::Last).map_err(|lost| match lost {
                Lost::Escapes => Error::Refused,
                other => other.into(),
            })?;
            self.ask(&spot.path, Need::See)?;
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
    Ok(Some(OpenFile {
        file: File::from(file),
        size: stat.stx_size,
        modified,
        tag: Stamp::of(&stat).tag(),
    }))
}

/// Whether a time is so close to now that another change could have the same one.
fn is_of_now(time: &StatxTimestamp) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    now.abs_diff(time.tv_sec) <= COARSE_WINDOW.as_secs()
}

/// What tells a file's content from any other it may have: inode, size and both times, of which larder's
/// own writes set the first to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its inode.
    inode: u64,
    /// Bytes.
    size: u64,
    /// When its content changed last (nanoseconds since 1970).
    modified: i128,
    /// When anything about it changed last (nanoseconds since 1970).
    changed: i128,
    /// The clock is coarse and the file has just been changed: the next change could look the same.
    is_doubtful: bool,
}

impl Stamp {
    /// That of what was looked at.
    pub(super) fn of(stat: &Statx) -> Self {
        let is_coarse = |time: &StatxTimestamp| time.tv_nsec.is_multiple_of(COARSE_NS);
        let times = [&stat.stx_mtime, &stat.stx_ctime];
        Self {
            inode: stat.stx_ino,
            size: stat.stx_size,
            modified: look::nanoseconds_of(&stat.stx_mtime),
            changed: look::nanoseconds_of(&stat.stx_ctime),
            is_doubtful: times.into_iter().all(is_coarse) && times.into_iter().any(is_of_now),
        }
    }

    /// A text that differs for any two contents. Where nobody can be sure, it is never the same twice. A
    /// date ahead of the clock is no reason to doubt: the next change would have another.
    pub fn tag(&self) -> String {
        /// Counts what cannot be told apart otherwise.
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let Self { inode, size, modified, changed, is_doubtful } = self;
        let plain = format!("{inode:x}-{size:x}-{modified:x}-{changed:x}");
        if !is_doubtful {
            return plain;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{plain}-{:x}-{:x}", now.as_nanos(), NONCE.fetch_add(1, Ordering::Relaxed))
    }
}
