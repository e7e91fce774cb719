//! Moving and copying into a folder, several things at once.
//!
//! What is decided here, because the contract leaves it open:
//!
//! - Everything that can be known is looked for before anything is changed: rights, what is missing, what
//!   is in the way. A failure half-way takes back what was done, but for what somebody else has changed
//!   since, and, where nothing can be kept in the trash, for a file that was replaced where files can neither
//!   change places nor have two names (FAT).
//! - Work that is called off keeps the things that are complete: each of `paths` as a whole, so a tree is
//!   there with all that is in it or not at all.
//! - A folder that is overwritten is replaced whole, as files are; the two are not mixed. The old one is
//!   in the trash, as replaced files are. A file never replaces a folder, nor a folder a file.
//! - A thing that is moved to where it is stays; copied there, it is overwritten by itself, which changes
//!   nothing.
//! - On one filesystem a move is a rename. Between two it is a copy, whole and durable; then the source is
//!   taken out of sight, compared with the copy, and only then removed.
//!
//! A grant on a folder reaches everything in it, so judging each path once, by its name and by where it
//! really is, judges all that is below; but links lead elsewhere, and are judged one by one (`copy.rs`).

use super::copy::{Copier, Hidden, Manner};
use super::group::Change;
use super::hidden;
use super::look::{self, FileId};
use super::mounts;
use super::numbered::numbered;
use super::path::VaultPath;
use super::progress::Progress;
use super::put::{Journal, Put, Step, Target};
use super::refusals::{is_mount, refuse_crowds, refuse_mounts, refuse_overlaps};
use super::resolve::{Follow, Spot, there};
use super::share::{Need, Share};
use super::thing::{Judged, Source};
use super::trash::Incoming;
use super::trash_id::TrashId;
use super::walk::Mark;
use super::write::IfExists;
use super::{NOT_THERE, discard, into_itself, mounted, os, os_new_name};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// What happens to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// It goes.
    Move,
    /// It stays.
    Copy,
}

/// What is in the way, whatever it is.
const IN_THE_WAY: Error = Error::Collision("Target already exists");

/// A move or a copy that was found possible and permitted.
pub struct Transfer {
    /// Whose it is.
    share: Share,
    /// Which of the two.
    kind: TransferKind,
    /// See `IfExists`.
    if_exists: IfExists,
    /// The target folder by the name that was used.
    to: VaultPath,
    /// What is moved or copied.
    items: Vec<Item>,
}

/// One of the things.
struct Item {
    /// Where it is by the name that was used.
    named: VaultPath,
    /// Where it really is.
    real: VaultPath,
    /// Which one it is.
    id: FileId,
    /// Whether it is a folder.
    is_folder: bool,
    /// Whether it is there already, so that nothing is to be done.
    is_there: bool,
}

impl Share {
    /// Looks at everything that a move or copy of `sources` into the folder `to` needs.
    ///
    /// Errors: `Invalid` (the root, a folder into itself or below, things that overlap, something that can't
    /// be copied), `Refused` (reading or, to move, writing a source; writing the target), `NotFound`,
    /// `Collision`, `StorageAbsent`.
    pub fn transfer(
        &self,
        kind: TransferKind,
        sources: &[VaultPath],
        to: &VaultPath,
        if_exists: IfExists,
    ) -> Result<Transfer> {
        for source in sources {
            if source.is_root() {
                return Err(Error::invalid("The root can't be moved or copied"));
            }
            if to.starts_with(source) {
                return Err(into_itself());
            }
        }
        let needs: &[Need] = match kind {
            TransferKind::Move => &[Need::Read, Need::Write],
            TransferKind::Copy => &[Need::Read],
        };
        for source in sources {
            needs.iter().try_for_each(|need| self.ask(source, *need))?;
            self.ask(&to.join(source.name()), Need::Write)?;
        }
        self.checked(|| {
            let folder = self.finder.locate(to, Follow::Last)?;
            for source in sources {
                self.ask(&folder.path.join(source.name()), Need::Write)?;
            }
            match folder.file_type() {
                None => return Err(NOT_THERE),
                Some(FileType::Directory) => {}
                Some(_) => return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
            }
            let mut items = Vec::with_capacity(sources.len());
            for source in sources {
                let spot = self.locate_itself(source, needs)?;
                if spot.is_folder() && self.finder.is_within(&folder.path, &spot) {
                    return Err(into_itself());
                }
                refuse_kind(kind, there(&spot)?)?;
                let around = look::id_of(&look::look_at(&*spot.folder).map_err(os)?);
                let is_there = folder.stat.as_ref().map(look::id_of) == Some(around)
                    && (kind == TransferKind::Move || if_exists == IfExists::Overwrite)
                    && !matches!(if_exists, IfExists::Error(_));
                let id = look::id_of(there(&spot)?);
                let is_folder = spot.is_folder();
                items.push(Item {
                    named: source.clone(),
                    real: spot.path,
                    id,
                    is_folder,
                    is_there,
                });
            }
            if kind == TransferKind::Move {
                refuse_overlaps(items.iter().map(|item| &item.real))?;
            }
            self.look_for_collisions(&folder.path, &items, if_exists)?;
            Ok(Transfer { share: self.clone(), kind, if_exists, to: to.clone(), items })
        })
    }

