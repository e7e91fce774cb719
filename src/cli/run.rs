//! What each command of the table does.

use std::process::ExitCode;

use crate::cli::Flags;
use crate::{
    backup as backups, check as checks, http, offline, picture as pictures, renew, samba as shares,
    serve as server, terminal, trust, welcome,
};

/// `larder serve`.
pub fn serve(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    server::run(&flags.wishes())
}

/// `larder user list`.
pub fn user_list(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    offline::list(flags.state()).map(|()| ExitCode::SUCCESS)
}

/// `larder user add`.
pub fn user_add(flags: &Flags, name: &str) -> Result<ExitCode, String> {
    offline::add(flags.state(), name, &flags.profile).map(|()| ExitCode::SUCCESS)
}

/// `larder user passwd`.
pub fn user_passwd(flags: &Flags, name: &str) -> Result<ExitCode, String> {
    offline::set_password(flags.state(), name).map(|()| ExitCode::SUCCESS)
}

/// `larder user delete`.
pub fn user_delete(flags: &Flags, name: &str) -> Result<ExitCode, String> {
    offline::delete(flags.state(), name).map(|()| ExitCode::SUCCESS)
}

/// `larder user totp-off`.
pub fn user_totp_off(flags: &Flags, name: &str) -> Result<ExitCode, String> {
    offline::take_factor_off(flags.state(), name).map(|()| ExitCode::SUCCESS)
}

/// `larder signin-code [NAME]`.
pub fn signin_code(flags: &Flags, name: &str) -> Result<ExitCode, String> {
    welcome::run(flags.state(), name).map(|()| ExitCode::SUCCESS)
}

/// `larder ca renew`.
pub fn ca_renew(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    trust::renew(flags.state()).map(|()| ExitCode::SUCCESS)
}

/// `larder backup`.
pub fn backup(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    let path = backups::run(flags.state(), flags.root.as_deref())?;
    terminal::say(&path.display().to_string());
    Ok(ExitCode::SUCCESS)
}

/// `larder samba`.
pub fn samba(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    shares::run(flags.state(), flags.root.as_deref()).map(|()| ExitCode::SUCCESS)
}

/// `larder openapi`.
pub fn openapi(_flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    terminal::say(http::document().map_err(|cause| cause.to_string())?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// `larder check`.
#[expect(clippy::unnecessary_wraps, reason = "commands of one table have one shape")]
pub fn check(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    let is_well = checks::run(flags.state(), flags.root.as_deref());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `larder update`.
pub fn update(flags: &Flags, _none: &str) -> Result<ExitCode, String> {
    renew::offline(flags.state(), flags.root.as_deref(), flags.check)
}

/// `larder picture`.
#[expect(clippy::unnecessary_wraps, reason = "commands of one table have one shape")]
pub fn picture(_flags: &Flags, task: &str) -> Result<ExitCode, String> {
    Ok(pictures::run(task))
}
