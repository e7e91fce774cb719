//! `larder check`: is the state directory as it should be? One line for each thing, in words for
//! the owner; changes nothing, and works beside a running server.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::auth::{password, permission};
use crate::settings::{self, ADMIN, Https};
use crate::store;
use crate::system::{self, Sample, Written};
use crate::tls::{self, Authority, Wanted};
use crate::vault::{RootId, Vault};
use crate::{app, clock, limits, logbook, terminal, words, zone};

/// The files of the state directory that every larder which was started once has.
const FILES: &[&str] = &[
    "secret.key",
    "settings/settings.json",
    "settings/roles.json",
    "settings/cloud.json",
    "settings/root.json",
    "db/users.db",
    "db/logs.db",
];

/// Looks at everything and says what there is. `root` is the share root where the command line
/// names one. Returns whether all is well.
pub fn run(state: &Path, root: Option<&Path>) -> bool {
    let mut report = Report { is_well: true };
    match std::fs::metadata(state) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            report.wrong(&format!("{} is not a directory", state.display()));
            return false;
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            report.wrong(&format!("{}: no larder has been started there yet", state.display()));
            return false;
        }
        Err(cause) => {
            report.wrong(&format!("{}: {cause}", state.display()));
            return false;
        }
    }
    let folder = state.join("settings");
    report.tell("permissions", permissions(state));
    report.tell("secret.key", secret_key(&state.join("secret.key")));
    report.tell("settings.json", settings_file(&folder));
    report.tell("roles.json", roles(&folder));
    report.tell("cloud.json", object_in(&folder.join("cloud.json")));
    report.tell("authority", authority(state));
    report.tell("users.db", users(&state.join("db/users.db")));
    report.tell("logs.db", logs(&state.join("db/logs.db")));
    let (place, vault) = share(state, root);
    report.tell("share root", place);
    if let Some(vault) = &vault {
        report.tell("unfinished files", leftovers(vault));
    }
    let sample = system::look(state, vault.as_ref());
    report.tell("free space", free_space(&sample));
    report.tell("board", board(&sample));
    report.tell("written today", written(&sample));
    report.tell("clock", clock(state, SystemTime::now()));
    report.is_well
}

/// What was found so far.
struct Report {
    /// Whether nothing was wrong.
    is_well: bool,
}

impl Report {
    /// A line about one thing.
    fn tell(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(good) => terminal::say(&format!("ok     {what}: {good}")),
            Err(bad) => {
                // Some name the file with its whole path already.
                let bad = bad.rsplit_once(&format!("/{what}: ")).map_or(&*bad, |(_, why)| why);
                self.wrong(&format!("{what}: {bad}"));
            }
        }
    }

    /// A line about something that is wrong.
    fn wrong(&mut self, line: &str) {
        self.is_well = false;
        // What a damaged file contains may be anything.
        terminal::say(&format!("WRONG  {}", words::told(line)));
    }
}

/// Everything belongs to one user, and nobody else may look in.
fn permissions(state: &Path) -> Result<String, String> {
    let owner = std::fs::metadata(state).map_err(|cause| cause.to_string())?.uid();
    let mut wrong = Vec::new();
    let mut judge = |path: &Path, found: &Metadata| {
        let shown = path.strip_prefix(state).unwrap_or(path);
        let shown = if shown.as_os_str().is_empty() { state } else { shown };
        let mode = found.mode() & 0o7777;
        if mode & 0o077 != 0 {
            wrong.push(format!("{} is open to others (mode {mode:o})", shown.display()));
        } else if found.uid() != owner {
            wrong.push(format!("{} belongs to user {}", shown.display(), found.uid()));
        }
    };
    for part in ["", "settings", "db"] {
        let folder = if part.is_empty() { state.to_path_buf() } else { state.join(part) };
        let say = |cause: std::io::Error| format!("{}: {cause}", folder.display());
        judge(&folder, &std::fs::metadata(&folder).map_err(say)?);
        for entry in std::fs::read_dir(&folder).map_err(say)? {
            let path = entry.map_err(say)?.path();
            let found = match path.symlink_metadata() {
                Ok(found) => found,
                // A temporary file of a running server is gone again.
                Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
                Err(cause) => return Err(format!("{}: {cause}", path.display())),
            };
            if found.is_file() {
                judge(&path, &found);
            }
        }
    }
    match wrong.len() {
        0 => Ok(format!("only user {owner} may look into {}", state.display())),
        1..=limits::FINDINGS_IN_LINE_MAX => Err(wrong.join(", ")),
        many => Err(format!(
            "{} and {} more",
            wrong[..limits::FINDINGS_IN_LINE_MAX].join(", "),
            many - limits::FINDINGS_IN_LINE_MAX
        )),
    }
}

