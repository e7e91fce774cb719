//! How entries of a folder are told: as `ls -l` does, for people and old clients, and as facts
//! (RFC 3659, 7). Pure.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::auth::letters::Letters;
use crate::ftp::reply::one_line;
use crate::vault::{Entry, Kind};

/// `ls` tells the year instead of the time of day for what is older.
const RECENT: Duration = Duration::from_hours(24 * 182);

/// The facts that can be told, in their order.
pub const FACTS: [&str; 6] = ["type", "size", "modify", "perm", "unique", "UNIX.mode"];

/// Which facts a session is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts([bool; FACTS.len()]);

impl Default for Facts {
    fn default() -> Self {
        Self([true; FACTS.len()])
    }
}

impl Facts {
    /// Those named in `type;size;`; unknown ones are passed over (RFC 3659, 7.9).
    pub fn chosen(text: &str) -> Self {
        let names: Vec<&str> = text.split(';').map(str::trim).collect();
        Self(FACTS.map(|fact| names.iter().any(|name| name.eq_ignore_ascii_case(fact))))
    }

    /// As `FEAT` lists them: those that are told with a star.
    pub fn starred(self) -> String {
        FACTS.iter().zip(self.0).fold(String::new(), |text, (fact, is_told)| {
            format!("{text}{fact}{};", if is_told { "*" } else { "" })
        })
    }

    /// Only those that are told.
    pub fn told(self) -> String {
        let told = FACTS.iter().zip(self.0).filter(|(_, is_told)| *is_told);
        told.fold(String::new(), |text, (fact, _)| format!("{text}{fact};"))
    }

    /// One entry's facts, a space and its name, without a line end.
    pub fn line(self, entry: &Entry, name: &str, letters: &Letters) -> String {
        let mut line = String::new();
        for (fact, _) in FACTS.iter().zip(self.0).filter(|(_, is_told)| *is_told) {
            if let Some(value) = fact_of(fact, entry, letters) {
                line.extend([fact, "=", &value, ";"]);
            }
        }
        line.push(' ');
        line.push_str(&one_line(name));
        line
    }
}

/// One fact; `None` when there is nothing to tell.
fn fact_of(fact: &str, entry: &Entry, letters: &Letters) -> Option<String> {
    match fact {
        "type" => Some(
            match entry.kind {
                Kind::File => "file",
                Kind::Folder => "dir",
                Kind::Other => "OS.unix=other",
            }
            .to_owned(),
        ),
        "size" => (entry.kind == Kind::File).then(|| entry.size.to_string()),
        "modify" => Some(timestamp(entry.modified)),
        "perm" => Some(permissions(entry, letters)),
        "unique" => entry.id.map(|id| id.to_string()),
        _ => entry.id.map(|_| format!("0{:03o}", entry.mode)),
    }
}

/// What may be done with an entry, in the letters of RFC 3659, 7.5.5.
fn permissions(entry: &Entry, letters: &Letters) -> String {
    /// RFC 3659's letter, and the contract's that grants it.
    const FILE: [(char, &str); 5] = [('a', "a"), ('d', "d"), ('f', "f"), ('r', "r"), ('w', "w")];
    /// Likewise for folders.
    const FOLDER: [(char, &str); 7] =
        [('c', "w"), ('d', "d"), ('e', "e"), ('f', "f"), ('l', "l"), ('m', "m"), ('p', "d")];
    let rules: &[(char, &str)] = match entry.kind {
        Kind::File => &FILE,
        Kind::Folder => &FOLDER,
        Kind::Other => &FILE[1..3],
    };
    let is_granted = |letter: char| entry.writable || matches!(letter, 'e' | 'l' | 'r');
    rules
        .iter()
        .filter(|(letter, needed)| is_granted(*letter) && letters.has_any(needed))
        .map(|(letter, _)| letter)
        .collect()
}

/// `YYYYMMDDHHMMSS` in UTC (RFC 3659, 2.3).
pub fn timestamp(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%d%H%M%S").to_string()
}

