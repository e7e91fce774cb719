//! Uploads that wait to be gone on with, in larder's hidden folder on the drive where they are going: found, taken
//! up, dropped, and swept when nobody came.

use super::hidden::{self, TEMPORARY};
use super::lease::{self, Ask, Lease};
use super::opening::Opening;
use super::spool::{BLOCK_BYTES, Spool};
use super::upload::{PARTS, Upload, parts_beside};
use super::upload_record::{self, Here, Record, UploadId};
use super::{discard, look, os, tending};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

/// One that waits.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What it is called.
    pub id: UploadId,
    /// What is written down of it.
    pub record: Record,
    /// Bytes of it that count.
    pub offset: u64,
    /// When the last of them came.
    pub last: SystemTime,
}

impl Found {
    /// When it goes if nothing more comes; `None` for never, as far as clocks tell.
    pub fn expires(&self) -> Option<SystemTime> {
        self.last.checked_add(self.record.kept(self.offset))
    }

    /// Whether it has waited long enough. A clock that was wrong does not count against it.
    fn is_expired(&self) -> bool {
        self.expires().is_some_and(|expires| expires < SystemTime::now())
    }
}

/// Looks at one upload; `None` when there is none, as far as anybody may still go on with it.
///
/// Errors: `Io`.
pub(super) fn look_at(parts: BorrowedFd<'_>, id: &UploadId) -> Result<Option<Found>> {
    let found = weigh(parts, id)?;
    Ok(found.filter(|found| !found.is_expired() || lease::is_in_work(id)))
}

/// The same, expired or not.
fn weigh(parts: BorrowedFd<'_>, id: &UploadId) -> Result<Option<Found>> {
    let mut stat = look::look(parts, id.as_str().as_bytes()).map_err(os)?;
    if let Some(twice) = stat.filter(|stat| stat.stx_nlink > 1) {
        free(parts, &twice)?;
        // Also if there was no other name to be taken away: somebody else may just have done it.
        stat = look::look(parts, id.as_str().as_bytes()).map_err(os)?;
    }
    // Bytes with a second name have got their place, or are just getting it.
    let is_waiting =
        |stat: &Statx| look::type_of(stat) == FileType::RegularFile && stat.stx_nlink <= 1;
    let Some(stat) = stat.filter(is_waiting) else { return Ok(None) };
    let Some(record) = upload_record::read(parts, id)? else { return Ok(None) };
    let offset = record.trusted(stat.stx_size, &Here::of(parts)?);
    let last = record.last(look::modified_of(&stat));
    Ok(Some(Found { id: id.clone(), record, offset, last }))
}

/// Takes a second name from bytes that were on the way to their place when larder was killed, as the sweep does
/// later: whoever asks before it must not be told that there is nothing.
fn free(parts: BorrowedFd<'_>, bytes: &Statx) -> Result<()> {
    let Ok(workshop) = look::open_to_read(parts, format!("../{TEMPORARY}").as_bytes()) else {
        return Ok(());
    };
    let mut second = None;
    look::each_name(workshop.as_fd(), os, &mut |name| {
        let is_same = |stat: Statx| look::id_of(&stat) == look::id_of(bytes);
        let left = std::str::from_utf8(name).ok().filter(|name| !hidden::is_in_work(name));
        if left.is_some() && look::look(&workshop, name).ok().flatten().is_some_and(is_same) {
            second = left.map(str::to_owned);
        }
        Ok(())
    })?;
    if let Some(second) = second {
        hidden::unlink(workshop.as_fd(), &second);
    }
    Ok(())
}

/// The ids of the uploads in the folder where they wait, open for reading, that begin so.
fn ids(parts: BorrowedFd<'_>, prefix: &str) -> Result<BTreeSet<UploadId>> {
    let mut ids = BTreeSet::new();
    look::each_name(parts, os, &mut |name| {
        if let Some(id) = UploadId::of_name(name).filter(|id| id.as_str().starts_with(prefix)) {
            ids.insert(id);
        }
        Ok(())
    })?;
    Ok(ids)
}

/// The uploads beside a workshop whose ids begin so and whose records are of this kind, the last one first.
///
/// Errors: `Io`.
pub(super) fn find(
    workshop: &OwnedFd,
    prefix: &str,
    is_it: &dyn Fn(&Record) -> bool,
) -> Result<Vec<Found>> {
    let Some(parts) = parts_beside(workshop)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for id in ids(parts.as_fd(), prefix)? {
        all.extend(look_at(parts.as_fd(), &id)?.filter(|found| is_it(&found.record)));
    }
    all.sort_by_key(|found| std::cmp::Reverse(found.last));
    Ok(all)
}

