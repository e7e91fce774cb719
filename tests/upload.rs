//! Uploads: forms of every order and oddity, all or nothing, nothing left behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::json;

use crate::harness::form::BOUNDARY;
use crate::harness::{Form, Larder, Wire, wait};

/// The head of an upload by ana.
fn head(larder: &Larder, length: &str) -> String {
    format!(
        "POST /api/upload HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nContent-Type: {}\r\n{length}\r\n\r\n",
        larder.key("ana"),
        Form::content_type()
    )
}

/// The head of an upload of so many bytes.
fn head_of(larder: &Larder, bytes: usize) -> String {
    head(larder, &format!("Content-Length: {bytes}"))
}

#[test]
fn a_file_is_stored() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    let content: Vec<u8> = (0..=255).cycle().take(700_001).collect();
    let form = Form::new().field("path", "docs").file("a.bin", &content);
    let json = ana.upload(&form).expect_status("File uploaded");
    assert_eq!(json["files"], json!([{ "path": "docs/a.bin", "size": 700_001 }]));
    assert!(larder.read_bytes("docs/a.bin") == content);
    let json = ana.upload(&Form::new().file("empty", "")).expect_status("File uploaded");
    assert_eq!(json["files"], json!([{ "path": "empty", "size": 0 }]));
    assert_eq!(larder.read("empty"), "");
    let mode = fs::metadata(larder.root().join("empty")).unwrap().mode();
    assert_eq!(mode & 0o7002, 0, "{mode:o}");
    larder.wait_until_tidy();
}

#[test]
fn the_parts_may_come_in_any_order() {
    let larder = Larder::start().user("ana").folder("docs").file("docs/a.txt", "old");
    let ana = larder.http("ana");
    let last = Form::new()
        .file("a.txt", "1")
        .file("b.txt", "2")
        .field("if_exists", "rename")
        .field("path", "docs");
    let json = ana.upload(&last).expect_status("File uploaded");
    assert_eq!(json["files"][1]["path"], "docs/b.txt");
    assert_ne!(json["files"][0]["path"], "docs/a.txt");
    let between = Form::new()
        .file("c.txt", "3")
        .field("path", "docs")
        .file("d.txt", "4")
        .field("unknown", "x");
    ana.upload(&between).expect_status("File uploaded");
    assert_eq!(larder.read("docs/a.txt"), "old");
    assert_eq!(larder.read("docs/c.txt"), "3");
    assert_eq!(larder.read("docs/d.txt"), "4");
    assert!(!larder.exists("c.txt"));
    larder.wait_until_tidy();
}

#[test]
fn a_file_keeps_its_date_if_it_comes_with_one() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let before = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
    let form = Form::new()
        .field("modified", "1700000000123")
        .file("photo.jpg", "1")
        .file("now.jpg", "2")
        .field("modified", "2020-02-02T02:02:02.020Z")
        .file("clip.mp4", "3")
        .field("modified", "next tuesday")
        .file("odd.mp4", "4")
        .field("modified", "99999999999999")
        .file("ahead.mp4", "5");
    ana.upload(&form).expect_status("File uploaded");
    let told = |name: &str| fs::metadata(larder.root().join(name)).unwrap();
    for (name, seconds, ms) in [("photo.jpg", 1_700_000_000, 123), ("clip.mp4", 1_580_608_922, 20)]
    {
        let told = told(name);
        assert_eq!((told.mtime(), told.mtime_nsec() / 1_000_000), (seconds, ms), "{name}");
    }
    for name in ["now.jpg", "odd.mp4", "ahead.mp4"] {
        let modified = told(name).modified().unwrap();
        assert!(modified >= before && modified <= std::time::SystemTime::now(), "{name}");
    }
    // Another content with the same date is told apart from the first.
    let tag = |name: &str| {
        let answer = ana.get(&format!("/api/download?file_path={name}"));
        answer.header("ETag").unwrap().to_owned()
    };
    let first = tag("photo.jpg");
    let form = Form::new().field("modified", "1700000000123").file("photo.jpg", "6");
    ana.upload(&form).expect_status("File uploaded");
    assert_ne!(tag("photo.jpg"), first);
    larder.wait_until_tidy();
}

