//! The trash: what is deleted or replaced waits there, comes back, and goes for good.

use std::fs;

use serde_json::{Value, json};

use crate::harness::ftp::FtpHouse;
use crate::harness::{Answer, Client, Form, Larder, wait};

/// What a caller sees in the trash.
#[track_caller]
fn trash(client: &Client) -> Vec<Value> {
    client.get("/api/trash").expect(200).json().as_array().expect("an array").clone()
}

/// The former paths in it, sorted.
#[track_caller]
fn paths(client: &Client) -> Vec<String> {
    let mut paths: Vec<String> =
        trash(client).iter().map(|item| item["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

/// The ids of what was at a place, the latest first.
#[track_caller]
fn ids(client: &Client, place: &str) -> Vec<String> {
    let found = trash(client).into_iter().filter(|item| item["path"] == place);
    found.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Asks for things back.
fn restore(client: &Client, ids: &[String]) -> Answer {
    client.post("/api/trash/restore", json!({ "ids": ids }))
}

/// Deletes a file into the trash.
#[track_caller]
fn delete(client: &Client, path: &str) {
    let told = client.post("/api/delete_file", json!({ "path": path }));
    assert_eq!(told.expect_status("File deleted").get("permanent"), None);
}

/// Changes a setting and has it read.
fn set(larder: &Larder, key: &str, value: u64) {
    let path = larder.state().join("settings/settings.json");
    let mut settings: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    settings[key] = json!(value);
    fs::write(&path, settings.to_string()).unwrap();
    larder.process().signal(rustix::process::Signal::HUP);
}

#[test]
fn what_was_deleted_is_listed_and_comes_back() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").file("docs/deep/b.txt", "B");
    let ana = larder.http("ana");
    assert_eq!(ana.get("/api/trash").expect(200).json(), json!([]));
    delete(&ana, "docs/a.txt");
    let told = ana.post("/api/delete_folder", json!({ "path": "/docs/deep/" }));
    assert_eq!(told.expect_status("Folder deleted").get("permanent"), None);
    assert_eq!(larder.tree(), ["docs/"]);
    let found = trash(&ana);
    let shown: Vec<_> = found
        .iter()
        .map(|item| {
            ["path", "name", "type", "by", "reason"]
                .map(|key| item[key].as_str().unwrap().to_owned())
        })
        .collect();
    let wanted = [
        ["docs/deep", "deep", "folder", "ana", "deleted"],
        ["docs/a.txt", "a.txt", "file", "ana", "deleted"],
    ];
    assert_eq!(shown, wanted);
    assert_eq!(found[1]["size"], 1);
    for item in &found {
        let time = item["deleted"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        assert!(!item["id"].as_str().unwrap().is_empty());
    }
    // The bytes of a folder are counted some time later.
    wait::until("a size", || trash(&ana)[0]["size"].as_u64() > Some(0));
    // Nobody sees it but here.
    let listing = ana.get("/api/finder").expect(200).json();
    assert_eq!(listing["items"], json!(["docs"]));
    for path in [".larder", ".larder/trash"] {
        ana.get(&format!("/api/finder?path={path}")).expect_refusal(404);
        ana.get(&format!("/api/download?file_path={path}")).expect_refusal(404);
    }
    let ids: Vec<_> = found.iter().map(|item| item["id"].clone()).collect();
    ana.post("/api/delete_folder", json!({ "path": "docs" })).expect_status("Folder deleted");
    let told = ana.post("/api/trash/restore", json!({ "ids": ids })).expect_status("Restored");
    assert_eq!(told["paths"], json!(["docs/deep", "docs/a.txt"]));
    assert_eq!(larder.tree(), ["docs/", "docs/a.txt", "docs/deep/", "docs/deep/b.txt"]);
    assert_eq!(larder.read("docs/a.txt"), "A");
    assert_eq!(paths(&ana), ["docs"]);
}

#[test]
fn what_an_upload_or_an_edit_replaces_is_kept() {
    let larder = Larder::start().user("ana").user("ben").file("a.txt", "1");
    let (ana, ben) = (larder.http("ana"), larder.http("ben"));
    ana.post("/api/edit_file", json!({ "path": "a.txt", "file_content": "22" }))
        .expect_status("File edited");
    ben.upload(&Form::new().file("a.txt", "333").file("b.txt", "B")).expect_status("File uploaded");
    let found = trash(&ana);
    let shown: Vec<_> =
        found.iter().map(|item| (item["by"].clone(), item["size"].clone())).collect();
    assert_eq!(shown, [(json!("ben"), json!(2)), (json!("ana"), json!(1))]);
    assert!(found.iter().all(|item| item["reason"] == "replaced" && item["path"] == "a.txt"));
    let ids = ids(&ana, "a.txt");
    // By default beside what is there, or refused, or in its place.
    let told = restore(&ana, &ids[1..]).expect_status("Restored");
    assert_eq!(told["paths"], json!(["a (1).txt"]));
    assert_eq!(larder.read("a (1).txt"), "1");
    let ask = json!({ "ids": ids[..1], "if_exists": "error" });
    ana.post("/api/trash/restore", ask).expect_error(409, "Target already exists");
    let ask = json!({ "ids": ids[..1], "if_exists": "overwrite" });
    ana.post("/api/trash/restore", ask).expect_status("Restored");
    assert_eq!(larder.read("a.txt"), "22");
    let found = trash(&ana);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["by"], &found[0]["size"]), (&json!("ana"), &json!(3)));
}

#[test]
fn what_a_move_or_a_copy_replaces_is_kept() {
    for (endpoint, status) in [("/api/move", "Moved"), ("/api/copy", "Copied")] {
        let larder = Larder::start().user("ana").file("a.txt", "new").file("to/a.txt", "old");
        let ana = larder.http("ana");
        let ask = json!({ "paths": ["a.txt"], "to": "to", "if_exists": "overwrite" });
        ana.post(endpoint, ask).expect_status(status);
        let found = trash(&ana);
        assert_eq!(found.len(), 1, "{endpoint}");
        assert_eq!(
            (&found[0]["path"], &found[0]["reason"]),
            (&json!("to/a.txt"), &json!("replaced"))
        );
        restore(&ana, &ids(&ana, "to/a.txt")).expect_status("Restored");
        assert_eq!(larder.read("to/a (1).txt"), "old");
    }
}

#[test]
fn what_ftp_deletes_or_replaces_is_kept() {
    let house = FtpHouse::start();
    house.larder.write("a.txt", "1");
    house.larder.write("b.txt", "B");
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.store("STOR a.txt", "2").0, 226);
    ftp.expect("DELE b.txt", 250);
    ftp.expect("RMD .larder", 550);
    let found = trash(&house.admin());
    let shown: Vec<_> = found
        .iter()
        .map(|item| ["path", "by", "reason"].map(|key| item[key].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(shown, [["b.txt", "cam", "deleted"], ["a.txt", "cam", "replaced"]]);
    restore(&house.admin(), &ids(&house.admin(), "b.txt")).expect_status("Restored");
    assert_eq!(house.larder.read("b.txt"), "B");
}

#[test]
fn a_job_deletes_into_the_trash_in_one_step() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A");
    let ana = larder.http("ana");
    let ask = json!({ "path": "docs", "job": true });
    ana.post("/api/delete_folder", ask).expect_status("Started");
    wait::until("the folder in the trash", || paths(&ana) == ["docs"]);
    assert!(larder.tree().is_empty());
}

#[test]
fn deleting_for_good_says_so() {
    let larder = Larder::start().user("ana").file("a.txt", "A").file("docs/b.txt", "B");
    let ana = larder.http("ana");
    let told = ana.post("/api/delete_file", json!({ "path": "a.txt", "permanent": true }));
    assert_eq!(told.expect_status("File deleted")["permanent"], true);
    let told = ana.post("/api/delete_folder", json!({ "path": "docs", "permanent": true }));
    assert_eq!(told.expect_status("Folder deleted")["permanent"], true);
    assert!(larder.tree().is_empty() && trash(&ana).is_empty());
}

#[test]
fn without_a_trash_deleting_is_for_good_and_the_trash_that_was_goes() {
    for key in ["trash_days", "trash_percent"] {
        let larder = Larder::start().user("ana").file("a.txt", "A").file("b.txt", "B");
        let ana = larder.http("ana");
        delete(&ana, "a.txt");
        set(&larder, key, 0);
        wait::until("an empty trash", || trash(&ana).is_empty());
        let told = ana.post("/api/delete_file", json!({ "path": "b.txt" }));
        assert_eq!(told.expect_status("File deleted")["permanent"], true);
        larder.write("c.txt", "C");
        ana.upload(&Form::new().file("c.txt", "C2")).expect(200);
        assert!(trash(&ana).is_empty());
        // And it can be turned on again.
        set(&larder, key, 20);
        wait::until("a trash", || {
            larder.write("d.txt", "D");
            ana.post("/api/delete_file", json!({ "path": "d.txt" })).expect(200);
            !trash(&ana).is_empty()
        });
    }
}

#[test]
fn old_things_go_by_themselves() {
    let mut larder = Larder::start().user("ana").file("a.txt", "A");
    delete(&larder.http("ana"), "a.txt");
    // As if it had been deleted in 2001.
    larder.stop();
    let folder = larder.root().join(".larder/trash");
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        fs::rename(entry.path(), folder.join(format!("00e464b92a00{}", &name[12..]))).unwrap();
    }
    larder.restart();
    let ana = larder.http("ana");
    larder.write("b.txt", "B");
    delete(&ana, "b.txt");
    wait::until("the old one gone", || paths(&ana) == ["b.txt"]);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn everybody_has_the_trash_of_their_own_places() {
    let larder = Larder::start()
        .user("ana")
        .user_with("ben", "user", r#"["pub", "ben"]"#, r#"["ben"]"#)
        .user_with("eve", "user", "[]", r#"["ben"]"#)
        .user_with("ada", "admin", r#"["nowhere"]"#, "[]")
        .file("pub/a.txt", "A")
        .file("ben/b.txt", "B")
        .file("top.txt", "T");
    let (ana, ben, eve) = (larder.http("ana"), larder.http("ben"), larder.http("eve"));
    for path in ["pub/a.txt", "ben/b.txt", "top.txt"] {
        delete(&ana, path);
    }
    assert_eq!(paths(&ana), ["ben/b.txt", "pub/a.txt", "top.txt"]);
    assert_eq!(paths(&ben), ["ben/b.txt", "pub/a.txt"]);
    assert_eq!(paths(&eve), [""; 0]);
    let of = |path: &str| ids(&ana, path);
    for (client, path) in [(&ben, "pub/a.txt"), (&ben, "top.txt"), (&eve, "top.txt")] {
        restore(client, &of(path)).expect_error(401, "Unauthorized");
        let ask = json!({ "ids": of(path) });
        client.post("/api/trash/empty", ask).expect_error(401, "Unauthorized");
    }
    // Who may write the place may restore what came from there.
    restore(&eve, &of("ben/b.txt")).expect_status("Restored");
    delete(&ben, "ben/b.txt");
    ben.post("/api/trash/empty", json!({})).expect_status("Trash emptied");
    assert_eq!(paths(&ana), ["pub/a.txt", "top.txt"]);
    // An admin everything.
    restore(&larder.http("ada"), &of("pub/a.txt")).expect_status("Restored");
    assert_eq!(larder.tree(), ["ben/", "pub/", "pub/a.txt"]);
    larder.http("ada").post("/api/trash/empty", json!({})).expect_status("Trash emptied");
    assert!(trash(&ana).is_empty());
}

#[test]
fn emptying_takes_what_is_named_or_everything() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for name in ["a", "b", "c", "d"] {
        larder.write(&format!("{name}/in/file"), name);
        ana.post("/api/delete_folder", json!({ "path": name })).expect(200);
    }
    let ask = json!({ "ids": [&ids(&ana, "a")[0], &ids(&ana, "c")[0]] });
    ana.post("/api/trash/empty", ask.clone()).expect_status("Trash emptied");
    assert_eq!(paths(&ana), ["b", "d"]);
    ana.post("/api/trash/empty", ask).expect_error(404, "Item does not exist");
    ana.post("/api/trash/empty", json!({ "ids": [] })).expect_status("Trash emptied");
    assert_eq!(paths(&ana), ["b", "d"]);
    ana.post("/api/trash/empty", json!({ "ids": null })).expect_status("Trash emptied");
    assert!(trash(&ana).is_empty());
    assert_eq!(fs::read_dir(larder.root().join(".larder/trash")).unwrap().count(), 0);
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn wrong_questions_are_refused() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    delete(&ana, "a.txt");
    let id = ids(&ana, "a.txt");
    for ask in [json!({}), json!({ "ids": null }), json!({ "ids": [] })] {
        ana.post("/api/trash/restore", ask).expect_error(400, "No ids provided");
    }
    for ask in [json!({ "ids": id[0] }), json!({ "ids": [1] }), json!({ "ids": {} })] {
        ana.post("/api/trash/restore", ask.clone()).expect_refusal(400);
        ana.post("/api/trash/empty", ask).expect_refusal(400);
    }
    for if_exists in [json!("maybe"), json!(1), json!("")] {
        let ask = json!({ "ids": id, "if_exists": if_exists });
        ana.post("/api/trash/restore", ask).expect_refusal(400);
    }
    for unknown in ["", "x", "..", "../id", "../../a.txt", "0123456789ab-x-1"] {
        let both = json!({ "ids": [id[0], unknown] });
        ana.post("/api/trash/restore", both.clone()).expect_error(404, "Item does not exist");
        ana.post("/api/trash/empty", both).expect_error(404, "Item does not exist");
    }
    assert_eq!(paths(&ana), ["a.txt"]);
    assert!(larder.tree().is_empty());
}

#[test]
fn a_changed_tree_is_answered_properly() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").file("docs/b.txt", "B");
    let ana = larder.http("ana");
    delete(&ana, "docs/a.txt");
    let id = ids(&ana, "docs/a.txt");
    // Its folder is a file now.
    ana.post("/api/delete_folder", json!({ "path": "docs" })).expect(200);
    larder.write("docs", "a file");
    restore(&ana, &id).expect_error(409, "Target already exists");
    assert_eq!(paths(&ana), ["docs", "docs/a.txt"]);
    delete(&ana, "docs");
    restore(&ana, &id).expect_status("Restored");
    assert_eq!(larder.tree(), ["docs/", "docs/a.txt"]);
    // A folder comes back beside the one that was made for the other.
    let folder = trash(&ana).into_iter().find(|item| item["type"] == "folder").expect("docs");
    let told = ana.post("/api/trash/restore", json!({ "ids": [folder["id"]] }));
    assert_eq!(told.expect_status("Restored")["paths"], json!(["docs (1)"]));
    assert_eq!(larder.read("docs (1)/b.txt"), "B");
}

#[test]
fn a_restart_and_a_drive_that_comes_back_keep_the_trash() {
    let mut larder = Larder::start().user("ana").file("docs/a.txt", "A");
    delete(&larder.http("ana"), "docs/a.txt");
    larder.stop();
    let away = larder.folder_path().join("unplugged");
    fs::rename(larder.root(), &away).unwrap();
    fs::create_dir(larder.root()).unwrap();
    larder.restart();
    let ana = larder.http("ana");
    let absent = |answer: Answer| {
        answer.expect_error(503, "Storage is not available");
    };
    absent(ana.get("/api/trash"));
    absent(restore(&ana, &["0123456789ab-x-1".to_owned()]));
    absent(ana.post("/api/trash/empty", json!({})));
    absent(ana.post("/api/trash/empty", json!({ "ids": ["x"] })));
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0, "the mount point was written into");
    fs::remove_dir(larder.root()).unwrap();
    fs::rename(away, larder.root()).unwrap();
    restore(&ana, &ids(&ana, "docs/a.txt")).expect_status("Restored");
    assert_eq!(larder.read("docs/a.txt"), "A");
}

#[test]
fn an_idle_trash_holds_nothing_of_the_drive_open() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A");
    let ana = larder.http("ana");
    ana.post("/api/delete_folder", json!({ "path": "docs" })).expect(200);
    wait::until("the keeper's look", || trash(&ana)[0]["size"].as_u64() > Some(0));
    let held = || {
        let open = larder.process().open_files().unwrap_or_default();
        open.iter().filter(|place| place.starts_with(larder.root())).count()
    };
    wait::until("nothing held", || held() == 0);
}

#[test]
fn the_log_tells_what_became_of_files() {
    let mut larder = Larder::start().user("ana").file("a.txt", "A").file("b.txt", "B");
    let ana = larder.http("ana");
    delete(&ana, "a.txt");
    restore(&ana, &ids(&ana, "a.txt")).expect(200);
    ana.post("/api/delete_file", json!({ "path": "b.txt", "permanent": true })).expect(200);
    delete(&ana, "a.txt");
    ana.post("/api/trash/empty", json!({})).expect(200);
    larder.stop();
    let database = rusqlite::Connection::open(larder.state().join("db/logs.db")).unwrap();
    let mut rows = database.prepare("SELECT action FROM logs").unwrap();
    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let log: Vec<String> = rows.map(Result::unwrap).collect();
    for action in [
        "ana: moved to the trash /a.txt",
        "ana: restored from the trash /a.txt",
        "ana: deleted /b.txt",
        "ana: removed 1 thing from the trash",
    ] {
        assert!(log.iter().any(|row| row == action), "{action}: {log:#?}");
    }
}

#[test]
fn a_folder_of_thousands_goes_and_comes_back_in_one_step() {
    let larder = Larder::start().user("ana");
    for folder in 0..20 {
        for file in 0..100 {
            larder.write(&format!("big/{folder}/{file}"), "");
        }
    }
    let ana = larder.http("ana");
    ana.post("/api/delete_folder", json!({ "path": "big" })).expect_status("Folder deleted");
    assert!(larder.tree().is_empty());
    restore(&ana, &ids(&ana, "big")).expect_status("Restored");
    assert_eq!(larder.tree().len(), 1 + 20 + 2000);
}
