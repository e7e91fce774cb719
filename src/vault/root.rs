//! The share root: where it is, the marker that tells its drive from another, and the drives mounted in it.
//! Knows no callers.

use super::drives::{Drives, Mounts, place_of, probe_at, probe_below};
use super::gate::{Pass, Patience};
use super::hidden::{TEMPORARY, TRASH, open_or_make, random_hex, temporary_name};
use super::keeping::Keeping;
use super::locks::Locks;
use super::look::{self, FileId};
use super::mounts::mounts_below;
use super::names_keeping::NamesKeeping;
use super::news::Desk;
use super::os;
use super::path::{HOME, VaultPath};
use super::photos_turn::Looking;
use super::thumbs_keeping::ThumbsKeeping;
use super::versions_known::VersionsKnown;
use crate::error::{Error, Result};
use crate::{limits, threads};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, Statx};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// The file in larder's hidden folder that tells one drive from another.
const MARKER: &str = "id";

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
    pub(super) fn random() -> rustix::io::Result<Self> {
        random_hex(ID_BYTES).map(Self)
    }
}

/// What a kernel or a filesystem is to be taken not to know, so that tests walk the other ways.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each switch stands alone")]
pub struct Quirks {
    /// `openat2` (before Linux 5.6).
    pub no_openat2: bool,
    /// `RENAME_NOREPLACE`.
    pub no_noreplace: bool,
    /// `RENAME_EXCHANGE`.
    pub no_exchange: bool,
    /// Hard links (FAT).
    pub no_links: bool,
    /// Copying inside the kernel, by shared blocks or otherwise.
    pub no_offload: bool,
    /// Renaming from one folder to another, as between two drives.
    pub far_apart: bool,
}

/// Whether what was cut off has been taken back on the drives that are there.
#[derive(Debug, Default)]
struct Tending {
    /// What was there when that was done last: the marker, and what was mounted.
    done: Option<(Seen, Arc<Mounts>)>,
    /// Since when it is being done.
    since: Option<Instant>,
}

impl Tending {
    /// Whether it is done for what is there.
    fn is_done_for(&self, there: &(Seen, Arc<Mounts>)) -> bool {
        let is_meant = |(marker, known): &(Seen, Arc<Mounts>)| {
            *marker == there.0 && Arc::ptr_eq(known, &there.1)
        };
        self.done.as_ref().is_some_and(is_meant)
    }
}

/// What is done on drives that have just come. It is told whether the drive at a place below the share root has come
/// since it was done last.
pub(super) type Tend = fn(&Root, &Arc<OwnedFd>, &dyn Fn(&Path) -> bool);

/// What all shares of one vault have in common.
#[derive(Debug)]
pub(super) struct Root {
    /// Where the share root is, absolute.
    pub path: PathBuf,
    /// What its marker must say.
    pub id: RootId,
    /// The marker that said so last, so that it need not be read each time.
    seen: Mutex<Option<Seen>>,
    /// Where the share root really was when it was opened last, links resolved.
    real: Mutex<Option<Arc<Path>>>,
    /// Whether what was cut off has been taken back on the drives that are there.
    tending: Mutex<Tending>,
    /// Told whenever somebody has done with that.
    tended: Condvar,
    /// Held by whoever takes groups back: two would hold each other's records.
    pub taking_back: Mutex<()>,
    /// Where the drives are, or belong, that groups wait for that were cut off: they did not answer, or were not there.
    pub missed: Mutex<Vec<PathBuf>>,
    /// What the kernel or the filesystem is to be taken not to know; for tests.
    pub quirks: Quirks,
    /// How much the trash keeps.
    pub keeping: Keeping,
    /// Of what there may be versions.
    pub versions: VersionsKnown,
    /// How many small pictures are kept.
    pub thumbs: ThumbsKeeping,
    /// Whether lists of names are kept.
    pub names: NamesKeeping,
    /// Where it is told what larder changes.
    pub news: Desk,
    /// Who has locked what.
    pub locks: Locks,
    /// Where somebody looks for pictures.
    pub looking: Looking,
    /// The drives that it lies on.
    pub drives: Drives,
}

