//! Links that narrowed keys make: never more than the key, and over when it is.

use serde_json::{Value, json};

use crate::harness::tus::{BYTES, encoded};
use crate::harness::{Answer, Client, Larder};

/// A larder with ben, who may everything, beside an admin.
fn house() -> Larder {
    Larder::start()
        .user("ben")
        .admin("ida")
        .file("in/a.txt", "A")
        .file("in/sub/b.txt", "B")
        .file("in2/c.txt", "secret")
        .file("out/o.txt", "secret")
}

/// A key of ben's for `in`: its number, and whoever brings it.
#[track_caller]
fn key(larder: &Larder, write: bool) -> (i64, Client) {
    let wish = json!({ "label": "in", "path": "in", "write": write });
    let (id, key) = larder.session("ben").make_key(wish);
    (id, larder.with_key(&key))
}

/// Makes a link; its number and its address.
#[track_caller]
fn make(client: &Client, ask: Value) -> (i64, String) {
    let made = client.post("/api/link/create", ask).expect_status("Link created");
    (made["id"].as_i64().unwrap(), made["url"].as_str().unwrap().to_owned())
}

/// Changes a link.
fn edit(client: &Client, id: i64, change: Value) -> Answer {
    let mut ask = change;
    ask["id"] = id.into();
    client.post("/api/link/edit", ask)
}

/// The numbers and the states of the links that somebody is told of.
#[track_caller]
fn told(client: &Client, query: &str) -> Vec<(i64, String)> {
    let all = client.get(&format!("/api/link/get_all{query}")).expect(200).json();
    let state = |link: &Value| link["state"].as_str().unwrap().to_owned();
    let links = all.as_array().unwrap().iter();
    links.map(|link| (link["id"].as_i64().unwrap(), state(link))).collect()
}

/// What a guest hears at each door of a link to a folder, the page besides.
fn guest_answers(larder: &Larder, url: &str, upload: &str) -> Vec<Answer> {
    let guest = larder.anonymous();
    let metadata = encoded(&[("filename", "more.txt")]);
    let begin = [("Upload-Length", "1"), ("Upload-Metadata", &*metadata)];
    vec![
        guest.get(&format!("{url}/info")),
        guest.post(&format!("{url}/open"), json!({})),
        guest.get(&format!("{url}/list")),
        guest.get(&format!("{url}/download?path=a.txt")),
        guest.get(&format!("{url}/download")),
        guest.get(&format!("{url}/thumb?path=a.txt")),
        guest.get(&format!("{url}/uploads")),
        guest.ask("POST", &format!("{url}/uploads"), &begin, b""),
        guest.ask("HEAD", upload, &[], b""),
        guest.ask("PATCH", upload, &[BYTES, ("Upload-Offset", "0")], b"abc"),
        guest.ask("DELETE", upload, &[], b""),
    ]
}

/// Begins an upload of three bytes by a link; where it is.
#[track_caller]
fn begun(larder: &Larder, url: &str) -> String {
    let metadata = encoded(&[("filename", "u.txt")]);
    let fields = [("Upload-Length", "3"), ("Upload-Metadata", &*metadata)];
    let answer = larder.anonymous().ask("POST", &format!("{url}/uploads"), &fields, b"");
    answer.expect(201).header("Location").unwrap().to_owned()
}

/// Demands that a link is over for guests at every door.
#[track_caller]
fn expect_over(larder: &Larder, url: &str, upload: &str) {
    for answer in guest_answers(larder, url, upload) {
        assert_eq!(answer.status, 410, "{answer}");
    }
}

