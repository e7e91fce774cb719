//! The command line: flags, their twins in the environment, and what they start.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

use crate::offline::{self, Profile};
use crate::serve::{self, Wishes};
use crate::{backup, check, http, renew, secrets, terminal};

/// What `--help` prints.
const HELP: &str = "\
larder - a home NAS: your folder on every phone, laptop and script in the house

Usage:
  larder [serve] [--state DIR] [--root DIR] [--host ADDR] [--port N] [--ftp-port N] [--new-root] [--restore]
  larder user list [--state DIR]
  larder user add NAME [--state DIR] [--role ROLE] [--name TEXT] [--paths JSON] [--paths-write JSON]
  larder user passwd NAME [--state DIR]
  larder user delete NAME [--state DIR]
  larder backup [--state DIR] [--root DIR]
  larder openapi
  larder check [--state DIR] [--root DIR]      verify databases, settings, roles, drive, space, clock
  larder update [--check] [--state DIR] [--root DIR]
  larder --version | --help

Options of serve, each with its twin in the environment:
  --state DIR     settings, users, logs          LARDER_STATE     (default ./larder-data)
  --root DIR      the folder that is shared      LARDER_ROOT      (default <state>/files)
  --host ADDR     address to listen at           LARDER_HOST      (default 0.0.0.0)
  --port N        port; 0 takes a free one       LARDER_PORT      (default 6969)
  --ftp-port N    port of the FTP server         LARDER_FTP_PORT  (default 2121)
  --new-root      take the root as it is, even if it is another drive than before
  --restore       take over settings and users from the backup that the drive carries

LARDER_ADMIN_PASSWORD gives the password of the user `admin`, whom the first start creates.
";

/// The exit code for a mistake of whoever started larder (contract, section 1).
const EXIT_USAGE: u8 = 2;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    /// Serve until told to stop.
    Serve,
    /// List the users.
    UserList,
    /// Add a user with this name.
    UserAdd(String),
    /// Give the user with this name a new password.
    UserPasswd(String),
    /// Delete the user with this name.
    UserDelete(String),
    /// Write the backup onto the drive.
    Backup,
    /// Print the OpenAPI document.
    OpenApi,
    /// Verify the state directory.
    Check,
    /// Become the newest release, or only say whether there is one.
    Update {
        /// `--check`.
        only_check: bool,
    },
    /// Print the version.
    Version,
    /// Print `HELP`.
    Help,
}

/// Flags as they were given, environment included.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flags {
    /// `--state`.
    state: Option<PathBuf>,
    /// `--root`.
    root: Option<PathBuf>,
    /// `--host`.
    host: Option<IpAddr>,
    /// `--port`.
    port: Option<u16>,
    /// `--ftp-port`.
    ftp_port: Option<u16>,
    /// `--new-root`.
    new_root: bool,
    /// `--check`.
    check: bool,
    /// `--restore`.
    restore: bool,
    /// `--role`, `--name`, `--paths`, `--paths-write`.
    profile: Profile,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    secrets::close_process();
    let outcome = parse(std::env::args_os().skip(1), |name| std::env::var_os(name)).and_then(
        |(command, flags)| match command {
            Command::Serve => serve::run(&flags.wishes()),
            Command::UserList => offline::list(flags.state()).map(|()| ExitCode::SUCCESS),
            Command::UserAdd(name) => {
                offline::add(flags.state(), &name, &flags.profile).map(|()| ExitCode::SUCCESS)
            }
            Command::UserPasswd(name) => {
                offline::set_password(flags.state(), &name).map(|()| ExitCode::SUCCESS)
            }
            Command::UserDelete(name) => {
                offline::delete(flags.state(), &name).map(|()| ExitCode::SUCCESS)
            }
            Command::Backup => backup::run(flags.state(), flags.root.as_deref()).map(|path| {
                terminal::say(&path.display().to_string());
                ExitCode::SUCCESS
            }),
            Command::OpenApi => {
                terminal::say(http::document().trim_end());
                Ok(ExitCode::SUCCESS)
            }
            Command::Check => {
                let is_well = check::run(flags.state(), flags.root.as_deref());
                Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Update { only_check } => {
                renew::offline(flags.state(), flags.root.as_deref(), only_check)
            }
            Command::Version => {
                terminal::say(concat!("larder ", env!("CARGO_PKG_VERSION")));
                Ok(ExitCode::SUCCESS)
            }
            Command::Help => {
                terminal::say(HELP.trim_end());
                Ok(ExitCode::SUCCESS)
            }
        },
    );
    outcome.unwrap_or_else(|line| {
        terminal::warn(&line);
        ExitCode::from(EXIT_USAGE)
    })
}

