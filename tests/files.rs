//! Single files: making, reading, editing, renaming, deleting.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Larder, encode};

/// Names that are odd and allowed.
const ODD_NAMES: &[&str] = &[
    "a b.txt",
    "übermäßig.txt",
    "u\u{308}.txt",
    "\u{fc}.txt",
    "日本語.txt",
    "🍯 honey.txt",
    "\"quoted\".txt",
    "it's.txt",
    "back\\slash.txt",
    "new\nline.txt",
    "tab\t.txt",
    "semi;colon&amp=per%41cent+plus#hash?.txt",
    "...",
    "..a",
    "-rf",
    "~",
    "*",
    "$(reboot)",
    "<img src=x onerror=alert(1)>",
    ".hidden",
    "name.with.many.dots",
    "\u{202e}txt.exe",
    "CON",
    "\u{7f}\u{1}",
];

#[test]
fn a_file_is_made() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    let ask = json!({ "file_name": "a.txt", "path": "docs", "file_content": "Hello\n" });
    assert_eq!(ana.post("/api/new_file", ask).expect_status("File created")["path"], "docs/a.txt");
    let ask = json!({ "file_name": "empty", "file_content": "" });
    assert_eq!(ana.post("/api/new_file", ask).expect_status("File created")["path"], "empty");
    let ask = json!({ "file_name": "b.txt", "path": "/docs/", "file_content": "é\u{0}\u{1F36F}", "extra": [1, { "a": 2 }] });
    assert_eq!(ana.post("/api/new_file", ask).expect_status("File created")["path"], "docs/b.txt");
    assert_eq!(larder.read("docs/a.txt"), "Hello\n");
    assert_eq!(larder.read("empty"), "");
    assert_eq!(larder.read("docs/b.txt"), "é\u{0}\u{1F36F}");
    let mode = fs::metadata(larder.root().join("empty")).unwrap().mode() & 0o7777;
    assert_eq!(mode & 0o600, 0o600, "{mode:o}");
    assert_eq!(mode & 0o7002, 0, "{mode:o}");
    larder.wait_until_tidy();
}

#[test]
fn fields_may_come_in_any_order() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    for (number, body) in [
        r#"{"file_content": "C", "file_name": "0", "path": "docs"}"#,
        r#"{"file_content": "C", "path": "docs", "file_name": "1"}"#,
        r#"{"path": "docs", "file_name": "2", "file_content": "C"}"#,
        " \n{\t\"path\":\"docs\",\"file_name\":\"3\",\"file_content\":\"\\u0043\"}\r\n ",
    ]
    .iter()
    .enumerate()
    {
        ana.post_raw("/api/new_file", None, body.as_bytes()).expect_status("File created");
        assert_eq!(larder.read(&format!("docs/{number}")), "C");
    }
}

#[test]
fn making_a_file_never_overwrites() {
    let larder =
        Larder::start().user("ana").file("a.txt", "A").folder("docs").link("dangling", "nowhere");
    let ana = larder.http("ana");
    for name in ["a.txt", "docs", "dangling"] {
        let ask = json!({ "file_name": name, "file_content": "B" });
        ana.post("/api/new_file", ask).expect_error(409, "File already exists");
    }
    assert_eq!(larder.read("a.txt"), "A");
    assert_eq!(larder.tree(), ["a.txt", "dangling", "docs/"]);
    larder.wait_until_tidy();
}

#[test]
fn a_new_file_needs_a_name_and_content() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for ask in [
        json!({}),
        json!({ "file_name": "a" }),
        json!({ "file_content": "a" }),
        json!({ "file_name": null, "file_content": "a" }),
        json!({ "file_name": "a", "file_content": null }),
        json!({ "path": "missing" }),
    ] {
        ana.post("/api/new_file", ask).expect_error(400, "No file name or content provided");
    }
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn a_new_file_in_a_missing_folder_is_not_found() {
    let larder = Larder::start().user("ana").file("f.txt", "F");
    let ana = larder.http("ana");
    for path in ["missing", "f.txt", "missing/deep"] {
        let ask = json!({ "file_name": "a", "path": path, "file_content": "A" });
        ana.post("/api/new_file", ask).expect_refusal(404);
    }
    assert_eq!(larder.tree(), ["f.txt"]);
    larder.wait_until_tidy();
}

