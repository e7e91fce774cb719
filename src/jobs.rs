//! Work that lasts: started by a request, goes on by itself, can be watched and called off. Knows users only
//! by their number, and what the work is only by its kind.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::vault::{Counts, Progress, TrashId, VaultPath};
use crate::{limits, threads};

/// All jobs that run, and the last ones that ran.
#[derive(Default)]
pub struct Jobs(Arc<Shared>);

/// What the jobs' threads share with whoever asks.
#[derive(Default)]
struct Shared {
    /// The jobs.
    state: Mutex<State>,
    /// Told whenever a job ends.
    ended: Condvar,
    /// Who is told of every change, with the number of the user whose job it is.
    observer: OnceLock<Box<dyn Fn(i64) + Send + Sync>>,
}

/// The jobs.
#[derive(Default)]
struct State {
    /// In the order in which they were started.
    jobs: VecDeque<Job>,
    /// The number of the last change of any job.
    change: u64,
    /// Work of requests that wait for it, to be called off when the server ends.
    waited_for: Vec<Weak<Progress>>,
    /// Whether the server is ending.
    is_closed: bool,
}

/// One job.
struct Job {
    /// Its name for the outside; cannot be guessed.
    id: String,
    /// Whose it is.
    owner: Owner,
    /// What it does.
    kind: Kind,
    /// Where, if there is no use in two of them at the same time.
    place: Option<String>,
    /// How far it is.
    progress: Arc<Progress>,
    /// How it ended.
    end: Option<End>,
    /// The number of its last change.
    change: u64,
}

/// Who has started a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: i64,
    /// The number of their narrowed key, if it was done with one.
    pub key_id: Option<i64>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Moves into a folder.
    Move,
    /// Copies into a folder.
    Copy,
    /// Deletes.
    Delete,
    /// Looks through folders for pictures.
    Photos,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum End {
    /// All of it is done.
    Done,
    /// It could not be done.
    Failed(Arc<Error>),
    /// It was called off.
    Cancelled,
}

/// A job at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name.
    pub id: String,
    /// What it does.
    pub kind: Kind,
    /// How it ended; `None` while it runs.
    pub end: Option<End>,
    /// How far it is.
    pub counts: Counts,
    /// What it has put into the trash, until that is forgotten.
    pub trash: Arc<Vec<TrashId>>,
    /// Where the things are that it has moved or copied, until that is forgotten.
    pub paths: Option<Arc<Vec<VaultPath>>>,
}

/// Whose jobs somebody may see and call off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's.
    All,
    /// Those of this user, whatever they started them with; with a narrowed key only what was started with that: others
    /// tell of places that it does not reach.
    Own(Owner),
}

impl Reach {
    /// Whether somebody's jobs are within it.
    fn holds(self, owner: Owner) -> bool {
        match self {
            Self::All => true,
            Self::Own(own) => {
                own.user == owner.user && (own.key_id.is_none() || own.key_id == owner.key_id)
            }
        }
    }
}

impl Jobs {
    /// Starts a job, which goes on as long as `may` says that its owner may have it done; returns its id.
    ///
    /// Errors: `TooSoon` when as many run as may, or the server is ending; `Io`.
    pub fn start(
        &self,
        owner: Owner,
        kind: Kind,
        may: impl Fn() -> bool + Send + Sync + 'static,
        work: impl FnOnce(&Progress) -> Result<()> + Send + 'static,
    ) -> Result<String> {
        self.start_at(owner, (kind, None), may, work)
    }

    /// The same for work that a user has one of at a place: one that runs is told of instead.
    ///
    /// Errors: those of `start`.
    pub fn start_only(
        &self,
        owner: Owner,
        (kind, place): (Kind, &str),
        may: impl Fn() -> bool + Send + Sync + 'static,
        work: impl FnOnce(&Progress) -> Result<()> + Send + 'static,
    ) -> Result<String> {
        let is_same = |job: &&Job| {
            job.owner == owner
                && job.kind == kind
                && job.place.as_deref() == Some(place)
                && job.end.is_none()
                && !job.progress.is_cancelled()
        };
        let running = self.0.lock().jobs.iter().find(is_same).map(|job| job.id.clone());
        match running {
            Some(id) => Ok(id),
            None => self.start_at(owner, (kind, Some(place.to_owned())), may, work),
        }
    }