/// From words to a command and its flags; the environment fills in what no flag says.
///
/// Errors: one line.
fn parse(
    words: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(Command, Flags), String> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut names: Vec<String> = Vec::new();
    let mut flags = Flags::default();
    let mut special = None;
    let mut given: Vec<String> = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => special = Some(Command::Help),
            Short('V') | Long("version") => special = Some(Command::Version),
            Long(flag @ ("new-root" | "restore")) => {
                *(if flag == "restore" { &mut flags.restore } else { &mut flags.new_root }) = true;
                given.push(flag.to_owned());
            }
            Long("check") => {
                flags.check = true;
                given.push("check".to_owned());
            }
            Long(flag) => {
                let flag = flag.to_owned();
                let known = [
                    "state",
                    "root",
                    "host",
                    "port",
                    "ftp-port",
                    "role",
                    "name",
                    "paths",
                    "paths-write",
                ];
                if !known.contains(&flag.as_str()) {
                    return Err(format!("unknown option --{flag}; see larder --help"));
                }
                let value = parser.value().map_err(|error| error.to_string())?;
                flags.set(&flag, value, &format!("--{flag}"))?;
                given.push(flag);
            }
            Short(letter) => return Err(format!("unknown option -{letter}; see larder --help")),
            Value(word) => {
                names.push(
                    word.into_string()
                        .map_err(|word| format!("{} is not UTF-8", word.display()))?,
                );
            }
        }
    }
    if let Some(command) = special {
        return Ok((command, flags));
    }
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let command = match words[..] {
        [] | ["serve"] => Command::Serve,
        ["backup"] => Command::Backup,
        ["openapi"] => Command::OpenApi,
        ["check"] => Command::Check,
        ["user", "list"] => Command::UserList,
        ["update"] => Command::Update { only_check: flags.check },
        ["user", "add", name] => Command::UserAdd(name.to_owned()),
        ["user", "passwd", name] => Command::UserPasswd(name.to_owned()),
        ["user", "delete", name] => Command::UserDelete(name.to_owned()),
        _ => return Err(format!("unknown command: {}; see larder --help", words.join(" "))),
    };
    if let Some(flag) = given.iter().find(|flag| !command.takes(flag)) {
        return Err(format!("--{flag} does not belong to larder {}", words.join(" ")));
    }
    for (flag, twin) in [
        ("state", "LARDER_STATE"),
        ("root", "LARDER_ROOT"),
        ("host", "LARDER_HOST"),
        ("port", "LARDER_PORT"),
        ("ftp-port", "LARDER_FTP_PORT"),
    ] {
        let is_open = command.takes(flag) && !flags.has(flag);
        if let Some(value) = environment(twin).filter(|value| is_open && !value.is_empty()) {
            flags.set(flag, value, twin)?;
        }
    }
    Ok((command, flags))
}

impl Command {
    /// Whether the flag means anything to the command.
    fn takes(&self, flag: &str) -> bool {
        match self {
            Self::Version | Self::Help => true,
            Self::Serve => {
                ["state", "root", "host", "port", "ftp-port", "new-root", "restore"].contains(&flag)
            }
            Self::Check | Self::Backup => ["state", "root"].contains(&flag),
            Self::UserAdd(_) => ["state", "role", "name", "paths", "paths-write"].contains(&flag),
            Self::Update { .. } => ["state", "root", "check"].contains(&flag),
            // Every command takes it, so that a wrapper may always give it.
            Self::OpenApi | Self::UserList | Self::UserPasswd(_) | Self::UserDelete(_) => {
                flag == "state"
            }
        }
    }
}

