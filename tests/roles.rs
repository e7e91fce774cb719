//! Which role may use which endpoint: the endpoints below `/api/role/`.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{BY_ROLE, Client, Larder, OTHER_DOORS, acting, wait};

/// A larder with an admin `boss`, and `ana` of the role `user`.
#[track_caller]
fn house() -> Larder {
    Larder::start().admin("boss").user("ana")
}

/// The roles as the server tells them.
#[track_caller]
fn roles(larder: &Larder) -> Value {
    larder.http("boss").get("/api/role/get").expect(200).json()
}

/// The roles as they are stored.
fn stored(larder: &Larder) -> Value {
    let text = fs::read_to_string(larder.state().join("settings/roles.json")).unwrap();
    assert!(text.lines().count() > 10, "not pretty-printed: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn get_tells_every_endpoint_with_its_roles() {
    let larder = house();
    let roles = roles(&larder);
    assert_eq!(roles.as_object().unwrap().len(), BY_ROLE.len() + OTHER_DOORS.len());
    for (_, path) in BY_ROLE.iter() {
        assert_eq!(roles[path], json!(["admin", "user"]), "{path}");
    }
    assert_eq!(roles, stored(&larder));
}

#[test]
fn an_edit_replaces_all_and_acts_at_once_and_for_good() {
    let mut larder = house();
    larder.http("ana").get("/api/finder").expect(200);
    let mut wanted = roles(&larder);
    wanted["/api/finder"] = json!(["admin", "family"]);
    wanted["/api/upload"] = json!([]);
    let answer = larder.http("boss").post("/api/role/edit", wanted.clone());
    assert_eq!(answer.expect_status("Roles updated"), json!({ "status": "Roles updated" }));
    let expect_changed = |larder: &Larder| {
        larder.http("ana").get("/api/finder").expect_error(401, "Unauthorized");
        let mine = larder.http("ana").get("/api/role/self").expect(200).json();
        assert_eq!((&mine["/api/finder"], &mine["/api/download"]), (&json!(false), &json!(true)));
        let mine = larder.http("boss").get("/api/role/self").expect(200).json();
        assert_eq!((&mine["/api/finder"], &mine["/api/upload"]), (&json!(true), &json!(false)));
        assert_eq!(roles(larder), wanted);
        assert_eq!(stored(larder), wanted);
    };
    expect_changed(&larder);
    larder.kill();
    larder.restart();
    expect_changed(&larder);
    let left = fs::read_dir(larder.state().join("settings")).unwrap().flatten();
    let is_done = |name: &str| name.rsplit_once('.').is_some_and(|(_, end)| end == "json");
    for entry in left {
        assert!(is_done(entry.file_name().to_str().unwrap()), "{}", entry.path().display());
    }
}

#[test]
fn an_endpoint_left_out_is_nobodys_also_after_a_start() {
    let mut larder = house();
    let wanted = json!({ "/api/role/edit": ["admin"], "/api/role/get": ["admin"] });
    larder.http("boss").post("/api/role/edit", wanted).expect_status("Roles updated");
    let expect_empty = |larder: &Larder| {
        let roles = roles(larder);
        for (_, path) in BY_ROLE.iter() {
            let is_kept = path.starts_with("/api/role/");
            assert_eq!(roles[path], if is_kept { json!(["admin"]) } else { json!([]) }, "{path}");
        }
        larder.http("boss").get("/api/finder").expect_error(401, "Unauthorized");
        larder.http("ana").get("/api/finder").expect_error(401, "Unauthorized");
        larder.http("ana").get("/api/user/get_self").expect(200);
    };
    expect_empty(&larder);
    larder.stop();
    larder.restart();
    expect_empty(&larder);
}

#[test]
fn nothing_is_no_roles() {
    let larder = house();
    let boss = larder.http("boss");
    boss.post("/api/role/edit", json!({})).expect_error(400, "No roles provided");
    boss.post_raw("/api/role/edit", None, b"").expect_error(400, "No roles provided");
}

#[test]
fn a_wrong_shape_or_an_unknown_endpoint_changes_nothing() {
    let larder = house();
    let before = roles(&larder);
    let keep = json!(["admin"]);
    let boss = larder.http("boss");
    for bad in [
        json!({ "/api/role/edit": "admin" }),
        json!({ "/api/role/edit": keep, "/api/finder": "user" }),
        json!({ "/api/role/edit": keep, "/api/finder": [1] }),
        json!({ "/api/role/edit": keep, "/api/finder": null }),
        json!({ "/api/role/edit": keep, "/api/finder": { "user": true } }),
        json!({ "/api/role/edit": keep, "/api/finder": [""] }),
        json!({ "/api/role/edit": keep, "/api/finder": ["a\nb"] }),
        json!({ "/api/role/edit": keep, "/api/finder": ["r".repeat(65)] }),
        json!({ "/api/role/edit": keep, "/api/finder": (0..101).map(|n| n.to_string()).collect::<Vec<_>>() }),
        json!({ "/api/role/edit": keep, "/api/nothing": ["user"] }),
        json!({ "/api/role/edit": keep, "/api/finder/": ["user"] }),
        json!({ "/api/role/edit": keep, "": ["user"] }),
        json!({ "roles": before }),
        json!([]),
        json!([{ "/api/role/edit": ["admin"] }]),
        json!("admin"),
        json!(null),
    ] {
        boss.post("/api/role/edit", bad).expect_refusal(400);
    }
    boss.post_raw("/api/role/edit", None, b"{\"/api/role/edit\": [\"admin\"]").expect_refusal(400);
    boss.post_raw("/api/role/edit", None, b"nonsense").expect_refusal(400);
    boss.post_raw("/api/role/edit", Some("text/plain"), b"{}").expect_refusal(400);
    let large = json!({ "/api/role/edit": keep, "x".repeat(2 << 20): [] });
    boss.post("/api/role/edit", large).expect_refusal(400);
    assert_eq!(roles(&larder), before);
    assert_eq!(stored(&larder), before);
}

#[test]
fn the_way_back_in_stays_open_to_admin() {
    let larder = house();
    let before = roles(&larder);
    for locked in [json!([]), json!(["user"]), json!(["Admin"]), Value::Null] {
        let mut wanted = before.clone();
        wanted["/api/role/edit"] = locked.clone();
        if locked.is_null() {
            wanted.as_object_mut().unwrap().remove("/api/role/edit");
        }
        larder.http("boss").post("/api/role/edit", wanted).expect_refusal(400);
    }
    assert_eq!(roles(&larder), before);
    let mut wanted = before;
    wanted["/api/role/edit"] = json!(["user", "admin"]);
    larder.http("boss").post("/api/role/edit", wanted).expect_status("Roles updated");
}

#[test]
fn an_endpoint_of_a_newer_larder_may_be_sent_back() {
    let mut larder = house();
    let mut with_more = stored(&larder);
    with_more["/api/of_the_future"] = json!(["admin"]);
    larder.stop();
    let mut larder = larder.roles(&with_more);
    larder.restart();
    let told = roles(&larder);
    assert_eq!(told["/api/of_the_future"], json!(["admin"]));
    larder.http("boss").post("/api/role/edit", told).expect_status("Roles updated");
}

#[test]
fn what_acts_as_others_follows_their_roles_and_needs_no_row() {
    let larder = house();
    // Not all of them take a key.
    let ana = larder.token("ana");
    for (method, path, others) in acting() {
        let mut wanted = roles(&larder);
        assert!(wanted.get(path).is_none(), "{path}");
        // A path with two rows is told by the one that reads.
        let is_below = path.ends_with("/index.html");
        let is_told =
            !is_below && (method == "GET" || acting().all(|row| (row.0, row.1) != ("GET", path)));
        let may = |who: &str| {
            let told = larder.http(who).get("/api/role/self").expect(200).json();
            told[path].as_bool().filter(|_| is_told)
        };
        let ask = |client: Client| match method {
            "GET" => client.get(path),
            "POST" => client.post(path, json!({})),
            // It has no body to be looked at.
            "HEAD" => client.ask("DELETE", path, &[], b""),
            other => client.ask(other, path, &[], b""),
        };
        let told = |may: bool| Some(may).filter(|_| is_told);
        assert_eq!((may("boss"), may("ana")), (told(true), told(true)), "{path}");
        for other in others {
            wanted[other] = json!(["admin"]);
            larder.http("boss").post("/api/role/edit", wanted.clone()).expect(200);
            assert_eq!((may("boss"), may("ana")), (told(true), told(false)), "{path}");
            let refused = ask(larder.bearer(&ana));
            refused.expect_error(403, "Not permitted").expect_code(403, "not_permitted");
            wanted[other] = json!(["admin", "user"]);
        }
        larder.http("boss").post("/api/role/edit", wanted).expect(200);
        ask(larder.anonymous()).expect_error(401, "Unauthorized");
    }
}

#[test]
fn a_row_for_what_acts_as_others_decides_nothing() {
    let mut larder = house();
    larder.stop();
    let mut written = stored(&larder);
    written["/api/download"] = json!(["admin"]);
    written["/api/download_ticket"] = json!(["user"]);
    let mut larder = larder.roles(&written);
    larder.restart();
    let may = |who: &str| {
        larder.http(who).get("/api/role/self").expect(200).json()["/api/download_ticket"].clone()
    };
    assert_eq!((may("boss"), may("ana")), (json!(true), json!(false)));
    let ask = json!({ "paths": [""] });
    larder.http("ana").post("/api/download_ticket", ask.clone()).expect_refusal(403);
    larder.http("boss").post("/api/download_ticket", ask).expect_status("Ticket made");
    larder.http("boss").post("/api/role/edit", roles(&larder)).expect_status("Roles updated");
}

#[test]
fn only_those_whose_role_is_listed_see_and_change_roles() {
    let larder = house().user_with("eve", "guest", "[]", "[]");
    let eve = larder.http("eve");
    eve.get("/api/role/get").expect_error(401, "Unauthorized");
    eve.post("/api/role/edit", json!({})).expect_error(401, "Unauthorized");
    eve.get("/api/role/self").expect(200);
}

#[test]
fn whoever_asks_while_roles_change_gets_the_old_or_the_new() {
    let larder = house();
    let one = roles(&larder);
    let mut two = one.clone();
    for (_, path) in BY_ROLE.iter() {
        two[path] = json!(["admin"]);
    }
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (boss, one, two) = (larder.http("boss"), &one, &two);
            scope.spawn(move || {
                for _ in 0..40 {
                    let seen = boss.get("/api/role/get").expect(200).json();
                    assert!(seen == *one || seen == *two, "{seen}");
                }
            });
        }
        for turn in 0..20 {
            let wanted = if turn % 2 == 0 { &two } else { &one };
            larder.http("boss").post("/api/role/edit", wanted.clone()).expect(200);
            assert_eq!(roles(&larder), *wanted);
        }
    });
    assert_eq!(stored(&larder), one);
}

#[test]
fn a_change_of_roles_is_written_down() {
    let larder = house();
    larder.http("boss").post("/api/role/edit", roles(&larder)).expect(200);
    let database = rusqlite::Connection::open(larder.state().join("db/logs.db")).unwrap();
    database.busy_timeout(wait::PATIENCE).unwrap();
    wait::until("a row", || {
        let rows: i64 = database
            .query_row("SELECT count(*) FROM logs WHERE action = 'boss: changed the roles' AND ip = '127.0.0.1'", [], |row| row.get(0))
            .unwrap();
        rows == 1
    });
}