#[test]
fn a_key_makes_links_within_itself_and_has_all_endpoints_of_its_own() {
    let larder = house();
    let (_, writes) = key(&larder, true);
    let (id, url) = make(&writes, json!({ "path": "in/sub", "write": true, "label": "S" }));
    let list = writes.get("/api/link/get_all").expect(200).json();
    assert_eq!((&list[0]["url"], &list[0]["path"]), (&json!(url), &json!("in/sub")), "{list}");
    assert_eq!((&list[0]["by"], &list[0]["state"]), (&json!("ben"), &json!("open")), "{list}");
    writes.get(&format!("/api/link/qr?id={id}")).expect(200);
    edit(&writes, id, json!({ "label": "Sub" })).expect_status("Link edited");
    let guest = larder.anonymous();
    assert_eq!(guest.get(&format!("{url}/download?path=b.txt")).expect(200).text(), "B");
    for path in ["in2", "in2/c.txt", "out", "out/none", "", "IN", ".larder"] {
        let answer = writes.post("/api/link/create", json!({ "path": path }));
        assert!(matches!(answer.status, 400 | 403), "{path}: {answer}");
    }
    let delete = writes.post("/api/link/delete", json!({ "id": id }));
    delete.expect_status("Link deleted");
    guest.get(&format!("{url}/info")).expect_error(404, "Link not found");
}

#[test]
fn without_write_it_makes_links_that_show_and_none_that_take() {
    let larder = house();
    let (_, reads) = key(&larder, false);
    let ask = json!({ "path": "in", "write": true });
    reads.post("/api/link/create", ask).expect_error(403, "Not permitted");
    let ask = json!({ "path": "in", "read": false, "write": true });
    reads.post("/api/link/create", ask).expect_error(403, "Not permitted");
    let (id, url) = make(&reads, json!({ "path": "in" }));
    // Neither the key nor its user gives it more than the key has.
    for client in [&reads, &larder.session("ben"), &larder.http("ida")] {
        edit(client, id, json!({ "write": true })).expect_error(403, "Not permitted");
        edit(client, id, json!({ "label": "x" })).expect_status("Link edited");
    }
    let info = larder.anonymous().get(&format!("{url}/info")).expect(200).json();
    assert_eq!((&info["read"], &info["write"]), (&json!(true), &json!(false)), "{info}");
}

/// The address of another link of its user may open what the key does not reach.
#[test]
fn it_knows_of_no_link_that_it_did_not_make() {
    let larder = house();
    let (ben, (_, one), (_, two)) = (larder.session("ben"), key(&larder, true), key(&larder, true));
    let (own, _) = make(&ben, json!({ "path": "in/sub", "write": true }));
    let (first, _) = make(&one, json!({ "path": "in" }));
    let (second, _) = make(&two, json!({ "path": "in" }));
    let open = |id| (id, "open".to_owned());
    assert_eq!(told(&ben, ""), [open(own), open(first), open(second)]);
    for query in ["", "?all=1"] {
        assert_eq!(told(&one, query), [open(first)]);
        assert_eq!(told(&two, query), [open(second)]);
    }
    for (client, id) in [(&one, own), (&one, second), (&two, own), (&two, first)] {
        edit(client, id, json!({ "label": "x" })).expect_error(404, "Link not found");
        edit(client, id, json!({ "renew": true })).expect_error(404, "Link not found");
        let delete = client.post("/api/link/delete", json!({ "id": id }));
        delete.expect_error(404, "Link not found");
        client.get(&format!("/api/link/qr?id={id}")).expect_error(404, "Link not found");
    }
    // An admin's key is no admin.
    let (_, idas) = larder.session("ida").make_key(json!({ "label": "i", "write": true }));
    let idas = larder.with_key(&idas);
    assert_eq!(told(&idas, "?all=1"), []);
    idas.post("/api/link/delete", json!({ "id": own })).expect_error(404, "Link not found");
    assert_eq!(told(&larder.session("ida"), "?all=1").len(), 3);
}

