//! People without an account, who come by a link: second contract, section 15, "For guests".

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::tus::{BYTES, encoded};
use crate::harness::wire::Wire;
use crate::harness::{Answer, Client, Larder, encode, pictures, unzip, wait};

/// Every place that people come to by a link, here by one that there is not.
const PLACES: [&str; 7] = [
    "/s/no-such-link",
    "/s/no-such-link/info",
    "/s/no-such-link/open",
    "/s/no-such-link/list",
    "/s/no-such-link/download",
    "/s/no-such-link/thumb",
    "/s/no-such-link/uploads",
];

/// The one of an upload.
const UPLOAD: &str = "/s/no-such-link/uploads/index.html";

/// What must not be told to a guest: names and contents around what they were given, or hidden in it.
const CANARY: &str = "canary";

/// Makes a link; where it is.
#[track_caller]
fn link(larder: &Larder, who: &str, ask: Value) -> String {
    let answer = larder.http(who).post("/api/link/create", ask).expect_status("Link created");
    answer["url"].as_str().expect("an address").to_owned()
}

/// The token of a link's address.
fn token(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// Opens a link; the guest with their cookie.
#[track_caller]
fn opened(larder: &Larder, url: &str, ask: Value) -> Client {
    let answer = larder.anonymous().post(&format!("{url}/open"), ask);
    let cookie = answer.header("Set-Cookie").expect("a cookie").to_owned();
    assert_eq!(answer.expect_status("Opened"), json!({ "status": "Opened" }));
    larder.anonymous().with("Cookie", cookie.split(';').next().unwrap())
}

/// A house with an album that ana may share, and neighbours that nobody shall know of.
fn album() -> Larder {
    let larder = Larder::start()
        .user("ana")
        .user("eve")
        .file("photos/summer/a.jpg", pictures::jpeg(64, 48))
        .file("photos/summer/b.txt", "B")
        .file("photos/summer/in/c.txt", "C")
        .file("photos/summer/.canary", CANARY)
        .file("photos/summer/in/.hidden/canary.txt", CANARY)
        .file("photos/canary.txt", CANARY)
        .file("canary/canary.txt", CANARY)
        .file("photos/summer2/canary.txt", CANARY);
    let summer = larder.root().join("photos/summer");
    symlink("../canary.txt", summer.join("leads-out.txt")).unwrap();
    symlink("../../canary", summer.join("leads-to-a-folder")).unwrap();
    symlink(larder.root().join("canary"), summer.join("absolute")).unwrap();
    symlink("..", summer.join("up")).unwrap();
    symlink(".canary", summer.join("in-hidden.txt")).unwrap();
    symlink("in/c.txt", summer.join("stays.txt")).unwrap();
    larder
}

/// Begins an upload by a link, or brings all of it.
#[track_caller]
fn bring(guest: &Client, url: &str, metadata: &[(&str, &str)], body: &[u8]) -> Answer {
    let (length, metadata) = (body.len().to_string(), encoded(metadata));
    let fields = [("Upload-Length", &*length), ("Upload-Metadata", &*metadata), BYTES];
    guest.ask("POST", &format!("{url}/uploads"), &fields, body)
}

/// Begins one of so many bytes; where it is.
#[track_caller]
fn begun(guest: &Client, url: &str, length: usize, name: &str) -> String {
    let answer = begin(guest, url, length, name).expect(201);
    answer.header("Location").unwrap().to_owned()
}

/// The same, whatever is answered.
#[track_caller]
fn begin(guest: &Client, url: &str, length: usize, name: &str) -> Answer {
    let (length, metadata) = (length.to_string(), encoded(&[("filename", name)]));
    let fields = [("Upload-Length", &*length), ("Upload-Metadata", &*metadata)];
    guest.ask("POST", &format!("{url}/uploads"), &fields, b"")
}

/// Goes on with one.
#[track_caller]
fn patch(guest: &Client, upload: &str, offset: usize, body: &[u8]) -> Answer {
    guest.ask("PATCH", upload, &[BYTES, ("Upload-Offset", &offset.to_string())], body)
}

/// The fields of every request of a guest, as they are sent.
fn fields_of(guest: &Client) -> String {
    let line = |text, (name, value): &(String, String)| format!("{text}{name}: {value}\r\n");
    guest.headers.iter().fold(String::new(), line)
}

/// Demands that an answer shows nothing of what is around, whose it is, or the address it came by.
#[track_caller]
fn expect_silent(answer: &Answer) {
    let shown: Vec<String> = answer
        .headers
        .iter()
        .map(|(_, value)| value.clone())
        .chain([String::from_utf8_lossy(&answer.body).into_owned()])
        .collect();
    for word in [CANARY, "photos/", "summer2", "/tmp", "token"] {
        assert!(!shown.iter().any(|text| text.contains(word)), "{word}: {answer}");
    }
}

/// Demands the fields that everything under `/s/` has.
#[track_caller]
fn expect_closed(answer: &Answer) {
    let field = |name| answer.header(name).unwrap_or_default();
    assert_eq!(field("Referrer-Policy"), "no-referrer", "{answer}");
    assert_eq!(field("X-Robots-Tag"), "noindex, nofollow", "{answer}");
    assert_eq!(field("Cross-Origin-Resource-Policy"), "same-origin", "{answer}");
    assert!(["no-store", "private, no-cache"].contains(&field("Cache-Control")), "{answer}");
    assert!(!field("Content-Security-Policy").is_empty(), "{answer}");
    assert!(answer.header("Access-Control-Allow-Origin").is_none(), "{answer}");
    let twice = |name: &str| answer.headers.iter().filter(|(other, _)| other == name).count();
    for name in ["referrer-policy", "cache-control", "content-security-policy", "x-robots-tag"] {
        assert_eq!(twice(name), 1, "{name}: {answer}");
    }
}

#[test]
fn the_page_is_the_same_whatever_the_token_and_every_answer_is_closed() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "label": CANARY }));
    let guest = larder.anonymous();
    let page = guest.get(&url).expect(200);
    assert_eq!(page.header("Content-Type"), Some("text/html; charset=utf-8"));
    for other in [format!("{url}/"), "/s/no-such-link".to_owned(), "/s/%2e%2e".to_owned()] {
        let same = guest.get(&other).expect(200);
        assert_eq!(same.body, page.body, "{other}");
        expect_closed(&same);
    }
    expect_silent(&page);
    for place in PLACES.iter().chain([&UPLOAD, &"/s/", &"/s/x/nothing", &"/s/x/info/"]) {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let more =
                [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "GET")];
            expect_closed(&guest.ask(method, place, &more, b""));
        }
    }
    for target in
        ["/info", "/list", "/download?path=b.txt", "/download", "/thumb?path=a.jpg", "/uploads"]
    {
        expect_closed(&guest.get(&format!("{url}{target}")));
    }
    let answer = guest.get(&format!("{url}/download?path=b.txt")).expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("private, no-cache"));
    let script = guest.ask(
        "GET",
        &format!("{url}/download?path=b.txt&inline=1"),
        &[("Sec-Fetch-Dest", "script")],
        b"",
    );
    expect_closed(&script.expect_refusal(403));
}

