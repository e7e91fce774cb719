//! The machine and the program: resources, power, version, end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Larder, wait};

/// A larder whose power commands leave a trace outside of the share.
fn with_traces() -> Larder {
    let larder = Larder::prepare();
    let trace = |name: &str| json!(["touch", larder.outside().join(name)]);
    let commands = json!({ "shutdown_command": trace("down"), "restart_command": trace("again") });
    larder.settings(&commands).launch().user("ana")
}

/// Whether a trace is there.
fn is_there(larder: &Larder, name: &str) -> bool {
    larder.outside().join(name).exists()
}

/// The newest rows of the log, as text.
fn log(larder: &Larder) -> String {
    larder.http("ana").get("/api/get_logs").expect(200).text().to_owned()
}

#[test]
fn the_machine_is_powered_off_and_restarted_by_the_owners_commands() {
    let larder = with_traces();
    let before = Instant::now();
    let answer = larder.http("ana").post("/api/shutdown", json!({}));
    answer.expect_status("Shutting down");
    assert!(!is_there(&larder, "down"), "before the answer");
    // What is under way is not turned round.
    larder.http("ana").post("/api/restart", json!({})).expect_refusal(409);
    wait::until("it is done", || is_there(&larder, "down"));
    assert!(before.elapsed() > Duration::from_millis(500), "{:?}", before.elapsed());
    wait::until("the outcome is logged", || {
        log(&larder).contains("shutdown: ended with exit code 0")
    });
    larder.http("ana").post_raw("/api/restart", None, b"").expect_status("Restarting");
    wait::until("it is done", || is_there(&larder, "again"));
    let log = log(&larder);
    assert!(log.contains("ana: shut the machine down"), "{log}");
    assert!(log.contains("ana: restarted the machine"), "{log}");
}

#[test]
fn a_command_that_cannot_be_started_is_a_failure_of_the_server() {
    let larder = Larder::start().user("ana");
    let script = larder.outside().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    for command in [
        json!(["/no/such/program"]),
        json!(["no-such-program-at-all", "now"]),
        json!([larder.outside()]),
        json!([script]),
    ] {
        let changes = json!({ "shutdown_command": command, "restart_command": command });
        larder.http("ana").post("/api/update_settings", changes).expect(200);
        for path in ["/api/shutdown", "/api/restart"] {
            let answer = larder.http("ana").post(path, json!({}));
            answer.expect_error(500, "Internal server error");
        }
    }
    assert!(log(&larder).contains("can't be started"));
}

#[test]
fn only_a_good_body_and_a_listed_role_reach_the_switch() {
    let larder = with_traces();
    for path in ["/api/shutdown", "/api/restart"] {
        larder.http("ana").post_raw(path, None, b"[]").expect_refusal(400);
        larder.anonymous().post(path, json!({})).expect_error(401, "Unauthorized");
        let get = larder.http("ana").get(path).expect_refusal(405);
        assert_eq!(get.header("Allow"), Some("POST"));
    }
    let larder = larder.roles(&json!({ "/api/shutdown": ["admin"] }));
    larder.process().signal(rustix::process::Signal::HUP);
    wait::until("the new roles", || {
        larder.http("ana").post("/api/shutdown", json!({})).status == 401
    });
    assert!(!is_there(&larder, "again"));
}

#[test]
fn a_power_command_inherits_no_secrets() {
    let larder = Larder::prepare();
    let file = larder.outside().join("environment");
    let script = format!("env >{0}.new; mv {0}.new {0}", file.display());
    let larder = larder
        .settings(&json!({ "shutdown_command": ["/bin/sh", "-c", script] }))
        .launch_with(|command| {
            command.env("LARDER_ADMIN_PASSWORD", "a secret 1").env("SOME_TOKEN", "a secret 2");
        })
        .user("ana");
    larder.http("ana").post("/api/shutdown", json!({})).expect(200);
    wait::until("it ran", || file.exists());
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("PATH=") && !text.contains("a secret"), "{text}");
}

