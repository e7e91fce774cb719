//! Deleting: one thing or several, into the trash or for good.
//!
//! At once, all go or none: each is taken out of its place by a rename, and put back when a later one cannot
//! be. Only then is anything removed for good. As a job, what goes for good is removed piece by piece and in
//! its place, once all of it was found removable, so that it can be watched and called off: what is left then
//! are whole things where they were.

use super::group::{Change, Group};
use super::hidden;
use super::journal::Journal;
use super::look;
use super::path::VaultPath;
use super::permit::Permit;
use super::progress::Progress;
use super::rake::{Doomed, Remains};
use super::refusals::{refuse_crowds, refuse_mounts, refuse_overlaps};
use super::resolve::Spot;
use super::share::{Kind, Need, Share};
use super::throw::Ticket;
use super::trash::{Fate, Reason, What};
use super::trash_id::TrashId;
use super::{moved, os};
use crate::error::{Error, Result, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Things that were found and may be removed.
pub struct Removal {
    /// Whose they are.
    share: Share,
    /// What they are called.
    paths: Vec<VaultPath>,
    /// What they must be; anything if `None`.
    what: Option<What>,
    /// Where they should go.
    wish: Fate,
}

impl Share {
    /// Deletes one thing: into the trash if that is the wish and it can be kept. Says where it is there; `None`
    /// means it is gone for good. A link goes itself.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, another kind of thing, a drive mounted in it), `Conflict`
    /// (not empty), `Remains`, `StorageAbsent`.
    pub fn remove(&self, path: &VaultPath, what: What, wish: Fate) -> Result<Option<TrashId>> {
        if what == What::EmptyFolder {
            return self.checked(|| self.remove_empty(path, wish));
        }
        let removal = self.removal(std::slice::from_ref(path), Some(what), wish)?;
        Ok(removal.at_once(&mut |_, _| {})?.into_iter().next().flatten())
    }

    /// Removes a folder that is empty. There is nothing that the trash would have to keep; of a link there is.
    fn remove_empty(&self, path: &VaultPath, wish: Fate) -> Result<Option<TrashId>> {
        let spot = self.locate_itself(path, &[Need::Write])?;
        self.must_be(&spot, path, Kind::Folder)?;
        self.may_go(&spot.path)?;
        if spot.is_link() {
            return self.remove(path, What::File, wish);
        }
        match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::REMOVEDIR) {
            Ok(()) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                return Err(Error::Conflict("The folder is not empty"));
            }
            Err(errno) => return Err(moved(errno)),
        }
        self.finder.root.news.went(path);
        look::sync_folder(&*spot.folder).map_err(os)?;
        Ok(None)
    }

    /// Finds what is to be removed.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, not of that kind, a drive mounted in it, paths that
    /// overlap), `StorageAbsent`.
    pub fn removal(&self, paths: &[VaultPath], what: Option<What>, wish: Fate) -> Result<Removal> {
        const ROOT: Error = Error::invalid("The root can't be deleted");
        let has_root = paths.iter().any(VaultPath::is_root);
        if has_root && what == Some(What::Tree) {
            return Err(ROOT);
        }
        paths.iter().try_for_each(|path| self.ask(path, Need::Write))?;
        if has_root && what.is_none() {
            return Err(ROOT);
        }
        let removal = Removal { share: self.clone(), paths: paths.to_vec(), what, wish };
        self.checked(|| removal.find().map(|_spots| ()))?;
        Ok(removal)
    }
}

impl Removal {
    /// Removes everything at once: all of it, or nothing. Says of each thing where in the trash it is; `None`
    /// is gone for good. `tell` hears of each that went.
    ///
    /// Errors: `Remains` (when a part of one thing cannot be removed, or when that shows only in the end, the
    /// rest is gone), `NotFound`, `Refused`, `Invalid`, `DeniedByDrive`, `Io`, `StorageAbsent`.
    pub fn at_once(&self, tell: Tell<'_>) -> Result<Vec<Option<TrashId>>> {
        self.share.checked(|| {
            let progress = Progress::default();
            let outs = self.take_out(self.find()?, true, &progress)?;
            self.finish(&outs, &progress, tell)?;
            Ok(outs.into_iter().map(Out::into_id).collect())
        })
    }

