//! Making folders, renaming and deleting. Knows no content.

use super::look;
use super::mount;
use super::path::VaultPath;
use super::resolve::{Follow, Lost, Spot};
use super::share::{Kind, Need, Share};
use super::trash::{Fate, Reason};
use super::write::there;
use super::{discard, os, os_new_name};
use crate::error::{Error, Result, Why};
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

impl Share {
    /// Makes a folder; the one around it must be there.
    ///
    /// Errors: `Refused`, `NotFound` (the parent), `Collision`, `Invalid`, `StorageAbsent`.
    pub fn make_folder(&self, path: &VaultPath) -> Result<()> {
        self.ask(path, Need::Write)?;
        if path.is_reserved() {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::NotLast)?;
            if spot.stat.is_some() {
                return Err(Error::Collision("Folder already exists"));
            }
            match rustix::fs::mkdirat(&*spot.folder, &spot.name, Mode::from(0o777)) {
                Ok(()) => look::sync_folder(&*spot.folder).map_err(os),
                Err(Errno::EXIST) => Err(Error::Collision("Folder already exists")),
                Err(errno) => Err(os_new_name(errno)),
            }
        })
    }

    /// Renames within the share, in one step that cannot overwrite. A link is renamed itself.
    ///
    /// Errors: `Refused` (either end; a name that shows what may not be read), `NotFound` (source), `Collision`
    /// (target), `Invalid` (not of that kind, the root, a folder into itself), `StorageAbsent`.
    pub fn rename(&self, source: &VaultPath, target: &VaultPath, kind: Kind) -> Result<()> {
        self.ask(source, Need::Write)?;
        self.ask(target, Need::Write)?;
        let is_folder = kind == Kind::Folder;
        self.ask_to_show(&[source], &[target], is_folder)?;
        if source.is_root() {
            return Err(Error::invalid("The root can't be renamed"));
        }
        if target.is_reserved() {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        self.checked(|| {
            let from = self.locate_itself(source, &[Need::Write])?;
            self.must_be(&from, source, kind)?;
            let to = self.locate(target, Need::Write, Follow::NotLast)?;
            self.ask_to_show(&[source, &from.path], &[target, &to.path], is_folder)?;
            if to.path != from.path && to.path.starts_with(&from.path) {
                return Err(Error::invalid("A folder can't be moved into itself"));
            }
            // A drive that ignores case finds the source under the new name as well; so does everybody
            // where a file has both names.
            let is_same = to.stat.as_ref().map(look::id_of) == from.stat.as_ref().map(look::id_of)
                && (from.is_folder() || there(&from)?.stx_nlink == 1)
                && source != target
                && source.as_str().to_lowercase() == target.as_str().to_lowercase();
            let renamed = match (&to.stat, is_same) {
                (Some(_), false) => Err(Errno::EXIST),
                (_, true) => rustix::fs::renameat(&*from.folder, &from.name, &*to.folder, &to.name),
                _ => self.rename_noreplace(&from.folder, &from.name, &to.folder, &to.name),
            };
            match renamed {
                Ok(()) => {}
                Err(Errno::EXIST | Errno::NOTEMPTY) => {
                    return Err(Error::Collision("Target already exists"));
                }
                Err(Errno::BUSY) => return Err(mounted()),
                Err(errno) => return Err(os_new_name(errno)),
            }
            look::sync_folder(&*to.folder).map_err(os)?;
            if from.path.parent() == to.path.parent() {
                return Ok(());
            }
            look::sync_folder(&*from.folder).map_err(os)
        })
    }

    /// Deletes a file, or a link itself: into the trash if that is the wish and it can be kept. Says what
    /// became of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a folder), `StorageAbsent`.
    pub fn delete_file(&self, path: &VaultPath, wish: Fate) -> Result<Fate> {
        self.ask(path, Need::Write)?;
        self.checked(|| {
            let spot = self.locate_itself(path, &[Need::Write])?;
            if look::type_of(there(&spot)?) == FileType::Directory {
                return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
            }
            if wish == Fate::Trash && self.throw_away(&spot, Reason::Deleted, os)? {
                return Ok(Fate::Trash);
            }
            unlink(&spot)
        })
    }

    /// Deletes a folder with all that is in it, in one step, into the trash if that is the wish and it can
    /// be kept. A link to a folder goes itself. Says what became of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, a file, a drive mounted in it),
    /// `StorageAbsent`.
    pub fn delete_folder(&self, path: &VaultPath, wish: Fate) -> Result<Fate> {
        if path.is_root() {
            return Err(Error::invalid("The root can't be deleted"));
        }
        self.ask(path, Need::Write)?;
        self.checked(|| {
            let spot = self.locate_itself(path, &[Need::Write])?;
            self.must_be(&spot, path, Kind::Folder)?;
            if !spot.is_link() {
                let folder = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
                if !mount::mounts_below(folder.as_fd()).is_empty() {
                    return Err(mounted());
                }
            }
            if wish == Fate::Trash && self.throw_away(&spot, Reason::Deleted, moved)? {
                return Ok(Fate::Trash);
            }
            if spot.is_link() {
                return unlink(&spot);
            }
            let parent = spot.path.parent().unwrap_or_default();
            let workshop = self.finder.workshop(&parent)?;
            let removed =
                discard::remove_tree(workshop.as_fd(), spot.folder.as_fd(), spot.name.as_bytes());
            match removed {
                // It is gone in either case; what is left of it waits for the sweep.
                Ok(_is_all_removed) => Ok(Fate::Gone),
                Err(errno) => Err(moved(errno)),
            }
        })
    }

    /// Finds a name for an operation on itself. A link must be permitted where it leads as well, and one
    /// that leads out of the share does not exist; one that leads nowhere is only a name.
    pub(super) fn locate_itself(&self, path: &VaultPath, needs: &[Need]) -> Result<Spot> {
        let ask = |path: &VaultPath| needs.iter().try_for_each(|need| self.ask(path, *need));
        ask(path)?;
        let spot = self.finder.locate(path, Follow::NotLast)?;
        ask(&spot.path)?;
        if spot.is_link() {
            match self.finder.locate(path, Follow::Last) {
                Ok(end) => ask(&end.path)?,
                Err(Lost::Missing | Lost::Loops) => {}
                Err(lost) => return Err(lost.into()),
            }
        }
        there(&spot)?;
        Ok(spot)
    }

    /// Whether a name stands for a thing of this kind, links followed.
    pub(super) fn must_be(&self, spot: &Spot, path: &VaultPath, kind: Kind) -> Result<()> {
        let is_folder = if spot.is_link() {
            self.finder.locate(path, Follow::Last).is_ok_and(|end| end.is_folder())
        } else {
            spot.is_folder()
        };
        match (kind, is_folder) {
            (Kind::Folder, false) => {
                Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder"))
            }
            (Kind::File | Kind::Other, true) => {
                Err(Error::invalid_as(Why::NotAFile, "Path is not a file"))
            }
            _ => Ok(()),
        }
    }
}

/// Removes a file or a link for good.
fn unlink(spot: &Spot) -> Result<Fate> {
    match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::empty()) {
        Ok(()) => look::sync_folder(&*spot.folder).map_err(os)?,
        Err(Errno::ISDIR) => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
        Err(errno) => return Err(os(errno)),
    }
    Ok(Fate::Gone)
}

/// Why a folder can't go.
pub(super) fn mounted() -> Error {
    Error::invalid("A drive is mounted in this folder")
}

/// What it means that a folder could not be moved.
pub(super) fn moved(errno: Errno) -> Error {
    match errno {
        Errno::BUSY | Errno::XDEV => mounted(),
        errno => os(errno),
    }
}
