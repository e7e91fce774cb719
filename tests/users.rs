//! Who there is: the endpoints below `/api/user/` besides signing in, and `larder user`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Output;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Larder, password_of, wait};

/// A larder with an admin `boss` besides the first one, and nobody else.
#[track_caller]
fn with_boss() -> Larder {
    Larder::start().admin("boss")
}

/// Everything about one user that `get_all` shows.
#[track_caller]
fn shown(larder: &Larder, username: &str) -> Value {
    let all = larder.http("boss").get("/api/user/get_all").expect(200).json();
    let found = all.as_array().unwrap().iter().find(|user| user["username"] == username);
    found.unwrap_or_else(|| panic!("{username} is not in {all}")).clone()
}

/// A good question to `create`, with one key changed; `null` leaves it out.
fn ask(key: &str, value: Value) -> Value {
    let mut ask = json!({
        "username": "ana",
        "password": password_of("ana"),
        "name": "Ana",
        "role": "user",
        "paths": r#"[""]"#,
        "paths_write": r#"["photos"]"#,
    });
    ask[key] = value;
    ask
}

/// Makes `ana`; gives her API key.
#[track_caller]
fn create_ana(larder: &Larder) -> String {
    let answer = larder.http("boss").post("/api/user/create", ask("x", Value::Null));
    answer.expect_status("User created")["API_KEY"].as_str().expect("a key").to_owned()
}

/// Rows of the logbook that contain `what`, newest last.
fn log_rows(larder: &Larder, what: &str) -> Vec<String> {
    let database = Connection::open(larder.state().join("db/logs.db")).unwrap();
    database.busy_timeout(wait::PATIENCE).unwrap();
    let mut statement =
        database.prepare("SELECT action FROM logs WHERE instr(action, ?1) ORDER BY id").unwrap();
    statement.query_map([what], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
}

/// Demands that no file of the state directory contains a text.
#[track_caller]
fn expect_nowhere_in_the_state(larder: &Larder, secret: &str) {
    for folder in ["db", "settings"] {
        for entry in fs::read_dir(larder.state().join(folder)).unwrap().flatten() {
            let bytes = fs::read(entry.path()).unwrap();
            let has = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!has, "{}", entry.path().display());
        }
    }
}