/// The floor refuses before anybody knows what was asked for, and its words come by a link's address as well.
#[test]
fn what_the_floor_refuses_is_closed_too() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer" }));
    let long = "x".repeat(64 << 10);
    for (status, head) in [
        (414, format!("GET {url}/download?path={long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        (431, format!("GET {url}/info HTTP/1.1\r\nHost: a\r\nCookie: {long}\r\n\r\n")),
        (400, format!("GET {url}/info HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")),
        (400, format!("GET {url}/info HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n")),
        (501, format!("POST {url}/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n")),
        (505, format!("GET {url}/info HTTP/3.1\r\nHost: a\r\n\r\n")),
    ] {
        let mut wire = Wire::open(larder.port());
        wire.send_until_answered(head.as_bytes());
        let answer = wire.answer().expect_refusal(status);
        expect_closed(&answer);
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        expect_silent(&answer);
    }
}

#[test]
fn info_tells_what_a_link_opens_and_no_more() {
    let larder = album();
    let folder = link(&larder, "ana", json!({ "path": "photos/summer", "label": "Our summer" }));
    let guest = larder.anonymous();
    let told = guest.get(&format!("{folder}/info")).expect(200);
    expect_silent(&told);
    assert_eq!(
        told.json(),
        json!({
            "needs_password": false, "type": "folder", "name": "summer", "label": "Our summer",
            "read": true, "write": false, "expires": null, "from": "ana",
        })
    );
    let file = link(
        &larder,
        "ana",
        json!({ "path": "photos/summer/b.txt", "expires": "2100-01-02T03:04:05Z" }),
    );
    let told = guest.get(&format!("{file}/info")).expect(200).json();
    assert_eq!(
        (&told["type"], &told["name"], &told["size"], &told["expires"]),
        (&json!("file"), &json!("b.txt"), &json!(1), &json!("2100-01-02T03:04:05Z"))
    );
    let locked = link(&larder, "ana", json!({ "path": "photos/summer", "password": "opensesame" }));
    let told = guest.get(&format!("{locked}/info")).expect(200).json();
    assert_eq!(told, json!({ "needs_password": true }));
    let inside = opened(&larder, &locked, json!({ "password": "opensesame" }));
    let told = inside.get(&format!("{locked}/info")).expect(200).json();
    assert_eq!((&told["needs_password"], &told["name"]), (&json!(false), &json!("summer")));
}

#[test]
fn who_was_let_in_tells_another_name_without_the_password() {
    let larder = album().folder("box");
    let ask =
        json!({ "path": "box", "write": true, "guest_folders": true, "password": "opensesame" });
    let url = link(&larder, "ana", ask);
    let rename = json!({ "guest": "Uncle Karl" });
    let stranger = larder.anonymous();
    let refused = |answer: Answer| answer.expect_error(401, "Password required");
    refused(stranger.post(&format!("{url}/open"), rename.clone()));
    let guest = opened(&larder, &url, json!({ "password": "opensesame" }));
    let again = guest.post(&format!("{url}/open"), rename.clone());
    let cookie = again.header("Set-Cookie").expect("a cookie").to_owned();
    let id = |cookie: &str| cookie.split('.').next().map(str::to_owned);
    let before = guest.headers.iter().find(|(name, _)| name == "Cookie").expect("a cookie");
    assert_eq!(id(&cookie), id(&before.1), "still the same guest");
    let karl = stranger.with("Cookie", cookie.split(';').next().unwrap());
    bring(&karl, &url, &[("filename", "a.txt")], b"a").expect(201);
    assert!(larder.exists("box/Uncle Karl/a.txt"));
    let wrong = json!({ "guest": "Eve", "password": "wrong" });
    guest.post(&format!("{url}/open"), wrong).expect_error(401, "Wrong password");
}

/// Else whoever heard the password once would need it never again, and twelve hours would be for ever.
#[test]
fn another_name_does_not_begin_the_time_of_a_cookie_anew() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "password": "let me in" }));
    let open = |guest: &Client, ask: Value| {
        let answer = guest.post(&format!("{url}/open"), ask).expect(200);
        let cookie = answer.header("Set-Cookie").unwrap().to_owned();
        let field = |mark: &str| cookie.split(mark).nth(1).unwrap().split(';').next().unwrap();
        let since = field("larder_link=").split('.').nth(1).unwrap().parse::<i64>().unwrap();
        let lasts = field("Max-Age=").parse::<i64>().unwrap();
        let guest =
            larder.anonymous().with("Cookie", &format!("larder_link={}", field("larder_link=")));
        (guest, since, lasts)
    };
    let (first, since, lasts) = open(&larder.anonymous(), json!({ "password": "let me in" }));
    assert!((12 * 3600 - 5..=12 * 3600).contains(&lasts), "{lasts}");
    wait::until("the clock to go on", || jiff::Timestamp::now().as_second() > since + 1);
    let (named, same, less) = open(&first, json!({ "guest": "Oma" }));
    assert_eq!(same, since);
    assert!(less <= 12 * 3600 - 2, "{less}");
    named.get(&format!("{url}/list")).expect(200);
    let (_, later, whole) = open(&named, json!({ "guest": "Oma", "password": "let me in" }));
    assert!(later > since && whole > less, "{later} {whole}");
}

#[test]
fn a_password_opens_one_link_until_it_is_another() {
    let larder = album();
    let ask = json!({ "path": "photos/summer", "write": true, "password": "opensesame" });
    let url = link(&larder, "ana", ask.clone());
    let other = link(&larder, "ana", ask);
    let (stranger, ana) = (larder.anonymous(), larder.http("ana"));
    let everything = |client: &Client, status: u16| {
        for target in
            ["/list", "/download", "/download?path=b.txt", "/thumb?path=a.jpg", "/uploads"]
        {
            let answer = client.get(&format!("{url}{target}")).expect(status);
            assert!(status == 200 || answer.json()["error"] == "Password required", "{answer}");
        }
        let answer = bring(client, &url, &[("filename", "new.txt")], b"new");
        answer.expect(if status == 200 { 201 } else { status });
    };
    everything(&stranger, 401);
    // Neither an account nor another link helps.
    everything(&ana, 401);
    let inside = opened(&larder, &other, json!({ "password": "opensesame" }));
    everything(&inside, 401);
    let wrong = stranger.post(&format!("{url}/open"), json!({ "password": "opensesamf" }));
    wrong.expect_error(401, "Wrong password").expect_code(401, "wrong_password");
    let none = stranger.post(&format!("{url}/open"), json!({}));
    none.expect_error(401, "Password required");
    let right = stranger.post(&format!("{url}/open"), json!({ "password": "opensesame" }));
    let cookie = right.header("Set-Cookie").unwrap();
    for part in ["larder_link=", "; HttpOnly", "; SameSite=Lax", "; Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(cookie.split("; ").any(|part| part == format!("Path={url}")), "{cookie}");
    let inside = opened(&larder, &url, json!({ "password": "opensesame" }));
    everything(&inside, 200);
    let id = ana
        .get("/api/link/get_all")
        .expect(200)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["url"] == url.as_str())
        .unwrap()["id"]
        .clone();
    ana.post("/api/link/edit", json!({ "id": id, "password": "another word" }))
        .expect_status("Link edited");
    everything(&inside, 401);
}

