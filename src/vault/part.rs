//! Uploads that were broken off and may be taken up again: kept out of sight on the filesystem where
//! they were going, bounded in number and age. Each is bound to what its target was when it began, and to
//! whose it is: a target that is another by now knows nothing of it.

use super::copy::{Copier, Manner};
use super::hidden;
use super::look;
use super::opened::open_regular;
use super::path::VaultPath;
use super::progress::Progress;
use super::resolve::{Follow, Spot};
use super::share::{Need, Share};
use super::spool::Spool;
use super::{discard, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Statx};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::convert::identity;
use std::fmt;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::SystemTime;

/// The folder in larder's hidden folder where they wait.
pub(super) const PARTS: &str = "parts";

/// Bytes of the hash that stands for a place.
const PLACE_BYTES: usize = 16;

/// One content of one file: another has another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// Its inode.
    inode: u64,
    /// Bytes.
    size: u64,
    /// When the content changed last (nanoseconds since 1970).
    modified_ns: i128,
    /// When anything of it changed last (nanoseconds since 1970).
    changed_ns: i128,
}

impl Version {
    /// That of a file which was looked at.
    pub fn of(stat: &Statx) -> Self {
        Self {
            inode: stat.stx_ino,
            size: stat.stx_size,
            modified_ns: look::nanoseconds_of(&stat.stx_mtime),
            changed_ns: look::nanoseconds_of(&stat.stx_ctime),
        }
    }

    /// Whether that is the same content; a rename alone may change the last of the times.
    pub fn has_content_of(&self, stat: &Statx) -> bool {
        let other = Self { changed_ns: self.changed_ns, ..Self::of(stat) };
        look::type_of(stat) == FileType::RegularFile && *self == other
    }
}

/// Where an upload goes, and what was there when it began.
#[derive(Clone, Debug)]
pub struct UploadTarget {
    /// The place by the name that was used.
    pub(super) path: VaultPath,
    /// The file that was there, if there was one.
    pub(super) was: Option<Version>,
    /// Larder's hidden folder for unfinished things on the filesystem of the place.
    workshop: Arc<OwnedFd>,
    /// The place, as parts are called by it.
    place: String,
    /// Whose upload it is: hexadecimal digits.
    owner: String,
}

impl UploadTarget {
    /// Bytes of the file that was there; `None` when the name was free.
    pub fn size(&self) -> Option<u64> {
        self.was.map(|version| version.size)
    }

    /// Whose upload it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What a part that belongs to it is called.
    fn part_name(&self) -> String {
        format!("{}.{}.{}", self.place, self.owner, self.state())
    }

    /// What was there, as a word that no other state has.
    fn state(&self) -> String {
        self.was.map_or_else(|| "new".to_owned(), |version| version.to_string())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}-{:x}-{:x}-{:x}", self.inode, self.size, self.modified_ns, self.changed_ns)
    }
}

impl Share {
    /// Finds where a file is to be put: the folder is there and nothing but a file is in the way. `owner`,
    /// hexadecimal digits, is whose upload it is; what was broken off of it while the place looked
    /// otherwise is dropped.
    ///
    /// Errors: `Refused`, `NotFound` (the folder), `Invalid` (a folder, the root), `StorageAbsent`.
    pub fn upload_target(&self, path: &VaultPath, owner: &str) -> Result<UploadTarget> {
        self.ask(path, Need::Write)?;
        if path.is_root() {
            return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
        }
        if path.is_reserved() {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        self.checked(|| {
            let spot = self.locate(path, Need::Write, Follow::Last)?;
            let was = match (&spot.stat, spot.file_type()) {
                (Some(stat), Some(FileType::RegularFile)) => Some(Version::of(stat)),
                (Some(_), _) => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
                (None, _) => None,
            };
            let target = UploadTarget {
                path: path.clone(),
                was,
                workshop: self.workshop_of(&spot)?,
                place: place_of(&spot)?,
                owner: owner.to_owned(),
            };
            let (place, state) = (format!("{}.", target.place), format!(".{}", target.state()));
            clear(&target.workshop, &|name| {
                name.starts_with(place.as_bytes()) && !name.ends_with(state.as_bytes())
            });
            Ok(target)
        })
    }

    /// A new, empty spool for an upload.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn spool_for(&self, target: &UploadTarget) -> Result<Spool> {
        self.checked(|| Spool::open(Arc::clone(&target.workshop)))
    }

