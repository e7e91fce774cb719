//! Searching by name, kind, size and date (second contract, section 17; decision 0034): first in the lists of names that
//! the last search left on the drives, each hit looked at before it is told; then where larder has changed something
//! since; then by a walk through all folders, which finds the rest, reads no folder again whose names are as they were
//! listed, and makes the next lists. Only what the grant reaches is found, gone into or counted.

use super::NOT_THERE;
use super::look;
use super::mounts::mounts_below;
use super::names_list::Sort;
use super::names_merge::{Listed, place_of};
use super::path::VaultPath;
use super::photos_walk::{Start, Visit, without_those_in_others};
use super::progress::Progress;
use super::raw_name;
use super::resolve::{Follow, Lost};
use super::search_gather::Gather;
use super::search_look::{At, Looker, Tell};
use super::search_scope::{Scope, Wanted};
use super::search_walk::SearchWalk;
use super::share::Share;
use crate::budget::{self, Loan, Seat};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::AsFd as _;
use rustix::fs::FileType;
use std::os::unix::ffi::OsStrExt as _;

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// How many names were looked at.
    pub seen: u64,
    /// Whether there may be more than was told.
    pub more: bool,
}

/// A search that has not begun yet.
pub struct Search {
    /// What it is about.
    scope: Scope,
    /// Whether those can be found themselves: what may be read lies below the folder that was named.
    finds_starts: bool,
    /// A place among the long answers of the user whose it is.
    _seat: Seat,
    /// Its memory.
    _loan: Loan,
}

impl Share {
    /// Prepares to search in and below a folder.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`, `DriveBusy`, `TooSoon`.
    pub fn search(&self, path: &VaultPath, wanted: Wanted) -> Result<Search> {
        let (starts, finds_starts) = self.checked(|| self.search_starts(path))?;
        Ok(Search {
            _seat: budget::house().seat(&self.line)?,
            _loan: budget::house().lend(limits::SEARCH_BYTES)?,
            scope: Scope { share: self.clone(), path: path.clone(), wanted, starts },
            finds_starts,
        })
    }

    /// Where a search in a folder begins, and whether those places lie below it.
    fn search_starts(&self, path: &VaultPath) -> Result<(Vec<Start>, bool)> {
        let may_see = |path: &VaultPath| self.grant().may_see(path);
        if !may_see(path) {
            return Err(Error::Refused);
        }
        let spot = self.finder.locate(path, Follow::Last)?;
        if !may_see(&spot.path) {
            return Err(Error::Refused);
        }
        match spot.file_type() {
            None => return Err(NOT_THERE),
            Some(FileType::Directory) => {}
            Some(_) => return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
        }
        if self.grant().may_read(path) && self.grant().may_read(&spot.path) {
            let start = Start { told: path.clone(), real: spot.path, is_file: false };
            return Ok((vec![start], false));
        }
        let below = self.grant().readable().iter().filter(|below| below.starts_with(path));
        let starts = below.filter_map(|below| {
            let spot = self.finder.glance_at(below, Follow::Last).ok()?;
            let is_file = spot.file_type()? != FileType::Directory;
            let is_open = self.grant().may_read(&spot.path) && self.grant().may_read(below);
            is_open.then(|| Start { told: below.clone(), real: spot.path, is_file })
        });
        Ok((without_those_in_others(starts.collect()), true))
    }
}

impl Search {
    /// Searches, and tells what it finds.
    ///
    /// Errors: those of `tell`; `StorageAbsent`.
    pub fn run(self, progress: &Progress, tell: Tell<'_>) -> Result<Searched> {
        let mut looker = Looker::new(&self.scope, progress, tell);
        let done = self.scope.share.checked(|| self.look_everywhere(&mut looker));
        let (seen, is_part) = match done {
            Ok(is_all) => (looker.seen, !is_all),
            // It has told enough, or was called off.
            Err(Error::Cancelled) => (looker.seen.max(looker.listed), true),
            Err(error) => return Err(error),
        };
        if !self.scope.share.finder.root.is_present() {
            return Err(Error::StorageAbsent);
        }
        Ok(Searched { seen, more: is_part || looker.has_missed })
    }

