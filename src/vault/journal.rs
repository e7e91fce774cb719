//! What an operation has done to names in the share, until it is settled: then it is durable, and told. A journal that
//! is dropped before that takes all of it back.

use super::group::{Change, Group};
use super::look::{self, FileId};
use super::path::VaultPath;
use super::progress::Progress;
use super::rake::Remains;
use super::resolve::Spot;
use super::share::Share;
use super::thing::{Origin, Source};
use super::throw::Binned;
use super::trash_id::TrashId;
use super::unfinished::Unfinished;
use super::{discard, os, twin};
use crate::error::Result;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// What was done, and how to take it back.
pub(super) enum Step {
    /// A folder was made, durably, with this name in an open folder; in the share it is called so.
    Made(Arc<OwnedFd>, OsString, VaultPath),
    /// Something was given its new name.
    Put {
        /// Where it was.
        from: Source,
        /// Where it is.
        folder: Arc<OwnedFd>,
        /// Its name there.
        name: OsString,
        /// What that is called in the share.
        named: VaultPath,
        /// What had that name.
        old: Old,
        /// What it was.
        origin: Origin,
    },
    /// Something was taken out of its place: to be deleted, or because it was moved by a copy.
    TakenOut {
        /// Where it was.
        from: (Arc<OwnedFd>, OsString),
        /// Where it is.
        out: Kept,
        /// What it was called.
        named: VaultPath,
    },
}

impl Step {
    /// Whether it gave something its name where nothing was; `None` for what gave nothing its name.
    pub fn is_new(&self) -> Option<bool> {
        match self {
            Self::Put { old, .. } => Some(matches!(old, Old::None)),
            _ => None,
        }
    }

    /// Where in the trash the thing is, or will be, that was replaced.
    pub fn trashed(&self) -> Option<TrashId> {
        match self {
            Self::Put { old: Old::Kept(Kept::Binned(binned)), .. } => Some(binned.id.clone()),
            _ => None,
        }
    }

    /// What was replaced or taken out and came into the trash.
    fn binned(&self) -> Option<&Binned> {
        match self {
            Self::Put { old: Old::Kept(Kept::Binned(binned)), .. }
            | Self::TakenOut { out: Kept::Binned(binned), .. } => Some(binned),
            _ => None,
        }
    }
}

/// What became of the thing that was replaced.
pub(super) enum Old {
    /// There was nothing.
    None,
    /// It can come back.
    Kept(Kept),
    /// It is gone for good.
    Gone,
}

/// Where a thing is that was replaced or taken out.
pub(super) enum Kept {
    /// In the trash.
    Binned(Binned),
    /// In this hidden folder, under this name, where it waits to be removed.
    Aside(Arc<OwnedFd>, OsString),
}

impl Kept {
    /// The folder and the name.
    pub fn place(&self) -> (&Arc<OwnedFd>, &OsStr) {
        match self {
            Self::Binned(binned) => (&binned.bin, binned.id.as_str().as_ref()),
            Self::Aside(hidden, aside) => (hidden, aside),
        }
    }

    /// It is there no more: nor is its record.
    pub fn give_up(self) {
        match self {
            Self::Binned(binned) => binned.give_up(),
            Self::Aside(..) => {}
        }
    }
}

/// All that was done, in order. Dropping it takes everything back, the last step first, durably; what somebody else
/// has put there since is theirs and stays.
pub(super) struct Journal<'a> {
    /// Whose work it is.
    pub share: &'a Share,
    /// The record of them all, when several things are on their way.
    pub group: Option<Group>,
    /// Notes of the folders that were made on the way.
    pub notes: Vec<Unfinished>,
    /// The steps.
    pub done: Vec<Step>,
}

impl<'a> Journal<'a> {
    /// One in which nothing is written.
    pub fn new(share: &'a Share) -> Self {
        Self { share, group: None, notes: Vec::new(), done: Vec::new() }
    }

