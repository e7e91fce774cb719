//! A file on its way into the share: written in larder's hidden folder on the filesystem where it
//! will stay, and gone again unless it is placed.

use super::carried;
use super::copy::Copier;
use super::hidden::{self, TEMPORARY};
use super::look::{self, FileId, Filesystem};
use super::opened::open_regular;
use super::path::{HOME, VaultPath};
use super::resolve::{Finder, Follow, Lost, Spot};
use super::share::Share;
use super::trash::{self, Incoming};
use super::unfinished::{End, Unfinished};
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    Advice, AtFlags, FallocateFlags, FileType, Gid, Mode, OFlags, Statx, Timespec, Timestamps, Uid,
};
use rustix::io::Errno;
use rustix::rand::GetRandomFlags;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Nanoseconds in a millisecond.
const MS_NS: u32 = 1_000_000;

/// A hidden temporary file. Dropping it removes it, or moves it back to where it waits.
pub struct Spool {
    /// Open for writing until it is finished.
    file: Option<File>,
    /// Where it is, and what becomes of it there.
    pub(super) at: Unfinished,
    /// As what, in that folder, a file waits that it replaces where the two cannot change places.
    pub(super) aside: String,
    /// The filesystem it is on.
    pub(super) filesystem: Filesystem,
    /// Which file it is.
    id: FileId,
    /// When its content changed last (nanoseconds), once it is finished.
    modified_ns: Option<i128>,
    /// When it changed last where it comes from (since 1970), if that is to be kept.
    wished: Option<Duration>,
    /// Bytes written.
    length: u64,
    /// Bytes that the kernel was asked to write to the drive already.
    written_back: u64,
}

/// What `st_blocks` counts in (`statx(2)`).
pub(super) const BLOCK_BYTES: u64 = 512;

impl Share {
    /// The hidden folder on the drive of a folder, or of the first above it that is there.
    pub(super) fn workshop_near(&self, near: &VaultPath) -> Result<Arc<OwnedFd>> {
        let folder = self.nearest_folder(near)?;
        self.finder.workshop(&folder.map(|spot| spot.path).unwrap_or_default())
    }

    /// The folder at `path`, or the first above it that is there.
    ///
    /// Errors: `DriveBusy`.
    fn nearest_folder(&self, path: &VaultPath) -> Result<Option<Spot>> {
        let mut path = path.clone();
        loop {
            match self.finder.locate(&path, Follow::Last) {
                Ok(spot) if spot.is_folder() => return Ok(Some(spot)),
                Err(Lost::Silent) => return Err(Lost::Silent.into()),
                _ => {}
            }
            let Some(parent) = path.parent() else { return Ok(None) };
            path = parent;
        }
    }
}

impl Finder {
    /// Larder's hidden folder for unfinished things on the filesystem of the folder at `path`, which is
    /// a true path (no links).
    pub(super) fn workshop(&self, path: &VaultPath) -> Result<Arc<OwnedFd>> {
        self.hidden(path, TEMPORARY).map(|(_top, folder)| folder)
    }

    /// The folder `name` in larder's hidden folder on the filesystem of the folder at `path`, which is a
    /// true path, and where that filesystem begins. A drive mounted inside the share gets one of its own.
    pub(super) fn hidden(&self, path: &VaultPath, name: &str) -> Result<(VaultPath, Arc<OwnedFd>)> {
        let make = |top: rustix::fd::BorrowedFd<'_>| {
            let home = hidden::open_or_make(top, HOME)?;
            hidden::open_or_make(home.as_fd(), name).map(|made| self.shared(Arc::new(made)))?
        };
        let filesystem = |path: &VaultPath| -> Result<Filesystem> {
            let stat = self.locate(path, Follow::NotLast)?.stat.ok_or(NOT_THERE)?;
            Ok(look::filesystem_of(&stat))
        };
        let wanted = filesystem(path)?;
        if wanted == filesystem(&VaultPath::root())? {
            return make(self.handle.as_fd()).map(|made| (VaultPath::root(), made)).map_err(os);
        }
        let mut top = path.clone();
        while let Some(above) = top.parent() {
            if filesystem(&above)? != wanted {
                break;
            }
            top = above;
        }
        let spot = self.locate(&top, Follow::NotLast)?;
        let folder = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
        if look::filesystem_of(&look::look_at(&folder).map_err(os)?) != wanted {
            // The drive went this very moment; its bare mount point gets nothing.
            return Err(NOT_THERE);
        }
        make(folder.as_fd()).map(|made| (top, made)).map_err(os)
    }
}

