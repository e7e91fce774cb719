//! A drive that can lose its power: ext4 in a file, mounted where a larder's share is. When the power goes, the
//! kernel forgets what it had not handed to the drive (`EXT4_IOC_SHUTDOWN` without a flush, as filesystems' own tests
//! cut the power), and the next mount replays the journal.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Larder, wait};

/// Cuts the power of the filesystem that is named. Here nothing may be unsafe, and this call has no safe wrapper.
const SHUTDOWN: &str = "
import fcntl, os, struct, sys
GOING_DOWN, NO_LOG_FLUSH = 0x8004587d, 2
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), GOING_DOWN, struct.pack('I', NO_LOG_FLUSH))
";

/// Mounted when made; unmounted when dropped.
pub struct CutDrive {
    /// The file that is the drive.
    image: PathBuf,
    /// Where it is mounted.
    place: PathBuf,
}

impl CutDrive {
    /// An empty one of so many MiB at a folder of a share (the root: an empty name). `None`, with the reason on
    /// standard error, where this machine does not let a test mount one.
    pub fn at(larder: &Larder, folder: &str, mib: u64) -> Option<Self> {
        Self::with(larder, folder, mib, "^resize_inode")
    }

    /// One whose filesystem promises no room (`fallocate`), as those of sticks.
    pub fn without_promises(larder: &Larder, folder: &str, mib: u64) -> Option<Self> {
        Self::with(larder, folder, mib, "^extent,^64bit,^metadata_csum,^resize_inode")
    }

    /// One with these features.
    fn with(larder: &Larder, folder: &str, mib: u64, features: &str) -> Option<Self> {
        let place = larder.root().join(folder);
        fs::create_dir_all(&place).unwrap();
        let drive = Self { image: larder.folder_path().join(format!("drive-{folder}.img")), place };
        File::create(&drive.image).unwrap().set_len(mib << 20).unwrap();
        let mut make = Command::new("mkfs.ext4");
        make.args(["-q", "-m", "0", "-O", features]).arg(&drive.image);
        // Not everybody has it on their way.
        make.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
        let told = match make.output() {
            Ok(output) if output.status.success() => drive.try_mount(),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(cause) => Err(format!("mkfs.ext4: {cause}")),
        };
        if let Err(why) = told {
            let told = format!("skipped: no drives to be mounted here: {why}\n");
            std::io::stderr().write_all(told.as_bytes()).ok();
            return None;
        }
        fs::remove_dir(drive.place.join("lost+found")).unwrap();
        Some(drive)
    }

    /// Has nothing be written any more, without an error: whoever writes waits in the kernel.
    pub fn freeze(&self) {
        assert!(fsfreeze(&self.place, "--freeze"), "no fsfreeze");
    }

    /// Ends that.
    pub fn thaw(&self) {
        assert!(fsfreeze(&self.place, "--unfreeze"), "no fsfreeze");
    }

    /// Mounts it.
    fn try_mount(&self) -> Result<(), String> {
        let mut command = Command::new("mount");
        command.args(["-o", "loop"]).args([&self.image, &self.place]);
        let output = command.output().map_err(|cause| cause.to_string())?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(told) }
    }

    /// Takes the power away. Whoever still writes gets errors.
    pub fn cut(&self) {
        let mut command = Command::new("python3");
        command.args(["-c", SHUTDOWN]).arg(&self.place);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Brings the power back; nobody may have it open.
    #[track_caller]
    pub fn power(&self) {
        wait::until("the drive let go of", || is_unmounted(&self.place));
        self.try_mount().unwrap();
    }
}

/// Runs `fsfreeze`.
fn fsfreeze(place: &Path, how: &str) -> bool {
    let told = Command::new("fsfreeze").arg(how).arg(place).stderr(Stdio::null()).status();
    told.is_ok_and(|told| told.success())
}

/// Whether it could be unmounted.
fn is_unmounted(place: &Path) -> bool {
    rustix::mount::unmount(place, rustix::mount::UnmountFlags::empty()).is_ok()
}

impl Drop for CutDrive {
    fn drop(&mut self) {
        let _not_frozen = fsfreeze(&self.place, "--unfreeze");
        let _never_mounted =
            rustix::mount::unmount(&self.place, rustix::mount::UnmountFlags::DETACH);
    }
}
