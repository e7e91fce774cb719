//! Several things that change their names together are one step for a crash, too: before the first name
//! changes, a record of the group is durable in larder's hidden folder; it goes when everything is durable.
//! A record that is found later tells of a group that was cut off: all of it is taken back (decision 0012).
//!
//! What was replaced or deleted lies in the trash, whose records say of which group they are. What only waits
//! out of sight has the name that the group's record tells.

use super::hidden::{self, TEMPORARY, TRASH};
use super::look::{self, FileId, Filesystem};
use super::path::{HOME, VaultPath};
use super::renames::{exchange, rename_noreplace};
use super::root::{Quirks, Root, tops_below};
use super::share::Share;
use super::spool::Spool;
use super::trash::{self, Incoming, Reason, Record};
use super::trash_id::TrashId;
use super::{discard, leftover, os, raw_name};
use crate::error::{Error, Result};
use crate::{limits, threads};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::identity;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// What the record of a group is called behind its name, in larder's folder for unfinished things.
const RECORD: &str = ".group";

/// What happens to one place. Paths are those where things really are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// The place where something comes or from where something goes.
    pub place: VaultPath,
    /// Where the filesystem of that place begins; `Group` finds it.
    pub top: VaultPath,
    /// What comes; `None` when something only goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Incoming>,
    /// Where that was, in a place or in the trash; `None` for what was made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<VaultPath>,
    /// What was in the place before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Incoming>,
    /// The names in larder's folder for unfinished things, on that filesystem, under one of which the old thing
    /// waits if it is not in the trash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asides: Vec<String>,
}

impl Change {
    /// Something goes, and waits under this name if the trash does not keep it.
    pub fn going(place: VaultPath, aside: String) -> Self {
        Self { place, asides: vec![aside], ..Self::default() }
    }

    /// Whether it is about places that callers can name, about the trash, and about larder's own folder for
    /// unfinished things; a drive may come from anywhere.
    fn is_plain(&self) -> bool {
        let is_place = |path: &VaultPath| !path.is_reserved() && !path.is_root();
        let is_in_trash = |path: &VaultPath| {
            let bin = path.parent().unwrap_or_default();
            let home = bin.parent().unwrap_or_default();
            TrashId::parse(path.name()).is_some()
                && (bin.name(), home.name()) == (TRASH, HOME)
                && !home.parent().unwrap_or_default().is_reserved()
        };
        let is_name = |name: &String| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        is_place(&self.place)
            && !self.top.is_reserved()
            && self.from.as_ref().is_none_or(|from| is_place(from) || is_in_trash(from))
            && self.asides.iter().all(is_name)
    }
}

/// A group that is being worked on. Dropping it removes its record: everything is new, or old again.
pub(super) struct Group {
    /// Where the filesystem begins on which the record lies. A group on several has it on the share root's.
    top: VaultPath,
    /// Larder's folder for unfinished things there.
    pub folder: Arc<OwnedFd>,
    /// What the record is called there.
    name: String,
    /// What it says, by paths of the share.
    changes: Vec<Change>,
    /// Where the filesystems begin.
    tops: Tops,
    /// The record, locked as long as somebody works on the group; `None` once it is gone.
    record: Option<File>,
    /// Whether there is no place for a record: then the group is no step for a crash.
    is_untold: bool,
}

impl Group {
    /// What the trash calls the group.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sees to it that the record tells what will now be done as its part `number`.
    pub fn expect(&mut self, share: &Share, number: usize, mut change: Change) -> Result<()> {
        if self.is_untold {
            return Ok(());
        }
        change.top = self.tops.of(share, &change.place)?;
        if self.changes.get(number) == Some(&change) {
            return Ok(());
        }
        if let Some(known) = self.changes.get_mut(number) {
            *known = change;
        } else {
            self.changes.push(change);
        }
        self.write()
    }

    /// Whether it tells already that something goes from a place.
    pub fn tells_of_going(&self, place: &VaultPath) -> bool {
        self.changes.iter().any(|change| change.what.is_none() && change.place == *place)
    }

