//! Noting pictures as they come, beside the work that brings them: what larder stores is put into a short queue, and a
//! thread that lives as long as there is something to do looks through their folders. Nobody waits for it but who asks
//! for Photos, and they not for long. What is too much is dropped: the next scan finds it.

use super::Grant;
use super::mount::Vault;
use super::news::Ear;
use super::path::VaultPath;
use super::photos_look::sort_of;
use super::progress::Progress;
use crate::error::Result;
use crate::{limits, threads};
use std::collections::VecDeque;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

/// A place where pictures have come.
#[derive(Clone, Debug, PartialEq, Eq)]
struct News {
    /// The folder.
    folder: VaultPath,
    /// Whether there may be more below it.
    is_deep: bool,
}

/// Notes pictures as they come.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Where they are.
    vault: Vault,
    /// What waits.
    state: Mutex<State>,
    /// Told when something is done, or somebody wants it now.
    changed: Condvar,
    /// Itself, for its thread.
    own: Weak<Self>,
}

/// See `Keeper`.
#[derive(Debug, Default)]
struct State {
    /// What waits, the oldest first.
    waiting: VecDeque<News>,
    /// Whether a thread is at work.
    is_running: bool,
    /// Whether somebody waits for it.
    is_hurried: bool,
    /// Folders whose pictures were looked at lately, and when.
    seen: VecDeque<(VaultPath, Instant)>,
}

impl Vault {
    /// Notes pictures from now on as larder stores them.
    pub fn keep_photo_notes(&self) {
        let keeper = Arc::new_cyclic(|own| Keeper {
            vault: self.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
            own: own.clone(),
        });
        self.now().news.lend_ear(keeper);
    }
}

impl Ear for Keeper {
    fn came(&self, path: &VaultPath) {
        let is_picture = sort_of(path.name_on_disk().as_bytes()).is_some();
        let folder = if is_picture { path.parent().unwrap_or_default() } else { path.clone() };
        self.put(News { folder, is_deep: !is_picture });
    }

    fn seen(&self, path: &VaultPath) {
        let folder = path.parent().unwrap_or_default();
        let mut state = threads::locked(&self.state);
        state.seen.retain(|(_, when)| when.elapsed() < limits::PHOTOS_SEEN_TIME);
        if state.seen.iter().any(|(known, _)| *known == folder) {
            return;
        }
        if state.seen.len() >= limits::PHOTOS_NEWS_MAX {
            state.seen.pop_front();
        }
        state.seen.push_back((folder.clone(), Instant::now()));
        drop(state);
        self.put(News { folder, is_deep: false });
    }

    fn settle(&self) {
        let until = Instant::now() + limits::PHOTOS_SETTLE_TIME;
        let mut state = threads::locked(&self.state);
        while state.is_running {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state.is_hurried = true;
            self.changed.notify_all();
            state = threads::whole(self.changed.wait_timeout(state, left)).0;
        }
    }
}

impl Keeper {
    /// Puts something into the queue, and sees to it that somebody works on that.
    fn put(&self, news: News) {
        let mut state = threads::locked(&self.state);
        if state.waiting.contains(&news) || state.waiting.len() >= limits::PHOTOS_NEWS_MAX {
            return;
        }
        state.waiting.push_back(news);
        if state.is_running {
            return;
        }
        let Some(own) = self.own.upgrade() else { return };
        // Without a thread the next news tries again, or the scan finds it.
        state.is_running = threads::spawn("photo-notes", move || own.work()).is_ok();
    }

    /// Works until nothing waits.
    fn work(&self) {
        threads::step_back();
        let mut pause = limits::PHOTOS_NEWS_PAUSE;
        while let Some(batch) = self.next_batch(pause) {
            let began = Instant::now();
            for news in batch {
                // What cannot be looked through now, the scan finds.
                let _found_later = self.look_through(&news);
            }
            // Large folders that are filled picture by picture are not looked through all the time.
            pause = (began.elapsed() * limits::PHOTOS_NEWS_SHARE)
                .clamp(limits::PHOTOS_NEWS_PAUSE, limits::PHOTOS_NEWS_PAUSE_MAX);
        }
    }

    /// Lets some more come, then takes what has; `None` when there is nothing, and the work is over.
    fn next_batch(&self, pause: Duration) -> Option<VecDeque<News>> {
        let until = Instant::now() + pause;
        let mut state = threads::locked(&self.state);
        if state.waiting.is_empty() {
            (state.is_running, state.is_hurried) = (false, false);
            drop(state);
            self.changed.notify_all();
            return None;
        }
        while !state.is_hurried {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = threads::whole(self.changed.wait_timeout(state, left)).0;
        }
        state.is_hurried = false;
        Some(std::mem::take(&mut state.waiting))
    }

    /// Looks through one place.
    fn look_through(&self, news: &News) -> Result<()> {
        let share = self.vault.share(Arc::new(Grant::everything()), "photos")?;
        share.note_photos(&news.folder, news.is_deep, &Progress::default())
    }
}
