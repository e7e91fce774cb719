//! Putting finished files into the share: all of a group or none, durable before it is said, each
//! name old or new at every instant.

use super::group::{Change, Group};
use super::hidden;
use super::look::{self, is_folder};
use super::made::Note;
use super::numbered::numbered;
use super::path::VaultPath;
use super::resolve::{Follow, Lost, Spot, is_taken, refuse_new};
use super::share::{Need, Share};
use super::spool::{Spool, is_replaceable};
use super::throw::Ticket;
use super::trash::Reason;
use super::trash_id::TrashId;
use super::{os, os_new_name, raw_name, room_for, twin};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, RenameFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// What to do about a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// Replace it.
    Overwrite,
    /// Take the next free name, `name (1).ext`.
    Rename,
    /// Refuse, with this sentence.
    Error(&'static str),
}

/// How a group of files is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// See `IfExists`.
    pub if_exists: IfExists,
    /// Whether missing folders are made.
    pub make_parents: bool,
    /// Whether a folder in the way is a mistake in the question (`Path is not a file`) rather than a
    /// collision.
    pub files_only: bool,
}

/// One file in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it is, by the name that was used.
    pub path: VaultPath,
    /// Bytes.
    pub size: u64,
    /// Whether there was none before.
    pub is_new: bool,
    /// Where in the trash the file is that it replaced; `None` when nothing went there.
    pub trash: Option<TrashId>,
}

/// What was changed so far and how to undo it, in order.
pub(super) enum Step {
    /// Several things are about to be done, of which this tells.
    Grouped(Group),
    /// Folders are about to be made, which this tells of.
    Noted(Note),
    /// A folder was made.
    Made(Arc<OwnedFd>, OsString),
    /// The spool was put where nothing was.
    Added(Arc<OwnedFd>, OsString, Spool),
    /// The spool changed places with the file that it replaces, which waits under the spool's name; with a
    /// ticket that is its place in the trash.
    Exchanged(Arc<OwnedFd>, OsString, Spool, Option<Ticket>),
    /// The spool replaced a file. With a ticket that lies in the trash, else nothing can be undone.
    Replaced(Arc<OwnedFd>, OsString, Spool, Option<Ticket>),
}

impl Step {
    /// Whether it put a file in its place.
    fn is_placed(&self) -> bool {
        !matches!(self, Self::Grouped(_) | Self::Noted(_) | Self::Made(..))
    }

    /// Where in the trash the file is that was replaced.
    fn trashed(&self) -> Option<TrashId> {
        match self {
            Self::Exchanged(.., Some(ticket)) | Self::Replaced(.., Some(ticket)) => {
                Some(ticket.id.clone())
            }
            _ => None,
        }
    }

    /// The old file stays where it waits.
    fn settle(&mut self) -> rustix::io::Result<()> {
        match self {
            Self::Exchanged(.., spool, Some(ticket)) => {
                // What has the spool's name now is the old file.
                spool.is_pending = false;
                ticket.settle()
            }
            Self::Replaced(.., Some(ticket)) => ticket.settle(),
            _ => Ok(()),
        }
    }
}

/// The group that some steps belong to.
pub(super) fn group_of(steps: &[Step]) -> Option<&Group> {
    match steps.first() {
        Some(Step::Grouped(group)) => Some(group),
        _ => None,
    }
}

/// What a group is told that holds two files for one place.
const TWICE: Error = Error::Conflict("Two files have the same name");

/// Whether the file at a place was put there by these very steps: by another name that leads there, or one
/// that the drive takes for the same.
fn has_put(steps: &[Step], spot: &Spot) -> bool {
    steps.iter().any(|step| match step {
        Step::Added(folder, name, spool)
        | Step::Exchanged(folder, name, spool, _)
        | Step::Replaced(folder, name, spool, _) => {
            spot.stat.as_ref().is_some_and(|stat| spool.is(stat))
                || twin::is_respelled(folder, name, spot)
        }
        Step::Grouped(_) | Step::Noted(_) | Step::Made(..) => false,
    })
}

