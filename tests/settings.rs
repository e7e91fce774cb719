//! The settings: read, changed, put in force while larder runs, and what browsers of other origins
//! may do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Larder, wait};

/// A larder whose share root the settings decide about, and not the command line.
fn rootless() -> Larder {
    let larder = Larder::prepare();
    let root = larder.root();
    larder.settings(&json!({ "path": root })).launch_with(|command| {
        let state = command.get_args().nth(2).unwrap().to_owned();
        let mut plain = std::process::Command::new(command.get_program());
        plain.current_dir(command.get_current_dir().unwrap());
        plain.args(["serve", "--port", "0", "--host", "127.0.0.1", "--state"]).arg(state);
        *command = plain;
    })
}

/// Changes settings; gives what needs a restart.
#[track_caller]
fn update(larder: &Larder, changes: Value) -> Value {
    let answer = larder.http("ana").post("/api/update_settings", changes);
    answer.expect_status("Settings updated")["restart_required"].clone()
}

/// What is in force, as the API tells it.
#[track_caller]
fn settings(larder: &Larder) -> Value {
    let mut told = larder.http("ana").get("/api/get_settings").expect(200).json();
    // What the command line of the tests covers is not in the file.
    assert!(told.as_object_mut().unwrap().remove("in_force").is_some());
    told
}

#[test]
fn all_settings_are_told_and_the_secret_is_masked() {
    let larder = Larder::prepare().settings(&json!({ "com_password": "sesame", "extra": [1] }));
    let larder = larder.launch().user("ana");
    let answer = larder.http("ana").get("/api/get_settings").expect(200);
    assert!(!answer.text().contains("sesame"), "{answer}");
    let told = answer.json();
    for key in [
        "host",
        "port",
        "path",
        "version",
        "com_password",
        "ftp",
        "ftp_host",
        "ftp_port",
        "ftp_timeout",
        "ftp_passive_ports",
        "ftp_public_host",
        "shutdown_command",
        "restart_command",
        "command_timeout",
        "log_retention_days",
        "update_url",
        "cloud_url",
        "trusted_proxies",
        "cors_origins",
        "allowed_hosts",
        "public_url",
        "trash_days",
        "trash_percent",
        "versions_max",
        "thumbs_mb",
        "search_index",
        "links",
    ] {
        assert!(told.get(key).is_some(), "{key}: {told}");
    }
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["com_password"], "********");
    assert_eq!(told["extra"], json!([1]));
}