    /// The work of both.
    fn start_at(
        &self,
        owner: Owner,
        (kind, place): (Kind, Option<String>),
        may: impl Fn() -> bool + Send + Sync + 'static,
        work: impl FnOnce(&Progress) -> Result<()> + Send + 'static,
    ) -> Result<String> {
        let id = new_id()?;
        let (shared, name) = (Arc::clone(&self.0), id.clone());
        let (told, own_name) = (Arc::downgrade(&self.0), id.clone());
        let progress = Progress::watched(move || {
            if let Some(shared) = told.upgrade() {
                shared.change(&own_name, |_| {});
            }
        });
        let progress = Arc::new(progress.while_judged(may));
        self.0.admit(Job {
            id: id.clone(),
            owner,
            kind,
            place,
            progress: Arc::clone(&progress),
            end: None,
            change: 0,
        })?;
        let started = threads::spawn("job", move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&progress)))
                .unwrap_or_else(|_panic| Err(Error::Bug("a job panicked".into())));
            let end = match outcome {
                Ok(()) => End::Done,
                Err(Error::Cancelled) => End::Cancelled,
                Err(error) => End::Failed(Arc::new(error)),
            };
            shared.change(&name, |job| job.end = Some(end));
            shared.ended.notify_all();
        });
        if let Err(cause) = started {
            self.0.lock().jobs.retain(|job| job.id != id);
            return Err(Error::Io(cause));
        }
        self.0.tell(owner.user);
        Ok(id)
    }

    /// The numbers for work that a request waits for: it is called off when the server ends, and when the caller
    /// may no longer have it done.
    pub fn wait_for(&self, may: impl Fn() -> bool + Send + Sync + 'static) -> Arc<Progress> {
        let progress = Arc::new(Progress::default().while_judged(may));
        let mut state = self.0.lock();
        if state.is_closed {
            progress.cancel();
        }
        state.waited_for.retain(|waited_for| waited_for.strong_count() > 0);
        state.waited_for.push(Arc::downgrade(&progress));
        progress
    }

    /// The same for work that is shown as a job once it has gone on for long, as far as there is room for one.
    pub fn wait_for_shown(
        &self,
        owner: Owner,
        kind: Kind,
        may: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Shown> {
        let id = new_id()?;
        let (since, is_shown) = (Instant::now(), AtomicBool::new(false));
        let (shared, name) = (Arc::downgrade(&self.0), id.clone());
        let progress = Arc::new_cyclic(|progress: &Weak<Progress>| {
            let progress = Weak::clone(progress);
            Progress::default().while_judged(move || {
                let is_due = since.elapsed() >= limits::JOB_SHOWN_AFTER;
                if is_due && !is_shown.swap(true, Ordering::Relaxed) {
                    let shown =
                        progress.upgrade().zip(shared.upgrade()).map(|(progress, shared)| {
                            let (id, place, end) = (name.clone(), None, None);
                            shared.admit(Job { id, owner, kind, place, progress, end, change: 0 })
                        });
                    // Where there is no room for one more it goes on unseen.
                    drop(shown);
                }
                may()
            })
        });
        let mut state = self.0.lock();
        if state.is_closed {
            progress.cancel();
        }
        state.waited_for.retain(|waited_for| waited_for.strong_count() > 0);
        state.waited_for.push(Arc::downgrade(&progress));
        drop(state);
        Ok(Shown { shared: Arc::clone(&self.0), id, progress, end: End::Cancelled })
    }

    /// The jobs within reach that have changed since that change, in the order in which they were started,
    /// and the number of the last change. 0 is before every change.
    pub fn changed_since(&self, change: u64, reach: Reach) -> (Vec<View>, u64) {
        let state = self.0.lock();
        let views = state
            .jobs
            .iter()
            .filter(|job| job.change > change && reach.holds(job.owner))
            .map(Job::view)
            .collect();
        (views, state.change)
    }

    /// How many go on.
    pub fn running(&self) -> usize {
        self.0.lock().jobs.iter().filter(|job| job.end.is_none()).count()
    }

    /// Asks a job within reach to stop. One that has ended stays as it is.
    ///
    /// Errors: `NotFound`; whether somebody else has a job of this id is not told.
    pub fn cancel(&self, id: &str, reach: Reach) -> Result<()> {
        let state = self.0.lock();
        let mut jobs = state.jobs.iter();
        let job = jobs.find(|job| job.id == id && reach.holds(job.owner));
        job.ok_or(Error::NotFound("Job not found"))?.progress.cancel();
        Ok(())
    }

    /// Names who is told of every change, with the number of the user whose job has changed. Called from
    /// the jobs' own threads; must not wait. Only the first one is.
    pub fn observe(&self, observer: impl Fn(i64) + Send + Sync + 'static) {
        let _only_the_first = self.0.observer.set(Box::new(observer));
    }

    /// Calls everything off, and takes no more.
    pub fn close(&self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        for job in &state.jobs {
            job.progress.cancel();
        }
        for progress in state.waited_for.iter().filter_map(Weak::upgrade) {
            progress.cancel();
        }
    }

    /// Waits until all jobs have ended, at most so long; what does not end leaves something for the sweep
    /// at the next start, and nothing else.
    pub fn wait_until_ended(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.0.lock();
        while state.jobs.iter().any(|job| job.end.is_none()) {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            let waited = self.0.ended.wait_timeout(state, rest);
            state = threads::whole(waited).0;
        }
    }
}

