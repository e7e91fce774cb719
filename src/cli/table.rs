//! The one table of commands and flags. Parsing, `--help`, the manual page and the completions of three shells are
//! made from it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{Flags, run};

/// What the command line can ask for.
pub struct Command {
    /// The words that name it.
    pub words: &'static [&'static str],
    /// What one more word stands for.
    pub argument: Argument,
    /// The flags that mean something to it, in the order in which they are shown.
    pub flags: &'static [&'static str],
    /// What it does, in a line.
    pub brief: &'static str,
    /// Does it; the word is the argument.
    pub run: fn(&Flags, &str) -> Result<ExitCode, String>,
}

/// One more word of a command.
#[derive(Clone, Copy)]
pub enum Argument {
    /// There is none.
    None,
    /// Without it the command is not complete.
    Needed(&'static str),
    /// It may be left out.
    Optional(&'static str),
}

impl Argument {
    /// How it is shown.
    pub fn shown(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Needed(word) => Some(word.to_owned()),
            Self::Optional(word) => Some(format!("[{word}]")),
        }
    }
}

/// One flag.
pub struct Flag {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// What comes behind it, and where that is kept.
    pub takes: Takes,
    /// What it decides, in a line.
    pub brief: &'static str,
    /// Its twin in the environment.
    pub twin: Option<&'static str>,
    /// What counts without either.
    pub default: Option<&'static str>,
    /// What the manual page says beyond that.
    #[cfg_attr(not(test), expect(dead_code, reason = "the manual page is made by a test"))]
    pub more: &'static str,
}

/// Finds where a value of a flag is kept.
type Slot<T> = fn(&mut Flags) -> &mut T;

/// What comes behind a flag, and where it is kept.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Nothing: the flag alone says it.
    Nothing(Slot<bool>),
    /// A directory.
    Directory(Slot<Option<PathBuf>>),
    /// An IP address.
    Address(Slot<Option<IpAddr>>),
    /// A port.
    Port(Slot<Option<u16>>),
    /// Text, shown as this word.
    Text(&'static str, Slot<Option<String>>),
}

impl Takes {
    /// What the value is called; `None` when there is none.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Nothing(_) => None,
            Self::Directory(_) => Some("DIR"),
            Self::Address(_) => Some("ADDR"),
            Self::Port(_) => Some("N"),
            Self::Text(word, _) => Some(word),
        }
    }
}

impl Command {
    /// Its words as they are typed.
    pub fn name(&self) -> String {
        self.words.join(" ")
    }

    /// Its flags, in order.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().filter_map(|name| find(name))
    }

    /// Whether a flag means something to it.
    pub fn takes(&self, flag: &Flag) -> bool {
        self.flags.contains(&flag.name)
    }
}

/// The flag of this name.
pub fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// Every command, the one without a word first.
pub const COMMANDS: &[Command] = &[
    Command {
        words: &["serve"],
        argument: Argument::None,
        flags: &["state", "root", "host", "port", "ftp-port", "new-root", "restore"],
        brief: "share the folder until told to stop; without a command, this one",
        run: run::serve,
    },
    Command {
        words: &["user", "list"],
        argument: Argument::None,
        flags: &["state"],
        brief: "list the users",
        run: run::user_list,
    },
    Command {
        words: &["user", "add"],
        argument: Argument::Needed("NAME"),
        flags: &["state", "role", "name", "paths", "paths-write"],
        brief: "add a user",
        run: run::user_add,
    },
    Command {
        words: &["user", "passwd"],
        argument: Argument::Needed("NAME"),
        flags: &["state"],
        brief: "give a user a new password",
        run: run::user_passwd,
    },
    Command {
        words: &["user", "delete"],
        argument: Argument::Needed("NAME"),
        flags: &["state"],
        brief: "delete a user",
        run: run::user_delete,
    },
    Command {
        words: &["user", "totp-off"],
        argument: Argument::Needed("NAME"),
        flags: &["state"],
        brief: "take a user's second factor off",
        run: run::user_totp_off,
    },
    Command {
        words: &["signin-code"],
        argument: Argument::Optional("NAME"),
        flags: &["state"],
        brief: "print a code that signs a user in once; without a name, the first admin",
        run: run::signin_code,
    },
    Command {
        words: &["ca", "renew"],
        argument: Argument::None,
        flags: &["state"],
        brief: "make a new authority for certificates; every device has to be told again",
        run: run::ca_renew,
    },
    Command {
        words: &["check"],
        argument: Argument::None,
        flags: &["state", "root"],
        brief: "verify databases, settings, roles, authority, drive, space, clock",
        run: run::check,
    },
    Command {
        words: &["backup"],
        argument: Argument::None,
        flags: &["state", "root"],
        brief: "write settings and users onto the drive",
        run: run::backup,
    },
    Command {
        words: &["update"],
        argument: Argument::None,
        flags: &["check", "state", "root"],
        brief: "fetch a newer version",
        run: run::update,
    },
    Command {
        words: &["samba"],
        argument: Argument::None,
        flags: &["state", "root"],
        brief: "print shares for Samba's smb.conf that give what people may reach",
        run: run::samba,
    },
    Command {
        words: &["openapi"],
        argument: Argument::None,
        // It needs none, but a wrapper may always give it.
        flags: &["state"],
        brief: "print the description of the HTTP API",
        run: run::openapi,
    },
];

