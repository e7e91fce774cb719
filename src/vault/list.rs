//! What is in a folder, as one caller may see it.

use super::look;
use super::noted;
use super::path::{VaultPath, is_hidden, is_reserved};
use super::permit::Permit;
use super::raw_name;
use super::resolve::Follow;
use super::share::{Entry, Need, Share};
use super::sorted::{self, Order, Shelf};
use super::{NOT_THERE, os};
use crate::budget::{self, Seat};
use crate::error::{Error, Result, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FileType;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Reads what is noted with an entry.
type Notes<'a> = &'a dyn Fn() -> Vec<u8>;

/// An open folder, to be listed any number of times.
pub struct Listing {
    /// Whose listing it is.
    share: Share,
    /// The folder, open for reading.
    folder: Arc<OwnedFd>,
    /// Where the folder is by the name that was used.
    path: VaultPath,
    /// Where it really is, links resolved.
    real: VaultPath,
    /// Whether only what lies on the way to something readable may be seen.
    is_passage: bool,
    /// The names that were read, as long as nobody else needs the memory.
    shelf: Arc<Shelf>,
    /// A place among the long answers of the user whose it is.
    _seat: Seat,
}

impl Listing {
    /// The folder `folder`, found at `path` and permitted to be listed.
    ///
    /// Errors: `TooSoon`.
    pub(super) fn new(
        share: Share,
        folder: OwnedFd,
        path: VaultPath,
        real: VaultPath,
        is_passage: bool,
    ) -> Result<Self> {
        let (folder, shelf) = (Arc::new(folder), Shelf::new());
        let seat = budget::house().seat(&share.line)?;
        Ok(Self { share, folder, path, real, is_passage, shelf, _seat: seat })
    }

    /// Hands out the names as callers are told them, sorted by their bytes on the drive.
    ///
    /// Errors: those of `take`, `Io`.
    pub fn for_each_name(&mut self, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.for_each(&mut |_, name| take(&raw_name::tell(name)))
    }

    /// Hands out the names with what they stand for, sorted by bytes.
    ///
    /// Errors: those of `take`, `Io`.
    pub fn for_each_entry(&mut self, take: &mut dyn FnMut(&Entry) -> Result<()>) -> Result<()> {
        let permit = Permit::of(&*self.folder);
        self.for_each(&mut |listing, name| take(&listing.entry(name, permit)))
    }

    /// The same, each with a way to read what is noted with it.
    ///
    /// Errors: those of `take`, `Io`.
    pub fn for_each_noted(
        &mut self,
        take: &mut dyn FnMut(&Entry, Notes<'_>) -> Result<()>,
    ) -> Result<()> {
        let permit = Permit::of(&*self.folder);
        self.for_each(&mut |listing, name| {
            take(&listing.entry(name, permit), &|| noted::of_name(&listing.folder, name))
        })
    }

    /// Hands out the names as they are on the disk.
    fn for_each(&self, take: &mut dyn FnMut(&Self, &[u8]) -> Result<()>) -> Result<()> {
        let may_appear = |name: &[u8]| self.may_appear(name);
        let enter = || Ok(self.share.finder.ask(&self.real)?);
        let source = sorted::Source {
            folder: self.folder.as_fd(),
            order: Order::Up,
            is_wanted: &may_appear,
            enter: Some(&enter),
        };
        source.each(&self.shelf, &mut |name| take(self, name).map(|()| true))
    }

    /// Whether this caller may see the name at all.
    fn may_appear(&self, name: &[u8]) -> bool {
        let told = raw_name::tell(name);
        let grant = self.share.grant();
        let is_away = is_reserved(&told) || (grant.hides() && is_hidden(name));
        !is_away && (!self.is_passage || grant.may_see(&self.real.join(&told)))
    }

    /// What one name stands for. What may be changed must be permitted by the name used and by the
    /// true one; `permit` is the drive's for the folder.
    fn entry(&self, name: &[u8], permit: Permit) -> Entry {
        self.share.entry_in(&self.folder, (&self.path, &self.real), name, permit).0
    }
}

impl Share {
    /// Lists a folder that may be read, or, on the way to something that may, what leads there.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`.
    pub fn list(&self, path: &VaultPath) -> Result<Listing> {
        self.checked(|| {
            let spot = self.locate(path, Need::See, Follow::Last)?;
            let is_passage = !self.grant().may_read(path) || !self.grant().may_read(&spot.path);
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
}
