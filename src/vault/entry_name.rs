//! What things are called in a ZIP, which is unpacked on machines with other rules than ours: names that
//! Windows refuses, or takes for something else, are changed, and stay different from each other.

use super::numbered::numbered;
use crate::limits;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

/// Names that stand for a device on Windows, whatever extension they have.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Names that do so with one digit behind them.
const NUMBERED_DEVICES: &[&str] = &["com", "lpt"];

/// What a name becomes.
pub fn safe(name: &[u8]) -> String {
    let mut safe = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        safe.extend(chunk.valid().chars().map(|letter| if is_odd(letter) { '_' } else { letter }));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe.truncate(safe.floor_char_boundary(limits::NAME_BYTES_MAX));
    if safe.ends_with(['.', ' ']) {
        safe.pop();
        safe.push('_');
    }
    let stem = safe.find('.').unwrap_or(safe.len());
    if is_device(&safe[..stem]) {
        safe.insert(stem, '_');
    }
    safe
}

/// Whether a letter may not be in a name on Windows, or would part folders there.
fn is_odd(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// Whether Windows takes a name without its extension for a device.
fn is_device(stem: &str) -> bool {
    let stem = stem.trim_end_matches(' ').to_ascii_lowercase();
    let is_numbered = |device: &&str| {
        let mut rest = stem.strip_prefix(*device).unwrap_or_default().chars();
        // The raised digits of Latin-1 count there as well.
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(is_numbered)
}

/// The changed names of one folder. Those that need no change keep what they are called, so a changed one
/// gives way to them as well as to other changed ones.
#[derive(Default)]
pub struct Changed {
    /// Hashes of the names that were given. Two names of one hash cost a number that was not needed.
    given: HashSet<u64>,
    /// How they are hashed.
    hasher: RandomState,
    /// Above every number that was given.
    next: usize,
}

impl Changed {
    /// What something is called; `is_there` tells whether something in the folder has a name on the drive.
    pub fn name(&mut self, name: &[u8], is_there: &dyn Fn(&str) -> bool) -> String {
        let safe = safe(name);
        if safe.as_bytes() == name {
            return safe;
        }
        // When there are too many to remember them all, each gets a number that none was given before.
        let is_full = self.given.len() >= limits::ZIP_CHANGED_NAMES_MAX;
        let mut number = if is_full { self.next } else { 0 };
        loop {
            let free = numbered(&safe, number);
            number += 1;
            let hash = self.hasher.hash_one(&free);
            if self.given.contains(&hash) || is_there(&free) {
                continue;
            }
            self.next = self.next.max(number);
            if !is_full {
                self.given.insert(hash);
            }
            return free;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_windows_refuses_or_misreads_is_changed() {
        for (name, wanted) in [
            (b"plain.txt".as_slice(), "plain.txt"),
            (b"..\\..\\evil.bat", ".._.._evil.bat"),
            (b"a:b*c?d\"e<f>g|h", "a_b_c_d_e_f_g_h"),
            (b"tab\tline\nnull\x7f", "tab_line_null_"),
            ("c1\u{85}".as_bytes(), "c1_"),
            (b"dot.", "dot_"),
            (b"dots..", "dots._"),
            (b"blank ", "blank_"),
            (b"con", "con_"),
            (b"CON.txt", "CON_.txt"),
            (b"nul.tar.gz", "nul_.tar.gz"),
            (b"aux .txt", "aux _.txt"),
            (b"com1", "com1_"),
            ("LPT\u{b9}.log".as_bytes(), "LPT\u{b9}_.log"),
            (b"com10", "com10"),
            (b"com", "com"),
            (b"console", "console"),
            (b".con", ".con"),
            ("\u{fc}nder.jpg".as_bytes(), "\u{fc}nder.jpg"),
            (b"\xe9t\xe9.txt", "%E9t%E9.txt"),
        ] {
            assert_eq!(safe(name), wanted);
        }
        let long = safe(&[0xff; 255]);
        assert!(long.len() <= limits::NAME_BYTES_MAX && long.ends_with("%FF"), "{long}");
    }

    #[test]
    fn twins_that_arise_get_a_number_and_those_that_were_there_keep_their_names() {
        let on_disk = ["a_b", "a_b (1)"];
        let mut changed = Changed::default();
        let mut name = |name: &str| changed.name(name.as_bytes(), &|name| on_disk.contains(&name));
        assert_eq!(name("a_b"), "a_b");
        assert_eq!(name("a:b"), "a_b (2)");
        assert_eq!(name("a?b"), "a_b (3)");
        assert_eq!(name("c?.txt"), "c_.txt");
        assert_eq!(name("c*.txt"), "c_ (1).txt");
    }

    #[test]
    fn names_stay_different_when_there_are_too_many_to_remember() {
        let mut changed = Changed { next: limits::ZIP_CHANGED_NAMES_MAX, ..Changed::default() };
        changed.given = (0..limits::ZIP_CHANGED_NAMES_MAX as u64).collect();
        let names = ["a:", "a?", "a*"].map(|name| changed.name(name.as_bytes(), &|_| false));
        assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2], "{names:?}");
        assert_eq!(changed.given.len(), limits::ZIP_CHANGED_NAMES_MAX);
    }

    proptest! {
        #[test]
        fn a_safe_name_is_safe_already(name in proptest::collection::vec(any::<u8>(), 1..40)) {
            let once = safe(&name);
            prop_assert_eq!(safe(once.as_bytes()), once.clone());
            prop_assert!(!once.is_empty() && !once.contains(is_odd));
        }
    }
}