    /// Finds what is in the way, as far as that can be known before.
    fn look_for_collisions(
        &self,
        folder: &VaultPath,
        items: &[Item],
        if_exists: IfExists,
    ) -> Result<()> {
        let mut names = HashSet::with_capacity(items.len());
        for item in items {
            // Two things of one name cannot both be there.
            if !names.insert(item.named.name()) && if_exists != IfExists::Rename {
                return Err(IN_THE_WAY);
            }
            if item.is_there || if_exists == IfExists::Rename {
                continue;
            }
            let target = self.finder.locate(&folder.join(item.named.name()), Follow::NotLast)?;
            let Some(old) = &target.stat else { continue };
            if let IfExists::Error(sentence) = if_exists {
                return Err(Error::Collision(sentence));
            }
            let source = self.source(item, &[Need::Read])?;
            self.may_replace(&target, old, there(&source)?)?;
            // Replacing a folder would take away what is in it.
            let is_in_it = |item: &Item| item.real.starts_with(&target.path);
            if target.is_folder() && items.iter().any(is_in_it) {
                return Err(IN_THE_WAY);
            }
        }
        Ok(())
    }

    /// Whether what is at a place may be replaced by `new`.
    fn may_replace(&self, target: &Spot, old: &Statx, new: &Statx) -> Result<()> {
        let is_plain =
            |stat: &Statx| matches!(look::type_of(stat), FileType::RegularFile | FileType::Symlink);
        if target.is_folder() {
            if look::type_of(new) != FileType::Directory {
                return Err(IN_THE_WAY);
            }
            let place = look::open_place(&target.folder, target.name.as_bytes()).map_err(os)?;
            if is_mount(target)? || !mounts::mounts_below(place.as_fd()).is_empty() {
                return Err(mounted());
            }
        } else if !is_plain(old) || look::type_of(new) == FileType::Directory {
            return Err(IN_THE_WAY);
        }
        // A link is judged by where it leads, too.
        if target.is_link() {
            self.locate_itself(&target.path, &[Need::Write])?;
        }
        Ok(())
    }

    /// Finds a source again.
    ///
    /// Errors: `NotFound` when it is another one by now.
    fn source(&self, item: &Item, needs: &[Need]) -> Result<Spot> {
        let mut spot = self.locate_itself(&item.real, needs)?;
        if spot.path != item.real || look::id_of(there(&spot)?) != item.id {
            return Err(NOT_THERE);
        }
        spot.folder = self.finder.shared(spot.folder).map_err(os)?;
        Ok(spot)
    }
}

/// Whether such a thing can be copied; anything can be renamed.
fn refuse_kind(kind: TransferKind, stat: &Statx) -> Result<()> {
    match (kind, look::type_of(stat)) {
        (TransferKind::Move, _)
        | (_, FileType::RegularFile | FileType::Directory | FileType::Symlink) => Ok(()),
        _ => Err(Error::invalid("Path is neither a file nor a folder")),
    }
}

