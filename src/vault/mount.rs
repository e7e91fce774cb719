//! The share root as a drive that may come and go: its marker, its hidden folder, its space.
//! Knows no paths of callers and no grants.

use super::discard;
use super::drives::{Drives, Mounts, place_of, probe_at, probe_below};
use super::gate::{Pass, Patience};
use super::leftover;
use super::look::{self, FileId};
use super::made;
use super::part;
use super::path::{HOME, VaultPath};
use super::resolve::Quirks;
use super::share::Share;
use super::trash::{self, Keeping, TRASH};
use super::{Grant, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatVfsMountFlags, Statx};
use rustix::io::Errno;
use rustix::rand::GetRandomFlags;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// The file in larder's hidden folder that tells one drive from another.
const MARKER: &str = "id";

/// The folder in larder's hidden folder where unfinished things wait.
pub(super) const TEMPORARY: &str = "tmp";

/// Bytes of randomness in a root's id.
const ID_BYTES: usize = 16;

/// What the marker in a share root says, as lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootId(String);

impl RootId {
    /// Reads an id as it was kept; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end();
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == ID_BYTES * 2 && is_hex).then(|| Self(text.into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new one, from system entropy.
    fn random() -> rustix::io::Result<Self> {
        random_hex(ID_BYTES).map(Self)
    }
}

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

/// Space on a drive, in bytes, and whether it takes any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All of it.
    pub total_bytes: u64,
    /// What is written.
    pub used_bytes: u64,
    /// What larder may still write; a filesystem may keep some of the rest for the system.
    pub free_bytes: u64,
    /// Whether nothing can be written: mounted so, or turned so by the kernel after errors.
    pub is_read_only: bool,
    /// The device, major and minor.
    pub device: (u32, u32),
}

impl Usage {
    /// Looks at the drive that an open folder is on.
    pub fn of(folder: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        let told = rustix::fs::fstatvfs(folder)?;
        let stat = look::look_at(folder)?;
        let device = (stat.stx_dev_major, stat.stx_dev_minor);
        let is_read_only = told.f_flag.contains(StatVfsMountFlags::RDONLY)
            || mount_table().is_some_and(|table| is_read_only(&table, device));
        Ok(Self {
            total_bytes: told.f_blocks.saturating_mul(told.f_frsize),
            used_bytes: told.f_blocks.saturating_sub(told.f_bfree).saturating_mul(told.f_frsize),
            free_bytes: told.f_bavail.saturating_mul(told.f_frsize),
            is_read_only,
            device,
        })
    }
}

/// The share root, for as long as the program runs. Holds no descriptor, so that an idle larder
/// never keeps a drive from being unmounted. All clones are one vault: when it moves to another
/// root, all do.
#[derive(Clone, Debug)]
pub struct Vault(Arc<RwLock<Arc<Root>>>);

/// What all shares of one vault have in common.
#[derive(Debug)]
pub(super) struct Root {
    /// Where the share root is, absolute.
    path: PathBuf,
    /// What its marker must say.
    id: RootId,
    /// The marker that said so last, so that it need not be read each time.
    seen: Mutex<Option<Seen>>,
    /// Where the share root really was when it was opened last, links resolved.
    real: Mutex<Option<Arc<Path>>>,
    /// What the kernel or the filesystem is to be taken not to know; for tests.
    pub quirks: Quirks,
    /// How much the trash keeps.
    pub keeping: Keeping,
    /// The drives that it lies on.
    pub drives: Drives,
}

/// A marker that was read and found right. The time of its last change is compared too: another
/// drive in the same place often has the same device and inode numbers.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Which file the marker is.
    marker: FileId,
    /// Its `ctime` in nanoseconds.
    changed_ns: i128,
    /// Which folder larder's hidden folder is.
    home: FileId,
}

