//! Uploads that go on (`/api/uploads`, tus 1.0): what each request says, what stays, what goes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, Client, Larder, wait};

/// What the bytes come as.
const BYTES: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

/// `Upload-Metadata` of these keys and values.
fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key} {}", BASE64.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// Begins an upload of so many bytes; nothing of them comes with it.
#[track_caller]
fn begin(client: &Client, length: u64, pairs: &[(&str, &str)]) -> Answer {
    let fields = [("Upload-Length", &*length.to_string()), ("Upload-Metadata", &metadata(pairs))];
    marked(client.ask("POST", "/api/uploads", &fields, b""))
}

/// The same with bytes.
#[track_caller]
fn send(client: &Client, length: u64, pairs: &[(&str, &str)], bytes: &[u8]) -> Answer {
    let (length, metadata) = (length.to_string(), metadata(pairs));
    let fields = [BYTES, ("Upload-Length", &length), ("Upload-Metadata", &metadata)];
    marked(client.ask("POST", "/api/uploads", &fields, bytes))
}

/// Where an upload is.
#[track_caller]
fn place(answer: &Answer) -> String {
    let place = answer.header("Location").expect("a place").to_owned();
    assert!(place.starts_with("/api/uploads/"), "{answer}");
    place
}

/// Begins one, which must go well; where it is.
#[track_caller]
fn begun(client: &Client, length: u64, pairs: &[(&str, &str)]) -> String {
    let answer = begin(client, length, pairs).expect(201);
    assert!(answer.header("Upload-Expires").is_some() && answer.header("Larder-Path").is_none());
    place(&answer)
}

/// Goes on with one.
#[track_caller]
fn patch(client: &Client, place: &str, offset: u64, bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    marked(client.ask("PATCH", place, &[BYTES, ("Upload-Offset", &offset)], bytes))
}

/// Every answer of this door says so.
#[track_caller]
fn marked(answer: Answer) -> Answer {
    assert_eq!(answer.header("Tus-Resumable"), Some("1.0.0"), "{answer}");
    answer
}

/// How much is there, as `HEAD` tells.
#[track_caller]
fn offset(client: &Client, place: &str) -> u64 {
    let answer = marked(client.head(place)).expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    number(&answer, "Upload-Offset")
}

/// A field's number.
#[track_caller]
fn number(answer: &Answer, name: &str) -> u64 {
    answer.header(name).expect("a field").parse().expect("a number")
}

/// One's own that wait.
#[track_caller]
fn waiting(client: &Client) -> Vec<Value> {
    marked(client.get("/api/uploads")).expect(200).json().as_array().unwrap().clone()
}

/// Names in the hidden folder where uploads wait.
fn kept(larder: &Larder) -> usize {
    fs::read_dir(larder.root().join(".larder/parts")).map_or(0, Iterator::count)
}

/// `Repr-Digest` of these bytes.
fn digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(Sha256::digest(bytes)))
}

/// The beginning of a `PATCH` of so many bytes over a bare connection.
fn head(larder: &Larder, who: &str, place: &str, offset: u64, length: usize) -> String {
    format!(
        "PATCH {place} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nUpload-Offset: {offset}\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n",
        larder.key(who)
    )
}

#[test]
fn what_can_be_done_is_told_to_anybody() {
    let larder = Larder::start();
    let answer = marked(larder.anonymous().ask("OPTIONS", "/api/uploads", &[], b"")).expect(204);
    assert_eq!(answer.header("Tus-Version"), Some("1.0.0"));
    let told = answer.header("Tus-Extension");
    assert_eq!(told, Some("creation,creation-with-upload,termination,expiration"));
    assert_eq!(answer.header("Tus-Max-Size"), None);
}

