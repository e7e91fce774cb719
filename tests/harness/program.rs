//! Other people's programs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a program in a folder; demands that it works.
#[track_caller]
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let output = try_run(folder, program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a program in a folder.
#[track_caller]
pub fn try_run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    command(folder, program, arguments)
        .output()
        .unwrap_or_else(|cause| panic!("{program}: {cause} (scripts/test installs it)"))
}

/// A program in a folder, which is its home, too.
pub fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("HOME", folder).env("LC_ALL", "C.UTF-8");
    command.env("XDG_CONFIG_HOME", folder.join("config")).stdin(Stdio::null());
    command
}

/// Says why a test is skipped; in CI that is a fault.
#[track_caller]
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "in CI nothing is skipped: {why}");
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).ok();
}
