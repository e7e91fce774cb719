//! The one way in which a file comes in, whatever the door: appended to piece by piece, made durable now and then
//! if it can be gone on with later, whole and durable before it gets its place.
//!
//! What nobody can go on with is a spool and nothing more. What somebody can has a record beside its bytes from its
//! first checkpoint on: from its beginning where the door says so, else after `UPLOAD_CHECKPOINT_BYTES` or when it
//! breaks off, so that a small file costs no sync that a spool does not.

use super::content_hash::ContentHash;
use super::lease::{Ask, Hold, Lease, TAKEN_OVER};
use super::opening::Opening;
use super::os;
use super::path::VaultPath;
use super::share::Share;
use super::spool::Spool;
use super::upload_record::{self, Here, Record, UploadId, Written};
use super::{hidden, look, tending};
use crate::error::{Error, Result};
use crate::limits;
use crate::threads;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::SystemTime;

/// The folder in larder's hidden folder where uploads wait that can be gone on with.
pub(super) const PARTS: &str = "parts";

/// What is said of a checkpoint that ended without a word.
const UNFINISHED: Error = Error::Bug(std::borrow::Cow::Borrowed("a checkpoint was not finished"));

/// A file on its way in. Dropping it removes what has come, unless it has a record.
pub struct Upload {
    /// What has come.
    spool: Spool,
    /// Bytes of the whole, if its sender told.
    length: Option<u64>,
    /// What is written down of it; `None` when nobody can go on with it.
    plan: Option<Plan>,
    /// Its record, once there is one.
    standing: Option<Standing>,
    /// Bytes that the last checkpoint was about, or that were there from the beginning.
    checked: u64,
    /// Whether the drive has lost some of what had come: nothing more is believed. Changed while the hold's work is
    /// done, so that nothing is written behind what was cut off.
    is_lost: Arc<AtomicBool>,
    /// Whether the record that says how much is durable is durable itself.
    is_settled: bool,
    /// A checkpoint that is being made beside the writing.
    beside: Option<Receiver<Result<()>>>,
    /// When its last byte came.
    last: SystemTime,
    /// The hash of what has come, if anybody wants it.
    hash: Option<ContentHash>,
    /// How whoever works on it is asked to leave, until there is somebody who could.
    ask: Option<Ask>,
    /// That it counts as open, also while there is no record.
    _opening: Option<Opening>,
}

/// What is written down of an upload that can be gone on with.
pub(super) struct Plan {
    /// What it is called.
    pub id: UploadId,
    /// The record, but for what changes.
    pub record: Record,
}

/// A record that is there.
struct Standing {
    /// Nobody else works on it.
    lease: Lease,
    /// The folder where it lies, beside the bytes.
    parts: Arc<OwnedFd>,
}

impl Share {
    /// Begins an upload of at most so many bytes, as far as that is known, that nobody can go on with. It lies on
    /// the drive of the folder `near` where the file will be, whose trash makes room for it; as long as nobody
    /// knows where that is, on the share root's drive, or on another that has the room.
    ///
    /// Errors: `DiskFull`, `Io`, `StorageAbsent`.
    pub fn begin_upload(&self, near: Option<&VaultPath>, bytes: Option<u64>) -> Result<Upload> {
        self.spool_sized(near, bytes).map(Upload::passing)
    }
}

impl Upload {
    /// One that nobody can go on with.
    pub(super) fn passing(spool: Spool) -> Self {
        Self {
            spool,
            length: None,
            plan: None,
            standing: None,
            checked: 0,
            is_lost: Arc::default(),
            is_settled: false,
            beside: None,
            last: SystemTime::now(),
            hash: None,
            ask: None,
            _opening: None,
        }
    }

    /// One that somebody can go on with; it has no record yet.
    pub(super) fn lasting(spool: Spool, plan: Plan) -> Self {
        let length = plan.record.length;
        Self { length, plan: Some(plan), ..Self::passing(spool) }
    }

