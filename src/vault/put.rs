//! How things get their names in the share, what they replace kept, and how all of it is taken back.

use super::group::{Change, Group};
use super::look::{self, FileId, is_folder};
use super::path::VaultPath;
use super::progress::Progress;
use super::rake::Remains;
use super::resolve::Spot;
use super::share::Share;
use super::throw::Ticket;
use super::trash::{Incoming, Reason};
use super::trash_id::TrashId;
use super::{discard, hidden, os, os_new_name, twin};
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

/// Where a thing was before it was moved.
#[derive(Clone)]
pub(super) struct Source {
    /// The folder.
    pub folder: Arc<OwnedFd>,
    /// The name in it.
    pub name: OsString,
    /// Which thing it is.
    pub id: FileId,
}

impl Source {
    /// Gives it another name on its filesystem, if that is another.
    fn rename_to(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: impl AsRef<OsStr>,
    ) -> rustix::io::Result<()> {
        let name = name.as_ref();
        if !Arc::ptr_eq(&self.folder, folder) || self.name != name {
            rustix::fs::renameat(&*self.folder, &self.name, &**folder, name)?;
            self.folder = Arc::clone(folder);
            name.clone_into(&mut self.name);
        }
        Ok(())
    }
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

/// What was done, and how to take it back.
pub(super) enum Step {
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
        /// Whether it is a copy, which is removed when it is taken back.
        is_copy: bool,
    },
    /// A source was taken out of sight after it was copied.
    TakenOut {
        /// Where it was.
        from: (Arc<OwnedFd>, OsString),
        /// Where it is.
        out: Source,
        /// What it was called.
        named: VaultPath,
    },
}

impl Step {
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
    /// The steps.
    pub done: Vec<Step>,
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

    /// Everything is durable where it belongs: from here on a crash leaves it so.
    pub fn settle(&mut self) -> Result<()> {
        let Some(mut group) = self.group.take() else { return Ok(()) };
        group.settle();
        look::sync_folder(&*group.folder).map_err(os)
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

    /// Puts something where something else is; false when that has gone meanwhile. The old thing waits in
    /// the trash, or in the hidden folder where none can be kept.
    pub fn replace(
        &mut self,
        (from, stat): (&Source, &Statx),
        target: &Target,
        (spot, old_id): (&Spot, FileId),
        (aside, is_copy): (&str, bool),
    ) -> std::result::Result<bool, Put> {
        let name = spot.name.as_os_str();
        let workshop = self.share.finder.workshop(&target.real)?;
        let flags = RenameFlags::EXCHANGE;
        // What is moved is no copy that a crash may leave: it is never taken for one.
        let incoming = is_copy.then(|| Incoming::of(&target.folder, stat));
        let mut ticket = self.place_for(spot, incoming)?;
        // A copy goes to the old thing's place in the trash, so that both change places in one step.
        let mut from = from.clone();
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
            Ok(()) if !is_it(&from.folder, &from.name, old_id) => {
                exchange().map_err(os)?;
                from.rename_to(&was.0, &was.1).map_err(os)?;
                return Ok(false);
            }
            Ok(()) if is_copy => {
                Old::Kept(Arc::clone(&from.folder), from.name.clone(), ticket.take())
            }
            Ok(()) => {
                // The old thing is where the source was; from there it goes out of sight.
                let (folder, name) = (from.folder.as_fd(), from.name.as_bytes());
                let (hidden, aside) = out_of_sight(ticket.as_ref(), &workshop, aside);
                match discard::take_out(folder, name, hidden.as_fd(), &aside) {
                    Ok(()) => Old::Kept(hidden, aside, ticket.take()),
                    Err(errno) => {
                        let _as_it_was = exchange();
                        return Err(os(errno).into());
                    }
                }
            }
            Err(errno) => {
                from.rename_to(&was.0, &was.1).map_err(os)?;
                match errno {
                    Errno::NOENT => return Ok(false),
                    Errno::XDEV => return Err(Put::Apart),
                    Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => {}
                    errno => return Err(os_new_name(errno).into()),
                }
                match self.replace_stepwise(&from, target, spot, (&workshop, aside), ticket)? {
                    Old::None => return Ok(false),
                    old => old,
                }
            }
        };
        self.done.push(Step::Put {
            from: from.clone(),
            folder: Arc::clone(&target.folder),
            path: spot.path.clone(),
            name: name.to_owned(),
            old,
            is_copy,
        });
        Ok(true)
    }