/// One thing in its new place.
pub struct Landed {
    /// Where it is, by the name that was used.
    pub path: VaultPath,
    /// Where in the trash is what it replaced; `None` when nothing went there.
    pub trash: Option<TrashId>,
}

/// One thing that is ready to be put in its place.
struct Ready<'a> {
    /// Which.
    item: &'a Item,
    /// Its copy; `None` for what is only renamed.
    copy: Option<Hidden>,
    /// As what, out of sight, the thing waits that it replaces.
    aside: String,
    /// As what its source waits, when it was copied to be moved.
    out: String,
}

impl<'a> Ready<'a> {
    /// One that nothing has waited for yet.
    fn new(item: &'a Item, copy: Option<Hidden>) -> Self {
        Self { item, copy, aside: hidden::temporary_name(), out: hidden::temporary_name() }
    }

    /// The change that putting it at a place is.
    fn coming_to(
        &self,
        (target, place): (&Target, VaultPath),
        stat: &Statx,
        old: Option<&Statx>,
    ) -> Change {
        let what = Some(Incoming::of(&target.folder, stat));
        let asides = [Some(&self.aside), self.copy.as_ref().map(|copy| &copy.name)];
        let asides = asides.into_iter().flatten().cloned().collect();
        let from = self.copy.is_none().then(|| self.item.real.clone());
        let old = old.map(|old| Incoming::of(&target.folder, old));
        Change { place, what, from, old, asides, ..Change::default() }
    }
}

impl Transfer {
    /// Which of the two it is.
    pub fn kind(&self) -> TransferKind {
        self.kind
    }

    /// Does it; returns where the things are now, by the names that were used. `tell` hears the same of each
    /// thing, by its number, also of those that were complete when the rest was called off.
    ///
    /// Errors: `Cancelled` (complete things stay), `Collision`, `NotFound`, `Refused`, `DiskFull`, `Invalid`,
    /// `Io`, `StorageAbsent`; then nothing was changed.
    pub fn run(
        &self,
        progress: &Progress,
        tell: &mut dyn FnMut(usize, &Landed),
    ) -> Result<Vec<VaultPath>> {
        self.share.checked(|| {
            let mut steps = Journal::new(&self.share);
            let (done, end) = match self.do_all(progress, &mut steps) {
                Ok((done, end)) => (done, end),
                Err(error) => {
                    steps.undo();
                    return Err(error);
                }
            };
            for (number, landed) in done.iter().enumerate() {
                self.share.forget_parts(&landed.path);
                self.share.finder.root.news.came(&landed.path);
                if self.kind == TransferKind::Move {
                    self.share.finder.root.news.went(&self.items[number].named);
                }
                tell(number, landed);
            }
            steps.let_go(progress)?.told()?;
            end.map(|()| done.into_iter().map(|landed| landed.path).collect())
        })
    }