    /// Sees to it that everything that was done is durable where it belongs, and that a crash leaves it so
    /// from here on; then it is told to whoever listens. What was replaced or taken out is told by its record to be in the trash.
    pub fn settle(mut self) -> Result<Settled<'a>> {
        for binned in self.done.iter().filter_map(Step::binned) {
            binned.settle().map_err(os)?;
        }
        self.finish(&mut self.folders())?;
        let settled = Settled { share: self.share, done: std::mem::take(&mut self.done) };
        settled.tell();
        Ok(settled)
    }
}

impl Journal<'_> {
    /// Sees to it that the record of the group, if there is one, tells of a change.
    pub fn expect(&mut self, number: usize, change: Change) -> Result<()> {
        match &mut self.group {
            Some(group) => group.expect(self.share, number, change),
            None => Ok(()),
        }
    }

    /// Whether the record of the group tells that something goes from a place.
    pub fn has_noted(&self, place: &VaultPath) -> bool {
        self.group.as_ref().is_some_and(|group| group.tells_of_going(place))
    }

    /// Whether what is at a place was put there by these very steps, under a name that the drive takes for the
    /// same.
    pub fn has_put(&self, spot: &Spot) -> bool {
        self.done.iter().any(|step| match step {
            Step::Put { from, folder, name, .. } => {
                spot.stat.as_ref().is_some_and(|old| from.is(old))
                    || twin::is_respelled(folder, name, spot)
            }
            Step::Made(..) | Step::TakenOut { .. } => false,
        })
    }

    /// Where a copy was put.
    pub fn place_of(&self, id: FileId) -> Option<(Arc<OwnedFd>, OsString)> {
        self.done.iter().find_map(|step| match step {
            Step::Put { from, folder, name, .. } if from.id == id => {
                Some((Arc::clone(folder), name.clone()))
            }
            _ => None,
        })
    }

    /// Makes every name that was changed durable, each folder once.
    pub fn sync(&self) -> Result<()> {
        let mut folders = self.folders();
        folders.sync()?;
        folders.workshops.sync()
    }

    /// The folders in which names were changed. One that was made is durable since then.
    fn folders(&self) -> Folders {
        let mut folders = Folders::default();
        for step in &self.done {
            match step {
                Step::Made(..) => {}
                Step::TakenOut { from, out, .. } => {
                    match out {
                        Kept::Binned(binned) => folders.bins.add(&binned.bin),
                        Kept::Aside(hidden, _) => folders.places.add(hidden),
                    }
                    folders.sources.add(&from.0);
                }
                Step::Put { from, folder, old, origin, .. } => {
                    folders.places.add(folder);
                    match origin {
                        Origin::Moved(_) | Origin::Binned => folders.sources.add(&from.folder),
                        Origin::Made(_) => folders.workshops.add(&from.folder),
                    }
                    match old {
                        Old::Kept(Kept::Binned(binned)) => folders.bins.add(&binned.bin),
                        Old::Kept(Kept::Aside(workshop, _)) => folders.workshops.add(workshop),
                        Old::None | Old::Gone => {}
                    }
                }
            }
        }
        folders
    }

    /// Makes everything durable, and has the records go of what was being done. Larder's folders for unfinished
    /// things follow: a drive without a journal could else keep a file's old name there, and the sweep at the next
    /// start would remove the file by it.
    fn finish(&mut self, folders: &mut Folders) -> Result<()> {
        folders.sync()?;
        // First: what is in new folders must not be taken back without them.
        if let Some(group) = &mut self.group {
            group.settle().map_err(os)?;
            folders.workshops.add(&group.folder);
        }
        self.group = None;
        for note in self.notes.drain(..) {
            folders.workshops.add(&note.folder);
        }
        folders.workshops.sync()
    }

    /// Brings back what was taken out, if nothing else is in its place.
    fn bring_back(
        &self,
        (folder, name): &(Arc<OwnedFd>, OsString),
        out: &Kept,
    ) -> rustix::io::Result<()> {
        let (hidden, aside) = out.place();
        discard::moving(hidden.as_fd(), aside.as_bytes(), true, || {
            self.share.rename_noreplace(hidden, aside, folder, name)
        })
    }

    /// Takes one thing back to where it was, as far as it is still in its place.
    fn put_back(
        &self,
        from: &Source,
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        old: &Old,
    ) -> rustix::io::Result<()> {
        if !from.is_at(folder, name) {
            return Ok(());
        }
        let (hidden, aside) = match old {
            Old::None => return self.take_back(from, folder, name).map(drop),
            Old::Kept(kept) => kept.place(),
            // Better the new one than none.
            Old::Gone => return Ok(()),
        };
        let waits = Source { folder: Arc::clone(hidden), name: aside.into(), ..from.clone() };
        let exchanged = if self.share.finder.root.quirks.no_exchange {
            Err(Errno::INVAL)
        } else {
            waits.exchange_back(folder, name)
        };
        match exchanged {
            Ok(()) if !from.is_at(hidden, aside) => Ok(()),
            Ok(()) if Arc::ptr_eq(hidden, &from.folder) && aside == from.name => Ok(()),
            Ok(()) => self.share.rename_noreplace(hidden, aside, &from.folder, &from.name),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if self.take_back(from, folder, name)? {
                    self.share.rename_noreplace(hidden, aside, folder, name)?;
                }
                Ok(())
            }
            Err(errno) => Err(errno),
        }
    }

    /// Takes one thing out of a place where nothing was, back to where it was. Between the look before and the
    /// move somebody may replace it: what was moved is looked at again.
    fn take_back(
        &self,
        from: &Source,
        folder: &Arc<OwnedFd>,
        name: &OsStr,
    ) -> rustix::io::Result<bool> {
        discard::moving(folder.as_fd(), name.as_bytes(), true, || {
            self.share.rename_noreplace(folder, name, &from.folder, &from.name)
        })?;
        if from.is_at(&from.folder, &from.name) {
            return Ok(true);
        }
        self.share.rename_noreplace(&from.folder, &from.name, folder, name).map(|()| false)
    }
}