/// The ids of the uploads beside a workshop that are bound to no place.
///
/// Errors: `Io`.
pub(super) fn free_ids(workshop: &OwnedFd) -> Result<Vec<UploadId>> {
    let Some(parts) = parts_beside(workshop)? else { return Ok(Vec::new()) };
    Ok(ids(parts.as_fd(), "")?.into_iter().filter(|id| !id.is_bound()).collect())
}

/// Bytes that the uploads beside a workshop still lack and that no filesystem has set aside for them.
///
/// Errors: `Io`.
pub(super) fn lacking(workshop: &OwnedFd) -> Result<u64> {
    let Some(parts) = parts_beside(workshop)? else { return Ok(0) };
    let mut sum: u64 = 0;
    for id in ids(parts.as_fd(), "")?.into_iter().filter(|id| !id.is_of_crowds()) {
        let Some(found) = look_at(parts.as_fd(), &id)? else { continue };
        let stat = look::look(&parts, id.as_str().as_bytes()).map_err(os)?;
        let there =
            stat.map_or(0, |stat| stat.stx_size.max(stat.stx_blocks.saturating_mul(BLOCK_BYTES)));
        sum = sum.saturating_add(found.record.length.unwrap_or(0).saturating_sub(there));
    }
    Ok(sum)
}

/// Takes up an upload beside a workshop, cut to its first `offset` bytes, or as it is; whoever worked on it does so
/// no more. `None` when there is none of this kind, or less of it.
///
/// Errors: `Conflict` (somebody else has taken it over again), `DiskFull`, `Io`.
pub(super) fn open(
    workshop: &OwnedFd,
    id: &UploadId,
    offset: Option<u64>,
    is_it: &dyn Fn(&Record) -> bool,
    ask: Option<Ask>,
) -> Result<Option<Upload>> {
    let Some(parts) = parts_beside(workshop)? else { return Ok(None) };
    let is_good =
        |found: &Found| is_it(&found.record) && offset.is_none_or(|offset| offset <= found.offset);
    // Nobody is sent away for what cannot be gone on with. What is not there may be getting its place, or coming back
    // from that: it is looked at again when that is over.
    if look_at(parts.as_fd(), id)?.is_some_and(|found| !is_good(&found)) {
        return Ok(None);
    }
    let lease = Lease::take_and_ask_by(id, ask);
    let parts = Arc::new(parts);
    // Whoever takes it over meanwhile must not lose what they have added to what is cut off here.
    let taken = lease.hold().work(|| take_up(&parts, id, offset, &is_good))?;
    Ok(taken.map(|(spool, record, last)| {
        Upload::again(spool, (id.clone(), record, last), (lease, parts))
    }))
}

/// The bytes of an upload that is good, ready to be gone on with, its record, and when the last of them came.
fn take_up(
    parts: &Arc<OwnedFd>,
    id: &UploadId,
    offset: Option<u64>,
    is_good: &dyn Fn(&Found) -> bool,
) -> Result<Option<(Spool, Record, SystemTime)>> {
    // Whoever worked on it may have ended it meanwhile.
    let Some(found) = weigh(parts.as_fd(), id)?.filter(is_good) else { return Ok(None) };
    let mut record = found.record;
    let offset = offset.unwrap_or(found.offset);
    if record.offset > offset {
        // What is durable now will be written over.
        record.offset = offset;
        upload_record::put(parts.as_fd(), id, &record, true)?;
    }
    let spool = Spool::reopened(Arc::clone(parts), id.as_str(), offset)?;
    let here = Here::of(&**parts)?;
    if record.here != here {
        // Only now, as there is nothing behind the offset any more, its size can be believed.
        record.here = here;
        upload_record::put(parts.as_fd(), id, &record, true)?;
    }
    // Guests take room with what they bring, not with what they say that they will.
    if let Some(length) = record.length.filter(|_| !id.is_of_crowds()) {
        // Where there is none any more, that is found out byte by byte.
        let _as_far_as_it_goes = spool.reserve(length);
    }
    Ok(Some((spool, record, found.last)))
}