#[test]
fn odd_names_are_kept_as_they_are() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for name in ODD_NAMES {
        let ask = json!({ "file_name": name, "file_content": name });
        assert_eq!(ana.post("/api/new_file", ask).expect_status("File created")["path"], *name);
    }
    let items = ana.get("/api/finder").expect(200).json()["items"].clone();
    let mut expected = ODD_NAMES.to_vec();
    expected.sort_unstable();
    let mut found: Vec<&str> =
        items.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    for name in ODD_NAMES {
        let json = ana
            .get_with("/api/get_file", "file_path", name)
            .expect_status("File content retrieved");
        assert_eq!(json["content"], *name);
        assert_eq!(ana.get_with("/api/download", "file_path", name).expect(200).text(), *name);
        let ask = json!({ "path": "", "file_name": name, "new_name": format!("{name}2") });
        ana.post("/api/rename_file", ask).expect_status("File renamed");
        let ask = json!({ "path": format!("{name}2"), "file_content": "x" });
        ana.post("/api/edit_file", ask).expect_status("File edited");
        ana.post("/api/delete_file", json!({ "path": format!("{name}2") }))
            .expect_status("File deleted");
    }
    assert!(larder.tree().is_empty());
}

#[test]
fn a_name_of_255_bytes_is_the_longest() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let longest = "é".repeat(127) + "x";
    assert_eq!(longest.len(), 255);
    let ask = json!({ "file_name": longest, "file_content": "A" });
    ana.post("/api/new_file", ask).expect_status("File created");
    ana.get_with("/api/get_file", "file_path", &longest).expect(200);
    ana.post("/api/edit_file", json!({ "path": longest, "file_content": "B" }))
        .expect_status("File edited");
    assert_eq!(larder.read(&longest), "B");
    let too_long = longest.clone() + "y";
    let ask = json!({ "file_name": too_long, "file_content": "A" });
    ana.post("/api/new_file", ask).expect_error(400, "Invalid name");
    ana.post("/api/edit_file", json!({ "path": too_long })).expect_error(400, "Invalid path");
    ana.get_with("/api/get_file", "file_path", &too_long).expect_error(400, "Invalid path");
    let ask = json!({ "path": "", "file_name": longest, "new_name": too_long });
    ana.post("/api/rename_file", ask).expect_error(400, "Invalid name");
}

#[test]
fn a_name_that_is_no_component_is_invalid() {
    let larder = Larder::start().user("ana").file("a.txt", "A").folder("docs");
    let ana = larder.http("ana");
    for name in ["", "/", "a/b", "/a", "a/", ".", "..", "../x", "a\0b", "\0"] {
        let ask = json!({ "file_name": name, "file_content": "B" });
        ana.post("/api/new_file", ask).expect_refusal(400);
        if !name.is_empty() {
            let ask = json!({ "file_name": name, "file_content": "B" });
            ana.post("/api/new_file", ask).expect_error(400, "Invalid name");
            let ask = json!({ "path": "", "file_name": "a.txt", "new_name": name });
            ana.post("/api/rename_file", ask).expect_error(400, "Invalid name");
            let ask = json!({ "path": "", "file_name": name, "new_name": "b.txt" });
            ana.post("/api/rename_file", ask).expect_error(400, "Invalid name");
        }
    }
    for path in ["..", "../x", "docs/..", "docs/../a.txt", "/..", "a\0", "./../x"] {
        let ask = json!({ "path": path, "file_name": "n", "file_content": "B" });
        ana.post("/api/new_file", ask).expect_error(400, "Invalid path");
        ana.post("/api/edit_file", json!({ "path": path })).expect_error(400, "Invalid path");
        ana.post("/api/delete_file", json!({ "path": path })).expect_error(400, "Invalid path");
        ana.get_with("/api/get_file", "file_path", path).expect_error(400, "Invalid path");
        let ask = json!({ "path": path, "file_name": "a.txt", "new_name": "b.txt" });
        ana.post("/api/rename_file", ask).expect_error(400, "Invalid path");
    }
    assert_eq!(larder.tree(), ["a.txt", "docs/"]);
}

