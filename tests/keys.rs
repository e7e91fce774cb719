//! Narrowed keys: who makes them and how, what they let in, and when they no longer do.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::harness::table::Row;
use crate::harness::{Answer, Client, Form, Larder, TABLE, everybody_may_everything, wait};

/// A larder with ana, who may read `photos` and `docs/shared` and write `photos/new`, and others.
fn house() -> Larder {
    Larder::start()
        .user_with("ana", "user", r#"["photos", "docs/shared"]"#, r#"["photos/new", "drop"]"#)
        .user("ben")
        .admin("ida")
        .file("photos/a.txt", "A")
        .file("photos/new/n.txt", "N")
        .file("docs/shared/s.txt", "S")
        .file("docs/p.txt", "secret")
        .folder("drop")
        .file("other/o.txt", "secret")
}

/// Asks for a key.
#[track_caller]
fn ask(client: &Client, wish: Value) -> Answer {
    client.post("/api/key/create", wish)
}

/// The fields of `Authorization` for a name and a password.
fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{name}:{password}")))
}

/// What is told of a user's keys.
#[track_caller]
fn all(client: &Client) -> Vec<Value> {
    client.get("/api/key/get_all").expect(200).json().as_array().unwrap().clone()
}

/// Another picture for another key; and nothing of FTP, which is off.
#[test]
fn a_key_comes_with_what_a_page_shows_beside_it_to_who_asks() {
    let larder = house();
    let [one, other] = ["ana", "ben"].map(|name| {
        ask(&larder.session(name), json!({ "label": "Phone", "show": true })).expect(200).json()
    });
    for made in [&one, &other] {
        assert!(made["qr"].as_str().unwrap().starts_with("<svg "), "{made}");
        assert_eq!(made.get("ftp_port"), None);
    }
    assert_ne!(one["qr"], other["qr"]);
}

#[test]
fn a_key_is_shown_once_and_told_by_its_hint_later() {
    let larder = house();
    let ana = larder.session("ana");
    let answer = ask(&ana, json!({ "label": " Phone " })).expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let made = answer.json();
    let key = made["key"].as_str().unwrap();
    assert!(key.len() == 51 && key.starts_with("lk_"), "{key}");
    assert_eq!(made.as_object().unwrap().len(), 3, "{made}");
    let list = ana.get("/api/key/get_all").expect(200);
    assert!(!list.text().contains(key), "{list}");
    let list = list.json();
    let told = &list[0];
    assert_eq!(told["id"], made["id"]);
    assert_eq!(told["hint"], format!("{}…", &key[..7]));
    assert!(told["created"].as_str().unwrap().ends_with('Z'), "{told}");
    let rest = json!({
        "label": "Phone", "path": "", "write": false, "doors": ["api", "dav", "ftp"],
        "expires": null, "last_used": null, "ip": "",
    });
    for (name, value) in rest.as_object().unwrap() {
        assert_eq!(told[name], *value, "{name}");
    }
    assert_eq!(told.as_object().unwrap().len(), 10, "{told}");
    let wish = json!({
        "label": "Camera", "path": "/photos/new/", "write": true, "doors": ["ftp", "api", "ftp"],
        "expires": "2126-01-02T03:04:05Z",
    });
    ana.make_key(wish.clone());
    let told = all(&ana).pop().unwrap();
    assert_eq!((&told["path"], &told["write"]), (&json!("photos/new"), &json!(true)));
    assert_eq!(told["doors"], json!(["api", "ftp"]));
    assert_eq!(told["expires"], wish["expires"]);
    // Neither it nor its hash is in the log, and of itself no more than the hint.
    let log = larder.session("ida").get("/api/get_logs").expect(200);
    assert!(log.text().contains("made the key Camera (lk_") && !log.text().contains(key), "{log}");
}