    /// Looks in the lists, where something is new, and in all folders; whether it came to all of them.
    fn look_everywhere(&self, looker: &mut Looker<'_>) -> Result<bool> {
        if self.finds_starts {
            self.look_at_starts(looker)?;
        }
        let lists = self.lists();
        let is_listed = self.look_in_lists(&lists, looker)?;
        self.look_at_fresh(looker)?;
        looker.begin_to_count();
        SearchWalk::through(&self.scope, lists, is_listed).run(looker)
    }

    /// Looks at the places themselves where it begins.
    fn look_at_starts(&self, looker: &mut Looker<'_>) -> Result<()> {
        for start in &self.scope.starts {
            let Some(parent) = start.told.parent() else { continue };
            let sort = if start.is_file { Sort::Other } else { Sort::Folder };
            if self.scope.shows(&start.told) {
                looker.own += 1;
                looker.enter(&parent);
                if looker.is_meant(start.told.name(), sort) {
                    self.look_at(&start.told, None, looker)?;
                }
            }
        }
        Ok(())
    }

    /// Looks at something that may be there under the name that was used, and tells it if it is. `real`: where it must
    /// be in truth; anywhere that may be read if `None`. Whether its drive answers.
    fn look_at(
        &self,
        told: &VaultPath,
        real: Option<&VaultPath>,
        looker: &mut Looker<'_>,
    ) -> Result<bool> {
        let named = real.unwrap_or(told);
        let spot = match self.scope.share.finder.glance_at(named, Follow::NotLast) {
            Ok(spot) => spot,
            Err(lost) => return Ok(lost != Lost::Silent),
        };
        let is_open = real.is_none_or(|real| *real == spot.path)
            && spot.stat.is_some()
            && self.scope.share.grant().may_read(&spot.path);
        if let (true, Some(parent), Some(around)) = (is_open, told.parent(), spot.path.parent()) {
            let at = At { folder: &spot.folder, told: &parent, real: &around };
            looker.look(&at, spot.name.as_bytes())?;
        }
        Ok(true)
    }

    /// The lists of the filesystems on which the walk will be, each with its top and whether it is old.
    fn lists(&self) -> Vec<Listed> {
        let finder = &self.scope.share.finder;
        let mounts = mounts_below(finder.handle.as_fd());
        let tops = mounts.into_iter().map(|below| below.as_os_str().as_bytes().to_vec());
        let tops = std::iter::once(Vec::new()).chain(tops).filter(|top| {
            let top = VaultPath::from_disk(top);
            let is_near = |start: &Start| {
                !start.is_file && (top.starts_with(&start.real) || start.real.starts_with(&top))
            };
            self.scope.starts.iter().any(is_near)
        });
        let list = |top: Vec<u8>| {
            let _pass = finder.glance(&VaultPath::from_disk(&top)).ok()?;
            let store = self.scope.store_of(&top);
            Some(Listed::of(top, store))
        };
        tops.filter_map(list).collect()
    }

