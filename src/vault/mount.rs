//! The share root as a drive that may come and go: its marker, its hidden folder, its space.
//! Knows no paths of callers and no grants.

use super::discard;
use super::gate::Patience;
use super::group;
use super::hidden::{self, TEMPORARY};
use super::leftover;
use super::look::{self, FileId};
use super::made;
use super::names_store;
use super::news::Follower;
use super::path::{HOME, VaultPath};
use super::resolve::{Finder, Follow, Lost};
use super::room::Usage;
use super::root::{Quirks, Root, RootId, adopt_marker, tops_below};
use super::share::Share;
use super::stuck;
use super::tending::{self, Due};
use super::thumbs;
use super::trash::{self, Bin};
use super::upload_record;
use super::versions_keeping;
use super::waiting::{self, UploadOwners};
use super::{Grant, os};
use crate::error::Result;
use crate::{limits, threads};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Why a share root cannot be used at start. Its text is one line that says what to do.
#[derive(Debug)]
pub enum AttachError {
    /// There is no such folder.
    Missing(PathBuf),
    /// There is something else than a folder.
    NotAFolder(PathBuf),
    /// The folder is there and larder cannot work in it.
    Unusable(PathBuf, io::Error),
}

impl std::fmt::Display for AttachError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(out, "the share root {} does not exist: make it first", path.display())
            }
            Self::NotAFolder(path) => {
                write!(out, "the share root {} is not a folder: choose another", path.display())
            }
            Self::Unusable(path, cause) => write!(
                out,
                "the share root {} cannot be used ({cause}): larder must be able to write there",
                path.display()
            ),
        }
    }
}

impl std::error::Error for AttachError {}

/// The share root, for as long as the program runs. Holds no descriptor, so that an idle larder
/// never keeps a drive from being unmounted. All clones are one vault: when it moves to another
/// root, all do.
#[derive(Clone, Debug)]
pub struct Vault(Arc<RwLock<Arc<Root>>>);

impl Vault {
    /// Takes `root` as the share root and returns the id to be remembered for the next start.
    ///
    /// With a `known` id and no wish to `adopt`, nothing is written: a root without the right
    /// marker is an absent drive, and the vault answers `StorageAbsent` until it comes back.
    /// Otherwise the marker that is there is used, or one is made.
    pub fn attach(
        root: &Path,
        known: Option<&RootId>,
        adopt: bool,
    ) -> std::result::Result<(Self, RootId), AttachError> {
        let unusable = |cause: io::Error| AttachError::Unusable(root.into(), cause);
        let path = std::path::absolute(root).map_err(unusable)?;
        let id = match known {
            Some(known) if !adopt => known.clone(),
            _ => {
                let handle = look::open_root(&path).map_err(|errno| match errno {
                    Errno::NOENT => AttachError::Missing(path.clone()),
                    Errno::NOTDIR => AttachError::NotAFolder(path.clone()),
                    errno => unusable(errno.into()),
                })?;
                adopt_marker(&handle).map_err(|errno| unusable(errno.into()))?
            }
        };
        Ok((Self::new(path, id.clone(), Quirks::default()), id))
    }

    /// A vault over a root whose marker says `id`.
    fn new(path: PathBuf, id: RootId, quirks: Quirks) -> Self {
        let root = Root::new(path, id, quirks);
        Self(Arc::new(RwLock::new(Arc::new(root))))
    }

    /// The root as it is now.
    pub(super) fn now(&self) -> Arc<Root> {
        threads::whole(self.0.read()).clone()
    }

    /// Takes over the root of another vault. Shares that were given out stay where they are.
    pub fn move_to(&self, other: &Self) {
        let root = other.now();
        root.news.take_over(&self.now().news);
        *threads::whole(self.0.write()) = root;
    }

    /// This one is told of what larder moves from now on.
    pub fn tell_of_moves(&self, follower: Arc<dyn Follower>) {
        self.now().news.follow(follower);
    }

    /// What marks the root: no other house has the same.
    pub fn id(&self) -> RootId {
        self.now().id.clone()
    }

    /// The same vault on a kernel or filesystem that knows less.
    #[cfg(test)]
    pub(super) fn with_quirks(&self, quirks: Quirks) -> Self {
        let root = self.now();
        Self::new(root.path.clone(), root.id.clone(), quirks)
    }

