//! Downloads: files with conditions and ranges, folders as zips.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::harness::{Answer, Client, Larder, unzip};

/// Ten letters, and a client who may read them.
fn digits() -> Larder {
    Larder::start().user("ana").file("d.txt", "0123456789")
}

/// `GET` with one more field.
#[track_caller]
fn with(client: &Client, name: &str, value: &str) -> Answer {
    client.clone().with(name, value).get("/api/download?file_path=d.txt")
}

/// The date of an answer's `Last-Modified`, moved by seconds.
fn moved(answer: &Answer, seconds: i64) -> String {
    let date = httpdate::parse_http_date(answer.header("Last-Modified").unwrap()).unwrap();
    let step = Duration::from_secs(seconds.unsigned_abs());
    httpdate::fmt_http_date(if seconds < 0 { date - step } else { date + step })
}

/// Gives a file a time that is old enough to be a validator.
fn age(larder: &Larder, path: &str, seconds: u64) {
    let file = File::options().write(true).open(larder.root().join(path)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_file_comes_with_everything_that_a_client_wants_to_know() {
    let larder = digits();
    let file = File::options().write(true).open(larder.root().join("d.txt")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(1_700_000_000_500)).unwrap();
    let ana = larder.http("ana");
    let answer = ana.get("/api/download?file_path=d.txt").expect(200);
    assert_eq!(answer.text(), "0123456789");
    assert_eq!(answer.header("Content-Length"), Some("10"));
    assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
    assert_eq!(answer.header("Last-Modified"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    let tag = answer.header("ETag").unwrap();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 4, "{tag}");
    let disposition = answer.header("Content-Disposition").unwrap();
    assert!(
        disposition.starts_with("attachment;") && disposition.contains("filename*=UTF-8''d.txt"),
        "{disposition}"
    );
    assert!(answer.header("Date").is_some());
    // HEAD says the same and sends nothing.
    let head = ana.head("/api/download?file_path=d.txt").expect(200);
    assert!(head.body.is_empty());
    for name in [
        "Content-Length",
        "Content-Type",
        "ETag",
        "Last-Modified",
        "Accept-Ranges",
        "Content-Disposition",
        "Cache-Control",
    ] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
}

#[test]
fn names_travel_whole_and_cannot_break_out() {
    let larder = Larder::start().user("ana");
    for (name, encoded) in [
        ("plain.txt", "plain.txt"),
        ("a b.txt", "a%20b.txt"),
        ("ü€🍯.txt", "%C3%BC%E2%82%AC%F0%9F%8D%AF.txt"),
        ("\"; filename=evil.exe; x=\"", "%22%3B%20filename%3Devil.exe%3B%20x%3D%22"),
        ("line\r\nX-Evil: 1", "line%0D%0AX-Evil%3A%201"),
        ("100%.txt", "100%25.txt"),
        ("back\\slash", "back%5Cslash"),
        ("it's (1).txt", "it%27s%20%281%29.txt"),
    ] {
        larder.write(name, "x");
        let answer = larder.http("ana").get_with("/api/download", "file_path", name).expect(200);
        let disposition = answer.header("Content-Disposition").unwrap();
        let (_, extended) = disposition.rsplit_once("filename*=UTF-8''").expect("filename*");
        assert_eq!(extended, encoded);
        assert!(disposition.is_ascii());
        assert!(answer.header("X-Evil").is_none());
        // The plain name has no quote but those around it.
        let plain = disposition.split("filename=\"").nth(1).expect("filename");
        let end = plain.find('"').unwrap();
        assert!(plain[end..].starts_with("\"; filename*="), "{disposition}");
    }
}

#[test]
fn another_content_has_another_tag_also_at_the_same_size_within_a_second() {
    let larder = Larder::start().user("ana").file("d.txt", "version 00");
    let ana = larder.http("ana");
    let tag = || ana.head("/api/download?file_path=d.txt").header("ETag").unwrap().to_owned();
    let mut tags = vec![tag()];
    for number in 1..30 {
        let ask = json!({ "path": "d.txt", "file_content": format!("version {number:02}") });
        ana.post("/api/edit_file", ask).expect(200);
        let now = tag();
        assert_eq!(now, tag(), "the tag of an unchanged file changes");
        assert!(!tags.contains(&now), "version {number} has an older one's tag");
        tags.push(now);
    }
}

#[test]
fn a_client_that_has_the_file_is_not_sent_it_again() {
    let larder = digits();
    age(&larder, "d.txt", 100);
    let ana = larder.http("ana");
    let whole = with(&ana, "X", "y").expect(200);
    let tag = whole.header("ETag").unwrap().to_owned();
    let date = moved(&whole, 0);
    for (name, value) in [
        ("If-None-Match", tag.as_str()),
        ("If-None-Match", &format!("W/{tag}")),
        ("If-None-Match", &format!("\"x\", {tag}")),
        ("If-None-Match", "*"),
        ("If-Modified-Since", &date),
        ("If-Modified-Since", &moved(&whole, 50)),
    ] {
        let answer = with(&ana, name, value).expect(304);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("ETag"), Some(tag.as_str()), "{name}: {value}");
    }
    for (name, value) in [
        ("If-None-Match", "\"x\""),
        ("If-None-Match", "x"),
        ("If-Modified-Since", &moved(&whole, -50)),
        ("If-Modified-Since", "yesterday"),
        ("If-Match", &tag),
        ("If-Match", "*"),
        ("If-Unmodified-Since", &date),
    ] {
        assert_eq!(with(&ana, name, value).expect(200).text(), "0123456789", "{name}: {value}");
    }
    for (name, value) in [
        ("If-Match", "\"x\"".to_owned()),
        ("If-Match", format!("W/{tag}")),
        ("If-Unmodified-Since", moved(&whole, -50)),
    ] {
        with(&ana, name, &value).expect(412);
    }
    // A tag that differs makes the date irrelevant (RFC 9110, 13.1.3).
    let both = ana.clone().with("If-None-Match", "\"x\"");
    with(&both, "If-Modified-Since", &date).expect(200);
    // HEAD honours conditions too.
    ana.clone().with("If-None-Match", &tag).head("/api/download?file_path=d.txt").expect(304);
}

#[test]
fn one_range_is_sent_alone() {
    let larder = digits();
    let ana = larder.http("ana");
    for (range, content_range, text) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-1000", "bytes 7-9/10", "789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-1000", "bytes 0-9/10", "0123456789"),
        ("bytes=9-99999999999999999999999", "bytes 9-9/10", "9"),
        ("BYTES=1-2", "bytes 1-2/10", "12"),
        ("bytes= 1-2 , 50-60", "bytes 1-2/10", "12"),
    ] {
        let answer = with(&ana, "Range", range).expect(206);
        assert_eq!(answer.header("Content-Range"), Some(content_range), "{range}");
        assert_eq!(answer.text(), text, "{range}");
        assert_eq!(answer.header("Content-Length"), Some(text.len().to_string().as_str()));
        assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn a_range_that_is_none_gets_the_whole_file_and_one_behind_the_end_416() {
    let larder = digits().file("empty.txt", "");
    let ana = larder.http("ana");
    for range in [
        "bytes=5-2",
        "bytes=",
        "bytes",
        "lines=1-2",
        "bytes=a-b",
        "bytes=--3",
        "bytes=1-2,x",
        "bytes=1",
    ] {
        assert_eq!(with(&ana, "Range", range).expect(200).text(), "0123456789", "{range}");
    }
    let many =
        format!("bytes={}", (0..500).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(","));
    with(&ana, "Range", &many).expect(200);
    for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=100-,200-"] {
        let answer = with(&ana, "Range", range).expect(416);
        assert_eq!(answer.header("Content-Range"), Some("bytes */10"), "{range}");
    }
    // HEAD has no ranges (RFC 9110, 14.2).
    let head =
        ana.clone().with("Range", "bytes=2-4").head("/api/download?file_path=d.txt").expect(200);
    assert_eq!(head.header("Content-Length"), Some("10"));
}

#[test]
fn several_ranges_come_as_parts() {
    let larder = digits();
    let answer = with(&larder.http("ana"), "Range", "bytes=0-1,5-6,-1").expect(206);
    let content_type = answer.header("Content-Type").unwrap();
    let boundary =
        content_type.strip_prefix("multipart/byteranges; boundary=").expect(content_type);
    assert_eq!(answer.header("Content-Length"), Some(answer.body.len().to_string().as_str()));
    let text = answer.text();
    assert!(text.ends_with(&format!("\r\n--{boundary}--\r\n")), "{text:?}");
    let delimiter = format!("--{boundary}\r\n");
    let parts: Vec<&str> = text.split(&delimiter).skip(1).collect();
    for (part, (range, content)) in
        parts.iter().zip([("bytes 0-1/10", "01"), ("bytes 5-6/10", "56"), ("bytes 9-9/10", "9")])
    {
        let (head, body) = part.split_once("\r\n\r\n").expect("a part's head");
        assert!(head.contains(&format!("Content-Range: {range}")), "{head}");
        assert!(head.contains("Content-Type: text/plain; charset=utf-8"), "{head}");
        assert!(body.starts_with(&format!("{content}\r\n")), "{body:?}");
    }
    assert_eq!(parts.len(), 3);
}

#[test]
fn a_range_of_another_version_gets_the_whole_file() {
    let larder = digits();
    age(&larder, "d.txt", 100);
    let ana = larder.http("ana").with("Range", "bytes=2-4");
    let answer = with(&ana, "X", "y").expect(206);
    let tag = answer.header("ETag").unwrap().to_owned();
    assert_eq!(with(&ana, "If-Range", &tag).expect(206).text(), "234");
    assert_eq!(with(&ana, "If-Range", &moved(&answer, 0)).expect(206).text(), "234");
    for stale in [&format!("W/{tag}"), "\"x\"", &moved(&answer, 1), &moved(&answer, -1), "nonsense"]
    {
        assert_eq!(with(&ana, "If-Range", stale).expect(200).text(), "0123456789", "{stale}");
    }
    let ask = json!({ "path": "d.txt", "file_content": "abcdefghij" });
    larder.http("ana").post("/api/edit_file", ask).expect(200);
    assert_eq!(with(&ana, "If-Range", &tag).expect(200).text(), "abcdefghij");
}

#[test]
fn inline_shows_and_active_types_are_sandboxed() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for (name, is_active) in [
        ("a.html", true),
        ("a.HTM", true),
        ("a.svg", true),
        ("a.xhtml", true),
        ("a.xml", true),
        ("a.txt", false),
        ("a.jpg", false),
        ("a.pdf", false),
        ("a.mp4", false),
    ] {
        larder.write(name, "<script>alert(1)</script>");
        for flag in ["&inline=1", "&inline=yes", "&inline"] {
            let answer = ana.get(&format!("/api/download?file_path={name}{flag}")).expect(200);
            let disposition = answer.header("Content-Disposition").unwrap();
            assert!(disposition.starts_with("inline;"), "{name}: {disposition}");
            let policy = answer.header("Content-Security-Policy").unwrap_or_default();
            assert_eq!(
                policy.split(';').any(|part| part.trim() == "sandbox"),
                is_active,
                "{name}: {policy}"
            );
            assert!(
                !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
                "{policy}"
            );
            assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        }
        for flag in ["", "&inline=0"] {
            let answer = ana.get(&format!("/api/download?file_path={name}{flag}")).expect(200);
            let disposition = answer.header("Content-Disposition").unwrap();
            assert!(disposition.starts_with("attachment;"), "{name}{flag}: {disposition}");
        }
    }
}

#[test]
fn a_download_of_nothing_is_refused() {
    let larder = digits().link("dangling", "nowhere");
    let ana = larder.http("ana");
    ana.get("/api/download").expect_error(400, "No file path provided");
    ana.get("/api/download?path=d.txt").expect_error(400, "No file path provided");
    for path in ["missing", "missing/x", "d.txt/x", "dangling"] {
        ana.get_with("/api/download", "file_path", path)
            .expect_error(404, "File or folder does not exist");
    }
    ana.get("/api/download?file_path=..").expect_error(400, "Invalid path");
    let head = ana.head("/api/download?file_path=missing").expect(404);
    assert!(head.body.is_empty());
}

#[test]
fn a_file_beyond_four_gibibytes_is_sent_and_its_end_too() {
    const LENGTH: u64 = (4 << 30) + 12_345;
    let larder = Larder::start().user("ana");
    let file = File::create(larder.root().join("big.bin")).unwrap();
    file.set_len(LENGTH).unwrap();
    file.write_all_at(b"the end", LENGTH - 7).unwrap();
    let ana = larder.http("ana");
    let head = ana.head("/api/download?file_path=big.bin").expect(200);
    assert_eq!(head.header("Content-Length"), Some(LENGTH.to_string().as_str()));
    let get = |range: &str| {
        ana.clone().with("Range", range).get("/api/download?file_path=big.bin").expect(206)
    };
    let end = get("bytes=-7");
    assert_eq!(end.text(), "the end");
    assert_eq!(
        end.header("Content-Range").unwrap(),
        format!("bytes {}-{}/{LENGTH}", LENGTH - 7, LENGTH - 1)
    );
    let across = get(&format!("bytes={}-{}", (4_u64 << 30) - 5, (4_u64 << 30) + 5));
    assert_eq!(across.body, [0; 11]);
    let json = ana.get("/api/finder?details=1").expect(200).json();
    assert_eq!(json["entries"][0]["size"], LENGTH);
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_arrives_as_it_was() {
    let larder = Larder::start().user("ana").file("a.bin", vec![b'o'; 20 << 20]);
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/download?file_path=a.bin HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\n\r\n",
        larder.key("ana")
    ));
    wire.skip_head();
    let ask = json!({ "path": "a.bin", "file_content": "new" });
    larder.http("ana").post("/api/edit_file", ask).expect(200);
    let body = wire.take(20 << 20).expect("the whole file");
    assert!(body.iter().all(|byte| *byte == b'o'));
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection_and_not_the_server() {
    let larder = Larder::start().user("ana").file("a.bin", vec![b'o'; 20 << 20]);
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/download?file_path=a.bin HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\n\r\n",
        larder.key("ana")
    ));
    wire.skip_head();
    File::options().write(true).open(larder.root().join("a.bin")).unwrap().set_len(10).unwrap();
    assert!(wire.take(20 << 20).is_none(), "a short file passed for a whole one");
    larder.http("ana").get("/api/finder").expect(200);
}