#[test]
fn a_file_comes_in_pieces_and_is_put_in_place_by_its_last_byte() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let modified = "1700000000123";
    let about = [("filename", "a ä%.txt"), ("path", "docs/new"), ("modified", modified)];
    let place = begun(&ana, 10, &about);
    assert_eq!(offset(&ana, &place), 0);
    let answer = patch(&ana, &place, 0, b"0123").expect(204);
    assert_eq!(number(&answer, "Upload-Offset"), 4);
    assert!(answer.header("Upload-Expires").is_some_and(|date| date.ends_with(" GMT")));
    let answer = marked(ana.head(&place)).expect(200);
    assert_eq!((number(&answer, "Upload-Offset"), number(&answer, "Upload-Length")), (4, 10));
    assert_eq!(answer.header("Upload-Metadata"), Some(&*metadata(&about)));
    let listed = waiting(&ana);
    assert_eq!(listed[0]["path"], "docs/new/a ä%.txt");
    assert_eq!((&listed[0]["size"], &listed[0]["offset"]), (&json!(10), &json!(4)));
    assert_eq!(listed[0]["modified"], "2023-11-14T22:13:20.123Z");
    assert!(place.ends_with(listed[0]["id"].as_str().unwrap()));
    assert!(listed[0]["last"].is_string() && listed[0]["expires"].is_string());
    assert!(!larder.root().join("docs").exists(), "folders are made when the whole is there");
    patch(&ana, &place, 3, b"x").expect_code(409, "conflict");
    let answer = patch(&ana, &place, 5, b"x").expect_refusal(409);
    assert_eq!(number(&answer, "Upload-Offset"), 4);
    let answer = patch(&ana, &place, 4, b"456789").expect(204);
    assert_eq!(number(&answer, "Upload-Offset"), 10);
    assert_eq!(answer.header("Larder-Path"), Some("docs/new/a%20%C3%A4%25.txt"));
    assert_eq!(answer.header("Repr-Digest"), Some(&*digest(b"0123456789")));
    assert_eq!(larder.read("docs/new/a ä%.txt"), "0123456789");
    let there = fs::metadata(larder.root().join("docs/new/a ä%.txt")).unwrap();
    assert_eq!((there.mtime(), there.mtime_nsec() / 1_000_000), (1_700_000_000, 123));
    assert!(waiting(&ana).is_empty() && kept(&larder) == 0);
    // A last answer that was lost is not sent twice.
    for _ in 0..2 {
        let answer = marked(ana.head(&place)).expect(200);
        assert_eq!((number(&answer, "Upload-Offset"), number(&answer, "Upload-Length")), (10, 10));
        assert_eq!(answer.header("Larder-Path"), Some("docs/new/a%20%C3%A4%25.txt"));
        let answer = patch(&ana, &place, 10, b"").expect(204);
        assert_eq!(answer.header("Larder-Path"), Some("docs/new/a%20%C3%A4%25.txt"));
    }
    patch(&ana, &place, 4, b"456789").expect_refusal(409);
    marked(ana.ask("DELETE", &place, &[], b"")).expect_error(404, "Upload not found");
    larder.wait_until_tidy();
}

#[test]
fn what_comes_whole_with_the_first_request_is_there_at_once() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let answer = send(&ana, 5, &[("name", "a")], b"whole").expect(201);
    assert_eq!(answer.header("Larder-Path"), Some("a"));
    assert_eq!(number(&answer, "Upload-Offset"), 5);
    assert_eq!(answer.header("Repr-Digest"), Some(&*digest(b"whole")));
    assert_eq!(larder.read("a"), "whole");
    assert_eq!(offset(&ana, &place(&answer)), 5);
    let answer = begin(&ana, 0, &[("filename", "empty")]).expect(201);
    assert_eq!(answer.header("Larder-Path"), Some("empty"));
    assert_eq!(larder.read("empty"), "");
    let answer = send(&ana, 9, &[("filename", "b")], b"part").expect(201);
    assert_eq!((number(&answer, "Upload-Offset"), answer.header("Larder-Path")), (4, None));
    let answer = patch(&ana, &place(&answer), 4, b" rest").expect(204);
    assert_eq!(answer.header("Larder-Path"), Some("b"));
    assert_eq!(larder.read("b"), "part rest");
    larder.wait_until_tidy();
}