#[test]
fn larders_own_folder_is_out_of_reach() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    let marker = fs::read(larder.root().join(".larder/id")).unwrap();
    for answer in [
        ana.get("/api/get_file?file_path=.larder/id"),
        ana.get("/api/get_file?file_path=/.larder/id"),
        ana.get("/api/get_file?file_path=./.larder//id"),
        ana.get("/api/download?file_path=.larder/id"),
        ana.get("/api/download?file_path=.larder"),
        ana.get("/api/finder?path=.larder"),
        ana.post(
            "/api/new_file",
            json!({ "path": ".larder", "file_name": "x", "file_content": "" }),
        ),
        ana.post("/api/new_file", json!({ "file_name": ".larder", "file_content": "" })),
        ana.post("/api/edit_file", json!({ "path": ".larder/id", "file_content": "x" })),
        ana.post("/api/delete_file", json!({ "path": ".larder/id" })),
        ana.post(
            "/api/rename_file",
            json!({ "path": ".larder", "file_name": "id", "new_name": "x" }),
        ),
        ana.post(
            "/api/rename_file",
            json!({ "path": "", "file_name": "a.txt", "new_name": ".larder" }),
        ),
    ] {
        assert!(matches!(answer.status, 400 | 404), "{answer}");
        answer.json()["error"].as_str().expect("a sentence");
    }
    assert_eq!(fs::read(larder.root().join(".larder/id")).unwrap(), marker);
    assert_eq!(ana.get("/api/finder").expect(200).json()["items"], json!(["a.txt"]));
    assert_eq!(larder.tree(), ["a.txt"]);
}

#[test]
fn editing_replaces_the_content() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "a long old content").folder("b");
    let ana = larder.http("ana");
    let ask = json!({ "path": "docs/a.txt", "file_content": "new" });
    assert_eq!(ana.post("/api/edit_file", ask).expect_status("File edited")["path"], "docs/a.txt");
    assert_eq!(larder.read("docs/a.txt"), "new");
    let ask = json!({ "path": "/docs//a.txt", "file_content": "newer" });
    assert_eq!(ana.post("/api/edit_file", ask).expect_status("File edited")["path"], "docs/a.txt");
    for ask in
        [json!({ "path": "docs/a.txt" }), json!({ "path": "docs/a.txt", "file_content": null })]
    {
        ana.post("/api/edit_file", json!({ "path": "docs/a.txt", "file_content": "x" }))
            .expect(200);
        ana.post("/api/edit_file", ask).expect_status("File edited");
        assert_eq!(larder.read("docs/a.txt"), "");
    }
    ana.post("/api/edit_file", json!({ "path": "b/made.txt", "file_content": "M" }))
        .expect_status("File edited");
    assert_eq!(larder.read("b/made.txt"), "M");
    larder.wait_until_tidy();
}

#[test]
fn editing_keeps_the_mode() {
    let larder = Larder::start().user("ana").file("a.sh", "#!/bin/sh\n");
    let path = larder.root().join("a.sh");
    for mode in [0o755, 0o600, 0o640] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let ask = json!({ "path": "a.sh", "file_content": mode.to_string() });
        larder.http("ana").post("/api/edit_file", ask).expect_status("File edited");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        assert_eq!(larder.read("a.sh"), mode.to_string());
    }
}

#[test]
fn editing_refuses_what_is_no_file() {
    let larder = Larder::start().user("ana").folder("docs").file("f.txt", "F");
    let ana = larder.http("ana");
    for ask in [json!({}), json!({ "file_content": "x" }), json!({ "path": null })] {
        ana.post("/api/edit_file", ask).expect_error(400, "No path provided");
    }
    ana.post("/api/edit_file", json!({ "path": "missing/a.txt" })).expect_refusal(404);
    ana.post("/api/edit_file", json!({ "path": "f.txt/a.txt" })).expect_refusal(404);
    ana.post("/api/edit_file", json!({ "path": "docs", "file_content": "x" })).expect_refusal(400);
    ana.post("/api/edit_file", json!({ "path": "", "file_content": "x" })).expect_refusal(400);
    assert_eq!(larder.tree(), ["docs/", "f.txt"]);
    assert_eq!(larder.read("f.txt"), "F");
    larder.wait_until_tidy();
}

#[test]
fn a_reader_sees_the_old_content_or_the_new() {
    let (old, new) = ("o".repeat(300_000), "n".repeat(400_000));
    let larder = Larder::start().user("ana").file("a.txt", &old);
    let path = larder.root().join("a.txt");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..30 {
                let content = if round % 2 == 0 { &new } else { &old };
                let ask = json!({ "path": "a.txt", "file_content": content });
                larder.http("ana").post("/api/edit_file", ask).expect(200);
            }
        });
        let mut looks = 0;
        while !writer.is_finished() {
            let seen = fs::read_to_string(&path).unwrap();
            assert!(seen == old || seen == new, "{} bytes", seen.len());
            looks += 1;
        }
        assert!(looks > 10);
    });
}

