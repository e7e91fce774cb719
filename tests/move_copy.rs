//! `POST /api/move` and `POST /api/copy`: contract, section 11.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Answer, Larder};

/// A move's or a copy's sentence when it is done.
const BOTH: [(&str, &str); 2] = [("/api/move", "Moved"), ("/api/copy", "Copied")];

/// Asks as `ana`.
#[track_caller]
fn ask(larder: &Larder, path: &str, paths: &[&str], to: &str) -> Answer {
    larder.http("ana").post(path, json!({ "paths": paths, "to": to }))
}

/// The same with `if_exists`.
#[track_caller]
fn ask_if(larder: &Larder, path: &str, paths: &[&str], to: &str, if_exists: &str) -> Answer {
    larder.http("ana").post(path, json!({ "paths": paths, "to": to, "if_exists": if_exists }))
}

fn house() -> Larder {
    Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .file("docs/ü 🍯.txt", "honey")
        .file("docs/deep/b.txt", "B")
        .folder("docs/empty")
        .folder("to")
}

#[test]
fn files_and_folders_are_moved() {
    let larder = house();
    let json =
        ask(&larder, "/api/move", &["/docs/ü 🍯.txt", "docs/deep/"], "/to").expect_status("Moved");
    assert_eq!(json["paths"], json!(["to/ü 🍯.txt", "to/deep"]));
    let tree =
        ["docs/", "docs/a.txt", "docs/empty/", "to/", "to/deep/", "to/deep/b.txt", "to/ü 🍯.txt"];
    assert_eq!(larder.tree(), tree);
    let json = ask(&larder, "/api/move", &["to/deep/b.txt"], "").expect_status("Moved");
    assert_eq!(json["paths"], json!(["b.txt"]));
    assert_eq!(larder.read("b.txt"), "B");
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn files_and_folders_are_copied_with_modes_and_times() {
    let larder = house();
    let source = larder.root().join("docs/a.txt");
    fs::set_permissions(&source, Permissions::from_mode(0o4640)).unwrap();
    let file = File::options().write(true).open(&source).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_234_567_890)).unwrap();
    let before = larder.tree();
    let json = ask(&larder, "/api/copy", &["docs", "docs/a.txt"], "to").expect_status("Copied");
    assert_eq!(json["paths"], json!(["to/docs", "to/a.txt"]));
    for name in ["a.txt", "ü 🍯.txt", "deep/b.txt"] {
        assert_eq!(larder.read(&format!("to/docs/{name}")), larder.read(&format!("docs/{name}")));
    }
    assert!(larder.exists("to/docs/empty"));
    assert_eq!(larder.tree().len(), before.len() * 2, "{:?}", larder.tree());
    for name in ["to/a.txt", "to/docs/a.txt"] {
        let stat = fs::metadata(larder.root().join(name)).unwrap();
        assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o640, 1_234_567_890), "{name}");
    }
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn nothing_is_overwritten_unless_that_was_asked_for() {
    for (path, sentence) in BOTH {
        let larder = house().file("to/a.txt", "old").file("to/deep/old.txt", "old");
        let before = larder.tree();
        for names in [&["docs/empty", "docs/a.txt"][..], &["docs/deep"]] {
            ask(&larder, path, names, "to").expect_error(409, "Target already exists");
            ask_if(&larder, path, names, "to", "error").expect_error(409, "Target already exists");
        }
        assert_eq!(larder.tree(), before, "something came before the collision was found");
        let json = ask_if(&larder, path, &["docs/a.txt", "docs/deep"], "to", "rename");
        let json = json.expect_status(sentence);
        assert_eq!(json["paths"], json!(["to/a (1).txt", "to/deep (1)"]));
        assert_eq!(larder.read("to/a.txt"), "old");
        assert_eq!(larder.read("to/a (1).txt"), "A");
        assert_eq!(larder.read("to/deep (1)/b.txt"), "B");
        larder.write("docs/a.txt", "new");
        larder.write("docs/deep/new.txt", "new");
        let json = ask_if(&larder, path, &["docs/a.txt", "docs/deep"], "to", "overwrite");
        let json = json.expect_status(sentence);
        assert_eq!(json["paths"], json!(["to/a.txt", "to/deep"]));
        assert_eq!(larder.read("to/a.txt"), "new");
        assert_eq!(larder.read("to/deep/new.txt"), "new");
        assert!(!larder.exists("to/deep/old.txt"), "two folders were mixed");
        // A file and a folder never replace each other.
        larder.write("docs/deep2", "a file");
        larder.write("docs/file/x", "in a folder");
        larder.write("to/deep2/x", "in a folder");
        larder.write("to/file", "a file");
        for source in ["docs/deep2", "docs/file"] {
            ask_if(&larder, path, &[source], "to", "overwrite")
                .expect_error(409, "Target already exists");
        }
        assert_eq!(larder.read("to/deep2/x"), "in a folder");
        assert_eq!(larder.read("to/file"), "a file");
    }
}