#[test]
fn changes_are_merged_stored_and_in_force_at_once() {
    let larder = Larder::start().user("ana");
    let before = settings(&larder);
    let restart = update(&larder, json!({ "command_timeout": 1, "new": { "of": ["the", 2] } }));
    assert_eq!(restart, json!([]));
    let after = settings(&larder);
    assert_eq!((&after["command_timeout"], &after["new"]), (&json!(1), &json!({"of": ["the", 2]})));
    assert_eq!(after["trash_days"], before["trash_days"]);
    let stored = larder.stored_settings();
    assert_eq!(stored, after);
    let path = larder.state().join("settings/settings.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&path).unwrap().lines().count() > 20, "not pretty-printed");
    let answer = larder.http("ana").post("/api/command", json!({ "command": "sleep 60" }));
    assert_eq!(answer.expect(200).json()["timed_out"], true);
    // What was told can be sent back as it is.
    assert_eq!(update(&larder, after.clone()), json!([]));
    assert_eq!(settings(&larder), after);
}

#[test]
fn the_secret_and_the_version_stay_whatever_is_sent() {
    let larder = Larder::prepare().settings(&json!({ "com_password": "sesame" }));
    let larder = larder.launch().user("ana");
    for value in [json!("other"), json!(""), json!(null), json!("********"), json!([1])] {
        update(&larder, json!({ "com_password": value, "version": value, "trash_days": 3 }));
        let stored = larder.stored_settings();
        assert_eq!(stored["com_password"], "sesame");
        assert_eq!(stored["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(stored["trash_days"], 3);
    }
}

#[test]
fn nothing_provided_is_said_so() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    ana.post("/api/update_settings", json!({})).expect_error(400, "No settings provided");
    let answer = ana.post_raw("/api/update_settings", None, b"");
    answer.expect_error(400, "No settings provided");
    for body in [&b"[]"[..], b"null", b"{", b"{} {}", b"\"a\"", b"\xff", b"{\"port\"}"] {
        ana.post_raw("/api/update_settings", None, body).expect_refusal(400);
    }
    ana.post_raw("/api/update_settings", Some("text/plain"), b"{\"ftp\": true}")
        .expect_refusal(400);
}

#[test]
fn a_change_that_is_wrong_anywhere_changes_nothing() {
    let larder = Larder::start().user("ana");
    let before = larder.stored_settings();
    for (key, value) in [
        ("host", json!("nas.local")),
        ("host", json!(null)),
        ("port", json!(65536)),
        ("port", json!("80")),
        ("path", json!(1)),
        ("path", json!("")),
        ("ftp", json!("yes")),
        ("ftp_port", json!(-1)),
        ("ftp_timeout", json!(0)),
        ("ftp_passive_ports", json!("1-2")),
        ("ftp_public_host", json!(5)),
        ("shutdown_command", json!("poweroff")),
        ("restart_command", json!([])),
        ("command_timeout", json!(0)),
        ("log_retention_days", json!(0)),
        ("update_url", json!("ftp://x")),
        ("cloud_url", json!("javascript:x")),
        ("trusted_proxies", json!(["everyone"])),
        ("cors_origins", json!(["*"])),
        ("trash_days", json!(1.5)),
        ("trash_percent", json!(101)),
        ("versions_max", json!(0)),
        ("versions_max", json!(1001)),
        ("versions_max", json!("32")),
        ("thumbs_mb", json!(-1)),
        ("search_index", json!("yes")),
    ] {
        let changes = json!({ "a_new_key": 1, key: value, "log_retention_days": 7 });
        // Of two equal keys of one object the last counts.
        let changes = if key == "log_retention_days" {
            json!({ "a_new_key": 1, key: value })
        } else {
            changes
        };
        let answer = larder.http("ana").post("/api/update_settings", changes).expect_refusal(400);
        let sentence = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.starts_with(&format!("Invalid settings: {key}: ")), "{sentence}");
        assert_eq!(larder.stored_settings(), before, "{key}");
        assert_eq!(settings(&larder)["log_retention_days"], before["log_retention_days"]);
    }
}

#[test]
fn settings_have_at_most_a_mebibyte() {
    let larder = Larder::start().user("ana");
    let half = "x".repeat(700 << 10);
    update(&larder, json!({ "a": half }));
    let before = larder.stored_settings();
    for changes in [json!({ "b": half }), json!({ "b": "x".repeat(2 << 20) })] {
        larder.http("ana").post("/api/update_settings", changes).expect_refusal(400);
    }
    assert_eq!(larder.stored_settings(), before);
    // Small parts take more memory than text.
    let peak = larder.process().memory_peak_kib();
    for part in ["0,", "[],", "{},", "\"\","] {
        let body = format!("{{\"b\": [{}0]}}", part.repeat((1 << 20) / part.len() - 10));
        larder
            .http("ana")
            .post_raw("/api/update_settings", None, body.as_bytes())
            .expect_refusal(400);
    }
    let body = format!("{{\"b\": {}{}}}", "[".repeat(400_000), "]".repeat(400_000));
    larder.http("ana").post_raw("/api/update_settings", None, body.as_bytes()).expect_refusal(400);
    let grown = larder.process().memory_peak_kib().saturating_sub(peak);
    assert!(grown < 32 << 10, "{grown} KiB");
    update(&larder, json!({ "a": 0 }));
}

#[test]
fn what_needs_a_restart_is_listed_and_so_is_what_a_flag_covers() {
    // The flags --root, --host and --port are given.
    let larder = Larder::start().user("ana");
    let restart = update(&larder, json!({ "port": 7070, "trash_days": 2, "path": "other" }));
    assert_eq!(restart, json!(["port", "path"]));
    assert_eq!(larder.stored_settings()["port"], 7070);
    assert_eq!(larder.stored_settings()["path"], "other");
    larder.http("ana").get("/api/finder").expect(200);
    assert!(!larder.state().join("other").exists());
    assert_eq!(update(&larder, json!({ "trash_days": 3 })), json!([]));
    assert_eq!(update(&larder, json!({ "host": "127.0.0.1" })), json!(["host"]));
    assert_eq!(update(&larder, json!({ "port": 6969 })), json!([]));
}

#[test]
fn another_path_is_another_share_at_once() {
    let larder = rootless().user("ana").file("a.txt", "A");
    larder.http("ana").get("/api/get_file?file_path=a.txt").expect(200);
    let other = larder.folder_path().join("other");
    assert_eq!(update(&larder, json!({ "path": other })), json!([]));
    assert!(other.join(".larder/id").exists());
    let ana = larder.http("ana");
    ana.get("/api/get_file?file_path=a.txt").expect(404);
    ana.post("/api/new_file", json!({ "file_name": "b.txt", "file_content": "B" })).expect(200);
    assert_eq!(fs::read_to_string(other.join("b.txt")).unwrap(), "B");
    // The next start knows it, and that it is absent when it is.
    let mut larder = larder;
    larder.stop();
    fs::rename(&other, larder.folder_path().join("unplugged")).unwrap();
    fs::create_dir(&other).unwrap();
    let state = larder.state();
    let larder = larder.launch_with(|command| {
        let mut plain = std::process::Command::new(command.get_program());
        plain.args(["serve", "--port", "0", "--host", "127.0.0.1", "--state"]).arg(state);
        *command = plain;
    });
    larder.http("ana").get("/api/finder").expect_error(503, "Storage is not available");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    // And back again.
    update(&larder, json!({ "path": larder.root() }));
    assert_eq!(larder.http("ana").get("/api/get_file?file_path=a.txt").json()["content"], "A");
}

#[test]
fn a_path_that_cannot_be_shared_is_refused_and_the_old_one_stays() {
    let larder = rootless().user("ana").file("a.txt", "A");
    fs::write(larder.outside().join("file"), "").unwrap();
    let before = larder.stored_settings();
    let state = larder.state();
    let link = larder.outside().join("link");
    std::os::unix::fs::symlink(&state, &link).unwrap();
    for path in [
        larder.outside().join("file"),
        larder.outside().join("file/below"),
        larder.folder_path().join("no/such/folder"),
        state.clone(),
        state.join("db"),
        state.join("settings"),
        link,
        larder.folder_path().to_path_buf(),
        "/".into(),
        ".".into(),
        "/proc".into(),
    ] {
        let changes = json!({ "path": path, "trash_days": 1 });
        let answer = larder.http("ana").post("/api/update_settings", changes).expect_refusal(400);
        let sentence = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.starts_with("Invalid settings: path: "), "{sentence}");
        assert_eq!(larder.stored_settings(), before, "{}", path.display());
        larder.http("ana").get("/api/get_file?file_path=a.txt").expect(200);
    }
}