#[test]
fn each_field_is_judged() {
    let larder = house();
    let ana = larder.session("ana");
    for (wish, sentence) in [
        (json!({}), "No label provided"),
        (json!({ "label": "" }), "No label provided"),
        (json!({ "label": "  " }), "No label provided"),
        (json!({ "label": "a\nb" }), "Invalid label"),
        (json!({ "label": "\u{202e}gpj.exe" }), "Invalid label"),
        (json!({ "label": "a\u{200f}b" }), "Invalid label"),
        (json!({ "label": "a".repeat(129) }), "Invalid label"),
        (json!({ "label": "a", "path": "../x" }), "Invalid path"),
        (json!({ "label": "a", "path": "photos/\u{0}" }), "Invalid path"),
        (json!({ "label": "a", "doors": [] }), "No doors provided"),
        (json!({ "label": "a", "doors": ["smb"] }), "doors must be api, dav or ftp"),
        (json!({ "label": "a", "expires": "soon" }), "expires must be a date or a number of days"),
        (json!({ "label": "a", "expires": -1 }), "expires must be a date or a number of days"),
        (json!({ "label": "a", "expires": "9999-01-01T00:00:00Z" }), "expires is too far away"),
        (json!({ "label": "a", "expires": 36_501 }), "expires must be a date or a number of days"),
    ] {
        ask(&ana, wish).expect_error(400, sentence);
    }
    for wish in [
        json!({ "label": 7 }),
        json!({ "label": "a", "path": [] }),
        json!({ "label": "a", "write": "yes" }),
        json!({ "label": "a", "doors": "api" }),
        json!({ "label": "a", "doors": [7] }),
        json!({ "label": "a", "expires": {} }),
        json!([]),
        json!(null),
    ] {
        ask(&ana, wish).expect_refusal(400);
    }
    ana.post_raw("/api/key/create", Some("application/json"), b"{\"label\"").expect_refusal(400);
    assert!(all(&ana).is_empty());
    ask(&ana, json!({ "label": "a".repeat(128), "expires": 7, "path": null })).expect(200);
    for wish in [json!({}), json!({ "id": "" })] {
        ana.post("/api/key/delete", wish).expect_error(400, "No id provided");
    }
    for id in [json!(7), json!("x"), json!(0), json!("9999999999999999999999")] {
        let delete = ana.post("/api/key/delete", json!({ "id": id }));
        delete.expect_error(404, "Key not found");
    }
}

#[test]
fn a_key_reaches_only_where_its_maker_sees_something() {
    let larder = house().link("photos/way", "new").link("photos/out", "../other");
    let ana = larder.session("ana");
    for path in ["other", "other/o.txt", "docs/p.txt", "photos2", "none", "photos/out"] {
        ask(&ana, json!({ "label": "a", "path": path })).expect_error(403, "Not permitted");
    }
    // Where she may only bring things, a key that only reads would be of no use.
    ask(&ana, json!({ "label": "a", "path": "drop" })).expect_error(403, "Not permitted");
    for path in ["drop", "photos", "photos/a.txt", "docs", "docs/shared", ""] {
        ask(&ana, json!({ "label": "a", "path": path, "write": true })).expect(200);
    }
    ask(&ana, json!({ "label": "a", "path": "photos/none" }))
        .expect_error(404, "Path does not exist");
    // It leads to where the link leads now.
    let (_, key) = ana.make_key(json!({ "label": "a", "path": "photos/way" }));
    assert_eq!(all(&ana).pop().unwrap()["path"], "photos/new");
    larder.with_key(&key).get("/api/finder?path=photos/new").expect(200);
}