impl Drop for Journal<'_> {
    fn drop(&mut self) {
        if self.done.is_empty() {
            return;
        }
        let mut folders = self.folders();
        for step in self.done.iter().rev() {
            let _stays_as_it_is = match step {
                Step::Made(folder, name, _) => {
                    folders.places.add(folder);
                    rustix::fs::unlinkat(&**folder, name, AtFlags::REMOVEDIR)
                }
                Step::TakenOut { from, out, .. } => self.bring_back(from, out),
                Step::Put { from, folder, name, old, .. } => self.put_back(from, folder, name, old),
            };
        }
        // Before the record of the group goes: the sweep removes whatever stays hidden.
        self.done.iter().rev().for_each(|step| show_hidden(self.share, step));
        let _nothing_more_to_be_done = self.finish(&mut folders);
        self.done.drain(..).for_each(clear_away);
    }
}

/// Shows an old thing that waits hidden because something else is in its place, beside that.
fn show_hidden(share: &Share, step: &Step) {
    let (hidden, aside, was) = match step {
        Step::TakenOut { from, out: Kept::Aside(hidden, aside), .. } => {
            (hidden, aside, (&*from.0, from.1.as_os_str()))
        }
        Step::Put {
            from,
            folder,
            name,
            old: Old::Kept(Kept::Aside(hidden, aside)),
            origin,
            ..
        } => {
            // What was made is there again, and nobody was promised that.
            if matches!(origin, Origin::Made(_)) && from.is_at(hidden, aside) {
                return;
            }
            (hidden, aside, (&**folder, name.as_os_str()))
        }
        _ => return,
    };
    let _as_well_as_we_can = share.show_again((hidden, aside), was);
}

/// Sees to what has been taken back, or could not be, once that is durable: what was made meets its end, and what has
/// found something else in its place stays in the trash.
fn clear_away(step: Step) {
    let kept = match step {
        Step::Made(..) => return,
        Step::TakenOut { out, .. } => out,
        Step::Put { from, old, origin, .. } => {
            if let Origin::Made(end) = origin
                && from.is_at(&from.folder, &from.name)
            {
                let name = from.name.to_string_lossy().into_owned();
                drop(Unfinished::new(from.folder, name, end));
            }
            let Old::Kept(kept) = old else { return };
            kept
        }
    };
    match kept {
        Kept::Binned(binned) if is_there(&binned.bin, binned.id.as_str().as_ref()) => {
            let _finished_by_the_sweep = binned.settle();
        }
        kept => kept.give_up(),
    }
}