    /// Writes the record, durable with its name before this returns.
    fn write(&mut self) -> Result<()> {
        let relative = |path: &VaultPath| {
            path.below(&self.top).ok_or(Error::Conflict("The folder has changed meanwhile"))
        };
        let mut told = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            told.push(Change {
                place: relative(&change.place)?,
                top: relative(&change.top)?,
                from: change.from.as_ref().map(relative).transpose()?,
                ..change.clone()
            });
        }
        let text = serde_json::to_vec(&told).map_err(|_| Error::Bug("a record".into()))?;
        if text.len() as u64 > limits::GROUP_RECORD_BYTES_MAX {
            // Nobody would read it.
            self.is_untold = true;
            self.settle().map_err(os)?;
            return Ok(());
        }
        let temporary = hidden::temporary_name();
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(&*self.folder, &temporary, flags, Mode::from(0o600));
        let mut file = File::from(made.map_err(os)?);
        let written = (|| -> std::io::Result<()> {
            lock(&file)?;
            file.write_all(&text)?;
            file.sync_all()?;
            rustix::fs::renameat(&*self.folder, &temporary, &*self.folder, &self.name)?;
            Ok(look::sync_folder(&*self.folder)?)
        })();
        if let Err(cause) = written {
            hidden::unlink(self.folder.as_fd(), &temporary);
            return Err(cause.into());
        }
        self.record = Some(file);
        Ok(())
    }

    /// Everything is in its place, durably: the record goes, durable with the next sync of its folder.
    ///
    /// Errors: those of the drive; then the record still tells of the group, which must not be acknowledged.
    pub fn settle(&mut self) -> rustix::io::Result<()> {
        // The lock goes last.
        let Some(locked) = self.record.take() else { return Ok(()) };
        let unlinked = rustix::fs::unlinkat(&*self.folder, &self.name, AtFlags::empty());
        if matches!(unlinked, Ok(()) | Err(Errno::NOENT)) {
            return Ok(());
        }
        // What is told to be done must not be taken back because of a name that does not go.
        if let Err(cause) = locked.set_len(0).and_then(|()| locked.sync_all()) {
            self.record = Some(locked);
            return Err(Errno::from_io_error(&cause).unwrap_or(Errno::IO));
        }
        hidden::unlink(self.folder.as_fd(), &self.name);
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.record.is_some() {
            let _only_looked_at_again = self.settle();
            let _only_looked_at_again = look::sync_folder(&*self.folder);
        }
    }
}

/// Locks a record, so that no other process takes the group for one that was cut off; where the filesystem has
/// no locks the process that made it is known by its name.
fn lock(file: &File) -> rustix::io::Result<()> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOLCK) => Ok(()),
        locked => locked,
    }
}

impl Share {
    /// Notes durably what is about to be done to several places. Where no record has a place, on a full drive or
    /// one that larder may not write at its top, it is done all the same: who empties a full drive needs that.
    pub(super) fn begin_group(&self, changes: Vec<Change>) -> Result<Group> {
        match self.note_group(changes) {
            // `NotFound`: something else than a folder is in the place of larder's own.
            Err(Error::DiskFull | Error::DeniedByDrive | Error::NotFound(_)) => {
                Ok(self.untold_group())
            }
            Err(Error::Io(cause))
                if Errno::from_io_error(&cause).is_some_and(trash::is_no_place) =>
            {
                Ok(self.untold_group())
            }
            noted => noted,
        }
    }

    /// A group that no record tells of.
    fn untold_group(&self) -> Group {
        Group {
            top: VaultPath::root(),
            folder: Arc::clone(&self.finder.handle),
            name: format!("{}{RECORD}", hidden::temporary_name()),
            changes: Vec::new(),
            tops: Tops::default(),
            record: None,
            is_untold: true,
        }
    }

    /// Notes durably what is about to be done to several places.
    fn note_group(&self, mut changes: Vec<Change>) -> Result<Group> {
        let mut tops = Tops::default();
        for change in &mut changes {
            change.top = tops.of(self, &change.place)?;
        }
        let first = changes.first().map(|change| change.top.clone()).unwrap_or_default();
        let is_there = |change: &Change| {
            change.top == first && change.from.as_ref().is_none_or(|from| from.starts_with(&first))
        };
        let top = if changes.iter().all(is_there) { first } else { VaultPath::root() };
        let (_, folder) = self.finder.hidden(&top, TEMPORARY)?;
        let name = format!("{}{RECORD}", hidden::temporary_name());
        let mut group = Group { top, folder, name, changes, tops, record: None, is_untold: false };
        group.write()?;
        Ok(group)
    }
}