/// How a file was replaced.
enum Replaced {
    /// The old one waits under the spool's name.
    Exchanged(Option<Ticket>),
    /// It lies in the trash if there is a ticket, else it is gone.
    Over(Option<Ticket>),
}

impl Share {
    /// Puts every spool in its place, or none.
    ///
    /// A file that replaces another gets its mode; the other goes into the trash. Through a link that stays
    /// inside the share the file behind it is replaced. Where nothing can be kept and the filesystem cannot
    /// exchange two names, a failure after the first replacement of several cannot be undone; each file is
    /// whole all the same.
    ///
    /// Errors: `Refused`, `NotFound` (the folder), `Collision`, `Invalid`, `DiskFull`, `StorageAbsent`.
    pub fn place(&self, items: Vec<(Spool, VaultPath)>, options: &Place) -> Result<Vec<Placed>> {
        for (_, path) in &items {
            self.ask(path, Need::Write)?;
            if path.is_root() {
                return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
            }
            if path.is_reserved() {
                return Err(Error::invalid_as(Why::Name, "Invalid name"));
            }
        }
        let mut paths = HashSet::with_capacity(items.len());
        if options.if_exists != IfExists::Rename
            && !items.iter().all(|(_, path)| paths.insert(path))
        {
            return Err(TWICE);
        }
        self.checked(|| {
            let mut steps = Vec::new();
            let done = self.place_all(items, options, &mut steps);
            match &done {
                Ok(placed) => {
                    for placed in placed {
                        self.forget_parts(&placed.path);
                        self.finder.root.news.came(&placed.path);
                    }
                }
                Err(_) => self.undo(steps),
            }
            done
        })
    }

    /// The work of `place`; what was changed is told in `steps`, also on failure.
    fn place_all(
        &self,
        mut items: Vec<(Spool, VaultPath)>,
        options: &Place,
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Placed>> {
        let is_group = items.len() > 1;
        items.iter_mut().try_for_each(|(spool, _)| spool.finish())?;
        if is_group {
            steps.push(Step::Grouped(self.begin_group(self.plan(&items, options)?)?));
        }
        let mut placed = Vec::with_capacity(items.len());
        for (spool, path) in items {
            if options.make_parents {
                self.refuse_new_folders(&path)?;
                self.make_missing(&path, steps)?;
            }
            let size = spool.len();
            let path = match options.if_exists {
                IfExists::Overwrite => self.overwrite(spool, path, options, is_group, steps)?,
                IfExists::Rename => self.take_free_name(spool, &path, steps)?,
                IfExists::Error(sentence) => {
                    let (spool, spot) = self.bring_near(spool, &path)?;
                    if self.add(spool, &spot, steps)?.is_some() {
                        let is_twice = has_put(steps, &self.finder.locate(&path, Follow::NotLast)?);
                        return Err(if is_twice { TWICE } else { Error::Collision(sentence) });
                    }
                    path
                }
            };
            placed.push(Placed { path, size, is_new: false, trash: None });
        }
        steps.iter_mut().try_for_each(Step::settle).map_err(os)?;
        // Folders that were made are durable since.
        sync(steps, |step| !matches!(step, Step::Made(..))).map_err(os)?;
        // Each file is in its place by one step.
        for (placed, step) in placed.iter_mut().zip(steps.iter().filter(|step| step.is_placed())) {
            placed.is_new = matches!(step, Step::Added(..));
            placed.trash = step.trashed();
        }
        Ok(placed)
    }

    /// What a group of files is about to change, as far as that can be known.
    fn plan(&self, items: &[(Spool, VaultPath)], options: &Place) -> Result<Vec<Change>> {
        let follow = match options.if_exists {
            IfExists::Overwrite => Follow::Last,
            IfExists::Rename | IfExists::Error(_) => Follow::NotLast,
        };
        let mut changes: Vec<Change> = Vec::with_capacity(items.len());
        let mut taken = HashSet::with_capacity(items.len());
        for (spool, path) in items {
            let mut place = self.finder.destination(path, follow)?;
            if options.if_exists == IfExists::Rename {
                place = self.finder.next_free(&place, |place| taken.contains(place))?;
            }
            taken.insert(place.clone());
            changes.push(spool.coming_to(place)?);
        }
        Ok(changes)
    }

    /// Whether a folder above `path` would have to be made whose name is no text.
    fn refuse_new_folders(&self, path: &VaultPath) -> Result<()> {
        let mut above = path.parent();
        while let Some(folder) = above.filter(VaultPath::has_raw_names) {
            match self.finder.locate(&folder, Follow::Last) {
                Ok(spot) => refuse_new(&spot)?,
                Err(Lost::Missing) => raw_name::must_be_text(&folder.name_on_disk())?,
                Err(lost) => return Err(lost.into()),
            }
            above = folder.parent();
        }
        Ok(())
    }

    /// Makes the folders above `path` where they are missing, each durable. Whoever may write `path` may
    /// have the way there made, as long as it really leads to what may be written.
    pub(super) fn make_missing(&self, path: &VaultPath, steps: &mut Vec<Step>) -> Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        // Most often it is there.
        if self.finder.locate(&parent, Follow::Last).is_ok_and(|spot| spot.is_folder()) {
            return Ok(());
        }
        let mut is_noted = false;
        let mut ahead = path.components();
        let mut place = VaultPath::root();
        for part in parent.components() {
            place = place.join(part);
            ahead.next();
            let mut spot = self.finder.locate(&place, Follow::Last)?;
            if spot.is_folder() {
                continue;
            }
            // Behind what is missing there are no links: the rest is where its name says.
            let end = ahead.clone().fold(spot.path.clone(), |end, part| end.join(part));
            self.ask(&end, Need::Write)?;
            if spot.stat.is_some() {
                return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder"));
            }
            spot.folder = self.finder.shared(spot.folder).map_err(os)?;
            if !is_noted {
                let innermost = end.parent().unwrap_or_default();
                steps.push(Step::Noted(self.note_making(&innermost, ahead.clone().count())?));
                is_noted = true;
            }
            match rustix::fs::mkdirat(&*spot.folder, &spot.name, Mode::from(0o777)) {
                Ok(()) => {
                    self.finder.root.news.came(&place);
                    steps.push(Step::Made(Arc::clone(&spot.folder), spot.name.clone()));
                }
                // Somebody else was faster; that is as good, once it is durable.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(os_new_name(errno)),
            }
            look::sync_folder(&*spot.folder).map_err(os)?;
        }
        Ok(())
    }

