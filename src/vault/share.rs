//! What one caller may see of the share root: looking, listing and opening. Narrowed at birth to a
//! grant and never widened; writing is in `write.rs`, changing names in `change.rs`.

use super::look::{self, FileId};
use super::permit::Permit;
use super::resolve::{Finder, Follow, Spot};
use super::root::Root;
use super::stamp::Stamp;
use super::{Grant, NOT_THERE, VaultPath, raw_name};
use crate::budget::Line;
use crate::error::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Statx};
use std::sync::Arc;
use std::time::SystemTime;

/// The share root, open, as far as one grant reaches.
#[derive(Clone)]
pub struct Share {
    /// Finds places in it.
    pub(super) finder: Finder,
    /// What may be read and written.
    grant: Arc<Grant>,
    /// Who it is for; a label that means nothing here.
    by: Arc<str>,
    /// Where they queue for what is long.
    pub(super) line: Line,
    /// The tokens of locks that they show.
    pub(super) tokens: Arc<[String]>,
}

/// Which right an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// To see that it is there, and on the way to something that may be read.
    See,
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
    /// When it was made, where that is known.
    pub born: Option<SystemTime>,
    /// Whether the caller may change it, and the drive lets larder.
    pub writable: bool,
    /// Its permission bits (`chmod(2)`); 0 when nothing is known of it.
    pub mode: u16,
    /// Which file it is; `None` when nothing is known of it.
    pub id: Option<FileId>,
    /// Of which content all this is told; `None` for everything but files.
    pub stamp: Option<Stamp>,
}

impl Need {
    /// Whether a grant gives it there.
    pub(super) fn is_granted(self, grant: &Grant, path: &VaultPath) -> bool {
        match self {
            Self::See => grant.may_see(path),
            Self::Read => grant.may_read(path),
            Self::Write => grant.may_write(path),
        }
    }
}

impl Share {
    /// A share over an open root.
    pub(super) fn new(
        root: Arc<Root>,
        handle: Arc<OwnedFd>,
        home: FileId,
        grant: Arc<Grant>,
        by: &str,
    ) -> Self {
        let finder = Finder::new(root, handle, home).confined_to(grant.confines());
        let by: Arc<str> = by.into();
        Self { finder, grant, line: Line::User(Arc::clone(&by)), by, tokens: Arc::from([]) }
    }

    /// The same for somebody who queues elsewhere than a user of this name.
    pub fn in_line(self, line: Line) -> Self {
        Self { line, ..self }
    }

    /// Who it is for.
    pub(super) fn by(&self) -> &str {
        &self.by
    }

    /// What may be read and written here.
    pub fn grant(&self) -> &Grant {
        &self.grant
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
    /// Errors: `Refused`; `NotFound` for those who shall know of nothing there; `Locked`.
    pub(super) fn ask(&self, path: &VaultPath, need: Need) -> Result<()> {
        match need.is_granted(&self.grant, path) {
            true if need == Need::Write => {
                self.finder.root.locks.judge(&self.tokens, |lock| lock.covers(path))
            }
            true => Ok(()),
            false if self.grant.is_confined_from(path) => Err(NOT_THERE),
            false => Err(Error::Refused),
        }
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
        let stamp = seen.filter(|_| kind == Kind::File).map(Stamp::of);
        let raw = raw_name::is_raw(&name);
        let (born, id) = (seen.and_then(look::born_of), seen.map(look::id_of));
        Entry { name, raw, kind, size, modified, born, writable, mode, id, stamp }
    }

    /// What there is under a name in an open folder, which is at `told` by the name that was used and at `real` in
    /// truth; and whether there is anything.
    pub(super) fn entry_in(
        &self,
        folder: &Arc<OwnedFd>,
        (told, real): (&VaultPath, &VaultPath),
        name: &[u8],
        permit: Permit,
    ) -> (Entry, bool) {
        let called = raw_name::tell(name).into_owned();
        let place = real.join(&called);
        let Ok((stat, permit)) = self.finder.look_in((folder, real), name, permit) else {
            // The top of a drive that does not answer; everything else here is to be seen all the same.
            let at = (&**folder, name, permit);
            return (Entry { kind: Kind::Folder, ..self.describe(called, None, None, at) }, true);
        };
        let at = (&**folder, name, permit);
        let mut entry = self.describe(called, Some(&place), stat.as_ref(), at);
        if told != real {
            entry.writable &= self.grant().may_write(&told.join(&entry.name));
        }
        (entry, stat.is_some())
    }
}