/// A marker that was read and found right. The time of its last change is compared too: another
/// drive in the same place often has the same device and inode numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Root {
    /// A root that was not opened yet.
    pub fn new(path: PathBuf, id: RootId, quirks: Quirks) -> Self {
        let (seen, real) = (Mutex::default(), Mutex::default());
        let (tending, tended) = (Mutex::default(), Condvar::new());
        let (keeping, drives) = (Keeping::default(), Drives::default());
        let (news, taking_back, missed) = (Desk::default(), Mutex::default(), Mutex::default());
        let looking = Looking::default();
        Self {
            path,
            id,
            seen,
            real,
            tending,
            tended,
            taking_back,
            missed,
            quirks,
            keeping,
            versions: VersionsKnown::default(),
            thumbs: ThumbsKeeping::default(),
            names: NamesKeeping::default(),
            news,
            locks: Locks::default(),
            looking,
            drives,
        }
    }

    /// Opens the share root by its path and makes sure that it is the right drive.
    ///
    /// Errors: `StorageAbsent`, `DriveBusy`; `Io` when larder itself ran out of something.
    pub fn open(&self) -> Result<(OwnedFd, FileId)> {
        self.open_within(Patience::Request(limits::DRIVE_PATIENCE))
    }

    /// The same with so much patience.
    pub fn open_within(&self, patience: Patience) -> Result<(OwnedFd, FileId)> {
        let _pass = self.enter(&self.drives.mounts(), &VaultPath::root(), patience)?;
        let handle = look::open_root(&self.path).map_err(absent)?;
        let home = self.verify(handle.as_fd())?;
        self.note_place(handle.as_fd());
        Ok((handle, home))
    }

    /// Does some work before anything else is done on drives that have just come. Others wait for it, but for no
    /// drive that does not answer: the work has a thread of its own, and goes on when the drive does.
    pub fn tend(self: &Arc<Self>, handle: &Arc<OwnedFd>, work: Tend) {
        let Some(seen) = *threads::locked(&self.seen) else { return };
        let there = (seen, self.drives.mounts());
        let mut tending = threads::locked(&self.tending);
        if tending.is_done_for(&there) && self.is_as_silent_as_it_was() {
            return;
        }
        loop {
            if tending.since.is_none() {
                let before = tending.done.take().map(|(_, mounts)| mounts);
                if self.begin_to_tend(handle, work, before, there.clone()).is_err() {
                    // The next one tries again.
                    return;
                }
            }
            let since = *tending.since.get_or_insert_with(Instant::now);
            if since.elapsed() >= limits::DRIVE_SILENT_TIME {
                drop(tending);
                if !self.do_all_answer(&there.1, handle) {
                    return;
                }
                tending = threads::locked(&self.tending);
            }
            if tending.since.is_some() {
                let woken = self.tended.wait_timeout(tending, limits::DRIVE_FRESH_TIME);
                tending = threads::whole(woken).0;
            }
            if tending.is_done_for(&there) {
                return;
            }
        }
    }

    /// Whether groups wait for no drive, or for one that still does not answer. Asks no drive.
    fn is_as_silent_as_it_was(&self) -> bool {
        // A drive that is not there shows itself: until then no other is kept awake for it.
        let missed = threads::locked(&self.missed).clone();
        let mut awaited = missed.iter().filter(|place| self.is_mounted(place)).peekable();
        let silent = self.drives.silent();
        awaited.peek().is_none() || awaited.any(|place| silent.contains(place))
    }

    /// Starts that work, for what is there now.
    fn begin_to_tend(
        self: &Arc<Self>,
        handle: &Arc<OwnedFd>,
        work: Tend,
        before: Option<Arc<Mounts>>,
        there: (Seen, Arc<Mounts>),
    ) -> io::Result<()> {
        let (root, handle) = (Arc::clone(self), Arc::clone(handle));
        threads::spawn("drive-tending", move || {
            let place = root.place();
            work(&root, &handle, &|below| {
                let place = place.join(below);
                before.as_ref().is_some_and(|before| before.at(&place) != there.1.at(&place))
            });
            *threads::locked(&root.tending) = Tending { done: Some(there), since: None };
            root.tended.notify_all();
        })
        .map(|_it_tells_us| ())
    }

    /// Whether all drives answer that are mounted inside the share.
    fn do_all_answer(&self, mounts: &Mounts, handle: &Arc<OwnedFd>) -> bool {
        let place = self.place();
        mounts_below(handle.as_fd()).into_iter().all(|below| {
            let probe = || probe_at(self.path.join(&below));
            self.drives.is_answering(mounts, &place.join(&below), probe)
        })
    }

    /// Where a true path of the share is on the machine.
    pub fn place_at(&self, path: &VaultPath) -> PathBuf {
        place_of(&self.place(), path)
    }

    /// Whether a drive is mounted at a place on the machine.
    pub fn is_mounted(&self, place: &Path) -> bool {
        self.drives.mounts().at(place).is_some()
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

    /// Waits until the drive that a path of the share lies on is known to answer, for whoever asks it for nothing now.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn hear(&self, mounts: &Mounts, path: &VaultPath, patience: Patience) -> Result<()> {
        let place = place_of(&self.place(), path);
        self.drives.hear(mounts, &place, patience, || probe_at(place_of(&self.path, path)))
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
    pub(super) fn place(&self) -> Arc<Path> {
        let real = threads::locked(&self.real);
        real.as_ref().map_or_else(|| Arc::from(self.path.as_path()), Arc::clone)
    }

    /// Notes where the open share root really is.
    fn note_place(&self, handle: BorrowedFd<'_>) {
        let told = std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd())).ok();
        let mut real = threads::locked(&self.real);
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
        let mut seen = threads::locked(&self.seen);
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

/// Uses the marker that is there, or makes one. The id is durable before it is returned.
pub(super) fn adopt_marker(root: &OwnedFd) -> rustix::io::Result<RootId> {
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

/// The tops of the drives that are mounted below an open share root, open as places to start from, and
/// where they are. Those that do not answer are left out.
pub(super) fn tops_below(root: &Root, handle: &Arc<OwnedFd>) -> Vec<(PathBuf, OwnedFd)> {
    let mounts = root.drives.mounts();
    let open = |below: PathBuf| Some((open_below(root, &mounts, handle, &below)?, below));
    let tops = mounts_below(handle.as_fd()).into_iter().filter_map(open);
    tops.map(|(folder, below)| (below, folder)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

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
