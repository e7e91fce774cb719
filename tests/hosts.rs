//! Who is asked for: names that larder answers to, and what browsers may not fetch from it.

use serde_json::json;

use crate::harness::{Answer, Larder, wait};

/// The answer to a request with these fields.
fn ask(larder: &Larder, target: &str, fields: &str) -> Answer {
    let mut wire = larder.wire();
    wire.send(format!("GET {target} HTTP/1.1\r\n{fields}\r\n\r\n"));
    wire.answer()
}

/// The answer to a request for this host.
fn ask_for(larder: &Larder, target: &str, host: &str) -> Answer {
    ask(larder, target, &format!("Host: {host}\r\nX-API-KEY: {}", larder.key("ana")))
}

#[test]
fn a_name_that_a_stranger_can_have_is_unknown() {
    let larder = Larder::start().user("ana");
    for target in ["/", "/auth", "/web/index.html", "/api/finder", "/api/user/get_self", "/none"] {
        for host in ["evil.example", "evil.example:6969", "127.0.0.1.evil.example"] {
            let answer = ask_for(&larder, target, host).expect_error(421, "Unknown host");
            let answer = answer.expect_code(421, "unknown_host");
            assert!(answer.text().contains("allowed_hosts"), "{answer}");
        }
    }
    let mut wire = larder.wire();
    wire.send("POST /api/user/login HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}");
    wire.answer().expect_refusal(421);
    let mut wire = larder.wire();
    wire.send("GET http://evil.example/auth HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    wire.answer().expect_refusal(421);
    ask_for(&larder, "/api/is_up", "evil.example").expect(200);
    wait::until("a row that names it", || {
        let rows = larder.http("ana").get("/api/get_logs").expect(200);
        rows.text().contains("unknown name: evil.example")
    });
}

#[test]
fn addresses_names_of_the_house_and_old_clients_are_answered() {
    let larder = Larder::start().user("ana");
    let called = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    for host in
        ["127.0.0.1:6969", "[::1]", "10.1.2.3", "nas", "nas.local", "NAS.Fritz.Box:80", &called]
    {
        ask_for(&larder, "/api/user/get_self", host).expect(200);
    }
    let mut wire = larder.wire();
    wire.send("GET /auth HTTP/1.0\r\n\r\n");
    wire.answer().expect(200);
}

#[test]
fn the_owner_adds_names_at_once_and_a_proxy_may_have_any() {
    let larder = Larder::start().user("ana");
    let change = |settings| {
        larder.http("ana").post("/api/update_settings", settings).expect_status("Settings updated");
    };
    change(json!({ "allowed_hosts": ["files.example", "*.nas.example"] }));
    change(json!({ "public_url": "https://nas.example:8443/" }));
    for host in ["files.example", "a.nas.example", "nas.example", "NAS.example:6969"] {
        ask_for(&larder, "/api/user/get_self", host).expect(200);
    }
    ask_for(&larder, "/api/user/get_self", "other.example").expect_refusal(421);
    change(json!({ "allowed_hosts": [], "trusted_proxies": ["127.0.0.1"] }));
    ask_for(&larder, "/api/user/get_self", "other.example").expect(200);
    change(json!({ "trusted_proxies": ["10.0.0.1"] }));
    ask_for(&larder, "/api/user/get_self", "files.example").expect_refusal(421);
    for wrong in [json!({ "allowed_hosts": ["a b"] }), json!({ "public_url": "nas.example" })] {
        let answer = larder.http("ana").post("/api/update_settings", wrong);
        answer.expect_code(400, "invalid_settings");
    }
}

#[test]
fn no_other_page_shows_what_is_ours() {
    let larder = Larder::prepare().settings(&json!({ "cors_origins": ["http://app.example"] }));
    let larder = larder.launch().user("ana").file("a.txt", "a");
    let policy = |target: &str, fields: &str| {
        let fields = format!("Host: nas\r\nX-API-KEY: {}{fields}", larder.key("ana"));
        let answer = ask(&larder, target, &fields);
        answer.header("Cross-Origin-Resource-Policy").map(str::to_owned)
    };
    let listed = "\r\nOrigin: http://app.example";
    for target in ["/", "/api/finder", "/api/download?file_path=a.txt", "/none", "/web/index.html"]
    {
        assert_eq!(policy(target, "").as_deref(), Some("same-origin"), "{target}");
        let other = policy(target, "\r\nOrigin: http://evil.example");
        assert_eq!(other.as_deref(), Some("same-origin"), "{target}");
        assert_eq!(policy(target, listed).as_deref(), Some("cross-origin"), "{target}");
    }
}

#[test]
fn strangers_who_fetch_scripts_do_not_fill_the_log() {
    let larder = Larder::start().user("ana");
    for _ in 0..30 {
        ask(&larder, "/api/is_up", "Host: nas\r\nSec-Fetch-Dest: script").expect_refusal(403);
    }
    let rows = larder.http("ana").get("/api/get_logs?limit=1000").expect(200).json();
    let is_of_it = |row: &&serde_json::Value| row["action"].as_str().unwrap().contains("is_up");
    let count = rows.as_array().unwrap().iter().filter(is_of_it).count();
    // One in a second, as for everything else that nobody needs to sign in for.
    assert!((1..30).contains(&count), "{count}");
}

#[test]
fn a_browser_runs_nothing_that_users_keep() {
    let larder = Larder::start().user("ana").file("a.js", "alert(1)");
    let fetched_as = |target: &str, destination: &str| {
        let key = larder.key("ana");
        let fields = format!("Host: nas\r\nX-API-KEY: {key}\r\nSec-Fetch-Dest: {destination}");
        ask(&larder, target, &fields)
    };
    let script = "/api/download?file_path=a.js&inline=1";
    for destination in ["script", "style", "worker", "sharedworker", "serviceworker"] {
        for target in [script, "/api/finder", "/api/is_up"] {
            let answer = fetched_as(target, destination).expect_error(403, "Not permitted");
            answer.expect_code(403, "not_permitted");
        }
        // The drive's own answer is a sentence.
        let answer = fetched_as("/dav/a.js", destination).expect(403);
        assert_eq!(answer.text(), "Not permitted\n");
    }
    for destination in ["empty", "document", "image", "iframe", "video"] {
        fetched_as(script, destination).expect(200);
    }
    assert_ne!(fetched_as("/web/index.html", "script").status, 403);
}