/// Long enough to sign with.
fn secret_key(path: &Path) -> Result<String, String> {
    let found = there(path)?;
    std::fs::File::open(path).map_err(|cause| cause.to_string())?;
    if found.len() < 32 {
        return Err("too short; remove it to have a new one made (everybody signs in again)".into());
    }
    Ok("there".to_owned())
}

/// A file that must be there.
fn there(path: &Path) -> Result<Metadata, String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found),
        Ok(_) => Err("is not a file".to_owned()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Err("is missing".to_owned()),
        Err(cause) => Err(cause.to_string()),
    }
}

/// A JSON object, whatever is in it.
fn object_in(path: &Path) -> Result<String, String> {
    there(path)?;
    settings::read_object(path)?;
    Ok("good".to_owned())
}

/// Every setting is one that larder would start with.
fn settings_file(folder: &Path) -> Result<String, String> {
    there(&folder.join("settings.json"))?;
    settings::read_settings(folder)?;
    Ok("good".to_owned())
}

/// Roles that an admin can still change.
fn roles(folder: &Path) -> Result<String, String> {
    there(&folder.join("roles.json"))?;
    let roles = settings::read_roles(folder)?;
    if !roles.has_way_back_in() {
        return Err(format!("the role {ADMIN} may not edit the roles any more"));
    }
    Ok(format!("good, {} endpoints", roles.paths().count()))
}

/// The authority that devices are told to trust, how long it lasts, and what it cannot vouch for.
fn authority(state: &Path) -> Result<String, String> {
    // What is wrong with the settings is told above.
    let Ok(settings) = settings::read_settings(&state.join("settings")) else {
        return Ok("unknown".to_owned());
    };
    if settings.https.mode == Https::Off {
        return Ok("none: https is off".to_owned());
    }
    if !settings.certificate.is_own() {
        return Ok("none: certificates are the owner's".to_owned());
    }
    let found = tls::read_authority(state).map_err(|line| {
        format!("{line}; `larder ca renew` makes another, which devices have to be told of")
    })?;
    let Some(found) = found else { return Ok("none yet".to_owned()) };
    judge_authority(&found, &tls::wanted(&settings, None), Timestamp::now())
}

/// The same of one that was found.
fn judge_authority(found: &Authority, wanted: &Wanted, now: Timestamp) -> Result<String, String> {
    let ends = Timestamp::from_second(found.ends().seconds()).unwrap_or(Timestamp::MAX);
    let day = ends.strftime("%Y-%m-%d");
    let mut shown = format!("{}, until {day}, SHA-256 {}", found.subject(), found.fingerprint());
    if ends < now {
        return Err(format!("{shown}; it has ended: `larder ca renew` makes another"));
    }
    if ends.duration_since(now).unsigned_abs() < limits::AUTHORITY_NOTICE {
        shown.push_str("; but: it ends soon, and `larder ca renew` makes another");
    }
    let left_out: Vec<&str> = wanted.left_out_by(found).collect();
    if !left_out.is_empty() {
        shown.push_str("; but: it may not vouch for ");
        shown.push_str(&left_out.join(", "));
        shown.push_str(" (`larder ca renew` would make one that may, and every device would have to be told again)");
    }
    Ok(shown)
}

/// An intact table with an admin, and nobody in it who can't be understood.
fn users(path: &Path) -> Result<String, String> {
    there(path)?;
    let (mut count, mut admins) = (0_u64, 0_u64);
    let mut wrong = Vec::new();
    store::examine_users(path, |user| {
        count += 1;
        admins += u64::from(user.role == ADMIN);
        let mut judge = |is_good: bool, what: &str| {
            if !is_good && wrong.len() < limits::FINDINGS_IN_LINE_MAX {
                wrong.push(format!("{}'s {what} can't be read", user.username));
            }
        };
        judge(!user.has_password() || password::is_hash(&user.password_hash), "password hash");
        judge(permission::prefixes(&user.paths).is_ok(), "paths");
        judge(permission::prefixes(&user.paths_write).is_ok(), "paths_write");
    })?;
    if !wrong.is_empty() {
        return Err(wrong.join(", "));
    }
    if count > 0 && admins == 0 {
        return Err(format!("nobody has the role {ADMIN}"));
    }
    Ok(format!("intact; users: {count}, admins: {admins}"))
}

/// An intact table.
fn logs(path: &Path) -> Result<String, String> {
    there(path)?;
    Ok(format!("intact; rows: {}", logbook::examine(path)?))
}

