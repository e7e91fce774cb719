//! Selections downloaded by a ticket: `/api/download_ticket` and `/api/download?ticket=`.

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Larder, unzip};

/// Two files, a folder, and two users who may read them.
fn house() -> Larder {
    Larder::start()
        .user("ana")
        .user("ben")
        .admin("boss")
        .file("a.txt", "0123456789")
        .file("b.txt", "bbb")
        .file("folder/c.txt", "c")
}

/// Makes a ticket; gives the address that was told.
#[track_caller]
fn ticket(client: &Client, paths: &[&str]) -> String {
    let told = client.post("/api/download_ticket", json!({ "paths": paths })).expect(200).json();
    assert_eq!(told["status"], "Ticket made");
    let url = told["url"].as_str().expect("an address").to_owned();
    assert!(url.starts_with("/api/download?ticket="), "{url}");
    url
}

/// The names in a ZIP.
#[track_caller]
fn names(answer: Answer) -> Vec<String> {
    unzip(&answer.expect(200).body).into_keys().collect()
}

#[test]
fn several_come_as_one_zip_as_often_as_asked() {
    let larder = house();
    let ana = larder.http("ana");
    let url = ticket(&ana, &["a.txt", "folder"]);
    for _ in 0..3 {
        let answer = ana.get(&url);
        assert_eq!(answer.header("Content-Type"), Some("application/zip"));
        assert_eq!(names(answer), ["a.txt", "folder/", "folder/c.txt"]);
    }
    ana.head(&url).expect(200);
}

