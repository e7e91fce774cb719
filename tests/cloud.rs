//! The cloud: switching it, forgetting the account, signing up at a bridge (contract, section 10).

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::machine::{Machine, response};
use crate::harness::{Answer, Larder};

/// The two endpoints.
const MANAGE: &str = "/api/cloud/manage";
const GET: &str = "/api/cloud/get";

/// A larder with this `cloud.json` and this bridge.
#[track_caller]
fn larder(cloud: &Value, cloud_url: &str) -> Larder {
    let larder = Larder::prepare();
    write(&larder, cloud);
    let settings = json!({ "cloud_url": cloud_url }).to_string();
    fs::write(larder.state().join("settings/settings.json"), settings).unwrap();
    larder.launch().user("ana")
}

/// Replaces `cloud.json` behind larder's back.
fn write(larder: &Larder, cloud: &Value) {
    fs::write(larder.state().join("settings/cloud.json"), cloud.to_string()).unwrap();
}

/// What `cloud.json` holds.
fn stored(larder: &Larder) -> Value {
    let text = fs::read_to_string(larder.state().join("settings/cloud.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Signs up.
#[track_caller]
fn sign_up(larder: &Larder) -> Answer {
    let ask = json!({
        "action": "signup", "email": "ana@example.org", "username": "ana", "password": "hunter2secret"
    });
    larder.http("ana").post(MANAGE, ask)
}

/// A refusal with its details.
#[track_caller]
fn details(answer: Answer, status: u16, sentence: &str) -> String {
    let json = answer.expect_error(status, sentence).json();
    json["details"].as_str().expect("details").to_owned()
}

/// The bridge that most tests have.
const TOKEN: &str = "bridge-token-123";

#[test]
fn the_cloud_is_switched_on_and_off_and_other_keys_stay() {
    let larder = larder(&json!({ "of_the_future": { "a": 1 } }), "");
    let ana = larder.http("ana");
    ana.post(MANAGE, json!({ "action": "enable", "enabled": true })).expect_status("Cloud enabled");
    assert_eq!(stored(&larder), json!({ "of_the_future": { "a": 1 }, "enabled": true }));
    ana.post(MANAGE, json!({ "action": "enable", "enabled": false }))
        .expect_status("Cloud disabled");
    assert_eq!(stored(&larder), json!({ "of_the_future": { "a": 1 }, "enabled": false }));
}

#[test]
fn the_first_start_makes_the_file_and_enabling_makes_it_again() {
    let larder = Larder::start().user("ana");
    assert_eq!(stored(&larder), json!({}));
    fs::remove_file(larder.state().join("settings/cloud.json")).unwrap();
    larder
        .http("ana")
        .post(MANAGE, json!({ "action": "enable", "enabled": true }))
        .expect_status("Cloud enabled");
    assert_eq!(stored(&larder), json!({ "enabled": true }));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let larder = larder(&json!({}), "");
    let ana = larder.http("ana");
    for ask in [json!({}), json!({ "action": "fly" }), json!({ "action": null })] {
        ana.post(MANAGE, ask).expect_error(400, "Invalid action");
    }
    ana.post_raw(MANAGE, None, b"").expect_error(400, "Invalid action");
    ana.post(MANAGE, json!({ "action": 7 })).expect_refusal(400);
    for enabled in [json!(null), json!("true"), json!(1)] {
        ana.post(MANAGE, json!({ "action": "enable", "enabled": enabled }))
            .expect_error(400, "enabled must be true or false");
    }
    ana.post(MANAGE, json!({ "action": "enable" }))
        .expect_error(400, "enabled must be true or false");
    for ask in [
        json!({ "action": "signup" }),
        json!({ "action": "signup", "email": "a@b.c", "username": "ana" }),
        json!({ "action": "signup", "email": "a@b.c", "username": "ana", "password": "" }),
        json!({ "action": "signup", "email": "", "username": "ana", "password": "x" }),
        json!({ "action": "signup", "username": "ana", "password": "x" }),
    ] {
        ana.post(MANAGE, ask).expect_error(400, "Email, username and password required");
    }
    assert_eq!(stored(&larder), json!({}));
}

#[test]
fn forgetting_the_account_leaves_the_rest() {
    let larder = larder(
        &json!({
            "enabled": true, "user_id": 5, "auth_token": TOKEN, "username": "ana", "password": "p",
            "server_id": "s-1", "server_name": "home", "registered_at": "2026-11-25",
            "registration_time": 1, "own": [1]
        }),
        "",
    );
    larder
        .http("ana")
        .post(MANAGE, json!({ "action": "delete_auth" }))
        .expect_status("Authentication data deleted");
    assert_eq!(stored(&larder), json!({ "enabled": true, "own": [1] }));
    fs::remove_file(larder.state().join("settings/cloud.json")).unwrap();
    larder
        .http("ana")
        .post(MANAGE, json!({ "action": "delete_auth" }))
        .expect_error(404, "Cloud settings file not found");
    larder.http("ana").get(GET).expect_error(404, "Cloud settings not found");
    sign_up(&larder).expect_error(404, "Cloud settings not found");
}

#[test]
fn secrets_are_masked_in_answers() {
    let larder =
        larder(&json!({ "enabled": true, "auth_token": TOKEN, "password": "p4ss", "x": 1 }), "");
    let answer = larder.http("ana").get(GET).expect(200);
    let shown = answer.json();
    assert_eq!((&shown["enabled"], &shown["x"]), (&json!(true), &json!(1)));
    for secret in [TOKEN, "p4ss"] {
        assert!(!answer.text().contains(secret), "{answer}");
    }
    assert!(!shown["auth_token"].as_str().unwrap().is_empty());
    assert!(!shown["password"].as_str().unwrap().is_empty());
}

#[test]
fn a_sign_up_sends_what_the_bridge_needs_and_keeps_what_it_says() {
    let answer = json!({
        "user_id": 42, "server_id": "s-1", "server_name": "home", "registered_at": "2026-11-25",
        "auth_token": "another", "greeting": { "text": "welcome" }
    });
    let bridge = Machine::saying("201 Created", &answer.to_string());
    // A slash at the end makes no difference.
    let url = format!("{}/v1/", bridge.url);
    let larder = larder(&json!({ "enabled": true, "auth_token": TOKEN }), &url);
    let json = sign_up(&larder).expect_status("Signup successful");
    assert_eq!(json["data"], answer);

    let question = bridge.question();
    let (head, body) = question.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/signup HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let sent: Value = serde_json::from_str(body).unwrap();
    let wanted = json!({
        "email": "ana@example.org", "username": "ana", "password": "hunter2secret",
        "auth_token": TOKEN
    });
    assert_eq!(sent, wanted);
    assert_eq!(
        stored(&larder),
        json!({
            "enabled": true, "auth_token": TOKEN, "username": "ana", "user_id": 42,
            "server_id": "s-1", "server_name": "home", "registered_at": "2026-11-25"
        })
    );
}

#[test]
fn without_a_token_or_an_address_no_bridge_is_asked() {
    let bridge = Machine::saying("200 OK", "{}");
    let larder = larder(&json!({ "auth_token": "" }), &bridge.url);
    sign_up(&larder).expect_error(400, "Auth token not found in cloud settings");
    write(&larder, &json!({ "enabled": true }));
    sign_up(&larder).expect_error(400, "Auth token not found in cloud settings");
    assert!(bridge.was_not_asked());

    let nowhere = self::larder(&json!({ "auth_token": TOKEN }), "");
    sign_up(&nowhere).expect_error(400, "No cloud_url in the settings");
}

#[test]
fn a_bridges_refusal_is_passed_on_with_its_words() {
    for (status, body, passed, wanted) in [
        ("409 Conflict", r#"{"error": "Name taken"}"#, 409, "Name taken"),
        ("400 Bad Request", r#"{"message": "Bad email"}"#, 400, "Bad email"),
        ("500 Internal Server Error", "broken", 500, "broken"),
        ("404 Not Found", "", 404, ""),
        // Not to be taken for one's own session ending.
        ("401 Unauthorized", r#"{"error": "Bad token"}"#, 502, "Bad token"),
    ] {
        let bridge = Machine::saying(status, body);
        let before = json!({ "auth_token": TOKEN, "enabled": true });
        let larder = larder(&before, &bridge.url);
        assert_eq!(details(sign_up(&larder), passed, "Signup failed"), wanted, "{status}");
        assert_eq!(stored(&larder), before);
    }
}

#[test]
fn nonsense_from_the_bridge_is_a_failure_that_is_not_ours() {
    let huge = format!("\"{}\"", "x".repeat(2 << 20));
    for (status, body, wanted) in [
        ("200 OK", "<html>hello</html>", "The answer is not JSON"),
        ("200 OK", "", "The answer is not JSON"),
        ("200 OK", huge.as_str(), "The answer is too large"),
        ("500 Internal Server Error", huge.as_str(), "The answer is too large"),
        ("304 Not Modified", "", "The answer has the status 304"),
    ] {
        let bridge = Machine::saying(status, body);
        let larder = larder(&json!({ "auth_token": TOKEN }), &bridge.url);
        assert_eq!(details(sign_up(&larder), 502, "Signup failed"), wanted);
        assert_eq!(stored(&larder), json!({ "auth_token": TOKEN }));
    }
}

#[test]
fn a_redirect_is_not_followed_with_secrets_in_hand() {
    let other = Machine::saying("200 OK", "{}");
    for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: {}/signup\r\nContent-Length: 0\r\n\r\n",
            other.url
        );
        let bridge = Machine::start(move |_path| answer.clone().into_bytes());
        let larder = larder(&json!({ "auth_token": TOKEN }), &bridge.url);
        details(sign_up(&larder), 502, "Signup failed");
    }
    assert!(other.was_not_asked());
}

#[test]
fn a_bridge_that_is_away_or_hangs_up_is_a_network_error() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let absent = larder(&json!({ "auth_token": TOKEN }), &format!("http://{address}"));
    assert_eq!(details(sign_up(&absent), 500, "Network error"), "connection refused");

    let cut = response("200 OK", b"{\"user_id\": 1}")[..40].to_vec();
    for answer in [Vec::new(), cut, b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()] {
        let bridge = Machine::start(move |_path| answer.clone());
        let larder = larder(&json!({ "auth_token": TOKEN }), &bridge.url);
        let why = details(sign_up(&larder), 500, "Network error");
        assert!(!why.is_empty() && !why.contains("os error"), "{why}");
        assert_eq!(stored(&larder), json!({ "auth_token": TOKEN }));
    }
}

#[test]
fn a_bridge_whose_certificate_nobody_vouches_for_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=bridge"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut bridge = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-key"])
        .arg(&key)
        .arg("-cert")
        .arg(&certificate)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = BufReader::new(bridge.stdout.take().unwrap());
    let mut address = String::new();
    while !address.starts_with("ACCEPT ") {
        address.clear();
        assert_ne!(heard.read_line(&mut address).unwrap(), 0, "no address");
    }
    let url = format!("https://{}", address.trim_start_matches("ACCEPT ").trim());
    let larder = larder(&json!({ "auth_token": TOKEN }), &url);
    let why = details(sign_up(&larder), 500, "Network error");
    bridge.kill().unwrap();
    bridge.wait().unwrap();
    assert!(why.contains("invalid peer certificate"), "{why}");
    let mut rest = String::new();
    heard.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains(TOKEN) && !rest.contains("POST"), "{rest}");
}

