//! Folders that are made on the way to something: noted durably before they are, so that the sweep after a
//! crash removes those that stayed empty.

use super::hidden::{self, TEMPORARY};
use super::journal::Journal;
use super::look;
use super::path::VaultPath;
use super::resolve::Follow;
use super::share::{Need, Share};
use super::unfinished::{End, Unfinished};
use super::{NOT_THERE, os, raw_name};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::convert::identity;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// What a note is called behind its name, in larder's folder for unfinished things.
const NOTE: &str = ".made";

/// What a note says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    /// The innermost folder, relative to the top of its filesystem.
    path: String,
    /// How many folders are made, it and those around it.
    count: usize,
}

/// Whether something is called as a note is.
pub(super) fn is_note(name: &[u8]) -> bool {
    name.ends_with(NOTE.as_bytes())
}

impl Share {
    /// Makes the folders above `path` where they are missing, each durable. Whoever may write `path` may
    /// have the way there made, as long as it really leads to what may be written.
    pub(super) fn make_missing(&self, path: &VaultPath, journal: &mut Journal<'_>) -> Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        // Most often it is there.
        if self.finder.locate(&parent, Follow::Last).is_ok_and(|spot| spot.is_folder()) {
            return Ok(());
        }
        let mut is_noted = false;
        let mut ahead = path.components();
        let mut place = VaultPath::root();
        for part in parent.components() {
            place = place.join(part);
            ahead.next();
            let mut spot = self.finder.locate(&place, Follow::Last)?;
            if spot.is_folder() {
                continue;
            }
            // It went meanwhile, and whoever shall know of nothing but it does not bring it back.
            if self.grant().confines().is_some_and(|confines| confines.starts_with(&place)) {
                return Err(NOT_THERE);
            }
            // Behind what is missing there are no links: the rest is where its name says.
            let end = ahead.clone().fold(spot.path.clone(), |end, part| end.join(part));
            self.ask(&end, Need::Write)?;
            let _coming = self.changing(&spot.path);
            self.may_come(&spot.path)?;
            if spot.stat.is_some() {
                return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder"));
            }
            spot.folder = self.finder.shared(spot.folder).map_err(os)?;
            if !is_noted {
                let innermost = end.parent().unwrap_or_default();
                journal.notes.push(self.note_making(&innermost, ahead.clone().count())?);
                is_noted = true;
            }
            // If somebody else was faster that is as good.
            journal.make(&spot, &place)?;
        }
        Ok(())
    }

    /// Notes durably that `count` folders are about to be made, of which `path` (by where it really is) is the
    /// innermost. The note is dropped when they have what they are made for, durably, or are gone again.
    pub(super) fn note_making(&self, path: &VaultPath, count: usize) -> Result<Unfinished> {
        let around = (0..count).try_fold(path.clone(), |path, _| path.parent()).unwrap_or_default();
        let (top, folder) = self.finder.hidden(&around, TEMPORARY)?;
        let path = path.below(&top).ok_or(Error::Bug("a folder outside of its drive".into()))?;
        let made = Made { path: path.as_str().to_owned(), count };
        let text = serde_json::to_vec(&made).map_err(|_| Error::Bug("a note".into()))?;
        let name = format!("{}{NOTE}", hidden::temporary_name());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&*folder, &name, flags, Mode::from(0o600)).map_err(os)?;
        let note = Unfinished::new(folder, name, End::Removed);
        let mut file = File::from(file);
        file.write_all(&text)?;
        file.sync_all()?;
        look::sync_folder(&*note.folder).map_err(os)?;
        Ok(note)
    }
}

/// Removes the folders that notes of other processes tell of, as far as they are empty, and the notes: a folder that
/// somebody makes there later is none of those. `top` is where the filesystem begins.
pub(super) fn sweep(
    top: BorrowedFd<'_>,
    workshop: BorrowedFd<'_>,
    is_in_work: &dyn Fn(&[u8]) -> bool,
) {
    let _as_far_as_it_went = look::each_name(workshop, identity, &mut |name| {
        if is_note(name) && !is_in_work(name) {
            let _stays_as_it_is = unmake(top, workshop, name);
            hidden::unlink(workshop, std::ffi::OsStr::from_bytes(name));
        }
        Ok(())
    });
}

/// Removes what one note tells of, the innermost folder first, up to the first that is not empty.
fn unmake(top: BorrowedFd<'_>, workshop: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(workshop, name, flags, Mode::empty())?);
    let mut text = Vec::new();
    let read = file.take(limits::MADE_NOTE_BYTES_MAX).read_to_end(&mut text);
    let Some(made) = read.ok().and_then(|_| serde_json::from_slice::<Made>(&text).ok()) else {
        return Ok(());
    };
    // A drive may come from anywhere: what its notes say is judged like what a caller says.
    let Ok(mut path) = VaultPath::parse(&made.path) else { return Ok(()) };
    for _ in 0..made.count {
        let Some(around) = path.parent().filter(|_| !path.is_root() && !path.is_reserved()) else {
            break;
        };
        // Those further in may not have been made.
        if let Some(folder) = open_down(top, &around) {
            match rustix::fs::unlinkat(&folder, path.name_on_disk(), AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            look::sync_folder(&folder)?;
        }
        path = around;
    }
    Ok(())
}

/// Opens a folder of a filesystem, component by component, links refused.
fn open_down(top: BorrowedFd<'_>, path: &VaultPath) -> Option<OwnedFd> {
    let mut parts = path.components();
    let top = top.try_clone_to_owned().ok()?;
    parts.try_fold(top, |folder, part| {
        look::open_place(&folder, raw_name::known(part).as_bytes()).ok()
    })
}
