//! Copying one file, link or tree into larder's hidden folder, where nobody sees it until it is whole.
//! Never follows a link. Knows no names of callers but those it asks the grant about.

use super::carried;
use super::hidden;
use super::look::{self, FileId};
use super::path::{VaultPath, is_reserved};
use super::progress::Progress;
use super::resolve::{Follow, Lost};
use super::share::Share;
use super::trash;
use super::unfinished::{End, Unfinished};
use super::walk::{Census, Folder, Mark, Visitor, Walk};
use super::{into_itself, os, os_new_name};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    Advice, AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Statx, Timespec, Timestamps,
    UTIME_OMIT, Uid,
};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// Bits of a mode that a copy keeps: not the right to run as somebody else.
const KEPT: u16 = 0o777;

/// Set-group-ID: what is made in such a folder gets its group.
const SET_GROUP: u16 = 0o2000;

/// Something whole in larder's hidden folder. Dropping it removes it.
pub struct Hidden {
    /// Where it is.
    pub at: Unfinished,
    /// Which file or folder it is.
    pub id: FileId,
    /// What it shall be, once it is in its place: a folder that its owner may not write cannot be moved.
    pub mark: Option<Mark>,
}

/// What is copied, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The group that everything gets, because the folder where it will be says so (set-group-ID).
    pub group: Option<u32>,
    /// Whether owners are kept as far as we may, and everything must come along: for a move.
    pub is_move: bool,
    /// The folder where a tree will be, which must not be in it, by whatever name.
    pub into: Option<FileId>,
}

impl Share {
    /// Copies what is called `name` in `folder`, and really is at `real`, into the copier's hidden folder.
    /// What is told to be done is on the drive only after `Copier::settle`.
    ///
    /// Errors: `Invalid` (something that is neither file nor folder nor link), `Refused` (what larder may not
    /// read), `NotFound`, `DiskFull`, `Cancelled`, `Io`.
    pub(super) fn copy_hidden(
        &self,
        (folder, name, real): (&OwnedFd, &OsStr, &VaultPath),
        copier: &mut Copier<'_>,
    ) -> Result<Hidden> {
        let stat = look::look(folder, name.as_bytes()).map_err(os)?.ok_or(super::NOT_THERE)?;
        // From the first step on, dropping it removes what is there.
        let at =
            Unfinished::new(Arc::clone(&copier.workshop), hidden::temporary_name(), End::Removed);
        let (target, new_name) = (Arc::clone(&at.folder), at.name.clone());
        let mut hidden = Hidden { at, id: look::id_of(&stat), mark: None };
        match look::type_of(&stat) {
            FileType::RegularFile => {
                copier.file(folder, name.as_bytes(), (&target, new_name.as_bytes()))?;
            }
            FileType::Symlink => {
                copier.link(folder, name.as_bytes(), (&target, new_name.as_bytes()), &stat)?;
            }
            FileType::Directory => {
                rustix::fs::mkdirat(&*target, &new_name, Mode::RWXU).map_err(os)?;
                let made = look::open_to_read(&*target, new_name.as_bytes()).map_err(os)?;
                let top = Arc::new(look::open_place(folder, name.as_bytes()).map_err(os)?);
                let mut tree = Tree {
                    share: self,
                    real,
                    source: Arc::clone(&top),
                    target: Arc::new(made),
                    present: None,
                    copier,
                };
                self.walk(top, tree.copier.progress, false, &mut |walk| walk.show(&mut tree))?;
                hidden.mark = Some(Mark::of(&stat));
            }
            _ => return Err(Error::invalid("Path is neither a file nor a folder")),
        }
        let made = look::look(&*target, new_name.as_bytes()).map_err(os)?;
        // What went before it was copied is not there.
        hidden.id = look::id_of(&made.ok_or(super::NOT_THERE)?);
        Ok(hidden)
    }

    /// Counts what copying this would mean. What cannot be read is found out by the work itself.
    pub(super) fn count(
        &self,
        folder: &OwnedFd,
        name: &OsStr,
        progress: &Progress,
    ) -> Result<(u64, u64)> {
        let Some(stat) = look::look(folder, name.as_bytes()).map_err(os)? else {
            return Ok((0, 0));
        };
        match look::type_of(&stat) {
            FileType::RegularFile => return Ok((stat.stx_size, 1)),
            FileType::Directory => {}
            _ => return Ok((0, 1)),
        }
        let top = Arc::new(look::open_place(folder, name.as_bytes()).map_err(os)?);
        let mut census = Census { bytes: 0, items: 0 };
        match self.walk(top, progress, false, &mut |walk| walk.show(&mut census)) {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            _ => Ok((census.bytes, census.items)),
        }
    }