#[test]
fn only_a_token_makes_lists_and_deletes_keys() {
    let larder = house();
    let token = larder.token("ana");
    let (id, key) = larder.bearer(&token).make_key(json!({ "label": "a", "write": true }));
    let questions = |client: &Client| {
        vec![
            client.post("/api/key/create", json!({ "label": "b" })),
            client.get("/api/key/get_all"),
            client.post("/api/key/delete", json!({ "id": id })),
        ]
    };
    for answer in questions(&larder.with_key(&key)) {
        answer.expect_error(403, "Not permitted");
    }
    let by_password = larder.anonymous().with("Authorization", &basic("ana", &key));
    for answer in questions(&by_password) {
        answer.expect_error(403, "Not permitted");
    }
    for answer in questions(&larder.http("ana")) {
        answer.expect_error(401, "Unauthorized");
    }
    for answer in questions(&larder.anonymous()) {
        answer.expect_error(401, "Unauthorized");
    }
    let browser = larder.browser(&token);
    for answer in questions(&browser) {
        answer.expect_error(401, "Unauthorized");
    }
    larder.bearer(&key).get("/api/finder").expect_error(401, "Invalid token");
    assert_eq!(all(&larder.bearer(&token)).len(), 1);
}

#[test]
fn an_admin_lists_and_deletes_anothers_and_nobody_else_does() {
    let larder = house();
    let (ana, ben, ida) = (larder.session("ana"), larder.session("ben"), larder.session("ida"));
    let (id, key) = ana.make_key(json!({ "label": "Phone" }));
    let of = |client: &Client, name: &str| client.get_with("/api/key/get_all", "username", name);
    assert_eq!(of(&ida, "ana").expect(200).json()[0]["id"], id);
    assert_eq!(of(&ana, "ana").expect(200).json()[0]["id"], id);
    assert_eq!(of(&ida, "ida").expect(200).json(), json!([]));
    of(&ben, "ana").expect_error(403, "Not permitted");
    of(&ben, "nobody").expect_error(403, "Not permitted");
    of(&ida, "nobody").expect_error(404, "User not found");
    let delete = |client: &Client, name: Option<&str>| {
        client.post("/api/key/delete", json!({ "id": id, "username": name }))
    };
    delete(&ben, Some("ana")).expect_error(403, "Not permitted");
    delete(&ben, None).expect_error(404, "Key not found");
    delete(&ida, None).expect_error(404, "Key not found");
    delete(&ida, Some("ben")).expect_error(404, "Key not found");
    larder.with_key(&key).get("/api/finder").expect(200);
    delete(&ida, Some("ana")).expect_status("Key deleted");
    larder.with_key(&key).get("/api/finder").expect_error(401, "Unauthorized");
    delete(&ida, Some("ana")).expect_error(404, "Key not found");
    let log = ida.get("/api/get_logs").expect(200);
    assert!(log.text().contains("deleted the key Phone (lk_"), "{log}");
}

#[test]
fn fifty_are_enough_also_of_those_made_at_the_same_time() {
    let larder = house();
    let ana = larder.session("ana");
    for number in 1..48 {
        ana.make_key(json!({ "label": number.to_string() }));
    }
    let (barrier, made) = (Barrier::new(8), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let answer = ask(&ana, json!({ "label": "one of many" }));
                if answer.status == 200 {
                    made.fetch_add(1, Ordering::Relaxed);
                } else {
                    answer.expect_error(409, "Too many keys");
                }
            });
        }
    });
    assert_eq!((made.into_inner(), all(&ana).len()), (3, 50));
    ask(&ana, json!({ "label": "51" })).expect_error(409, "Too many keys");
    ask(&larder.session("ben"), json!({ "label": "1" })).expect(200);
    let id = all(&ana)[0]["id"].clone();
    ana.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    ask(&ana, json!({ "label": "50" })).expect(200);
}

