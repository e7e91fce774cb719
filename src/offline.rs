//! `larder user ...`: administration from the command line, beside a running server or without
//! one. Whoever may read the state directory may do this; no password is asked for.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::auth::permission;
use crate::error::Error;
use crate::logbook::{By, Event};
use crate::people::{self, Authority, Changes, NewPerson};
use crate::store::UserStore;
use crate::{limits, logbook, terminal, threads};

/// What `larder user add` may be told of the new user.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// `--role`.
    pub role: Option<String>,
    /// `--name`.
    pub name: Option<String>,
    /// `--paths`.
    pub paths: Option<String>,
    /// `--paths-write`.
    pub paths_write: Option<String>,
}

/// The state directory of a larder that has been started at least once.
struct House<'a> {
    /// The state directory.
    state: &'a Path,
    /// Its users.
    users: UserStore,
}

impl<'a> House<'a> {
    /// Errors: one line.
    fn open(state: &'a Path) -> Result<Self, String> {
        let database = state.join("db").join("users.db");
        match std::path::Path::try_exists(&database) {
            Ok(true) => {}
            Ok(false) => {
                return Err(format!("{}: no larder has been started there yet", state.display()));
            }
            Err(cause) => return Err(format!("{}: {cause}", state.display())),
        }
        let users = UserStore::open(&database)
            .map_err(|error| format!("{}: {error}", database.display()))?;
        Ok(Self { state, users })
    }

    /// The folder of `roles.json`.
    fn settings(&self) -> PathBuf {
        self.state.join("settings")
    }

    /// Notes in the logbook what was done; what was done stays done without it.
    fn note(&self, change: String) {
        let path = self.state.join("db").join("logs.db");
        let event = Event::change(change);
        if let Err(error) = logbook::note_once(&path, &By::command_line(), event) {
            terminal::warn(&format!("{}: {error}", path.display()));
        }
    }
}

/// What went wrong, for the person at the terminal.
fn line(error: Error) -> String {
    match error {
        Error::Invalid(_, sentence) => sentence.into_owned(),
        Error::Collision(sentence) | Error::Conflict(sentence) | Error::NotFound(sentence) => {
            sentence.to_owned()
        }
        other => other.to_string(),
    }
}

/// `larder user list`: one line for each.
///
/// Errors: one line, as for all of these.
pub fn list(state: &Path) -> Result<(), String> {
    let house = House::open(state)?;
    let mut last = 0;
    loop {
        let some = house.users.after(last, limits::USERS_PER_READ).map_err(line)?;
        let Some(end) = some.last() else { return Ok(()) };
        last = end.id;
        for user in &some {
            let seen = if user.ip.is_empty() { "never seen" } else { &user.ip };
            terminal::say(&format!(
                "{}\t{}\t{}\treads {}\twrites {}\t{seen}",
                user.username, user.role, user.name, user.paths, user.paths_write
            ));
        }
    }
}

/// `larder user add NAME`.
pub fn add(state: &Path, username: &str, profile: &Profile) -> Result<(), String> {
    let house = House::open(state)?;
    let paths = profile.paths.as_deref().unwrap_or(people::READS_EVERYTHING);
    let paths_write = profile.paths_write.as_deref().unwrap_or(people::WRITES_NOTHING);
    for (flag, list) in [("--paths", paths), ("--paths-write", paths_write)] {
        permission::prefixes(list).map_err(|_| {
            format!("{flag}: must be a JSON array of paths, such as '[\"photos\"]'")
        })?;
    }
    let role = profile.role.as_deref().unwrap_or("user");
    let key = people::create(
        &house.users,
        &Authority::unbounded(),
        &NewPerson {
            username,
            password: Some(&read_password()?),
            name: profile.name.as_deref().unwrap_or(username),
            role,
            paths,
            paths_write,
        },
    )
    .map_err(line)?;
    house.note(format!("added user {username} with the role {role}"));
    terminal::say(&format!("User {username} added. API key (shown only now): {key}"));
    Ok(())
}

/// `larder user passwd NAME`: ends all sessions of the user.
pub fn set_password(state: &Path, username: &str) -> Result<(), String> {
    let house = House::open(state)?;
    let user = house.users.by_username(username).map_err(line)?;
    let user = user.ok_or_else(|| line(Error::NotFound("User not found")))?;
    let password = read_password()?;
    let changes = Changes { password: Some(&password), ..Changes::default() };
    people::change(&house.users, &Authority::unbounded(), user.id, &changes).map_err(line)?;
    house.note(format!("changed the password of {username}"));
    terminal::say(&format!("Password of {username} changed; every session has ended."));
    Ok(())
}

/// `larder user totp-off NAME`: for who has lost their phone.
pub fn take_factor_off(state: &Path, username: &str) -> Result<(), String> {
    let house = House::open(state)?;
    let user = house.users.by_username(username).map_err(line)?;
    let user = user.ok_or_else(|| line(Error::NotFound("User not found")))?;
    if !user.has_factor() {
        return Err(format!("{username} has no second factor"));
    }
    house.users.turn_factor_off(user.id).map_err(line)?;
    house.note(format!("took the second factor of {username} off"));
    terminal::say(&format!("Second factor of {username} is off."));
    Ok(())
}

/// `larder user delete NAME`.
pub fn delete(state: &Path, username: &str) -> Result<(), String> {
    let house = House::open(state)?;
    people::delete(&house.users, &Authority::unbounded(), &house.settings(), username)
        .map_err(line)?;
    house.note(format!("deleted user {username}"));
    terminal::say(&format!("User {username} deleted."));
    Ok(())
}

/// The password: from the terminal without echo, or the first line of standard input.
fn read_password() -> Result<String, String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let input = std::io::stdin();
    let say = |cause: &dyn std::fmt::Display| format!("password: {cause}");
    let mut line = String::new();
    if input.is_terminal() {
        let before = tcgetattr(&input).map_err(|cause| say(&cause))?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // Whoever breaks off gets their terminal back as it was.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|cause| say(&cause))?;
        let (handle, restored) = (signals.handle(), before.clone());
        let watcher = threads::spawn("signals", move || {
            for signal in signals.forever() {
                let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, &restored);
                let _ends_us = signal_hook::low_level::emulate_default_handler(signal);
            }
        })
        .map_err(|cause| say(&cause))?;
        terminal::say("Password (not shown):");
        tcsetattr(&input, OptionalActions::Flush, &silent).map_err(|cause| say(&cause))?;
        let read = input.read_line(&mut line);
        tcsetattr(&input, OptionalActions::Flush, &before).map_err(|cause| say(&cause))?;
        handle.close();
        let _panicked = watcher.join();
        read.map_err(|cause| say(&cause))?;
    } else {
        let bytes_max = limits::PASSWORD_BYTES_MAX as u64 + 2;
        input.lock().take(bytes_max).read_to_string(&mut line).map_err(|cause| say(&cause))?;
    }
    let password = line.lines().next().unwrap_or_default();
    if password.is_empty() || password.len() > limits::PASSWORD_BYTES_MAX {
        return Err("the password must have 1 to 1024 bytes".to_owned());
    }
    Ok(password.to_owned())
}
