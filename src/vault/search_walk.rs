//! A search's walk through all folders, beside the lists of last time: it finds what those do not have, counts what there
//! is, and makes the next ones.

use super::look;
use super::names_list::Sort;
use super::names_merge::{IsAhead, Listed, Merge, mark_of};
use super::path::{VaultPath, is_reserved};
use super::photos_walk::Visit;
use super::raw_name;
use super::search_gather::Gather;
use super::search_look::{At, Looker};
use super::search_scope::Scope;
use crate::error::Result;
use rustix::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

/// The walk through all folders.
pub(super) struct SearchWalk<'s> {
    /// What it is about.
    scope: &'s Scope,
    /// The lists that it goes beside.
    lists: Vec<Listed>,
    /// Whether what they have was told already.
    is_listed: bool,
    /// The filesystems that it is in, the innermost last.
    merges: Vec<Merge>,
}

impl<'s> SearchWalk<'s> {
    /// Of this search, beside these lists; whether what those have was told already.
    pub fn through(scope: &'s Scope, lists: Vec<Listed>, is_listed: bool) -> Self {
        Self { scope, lists, is_listed, merges: Vec::new() }
    }

    /// Walks; whether it came to all folders.
    pub fn run(&mut self, looker: &mut Looker<'_>) -> Result<bool> {
        let search = self.scope;
        let mut is_all = true;
        for start in search.starts.iter().filter(|start| search.shows(&start.told)) {
            if start.is_file {
                continue;
            }
            let is_ahead = |place: &[u8]| {
                let below = VaultPath::from_disk(place).below(&start.real);
                below.is_some_and(|below| search.shows(&start.told.join_path(&below)))
            };
            let merges = std::cell::RefCell::new(std::mem::take(&mut self.merges));
            let progress = looker.progress;
            let walked = search.share.walk_photos(
                std::slice::from_ref(start),
                progress,
                &mut |visit| self.visit(&mut merges.borrow_mut(), visit, looker, &is_ahead),
                &mut |top| {
                    let is_this = |merge: &mut Merge| merge.listed.top == top.place;
                    if let Some(merge) = merges.borrow_mut().pop_if(is_this) {
                        merge.finish(&is_ahead);
                    }
                    Ok(())
                },
            );
            if walked.is_err() {
                // What it did not come to stays as it was listed.
                merges.into_inner().into_iter().rev().for_each(|merge| merge.finish(&|_| false));
            }
            is_all &= walked?;
        }
        Ok(is_all)
    }

    /// Looks through one folder.
    fn visit(
        &mut self,
        merges: &mut Vec<Merge>,
        visit: &mut Visit<'_>,
        looker: &mut Looker<'_>,
        is_ahead: IsAhead<'_>,
    ) -> Result<()> {
        looker.look_up()?;
        if merges.last().is_none_or(|merge| merge.listed.top != visit.top.place) {
            merges.push(self.merge_of(&visit.top.place));
        }
        let Some(merge) = merges.last_mut() else { return Ok(()) };
        let (told, real) = (visit.told(), VaultPath::from_disk(visit.place));
        let folder = Arc::clone(&visit.folder);
        let at = At { folder: &folder, told: &told, real: &real };
        looker.enter(&told);
        looker.hold(visit.pass.take(), &real);
        let (was, now) = (merge.seek(visit.place, is_ahead), mark_of(&visit.stat));
        let before = looker.seen;
        let mut folders = Gather::default();
        if merge.is_unchanged(was, now) {
            let is_whole = merge.each_listed(&mut |name, sort| {
                if looker.passes_over(name) {
                    return Ok(());
                }
                looker.count()?;
                if sort == Sort::Folder {
                    folders.push(name, sort);
                    if folders.is_full() {
                        std::mem::take(&mut folders).each_down(&mut |name| visit.descend(name));
                    }
                }
                if self.is_listed { Ok(()) } else { looker.judge(&at, name, sort) }
            })?;
            if is_whole {
                folders.each_down(&mut |name| visit.descend(name));
                looker.let_go();
                return Ok(());
            }
            (looker.seen, folders) = (before, Gather::default());
        }
        let Ok(handle) = visit.open() else {
            looker.let_go();
            return Ok(());
        };
        merge.enter(visit.place, was, now);
        let reading = Reading { looker, merge, at: &at, files: Gather::default(), folders };
        reading.read(&handle, visit)
    }

    /// What the walk goes beside on the filesystem with this top.
    fn merge_of(&mut self, top: &[u8]) -> Merge {
        let known = self.lists.iter().position(|list| list.top == top);
        let listed = if let Some(at) = known {
            self.lists.swap_remove(at)
        } else {
            let listed = Listed::of(top.to_vec(), self.scope.store_of(top));
            // Nothing of this one was told.
            self.is_listed &= listed.read().is_none();
            listed
        };
        Merge::new(listed)
    }
}

/// A folder while its names are read.
struct Reading<'r, 's> {
    /// Judges them.
    looker: &'r mut Looker<'s>,
    /// Lists them.
    merge: &'r mut Merge,
    /// Where that is.
    at: &'r At<'r>,
    /// Files, and all else that is no folder.
    files: Gather,
    /// Folders.
    folders: Gather,
}

impl Reading<'_, '_> {
    /// Reads it.
    fn read(mut self, handle: &OwnedFd, visit: &mut Visit<'_>) -> Result<()> {
        let mut outcome = Ok(());
        let read = look::each_kind(handle.as_fd(), &mut |name, kind| {
            if outcome.is_ok() && !is_reserved(&raw_name::tell(name)) {
                outcome = self.take(name, Sort::from(kind), visit);
            }
        });
        outcome?;
        self.empty(false, visit)?;
        self.empty(true, visit)?;
        self.merge.leave();
        self.looker.let_go();
        if read.is_err() {
            // Some of it is not listed, and who knows what it is.
            self.merge.give_up();
            self.looker.has_missed = true;
        }
        Ok(())
    }

    /// Takes a name.
    fn take(&mut self, name: &[u8], sort: Sort, visit: &mut Visit<'_>) -> Result<()> {
        let is_folder = sort == Sort::Folder;
        let gather = if is_folder { &mut self.folders } else { &mut self.files };
        gather.push(name, sort);
        if gather.is_full() { self.empty(is_folder, visit) } else { Ok(()) }
    }

    /// Judges and lists what was gathered.
    fn empty(&mut self, is_folders: bool, visit: &mut Visit<'_>) -> Result<()> {
        let gather = if is_folders { &mut self.folders } else { &mut self.files };
        let mut gather = std::mem::take(gather);
        gather.sort();
        for (name, sort) in gather.each() {
            self.merge.push(name, sort);
            if !self.looker.passes_over(name) {
                self.looker.count()?;
                self.looker.judge(self.at, name, sort)?;
            }
        }
        if is_folders {
            let looker = &self.looker;
            gather.each_down(&mut |name| {
                if !looker.passes_over(name) {
                    visit.descend(name);
                }
            });
        }
        Ok(())
    }
}