    /// What one caller may see of the share root, found to be the right drive just now. `by` is a label
    /// for the caller, that the trash shows beside what they delete.
    ///
    /// Errors: `StorageAbsent`.
    pub fn share(&self, grant: Arc<Grant>, by: &str) -> Result<Share> {
        let root = self.now();
        let (handle, home) = open_tended(&root)?;
        Ok(Share::new(root, handle, home, grant, by))
    }

    /// Sets how many days the trash keeps things, and how many percent of a drive they may take; 0 of
    /// either keeps nothing. Asks nothing of the drive.
    pub fn keep_trash(&self, days: u32, percent: u32) {
        self.now().keeping.set(days, percent);
    }

    /// Sets how many versions of one file are kept. Asks nothing of the drive.
    pub fn keep_versions(&self, most: u32) {
        self.now().keeping.set_versions(most);
    }

    /// Sets how many megabytes of small pictures each drive keeps; 0 keeps none. Asks nothing of the drives.
    pub fn keep_thumbs(&self, megabytes: u32) {
        self.now().thumbs.set(megabytes);
    }

    /// Sets whether each drive keeps a list of its names. Asks nothing of the drives.
    pub fn keep_names(&self, is_on: bool) {
        self.now().names.set(is_on);
    }

    /// Removes those lists, here and on the drives mounted inside the share, if none are to be kept any more.
    ///
    /// Errors: `StorageAbsent`; the next call tries again.
    pub fn prune_names(&self) -> Result<()> {
        let root = self.now();
        if root.names.is_due() {
            let opened = root.open().inspect_err(|_| root.names.look_again());
            names_store::forget_all(&root, &Arc::new(opened?.0));
        }
        Ok(())
    }

    /// Removes from the trash, here and on the drives mounted inside the share, what was kept long enough,
    /// the oldest of what is too much, and versions that are not to be kept, if there can be any. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`, `Io`; the next call tries again.
    pub fn prune_trash(&self) -> Result<u64> {
        let root = self.now();
        let keeping = &root.keeping;
        if !keeping.is_due() {
            return Ok(0);
        }
        keeping.begin_to_look();
        let is_to_thin = keeping.begin_to_thin();
        let pruned = open_tended(&root).and_then(|(handle, _home)| {
            let (mut removed, mut next_ms, mut thin_ms) = (0, u64::MAX, u64::MAX);
            let (mut bytes, mut is_lighter) = (0_u64, false);
            for (top, bin) in trash::bins(&root, &handle) {
                let pruned = trash::prune(bin.as_fd(), keeping)?;
                removed += pruned.removed;
                next_ms = next_ms.min(pruned.next_ms);
                bytes = bytes.saturating_add(pruned.bytes);
                if is_to_thin {
                    let bin = Bin { folder: Arc::new(bin), top };
                    let (versions, next) = versions_keeping::thin(&bin, &root.versions, keeping)?;
                    removed += versions;
                    // What went was weighed with the rest.
                    is_lighter |= versions > 0;
                    thin_ms = thin_ms.min(next);
                }
            }
            keeping.looked(next_ms, bytes);
            if is_to_thin {
                keeping.thinned(thin_ms);
            }
            if is_lighter {
                keeping.look_again();
            }
            Ok(removed)
        });
        pruned.inspect_err(|_| {
            keeping.look_again();
            keeping.thin_again();
        })
    }

    /// Bytes in the trash as the keeper weighed it last. Asks nothing of the drives.
    pub fn trash_bytes(&self) -> Option<u64> {
        self.now().keeping.bytes()
    }

    /// Uploads that are begun and can be gone on with, as far as this process has seen them. Asks nothing of the drives.
    #[expect(clippy::unused_self, reason = "whoever has no vault has no business with its uploads")]
    pub fn uploads_open(&self) -> usize {
        upload_record::count_open()
    }

    /// Has small pictures go, here and on the drives mounted inside the share, if fewer are to be kept than
    /// before. Does not wait for that.
    ///
    /// Errors: `StorageAbsent`; the next call tries again.
    pub fn prune_thumbs(&self) -> Result<()> {
        let root = self.now();
        if !root.thumbs.is_due() {
            return Ok(());
        }
        let (handle, _home) = open_tended(&root).inspect_err(|_| root.thumbs.look_again())?;
        thumbs::look_through(&root, &handle);
        Ok(())
    }