    /// Looks in the lists; whether all that they have of this was told or is not there any more. Where only looking tells
    /// what is meant, and nothing of the name is known, that is left to the walk.
    fn look_in_lists(&self, lists: &[Listed], looker: &mut Looker<'_>) -> Result<bool> {
        if self.scope.wanted.needs_a_look() && self.scope.wanted.words.is_empty() {
            return Ok(false);
        }
        let mut looks = 0;
        let mut is_all = true;
        for list in lists {
            let mut reader = list.read();
            while let Some(reader) = &mut reader
                && let Some(piece) = reader.piece()
            {
                let real = VaultPath::from_disk(&place_of(&list.top, &piece.place));
                if let Some(told) = self.scope.start_of(&real) {
                    if piece.is_first {
                        looker.enter(&told);
                    }
                    piece.each(&mut |name, sort| {
                        if !looker.counts_listed(name)? {
                            return Ok(());
                        }
                        let called = raw_name::tell(name);
                        if looker.is_meant(&called, sort) {
                            looks += 1;
                            let place = real.join(&called);
                            is_all &= looks <= limits::SEARCH_FIRST_LOOKS_MAX
                                && self.look_at(&told.join(&called), Some(&place), looker)?;
                        }
                        Ok(())
                    })?;
                }
                reader.step();
            }
        }
        looker.of = Some(looker.listed + looker.own).filter(|_| looker.listed > 0);
        Ok(is_all && !self.scope.wanted.needs_a_look())
    }

    /// Looks where larder has lately changed something.
    fn look_at_fresh(&self, looker: &mut Looker<'_>) -> Result<()> {
        let mut left = limits::SEARCH_FRESH_NAMES_MAX;
        for fresh in self.scope.share.finder.root.news.fresh.newest_first() {
            if fresh.names.is_empty() {
                self.look_below(&fresh.folder, false, &mut left, looker)?;
            }
            for name in &fresh.names {
                let told = fresh.folder.join(name);
                if !self.is_in_reach(&told) {
                    continue;
                }
                looker.enter(&fresh.folder);
                // What it is only looking tells.
                if looker.is_meant(name, Sort::Link) {
                    self.look_at(&told, None, looker)?;
                }
                self.look_below(&told, true, &mut left, looker)?;
            }
        }
        Ok(())
    }

    /// Whether something by this name belongs to what is searched.
    fn is_in_reach(&self, told: &VaultPath) -> bool {
        let is_in = |start: &Start| told.starts_with(&start.told) && *told != start.told;
        self.scope.starts.iter().any(is_in) && self.scope.shows(told) && !told.is_reserved()
    }

    /// Looks at what is in a folder, and below it, too, if that is wanted, until so many names were looked at.
    fn look_below(
        &self,
        told: &VaultPath,
        is_deep: bool,
        left: &mut u64,
        looker: &mut Looker<'_>,
    ) -> Result<()> {
        let is_start = self.scope.starts.iter().any(|start| !start.is_file && *told == start.told);
        if *left == 0 || !(is_start || self.is_in_reach(told)) {
            return Ok(());
        }
        let Ok(spot) = self.scope.share.finder.glance_at(told, Follow::Last) else { return Ok(()) };
        if !spot.is_folder() || !self.scope.share.grant().may_read(&spot.path) {
            return Ok(());
        }
        let start = Start { told: told.clone(), real: spot.path, is_file: false };
        let progress = looker.progress;
        let visit = &mut |visit: &mut Visit<'_>| {
            looker.look_up()?;
            let Ok(folder) = visit.open() else { return Ok(()) };
            let (told, real) = (visit.told(), VaultPath::from_disk(visit.place));
            let at = At { folder: &visit.folder.clone(), told: &told, real: &real };
            looker.enter(&told);
            let mut names = Gather::default();
            // What cannot be read now, the walk looks at again.
            let _may_be_a_part = look::each_kind(folder.as_fd(), &mut |name, kind| {
                if *left > 0 && !names.is_full() {
                    *left -= 1;
                    names.push(name, Sort::from(kind));
                }
            });
            looker.hold(visit.pass.take(), &real);
            for (name, sort) in names.each() {
                if !looker.passes_over(name) {
                    looker.judge(&at, name, sort)?;
                    if is_deep && sort == Sort::Folder {
                        visit.descend(name);
                    }
                }
            }
            looker.let_go();
            Ok(())
        };
        self.scope.share.walk_photos(&[start], progress, visit, &mut |_| Ok(())).map(|_| ())
    }
}