/// The drive with the share, and the vault over it where it is the right one.
fn share(state: &Path, root: Option<&Path>) -> (Result<String, String>, Option<Vault>) {
    match find_share(state, root) {
        Ok(vault) if app::would_share_state(&vault.root(), state) => {
            let line = "larder's own state directory is in it, with all its secrets: stop larder, move that elsewhere, \
                        and start it with --state";
            (Err(format!("{}: {line}", vault.root().display())), Some(vault))
        }
        Ok(vault) if vault.is_present() => {
            (Ok(format!("{} is the right drive", vault.root().display())), Some(vault))
        }
        Ok(vault) => (
            Err(format!("{} is not available: is the drive mounted?", vault.root().display())),
            None,
        ),
        Err(line) => (Err(line), None),
    }
}

/// The share root: the one that is named, or that was served last. Nothing is made.
///
/// Errors: one line.
pub fn find_share(state: &Path, root: Option<&Path>) -> Result<Vault, String> {
    let record = state.join("settings/root.json");
    let known =
        settings::read_object(&record)?.ok_or("root.json is missing: none was served yet")?;
    let text = |key: &str| known.get(key).and_then(serde_json::Value::as_str);
    let (Some(path), Some(id)) = (text("path"), text("id").and_then(RootId::parse)) else {
        return Err(format!("{}: no path with an id", record.display()));
    };
    if let Some(root) = root.filter(|root| *root != Path::new(path)) {
        return Err(format!("{} has not been served yet; that was {path}", root.display()));
    }
    let (vault, _) =
        Vault::attach(Path::new(path), Some(&id), false).map_err(|error| error.to_string())?;
    Ok(vault)
}

/// What was to be removed and cannot be, as it belongs to another account.
fn leftovers(vault: &Vault) -> Result<String, String> {
    let (mut shown, mut count) = (Vec::new(), 0_usize);
    let looked = vault.each_stuck(&mut |place| {
        count += 1;
        if shown.len() < limits::FINDINGS_IN_LINE_MAX {
            shown.push(place.display().to_string());
        }
    });
    looked.map_err(|error| error.to_string())?;
    if shown.is_empty() {
        return Ok("none that stay for ever".to_owned());
    }
    let more = match count - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = shown.join(", ");
    Err(format!("larder's own account cannot remove {shown}{more}: remove it by hand"))
}

/// Room to write, on the drive with the state and on the one with the share, which both must take what is
/// written.
fn free_space(sample: &Sample) -> Result<String, String> {
    // A filesystem that tells no size is unknown, not full.
    let free = |total: u64, free: u64| (total > 0).then_some(free);
    let state = free(sample.state_total_bytes, sample.state_free_bytes);
    let mut places = vec![("with the state directory", state, sample.state_read_only)];
    if sample.storage_present {
        let share = free(sample.disk_total_bytes, sample.disk_free_bytes);
        places.push(("with the share", share, sample.storage_read_only));
    }
    if let Some((place, ..)) = places.iter().find(|(.., is_read_only)| *is_read_only) {
        return Err(format!(
            "the drive {place} can only be read: it is mounted so, or the system found errors on it"
        ));
    }
    let size = |bytes: Option<u64>| {
        bytes.map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
    };
    let shown: Vec<String> =
        places.iter().map(|(place, bytes, _)| format!("{} {place}", size(*bytes))).collect();
    let shown = shown.join(", ");
    let is_little = |bytes: u64| bytes < limits::FREE_SPACE_BYTES_MIN;
    if places.iter().any(|(_, bytes, _)| bytes.is_some_and(is_little)) {
        return Err(format!("too little: {shown}"));
    }
    Ok(shown)
}

/// Power and heat, as far as the machine tells. What is over is worth a word, but is not wrong now.
fn board(sample: &Sample) -> Result<String, String> {
    let told = |codes: &[&str]| -> Vec<&str> {
        let about = sample.warnings.iter().filter(|warning| codes.contains(&warning.code));
        about.map(|warning| warning.text).collect()
    };
    let wrong = told(&["under_voltage", "too_hot", "throttled"]);
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let mut shown = vec![sample.board.clone().unwrap_or_else(|| "a PC".to_owned())];
    shown.push(sample.temperature.map_or("no thermometer".to_owned(), |it| format!("{it} °C")));
    let power =
        if sample.power_supply.is_some() { "the voltage is good" } else { "voltage unknown" };
    shown.push(power.to_owned());
    let mut shown = shown.join(", ");
    for past in told(&["under_voltage_before", "too_hot_before"]) {
        shown.push_str("; but: ");
        shown.push_str(past);
    }
    Ok(shown)
}