#[test]
fn an_existing_file_is_overwritten_renamed_around_or_left() {
    let larder =
        Larder::start().user("ana").file("a.txt", "old").file("b.tar.gz", "old").file("c", "old");
    let ana = larder.http("ana");
    // Overwriting is the default.
    let json = ana.upload(&Form::new().file("a.txt", "new")).expect_status("File uploaded");
    assert_eq!(json["files"][0]["path"], "a.txt");
    assert_eq!(larder.read("a.txt"), "new");
    let form = Form::new().field("if_exists", "overwrite").file("a.txt", "newer");
    ana.upload(&form).expect_status("File uploaded");
    assert_eq!(larder.read("a.txt"), "newer");
    // With error nothing happens.
    let form = Form::new().field("if_exists", "error").file("a.txt", "x").file("fresh.txt", "x");
    ana.upload(&form).expect_error(409, "Target already exists");
    let form = Form::new().file("fresh.txt", "x").file("a.txt", "x").field("if_exists", "error");
    ana.upload(&form).expect_error(409, "Target already exists");
    assert_eq!(larder.read("a.txt"), "newer");
    assert!(!larder.exists("fresh.txt"));
    // Renaming finds a free name each time and keeps the extension.
    let mut seen = vec!["a.txt".to_owned()];
    for number in 0..5 {
        let content = format!("copy {number}");
        let form = Form::new().field("if_exists", "rename").file("a.txt", &content);
        let json = ana.upload(&form).expect_status("File uploaded");
        let path = json["files"][0]["path"].as_str().unwrap().to_owned();
        assert!(!seen.contains(&path), "{path} twice");
        assert!(
            path.starts_with('a') && Path::new(&path).extension() == Some("txt".as_ref()),
            "{path}"
        );
        assert_eq!(larder.read(&path), content);
        seen.push(path);
    }
    for name in ["b.tar.gz", "c"] {
        let form = Form::new().field("if_exists", "rename").file(name, "new");
        let json = ana.upload(&form).expect_status("File uploaded");
        let path = json["files"][0]["path"].as_str().unwrap().to_owned();
        assert_ne!(path, name);
        assert_eq!((larder.read(name).as_str(), larder.read(&path).as_str()), ("old", "new"));
    }
    let form = Form::new().field("if_exists", "rename").file("d.txt", "d");
    assert_eq!(ana.upload(&form).expect_status("File uploaded")["files"][0]["path"], "d.txt");
    for bad in ["", "replace", "Error"] {
        let form = Form::new().field("if_exists", bad).file("a.txt", "x");
        ana.upload(&form).expect_refusal(400);
    }
    assert_eq!(larder.read("a.txt"), "newer");
    larder.wait_until_tidy();
}

#[test]
fn a_long_name_is_still_renamed_around() {
    let name = format!("{}.txt", "é".repeat(125));
    let larder = Larder::start().user("ana").file(&name, "old");
    let form = Form::new().field("if_exists", "rename").file(&name, "new");
    let json = larder.http("ana").upload(&form).expect_status("File uploaded");
    let path = json["files"][0]["path"].as_str().unwrap().to_owned();
    assert!(path.len() <= 255 && path != name, "{path}");
    assert_eq!(Path::new(&path).extension(), Some("txt".as_ref()));
    assert_eq!((larder.read(&name).as_str(), larder.read(&path).as_str()), ("old", "new"));
}

#[test]
fn several_files_of_one_name_do_not_eat_each_other() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let form = Form::new().field("if_exists", "rename").file("a.txt", "1").file("a.txt", "2");
    let json = ana.upload(&form).expect_status("File uploaded");
    let paths: Vec<&str> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_ne!(paths[0], paths[1]);
    assert_eq!((larder.read(paths[0]).as_str(), larder.read(paths[1]).as_str()), ("1", "2"));
    let form = Form::new().field("if_exists", "error").file("b.txt", "1").file("b.txt", "2");
    ana.upload(&form).expect_error(409, "Two files have the same name");
    assert!(!larder.exists("b.txt"));
    let form = Form::new().file("c.txt", "1").file("c.txt", "2");
    ana.upload(&form).expect_error(409, "Two files have the same name");
    assert!(!larder.exists("c.txt"));
    larder.wait_until_tidy();
}