    /// Removes what a crash left half done, here and on the drives mounted inside the share, but
    /// nothing this process is working on. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`; what cannot be removed is left for the next start.
    pub fn sweep(&self) -> Result<u64> {
        let root = self.now();
        let handle = Arc::new(root.open()?.0);
        let held = group::take_back(&root, &handle);
        root.versions.forget();
        let mut removed = sweep_filesystem(handle.as_fd(), &held);
        for (_, folder) in tops_below(&root, &handle) {
            removed += sweep_filesystem(folder.as_fd(), &held);
        }
        root.keeping.look_again();
        Ok(removed)
    }

    /// Removes uploads that have waited long enough, and all of those who are gone. While there are none it asks only
    /// the memory. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`, `Io`; the next call tries again.
    pub fn tend_uploads(&self, owners: &dyn UploadOwners) -> Result<u64> {
        let Some(due) = tending::due(|owner| owners.is_gone(owner)) else { return Ok(0) };
        let root = self.now();
        let handle = Arc::new(root.open()?.0);
        let inner = tops_below(&root, &handle).into_iter().map(|(_, top)| top);
        tending::begin(&due);
        Ok(inner.chain(handle.try_clone()).map(|top| tend(top.as_fd(), &due, owners)).sum())
    }

    /// Does so again on drives where something could not be removed and that may have passed. While there is
    /// nothing to do it asks only the memory, and while the drive takes no writes only the kernel's tables, so
    /// that drives may sleep. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`.
    pub fn sweep_again(&self) -> Result<u64> {
        if !leftover::is_due() {
            return Ok(0);
        }
        let root = self.now();
        let handle = Arc::new(root.open()?.0);
        let inner = tops_below(&root, &handle).into_iter().map(|(_, top)| top);
        let is_due = |top: &OwnedFd| {
            leftover::waits_on(top.as_fd())
                && Usage::of(top.as_fd()).is_ok_and(|usage| !usage.is_read_only)
        };
        let due: Vec<OwnedFd> = inner.chain(handle.try_clone()).filter(is_due).collect();
        // Before anything is tried: what fails again waits again.
        for top in &due {
            leftover::begin(top.as_fd());
        }
        let held = group::take_back(&root, &handle);
        root.versions.forget();
        Ok(due.iter().map(|top| sweep_filesystem(top.as_fd(), &held)).sum())
    }

    /// Hands out what of the unfinished things cannot be removed, as it belongs to another account or is
    /// fixed: where it is on the machine. Changes nothing.
    ///
    /// Errors: `StorageAbsent`.
    pub fn each_stuck(&self, take: &mut dyn FnMut(PathBuf)) -> Result<()> {
        let root = self.now();
        let handle = Arc::new(root.open()?.0);
        let mut look_at = |top: BorrowedFd<'_>, below: &Path| {
            let home = root.path.join(below).join(HOME);
            // What cannot be looked at has told nothing, and that is all there is to say of it.
            let _untold = stuck::stuck(top, &mut |place| take(home.join(place)));
        };
        look_at(handle.as_fd(), Path::new(""));
        for (below, top) in tops_below(&root, &handle) {
            look_at(top.as_fd(), &below);
        }
        Ok(())
    }

    /// Whether the right drive is there now.
    pub fn is_present(&self) -> bool {
        self.now().is_present()
    }

    /// The same, and it answers: asked for, unless it has just shown that it does.
    pub fn answers(&self) -> bool {
        self.now().open_within(Patience::UntilSilent).is_ok()
    }

    /// Where those drives are that somebody asked and that do not answer. Asks none itself.
    pub fn silent_drives(&self) -> Vec<PathBuf> {
        self.now().drives.silent()
    }

    /// Where those drives are, or belong, that work waits for that was cut off. Asks none.
    pub fn missed_drives(&self) -> Vec<PathBuf> {
        threads::locked(&self.now().missed).clone()
    }

    /// Sends away whoever waits for a drive, now and later: larder is ending.
    pub fn stop_waiting(&self) {
        self.now().drives.close();
    }

    /// Where the share root is, absolute.
    pub fn root(&self) -> PathBuf {
        self.now().path.clone()
    }

    /// Which user and which group larder's own folder belongs to, by number: whom larder works as.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`, `Io`.
    pub fn owner(&self) -> Result<(u32, u32)> {
        let (handle, _home) = self.now().open()?;
        let home = look::open_place(handle.as_fd(), HOME.as_bytes()).map_err(os)?;
        let stat = look::look_at(&home).map_err(os)?;
        Ok((stat.stx_uid, stat.stx_gid))
    }

    /// Where on the machine a folder of the share is, for other programs. `None` when none stands there, or a link
    /// leads to it, which may lead elsewhere tomorrow. Changes nothing, unlike a share.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`, `Io`.
    pub fn folder_on_disk(&self, path: &VaultPath) -> Result<Option<PathBuf>> {
        let root = self.now();
        let (handle, home) = root.open()?;
        let finder = Finder::new(Arc::clone(&root), Arc::new(handle), home);
        let spot = match finder.locate(path, Follow::Last) {
            Err(Lost::Missing | Lost::Escapes | Lost::Loops) => return Ok(None),
            spot => spot?,
        };
        let stands_there = spot.path == *path && spot.is_folder();
        let below = path.on_disk();
        // Joined with nothing the root would end with a `/`.
        let place = match &*below {
            b"" => root.path.clone(),
            below => root.path.join(OsStr::from_bytes(below)),
        };
        Ok(stands_there.then_some(place))
    }

    /// Space on the drive, unless it takes longer than a moment to tell.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`, `Io`.
    pub fn usage_at_a_glance(&self) -> Result<Usage> {
        let (handle, _home) = self.now().open_within(Patience::Glance)?;
        Usage::of(handle.as_fd()).map_err(os)
    }

    /// Space on the drive.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn usage(&self) -> Result<Usage> {
        let (handle, _home) = self.now().open()?;
        Usage::of(handle.as_fd()).map_err(os)
    }
}