/// Whether anything has that name.
fn is_there(folder: &OwnedFd, name: &OsStr) -> bool {
    look::look(folder, name.as_bytes()).is_ok_and(|stat| stat.is_some())
}

/// What was done, durably. What was replaced out of the trash, and the sources of copies, are still to go.
pub(super) struct Settled<'a> {
    /// Whose work it was.
    share: &'a Share,
    /// The steps.
    done: Vec<Step>,
}

impl Settled<'_> {
    /// Of each thing that got its name, in order: whether nothing had that before, and where in the trash what had
    /// it is.
    pub fn facts(&self) -> impl Iterator<Item = (bool, Option<TrashId>)> {
        self.done.iter().filter_map(|step| Some((step.is_new()?, step.trashed())))
    }

    /// Tells whoever listens, and drops what was broken off on the way to the same places.
    fn tell(&self) {
        let news = &self.share.finder.root.news;
        let came = |path: &VaultPath| {
            self.share.forget_parts(path);
            news.came(path);
        };
        let went = |path: &VaultPath| {
            self.share.forget_parts(path);
            news.went(path);
        };
        for step in &self.done {
            match step {
                Step::Made(.., named) => came(named),
                Step::TakenOut { named, .. } => went(named),
                Step::Put { named, origin, .. } => {
                    came(named);
                    if let Origin::Moved(was) = origin {
                        went(was);
                    }
                }
            }
        }
    }

    /// What was replaced goes, and the sources of copies. Tells what cannot be removed, although it had looked as if
    /// it could: it is shown again where it was, or beside what has its place.
    pub fn let_go(self, progress: &Progress) -> Result<Remains> {
        let mut remains = Remains::default();
        let mut end = Ok(());
        for step in self.done {
            let removed = match step {
                Step::Put { old: Old::Kept(Kept::Binned(binned)), .. }
                | Step::TakenOut { out: Kept::Binned(binned), .. } => {
                    progress.threw_away(binned.id);
                    continue;
                }
                Step::Put {
                    old: Old::Kept(Kept::Aside(hidden, aside)),
                    folder,
                    name,
                    named,
                    ..
                } => self.share.let_go((&hidden, &aside), (&folder, &name), &named),
                Step::Made(..) | Step::Put { .. } => continue,
                Step::TakenOut { from, out: Kept::Aside(hidden, aside), named } => {
                    self.share.let_go((&hidden, &aside), (&from.0, &from.1), &named)
                }
            };
            match removed {
                Ok(of_this) => remains.append(of_this),
                Err(error) => end = end.and(Err(error)),
            }
        }
        end.map(|()| remains)
    }
}

/// Open folders, each once.
#[derive(Default)]
struct Once(Vec<Arc<OwnedFd>>);

impl Once {
    /// One more.
    fn add(&mut self, folder: &Arc<OwnedFd>) {
        if !self.has(folder) {
            self.0.push(Arc::clone(folder));
        }
    }

    /// Whether it is among them.
    fn has(&self, folder: &Arc<OwnedFd>) -> bool {
        self.0.iter().any(|known| Arc::ptr_eq(known, folder))
    }

    /// Makes the names in all of them durable.
    fn sync(&self) -> Result<()> {
        self.0.iter().try_for_each(|folder| look::sync_folder(&**folder)).map_err(os)
    }
}

/// Folders in which names were changed, in the order in which they become durable.
#[derive(Default)]
struct Folders {
    /// The trash.
    bins: Once,
    /// Where something has come.
    places: Once,
    /// From where it has gone.
    sources: Once,
    /// Where things wait that nobody sees.
    workshops: Once,
}

impl Folders {
    /// Makes what callers see durable: first the trash, so that what was replaced is there before it is nowhere else;
    /// then where something has come, so that a power cut in between leaves a thing twice rather than not at all.
    fn sync(&mut self) -> Result<()> {
        self.bins.sync()?;
        self.places.sync()?;
        // What got another name in its folder is durable there by now.
        self.sources.0.retain(|folder| !self.places.has(folder));
        self.sources.sync()
    }
}