#[test]
fn the_folder_is_made_with_its_parents() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let form = Form::new().field("path", "/new/deep/er/").file("a.txt", "A");
    let json = ana.upload(&form).expect_status("File uploaded");
    assert_eq!(json["files"][0]["path"], "new/deep/er/a.txt");
    assert_eq!(larder.read("new/deep/er/a.txt"), "A");
    for root in ["", "/", "."] {
        let form = Form::new().field("path", root).file("root.txt", root);
        assert_eq!(
            ana.upload(&form).expect_status("File uploaded")["files"][0]["path"],
            "root.txt"
        );
        assert_eq!(larder.read("root.txt"), root);
    }
}

#[test]
fn no_folder_is_left_of_an_upload_that_failed() {
    let larder = Larder::start().user("ana").file("file.txt", "F").folder("taken/a.txt");
    let ana = larder.http("ana");
    let before = larder.tree();
    for form in [
        Form::new().field("path", "made/deep").file("ok.txt", "x").file("a\0b", "x"),
        Form::new().field("path", "made/deep").file("ok.txt", "x").field("if_exists", "nonsense"),
        Form::new().field("path", "made/deep"),
        Form::new().field("path", "file.txt").file("a.txt", "x"),
        Form::new().field("path", "file.txt/deep").file("a.txt", "x"),
        Form::new().field("path", "taken").file("b.txt", "x").file("a.txt", "x"),
        Form::new().file("ok.txt", "x").field("path", "../x"),
        Form::new().file("ok.txt", "x").field("path", ".larder"),
        Form::new().file("ok.txt", "x").file(".larder", "x"),
    ] {
        let answer = ana.upload(&form);
        assert!((400..500).contains(&answer.status), "{answer}");
        assert_eq!(larder.tree(), before, "{answer}");
        larder.wait_until_tidy();
    }
    let cut = Form::new().field("path", "made/deep").file("a.txt", "x").unfinished();
    ana.post_raw("/api/upload", Some(&Form::content_type()), &cut).expect_refusal(400);
    assert_eq!(larder.tree(), before);
    larder.wait_until_tidy();
}

#[test]
fn a_browsers_path_is_cut_to_its_name() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for (sent, kept) in [
        (r"C:\Users\ana\photo.jpg", "photo.jpg"),
        ("/home/ana/b.txt", "b.txt"),
        (r"..\..\evil.txt", "evil.txt"),
        ("../../../evil2.txt", "evil2.txt"),
        (r"mixed/path\c.txt", "c.txt"),
        ("Ünï 日本.txt", "Ünï 日本.txt"),
        ("a%22b.txt", "a\"b.txt"),
        ("a;b.txt", "a;b.txt"),
    ] {
        let json = ana.upload(&Form::new().file(sent, sent)).expect_status("File uploaded");
        assert_eq!(json["files"][0]["path"], kept, "{sent}");
        assert_eq!(larder.read(kept), sent);
    }
    for sent in ["..", "/", "a/", ".", "a/..", r"a\", &"x".repeat(256), "a\0b"] {
        ana.upload(&Form::new().file(sent, "x")).expect_error(400, "Invalid name");
    }
    let disposition =
        "form-data; name=\"file\"; filename=\"ascii.txt\"; filename*=UTF-8''%E2%82%AC.txt";
    let json = ana.upload(&Form::new().part(disposition, b"euro")).expect_status("File uploaded");
    assert_eq!(json["files"][0]["path"], "€.txt");
    larder.wait_until_tidy();
}

