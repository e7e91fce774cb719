//! The three JSON files of the state directory: typed, defaulted, replaced atomically, keys that
//! we don't know kept. Knows no requests and no database.

mod certificate;
mod cloud;
mod dav;
mod discovery;
mod file;
mod notify;
mod role_texts;
mod roles;
#[cfg(test)]
mod shape;
mod values;

pub use certificate::CertificateFiles;
pub use cloud::Cloud;
pub use dav::DavSettings;
pub use file::{put_aside, read_bounded, read_object, write_json, write_private};
pub use notify::{Format as NotifyFormat, Kind as NotifyKind, Target as NotifyTarget};
pub use role_texts::RoleTexts;
pub use roles::{ADMIN, Roles, is_role_name};
#[cfg(test)]
pub use shape::{CloudShape, SettingsShape, ShownShape};
pub use values::{Https, IN_FORCE, Network, Settings, Wrong};

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use serde_json::{Map, Value};

use crate::error::{Error, Result as HouseResult};
use crate::threads;

/// Settings and roles as they are in force, and where they are stored.
pub struct Config {
    /// The folder `settings/` of the state directory.
    folder: std::path::PathBuf,
    /// Replaced whole, so that a request sees one state from beginning to end.
    settings: RwLock<Arc<Settings>>,
    /// Likewise.
    roles: RwLock<InForce>,
    /// The paths that `roles.json` decides about.
    endpoints: Vec<&'static str>,
    /// Held while `cloud.json` changes: one change after the other.
    cloud_turn: Mutex<()>,
}

/// The roles in force.
struct InForce {
    /// Of which edition of the file they are; `Config` does not know who counts.
    edition: i64,
    /// The roles.
    roles: Arc<Roles>,
}

impl Config {
    /// Reads the files below `folder`, making those that are missing.
    ///
    /// `endpoints` are the paths that `roles.json` decides about; those that an older file lacks
    /// are added for `admin` (contract, section 3).
    ///
    /// Errors: one line that names the file and what is wrong with it.
    pub fn open(folder: &Path, endpoints: &[&'static str]) -> Result<Self, String> {
        let settings = load_settings(folder)?;
        let roles = load_roles(folder, endpoints)?;
        let cloud = folder.join("cloud.json");
        if read_object(&cloud)?.is_none() {
            write_json(&cloud, &Value::Object(Map::new()))?;
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            settings: RwLock::new(Arc::new(settings)),
            roles: RwLock::new(InForce { edition: 0, roles: Arc::new(roles) }),
            endpoints: endpoints.to_vec(),
            cloud_turn: Mutex::new(()),
        })
    }

    /// The settings in force: a snapshot.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&*threads::whole(self.settings.read()))
    }

    /// The roles in force: a snapshot.
    pub fn roles(&self) -> Arc<Roles> {
        Arc::clone(&threads::whole(self.roles.read()).roles)
    }

    /// The roles in force, read again first if they are of an earlier edition than this.
    ///
    /// Errors: one line, once for each edition; then the old roles stay in force.
    pub fn roles_as_of(&self, edition: i64) -> Result<Arc<Roles>, String> {
        let in_force = threads::whole(self.roles.read());
        if in_force.edition >= edition {
            return Ok(Arc::clone(&in_force.roles));
        }
        drop(in_force);
        let mut in_force = threads::whole(self.roles.write());
        if in_force.edition < edition {
            in_force.edition = edition;
            let mut roles = read_roles(&self.folder)?;
            roles.complete(&self.endpoints);
            in_force.roles = Arc::new(roles);
        }
        Ok(Arc::clone(&in_force.roles))
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
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
        let _turn = threads::locked(&self.cloud_turn);
        let changed = change(self.cloud()?)?;
        Ok(file::replace(&self.folder.join("cloud.json"), &changed.into_json())?)
    }

    /// Reads `settings.json` again, without putting it in force.
    ///
    /// Errors: one line that names the file and what is wrong with it.
    pub fn read_settings(&self) -> Result<Settings, String> {
        load_settings(&self.folder)
    }

    /// `settings.json` as it is now, perhaps edited by hand; `None` when there is no such file.
    ///
    /// Errors: one line that names the file and what is wrong with it.
    pub fn edited_settings(&self) -> Result<Option<Settings>, String> {
        let is_there = read_object(&self.folder.join("settings.json"))?.is_some();
        is_there.then(|| read_settings(&self.folder)).transpose()
    }

    /// Renames a `settings.json` that can't be used to `settings.json.wrong`, so that nothing its
    /// owner wrote is lost when it is written anew.
    pub fn put_settings_aside(&self) -> io::Result<()> {
        let path = self.folder.join("settings.json");
        std::fs::rename(&path, self.folder.join("settings.json.wrong"))
    }

    /// Reads both files again and puts them in force, before anything depends on them.
    ///
    /// Errors: one line that names the file and what is wrong with it.
    pub fn reload(&self, endpoints: &[&str]) -> Result<(), String> {
        self.put_settings(self.read_settings()?);
        self.reload_roles(endpoints)
    }

    /// Reads `roles.json` again and puts it in force. What is wrong leaves the old roles in force.
    pub fn reload_roles(&self, endpoints: &[&str]) -> Result<(), String> {
        let roles = load_roles(&self.folder, endpoints)?;
        threads::whole(self.roles.write()).roles = Arc::new(roles);
        Ok(())
    }

    /// Stores settings; they are on the disk before this returns.
    pub fn store_settings(&self, settings: &Settings) -> io::Result<()> {
        file::replace(&self.folder.join("settings.json"), settings.object())
    }

    /// Puts settings in force for whoever takes a snapshot from now on.
    pub fn put_settings(&self, settings: Settings) {
        *threads::whole(self.settings.write()) = Arc::new(settings);
    }
}

/// Reads `settings.json` below `folder` as a start would, and changes nothing.
///
/// Errors: one line that names the file and what is wrong with it.
pub fn read_settings(folder: &Path) -> Result<Settings, String> {
    let path = folder.join("settings.json");
    let (map, _) = Settings::with_defaults(read_object(&path)?.unwrap_or_default());
    Settings::parse(map).map_err(|(key, why)| format!("{}: {key}: {why}", path.display()))
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
    let mut roles = read_roles(folder)?;
    if roles.complete(endpoints) {
        write_roles(folder, &roles).map_err(|cause| format!("roles.json: {cause}"))?;
    }
    Ok(roles)
}

/// Reads `roles.json` below `folder`; without one nobody may do anything.
///
/// Errors: one line that names the file and what is wrong with it.
pub fn read_roles(folder: &Path) -> Result<Roles, String> {
    let path = folder.join("roles.json");
    let found = read_object(&path)?.unwrap_or_default();
    Roles::parse(&found).map_err(|why| format!("{}: {why}", path.display()))
}

/// Replaces `roles.json` below `folder`.
pub fn write_roles(folder: &Path, roles: &Roles) -> std::io::Result<()> {
    file::replace(&folder.join("roles.json"), &roles.to_json())
}
