//! Uploads that were broken off and may be taken up again: kept out of sight on the filesystem where
//! they were going, found by a key that only their owner can name, bounded in number and age.

use super::look;
use super::mount;
use super::path::VaultPath;
use super::resolve::Follow;
use super::share::{Need, Share, open_regular};
use super::spool::Spool;
use super::{discard, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::convert::identity;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::SystemTime;

/// The folder in larder's hidden folder where they wait.
pub(super) const PARTS: &str = "parts";

/// An upload that was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Bytes of it that are there.
    pub size: u64,
    /// When it was broken off.
    pub modified: SystemTime,
}

impl Share {
    /// What is kept under `key` of an upload to `path`. A key is a file name of hexadecimal digits.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn kept(&self, path: &VaultPath, key: &str) -> Result<Option<Kept>> {
        self.checked(|| {
            let Some(parts) = self.parts_near(path)? else { return Ok(None) };
            let found = look::look(&parts, key.as_bytes()).map_err(os)?;
            let found = found.filter(|stat| look::type_of(stat) == FileType::RegularFile);
            Ok(found.map(|stat| Kept { size: stat.stx_size, modified: look::modified_of(&stat) }))
        })
    }

    /// Takes up what is kept under `key` of an upload to `path`, cut to its first `offset` bytes; `None`
    /// when there is no such thing or less of it.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn resume(&self, path: &VaultPath, key: &str, offset: u64) -> Result<Option<Spool>> {
        self.checked(|| {
            let Some(parts) = self.parts_near(path)? else { return Ok(None) };
            let found = look::look(&parts, key.as_bytes()).map_err(os)?;
            if !found.is_some_and(|stat| {
                look::type_of(&stat) == FileType::RegularFile && stat.stx_size >= offset
            }) {
                return Ok(None);
            }
            let workshop = self.workshop_near(path)?;
            let name = mount::temporary_name();
            match rustix::fs::renameat(&parts, key, &*workshop, &name) {
                // Another session was faster.
                Err(Errno::NOENT) => return Ok(None),
                done => done.map_err(os)?,
            }
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = rustix::fs::openat(&*workshop, &name, flags, Mode::empty());
            let file = opened
                .inspect_err(|_| mount::unlink(workshop.as_fd(), &name))
                .map_err(os)
                .map(File::from)?;
            Spool::reopened(file, workshop, name, offset).map(Some)
        })
    }

    /// Writes the first `bytes` of a file that may be written into `spool`; whoever may only write gets to
    /// see nothing of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (no file, or a shorter one), `DiskFull`, `StorageAbsent`.
    pub fn copy_beginning(&self, path: &VaultPath, bytes: u64, spool: &mut Spool) -> Result<()> {
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            let opened = open_regular(&spot.folder, spot.name.as_bytes()).map_err(os)?;
            let mut source = opened
                .ok_or(Error::invalid_as(Why::NotAFile, "Path is not a file"))?
                .file
                .take(bytes);
            let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
            let mut copied = 0;
            loop {
                let count = match source.read(&mut buffer) {
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                    count => count?,
                };
                if count == 0 {
                    break;
                }
                spool.write_all(&buffer[..count])?;
                copied += count as u64;
            }
            if copied < bytes {
                return Err(Error::invalid("The file is shorter than that"));
            }
            Ok(())
        })
    }

    /// The folder where parts wait on the filesystem of `path`; `None` while there is none.
    fn parts_near(&self, path: &VaultPath) -> Result<Option<OwnedFd>> {
        let workshop = self.workshop_near(path)?;
        match look::open_place(&*workshop, format!("../{PARTS}").as_bytes()) {
            Ok(parts) => Ok(Some(parts)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(os(errno)),
        }
    }

    /// Where unfinished things are made on the filesystem of the folder around `path`.
    fn workshop_near(&self, path: &VaultPath) -> Result<Arc<OwnedFd>> {
        let parent = path.parent().unwrap_or_default();
        let folder = self.finder.locate(&parent, Follow::Last)?;
        self.finder.workshop(&folder.path)
    }
}