#[test]
fn a_hang_up_puts_an_edited_file_in_force() {
    let larder = rootless().user("ana").file("a.txt", "A");
    let other = larder.outside();
    fs::write(other.join("b.txt"), "B").unwrap();
    let mut edited = larder.stored_settings();
    edited["path"] = json!(other);
    edited["trash_days"] = json!(4);
    let larder = larder.settings(&edited);
    larder.process().signal(Signal::HUP);
    wait::until("the new root", || {
        larder.http("ana").get("/api/get_file?file_path=b.txt").status == 200
    });
    // Root and settings are two steps.
    wait::until("the new settings", || settings(&larder)["trash_days"] == 4);
    // What is wrong leaves everything as it was.
    edited["trash_days"] = json!("many");
    let larder = larder.settings(&edited);
    larder.process().signal(Signal::HUP);
    larder.process().wait_for_complaint("trash_days");
    assert_eq!(settings(&larder)["trash_days"], 4);
}

#[test]
fn what_was_edited_by_hand_survives_a_change_over_the_api() {
    let larder = Larder::start().user("ana");
    let mut edited = larder.stored_settings();
    edited["com_password"] = json!("sesame");
    edited["mine"] = json!([1]);
    edited["trash_days"] = json!(4);
    let larder = larder.settings(&edited);
    update(&larder, json!({ "trash_percent": 5, "com_password": "" }));
    edited["trash_percent"] = json!(5);
    assert_eq!(larder.stored_settings(), edited);
    assert_eq!(settings(&larder)["trash_days"], 4);
    // The FTP server's switch is a change, too.
    edited["trash_days"] = json!(6);
    edited["ftp_port"] = json!(0);
    let larder = larder.settings(&edited);
    update(&larder, json!({ "mine": [2] }));
    edited["trash_days"] = json!(7);
    edited["mine"] = json!([2]);
    let larder = larder.settings(&edited);
    larder.http("ana").post("/api/ftp/start", json!({})).expect_status("FTP server started");
    edited["ftp"] = json!(true);
    assert_eq!(larder.stored_settings(), edited);
}