#[test]
fn editing_through_a_link_edits_what_it_leads_to() {
    let larder = Larder::start().user("ana").file("real/a.txt", "A").link("link.txt", "real/a.txt");
    larder
        .http("ana")
        .post("/api/edit_file", json!({ "path": "link.txt", "file_content": "B" }))
        .expect(200);
    assert_eq!(larder.http("ana").get("/api/download?file_path=link.txt").expect(200).text(), "B");
    assert_eq!(larder.read("real/a.txt"), "B");
    assert!(larder.root().join("link.txt").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn content_comes_as_text_or_base64() {
    let larder = Larder::start()
        .user("ana")
        .file("a.txt", "Zeile \"1\"\n\u{1}\u{2028}é\\")
        .file("empty.txt", "")
        .file("no extension", "text")
        .file("a.png", "not really a picture")
        .file("a.MP3", "sound")
        .file("film.mp4", [0, 255])
        .file("raw.bin", [0x80, 0xff, 0x00])
        .file("latin1.txt", [b'f', 0xfc, b'r'])
        .file("cut.txt", [b'a', 0xc3]);
    let ana = larder.http("ana");
    let content = |path: &str| {
        ana.get_with("/api/get_file", "file_path", path).expect_status("File content retrieved")
    };
    for path in ["a.txt", "empty.txt", "no extension"] {
        let json = content(path);
        assert_eq!(json["type"], "text", "{path}");
        assert_eq!(json["content"], larder.read(path), "{path}");
    }
    for path in ["a.png", "a.MP3", "film.mp4", "raw.bin", "latin1.txt", "cut.txt"] {
        let json = content(path);
        assert_eq!(json["type"], "binary", "{path}");
        assert_eq!(json["content"], STANDARD.encode(larder.read_bytes(path)), "{path}");
    }
}

#[test]
fn large_content_is_whole() {
    // Larger than what is answered from memory, with letters across every block's border.
    let text = "aé🍯\"\n".repeat(400_000);
    let mut cut = text.clone().into_bytes();
    cut.push(0xc3);
    let larder =
        Larder::start().user("ana").file("a.txt", &text).file("cut.txt", &cut).file("a.jpg", &cut);
    let ana = larder.http("ana");
    let content = |path: &str| {
        ana.get_with("/api/get_file", "file_path", path).expect_status("File content retrieved")
    };
    let json = content("a.txt");
    assert_eq!(json["type"], "text");
    assert!(json["content"] == text.as_str());
    for path in ["cut.txt", "a.jpg"] {
        let json = content(path);
        assert_eq!(json["type"], "binary");
        assert!(STANDARD.decode(json["content"].as_str().unwrap()).unwrap() == cut);
    }
}

#[test]
fn content_of_what_is_no_file_is_refused() {
    let larder =
        Larder::start().user("ana").folder("docs").file("f.txt", "F").link("dangling", "nowhere");
    let ana = larder.http("ana");
    ana.get("/api/get_file").expect_error(400, "No file path provided");
    ana.get("/api/get_file?path=f.txt").expect_error(400, "No file path provided");
    ana.get("/api/get_file?file_path=docs").expect_error(400, "Path is not a file");
    ana.get("/api/get_file?file_path=/").expect_error(400, "Path is not a file");
    ana.get("/api/get_file?file_path=").expect_refusal(400);
    for path in ["missing", "missing/deep", "f.txt/x", "dangling", "f.txt2"] {
        ana.get_with("/api/get_file", "file_path", path).expect_refusal(404);
    }
    ana.get("/api/get_file?file_path=%ff").expect_error(400, "Invalid path");
    ana.get("/api/get_file?file_path=a%00b").expect_error(400, "Invalid path");
}

#[test]
fn a_pipe_in_the_share_holds_nobody_up() {
    let larder = Larder::start().user("ana");
    let made =
        std::process::Command::new("mkfifo").arg(larder.root().join("pipe")).status().unwrap();
    assert!(made.success());
    let ana = larder.http("ana");
    for answer in [
        ana.get("/api/get_file?file_path=pipe"),
        ana.get("/api/download?file_path=pipe"),
        ana.post("/api/edit_file", json!({ "path": "pipe", "file_content": "x" })),
        ana.get("/api/finder?path=pipe"),
    ] {
        assert!(matches!(answer.status, 400 | 404), "{answer}");
    }
    ana.get("/api/download?file_path=").expect(200);
}

#[test]
fn a_file_is_deleted() {
    let larder = Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .file("docs/b.txt", "B")
        .file("keep.txt", "K")
        .link("link", "keep.txt")
        .link("dangling", "nowhere");
    let ana = larder.http("ana");
    ana.post("/api/delete_file", json!({ "path": "docs/a.txt" })).expect_status("File deleted");
    ana.post("/api/delete_file", json!({ "path": "docs/a.txt" }))
        .expect_error(404, "Path does not exist");
    let ask = json!({ "path": "/docs/b.txt", "permanent": true });
    ana.post("/api/delete_file", ask).expect_status("File deleted");
    assert_eq!(larder.tree(), ["dangling", "docs/", "keep.txt", "link"]);
    // A link is deleted itself, not what it leads to.
    ana.post("/api/delete_file", json!({ "path": "link" })).expect_status("File deleted");
    assert_eq!(larder.read("keep.txt"), "K");
    assert!(!larder.exists("link"));
}

#[test]
fn deleting_refuses_what_is_no_file() {
    let larder = Larder::start().user("ana").folder("docs").file("f.txt", "F");
    let ana = larder.http("ana");
    for ask in [json!({}), json!({ "path": null }), json!({ "permanent": true })] {
        ana.post("/api/delete_file", ask).expect_error(400, "No path provided");
    }
    ana.post("/api/delete_file", json!({ "path": "docs" })).expect_error(400, "Path is not a file");
    ana.post("/api/delete_file", json!({ "path": "" })).expect_refusal(400);
    ana.post("/api/delete_file", json!({ "path": "missing" }))
        .expect_error(404, "Path does not exist");
    ana.post("/api/delete_file", json!({ "path": "f.txt/x" })).expect_refusal(404);
    ana.post("/api/delete_file", json!({ "path": "f.txt", "permanent": 1 })).expect_refusal(400);
    assert_eq!(larder.tree(), ["docs/", "f.txt"]);
}

#[test]
fn a_file_is_renamed() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").file("top.txt", "T");
    let ana = larder.http("ana");
    let ask = json!({ "path": "docs", "file_name": "a.txt", "new_name": "b.md" });
    assert_eq!(
        ana.post("/api/rename_file", ask).expect_status("File renamed")["path"],
        "docs/b.md"
    );
    let ask = json!({ "path": "", "file_name": "top.txt", "new_name": "Top.txt" });
    assert_eq!(ana.post("/api/rename_file", ask).expect_status("File renamed")["path"], "Top.txt");
    assert_eq!(larder.read("docs/b.md"), "A");
    assert_eq!(larder.tree(), ["Top.txt", "docs/", "docs/b.md"]);
}

#[test]
fn a_rename_never_overwrites() {
    let larder = Larder::start()
        .user("ana")
        .file("a.txt", "A")
        .file("b.txt", "B")
        .folder("docs")
        .link("dangling", "nowhere");
    let ana = larder.http("ana");
    for target in ["b.txt", "docs", "dangling"] {
        let ask = json!({ "path": "", "file_name": "a.txt", "new_name": target });
        ana.post("/api/rename_file", ask).expect_error(409, "Target already exists");
    }
    assert_eq!(larder.read("b.txt"), "B");
    assert_eq!(larder.tree(), ["a.txt", "b.txt", "dangling", "docs/"]);
}

#[test]
fn renaming_refuses_bad_input() {
    let larder = Larder::start().user("ana").file("a.txt", "A").folder("docs");
    let ana = larder.http("ana");
    let rename = |ask: Value| ana.post("/api/rename_file", ask);
    for ask in [
        json!({ "path": "" }),
        json!({ "path": "", "file_name": "a.txt" }),
        json!({ "path": "", "new_name": "b.txt" }),
        json!({ "path": "", "file_name": "a.txt", "new_name": null }),
    ] {
        rename(ask).expect_error(400, "No file name provided");
    }
    for ask in [
        json!({ "file_name": "a.txt", "new_name": "b" }),
        json!({ "file_name": "a.txt", "new_name": "b", "path": null }),
    ] {
        rename(ask).expect_error(400, "No path provided");
    }
    rename(json!({ "path": "", "file_name": "missing", "new_name": "b" }))
        .expect_error(404, "Path does not exist");
    rename(json!({ "path": "missing", "file_name": "a.txt", "new_name": "b" })).expect_refusal(404);
    rename(json!({ "path": "", "file_name": "docs", "new_name": "b" }))
        .expect_error(400, "Path is not a file");
    rename(json!({ "path": "", "file_name": 1, "new_name": "b" })).expect_refusal(400);
    assert_eq!(larder.tree(), ["a.txt", "docs/"]);
}

#[test]
fn what_is_no_json_object_is_refused() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    for path in [
        "/api/new_file",
        "/api/edit_file",
        "/api/delete_file",
        "/api/rename_file",
        "/api/create_folder",
        "/api/delete_folder",
        "/api/rename_folder",
        "/api/user/logout",
    ] {
        for body in [
            b"{".as_slice(),
            b"[]",
            b"null",
            b"1",
            b"\"text\"",
            b"{} {}",
            b"{\"path\": \"a.txt\"",
            b"nonsense",
            b"{\"path\": \"a\xff\"}",
            b"{'path': 'a.txt'}",
            b"{\"path\": \"\\ud800\"}",
            b" ",
            deep.as_bytes(),
        ] {
            let answer = ana.post_raw(path, Some("application/json"), body);
            answer.expect_refusal(400);
        }
        // Signing out alone is happy with no body at all.
        if path != "/api/user/logout" {
            ana.post_raw(path, Some("application/json"), b"").expect_refusal(400);
            ana.post_raw(path, None, b"{}").expect_refusal(400);
        }
    }
    assert_eq!(larder.tree(), ["a.txt"]);
    assert_eq!(larder.read("a.txt"), "A");
    larder.wait_until_tidy();
}