    /// The same on a filesystem that cannot exchange two names. A file gets a second name first and is then
    /// replaced in one step; a folder has no second name, so for a moment nothing is there.
    fn replace_stepwise(
        &self,
        from: &Source,
        target: &Target,
        spot: &Spot,
        (workshop, aside): (&Arc<OwnedFd>, &str),
        mut ticket: Option<Ticket>,
    ) -> std::result::Result<Old, Put> {
        let name = spot.name.as_os_str();
        let failed = |errno| Put::from(os_new_name(errno));
        let gone = |errno| if errno == Errno::NOENT { Ok(Old::None) } else { Err(failed(errno)) };
        let (hidden, aside) = out_of_sight(ticket.as_ref(), workshop, aside);
        if is_folder(&target.folder, name).map_err(failed)? {
            let place = target.folder.as_fd();
            if let Err(errno) = discard::take_out(place, name.as_bytes(), hidden.as_fd(), &aside) {
                return gone(errno);
            }
            let put = self.share.rename_noreplace(&from.folder, &from.name, &target.folder, name);
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
            self.share.put_aside(spot, workshop, filled).is_ok()
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
    pub fn has_put(&self, spot: &Spot, old: FileId) -> bool {
        self.done.iter().any(|step| match step {
            Step::Put { from, folder, name, .. } => {
                from.id == old || twin::is_respelled(folder, name, spot)
            }
            Step::TakenOut { .. } => false,
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

    /// Makes every name that was changed durable, each folder once: first those where something has come,
    /// so that a power cut in between leaves a thing twice rather than not at all.
    pub fn sync(&self) -> Result<()> {
        let mut folders: Vec<&Arc<OwnedFd>> = Vec::new();
        let mut add = |folder| {
            if !folders.iter().any(|known| Arc::ptr_eq(known, folder)) {
                folders.push(folder);
            }
        };
        for step in &self.done {
            match step {
                Step::Put { folder, .. } => add(folder),
                Step::TakenOut { out, .. } => add(&out.folder),
            }
        }
        for step in &self.done {
            match step {
                Step::Put { from, old, .. } => {
                    add(&from.folder);
                    if let Old::Kept(folder, ..) = old {
                        add(folder);
                    }
                }
                Step::TakenOut { from, .. } => add(&from.0),
            }
        }
        folders.iter().try_for_each(|folder| look::sync_folder(&***folder)).map_err(os)
    }

    /// Everything is done: what was replaced goes, and the sources of copies. Tells what cannot be removed,
    /// although it had looked as if it could: it is shown again where it was, or beside what has its place.
    pub fn let_go(self, progress: &Progress) -> Result<Remains> {
        let mut remains = Remains::default();
        let mut end = Ok(());
        for step in self.done {
            let removed = match step {
                Step::Put { old: Old::Kept(.., Some(mut ticket)), .. } => {
                    // If not now, the sweep at the next start does it.
                    ticket.is_filled = true;
                    let _as_good = ticket.settle();
                    progress.threw_away(ticket.id.clone());
                    continue;
                }
                Step::Put { old: Old::Kept(hidden, aside, None), folder, name, path, .. } => {
                    self.share.let_go((&hidden, &aside), (&folder, &name), &path)
                }
                Step::Put { .. } => continue,
                Step::TakenOut { from, out, named } => {
                    let hidden = (&*out.folder, out.name.as_os_str());
                    self.share.let_go(hidden, (&from.0, &from.1), &named)
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
        let mut made = Vec::new();
        for step in self.done.iter().rev() {
            let _stays_as_it_is = match step {
                Step::TakenOut { from, out, .. } => {
                    self.share.rename_noreplace(&out.folder, &out.name, &from.0, &from.1)
                }
                Step::Put { from, folder, name, old, is_copy, .. } => {
                    let back = self.put_back(from, folder, name, old);
                    if *is_copy && back.is_ok() {
                        made.push(from.clone());
                    }
                    back
                }
            };
        }
        let _nothing_more_to_be_done = self.sync();
        for copy in made {
            discard::give_up(copy.folder.as_fd(), &copy.name.to_string_lossy());
        }
        for step in &mut self.done {
            let Step::Put { old: Old::Kept(folder, name, Some(ticket)), .. } = step else {
                continue;
            };
            // What could not be put back stays in the trash.
            if look::look(&**folder, name.as_bytes()).is_ok_and(|stat| stat.is_some()) {
                ticket.is_filled = true;
                let _as_good = ticket.settle();
            }
        }
        self.done.clear();
    }

    /// Takes one thing back to where it was.
    fn put_back(
        &self,
        from: &Source,
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        old: &Old,
    ) -> rustix::io::Result<()> {
        if !is_it(folder, name, from.id) {
            return Ok(());
        }
        let (hidden, aside) = match old {
            Old::None => {
                return self.share.rename_noreplace(folder, name, &from.folder, &from.name);
            }
            Old::Kept(hidden, aside, _) => (hidden, aside),
            // Better the new one than none.
            Old::Gone => return Ok(()),
        };
        let flags = RenameFlags::EXCHANGE;
        let exchanged = if self.share.finder.root.quirks.no_exchange {
            Err(Errno::INVAL)
        } else {
            rustix::fs::renameat_with(&**hidden, aside, &**folder, name, flags)
        };
        match exchanged {
            Ok(()) if Arc::ptr_eq(hidden, &from.folder) && *aside == from.name => Ok(()),
            Ok(()) => self.share.rename_noreplace(hidden, aside, &from.folder, &from.name),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                self.share.rename_noreplace(folder, name, &from.folder, &from.name)?;
                self.share.rename_noreplace(hidden, aside, folder, name)
            }
            Err(errno) => Err(errno),
        }
    }
}

/// Whether that thing still has that name.
pub(super) fn is_it(folder: &OwnedFd, name: &OsStr, id: FileId) -> bool {
    let present = look::look(folder, name.as_bytes()).ok().flatten();
    present.is_some_and(|stat| look::id_of(&stat) == id)
}