/// Work that a request waits for, shown as a job once it has gone on for long.
pub struct Shown {
    /// Where it is shown.
    shared: Arc<Shared>,
    /// As what.
    id: String,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// How it ended, as far as anybody knows.
    end: End,
}

impl Shown {
    /// It is done.
    pub fn done(mut self) {
        self.end = End::Done;
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let end = self.end.clone();
        self.shared.change(&self.id, |job| job.end = Some(end));
        self.shared.ended.notify_all();
    }
}

impl Shared {
    /// Locks the state.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }

    /// Takes a job in, if there is room.
    fn admit(&self, mut job: Job) -> Result<()> {
        let mut state = self.lock();
        let running = |user: Option<i64>| {
            let mine =
                |job: &&Job| job.end.is_none() && user.is_none_or(|user| user == job.owner.user);
            state.jobs.iter().filter(mine).count()
        };
        if state.is_closed
            || running(None) >= limits::JOBS_RUNNING_MAX
            || running(Some(job.owner.user)) >= limits::JOBS_RUNNING_PER_USER_MAX
        {
            return Err(Error::TooSoon { retry_after_s: limits::JOB_RETRY_AFTER_S });
        }
        state.change += 1;
        job.change = state.change;
        state.jobs.push_back(job);
        state.forget_old_ones();
        Ok(())
    }

    /// Changes a job and tells of it.
    fn change(&self, id: &str, change: impl FnOnce(&mut Job)) {
        let mut state = self.lock();
        state.change += 1;
        let number = state.change;
        let Some(job) = state.jobs.iter_mut().find(|job| job.id == id) else { return };
        change(job);
        job.change = number;
        let (owner, has_ended) = (job.owner.user, job.end.is_some());
        if has_ended {
            state.forget_places();
        }
        drop(state);
        self.tell(owner);
    }

    /// Tells the observer.
    fn tell(&self, owner: i64) {
        if let Some(observer) = self.observer.get() {
            observer(owner);
        }
    }
}

impl State {
    /// Keeps the last ones that have ended, of each user and in all.
    fn forget_old_ones(&mut self) {
        let forget = |jobs: &mut VecDeque<Job>, owner: Option<i64>, kept: usize| {
            let is_meant =
                |job: &Job| job.end.is_some() && owner.is_none_or(|owner| owner == job.owner.user);
            let mut surplus = jobs.iter().filter(|job| is_meant(job)).count().saturating_sub(kept);
            jobs.retain(|job| {
                let goes = surplus > 0 && is_meant(job);
                surplus -= usize::from(goes);
                !goes
            });
        };
        if let Some(owner) = self.jobs.back().map(|job| job.owner.user) {
            forget(&mut self.jobs, Some(owner), limits::JOBS_ENDED_PER_USER_MAX);
        }
        forget(&mut self.jobs, None, limits::JOBS_ENDED_MAX);
        self.forget_trash();
    }

    /// Forgets where old jobs have put things, when that is a lot in all; their rows stay.
    fn forget_places(&self) {
        let bytes = |job: &Job| {
            let places = job.progress.places();
            let bytes = |path: &VaultPath| path.as_str().len() + size_of::<VaultPath>();
            places.map_or(0, |places| places.iter().map(bytes).sum::<usize>())
        };
        let mut known: usize = self.jobs.iter().map(bytes).sum();
        for job in &self.jobs {
            if known <= limits::JOBS_PLACES_BYTES_MAX {
                return;
            }
            known -= bytes(job);
            job.progress.forget_places();
        }
    }