#[test]
fn a_field_of_the_wrong_type_is_refused() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    for wrong in [json!(1), json!(true), json!([]), json!({}), json!(["a.txt"]), json!(1.5)] {
        for (path, ask) in [
            ("/api/new_file", json!({ "file_name": wrong, "file_content": "x" })),
            ("/api/new_file", json!({ "file_name": "x", "file_content": wrong })),
            ("/api/new_file", json!({ "file_name": "x", "file_content": "x", "path": wrong })),
            ("/api/edit_file", json!({ "path": wrong })),
            ("/api/edit_file", json!({ "path": "a.txt", "file_content": wrong })),
            ("/api/delete_file", json!({ "path": wrong })),
            ("/api/rename_file", json!({ "path": wrong, "file_name": "a.txt", "new_name": "b" })),
            ("/api/rename_file", json!({ "path": "", "file_name": wrong, "new_name": "b" })),
        ] {
            ana.post(path, ask).expect_refusal(400);
        }
    }
    assert_eq!(larder.tree(), ["a.txt"]);
    assert_eq!(larder.read("a.txt"), "A");
    larder.wait_until_tidy();
}

#[test]
fn another_content_type_is_refused_and_a_missing_one_accepted() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    let body = br#"{"path": "a.txt", "file_content": "B"}"#;
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        ana.post_raw("/api/edit_file", Some(wrong), body).expect_refusal(400);
        assert_eq!(larder.read("a.txt"), "A");
    }
    for right in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("Application/JSON;charset=UTF-8"),
    ] {
        ana.post_raw("/api/edit_file", right, body).expect_status("File edited");
    }
    assert_eq!(larder.read("a.txt"), "B");
}