#[test]
fn what_is_no_upload_is_refused_before_a_byte() {
    let larder = Larder::start().user("ana").file("there", "old").folder("folder");
    let ana = larder.http("ana");
    for (pairs, sentence) in [
        (&[("path", "a")][..], "No file name provided"),
        (&[("filename", "..")], "Invalid name"),
        (&[("filename", "a/b")], "Invalid name"),
        (&[("filename", "a\0b")], "Invalid name"),
        (&[("filename", ".larder")], "Invalid name"),
        (&[("filename", "a"), ("path", "../b")], "Invalid path"),
        (&[("filename", "a"), ("relativePath", "../a")], "Invalid path"),
        (&[("filename", "a"), ("filename", "b")], "Invalid metadata"),
    ] {
        begin(&ana, 4, pairs).expect_error(400, sentence);
    }
    for (pairs, wanted) in [
        (&[("filename", "there")][..], "exists"),
        (&[("filename", "folder")], "exists"),
        (&[("filename", "folder"), ("if_exists", "overwrite")], "exists"),
    ] {
        begin(&ana, 4, pairs).expect_code(409, wanted);
    }
    begin(&ana, 4, &[("filename", "there")]).expect_error(409, "Target already exists");
    let below = [("filename", "f"), ("path", "there/new")];
    begin(&ana, 4, &below).expect_error(400, "Path is not a folder");
    let good = metadata(&[("filename", "f")]);
    let ask = |fields: &[(&str, &str)], body: &[u8]| {
        let with_name = [&[("Upload-Metadata", &*good)], fields].concat();
        marked(ana.ask("POST", "/api/uploads", &with_name, body))
    };
    ask(&[], b"").expect_error(400, "No length provided");
    ask(&[("Upload-Defer-Length", "1")], b"").expect_error(400, "No length provided");
    for length in ["-1", "1.5", "x", "", "0x10", "+1"] {
        ask(&[("Upload-Length", length)], b"").expect_error(400, "Invalid length");
    }
    for length in ["1000000000000000000", "18446744073709551615", "99999999999999999999999"] {
        ask(&[("Upload-Length", length)], b"").expect_error(507, "Disk full");
    }
    for kind in ["text/plain", "application/octet-stream", ""] {
        ask(&[("Upload-Length", "1"), ("Content-Type", kind)], b"x")
            .expect_code(415, "unsupported_type");
    }
    ask(&[("Upload-Length", "1"), BYTES], b"xy").expect_refusal(413);
    let version =
        ask(&[("Upload-Length", "1"), ("Tus-Resumable", "0.2.2")], b"").expect_refusal(412);
    assert_eq!(version.header("Tus-Version"), Some("1.0.0"));
    for raw in ["filename !", "filename YQ", "filename /w==", "\u{e4} YQ=="] {
        let fields = [("Upload-Length", "1"), ("Upload-Metadata", raw)];
        marked(ana.ask("POST", "/api/uploads", &fields, b"")).expect_refusal(400);
    }
    let long = format!("filename YQ==,x {}", "YQ==".repeat(3500));
    let fields = [("Upload-Length", "1"), ("Upload-Metadata", &*long)];
    marked(ana.ask("POST", "/api/uploads", &fields, b"")).expect_error(400, "Metadata too long");
    assert_eq!((kept(&larder), waiting(&ana).len()), (0, 0));
    assert_eq!(larder.read("there"), "old");
    larder.wait_until_tidy();
}

#[test]
fn a_body_beyond_the_length_ends_the_upload() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 4, &[("filename", "f")]);
    patch(&ana, &place, 0, b"01").expect(204);
    patch(&ana, &place, 2, b"234").expect_refusal(413);
    patch(&ana, &place, 2, b"23").expect_error(404, "Upload not found");
    // The same where nobody said how much comes.
    let place = begun(&ana, 4, &[("filename", "f")]);
    let mut wire = larder.wire();
    let head = head(&larder, "ana", &place, 0, 0);
    wire.send(head.replace("Content-Length: 0", "Transfer-Encoding: chunked"));
    wire.send("3\r\n012\r\n3\r\n345\r\n0\r\n\r\n");
    wire.answer().expect_refusal(413);
    marked(ana.head(&place)).expect(404);
    assert!(!larder.root().join("f").exists() && kept(&larder) == 0);
}

