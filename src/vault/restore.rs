//! What one caller may do with the trash: look at it, put things back, empty it.

use super::group::Change;
use super::hidden::{self, TRASH};
use super::journal::Journal;
use super::look;
use super::mounts;
use super::numbered::numbered;
use super::path::{HOME, VaultPath};
use super::progress::Progress;
use super::put::{Aim, Put};
use super::rake::Remains;
use super::resolve::{Follow, Lost};
use super::share::{Kind, Need, Share};
use super::sorted::{self, Order};
use super::thing::{Itself, Judged, Source};
use super::trash::{self, Bin, Fate, Incoming, Reason, Record, Removed};
use super::trash_id::TrashId;
use super::write::IfExists;
use super::{mounted, moved, os};
use crate::budget::{self, Seat};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::SystemTime;

/// What an id that stands for nothing is told.
pub(super) const NO_SUCH_THING: Error = Error::NotFound("Item does not exist");

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
    pub(super) fn record(&self, id: &TrashId) -> Result<Option<(Record, VaultPath)>> {
        let record = trash::read_record(self.folder.as_fd(), &id.record()).map_err(os)?;
        Ok(record.and_then(|record| {
            let below = VaultPath::parse(&record.path).ok()?;
            let path = self.top.join_path(&below);
            (!below.is_root() && !path.is_reserved()).then_some((record, path))
        }))
    }
}

/// A thing that is to come back.
struct Coming {
    /// Where it is in the trash.
    bin: Bin,
    /// What it is called there.
    id: TrashId,
    /// Where it was.
    path: VaultPath,
    /// As what, out of sight, the thing waits that it replaces, if the trash does not keep that.
    aside: String,
}

impl Coming {
    /// What it is.
    fn look(&self) -> Result<Statx> {
        let stat = look::look(&*self.bin.folder, self.id.as_str().as_bytes()).map_err(os)?;
        stat.ok_or(NO_SUCH_THING)
    }

    /// It, as something that gets a name.
    fn thing(&self, stat: &Statx) -> Itself {
        let id = look::id_of(stat);
        Itself::binned(Source::there(&self.bin.folder, self.id.as_str(), id))
    }

    /// The change that putting it at a place is.
    fn change(&self, stat: &Statx, place: VaultPath) -> Change {
        Change {
            place,
            what: Some(Incoming::of(&self.bin.folder, stat)),
            from: Some(self.bin.top.join(HOME).join(TRASH).join(self.id.as_str())),
            asides: vec![self.aside.clone()],
            ..Change::default()
        }
    }
}

impl Share {
    /// The trash as it is now, as far as the caller may look.
    ///
    /// Errors: `TooSoon`.
    pub fn trash(&self) -> Result<Trash> {
        let seat = budget::house().seat(&self.line)?;
        Ok(Trash { share: self.clone(), bins: self.bins(), _seat: seat })
    }

