//! Versions of files (second contract, section 22): what a file replaced, by every door, and how it goes along.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::crash_groups::{CALLS_MAX, CHANGES, SWEEP_TIME, ask, can_kill, is_done, tracer};
use crate::harness::dav::Dav;
use crate::harness::ftp::FtpHouse;
use crate::harness::{Answer, Client, Form, Larder, encode, wait};

/// What a file replaced, the latest first.
#[track_caller]
fn versions(client: &Client, path: &str) -> Vec<Value> {
    let told = client.get_with("/api/versions", "path", path).expect(200).json();
    told.as_array().expect("an array").clone()
}

/// One of them, as a download.
fn download(client: &Client, version: &Value) -> Answer {
    client.get_with("/api/download", "version", version["id"].as_str().unwrap())
}

/// Their contents.
#[track_caller]
fn contents(client: &Client, path: &str) -> Vec<String> {
    let versions = versions(client, path);
    versions.iter().map(|version| download(client, version).expect(200).text().to_owned()).collect()
}

/// Who replaced them.
#[track_caller]
fn by(client: &Client, path: &str) -> Vec<String> {
    versions(client, path).iter().map(|one| one["by"].as_str().unwrap().to_owned()).collect()
}

/// Replaces a file.
#[track_caller]
fn edit(client: &Client, path: &str, content: &str) {
    let ask = json!({ "path": path, "file_content": content });
    client.post("/api/edit_file", ask).expect_status("File edited");
}

#[test]
fn what_a_file_replaced_is_listed_read_and_put_back() {
    let larder = Larder::start().user("ana").user("ben").file("docs/a.txt", "one");
    let (ana, ben) = (larder.http("ana"), larder.http("ben"));
    assert_eq!(versions(&ana, "docs/a.txt"), [Value::Null; 0]);
    edit(&ana, "docs/a.txt", "two two");
    ben.upload(&Form::new().field("path", "docs").file("a.txt", "three")).expect(200);
    let found = versions(&ana, "/docs/a.txt");
    let fields: BTreeSet<&str> = found[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["by", "id", "replaced", "size"].into());
    let told: Vec<_> = found.iter().map(|one| (one["by"].clone(), one["size"].clone())).collect();
    assert_eq!(told, [(json!("ben"), json!(7)), (json!("ana"), json!(3))]);
    for one in &found {
        let time = one["replaced"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    }
    // As any file is downloaded.
    let id = encode(found[0]["id"].as_str().unwrap());
    let whole = download(&ana, &found[0]).expect(200);
    assert_eq!(whole.text(), "two two");
    assert!(
        whole.header("Content-Disposition").unwrap().starts_with("attachment; filename=\"a.txt\"")
    );
    let target = format!("/api/download?version={id}&inline=1");
    let inline = ana.get(&target).expect(200);
    assert!(inline.header("Content-Disposition").unwrap().starts_with("inline"), "{inline}");
    assert_eq!(inline.header("Content-Type"), Some("text/plain; charset=utf-8"));
    let tag = whole.header("ETag").unwrap();
    let ask = |name, value| ana.ask("GET", &target, &[(name, value)], b"");
    assert_eq!(ask("Range", "bytes=0-2").expect(206).text(), "two");
    ask("Range", "bytes=70-").expect(416);
    ask("If-None-Match", tag).expect(304);
    ask("If-Match", "\"other\"").expect(412);
    assert_eq!(ana.head(&target).expect(200).header("Content-Length"), Some("7"));
    assert_ne!(download(&ana, &found[1]).header("ETag"), Some(tag));
    // In its place again; what was there is a version in turn.
    let ask = json!({ "ids": [found[1]["id"]], "if_exists": "overwrite" });
    let told = ben.post("/api/trash/restore", ask).expect_status("Restored");
    assert_eq!(told["paths"], json!(["docs/a.txt"]));
    assert_eq!(larder.read("docs/a.txt"), "one");
    assert_eq!(contents(&ana, "docs/a.txt"), ["three", "two two"]);
    assert_eq!(by(&ana, "docs/a.txt"), ["ben", "ben"]);
    download(&ana, &found[1]).expect_refusal(404);
}

#[test]
fn only_files_have_versions_and_only_what_was_replaced_is_one() {
    let larder = Larder::start().user("ana").file("d/a.txt", "A").file("b.txt", "B").folder("to/d");
    let ana = larder.http("ana");
    for (path, status) in
        [("none.txt", 404), ("d/none/x", 404), ("d", 400), ("", 400), (".larder/trash", 404)]
    {
        ana.get_with("/api/versions", "path", path).expect_refusal(status);
    }
    ana.get("/api/versions").expect_error(400, "No path provided");
    ana.get("/api/versions?path=..%2Fx").expect_refusal(400);
    // What was deleted is no version of what comes there.
    let told = ana.post("/api/delete_file", json!({ "path": "b.txt" })).expect(200).json();
    let deleted = &told["trash"][0];
    assert!(deleted.is_string(), "{told}");
    larder.write("b.txt", "B2");
    assert_eq!(versions(&ana, "b.txt"), [Value::Null; 0]);
    for id in [deleted.as_str().unwrap(), "", "x", "../id", "0123456789ab-x-1", "*"] {
        let answer = ana.get_with("/api/download", "version", id);
        answer.expect_error(404, "Item does not exist");
    }
    // A folder that was replaced is in the trash, and no version.
    let ask = json!({ "paths": ["d"], "to": "to", "if_exists": "overwrite" });
    ana.post("/api/move", ask).expect_status("Moved");
    ana.post("/api/delete_folder", json!({ "path": "to/d" })).expect(200);
    larder.write("to/d", "a file now");
    assert_eq!(versions(&ana, "to/d"), [Value::Null; 0]);
}

#[test]
fn every_door_that_replaces_leaves_a_version_and_says_who() {
    let house = FtpHouse::start();
    house.larder.write("a.txt", "0");
    house.larder.write("other/a.txt", "copied");
    let (ana, dav) = (house.admin(), Dav::of(&house.larder, "ana"));
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.store("STOR a.txt", "1").0, 226);
    dav.put("/dav/a.txt", "2").expect(204);
    dav.put("/dav/b.txt", "3").expect(201);
    dav.bring("MOVE", "/dav/b.txt", "/dav/a.txt", &[]).expect(204);
    dav.bring("COPY", "/dav/other/a.txt", "/dav/a.txt", &[]).expect(204);
    let ask = json!({ "paths": ["other/a.txt"], "to": "", "if_exists": "overwrite" });
    ana.post("/api/copy", ask).expect_status("Copied");
    edit(&ana, "a.txt", "end");
    assert_eq!(contents(&ana, "a.txt"), ["copied", "copied", "3", "2", "1", "0"]);
    assert_eq!(by(&ana, "a.txt"), ["ana", "ana", "ana", "ana", "ana", "cam"]);
    // Over FTP a rename replaces, too.
    house.larder.write("c.txt", "C");
    ftp.expect("RNFR c.txt", 350);
    ftp.expect("RNTO a.txt", 250);
    assert_eq!(contents(&ana, "a.txt")[0], "end");
    assert_eq!(by(&ana, "a.txt")[0], "cam");
}

