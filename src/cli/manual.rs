//! The manual page `docs/larder.1`, made from the table and from what no table holds.

use std::fmt::Write;

use crate::cli::table::{COMMANDS, Command, Flag};

/// What stands before the synopsis.
const HEAD: &str = r#".\" Made from the table in src/cli/table.rs and the text in src/cli/manual.rs.
.TH LARDER 1 "" "larder" "User Commands"
.SH NAME
larder \- a home NAS: your folder on every phone, laptop and script in the house
.SH SYNOPSIS
"#;

/// What stands between the synopsis and the commands.
const DESCRIPTION: &str = r".B larder \-\-version
|
.B \-\-help
.SH DESCRIPTION
.B larder
shares one folder with the browsers, scripts and FTP clients of a home. The first start creates the user
.B admin
and prints the addresses to open and, once, that user's password. As a service it prints them into the journal:
.PP
.RS
journalctl \-u larder
.RE
.PP
Everything that larder was told to keep is on the drive before it says so. Deleted and replaced files go to a trash.
.SH COMMANDS
";

/// What stands before the options.
const OPTIONS: &str = r".SH OPTIONS
Options of
.B serve
have twins in the environment, which are named in parentheses; the option wins, then the environment, then
.IR settings.json .
";

/// What stands behind the options.
const TAIL: &str = r#".SH ENVIRONMENT
.TP
.B LARDER_ADMIN_PASSWORD
The password of
.BR admin ,
whom the first start creates.
.TP
.B TZ
The time zone of the times in the log, in any form that
.BR tzset (3)
knows. Without it the system's counts.
.SH FILES
As a service:
.TP
.I /var/lib/larder
The state: settings, users, logs, the key that signs tokens.
.TP
.I /srv/larder
The share.
.TP
.I .larder
Hidden in the share: its marker, the trash, unfinished uploads.
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Lets running requests finish (10 s at most), then ends. A second one ends at once.
.TP
.B SIGHUP
Reads settings and roles again.
.TP
.B SIGUSR1
Looks for a newer version, as
.B larder update
does beside a running server.
.SH EXIT STATUS
0 on success; 1 when
.B check
found something wrong; 2 for a bad option or an unusable directory, with one line that says which.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)
"#;

/// What the page says about a command beyond its line in the table.
fn more(command: &Command) -> &'static str {
    match command.words {
        ["user", "list"] => "Like all of these also beside a running server, at once.",
        ["user", "add"] => {
            "The password is asked for without echo, or read from standard input when that is no terminal."
        }
        ["user", "passwd"] => "It is asked for likewise, and ends all sessions of the user.",
        ["user", "delete"] => "Their files stay.",
        ["user", "totp-off"] => {
            "For who has lost their phone and their recovery codes: the password alone signs them in again."
        }
        ["check"] => "Changes nothing, and says one line about each.",
        ["backup"] => {
            "Settings, roles and users, as one hidden document beside the share's files, which\n.B serve\nwrites once \
             a day by itself. Prints where it lies."
        }
        ["update"] => {
            "It is fetched from\n.B update_url\nin the settings, and taken only when it is signed and starts. A running \
             server updates itself."
        }
        ["samba"] => {
            "Changes nothing: what it prints says what to do with it, and what is left out and why. Larder's own folder is \
             kept from Samba."
        }
        ["openapi"] => "That is OpenAPI 3.1.",
        _ => "",
    }
}

/// Text as roff takes it.
fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A sentence from the line of a table.
fn sentence(brief: &str) -> String {
    let (first, rest) = brief.split_at(1);
    format!("{}{}", first.to_uppercase(), roff(rest))
}

/// A command with all that can be said to it.
fn synopsis(command: &Command) -> String {
    let mut text = match command.words {
        ["serve"] => ".B larder\n.RB [ serve ]\n".to_owned(),
        words => format!(".B larder {}\n", words.join(" ")),
    };
    if let Some(argument) = command.argument.shown() {
        let _never_fails = writeln!(text, ".I {argument}");
    }
    for flag in command.flags() {
        let name = roff(&format!("--{}", flag.name));
        let _never_fails = match flag.takes.word() {
            Some(word) => writeln!(text, ".RB [ {name}\n.IR {word} ]"),
            None => writeln!(text, ".RB [ {name} ]"),
        };
    }
    text + ".br\n"
}

/// What a command does.
fn command(command: &Command) -> String {
    let argument =
        command.argument.shown().map(|word| format!(" \\fI{word}\\fR")).unwrap_or_default();
    let more = Some(more(command)).filter(|more| !more.is_empty());
    let more = more.map(|more| format!("{more}\n")).unwrap_or_default();
    format!(".TP\n.B {}{argument}\n{}.\n{more}", command.name(), sentence(command.brief))
}

/// What a flag decides.
fn option(flag: &Flag) -> String {
    let name = roff(&format!("--{}", flag.name));
    let mut text = match flag.takes.word() {
        Some(word) => format!(".TP\n.BI {name} \" {word}\"\n"),
        None => format!(".TP\n.B {name}\n"),
    };
    text.push_str(&sentence(flag.brief));
    match (flag.twin, flag.default.map(roff)) {
        (Some(twin), Some(default)) => {
            let _never_fails = write!(text, "\n.RB ( {twin} ;\ndefault {default}).\n");
        }
        (None, Some(default)) => {
            let _never_fails = writeln!(text, " (default {default}).");
        }
        _ => text.push_str(".\n"),
    }
    if !flag.more.is_empty() {
        text.push_str(flag.more);
        text.push('\n');
    }
    text
}

/// The whole page.
fn page() -> String {
    let mut page = HEAD.to_owned();
    page.extend(COMMANDS.iter().map(synopsis));
    page.push_str(DESCRIPTION);
    page.extend(COMMANDS.iter().map(command));
    page.push_str(OPTIONS);
    page.extend(COMMANDS[0].flags().map(option));
    for command in &COMMANDS[1..] {
        let own: String =
            command.flags().filter(|flag| !COMMANDS[0].takes(flag)).map(option).collect();
        if !own.is_empty() {
            let _never_fails = write!(page, ".SS Options of {}\n{own}", command.name());
        }
    }
    page + TAIL
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::path::Path;

    /// Holds a file of the repository against what is made; with `UPDATE=1` in the environment writes it instead.
    pub fn must_stand_in(path: &str, made: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, made).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap();
        assert_eq!(found, made, "{path}: UPDATE=1 cargo test --bin larder cli:: writes it anew");
    }

    #[test]
    fn the_manual_page_is_what_the_table_makes() {
        must_stand_in("docs/larder.1", &page());
    }

    #[test]
    fn the_manual_page_names_every_command_and_flag() {
        let page = page();
        for command in COMMANDS {
            assert!(
                page.contains(&format!(".B larder {}", command.name()))
                    || command.words == ["serve"]
            );
            for flag in command.flags() {
                assert!(page.contains(&roff(&format!("--{}", flag.name))), "{}", flag.name);
            }
        }
    }
}
