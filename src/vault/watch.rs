//! Following changes on the disk, whoever makes them: inotify watches on folders of the share, and a
//! look now and then at what could not be watched. Keeps no folder open, and a watch keeps no drive
//! from being unmounted. Knows no callers: who may hear of a change is asked elsewhere.

use super::gate::Patience;
use super::look::{self, FileId};
use super::mounts;
use super::news::{How, Inbox, News, Waker};
use super::path::is_reserved;
use super::resolve::{Finder, Follow};
use super::{Vault, VaultPath, raw_name};
use crate::error::Error;
use crate::limits;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::Statx;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What of a folder is told: names that come and go, files that were written and closed, and what
/// changes of a file without its content (mode, times).
const WATCHED: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

/// Bytes of the kernel's news read at once: some 500 changes.
const NEWS_BYTES: usize = 16 << 10;

/// Reads in one `wait`, so that a storm of changes does not keep the caller for ever.
const READS_PER_WAIT: usize = 16;

/// What is to be followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Folders with all that is below them, as far as `EVENT_FOLDERS_MAX` reaches.
    pub trees: BTreeSet<VaultPath>,
    /// Single folders; links are followed.
    pub folders: BTreeSet<VaultPath>,
}

/// Something that changed.
#[derive(Debug)]
pub enum Change<'a> {
    /// The content of a folder, or the folder itself came or went.
    Folder {
        /// What it was called when it was wished for.
        name: &'a VaultPath,
        /// Where it really is, links resolved.
        real: &'a VaultPath,
        /// What in it, where that is known and can be said.
        entry: Option<&'a str>,
    },
    /// Perhaps anything: the drive came or went, or there was too much to tell.
    Everything,
}

/// Takes what changed.
pub type Tell<'a> = dyn FnMut(&Change<'_>) + 'a;

/// What a folder looked like when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    /// Which folder it is.
    id: FileId,
    /// Its `mtime` and `ctime` (ns).
    times: (i128, i128),
}

impl Print {
    /// From what the kernel says.
    fn of(stat: &Statx) -> Self {
        let times = (look::nanoseconds_of(&stat.stx_mtime), look::nanoseconds_of(&stat.stx_ctime));
        Self { id: look::id_of(stat), times }
    }
}

/// One followed folder.
#[derive(Debug)]
struct Seat {
    /// Where it really is; `None` where that is its name.
    real: Option<VaultPath>,
    /// The kernel's number for its watch; `None` where it is looked at now and then instead.
    watch: Option<i32>,
    /// What it looked like.
    print: Print,
}

/// The drive that is being followed.
#[derive(Debug, PartialEq, Eq)]
struct Base {
    /// Which folder its root is.
    root: FileId,
    /// The mounts around it.
    mounts: Vec<u8>,
}

/// Follows changes for one thread.
#[derive(Debug)]
pub struct Watcher {
    /// Where the share root is found, wherever that is at the moment.
    vault: Vault,
    /// `None` where the kernel gives none: then everything is looked at now and then.
    inotify: Option<OwnedFd>,
    /// See `Waker`.
    waker: Waker,
    /// What larder itself changes.
    own: Arc<Inbox>,
    /// What is wished for.
    wishes: Wishes,
    /// The followed folders by name.
    seats: BTreeMap<VaultPath, Seat>,
    /// Their names by watch: one folder may have several.
    names: HashMap<i32, Vec<VaultPath>>,
    /// Trees that were walked to their end.
    grown: BTreeSet<VaultPath>,
    /// Seats without a watch.
    polled: usize,
    /// Folders that may be followed for the sake of trees.
    seats_max: usize,
    /// Whether all that is wished for is followed.
    is_complete: bool,
    /// The drive; `None` while it is away.
    base: Option<Base>,
    /// Whether something was lost, so that all must be looked at again.
    is_stale: bool,
    /// When that was last done.
    checked: Instant,
}