impl Seen {
    /// Whether `stat` shows the same marker.
    fn is(&self, stat: &Statx) -> bool {
        self.marker == look::id_of(stat) && self.changed_ns == look::nanoseconds_of(&stat.stx_ctime)
    }
}

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
                let handle = open_root(&path).map_err(|errno| match errno {
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
        let keeping = Keeping::default();
        let root = Root {
            path,
            id,
            seen: Mutex::default(),
            real: Mutex::default(),
            quirks,
            keeping,
            drives: Drives::default(),
        };
        Self(Arc::new(RwLock::new(Arc::new(root))))
    }

    /// The root as it is now.
    pub(super) fn now(&self) -> Arc<Root> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the root of another vault. Shares that were given out stay where they are.
    pub fn move_to(&self, other: &Self) {
        let root = other.now();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = root;
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
        let (handle, home) = root.open()?;
        Ok(Share::new(root, handle, home, grant, by))
    }

    /// Sets how many days the trash keeps things, and how many percent of a drive they may take; 0 of
    /// either keeps nothing. Asks nothing of the drive.
    pub fn keep_trash(&self, days: u32, percent: u32) {
        self.now().keeping.set(days, percent);
    }

    /// Removes from the trash, here and on the drives mounted inside the share, what was kept long enough
    /// and the oldest of what is too much, if there can be any. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`, `Io`; the next call tries again.
    pub fn prune_trash(&self) -> Result<u64> {
        let root = self.now();
        let keeping = &root.keeping;
        if !keeping.is_due() {
            return Ok(0);
        }
        keeping.begin_to_look();
        let pruned = root.open().and_then(|(handle, _home)| {
            let (mut removed, mut next_ms) = (0, u64::MAX);
            for (_, bin) in bins(&root, &Arc::new(handle)) {
                let (of_this, next_of_this) = trash::prune(bin.as_fd(), keeping)?;
                removed += of_this;
                next_ms = next_ms.min(next_of_this);
            }
            keeping.looked(next_ms);
            Ok(removed)
        });
        pruned.inspect_err(|_| keeping.look_again())
    }

    /// Removes what a crash left half done, here and on the drives mounted inside the share, but
    /// nothing this process is working on. Returns how many things were removed.
    ///
    /// Errors: `StorageAbsent`; what cannot be removed is left for the next start.
    pub fn sweep(&self) -> Result<u64> {
        let root = self.now();
        let (handle, _home) = root.open()?;
        let mut removed = sweep_filesystem(handle.as_fd());
        for (_, folder) in tops_below(&root, &Arc::new(handle)) {
            removed += sweep_filesystem(folder.as_fd());
        }
        root.keeping.look_again();
        Ok(removed)
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
        let mut removed = 0;
        let inner = tops_below(&root, &handle).into_iter().map(|(_, top)| top);
        for top in inner.chain(handle.try_clone()) {
            let top = top.as_fd();
            if leftover::waits_on(top) && Usage::of(top).is_ok_and(|usage| !usage.is_read_only) {
                leftover::begin(top);
                removed += sweep_filesystem(top);
            }
        }
        Ok(removed)
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
            let _untold = leftover::stuck(top, &mut |place| take(home.join(place)));
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

    /// Sends away whoever waits for a drive, now and later: larder is ending.
    pub fn stop_waiting(&self) {
        self.now().drives.close();
    }

    /// Where the share root is, absolute.
    pub fn root(&self) -> PathBuf {
        self.now().path.clone()
    }

    /// Space on the drive.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn usage(&self) -> Result<Usage> {
        let (handle, _home) = self.now().open()?;
        Usage::of(handle.as_fd()).map_err(os)
    }
}

impl Root {
    /// Opens the share root by its path and makes sure that it is the right drive.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`; `Io` when larder itself ran out of something.
    pub fn open(&self) -> Result<(OwnedFd, FileId)> {
        self.open_within(Patience::Request(limits::DRIVE_PATIENCE))
    }

    /// The same with so much patience.
    pub fn open_within(&self, patience: Patience) -> Result<(OwnedFd, FileId)> {
        let _pass = self.enter(&self.drives.mounts(), &VaultPath::root(), patience)?;
        let handle = open_root(&self.path).map_err(absent)?;
        let home = self.verify(handle.as_fd())?;
        self.note_place(handle.as_fd());
        Ok((handle, home))
    }