#[test]
fn a_rename_by_any_door_takes_the_versions_along() {
    let house = FtpHouse::start();
    house.larder.write("d/in/a.txt", "1");
    house.larder.write("d/other.txt", "other");
    let (ana, dav) = (house.admin(), Dav::of(&house.larder, "ana"));
    edit(&ana, "d/in/a.txt", "2");
    edit(&ana, "d/in/a.txt", "3");
    edit(&ana, "d/other.txt", "other 2");
    let ids = versions(&ana, "d/in/a.txt");
    let along = |place: &str| {
        assert_eq!(versions(&ana, place), ids, "{place}");
        assert_eq!(contents(&ana, place), ["2", "1"], "{place}");
    };
    let ask = json!({ "path": "d/in", "file_name": "a.txt", "new_name": "b.txt" });
    ana.post("/api/rename_file", ask).expect_status("File renamed");
    along("d/in/b.txt");
    let ask = json!({ "path": "d", "folder_name": "in", "new_name": "inner" });
    ana.post("/api/rename_folder", ask).expect_status("Folder renamed");
    along("d/inner/b.txt");
    let ask = json!({ "paths": ["d"], "to": "moved" });
    fs::create_dir(house.larder.root().join("moved")).unwrap();
    ana.post("/api/move", ask).expect_status("Moved");
    along("moved/d/inner/b.txt");
    dav.bring("MOVE", "/dav/moved/d/inner/b.txt", "/dav/moved/c.txt", &[]).expect(201);
    along("moved/c.txt");
    let mut ftp = house.sign_in("cam");
    ftp.expect("RNFR moved", 350);
    ftp.expect("RNTO away", 250);
    along("away/c.txt");
    assert_eq!(contents(&ana, "away/d/other.txt"), ["other"], "what was in the folder as well");
    // Under another name than was asked for, which is free.
    house.larder.write("x/c.txt", "in the way");
    let ask = json!({ "paths": ["away/c.txt"], "to": "x", "if_exists": "rename" });
    ana.post("/api/move", ask).expect_status("Moved");
    along("x/c (1).txt");
    // What comes to the old name begins anew; a copy has none.
    house.larder.write("d/in/a.txt", "new");
    assert_eq!(versions(&ana, "d/in/a.txt"), [Value::Null; 0]);
    let ask = json!({ "paths": ["x/c (1).txt"], "to": "away" });
    ana.post("/api/copy", ask).expect_status("Copied");
    assert_eq!(versions(&ana, "away/c (1).txt"), [Value::Null; 0]);
    // Put back where the file is now.
    let ask = json!({ "ids": [ids[1]["id"]], "if_exists": "overwrite" });
    let told = ana.post("/api/trash/restore", ask).expect_status("Restored");
    assert_eq!(told["paths"], json!(["x/c (1).txt"]));
    assert_eq!(contents(&ana, "x/c (1).txt"), ["3", "2"]);
    assert_eq!(house.larder.unfinished(), 0);
}