impl Watcher {
    /// Follows nothing yet.
    ///
    /// Errors: no descriptor is left.
    pub fn new(vault: &Vault) -> io::Result<Self> {
        let waker = Waker::new()?;
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        Ok(Self {
            vault: vault.clone(),
            inotify,
            own: vault.now().news.listen(waker.clone()),
            waker,
            wishes: Wishes::default(),
            seats: BTreeMap::new(),
            names: HashMap::new(),
            grown: BTreeSet::new(),
            polled: 0,
            seats_max: limits::EVENT_FOLDERS_MAX.min(watches_of_user() / 2),
            is_complete: true,
            base: None,
            is_stale: false,
            checked: Instant::now(),
        })
    }

    /// The same with room for fewer folders, or without the kernel's help.
    #[cfg(test)]
    pub(super) fn with_less(mut self, seats_max: usize, has_kernel: bool) -> Self {
        self.seats_max = seats_max;
        self.inotify = self.inotify.filter(|_| has_kernel);
        self
    }

    /// The same that never looks at anything by itself.
    #[cfg(test)]
    pub(super) fn without_looks(mut self) -> Self {
        self.checked += Duration::from_hours(1);
        self
    }

    /// Ends a `wait` of this watcher.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether all that is wished for is followed; else the tree is too large.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Follows these from now on, and nothing else.
    pub fn follow(&mut self, mut wishes: Wishes) {
        let trees = std::mem::take(&mut wishes.trees);
        for tree in trees {
            // In order, so a tree comes before those within it.
            if !wishes.trees.iter().any(|outer| tree.starts_with(outer)) {
                wishes.trees.insert(tree);
            }
        }
        let unwanted: Vec<VaultPath> =
            self.seats.keys().filter(|name| !is_wanted(&wishes, name)).cloned().collect();
        for name in unwanted {
            self.remove(&name);
        }
        let grown = std::mem::take(&mut self.grown);
        if self.is_complete {
            let is_grown = |tree: &&VaultPath| grown.iter().any(|outer| tree.starts_with(outer));
            self.grown = wishes.trees.iter().filter(is_grown).cloned().collect();
        }
        self.is_complete = true;
        self.wishes = wishes;
        if let Some((finder, base)) = self.look_at_root() {
            if self.base.as_ref() != Some(&base) {
                self.clear();
                self.base = Some(base);
            }
            self.plant(&finder);
        }
    }

    /// Waits for changes, at most so long, and tells them.
    pub fn wait(&mut self, time: Duration, tell: &mut Tell<'_>) {
        let until_check = limits::EVENT_RECHECK_TIME.saturating_sub(self.checked.elapsed());
        let timeout = Timespec::try_from(time.min(until_check)).unwrap_or_default();
        let mut polled = vec![PollFd::from_borrowed_fd(self.waker.handle(), PollFlags::IN)];
        polled.extend(self.inotify.iter().map(|inotify| PollFd::new(inotify, PollFlags::IN)));
        let _interrupted_is_as_good = rustix::event::poll(&mut polled, Some(&timeout));
        self.waker.rest();
        for _ in 0..READS_PER_WAIT {
            let news = self.read();
            if news.is_empty() {
                break;
            }
            for (watch, flags, entry) in news {
                self.hear(watch, flags, entry.as_deref(), tell);
            }
        }
        match self.own.take() {
            Some(news) => news.iter().for_each(|news| self.hear_own(news, tell)),
            None => tell(&Change::Everything),
        }
        if self.checked.elapsed() >= limits::EVENT_RECHECK_TIME {
            self.recheck(tell);
            self.checked = Instant::now();
        }
    }

