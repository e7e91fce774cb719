//! The command line: commands, flags, their twins in the environment. What there is stands in one table.

#[cfg(test)]
mod completions;
mod help;
#[cfg(test)]
mod manual;
mod run;
mod table;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

use crate::cli::table::{Argument, Command, Flag, Takes};
use crate::offline::Profile;
use crate::serve::Wishes;
use crate::{secrets, terminal};

/// The exit code for a mistake of whoever started larder (contract, section 1).
const EXIT_USAGE: u8 = 2;

/// Flags as they were given, environment included.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flags {
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

/// What the command line asks for.
enum Asked {
    /// A command, with its argument if it takes one.
    Command(&'static Command, String, Box<Flags>),
    /// The version.
    Version,
    /// Help.
    Help,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    secrets::close_process();
    let asked = parse(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let outcome = asked.and_then(|asked| match asked {
        Asked::Command(command, argument, flags) => (command.run)(&flags, &argument),
        Asked::Version => {
            terminal::say(concat!("larder ", env!("CARGO_PKG_VERSION")));
            Ok(ExitCode::SUCCESS)
        }
        Asked::Help => {
            terminal::say(help::text().trim_end());
            Ok(ExitCode::SUCCESS)
        }
    });
    outcome.unwrap_or_else(|line| {
        terminal::warn(&line);
        ExitCode::from(EXIT_USAGE)
    })
}

/// From words to what is asked for; the environment fills in what no flag says.
///
/// Errors: one line.
fn parse(
    words: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Asked, String> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut words: Vec<String> = Vec::new();
    let mut flags = Flags::default();
    let mut given: Vec<&'static Flag> = Vec::new();
    let mut special = None;
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => special = Some(Asked::Help),
            Short('V') | Long("version") => special = Some(Asked::Version),
            Long(name) => {
                let unknown = || format!("unknown option --{name}; see larder --help");
                let flag = table::find(name).ok_or_else(unknown)?;
                if let Takes::Nothing(slot) = flag.takes {
                    *slot(&mut flags) = true;
                } else {
                    let value = parser.value().map_err(|error| error.to_string())?;
                    flags.set(flag, value, &format!("--{}", flag.name))?;
                }
                given.push(flag);
            }
            Short(letter) => return Err(format!("unknown option -{letter}; see larder --help")),
            Value(word) => words.push(
                word.into_string().map_err(|word| format!("{} is not UTF-8", word.display()))?,
            ),
        }
    }
    if let Some(special) = special {
        return Ok(special);
    }
    let (command, argument) = find_command(&words)?;
    if let Some(flag) = given.iter().find(|flag| !command.takes(flag)) {
        return Err(format!("--{} does not belong to larder {}", flag.name, command.name()));
    }
    flags.complete(command, environment)?;
    Ok(Asked::Command(command, argument, Box::new(flags)))
}

/// The command that these words name, and its argument, empty if it takes none.
///
/// Errors: one line.
fn find_command(words: &[String]) -> Result<(&'static Command, String), String> {
    if words.is_empty() {
        return Ok((&table::COMMANDS[0], String::new()));
    }
    let mut all = table::COMMANDS.iter().chain(table::OWN_COMMANDS);
    let found = all.find_map(|command| {
        let (name, rest) = words.split_at_checked(command.words.len())?;
        match (name == command.words, command.argument, rest) {
            (true, Argument::None | Argument::Optional(_), []) => Some((command, String::new())),
            (true, Argument::Needed(_) | Argument::Optional(_), [argument]) => {
                Some((command, argument.clone()))
            }
            _ => None,
        }
    });
    found.ok_or_else(|| format!("unknown command: {}; see larder --help", words.join(" ")))
}

impl Flags {
    /// Whether a flag was given.
    fn has(&mut self, flag: &Flag) -> bool {
        match flag.takes {
            Takes::Nothing(slot) => *slot(self),
            Takes::Directory(slot) => slot(self).is_some(),
            Takes::Address(slot) => slot(self).is_some(),
            Takes::Port(slot) => slot(self).is_some(),
            Takes::Text(_, slot) => slot(self).is_some(),
        }
    }

