//! What one caller may do with the trash: look at it, put things back, empty it.

use super::group::Change;
use super::hidden::{self, TRASH};
use super::look;
use super::mounts;
use super::numbered::numbered;
use super::path::{HOME, VaultPath};
use super::progress::Progress;
use super::put::{Journal, Origin, Source};
use super::rake::Remains;
use super::resolve::{Follow, Lost};
use super::share::{Kind, Need, Share};
use super::sorted::{self, Order};
use super::trash::{self, Bin, Fate, Incoming, Reason, Record, Removed};
use super::trash_id::TrashId;
use super::write::IfExists;
use super::{discard, mounted, moved, os};
use crate::budget::{self, Seat};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, RenameFlags, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::SystemTime;

/// What an id that stands for nothing is told.
const NO_SUCH_THING: Error = Error::NotFound("Item does not exist");

/// What is in the way of something that comes back.
const IN_THE_WAY: Error = Error::Collision("Target already exists");

/// One thing in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called there.
    pub id: String,
    /// Where it was.
    pub path: VaultPath,
    /// What it is.
    pub kind: Kind,
    /// Bytes: a file's size; for a folder what it takes on the drive, 0 until that was counted.
    pub size: u64,
    /// When it came here.
    pub deleted: SystemTime,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: Reason,
}

/// The trash as far as one caller may look into it.
pub struct Trash {
    /// Whose look it is.
    share: Share,
    /// That of the share root and of each drive in it.
    bins: Vec<Bin>,
    /// A place among the long answers of the user whose look it is.
    _seat: Seat,
}