    /// Forgets what old jobs have put into the trash, when it is a lot in all; their rows stay.
    fn forget_trash(&mut self) {
        let mut known: usize = self.jobs.iter().map(|job| job.progress.trash().len()).sum();
        for job in self.jobs.iter().filter(|job| job.end.is_some()) {
            if known <= limits::JOBS_TRASH_IDS_MAX {
                return;
            }
            known -= job.progress.forget_trash();
        }
    }
}

impl Job {
    /// As it is now.
    fn view(&self) -> View {
        View {
            id: self.id.clone(),
            kind: self.kind,
            end: self.end.clone(),
            counts: self.progress.counts(),
            trash: self.progress.trash(),
            paths: self.progress.places(),
        }
    }
}

/// 16 bytes of system entropy as hexadecimal digits: who did not start a job does not know its id.
fn new_id() -> Result<String> {
    let random: [u8; 16] = crate::auth::key::random_bytes()?;
    Ok(crate::auth::key::hex(&random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A user, without a key.
    fn user(user: i64) -> Owner {
        Owner { user, key_id: None }
    }

    fn always() -> bool {
        true
    }

    /// A job that ends with what is sent.
    fn job(jobs: &Jobs, owner: i64) -> (String, mpsc::Sender<Result<()>>) {
        let (sender, outcome) = mpsc::channel();
        let work = move |_: &Progress| outcome.recv().unwrap_or(Ok(()));
        (jobs.start(user(owner), Kind::Copy, always, work).unwrap(), sender)
    }

    /// A job that runs until it is called off.
    fn endless(jobs: &Jobs, owner: i64) -> Result<String> {
        jobs.start(user(owner), Kind::Move, always, |progress| {
            while !progress.is_cancelled() {
                std::thread::yield_now();
            }
            Err(Error::Cancelled)
        })
    }

    fn wait(jobs: &Jobs) {
        jobs.wait_until_ended(Duration::from_secs(20));
    }

    fn end_of(jobs: &Jobs, id: &str) -> Option<End> {
        let (views, _) = jobs.changed_since(0, Reach::All);
        views.into_iter().find(|view| view.id == id).unwrap().end
    }

    #[test]
    fn each_end_is_told_and_a_panic_stays_its_own() {
        let jobs = Jobs::default();
        let (good, sender) = job(&jobs, 1);
        assert!(end_of(&jobs, &good).is_none());
        sender.send(Ok(())).unwrap();
        let (bad, sender) = job(&jobs, 1);
        sender.send(Err(Error::DiskFull)).unwrap();
        let panicking = jobs
            .start(user(1), Kind::Delete, always, |_| panic!("as it was to be expected"))
            .unwrap();
        wait(&jobs);
        assert!(matches!(end_of(&jobs, &good), Some(End::Done)));
        let end = end_of(&jobs, &bad);
        assert!(matches!(end, Some(End::Failed(error)) if matches!(*error, Error::DiskFull)));
        let end = end_of(&jobs, &panicking);
        assert!(matches!(end, Some(End::Failed(error)) if matches!(*error, Error::Bug(_))));
    }

    #[test]
    fn jobs_of_others_are_neither_seen_nor_called_off() {
        let jobs = Jobs::default();
        let (one, two) = (endless(&jobs, 1).unwrap(), endless(&jobs, 2).unwrap());
        assert_ne!(one, two);
        let seen = |reach| jobs.changed_since(0, reach).0.into_iter().map(|view| view.id);
        assert_eq!(seen(Reach::Own(user(1))).collect::<Vec<_>>(), [one.as_str()]);
        assert_eq!(seen(Reach::All).collect::<Vec<_>>(), [one.as_str(), two.as_str()]);
        assert!(matches!(jobs.cancel(&one, Reach::Own(user(2))), Err(Error::NotFound(_))));
        assert!(matches!(jobs.cancel("x", Reach::All), Err(Error::NotFound(_))));
        jobs.cancel(&one, Reach::Own(user(1))).unwrap();
        jobs.cancel(&two, Reach::All).unwrap();
        wait(&jobs);
        assert!(matches!(end_of(&jobs, &one), Some(End::Cancelled)));
        // Once more changes nothing.
        jobs.cancel(&one, Reach::Own(user(1))).unwrap();
    }

    #[test]
    fn a_key_reaches_its_own_jobs_and_its_user_those_of_all_keys() {
        let jobs = Jobs::default();
        let with = |key_id| Owner { user: 1, key_id };
        let start = |owner| {
            let ended = jobs.start(owner, Kind::Copy, always, |_| Ok(())).unwrap();
            wait(&jobs);
            ended
        };
        let (own, one, two) = (start(user(1)), start(with(Some(8))), start(with(Some(9))));
        let seen = |owner| {
            let views = jobs.changed_since(0, Reach::Own(owner)).0;
            views.into_iter().map(|view| view.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(with(Some(8))), std::slice::from_ref(&one));
        assert_eq!(seen(user(1)), [own.clone(), one, two.clone()]);
        assert!(seen(Owner { user: 2, key_id: Some(8) }).is_empty());
        for other in [own, two] {
            let reach = Reach::Own(with(Some(8)));
            assert!(matches!(jobs.cancel(&other, reach), Err(Error::NotFound(_))));
        }
    }

    #[test]
    fn one_user_cannot_take_all_places_and_the_end_calls_everything_off() {
        let jobs = Jobs::default();
        for _ in 0..limits::JOBS_RUNNING_PER_USER_MAX {
            endless(&jobs, 1).unwrap();
        }
        assert!(matches!(endless(&jobs, 1), Err(Error::TooSoon { .. })));
        endless(&jobs, 2).unwrap();
        let waited_for = jobs.wait_for(always);
        jobs.close();
        assert!(waited_for.is_cancelled() && jobs.wait_for(always).is_cancelled());
        wait(&jobs);
        let (views, _) = jobs.changed_since(0, Reach::All);
        assert!(views.iter().all(|view| matches!(view.end, Some(End::Cancelled))));
        assert!(matches!(endless(&jobs, 3), Err(Error::TooSoon { .. })));
    }

    #[test]
    fn the_last_ones_are_kept_and_old_ones_forgotten() {
        let jobs = Jobs::default();
        for owner in [1, 2] {
            for _ in 0..limits::JOBS_ENDED_PER_USER_MAX + 5 {
                drop(job(&jobs, owner).1);
                wait(&jobs);
            }
        }
        let (last, _still_running) = job(&jobs, 1);
        let own = jobs.changed_since(0, Reach::Own(user(1))).0;
        assert_eq!(own.len(), limits::JOBS_ENDED_PER_USER_MAX + 1);
        assert_eq!(own.last().unwrap().id, last);
    }

    #[test]
    fn where_things_are_is_remembered_within_a_bound_of_the_latest() {
        let jobs = Jobs::default();
        let half = limits::JOBS_PLACES_BYTES_MAX / 2;
        let start = |bytes: usize| {
            let place = VaultPath::parse(&["d"; 500].join("/")).unwrap();
            let count = bytes / (place.as_str().len() + size_of::<VaultPath>());
            let work = move |progress: &Progress| {
                progress.found_places(vec![place; count]);
                Ok(())
            };
            jobs.start(user(1), Kind::Move, always, work).unwrap();
            wait(&jobs);
            let views = jobs.changed_since(0, Reach::All).0;
            views.into_iter().map(|view| view.paths.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(start(half), [true]);
        assert_eq!(start(half / 2), [true, true]);
        assert_eq!(start(half), [false, true, true]);
        assert_eq!(start(half * 3), [false; 4], "one alone may be too much");
        assert_eq!(start(half), [false, false, false, false, true]);
    }

    #[test]
    fn changes_are_told_and_can_be_asked_for() {
        let jobs = Jobs::default();
        let (sender, told) = mpsc::channel();
        let sender = Mutex::new(sender);
        let _ = jobs.0.observer.set(Box::new(move |owner| {
            let _nobody_listens = sender.lock().unwrap().send(owner);
        }));
        let (_, before) = jobs.changed_since(0, Reach::All);
        let (one, end_one) = job(&jobs, 7);
        let (two, _end_two) = job(&jobs, 8);
        let (views, after) = jobs.changed_since(before, Reach::All);
        assert_eq!(views.len(), 2);
        assert!(jobs.changed_since(after, Reach::All).0.is_empty());
        end_one.send(Ok(())).unwrap();
        let heard: Vec<_> = told.iter().take(3).collect();
        assert_eq!(heard, [7, 8, 7]);
        let (views, _) = jobs.changed_since(after, Reach::All);
        assert_eq!(views.iter().map(|view| &view.id).collect::<Vec<_>>(), [&one]);
        assert!(jobs.changed_since(after, Reach::Own(user(8))).0.is_empty());
        assert!(end_of(&jobs, &two).is_none());
    }
}