#[test]
fn as_many_as_may_be_have_names_of_a_usual_length() {
    let larder = house();
    let ana = larder.http("ana");
    let folder = "Photos of the family/2019 summer in the mountains/camera of our daughter";
    let names: Vec<String> =
        (0..10_000).map(|number| format!("{folder}/IMG_20190712_123456_{number:05}.jpg")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ticket(&ana, &names);
    for target in ["/api/delete", "/api/move", "/api/copy"] {
        // They are taken for what they are, and then none of them is there.
        let ask = json!({ "paths": &names, "to": "" });
        ana.post(target, ask).expect_error(404, "Path does not exist");
    }
    let more = [&names[..], &["a.txt"]].concat();
    ana.post("/api/download_ticket", json!({ "paths": more })).expect_error(400, "Too many paths");
}

#[test]
fn one_comes_as_it_would_by_its_path() {
    let larder = house();
    let ana = larder.http("ana");
    let url = ticket(&ana, &["a.txt"]);
    let whole = ana.get(&url).expect(200);
    assert_eq!(whole.text(), "0123456789");
    let named = ana.get("/api/download?file_path=a.txt").expect(200);
    for field in ["ETag", "Content-Disposition", "Content-Type", "Accept-Ranges"] {
        assert_eq!(whole.header(field), named.header(field), "{field}");
    }
    let part = ana.clone().with("Range", "bytes=3-5").get(&url).expect(206);
    assert_eq!(part.text(), "345");
    let shown = ana.get(&format!("{url}&inline=1")).expect(200);
    assert!(shown.header("Content-Disposition").unwrap().starts_with("inline"));
    let folder = ticket(&ana, &["folder"]);
    let answer = ana.get(&folder).expect(200);
    assert!(answer.header("Content-Disposition").unwrap().contains("folder.zip"));
    assert_eq!(names(answer), ["c.txt"]);
}

#[test]
fn it_is_its_makers_alone() {
    let larder = house();
    let token = larder.token("ana");
    let url = ticket(&larder.bearer(&token), &["a.txt", "b.txt"]);
    larder.browser(&token).get(&url).expect(200);
    larder.bearer(&token).get(&url).expect(200);
    larder.http("ana").get(&url).expect_error(404, "Not found");
    larder.session("ana").get(&url).expect_error(404, "Not found");
    larder.http("ben").get(&url).expect_error(404, "Not found");
    larder.anonymous().get(&url).expect_error(401, "Unauthorized");
    larder.http("ana").get("/api/download?ticket=").expect_error(404, "Not found");
    larder.http("ana").get("/api/download?ticket=0123").expect_error(404, "Not found");
    // The cookie makes no tickets: it changes nothing.
    let made = larder.browser(&token).post("/api/download_ticket", json!({ "paths": ["a.txt"] }));
    made.expect_error(401, "Unauthorized");
}

#[test]
fn it_ends_with_the_session_or_the_key() {
    let larder = house();
    let token = larder.token("ana");
    let url = ticket(&larder.bearer(&token), &["a.txt"]);
    larder.bearer(&token).post("/api/user/logout", json!({})).expect(200);
    larder.browser(&token).get(&url).expect_refusal(401);
    let url = ticket(&larder.http("ben"), &["a.txt"]);
    let key = "a key that ben made up, thirty-two and more".replace(' ', "-");
    larder.http("ben").post("/api/user/edit_self", json!({ "API_KEY": key })).expect(200);
    larder.http("ben").get(&url).expect_refusal(401);
    let renamed = larder.with_key(&key);
    renamed.get(&url).expect_error(404, "Not found");
}

#[test]
fn rights_are_judged_when_it_is_made_and_at_each_download() {
    let larder = house().user_with("eve", "user", r#"["folder"]"#, "[]");
    let eve = larder.http("eve");
    for paths in [json!(["a.txt"]), json!(["folder", "a.txt"]), json!([""])] {
        let refused = eve.post("/api/download_ticket", json!({ "paths": paths }));
        refused.expect_error(403, "Not permitted").expect_code(403, "not_permitted");
    }
    let url = ticket(&eve, &["folder", "folder/c.txt"]);
    eve.get(&url).expect(200);
    let users: Value = larder.http("boss").get("/api/user/get_all").expect(200).json();
    let row = users.as_array().unwrap().iter().find(|user| user["username"] == "eve").unwrap();
    let change =
        json!({ "id": row["id"], "username": "eve", "name": "Eve", "paths": "[\"else\"]" });
    larder.http("boss").post("/api/user/edit", change).expect(200);
    eve.get(&url).expect_error(401, "Unauthorized").expect_code(401, "not_permitted");
}

#[test]
fn what_is_gone_is_said_at_the_download() {
    let larder = house();
    let ana = larder.http("ana");
    let url = ticket(&ana, &["a.txt", "gone.txt"]);
    ana.get(&url).expect_error(404, "File or folder does not exist");
    std::fs::write(larder.root().join("gone.txt"), "back").unwrap();
    assert_eq!(names(ana.get(&url)), ["a.txt", "gone.txt"]);
}

#[test]
fn ten_thousand_paths_are_one_selection_and_more_are_too_many() {
    let larder = house();
    let ana = larder.http("ana");
    let many = |count: usize| vec!["b.txt"; count];
    assert_eq!(names(ana.get(&ticket(&ana, &many(10_000)))).len(), 10_000);
    for count in [10_001, 30_000, 200_000] {
        let asked = ana.post("/api/download_ticket", json!({ "paths": many(count) }));
        asked.expect_error(400, "Too many paths");
    }
}

#[test]
fn a_selection_needs_paths() {
    let larder = house();
    let ana = larder.http("ana");
    for body in [json!({}), json!({ "paths": [] }), json!({ "paths": null })] {
        ana.post("/api/download_ticket", body).expect_error(400, "No paths provided");
    }
    let bad = |paths: Value| ana.post("/api/download_ticket", json!({ "paths": paths }));
    bad(json!(["../x"])).expect_code(400, "invalid_path");
    bad(json!("a.txt")).expect_refusal(400);
    bad(json!([1])).expect_refusal(400);
}

#[test]
fn one_user_cannot_take_the_tickets_of_others() {
    let larder = house();
    let (ana, ben) = (larder.http("ana"), larder.http("ben"));
    let of_ben = ticket(&ben, &["a.txt"]);
    let first = ticket(&ana, &["a.txt"]);
    for _ in 0..40 {
        ticket(&ana, &["b.txt"]);
    }
    ana.get(&first).expect_error(404, "Not found");
    ben.get(&of_ben).expect(200);
}