    /// Removes everything, in one step into the trash or piece by piece for good, and says what became of
    /// each. Called off, it leaves what it had not come to.
    ///
    /// Errors: `Cancelled`, `Remains`, `NotFound`, `Refused`, `DeniedByDrive`, `Io`, `StorageAbsent`.
    pub fn run(&self, progress: &Progress, tell: Tell<'_>) -> Result<()> {
        self.share.checked(|| {
            let spots = self.find()?;
            progress.go_on()?;
            let outs = self.take_out(spots, false, progress)?;
            let ids = outs.iter().filter_map(Out::id);
            let binned = ids.cloned().map(|id| progress.threw_away(id)).count();
            progress.expect(0, binned as u64);
            progress.add(0, binned as u64);
            let stays = || outs.iter().filter(|out| matches!(out.way, Way::Stays));
            if progress.is_watched() {
                for out in stays() {
                    let (folder, name) = (&out.spot.folder, &out.spot.name);
                    progress.expect(0, self.share.count(folder, name, progress)?.1);
                }
            }
            self.finish(&outs, progress, tell)
        })
    }

    /// Finds everything; all must be there and be what was asked for.
    fn find(&self) -> Result<Vec<Spot>> {
        let share = &self.share;
        let mut spots = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let mut spot = share.locate_itself(path, &[Need::Write])?;
            match self.what {
                Some(What::Tree | What::EmptyFolder) => share.must_be(&spot, path, Kind::Folder)?,
                Some(_) if spot.is_folder() => {
                    return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
                }
                _ => {}
            }
            share.may_go(&spot.path)?;
            refuse_mounts(&spot)?;
            spot.folder = share.finder.shared(spot.folder).map_err(os)?;
            refuse_crowds(self.paths.len(), &spot.folder)?;
            spots.push(spot);
        }
        refuse_overlaps(spots.iter().map(|spot| &spot.path))?;
        Ok(spots)
    }

    /// Takes everything out of its place, durably, or nothing. What can't be kept in the trash is hidden with
    /// `hides`, else it stays.
    fn take_out(&self, spots: Vec<Spot>, hides: bool, progress: &Progress) -> Result<Vec<Out>> {
        let mut journal = Journal::new(&self.share);
        let outs = self.take_all(spots, hides, progress, &mut journal)?;
        journal.settle().map(|_taken_out| outs)
    }

    /// The work of `take_out`, but for settling it.
    fn take_all(
        &self,
        spots: Vec<Spot>,
        hides: bool,
        progress: &Progress,
        journal: &mut Journal<'_>,
    ) -> Result<Vec<Out>> {
        let is_alone = spots.len() == 1;
        let asides: Vec<String> = spots.iter().map(|_| hidden::temporary_name()).collect();
        if !is_alone {
            journal.group = Some(self.begin_group(&spots, &asides)?);
        }
        // All records are durable before the first thing moves.
        let tickets = match self.wish {
            Fate::Trash => self.share.tickets(&spots, journal.group.as_ref()),
            Fate::Gone => Vec::new(),
        };
        let mut tickets = tickets.into_iter();
        let mut outs = Vec::with_capacity(spots.len());
        for ((spot, aside), path) in spots.into_iter().zip(asides).zip(&self.paths) {
            // One file goes in one step all by itself.
            let hides = hides && (spot.is_folder() || !is_alone);
            let asks = (!is_alone).then_some(progress);
            let group = journal.group.as_ref();
            let ticket = match (self.wish, tickets.next().flatten()) {
                (Fate::Trash, None) => self.share.ticket(&spot, Reason::Deleted, None, group)?,
                (_, ticket) => ticket,
            };
            let way = (hides.then_some(aside), asks);
            let way = self.take(&spot, path, way, ticket, journal)?;
            outs.push(Out { spot, way });
        }
        Ok(outs)
    }

    /// Notes durably that several things are about to go, and as what those wait that the trash does not keep.
    fn begin_group(&self, spots: &[Spot], asides: &[String]) -> Result<Group> {
        let going =
            |(spot, aside): (&Spot, &String)| Change::going(spot.path.clone(), aside.clone());
        self.share.begin_group(spots.iter().zip(asides).map(going).collect())
    }

    /// Takes one thing out of its place. `asks` has it looked at first whether all of it can be removed:
    /// once the first of several is gone for good there is no way back.
    fn take(
        &self,
        spot: &Spot,
        path: &VaultPath,
        (aside, asks): (Option<String>, Option<&Progress>),
        ticket: Option<Ticket>,
        journal: &mut Journal<'_>,
    ) -> Result<Way> {
        let failed = |errno| if spot.is_folder() { moved(errno) } else { os(errno) };
        let _going = self.share.changing(&spot.path);
        self.share.may_go(&spot.path)?;
        if let Some(ticket) = ticket
            && let Some(id) = journal.throw_away(spot, path, ticket, failed)?
        {
            return Ok(Way::Binned(id));
        }
        if let Some(progress) = asks {
            self.share.ask_to_remove(spot, path, progress)?;
        }
        let is_free = spot.stat.is_some_and(|stat| Permit::of(&*spot.folder).lets_go(&stat));
        let Some(hidden) = aside else {
            // In place a folder is emptied before it shows whether it may go.
            let may_go = is_free || !spot.is_folder();
            return if may_go { Ok(Way::Stays) } else { Err(Error::DeniedByDrive) };
        };
        let parent = spot.path.parent().unwrap_or_default();
        let workshop = self.share.finder.workshop(&parent)?;
        match journal.hide(spot, path, (&workshop, &hidden)) {
            Ok(()) => Ok(Way::Hidden(workshop, hidden)),
            // See `throw_away`.
            Err(Errno::XDEV) if !spot.is_folder() => Ok(Way::Stays),
            // Somebody else's folder does not move; what is in it may go all the same.
            Err(Errno::ACCESS | Errno::PERM) if is_free => Ok(Way::Stays),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Removes for good what is not in the trash, each as far as that goes.
    fn finish(&self, outs: &[Out], progress: &Progress, tell: Tell<'_>) -> Result<()> {
        let mut remains = Remains::default();
        let mut end = Ok(());
        for (out, path) in outs.iter().zip(&self.paths) {
            let removed = match &out.way {
                Way::Binned(_) => Ok(Remains::default()),
                Way::Hidden(folder, name) => {
                    self.share.let_go((folder, name), (&out.spot.folder, &out.spot.name), path)
                }
                Way::Stays => self.remove_in_place(&out.spot, path, progress),
            };
            match removed {
                Ok(none) if none.is_none() => {
                    // Of what was taken out this is told already.
                    if matches!(out.way, Way::Stays) {
                        self.share.forget_parts(path);
                        self.share.finder.root.news.went(path);
                    }
                    tell(path, out.id());
                }
                Ok(of_this) => remains.append(of_this),
                // Nothing must stay hidden because of another.
                Err(error) => end = end.and(Err(error)),
            }
        }
        end.and_then(|()| remains.told())
    }

    /// Removes something piece by piece where it is.
    fn remove_in_place(
        &self,
        spot: &Spot,
        path: &VaultPath,
        progress: &Progress,
    ) -> Result<Remains> {
        progress.go_on()?;
        if !spot.is_folder() {
            unlink(spot)?;
            progress.add(0, 1);
            return Ok(Remains::default());
        }
        let (folder, name) = (spot.folder.as_fd(), spot.name.as_bytes());
        let doomed = Doomed { folder, name, path, is_hidden: false };
        let remains = doomed.remove(progress, &|| self.share.nameless_file())?;
        look::sync_folder(&*spot.folder).map_err(os)?;
        Ok(remains)
    }
}

/// Who hears of each thing that went, and where in the trash it is; else it is gone for good.
type Tell<'a> = &'a mut dyn FnMut(&VaultPath, Option<&TrashId>);

/// One thing on its way out.
struct Out {
    /// Where it was.
    spot: Spot,
    /// Where it is now.
    way: Way,
}

impl Out {
    /// Where in the trash it is; `None` of what goes for good.
    fn id(&self) -> Option<&TrashId> {
        match &self.way {
            Way::Binned(id) => Some(id),
            Way::Hidden(..) | Way::Stays => None,
        }
    }

    /// The same, when nothing else is asked of it any more.
    fn into_id(self) -> Option<TrashId> {
        match self.way {
            Way::Binned(id) => Some(id),
            Way::Hidden(..) | Way::Stays => None,
        }
    }
}

/// Where a thing on its way out is.
enum Way {
    /// In the trash.
    Binned(TrashId),
    /// In this hidden folder under this name, to be removed.
    Hidden(Arc<OwnedFd>, String),
    /// Where it was, to be removed there.
    Stays,
}

/// Removes a file or a link for good.
fn unlink(spot: &Spot) -> Result<()> {
    match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::empty()) {
        Ok(()) => look::sync_folder(&*spot.folder).map_err(os),
        Err(Errno::ISDIR) => Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
        Err(errno) => Err(os(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, path};
    use super::*;
    use crate::limits;
    use std::fs;

    /// Does something in a house with some files that are out of their places: `a` and `d` hidden, `b` and `c` in
    /// the trash.
    fn with_taken_out(work: impl FnOnce(&House, Journal<'_>)) {
        let house = House::new();
        for name in ["a", "b", "c", "d/e"] {
            house.file(name, name);
        }
        let share = house.share();
        let mut journal = Journal::new(&share);
        for (names, wish) in [(["a", "d"], Fate::Gone), (["b", "c"], Fate::Trash)] {
            let removal = share.removal(&names.map(path), None, wish).unwrap();
            let spots = removal.find().unwrap();
            removal.take_all(spots, true, &Progress::default(), &mut journal).unwrap();
        }
        assert!(house.on_disk("").is_empty());
        work(&house, journal);
    }

    #[test]
    fn what_cannot_be_settled_is_put_back() {
        with_taken_out(|house, journal| {
            // The first that comes into the trash gets its record, the second does not.
            let last = house.trashed("").pop().unwrap();
            assert!(last.contains(".new"), "{last} is no record on its way in");
            fs::remove_file(house.root().join(".larder/trash").join(last)).unwrap();
            assert!(journal.settle().is_err());
            assert_eq!(house.on_disk(""), ["a", "b", "c", "d"]);
            assert_eq!(house.content("d/e").as_deref(), Some("d/e"));
            assert!(house.trashed("").is_empty());
            assert!(house.unfinished("").is_empty());
        });
    }

    #[test]
    fn what_is_put_back_and_finds_its_place_taken_is_shown_beside_it() {
        with_taken_out(|house, journal| {
            for name in ["a", "b", "d"] {
                house.file(name, "new");
            }
            drop(journal);
            assert_eq!(house.on_disk(""), ["a", "a (1)", "b", "c", "d", "d (1)"]);
            assert_eq!(house.content("a").as_deref(), Some("new"));
            assert_eq!(house.content("a (1)").as_deref(), Some("a"));
            assert_eq!(house.content("d (1)/e").as_deref(), Some("d/e"));
            // In the trash it is not lost.
            assert_eq!(house.trashed("").len(), 2);
            assert!(house.unfinished("").is_empty());
        });
    }

    #[test]
    fn of_many_every_record_is_there_before_anything_moves_and_none_is_left_of_what_stays() {
        let house = House::new();
        let names: Vec<String> = (10..=10 + limits::FEW_FILES).map(|n| n.to_string()).collect();
        for name in &names {
            house.file(name, name);
        }
        let paths: Vec<VaultPath> = names.iter().map(|name| path(name)).collect();
        let share = house.share();
        let removal = share.removal(&paths, None, Fate::Trash).unwrap();
        let spots = removal.find().unwrap();
        let tickets = share.tickets(&spots, None);
        assert_eq!(tickets.iter().flatten().count(), names.len());
        assert_eq!(house.trashed("").len(), names.len());
        assert_eq!(house.on_disk(""), names);
        drop(tickets);
        // The last has gone meanwhile.
        fs::remove_file(house.root().join(names.last().unwrap())).unwrap();
        assert!(removal.take_out(spots, false, &Progress::default()).is_err());
        assert_eq!(house.on_disk(""), names[..names.len() - 1]);
        assert!(house.trashed("").is_empty());
    }
}
