//! Doing what `relocate.rs` has prepared.
//!
//! - A failure half-way takes back what was done, but for what somebody else has changed since, and, where
//!   nothing can be kept in the trash, for a file that was replaced where files can neither change places nor
//!   have two names (FAT).
//! - Work that is called off keeps the things that are complete: each as a whole, so a tree is there with all
//!   that is in it or not at all.
//! - On one filesystem a move is a rename. Between two it is a copy, whole and durable; then the source is
//!   taken out of sight, compared with the copy, and only then removed.

use super::copy::{Copier, Hidden, Manner};
use super::group::Change;
use super::hidden;
use super::journal::{Journal, Step};
use super::look::{self, FileId};
use super::news::{Account, Move};
use super::numbered::numbered;
use super::path::VaultPath;
use super::progress::Progress;
use super::put::{Aim, Put};
use super::refusals::{is_mount, refuse_crowds, refuse_mounts};
use super::relocate::{IN_THE_WAY, Item, Transfer, TransferKind};
use super::resolve::{Follow, Spot, there};
use super::share::{Kind, Need, Share};
use super::thing::{Itself, Judged, Source, Thing};
use super::trash::{Fate, Incoming};
use super::trash_id::TrashId;
use super::twin;
use super::walk::Mark;
use super::write::IfExists;
use super::{NOT_THERE, mounted, os, os_new_name};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Where things go.
struct Target {
    /// The folder, open as a place to start from.
    folder: Arc<OwnedFd>,
    /// Where it really is.
    real: VaultPath,
}

/// One thing in its new place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Where it is, by the name that was used.
    pub path: VaultPath,
    /// What was there before.
    pub over: Over,
}

/// What was in a place where something has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nothing: the name is new.
    Nothing,
    /// The thing itself: nothing was done.
    Itself,
    /// Something that was replaced, and is in the trash, if that could keep it.
    Another(Option<TrashId>),
}

impl Landed {
    /// Where in the trash the thing is that was replaced.
    pub fn trash(&self) -> Option<&TrashId> {
        match &self.over {
            Over::Another(trash) => trash.as_ref(),
            Over::Nothing | Over::Itself => None,
        }
    }
}

impl Share {
    /// Gives one thing another name, at once, and says what became of it. A link is renamed itself.
    ///
    /// Errors: those of `relocate` and `Transfer::run`.
    pub fn rename(
        &self,
        (source, target): (&VaultPath, &VaultPath),
        kind: Kind,
        if_exists: IfExists,
    ) -> Result<Landed> {
        let pair = vec![(source.clone(), target.clone())];
        let rename = self.relocate(TransferKind::Rename(kind), pair, if_exists)?;
        let landed = rename.run(&Progress::default(), &mut |_, _| {})?;
        landed.into_iter().next().ok_or(Error::Bug("nothing was renamed".into()))
    }
}

/// One thing that is ready to be put in its place.
struct Ready<'a> {
    /// Which.
    item: &'a Item,
    /// Its copy, as long as that has no place; `None` for what is only renamed.
    copy: Option<Hidden>,
    /// Which thing the copy is, also when it has its place.
    copied: Option<FileId>,
    /// As what, out of sight, the thing waits that it replaces.
    aside: String,
    /// As what its source waits, when it was copied to be moved.
    out: String,
}

impl<'a> Ready<'a> {
    /// One that nothing has waited for yet.
    fn new(item: &'a Item, copy: Option<Hidden>) -> Self {
        let copied = copy.as_ref().map(|copy| copy.id);
        let (aside, out) = (hidden::temporary_name(), hidden::temporary_name());
        Self { item, copy, copied, aside, out }
    }

    /// The change that putting it at a place is.
    fn coming_to(
        &self,
        (target, place): (&Target, VaultPath),
        stat: &Statx,
        (copy, old): (Option<&str>, Option<&Statx>),
    ) -> Change {
        let what = Some(Incoming::of(&target.folder, stat));
        let asides = [Some(self.aside.as_str()), copy].into_iter().flatten();
        let asides = asides.map(str::to_owned).collect();
        let from = copy.is_none().then(|| self.item.real.clone());
        let old = old.map(|old| Incoming::of(&target.folder, old));
        Change { place, what, from, old, asides, ..Change::default() }
    }
}

/// What has come of it.
struct Done {
    /// Each thing in its place.
    landed: Vec<Landed>,
    /// What has another place now.
    moves: Vec<Move>,
    /// What of that only got another name, on its own filesystem.
    renamed: Vec<Move>,
    /// Whether it was called off on the way.
    end: Result<()>,
}

