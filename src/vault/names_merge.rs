//! A walk beside the list of the last one: what the list says of a folder, and how the next list comes to be. What the
//! walk does not come to stays as it was listed. As long as nothing is another, nothing is written.

use super::look;
use super::names_list::{List, Piece, Reader, Sort, order};
use super::names_store::{Draft, Store};
use crate::error::Result;
use crate::limits;
use rustix::fs::Statx;
use std::cmp::Ordering;
use std::io;
use std::time::SystemTime;

/// What the list of last time says of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Was {
    /// Nothing.
    Unlisted,
    /// Names that were not to be believed for long.
    Doubtful,
    /// Names, and its mark then.
    Marked(i64),
}

/// The list of one filesystem.
#[derive(Debug)]
pub(super) struct Listed {
    /// Where that begins, by the share root.
    pub top: Vec<u8>,
    /// Where its list lies; `None` while none are kept.
    store: Option<Store>,
    /// The list of last time.
    list: Option<List>,
    /// Whether that is older than lists become.
    is_old: bool,
}

impl Listed {
    /// Of the filesystem with this top.
    pub fn of(top: Vec<u8>, store: Option<Store>) -> Self {
        let (list, is_old) = store.as_ref().and_then(Store::list).unzip();
        Self { top, store, list, is_old: is_old.unwrap_or(true) }
    }

    /// Reads the list of last time, if there is one that can be believed.
    pub fn read(&self) -> Option<Reader> {
        self.list.as_ref().and_then(Reader::of)
    }
}

/// Whether a walk would come to the folder at a place, by the share root, if it were there.
pub(super) type IsAhead<'a> = &'a dyn Fn(&[u8]) -> bool;

/// A mark that is another one whenever names in a folder have come or gone, or another folder is in its place; `None`
/// when the last change was so near that the next could have the same.
pub(super) fn mark_of(stat: &Statx) -> Option<i64> {
    let times = [&stat.stx_mtime, &stat.stx_ctime].map(look::nanoseconds_of);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i128::try_from(now.as_nanos()).unwrap_or(0);
    let is_near = |time: i128| now.abs_diff(time) <= limits::NAMES_FRESH_TIME.as_nanos();
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what differs")]
    let [modified, changed] = times.map(|time| time as i64);
    let mark = modified.wrapping_mul(31) ^ changed;
    let mark = mark.wrapping_mul(31) ^ stat.stx_ino.cast_signed();
    (!times.into_iter().any(is_near)).then_some(mark)
}

/// The place of something, by the share root, that is below the top of a filesystem.
pub(super) fn place_of(top: &[u8], below: &[u8]) -> Vec<u8> {
    let parts = [top, below];
    let parts: Vec<&[u8]> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(&b'/')
}

/// The walk through one filesystem.
#[derive(Debug)]
pub(super) struct Merge {
    /// Its list of last time.
    pub listed: Listed,
    /// The same, where the walk is in it.
    old: Option<Reader>,
    /// Whether a folder's times are believed.
    believes: bool,
    /// The next list, once something is another.
    draft: Option<Draft>,
    /// Whether there will be none.
    is_given_up: bool,
    /// Names in folders that are not as they were listed.
    changed: u64,
    /// Whether a folder is being added.
    is_adding: bool,
    /// How much each name in the folder that is being added counts for that: nothing if it is as it was listed.
    weight: u64,
}

impl Merge {
    /// Beside this list.
    pub fn new(listed: Listed) -> Self {
        let old = listed.read();
        let believes = listed.store.as_ref().is_some_and(Store::believes_times);
        let is_given_up = listed.store.is_none();
        Self {
            listed,
            old,
            believes,
            draft: None,
            is_given_up,
            changed: 0,
            is_adding: false,
            weight: 0,
        }
    }

