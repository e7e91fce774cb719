//! The drives that a share lies on: which path is on which, by the names in the kernel's mount table
//! alone, since a drive that does not answer must not be asked for it, and the gate of each.

use super::VaultPath;
use super::gate::{Gate, Pass, Patience, Probe};
use super::look;
use super::mounts;
use crate::error::Result;
use crate::{limits, threads};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is mounted where, at one moment.
#[derive(Debug, Default)]
pub(super) struct Mounts(HashMap<PathBuf, Mount>);

/// One line of the mount table.
#[derive(Clone, Copy, Debug)]
struct Mount {
    /// Its number.
    number: u64,
    /// Whether it takes no writes, itself or its filesystem.
    is_read_only: bool,
}

impl Mounts {
    /// From lines as in `/proc/self/mountinfo`; of two mounts in one place the later hides the other.
    fn read(table: &[u8]) -> Self {
        let number = |line: &[u8]| {
            let first = line.split(|byte| *byte == b' ').next()?;
            std::str::from_utf8(first).ok()?.parse().ok()
        };
        let has = |field: Option<&[u8]>, option: &[u8]| {
            field.is_some_and(|field| field.split(|byte| *byte == b',').any(|one| one == option))
        };
        let is_read_only = |line: &[u8]| {
            let mut fields = line.split(|byte| *byte == b' ');
            has(fields.nth(5), b"ro") || has(fields.next_back(), b"ro")
        };
        let mount = |line: &[u8]| {
            let (number, is_read_only) = (number(line)?, is_read_only(line));
            Some((mounts::mount_points(line).next()?, Mount { number, is_read_only }))
        };
        Self(table.split(|byte| *byte == b'\n').filter_map(mount).collect())
    }

    /// The mount that a path lies on; 0 where the kernel does not tell.
    fn under(&self, path: &Path) -> u64 {
        path.ancestors().find_map(|above| self.at(above)).unwrap_or_default()
    }

    /// The mount whose top a path is, if it is one.
    pub fn at(&self, path: &Path) -> Option<u64> {
        self.0.get(path).map(|mount| mount.number)
    }

    /// Where mounts of these numbers are, in order.
    fn places_of(&self, numbers: &[u64]) -> Vec<PathBuf> {
        let meant = self.0.iter().filter(|(_, mount)| numbers.contains(&mount.number));
        let mut places: Vec<PathBuf> = meant.map(|(place, _)| place.clone()).collect();
        places.sort();
        places
    }

    /// Whether the mount whose top a path is takes no writes.
    pub fn is_read_only(&self, path: &Path) -> bool {
        self.0.get(path).is_some_and(|mount| mount.is_read_only)
    }
}

/// The drives of a share.
#[derive(Debug, Default)]
pub(super) struct Drives {
    /// What is mounted, and how to learn that something else is.
    table: Mutex<Table>,
    /// The gates by number of mount, and whether larder is ending.
    gates: Mutex<(HashMap<u64, Gate>, bool)>,
}

/// The mount table as it was read last.
#[derive(Debug, Default)]
struct Table {
    /// The kernel's, open, which tells when it has changed (`proc(5)`: by a poll).
    file: Option<File>,
    /// What it said.
    mounts: Arc<Mounts>,
}

impl Drives {
    /// What is mounted now. Asks no drive.
    pub fn mounts(&self) -> Arc<Mounts> {
        let mut table = threads::locked(&self.table);
        let is_new = table.file.is_none();
        if is_new {
            table.file = File::open("/proc/self/mountinfo").ok();
        }
        if is_new || table.file.as_ref().is_some_and(has_changed) {
            table.mounts = Arc::new(Mounts::read(&mounts::mount_table().unwrap_or_default()));
        }
        Arc::clone(&table.mounts)
    }

    /// The gate of a mount.
    fn gate(&self, mount: u64) -> Gate {
        let mut gates = threads::locked(&self.gates);
        let (known, is_closed) = &mut *gates;
        if known.len() >= limits::DRIVE_GATES_MAX && !known.contains_key(&mount) {
            known.retain(|_, gate| !gate.is_idle());
        }
        let gate = known.entry(mount).or_default();
        if *is_closed {
            gate.close();
        }
        gate.clone()
    }

