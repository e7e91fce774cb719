//! What a search is about: what is looked for, where, and for whom. Looks at nothing itself.

use super::look;
use super::names_list::Sort;
use super::names_store::Store;
use super::path::VaultPath;
use super::photos_walk::Start;
use super::search_words::Words;
use super::share::{Entry, Kind, Share};
use std::time::SystemTime;

/// Says whether what has this name and is this is of a kind that is looked for.
pub type IsKind = Box<dyn Fn(&str, Kind) -> bool + Send>;

/// What is looked for.
pub struct Wanted {
    /// Words of the name.
    pub words: Words,
    /// Its kind; `None` for all.
    pub kind: Option<IsKind>,
    /// Bytes at least, and at most.
    pub size: (Option<u64>, Option<u64>),
    /// Changed then or later, and before then.
    pub modified: (Option<SystemTime>, Option<SystemTime>),
    /// How many are told.
    pub limit: usize,
}

impl Wanted {
    /// Whether only looking at a thing tells whether it is meant.
    pub(super) fn needs_a_look(&self) -> bool {
        let (of_size, of_time) = (self.size, self.modified);
        of_size.0.or(of_size.1).is_some() || of_time.0.or(of_time.1).is_some()
    }

    /// Whether what has this name can be of a kind that is looked for, as far as the folder tells.
    pub(super) fn may_be(&self, name: &str, sort: Sort) -> bool {
        let kind = match sort {
            Sort::File => Kind::File,
            Sort::Folder => Kind::Folder,
            // It stands for whatever it leads to.
            Sort::Link => return true,
            Sort::Other => Kind::Other,
        };
        self.kind.as_ref().is_none_or(|is_wanted| is_wanted(name, kind))
    }

    /// Whether it is meant, now that it was looked at. Only files have a size.
    pub(super) fn is(&self, entry: &Entry) -> bool {
        let (least, most) = self.size;
        let (from, before) = self.modified;
        let has_size = least.or(most).is_none() || entry.kind == Kind::File;
        has_size
            && least.is_none_or(|least| entry.size >= least)
            && most.is_none_or(|most| entry.size <= most)
            && from.is_none_or(|from| entry.modified >= from)
            && before.is_none_or(|before| entry.modified < before)
            && self.kind.as_ref().is_none_or(|is_wanted| is_wanted(&entry.name, entry.kind))
    }
}

/// What a search is about.
pub(super) struct Scope {
    /// Whose it is.
    pub share: Share,
    /// The folder that was named.
    pub path: VaultPath,
    /// What is looked for.
    pub wanted: Wanted,
    /// Where it begins.
    pub starts: Vec<Start>,
}

impl Scope {
    /// Whether a place in the folder that was named is shown: it is not hidden, or hidden ones are.
    pub fn shows(&self, told: &VaultPath) -> bool {
        self.means_hidden() || !told.is_hidden_in(&self.path)
    }

    /// Whether what is hidden is meant, too.
    pub fn means_hidden(&self) -> bool {
        self.wanted.words.means_hidden() && !self.share.grant().hides()
    }

    /// The start from which the walk comes to the folder at a true place, and where that is by the name that was used.
    pub fn start_of(&self, real: &VaultPath) -> Option<VaultPath> {
        let start =
            self.starts.iter().find(|start| !start.is_file && real.starts_with(&start.real));
        let told = start.and_then(|start| Some(start.told.join_path(&real.below(&start.real)?)));
        told.filter(|told| self.shows(told))
    }

    /// Where the list of the filesystem with this top lies.
    pub fn store_of(&self, top: &[u8]) -> Option<Store> {
        let finder = &self.share.finder;
        let handle = look::open_deep(&finder.handle, top, finder.root.quirks.no_openat2).ok()?;
        Store::of(&finder.root, handle.try_clone().ok()?)
    }
}