    /// One buffer of the kernel's news.
    fn read(&self) -> Vec<(i32, ReadFlags, Option<String>)> {
        let mut news = Vec::new();
        let Some(inotify) = &self.inotify else { return news };
        let mut buffer = [MaybeUninit::uninit(); NEWS_BYTES];
        let mut reader = inotify::Reader::new(inotify, &mut buffer);
        while let Ok(event) = reader.next() {
            let entry = event.file_name().map(|name| raw_name::tell(name.to_bytes()).into_owned());
            news.push((event.wd(), event.events(), entry));
            if reader.is_buffer_empty() {
                break;
            }
        }
        news
    }

    /// Understands one piece of news.
    fn hear(&mut self, watch: i32, flags: ReadFlags, entry: Option<&str>, tell: &mut Tell<'_>) {
        if flags.intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::UNMOUNT) {
            self.is_stale = true;
        }
        let Some(names) = self.names.get(&watch).cloned() else { return };
        if flags.contains(ReadFlags::IGNORED) {
            // The kernel has dropped the watch.
            self.names.remove(&watch);
            for name in names {
                self.seats.remove(&name);
            }
            return;
        }
        if flags.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
            for name in names {
                self.is_stale |= name.is_root();
                self.uproot(&name, tell);
            }
            return;
        }
        let Some(entry) = entry.filter(|entry| !is_reserved(entry)) else { return };
        for name in names {
            self.tell_of(&name, Some(entry), tell);
            if !flags.contains(ReadFlags::ISDIR) {
                continue;
            }
            let below = name.join(entry);
            if flags.intersects(ReadFlags::MOVED_FROM | ReadFlags::DELETE) {
                self.uproot(&below, tell);
            }
            if flags.intersects(ReadFlags::MOVED_TO | ReadFlags::CREATE) {
                self.sprout(&below, tell);
            }
        }
    }

    /// Understands what larder itself has changed. Where the kernel watches it has told already.
    fn hear_own(&mut self, news: &News, tell: &mut Tell<'_>) {
        let is_watched = |seat: &Seat| seat.watch.is_some();
        let entry = news.entry.as_ref().map(|(entry, _)| entry.as_str());
        if self.seats.get(&news.folder).is_some_and(is_watched) {
            return;
        }
        let Some((finder, _)) = self.look_at_root() else { return };
        let spot = finder.glance_at(&news.folder, Follow::Last);
        let real = spot.map_or_else(|_gone| news.folder.clone(), |spot| spot.path);
        let is_it = |name: &VaultPath, seat: &Seat| seat.real.as_ref().unwrap_or(name) == &real;
        let seats = self.seats.iter().filter(|(name, seat)| is_it(name, seat));
        let (watched, looked_at): (Vec<_>, Vec<_>) = seats.partition(|(_, seat)| is_watched(seat));
        if !watched.is_empty() {
            return;
        }
        let names: Vec<VaultPath> = looked_at.into_iter().map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.tell_of(name, entry, tell);
            match &news.entry {
                Some((entry, How::Came)) => self.sprout(&name.join(entry), tell),
                Some((entry, How::Went)) => self.uproot(&name.join(entry), tell),
                None => {}
            }
        }
        // The tree is too large to be followed whole.
        if names.is_empty() && is_wanted(&self.wishes, &real) {
            tell(&Change::Folder { name: &real, real: &real, entry });
        }
    }

    /// Tells that a followed folder changed.
    fn tell_of(&self, name: &VaultPath, entry: Option<&str>, tell: &mut Tell<'_>) {
        if let Some(seat) = self.seats.get(name) {
            tell(&Change::Folder { name, real: seat.real.as_ref().unwrap_or(name), entry });
        }
    }

    /// A folder has appeared: follows it if that is wished for.
    fn sprout(&mut self, name: &VaultPath, tell: &mut Tell<'_>) {
        if !is_wanted(&self.wishes, name) {
            return;
        }
        let Some((finder, _)) = self.look_at_root() else { return };
        if !self.wishes.trees.iter().any(|tree| name.starts_with(tree)) {
            return self.plant(&finder);
        }
        for new in self.grow(&finder, name) {
            // Something may have been put into it before it was followed.
            self.tell_of(&new, None, tell);
        }
    }

    /// A folder has gone, with all that was below it.
    fn uproot(&mut self, name: &VaultPath, tell: &mut Tell<'_>) {
        self.tell_of(name, None, tell);
        let below: Vec<VaultPath> = self
            .seats
            .range::<VaultPath, _>((Bound::Included(name), Bound::Unbounded))
            .map(|(found, _)| found)
            // Between a folder and what is in it others may stand: `a`, `a b`, `a/c`.
            .take_while(|found| found.as_str().starts_with(name.as_str()))
            .filter(|found| found.starts_with(name))
            .cloned()
            .collect();
        for found in below {
            self.remove(&found);
        }
        self.grown.retain(|tree| !tree.starts_with(name));
    }

    /// Follows what is wished for and not followed yet.
    fn plant(&mut self, finder: &Finder) {
        for name in self.wishes.folders.clone() {
            if !self.seats.contains_key(&name) {
                // A folder that is not there is looked for again later.
                let _closed_again = self.sit(finder, &name, Follow::Last);
            }
        }
        for tree in self.wishes.trees.clone() {
            let mut above = tree.parent();
            while let Some(name) = above {
                if !self.seats.contains_key(&name) {
                    let _closed_again = self.sit(finder, &name, Follow::NotLast);
                }
                above = name.parent();
            }
            if !self.grown.contains(&tree) {
                self.grow(finder, &tree);
                if self.seats.contains_key(&tree) {
                    self.grown.insert(tree);
                }
            }
        }
    }

    /// Follows a folder and all below it, the upper ones first; returns what was not followed before.
    fn grow(&mut self, finder: &Finder, top: &VaultPath) -> Vec<VaultPath> {
        let mut new = Vec::new();
        let mut ahead = VecDeque::from([top.clone()]);
        while let Some(name) = ahead.pop_front() {
            let was_followed = self.seats.contains_key(&name);
            let Some(folder) = self.sit(finder, &name, Follow::NotLast) else { continue };
            let mut room = self.seats_max.saturating_sub(self.seats.len() + ahead.len());
            let listed = look::each_folder(folder.as_fd(), &mut |below| {
                let below = raw_name::tell(below);
                let path = name.join(&below);
                if is_reserved(&below) || path.on_disk().len() > limits::PATH_BYTES_MAX {
                    return true;
                }
                if room == 0 {
                    self.is_complete = false;
                    return false;
                }
                room -= 1;
                ahead.push_back(path);
                true
            });
            self.is_complete &= listed.is_ok();
            if !was_followed {
                new.push(name);
            }
        }
        new
    }

    /// Follows one folder from now on; the folder itself, open to be listed, if it can be followed.
    fn sit(&mut self, finder: &Finder, name: &VaultPath, follow: Follow) -> Option<OwnedFd> {
        let spot = finder.glance_at(name, follow).ok().filter(super::resolve::Spot::is_folder)?;
        let folder = look::open_to_read(&spot.folder, spot.name.as_bytes()).ok()?;
        let print = Print::of(&look::look_at(&folder).ok()?);
        let watch = self.watch(&folder);
        if self.seats.get(name).is_some_and(|seat| watch.is_none() || seat.watch != watch) {
            self.remove(name);
        }
        if watch.is_none() && self.polled >= limits::EVENT_POLLED_FOLDERS_MAX {
            self.is_complete = false;
            return None;
        }
        let real = Some(spot.path).filter(|real| real != name);
        if self.seats.insert(name.clone(), Seat { real, watch, print }).is_none() {
            match watch {
                Some(watch) => self.names.entry(watch).or_default().push(name.clone()),
                None => self.polled += 1,
            }
        }
        Some(folder)
    }

    /// Asks the kernel to watch a folder.
    fn watch(&self, folder: &OwnedFd) -> Option<i32> {
        let inotify = self.inotify.as_ref()?;
        // By its handle, so that what is watched is what was found.
        let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
        inotify::add_watch(inotify, path, WATCHED).ok()
    }

    /// Follows a folder no longer.
    fn remove(&mut self, name: &VaultPath) {
        let Some(seat) = self.seats.remove(name) else { return };
        let Some(watch) = seat.watch else {
            self.polled -= 1;
            return;
        };
        let Some(names) = self.names.get_mut(&watch) else { return };
        names.retain(|other| other != name);
        if names.is_empty() {
            self.names.remove(&watch);
            if let Some(inotify) = &self.inotify {
                // The kernel may have dropped it before.
                let _gone_already = inotify::remove_watch(inotify, watch);
            }
        }
    }

    /// Follows nothing.
    fn clear(&mut self) {
        for name in self.seats.keys().cloned().collect::<Vec<_>>() {
            self.remove(&name);
        }
        self.grown.clear();
        self.is_complete = true;
    }

    /// The share root, open for a moment; `None` while it is away.
    fn look_at_root(&self) -> Option<(Finder, Base)> {
        let share_root = self.vault.now();
        let (handle, home) = share_root.open_within(Patience::Glance).ok()?;
        let root = look::id_of(&look::look_at(&handle).ok()?);
        let base = Base { root, mounts: mounts::mounts_around(handle.as_fd()) };
        Some((Finder::new(share_root, Arc::new(handle), home), base))
    }

    /// Looks whether the drive is still the same, and after what the kernel does not tell.
    fn recheck(&mut self, tell: &mut Tell<'_>) {
        let Some((finder, base)) = self.look_at_root() else {
            let again = self.vault.now().open_within(Patience::Glance);
            if matches!(again, Err(Error::StorageAbsent)) && self.base.take().is_some() {
                self.clear();
                tell(&Change::Everything);
            }
            return;
        };
        if self.is_stale || self.base.as_ref() != Some(&base) {
            self.clear();
            self.base = Some(base);
            self.is_stale = false;
            self.plant(&finder);
            tell(&Change::Everything);
            return;
        }
        let looked_after: Vec<VaultPath> = self
            .seats
            .iter()
            .filter(|(name, seat)| seat.watch.is_none() || self.wishes.folders.contains(*name))
            .map(|(name, _)| name.clone())
            .chain(self.wishes.folders.iter().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        for name in looked_after {
            self.look_after(&finder, &name, tell);
        }
        let is_missing = |tree: &VaultPath| !self.seats.contains_key(tree);
        if self.wishes.trees.iter().any(is_missing) {
            self.plant(&finder);
        }
    }

    /// Looks at one folder that was named, or that is not watched.
    fn look_after(&mut self, finder: &Finder, name: &VaultPath, tell: &mut Tell<'_>) {
        let follow =
            if self.wishes.folders.contains(name) { Follow::Last } else { Follow::NotLast };
        let spot = finder.glance_at(name, follow).ok();
        let found = spot.as_ref().and_then(|spot| spot.stat.as_ref()).map(Print::of);
        let known = self.seats.get(name).map(|seat| (seat.print, seat.watch.is_some()));
        let is_same = match (found, known) {
            (Some(found), Some((known, true))) => found.id == known.id,
            (Some(found), Some((known, false))) => found == known,
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        self.tell_of(name, None, tell);
        self.remove(name);
        let _closed_again = self.sit(finder, name, follow);
        self.tell_of(name, None, tell);
    }
}

/// Whether a folder is one of those wished for, or on the way to one.
fn is_wanted(wishes: &Wishes, name: &VaultPath) -> bool {
    wishes.folders.contains(name)
        || wishes.trees.iter().any(|tree| name.starts_with(tree) || tree.starts_with(name))
}

/// How many watches the kernel gives one user.
fn watches_of_user() -> usize {
    let told = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
    told.ok().and_then(|told| told.trim().parse().ok()).unwrap_or(limits::EVENT_FOLDERS_MAX)
}