#[test]
fn it_goes_into_its_own_field_or_into_basic_with_its_users_name() {
    let larder = house();
    let (_, key) = larder.session("ana").make_key(json!({ "label": "a" }));
    let ask = |authorization: &str| {
        larder.anonymous().with("Authorization", authorization).get("/api/finder?path=photos")
    };
    larder.with_key(&key).get("/api/finder?path=photos").expect(200);
    larder.with_key(&format!(" {key} ")).get("/api/finder?path=photos").expect(200);
    ask(&basic("ana", &key)).expect(200);
    ask(&basic("ana", &key).replace("Basic", "bASIC")).expect(200);
    for (name, password) in [
        ("ben", &*key),
        ("", &key),
        ("Ana", &key),
        ("ana", &key[..50]),
        ("ana", &key.replace("lk_", "lk-")),
        ("ana", "ana opens the larder"),
        ("ana", larder.key("ana")),
    ] {
        ask(&basic(name, password)).expect_error(401, "Unauthorized");
    }
    ask(&format!("Bearer {key}")).expect_error(401, "Invalid token");
    let other = format!("lk_{}", "0".repeat(48));
    larder.with_key(&other).get("/api/finder").expect_error(401, "Unauthorized");
    // A proxy's own password in front of us is none of our business.
    let token = larder.token("ana");
    let browser = larder.browser(&token);
    browser.with("Authorization", &basic("house", "x")).get("/api/finder?path=photos").expect(200);
}

/// Every endpoint there is, as a key is answered there.
#[test]
fn what_is_not_for_keys_is_refused_whatever_the_role_may() {
    let larder = house();
    let (_, key) = larder.session("ida").make_key(json!({ "label": "a", "write": true }));
    let ida = larder.with_key(&key);
    let is_asked = |row: &&Row| !row.is_public() && !row.is_by_link() && !OPEN.contains(&row.path);
    for row in TABLE.iter().filter(is_asked) {
        let body: &[u8] = if row.method == "GET" { b"" } else { b"{}" };
        let answer = ida.ask(row.method, row.path, &[], body).expect_code(403, "not_permitted");
        answer.expect_error(403, "Not permitted");
    }
    // Nothing of it was done.
    larder.anonymous().get("/api/is_up").expect(200);
    larder.http("ida").get("/api/user/get_self").expect(200);
}

/// Those that are for keys.
const OPEN: &[&str] = &[
    "/api/finder",
    "/api/new_file",
    "/api/edit_file",
    "/api/delete_file",
    "/api/get_file",
    "/api/rename_file",
    "/api/upload",
    "/api/download",
    "/api/create_folder",
    "/api/delete_folder",
    "/api/rename_folder",
    "/api/move",
    "/api/copy",
    "/api/jobs",
    "/api/jobs/cancel",
    "/api/trash",
    "/api/trash/restore",
    "/api/trash/empty",
    "/api/events",
    "/api/uploads",
    "/api/uploads/index.html",
    "/api/download_ticket",
    "/api/thumb",
    "/api/delete",
    "/api/photos",
    "/api/photos/scan",
    "/api/search",
    "/metrics",
    "/api/link/create",
    "/api/link/get_all",
    "/api/link/edit",
    "/api/link/delete",
    "/api/link/qr",
];

#[test]
fn without_write_it_reads_and_nothing_else() {
    let larder = house();
    let (_, key) = larder.session("ben").make_key(json!({ "label": "a" }));
    let ben = larder.with_key(&key);
    assert_eq!(ben.get("/api/download?file_path=photos/a.txt").expect(200).text(), "A");
    let form = Form::new().field("path", "photos").file("b.txt", "evil");
    for answer in [
        ben.post("/api/delete_file", json!({ "path": "photos/a.txt" })),
        ben.post("/api/delete", json!({ "paths": ["photos/a.txt"] })),
        ben.post("/api/create_folder", json!({ "folder_name": "x" })),
        ben.post("/api/move", json!({ "paths": ["photos/a.txt"], "to": "drop" })),
        ben.post("/api/copy", json!({ "paths": ["photos/a.txt"], "to": "drop" })),
        ben.upload(&form),
    ] {
        answer.expect_error(403, "Not permitted");
    }
    assert_eq!(larder.read("photos/a.txt"), "A");
    assert!(!larder.exists("photos/b.txt") && !larder.exists("drop/a.txt"));
}