/// Opens the share root. On drives that have just come, what was cut off is taken back first.
fn open_tended(root: &Arc<Root>) -> Result<(Arc<OwnedFd>, FileId)> {
    let (handle, home) = root.open()?;
    let handle = Arc::new(handle);
    root.tend(&handle, take_back);
    Ok((handle, home))
}

/// Takes back what was cut off. What has to wait is held by whoever sweeps as well.
fn take_back(root: &Root, handle: &Arc<OwnedFd>, has_come: &dyn Fn(&Path) -> bool) {
    let held = group::take_back(root, handle);
    root.versions.forget();
    unmake_folders(handle.as_fd(), &held);
    for (below, top) in tops_below(root, handle) {
        unmake_folders(top.as_fd(), &held);
        if has_come(&below) {
            // Everything else that a crash left on it can wait until it is swept.
            leftover::note(top.as_fd());
        }
    }
}

/// Removes empty folders that other processes made on the way to something, on one filesystem.
fn unmake_folders(top: BorrowedFd<'_>, held: &HashSet<Vec<u8>>) {
    let workshop = format!("{HOME}/{TEMPORARY}");
    if let Ok(workshop) = look::open_to_read(top, workshop.as_bytes()) {
        made::sweep(top, workshop.as_fd(), &|name| is_in_work(name, held));
    }
}

/// Whether somebody still needs an unfinished thing: this process, or a group that cannot be taken back for now.
fn is_in_work(name: &[u8], held: &HashSet<Vec<u8>>) -> bool {
    held.contains(name)
        || !held.is_empty() && made::is_note(name)
        || std::str::from_utf8(name).is_ok_and(hidden::is_in_work)
}

/// Does what is to be done about uploads on one filesystem.
fn tend(top: BorrowedFd<'_>, due: &Due, owners: &dyn UploadOwners) -> u64 {
    let Ok(home) = look::open_place(top, HOME.as_bytes()) else { return 0 };
    let of_gone = due.gone.iter().map(|owner| waiting::drop_all_of(home.as_fd(), owner)).sum();
    if !due.is_late {
        return of_gone;
    }
    of_gone + waiting::prune(home.as_fd(), limits::PARTS_MAX, Some(owners))
}

/// Removes what other processes left in the hidden folder of one filesystem.
fn sweep_filesystem(top: BorrowedFd<'_>, held: &HashSet<Vec<u8>>) -> u64 {
    let Ok(home) = look::open_place(top, HOME.as_bytes()) else { return 0 };
    let settled = trash::open(top).map_or(0, |bin| trash::sweep(bin.as_fd()));
    let removed = settled + waiting::prune(home.as_fd(), limits::PARTS_MAX, None);
    let Ok(temporary) = look::open_to_read(&home, TEMPORARY.as_bytes()) else { return removed };
    let is_in_work = |name: &[u8]| is_in_work(name, held);
    made::sweep(top, temporary.as_fd(), &is_in_work);
    removed + discard::clear(temporary.as_fd(), &|name| !is_in_work(name))
}
