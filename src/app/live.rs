//! Settings that change while larder runs: on a caller's wish, or read again on SIGHUP. Checked as
//! a whole, stored, and put in force at once; what can't be says so.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{App, take_root};
use crate::error::{Error, Result, Why};
use crate::logbook::Event;
use crate::settings::{self, Settings, Wrong};
use crate::terminal;
use crate::vault::{AttachError, RootId, Vault};
use crate::{limits, threads};

/// What is bound when larder starts and can't move while it runs.
const NEED_RESTART: [&str; 3] = ["host", "port", "https_port"];

/// What says where the certificate is. Looked at when a change names it, so that a file that has gone bad since is in the
/// way of nothing else.
const CERTIFICATE_KEYS: [&str; 2] = ["tls_cert", "tls_key"];

/// Ports that must not be the same; looked at likewise.
const PORT_KEYS: [&str; 2] = ["port", "https_port"];

/// What a change of settings came to.
pub struct Changed {
    /// The keys whose stored value is another now.
    pub keys: Vec<String>,
    /// Of the keys that the change named, those whose stored value waits for the next start.
    pub restart_required: Vec<String>,
}

impl App {
    /// Merges `changes` into the settings, stores them and puts them in force; what was edited in
    /// the file by hand since comes with it. Of several callers one comes after the other; of a
    /// change that is wrong anywhere, nothing is done.
    ///
    /// Errors: `Invalid` (`Invalid settings: <key>: <why>`); `Io` and `DiskFull` when they can't be
    /// stored.
    pub fn change_settings(&self, changes: Map<String, Value>) -> Result<Changed> {
        let _turn = threads::locked(&self.settings_turn);
        let old = self.config.settings();
        let named: Vec<String> = changes.keys().cloned().collect();
        let (base, is_stored) = self.stored()?;
        let new = base.merged(changes).map_err(|(key, why)| invalid(key, &why))?;
        let bytes = serde_json::to_vec_pretty(new.object()).map_or(usize::MAX, |text| text.len());
        if bytes as u64 >= limits::STATE_FILE_BYTES_MAX {
            return Err(Error::invalid_as(Why::Settings, "Invalid settings: larger than 1 MiB"));
        }
        let names_one_of = |keys: &[&str]| named.iter().any(|key| keys.contains(&key.as_str()));
        if names_one_of(&PORT_KEYS) {
            new.check_ports().map_err(|(key, why)| invalid(key, &why))?;
        }
        if names_one_of(&CERTIFICATE_KEYS) {
            self.tls.check(&new.certificate).map_err(|(key, why)| invalid(key, &why))?;
        }
        let root = self.new_root(&old, &new).map_err(|(key, why)| invalid(key, &why))?;
        let keys = old.differing(&new);
        if !is_stored || base.object() != new.object() {
            self.config.store_settings(&new)?;
        }
        let restart_required = named.into_iter().filter(|key| self.waits(key, &new)).collect();
        self.apply(&old, new, root);
        Ok(Changed { keys, restart_required })
    }

    /// Stores whether the FTP server runs, which it does already, or no longer.
    ///
    /// Errors: `Io`, `DiskFull`; then it is as it was.
    pub fn remember_ftp(&self, is_on: bool) -> Result<()> {
        let _turn = threads::locked(&self.settings_turn);
        let change = Map::from_iter([("ftp".to_owned(), Value::from(is_on))]);
        let (base, _) = self.stored()?;
        let new = base.merged(change.clone()).map_err(|(key, why)| invalid(key, &why))?;
        self.config.store_settings(&new)?;
        // Of a file that was edited by hand the rest waits for SIGHUP or the next change.
        let in_force = self.config.settings().merged(change);
        self.config.put_settings(in_force.map_err(|(key, why)| invalid(key, &why))?);
        Ok(())
    }

    /// The settings that a change is merged into, and whether the file has them: what its owner
    /// edited by hand is not lost. A file that can't be used is put aside, and those in force count.
    ///
    /// Errors: `Io` when it can't be put aside; then nothing may be written over it.
    fn stored(&self) -> Result<(Settings, bool)> {
        match self.config.edited_settings() {
            Ok(Some(settings)) => return Ok((settings, true)),
            Ok(None) => {}
            Err(line) => {
                terminal::warn(&line);
                self.config.put_settings_aside()?;
            }
        }
        Ok((Settings::clone(&self.config.settings()), false))
    }

    /// Reads settings and roles again (SIGHUP). What is wrong in either leaves both as they were.
    ///
    /// Errors: one line for the owner.
    pub fn reload(&self, endpoints: &[&str]) -> std::result::Result<(), String> {
        let _turn = threads::locked(&self.settings_turn);
        let old = self.config.settings();
        let new = self.config.read_settings()?;
        let root = self
            .new_root(&old, &new)
            .map_err(|(key, why)| format!("settings.json: {key}: {why}"))?;
        self.config.reload_roles(endpoints)?;
        self.apply(&old, new, root);
        // Both may have changed without any setting being another: a certificate, and a port that was taken.
        self.tls.look_again();
        self.tell_ftp();
        self.announce();
        Ok(())
    }

