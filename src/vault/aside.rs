//! What was taken out of its place and waits out of sight, in larder's hidden folder: in the end it is removed for good,
//! or shown again where it was.

use super::numbered::numbered;
use super::path::VaultPath;
use super::progress::Progress;
use super::rake::{Doomed, Remains};
use super::share::Share;
use super::{discard, look, os, raw_name};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

impl Share {
    /// Removes for good what was taken out of sight, and was called `path`. What cannot be removed comes back
    /// to where it was.
    pub(super) fn let_go(
        &self,
        (hidden, name): (&OwnedFd, impl AsRef<OsStr>),
        was: (&OwnedFd, &OsStr),
        path: &VaultPath,
    ) -> Result<Remains> {
        let name = name.as_ref();
        let (folder, name_bytes) = (hidden.as_fd(), name.as_bytes());
        let doomed = Doomed { folder, name: name_bytes, path, is_hidden: true };
        let removed = doomed.remove(&Progress::default(), &|| self.nameless_file());
        if !removed.as_ref().is_ok_and(Remains::is_none)
            && let Some(shown) = self.show_again((hidden, name), was)?
        {
            self.finder.root.news.came(&path.parent().unwrap_or_default().join(&shown));
        }
        removed
    }

    /// Puts what could not be removed back where it was, durably; where something else is by now, beside it
    /// under the next free name. Says under which; `None` if it is not there any more.
    pub(super) fn show_again(
        &self,
        (hidden, name): (&OwnedFd, &OsStr),
        (folder, was): (&OwnedFd, &OsStr),
    ) -> Result<Option<String>> {
        for number in 0..=limits::NUMBERED_NAMES_MAX {
            let free = numbered(&raw_name::tell(was.as_bytes()), number);
            let shown = discard::moving(hidden.as_fd(), name.as_bytes(), true, || {
                self.rename_noreplace(hidden, name, folder, raw_name::known(&free))
            });
            match shown {
                Ok(()) => {
                    look::sync_folder(folder).map_err(os)?;
                    return Ok(Some(free));
                }
                Err(Errno::EXIST | Errno::NOTEMPTY) => {}
                Err(Errno::NOENT) => return Ok(None),
                Err(errno) => return Err(os(errno)),
            }
        }
        Err(Error::Collision("Target already exists"))
    }
}
