//! The card dies, the NAS lives: the backup on the drive, and a new state directory that takes it over.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Larder, wait};

/// Runs `larder backup`; gives the document's path.
#[track_caller]
fn back_up(larder: &Larder) -> PathBuf {
    let root = larder.root();
    let output = larder.run(&["backup", "--root", root.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// The one line of `serve --restore` that must fail with exit code 2.
#[track_caller]
fn refused(larder: &Larder) -> String {
    let mut command = larder.command();
    let pipes = command.arg("--restore").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    let has_ended = wait::comes_true(wait::PATIENCE, || child.try_wait().unwrap().is_some());
    let _already_gone = child.kill();
    let output = child.wait_with_output().unwrap();
    assert!(has_ended, "it started: {}", String::from_utf8_lossy(&output.stdout));
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), line.trim_end().lines().count()), (Some(2), 1), "{line}");
    line
}

/// The card with the state directory dies.
fn lose_the_card(larder: &mut Larder) {
    larder.stop();
    fs::remove_dir_all(larder.state()).unwrap();
}

/// A larder with a user, a changed setting and a role of its own, backed up; its card is lost.
fn lost() -> Larder {
    let larder = Larder::prepare();
    let path = larder.state().join("settings/settings.json");
    fs::write(&path, r#"{"trash_days": 7, "of_the_future": true}"#).unwrap();
    let mut larder =
        larder.launch().file("photos/a.jpg", "A").user_with("ana", "user", r#"["photos"]"#, "[]");
    larder.http("ana").get("/api/finder?path=photos").expect(200);
    back_up(&larder);
    lose_the_card(&mut larder);
    larder
}

#[test]
fn a_new_card_takes_over_who_and_what_there_was() {
    let larder = lost().launch_with(|command| {
        command.arg("--restore");
    });
    assert!(!larder.process().banner.iter().any(|line| line.contains("password")));
    larder.process().wait_for_complaint("second factors are in no backup");
    larder.http("ana").get("/api/finder?path=photos").expect(200);
    larder.http("ana").get("/api/finder?path=other").expect_error(401, "Unauthorized");
    larder.token("admin");
    let text = fs::read_to_string(larder.state().join("settings/settings.json")).unwrap();
    let settings: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&settings["trash_days"], &settings["of_the_future"]), (&7.into(), &true.into()));
    assert_eq!(settings["path"].as_str(), larder.root().to_str());
    let roles = fs::read_to_string(larder.state().join("settings/roles.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&roles).unwrap()["/api/finder"][1], "user");
}

#[test]
fn links_travel_and_open_by_the_address_they_had() {
    let mut larder = Larder::start().user("ana").file("photos/a.jpg", "A");
    let ana = larder.http("ana");
    let ask =
        json!({ "path": "photos", "label": "Summer", "password": "1234", "downloads_max": 5 });
    let made = ana.post("/api/link/create", ask).expect_status("Link created");
    let mut before = ana.get("/api/link/get_all").expect(200).json();
    back_up(&larder);
    let document = fs::read_dir(larder.root().join(".larder/backup")).unwrap().next().unwrap();
    let document = fs::read_to_string(document.unwrap().path()).unwrap();
    let url = made["url"].as_str().unwrap();
    assert!(document.contains("Summer") && !document.contains(url.trim_start_matches("/s/")));
    lose_the_card(&mut larder);
    let larder = larder.launch_with(|command| {
        command.arg("--restore");
    });
    let ana = larder.http("ana");
    let links = || ana.get("/api/link/get_all").expect(200).json();
    // Its address is nobody's to tell any more, and another one is.
    before[0].as_object_mut().unwrap().remove("url");
    assert_eq!(links(), before);
    ana.get(&format!("/api/link/qr?id={}", made["id"])).expect_refusal(409);
    let hash = || -> String {
        let database = rusqlite::Connection::open(larder.state().join("db/users.db")).unwrap();
        database.query_row("SELECT token_hash FROM links", [], |row| row.get(0)).unwrap()
    };
    let is_told = |hash: &str| document.contains(hash);
    assert!(is_told(&hash()), "it is found by the address that it had");
    ana.post("/api/link/edit", json!({ "id": made["id"], "renew": true })).expect(200);
    assert!(!is_told(&hash()));
    let renewed = links();
    assert!(renewed[0]["url"].as_str().is_some_and(|new| new != url), "{renewed}");
}

#[test]
fn narrowed_keys_travel_and_open_what_they_opened() {
    let mut larder = Larder::start().file("photos/a.txt", "A").file("top.txt", "T").user("ana");
    let session = larder.session("ana");
    let ask = json!({ "label": "Phone", "path": "photos", "doors": ["api"], "expires": 9 });
    let (_, key) = session.make_key(ask);
    let list = |larder: &Larder| larder.session("ana").get("/api/key/get_all").expect(200).json();
    let before = list(&larder);
    let document = fs::read_to_string(back_up(&larder)).unwrap();
    assert!(document.contains("Phone") && !document.contains(&key), "{document}");
    lose_the_card(&mut larder);
    let larder = larder.launch_with(|command| {
        command.arg("--restore");
    });
    assert_eq!(list(&larder), before);
    let phone = larder.with_key(&key);
    assert_eq!(phone.get("/api/download?file_path=photos/a.txt").expect(200).text(), "A");
    phone.get("/api/download?file_path=top.txt").expect_error(403, "Not permitted");
}

/// Which key made a link comes along: it would else be all of its maker's on the new card.
#[test]
fn a_link_that_a_key_made_ends_with_it_on_the_new_card_too() {
    let mut larder = Larder::start().file("photos/a.txt", "A").user("ana");
    let (id, key) = larder.session("ana").make_key(json!({ "label": "Phone", "path": "photos" }));
    let made = larder.with_key(&key).post("/api/link/create", json!({ "path": "photos" }));
    let url = made.expect_status("Link created")["url"].as_str().unwrap().to_owned();
    back_up(&larder);
    lose_the_card(&mut larder);
    let larder = larder.launch_with(|command| {
        command.arg("--restore");
    });
    let list = || larder.anonymous().get(&format!("{url}/list"));
    list().expect(200);
    let ana = larder.session("ana");
    ana.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    list().expect_error(410, "Link is no longer available");
}

#[test]
fn a_first_start_offers_it_and_leaves_it_for_later() {
    let mut larder = lost().launch();
    let offer = larder.process().next_line(wait::PATIENCE);
    let mut lines = larder.process().banner.clone();
    lines.extend(offer);
    while !lines.iter().any(|line| line.contains("--restore")) {
        lines.push(larder.process().next_line(wait::PATIENCE).expect("an offer"));
    }
    // This larder's own backup does not replace the other's.
    back_up(&larder);
    assert_eq!(fs::read_dir(larder.root().join(".larder/backup")).unwrap().count(), 2);
    larder.stop();
    let larder = larder.launch_with(|command| {
        command.arg("--restore");
    });
    larder.http("ana").get("/api/finder?path=photos").expect(200);
}

#[test]
fn it_is_not_taken_over_where_somebody_lives() {
    let mut larder = lost().launch();
    larder.token("admin");
    larder.stop();
    assert!(refused(&larder).contains("users"));
    assert!(larder.run(&["user", "list"], "").status.success());
}

#[test]
fn a_missing_or_damaged_backup_is_named_and_changes_nothing() {
    let larder = Larder::bare();
    assert!(refused(&larder).contains("no backup"));
    let larder = lost();
    let folder = larder.root().join(".larder/backup");
    let document = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let good: Value = serde_json::from_slice(&fs::read(&document).unwrap()).unwrap();
    for damage in ["format", "settings", "roles", "tables"] {
        let mut bad = good.clone();
        bad[damage] = 5.into();
        fs::write(&document, bad.to_string()).unwrap();
        assert!(refused(&larder).contains("damaged"), "{damage}");
    }
    fs::write(&document, "{").unwrap();
    assert!(refused(&larder).contains("damaged"));
    fs::write(&document, good.to_string()).unwrap();
    let larder = larder.launch_with(|command| {
        command.arg("--restore");
    });
    larder.http("ana").get("/api/finder?path=photos").expect(200);
}

#[test]
fn it_lies_hidden_on_the_drive_for_its_owner_alone_and_says_no_token_key() {
    let larder = Larder::start().user("ana");
    let path = back_up(&larder);
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let folder = fs::metadata(path.parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("ana") && text.contains("$argon2id$") && !text.contains(larder.key("ana"))
    );
    // Told again, the same state is not written again.
    assert_eq!(back_up(&larder), path);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), found.modified().unwrap());
    for path in [".larder/backup", "x/../.larder"] {
        let listing = format!("/api/finder?path={path}");
        assert!(matches!(larder.http("ana").get(&listing).status, 400 | 404), "{path}");
    }
}

#[test]
fn an_absent_drive_gets_no_backup() {
    let larder = Larder::start();
    fs::rename(larder.root().join(".larder"), larder.root().join("away")).unwrap();
    let root = larder.root();
    let output = larder.run(&["backup", "--root", root.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(!larder.exists(".larder"));
}