#[test]
fn an_upload_without_a_file_is_refused() {
    let larder = Larder::start().user("ana").folder("docs");
    let ana = larder.http("ana");
    ana.upload(&Form::new()).expect_error(400, "No file provided");
    ana.upload(&Form::new().field("path", "docs")).expect_error(400, "No file provided");
    // What browsers send when no file was chosen.
    ana.upload(&Form::new().file("", "")).expect_error(400, "No file provided");
    // A field that is called file but is none.
    ana.upload(&Form::new().field("file", "content")).expect_error(400, "No file provided");
    for (content_type, body) in [
        (Some("application/json"), "{}"),
        (Some("application/octet-stream"), "x"),
        (Some("multipart/form-data"), "x"),
        (Some("multipart/mixed; boundary=x"), "--x--"),
        (None, ""),
        (None, "x"),
    ] {
        ana.post_raw("/api/upload", content_type, body.as_bytes())
            .expect_error(400, "No file provided");
    }
    assert_eq!(larder.tree(), ["docs/"]);
}

#[test]
fn what_breaks_the_format_is_refused_and_leaves_nothing() {
    let larder = Larder::start().user("ana").file("a.txt", "old");
    let ana = larder.http("ana");
    let part = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"";
    for body in [
        String::new(),
        "nonsense".to_owned(),
        format!("--{BOUNDARY}"),
        format!("--{BOUNDARY}\r\n"),
        format!("--{BOUNDARY}\r\n{part}\r\n\r\nnew"),
        format!("--{BOUNDARY}\r\n{part}\r\n\r\nnew\r\n--{BOUNDARY}"),
        format!("--{BOUNDARY}\r\n{part}\r\n\r\nnew\r\n--{BOUNDARY}-"),
        format!("--{BOUNDARY}\r\n{part}"),
        format!("--{BOUNDARY}\r\n\r\nnew\r\n--{BOUNDARY}--"),
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: attachment; filename=\"a.txt\"\r\n\r\nnew\r\n--{BOUNDARY}--"
        ),
        format!(
            "--{BOUNDARY}\r\n{part}\r\nX: {}\r\n\r\nnew\r\n--{BOUNDARY}--",
            "x".repeat(100_000)
        ),
        format!("--{BOUNDARY}x\r\n{part}\r\n\r\nnew\r\n--{BOUNDARY}x--"),
        format!("--other\r\n{part}\r\n\r\nnew\r\n--other--\r\n"),
    ] {
        let answer = ana.post_raw("/api/upload", Some(&Form::content_type()), body.as_bytes());
        answer.expect_refusal(400);
        assert_eq!(larder.read("a.txt"), "old", "{body}");
    }
    assert_eq!(larder.tree(), ["a.txt"]);
    larder.wait_until_tidy();
}

#[test]
fn what_looks_like_a_boundary_is_content() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let content = format!(
        "--{BOUNDARY}\r\n-{BOUNDARY}\r\n--{}\r\n\n--{BOUNDARY}\n--{BOUNDARY}--\r\r\n-",
        &BOUNDARY[..BOUNDARY.len() - 1]
    );
    ana.upload(&Form::new().file("a.txt", &content)).expect_status("File uploaded");
    assert_eq!(larder.read("a.txt"), content);
    // Preamble, epilogue, and white space behind a boundary (RFC 2046, 5.1.1).
    let body = format!(
        "preamble\r\n--{BOUNDARY} \t\r\ncontent-disposition: form-data; filename=b.txt; name=file\r\n\r\nB\r\n--{BOUNDARY}--\r\nepilogue"
    );
    ana.post_raw("/api/upload", Some(&Form::content_type()), body.as_bytes())
        .expect_status("File uploaded");
    assert_eq!(larder.read("b.txt"), "B");
    // A quoted boundary with odd characters.
    let odd = "a'()+_,-./:=? b";
    let body = format!(
        "--{odd}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.txt\"\r\n\r\nC\r\n--{odd}--"
    );
    let content_type = format!("multipart/form-data; charset=utf-8; boundary=\"{odd}\"");
    ana.post_raw("/api/upload", Some(&content_type), body.as_bytes())
        .expect_status("File uploaded");
    assert_eq!(larder.read("c.txt"), "C");
}