    /// The same, counted as open from now on.
    pub(super) fn opening(spool: Spool, plan: Plan, opening: Opening) -> Self {
        Self { _opening: Some(opening), ..Self::lasting(spool, plan) }
    }

    /// One that somebody goes on with: the bytes are there as the spool has them.
    pub(super) fn again(
        spool: Spool,
        (id, record, last): (UploadId, Record, SystemTime),
        (lease, parts): (Lease, Arc<OwnedFd>),
    ) -> Self {
        let checked = spool.len();
        let standing = Some(Standing { lease, parts });
        Self { standing, checked, last, ..Self::lasting(spool, Plan { id, record }) }
    }

    /// Bytes that have come.
    pub fn offset(&self) -> u64 {
        self.spool.len()
    }

    /// Bytes of the whole, if its sender told.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// What it is called; `None` when nobody can go on with it.
    pub fn id(&self) -> Option<&UploadId> {
        self.plan.as_ref().map(|plan| &plan.id)
    }

    /// What is written down of it, or will be.
    pub(super) fn record(&self) -> Option<&Record> {
        self.plan.as_ref().map(|plan| &plan.record)
    }

    /// What the door noted.
    pub fn note(&self) -> &str {
        self.record().map_or("", |record| &record.note)
    }

    /// When it goes if nothing more comes; `None` for never, as far as clocks tell.
    pub fn expires(&self) -> Option<SystemTime> {
        self.last.checked_add(self.record()?.kept(self.offset()))
    }

    /// Has its content hashed: what comes from now on at once, the rest when the whole is there.
    pub fn hash(&mut self) {
        let Some(plan) = self.plan.as_ref().filter(|_| self.hash.is_none()) else { return };
        self.hash = Some(ContentHash::of(&plan.id, self.spool.len()));
    }

    /// How whoever sends it is asked to leave when somebody else goes on with it, at once and from any thread: then
    /// there is a moment left in which what has come is put away.
    pub fn ask_by(&mut self, ask: Ask) {
        match &self.standing {
            Some(standing) => standing.lease.hold().ask_by(Some(ask)),
            None => self.ask = Some(ask),
        }
    }

    /// Wishes when the file is to have changed last (see `Spool::date`).
    pub fn date(&mut self, modified: SystemTime) {
        self.spool.date(modified);
    }

    /// What it begins with can be put there without being sent; that is no news to be made durable.
    pub(super) fn begin(&mut self, fill: impl FnOnce(&mut Spool) -> Result<()>) -> Result<()> {
        fill(&mut self.spool)?;
        self.checked = self.spool.len();
        Ok(())
    }

