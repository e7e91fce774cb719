//! Uploads that are to be gone on with from their beginning, over requests, days and restarts: begun, found by their
//! id, listed and dropped by whoever they belong to.

use super::ended::{self, EndedUpload};
use super::lease::{self, Lease};
use super::look;
use super::mounts;
use super::path::VaultPath;
use super::resolve::refuse_impossible;
use super::room_for::{make_room_for, must_be_free};
use super::share::{Need, Share};
use super::spool::Spool;
use super::upload::{Plan, Upload, parts_beside};
use super::upload_record::{self, Here, Record, UploadId};
use super::waiting::{self, Found};
use super::write::{IfExists, Place, Placed};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where an upload goes that is to be gone on with from its beginning.
pub struct UploadPlan<'a> {
    /// Whose it is: a word of the door's.
    pub owner: &'a str,
    /// Where they are, if they are one of a crowd, whose word comes first in theirs and ends with `/`: all of them may
    /// have no more uploads than one who is of none.
    pub network: Option<&'a str>,
    /// Where it goes.
    pub path: &'a VaultPath,
    /// Bytes of the whole.
    pub length: u64,
    /// How long it is kept after its last byte.
    pub kept: Duration,
    /// How long while there is none, where that is another time.
    pub kept_empty: Option<Duration>,
    /// What the door notes for itself.
    pub note: &'a str,
    /// Whether all of it comes with what begins it: then it needs a record only if that takes long or breaks off,
    /// since nobody knows before that what it is called.
    pub comes_whole: bool,
    /// Hears the length of each upload of the same owner that makes way for this one, as it is the same anew.
    pub hears: &'a dyn Fn(u64),
}

/// One of somebody's uploads that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it is called.
    pub id: UploadId,
    /// Where it goes.
    pub path: VaultPath,
    /// Bytes of the whole, if its sender told.
    pub length: Option<u64>,
    /// Bytes of it that are durable.
    pub offset: u64,
    /// When the last of them came.
    pub last: SystemTime,
    /// When it goes if nothing more comes; `None` for never, as far as clocks tell.
    pub expires: Option<SystemTime>,
    /// What the door noted.
    pub note: String,
}

/// What is said of an upload that is not there, or is another's.
const NO_UPLOAD: Error = Error::NotFound("Upload not found");

impl Share {
    /// Begins an upload that can be gone on with: its record is durable and there is room for the whole, where the
    /// filesystem can promise that, before this returns; but for a short one that comes whole with what begins it.
    ///
    /// Errors: `Refused`, `Invalid`, `TooSoon` (too many are open), `DiskFull`, `TooLarge`, `StorageAbsent`.
    pub fn begin_lasting_upload(&self, plan: &UploadPlan<'_>) -> Result<Upload> {
        self.ask(plan.path, Need::Write)?;
        refuse_impossible(plan.path)?;
        self.checked(|| {
            let workshops = self.workshops()?.0;
            make_way(&workshops, plan);
            waiting::refuse_too_many(&workshops, plan.owner, plan.network)?;
            let workshop = self.workshop_near(&plan.path.parent().unwrap_or_default())?;
            // The trash gives way for what a guest brings, not for what one says that they will.
            let is_promise = plan.network.is_some();
            if is_promise {
                must_be_free(&workshop, plan.length)?;
            } else {
                make_room_for(&workshop, plan.length)?;
            }
            let record = Record {
                owner: plan.owner.to_owned(),
                path: plan.path.as_str().to_owned(),
                state: None,
                length: Some(plan.length),
                offset: 0,
                last_ms: 0,
                kept_s: plan.kept.as_secs(),
                kept_empty_s: plan.kept_empty.map(|kept| kept.as_secs()),
                here: Here::of(&*workshop)?,
                note: plan.note.to_owned(),
                is_untold: plan.comes_whole,
            };
            record.check()?;
            let spool = Spool::open(Arc::clone(&workshop))?;
            let is_short = plan.comes_whole && plan.length < limits::UPLOAD_CHECKPOINT_BYTES;
            if !is_short && !is_promise && !spool.reserve(plan.length)? {
                // Nobody but us adds up what was promised to others.
                make_room_for(&workshop, plan.length.saturating_add(waiting::lacking(&workshop)?))?;
            }
            let id = match plan.network {
                Some(network) => UploadId::of_network(network, plan.owner)?,
                None => UploadId::new(None, plan.owner)?,
            };
            let mut upload = Upload::lasting(spool, Plan { id, record });
            if plan.comes_whole {
                return Ok(upload);
            }
            match upload.checkpoint() {
                Ok(()) => Ok(upload),
                Err(error) => {
                    // Nobody was told what it is called.
                    upload.discard()?;
                    Err(error)
                }
            }
        })
    }

