//! Making folders, and finding a name for what is done to the name itself. Knows no content.

use super::journal::Journal;
use super::path::VaultPath;
use super::resolve::{Follow, Lost, Spot, refuse_new, there};
use super::share::{Kind, Need, Share};
use crate::error::{Error, Result, Why};

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
            let _coming = self.changing(&spot.path);
            self.may_come(&spot.path)?;
            let mut journal = Journal::new(self);
            if !journal.make(&spot, path)? {
                return Err(Error::Collision("Folder already exists"));
            }
            journal.settle().map(drop)
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