    /// The rights that each source needs.
    fn needs(&self) -> &'static [Need] {
        match self.kind {
            TransferKind::Move => &[Need::Read, Need::Write],
            TransferKind::Copy => &[Need::Read],
        }
    }

    /// The work of `run`: the places, and whether it was called off on the way.
    fn do_all(
        &self,
        progress: &Progress,
        steps: &mut Journal<'_>,
    ) -> Result<(Vec<Landed>, Result<()>)> {
        let share = &self.share;
        let mut folder = share.finder.locate(&self.to, Follow::Last)?;
        if !folder.is_folder() {
            return Err(NOT_THERE);
        }
        let real_to = folder.path.clone();
        let place = if folder.path.is_root() {
            Arc::clone(&share.finder.handle)
        } else {
            Arc::new(look::open_place(&folder.folder, folder.name.as_bytes()).map_err(os)?)
        };
        folder.folder = share.finder.shared(place).map_err(os)?;
        let target = Target { folder: folder.folder, real: real_to };
        let (mut ready, end) = self.prepare(progress, &target)?;
        if ready.len() > 1 {
            steps.group = Some(self.share.begin_group(self.plan(&ready, &target)?)?);
        }
        let mut done = Vec::with_capacity(ready.len());
        for (number, ready) in ready.iter_mut().enumerate() {
            let before = steps.done.len();
            let path = self.put((number, ready), &target, progress, steps)?;
            let trash = steps.done[before..].iter().find_map(Step::trashed);
            done.push(Landed { path, trash });
        }
        if self.kind == TransferKind::Move && ready.iter().any(|ready| ready.copy.is_some()) {
            steps.sync()?;
            self.take_sources_out(&ready, steps)?;
        }
        steps.settle()?;
        Ok((done, end))
    }

    /// What is about to change, as far as that can be known: for each thing where it comes, then for each
    /// from where it goes.
    fn plan(&self, ready: &[Ready<'_>], target: &Target) -> Result<Vec<Change>> {
        let finder = &self.share.finder;
        let mut changes = Vec::with_capacity(ready.len());
        let mut taken = HashSet::with_capacity(ready.len());
        for ready in ready {
            if ready.item.is_there {
                changes.push(Change::going(ready.item.real.clone(), ready.aside.clone()));
                continue;
            }
            let stat = match &ready.copy {
                Some(copy) => look_at_copy(copy)?,
                None => *there(&self.share.source(ready.item, self.needs())?)?,
            };
            let mut place = target.real.join(ready.item.named.name());
            if self.if_exists == IfExists::Rename {
                place = finder.next_free(&place, |place| taken.contains(place))?;
            }
            let old = finder.locate(&place, Follow::NotLast)?.stat;
            taken.insert(place.clone());
            changes.push(ready.coming_to((target, place), &stat, old.as_ref()));
        }
        let going = |ready: &Ready<'_>| Change::going(ready.item.real.clone(), ready.out.clone());
        if self.kind == TransferKind::Move {
            changes.extend(ready.iter().filter(|ready| ready.copy.is_some()).map(going));
        }
        Ok(changes)
    }

    /// Makes copies of what must be copied, each whole and durable. When it is called off, what is complete
    /// by then counts.
    fn prepare(
        &self,
        progress: &Progress,
        target: &Target,
    ) -> Result<(Vec<Ready<'_>>, Result<()>)> {
        let mut ready = Vec::with_capacity(self.items.len());
        let mut ways = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let is_copied = !item.is_there && self.must_copy(item, target)?;
            if progress.is_watched() {
                let (bytes, items) = if is_copied {
                    let source = self.share.source(item, self.needs())?;
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
        if !ways.contains(&true) {
            ready.extend(self.items.iter().map(|item| Ready::new(item, None)));
            return Ok((ready, Ok(())));
        }
        let workshop = self.share.finder.workshop(&target.real)?;
        let mut copier = Copier::new(&self.share, &workshop, self.manner(target)?, progress)?;
        // One sync for all is for many; for a few it would wait for what others write.
        copier.syncs_each |=
            self.items.len() <= limits::FEW_FILES && !self.items.iter().any(|item| item.is_folder);
        let mut end = Ok(());
        for (item, is_copied) in self.items.iter().zip(ways) {
            let copy = if is_copied {
                match self.copy(item, &workshop, &mut copier) {
                    Err(Error::Cancelled) => {
                        end = Err(Error::Cancelled);
                        break;
                    }
                    copy => Some(copy?),
                }
            } else {
                None
            };
            ready.push(Ready::new(item, copy));
        }
        copier.settle(&workshop)?;
        Ok((ready, end))
    }

    /// How things are copied there.
    fn manner(&self, target: &Target) -> Result<Manner> {
        let folder = look::look_at(&*target.folder).map_err(os)?;
        let group = (folder.stx_mode & 0o2000 != 0).then_some(folder.stx_gid);
        let into = Some(look::id_of(&folder));
        Ok(Manner { group, is_move: self.kind == TransferKind::Move, into })
    }

    /// One copy.
    fn copy(
        &self,
        item: &Item,
        workshop: &Arc<OwnedFd>,
        copier: &mut Copier<'_>,
    ) -> Result<Hidden> {
        copier.progress.go_on()?;
        let source = self.share.source(item, self.needs())?;
        if self.kind == TransferKind::Move {
            refuse_mounts(&source)?;
            // What cannot go is not copied first.
            self.share.ask_to_remove(&source, &item.named, copier.progress)?;
        }
        let from = (&*source.folder, &*source.name, &item.real);
        self.share.copy_hidden(from, Arc::clone(workshop), copier)
    }

    /// Whether a thing has to be copied to get there.
    fn must_copy(&self, item: &Item, target: &Target) -> Result<bool> {
        if self.kind == TransferKind::Copy {
            return Ok(true);
        }
        let source = self.share.source(item, self.needs())?;
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
    ) -> Result<VaultPath> {
        let item = ready.item;
        let named = self.to.join(item.named.name());
        if item.is_there {
            progress.add(0, 1);
            return Ok(named);
        }
        if ready.copy.is_none() {
            match self.put_itself((number, ready), target, steps) {
                // Some places look alike and are not: quotas of projects, layers of an overlay.
                Err(Put::Apart) => {
                    let workshop = self.share.finder.workshop(&target.real)?;
                    let manner = self.manner(target)?;
                    let mut copier = Copier::new(&self.share, &workshop, manner, progress)?;
                    ready.copy = Some(self.copy(item, &workshop, &mut copier)?);
                    copier.settle(&workshop)?;
                }
                Err(Put::Failed(error)) => return Err(error),
                Ok(place) => {
                    progress.add(0, 1);
                    return Ok(place);
                }
            }
        }
        let copy = ready.copy.as_ref().ok_or(Error::Bug("nothing to put".into()))?;
        let from = Source::there(&copy.folder, &copy.name, copy.id);
        let stat = look_at_copy(copy)?;
        match self.place(&from, &stat, (number, ready), target, steps) {
            Ok(place) => {
                let copy = ready.copy.as_mut().ok_or(Error::Bug("nothing to put".into()))?;
                copy.is_pending = false;
                if let Some(mark) = copy.mark.filter(|mark| mark.mode & 0o700 != 0o700) {
                    lock(target, place.name(), mark);
                }
                Ok(place)
            }
            Err(Put::Failed(error)) => Err(error),
            Err(Put::Apart) => Err(Error::Io(Errno::XDEV.into())),
        }
    }

    /// Puts the source itself there.
    fn put_itself(
        &self,
        (number, ready): (usize, &Ready<'_>),
        target: &Target,
        steps: &mut Journal<'_>,
    ) -> std::result::Result<VaultPath, Put> {
        let item = ready.item;
        let source = self.share.source(item, self.needs())?;
        refuse_crowds(self.items.len(), &source.folder)?;
        let from = Source::there(&source.folder, &source.name, item.id);
        self.place(&from, there(&source)?, (number, ready), target, steps)
    }

    /// Gives something its new name by a rename, as `if_exists` says.
    fn place(
        &self,
        from: &Source,
        stat: &Statx,
        (part, ready): (usize, &Ready<'_>),
        target: &Target,
        steps: &mut Journal<'_>,
    ) -> std::result::Result<VaultPath, Put> {
        let share = &self.share;
        let (item, is_copy) = (ready.item, ready.copy.is_some());
        let last = if self.if_exists == IfExists::Rename { limits::NUMBERED_NAMES_MAX } else { 0 };
        let mut tries = 0;
        let mut number = 0;
        while number <= last && tries <= limits::RACE_TRIES_MAX {
            let name = numbered(item.named.name(), number);
            let place = self.to.child(&name)?;
            share.ask(&place, Need::Write)?;
            share.ask(&target.real.join(&name), Need::Write)?;
            let on_disk = place.name_on_disk();
            if number > 0 || steps.group.is_some() {
                let spot = share.finder.locate(&target.real.join(&name), Follow::NotLast);
                let old = spot.map_err(Error::from)?.stat;
                if old.is_some() && self.if_exists == IfExists::Rename {
                    number += 1;
                    continue;
                }
                let place = target.real.join(&name);
                steps.expect(part, ready.coming_to((target, place), stat, old.as_ref()))?;
            }
            let there = (&target.folder, on_disk.as_os_str());
            match steps.add(from, there, target.real.join(&name), is_copy) {
                Ok(()) => return Ok(place),
                Err(Errno::EXIST | Errno::NOTEMPTY) => {}
                Err(Errno::XDEV) => return Err(Put::Apart),
                Err(Errno::BUSY) => return Err(mounted().into()),
                Err(errno) => return Err(os_new_name(errno).into()),
            }
            match self.if_exists {
                IfExists::Error(sentence) => return Err(Error::Collision(sentence).into()),
                IfExists::Rename => number += 1,
                IfExists::Overwrite => {
                    // What was there may go meanwhile; then it is tried again.
                    tries += 1;
                    let spot = share.finder.locate(&target.real.join(&name), Follow::NotLast);
                    let spot = spot.map_err(Error::from)?;
                    let Some(old) = &spot.stat else { continue };
                    share.may_replace(&spot, old, stat)?;
                    if steps.has_put(&spot) {
                        return Err(IN_THE_WAY.into());
                    }
                    let judged = Judged::This(look::id_of(old));
                    let way = (ready.aside.as_str(), is_copy);
                    if steps.replace((&mut from.clone(), stat), target, (&spot, judged), way)? {
                        return Ok(place);
                    }
                }
            }
        }
        Err(IN_THE_WAY.into())
    }

    /// Takes the sources of copies out of sight, and sees to it that their copies are whole. Removing them
    /// comes when nothing can fail any more.
    fn take_sources_out(&self, ready: &[Ready<'_>], steps: &mut Journal<'_>) -> Result<()> {
        for ready in ready.iter().filter(|ready| ready.copy.is_some()) {
            let Some(copy) = &ready.copy else { continue };
            let source = self.share.source(ready.item, self.needs())?;
            refuse_crowds(self.items.len(), &source.folder)?;
            let around = ready.item.real.parent().unwrap_or_default();
            let workshop = self.share.finder.workshop(&around)?;
            let hidden = &ready.out;
            if steps.group.is_some() && !steps.has_noted(&ready.item.real) {
                let change = Change::going(ready.item.real.clone(), hidden.clone());
                steps.expect(usize::MAX, change)?;
            }
            let taken = discard::take_out(
                source.folder.as_fd(),
                source.name.as_bytes(),
                workshop.as_fd(),
                hidden,
            );
            match taken {
                Ok(()) => {}
                Err(Errno::BUSY | Errno::XDEV) => return Err(mounted()),
                Err(errno) => return Err(os(errno)),
            }
            let out = Source::there(&workshop, hidden, ready.item.id);
            let place = steps.place_of(copy.id).ok_or(Error::Bug("a copy has no place".into()))?;
            steps.done.push(Step::TakenOut {
                from: (source.folder, source.name),
                out: out.clone(),
                named: ready.item.named.clone(),
            });
            // Calling it off now would gain nothing: it is complete, so it goes on to the end.
            let on = Progress::default();
            self.share.compare((&out.folder, &out.name), (&place.0, &place.1), &on)?;
        }
        Ok(())
    }
}

/// What a copy is that has no place yet.
fn look_at_copy(copy: &Hidden) -> Result<Statx> {
    let stat = look::look(&*copy.folder, copy.name.as_bytes()).map_err(os)?;
    stat.ok_or(Error::Bug("a copy is gone".into()))
}

/// Gives a folder that is in its place the mode that would have kept it from getting there.
fn lock(target: &Target, name: &str, mark: Mark) {
    let _as_well_as_we_can =
        look::open_to_read(&*target.folder, name.as_bytes()).and_then(|made| {
            rustix::fs::fchmod(&made, Mode::from_raw_mode((mark.mode & 0o777).into()))?;
            rustix::fs::fsync(&made)
        });
}