#[test]
fn a_move_that_replaced_something_can_be_taken_back() {
    let larder = Larder::start().user("ana").file("a/x.txt", "new").file("b/x.txt", "old");
    let ana = larder.http("ana");
    edit(&ana, "a/x.txt", "newer");
    let there = json!({ "paths": ["a/x.txt"], "to": "b", "if_exists": "overwrite" });
    ana.post("/api/move", there).expect(200);
    assert_eq!(contents(&ana, "b/x.txt"), ["old", "new"]);
    let back = json!({ "paths": ["b/x.txt"], "to": "a" });
    ana.post("/api/move", back).expect(200);
    assert_eq!(contents(&ana, "a/x.txt"), ["new"]);
    let trash = ana.get("/api/trash").expect(200).json();
    let replaced = trash.as_array().unwrap().iter().find(|item| item["path"] == "b/x.txt").unwrap();
    ana.post("/api/trash/restore", json!({ "ids": [replaced["id"]] })).expect(200);
    assert_eq!((larder.read("b/x.txt"), larder.read("a/x.txt")), ("old".into(), "newer".into()));
}

#[test]
fn what_was_replaced_in_an_earlier_run_goes_along_too() {
    let mut larder = Larder::start().user("ana").file("a.txt", "1").file("b.txt", "B");
    edit(&larder.http("ana"), "a.txt", "2");
    larder.restart();
    let ana = larder.http("ana");
    let ask = json!({ "path": "", "file_name": "a.txt", "new_name": "c.txt" });
    ana.post("/api/rename_file", ask).expect_status("File renamed");
    assert_eq!(contents(&ana, "c.txt"), ["1"]);
}

