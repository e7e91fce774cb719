//! Who may ask a drive for something now. A call to a drive that does not answer keeps its thread in
//! the kernel for as long as the drive likes, so nobody calls before the drive has shown that it answers:
//! it did so within the last second, or a probe, whose thread is the only one that such a drive takes,
//! comes back now. Decision 0009.

use crate::error::{Error, Result};
use crate::{limits, threads};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Asks the drive for something that only the drive can answer.
pub(super) type Probe = Box<dyn FnOnce() + Send>;

/// The gate of one filesystem; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Shared>);

/// What the clones share.
#[derive(Debug, Default)]
struct Shared {
    /// Who is where.
    state: Mutex<State>,
    /// Told whenever the drive has answered or somebody has left.
    changed: Condvar,
}

/// Who is where.
#[derive(Debug, Default)]
struct State {
    /// Requests that ask the drive.
    inside: usize,
    /// Requests that wait to.
    waiting: usize,
    /// When the drive answered last.
    heard: Option<Instant>,
    /// Since when, at least, it owes an answer to somebody inside.
    owing: Option<Instant>,
    /// Since when a probe is under way.
    probing: Option<Instant>,
    /// Whether larder is ending: nobody waits any more.
    is_closed: bool,
}

/// How long somebody can wait for a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It is what they ask for.
    Request(Duration),
    /// It is one drive of several; one that is silent is left out.
    Glance,
    /// Others wait behind them: until the drive is known to be silent, which on a busy machine takes longer than
    /// a glance.
    UntilSilent,
}

impl State {
    /// Whether the drive has shown of late that it answers.
    fn is_alive(&self, now: Instant) -> bool {
        self.heard.is_some_and(|heard| now.duration_since(heard) < limits::DRIVE_FRESH_TIME)
            && self.owing.is_none_or(|owing| now.duration_since(owing) < limits::DRIVE_GLANCE_TIME)
    }

    /// One more goes in.
    fn admit(&mut self) {
        self.inside += 1;
        self.owing.get_or_insert_with(Instant::now);
    }

    /// The drive has answered.
    fn hear(&mut self) {
        self.heard = Some(Instant::now());
        self.owing = self.heard.filter(|_| self.inside > 0);
    }

    /// Whether somebody may go in.
    fn is_open(&self, now: Instant) -> bool {
        self.inside < limits::DRIVE_WAITING_MAX && self.is_alive(now)
    }

    /// Whether the drive has owed a probe its answer for so long.
    fn is_silent(&self, now: Instant, time: Duration) -> bool {
        self.probing.is_some_and(|since| now.duration_since(since) >= time)
    }

    /// Whether whoever waits beyond these is told so at once.
    fn is_crowded(&self, now: Instant) -> bool {
        self.is_silent(now, limits::DRIVE_SILENT_TIME)
            && self.inside + self.waiting > limits::DRIVE_WAITING_MAX
    }
}

impl Gate {
    /// Waits for a drive that answers. `probe` is run, on a thread of its own, if it has to show that.
    ///
    /// Errors: `DriveBusy`; `Io` (the system has no thread left).
    pub fn enter(&self, patience: Patience, probe: impl FnOnce() -> Probe) -> Result<Pass> {
        self.once(&State::is_open, patience, probe)?.admit();
        Ok(Pass(self.clone()))
    }

    /// Waits until the drive is known to answer, for whoever does not ask it for anything: however many are inside, and
    /// whoever gets in first, an answer to one of them is one.
    ///
    /// Errors: `DriveBusy`; `Io` (the system has no thread left).
    pub fn hear(&self, patience: Patience, probe: impl FnOnce() -> Probe) -> Result<()> {
        let since = Instant::now();
        let has_answered = |state: &State, now| {
            state.is_alive(now) || state.heard.is_some_and(|heard| heard >= since)
        };
        self.once(&has_answered, patience, probe).map(drop)
    }