    /// Adds what has come.
    ///
    /// Errors: `TooLarge` (more than was told), `Conflict` (somebody else goes on with it), `DiskFull`, `Io`.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let offset = self.offset();
        let whole = offset.saturating_add(bytes.len() as u64);
        if self.length.is_some_and(|length| whole > length) {
            return Err(Error::TooLarge);
        }
        let (spool, is_lost) = (&mut self.spool, &self.is_lost);
        let write = |spool: &mut Spool| {
            if is_lost.load(Ordering::Relaxed) {
                return Err(lost());
            }
            Ok(spool.write_all(bytes)?)
        };
        match &self.standing {
            Some(standing) => standing.lease.hold().work(|| write(spool))?,
            None => write(spool)?,
        }
        if let Some(hash) = &mut self.hash {
            hash.update(offset, bytes);
        }
        self.last = SystemTime::now();
        let is_due = self.plan.is_some() && whole - self.checked >= limits::UPLOAD_CHECKPOINT_BYTES;
        if is_due && self.is_checkpoint_over()? {
            self.checkpoint_beside()?;
        }
        Ok(())
    }

    /// Makes durable what has come, and writes that down; nothing for what nobody can go on with.
    ///
    /// Errors: `Conflict` (somebody else goes on with it), `Invalid` (there is too much to be written down),
    /// `DiskFull`, `Io`.
    pub fn checkpoint(&mut self) -> Result<()> {
        self.wait_beside()?;
        let Some(record) = self.stand()? else { return Ok(()) };
        self.make_durable(|spool| spool.sync_data())?;
        let (Some(standing), Some(plan)) = (&self.standing, &mut self.plan) else { return Ok(()) };
        standing
            .lease
            .hold()
            .work(|| upload_record::put(standing.parts.as_fd(), &plan.id, &record, true))?;
        plan.record.offset = record.offset;
        self.note_expiry();
        self.checked = self.offset();
        self.is_settled = true;
        Ok(())
    }

    /// Has the drive make durable what has come, which is what `sync` does. The kernel tells once that it could not:
    /// if it tells, nothing is believed any more beyond what the record says.
    fn make_durable(&mut self, sync: impl FnOnce(&mut Spool) -> Result<()>) -> Result<()> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Err(lost());
        }
        let spool = &mut self.spool;
        let (Some(standing), Some(plan)) = (&self.standing, &self.plan) else { return sync(spool) };
        standing.lease.hold().work(|| {
            sync(spool).inspect_err(|_| {
                self.is_lost.store(true, Ordering::Relaxed);
                cut_back(standing.parts.as_fd(), &plan.id);
            })
        })
    }

    /// Has the sweep look when it has waited long enough.
    fn note_expiry(&self) {
        if let Some(plan) = self.plan.as_ref().filter(|_| self.standing.is_some()) {
            let owner = Some(&*plan.record.owner).filter(|_| !plan.id.is_bound());
            tending::note(owner, self.expires());
        }
    }

    /// Somebody knows what it is called: it is not removed any more for whoever begins the same again.
    ///
    /// Errors: `Conflict` (somebody else goes on with it), `DiskFull`, `Io`.
    pub(super) fn tell(&mut self) -> Result<()> {
        let (Some(standing), Some(plan)) = (&self.standing, &mut self.plan) else { return Ok(()) };
        if !std::mem::take(&mut plan.record.is_untold) {
            return Ok(());
        }
        let put = || upload_record::put(standing.parts.as_fd(), &plan.id, &plan.record, true);
        standing.lease.hold().work(put)
    }

    /// Sees to it that what has come is durable, so that it can be told.
    ///
    /// Errors: those of `checkpoint`.
    pub fn settle(&mut self) -> Result<()> {
        let is_told = self.record().is_some_and(|record| record.offset == self.offset());
        match &self.standing {
            Some(_) if is_told && self.is_settled => Ok(()),
            // Whoever wrote that may have been ended before the folder's names were durable.
            Some(standing) if is_told => {
                standing.lease.hold().work(|| look::sync_folder(&*standing.parts).map_err(os))?;
                self.is_settled = true;
                Ok(())
            }
            _ => self.checkpoint(),
        }
    }

    /// Whether no checkpoint is being made. Whoever sends does not wait for a slow drive: the next checkpoint does.
    fn is_checkpoint_over(&mut self) -> Result<bool> {
        let Some(told) = &self.beside else { return Ok(true) };
        match told.try_recv() {
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Disconnected) => Err(UNFINISHED),
            Ok(done) => {
                self.beside = None;
                done.map(|()| true)
            }
        }
    }

    /// The same while more comes; none is being made.
    fn checkpoint_beside(&mut self) -> Result<()> {
        let Some(record) = self.stand()? else { return Ok(()) };
        let (Some(standing), Some(plan)) = (&self.standing, &self.plan) else { return Ok(()) };
        let file = self.spool.another_handle()?;
        let (parts, id) = (Arc::clone(&standing.parts), plan.id.clone());
        let hold: Hold = standing.lease.hold().clone();
        let (tell, told) = mpsc::sync_channel(1);
        let is_lost = Arc::clone(&self.is_lost);
        let work = move || {
            let lose = |_: &Error| {
                let _theirs = hold.work(|| {
                    is_lost.store(true, Ordering::Relaxed);
                    cut_back(parts.as_fd(), &id);
                    Ok(())
                });
            };
            let checkpoint = || {
                rustix::fs::fdatasync(&file).map_err(os).inspect_err(lose)?;
                let written = Written::new(parts.as_fd(), &record, true)?;
                // Only now, so that what comes meanwhile does not wait for the drive.
                hold.work(|| written.place(parts.as_fd(), &id))?;
                look::sync_folder(&*parts).map_err(os)
            };
            // Nobody listens any more when the upload has broken off.
            let _nobody = tell.send(checkpoint());
        };
        if threads::spawn("checkpoint", work).is_err() {
            // The system has no thread left: then whoever sends waits for the drive.
            return self.checkpoint();
        }
        self.beside = Some(told);
        self.checked = self.offset();
        Ok(())
    }

    /// Waits for the checkpoint that is being made.
    fn wait_beside(&mut self) -> Result<()> {
        let Some(told) = self.beside.take() else { return Ok(()) };
        told.recv().map_err(|_| UNFINISHED)?
    }

    /// Sees to it that there is a record, which the end of larder does not take away; returns what it is to say
    /// once what has come is durable. `None` when nobody can go on with it.
    fn stand(&mut self) -> Result<Option<Record>> {
        let Some(plan) = &mut self.plan else { return Ok(None) };
        if self.standing.is_none() {
            let home = look::open_place(&*self.spool.at.folder, b"..").map_err(os)?;
            let parts = Arc::new(hidden::open_or_make(home.as_fd(), PARTS).map_err(os)?);
            // From here on the sweep leaves it alone.
            let (lease, id) = (Lease::take(&plan.id), &plan.id);
            plan.record.here = Here::of(&*parts)?;
            (plan.record.offset, plan.record.last_ms) = (0, ms_of(self.last));
            upload_record::put(parts.as_fd(), id, &plan.record, false)?;
            let moved = self.spool.stay_at(&parts, id.as_str());
            let forget = |_: &Errno| _ = upload_record::remove(parts.as_fd(), id);
            moved.inspect_err(forget).map_err(os)?;
            lease.hold().ask_by(self.ask.take());
            self.standing = Some(Standing { lease, parts });
            self.note_expiry();
        }
        let Some(plan) = &self.plan else { return Ok(None) };
        let (offset, last_ms) = (self.spool.len(), ms_of(self.last));
        Ok(Some(Record { offset, last_ms, ..plan.record.clone() }))
    }

    /// Nothing more comes: makes it durable and closes it. Calling it again does nothing.
    ///
    /// Errors: `DiskFull`, `Io`, `Conflict` (somebody else goes on with it).
    pub fn seal(&mut self) -> Result<()> {
        self.wait_beside()?;
        self.make_durable(Spool::finish)
    }

    /// The SHA-256 of the whole, which is sealed; `None` when nobody wanted it.
    ///
    /// Errors: `Io`, `Conflict` (somebody else goes on with it).
    pub(super) fn digest(&mut self) -> Result<Option<[u8; 32]>> {
        let Some(mut hash) = self.hash.take() else { return Ok(None) };
        let may_go_on = || match &self.standing {
            Some(standing) => standing.lease.hold().work(|| Ok(())),
            None => Ok(()),
        };
        let length = self.offset();
        let hashed = match self.spool.reopened_to_read() {
            Ok(file) => hash.catch_up(&File::from(file), length, may_go_on),
            Err(error) => Err(error),
        };
        let value = hash.value();
        self.hash = Some(hash);
        hashed.map(|()| Some(value))
    }

    /// Gives the file its place, which is what `put` does. If that fails, an upload that has a record waits: it can
    /// be tried again.
    ///
    /// Errors: those of `seal` and `put`; `Invalid` when less has come than was told.
    pub fn finish<T>(mut self, put: impl FnOnce(Spool) -> Result<T>) -> Result<T> {
        if self.length.is_some_and(|length| self.offset() < length) {
            return Err(Error::invalid("The upload is not complete"));
        }
        self.seal()?;
        let (Some(standing), Some(plan)) = (self.standing.take(), self.plan.take()) else {
            return put(self.spool);
        };
        // Whoever comes now waits for the end, which is what they will be told.
        standing.lease.hold().ask_by(None);
        let placed = standing.lease.hold().work(|| {
            self.spool.step_out()?;
            let done = put(self.spool)?;
            // A crash leaves a record and, by their second name, bytes that have their place: the sweep sees that.
            upload_record::remove(standing.parts.as_fd(), &plan.id);
            Ok(done)
        });
        if let Some(hash) = self.hash.filter(|_| placed.is_err()) {
            hash.wait(plan.id);
        }
        placed
    }

    /// Keeps what has come for whoever goes on with it; nothing if that is nothing.
    ///
    /// Errors: those of `checkpoint`; then what a record tells of is kept, or nothing.
    pub fn keep(mut self) -> Result<()> {
        if self.offset() == 0 && self.standing.is_none() {
            return Ok(());
        }
        // Whoever is waiting for it makes it durable before they tell of it, where they can believe what they find.
        let is_believed = self.record().is_some_and(|record| record.here.is_known());
        match &self.standing {
            Some(standing) if is_believed && standing.lease.hold().is_asked() => {
                standing.lease.hold().work(|| Ok(()))?;
            }
            _ => self.settle()?,
        }
        if let (Some(hash), Some(plan)) = (self.hash, self.plan) {
            hash.wait(plan.id);
        }
        Ok(())
    }

    /// Removes what has come. It is for certain that this did it, and not somebody else as well.
    ///
    /// Errors: `Conflict` (somebody else goes on with it, or has removed it).
    pub fn discard(self) -> Result<()> {
        let (Some(standing), Some(plan)) = (&self.standing, &self.plan) else { return Ok(()) };
        standing.lease.hold().work(|| {
            let is_removed = upload_record::remove(standing.parts.as_fd(), &plan.id);
            if is_removed { Ok(()) } else { Err(TAKEN_OVER) }
        })
    }
}