#[test]
fn a_copy_in_its_own_folder_gets_a_number_and_a_move_there_is_a_collision() {
    let larder = house();
    for (path, _) in BOTH {
        ask(&larder, path, &["docs/a.txt"], "docs").expect_error(409, "Target already exists");
    }
    let json = ask_if(&larder, "/api/copy", &["docs/a.txt"], "docs", "rename");
    assert_eq!(json.expect_status("Copied")["paths"], json!(["docs/a (1).txt"]));
    for (path, sentence) in BOTH {
        let json = ask_if(&larder, path, &["docs/deep"], "docs", "overwrite");
        assert_eq!(json.expect_status(sentence)["paths"], json!(["docs/deep"]));
        assert_eq!(larder.read("docs/deep/b.txt"), "B");
    }
}

#[test]
fn wrong_questions_are_refused() {
    let larder = house();
    let ana = larder.http("ana");
    for (path, _) in BOTH {
        let refuse = |body: Value, sentence: &str| {
            ana.post(path, body).expect_error(400, sentence);
        };
        refuse(json!({}), "No paths provided");
        refuse(json!({ "to": "to" }), "No paths provided");
        refuse(json!({ "paths": [], "to": "to" }), "No paths provided");
        refuse(json!({ "paths": null, "to": "to" }), "No paths provided");
        refuse(json!({ "paths": ["docs/a.txt"] }), "No target provided");
        refuse(json!({ "paths": "docs/a.txt", "to": "to" }), "paths must be an array of strings");
        refuse(
            json!({ "paths": ["docs/a.txt", 1], "to": "to" }),
            "paths must be an array of strings",
        );
        refuse(json!({ "paths": ["docs/a.txt"], "to": 1 }), "to must be a string");
        refuse(
            json!({ "paths": ["docs/a.txt"], "to": "to", "job": "yes" }),
            "job must be true or false",
        );
        refuse(json!({ "paths": ["../x"], "to": "to" }), "Invalid path");
        refuse(json!({ "paths": ["docs/a.txt"], "to": ".." }), "Invalid path");
        refuse(
            json!({ "paths": ["docs/a.txt"], "to": "to", "if_exists": "ask" }),
            "if_exists must be overwrite, rename or error",
        );
        refuse(
            json!({ "paths": ["docs"], "to": "docs/a.txt" }),
            "A folder can't be moved or copied into itself",
        );
        refuse(
            json!({ "paths": ["docs"], "to": "docs" }),
            "A folder can't be moved or copied into itself",
        );
        refuse(
            json!({ "paths": ["docs"], "to": "docs/deep" }),
            "A folder can't be moved or copied into itself",
        );
        refuse(json!({ "paths": ["/"], "to": "to" }), "The root can't be moved or copied");
        refuse(json!({ "paths": ["docs/deep"], "to": "docs/a.txt" }), "Path is not a folder");
        for (source, to) in [("missing", "to"), ("docs/a.txt", "missing"), (".larder", "to")] {
            ask(&larder, path, &[source], to).expect_error(404, "Path does not exist");
        }
        let many = vec!["x"; 10_001];
        refuse(json!({ "paths": many, "to": "to" }), "Too many paths");
        let long = vec!["x".repeat(60_000); 40];
        refuse(json!({ "paths": long, "to": "to" }), "paths is too long");
    }
    ask(&larder, "/api/move", &["docs", "docs/a.txt"], "to").expect_error(400, "The paths overlap");
    assert_eq!(larder.tree().len(), 7, "{:?}", larder.tree());
}

