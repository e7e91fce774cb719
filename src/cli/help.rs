//! What `--help` prints.

use std::fmt::Write;

use crate::cli::table::{COMMANDS, Command, Flag};

/// Columns of a flag with its value, of its sentence, and of its twin.
const COLUMNS: (usize, usize, usize) = (20, 30, 16);

/// All of it.
pub fn text() -> String {
    let mut text = String::from(
        "larder - a home NAS: your folder on every phone, laptop and script in the house\n\nUsage:\n",
    );
    for command in COMMANDS {
        line(&mut text, &format!("  larder {}", usage(command)));
    }
    line(&mut text, "  larder --version | --help");
    line(&mut text, "\nCommands:");
    for command in COMMANDS {
        line(&mut text, &format!("  {:<20}{}", command.name(), command.brief));
    }
    line(&mut text, "\nOptions of serve, each with its twin in the environment:");
    for flag in COMMANDS[0].flags() {
        line(&mut text, &option(flag));
    }
    for command in &COMMANDS[1..] {
        let mut own = command.flags().filter(|flag| !COMMANDS[0].takes(flag)).peekable();
        if own.peek().is_some() {
            line(&mut text, &format!("\nOptions of {}:", command.name()));
        }
        own.for_each(|flag| line(&mut text, &option(flag)));
    }
    line(
        &mut text,
        "\nLARDER_ADMIN_PASSWORD gives the password of the user `admin`, whom the first start creates.",
    );
    text
}

/// Adds a line.
fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// A command with all that can be said to it.
fn usage(command: &Command) -> String {
    let name = command.name();
    let mut usage = if command.words == ["serve"] { format!("[{name}]") } else { name };
    if let Some(argument) = command.argument.shown() {
        let _never_fails = write!(usage, " {argument}");
    }
    for flag in command.flags() {
        let _never_fails = write!(usage, " [{}]", spelled(flag));
    }
    usage
}

/// A flag with what comes behind it.
fn spelled(flag: &Flag) -> String {
    let value = flag.takes.word().map(|word| format!(" {word}"));
    format!("--{}{}", flag.name, value.unwrap_or_default())
}

/// What a flag decides, with its twin and what counts without it, in columns.
fn option(flag: &Flag) -> String {
    let (spelling, sentence, twin) = COLUMNS;
    let default = flag.default.map(|default| format!("(default {default})")).unwrap_or_default();
    let start = format!("  {:<spelling$}{:<sentence$}", spelled(flag), flag.brief);
    match flag.twin {
        Some(name) => format!("{start}{name:<twin$}{default}"),
        None => format!("{start}{default}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::FLAGS;

    #[test]
    fn help_says_all_and_fits_a_terminal() {
        let text = text();
        for flag in FLAGS {
            assert!(text.contains(&format!("  --{}", flag.name)), "{}", flag.name);
            assert!(flag.twin.is_none_or(|twin| text.contains(twin)), "{}", flag.name);
        }
        for command in COMMANDS {
            assert!(text.contains(&command.name()), "{}", command.name());
        }
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|longest| longest <= 120), "{text}");
    }
}
