//! The log: `/api/get_logs`, what is in it and what is not.

use std::time::Duration;

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::{ADMIN_PASSWORD, Form, Larder, password_of, wait};

/// The rows that a query gives.
#[track_caller]
fn rows(larder: &Larder, query: &str) -> Vec<Value> {
    let answer = larder.http("ana").get(&format!("/api/get_logs{query}")).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    answer.json().as_array().expect("an array").clone()
}

/// What the newest rows tell.
#[track_caller]
fn actions(larder: &Larder) -> Vec<String> {
    rows(larder, "?limit=1000")
        .iter()
        .map(|row| row["action"].as_str().expect("text").to_owned())
        .collect()
}

/// Puts rows into the database of a larder that does not run.
fn fill(larder: &Larder, count: u32, timestamp: &str) {
    let mut database = Connection::open(larder.state().join("db/logs.db")).unwrap();
    let transaction = database.transaction().unwrap();
    let mut insert = transaction
        .prepare("INSERT INTO logs(timestamp, action, ip) VALUES (?1, ?2, '10.0.0.9')")
        .unwrap();
    for number in 0..count {
        insert.execute((timestamp, format!("row {number}"))).unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
}

#[test]
fn rows_have_their_shape_and_come_newest_first() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let ana = larder.http("ana");
    ana.post("/api/delete_file", json!({ "path": "a.txt", "permanent": true })).expect(200);
    ana.post("/api/create_folder", json!({ "folder_name": "docs" })).expect(200);
    let rows = rows(&larder, "");
    assert_eq!(rows[0]["action"], "ana: created folder /docs");
    assert_eq!(rows[1]["action"], "ana: deleted /a.txt");
    for pair in rows.windows(2) {
        assert!(pair[0]["id"].as_i64().unwrap() > pair[1]["id"].as_i64().unwrap());
    }
    for row in &rows {
        let shape: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(shape[..4], ["id", "timestamp", "action", "ip"]);
        assert!(row["door"].is_string(), "{row}");
        let mask: String = row["timestamp"]
            .as_str()
            .unwrap()
            .chars()
            .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
            .collect();
        assert_eq!(mask, "0000-00-00 00:00:00");
    }
    assert_eq!(rows[0]["ip"], "127.0.0.1");
    assert!(rows.iter().any(|row| row["action"].as_str().unwrap().ends_with(" started")));
}

#[test]
fn pages_go_back_without_gaps_and_without_end() {
    let mut larder = Larder::start().user("ana");
    larder.stop();
    fill(&larder, 1200, "2999-01-01 00:00:00");
    let larder = larder.launch();
    assert_eq!(rows(&larder, "").len(), 125);
    assert_eq!(rows(&larder, "?limit=1").len(), 1);
    assert_eq!(rows(&larder, "?limit=1000").len(), 1000);
    assert_eq!(rows(&larder, "?limit=5000").len(), 1000);
    let mut seen = Vec::new();
    let mut query = "?limit=500".to_owned();
    loop {
        let page = rows(&larder, &query);
        let Some(last) = page.last() else { break };
        query = format!("?limit=500&before={}", last["id"]);
        seen.extend(page.iter().map(|row| row["id"].as_i64().unwrap()));
    }
    assert!(seen.len() > 1200);
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1] + 1), "gaps: {seen:?}");
    assert!(rows(&larder, "?before=1").is_empty());
    assert!(rows(&larder, "?before=0").is_empty());
}

#[test]
fn what_is_no_number_is_refused() {
    let larder = Larder::start().user("ana");
    for query in [
        "limit=",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=%2B1",
        "limit=1e3",
        "limit=99999999999999999999",
        "before=",
        "before=-1",
        "before=x",
        "before=%FF",
    ] {
        larder.http("ana").get(&format!("/api/get_logs?{query}")).expect_refusal(400);
    }
}

