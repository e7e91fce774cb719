//! What larder itself changes in the share, told to one listener at the moment it has been done: for places that
//! the kernel does not tell of. Nothing is kept while nobody listens.

use super::names_fresh::FreshPlaces;
use super::path::VaultPath;
use crate::limits;
use crate::threads;
use rustix::event::EventfdFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, Weak};

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// One that nobody has waked yet.
    pub(super) fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self(Arc::new(rustix::event::eventfd(0, flags)?)))
    }

    /// The present wait, or the next, ends at once.
    pub fn wake(&self) {
        // It fails only when so many wakes wait already that one more says nothing new.
        let _is_awake = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// To be waited for.
    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Forgets the wakes until now.
    pub(super) fn rest(&self) {
        let _was_awake_anyway = rustix::io::read(&*self.0, &mut [0_u8; 8]);
    }
}

/// What became of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It stands for something that is new, or other than before.
    Came,
    /// It stands for nothing any more.
    Went,
}

/// Something that changed in a folder, by the name that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// The folder.
    pub folder: VaultPath,
    /// What in it, and what became of that; `None` for several things.
    pub entry: Option<(String, How)>,
}

/// What waits for the listener.
#[derive(Debug)]
pub(super) struct Inbox {
    /// The news, the oldest first.
    waiting: Mutex<Waiting>,
    /// Wakes the listener.
    waker: Waker,
}

/// See `Inbox`.
#[derive(Debug, Default)]
struct Waiting {
    /// The news, the oldest first.
    news: VecDeque<News>,
    /// Whether there was more than is kept: then perhaps everything has changed.
    is_full: bool,
}

impl Inbox {
    /// Keeps news for the listener, within the bound. Of several things in one folder only the folder is told.
    fn put(&self, news: News) {
        let mut waiting = threads::locked(&self.waiting);
        if waiting.is_full {
            return;
        }
        if let Some(last) = waiting.news.back_mut().filter(|last| last.folder == news.folder) {
            if *last != news {
                last.entry = None;
            }
            return;
        }
        if waiting.news.len() >= limits::NEWS_FOLDERS_MAX {
            *waiting = Waiting { is_full: true, ..Waiting::default() };
        } else {
            waiting.news.push_back(news);
        }
        drop(waiting);
        self.waker.wake();
    }

    /// What has come; `None` when that was too much to be told singly.
    pub fn take(&self) -> Option<VecDeque<News>> {
        let waiting = std::mem::take(&mut *threads::locked(&self.waiting));
        if waiting.is_full { None } else { Some(waiting.news) }
    }
}

/// Somebody who is told of everything that comes, at the moment when it has, and must not wait.
pub(super) trait Ear: Send + Sync + std::fmt::Debug {
    /// A name stands for something that is new, or other than before.
    fn came(&self, path: &VaultPath);

    /// Somebody looked at a picture.
    fn seen(&self, path: &VaultPath);

    /// Waits a moment until what came has been dealt with.
    fn settle(&self);
}

/// Something gets another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it was, links on the disk followed.
    pub from: VaultPath,
    /// Where it is then, likewise.
    pub to: VaultPath,
}

/// Somebody who keeps account of where things are.
pub trait Follower: Send + Sync + std::fmt::Debug {
    /// Larder is about to do this; after a crash it can be seen whether it did.
    fn will_move(&self, moves: &[Move]);

    /// It is done, durably.
    fn moved(&self, moves: &[Move]);

    /// It was not done after all.
    fn stayed(&self, moves: &[Move]);
}

/// Tells a follower of moves: what was foreseen and is not settled when this is dropped did not happen.
pub(super) struct Account {
    /// Who is told, if anybody is.
    follower: Option<Arc<dyn Follower>>,
    /// What was foreseen.
    foreseen: Vec<Move>,
}

impl Account {
    /// These moves are about to be made.
    pub fn foresee(&mut self, moves: impl IntoIterator<Item = Move>) {
        let Some(follower) = &self.follower else { return };
        self.foreseen.extend(moves);
        follower.will_move(&self.foreseen);
    }

