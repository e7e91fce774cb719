//! How many small pictures are kept on each drive, and which of them go when there are too many: those that were not
//! used for the longest time.

use super::hidden::unlink;
use super::look;
use super::os;
use super::room::Room;
use crate::error::Result;
use crate::{limits, threads};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// One drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Drive(u32, u32);

impl Drive {
    /// The drive that an open folder is on.
    pub fn of(folder: BorrowedFd<'_>) -> Option<Self> {
        let stat = look::look_at(folder).ok()?;
        Some(Self(stat.stx_dev_major, stat.stx_dev_minor))
    }
}

/// How many small pictures are kept, and what is known of each drive.
#[derive(Debug, Default)]
pub(super) struct ThumbsKeeping(Arc<State>);

/// The same, shared with those who count.
#[derive(Debug)]
struct State {
    /// Megabytes (2^20 bytes) on each drive; 0 keeps none.
    megabytes: AtomicU32,
    /// Whether there may be too many anywhere, since the setting was lowered.
    is_due: AtomicBool,
    /// What lies on the drives that were looked through.
    drives: Mutex<HashMap<Drive, Known>>,
}

/// How much may be kept on a drive.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// Bytes.
    bytes: u64,
    /// What the setting said then.
    megabytes: u32,
}

/// What is known of a drive.
#[derive(Debug, Default)]
struct Known {
    /// Bytes of what is kept there; `None` until they are counted.
    bytes: Option<u64>,
    /// Bytes that came while they were counted.
    came: u64,
    /// Whether they are being counted.
    is_counting: bool,
}

impl Default for State {
    /// As the settings have it until they say otherwise.
    fn default() -> Self {
        Self {
            megabytes: AtomicU32::new(512),
            is_due: AtomicBool::new(false),
            drives: Mutex::default(),
        }
    }
}

impl State {
    /// How many are kept.
    fn megabytes(&self) -> u32 {
        self.megabytes.load(Ordering::Relaxed)
    }

    /// Notes what was counted on a drive while so many were kept.
    fn counted(&self, drive: Drive, found: Result<u64>, megabytes: u32) {
        let mut drives = threads::locked(&self.drives);
        let Some(known) = drives.get_mut(&drive) else { return };
        known.is_counting = false;
        let came = std::mem::take(&mut known.came);
        // What could not be counted, or by another measure, is counted by the next who comes.
        let is_right = self.megabytes() == megabytes;
        known.bytes = found.ok().filter(|_| is_right).map(|bytes| bytes + came);
        if !is_right {
            self.is_due.store(true, Ordering::Relaxed);
        }
    }
}

impl ThumbsKeeping {
    /// Sets how many are kept. Each drive is looked through again when somebody comes to it, or before that.
    pub fn set(&self, megabytes: u32) {
        let before = self.0.megabytes.swap(megabytes, Ordering::Relaxed);
        if before == megabytes {
            return;
        }
        let mut drives = threads::locked(&self.0.drives);
        drives.retain(|_, known| known.is_counting);
        drives.values_mut().for_each(|known| known.bytes = None);
        if megabytes < before {
            self.look_again();
        }
    }

    /// Whether there may be too many anywhere. Asked once: whoever asks sees to it.
    pub fn is_due(&self) -> bool {
        self.0.is_due.swap(false, Ordering::Relaxed)
    }

    /// There may be.
    pub fn look_again(&self) {
        self.0.is_due.store(true, Ordering::Relaxed);
    }

    /// Whether any are kept.
    pub fn is_on(&self) -> bool {
        self.0.megabytes() > 0
    }

    /// How much may be kept on a drive.
    fn bound(&self, folder: &OwnedFd) -> Bound {
        let megabytes = self.0.megabytes();
        let set = u64::from(megabytes) << 20;
        let room = Room::on(folder.as_fd()).ok().flatten();
        let bytes = room.map_or(set, |room| set.min(room.total / 100 * limits::THUMBS_PERCENT_MAX));
        Bound { bytes, megabytes }
    }

