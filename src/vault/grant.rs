//! Where one caller may read and write. Prefixes of paths and nothing else: no users, no disk.

use super::path::VaultPath;

/// The places under which a caller may read and write. A prefix grants itself and everything
/// below it; the root grants everything; an empty list grants nothing. Writing needs no right to
/// read and gives none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// What may be read.
    read: Vec<VaultPath>,
    /// What may be written.
    write: Vec<VaultPath>,
    /// The file or folder outside of which nothing is there, nor anything hidden in it.
    confines: Option<VaultPath>,
}

impl Grant {
    /// Everything, everywhere.
    pub fn everything() -> Self {
        Self::new(vec![VaultPath::root()], vec![VaultPath::root()])
    }

    /// Reading under each of `read`, writing under each of `write`.
    pub fn new(read: Vec<VaultPath>, write: Vec<VaultPath>) -> Self {
        Self { read, write, confines: None }
    }

    /// What of it lies under `read` for reading and under `write` for writing; with `None` nothing of that.
    /// Never more than it is itself.
    pub fn within(&self, read: Option<&VaultPath>, write: Option<&VaultPath>) -> Self {
        let (read, write) = (narrowed(&self.read, read), narrowed(&self.write, write));
        Self { read, write, confines: self.confines.clone() }
    }

    /// The same for somebody who shall know of nothing but `place`, a true path: neither of what is around it, also
    /// where a link on the disk leads there or the way to `place` does, nor of what is in it under a name that begins
    /// with a dot.
    pub fn confined_to(&self, place: &VaultPath) -> Self {
        let Self { mut read, mut write, .. } = self.within(Some(place), Some(place));
        read.retain(|prefix| !prefix.is_hidden_in(place));
        write.retain(|prefix| !prefix.is_hidden_in(place));
        Self { read, write, confines: Some(place.clone()) }
    }

    /// Whether `path` is outside of what there is for this caller at all.
    pub fn is_confined_from(&self, path: &VaultPath) -> bool {
        self.confines
            .as_ref()
            .is_some_and(|place| !path.starts_with(place) || path.is_hidden_in(place))
    }

    /// The place outside of which nothing is there, if there is one.
    pub(super) fn confines(&self) -> Option<&VaultPath> {
        self.confines.as_ref()
    }

    /// Whether nothing that is hidden is there for this caller.
    pub(super) fn hides(&self) -> bool {
        self.confines.is_some()
    }

    /// The places under which may be read.
    pub fn readable(&self) -> &[VaultPath] {
        &self.read
    }

    /// Whether the content of `path` may be seen.
    pub fn may_read(&self, path: &VaultPath) -> bool {
        self.read.iter().any(|prefix| path.starts_with(prefix)) && !self.is_confined_from(path)
    }

    /// Whether there is any place that may be written.
    pub fn may_write_somewhere(&self) -> bool {
        !self.write.is_empty()
    }

    /// Whether `path` may be made, changed or removed.
    pub fn may_write(&self, path: &VaultPath) -> bool {
        self.write.iter().any(|prefix| path.starts_with(prefix)) && !self.is_confined_from(path)
    }

    /// Whether `path`, or anything below it, may be written.
    pub fn may_write_below(&self, path: &VaultPath) -> bool {
        let lies_below = self.write.iter().any(|prefix| prefix.starts_with(path));
        self.may_write(path) || (lies_below && !self.is_confined_from(path))
    }

    /// Whether it grants all that `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        (self.confines.is_none() || self.confines == other.confines)
            && other.read.iter().all(|path| self.may_read(path))
            && other.write.iter().all(|path| self.may_write(path))
    }

    /// Whether `path` lies on the way to something that may be read, without being it.
    pub fn may_pass(&self, path: &VaultPath) -> bool {
        self.read.iter().any(|prefix| prefix.starts_with(path)) && !self.is_confined_from(path)
    }

    /// Whether `path` may appear in a listing: it may be read or leads to what may be.
    pub fn may_see(&self, path: &VaultPath) -> bool {
        self.may_read(path) || self.may_pass(path)
    }
}

