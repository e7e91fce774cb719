//! The walk through all folders that Photos shows, or that a search goes through: what the grant reaches, without
//! links, with the notes of the drive that each folder is on. A drive that does not answer is left out.

use super::NOT_THERE;
use super::gate::Pass;
use super::look::{self, FileId, Filesystem};
use super::os;
use super::path::{HOME, VaultPath};
use super::photos_store::{NoteName, Store};
use super::progress::Progress;
use super::raw_name;
use super::resolve::{Follow, Spot};
use super::share::Share;
use crate::error::{Error, Result, Why};
use crate::{limits, threads};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Statx};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::SystemTime;

/// Where a walk begins: a folder, or one file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// By what name.
    pub told: VaultPath,
    /// Where it really is.
    pub real: VaultPath,
    /// Whether it is a file.
    pub is_file: bool,
}

/// A filesystem that the walk is in.
pub(super) struct Top {
    /// Where it begins, by the share root.
    pub place: Vec<u8>,
    /// Which it is.
    filesystem: Filesystem,
    /// Larder's own folder there: some drives make up short names for long ones.
    home: Option<FileId>,
    /// Its notes.
    pub store: Store,
    /// Whether the walk came to its top, and so to all of it.
    pub is_whole: bool,
    /// The notes that it has come by, for whoever wants to know them.
    pub known: HashSet<NoteName>,
}

/// A folder that the walk has come to.
pub(super) struct Visit<'w> {
    /// Where the walk began.
    start: &'w Start,
    /// Where it is, by the share root.
    pub place: &'w [u8],
    /// Open as a place to be in.
    pub folder: Arc<OwnedFd>,
    /// What it was when it was opened.
    pub stat: Statx,
    /// What its note is called.
    pub note: NoteName,
    /// The filesystem that it is on.
    pub top: &'w mut Top,
    /// The right to ask its drive.
    pub pass: Option<Pass>,
    /// Folders that are still ahead.
    ahead: &'w mut Ahead,
}

impl Visit<'_> {
    /// Opens it for reading its names.
    pub fn open(&self) -> Result<OwnedFd> {
        look::open_to_read(&*self.folder, b".").map_err(os)
    }

    /// Comes to a folder in it later.
    pub fn descend(&mut self, name: &[u8]) {
        if !self.start.is_file {
            self.ahead.push(self.place.len(), name);
        }
    }

    /// Whether a name in it is meant.
    pub fn is_meant(&self, name: &[u8]) -> bool {
        !self.start.is_file || self.start.real.name_on_disk().as_bytes() == name
    }

    /// What a name in it is called towards the caller.
    pub fn tell(&self, name: &[u8]) -> VaultPath {
        if self.start.is_file {
            return self.start.told.clone();
        }
        self.told().join(&raw_name::tell(name))
    }

    /// What the folder is called towards the caller, where the walk began at one.
    pub fn told(&self) -> VaultPath {
        let folder = VaultPath::from_disk(self.place);
        let below = folder.below(&self.start.real).unwrap_or_default();
        self.start.told.join_path(&below)
    }

    /// A mark that is another one whenever names in the folder have come or gone; `None` when that was so near that
    /// the next change could have the same.
    pub fn mark(&self) -> Option<i64> {
        let times = [&self.stat.stx_mtime, &self.stat.stx_ctime].map(look::nanoseconds_of);
        let is_coarse = times.iter().all(|time| time % limits::COARSE_CLOCK_NS == 0);
        let window = if is_coarse { limits::COARSE_CLOCK_TIME } else { limits::FINE_CLOCK_TIME };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i128::try_from(now.as_nanos()).unwrap_or(0);
        let is_near = |time: i128| now.abs_diff(time) <= window.as_nanos();
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what differs")]
        let [modified, changed] = times.map(|time| time as i64);
        let mark = modified.wrapping_mul(31) ^ changed;
        (!times.into_iter().any(is_near)).then_some(mark)
    }
}

/// Folders that are still ahead, the next one last: names in one piece of memory.
#[derive(Default)]
struct Ahead {
    /// The names.
    names: Vec<u8>,
    /// For each where it begins, and how long the place of the folder is that it is in.
    heads: Vec<(u32, u32)>,
    /// Whether some were too many.
    is_full: bool,
}