    /// Counts what lies on a drive unless that is known, and has too much of it go. Does not wait for that.
    pub fn look_through_once(&self, folder: &Arc<OwnedFd>, drive: Drive) {
        // The drive is asked while nobody waits for what is known of all of them.
        let bound = self.bound(folder);
        let mut drives = threads::locked(&self.0.drives);
        if drives.len() >= limits::THUMB_DRIVES_MAX && !drives.contains_key(&drive) {
            drives.retain(|_, known| known.is_counting);
        }
        let known = drives.entry(drive).or_default();
        if known.bytes.is_none() && !known.is_counting {
            self.look_through(known, folder, drive, bound);
        }
    }

    /// Begins to count.
    fn look_through(&self, known: &mut Known, folder: &Arc<OwnedFd>, drive: Drive, bound: Bound) {
        let (folder, state) = (Arc::clone(folder), Arc::clone(&self.0));
        let begun = threads::spawn("thumbs-keeping", move || {
            threads::step_back();
            state.counted(drive, prune(&folder, bound.bytes), bound.megabytes);
        });
        known.is_counting = begun.is_ok();
        known.came = 0;
    }

    /// Whether a drive has room for so many bytes more.
    pub fn has_room(&self, folder: &Arc<OwnedFd>, drive: Drive, bytes: u64) -> bool {
        let bound = self.bound(folder);
        self.is_on()
            && !is_full(folder)
            && threads::locked(&self.0.drives)
                .get(&drive)
                .is_none_or(|known| known.takes(bytes, bound.bytes))
    }

    /// Takes room on a drive for so many bytes more; `false` when there is none, which is made for those who come
    /// later.
    pub fn take_room(&self, folder: &Arc<OwnedFd>, drive: Drive, bytes: u64) -> bool {
        let bound = self.bound(folder);
        if !self.is_on() || is_full(folder) {
            return false;
        }
        let mut drives = threads::locked(&self.0.drives);
        let known = drives.entry(drive).or_default();
        if !known.takes(bytes, bound.bytes) {
            if !known.is_counting {
                self.look_through(known, folder, drive, bound);
            }
            return false;
        }
        match &mut known.bytes {
            Some(kept) => *kept += blocks(bytes),
            None => known.came += blocks(bytes),
        }
        true
    }
}

impl Known {
    /// Whether so many bytes more are not too many.
    fn takes(&self, bytes: u64, bytes_max: u64) -> bool {
        self.bytes.unwrap_or(self.came) + blocks(bytes) <= bytes_max
    }
}

/// Whether a drive is so full that it gets none (second contract, section 18). What a filesystem keeps for the
/// system counts as free.
fn is_full(folder: &OwnedFd) -> bool {
    rustix::fs::fstatvfs(folder).map_or(true, |told| {
        told.f_blocks > 0 && told.f_bfree < told.f_blocks / limits::THUMBS_FREE_PART
    })
}

/// What so many bytes take on a drive.
fn blocks(bytes: u64) -> u64 {
    bytes.next_multiple_of(limits::THUMB_BLOCK_BYTES)
}

