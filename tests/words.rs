//! Words that people choose and others read: none of them can turn, part or hide the line that it stands in.

use serde_json::{Value, json};

use crate::harness::{Larder, login_request, password_of, wait};

/// Letters that are not read but do something to those around them: of C0, of C1, marks, overrides, isolates, and what
/// parts lines.
const MISLEADING: [&str; 8] =
    ["\u{7}", "\u{85}", "\u{200e}", "\u{200f}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{2028}"];

#[test]
fn no_door_takes_them_into_a_name_or_a_label() {
    let larder = Larder::start().user("ana").admin("boss").folder("photos");
    let (boss, ana, session) = (larder.http("boss"), larder.http("ana"), larder.session("ana"));
    let id = boss.get("/api/user/get_all").expect(200).json();
    let id =
        id.as_array().unwrap().iter().find(|one| one["username"] == "ana").unwrap()["id"].clone();
    let made = ana.post("/api/link/create", json!({ "path": "photos" }));
    let link = made.expect_status("Link created")["id"].clone();
    for letter in MISLEADING {
        let bad = format!("a{letter}b");
        let user = |field: &str| {
            let mut ask =
                json!({ "username": "eve", "password": "secret", "name": "Eve", "role": "user" });
            ask[field] = bad.clone().into();
            ask
        };
        let edit = |field: &str| {
            let mut ask = json!({ "id": id, "username": "ana", "name": "Ana", "role": "user" });
            ask[field] = bad.clone().into();
            ask
        };
        for (field, sentence) in
            [("username", "Invalid username"), ("name", "Invalid name"), ("role", "Invalid role")]
        {
            boss.post("/api/user/create", user(field)).expect_error(400, sentence);
            boss.post("/api/user/edit", edit(field)).expect_error(400, sentence);
        }
        for (field, sentence) in [("username", "Invalid username"), ("name", "Invalid name")] {
            session.post("/api/user/edit_self", json!({ field: bad })).expect_error(400, sentence);
        }
        let ask = json!({ "username": bad, "password": "secret", "permissions": "el" });
        boss.post("/api/ftp/create_user", ask).expect_error(400, "Invalid username");
        session.post("/api/key/create", json!({ "label": bad })).expect_error(400, "Invalid label");
        let ask = json!({ "path": "photos", "label": bad });
        ana.post("/api/link/create", ask).expect_error(400, "Invalid label");
        let ask = json!({ "id": link, "label": bad });
        ana.post("/api/link/edit", ask).expect_error(400, "Invalid label");
        let mut roles = boss.get("/api/role/get").expect(200).json();
        roles["/api/finder"] = json!(["admin", bad]);
        boss.post("/api/role/edit", roles).expect_refusal(400);
        let output = larder.add_user(&bad, &[]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    }
    let all = boss.get("/api/user/get_all").expect(200).json();
    assert_eq!(all.as_array().unwrap().len(), 3, "{all}");
}

#[test]
fn what_a_device_calls_itself_and_what_is_tried_as_a_name_hide_nothing() {
    let larder = Larder::start().user("ana").admin("boss");
    let sign_in = |name: &str| {
        let ask = json!({ "username": name, "password": password_of("ana") });
        let mut wire = larder.wire_from_afar();
        wire.send(login_request(&ask, "User-Agent: Phone\u{202e}\u{2066}1\r\n"));
        wire.answer()
    };
    let token = sign_in("ana").expect(200).json()["token"].as_str().unwrap().to_owned();
    let told = larder.bearer(&token).get("/api/user/sessions").expect(200).json();
    let agent = told[0]["agent"].as_str().unwrap();
    assert!(agent.starts_with("Phone") && !agent.contains(['\u{202e}', '\u{2066}']), "{agent}");
    let all = larder.http("boss").get("/api/user/get_all").expect(200).text().to_owned();
    assert!(!all.contains(['\u{202e}', '\u{2066}']), "{all}");
    sign_in("eve\u{202e}nimda").expect_error(401, "Invalid username or password");
    let row = || -> Option<Value> {
        let rows = larder.http("boss").get("/api/get_logs?op=refused").expect(200).json();
        rows.as_array().unwrap().iter().find(|row| row.to_string().contains("eve")).cloned()
    };
    wait::until("it is told", || row().is_some());
    assert!(!row().unwrap().to_string().contains('\u{202e}'), "{:?}", row());
    let action = row().unwrap()["action"].as_str().unwrap().to_owned();
    assert!(action.contains("eve\u{fffd}nimda"), "{action}");
}
