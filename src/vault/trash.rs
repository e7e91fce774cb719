//! The trash of one filesystem: what was deleted or replaced, out of sight in larder's hidden folder, each
//! thing beside a record of where it came from. Knows no grants; `restore.rs` asks them.
//!
//! A thing called `id` has a record `id.json`. While it is on its way in, the record is called `id.new`: it
//! is durable before anything moves, so that a crash finds the thing in its place or here, and the sweep at
//! the next start can tell which. An id begins with the time of deletion, so that names sort by age.

use super::hidden::{self, TEMPORARY, TRASH};
use super::keeping::Keeping;
use super::leftover;
use super::look;
use super::look::FileId;
use super::path::VaultPath;
use super::progress::Progress;
use super::rake::{self, Doomed, Remains};
use super::room::Room;
use super::root::{Root, tops_below};
use super::sorted::{self, Order};
use super::trash_id::{RECORD, TrashId, UNSETTLED};
use super::{discard, os};
use crate::error::Result;
use crate::{limits, threads};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Statx};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex};

/// What one thing must be that is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A file, or a link.
    File,
    /// A folder without anything in it, removed in one step that can take nothing along: what comes into it at the
    /// last moment keeps it where it is.
    EmptyFolder,
    /// A folder with all that is in it.
    Tree,
}

/// Where a deleted thing goes, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Into the trash.
    Trash,
    /// It is gone for good.
    Gone,
}

/// Why something is in the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Somebody deleted it.
    Deleted,
    /// Something else took its place.
    Replaced,
}

/// What is written down of a thing in the trash. What it is and, for a file, its size is seen on itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where it was, relative to the top of its filesystem.
    pub path: String,
    /// Who did it: the label of the share.
    pub by: String,
    /// Why.
    pub reason: Reason,
    /// Bytes in a folder, once the keeper has counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The file that takes its place. If that is what lies here, the two have not changed places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Incoming>,
    /// The group with which it goes: as long as that is not settled, a crash brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What something on its way into a place is known by after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Incoming {
    /// Bytes.
    size: u64,
    /// When its content changed last; copies and synchronised files have that of another.
    modified_ns: i64,
    /// Its number, where the filesystem keeps those. What is no file has no content to be known by: of that it
    /// is the number in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    /// Whether it is a regular file.
    #[serde(default = "is_file_unless_told")]
    pub is_file: bool,
}

/// Records of earlier versions do not say what it is, and have the number of everything but files.
fn is_file_unless_told() -> bool {
    true
}

impl Incoming {
    /// By what this is known, which is on the filesystem of a folder.
    pub fn of(folder: &OwnedFd, stat: &Statx) -> Self {
        let modified_ns = i64::try_from(look::nanoseconds_of(&stat.stx_mtime)).unwrap_or(0);
        let is_file = look::type_of(stat) == FileType::RegularFile;
        let has_number = !is_file || look::keeps_numbers(folder).unwrap_or(false);
        let inode = has_number.then_some(stat.stx_ino);
        Self { size: stat.stx_size, modified_ns, inode, is_file }
    }

    /// Whether that is what lies there.
    pub fn is(self, stat: &Statx) -> bool {
        if self.inode.is_some_and(|inode| inode != stat.stx_ino) {
            return false;
        }
        if look::type_of(stat) != FileType::RegularFile {
            return self.inode.is_some() && !self.is_file;
        }
        self.is_file
            && stat.stx_size == self.size
            && look::nanoseconds_of(&stat.stx_mtime) == i128::from(self.modified_ns)
    }
}

/// The trash of one filesystem.
#[derive(Clone, Debug)]
pub(super) struct Bin {
    /// The folder, open as a place to start from.
    pub folder: Arc<OwnedFd>,
    /// Where its filesystem begins in the share.
    pub top: VaultPath,
}

/// Whether a failure means that nothing can be kept there, rather than that the machine failed.
pub(super) fn is_no_place(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NOSPC
            | Errno::DQUOT
            | Errno::ACCESS
            | Errno::PERM
            | Errno::ROFS
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::MLINK
            | Errno::OPNOTSUPP
    )
}

/// Bytes that a file takes on the drive: a sparse one takes less than it holds.
pub(super) fn bytes_of(stat: &Statx) -> u64 {
    stat.stx_blocks.saturating_mul(512)
}

