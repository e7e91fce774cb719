//! The vault as a whole, on a real disk: temporary folders, hostile names, links, drives.

mod account;
mod alone;
mod change;
mod confined;
mod deep;
mod drive;
mod group;
mod kept;
mod leftover;
mod links;
mod mounts;
mod names;
mod place;
mod records;
mod relocate;
mod scarce;
mod transfer;
mod trash;
mod twin;
mod uploads;
mod watch;
mod zip;

use super::root::Quirks;
use super::{Grant, IfExists, Place, Placed, RootId, Share, Spool, Vault, VaultPath};
use crate::error::Result;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A share root in a temporary folder, and a vault over it.
pub struct House {
    /// Goes with everything in it when the test ends.
    folder: TempDir,
    /// The vault under test.
    pub vault: Vault,
    /// What its marker says.
    pub id: RootId,
}

impl House {
    /// An empty share root, adopted.
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// The same in memory where there is such a place: for very many or very large files.
    pub fn in_memory() -> Self {
        let memory = PathBuf::from("/dev/shm");
        if memory.is_dir() { Self::within(&memory) } else { Self::new() }
    }

    /// The same in a temporary folder there.
    fn within(place: &Path) -> Self {
        let folder = tempfile::tempdir_in(place).unwrap();
        let root = folder.path().join("share");
        fs::create_dir(&root).unwrap();
        let (vault, id) = Vault::attach(&root, None, false).unwrap();
        Self { folder, vault, id }
    }

    /// The same on a kernel or filesystem that knows less.
    pub fn with_quirks(quirks: Quirks) -> Self {
        let mut house = Self::new();
        house.vault = house.vault.with_quirks(quirks);
        house
    }

    /// Where the share root is.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("share")
    }

    /// A place beside the share root, out of reach for every caller.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A share that may do everything.
    pub fn share(&self) -> Share {
        self.vault.share(Arc::new(Grant::everything()), "ana").unwrap()
    }

    /// A share that may read and write only there.
    pub fn share_of(&self, read: &[&str], write: &[&str]) -> Share {
        let paths = |texts: &[&str]| texts.iter().map(|text| path(text)).collect();
        self.vault.share(Arc::new(Grant::new(paths(read), paths(write))), "ana").unwrap()
    }

    /// Puts a file there behind the vault's back, with the folders above it.
    pub fn file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let place = self.root().join(name.as_ref());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, content).unwrap();
        place
    }

    /// Makes a folder behind the vault's back, with those above it.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let place = self.root().join(name.as_ref());
        fs::create_dir_all(&place).unwrap();
        place
    }

    /// Makes a link behind the vault's back.
    pub fn link(&self, name: &str, target: impl AsRef<OsStr>) {
        let place = self.root().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target.as_ref(), place).unwrap();
    }

    /// The content of a file, seen behind the vault's back.
    pub fn content(&self, name: &str) -> Option<String> {
        fs::read(self.root().join(name)).ok().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// What is in a folder, seen behind the vault's back, larder's own left out.
    pub fn on_disk(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.root().join(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != ".larder")
            .collect();
        names.sort();
        names
    }

    /// Names in the trash of the share root or of a drive in it, records included, sorted.
    pub fn trashed(&self, drive: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root().join(drive).join(".larder/trash")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Unfinished things in the hidden folder of the share root or of a drive in it.
    pub fn unfinished(&self, drive: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root().join(drive).join(".larder/tmp")) else {
            return Vec::new();
        };
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

/// A path of a request.
pub fn path(text: &str) -> VaultPath {
    VaultPath::parse(text).unwrap()
}

/// A name that is not UTF-8, as the operating system takes it.
pub fn raw(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// A spool with this content, on the filesystem of `near`.
pub fn spool(share: &Share, near: &str, content: &str) -> Spool {
    let mut spool = share.spool(Some(&path(near))).unwrap();
    spool.write_all(content.as_bytes()).unwrap();
    spool
}

/// How an upload is placed.
pub const UPLOAD: Place = Place {
    if_exists: IfExists::Overwrite,
    make_parents: true,
    drops_empty: false,
    files_only: false,
};

/// Uploads files (name and content) in one group.
pub fn upload(share: &Share, files: &[(&str, &str)], options: &Place) -> Result<Vec<Placed>> {
    let items = files
        .iter()
        .map(|(name, content)| {
            let parent = path(name).parent().unwrap_or_default();
            (spool(share, parent.as_str(), content), path(name))
        })
        .collect();
    share.place(items, options)
}

/// The names a caller is shown.
pub fn listed(share: &Share, folder: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    share.list(&path(folder))?.for_each_name(&mut |name| {
        names.push(name.to_owned());
        Ok(())
    })?;
    Ok(names)
}

/// The entries a caller is shown.
pub fn entries(share: &Share, folder: &str) -> Result<Vec<super::Entry>> {
    let mut entries = Vec::new();
    share.list(&path(folder))?.for_each_entry(&mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })?;
    Ok(entries)
}

/// What a refusal says, in short; `None` when nothing was refused.
pub fn refusal<T>(result: Result<T>) -> Option<String> {
    result.err().map(|error| error.to_string())
}

/// Reads a file the way a caller does.
pub fn opened(share: &Share, name: &str) -> Result<String> {
    use std::io::Read as _;
    match share.open(&path(name))? {
        super::Opened::Folder => Ok("a folder".into()),
        super::Opened::File(mut file) => {
            let mut text = String::new();
            file.file.read_to_string(&mut text).unwrap();
            Ok(text)
        }
    }
}
