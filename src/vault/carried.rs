//! Larder's own extended attributes (`user.larder.*`), which a new content takes over from the old and a copy
//! from its source, where both filesystems have them. Nobody else's go along: they may say something of the
//! old content alone (a checksum, where it was downloaded, what may run it).

use super::opened::open_regular;
use super::os;
use crate::error::Result;
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;

/// What the names of larder's own begin with.
const OURS: &[u8] = b"user.larder.";

/// Attributes that are to go along: names with their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Carried(Vec<(CString, Vec<u8>)>);

/// Whether a failure says that there is nothing to be had, or no room for it: a content is worth more than
/// what was noted about it.
fn is_no_loss(errno: Errno) -> bool {
    matches!(
        errno,
        // There are none on such a filesystem, or no more, or not for us.
        Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::INVAL
            | Errno::NODATA
            | Errno::ACCESS
            | Errno::PERM
            // There is no room: ext4 has one block for all attributes of a file.
            | Errno::NOSPC
            | Errno::DQUOT
            | Errno::TOOBIG
            | Errno::RANGE
    )
}

/// A result in which some failures are none.
fn lenient<T: Default>(result: rustix::io::Result<T>) -> Result<T> {
    match result {
        Err(errno) if is_no_loss(errno) => Ok(T::default()),
        result => result.map_err(os),
    }
}

/// Those of the file at a name; none where it cannot be opened.
///
/// Errors: `Io`.
pub(super) fn of(folder: &OwnedFd, name: &OsStr) -> Result<Carried> {
    match open_regular(folder, name.as_bytes()) {
        Ok(Some(opened)) => of_open(&opened.file),
        Ok(None) | Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(Carried::default()),
        Err(errno) => lenient(Err(errno)),
    }
}

/// Those of an open file or folder.
///
/// Errors: `Io`.
pub(super) fn of_open(handle: impl AsFd) -> Result<Carried> {
    // Most files have none or few.
    let mut names = vec![0_u8; limits::CARRIED_NAMES_BYTES];
    let mut listed = rustix::fs::flistxattr(&handle, &mut names[..]);
    if listed == Err(Errno::RANGE) {
        names.resize(limits::CARRIED_NAMES_BYTES_MAX, 0);
        listed = rustix::fs::flistxattr(&handle, &mut names[..]);
    }
    names.truncate(lenient(listed)?);
    let ours = names.split(|byte| *byte == 0).filter(|name| name.starts_with(OURS));
    let (mut carried, mut left) = (Vec::new(), limits::CARRIED_BYTES_MAX);
    for name in ours.take(limits::CARRIED_ATTRIBUTES_MAX) {
        let Ok(name) = CString::new(name) else { continue };
        let mut value = vec![0_u8; left];
        // What does not fit into what is left stays behind.
        match rustix::fs::fgetxattr(&handle, &name, &mut value[..]) {
            Err(errno) if is_no_loss(errno) => {}
            read => {
                value.truncate(read.map_err(os)?);
                left -= value.len();
                carried.push((name, value));
            }
        }
    }
    Ok(Carried(carried))
}