    /// Takes up an upload where it stands. Whoever works on it is sent away.
    ///
    /// Errors: `NotFound` (also another's), `Refused` (it waits all the same), `DriveBusy` (it may be on a drive that
    /// does not answer), `StorageAbsent`, `Io`.
    pub fn open_upload(&self, owner: &str, id: &UploadId) -> Result<Upload> {
        self.checked(|| {
            let (workshop, found) = self.find_upload(owner, id)?;
            self.ask(&VaultPath::parse(&found.record.path)?, Need::Write)?;
            let upload = waiting::open(&workshop, id, None, &|record| record.owner == owner)?;
            let mut upload = upload.ok_or(NO_UPLOAD)?;
            upload.tell()?;
            Ok(upload)
        })
    }

    /// Makes an upload durable that could not get its place, whatever its owner may by now: so that it waits also if
    /// the power is cut.
    fn settle_upload(&self, owner: &str, id: &UploadId) -> Result<()> {
        if lease::is_in_work(id) {
            // Whoever goes on with it by now does that.
            return Ok(());
        }
        let (workshop, _found) = self.find_upload(owner, id)?;
        let upload = waiting::open(&workshop, id, None, &|record| record.owner == owner)?;
        upload.map_or(Ok(()), |mut upload| upload.settle())
    }

    /// Gives an upload that is whole its place, where the file may have the next free name, and remembers for a while
    /// where that is. `wanted` is the SHA-256 that its content must have. What cannot get its place waits.
    ///
    /// Errors: those of `place`; `Invalid` (another content: this removed it), `Conflict` (somebody else goes on with
    /// it).
    pub fn finish_upload(
        &self,
        mut upload: Upload,
        if_exists: IfExists,
        wanted: Option<[u8; 32]>,
    ) -> Result<(Placed, EndedUpload)> {
        const NAMELESS: Error =
            Error::Bug(std::borrow::Cow::Borrowed("an upload without a record"));
        let path = VaultPath::parse(&upload.record().ok_or(NAMELESS)?.path)?;
        let (id, length) = (upload.id().ok_or(NAMELESS)?.clone(), upload.offset());
        let Record { owner, note, .. } = upload.record().ok_or(NAMELESS)?.clone();
        if let Err(refused) = self.ask(&path, Need::Write) {
            // What was durable before waits in any case.
            let _as_well_as_we_can = upload.keep();
            return Err(refused);
        }
        upload.seal()?;
        let digest = upload.digest()?;
        if wanted.is_some() && wanted != digest {
            upload.discard()?;
            return Err(Error::invalid_as(Why::Digest, "Content does not match its digest"));
        }
        let options = Place { if_exists, make_parents: true, files_only: false };
        let finished = upload.finish(|spool| {
            let placed = self.place(vec![(spool, path)], &options)?.pop();
            let placed = placed.ok_or(Error::Bug("nothing was placed".into()))?;
            let ended = EndedUpload::new(placed.path.clone(), note, length, digest);
            // Before anybody finds that it waits no more.
            ended::note(id.clone(), ended.clone());
            Ok((placed, ended))
        });
        // Whoever goes on with it by now is left alone.
        if finished.as_ref().is_err_and(|error| !matches!(error, Error::Conflict(_))) {
            let _as_well_as_we_can = self.settle_upload(&owner, &id);
        }
        finished
    }

    /// One's own uploads that wait, on all drives of the share, the last one first.
    ///
    /// Errors: `StorageAbsent`, `Io`.
    pub fn uploads(&self, owner: &str) -> Result<Vec<Waiting>> {
        self.checked(|| {
            let prefix = upload_record::prefix(None, owner);
            let mut all = Vec::new();
            for workshop in self.workshops()?.0 {
                // A drive that fails says nothing of the others.
                let found = waiting::find(&workshop, &prefix, &|record| record.owner == owner);
                all.extend(found.unwrap_or_default());
            }
            all.sort_by_key(|found| std::cmp::Reverse(found.last));
            all.into_iter().map(Waiting::of).collect()
        })
    }

