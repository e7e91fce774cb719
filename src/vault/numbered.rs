//! Names that are made from others: the next free one, and one with a mark before its extension.

use super::path::VaultPath;
use super::raw_name;
use crate::error::Result;
use crate::limits;
use std::os::unix::ffi::OsStrExt as _;

/// `name.ext` for 0, else `name (number).ext`, the stem cut so that the whole fits.
pub(super) fn numbered(name: &str, number: usize) -> String {
    if number == 0 { name.to_owned() } else { marked(name, &format!(" ({number})")) }
}

/// A name with a mark before its extension, the stem cut so that the whole fits.
fn marked(name: &str, mark: &str) -> String {
    if raw_name::is_raw(name) {
        let on_disk = raw_name::known(name);
        return raw_name::tell(&marked_bytes(on_disk.as_bytes(), mark)).into_owned();
    }
    // A leading dot hides a file; it begins no extension.
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    };
    let tail = format!("{mark}{extension}");
    let room = limits::NAME_BYTES_MAX.saturating_sub(tail.len());
    let stem = &stem[..stem.floor_char_boundary(room)];
    // An extension that fills the name alone leaves no room for a mark: it is cut instead.
    let whole = format!("{stem}{tail}");
    if whole.len() <= limits::NAME_BYTES_MAX {
        return whole;
    }
    let short = format!("{}{extension}", mark.trim_start());
    short[..short.floor_char_boundary(limits::NAME_BYTES_MAX)].to_owned()
}

/// The same for a name that is no text.
fn marked_bytes(name: &[u8], mark: &str) -> Vec<u8> {
    let at = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    let (stem, extension) = name.split_at(at.unwrap_or(name.len()));
    let tail = [mark.as_bytes(), extension].concat();
    let room = limits::NAME_BYTES_MAX.saturating_sub(tail.len());
    let mut whole = [&stem[..stem.len().min(room)], &tail].concat();
    whole.truncate(limits::NAME_BYTES_MAX);
    whole
}

impl VaultPath {
    /// Whether there is room for a number behind each of its names: only then it is the same for who brings something
    /// whether those are taken.
    pub fn has_room_for_numbers(&self) -> bool {
        let room = self.components().count() * limits::NUMBER_BYTES;
        self.on_disk().len() + room <= limits::PATH_BYTES_MAX
    }

    /// The same place with a mark behind its name, before the extension.
    ///
    /// Errors: `Invalid` (the root, or too long).
    pub fn marked(&self, mark: &str) -> Result<Self> {
        self.parent().unwrap_or_default().child(&marked(self.name(), mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_before_the_extension_and_fit() {
        assert_eq!(numbered("a.txt", 0), "a.txt");
        assert_eq!(numbered("a.txt", 1), "a (1).txt");
        assert_eq!(numbered("a.tar.gz", 2), "a.tar (2).gz");
        assert_eq!(numbered(".hidden", 1), ".hidden (1)");
        assert_eq!(numbered("a", 10), "a (10)");
        for name in
            ["x".repeat(255), format!("{}.jpeg", "ü".repeat(125)), format!("a.{}", "x".repeat(253))]
        {
            let longer = numbered(&name, 77);
            assert!(longer.len() <= 255 && longer.contains("(77)"), "{longer}");
        }
    }
}
