//! Work that goes on by itself: contract, section 11.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Client, Form, Larder, wait};

/// The jobs that somebody sees.
#[track_caller]
fn jobs(client: &Client) -> Vec<Value> {
    client.get("/api/jobs").expect(200).json().as_array().expect("an array").clone()
}

/// A job that somebody sees.
#[track_caller]
fn job(client: &Client, id: &str) -> Value {
    let found = jobs(client).into_iter().find(|job| job["id"] == id);
    found.unwrap_or_else(|| panic!("no job {id}"))
}

/// Starts a job; gives its id.
#[track_caller]
fn start(client: &Client, path: &str, mut ask: Value) -> String {
    ask["job"] = json!(true);
    let json = client.post(path, ask).expect_status("Started");
    json["job"].as_str().expect("an id").to_owned()
}

/// Waits for a job's end; gives what is told of it then.
#[track_caller]
fn end(client: &Client, id: &str) -> Value {
    wait::until("the job's end", || job(client, id)["state"] != "running");
    job(client, id)
}

/// A tree that takes a while to copy or to delete.
fn plant(larder: &Larder, name: &str) {
    for folder in 0..20 {
        for file in 0..100 {
            larder.write(&format!("{name}/{folder}/{file}"), "content");
        }
    }
}

#[test]
fn a_job_goes_on_by_itself_and_tells_how_far_it_is() {
    let larder = Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .file("docs/b.txt", "BB")
        .folder("to")
        .folder("there");
    let ana = larder.http("ana");
    assert!(jobs(&ana).is_empty());
    let copy = start(&ana, "/api/copy", json!({ "paths": ["docs"], "to": "to" }));
    let told = end(&ana, &copy);
    let expected = json!({
        "id": copy, "kind": "copy", "state": "done",
        "done_bytes": 3, "total_bytes": 3, "done_items": 3, "total_items": 3, "trash": [],
        "paths": ["to/docs"],
    });
    assert_eq!(told, expected);
    assert_eq!(larder.read("to/docs/b.txt"), "BB");
    let moving = start(&ana, "/api/move", json!({ "paths": ["docs"], "to": "there" }));
    let told = end(&ana, &moving);
    assert_eq!((&told["kind"], &told["state"]), (&json!("move"), &json!("done")));
    assert_eq!(told["paths"], json!(["there/docs"]));
    assert_eq!(larder.read("there/docs/a.txt"), "A");
    let ask = json!({ "paths": ["to/docs/a.txt"], "to": "there/docs", "if_exists": "rename" });
    let kept = end(&ana, &start(&ana, "/api/copy", ask));
    assert_eq!(kept["paths"], json!(["there/docs/a (1).txt"]), "of both, where the new one is");
    std::fs::remove_file(larder.root().join("there/docs/a (1).txt")).unwrap();
    let ask = json!({ "path": "to/docs", "permanent": true });
    let deleting = start(&ana, "/api/delete_folder", ask);
    let told = end(&ana, &deleting);
    assert_eq!((&told["kind"], &told["state"]), (&json!("delete"), &json!("done")));
    assert_eq!(told["done_items"], told["total_items"]);
    assert_eq!(told["paths"], json!(null), "what was deleted has no place");
    let ask = json!({ "path": "there/docs/a.txt", "permanent": true });
    let deleting = start(&ana, "/api/delete_file", ask);
    assert_eq!(end(&ana, &deleting)["state"], "done");
    assert_eq!(larder.tree(), ["there/", "there/docs/", "there/docs/b.txt", "to/"]);
    let ids: Vec<_> = jobs(&ana).iter().map(|job| job["id"].clone()).collect();
    assert_eq!(ids.len(), 5, "the oldest first, none twice");
    assert_eq!(ids[0], copy);
}

#[test]
fn what_can_be_refused_is_refused_at_once() {
    let larder =
        Larder::start().user("ana").reader("rea").file("docs/a.txt", "A").file("a.txt", "B");
    let ana = larder.http("ana");
    let wrong = |client: &Client, path: &str, mut ask: Value, status: u16, sentence: &str| {
        ask["job"] = json!(true);
        client.post(path, ask).expect_error(status, sentence);
    };
    let copy = json!({ "paths": ["docs/a.txt"], "to": "" });
    wrong(&ana, "/api/copy", copy.clone(), 409, "Target already exists");
    wrong(&larder.http("rea"), "/api/copy", copy, 401, "Unauthorized");
    wrong(&ana, "/api/move", json!({ "paths": ["x"], "to": "" }), 404, "Path does not exist");
    wrong(
        &ana,
        "/api/move",
        json!({ "paths": ["docs"], "to": "docs" }),
        400,
        "A folder can't be moved or copied into itself",
    );
    wrong(&ana, "/api/delete_folder", json!({ "path": "x" }), 404, "Path does not exist");
    wrong(&ana, "/api/delete_folder", json!({ "path": "a.txt" }), 400, "Path is not a folder");
    wrong(&ana, "/api/delete_folder", json!({ "path": "" }), 400, "The root can't be deleted");
    wrong(&ana, "/api/delete_folder", json!({}), 400, "No path provided");
    wrong(&ana, "/api/delete_file", json!({ "path": "docs" }), 400, "Path is not a file");
    wrong(&ana, "/api/delete_file", json!({ "path": "x" }), 404, "Path does not exist");
    wrong(&larder.http("rea"), "/api/delete_file", json!({ "path": "x" }), 401, "Unauthorized");
    assert!(jobs(&ana).is_empty());
}