#[test]
fn resources_are_whole_percentages_and_true() {
    let larder = Larder::start().user("ana");
    let answer = larder.http("ana").get("/api/resources").expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let told = answer.json();
    for key in ["cpu", "memory", "disk"] {
        let percent = told[key].as_u64().unwrap_or_else(|| panic!("{key} is no integer: {told}"));
        assert!(percent <= 100, "{told}");
    }
    let memory = fs::read_to_string("/proc/meminfo").unwrap();
    let kib = |name: &str| -> f64 {
        let line = memory.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let used = 100.0 * (1.0 - kib("MemAvailable:") / kib("MemTotal:"));
    assert!((told["memory"].as_f64().unwrap() - used).abs() < 15.0, "{used}: {told}");
    let disk = rustix::fs::statvfs(larder.root()).unwrap();
    let used = disk.f_blocks - disk.f_bfree;
    let percent = 100 * used / (used + disk.f_bavail);
    assert!(told["disk"].as_u64().unwrap().abs_diff(percent) <= 3, "{percent}: {told}");
    assert_eq!(told["disk_total_bytes"], disk.f_blocks * disk.f_frsize);
    assert_eq!(told["storage_present"], true);
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    assert!((told["uptime"].as_f64().unwrap() - uptime).abs() < 100.0, "{told}");
    assert_eq!(told["load"].as_array().unwrap().len(), 3);
    for key in ["memory_total_bytes", "memory_free_bytes", "disk_free_bytes"] {
        assert!(told[key].as_u64().unwrap() > 0, "{key}: {told}");
    }
    for key in ["network_received_bytes_per_s", "network_sent_bytes_per_s"] {
        assert!(told[key].is_u64(), "{key}: {told}");
    }
    for key in ["temperature", "power_supply", "board"] {
        assert!(told.get(key).is_some(), "{key}: {told}");
    }
    let card = rustix::fs::statvfs(larder.state()).unwrap();
    assert_eq!(told["state_total_bytes"], card.f_blocks * card.f_frsize);
    for key in ["storage_read_only", "state_read_only"] {
        assert_eq!(told[key], false, "{told}");
    }
    for warning in told["warnings"].as_array().unwrap() {
        assert!(warning["code"].is_string() && warning["text"].is_string(), "{told}");
    }
}

#[test]
fn what_is_written_to_a_drive_is_counted_over_a_restart() {
    let mut larder = Larder::start().user("ana");
    let written = |larder: &Larder| {
        larder.http("ana").get("/api/resources").expect(200).json()["written"].clone()
    };
    let first = written(&larder);
    larder.stop();
    let kept = fs::read_to_string(larder.state().join("written.json")).unwrap();
    let larder = larder.launch();
    let second = written(&larder);
    // A machine without drives, such as a container, has nothing to count.
    for (drive, again) in first.as_array().unwrap().iter().zip(second.as_array().unwrap()) {
        assert_eq!(drive["drive"], again["drive"]);
        assert!(kept.contains(drive["drive"].as_str().unwrap()), "{kept}");
        assert!(again["bytes"].as_u64() >= drive["bytes"].as_u64(), "{first} {second}");
        let since = drive["since"].as_str().unwrap();
        assert!(since.starts_with("20") && since.ends_with('Z'), "{since}");
    }
}

#[test]
fn a_drive_that_is_away_is_warned_of() {
    let larder = Larder::start().user("ana");
    let away = larder.outside().join("away");
    fs::rename(larder.root(), &away).unwrap();
    fs::create_dir(larder.root()).unwrap();
    wait::until("the warning", || {
        let told = larder.http("ana").get("/api/resources").expect(200).json();
        told["warnings"].as_array().unwrap().iter().any(|it| it["code"] == "storage_absent")
    });
}

#[test]
fn resources_follow_what_happens() {
    let larder = Larder::start().user("ana");
    let told = || larder.http("ana").get("/api/resources").expect(200).json();
    let first = told();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let is_busy = wait::comes_true(wait::PATIENCE, || told()["cpu"].as_u64().unwrap() >= 60);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(is_busy, "{}", told());
    });
    wait::until("time goes on", || told()["uptime"].as_u64() > first["uptime"].as_u64());
}

#[test]
fn resources_answer_without_the_drive_and_leave_it_alone() {
    let larder = Larder::start().user("ana");
    let unplugged = larder.folder_path().join("unplugged");
    fs::rename(larder.root(), &unplugged).unwrap();
    fs::create_dir(larder.root()).unwrap();
    let told = || larder.http("ana").get("/api/resources").expect(200).json();
    wait::until("the drive is missed", || told()["storage_present"] == false);
    assert_eq!((&told()["disk"], &told()["disk_total_bytes"]), (&json!(0), &json!(0)));
    assert!(told()["memory"].as_u64().unwrap() > 0);
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0);
    fs::remove_dir(larder.root()).unwrap();
    fs::rename(&unplugged, larder.root()).unwrap();
    wait::until("the drive is back", || told()["storage_present"] == true);
}