    /// Lends a walk from an open folder.
    pub(super) fn walk(
        &self,
        top: Arc<OwnedFd>,
        progress: &Progress,
        unlocks: bool,
        go: &mut dyn FnMut(&Walk<'_>) -> Result<()>,
    ) -> Result<()> {
        let no_openat2 = self.finder.root.quirks.no_openat2;
        let overflow = || self.nameless_file();
        go(&Walk { top, no_openat2, unlocks, overflow: &overflow, progress })
    }

    /// Compares what was to be moved with its copy: everything must be there, files with their size and
    /// time.
    ///
    /// Errors: `Collision` (something has changed meanwhile), `Cancelled`, `Io`.
    pub(super) fn compare(
        &self,
        source: (&OwnedFd, &OsStr),
        copy: (&OwnedFd, &OsStr),
        progress: &Progress,
    ) -> Result<()> {
        let look = |(folder, name): (&OwnedFd, &OsStr)| {
            look::look(folder, name.as_bytes()).map_err(os)?.ok_or(CHANGED)
        };
        let (stat, other) = (look(source)?, look(copy)?);
        if look::type_of(&stat) != FileType::Directory {
            return is_alike(&stat, &other);
        }
        let open = |(folder, name): (&OwnedFd, &OsStr)| {
            look::open_place(folder, name.as_bytes()).map(Arc::new).map_err(os)
        };
        let no_openat2 = self.finder.root.quirks.no_openat2;
        let mut comparison = Comparison { copy: open(copy)?, no_openat2, present: None };
        self.walk(open(source)?, progress, true, &mut |walk| walk.show(&mut comparison))
    }
}

/// What a move says that found its source changed when it was copied.
const CHANGED: Error = Error::Conflict("The source has changed meanwhile");

/// Whether a copy is like its source. Filesystems round times, to two seconds at worst (FAT).
fn is_alike(source: &Statx, copy: &Statx) -> Result<()> {
    const ROUNDED_NS: i128 = 2_000_000_000;
    let is_file = look::type_of(source) == FileType::RegularFile;
    let times = [source, copy].map(|stat| look::nanoseconds_of(&stat.stx_mtime));
    let is_same = look::type_of(source) == look::type_of(copy)
        && (!is_file
            || (source.stx_size == copy.stx_size
                && (times[0] - times[1]).unsigned_abs() <= ROUNDED_NS.unsigned_abs()));
    if is_same { Ok(()) } else { Err(CHANGED) }
}

/// Looks for everything of a source in its copy.
struct Comparison {
    /// The copy's top.
    copy: Arc<OwnedFd>,
    /// See `Walk`.
    no_openat2: bool,
    /// The copy of the folder that is being walked through.
    present: Option<Arc<OwnedFd>>,
}

impl Visitor for Comparison {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        let twin =
            look::open_deep(&self.copy, folder.place, self.no_openat2).map_err(|_| CHANGED)?;
        self.present = Some(twin);
        Ok(())
    }

    fn thing(&mut self, _folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<()> {
        let twin = self.present.as_ref().ok_or(Error::Bug("no folder".into()))?;
        is_alike(stat, &look::look(&**twin, name).map_err(os)?.ok_or(CHANGED)?)
    }

    fn leave(&mut self, _place: &[u8], _mark: Mark) -> Result<()> {
        Ok(())
    }
}

/// Copies a tree, folder by folder.
struct Tree<'a, 'b> {
    /// Whose work it is: links are judged by its grant.
    share: &'a Share,
    /// Where the top really is.
    real: &'a VaultPath,
    /// The source's top.
    source: Arc<OwnedFd>,
    /// The copy's top.
    target: Arc<OwnedFd>,
    /// The copy of the folder that is being walked through.
    present: Option<Arc<OwnedFd>>,
    /// Copies files.
    copier: &'a mut Copier<'b>,
}

impl Tree<'_, '_> {
    /// The copy of a folder.
    fn open(&self, place: &[u8]) -> Result<Arc<OwnedFd>> {
        look::open_deep(&self.target, place, self.share.finder.root.quirks.no_openat2).map_err(os)
    }