#[test]
fn wrong_passwords_are_delayed_for_each_link_and_address_and_told_in_the_log() {
    let larder = album();
    let url = link(
        &larder,
        "ana",
        json!({ "path": "photos/summer", "password": "opensesame", "label": "party" }),
    );
    let guess = || larder.anonymous().post(&format!("{url}/open"), json!({ "password": "guess" }));
    let told: Vec<u16> = (0..8).map(|_| guess().status).collect();
    assert!(told.iter().take(5).all(|status| *status == 401), "{told:?}");
    assert_eq!(told.last(), Some(&429), "{told:?}");
    let right = json!({ "password": "opensesame" });
    let answer = larder.anonymous().post(&format!("{url}/open"), right.clone());
    assert!(answer.expect_refusal(429).header("Retry-After").is_some());
    // Another address has made no mistake yet.
    let mut wire = larder.wire_from_afar();
    wire.send(format!(
        "POST {url}/open HTTP/1.1\r\nHost: larder\r\nContent-Length: {}\r\n\r\n{right}",
        right.to_string().len()
    ));
    wire.answer().expect(200);
    wait::until("the log has it", || {
        let rows = larder.http("ana").get("/api/get_logs?op=refused").expect(200).json();
        rows.as_array().unwrap().iter().any(|row| {
            row["door"] == "link"
                && row["user"] == "link party"
                && row["action"] == "link party: wrong password"
                && row["path"] == "photos/summer"
        })
    });
}

#[test]
fn what_a_link_opens_is_listed_and_downloaded_and_nothing_else_is_there() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer" }));
    let guest = larder.anonymous();
    let listed = guest.get(&format!("{url}/list")).expect(200).json();
    let names = json!([
        "a.jpg",
        "absolute",
        "b.txt",
        "in",
        "in-hidden.txt",
        "leads-out.txt",
        "leads-to-a-folder",
        "stays.txt",
        "up"
    ]);
    assert_eq!(listed["items"], names);
    for entry in listed["entries"].as_array().unwrap() {
        let is_known =
            ["a.jpg", "b.txt", "in", "stays.txt"].iter().any(|name| entry["name"] == *name);
        assert_eq!(entry["type"] == "other", !is_known, "{entry}");
        assert_eq!(entry["writable"], false, "{entry}");
        assert!(is_known || entry["size"] == 0, "{entry}");
    }
    assert_eq!(
        guest.get(&format!("{url}/list?path=in")).expect(200).json()["items"],
        json!(["c.txt"])
    );
    let file = guest.get(&format!("{url}/download?path=in/c.txt")).expect(200);
    assert_eq!(file.text(), "C");
    let wanted = "attachment; filename=\"c.txt\"; filename*=UTF-8''c.txt";
    assert_eq!(file.header("Content-Disposition"), Some(wanted));
    guest.get(&format!("{url}/thumb?path=a.jpg&size=160")).expect(200);
    guest.get(&format!("{url}/thumb?path=b.txt")).expect_error(404, "No thumbnail");
    let names = |target: &str| {
        let answer = guest.get(&format!("{url}/download{target}")).expect(200);
        assert_eq!(answer.header("Content-Type"), Some("application/zip"), "{answer}");
        let mut names: Vec<String> = unzip(&answer.body).into_keys().collect();
        names.sort();
        names
    };
    assert_eq!(names(""), ["a.jpg", "b.txt", "in/", "in/c.txt", "stays.txt"]);
    assert_eq!(names("?path=in&path=b.txt"), ["b.txt", "in/", "in/c.txt"]);
    // A file has nothing in it.
    let file = link(&larder, "ana", json!({ "path": "photos/summer/b.txt" }));
    assert_eq!(guest.get(&format!("{file}/download")).expect(200).text(), "B");
    guest.get(&format!("{file}/list")).expect_refusal(400);
    for path in ["b.txt", "in/c.txt", "x", "canary"] {
        let answer = guest.get(&format!("{file}/download?path={path}")).expect_refusal(404);
        expect_silent(&answer);
    }
}

/// Paths of what lies around, or is hidden, by every spelling and every link on the disk.
const PATHS: &[&str] = &[
    "..",
    "../",
    "../canary.txt",
    "..%2Fcanary.txt",
    "%2e%2e/canary.txt",
    "in/../../canary.txt",
    "/../canary.txt",
    "leads-out.txt",
    "leads-to-a-folder",
    "leads-to-a-folder/canary.txt",
    "absolute/canary.txt",
    "up",
    "up/canary.txt",
    "up/summer/b.txt",
    "up/summer2/canary.txt",
    "in-hidden.txt",
    ".canary",
    "in/.hidden",
    "in/.hidden/canary.txt",
    ".larder",
    ".larder/id",
    "..%00",
    "photos/summer/b.txt",
    "/photos/canary.txt",
    "canary/canary.txt",
    "%3D",
    "summer2",
];