    /// Finds where a new name will be, and sees to it that the spool is on that filesystem.
    fn bring_near(&self, spool: Spool, path: &VaultPath) -> Result<(Spool, Spot)> {
        let mut spot = self.locate(path, Need::Write, Follow::NotLast)?;
        refuse_new(&spot)?;
        let spool = self.on_filesystem_of(spool, &mut spot)?;
        Ok((spool, spot))
    }

    /// The spool, or a copy of it on the filesystem of a place.
    pub(super) fn on_filesystem_of(&self, mut spool: Spool, spot: &mut Spot) -> Result<Spool> {
        spot.folder = self.finder.shared(Arc::clone(&spot.folder)).map_err(os)?;
        let folder = look::look_at(&*spot.folder).map_err(os)?;
        if look::filesystem_of(&folder) != spool.filesystem {
            let parent = spot.path.parent().unwrap_or_default();
            let workshop = self.finder.workshop(&parent)?;
            room_for::make_room_for(&workshop, spool.len())?;
            spool = spool.moved_to(workshop)?;
        }
        if spot.stat.is_none() {
            spool.belong_to(&folder)?;
        }
        Ok(spool)
    }

    /// Gives a spool a name that nothing has; gives the spool back when something has it.
    fn add(&self, mut spool: Spool, spot: &Spot, steps: &mut Vec<Step>) -> Result<Option<Spool>> {
        self.expect_in_group(&spool, spot, steps)?;
        let (folder, name) = (&spot.folder, &spot.name);
        match self.rename_noreplace(&spool.folder, &spool.name, folder, name) {
            Ok(()) => {
                spool.is_pending = false;
                steps.push(Step::Added(Arc::clone(folder), name.to_owned(), spool));
                Ok(None)
            }
            Err(Errno::EXIST) => Ok(Some(spool)),
            Err(errno) => Err(os_new_name(errno)),
        }
    }