impl Spool {
    /// Keeps what has come so far under `key` instead of removing it. What was kept longest, or too
    /// long, goes.
    ///
    /// Errors: `DiskFull`, `Io`; then nothing is kept.
    pub fn keep(mut self, key: &str) -> Result<()> {
        self.finish()?;
        let home = look::open_place(&*self.folder, b"..").map_err(os)?;
        let parts = mount::open_or_make(home.as_fd(), PARTS).map_err(os)?;
        rustix::fs::renameat(&*self.folder, &self.name, &parts, key).map_err(os)?;
        self.is_pending = false;
        prune(home.as_fd(), limits::PARTS_MAX);
        Ok(())
    }
}

/// Removes kept parts that are too old, and the oldest beyond `parts_max`, from larder's hidden folder
/// `home` of one filesystem.
pub(super) fn prune(home: BorrowedFd<'_>, parts_max: usize) -> u64 {
    let Ok(parts) = look::open_to_read(home, PARTS.as_bytes()) else { return 0 };
    let mut found: Vec<(SystemTime, Vec<u8>)> = Vec::new();
    let _stays = look::each_name(parts.as_fd(), identity, &mut |name| {
        let modified = look::look(&parts, name)?.as_ref().map(look::modified_of);
        found.push((modified.unwrap_or(SystemTime::UNIX_EPOCH), name.to_vec()));
        Ok(())
    });
    found.sort_unstable();
    let too_many = found.len().saturating_sub(parts_max);
    let now = SystemTime::now();
    let is_too_old =
        |time: SystemTime| now.duration_since(time).is_ok_and(|age| age > limits::PART_AGE_MAX);
    let over: Vec<&[u8]> = found
        .iter()
        .enumerate()
        .filter(|(index, (time, _))| *index < too_many || is_too_old(*time))
        .map(|(_, (_, name))| name.as_slice())
        .collect();
    if over.is_empty() {
        return 0;
    }
    discard::clear(parts.as_fd(), &|name| over.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, path, spool};
    use super::*;
    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    /// How many parts are kept.
    fn kept(house: &House) -> usize {
        std::fs::read_dir(house.root().join(".larder/parts")).map_or(0, Iterator::count)
    }

    #[test]
    fn a_part_is_found_by_its_key_and_taken_up_once() {
        let house = House::new();
        let share = house.share();
        let target = path("film.mkv");
        spool(&share, "", "0123456789").keep("aa").unwrap();
        assert_eq!(share.kept(&target, "aa").unwrap().map(|kept| kept.size), Some(10));
        assert_eq!(share.kept(&target, "ab").unwrap(), None);
        assert!(share.resume(&target, "aa", 11).unwrap().is_none());
        let mut again = share.resume(&target, "aa", 4).unwrap().expect("a part");
        assert!(share.resume(&target, "aa", 0).unwrap().is_none());
        again.write_all(b"!").unwrap();
        again.keep("aa").unwrap();
        assert_eq!(share.kept(&target, "aa").unwrap().map(|kept| kept.size), Some(5));
        drop(share.resume(&target, "aa", 0).unwrap());
        assert_eq!(kept(&house), 0);
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn parts_are_bounded_in_number_and_age() {
        let house = House::new();
        let share = house.share();
        for number in 0..limits::PARTS_MAX + 3 {
            spool(&share, "", "x").keep(&format!("{number:04x}")).unwrap();
        }
        assert_eq!(kept(&house), limits::PARTS_MAX);
        assert_eq!(share.kept(&path("a"), "0000").unwrap(), None);
        let last = house.root().join(".larder/parts/0005");
        let file = File::options().write(true).open(last).unwrap();
        file.write_all_at(b"y", 0).unwrap();
        let long_ago = SystemTime::now() - limits::PART_AGE_MAX - Duration::from_secs(1);
        file.set_modified(long_ago).unwrap();
        spool(&share, "", "x").keep("ffff").unwrap();
        assert_eq!(share.kept(&path("a"), "0005").unwrap(), None);
        assert!(kept(&house) <= limits::PARTS_MAX);
    }
}
