//! Why somebody may do something, or may not (second contract, section 22), held against what the doors say.

use serde_json::{Value, json};

use crate::harness::dav::Dav;
use crate::harness::{Client, Form, Larder, encode, everybody_may_everything};

const ACTIONS: [&str; 4] = ["read", "write", "list", "delete"];

/// Users of many kinds, and an admin who may explain; of the others nobody may.
fn house() -> Larder {
    let mut roles = everybody_may_everything();
    roles["/api/explain"] = json!(["admin"]);
    for path in ["/api/finder", "/api/download"] {
        roles[path] = json!(["admin", "user", "viewer"]);
    }
    Larder::prepare()
        .roles(&roles)
        .launch()
        .user("ana")
        .user_with("ben", "user", r#"["pub"]"#, r#"["pub/in"]"#)
        .user_with("eve", "user", "[]", r#"["drop"]"#)
        .user_with("vic", "viewer", r#"[""]"#, r#"[""]"#)
        .admin("ida")
        .user_with("ada", "admin", r#"["pub"]"#, "[]")
        .folder("drop")
        .file("pub/a.txt", "A")
        .file("pub/in/b.txt", "B")
        .file("own/s.txt", "canary")
        .link("pub/way.txt", "../own/s.txt")
        .link("pub/in/near.txt", "b.txt")
        .link("pub/in/broken.txt", "none")
        .link("pub/up", "../own")
        .link("pub/out", "/etc")
}

/// What is said.
#[track_caller]
fn explain(client: &Client, user: Option<&str>, path: &str, action: &str) -> Value {
    let user = user.map(|user| format!("&user={user}")).unwrap_or_default();
    let target = format!("/api/explain?path={}&action={action}{user}", encode(path));
    let told = client.get(&target).expect(200).json();
    let steps = told["steps"].as_array().unwrap();
    let all_ok = steps.iter().all(|step| step["ok"] == true);
    assert_eq!(told["allowed"], all_ok, "{told}");
    for step in steps {
        assert!(!step["detail"].as_str().unwrap().is_empty(), "{told}");
        let what = step["what"].as_str().unwrap();
        assert!(
            ["role", "paths", "link", "lock", "key", "disk", "drive"].contains(&what),
            "{told}"
        );
    }
    let refused = steps.iter().find(|step| step["ok"] == false);
    if let Some(step) = refused {
        assert_eq!(told["because"], step["detail"], "{told}");
    }
    assert!(told["because"].as_str().unwrap().ends_with('.'), "{told}");
    assert!(!told.to_string().contains("canary"), "{told}");
    told
}

/// Whether the door lets somebody do that: what is not there, or of another kind, is no refusal.
fn is_let(client: &Client, path: &str, action: &str, is_folder: bool) -> bool {
    let answer = match action {
        "read" => client.get_with("/api/download", "file_path", path),
        "list" => client.get_with("/api/finder", "path", path),
        "write" => {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let form = Form::new().field("path", folder).field("if_exists", "overwrite");
            client.upload(&form.file(name, "new"))
        }
        _ if is_folder => client.post("/api/delete_folder", json!({ "path": path })),
        _ => client.post("/api/delete_file", json!({ "path": path })),
    };
    assert!([200, 400, 401, 403, 404, 409, 423].contains(&answer.status), "{answer}");
    ![401, 403, 423].contains(&answer.status)
}

#[test]
fn what_is_explained_is_what_the_doors_do() {
    let larder = house();
    let ida = larder.http("ida");
    let places = [
        ("pub", true),
        ("pub/a.txt", false),
        ("pub/in", true),
        ("pub/in/b.txt", false),
        ("pub/in/near.txt", false),
        ("pub/way.txt", false),
        ("pub/up/s.txt", false),
        ("pub/none.txt", false),
        ("pub/in/none/deep.txt", false),
        ("drop", true),
        ("drop/x.txt", false),
        ("own", true),
        ("own/s.txt", false),
        ("none", false),
    ];
    for user in ["ana", "ben", "eve", "vic"] {
        let client = larder.http(user);
        for (path, is_folder) in places {
            for action in ACTIONS {
                let told = explain(&ida, Some(user), path, action);
                let own = explain(&client, None, path, action);
                assert_eq!(own["allowed"], told["allowed"], "{user} {action} {path}: {own} {told}");
                let is_let = is_let(&client, path, action, is_folder);
                assert_eq!(told["allowed"], is_let, "{user} {action} {path}: {told}");
                if action == "write" || action == "delete" {
                    make_anew(&larder);
                }
            }
        }
    }
}

/// Makes everything as it was.
fn make_anew(larder: &Larder) {
    for name in ["pub", "own", "drop", "none"] {
        let place = larder.root().join(name);
        let _not_there = std::fs::remove_dir_all(&place).or_else(|_| std::fs::remove_file(&place));
    }
    std::fs::create_dir(larder.root().join("drop")).unwrap();
    for (path, content) in [("pub/a.txt", "A"), ("pub/in/b.txt", "B"), ("own/s.txt", "canary")] {
        larder.write(path, content);
    }
    for (path, end) in [
        ("pub/way.txt", "../own/s.txt"),
        ("pub/in/near.txt", "b.txt"),
        ("pub/in/broken.txt", "none"),
        ("pub/up", "../own"),
        ("pub/out", "/etc"),
    ] {
        std::os::unix::fs::symlink(end, larder.root().join(path)).unwrap();
    }
}

/// The step at which it ends.
fn stopped_at(told: &Value) -> &str {
    let steps = told["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["ok"] == false);
    step.map_or("", |step| step["what"].as_str().unwrap())
}

#[test]
fn each_step_says_what_is_in_the_way() {
    let larder = house();
    let (ida, ben) = (larder.http("ida"), larder.http("ben"));
    let free = explain(&ida, Some("ana"), "pub/a.txt", "delete");
    let steps = free["steps"].as_array().unwrap();
    let whats: Vec<&str> = steps.iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["role", "paths", "drive", "link", "lock", "disk"]);
    assert_eq!(
        (&free["exists"], &free["because"]),
        (&json!(true), &json!("Nothing is in the way."))
    );
    let told = explain(&ida, Some("vic"), "pub/a.txt", "write");
    assert_eq!(told["because"], "The role viewer may not use /api/upload.");
    assert_eq!(stopped_at(&explain(&ida, Some("ben"), "own/s.txt", "read")), "paths");
    let way = explain(&ida, Some("ben"), "pub/way.txt", "read");
    assert_eq!(stopped_at(&way), "link");
    assert!(way["because"].as_str().unwrap().contains("own/s.txt"), "{way}");
    assert_eq!(stopped_at(&explain(&ida, Some("ana"), "pub/out/passwd", "read")), "link");
    let lock = r#"<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>"#;
    let dav = Dav::of(&larder, "ana");
    dav.ask("LOCK", "/dav/pub/in/b.txt", &[("Timeout", "Second-600")], lock.as_bytes()).expect(200);
    for action in ["write", "delete"] {
        let told = explain(&ben, None, "pub/in/b.txt", action);
        assert_eq!((stopped_at(&told), &told["because"]), ("lock", &json!("Locked by ana.")));
    }
    assert_eq!(explain(&ben, None, "pub/in/b.txt", "read")["allowed"], true);
    let none = explain(&ben, None, "pub/none.txt", "read");
    assert_eq!((&none["allowed"], &none["exists"]), (&json!(true), &json!(false)));
    // Nothing of that has changed anything.
    assert_eq!(larder.read("pub/in/b.txt"), "B");
    larder.unplug();
    for action in ACTIONS {
        let told = explain(&ida, Some("ana"), "pub/a.txt", action);
        assert_eq!((stopped_at(&told), told.get("exists")), ("drive", None), "{told}");
    }
    assert_eq!(stopped_at(&explain(&ida, Some("ben"), "own/s.txt", "read")), "paths");
}

#[test]
fn nobody_learns_what_they_could_not_find_out_otherwise() {
    let larder = house();
    let (ben, eve, ada) = (larder.http("ben"), larder.http("eve"), larder.http("ada"));
    for action in ACTIONS {
        for (client, user) in [(&ben, None), (&eve, None), (&ada, None), (&ada, Some("ana"))] {
            let there = explain(client, user, "own/s.txt", action);
            let none = explain(client, user, "own/none.txt", action);
            assert_eq!(there, none, "{action}");
            assert_eq!(there.get("exists"), None);
        }
        // What a link leads to is as what it does not lead to; and where, nobody hears who may not see it.
        let way = explain(&ben, None, "pub/way.txt", action);
        assert!(!way.to_string().contains("own/"), "{way}");
        let way = explain(&ada, Some("ana"), "pub/way.txt", action);
        assert!(!way.to_string().contains("own/"), "{way}");
    }
    // Whoever may only bring does not see what is there.
    let told = explain(&eve, None, "drop/x.txt", "write");
    assert_eq!((&told["allowed"], told.get("exists")), (&json!(true), None));
    let target = |more: &str| format!("/api/explain?path=pub&action=read{more}");
    ben.get(&target("&user=ana")).expect_error(403, "Not permitted");
    ben.get(&target("&user=nobody")).expect_error(403, "Not permitted");
    ben.get(&target("&user=ben")).expect(200);
    ada.get(&target("&user=nobody")).expect_error(404, "User not found");
    ben.get("/api/explain?path=pub&action=eat").expect_error(400, "Invalid action");
    ben.get("/api/explain?action=read").expect_error(400, "No path provided");
    ben.get("/api/explain?path=..%2Fx&action=read").expect_refusal(400);
    ben.get("/api/explain?path=pub").expect_refusal(400);
    larder.anonymous().get(&target("")).expect_refusal(401);
    let (_, key) = larder.session("ana").make_key(json!({ "label": "all" }));
    larder.with_key(&key).get(&target("")).expect_refusal(403);
}
