//! Versions of a file: what it replaced, which the trash keeps (decision 0035). They are found by the records there and
//! go along when larder renames the file, or a folder above it.

use super::look;
use super::news::Move;
use super::opened::{OpenFile, open_regular};
use super::path::VaultPath;
use super::resolve::Follow;
use super::restore::NO_SUCH_THING;
use super::share::{Need, Share};
use super::sorted::{self, Order};
use super::trash::{self, Bin, Reason, Record};
use super::trash_id::{TrashId, now_ms};
use super::versions_known::{VersionsKnown, hash_of};
use super::versions_rule::{self, Replaced};
use super::{NOT_THERE, os};
use crate::budget;
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::AsFd as _;
use rustix::fs::FileType;
use std::collections::HashMap;
use std::time::SystemTime;

/// What a file replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What it is called in the trash.
    pub id: TrashId,
    /// Bytes.
    pub size: u64,
    /// When it was replaced.
    pub replaced: SystemTime,
    /// Who did that: the label of the share.
    pub by: String,
}

/// A version in the trash, as its record tells of it.
pub(super) struct Found {
    /// What it is called there.
    pub id: TrashId,
    /// Its record.
    pub record: Record,
    /// Where the file is, or was, whose version it is.
    pub place: VaultPath,
    /// Bytes.
    pub size: u64,
}

impl Found {
    /// When it was replaced, and by whom.
    pub fn replaced(&self) -> Replaced {
        Replaced { ms: self.id.ms(), by: hash_of(&self.record.by) }
    }
}

impl Bin {
    /// Hands out the versions that are there, the latest first, until `take` has enough and says `false`. Remembers
    /// of what there are any.
    pub(super) fn each_version(
        &self,
        known: &VersionsKnown,
        take: &mut dyn FnMut(Found) -> Result<bool>,
    ) -> Result<()> {
        let folder = look::open_to_read(&*self.folder, b".").map_err(os)?;
        let is_wanted =
            |name: &[u8]| TrashId::of_record(name).is_some_and(|id| !id.is_of_deleted());
        let mut is_whole = true;
        sorted::each_sorted(folder.as_fd(), Order::Down, &is_wanted, &mut |name| {
            let Some(id) = TrashId::of_record(name) else { return Ok(true) };
            let Some(found) = self.version(&id)? else { return Ok(true) };
            known.note(&found.place);
            is_whole = take(found)?;
            Ok(is_whole)
        })?;
        if is_whole {
            known.read(look::id_of(&look::look_at(&folder).map_err(os)?));
        }
        Ok(())
    }

    /// The version that an id stands for; `None` when it stands for something else, or nothing.
    fn version(&self, id: &TrashId) -> Result<Option<Found>> {
        let Some((record, place)) = self.record(id)? else { return Ok(None) };
        if record.reason != Reason::Replaced {
            return Ok(None);
        }
        let stat = look::look(&*self.folder, id.as_str().as_bytes()).map_err(os)?;
        let file = stat.filter(|stat| look::type_of(stat) == FileType::RegularFile);
        let id = id.clone();
        Ok(file.map(|stat| Found { id, record, place, size: stat.stx_size }))
    }

    /// Whether there can be versions of what is at one of these places, or below.
    fn may_have_of<'p>(
        &self,
        known: &VersionsKnown,
        mut places: impl Iterator<Item = &'p VaultPath>,
    ) -> bool {
        let stat = look::look_at(&*self.folder);
        let is_read = stat.is_ok_and(|stat| known.has_read(look::id_of(&stat)));
        !is_read || places.any(|place| known.may_have(place))
    }

    /// Gives the versions of what was moved its new name: of things, and of what is in folders.
    ///
    /// Errors: those of the drive; then some stay under the old name.
    fn move_versions(
        &self,
        known: &VersionsKnown,
        moves: &HashMap<&str, &VaultPath>,
    ) -> Result<()> {
        let mut rewritten = Vec::new();
        self.each_version(known, &mut |found| {
            // What was moved onto another file leaves that one behind, whose place this was: who takes the move back
            // finds it there. Only what was made for its place is told in a record as what came into it.
            let is_itself = moves.contains_key(found.place.as_str());
            if is_itself && found.record.incoming.is_none() {
                return Ok(true);
            }
            let Some(to) = moved_to(&found.place, moves) else { return Ok(true) };
            let Some(below) = to.below(&self.top).filter(is_nameable) else { return Ok(true) };
            known.note(&to);
            let path = below.as_str().to_owned();
            rewritten.push((found.id, Record { path, ..found.record }));
            if rewritten.len() >= limits::VERSIONS_MOVED_AT_ONCE {
                trash::rewrite_all(self.folder.as_fd(), &rewritten).map_err(os)?;
                rewritten.clear();
            }
            Ok(true)
        })?;
        trash::rewrite_all(self.folder.as_fd(), &rewritten).map_err(os)
    }
}