impl Carried {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives them to an open file or folder, as far as it takes them.
    ///
    /// Errors: `Io`.
    pub fn give(&self, handle: impl AsFd) -> Result<()> {
        self.0.iter().try_for_each(|(name, value)| {
            lenient(rustix::fs::fsetxattr(&handle, name, value, XattrFlags::empty()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::root::Quirks;
    use super::super::spool::Spool;
    use super::super::tests::{House, UPLOAD, path, upload};
    use super::*;
    use std::fs::File;
    use std::path::Path;
    use std::sync::Arc;

    /// The name of larder's only attribute so far.
    const NAME: &str = "user.larder.dav";

    /// Sets an attribute; says whether this filesystem has such things.
    fn set(place: &Path, name: &str, value: &[u8]) -> bool {
        let flags = XattrFlags::empty();
        match rustix::fs::setxattr(place, name, value, flags) {
            Err(Errno::OPNOTSUPP) => false,
            set => set.map(|()| true).unwrap(),
        }
    }

    /// The value of an attribute; `None` when there is none.
    fn get(place: &Path, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; limits::CARRIED_BYTES_MAX];
        let bytes = rustix::fs::getxattr(place, name, &mut value[..]).ok()?;
        value.truncate(bytes);
        Some(value)
    }

    #[test]
    fn what_replaces_a_file_or_adds_to_it_takes_over_ours_alone() {
        for quirks in
            [Quirks::default(), Quirks { no_exchange: true, no_links: true, ..Quirks::default() }]
        {
            let house = House::with_quirks(quirks);
            let place = house.file("f", "old");
            if !set(&place, NAME, b"<prop/>") {
                // The temporary folder's filesystem has no attributes: nothing can be carried there.
                return;
            }
            set(&place, "user.checksum", b"of the old content");
            let share = house.share();
            upload(&share, &[("f", "new")], &UPLOAD).unwrap();
            assert_eq!(get(&place, NAME).as_deref(), Some(&b"<prop/>"[..]));
            assert_eq!(get(&place, "user.checksum"), None);
            let mut target = share.upload_target(&path("f"), "aa").unwrap();
            let mut spool = Spool::open(Arc::clone(&target.workshop)).unwrap();
            share.copy_into(&mut target, None, &mut spool).unwrap();
            share.append(target, spool).unwrap();
            assert_eq!(get(&place, NAME).as_deref(), Some(&b"<prop/>"[..]));
            // What went into the trash has them still.
            let trashed = house.trashed("");
            let old = trashed.iter().find(|name| !name.contains('.')).unwrap();
            assert!(get(&house.root().join(".larder/trash").join(old), NAME).is_some());
        }
    }

    #[test]
    fn copies_have_them_files_and_folders() {
        use super::super::{IfExists, Progress, TransferKind};
        for no_offload in [false, true] {
            let house = House::with_quirks(Quirks { no_offload, ..Quirks::default() });
            house.file("tree/deep/f", "f");
            house.folder("to");
            for name in ["tree", "tree/deep", "tree/deep/f"] {
                let place = house.root().join(name);
                if !set(&place, NAME, name.as_bytes()) {
                    return;
                }
                set(&place, "user.theirs", b"x");
            }
            let sources = [path("tree")];
            let share = house.share();
            let copy = share.relocate_into(
                TransferKind::Copy,
                sources.to_vec(),
                &path("to"),
                IfExists::Overwrite,
            );
            copy.unwrap().run(&Progress::default(), &mut |_, _| ()).unwrap();
            for name in ["tree", "tree/deep", "tree/deep/f"] {
                let place = house.root().join("to").join(name);
                assert_eq!(get(&place, NAME).as_deref(), Some(name.as_bytes()));
                assert_eq!(get(&place, "user.theirs"), None);
            }
        }
    }

    #[test]
    fn they_are_bounded() {
        let house = House::new();
        let (source, target) = (house.file("a", ""), house.file("b", ""));
        if !set(&source, NAME, b"x") {
            return;
        }
        // Some filesystems have no room for so many.
        let mut count = 1;
        for number in 0..limits::CARRIED_ATTRIBUTES_MAX * 2 {
            let name = format!("user.larder.{number}");
            count += usize::from(
                rustix::fs::setxattr(&source, name.as_str(), b"x", XattrFlags::empty()).is_ok(),
            );
        }
        let carried = of_open(File::open(&source).unwrap()).unwrap();
        assert_eq!(carried.0.len(), count.min(limits::CARRIED_ATTRIBUTES_MAX));
        carried.give(File::open(&target).unwrap()).unwrap();
        assert_eq!(of_open(File::open(&target).unwrap()).unwrap(), carried);
        assert!(
            of(&File::open(house.root()).unwrap().into(), OsStr::new("gone")).unwrap().is_empty()
        );
    }
}