#[test]
fn an_edited_file_that_cannot_be_used_is_put_aside_and_not_lost() {
    let larder = Larder::start().user("ana");
    let before = larder.stored_settings();
    let folder = larder.state().join("settings");
    for wrong in ["{\"port\": 80", "{\"port\": \"eighty\"}", "[]"] {
        fs::write(folder.join("settings.json"), wrong).unwrap();
        update(&larder, json!({ "trash_days": 9 }));
        let aside = fs::read_to_string(folder.join("settings.json.wrong")).unwrap();
        assert_eq!(aside, wrong);
        let mut now = before.clone();
        now["trash_days"] = json!(9);
        assert_eq!(larder.stored_settings(), now, "{wrong}");
    }
    // A file that is gone is made again.
    fs::remove_file(folder.join("settings.json")).unwrap();
    update(&larder, json!({ "trash_days": 10 }));
    assert_eq!(larder.stored_settings()["trash_days"], 10);
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let larder = Larder::start().user("ana");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let larder = &larder;
            scope.spawn(move || {
                for round in 0..4 {
                    update(larder, json!({ format!("key_{number}_{round}"): number }));
                }
            });
        }
    });
    let stored = larder.stored_settings();
    for number in 0..8 {
        for round in 0..4 {
            assert_eq!(stored[format!("key_{number}_{round}")], number);
        }
    }
    assert_eq!(settings(&larder), stored);
    assert!(!larder.state().join("settings/settings.json.new").exists());
}

#[test]
fn settings_are_for_roles_that_are_listed() {
    let larder = Larder::prepare().roles(&json!({})).launch().user("ana");
    larder.http("ana").get("/api/get_settings").expect_error(401, "Unauthorized");
    let answer = larder.http("ana").post("/api/update_settings", json!({ "trash_days": 1 }));
    answer.expect_error(401, "Unauthorized");
    assert_eq!(larder.stored_settings()["trash_days"], 30);
}

#[test]
fn a_trusted_proxy_tells_where_the_client_is_and_nobody_else_does() {
    let larder = Larder::start().user("ana");
    let address_of = |larder: &Larder, field: &str| {
        let ana = larder.http("ana").with("X-Forwarded-For", field);
        ana.post("/api/create_folder", json!({ "folder_name": "x" }));
        ana.post("/api/delete_folder", json!({ "path": "x" })).expect(200);
        let rows = larder.http("ana").get("/api/get_logs?limit=1").expect(200).json();
        rows[0]["ip"].as_str().unwrap().to_owned()
    };
    assert_eq!(address_of(&larder, "6.6.6.6"), "127.0.0.1");
    update(&larder, json!({ "trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"] }));
    for (field, wanted) in [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.7", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
        ("1.2.3.4, nonsense", "127.0.0.1"),
    ] {
        assert_eq!(address_of(&larder, field), wanted, "{field}");
    }
    update(&larder, json!({ "trusted_proxies": [] }));
    assert_eq!(address_of(&larder, "6.6.6.6"), "127.0.0.1");
}

/// A preflight of a browser.
fn preflight(larder: &Larder, path: &str, origin: &str) -> crate::harness::Answer {
    let mut wire = larder.wire();
    wire.send(format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: larder\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization, x-api-key, content-type\r\n\r\n"
    ));
    wire.answer()
}

