//! Self-update (contract, sections 6 and 12; decision 0004): finds a newer release, fetches and checks
//! it, tries it on the real state, and only then puts it in the place of this program. Knows no server:
//! whoever serves stops first, and starts the program again afterwards.

mod ear;
mod install;
mod manifest;
mod snapshot;
mod trial;

pub use install::undo;
pub use snapshot::settle;
pub use trial::{End, end_with_parent, is_trial};

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::Version;

use crate::fetch;
use crate::limits;
use crate::settings::Settings;
use manifest::Release;

/// What this program was built for, as the manifest names it.
pub const TARGET: &str = env!("LARDER_TARGET");

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where packages put programs, and nobody else (Filesystem Hierarchy Standard, 4.4).
const PACKAGE_FOLDER: &str = "/usr/bin";

/// The key of whoever built this program (base64); `update_public_key` in the settings goes before it.
const BUILT_IN_KEY: Option<&str> = option_env!("LARDER_UPDATE_PUBLIC_KEY");

/// A release that was fetched and checked and lies beside this program.
#[derive(Debug)]
pub struct Prepared {
    /// Where it lies.
    file: PathBuf,
    /// Whose place it is to take.
    executable: PathBuf,
    /// What the manifest calls it.
    pub version: String,
    /// Held as long as `file` is ours.
    _turn: File,
}

/// Asks for the newest release; `None` when this program is it.
///
/// Errors: one line for the owner.
pub fn look(settings: &Settings) -> Result<Option<Release>, String> {
    if settings.update_url.is_empty() {
        return Err("there is no update_url in the settings".to_owned());
    }
    let key = [settings.update_public_key.as_str(), BUILT_IN_KEY.unwrap_or_default()]
        .into_iter()
        .find(|key| !key.is_empty())
        .ok_or("there is no update_public_key to check a release with")?;
    let mut text = Vec::new();
    let (bytes_max, time) = (limits::UPDATE_MANIFEST_BYTES_MAX, limits::UPDATE_MANIFEST_TIME);
    fetch::get(&settings.update_url, bytes_max, time, &mut text)
        .map_err(|fault| format!("the manifest can't be fetched: {fault}"))?;
    let ours = Version::parse(VERSION).map_err(|cause| format!("{VERSION}: {cause}"))?;
    manifest::choose(&text, TARGET, &ours, key)
}

/// Makes sure that this program is larder's own to replace: what a package put into the system's folder,
/// its package manager updates, and would not know what else lies there.
///
/// Errors: one line for the owner.
pub fn may_replace(executable: &Path) -> Result<(), String> {
    if executable.parent() == Some(Path::new(PACKAGE_FOLDER)) {
        return Err(format!(
            "{} came with a package: update it with apt or what else installed it",
            executable.display()
        ));
    }
    Ok(())
}

/// Fetches a release to beside `executable` and checks it: its hash, and that it runs here and is not
/// older than we are. (The manifest's version is not signed, so an old release could pose as a new one.)
///
/// Errors: one line for the owner; then nothing is left.
pub fn prepare(release: &Release, executable: &Path) -> Result<Prepared, String> {
    let (file, turn) = install::download(release, executable)?;
    let ours = Version::parse(VERSION).map_err(|cause| format!("{VERSION}: {cause}"))?;
    let checked = trial::version_of(&file, limits::UPDATE_VERSION_TIME).and_then(|says| {
        if says < ours {
            return Err(format!("the new program is an older one: {says}"));
        }
        Ok(())
    });
    if let Err(line) = checked {
        install::discard(&file);
        return Err(line);
    }
    let version = release.version.to_string();
    Ok(Prepared { file, executable: executable.to_path_buf(), version, _turn: turn })
}

/// Starts the release on the real state, which nobody else may be using now, and when it is ready stops
/// it and puts it in this program's place. When it does not become ready, or `is_stopped` says that
/// nobody wants it any more, everything is as before, the databases included.
///
/// `arguments` are those of `larder serve`.
pub fn try_out(
    prepared: &Prepared,
    state: &Path,
    arguments: &[OsString],
    is_stopped: &dyn Fn() -> bool,
) -> End {
    let end = match snapshot::take(state) {
        Ok(()) => {
            trial::run(&prepared.file, state, arguments, limits::UPDATE_READY_TIME, is_stopped)
        }
        Err(line) => End::Failed(line),
    };
    let end = match end {
        End::Ready => install::swap(&prepared.file, &prepared.executable)
            .map_or_else(End::Failed, |()| End::Ready),
        other => other,
    };
    let kept = if end == End::Ready { snapshot::discard(state) } else { snapshot::put_back(state) };
    if end != End::Ready {
        install::discard(&prepared.file);
    }
    match (end, kept) {
        // The new program is in its place; it clears up after us when it starts.
        (end, Ok(())) | (end @ End::Ready, Err(_)) => end,
        (End::Failed(line), Err(more)) => End::Failed(format!("{line}; {more}")),
        (End::Stopped, Err(line)) => End::Failed(line),
    }
}

impl Prepared {
    /// The program whose place it takes.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Removes it: nobody wants it any more.
    pub fn discard(&self) {
        install::discard(&self.file);
    }
}

/// What is done once, and not again by the program that goes on.
const ONLY_ONCE: [&str; 2] = ["--new-root", "--restore"];

/// The arguments that started this program, as they start it again: what is done once is not done
/// twice, and a free port that was found (`port`) is kept.
pub fn arguments(given: impl IntoIterator<Item = OsString>, port: Option<u16>) -> Vec<OsString> {
    let is_for_again = |word: &OsString| ONLY_ONCE.iter().all(|once| word != once);
    let mut arguments: Vec<OsString> = given.into_iter().filter(is_for_again).collect();
    if let Some(port) = port {
        arguments.extend(["--port".into(), port.to_string().into()]);
    }
    arguments
}

/// Becomes the program at `executable`: same process, same terminal, same environment. Returns only
/// when that fails.
pub fn become_program(executable: &Path, arguments: &[OsString]) -> std::io::Error {
    let mut command = Command::new(executable);
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    command.args(arguments).exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_once_is_not_done_again_and_a_found_port_is_kept() {
        let given = ["serve", "--new-root", "--state", "x", "--restore"].map(OsString::from);
        assert_eq!(arguments(given.clone(), None), ["serve", "--state", "x"]);
        assert_eq!(arguments(given, Some(80)), ["serve", "--state", "x", "--port", "80"]);
    }
}
