//! How things get their names in the share and lose them, and where what they replace is kept. What is done is written
//! into a journal.

use super::hidden;
use super::journal::{Journal, Kept, Old, Step};
use super::look::is_folder;
use super::numbered::numbered;
use super::path::VaultPath;
use super::progress::Progress;
use super::renames::exchange;
use super::resolve::Spot;
use super::thing::{Itself, Judged, Source, Thing};
use super::throw::Ticket;
use super::trash::{Fate, Incoming, Reason};
use super::trash_id::TrashId;
use super::{discard, look, mounted, os, os_new_name, raw_name, twin};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode};
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

/// What is to be replaced, and how.
#[derive(Clone, Copy)]
pub(super) struct Aim<'a> {
    /// The place, with what was seen there.
    pub spot: &'a Spot,
    /// What it is called in the share.
    pub named: &'a VaultPath,
    /// What may be replaced there.
    pub judged: Judged,
    /// As what, out of sight, that waits if the trash does not keep it.
    pub aside: &'a str,
    /// Whether the trash is to keep it. What is gone by wish must have lost nothing.
    pub fate: Fate,
}

/// Where the old thing will be.
enum Refuge {
    /// In the trash.
    Bin(Ticket),
    /// In larder's folder for unfinished things, under this name.
    Workshop(Arc<OwnedFd>, OsString),
}

impl Refuge {
    /// The folder and the name.
    fn place(&self) -> (&OwnedFd, &OsStr) {
        match self {
            Self::Bin(ticket) => (ticket.bin(), ticket.id.as_str().as_ref()),
            Self::Workshop(folder, aside) => (folder, aside),
        }
    }

    /// Takes the old thing there. A locked folder is unlocked for that, and stays so unless it is kept.
    fn take(&self, folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
        let (hidden, aside) = self.place();
        let is_kept = matches!(self, Self::Bin(_));
        discard::moving(folder.as_fd(), name.as_bytes(), is_kept, || {
            rustix::fs::renameat(folder, name, hidden, aside)
        })
    }

    /// The old thing is there.
    fn filled(self) -> Old {
        Old::Kept(match self {
            Self::Bin(ticket) => Kept::Binned(ticket.fill()),
            Self::Workshop(folder, aside) => Kept::Aside(folder, aside),
        })
    }

    /// The same when that changed places with the new one: with what was made it is where that was, which is in the
    /// trash or among the unfinished things.
    fn filled_by(self, from: &Source, is_made: bool) -> Old {
        match self {
            Self::Workshop(..) if is_made => {
                Old::Kept(Kept::Aside(Arc::clone(&from.folder), from.name.clone()))
            }
            refuge => refuge.filled(),
        }
    }
}