impl Trash {
    /// Hands out the things whose place the caller may read, of each drive the latest first.
    ///
    /// Errors: those of `take`, `Io`, `StorageAbsent`.
    pub fn for_each(&self, take: &mut dyn FnMut(&Item) -> Result<()>) -> Result<()> {
        self.share.checked(|| {
            for bin in &self.bins {
                bin.each(&mut |id| {
                    if let Some(item) = bin.item(id)?
                        && self.share.grant().may_read(&item.path)
                    {
                        take(&item)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Bin {
    /// Hands out the ids of what is there, the latest first.
    fn each(&self, take: &mut dyn FnMut(&TrashId) -> Result<()>) -> Result<()> {
        let folder = look::open_to_read(&*self.folder, b".").map_err(os)?;
        let is_record = |name: &[u8]| TrashId::of_record(name).is_some();
        sorted::each_sorted(folder.as_fd(), Order::Down, &is_record, &mut |name| {
            TrashId::of_record(name).map_or(Ok(()), |id| take(&id)).map(|()| true)
        })
    }

    /// Whether the trash is on the filesystem of a folder.
    ///
    /// Errors: `Conflict`.
    fn must_be_beside(&self, folder: &OwnedFd) -> Result<()> {
        let filesystem = |folder: &OwnedFd| {
            look::look_at(folder).map(|stat| look::filesystem_of(&stat)).map_err(os)
        };
        if filesystem(folder)? != filesystem(&self.folder)? {
            return Err(Error::Conflict("Another drive is in its place"));
        }
        Ok(())
    }

    /// What an id stands for; `None` when it is not there, or nobody can say where it was.
    fn item(&self, id: &TrashId) -> Result<Option<Item>> {
        let Some((record, path)) = self.record(id)? else { return Ok(None) };
        let stat = look::look(&*self.folder, id.as_str().as_bytes()).map_err(os)?;
        let Some(stat) = stat else { return Ok(None) };
        let (kind, size) = match look::type_of(&stat) {
            FileType::RegularFile => (Kind::File, stat.stx_size),
            FileType::Directory => (Kind::Folder, record.size.unwrap_or(0)),
            _ => (Kind::Other, 0),
        };
        let (id, deleted) = (id.as_str().to_owned(), id.time());
        Ok(Some(Item { id, path, kind, size, deleted, by: record.by, reason: record.reason }))
    }

    /// The record of a thing, and where the thing was in the share. A drive may come from anywhere: what its
    /// records say is judged like what a caller says.
    fn record(&self, id: &TrashId) -> Result<Option<(Record, VaultPath)>> {
        let record = trash::read_record(self.folder.as_fd(), &id.record()).map_err(os)?;
        Ok(record.and_then(|record| {
            let below = VaultPath::parse(&record.path).ok()?;
            let path = self.top.join_path(&below);
            (!below.is_root() && !path.is_reserved()).then_some((record, path))
        }))
    }
}

/// The change that putting a thing back is.
fn restoring(bin: &Bin, id: &TrashId, stat: &Statx, place: VaultPath) -> Change {
    let from = bin.top.join(HOME).join(TRASH).join(id.as_str());
    Change {
        place,
        what: Some(Incoming::of(&bin.folder, stat)),
        from: Some(from),
        ..Change::default()
    }
}

impl Share {
    /// The trash as it is now, as far as the caller may look.
    ///
    /// Errors: `TooSoon`.
    pub fn trash(&self) -> Result<Trash> {
        let seat = budget::house().seat(&self.by)?;
        Ok(Trash { share: self.clone(), bins: self.bins(), _seat: seat })
    }

    /// Puts things back where they were, the folders above them made again: all of them, or none. With
    /// `Overwrite` what is in the way goes into the trash itself, and stays there also when a later one fails.
    /// Returns where they are, durably.
    ///
    /// Errors: `Refused` (the caller may not write there), `NotFound` (an id), `Collision`, `Invalid`,
    /// `DiskFull`, `StorageAbsent`.
    pub fn restore(&self, ids: &[String], if_exists: IfExists) -> Result<Vec<VaultPath>> {
        self.checked(|| {
            let mut journal = Journal::new(self);
            let found = self.find(ids)?;
            if found.len() > 1 {
                journal.group = Some(self.begin_group(self.plan_restore(&found, if_exists)?)?);
            }
            let mut done = Vec::with_capacity(found.len());
            for (number, (bin, id, _path)) in found.iter().enumerate() {
                match self.put_back((bin, id), (number, if_exists), &mut journal) {
                    Ok(path) => done.push(path),
                    Err(error) => {
                        journal.undo();
                        return Err(error);
                    }
                }
            }
            journal.settle()?;
            for ((bin, id, _), path) in found.iter().zip(&done) {
                hidden::unlink(bin.folder.as_fd(), &id.record());
                self.forget_parts(path);
                self.finder.root.news.came(path);
            }
            Ok(done)
        })
    }

    /// Removes things from the trash for good: these, or all whose place the caller may write. Tells how many
    /// went, also when some cannot: they stay listed.
    ///
    /// Errors: `Refused`, `NotFound` (an id), `Remains`, `StorageAbsent`, `Io`.
    pub fn empty_trash(&self, ids: Option<&[String]>, tell: &mut dyn FnMut(u64)) -> Result<()> {
        let mut removed = 0;
        let mut remains = Remains::default();
        let emptied = self.checked(|| {
            let mut remove = |bin: &Bin, id: &TrashId, path: &VaultPath| -> Result<()> {
                match trash::remove(bin.folder.as_fd(), id, path)? {
                    Removed::All => removed += 1,
                    Removed::Nothing => {}
                    Removed::Part(part) => remains.append(part),
                }
                Ok(())
            };
            if let Some(ids) = ids {
                for (bin, id, path) in self.find(ids)? {
                    remove(&bin, &id, &path)?;
                }
            }
            let bins = self.bins();
            for bin in &bins {
                if ids.is_none() {
                    let has_all = self.grant().may_write(&bin.top);
                    bin.each(&mut |id| {
                        let path = bin.record(id)?.map(|(_, path)| path);
                        let may = has_all
                            || path.as_ref().is_some_and(|path| self.grant().may_write(path));
                        if may { remove(bin, id, &path.unwrap_or_default()) } else { Ok(()) }
                    })?;
                }
                look::sync_folder(&*bin.folder).map_err(os)?;
            }
            Ok(())
        });
        tell(removed);
        emptied.and_then(|()| remains.told())
    }

    /// The trash of every filesystem of the share.
    fn bins(&self) -> Vec<Bin> {
        trash::bins(&self.finder.root, &self.finder.handle)
            .into_iter()
            .filter_map(|(top, folder)| {
                let folder = self.finder.shared(Arc::new(folder)).ok()?;
                Some(Bin { folder, top })
            })
            .collect()
    }

    /// Finds what ids stand for, each once; all must be there, and the caller must be permitted to write
    /// where they were.
    fn find(&self, ids: &[String]) -> Result<Vec<(Bin, TrashId, VaultPath)>> {
        let bins = self.bins();
        let mut found: Vec<(Bin, TrashId, VaultPath)> = Vec::new();
        let mut known = HashSet::new();
        let (mut is_lacking, mut path_bytes) = (false, 0);
        for text in ids.iter().filter(|text| known.insert(text.as_str())) {
            let mut is_found = false;
            let id = TrashId::parse(text);
            for bin in &bins {
                let Some(id) = id.as_ref() else { break };
                let Some(item) = bin.item(id)? else { continue };
                self.ask(&item.path, Need::Write)?;
                path_bytes += item.path.as_str().len();
                found.push((bin.clone(), id.clone(), item.path));
                is_found = true;
                break;
            }
            is_lacking |= !is_found;
        }
        if path_bytes > limits::TRASH_PATHS_BYTES_MAX {
            return Err(Error::invalid_as(Why::TooMany, "Too many ids at once"));
        }
        if is_lacking { Err(NO_SUCH_THING) } else { Ok(found) }
    }

    /// What putting several things back is about to change, as far as that can be known.
    fn plan_restore(
        &self,
        found: &[(Bin, TrashId, VaultPath)],
        if_exists: IfExists,
    ) -> Result<Vec<Change>> {
        let mut changes = Vec::with_capacity(found.len());
        let mut taken = HashSet::with_capacity(found.len());
        for (bin, id, path) in found {
            let stat = look::look(&*bin.folder, id.as_str().as_bytes()).map_err(os)?;
            let mut place = self.finder.destination(path, Follow::NotLast)?;
            if if_exists == IfExists::Rename {
                place = self.finder.next_free(&place, |place| taken.contains(place))?;
            }
            taken.insert(place.clone());
            let change = restoring(bin, id, &stat.ok_or(NO_SUCH_THING)?, place);
            changes.push(self.with_old(change, bin)?);
        }
        Ok(changes)
    }

    /// The same change with what is in the place now.
    fn with_old(&self, change: Change, bin: &Bin) -> Result<Change> {
        let old = match self.finder.locate(&change.place, Follow::NotLast) {
            Ok(spot) => spot.stat,
            Err(Lost::Missing) => None,
            Err(lost) => return Err(lost.into()),
        };
        Ok(Change { old: old.map(|old| Incoming::of(&bin.folder, &old)), ..change })
    }

    /// Puts one thing back and returns where. What was done is told in `journal`, also on failure.
    fn put_back(
        &self,
        (bin, id): (&Bin, &TrashId),
        (number_of_all, if_exists): (usize, IfExists),
        journal: &mut Journal<'_>,
    ) -> Result<VaultPath> {
        let (_, path) = bin.record(id)?.ok_or(NO_SUCH_THING)?;
        let stat = look::look(&*bin.folder, id.as_str().as_bytes()).map_err(os)?;
        let stat = stat.ok_or(NO_SUCH_THING)?;
        let is_folder = look::type_of(&stat) == FileType::Directory;
        self.make_missing(&path, journal).map_err(|error| match error {
            // A file has come where its folder was.
            Error::Invalid(..) => IN_THE_WAY,
            other => other,
        })?;
        let mut spot = self.locate(&path, Need::Write, Follow::NotLast)?;
        let was = path.clone();
        // Back in its own place it shows no more than before; a link on the way may lead elsewhere by now.
        if spot.path != was {
            self.ask_to_show(&[&was], &[&spot.path], is_folder)?;
        }
        spot.folder = self.finder.shared(spot.folder).map_err(os)?;
        bin.must_be_beside(&spot.folder)?;
        let parent = path.parent().unwrap_or_default();
        let real_parent = spot.path.parent().unwrap_or_default();
        let mut name = spot.name.clone();
        let mut path = path;
        for number in 1.. {
            let there = (&spot.folder, name.as_os_str(), real_parent.join(path.name()));
            let way = (number_of_all, if_exists);
            let moved_back = self.put_back_at((bin, id, &stat), there, way, journal)?;
            match (moved_back, if_exists) {
                (Ok(()), _) => break,
                (Err(Errno::EXIST | Errno::NOTEMPTY), IfExists::Error(sentence)) => {
                    return Err(Error::Collision(sentence));
                }
                (Err(Errno::EXIST | Errno::NOTEMPTY), IfExists::Rename)
                    if number <= limits::NUMBERED_NAMES_MAX =>
                {
                    path = parent.child(&numbered(spot.path.name(), number))?;
                    name = path.name_on_disk();
                    self.ask(&path, Need::Write)?;
                    let real = real_parent.join(path.name());
                    self.ask(&real, Need::Write)?;
                    self.ask_to_show(&[&was], &[&path, &real], is_folder)?;
                }
                (Err(Errno::EXIST | Errno::NOTEMPTY), IfExists::Overwrite)
                    if number <= limits::RACE_TRIES_MAX =>
                {
                    if self.displace((bin, id, &stat), &path, journal)? {
                        break;
                    }
                }
                (Err(Errno::EXIST | Errno::NOTEMPTY), _) => return Err(IN_THE_WAY),
                (Err(Errno::NOENT), _) => return Err(NO_SUCH_THING),
                (Err(errno), _) => return Err(moved(errno)),
            }
        }
        Ok(path)
    }

    /// Gives one thing its name back, as the record of its group tells, if it has one. A name that is seen to be
    /// taken is not worth telling there.
    fn put_back_at(
        &self,
        (bin, id, stat): (&Bin, &TrashId, &Statx),
        (folder, name, real): (&Arc<OwnedFd>, &OsStr, VaultPath),
        (number, if_exists): (usize, IfExists),
        journal: &mut Journal<'_>,
    ) -> Result<rustix::io::Result<()>> {
        if journal.group.is_some() {
            let change = self.with_old(restoring(bin, id, stat, real.clone()), bin)?;
            if change.old.is_some() && if_exists == IfExists::Rename {
                return Ok(Err(Errno::EXIST));
            }
            journal.expect(number, change)?;
        }
        let from = Source::there(&bin.folder, id.as_str(), look::id_of(stat));
        Ok(journal.add(&from, (folder, name), real, false))
    }

    /// Makes way for a thing that comes back to where something else is, which goes into the trash; true when
    /// the thing is in its place already.
    fn displace(
        &self,
        (bin, id, stat): (&Bin, &TrashId, &Statx),
        path: &VaultPath,
        journal: &mut Journal<'_>,
    ) -> Result<bool> {
        let mut spot = self.locate(path, Need::Write, Follow::NotLast)?;
        if spot.stat.is_none() {
            return Ok(false);
        }
        if spot.is_folder() {
            let folder = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
            if !mounts::mounts_below(folder.as_fd()).is_empty() {
                return Err(mounted());
            }
        }
        let group = journal.group.as_ref();
        let Some(mut ticket) = self.ticket(&spot, Reason::Replaced, None, group)? else {
            self.ask_to_remove(&spot, path, &Progress::default())?;
            if spot.is_folder() {
                self.delete_folder(path, Fate::Gone)?;
            } else {
                self.delete_file(path, Fate::Gone)?;
            }
            return Ok(false);
        };
        // Both change places in one step. Until the other has its own name in the trash, the record of the
        // first stands for it: the same place, so that a crash loses neither.
        let exchange = || {
            let (folder, name) = (&*spot.folder, &spot.name);
            let exchange = RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(&*bin.folder, id.as_str(), folder, name, exchange)
        };
        let is_able = !self.finder.root.quirks.no_exchange;
        match if is_able { exchange() } else { Err(Errno::NOSYS) } {
            Ok(()) => {
                rustix::fs::renameat(&*bin.folder, id.as_str(), &*ticket.bin, ticket.id.as_str())
                    .map_err(os)?;
                ticket.settle().map_err(os)?;
                spot.folder = self.finder.shared(spot.folder).map_err(os)?;
                let from = Source::there(&bin.folder, id.as_str(), look::id_of(stat));
                journal.note(from, (&spot.folder, &spot.name), (spot.path, Origin::Itself));
                return Ok(true);
            }
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::BUSY) => return Err(mounted()),
            // The filesystem cannot, or one of the two is locked.
            Err(_) => {}
        }
        let name = spot.name.as_bytes();
        let to = ticket.id.as_str();
        discard::moving(spot.folder.as_fd(), name, true, || {
            rustix::fs::renameat(&*spot.folder, &spot.name, &*ticket.bin, to)
        })
        .map_err(moved)?;
        ticket.settle().map_err(os)?;
        Ok(false)
    }
}
