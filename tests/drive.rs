//! The drive may be absent: a mount point without the drive is never taken for it.

use std::fs;

use serde_json::json;

use crate::harness::{Answer, Form, Larder, password_of, wait};

/// Everything that touches files.
fn ask_everything(larder: &Larder) -> Vec<Answer> {
    let ana = larder.http("ana");
    vec![
        ana.get("/api/finder"),
        ana.get("/api/finder?path=docs&details=1"),
        ana.get("/api/get_file?file_path=docs/a.txt"),
        ana.get("/api/download?file_path=docs/a.txt"),
        ana.get("/api/download?file_path=docs"),
        ana.post("/api/new_file", json!({ "file_name": "n.txt", "file_content": "N" })),
        ana.post("/api/edit_file", json!({ "path": "n.txt", "file_content": "N" })),
        ana.post("/api/delete_file", json!({ "path": "docs/a.txt" })),
        ana.post(
            "/api/rename_file",
            json!({ "path": "docs", "file_name": "a.txt", "new_name": "b.txt" }),
        ),
        ana.post("/api/create_folder", json!({ "folder_name": "new" })),
        ana.post("/api/delete_folder", json!({ "path": "docs" })),
        ana.post("/api/rename_folder", json!({ "folder_name": "docs", "new_name": "new" })),
        ana.upload(&Form::new().field("path", "new/deep").file("u.txt", "U")),
        ana.upload(&Form::new().file("u.txt", "U")),
    ]
}

/// Demands 503 for everything, and that nothing was written.
#[track_caller]
fn expect_absent(larder: &Larder) {
    for answer in ask_everything(larder) {
        answer.expect_error(503, "Storage is not available");
    }
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0, "the mount point was written into");
}

/// Demands that the files are there again, as they were.
#[track_caller]
fn expect_back(larder: &Larder) {
    assert_eq!(larder.tree(), ["docs/", "docs/a.txt"]);
    assert_eq!(
        larder.http("ana").get("/api/download?file_path=docs/a.txt").expect(200).text(),
        "A"
    );
    larder
        .http("ana")
        .post("/api/edit_file", json!({ "path": "docs/a.txt", "file_content": "A" }))
        .expect(200);
}

/// A larder with one file.
fn filled() -> Larder {
    Larder::start().user("ana").file("docs/a.txt", "A")
}

#[test]
fn a_drive_that_goes_while_larder_runs_is_missed_and_comes_back_by_itself() {
    let larder = filled();
    larder.http("ana").get("/api/finder").expect(200);
    for _ in 0..2 {
        larder.unplug();
        expect_absent(&larder);
        // The rest keeps working.
        let token = larder.token("ana");
        larder.bearer(&token).get("/api/user/get_self").expect(200);
        larder.anonymous().get("/").expect(200);
        larder.plug();
        expect_back(&larder);
    }
}

#[test]
fn a_drive_that_is_missing_at_the_start_comes_back_by_itself() {
    let mut larder = filled();
    larder.stop();
    larder.unplug();
    larder.restart();
    expect_absent(&larder);
    larder.sign_in("ana", &password_of("ana")).expect(200);
    larder.plug();
    wait::until("the files", || larder.http("ana").get("/api/finder").status == 200);
    expect_back(&larder);
}

#[test]
fn a_drive_whose_mount_point_is_missing_too_is_only_absent() {
    let mut larder = filled();
    fs::rename(larder.root(), larder.folder_path().join("unplugged")).unwrap();
    for answer in ask_everything(&larder) {
        answer.expect_error(503, "Storage is not available");
    }
    assert!(!larder.root().exists(), "the mount point was made");
    larder.stop();
    larder.restart();
    for answer in ask_everything(&larder) {
        answer.expect_error(503, "Storage is not available");
    }
    assert!(!larder.root().exists(), "the mount point was made");
    fs::rename(larder.folder_path().join("unplugged"), larder.root()).unwrap();
    expect_back(&larder);
}

#[test]
fn the_wrong_drive_is_not_taken_for_the_right_one() {
    let mut larder = filled();
    larder.unplug();
    // Another larder's drive, with a marker of its own.
    let other = Larder::start();
    fs::create_dir(larder.root().join(".larder")).unwrap();
    fs::copy(other.root().join(".larder/id"), larder.root().join(".larder/id")).unwrap();
    larder.write("theirs.txt", "T");
    for answer in ask_everything(&larder) {
        answer.expect_error(503, "Storage is not available");
    }
    larder.stop();
    larder.restart();
    for answer in ask_everything(&larder) {
        answer.expect_error(503, "Storage is not available");
    }
    assert_eq!(larder.tree(), ["theirs.txt"]);
}

#[test]
fn a_marker_that_is_removed_is_missed() {
    let larder = filled();
    let marker = larder.root().join(".larder/id");
    let id = fs::read(&marker).unwrap();
    fs::remove_file(&marker).unwrap();
    larder.http("ana").get("/api/finder").expect_error(503, "Storage is not available");
    fs::write(&marker, "something else").unwrap();
    larder.http("ana").get("/api/finder").expect_error(503, "Storage is not available");
    fs::write(&marker, id).unwrap();
    larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn an_upload_during_which_the_drive_goes_writes_nothing_into_the_mount_point() {
    let larder = filled();
    let body = Form::new().field("path", "new").file("u.bin", vec![b'x'; 1 << 20]).body();
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/upload HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        larder.key("ana"),
        Form::content_type(),
        body.len()
    ));
    wire.send(&body[..body.len() / 2]);
    wait::until("the beginning on the disk", || larder.unfinished() > 0);
    larder.unplug();
    wire.send(&body[body.len() / 2..]);
    let answer = wire.answer();
    assert!(matches!(answer.status, 200 | 503), "{answer}");
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0);
}

#[test]
fn a_new_root_is_adopted_when_told_so() {
    let mut larder = filled();
    larder.stop();
    larder.unplug();
    let larder = larder.launch_with(|command| {
        command.arg("--new-root");
    });
    assert_eq!(larder.http("ana").get("/api/finder").expect(200).json()["items"], json!([]));
    let ask = json!({ "file_name": "n.txt", "file_content": "N" });
    larder.http("ana").post("/api/new_file", ask).expect(200);
    // And stays the root of later starts, without being told again.
    let mut larder = larder;
    larder.stop();
    larder.restart();
    assert_eq!(larder.http("ana").get("/api/finder").expect(200).json()["items"], json!(["n.txt"]));
}

#[test]
fn another_root_path_is_adopted_and_the_first_taken_up_again() {
    let mut larder = filled();
    larder.stop();
    let other = larder.folder_path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("o.txt"), "O").unwrap();
    let mut larder = larder.launch_with(|command| {
        command.arg("--root").arg(&other);
    });
    assert_eq!(larder.http("ana").get("/api/finder").expect(200).json()["items"], json!(["o.txt"]));
    assert!(other.join(".larder/id").exists());
    larder.stop();
    larder.restart();
    expect_back(&larder);
}