    /// Takes a value; `source` is what the person wrote it as.
    ///
    /// Errors: one line.
    fn set(&mut self, flag: &Flag, value: OsString, source: &str) -> Result<(), String> {
        if let Takes::Directory(slot) = flag.takes {
            if value.is_empty() {
                return Err(format!("{source}: needs a directory"));
            }
            let path = std::path::absolute(&value).map_err(|cause| format!("{source}: {cause}"))?;
            *slot(self) = Some(path);
            return Ok(());
        }
        let text = value
            .into_string()
            .map_err(|value| format!("{source}: {} is not UTF-8", value.display()))?;
        match flag.takes {
            Takes::Address(slot) => {
                let address = text.parse();
                let wrong = |_| format!("{source}: {text:?} is no IP address");
                *slot(self) = Some(address.map_err(wrong)?);
            }
            Takes::Port(slot) => {
                let port = text.parse();
                let wrong = |_| format!("{source}: {text:?} is no port (0 to 65535)");
                *slot(self) = Some(port.map_err(wrong)?);
            }
            Takes::Text(_, slot) => *slot(self) = Some(text),
            Takes::Nothing(_) | Takes::Directory(_) => {}
        }
        Ok(())
    }

    /// Takes from the environment what the command could be told and was not.
    ///
    /// Errors: one line.
    fn complete(
        &mut self,
        command: &Command,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), String> {
        for flag in command.flags() {
            let Some(twin) = flag.twin.filter(|_| !self.has(flag)) else { continue };
            if let Some(value) = environment(twin).filter(|value| !value.is_empty()) {
                self.set(flag, value, twin)?;
            }
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
    ) -> Result<(String, Flags), String> {
        let find = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        };
        let asked = parse(words.iter().map(OsString::from), find)?;
        Ok(match asked {
            Asked::Version => ("version".to_owned(), Flags::default()),
            Asked::Help => ("help".to_owned(), Flags::default()),
            Asked::Command(command, argument, flags) => {
                (format!("{} {argument}", command.name()).trim_end().to_owned(), *flags)
            }
        })
    }

    #[test]
    fn a_flag_comes_before_its_twin() {
        let environment = [("LARDER_PORT", "80"), ("LARDER_HOST", "::1"), ("LARDER_ROOT", "")];
        let (command, flags) = parse_words(&["serve", "--port=81"], &environment).unwrap();
        assert_eq!(command, "serve");
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
        assert_eq!(command, "user list");
        assert_eq!(flags.state(), Path::new("/var/lib/larder"));
    }

    #[test]
    fn help_and_version_are_always_there() {
        assert_eq!(parse_words(&["serve", "--help"], &[("LARDER_PORT", "x")]).unwrap().0, "help");
        assert_eq!(parse_words(&["-V"], &[]).unwrap().0, "version");
    }

    #[test]
    fn a_command_gets_its_argument_and_its_flags() {
        let words = ["user", "add", "ana", "--role=guest", "--paths", "[]"];
        let (command, flags) = parse_words(&words, &[]).unwrap();
        assert_eq!(command, "user add ana");
        assert_eq!(flags.profile.role.as_deref(), Some("guest"));
        assert_eq!(flags.profile.paths.as_deref(), Some("[]"));
        assert!(parse_words(&["update", "--check"], &[]).unwrap().1.check);
    }

    #[test]
    fn every_flag_of_the_table_is_kept_apart_from_the_others() {
        for flag in table::FLAGS {
            let command = table::COMMANDS.iter().find(|command| command.takes(flag));
            let command = command.unwrap_or_else(|| panic!("nobody takes --{}", flag.name));
            let mut words: Vec<String> = command.words.iter().map(ToString::to_string).collect();
            words.extend(command.argument.shown());
            words.push(format!("--{}", flag.name));
            words.extend(flag.takes.word().map(|_| "127".to_owned()).map(
                |port| match flag.takes {
                    Takes::Address(_) => "::1".to_owned(),
                    _ => port,
                },
            ));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (_, mut flags) = parse_words(&words, &[]).unwrap();
            for other in table::FLAGS {
                assert_eq!(flags.has(other), other.name == flag.name, "{}", other.name);
            }
        }
        for command in table::COMMANDS {
            assert_eq!(command.flags().count(), command.flags.len(), "{}", command.name());
        }
    }
}