#[test]
fn no_way_leads_out() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "write": true }));
    let guest = larder.anonymous();
    for path in PATHS {
        for target in ["list?path", "download?path", "download?inline=1&path", "thumb?path"] {
            let answer = guest.get(&format!("{url}/{target}={path}"));
            assert!(matches!(answer.status, 400 | 404), "{answer}");
            expect_silent(&answer);
        }
        let answer = guest.get(&format!("{url}/download?path=b.txt&path={path}"));
        assert!(matches!(answer.status, 400 | 404), "{answer}");
        expect_silent(&answer);
    }
    // What is brought with such a path lands in the folder, or nowhere.
    for path in PATHS {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
        for metadata in [
            vec![("filename", "new.txt"), ("path", &*decoded)],
            vec![("relativePath", &*format!("{decoded}/new.txt"))],
        ] {
            let answer = bring(&guest, &url, &metadata, b"evil");
            assert!(matches!(answer.status, 201 | 400), "{answer}");
        }
    }
    let found = |folder: &str| {
        let mut names: Vec<String> = fs::read_dir(larder.root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(found("canary"), ["canary.txt"]);
    assert_eq!(found("photos"), ["canary.txt", "summer", "summer2"]);
    assert_eq!(found("photos/summer2"), ["canary.txt"]);
    assert_eq!(found("photos/summer/in/.hidden"), ["canary.txt"]);
    assert_eq!(larder.read("photos/canary.txt"), CANARY);
    assert_eq!(larder.read("photos/summer/.canary"), CANARY);
}

#[test]
fn a_maker_with_less_than_the_folder_gives_no_more_than_that() {
    let larder = Larder::start()
        .user_with("ana", "user", r#"["a/mine"]"#, r#"["a/mine"]"#)
        .file("a/mine/x.txt", "X")
        .file("a/canary.txt", CANARY);
    let url = link(&larder, "ana", json!({ "path": "a/mine", "write": true }));
    let guest = larder.anonymous();
    assert_eq!(guest.get(&format!("{url}/list")).expect(200).json()["items"], json!(["x.txt"]));
    let admin = larder.session("admin");
    let id = admin
        .get("/api/user/get_all")
        .expect(200)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["username"] == "ana")
        .unwrap()["id"]
        .clone();
    let change = |paths: &str, write: &str| {
        let ask = json!({
            "id": id, "username": "ana", "name": "Ana", "role": "user", "paths": paths, "paths_write": write,
        });
        admin.post("/api/user/edit", ask).expect(200);
    };
    change(r#"["a/mine/deep"]"#, "[]");
    let listed = guest.get(&format!("{url}/list")).expect(200).json();
    assert_eq!(listed["items"], json!([]));
    guest.get(&format!("{url}/download?path=x.txt")).expect_error(403, "Not permitted");
    bring(&guest, &url, &[("filename", "n")], b"n").expect_error(403, "Not permitted");
    change("[]", r#"["a/mine"]"#);
    guest.get(&format!("{url}/list")).expect_error(403, "Not permitted");
    bring(&guest, &url, &[("filename", "n")], b"n").expect(201);
    change("[]", "[]");
    for target in ["/info", "/list", "/download", "/uploads"] {
        guest.get(&format!("{url}{target}")).expect_error(410, "Link is no longer available");
    }
    change(r#"[""]"#, r#"[""]"#);
    guest.get(&format!("{url}/list")).expect(200);
    admin.post("/api/user/delete", json!({ "username": "ana" })).expect(200);
    for target in ["/info", "/list", "/download", "/uploads"] {
        guest.get(&format!("{url}{target}")).expect_error(410, "Link is no longer available");
    }
}

#[test]
fn what_one_brings_goes_beside_what_is_there() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "write": true }));
    let guest = opened(&larder, &url, json!({ "guest": "Oma" }));
    for (wish, name) in
        [("overwrite", "b (1).txt"), ("error", "b (2).txt"), ("nonsense", "b (3).txt")]
    {
        let metadata = [("filename", "b.txt"), ("if_exists", wish)];
        let answer = bring(&guest, &url, &metadata, wish.as_bytes()).expect(201);
        assert_eq!(answer.header("Larder-Path"), Some(&*encode(name).replace("%2E", ".")));
        assert_eq!(larder.read(&format!("photos/summer/{name}")), wish);
    }
    assert_eq!(larder.read("photos/summer/b.txt"), "B");
    let answer = bring(&guest, &url, &[("relativePath", "new/deep/x.txt")], b"x").expect(201);
    assert_eq!(answer.header("Larder-Path"), Some("new/deep/x.txt"));
    for hidden in [".x", "new/.x", ".new/x"] {
        bring(&guest, &url, &[("relativePath", hidden)], b"x").expect_error(400, "Invalid name");
    }
    // In pieces, by whoever began it.
    let upload = begun(&guest, &url, 6, "long.txt");
    assert!(upload.starts_with(&format!("{url}/uploads/")), "{upload}");
    patch(&guest, &upload, 0, b"abc").expect(204);
    let stranger = opened(&larder, &url, json!({ "guest": "Oma" }));
    for other in [&stranger, &larder.anonymous(), &larder.http("ana")] {
        other.head(&upload).expect(404);
        patch(other, &upload, 3, b"def").expect_error(404, "Upload not found");
        other.ask("DELETE", &upload, &[], b"").expect_refusal(404);
        assert_eq!(other.get(&format!("{url}/uploads")).expect(200).json(), json!([]));
    }
    let own = guest.get(&format!("{url}/uploads")).expect(200).json();
    assert_eq!((&own[0]["path"], &own[0]["offset"]), (&json!("long.txt"), &json!(3)));
    assert_eq!(guest.head(&upload).expect(200).header("Upload-Offset"), Some("3"));
    let answer = patch(&guest, &upload, 3, b"def").expect(204);
    assert_eq!(answer.header("Larder-Path"), Some("long.txt"));
    assert_eq!(guest.head(&upload).expect(200).header("Larder-Path"), Some("long.txt"));
    assert_eq!(larder.read("photos/summer/long.txt"), "abcdef");
    // Without a cookie who knows the id goes on; nobody lists it.
    let nobody = larder.anonymous();
    let upload = begun(&nobody, &url, 3, "nobodys.txt");
    assert_eq!(nobody.get(&format!("{url}/uploads")).expect(200).json(), json!([]));
    patch(&guest, &upload, 0, b"abc").expect(204);
    assert_eq!(larder.read("photos/summer/nobodys.txt"), "abc");
    // Nothing else is known here.
    for method in ["PUT", "PATCH", "DELETE"] {
        guest.ask(method, &format!("{url}/download?path=b.txt"), &[], b"").expect_refusal(405);
    }
}

#[test]
fn a_link_that_only_takes_tells_nothing_of_what_is_there() {
    let larder = album().file("photos/summer/taken/x.txt", "X");
    let ask =
        json!({ "path": "photos/summer", "read": false, "write": true, "guest_folders": false });
    let url = link(&larder, "ana", ask);
    let guest = opened(&larder, &url, json!({ "guest": "Oma" }));
    for target in [
        "/list",
        "/list?path=in",
        "/list?path=none",
        "/download",
        "/download?path=b.txt",
        "/download?path=none",
        "/download?path=.canary",
        "/thumb?path=a.jpg",
        "/thumb?path=none",
    ] {
        guest.get(&format!("{url}{target}")).expect_error(403, "Not permitted");
    }
    let told = guest.get(&format!("{url}/info")).expect(200).json();
    assert_eq!(
        (&told["read"], &told["write"], &told["size"]),
        (&json!(false), &json!(true), &Value::Null)
    );
    // Whether something is there or not, and what it is, the answers are the same.
    let shape = |name: &str| {
        let answer = bring(&guest, &url, &[("relativePath", name)], b"new").expect(201);
        let path = answer.header("Larder-Path").unwrap().to_owned();
        let mut fields: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        fields.sort();
        let upload = answer.header("Location").unwrap().to_owned();
        assert_eq!(guest.head(&upload).expect(200).header("Larder-Path"), Some(&*path));
        (path, fields)
    };
    let (path, fields) = shape("free.txt");
    assert_eq!(path, "free.txt");
    for name in [
        "b.txt",
        "in",
        "taken",
        "b.txt/new.txt",
        "in/c.txt",
        "none/deep.txt",
        "up/x.txt",
        "leads-out.txt",
        "leads-to-a-folder/canary.txt",
        "in-hidden.txt/x",
    ] {
        let wanted = name.to_owned();
        assert_eq!(shape(name), (wanted, fields.clone()), "{name}");
    }
    assert_eq!(larder.read("photos/summer/b.txt"), "B");
    assert_eq!(larder.read("photos/summer/b (1).txt"), "new");
    assert_eq!(larder.read("photos/canary.txt"), CANARY);
    assert_eq!(fs::read_dir(larder.root().join("canary")).unwrap().count(), 1);
}

