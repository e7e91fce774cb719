//! A thing that gets a name in the share: where it is, by what it is known, and what it may replace.

use super::copy::Hidden;
use super::look::{self, FileId, is_folder};
use super::os;
use super::part::Version;
use super::path::VaultPath;
use super::spool::Spool;
use super::unfinished::{End, Unfinished};
use crate::error::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{RenameFlags, Statx};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Where a thing was before it was moved.
#[derive(Clone)]
pub(super) struct Source {
    /// The folder.
    pub folder: Arc<OwnedFd>,
    /// The name in it.
    pub name: OsString,
    /// Which thing it is.
    pub id: FileId,
    /// Of what nobody else can have changed, its size and when it changed: the next file often gets the inode
    /// number of the last one that was removed.
    pub content: Option<(u64, i128)>,
}

impl Source {
    /// A thing that is there already and goes somewhere else.
    pub fn there(folder: &Arc<OwnedFd>, name: impl AsRef<OsStr>, id: FileId) -> Self {
        Self { folder: Arc::clone(folder), name: name.as_ref().to_owned(), id, content: None }
    }

    /// Whether this is the thing.
    pub fn is(&self, stat: &Statx) -> bool {
        look::id_of(stat) == self.id
            && self.content.is_none_or(|content| {
                (stat.stx_size, look::nanoseconds_of(&stat.stx_mtime)) == content
            })
    }

    /// What it is now.
    pub fn look(&self) -> Result<Statx> {
        let stat = look::look(&self.folder, self.name.as_bytes()).map_err(os)?;
        stat.ok_or(Error::Bug("what was to get a name is gone".into()))
    }

    /// Whether the thing has this name.
    pub fn is_at(&self, folder: &OwnedFd, name: &OsStr) -> bool {
        let present = look::look(folder, name.as_bytes()).ok().flatten();
        present.is_some_and(|stat| self.is(&stat))
    }

    /// Makes it and what it changed places with, which has its name, change places again. If something else
    /// has come to the place meanwhile, that goes back at once.
    pub fn exchange_back(&self, folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
        let exchange = || {
            let flags = RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(&*self.folder, &self.name, folder, name, flags)
        };
        exchange()?;
        match look::look(&self.folder, self.name.as_bytes())? {
            Some(stat) if !self.is(&stat) => exchange(),
            _ => Ok(()),
        }
    }

    /// Gives it another name on its filesystem, if that is another.
    pub fn rename_to(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: impl AsRef<OsStr>,
    ) -> rustix::io::Result<()> {
        let name = name.as_ref();
        if !Arc::ptr_eq(&self.folder, folder) || self.name != name {
            rustix::fs::renameat(&*self.folder, &self.name, &**folder, name)?;
            self.folder = Arc::clone(folder);
            name.clone_into(&mut self.name);
        }
        Ok(())
    }
}

/// What may be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// The very thing that was judged.
    This(FileId),
    /// Whatever file is there by then.
    AnyFile,
    /// The file that was looked at, with the content that it had.
    Content(Version),
}

impl Judged {
    /// Whether what has come out of the place is that.
    pub fn is_at(self, folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<bool> {
        match self {
            Self::This(id) => Ok(is_it(folder, name, id)),
            Self::AnyFile => is_folder(folder, name).map(|is_folder| !is_folder),
            Self::Content(was) => {
                let out = look::look(folder, name.as_bytes())?;
                Ok(out.is_some_and(|stat| was.has_content_of(&stat)))
            }
        }
    }
}

/// Whether that thing still has that name.
fn is_it(folder: &OwnedFd, name: &OsStr, id: FileId) -> bool {
    let present = look::look(folder, name.as_bytes()).ok().flatten();
    present.is_some_and(|stat| look::id_of(&stat) == id)
}

/// What a thing was before it got its name, and so what becomes of it when that is taken back.
pub(super) enum Origin {
    /// It had this name in the share, and goes back.
    Moved(VaultPath),
    /// It was in the trash, and goes back.
    Binned,
    /// It was made in larder's hidden folder, goes back there and meets its end.
    Made(End),
}

/// A thing that gets a name in the share. Whoever gives it one takes it by value, and hands it back where the name
/// cannot be had.
pub(super) trait Thing: Sized {
    /// Whether it was made for its place: it is in larder's hidden folder on the filesystem of that, and only there.
    const IS_MADE: bool;

    /// Where it is, and by what it is known.
    fn source(&self) -> Source;

    /// It was moved within its filesystem.
    fn sits_at(&mut self, at: &Source);

    /// It has its name.
    fn placed(self) -> Origin;
}

/// A thing that is somewhere already.
pub(super) struct Itself {
    /// Where.
    at: Source,
    /// What it is when it has left.
    origin: Origin,
}

impl Itself {
    /// One that has this name in the share.
    pub fn moved(at: Source, named: VaultPath) -> Self {
        Self { at, origin: Origin::Moved(named) }
    }

    /// One in the trash.
    pub fn binned(at: Source) -> Self {
        Self { at, origin: Origin::Binned }
    }
}

impl Thing for Itself {
    const IS_MADE: bool = false;

    fn source(&self) -> Source {
        self.at.clone()
    }

    fn sits_at(&mut self, at: &Source) {
        self.at = at.clone();
    }

    fn placed(self) -> Origin {
        self.origin
    }
}

impl Unfinished {
    /// It was moved within its filesystem.
    fn sits_at(&mut self, at: &Source) {
        self.folder = Arc::clone(&at.folder);
        self.name = at.name.to_string_lossy().into_owned();
    }
}

impl Thing for Spool {
    const IS_MADE: bool = true;

    fn source(&self) -> Source {
        let (id, content) = self.known();
        Source { content, ..Source::there(&self.at.folder, &self.at.name, id) }
    }

    fn sits_at(&mut self, at: &Source) {
        self.at.sits_at(at);
    }

    fn placed(self) -> Origin {
        Origin::Made(self.at.leave())
    }
}

impl Thing for Hidden {
    const IS_MADE: bool = true;

    fn source(&self) -> Source {
        Source::there(&self.at.folder, &self.at.name, self.id)
    }

    fn sits_at(&mut self, at: &Source) {
        self.at.sits_at(at);
    }

    fn placed(self) -> Origin {
        Origin::Made(self.at.leave())
    }
}
