//! Tests that need a process of their own: other mounts, other rights, few descriptors. The test
//! binary runs one of its tests again, in the surroundings it needs, so that nothing is left behind
//! on the machine and the other tests notice nothing.

use std::process::Command;

/// Says in the child which test it is there for.
const MARK: &str = "LARDER_TEST_ALONE";

/// What a test needs around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// A process of its own, for limits that hold for a whole process.
    Process,
    /// Mounts of its own, that nobody else sees and that go with it.
    Mounts,
    /// No right to pass over modes: an ordinary user.
    Ordinary,
}

impl Surroundings {
    /// The command line that goes before the test binary's own.
    fn prefix(self) -> &'static [&'static str] {
        let is_root = rustix::process::geteuid().is_root();
        match self {
            Self::Mounts if is_root => &["unshare", "--mount"],
            Self::Mounts => &["unshare", "--mount", "--user", "--map-root-user"],
            Self::Ordinary if is_root => {
                &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            }
            Self::Ordinary | Self::Process => &[],
        }
    }

    /// Whether this machine gives them.
    fn are_given(self) -> bool {
        let program = std::env::current_exe().unwrap();
        let mut line = self.prefix().iter().map(std::convert::AsRef::as_ref).collect::<Vec<_>>();
        line.extend([program.as_os_str(), "--list".as_ref()]);
        Command::new(line[0]).args(&line[1..]).output().is_ok_and(|told| told.status.success())
    }
}

/// Runs `body`, which is the test `name` (`module::function` in `vault::tests`), in a process with
/// these surroundings. Where the machine does not give them, `otherwise` checks what can be.
pub fn alone(name: &str, surroundings: Surroundings, body: fn(), otherwise: fn()) {
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        return body();
    }
    if !surroundings.are_given() {
        #[expect(clippy::print_stderr, reason = "who runs the tests should know what was not seen")]
        {
            eprintln!("{name}: `{}` is not permitted here", surroundings.prefix().join(" "));
        }
        return otherwise();
    }
    let program = std::env::current_exe().unwrap();
    let full_name = format!("vault::tests::{name}");
    let mut line =
        surroundings.prefix().iter().map(std::convert::AsRef::as_ref).collect::<Vec<_>>();
    line.extend([program.as_os_str(), "--exact".as_ref(), full_name.as_ref()]);
    line.push("--nocapture".as_ref());
    let told = Command::new(line[0]).args(&line[1..]).env(MARK, name).output().unwrap();
    let text = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && text.contains("1 passed"), "{text}");
}

/// Mounts something, with the arguments of `mount`.
pub fn mount(arguments: &[&str]) {
    let told = Command::new("mount").args(arguments).output().unwrap();
    assert!(told.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&told.stderr));
}

/// Takes a drive away, also while it is in use, as a pulled plug does.
pub fn unmount(place: &std::path::Path) {
    let told = Command::new("umount").arg("--lazy").arg(place).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}
