//! What is in a folder: sorted names in bounded memory, however many there are.

use super::look;
use super::os;
use super::path::{VaultPath, is_reserved};
use super::permit::Permit;
use super::share::{Entry, Kind, Share};
use crate::error::Result;
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::cmp::Ordering;
use std::sync::Arc;

/// An open folder, to be listed any number of times; every time the same names come in the same
/// order as long as they fit into `LISTING_BYTES_MAX`.
pub struct Listing {
    /// Whose listing it is.
    share: Share,
    /// The folder, open for reading.
    folder: Arc<OwnedFd>,
    /// Where the folder is by the name that was used.
    path: VaultPath,
    /// Where it really is, links resolved.
    real: VaultPath,
    /// Whether only what lies on the way to something readable may be seen.
    is_passage: bool,
    /// The names, once read, if they are all.
    all: Option<Names>,
}

/// Which of two names comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The smaller in bytes.
    Up,
    /// The greater in bytes.
    Down,
}

impl Order {
    /// How two names stand to each other.
    fn of(self, one: &[u8], other: &[u8]) -> Ordering {
        match self {
            Self::Up => one.cmp(other),
            Self::Down => other.cmp(one),
        }
    }
}

/// Names in one piece of memory.
#[derive(Default)]
struct Names {
    /// All of them, one after another.
    bytes: Vec<u8>,
    /// Where each begins and how long it is.
    spans: Vec<(u32, u16)>,
}

impl Names {
    /// Estimated memory in bytes.
    fn cost(&self) -> usize {
        self.bytes.len() + self.spans.len() * size_of::<(u32, u16)>()
    }

    /// Adds a name; the callers' bounds keep both numbers small enough.
    fn push(&mut self, name: &[u8]) {
        if let (Ok(start), Ok(length)) =
            (u32::try_from(self.bytes.len()), u16::try_from(name.len()))
        {
            self.bytes.extend_from_slice(name);
            self.spans.push((start, length));
        }
    }

    /// One name.
    fn get(&self, (start, length): (u32, u16)) -> &[u8] {
        let start = start as usize;
        self.bytes.get(start..start + usize::from(length)).unwrap_or_default()
    }

    /// Sorts them by their bytes.
    fn sort(&mut self, order: Order) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_unstable_by(|one, other| order.of(self.get(*one), self.get(*other)));
        self.spans = spans;
    }

    /// The half that comes first, sorted.
    fn first_half(mut self, order: Order) -> Self {
        self.sort(order);
        let mut half = Self::default();
        for span in &self.spans[..self.spans.len() / 2] {
            half.push(self.get(*span));
        }
        half
    }

    /// In order.
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| self.get(*span))
    }
}

impl Listing {
    /// The folder `folder`, found at `path` and permitted to be listed.
    pub(super) fn new(
        share: Share,
        folder: OwnedFd,
        path: VaultPath,
        real: VaultPath,
        is_passage: bool,
    ) -> Self {
        let folder = Arc::new(folder);
        Self { share, folder, path, real, is_passage, all: None }
    }

    /// Hands out the names, sorted by bytes. A name that is not UTF-8 comes with U+FFFD in place of
    /// what is not.
    ///
    /// Errors: those of `take`, `Io`.
    pub fn for_each_name(&mut self, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        self.for_each(&mut |_, name| take(&String::from_utf8_lossy(name)))
    }

    /// Hands out the names with what they stand for, sorted by bytes.
    ///
    /// Errors: those of `take`, `Io`.
    pub fn for_each_entry(&mut self, take: &mut dyn FnMut(&Entry) -> Result<()>) -> Result<()> {
        let permit = Permit::of(&*self.folder);
        self.for_each(&mut |listing, name| take(&listing.entry(name, permit)))
    }

