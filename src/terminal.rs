//! What larder says on the terminal it was started from: the banner, one line for each mistake.

use std::io::Write;

/// A line for the person who started larder.
pub fn say(line: &str) {
    // A closed terminal is no reason to stop serving.
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line about something that is wrong.
pub fn warn(line: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "larder: {line}");
}