impl Spool {
    /// A new file in this hidden folder.
    pub(super) fn open(folder: Arc<OwnedFd>) -> Result<Self> {
        let name = hidden::temporary_name();
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // The umask decides, as for any file that the owner makes; the folder around it is private.
        let mode = Mode::from(0o666);
        let make = || rustix::fs::openat(&*folder, &name, flags, mode);
        let file = match make() {
            Err(Errno::NOSPC | Errno::DQUOT) if trash::make_some_room(folder.as_fd()) => make(),
            opened => opened,
        };
        let file = file.map_err(os)?;
        Self::around(File::from(file), Unfinished::new(folder, name, End::Removed))
    }

    /// A file of ours that waits in this hidden folder under this name and goes on waiting there, cut to its first
    /// `length` bytes, where writing goes on.
    pub(super) fn reopened(folder: Arc<OwnedFd>, name: &str, length: u64) -> Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&*folder, name, flags, Mode::empty());
        let mut file = File::from(opened.map_err(os)?);
        // The room that was set aside behind the end would go with what is cut.
        if look::look_at(&file).map_err(os)?.stx_size != length {
            rustix::fs::ftruncate(&file, length).map_err(os)?;
        }
        file.seek(SeekFrom::End(0))?;
        let end = End::Waits(Arc::clone(&folder), name.to_owned());
        let mut spool = Self::around(file, Unfinished::new(folder, name.to_owned(), end))?;
        (spool.length, spool.written_back) = (length, length);
        Ok(spool)
    }

    /// One over an open file that has this name. An overlay tells another device for files than for folders, and
    /// what can be renamed is decided by the folders.
    fn around(file: File, at: Unfinished) -> Result<Self> {
        let folder = look::look_at(&*at.folder).map_err(os)?;
        let stat = look::look_at(&file).map_err(os)?;
        Ok(Self {
            file: Some(file),
            at,
            aside: hidden::temporary_name(),
            filesystem: look::filesystem_of(&folder),
            id: look::id_of(&stat),
            modified_ns: None,
            wished: None,
            length: 0,
            written_back: 0,
        })
    }

    /// Moves the file within its filesystem to where it is to wait, should it not be placed, instead of being
    /// removed.
    pub(super) fn stay_at(&mut self, folder: &Arc<OwnedFd>, name: &str) -> rustix::io::Result<()> {
        self.rename_to(folder, name)?;
        self.at.set_end(End::Waits(Arc::clone(folder), name.to_owned()));
        Ok(())
    }

    /// Goes on under a second name among the unfinished things, where the filesystem has second names: whatever
    /// happens on the way to its place, a kill included, the first still has the bytes. Elsewhere it goes its way
    /// under the first, and back to it.
    pub(super) fn step_out(&mut self) -> Result<()> {
        let End::Waits(folder, name) = self.at.end() else { return Ok(()) };
        let home = look::open_place(&**folder, b"..").map_err(os)?;
        let workshop = hidden::open_or_make(home.as_fd(), TEMPORARY).map_err(os)?;
        let second = hidden::temporary_name();
        if rustix::fs::linkat(&**folder, name, &workshop, &second, AtFlags::empty()).is_ok() {
            self.at = Unfinished::new(Arc::new(workshop), second, End::Removed);
        }
        Ok(())
    }

    /// Sets room aside for so many bytes in all, where the filesystem can, so that they will fit for certain; says
    /// whether it could.
    ///
    /// Errors: `DiskFull`, `TooLarge`, `Io`.
    pub(super) fn reserve(&self, length: u64) -> Result<bool> {
        let Some(file) = self.file.as_ref().filter(|_| length > self.length) else {
            return Ok(true);
        };
        let rest = length - self.length;
        // Again it would change nothing but the time when the last byte came.
        if look::look_at(file).map_err(os)?.stx_blocks.saturating_mul(BLOCK_BYTES) >= length {
            return Ok(true);
        }
        match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, self.length, rest) {
            Err(errno) if errno == Errno::NODEV || look::is_unknown_there(errno) => Ok(false),
            done => done.map(|()| true).map_err(os),
        }
    }

    /// Makes what has come durable; writing goes on.
    ///
    /// Errors: `DiskFull`, `Io`.
    pub(super) fn sync_data(&self) -> Result<()> {
        // What is finished is durable.
        self.file.as_ref().map_or(Ok(()), |file| Ok(file.sync_data()?))
    }

    /// The open file once more, for somebody who makes it durable beside the writing.
    pub(super) fn another_handle(&self) -> Result<File> {
        let file = self.file.as_ref();
        Ok(file.ok_or(Error::Bug("a spool was finished too early".into()))?.try_clone()?)
    }

    /// Begins with the first `bytes` of an open file; nothing was written yet.
    ///
    /// Errors: `Invalid` (a shorter one), those of writing.
    pub(super) fn begin_with(
        &mut self,
        source: &OwnedFd,
        bytes: u64,
        copier: &mut Copier<'_>,
    ) -> Result<()> {
        let file = self.file.take().ok_or(Error::Bug("a spool was finished too early".into()))?;
        let target = OwnedFd::from(file);
        copier.content(source, &target, bytes)?;
        let mut file = File::from(target);
        // What is behind the end would have been copied as a hole.
        if look::look_at(source).map_err(os)?.stx_size < bytes {
            return Err(Error::invalid("The file is shorter than that"));
        }
        // Shared blocks come with the whole file.
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        self.file = Some(file);
        (self.length, self.written_back) = (bytes, bytes);
        Ok(())
    }

    /// Writes what this finished file has from `offset` on into another.
    ///
    /// Errors: those of reading and writing.
    pub(super) fn copy_from(&self, offset: u64, into: &mut Self) -> Result<()> {
        let mut source = File::from(self.reopen()?.ok_or(Error::Refused)?);
        source.seek(SeekFrom::Start(offset))?;
        copy_all(&mut source, into)
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Wishes when the content is to have changed last, as it did where it comes from. It is kept to the
    /// millisecond, from 1970 to one day from now; another wish is none.
    pub fn date(&mut self, modified: SystemTime) {
        let latest = SystemTime::now() + limits::MODIFIED_AHEAD_MAX;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok();
        self.wished = since.filter(|_| modified <= latest);
    }

    /// Makes the content durable and closes the file; more cannot be written. The time of change is set
    /// to the nanosecond, so that two contents never look alike: of one that was wished, what is finer than
    /// a millisecond is random. Calling it again does nothing.
    ///
    /// Errors: `DiskFull`, `Io`.
    pub fn finish(&mut self) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        set_modified(&file, self.wished.map_or_else(now, with_random_end))?;
        file.sync_all()?;
        let stat = look::look_at(&file).map_err(os)?;
        self.modified_ns = Some(look::nanoseconds_of(&stat.stx_mtime));
        Ok(())
    }

    /// Which file it is, and of what was finished its size and when it changed.
    pub(super) fn known(&self) -> (FileId, Option<(u64, i128)>) {
        (self.id, self.modified_ns.map(|modified_ns| (self.length, modified_ns)))
    }

    /// By what the finished file is known again after a crash.
    pub(super) fn identity(&self) -> Result<Incoming> {
        self.look().map(|stat| Incoming::of(&self.at.folder, &stat))
    }

    /// The same content in another hidden folder, on another filesystem.
    pub(super) fn moved_to(&mut self, folder: Arc<OwnedFd>) -> Result<Self> {
        self.finish()?;
        Self::copy_of(&self.at.folder, &self.at.name, folder)
    }

    /// The content of any file, finished.
    ///
    /// Errors: `NotFound` when there is none; those of writing.
    pub(super) fn copy_of(
        from: &OwnedFd,
        name: impl AsRef<OsStr>,
        folder: Arc<OwnedFd>,
    ) -> Result<Self> {
        let source = open_regular(from, name.as_ref().as_bytes()).map_err(os)?;
        let mut source = source.ok_or(NOT_THERE)?.file;
        let mut target = Self::open(folder)?;
        copy_all(&mut source, &mut target)?;
        target.finish()?;
        Ok(target)
    }

    /// Moves the file within its filesystem, to a name that nothing has.
    pub(super) fn rename_to(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: &str,
    ) -> rustix::io::Result<()> {
        rustix::fs::renameat(&*self.at.folder, &self.at.name, &**folder, name)?;
        self.at.folder = Arc::clone(folder);
        name.clone_into(&mut self.at.name);
        Ok(())
    }

    /// Gives the file the mode, as far as we may the owner, and larder's own attributes of the one at a
    /// place that it replaces; not the right to run as somebody else (set-user-ID), which was given to the
    /// old content. Does nothing where there is none.
    pub(super) fn take_after(&mut self, place: &Spot) -> Result<()> {
        const KEPT: u16 = 0o777;
        let Some(old) = &place.stat else { return Ok(()) };
        let ours = self.look()?;
        let is_alike = ours.stx_mode & 0o7777 == old.stx_mode & KEPT
            && (ours.stx_uid, ours.stx_gid) == (old.stx_uid, old.stx_gid);
        // After a crash the two are told apart by this.
        let is_mistakable = ours.stx_size == old.stx_size
            && look::nanoseconds_of(&ours.stx_mtime) == look::nanoseconds_of(&old.stx_mtime);
        let carried = carried::of(&place.folder, &place.name)?;
        if is_alike && !is_mistakable && carried.is_empty() {
            return Ok(());
        }
        // Under a umask that keeps us out of our own file there is no mode to keep.
        let Some(file) = self.reopen()? else { return Ok(()) };
        if is_mistakable {
            set_modified(&file, now())?;
            let stat = look::look_at(&file).map_err(os)?;
            self.modified_ns = Some(look::nanoseconds_of(&stat.stx_mtime));
        }
        carried.give(&file)?;
        // Only root may give files away; everybody else keeps what they wrote.
        let _not_ours_to_give = rustix::fs::fchown(
            &file,
            Some(Uid::from_raw(old.stx_uid)),
            Some(Gid::from_raw(old.stx_gid)),
        );
        match rustix::fs::fchmod(&file, Mode::from_raw_mode((old.stx_mode & KEPT).into())) {
            // A filesystem without modes has none to keep.
            Err(errno) if !look::is_unknown_there(errno) => return Err(os(errno)),
            _ => {}
        }
        rustix::fs::fsync(&file).map_err(os)
    }

    /// Gives the file the group of the folder where it will be new, if that folder says so (set-group-ID):
    /// the kernel does it for files that are made there, and this one was not.
    pub(super) fn belong_to(&self, folder: &Statx) -> Result<()> {
        if folder.stx_mode & 0o2000 == 0 || self.look()?.stx_gid == folder.stx_gid {
            return Ok(());
        }
        let Some(file) = self.reopen()? else { return Ok(()) };
        match rustix::fs::fchown(&file, None, Some(Gid::from_raw(folder.stx_gid))) {
            Ok(()) => rustix::fs::fsync(&file).map_err(os),
            // A group that we are not in.
            Err(_not_ours_to_give) => Ok(()),
        }
    }

    /// What the file is.
    pub(super) fn look(&self) -> Result<Statx> {
        let stat = look::look(&self.at.folder, self.at.name.as_bytes()).map_err(os)?;
        stat.ok_or(Error::Bug("a spool is gone".into()))
    }

    /// The same to read what has come, finished or not.
    ///
    /// Errors: `DeniedByDrive`, `Io`.
    pub(super) fn reopened_to_read(&self) -> Result<OwnedFd> {
        self.reopen()?.ok_or(Error::DeniedByDrive)
    }

    /// Opens the finished file again; `None` when its mode forbids that.
    fn reopen(&self) -> Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&*self.at.folder, &self.at.name, flags, Mode::empty()) {
            Err(Errno::ACCESS) => Ok(None),
            opened => opened.map(Some).map_err(os),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let is_full = |cause: &io::Error| {
            matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        let mut written = file.write(bytes);
        for _ in 0..limits::RACE_TRIES_MAX {
            match written {
                // What was deleted before makes room for what is stored now.
                Err(ref cause)
                    if is_full(cause) && trash::make_some_room(self.at.folder.as_fd()) =>
                {
                    written = file.write(bytes);
                }
                _ => break,
            }
        }
        let count = written?;
        self.length += count as u64;
        // Dirty pages are handed to the drive while the rest still comes in, so that the final sync
        // is short. `POSIX_FADV_DONTNEED` starts writing; what it drops is on the drive already.
        if let Some(fresh) = NonZeroU64::new(self.length - self.written_back)
            && fresh.get() >= limits::WRITEBACK_BYTES
        {
            let _only_advice =
                rustix::fs::fadvise(&*file, self.written_back, Some(fresh), Advice::DontNeed);
            self.written_back = self.length;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A time to the millisecond, with random digits behind it.
pub(super) fn with_random_end(time: Duration) -> Duration {
    let mut random = [0_u8; 4];
    let end = match rustix::rand::getrandom(&mut random[..], GetRandomFlags::empty()) {
        Ok(_) => u32::from_ne_bytes(random),
        // Early on a board without entropy; the clock's last digits are nearly as good.
        Err(_) => now().subsec_nanos(),
    };
    let whole = time.subsec_nanos() / MS_NS * MS_NS;
    Duration::new(time.as_secs(), whole + end % MS_NS)
}

/// Sets when an open file changed last, where the filesystem knows such a thing.
pub(super) fn set_modified(file: impl AsFd, time: Duration) -> Result<()> {
    let time = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    let times = Timestamps { last_access: time, last_modification: time };
    match rustix::fs::futimens(file, &times) {
        Err(errno) if !look::is_unknown_there(errno) => Err(os(errno)),
        _ => Ok(()),
    }
}

/// Writes the rest of a file into a spool.
fn copy_all(source: &mut File, target: &mut Spool) -> Result<()> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    loop {
        let count = match source.read(&mut buffer) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        if count == 0 {
            return Ok(());
        }
        target.write_all(&buffer[..count])?;
    }
}

/// Whether a place can be replaced by a file.
pub(super) fn is_replaceable(file_type: FileType) -> bool {
    file_type == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, UPLOAD, opened, path, spool};
    use super::super::thing::Thing as _;
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// A file that is placed with a wish; what is then told of it.
    fn placed(house: &House, content: &str, wish: SystemTime) -> std::fs::Metadata {
        let share = house.share();
        let mut spool = spool(&share, "", content);
        spool.date(wish);
        share.place(vec![(spool, path("f"))], &UPLOAD).unwrap();
        house.root().join("f").metadata().unwrap()
    }

    #[test]
    fn a_wished_time_is_kept_to_the_millisecond_and_never_twice() {
        let house = House::new();
        let wish = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        let told: Vec<_> = (0..4).map(|_| placed(&house, "same", wish)).collect();
        for told in &told {
            assert_eq!((told.mtime(), told.mtime_nsec() / 1_000_000), (1_000_000_000, 123));
        }
        let mut ends: Vec<_> = told.iter().map(MetadataExt::mtime_nsec).collect();
        ends.sort_unstable();
        ends.dedup();
        assert!(ends.len() > 1, "{ends:?}");
        assert_eq!(house.trashed("").len(), 6);
        assert_eq!(opened(&house.share(), "f").unwrap(), "same");
    }

    #[test]
    fn a_time_that_cannot_be_is_no_wish() {
        let house = House::new();
        let day = Duration::from_hours(24);
        let start = now().as_secs();
        for wish in [
            SystemTime::UNIX_EPOCH - Duration::from_millis(1),
            SystemTime::now() + day + Duration::from_mins(1),
            SystemTime::now() + day * 10_000,
        ] {
            assert!(placed(&house, "x", wish).mtime().unsigned_abs() >= start, "{wish:?}");
        }
        assert_eq!(placed(&house, "x", SystemTime::UNIX_EPOCH).mtime(), 0);
        let ahead = SystemTime::now() + day - Duration::from_mins(1);
        assert!(placed(&house, "x", ahead).mtime().unsigned_abs() > start + 80_000);
    }

    #[test]
    fn what_waits_somewhere_goes_back_there_unless_it_is_placed() {
        let house = House::new();
        let share = house.share();
        let home: Arc<OwnedFd> = share.finder.hidden(&VaultPath::root(), "parts").unwrap().1;
        let bin: Arc<OwnedFd> = share.finder.hidden(&VaultPath::root(), "trash").unwrap().1;
        let at = |name: &str| house.root().join(".larder").join(name).exists();
        // Where there are no second names.
        let mut first = spool(&share, "", "x");
        first.stay_at(&home, "waits").unwrap();
        first.rename_to(&bin, "1").unwrap();
        assert!(at("trash/1") && !at("parts/waits"));
        drop(first);
        assert!(!at("trash/1") && at("parts/waits"));
        // Where there are.
        let mut again = Spool::reopened(Arc::clone(&home), "waits", 1).unwrap();
        again.step_out().unwrap();
        again.rename_to(&bin, "1").unwrap();
        assert!(at("trash/1") && at("parts/waits"));
        drop(again);
        assert!(!at("trash/1") && at("parts/waits") && house.unfinished("").is_empty());
        let mut last = Spool::reopened(home, "waits", 1).unwrap();
        last.step_out().unwrap();
        share.place(vec![(last, path("f"))], &UPLOAD).unwrap();
        assert_eq!(house.content("f").as_deref(), Some("x"));
    }

    /// A crash tells the new file from the old by size and time: the same time for both must not be.
    #[test]
    fn a_wish_never_makes_a_file_look_like_the_one_it_replaces() {
        let house = House::new();
        let share = house.share();
        let old = house.file("f", "old");
        let mut spool = spool(&share, "", "new");
        spool.date(SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        spool.finish().unwrap();
        let same =
            std::fs::metadata(house.root().join(".larder/tmp").join(&spool.at.name)).unwrap();
        let file = File::options().write(true).open(&old).unwrap();
        file.set_modified(same.modified().unwrap()).unwrap();
        let spot = share.finder.locate(&path("f"), Follow::Last).unwrap();
        let time = |stat: &Statx| look::nanoseconds_of(&stat.stx_mtime);
        assert_eq!(time(&spool.look().unwrap()), time(&spot.stat.unwrap()));
        spool.take_after(&spot).unwrap();
        assert_ne!(time(&spool.look().unwrap()), time(&spot.stat.unwrap()));
        assert!(spool.source().is(&spool.look().unwrap()));
    }
}
