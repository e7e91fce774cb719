//! Names in another Unicode form than the one on the drive. Some clients send what people type in pieces (NFD), as
//! their own filesystem keeps it, and know the drive's names only by that.

use super::look;
use super::path::VaultPath;
use super::raw_name;
use super::resolve::{Follow, Lost};
use super::share::Share;
use crate::error::Result;
use rustix::fd::AsFd as _;
use unicode_normalization::UnicodeNormalization as _;

impl Share {
    /// The place that is meant by a path: a name that is not there as it is written, but that one sibling equals once
    /// both are composed (NFC), means that one. New names stay as they are, or with `composes` are composed.
    ///
    /// Errors: `DriveBusy`, `StorageAbsent`, `Io`.
    pub fn meant_by(&self, path: &VaultPath, composes: bool) -> Result<VaultPath> {
        if !path.components().any(may_differ) {
            return Ok(path.clone());
        }
        self.checked(|| {
            let mut place = VaultPath::root();
            let mut is_there = true;
            for name in path.components() {
                let named = place.join(name);
                let found = if is_there && may_differ(name) {
                    self.find_composed(&place, name)?
                } else {
                    None
                };
                is_there &= found.as_ref().is_none_or(|found| found.is_there);
                place = match found {
                    Some(Found { sibling: Some(sibling), .. }) => place.join(&sibling),
                    _ if composes && !is_there => place.join(&composed(name)),
                    _ => named,
                };
            }
            Ok(place)
        })
    }

    /// Looks for a name in a folder.
    fn find_composed(&self, folder: &VaultPath, name: &str) -> Result<Option<Found>> {
        let absent = Ok(Some(Found { sibling: None, is_there: false }));
        match self.finder.locate(&folder.join(name), Follow::NotLast) {
            Ok(spot) if spot.stat.is_some() => return Ok(None),
            Ok(_) => {}
            Err(Lost::Missing | Lost::Escapes | Lost::Loops) => return absent,
            Err(lost) => return Err(lost.into()),
        }
        let around = self.finder.locate(folder, Follow::Last)?;
        let Ok(handle) = look::open_to_read(&around.folder, around.name.as_encoded_bytes()) else {
            return absent;
        };
        let wanted = composed(name);
        let mut sibling: Option<String> = None;
        let is_wanted = |told: &str| {
            may_differ(told) && told != name && composed(told) == wanted && {
                let place = folder.join(told);
                self.grant().may_see(&place) || self.grant().may_write(&place)
            }
        };
        let mut count = 0;
        let each = look::each_name(handle.as_fd(), super::os, &mut |entry: &[u8]| {
            let told = raw_name::tell(entry);
            if is_wanted(&told) {
                count += 1;
                sibling = Some(told.into_owned());
            }
            Ok(())
        });
        each?;
        let sibling = sibling.filter(|_| count == 1);
        Ok(Some(Found { is_there: sibling.is_some(), sibling }))
    }
}

/// What was found of a name that is not there as it is written.
struct Found {
    /// What it is called on the drive.
    sibling: Option<String>,
    /// Whether it is there at all.
    is_there: bool,
}

/// A name with its letters composed (NFC).
fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// Whether a name can have another form: of ASCII only these stand for other letters (the signs of kelvin, of Greek
/// questions and of the grave accent).
fn may_differ(name: &str) -> bool {
    !name.is_ascii() || name.contains(['K', ';', '`'])
}
