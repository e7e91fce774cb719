//! The three JSON files of the state directory: typed, defaulted, replaced atomically, keys that
//! we don't know kept. Knows no requests and no database.

mod cloud;
mod file;
mod roles;
mod values;

pub use cloud::Cloud;
pub use file::{read_object, write_json};
pub use roles::Roles;
pub use values::{Network, Settings};

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::error::{Error, Result as HouseResult};

/// Settings and roles as they are in force, and where they are stored.
pub struct Config {
    /// The folder `settings/` of the state directory.
    folder: std::path::PathBuf,
    /// Replaced whole, so that a request sees one state from beginning to end.
    settings: RwLock<Arc<Settings>>,
    /// Likewise.
    roles: RwLock<Arc<Roles>>,
    /// Held while `cloud.json` changes: one change after the other.
    cloud_turn: Mutex<()>,
}

impl Config {
    /// Reads the files below `folder`, making those that are missing.
    ///
    /// `endpoints` are the paths that `roles.json` decides about; those that an older file lacks
    /// are added for `admin` (contract, section 3).
    ///
    /// Errors: one line that names the file and what is wrong with it.
    pub fn open(folder: &Path, endpoints: &[&str]) -> Result<Self, String> {
        let settings = load_settings(folder)?;
        let roles = load_roles(folder, endpoints)?;
        let cloud = folder.join("cloud.json");
        if read_object(&cloud)?.is_none() {
            write_json(&cloud, &Value::Object(Map::new()))?;
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            settings: RwLock::new(Arc::new(settings)),
            roles: RwLock::new(Arc::new(roles)),
            cloud_turn: Mutex::new(()),
        })
    }

    /// The settings in force: a snapshot.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The roles in force: a snapshot.
    pub fn roles(&self) -> Arc<Roles> {
        Arc::clone(&self.roles.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `cloud.json` as it is now; `None` when there is no such file.
    ///
    /// Errors: `Io`, also when it is no JSON object.
    pub fn cloud(&self) -> HouseResult<Option<Cloud>> {
        let found = read_object(&self.folder.join("cloud.json"));
        found.map(|object| object.map(Cloud::new)).map_err(|line| Error::Io(io::Error::other(line)))
    }

    /// Replaces `cloud.json` by what `change` makes of it; on the disk before this returns.
    ///
    /// Errors: those of `change`, `Io`, `DiskFull`; then nothing changed.
    pub fn change_cloud(
        &self,
        change: impl FnOnce(Option<Cloud>) -> HouseResult<Cloud>,
    ) -> HouseResult<()> {
        let _turn = self.cloud_turn.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(self.cloud()?)?;
        Ok(file::replace(&self.folder.join("cloud.json"), &changed.into_json())?)
    }

    /// Reads both files again (SIGHUP). What is wrong leaves the old state in force.
    pub fn reload(&self, endpoints: &[&str]) -> Result<(), String> {
        let settings = load_settings(&self.folder)?;
        let roles = load_roles(&self.folder, endpoints)?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roles);
        Ok(())
    }
}

/// Reads `settings.json`, or makes it.
fn load_settings(folder: &Path) -> Result<Settings, String> {
    let path = folder.join("settings.json");
    let (map, is_complete) = match read_object(&path)? {
        Some(found) => Settings::with_defaults(found),
        None => Settings::with_defaults(Map::new()),
    };
    let settings =
        Settings::parse(map).map_err(|(key, why)| format!("{}: {key}: {why}", path.display()))?;
    if !is_complete {
        write_json(&path, settings.object())?;
    }
    Ok(settings)
}

/// Reads `roles.json`, or makes it, and adds what it lacks.
fn load_roles(folder: &Path, endpoints: &[&str]) -> Result<Roles, String> {
    let path = folder.join("roles.json");
    let found = read_object(&path)?.unwrap_or_default();
    let mut roles = Roles::parse(&found).map_err(|why| format!("{}: {why}", path.display()))?;
    if roles.complete(endpoints) {
        write_json(&path, &roles.to_json())?;
    }
    Ok(roles)
}
