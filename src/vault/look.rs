//! Looking at one place on the disk: what it is, which file and which filesystem it belongs to.
//! Small words over `statx`, and the few ways in which a folder is opened. Knows no grants.

use crate::limits;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Statx, StatxFlags,
    StatxTimestamp,
};
use rustix::io::{Errno, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// One file or folder, whatever its names: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Device, major and minor.
    device: (u32, u32),
    /// Inode number.
    inode: u64,
}

impl FileId {
    /// The drive, major and minor.
    pub fn device(&self) -> (u32, u32) {
        self.device
    }
}

impl std::fmt::Display for FileId {
    /// Hexadecimal digits and hyphens, different for any two files that are there at the same time.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:x}-{:x}-{:x}", self.device.0, self.device.1, self.inode)
    }
}

/// One filesystem as `rename` sees it: bind mounts share a device, btrfs subvolumes a mount, and
/// nothing can be renamed between either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filesystem {
    /// The mount (0 before Linux 5.8, which does not tell).
    mount: u64,
    /// Device, major and minor.
    device: (u32, u32),
}

/// What is called `name` in `folder`, a link not followed. `None` when there is nothing.
pub fn look<Fd: AsFd>(folder: Fd, name: &[u8]) -> Result<Option<Statx>> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID | StatxFlags::BTIME;
    match rustix::fs::statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// The same from what the kernel remembers: the top of another drive, which need not be asked for it.
pub fn look_unasked<Fd: AsFd>(folder: Fd, name: &[u8]) -> Result<Option<Statx>> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID | StatxFlags::BTIME;
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(folder, name, flags, wanted).map(Some)
}

/// What an open handle is.
pub fn look_at<Fd: AsFd>(handle: Fd) -> Result<Statx> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID | StatxFlags::BTIME;
    rustix::fs::statx(handle, c"", AtFlags::EMPTY_PATH, wanted)
}

/// Asks the drive that an open folder is on for what only the drive can say, whatever the kernel
/// remembers of it.
pub fn ask<Fd: AsFd>(folder: Fd) -> Result<()> {
    let now = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    rustix::fs::statx(folder.as_fd(), c"", now, StatxFlags::BASIC_STATS)?;
    rustix::fs::fstatvfs(folder).map(|_| ())
}

/// The number of the mount that something open is on, which none other gets until the machine starts again;
/// `None` before Linux 6.8.
pub fn unique_mount_of<Fd: AsFd>(handle: Fd) -> Result<Option<u64>> {
    /// `STATX_MNT_ID_UNIQUE` (`linux/stat.h`).
    const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);
    let stat = rustix::fs::statx(handle, c"", AtFlags::EMPTY_PATH, UNIQUE)?;
    let is_told = StatxFlags::from_bits_retain(stat.stx_mask).contains(UNIQUE);
    Ok(is_told.then_some(stat.stx_mnt_id))
}

/// A regular file, a folder, a link, or something else.
pub fn type_of(stat: &Statx) -> FileType {
    FileType::from_raw_mode(stat.stx_mode.into())
}

/// Which file it is.
pub fn id_of(stat: &Statx) -> FileId {
    FileId { device: (stat.stx_dev_major, stat.stx_dev_minor), inode: stat.stx_ino }
}

/// Which filesystem it is on.
pub fn filesystem_of(stat: &Statx) -> Filesystem {
    let told = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
    let mount = if told { stat.stx_mnt_id } else { 0 };
    Filesystem { mount, device: (stat.stx_dev_major, stat.stx_dev_minor) }
}

/// When its content changed last. A time the system's clock cannot tell becomes 1970.
pub fn modified_of(stat: &Statx) -> SystemTime {
    time_of(&stat.stx_mtime)
}

/// When it was made, where the filesystem tells.
pub fn born_of(stat: &Statx) -> Option<SystemTime> {
    let told = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::BTIME);
    told.then(|| time_of(&stat.stx_btime))
}

/// When something open was made (nanoseconds since 1970); 0 where the filesystem does not tell.
pub fn born_ns<Fd: AsFd>(handle: Fd) -> Result<i128> {
    let stat = rustix::fs::statx(handle, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME)?;
    let told = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::BTIME);
    Ok(if told { nanoseconds_of(&stat.stx_btime) } else { 0 })
}