    /// Drops an upload, also while somebody works on it; returns its length.
    ///
    /// Errors: those of `open_upload`, but for `Refused`.
    pub fn drop_upload(&self, owner: &str, id: &UploadId) -> Result<u64> {
        self.checked(|| {
            let (workshop, found) = self.find_upload(owner, id)?;
            let parts = parts_beside(&workshop)?.ok_or(NO_UPLOAD)?;
            let lease = Lease::take(id);
            // Whoever worked on it may have ended it meanwhile.
            if waiting::look_at(parts.as_fd(), id)?.is_none() {
                return Err(NO_UPLOAD);
            }
            let is_removed = lease.hold().work(|| {
                let is_removed = upload_record::remove(parts.as_fd(), id);
                look::sync_folder(&parts).map_err(super::os).map(|()| is_removed)
            })?;
            if is_removed { Ok(found.record.length.unwrap_or_default()) } else { Err(NO_UPLOAD) }
        })
    }

    /// Where an upload of this owner waits. What is just getting its place is waited for.
    fn find_upload(&self, owner: &str, id: &UploadId) -> Result<(Arc<OwnedFd>, Found)> {
        if !id.is_of(owner) {
            return Err(NO_UPLOAD);
        }
        let look = |workshop: &OwnedFd| match parts_beside(workshop)? {
            Some(parts) => waiting::look_at(parts.as_fd(), id),
            None => Ok(None),
        };
        // Most are on the share root's drive: the others may sleep.
        let home = self.finder.workshop(&VaultPath::root())?;
        if let Ok(Some(found)) = look(&home)
            && found.record.owner == owner
        {
            return Ok((home, found));
        }
        let (workshops, mut failed) = self.workshops()?;
        let mut find = || -> Option<(Arc<OwnedFd>, Found)> {
            for workshop in &workshops {
                match look(workshop) {
                    Ok(Some(found)) if found.record.owner == owner => {
                        return Some((Arc::clone(workshop), found));
                    }
                    Ok(_) => {}
                    // A drive that fails says nothing of the others.
                    Err(error) => failed = Some(error),
                }
            }
            None
        };
        let found = find().or_else(|| {
            // It may be getting its place, or coming back from that.
            drop(Lease::take(id));
            find()
        });
        match failed {
            Some(error) if found.is_none() => Err(error),
            _ => found.ok_or(NO_UPLOAD),
        }
    }

    /// Larder's folders for unfinished things on all drives of the share, whoever may write there: what one has
    /// begun is one's own. Beside them why one was left out, if a drive does not answer.
    fn workshops(&self) -> Result<(Vec<Arc<OwnedFd>>, Option<Error>)> {
        let mut all = vec![self.finder.workshop(&VaultPath::root())?];
        let mut silent = None;
        for below in mounts::mounts_below(self.finder.handle.as_fd()) {
            let top = VaultPath::from_disk(below.as_os_str().as_bytes());
            // Nobody waits here for one of several drives.
            let answers = self.finder.glance(&top).map(drop).map_err(Error::from);
            match answers.and_then(|()| self.finder.workshop(&top)) {
                _ if top.is_reserved() => {}
                Ok(workshop) => all.push(workshop),
                Err(error @ Error::DriveBusy { .. }) => silent = Some(error),
                // A drive that takes no writes has none.
                Err(_) => {}
            }
        }
        Ok((all, silent))
    }
}

/// Removes what the same client has begun before without hearing of it: the very same file, of which nothing has come,
/// or whose only answer was lost. It would take its room for days.
fn make_way(workshops: &[Arc<OwnedFd>], plan: &UploadPlan<'_>) {
    let prefix = upload_record::prefix(None, plan.owner);
    let is_same = |record: &Record| {
        record.owner == plan.owner
            && record.path == plan.path.as_str()
            && record.length == Some(plan.length)
            && record.note == plan.note
    };
    let is_over =
        |found: &Found| is_same(&found.record) && (found.offset == 0 || found.record.is_untold);
    for workshop in workshops {
        for found in waiting::find(workshop, &prefix, &is_same).unwrap_or_default() {
            let cleared = waiting::clear(workshop, found.id.as_str(), &is_over);
            (0..cleared).for_each(|_| (plan.hears)(plan.length));
        }
    }
}