    /// Whether the right drive is there now. One that does not answer is taken to be.
    pub fn is_present(&self) -> bool {
        !matches!(self.open_within(Patience::Glance), Err(Error::StorageAbsent))
    }

    /// Waits for the drive that a true path of the share lies on.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn enter(&self, mounts: &Mounts, path: &VaultPath, patience: Patience) -> Result<Pass> {
        let place = place_of(&self.place(), path);
        self.drives.enter(mounts, &place, patience, || probe_at(place_of(&self.path, path)))
    }

    /// Waits for the drive that is mounted at `name` in the open folder at a true path, if one is.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn cross(
        &self,
        mounts: &Mounts,
        (folder, at): (&Arc<OwnedFd>, &VaultPath),
        name: &[u8],
        patience: Patience,
    ) -> Result<Option<Pass>> {
        let place = place_of(&self.place(), at).join(Path::new(std::ffi::OsStr::from_bytes(name)));
        self.drives.cross(mounts, &place, patience, || probe_below(folder, name))
    }

    /// Whether the drive that is mounted at `name` in the open folder at a true path answers.
    pub fn is_answering(
        &self,
        mounts: &Mounts,
        (folder, at): (&Arc<OwnedFd>, &VaultPath),
        name: &[u8],
    ) -> bool {
        let place = place_of(&self.place(), at).join(Path::new(std::ffi::OsStr::from_bytes(name)));
        self.drives.is_answering(mounts, &place, || probe_below(folder, name))
    }

    /// Whether the drive that is mounted there takes no writes.
    pub fn is_top_read_only(&self, mounts: &Mounts, at: &VaultPath, name: &[u8]) -> bool {
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        mounts.is_read_only(&place_of(&self.place(), at).join(name))
    }

    /// Whether another drive is mounted at `name` in the folder at a true path.
    pub fn is_top(&self, mounts: &Mounts, at: &VaultPath, name: &[u8]) -> bool {
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        mounts.at(&place_of(&self.place(), at).join(name)).is_some()
    }

    /// Where the share root is in the mount table's words, as far as that is known.
    fn place(&self) -> Arc<Path> {
        let real = self.real.lock().unwrap_or_else(PoisonError::into_inner);
        real.as_ref().map_or_else(|| Arc::from(self.path.as_path()), Arc::clone)
    }

    /// Notes where the open share root really is.
    fn note_place(&self, handle: BorrowedFd<'_>) {
        let told = std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd())).ok();
        let mut real = self.real.lock().unwrap_or_else(PoisonError::into_inner);
        if real.as_deref() != told.as_deref() {
            *real = told.map(Arc::from);
        }
    }

    /// Makes sure that an open share root carries the marker; returns which folder is larder's.
    ///
    /// Errors: `StorageAbsent`; `Io` when larder itself ran out of something.
    pub fn verify(&self, handle: BorrowedFd<'_>) -> Result<FileId> {
        let place = format!("{HOME}/{MARKER}");
        let stat = look::look(handle, place.as_bytes()).map_err(absent)?;
        let stat = stat.ok_or(Error::StorageAbsent)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.as_ref().filter(|seen| seen.is(&stat)) {
            return Ok(seen.home);
        }
        *seen = None;
        let (found, told) = read_marker(handle).map_err(absent)?;
        if found.as_ref() != Some(&self.id) {
            return Err(Error::StorageAbsent);
        }
        *seen = Some(told);
        Ok(told.home)
    }

    /// Where the share root really is, links resolved, for links with absolute targets. Both
    /// the way it was given and the way the kernel tells are right.
    pub fn real_paths(&self, handle: BorrowedFd<'_>) -> [Option<PathBuf>; 2] {
        let told = std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd()))
            .or_else(|_| std::fs::canonicalize(&self.path));
        [told.ok(), Some(self.path.clone())]
    }
}

