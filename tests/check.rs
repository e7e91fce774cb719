//! `larder check`: one line for each thing, and an exit code.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::harness::Larder;

/// Runs it; gives whether all was well, and the lines.
#[track_caller]
fn check(larder: &Larder) -> (bool, Vec<String>) {
    let output = larder.run(&["check"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.is_empty(), "{complaint}");
    let is_well = match output.status.code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("{other:?}: {text}"),
    };
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let wrong = lines.iter().filter(|line| line.starts_with("WRONG  ")).count();
    let good = lines.iter().filter(|line| line.starts_with("ok     ")).count();
    assert_eq!(wrong + good, lines.len(), "{text}");
    assert_eq!(is_well, wrong == 0, "{text}");
    (is_well, lines)
}

/// Demands that exactly the lines about `what` are wrong and contain `why`.
#[track_caller]
fn expect_wrong(larder: &Larder, what: &str, why: &str) {
    let (_, lines) = check(larder);
    let wrong: Vec<&String> = lines.iter().filter(|line| line.starts_with("WRONG")).collect();
    let [line] = wrong[..] else { panic!("{lines:#?}") };
    assert!(line.starts_with(&format!("WRONG  {what}: ")) && line.contains(why), "{line}");
}

/// A larder that was started, has `ana`, and was stopped.
#[track_caller]
fn stopped() -> Larder {
    let mut larder = Larder::start().user("ana").file("a.txt", "A");
    larder.stop();
    larder
}