#[test]
fn a_key_for_other_doors_opens_none_here() {
    let larder = house();
    let ana = larder.session("ana");
    for doors in [json!(["dav"]), json!(["ftp"]), json!(["ftp", "dav"])] {
        let (_, key) = ana.make_key(json!({ "label": "a", "doors": doors }));
        larder.with_key(&key).get("/api/finder?path=photos").expect_error(403, "Not permitted");
    }
    let (_, key) = ana.make_key(json!({ "label": "a", "doors": ["api"] }));
    larder.with_key(&key).get("/api/finder?path=photos").expect(200);
}

#[test]
fn one_whose_time_is_over_is_as_good_as_unknown() {
    let larder = house();
    let ana = larder.session("ana");
    for expires in [json!("2025-02-03T04:05:06Z"), json!(0), json!("0")] {
        let (_, key) = ana.make_key(json!({ "label": "a", "expires": expires }));
        larder.with_key(&key).get("/api/finder").expect_error(401, "Unauthorized");
        let by_password = larder.anonymous().with("Authorization", &basic("ana", &key));
        by_password.get("/api/finder").expect_error(401, "Unauthorized");
    }
    let (_, key) = ana.make_key(json!({ "label": "a", "expires": 1 }));
    larder.with_key(&key).get("/api/finder").expect(200);
    assert_eq!(all(&ana).len(), 4);
}