    /// The place of a folder on this filesystem.
    fn below<'p>(&self, place: &'p [u8]) -> &'p [u8] {
        let below = place.get(self.listed.top.len()..).unwrap_or_default();
        below.strip_prefix(b"/").unwrap_or(below)
    }

    /// Goes to a folder; what is listed of it.
    pub fn seek(&mut self, place: &[u8], is_ahead: IsAhead<'_>) -> Was {
        let below = self.below(place);
        while let Some(piece) = self.old.as_ref().and_then(Reader::piece) {
            match order(&piece.place, below) {
                Ordering::Less => self.pass(is_ahead),
                Ordering::Equal if piece.is_first => {
                    return piece.mark.map_or(Was::Doubtful, Was::Marked);
                }
                _ => break,
            }
        }
        Was::Unlisted
    }

    /// Whether a folder that was listed like this and has this mark now has the names that were listed.
    pub fn is_unchanged(&self, was: Was, now: Option<i64>) -> bool {
        self.believes && now.is_some_and(|now| was == Was::Marked(now))
    }

    /// Passes a piece of a folder that the walk does not come to: it is no more, or was none of its business.
    fn pass(&mut self, is_ahead: IsAhead<'_>) {
        let Some(piece) = self.old.as_ref().and_then(Reader::piece) else { return };
        if is_ahead(&place_of(&self.listed.top, &piece.place)) {
            self.changed += 1;
            self.differ();
            self.step();
        } else {
            self.copy();
        }
    }

    /// Adds the piece of the list that it is at to the next list, and goes on.
    fn copy(&mut self) {
        let piece = self.old.as_ref().and_then(Reader::piece);
        if let (Some(piece), Some(draft)) = (piece, &mut self.draft)
            && copy_to(draft, piece).is_err()
        {
            self.give_up();
        }
        self.step();
    }

    /// Goes on in the list.
    fn step(&mut self) {
        if let Some(old) = &mut self.old {
            old.step();
        }
    }

    /// Hands out the names that were listed in the folder that it has gone to; whether those were all.
    ///
    /// Errors: those of `take`.
    pub fn each_listed(&mut self, take: &mut dyn FnMut(&[u8], Sort) -> Result<()>) -> Result<bool> {
        while let Some(piece) = self.old.as_ref().and_then(Reader::piece) {
            piece.each(take)?;
            let is_last = piece.is_last;
            self.copy();
            if is_last {
                return Ok(true);
            }
        }
        // The rest of the list is spoiled, and the next one has half a folder.
        self.give_up();
        Ok(false)
    }

    /// Something is another: there will be a next list, which begins like this one.
    fn differ(&mut self) {
        if self.draft.is_none() && !self.is_given_up {
            self.draft = self.begin().ok();
            self.is_given_up = self.draft.is_none();
        }
    }

    /// Begins the next list.
    fn begin(&self) -> io::Result<Draft> {
        let store = self.listed.store.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut draft = store.begin()?;
        let passed = self.old.as_ref().map_or(0, Reader::passed);
        let mut before = self.listed.read().filter(|_| passed > 0);
        while let Some(reader) = before.as_mut().filter(|reader| reader.passed() < passed) {
            copy_to(&mut draft, reader.piece().ok_or(io::ErrorKind::UnexpectedEof)?)?;
            reader.step();
        }
        Ok(draft)
    }

    /// There will be no next list.
    pub fn give_up(&mut self) {
        (self.draft, self.is_given_up) = (None, true);
    }

    /// Lists a folder anew that it has gone to and that was listed like this; `now` is its mark.
    pub fn enter(&mut self, place: &[u8], was: Was, now: Option<i64>) {
        self.differ();
        if was != Was::Unlisted {
            while let Some(piece) = self.old.as_ref().and_then(Reader::piece) {
                let is_last = piece.is_last;
                self.step();
                if is_last {
                    break;
                }
            }
        }
        // As far as anybody can say.
        let is_same = was == now.map_or(Was::Doubtful, Was::Marked);
        self.weight = u64::from(!is_same);
        self.changed += self.weight;
        self.is_adding = true;
        let below = self.below(place);
        if let Some(writer) = self.draft.as_mut().and_then(|draft| draft.writer.as_mut()) {
            writer.enter(below, now);
        }
    }

    /// Adds a name to the folder.
    pub fn push(&mut self, name: &[u8], sort: Sort) {
        self.changed += self.weight;
        let writer = self.draft.as_mut().and_then(|draft| draft.writer.as_mut());
        if writer.is_some_and(|writer| writer.push(name, sort).is_err()) {
            self.give_up();
        }
    }

    /// The folder has no more names.
    pub fn leave(&mut self) {
        self.is_adding = false;
        let writer = self.draft.as_mut().and_then(|draft| draft.writer.as_mut());
        if writer.is_some_and(|writer| writer.leave().is_err()) {
            self.give_up();
        }
    }

    /// The walk is over, whole or not: keeps the next list, if it is worth it.
    pub fn finish(mut self, is_ahead: IsAhead<'_>) {
        let writer = self.draft.as_mut().and_then(|draft| draft.writer.as_mut());
        if self.is_adding && writer.is_some_and(|writer| !writer.take_out()) {
            self.give_up();
        }
        while self.old.as_ref().is_some_and(|old| old.piece().is_some()) {
            self.pass(is_ahead);
        }
        let Some(draft) = self.draft.take() else { return };
        let Some(writer) = &draft.writer else { return };
        let is_small = writer.bytes() <= limits::NAMES_SMALL_BYTES;
        let is_much = self.changed.saturating_mul(limits::NAMES_CHANGED_PARTS) >= writer.names();
        let is_worth = self.listed.is_old || self.changed > 0 && (is_small || is_much);
        if let Some(store) = self.listed.store.take().filter(|_| is_worth) {
            store.keep(draft);
        }
    }
}

/// Adds a piece of another list.
fn copy_to(draft: &mut Draft, piece: &Piece) -> io::Result<()> {
    draft.writer.as_mut().map_or(Ok(()), |writer| writer.copy(piece))
}
