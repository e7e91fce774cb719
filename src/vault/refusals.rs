//! What several things that go somewhere together must not be.

use super::look;
use super::mounts;
use super::path::VaultPath;
use super::resolve::{Spot, there};
use super::{mounted, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd as _, OwnedFd};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;

/// Whether a drive is mounted at a place.
pub(super) fn is_mount(spot: &Spot) -> Result<bool> {
    let around = look::filesystem_of(&look::look_at(&*spot.folder).map_err(os)?);
    Ok(spot.is_folder() && look::filesystem_of(there(spot)?) != around)
}

/// A drive cannot be moved to another.
pub(super) fn refuse_mounts(source: &Spot) -> Result<()> {
    if !source.is_folder() {
        return Ok(());
    }
    let place = look::open_place(&source.folder, source.name.as_bytes()).map_err(os)?;
    if is_mount(source)? || !mounts::mounts_below(place.as_fd()).is_empty() {
        return Err(mounted());
    }
    Ok(())
}

/// Nothing can be moved twice, nor out of a folder that has been moved.
pub(super) fn refuse_overlaps<'a>(paths: impl Iterator<Item = &'a VaultPath>) -> Result<()> {
    let mut sorted: Vec<&VaultPath> = paths.collect();
    let all: HashSet<&VaultPath> = sorted.iter().copied().collect();
    sorted.sort();
    let is_twice = sorted.windows(2).any(|pair| pair[0] == pair[1]);
    let is_inside = |path: &VaultPath| {
        std::iter::successors(path.parent(), VaultPath::parent).any(|above| all.contains(&above))
    };
    if is_twice || sorted.into_iter().any(is_inside) {
        return Err(Error::invalid("The paths overlap"));
    }
    Ok(())
}

/// One of many folders that are held open together must leave descriptors to others.
///
/// Errors: `Invalid`.
pub(super) fn refuse_crowds(paths: usize, newest: &OwnedFd) -> Result<()> {
    if paths > limits::FEW_FILES && !look::leaves_descriptors(newest) {
        return Err(Error::invalid_as(Why::TooMany, "Too many paths"));
    }
    Ok(())
}