    /// Waits for the drive that a path lies on. `probe` asks it for something.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn enter(
        &self,
        mounts: &Mounts,
        path: &Path,
        patience: Patience,
        probe: impl FnOnce() -> Probe,
    ) -> Result<Pass> {
        self.gate(mounts.under(path)).enter(patience, probe)
    }

    /// Waits until the drive that a path lies on is known to answer.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn hear(
        &self,
        mounts: &Mounts,
        path: &Path,
        patience: Patience,
        probe: impl FnOnce() -> Probe,
    ) -> Result<()> {
        self.gate(mounts.under(path)).hear(patience, probe)
    }

    /// The same as `enter` if the path is the top of a mount; `None` when it is not, and nobody is asked.
    ///
    /// Errors: `DriveBusy`, `Io`.
    pub fn cross(
        &self,
        mounts: &Mounts,
        path: &Path,
        patience: Patience,
        probe: impl FnOnce() -> Probe,
    ) -> Result<Option<Pass>> {
        let Some(mount) = mounts.at(path) else { return Ok(None) };
        self.gate(mount).enter(patience, probe).map(Some)
    }

    /// Whether the drive answers whose top a path is.
    pub fn is_answering(
        &self,
        mounts: &Mounts,
        path: &Path,
        probe: impl FnOnce() -> Probe,
    ) -> bool {
        let answers = |mount| self.gate(mount).hear(Patience::Glance, probe).is_ok();
        mounts.at(path).is_none_or(answers)
    }

    /// The mounts that are known not to answer, by where they are. Asks no drive.
    pub fn silent(&self) -> Vec<PathBuf> {
        let gates = threads::locked(&self.gates);
        let silent: Vec<u64> =
            gates.0.iter().filter(|(_, gate)| gate.is_silent()).map(|(mount, _)| *mount).collect();
        drop(gates);
        if silent.is_empty() { Vec::new() } else { self.mounts().places_of(&silent) }
    }

    /// Sends away whoever waits for a drive, now and later.
    pub fn close(&self) {
        let mut gates = threads::locked(&self.gates);
        gates.1 = true;
        gates.0.values().for_each(Gate::close);
    }
}

/// Whether the kernel has changed the table since it was opened, or since this was asked last.
fn has_changed(table: &File) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut polled = [PollFd::new(table, PollFlags::PRI)];
    rustix::event::poll(&mut polled, Some(&at_once)).is_err()
        || polled[0].revents().intersects(PollFlags::PRI | PollFlags::ERR)
}

/// Where in the file tree of the machine a place of the share is.
pub(super) fn place_of(root: &Path, path: &VaultPath) -> PathBuf {
    if path.is_root() {
        root.to_owned()
    } else {
        root.join(std::ffi::OsStr::from_bytes(&path.on_disk()))
    }
}

/// A probe of the folder at a path of the machine.
pub(super) fn probe_at(path: PathBuf) -> Probe {
    Box::new(move || {
        // Whatever it says, it answers.
        let _answered = look::open_root(&path).and_then(look::ask);
    })
}

/// A probe of the folder called `name` in an open one, which may be the top of another drive.
pub(super) fn probe_below(folder: &Arc<OwnedFd>, name: &[u8]) -> Probe {
    let (folder, name) = (Arc::clone(folder), std::ffi::OsStr::from_bytes(name).to_owned());
    Box::new(move || {
        // Whatever it says, it answers.
        let _answered = look::open_place(&*folder, name.as_bytes()).and_then(look::ask);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_on_the_nearest_mount_above_it_and_the_last_in_its_place() {
        let mounts = Mounts::read(
            b"20 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 20 8:2 / /srv/my\\040share rw - ext4 /dev/sdb1 rw\n\
              37 36 0:50 / /srv/my\\040share/usb rw - fuse x rw\n38 37 0:51 / /srv/my\\040share/usb rw - fuse y rw\n\
              broken\n",
        );
        for (path, on, top) in [
            ("/srv/my share/usb/a/b", 38, None),
            ("/srv/my share/usb", 38, Some(38)),
            ("/srv/my share/usb2", 36, None),
            ("/srv", 20, None),
            ("/", 20, Some(20)),
        ] {
            assert_eq!(
                (mounts.under(path.as_ref()), mounts.at(path.as_ref())),
                (on, top),
                "{path}"
            );
        }
        assert_eq!(Mounts::default().under(Path::new("/a")), 0);
    }

    #[test]
    fn the_table_of_this_machine_is_read_and_told_once() {
        let drives = Drives::default();
        let first = drives.mounts();
        assert!(first.at(Path::new("/proc")).is_some());
        assert!(!first.0.is_empty());
    }
}