#[test]
fn a_path_in_a_query_may_be_spelled_in_many_ways() {
    let larder = Larder::start().user("ana").file("docs/a b+c.txt", "A");
    let ana = larder.http("ana");
    for spelled in [
        "docs/a%20b%2Bc.txt",
        "docs/a+b%2bc.txt",
        "%64ocs%2Fa%20b%2Bc.txt",
        "/docs//a%20b%2Bc.txt",
        "./docs/./a%20b%2Bc.txt",
    ] {
        let answer = ana.get(&format!("/api/get_file?file_path={spelled}"));
        assert_eq!(answer.expect_status("File content retrieved")["content"], "A", "{spelled}");
    }
    ana.get(&format!("/api/get_file?file_path={}", encode(&encode("docs/a b+c.txt"))))
        .expect_refusal(404);
}

#[test]
fn two_clients_who_make_the_same_file_get_one_and_one_collision() {
    let larder = Larder::start().user("ana");
    for round in 0..20 {
        let name = format!("f{round}");
        let statuses: Vec<(u16, &str)> = std::thread::scope(|scope| {
            let both = ["one", "two"].map(|content| {
                let ask = json!({ "file_name": name, "file_content": content });
                let larder = &larder;
                scope.spawn(move || (larder.http("ana").post("/api/new_file", ask).status, content))
            });
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(
            statuses.iter().map(|(status, _)| status).sum::<u16>(),
            200 + 409,
            "{statuses:?}"
        );
        let winner = statuses.iter().find(|(status, _)| *status == 200).unwrap().1;
        assert_eq!(larder.read(&name), winner);
    }
}