/// Whether what was there could be restored.
fn is_nameable(path: &VaultPath) -> bool {
    path.as_str().len() <= limits::PATH_BYTES_MAX && !path.is_root()
}

/// Where something is now, if it was moved, or a folder above it.
fn moved_to(place: &VaultPath, moves: &HashMap<&str, &VaultPath>) -> Option<VaultPath> {
    let mut above = std::iter::successors(Some(place.clone()), VaultPath::parent);
    above.find_map(|from| Some(moves.get(from.as_str())?.join_path(&place.below(&from)?)))
}

impl Share {
    /// What the file at a place replaced, the latest first, as far as it is to be kept.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (no file), `TooSoon`, `StorageAbsent`.
    pub fn versions(&self, path: &VaultPath) -> Result<Vec<Version>> {
        let _seat = budget::house().seat(&self.line)?;
        self.checked(|| {
            let spot = self.locate(path, Need::Read, Follow::Last)?;
            match spot.file_type() {
                Some(FileType::RegularFile) => {}
                Some(_) => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
                None => return Err(NOT_THERE),
            }
            let mut found = Vec::new();
            let known = &self.finder.root.versions;
            let bin = self.bins().into_iter().filter(|bin| spot.path.starts_with(&bin.top));
            let bin = bin.max_by_key(|bin| bin.top.as_str().len());
            if let Some(bin) = bin.filter(|bin| bin.may_have_of(known, [&spot.path].into_iter())) {
                bin.each_version(known, &mut |version| {
                    found.extend(Some(version).filter(|version| version.place == spot.path));
                    Ok(true)
                })?;
            }
            Ok(self.told(found))
        })
    }

    /// These as they are told, without those that are about to go.
    fn told(&self, mut found: Vec<Found>) -> Vec<Version> {
        found.sort_by_key(|version| version.id.ms());
        let replaced: Vec<Replaced> = found.iter().map(Found::replaced).collect();
        let most = self.finder.root.keeping.versions_max();
        let (goes, _) = versions_rule::superfluous(&replaced, now_ms(), most);
        let kept = found.into_iter().zip(goes).rev().filter(|(_, goes)| !goes);
        let told = kept.map(|(Found { id, record, size, .. }, _)| Version {
            replaced: id.time(),
            id,
            size,
            by: record.by,
        });
        told.collect()
    }

    /// Opens a version of a file that may be read, and says where the file is. The id is no way around that: it
    /// counts for what it replaced.
    ///
    /// Errors: `Refused`, `NotFound` (also what was deleted), `StorageAbsent`.
    pub fn open_version(&self, id: &str) -> Result<(VaultPath, OpenFile)> {
        self.checked(|| {
            let id = TrashId::parse(id).ok_or(NO_SUCH_THING)?;
            for bin in self.bins() {
                let Some(found) = bin.version(&id)? else { continue };
                self.ask(&found.place, Need::Read)?;
                let opened = open_regular(&bin.folder, id.as_str().as_bytes()).map_err(os)?;
                return Ok((found.place, opened.ok_or(NO_SUCH_THING)?));
            }
            Err(NO_SUCH_THING)
        })
    }

    /// What was moved on its filesystem, and durably so, takes its versions along. What cannot be written leaves them
    /// under the old name, in the trash like everything: the move itself is not to fail for it.
    pub(super) fn take_versions_along(&self, moves: &[Move]) {
        if moves.is_empty() {
            return;
        }
        let (known, bins) = (&self.finder.root.versions, self.bins());
        for bin in &bins {
            let is_nearer = |other: &Bin, from: &VaultPath| {
                other.top != bin.top
                    && other.top.starts_with(&bin.top)
                    && from.starts_with(&other.top)
            };
            let is_of_bin = |from: &VaultPath| {
                from.starts_with(&bin.top) && !bins.iter().any(|other| is_nearer(other, from))
            };
            let of_bin = moves.iter().filter(|one| is_of_bin(&one.from));
            let of_bin: HashMap<_, _> = of_bin.map(|one| (one.from.as_str(), &one.to)).collect();
            let mut places = moves.iter().map(|one| &one.from);
            if !of_bin.is_empty() && bin.may_have_of(known, &mut places) {
                let _stay_under_the_old_name = bin.move_versions(known, &of_bin);
            }
        }
    }
}