#[test]
fn what_came_of_a_body_that_breaks_off_is_kept() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 1000, &[("filename", "f")]);
    let mut wire = larder.wire();
    wire.send(head(&larder, "ana", &place, 0, 1000));
    wire.send([b'a'; 600]);
    wire.finish_sending();
    wire.answer().expect_refusal(400);
    assert_eq!(offset(&ana, &place), 600);
    patch(&ana, &place, 600, &[b'b'; 400]).expect(204);
    assert_eq!(larder.read("f"), format!("{}{}", "a".repeat(600), "b".repeat(400)));
    // Also of the first request; what it is called tells the list.
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/uploads HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nUpload-Length: 1000\r\n\
         Upload-Metadata: {}\r\nContent-Type: application/offset+octet-stream\r\n\
         Content-Length: 1000\r\n\r\n",
        larder.key("ana"),
        metadata(&[("filename", "g")])
    ));
    wire.send([b'a'; 500]);
    wire.finish_sending();
    wire.answer().expect_refusal(400);
    let listed = waiting(&ana);
    assert_eq!((&listed[0]["path"], &listed[0]["offset"]), (&json!("g"), &json!(500)));
    let place = format!("/api/uploads/{}", listed[0]["id"].as_str().unwrap());
    patch(&ana, &place, 500, &[b'b'; 500]).expect(204);
    larder.wait_until_tidy();
}

#[test]
fn the_newer_request_ends_the_older_and_loses_nothing_of_it() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for method in ["HEAD", "PATCH"] {
        let place = begun(&ana, 1000, &[("filename", method)]);
        let mut older = larder.wire();
        let asking = head(&larder, "ana", &place, 0, 1000);
        older.send(asking.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
        // It is the older: larder reads its body. Of that comes a part, and it hangs.
        older.head_answer().expect(100);
        older.send([b'a'; 600]);
        let begun = Instant::now();
        let told = match method {
            "HEAD" => offset(&ana, &place),
            _ => number(&patch(&ana, &place, 999, b"x").expect_refusal(409), "Upload-Offset"),
        };
        assert!(begun.elapsed() < Duration::from_secs(5), "whoever comes back waits");
        assert_eq!(told, 600, "what has come is not lost");
        // Its connection is cut.
        assert!(older.try_answer(false).is_none_or(|answer| answer.status >= 400));
        assert!(!older.try_send([b'a'; 400]) || older.try_answer(false).is_none());
        patch(&ana, &place, 600, &[b'b'; 400]).expect(204);
        assert_eq!(larder.read(method), format!("{}{}", "a".repeat(600), "b".repeat(400)));
    }
    larder.wait_until_tidy();
}

#[test]
fn a_restart_and_a_kill_change_nothing() {
    let mut larder = Larder::start().user("ana");
    let place = begun(&larder.http("ana"), 10, &[("filename", "f")]);
    patch(&larder.http("ana"), &place, 0, b"0123").expect(204);
    larder.stop();
    larder.restart();
    assert_eq!(offset(&larder.http("ana"), &place), 4);
    patch(&larder.http("ana"), &place, 4, b"45").expect(204);
    larder.kill();
    larder.restart();
    assert_eq!(offset(&larder.http("ana"), &place), 6);
    let answer = patch(&larder.http("ana"), &place, 6, b"6789").expect(204);
    assert_eq!(answer.header("Repr-Digest"), Some(&*digest(b"0123456789")), "read again");
    assert_eq!(larder.read("f"), "0123456789");
}

