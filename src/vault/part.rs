//! Uploads that are bound to what their target was when they began, and to whose they are: a target that is another
//! by now knows nothing of them. So whoever comes back by name alone, as FTP does, goes on only where that is right.

use super::copy::{Copier, Manner};
use super::look;
use super::opened::open_regular;
use super::os;
use super::path::VaultPath;
use super::progress::Progress;
use super::resolve::{Follow, Spot, refuse_impossible};
use super::share::{Need, Share};
use super::spool::Spool;
use super::upload::{Plan, Upload};
use super::upload_record::{self, Here, Record, UploadId};
use super::waiting::{self, Found};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

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
    pub(super) workshop: Arc<OwnedFd>,
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

    /// What the ids of uploads to it begin with.
    fn prefix(&self) -> String {
        upload_record::prefix(Some(&self.place), &self.owner)
    }

    /// Whether an upload that is bound to the place is bound to what it is now, by its owner.
    fn has(&self, record: &Record) -> bool {
        record.owner == self.owner && record.state.as_deref() == Some(self.state().as_str())
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
        refuse_impossible(path)?;
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
            let state = Some(target.state());
            let place = format!("{}-", target.place);
            waiting::clear(&target.workshop, &place, &|found| found.record.state != state, &|_| ());
            Ok(target)
        })
    }

    /// Begins an upload, which whoever comes back to the same target can go on with once it has its first
    /// checkpoint.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn begin_upload_to(&self, target: &UploadTarget) -> Result<Upload> {
        self.checked(|| {
            let record = Record {
                owner: target.owner.clone(),
                path: target.path.as_str().to_owned(),
                state: Some(target.state()),
                length: None,
                offset: 0,
                last_ms: 0,
                kept_s: limits::PART_AGE_MAX.as_secs(),
                kept_empty_s: None,
                here: Here::of(&*target.workshop)?,
                note: String::new(),
                is_untold: false,
            };
            let id = UploadId::new(Some(&target.place), &target.owner)?;
            let plan = Plan { id, record };
            Ok(Upload::lasting(Spool::open(Arc::clone(&target.workshop))?, plan))
        })
    }

    /// Bytes that have come of an upload to a target, as far as one can go on with it; `None` when there is no such
    /// thing.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn kept_bytes(&self, target: &UploadTarget) -> Result<Option<u64>> {
        Ok(self.part_of(target)?.map(|found| found.offset))
    }

    /// Takes up an upload to a target, cut to its first `offset` bytes; `None` when there is no such thing or less
    /// of it. Whoever works on it does so no more.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn resume(&self, target: &UploadTarget, offset: u64) -> Result<Option<Upload>> {
        let Some(found) = self.part_of(target)? else { return Ok(None) };
        let is_it = |record: &Record| target.has(record);
        self.checked(|| waiting::open(&target.workshop, &found.id, Some(offset), &is_it, None))
    }

    /// Keeps what has come of an upload to a target for whoever comes back. What was kept longest, or too long,
    /// goes.
    ///
    /// Errors: those of `Upload::keep`.
    pub fn keep_part(&self, target: &UploadTarget, upload: Upload) -> Result<()> {
        self.checked(|| {
            upload.keep()?;
            let home = look::open_place(&*target.workshop, b"..").map_err(os)?;
            waiting::prune(home.as_fd(), limits::PARTS_MAX, None);
            Ok(())
        })
    }

    /// Drops what was broken off of uploads to a target; says whether there was anything.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn drop_part(&self, target: &UploadTarget) -> Result<bool> {
        self.checked(|| {
            let is_it = |found: &Found| target.has(&found.record);
            Ok(waiting::clear(&target.workshop, &target.prefix(), &is_it, &|_| ()) > 0)
        })
    }

    /// The last upload to a target, if one can go on with it.
    fn part_of(&self, target: &UploadTarget) -> Result<Option<Found>> {
        self.checked(|| {
            let is_it = |record: &Record| target.has(record);
            Ok(waiting::find(&target.workshop, &target.prefix(), &is_it)?.into_iter().next())
        })
    }

    /// Lets an upload that is still empty begin with the first `bytes` of the file that is there, or with all
    /// of it: by shared blocks where the drive can. The target is from now on what was copied. Whoever may
    /// only write gets to see nothing of it.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (no file, or a shorter one), `DiskFull`, `StorageAbsent`.
    pub fn copy_beginning(
        &self,
        target: &mut UploadTarget,
        bytes: Option<u64>,
        upload: &mut Upload,
    ) -> Result<()> {
        upload.begin(|spool| self.copy_into(target, bytes, spool))
    }

    /// The same for a spool.
    pub(super) fn copy_into(
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
            let place = format!("{}-", place_of(&spot)?);
            let workshop = self.workshop_of(&spot)?;
            waiting::clear(&workshop, &place, &|_| true, &|_| ());
            Ok(())
        };
        let _bounded_all_the_same = forget();
    }

    /// Where unfinished things are made on the filesystem of the folder around a place.
    fn workshop_of(&self, spot: &Spot) -> Result<Arc<OwnedFd>> {
        self.finder.workshop(&spot.path.parent().unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::super::tests::{House, UPLOAD, path, upload};
    use super::super::trash::{Fate, What};
    use super::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    /// Names in the folder where parts are kept, records included.
    fn kept(house: &House) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(house.root().join(".larder/parts")) else {
            return Vec::new();
        };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The target of an upload to `name` by the user `aa`.
    fn target(share: &Share, name: &str) -> UploadTarget {
        share.upload_target(&path(name), "aa").unwrap()
    }

    /// An upload that breaks off behind this.
    fn break_off(share: &Share, target: &UploadTarget, text: &str) {
        let mut upload = share.begin_upload_to(target).unwrap();
        upload.append(text.as_bytes()).unwrap();
        share.keep_part(target, upload).unwrap();
    }

    #[test]
    fn a_part_is_found_by_its_owner_and_the_newest_goes_on_with_it() {
        let house = House::new();
        let share = house.share();
        let film = target(&share, "film.mkv");
        break_off(&share, &film, "0123456789");
        assert_eq!(share.kept_bytes(&film).unwrap(), Some(10));
        let other = share.upload_target(&path("film.mkv"), "ab").unwrap();
        assert_eq!(share.kept_bytes(&other).unwrap(), None);
        assert!(!share.drop_part(&other).unwrap());
        assert!(share.resume(&film, 11).unwrap().is_none());
        let mut again = share.resume(&film, 4).unwrap().expect("a part");
        again.append(b"!").unwrap();
        // Whoever comes back meanwhile does not wait, and the older can do no harm.
        let mut newer = share.resume(&film, 3).unwrap().expect("a part");
        assert!(matches!(again.append(b"?"), Err(Error::Conflict(_))));
        assert!(matches!(again.seal(), Err(Error::Conflict(_))));
        assert!(share.keep_part(&film, again).is_err());
        newer.append(b"345!").unwrap();
        // What is worked on is nobody's to drop.
        assert!(!share.drop_part(&film).unwrap());
        share.keep_part(&film, newer).unwrap();
        assert_eq!(share.kept_bytes(&film).unwrap(), Some(7));
        let last = share.resume(&film, 7).unwrap().expect("a part");
        let options = UPLOAD;
        let put = |spool| share.place(vec![(spool, path("film.mkv"))], &options);
        last.finish(put).unwrap();
        assert_eq!(house.content("film.mkv").as_deref(), Some("012345!"));
        assert!(kept(&house).is_empty() && house.unfinished("").is_empty());
        break_off(&share, &film, "0123456789");
        assert!(share.drop_part(&film).unwrap());
        assert!(!share.drop_part(&film).unwrap());
        assert!(kept(&house).is_empty());
    }

    #[test]
    fn a_part_is_bound_to_what_its_target_was() {
        let house = House::new();
        let share = house.share();
        house.file("f", "old");
        break_off(&share, &target(&share, "f"), "new");
        assert_eq!(share.kept_bytes(&target(&share, "f")).unwrap(), Some(3));
        // The same bytes by another hand are another file.
        house.file("f", "old");
        assert_eq!(share.kept_bytes(&target(&share, "f")).unwrap(), None);
        assert!(kept(&house).is_empty(), "a look drops what is of no use");
        // What is not there is as good a target; what comes and goes again makes an end of it.
        break_off(&share, &target(&share, "g"), "new");
        assert_eq!(share.kept_bytes(&target(&share, "g")).unwrap(), Some(3));
        upload(&share, &[("g", "theirs")], &UPLOAD).unwrap();
        assert!(kept(&house).is_empty());
        share.remove(&path("g"), What::File, Fate::Trash).unwrap();
        assert_eq!(share.kept_bytes(&target(&share, "g")).unwrap(), None);
    }

    #[test]
    fn two_who_send_the_same_name_do_not_meet() {
        let house = House::new();
        let share = house.share();
        let film = target(&share, "f");
        let mut both = [(); 2].map(|()| share.begin_upload_to(&film).unwrap());
        for (upload, text) in both.iter_mut().zip(["one", "other"]) {
            upload.append(text.as_bytes()).unwrap();
            upload.checkpoint().unwrap();
        }
        for upload in both {
            let put = |spool| share.place(vec![(spool, path("f"))], &UPLOAD);
            upload.finish(put).unwrap();
        }
        assert_eq!(house.content("f").as_deref(), Some("other"));
        assert!(kept(&house).is_empty() && house.unfinished("").is_empty());
    }

    #[test]
    fn parts_are_bounded_in_number_and_age() {
        let house = House::new();
        let share = house.share();
        let targets: Vec<UploadTarget> = (0..limits::PARTS_MAX + 3)
            .map(|number| target(&share, &format!("f{number}")))
            .collect();
        for target in &targets {
            break_off(&share, target, "x");
            // Their order is that of their times, which may be the same for two.
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(kept(&house).len(), 2 * limits::PARTS_MAX);
        assert_eq!(share.kept_bytes(&targets[0]).unwrap(), None);
        let fifth = &targets[5];
        assert_eq!(share.kept_bytes(fifth).unwrap(), Some(1));
        age(&house, fifth, limits::PART_AGE_MAX + Duration::from_secs(1));
        assert_eq!(share.kept_bytes(fifth).unwrap(), None, "before any sweep, too");
        break_off(&share, &target(&share, "last"), "x");
        assert!(kept(&house).iter().all(|name| !name.starts_with(&fifth.prefix())));
        assert!(kept(&house).len() <= 2 * limits::PARTS_MAX);
    }

    /// Lets a part have waited for so long.
    fn age(house: &House, target: &UploadTarget, age: Duration) {
        let parts = house.root().join(".larder/parts");
        let names = kept(house);
        let name = names.iter().find(|name| name.starts_with(&target.prefix())).unwrap();
        let id = UploadId::of_name(name.as_bytes()).unwrap();
        let then = SystemTime::now() - age;
        let bytes = File::options().write(true).open(parts.join(id.as_str())).unwrap();
        bytes.set_modified(then).unwrap();
        let folder: OwnedFd = File::open(&parts).unwrap().into();
        let mut record = upload_record::read(folder.as_fd(), &id).unwrap().unwrap();
        let since = then.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        record.last_ms = u64::try_from(since.as_millis()).unwrap();
        upload_record::put(folder.as_fd(), &id, &record, false).unwrap();
    }

    #[test]
    fn what_nobody_can_go_on_with_is_swept_and_what_is_worked_on_is_not() {
        let house = House::new();
        let share = house.share();
        let film = target(&share, "film.mkv");
        break_off(&share, &film, "0123456789");
        let mut working = share.begin_upload_to(&target(&share, "g")).unwrap();
        working.append(b"x").unwrap();
        working.checkpoint().unwrap();
        let parts = house.root().join(".larder/parts");
        let ids: Vec<UploadId> = (0..4).map(|_| UploadId::new(None, "x").unwrap()).collect();
        // A part of the version before, bytes without a record, a record without bytes, nonsense for a record, and
        // what is no file.
        std::fs::write(parts.join(format!("{}.aa.new", "0".repeat(32))), "old").unwrap();
        std::fs::write(parts.join(ids[0].as_str()), "bytes").unwrap();
        std::fs::write(parts.join(ids[1].record()), "{}").unwrap();
        std::fs::write(parts.join(ids[2].as_str()), "bytes").unwrap();
        std::fs::write(parts.join(ids[2].record()), "{\"owner\":").unwrap();
        std::fs::create_dir(parts.join(ids[3].as_str())).unwrap();
        std::fs::write(parts.join("notes.txt"), "mine").unwrap();
        assert!(house.vault.sweep().unwrap() >= 6);
        assert_eq!(kept(&house).len(), 4);
        assert_eq!(share.kept_bytes(&film).unwrap(), Some(10));
        let put = |spool| share.place(vec![(spool, path("g"))], &UPLOAD);
        working.finish(put).unwrap();
        assert_eq!(house.content("g").as_deref(), Some("x"));
    }

    #[test]
    fn the_longest_state_fits_into_a_record() {
        let house = House::new();
        let share = house.share();
        let mut long = share.upload_target(&path("f"), &"a".repeat(64)).unwrap();
        long.was = Some(Version {
            inode: u64::MAX,
            size: u64::MAX,
            modified_ns: i128::MIN,
            changed_ns: i128::MIN,
        });
        break_off(&share, &long, "x");
        assert_eq!(share.kept_bytes(&long).unwrap(), Some(1));
    }
}