/// It is its user narrowed, and each request asks anew what that is.
#[test]
fn a_user_who_loses_a_path_or_a_role_takes_it_from_their_keys() {
    let larder = house();
    let (ana, ida) = (larder.session("ana"), larder.http("ida"));
    let (_, key) = ana.make_key(json!({ "label": "a", "path": "photos", "write": true }));
    let key = larder.with_key(&key);
    let read = || key.get("/api/get_file?file_path=photos/a.txt");
    let make_folder =
        || key.post("/api/create_folder", json!({ "path": "photos/new", "folder_name": "x" }));
    read().expect(200);
    let id = larder.http("ana").get("/api/user/get_self").expect(200).json()["id"].clone();
    let edit = |role: &str, paths: &str, paths_write: &str| {
        let ask = json!({
            "id": id, "username": "ana", "name": "ana", "role": role,
            "paths": paths, "paths_write": paths_write,
        });
        ida.post("/api/user/edit", ask).expect_status("User edited");
    };
    edit("user", r#"["docs"]"#, r#"["photos/new"]"#);
    read().expect_error(403, "Not permitted");
    make_folder().expect_status("Folder created");
    edit("user", r#"["photos"]"#, r#"["docs"]"#);
    read().expect(200);
    make_folder().expect_error(403, "Not permitted");
    // What she wins outside of its path is not the key's.
    edit("user", r#"[""]"#, r#"[""]"#);
    key.get("/api/get_file?file_path=docs/p.txt").expect_error(403, "Not permitted");
    edit("nobody", r#"[""]"#, r#"[""]"#);
    read().expect_error(403, "Not permitted");
    edit("user", r#"[""]"#, r#"[""]"#);
    let mut roles = everybody_may_everything();
    roles["/api/get_file"] = json!(["admin"]);
    ida.post("/api/role/edit", roles).expect(200);
    read().expect_error(403, "Not permitted");
    key.get("/api/download?file_path=photos/a.txt").expect(200);
    ida.post("/api/user/delete", json!({ "username": "ana" })).expect_status("User deleted");
    read().expect_error(401, "Unauthorized");
}

#[test]
fn keys_outlast_passwords_and_restarts_and_go_with_their_user() {
    let mut larder = house();
    let ana = larder.session("ana");
    let (_, key) = ana.make_key(json!({ "label": "a" }));
    let change = json!({ "password": "another one entirely" });
    ana.post("/api/user/edit_self", change).expect(200);
    larder.http("ana").post("/api/user/logout", json!({ "everywhere": true })).expect(200);
    larder.with_key(&key).get("/api/finder").expect(200);
    larder.restart();
    larder.with_key(&key).get("/api/finder").expect(200);
    let output = larder.run(&["user", "delete", "ana"], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    larder.with_key(&key).get("/api/finder").expect_error(401, "Unauthorized");
}

#[test]
fn where_and_when_it_was_used_is_told_to_the_day() {
    let mut larder = house();
    let token = larder.token("ana");
    let (_, key) = larder.bearer(&token).make_key(json!({ "label": "a", "path": "photos" }));
    // A refusal is no use of it.
    larder.with_key(&key).get("/api/get_version").expect_error(403, "Not permitted");
    assert_eq!(all(&larder.bearer(&token))[0]["last_used"], Value::Null);
    larder.with_key(&key).get("/api/finder?path=photos").expect(200);
    let told = all(&larder.bearer(&token)).remove(0);
    let day = told["last_used"].as_str().unwrap().to_owned();
    assert!(day.len() == 10 && day.split('-').count() == 3, "{told}");
    assert_eq!(told["ip"], "127.0.0.1");
    larder.stop();
    larder.restart();
    let told = all(&larder.bearer(&token)).remove(0);
    assert_eq!((&told["last_used"], &told["ip"]), (&json!(day), &json!("127.0.0.1")));
}

#[test]
fn a_narrowed_key_never_becomes_one_for_everything() {
    let larder = house();
    let ana = larder.session("ana");
    let (_, key) = ana.make_key(json!({ "label": "a", "path": "photos" }));
    for who in ["ana", "ben"] {
        let answer = larder.session(who).post("/api/user/edit_self", json!({ "API_KEY": key }));
        answer.expect_error(409, "API key already in use");
    }
    larder.with_key(&key).get("/api/user/get_self").expect_error(403, "Not permitted");
}

#[test]
fn the_log_names_it_by_its_label_and_never_shows_it() {
    let larder = house();
    let (_, key) = larder.session("ben").make_key(json!({ "label": "Camera", "write": true }));
    let ben = larder.with_key(&key);
    ben.upload(&Form::new().field("path", "drop").file("c.txt", "C")).expect(200);
    ben.get("/api/get_settings").expect_error(403, "Not permitted");
    let log = larder.http("ida").get("/api/get_logs").expect(200);
    let said = format!("ben (key Camera, {}…): ", &key[..7]);
    assert!(log.text().contains(&said) && !log.text().contains(&key), "{log}");
    let rows = log.json().as_array().unwrap().clone();
    let upload = rows.iter().find(|row| row["path"] == "drop/c.txt").unwrap();
    assert_eq!(upload["user"], "ben", "{upload}");
}

#[test]
fn a_download_ends_when_its_key_is_deleted() {
    const LENGTH: u64 = 8 << 30;
    let larder = house();
    larder.sparse("photos/large.bin", LENGTH);
    let ana = larder.session("ana");
    let (id, key) = ana.make_key(json!({ "label": "a", "path": "photos" }));
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/download?file_path=photos/large.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    wire.skip_head();
    assert!(wire.take(1024).is_some());
    ana.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    assert!(wire.pass_over() < LENGTH / 2, "it went on");
}

#[test]
fn a_slow_upload_ends_when_its_key_is_deleted() {
    let larder = house();
    let ana = larder.session("ana");
    let (id, key) = ana.make_key(json!({ "label": "a", "write": true }));
    let body = Form::new().field("path", "photos/new").file("u.txt", vec![b'U'; 4 << 20]).body();
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/upload HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Type: {}\r\n\
         Content-Length: {}\r\n\r\n",
        Form::content_type(),
        body.len()
    ));
    let (first, last) = body.split_at(body.len() - 1);
    wire.send(first);
    wait::until("it is being received", || larder.unfinished() > 0);
    ana.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    wire.send(last);
    assert_eq!(wire.answer().status, 401);
    assert!(!larder.exists("photos/new/u.txt"));
    larder.wait_until_tidy();
}
