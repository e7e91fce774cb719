//! What was written to each drive today, for whoever wonders how long a card will last. The kernel counts
//! since the machine started, so what was counted before is kept in the state directory: once an hour,
//! and when larder ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::proc;
use crate::{limits, settings, terminal};

/// Bytes in a unit of `/sys/block/*/stat`, whatever the drive's own sectors are
/// (`Documentation/block/stat.rst` of Linux).
const SECTOR_BYTES: u64 = 512;

/// Where the counts are kept, in the state directory.
const FILE: &str = "written.json";

/// What was written to one drive.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Written {
    /// The kernel's name, such as `mmcblk0` or `sda`.
    pub drive: String,
    /// Whether it is an SD card or the like, soldered or not.
    pub is_card: bool,
    /// Whether the state directory is on it.
    pub holds_state: bool,
    /// Whether the share is on it.
    pub holds_share: bool,
    /// Since `since`, by whatever program.
    pub bytes: u64,
    /// Midnight when all of today was counted, else when counting began (RFC 3339).
    pub since: String,
}

/// The counts of a day.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Counts {
    /// Which day, by the machine's clock.
    day: Date,
    /// From when on the day was counted.
    since: Timestamp,
    /// Which start of the machine counted last; none where the kernel does not tell.
    boot: Option<String>,
    /// By drive.
    drives: BTreeMap<String, Count>,
}

/// See `Counts`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
struct Count {
    /// Written that day (bytes).
    today: u64,
    /// What the kernel's counter said then (bytes).
    seen: u64,
}

/// Counts, and keeps what was counted.
pub struct Ledger {
    /// `/`, or a folder like it for tests.
    top: PathBuf,
    /// Where it is kept.
    file: PathBuf,
    /// So far.
    counts: Option<Counts>,
    /// Whether this process has counted, and so knows what was before midnight.
    is_counting: bool,
    /// When it was kept last.
    kept: Instant,
}

impl Ledger {
    /// Goes on where the one before stopped. What can't be read begins anew.
    pub fn open(top: &Path, state: &Path) -> Self {
        let file = state.join(FILE);
        let found = settings::read_object(&file).ok().flatten();
        let counts = found.and_then(|found| serde_json::from_value(found.into()).ok());
        let top = top.to_path_buf();
        Self { top, file, counts, is_counting: false, kept: Instant::now() }
    }

    /// Looks at the kernel's counters. `uptime_s` is how long ago the machine started.
    pub fn count(&mut self, now: &ZonedDateTime, uptime_s: u64) {
        let boot = proc::read(&self.top.join("proc/sys/kernel/random/boot_id"));
        let boot = boot.map(|id| id.trim().to_owned());
        let before = self.counts.take();
        let is_same_day = before.as_ref().is_some_and(|before| before.day == now.date());
        let is_same_boot = before.as_ref().is_some_and(|before| before.boot == boot);
        let midnight = now.start_of_day().map_or(now.timestamp(), |start| start.timestamp());
        let uptime = SignedDuration::from_secs(i64::try_from(uptime_s).unwrap_or(i64::MAX));
        let started = now.timestamp().checked_sub(uptime).unwrap_or(Timestamp::UNIX_EPOCH);
        // How the first look at a day counts what the kernel has counted already.
        let is_followed = is_same_boot && self.is_counting;
        let is_all_today = started >= midnight;
        let since = match &before {
            Some(before) if is_same_day => before.since,
            _ if is_followed => midnight,
            _ if is_all_today => started,
            _ => now.timestamp(),
        };
        // People read it: no fractions.
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let known = before.map(|before| before.drives).unwrap_or_default();
        let mut drives = BTreeMap::new();
        for (name, counter) in counters(&self.top) {
            let count = known.get(&name).copied();
            let before = count.filter(|_| is_same_day).map_or(0, |count| count.today);
            // A counter that went back is that of a drive that was plugged in again.
            let seen = count.filter(|count| is_same_boot && count.seen <= counter);
            let grown = match seen {
                Some(count) if is_same_day || is_followed => counter - count.seen,
                _ if is_same_day || is_followed || is_all_today => counter,
                _ => 0,
            };
            drives.insert(name, Count { today: before.saturating_add(grown), seen: counter });
        }
        // What was unplugged today was written to all the same.
        for (name, count) in known.into_iter().filter(|_| is_same_day) {
            if drives.len() < limits::DRIVES_COUNTED_MAX {
                drives.entry(name).or_insert(Count { today: count.today, seen: 0 });
            }
        }
        self.counts = Some(Counts { day: now.date(), since, boot, drives });
        self.is_counting = true;
        if self.kept.elapsed() >= limits::COUNTS_KEPT_TIME {
            self.keep();
        }
    }

