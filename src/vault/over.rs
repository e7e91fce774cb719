//! Renaming a file over another, as `rename(2)` does it: FTP clients upload under a temporary name and
//! put the whole file in the old one's place. HTTP never does this.

use super::hidden;
use super::look;
use super::os_new_name;
use super::path::VaultPath;
use super::resolve::Follow;
use super::share::{Kind, Need, Share};
use super::trash::Reason;
use super::trash_id::TrashId;
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use rustix::fd::AsFd;
use rustix::fs::FileType;

impl Share {
    /// Renames a file within the share in one step; a file that has the new name already goes into the
    /// trash. Says where it is there; `None` when there was none, or none could be kept.
    ///
    /// Errors: `Refused` (as `rename`), `NotFound` (source), `Collision` (no file is replaced by this, or
    /// none is in the way), `Invalid`, `StorageAbsent`.
    pub fn rename_over(&self, source: &VaultPath, target: &VaultPath) -> Result<Option<TrashId>> {
        const IN_THE_WAY: Error = Error::Collision("Target already exists");
        self.ask(source, Need::Write)?;
        self.ask(target, Need::Write)?;
        self.ask_to_show(&[source], &[target], false)?;
        self.checked(|| {
            let from = self.locate(source, Need::Write, Follow::NotLast)?;
            let to = self.locate(target, Need::Write, Follow::NotLast)?;
            self.ask_to_show(&[source, &from.path], &[target, &to.path], false)?;
            let source_stat = from.stat.as_ref().ok_or(NOT_THERE)?;
            let Some(old) = &to.stat else {
                return self.rename(source, target, Kind::File).map(|()| None);
            };
            let is_file = |stat| look::type_of(stat) == FileType::RegularFile;
            if !is_file(source_stat) || !is_file(old) {
                return Err(IN_THE_WAY);
            }
            if look::id_of(source_stat) == look::id_of(old) {
                // Two names of one file; `rename(2)` would keep both.
                return Err(IN_THE_WAY);
            }
            // The old file is in the trash by a second name before it has lost this one.
            let mut ticket = self.ticket(&to, Reason::Replaced, None, None)?;
            if let Some(place) = &mut ticket {
                let workshop = self.finder.workshop(&to.path.parent().unwrap_or_default())?;
                match self.put_aside(&to, &workshop, place) {
                    Ok(()) => place.is_filled = true,
                    // Then it can't be kept.
                    Err(Error::DiskFull | Error::DeniedByDrive) => ticket = None,
                    Err(error) => return Err(error),
                }
            }
            let renamed = rustix::fs::renameat(&*from.folder, &from.name, &*to.folder, &to.name);
            if let Err(errno) = renamed {
                if let Some(place) = &mut ticket {
                    hidden::unlink(place.bin.as_fd(), place.id.as_str());
                    place.is_filled = false;
                }
                return Err(os_new_name(errno));
            }
            if let Some(place) = &mut ticket {
                place.settle().map_err(os)?;
                look::sync_folder(&*place.bin).map_err(os)?;
            }
            look::sync_folder(&*to.folder).map_err(os)?;
            self.forget_parts(source);
            self.forget_parts(target);
            self.finder.root.news.went(source);
            self.finder.root.news.came(target);
            if from.path.parent() != to.path.parent() {
                look::sync_folder(&*from.folder).map_err(os)?;
            }
            Ok(ticket.map(|ticket| ticket.id.clone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, path};
    use super::*;

    #[test]
    fn the_old_file_goes_into_the_trash_and_a_failure_leaves_none_of_it() {
        let house = House::new();
        let share = house.share();
        house.file("a.part", "new");
        house.file("a.txt", "old");
        house.folder("d");
        assert!(matches!(share.rename_over(&path("a.part"), &path("d")), Err(Error::Collision(_))));
        assert!(house.trashed("").is_empty());
        assert!(share.rename_over(&path("a.part"), &path("a.txt")).unwrap().is_some());
        assert_eq!(house.content("a.txt").as_deref(), Some("new"));
        assert_eq!(house.on_disk(""), ["a.txt", "d"]);
        // The file and its record.
        assert_eq!(house.trashed("").len(), 2);
        assert!(matches!(share.rename_over(&path("a.txt"), &path("d/b.txt")), Ok(None)));
        assert_eq!(house.trashed("").len(), 2);
    }
}