    /// Hands out the names as they are on the disk.
    fn for_each(&mut self, take: &mut dyn FnMut(&Self, &[u8]) -> Result<()>) -> Result<()> {
        let mut last: Option<Vec<u8>> = None;
        loop {
            let (names, is_all) = if let Some(names) = self.all.take() {
                (names, true)
            } else {
                let _pass = self.share.finder.ask(&self.real)?;
                let may_appear = |name: &[u8]| self.may_appear(name);
                read(self.folder.as_fd(), Order::Up, &may_appear, last.as_deref())?
            };
            let taken = names.iter().try_for_each(|name| take(self, name));
            if is_all {
                // The next time begins with them, also when `take` had no room for all.
                if last.is_none() {
                    self.all = Some(names);
                }
                return taken;
            }
            taken?;
            last = names.iter().last().map(<[u8]>::to_vec);
        }
    }

    /// Whether this caller may see the name at all.
    fn may_appear(&self, name: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(name) else { return !self.is_passage };
        !is_reserved(text)
            && (!self.is_passage || self.share.grant().may_see(&self.real.join(text)))
    }

    /// What one name stands for. What may be changed must be permitted by the name used and by the
    /// true one; `permit` is the drive's for the folder.
    fn entry(&self, name: &[u8], permit: Permit) -> Entry {
        let place = std::str::from_utf8(name).ok().map(|text| self.real.join(text));
        let found = self.share.finder.look_in((&self.folder, &self.real), name, permit);
        let told = String::from_utf8_lossy(name).into_owned();
        let Ok((stat, permit)) = found else {
            // The top of a drive that does not answer; everything else here is to be seen all the same.
            let at = (&*self.folder, name, permit);
            return Entry { kind: Kind::Folder, ..self.share.describe(told, None, None, at) };
        };
        let at = (&*self.folder, name, permit);
        let mut entry = self.share.describe(told, place.as_ref(), stat.as_ref(), at);
        if self.path != self.real {
            entry.writable &= self.share.grant().may_write(&self.path.join(&entry.name));
        }
        entry
    }
}

/// Reads a folder once: the first names behind `after`, as many as memory allows, and whether those are
/// all.
fn read(
    folder: BorrowedFd<'_>,
    order: Order,
    is_wanted: &dyn Fn(&[u8]) -> bool,
    after: Option<&[u8]>,
) -> Result<(Names, bool)> {
    let is_before = |one: &[u8], other: &[u8]| order.of(one, other).is_lt();
    let mut names = Names::default();
    // Names from here on wait for a later pass.
    let mut end: Option<Vec<u8>> = None;
    look::each_name(folder, os, &mut |name| {
        let is_wanted = after.is_none_or(|after| is_before(after, name))
            && end.as_ref().is_none_or(|end| is_before(name, end))
            && is_wanted(name);
        if !is_wanted {
            return Ok(());
        }
        names.push(name);
        if names.cost() > limits::LISTING_BYTES_MAX {
            names.sort(order);
            let middle = names.iter().nth(names.spans.len() / 2).map(<[u8]>::to_vec);
            names = std::mem::take(&mut names).first_half(order);
            end = middle;
        }
        Ok(())
    })?;
    names.sort(order);
    Ok((names, end.is_none()))
}

/// Hands out the wanted names of a folder that is open for reading, in order and in bounded memory, until
/// `take` has enough and says `false`. What comes into the folder meanwhile may be missed.
///
/// Errors: those of `take`, `Io`.
pub(super) fn each_sorted(
    folder: BorrowedFd<'_>,
    order: Order,
    is_wanted: &dyn Fn(&[u8]) -> bool,
    take: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<()> {
    let mut last: Option<Vec<u8>> = None;
    loop {
        let (names, is_all) = read(folder, order, is_wanted, last.as_deref())?;
        for name in names.iter() {
            if !take(name)? {
                return Ok(());
            }
        }
        if is_all {
            return Ok(());
        }
        last = names.iter().last().map(<[u8]>::to_vec);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_halved_in_order() {
        let mut names = Names::default();
        for name in ["d", "b", "", "ccc", "a"] {
            names.push(name.as_bytes());
        }
        let mut half = names.first_half(Order::Up);
        assert_eq!(half.iter().collect::<Vec<_>>(), [b"".as_slice(), b"a"]);
        half.push(b"b");
        half.push(b"c");
        assert_eq!(half.first_half(Order::Down).iter().collect::<Vec<_>>(), [b"c", b"b"]);
    }
}
