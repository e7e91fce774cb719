//! What is remembered of where there may be versions, so that a rename need not read every record in the trash: a
//! fixed number of bits (a Bloom filter). It may say yes where there are none, never no where there are some.

use super::look::FileId;
use super::path::VaultPath;
use crate::{limits, threads};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;

/// The same number for the same text, as long as this process runs.
pub(super) fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Where there may be versions, of all drives of a share.
#[derive(Debug, Default)]
pub(super) struct VersionsKnown(Mutex<Known>);

/// See `VersionsKnown`.
#[derive(Debug, Default)]
struct Known {
    /// The bits; none until there is anything to remember.
    bits: Vec<u64>,
    /// The trash folders whose records were all read: of what is in others nothing is known.
    bins: Vec<FileId>,
}

/// The word and the bit in it, twice, that stand for a path.
fn bits_of(path: &str) -> [(usize, u64); 2] {
    let hash = hash_of(path);
    [hash, hash >> 32].map(|part| {
        let bit = usize::try_from(part & 0xffff_ffff).unwrap_or(0) % limits::VERSIONS_FILTER_BITS;
        (bit / 64, 1 << (bit % 64))
    })
}

impl VersionsKnown {
    /// There is, or will be, a version of what is at a place.
    pub fn note(&self, path: &VaultPath) {
        let mut known = threads::locked(&self.0);
        if known.bits.is_empty() {
            known.bits = vec![0; limits::VERSIONS_FILTER_BITS / 64];
        }
        let above = std::iter::successors(Some(path.clone()), VaultPath::parent);
        for (word, bit) in above.flat_map(|path| bits_of(path.as_str())) {
            if let Some(word) = known.bits.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether there may be a version of what is there, or below, as far as the records were read.
    pub fn may_have(&self, path: &VaultPath) -> bool {
        let known = threads::locked(&self.0);
        let is_set = |(word, bit)| known.bits.get(word).is_some_and(|word: &u64| word & bit != 0);
        bits_of(path.as_str()).into_iter().all(is_set)
    }

    /// Whether all records of a trash were read.
    pub fn has_read(&self, bin: FileId) -> bool {
        threads::locked(&self.0).bins.contains(&bin)
    }

    /// All records of a trash were read, and what they tell of was noted.
    pub fn read(&self, bin: FileId) {
        let mut known = threads::locked(&self.0);
        if !known.bins.contains(&bin) {
            known.bins.push(bin);
        }
    }

    /// Other drives are there than before: their trash may have come from another machine.
    pub fn forget(&self) {
        // The bits stay: what is on its way into the trash at this moment is noted there already.
        threads::locked(&self.0).bins.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::*;

    #[test]
    fn what_was_noted_is_never_missed_and_little_else_is_found() {
        let known = VersionsKnown::default();
        assert!(!known.may_have(&path("a")));
        for number in 0..20_000 {
            known.note(&path(&format!("folder {}/{number}.txt", number % 10)));
        }
        let has = |text: String| known.may_have(&path(&text));
        assert!((0..20_000).all(|number| has(format!("folder {}/{number}.txt", number % 10))));
        assert!((0..10).all(|number| has(format!("folder {number}"))));
        let wrong = (0..10_000).filter(|number| has(format!("other/{number}"))).count();
        assert!(wrong < 300, "{wrong} of 10 000");
    }

    #[test]
    fn a_drive_that_comes_is_read_anew_and_nothing_noted_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let stat = super::super::look::look_at(std::fs::File::open(folder.path()).unwrap());
        let id = super::super::look::id_of(&stat.unwrap());
        let known = VersionsKnown::default();
        known.note(&path("a/b"));
        known.read(id);
        assert!(known.has_read(id));
        known.forget();
        assert!(!known.has_read(id) && known.may_have(&path("a")));
    }
}