#[test]
fn pages_of_listed_origins_may_use_the_api_and_no_others() {
    let larder = Larder::start().user("ana");
    let (good, bad) = ("http://nas.example:8080", "http://evil.example");
    let ana = larder.http("ana");
    for origin in [good, bad, "null"] {
        let answer = ana.clone().with("Origin", origin).get("/api/finder").expect(200);
        assert!(answer.header("Access-Control-Allow-Origin").is_none(), "{answer}");
        preflight(&larder, "/api/new_file", origin).expect_refusal(405);
    }
    update(&larder, json!({ "cors_origins": [good] }));
    let answer = preflight(&larder, "/api/new_file", good).expect(204);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(good));
    assert_eq!(answer.header("Vary"), Some("Origin"));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("POST"));
    let fields = answer.header("Access-Control-Allow-Headers").unwrap().to_lowercase();
    for field in ["authorization", "x-api-key", "content-type"] {
        assert!(fields.contains(field), "{fields}");
    }
    assert!(answer.header("Access-Control-Allow-Credentials").is_none());
    let answer = preflight(&larder, "/api/finder", good).expect(204);
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET, HEAD"));
    preflight(&larder, "/api/nothing", good).expect_error(404, "Not found");
    preflight(&larder, "/api/finder", bad).expect_refusal(405);

    for (target, status) in [("/api/finder", 200), ("/api/finder?path=missing", 404)] {
        let answer = ana.clone().with("Origin", good).get(target).expect(status);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(good), "{answer}");
        assert_eq!(answer.header("Vary"), Some("Origin"), "{answer}");
        assert!(answer.header("Access-Control-Allow-Credentials").is_none());
    }
    let answer = larder.anonymous().with("Origin", good).get("/api/finder").expect(401);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(good), "{answer}");
    for origin in [bad, "null", "http://nas.example", "https://nas.example:8080"] {
        let answer = ana.clone().with("Origin", origin).get("/api/finder").expect(200);
        assert!(answer.header("Access-Control-Allow-Origin").is_none(), "{answer}");
        assert_eq!(answer.header("Vary"), Some("Origin"), "{answer}");
    }
    update(&larder, json!({ "cors_origins": [] }));
    preflight(&larder, "/api/new_file", good).expect_refusal(405);
}

/// Notepad, and editors like it.
#[test]
fn what_begins_with_a_byte_order_mark_is_read_as_without() {
    let mut larder = Larder::start().user("ana");
    larder.stop();
    for name in ["settings.json", "roles.json", "cloud.json"] {
        let path = larder.state().join("settings").join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("\u{feff}{text}")).unwrap();
    }
    larder.restart();
    let ana = larder.http("ana");
    ana.get("/api/finder").expect(200);
    let marked = |body: &str| format!("\u{feff}{body}").into_bytes();
    let json = Some("application/json");
    let folder = marked(r#"{"folder_name": "made"}"#);
    ana.post_raw("/api/create_folder", json, &folder).expect_status("Folder created");
    let change = marked(r#"{"trash_days": 3}"#);
    ana.post_raw("/api/update_settings", json, &change).expect_status("Settings updated");
    assert_eq!(larder.stored_settings()["trash_days"], 3);
    let file = marked("{\"file_name\": \"a.txt\", \"file_content\": \"\u{feff}kept\"}");
    ana.post_raw("/api/new_file", json, &file).expect_status("File created");
    assert_eq!(fs::read_to_string(larder.root().join("a.txt")).unwrap(), "\u{feff}kept");
}

#[test]
fn what_the_command_line_covers_is_told_and_never_stored() {
    let larder = Larder::prepare().settings(&json!({ "port": 7070, "ftp_port": 2100 }));
    let larder = larder.launch_with(|command| {
        command.env("LARDER_FTP_PORT", "0");
    });
    let larder = larder.user("ana");
    let told = larder.http("ana").get("/api/get_settings").expect(200).json();
    assert_eq!((&told["port"], &told["ftp_port"]), (&json!(7070), &json!(2100)));
    let in_force = json!({
        "path": larder.root().canonicalize().unwrap(),
        "host": "127.0.0.1",
        "port": larder.port(),
        "ftp_port": 0,
    });
    assert_eq!(told["in_force"], in_force);
    update(&larder, told);
    assert!(larder.stored_settings().get("in_force").is_none());
}