#[test]
fn what_is_done_about_a_name_that_is_taken() {
    let larder = Larder::start().user("ana").file("a.txt", "old");
    let ana = larder.http("ana");
    let put = |if_exists, content: &str| {
        let about = [("filename", "a.txt"), ("if_exists", if_exists)];
        let answer = send(&ana, content.len() as u64, &about, content.as_bytes()).expect(201);
        answer.header("Larder-Path").unwrap().to_owned()
    };
    assert_eq!(put("rename", "second"), "a%20%281%29.txt");
    assert_eq!(put("overwrite", "new"), "a.txt");
    assert_eq!((larder.read("a.txt"), larder.read("a (1).txt")), ("new".into(), "second".into()));
    assert_eq!(ana.get("/api/trash").expect(200).json().as_array().map(Vec::len), Some(1));
    // Taken while it came.
    let place = begun(&ana, 4, &[("filename", "late"), ("if_exists", "error")]);
    patch(&ana, &place, 0, b"01").expect(204);
    let larder = larder.file("late", "first");
    let answer = patch(&ana, &place, 2, b"23").expect(204);
    assert_eq!(answer.header("Larder-Path"), Some("late%20%281%29"));
    assert_eq!((larder.read("late"), larder.read("late (1)")), ("first".into(), "0123".into()));
}

#[test]
fn what_could_not_be_placed_waits_for_an_empty_request() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 4, &[("filename", "f"), ("if_exists", "overwrite")]);
    let larder = larder.folder("f");
    patch(&ana, &place, 0, b"0123").expect_refusal(409);
    assert_eq!(offset(&ana, &place), 4);
    patch(&ana, &place, 4, b"").expect_refusal(409);
    fs::remove_dir(larder.root().join("f")).unwrap();
    let answer = patch(&ana, &place, 4, b"").expect(204);
    assert_eq!(answer.header("Larder-Path"), Some("f"));
    assert_eq!(larder.read("f"), "0123");
    larder.wait_until_tidy();
}

#[test]
fn rights_are_asked_at_each_request_and_the_bytes_wait() {
    let larder = Larder::start().user("boss").user_with("ana", "user", r#"[""]"#, r#"["a"]"#);
    let (ana, boss) = (larder.http("ana"), larder.http("boss"));
    begin(&ana, 4, &[("filename", "f")]).expect_code(403, "not_permitted");
    begin(&ana, 4, &[("filename", "f"), ("path", "b")]).expect_error(403, "Not permitted");
    let place = begun(&ana, 4, &[("filename", "f"), ("path", "a")]);
    patch(&ana, &place, 0, b"01").expect(204);
    // Nobody else knows of it.
    for answer in [
        marked(boss.ask("DELETE", &place, &[], b"")),
        patch(&boss, &place, 2, b"23"),
        patch(&ana, "/api/uploads/index.html", 0, b""),
        patch(&ana, &format!("{place}x"), 0, b""),
        patch(&ana, &place.replace('-', "/"), 0, b""),
    ] {
        answer.expect_error(404, "Upload not found");
    }
    assert_eq!(boss.head(&place).status, 404);
    assert!(waiting(&boss).is_empty());
    for answer in
        [larder.anonymous().ask("DELETE", &place, &[], b""), larder.anonymous().get("/api/uploads")]
    {
        marked(answer).expect_error(401, "Unauthorized");
    }
    let edit = |paths_write: Value| {
        let id = boss.get("/api/user/get_all").expect(200).json();
        let id = id.as_array().unwrap().iter().find(|user| user["username"] == "ana");
        let id = id.unwrap()["id"].clone();
        let user = json!({ "id": id, "username": "ana", "name": "ana", "role": "user",
            "paths": [""], "paths_write": paths_write });
        boss.post("/api/user/edit", user).expect(200);
    };
    // Withdrawn while the last bytes come.
    let mut wire = larder.wire();
    let asking = head(&larder, "ana", &place, 2, 2);
    wire.send(asking.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    wire.head_answer().expect(100);
    edit(json!([]));
    wire.send("23");
    marked(wire.answer()).expect_error(403, "Not permitted");
    patch(&ana, &place, 4, b"").expect_code(403, "not_permitted");
    assert_eq!(ana.head(&place).status, 403);
    assert_eq!(waiting(&ana)[0]["offset"], 4);
    edit(json!(["a"]));
    patch(&ana, &place, 4, b"").expect(204);
    assert_eq!(larder.read("a/f"), "0123");
}

#[test]
fn one_can_be_dropped_while_it_comes() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 1000, &[("filename", "f")]);
    let mut wire = larder.wire();
    wire.send(head(&larder, "ana", &place, 0, 1000));
    wire.send([b'a'; 100]);
    marked(ana.ask("DELETE", &place, &[], b"")).expect(204);
    marked(ana.ask("DELETE", &place, &[], b"")).expect_error(404, "Upload not found");
    marked(ana.head(&place)).expect(404);
    assert_eq!(kept(&larder), 0);
    larder.wait_until_tidy();
}