impl Ahead {
    /// Adds a folder in the present one.
    fn push(&mut self, above: usize, name: &[u8]) {
        let cost = self.names.len() + name.len() + self.heads.len() * size_of::<(u32, u32)>();
        let (Ok(at), Ok(above)) = (u32::try_from(self.names.len()), u32::try_from(above)) else {
            return;
        };
        if cost > limits::PHOTOS_AHEAD_BYTES {
            self.is_full = true;
            return;
        }
        self.names.extend(name);
        self.heads.push((at, above));
    }

    /// Goes to the next folder; whether there is one.
    fn pop(&mut self, place: &mut Vec<u8>) -> bool {
        let Some((at, above)) = self.heads.pop() else { return false };
        place.truncate(above as usize);
        if above > 0 {
            place.push(b'/');
        }
        place.extend(self.names.drain(at as usize..));
        true
    }
}

/// What a walk does with a folder.
pub(super) type OnFolder<'v> = &'v mut dyn FnMut(&mut Visit<'_>) -> Result<()>;

/// What a walk does with a filesystem that it leaves.
pub(super) type OnTop<'v> = &'v mut dyn FnMut(&Top) -> Result<()>;

impl Share {
    /// Where Photos begins to look for what is in and below a folder.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `DriveBusy`.
    pub(super) fn photo_starts(&self, path: &VaultPath) -> Result<Vec<Start>> {
        if !self.grant().may_see(path) {
            return Err(Error::Refused);
        }
        let spot = self.finder.locate(path, Follow::Last)?;
        if !self.grant().may_see(&spot.path) {
            return Err(Error::Refused);
        }
        match spot.file_type() {
            None => return Err(NOT_THERE),
            Some(FileType::Directory) => {}
            Some(_) => return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
        }
        let mut starts = Vec::new();
        if self.grant().may_read(path) && self.grant().may_read(&spot.path) {
            starts.extend(start(path, &spot));
        } else {
            // What may be read lies below.
            for below in self.grant().readable().iter().filter(|below| below.starts_with(path)) {
                let spot = self.finder.glance_at(below, Follow::Last).ok();
                let spot = spot.filter(|spot| self.grant().may_read(&spot.path));
                starts.extend(spot.and_then(|spot| start(below, &spot)));
            }
        }
        Ok(without_those_in_others(starts))
    }

    /// Walks through the folders from there on; whether it came to all of them.
    ///
    /// Errors: those of the visitors, `Cancelled`.
    pub(super) fn walk_photos(
        &self,
        starts: &[Start],
        progress: &Progress,
        visit: OnFolder<'_>,
        leave: OnTop<'_>,
    ) -> Result<bool> {
        let mut walk =
            Walk { share: self, tops: Vec::new(), ahead: Ahead::default(), is_all: true };
        for start in starts {
            walk.show(start, progress, visit, leave)?;
        }
        Ok(walk.is_all && !walk.ahead.is_full)
    }
}

/// A place to begin at; `None` for what Photos does not show.
fn start(told: &VaultPath, spot: &Spot) -> Option<Start> {
    let is_hidden = |path: &VaultPath| {
        path.components().any(|name| name.starts_with('.')) || path.is_reserved()
    };
    let is_file = match spot.file_type()? {
        FileType::Directory => false,
        FileType::RegularFile => true,
        _ => return None,
    };
    (!is_hidden(told) && !is_hidden(&spot.path)).then(|| Start {
        told: told.clone(),
        real: spot.path.clone(),
        is_file,
    })
}

/// Without those that lie in another one.
pub(super) fn without_those_in_others(mut starts: Vec<Start>) -> Vec<Start> {
    starts.sort_by(|one, other| one.real.cmp(&other.real));
    let mut kept: Vec<Start> = Vec::new();
    for start in starts {
        if !kept.iter().any(|above| start.real.starts_with(&above.real)) {
            kept.push(start);
        }
    }
    kept
}

/// A walk.
struct Walk<'s> {
    /// Whose it is.
    share: &'s Share,
    /// The filesystems that it is in, the innermost last.
    tops: Vec<Top>,
    /// Folders that are still ahead.
    ahead: Ahead,
    /// Whether nothing was left out.
    is_all: bool,
}

