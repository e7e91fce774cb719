//! Deleting: one thing or several, into the trash or for good.
//!
//! At once, all go or none: each is taken out of its place by a rename, and put back when a later one cannot
//! be. Only then is anything removed for good. As a job, what goes for good is removed piece by piece and in
//! its place, so that it can be watched and called off: what is left then are whole things where they were.

use super::change::{mounted, moved};
use super::look::{self, Filesystem};
use super::mount;
use super::path::VaultPath;
use super::progress::Progress;
use super::resolve::{Spot, open_deep};
use super::share::{Kind, Need, Share};
use super::throw::Ticket;
use super::transfer::{refuse_mounts, refuse_overlaps};
use super::trash::{Fate, TrashId};
use super::walk::{Folder, Mark, Visitor};
use super::{discard, os};
use crate::error::{Error, Result, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::Arc;

/// Things that were found and may be removed.
pub struct Removal {
    /// Whose they are.
    share: Share,
    /// What they are called.
    paths: Vec<VaultPath>,
    /// What they must be; anything if `None`.
    kind: Option<Kind>,
    /// Where they should go.
    wish: Fate,
}

impl Share {
    /// Deletes a file, or a link itself: into the trash if that is the wish and it can be kept. Says where it
    /// is there; `None` means it is gone for good.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a folder), `StorageAbsent`.
    pub fn delete_file(&self, path: &VaultPath, wish: Fate) -> Result<Option<TrashId>> {
        self.delete(path, Kind::File, wish)
    }

    /// Deletes a folder with all that is in it, in one step, into the trash if that is the wish and it can
    /// be kept. A link to a folder goes itself. Says as `delete_file` what became of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, a file, a drive mounted in it),
    /// `StorageAbsent`.
    pub fn delete_folder(&self, path: &VaultPath, wish: Fate) -> Result<Option<TrashId>> {
        self.delete(path, Kind::Folder, wish)
    }

    /// Removes a folder that is empty, in one step that can take nothing along: what comes into it at the
    /// last moment keeps it where it is. There is nothing that the trash would have to keep. A link to a
    /// folder goes itself, into the trash where one can be kept.
    ///
    /// Errors: `Refused`, `NotFound`, `Conflict` (not empty), `Invalid` (a file, a drive mounted there),
    /// `StorageAbsent`.
    pub fn remove_empty_folder(&self, path: &VaultPath) -> Result<Option<TrashId>> {
        self.checked(|| {
            let spot = self.locate_itself(path, &[Need::Write])?;
            self.must_be(&spot, path, Kind::Folder)?;
            if spot.is_link() {
                return self.delete_file(path, Fate::Trash);
            }
            match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::REMOVEDIR) {
                Ok(()) => look::sync_folder(&*spot.folder).map_err(os)?,
                Err(Errno::NOTEMPTY | Errno::EXIST) => {
                    return Err(Error::Conflict("The folder is not empty"));
                }
                Err(errno) => return Err(moved(errno)),
            }
            Ok(None)
        })
    }

    /// Deletes one thing.
    fn delete(&self, path: &VaultPath, kind: Kind, wish: Fate) -> Result<Option<TrashId>> {
        let paths = std::slice::from_ref(path);
        let ids = self.removal(paths, Some(kind), wish)?.at_once()?;
        Ok(ids.into_iter().next().flatten())
    }

    /// Finds what is to be removed.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (the root, not of that kind, a drive mounted in it, paths that
    /// overlap), `StorageAbsent`.
    pub fn removal(&self, paths: &[VaultPath], kind: Option<Kind>, wish: Fate) -> Result<Removal> {
        const ROOT: Error = Error::invalid("The root can't be deleted");
        let has_root = paths.iter().any(VaultPath::is_root);
        if has_root && kind == Some(Kind::Folder) {
            return Err(ROOT);
        }
        paths.iter().try_for_each(|path| self.ask(path, Need::Write))?;
        if has_root && kind.is_none() {
            return Err(ROOT);
        }
        let removal = Removal { share: self.clone(), paths: paths.to_vec(), kind, wish };
        self.checked(|| removal.find().map(|_spots| ()))?;
        Ok(removal)
    }
}

impl Removal {
    /// What they are called, in the order in which they were given.
    pub fn paths(&self) -> &[VaultPath] {
        &self.paths
    }

    /// Removes everything at once: all of it, or nothing. Says of each thing where in the trash it is; `None`
    /// is gone for good.
    ///
    /// Errors: `NotFound`, `Refused`, `Invalid`, `Io`, `StorageAbsent`.
    pub fn at_once(&self) -> Result<Vec<Option<TrashId>>> {
        self.share.checked(|| {
            let mut outs = self.take_all(self.find()?, true)?;
            let ids = settle(&mut outs)?;
            outs.iter().try_for_each(Out::remove)?;
            Ok(ids)
        })
    }