    /// Waits until it is so.
    fn once(
        &self,
        is_so: &dyn Fn(&State, Instant) -> bool,
        patience: Patience,
        probe: impl FnOnce() -> Probe,
    ) -> Result<MutexGuard<'_, State>> {
        let now = Instant::now();
        let mut state = self.lock();
        if is_so(&state, now) {
            return Ok(state);
        }
        if !state.is_alive(now) && state.probing.is_none() {
            state.probing = Some(now);
            drop(state);
            self.send(probe())?;
            state = self.lock();
        }
        state.waiting += 1;
        let (mut state, has_come) = self.wait(state, is_so, patience);
        state.waiting -= 1;
        if has_come { Ok(state) } else { Err(busy()) }
    }

    /// Waits until it is so; whether that came.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        is_so: &dyn Fn(&State, Instant) -> bool,
        patience: Patience,
    ) -> (MutexGuard<'a, State>, bool) {
        let until = Instant::now()
            + match patience {
                Patience::Request(time) => time,
                Patience::Glance => limits::DRIVE_GLANCE_TIME,
                Patience::UntilSilent => limits::DRIVE_PATIENCE,
            };
        loop {
            let now = Instant::now();
            if is_so(&state, now) {
                return (state, true);
            }
            let has_enough = match patience {
                Patience::Request(_) => state.is_crowded(now),
                Patience::Glance => state.is_silent(now, limits::DRIVE_FRESH_TIME),
                Patience::UntilSilent => state.is_silent(now, limits::DRIVE_SILENT_TIME),
            };
            if has_enough || state.is_closed || now >= until {
                return (state, false);
            }
            // Silence has to be noticed, too.
            let pause = until.duration_since(now).min(limits::DRIVE_FRESH_TIME);
            let woken = self.0.changed.wait_timeout(state, pause);
            state = threads::whole(woken).0;
        }
    }

    /// Sends a probe on its way.
    fn send(&self, probe: Probe) -> Result<()> {
        let gate = self.clone();
        let started = threads::spawn("drive-probe", move || {
            probe();
            let mut state = gate.lock();
            state.probing = None;
            state.hear();
            drop(state);
            gate.0.changed.notify_all();
        });
        started.map(|_it_tells_us| ()).map_err(|cause| {
            self.lock().probing = None;
            Error::Io(cause)
        })
    }

    /// Whether nobody has to do with it at the moment, so that it may be forgotten.
    pub fn is_idle(&self) -> bool {
        let state = self.lock();
        state.inside + state.waiting == 0 && state.probing.is_none()
    }

    /// Whether the drive is known to be silent. Asks nobody.
    pub fn is_silent(&self) -> bool {
        self.lock().is_silent(Instant::now(), limits::DRIVE_SILENT_TIME)
    }

    /// Sends away whoever waits, now and later.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.0.changed.notify_all();
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.0.state)
    }
}

/// What a drive that does not answer means for whoever asks.
pub(super) const fn busy() -> Error {
    Error::DriveBusy { retry_after_s: limits::DRIVE_RETRY_AFTER_S }
}

