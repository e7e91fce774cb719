//! The keeper of the trash, who removes the versions that are not to be kept.

use super::keeping::Keeping;
use super::look;
use super::os;
use super::sorted::{self, Order};
use super::trash::{self, Bin};
use super::trash_id::{TrashId, now_ms};
use super::versions_known::{VersionsKnown, hash_of};
use super::versions_rule::{Replaced, superfluous};
use crate::error::Result;
use crate::limits;
use rustix::fd::AsFd as _;
use std::collections::HashSet;

/// What is noted of one version while all are looked through.
struct Seen {
    /// A number that stands for the file.
    place: u64,
    /// When, and by whom.
    replaced: Replaced,
    /// A number that stands for its id.
    id: u64,
}

/// Removes from one trash the versions that are not to be kept. Returns how many went, and when the next may have to
/// (milliseconds since 1970).
///
/// A file is a number here, so that the memory is bounded: where there are too many versions for it, they are looked
/// through in several goes, each of some files.
pub(super) fn thin(bin: &Bin, known: &VersionsKnown, keeping: &Keeping) -> Result<(u64, u64)> {
    let (mut removed, mut next_ms) = (0, u64::MAX);
    let (mut goes, mut go) = (1, 0);
    while go < goes {
        let mut seen = Vec::new();
        let mut is_too_much = false;
        bin.each_version(known, &mut |found| {
            let place = hash_of(found.place.as_str());
            if place % goes != go {
                return Ok(true);
            }
            // All of one file come in one go, however many they are.
            is_too_much =
                seen.len() >= limits::VERSIONS_SEEN_MAX && goes < limits::VERSIONS_GOES_MAX;
            seen.push(Seen { place, replaced: found.replaced(), id: hash_of(found.id.as_str()) });
            Ok(!is_too_much)
        })?;
        if is_too_much {
            (goes, go) = (goes * 2, 0);
            continue;
        }
        go += 1;
        let (doomed, next_of_these) = doomed_of(seen, keeping.versions_max());
        next_ms = next_ms.min(next_of_these);
        if !doomed.is_empty() {
            removed += remove(bin, &doomed)?;
        }
    }
    Ok((removed, next_ms))
}

/// The numbers of those that are to go, and when the next may be.
fn doomed_of(mut seen: Vec<Seen>, most: usize) -> (HashSet<u64>, u64) {
    seen.sort_unstable_by_key(|one| (one.place, one.replaced.ms, one.id));
    let (mut doomed, mut next_ms) = (HashSet::new(), u64::MAX);
    for of_one in seen.chunk_by(|one, other| one.place == other.place) {
        let replaced: Vec<Replaced> = of_one.iter().map(|one| one.replaced).collect();
        let (goes, next) = superfluous(&replaced, now_ms(), most);
        next_ms = next_ms.min(next);
        doomed.extend(of_one.iter().zip(goes).filter(|(_, goes)| *goes).map(|(one, _)| one.id));
    }
    (doomed, next_ms)
}

/// Removes those whose ids have these numbers. Returns how many went.
fn remove(bin: &Bin, doomed: &HashSet<u64>) -> Result<u64> {
    let folder = look::open_to_read(&*bin.folder, b".").map_err(os)?;
    let mut removed = 0;
    let is_wanted = |name: &[u8]| {
        TrashId::of_record(name).is_some_and(|id| doomed.contains(&hash_of(id.as_str())))
    };
    sorted::each_sorted(folder.as_fd(), Order::Up, &is_wanted, &mut |name| {
        if let Some(id) = TrashId::of_record(name) {
            removed += u64::from(trash::is_gone(folder.as_fd(), &id));
        }
        Ok(true)
    })?;
    Ok(removed)
}
