//! How a name changes hands: in one step, over nothing or against another.

use super::look::{self, is_folder};
use super::root::Quirks;
use super::share::Share;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::{Errno, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Renames a file in one step that cannot overwrite; where the filesystem does not know how, by a
/// second name, and where it has none of those either, by looking first.
///
/// Errors: `EEXIST`.
pub(super) fn rename_noreplace(
    quirks: Quirks,
    from: &OwnedFd,
    old: impl AsRef<OsStr>,
    to: &OwnedFd,
    new: impl AsRef<OsStr>,
) -> Result<()> {
    let (old, new) = (old.as_ref(), new.as_ref());
    if !quirks.no_noreplace {
        match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            done => return done,
        }
    }
    if is_folder(from, old)? {
        // A folder may replace an empty one: the empty one claims the name.
        rustix::fs::mkdirat(to, new, Mode::RWXU)?;
        return rustix::fs::renameat(from, old, to, new).inspect_err(|_| {
            let _claim = rustix::fs::unlinkat(to, new, AtFlags::REMOVEDIR);
        });
    }
    if !quirks.no_links {
        match rustix::fs::linkat(from, old, to, new, AtFlags::empty()) {
            Ok(()) => return rustix::fs::unlinkat(from, old, AtFlags::empty()),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    if look::look(to, new.as_bytes())?.is_some() {
        return Err(Errno::EXIST);
    }
    rustix::fs::renameat(from, old, to, new)
}
/// Makes two things change places in one step.
///
/// Errors: `EINVAL` where the filesystem does not know how.
pub(super) fn exchange(
    quirks: Quirks,
    one: (&OwnedFd, &OsStr),
    other: (&OwnedFd, &OsStr),
) -> Result<()> {
    if quirks.no_exchange {
        return Err(Errno::INVAL);
    }
    rustix::fs::renameat_with(one.0, one.1, other.0, other.1, RenameFlags::EXCHANGE)
}

impl Share {
    /// The same as `rename_noreplace`, on the share's drive.
    pub(super) fn rename_noreplace(
        &self,
        from: &OwnedFd,
        old: impl AsRef<OsStr>,
        to: &OwnedFd,
        new: impl AsRef<OsStr>,
    ) -> Result<()> {
        rename_noreplace(self.finder.root.quirks, from, old, to, new)
    }
}