    /// Puts things back where they were, the folders above them made again: all of them, or none. With
    /// `Overwrite` what is in the way goes into the trash itself. Returns where they are, durably.
    ///
    /// Errors: `Refused` (the caller may not write there), `NotFound` (an id), `Collision`, `Invalid`,
    /// `DiskFull`, `Remains`, `StorageAbsent`.
    pub fn restore(&self, ids: &[String], if_exists: IfExists) -> Result<Vec<VaultPath>> {
        self.checked(|| {
            let mut journal = Journal::new(self);
            let found = self.find(ids)?;
            if found.len() > 1 {
                journal.group = Some(self.begin_group(self.plan_restore(&found, if_exists)?)?);
            }
            let mut done = Vec::with_capacity(found.len());
            for (number, coming) in found.iter().enumerate() {
                done.push(self.put_back(coming, (number, if_exists), &mut journal)?);
            }
            let settled = journal.settle()?;
            for Coming { bin, id, .. } in &found {
                hidden::unlink(bin.folder.as_fd(), &id.record());
            }
            // It weighs less now.
            self.finder.root.keeping.look_again();
            settled.let_go(&Progress::default())?.told()?;
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
                for Coming { bin, id, path, .. } in self.find(ids)? {
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
        if removed > 0 {
            // It weighs less now.
            self.finder.root.keeping.look_again();
        }
        tell(removed);
        emptied.and_then(|()| remains.told())
    }

    /// The trash of every filesystem of the share.
    pub(super) fn bins(&self) -> Vec<Bin> {
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
    fn find(&self, ids: &[String]) -> Result<Vec<Coming>> {
        let bins = self.bins();
        let mut found = Vec::new();
        let mut known = HashSet::new();
        let (mut is_lacking, mut path_bytes) = (false, 0);
        for text in ids.iter().filter(|text| known.insert(text.as_str())) {
            let mut is_found = false;
            let id = TrashId::parse(text);
            for bin in &bins {
                let Some(id) = id.as_ref() else { break };
                let Some(item) = bin.item(id)? else { continue };
                self.ask(&item.path, Need::Write)?;
                self.may_come(&item.path)?;
                path_bytes += item.path.as_str().len();
                let (bin, id, aside) = (bin.clone(), id.clone(), hidden::temporary_name());
                found.push(Coming { bin, id, path: item.path, aside });
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
    fn plan_restore(&self, found: &[Coming], if_exists: IfExists) -> Result<Vec<Change>> {
        let mut changes = Vec::with_capacity(found.len());
        let mut taken = HashSet::with_capacity(found.len());
        for coming in found {
            let mut place = self.finder.destination(&coming.path, Follow::NotLast)?;
            if if_exists == IfExists::Rename {
                place = self.finder.next_free(&place, |place| taken.contains(place))?;
            }
            taken.insert(place.clone());
            changes.push(self.with_old(coming.change(&coming.look()?, place), &coming.bin)?);
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
        coming: &Coming,
        (number_of_all, if_exists): (usize, IfExists),
        journal: &mut Journal<'_>,
    ) -> Result<VaultPath> {
        let (_, path) = coming.bin.record(&coming.id)?.ok_or(NO_SUCH_THING)?;
        let stat = coming.look()?;
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
        coming.bin.must_be_beside(&spot.folder)?;
        let parent = path.parent().unwrap_or_default();
        let real_parent = spot.path.parent().unwrap_or_default();
        let mut name = spot.name.clone();
        let mut path = path;
        for number in 1.. {
            let there = (&spot.folder, name.as_os_str(), real_parent.join(path.name()));
            let way = (number_of_all, if_exists);
            let is_back = self.put_back_at((coming, &stat), there, (way, &path), journal)?;
            match (is_back, if_exists) {
                (Ok(true), _) => break,
                (Ok(false), IfExists::Error(sentence)) => {
                    return Err(Error::Collision(sentence));
                }
                (Ok(false), IfExists::Rename) if number <= limits::NUMBERED_NAMES_MAX => {
                    path = parent.child(&numbered(spot.path.name(), number))?;
                    name = path.name_on_disk();
                    self.ask(&path, Need::Write)?;
                    let real = real_parent.join(path.name());
                    self.ask(&real, Need::Write)?;
                    self.may_come(&real)?;
                    self.ask_to_show(&[&was], &[&path, &real], is_folder)?;
                }
                (Ok(false), IfExists::Overwrite) if number <= limits::RACE_TRIES_MAX => {
                    if self.put_back_over((coming, &stat), &path, journal)? {
                        break;
                    }
                }
                (Ok(false), _) => return Err(IN_THE_WAY),
                (Err(Errno::NOENT), _) => return Err(NO_SUCH_THING),
                (Err(errno), _) => return Err(moved(errno)),
            }
        }
        Ok(path)
    }

    /// Gives one thing its name back, as the record of its group tells, if it has one. A name that is seen to be
    /// taken is not worth telling there. False when something has the name.
    fn put_back_at(
        &self,
        (coming, stat): (&Coming, &Statx),
        (folder, name, real): (&Arc<OwnedFd>, &OsStr, VaultPath),
        ((number, if_exists), named): ((usize, IfExists), &VaultPath),
        journal: &mut Journal<'_>,
    ) -> Result<rustix::io::Result<bool>> {
        let _coming = self.changing(&real);
        self.may_come(&real)?;
        if journal.group.is_some() {
            let change = self.with_old(coming.change(stat, real), &coming.bin)?;
            if change.old.is_some() && if_exists == IfExists::Rename {
                return Ok(Ok(false));
            }
            journal.expect(number, change)?;
        }
        Ok(journal.add(coming.thing(stat), (folder, name), named).map(|back| back.is_none()))
    }

    /// Puts one thing back to where something else is, which goes into the trash; false when that has gone.
    fn put_back_over(
        &self,
        (coming, stat): (&Coming, &Statx),
        path: &VaultPath,
        journal: &mut Journal<'_>,
    ) -> Result<bool> {
        let spot = self.locate(path, Need::Write, Follow::NotLast)?;
        let Some(old) = &spot.stat else { return Ok(false) };
        self.may_go(&spot.path)?;
        if spot.is_folder() {
            let folder = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
            if !mounts::mounts_below(folder.as_fd()).is_empty() {
                return Err(mounted());
            }
        }
        let (judged, aside) = (Judged::This(look::id_of(old)), coming.aside.as_str());
        let aim = Aim { spot: &spot, named: path, judged, aside, fate: Fate::Trash };
        let back = journal.replace(coming.thing(stat), aim).map_err(|put| match put {
            Put::Apart => moved(Errno::XDEV),
            Put::Failed(error) => error,
        })?;
        Ok(back.is_none())
    }
}
