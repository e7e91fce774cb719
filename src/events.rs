//! Who hears of which change. A stream of events subscribes here; one thread follows the disk for all
//! of them, as long as there are any, and puts what changed into each one's bounded inbox. Knows no HTTP,
//! and of users only their number and grant.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::vault::{Change, Grant, Vault, VaultPath, Watcher, Wishes};
use crate::{limits, threads};

/// Where streams subscribe.
pub struct Hub(Arc<Shared>);

/// What the streams and the thread share.
struct Shared {
    /// What is followed.
    vault: Vault,
    /// Who listens.
    state: Mutex<State>,
    /// The number of the last event told.
    sequence: AtomicU64,
}

/// Who listens.
#[derive(Default)]
struct State {
    /// The streams.
    lines: Vec<Arc<Line>>,
    /// Wakes the thread; `None` while it does not run.
    waker: Option<crate::vault::Waker>,
    /// Whether the server is ending.
    is_closed: bool,
}

/// Who wants to listen, and to what.
pub struct Listener {
    /// The user's number.
    pub user: i64,
    /// What they may read.
    pub grant: Arc<Grant>,
    /// Whether everybody's jobs are their business, or only their own.
    pub hears_all_jobs: bool,
    /// The folders they look at; none means all that they may read.
    pub folders: Vec<VaultPath>,
    /// Tells whether the client has left.
    pub is_gone: Box<dyn Fn() -> bool + Send + Sync>,
}

/// One stream as the thread sees it.
struct Line {
    /// Whose it is.
    listener: Listener,
    /// What waits for it.
    inbox: Mutex<Inbox>,
    /// Told when something comes.
    came: Condvar,
}

/// What waits for a stream.
#[derive(Default)]
struct Inbox {
    /// What is to be told.
    news: News,
    /// Since when something waits.
    since: Option<Instant>,
    /// Whether it was told that the folders are followed.
    is_followed: bool,
}

/// What has happened since the last time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Folders whose content changed.
    pub folders: BTreeSet<VaultPath>,
    /// Whether anything else may have changed too.
    pub everything: bool,
    /// Whether a job has changed.
    pub jobs: bool,
    /// Set once when the folders are followed: whether all of them are.
    pub is_followed: Option<bool>,
    /// Whether the stream has to end.
    pub is_over: bool,
}

impl News {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is told at once.
    fn is_urgent(&self) -> bool {
        self.is_over || self.is_followed.is_some()
    }

    /// Notes a changed folder, within the bound.
    fn note(&mut self, folder: &VaultPath) {
        if self.everything || self.folders.contains(folder) {
            return;
        }
        if self.folders.len() >= limits::EVENT_PENDING_FOLDERS_MAX {
            self.folders.clear();
            self.everything = true;
            return;
        }
        self.folders.insert(folder.clone());
    }
}

/// A stream's end of the line. Dropping it unsubscribes.
pub struct Subscription {
    /// Where.
    hub: Arc<Shared>,
    /// The line.
    line: Arc<Line>,
    /// When something was told last.
    told: Option<Instant>,
}

impl Hub {
    /// Nobody listens yet.
    pub fn new(vault: Vault) -> Self {
        Self(Arc::new(Shared { vault, state: Mutex::default(), sequence: AtomicU64::new(0) }))
    }

    /// Starts to follow for one stream. Never waits; `News::is_followed` says when it is done.
    ///
    /// Errors: `TooSoon` when there are too many streams, or the server is ending.
    pub fn subscribe(&self, listener: Listener) -> Result<Subscription> {
        let too_soon = || Error::TooSoon { retry_after_s: limits::EVENT_RETRY_AFTER_S };
        let mut state = self.0.lock();
        if state.is_closed {
            return Err(too_soon());
        }
        let user = listener.user;
        let is_of_user = |line: &&Arc<Line>| line.listener.user == user;
        if state.lines.len() >= limits::EVENT_STREAMS_MAX
            || state.lines.iter().filter(is_of_user).count() >= limits::EVENT_STREAMS_PER_USER_MAX
        {
            // A page that was just left must not keep its place.
            for line in state.lines.iter().filter(|line| (line.listener.is_gone)()) {
                line.change(|inbox| inbox.news.is_over = true);
            }
            state.lines.retain(|line| !line.lock().news.is_over);
        }
        if state.lines.len() >= limits::EVENT_STREAMS_MAX
            || state.lines.iter().filter(is_of_user).count() >= limits::EVENT_STREAMS_PER_USER_MAX
        {
            return Err(too_soon());
        }
        if state.waker.is_none() {
            let watcher = Watcher::new(&self.0.vault).map_err(|_no_descriptors| too_soon())?;
            let (hub, waker) = (Arc::clone(&self.0), watcher.waker());
            // It ends by itself when nobody listens any more.
            threads::spawn("events", move || hub.follow(watcher))
                .map_err(|_no_thread| too_soon())?;
            state.waker = Some(waker);
        }
        let line = Arc::new(Line { listener, inbox: Mutex::default(), came: Condvar::new() });
        state.lines.push(Arc::clone(&line));
        state.wake();
        Ok(Subscription { hub: Arc::clone(&self.0), line, told: None })
    }