/// A number no longer fits behind a name that fills a path: free or taken, such a name is refused.
#[test]
fn how_long_a_name_is_tells_nothing_of_what_is_there() {
    let larder = album();
    let ask =
        json!({ "path": "photos/summer", "read": false, "write": true, "guest_folders": false });
    let url = link(&larder, "ana", ask);
    let guest = opened(&larder, &url, json!({ "guest": "Oma" }));
    let deep = format!("{}/", "p".repeat(200)).repeat(21);
    let brought = [3500, 3700].into_iter().chain(4080..=4096).map(|bytes: usize| {
        let path = &deep[..bytes - "photos/summer/".len()];
        let bring = || bring(&guest, &url, &[("relativePath", path)], b"x").status;
        let (free, taken) = (bring(), bring());
        assert_eq!(free, taken, "{bytes} bytes");
        free
    });
    let brought: Vec<u16> = brought.collect();
    assert_eq!(brought[..2], [201, 201]);
    assert!(brought[2..].iter().all(|status| *status == 400), "{brought:?}");
}

#[test]
fn each_guest_has_a_folder_by_their_name() {
    let larder = album().folder("box");
    let url = link(&larder, "ana", json!({ "path": "box", "read": false, "write": true }));
    let bring_as = |name: &str| {
        let guest = opened(&larder, &url, json!({ "guest": name }));
        let answer = bring(&guest, &url, &[("filename", "x.txt")], b"x").expect(201);
        assert_eq!(answer.header("Larder-Path"), Some("x.txt"), "{name}");
    };
    for name in ["Oma", "Oma", "../up", ".hidden", "a/b\u{7}c", "larder (1)"] {
        bring_as(name);
    }
    larder.write("box/File", "a file");
    bring_as("File");
    bring_as("");
    bring(&larder.anonymous(), &url, &[("filename", "x.txt")], b"x").expect(201);
    let mut names: Vec<String> = fs::read_dir(larder.root().join("box"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let day = names.first().unwrap().clone();
    assert!(day.starts_with("20") && day.len() == 10, "{names:?}");
    assert_eq!(names[1..], ["File", "File (1)", "Oma", "_._up", "_hidden", "a_b_c", "larder (1)"]);
    assert!(larder.exists("box/Oma/x (1).txt") && larder.exists("box/File (1)/x.txt"));
    assert!(larder.exists(&format!("box/{day}/x (1).txt")));
    assert_eq!(larder.read("box/File"), "a file");
}

#[test]
fn what_may_be_brought_is_counted_before_it_comes_and_given_back() {
    let larder = album().folder("box");
    let ask =
        json!({ "path": "box", "write": true, "upload_files_max": 2, "upload_bytes_max": 10 });
    let url = link(&larder, "ana", ask);
    let guest = opened(&larder, &url, json!({}));
    let full = |answer: Answer| {
        answer.expect_error(403, "The link's limit is reached").expect_code(403, "limit_reached");
    };
    full(begin(&guest, &url, 11, "large.txt"));
    let first = begun(&guest, &url, 6, "first.txt");
    full(begin(&guest, &url, 5, "second.txt"));
    guest.ask("DELETE", &first, &[], b"").expect(204);
    let wrong = format!("sha-256=:{}=:", "A".repeat(43));
    let fields = [
        ("Upload-Length", "3"),
        ("Upload-Metadata", &*encoded(&[("filename", "w")])),
        BYTES,
        ("Repr-Digest", &*wrong),
    ];
    guest.ask("POST", &format!("{url}/uploads"), &fields, b"abc").expect_refusal(400);
    patch(&guest, &begun(&guest, &url, 3, "over"), 0, b"abcd").expect_refusal(413);
    bring(&guest, &url, &[("filename", "a")], b"12345").expect(201);
    bring(&guest, &url, &[("filename", "b")], b"12345").expect(201);
    full(bring(&guest, &url, &[("filename", "c")], b""));
    // What is there can be looked at all the same.
    guest.get(&format!("{url}/list")).expect(200);
}

/// What is told of the only link: how many files were counted, and how many bytes.
#[track_caller]
fn counted(larder: &Larder) -> (u64, u64) {
    let links = larder.http("ana").get("/api/link/get_all").expect(200).json();
    let number = |field: &str| links[0][field].as_u64().unwrap();
    (number("uploaded_files"), number("uploaded_bytes"))
}

/// Else a link would take more than its maker allowed.
#[test]
fn what_is_lost_once_is_given_back_once() {
    let larder = album().folder("box");
    let url = link(&larder, "ana", json!({ "path": "box", "write": true }));
    let guest = opened(&larder, &url, json!({}));
    for name in ["a", "b", "c", "d"] {
        bring(&guest, &url, &[("filename", name)], b"123").expect(201);
    }
    for round in 0..20 {
        let upload = begun(&guest, &url, 3, &format!("q{round}"));
        let head = format!(
            "PATCH {upload} HTTP/1.1\r\nHost: larder\r\nContent-Type: {}\r\nUpload-Offset: 0\r\n{}\
             Content-Length: 4\r\n\r\n",
            BYTES.1,
            fields_of(&guest)
        );
        let mut wires = [larder.wire(), larder.wire(), larder.wire()];
        for wire in &mut wires {
            wire.send(&head);
        }
        // Whoever is sent away may hear nothing.
        for wire in &mut wires {
            wire.try_answer(false);
        }
        guest.ask("DELETE", &upload, &[], b"");
    }
    // Who was cut off first hears of it before larder has put everything away.
    wait::until("all of them to be given back", || counted(&larder) == (4, 12));
    // The same anew takes the place of what nothing has come of.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| _ = begin(&guest, &url, 3, "same")));
        }
    });
    let waiting = guest.get(&format!("{url}/uploads")).expect(200).json();
    let waiting = waiting.as_array().unwrap().len() as u64;
    assert_eq!(counted(&larder), (4 + waiting, 12 + 3 * waiting));
}