    /// Removes everything, in one step into the trash or piece by piece for good, and says what became of
    /// each. Called off, it leaves what it had not come to.
    ///
    /// Errors: `Cancelled`, `NotFound`, `Refused`, `Io`, `StorageAbsent`.
    pub fn run(&self, progress: &Progress) -> Result<Vec<Option<TrashId>>> {
        self.share.checked(|| {
            let spots = self.find()?;
            progress.go_on()?;
            let mut outs = self.take_all(spots, false)?;
            let ids = settle(&mut outs)?;
            let binned = ids.iter().flatten().cloned().map(|id| progress.threw_away(id)).count();
            progress.expect(0, binned as u64);
            progress.add(0, binned as u64);
            let stays = || outs.iter().filter(|out| matches!(out.way, Way::Stays));
            if progress.is_watched() {
                for out in stays() {
                    let (folder, name) = (&out.spot.folder, &out.spot.name);
                    progress.expect(0, self.share.count(folder, name, progress)?.1);
                }
            }
            stays().try_for_each(|out| self.rake(&out.spot, progress))?;
            Ok(ids)
        })
    }

    /// Finds everything; all must be there and be what was asked for.
    fn find(&self) -> Result<Vec<Spot>> {
        let share = &self.share;
        let mut spots = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            let mut spot = share.locate_itself(path, &[Need::Write])?;
            match self.kind {
                Some(Kind::Folder) => share.must_be(&spot, path, Kind::Folder)?,
                Some(_) if spot.is_folder() => {
                    return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
                }
                _ => {}
            }
            refuse_mounts(&spot)?;
            spot.folder = share.finder.shared(spot.folder).map_err(os)?;
            spots.push(spot);
        }
        refuse_overlaps(spots.iter().map(|spot| &spot.path))?;
        Ok(spots)
    }

    /// Takes everything out of its place, or nothing. What can't be kept in the trash is hidden with
    /// `hides`, else it stays.
    fn take_all(&self, spots: Vec<Spot>, hides: bool) -> Result<Vec<Out>> {
        let is_alone = spots.len() == 1;
        let mut outs: Vec<Out> = Vec::with_capacity(spots.len());
        for spot in spots {
            // One file goes in one step all by itself.
            let hides = hides && (spot.is_folder() || !is_alone);
            match self.take(&spot, hides) {
                Ok(way) => outs.push(Out { spot, way }),
                Err(error) => {
                    self.put_all_back(outs);
                    return Err(error);
                }
            }
        }
        Ok(outs)
    }

    /// Takes one thing out of its place.
    fn take(&self, spot: &Spot, hides: bool) -> Result<Way> {
        let failed = |errno| if spot.is_folder() { moved(errno) } else { os(errno) };
        if self.wish == Fate::Trash
            && let Some(ticket) = self.share.throw_away(spot, failed)?
        {
            return Ok(Way::Binned(ticket));
        }
        if !hides {
            return Ok(Way::Stays);
        }
        let parent = spot.path.parent().unwrap_or_default();
        let workshop = self.share.finder.workshop(&parent)?;
        let hidden = mount::temporary_name();
        let (folder, name) = (spot.folder.as_fd(), spot.name.as_bytes());
        match discard::take_out(folder, name, workshop.as_fd(), &hidden) {
            Ok(()) => Ok(Way::Hidden(workshop, hidden)),
            // See `throw_away`.
            Err(Errno::XDEV) if !spot.is_folder() => Ok(Way::Stays),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Puts what was taken out back, the last first, durably. What finds something else in its place stays
    /// in the trash.
    fn put_all_back(&self, mut outs: Vec<Out>) {
        for Out { spot, way } in outs.iter_mut().rev() {
            let (hidden, name) = match way {
                Way::Binned(ticket) => (Arc::clone(&ticket.bin), ticket.id.as_str().to_owned()),
                Way::Hidden(folder, name) => (Arc::clone(folder), name.clone()),
                Way::Stays => continue,
            };
            let put = discard::moving(hidden.as_fd(), name.as_bytes(), true, || {
                self.share.rename_noreplace(&hidden, &name, &spot.folder, &spot.name)
            });
            if let Way::Binned(ticket) = way {
                ticket.is_filled = put.is_err();
                if put.is_err() {
                    let _finished_by_the_sweep = ticket.settle();
                }
            }
        }
        let _nothing_more_to_be_done = sync(outs.iter().map(|out| &out.spot.folder));
    }

    /// Removes a tree piece by piece where it is.
    fn rake(&self, spot: &Spot, progress: &Progress) -> Result<()> {
        progress.go_on()?;
        if !spot.is_folder() {
            unlink(spot)?;
            progress.add(0, 1);
            return Ok(());
        }
        let place = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
        let top = Arc::new(place);
        let mut rake = Rake {
            top: Arc::clone(&top),
            filesystem: look::filesystem_of(&look::look_at(&*top).map_err(os)?),
            no_openat2: self.share.finder.root.quirks.no_openat2,
            progress,
        };
        self.share.walk(top, progress, true, &mut |walk| walk.show(&mut rake))?;
        match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::BUSY) => return Err(mounted()),
            Err(errno) => return Err(os(errno)),
        }
        progress.add(0, 1);
        look::sync_folder(&*spot.folder).map_err(os)
    }
}

