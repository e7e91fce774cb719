//! Renaming a file over another, as `rename(2)` does it: FTP clients upload under a temporary name and
//! put the whole file in the old one's place. HTTP never does this.

use super::hidden;
use super::look;
use super::path::VaultPath;
use super::progress::Progress;
use super::put::{Journal, Put, Step, Target};
use super::resolve::Follow;
use super::share::{Kind, Need, Share};
use super::thing::{Judged, Source};
use super::trash_id::TrashId;
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is in the way.
const IN_THE_WAY: Error = Error::Collision("Target already exists");

impl Share {
    /// Renames a file within the share in one step; a file that has the new name already goes into the
    /// trash. Says where it is there; `None` when there was none, or none could be kept.
    ///
    /// Errors: `Refused` (as `rename`), `NotFound` (source), `Collision` (no file is replaced by this, or
    /// none is in the way), `Invalid`, `StorageAbsent`.
    pub fn rename_over(&self, source: &VaultPath, target: &VaultPath) -> Result<Option<TrashId>> {
        self.ask(source, Need::Write)?;
        self.ask(target, Need::Write)?;
        self.ask_to_show(&[source], &[target], false)?;
        self.checked(|| {
            for _ in 0..limits::RACE_TRIES_MAX {
                if let ControlFlow::Break(trash) = self.rename_over_once(source, target)? {
                    return Ok(trash);
                }
            }
            Err(IN_THE_WAY)
        })
    }

    /// Tries it once; goes on when something else has come to the target meanwhile.
    fn rename_over_once(
        &self,
        source: &VaultPath,
        target: &VaultPath,
    ) -> Result<ControlFlow<Option<TrashId>>> {
        let from = self.locate(source, Need::Write, Follow::NotLast)?;
        let to = self.locate(target, Need::Write, Follow::NotLast)?;
        self.ask_to_show(&[source, &from.path], &[target, &to.path], false)?;
        let source_stat = from.stat.as_ref().ok_or(NOT_THERE)?;
        let Some(old) = &to.stat else {
            self.rename(source, target, Kind::File)?;
            return Ok(ControlFlow::Break(None));
        };
        let is_file = |stat| look::type_of(stat) == FileType::RegularFile;
        if !is_file(source_stat) || !is_file(old) {
            return Err(IN_THE_WAY);
        }
        if look::id_of(source_stat) == look::id_of(old) {
            // Two names of one file; `rename(2)` would keep both.
            return Err(IN_THE_WAY);
        }
        let folder = self.finder.shared(Arc::clone(&to.folder)).map_err(os)?;
        let real = to.path.parent().unwrap_or_default();
        let near = Target { folder, real };
        let id = look::id_of(source_stat);
        let mut thing = Source::there(&from.folder, &from.name, id);
        let mut journal = Journal::new(self);
        let (old, aside) = (Judged::This(look::id_of(old)), hidden::temporary_name());
        let way = (aside.as_str(), false);
        let put = journal.replace((&mut thing, source_stat), &near, (&to, old), way);
        let put = put.map_err(|put| match put {
            Put::Apart => Error::Io(Errno::XDEV.into()),
            Put::Failed(error) => error,
        });
        if !put? {
            return Ok(ControlFlow::Continue(()));
        }
        if let Err(error) = journal.settle() {
            journal.undo();
            return Err(error);
        }
        let trash = journal.done.iter().find_map(Step::trashed);
        journal.let_go(&Progress::default())?.told()?;
        self.forget_parts(source);
        self.forget_parts(target);
        self.finder.root.news.went(source);
        self.finder.root.news.came(target);
        Ok(ControlFlow::Break(trash))
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

    #[test]
    fn what_comes_between_the_look_and_the_rename_is_not_replaced_unseen() {
        let house = House::new();
        let share = house.share();
        house.file("a.part", "new");
        house.file("a.txt", "old");
        let locate = |name| share.locate(&path(name), Need::Write, Follow::NotLast).unwrap();
        let (from, to) = (locate("a.part"), locate("a.txt"));
        std::fs::rename(house.file("b", "theirs"), house.root().join("a.txt")).unwrap();
        let stat = from.stat.unwrap();
        let mut thing = Source::there(&from.folder, &from.name, look::id_of(&stat));
        let near = Target { folder: Arc::clone(&to.folder), real: VaultPath::root() };
        let mut journal = Journal::new(&share);
        let old = Judged::This(look::id_of(&to.stat.unwrap()));
        let put = journal.replace((&mut thing, &stat), &near, (&to, old), ("aside", false));
        assert!(matches!(put, Ok(false)));
        drop(journal);
        assert_eq!(house.content("a.txt").as_deref(), Some("theirs"));
        assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
        // The next try sees it, and keeps it.
        assert!(share.rename_over(&path("a.part"), &path("a.txt")).unwrap().is_some());
        assert_eq!(house.content("a.txt").as_deref(), Some("new"));
        let binned = house.trashed("").into_iter().find(|name| !name.contains('.')).unwrap();
        assert_eq!(house.content(&format!(".larder/trash/{binned}")).as_deref(), Some("theirs"));
    }
}