/// Writes a record, durable with its name before this returns.
pub(super) fn write_record(
    bin: BorrowedFd<'_>,
    name: &str,
    record: &Record,
) -> rustix::io::Result<()> {
    put_record(bin, name, record)
        .and_then(rustix::fs::fsync)
        .and_then(|()| look::sync_folder(bin))
        .inspect_err(|_| hidden::unlink(bin, name))
}

/// Writes a record that is one of many; durable once the filesystem is synced.
pub(super) fn write_one_of_many(
    bin: BorrowedFd<'_>,
    name: &str,
    record: &Record,
) -> rustix::io::Result<()> {
    if !look::syncs_whole(bin)? {
        return write_record(bin, name, record);
    }
    put_record(bin, name, record).map(drop).inspect_err(|_| hidden::unlink(bin, name))
}

/// Puts a record there, which a power cut may still take away.
fn put_record(bin: BorrowedFd<'_>, name: &str, record: &Record) -> rustix::io::Result<File> {
    let text = serde_json::to_vec(record).map_err(|_| Errno::INVAL)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(bin, name, flags, Mode::from(0o600))?);
    let written = file.write_all(&text);
    written.map_err(|cause| Errno::from_io_error(&cause).unwrap_or(Errno::IO))?;
    Ok(file)
}

/// Reads a record; `None` when there is none that can be read.
pub(super) fn read_record(bin: BorrowedFd<'_>, name: &str) -> rustix::io::Result<Option<Record>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(bin, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ACCESS) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let mut text = Vec::new();
    let read = file.take(limits::TRASH_RECORD_BYTES_MAX).read_to_end(&mut text);
    Ok(read.ok().and_then(|_| serde_json::from_slice(&text).ok()))
}

/// Opens the trash below the top of a filesystem, if it has one.
pub(super) fn open(top: BorrowedFd<'_>) -> Option<OwnedFd> {
    let home = look::open_place(top, super::path::HOME.as_bytes()).ok()?;
    look::open_place(&home, TRASH.as_bytes()).ok()
}

/// What became of a thing that was to be removed from the trash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// It is gone, with its record.
    All,
    /// It was not there.
    Nothing,
    /// These of it cannot be removed: they are still in the trash, and listed.
    Part(Remains),
}

/// Removes one thing from the trash for good, with its record. `path` is where it was in the share.
///
/// Errors: those of the drive; then it stays listed, or what is left of it waits for the next sweep.
pub(super) fn remove(bin: BorrowedFd<'_>, id: &TrashId, path: &VaultPath) -> Result<Removed> {
    let removed = match rustix::fs::unlinkat(bin, id.as_str(), AtFlags::empty()) {
        Ok(()) => Removed::All,
        Err(Errno::NOENT) => Removed::Nothing,
        Err(Errno::ISDIR | Errno::PERM) => remove_tree(bin, id, path)?,
        Err(errno) => return Err(os(errno)),
    };
    if matches!(removed, Removed::Part(_)) {
        forget_weight(bin, id);
    } else {
        // Only now: a thing without a record would be somebody's for ever.
        hidden::unlink(bin, &id.record());
    }
    Ok(removed)
}

/// Removes what is no file, or a file that does not go.
fn remove_tree(bin: BorrowedFd<'_>, id: &TrashId, path: &VaultPath) -> Result<Removed> {
    let home = look::open_place(bin, b"..").map_err(os)?;
    let workshop = hidden::open_or_make(home.as_fd(), TEMPORARY).map_err(os)?;
    let overflow = || rake::nameless_file(workshop.as_fd());
    let remove = |folder, name: &str| {
        let doomed = Doomed { folder, name: name.as_bytes(), path, is_hidden: true };
        doomed.remove(&Progress::default(), &overflow)
    };
    // Out of the trash first: half a thing must never be restored, not even after a crash.
    let hidden = hidden::temporary_name();
    let remains = match discard::take_out(bin, id.as_str().as_bytes(), workshop.as_fd(), &hidden) {
        Ok(()) => remove(workshop.as_fd(), &hidden).and_then(|remains| {
            if !remains.is_none() {
                put_back(workshop.as_fd(), &hidden, bin, id)?;
            }
            Ok(remains)
        }),
        Err(Errno::NOENT) => return Ok(Removed::Nothing),
        // Somebody else's folder, or one that is fixed, does not move; what is in it may go.
        Err(Errno::ACCESS | Errno::PERM) => remove(bin, id.as_str()),
        Err(errno) => return Err(os(errno)),
    };
    let remains = remains.inspect_err(|_| {
        let _gone_or_for_the_sweep = put_back(workshop.as_fd(), &hidden, bin, id);
    })?;
    Ok(if remains.is_none() { Removed::All } else { Removed::Part(remains) })
}

