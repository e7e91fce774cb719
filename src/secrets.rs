//! Keeps what this process knows from other programs of the same user, commands of the console above all. The
//! kernel shows them the environment that a program was started with, its memory and its open files
//! (`/proc/PID/environ`, `mem`, `fd`; proc(5)), unless it says that it does not want that.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::{limits, terminal};

/// Tells a program that is started anew that its secret waits on its standard input: the value is the number of
/// the process, so that no other that inherits it believes it.
const WAITS: &str = "LARDER_SECRET_WAITS";

/// Shuts this process to other programs of the same user; those of root still see it. It leaves no core dumps,
/// either, which would hold passwords.
pub fn close_process() {
    if let Err(cause) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        terminal::warn(&format!("other programs can look into larder: {cause}"));
    }
}

/// Takes a secret out of the environment. What a program was started with can't be taken from it, and root, which
/// may run the commands of the console, sees it whatever `close_process` does: so this program is started again,
/// as the same process, without the secret in its environment but in a pipe. Called before anything else is
/// done, as everything is done again.
pub fn take(name: &str) -> Option<String> {
    if std::env::var_os(WAITS).is_some_and(|number| number == own_number()) {
        return read_waiting();
    }
    let secret = std::env::var(name).ok()?;
    if !secret.is_empty()
        && let Err(cause) = start_without(name, &secret)
    {
        terminal::warn(&format!("{name} can still be seen by root: {cause}"));
        close_input();
    }
    Some(secret)
}

/// Starts this program again; returns only when that fails.
fn start_without(name: &str, secret: &str) -> std::io::Result<()> {
    let program = std::env::current_exe()?;
    let (reader, mut writer) = std::io::pipe()?;
    // A pipe takes much more than this without a reader. What is longer is refused, whatever its end is.
    let end = secret.floor_char_boundary(limits::PASSWORD_BYTES_MAX + 4);
    writer.write_all(&secret.as_bytes()[..end])?;
    drop(writer);
    let mut given = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(own_name) = given.next() {
        again.arg0(own_name);
    }
    Err(again.args(given).env_remove(name).env(WAITS, own_number()).stdin(reader).exec())
}

/// The secret that waits on standard input; `None` when it was read before, by a program that has become this one.
fn read_waiting() -> Option<String> {
    let mut secret = String::new();
    let most = limits::PASSWORD_BYTES_MAX as u64 * 2;
    let read = std::io::stdin().lock().take(most).read_to_string(&mut secret);
    close_input();
    read.ok().filter(|bytes| *bytes > 0).map(|_| secret)
}

/// Leaves nothing on standard input.
fn close_input() {
    if let Ok(nothing) = rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty()) {
        // What was in it has been read in any case.
        let _as_before = rustix::stdio::dup2_stdin(nothing);
    }
}

/// The number of this process.
fn own_number() -> OsString {
    std::process::id().to_string().into()
}
