//! Making folders, and finding a name for what is done to the name itself. Knows no content.

use super::look;
use super::numbered::numbered;
use super::path::VaultPath;
use super::resolve::{Follow, Lost, Spot, refuse_new, there};
use super::share::{Kind, Need, Share};
use super::{os, os_new_name, raw_name, twin};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fs::Mode;
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt as _;

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
            refuse_new(&spot)?;
            match rustix::fs::mkdirat(&*spot.folder, &spot.name, Mode::from(0o777)) {
                Ok(()) => look::sync_folder(&*spot.folder).map_err(os)?,
                Err(Errno::EXIST) => return Err(Error::Collision("Folder already exists")),
                Err(errno) => return Err(os_new_name(errno)),
            }
            self.forget_parts(path);
            self.finder.root.news.came(path);
            Ok(())
        })
    }

    /// Has an entry of a drive that ignores case written another way. Where the drive takes both for the same
    /// name, and leaves it as it is or thinks that something is in the way, it goes there by way of a third.
    pub(super) fn respell(&self, from: &Spot, to: &Spot) -> rustix::io::Result<()> {
        let _seen_by_its_name =
            rustix::fs::renameat(&*from.folder, &from.name, &*to.folder, &to.name);
        if twin::lists(&to.folder, to.name.as_bytes()) {
            return Ok(());
        }
        for number in 1..=limits::RACE_TRIES_MAX {
            let between = raw_name::known(&numbered(to.path.name(), number)).into_owned();
            match self.rename_noreplace(&from.folder, &from.name, &to.folder, &between) {
                Err(Errno::EXIST | Errno::NOTEMPTY) => continue,
                moved => moved?,
            }
            let put = self.rename_noreplace(&to.folder, &between, &to.folder, &to.name);
            return put.inspect_err(|_| {
                let _as_it_was =
                    self.rename_noreplace(&to.folder, &between, &from.folder, &from.name);
            });
        }
        Err(Errno::EXIST)
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