#[test]
fn a_hash_that_was_told_is_held_against_what_came() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let about = metadata(&[("filename", "f")]);
    let begin = |hash: &str| {
        let fields = [("Upload-Length", "10"), ("Upload-Metadata", &*about), ("Repr-Digest", hash)];
        marked(ana.ask("POST", "/api/uploads", &fields, b""))
    };
    let good = digest(b"0123456789");
    for wrong in ["sha-256=x", "sha-256=:YQ==:", "sha-256"] {
        let answer = begin(wrong);
        assert!(answer.status == 400 || wrong == "sha-256" && answer.status == 201, "{answer}");
    }
    let place = place(&begin(&good).expect(201));
    patch(&ana, &place, 0, b"0123").expect(204);
    let answer = patch(&ana, &place, 4, b"45678!");
    answer.expect_error(400, "Content does not match its digest");
    marked(ana.head(&place)).expect(404);
    assert!(!larder.root().join("f").exists());
    let place = self::place(&begin(&format!("md5=:YQ==:, {good}")).expect(201));
    let answer = patch(&ana, &place, 0, b"0123456789").expect(204);
    assert_eq!(answer.header("Repr-Digest"), Some(&*good));
}

#[test]
fn the_hash_of_a_large_file_is_told_to_whoever_wants_it() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let content: Vec<u8> = (0..=250).cycle().take(9 << 20).collect();
    let length = content.len().to_string();
    for (name, wish) in [("a", None), ("b", Some("sha-512=1, sha-256=5")), ("c", Some("sha-256=0"))]
    {
        let about = metadata(&[("filename", name)]);
        let mut fields = vec![BYTES, ("Upload-Length", &*length), ("Upload-Metadata", &*about)];
        fields.extend(wish.map(|wish| ("Want-Repr-Digest", wish)));
        let answer = marked(ana.ask("POST", "/api/uploads", &fields, &content)).expect(201);
        let wanted = digest(&content);
        assert_eq!(answer.header("Repr-Digest"), Some(&*wanted).filter(|_| name == "b"));
        assert!(larder.read_bytes(name) == content);
    }
}

#[test]
fn a_hundred_uploads_of_one_are_open_at_most() {
    let larder = Larder::start().user("ana").user("cam");
    let ana = larder.http("ana");
    let places: Vec<String> =
        (0..100).map(|number| begun(&ana, 1, &[("filename", &number.to_string())])).collect();
    let answer = begin(&ana, 1, &[("filename", "more")]).expect_code(429, "too_many");
    assert!(number(&answer, "Retry-After") > 0);
    begun(&larder.http("cam"), 1, &[("filename", "cam's")]);
    patch(&ana, &places[7], 0, b"x").expect(204);
    begun(&ana, 1, &[("filename", "more")]);
}

#[test]
fn what_was_promised_to_others_is_not_promised_again() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let free = rustix::fs::statvfs(larder.root()).unwrap();
    let free = free.f_bavail * free.f_frsize;
    begin(&ana, free.saturating_mul(2), &[("filename", "f")]).expect_error(507, "Disk full");
    assert_eq!(kept(&larder), 0);
    larder.wait_until_tidy();
}