/// What a share root that cannot be looked at means: an absent drive, unless larder itself ran out of
/// descriptors or memory, which says nothing of the drive.
fn absent(errno: Errno) -> Error {
    match errno {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => os(errno),
        _ => Error::StorageAbsent,
    }
}

/// Opens a share root; the path itself may be or lead through a link, for it is the owner's.
pub(super) fn open_root(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Uses the marker that is there, or makes one. The id is durable before it is returned.
fn adopt_marker(root: &OwnedFd) -> rustix::io::Result<RootId> {
    let home = open_or_make(root.as_fd(), HOME)?;
    open_or_make(home.as_fd(), TEMPORARY)?;
    open_or_make(home.as_fd(), TRASH)?;
    if let Ok((Some(id), _)) = read_marker(root.as_fd()) {
        return Ok(id);
    }
    let id = RootId::random()?;
    let temporary = format!("{TEMPORARY}/{}", temporary_name());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(&home, &temporary, flags, Mode::from(0o600))?);
    let written = writeln!(file, "{}", id.as_str()).and_then(|()| file.sync_all());
    written.map_err(|cause| Errno::from_io_error(&cause).unwrap_or(Errno::IO))?;
    rustix::fs::renameat(&home, &temporary, &home, MARKER)?;
    look::sync_folder(&home)?;
    look::sync_folder(root)?;
    Ok(id)
}

/// What the marker says, `None` if that is no id, and which file it is.
fn read_marker(root: BorrowedFd<'_>) -> rustix::io::Result<(Option<RootId>, Seen)> {
    let home = look::open_place(root, HOME.as_bytes())?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&home, MARKER, flags, Mode::empty())?);
    let stat = look::look_at(&file)?;
    let seen = Seen {
        marker: look::id_of(&stat),
        changed_ns: look::nanoseconds_of(&stat.stx_ctime),
        home: look::id_of(&look::look_at(&home)?),
    };
    let mut text = String::new();
    let is_read = file.take(ID_BYTES as u64 * 4).read_to_string(&mut text).is_ok();
    Ok((RootId::parse(&text).filter(|_| is_read), seen))
}

/// Opens a folder of larder's own, making it first where it is missing. Nobody else may look in.
pub(super) fn open_or_make(folder: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    match look::open_place(folder, name.as_bytes()) {
        Err(Errno::NOENT) => {}
        opened => return opened,
    }
    match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) => look::sync_folder(folder)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    look::open_place(folder, name.as_bytes())
}

/// A name for something unfinished, never used twice. It starts with this process's own mark, by
/// which the sweep knows what is still being worked on.
pub(super) fn temporary_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", process_mark(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Random digits that no other process has.
fn process_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    // Without entropy the process id must do: then an older process's leftovers may wait longer.
    MARK.get_or_init(|| random_hex(8).unwrap_or_else(|_| format!("p{}", std::process::id())))
}

/// So many bytes of system entropy, as hexadecimal digits.
fn random_hex(bytes: usize) -> rustix::io::Result<String> {
    use std::fmt::Write as _;
    let mut random = [0_u8; 32];
    let wanted = random.get_mut(..bytes).ok_or(Errno::INVAL)?;
    let mut filled = 0;
    while let Some(rest) = wanted.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::rand::getrandom(rest, GetRandomFlags::empty()) {
            Err(Errno::INTR) => {}
            got => filled += got?,
        }
    }
    Ok(wanted.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}

/// Whether this process made a temporary name.
pub(super) fn is_ours(name: &str) -> bool {
    name.strip_prefix(process_mark()).is_some_and(|rest| rest.starts_with('-'))
}