    /// Whether a link comes along. Into a copy does not come what leads out of the share or where the
    /// caller may not read. A link that leads nowhere is only a name.
    fn may_copy_link(&self, place: &[u8], name: &[u8]) -> Result<bool> {
        if self.copier.manner.is_move {
            return Ok(true);
        }
        let place = if place.is_empty() { name.to_vec() } else { [place, name].join(&b'/') };
        let path = self.real.join_path(&VaultPath::from_disk(&place));
        match self.share.finder.locate(&path, Follow::Last) {
            Ok(end) => Ok(self.share.grant().may_read(&end.path)),
            Err(Lost::Missing | Lost::Loops) => Ok(true),
            Err(Lost::Escapes) => Ok(false),
            Err(lost @ (Lost::Os(_) | Lost::Silent)) => Err(lost.into()),
        }
    }
}

impl Visitor for Tree<'_, '_> {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        if Some(look::id_of(folder.stat)) == self.copier.manner.into {
            return Err(into_itself());
        }
        let carried = carried::of_open(folder.handle)?;
        if folder.place.is_empty() {
            self.present = Some(Arc::clone(&self.target));
            return carried.give(&*self.target);
        }
        let at = folder.place.iter().rposition(|byte| *byte == b'/');
        let (above, name) = match at {
            Some(at) => (&folder.place[..at], &folder.place[at + 1..]),
            None => (&[][..], folder.place),
        };
        let above = self.open(above)?;
        let make = || rustix::fs::mkdirat(&*above, name, Mode::RWXU);
        self.copier.with_room(make).map_err(os_new_name)?;
        self.present = Some(Arc::new(look::open_place(&*above, name).map_err(os)?));
        if !carried.is_empty() {
            carried.give(look::open_to_read(&*above, name).map_err(os)?)?;
        }
        Ok(())
    }

    fn wants(&mut self, _folder: &Folder<'_>, name: &[u8], _stat: &Statx) -> Result<bool> {
        // A drive that is mounted in the tree has larder's own folder at its top.
        Ok(!std::str::from_utf8(name).is_ok_and(is_reserved))
    }

    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<()> {
        let target = self.present.clone().ok_or(Error::Bug("no folder".into()))?;
        if std::str::from_utf8(name).is_ok_and(is_reserved) {
            return Ok(());
        }
        match look::type_of(stat) {
            FileType::RegularFile => self.copier.file(folder.handle, name, (&target, name)),
            FileType::Symlink => {
                if !self.may_copy_link(folder.place, name)? {
                    return Ok(());
                }
                self.copier.link(folder.handle, name, (&target, name), stat)
            }
            // Pipes, sockets and devices belong to the machine, not to the share.
            _ if self.copier.manner.is_move => {
                Err(Error::invalid("A special file can't be moved to another drive"))
            }
            _ => Ok(()),
        }
    }

    fn leave(&mut self, place: &[u8], mark: Mark) -> Result<()> {
        let folder = look::open_to_read(&*self.open(place)?, b".").map_err(os)?;
        let owner = if self.copier.manner.is_move {
            let source =
                look::open_deep(&self.source, place, self.share.finder.root.quirks.no_openat2);
            source.and_then(|source| look::look_at(&*source)).ok()
        } else {
            None
        };
        self.copier.own(&folder, owner.as_ref());
        // The top keeps all rights of its owner until it is in its place.
        let mode = if place.is_empty() { mark.mode | 0o700 } else { mark.mode };
        self.copier.dress(&folder, Mark { mode, ..mark }, true)?;
        if self.copier.syncs_each {
            look::sync_folder(&folder).map_err(os)?;
        }
        self.copier.progress.add(0, 1);
        Ok(())
    }
}

/// Copies single files with the cheapest means that the two filesystems have.
pub struct Copier<'a> {
    /// How.
    pub manner: Manner,
    /// How far it is, and whether to go on.
    pub progress: &'a Progress,
    /// Whether neither shared blocks nor copying in the kernel are to be tried; for tests.
    no_offload: bool,
    /// Whether each file and folder is made durable by itself.
    pub syncs_each: bool,
    /// For bytes that pass through here; made when first needed.
    buffer: Vec<u8>,
    /// The hidden folder where things are made.
    workshop: Arc<OwnedFd>,
}

impl<'a> Copier<'a> {
    /// One that copies to the filesystem with the hidden folder `workshop`.
    pub fn new(
        share: &Share,
        workshop: &Arc<OwnedFd>,
        manner: Manner,
        progress: &'a Progress,
    ) -> Result<Self> {
        let syncs_each = !look::syncs_whole(&**workshop).map_err(os)?;
        let no_offload = share.finder.root.quirks.no_offload;
        let workshop = Arc::clone(workshop);
        Ok(Self { manner, progress, no_offload, syncs_each, buffer: Vec::new(), workshop })
    }

