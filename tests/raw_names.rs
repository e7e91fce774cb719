//! Names on the drive that are no text: told in one way, and usable as told on every door.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::ftp::{ALL_LETTERS, FtpHouse};
use crate::harness::{Form, Larder, unzip};

/// Where something with such a name is.
fn place(larder: &Larder, name: &[u8]) -> PathBuf {
    larder.root().join(OsStr::from_bytes(name))
}

/// A share with such names, and a real name that looks like what is told of one.
fn house() -> Larder {
    let larder = Larder::start().user("ana").folder("docs").folder("to");
    let write = |name: &[u8], content: &str| {
        let place = place(&larder, name);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, content).unwrap();
    };
    write(b"docs/\xe9t\xe9.txt", "1");
    write(b"docs/\xe8t\xe8.txt", "2");
    write(b"docs/%=%E9t%E9.txt", "3");
    write(b"docs/100%E9.txt", "4");
    write(b"docs/d\xff/in\xfe.txt", "5");
    larder
}

/// What a listing tells: names, and whether they are marked.
fn told(larder: &Larder, folder: &str) -> Vec<(String, bool)> {
    let answer = larder
        .http("ana")
        .get(&format!("/api/finder?details=1&path={}", crate::harness::encode(folder)));
    let answer = answer.expect(200).json();
    let entries: &Vec<Value> = answer["entries"].as_array().unwrap();
    let names: Vec<&Value> = answer["items"].as_array().unwrap().iter().collect();
    assert_eq!(names, entries.iter().map(|entry| &entry["name"]).collect::<Vec<_>>());
    let each = |entry: &Value| {
        assert_eq!(entry["writable"], true);
        (entry["name"].as_str().unwrap().to_owned(), entry["raw"] == true)
    };
    entries.iter().map(each).collect()
}

/// The names with a mark.
fn raw_names(larder: &Larder, folder: &str) -> Vec<String> {
    let names = told(larder, folder).into_iter().filter(|(_, is_raw)| *is_raw);
    names.map(|(name, _)| name).collect()
}

#[test]
fn each_is_told_once_and_means_what_it_says() {
    let larder = house();
    let ana = larder.http("ana");
    let names = told(&larder, "docs");
    let mut different: Vec<&String> = names.iter().map(|(name, _)| name).collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5);
    assert!(names.iter().all(|(name, _)| !name.contains('\u{fffd}')), "{names:?}");
    assert!(names.contains(&("100%E9.txt".to_owned(), false)), "{names:?}");
    assert_eq!(raw_names(&larder, "docs").len(), 4);
    let mut contents = Vec::new();
    for (name, _) in names.iter().filter(|(name, _)| !name.contains("d%FF")) {
        let path = format!("docs/{name}");
        contents
            .push(ana.get_with("/api/download", "file_path", &path).expect(200).text().to_owned());
        ana.get_with("/api/get_file", "file_path", &path).expect(200);
    }
    contents.sort();
    assert_eq!(contents, ["1", "2", "3", "4"]);
    // What was never told leads nowhere.
    for name in ["docs/%=a", "docs/%=%2E%2E/x", "%=.larder/id", "docs/%=%e9t%e9.txt"] {
        ana.get_with("/api/download", "file_path", name).expect(400);
    }
    let folder = told(&larder, "docs").into_iter().find(|(name, _)| name.contains("d%FF")).unwrap();
    let inside = told(&larder, &format!("docs/{}", folder.0));
    assert_eq!(inside, [("%=in%FE.txt".to_owned(), true)]);
    let zip = ana.get_with("/api/download", "file_path", &format!("docs/{}", folder.0)).expect(200);
    assert_eq!(unzip(&zip.body).into_values().collect::<Vec<_>>(), [b"5"]);
    let zip = ana.get_with("/api/download", "file_path", "docs").expect(200);
    assert_eq!(unzip(&zip.body).len(), 6);
}

