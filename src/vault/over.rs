//! Renaming a file over another, as `rename(2)` does it: FTP clients upload under a temporary name and
//! put the whole file in the old one's place. HTTP never does this.

use super::look;
use super::os_new_name;
use super::path::VaultPath;
use super::resolve::Follow;
use super::share::{Kind, Need, Share};
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use rustix::fs::FileType;

impl Share {
    /// Renames a file within the share in one step; a file that has the new name already is replaced.
    ///
    /// Errors: `Refused` (either end), `NotFound` (source), `Collision` (no file is replaced by this, or
    /// none is in the way), `Invalid`, `StorageAbsent`.
    pub fn rename_over(&self, source: &VaultPath, target: &VaultPath) -> Result<()> {
        const IN_THE_WAY: Error = Error::Collision("Target already exists");
        self.ask(source, Need::Write)?;
        self.ask(target, Need::Write)?;
        self.checked(|| {
            let from = self.locate(source, Need::Write, Follow::NotLast)?;
            let to = self.locate(target, Need::Write, Follow::NotLast)?;
            let source_stat = from.stat.as_ref().ok_or(NOT_THERE)?;
            let Some(old) = &to.stat else {
                return self.rename(source, target, Kind::File);
            };
            let is_file = |stat| look::type_of(stat) == FileType::RegularFile;
            if !is_file(source_stat) || !is_file(old) {
                return Err(IN_THE_WAY);
            }
            if look::id_of(source_stat) == look::id_of(old) {
                // Two names of one file; `rename(2)` would keep both.
                return Err(IN_THE_WAY);
            }
            let renamed = rustix::fs::renameat(&*from.folder, &from.name, &*to.folder, &to.name);
            renamed.map_err(os_new_name)?;
            look::sync_folder(&*to.folder).map_err(os)?;
            if from.path.parent() == to.path.parent() {
                return Ok(());
            }
            look::sync_folder(&*from.folder).map_err(os)
        })
    }
}
