//! `larder samba`: shares for Samba's `smb.conf` that give beside larder what people may reach in larder, and never
//! more (decision 0033). Prints; changes nothing, and works beside a running server.

mod conf;
mod plan;

use std::path::Path;

use crate::samba::conf::Ground;
use crate::samba::plan::{House, Plan};
use crate::system::Accounts;
use crate::{app, check, settings, store, terminal};

/// Prints the shares. `root` is the share root where the command line names one.
///
/// Errors: one line.
pub fn run(state: &Path, root: Option<&Path>) -> Result<(), String> {
    let folder = state.join("settings");
    if !folder.join("settings.json").exists() {
        return Err(format!("{}: no larder has been started there yet", state.display()));
    }
    let vault = check::find_share(state, root)?;
    let root = vault.root();
    let shown = root.display();
    if !vault.is_present() {
        return Err(format!("{shown} is not available: is the drive mounted?"));
    }
    if app::would_share_state(&root, state) {
        return Err(format!(
            "{shown}: larder's own state directory is in it, with all its secrets: Samba would hand them out"
        ));
    }
    let accounts = Accounts::read();
    let (user, group) = vault.owner().map_err(|error| format!("{shown}: {error}"))?;
    let ground = Ground::new(&root, accounts.user_of(user), accounts.group_of(group))
        .map_err(|why| format!("{shown}: {why}"))?;
    let house = House {
        settings: settings::read_settings(&folder)?,
        roles: settings::read_roles(&folder)?,
        accounts,
    };
    let mut plan = Plan::default();
    let database = state.join("db/users.db");
    store::examine_users(&database, |user| plan.add(user, &house))
        .map_err(|why| format!("{}: {why}", database.display()))?;
    if plan.is_too_large() {
        return Err(
            "too many people and folders for one smb.conf: give them folders in common".to_owned()
        );
    }
    let text = conf::text(&plan, &ground, |path| vault.folder_on_disk(path).unwrap_or(None));
    terminal::say(text.trim_end());
    Ok(())
}