#[test]
fn a_version_is_for_those_who_may_read_the_file() {
    let larder = Larder::start()
        .user("ana")
        .user_with("ben", "user", r#"["pub"]"#, "[]")
        .user_with("eve", "user", r#"["eve"]"#, r#"["pub", "own"]"#)
        .file("pub/a.txt", "pub 1")
        .file("own/s.txt", "canary")
        .link("pub/way.txt", "../own/s.txt");
    let (ana, ben, eve) = (larder.http("ana"), larder.http("ben"), larder.http("eve"));
    for path in ["pub/a.txt", "own/s.txt"] {
        edit(&ana, path, "2");
    }
    // Ben may write nothing, and restore nothing; he may see.
    assert_eq!(contents(&ben, "pub/a.txt"), ["pub 1"]);
    let found = versions(&ana, "pub/a.txt");
    let ask = json!({ "ids": [found[0]["id"]] });
    ben.post("/api/trash/restore", ask).expect_error(401, "Unauthorized");
    // What one may not read: neither by its name, nor by a link to it, nor by its id.
    let secret = versions(&ana, "own/s.txt");
    for client in [&ben, &eve] {
        for path in ["own/s.txt", "own/none.txt", "pub/way.txt"] {
            client.get_with("/api/versions", "path", path).expect_refusal(403);
        }
        let answer = download(client, &secret[0]).expect_refusal(401);
        assert!(!answer.text().contains("canary"), "{answer}");
    }
    // Whoever may write a place may not read it for that.
    eve.get_with("/api/versions", "path", "pub/a.txt").expect_refusal(403);
    download(&eve, &found[0]).expect_refusal(401);
    // A link that one may follow leads to the versions of where it leads.
    assert_eq!(contents(&ana, "pub/way.txt"), ["canary"]);
    // A narrowed key reaches no further by an id.
    let (_, key) = larder.session("ana").make_key(json!({ "label": "pub", "path": "pub" }));
    let key = larder.with_key(&key);
    assert_eq!(download(&key, &found[0]).expect(200).text(), "pub 1");
    let answer = download(&key, &secret[0]).expect_refusal(403);
    assert!(!answer.text().contains("canary"), "{answer}");
    // Where a file goes, its versions go, and the right to them.
    let ask = json!({ "paths": ["pub/a.txt"], "to": "own" });
    ana.post("/api/move", ask).expect_status("Moved");
    download(&ben, &found[0]).expect_refusal(401);
    assert_eq!(contents(&ana, "own/a.txt"), ["pub 1"]);
}

#[test]
fn whose_role_may_not_see_the_trash_sees_no_versions() {
    let mut roles = crate::harness::everybody_may_everything();
    roles["/api/trash"] = json!(["admin"]);
    let larder = Larder::prepare().roles(&roles).launch().user("ana").file("a.txt", "1");
    let ana = larder.http("ana");
    edit(&ana, "a.txt", "2");
    ana.get("/api/versions?path=a.txt").expect_error(403, "Not permitted");
    assert_eq!(ana.get("/api/role/self").expect(200).json()["/api/versions"], false);
    larder.anonymous().get("/api/versions?path=a.txt").expect_refusal(401);
}

/// Stops, puts what is in the trash so many minutes back in time, and starts again.
fn turn_back(larder: &mut Larder, minutes: u64) {
    larder.stop();
    let folder = larder.root().join(".larder/trash");
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let ms = u64::from_str_radix(&name[..12], 16).unwrap() - minutes * 60 * 1000;
        fs::rename(entry.path(), folder.join(format!("{ms:012x}{}", &name[12..]))).unwrap();
    }
    larder.restart();
}

#[test]
fn of_many_in_a_row_the_first_and_the_last_stay_after_an_hour() {
    let mut larder = Larder::start().user("ana").user("ben").file("a.txt", "0");
    for number in 1..=4 {
        edit(&larder.http("ana"), "a.txt", &number.to_string());
    }
    edit(&larder.http("ben"), "a.txt", "5");
    turn_back(&mut larder, 50);
    let all = ["4", "3", "2", "1", "0"];
    assert_eq!(contents(&larder.http("ana"), "a.txt"), all, "they are young");
    turn_back(&mut larder, 20);
    let ana = larder.http("ana");
    assert_eq!(contents(&ana, "a.txt"), ["4", "3", "0"], "at once");
    wait::until("the others gone", || {
        ana.get("/api/trash").expect(200).json().as_array().unwrap().len() == 3
    });
    assert_eq!(contents(&ana, "a.txt"), ["4", "3", "0"]);
    assert_eq!(by(&ana, "a.txt"), ["ben", "ana", "ana"]);
}

#[test]
fn of_one_file_no_more_are_kept_than_the_settings_say() {
    let larder = Larder::start().user("ana").file("a.txt", "0").file("b.txt", "B");
    let ana = larder.http("ana");
    ana.post("/api/update_settings", json!({ "versions_max": 3 })).expect(200);
    edit(&ana, "b.txt", "B2");
    for number in 1..=6 {
        edit(&ana, "a.txt", &number.to_string());
        let known = usize::min(number, 3);
        assert_eq!(versions(&ana, "a.txt").len(), known, "at once");
    }
    assert_eq!(contents(&ana, "a.txt"), ["5", "4", "3"]);
    let trash = || ana.get("/api/trash").expect(200).json().as_array().unwrap().len();
    wait::until("the oldest gone", || trash() == 4);
    ana.post("/api/update_settings", json!({ "versions_max": 1 })).expect(200);
    wait::until("all but the last gone", || trash() == 2);
    assert_eq!(
        (contents(&ana, "a.txt"), contents(&ana, "b.txt")),
        (vec!["5".into()], vec!["B".into()])
    );
    for refused in [json!(0), json!(1001), json!(-1), json!(null), json!("3"), json!(1.5)] {
        let answer = ana.post("/api/update_settings", json!({ "versions_max": refused }));
        assert!(answer.expect_refusal(400).text().contains("versions_max"));
    }
    assert_eq!(larder.stored_settings()["versions_max"], 1);
}

/// Puts many things into the trash behind larder's back.
fn plant(larder: &Larder, count: usize) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let folder = larder.root().join(".larder/trash");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..count {
        let then = now.checked_sub(Duration::from_secs(number as u64)).unwrap();
        let (reason, end) = [("replaced", ""), ("deleted", "-d"), ("deleted", "")][number % 3];
        let id = format!("{:012x}-0011223344556677-{number}{end}", then.as_millis());
        let record = json!({ "path": format!("o/{number}"), "by": "ben", "reason": reason });
        fs::write(folder.join(&id), number.to_string()).unwrap();
        fs::write(folder.join(format!("{id}.json")), record.to_string()).unwrap();
    }
}