#[test]
fn a_download_counts_once_for_a_guest_when_its_first_byte_is_asked_for() {
    let larder = album();
    let ask = json!({ "path": "photos/summer", "write": true, "downloads_max": 2 });
    let url = link(&larder, "ana", ask);
    let (one, two) = (opened(&larder, &url, json!({})), opened(&larder, &url, json!({})));
    let count = || {
        let rows = larder.http("ana").get("/api/link/get_all").expect(200).json();
        rows[0]["downloads"].as_u64().unwrap()
    };
    let jpg = format!("{url}/download?path=a.jpg");
    one.head(&jpg).expect(200);
    one.get(&format!("{url}/thumb?path=a.jpg")).expect(200);
    one.ask("GET", &jpg, &[("Range", "bytes=9999999-")], b"").expect(416);
    one.get(&format!("{url}/download?path=none")).expect(404);
    assert_eq!(count(), 0);
    one.ask("GET", &jpg, &[("Range", "bytes=0-9")], b"").expect(206);
    one.ask("GET", &jpg, &[("Range", "bytes=10-")], b"").expect(206);
    one.get(&jpg).expect(200);
    assert_eq!(count(), 1);
    // A range that begins later is a beginning for everybody else.
    two.ask("GET", &jpg, &[("Range", "bytes=10-")], b"").expect(206);
    two.ask("GET", &jpg, &[("Range", "bytes=0-9")], b"").expect(206);
    assert_eq!(count(), 2);
    for target in ["/download?path=b.txt", "/download", "/download?path=b.txt&path=in"] {
        let gone = one.get(&format!("{url}{target}"));
        gone.expect_error(410, "Link is no longer available");
        one.head(&format!("{url}{target}")).expect(410);
    }
    larder.anonymous().get(&jpg).expect_refusal(410);
    one.get(&jpg).expect(200);
    let etag = one.get(&jpg).header("ETag").unwrap().to_owned();
    larder.anonymous().ask("GET", &jpg, &[("If-None-Match", &etag)], b"").expect(304);
    for target in ["", "/info", "/list", "/thumb?path=a.jpg", "/uploads"] {
        one.get(&format!("{url}{target}")).expect(200);
    }
    bring(&one, &url, &[("filename", "new")], b"new").expect(201);
    assert_eq!(count(), 2);
    // A selection is one thing, in whatever order.
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "downloads_max": 1 }));
    let guest = larder.anonymous();
    guest.get(&format!("{url}/download?path=b.txt&path=in")).expect(200);
    guest.get(&format!("{url}/download?path=in&path=b.txt")).expect(200);
    guest.get(&format!("{url}/download?path=in")).expect_refusal(410);
}

/// Else a limit would be used up for good by what was never brought.
#[test]
fn what_nobody_goes_on_with_is_given_back_when_it_goes() {
    let mut larder = album().folder("box");
    let ask = json!({ "path": "box", "read": false, "write": true, "upload_files_max": 2 });
    let url = link(&larder, "ana", ask);
    let guest = opened(&larder, &url, json!({}));
    let late = begun(&guest, &url, 3, "late");
    begun(&guest, &url, 4, "stays");
    begin(&guest, &url, 1, "third").expect_code(403, "limit_reached");
    larder.kill();
    // As it would be, had it waited long enough.
    let record = format!(".larder/parts/{}.json", late.rsplit('/').next().unwrap());
    let record = larder.root().join(record);
    let mut told: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    told["kept_s"] = json!(0);
    fs::write(&record, told.to_string()).unwrap();
    larder.restart();
    wait::until("what waited too long to be given back", || counted(&larder) == (1, 4));
    wait::until("it to go", || !record.exists());
    begun(&opened(&larder, &url, json!({})), &url, 1, "third");
    assert_eq!(counted(&larder), (2, 5));
}

/// Begins so many at once, each a file of its own; how many began.
fn race(begin: impl Fn(&str) -> Answer + Sync, count: usize) -> usize {
    let open = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (begin, open) = (&begin, &open);
            scope.spawn(move || {
                for number in 0..count / 8 {
                    let answer = begin(&format!("{thread}-{number}"));
                    assert!(matches!(answer.status, 201 | 429), "{answer}");
                    open.fetch_add(usize::from(answer.status == 201), Ordering::Relaxed);
                }
            });
        }
    });
    open.into_inner()
}

#[test]
fn who_races_has_no_more_uploads_open_than_may_be() {
    let larder = album().folder("box");
    let url = link(&larder, "ana", json!({ "path": "box", "write": true }));
    let guest = opened(&larder, &url, json!({}));
    assert_eq!(race(|name| begin(&guest, &url, 3, name), 40), 20);
    let ana = larder.http("ana");
    let of_a_user = |name: &str| {
        let metadata = encoded(&[("filename", name), ("path", "box")]);
        let fields = [("Upload-Length", "3"), ("Upload-Metadata", &*metadata)];
        ana.ask("POST", "/api/uploads", &fields, b"")
    };
    assert_eq!(race(of_a_user, 144), 100);
}

/// Bytes that larder has written to the database of users since it began.
fn written(larder: &Larder) -> u64 {
    fs::metadata(larder.state().join("db/users.db-wal")).unwrap().len()
}

#[test]
fn a_crowd_of_guests_wears_out_no_card() {
    let mut larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer" }));
    opened(&larder, &url, json!({}));
    let before = written(&larder);
    for _ in 0..50 {
        let guest = opened(&larder, &url, json!({}));
        guest.get(&format!("{url}/download?path=b.txt")).expect(200);
    }
    // One by one these were a MiB; once a minute all of them are written down at once.
    assert!(written(&larder) - before < 128 << 10, "{} bytes", written(&larder) - before);
    let told = |larder: &Larder| {
        let rows = larder.http("ana").get("/api/link/get_all").expect(200).json();
        assert!(rows[0]["last_used"].is_string(), "{rows}");
        rows[0]["downloads"].as_u64().unwrap()
    };
    assert_eq!(told(&larder), 50);
    larder.stop();
    larder.restart();
    assert_eq!(told(&larder), 50);
}

#[test]
fn of_a_hundred_downloads_at_once_one_begins_where_one_may() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer/b.txt", "downloads_max": 1 }));
    let guests: Vec<Client> = (0..100).map(|_| opened(&larder, &url, json!({}))).collect();
    let served = std::thread::scope(|scope| {
        let threads: Vec<_> = guests
            .iter()
            .map(|guest| {
                scope.spawn(|| {
                    loop {
                        match guest.get(&format!("{url}/download")).status {
                            // Too many at once are told so, and come again.
                            429 | 503 => std::thread::yield_now(),
                            status => break status,
                        }
                    }
                })
            })
            .collect();
        let told: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(told.iter().all(|status| matches!(status, 200 | 410)), "{told:?}");
        told.iter().filter(|status| **status == 200).count()
    });
    assert_eq!(served, 1);
}