/// Removes those beside a workshop whose ids begin so and that are chosen, but none that is worked on; says how many
/// went, and `hears` the length of each. What has no record, or no bytes, is chosen.
pub(super) fn clear(
    workshop: &OwnedFd,
    prefix: &str,
    is_chosen: &dyn Fn(&Found) -> bool,
    hears: &dyn Fn(u64),
) -> usize {
    let Ok(Some(parts)) = parts_beside(workshop) else { return 0 };
    let all = ids(parts.as_fd(), prefix).unwrap_or_default();
    let is_gone = |id: &&UploadId| {
        let length = Cell::new(None);
        let is_gone = remove_idle(parts.as_fd(), id, &|found| {
            length.set(found.record.length);
            is_chosen(found)
        });
        if let Some(length) = length.get().filter(|_| is_gone) {
            hears(length);
        }
        is_gone
    };
    all.iter().filter(is_gone).count()
}

/// Removes one if nobody works on it and it is chosen, or nobody can go on with it; whether it did. Nobody takes it up
/// between the look and the removal.
fn remove_idle(parts: BorrowedFd<'_>, id: &UploadId, is_chosen: &dyn Fn(&Found) -> bool) -> bool {
    let Some(lease) = Lease::take_idle(id) else { return false };
    let removed = lease.hold().work(|| {
        let is_chosen = weigh(parts, id)?.is_none_or(|found| is_chosen(&found));
        // Somebody else may just have done it.
        Ok(is_chosen && upload_record::remove(parts, id))
    });
    // What cannot be looked at now may be there again.
    removed.unwrap_or(false)
}

/// Looks whether `opening` may be begun, when those that waited too long have gone: those that are open and those that
/// came before it are counted. Somebody of a crowd is where `network` says. Crowds take nothing from all others: who is
/// of none is counted without them. `hears` is told the length of each that makes way.
///
/// Errors: `TooSoon`.
pub(super) fn refuse_too_many(
    workshops: &[Arc<OwnedFd>],
    (owner, network): (&str, Option<&str>),
    opening: &Opening,
    hears: &dyn Fn(u64),
) -> Result<()> {
    let open = || -> BTreeSet<UploadId> {
        workshops.iter().flat_map(|workshop| free_ids(workshop).unwrap_or_default()).collect()
    };
    // Asked first: what is none of these any more by then is on the drive.
    let mut all: BTreeSet<UploadId> = opening.before().into_iter().collect();
    let mut waiting = open();
    if are_too_many(&waiting, owner, network) {
        let own = upload_record::prefix(None, owner);
        for workshop in workshops {
            let Ok(home) = look::open_place(&**workshop, b"..") else { continue };
            prune(home.as_fd(), limits::PARTS_MAX, None);
            // Nobody was told what these are called: who began them has begun them again.
            clear(workshop, &own, &|found| found.record.is_untold, hears);
        }
        waiting = open();
        if are_too_many(&waiting, owner, network) {
            return Err(Error::TooSoon { retry_after_s: limits::UPLOADS_RETRY_S });
        }
    }
    all.append(&mut waiting);
    if are_too_many(&all, owner, network) {
        return Err(Error::TooSoon { retry_after_s: limits::UPLOADS_UNDER_WAY_RETRY_S });
    }
    Ok(())
}

/// Whether beside these no more may be begun.
fn are_too_many(ids: &BTreeSet<UploadId>, owner: &str, network: Option<&str>) -> bool {
    let count = |is_it: &dyn Fn(&UploadId) -> bool| ids.iter().filter(|id| is_it(id)).count();
    let Some(crowd) = upload_record::crowd_of(owner) else {
        return count(&|id| !id.is_of_crowds()) >= limits::UPLOADS_MAX
            || count(&|id| id.is_of(owner)) >= limits::UPLOADS_PER_OWNER_MAX;
    };
    // Who is told from nobody is told by where they are alone.
    let is_told = owner != crowd;
    count(&UploadId::is_of_crowds) >= limits::UPLOADS_OF_CROWDS_MAX
        || count(&|id| id.is_of_crowd(crowd)) >= limits::UPLOADS_PER_OWNER_MAX
        || (is_told && count(&|id| id.is_of(owner)) >= limits::UPLOADS_PER_GUEST_MAX)
        || network.is_some_and(|network| {
            count(&|id| id.is_from(network)) >= limits::UPLOADS_PER_GUEST_MAX
        })
}