    /// Writes the counts down. What can't be written is begun anew at the next start.
    pub fn keep(&mut self) {
        self.kept = Instant::now();
        let Some(counts) = self.counts.as_ref().filter(|_| self.is_counting) else { return };
        let written = serde_json::to_value(counts)
            .map_err(|cause| cause.to_string())
            .and_then(|value| settings::write_json(&self.file, &value));
        if let Err(line) = written {
            terminal::warn(&line);
        }
    }

    /// The counts, and which drive has the state and which the share (device numbers).
    pub fn told(&self, state: Option<(u32, u32)>, share: Option<(u32, u32)>) -> Vec<Written> {
        let Some(counts) = &self.counts else { return Vec::new() };
        let holder = |device: Option<(u32, u32)>| device.and_then(|it| drive_of(&self.top, it));
        let (state, share) = (holder(state), holder(share));
        let tell = |(name, count): (&String, &Count)| Written {
            drive: name.clone(),
            is_card: name.starts_with("mmcblk"),
            holds_state: state.as_ref() == Some(name),
            holds_share: share.as_ref() == Some(name),
            bytes: count.today,
            since: counts.since.to_string(),
        };
        counts.drives.iter().map(tell).collect()
    }
}

/// Bytes written to each drive since the machine started or the drive was plugged in. Only what is a
/// device: not loops, RAM or what is made of other drives; not the boot areas of an eMMC.
fn counters(top: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for folder in proc::folders(&top.join("sys/block")) {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let is_drive = folder.join("device").exists()
            && !(name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb")));
        if !is_drive || found.len() >= limits::DRIVES_COUNTED_MAX {
            continue;
        }
        let text = proc::read(&folder.join("stat")).unwrap_or_default();
        let sectors = text.split_whitespace().nth(6).and_then(|word| word.parse::<u64>().ok());
        if let Some(sectors) = sectors {
            found.insert(name.to_owned(), sectors.saturating_mul(SECTOR_BYTES));
        }
    }
    found
}

/// The drive that a partition, or a whole drive, is: by the folder that the kernel's link to it leads to.
fn drive_of(top: &Path, (major, minor): (u32, u32)) -> Option<String> {
    let link = std::fs::read_link(top.join(format!("sys/dev/block/{major}:{minor}"))).ok()?;
    let mut parts = link.components().rev().filter_map(|part| part.as_os_str().to_str());
    let (last, above) = (parts.next()?, parts.next()?);
    Some(if above == "block" { last } else { above }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A machine with an SD card, whose start has a name and which has written so many sectors.
    fn machine(top: &Path, boot: &str, sectors: u64) {
        let put = |path: &str, content: &str| {
            let path = top.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        put("proc/sys/kernel/random/boot_id", boot);
        put("sys/block/mmcblk0/stat", &format!("  9 0 9 9 5 0 {sectors} 7 0 8 8\n"));
        fs::create_dir_all(top.join("sys/block/mmcblk0/device")).unwrap();
        put("sys/block/loop0/stat", "1 1 1 1 1 1 999 1\n");
        put("sys/block/mmcblk0boot0/stat", "1 1 1 1 1 1 999 1\n");
        fs::create_dir_all(top.join("sys/block/mmcblk0boot0/device")).unwrap();
    }

    /// Bytes of the card, and since when.
    fn of_card(ledger: &Ledger) -> (u64, String) {
        let told = ledger.told(None, None);
        let [card] = &told[..] else { panic!("{told:?}") };
        assert!(card.drive == "mmcblk0" && card.is_card);
        (card.bytes, card.since.clone())
    }

    fn at(time: &str) -> ZonedDateTime {
        let time: Timestamp = time.parse().unwrap();
        time.to_zoned_datetime(jiff::tz::TimeZone::UTC)
    }

    #[test]
    fn today_survives_restarts_of_larder_and_of_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let (top, state) = (folder.path(), folder.path());
        // Started yesterday: what was written before is not of today.
        machine(top, "one", 1000);
        let mut ledger = Ledger::open(top, state);
        ledger.count(&at("2026-11-25T08:00Z"), 100_000);
        assert_eq!(of_card(&ledger), (0, "2026-11-25T08:00:00Z".into()));
        machine(top, "one", 1002);
        ledger.count(&at("2026-11-25T08:01Z"), 100_060);
        assert_eq!(of_card(&ledger).0, 1024);
        ledger.keep();

        // Another larder, then another start of the machine, goes on.
        machine(top, "one", 1004);
        let mut ledger = Ledger::open(top, state);
        ledger.count(&at("2026-11-25T09:00Z"), 103_600);
        assert_eq!(of_card(&ledger), (2048, "2026-11-25T08:00:00Z".into()));
        ledger.keep();
        machine(top, "two", 10);
        let mut ledger = Ledger::open(top, state);
        ledger.count(&at("2026-11-25T10:00Z"), 60);
        assert_eq!(of_card(&ledger).0, 2048 + 5120);

        // Past midnight only what is new counts, and all of the day is known.
        machine(top, "two", 12);
        ledger.count(&at("2026-11-26T00:00:30Z"), 50_490);
        assert_eq!(of_card(&ledger), (1024, "2026-11-26T00:00:00Z".into()));
    }

    #[test]
    fn a_machine_that_started_today_counts_from_there() {
        let folder = tempfile::tempdir().unwrap();
        machine(folder.path(), "one", 4);
        let mut ledger = Ledger::open(folder.path(), folder.path());
        ledger.count(&at("2026-11-25T08:00Z"), 3600);
        assert_eq!(of_card(&ledger), (2048, "2026-11-25T07:00:00Z".into()));
    }

    #[test]
    fn a_day_that_nobody_followed_is_told_from_now_on() {
        let folder = tempfile::tempdir().unwrap();
        machine(folder.path(), "one", 4);
        let mut ledger = Ledger::open(folder.path(), folder.path());
        ledger.count(&at("2026-11-24T08:00Z"), 3600);
        ledger.keep();
        machine(folder.path(), "one", 400);
        let mut ledger = Ledger::open(folder.path(), folder.path());
        ledger.count(&at("2026-11-25T08:00Z"), 90_000);
        assert_eq!(of_card(&ledger), (0, "2026-11-25T08:00:00Z".into()));
    }

    #[test]
    fn a_damaged_file_and_a_drive_plugged_in_again_are_no_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"day\": 3}").unwrap();
        machine(folder.path(), "one", 100);
        let mut ledger = Ledger::open(folder.path(), folder.path());
        ledger.count(&at("2026-11-25T08:00Z"), 3600);
        machine(folder.path(), "one", 2);
        ledger.count(&at("2026-11-25T08:01Z"), 3660);
        assert_eq!(of_card(&ledger).0, 102 * 512);
        fs::remove_dir_all(folder.path().join("sys")).unwrap();
        ledger.count(&at("2026-11-25T08:02Z"), 3720);
        assert_eq!(of_card(&ledger).0, 102 * 512, "unplugged");
    }

    #[test]
    fn a_partition_is_on_its_drive() {
        let folder = tempfile::tempdir().unwrap();
        machine(folder.path(), "one", 4);
        fs::create_dir_all(folder.path().join("sys/dev/block")).unwrap();
        let link = |name: &str, to: &str| {
            symlink(to, folder.path().join("sys/dev/block").join(name)).unwrap();
        };
        link("179:2", "../../devices/platform/soc/mmc0/block/mmcblk0/mmcblk0p2");
        link("8:0", "../../devices/usb1/block/sda");
        let mut ledger = Ledger::open(folder.path(), folder.path());
        ledger.count(&at("2026-11-25T08:00Z"), 3600);
        let told = ledger.told(Some((179, 2)), Some((8, 0)));
        assert!(told[0].holds_state && !told[0].holds_share, "{told:?}");
        assert_eq!(drive_of(folder.path(), (8, 0)).as_deref(), Some("sda"));
        assert_eq!(drive_of(folder.path(), (0, 40)), None);
    }
}
