//! Moving, copying and renaming, of one thing or several: each goes from one place to another, under the same
//! name or a new one. Here it is found out whether that is possible and permitted, before anything is changed;
//! `transfer.rs` does it.
//!
//! What is decided here, because the contract leaves it open:
//!
//! - Everything that can be known is looked for before anything is changed: rights, what is missing, what
//!   is in the way.
//! - A folder that is overwritten is replaced whole, as files are; the two are not mixed. The old one is
//!   in the trash, as replaced files are. A file never replaces a folder, nor a folder a file.
//! - A thing that is moved to where it is stays; copied there, it is overwritten by itself, which changes
//!   nothing.
//!
//! A grant on a folder reaches everything in it, so judging each path once, by its name and by where it
//! really is, judges all that is below; but links lead elsewhere, and are judged one by one (`copy.rs`).

use super::look::{self, FileId};
use super::mounts;
use super::path::VaultPath;
use super::raw_name;
use super::refusals::{is_mount, refuse_overlaps};
use super::resolve::{Follow, Spot, there};
use super::share::{Kind, Need, Share};
use super::twin;
use super::write::IfExists;
use super::{NOT_THERE, into_itself, mounted, os};
use crate::error::{Error, Result, Why};
use rustix::fd::AsFd as _;
use rustix::fs::{FileType, Statx};
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt as _;

/// What happens to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// It goes.
    Move,
    /// It stays.
    Copy,
    /// It is a thing of this kind that only gets another name, on its own filesystem. Its content does not move,
    /// so whoever may not read it may do that, unless it could be read under the new name. Only files replace
    /// anything, and only files, as `rename(2)` has it.
    Rename(Kind),
}

impl TransferKind {
    /// The rights that a source needs.
    pub(super) fn needs(self) -> &'static [Need] {
        match self {
            Self::Move => &[Need::Read, Need::Write],
            Self::Copy => &[Need::Read],
            Self::Rename(_) => &[Need::Write],
        }
    }

    /// Whether the source is gone afterwards.
    pub(super) fn takes_away(self) -> bool {
        self != Self::Copy
    }

    /// Whether only a name changes.
    fn is_rename(self) -> bool {
        matches!(self, Self::Rename(_))
    }

    /// What is said of the root.
    fn refuse_root(self) -> Error {
        Error::invalid(if self.is_rename() {
            "The root can't be renamed"
        } else {
            "The root can't be moved or copied"
        })
    }

    /// What is said of a folder that would come into itself.
    fn refuse_itself(self) -> Error {
        if self.is_rename() {
            Error::invalid("A folder can't be moved into itself")
        } else {
            into_itself()
        }
    }
}

/// What is in the way, whatever it is.
pub(super) const IN_THE_WAY: Error = Error::Collision("Target already exists");

/// What was found possible and permitted.
pub struct Transfer {
    /// Whose it is.
    pub(super) share: Share,
    /// What it does.
    pub(super) kind: TransferKind,
    /// See `IfExists`.
    pub(super) if_exists: IfExists,
    /// The folders that things go into, each once, by the names that were used.
    pub(super) folders: Vec<VaultPath>,
    /// The things.
    pub(super) items: Vec<Item>,
}

/// One of the things.
pub(super) struct Item {
    /// Where it is by the name that was used.
    pub named: VaultPath,
    /// Where it really is.
    pub real: VaultPath,
    /// Where it shall be by the name that was used.
    pub target: VaultPath,
    /// Which of the folders that is in.
    pub into: usize,
    /// Which thing it is.
    pub id: FileId,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether it is there already, so that nothing is to be done.
    pub is_there: bool,
}

/// A folder that things go into.
struct Destination {
    /// Where it is by the name that was used.
    named: VaultPath,
    /// Where it really is.
    real: VaultPath,
    /// Which folder it is.
    id: FileId,
}

impl Share {
    /// Prepares to move or copy things into a folder, under their own names.
    ///
    /// Errors: those of `relocate`.
    pub fn relocate_into(
        &self,
        kind: TransferKind,
        sources: Vec<VaultPath>,
        folder: &VaultPath,
        if_exists: IfExists,
    ) -> Result<Transfer> {
        let pair = |source: VaultPath| {
            let target = folder.join(source.name());
            (source, target)
        };
        self.relocate(kind, sources.into_iter().map(pair).collect(), if_exists)
    }

