//! What a ZIP lacks, told in a last entry: whoever unpacks it must not take it for everything.

use super::numbered::numbered;
use crate::limits;
use rustix::io::Errno;
use std::fmt::Write as _;

/// What the last entry is called, unless something in the ZIP is called so.
const NAME: &str = "MISSING.txt";

/// Why something is not in a ZIP, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The drive does not let larder read it.
    Denied,
    /// It was gone, or something else, when its turn came.
    Gone,
    /// It lost its end while it was read.
    Shrunk,
    /// It is larger than its header could say, since it grew while it was read.
    Grown,
    /// Reading failed.
    Unreadable(Errno),
}

impl Lack {
    /// Why something could not be opened or looked at. `None` for what the machine lacks at the moment: then
    /// the ZIP is better broken off and asked for again.
    pub fn of(errno: Errno) -> Option<Self> {
        match errno {
            Errno::ACCESS | Errno::PERM => Some(Self::Denied),
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::STALE => {
                Some(Self::Gone)
            }
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => None,
            errno => Some(Self::Unreadable(errno)),
        }
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Denied => out.write_str("not permitted on the drive"),
            Self::Gone => out.write_str("gone when its turn came"),
            Self::Shrunk => out.write_str("cut short: it shrank while it was read"),
            Self::Grown => out.write_str("cut short: it grew too large while it was read"),
            Self::Unreadable(errno) => {
                write!(out, "cannot be read: {}", std::io::Error::from(*errno))
            }
        }
    }
}

/// All that is missing.
#[derive(Debug, Default)]
pub struct Missing {
    /// A line for each, as far as there is room.
    lines: String,
    /// How many there are.
    count: u64,
    /// Above every number of a name like ours that something in the ZIP has.
    number: usize,
}

impl Missing {
    /// Something is missing.
    pub fn add(&mut self, name: &str, lack: Lack) {
        self.count += 1;
        if self.lines.len() + name.len() < limits::ZIP_MISSING_BYTES_MAX {
            // Writing to a string cannot fail.
            let _ = writeln!(self.lines, "{name}: {lack}\r");
        }
    }

    /// Something gets this name in the ZIP.
    pub fn avoid(&mut self, name: &str) {
        let name = name.strip_suffix('/').unwrap_or(name).to_lowercase();
        let Some(rest) = name.strip_prefix("missing").and_then(|rest| rest.strip_suffix(".txt"))
        else {
            return;
        };
        let number = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        match number.map(str::parse::<u32>) {
            None if rest.is_empty() => self.number = self.number.max(1),
            Some(Ok(number)) => self.number = self.number.max(number as usize + 1),
            _ => {}
        }
    }

    /// How many things are missing.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What the last entry is called.
    pub fn name(&self) -> String {
        numbered(NAME, self.number)
    }

    /// What it says, in words that any editor shows.
    pub fn text(&self) -> String {
        let told = self.lines.lines().count() as u64;
        let mut text = String::from("Not in this ZIP, or not whole:\r\n\r\n");
        text.push_str(&self.lines);
        if told < self.count {
            let _ = writeln!(text, "and {} more\r", self.count - told);
        }
        text
    }

    /// The first of it, for the log.
    pub fn first(&self) -> &str {
        self.lines.lines().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_gives_way_to_what_is_called_so() {
        let mut missing = Missing::default();
        assert_eq!(missing.name(), "MISSING.txt");
        for name in ["missing", "missing.txt2", "sub/MISSING.txt", "missing (x).txt"] {
            missing.avoid(name);
        }
        assert_eq!(missing.name(), "MISSING.txt");
        missing.avoid("Missing.TXT/");
        assert_eq!(missing.name(), "MISSING (1).txt");
        missing.avoid("MISSING (7).txt");
        missing.avoid("MISSING (3).txt");
        assert_eq!(missing.name(), "MISSING (8).txt");
    }

    #[test]
    fn its_text_is_bounded_and_counts_what_it_does_not_tell() {
        let mut missing = Missing::default();
        for _ in 0..10_000 {
            missing.add("a/b.txt", Lack::Denied);
        }
        let text = missing.text();
        assert!(text.len() < limits::ZIP_MISSING_BYTES_MAX + 200);
        let told = text.lines().filter(|line| line.starts_with("a/b.txt: not")).count();
        assert!(text.ends_with(&format!("and {} more\r\n", 10_000 - told)), "{text}");
        assert_eq!(missing.first(), "a/b.txt: not permitted on the drive");
    }
}
