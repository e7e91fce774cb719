//! A larder with mounts of its own, which nobody else sees and which go with it.

use std::process::Command;

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
