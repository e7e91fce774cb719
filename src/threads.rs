//! The one door to threads of our own: named, with a known stack, and joined by whoever asked. Also what several of
//! them share, after one of them panicked, and how long work gives way to short work, where the kernel would let it
//! go on.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, LockResult, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::limits;

/// Starts a thread. The name is shown by `ps -L` and in a panic's message (15 bytes at most).
///
/// Errors: the system has no thread left.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).stack_size(limits::THREAD_STACK_BYTES).spawn(work)
}

/// This thread goes behind all others from now on: behind them at the processor, and so at the drive, where the kernel
/// goes by the same order unless it is told another.
pub fn step_back() {
    // Who may not is as fast as before.
    let _as_before = rustix::process::setpriority_process(None, limits::BACKGROUND_NICENESS);
}

/// Before a wait in which many threads may be at once: what an earlier, deeper call of this one has touched of its stack is
/// given back to the system. Where they wait in a crowd, each page counts once for each of them.
pub fn shed_stack() {
    // Where nothing is known of the stack, it stays as it is.
    let _as_before = larder_heap::give_back_stack();
}

/// Locks what threads share, also after a panic of one that held the lock.
///
/// Such a panic ends one request, and must not end all that come after it. Nothing is half done by it: under a lock
/// the house changes plain values, with no call that may panic between two changes that belong together, or a database,
/// which has transactions.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    whole(mutex.lock())
}

/// The same for any other way to a lock: an `RwLock`, or a `Condvar` that gives one back.
pub fn whole<T>(outcome: LockResult<T>) -> T {
    outcome.unwrap_or_else(PoisonError::into_inner)
}

/// When short work came last.
struct Short {
    /// What times are counted from.
    start: Instant,
    /// Microseconds since then; 0 before the first.
    last: AtomicU64,
}

/// The house's only one.
static SHORT: LazyLock<Short> =
    LazyLock::new(|| Short { start: Instant::now(), last: AtomicU64::new(0) });

impl Short {
    /// Short work came now.
    fn note(&self, now: Instant) {
        self.last.store(self.time(now).max(1), Ordering::Relaxed);
    }

    /// Whether some came lately, so that more of it, or its rest, is likely to wait.
    fn is_near(&self, now: Instant) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let since = Duration::from_micros(self.time(now).saturating_sub(last));
        last > 0 && since < limits::SHORT_WORK_TIME
    }

    /// A time as it is counted.
    fn time(&self, now: Instant) -> u64 {
        let time = now.saturating_duration_since(self.start);
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }
}

/// Says that a request came which is answered from memory.
pub fn note_short_work() {
    SHORT.note(Instant::now());
}

/// How a thread gave way last.
#[derive(Clone, Copy)]
struct Pace {
    /// Steps since the clock was looked at.
    steps: u32,
    /// When it gave way; `None` if it never did.
    given: Option<Instant>,
}

impl Pace {
    /// After one step: what to go on with, and whether to give way first. `clock` is only looked at now and
    /// then.
    fn step(self, short: &Short, clock: impl Fn() -> Instant) -> (Self, bool) {
        if self.steps + 1 < limits::GIVE_WAY_STEPS {
            return (Self { steps: self.steps + 1, ..self }, false);
        }
        let now = clock();
        let is_long = |given| now.saturating_duration_since(given) >= limits::GIVE_WAY_TIME;
        let gives_way = self.given.is_none_or(is_long) && short.is_near(now);
        let given = if gives_way { Some(now) } else { self.given };
        (Self { steps: 0, given }, gives_way)
    }
}

/// To be called at each small step of work that may be long. While short requests come, the processor goes to
/// whoever waits for it after each `GIVE_WAY_TIME`: the kernel by itself lets long work run until its slice
/// is over, several milliseconds, and takes one such thread after the other.
pub fn give_way() {
    thread_local! {
        /// This thread's.
        static PACE: Cell<Pace> = const { Cell::new(Pace { steps: 0, given: None }) };
    }
    let (pace, gives_way) = PACE.get().step(&SHORT, Instant::now);
    PACE.set(pace);
    if gives_way {
        std::thread::yield_now();
        // Time spent waiting was nobody's work.
        PACE.set(Pace { given: Some(Instant::now()), ..pace });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house where no short work has come yet.
    fn short() -> Short {
        Short { start: Instant::now(), last: AtomicU64::new(0) }
    }

    /// How often a thread gives way that works for so long, a microsecond a step, from a time on.
    fn times_given(short: &Short, from: Instant, work: Duration) -> u128 {
        let mut pace = Pace { steps: 0, given: None };
        let mut times = 0;
        for step in 0..u64::try_from(work.as_micros()).unwrap() {
            let (next, gives_way) = pace.step(short, || from + Duration::from_micros(step));
            pace = next;
            times += u128::from(gives_way);
        }
        times
    }

    #[test]
    fn long_work_gives_way_again_and_again_while_short_work_comes() {
        let short = short();
        let now = short.start + Duration::from_secs(1);
        short.note(now);
        let work = limits::SHORT_WORK_TIME / 2;
        let times = times_given(&short, now, work);
        let most = work.as_micros() / limits::GIVE_WAY_TIME.as_micros() + 1;
        assert!((most / 2..=most).contains(&times), "{times} of {most}");
    }

    #[test]
    fn long_work_keeps_its_slices_while_nobody_wants_short_answers() {
        let short = short();
        let now = short.start + Duration::from_secs(1);
        assert_eq!(times_given(&short, now, limits::SHORT_WORK_TIME), 0);
        short.note(now);
        let later = now + limits::SHORT_WORK_TIME;
        assert_eq!(times_given(&short, later, limits::SHORT_WORK_TIME), 0);
    }

    #[test]
    fn the_clock_is_not_looked_at_in_each_step() {
        let (short, looks) = (short(), Cell::new(0));
        let mut pace = Pace { steps: 0, given: None };
        for _ in 0..limits::GIVE_WAY_STEPS * 10 {
            let clock = || {
                looks.set(looks.get() + 1);
                Instant::now()
            };
            pace = pace.step(&short, clock).0;
        }
        assert_eq!(looks.get(), 10);
    }
}