    /// Does something that needs room; what was deleted before makes room for what is made now.
    fn with_room<T>(&self, work: impl Fn() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
        loop {
            match work() {
                // Comes to an end with the trash.
                Err(Errno::NOSPC | Errno::DQUOT)
                    if trash::make_some_room(self.workshop.as_fd()) => {}
                done => return done,
            }
        }
    }

    /// Makes everything durable that was copied to this filesystem. One call for all: a sync for each of
    /// a thousand small files would take minutes on a hard disk.
    pub fn settle(&self) -> Result<()> {
        if self.syncs_each {
            return Ok(());
        }
        look::sync_whole(&*self.workshop).map_err(os)
    }

    /// Copies a file, as it is when it is opened. One that has gone is passed over.
    fn file(&mut self, folder: &OwnedFd, name: &[u8], to: (&OwnedFd, &[u8])) -> Result<()> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let source = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(()),
            opened => opened.map_err(os)?,
        };
        let stat = look::look_at(&source).map_err(os)?;
        if look::type_of(&stat) != FileType::RegularFile {
            return Ok(());
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || rustix::fs::openat(to.0, to.1, flags, Mode::RUSR | Mode::WUSR);
        let target = self.with_room(make).map_err(os_new_name)?;
        self.content(&source, &target, stat.stx_size)?;
        carried::of_open(&source)?.give(&target)?;
        self.own(&target, Some(&stat));
        self.dress(&target, Mark::of(&stat), false)?;
        // Large files are made durable one by one, so that their errors are told for certain.
        if self.syncs_each || stat.stx_size >= limits::COPY_CHUNK_BYTES {
            rustix::fs::fsync(&target).map_err(os)?;
        }
        self.progress.add(0, 1);
        Ok(())
    }

    /// Copies a link itself.
    fn link(
        &mut self,
        folder: &OwnedFd,
        name: &[u8],
        to: (&OwnedFd, &[u8]),
        stat: &Statx,
    ) -> Result<()> {
        let target = match rustix::fs::readlinkat(folder, name, Vec::new()) {
            Err(Errno::NOENT | Errno::INVAL) => return Ok(()),
            target => target.map_err(os)?,
        };
        match self.with_room(|| rustix::fs::symlinkat(&target, to.0, to.1)) {
            Ok(()) => {}
            // FAT and its kin have no links. A copy does without them, a move does not lose them.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) if !self.manner.is_move => {
                return Ok(());
            }
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return Err(Error::invalid("A link can't be moved to this drive"));
            }
            Err(errno) => return Err(os_new_name(errno)),
        }
        let _as_far_as_we_may = rustix::fs::utimensat(
            to.0,
            to.1,
            &times(Mark::of(stat).modified),
            AtFlags::SYMLINK_NOFOLLOW,
        );
        self.progress.add(0, 1);
        Ok(())
    }

    /// Gives a copy the owner of its source (a move, as far as we may) or the group of the folder where it
    /// will be. Changing the owner takes away set-user-ID, so this comes before the mode.
    fn own(&self, copy: &OwnedFd, source: Option<&Statx>) {
        let owner = source.filter(|_| self.manner.is_move);
        let user = owner.map(|stat| Uid::from_raw(stat.stx_uid));
        let group = self.manner.group.or(owner.map(|stat| stat.stx_gid)).map(Gid::from_raw);
        if user.is_some() || group.is_some() {
            let _as_far_as_we_may = rustix::fs::fchown(copy, user, group);
        }
    }

    /// Gives a copy the mode and the time of its source.
    fn dress(&self, copy: &OwnedFd, mark: Mark, is_folder: bool) -> Result<()> {
        let inherited = if is_folder && self.manner.group.is_some() { SET_GROUP } else { 0 };
        let mode = Mode::from_raw_mode((mark.mode & KEPT | inherited).into());
        match rustix::fs::fchmod(copy, mode) {
            // A filesystem without modes has none to keep.
            Err(errno) if !look::is_unknown_there(errno) => return Err(os(errno)),
            _ => {}
        }
        match rustix::fs::futimens(copy, &times(mark.modified)) {
            Err(errno) if !look::is_unknown_there(errno) => Err(os(errno)),
            _ => Ok(()),
        }
    }

    /// Copies `size` bytes: shares the blocks where the filesystem can, else copies in the kernel where it
    /// can, else through a buffer. Holes stay holes.
    pub(super) fn content(&mut self, source: &OwnedFd, target: &OwnedFd, size: u64) -> Result<()> {
        if size == 0 {
            return Ok(());
        }
        if !self.no_offload && rustix::fs::ioctl_ficlone(target, source).is_ok() {
            self.progress.add(size, 0);
            return Ok(());
        }
        let mut in_kernel = !self.no_offload;
        let (mut done, mut written) = (0, 0);
        while done < size {
            let start = match rustix::fs::seek(source, SeekFrom::Data(done)) {
                // Only a hole is left.
                Err(Errno::NXIO) => size,
                // A filesystem that knows no holes.
                Err(_) => done,
                Ok(start) => start.min(size),
            };
            let end = match rustix::fs::seek(source, SeekFrom::Hole(start)) {
                Ok(end) if end > start => end.min(size),
                _ => size,
            };
            self.progress.add(start - done, 0);
            done = self.piece((source, target), start, end, &mut in_kernel)?;
            if done > start {
                written = done;
            }
            if done < end {
                // It was cut while it was copied.
                break;
            }
        }
        if done == size && written < size {
            self.end_in_a_hole(target, written, size)?;
        }
        Ok(())
    }

    /// Gives a copy the hole that its source ends in; where a file can't be made longer than what was written,
    /// zeros.
    fn end_in_a_hole(&mut self, target: &OwnedFd, written: u64, size: u64) -> Result<()> {
        match rustix::fs::ftruncate(target, size) {
            Err(errno) if look::is_unknown_there(errno) => {}
            done => return done.map_err(os),
        }
        let zeros = vec![0; limits::COPY_BUFFER_BYTES];
        let mut at = written;
        while at < size {
            self.progress.go_on()?;
            let rest = usize::try_from(size - at).map_or(zeros.len(), |rest| rest.min(zeros.len()));
            match self.with_room(|| rustix::io::pwrite(target, &zeros[..rest], at)) {
                Err(Errno::INTR) => {}
                done => at += done.map_err(os)? as u64,
            }
        }
        Ok(())
    }

    /// Copies the bytes from `start` to `end`; returns where it ended, which is earlier when the source is
    /// shorter by now.
    fn piece(
        &mut self,
        (source, target): (&OwnedFd, &OwnedFd),
        start: u64,
        end: u64,
        in_kernel: &mut bool,
    ) -> Result<u64> {
        let (mut at, mut written_back) = (start, start);
        while at < end {
            self.progress.go_on()?;
            let count = if *in_kernel {
                let wanted = (end - at).min(limits::COPY_CHUNK_BYTES);
                let (mut from, mut to) = (at, at);
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                let copied = rustix::fs::copy_file_range(
                    source,
                    Some(&mut from),
                    target,
                    Some(&mut to),
                    wanted,
                );
                match copied {
                    Err(Errno::INTR) => continue,
                    // Whatever the reason, or if nothing is copied, reading and writing tell for certain,
                    // and make room where it is lacking.
                    Err(_) | Ok(0) => {
                        *in_kernel = false;
                        continue;
                    }
                    Ok(count) => count,
                }
            } else {
                self.pass_through((source, target), at, end)?
            };
            if count == 0 {
                break;
            }
            at += count as u64;
            self.progress.add(count as u64, 0);
            // See `Spool::write`: the final sync shall find little left to do.
            if let Some(fresh) = NonZeroU64::new(at - written_back)
                && (fresh.get() >= limits::WRITEBACK_BYTES || at == end)
                && end - start >= limits::COPY_CHUNK_BYTES
            {
                let _only_advice =
                    rustix::fs::fadvise(target, written_back, Some(fresh), Advice::DontNeed);
                written_back = at;
            }
        }
        Ok(at)
    }

    /// Copies one buffer full; 0 at the end of the file.
    fn pass_through(
        &mut self,
        (source, target): (&OwnedFd, &OwnedFd),
        at: u64,
        end: u64,
    ) -> Result<usize> {
        self.buffer.resize(limits::COPY_BUFFER_BYTES, 0);
        let wanted =
            usize::try_from(end - at).map_or(self.buffer.len(), |rest| rest.min(self.buffer.len()));
        let count = loop {
            match rustix::io::pread(source, &mut self.buffer[..wanted], at) {
                Err(Errno::INTR) => {}
                read => break read.map_err(os)?,
            }
        };
        let mut written = 0;
        while written < count {
            let rest = &self.buffer[written..count];
            match self.with_room(|| rustix::io::pwrite(target, rest, at + written as u64)) {
                Err(Errno::INTR) => {}
                done => written += done.map_err(os)?,
            }
        }
        Ok(count)
    }
}

/// The time of a change, and of no access.
fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
    }
}
