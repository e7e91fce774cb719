//! One command of a shell, bounded in time, output and number, in a folder that is kept for each
//! user. Knows users by name only, and no requests.

use std::collections::HashMap;
use std::io::{PipeReader, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{Error, Result};
use crate::permits::{Permit, Permits};
use crate::vault::{Share, VaultPath};
use crate::{limits, process, threads};

/// What a shell says of a folder that one may not enter.
const DENIED: &str = "Permission denied";

/// What a shell says of a folder that is none.
const MISSING: &str = "No such file or directory";

/// Runs commands.
pub struct Console {
    /// Each user's current folder; who is not in it is at the share root.
    folders: Mutex<HashMap<String, VaultPath>>,
    /// Commands that run now.
    running: Permits<()>,
    /// Whether larder is about to end.
    is_stopping: AtomicBool,
}

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output and standard error as they came; lossy where it is not UTF-8.
    pub output: String,
    /// As a shell tells it: 128 and the number when a signal ended it.
    pub exit_code: i32,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
    /// Whether it was killed because it wrote too much.
    pub truncated: bool,
}

/// A command that moves or tells the current folder, instead of a shell's.
#[derive(Debug, PartialEq, Eq)]
enum BuiltIn {
    /// `cd`, with the folder as it was written, free of quotes.
    Enter(String),
    /// `pwd`.
    Tell,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            folders: Mutex::default(),
            running: Permits::new(limits::COMMANDS_MAX, limits::COMMANDS_MAX),
            is_stopping: AtomicBool::new(false),
        }
    }
}

impl Console {
    /// Runs one command for a user. `home` is where the share root is.
    ///
    /// Errors: `TooSoon` (too many at once), `Refused` (the share root may not be seen),
    /// `StorageAbsent`, `Io`.
    pub fn run(
        &self,
        user: &str,
        share: &Share,
        home: &Path,
        command: &str,
        time_max: Duration,
    ) -> Result<Outcome> {
        let current = self.folder_of(user);
        match built_in(command) {
            Some(BuiltIn::Tell) => return Ok(told(format!("/{current}"), 0)),
            Some(BuiltIn::Enter(word)) => return self.enter(user, share, home, &current, &word),
            None => {}
        }
        let _place = self.take_place()?;
        match share.enter(&current) {
            Ok(folder) => self.run_in(&folder, home, command, time_max),
            // Whatever the command is, it was not meant for another folder.
            Err(Error::NotFound(_) | Error::Refused | Error::DeniedByDrive)
                if !current.is_root() =>
            {
                self.remember(user, VaultPath::root());
                Ok(told(format!("cd: /{current}: {MISSING}"), 1))
            }
            Err(error) => Err(error),
        }
    }

