//! How things get their names in the share, what they replace kept, and how all of it is taken back.

use super::group::{Change, Group};
use super::look::{self, FileId, is_folder};
use super::made::Note;
use super::path::VaultPath;
use super::progress::Progress;
use super::rake::Remains;
use super::resolve::Spot;
use super::share::Share;
use super::spool::Spool;
use super::thing::{Judged, Source};
use super::throw::Ticket;
use super::trash::{Incoming, Reason};
use super::trash_id::TrashId;
use super::{discard, hidden, mounted, os, os_new_name, twin};
use crate::error::{Error, Result};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, RenameFlags, Statx};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Why something is not in its place.
pub(super) enum Put {
    /// A rename does not get there.
    Apart,
    /// Anything else.
    Failed(Error),
}

impl Put {
    /// What is told of it where there is no other way.
    pub fn told(self) -> Error {
        match self {
            Self::Apart => Error::Io(Errno::XDEV.into()),
            Self::Failed(error) => error,
        }
    }
}

impl From<Error> for Put {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where things go.
pub(super) struct Target {
    /// The folder, open as a place to start from.
    pub folder: Arc<OwnedFd>,
    /// Where it really is.
    pub real: VaultPath,
}

/// Where the old thing waits: its place in the trash, or a name in the workshop.
fn out_of_sight(
    ticket: Option<&Ticket>,
    workshop: &Arc<OwnedFd>,
    aside: &str,
) -> (Arc<OwnedFd>, OsString) {
    match ticket {
        Some(ticket) => (Arc::clone(&ticket.bin), ticket.id.as_str().into()),
        None => (Arc::clone(workshop), aside.into()),
    }
}

/// Takes what is replaced out of sight. A locked folder is unlocked for that, and stays so unless it is kept.
fn take_out(
    (folder, name): (&OwnedFd, &OsStr),
    (hidden, aside): (&OwnedFd, &OsStr),
    is_kept: bool,
) -> rustix::io::Result<()> {
    discard::moving(folder.as_fd(), name.as_bytes(), is_kept, || {
        rustix::fs::renameat(folder, name, hidden, aside)
    })
}

/// What a thing is that gets a name, and so what becomes of it when that is taken back.
pub(super) enum Origin {
    /// It was somewhere else, and goes back.
    Itself,
    /// It is a copy, which is removed.
    Copy,
    /// It is a spool, which goes its own way again.
    Spooled(Box<Spool>),
}

/// What was done, and how to take it back.
pub(super) enum Step {
    /// A folder was made.
    Made(Arc<OwnedFd>, OsString),
    /// Something was given its new name.
    Put {
        /// Where it was.
        from: Source,
        /// Where it is.
        folder: Arc<OwnedFd>,
        /// Its name there.
        name: OsString,
        /// Where that really is.
        path: VaultPath,
        /// What had that name.
        old: Old,
        /// What it is.
        origin: Origin,
    },
    /// Something was taken out of its place: to be deleted, or because it was moved by a copy.
    TakenOut {
        /// Where it was.
        from: (Arc<OwnedFd>, OsString),
        /// Where it is.
        out: (Arc<OwnedFd>, OsString),
        /// What it was called.
        named: VaultPath,
        /// With a ticket it is in the trash; else it waits to be removed.
        ticket: Option<Ticket>,
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

    /// The place in the trash of what was replaced or taken out.
    fn ticket(&mut self) -> Option<&mut Ticket> {
        match self {
            Self::Put { old: Old::Kept(.., ticket), .. } | Self::TakenOut { ticket, .. } => {
                ticket.as_mut()
            }
            Self::Put { .. } | Self::Made(..) => None,
        }
    }

    /// Where in the trash the thing is, or will be, that was replaced.
    pub fn trashed(&self) -> Option<TrashId> {
        match self {
            Self::Put { old: Old::Kept(.., Some(ticket)), .. } => Some(ticket.id.clone()),
            _ => None,
        }
    }
}

/// What became of the thing that was replaced.
pub(super) enum Old {
    /// There was nothing.
    None,
    /// It waits in this hidden folder, under this name; with a ticket that is its place in the trash.
    Kept(Arc<OwnedFd>, OsString, Option<Ticket>),
    /// It is gone for good.
    Gone,
}

/// All that was done, in order.
pub(super) struct Journal<'a> {
    /// Whose work it is.
    pub share: &'a Share,
    /// The record of them all, when several things are on their way.
    pub group: Option<Group>,
    /// Notes of the folders that were made on the way.
    pub notes: Vec<Note>,
    /// The steps.
    pub done: Vec<Step>,
}

impl<'a> Journal<'a> {
    /// One in which nothing is written.
    pub fn new(share: &'a Share) -> Self {
        Self { share, group: None, notes: Vec::new(), done: Vec::new() }
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

    /// Sees to it that everything that was done is durable where it belongs, and that a crash leaves it so
    /// from here on. What was replaced or taken out is told by its record to be in the trash.
    pub fn settle(&mut self) -> Result<()> {
        for ticket in self.done.iter_mut().filter_map(Step::ticket) {
            ticket.settle().map_err(os)?;
        }
        self.sync_all(true)
    }

    /// Gives something a name that nothing has.
    ///
    /// Errors: `EEXIST`, `ENOTEMPTY`.
    pub fn add(
        &mut self,
        from: &Source,
        (folder, name): (&Arc<OwnedFd>, &OsStr),
        path: VaultPath,
        is_copy: bool,
    ) -> rustix::io::Result<()> {
        discard::moving(from.folder.as_fd(), from.name.as_bytes(), true, || {
            self.share.rename_noreplace(&from.folder, &from.name, folder, name)
        })?;
        self.put(from, (folder, name), path, (Old::None, is_copy));
        Ok(())
    }

    /// Notes that something has its name.
    pub fn put(
        &mut self,
        from: &Source,
        (folder, name): (&Arc<OwnedFd>, &OsStr),
        path: VaultPath,
        (old, is_copy): (Old, bool),
    ) {
        let origin = if is_copy { Origin::Copy } else { Origin::Itself };
        let (from, folder, name) = (from.clone(), Arc::clone(folder), name.to_owned());
        self.done.push(Step::Put { from, folder, name, path, old, origin });
    }

    /// What was put last is this spool.
    pub fn own(&mut self, mut spool: Spool) {
        if let Some(Step::Put { origin, .. }) = self.done.last_mut() {
            spool.is_pending = false;
            *origin = Origin::Spooled(Box::new(spool));
        }
    }

    /// A place in the trash for what is to be replaced; `None` where none can be kept and it may go for good.
    fn place_for(&self, spot: &Spot, incoming: Option<Incoming>) -> Result<Option<Ticket>> {
        let group = self.group.as_ref();
        let ticket = self.share.ticket(spot, Reason::Replaced, incoming, group)?;
        if ticket.is_none() {
            self.share.ask_to_remove(spot, &spot.path, &Progress::default())?;
        }
        Ok(ticket)
    }

    /// Larder's folder for unfinished things beside a target; a copy is in it already.
    fn workshop(&self, from: &Source, target: &Target, is_copy: bool) -> Result<Arc<OwnedFd>> {
        if is_copy {
            return Ok(Arc::clone(&from.folder));
        }
        self.share.finder.workshop(&target.real)
    }

    /// Puts something where something else is; false when that has gone meanwhile. The old thing waits in
    /// the trash, or in the hidden folder where none can be kept.
    pub fn replace(
        &mut self,
        (from, stat): (&mut Source, &Statx),
        target: &Target,
        (spot, judged): (&Spot, Judged),
        (aside, is_copy): (&str, bool),
    ) -> std::result::Result<bool, Put> {
        let name = spot.name.as_os_str();
        let workshop = self.workshop(from, target, is_copy)?;
        let flags = RenameFlags::EXCHANGE;
        // What is moved is no copy that a crash may leave: it is never taken for one.
        let incoming = is_copy.then(|| Incoming::of(&target.folder, stat));
        let mut ticket = self.place_for(spot, incoming)?;
        // A copy goes to the old thing's place in the trash, so that both change places in one step.
        let was = (Arc::clone(&from.folder), from.name.clone());
        if let Some(ticket) = ticket.as_ref().filter(|_| is_copy) {
            from.rename_to(&ticket.bin, ticket.id.as_str()).map_err(os)?;
        }
        let exchange =
            || rustix::fs::renameat_with(&*from.folder, &from.name, &*target.folder, name, flags);
        let exchanged =
            if self.share.finder.root.quirks.no_exchange { Err(Errno::INVAL) } else { exchange() };
        let old = match exchanged {
            // Anything changes places, also what has come there since and was not judged.
            Ok(()) if !judged.is_at(&from.folder, &from.name).map_err(os)? => {
                from.exchange_back(&target.folder, name).map_err(os)?;
                from.rename_to(&was.0, &was.1).map_err(os)?;
                return Ok(false);
            }
            Ok(()) if is_copy => {
                Old::Kept(Arc::clone(&from.folder), from.name.clone(), ticket.take())
            }
            Ok(()) => {
                // The old thing is where the source was; from there it goes out of sight.
                let (hidden, aside) = out_of_sight(ticket.as_ref(), &workshop, aside);
                let waits = (&*hidden, &*aside);
                let is_kept = ticket.is_some();
                if let Err(errno) = take_out((&from.folder, &from.name), waits, is_kept) {
                    let _as_it_was = exchange();
                    return Err(os(errno).into());
                }
                Old::Kept(hidden, aside, ticket.take())
            }
            Err(errno) => {
                from.rename_to(&was.0, &was.1).map_err(os)?;
                match errno {
                    Errno::NOENT => return Ok(false),
                    Errno::XDEV => return Err(Put::Apart),
                    Errno::BUSY => return Err(mounted().into()),
                    // The filesystem cannot, or one of the two is a locked folder.
                    Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::ACCESS => {}
                    errno => return Err(os_new_name(errno).into()),
                }
                match self.replace_stepwise(
                    from,
                    target,
                    (spot, judged),
                    (&workshop, aside),
                    ticket,
                )? {
                    Old::None => return Ok(false),
                    old => old,
                }
            }
        };
        self.put(from, (&target.folder, name), spot.path.clone(), (old, is_copy));
        Ok(true)
    }

    /// The same on a filesystem that cannot exchange two names. A file gets a second name first and is then
    /// replaced in one step; a folder has no second name, so for a moment nothing is there.
    fn replace_stepwise(
        &self,
        from: &Source,
        target: &Target,
        (spot, judged): (&Spot, Judged),
        (workshop, aside): (&Arc<OwnedFd>, &str),
        mut ticket: Option<Ticket>,
    ) -> std::result::Result<Old, Put> {
        let name = spot.name.as_os_str();
        let failed = |errno| Put::from(os_new_name(errno));
        let gone = |errno| if errno == Errno::NOENT { Ok(Old::None) } else { Err(failed(errno)) };
        let (hidden, aside) = out_of_sight(ticket.as_ref(), workshop, aside);
        let is_any_folder = is_folder(&target.folder, name).map_err(failed)?
            || is_folder(&from.folder, &from.name).map_err(failed)?;
        if is_any_folder {
            if judged == Judged::AnyFile {
                return Ok(Old::None);
            }
            let (waits, is_kept) = ((&*hidden, &*aside), ticket.is_some());
            if let Err(errno) = take_out((&target.folder, name), waits, is_kept) {
                return gone(errno);
            }
            let put = discard::moving(from.folder.as_fd(), from.name.as_bytes(), true, || {
                self.share.rename_noreplace(&from.folder, &from.name, &target.folder, name)
            });
            return match put {
                Ok(()) => Ok(Old::Kept(hidden, aside, ticket)),
                Err(errno) => {
                    let _as_it_was =
                        self.share.rename_noreplace(&hidden, &aside, &target.folder, name);
                    Err(failed(errno))
                }
            };
        }
        let is_kept = if let Some(filled) = &ticket {
            match self.share.put_aside(spot, workshop, filled) {
                Ok(()) => true,
                // Then it cannot be kept; what was half copied is gone again.
                Err(Error::DiskFull | Error::DeniedByDrive) => false,
                // It went away meanwhile, or is no file any more.
                Err(Error::NotFound(_) | Error::Refused | Error::Invalid(..)) => {
                    return Ok(Old::None);
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            let none = AtFlags::empty();
            !self.share.finder.root.quirks.no_links
                && rustix::fs::linkat(&*target.folder, name, &*hidden, &*aside, none).is_ok()
        };
        match rustix::fs::renameat(&*from.folder, &from.name, &*target.folder, name) {
            Ok(()) if is_kept => Ok(Old::Kept(hidden, aside, ticket.take())),
            Ok(()) => Ok(Old::Gone),
            Err(errno) => {
                if is_kept {
                    hidden::unlink(hidden.as_fd(), &aside);
                }
                gone(errno)
            }
        }
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

    /// Makes every name that was changed durable, each folder once: first the trash, so that what was replaced
    /// is there before it is nowhere else; then where something has come, so that a power cut in between leaves
    /// a thing twice rather than not at all.
    pub fn sync(&mut self) -> Result<()> {
        self.sync_all(false)
    }

    /// The same; when it `is_settled`, the records of what was being done go as soon as it is durable. Larder's
    /// folders for unfinished things follow: a drive without a journal could else keep a file's old name
    /// there, and the sweep at the next start would remove the file by it.
    fn sync_all(&mut self, is_settled: bool) -> Result<()> {
        let mut folders = Folders::default();
        for step in &self.done {
            match step {
                Step::Made(folder, _) if !is_settled => folders.places.add(folder),
                // It is durable since it was made.
                Step::Made(..) => {}
                Step::TakenOut { from, out, ticket, .. } => {
                    let hidden = match ticket {
                        Some(_) => &mut folders.bins,
                        None => &mut folders.places,
                    };
                    hidden.add(&out.0);
                    folders.sources.add(&from.0);
                }
                Step::Put { from, folder, old, origin, .. } => {
                    folders.places.add(folder);
                    match origin {
                        Origin::Itself => folders.sources.add(&from.folder),
                        Origin::Copy | Origin::Spooled(_) => folders.workshops.add(&from.folder),
                    }
                    match old {
                        Old::Kept(bin, _, Some(_)) => folders.bins.add(bin),
                        Old::Kept(workshop, _, None) => folders.workshops.add(workshop),
                        Old::None | Old::Gone => {}
                    }
                }
            }
        }
        folders.bins.sync()?;
        folders.places.sync()?;
        // What got another name in its folder is durable there by now.
        folders.sources.0.retain(|folder| !folders.places.has(folder));
        folders.sources.sync()?;
        if is_settled {
            // First: what is in new folders must not be taken back without them.
            if let Some(group) = &mut self.group {
                group.settle().map_err(os)?;
                folders.workshops.add(&group.folder);
            }
            self.group = None;
            for mut note in self.notes.drain(..) {
                note.settle();
                folders.workshops.add(&note.folder);
            }
        }
        folders.workshops.sync()
    }

    /// Everything is done: what was replaced goes, and the sources of copies. Tells what cannot be removed,
    /// although it had looked as if it could: it is shown again where it was, or beside what has its place.
    pub fn let_go(self, progress: &Progress) -> Result<Remains> {
        let mut remains = Remains::default();
        let mut end = Ok(());
        for step in self.done {
            let removed = match step {
                Step::Put { old: Old::Kept(.., Some(ticket)), .. }
                | Step::TakenOut { ticket: Some(ticket), .. } => {
                    progress.threw_away(ticket.id.clone());
                    continue;
                }
                Step::Put { old: Old::Kept(hidden, aside, None), folder, name, path, .. } => {
                    self.share.let_go((&hidden, &aside), (&folder, &name), &path)
                }
                Step::Made(..) | Step::Put { .. } => continue,
                Step::TakenOut { from, out, named, ticket: None } => {
                    self.share.let_go((&out.0, &out.1), (&from.0, &from.1), &named)
                }
            };
            match removed {
                Ok(of_this) => remains.append(of_this),
                Err(error) => end = end.and(Err(error)),
            }
        }
        end.map(|()| remains)
    }

    /// Takes back what was done, the last step first, durably. What somebody else has put there since is
    /// theirs and stays.
    pub fn undo(mut self) {
        let (mut copies, mut spools) = (Vec::new(), Vec::new());
        let mut done = std::mem::take(&mut self.done);
        for step in done.iter_mut().rev() {
            let _stays_as_it_is = match step {
                Step::Made(folder, name) => {
                    rustix::fs::unlinkat(&**folder, &*name, AtFlags::REMOVEDIR)
                }
                Step::TakenOut { from, out, ticket, .. } => {
                    self.bring_back(from, out, ticket.as_mut());
                    Ok(())
                }
                Step::Put { from, folder, name, old, origin, .. } => {
                    let back = self.put_back(from, folder, name, old);
                    match std::mem::replace(origin, Origin::Itself) {
                        Origin::Spooled(mut spool) if back == Ok(true) => {
                            spool.is_pending = true;
                            spool.sits_at(from);
                            spools.push(spool);
                        }
                        Origin::Copy if back == Ok(true) => copies.push(from.clone()),
                        _ => {}
                    }
                    back.map(drop)
                }
            };
        }
        self.done = done;
        let _nothing_more_to_be_done = self.sync_all(true);
        for copy in copies {
            discard::give_up(copy.folder.as_fd(), &copy.name.to_string_lossy());
        }
        drop(spools);
        for step in &mut self.done {
            let Step::Put { old: Old::Kept(folder, name, Some(ticket)), .. } = step else {
                continue;
            };
            // What could not be put back stays in the trash.
            ticket.is_filled =
                look::look(&**folder, name.as_bytes()).is_ok_and(|stat| stat.is_some());
            if ticket.is_filled {
                let _as_good = ticket.settle();
            }
        }
        self.done.clear();
    }

    /// Brings back what was taken out. What finds something else in its place stays in the trash; what only
    /// waited is shown beside it, because the sweep removes whatever stays hidden.
    fn bring_back(
        &self,
        from: &(Arc<OwnedFd>, OsString),
        out: &(Arc<OwnedFd>, OsString),
        ticket: Option<&mut Ticket>,
    ) {
        let back = discard::moving(out.0.as_fd(), out.1.as_bytes(), true, || {
            self.share.rename_noreplace(&out.0, &out.1, &from.0, &from.1)
        });
        match ticket {
            Some(ticket) => {
                ticket.is_filled = back.is_err();
                if ticket.is_filled {
                    let _finished_by_the_sweep = ticket.settle();
                }
            }
            None if back.is_err() => {
                let _as_well_as_we_can =
                    self.share.show_again((&out.0, &out.1), (&from.0, &from.1));
            }
            None => {}
        }
    }

    /// Takes one thing back to where it was; false when something else is in its place by now.
    fn put_back(
        &self,
        from: &Source,
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        old: &Old,
    ) -> rustix::io::Result<bool> {
        if !from.is_at(folder, name) {
            return Ok(false);
        }
        let (hidden, aside) = match old {
            Old::None => return self.take_back(from, folder, name),
            Old::Kept(hidden, aside, _) => (hidden, aside),
            // Better the new one than none.
            Old::Gone => return Ok(false),
        };
        let waits = Source { folder: Arc::clone(hidden), name: aside.clone(), ..from.clone() };
        let exchanged = if self.share.finder.root.quirks.no_exchange {
            Err(Errno::INVAL)
        } else {
            waits.exchange_back(folder, name)
        };
        match exchanged {
            Ok(()) if !from.is_at(hidden, aside) => Ok(false),
            Ok(()) if Arc::ptr_eq(hidden, &from.folder) && *aside == from.name => Ok(true),
            Ok(()) => {
                self.share.rename_noreplace(hidden, aside, &from.folder, &from.name).map(|()| true)
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let is_back = self.take_back(from, folder, name)?;
                if is_back {
                    self.share.rename_noreplace(hidden, aside, folder, name)?;
                }
                Ok(is_back)
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