/// What lies both under one of the prefixes and under `place`: of two prefixes where one lies in the other, that
/// is the longer one.
fn narrowed(prefixes: &[VaultPath], place: Option<&VaultPath>) -> Vec<VaultPath> {
    let Some(place) = place else { return Vec::new() };
    if prefixes.iter().any(|prefix| place.starts_with(prefix)) {
        return vec![place.clone()];
    }
    prefixes.iter().filter(|prefix| prefix.starts_with(place)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> VaultPath {
        VaultPath::parse(text).expect("a path")
    }

    #[test]
    fn a_prefix_matches_whole_components() {
        let grant = Grant::new(vec![path("photos"), path("docs/shared")], vec![path("inbox")]);
        for (text, read, write, pass) in [
            ("photos", true, false, true),
            ("photos/a.jpg", true, false, false),
            ("photos2", false, false, false),
            ("phot", false, false, false),
            ("docs", false, false, true),
            ("docs/shared", true, false, true),
            ("docs/shared2", false, false, false),
            ("docs/other", false, false, false),
            ("", false, false, true),
            ("inbox", false, true, false),
            ("inbox/x", false, true, false),
            ("Photos", false, false, false),
        ] {
            let place = path(text);
            assert_eq!(grant.may_read(&place), read, "read {text:?}");
            assert_eq!(grant.may_write(&place), write, "write {text:?}");
            assert_eq!(grant.may_pass(&place), pass, "pass {text:?}");
        }
    }

    #[test]
    fn what_was_lost_is_not_covered_and_what_was_won_does_no_harm() {
        let before = Grant::new(vec![path("a/b")], vec![path("c")]);
        let more = Grant::new(vec![path("a"), path("x")], vec![path("")]);
        assert!(before.covers(&before) && more.covers(&before) && !before.covers(&more));
        assert!(!Grant::new(vec![path("a/b")], vec![path("c/d")]).covers(&before));
        assert!(!Grant::new(vec![], vec![path("c")]).covers(&before));
        assert!(Grant::default().covers(&Grant::default()));
    }

    /// Short paths over two letters, so that they often lie in one another.
    fn short_path() -> impl Strategy<Value = VaultPath> {
        prop::collection::vec("[ab]{1,2}", 0..4).prop_map(|parts| path(&parts.join("/")))
    }

    proptest! {
        #[test]
        fn within_is_what_both_sides_allow_and_nothing_else(
            read in prop::collection::vec(short_path(), 0..4),
            write in prop::collection::vec(short_path(), 0..4),
            read_within in prop::option::of(short_path()),
            write_within in prop::option::of(short_path()),
            places in prop::collection::vec(short_path(), 1..20),
        ) {
            let grant = Grant::new(read, write);
            let narrow = grant.within(read_within.as_ref(), write_within.as_ref());
            prop_assert!(grant.covers(&narrow));
            let edges = narrow.read.iter().chain(&narrow.write);
            let named = read_within.iter().chain(&write_within);
            for place in places.iter().chain(edges).chain(named) {
                let lies = |within: &Option<VaultPath>| {
                    within.as_ref().is_some_and(|within| place.starts_with(within))
                };
                let may_read = grant.may_read(place) && lies(&read_within);
                let may_write = grant.may_write(place) && lies(&write_within);
                prop_assert_eq!(narrow.may_read(place), may_read, "read {:?}", place);
                prop_assert_eq!(narrow.may_write(place), may_write, "write {:?}", place);
            }
        }
    }

    proptest! {
        /// Whoever is confined has what the grant has there and nothing hidden or outside, whatever is asked.
        #[test]
        fn the_confined_have_nothing_outside_and_nothing_hidden(
            read in prop::collection::vec(dotted_path(), 0..4),
            write in prop::collection::vec(dotted_path(), 0..4),
            place in dotted_path(),
            asked in prop::collection::vec(dotted_path(), 1..20),
        ) {
            let grant = Grant::new(read, write);
            let confined = grant.confined_to(&place);
            prop_assert!(grant.covers(&confined) && confined.covers(&confined));
            prop_assert!(confined.hides());
            for path in asked.iter().chain([&place, &VaultPath::root()]) {
                let parts: Vec<_> = path.components().collect();
                let above: Vec<_> = place.components().collect();
                let is_in = parts.starts_with(&above)
                    && parts[above.len()..].iter().all(|part| !part.starts_with('.'));
                prop_assert_eq!(confined.is_confined_from(path), !is_in);
                prop_assert_eq!(confined.may_read(path), is_in && grant.may_read(path));
                prop_assert_eq!(confined.may_write(path), is_in && grant.may_write(path));
                prop_assert!(is_in || !confined.may_see(path));
                prop_assert!(is_in || !confined.may_write_below(path));
            }
        }
    }

    /// The same, some of whose names are hidden.
    fn dotted_path() -> impl Strategy<Value = VaultPath> {
        prop::collection::vec("[.]?[ab]", 0..4).prop_map(|parts| path(&parts.join("/")))
    }

    #[test]
    fn the_root_grants_everything_and_an_empty_list_nothing() {
        for text in ["", "a", "a/b"] {
            assert!(Grant::everything().may_read(&path(text)));
            assert!(Grant::everything().may_write(&path(text)));
            let nothing = Grant::default();
            assert!(!nothing.may_see(&path(text)) && !nothing.may_write(&path(text)));
        }
    }
}
