//! Whose space counts: that of the drive where a thing will be, and only its trash gives way: second contract,
//! section 26.

use serde_json::{Value, json};

use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::{Client, Form, Larder};

/// A larder whose root is a small drive, nearly full, with something in its trash, and has a roomy drive in it.
fn house() -> Option<Larder> {
    if !mounts_are_given() {
        return None;
    }
    let settings = json!({ "trash_percent": 90 });
    let script = r#"mount -t tmpfs -o size=8M tmpfs . && cd "$PWD" && mkdir usb &&
        mount -t tmpfs -o size=24M tmpfs usb && exec "$@""#;
    let larder = launch_within(Larder::prepare().settings(&settings), script).user("ana");
    let ana = larder.http("ana");
    upload(&ana, "", "old", 3).expect_status("File uploaded");
    ana.post("/api/delete_file", json!({ "path": "old" })).expect(200);
    upload(&ana, "", "fill", 3).expect_status("File uploaded");
    Some(larder)
}

/// So many MiB of text.
fn text(mib: usize) -> String {
    "0123456789abcde\n".repeat(mib << 16)
}

/// Uploads so many MiB.
fn upload(client: &Client, folder: &str, name: &str, mib: usize) -> crate::harness::Answer {
    client.upload(&Form::new().field("path", folder).file(name, text(mib)))
}

/// What was where, of what is in the trash, sorted.
#[track_caller]
fn trashed(client: &Client) -> Vec<String> {
    let listed = client.get("/api/trash").expect(200).json();
    let path = |item: &Value| item["path"].as_str().unwrap().to_owned();
    let mut paths: Vec<String> = listed.as_array().unwrap().iter().map(path).collect();
    paths.sort();
    paths
}

#[test]
fn what_goes_to_another_drive_is_judged_by_that_drive() {
    let Some(larder) = house() else { return };
    let ana = larder.http("ana");
    upload(&ana, "usb", "first", 5).expect_status("File uploaded");
    // The order of the parts, and of the fields, is the client's.
    let form = Form::new().file("last", text(5)).field("path", "usb/new");
    ana.upload(&form).expect_status("File uploaded");
    let content = text(3);
    let form = |before: &str, after: &str| {
        format!(r#"{{{before}"file_content":{}{after}}}"#, json!(content))
    };
    for (endpoint, body) in [
        ("/api/edit_file", form(r#""path":"usb/edited","#, "")),
        ("/api/edit_file", form("", r#","path":"usb/edited""#)),
        ("/api/new_file", form(r#""path":"usb","file_name":"made","#, "")),
        ("/api/new_file", form("", r#","path":"usb","file_name":"made2""#)),
    ] {
        let told = ana.post_raw(endpoint, Some("application/json"), body.as_bytes());
        told.expect(200);
        ana.post("/api/delete", json!({ "paths": ["usb/edited"], "permanent": true }));
    }
    assert_eq!(trashed(&ana), ["old"], "the root's trash has nothing to do with it");
    ana.post("/api/delete", json!({ "paths": ["usb/made", "usb/made2"], "permanent": true }))
        .expect(200);
    ana.post("/api/copy", json!({ "paths": ["fill"], "to": "usb" })).expect_status("Copied");
    ana.post("/api/move", json!({ "paths": ["fill"], "to": "usb/new" })).expect_status("Moved");
    assert_eq!(trashed(&ana), ["old"]);
}

#[test]
fn only_the_trash_of_that_drive_gives_way() {
    let Some(larder) = house() else { return };
    let ana = larder.http("ana");
    upload(&ana, "usb", "big", 14).expect_status("File uploaded");
    ana.post("/api/delete_file", json!({ "path": "usb/big" })).expect(200);
    upload(&ana, "usb", "small", 4).expect_status("File uploaded");
    assert_eq!(trashed(&ana), ["old", "usb/big"]);
    // More than there is, whatever gives way.
    upload(&ana, "usb", "much", 22).expect_code(507, "disk_full");
    upload(&ana, "", "much", 7).expect_code(507, "disk_full");
    assert_eq!(trashed(&ana), ["old", "usb/big"]);
    upload(&ana, "usb", "next", 12).expect_status("File uploaded");
    assert_eq!(trashed(&ana), ["old"]);
    upload(&ana, "", "here", 3).expect_status("File uploaded");
    assert!(trashed(&ana).is_empty());
}

#[test]
fn a_drive_that_does_not_tell_its_size_is_not_full() {
    if !mounts_are_given() {
        return;
    }
    // Memory without a bound has no blocks to tell of.
    let script = r#"mount -t tmpfs -o size=0 tmpfs . && cd "$PWD" && exec "$@""#;
    let larder = launch_within(Larder::prepare(), script).user("ana");
    let ana = larder.http("ana");
    upload(&ana, "", "a", 1).expect_status("File uploaded");
    let told = ana.post("/api/edit_file", json!({ "path": "a", "file_content": "new" }));
    assert_eq!(told.expect_status("File edited")["trash"].as_array().unwrap().len(), 1);
    let told = ana.post("/api/delete_file", json!({ "path": "a" })).expect_status("File deleted");
    assert_eq!(told["trash"].as_array().unwrap().len(), 1, "it is kept");
    let warnings = ana.get("/api/resources").expect(200).json()["warnings"].clone();
    assert!(!warnings.to_string().contains("storage_full"), "{warnings}");
}