/// Milliseconds since 1970.
fn ms_of(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The folder beside larder's folder for unfinished things where uploads wait; `None` while there is none.
pub(super) fn parts_beside(workshop: &OwnedFd) -> Result<Option<OwnedFd>> {
    match look::open_to_read(workshop, format!("../{PARTS}").as_bytes()) {
        Ok(parts) => Ok(Some(parts)),
        // On a drive from anywhere something else may have that name.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(os(errno)),
    }
}

/// What is said of an upload of which the drive has lost some.
fn lost() -> Error {
    Error::Io(std::io::Error::other("the drive has lost some of an upload"))
}

/// Cuts off what has come beyond what a record says is durable: whoever opens it next would not be told that some of
/// it is lost.
fn cut_back(parts: BorrowedFd<'_>, id: &UploadId) {
    let cut = || -> Result<()> {
        let durable = upload_record::read(parts, id)?.map_or(0, |record| record.offset);
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parts, id.as_str(), flags, Mode::empty()).map_err(os)?;
        if look::look_at(&file).map_err(os)?.stx_size > durable {
            rustix::fs::ftruncate(&file, durable).map_err(os)?;
        }
        Ok(())
    };
    let _the_drive_is_broken = cut();
}

#[cfg(test)]
mod tests {
    use super::super::part::UploadTarget;
    use super::super::tests::{House, path};
    use super::*;
    use std::fs;