/// Puts what is left of a thing back into the trash.
fn put_back(
    workshop: BorrowedFd<'_>,
    hidden: &str,
    bin: BorrowedFd<'_>,
    id: &TrashId,
) -> Result<()> {
    rustix::fs::renameat(workshop, hidden, bin, id.as_str()).map_err(os)?;
    look::sync_folder(bin).map_err(os)
}

/// Has a thing weighed again of which something is gone.
fn forget_weight(bin: BorrowedFd<'_>, id: &TrashId) {
    if let Ok(Some(record)) = read_record(bin, &id.record())
        && record.size.is_some()
    {
        let _as_heavy_as_before = rewrite(bin, id, &Record { size: None, ..record });
    }
}

/// Held by whoever empties the trash to make room, so that two who need it do not take it twice.
static MAKING_ROOM: Mutex<()> = Mutex::new(());

/// Takes some of the oldest things out of the trash of a full drive; returns whether there is more room now.
/// `beside` is the trash or a folder beside it.
pub(super) fn make_some_room(beside: BorrowedFd<'_>) -> bool {
    let Ok(drive) = Room::on(beside) else { return false };
    let a_part = drive.map_or(0, |drive| drive.total / limits::TRASH_ROOM_PARTS);
    make_room(beside, a_part.min(limits::TRASH_ROOM_BYTES_MAX))
}

/// The same until that many bytes are free.
pub(super) fn make_room(beside: BorrowedFd<'_>, bytes: u64) -> bool {
    // Of a drive that does not tell, one thing less is all that can be known.
    let free = || Room::on(beside).map_or(0, |drive| drive.map_or(u64::MAX, |drive| drive.free));
    let before = free();
    let _one_at_a_time = threads::locked(&MAKING_ROOM);
    if free() > before {
        // Somebody else just did.
        return true;
    }
    let Ok(bin) = look::open_to_read(beside, format!("../{TRASH}").as_bytes()) else {
        return false;
    };
    let mut is_more = false;
    let _as_far_as_it_went = each(bin.as_fd(), &mut |id| {
        is_more |= is_gone(bin.as_fd(), id);
        // Where inodes are lacking, one thing less is room enough to try again.
        Ok(!is_more || free() < bytes)
    });
    is_more
}

/// Removes a thing and says whether all of it is gone, for those who only want its room.
pub(super) fn is_gone(bin: BorrowedFd<'_>, id: &TrashId) -> bool {
    remove(bin, id, &VaultPath::root()).is_ok_and(|removed| removed == Removed::All)
}

/// Bytes that a trash would give back.
pub(super) fn reclaimable(bin: BorrowedFd<'_>) -> Result<u64> {
    let bin = look::open_to_read(bin, b".").map_err(os)?;
    let mut bytes = 0_u64;
    each(bin.as_fd(), &mut |id| {
        bytes = bytes.saturating_add(weight(bin.as_fd(), id).map_err(os)?);
        Ok(true)
    })?;
    Ok(bytes)
}

/// Hands out what is in a trash that is open for reading, the oldest first, until `take` has enough and says
/// `false`.
fn each(bin: BorrowedFd<'_>, take: &mut dyn FnMut(&TrashId) -> Result<bool>) -> Result<()> {
    let is_record = |name: &[u8]| name.ends_with(RECORD.as_bytes());
    sorted::each_sorted(bin, Order::Up, &is_record, &mut |name| match TrashId::of_record(name) {
        Some(id) => take(&id),
        None => Ok(true),
    })
}

