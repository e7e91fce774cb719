//! Small documents of larder's own on the share's drive, in its hidden folder, where no caller's path
//! leads: what must survive the loss of the state directory. Knows not what they say.

use super::hidden::{TEMPORARY, open_or_make, temporary_name, unlink};
use super::look;
use super::mount::Vault;
use super::os;
use super::path::HOME;
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::time::SystemTime;

/// The folder in larder's hidden folder where they lie.
const KEPT: &str = "backup";

/// One document as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// When it was written.
    pub modified: SystemTime,
}

impl Vault {
    /// Puts a document there, mode 0600, in the place of one with the same name: a reader sees the old or
    /// the new, and what is told as done survives a power cut. Beyond `KEPT_DOCUMENTS_MAX` the oldest go.
    ///
    /// Errors: `StorageAbsent`, `DiskFull`, `Invalid` (a name that is no plain one), `Io`.
    pub fn keep(&self, name: &str, content: &[u8]) -> Result<()> {
        if !is_plain(name) {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        let home = self.home()?;
        let folder = open_or_make(home.as_fd(), KEPT).map_err(os)?;
        let temporaries = open_or_make(home.as_fd(), TEMPORARY).map_err(os)?;
        // A server that starts meanwhile takes the temporary file of `larder backup` for what a crash left.
        let mut tries = 1..limits::RACE_TRIES_MAX;
        loop {
            match write_and_place(&temporaries, &folder, name, content) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && tries.next().is_some() => {
                }
                placed => break placed?,
            }
        }
        let mut all = kept_in(&folder)?;
        all.sort_by_key(|kept| std::cmp::Reverse(kept.modified));
        for old in all.iter().filter(|kept| kept.name != name).skip(limits::KEPT_DOCUMENTS_MAX - 1)
        {
            unlink(folder.as_fd(), &old.name);
        }
        Ok(())
    }

    /// What lies there, the newest first.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn kept(&self) -> Result<Vec<Kept>> {
        let home = self.home()?;
        let folder = match look::open_place(&home, KEPT.as_bytes()) {
            Err(Errno::NOENT) => return Ok(Vec::new()),
            opened => opened.map_err(os)?,
        };
        let mut all = kept_in(&folder)?;
        all.sort_by_key(|kept| std::cmp::Reverse(kept.modified));
        Ok(all)
    }

    /// Reads a document; `None` when there is none of that name.
    ///
    /// Errors: `StorageAbsent`, `TooLarge`, `Io`.
    pub fn read_kept(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let home = self.home()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = look::open_place(&home, KEPT.as_bytes())
            .and_then(|folder| rustix::fs::openat(&folder, name, flags, Mode::empty()));
        let file = match opened {
            Err(Errno::NOENT) => return Ok(None),
            opened => File::from(opened.map_err(os)?),
        };
        let mut content = Vec::new();
        file.take(limits::KEPT_DOCUMENT_BYTES_MAX + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limits::KEPT_DOCUMENT_BYTES_MAX {
            return Err(Error::TooLarge);
        }
        Ok(Some(content))
    }

    /// Larder's hidden folder, on the right drive.
    fn home(&self) -> Result<OwnedFd> {
        let (handle, _home) = self.now().open()?;
        look::open_place(&handle, HOME.as_bytes()).map_err(os)
    }
}

/// Writes a document beside its place, durably, then gives it its name.
///
/// Errors: `NotFound` when somebody removed it before it had its name.
fn write_and_place(
    temporaries: &OwnedFd,
    folder: &OwnedFd,
    name: &str,
    content: &[u8],
) -> io::Result<()> {
    let temporary = temporary_name();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file =
        File::from(rustix::fs::openat(temporaries, &temporary, flags, Mode::from(0o600))?);
    let placed = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(rustix::fs::renameat(temporaries, &temporary, folder, name)?))
        .and_then(|()| Ok(look::sync_folder(folder)?));
    if placed.is_err() {
        unlink(temporaries.as_fd(), &temporary);
    }
    placed
}

/// Whether a name is one of ours: letters, digits, `-` and `.`, not hidden.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.')
        && (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// The documents in their folder; what has another kind of name is none.
fn kept_in(folder: &OwnedFd) -> Result<Vec<Kept>> {
    let readable = look::open_to_read(folder, b".").map_err(os)?;
    let mut names = Vec::new();
    look::each_name(readable.as_fd(), os, &mut |name| {
        if let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_plain(name))
            && names.len() < limits::KEPT_DOCUMENTS_MAX * 2
        {
            names.push(name.to_owned());
        }
        Ok(())
    })?;
    let found = names.into_iter().filter_map(|name| {
        let stat = rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
        let since =
            std::time::Duration::new(seconds, u32::try_from(stat.st_mtime_nsec).unwrap_or(0));
        Some(Kept { name, modified: SystemTime::UNIX_EPOCH + since })
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::House;
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// `larder backup` beside a server that starts: its sweep removes what it finds unfinished.
    #[test]
    fn a_sweep_beside_it_takes_no_document() {
        let house = House::new();
        house.vault.keep("first", b"old").unwrap();
        let (was_swept, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let workshop = house.root().join(HOME).join(TEMPORARY);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !was_swept.load(Ordering::Relaxed) && !is_over.load(Ordering::Relaxed) {
                    for entry in std::fs::read_dir(&workshop).unwrap().flatten() {
                        let is_gone = std::fs::remove_file(entry.path()).is_ok();
                        was_swept.fetch_or(is_gone, Ordering::Relaxed);
                    }
                }
            });
            for number in 0..10_000 {
                if was_swept.load(Ordering::Relaxed) {
                    break;
                }
                let content = number.to_string().into_bytes();
                house.vault.keep("first", &content).unwrap();
                assert_eq!(house.vault.read_kept("first").unwrap(), Some(content));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(was_swept.load(Ordering::Relaxed), "nothing was ever taken away");
    }
}