impl Upload {
    /// What is remembered of one of this owner's that has ended well.
    pub fn ended(owner: &str, id: &UploadId) -> Option<EndedUpload> {
        ended::find(id).filter(|_| id.is_of(owner))
    }
}

impl Waiting {
    /// What is told of one.
    fn of(found: Found) -> Result<Self> {
        Ok(Self {
            path: VaultPath::parse(&found.record.path)?,
            expires: found.expires(),
            id: found.id,
            length: found.record.length,
            // What has come since, a power cut could take back.
            offset: found.offset.min(found.record.offset),
            last: found.last,
            note: found.record.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::root::Quirks;
    use super::super::tests::{House, UPLOAD, path};
    use super::*;
    use std::fs;

    /// What kernels and filesystems may not know of giving a file its place.
    fn quirks() -> [Quirks; 4] {
        let all = Quirks::default();
        [
            all,
            Quirks { no_exchange: true, ..all },
            Quirks { no_noreplace: true, no_links: true, ..all },
            Quirks { no_exchange: true, no_noreplace: true, no_links: true, ..all },
        ]
    }

    /// A plan for a file of so many bytes by `ana`.
    fn plan(path: &VaultPath, length: u64) -> UploadPlan<'_> {
        UploadPlan {
            owner: "ana",
            path,
            length,
            kept: Duration::from_hours(1),
            note: "{\"a\":1}",
            comes_whole: false,
            hears: &|_| {},
            network: None,
            kept_empty: None,
        }
    }

    /// Begins one; it is open.
    fn begin(share: &Share, name: &str, length: u64) -> Upload {
        share.begin_lasting_upload(&plan(&path(name), length)).unwrap()
    }

    /// Names in the folder where uploads wait.
    fn kept(house: &House) -> usize {
        fs::read_dir(house.root().join(".larder/parts")).map_or(0, Iterator::count)
    }

    /// Takes the machine away under an upload, or its drive: what is written down was written elsewhere.
    fn forget_here(house: &House, id: &UploadId) {
        let record = house.root().join(".larder/parts").join(id.record());
        let text = fs::read_to_string(&record).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let other = text.replace(boot.trim(), "another boot");
        assert_ne!(other, text);
        fs::write(record, other).unwrap();
    }

    #[test]
    fn an_upload_goes_on_where_it_stood_and_ends_in_its_place() {
        for quirks in quirks() {
            goes_on_and_ends(&House::with_quirks(quirks));
        }
    }

    /// An upload that larder's end breaks off and that is gone on with.
    fn goes_on_and_ends(house: &House) {
        let share = house.share();
        let mut upload = begin(&share, "new/film.mkv", 10);
        let id = upload.id().unwrap().clone();
        upload.append(b"0123").unwrap();
        // The end of larder is the end of no upload: nothing was said, nothing written down.
        std::mem::forget(upload);
        let told = share.uploads("ana").unwrap();
        assert_eq!((told[0].offset, told[0].length), (0, Some(10)));
        assert_eq!((told[0].path.as_str(), told[0].note.as_str()), ("new/film.mkv", "{\"a\":1}"));
        assert!(told[0].expires > Some(SystemTime::now()));
        let mut upload = share.open_upload("ana", &id).unwrap();
        assert_eq!(upload.offset(), 4);
        upload.append(b"456789").unwrap();
        let target = path("new/film.mkv");
        let placed = upload.finish(|spool| share.place(vec![(spool, target)], &UPLOAD)).unwrap();
        assert_eq!(placed[0].size, 10);
        assert_eq!(house.content("new/film.mkv").as_deref(), Some("0123456789"));
        assert!(share.uploads("ana").unwrap().is_empty());
        assert!(share.open_upload("ana", &id).is_err());
        assert_eq!((kept(house), house.unfinished("").len()), (0, 0));
    }

    #[test]
    fn after_another_boot_only_what_was_made_durable_counts() {
        let house = House::new();
        let share = house.share();
        let mut upload = begin(&share, "f", 10);
        let id = upload.id().unwrap().clone();
        upload.append(b"0123").unwrap();
        upload.checkpoint().unwrap();
        upload.append(b"lost").unwrap();
        drop(upload);
        forget_here(&house, &id);
        assert_eq!(share.uploads("ana").unwrap()[0].offset, 4);
        let upload = share.open_upload("ana", &id).unwrap();
        assert_eq!(upload.offset(), 4);
        drop(upload);
        // What is written from now on counts again, and what was cut off does not come back.
        let mut upload = share.open_upload("ana", &id).unwrap();
        upload.append(b"45").unwrap();
        drop(upload);
        // Only what is durable is told, and it is made so by whoever is to tell more.
        assert_eq!(share.uploads("ana").unwrap()[0].offset, 4);
        let mut upload = share.open_upload("ana", &id).unwrap();
        assert_eq!(upload.offset(), 6);
        upload.settle().unwrap();
        drop(upload);
        assert_eq!(share.uploads("ana").unwrap()[0].offset, 6);
        assert_eq!(
            fs::read(house.root().join(".larder/parts").join(id.as_str())).unwrap(),
            b"012345"
        );
    }

    #[test]
    fn whoever_begins_the_same_again_takes_away_only_what_nobody_was_told_of() {
        let house = House::new();
        let share = house.share();
        let at = path("f");
        let whole = UploadPlan { comes_whole: true, ..plan(&at, 10) };
        let broken_off = || {
            let mut upload = share.begin_lasting_upload(&whole).unwrap();
            upload.append(b"0123").unwrap();
            let id = upload.id().unwrap().clone();
            upload.keep().unwrap();
            id
        };
        let first = broken_off();
        let second = broken_off();
        let ids =
            || share.uploads("ana").unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(), std::slice::from_ref(&second));
        assert!(share.open_upload("ana", &first).is_err());
        // Somebody knows of it from here on, and while it is worked on it is left alone in any case.
        let working = share.open_upload("ana", &second).unwrap();
        let third = broken_off();
        drop(working);
        let fourth = broken_off();
        let mut left = ids();
        left.sort();
        let mut wanted = vec![second, fourth];
        wanted.sort();
        assert_eq!(left, wanted);
        assert!(share.open_upload("ana", &third).is_err());
    }

    #[test]
    fn nobody_finds_anothers_and_the_grant_is_asked_each_time() {
        let house = House::new();
        let share = house.share();
        let mut upload = begin(&share, "a/f", 3);
        let id = upload.id().unwrap().clone();
        upload.append(b"abc").unwrap();
        drop(upload);
        let other = share.open_upload("cam", &id);
        assert!(matches!(other, Err(Error::NotFound("Upload not found"))));
        assert!(share.drop_upload("cam", &id).is_err());
        assert!(share.uploads("cam").unwrap().is_empty());
        let narrow = house.share_of(&["b"], &["b"]);
        assert!(matches!(narrow.open_upload("ana", &id), Err(Error::Refused)));
        assert!(narrow.begin_lasting_upload(&plan(&path("a/g"), 1)).is_err());
        for name in ["", ".larder/x"] {
            assert!(share.begin_lasting_upload(&plan(&path(name), 1)).is_err(), "{name}");
        }
        // It waits all the same, and its owner drops it, even while somebody works on it.
        let mut working = share.open_upload("ana", &id).unwrap();
        share.drop_upload("ana", &id).unwrap();
        assert!(working.append(b"").is_err());
        assert!(working.finish(|_| Ok(())).is_err());
        assert_eq!(kept(&house), 0);
    }

    #[test]
    fn what_could_not_be_placed_waits_and_is_tried_again() {
        let house = House::new();
        let share = house.share();
        house.folder("taken");
        let mut upload = begin(&share, "taken", 3);
        let id = upload.id().unwrap().clone();
        assert!(matches!(upload.append(b"abcd"), Err(Error::TooLarge)));
        upload.append(b"ab").unwrap();
        upload.append(b"c").unwrap();
        let place = |spool| share.place(vec![(spool, path("taken"))], &UPLOAD);
        assert!(upload.finish(place).is_err());
        let half = begin(&share, "half", 3);
        assert!(half.finish(|_| Ok(())).is_err());
        fs::remove_dir(house.root().join("taken")).unwrap();
        let upload = share.open_upload("ana", &id).unwrap();
        assert_eq!(upload.offset(), 3);
        upload.finish(place).unwrap();
        assert_eq!(house.content("taken").as_deref(), Some("abc"));
        assert_eq!(kept(&house), 2, "the half one waits");
    }

    #[test]
    fn a_kill_on_the_way_to_its_place_leaves_it_there_or_waiting() {
        for is_placed in [false, true] {
            for quirks in quirks() {
                let house = House::with_quirks(quirks);
                let share = house.share();
                house.file("f", "old");
                let mut upload = begin(&share, "f", 3);
                let id = upload.id().unwrap().clone();
                upload.append(b"abc").unwrap();
                // Nothing that comes behind this moment is done.
                let killed = upload.finish(|spool| -> Result<()> {
                    if is_placed {
                        share.place(vec![(spool, path("f"))], &UPLOAD)?;
                    } else {
                        std::mem::forget(spool);
                    }
                    Err(Error::Cancelled)
                });
                assert!(killed.is_err());
                let parts = house.root().join(".larder/parts");
                assert!(parts.join(id.as_str()).exists() && parts.join(id.record()).exists());
                if is_placed {
                    // Nobody writes into it any more.
                    assert!(share.open_upload("ana", &id).is_err());
                    house.vault.sweep().unwrap();
                    assert_eq!(kept(&house), 0);
                } else {
                    // The next process finds it before it sweeps what this one left.
                    let tmp = house.root().join(".larder/tmp");
                    for (number, name) in house.unfinished("").into_iter().enumerate() {
                        let theirs = format!("0011223344556677-{number}");
                        fs::rename(tmp.join(name), tmp.join(theirs)).unwrap();
                    }
                    let upload = share.open_upload("ana", &id).unwrap();
                    assert_eq!(upload.offset(), 3);
                    upload.finish(|spool| share.place(vec![(spool, path("f"))], &UPLOAD)).unwrap();
                    assert_eq!(kept(&house), 0);
                }
                assert_eq!(house.content("f").as_deref(), Some("abc"));
            }
        }
    }

    #[test]
    fn a_whole_that_does_not_fit_is_refused_before_its_first_byte() {
        let house = House::new();
        let share = house.share();
        for length in [1 << 60, u64::MAX] {
            let told = share.begin_lasting_upload(&plan(&path("f"), length)).err();
            assert!(matches!(told, Some(Error::DiskFull | Error::TooLarge)), "{told:?}");
        }
        let note = "x".repeat(limits::UPLOAD_NOTE_BYTES_MAX + 1);
        let place = path("f");
        let long = UploadPlan { note: &note, ..plan(&place, 1) };
        let told = share.begin_lasting_upload(&long).err();
        assert!(matches!(told, Some(Error::Invalid(..))), "{told:?}");
        assert_eq!((kept(&house), house.unfinished("").len()), (0, 0));
    }

    #[test]
    fn open_uploads_are_bounded_for_one_and_for_all() {
        let house = House::in_memory();
        let share = house.share();
        let first = begin(&share, "f", 1).id().unwrap().clone();
        let parts = house.root().join(".larder/parts");
        let text = fs::read_to_string(parts.join(first.record())).unwrap();
        let add = |owner: &str| {
            let id = UploadId::new(None, owner).unwrap();
            fs::write(parts.join(id.record()), text.replace("ana", owner)).unwrap();
            fs::write(parts.join(id.as_str()), "").unwrap();
        };
        (1..limits::UPLOADS_PER_OWNER_MAX).for_each(|_| add("ana"));
        let place = path("another");
        let too_many = |owner| {
            let plan = UploadPlan { owner, ..plan(&place, 1) };
            matches!(share.begin_lasting_upload(&plan).err(), Some(Error::TooSoon { .. }))
        };
        assert!(too_many("ana") && !too_many("cam"));
        (0..limits::UPLOADS_MAX).for_each(|number| add(&number.to_string()));
        assert!(too_many("cam") && share.uploads("ana").unwrap().len() == 100);
        // What nobody can go on with makes room when it is needed.
        for record in fs::read_dir(&parts).unwrap().flatten() {
            if record.path().extension().is_some() && record.file_name() != *first.record() {
                fs::write(record.path(), "{}").unwrap();
            }
        }
        assert!(!too_many("ana"));
        assert_eq!(kept(&house), 4);
    }

    #[test]
    fn crowds_take_nothing_from_others_and_nobody_in_them_all() {
        let house = House::in_memory();
        let share = house.share();
        let first = begin(&share, "f", 1).id().unwrap().clone();
        let parts = house.root().join(".larder/parts");
        let text = fs::read_to_string(parts.join(first.record())).unwrap();
        let add = |owner: &str, network: &str| {
            let id = UploadId::of_network(network, owner).unwrap();
            fs::write(parts.join(id.record()), text.replace("ana", owner)).unwrap();
            fs::write(parts.join(id.as_str()), "").unwrap();
        };
        let place = path("another");
        let too_many = |owner, network| {
            let plan = UploadPlan { owner, network, ..plan(&place, 1) };
            matches!(share.begin_lasting_upload(&plan).err(), Some(Error::TooSoon { .. }))
        };
        // One guest, by what tells them from others, and by where they are.
        (0..limits::UPLOADS_PER_GUEST_MAX).for_each(|number| add("link:5/a", &number.to_string()));
        assert!(too_many("link:5/a", Some("n")) && !too_many("link:5/b", Some("n")));
        (0..limits::UPLOADS_PER_GUEST_MAX).for_each(|number| add(&format!("link:5/{number}"), "m"));
        assert!(too_many("link:5/c", Some("m")) && too_many("link:5/", Some("m")));
        assert!(!too_many("link:5/", Some("n")));
        (0..limits::UPLOADS_PER_OWNER_MAX)
            .for_each(|number| add(&format!("link:5/{number}"), &number.to_string()));
        assert!(too_many("link:5/d", Some("n")) && !too_many("link:55/d", Some("n")));
        (0..limits::UPLOADS_OF_CROWDS_MAX)
            .for_each(|number| add(&format!("link:{number}/"), &number.to_string()));
        assert!(too_many("link:x/d", Some("n")));
        (0..limits::UPLOADS_MAX).for_each(|number| add("link:6/", &number.to_string()));
        assert!(!too_many("ana", None) && !too_many("cam", None));
        // Whoever knows the id goes on with it; with a link all go that came by it, and nobody else's.
        let home = fs::File::open(house.root().join(".larder")).unwrap();
        let gone = waiting::drop_all_of(home.as_fd(), "link:6/");
        assert_eq!(gone, limits::UPLOADS_MAX as u64 + 1);
        assert_eq!(waiting::drop_all_of(home.as_fd(), "link:5/a"), 20);
    }

    #[test]
    fn what_has_no_byte_may_be_kept_for_less() {
        let house = House::new();
        let share = house.share();
        let (at, short) = (path("f"), Duration::from_mins(1));
        let plan = UploadPlan { kept_empty: Some(short), ..plan(&at, 3) };
        let mut upload = share.begin_lasting_upload(&plan).unwrap();
        assert!(upload.expires().unwrap() <= SystemTime::now() + short);
        upload.append(b"a").unwrap();
        upload.keep().unwrap();
        let waits = share.uploads("ana").unwrap().pop().unwrap();
        assert!(waits.expires.unwrap() > SystemTime::now() + short * 2);
    }

    #[test]
    fn a_record_that_lies_changes_nothing_but_itself() {
        let house = House::new();
        let share = house.share();
        house.file("precious", "kept");
        let parts = house.root().join(".larder/parts");
        for (from, to) in [
            ("\"f\"", "\"../precious\""),
            ("\"f\"", "\".larder/id\""),
            ("\"offset\":3", "\"offset\":9"),
            ("\"length\":4", "\"length\":2"),
            ("\"ana\"", "\"cam\""),
        ] {
            let mut upload = begin(&share, "f", 4);
            let id = upload.id().unwrap().clone();
            upload.append(b"abc").unwrap();
            upload.keep().unwrap();
            let text = fs::read_to_string(parts.join(id.record())).unwrap();
            let lie = text.replacen(from, to, 1);
            assert_ne!(lie, text);
            fs::write(parts.join(id.record()), lie).unwrap();
            assert!(share.open_upload("ana", &id).is_err(), "{to}");
        }
        // Bytes that are none.
        let upload = begin(&share, "f", 4);
        let id = upload.id().unwrap().clone();
        drop(upload);
        fs::remove_file(parts.join(id.as_str())).unwrap();
        std::os::unix::fs::symlink("../../precious", parts.join(id.as_str())).unwrap();
        assert!(share.open_upload("ana", &id).is_err());
        assert_eq!(house.content("precious").as_deref(), Some("kept"));
    }
}