/// Removes what other processes left in the hidden folder of one filesystem.
fn sweep_filesystem(top: BorrowedFd<'_>) -> u64 {
    let Ok(home) = look::open_place(top, HOME.as_bytes()) else { return 0 };
    let settled = trash::open(top).map_or(0, |bin| trash::sweep(bin.as_fd()));
    let removed = settled + part::prune(home.as_fd(), limits::PARTS_MAX);
    let Ok(temporary) = look::open_to_read(&home, TEMPORARY.as_bytes()) else { return removed };
    let is_in_work = |name: &[u8]| std::str::from_utf8(name).is_ok_and(leftover::is_in_work);
    made::sweep(top, temporary.as_fd(), &is_in_work);
    removed + discard::clear(temporary.as_fd(), &|name| !is_in_work(name))
}

/// The trash of the share root and of each drive mounted inside, as far as there is one, with the place
/// where its filesystem begins. A drive that is mounted twice comes once.
pub(super) fn bins(root: &Root, handle: &Arc<OwnedFd>) -> Vec<(VaultPath, OwnedFd)> {
    let mut bins: Vec<(VaultPath, OwnedFd)> = Vec::new();
    let mut known: Vec<FileId> = Vec::new();
    let mut add = |top: VaultPath, bin: Option<OwnedFd>| {
        let Some(bin) = bin else { return };
        let Ok(id) = look::look_at(&bin).map(|stat| look::id_of(&stat)) else { return };
        if !known.contains(&id) {
            known.push(id);
            bins.push((top, bin));
        }
    };
    add(VaultPath::root(), trash::open(handle.as_fd()));
    for (below, folder) in tops_below(root, handle) {
        let top = VaultPath::from_disk(below.as_os_str().as_bytes());
        if !top.is_reserved() {
            add(top, trash::open(folder.as_fd()));
        }
    }
    bins
}

/// The tops of the drives that are mounted below an open share root, open as places to start from, and
/// where they are. Those that do not answer are left out.
fn tops_below(root: &Root, handle: &Arc<OwnedFd>) -> Vec<(PathBuf, OwnedFd)> {
    let mounts = root.drives.mounts();
    let open = |below: PathBuf| Some((open_below(root, &mounts, handle, &below)?, below));
    let tops = mounts_below(handle.as_fd()).into_iter().filter_map(open);
    tops.map(|(folder, below)| (below, folder)).collect()
}

/// The mount points strictly below an open folder, relative to it. Empty where the kernel does
/// not tell.
pub(super) fn mounts_below(folder: BorrowedFd<'_>) -> Vec<PathBuf> {
    let Ok(top) = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())) else {
        return Vec::new();
    };
    let Some(lines) = mount_table() else { return Vec::new() };
    mount_points(&lines)
        .filter_map(|point| Some(point.strip_prefix(&top).ok()?.to_path_buf()))
        .filter(|below| !below.as_os_str().is_empty())
        .collect()
}

/// The lines of the mount table that are about an open folder, what is below it, or what it lies
/// on, as numbers; differs whenever a drive comes or goes there. Empty where the kernel does
/// not tell.
pub(super) fn mounts_around(folder: BorrowedFd<'_>) -> Vec<u8> {
    let Ok(top) = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())) else {
        return Vec::new();
    };
    let Some(lines) = mount_table() else { return Vec::new() };
    let mut around = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(point) = mount_points(line).next() else { continue };
        if point.starts_with(&top) || top.starts_with(&point) {
            // Number, parent, device.
            for field in line.split(|byte| *byte == b' ').take(3) {
                around.extend_from_slice(field);
                around.push(b' ');
            }
        }
    }
    around
}

/// What the kernel tells of mounts, as bytes (`proc(5)`, mountinfo).
pub(super) fn mount_table() -> Option<Vec<u8>> {
    let table = File::open("/proc/self/mountinfo").ok()?;
    let mut lines = Vec::new();
    table.take(limits::MOUNT_TABLE_BYTES_MAX).read_to_end(&mut lines).ok()?;
    Some(lines)
}