impl Walk<'_> {
    /// From one place.
    fn show(
        &mut self,
        start: &Start,
        progress: &Progress,
        visit: OnFolder<'_>,
        leave: OnTop<'_>,
    ) -> Result<()> {
        let real = if start.is_file {
            start.real.parent().unwrap_or_default()
        } else {
            start.real.clone()
        };
        let mut place = real.on_disk().into_owned();
        self.come_to(&place);
        loop {
            progress.go_on()?;
            threads::give_way();
            self.leave_tops(&place, leave)?;
            self.visit(start, &place, visit)?;
            if !self.ahead.pop(&mut place) {
                break;
            }
        }
        for mut top in self.tops.drain(..).rev() {
            top.is_whole &= !self.ahead.is_full;
            leave(&top)?;
        }
        Ok(())
    }

    /// Finds out on which filesystems the folders above a place are.
    fn come_to(&mut self, place: &[u8]) {
        let cuts = place.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let above = Some(0).into_iter().chain(cuts).filter(|_| !place.is_empty());
        for cut in above {
            let place = &place[..cut];
            let Ok(folder) = self.open(place) else { return };
            let Ok(stat) = look::look_at(&*folder) else { return };
            self.enter_top(place, &folder, &stat, false);
        }
    }

    /// Notes that a folder is the top of another filesystem, if it is.
    fn enter_top(&mut self, place: &[u8], folder: &OwnedFd, stat: &Statx, is_whole: bool) {
        let filesystem = look::filesystem_of(stat);
        if self.tops.last().is_some_and(|top| top.filesystem == filesystem) {
            return;
        }
        let Ok(handle) = folder.try_clone() else { return };
        let home = look::look(folder, HOME.as_bytes()).ok().flatten();
        let (home, place) = (home.map(|stat| look::id_of(&stat)), place.to_vec());
        self.tops.push(Top {
            place,
            filesystem,
            home,
            store: Store::of(handle),
            is_whole,
            known: HashSet::new(),
        });
    }

    /// Leaves the filesystems that a place is not in.
    fn leave_tops(&mut self, place: &[u8], leave: OnTop<'_>) -> Result<()> {
        let is_in = |top: &Top| {
            let rest = place.strip_prefix(top.place.as_slice());
            top.place.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        while let Some(mut top) = self.tops.pop_if(|top| !is_in(top)) {
            top.is_whole &= !self.ahead.is_full;
            leave(&top)?;
        }
        Ok(())
    }

    /// Opens a folder as a place to be in.
    fn open(&self, place: &[u8]) -> rustix::io::Result<Arc<OwnedFd>> {
        let finder = &self.share.finder;
        look::open_deep(&finder.handle, place, finder.root.quirks.no_openat2)
    }

    /// Shows one folder. What larder may not open, or what is gone, has nothing to show.
    fn visit(&mut self, start: &Start, place: &[u8], visit: OnFolder<'_>) -> Result<()> {
        if place.len() > limits::PATH_BYTES_MAX {
            return Ok(());
        }
        let Ok(pass) = self.share.finder.glance(&VaultPath::from_disk(place)) else {
            self.is_all = false;
            return Ok(());
        };
        let Ok(folder) = self.open(place) else { return Ok(()) };
        let Ok(seen) = look::look_at(&*folder) else { return Ok(()) };
        let id = look::id_of(&seen);
        if id == self.share.finder.home || self.tops.iter().any(|top| top.home == Some(id)) {
            return Ok(());
        }
        self.enter_top(place, &folder, &seen, true);
        let Some(top) = self.tops.last_mut() else { return Ok(()) };
        let below = place.get(top.place.len()..).unwrap_or_default();
        let note = top.store.name_of(&seen, below);
        visit(&mut Visit {
            start,
            place,
            folder,
            stat: seen,
            note,
            top,
            ahead: &mut self.ahead,
            pass: Some(pass),
        })
    }
}
