//! The names in a folder in order, in bounded memory, however many there are. What was read is kept for as
//! long as nobody else in the house needs the memory: whoever does not go on, because a client does not
//! read, is called back and reads the folder again from where they were.

use super::gate::Pass;
use super::look;
use super::os;
use crate::budget::{self, Holder, Loan};
use crate::error::Result;
use crate::{limits, threads};
use rustix::fd::BorrowedFd;
use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

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
        spans.sort_unstable_by(|one, other| {
            threads::give_way();
            order.of(self.get(*one), self.get(*other))
        });
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

/// Where names wait that were read and not handed out yet.
pub(super) struct Shelf(Mutex<Option<Stock>>);

/// What is on a shelf: one after another, what a folder has behind a name.
struct Stock {
    /// The names, sorted.
    names: Names,
    /// What they come behind; `None` at the beginning.
    after: Option<Vec<u8>>,
    /// Whether there are no more.
    is_all: bool,
    /// When somebody took some last.
    touched: Instant,
    /// The memory that they take, unless it is next to nothing.
    loan: Option<Loan>,
}

impl Shelf {
    /// An empty one, which gives back what is not used.
    pub fn new() -> Arc<Self> {
        let shelf = Arc::new(Self(Mutex::default()));
        let weak: Weak<Self> = Arc::downgrade(&shelf);
        budget::house().may_call_back(weak);
        shelf
    }

    /// Some names behind `last`, and whether those are the rest of all; `None` when they must be read.
    fn some_behind(&self, last: Option<&[u8]>, order: Order) -> Option<(Names, bool)> {
        let mut kept = self.lock();
        let stock = kept.as_mut()?;
        // Whoever begins anew needs those from the beginning.
        if last.is_none() && stock.after.is_some() {
            return None;
        }
        stock.touched = Instant::now();
        let spans = &stock.names.spans;
        let is_behind = |span: &(u32, u16)| {
            last.is_none_or(|last| order.of(last, stock.names.get(*span)).is_lt())
        };
        let from = spans.partition_point(|span| !is_behind(span));
        let mut some = Names::default();
        for span in &spans[from..] {
            if some.cost() >= limits::LISTING_BATCH_BYTES {
                return Some((some, false));
            }
            some.push(stock.names.get(*span));
        }
        let is_used_up = some.spans.is_empty() && !stock.is_all;
        (!is_used_up).then_some((some, stock.is_all))
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, Option<Stock>> {
        threads::locked(&self.0)
    }
}

impl Holder for Shelf {
    fn paused(&self) -> Option<Duration> {
        let kept = self.0.try_lock().ok()?;
        kept.as_ref().filter(|stock| stock.loan.is_some()).map(|stock| stock.touched.elapsed())
    }

    fn give_back(&self) {
        let _stock = self.lock().take();
    }
}

/// A folder whose names are wanted in order.
pub(super) struct Source<'a> {
    /// The folder, open for reading.
    pub folder: BorrowedFd<'a>,
    /// In which order.
    pub order: Order,
    /// Which names.
    pub is_wanted: &'a dyn Fn(&[u8]) -> bool,
    /// Waits for the drive, where one has to.
    pub enter: Option<&'a dyn Fn() -> Result<Pass>>,
}

