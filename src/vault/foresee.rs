//! What can be known of an upload's place before its first byte: whether it could get it, and the way there for
//! somebody who shall not learn what is in it.

use super::numbered::numbered;
use super::path::VaultPath;
use super::resolve::{Follow, Lost, refuse_impossible};
use super::share::{Need, Share};
use super::write::IfExists;
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fs::FileType;

impl Share {
    /// Looks whether a file could get its place, as far as that can be known before its first byte.
    ///
    /// Errors: `Refused`, `Invalid`, `Collision` (`if_exists` says so, or a folder is there), `StorageAbsent`.
    pub fn foresee_upload(&self, path: &VaultPath, if_exists: IfExists) -> Result<()> {
        self.ask(path, Need::Write)?;
        refuse_impossible(path)?;
        self.checked(|| {
            let follow =
                if if_exists == IfExists::Overwrite { Follow::Last } else { Follow::NotLast };
            let spot = match self.locate(path, Need::Write, follow) {
                // The folders on the way are made when the whole is there.
                Err(Error::NotFound(_)) => return self.foresee_folders(path),
                spot => spot?,
            };
            match (if_exists, spot.file_type()) {
                (_, None)
                | (IfExists::Rename, _)
                | (IfExists::Overwrite, Some(FileType::RegularFile)) => Ok(()),
                (IfExists::Error(sentence), Some(_)) => Err(Error::Collision(sentence)),
                (IfExists::Overwrite, Some(FileType::Directory)) => {
                    Err(Error::Collision("Target already exists"))
                }
                (IfExists::Overwrite, Some(_)) => {
                    Err(Error::invalid_as(Why::NotAFile, "Path is not a file"))
                }
            }
        })
    }

    /// Looks whether the folders on the way to a place can be made.
    ///
    /// Errors: `Invalid` (something else is in the way).
    fn foresee_folders(&self, path: &VaultPath) -> Result<()> {
        let mut above = path.parent();
        while let Some(folder) = above {
            match self.finder.locate(&folder, Follow::Last) {
                Ok(spot) if spot.is_folder() => return Ok(()),
                Ok(spot) if spot.stat.is_some() => {
                    return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder"));
                }
                _ => above = folder.parent(),
            }
        }
        Ok(())
    }

    /// Where a file goes whose sender shall not learn what is there: to `path`, but where a folder on the way has a
    /// name that something else has by now, to a folder of the next free name. `base`, which is not judged, lies above.
    ///
    /// Errors: `Collision` (no name is free), `StorageAbsent`, `Io`.
    pub fn way_around(&self, base: &VaultPath, path: &VaultPath) -> Result<VaultPath> {
        let Some(below) = path.parent().and_then(|parent| parent.below(base)) else {
            return Ok(path.clone());
        };
        self.checked(|| {
            let mut way = base.clone();
            for part in below.components() {
                way = self.passable(&way, part)?;
            }
            Ok(way.join(path.name()))
        })
    }

    /// The first of `name`, `name (1)` ... in a folder that is a folder or nothing at all.
    fn passable(&self, folder: &VaultPath, name: &str) -> Result<VaultPath> {
        for number in 0..=limits::NUMBERED_NAMES_MAX {
            let place = folder.join(&numbered(name, number));
            let spot = match self.finder.locate(&place, Follow::Last) {
                Ok(spot) => spot,
                Err(Lost::Missing) => return Ok(place),
                Err(Lost::Escapes | Lost::Loops) => continue,
                Err(lost) => return Err(lost.into()),
            };
            let is_nothing = spot.stat.is_none() && spot.path == place;
            let leads_on = spot.is_folder() && self.grant().may_write_below(&spot.path);
            if is_nothing || leads_on {
                return Ok(place);
            }
        }
        Err(Error::Collision("Target already exists"))
    }
}