impl Journal<'_> {
    /// Makes a folder, durably; false when something has its name by now, which is durable then as well.
    pub fn make(&mut self, spot: &Spot, named: &VaultPath) -> Result<bool> {
        let made = rustix::fs::mkdirat(&*spot.folder, &spot.name, Mode::from(0o777));
        match made {
            Ok(()) => {
                let (folder, name) = (Arc::clone(&spot.folder), spot.name.clone());
                self.done.push(Step::Made(folder, name, named.clone()));
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(os_new_name(errno)),
        }
        look::sync_folder(&*spot.folder).map_err(os)?;
        Ok(made.is_ok())
    }

    /// Gives something a name that nothing has; gives it back when something has it.
    pub fn add<T: Thing>(
        &mut self,
        thing: T,
        (folder, name): (&Arc<OwnedFd>, &OsStr),
        named: &VaultPath,
    ) -> rustix::io::Result<Option<T>> {
        let from = thing.source();
        let added = discard::moving(from.folder.as_fd(), from.name.as_bytes(), true, || {
            self.share.rename_noreplace(&from.folder, &from.name, folder, name)
        });
        match added {
            Ok(()) => {
                self.note(thing, from, (folder, name), named, Old::None);
                Ok(None)
            }
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(Some(thing)),
            Err(errno) => Err(errno),
        }
    }

    /// Has an entry of a drive that ignores case written another way. Where the drive takes both for the same
    /// name, and leaves it as it is or thinks that something is in the way, it goes there by way of a third. Gives it
    /// back when all of these are taken.
    pub fn respell(
        &mut self,
        thing: Itself,
        folder: &Arc<OwnedFd>,
        to: &Spot,
        named: &VaultPath,
    ) -> rustix::io::Result<Option<Itself>> {
        let (from, there) = (thing.source(), (folder, to.name.as_os_str()));
        let _seen_by_its_name =
            rustix::fs::renameat(&*from.folder, &from.name, &*to.folder, &to.name);
        if !twin::lists(&to.folder, to.name.as_bytes()) && !self.go_round(&from, to)? {
            return Ok(Some(thing));
        }
        self.note(thing, from, there, named, Old::None);
        Ok(None)
    }

    /// Gives something its name by way of one that nothing has; false when there is none.
    fn go_round(&self, from: &Source, to: &Spot) -> rustix::io::Result<bool> {
        for number in 1..=limits::RACE_TRIES_MAX {
            let between = raw_name::known(&numbered(to.path.name(), number)).into_owned();
            match self.share.rename_noreplace(&from.folder, &from.name, &to.folder, &between) {
                Err(Errno::EXIST | Errno::NOTEMPTY) => continue,
                moved => moved?,
            }
            let put = self.share.rename_noreplace(&to.folder, &between, &to.folder, &to.name);
            return put.map(|()| true).inspect_err(|_| {
                let _as_it_was =
                    self.share.rename_noreplace(&to.folder, &between, &from.folder, &from.name);
            });
        }
        Ok(false)
    }

    /// Takes something out of its place into the trash, by its ticket, and says as what it is there. `None` when it cannot
    /// be kept, and then nothing was changed.
    ///
    /// Errors: those of `Share::throw_away`.
    pub fn throw_away(
        &mut self,
        spot: &Spot,
        named: &VaultPath,
        ticket: Ticket,
        failed: impl Fn(Errno) -> Error,
    ) -> Result<Option<TrashId>> {
        let Some(binned) = self.share.throw_away(spot, ticket, failed)? else { return Ok(None) };
        let id = binned.id.clone();
        self.note_taken_out(spot, named, Kept::Binned(binned));
        Ok(Some(id))
    }

    /// Takes something out of its place into larder's folder for unfinished things, where it waits under this name.
    pub fn hide(
        &mut self,
        spot: &Spot,
        named: &VaultPath,
        (workshop, aside): (&Arc<OwnedFd>, &str),
    ) -> rustix::io::Result<()> {
        let (folder, name) = (spot.folder.as_fd(), spot.name.as_bytes());
        discard::take_out(folder, name, workshop.as_fd(), aside)?;
        self.note_taken_out(spot, named, Kept::Aside(Arc::clone(workshop), aside.into()));
        Ok(())
    }

    /// Notes that something is not in its place any more.
    fn note_taken_out(&mut self, spot: &Spot, named: &VaultPath, out: Kept) {
        let from = (Arc::clone(&spot.folder), spot.name.clone());
        self.done.push(Step::TakenOut { from, out, named: named.clone() });
    }

    /// Notes that something that was at `from` has its name.
    fn note<T: Thing>(
        &mut self,
        thing: T,
        from: Source,
        (folder, name): (&Arc<OwnedFd>, &OsStr),
        named: &VaultPath,
        old: Old,
    ) {
        let (folder, name, named) = (Arc::clone(folder), name.to_owned(), named.clone());
        self.done.push(Step::Put { from, folder, name, named, old, origin: thing.placed() });
    }

    /// Puts something where something else is; gives it back when that has gone meanwhile, or may not be replaced. The
    /// old thing waits in the trash, or in the hidden folder where none can be kept.
    pub fn replace<T: Thing>(
        &mut self,
        mut thing: T,
        aim: Aim<'_>,
    ) -> std::result::Result<Option<T>, Put> {
        let mut from = thing.source();
        let folder = self.share.finder.shared(Arc::clone(&aim.spot.folder)).map_err(os)?;
        let workshop = if T::IS_MADE {
            Arc::clone(&from.folder)
        } else {
            self.share.finder.workshop(&aim.spot.path.parent().unwrap_or_default())?
        };
        let refuge = self.refuge(&aim, &workshop, T::IS_MADE.then_some(&from))?;
        let changing = self.share.changing(&aim.spot.path);
        self.share.may_change(&aim.spot.path)?;
        let (old, end) = self.swap(&mut from, T::IS_MADE, &aim, (&workshop, refuge));
        drop(changing);
        // Also when that failed.
        thing.sits_at(&from);
        if matches!(old, Old::None) {
            return end.map(|()| Some(thing));
        }
        self.note(thing, from, (&folder, &aim.spot.name), aim.named, old);
        end.map(|()| None)
    }

    /// A place for what is to be replaced: in the trash, or in larder's folder for unfinished things where none can be
    /// kept and it may go for good. What is moved is no copy that a crash may leave: it is never taken for one.
    fn refuge(
        &self,
        aim: &Aim<'_>,
        workshop: &Arc<OwnedFd>,
        made: Option<&Source>,
    ) -> Result<Refuge> {
        if aim.fate == Fate::Trash {
            let (spot, group) = (aim.spot, self.group.as_ref());
            let stat = made.map(Source::look).transpose()?;
            let incoming = stat.map(|stat| Incoming::of(&spot.folder, &stat));
            if let Some(ticket) = self.share.ticket(spot, Reason::Replaced, incoming, group)? {
                return Ok(Refuge::Bin(ticket));
            }
            self.share.ask_to_remove(spot, aim.named, &Progress::default())?;
        }
        Ok(Refuge::Workshop(Arc::clone(workshop), aim.aside.into()))
    }

    /// Makes the new thing and the old one change places. What was made goes to the old thing's place in the trash
    /// first, so that this is one step.
    fn swap(
        &self,
        from: &mut Source,
        is_made: bool,
        aim: &Aim<'_>,
        (workshop, refuge): (&Arc<OwnedFd>, Refuge),
    ) -> Swapped {
        let was = from.clone();
        if let Refuge::Bin(ticket) = &refuge
            && is_made
            && let Err(errno) = from.rename_to(ticket.bin(), ticket.id.as_str())
        {
            return failed(os(errno));
        }
        let quirks = self.share.finder.root.quirks;
        let there = (&*aim.spot.folder, aim.spot.name.as_os_str());
        let exchanged = exchange(quirks, (&from.folder, &from.name), there);
        if exchanged.is_ok() {
            return judge(from, &was, is_made, aim, refuge);
        }
        if let Err(errno) = from.rename_to(&was.folder, &was.name) {
            return failed(os(errno));
        }
        match exchanged {
            Ok(()) | Err(Errno::NOENT) => (Old::None, Ok(())),
            Err(Errno::XDEV) => failed(Put::Apart),
            Err(Errno::BUSY) => failed(mounted()),
            // The filesystem cannot, or one of the two is a locked folder.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::ACCESS) => {
                self.swap_stepwise(from, aim, (workshop, refuge))
            }
            Err(errno) => failed(os_new_name(errno)),
        }
    }

    /// The same on a filesystem that cannot exchange two names. A file gets a second name first and is then
    /// replaced in one step; a folder has no second name, so for a moment nothing is there.
    fn swap_stepwise(
        &self,
        from: &Source,
        aim: &Aim<'_>,
        (workshop, refuge): (&Arc<OwnedFd>, Refuge),
    ) -> Swapped {
        let (folder, name) = (&*aim.spot.folder, aim.spot.name.as_os_str());
        let may_replace = match aim.judged {
            // Some filesystems number the same thing anew with each look.
            Judged::This(_) => Ok(true),
            judged => judged.is_at(folder, name),
        };
        match may_replace {
            Ok(true) => {}
            Ok(false) => return (Old::None, Ok(())),
            Err(errno) => return failed(os(errno)),
        }
        let is_any_folder = is_folder(folder, name)
            .and_then(|is_folder_old| Ok(is_folder_old || is_folder(&from.folder, &from.name)?));
        match is_any_folder {
            Ok(true) => self.swap_folder(from, (folder, name), refuge),
            Ok(false) => self.swap_file(from, aim.spot, (workshop, refuge)),
            Err(errno) => failed(os_new_name(errno)),
        }
    }

    /// The same where one of the two is a folder.
    fn swap_folder(
        &self,
        from: &Source,
        (folder, name): (&OwnedFd, &OsStr),
        refuge: Refuge,
    ) -> Swapped {
        if let Err(errno) = refuge.take(folder, name) {
            return gone(errno);
        }
        let put = discard::moving(from.folder.as_fd(), from.name.as_bytes(), true, || {
            self.share.rename_noreplace(&from.folder, &from.name, folder, name)
        });
        let Err(errno) = put else { return (refuge.filled(), Ok(())) };
        let (hidden, aside) = refuge.place();
        match self.share.rename_noreplace(hidden, aside, folder, name) {
            Ok(()) => failed(os_new_name(errno)),
            // Whoever takes everything back tries it again.
            Err(_) => (refuge.filled(), Err(os_new_name(errno).into())),
        }
    }

    /// The same for two files.
    fn swap_file(
        &self,
        from: &Source,
        spot: &Spot,
        (workshop, refuge): (&Arc<OwnedFd>, Refuge),
    ) -> Swapped {
        let old = match self.keep_aside(spot, workshop, refuge) {
            Ok(old) => old,
            // It went away meanwhile, or is no file any more.
            Err(Error::NotFound(_) | Error::Refused | Error::Invalid(..)) => {
                return (Old::None, Ok(()));
            }
            Err(error) => return failed(error),
        };
        match rustix::fs::renameat(&*from.folder, &from.name, &*spot.folder, &spot.name) {
            Ok(()) => (old, Ok(())),
            Err(errno) => {
                if let Old::Kept(kept) = old {
                    let (hidden, aside) = kept.place();
                    hidden::unlink(hidden.as_fd(), aside);
                    kept.give_up();
                }
                gone(errno)
            }
        }
    }

    /// Keeps a file that is about to be replaced, as far as the filesystem can.
    fn keep_aside(&self, spot: &Spot, workshop: &Arc<OwnedFd>, refuge: Refuge) -> Result<Old> {
        match refuge {
            Refuge::Bin(ticket) => match self.share.put_aside(spot, workshop, ticket) {
                Ok(binned) => Ok(Old::Kept(Kept::Binned(binned))),
                // Then it cannot be kept; what was half copied is gone again.
                Err(Error::DiskFull | Error::DeniedByDrive) => Ok(Old::Gone),
                Err(error) => Err(error),
            },
            Refuge::Workshop(hidden, aside) => {
                let none = AtFlags::empty();
                let is_kept = !self.share.finder.root.quirks.no_links
                    && rustix::fs::linkat(&*spot.folder, &spot.name, &*hidden, &aside, none)
                        .is_ok();
                Ok(if is_kept { Old::Kept(Kept::Aside(hidden, aside)) } else { Old::Gone })
            }
        }
    }
}