impl Source<'_> {
    /// Hands out the names until `take` has enough and says `false`. What comes into the folder meanwhile
    /// may be missed. While `take` works, what is on the shelf may be called back.
    ///
    /// Errors: those of `take`, `Io`, `DriveBusy`, `TooSoon` (too many such at once).
    pub fn each(&self, kept_on: &Shelf, take: &mut dyn FnMut(&[u8]) -> Result<bool>) -> Result<()> {
        let mut last: Option<Vec<u8>> = None;
        loop {
            let Some((names, is_rest)) = kept_on.some_behind(last.as_deref(), self.order) else {
                // What was there first makes room for what comes.
                *kept_on.lock() = None;
                let stock = self.read(last.as_deref())?;
                *kept_on.lock() = Some(stock);
                continue;
            };
            for name in names.iter() {
                threads::give_way();
                if !take(name)? {
                    return Ok(());
                }
            }
            if is_rest {
                return Ok(());
            }
            last = names.iter().last().map(<[u8]>::to_vec);
        }
    }

    /// Reads the folder once: the first names behind `after`, as many as memory allows.
    fn read(&self, after: Option<&[u8]>) -> Result<Stock> {
        let mut pass = self.enter.map(|enter| enter()).transpose()?;
        let is_before = |one: &[u8], other: &[u8]| self.order.of(one, other).is_lt();
        let mut names = Names::default();
        // Names from here on wait for a later pass.
        let mut end: Option<Vec<u8>> = None;
        let (mut work, mut loan) = (None::<budget::Turn>, None::<Loan>);
        let mut bound = limits::LISTING_SMALL_BYTES;
        look::each_name(self.folder, os, &mut |name| {
            threads::give_way();
            let is_wanted = after.is_none_or(|after| is_before(after, name))
                && end.as_ref().is_none_or(|end| is_before(name, end))
                && (self.is_wanted)(name);
            if !is_wanted {
                return Ok(());
            }
            names.push(name);
            if names.cost() > bound && bound < limits::LISTING_BYTES_MAX {
                // Who waits for a turn or for memory keeps nobody from the drive.
                pass = None;
                work.get_or_insert_with(|| budget::house().turn());
                grow(&mut loan)?;
                // The rest is for the half that is copied while thinning out.
                let lent = loan.as_ref().map_or(0, Loan::bytes);
                bound = bound.max(lent / 3 * 2).min(limits::LISTING_BYTES_MAX);
            }
            if names.cost() > bound {
                names.sort(self.order);
                let middle = names.iter().nth(names.spans.len() / 2).map(<[u8]>::to_vec);
                names = std::mem::take(&mut names).first_half(self.order);
                end = middle;
            }
            Ok(())
        })?;
        drop(pass);
        names.sort(self.order);
        names.bytes.shrink_to_fit();
        names.spans.shrink_to_fit();
        if let Some(loan) = &mut loan {
            loan.shrink_to(names.cost());
        }
        let after = after.map(<[u8]>::to_vec);
        let touched = Instant::now();
        Ok(Stock { names, after, is_all: end.is_none(), touched, loan })
    }
}

/// Lends some more for reading a large folder: the first of it is waited for, what does not come then
/// costs another pass.
///
/// Errors: `TooSoon`.
fn grow(loan: &mut Option<Loan>) -> Result<()> {
    let step = limits::LISTING_STEP_BYTES;
    match loan {
        None => *loan = Some(budget::house().lend(step)?),
        Some(loan) => {
            if let Some(more) = budget::house().lend_at_once(step) {
                loan.join(more);
            }
        }
    }
    Ok(())
}

/// Hands out the wanted names of a folder that is open for reading, in order, until `take` has enough and
/// says `false`. What comes into the folder meanwhile may be missed.
///
/// Errors: those of `take`, `Io`, `TooSoon`.
pub(super) fn each_sorted(
    folder: BorrowedFd<'_>,
    order: Order,
    is_wanted: &dyn Fn(&[u8]) -> bool,
    take: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<()> {
    Source { folder, order, is_wanted, enter: None }.each(&Shelf::new(), take)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd as _;

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

    #[test]
    fn what_was_called_back_is_read_again_from_where_one_was() {
        let folder = tempfile::tempdir().unwrap();
        let wanted: Vec<Vec<u8>> = (0..2000).map(|n| format!("{n:040}").into_bytes()).collect();
        for name in &wanted {
            let name = std::str::from_utf8(name).unwrap();
            std::fs::File::create(folder.path().join(name)).unwrap();
        }
        let handle = std::fs::File::open(folder.path()).unwrap();
        let everything = |_: &[u8]| true;
        let source = Source {
            folder: handle.as_fd(),
            order: Order::Up,
            is_wanted: &everything,
            enter: None,
        };
        let shelf = Shelf::new();
        for _ in 0..2 {
            let mut seen = Vec::new();
            let take = &mut |name: &[u8]| {
                seen.push(name.to_vec());
                shelf.give_back();
                Ok(true)
            };
            source.each(&shelf, take).unwrap();
            assert!(seen == wanted);
        }
    }
}