#[test]
fn a_deleted_key_closes_its_links_at_every_door_and_no_others() {
    let larder = house();
    let (key_id, one) = key(&larder, true);
    let ben = larder.session("ben");
    let (own, own_url) = make(&ben, json!({ "path": "in", "write": true }));
    let (id, url) = make(&one, json!({ "path": "in", "write": true }));
    let upload = begun(&larder, &url);
    ben.post("/api/key/delete", json!({ "id": key_id })).expect_status("Key deleted");
    expect_over(&larder, &url, &upload);
    assert!(!larder.exists("in/u.txt"));
    larder.anonymous().get(&url).expect(200);
    larder.anonymous().get(&format!("{own_url}/list")).expect(200);
    let state = |state: &str| state.to_owned();
    assert_eq!(told(&ben, ""), [(own, state("open")), (id, state("closed"))]);
    edit(&ben, id, json!({ "read": false })).expect(200);
    edit(&ben, id, json!({ "read": true })).expect_error(403, "Not permitted");
    ben.post("/api/link/delete", json!({ "id": id })).expect_status("Link deleted");
}

#[test]
fn a_link_is_over_when_the_time_of_its_key_is() {
    let larder = house();
    let (key_id, one) = key(&larder, true);
    let (id, url) = make(&one, json!({ "path": "in", "write": true }));
    let upload = begun(&larder, &url);
    larder.let_end("keys", key_id, "2096-10-02T07:06:40Z");
    larder.anonymous().get(&format!("{url}/list")).expect(200);
    larder.let_end("keys", key_id, "2025-02-03T04:05:06Z");
    expect_over(&larder, &url, &upload);
    assert_eq!(told(&larder.session("ben"), ""), [(id, "closed".to_owned())]);
}

#[test]
fn what_its_user_loses_or_moves_away_is_lost_to_its_links() {
    let larder = house();
    let (_, one) = key(&larder, true);
    let (ben, ida) = (larder.session("ben"), larder.http("ida"));
    let (_, url) = make(&one, json!({ "path": "in/sub", "write": true }));
    let list = || larder.anonymous().get(&format!("{url}/list"));
    // The link goes along, and the key does not reach there.
    let moved = |from: &str, to: &str| {
        ben.post("/api/move", json!({ "paths": [from], "to": to })).expect(200);
    };
    moved("in/sub", "out");
    list().expect_error(410, "Link is no longer available");
    moved("out/sub", "in");
    list().expect(200);
    let id = ben.get("/api/user/get_self").expect(200).json()["id"].clone();
    let ask = json!({
        "id": id, "username": "ben", "name": "ben", "role": "user",
        "paths": r#"["in/sub"]"#, "paths_write": "[]",
    });
    ida.post("/api/user/edit", ask).expect_status("User edited");
    let info = larder.anonymous().get(&format!("{url}/info")).expect(200).json();
    assert_eq!((&info["read"], &info["write"]), (&json!(true), &json!(false)), "{info}");
}

#[test]
fn a_download_by_its_link_ends_when_the_key_is_deleted() {
    const LENGTH: u64 = 8 << 30;
    let larder = house();
    larder.sparse("in/long.bin", LENGTH);
    let (key_id, one) = key(&larder, false);
    let (_, url) = make(&one, json!({ "path": "in" }));
    let mut wire = larder.wire();
    wire.send(format!("GET {url}/download?path=long.bin HTTP/1.1\r\nHost: larder\r\n\r\n"));
    assert_eq!(wire.status(), 200);
    let delete = larder.session("ben").post("/api/key/delete", json!({ "id": key_id }));
    delete.expect_status("Key deleted");
    assert!(wire.pass_over() < LENGTH / 2, "it went on");
}

#[test]
fn a_role_that_may_make_no_links_makes_none_by_a_key_either() {
    let larder = house();
    let (_, one) = key(&larder, true);
    let (_, url) = make(&one, json!({ "path": "in" }));
    let mut roles = crate::harness::everybody_may_everything();
    roles["/api/link/create"] = json!(["admin"]);
    larder.http("ida").post("/api/role/edit", roles).expect(200);
    one.post("/api/link/create", json!({ "path": "in" })).expect_error(403, "Not permitted");
    one.get("/api/link/get_all").expect_error(403, "Not permitted");
    larder.anonymous().get(&format!("{url}/list")).expect_error(410, "Link is no longer available");
}