/// Whether the filesystem on a device (not only one mount of it) takes no writes. Newer kernels do not
/// turn an ext4 with errors read-only as a mount: they say `emergency_ro` or `shutdown` among the
/// options of its superblock, which come last in its line.
fn is_read_only(table: &[u8], (major, minor): (u32, u32)) -> bool {
    let device = format!("{major}:{minor}");
    let of_device = |line: &&[u8]| {
        line.split(|byte| *byte == b' ').nth(2).is_some_and(|field| field == device.as_bytes())
    };
    let options = |line: &[u8]| {
        let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        last.split(|byte| *byte == b',')
            .any(|option| matches!(option, b"ro" | b"emergency_ro" | b"shutdown"))
    };
    table.split(|byte| *byte == b'\n').filter(of_device).any(options)
}

/// The mount points in a table like `/proc/self/mountinfo`: the fifth field of each line (`proc(5)`).
pub(super) fn mount_points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(std::ffi::OsString::from_vec(unescape(field))))
}

/// Undoes the kernel's `\040` for space, tab, newline and backslash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *byte == b'\\');
        let octal = digits.and_then(|digits| {
            digits.iter().try_fold(0_u8, |number, digit| {
                let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
                number.checked_mul(8)?.checked_add(digit)
            })
        });
        plain.push(octal.unwrap_or(*byte));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}

/// Opens a folder below the share root, component by component, links refused; `None` also where a drive
/// on the way does not answer.
fn open_below(
    root: &Root,
    mounts: &Mounts,
    handle: &Arc<OwnedFd>,
    below: &Path,
) -> Option<OwnedFd> {
    let (mut folder, mut at) = (Arc::clone(handle), root.place().to_path_buf());
    for part in below.components() {
        at.push(part);
        let name = part.as_os_str().as_bytes();
        let probe = || probe_below(&folder, name);
        let _pass = root.drives.cross(mounts, &at, Patience::Glance, probe).ok()?;
        folder = Arc::new(look::open_place(&*folder, name).ok()?);
    }
    Arc::into_inner(folder).or_else(|| handle.try_clone().ok())
}

/// Removes a file of larder's own; that it is gone already is as good.
pub(super) fn unlink(folder: BorrowedFd<'_>, name: &(impl AsRef<std::ffi::OsStr> + ?Sized)) {
    // Nobody can be told; it is tried again when the drive takes it, or at the next start.
    if let Err(errno) = rustix::fs::unlinkat(folder, name.as_ref(), AtFlags::empty()) {
        leftover::give_up(folder, &name.as_ref().to_string_lossy(), errno);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_is_read_with_its_escapes() {
        let table = b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n\
            37 35 8:1 / /srv/a\\040b\\134c rw - vfat /dev/sda1 rw\nbroken\n\
            38 35 8:1 / /srv/\\08\\777 rw - vfat /dev/sda1 rw\n";
        let points: Vec<_> = mount_points(table).collect();
        let wanted = ["/mnt2", "/srv/a b\\c", "/srv/\\08\\777"].map(PathBuf::from);
        assert_eq!(points, wanted);
    }

    #[test]
    fn a_drive_that_the_kernel_has_closed_for_writing_is_known() {
        let table = b"36 35 8:1 / /srv rw,noatime - ext4 /dev/sda1 rw,errors=remount-ro\n\
            37 35 8:2 / /a rw - ext4 /dev/sda2 rw,emergency_ro\n38 35 8:3 / /b rw - ext4 /dev/sda3 ro\n\
            39 35 8:4 / /c ro - ext4 /dev/sda4 rw\nbroken\n";
        for (minor, wanted) in [(1, false), (2, true), (3, true), (4, false), (5, false)] {
            assert_eq!(is_read_only(table, (8, minor)), wanted, "{minor}");
        }
    }

    #[test]
    fn an_id_is_32_digits() {
        let id = RootId::random().expect("entropy");
        assert_eq!(RootId::parse(&format!("{}\n", id.as_str())), Some(id.clone()));
        assert_ne!(RootId::random().expect("entropy"), id);
        for text in
            ["", "abc", "0123456789abcdef0123456789abcdeg", "0123456789ABCDEF0123456789ABCDEF"]
        {
            assert_eq!(RootId::parse(text), None, "{text:?}");
        }
    }
}