/// One thing on its way out.
struct Out {
    /// Where it was.
    spot: Spot,
    /// Where it is now.
    way: Way,
}

/// Where a thing on its way out is.
enum Way {
    /// In the trash.
    Binned(Ticket),
    /// In this hidden folder under this name, to be removed.
    Hidden(Arc<OwnedFd>, String),
    /// Where it was, to be removed there.
    Stays,
}

impl Out {
    /// Removes for good what is not in the trash.
    fn remove(&self) -> Result<()> {
        match &self.way {
            Way::Binned(_) => {}
            Way::Hidden(folder, name) => {
                // It is gone in either case; what is left of it waits for the sweep.
                let _is_all_removed = discard::remove(folder.as_fd(), name.as_bytes());
            }
            Way::Stays => unlink(&self.spot)?,
        }
        Ok(())
    }
}

/// Makes durable that things are out of their places, and says of each where in the trash it is.
fn settle(outs: &mut [Out]) -> Result<Vec<Option<TrashId>>> {
    let mut ids = Vec::with_capacity(outs.len());
    for out in outs.iter_mut() {
        ids.push(match &mut out.way {
            Way::Binned(ticket) => {
                ticket.settle().map_err(os)?;
                Some(ticket.id.clone())
            }
            _ => None,
        });
    }
    // First where things are, then where they were: a drive without a journal must not lose one in between.
    let bins = outs.iter().filter_map(|out| match &out.way {
        Way::Binned(ticket) => Some(&ticket.bin),
        _ => None,
    });
    let places = outs.iter().filter(|out| !matches!(out.way, Way::Stays));
    sync(bins.chain(places.map(|out| &out.spot.folder))).map_err(os)?;
    Ok(ids)
}

/// Makes the names in folders durable, each folder once.
fn sync<'a>(folders: impl Iterator<Item = &'a Arc<OwnedFd>>) -> rustix::io::Result<()> {
    let mut synced = HashSet::new();
    for folder in folders {
        if synced.insert(Arc::as_ptr(folder)) {
            look::sync_folder(&**folder)?;
        }
    }
    Ok(())
}

/// Removes a file or a link for good.
fn unlink(spot: &Spot) -> Result<()> {
    match rustix::fs::unlinkat(&*spot.folder, &spot.name, AtFlags::empty()) {
        Ok(()) => look::sync_folder(&*spot.folder).map_err(os),
        Err(Errno::ISDIR) => Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
        Err(errno) => Err(os(errno)),
    }
}
/// Removes a tree's leaves, and its folders when they are empty.
struct Rake<'a> {
    /// The top; it is removed by who knows its name.
    top: Arc<OwnedFd>,
    /// The filesystem it is on, which is not left.
    filesystem: Filesystem,
    /// See `Walk`.
    no_openat2: bool,
    /// How far it is.
    progress: &'a Progress,
}

impl Visitor for Rake<'_> {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        if look::filesystem_of(folder.stat) != self.filesystem {
            return Err(mounted());
        }
        if folder.stat.stx_mode & 0o700 != 0o700 {
            // Not ours to change: then removing says so.
            let _told_by_what_follows = look::unlock(folder.handle.as_fd());
        }
        Ok(())
    }

    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], _stat: &Statx) -> Result<()> {
        match rustix::fs::unlinkat(folder.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(os(errno)),
        }
        self.progress.add(0, 1);
        Ok(())
    }

    fn leave(&mut self, place: &[u8], _mark: Mark) -> Result<()> {
        if place.is_empty() {
            return Ok(());
        }
        let (above, name) = match place.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&place[..at], &place[at + 1..]),
            None => (&[][..], place),
        };
        let above = open_deep(&self.top, above, self.no_openat2).map_err(os)?;
        match rustix::fs::unlinkat(&*above, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            // Somebody has put something there meanwhile.
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                return Err(Error::Conflict("The folder has changed meanwhile"));
            }
            Err(errno) => return Err(os(errno)),
        }
        self.progress.add(0, 1);
        Ok(())
    }
}
