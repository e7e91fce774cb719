//! A file on its way into the share: written in larder's hidden folder on the filesystem where it
//! will stay, and gone again unless it is placed.

use super::copy::Copier;
use super::hidden::{self, TEMPORARY};
use super::look::{self, FileId, Filesystem};
use super::opened::open_regular;
use super::path::{HOME, VaultPath};
use super::resolve::{Finder, Follow, Lost, Spot};
use super::share::Share;
use super::trash::{self, Incoming};
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Advice, FileType, Gid, Mode, OFlags, Statx, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::SystemTime;

/// A hidden temporary file. Dropping it removes it.
pub struct Spool {
    /// Open for writing until it is finished.
    file: Option<File>,
    /// The hidden folder it is in.
    pub(super) folder: Arc<OwnedFd>,
    /// Its name there.
    pub(super) name: String,
    /// The filesystem it is on.
    pub(super) filesystem: Filesystem,
    /// Which file it is.
    id: FileId,
    /// When its content changed last (nanoseconds), once it is finished.
    modified_ns: Option<i128>,
    /// Bytes written.
    length: u64,
    /// Bytes that the kernel was asked to write to the drive already.
    written_back: u64,
    /// Whether the name in the hidden folder is still ours to remove.
    pub(super) is_pending: bool,
}

impl Share {
    /// A new, empty spool on the filesystem of `near` (the folder where the file will most likely
    /// stay), or of the share root. Asks for no right: what is spooled is nowhere yet.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn spool(&self, near: Option<&VaultPath>) -> Result<Spool> {
        self.spool_sized(near, None)
    }

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
        // From here on dropping it removes the file. An overlay tells another device for files than for
        // folders, and what can be renamed is decided by the folders.
        let told = look::look_at(&*folder).and_then(|at| Ok((at, look::look_at(&file)?)));
        let (at, stat) = told.inspect_err(|_| hidden::unlink(folder.as_fd(), &name)).map_err(os)?;
        Ok(Self {
            file: Some(File::from(file)),
            folder,
            name,
            filesystem: look::filesystem_of(&at),
            id: look::id_of(&stat),
            modified_ns: None,
            length: 0,
            written_back: 0,
            is_pending: true,
        })
    }

    /// A file of ours in this hidden folder that is open for writing, cut to its first `length` bytes,
    /// where writing goes on.
    pub(super) fn reopened(
        mut file: File,
        folder: Arc<OwnedFd>,
        name: String,
        length: u64,
    ) -> Result<Self> {
        let told = (|| {
            rustix::fs::ftruncate(&file, length)?;
            Ok((look::look_at(&*folder)?, look::look_at(&file)?))
        })();
        let (at, stat) = told.inspect_err(|_| hidden::unlink(folder.as_fd(), &name)).map_err(os)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file: Some(file),
            folder,
            name,
            filesystem: look::filesystem_of(&at),
            id: look::id_of(&stat),
            modified_ns: None,
            length,
            written_back: length,
            is_pending: true,
        })
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

    /// Whether nothing was written so far.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Makes the content durable and closes the file; more cannot be written. The time of change is set
    /// to the nanosecond, so that two contents never look alike. Calling it again does nothing.
    ///
    /// Errors: `DiskFull`, `Io`.
    pub fn finish(&mut self) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Timespec {
            tv_sec: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: now.subsec_nanos().into(),
        };
        let times = Timestamps { last_access: now, last_modification: now };
        match rustix::fs::futimens(&file, &times) {
            Err(errno) if !look::is_unknown_there(errno) => return Err(os(errno)),
            _ => {}
        }
        file.sync_all()?;
        let stat = look::look_at(&file).map_err(os)?;
        self.modified_ns = Some(look::nanoseconds_of(&stat.stx_mtime));
        Ok(())
    }

    /// Whether this is the file that was finished, and as it was then. Inode numbers alone would not
    /// tell: the next file often gets that of the last one that was removed.
    pub(super) fn is(&self, stat: &Statx) -> bool {
        look::type_of(stat) == FileType::RegularFile
            && look::id_of(stat) == self.id
            && stat.stx_size == self.length
            && self.modified_ns == Some(look::nanoseconds_of(&stat.stx_mtime))
    }

    /// By what the finished file is known again after a crash.
    pub(super) fn identity(&self) -> Result<Incoming> {
        self.look().map(|stat| Incoming::of(&stat))
    }

    /// The same content in another hidden folder, on another filesystem.
    pub(super) fn moved_to(&mut self, folder: Arc<OwnedFd>) -> Result<Self> {
        self.finish()?;
        Self::copy_of(&self.folder, &self.name, folder)
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
        rustix::fs::renameat(&*self.folder, &self.name, &**folder, name)?;
        self.folder = Arc::clone(folder);
        name.clone_into(&mut self.name);
        Ok(())
    }

    /// Gives the file the mode, and as far as we may the owner, of the one it replaces; not the right to
    /// run as somebody else (set-user-ID), which was given to the old content.
    pub(super) fn take_after(&self, old: &Statx) -> Result<()> {
        const KEPT: u16 = 0o777;
        let ours = self.look()?;
        let is_alike = ours.stx_mode & 0o7777 == old.stx_mode & KEPT
            && (ours.stx_uid, ours.stx_gid) == (old.stx_uid, old.stx_gid);
        if is_alike {
            return Ok(());
        }
        // Under a umask that keeps us out of our own file there is no mode to keep.
        let Some(file) = self.reopen()? else { return Ok(()) };
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
    fn look(&self) -> Result<Statx> {
        let stat = look::look(&self.folder, self.name.as_bytes()).map_err(os)?;
        stat.ok_or(Error::Bug("a spool is gone".into()))
    }

    /// Opens the finished file again; `None` when its mode forbids that.
    fn reopen(&self) -> Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&*self.folder, &self.name, flags, Mode::empty()) {
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
                Err(ref cause) if is_full(cause) && trash::make_some_room(self.folder.as_fd()) => {
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

impl Drop for Spool {
    fn drop(&mut self) {
        if self.is_pending {
            hidden::unlink(self.folder.as_fd(), &self.name);
        }
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