    /// Sees to it that the record of the group, if there is one, tells of a spool that goes to a place.
    fn expect_in_group(&self, spool: &Spool, spot: &Spot, steps: &mut [Step]) -> Result<()> {
        let number = steps.iter().filter(|step| step.is_placed()).count();
        match steps.first_mut() {
            Some(Step::Grouped(group)) => {
                group.expect(self, number, spool.coming_to(spot.path.clone())?)
            }
            _ => Ok(()),
        }
    }

    /// Puts a spool at `path`, whatever file is there.
    fn overwrite(
        &self,
        spool: Spool,
        path: VaultPath,
        options: &Place,
        is_group: bool,
        steps: &mut Vec<Step>,
    ) -> Result<VaultPath> {
        let mut spool = Some(spool);
        for _ in 0..limits::RACE_TRIES_MAX {
            let mut spot = self.locate(&path, Need::Write, Follow::Last)?;
            let near = spool.take().ok_or(Error::Bug("a spool was lost".into()))?;
            let mut near = self.on_filesystem_of(near, &mut spot)?;
            let Some(old) = &spot.stat else {
                refuse_new(&spot)?;
                spool = self.add(near, &spot, steps)?;
                if spool.is_none() {
                    return Ok(path);
                }
                continue;
            };
            if has_put(steps, &spot) {
                return Err(TWICE);
            }
            match look::type_of(old) {
                file_type if is_replaceable(file_type) => {}
                FileType::Directory if !options.files_only => {
                    return Err(Error::Collision("Target already exists"));
                }
                _ => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
            }
            near.take_after(&spot)?;
            self.expect_in_group(&near, &spot, steps)?;
            let incoming = Some(near.identity()?);
            let ticket = self.ticket(&spot, Reason::Replaced, incoming, group_of(steps))?;
            match self.replace(&mut near, &spot, is_group, ticket) {
                Ok(Replaced::Exchanged(ticket)) => {
                    steps.push(Step::Exchanged(spot.folder, spot.name, near, ticket));
                }
                Ok(Replaced::Over(ticket)) => {
                    steps.push(Step::Replaced(spot.folder, spot.name, near, ticket));
                }
                // It went away meanwhile.
                Err(Errno::NOENT) => {
                    spool = Some(near);
                    continue;
                }
                Err(Errno::ISDIR) => return Err(Error::Collision("Target already exists")),
                Err(errno) => return Err(os(errno)),
            }
            return Ok(path);
        }
        Err(Error::Io(Errno::AGAIN.into()))
    }