    /// Puts checked and stored settings in force: whatever depends on one of them is told here, and
    /// only here.
    fn apply(&self, old: &Settings, new: Settings, root: Option<(Vault, RootId)>) {
        if old.log_retention_days != new.log_retention_days {
            self.logbook.keep_days(new.log_retention_days);
        }
        if let Some((vault, id)) = root {
            let path = vault.root();
            // A line that can't be written is made up for: at the next start a root that is not
            // the remembered one is taken as it is.
            if let Err(line) = remember_root(&self.folder, &path, &id) {
                terminal::warn(&line);
            }
            self.vault.move_to(&vault);
            let words = format!("the share root is now {}", path.display());
            self.logbook.note_own(Event::change(words));
            let _nothing_to_clear = self.vault.sweep();
        }
        // The root may be another now, or how much it keeps.
        self.vault.keep_trash(new.trash_days, new.trash_percent);
        self.vault.keep_versions(new.versions_max);
        self.vault.keep_thumbs(new.thumbs_mb);
        self.vault.keep_names(new.search_index);
        let is_ftp_another = old.ftp != new.ftp;
        let is_certificate_another = old.certificate != new.certificate
            || old.https.mode != new.https.mode
            || old.discovery.name != new.discovery.name;
        self.config.put_settings(new);
        if is_certificate_another {
            self.tls.look_again();
        }
        if is_ftp_another {
            self.tell_ftp();
        }
        self.announce();
    }

    /// Has the FTP server, if it is there already, follow the settings in force.
    fn tell_ftp(&self) {
        if let Ok(ftp) = self.ftp() {
            ftp.follow(&self.config.settings());
        }
    }

    /// Whether the value that is stored for a key is not the one in force.
    fn waits(&self, key: &str, new: &Settings) -> bool {
        let is_fixed = NEED_RESTART.contains(&key) || self.covered.contains_key(key);
        is_fixed && self.started_with.value(key) != new.value(key)
    }

    /// Takes the root that the new settings name, if it is another than now.
    fn new_root(
        &self,
        old: &Settings,
        new: &Settings,
    ) -> std::result::Result<Option<(Vault, RootId)>, Wrong> {
        let root = self.folder.join(&new.path);
        if old.path == new.path || self.covered.contains_key("path") || root == self.vault.root() {
            return Ok(None);
        }
        if would_share_state(&root, &self.folder) {
            return Err(("path", "would share larder's own state directory".to_owned()));
        }
        take_root(&root, None, true).map(Some).map_err(|error| ("path", why_not(&error)))
    }
}

/// `400 Invalid settings: <key>: <why>`.
fn invalid(key: &str, why: &str) -> Error {
    Error::Invalid(Why::Settings, format!("Invalid settings: {key}: {why}").into())
}

/// Why a root can't be taken, in words for a caller.
fn why_not(error: &AttachError) -> String {
    match error {
        AttachError::Missing(_) => "there is no such folder",
        AttachError::NotAFolder(_) => "is not a folder",
        AttachError::Unusable(_, cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            "there is no such folder"
        }
        AttachError::Unusable(..) => "larder must be able to write there",
    }
    .to_owned()
}

/// Whether sharing `root` would hand out the signing key or the databases.
pub fn would_share_state(root: &Path, state: &Path) -> bool {
    let real_path =
        |path: &Path| path.canonicalize().unwrap_or_else(|_not_there_yet| path.to_path_buf());
    let (real, state) = (real_path(root), real_path(state));
    state.starts_with(&real)
        || ["settings", "db"].iter().any(|part| real.starts_with(state.join(part)))
}

/// Notes which drive is the share root, so that the next start knows it when it sees it.
pub(super) fn remember_root(
    state: &Path,
    root: &Path,
    id: &RootId,
) -> std::result::Result<(), String> {
    let path = root.to_str().ok_or_else(|| format!("{}: not UTF-8", root.display()))?;
    settings::write_json(&root_record(state), &json!({ "path": path, "id": id.as_str() }))
}

/// Where that is noted.
pub(super) fn root_record(state: &Path) -> PathBuf {
    state.join("settings").join("root.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_not_shared_but_a_folder_beside_or_in_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let state = top.join("state");
        std::fs::create_dir_all(state.join("db")).unwrap();
        std::os::unix::fs::symlink(&state, top.join("link")).unwrap();
        for (path, is_shared) in [
            ("state", true),
            ("", true),
            ("link", true),
            ("state/db", true),
            ("state/settings/x", true),
            ("state/files", false),
            ("state2", false),
            ("elsewhere", false),
        ] {
            assert_eq!(would_share_state(&top.join(path), &state), is_shared, "{path}");
        }
        assert!(would_share_state(Path::new("/"), &state));
        // The state directory may be named by another way, too.
        let elsewhere = tempfile::tempdir().unwrap();
        let way = elsewhere.path().join("way");
        std::os::unix::fs::symlink(&state, &way).unwrap();
        assert!(would_share_state(&top, &way));
    }
}