impl Transfer {
    /// Does it, and says of each thing what became of it. `tell` hears the same with where the thing was, also of
    /// those that were complete when the rest was called off.
    ///
    /// Errors: `Cancelled` (complete things stay), `Collision`, `NotFound`, `Refused`, `DiskFull`, `Invalid`,
    /// `Io`, `StorageAbsent`; then nothing was changed.
    pub fn run(
        &self,
        progress: &Progress,
        tell: &mut dyn FnMut(&VaultPath, &Landed),
    ) -> Result<Vec<Landed>> {
        self.share.checked(|| {
            let mut account = self.share.finder.root.news.account();
            let mut steps = Journal::new(&self.share);
            let Done { landed, moves, renamed, end } =
                self.do_all(progress, &mut steps, &mut account)?;
            let settled = steps.settle()?;
            account.settle(&moves);
            self.share.take_versions_along(&renamed);
            for (landed, item) in landed.iter().zip(&self.items) {
                tell(&item.named, landed);
            }
            settled.let_go(progress)?.told()?;
            end.map(|()| landed)
        })
    }

    /// The work of `run`.
    fn do_all(
        &self,
        progress: &Progress,
        steps: &mut Journal<'_>,
        account: &mut Account,
    ) -> Result<Done> {
        let targets = self.open_targets()?;
        let (mut ready, end) = self.prepare(progress, &targets)?;
        // A name that may be another in the end is nothing to be looked for after a crash.
        if self.if_exists != IfExists::Rename {
            let foreseen = ready.iter().map(|ready| (ready.item, ready.item.target.name()));
            account.foresee(self.moves(foreseen, &targets));
        }
        if ready.len() > 1 {
            steps.group = Some(self.share.begin_group(self.plan(&ready, &targets)?)?);
        }
        let mut done = Vec::with_capacity(ready.len());
        for (number, ready) in ready.iter_mut().enumerate() {
            let target = &targets[ready.item.into];
            done.push(self.put((number, ready), target, progress, steps)?);
        }
        if self.kind == TransferKind::Move && ready.iter().any(|ready| ready.copied.is_some()) {
            steps.sync()?;
            self.take_sources_out(&ready, steps)?;
        }
        let moves = |is_meant: fn(&Ready<'_>) -> bool| {
            let meant = done.iter().zip(&ready).filter(|(_, ready)| is_meant(ready));
            self.moves(meant.map(|(landed, ready)| (ready.item, landed.path.name())), &targets)
        };
        let (moves, renamed) = (moves(|_| true), moves(|ready| ready.copied.is_none()));
        Ok(Done { landed: done, moves, renamed, end })
    }

