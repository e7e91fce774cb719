//! Folders: making, renaming, deleting.

use std::fs;

use serde_json::json;

use crate::harness::Larder;

#[test]
fn a_folder_is_made() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    let json = ana
        .post("/api/create_folder", json!({ "folder_name": "new" }))
        .expect_status("Folder created");
    assert_eq!(json["path"], "new");
    for (path, made) in [("docs", "docs/a"), ("/docs/", "docs/b"), ("docs/.", "docs/c")] {
        let name = &made[5..];
        let ask = json!({ "folder_name": name, "path": path });
        assert_eq!(
            ana.post("/api/create_folder", ask).expect_status("Folder created")["path"],
            made
        );
    }
    for path in ["", "/", ".", "./"] {
        let name = format!("root{}", path.len() + path.matches('/').count() * 10);
        let ask = json!({ "folder_name": name, "path": path });
        assert_eq!(
            ana.post("/api/create_folder", ask).expect_status("Folder created")["path"],
            name
        );
    }
    assert!(larder.root().join("docs/c").is_dir());
}

#[test]
fn a_folder_that_exists_is_a_collision() {
    let larder =
        Larder::start().user("ana").folder("docs").file("a.txt", "A").link("dangling", "nowhere");
    let ana = larder.http("ana");
    for name in ["docs", "a.txt", "dangling"] {
        let ask = json!({ "folder_name": name });
        ana.post("/api/create_folder", ask).expect_error(409, "Folder already exists");
    }
}

#[test]
fn a_folder_in_a_missing_one_is_not_found() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    for path in ["missing", "a.txt", "a.txt/b"] {
        let ask = json!({ "folder_name": "new", "path": path });
        ana.post("/api/create_folder", ask).expect_refusal(404);
    }
    assert_eq!(larder.tree(), ["a.txt"]);
}

#[test]
fn a_folder_needs_a_name() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for ask in [json!({}), json!({ "path": "" }), json!({ "folder_name": null })] {
        ana.post("/api/create_folder", ask).expect_error(400, "No folder name provided");
    }
    ana.post_raw("/api/create_folder", None, b"").expect_refusal(400);
    for ask in [
        json!({ "folder_name": 1 }),
        json!({ "folder_name": ["a"] }),
        json!({ "folder_name": "a", "path": {} }),
    ] {
        ana.post("/api/create_folder", ask).expect_refusal(400);
    }
    assert!(larder.tree().is_empty());
}

#[test]
fn a_folders_name_is_one_component() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let long = "a".repeat(256);
    for name in ["a/b", "/", "/a", "a/", ".", "..", "a\0b", &long] {
        let ask = json!({ "folder_name": name });
        ana.post("/api/create_folder", ask).expect_error(400, "Invalid name");
    }
    for path in ["..", "a/../b", "a\0", "../x", "/..", &format!("{long}/b")] {
        let ask = json!({ "folder_name": "new", "path": path });
        ana.post("/api/create_folder", ask).expect_error(400, "Invalid path");
    }
    assert!(larder.tree().is_empty());
    let longest = "a".repeat(255);
    ana.post("/api/create_folder", json!({ "folder_name": longest })).expect(200);
    assert!(larder.exists(&longest));
}

#[test]
fn larders_own_folder_is_out_of_reach() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    let before = fs::read(larder.root().join(".larder/id")).unwrap();
    for answer in [
        ana.post("/api/create_folder", json!({ "folder_name": ".larder" })),
        ana.post("/api/create_folder", json!({ "folder_name": "x", "path": ".larder" })),
        ana.post("/api/delete_folder", json!({ "path": ".larder" })),
        ana.post("/api/delete_folder", json!({ "path": ".larder/tmp" })),
        ana.post("/api/rename_folder", json!({ "folder_name": ".larder", "new_name": "x" })),
        ana.post("/api/rename_folder", json!({ "folder_name": "docs", "new_name": ".larder" })),
    ] {
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    assert_eq!(fs::read(larder.root().join(".larder/id")).unwrap(), before);
    assert_eq!(larder.tree(), ["docs/"]);
}

#[test]
fn a_folder_is_deleted_with_all_that_is_in_it() {
    let larder = Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .file("docs/.hidden", "H")
        .file("docs/deep/er/b.txt", "B")
        .folder("docs/empty")
        .file("docs2/a.txt", "A");
    let ana = larder.http("ana");
    ana.post("/api/delete_folder", json!({ "path": "docs" })).expect_status("Folder deleted");
    assert_eq!(larder.tree(), ["docs2/", "docs2/a.txt"]);
    ana.post("/api/delete_folder", json!({ "path": "docs" }))
        .expect_error(404, "Path does not exist");
    let ask = json!({ "path": "/docs2/", "permanent": true });
    ana.post("/api/delete_folder", ask).expect_status("Folder deleted");
    assert!(larder.tree().is_empty());
}

#[test]
fn deleting_a_folder_never_follows_links() {
    let larder = Larder::start()
        .user("ana")
        .file("keep/a.txt", "A")
        .folder("docs")
        .link("docs/inside", "../keep")
        .link("docs/inside.txt", "../keep/a.txt");
    fs::write(larder.outside().join("o.txt"), "O").unwrap();
    let outside = larder.outside();
    let larder = larder.link("docs/outside", &outside).link("docs/dangling", "nowhere");
    larder
        .http("ana")
        .post("/api/delete_folder", json!({ "path": "docs" }))
        .expect_status("Folder deleted");
    assert_eq!(larder.tree(), ["keep/", "keep/a.txt"]);
    assert_eq!(fs::read_to_string(larder.outside().join("o.txt")).unwrap(), "O");
}

