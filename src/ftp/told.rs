//! The sizes of broken-off uploads that a session was told. Whoever asked goes on behind the part with `APPE`;
//! for everybody else there is no part, and `APPE` begins a file.

use crate::limits;
use crate::vault::VaultPath;

/// Whose parts, of what and how many bytes; the one told last at the end.
#[derive(Debug, Default)]
pub struct Told(Vec<(String, VaultPath, u64)>);

impl Told {
    /// `SIZE` told the bytes of a part. No more are remembered than there can be.
    pub fn note(&mut self, owner: String, path: VaultPath, bytes: u64) {
        self.forget(&path);
        if self.0.len() == limits::PARTS_MAX {
            self.0.remove(0);
        }
        self.0.push((owner, path, bytes));
    }

    /// Nothing is known of a name any more: it has a file, or nothing.
    pub fn forget(&mut self, path: &VaultPath) {
        self.0.retain(|(_, known, _)| known != path);
    }

    /// Bytes that this user, who may be another than before, was told of a part.
    pub fn bytes_of(&self, owner: &str, path: &VaultPath) -> Option<u64> {
        let is_it = |whose: &str, known: &VaultPath| whose == owner && known == path;
        self.0.iter().find(|(whose, known, _)| is_it(whose, known)).map(|(.., bytes)| *bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(number: usize) -> VaultPath {
        VaultPath::parse(&format!("f{number}")).unwrap()
    }

    #[test]
    fn what_was_told_last_counts_and_the_oldest_is_forgotten() {
        let mut told = Told::default();
        let note = |told: &mut Told, number, bytes| told.note("aa".to_owned(), path(number), bytes);
        for number in 0..=limits::PARTS_MAX {
            note(&mut told, number, 1);
            note(&mut told, number, number as u64);
        }
        assert_eq!(told.bytes_of("aa", &path(0)), None);
        assert_eq!(told.bytes_of("aa", &path(1)), Some(1));
        assert_eq!(told.bytes_of("ab", &path(1)), None);
        let last = limits::PARTS_MAX;
        assert_eq!(told.bytes_of("aa", &path(last)), Some(last as u64));
        told.forget(&path(1));
        assert_eq!(told.bytes_of("aa", &path(1)), None);
    }
}