#[test]
fn a_trash_full_of_others_things_changes_nothing() {
    let larder = Larder::prepare();
    plant(&larder, 6000);
    let larder = larder.launch().user("ana").file("a.txt", "1").file("o/3", "3").file("o/4", "4");
    let ana = larder.http("ana");
    edit(&ana, "a.txt", "2");
    let ask = json!({ "path": "", "file_name": "a.txt", "new_name": "b.txt" });
    ana.post("/api/rename_file", ask).expect_status("File renamed");
    assert_eq!(contents(&ana, "b.txt"), ["1"]);
    assert_eq!((contents(&ana, "o/3"), contents(&ana, "o/4")), (vec!["3".into()], vec![]));
    let ask = json!({ "path": "", "folder_name": "o", "new_name": "p" });
    ana.post("/api/rename_folder", ask).expect_status("Folder renamed");
    assert_eq!((contents(&ana, "p/3"), contents(&ana, "p/4")), (vec!["3".into()], vec![]));
    let told = ana.get("/api/trash").expect(200).json();
    let places = told.as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap());
    let (moved, stayed): (Vec<_>, Vec<_>) =
        places.filter(|path| *path != "b.txt").partition(|path| path.starts_with("p/"));
    assert_eq!(
        (moved.len(), stayed.len()),
        (2000, 4000),
        "versions go along, what was deleted stays"
    );
}

#[test]
fn a_crash_while_a_file_is_renamed_loses_no_version() {
    if !can_kill() {
        return;
    }
    let mut larder = Larder::start().user("ana").file("d/a.txt", "0");
    let mut at = "d";
    let mut kills = 0;
    for number in 1..=3 {
        edit(&larder.http("ana"), "d/a.txt", &number.to_string());
    }
    let all: BTreeSet<String> = (0..3).map(|number| number.to_string()).collect();
    for call in CHANGES {
        for number in 1..=CALLS_MAX {
            assert!(number < CALLS_MAX, "it never comes to an end");
            let to = if at == "d" { "e" } else { "d" };
            let body = json!({ "path": "", "folder_name": at, "new_name": to });
            let request = ask(&larder, "/api/rename_folder", &body);
            let mut tracer = tracer(&larder, call, number, &[]);
            let is_done = is_done(&larder, &request);
            larder.kill();
            tracer.wait().unwrap();
            larder.restart();
            let when = format!("killed at {call} {number}, done: {is_done}");
            let is_tidy = wait::comes_true(SWEEP_TIME, || larder.unfinished() == 0);
            assert!(is_tidy, "{when}: something is left");
            let is_there = |folder: &str| larder.exists(&format!("{folder}/a.txt"));
            assert!(is_there(at) != is_there(to), "{when}");
            let old = at;
            at = if is_there(to) { to } else { at };
            // All are in the trash, under one name or the other; what was acknowledged is under the new one.
            let ana = larder.http("ana");
            let trash = ana.get("/api/trash").expect(200).json();
            let trash = trash.as_array().unwrap();
            let found: BTreeSet<String> = trash
                .iter()
                .map(|item| download(&ana, item).expect(200).text().to_owned())
                .collect();
            assert_eq!((trash.len(), &found), (3, &all), "{when}");
            let place = format!("{at}/a.txt");
            if is_done {
                assert_eq!(at, to, "{when}");
                assert_eq!(versions(&ana, &place).len(), 3, "{when}");
                break;
            }
            kills += 1;
            // What stayed under the old name goes along when a folder of that name is renamed again.
            let stayed = 3 - versions(&ana, &place).len();
            if stayed > 0 {
                assert_eq!(at, to, "{when}");
                fs::create_dir_all(larder.root().join(old)).unwrap();
                larder.write(&format!("{old}/a.txt"), "x");
                assert_eq!(versions(&ana, &format!("{old}/a.txt")).len(), stayed, "{when}");
                fs::remove_dir_all(larder.root().join(old)).unwrap();
                for item in trash.iter().filter(|item| item["path"] != place) {
                    let path = larder.root().join(".larder/trash");
                    let record = path.join(format!("{}.json", item["id"].as_str().unwrap()));
                    let text = json!({ "path": place, "by": "ana", "reason": "replaced" });
                    fs::write(record, text.to_string()).unwrap();
                }
                larder.restart();
            }
        }
    }
    assert!(kills > 3, "killed {kills} times only");
}