    /// Looks at everything that is needed for each of these to go from the first place to the second.
    ///
    /// Errors: `Invalid` (the root, a folder into itself or below, things that overlap, something of another kind
    /// or that can't be copied, a name), `Refused` (reading or, if it goes, writing a source; writing a target; a
    /// name that shows what may not be read), `NotFound`, `Collision`, `StorageAbsent`.
    pub fn relocate(
        &self,
        kind: TransferKind,
        pairs: Vec<(VaultPath, VaultPath)>,
        if_exists: IfExists,
    ) -> Result<Transfer> {
        for (source, target) in &pairs {
            if source.is_root() {
                return Err(kind.refuse_root());
            }
            // A rename does not know yet whether the source is a folder, nor whether one is on the way.
            if !kind.is_rename() && target != source && target.starts_with(source) {
                return Err(kind.refuse_itself());
            }
        }
        for (source, target) in &pairs {
            kind.needs().iter().try_for_each(|need| self.ask(source, *need))?;
            self.ask(target, Need::Write)?;
            self.ask_to_show(&[source], &[target], kind == TransferKind::Rename(Kind::Folder))?;
        }
        for (_, target) in &pairs {
            refuse_target(kind, target)?;
        }
        self.checked(|| {
            let (destinations, into) = self.destinations(kind, &pairs)?;
            let mut items = Vec::with_capacity(pairs.len());
            for (pair, into) in pairs.into_iter().zip(into) {
                items.push(self.item(kind, pair, (&destinations[into], into), if_exists)?);
            }
            if kind.takes_away() {
                refuse_overlaps(items.iter().map(|item| &item.real))?;
                refuse_to_follow(&items, &destinations)?;
            }
            self.look_for_collisions(kind, &destinations, &items, if_exists)?;
            let folders = destinations.into_iter().map(|folder| folder.named).collect();
            Ok(Transfer { share: self.clone(), kind, if_exists, folders, items })
        })
    }

    /// Finds the folders that things go into, and for each thing which of them.
    fn destinations(
        &self,
        kind: TransferKind,
        pairs: &[(VaultPath, VaultPath)],
    ) -> Result<(Vec<Destination>, Vec<usize>)> {
        let mut destinations = Vec::new();
        let mut known = HashMap::new();
        let mut into = Vec::with_capacity(pairs.len());
        for (_, target) in pairs {
            let named = target.parent().unwrap_or_default();
            let number = known.get(&named).copied().unwrap_or(destinations.len());
            if number == destinations.len() {
                destinations.push(self.destination(kind, &named, target.name())?);
                known.insert(named, number);
            }
            self.ask(&destinations[number].real.join(target.name()), Need::Write)?;
            into.push(number);
        }
        Ok((destinations, into))
    }

    /// Finds a folder that something goes into. Whoever may not write there does not learn what it is.
    fn destination(
        &self,
        kind: TransferKind,
        named: &VaultPath,
        name: &str,
    ) -> Result<Destination> {
        let spot = self.finder.locate(named, Follow::Last)?;
        self.ask(&spot.path.join(name), Need::Write)?;
        match spot.file_type() {
            Some(FileType::Directory) => {}
            Some(_) if !kind.is_rename() => {
                return Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder"));
            }
            _ => return Err(NOT_THERE),
        }
        let id = look::id_of(there(&spot)?);
        Ok(Destination { named: named.clone(), real: spot.path, id })
    }

    /// Finds one source and judges it, and whether it may go there.
    fn item(
        &self,
        kind: TransferKind,
        (named, target): (VaultPath, VaultPath),
        (destination, into): (&Destination, usize),
        if_exists: IfExists,
    ) -> Result<Item> {
        let spot = self.locate_itself(&named, kind.needs())?;
        if let TransferKind::Rename(kind) = kind {
            self.must_be(&spot, &named, kind)?;
            let end = destination.real.join(target.name());
            self.ask_to_show(&[&spot.path], &[&target, &end], kind == Kind::Folder)?;
            self.ask_to_show(&[&named], &[&end], kind == Kind::Folder)?;
        }
        if spot.is_folder() && self.finder.is_within(&destination.real, &spot) {
            return Err(kind.refuse_itself());
        }
        let stat = there(&spot)?;
        refuse_kind(kind, stat)?;
        if kind.takes_away() {
            self.may_go(&spot.path)?;
        }
        self.may_go(&destination.real.join(target.name()))?;
        let (id, is_folder) = (look::id_of(stat), spot.is_folder());
        let around = look::id_of(&look::look_at(&*spot.folder).map_err(os)?);
        let is_there = destination.id == around
            && spot.name == target.name_on_disk()
            && (kind.takes_away() || if_exists == IfExists::Overwrite)
            && !matches!(if_exists, IfExists::Error(_));
        Ok(Item { named, real: spot.path, target, into, id, is_folder, is_there })
    }