    /// Replaces what is at a place. With a ticket the old file goes into the trash; with `keep_old` it can be
    /// put back.
    ///
    /// Errors: `EISDIR` when a folder has come there, `ENOENT` when the file went.
    fn replace(
        &self,
        spool: &mut Spool,
        spot: &Spot,
        keep_old: bool,
        ticket: Option<Ticket>,
    ) -> rustix::io::Result<Replaced> {
        let quirks = self.finder.root.quirks;
        if (keep_old || ticket.is_some()) && !quirks.no_exchange {
            let workshop = (Arc::clone(&spool.folder), spool.name.clone());
            if let Some(ticket) = &ticket {
                spool.rename_to(&ticket.bin, ticket.id.as_str())?;
            }
            let exchanged = rustix::fs::renameat_with(
                &*spool.folder,
                &spool.name,
                &*spot.folder,
                &spot.name,
                RenameFlags::EXCHANGE,
            );
            match exchanged {
                // Anything changes places, a folder with all that is in it as well.
                Ok(()) if is_folder(&spool.folder, spool.name.as_ref())? => {
                    exchange_back(spool, &spot.folder, &spot.name)?;
                    spool.rename_to(&workshop.0, &workshop.1)?;
                    return Err(Errno::ISDIR);
                }
                Ok(()) => return Ok(Replaced::Exchanged(ticket)),
                Err(errno) => {
                    spool.rename_to(&workshop.0, &workshop.1)?;
                    if !matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) {
                        return Err(errno);
                    }
                }
            }
        }
        // Where names cannot be exchanged, the old file is in both places for a moment.
        let mut ticket = ticket;
        if let Some(filled) = &mut ticket {
            match self.put_aside(spot, &spool.folder, filled) {
                Ok(()) => filled.is_filled = true,
                // Then it cannot be kept; what was half copied is gone again.
                Err(Error::DiskFull | Error::DeniedByDrive) => ticket = None,
                Err(Error::Io(cause)) => {
                    return Err(Errno::from_io_error(&cause).unwrap_or(Errno::IO));
                }
                Err(_) => return Err(Errno::NOENT),
            }
        }
        let over = rustix::fs::renameat(&*spool.folder, &spool.name, &*spot.folder, &spot.name);
        if let Err(errno) = over {
            if let Some(filled) = &mut ticket {
                hidden::unlink(filled.bin.as_fd(), filled.id.as_str());
                filled.is_filled = false;
            }
            return Err(errno);
        }
        spool.is_pending = false;
        Ok(Replaced::Over(ticket))
    }

    /// Puts the file at a place into the trash while it stays where it is: by a second name, or as a copy
    /// where the filesystem has no second names.
    pub(super) fn put_aside(
        &self,
        spot: &Spot,
        workshop: &Arc<OwnedFd>,
        ticket: &Ticket,
    ) -> Result<()> {
        let id = ticket.id.as_str();
        if !self.finder.root.quirks.no_links {
            let none = AtFlags::empty();
            match rustix::fs::linkat(&*spot.folder, &spot.name, &*ticket.bin, id, none) {
                Ok(()) => return Ok(()),
                Err(
                    Errno::PERM
                    | Errno::OPNOTSUPP
                    | Errno::NOSYS
                    | Errno::INVAL
                    | Errno::MLINK
                    | Errno::XDEV,
                ) => {}
                Err(errno) => return Err(os(errno)),
            }
        }
        let mut copy = Spool::copy_of(&spot.folder, &spot.name, Arc::clone(workshop))?;
        copy.take_after(spot)?;
        copy.rename_to(&ticket.bin, id).map_err(os)?;
        copy.is_pending = false;
        Ok(())
    }

    /// Puts a spool at the first free one of `name.ext`, `name (1).ext`, `name (2).ext` ...
    fn take_free_name(
        &self,
        spool: Spool,
        path: &VaultPath,
        steps: &mut Vec<Step>,
    ) -> Result<VaultPath> {
        let (mut spool, mut spot) = self.bring_near(spool, path)?;
        let parent = path.parent().unwrap_or_default();
        let real_parent = spot.path.parent().unwrap_or_default();
        for number in 0..=limits::NUMBERED_NAMES_MAX {
            let name = numbered(path.name(), number);
            let place = parent.child(&name)?;
            self.ask(&place, Need::Write)?;
            spot.path = real_parent.join(&name);
            self.ask(&spot.path, Need::Write)?;
            spot.name = place.name_on_disk();
            // A name that is taken is not worth telling in the record of a group.
            if (number > 0 || group_of(steps).is_some()) && is_taken(&spot)? {
                continue;
            }
            spool = match self.add(spool, &spot, steps)? {
                Some(spool) => spool,
                None => return Ok(place),
            };
        }
        Err(Error::Collision("Target already exists"))
    }
}