#[test]
fn rights_are_judged_at_both_ends_before_existence() {
    let larder = Larder::start()
        .user_with("ben", "user", r#"["mine", "shared"]"#, r#"["mine", "drop"]"#)
        .file("mine/a.txt", "A")
        .file("mine2/x.txt", "X")
        .file("shared/c.txt", "C")
        .folder("drop")
        .link("mine/out", "/etc/passwd")
        .link("mine/way", "../mine2/x.txt");
    let ben = larder.http("ben");
    let ask = |path: &str, source: &str, to: &str| {
        ben.post(path, json!({ "paths": ["mine/a.txt", source], "to": to }))
    };
    for (path, _) in BOTH {
        for source in ["mine2/x.txt", "mine2/missing", "missing", "mine/way", ""] {
            if source.is_empty() {
                continue;
            }
            ask(path, source, "drop").expect_error(401, "Unauthorized");
        }
        for to in ["shared", "missing", "mine2"] {
            ask(path, "shared/c.txt", to).expect_error(401, "Unauthorized");
        }
        ask(path, "mine/missing", "drop").expect_error(404, "Path does not exist");
        ask(path, "mine/out", "drop").expect_error(404, "Path does not exist");
        ask(path, "mine/a.txt", "drop").expect_refusal(if path == "/api/move" { 400 } else { 409 });
    }
    ask("/api/move", "shared/c.txt", "drop").expect_error(401, "Unauthorized");
    ask("/api/copy", "shared/c.txt", "drop").expect_status("Copied");
    assert_eq!(larder.read("drop/c.txt"), "C");
    assert_eq!(larder.read("shared/c.txt"), "C");
}

#[test]
fn links_come_along_as_links_unless_they_lead_where_the_caller_may_not_read() {
    let larder = Larder::start()
        .user_with("ben", "user", r#"["mine"]"#, r#"["mine"]"#)
        .file("mine/docs/a.txt", "A")
        .file("secret.txt", "S")
        .link("mine/docs/inside", "a.txt")
        .link("mine/docs/outside", "/etc/passwd")
        .link("mine/docs/secret", "../../secret.txt")
        .folder("mine/to");
    let ben = larder.http("ben");
    ben.post("/api/copy", json!({ "paths": ["mine/docs"], "to": "mine/to" }))
        .expect_status("Copied");
    let root = larder.root();
    assert!(root.join("mine/to/docs/inside").is_symlink());
    for name in ["outside", "secret"] {
        assert!(!larder.exists(&format!("mine/to/docs/{name}")), "{name}");
    }
}

#[test]
fn a_big_copy_costs_little_memory() {
    let larder = Larder::start().user("ana").file("big.bin", vec![7; 48 << 20]).folder("to");
    for number in 0..2000 {
        larder.write(&format!("many/{}/{number}", number % 40), "x");
    }
    // The first request touches what any request does.
    larder.http("ana").get("/api/finder").expect(200);
    let before = larder.process().memory_peak_kib();
    ask(&larder, "/api/copy", &["big.bin", "many"], "to").expect_status("Copied");
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "grew by {grown} KiB");
    assert_eq!(fs::metadata(larder.root().join("to/big.bin")).unwrap().len(), 48 << 20);
    assert_eq!(fs::read_dir(larder.root().join("to/many/7")).unwrap().count(), 50);
}

#[test]
fn what_was_done_is_in_the_logbook() {
    let mut larder = house();
    ask(&larder, "/api/copy", &["docs/a.txt"], "to").expect_status("Copied");
    ask(&larder, "/api/move", &["docs/deep"], "to").expect_status("Moved");
    larder.stop();
    let log = fs::read(larder.state().join("db/logs.db")).unwrap();
    let has = |text: &str| log.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("ana: copied /docs/a.txt to /to/a.txt"));
    assert!(has("ana: moved /docs/deep to /to/deep"));
}

#[test]
fn what_is_replaced_is_in_the_trash_and_comes_back() {
    for (path, sentence) in BOTH {
        let larder = house().file("to/a.txt", "old").file("to/deep/old.txt", "old");
        let names = ["docs/a.txt", "docs/deep"];
        ask_if(&larder, path, &names, "to", "overwrite").expect_status(sentence);
        let ana = larder.http("ana");
        let trash = ana.get("/api/trash").expect(200).json();
        let mut told: Vec<_> = trash.as_array().unwrap().iter().collect();
        told.sort_by_key(|item| item["path"].as_str().map(str::to_owned));
        let paths: Vec<_> = told.iter().map(|item| item["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["to/a.txt", "to/deep"]);
        for item in &told {
            assert_eq!((&item["reason"], &item["by"]), (&json!("replaced"), &json!("ana")));
        }
        ana.post("/api/trash/restore", json!({ "ids": [told[1]["id"]] })).expect_status("Restored");
        assert_eq!(larder.read("to/deep (1)/old.txt"), "old");
        assert_eq!(larder.read("to/deep/b.txt"), "B");
    }
}
