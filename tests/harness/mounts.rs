//! A larder with mounts of its own, which nobody else sees and which go with it, and a drive that comes and goes.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use super::Larder;

/// Whether this machine lets a test mount things and give them away: root may.
pub fn mounts_are_given() -> bool {
    rustix::process::geteuid().is_root()
        && Command::new("unshare")
            .args(["--mount", "true"])
            .status()
            .is_ok_and(|told| told.success())
}

/// Starts a larder behind a shell script, which mounts what it wants (it begins in the share root) and ends
/// with `exec "$@"`.
pub fn launch_within(larder: Larder, script: &str) -> Larder {
    let root = larder.root();
    larder.launch_with(|command| {
        let mut outer = Command::new("unshare");
        outer.args(["--mount", "sh", "-c", script, "sh"]).current_dir(root);
        outer.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => outer.env(name, value),
                None => outer.env_remove(name),
            };
        }
        *command = outer;
    })
}

/// A drive mounted in a share, which can be taken away and comes back as it was. It is the machine's own mount, so
/// that it outlives each larder; it goes when dropped.
pub struct Stick {
    /// Where it lies while it is not plugged in.
    hold: PathBuf,
    /// Where it is plugged in.
    place: PathBuf,
}

impl Stick {
    /// An empty one, plugged in. `None` where this machine does not let a test mount.
    pub fn plugged(larder: &Larder, name: &str) -> Option<Self> {
        let (hold, place) = (larder.outside().join("hold"), larder.root().join(name));
        fs::create_dir_all(&hold).unwrap();
        fs::create_dir_all(&place).unwrap();
        if let Err(errno) = mount("stick", &hold, "tmpfs", MountFlags::empty(), c"") {
            let told = format!("skipped: no mounts here: {errno}\n");
            std::io::stderr().write_all(told.as_bytes()).ok();
            return None;
        }
        let stick = Self { hold, place };
        stick.plug();
        Some(stick)
    }

    /// Plugs it in.
    pub fn plug(&self) {
        mount_bind(&self.hold, &self.place).unwrap();
    }

    /// Pulls it out, also while it is in use.
    pub fn pull(&self) {
        unmount(&self.place, UnmountFlags::DETACH).unwrap();
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        for place in [&self.place, &self.hold] {
            let _may_be_out = unmount(place, UnmountFlags::DETACH);
        }
    }
}
