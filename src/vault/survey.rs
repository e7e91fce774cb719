//! Looking for what of a tree cannot be removed, before anything of it is.

use super::look;
use super::look::open_deep;
use super::os;
use super::path::VaultPath;
use super::permit::Permit;
use super::progress::Progress;
use super::rake::Remains;
use super::resolve::{Spot, there};
use super::share::Share;
use super::walk::{Folder, Mark, Visitor, join};
use crate::error::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::Statx;
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

impl Share {
    /// Looks whether what is at a place, known as `path`, can be removed whole, as far as the drive's
    /// permissions tell. Changes nothing.
    ///
    /// Errors: `DeniedByDrive` (it may not be taken out of its folder), `Remains`, `Cancelled`, `Io`.
    pub(super) fn ask_to_remove(
        &self,
        spot: &Spot,
        path: &VaultPath,
        progress: &Progress,
    ) -> Result<()> {
        let stat = there(spot)?;
        if !Permit::of(&*spot.folder).lets_go(stat) {
            return Err(Error::DeniedByDrive);
        }
        if !spot.is_folder() {
            return Ok(());
        }
        let top = look::open_place(&spot.folder, spot.name.as_bytes()).map_err(os)?;
        let top = Arc::new(top);
        let mut survey =
            Survey { path, top: Arc::clone(&top), permit: None, remains: Remains::default() };
        self.walk(top, progress, false, &mut |walk| walk.show(&mut survey))?;
        survey.remains.told()
    }
}

/// Looks for what cannot be removed.
struct Survey<'a> {
    /// What the top is called in the share.
    path: &'a VaultPath,
    /// The top.
    top: Arc<OwnedFd>,
    /// What the folder permits that is being walked through.
    permit: Option<Permit>,
    /// What was found.
    remains: Remains,
}

impl Survey<'_> {
    /// Judges one thing in the present folder.
    fn judge(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) {
        if !self.permit.is_some_and(|permit| permit.lets_go(stat)) {
            self.remains.add(self.path, &join(folder.place, name));
        }
    }
}

impl Visitor for Survey<'_> {
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()> {
        self.permit = Some(Permit::after_unlocking(folder.handle));
        Ok(())
    }

    fn wants(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<bool> {
        self.judge(folder, name, stat);
        Ok(true)
    }

    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<()> {
        self.judge(folder, name, stat);
        Ok(())
    }

    fn leave(&mut self, _place: &[u8], _mark: Mark) -> Result<()> {
        Ok(())
    }

    fn refused(&mut self, place: &[u8], errno: Errno) -> Result<()> {
        if !matches!(errno, Errno::ACCESS | Errno::PERM) {
            return Err(os(errno));
        }
        let stat = open_deep(&self.top, place, false).and_then(look::look_at);
        let me = rustix::process::geteuid().as_raw();
        // What is ours is unlocked when its time comes.
        if !stat.is_ok_and(|stat| stat.stx_uid == me) {
            self.remains.add(self.path, place);
        }
        Ok(())
    }
}