#[test]
fn content_of_every_length_around_the_buffers_border_is_whole() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for around in [0, 4096, 65_536, 262_144] {
        for less in 0..3 {
            let length = (around + 150_usize).saturating_sub(less * 100);
            // Full of beginnings of the boundary.
            let content: Vec<u8> =
                b"\r\n--larder-test".iter().copied().cycle().take(length).collect();
            ana.upload(&Form::new().file("a.bin", &content)).expect_status("File uploaded");
            assert!(larder.read_bytes("a.bin") == content, "{length}");
        }
    }
}

#[test]
fn a_hundred_files_are_stored_at_once() {
    let larder = Larder::start().user("ana");
    let mut form = Form::new().field("path", "many");
    for number in 0..100 {
        form = form.file(&format!("{number}.txt"), format!("content {number}"));
    }
    let json = larder.http("ana").upload(&form).expect_status("File uploaded");
    assert_eq!(json["files"].as_array().unwrap().len(), 100);
    for number in 0..100 {
        assert_eq!(json["files"][number]["path"], format!("many/{number}.txt"));
        assert_eq!(larder.read(&format!("many/{number}.txt")), format!("content {number}"));
    }
    larder.wait_until_tidy();
}

#[test]
fn of_several_files_all_are_stored_or_none() {
    let larder = Larder::start().user("ana").file("docs/b.txt", "old").folder("docs/c.txt");
    let ana = larder.http("ana");
    let before = larder.tree();
    // A folder stands where the last file should go.
    let form = Form::new()
        .field("path", "docs")
        .file("a.txt", "x")
        .file("b.txt", "new")
        .file("c.txt", "x");
    let answer = ana.upload(&form);
    assert!((400..500).contains(&answer.status), "{answer}");
    assert_eq!(larder.tree(), before);
    assert_eq!(larder.read("docs/b.txt"), "old");
    larder.wait_until_tidy();
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let larder = Larder::start().user("ana").file("a.txt", "old");
    let body = Form::new()
        .field("path", "new/folder")
        .file("big.bin", vec![b'x'; 3 << 20])
        .file("a.txt", "x")
        .body();
    for sent in [100, 300, 5000, 1 << 20, body.len() - 30, body.len() - 1] {
        let mut wire = larder.wire();
        wire.send(head_of(&larder, body.len()));
        wire.send(&body[..sent]);
        if sent > 100_000 {
            wait::until("the beginning on the disk", || larder.unfinished() > 0);
        }
        drop(wire);
        larder.wait_until_tidy();
        assert_eq!(larder.tree(), ["a.txt"], "after {sent} bytes");
        assert_eq!(larder.read("a.txt"), "old");
    }
    // Half-closed instead of closed: there is somebody who can be told.
    let mut wire = larder.wire();
    wire.send(head_of(&larder, body.len()));
    wire.send(&body[..5000]);
    wire.finish_sending();
    if let Some(answer) = wire.try_answer(false) {
        assert_eq!(answer.status, 400, "{answer}");
    }
    larder.wait_until_tidy();
    assert_eq!(larder.tree(), ["a.txt"]);
}

#[test]
fn an_upload_in_chunks_is_stored() {
    let larder = Larder::start().user("ana");
    let content: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    let body = Form::new().file("a.bin", &content).field("path", "docs").body();
    let mut wire = larder.wire();
    wire.send(head(&larder, "Transfer-Encoding: chunked"));
    for (number, piece) in body.chunks(7001).enumerate() {
        let extension = if number % 2 == 0 { "" } else { ";name=\"value\"" };
        wire.send(format!("{:X}{extension}\r\n", piece.len()));
        wire.send(piece);
        wire.send("\r\n");
    }
    wire.send("0\r\nTrailer: x\r\n\r\n");
    let json = wire.answer().expect_status("File uploaded");
    assert_eq!(json["files"], json!([{ "path": "docs/a.bin", "size": 300_000 }]));
    assert!(larder.read_bytes("docs/a.bin") == content);
}

