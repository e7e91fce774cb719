//! What the drive's own permissions refuse, whatever larder's grants say.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::ftp::{ALL_LETTERS, FtpHouse};
use crate::harness::{Form, Larder, unzip, wait};

/// The user and group who own nothing on most machines.
pub const NOBODY: u32 = 65_534;

/// What the contract says.
const DENIED: &str = "Not permitted on the drive";

/// Gives everything below a folder away, links not followed.
pub fn give_away(place: &Path) {
    let _gone_meanwhile = std::os::unix::fs::lchown(place, Some(NOBODY), Some(NOBODY));
    for entry in std::fs::read_dir(place).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            give_away(&entry.path());
        } else {
            std::os::unix::fs::lchown(entry.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

/// Starts larder as an ordinary user who owns the share and the state: root may everything.
pub fn ordinary(larder: Larder) -> Larder {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        give_away(larder.root().parent().unwrap());
    }
    larder.launch_with(|command| {
        command.args(["--ftp-port", "0"]);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
    })
}

/// Sets a mode behind larder's back.
fn set_mode(larder: &Larder, name: &str, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(larder.root().join(name), mode).unwrap();
}

/// What a listing says of each name: whether it may be changed.
fn writable(larder: &Larder, folder: &str) -> Vec<(String, bool)> {
    let told = larder.http("ana").get(&format!("/api/finder?details=1&path={folder}")).expect(200);
    let entries: Vec<Value> = told.json()["entries"].as_array().unwrap().clone();
    let each = |entry: &Value| {
        (entry["name"].as_str().unwrap().to_owned(), entry["writable"].as_bool().unwrap())
    };
    entries.iter().map(each).collect()
}

/// A larder of an ordinary user, with a folder of somebody else.
fn house() -> Larder {
    let larder = Larder::prepare()
        .file("theirs/a.txt", "A")
        .file("theirs/d/b.txt", "B")
        .file("theirs/hidden.txt", "H")
        .file("mine/a.txt", "A")
        .link("mine/way", "../theirs/a.txt");
    let larder = ordinary(larder).user("ana");
    if rustix::process::geteuid().is_root() {
        for name in ["theirs", "theirs/d", "theirs/a.txt", "theirs/hidden.txt"] {
            chown(larder.root().join(name), Some(0), Some(0)).unwrap();
        }
    }
    for (name, mode) in [("theirs/hidden.txt", 0), ("theirs/d", 0o555), ("theirs", 0o555)] {
        set_mode(&larder, name, mode);
    }
    larder
}

/// So that what is left can be removed when the test ends, also by an ordinary user.
fn unlock(larder: &Larder) {
    for name in ["theirs", "theirs/d"] {
        set_mode(larder, name, 0o755);
    }
}

#[test]
fn what_the_drive_refuses_is_told_apart_from_what_larder_refuses() {
    let larder = house();
    let ana = larder.http("ana");
    let post = |endpoint: &str, ask: Value| {
        let answer = ana.post(endpoint, ask).expect_error(403, DENIED);
        assert_eq!(answer.json()["code"], "denied_by_drive", "{endpoint}");
    };
    let one = "theirs/a.txt";
    post("/api/new_file", json!({ "path": "theirs", "file_name": "n", "file_content": "" }));
    post("/api/edit_file", json!({ "path": one, "file_content": "" }));
    post("/api/edit_file", json!({ "path": "mine/way", "file_content": "" }));
    for permanent in [false, true] {
        post("/api/delete_file", json!({ "path": one, "permanent": permanent }));
        post("/api/delete_folder", json!({ "path": "theirs/d", "permanent": permanent }));
    }
    post("/api/rename_file", json!({ "path": "theirs", "file_name": "a.txt", "new_name": "z" }));
    post("/api/rename_folder", json!({ "path": "theirs", "folder_name": "d", "new_name": "z" }));
    post("/api/create_folder", json!({ "path": "theirs", "folder_name": "n" }));
    post("/api/move", json!({ "paths": ["theirs/d/b.txt"], "to": "mine" }));
    post("/api/copy", json!({ "paths": ["mine/a.txt"], "to": "theirs/d" }));
    post("/api/copy", json!({ "paths": ["theirs/hidden.txt"], "to": "mine" }));
    let form = Form::new().field("path", "theirs").file("up.txt", "new");
    ana.upload(&form).expect_error(403, DENIED);
    ana.get_with("/api/get_file", "file_path", "theirs/hidden.txt").expect_error(403, DENIED);
    ana.get_with("/api/download", "file_path", "theirs/hidden.txt").expect_error(403, DENIED);
    set_mode(&larder, "theirs", 0);
    ana.get_with("/api/finder", "path", "theirs").expect_error(403, DENIED);
    ana.get_with("/api/get_file", "file_path", one).expect_error(403, DENIED);
    set_mode(&larder, "theirs", 0o555);
    // What may be read may be downloaded, and what is mine changed.
    assert_eq!(ana.get_with("/api/download", "file_path", one).expect(200).text(), "A");
    ana.post("/api/edit_file", json!({ "path": "mine/a.txt", "file_content": "new" })).expect(200);
    assert_eq!(larder.unfinished(), 0);
    unlock(&larder);
}

#[test]
fn a_listing_says_what_the_drive_lets_nobody_change() {
    let larder = house();
    let told = |folder: &str, wanted: &[(&str, bool)]| {
        let wanted: Vec<(String, bool)> =
            wanted.iter().map(|(name, may)| ((*name).to_owned(), *may)).collect();
        assert_eq!(writable(&larder, folder), wanted, "{folder}");
    };
    told("", &[("mine", true), ("theirs", false)]);
    told("theirs", &[("a.txt", false), ("d", false), ("hidden.txt", false)]);
    told("mine", &[("a.txt", true), ("way", false)]);
    unlock(&larder);
}

#[test]
fn what_is_fixed_on_the_drive_stays_and_is_told_so() {
    let larder = Larder::start().user("ana").file("fixed.txt", "F").file("free.txt", "F");
    let place = larder.root().join("fixed.txt");
    let flag = |sign: &str| {
        Command::new("chattr")
            .arg(sign)
            .arg(&place)
            .output()
            .is_ok_and(|told| told.status.success())
    };
    if !flag("+i") {
        #[expect(clippy::print_stderr, reason = "who runs the tests should know what was not seen")]
        {
            eprintln!("no file can be made immutable here: not root, or the filesystem cannot");
        }
        return;
    }
    let ana = larder.http("ana");
    let told = writable(&larder, "");
    let edited = ana.post("/api/edit_file", json!({ "path": "fixed.txt", "file_content": "" }));
    let deleted = ana.post("/api/delete_file", json!({ "path": "fixed.txt" }));
    let renamed = ana
        .post("/api/rename_file", json!({ "path": "", "file_name": "fixed.txt", "new_name": "z" }));
    let moved_onto = ana.post("/api/copy", json!({ "paths": ["fixed.txt"], "to": "" }));
    flag("-i");
    assert_eq!(told, [("fixed.txt".to_owned(), false), ("free.txt".to_owned(), true)]);
    for answer in [edited, deleted, renamed] {
        answer.expect_error(403, DENIED);
    }
    moved_onto.expect(409);
    assert_eq!(larder.read("fixed.txt"), "F");
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn ftp_says_the_same() {
    let larder = house();
    let port = FtpHouse::switch_on(&larder);
    let house = FtpHouse { larder, port };
    house.user("cam", "", ALL_LETTERS);
    let mut cam = house.sign_in("cam");
    for line in [
        "DELE theirs/a.txt",
        "RMD theirs/d/none",
        "MKD theirs/n",
        "MFMT 20200101000000 theirs/a.txt",
    ] {
        let (code, text) = cam.say(line);
        assert_eq!(code, 550, "{line}: {text}");
        if !line.contains("none") {
            assert!(text.contains(DENIED), "{line}: {text}");
        }
    }
    cam.expect("RNFR theirs/a.txt", 350);
    assert!(cam.expect("RNTO mine/z.txt", 550).contains(DENIED));
    let (code, text) = cam.store("STOR theirs/up.txt", "new");
    assert!(code == 550 && text.contains(DENIED), "{code} {text}");
    let (code, text) = cam.say("RETR theirs/hidden.txt");
    assert!(code == 550 && text.contains(DENIED), "{code} {text}");
    unlock(&house.larder);
}

#[test]
fn a_zip_says_what_it_lacks_and_so_does_the_log() {
    let larder = house();
    let ana = larder.http("ana");
    let zip = ana.get_with("/api/download", "file_path", "theirs").expect(200);
    let members = unzip(&zip.body);
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(names, ["MISSING.txt", "a.txt", "d/", "d/b.txt"]);
    let told = String::from_utf8(members["MISSING.txt"].clone()).unwrap();
    assert!(told.contains("hidden.txt: not permitted on the drive"), "{told}");
    wait::until("a row in the log", || {
        let rows = ana.get("/api/get_logs").expect(200).text().to_owned();
        rows.contains("theirs.zip lacks 1, the first: hidden.txt: not permitted on the drive")
    });
    unlock(&larder);
}