/// Each begun and lost upload is written to the drive and to the link's count, and nothing stays of it.
#[test]
fn who_begins_and_drops_without_end_waits_and_nobody_else_does() {
    let larder = album().folder("box");
    let box_link = |more: Value| {
        let mut ask = json!({ "path": "box", "write": true });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        link(&larder, "ana", ask)
    };
    let (url, other) = (box_link(json!({})), box_link(json!({})));
    let guest = larder.anonymous();
    let first = begun(&guest, &url, 6, "first.txt");
    // What is brought to its end costs nothing.
    for number in 0..150 {
        let answer = bring(&guest, &url, &[("filename", &format!("{number}.txt"))], b"x");
        answer.expect(201);
    }
    let mut lost = 0;
    let refused = loop {
        let answer = begin(&guest, &url, 6, "again.txt");
        if answer.status == 429 || lost > 300 {
            break answer;
        }
        let upload = answer.expect(201).header("Location").unwrap().to_owned();
        guest.ask("DELETE", &upload, &[], b"").expect(204);
        lost += 1;
    };
    let refused = refused.expect_code(429, "too_many");
    assert!(lost >= 100, "{lost}");
    let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // What was begun goes on, and others do.
    patch(&guest, &first, 0, b"abcdef").expect(204);
    begun(&guest, &other, 6, "b.txt");
    assert_eq!(larder.read("box/first.txt"), "abcdef");
    // So does what is refused at its end, or beyond what the link takes.
    let small = box_link(json!({ "upload_bytes_max": 3 }));
    let refusals = (0..300).map(|_| begin(&guest, &small, 6, "large.txt").status);
    let refusals: Vec<u16> = refusals.take_while(|status| *status != 429).collect();
    assert!((100..300).contains(&refusals.len()), "{}", refusals.len());
    assert!(refusals.iter().all(|status| *status == 403));
}

#[test]
fn a_link_that_ends_ends_what_goes_on() {
    let larder = album().folder("box");
    let ana = larder.http("ana");
    let made = ana.post("/api/link/create", json!({ "path": "box", "write": true }));
    let made = made.expect_status("Link created");
    let url = made["url"].as_str().unwrap();
    let guest = opened(&larder, url, json!({}));
    let upload = begun(&guest, url, 6, "late.txt");
    let mut wire = larder.wire();
    wire.send(format!(
        "PATCH {upload} HTTP/1.1\r\nHost: larder\r\nContent-Type: {}\r\nUpload-Offset: 0\r\n{}\
         Content-Length: 6\r\n\r\nabc",
        BYTES.1,
        fields_of(&guest)
    ));
    wait::until("larder reads it", || {
        let parts = larder.root().join(".larder/parts");
        fs::read_dir(parts).is_ok_and(|entries| entries.count() > 0)
    });
    ana.post("/api/link/delete", json!({ "id": made["id"] })).expect_status("Link deleted");
    wire.send("def");
    // As unknown, if the request was let in only after the link had gone.
    let told = wire.answer();
    assert!(matches!(told.status, 404 | 410), "{told}");
    assert!(!larder.exists("box/late.txt"));
    guest.get(&format!("{url}/list")).expect_error(404, "Link not found");
    patch(&guest, &upload, 0, b"abcdef").expect_refusal(404);
}

#[test]
fn what_a_guest_still_brings_does_not_make_anew_what_was_deleted() {
    let larder = album().folder("box");
    let ana = larder.http("ana");
    let url = link(&larder, "ana", json!({ "path": "box", "write": true }));
    let guest = opened(&larder, &url, json!({}));
    let text = "x".repeat(2 << 20);
    let upload = begun(&guest, &url, text.len(), "late.txt");
    let mut wire = larder.wire();
    wire.send(format!(
        "PATCH {upload} HTTP/1.1\r\nHost: larder\r\nContent-Type: {}\r\nUpload-Offset: 0\r\n{}\
         Content-Length: {}\r\n\r\n{}",
        BYTES.1,
        fields_of(&guest),
        text.len(),
        &text[1..]
    ));
    wait::until("larder reads it", || {
        let parts = larder.root().join(".larder/parts");
        let mut bytes = fs::read_dir(parts).unwrap().flatten();
        bytes.any(|entry| {
            entry.path().extension().is_none() && entry.metadata().is_ok_and(|meta| meta.len() > 0)
        })
    });
    ana.post("/api/delete", json!({ "paths": ["box"] })).expect(200);
    wire.send("x");
    wire.answer().expect_refusal(410);
    assert!(!larder.exists("box"));
    guest.get(&format!("{url}/list")).expect_error(410, "Link is no longer available");
    // What has come waits, should it be wanted again.
    fs::create_dir(larder.root().join("box")).unwrap();
    patch(&guest, &upload, text.len(), b"").expect(204);
    assert_eq!(larder.read("box/late.txt"), text);
}

#[test]
fn what_was_moved_away_is_no_longer_available_until_it_is_back() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "write": true }));
    let guest = larder.anonymous();
    let (here, away) = (larder.root().join("photos/summer"), larder.outside().join("summer"));
    fs::rename(&here, &away).unwrap();
    let all_gone = || {
        for target in [
            "/info",
            "/list",
            "/list?path=in",
            "/download?path=b.txt",
            "/thumb?path=a.jpg",
            "/uploads",
        ] {
            let answer = guest.get(&format!("{url}{target}"));
            answer.expect_error(410, "Link is no longer available");
        }
        bring(&guest, &url, &[("filename", "x")], b"x").expect_refusal(410);
    };
    all_gone();
    assert!(!here.exists());
    symlink("../canary", &here).unwrap();
    all_gone();
    fs::remove_file(&here).unwrap();
    fs::write(&here, "a file").unwrap();
    all_gone();
    fs::remove_file(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    guest.get(&format!("{url}/list")).expect(200);
    larder.unplug();
    for target in ["/info", "/list", "/download?path=b.txt"] {
        guest.get(&format!("{url}{target}")).expect_error(503, "Storage is not available");
    }
    guest.get(&url).expect(200);
    larder.plug();
}

#[test]
fn guesses_are_few_and_who_is_right_is_always_served() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer" }));
    let guess =
        |number: usize, target: &str| larder.anonymous().get(&format!("/s/{number:022}/{target}"));
    for number in 0..10 {
        guess(number, "info").expect_error(404, "Link not found");
    }
    let answer = guess(10, "list").expect_refusal(429);
    assert!(answer.header("Retry-After").is_some());
    larder.anonymous().get("/s/x/download").expect_refusal(429);
    larder.anonymous().get(&format!("{url}/list")).expect(200);
    let mut wire = larder.wire_from_afar();
    wire.send("GET /s/x/info HTTP/1.1\r\nHost: larder\r\n\r\n");
    wire.answer().expect_error(404, "Link not found");
}