#[test]
fn deleting_a_folder_refuses_what_is_none() {
    let larder = Larder::start().user("ana").file("a.txt", "A").folder("docs").link("link", "docs");
    let ana = larder.http("ana");
    let delete = |path: &str| ana.post("/api/delete_folder", json!({ "path": path }));
    delete("a.txt").expect_error(400, "Path is not a folder");
    delete("missing").expect_error(404, "Path does not exist");
    delete("a.txt/b").expect_refusal(404);
    for root in ["", "/", ".", "./."] {
        delete(root).expect_refusal(400);
    }
    for ask in [json!({}), json!({ "path": null }), json!({ "permanent": true })] {
        ana.post("/api/delete_folder", ask).expect_error(400, "No path provided");
    }
    for ask in [json!({ "path": 1 }), json!({ "path": "docs", "permanent": "yes" })] {
        ana.post("/api/delete_folder", ask).expect_refusal(400);
    }
    delete("..").expect_error(400, "Invalid path");
    delete("docs/..").expect_error(400, "Invalid path");
    assert_eq!(larder.tree(), ["a.txt", "docs/", "link"]);
}

#[test]
fn a_deep_folder_is_deleted() {
    let deep = "d/".repeat(800);
    let larder = Larder::start().user("ana").folder(&deep[..deep.len() - 1]);
    larder
        .http("ana")
        .post("/api/delete_folder", json!({ "path": "d" }))
        .expect_status("Folder deleted");
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn a_folder_of_a_thousand_files_is_deleted() {
    let mut larder = Larder::start().user("ana");
    for number in 0..1000 {
        larder = larder.file(&format!("many/{number}.txt"), "x");
    }
    larder
        .http("ana")
        .post("/api/delete_folder", json!({ "path": "many" }))
        .expect_status("Folder deleted");
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn a_folder_is_renamed_with_its_content() {
    let larder = Larder::start().user("ana").file("docs/old/a.txt", "A").folder("top");
    let ana = larder.http("ana");
    let ask = json!({ "path": "docs", "folder_name": "old", "new_name": "new" });
    assert_eq!(
        ana.post("/api/rename_folder", ask).expect_status("Folder renamed")["path"],
        "docs/new"
    );
    let ask = json!({ "folder_name": "top", "new_name": "Top" });
    assert_eq!(ana.post("/api/rename_folder", ask).expect_status("Folder renamed")["path"], "Top");
    assert_eq!(larder.tree(), ["Top/", "docs/", "docs/new/", "docs/new/a.txt"]);
}

#[test]
fn renaming_a_folder_never_overwrites() {
    let larder = Larder::start()
        .user("ana")
        .folder("a")
        .folder("empty")
        .file("full/f.txt", "F")
        .file("file.txt", "X")
        .link("dangling", "nowhere");
    let ana = larder.http("ana");
    for target in ["empty", "full", "file.txt", "dangling"] {
        let ask = json!({ "folder_name": "a", "new_name": target });
        ana.post("/api/rename_folder", ask).expect_error(409, "Target already exists");
    }
    assert_eq!(larder.tree(), ["a/", "dangling", "empty/", "file.txt", "full/", "full/f.txt"]);
}

#[test]
fn renaming_a_folder_refuses_bad_input() {
    let larder = Larder::start().user("ana").folder("a").file("f.txt", "F");
    let ana = larder.http("ana");
    let rename = |ask: serde_json::Value| ana.post("/api/rename_folder", ask);
    for ask in [
        json!({}),
        json!({ "folder_name": "a" }),
        json!({ "new_name": "b" }),
        json!({ "folder_name": "a", "new_name": null }),
    ] {
        rename(ask).expect_error(400, "No folder name provided");
    }
    for (old, new) in
        [("a", "b/c"), ("a", ".."), ("a", "."), ("../a", "b"), ("a", "x\0"), (".", "b"), ("a", "/")]
    {
        rename(json!({ "folder_name": old, "new_name": new })).expect_error(400, "Invalid name");
    }
    rename(json!({ "folder_name": "a", "new_name": "x".repeat(256) }))
        .expect_error(400, "Invalid name");
    rename(json!({ "folder_name": "a", "new_name": "b", "path": ".." }))
        .expect_error(400, "Invalid path");
    rename(json!({ "folder_name": "a", "new_name": 5 })).expect_refusal(400);
    rename(json!({ "folder_name": "missing", "new_name": "b" }))
        .expect_error(404, "Path does not exist");
    rename(json!({ "folder_name": "a", "new_name": "b", "path": "missing" })).expect_refusal(404);
    rename(json!({ "folder_name": "f.txt", "new_name": "b" }))
        .expect_error(400, "Path is not a folder");
    assert_eq!(larder.tree(), ["a/", "f.txt"]);
}

#[test]
fn two_clients_who_make_the_same_folder_get_one_and_one_collision() {
    let larder = Larder::start().user("ana");
    for round in 0..20 {
        let ask = json!({ "folder_name": format!("f{round}") });
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let make = || larder.http("ana").post("/api/create_folder", ask.clone()).status;
            let both = [scope.spawn(make), scope.spawn(make)];
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().sum::<u16>(), 200 + 409, "{statuses:?}");
    }
}
