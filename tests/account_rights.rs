//! Who may make, change and remove accounts: nobody gives what they do not have.

use serde_json::{Value, json};

use crate::harness::ftp::{ALL_LETTERS, FtpHouse};
use crate::harness::{Larder, everybody_may_everything};

/// A house with photos in it; `ana` may do everything, `rea` only reads the photos, `dro` only writes them, and
/// `own` may do both with them.
fn house() -> FtpHouse {
    let mut house = FtpHouse::around(Larder::prepare().folder("photos").folder("photos/cam"));
    house.larder = house
        .larder
        .user_with("rea", "user", r#"["photos"]"#, "[]")
        .user_with("dro", "user", "[]", r#"["photos"]"#)
        .user_with("own", "user", r#"["photos"]"#, r#"["photos"]"#);
    house
}

fn account(name: &str, home: &str, letters: &str) -> Value {
    json!({ "username": name, "password": "secret", "path": home, "permissions": letters })
}

#[test]
fn letters_of_a_new_ftp_user_need_the_rights_of_who_makes_it() {
    let house = house();
    let make = |who: &str, home: &str, letters: &str| {
        let name = format!("{who}-{}-{letters}", home.replace('/', "-"));
        let ask = account(&name, home, letters);
        house.larder.http(who).post("/api/ftp/create_user", ask).status
    };
    for letters in ["e", "l", "r", "elr"] {
        assert_eq!(make("rea", "photos", letters), 200, "{letters}");
        assert_eq!(make("dro", "photos", letters), 401, "{letters}");
    }
    for letters in ["a", "d", "f", "m", "w", "M", "T", "wm"] {
        assert_eq!(make("rea", "photos", letters), 401, "{letters}");
        assert_eq!(make("dro", "photos/cam", letters), 200, "{letters}");
    }
    for letters in ["elw", ALL_LETTERS] {
        assert_eq!(make("rea", "photos", letters), 401, "{letters}");
        assert_eq!(make("dro", "photos", letters), 401, "{letters}");
        assert_eq!(make("own", "photos", letters), 200, "{letters}");
        assert_eq!(make("own", "", letters), 401, "{letters}");
    }
    // The right is asked before what is there.
    assert_eq!(make("dro", "photos/gone", "w"), 404);
    assert_eq!(make("rea", "photos/gone", "w"), 401);
    assert_eq!(make("own", "gone", "l"), 401);
}

#[test]
fn an_ftp_user_is_changed_and_removed_by_who_could_have_made_it() {
    let house = house();
    house.user("root", "", ALL_LETTERS);
    house.user("cam", "photos", ALL_LETTERS);
    house.user("frame", "photos", "elr");
    for who in ["rea", "dro", "own"] {
        let client = house.larder.http(who);
        for change in [
            json!({ "username": "root", "password": "mine now" }),
            json!({ "username": "root", "path": "photos" }),
            json!({ "username": "root", "path": "photos", "permissions": "l" }),
        ] {
            client.post("/api/ftp/edit_user", change).expect_error(401, "Unauthorized");
        }
        let remove = json!({ "username": "root" });
        client.post("/api/ftp/delete_user", remove).expect_error(401, "Unauthorized");
    }
    let edit =
        |who: &str, ask: Value| house.larder.http(who).post("/api/ftp/edit_user", ask).status;
    assert_eq!(edit("rea", json!({ "username": "cam", "permissions": "l" })), 401);
    assert_eq!(edit("rea", json!({ "username": "frame", "permissions": "elrw" })), 401);
    assert_eq!(edit("rea", json!({ "username": "frame", "path": "" })), 401);
    assert_eq!(edit("rea", json!({ "username": "frame", "permissions": "l" })), 200);
    assert_eq!(edit("own", json!({ "username": "frame", "permissions": ALL_LETTERS })), 200);
    assert_eq!(edit("own", json!({ "username": "cam", "path": "" })), 401);
    assert_eq!(edit("own", json!({ "username": "cam", "path": "photos/cam" })), 200);
    let remove = |who: &str, name: &str| {
        let ask = json!({ "username": name });
        house.larder.http(who).post("/api/ftp/delete_user", ask).status
    };
    assert_eq!(remove("rea", "cam"), 401);
    // A home that is gone keeps nobody from tidying up.
    std::fs::remove_dir(house.larder.root().join("photos/cam")).unwrap();
    assert_eq!(remove("own", "cam"), 200);
    assert_eq!(remove("own", "cam"), 404);
    assert_eq!(remove("ana", "root"), 200);
    let left = house.admin().get("/api/ftp/get_users").expect(200).json();
    assert_eq!(
        left,
        json!([{
            "username": "frame", "password": "", "path": "photos", "permissions": ALL_LETTERS
        }])
    );
}

#[test]
fn a_helper_who_manages_people_cannot_rise_above_themselves() {
    let mut roles = everybody_may_everything();
    for path in ["finder", "user/create", "user/edit", "user/delete", "user/get_all"] {
        roles[format!("/api/{path}")] = json!(["admin", "user", "helper"]);
    }
    let larder = Larder::prepare().roles(&roles).launch().user("ana").user("bea");
    let larder = larder.user_with("hel", "helper", r#"["a"]"#, r#"["a"]"#);
    let (hel, ana) = (larder.http("hel"), larder.http("ana"));
    let people = ana.get("/api/user/get_all").expect(200).json();
    let id = |name: &str| {
        let mut people = people.as_array().unwrap().iter();
        people.find(|person| person["username"] == name).unwrap()["id"].clone()
    };
    let change = |name: &str, more: &Value| {
        let mut ask = json!({ "id": id(name), "username": name, "name": "A Name" });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hel.post("/api/user/edit", ask)
    };
    for (name, more) in [
        ("hel", json!({ "role": "admin" })),
        ("hel", json!({ "role": "user" })),
        ("hel", json!({ "paths": "[\"\"]" })),
        ("hel", json!({ "paths_write": ["a", "b"] })),
        ("admin", json!({ "password": "mine now" })),
        ("bea", json!({ "password": "mine now" })),
        ("bea", json!({})),
    ] {
        change(name, &more).expect_error(401, "Unauthorized");
    }
    change("hel", &json!({ "password": "another", "role": "helper" })).expect(200);
    let new = |role: &str, paths: &str| {
        let ask = json!({
            "username": "new", "password": "x", "name": "N", "role": role, "paths": paths
        });
        hel.post("/api/user/create", ask)
    };
    new("admin", "[]").expect_error(401, "Unauthorized");
    new("helper", r#"["b"]"#).expect_error(401, "Unauthorized");
    new("helper", "nonsense").expect_error(400, "Invalid paths");
    new("helper", r#"["a/b"]"#).expect(200);
    hel.post("/api/user/delete", json!({ "username": "bea" })).expect_error(401, "Unauthorized");
    hel.post("/api/user/delete", json!({ "username": "nobody" })).expect_refusal(404);
    hel.post("/api/user/delete", json!({ "username": "new" })).expect_status("User deleted");
    // Whoever decides about the roles decides about people, whatever their own paths are.
    ana.post(
        "/api/user/edit",
        json!({
            "id": id("hel"), "username": "hel", "name": "H", "role": "admin"
        }),
    )
    .expect_status("User edited");
}