/// What the keeper found in one trash.
pub(super) struct Pruned {
    /// How many things went.
    pub removed: u64,
    /// When the next is due (milliseconds since 1970).
    pub next_ms: u64,
    /// Bytes that are left.
    pub bytes: u64,
}

/// Removes from one trash what was kept long enough, and the oldest of what is too much.
pub(super) fn prune(bin: BorrowedFd<'_>, keeping: &Keeping) -> Result<Pruned> {
    let bin = look::open_to_read(bin, b".").map_err(os)?;
    let mut removed = 0;
    let mut next_ms = u64::MAX;
    let oldest_ms = keeping.oldest_ms();
    each(bin.as_fd(), &mut |id| {
        if id.ms() >= oldest_ms {
            next_ms = id.ms().saturating_add(keeping.kept_ms());
            return Ok(false);
        }
        removed += u64::from(is_gone(bin.as_fd(), id));
        Ok(true)
    })?;
    let quota = keeping.bytes_max(Room::on(bin.as_fd()).map_err(os)?);
    let mut bytes = 0_u64;
    each(bin.as_fd(), &mut |id| {
        bytes = bytes.saturating_add(weight(bin.as_fd(), id).map_err(os)?);
        Ok(true)
    })?;
    each(bin.as_fd(), &mut |id| {
        if bytes <= quota {
            return Ok(false);
        }
        let weight = weight(bin.as_fd(), id).map_err(os)?;
        removed += u64::from(is_gone(bin.as_fd(), id));
        // What does not go pushes nothing else out.
        bytes = bytes.saturating_sub(weight);
        Ok(true)
    })?;
    Ok(Pruned { removed, next_ms, bytes })
}

/// Bytes that one thing and its record take. Those in a folder are counted once and written into its record.
fn weight(bin: BorrowedFd<'_>, id: &TrashId) -> rustix::io::Result<u64> {
    let Some(stat) = look::look(bin, id.as_str().as_bytes())? else { return Ok(0) };
    if look::type_of(&stat) != FileType::Directory {
        return Ok(bytes_of(&stat).saturating_add(limits::TRASH_RECORD_WEIGHT_BYTES));
    }
    let record = read_record(bin, &id.record())?;
    let bytes = if let Some(bytes) = record.as_ref().and_then(|record| record.size) {
        bytes
    } else {
        let bytes = discard::weigh(bin, id.as_str().as_bytes());
        if let Some(record) = record {
            // A later look counts again if this cannot be written.
            let _counted_again = rewrite(bin, id, &Record { size: Some(bytes), ..record });
        }
        bytes
    };
    Ok(bytes.saturating_add(limits::TRASH_RECORD_WEIGHT_BYTES))
}

/// Replaces a record in one step.
fn rewrite(bin: BorrowedFd<'_>, id: &TrashId, record: &Record) -> rustix::io::Result<()> {
    let workshop = open_workshop(bin)?;
    let name = hidden::temporary_name();
    write_record(workshop.as_fd(), &name, record)?;
    put_rewritten(bin, id, (workshop.as_fd(), &name))
}

/// Replaces some records, each in one step, durably when this returns; what has gone meanwhile stays away.
pub(super) fn rewrite_all(
    bin: BorrowedFd<'_>,
    records: &[(TrashId, Record)],
) -> rustix::io::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let workshop = open_workshop(bin)?;
    let is_few = records.len() <= limits::FEW_FILES;
    let mut written = Vec::with_capacity(records.len());
    let mut end = Ok(());
    for (id, record) in records {
        let name = hidden::temporary_name();
        let write = if is_few { write_record } else { write_one_of_many };
        end = write(workshop.as_fd(), &name, record);
        if end.is_err() {
            break;
        }
        written.push((id, name));
    }
    if !is_few {
        end = end.and_then(|()| look::sync_whole(&workshop));
    }
    for (id, name) in written {
        // None of them unless all are on the disk; and one that has gone is nobody's failure.
        match end {
            Ok(()) => match put_rewritten(bin, id, (workshop.as_fd(), &name)) {
                Err(Errno::NOENT) => {}
                put => end = put,
            },
            Err(_) => hidden::unlink(workshop.as_fd(), &name),
        }
    }
    end.and_then(|()| look::sync_folder(bin))
}

