//! The machine: how busy and how well it is, sampled in the background, and its power switch. Knows no
//! requests and not that a server exists.

mod accounts;
mod addresses;
mod health;
mod history;
mod names;
mod power;
mod proc;
mod written;

pub use accounts::Accounts;
pub use addresses::{Interface, in_house, interfaces, lasting, urls};
pub use health::Warning;
pub use history::Moment;
pub use names::{Names, host, look_up};
pub use power::{Act, Power};
pub use written::Written;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};
use serde::Serialize;

use crate::error::Error;
use crate::vault::{Usage, Vault};
use crate::{limits, threads, zone};
use history::History;
use proc::{Counters, Sources};
use written::Ledger;

/// How busy the machine is.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sample {
    /// Processor time in use, all cores together (percent).
    pub cpu: u8,
    /// Memory that nobody can have (percent).
    pub memory: u8,
    /// Space in use where the share root is (percent); 0 while the drive is absent.
    pub disk: u8,
    /// Of the processor (degrees Celsius), where the machine tells.
    pub temperature: Option<f64>,
    /// Programs that run or wait to, averaged over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    /// Since the machine started (s).
    pub uptime: u64,
    /// All memory.
    pub memory_total_bytes: u64,
    /// Memory that a program could have.
    pub memory_free_bytes: u64,
    /// All space on the drive; 0 while it is absent.
    pub disk_total_bytes: u64,
    /// What larder may still write there.
    pub disk_free_bytes: u64,
    /// Whether the drive is there.
    pub storage_present: bool,
    /// What came in from the network (bytes per second), larder's or not.
    pub network_received_bytes_per_s: u64,
    /// What went out.
    pub network_sent_bytes_per_s: u64,
    /// What the board says of its power supply; none where it does not tell.
    pub power_supply: Option<PowerSupply>,
    /// What kind of board it is; none on a PC.
    pub board: Option<String>,
    /// Whether the drive takes nothing; false while it is absent.
    pub storage_read_only: bool,
    /// Drives of the share that do not answer.
    #[serde(skip)]
    pub silent_drives: usize,
    /// Drives that are waited for by what was cut off.
    #[serde(skip)]
    pub missed_drives: usize,
    /// All space where the state directory is: on a board, on its card.
    pub state_total_bytes: u64,
    /// What larder may still write there.
    pub state_free_bytes: u64,
    /// Whether the card takes nothing.
    pub state_read_only: bool,
    /// What was written to each drive today.
    pub written: Vec<Written>,
    /// What the owner should know, in words.
    pub warnings: Vec<Warning>,
    /// The drive's number.
    #[serde(skip)]
    pub share_device: Option<(u32, u32)>,
}

/// What a Raspberry Pi says of its power supply and its heat.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(clippy::struct_excessive_bools, reason = "each is a bit of the firmware's word")]
pub struct PowerSupply {
    /// The voltage is too low now.
    pub under_voltage: bool,
    /// The processor is slowed down now.
    pub throttled: bool,
    /// The board is too hot now.
    pub too_hot: bool,
    /// The voltage was too low since the board started.
    pub under_voltage_before: bool,
    /// The processor was slowed down since the board started.
    pub throttled_before: bool,
    /// The board was too hot since it started.
    pub too_hot_before: bool,
}

/// The newest sample, kept up to date by two threads: one for the machine, one for the drive, which
/// may let its asker wait. Both are slow while nobody watches, and the drive is left asleep.
pub struct Resources(Arc<Shared>);

/// What the threads and the askers share.
struct Shared {
    /// The newest sample and who looks at it.
    state: Mutex<State>,
    /// Somebody has begun to watch.
    watched: Condvar,
    /// What was written to the drives.
    ledger: Mutex<Ledger>,
    /// The share, which knows what it has heard of its drives.
    vault: Vault,
}

/// Below which `/proc` and `/sys` are.
const TOP: &str = "/";

/// See `Shared`.
struct State {
    /// The newest.
    sample: Sample,
    /// How it was before.
    history: History,
    /// When somebody asked last.
    asked: Instant,
}

impl State {
    /// Whether somebody has asked of late.
    fn is_watched(&self) -> bool {
        self.asked.elapsed() < limits::SAMPLE_WATCHED_TIME
    }
}

impl Resources {
    /// Takes the first sample and starts the threads. `folder` is the state directory.
    ///
    /// Errors: the system has no thread left.
    pub fn start(vault: Vault, folder: &Path) -> std::io::Result<Self> {
        let sources = Sources::find(TOP.as_ref());
        let mut before = Counters::default();
        let mut ledger = Ledger::open(TOP.as_ref(), folder);
        let mut sample = Sample::default();
        update_disk(&mut sample, &vault);
        update_machine(&mut sample, &sources, &mut before, folder, &mut ledger);
        let state =
            Mutex::new(State { sample, history: History::default(), asked: Instant::now() });
        let ledger = Mutex::new(ledger);
        let shared =
            Arc::new(Shared { state, watched: Condvar::new(), ledger, vault: vault.clone() });
        let ours = Arc::clone(&shared);
        let folder = folder.to_path_buf();
        threads::spawn("resources", move || {
            loop {
                ours.wait(limits::SAMPLE_TIME, Some(limits::SAMPLE_IDLE_TIME));
                let mut next = Sample::default();
                keep_disk(&ours.lock().sample, &mut next);
                let mut ledger = ours.ledger();
                update_machine(&mut next, &sources, &mut before, &folder, &mut ledger);
                drop(ledger);
                let mut state = ours.lock();
                keep_disk(&state.sample, &mut next);
                state.history.keep(Moment::of(&next));
                state.sample = next;
            }
        })?;
        let ours = Arc::clone(&shared);
        threads::spawn("resources-disk", move || {
            loop {
                ours.wait(limits::SAMPLE_TIME, None);
                let mut next = Sample::default();
                update_disk(&mut next, &vault);
                keep_disk(&next, &mut ours.lock().sample);
            }
        })?;
        Ok(Self(shared))
    }