/// Where the filesystems begin that folders of a group are on.
#[derive(Default)]
struct Tops(HashMap<VaultPath, VaultPath>);

impl Tops {
    /// The one that a place is on, or will be: that of the folder around it, or of the first above that is
    /// there. `place` is a true path.
    fn of(&mut self, share: &Share, place: &VaultPath) -> Result<VaultPath> {
        let folder = place.parent().unwrap_or_default();
        if let Some(top) = self.0.get(&folder) {
            return Ok(top.clone());
        }
        let top = match share.finder.hidden(&folder, TEMPORARY) {
            Ok((top, _)) => top,
            Err(Error::NotFound(_)) if !folder.is_root() => self.of(share, &folder)?,
            Err(error) => return Err(error),
        };
        self.0.insert(folder, top.clone());
        Ok(top)
    }
}

impl Spool {
    /// The change that putting it at a place is.
    pub(super) fn coming_to(&self, place: VaultPath) -> Result<Change> {
        let what = Some(self.identity()?);
        let asides = vec![self.at.name.clone(), self.aside.clone()];
        Ok(Change { place, what, asides, ..Change::default() })
    }
}

/// One filesystem of the share.
struct Top {
    /// Where it begins.
    path: VaultPath,
    /// That folder, open as a place to start from.
    folder: OwnedFd,
}

/// What groups that were cut off leave for later.
#[derive(Default)]
struct Later {
    /// The names of what must not be swept away meanwhile.
    held: HashSet<Vec<u8>>,
    /// The drives that are waited for, by where they are or belong.
    missed: BTreeSet<PathBuf>,
}

/// Takes back what was cut off in the middle, on all drives that are there. What cannot be for now is left with
/// its record. Returns the names of what must not be swept away meanwhile.
pub(super) fn take_back(root: &Root, handle: &Arc<OwnedFd>) -> HashSet<Vec<u8>> {
    let _one_at_a_time = threads::locked(&root.taking_back);
    let mut later = Later::default();
    let Ok(folder) = handle.try_clone() else { return later.held };
    let mut tops = vec![Top { path: VaultPath::root(), folder }];
    for (below, folder) in tops_below(root, handle) {
        let path = VaultPath::from_disk(below.as_os_str().as_bytes());
        if !path.is_reserved() {
            tops.push(Top { path, folder });
        }
    }
    for top in &tops {
        let Ok(home) = look::open_place(&top.folder, HOME.as_bytes()) else { continue };
        let Ok(workshop) = look::open_to_read(&home, TEMPORARY.as_bytes()) else { continue };
        let mut names = Vec::new();
        let _as_far_as_it_went = look::each_name(workshop.as_fd(), identity, &mut |name| {
            if name.ends_with(RECORD.as_bytes()) {
                names.push(name.to_vec());
            }
            Ok(())
        });
        for name in names {
            if std::str::from_utf8(&name).is_ok_and(hidden::is_in_work) {
                // Where there are no locks, nothing else tells.
                later.held.insert(name);
                continue;
            }
            match Unfinished::open(root.quirks, &tops, top, &workshop, &name) {
                Ok(None) => {}
                Ok(Some(unfinished)) => unfinished.end(root, &mut later),
                Err(_held_by_somebody) => {
                    later.held.insert(name);
                }
            }
        }
    }
    *threads::locked(&root.missed) = later.missed.into_iter().collect();
    later.held
}

/// A group that was cut off.
struct Unfinished<'a> {
    /// What the filesystems do not know; for tests.
    quirks: Quirks,
    /// The filesystems that it may be on.
    tops: Vec<&'a Top>,
    /// The one that has its record.
    top: &'a Top,
    /// Larder's folder for unfinished things there.
    workshop: &'a OwnedFd,
    /// What the record is called.
    name: &'a [u8],
    /// What it says, by paths relative to that filesystem.
    changes: Vec<Change>,
    /// The record, locked.
    record: File,
}

/// A name in an open folder.
type At<'a> = (&'a OwnedFd, &'a OsStr);