/// What was written to each drive today.
fn written(sample: &Sample) -> Result<String, String> {
    let tell = |drive: &Written| {
        let holds = match (drive.holds_state, drive.holds_share) {
            (true, true) => " (state and share)",
            (true, false) => " (state)",
            (false, true) => " (share)",
            (false, false) => "",
        };
        format!("{} MiB to {}{holds} since {}", drive.bytes >> 20, drive.drive, drive.since)
    };
    let shown: Vec<String> = sample.written.iter().map(tell).collect();
    if let Some(busy) = sample.warnings.iter().find(|warning| warning.code == "card_busy") {
        return Err(format!("{}: {}", busy.text, shown.join(", ")));
    }
    Ok(if shown.is_empty() { "the system does not tell".to_owned() } else { shown.join(", ") })
}

/// A clock that is not before what it has itself stamped. Boards without a battery wake up in the
/// past until they hear the time; then tokens and log rows have wrong times.
fn clock(state: &Path, now: SystemTime) -> Result<String, String> {
    let shown = |time: SystemTime| {
        jiff::Timestamp::try_from(time).map_or("?".to_owned(), |time| {
            time.to_zoned_datetime(zone::local()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        })
    };
    if let Some(line) = zone::complaint() {
        return Err(line);
    }
    if !clock::is_set(clock::seconds(now)) {
        return Err(format!("it says {}, which is long ago", shown(now)));
    }
    let newest = FILES
        .iter()
        .filter_map(|file| {
            let path: PathBuf = state.join(file);
            path.metadata().and_then(|found| found.modified()).ok()
        })
        .max();
    if let Some(newest) = newest.filter(|newest| *newest > now + limits::CLOCK_DRIFT_MAX) {
        return Err(format!(
            "it says {}, but larder has already written something at {}",
            shown(now),
            shown(newest)
        ));
    }
    Ok(shown(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{PowerSupply, Warning};
    use std::time::Duration;

    #[test]
    fn a_boards_trouble_is_wrong_now_and_a_word_when_it_is_over() {
        let mut sample = Sample { temperature: Some(48.2), ..Sample::default() };
        assert_eq!(board(&sample).unwrap(), "a PC, 48.2 °C, voltage unknown");
        sample.board = Some("Raspberry Pi 4".into());
        sample.power_supply = Some(PowerSupply::default());
        assert_eq!(board(&sample).unwrap(), "Raspberry Pi 4, 48.2 °C, the voltage is good");
        sample.warnings = vec![Warning { code: "under_voltage_before", text: "It was." }];
        assert!(board(&sample).unwrap().ends_with("; but: It was."));
        sample.warnings = vec![Warning { code: "too_hot", text: "It is." }];
        assert_eq!(board(&sample).unwrap_err(), "It is.");
    }

    #[test]
    fn room_is_judged_where_there_is_a_drive_that_takes_it() {
        let mut sample = Sample { state_free_bytes: 1 << 30, ..Sample::default() };
        sample.state_total_bytes = 1 << 40;
        assert_eq!(free_space(&sample).unwrap(), "1024 MiB with the state directory");
        sample.storage_present = true;
        assert!(free_space(&sample).unwrap().ends_with(", unknown with the share"));
        sample.disk_total_bytes = 1 << 40;
        assert!(free_space(&sample).unwrap_err().starts_with("too little: "));
        sample.disk_free_bytes = 1 << 30;
        assert!(free_space(&sample).is_ok());
        sample.storage_read_only = true;
        assert!(free_space(&sample).unwrap_err().contains("with the share can only be read"));
    }

    #[test]
    fn what_was_written_is_told_by_drive() {
        let mut sample = Sample::default();
        assert_eq!(written(&sample).unwrap(), "the system does not tell");
        sample.written.push(Written {
            drive: "mmcblk0".into(),
            is_card: true,
            holds_state: true,
            holds_share: false,
            bytes: 3 << 20,
            since: "2026-11-25T00:00:00Z".into(),
        });
        let line = "3 MiB to mmcblk0 (state) since 2026-11-25T00:00:00Z";
        assert_eq!(written(&sample).unwrap(), line);
        sample.warnings = vec![Warning { code: "card_busy", text: "A lot" }];
        assert_eq!(written(&sample).unwrap_err(), format!("A lot: {line}"));
    }

    #[test]
    fn a_clock_behind_what_was_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        assert!(clock(folder.path(), now).is_ok());
        assert!(clock(folder.path(), SystemTime::UNIX_EPOCH).unwrap_err().contains("long ago"));
        std::fs::write(folder.path().join("secret.key"), "x").unwrap();
        assert!(clock(folder.path(), now).is_ok());
        let before = now - Duration::from_hours(48);
        assert!(clock(folder.path(), before).unwrap_err().contains("already"));
    }
}
