//! The program's file: fetched beside the old one, and put in its place in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::Release;
use crate::{fetch, limits};

/// Fetches a release to `<executable>.new`, checked against its hash and on the disk; gives the path,
/// and a lock on the folder that keeps others from doing the same.
///
/// Errors: one line for the owner; then nothing is left.
pub fn download(release: &Release, executable: &Path) -> Result<(PathBuf, File), String> {
    let say = |cause: &dyn std::fmt::Display| {
        format!("{} can't be replaced: {cause}", executable.display())
    };
    let turn = File::open(folder_of(executable)).map_err(|cause| say(&cause))?;
    turn.try_lock().map_err(|_| say(&"another update is under way"))?;
    let path = beside(executable, ".new");
    discard(&path);
    let mode = executable.metadata().map_err(|cause| say(&cause))?.permissions().mode();
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        // Whoever may read the old one may read this one; special bits are not for what was fetched.
        .mode(mode & 0o755 | 0o700)
        .open(&path)
        .map_err(|cause| say(&cause))?;
    match fill(file, release) {
        Ok(()) => Ok((path, turn)),
        Err(line) => {
            discard(&path);
            Err(line)
        }
    }
}

/// Fetches the content, and closes the file: what is open for writing can't be run.
fn fill(file: File, release: &Release) -> Result<(), String> {
    let mut target = Hashing { file, hash: Sha256::new() };
    let (bytes_max, time) = (limits::UPDATE_BINARY_BYTES_MAX, limits::UPDATE_DOWNLOAD_TIME);
    fetch::get(&release.url, bytes_max, time, &mut target)
        .map_err(|fault| format!("release {} can't be fetched: {fault}", release.version))?;
    if target.hash.finalize().as_slice() != release.sha256 {
        return Err(format!("release {} is not what its maker signed", release.version));
    }
    target.file.sync_all().map_err(|cause| format!("release {}: {cause}", release.version))
}

/// A file, and the hash of what was written to it.
struct Hashing {
    /// The file.
    file: File,
    /// So far.
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Puts `new` in the place of `executable`, which stays beside it as `<executable>.old`. At every
/// moment there is a whole program in that place.
pub fn swap(new: &Path, executable: &Path) -> Result<(), String> {
    let exchange = || {
        let (old, on_the_way) = (beside(executable, ".old"), beside(executable, ".old.new"));
        discard(&on_the_way);
        // A second name is enough; where the filesystem has none, a copy.
        if fs::hard_link(executable, &on_the_way).is_err() {
            fs::copy(executable, &on_the_way)?;
            File::open(&on_the_way)?.sync_all()?;
        }
        fs::rename(&on_the_way, &old)?;
        fs::rename(new, executable)?;
        File::open(folder_of(executable))?.sync_all()
    };
    exchange().map_err(|cause| format!("{} can't be replaced: {cause}", executable.display()))
}

/// Takes `swap` back: the old program returns to its place.
pub fn undo(executable: &Path) -> Result<(), String> {
    let back = || {
        fs::rename(beside(executable, ".old"), executable)?;
        File::open(folder_of(executable))?.sync_all()
    };
    back().map_err(|cause| format!("{} can't be put back: {cause}", executable.display()))
}

/// Removes what is not wanted, if it is there.
pub fn discard(path: &Path) {
    let _not_there = fs::remove_file(path);
}

/// The path with something behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The folder that holds it.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_keeps_the_old_one_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("larder");
        let new = folder.path().join("larder.new");
        fs::write(&executable, "old").unwrap();
        for content in ["newer", "newest"] {
            fs::write(&new, content).unwrap();
            swap(&new, &executable).unwrap();
            assert_eq!(fs::read_to_string(&executable).unwrap(), content);
        }
        assert_eq!(fs::read_to_string(folder.path().join("larder.old")).unwrap(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        undo(&executable).unwrap();
        assert_eq!(fs::read_to_string(&executable).unwrap(), "newer");
        assert!(undo(&executable).is_err());
        assert!(swap(&new, &executable).unwrap_err().contains("larder can't be replaced"));
        assert_eq!(fs::read_to_string(&executable).unwrap(), "newer");
    }
}