    /// Kills what runs, and waits for a moment until it is gone.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        let until = Instant::now() + Duration::from_secs(1);
        while self.running.taken() > 0 && Instant::now() < until {
            std::thread::sleep(limits::COMMAND_LOOK_TIME);
        }
    }

    /// `cd`: never leaves the share root.
    fn enter(
        &self,
        user: &str,
        share: &Share,
        home: &Path,
        current: &VaultPath,
        word: &str,
    ) -> Result<Outcome> {
        let refused = |why: &str| Ok(told(format!("cd: {word}: {why}"), 1));
        let Some(path) = destination(current, word, home) else { return refused(DENIED) };
        let Ok(path) = VaultPath::parse(&path) else { return refused(MISSING) };
        match share.enter(&path) {
            Ok(_folder) => {
                self.remember(user, path);
                Ok(told(format!("Changed directory to: {word}"), 0))
            }
            Err(Error::Refused | Error::DeniedByDrive) => refused(DENIED),
            // An absolute path means the share's. One that is not there, but on the machine, was
            // meant to lead out.
            Err(Error::NotFound(_)) if word.starts_with('/') && Path::new(word).exists() => {
                refused(DENIED)
            }
            Err(Error::NotFound(_) | Error::Invalid(..)) => refused(MISSING),
            Err(error) => Err(error),
        }
    }

    /// Runs a shell in an open folder.
    fn run_in(
        &self,
        folder: &OwnedFd,
        home: &Path,
        command: &str,
        time_max: Duration,
    ) -> Result<Outcome> {
        let (mut output, input) = std::io::pipe()?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "--", command])
            .current_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input)
            .env_clear()
            .envs(process::environment())
            .env("HOME", home)
            .process_group(0);
        let mut child = shell.spawn()?;
        // It holds our ends of the pipe, which would never come to its own end.
        drop(shell);
        let mut bytes = Vec::new();
        let timed_out = self.watch(&child, &mut output, &mut bytes, time_max);
        let status = process::end_group(&mut child)?;
        // What was written before the end is in the pipe still.
        let until = Instant::now() + limits::COMMAND_REST_TIME;
        while bytes.len() <= limits::COMMAND_OUTPUT_BYTES_MAX && Instant::now() < until {
            if take(&mut output, &mut bytes) == Taken::End {
                break;
            }
        }
        let truncated = bytes.len() > limits::COMMAND_OUTPUT_BYTES_MAX;
        bytes.truncate(limits::COMMAND_OUTPUT_BYTES_MAX);
        let output = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(broken) => String::from_utf8_lossy(broken.as_bytes()).into_owned(),
        };
        Ok(Outcome { output, exit_code: process::exit_code(status), timed_out, truncated })
    }

    /// Takes output until the shell has ended, its time is over (then says so), it has written too
    /// much, or larder stops.
    fn watch(
        &self,
        child: &Child,
        output: &mut PipeReader,
        bytes: &mut Vec<u8>,
        time_max: Duration,
    ) -> bool {
        let until = Instant::now() + time_max;
        let mut is_open = true;
        loop {
            if !is_open {
                std::thread::sleep(limits::COMMAND_LOOK_TIME);
            } else if take(output, bytes) == Taken::End {
                is_open = false;
            }
            let is_too_much = bytes.len() > limits::COMMAND_OUTPUT_BYTES_MAX;
            if is_too_much || process::has_ended(child) || self.is_stopping.load(Ordering::Acquire)
            {
                return false;
            }
            if Instant::now() >= until {
                return true;
            }
        }
    }

    /// A place among the commands that run.
    fn take_place(&self) -> Result<Permit<'_, ()>> {
        // Taken first: who stops waits for whoever has one, and from then on nobody begins.
        let place = self.running.take(());
        let place = place.filter(|_| !self.is_stopping.load(Ordering::Acquire));
        place.ok_or(Error::TooSoon { retry_after_s: limits::TRANSFER_RETRY_AFTER_S })
    }

    /// Where a user is.
    fn folder_of(&self, user: &str) -> VaultPath {
        let folders = threads::locked(&self.folders);
        folders.get(user).cloned().unwrap_or_default()
    }

    /// Notes where a user is now.
    fn remember(&self, user: &str, folder: VaultPath) {
        let mut folders = threads::locked(&self.folders);
        if folder.is_root() {
            folders.remove(user);
            return;
        }
        if folders.len() >= limits::COMMAND_FOLDERS_MAX && !folders.contains_key(user) {
            // Somebody is at the root again.
            let other = folders.keys().next().cloned();
            other.and_then(|other| folders.remove(&other));
        }
        folders.insert(user.to_owned(), folder);
    }
}

/// What one look at the pipe brought.
#[derive(PartialEq, Eq)]
enum Taken {
    /// Bytes, or nothing yet.
    Some,
    /// Nobody can write any more.
    End,
}

