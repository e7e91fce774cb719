//! `larder ca renew`: another authority for certificates, made by whoever may write into the state directory. No endpoint
//! does it.

use std::path::Path;
use std::time::SystemTime;

use rustix::process::{Signal, kill_process};

use crate::logbook::{self, By, Event};
use crate::{app, settings, terminal, tls};

/// Makes another authority, and tells the server of it that runs there.
///
/// Errors: one line.
pub fn renew(state: &Path) -> Result<(), String> {
    let folder = state.join("settings");
    if !folder.join("settings.json").exists() {
        return Err(format!("{}: no larder has been started there yet", state.display()));
    }
    let settings = settings::read_settings(&folder)?;
    if !settings.certificate.is_own() {
        return Err(
            "this larder has certificate files of its owner's (tls_cert, tls_key)".to_owned()
        );
    }
    let made = tls::make_authority(state, &tls::wanted(&settings, None), SystemTime::now())?;
    let words = format!(
        "made another authority for certificates: {}, {}",
        made.subject(),
        made.fingerprint()
    );
    let log = state.join("db").join("logs.db");
    if let Err(error) = logbook::note_once(&log, &By::command_line(), Event::change(words)) {
        terminal::warn(&format!("{}: {error}", log.display()));
    }
    terminal::say(&format!(
        "{}\n  SHA-256 {}\nEvery device has to be told again: open /ca at larder's address",
        made.subject(),
        made.fingerprint()
    ));
    if let Some(server) = app::server_of(state)? {
        kill_process(server, Signal::HUP)
            .map_err(|cause| format!("the running larder can't be told (restart it): {cause}"))?;
    }
    Ok(())
}
