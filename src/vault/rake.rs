//! Removing a tree for good, piece by piece, and telling what cannot be removed: that stays, in the folders
//! that lead to it. Knows no grants.

use super::hidden;
use super::look::{self, Filesystem};
use super::path::VaultPath;
use super::progress::Progress;
use super::walk::{Folder, Mark, Visitor, Walk, join};
use super::{discard, mounted, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Statx};
use rustix::io::Errno;
use std::fs::File;
use std::sync::Arc;

/// What could not be removed, or could not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Remains {
    /// The first ones, relative to the share root.
    paths: Vec<String>,
    /// How many there are.
    count: usize,
}

impl Remains {
    /// Adds a thing below `top`, which is where the tree is, or was.
    pub(super) fn add(&mut self, top: &VaultPath, place: &[u8]) {
        self.count += 1;
        if self.paths.len() < limits::REMAINS_TOLD_MAX {
            self.paths.push(top.join_path(&VaultPath::from_disk(place)).to_string());
        }
    }

    /// Adds others.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = limits::REMAINS_TOLD_MAX.saturating_sub(self.paths.len());
        self.paths.extend(other.paths.into_iter().take(room));
    }

    /// Whether nothing remains.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Nothing remains, or that is told.
    ///
    /// Errors: `Remains`.
    pub fn told(self) -> Result<()> {
        if self.is_none() { Ok(()) } else { Err(Error::Remains(self.paths)) }
    }
}

/// A thing that is to be removed, as far as that goes.
pub(super) struct Doomed<'a> {
    /// The folder that it is in.
    pub folder: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a [u8],
    /// What it is, or was, called in the share.
    pub path: &'a VaultPath,
    /// Whether nobody but larder sees it, so that whatever has come into it meanwhile goes as well.
    pub is_hidden: bool,
}

impl Doomed<'_> {
    /// Removes it. `overflow` makes a file without a name for a walk through a big tree.
    ///
    /// Errors: `Cancelled`; `Invalid` (a drive is mounted in it), `Conflict` (it fills up again), `Io`: then
    /// what is left is where it was.
    pub fn remove(
        &self,
        progress: &Progress,
        overflow: &dyn Fn() -> Result<File>,
    ) -> Result<Remains> {
        let mut remains = Remains::default();
        match rustix::fs::unlinkat(self.folder, self.name, AtFlags::empty()) {
            Ok(()) => {
                progress.add(0, 1);
                return Ok(remains);
            }
            Err(Errno::NOENT) => return Ok(remains),
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(errno) => return self.kept(errno, b"", remains),
        }
        let place = match look::open_place(self.folder, self.name) {
            Err(Errno::NOTDIR) => return self.kept(Errno::PERM, b"", remains),
            place => Arc::new(place.map_err(os)?),
        };
        for _ in 0..if self.is_hidden { limits::RACE_TRIES_MAX } else { 1 } {
            let mut rake = Rake {
                doomed: self,
                top: Arc::clone(&place),
                filesystem: look::filesystem_of(&look::look_at(&*place).map_err(os)?),
                progress,
                remains: Remains::default(),
            };
            let top = Arc::clone(&place);
            let walk = Walk { top, no_openat2: false, unlocks: true, overflow, progress };
            match walk.show(&mut rake) {
                // Too deep for a path that anybody could be told.
                Err(Error::Io(cause)) if self.is_hidden && cause.raw_os_error().is_none() => {
                    let _told_by_what_follows = discard::remove(self.folder, self.name);
                }
                walked => walked?,
            }
            remains = rake.remains;
            match rustix::fs::unlinkat(self.folder, self.name, AtFlags::REMOVEDIR) {
                Ok(()) => progress.add(0, 1),
                Err(Errno::NOTEMPTY | Errno::EXIST) if remains.is_none() => continue,
                Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(Errno::BUSY) => return Err(mounted()),
                Err(errno) => return self.kept(errno, b"", remains),
            }
            return Ok(remains);
        }
        // Somebody puts things into it again and again.
        Err(Error::Conflict("The folder has changed meanwhile"))
    }

    /// Notes something that cannot be removed.
    ///
    /// Errors: the drive failed, which says nothing about this thing.
    fn kept(&self, errno: Errno, place: &[u8], mut remains: Remains) -> Result<Remains> {
        if !matches!(errno, Errno::ACCESS | Errno::PERM | Errno::BUSY | Errno::TXTBSY) {
            return Err(os(errno));
        }
        remains.add(self.path, place);
        Ok(remains)
    }
}

/// Removes a tree's leaves, and its folders when they are empty.
struct Rake<'a> {
    /// The tree.
    doomed: &'a Doomed<'a>,
    /// Its top; it is removed by who knows its name.
    top: Arc<OwnedFd>,
    /// The filesystem it is on, which is not left.
    filesystem: Filesystem,
    /// How far it is.
    progress: &'a Progress,
    /// What could not be removed so far.
    remains: Remains,
}

impl Rake<'_> {
    /// Goes on without something.
    fn keep(&mut self, errno: Errno, place: &[u8]) -> Result<()> {
        self.remains = self.doomed.kept(errno, place, std::mem::take(&mut self.remains))?;
        Ok(())
    }
}

impl Visitor for Rake<'_> {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        if look::filesystem_of(folder.stat) != self.filesystem {
            return Err(mounted());
        }
        if folder.stat.stx_mode & 0o700 != 0o700 {
            // Not ours to change: then removing says so.
            let _told_by_what_follows = look::unlock(folder.handle.as_fd());
        }
        Ok(())
    }

    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], _stat: &Statx) -> Result<()> {
        match rustix::fs::unlinkat(folder.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => self.progress.add(0, 1),
            Err(errno) => self.keep(errno, &join(folder.place, name))?,
        }
        Ok(())
    }

    fn leave(&mut self, place: &[u8], _mark: Mark) -> Result<()> {
        if place.is_empty() {
            return Ok(());
        }
        let (above, name) = match place.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&place[..at], &place[at + 1..]),
            None => (&[][..], place),
        };
        let above = look::open_deep(&self.top, above, false).map_err(os)?;
        match rustix::fs::unlinkat(&*above, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => self.progress.add(0, 1),
            // Something in it stays, or has come meanwhile: then the top says so.
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(errno) => self.keep(errno, place)?,
        }
        Ok(())
    }

    fn refused(&mut self, place: &[u8], errno: Errno) -> Result<()> {
        self.keep(errno, place)
    }
}

/// A file without a name in larder's folder for unfinished things.
pub(super) fn nameless_file(workshop: BorrowedFd<'_>) -> Result<File> {
    let name = hidden::temporary_name();
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(workshop, &name, flags, Mode::from(0o600)).map_err(os)?;
    hidden::unlink(workshop, &name);
    Ok(file.into())
}