/// A folder with all that a zip may meet.
fn folder_to_zip() -> Larder {
    let larder = Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .file("docs/.hidden", "H")
        .file("docs/empty file", "")
        .file("docs/deep/er/ü🍯.txt", "honey")
        .folder("docs/empty/folder")
        .file("elsewhere/e.txt", "E")
        .file("docs/big.bin", vec![7; 600_000])
        .link("docs/dangling", "nowhere")
        .link("docs/outside", "/etc")
        .link("docs/passwd", "/etc/passwd")
        .link("docs/loop", "..");
    let file = File::options().write(true).open(larder.root().join("docs/a.txt")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    larder
}

#[test]
fn a_folder_comes_as_a_zip() {
    let larder = folder_to_zip();
    let answer = larder.http("ana").get("/api/download?file_path=docs").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/zip"));
    let disposition = answer.header("Content-Disposition").unwrap();
    assert!(
        disposition.starts_with("attachment;")
            && disposition.ends_with("filename*=UTF-8''docs.zip"),
        "{disposition}"
    );
    assert!(answer.header("Content-Length").is_none());
    let members = unzip(&answer.body);
    assert_eq!(members["a.txt"], b"A");
    assert_eq!(members[".hidden"], b"H");
    assert_eq!(members["empty file"], b"");
    assert_eq!(members["deep/er/ü🍯.txt"], b"honey");
    assert_eq!(members["big.bin"], vec![7; 600_000]);
    assert!(members.contains_key("empty/folder/"), "{:?}", members.keys());
    for name in members.keys() {
        assert!(!name.starts_with('/') && !name.contains(".."), "{name}");
        assert!(
            !name.starts_with("outside")
                && !name.starts_with("passwd")
                && !name.starts_with("dangling"),
            "{name}"
        );
        assert!(!name.contains("elsewhere/"), "the loop was followed: {name}");
        assert!(!name.contains(".larder"), "{name}");
    }
    let path = larder.folder_path().join("docs.zip");
    fs::write(&path, &answer.body).unwrap();
    // Where there is Info-ZIP, it must agree, and see the time.
    if let Ok(output) = Command::new("unzip").arg("-t").arg(&path).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let target = larder.folder_path().join("unzipped");
    if Command::new("unzip")
        .arg("-q")
        .arg(&path)
        .arg("-d")
        .arg(&target)
        .status()
        .is_ok_and(|status| status.success())
    {
        let modified = target.join("a.txt").metadata().unwrap().modified().unwrap();
        let seconds = modified.duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(seconds.abs_diff(1_700_000_000) <= 2, "{seconds}");
        assert_eq!(fs::read(target.join("deep/er/ü🍯.txt")).unwrap(), b"honey");
    }
}

#[test]
fn the_root_comes_as_a_zip_without_larders_own_folder() {
    let larder = Larder::start().user("ana").file("a.txt", "A").file("docs/b.txt", "B");
    let ana = larder.http("ana");
    for root in ["%2F", "."] {
        let answer = ana.get(&format!("/api/download?file_path={root}")).expect(200);
        let disposition = answer.header("Content-Disposition").unwrap();
        assert!(disposition.ends_with("filename*=UTF-8''larder.zip"), "{disposition}");
        let members = unzip(&answer.body);
        assert_eq!(members["a.txt"], b"A");
        assert_eq!(members["docs/b.txt"], b"B");
        assert!(!members.keys().any(|name| name.contains(".larder")), "{:?}", members.keys());
    }
}

#[test]
fn an_empty_folder_comes_as_an_empty_zip_and_its_head_alone() {
    let larder = Larder::start().user("ana").folder("empty").file("docs/big.bin", vec![1; 3 << 20]);
    let ana = larder.http("ana");
    assert!(unzip(&ana.get("/api/download?file_path=empty").expect(200).body).is_empty());
    let head = ana.head("/api/download?file_path=docs").expect(200);
    assert_eq!(head.header("Content-Type"), Some("application/zip"));
    assert!(head.header("Content-Disposition").unwrap().contains("docs.zip"));
    assert!(head.body.is_empty());
    // The connection still serves.
    ana.get("/api/finder").expect(200);
}

#[test]
fn a_zip_of_many_files_is_whole() {
    let larder = Larder::start().user("ana").folder("many");
    for number in 0..3000 {
        larder.write(&format!("many/{}/{number}.txt", number % 30), number.to_string());
    }
    let members = unzip(&larder.http("ana").get("/api/download?file_path=many").expect(200).body);
    for number in 0..3000 {
        assert_eq!(
            members[&format!("{}/{number}.txt", number % 30)],
            number.to_string().as_bytes()
        );
    }
}

#[test]
fn a_zip_that_is_broken_off_costs_nothing() {
    let larder = Larder::start().user("ana").file("docs/big.bin", vec![1; 30 << 20]);
    for _ in 0..5 {
        let mut wire = larder.wire();
        wire.send(format!(
            "GET /api/download?file_path=docs HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\n\r\n",
            larder.key("ana")
        ));
        assert_eq!(wire.line().unwrap(), "HTTP/1.1 200 OK");
        drop(wire);
    }
    assert_eq!(larder.unfinished(), 0);
    larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn a_link_is_downloaded_as_what_it_leads_to() {
    let larder = digits().link("link.txt", "d.txt").file("docs/x.txt", "X").link("folder", "docs");
    let ana = larder.http("ana");
    let answer = ana.get("/api/download?file_path=link.txt").expect(200);
    assert_eq!(answer.text(), "0123456789");
    assert!(answer.header("Content-Disposition").unwrap().contains("link.txt"));
    assert_eq!(ana.get("/api/download?file_path=folder/x.txt").expect(200).text(), "X");
    assert_eq!(unzip(&ana.get("/api/download?file_path=folder").expect(200).body)["x.txt"], b"X");
}

#[test]
fn a_selection_comes_as_one_zip() {
    let larder = folder_to_zip().file("a.txt", "another").link("way", "docs/deep");
    let ana = larder.http("ana");
    let target = "/api/download?file_path=docs/a.txt&file_path=docs/deep&file_path=a.txt\
                  &file_path=docs%2Fempty&file_path=docs/a.txt&file_path=way";
    let answer = ana.get(target).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/zip"));
    let disposition = answer.header("Content-Disposition").unwrap();
    assert!(disposition.ends_with("filename*=UTF-8''larder.zip"), "{disposition}");
    let members = unzip(&answer.body);
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    let expected = [
        "a (1).txt",
        "a (2).txt",
        "a.txt",
        "deep/",
        "deep/er/",
        "deep/er/ü🍯.txt",
        "empty/",
        "empty/folder/",
        "way/",
        "way/er/",
        "way/er/ü🍯.txt",
    ];
    assert_eq!(names, expected);
    assert_eq!(members["a.txt"], b"A");
    assert_eq!(members["a (1).txt"], b"another");
    assert_eq!(members["a (2).txt"], b"A");
    assert_eq!(members["way/er/ü🍯.txt"], b"honey");
    let head = ana.head(target).expect(200);
    assert!(head.body.is_empty());
}

#[test]
fn of_a_selection_all_must_be_there_and_permitted() {
    let larder = Larder::start()
        .user_with("ben", "user", r#"["mine"]"#, "[]")
        .file("mine/a.txt", "A")
        .file("mine/b.txt", "B")
        .file("theirs/c.txt", "C")
        .link("mine/way", "../theirs/c.txt");
    let ben = larder.http("ben");
    let get = |paths: &[&str]| {
        let query: Vec<_> = paths.iter().map(|path| format!("file_path={path}")).collect();
        ben.get(&format!("/api/download?{}", query.join("&")))
    };
    get(&["mine/a.txt", "mine/b.txt"]).expect(200);
    get(&["mine/missing", "theirs/c.txt"]).expect_error(401, "Unauthorized");
    get(&["mine/a.txt", "mine/way"]).expect_error(401, "Unauthorized");
    get(&["mine/a.txt", ""]).expect_error(401, "Unauthorized");
    get(&["mine/a.txt", "mine/missing"]).expect_error(404, "File or folder does not exist");
    get(&["mine/missing", ".."]).expect_error(400, "Invalid path");
}

#[test]
fn the_root_in_a_selection_has_a_name() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let answer = larder.http("ana").get("/api/download?file_path=&file_path=a.txt").expect(200);
    let names: Vec<_> = unzip(&answer.body).into_keys().collect();
    assert_eq!(names, ["a.txt", "larder/", "larder/a.txt"]);
}

#[test]
fn an_empty_file_is_whole_whatever_the_range() {
    let larder = Larder::start().user("ana").file("empty.mp3", "");
    for range in ["bytes=-1", "bytes=0-", "bytes=0-499"] {
        let ana = larder.http("ana").with("Range", range);
        let answer = ana.get("/api/download?file_path=empty.mp3").expect(200);
        assert_eq!((answer.header("Content-Length"), answer.body.len()), (Some("0"), 0), "{range}");
    }
}

/// The year 2040: a camera whose clock is wrong.
const AHEAD: Duration = Duration::from_hours(613_608);

#[test]
fn a_file_dated_ahead_of_the_clock_is_not_modified_later_than_now() {
    let larder = digits();
    let file = File::options().write(true).open(larder.root().join("d.txt")).unwrap();
    file.set_modified(UNIX_EPOCH + AHEAD).unwrap();
    let answer = larder.http("ana").get("/api/download?file_path=d.txt").expect(200);
    let date = |name| httpdate::parse_http_date(answer.header(name).unwrap()).unwrap();
    assert!(date("Last-Modified") <= date("Date"), "{answer}");
}

#[test]
fn a_file_dated_ahead_of_the_clock_keeps_its_tag_and_is_resumed() {
    let larder = digits();
    let ana = larder.http("ana");
    let path = larder.root().join("d.txt");
    // Also what was dated so by somebody else, whose clock has whole seconds.
    let date =
        |ahead| File::options().write(true).open(&path).unwrap().set_modified(UNIX_EPOCH + ahead);
    date(AHEAD).unwrap();
    let tag = || ana.head("/api/download?file_path=d.txt").header("ETag").unwrap().to_owned();
    let first = tag();
    for _ in 0..3 {
        assert_eq!(tag(), first);
    }
    let rest = ana.clone().with("Range", "bytes=5-").with("If-Range", &first);
    assert_eq!(rest.get("/api/download?file_path=d.txt").expect(206).text(), "56789");
    fs::write(&path, "9876543210").unwrap();
    date(AHEAD).unwrap();
    assert_ne!(tag(), first, "another content");
}

#[test]
fn sound_and_films_have_the_types_that_players_know() {
    let larder =
        Larder::start().user("ana").file("a.m4a", "a").file("b.m4b", "b").file("c.ts", "c");
    for (name, media_type) in
        [("a.m4a", "audio/mp4"), ("b.m4b", "audio/mp4"), ("c.ts", "video/mp2t")]
    {
        let answer = larder.http("ana").get(&format!("/api/download?file_path={name}")).expect(200);
        assert_eq!(answer.header("Content-Type"), Some(media_type), "{name}");
    }
}