    /// Bytes that are kept of an upload which was broken off; `None` when there is no such thing.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn kept_bytes(&self, target: &UploadTarget) -> Result<Option<u64>> {
        self.checked(|| {
            let Some(parts) = parts_beside(&target.workshop)? else { return Ok(None) };
            let found = look::look(&parts, target.part_name().as_bytes()).map_err(os)?;
            let found = found.filter(|stat| look::type_of(stat) == FileType::RegularFile);
            Ok(found.map(|stat| stat.stx_size))
        })
    }

    /// Takes up what is kept of an upload, cut to its first `offset` bytes; `None` when there is no such
    /// thing or less of it.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn resume(&self, target: &UploadTarget, offset: u64) -> Result<Option<Spool>> {
        if self.kept_bytes(target)?.is_none_or(|bytes| bytes < offset) {
            return Ok(None);
        }
        self.checked(|| {
            let Some(parts) = parts_beside(&target.workshop)? else { return Ok(None) };
            let (workshop, name) = (Arc::clone(&target.workshop), hidden::temporary_name());
            match rustix::fs::renameat(&parts, target.part_name(), &*workshop, &name) {
                // Another session was faster.
                Err(Errno::NOENT) => return Ok(None),
                done => done.map_err(os)?,
            }
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = rustix::fs::openat(&*workshop, &name, flags, Mode::empty());
            let file = opened
                .inspect_err(|_| hidden::unlink(workshop.as_fd(), &name))
                .map_err(os)
                .map(File::from)?;
            Spool::reopened(file, workshop, name, offset).map(Some)
        })
    }

    /// Drops what is kept of an upload; says whether there was anything.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn drop_part(&self, target: &UploadTarget) -> Result<bool> {
        self.checked(|| {
            let part = target.part_name();
            Ok(clear(&target.workshop, &|name| name == part.as_bytes()) > 0)
        })
    }

    /// Lets a spool that is still empty begin with the first `bytes` of the file that is there, or with all
    /// of it: by shared blocks where the drive can. The target is from now on what was copied. Whoever may
    /// only write gets to see nothing of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (no file, or a shorter one), `DiskFull`, `StorageAbsent`.
    pub fn copy_beginning(
        &self,
        target: &mut UploadTarget,
        bytes: Option<u64>,
        spool: &mut Spool,
    ) -> Result<()> {
        self.checked(|| {
            let spot = self.locate(&target.path, Need::Write, Follow::Last)?;
            let opened = match open_regular(&spot.folder, spot.name.as_bytes()) {
                // All of what has gone meanwhile is nothing.
                Err(Errno::NOENT) if bytes.is_none() => {
                    target.was = None;
                    return Ok(());
                }
                opened => opened.map_err(os)?,
            };
            let source = opened.ok_or(Error::invalid_as(Why::NotAFile, "Path is not a file"))?.file;
            let stat = look::look_at(&source).map_err(os)?;
            let wanted = bytes.unwrap_or(stat.stx_size);
            let manner = Manner { group: None, is_move: false, into: None };
            let progress = Progress::default();
            let mut copier = Copier::new(self, &target.workshop, manner, &progress)?;
            spool.begin_with(&source.into(), wanted, &mut copier)?;
            target.was = Some(Version::of(&stat));
            Ok(())
        })
    }

    /// Something has come to a place, or gone from it, whoever did that: what was broken off on the way there
    /// is of no use any more. What cannot be removed is dropped by its age.
    pub(super) fn forget_parts(&self, path: &VaultPath) {
        let forget = || -> Result<()> {
            let spot = self.finder.locate(path, Follow::Last)?;
            let place = format!("{}.", place_of(&spot)?);
            let workshop = self.workshop_of(&spot)?;
            clear(&workshop, &|name| name.starts_with(place.as_bytes()));
            Ok(())
        };
        let _bounded_all_the_same = forget();
    }

    /// Where unfinished things are made on the filesystem of the folder around a place.
    fn workshop_of(&self, spot: &Spot) -> Result<Arc<OwnedFd>> {
        self.finder.workshop(&spot.path.parent().unwrap_or_default())
    }
}

impl Spool {
    /// Keeps what has come so far for whoever takes it up again, instead of removing it. What was kept
    /// longest, or too long, goes.
    ///
    /// Errors: `DiskFull`, `Io`; then nothing is kept.
    pub fn keep(mut self, target: &UploadTarget) -> Result<()> {
        self.finish()?;
        let home = look::open_place(&*self.folder, b"..").map_err(os)?;
        let parts = hidden::open_or_make(home.as_fd(), PARTS).map_err(os)?;
        let name = target.part_name();
        rustix::fs::renameat(&*self.folder, &self.name, &parts, &name).map_err(os)?;
        self.is_pending = false;
        prune(home.as_fd(), limits::PARTS_MAX);
        Ok(())
    }
}