/// A timestamp of the kernel as a time.
fn time_of(stamp: &StatxTimestamp) -> SystemTime {
    let seconds = Duration::from_secs(stamp.tv_sec.unsigned_abs());
    let whole = if stamp.tv_sec < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    whole
        .and_then(|time| time.checked_add(Duration::from_nanos(stamp.tv_nsec.into())))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A timestamp in nanoseconds since 1970; what makes two versions of one file differ.
pub fn nanoseconds_of(stamp: &StatxTimestamp) -> i128 {
    i128::from(stamp.tv_sec) * 1_000_000_000 + i128::from(stamp.tv_nsec)
}

/// Opens the folder called `name` in `folder` as a mere place to start from. A link is refused
/// (`ENOTDIR`).
pub fn open_place<Fd: AsFd>(folder: Fd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// Opens the folder called `name` in `folder` for reading its entries. A link is refused.
pub fn open_to_read<Fd: AsFd>(folder: Fd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// Whether a failure to give something of ours a mode, an owner, a time or a link says that the filesystem has no
/// such notion (FAT and its kin, many filesystems in user space), rather than that somebody may not.
pub fn is_unknown_there(errno: Errno) -> bool {
    matches!(errno, Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
}

/// Gives a folder of ours all rights for its owner, whoever swaps its name meanwhile. `folder` may be
/// open as a mere place, which `fchmod` does not take.
pub fn unlock(folder: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::chmod(format!("/proc/self/fd/{}", folder.as_raw_fd()), Mode::RWXU)
}

/// Makes the names in a folder durable. Where the filesystem has no such notion there is nothing more
/// to be done; of a folder that may be written and not read, the kernel is asked to write everything.
pub fn sync_folder<Fd: AsFd>(folder: Fd) -> Result<()> {
    let done = open_to_read(folder, b".").and_then(rustix::fs::fsync);
    match done {
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(Errno::ACCESS) => {
            rustix::fs::sync();
            Ok(())
        }
        done => done,
    }
}

/// Whether half of the descriptors that this process may have are left to others, now that this one is open:
/// the system hands out the lowest that is free.
pub fn leaves_descriptors<Fd: AsFd>(newest: Fd) -> bool {
    let all = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let newest = u64::try_from(newest.as_fd().as_raw_fd()).unwrap_or(0);
    all.is_none_or(|all| newest < all / limits::DESCRIPTORS_PARTS)
}

/// What `statfs` calls a filesystem in user space (`linux/magic.h`): `syncfs` does not reach through to its
/// drive.
const FUSE_SUPER_MAGIC: u64 = 0x6573_5546;

/// What `statfs` calls filesystems that number their files anew each time they are mounted (`linux/magic.h`):
/// FAT and exFAT.
const PASSING_NUMBERS: [u64; 2] = [0x4d44, 0x2011_bab0];

/// Whether a file is found by its number again after the filesystem was mounted anew.
pub fn keeps_numbers<Fd: AsFd>(folder: Fd) -> Result<bool> {
    // `fstatfs` takes what is open as a mere place.
    let kind = rustix::fs::fstatfs(folder)?.f_type;
    let is_passing = |kind: u64| kind == FUSE_SUPER_MAGIC || PASSING_NUMBERS.contains(&kind);
    Ok(u64::try_from(kind).is_ok_and(|kind| !is_passing(kind)))
}

/// Whether a filesystem can be made durable as a whole.
pub fn syncs_whole<Fd: AsFd>(folder: Fd) -> Result<bool> {
    let kind = rustix::fs::fstatfs(open_to_read(folder, b".")?)?.f_type;
    Ok(u64::try_from(kind).is_ok_and(|kind| kind != FUSE_SUPER_MAGIC))
}

/// Makes everything durable that is on the filesystem of a folder.
pub fn sync_whole<Fd: AsFd>(folder: Fd) -> Result<()> {
    match rustix::fs::syncfs(open_to_read(folder, b".")?) {
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
            rustix::fs::sync();
            Ok(())
        }
        synced => synced,
    }
}

/// Hands out the names in a folder that is open for reading, without `.` and `..`, and what each of them is.
pub fn each_kind(folder: BorrowedFd<'_>, take: &mut dyn FnMut(&[u8], FileType)) -> Result<()> {
    rustix::fs::seek(folder, SeekFrom::Start(0))?;
    let mut buffer: Vec<u8> = Vec::with_capacity(limits::FOLDER_READ_BYTES);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            // The folder itself was removed meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            entry => entry?,
        };
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        // Some filesystems leave it to `stat` to say what a name is.
        match entry.file_type() {
            FileType::Unknown => {
                if let Some(stat) = look(folder, name)? {
                    take(name, type_of(&stat));
                }
            }
            kind => take(name, kind),
        }
    }
    Ok(())
}

/// Hands out the names of the folders in a folder that is open for reading, links not counted, until
/// `take` has enough and says `false`.
pub fn each_folder(folder: BorrowedFd<'_>, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
    rustix::fs::seek(folder, SeekFrom::Start(0))?;
    let mut buffer: Vec<u8> = Vec::with_capacity(limits::FOLDER_READ_BYTES);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            // The folder itself was removed meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            entry => entry?,
        };
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        // Some filesystems leave it to `stat` to say what a name is.
        let is_folder = match entry.file_type() {
            FileType::Directory => true,
            FileType::Unknown => {
                look(folder, name)?.is_some_and(|stat| type_of(&stat) == FileType::Directory)
            }
            _ => false,
        };
        if is_folder && !take(name) {
            return Ok(());
        }
    }
    Ok(())
}