#[test]
fn chunks_that_break_off_or_lie_leave_nothing() {
    let larder = Larder::start().user("ana");
    let body = Form::new().file("a.bin", "content").body();
    let whole = format!("{:x}\r\n", body.len()).into_bytes();
    let join = |pieces: &[&[u8]]| pieces.concat();
    for sent in [
        join(&[&whole, &body, b"\r\n"]),
        join(&[&whole, &body[..20]]),
        join(&[b"zz\r\n", &body]),
        join(&[b"-1\r\n", &body]),
        join(&[b"ffffffffffffffffff\r\n", &body]),
        join(&[&whole, &body, b"XX0\r\n\r\n"]),
        join(&[b"1", &b"0".repeat(100_000)]),
    ] {
        let mut wire = larder.wire();
        wire.send(head(&larder, "Transfer-Encoding: chunked"));
        let _maybe_refused = wire.try_send(&sent);
        wire.finish_sending();
        if let Some(answer) = wire.try_answer(false) {
            assert_eq!(answer.status, 400, "{answer}");
        }
        larder.wait_until_tidy();
        assert!(larder.tree().is_empty(), "{:?}", larder.tree());
    }
}

#[test]
fn who_asks_first_is_told_to_go_on_or_not() {
    let larder = Larder::start().user("ana");
    let body = Form::new().file("a.txt", "A").body();
    let length = format!("Content-Length: {}\r\nExpect: 100-continue", body.len());
    let mut wire = larder.wire();
    wire.send(head(&larder, &length));
    let interim = wire.head_answer();
    assert_eq!(interim.status, 100, "{interim}");
    wire.send(&body);
    wire.answer().expect_status("File uploaded");
    assert_eq!(larder.read("a.txt"), "A");
    // Without credentials the answer comes instead.
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/upload HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\n{length}\r\n\r\n",
        Form::content_type()
    ));
    wire.answer().expect_error(401, "Unauthorized");
}

/// An upload whose answer comes while its body is still on its way.
#[track_caller]
fn refused_early(wire: &mut Wire, megabytes: usize) -> crate::harness::Answer {
    let megabyte = vec![b'x'; 1 << 20];
    for _ in 0..megabytes {
        if !wire.try_send(&megabyte) {
            break;
        }
    }
    wire.answer()
}

#[test]
fn a_refusal_is_readable_while_the_body_is_still_coming() {
    let larder = Larder::start().user("ana").reader("rob");
    let body = Form::new().file("a.bin", "begins").unfinished();
    let lengths = format!("Content-Length: {}", body.len() + (8 << 20));
    for (key, sentence) in [("nobody's", "Unauthorized"), (larder.key("rob"), "Unauthorized")] {
        let mut wire = larder.wire();
        wire.send(format!(
            "POST /api/upload HTTP/1.1\r\nHost: a\r\nX-API-KEY: {key}\r\nContent-Type: {}\r\n{lengths}\r\n\r\n",
            Form::content_type()
        ));
        wire.send(&body);
        refused_early(&mut wire, 8).expect_error(401, sentence);
    }
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn an_upload_larger_than_the_drive_is_refused_before_it_comes() {
    let larder = Larder::start().user("ana");
    let mut wire = larder.wire();
    wire.send(head(&larder, "Content-Length: 1000000000000000"));
    wire.send(Form::new().file("a.bin", "begins").unfinished());
    wire.answer().expect_refusal(507);
    larder.wait_until_tidy();
    assert!(larder.tree().is_empty());
}

#[test]
fn an_overwritten_file_keeps_its_mode() {
    let larder = Larder::start().user("ana").file("a.sh", "old");
    let path = larder.root().join("a.sh");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o750)).unwrap();
    larder.http("ana").upload(&Form::new().file("a.sh", "new")).expect_status("File uploaded");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o750);
    assert_eq!(larder.read("a.sh"), "new");
}

#[test]
fn many_uploads_at_once_do_not_mix() {
    let larder = Larder::start().user("ana");
    std::thread::scope(|scope| {
        for number in 0..12_u8 {
            let larder = &larder;
            scope.spawn(move || {
                let content = vec![number; 400_000];
                for name in [format!("own{number}"), "shared".to_owned()] {
                    let form = Form::new().file(&name, &content);
                    larder.http("ana").upload(&form).expect_status("File uploaded");
                }
            });
        }
    });
    for number in 0..12_u8 {
        assert!(larder.read_bytes(&format!("own{number}")) == vec![number; 400_000]);
    }
    let shared = larder.read_bytes("shared");
    assert!(shared.len() == 400_000 && shared.iter().all(|byte| *byte == shared[0]));
    larder.wait_until_tidy();
}