impl Flags {
    /// Whether a flag was given.
    fn has(&self, flag: &str) -> bool {
        match flag {
            "state" => self.state.is_some(),
            "root" => self.root.is_some(),
            "host" => self.host.is_some(),
            "port" => self.port.is_some(),
            "ftp-port" => self.ftp_port.is_some(),
            _ => false,
        }
    }

    /// Takes a value; `source` is what the person wrote it as.
    fn set(&mut self, flag: &str, value: OsString, source: &str) -> Result<(), String> {
        if matches!(flag, "state" | "root") {
            if value.is_empty() {
                return Err(format!("{source}: needs a directory"));
            }
            let path = std::path::absolute(&value).map_err(|cause| format!("{source}: {cause}"))?;
            *(if flag == "state" { &mut self.state } else { &mut self.root }) = Some(path);
            return Ok(());
        }
        let text = value
            .into_string()
            .map_err(|value| format!("{source}: {} is not UTF-8", value.display()))?;
        match flag {
            "host" => {
                let host =
                    text.parse().map_err(|_| format!("{source}: {text:?} is no IP address"))?;
                self.host = Some(host);
            }
            "port" | "ftp-port" => {
                let port = text
                    .parse()
                    .map_err(|_| format!("{source}: {text:?} is no port (0 to 65535)"))?;
                *(if flag == "port" { &mut self.port } else { &mut self.ftp_port }) = Some(port);
            }
            "role" => self.profile.role = Some(text),
            "name" => self.profile.name = Some(text),
            "paths" => self.profile.paths = Some(text),
            _ => self.profile.paths_write = Some(text),
        }
        Ok(())
    }

    /// What they say to `serve`.
    fn wishes(&self) -> Wishes {
        Wishes {
            state: self.state().to_path_buf(),
            root: self.root.clone(),
            host: self.host,
            port: self.port,
            ftp_port: self.ftp_port,
            new_root: self.new_root,
            restore: self.restore,
        }
    }

    /// The state directory.
    fn state(&self) -> &Path {
        self.state.as_deref().unwrap_or(Path::new("larder-data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<(Command, Flags), String> {
        let find = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        };
        parse(words.iter().map(OsString::from), find)
    }

    #[test]
    fn a_flag_comes_before_its_twin() {
        let environment = [("LARDER_PORT", "80"), ("LARDER_HOST", "::1"), ("LARDER_ROOT", "")];
        let (command, flags) = parse_words(&["serve", "--port=81"], &environment).unwrap();
        assert_eq!(command, Command::Serve);
        assert_eq!(
            (flags.port, flags.host, flags.root),
            (Some(81), Some("::1".parse().unwrap()), None)
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (words, what) in [
            (&["--port", "x"][..], "--port"),
            (&["--port", "65536"], "--port"),
            (&["--host", "nas"], "--host"),
            (&["--state"], "--state"),
            (&["--state", ""], "--state"),
            (&["--nonsense"], "--nonsense"),
            (&["-x"], "-x"),
            (&["fly"], "fly"),
            (&["user", "add"], "user add"),
            (&["user", "list", "--port", "80"], "--port"),
            (&["user", "delete", "ana", "--role", "user"], "--role"),
            (&["serve", "--name", "x"], "--name"),
        ] {
            let line = parse_words(words, &[]).unwrap_err();
            assert!(line.contains(what), "{words:?}: {line}");
        }
        assert!(parse_words(&[], &[("LARDER_PORT", "x")]).unwrap_err().contains("LARDER_PORT"));
    }

    #[test]
    fn the_environment_of_serve_is_nothing_to_the_others() {
        let environment = [("LARDER_PORT", "x"), ("LARDER_STATE", "/var/lib/larder")];
        let (command, flags) = parse_words(&["user", "list"], &environment).unwrap();
        assert_eq!(command, Command::UserList);
        assert_eq!(flags.state(), Path::new("/var/lib/larder"));
    }

    #[test]
    fn help_and_version_are_always_there() {
        assert_eq!(
            parse_words(&["serve", "--help"], &[("LARDER_PORT", "x")]).unwrap().0,
            Command::Help
        );
        assert_eq!(parse_words(&["-V"], &[]).unwrap().0, Command::Version);
    }
}
