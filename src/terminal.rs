//! What larder says on the terminal it was started from: the banner, one line for each mistake.

use std::io::{IsTerminal, Write};

/// A line for the person who started larder.
pub fn say(line: &str) {
    // A closed terminal is no reason to stop serving.
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line about something that is wrong.
pub fn warn(line: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "larder: {line}");
}

/// Whether what is said reaches a terminal that shows letters beyond ASCII, and colours.
pub fn can_draw() -> bool {
    let variable = |name: &str| std::env::var(name).ok();
    std::io::stdout().is_terminal() && speaks_utf8(variable) && !is_dumb(variable)
}

/// Whether the terminal has so many columns.
pub fn is_wide(columns: usize) -> bool {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    // One that does not say how wide it is wraps nothing that we know of.
    size.map_or(0, |size| size.ws_col) == 0
        || size.is_ok_and(|size| usize::from(size.ws_col) >= columns)
}

/// Whether the locale is one of UTF-8 (POSIX, 8.2: the first of these that is set decides).
fn speaks_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(said).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Whether it is a terminal that can do nothing but print.
fn is_dumb(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides_about_letters() {
        let says = |set: &[(&str, &str)]| {
            speaks_utf8(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(says(&[("LANG", "de_DE.UTF-8")]) && says(&[("LC_ALL", "C.utf8"), ("LANG", "C")]));
        assert!(says(&[("LC_ALL", ""), ("LC_CTYPE", "UTF-8")]));
        assert!(!says(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]) && !says(&[]));
        assert!(is_dumb(|_| None) && is_dumb(|_| Some("dumb".to_owned())));
        assert!(!is_dumb(|_| Some("xterm-256color".to_owned())));
    }
}
