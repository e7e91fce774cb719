//! A group of processes that has so much memory and no more, as on a small board (`cgroups(7)`, both versions).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Larder, wait};

/// A group; it goes when dropped, which whatever runs in it must be before.
pub struct Cgroup {
    /// Its folder.
    folder: PathBuf,
    /// The files of this version of the interface.
    names: &'static Names,
}

/// How a version of the interface calls its files.
struct Names {
    /// Where groups with memory of their own are made.
    parent: &'static str,
    /// The bound.
    bound: &'static str,
    /// What tells how many were killed for want of memory.
    kills: &'static str,
    /// The most that was ever used.
    peak: &'static str,
}

/// The second version, and the first.
const VERSIONS: [Names; 2] = [
    Names {
        parent: "/sys/fs/cgroup",
        bound: "memory.max",
        kills: "memory.events",
        peak: "memory.peak",
    },
    Names {
        parent: "/sys/fs/cgroup/memory",
        bound: "memory.limit_in_bytes",
        kills: "memory.oom_control",
        peak: "memory.max_usage_in_bytes",
    },
];

impl Cgroup {
    /// One with so much memory. `None` where this machine does not let a test make one: that takes root, and the
    /// controller of memory.
    pub fn of(bytes: u64) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("larder-test-{}-{number}", std::process::id());
        for names in &VERSIONS {
            let folder = Path::new(names.parent).join(&name);
            if fs::create_dir(&folder).is_err() {
                continue;
            }
            let group = Self { folder, names };
            // The file is the kernel's; where it is not there, this is no group, or one without memory of its own.
            let bound = File::options().write(true).open(group.folder.join(names.bound));
            if bound.is_ok_and(|mut file| write!(file, "{bytes}").is_ok()) {
                return Some(group);
            }
        }
        None
    }

    /// Starts a larder in it.
    pub fn launch(&self, larder: Larder) -> Larder {
        let members = self.folder.join("cgroup.procs");
        larder.launch_with(|command| {
            let mut outer = Command::new("sh");
            outer.args(["-c", r#"echo $$ >"$0" && exec "$@""#]).arg(members);
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

    /// Whether a process is in it, as the kernel says.
    pub fn has(&self, pid: u32) -> bool {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        groups.lines().any(|line| line.ends_with(name))
    }

    /// How many of its processes the kernel has killed for want of memory.
    pub fn kills(&self) -> u64 {
        let told = fs::read_to_string(self.folder.join(self.names.kills)).unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.expect("kernels tell since 4.13").parse().unwrap()
    }

    /// The most memory that was ever used in it, files in the cache and all (bytes); not every kernel tells.
    pub fn peak(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join(self.names.peak)).ok()?.trim().parse().ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that was killed may still be on its way out.
        wait::comes_true(wait::PATIENCE, || fs::remove_dir(&self.folder).is_ok());
    }
}