    /// Where an upload to `big` goes, of `aa`.
    fn target(share: &Share) -> UploadTarget {
        share.upload_target(&path("big"), "aa").unwrap()
    }

    /// Appends so many MiB.
    fn append(upload: &mut Upload, mib: usize) {
        let piece = vec![7; 1 << 20];
        for _ in 0..mib {
            upload.append(&piece).unwrap();
        }
    }

    /// Names in a folder of larder's own.
    fn names(house: &House, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(house.root().join(".larder").join(folder)) else {
            return Vec::new();
        };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_small_one_has_no_record_and_a_long_one_gets_one_by_itself() {
        let house = House::new();
        let share = house.share();
        let target = target(&share);
        let mut upload = share.begin_upload_to(&target).unwrap();
        append(&mut upload, 63);
        assert!(upload.standing.is_none() && names(&house, "parts").is_empty());
        append(&mut upload, 1);
        // The record is there before the drive has anything.
        let id = upload.id().unwrap().clone();
        assert!(names(&house, "tmp").is_empty());
        append(&mut upload, 6);
        // Killed now, larder goes on with all of it at the next start.
        std::mem::forget(upload);
        assert_eq!(share.kept_bytes(&target).unwrap(), Some(70 << 20));
        let upload = share.resume(&target, 70 << 20).unwrap().expect("a part");
        assert_eq!(upload.id(), Some(&id));
        drop(upload);
        house.vault.sweep().unwrap();
        assert_eq!(share.kept_bytes(&target).unwrap(), Some(70 << 20));
    }

    #[test]
    fn each_checkpoint_tells_what_is_durable() {
        let house = House::new();
        let share = house.share();
        let target = target(&share);
        let mut upload = share.begin_upload_to(&target).unwrap();
        append(&mut upload, 130);
        upload.wait_beside().unwrap();
        let told = |id: &UploadId| -> u64 {
            let text = fs::read(house.root().join(".larder/parts").join(id.record())).unwrap();
            Record::parse(&text).unwrap().offset
        };
        let id = upload.id().unwrap().clone();
        // How far it is depends on the drive alone.
        assert!((64 << 20..=130 << 20).contains(&told(&id)), "{}", told(&id));
        upload.append(b"more").unwrap();
        upload.checkpoint().unwrap();
        assert_eq!(told(&id), (130 << 20) + 4);
        // Going on from an earlier byte takes back what is said to be durable, before that is written over.
        drop(upload);
        let mut upload = share.resume(&target, 5).unwrap().expect("a part");
        assert_eq!(told(&id), 5);
        upload.append(b"!").unwrap();
        upload.discard().unwrap();
        assert!(names(&house, "parts").is_empty());
        assert_eq!(share.kept_bytes(&target).unwrap(), None);
    }

    /// The kernel tells a write that it lost once: whoever opens the file next would be told that all is there.
    #[test]
    fn what_the_drive_has_lost_is_not_believed_again() {
        let house = House::new();
        let share = house.share();
        let target = target(&share);
        let mut upload = share.begin_upload_to(&target).unwrap();
        upload.append(b"12345").unwrap();
        upload.checkpoint().unwrap();
        upload.append(b"67890").unwrap();
        assert!(upload.make_durable(|_| Err(Error::Io(Errno::IO.into()))).is_err());
        assert!(upload.append(b"x").is_err() && upload.settle().is_err());
        assert!(upload.keep().is_err());
        assert_eq!(share.kept_bytes(&target).unwrap(), Some(5));
        let upload = share.resume(&target, 5).unwrap().expect("a part");
        assert_eq!(upload.offset(), 5);
    }

    #[test]
    fn what_nobody_can_go_on_with_leaves_nothing() {
        let house = House::new();
        let share = house.share();
        let mut upload = share.begin_upload(None, None).unwrap();
        append(&mut upload, 70);
        upload.checkpoint().unwrap();
        assert!(upload.id().is_none());
        drop(upload);
        // Nothing has come: there is nothing to be kept.
        share.begin_upload_to(&target(&share)).unwrap().keep().unwrap();
        assert!(names(&house, "parts").is_empty() && names(&house, "tmp").is_empty());
    }
}