#[test]
fn nothing_stays_of_a_user_who_is_deleted() {
    let larder = Larder::start().user("boss").user("ana");
    let (boss, ana) = (larder.http("boss"), larder.http("ana"));
    let place = begun(&ana, 1000, &[("filename", "f")]);
    patch(&ana, &place, 0, b"0123").expect(204);
    begun(&boss, 1000, &[("filename", "boss's")]);
    let mut wire = larder.wire();
    wire.send(head(&larder, "ana", &place, 4, 996));
    wire.send("45");
    boss.post("/api/user/delete", json!({ "username": "ana" })).expect(200);
    wait::until("only the other's are left", || kept(&larder) == 2);
    assert_eq!(waiting(&boss).len(), 1);
}

#[test]
fn pages_of_listed_origins_may_use_it() {
    let origin = "http://pages.example";
    let larder =
        Larder::prepare().settings(&json!({ "cors_origins": [origin] })).launch().user("ana");
    let asking = [("Origin", origin), ("Access-Control-Request-Method", "PATCH")];
    for path in ["/api/uploads", "/api/uploads/x"] {
        let answer = larder.anonymous().ask("OPTIONS", path, &asking, b"").expect(204);
        let methods = answer.header("Access-Control-Allow-Methods").unwrap();
        let wanted = if path.ends_with('x') { "PATCH" } else { "POST" };
        assert!(methods.contains(wanted), "{answer}");
        let fields = answer.header("Access-Control-Allow-Headers").unwrap();
        for field in ["Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset"] {
            assert!(fields.contains(field), "{answer}");
        }
    }
    let about = metadata(&[("filename", "f")]);
    let fields = [("Origin", origin), ("Upload-Length", "0"), ("Upload-Metadata", &about)];
    let answer = larder.http("ana").ask("POST", "/api/uploads", &fields, b"").expect(201);
    let readable = answer.header("Access-Control-Expose-Headers").unwrap();
    for field in ["Location", "Upload-Offset", "Upload-Expires", "Larder-Path", "Tus-Resumable"] {
        assert!(readable.contains(field), "{answer}");
    }
}

#[test]
fn the_log_tells_once_who_uploaded_what() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 4, &[("filename", "f"), ("path", "docs")]);
    patch(&ana, &place, 0, b"01").expect(204);
    patch(&ana, &place, 2, b"23").expect(204);
    patch(&ana, &place, 4, b"").expect(204);
    let rows = || {
        let logs = ana.get("/api/get_logs?path=docs/f").expect(200).json();
        logs.as_array().unwrap().clone()
    };
    wait::until("a row", || !rows().is_empty());
    let rows = rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["user"], &rows[0]["path"]), (&json!("ana"), &json!("docs/f")));
}

#[test]
fn who_begins_the_same_again_leaves_nothing_behind() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let about = [("filename", "f"), ("modified", "1700000000123")];
    // The answer was lost, and nothing came yet.
    let first = begun(&ana, 10, &about);
    let second = begun(&ana, 10, &about);
    assert_eq!((ana.head(&first).status, waiting(&ana).len()), (404, 1));
    // What has come, and another file, stay.
    patch(&ana, &second, 0, b"01").expect(204);
    begun(&ana, 10, &about);
    begun(&ana, 11, &about);
    begun(&ana, 10, &[("filename", "f"), ("modified", "1700000000124")]);
    assert_eq!((offset(&ana, &second), waiting(&ana).len()), (2, 4));
}

#[test]
fn who_cannot_send_a_method_says_which_is_meant() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    let place = begun(&ana, 4, &[("filename", "f")]);
    let meant = |method: &str, offset: &str, bytes: &[u8]| {
        let fields = [BYTES, ("X-HTTP-Method-Override", method), ("Upload-Offset", offset)];
        marked(ana.ask("POST", &place, &fields, bytes))
    };
    meant("PATCH", "0", b"01").expect(204);
    assert_eq!(number(&meant("HEAD", "0", b"").expect(200), "Upload-Offset"), 2);
    let wrong = [BYTES, ("Upload-Offset", "2"), ("Upload-Length", "5")];
    marked(ana.ask("PATCH", &place, &wrong, b"2")).expect_error(400, "Invalid length");
    meant("DELETE", "0", b"").expect(204);
    meant("HEAD", "0", b"").expect(404);
    marked(ana.post_raw(&place, None, b"")).expect_refusal(405);
}