    /// The newest sample, at once. Whoever asks counts as watching for a while.
    pub fn newest(&self) -> Sample {
        let mut state = self.0.lock();
        let was_watched = state.is_watched();
        state.asked = Instant::now();
        if !was_watched {
            self.0.watched.notify_all();
        }
        let mut sample = state.sample.clone();
        drop(state);
        sample.silent_drives = self.0.vault.silent_drives().len();
        sample.missed_drives = self.0.vault.missed_drives().len();
        sample.warnings = health::warnings(&sample);
        sample
    }

    /// The newest sample as it is known: nobody counts as watching for it, so that drives may sleep.
    pub fn known(&self) -> Sample {
        let mut sample = self.0.lock().sample.clone();
        sample.warnings = health::warnings(&sample);
        sample
    }

    /// Looks after the drive; what is known of one that does not answer stays as it is.
    pub fn look_at_drive(&self) {
        let mut next = Sample::default();
        match self.0.vault.usage_at_a_glance() {
            Ok(usage) => note_disk(&mut next, &usage),
            Err(Error::StorageAbsent) => {}
            Err(_) => return,
        }
        keep_disk(&next, &mut self.0.lock().sample);
    }

    /// How it was in the last ten minutes, the oldest first: more closely while somebody watched.
    pub fn history(&self) -> Vec<Moment> {
        self.0.lock().history.told()
    }

    /// Writes down what was written to the drives today, for the next start.
    pub fn keep(&self) {
        self.0.ledger().keep();
    }
}

/// One look at everything, for whoever is not the server. `folder` is the state directory. What is a rate
/// stays 0.
pub fn look(folder: &Path, vault: Option<&Vault>) -> Sample {
    let mut sample = Sample::default();
    if let Some(vault) = vault {
        update_disk(&mut sample, vault);
    }
    let sources = Sources::find(TOP.as_ref());
    let mut ledger = Ledger::open(TOP.as_ref(), folder);
    update_machine(&mut sample, &sources, &mut Counters::default(), folder, &mut ledger);
    sample.warnings = health::warnings(&sample);
    sample
}

impl Shared {
    /// The state; a panic elsewhere left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }

    /// The counts; a panic elsewhere left them whole.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        threads::locked(&self.ledger)
    }

    /// Waits for the next turn: `busy` while somebody watches, else `idle` or until somebody does.
    fn wait(&self, busy: Duration, idle: Option<Duration>) {
        let began = Instant::now();
        let mut state = self.lock();
        loop {
            let turn = if state.is_watched() { Some(busy) } else { idle };
            let left = turn.map(|turn| turn.saturating_sub(began.elapsed()));
            state = match left {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    let woken = self.watched.wait_timeout(state, left);
                    threads::whole(woken).0
                }
                None => threads::whole(self.watched.wait(state)),
            };
        }
    }
}

/// Looks at the machine and at the card. Which drive has the share is in `sample` already.
fn update_machine(
    sample: &mut Sample,
    sources: &Sources,
    before: &mut Counters,
    folder: &Path,
    ledger: &mut Ledger,
) {
    sources.update(sample, before);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let card = rustix::fs::open(folder, flags, Mode::empty())
        .and_then(|folder| Usage::of(folder.as_fd()))
        .ok();
    if let Some(card) = card {
        sample.state_total_bytes = card.total_bytes;
        sample.state_free_bytes = card.free_bytes;
        sample.state_read_only = card.is_read_only;
    }
    ledger.count(&zone::now(), sample.uptime);
    sample.written = ledger.told(card.map(|card| card.device), sample.share_device);
}

/// Looks at the drive.
fn update_disk(sample: &mut Sample, vault: &Vault) {
    if let Ok(usage) = vault.usage() {
        note_disk(sample, &usage);
    }
}

/// Notes what a drive has told that is there.
fn note_disk(sample: &mut Sample, usage: &Usage) {
    sample.storage_present = true;
    sample.disk_total_bytes = usage.total_bytes;
    sample.disk_free_bytes = usage.free_bytes;
    sample.storage_read_only = usage.is_read_only;
    sample.share_device = Some(usage.device);
    // As `df` counts: what is kept for the system is neither used nor free.
    sample.disk = percent(usage.used_bytes, usage.used_bytes.saturating_add(usage.free_bytes));
}

/// Copies what is known of the drive.
fn keep_disk(from: &Sample, to: &mut Sample) {
    to.storage_present = from.storage_present;
    to.disk_total_bytes = from.disk_total_bytes;
    to.disk_free_bytes = from.disk_free_bytes;
    to.disk = from.disk;
    to.storage_read_only = from.storage_read_only;
    to.share_device = from.share_device;
}

/// A part of a whole in percent, rounded; 0 of nothing.
fn percent(part: u64, whole: u64) -> u8 {
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
    let percent = (part * 200 + whole).checked_div(whole * 2).unwrap_or(0);
    u8::try_from(percent).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_and_bounded() {
        for (part, whole, wanted) in [
            (0, 0, 0),
            (0, 9, 0),
            (1, 3, 33),
            (2, 3, 67),
            (1, 200, 1),
            (1, 201, 0),
            (9, 9, 100),
            (10, 9, 100),
            (u64::MAX, u64::MAX, 100),
        ] {
            assert_eq!(percent(part, whole), wanted, "{part} of {whole}");
        }
    }
}
