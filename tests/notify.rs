//! Notifications: who is told of what, how, and what becomes of those that do not arrive.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::machine::{Machine, response};
use crate::harness::tus::encoded;
use crate::harness::{Client, Larder, login_request, wait};

/// A larder with an admin, that tells these.
#[track_caller]
fn house(notify: &Value) -> Larder {
    let larder = Larder::start().admin("ida").user("ana");
    tell(&larder, notify);
    larder
}

/// From now on these are told.
#[track_caller]
fn tell(larder: &Larder, notify: &Value) {
    larder
        .http("ida")
        .post("/api/update_settings", json!({ "notify": notify }))
        .expect_status("Settings updated");
}

/// Somebody who hears of these as objects.
fn hearer(machine: &Machine, events: &[&str]) -> Value {
    json!({ "url": format!("{}/hook", machine.url), "events": events, "format": "json" })
}

/// The object of a question.
#[track_caller]
fn object(question: &str) -> Value {
    let (head, body) = question.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    serde_json::from_str(body).unwrap_or_else(|cause| panic!("{cause}: {body}"))
}

/// A field of a head.
fn field<'a>(question: &'a str, name: &str) -> Option<&'a str> {
    question.split("\r\n\r\n").next()?.lines().find_map(|line| {
        let (its, value) = line.split_once(": ")?;
        its.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Asks for a test.
#[track_caller]
fn test(larder: &Larder, index: i64) -> crate::harness::Answer {
    larder.http("ida").post("/api/notify/test", json!({ "index": index }))
}

#[test]
fn ntfy_gets_a_sentence_and_fields_and_the_token_stays_a_secret() {
    let ntfy = Machine::saying("200 OK", "{}");
    let larder = house(&json!([{
        "url": format!("{}/box", ntfy.url), "events": ["power"], "format": "ntfy", "token": "tk_secret"
    }]));
    larder.http("ida").post("/api/update_settings", json!({ "server_name": "Büro" })).expect(200);
    test(&larder, 0).expect_status("Notification sent");
    let question = ntfy.question();
    assert!(question.starts_with("POST /box HTTP/1.1\r\n"), "{question}");
    assert_eq!(field(&question, "Authorization"), Some("Bearer tk_secret"));
    assert_eq!(field(&question, "Title"), Some("=?utf-8?B?QsO8cm8=?="));
    assert!(field(&question, "Priority").is_some() && field(&question, "Tags").is_some());
    let body = question.split_once("\r\n\r\n").unwrap().1;
    assert!(body.starts_with("This is a test"), "{body}");
    // It is told nowhere, and comes back as it was.
    let ida = larder.http("ida");
    let shown = ida.get("/api/get_settings").expect(200).json()["notify"].clone();
    assert_ne!(shown[0]["token"], "tk_secret");
    tell(&larder, &shown);
    test(&larder, 0).expect(200);
    assert_eq!(field(&ntfy.question(), "Authorization"), Some("Bearer tk_secret"));
    // But not to another server.
    let other = Machine::saying("200 OK", "");
    let mut moved = shown;
    moved[0]["url"] = json!(other.url);
    ida.post("/api/update_settings", json!({ "notify": moved })).expect_refusal(400);
    let log = ida.get("/api/get_logs").expect(200).text().to_owned();
    assert!(!log.contains("tk_secret") && log.contains("sent a test notification to 1"), "{log}");
    assert!(other.was_not_asked());
}

#[test]
fn what_is_wrong_in_the_settings_is_told_and_changes_nothing() {
    let larder = house(&json!([]));
    let ida = larder.http("ida");
    let good = json!({ "url": "http://127.0.0.1:1/x", "events": [], "format": "json" });
    for notify in [
        json!({}),
        json!([{ "url": "ftp://a", "events": [], "format": "json" }]),
        json!([{ "url": "http://a", "events": ["party"], "format": "json" }]),
        json!([{ "url": "http://a", "events": [], "format": "xml" }]),
        json!([good, good, good, good, good, good]),
    ] {
        let answer = ida.post("/api/update_settings", json!({ "notify": notify }));
        let told = answer.expect_code(400, "invalid_settings").json()["error"].clone();
        assert!(told.as_str().unwrap().starts_with("Invalid settings: notify: "), "{told}");
    }
    assert_eq!(ida.get("/api/get_settings").expect(200).json()["notify"], json!([]));
    tell(&larder, &json!([good, good, good, good, good]));
}

#[test]
fn a_test_says_why_it_did_not_arrive_and_is_for_those_whose_role_may() {
    let angry = Machine::saying("500 Oh No", "secret of the other side");
    let away = Machine::start(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let larder = house(&json!([
        hearer(&angry, &[]), hearer(&away, &[]), { "url": closed, "events": [], "format": "json" }
    ]));
    for (index, word) in [(0, "500"), (1, "302"), (2, "connection refused")] {
        let told = test(&larder, index).expect_code(502, "not_sent").json();
        let details = told["details"].as_str().unwrap();
        assert!(details.contains(word) && !details.contains("secret"), "{details}");
    }
    assert_eq!(object(&angry.question())["event"], "test");
    for index in [3, i64::MAX] {
        test(&larder, index).expect_error(404, "No such notification");
    }
    let ida = larder.http("ida");
    ida.post("/api/notify/test", json!({})).expect_refusal(400);
    for index in [json!("0"), json!(-1), json!(0.5), json!(null)] {
        ida.post("/api/notify/test", json!({ "index": index })).expect_refusal(400);
    }
    larder.anonymous().post("/api/notify/test", json!({ "index": 0 })).expect_refusal(401);
    let larder = larder.roles(&json!({ "/api/notify/test": ["admin"] }));
    larder.process().signal(rustix::process::Signal::HUP);
    let ana = larder.http("ana");
    let ask = || ana.post("/api/notify/test", json!({ "index": 3 }));
    wait::until("the new roles", || ask().status == 403);
    ask().expect_code(403, "not_permitted");
}

#[test]
fn a_drive_that_goes_and_comes_back_is_told_by_an_object() {
    let machine = Machine::saying("204 No Content", "");
    let larder = house(&json!([hearer(&machine, &["drive_gone", "drive_back"])]));
    let server =
        larder.http("ida").get("/api/get_settings").expect(200).json()["server_name"].clone();
    larder.unplug();
    let gone = object(&machine.question());
    assert_eq!((&gone["event"], &gone["server"]), (&json!("drive_gone"), &server), "{gone}");
    assert!(gone["time"].as_str().unwrap().ends_with('Z') && gone["text"].is_string(), "{gone}");
    assert_eq!((gone.get("user"), gone.get("path")), (None, None), "{gone}");
    larder.plug();
    assert_eq!(object(&machine.question())["event"], "drive_back");
}

/// Brings a file by a link.
#[track_caller]
fn bring(guest: &Client, url: &str, name: &str) {
    let fields = [
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Length", "1"),
        ("Upload-Metadata", &*encoded(&[("filename", name)])),
        ("Content-Type", "application/offset+octet-stream"),
    ];
    guest.ask("POST", &format!("{url}/uploads"), &fields, b"x").expect(201);
}

#[test]
fn what_guests_bring_is_told_once_in_ten_minutes_and_its_name_is_text() {
    let machine = Machine::saying("200 OK", "");
    let larder = house(&json!([hearer(&machine, &["link_upload", "drive_gone"])])).folder("box");
    let ask = json!({ "path": "box", "read": false, "write": true });
    let link = larder.http("ana").post("/api/link/create", ask).expect_status("Link created");
    let url = link["url"].as_str().unwrap().to_owned();
    let guest = larder.anonymous();
    let opened = guest.post(&format!("{url}/open"), json!({ "guest": "Oma" }));
    let cookie = opened.header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned();
    let guest = guest.with("Cookie", &cookie);
    bring(&guest, &url, "Ü\u{202e}gpj.exe");
    let told = object(&machine.question());
    assert_eq!((&told["event"], &told["user"]), (&json!("link_upload"), &json!("Oma")), "{told}");
    assert!(told["path"].as_str().unwrap().contains('Ü'), "{told}");
    assert!(!told.to_string().contains('\u{202e}'), "{told}");
    bring(&guest, &url, "two");
    bring(&guest, &url, "three");
    larder.unplug();
    assert_eq!(object(&machine.question())["event"], "drive_gone", "the others are counted");
}

#[test]
fn a_sign_in_from_elsewhere_is_told_and_one_from_where_one_is_known_is_not() {
    let machine = Machine::saying("200 OK", "");
    let larder = house(&json!([hearer(&machine, &["new_sign_in", "drive_gone"])]));
    let sign_in = |number: u16, agent: &str| {
        let mut wire = larder.wire_from_afar_by(number);
        let ask = json!({ "username": "ana", "password": crate::harness::password_of("ana") });
        wire.send(login_request(&ask, &format!("User-Agent: {agent}\r\n")));
        wire.answer().expect(200);
    };
    sign_in(1, "browser/1.0");
    let told = object(&machine.question());
    assert_eq!((&told["event"], &told["user"]), (&json!("new_sign_in"), &json!("ana")), "{told}");
    assert!(told["text"].as_str().unwrap().contains("127.1.0.1"), "{told}");
    wait::until("the limit of signing in", || {
        let mut wire = larder.wire_from_afar_by(1);
        let ask = json!({ "username": "ana", "password": crate::harness::password_of("ana") });
        wire.send(login_request(&ask, "User-Agent: browser/2.0\r\n"));
        wire.answer().status == 200
    });
    larder.unplug();
    assert_eq!(object(&machine.question())["event"], "drive_gone");
}

#[test]
fn many_wrong_passwords_are_told() {
    let machine = Machine::saying("200 OK", "");
    let larder = house(&json!([hearer(&machine, &["failures"])]));
    for number in 0..10 {
        larder.sign_in(&format!("nobody-{number}"), "wrong").expect(401);
    }
    let told = object(&machine.question());
    assert_eq!(told["event"], "failures", "{told}");
    assert!(!told.to_string().contains("wrong\""), "{told}");
}

#[test]
fn one_who_does_not_answer_holds_up_neither_others_nor_the_end() {
    // Accepts (the kernel does), and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let slow = Machine::start(|_| b"HTTP/1.1 200 OK\r\n".to_vec());
    let good = Machine::start(|_| response("200 OK", b""));
    let events = ["drive_gone", "drive_back"];
    let mut larder = house(&json!([
        { "url": silent, "events": events, "format": "ntfy" },
        hearer(&slow, &events),
        hearer(&good, &events),
    ]));
    larder.unplug();
    assert_eq!(object(&good.question())["event"], "drive_gone");
    larder.plug();
    assert_eq!(object(&good.question())["event"], "drive_back");
    let begun = Instant::now();
    larder.stop();
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}