#[test]
fn a_broken_file_is_not_overwritten() {
    let larder = larder(&json!({}), "");
    let path = larder.state().join("settings/cloud.json");
    fs::write(&path, "{\"auth_token\": ").unwrap();
    let ana = larder.http("ana");
    ana.post(MANAGE, json!({ "action": "enable", "enabled": true })).expect_refusal(500);
    ana.get(GET).expect_refusal(500);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"auth_token\": ");
}

#[test]
fn what_was_done_is_logged_and_secrets_are_not() {
    let bridge = Machine::saying("200 OK", "{}");
    let mut larder = larder(&json!({ "auth_token": TOKEN }), &bridge.url);
    let ana = larder.http("ana");
    ana.post(MANAGE, json!({ "action": "enable", "enabled": true })).expect(200);
    sign_up(&larder).expect(200);
    ana.post(MANAGE, json!({ "action": "delete_auth" })).expect(200);
    larder.stop();
    let log = fs::read(larder.state().join("db/logs.db")).unwrap();
    let has = |text: &str| log.windows(text.len()).any(|part| part == text.as_bytes());
    for action in
        ["ana: enabled the cloud", "ana: signed up at the cloud", "ana: deleted the cloud's"]
    {
        assert!(has(action), "{action}");
    }
    for secret in [TOKEN, "hunter2secret", "ana@example.org"] {
        assert!(!has(secret), "{secret}");
    }
}

#[test]
fn the_rules_of_roles_hold_here_too() {
    let larder =
        larder(&json!({ "auth_token": TOKEN }), "").user_with("guest", "guest", "[]", "[]");
    let guest = larder.http("guest");
    guest.get(GET).expect_error(401, "Unauthorized");
    guest.post(MANAGE, json!({ "action": "delete_auth" })).expect_error(401, "Unauthorized");
    assert_eq!(stored(&larder), json!({ "auth_token": TOKEN }));
}