#[test]
fn one_sees_and_cancels_ones_own_and_an_admin_all() {
    let larder =
        Larder::start().user("ana").user("ben").admin("boss").file("docs/a.txt", "A").folder("to");
    let (ana, ben, boss) = (larder.http("ana"), larder.http("ben"), larder.http("boss"));
    let id = start(&ana, "/api/copy", json!({ "paths": ["docs"], "to": "to" }));
    end(&ana, &id);
    assert!(jobs(&ben).is_empty());
    assert_eq!(job(&boss, &id)["state"], "done");
    let cancel = |client: &Client, id: &str| client.post("/api/jobs/cancel", json!({ "id": id }));
    cancel(&ben, &id).expect_error(404, "Job not found");
    cancel(&ben, "no such job").expect_error(404, "Job not found");
    // It has ended: that changes nothing any more.
    cancel(&boss, &id).expect_status("Cancelled");
    cancel(&ana, &id).expect_status("Cancelled");
    assert_eq!(job(&ana, &id)["state"], "done");
    ana.post("/api/jobs/cancel", json!({})).expect_error(400, "No id provided");
    ana.post("/api/jobs/cancel", json!({ "id": 7 })).expect_error(400, "id must be a string");
}

#[test]
fn a_cancelled_copy_leaves_complete_things_only() {
    let larder = Larder::start().user("ana").folder("to").file("small.txt", "S");
    plant(&larder, "tree");
    let ana = larder.http("ana");
    let ask = json!({ "paths": ["small.txt", "tree"], "to": "to", "if_exists": "overwrite" });
    let id = start(&ana, "/api/copy", ask);
    ana.post("/api/jobs/cancel", json!({ "id": id })).expect_status("Cancelled");
    let told = end(&ana, &id);
    // A fast machine may be through before the question arrives.
    let is_done = told["state"] == "done";
    assert!(is_done || told["state"] == "cancelled", "{told}");
    assert_eq!(larder.exists("to/tree"), is_done);
    if larder.exists("to/small.txt") {
        assert_eq!(larder.read("to/small.txt"), "S");
    }
    assert_eq!(larder.read("tree/19/99"), "content");
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn a_cancelled_deletion_leaves_whole_files_in_their_places() {
    let larder = Larder::start().user("ana");
    plant(&larder, "tree");
    let ana = larder.http("ana");
    let id = start(&ana, "/api/delete_folder", json!({ "path": "tree", "permanent": true }));
    ana.post("/api/jobs/cancel", json!({ "id": id })).expect_status("Cancelled");
    let told = end(&ana, &id);
    let is_done = told["state"] == "done";
    assert!(is_done || told["state"] == "cancelled", "{told}");
    assert_eq!(larder.exists("tree"), !is_done);
    for path in larder.tree().iter().filter(|path| !path.ends_with('/')) {
        assert_eq!(larder.read(path), "content", "{path}");
    }
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn the_end_of_the_server_calls_jobs_off_and_leaves_complete_things_only() {
    let mut larder = Larder::start().user("ana").folder("to");
    plant(&larder, "tree");
    let ana = larder.http("ana");
    for number in 0..3 {
        fs::create_dir(larder.root().join(format!("to/{number}"))).unwrap();
        start(&ana, "/api/copy", json!({ "paths": ["tree"], "to": format!("to/{number}") }));
    }
    larder.stop();
    assert_eq!(larder.unfinished(), 0);
    for number in 0..3 {
        let place = format!("to/{number}/tree");
        if larder.exists(&place) {
            assert_eq!(larder.read(&format!("{place}/19/99")), "content");
            assert_eq!(fs::read_dir(larder.root().join(&place)).unwrap().count(), 20);
        }
    }
}

/// Starts to copy a tree of so many parts as `ana`, and takes something from her; gives how the job ended.
fn copy_and_lose(parts: usize, loss: impl FnOnce(&Larder, &Client)) -> (Larder, Value) {
    let larder = Larder::start().user("ana").admin("boss").folder("to");
    for part in 0..parts {
        plant(&larder, &format!("tree/{part}"));
    }
    let boss = larder.http("boss");
    let id = start(&larder.http("ana"), "/api/copy", json!({ "paths": ["tree"], "to": "to" }));
    loss(&larder, &boss);
    let told = end(&boss, &id);
    (larder, told)
}

/// The same, with the job called off by it. On a fast drive a small tree is copied before anything can be
/// taken away, and that proves nothing: then it is tried again with a larger one.
fn copy_cut_short(loss: impl Fn(&Larder, &Client)) -> Larder {
    let mut told = Value::Null;
    for parts in [2, 4, 8, 16] {
        let larder;
        (larder, told) = copy_and_lose(parts, &loss);
        if told["state"] != "done" {
            assert_eq!(told["state"], "cancelled", "{told}");
            return larder;
        }
    }
    panic!("the job went on each time: {told}");
}

/// What `user/edit` needs to know of ana.
fn ana(larder: &Larder, more: &Value) -> Value {
    let people = larder.http("boss").get("/api/user/get_all").expect(200).json();
    let mut people = people.as_array().unwrap().iter();
    let id = &people.find(|person| person["username"] == "ana").unwrap()["id"];
    let mut ask = json!({ "id": id, "username": "ana", "name": "Ana" });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask
}

#[test]
fn a_job_ends_with_its_owner() {
    let larder = copy_cut_short(|_, boss| {
        let gone = json!({ "username": "ana" });
        boss.post("/api/user/delete", gone).expect_status("User deleted");
    });
    assert!(!larder.exists("to/tree") && larder.exists("tree/1/19/99"));
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn a_job_ends_when_its_owner_loses_a_path_or_the_role() {
    for lost in [json!({ "paths_write": ["tree"] }), json!({ "role": "nobody-knows" })] {
        let larder = copy_cut_short(|larder, boss| {
            boss.post("/api/user/edit", ana(larder, &lost)).expect_status("User edited");
        });
        assert!(!larder.exists("to/tree"));
    }
}

#[test]
fn a_job_goes_on_when_its_owner_signs_out_or_wins_something() {
    let (larder, told) = copy_and_lose(2, |larder, boss| {
        let more = json!({ "name": "Ana B.", "role": "admin", "password": "another" });
        boss.post("/api/user/edit", ana(larder, &more)).expect_status("User edited");
        larder.http("ana").post("/api/user/logout", json!({ "everywhere": true })).expect(200);
    });
    assert_eq!(told["state"], "done", "{told}");
    assert_eq!(larder.read("to/tree/1/19/99"), "content");
}

#[test]
fn what_was_sent_by_somebody_who_is_gone_meanwhile_is_not_stored() {
    // Somebody keeps the role alive.
    let larder = Larder::start().user("cid").admin("boss");
    let json = json!({ "path": "b.txt", "file_content": "B" }).to_string();
    let form = Form::new().file("a.txt", "A").body();
    for (name, path, kind, body) in [
        ("ana", "/api/upload", Form::content_type(), form.as_slice()),
        ("bea", "/api/edit_file", "application/json".to_owned(), json.as_bytes()),
    ] {
        let ask = json!({
            "username": name, "password": "x", "name": "N", "role": "user", "paths_write": [""]
        });
        let made = larder.http("boss").post("/api/user/create", ask).expect(200).json();
        let key = made["API_KEY"].as_str().unwrap();
        let mut wire = larder.wire();
        wire.send(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nX-API-KEY: {key}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        ));
        // It is asked for the rest once it has been let in.
        assert_eq!(wire.head_answer().status, 100);
        wire.send(&body[..body.len() - 1]);
        let gone = json!({ "username": name });
        larder.http("boss").post("/api/user/delete", gone).expect_status("User deleted");
        wire.send(&body[body.len() - 1..]);
        wire.answer().expect_error(401, "Unauthorized");
    }
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn a_job_that_fails_says_why() {
    let larder = Larder::start().user("ana").folder("to").file("tree/a.txt", "A");
    plant(&larder, "tree");
    let ana = larder.http("ana");
    let id = start(&ana, "/api/copy", json!({ "paths": ["tree"], "to": "to" }));
    // While it copies, somebody takes the name; unless it is through already.
    let was_free = fs::create_dir(larder.root().join("to/tree")).is_ok();
    let told = end(&ana, &id);
    if was_free {
        assert_eq!(told["state"], "failed", "{told}");
        assert_eq!(told["error"], "Target already exists");
        assert_eq!(told["code"], "exists");
        assert_eq!(fs::read_dir(larder.root().join("to/tree")).unwrap().count(), 0);
    } else {
        assert_eq!(told["state"], "done", "{told}");
    }
    assert_eq!(larder.unfinished(), 0);
}