#[test]
fn a_name_that_is_no_utf8_is_refused_and_nothing_replaced() {
    let larder = Larder::start().user("ana").file("old.txt", "old");
    let ana = larder.http("ana");
    for name in [b"\xe9t\xe9.txt".as_slice(), b"\xe8t\xe8.txt", b"old.txt\xff"] {
        let mut body =
            b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
        body.extend(name);
        body.extend(b"\"\r\n\r\nnew\r\n--XX--\r\n");
        let kind = Some("multipart/form-data; boundary=XX");
        let answer = ana.post_raw("/api/upload", kind, &body).expect_error(400, "Invalid name");
        assert_eq!(answer.json()["code"], "invalid_name");
    }
    assert_eq!(larder.tree(), ["old.txt"]);
    // The sign for what was no text is a letter like any other when it is sent as one.
    ana.upload(&Form::new().file("odd\u{fffd}.txt", "x")).expect_status("File uploaded");
    assert!(larder.exists("odd\u{fffd}.txt"));
}

#[test]
fn two_files_of_one_name_in_one_upload_are_both_there_or_neither() {
    let larder = Larder::start().user("ana").file("photos/image.jpg", "old");
    let ana = larder.http("ana");
    let form = |way: &str| {
        let form = Form::new().field("path", "photos").field("if_exists", way);
        form.file("image.jpg", "1").file("other.jpg", "2").file("image.jpg", "3")
    };
    for way in ["overwrite", "error"] {
        ana.upload(&form(way)).expect_error(409, "Two files have the same name");
        assert_eq!(larder.tree(), ["photos/", "photos/image.jpg"], "{way}");
        assert_eq!(larder.read("photos/image.jpg"), "old");
    }
    ana.upload(&form("rename")).expect_status("File uploaded");
    assert_eq!(larder.read("photos/image (1).jpg"), "1");
    assert_eq!(larder.read("photos/image (2).jpg"), "3");
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn a_limit_of_the_process_is_an_error_of_the_request_on_every_door() {
    use rustix::process::{Resource, Rlimit, prlimit};
    let house = crate::harness::ftp::FtpHouse::start();
    let ana = house.admin();
    let big = vec![7_u8; 20_000_000];
    house.larder.write("big.bin", &big);
    let pid = i32::try_from(house.larder.process().pid()).unwrap();
    let limit = Rlimit { current: Some(5000 << 10), maximum: Some(5000 << 10) };
    prlimit(rustix::process::Pid::from_raw(pid), Resource::Fsize, limit).unwrap();
    ana.upload(&Form::new().file("up.bin", &big)).expect_error(413, "Body too large");
    let text = "x".repeat(6_000_000);
    ana.post("/api/new_file", json!({ "path": "", "file_name": "n", "file_content": text }))
        .expect(413);
    ana.post("/api/edit_file", json!({ "path": "big.bin", "file_content": text })).expect(413);
    ana.post("/api/copy", json!({ "paths": ["big.bin"], "to": "", "if_exists": "rename" }))
        .expect(413);
    let mut cam = house.sign_in("cam");
    let mut data = cam.passive();
    cam.expect("STOR ftp.bin", 150);
    // It is closed before the end.
    let _broken_off = std::io::Write::write_all(&mut data, &big);
    drop(data);
    cam.expect_reply(552);
    cam.expect("NOOP", 200);
    // Reading, deleting and everything small goes on.
    assert_eq!(ana.get_with("/api/download", "file_path", "big.bin").expect(200).body, big);
    ana.upload(&Form::new().file("small.bin", "s")).expect_status("File uploaded");
    ana.post("/api/delete_file", json!({ "path": "big.bin" })).expect(200);
    assert_eq!(house.larder.tree(), ["small.bin"]);
    house.larder.wait_until_tidy();
}