#[test]
fn each_can_be_changed_copied_moved_deleted_and_put_back() {
    let larder = house();
    let ana = larder.http("ana");
    let one = "docs/%=%E9t%E9.txt";
    ana.post("/api/edit_file", json!({ "path": one, "file_content": "new" })).expect(200);
    assert_eq!(std::fs::read_to_string(place(&larder, b"docs/\xe9t\xe9.txt")).unwrap(), "new");
    ana.post("/api/copy", json!({ "paths": [one, "docs/%=d%FF"], "to": "to" })).expect(200);
    assert_eq!(std::fs::read_to_string(place(&larder, b"to/\xe9t\xe9.txt")).unwrap(), "new");
    assert_eq!(std::fs::read_to_string(place(&larder, b"to/d\xff/in\xfe.txt")).unwrap(), "5");
    let again = json!({ "paths": [one], "to": "to", "if_exists": "rename" });
    ana.post("/api/copy", again).expect(200);
    assert!(place(&larder, b"to/\xe9t\xe9 (1).txt").exists());
    ana.post("/api/move", json!({ "paths": ["docs/%=%E8t%E8.txt"], "to": "to/%=d%FF" }))
        .expect(200);
    assert!(place(&larder, b"to/d\xff/\xe8t\xe8.txt").exists());
    let form = Form::new().field("path", "to/%=d%FF").file("plain.txt", "P");
    ana.upload(&form).expect_status("File uploaded");
    for permanent in [false, true] {
        let ask = json!({ "path": format!("to/%=%E9t%E9{}.txt", if permanent { " (1)" } else { "" }),
            "permanent": permanent });
        ana.post("/api/delete_file", ask).expect(200);
    }
    ana.post("/api/delete_folder", json!({ "path": "to/%=d%FF" })).expect(200);
    assert_eq!(told(&larder, "to"), []);
    let trash = ana.get("/api/trash").expect(200).json();
    let ids: Vec<&Value> = trash
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["path"].as_str().unwrap().starts_with("to/"))
        .map(|item| &item["id"])
        .collect();
    ana.post("/api/trash/restore", json!({ "ids": ids })).expect(200);
    assert!(place(&larder, b"to/\xe9t\xe9.txt").exists());
    assert!(place(&larder, b"to/d\xff/in\xfe.txt").exists());
    // At last each gets a name that is one.
    let rename = |kind: &str, old: &str, new: &str| {
        let endpoint = format!("/api/rename_{kind}");
        ana.post(&endpoint, json!({ "path": "docs", format!("{kind}_name"): old, "new_name": new }))
    };
    rename("file", "%=%E9t%E9.txt", "été.txt").expect(200);
    rename("file", "%=%25=%25E9t%25E9.txt", "odd.txt").expect(200);
    rename("folder", "%=d%FF", "d").expect(200);
    assert_eq!(larder.read("docs/été.txt"), "new");
    assert_eq!(larder.read("docs/odd.txt"), "3");
    assert_eq!(told(&larder, "docs/d"), [("%=in%FE.txt".to_owned(), true)]);
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn nothing_new_is_called_so() {
    let larder = house();
    let ana = larder.http("ana");
    let name = "%=new%FF.txt";
    let refused = |answer: crate::harness::Answer| answer.expect_error(400, "Invalid name");
    refused(ana.upload(&Form::new().field("path", "docs").file(name, "x")));
    refused(ana.upload(&Form::new().field("path", "docs/%=n%FF").file("x", "x")));
    let ask = json!({ "path": "docs", "file_name": name, "file_content": "x" });
    refused(ana.post("/api/new_file", ask));
    refused(ana.post("/api/create_folder", json!({ "path": "docs", "folder_name": "%=n%FF" })));
    let ask = json!({ "path": "docs", "file_name": "100%E9.txt", "new_name": name });
    refused(ana.post("/api/rename_file", ask));
    assert_eq!(told(&larder, "docs").len(), 5);
    assert_eq!(larder.unfinished(), 0);
    // A grant is of the folder that is told so, and of no other.
    let larder = larder.user_with("bob", "user", r#"["docs/%=d%FF"]"#, "[]");
    let bob = larder.http("bob");
    bob.get_with("/api/finder", "path", "docs/%=d%FF").expect(200);
    bob.get_with("/api/download", "file_path", "docs/%=%E9t%E9.txt").expect(401);
}

#[test]
fn over_ftp_as_well() {
    let larder = house();
    let port = FtpHouse::switch_on(&larder);
    let house = FtpHouse { larder, port };
    house.user("cam", "", ALL_LETTERS);
    let mut cam = house.sign_in("cam");
    cam.expect("CWD docs", 250);
    let names = cam.names("NLST");
    assert!(names.contains(&"%=%E9t%E9.txt".to_owned()) && names.len() == 5, "{names:?}");
    assert_eq!(cam.fetch_text("RETR %=%E9t%E9.txt"), "1");
    cam.expect("SIZE %=%E9t%E9.txt", 213);
    cam.expect("RNFR %=%E9t%E9.txt", 350);
    cam.expect("RNTO /to/%=%E9t%E9.txt", 250);
    assert!(place(&house.larder, b"to/\xe9t\xe9.txt").exists());
    cam.expect("RNFR /to/%=%E9t%E9.txt", 350);
    cam.expect("RNTO /to/%=other%FF.txt", 553);
    assert_eq!(cam.store("STOR %=new%FF.txt", "x").0, 553);
    // A folder that holds them is emptied, as clients do it.
    cam.expect("CWD %=d%FF", 250);
    for name in cam.names("NLST") {
        cam.expect(&format!("DELE {name}"), 250);
    }
    cam.expect("CDUP", 250);
    cam.expect("RMD %=d%FF", 250);
    for name in cam.names("NLST") {
        cam.expect(&format!("DELE {name}"), 250);
    }
    cam.expect("CDUP", 250);
    cam.expect("RMD docs", 250);
    assert!(!house.larder.exists("docs"));
}