    /// These were made, durably.
    pub fn settle(mut self, moves: &[Move]) {
        if let Some(follower) = &self.follower {
            follower.moved(moves);
            // What was put under another name than was foreseen, or was called off, is none of them.
            self.foreseen.retain(|foreseen| !moves.contains(foreseen));
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.as_ref().filter(|_| !self.foreseen.is_empty()) {
            follower.stayed(&self.foreseen);
        }
    }
}

/// Where news are handed in.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Who follows the disk while somebody wants to know of changes.
    listener: Mutex<Weak<Inbox>>,
    /// Who is told in any case.
    ear: Mutex<Option<Arc<dyn Ear>>>,
    /// Who keeps account of where things are.
    follower: Mutex<Option<Arc<dyn Follower>>>,
    /// Where something is new, for those who search.
    pub fresh: FreshPlaces,
}

impl Desk {
    /// News are for this listener from now on, as long as it keeps its inbox.
    pub fn listen(&self, waker: Waker) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox { waiting: Mutex::default(), waker });
        *threads::locked(&self.listener) = Arc::downgrade(&inbox);
        inbox
    }

    /// This one is told of what comes from now on.
    pub fn lend_ear(&self, ear: Arc<dyn Ear>) {
        *threads::locked(&self.ear) = Some(ear);
    }

    /// Who is told in any case.
    pub fn ear(&self) -> Option<Arc<dyn Ear>> {
        threads::locked(&self.ear).clone()
    }

    /// This one is told of what larder moves from now on.
    pub fn follow(&self, follower: Arc<dyn Follower>) {
        *threads::locked(&self.follower) = Some(follower);
    }

    /// To tell of moves.
    pub fn account(&self) -> Account {
        Account { follower: threads::locked(&self.follower).clone(), foreseen: Vec::new() }
    }

    /// Whoever listens there listens here.
    pub fn take_over(&self, other: &Self) {
        let listener = threads::locked(&other.listener).clone();
        *threads::locked(&self.listener) = listener;
        *threads::locked(&self.ear) = other.ear();
        let follower = threads::locked(&other.follower).clone();
        *threads::locked(&self.follower) = follower;
    }

    /// A name stands for something that is new, or other than before.
    pub fn came(&self, path: &VaultPath) {
        self.tell(path, How::Came);
        self.fresh.note(path);
        if let Some(ear) = self.ear() {
            ear.came(path);
        }
    }

    /// A name stands for nothing any more.
    pub fn went(&self, path: &VaultPath) {
        self.tell(path, How::Went);
    }

    /// Tells whoever listens; never waits.
    fn tell(&self, path: &VaultPath, how: How) {
        let listener = threads::locked(&self.listener).upgrade();
        let (Some(inbox), Some(folder)) = (listener, path.parent()) else { return };
        inbox.put(News { folder, entry: Some((path.name().to_owned(), how)) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::*;

    /// Folders that have news.
    fn folders(inbox: &Inbox) -> Vec<String> {
        inbox.take().unwrap().iter().map(|news| news.folder.to_string()).collect()
    }

    #[test]
    fn of_several_things_in_one_folder_only_the_folder_is_told() {
        let desk = Desk::default();
        let inbox = desk.listen(Waker::new().unwrap());
        for name in ["a/1", "a/1", "b/1", "a/1", "a/2"] {
            desk.came(&path(name));
        }
        let news = inbox.take().unwrap();
        let told: Vec<_> =
            news.iter().map(|news| (news.folder.as_str(), news.entry.is_some())).collect();
        assert_eq!(told, [("a", true), ("b", true), ("a", false)]);
        assert!(folders(&inbox).is_empty());
    }

    #[test]
    fn what_is_too_much_may_be_everything_and_then_it_goes_on() {
        let desk = Desk::default();
        let inbox = desk.listen(Waker::new().unwrap());
        for number in 0..=limits::NEWS_FOLDERS_MAX {
            desk.went(&path(&format!("{number}/x")));
        }
        assert_eq!(inbox.take(), None);
        desk.came(&path("a/x"));
        assert_eq!(folders(&inbox), ["a"]);
    }

    #[test]
    fn only_the_last_listener_hears_and_nobody_costs_nothing() {
        let desk = Desk::default();
        desk.came(&path("a"));
        let first = desk.listen(Waker::new().unwrap());
        let second = desk.listen(Waker::new().unwrap());
        drop(desk.listen(Waker::new().unwrap()));
        desk.came(&path("a"));
        assert!(folders(&first).is_empty() && folders(&second).is_empty());
        let (other, third) = (Desk::default(), desk.listen(Waker::new().unwrap()));
        other.take_over(&desk);
        other.went(&path("a/b"));
        assert_eq!(folders(&third), ["a"]);
    }
}