/// Commands that larder gives itself. Nobody types them, so they are shown nowhere.
pub const OWN_COMMANDS: &[Command] = &[Command {
    words: &["picture"],
    argument: Argument::Needed("TASK"),
    flags: &[],
    brief: "make a small picture of the one on standard input",
    run: run::picture,
}];

/// Every flag.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "state",
        takes: Takes::Directory(|flags| &mut flags.state),
        brief: "settings, users, logs",
        twin: Some("LARDER_STATE"),
        default: Some("./larder-data"),
        more: "Every command takes it.",
    },
    Flag {
        name: "root",
        takes: Takes::Directory(|flags| &mut flags.root),
        brief: "the folder that is shared",
        twin: Some("LARDER_ROOT"),
        default: Some("<state>/files"),
        more: "",
    },
    Flag {
        name: "host",
        takes: Takes::Address(|flags| &mut flags.host),
        brief: "address to listen at",
        twin: Some("LARDER_HOST"),
        default: Some("0.0.0.0"),
        more: "",
    },
    Flag {
        name: "port",
        takes: Takes::Port(|flags| &mut flags.port),
        brief: "port; 0 takes a free one",
        twin: Some("LARDER_PORT"),
        default: Some("6969"),
        more: "",
    },
    Flag {
        name: "ftp-port",
        takes: Takes::Port(|flags| &mut flags.ftp_port),
        brief: "port of the FTP server",
        twin: Some("LARDER_FTP_PORT"),
        default: Some("2121"),
        more: "It listens when it is switched on.",
    },
    Flag {
        name: "new-root",
        takes: Takes::Nothing(|flags| &mut flags.new_root),
        brief: "take the root as it is, even if it is another drive than before",
        twin: None,
        default: None,
        more: "",
    },
    Flag {
        name: "restore",
        takes: Takes::Nothing(|flags| &mut flags.restore),
        brief: "take over settings and users from the backup that the drive carries",
        twin: None,
        default: None,
        more: "It is for a new state directory.",
    },
    Flag {
        name: "role",
        takes: Takes::Text("ROLE", |flags| &mut flags.profile.role),
        brief: "their role",
        twin: None,
        default: Some("user"),
        more: "",
    },
    Flag {
        name: "name",
        takes: Takes::Text("TEXT", |flags| &mut flags.profile.name),
        brief: "their full name",
        twin: None,
        default: Some("NAME"),
        more: "",
    },
    Flag {
        name: "paths",
        takes: Takes::Text("JSON", |flags| &mut flags.profile.paths),
        brief: "array of paths they may read",
        twin: None,
        default: Some("[\"\"]: everything"),
        more: "",
    },
    Flag {
        name: "paths-write",
        takes: Takes::Text("JSON", |flags| &mut flags.profile.paths_write),
        brief: "array of paths they may change",
        twin: None,
        default: Some("[]: nothing"),
        more: "",
    },
    Flag {
        name: "check",
        takes: Takes::Nothing(|flags| &mut flags.check),
        brief: "only say whether there is one",
        twin: None,
        default: None,
        more: "",
    },
];
