//! Links as their makers see them: `/api/link/...`. What guests see is in `guests.rs`.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::ftp::FtpHouse;
use crate::harness::{Answer, Client, Larder};

/// Ana, who may all of `photos` and write into `photos/new`; ben, who may everything; an admin; and others' files.
fn house() -> Larder {
    house_of(Larder::start())
}

/// The same in a larder that runs.
fn house_of(larder: Larder) -> Larder {
    larder
        .user_with("ana", "user", r#"["photos", "docs/a.txt"]"#, r#"["photos/new", "drop"]"#)
        .user("ben")
        .admin("boss")
        .file("photos/a.jpg", "A")
        .file("photos/new/n.txt", "N")
        .file("docs/a.txt", "a")
        .file("docs/private.txt", "secret")
        .folder("drop")
}

/// Makes a link; gives its id.
#[track_caller]
fn make(client: &Client, ask: Value) -> i64 {
    let told = client.post("/api/link/create", ask).expect_status("Link created");
    let url = told["url"].as_str().unwrap();
    let token = url.strip_prefix("/s/").unwrap();
    assert_eq!(token.len(), 22, "{url}");
    told["id"].as_i64().unwrap()
}

/// All that somebody is told.
#[track_caller]
fn all(client: &Client) -> Vec<Value> {
    client.get("/api/link/get_all").expect(200).json().as_array().unwrap().clone()
}

/// The one link that somebody has.
#[track_caller]
fn only(client: &Client) -> Value {
    let mut all = all(client);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Changes a link.
fn edit(client: &Client, id: i64, change: Value) -> Answer {
    let mut ask = change;
    ask["id"] = id.into();
    client.post("/api/link/edit", ask)
}

#[test]
fn a_link_is_told_as_it_was_made() {
    let larder = house();
    let ana = larder.http("ana");
    let id = make(&ana, json!({ "path": "/photos/" }));
    let told = only(&ana);
    let fields: BTreeSet<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "id",
        "url",
        "path",
        "label",
        "type",
        "read",
        "write",
        "has_password",
        "expires",
        "downloads_max",
        "downloads",
        "upload_bytes_max",
        "uploaded_bytes",
        "upload_files_max",
        "uploaded_files",
        "guest_folders",
        "by",
        "created",
        "last_used",
        "state",
    ];
    assert_eq!(fields, wanted.into_iter().collect());
    assert_eq!(told["id"], id);
    for (field, value) in [
        ("path", json!("photos")),
        ("label", json!("")),
        ("type", json!("folder")),
        ("read", json!(true)),
        ("write", json!(false)),
        ("has_password", json!(false)),
        ("expires", json!(null)),
        ("downloads_max", json!(null)),
        ("downloads", json!(0)),
        ("guest_folders", json!(false)),
        ("by", json!("ana")),
        ("last_used", json!(null)),
        ("state", json!("open")),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    let ask = json!({
        "path": "photos/new", "label": "Bring yours", "read": false, "write": true, "password": "1234",
        "expires": "2031-05-06T07:08:09+02:00", "upload_bytes_max": 1000, "upload_files_max": 5,
    });
    make(&ana, ask);
    let told = &all(&ana)[1];
    assert_eq!(told["expires"], "2031-05-06T05:08:09Z");
    for (field, value) in [
        ("label", json!("Bring yours")),
        ("read", json!(false)),
        ("write", json!(true)),
        ("has_password", json!(true)),
        ("upload_bytes_max", json!(1000)),
        ("upload_files_max", json!(5)),
        ("guest_folders", json!(true)),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    make(&ana, json!({ "path": "docs/a.txt", "expires": 30, "downloads_max": 1, "password": "" }));
    let told = &all(&ana)[2];
    assert_eq!((&told["type"], &told["has_password"]), (&json!("file"), &json!(false)));
    assert!(told["expires"].as_str().unwrap().ends_with('Z'), "{told}");
}

#[test]
fn wrong_fields_are_refused_each_in_its_words() {
    let larder = house();
    let ben = larder.http("ben");
    let id = make(&ben, json!({ "path": "photos" }));
    let long = "x".repeat(300);
    for (field, value, sentence) in [
        ("label", json!(1), "label must be a string"),
        ("label", json!(long), "Invalid label"),
        ("label", json!("a\nb"), "Invalid label"),
        ("label", json!("\u{202e}gpj.exe"), "Invalid label"),
        ("label", json!("a\u{2066}b"), "Invalid label"),
        ("read", json!("yes"), "read must be true or false"),
        ("write", json!(1), "write must be true or false"),
        ("password", json!(1234), "password must be a string"),
        ("password", json!("abc"), "The password must have 4 letters at least"),
        ("password", json!("x".repeat(1025)), "The password is too long"),
        ("expires", json!(true), "expires must be a date or a number of days"),
        ("expires", json!("tomorrow"), "expires must be a date or a number of days"),
        ("expires", json!("2031-05-06"), "expires must be a date or a number of days"),
        ("expires", json!(""), "expires must be a date or a number of days"),
        ("expires", json!(1.5), "expires must be a date or a number of days"),
        ("expires", json!(-1), "expires must be a date or a number of days"),
        ("expires", json!(u64::MAX), "expires must be a date or a number of days"),
        ("expires", json!(40_000), "expires must be a date or a number of days"),
        ("expires", json!("2300-01-01T00:00:00Z"), "expires is too far away"),
        ("downloads_max", json!(0), "downloads_max must be a whole number above 0"),
        ("downloads_max", json!("5"), "downloads_max must be a whole number above 0"),
        ("downloads_max", json!(1.5), "downloads_max must be a whole number above 0"),
        ("downloads_max", json!(-1), "downloads_max must be a whole number above 0"),
        ("downloads_max", json!(2_000_000), "A limit is too large"),
        ("upload_bytes_max", json!(0), "upload_bytes_max must be a whole number above 0"),
        ("upload_bytes_max", json!(1_u64 << 60), "A limit is too large"),
        ("upload_bytes_max", json!(u64::MAX), "upload_bytes_max must be a whole number above 0"),
        ("upload_files_max", json!([]), "upload_files_max must be a whole number above 0"),
        ("guest_folders", json!("no"), "guest_folders must be true or false"),
    ] {
        let mut ask = json!({ "path": "photos" });
        ask[field] = value.clone();
        ben.post("/api/link/create", ask).expect_error(400, sentence);
        edit(&ben, id, json!({ field: value })).expect_error(400, sentence);
    }
    for ask in [json!({ "read": false }), json!({ "read": false, "write": false })] {
        edit(&ben, id, ask.clone()).expect_error(400, "A link must read or write");
        let mut ask = ask;
        ask["path"] = "photos".into();
        ben.post("/api/link/create", ask).expect_error(400, "A link must read or write");
    }
    ben.post("/api/link/create", json!({})).expect_error(400, "No path provided");
    ben.post("/api/link/create", json!({ "path": "../x" })).expect_error(400, "Invalid path");
    edit(&ben, id, json!({ "renew": 1 })).expect_error(400, "renew must be true or false");
    ben.post("/api/link/edit", json!({ "label": "x" })).expect_error(400, "No id provided");
    ben.post("/api/link/delete", json!({})).expect_error(400, "No id provided");
    ben.get("/api/link/qr").expect_error(400, "No id provided");
    assert_eq!(only(&ben)["label"], "");
}

#[test]
fn only_what_its_maker_may_is_shared() {
    let larder = house().link("photos/way", "../docs").link("photos/way_in", "new");
    let ana = larder.http("ana");
    for (ask, status, sentence) in [
        (json!({ "path": "docs/private.txt" }), 403, "Not permitted"),
        (json!({ "path": "docs" }), 403, "Not permitted"),
        (json!({ "path": "" }), 403, "Not permitted"),
        (json!({ "path": "/" }), 403, "Not permitted"),
        (json!({ "path": "nowhere" }), 403, "Not permitted"),
        (json!({ "path": "photos", "write": true }), 403, "Not permitted"),
        (json!({ "path": "photos/a.jpg", "write": true }), 403, "Not permitted"),
        (json!({ "path": "photos/new/n.txt", "write": true }), 400, "Path is not a folder"),
        (json!({ "path": "drop" }), 403, "Not permitted"),
        (json!({ "path": "photos/nowhere" }), 404, "Path does not exist"),
        (json!({ "path": "photos/way/private.txt" }), 403, "Not permitted"),
        (json!({ "path": ".larder" }), 403, "Not permitted"),
    ] {
        ana.post("/api/link/create", ask.clone()).expect_error(status, sentence);
    }
    assert!(all(&ana).is_empty());
    // Who may only write there may have something brought there.
    make(&ana, json!({ "path": "drop", "read": false, "write": true }));
    assert_eq!(only(&ana)["state"], "open");
    let id = make(&ana, json!({ "path": "photos" }));
    edit(&ana, id, json!({ "write": true })).expect_error(403, "Not permitted");
    let file = make(&ana, json!({ "path": "docs/a.txt" }));
    edit(&ana, file, json!({ "write": true })).expect_error(400, "Path is not a folder");
    // What is behind a link on the disk is shared as what it is.
    make(&ana, json!({ "path": "photos/way_in" }));
    assert_eq!(all(&ana)[3]["path"], "photos/new");
}

#[test]
fn the_role_decides_about_all_of_them_and_about_what_a_link_does() {
    let roles = |create: Value, download: Value, upload: Value| {
        let mut roles = crate::harness::everybody_may_everything();
        roles["/api/link/create"] = create;
        roles["/api/download"] = download;
        roles["/api/upload"] = upload;
        roles
    };
    let (all_may, nobody) = (json!(["user", "admin"]), json!([]));
    let larder = house_of(
        Larder::prepare()
            .roles(&roles(json!(["admin"]), all_may.clone(), all_may.clone()))
            .launch(),
    );
    let ben = larder.http("ben");
    for answer in [
        ben.post("/api/link/create", json!({ "path": "photos" })),
        ben.get("/api/link/get_all"),
        ben.post("/api/link/edit", json!({ "id": 1 })),
        ben.post("/api/link/delete", json!({ "id": 1 })),
        ben.get("/api/link/qr?id=1"),
    ] {
        answer.expect_error(403, "Not permitted").expect_code(403, "not_permitted");
    }
    for answer in [
        larder.anonymous().get("/api/link/get_all"),
        larder.anonymous().post("/api/link/create", json!({ "path": "photos" })),
    ] {
        answer.expect_refusal(401);
    }
    let larder =
        house_of(Larder::prepare().roles(&roles(all_may.clone(), nobody, all_may)).launch());
    let ben = larder.http("ben");
    let create = |ask: Value| ben.post("/api/link/create", ask);
    create(json!({ "path": "photos" })).expect_error(403, "Not permitted");
    create(json!({ "path": "photos", "write": true })).expect_error(403, "Not permitted");
    let id = make(&ben, json!({ "path": "photos", "read": false, "write": true }));
    edit(&ben, id, json!({ "read": true })).expect_error(403, "Not permitted");
}

#[test]
fn edits_change_what_is_named_and_null_takes_a_limit_away() {
    let larder = house();
    let ben = larder.http("ben");
    let ask = json!({
        "path": "photos", "label": "a", "write": true, "password": "1234", "expires": 30,
        "downloads_max": 5, "upload_bytes_max": 6, "upload_files_max": 7,
    });
    let id = make(&ben, ask);
    let before = only(&ben);
    edit(&ben, id, json!({ "label": "b", "read": null, "password": null }))
        .expect_status("Link edited");
    let mut wanted = before.clone();
    wanted["label"] = "b".into();
    assert_eq!(only(&ben), wanted);
    let change = json!({
        "write": false, "password": "", "expires": null, "downloads_max": null, "upload_bytes_max": 60,
        "upload_files_max": null, "guest_folders": true,
    });
    edit(&ben, id, change).expect_status("Link edited");
    for (field, value) in [
        ("write", json!(false)),
        ("has_password", json!(false)),
        ("expires", json!(null)),
        ("downloads_max", json!(null)),
        ("upload_bytes_max", json!(60)),
        ("upload_files_max", json!(null)),
        ("guest_folders", json!(true)),
    ] {
        wanted[field] = value;
    }
    assert_eq!(only(&ben), wanted);
    edit(&ben, id, json!({ "expires": "2020-01-01T00:00:00Z" })).expect_status("Link edited");
    assert_eq!(only(&ben)["state"], "expired");
    edit(&ben, id, json!({ "expires": 1, "renew": true })).expect_status("Link edited");
    let after = only(&ben);
    assert_eq!(after["state"], "open");
    assert_ne!(after["url"], before["url"]);
    ben.post("/api/link/delete", json!({ "id": id })).expect_status("Link deleted");
    ben.post("/api/link/delete", json!({ "id": id })).expect_error(404, "Link not found");
    assert!(all(&ben).is_empty());
}

#[test]
fn links_of_others_are_nobodys_business_but_an_admins() {
    let larder = house();
    let (ana, ben, boss) = (larder.http("ana"), larder.http("ben"), larder.http("boss"));
    let id = make(&ana, json!({ "path": "photos" }));
    make(&boss, json!({ "path": "docs" }));
    for id in [json!(id), json!(id.to_string()), json!(5), json!("x"), json!("")] {
        let is_empty = id == json!("");
        let (status, sentence) =
            if is_empty { (400, "No id provided") } else { (404, "Link not found") };
        for path in ["/api/link/edit", "/api/link/delete"] {
            ben.post(path, json!({ "id": id, "label": "x" })).expect_error(status, sentence);
        }
    }
    for client in [&ben, &boss] {
        client.get(&format!("/api/link/qr?id={id}")).expect_error(404, "Link not found");
    }
    assert!(all(&ben).is_empty());
    assert!(ben.get("/api/link/get_all?all=1").expect(200).json().as_array().unwrap().is_empty());
    assert_eq!(only(&boss)["by"], "boss");
    let everybodys = boss.get("/api/link/get_all?all=1").expect(200).json();
    let told: Vec<(&str, bool)> = everybodys
        .as_array()
        .unwrap()
        .iter()
        .map(|link| (link["by"].as_str().unwrap(), link.get("url").is_some()))
        .collect();
    assert_eq!(told, [("ana", false), ("boss", true)]);
    // What an admin changes stays what ana may.
    edit(&boss, id, json!({ "label": "seen" })).expect_status("Link edited");
    edit(&boss, id, json!({ "write": true })).expect_error(403, "Not permitted");
    assert_eq!(only(&ana)["label"], "seen");
    boss.post("/api/link/delete", json!({ "id": id })).expect_status("Link deleted");
    assert!(all(&ana).is_empty());
}

#[test]
fn a_link_closes_with_what_its_maker_loses_and_opens_with_what_comes_back() {
    let larder = house();
    let (ana, boss) = (larder.http("ana"), larder.http("boss"));
    make(&ana, json!({ "path": "photos/new", "write": true }));
    let people = boss.get("/api/user/get_all").expect(200).json();
    let id = people.as_array().unwrap().iter().find(|one| one["username"] == "ana").unwrap()["id"]
        .clone();
    let change = |what: Value| {
        let mut ask = json!({ "id": id, "username": "ana", "name": "Ana" });
        ask.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        boss.post("/api/user/edit", ask).expect(200);
    };
    let state = || {
        let all = boss.get("/api/link/get_all?all=1").expect(200).json();
        all[0]["state"].as_str().map(str::to_owned)
    };
    assert_eq!(state().as_deref(), Some("open"));
    change(json!({ "paths": "[\"docs\"]", "paths_write": "[]" }));
    assert_eq!(state().as_deref(), Some("closed"));
    change(json!({ "paths": "[\"photos/new/deeper\"]" }));
    assert_eq!(state().as_deref(), Some("open"), "a part is left");
    change(json!({ "role": "nobody" }));
    assert_eq!(state().as_deref(), Some("closed"));
    change(json!({ "role": "user", "paths": "[\"photos\"]" }));
    assert_eq!(state().as_deref(), Some("open"));
    boss.post("/api/user/delete", json!({ "username": "ana" })).expect(200);
    assert_eq!(state().as_deref(), Some("closed"));
}

/// Somebody else moved it there; an empty path would be all of the share.
#[test]
fn a_place_that_its_maker_may_not_see_is_not_told() {
    let larder = house().folder("photos/new/deeper");
    let (ana, boss) = (larder.http("ana"), larder.http("boss"));
    make(&ana, json!({ "path": "photos/new", "label": "mine" }));
    boss.post("/api/move", json!({ "paths": ["photos/new"], "to": "docs" })).expect(200);
    let told = only(&ana);
    assert_eq!((&told["path"], &told["state"]), (&json!(null), &json!("closed")));
    assert_eq!(told["label"], "mine");
    let everybodys = boss.get("/api/link/get_all?all=1").expect(200).json();
    assert_eq!(everybodys[0]["path"], "docs/new");
    boss.post("/api/move", json!({ "paths": ["docs/new"], "to": "photos" })).expect(200);
    assert_eq!(only(&ana)["path"], "photos/new");
}

#[test]
fn what_is_not_there_or_is_another_thing_closes_a_link() {
    let larder = house();
    let ben = larder.http("ben");
    make(&ben, json!({ "path": "photos/new" }));
    make(&ben, json!({ "path": "docs/a.txt" }));
    let states = || -> Vec<String> {
        all(&ben).iter().map(|link| link["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["open", "open"]);
    ben.post("/api/delete_folder", json!({ "path": "photos/new" })).expect(200);
    ben.post("/api/delete_file", json!({ "path": "docs/a.txt" })).expect(200);
    assert_eq!(states(), ["closed", "closed"]);
    let ids: Vec<Value> = ben
        .get("/api/trash")
        .expect(200)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    ben.post("/api/trash/restore", json!({ "ids": ids })).expect(200);
    assert_eq!(states(), ["open", "open"]);
    // Another kind of thing is not what was shared.
    std::fs::remove_file(larder.root().join("docs/a.txt")).unwrap();
    std::fs::create_dir(larder.root().join("docs/a.txt")).unwrap();
    std::fs::rename(larder.root().join("photos/new"), larder.root().join("photos/old")).unwrap();
    std::os::unix::fs::symlink("old", larder.root().join("photos/new")).unwrap();
    assert_eq!(states(), ["closed", "closed"]);
    ben.post("/api/update_settings", json!({ "links": false })).expect(200);
    std::fs::remove_dir(larder.root().join("docs/a.txt")).unwrap();
    larder.write("docs/a.txt", "a");
    assert_eq!(states(), ["closed", "closed"], "no link opens");
    ben.post("/api/update_settings", json!({ "links": true })).expect(200);
    assert_eq!(states(), ["closed", "open"]);
}

#[test]
fn a_code_shows_the_whole_address() {
    let larder = house();
    let ana = larder.http("ana");
    let id = make(&ana, json!({ "path": "photos" }));
    let target = format!("/api/link/qr?id={id}");
    let code = |client: &Client| {
        let answer = client.get(&target).expect(200);
        assert_eq!(answer.header("Content-Type"), Some("image/svg+xml"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert!(answer.text().starts_with("<svg"), "{}", answer.text());
        // Beside it in text, for whoever is told the address and shown the code.
        let address = answer.header("Larder-Address").unwrap();
        assert!(address.contains("/s/"), "{address}");
        (answer.text().to_owned(), address.split("/s/").next().unwrap().to_owned())
    };
    let here = code(&ana);
    let by_name = code(&ana.clone().with("Host", "nas.local"));
    assert_ne!(by_name.0, here.0);
    assert_eq!(by_name.1, "http://nas.local");
    // Who forwards for nobody is not believed.
    assert_eq!(code(&ana.clone().with("X-Forwarded-Proto", "https")), here);
    larder
        .http("boss")
        .post("/api/update_settings", json!({ "public_url": "https://nas.example" }))
        .expect(200);
    let public = code(&ana);
    assert_ne!(public.0, here.0);
    assert_eq!(public.1, "https://nas.example");
    assert_eq!(code(&ana.clone().with("Host", "nas.local")), public);
    edit(&ana, id, json!({ "renew": true })).expect(200);
    assert_ne!(code(&ana).0, public.0);
}

#[test]
fn the_log_tells_of_links_and_never_their_secrets() {
    let larder = house();
    let ana = larder.http("ana");
    let ask = json!({ "path": "photos", "password": "geheim", "label": "a label" });
    let id = make(&ana, ask);
    edit(&ana, id, json!({ "password": "geheim2", "renew": true })).expect(200);
    let url = only(&ana)["url"].as_str().unwrap().to_owned();
    ana.post("/api/link/delete", json!({ "id": id })).expect(200);
    let rows = larder.http("boss").get("/api/get_logs?path=photos&op=change").expect(200).json();
    let told: Vec<(&str, &str, &str)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["action"].as_str().unwrap(),
                row["door"].as_str().unwrap(),
                row["path"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ana: deleted the link to /photos", "api", "photos"),
            ("ana: changed the link to /photos", "api", "photos"),
            ("ana: made a link to /photos, to see", "api", "photos"),
        ]
    );
    let all = larder.http("boss").get("/api/get_logs").expect(200).text().to_owned();
    for secret in ["geheim", url.trim_start_matches("/s/")] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn whoever_steals_the_database_opens_nothing() {
    let mut larder = house();
    let ana = larder.http("ana");
    make(&ana, json!({ "path": "photos" }));
    let url = only(&ana)["url"].as_str().unwrap().to_owned();
    larder.stop();
    let bytes = std::fs::read(larder.state().join("db/users.db")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("photos") && !holds(url.trim_start_matches("/s/")));
}

#[test]
fn answers_with_addresses_are_never_compressed() {
    let larder = house();
    let ana = larder.http("ana");
    for number in 0..20 {
        make(&ana, json!({ "path": "photos", "label": format!("number {number}") }));
    }
    let answer = ana.with("Accept-Encoding", "gzip").get("/api/link/get_all").expect(200);
    assert_eq!(answer.header("Content-Encoding"), None);
    assert!(answer.body.len() > 4096);
}

#[test]
fn links_outlive_a_restart() {
    let mut larder = house();
    make(&larder.http("ana"), json!({ "path": "photos", "downloads_max": 3 }));
    let before = only(&larder.http("ana"));
    larder.restart();
    assert_eq!(only(&larder.http("ana")), before);
}

/// Where somebody's links lead, each with how it stands.
#[track_caller]
fn places(client: &Client) -> Vec<(String, String)> {
    let text = |link: &Value, field: &str| link[field].as_str().unwrap().to_owned();
    all(client).iter().map(|link| (text(link, "path"), text(link, "state"))).collect()
}

/// The same where all of them are open.
#[track_caller]
fn open_at(client: &Client) -> Vec<String> {
    let places = places(client);
    assert!(places.iter().all(|(_, state)| state == "open"), "{places:?}");
    places.into_iter().map(|(path, _)| path).collect()
}

#[test]
fn links_go_where_larder_moves_what_they_lead_to() {
    let larder = house().file("a/b/c.txt", "c").file("a/bc/d.txt", "d").folder("to");
    let ben = larder.http("ben");
    for path in ["a/b", "a/b/c.txt", "a/bc"] {
        make(&ben, json!({ "path": path }));
    }
    let rename = |path: &str, name: &str, new: &str| {
        let ask = json!({ "path": path, "folder_name": name, "new_name": new });
        ben.post("/api/rename_folder", ask).expect(200);
    };
    rename("a", "b", "B ü");
    assert_eq!(open_at(&ben), ["a/B ü", "a/B ü/c.txt", "a/bc"]);
    rename("", "a", "A");
    assert_eq!(open_at(&ben), ["A/B ü", "A/B ü/c.txt", "A/bc"]);
    ben.post("/api/move", json!({ "paths": ["A/B ü", "A/bc"], "to": "to" })).expect(200);
    assert_eq!(open_at(&ben), ["to/B ü", "to/B ü/c.txt", "to/bc"]);
    let ask = json!({ "path": "to/B ü", "file_name": "c.txt", "new_name": "e.txt" });
    ben.post("/api/rename_file", ask).expect(200);
    assert_eq!(open_at(&ben), ["to/B ü", "to/B ü/e.txt", "to/bc"]);
    // Under another name than was asked for.
    larder.write("B ü/x.txt", "x");
    let ask = json!({ "paths": ["to/B ü"], "to": "", "if_exists": "rename" });
    ben.post("/api/move", ask).expect(200);
    assert_eq!(open_at(&ben), ["B ü (1)", "B ü (1)/e.txt", "to/bc"]);
    // A copy leaves them where they are.
    ben.post("/api/copy", json!({ "paths": ["to/bc"], "to": "docs" })).expect(200);
    assert_eq!(open_at(&ben)[2], "to/bc");
    // What is refused moves nothing.
    let ask = json!({ "path": "", "folder_name": "to", "new_name": "docs" });
    ben.post("/api/rename_folder", ask).expect_refusal(409);
    assert_eq!(open_at(&ben)[2], "to/bc");
}

#[test]
fn two_folders_that_change_names_keep_their_links() {
    let larder = house().file("one/1", "1").file("two/2", "2");
    let ben = larder.http("ben");
    for path in ["one/1", "two/2", "one", "two"] {
        make(&ben, json!({ "path": path }));
    }
    for (old, new) in [("one", "between"), ("two", "one"), ("between", "two")] {
        let ask = json!({ "path": "", "folder_name": old, "new_name": new });
        ben.post("/api/rename_folder", ask).expect(200);
    }
    assert_eq!(open_at(&ben), ["two/1", "one/2", "two", "one"]);
}

#[test]
fn links_follow_what_is_renamed_by_ftp() {
    let house = FtpHouse::start();
    house.larder.write("a/b/c.txt", "c");
    house.larder.write("d/e.txt", "e");
    let ben = house.larder.http("ana");
    make(&ben, json!({ "path": "a/b/c.txt" }));
    make(&ben, json!({ "path": "a/b" }));
    let mut ftp = house.sign_in("cam");
    ftp.expect("RNFR a", 350);
    ftp.expect("RNTO A", 250);
    assert_eq!(open_at(&ben), ["A/b/c.txt", "A/b"]);
    ftp.expect("RNFR A/b", 350);
    ftp.expect("RNTO d/b2", 250);
    assert_eq!(open_at(&ben), ["d/b2/c.txt", "d/b2"]);
}

#[test]
fn what_a_crash_left_between_a_move_and_its_links_is_settled_at_the_next_start() {
    let mut larder = house().file("a/x.txt", "x").file("b/y.txt", "y");
    let ben = larder.http("ben");
    for path in ["a/x.txt", "b", "photos"] {
        make(&ben, json!({ "path": path }));
    }
    larder.stop();
    // The first was made, the second was not, of the third nothing is there.
    std::fs::rename(larder.root().join("a"), larder.root().join("A")).unwrap();
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    for (from, to) in [("a", "A"), ("b", "docs"), ("elsewhere", "nowhere")] {
        let sql = "INSERT INTO link_moves(path_from, path_to) VALUES (?1, ?2)";
        database.execute(sql, [from, to]).unwrap();
    }
    drop(database);
    larder.restart();
    let ben = larder.http("ben");
    let wanted = ["A/x.txt", "b", "photos"];
    let is_settled = || places(&ben).iter().map(|(path, _)| path).eq(wanted);
    assert!(crate::harness::wait::comes_true(crate::harness::wait::PATIENCE, is_settled));
    assert_eq!(open_at(&ben), wanted);
    larder.stop();
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    let sql = "SELECT group_concat(path_from) FROM link_moves";
    let left: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, "elsewhere", "its drive may come back");
}

#[test]
fn a_rename_without_links_writes_nothing() {
    let larder = house().folder("x");
    let ben = larder.http("ben");
    make(&ben, json!({ "path": "photos" }));
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    let version =
        || -> i64 { database.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap() };
    let before = version();
    let ask = json!({ "path": "", "folder_name": "x", "new_name": "y" });
    ben.post("/api/rename_folder", ask).expect(200);
    assert_eq!(version(), before);
    let ask = json!({ "path": "", "folder_name": "photos", "new_name": "z" });
    ben.post("/api/rename_folder", ask).expect(200);
    assert_ne!(version(), before);
}