impl<'a> Unfinished<'a> {
    /// Reads a record; `None` when it says nothing.
    ///
    /// Errors: somebody works on the group, or the record cannot be read.
    fn open(
        quirks: Quirks,
        tops: &'a [Top],
        top: &'a Top,
        workshop: &'a OwnedFd,
        name: &'a [u8],
    ) -> rustix::io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(workshop, name, flags, Mode::empty())?);
        lock(&file)?;
        if look::look_at(&file)?.stx_nlink == 0 {
            // Whoever held it has just settled it, or written another.
            return Err(Errno::AGAIN);
        }
        let mut text = Vec::new();
        let read = (&file).take(limits::GROUP_RECORD_BYTES_MAX).read_to_end(&mut text);
        read.map_err(|cause| Errno::from_io_error(&cause).unwrap_or(Errno::IO))?;
        let Ok(changes) = serde_json::from_slice::<Vec<Change>>(&text) else { return Ok(None) };
        // A drive may come from anywhere: what its records say is judged like what a caller says.
        if !changes.iter().all(Change::is_plain) {
            return Ok(None);
        }
        let is_told = |other: &&Top| {
            let is_there = |change: &Change| change.top == other.path;
            other.path == top.path || top.path.is_root() && changes.iter().any(is_there)
        };
        let tops = tops.iter().filter(is_told);
        Ok(Some(Self { quirks, tops: tops.collect(), top, workshop, name, changes, record: file }))
    }

    /// The names of what waits for it in larder's folders for unfinished things.
    fn names(&self) -> impl Iterator<Item = Vec<u8>> {
        let asides = self.changes.iter().flat_map(|change| change.asides.clone());
        asides.map(String::into_bytes).chain([self.name.to_vec()])
    }

    /// Takes it back, or leaves it for later.
    fn end(&self, root: &Root, later: &mut Later) {
        let missed: Vec<PathBuf> = self.missed().map(|top| root.place_at(&top)).collect();
        let waits = missed.iter().any(|place| root.is_mounted(place)) || !self.is_given_up();
        if waits && !missed.is_empty() {
            later.held.extend(self.names());
            later.missed.extend(missed);
            return;
        }
        match self.take_back() {
            // What never got to its place goes with the other unfinished things.
            Ok(()) => self.tops.iter().for_each(|top| leftover::note(top.folder.as_fd())),
            Err(errno) => {
                leftover::missed(self.workshop.as_fd(), errno);
                later.held.extend(self.names());
            }
        }
    }

    /// Whether it has waited for a drive so long that it is seldom one that comes back. A record that is younger than the
    /// clock says is not: who does not know the time gives nothing up.
    fn is_given_up(&self) -> bool {
        let written = self.record.metadata().and_then(|record| record.modified());
        written.is_ok_and(|written| {
            written.elapsed().is_ok_and(|waited| waited >= limits::GROUP_WAITS)
        })
    }

    /// Takes everything back, the last first, durably; then the record goes. Without all of its drives only what waits
    /// comes back: what has come to its place may be all that is left, and stays.
    ///
    /// Errors: those of the drive.
    fn take_back(&self) -> rustix::io::Result<()> {
        let is_whole = self.missed().next().is_none();
        for change in self.changes.iter().rev().filter(|change| self.top_of(change).is_ok()) {
            if is_whole {
                self.take_out_new(change)?;
            }
            for aside in &change.asides {
                self.put_back(change, aside.as_ref())?;
            }
        }
        for top in &self.tops {
            self.empty_trash_of(top)?;
            look::sync_whole(&top.folder)?;
        }
        for change in &self.changes {
            for path in [Some(&change.place), change.from.as_ref()].into_iter().flatten() {
                if let Some((folder, _)) = self.find(path) {
                    look::sync_folder(&folder)?;
                }
            }
        }
        rustix::fs::unlinkat(self.workshop, self.name, AtFlags::empty())?;
        look::sync_folder(self.workshop)
    }

    /// Where the filesystems begin that are not there.
    fn missed(&self) -> impl Iterator<Item = VaultPath> {
        let missed = self.changes.iter().filter(|change| self.top_of(change).is_err());
        missed.map(|change| self.top.path.join_path(&change.top))
    }

    /// The filesystem of a place.
    fn top_of(&self, change: &Change) -> rustix::io::Result<&'a Top> {
        let wanted = self.top.path.join_path(&change.top);
        self.tops.iter().copied().find(|top| top.path == wanted).ok_or(Errno::NODEV)
    }

    /// The folder around a place and the name in it; `None` when that is gone, or on a filesystem of which the
    /// record has nothing to tell.
    fn find(&self, path: &VaultPath) -> Option<(OwnedFd, OsString)> {
        let mut folder = self.top.folder.try_clone().ok()?;
        for part in path.parent()?.components() {
            folder = look::open_place(&folder, raw_name::known(part).as_bytes()).ok()?;
        }
        let filesystem = filesystem_of(&folder)?;
        let is_of_group = |top: &&Top| filesystem_of(&top.folder) == Some(filesystem);
        self.tops.iter().any(is_of_group).then(|| (folder, path.name_on_disk()))
    }

    /// A folder of larder's own on a filesystem.
    fn hidden(top: &Top, name: &str) -> rustix::io::Result<OwnedFd> {
        let home = hidden::open_or_make(top.folder.as_fd(), HOME)?;
        hidden::open_or_make(home.as_fd(), name)
    }

    /// Gives something another name that is free; false when it is not, or the folder there is gone.
    fn shift(&self, from: At<'_>, to: At<'_>) -> rustix::io::Result<bool> {
        let moved = discard::moving(from.0.as_fd(), from.1.as_bytes(), true, || {
            rename_noreplace(self.quirks, from.0, from.1, to.0, to.1)
        });
        match moved {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOENT | Errno::XDEV) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Takes what has come out of its place, if it is still that.
    fn take_out_new(&self, change: &Change) -> rustix::io::Result<()> {
        let Some(what) = change.what else { return Ok(()) };
        let Some((folder, name)) = self.find(&change.place) else { return Ok(()) };
        if !is_there((&folder, &name), what)? {
            return if what.is_file { Ok(()) } else { give_up_claim(change, (&folder, &name)) };
        }
        let Some(from) = &change.from else {
            return self.discard(change, what, (&folder, &name));
        };
        let Some((was, was_name)) = self.find(from) else { return Ok(()) };
        if self.shift((&folder, &name), (&was, &was_name))? {
            return Ok(());
        }
        if id_of((&was, &was_name))? == id_of((&folder, &name))? {
            // It has not lost its first name yet.
            return rustix::fs::unlinkat(&folder, &name, AtFlags::empty());
        }
        // The two have changed places, and that was all.
        match change.old {
            Some(old) if is_there((&was, &was_name), old)? => {
                exchange(self.quirks, (&folder, &name), (&was, &was_name))
            }
            _ => Ok(()),
        }
    }

    /// Removes what was made. A folder may have got something since: it goes into the trash.
    fn discard(&self, change: &Change, what: Incoming, at: At<'_>) -> rustix::io::Result<()> {
        let top = self.top_of(change)?;
        let workshop = Self::hidden(top, TEMPORARY)?;
        let out = OsString::from(hidden::temporary_name());
        if !self.shift(at, (&workshop, &out))? {
            return Ok(());
        }
        let stat = look::look(&workshop, out.as_bytes())?.ok_or(Errno::NOENT)?;
        if !what.is(&stat) && self.shift((&workshop, &out), at)? {
            return Ok(());
        }
        if what.is(&stat) && look::type_of(&stat) != FileType::Directory {
            return rustix::fs::unlinkat(&workshop, &out, AtFlags::empty());
        }
        self.throw_away(change, (&workshop, &out))
    }

    /// Puts the old thing back that waits out of sight; where something else is by now, into the trash.
    fn put_back(&self, change: &Change, aside: &OsStr) -> rustix::io::Result<()> {
        let workshop = Self::hidden(self.top_of(change)?, TEMPORARY)?;
        let Some(stat) = look::look(&workshop, aside.as_bytes())? else { return Ok(()) };
        // What never got to its place goes with the other unfinished things.
        if change.what.is_some_and(|what| what.is(&stat)) {
            return Ok(());
        }
        let found = self.find(&change.place);
        if let Some((folder, name)) = &found {
            if self.shift((&workshop, aside), (folder, name))? {
                return Ok(());
            }
            if id_of((folder, name))? == Some(look::id_of(&stat)) {
                // It has not lost its first name yet.
                return rustix::fs::unlinkat(&workshop, aside, AtFlags::empty());
            }
        }
        self.throw_away(change, (&workshop, aside))
    }

    /// Puts something into the trash that has no other place.
    fn throw_away(&self, change: &Change, at: At<'_>) -> rustix::io::Result<()> {
        let top = self.top_of(change)?;
        let bin = Self::hidden(top, TRASH)?;
        let id = TrashId::new();
        let path = change.place.below(&change.top).ok_or(Errno::INVAL)?;
        let (by, reason) = (String::new(), Reason::Replaced);
        let path = path.as_str().to_owned();
        let record = Record { path, by, reason, size: None, incoming: None, group: None };
        trash::write_record(bin.as_fd(), &id.record(), &record)?;
        discard::moving(at.0.as_fd(), at.1.as_bytes(), true, || {
            rustix::fs::renameat(at.0, at.1, &bin, id.as_str())
        })
    }

    /// Takes back what the group has put into the trash of one filesystem.
    fn empty_trash_of(&self, top: &Top) -> rustix::io::Result<()> {
        let Some(bin) = trash::open(top.folder.as_fd()) else { return Ok(()) };
        let bin = look::open_to_read(&bin, b".")?;
        let group = std::str::from_utf8(self.name).map_err(|_| Errno::INVAL)?;
        let mut found = Vec::new();
        look::each_name(bin.as_fd(), identity, &mut |name| {
            let id = std::str::from_utf8(name).ok().and_then(TrashId::of_any_record);
            found.extend(id.filter(|id| id.is_of_process_of(group)));
            Ok(())
        })?;
        for id in found {
            for name in [id.record(), id.unsettled()] {
                let record = trash::read_record(bin.as_fd(), &name)?;
                if let Some(record) = record.filter(|record| record.group.as_deref() == Some(group))
                {
                    self.take_out_of_trash(top, &bin, &id, &record)?;
                }
            }
        }
        Ok(())
    }

    /// Takes back one thing. What finds something else in its place stays in the trash.
    fn take_out_of_trash(
        &self,
        top: &Top,
        bin: &OwnedFd,
        id: &TrashId,
        record: &Record,
    ) -> rustix::io::Result<()> {
        let Some(stat) = look::look(bin, id.as_str().as_bytes())? else { return Ok(()) };
        // What should have taken the place waits there.
        if record.incoming.is_some_and(|incoming| incoming.is(&stat)) {
            return Ok(());
        }
        let Ok(path) = VaultPath::parse(&record.path) else { return Ok(()) };
        if path.is_reserved() || path.is_root() {
            return Ok(());
        }
        let path = top.path.below(&self.top.path).unwrap_or_default().join_path(&path);
        let Some((folder, name)) = self.find(&path) else { return Ok(()) };
        let here = (bin, OsStr::new(id.as_str()));
        if !self.shift(here, (&folder, &name))? {
            if id_of((&folder, &name))? != Some(look::id_of(&stat)) {
                return Ok(());
            }
            rustix::fs::unlinkat(bin, id.as_str(), AtFlags::empty())?;
        }
        look::sync_folder(&folder)?;
        hidden::unlink(bin.as_fd(), &id.record());
        hidden::unlink(bin.as_fd(), &id.unsettled());
        Ok(())
    }
}

/// The filesystem that an open folder is on.
fn filesystem_of(folder: &OwnedFd) -> Option<Filesystem> {
    look::look_at(folder).ok().map(|stat| look::filesystem_of(&stat))
}

/// Removes an empty folder that holds a name for a folder that has not come: see `rename_noreplace`.
fn give_up_claim(change: &Change, (folder, name): At<'_>) -> rustix::io::Result<()> {
    let is_claim = look::look(folder, name.as_bytes())?.is_some_and(|stat| {
        look::type_of(&stat) == FileType::Directory
            && stat.stx_mode & 0o777 == 0o700
            && change.old.is_none_or(|old| !old.is(&stat))
    });
    if !is_claim {
        return Ok(());
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => Ok(()),
        removed => removed,
    }
}

/// Whether such a thing is at a place.
fn is_there((folder, name): At<'_>, what: Incoming) -> rustix::io::Result<bool> {
    Ok(look::look(folder, name.as_bytes())?.is_some_and(|stat| what.is(&stat)))
}

/// Which thing is at a place.
fn id_of((folder, name): At<'_>) -> rustix::io::Result<Option<FileId>> {
    Ok(look::look(folder, name.as_bytes())?.map(|stat| look::id_of(&stat)))
}