impl Share {
    /// Takes back what was done, the last step first, durably. What cannot be taken back stays; each
    /// file is whole. What somebody else has put there since is theirs and stays as well.
    pub(super) fn undo(&self, mut steps: Vec<Step>) {
        for step in steps.iter_mut().rev() {
            let _nothing_more_to_be_done = match step {
                // They go when what was done has gone.
                Step::Grouped(_) | Step::Noted(_) => Ok(()),
                Step::Made(folder, name) => {
                    rustix::fs::unlinkat(&**folder, &*name, AtFlags::REMOVEDIR)
                }
                Step::Added(folder, name, spool) => self.take_back(spool, folder, name),
                Step::Exchanged(folder, name, spool, _) if is_still(folder, name, spool) => {
                    exchange_back(spool, folder, name)
                }
                Step::Replaced(folder, name, spool, Some(ticket))
                    if is_still(folder, name, spool) =>
                {
                    ticket.is_filled = false;
                    rustix::fs::renameat(&*ticket.bin, ticket.id.as_str(), &**folder, &*name)
                }
                // The old file stays in the trash.
                step => step.settle(),
            };
        }
        let _nothing_more_to_be_done = sync(&mut steps, |_| true);
    }

    /// Takes a new file out of its place, back to where its spool was, whose end removes it.
    fn take_back(
        &self,
        spool: &mut Spool,
        folder: &OwnedFd,
        name: &OsStr,
    ) -> rustix::io::Result<()> {
        let is_ours = |folder: &OwnedFd, name: &OsStr| {
            Ok(look::look(folder, name.as_bytes())?.is_some_and(|stat| spool.is(&stat)))
        };
        if !is_ours(folder, name)? {
            return Ok(());
        }
        // Between the look and the move somebody may replace it: what was moved is looked at again.
        let aside = hidden::temporary_name();
        rustix::fs::renameat(folder, name, &spool.folder, &aside)?;
        if !is_ours(&spool.folder, aside.as_ref())? {
            return self.rename_noreplace(&spool.folder, &aside, folder, name);
        }
        spool.name = aside;
        spool.is_pending = true;
        Ok(())
    }
}

/// Makes every name that was changed durable. Many files usually go into one folder, which is synced
/// once. The hidden folder follows: a drive without a journal could else keep the file's old name
/// there, and the sweep at the next start would remove the file by it.
pub(super) fn sync(steps: &mut [Step], is_meant: impl Fn(&Step) -> bool) -> rustix::io::Result<()> {
    let mut folders: Vec<Arc<OwnedFd>> = Vec::new();
    let mut workshops: Vec<Arc<OwnedFd>> = Vec::new();
    // What was replaced must be in the trash before it is nowhere else.
    let mut bins: Vec<Arc<OwnedFd>> = Vec::new();
    let add = |to: &mut Vec<Arc<OwnedFd>>, folder: &Arc<OwnedFd>| {
        if !to.iter().any(|known| Arc::ptr_eq(known, folder)) {
            to.push(Arc::clone(folder));
        }
    };
    for step in steps.iter().filter(|step| is_meant(step)) {
        match step {
            Step::Grouped(group) => add(&mut workshops, &group.folder),
            Step::Noted(note) => add(&mut workshops, &note.folder),
            Step::Made(folder, _) => add(&mut folders, folder),
            Step::Added(folder, _, spool) => {
                add(&mut folders, folder);
                add(&mut workshops, &spool.folder);
            }
            Step::Exchanged(folder, _, spool, ticket)
            | Step::Replaced(folder, _, spool, ticket) => {
                add(&mut folders, folder);
                add(&mut workshops, &spool.folder);
                if let Some(ticket) = ticket {
                    add(&mut bins, &ticket.bin);
                }
            }
        }
    }
    bins.iter().chain(&folders).try_for_each(|folder| look::sync_folder(&**folder))?;
    for step in steps {
        match step {
            // First: what is in new folders must not be taken back without them.
            Step::Grouped(group) => group.settle(),
            Step::Noted(note) => note.settle(),
            _ => {}
        }
    }
    workshops.iter().try_for_each(|folder| look::sync_folder(&**folder))
}

/// Makes a spool and what it changed places with change places again. If something else has come to
/// the place meanwhile, that goes back at once.
pub(super) fn exchange_back(
    spool: &Spool,
    folder: &OwnedFd,
    name: &OsStr,
) -> rustix::io::Result<()> {
    let exchange = || {
        let (hidden, flags) = (&*spool.folder, RenameFlags::EXCHANGE);
        rustix::fs::renameat_with(hidden, &spool.name, folder, name, flags)
    };
    exchange()?;
    match look::look(&spool.folder, spool.name.as_bytes())? {
        Some(stat) if !spool.is(&stat) => exchange(),
        _ => Ok(()),
    }
}

