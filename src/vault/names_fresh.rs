//! Where larder has lately changed something itself, so that a search finds it before it has walked to it. Only noted
//! once somebody has searched, in bounded memory; what is too much is found by the walk.

use super::path::VaultPath;
use crate::{limits, threads};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is new in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fresh {
    /// The folder, by the name that was used.
    pub folder: VaultPath,
    /// The names in it; none when they were too many to be noted.
    pub names: Vec<String>,
}

impl Fresh {
    /// Estimated memory in bytes.
    fn cost(&self) -> usize {
        let names: usize = self.names.iter().map(|name| name.len() + size_of::<String>()).sum();
        size_of::<Self>() + self.folder.as_str().len() + names
    }
}

/// The places, the newest last.
#[derive(Debug, Default)]
pub(super) struct FreshPlaces {
    /// Whether anybody wants to know.
    is_wanted: AtomicBool,
    /// The places, and estimated memory in bytes.
    places: Mutex<(VecDeque<Fresh>, usize)>,
}

impl FreshPlaces {
    /// Something has come to a place.
    pub fn note(&self, path: &VaultPath) {
        let Some(folder) = path.parent().filter(|_| self.is_wanted.load(Ordering::Relaxed)) else {
            return;
        };
        let mut state = threads::locked(&self.places);
        let (places, bytes) = &mut *state;
        let at = places.iter().rposition(|fresh| fresh.folder == folder);
        let known = at.and_then(|at| places.remove(at));
        let mut fresh = known.unwrap_or_else(|| Fresh { folder, names: Vec::new() });
        let is_all = at.is_some() && fresh.names.is_empty();
        if at.is_some() {
            *bytes = bytes.saturating_sub(fresh.cost());
        }
        if !is_all && !fresh.names.iter().any(|name| name == path.name()) {
            fresh.names.push(path.name().to_owned());
        }
        if fresh.names.len() > limits::SEARCH_FRESH_NAMES_OF_ONE {
            fresh.names = Vec::new();
        }
        *bytes += fresh.cost();
        places.push_back(fresh);
        while *bytes > limits::SEARCH_FRESH_BYTES_MAX {
            let Some(oldest) = places.pop_front() else { break };
            *bytes = bytes.saturating_sub(oldest.cost());
        }
    }

    /// The places, the newest first; from now on more are noted.
    pub fn newest_first(&self) -> Vec<Fresh> {
        self.is_wanted.store(true, Ordering::Relaxed);
        threads::locked(&self.places).0.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::*;

    /// The places as text.
    fn told(places: &FreshPlaces) -> Vec<(String, Vec<String>)> {
        let all = places.newest_first();
        all.into_iter().map(|fresh| (fresh.folder.to_string(), fresh.names)).collect()
    }

    #[test]
    fn the_newest_is_first_and_of_many_only_the_folder_is_kept() {
        let places = FreshPlaces::default();
        places.note(&path("a/0"));
        assert!(told(&places).is_empty(), "nobody wanted to know");
        for name in ["a/1", "b/1", "a/1", "a/2", "top"] {
            places.note(&path(name));
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = [
            (String::new(), names(&["top"])),
            ("a".to_owned(), names(&["1", "2"])),
            ("b".to_owned(), names(&["1"])),
        ];
        assert_eq!(told(&places), wanted);
        for number in 0..100 {
            places.note(&path(&format!("a/{number}")));
        }
        assert_eq!(told(&places)[0], ("a".to_owned(), Vec::new()));
    }

    #[test]
    fn what_is_too_much_goes_and_the_count_stays_right() {
        let places = FreshPlaces::default();
        assert!(told(&places).is_empty());
        for number in 0..10_000 {
            places.note(&path(&format!("folder {}/{number}", number % 3000)));
        }
        let state = threads::locked(&places.places);
        assert!(state.1 <= limits::SEARCH_FRESH_BYTES_MAX && state.0.len() > 100);
        assert_eq!(state.0.iter().map(Fresh::cost).sum::<usize>(), state.1);
    }
}
