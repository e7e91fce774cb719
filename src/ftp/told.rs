//! The sizes of broken-off uploads that a session was told. Whoever asked goes on behind the part with `APPE`;
//! for everybody else there is no part, and `APPE` begins a file.

use crate::limits;
use crate::vault::VaultPath;

/// The parts, the one told last at the end.
#[derive(Debug, Default)]
pub struct Told(Vec<(VaultPath, u64)>);

impl Told {
    /// `SIZE` told the bytes of a part. No more are remembered than there can be.
    pub fn note(&mut self, path: VaultPath, bytes: u64) {
        self.forget(&path);
        if self.0.len() == limits::PARTS_MAX {
            self.0.remove(0);
        }
        self.0.push((path, bytes));
    }

    /// Nothing is known of a name any more: it has a file, or nothing.
    pub fn forget(&mut self, path: &VaultPath) {
        self.0.retain(|(known, _)| known != path);
    }

    /// Bytes that were told of a part.
    pub fn bytes_of(&self, path: &VaultPath) -> Option<u64> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, bytes)| *bytes)
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
        for number in 0..=limits::PARTS_MAX {
            told.note(path(number), 1);
            told.note(path(number), number as u64);
        }
        assert_eq!(told.bytes_of(&path(0)), None);
        assert_eq!(told.bytes_of(&path(1)), Some(1));
        assert_eq!(told.bytes_of(&path(limits::PARTS_MAX)), Some(limits::PARTS_MAX as u64));
        told.forget(&path(1));
        assert_eq!(told.bytes_of(&path(1)), None);
    }
}