/// Takes what is in the pipe, waiting for it for a moment.
fn take(output: &mut PipeReader, bytes: &mut Vec<u8>) -> Taken {
    let time = Timespec::try_from(limits::COMMAND_LOOK_TIME).unwrap_or_default();
    let mut waiting = [PollFd::new(&*output, PollFlags::IN)];
    // A signal in between is as good as nothing yet.
    if !matches!(poll(&mut waiting, Some(&time)), Ok(1..)) {
        return Taken::Some;
    }
    let before = bytes.len();
    bytes.resize(before + limits::ANSWER_IN_MEMORY_BYTES, 0);
    let count = output.read(&mut bytes[before..]).unwrap_or(0);
    bytes.truncate(before + count);
    if count == 0 { Taken::End } else { Taken::Some }
}

/// The outcome of a command of our own.
fn told(output: String, exit_code: i32) -> Outcome {
    Outcome { output, exit_code, timed_out: false, truncated: false }
}

/// Whether this is a command of our own. What has an operator of the shell in it is the shell's.
fn built_in(command: &str) -> Option<BuiltIn> {
    let command = command.trim();
    if command == "pwd" {
        return Some(BuiltIn::Tell);
    }
    let rest = command.strip_prefix("cd")?;
    if rest.is_empty() {
        return Some(BuiltIn::Enter("~".to_owned()));
    }
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    unquote(rest.trim_start()).map(BuiltIn::Enter)
}

/// A word without its quotes (POSIX Shell, 2.2). Spaces need none: there is one word only. `None`
/// when it is more than a word.
fn unquote(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '\\') => word.push(letters.next()?),
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '$' | '`' | '\n')
            | (Some('"'), '$' | '`' | '\\') => return None,
            _ => word.push(letter),
        }
    }
    (quote.is_none() && !word.is_empty()).then_some(word)
}

/// Where a word leads from a folder, `..` resolved by name; `None` when out of the share.
fn destination(current: &VaultPath, word: &str, home: &Path) -> Option<String> {
    let inside = Path::new(word).strip_prefix(home).ok().and_then(Path::to_str);
    let (start, rest) = match word.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => ("", rest),
        _ if word.starts_with('/') => ("", inside.unwrap_or(word)),
        _ => (current.as_str(), word),
    };
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_cd_or_pwd_is_our_own() {
        let enter = |word: &str| Some(BuiltIn::Enter(word.to_owned()));
        for (command, wanted) in [
            ("pwd", Some(BuiltIn::Tell)),
            (" pwd\n", Some(BuiltIn::Tell)),
            ("cd", enter("~")),
            ("cd ~", enter("~")),
            ("cd  docs ", enter("docs")),
            ("cd My Photos", enter("My Photos")),
            ("cd 'a & b'", enter("a & b")),
            ("cd \"a;b\"/c", enter("a;b/c")),
            ("cd a\\ \\&b", enter("a &b")),
            ("cd a && ls", None),
            ("cd a; ls", None),
            ("cd $HOME", None),
            ("cd `x`", None),
            ("cd \"$HOME\"", None),
            ("cd 'a", None),
            ("cd a\nls", None),
            ("cdrecord", None),
            ("pwd -P", None),
            ("ls", None),
        ] {
            assert_eq!(built_in(command), wanted, "{command:?}");
        }
    }

    #[test]
    fn a_destination_is_never_above_the_root() {
        let current = VaultPath::parse("docs/old").unwrap();
        let home = Path::new("/srv/larder");
        for (word, wanted) in [
            ("a", Some("docs/old/a")),
            ("..", Some("docs")),
            ("../..", Some("")),
            ("../../..", None),
            ("../../../docs", None),
            ("../new/./x//", Some("docs/new/x")),
            ("~", Some("")),
            ("~/docs", Some("docs")),
            ("~/..", None),
            ("~x", Some("docs/old/~x")),
            ("/", Some("")),
            ("/docs", Some("docs")),
            ("/..", None),
            ("/srv/larder/docs", Some("docs")),
            ("/srv/larder/../x", None),
            ("/srv/larder2", Some("srv/larder2")),
        ] {
            assert_eq!(destination(&current, word, home).as_deref(), wanted, "{word}");
        }
    }
}