    /// Finds what is in the way, as far as that can be known before.
    fn look_for_collisions(
        &self,
        kind: TransferKind,
        destinations: &[Destination],
        items: &[Item],
        if_exists: IfExists,
    ) -> Result<()> {
        let sources: HashSet<&VaultPath> = items.iter().map(|item| &item.real).collect();
        let mut names = HashSet::with_capacity(items.len());
        for item in items {
            // Two things of one name cannot both be there.
            if !names.insert((item.into, item.target.name())) && if_exists != IfExists::Rename {
                return Err(IN_THE_WAY);
            }
            if item.is_there {
                continue;
            }
            let is_new_name = item.target.name() != item.named.name();
            if if_exists == IfExists::Rename {
                if is_new_name {
                    raw_name::must_be_text(&item.target.name_on_disk())?;
                }
                continue;
            }
            let place = destinations[item.into].real.join(item.target.name());
            let target = self.finder.locate(&place, Follow::NotLast)?;
            let Some(old) = &target.stat else {
                if is_new_name {
                    raw_name::must_be_text(&target.name)?;
                }
                continue;
            };
            let source = self.source(item, &[])?;
            // A drive that ignores case finds the source under the new name as well.
            if kind.takes_away() && items.len() == 1 && twin::is_same_entry(&source, &target) {
                continue;
            }
            if let IfExists::Error(sentence) = if_exists {
                return Err(Error::Collision(sentence));
            }
            self.may_replace(kind, (&target, old), there(&source)?)?;
            // Replacing a folder would take away what is in it.
            let is_in_it = |item: &Item| item.real.starts_with(&target.path);
            if sources.contains(&target.path) || target.is_folder() && items.iter().any(is_in_it) {
                return Err(IN_THE_WAY);
            }
        }
        Ok(())
    }

    /// Whether what is at a place may be replaced by `new`.
    pub(super) fn may_replace(
        &self,
        kind: TransferKind,
        (target, old): (&Spot, &Statx),
        new: &Statx,
    ) -> Result<()> {
        let is_file = |stat| look::type_of(stat) == FileType::RegularFile;
        // Two names of one file: `rename(2)` would keep both.
        let is_one = look::id_of(old) == look::id_of(new);
        if kind.is_rename() && (is_one || !is_file(old) || !is_file(new)) {
            return Err(IN_THE_WAY);
        }
        let is_folder = look::type_of(new) == FileType::Directory;
        if target.is_folder() != is_folder {
            return Err(IN_THE_WAY);
        }
        if is_folder {
            let place = look::open_place(&target.folder, target.name.as_bytes()).map_err(os)?;
            if is_mount(target)? || !mounts::mounts_below(place.as_fd()).is_empty() {
                return Err(mounted());
            }
        } else if !is_file(old) && !target.is_link() {
            return Err(IN_THE_WAY);
        }
        // A link is judged by where it leads, too.
        if target.is_link() {
            self.locate_itself(&target.path, &[Need::Write])?;
        }
        Ok(())
    }

    /// Finds a source again.
    ///
    /// Errors: `NotFound` when it is another one by now.
    pub(super) fn source(&self, item: &Item, needs: &[Need]) -> Result<Spot> {
        let mut spot = self.locate_itself(&item.real, needs)?;
        if spot.path != item.real || look::id_of(there(&spot)?) != item.id {
            return Err(NOT_THERE);
        }
        spot.folder = self.finder.shared(spot.folder).map_err(os)?;
        Ok(spot)
    }
}

/// No thing can be where the root is, or where larder keeps its own.
fn refuse_target(kind: TransferKind, target: &VaultPath) -> Result<()> {
    if target.is_root() {
        return Err(IN_THE_WAY);
    }
    if target.is_reserved() {
        return Err(if kind.is_rename() {
            Error::invalid_as(Why::Name, "Invalid name")
        } else {
            NOT_THERE
        });
    }
    Ok(())
}

/// Nothing goes into a folder that goes away itself.
fn refuse_to_follow(items: &[Item], destinations: &[Destination]) -> Result<()> {
    if destinations.len() == 1 {
        return Ok(());
    }
    let going: HashSet<&VaultPath> = items.iter().map(|item| &item.real).collect();
    let goes = |folder: &Destination| {
        std::iter::successors(Some(folder.real.clone()), VaultPath::parent)
            .any(|above| going.contains(&above))
    };
    if destinations.iter().any(goes) {
        return Err(Error::invalid("The paths overlap"));
    }
    Ok(())
}

/// Whether such a thing can be copied; anything can be renamed.
fn refuse_kind(kind: TransferKind, stat: &Statx) -> Result<()> {
    match (kind, look::type_of(stat)) {
        (TransferKind::Copy, FileType::RegularFile | FileType::Directory | FileType::Symlink) => {
            Ok(())
        }
        (TransferKind::Copy, _) => Err(Error::invalid("Path is neither a file nor a folder")),
        _ => Ok(()),
    }
}