/// Where the old thing is after two should have changed places, and whether they have. `Old::None` when all is as it
/// was: without a failure, because what was to be replaced has gone meanwhile, or is something else.
type Swapped = (Old, std::result::Result<(), Put>);

/// All is as it was, because of this.
fn failed(why: impl Into<Put>) -> Swapped {
    (Old::None, Err(why.into()))
}

/// The same; what went away meanwhile is no failure.
fn gone(errno: Errno) -> Swapped {
    if errno == Errno::NOENT { (Old::None, Ok(())) } else { failed(os_new_name(errno)) }
}

/// Two have changed places. Anything does, also what has come there since and was not judged: that goes back.
fn judge(from: &mut Source, was: &Source, is_made: bool, aim: &Aim<'_>, refuge: Refuge) -> Swapped {
    let is_hidden = match aim.judged.is_at(&from.folder, &from.name) {
        // The old thing is where the source was; from there it goes out of sight.
        Ok(true) if !is_made => refuge.take(&from.folder, &from.name).map(|()| true),
        judged => judged,
    };
    if is_hidden == Ok(true) {
        return (refuge.filled_by(from, is_made), Ok(()));
    }
    match from.exchange_back(&aim.spot.folder, &aim.spot.name) {
        Ok(()) if from.is_at(&from.folder, &from.name) => {}
        // What has come out must not go with what was made.
        _ if is_made => return (refuge.filled_by(from, true), Err(os(Errno::AGAIN).into())),
        Ok(()) => return failed(os(Errno::AGAIN)),
        Err(errno) => return failed(os(errno)),
    }
    let end = from.rename_to(&was.folder, &was.name).and(is_hidden).map(drop);
    (Old::None, end.map_err(|errno| os(errno).into()))
}