#[test]
fn no_account_helps_and_no_guest_has_one() {
    let larder = album().reader("ben");
    let ask = json!({ "path": "photos/summer", "read": false, "write": true });
    let url = link(&larder, "ana", ask);
    let token_of_ana = larder.token("ana");
    for client in [
        larder.http("ana"),
        larder.bearer(&token_of_ana),
        larder.browser(&token_of_ana),
        larder.bearer("nonsense"),
    ] {
        client.get(&format!("{url}/list")).expect_error(403, "Not permitted");
        client.get(&format!("{url}/info")).expect(200);
    }
    let guest = opened(&larder, &url, json!({}));
    let cookie = guest.headers[0].1.split_once('=').unwrap().1.to_owned();
    for client in [
        guest,
        larder.bearer(token(&url)),
        larder.bearer(&cookie),
        larder.with_key(token(&url)),
        larder.browser(&cookie),
    ] {
        for target in
            ["/api/finder", "/api/user/get_self", "/api/uploads", "/api/download?file_path=b"]
        {
            client.get(target).expect_refusal(401);
        }
        client.post("/api/link/create", json!({ "path": "" })).expect(401);
    }
}

#[test]
fn a_link_that_ends_ends_what_is_being_downloaded() {
    const LENGTH: u64 = 8 << 30;
    let larder = album().user_with("leo", "user", r#"["box"]"#, "[]").folder("box/deep");
    let long = fs::File::create(larder.root().join("box/deep/long.bin")).unwrap();
    long.set_len(LENGTH).unwrap();
    let (ana, eve) = (larder.http("ana"), larder.http("eve"));
    let slowly = |target: &str, more: &str| {
        let mut wire = larder.wire();
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: larder\r\n{more}\r\n"));
        assert_eq!(wire.status(), 200);
        wire
    };
    let made =
        || ana.post("/api/link/create", json!({ "path": "box" })).expect_status("Link created");
    let by_link = |more: &str| {
        let made = made();
        let wire = slowly(&format!("{}/download{more}", made["url"].as_str().unwrap()), "");
        (made["id"].clone(), wire)
    };
    let expect_cut = |mut wire: Wire| assert!(wire.pass_over() < LENGTH / 2);
    for more in ["", "?path=deep/long.bin"] {
        let (id, wire) = by_link(more);
        ana.post("/api/link/delete", json!({ "id": id })).expect(200);
        expect_cut(wire);
        let (id, wire) = by_link(more);
        ana.post("/api/link/edit", json!({ "id": id, "read": false, "write": true })).expect(200);
        expect_cut(wire);
    }
    let (_, zip) = by_link("");
    let key = format!("X-API-KEY: {}\r\n", larder.key("leo"));
    let users = ["/api/download?file_path=box", "/api/download?file_path=box/deep/long.bin"];
    let users = users.map(|target| slowly(target, &key));
    ana.post("/api/update_settings", json!({ "links": false })).expect(200);
    expect_cut(zip);
    eve.post("/api/user/delete", json!({ "username": "leo" })).expect(200);
    users.into_iter().for_each(expect_cut);
}

#[test]
fn guests_cannot_flood_the_log_with_what_is_wrong_with_the_drive() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer" }));
    larder.unplug();
    for _ in 0..100 {
        larder.anonymous().get(&format!("{url}/list")).expect(503);
    }
    let rows = larder.http("ana").get("/api/get_logs?limit=1000").expect(200).json();
    let rows = rows.as_array().unwrap().iter();
    let told = rows.filter(|row| row["action"].to_string().contains("GET /s/…/list")).count();
    assert!((1..50).contains(&told), "{told}");
}

#[test]
fn the_owner_learns_who_looked_and_what_was_brought_and_no_log_has_a_token() {
    let larder = album();
    let url = link(
        &larder,
        "ana",
        json!({ "path": "photos/summer", "write": true, "label": "party", "downloads_max": 1 }),
    );
    let guest = opened(&larder, &url, json!({ "guest": "Oma" }));
    guest.get(&format!("{url}/download?path=a.jpg")).expect(200);
    for _ in 0..3 {
        guest.get(&format!("{url}/list")).expect(200);
    }
    bring(&guest, &url, &[("filename", "gift.txt")], b"gift").expect(201);
    // Whatever goes wrong.
    guest.get(&format!("{url}/download?path=b.txt")).expect(410);
    guest.get(&format!("{url}/nothing")).expect(404);
    guest.ask("PUT", &url, &[], b"").expect(405);
    guest.ask("GET", &format!("{url}/list"), &[("Sec-Fetch-Dest", "script")], b"").expect(403);
    guest.ask("GET", &format!("{url}/list"), &[("Host", "evil.example")], b"").expect(421);
    let token = token(&url);
    for target in
        [format!("//s/{token}/info"), format!("/S%2F{token}"), format!("/web/../s/{token}")]
    {
        guest.ask("GET", &target, &[("Host", "evil.example")], b"").expect(421);
    }
    larder.unplug();
    guest.get(&format!("{url}/list")).expect(503);
    larder.plug();
    let rows = || larder.http("ana").get("/api/get_logs?limit=1000").expect(200).json();
    let has = |door: &str, action: &str, path: Value| {
        rows()
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["door"] == door && row["action"] == action && row["path"] == path)
            .count()
    };
    wait::until("the log has it", || {
        has(
            "link",
            "link party: uploaded /photos/summer/gift.txt as Oma",
            json!("photos/summer/gift.txt"),
        ) == 1
    });
    let opened: Vec<Value> = rows()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].clone())
        .filter(|action| action.as_str().is_some_and(|action| action.contains(": opened ")))
        .collect();
    assert_eq!(opened, ["link party: opened /photos/summer as Oma"], "once for a guest and a day");
    wait::until("the drive was away", || rows().to_string().contains("GET /s/…/list"));
    assert!(!rows().to_string().contains(token));
    let complaints = fs::read_to_string(larder.folder_path().join("stderr")).unwrap();
    assert!(!complaints.contains(token), "{complaints}");
    let database = fs::read(larder.state().join("db/logs.db")).unwrap();
    assert!(!database.windows(22).any(|window| window == token.as_bytes()));
}

#[test]
fn without_links_nothing_is_there() {
    let larder = album();
    let url = link(&larder, "ana", json!({ "path": "photos/summer", "write": true }));
    let guest = opened(&larder, &url, json!({}));
    let upload = begun(&guest, &url, 3, "x");
    larder.http("ana").post("/api/update_settings", json!({ "links": false })).expect(200);
    for target in ["", "/", "/info", "/list", "/download", "/thumb?path=a.jpg", "/uploads"] {
        let answer = guest.get(&format!("{url}{target}"));
        expect_closed(&answer.expect_error(404, "Not found"));
    }
    patch(&guest, &upload, 0, b"abc").expect_error(404, "Not found");
    guest.ask("OPTIONS", &format!("{url}/uploads"), &[], b"").expect_refusal(404);
    larder.http("ana").post("/api/update_settings", json!({ "links": true })).expect(200);
    patch(&guest, &upload, 0, b"abc").expect(204);
}
