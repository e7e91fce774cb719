//! The same thing under two names: on drives that ignore case, and where one folder is mounted in two places.
//! What tells is which file it is; but filesystems in user space number the same entry anew for each way of
//! writing its name, so there the folder's own list of names tells. Knows no grants.

use super::look;
use super::path::VaultPath;
use super::raw_name;
use super::resolve::{Finder, Follow, Spot};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Whether two names would be one where case is ignored.
fn folds_alike(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether `new` is only another way to write `old` on that drive: it is found, and no entry of the folder is
/// called so.
pub fn is_same_entry(old: &Spot, new: &Spot) -> bool {
    let (Some(one), Some(other)) = (&old.stat, &new.stat) else { return false };
    let is_one_folder = old.path.parent() == new.path.parent();
    let is_alike =
        look::id_of(one) == look::id_of(other) || folds_alike(old.path.name(), new.path.name());
    is_one_folder && is_alike && old.name != new.name && !lists(&new.folder, new.name.as_bytes())
}

/// Whether a place is `name` in `folder`, written another way.
pub fn is_respelled(folder: &OwnedFd, name: &OsStr, spot: &Spot) -> bool {
    let id = |folder: &OwnedFd| look::look_at(folder).ok().map(|stat| look::id_of(&stat));
    name != spot.name
        && folds_alike(&raw_name::tell(name.as_bytes()), spot.path.name())
        && id(folder) == id(&spot.folder)
        && !lists(&spot.folder, spot.name.as_bytes())
}

/// Whether an entry of the folder is called exactly so; a folder that cannot be read has every name.
pub fn lists(folder: &OwnedFd, name: &[u8]) -> bool {
    let Ok(folder) = look::open_to_read(folder, b".") else { return true };
    let not_found = look::each_name(folder.as_fd(), |_| (), &mut |entry| {
        if entry == name { Err(()) } else { Ok(()) }
    });
    not_found.is_err()
}

impl Finder {
    /// Whether the folder at `place` is the one at `top` or lies in it, by whatever names. Both are true
    /// paths (no links).
    pub fn is_within(&self, place: &VaultPath, top: &Spot) -> bool {
        let Some(stat) = &top.stat else { return false };
        let id = look::id_of(stat);
        let is_top = |above: &VaultPath| {
            let spot = self.locate(above, Follow::NotLast).ok();
            spot.and_then(|spot| spot.stat).is_some_and(|stat| look::id_of(&stat) == id)
        };
        place.starts_with(&top.path)
            || std::iter::successors(Some(place.clone()), VaultPath::parent)
                .any(|above| is_top(&above))
            || self.is_within_but_for_case(place, top)
    }

    /// The same where only the case of the names differs, and the drive does not care.
    fn is_within_but_for_case(&self, place: &VaultPath, top: &Spot) -> bool {
        let mut above = VaultPath::root();
        let mut names = place.components();
        for wanted in top.path.components() {
            let Some(name) = names.next() else { return false };
            if !folds_alike(wanted, name) {
                return false;
            }
            let both = [name, wanted].map(|name| {
                self.locate(&above.join(name), Follow::NotLast).map_err(|_| Errno::NOENT)
            });
            let [Ok(one), Ok(other)] = both else { return false };
            if name != wanted && !is_same_entry(&one, &other) && !is_same_entry(&other, &one) {
                return false;
            }
            above = above.join(wanted);
        }
        true
    }
}
