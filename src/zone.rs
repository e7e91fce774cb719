//! Local time: the system's zone, or the one that `TZ` names in any of its forms (POSIX, 8.3; `tzset(3)`).
//! Knows nothing of larder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::limits;

/// Where systems keep the rules of zones that are named; `TZDIR` comes before them.
const FOLDERS: &[&str] =
    &["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// When daylight saving begins and ends for a zone that says only that there is such a thing
/// (`EST5EDT`), as in the C library.
const RULES_UNSAID: &str = ",M3.2.0,M11.1.0";

/// The zone that counts now.
///
/// The library finds `/etc/localtime`, rules and files; zones by name would have it walk the whole
/// database at each start, so they are looked up here, once, as `TZ` does not change.
pub fn local() -> TimeZone {
    /// The zone of a `TZ` that the library does not understand.
    static NAMED: OnceLock<TimeZone> = OnceLock::new();
    TimeZone::try_system()
        .unwrap_or_else(|_| NAMED.get_or_init(|| named().unwrap_or(TimeZone::UTC)).clone())
}

/// This moment in the local zone.
pub fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(local())
}

/// What is wrong with `TZ`, for the owner; `None` when it is not set or can be used.
pub fn complaint() -> Option<String> {
    let name = std::env::var("TZ").ok()?;
    let is_unknown = TimeZone::try_system().is_err() && named().is_none();
    is_unknown.then(|| format!("TZ={name}: no such time zone here; times are told in UTC"))
}

/// The zone that `TZ` names, by its file or by its rules.
fn named() -> Option<TimeZone> {
    let given = std::env::var("TZ").ok()?;
    let name = given.strip_prefix(':').unwrap_or(&given);
    let own = std::env::var_os("TZDIR").map(PathBuf::from);
    let folders = own.into_iter().chain(FOLDERS.iter().map(PathBuf::from));
    let mut files = folders.map(|folder| folder.join(name));
    files
        .find_map(|file| read(&file, name))
        .or_else(|| TimeZone::posix(&format!("{name}{RULES_UNSAID}")).ok())
}

/// A zone from a file of the database.
fn read(path: &Path, name: &str) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limits::ZONE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    TimeZone::tzif(name, &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_zone_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Zone");
        assert!(read(&path, "Zone").is_none());
        std::fs::write(&path, "TZif, but no more").unwrap();
        assert!(read(&path, "Zone").is_none());
        assert!(read(folder.path(), "Zone").is_none());
    }
}
