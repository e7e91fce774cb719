//! What a narrowed key sees of its user: of the uploads, jobs, tickets, the trash and the events only what lies within
//! it. Where other servers leak.

use serde_json::{Value, json};

use crate::harness::tus::Tus;
use crate::harness::{Answer, Client, Larder, encode, wait};

/// A larder with ben, who may everything, and a key of his for `in`, which may write, beside `out`.
fn house() -> (Larder, String) {
    let larder = Larder::start()
        .user("ben")
        .admin("ida")
        .file("in/a.txt", "A")
        .file("in/sub/b.txt", "B")
        .file("in2/c.txt", "secret")
        .file("out/o.txt", "secret")
        .file("top.txt", "secret");
    let key = key(&larder, "ben", json!({ "label": "in", "path": "in", "write": true }));
    (larder, key)
}

/// Makes a key.
#[track_caller]
fn key(larder: &Larder, name: &str, wish: Value) -> String {
    larder.session(name).make_key(wish).1
}

/// Whether it was refused: what is larder's own as it is to everybody.
fn is_refusal(answer: &Answer, path: &str) -> bool {
    answer.status == 403 || path.starts_with(".larder") && (400..500).contains(&answer.status)
}

#[test]
fn there_is_nothing_outside_of_it() {
    let (larder, key) = house();
    let ben = larder.with_key(&key);
    assert_eq!(ben.get("/api/finder").expect(200).json()["items"], json!(["in"]));
    assert_eq!(ben.get_with("/api/download", "file_path", "in/sub/b.txt").expect(200).text(), "B");
    for path in ["in2", "in2/c.txt", "out/o.txt", "out/none", "top.txt", "IN/a.txt", ".larder/x"] {
        for (door, name) in [
            ("/api/finder", "path"),
            ("/api/get_file", "file_path"),
            ("/api/download", "file_path"),
            ("/api/thumb", "path"),
            ("/api/photos", "path"),
            ("/api/events", "path"),
        ] {
            let answer = ben.get_with(door, name, path);
            assert!(is_refusal(&answer, path), "{answer}");
            assert!(!answer.body.windows(6).any(|window| window == b"secret"), "{answer}");
        }
        for (door, ask) in [
            ("/api/delete_file", json!({ "path": path })),
            ("/api/delete", json!({ "paths": ["in/a.txt", path] })),
            ("/api/edit_file", json!({ "path": path, "file_content": "evil" })),
            ("/api/move", json!({ "paths": [path], "to": "in" })),
            ("/api/copy", json!({ "paths": [path], "to": "in" })),
            ("/api/move", json!({ "paths": ["in/a.txt"], "to": path })),
            ("/api/create_folder", json!({ "path": path, "folder_name": "x" })),
        ] {
            let answer = ben.post(door, ask);
            assert!(is_refusal(&answer, path), "{answer}");
        }
        let bring = Tus::with_key(&larder, &key).bring(&[("relativePath", path)], b"evil");
        assert!(is_refusal(&bring, path), "{bring}");
    }
    // The whole of what lies around it is not to be had by it.
    ben.get("/api/download?file_path=").expect_error(403, "Not permitted");
    let rename = json!({ "path": "", "folder_name": "in", "new_name": "out3" });
    ben.post("/api/rename_folder", rename).expect_error(403, "Not permitted");
    let all = ["in/", "in/a.txt", "in/sub/", "in/sub/b.txt"];
    assert_eq!(larder.tree()[..4], all);
    assert_eq!(larder.read("out/o.txt"), "secret");
}

#[test]
fn uploads_are_its_users_as_far_as_it_may_write() {
    let (larder, key) = house();
    let whole = Tus::of(&larder, "ben");
    let inside = whole.begun(4, &[("relativePath", "in/new.bin")]);
    let outside = whole.begun(4, &[("relativePath", "out/new.bin")]);
    let narrow = Tus::with_key(&larder, &key);
    let told: Vec<Value> = narrow.list().iter().map(|upload| upload["path"].clone()).collect();
    assert_eq!(told, [json!("in/new.bin")]);
    narrow.patch(&outside, 0, b"evil").expect_error(403, "Not permitted");
    narrow.head(&outside).expect(403);
    narrow.take_back(&outside).expect_error(403, "Not permitted");
    assert_eq!(whole.offset(&outside), 0);
    narrow.patch(&inside, 0, b"good").expect(204);
    assert_eq!(larder.read("in/new.bin"), "good");
    // For a while what has ended tells where it is.
    whole.patch(&outside, 0, b"mine").expect(204);
    narrow.head(&outside).expect(403);
    narrow.patch(&outside, 4, b"").expect_error(403, "Not permitted");
    whole.head(&outside).expect(200);
    let reader = self::key(&larder, "ben", json!({ "label": "reader" }));
    let reader = Tus::with_key(&larder, &reader);
    let waiting = whole.begun(4, &[("relativePath", "in/more.bin")]);
    assert!(reader.list().is_empty());
    reader.patch(&waiting, 0, b"evil").expect_error(403, "Not permitted");
    reader.take_back(&waiting).expect_error(403, "Not permitted");
    narrow.take_back(&waiting).expect(204);
}