/// Larder's folder for unfinished things beside a trash.
fn open_workshop(bin: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let home = look::open_place(bin, b"..")?;
    hidden::open_or_make(home.as_fd(), TEMPORARY)
}

/// Gives a new record its name. The thing may have been restored or removed meanwhile: then its record must not come
/// back.
fn put_rewritten(
    bin: BorrowedFd<'_>,
    id: &TrashId,
    (workshop, name): (BorrowedFd<'_>, &str),
) -> rustix::io::Result<()> {
    let replaced = match look::look(bin, id.record().as_bytes()) {
        Ok(Some(_)) => rustix::fs::renameat(workshop, name, bin, id.record()),
        _ => Err(Errno::NOENT),
    };
    replaced.inspect_err(|_| hidden::unlink(workshop, name))
}

/// Settles what a crash left in one trash half done, but nothing this process is working on. Returns how many
/// unfinished things were removed.
pub(super) fn sweep(bin: BorrowedFd<'_>) -> u64 {
    let Ok(bin) = look::open_to_read(bin, b".") else { return 0 };
    let mut removed = 0;
    // Sorted, a thing comes before its record, and both before the next thing.
    let mut thing: Option<TrashId> = None;
    let settle = |alone: Option<TrashId>| {
        if let Some(id) = alone.filter(|id| !id.is_ours())
            && let Err(errno) = adopt(bin.as_fd(), &id)
        {
            leftover::missed(bin.as_fd(), errno);
        }
    };
    let everything = |_: &[u8]| true;
    let _as_far_as_it_went =
        sorted::each_sorted(bin.as_fd(), Order::Up, &everything, &mut |name| {
            let Ok(name) = std::str::from_utf8(name) else { return Ok(true) };
            let (text, is_settled) = match (name.strip_suffix(RECORD), name.strip_suffix(UNSETTLED))
            {
                (Some(text), _) => (text, true),
                (_, Some(text)) => (text, false),
                _ => {
                    settle(thing.take());
                    thing = TrashId::parse(name);
                    return Ok(true);
                }
            };
            let Some(id) = TrashId::parse(text) else { return Ok(true) };
            let is_there = thing.as_ref() == Some(&id);
            if is_there {
                thing = None;
            }
            let is_in_work = id.is_ours() && !leftover::is_given_up(name);
            if is_in_work || is_settled && is_there {
                return Ok(true);
            }
            removed += u64::from(if is_there {
                finish(bin.as_fd(), &id)
                    .inspect_err(|errno| leftover::missed(bin.as_fd(), *errno))
                    .unwrap_or(false)
            } else {
                hidden::unlink(bin.as_fd(), name);
                true
            });
            Ok(true)
        });
    settle(thing.take());
    removed
}

/// Decides about a thing whose way in was interrupted; true when it was the file that should have replaced
/// another, and is gone.
fn finish(bin: BorrowedFd<'_>, id: &TrashId) -> rustix::io::Result<bool> {
    let record = read_record(bin, &id.unsettled())?;
    let stat = look::look(bin, id.as_str().as_bytes())?.ok_or(Errno::NOENT)?;
    if let Some(record) = record {
        if record.incoming.is_some_and(|incoming| incoming.is(&stat)) {
            discard::remove(bin, id.as_str().as_bytes())?;
            hidden::unlink(bin, &id.unsettled());
            return Ok(true);
        }
        rustix::fs::renameat(bin, id.unsettled(), bin, id.record())?;
    } else {
        hidden::unlink(bin, &id.unsettled());
        adopt(bin, id)?;
    }
    Ok(false)
}

/// Gives a thing without a record one under which it can be restored: better in the wrong place than lost.
fn adopt(bin: BorrowedFd<'_>, id: &TrashId) -> rustix::io::Result<()> {
    let record = Record {
        path: id.as_str().to_owned(),
        by: String::new(),
        reason: Reason::Deleted,
        size: None,
        incoming: None,
        group: None,
    };
    write_record(bin, &id.record(), &record)
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
    add(VaultPath::root(), open(handle.as_fd()));
    for (below, folder) in tops_below(root, handle) {
        let top = VaultPath::from_disk(below.as_os_str().as_bytes());
        if !top.is_reserved() {
            add(top, open(folder.as_fd()));
        }
    }
    bins
}
