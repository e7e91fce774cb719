//! Several things deleted at once, what answers tell of the trash, and what cannot be deleted: second
//! contract, sections 13 and 26.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use crate::denied::{NOBODY, give_away, ordinary};
use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::{Answer, Client, Form, Larder, everybody_may_everything, wait};
use serde_json::{Value, json};

/// Asks for several things to be deleted.
fn delete(client: &Client, paths: &[&str]) -> Answer {
    client.post("/api/delete", json!({ "paths": paths }))
}

/// The paths in the trash, sorted.
#[track_caller]
fn trashed(client: &Client) -> Vec<String> {
    let listed = client.get("/api/trash").expect(200).json();
    let paths =
        listed.as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap().to_owned());
    let mut paths: Vec<String> = paths.collect();
    paths.sort();
    paths
}

/// The job of an answer, once it has ended.
#[track_caller]
fn end_of(client: &Client, started: Answer) -> Value {
    let id = started.expect_status("Started")["job"].clone();
    let job = || {
        let jobs = client.get("/api/jobs").expect(200).json();
        jobs.as_array().unwrap().iter().find(|job| job["id"] == id).cloned().expect("the job")
    };
    wait::until("the job's end", || job()["state"] != "running");
    job()
}

#[test]
fn several_things_go_at_once_and_the_answer_tells_how_to_undo_it() {
    let larder = Larder::start().user("ana").file("a.txt", "A").file("d/b.txt", "B").file("c", "C");
    let ana = larder.http("ana");
    let told = delete(&ana, &["a.txt", "/d/"]).expect_status("Deleted");
    assert_eq!(told["permanent"], false);
    assert_eq!(told["trash"].as_array().unwrap().len(), 2);
    assert_eq!(larder.tree(), ["c"]);
    assert_eq!(trashed(&ana), ["a.txt", "d"]);
    let back = ana.post("/api/trash/restore", json!({ "ids": told["trash"] }));
    assert_eq!(back.expect_status("Restored")["paths"], json!(["a.txt", "d"]));
    assert_eq!(larder.tree(), ["a.txt", "c", "d/", "d/b.txt"]);

    let ask = json!({ "paths": ["a.txt", "d"], "permanent": true });
    let told = ana.post("/api/delete", ask).expect_status("Deleted");
    assert_eq!(told, json!({ "status": "Deleted", "trash": [], "permanent": true }));
    assert_eq!(larder.tree(), ["c"]);
    assert!(trashed(&ana).is_empty());
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn of_several_all_go_or_none() {
    let larder = Larder::start().user("ana").reader("rea").file("a", "A").file("d/b", "B");
    let larder = larder.user_with("eve", "user", r#"[""]"#, r#"["d"]"#);
    let ana = larder.http("ana");
    let before = larder.tree();
    delete(&ana, &["a", "d", "none"]).expect_error(404, "Path does not exist");
    delete(&ana, &["a", "d", "d/b"]).expect_error(400, "The paths overlap");
    delete(&ana, &["a", "/a"]).expect_error(400, "The paths overlap");
    delete(&ana, &["a", ""]).expect_error(400, "The root can't be deleted");
    delete(&ana, &[]).expect_error(400, "No paths provided");
    ana.post("/api/delete", json!({})).expect_error(400, "No paths provided");
    delete(&ana, &["a", "../b"]).expect_refusal(400);
    let many: Vec<String> = (0..=10_000).map(|number| format!("f{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    delete(&ana, &many).expect_error(400, "Too many paths");
    // What may not be deleted is told before whether it is there.
    delete(&larder.http("eve"), &["d/b", "a"]).expect_error(403, "Not permitted");
    delete(&larder.http("eve"), &["none"]).expect_error(403, "Not permitted");
    delete(&larder.http("rea"), &["a"]).expect_error(403, "Not permitted");
    assert_eq!(larder.tree(), before);
    assert!(trashed(&ana).is_empty());
}

#[test]
fn whoever_may_delete_files_and_folders_may_delete_several() {
    let mut roles = everybody_may_everything();
    roles["/api/delete_folder"] = json!(["admin"]);
    let larder = Larder::prepare().roles(&roles).launch();
    let larder = larder.user("ana").admin("ada").file("a", "A");
    let ana = larder.http("ana");
    delete(&ana, &["a"]).expect_error(403, "Not permitted");
    let told = ana.get("/api/role/self").expect(200).json();
    assert_eq!((&told["/api/delete_file"], &told["/api/delete"]), (&json!(true), &json!(false)));
    delete(&larder.http("ada"), &["a"]).expect_status("Deleted");
}

#[test]
fn as_a_job_it_tells_its_ids_in_its_row() {
    let larder = Larder::start().user("ana").file("a", "A").file("d/b", "B").file("c/d", "C");
    let ana = larder.http("ana");
    let job = end_of(&ana, ana.post("/api/delete", json!({ "paths": ["a", "d"], "job": true })));
    assert_eq!((&job["kind"], &job["state"]), (&json!("delete"), &json!("done")));
    let back = ana.post("/api/trash/restore", json!({ "ids": job["trash"] }));
    assert_eq!(back.expect_status("Restored")["paths"], json!(["a", "d"]));
    let ask = json!({ "paths": ["a", "d"], "job": true, "permanent": true });
    let job = end_of(&ana, ana.post("/api/delete", ask));
    assert_eq!((&job["state"], &job["trash"]), (&json!("done"), &json!([])));
    assert_eq!(job["done_items"], job["total_items"]);
    assert_eq!(larder.tree(), ["c/", "c/d"]);
    let job = end_of(&ana, ana.post("/api/delete_folder", json!({ "path": "c", "job": true })));
    assert_eq!(job["trash"].as_array().unwrap().len(), 1);
    ana.post("/api/delete", json!({ "paths": ["x"], "job": true })).expect_refusal(404);
}

#[test]
fn whatever_deletes_or_replaces_tells_the_ids() {
    let larder = Larder::start().user("ana").file("a", "A").file("d/a", "D").file("e/a", "E");
    let ana = larder.http("ana");
    // Gives everything back that the answer tells of, and says what that was.
    let back = |told: &Value| {
        let ids = &told["trash"];
        let ask = json!({ "ids": ids, "if_exists": "overwrite" });
        let told = ana.post("/api/trash/restore", ask).expect_status("Restored");
        told["paths"].clone()
    };
    let told = ana.post("/api/delete_file", json!({ "path": "a" })).expect_status("File deleted");
    assert_eq!(back(&told), json!(["a"]));
    let told =
        ana.post("/api/delete_folder", json!({ "path": "d" })).expect_status("Folder deleted");
    assert_eq!(back(&told), json!(["d"]));

    let edit = |path: &str| {
        let ask = json!({ "path": path, "file_content": "new" });
        ana.post("/api/edit_file", ask).expect_status("File edited")
    };
    assert_eq!(edit("fresh")["trash"], json!([]));
    assert_eq!(back(&edit("a")), json!(["a"]));
    assert_eq!(larder.read("a"), "A");

    let form = Form::new().field("path", "d").file("a", "new").file("b", "new");
    let told = ana.upload(&form).expect_status("File uploaded");
    assert_eq!(back(&told), json!(["d/a"]));
    assert_eq!(
        ana.upload(&Form::new().file("g", "G")).expect_status("File uploaded")["trash"],
        json!([])
    );

    for verb in ["copy", "move"] {
        let ask = json!({ "paths": ["a"], "to": "d", "if_exists": "overwrite" });
        let told = ana.post(&format!("/api/{verb}"), ask).expect(200).json();
        assert_eq!(back(&told), json!(["d/a"]), "{verb}");
        assert_eq!(larder.read("d/a"), "D");
        larder.write("a", "A");
    }
    let ask = json!({ "paths": ["a"], "to": "d", "if_exists": "rename" });
    assert_eq!(ana.post("/api/copy", ask).expect(200).json()["trash"], json!([]));
    let ask = json!({ "paths": ["a"], "to": "e", "if_exists": "overwrite", "job": true });
    let job = end_of(&ana, ana.post("/api/copy", ask));
    assert_eq!(back(&job), json!(["e/a"]));
    assert_eq!(larder.read("e/a"), "E");
}

/// What the contract says of what stays.
const REMAINS: &str = "Part of it cannot be deleted";

/// A larder of an ordinary user, with a folder `mixed` in which something belongs to somebody else. `None`
/// where the test may not give files away.
pub fn mixed() -> Option<Larder> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let larder = Larder::prepare()
        .file("a.txt", "A")
        .file("mixed/mine.txt", "M")
        .file("mixed/deep/theirs/b.txt", "B")
        .file("other/c.txt", "C");
    let larder = ordinary(larder).user("ana");
    give_to_root(&larder, "mixed/deep/theirs");
    Some(larder)
}

/// Gives a folder and the file in it to somebody else.
fn give_to_root(larder: &Larder, folder: &str) {
    for name in [folder.to_owned(), format!("{folder}/b.txt")] {
        chown(larder.root().join(name), Some(0), Some(0)).unwrap();
    }
}

/// Looks at an answer, or a job, that tells what stays.
#[track_caller]
fn stays(told: &Value, path: &str) {
    let wanted = json!({ "error": REMAINS, "code": "cannot_delete", "failed": [path] });
    for key in ["error", "code", "failed"] {
        assert_eq!(told[key], wanted[key], "{told}");
    }
}

#[test]
fn what_cannot_be_deleted_stays_where_it_was_and_is_named() {
    let Some(larder) = mixed() else { return };
    let ana = larder.http("ana");
    let theirs = "mixed/deep/theirs/b.txt";
    let left =
        ["a.txt", "mixed/", "mixed/deep/", "mixed/deep/theirs/", theirs, "other/", "other/c.txt"];
    // Of several none goes.
    let before = larder.tree();
    let ask = json!({ "paths": ["a.txt", "mixed", "other"], "permanent": true });
    stays(&ana.post("/api/delete", ask).expect_error(409, REMAINS).json(), theirs);
    assert_eq!(larder.tree(), before);

    let ask = json!({ "path": "mixed", "permanent": true });
    stays(&ana.post("/api/delete_folder", ask).expect_error(409, REMAINS).json(), theirs);
    assert_eq!(larder.tree(), left);
    assert_eq!(larder.unfinished(), 0);

    larder.write("mixed/mine.txt", "M");
    chown(larder.root().join("mixed/mine.txt"), Some(NOBODY), Some(NOBODY)).unwrap();
    // Of several none goes as a job either; of one, what can go.
    let before = larder.tree();
    for (endpoint, ask) in [
        ("/api/delete", json!({ "paths": ["a.txt", "mixed", "other"] })),
        ("/api/delete", json!({ "paths": ["other", "mixed"] })),
        ("/api/delete_folder", json!({ "path": "mixed" })),
    ] {
        assert_eq!(larder.tree(), before);
        let mut ask = ask;
        ask["permanent"] = json!(true);
        ask["job"] = json!(true);
        let job = end_of(&ana, ana.post(endpoint, ask));
        assert_eq!(job["state"], "failed");
        stays(&job, theirs);
    }
    assert_eq!(larder.tree(), left);
    assert_eq!(larder.unfinished(), 0);
    // What is theirs altogether as well.
    let ask = json!({ "path": "mixed/deep/theirs", "permanent": true });
    stays(&ana.post("/api/delete_folder", ask).expect_error(409, REMAINS).json(), theirs);
    assert_eq!(larder.tree(), left);
}

#[test]
fn what_cannot_be_removed_from_the_trash_stays_listed() {
    let Some(larder) = mixed() else { return };
    let ana = larder.http("ana");
    let theirs = "mixed/deep/theirs/b.txt";
    let told = delete(&ana, &["mixed", "a.txt"]).expect_status("Deleted");
    let ids = told["trash"].clone();
    for ask in [json!({ "ids": ids }), json!({})] {
        stays(&ana.post("/api/trash/empty", ask).expect_error(409, REMAINS).json(), theirs);
        assert_eq!(trashed(&ana), ["mixed"]);
        assert_eq!(larder.unfinished(), 0);
    }
    // Nor does the keeper hide it.
    ana.post("/api/delete_folder", json!({ "path": "other" })).expect(200);
    ana.post("/api/update_settings", json!({ "trash_days": 0 })).expect(200);
    wait::until("the rest to go", || trashed(&ana) == ["mixed"]);
    ana.post("/api/update_settings", json!({ "trash_days": 30 })).expect(200);
    // It may be trying once more at this moment, with the thing in its hands: 404 then.
    wait::until("it to come back", || {
        let told = ana.post("/api/trash/restore", json!({ "ids": [ids[0]] }));
        assert!(matches!(told.status, 200 | 404), "{told}");
        told.status == 200
    });
    assert_eq!(larder.tree(), ["mixed/", "mixed/deep/", "mixed/deep/theirs/", theirs]);
}

#[test]
fn with_the_trash_off_the_truth_is_told_as_well() {
    let Some(larder) = mixed() else { return };
    let ana = larder.http("ana");
    ana.post("/api/update_settings", json!({ "trash_days": 0 })).expect(200);
    let theirs = "mixed/deep/theirs/b.txt";
    // What would be replaced cannot go, so nothing changes.
    larder.write("new/mixed/new.txt", "N");
    give_away(&larder.root().join("new"));
    let before = larder.tree();
    for verb in ["copy", "move"] {
        let ask = json!({ "paths": ["new/mixed"], "to": "", "if_exists": "overwrite" });
        let told = ana.post(&format!("/api/{verb}"), ask).expect_error(409, REMAINS).json();
        stays(&told, theirs);
        assert_eq!(larder.tree(), before, "{verb}");
        assert_eq!(larder.unfinished(), 0);
    }
    let told = ana.post("/api/delete_folder", json!({ "path": "mixed" }));
    stays(&told.expect_error(409, REMAINS).json(), theirs);
    assert!(larder.tree().contains(&theirs.to_owned()));
    stays(&delete(&ana, &["mixed", "other"]).expect_error(409, REMAINS).json(), theirs);
    assert_eq!(larder.read("other/c.txt"), "C");
}

#[test]
fn what_comes_back_onto_what_cannot_go_does_not_come() {
    let Some(larder) = mixed() else { return };
    let ana = larder.http("ana");
    let ids = delete(&ana, &["other"]).expect_status("Deleted")["trash"].clone();
    larder.write("other/d/theirs/b.txt", "T");
    give_away(&larder.root().join("other"));
    give_to_root(&larder, "other/d/theirs");
    // What is in the way would have to go for good.
    ana.post("/api/update_settings", json!({ "trash_percent": 0 })).expect(200);
    let ask = json!({ "ids": ids, "if_exists": "overwrite" });
    let told = ana.post("/api/trash/restore", ask);
    // The keeper may have been quicker.
    if told.status == 409 {
        stays(&told.json(), "other/d/theirs/b.txt");
    } else {
        told.expect_error(404, "Item does not exist");
    }
    assert_eq!(larder.read("other/d/theirs/b.txt"), "T");
}

#[test]
fn a_move_to_another_drive_is_taken_back_when_its_source_cannot_go() {
    if !mounts_are_given() {
        return;
    }
    let larder = Larder::prepare()
        .file("a.txt", "A")
        .file("mixed/mine.txt", "M")
        .file("mixed/theirs/b.txt", "B")
        .folder("usb");
    give_away(larder.root().parent().unwrap());
    let script = r#"mount -t tmpfs -o size=16M,mode=777 tmpfs usb &&
        exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@""#;
    let larder = launch_within(larder, script).user("ana");
    give_to_root(&larder, "mixed/theirs");
    let before = larder.tree();
    let ana = larder.http("ana");
    let ask = json!({ "paths": ["a.txt", "mixed"], "to": "usb" });
    let told = ana.post("/api/move", ask.clone()).expect_error(409, REMAINS).json();
    stays(&told, "mixed/theirs/b.txt");
    let mut ask = ask;
    ask["job"] = json!(true);
    stays(&end_of(&ana, ana.post("/api/move", ask)), "mixed/theirs/b.txt");
    assert_eq!(larder.tree(), before);
    assert_eq!(larder.unfinished(), 0);
    assert_eq!(ana.get("/api/finder?path=usb").expect(200).json()["items"], json!([]));
    ana.post("/api/move", json!({ "paths": ["a.txt"], "to": "usb" })).expect_status("Moved");
}

#[test]
fn what_an_earlier_run_left_and_nobody_can_remove_is_named_by_the_check() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let larder = Larder::prepare()
        .file(".larder/tmp/0011223344556677-0/theirs/b.txt", "B")
        .file(".larder/tmp/0011223344556677-1/mine.txt", "M");
    give_away(larder.root().parent().unwrap());
    give_to_root(&larder, ".larder/tmp/0011223344556677-0/theirs");
    let mut larder = larder.launch_with(|command| {
        command.uid(NOBODY).gid(NOBODY);
    });
    // What can go is swept.
    wait::until("the sweep", || larder.unfinished() == 1);
    larder.stop();
    let told = larder.run(&["check"], "");
    let text = String::from_utf8(told.stdout).unwrap();
    let place = larder.root().join(".larder/tmp/0011223344556677-0/theirs/b.txt");
    let line = text.lines().find(|line| line.contains("unfinished files")).expect("a line");
    assert!(line.starts_with("WRONG") && line.contains(place.to_str().unwrap()), "{line}");
    fs::remove_dir_all(larder.root().join(".larder/tmp/0011223344556677-0")).unwrap();
    let told = larder.run(&["check"], "");
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("ok     unfinished files: none"), "{text}");
}

#[test]
fn what_could_not_be_swept_is_swept_when_the_drive_takes_writes_again() {
    if !mounts_are_given() {
        return;
    }
    let script = r#"mount -t tmpfs -o size=4M tmpfs usb && mkdir -p usb/.larder/tmp/0011223344556677-0/d &&
        mount -o remount,ro usb && exec "$@""#;
    let larder = launch_within(Larder::prepare().folder("usb"), script);
    // The larder's own view of its drive: its mounts are nobody else's.
    let usb =
        format!("/proc/{}/root{}", larder.process().id(), larder.root().join("usb").display());
    let left = || fs::read_dir(format!("{usb}/.larder/tmp")).unwrap().count();
    assert_eq!(left(), 1);
    let pid = larder.process().id().to_string();
    let again = ["--target", &pid, "--mount", "mount", "-o", "remount,rw"];
    let place = larder.root().join("usb");
    let told = Command::new("nsenter").args(again).arg(place).status().unwrap();
    assert!(told.success());
    assert!(wait::comes_true(Duration::from_mins(1), || left() == 0), "it is still there");
}