/// Removes from larder's hidden folder `home` of one filesystem all uploads of somebody, or of a whole crowd, that are
/// bound to no place, also while they are worked on. Returns how many.
pub(super) fn drop_all_of(home: BorrowedFd<'_>, owner: &str) -> u64 {
    let Ok(parts) = look::open_to_read(home, PARTS.as_bytes()) else { return 0 };
    let is_crowd = owner.ends_with(upload_record::CROWD_END);
    let prefix = if is_crowd {
        upload_record::crowd_prefix(owner)
    } else {
        upload_record::prefix(None, owner)
    };
    let is_theirs =
        |record: Record| record.owner == owner || (is_crowd && record.owner.starts_with(owner));
    let all = ids(parts.as_fd(), &prefix).unwrap_or_default();
    let mut removed = 0;
    for id in all.into_iter().filter(|id| !id.is_bound()) {
        let lease = Lease::take(&id);
        let record = upload_record::read(parts.as_fd(), &id);
        if record.is_ok_and(|record| record.is_none_or(is_theirs)) {
            removed += u64::from(upload_record::remove(parts.as_fd(), &id));
        }
        drop(lease);
    }
    removed
}

/// Whose uploads wait, as the vault asks them.
pub trait UploadOwners {
    /// Whether somebody, or a crowd, is not there any more.
    fn is_gone(&self, owner: &str) -> bool;

    /// An upload of somebody's of a crowd, of so many bytes, has waited long enough and goes when this returns. After a
    /// crash this may be heard again of the same one.
    ///
    /// Errors: any; then it goes another time.
    fn expires(&self, owner: &str, id: &UploadId, length: u64) -> Result<()>;

    /// It has gone, and nothing more is heard of it.
    fn removed(&self, id: &UploadId);
}

/// Whether one that waited too long may go: of a crowd's its owners hear first.
fn may_go(found: &Found, owners: Option<&dyn UploadOwners>) -> Result<bool> {
    if !found.id.is_of_crowds() {
        return Ok(true);
    }
    let Some(owners) = owners else { return Ok(false) };
    let length = found.record.length.unwrap_or_default();
    owners.expires(&found.record.owner, &found.id, length).map(|()| true)
}

/// Removes from larder's hidden folder `home` of one filesystem what nobody can go on with: uploads that waited too
/// long, those bound to a place that are the oldest beyond `bound_max`, bytes without a record, records without
/// bytes, and the parts of the version before, which had no records. Never what is worked on. What a crowd's waited too
/// long goes only where its `owners` hear of it: they may count it. Returns how many.
pub(super) fn prune(
    home: BorrowedFd<'_>,
    bound_max: usize,
    owners: Option<&dyn UploadOwners>,
) -> u64 {
    let Ok(parts) = look::open_to_read(home, PARTS.as_bytes()) else { return 0 };
    let mut kept: BTreeSet<&UploadId> = BTreeSet::new();
    let mut bound: Vec<(SystemTime, &UploadId)> = Vec::new();
    let all = ids(parts.as_fd(), "").unwrap_or_default();
    for id in &all {
        let weighed = weigh(parts.as_fd(), id);
        if let Some(one) = weighed.as_ref().ok().and_then(Option::as_ref)
            && (!one.is_expired() || (id.is_of_crowds() && owners.is_none()))
        {
            let owner = Some(&*one.record.owner).filter(|_| !id.is_bound());
            tending::note(owner, one.expires());
            upload_record::note_open(id);
        }
        match weighed {
            // What cannot be looked at now may be there again.
            Err(_) => _ = kept.insert(id),
            _ if lease::is_in_work(id) => _ = kept.insert(id),
            Ok(Some(one)) if !one.is_expired() && id.is_bound() => bound.push((one.last, id)),
            Ok(Some(one)) if !one.is_expired() => _ = kept.insert(id),
            Ok(_) => {}
        }
    }
    bound.sort_by_key(|(last, _)| std::cmp::Reverse(*last));
    kept.extend(bound.into_iter().take(bound_max).map(|(_, id)| id));
    // What came while this looked was not looked at.
    let over = all.iter().filter(|id| !kept.contains(*id));
    let is_over = |found: &Found| {
        found.id.is_bound() || (found.is_expired() && may_go(found, owners).unwrap_or(false))
    };
    let removed = over.filter(|id| {
        let is_removed = remove_idle(parts.as_fd(), id, &is_over);
        if let Some(owners) = owners.filter(|_| is_removed && id.is_of_crowds()) {
            owners.removed(id);
        }
        is_removed
    });
    let removed = removed.count();
    let is_strange = |name: &[u8]| UploadId::of_name(name).is_none();
    removed as u64 + discard::clear(parts.as_fd(), &is_strange)
}