/// The right to ask the drive, until it is dropped: by then the drive has answered.
#[derive(Debug)]
pub(super) struct Pass(Gate);

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.inside -= 1;
        state.hear();
        let has_waiting = state.waiting > 0;
        drop(state);
        if has_waiting {
            self.0.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A probe that comes back when it is told to.
    fn held() -> (mpsc::Sender<()>, impl FnOnce() -> Probe) {
        let (answer, comes) = mpsc::channel::<()>();
        let probe = move || -> Probe {
            Box::new(move || {
                let _told_or_over = comes.recv();
            })
        };
        (answer, probe)
    }

    /// A probe that nobody should need.
    fn unneeded() -> Probe {
        panic!("the drive has just answered")
    }

    #[test]
    fn a_drive_that_answers_lets_in_and_one_that_just_did_is_not_asked_again() {
        let gate = Gate::default();
        let patience = Patience::Request(Duration::from_secs(20));
        drop(gate.enter(patience, || Box::new(|| {})).unwrap());
        let _inside = gate.enter(patience, unneeded).unwrap();
        assert!(!gate.is_idle());
    }

    #[test]
    fn a_glance_does_not_wait_for_a_silent_drive_and_an_answer_lets_all_in() {
        let gate = Gate::default();
        let (answer, probe) = held();
        assert!(matches!(gate.enter(Patience::Glance, probe), Err(Error::DriveBusy { .. })));
        let patient = gate.clone();
        let waiting = std::thread::spawn(move || {
            patient.enter(Patience::Request(Duration::from_secs(20)), unneeded).is_ok()
        });
        answer.send(()).unwrap();
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_drive_that_is_only_slow_is_waited_for_and_a_silent_one_is_left() {
        let gate = Gate::default();
        let (answer, probe) = held();
        let patient = gate.clone();
        let waits = std::thread::spawn(move || patient.enter(Patience::UntilSilent, probe).is_ok());
        while gate.lock().waiting == 0 {
            std::thread::yield_now();
        }
        // Longer than a glance: this one takes that long itself.
        assert!(gate.enter(Patience::Glance, unneeded).is_err());
        answer.send(()).unwrap();
        assert!(waits.join().unwrap());

        let silent = Gate::default();
        let (_never, probe) = held();
        assert!(silent.enter(Patience::UntilSilent, probe).is_err());
        assert!(silent.is_silent());
    }

    #[test]
    fn who_only_listens_needs_no_room_inside_and_misses_no_answer() {
        let gate = Gate::default();
        let patience = Patience::Request(Duration::from_secs(20));
        let enter = |_| gate.enter(patience, || Box::new(|| {})).unwrap();
        let _inside: Vec<Pass> = (0..limits::DRIVE_WAITING_MAX).map(enter).collect();
        gate.hear(Patience::UntilSilent, || Box::new(|| {})).unwrap();

        let gate = Gate::default();
        let (_never, probe) = held();
        let listens = gate.clone();
        let listens =
            std::thread::spawn(move || listens.hear(Patience::UntilSilent, probe).is_ok());
        while gate.lock().waiting == 0 {
            std::thread::yield_now();
        }
        let mut state = gate.lock();
        // It has answered one while it owes another an answer for long, or the machine had no time to wake us.
        (state.heard, state.owing) = (Some(Instant::now()), state.probing);
        state.owing = state.owing.and_then(|since| since.checked_sub(limits::DRIVE_SILENT_TIME));
        assert!(!state.is_alive(Instant::now()));
        drop(state);
        gate.0.changed.notify_all();
        assert!(listens.join().unwrap());
    }

    #[test]
    fn of_many_that_wait_for_a_silent_drive_some_are_told_so() {
        let gate = Gate::default();
        let (answer, probe) = held();
        assert!(gate.enter(Patience::Glance, probe).is_err());
        let all = limits::DRIVE_WAITING_MAX + 5;
        let (told, outcomes) = mpsc::channel();
        for _ in 0..all {
            let (gate, told) = (gate.clone(), told.clone());
            std::thread::spawn(move || {
                let patience = Patience::Request(Duration::from_mins(1));
                told.send(gate.enter(patience, unneeded).is_ok()).unwrap();
            });
        }
        let refused: Vec<bool> = (0..5).map(|_| outcomes.recv().unwrap()).collect();
        assert_eq!(refused, [false; 5]);
        answer.send(()).unwrap();
        assert!((0..limits::DRIVE_WAITING_MAX).all(|_| outcomes.recv().unwrap()));
    }

    #[test]
    fn nobody_waits_for_a_drive_any_more_at_the_end() {
        let gate = Gate::default();
        let (_answer, probe) = held();
        let waiting = gate.clone();
        let waits = std::thread::spawn(move || {
            waiting.enter(Patience::Request(Duration::from_mins(1)), probe).is_err()
        });
        gate.close();
        assert!(waits.join().unwrap());
    }
}