/// Seconds since 1970, of something that was used then.
fn second_of(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds of a day.
const DAY_S: u64 = 24 * 3600;

/// Removes the longest unused if there are more than so many bytes; returns what is left. No list of them is made:
/// they are counted by days, those of the last day that has to go by seconds.
fn prune(folder: &Arc<OwnedFd>, bytes_max: u64) -> Result<u64> {
    let mut of_days = BTreeMap::new();
    each(folder, &mut |_, _, used, bytes| *of_days.entry(used / DAY_S).or_default() += bytes)?;
    let found: u64 = of_days.values().sum();
    if found <= bytes_max {
        return Ok(found);
    }
    let too_much = found - bytes_max / 100 * limits::THUMBS_KEPT_PERCENT;
    let (day, of_day) = last_of(&of_days, too_much);
    let mut of_seconds = BTreeMap::new();
    each(folder, &mut |_, _, used, bytes| {
        if used / DAY_S == day {
            *of_seconds.entry(used).or_default() += bytes;
        }
    })?;
    let (second, mut of_second) = last_of(&of_seconds, of_day);
    let mut left = found;
    each(folder, &mut |drawer, name, used, bytes| {
        let is_of_second = used == second && of_second > 0;
        if used < second || is_of_second {
            unlink(drawer.as_fd(), std::ffi::OsStr::new(name));
            left = left.saturating_sub(bytes);
            of_second = of_second.saturating_sub(if is_of_second { bytes } else { 0 });
        }
    })?;
    Ok(left)
}

/// The time up to which things have to go so that so many bytes do, and how many of that very time.
fn last_of(of_times: &BTreeMap<u64, u64>, bytes: u64) -> (u64, u64) {
    let mut left = bytes;
    for (time, there) in of_times {
        if *there >= left {
            return (*time, left);
        }
        left -= there;
    }
    // Some have gone since they were counted: all that are left go.
    (u64::MAX, 0)
}

/// Hands out what is kept: the folder it is in, its name, when it was used last (seconds since 1970) and what it takes.
fn each(folder: &Arc<OwnedFd>, take: &mut dyn FnMut(&OwnedFd, &str, u64, u64)) -> Result<()> {
    for number in 0..=u8::MAX {
        let Ok(drawer) = look::open_to_read(&**folder, format!("{number:02x}").as_bytes()) else {
            continue;
        };
        look::each_name(drawer.as_fd(), os, &mut |name| {
            threads::give_way();
            // Whatever has no plain name is none of ours.
            if let Ok(name) = std::str::from_utf8(name)
                && let Ok(Some(stat)) = look::look(&drawer, name.as_bytes())
            {
                take(&drawer, name, second_of(look::modified_of(&stat)), blocks(stat.stx_size));
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    /// A folder with small pictures of one block each, unused for so many days.
    fn shelf(days: &[u64]) -> (tempfile::TempDir, Arc<OwnedFd>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("0a")).unwrap();
        for (number, day) in days.iter().enumerate() {
            let file = File::create(folder.path().join("0a").join(number.to_string())).unwrap();
            file.set_len(100).unwrap();
            let used = SystemTime::now() - Duration::from_secs(day * 24 * 3600);
            file.set_modified(used).unwrap();
        }
        let handle = Arc::new(look::open_root(folder.path()).unwrap());
        (folder, handle)
    }

    /// The numbers of what is left.
    fn left(folder: &tempfile::TempDir) -> Vec<u32> {
        let names = std::fs::read_dir(folder.path().join("0a")).unwrap().flatten();
        let mut left: Vec<u32> =
            names.map(|entry| entry.file_name().to_str().unwrap().parse().unwrap()).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn those_go_that_were_not_used_for_the_longest_time() {
        let block = limits::THUMB_BLOCK_BYTES;
        let (folder, handle) = shelf(&[5, 1, 9, 3, 7]);
        assert_eq!(prune(&handle, 5 * block).unwrap(), 5 * block);
        assert_eq!(left(&folder), [0, 1, 2, 3, 4], "there is room for all");
        // Nine tenths of three blocks stay, which are two.
        assert_eq!(prune(&handle, 3 * block).unwrap(), 2 * block);
        assert_eq!(left(&folder), [1, 3]);
        assert_eq!(prune(&handle, 0).unwrap(), 0);
        assert_eq!(left(&folder), [] as [u32; 0]);
    }

    #[test]
    fn of_one_day_only_as_many_go_as_have_to() {
        let block = limits::THUMB_BLOCK_BYTES;
        let (folder, handle) = shelf(&[0; 100]);
        assert_eq!(prune(&handle, 50 * block).unwrap(), 45 * block);
        assert_eq!(left(&folder).len(), 45);
    }

    #[test]
    fn what_was_counted_by_another_measure_is_counted_again() {
        let keeping = ThumbsKeeping::default();
        let drive = Drive(7, 7);
        let known = Known { is_counting: true, came: 10, ..Known::default() };
        threads::locked(&keeping.0.drives).insert(drive, known);
        assert!(!keeping.is_due());
        keeping.set(1);
        assert!(keeping.is_due() && !keeping.is_due());
        keeping.0.counted(drive, Ok(5), 512);
        assert_eq!(threads::locked(&keeping.0.drives)[&drive].bytes, None);
        assert!(keeping.is_due());
        keeping.0.counted(drive, Ok(5), 1);
        assert_eq!(threads::locked(&keeping.0.drives)[&drive].bytes, Some(5));
        assert!(!keeping.is_due());
        keeping.set(2);
        assert!(!keeping.is_due(), "there are not too many because more may be kept");
    }
}