    /// What is to be called with a user's number whenever a job of theirs has changed. Never waits.
    pub fn job_teller(&self) -> impl Fn(i64) + Send + Sync + use<> {
        let shared = Arc::clone(&self.0);
        move |owner| {
            for line in &shared.lock().lines {
                if line.listener.hears_all_jobs || line.listener.user == owner {
                    line.change(|inbox| inbox.news.jobs = true);
                }
            }
        }
    }

    /// Ends all streams, and takes no more.
    pub fn close(&self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        for line in &state.lines {
            line.change(|inbox| inbox.news.is_over = true);
        }
    }
}

impl Shared {
    /// Locks the state.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }

    /// The thread: follows the disk as long as anybody listens.
    fn follow(&self, mut watcher: Watcher) {
        let mut lines: Vec<Arc<Line>> = Vec::new();
        loop {
            let mut state = self.lock();
            if state.lines.is_empty() {
                state.waker = None;
                return;
            }
            let is_same = lines.len() == state.lines.len()
                && lines.iter().zip(&state.lines).all(|(one, other)| Arc::ptr_eq(one, other));
            if !is_same {
                lines.clone_from(&state.lines);
            }
            drop(state);
            if !is_same {
                watcher.follow(wishes(&lines));
                let is_complete = watcher.is_complete();
                for line in &lines {
                    line.followed(is_complete);
                }
            }
            watcher.wait(limits::EVENT_HEARTBEAT_TIME, &mut |change| {
                for line in &lines {
                    line.hear(change);
                }
            });
        }
    }
}

impl State {
    /// Wakes the thread, if it runs.
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

/// What all of them together want to have followed.
fn wishes(lines: &[Arc<Line>]) -> Wishes {
    let mut wishes = Wishes::default();
    for line in lines {
        let listener = &line.listener;
        if listener.folders.is_empty() {
            wishes.trees.extend(listener.grant.readable().iter().cloned());
        }
        wishes.folders.extend(listener.folders.iter().cloned());
    }
    wishes
}

impl Line {
    /// Locks the inbox.
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        threads::locked(&self.inbox)
    }

    /// Puts something into the inbox.
    fn change(&self, change: impl FnOnce(&mut Inbox)) {
        let mut inbox = self.lock();
        change(&mut inbox);
        if inbox.news.is_empty() {
            return;
        }
        // Who waits for a group of changes to be gathered is not woken by each of them.
        if inbox.since.is_none() || inbox.news.is_urgent() {
            inbox.since.get_or_insert_with(Instant::now);
            self.came.notify_all();
        }
    }

    /// The folders are followed.
    fn followed(&self, is_complete: bool) {
        self.change(|inbox| {
            if !std::mem::replace(&mut inbox.is_followed, true) {
                inbox.news.is_followed = Some(is_complete);
            }
        });
    }

    /// Something changed on the disk; keeps what this listener may know and wants to.
    fn hear(&self, change: &Change<'_>) {
        match change {
            Change::Everything if self.listener.has_nothing() => {}
            Change::Everything => self.change(|inbox| inbox.news.everything = true),
            Change::Folder { name, real, entry } => {
                if self.listener.wants(name, real, *entry) {
                    self.change(|inbox| inbox.news.note(name));
                }
            }
        }
    }
}

impl Listener {
    /// Whether there is no folder that this listener could hear of.
    fn has_nothing(&self) -> bool {
        self.folders.is_empty() && self.grant.readable().is_empty()
    }

    /// Whether a change in a folder is this listener's business. On the way to something readable only
    /// what leads there is.
    fn wants(&self, name: &VaultPath, real: &VaultPath, entry: Option<&str>) -> bool {
        if !self.folders.is_empty() && !self.folders.contains(name) {
            return false;
        }
        let may_know = |place: &VaultPath| {
            self.grant.may_read(place)
                || entry.is_some_and(|entry| {
                    let below = place.child(entry);
                    below.is_ok_and(|below| self.grant.may_see(&below))
                })
        };
        may_know(name) && (name == real || may_know(real))
    }
}

impl Subscription {
    /// What came, at most so long after now. What comes at once comes together; between two tellings
    /// some time passes, but the end and the beginning do not wait.
    pub fn next(&mut self, time: Duration) -> News {
        let until = Instant::now() + time;
        let mut inbox = self.line.lock();
        loop {
            let now = Instant::now();
            let is_urgent = inbox.news.is_urgent();
            let due = inbox.since.map(|since| {
                let gathered = since + limits::EVENT_GATHER_TIME;
                self.told.map_or(gathered, |told| gathered.max(told + limits::EVENT_INTERVAL))
            });
            if is_urgent || due.is_some_and(|due| due <= now) {
                inbox.since = None;
                self.told = Some(now).filter(|_| !is_urgent).or(self.told);
                return std::mem::take(&mut inbox.news);
            }
            if now >= until {
                return News::default();
            }
            let wake_up = due.map_or(until, |due| due.min(until));
            let waiting =
                self.line.came.wait_timeout(inbox, wake_up.saturating_duration_since(now));
            inbox = threads::whole(waiting).0;
        }
    }

    /// A number for an event, higher than any before it.
    pub fn number(&self) -> u64 {
        self.hub.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The folders that were named.
    pub fn folders(&self) -> &[VaultPath] {
        &self.line.listener.folders
    }

    /// Whether the client has left.
    pub fn is_gone(&self) -> bool {
        (self.line.listener.is_gone)()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.lines.retain(|line| !Arc::ptr_eq(line, &self.line));
        state.wake();
    }
}