/// Hands out the names in a folder that is open for reading, from its beginning, without `.` and `..`.
/// `failed` puts a failure to read the folder into the words of `take`.
pub fn each_name<E>(
    folder: BorrowedFd<'_>,
    failed: impl Fn(Errno) -> E,
    take: &mut dyn FnMut(&[u8]) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    rustix::fs::seek(folder, SeekFrom::Start(0)).map_err(&failed)?;
    let mut buffer: Vec<u8> = Vec::with_capacity(limits::FOLDER_READ_BYTES);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            // The folder itself was removed meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            entry => entry.map_err(&failed)?,
        };
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            take(name)?;
        }
    }
    Ok(())
}

/// Opens a share root; the path itself may be or lead through a link, for it is the owner's.
pub fn open_root(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Whether a folder has that name.
pub fn is_folder(folder: &OwnedFd, name: &OsStr) -> Result<bool> {
    let stat = look(folder, name.as_bytes())?;
    Ok(stat.is_some_and(|stat| type_of(&stat) == FileType::Directory))
}

/// Opens a folder below another in one step, without following any link. Drives mounted on the
/// way are fine.
///
/// Errors: `ELOOP` when there is a link, `ENOSYS` on an old kernel.
pub fn open_beneath(top: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd> {
    open_within(top, path, flags, ResolveFlags::empty())
}

/// The same with more that the way must not have.
pub fn open_within(
    top: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    more: ResolveFlags,
) -> Result<OwnedFd> {
    let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(top, path, flags, Mode::empty(), resolve | more)
}

/// Finds a folder below another, however deep, without following a link; `place` is relative and may be
/// longer than the kernel takes at once.
pub fn open_deep(top: &Arc<OwnedFd>, place: &[u8], no_openat2: bool) -> Result<Arc<OwnedFd>> {
    let mut folder = Arc::clone(top);
    let mut is_able = !no_openat2;
    let mut rest = place;
    while !rest.is_empty() {
        // As much as the kernel takes at once, up to a whole component.
        let cut = if rest.len() < limits::PATH_BYTES_MAX {
            rest.len()
        } else {
            let fits = rest.get(..limits::PATH_BYTES_MAX).unwrap_or_default();
            fits.iter().rposition(|byte| *byte == b'/').ok_or(Errno::NAMETOOLONG)?
        };
        let opened = if is_able {
            open_beneath(folder.as_fd(), &rest[..cut], OFlags::PATH)
        } else {
            Err(Errno::NOSYS)
        };
        folder = Arc::new(match opened {
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {
                is_able = false;
                let mut parts = rest[..cut].split(|byte| *byte == b'/');
                let first = open_place(&folder, parts.next().unwrap_or_default())?;
                parts.try_fold(first, |folder, part| open_place(&folder, part))?
            }
            opened => opened?,
        });
        rest = rest.get(cut + 1..).unwrap_or_default();
    }
    Ok(folder)
}