#[test]
fn the_trash_shows_and_gives_back_what_was_within_it() {
    let (larder, _) = house();
    let admin_key = key(&larder, "ida", json!({ "label": "in", "path": "in", "write": true }));
    let (whole, narrow) = (larder.http("ida"), larder.with_key(&admin_key));
    for path in ["out/o.txt", "in/a.txt", "in2/c.txt"] {
        whole.post("/api/delete_file", json!({ "path": path })).expect_status("File deleted");
    }
    let ids = |client: &Client| {
        let all = client.get("/api/trash").expect(200).json();
        let all = all.as_array().unwrap().iter();
        all.map(|item| (item["path"].clone(), item["id"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(ids(&whole).len(), 3);
    let seen = ids(&narrow);
    assert_eq!(seen.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&json!("in/a.txt")]);
    let outside = ids(&whole).into_iter().find(|(path, _)| path == "out/o.txt").unwrap().1;
    let both = json!({ "ids": [seen[0].1, outside] });
    for door in ["/api/trash/restore", "/api/trash/empty"] {
        let answer = narrow.post(door, both.clone());
        assert!(matches!(answer.status, 403 | 404), "{answer}");
    }
    assert_eq!(ids(&whole).len(), 3);
    let restore = narrow.post("/api/trash/restore", json!({ "ids": [seen[0].1] }));
    restore.expect_status("Restored");
    assert_eq!(larder.read("in/a.txt"), "A");
    // All that it may is emptied, and nothing else.
    narrow.post("/api/delete_file", json!({ "path": "in/a.txt" })).expect_status("File deleted");
    narrow.post("/api/trash/empty", json!({})).expect_status("Trash emptied");
    assert_eq!(ids(&whole).len(), 2);
}

#[test]
fn jobs_are_those_that_it_started_itself() {
    let (larder, key) = house();
    let (whole, narrow) = (larder.http("ben"), larder.with_key(&key));
    let start = |client: &Client, ask: Value| {
        client.post("/api/copy", ask).expect_status("Started")["job"].as_str().unwrap().to_owned()
    };
    let outside = start(&whole, json!({ "paths": ["out"], "to": "in2", "job": true }));
    let inside = start(&narrow, json!({ "paths": ["in/a.txt"], "to": "in/sub", "job": true }));
    let ids = |client: &Client| {
        let all = client.get("/api/jobs").expect(200).json();
        all.as_array().unwrap().iter().map(|job| job["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&narrow), [json!(inside)]);
    assert_eq!(ids(&whole), [json!(outside), json!(inside)]);
    let cancel = |client: &Client| client.post("/api/jobs/cancel", json!({ "id": outside }));
    cancel(&narrow).expect_error(404, "Job not found");
    cancel(&whole).expect_status("Cancelled");
    // Also of an admin it tells no others.
    let admins = self::key(&larder, "ida", json!({ "label": "a", "write": true }));
    assert_eq!(ids(&larder.with_key(&admins)), Vec::<Value>::new());
}

#[test]
fn a_ticket_is_its_own_and_holds_nothing_outside() {
    let (larder, key) = house();
    let (whole, narrow) = (larder.http("ben"), larder.with_key(&key));
    let ticket = |client: &Client, path: &str| {
        let made = client.post("/api/download_ticket", json!({ "paths": [path] }));
        made.expect_status("Ticket made")["url"].as_str().unwrap().to_owned()
    };
    let url = ticket(&whole, "out/o.txt");
    whole.get(&url).expect(200);
    narrow.get(&url).expect_error(404, "Not found");
    let url = ticket(&narrow, "in/a.txt");
    assert_eq!(narrow.get(&url).expect(200).text(), "A");
    whole.get(&url).expect_error(404, "Not found");
    let outside = narrow.post("/api/download_ticket", json!({ "paths": ["out/o.txt"] }));
    outside.expect_error(403, "Not permitted");
}

#[test]
fn events_tell_of_what_lies_within_it_and_end_with_it() {
    let (larder, _) = house();
    let session = larder.session("ben");
    let wish = json!({ "label": "in", "path": "in", "write": true });
    let (id, key) = session.make_key(wish);
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/events?path=in&path= HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!(wire.try_answer(true).unwrap().status, 200);
    let mut heard = String::new();
    let mut hear_until = |what: &str| {
        while !heard.contains(what) {
            let piece = wire.take(1).unwrap_or_else(|| panic!("no {what} in {heard}"));
            heard.push_str(std::str::from_utf8(&piece).unwrap());
        }
        std::mem::take(&mut heard)
    };
    hear_until("event: hello");
    let ask = json!({ "paths": ["out"], "to": "in2", "job": true });
    session.post("/api/copy", ask).expect_status("Started");
    wait::until("it is copied", || larder.exists("in2/out/o.txt"));
    larder.write("out/new.txt", "secret");
    larder.write("in/new.txt", "N");
    let told = hear_until("\"path\":\"in\"");
    for kept in ["out", "in2", "event: job", "event: resources"] {
        assert!(!told.contains(kept), "{told}");
    }
    session.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    wire.pass_over();
    assert!(wire.is_ended());
}

#[test]
fn links_on_the_disk_lead_it_nowhere_outside() {
    let (larder, key) = house();
    let larder = larder.link("in/way", "../out").link("in/way.txt", "../top.txt");
    let ben = larder.with_key(&key);
    for path in ["in/way", "in/way/o.txt", "in/way.txt"] {
        for (door, name) in [("/api/finder", "path"), ("/api/download", "file_path")] {
            let answer = ben.get(&format!("{door}?{name}={}", encode(path)));
            answer.expect_error(403, "Not permitted");
        }
    }
    let zip = ben.get("/api/download?file_path=in").expect(200).body;
    let members = crate::harness::unzip(&zip);
    assert!(members.contains_key("a.txt"), "{members:?}");
    assert!(!members.keys().any(|name| name.contains("o.txt") || name == "way.txt"));
}
