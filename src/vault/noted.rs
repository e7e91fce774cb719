//! What other doors have noted with a file or folder: an attribute of larder's own on the drive (`carried.rs` says where
//! it goes along), and by which tags a content is known that was only dated anew.

use super::attributes::{open_itself, sync_itself};
use super::look;
use super::os;
use super::path::VaultPath;
use super::resolve::{Follow, there};
use super::room::Usage;
use super::share::{Need, Share};
use super::spool::{set_modified, with_random_end};
use super::stamp::Stamp;
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, AsRawFd as _, OwnedFd};
use rustix::fs::{FileType, OFlags, XattrFlags};
use rustix::io::Errno;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::SystemTime;

/// What is noted with it.
const NOTES: &CStr = c"user.larder.dav";

/// By which stem of a tag its content was known before it was dated anew, behind the one of now.
const STEMS: &CStr = c"user.larder.tag";

/// By which tags the content of a file is known.
pub struct Tagged {
    /// The tag that it has now.
    pub tag: String,
    /// When it changed last.
    pub modified: SystemTime,
    /// What its tag begins with as long as it is not dated anew; `None` where that could be another content's.
    stem: Option<String>,
    /// What the tag began with that was told when the content came.
    first_stem: Option<String>,
}

impl Tagged {
    /// Whether this tag was told of the content that is there now.
    pub fn is_known_by(&self, tag: &str) -> bool {
        let stem_of = |tag: &str| tag.match_indices('-').nth(2).map(|(at, _)| tag[..at].to_owned());
        tag == self.tag
            || stem_of(tag).is_some_and(|stem| {
                Some(&stem) == self.stem.as_ref() || Some(&stem) == self.first_stem.as_ref()
            })
    }
}

impl Share {
    /// What is noted with something that may be seen, links followed; nothing where nothing can be.
    ///
    /// Errors: `Refused`, `NotFound`, `StorageAbsent`.
    pub fn notes(&self, path: &VaultPath) -> Result<Vec<u8>> {
        self.checked(|| {
            let spot = self.locate(path, Need::See, Follow::Last)?;
            there(&spot)?;
            Ok(of_name(&spot.folder, spot.name.as_bytes()))
        })
    }

    /// Notes this with something, instead of what is noted, and dates it if that is wished; durably.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (neither file nor folder), `Unsupported` (the filesystem keeps nothing
    /// of the kind), `DiskFull`, `StorageAbsent`.
    pub fn note(
        &self,
        path: &VaultPath,
        notes: Option<&[u8]>,
        modified: Option<SystemTime>,
    ) -> Result<()> {
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            let handle = open_itself(&spot, OFlags::RDONLY | OFlags::NONBLOCK)?;
            if let Some(notes) = notes {
                write(&handle, NOTES, notes)?;
            }
            if let Some(time) = modified {
                date(&handle, time)?;
            }
            self.finder.root.news.came(path);
            sync_itself(&handle)
        })
    }

    /// By which tags the file at a place that may be seen is known; `None` when no file is there.
    ///
    /// Errors: `Refused`, `StorageAbsent`.
    pub fn tagged(&self, path: &VaultPath) -> Result<Option<Tagged>> {
        self.checked(|| {
            let spot = match self.locate(path, Need::See, Follow::Last) {
                Err(Error::NotFound(_)) => return Ok(None),
                spot => spot?,
            };
            let Some(stat) = spot.stat.as_ref() else { return Ok(None) };
            if look::type_of(stat) != FileType::RegularFile {
                return Ok(None);
            }
            let stamp = Stamp::of(stat);
            let stems = text_of(&spot.folder, spot.name.as_bytes(), STEMS);
            let first_stem = stems.as_deref().and_then(|stems| {
                let (now, first) = stems.split_once(' ')?;
                (now == stamp.stem() && stamp.is_dated_finely()).then(|| first.to_owned())
            });
            Ok(Some(Tagged {
                tag: stamp.tag(),
                modified: look::modified_of(stat),
                stem: stamp.is_dated_finely().then(|| stamp.stem()),
                first_stem,
            }))
        })
    }

    /// Space on the drive of a folder that may be seen.
    ///
    /// Errors: `Refused`, `NotFound`, `StorageAbsent`, `Io`.
    pub fn usage_of(&self, path: &VaultPath) -> Result<Usage> {
        let folder = self.enter(path)?;
        Usage::of(folder.as_fd()).map_err(os)
    }
}

/// What is noted with a name in a folder, a link not followed; nothing where nothing can be.
pub(super) fn of_name(folder: &OwnedFd, name: &[u8]) -> Vec<u8> {
    value_of(folder, name, NOTES).unwrap_or_default()
}

/// An attribute of a name in a folder, a link not followed.
fn value_of(folder: &OwnedFd, name: &[u8], attribute: &CStr) -> Option<Vec<u8>> {
    let place = format!("/proc/self/fd/{}", folder.as_raw_fd());
    let place = Path::new(&place).join(OsStr::from_bytes(name));
    let mut value = vec![0_u8; limits::NOTES_BYTES_READ];
    let length = rustix::fs::lgetxattr(place, attribute, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// The same as a text.
fn text_of(folder: &OwnedFd, name: &[u8], attribute: &CStr) -> Option<String> {
    String::from_utf8(value_of(folder, name, attribute)?).ok()
}

/// Writes an attribute of something open, or removes it.
fn write(handle: &OwnedFd, attribute: &CStr, value: &[u8]) -> Result<()> {
    let written = if value.is_empty() {
        match rustix::fs::fremovexattr(handle, attribute) {
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
            removed => removed,
        }
    } else {
        rustix::fs::fsetxattr(handle, attribute, value, XattrFlags::empty())
    };
    written.map_err(|errno| match errno {
        Errno::OPNOTSUPP | Errno::NOSYS => Error::Unsupported,
        Errno::NOSPC | Errno::DQUOT | Errno::TOOBIG | Errno::RANGE => Error::DiskFull,
        errno => os(errno),
    })
}

/// Dates something open: what is finer than a millisecond is random, so that no two contents look alike. The tags that
/// its content was told by stay good, where attributes can be kept.
fn date(handle: &OwnedFd, time: SystemTime) -> Result<()> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let before = look::look_at(handle).map_err(os)?;
    set_modified(handle, with_random_end(since))?;
    if look::type_of(&before) != FileType::RegularFile {
        return Ok(());
    }
    let (before, now) = (Stamp::of(&before), Stamp::of(&look::look_at(handle).map_err(os)?));
    let mut value = [0_u8; 256];
    let length = rustix::fs::fgetxattr(handle, STEMS, &mut value[..]).unwrap_or(0);
    let stems = std::str::from_utf8(&value[..length]).unwrap_or_default();
    let first = match stems.split_once(' ') {
        Some((then, first)) if then == before.stem() => first.to_owned(),
        _ => before.stem(),
    };
    // Where there are no attributes, or no room for them, the tag is another from now on.
    let _nowhere_to_keep_it = write(handle, STEMS, format!("{} {first}", now.stem()).as_bytes());
    Ok(())
}