    /// What of these things has another place under those names.
    fn moves<'n>(
        &self,
        named: impl Iterator<Item = (&'n Item, &'n str)>,
        targets: &[Target],
    ) -> Vec<Move> {
        let is_kept = |(item, _): &(&Item, _)| self.kind != TransferKind::Copy && !item.is_there;
        let named = named.filter(is_kept);
        named
            .map(|(item, name)| Move {
                from: item.real.clone(),
                to: targets[item.into].real.join(name),
            })
            .collect()
    }

    /// Opens the folders that things go into.
    fn open_targets(&self) -> Result<Vec<Target>> {
        let finder = &self.share.finder;
        let mut targets = Vec::with_capacity(self.folders.len());
        for folder in &self.folders {
            let spot = finder.locate(folder, Follow::Last)?;
            if !spot.is_folder() {
                return Err(NOT_THERE);
            }
            let place = if spot.path.is_root() {
                Arc::clone(&finder.handle)
            } else {
                Arc::new(look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?)
            };
            let folder = finder.shared(place).map_err(os)?;
            refuse_crowds(self.folders.len(), &folder)?;
            targets.push(Target { folder, real: spot.path });
        }
        Ok(targets)
    }

    /// What is about to change, as far as that can be known: for each thing where it comes, then for each
    /// from where it goes.
    fn plan(&self, ready: &[Ready<'_>], targets: &[Target]) -> Result<Vec<Change>> {
        let finder = &self.share.finder;
        let mut changes = Vec::with_capacity(ready.len());
        let mut taken = HashSet::with_capacity(ready.len());
        for ready in ready {
            if ready.item.is_there {
                changes.push(Change::going(ready.item.real.clone(), ready.aside.clone()));
                continue;
            }
            let stat = match &ready.copy {
                Some(copy) => copy.source().look()?,
                None => *there(&self.source(ready.item)?)?,
            };
            let target = &targets[ready.item.into];
            let mut place = target.real.join(ready.item.target.name());
            if self.if_exists == IfExists::Rename {
                place = finder.next_free(&place, |place| taken.contains(place))?;
            }
            let old = finder.locate(&place, Follow::NotLast)?.stat;
            taken.insert(place.clone());
            let copy = ready.copy.as_ref().map(|copy| copy.at.name.as_str());
            changes.push(ready.coming_to((target, place), &stat, (copy, old.as_ref())));
        }
        let going = |ready: &Ready<'_>| Change::going(ready.item.real.clone(), ready.out.clone());
        if self.kind == TransferKind::Move {
            changes.extend(ready.iter().filter(|ready| ready.copied.is_some()).map(going));
        }
        Ok(changes)
    }

    /// Makes copies of what must be copied, each whole and durable. When it is called off, what is complete
    /// by then counts.
    fn prepare(
        &self,
        progress: &Progress,
        targets: &[Target],
    ) -> Result<(Vec<Ready<'_>>, Result<()>)> {
        let mut ready = Vec::with_capacity(self.items.len());
        let mut ways = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let is_copied = !item.is_there && self.must_copy(item, &targets[item.into])?;
            if progress.is_watched() {
                let (bytes, items) = if is_copied {
                    let source = self.source(item)?;
                    match self.share.count(&source.folder, &source.name, progress) {
                        Err(Error::Cancelled) => return Ok((ready, Err(Error::Cancelled))),
                        counted => counted?,
                    }
                } else {
                    (0, 1)
                };
                progress.expect(bytes, items);
            }
            ways.push(is_copied);
        }
        let mut copiers = BTreeMap::new();
        let mut end = Ok(());
        for (item, is_copied) in self.items.iter().zip(ways) {
            if !is_copied {
                ready.push(Ready::new(item, None));
                continue;
            }
            let copier = match copiers.entry(item.into) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.copier(&targets[item.into], progress)?),
            };
            match self.copy(item, copier) {
                Err(Error::Cancelled) => {
                    end = Err(Error::Cancelled);
                    break;
                }
                copy => ready.push(Ready::new(item, Some(copy?))),
            }
        }
        copiers.values().try_for_each(Copier::settle)?;
        Ok((ready, end))
    }

    /// Copies things that go there.
    fn copier<'a>(&self, target: &Target, progress: &'a Progress) -> Result<Copier<'a>> {
        let folder = look::look_at(&*target.folder).map_err(os)?;
        let group = (folder.stx_mode & 0o2000 != 0).then_some(folder.stx_gid);
        let into = Some(look::id_of(&folder));
        let manner = Manner { group, is_move: self.kind == TransferKind::Move, into };
        let workshop = self.share.finder.workshop(&target.real)?;
        let mut copier = Copier::new(&self.share, &workshop, manner, progress)?;
        // One sync for all is for many; for a few it would wait for what others write.
        copier.syncs_each |=
            self.items.len() <= limits::FEW_FILES && !self.items.iter().any(|item| item.is_folder);
        Ok(copier)
    }

    /// Finds a source again.
    fn source(&self, item: &Item) -> Result<Spot> {
        self.share.source(item, self.kind.needs())
    }

    /// One copy.
    fn copy(&self, item: &Item, copier: &mut Copier<'_>) -> Result<Hidden> {
        copier.progress.go_on()?;
        let source = self.source(item)?;
        if self.kind == TransferKind::Move {
            refuse_mounts(&source)?;
            // What cannot go is not copied first.
            self.share.ask_to_remove(&source, &item.named, copier.progress)?;
        }
        self.share.copy_hidden((&source.folder, &source.name, &item.real), copier)
    }

    /// Whether a thing has to be copied to get there.
    fn must_copy(&self, item: &Item, target: &Target) -> Result<bool> {
        match self.kind {
            TransferKind::Copy => return Ok(true),
            TransferKind::Rename(_) => return Ok(false),
            TransferKind::Move => {}
        }
        let source = self.source(item)?;
        if is_mount(&source)? {
            return Err(mounted());
        }
        // An overlay tells another device for files than for folders, and what can be renamed is decided
        // by the folders.
        let filesystem = |folder: &OwnedFd| {
            look::look_at(folder).map(|stat| look::filesystem_of(&stat)).map_err(os)
        };
        let is_same = filesystem(&source.folder)? == filesystem(&target.folder)?;
        Ok(!is_same || self.share.finder.root.quirks.far_apart)
    }

    /// Puts one thing in its place.
    fn put(
        &self,
        (number, ready): (usize, &mut Ready<'_>),
        target: &Target,
        progress: &Progress,
        steps: &mut Journal<'_>,
    ) -> Result<Landed> {
        let item = ready.item;
        if item.is_there {
            progress.add(0, 1);
            return Ok(Landed { path: item.target.clone(), over: Over::Itself });
        }
        if ready.copy.is_none() {
            match self.put_itself((number, ready), target, steps) {
                // Some places look alike and are not: quotas of projects, layers of an overlay.
                Err(Put::Apart) if self.kind == TransferKind::Move => {
                    let mut copier = self.copier(target, progress)?;
                    let copy = self.copy(item, &mut copier)?;
                    (ready.copied, ready.copy) = (Some(copy.id), Some(copy));
                    copier.settle()?;
                }
                Err(put) => return Err(put.told()),
                Ok(landed) => {
                    progress.add(0, 1);
                    return Ok(landed);
                }
            }
        }
        let copy = ready.copy.take().ok_or(Error::Bug("nothing to put".into()))?;
        let (stat, mark) = (copy.source().look()?, copy.mark);
        let landed = self.place((copy, &stat), (number, ready), target, steps);
        let landed = landed.map_err(Put::told)?;
        if let Some(mark) = mark.filter(|mark| mark.mode & 0o700 != 0o700) {
            restrict(target, landed.path.name(), mark);
        }
        Ok(landed)
    }

    /// Puts the source itself there.
    fn put_itself(
        &self,
        (number, ready): (usize, &Ready<'_>),
        target: &Target,
        steps: &mut Journal<'_>,
    ) -> std::result::Result<Landed, Put> {
        let item = ready.item;
        let source = self.source(item)?;
        refuse_crowds(self.items.len(), &source.folder)?;
        let from = Source::there(&source.folder, &source.name, item.id);
        if self.respell((&source, &from), item, target, steps)? {
            return Ok(Landed { path: item.target.clone(), over: Over::Nothing });
        }
        let thing = Itself::moved(from, item.named.clone());
        self.place((thing, there(&source)?), (number, ready), target, steps)
    }

    /// Writes the name of a thing another way, where a drive that ignores case takes both for the same; false when
    /// it is another name.
    fn respell(
        &self,
        (source, from): (&Spot, &Source),
        item: &Item,
        target: &Target,
        steps: &mut Journal<'_>,
    ) -> Result<bool> {
        let is_near = source.path.parent().as_ref() == Some(&target.real);
        if !is_near || source.path.name() == item.target.name() || self.items.len() > 1 {
            return Ok(false);
        }
        let place = target.real.join(item.target.name());
        let spot = self.share.finder.locate(&place, Follow::NotLast)?;
        if !twin::is_same_entry(source, &spot) {
            return Ok(false);
        }
        let thing = Itself::moved(from.clone(), item.named.clone());
        match steps.respell(thing, &target.folder, &spot, &item.target) {
            Ok(None) => Ok(true),
            Ok(Some(_)) | Err(Errno::EXIST | Errno::NOTEMPTY) => Err(IN_THE_WAY),
            Err(Errno::BUSY) => Err(mounted()),
            Err(errno) => Err(os_new_name(errno)),
        }
    }

    /// Judges a place for something, by the name that is used and by where it really is.
    fn ask(&self, item: &Item, place: &VaultPath, real: &VaultPath) -> Result<()> {
        self.share.ask(place, Need::Write)?;
        self.share.ask(real, Need::Write)?;
        // Also by locks that were given meanwhile.
        self.share.may_go(real)?;
        let was = [&item.named, &item.real];
        self.share.ask_to_show(&was, &[place, real], item.is_folder)
    }

    /// Gives something its new name by a rename, as `if_exists` says.
    fn place<T: Thing>(
        &self,
        (mut thing, stat): (T, &Statx),
        (part, ready): (usize, &Ready<'_>),
        target: &Target,
        steps: &mut Journal<'_>,
    ) -> std::result::Result<Landed, Put> {
        let share = &self.share;
        let item = ready.item;
        let folder = item.target.parent().unwrap_or_default();
        let last = if self.if_exists == IfExists::Rename { limits::NUMBERED_NAMES_MAX } else { 0 };
        let mut tries = 0;
        let mut number = 0;
        while number <= last && tries <= limits::RACE_TRIES_MAX {
            let name = numbered(item.target.name(), number);
            let (path, real) = (folder.child(&name)?, target.real.join(&name));
            let _changing = (share.changing(&real), share.changing(&item.real));
            self.ask(item, &path, &real)?;
            if self.kind.takes_away() {
                share.may_go(&item.real)?;
            }
            let on_disk = path.name_on_disk();
            if number > 0 || steps.group.is_some() {
                let spot = share.finder.locate(&real, Follow::NotLast);
                let old = spot.map_err(Error::from)?.stat;
                if old.is_some() && self.if_exists == IfExists::Rename {
                    number += 1;
                    continue;
                }
                let copy = T::IS_MADE.then(|| thing.source().name.to_string_lossy().into_owned());
                let way = (copy.as_deref(), old.as_ref());
                let change = ready.coming_to((target, real.clone()), stat, way);
                steps.expect(part, change)?;
            }
            let there = (&target.folder, on_disk.as_os_str());
            thing = match steps.add(thing, there, &path) {
                Ok(None) => return Ok(Landed { path, over: Over::Nothing }),
                Ok(Some(back)) => back,
                Err(Errno::XDEV) => return Err(Put::Apart),
                Err(Errno::BUSY) => return Err(mounted().into()),
                Err(errno) => return Err(os_new_name(errno).into()),
            };
            match self.if_exists {
                IfExists::Error(sentence) => return Err(Error::Collision(sentence).into()),
                IfExists::Rename => number += 1,
                IfExists::Overwrite => {
                    // What was there may go meanwhile; then it is tried again.
                    tries += 1;
                    let spot = share.finder.locate(&real, Follow::NotLast).map_err(Error::from)?;
                    let Some(old) = &spot.stat else { continue };
                    share.may_replace(self.kind, (&spot, old), stat)?;
                    if steps.has_put(&spot) {
                        return Err(IN_THE_WAY.into());
                    }
                    let (judged, aside) = (Judged::This(look::id_of(old)), ready.aside.as_str());
                    let (named, fate) = (&path, Fate::Trash);
                    let aim = Aim { spot: &spot, named, judged, aside, fate };
                    if let Some(back) = steps.replace(thing, aim)? {
                        thing = back;
                    } else {
                        let trash = steps.done.last().and_then(Step::trashed);
                        return Ok(Landed { path, over: Over::Another(trash) });
                    }
                }
            }
        }
        Err(IN_THE_WAY.into())
    }

    /// Takes the sources of copies out of sight, and sees to it that their copies are whole. Removing them
    /// comes when nothing can fail any more.
    fn take_sources_out(&self, ready: &[Ready<'_>], steps: &mut Journal<'_>) -> Result<()> {
        for ready in ready {
            let Some(copied) = ready.copied else { continue };
            let place = steps.place_of(copied).ok_or(Error::Bug("a copy has no place".into()))?;
            let source = self.source(ready.item)?;
            refuse_crowds(self.items.len(), &source.folder)?;
            let around = ready.item.real.parent().unwrap_or_default();
            let workshop = self.share.finder.workshop(&around)?;
            let hidden = &ready.out;
            if steps.group.is_some() && !steps.has_noted(&ready.item.real) {
                let change = Change::going(ready.item.real.clone(), hidden.clone());
                steps.expect(usize::MAX, change)?;
            }
            match steps.hide(&source, &ready.item.named, (&workshop, hidden)) {
                Ok(()) => {}
                Err(Errno::BUSY | Errno::XDEV) => return Err(mounted()),
                Err(errno) => return Err(os(errno)),
            }
            // Calling it off now would gain nothing: it is complete, so it goes on to the end.
            let on = Progress::default();
            self.share.compare((&workshop, OsStr::new(hidden)), (&place.0, &place.1), &on)?;
        }
        Ok(())
    }
}

/// Gives a folder that is in its place the mode that would have kept it from getting there.
fn restrict(target: &Target, name: &str, mark: Mark) {
    let _as_well_as_we_can =
        look::open_to_read(&*target.folder, name.as_bytes()).and_then(|made| {
            rustix::fs::fchmod(&made, Mode::from_raw_mode((mark.mode & 0o777).into()))?;
            rustix::fs::fsync(&made)
        });
}