/// Everything in the state directory with its content.
fn content_of(state: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["", "settings", "db"] {
        for entry in fs::read_dir(state.join(folder)).unwrap().flatten() {
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            // SQLite keeps its notes on readers there.
            let is_scratch = name.contains("-shm") || name.contains("-wal");
            if entry.path().is_file() && !is_scratch {
                found.push((name, fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn all_is_well_beside_a_running_server_and_without_one() {
    let mut larder = Larder::start().user("ana").file("a.txt", "A");
    larder.http("ana").get("/api/finder").expect(200);
    let things = [
        "permissions",
        "secret.key",
        "settings.json",
        "roles.json",
        "cloud.json",
        "authority",
        "users.db",
        "logs.db",
        "share root",
        "unfinished files",
        "free space",
        "board",
        "written today",
        "clock",
    ];
    let expect_well = |larder: &Larder| {
        let (is_well, lines) = check(larder);
        assert!(is_well, "{lines:#?}");
        assert_eq!(lines.len(), things.len(), "{lines:#?}");
        for (line, thing) in lines.iter().zip(things) {
            assert!(line.starts_with(&format!("ok     {thing}: ")), "{line}");
        }
        assert!(lines[6].contains("users: 2, admins: 1"), "{}", lines[6]);
    };
    expect_well(&larder);
    larder.http("ana").get("/api/finder").expect(200);
    larder.stop();
    let before = content_of(&larder.state());
    expect_well(&larder);
    assert_eq!(content_of(&larder.state()), before, "it changed something");
    larder.restart();
    larder.kill();
    expect_well(&larder);
    larder.restart();
    larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn a_state_that_is_not_there_is_told_and_not_made() {
    let larder = Larder::bare();
    let (is_well, lines) = check(&larder);
    assert!(!is_well);
    assert!(lines.len() == 1 && lines[0].contains("no larder has been started"), "{lines:?}");
    assert!(!larder.state().exists());
    fs::write(larder.state(), "a file").unwrap();
    let (is_well, lines) = check(&larder);
    assert!(!is_well && lines.len() == 1 && lines[0].contains("not a directory"), "{lines:?}");
    fs::remove_file(larder.state()).unwrap();
    // An empty one is wrong in nearly everything, each with its line.
    fs::create_dir(larder.state()).unwrap();
    let (is_well, lines) = check(&larder);
    assert!(!is_well);
    let missing = lines.iter().filter(|line| line.contains("is missing")).count();
    assert_eq!(missing, 7, "{lines:#?}");
    assert_eq!(fs::read_dir(larder.state()).unwrap().count(), 0, "it made something");
}

#[test]
fn a_damaged_file_of_the_settings_is_named() {
    for (file, content, why) in [
        ("settings.json", "{", "EOF"),
        ("settings.json", "[]", "object"),
        ("settings.json", r#"{"port": "many"}"#, "port"),
        ("settings.json", "\u{1b}[31m", "line 1"),
        ("roles.json", "nonsense", "line 1"),
        ("roles.json", r#"{"/api/finder": "admin"}"#, "/api/finder"),
        ("roles.json", r#"{"/api/role/edit": ["user"]}"#, "may not edit the roles"),
        ("roles.json", "{}", "may not edit the roles"),
        ("cloud.json", "7", "object"),
    ] {
        let larder = stopped();
        fs::write(larder.state().join("settings").join(file), content).unwrap();
        expect_wrong(&larder, file, why);
    }
    for file in ["settings.json", "roles.json", "cloud.json"] {
        let larder = stopped();
        fs::remove_file(larder.state().join("settings").join(file)).unwrap();
        expect_wrong(&larder, file, "missing");
        assert!(!larder.state().join("settings").join(file).exists());
    }
}

#[test]
fn a_damaged_database_is_named() {
    for (name, what) in [("users.db", "users.db"), ("logs.db", "logs.db")] {
        let larder = stopped();
        let path = larder.state().join("db").join(name);
        let good = fs::read(&path).unwrap();
        fs::write(&path, "this is no database, but longer than the head of one ".repeat(40))
            .unwrap();
        expect_wrong(&larder, what, "not a database");
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle..middle + 600].fill(0xff);
        bad.truncate(good.len() - 4096);
        fs::write(&path, bad).unwrap();
        expect_wrong(&larder, what, "");
        fs::write(&path, "").unwrap();
        expect_wrong(&larder, what, "empty");
        fs::write(&path, good).unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        database.pragma_update(None, "user_version", 999).unwrap();
        drop(database);
        expect_wrong(&larder, what, "newer larder");
        fs::remove_file(&path).unwrap();
        expect_wrong(&larder, what, "missing");
    }
}

#[test]
fn users_whom_nobody_understands_are_named() {
    let larder = stopped();
    let path = larder.state().join("db/users.db");
    let change = |statement: &str| {
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute(statement, []).unwrap();
    };
    change("UPDATE users SET paths = 'photos' WHERE username = 'ana'");
    expect_wrong(&larder, "users.db", "ana's paths");
    change("UPDATE users SET paths = '[]', password = 'plain' WHERE username = 'ana'");
    expect_wrong(&larder, "users.db", "ana's password hash");
    change("DELETE FROM users WHERE username = 'ana'");
    change("UPDATE users SET role = 'user'");
    expect_wrong(&larder, "users.db", "nobody has the role admin");
}

#[test]
fn what_is_open_to_others_is_named() {
    let larder = stopped();
    for (place, open, private) in [
        ("", 0o755, 0o700),
        ("settings", 0o750, 0o700),
        ("db", 0o701, 0o700),
        ("secret.key", 0o644, 0o600),
        ("db/users.db", 0o660, 0o600),
        ("settings/roles.json", 0o604, 0o600),
    ] {
        let path = larder.state().join(place);
        fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        expect_wrong(&larder, "permissions", &format!("(mode {open:o})"));
        fs::set_permissions(&path, Permissions::from_mode(private)).unwrap();
    }
    assert!(check(&larder).0);
    for number in 0..9 {
        let path = larder.state().join(format!("settings/{number}.json"));
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    }
    expect_wrong(&larder, "permissions", "and 4 more");
}

#[test]
fn a_short_secret_is_named() {
    let larder = stopped();
    fs::write(larder.state().join("secret.key"), "short").unwrap();
    expect_wrong(&larder, "secret.key", "too short");
    fs::remove_file(larder.state().join("secret.key")).unwrap();
    expect_wrong(&larder, "secret.key", "missing");
}

#[test]
fn an_absent_or_strange_drive_is_named() {
    let larder = stopped();
    let away = larder.folder_path().join("away");
    fs::rename(larder.root(), &away).unwrap();
    expect_wrong(&larder, "share root", "not available");
    // The empty mount point stays empty.
    fs::create_dir(larder.root()).unwrap();
    expect_wrong(&larder, "share root", "not available");
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0);
    fs::remove_dir(larder.root()).unwrap();
    fs::rename(&away, larder.root()).unwrap();
    assert!(check(&larder).0);
    let record = larder.state().join("settings/root.json");
    for bad in ["{", "{}", &json!({ "path": larder.root(), "id": "x" }).to_string()] {
        fs::write(&record, bad).unwrap();
        expect_wrong(&larder, "share root", "root.json");
    }
}

#[test]
fn a_root_that_is_named_must_be_the_one_that_was_served() {
    let larder = stopped();
    let root = larder.root();
    let output = larder.run(&["check", "--root", root.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(0));
    let outside = larder.outside();
    let output = larder.run(&["check", "--root", outside.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("has not been served"));
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn a_clock_behind_its_own_stamps_is_named() {
    let larder = stopped();
    let file = fs::File::options().append(true).open(larder.state().join("secret.key")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_hours(48)).unwrap();
    expect_wrong(&larder, "clock", "already");
}

#[test]
fn check_takes_no_other_flags() {
    let larder = stopped();
    let output = larder.run(&["check", "--port", "80"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--port"));
}