/// Reads `YYYYMMDDHHMMSS`, perhaps with a fraction that is passed over; `None` when it is no time
/// since 1970.
pub fn parse_timestamp(text: &str) -> Option<SystemTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole[from..to].parse::<i8>().ok();
    let civil = jiff::civil::DateTime::new(
        whole[..4].parse().ok()?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?.min(59),
        0,
    );
    let time = jiff::tz::TimeZone::UTC.to_timestamp(civil.ok()?).ok()?;
    let seconds = u64::try_from(time.as_second()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A line of `ls -l`, without a line end. Times are UTC.
pub fn ls_line(entry: &Entry, name: &str, now: SystemTime) -> String {
    let kind = match entry.kind {
        Kind::File => '-',
        Kind::Folder => 'd',
        Kind::Other => 'p',
    };
    let modified = Timestamp::try_from(entry.modified).unwrap_or(Timestamp::UNIX_EPOCH);
    // What is from the future, because a clock is wrong, is told with its year, too.
    let is_recent = now.duration_since(entry.modified).is_ok_and(|age| age < RECENT);
    let format = if is_recent { "%b %e %H:%M" } else { "%b %e  %Y" };
    format!(
        "{kind}{} 1 larder larder {:>12} {} {}",
        rwx(entry.mode),
        entry.size,
        modified.strftime(format),
        one_line(name)
    )
}

/// Permission bits as nine letters.
fn rwx(mode: u16) -> String {
    (0..9_u16)
        .map(|place| {
            if mode & (0o400 >> place) == 0 { '-' } else { ['r', 'w', 'x'][usize::from(place % 3)] }
        })
        .collect()
}

/// Whether a name fits a pattern with `*` and `?`. Takes time in proportion to both lengths, whatever
/// the pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last star stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    seen = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind) -> Entry {
        Entry {
            raw: false,
            name: "a".to_owned(),
            kind,
            size: 7,
            modified: SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365),
            born: None,
            writable: true,
            mode: 0o640,
            id: None,
            stamp: None,
        }
    }

    #[test]
    fn facts_are_told_as_chosen() {
        let all = Letters::parse("elradfmwMT").unwrap();
        let line = Facts::default().line(&entry(Kind::File), "ü \r\nx", &all);
        assert_eq!(line, "type=file;size=7;modify=19710101000000;perm=adfrw; ü ??x");
        let few = Facts::chosen("SIZE;nonsense;type;");
        assert_eq!(few.told(), "type;size;");
        assert_eq!(few.line(&entry(Kind::Folder), "d", &all), "type=dir; d");
        assert!(few.starred().starts_with("type*;size*;modify;"));
        let reader = Letters::parse("elr").unwrap();
        assert_eq!(permissions(&entry(Kind::Folder), &reader), "el");
        assert_eq!(permissions(&entry(Kind::File), &reader), "r");
    }

    #[test]
    fn a_line_looks_like_that_of_ls() {
        let (old, now) = (entry(Kind::File), SystemTime::now());
        assert_eq!(
            ls_line(&old, "a b", now),
            "-rw-r----- 1 larder larder            7 Jan  1  1971 a b"
        );
        let young = ls_line(&entry(Kind::Folder), "d", old.modified + Duration::from_mins(1));
        assert_eq!(young, "drw-r----- 1 larder larder            7 Jan  1 00:00 d");
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let time = parse_timestamp("20020717210715").unwrap();
        assert_eq!(timestamp(time), "20020717210715");
        assert!(parse_timestamp("20020717210715.123").is_some());
        for bad in [
            "",
            "2002071721071",
            "20021317210715",
            "20020717250715",
            "19691231235959",
            "2002071721071x",
            "20020717210715.",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (pattern, name, fits) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("?ä*", "bär", true),
            ("*", "", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXb", false),
            ("a", "A", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(100), &"a".repeat(99).replace('a', "b")));
    }
}