#[test]
fn what_happens_is_logged_and_secrets_are_not() {
    let larder = Larder::prepare()
        .roles(&json!({
            "/api/get_logs": ["user"], "/api/update_settings": ["user"], "/api/upload": ["user"],
            "/api/new_file": ["user"], "/api/edit_file": ["user"], "/api/rename_file": ["user"],
            "/api/rename_folder": ["user"], "/api/create_folder": ["user"],
            "/api/delete_folder": ["user"], "/api/command": ["user"],
        }))
        .launch()
        .user("ana")
        .user_with("leo", "user", r#"["photos"]"#, "[]");
    let ana = larder.http("ana");
    let token = larder.token("ana");
    larder.sign_in("ana", "a wrong password").expect(401);
    larder.sign_in("nobody", "a wrong password").expect(401);
    larder.bearer("not.a.token").get("/api/get_logs").expect(401);
    ana.get("/api/finder").expect(401);
    larder
        .http("leo")
        .post("/api/new_file", json!({ "file_name": "x", "file_content": "" }))
        .expect(401);
    ana.post("/api/new_file", json!({ "file_name": "a.txt", "file_content": "sesame" }))
        .expect(200);
    ana.post("/api/edit_file", json!({ "path": "a.txt", "file_content": "sesame" })).expect(200);
    let names = json!({ "path": "", "file_name": "a.txt", "new_name": "b.txt" });
    ana.post("/api/rename_file", names).expect(200);
    ana.post("/api/create_folder", json!({ "folder_name": "docs" })).expect(200);
    let names = json!({ "folder_name": "docs", "new_name": "old" });
    ana.post("/api/rename_folder", names).expect(200);
    ana.post("/api/delete_folder", json!({ "path": "old", "permanent": true })).expect(200);
    ana.upload(&Form::new().file("up.txt", "sesame")).expect(200);
    ana.post("/api/update_settings", json!({ "trash_days": 7, "a_secret": "sesame" })).expect(200);
    ana.post("/api/command", json!({ "command": "true" })).expect(200);
    larder.bearer(&token).post("/api/user/logout", json!({})).expect(200);
    let actions = actions(&larder);
    for wanted in [
        "larder 0.1.0 started",
        "ana: signed in",
        "failed sign-in as ana",
        "failed sign-in as nobody",
        "GET /api/get_logs: refused: invalid token",
        "GET /api/finder: refused",
        "POST /api/new_file: refused",
        "ana: created /a.txt",
        "ana: edited /a.txt",
        "ana: renamed /a.txt to /b.txt",
        "ana: created folder /docs",
        "ana: renamed /docs to /old",
        "ana: deleted folder /old",
        "ana: uploaded /up.txt",
        "ana: changed settings: trash_days, a_secret",
        "ana: command: true",
        "ana: signed out",
    ] {
        let wanted = wanted.replace("0.1.0", env!("CARGO_PKG_VERSION"));
        assert!(actions.iter().any(|action| action.starts_with(&wanted)), "{wanted}: {actions:#?}");
    }
    let text = actions.join("\n");
    for secret in [
        &token,
        larder.key("ana"),
        &password_of("ana"),
        ADMIN_PASSWORD,
        "a wrong password",
        "sesame",
        "not.a.token",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn a_stop_and_a_reload_are_in_the_log_of_the_next_start() {
    let mut larder = Larder::start().user("ana");
    larder.process().signal(Signal::HUP);
    wait::until("the reload", || {
        actions(&larder).iter().any(|action| action.contains("settings and roles read again"))
    });
    larder.stop();
    let larder = larder.launch();
    let actions = actions(&larder);
    assert!(actions.iter().any(|action| action == "larder stopped"), "{actions:?}");
    // The server answers a moment before it says so.
    wait::until("both starts", || {
        let actions = self::actions(&larder);
        actions.iter().filter(|action| action.ends_with(" started")).count() == 2
    });
}

#[test]
fn strangers_cannot_flood_the_log() {
    let larder = Larder::start().user("ana");
    for _ in 0..100 {
        larder.anonymous().get("/api/finder").expect(401);
    }
    let refused = actions(&larder).iter().filter(|action| action.contains("not signed in")).count();
    assert!((1..50).contains(&refused), "{refused}");
}

#[test]
fn old_rows_go_at_the_start_and_when_the_time_is_shortened() {
    let mut larder = Larder::start().user("ana");
    larder.stop();
    fill(&larder, 3, "2001-01-01 00:00:00");
    let yesterday = jiff::ZonedDateTime::now().checked_sub(jiff::SignedDuration::from_hours(50));
    fill(&larder, 3, &yesterday.unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string());
    let larder = larder.launch();
    let left = |larder: &Larder| {
        actions(larder).iter().filter(|action| action.starts_with("row ")).count()
    };
    wait::until("old rows are gone", || left(&larder) == 3);
    let ana = larder.http("ana");
    ana.post("/api/update_settings", json!({ "log_retention_days": 1 })).expect(200);
    wait::until("younger rows are gone", || left(&larder) == 0);
}

#[test]
fn a_hundred_thousand_rows_slow_nothing_down() {
    let mut larder = Larder::start().user("ana");
    larder.stop();
    fill(&larder, 100_000, "2999-01-01 00:00:00");
    let larder = larder.launch();
    rows(&larder, "");
    let peak = larder.process().memory_peak_kib();
    let before = larder.process().processor_time();
    for _ in 0..20 {
        assert_eq!(rows(&larder, "?limit=1000&before=50000").len(), 1000);
    }
    // Generous, for a slow machine: without an index it would be seconds.
    let used = larder.process().processor_time().saturating_sub(before);
    assert!(used < Duration::from_secs(5), "{used:?}");
    let grown = larder.process().memory_peak_kib().saturating_sub(peak);
    assert!(grown < 16 << 10, "{grown} KiB");
}

/// What a log row of now says in this zone.
#[track_caller]
fn minute_in(zone: &str) -> String {
    minute_of(Larder::prepare().launch_with(|command| {
        command.env("TZ", zone);
    }))
}

/// What a log row of now says.
#[track_caller]
fn minute_of(larder: Larder) -> String {
    let larder = larder.user("ana");
    larder.http("ana").post("/api/create_folder", json!({ "folder_name": "x" })).expect(200);
    let rows = larder.http("ana").get("/api/get_logs?limit=1").expect(200).json();
    rows[0]["timestamp"].as_str().unwrap()[..16].to_owned()
}

/// The rules of a zone without summer time.
const KOLKATA: &str = "/usr/share/zoneinfo/Asia/Kolkata";

/// Half past five hours ahead of UTC all the year, said in every way.
#[test]
fn times_are_local_in_whatever_form_the_zone_is_named() {
    let mut zones =
        vec!["IST-5:30", "<+0530>-05:30", "ABC-5:30DEF-5:30,M3.2.0,M11.1.0", "ABC-5:30DEF-5:30"];
    if std::path::Path::new(KOLKATA).exists() {
        zones.extend(["Asia/Kolkata", ":Asia/Kolkata", KOLKATA]);
        zones.push(":/usr/share/zoneinfo/Asia/Kolkata");
    }
    for zone in zones {
        expect_half_past_five(|| minute_in(zone));
    }
}

/// Whether it is told that it is half past five hours later than in UTC.
#[track_caller]
fn expect_half_past_five(ask: impl FnOnce() -> String) {
    let there = || {
        let time = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(330);
        time.strftime("%Y-%m-%d %H:%M").to_string()
    };
    let before = there();
    let told = ask();
    assert!(before <= told && told <= there(), "{told}");
}

#[test]
fn without_a_zone_of_its_own_larder_has_the_systems() {
    if !mounts_are_given() || !std::path::Path::new(KOLKATA).exists() {
        return; // Another /etc needs a mount, and the zone its rules.
    }
    for form in ["ln -s", "cp"] {
        let script = format!(
            "cp -a /etc ../etc && rm -f ../etc/localtime && {form} {KOLKATA} ../etc/localtime && \
             mount --bind ../etc /etc && unset TZ && exec \"$@\""
        );
        let larder = launch_within(Larder::prepare(), &script);
        expect_half_past_five(|| minute_of(larder));
    }
}

#[test]
fn a_zone_that_nobody_knows_is_told_and_times_are_in_utc() {
    let before = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    let told = minute_in("Middle/Earth");
    let after = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    assert!(before <= told && told <= after, "{told}");
    let larder = Larder::prepare().launch_with(|command| {
        command.env("TZ", "Middle/Earth");
    });
    assert!(larder.process().complaints().contains("Middle/Earth"));
}
