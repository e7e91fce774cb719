//! A one-time code on the terminal: in the banner of a first start, and by `larder signin-code`. Whoever may read the
//! state directory may have one; no password is asked for.

use std::path::Path;

use crate::error::Error;
use crate::logbook::{self, By, Event};
use crate::people::{self, Authority};
use crate::store::UserStore;
use crate::{app, limits, qr, system, terminal};

/// A code for this user, made by whoever is at the machine.
///
/// Errors: those of `people::make_code`.
pub fn make_code(users: &UserStore, username: &str) -> Result<String, Error> {
    people::make_code(users, &Authority::unbounded(), username)
}

/// What the terminal shows of a code: the address that signs in, and where it can be drawn, that as a QR code.
pub fn lines(url: &str, code: &str) -> Vec<String> {
    let address = format!("{url}auth#code={code}");
    let minutes = limits::CODE_LIFE.as_secs() / 60;
    let mut lines = vec![
        format!("  Or sign in without a password, once and within {minutes} minutes, at home:"),
        format!("  {address}"),
    ];
    if terminal::can_draw() {
        // What is too long for one, or for the terminal, is shown as text alone.
        let drawn = qr::blocks(&address).ok().filter(|code| terminal::is_wide(qr::columns(code)));
        lines.extend(drawn.map(|code| code.trim_end().to_owned()));
    }
    lines
}

/// `larder signin-code [NAME]`: a code for the first admin, or for the user of that name.
///
/// Errors: one line.
pub fn run(state: &Path, username: &str) -> Result<(), String> {
    let database = state.join("db").join("users.db");
    if !database.exists() {
        return Err(format!("{}: no larder has been started there yet", state.display()));
    }
    let users = UserStore::open(&database).map_err(line)?;
    let first =
        if username.is_empty() { Some(people::first_admin(&users).map_err(line)?) } else { None };
    let username = first.as_ref().map_or(username, |admin| &admin.username);
    let code = make_code(&users, username).map_err(line)?;
    let log = state.join("db").join("logs.db");
    let event = Event::change(format!("made a sign-in code for {username}"));
    if let Err(error) = logbook::note_once(&log, &By::command_line(), event) {
        terminal::warn(&format!("{}: {error}", log.display()));
    }
    terminal::say(&format!("A code for {username}: {code}"));
    match app::address_of(state)?.and_then(|address| system::urls(address).into_iter().next()) {
        Some(url) => terminal::say(&lines(&url, &code).join("\n")),
        None => terminal::say(&format!(
            "  No larder is running here. Once it does, open /auth#code={code} at its address, within {} minutes.",
            limits::CODE_LIFE.as_secs() / 60
        )),
    }
    Ok(())
}

/// What went wrong, for the person at the terminal.
fn line(error: Error) -> String {
    match error {
        Error::NotFound(sentence) | Error::Conflict(sentence) => sentence.to_owned(),
        other => other.to_string(),
    }
}
