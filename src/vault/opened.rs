//! Opening what may be read.

use super::look;
use super::resolve::{Follow, Lost};
use super::share::{Need, Share};
use super::stamp::Stamp;
use super::{NOT_THERE, VaultPath, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::time::SystemTime;

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