/// Demands success of a command; gives what it printed.
#[track_caller]
fn printed(output: Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaint.is_empty(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// Demands failure of a command with one line; gives the line.
#[track_caller]
fn complaint(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    line
}

// Create.

#[test]
fn a_created_user_signs_in_and_has_a_key_that_is_shown_once() {
    let larder = with_boss().file("photos/a.txt", "A");
    let key = create_ana(&larder);
    assert!(key.len() >= 32, "{key}");
    let token = larder.token("ana");
    for client in [larder.bearer(&token), larder.with_key(&key)] {
        let myself = client.get("/api/user/get_self").expect(200).json();
        assert_eq!(myself["username"], "ana");
        assert_eq!(myself["name"], "Ana");
        assert_eq!(myself["role"], "user");
        assert_eq!(myself["paths"], r#"[""]"#);
        assert_eq!(myself["paths_write"], r#"["photos"]"#);
        assert_eq!(myself["password"], "");
        client.get("/api/get_file?file_path=photos/a.txt").expect(200);
    }
    let ask = json!({ "path": "photos", "file_name": "b.txt", "file_content": "" });
    larder.with_key(&key).post("/api/new_file", ask).expect(200);
    let ask = json!({ "file_name": "b.txt", "file_content": "" });
    larder.with_key(&key).post("/api/new_file", ask).expect_error(401, "Unauthorized");
    let all = larder.http("boss").get("/api/user/get_all").expect(200);
    assert!(!all.text().contains(&key) && !all.text().contains("argon2"), "{all}");
    expect_nowhere_in_the_state(&larder, &key);
    expect_nowhere_in_the_state(&larder, &password_of("ana"));
}

#[test]
fn a_new_user_reads_everything_and_writes_nothing_unless_told_otherwise() {
    let larder = with_boss();
    let mut ask = ask("paths", Value::Null);
    ask["paths_write"] = Value::Null;
    larder.http("boss").post("/api/user/create", ask).expect_status("User created");
    let ana = shown(&larder, "ana");
    assert_eq!((&ana["paths"], &ana["paths_write"]), (&json!(r#"[""]"#), &json!("[]")));
}

#[test]
fn paths_may_be_a_real_array() {
    let larder = with_boss().file("docs/a.txt", "A").file("private/p.txt", "P");
    let mut ask = ask("paths", json!(["docs", "quo\"te"]));
    ask["paths_write"] = json!([]);
    let answer = larder.http("boss").post("/api/user/create", ask).expect_status("User created");
    let ana = larder.with_key(answer["API_KEY"].as_str().unwrap());
    ana.get("/api/get_file?file_path=docs/a.txt").expect(200);
    ana.get("/api/get_file?file_path=private/p.txt").expect_error(401, "Unauthorized");
    let myself = ana.get("/api/user/get_self").expect(200).json();
    let paths: Value = serde_json::from_str(myself["paths"].as_str().unwrap()).unwrap();
    assert_eq!(paths, json!(["docs", "quo\"te"]));
    assert_eq!(myself["paths_write"], "[]");
}

#[test]
fn a_user_without_name_password_or_role_is_not_created() {
    let larder = with_boss();
    let sentence = "No username, password, name or role provided";
    let boss = larder.http("boss");
    for key in ["username", "password", "name", "role"] {
        for nothing in [Value::Null, json!("")] {
            boss.post("/api/user/create", ask(key, nothing)).expect_error(400, sentence);
        }
    }
    boss.post("/api/user/create", json!({})).expect_error(400, sentence);
    boss.post_raw("/api/user/create", None, b"").expect_error(400, sentence);
    for (key, bad) in [
        ("username", json!(1)),
        ("username", json!("a\nb")),
        ("username", json!(" ana")),
        ("username", json!("a".repeat(129))),
        ("password", json!(["x"])),
        ("password", json!("p".repeat(1025))),
        ("name", json!("a\u{0}b")),
        ("role", json!("a\tb")),
        ("role", json!("r".repeat(65))),
    ] {
        boss.post("/api/user/create", ask(key, bad)).expect_refusal(400);
    }
    assert_eq!(boss.get("/api/user/get_all").json().as_array().unwrap().len(), 2);
}

#[test]
fn paths_that_are_none_are_refused() {
    let larder = with_boss();
    for key in ["paths", "paths_write"] {
        for bad in [
            json!("photos"),
            json!("{}"),
            json!("[1]"),
            json!(""),
            json!("null"),
            json!(r#"["../x"]"#),
            json!(r#"["a\u0000"]"#),
            json!([1]),
            json!([null]),
            json!(["a/../b"]),
            json!({ "a": 1 }),
            json!(7),
            json!(true),
            json!(vec!["a"; 300]),
        ] {
            let answer = larder.http("boss").post("/api/user/create", ask(key, bad));
            answer.expect_error(400, "Invalid paths");
        }
    }
    // Refused as a whole: nobody was made.
    larder.sign_in("ana", &password_of("ana")).expect(401);
}

#[test]
fn a_name_is_taken_once_and_counts_exactly_as_written() {
    let larder = with_boss();
    create_ana(&larder);
    let boss = larder.http("boss");
    let again = boss.post("/api/user/create", ask("name", json!("Another")));
    again.expect_error(409, "Username already exists");
    assert_eq!(shown(&larder, "ana")["name"], "Ana");
    for other in ["Ana", "ANA", "anà", "アナ", "ana b."] {
        boss.post("/api/user/create", ask("username", json!(other))).expect(200);
        assert_eq!(shown(&larder, other)["username"], other);
    }
}

#[test]
fn of_two_who_want_one_name_at_once_one_gets_it() {
    let larder = with_boss();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                let boss = larder.http("boss");
                scope.spawn(move || boss.post("/api/user/create", ask("x", Value::Null)).status)
            })
            .collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
}

#[test]
fn only_those_whose_role_is_listed_change_users() {
    let larder = with_boss().user_with("eve", "guest", r#"[""]"#, "[]");
    let eve = larder.http("eve");
    eve.post("/api/user/create", json!({})).expect_error(401, "Unauthorized");
    eve.post("/api/user/edit", json!({})).expect_error(401, "Unauthorized");
    eve.post("/api/user/delete", json!({})).expect_error(401, "Unauthorized");
    eve.get("/api/user/get_all").expect_error(401, "Unauthorized");
}

// Delete.

#[test]
fn a_deleted_user_is_out_at_once_and_for_good() {
    let mut larder = with_boss().file("a.txt", "A");
    let key = create_ana(&larder);
    let token = larder.token("ana");
    larder.bearer(&token).get("/api/finder").expect(200);
    larder.with_key(&key).get("/api/finder").expect(200);
    let ask_delete = json!({ "username": "ana" });
    larder.http("boss").post("/api/user/delete", ask_delete.clone()).expect_status("User deleted");
    let expect_out = |larder: &Larder| {
        larder.bearer(&token).get("/api/finder").expect_error(401, "Unauthorized");
        larder.with_key(&key).get("/api/finder").expect_error(401, "Unauthorized");
        larder
            .browser(&token)
            .get("/api/download?file_path=a.txt")
            .expect_error(401, "Unauthorized");
        larder
            .sign_in("ana", &password_of("ana"))
            .expect_error(401, "Invalid username or password");
    };
    expect_out(&larder);
    larder.kill();
    larder.restart();
    expect_out(&larder);
    larder.http("boss").post("/api/user/delete", ask_delete).expect_error(404, "User not found");
    // Whoever gets the name next gets neither the id nor the sessions.
    create_ana(&larder);
    assert!(matches!(larder.bearer(&token).get("/api/finder").status, 401));
    larder.with_key(&key).get("/api/finder").expect_error(401, "Unauthorized");
}

#[test]
fn a_deletion_needs_somebody_to_delete() {
    let larder = with_boss();
    let boss = larder.http("boss");
    for nobody in [json!({}), json!({ "username": null }), json!({ "username": "" })] {
        boss.post("/api/user/delete", nobody).expect_error(400, "No username provided");
    }
    boss.post("/api/user/delete", json!({ "username": 1 })).expect_refusal(400);
    boss.post("/api/user/delete", json!({ "username": "Boss" }))
        .expect_error(404, "User not found");
}

#[test]
fn a_role_goes_with_the_last_who_has_it_and_admin_never() {
    let mut larder = with_boss()
        .user_with("eve", "guest", r#"[""]"#, "[]")
        .user_with("eva", "guest", r#"[""]"#, "[]");
    let boss = larder.http("boss");
    let roles = |larder: &Larder| larder.http("boss").get("/api/role/get").expect(200).json();
    let mut wanted = roles(&larder);
    wanted["/api/finder"] = json!(["admin", "guest", "user"]);
    wanted["/api/upload"] = json!(["guest"]);
    boss.post("/api/role/edit", wanted).expect(200);
    let delete = |name: &str| boss.post("/api/user/delete", json!({ "username": name }));
    delete("eve").expect_status("User deleted");
    assert_eq!(roles(&larder)["/api/upload"], json!(["guest"]));
    larder.http("eva").get("/api/finder").expect(200);
    delete("eva").expect_status("User deleted");
    let now = roles(&larder);
    assert_eq!(now["/api/finder"], json!(["admin", "user"]));
    assert_eq!(now["/api/upload"], json!([]));
    let text = fs::read_to_string(larder.state().join("settings/roles.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), now);
    // Nobody is left with the role `admin` but one; the role stays.
    delete("admin").expect_status("User deleted");
    assert_eq!(roles(&larder), now);
    larder.kill();
    larder.restart();
    assert_eq!(roles(&larder), now);
}

#[test]
fn the_last_admin_cannot_be_deleted_by_anybody() {
    let larder = with_boss();
    let ana = create_ana(&larder);
    larder
        .http("boss")
        .post("/api/user/delete", json!({ "username": "admin" }))
        .expect_status("User deleted");
    for client in [larder.http("boss"), larder.with_key(&ana)] {
        client.post("/api/user/delete", json!({ "username": "boss" })).expect_refusal(409);
    }
    larder.http("boss").get("/api/user/get_self").expect(200);
    let line = complaint(&larder.run(&["user", "delete", "boss"], ""));
    assert!(line.contains("last admin"), "{line}");
    larder.http("boss").get("/api/user/get_self").expect(200);
}

#[test]
fn of_the_last_two_admins_who_delete_each_other_one_stays() {
    let larder = with_boss().admin("chef");
    larder.http("boss").post("/api/user/delete", json!({ "username": "admin" })).expect(200);
    let (boss, chef) = (larder.http("boss"), larder.http("chef"));
    std::thread::scope(|scope| {
        scope.spawn(|| boss.post("/api/user/delete", json!({ "username": "chef" })));
        scope.spawn(|| chef.post("/api/user/delete", json!({ "username": "boss" })));
    });
    let left = [&boss, &chef].map(|client| client.get("/api/user/get_self").status);
    assert!(left == [200, 401] || left == [401, 200], "{left:?}");
}

// Edit.

#[test]
fn an_edit_changes_what_is_given_and_keeps_the_rest() {
    let larder = with_boss();
    let key = create_ana(&larder);
    let ana = larder.with_key(&key);
    ana.post("/api/user/edit_self", json!({ "settings": "dark", "ftp_users": "cam" })).expect(200);
    let before = shown(&larder, "ana");
    let id = before["id"].clone();
    let edit = json!({ "id": id, "username": "anna", "name": "Anna" });
    larder.http("boss").post("/api/user/edit", edit).expect_status("User edited");
    let mut expected = before;
    expected["username"] = "anna".into();
    expected["name"] = "Anna".into();
    assert_eq!(shown(&larder, "anna"), expected);
    larder.sign_in("anna", &password_of("ana")).expect(200);
    larder.sign_in("ana", &password_of("ana")).expect(401);
    // Role and paths act at once on what is open.
    ana.get("/api/finder").expect(200);
    let edit = json!({ "id": id, "username": "anna", "name": "Anna", "role": "guest" });
    larder.http("boss").post("/api/user/edit", edit).expect_status("User edited");
    ana.get("/api/finder").expect_error(401, "Unauthorized");
    let edit = json!({ "id": id, "username": "anna", "name": "Anna", "role": "user",
        "paths": ["docs"], "paths_write": r#"["docs"]"# });
    larder.http("boss").post("/api/user/edit", edit).expect_status("User edited");
    ana.get("/api/finder?path=photos").expect_error(401, "Unauthorized");
    ana.get("/api/finder?path=docs").expect_error(404, "Path does not exist");
    assert_eq!(shown(&larder, "anna")["settings"], "dark");
    // What `get_all` shows may be sent back as it is.
    let same = shown(&larder, "anna");
    larder.http("boss").post("/api/user/edit", same.clone()).expect_status("User edited");
    assert_eq!(shown(&larder, "anna"), same);
    larder.sign_in("anna", &password_of("ana")).expect(200);
}

#[test]
fn an_id_may_be_a_number_or_a_string() {
    let larder = with_boss();
    create_ana(&larder);
    let id = shown(&larder, "ana")["id"].as_i64().unwrap();
    let boss = larder.http("boss");
    for (id, name) in [(json!(id), "One"), (json!(id.to_string()), "Two")] {
        let edit = json!({ "id": id, "username": "ana", "name": name });
        boss.post("/api/user/edit", edit).expect_status("User edited");
        assert_eq!(shown(&larder, "ana")["name"], name);
    }
    for nobody in
        [json!(999), json!(-1), json!(0), json!("x"), json!(1.5), json!("99999999999999999999")]
    {
        let edit = json!({ "id": nobody, "username": "x", "name": "X" });
        boss.post("/api/user/edit", edit).expect_error(404, "User not found");
    }
    for bad in [json!(true), json!([1]), json!({})] {
        let edit = json!({ "id": bad, "username": "x", "name": "X" });
        boss.post("/api/user/edit", edit).expect_refusal(400);
    }
}

#[test]
fn an_edit_needs_id_username_and_name() {
    let larder = with_boss();
    create_ana(&larder);
    let id = shown(&larder, "ana")["id"].clone();
    let boss = larder.http("boss");
    let sentence = "No username, name, role or id provided";
    for key in ["id", "username", "name"] {
        for nothing in [Value::Null, json!("")] {
            let mut edit = json!({ "id": id, "username": "ana", "name": "Ana" });
            edit[key] = nothing;
            boss.post("/api/user/edit", edit).expect_error(400, sentence);
        }
    }
    boss.post("/api/user/edit", json!({})).expect_error(400, sentence);
    let mut edit = json!({ "id": id, "username": "ana", "name": "Ana", "paths": "photos" });
    boss.post("/api/user/edit", edit.clone()).expect_error(400, "Invalid paths");
    // Input is judged before existence.
    edit["id"] = json!(999);
    boss.post("/api/user/edit", edit).expect_error(400, "Invalid paths");
    let edit = json!({ "id": id, "username": "a\nb", "name": "Ana" });
    boss.post("/api/user/edit", edit).expect_refusal(400);
    assert_eq!(shown(&larder, "ana")["paths"], r#"[""]"#);
}

#[test]
fn an_edit_takes_nobodys_name() {
    let larder = with_boss();
    create_ana(&larder);
    let before = shown(&larder, "ana");
    let edit = json!({ "id": before["id"], "username": "boss", "name": "Boss" });
    larder.http("boss").post("/api/user/edit", edit).expect_error(409, "Username already exists");
    assert_eq!(shown(&larder, "ana"), before);
}

#[test]
fn an_edited_password_ends_every_session_of_that_user_alone() {
    let mut larder = with_boss().user("bea");
    let key = create_ana(&larder);
    let (ana, bea) = (larder.token("ana"), larder.token("bea"));
    let id = shown(&larder, "ana")["id"].clone();
    let edit = json!({ "id": id, "username": "ana", "name": "Ana", "password": "a new secret" });
    larder.http("boss").post("/api/user/edit", edit).expect_status("User edited");
    let expect_ended = |larder: &Larder| {
        larder.bearer(&ana).get("/api/finder").expect_error(401, "Invalid token");
        larder.bearer(&bea).get("/api/finder").expect(200);
        larder.with_key(&key).get("/api/finder").expect(200);
    };
    expect_ended(&larder);
    larder.kill();
    larder.restart();
    expect_ended(&larder);
    larder.sign_in("ana", &password_of("ana")).expect(401);
    larder.sign_in("ana", "a new secret").expect(200);
    // An empty one keeps it, since that is what `get_all` shows.
    let edit = json!({ "id": id, "username": "ana", "name": "Ana", "password": "" });
    larder.http("boss").post("/api/user/edit", edit).expect_status("User edited");
    larder.sign_in("ana", "a new secret").expect(200);
    expect_nowhere_in_the_state(&larder, "a new secret");
}

#[test]
fn the_last_admin_keeps_its_role() {
    let larder = with_boss();
    let boss = larder.http("boss");
    boss.post("/api/user/delete", json!({ "username": "admin" })).expect(200);
    let id = shown(&larder, "boss")["id"].clone();
    let edit = json!({ "id": id, "username": "boss", "name": "Boss", "role": "user" });
    boss.post("/api/user/edit", edit.clone()).expect_refusal(409);
    assert_eq!(shown(&larder, "boss")["role"], "admin");
    let stays = json!({ "id": id, "username": "boss", "name": "The boss", "role": "admin" });
    boss.post("/api/user/edit", stays).expect_status("User edited");
    create_ana(&larder);
    let ana = json!({ "id": shown(&larder, "ana")["id"], "username": "ana", "name": "Ana", "role": "admin" });
    boss.post("/api/user/edit", ana).expect_status("User edited");
    boss.post("/api/user/edit", edit).expect_status("User edited");
    assert_eq!(shown(&larder, "boss")["role"], "user");
}

// Everybody.

#[test]
fn get_all_shows_everybody_without_secrets() {
    let larder = with_boss();
    let key = create_ana(&larder);
    let all = larder.http("boss").get("/api/user/get_all").expect(200).json();
    let names: Vec<&str> =
        all.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["admin", "boss", "ana"]);
    for user in all.as_array().unwrap() {
        let mut keys: Vec<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "API_KEY",
                "ftp_users",
                "has_password",
                "id",
                "ip",
                "last_agent",
                "last_seen",
                "name",
                "password",
                "paths",
                "paths_write",
                "role",
                "settings",
                "totp",
                "username"
            ]
        );
        assert_eq!(user["password"], "");
        assert!(user["id"].is_i64());
    }
    let masked = shown(&larder, "ana")["API_KEY"].as_str().unwrap().to_owned();
    assert_eq!(masked, format!("{}…", &key[..7]));
    larder.with_key(&masked).get("/api/finder").expect_refusal(401);
}

#[test]
fn get_all_tells_when_each_was_last_seen_and_with_what() {
    let mut larder = with_boss();
    let key = create_ana(&larder);
    let ana = |larder: &Larder| {
        let ana = shown(larder, "ana");
        let told = |key: &str| ana[key].as_str().unwrap().to_owned();
        (told("last_seen"), told("last_agent"))
    };
    assert_eq!(ana(&larder), (String::new(), String::new()));
    let begun = jiff::Timestamp::now().as_second();
    let mut wire = larder.wire();
    let agent = format!("Mozilla/5.0 \u{e9}{}", "x".repeat(400));
    wire.send(format!(
        "GET /api/finder HTTP/1.1\r\nHost: a\r\nX-API-KEY: {key}\r\nUser-Agent: {agent}\r\n\r\n"
    ));
    wire.answer().expect(200);
    let (seen, with) = ana(&larder);
    let at = seen.parse::<jiff::Timestamp>().unwrap().as_second();
    assert!((begun..=begun + 60).contains(&at) && seen.ends_with('Z'), "{seen}");
    assert!(with.starts_with("Mozilla/5.0 ") && with.len() <= 256, "{with}");
    larder.stop();
    larder.restart();
    assert_eq!(ana(&larder), (seen, with), "written down at the end");
}

#[test]
fn get_all_tells_where_each_was_last_seen() {
    let mut larder = with_boss();
    let key = create_ana(&larder);
    assert_eq!(shown(&larder, "ana")["ip"], "");
    larder.with_key(&key).get("/api/finder").expect(200);
    assert_eq!(shown(&larder, "ana")["ip"], "127.0.0.1");
    // Signing in counts; a refusal does not.
    let mut wire = larder.wire_from_afar_by(7);
    wire.send(format!(
        "GET /api/user/get_self HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    wire.answer().expect(200);
    assert_eq!(shown(&larder, "ana")["ip"], "127.1.0.7");
    let mut wire = larder.wire_from_afar_by(8);
    wire.send("GET /api/user/get_self HTTP/1.1\r\nHost: larder\r\nX-API-KEY: nonsense\r\n\r\n");
    wire.answer().expect(401);
    assert_eq!(shown(&larder, "ana")["ip"], "127.1.0.7");
    let mut wire = larder.wire_from_afar_by(9);
    wire.send(format!(
        "GET /api/finder?path=nowhere HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    wire.answer().expect(404);
    assert_eq!(shown(&larder, "ana")["ip"], "127.1.0.7");
    larder.stop();
    larder.restart();
    assert_eq!(shown(&larder, "ana")["ip"], "127.1.0.7");
}

#[test]
fn get_all_has_no_end_but_the_last_user() {
    let larder = with_boss();
    let mut database = Connection::open(larder.state().join("db/users.db")).unwrap();
    database.busy_timeout(wait::PATIENCE).unwrap();
    let transaction = database.transaction().unwrap();
    for number in 1..=500 {
        transaction
            .execute(
                "INSERT INTO users(username, password, name, role, paths, paths_write)
                 VALUES (?1, 'x', 'N', 'user', '[]', '[]')",
                [format!("user{number}")],
            )
            .unwrap();
    }
    transaction.commit().unwrap();
    let all = larder.http("boss").get("/api/user/get_all").expect(200);
    assert_eq!(all.header("Content-Type"), Some("application/json"));
    let all = all.json();
    assert_eq!(all.as_array().unwrap().len(), 502);
    assert_eq!(all[501]["username"], "user500");
    assert_eq!(all[501]["API_KEY"], "", "nobody gave this one a key");
    let list = printed(larder.run(&["user", "list"], ""));
    assert_eq!(list.lines().count(), 502);
}

// Oneself.

#[test]
fn one_changes_ones_own_texts_and_nothing_else() {
    let larder = with_boss();
    let key = create_ana(&larder);
    let ana = larder.with_key(&key);
    let edit = json!({ "name": "Ana B.", "settings": "{\"theme\":\"dark\"}", "ftp_users": "cam",
        "role": "admin", "paths": "[]", "paths_write": r#"[""]"#, "id": 1, "epoch": 0 });
    let answer = ana.post("/api/user/edit_self", edit).expect_status("User updated");
    assert_eq!(answer, json!({ "status": "User updated" }));
    let myself = ana.get("/api/user/get_self").expect(200).json();
    assert_eq!(myself["name"], "Ana B.");
    assert_eq!(myself["settings"], "{\"theme\":\"dark\"}");
    assert_eq!(myself["ftp_users"], "cam");
    assert_eq!(myself["role"], "user");
    assert_eq!(myself["paths"], r#"[""]"#);
    assert_eq!(myself["paths_write"], r#"["photos"]"#);
    ana.post("/api/user/edit_self", json!({ "settings": "" })).expect_status("User updated");
    assert_eq!(ana.get("/api/user/get_self").expect(200).json()["settings"], "");
    ana.post("/api/user/edit_self", json!({ "username": "anna" })).expect_status("User updated");
    assert_eq!(ana.get("/api/user/get_self").expect(200).json()["username"], "anna");
    ana.post("/api/user/edit_self", json!({ "username": "boss" }))
        .expect_error(409, "Username already exists");
}

#[test]
fn everybody_who_has_signed_in_may_edit_themselves() {
    let larder = with_boss().user_with("eve", "guest", "[]", "[]");
    larder.http("eve").post("/api/user/edit_self", json!({ "name": "E" })).expect(200);
    larder
        .anonymous()
        .post("/api/user/edit_self", json!({ "name": "E" }))
        .expect_error(401, "Unauthorized");
}

#[test]
fn an_update_without_a_valid_field_is_refused() {
    let larder = with_boss();
    let key = create_ana(&larder);
    let ana = larder.with_key(&key);
    let sentence = "No valid fields provided for update";
    for nothing in [
        json!({}),
        json!({ "role": "admin" }),
        json!({ "paths": "[]", "id": 1 }),
        json!({ "username": "" }),
        json!({ "password": "" }),
        json!({ "name": null }),
    ] {
        ana.post("/api/user/edit_self", nothing).expect_error(400, sentence);
    }
    ana.post_raw("/api/user/edit_self", None, b"").expect_error(400, sentence);
    for bad in [
        json!({ "username": "a\tb" }),
        json!({ "username": "", "settings": "x" }),
        json!({ "name": "", "settings": "x" }),
        json!({ "settings": { "theme": "dark" } }),
        json!({ "settings": "x".repeat(17 * 1024) }),
        json!({ "ftp_users": "x".repeat(17 * 1024) }),
        json!({ "password": "x".repeat(1025) }),
        json!({ "password": 1234 }),
    ] {
        ana.post("/api/user/edit_self", bad).expect_refusal(400);
    }
    assert_eq!(ana.get("/api/user/get_self").expect(200).json()["settings"], "");
}

#[test]
fn a_new_password_of_ones_own_ends_all_sessions_and_begins_one() {
    let mut larder = with_boss();
    create_ana(&larder);
    let (here, elsewhere) = (larder.token("ana"), larder.token("ana"));
    let edit = json!({ "password": "a new secret" });
    let answer = larder.bearer(&here).post("/api/user/edit_self", edit);
    let cookie = answer.header("Set-Cookie").expect("a cookie").to_owned();
    let answer = answer.expect_status("User updated");
    let new = answer["token"].as_str().expect("a token").to_owned();
    assert!(cookie.starts_with(&format!("larder_session={new};")), "{cookie}");
    let claims = URL_SAFE_NO_PAD.decode(new.split('.').nth(1).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["username"], "ana");
    let expect_changed = |larder: &Larder| {
        for old in [&here, &elsewhere] {
            larder.bearer(old).get("/api/finder").expect_error(401, "Invalid token");
            let by_cookie = larder.browser(old);
            by_cookie.get("/api/finder").expect_error(401, "Invalid token");
        }
        larder.bearer(&new).get("/api/finder").expect(200);
    };
    expect_changed(&larder);
    larder.kill();
    larder.restart();
    expect_changed(&larder);
    larder.sign_in("ana", &password_of("ana")).expect(401);
    larder.sign_in("ana", "a new secret").expect(200);
}

#[test]
fn a_key_of_ones_own_is_random_or_long_enough() {
    let larder = with_boss();
    let first = create_ana(&larder);
    let answer = larder.with_key(&first).post("/api/user/edit_self", json!({ "API_KEY": "new" }));
    let answer = answer.expect_status("User updated");
    let second = answer["API_KEY"].as_str().expect("a key").to_owned();
    assert!(second.len() >= 32 && second != first, "{second}");
    larder.with_key(&first).get("/api/finder").expect_error(401, "Unauthorized");
    larder.with_key(&second).get("/api/finder").expect(200);
    let given = "My-own_key.0123456789abcdef01234";
    assert_eq!(given.len(), 32);
    let answer = larder.with_key(&second).post("/api/user/edit_self", json!({ "API_KEY": given }));
    assert_eq!(answer.expect_status("User updated"), json!({ "status": "User updated" }));
    larder.with_key(&second).get("/api/finder").expect_error(401, "Unauthorized");
    let ana = larder.with_key(given);
    ana.get("/api/finder").expect(200);
    assert_eq!(shown(&larder, "ana")["API_KEY"], "My-own_…");
    for bad in
        [&given[1..], "short", "NEW", &"é".repeat(40), &given.replace('-', " "), &given.repeat(9)]
    {
        ana.post("/api/user/edit_self", json!({ "API_KEY": bad })).expect_refusal(400);
    }
    let boss = larder.http("boss");
    boss.post("/api/user/edit_self", json!({ "API_KEY": given })).expect_refusal(409);
    ana.get("/api/finder").expect(200);
    expect_nowhere_in_the_state(&larder, given);
    expect_nowhere_in_the_state(&larder, &second);
}

// The logbook.

#[test]
fn every_change_is_written_down_without_secrets() {
    let larder = with_boss();
    let key = create_ana(&larder);
    let id = shown(&larder, "ana")["id"].clone();
    let own = json!({ "API_KEY": "new", "password": "secret number two", "settings": "dark" });
    let token = larder.with_key(&key).post("/api/user/edit_self", own).json();
    let edit =
        json!({ "id": id, "username": "ana", "name": "A", "password": "secret number three" });
    larder.http("boss").post("/api/user/edit", edit).expect(200);
    printed(larder.run(&["user", "passwd", "ana"], "secret number four\n"));
    larder.http("boss").post("/api/user/delete", json!({ "username": "ana" })).expect(200);
    for row in [
        "boss: added user ana with the role user",
        "ana: changed their own password, settings, API key",
        &format!("boss: changed user ana (id {id}): password, name"),
        "command line: changed the password of ana",
        "boss: deleted user ana",
        "command line: added user boss with the role admin",
    ] {
        wait::until(row, || log_rows(&larder, row).len() == 1);
    }
    for secret in ["secret number", &key, token["API_KEY"].as_str().unwrap()] {
        assert!(log_rows(&larder, secret).is_empty());
        expect_nowhere_in_the_state(&larder, secret);
    }
}

// The command line.

#[test]
fn the_list_names_everybody_and_no_secret() {
    let larder = with_boss().user_with("eve", "guest", r#"["photos"]"#, "[]");
    let list = printed(larder.run(&["user", "list"], ""));
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[0].starts_with("admin\tadmin\t"), "{list}");
    assert!(lines[2].starts_with("eve\tguest\teve\t"), "{list}");
    assert!(lines[2].contains(r#"["photos"]"#), "{list}");
    assert!(!list.contains("argon2") && !list.contains("lk_"), "{list}");
}

#[test]
fn a_password_changed_at_the_command_line_acts_at_once() {
    let mut larder = with_boss().user("ana");
    let token = larder.token("ana");
    larder.bearer(&token).get("/api/finder").expect(200);
    let text = printed(larder.run(&["user", "passwd", "ana"], "a new secret\nand more\n"));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("a new secret"));
    larder.bearer(&token).get("/api/finder").expect_error(401, "Invalid token");
    larder.http("ana").get("/api/finder").expect(200);
    larder.sign_in("ana", &password_of("ana")).expect(401);
    larder.sign_in("ana", "a new secret").expect(200);
    // And without a server.
    larder.stop();
    printed(larder.run(&["user", "passwd", "ana"], "another"));
    larder.restart();
    larder.sign_in("ana", "another").expect(200);
    larder.sign_in("ana", "a new secret").expect(401);
}

#[test]
fn a_password_typed_at_a_terminal_is_not_shown() {
    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};
    use std::os::unix::process::ExitStatusExt;
    let larder = with_boss().user("ana");
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let screen = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let is_echoing = || tcgetattr(&screen).unwrap().local_modes.contains(LocalModes::ECHO);
    assert!(is_echoing());
    let mut command = larder.program();
    command.args(["user", "passwd", "ana", "--state"]).arg(larder.state());
    command.stdin(screen.try_clone().unwrap()).stdout(screen.try_clone().unwrap());
    // Somebody changes their mind: the terminal is as it was.
    let mut child = command.spawn().unwrap();
    wait::until("no echo", || !is_echoing());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    wait::until("its end", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::INT.as_raw()));
    assert!(is_echoing(), "the terminal stays silent");
    let mut child = command.spawn().unwrap();
    // The prompt comes first, then the echo goes.
    wait::until("no echo", || !is_echoing());
    let mut keyboard = File::from(terminal);
    keyboard.write_all(b"typed in secret\n").unwrap();
    wait::until("its end", || child.try_wait().unwrap().is_some());
    assert!(child.wait().unwrap().success());
    assert!(is_echoing(), "the terminal stays silent");
    // Once nobody has the terminal open, reading ends behind what was shown.
    drop((screen, command));
    let mut shown = Vec::new();
    let _hung_up = keyboard.read_to_end(&mut shown);
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("Password") && shown.contains("changed"), "{shown}");
    assert!(!shown.contains("typed"), "{shown}");
    larder.sign_in("ana", "typed in secret").expect(200);
}

#[test]
fn a_user_deleted_at_the_command_line_is_out_at_once_and_the_role_too() {
    let larder = with_boss().user_with("eve", "guest", r#"[""]"#, "[]");
    let boss = larder.http("boss");
    let mut wanted = boss.get("/api/role/get").expect(200).json();
    wanted["/api/finder"] = json!(["admin", "guest"]);
    boss.post("/api/role/edit", wanted).expect(200);
    larder.http("eve").get("/api/finder").expect(200);
    let text = printed(larder.run(&["user", "delete", "eve"], ""));
    assert_eq!(text.lines().count(), 1, "{text}");
    larder.http("eve").get("/api/finder").expect_error(401, "Unauthorized");
    assert_eq!(boss.get("/api/role/get").expect(200).json()["/api/finder"], json!(["admin"]));
    // A later guest starts without the old one's rights.
    let larder = larder.user_with("eva", "guest", r#"[""]"#, "[]");
    larder.http("eva").get("/api/finder").expect_error(401, "Unauthorized");
}

#[test]
fn what_root_changes_still_belongs_to_the_service() {
    let mut larder = with_boss().user_with("eve", "guest", "[]", "[]");
    let mut wanted = larder.http("boss").get("/api/role/get").expect(200).json();
    wanted["/api/finder"] = json!(["guest"]);
    larder.http("boss").post("/api/role/edit", wanted).expect(200);
    larder.stop();
    let files = || {
        ["", "settings", "db"].into_iter().flat_map(|folder| {
            let entries = fs::read_dir(larder.state().join(folder)).unwrap().flatten();
            entries.map(|entry| entry.path()).chain([larder.state().join(folder)])
        })
    };
    // Only root can give files away; for anybody else there is nothing to test.
    let is_root = files().all(|path| chown(path, Some(54_321), Some(54_321)).is_ok());
    printed(larder.run(&["user", "delete", "eve"], ""));
    printed(larder.run(&["user", "passwd", "boss"], "another"));
    for path in files().filter(|_| is_root) {
        assert_eq!(path.metadata().unwrap().uid(), 54_321, "{}", path.display());
    }
}

#[test]
fn the_command_line_says_in_one_line_what_it_cannot_do() {
    let larder = Larder::bare();
    for words in [&["user", "list"][..], &["user", "passwd", "ana"], &["user", "delete", "ana"]] {
        let line = complaint(&larder.run(words, "x\n"));
        assert!(line.contains("no larder has been started"), "{line}");
        assert!(!larder.state().exists());
    }
    let larder = larder.launch();
    for words in [&["user", "passwd", "ana"][..], &["user", "delete", "ana"]] {
        let line = complaint(&larder.run(words, "x\n"));
        assert!(line.contains("User not found"), "{line}");
    }
    let line = complaint(&larder.run(&["user", "delete", "admin"], ""));
    assert!(line.contains("last admin"), "{line}");
    for nothing in ["", "\n", &format!("{}\n", "x".repeat(1025))] {
        let line = complaint(&larder.run(&["user", "passwd", "admin"], nothing));
        assert!(line.contains("password"), "{line}");
    }
    for words in [&["user"][..], &["user", "list", "ana"], &["user", "delete"], &["user", "fly"]] {
        complaint(&larder.run(words, ""));
    }
    let line = complaint(&larder.run(&["user", "list", "--role", "user"], ""));
    assert!(line.contains("--role"), "{line}");
    larder.sign_in("admin", &password_of("admin")).expect(200);
}