/// Whether a spool is still what was put at a place.
fn is_still(folder: &OwnedFd, name: &OsStr, spool: &Spool) -> bool {
    look::look(folder, name.as_bytes()).is_ok_and(|stat| stat.is_some_and(|stat| spool.is(&stat)))
}

#[cfg(test)]
mod tests {
    use super::super::root::Quirks;
    use super::super::tests::{House, UPLOAD, path, spool, upload};
    use super::super::trash::Fate;
    use super::*;

    /// Places a group and hands out its steps, as if one more file were still to come.
    fn half_placed(share: &Share, names: &[&str]) -> Vec<Step> {
        let items = names.iter().map(|name| (spool(share, "", "half"), path(name))).collect();
        let mut steps = Vec::new();
        share.place_all(items, &UPLOAD, &mut steps).unwrap();
        steps
    }

    #[test]
    fn taking_back_leaves_what_somebody_else_has_put_there_since() {
        let house = House::new();
        let share = house.share();
        house.file("old", "old");
        house.file("older", "older");
        let steps = half_placed(&share, &["new", "newer", "newest", "old", "older", "made/by/us"]);
        // Before the group fails, somebody else replaces two of its files, and is told that it worked;
        // a third goes, and a folder takes its place; a fourth file comes into the group's new folder.
        upload(&share, &[("new", "theirs")], &UPLOAD).unwrap();
        upload(&share, &[("old", "theirs")], &UPLOAD).unwrap();
        share.delete_file(&path("newest"), Fate::Trash).unwrap();
        house.file("newest/in", "theirs");
        upload(&share, &[("made/by/them", "theirs")], &UPLOAD).unwrap();
        share.undo(steps);
        for name in ["new", "old", "newest/in", "made/by/them"] {
            assert_eq!(house.content(name).as_deref(), Some("theirs"), "{name}");
        }
        assert_eq!(house.content("older").as_deref(), Some("older"));
        assert_eq!(house.on_disk(""), ["made", "new", "newest", "old", "older"]);
        assert_eq!(house.on_disk("made/by"), ["them"]);
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn a_folder_that_has_come_since_is_not_replaced() {
        for no_exchange in [false, true] {
            let house = House::with_quirks(Quirks { no_exchange, ..Quirks::default() });
            let share = house.share();
            let place = house.file("name", "old");
            let spot = share.locate(&path("name"), Need::Write, Follow::Last).unwrap();
            std::fs::remove_file(place).unwrap();
            house.file("name/precious", "kept");
            for (keep_old, is_kept) in [(true, false), (false, false), (true, true), (false, true)]
            {
                let mut spool = spool(&share, "", "new");
                spool.finish().unwrap();
                let ticket = is_kept.then(|| {
                    share
                        .ticket(&spot, Reason::Replaced, Some(spool.identity().unwrap()), None)
                        .unwrap()
                        .unwrap()
                });
                let told = share.replace(&mut spool, &spot, keep_old, ticket).err();
                // What is no file any more went away: the place is looked at again.
                let wanted = if is_kept && no_exchange { Errno::NOENT } else { Errno::ISDIR };
                assert_eq!(told, Some(wanted));
            }
            assert!(house.trashed("").is_empty());
            assert_eq!(house.content("name/precious").as_deref(), Some("kept"));
            assert!(house.unfinished("").is_empty());
        }
    }

    #[test]
    fn what_came_between_an_exchange_and_its_taking_back_goes_back() {
        let house = House::new();
        let share = house.share();
        house.file("name", "old");
        let steps = half_placed(&share, &["name", "other"]);
        let Some(Step::Exchanged(folder, name, spool, _)) = steps.get(1) else {
            panic!("exchanged")
        };
        upload(&share, &[("name", "theirs")], &UPLOAD).unwrap();
        exchange_back(spool, folder, name).unwrap();
        assert_eq!(house.content("name").as_deref(), Some("theirs"));
    }
}