/// What parts on the way to a place are called by: where it really is, and when the folder around it was
/// made, as another folder may have its name by now. Inodes would say less: some filesystems make them up
/// anew at each look (FAT, exFAT).
fn place_of(spot: &Spot) -> Result<String> {
    let born_ns = look::born_ns(&*spot.folder).map_err(os)?;
    let hash = Sha256::new()
        .chain_update(born_ns.to_le_bytes())
        .chain_update(spot.path.as_str())
        .finalize();
    Ok(hash.iter().take(PLACE_BYTES).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
}

/// The folder beside a workshop where parts wait; `None` while there is none.
fn parts_beside(workshop: &OwnedFd) -> Result<Option<OwnedFd>> {
    match look::open_to_read(workshop, format!("../{PARTS}").as_bytes()) {
        Ok(parts) => Ok(Some(parts)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(os(errno)),
    }
}

/// Removes the parts beside a workshop whose name is chosen; says how many went.
fn clear(workshop: &OwnedFd, is_chosen: &dyn Fn(&[u8]) -> bool) -> u64 {
    parts_beside(workshop)
        .ok()
        .flatten()
        .map_or(0, |parts| discard::clear(parts.as_fd(), is_chosen))
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
    use super::super::tests::{House, UPLOAD, path, spool, upload};
    use super::super::trash::Fate;
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    /// How many parts are kept.
    fn kept(house: &House) -> usize {
        std::fs::read_dir(house.root().join(".larder/parts")).map_or(0, Iterator::count)
    }

    /// The target of an upload to `name` by the user `aa`.
    fn target(share: &Share, name: &str) -> UploadTarget {
        share.upload_target(&path(name), "aa").unwrap()
    }

    #[test]
    fn a_part_is_found_by_its_owner_and_taken_up_once() {
        let house = House::new();
        let share = house.share();
        let film = target(&share, "film.mkv");
        spool(&share, "", "0123456789").keep(&film).unwrap();
        assert_eq!(share.kept_bytes(&film).unwrap(), Some(10));
        let other = share.upload_target(&path("film.mkv"), "ab").unwrap();
        assert_eq!(share.kept_bytes(&other).unwrap(), None);
        assert!(!share.drop_part(&other).unwrap());
        assert!(share.resume(&film, 11).unwrap().is_none());
        let mut again = share.resume(&film, 4).unwrap().expect("a part");
        assert!(share.resume(&film, 0).unwrap().is_none());
        again.write_all(b"!").unwrap();
        again.keep(&film).unwrap();
        assert_eq!(share.kept_bytes(&film).unwrap(), Some(5));
        assert!(share.drop_part(&film).unwrap());
        assert!(!share.drop_part(&film).unwrap());
        assert_eq!(kept(&house), 0);
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn a_part_is_bound_to_what_its_target_was() {
        let house = House::new();
        let share = house.share();
        house.file("f", "old");
        let old = target(&share, "f");
        spool(&share, "", "new").keep(&old).unwrap();
        assert_eq!(share.kept_bytes(&target(&share, "f")).unwrap(), Some(3));
        // The same bytes by another hand are another file.
        house.file("f", "old");
        assert_eq!(share.kept_bytes(&target(&share, "f")).unwrap(), None);
        assert_eq!(kept(&house), 0, "a look drops what is of no use");
        // What is not there is as good a target; what comes and goes again makes an end of it.
        spool(&share, "", "new").keep(&target(&share, "g")).unwrap();
        assert_eq!(share.kept_bytes(&target(&share, "g")).unwrap(), Some(3));
        upload(&share, &[("g", "theirs")], &UPLOAD).unwrap();
        assert_eq!(kept(&house), 0);
        share.delete_file(&path("g"), Fate::Trash).unwrap();
        assert_eq!(share.kept_bytes(&target(&share, "g")).unwrap(), None);
    }

    #[test]
    fn parts_are_bounded_in_number_and_age() {
        let house = House::new();
        let share = house.share();
        let targets: Vec<UploadTarget> = (0..limits::PARTS_MAX + 3)
            .map(|number| target(&share, &format!("f{number}")))
            .collect();
        for target in &targets {
            spool(&share, "", "x").keep(target).unwrap();
        }
        assert_eq!(kept(&house), limits::PARTS_MAX);
        assert_eq!(share.kept_bytes(&targets[0]).unwrap(), None);
        let last = house.root().join(".larder/parts").join(targets[5].part_name());
        let file = File::options().write(true).open(last).unwrap();
        file.write_all_at(b"y", 0).unwrap();
        let long_ago = SystemTime::now() - limits::PART_AGE_MAX - Duration::from_secs(1);
        file.set_modified(long_ago).unwrap();
        spool(&share, "", "x").keep(&target(&share, "last")).unwrap();
        assert_eq!(share.kept_bytes(&targets[5]).unwrap(), None);
        assert!(kept(&house) <= limits::PARTS_MAX);
    }

    #[test]
    fn the_longest_name_of_a_part_fits() {
        let house = House::new();
        let share = house.share();
        let mut long = share.upload_target(&path("f"), &"a".repeat(64)).unwrap();
        long.was = Some(Version {
            inode: u64::MAX,
            size: u64::MAX,
            modified_ns: i128::MIN,
            changed_ns: i128::MIN,
        });
        assert!(long.part_name().len() <= limits::NAME_BYTES_MAX, "{}", long.part_name());
    }
}
