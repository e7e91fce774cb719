//! Judges what a search comes by, counts it and tells it. Nothing is told twice.

use super::gate::Pass;
use super::names_list::Sort;
use super::path::{VaultPath, is_hidden, is_reserved};
use super::permit::Permit;
use super::progress::Progress;
use super::raw_name;
use super::search_scope::Scope;
use super::search_words::Judge;
use super::share::Entry;
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::OwnedFd;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;

/// What is told while a search goes on.
pub enum Told<'a> {
    /// Something was found there.
    Hit(&'a VaultPath, &'a Entry),
    /// So many names were looked at, of so many, if that is known.
    Pulse(u64, Option<u64>),
}

/// Who is told; an error ends the search.
pub type Tell<'t> = &'t mut dyn FnMut(Told<'_>) -> io::Result<()>;

/// A folder in which something is looked at.
pub(super) struct At<'a> {
    /// Open as a place to be in.
    pub folder: &'a Arc<OwnedFd>,
    /// Where it is by the name that was used.
    pub told: &'a VaultPath,
    /// Where it is in truth.
    pub real: &'a VaultPath,
}

/// Judges, counts and tells.
pub(super) struct Looker<'s> {
    /// What it is about.
    scope: &'s Scope,
    /// Judges names.
    judge: Judge<'s>,
    /// Whether to go on.
    pub progress: &'s Progress,
    /// Who is told.
    tell: Tell<'s>,
    /// Whether what is hidden is passed over.
    hides: bool,
    /// Names that the walk has looked at.
    pub seen: u64,
    /// Names that were found in lists.
    pub listed: u64,
    /// Places where the search begins that it could find themselves.
    pub own: u64,
    /// How many names there are, as far as the lists know.
    pub of: Option<u64>,
    /// What was told, by hashes of the true paths.
    told: HashSet<u64>,
    /// Makes them.
    hasher: RandomState,
    /// Whether something could not be read.
    pub has_missed: bool,
    /// The right to ask the drive that it looks at, and where it looks.
    held: Option<(Pass, VaultPath)>,
}

impl<'s> Looker<'s> {
    /// Of a search.
    pub fn new(scope: &'s Scope, progress: &'s Progress, tell: Tell<'s>) -> Self {
        Self {
            scope,
            judge: Judge::by(&scope.wanted.words),
            progress,
            tell,
            hides: !scope.means_hidden(),
            seen: 0,
            listed: 0,
            own: 0,
            of: None,
            told: HashSet::new(),
            hasher: RandomState::new(),
            has_missed: false,
            held: None,
        }
    }

    /// The names that come are in this folder, by the name that was used.
    pub fn enter(&mut self, told: &VaultPath) {
        let below = told.below(&self.scope.path).unwrap_or_default();
        self.judge.enter(below.as_str());
    }

    /// From now on the names are counted that the walk looks at.
    pub fn begin_to_count(&mut self) {
        self.seen = self.own;
    }

    /// Whether a name is not even counted: it is larder's own, or hidden.
    pub fn passes_over(&self, name: &[u8]) -> bool {
        is_hidden(name) && (self.hides || is_reserved(&raw_name::tell(name)))
    }

    /// Counts a name that was found in a list; whether it is to be judged.
    ///
    /// Errors: `Cancelled`, those of `tell`.
    pub fn counts_listed(&mut self, name: &[u8]) -> Result<bool> {
        if self.passes_over(name) {
            return Ok(false);
        }
        self.listed += 1;
        if self.listed.is_multiple_of(limits::SEARCH_NAMES_PER_LOOK) {
            self.look_up()?;
        }
        Ok(true)
    }

    /// Counts a name that the walk has come to.
    ///
    /// Errors: `Cancelled`, those of `tell`.
    pub fn count(&mut self) -> Result<()> {
        self.seen += 1;
        if self.seen.is_multiple_of(limits::SEARCH_NAMES_PER_LOOK) {
            self.look_up()?;
        }
        Ok(())
    }

    /// Looks whether anybody still wants to know, and says how far it is.
    ///
    /// Errors: `Cancelled`, those of `tell`.
    pub fn look_up(&mut self) -> Result<()> {
        self.progress.go_on()?;
        let seen = self.seen.max(self.listed);
        self.say(Told::Pulse(seen, self.of.filter(|of| *of >= seen)))
    }

    /// Holds the right to ask the drive that it looks at, while it does not tell anything.
    pub fn hold(&mut self, pass: Option<Pass>, place: &VaultPath) {
        self.held = pass.map(|pass| (pass, place.clone()));
    }

    /// Looks at it no more.
    pub fn let_go(&mut self) {
        self.held = None;
    }

    /// Tells something. Whoever listens may be slow: the drive is not kept from others meanwhile.
    ///
    /// Errors: `Cancelled` (the drive does not answer any more), those of `tell`.
    pub fn say(&mut self, told: Told<'_>) -> Result<()> {
        let place = self.held.take().map(|(_, place)| place);
        (self.tell)(told)?;
        let Some(place) = place else { return Ok(()) };
        let Ok(pass) = self.scope.share.finder.ask(&place) else {
            self.has_missed = true;
            return Err(Error::Cancelled);
        };
        self.held = Some((pass, place));
        Ok(())
    }

    /// Whether a name is meant, as far as the folder tells.
    pub fn is_meant(&mut self, name: &str, sort: Sort) -> bool {
        self.judge.is_meant(name) && self.scope.wanted.may_be(name, sort)
    }

    /// Judges a name in a folder and, if it may be meant, looks at it.
    ///
    /// Errors: `Cancelled`, those of `tell`.
    pub fn judge(&mut self, at: &At<'_>, name: &[u8], sort: Sort) -> Result<()> {
        if self.is_meant(&raw_name::tell(name), sort) { self.look(at, name) } else { Ok(()) }
    }

    /// Looks at something, and tells it if it is meant and was not told before.
    ///
    /// Errors: `Cancelled` (it has told enough), those of `tell`.
    pub fn look(&mut self, at: &At<'_>, name: &[u8]) -> Result<()> {
        let hash = self.hasher.hash_one((at.real, name));
        if self.told.contains(&hash) {
            return Ok(());
        }
        let permit = Permit::of(&**at.folder);
        let share = &self.scope.share;
        let (entry, is_there) = share.entry_in(at.folder, (at.told, at.real), name, permit);
        if !is_there || !self.scope.wanted.is(&entry) {
            return Ok(());
        }
        if self.told.len() >= self.scope.wanted.limit {
            return Err(Error::Cancelled);
        }
        self.told.insert(hash);
        self.say(Told::Hit(&at.told.join(&entry.name), &entry))
    }
}
