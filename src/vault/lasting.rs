//! Uploads that are to be gone on with from their beginning, over requests, days and restarts: begun, found by their
//! id, listed and dropped by whoever they belong to.

use super::ended::{self, EndedUpload};
use super::lease::{self, Ask, Lease};
use super::look::{self, FileId};
use super::mounts;
use super::opening::Opening;
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
            let id = match plan.network {
                Some(network) => UploadId::of_network(network, plan.owner)?,
                None => UploadId::new(None, plan.owner)?,
            };
            let opening = Opening::new(home_of(&workshops)?, id.clone());
            let whose = (plan.owner, plan.network);
            waiting::refuse_too_many(&workshops, whose, &opening, plan.hears)?;
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
            let mut upload = Upload::opening(spool, Plan { id, record }, opening);
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

    /// Takes up an upload where it stands. Whoever works on it is sent away; whoever works on it from here on can be
    /// asked to leave by `ask`, from the first moment (see `Upload::ask_by`).
    ///
    /// Errors: `NotFound` (also another's), `Refused` (it waits all the same), `DriveBusy` (it may be on a drive that
    /// does not answer), `StorageAbsent`, `Io`.
    pub fn open_upload(&self, owner: &str, id: &UploadId, ask: Option<Ask>) -> Result<Upload> {
        self.checked(|| {
            let (workshop, found) = self.find_upload(owner, id)?;
            self.ask(&VaultPath::parse(&found.record.path)?, Need::Write)?;
            let upload = waiting::open(&workshop, id, None, &|record| record.owner == owner, ask)?;
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
        let upload = waiting::open(&workshop, id, None, &|record| record.owner == owner, None)?;
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
        let options =
            Place { if_exists, make_parents: true, drops_empty: false, files_only: false };
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

/// What tells a share from others whose uploads count apart: larder's folder on the share root's drive.
///
/// Errors: `Io`.
fn home_of(workshops: &[Arc<OwnedFd>]) -> Result<FileId> {
    let workshop = workshops.first().ok_or(Error::Bug("a share without a root".into()))?;
    look::look_at(&**workshop).map(|stat| look::id_of(&stat)).map_err(super::os)
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
            waiting::clear(workshop, found.id.as_str(), &is_over, plan.hears);
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
mod tests;
