//! Finding a place: from a path to an open folder and a name in it, links followed without ever
//! leaving the share root. Race-free, since every step is relative to an open handle and follows
//! no link by itself. Knows no grants; `share.rs` asks them about the answer.

use super::drives::Mounts;
use super::gate::{self, Pass, Patience};
use super::look::{self, FileId, Filesystem};
use super::numbered::numbered;
use super::path::{HOME, VaultPath, is_reserved};
use super::permit::Permit;
use super::root::Root;
use super::{NOT_THERE, os, raw_name};
use crate::error::{Error, Why};
use crate::{limits, threads};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, OFlags, ResolveFlags, Statx};
use rustix::io::Errno;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Whether a link in the last place is followed. Links on the way always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// The place meant is where the link leads.
    Last,
    /// The place meant is the link itself.
    NotLast,
}

/// A name in an open folder, and what was there a moment ago.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The folder, open as a place to start from.
    pub folder: Arc<OwnedFd>,
    /// The name in it; `.` for the share root.
    pub name: OsString,
    /// Where that really is, links resolved.
    pub path: VaultPath,
    /// What was found there; `None` when there was nothing.
    pub stat: Option<Statx>,
}

impl Spot {
    /// What kind of thing is there.
    pub fn file_type(&self) -> Option<FileType> {
        self.stat.as_ref().map(look::type_of)
    }

    /// Whether a link is there.
    pub fn is_link(&self) -> bool {
        self.file_type() == Some(FileType::Symlink)
    }

    /// Whether the drive lets larder change what was found there.
    pub fn permits(&self, stat: &Statx) -> bool {
        Permit::of(&*self.folder).permits(&self.folder, self.name.as_bytes(), stat)
    }

    /// Whether a folder is there.
    pub fn is_folder(&self) -> bool {
        self.file_type() == Some(FileType::Directory)
    }
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// A folder on the way is not there, or the place is larder's own.
    Missing,
    /// A link leads out of the share root.
    Escapes,
    /// Links lead to links without end.
    Loops,
    /// A drive on the way does not answer.
    Silent,
    /// The operating system refused.
    Os(Errno),
}

impl From<Errno> for Lost {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Missing,
            other => Self::Os(other),
        }
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Missing | Lost::Escapes | Lost::Loops => NOT_THERE,
            Lost::Silent => gate::busy(),
            Lost::Os(errno) => os(errno),
        }
    }
}

/// Folders that are open at the moment, so that a thousand files of one upload share one descriptor.
pub type OpenFolders = Arc<Mutex<Vec<(Filesystem, FileId, Weak<OwnedFd>)>>>;

/// An open share root, to find places from.
#[derive(Clone, Debug)]
pub struct Finder {
    /// What the vault knows of it.
    pub root: Arc<Root>,
    /// The share root, open as a place to start from.
    pub handle: Arc<OwnedFd>,
    /// Which folder is larder's own.
    pub home: FileId,
    /// Folders that are worth keeping open once only.
    pub open_folders: OpenFolders,
    /// The place that no link leads out of.
    confines: Option<VaultPath>,
    /// What was mounted where when the root was opened.
    mounts: Arc<Mounts>,
    /// How long drives were waited for, all clones together (ms).
    waited_ms: Arc<AtomicU64>,
}

/// Where a walk stands.
struct Stand {
    /// The folder, open as a place to start from.
    folder: Arc<OwnedFd>,
    /// Where that is, links resolved.
    path: VaultPath,
    /// The filesystem it is on; `None` before the first step.
    filesystem: Option<Filesystem>,
    /// Larder's own folder in it, when it is the top of a filesystem: some drives make up short names
    /// for long ones, which would lead in by the back door.
    home: Option<FileId>,
    /// How long the walk waits for a drive.
    patience: Patience,
    /// The right to ask the drive it is on.
    pass: Option<Pass>,
}

