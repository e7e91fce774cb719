//! The card dies, the NAS lives: settings, roles and users as one hidden document on the share's drive,
//! written once a day and by `larder backup`, and taken over by `larder serve --restore` on a new card. The
//! key that signs tokens is not in it, so nobody is signed in by it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::key;
use crate::error::{Error, Result};
use crate::logbook::Event;
use crate::settings::{self, Roles, Settings};
use crate::store::{self, UserStore};
use crate::vault::{Kept, Vault};
use crate::{check, limits, threads};

/// What tells this kind of document from others, and its edition.
const FORMAT: &str = "larder backup 1";

/// Writes the state below `state` onto the drive, unless what lies there says the same already. Returns the
/// document's name.
///
/// Errors: `StorageAbsent`, `DiskFull`, `TooLarge` (more users than a backup carries), `Store`, `Io`.
pub fn save(state: &Path, vault: &Vault) -> Result<String> {
    let name = name_of(state)?;
    let content = document(state)?;
    if content.len() as u64 > limits::KEPT_DOCUMENT_BYTES_MAX {
        return Err(Error::TooLarge);
    }
    if vault.read_kept(&name).ok().flatten().as_deref() != Some(&content[..]) {
        vault.keep(&name, &content)?;
    }
    Ok(name)
}

/// Writes it a little after the start and then once a day, for as long as larder runs.
///
/// Errors: no thread could be started.
pub fn keep_daily(app: &Arc<App>, state: PathBuf) -> std::io::Result<()> {
    let app = Arc::clone(app);
    threads::spawn("backup", move || {
        let mut pause = limits::BACKUP_FIRST_TIME;
        loop {
            std::thread::sleep(pause);
            pause = match save(&state, &app.vault) {
                Ok(_name) => limits::BACKUP_INTERVAL,
                // The drive comes back some day; nothing is wrong that was not told before.
                Err(Error::StorageAbsent) => limits::BACKUP_RETRY_TIME,
                Err(error) => {
                    app.logbook.note_own(Event::other(format!("the daily backup failed: {error}")));
                    limits::BACKUP_INTERVAL
                }
            };
        }
    })?;
    Ok(())
}

/// When the newest backup of another state directory was made that lies on this drive.
pub fn offered(state: &Path, vault: &Vault) -> Option<SystemTime> {
    newest(state, vault).ok().flatten().map(|kept| kept.modified)
}

/// Takes over the newest backup of another state directory that lies on the drive at `root`: into a state
/// directory where nobody is yet but the first admin, who has not signed in.
///
/// Errors: one line for the person who started larder; then nothing has changed that a second try minds.
pub fn restore(state: &Path, root: &Path) -> std::result::Result<(), String> {
    let say = |error: Error| format!("--restore: {error}");
    let database = state.join("db").join("users.db");
    if !is_untouched(&UserStore::open(&database).map_err(say)?).map_err(say)? {
        return Err(format!(
            "--restore: there are users in {} already; it is for a new state directory",
            state.display()
        ));
    }
    let (vault, _id) = Vault::attach(root, None, false).map_err(|error| error.to_string())?;
    let Some(kept) = newest(state, &vault).map_err(say)? else {
        return Err(format!("--restore: {} carries no backup of another larder", root.display()));
    };
    let damaged = |why: &str| format!("--restore: the backup {} is damaged: {why}", kept.name);
    let content = vault.read_kept(&kept.name).map_err(say)?.unwrap_or_default();
    let mut document: Map<String, Value> =
        serde_json::from_slice(&content).map_err(|cause| damaged(&cause.to_string()))?;
    if document.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(damaged("it is of another kind"));
    }
    let mut part = |name: &str| match document.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(damaged(&format!("{name} is missing"))),
    };
    let (mut found, roles, tables) = (part("settings")?, part("roles")?, part("tables")?);
    // The drive is here now, wherever it was mounted before.
    let place = root.to_str().ok_or_else(|| format!("{}: not UTF-8", root.display()))?;
    found.insert("path".to_owned(), place.into());
    let (found, _) = Settings::with_defaults(found);
    let found = Settings::parse(found).map_err(|(key, why)| damaged(&format!("{key}: {why}")))?;
    let roles = Roles::parse(&roles).map_err(|why| damaged(&why))?;
    let folder = state.join("settings");
    settings::write_json(&folder.join("settings.json"), found.object())?;
    settings::write_roles(&folder, &roles).map_err(|cause| format!("roles.json: {cause}"))?;
    // The users last: until they are there, it can be tried again.
    store::load(&database, &tables).map_err(say)
}

/// `larder backup`: writes the backup now, also beside a running server. Returns where it lies.
///
/// Errors: one line.
pub fn run(state: &Path, root: Option<&Path>) -> std::result::Result<PathBuf, String> {
    let vault = check::find_share(state, root)?;
    let name = save(state, &vault).map_err(|error| format!("no backup: {error}"))?;
    Ok(vault.root().join(".larder").join("backup").join(name))
}

/// The newest document that is not this state directory's own.
fn newest(state: &Path, vault: &Vault) -> Result<Option<Kept>> {
    // A state directory without its key has written none.
    let own = name_of(state).ok();
    Ok(vault.kept()?.into_iter().find(|kept| Some(&kept.name) != own.as_ref()))
}

/// What this state directory's document is called: each has its own, so that a new card's does not replace
/// the old card's before the owner has chosen.
fn name_of(state: &Path) -> Result<String> {
    let secret = std::fs::read(state.join("secret.key"))?;
    let digest = Sha256::new().chain_update(b"larder backup").chain_update(&secret).finalize();
    Ok(format!("{}.json", key::hex(&digest[..8])))
}

/// Everything that is worth keeping. It says no time, so that the same state is the same document.
fn document(state: &Path) -> Result<Vec<u8>> {
    let read = |name: &str| {
        settings::read_object(&state.join("settings").join(name))
            .map(Option::unwrap_or_default)
            .map_err(|line| Error::Bug(line.into()))
    };
    let document = json!({
        "format": FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "settings": read("settings.json")?,
        "roles": read("roles.json")?,
        "tables": store::dump(&state.join("db").join("users.db"))?,
    });
    serde_json::to_vec_pretty(&document).map_err(|cause| Error::Bug(cause.to_string().into()))
}

/// Whether nobody is there but, at most, the first admin, who has not signed in.
fn is_untouched(users: &UserStore) -> Result<bool> {
    let some = users.after(0, 2)?;
    Ok(some.iter().all(|user| user.username == "admin" && user.ip.is_empty()) && some.len() < 2)
}