#[test]
fn who_is_on_is_for_those_who_may_see_users() {
    let larder = Larder::prepare()
        .roles(&json!({ "/api/resources": ["admin", "user"], "/api/user/get_all": ["admin"] }))
        .launch()
        .user("ana")
        .user_with("boss", "admin", r#"[""]"#, "[]");
    assert!(larder.http("ana").get("/api/resources").expect(200).json().get("people").is_none());
    larder.http("boss").get("/api/user/get_self").expect(200);
    let told = larder.http("boss").get("/api/resources").expect(200).json();
    let people = told["people"].as_array().expect("people");
    let names: Vec<&Value> = people.iter().map(|person| &person["username"]).collect();
    assert!(names.contains(&&json!("ana")) && names.contains(&&json!("boss")), "{told}");
    assert_eq!(people[0]["ip"], "127.0.0.1");
    assert!(people[0]["seconds_ago"].is_u64());
}

#[test]
fn the_version_is_told() {
    let larder = Larder::start().user("ana");
    let told = larder.http("ana").get("/api/get_version").expect(200).json();
    // tests/ca.rs knows of the fingerprint.
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_update_from_outside_stops_the_server_after_the_answer() {
    let mut larder = Larder::start().user("ana");
    let answer = larder.http("ana").post("/update_start_exit_program", json!({}));
    answer.expect_status("Update started");
    assert_eq!(larder.process().wait().code(), Some(0), "{}", larder.process().complaints());
    larder.kill();
    let larder = larder.launch();
    let log = log(&larder);
    assert!(log.contains("ana: stopped larder for an update"), "{log}");
    assert!(log.contains("larder stopped"), "{log}");
}

#[test]
fn stopping_twice_is_stopping_once() {
    let big = vec![b'x'; 24 << 20];
    let larder = Larder::start().user("ana").file("big.bin", &big);
    let mut wire = larder.wire();
    let key = larder.key("ana").to_owned();
    wire.send(format!(
        "GET /api/download?file_path=big.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    assert_eq!(wire.line().unwrap(), "HTTP/1.1 200 OK");
    // Connected before either asks: the door closes with the first.
    let wires = [larder.wire(), larder.wire()];
    std::thread::scope(|scope| {
        for mut wire in wires {
            wire.try_send(format!(
                "POST /update_start_exit_program HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\
                 Content-Length: 0\r\n\r\n"
            ));
            // The later one may find the door closed.
            scope.spawn(move || wire.try_answer(false));
        }
    });
    wire.skip_head();
    assert!(wire.take(big.len()).expect("the whole file") == big);
    drop(wire);
    assert_eq!(larder.process().wait().code(), Some(0));
}

#[test]
fn stopping_is_for_roles_that_are_listed() {
    let larder = Larder::prepare().roles(&json!({})).launch().user("ana");
    let answer = larder.http("ana").post("/update_start_exit_program", json!({}));
    answer.expect_error(401, "Unauthorized");
    larder.http("ana").get("/api/user/get_self").expect(200);
}

#[test]
fn resources_are_remembered_for_ten_minutes() {
    let larder = Larder::start().user("ana");
    let told =
        |query: &str| larder.http("ana").get(&format!("/api/resources{query}")).expect(200).json();
    assert!(told("").get("history").is_none() && told("?history=0").get("history").is_none());
    let now = || jiff::Timestamp::now().as_second();
    let began = now();
    wait::until("two samples", || told("?history=1")["history"].as_array().unwrap().len() >= 2);
    let history = told("?history=1")["history"].clone();
    let seconds: Vec<i64> =
        history.as_array().unwrap().iter().map(|moment| moment["t"].as_i64().unwrap()).collect();
    assert!(seconds.is_sorted() && seconds[0] >= began - 5, "{history}");
    assert!(*seconds.last().unwrap() <= now(), "{history}");
    for key in ["cpu", "memory", "disk"] {
        assert!(history[0][key].as_u64().unwrap() <= 100, "{history}");
    }
}