impl Stand {
    /// In the share root.
    fn at_root(finder: &Finder, patience: Patience) -> Result<Self, Lost> {
        let (folder, path) = (Arc::clone(&finder.handle), VaultPath::root());
        let pass = Some(finder.enter(&path, patience)?);
        Ok(Self { folder, path, filesystem: None, home: Some(finder.home), patience, pass })
    }

    /// Back in the share root.
    fn go_back(&mut self, finder: &Finder) -> Result<(), Lost> {
        // Nobody who holds one drive waits for another.
        self.pass = None;
        *self = Self::at_root(finder, self.patience)?;
        Ok(())
    }

    /// Waits for the drive that is mounted at a name in the folder, if one is.
    fn cross(&mut self, finder: &Finder, name: &str) -> Result<(), Lost> {
        if let Some(pass) = finder.cross(self, name)? {
            self.pass = Some(pass);
        }
        Ok(())
    }

    /// Where the link of this name in the folder leads; `None` when it is none (any more).
    fn link(&self, name: &str) -> Result<Option<CString>, Lost> {
        let name = raw_name::known(name).into_owned();
        match rustix::fs::readlinkat(&self.folder, &name, Vec::new()) {
            Ok(target) => Ok(Some(target)),
            Err(Errno::INVAL) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// One folder further down, which was found open.
    fn step(&mut self, finder: &Finder, name: &str, next: OwnedFd) -> Result<(), Lost> {
        let stat = look::look_at(&next)?;
        if self.home == Some(look::id_of(&stat)) {
            return Err(Lost::Missing);
        }
        let last = match self.filesystem {
            Some(last) => last,
            None => look::filesystem_of(&look::look_at(&*finder.handle)?),
        };
        let filesystem = look::filesystem_of(&stat);
        self.home = if filesystem == last {
            None
        } else {
            look::look(&next, HOME.as_bytes())?.map(|stat| look::id_of(&stat))
        };
        self.filesystem = Some(filesystem);
        self.folder = Arc::new(next);
        self.path = self.path.join(name);
        Ok(())
    }

    /// Looks at a name in the folder.
    fn spot(&mut self, finder: &Finder, name: &str) -> Result<Spot, Lost> {
        self.cross(finder, name)?;
        let path = self.path.join(name);
        let name = path.name_on_disk();
        let stat = look::look(&self.folder, name.as_bytes())?;
        if stat.as_ref().is_some_and(|stat| self.home == Some(look::id_of(stat))) {
            return Err(Lost::Missing);
        }
        Ok(Spot { folder: Arc::clone(&self.folder), name, path, stat })
    }
}

impl Finder {
    /// Over an open share root.
    pub fn new(root: Arc<Root>, handle: Arc<OwnedFd>, home: FileId) -> Self {
        let mounts = root.drives.mounts();
        let (open_folders, waited_ms) = (OpenFolders::default(), Arc::default());
        Self { root, handle, home, open_folders, confines: None, mounts, waited_ms }
    }

    /// The same, where no link leads out of a place, were it only to come back.
    pub fn confined_to(self, place: Option<&VaultPath>) -> Self {
        Self { confines: place.cloned(), ..self }
    }

    /// Whether a link may lead there.
    fn is_inside(&self, path: &VaultPath) -> bool {
        self.confines.as_ref().is_none_or(|place| path.starts_with(place))
    }

    /// What is left of the patience with drives.
    fn patience(&self) -> Patience {
        let waited = Duration::from_millis(self.waited_ms.load(Ordering::Relaxed));
        Patience::Request(limits::DRIVE_PATIENCE.saturating_sub(waited))
    }

    /// Waits for the drive that a true path lies on.
    fn enter(&self, path: &VaultPath, patience: Patience) -> Result<Pass, Lost> {
        self.waiting(|| self.root.enter(&self.mounts, path, patience))
    }

    /// Waits for the drive that a true path lies on, no longer than somebody who looks at many places does.
    pub fn glance(&self, path: &VaultPath) -> Result<Pass, Lost> {
        self.enter(path, Patience::Glance)
    }

    /// Waits for the drive that a true path lies on, as long as a request may.
    pub fn ask(&self, path: &VaultPath) -> Result<Pass, Lost> {
        self.enter(path, self.patience())
    }

    /// Waits for the drive at a name in the folder where a walk stands, if there is one. What the walk
    /// holds is given back before.
    fn cross(&self, stand: &mut Stand, name: &str) -> Result<Option<Pass>, Lost> {
        let name = raw_name::known(name);
        if !self.root.is_top(&self.mounts, &stand.path, name.as_bytes()) {
            return Ok(None);
        }
        stand.pass = None;
        let at = (&stand.folder, &stand.path);
        self.waiting(|| self.root.cross(&self.mounts, at, name.as_bytes(), stand.patience))
    }

    /// What is called `name` in the open folder at a true path, and what the drive permits there, which
    /// for the folder is known. Of the top of another drive the kernel is asked, not the drive.
    ///
    /// Errors: `DriveBusy`.
    pub fn look_in(
        &self,
        at: (&Arc<OwnedFd>, &VaultPath),
        name: &[u8],
        permit: Permit,
    ) -> crate::error::Result<(Option<Statx>, Permit)> {
        if !self.root.is_top(&self.mounts, at.1, name) {
            return Ok((look::look(&**at.0, name).ok().flatten(), permit));
        }
        if !self.root.is_answering(&self.mounts, at, name) {
            return Err(gate::busy());
        }
        let permit = Permit::of_top(self.root.is_top_read_only(&self.mounts, at.1, name));
        Ok((look::look_unasked(&**at.0, name).ok().flatten(), permit))
    }

    /// Waits for something, and counts how long.
    fn waiting<T>(&self, wait: impl FnOnce() -> crate::error::Result<T>) -> Result<T, Lost> {
        let since = Instant::now();
        let outcome = wait();
        let waited = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waited_ms.fetch_add(waited, Ordering::Relaxed);
        outcome.map_err(|error| match error {
            // Larder itself ran out of something.
            Error::Io(cause) => Lost::Os(Errno::from_io_error(&cause).unwrap_or(Errno::IO)),
            _ => Lost::Silent,
        })
    }

    /// The folder, or the same one that is open already.
    pub fn shared(&self, folder: Arc<OwnedFd>) -> Result<Arc<OwnedFd>, Errno> {
        let stat = look::look_at(&*folder)?;
        let (filesystem, id) = (look::filesystem_of(&stat), look::id_of(&stat));
        let mut known = threads::locked(&self.open_folders);
        known.retain(|(.., folder)| folder.strong_count() > 0);
        let same = known
            .iter()
            .filter(|(at, which, _)| (*at, *which) == (filesystem, id))
            .find_map(|(.., folder)| folder.upgrade());
        if let Some(same) = same {
            return Ok(same);
        }
        known.push((filesystem, id, Arc::downgrade(&folder)));
        Ok(folder)
    }

    /// Finds the open folder and the name that `path` stands for.
    pub fn locate(&self, path: &VaultPath, follow: Follow) -> Result<Spot, Lost> {
        self.locate_within(path, follow, self.patience())
    }

    /// The same for whoever looks at many places and does not wait for one drive among them.
    pub fn glance_at(&self, path: &VaultPath, follow: Follow) -> Result<Spot, Lost> {
        self.locate_within(path, follow, Patience::Glance)
    }

    /// The same with so much patience with the drives on the way.
    fn locate_within(
        &self,
        path: &VaultPath,
        follow: Follow,
        patience: Patience,
    ) -> Result<Spot, Lost> {
        if path.is_reserved() {
            return Err(Lost::Missing);
        }
        if !self.root.quirks.no_openat2
            && let Some(spot) = self.locate_at_once(path, patience)?
            && (follow == Follow::NotLast || !spot.is_link())
        {
            return Ok(spot);
        }
        self.locate_step_by_step(path, follow, patience)
    }

    /// The common way: no links and no other drives on the way, so the kernel finds the folder in one
    /// step. `None` where the kernel cannot, or meets either.
    fn locate_at_once(&self, path: &VaultPath, patience: Patience) -> Result<Option<Spot>, Lost> {
        let mut stand = Stand::at_root(self, patience)?;
        let Some(parent) = path.parent() else { return self.the_root().map(Some) };
        if parent.is_root() {
            return stand.spot(self, path.name()).map(Some);
        }
        let first = parent.components().next().unwrap_or_default();
        let first = raw_name::known(first);
        if self.root.is_top(&self.mounts, &VaultPath::root(), first.as_bytes()) {
            // Even looking at it would ask the other drive, while this one is kept from all others.
            return Ok(None);
        }
        let first = look::look(&self.handle, first.as_bytes())?;
        if first.is_some_and(|stat| look::id_of(&stat) == self.home) {
            return Err(Lost::Missing);
        }
        let parent_name = parent.on_disk();
        let folder = match look::open_within(
            self.handle.as_fd(),
            &parent_name,
            OFlags::PATH,
            ResolveFlags::NO_XDEV,
        ) {
            Ok(folder) => folder,
            Err(
                Errno::LOOP
                | Errno::XDEV
                | Errno::NOSYS
                | Errno::PERM
                | Errno::AGAIN
                | Errno::INVAL
                | Errno::NAMETOOLONG,
            ) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let filesystem = look::filesystem_of(&look::look_at(&folder)?);
        if filesystem != look::filesystem_of(&look::look_at(&*self.handle)?) {
            return Ok(None);
        }
        stand.folder = Arc::new(folder);
        (stand.path, stand.filesystem, stand.home) = (parent, Some(filesystem), None);
        stand.spot(self, path.name()).map(Some)
    }

    /// The way for links and for kernels without `openat2`: one component at a time, holding one
    /// descriptor. A link's target takes the link's place in what is still to be walked.
    fn locate_step_by_step(
        &self,
        path: &VaultPath,
        follow: Follow,
        patience: Patience,
    ) -> Result<Spot, Lost> {
        // What is still to be walked, the next component last.
        let mut ahead: Vec<String> = path.components().rev().map(str::to_owned).collect();
        let mut stand = Stand::at_root(self, patience)?;
        let mut links = 0;
        for _ in 0..limits::LOOKUP_STEPS_MAX {
            let Some(part) = ahead.pop() else {
                // A link led to where we stand. Walk there once more, to stop one before.
                if stand.path.is_root() {
                    return self.the_root();
                }
                ahead.extend(stand.path.components().rev().map(str::to_owned));
                stand.go_back(self)?;
                continue;
            };
            if part == ".." {
                let parent = self.above(&stand.path)?;
                ahead.extend(parent.components().rev().map(str::to_owned));
                stand.go_back(self)?;
                continue;
            }
            if is_reserved(&part) {
                return Err(Lost::Missing);
            }
            let is_last = ahead.is_empty();
            if is_last {
                let spot = stand.spot(self, &part)?;
                if follow == Follow::NotLast || !spot.is_link() {
                    return Ok(spot);
                }
            } else {
                stand.cross(self, &part)?;
                match look::open_place(&stand.folder, raw_name::known(&part).as_bytes()) {
                    Ok(next) => {
                        stand.step(self, &part, next)?;
                        continue;
                    }
                    // A link, or a file.
                    Err(Errno::NOTDIR | Errno::LOOP) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
            let Some(target) = stand.link(&part)? else {
                if !is_last {
                    return Err(Lost::Missing);
                }
                // It is looked at again.
                ahead.push(part);
                continue;
            };
            links += 1;
            if links > limits::LINKS_MAX {
                return Err(Lost::Loops);
            }
            let (from_root, parts) = self.link_target(target.as_bytes())?;
            if from_root {
                stand.go_back(self)?;
            }
            ahead.extend(parts.into_iter().rev());
        }
        Err(Lost::Loops)
    }

    /// Where a place really is, or would be once the folders on the way are made.
    pub fn destination(&self, path: &VaultPath, follow: Follow) -> Result<VaultPath, Lost> {
        match (self.locate(path, follow), path.parent()) {
            (Ok(spot), _) => Ok(spot.path),
            (Err(Lost::Missing), Some(parent)) => {
                Ok(self.destination(&parent, Follow::Last)?.join(path.name()))
            }
            (Err(lost), _) => Err(lost),
        }
    }

    /// The first of `name.ext`, `name (1).ext` ... at a true path that is free and not `taken`, or the last
    /// that is looked at.
    pub fn next_free(
        &self,
        place: &VaultPath,
        taken: impl Fn(&VaultPath) -> bool,
    ) -> Result<VaultPath, Lost> {
        let parent = place.parent().unwrap_or_default();
        let mut free = place.clone();
        for number in 1..=limits::NUMBERED_NAMES_MAX {
            let is_free = || match self.locate(&free, Follow::NotLast) {
                Ok(spot) => Ok(spot.stat.is_none()),
                Err(Lost::Missing) => Ok(true),
                Err(lost) => Err(lost),
            };
            if !taken(&free) && is_free()? {
                break;
            }
            free = parent.join(&numbered(place.name(), number));
        }
        Ok(free)
    }

    /// The folder around one where a walk stands: no component behind is a link, so it is the one by name.
    fn above(&self, folder: &VaultPath) -> Result<VaultPath, Lost> {
        folder.parent().filter(|parent| self.is_inside(parent)).ok_or(Lost::Escapes)
    }

    /// A link's target as components to walk, and whether they start at the share root.
    fn link_target(&self, target: &[u8]) -> Result<(bool, Vec<String>), Lost> {
        let is_absolute = target.first() == Some(&b'/');
        let within = |rest: &[u8]| -> Vec<String> {
            let parts =
                rest.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
            parts.map(|part| raw_name::tell(part).into_owned()).collect()
        };
        if !is_absolute {
            return Ok((false, within(target)));
        }
        for root in self.root.real_paths(self.handle.as_fd()).into_iter().flatten() {
            let root = root.as_os_str().as_bytes();
            let root = root.strip_suffix(b"/").unwrap_or(root);
            if let Some(rest) = target.strip_prefix(root)
                && (rest.is_empty() || rest.starts_with(b"/"))
            {
                let parts = within(rest);
                let down = parts.iter().take_while(|part| *part != "..");
                let down = down.fold(VaultPath::root(), |path, part| path.join(part));
                return if self.is_inside(&down) { Ok((true, parts)) } else { Err(Lost::Escapes) };
            }
        }
        Err(Lost::Escapes)
    }

    /// The share root as a place.
    fn the_root(&self) -> Result<Spot, Lost> {
        let stat = Some(look::look_at(&*self.handle)?);
        let (folder, path) = (Arc::clone(&self.handle), VaultPath::root());
        Ok(Spot { folder, name: ".".into(), path, stat })
    }
}

/// No file can be where the root is, or where larder keeps its own.
///
/// Errors: `Invalid`.
pub(super) fn refuse_impossible(path: &VaultPath) -> crate::error::Result<()> {
    if path.is_root() {
        return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
    }
    if path.is_reserved() {
        return Err(Error::invalid_as(Why::Name, "Invalid name"));
    }
    Ok(())
}

/// What a place that must be there is called by, when it is not.
pub(super) fn there(spot: &Spot) -> crate::error::Result<&Statx> {
    spot.stat.as_ref().ok_or(NOT_THERE)
}

/// Nothing new is called by what is no text. What is there already keeps such a name wherever it goes.
///
/// Errors: `Invalid("Invalid name")`.
pub fn refuse_new(spot: &Spot) -> crate::error::Result<()> {
    if spot.stat.is_some() { Ok(()) } else { raw_name::must_be_text(&spot.name) }
}

/// Whether something has the name of a place by now.
pub fn is_taken(spot: &Spot) -> crate::error::Result<bool> {
    Ok(look::look(&spot.folder, spot.name.as_bytes()).map_err(os)?.is_some())
}
