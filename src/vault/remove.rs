//! Removing a big tree for good, step by step and in its place, so that it can be watched and called off:
//! what is left then are whole things where they were. Removing at once is in `change.rs`.

use super::change::{mounted, moved};
use super::look::{self, Filesystem};
use super::os;
use super::path::VaultPath;
use super::progress::Progress;
use super::resolve::open_deep;
use super::share::{Kind, Need, Share};
use super::transfer::refuse_mounts;
use super::trash::{Fate, Reason};
use super::walk::{Folder, Mark, Visitor};
use crate::error::{Error, Result};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Statx};
use rustix::io::Errno;
use std::sync::Arc;

/// Something that was found and may be removed.
pub struct Removal {
    /// Whose it is.
    share: Share,
    /// What it is called.
    path: VaultPath,
    /// What it must be.
    kind: Kind,
    /// Where it should go.
    wish: Fate,
}

impl Share {
    /// Finds what is to be removed.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, not of that kind, a drive mounted in it),
    /// `StorageAbsent`.
    pub fn removal(&self, path: &VaultPath, kind: Kind, wish: Fate) -> Result<Removal> {
        if path.is_root() {
            return Err(Error::invalid(match kind {
                Kind::Folder => "The root can't be deleted",
                _ => "Path is not a file",
            }));
        }
        self.ask(path, Need::Write)?;
        self.checked(|| {
            let spot = self.locate_itself(path, &[Need::Write])?;
            self.must_be(&spot, path, kind)?;
            refuse_mounts(&spot)?;
            Ok(Removal { share: self.clone(), path: path.clone(), kind, wish })
        })
    }
}

impl Removal {
    /// Removes it, in one step into the trash or piece by piece for good, and says what became of it. Called
    /// off, it leaves what it had not come to.
    ///
    /// Errors: `Cancelled`, `NotFound`, `Refused`, `Io`, `StorageAbsent`.
    pub fn run(&self, progress: &Progress) -> Result<Fate> {
        let share = &self.share;
        share.checked(|| {
            let spot = share.locate_itself(&self.path, &[Need::Write])?;
            if !spot.is_folder() || self.kind != Kind::Folder {
                progress.expect(0, 1);
                progress.go_on()?;
                let fate = match self.kind {
                    Kind::Folder => share.delete_folder(&self.path, self.wish)?,
                    Kind::File | Kind::Other => share.delete_file(&self.path, self.wish)?,
                };
                progress.add(0, 1);
                return Ok(fate);
            }
            if self.wish == Fate::Trash {
                progress.go_on()?;
                refuse_mounts(&spot)?;
                if share.throw_away(&spot, Reason::Deleted, moved)? {
                    progress.expect(0, 1);
                    progress.add(0, 1);
                    return Ok(Fate::Trash);
                }
            }
            if progress.is_watched() {
                let (_, items) = share.count(&spot.folder, &spot.name, progress)?;
                progress.expect(0, items);
            }
            let place = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
            let top = Arc::new(place);
            let mut rake = Rake {
                top: Arc::clone(&top),
                filesystem: look::filesystem_of(&look::look_at(&*top).map_err(os)?),
                no_openat2: share.finder.root.quirks.no_openat2,
                progress,
            };
            share.walk(top, progress, true, &mut |walk| walk.show(&mut rake))?;
            match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::BUSY) => return Err(mounted()),
                Err(errno) => return Err(os(errno)),
            }
            progress.add(0, 1);
            look::sync_folder(&*spot.folder).map_err(os)?;
            Ok(Fate::Gone)
        })
    }
}

/// Removes a tree's leaves, and its folders when they are empty.
struct Rake<'a> {
    /// The top; it is removed by who knows its name.
    top: Arc<OwnedFd>,
    /// The filesystem it is on, which is not left.
    filesystem: Filesystem,
    /// See `Walk`.
    no_openat2: bool,
    /// How far it is.
    progress: &'a Progress,
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
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(os(errno)),
        }
        self.progress.add(0, 1);
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
        let above = open_deep(&self.top, above, self.no_openat2).map_err(os)?;
        match rustix::fs::unlinkat(&*above, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            // Somebody has put something there meanwhile.
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                return Err(Error::Conflict("The folder has changed meanwhile"));
            }
            Err(errno) => return Err(os(errno)),
        }
        self.progress.add(0, 1);
        Ok(())
    }
}
