//! How far work that lasts has come, and whether it shall go on. Shared between who does the work and who
//! watches it. Knows neither jobs nor callers.

use super::path::VaultPath;
use super::trash_id::TrashId;
use crate::error::{Error, Result};
use crate::{limits, threads};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The numbers of some work, changed by one thread and read by many.
#[derive(Default)]
pub struct Progress {
    /// Bytes and things so far.
    done: (AtomicU64, AtomicU64),
    /// Bytes and things in all, as far as they were counted.
    total: (AtomicU64, AtomicU64),
    /// Whether it shall stop.
    is_cancelled: AtomicBool,
    /// Who is told now and then that the numbers have changed.
    watcher: Option<Box<dyn Fn() + Send + Sync>>,
    /// Whether whoever wanted the work still may have it done; asked now and then.
    judge: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// When that happened last.
    told: Mutex<Option<Instant>>,
    /// What the work has put into the trash.
    trash: Mutex<Arc<Vec<TrashId>>>,
    /// Where the things are that it has moved or copied; `None` of other work, and until that is known.
    places: Mutex<Option<Arc<Vec<VaultPath>>>>,
}

/// The numbers at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes that were copied.
    pub done_bytes: u64,
    /// Bytes to be copied.
    pub total_bytes: u64,
    /// Files, folders and links that are done with.
    pub done_items: u64,
    /// How many of them there are.
    pub total_items: u64,
}

impl Progress {
    /// Work that somebody watches: it is counted first, and `watcher` is called when numbers have changed,
    /// a few times a second at most.
    pub fn watched(watcher: impl Fn() + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Box::new(watcher)), ..Self::default() }
    }

    /// The same work, called off as soon as `judge` says no. It is asked a few times a second at most, and only
    /// while the work goes on.
    pub fn while_judged(mut self, judge: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.judge = Some(Box::new(judge));
        self
    }

    /// The numbers now.
    pub fn counts(&self) -> Counts {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counts {
            done_bytes: get(&self.done.0),
            total_bytes: get(&self.total.0),
            done_items: get(&self.done.1),
            total_items: get(&self.total.1),
        }
    }

    /// What the work has put into the trash, durably, so far.
    pub fn trash(&self) -> Arc<Vec<TrashId>> {
        Arc::clone(&threads::locked(&self.trash))
    }

    /// So many things are remembered no more, because nobody is expected to ask.
    pub fn forget_trash(&self) -> usize {
        std::mem::take(&mut *threads::locked(&self.trash)).len()
    }

    /// Where the things are now, durably, that the work has moved or copied; `None` of other work, while that goes on,
    /// and when it is forgotten.
    pub fn places(&self) -> Option<Arc<Vec<VaultPath>>> {
        threads::locked(&self.places).clone()
    }

    /// The things are there now.
    pub fn found_places(&self, places: Vec<VaultPath>) {
        *threads::locked(&self.places) = Some(Arc::new(places));
    }

    /// The places are remembered no more, because nobody is expected to ask.
    pub fn forget_places(&self) {
        *threads::locked(&self.places) = None;
    }

    /// Asks the work to stop at the next opportunity.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// Whether counting first is worth its time.
    pub(super) fn is_watched(&self) -> bool {
        self.watcher.is_some()
    }

    /// Asks whether to go on.
    ///
    /// Errors: `Cancelled`.
    pub(super) fn go_on(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// So much more is ahead.
    pub(super) fn expect(&self, bytes: u64, items: u64) {
        self.total.0.fetch_add(bytes, Ordering::Relaxed);
        self.total.1.fetch_add(items, Ordering::Relaxed);
        self.tell();
    }

    /// So much more is done.
    pub(super) fn add(&self, bytes: u64, items: u64) {
        self.done.0.fetch_add(bytes, Ordering::Relaxed);
        self.done.1.fetch_add(items, Ordering::Relaxed);
        self.tell();
    }

    /// This has gone into the trash.
    pub(super) fn threw_away(&self, id: TrashId) {
        let mut trash = threads::locked(&self.trash);
        Arc::make_mut(&mut trash).push(id);
    }

    /// Asks the judge and tells the watcher, unless that was a moment ago.
    fn tell(&self) {
        if self.watcher.is_none() && self.judge.is_none() {
            return;
        }
        let mut told = threads::locked(&self.told);
        if told.is_some_and(|told| told.elapsed() < limits::PROGRESS_INTERVAL) {
            return;
        }
        *told = Some(Instant::now());
        drop(told);
        if self.judge.as_ref().is_some_and(|judge| !judge()) {
            self.cancel();
        }
        if let Some(watcher) = &self.watcher {
            watcher();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_watcher_is_told_now_and_then_and_the_numbers_are_exact() {
        let told = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&told);
        let progress = Progress::watched(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        progress.expect(7000, 1000);
        for _ in 0..1000 {
            progress.add(7, 1);
        }
        assert!((1..1000).contains(&told.load(Ordering::Relaxed)));
        let counts =
            Counts { done_bytes: 7000, total_bytes: 7000, done_items: 1000, total_items: 1000 };
        assert_eq!(progress.counts(), counts);
        assert!(progress.go_on().is_ok());
        progress.cancel();
        assert!(matches!(progress.go_on(), Err(Error::Cancelled)));
    }

    #[test]
    fn work_ends_when_whoever_wanted_it_may_no_longer() {
        let may = Arc::new(AtomicBool::new(true));
        let judge = Arc::clone(&may);
        let progress = Progress::default().while_judged(move || judge.load(Ordering::Relaxed));
        progress.add(1, 1);
        assert!(progress.go_on().is_ok() && !progress.is_watched());
        may.store(false, Ordering::Relaxed);
        while progress.go_on().is_ok() {
            progress.add(1, 1);
        }
    }
}
