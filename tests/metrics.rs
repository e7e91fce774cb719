//! What programs that watch larder are told: `/metrics`, and `is_up` with `deep`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::harness::tus::Tus;
use crate::harness::{Client, Form, Larder, wait};

/// The families that are always told.
const ALWAYS: [&str; 13] = [
    "larder_up",
    "larder_build_info",
    "larder_connections",
    "larder_requests_total",
    "larder_transfers",
    "larder_bytes_received_total",
    "larder_bytes_sent_total",
    "larder_signin_failures_total",
    "larder_jobs_running",
    "larder_thumbs_total",
    "larder_uploads_open",
    "larder_links_open",
    "larder_drive_present",
];

/// Those that are told where somebody knows.
const SOMETIMES: [&str; 6] = [
    "larder_drive_bytes",
    "larder_trash_bytes",
    "larder_written_bytes_today",
    "larder_temperature_celsius",
    "larder_under_voltage",
    "larder_throttled",
];

/// What somebody is told: values by name and labels.
#[track_caller]
fn told(client: &Client) -> BTreeMap<String, u64> {
    read(client.get("/metrics").expect(200).text())
}

/// A value without its fraction, which only a temperature has.
fn whole(value: &str) -> u64 {
    let all: f64 = value.parse().unwrap();
    assert!(all.is_finite());
    value.split('.').next().unwrap().parse().unwrap()
}

/// Reads the format; it must be one.
#[track_caller]
fn read(text: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let (mut helped, mut typed) = (None, None);
    assert!(text.ends_with('\n'), "{text:?}");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty());
            helped = Some(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(helped, Some(name), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            typed = Some(name);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert_eq!(typed, Some(name), "{line}");
            let before = found.insert(series.to_owned(), whole(value));
            assert_eq!(before, None, "{line}");
        }
    }
    found
}

#[test]
fn the_families_are_those_of_the_contract_in_prometheus_format() {
    let larder = Larder::start().admin("ida");
    let answer = larder.http("ida").get("/metrics").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let told = read(answer.text());
    let names: Vec<&str> = told.keys().map(|series| series.split('{').next().unwrap()).collect();
    for name in ALWAYS {
        assert!(names.contains(&name), "{name} is missing: {names:?}");
    }
    for name in names {
        assert!(ALWAYS.contains(&name) || SOMETIMES.contains(&name), "{name}");
    }
    let version = format!("larder_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!((told["larder_up"], told[&version]), (1, 1));
    for series in [
        "larder_requests_total{class=\"2xx\"}",
        "larder_requests_total{class=\"3xx\"}",
        "larder_requests_total{class=\"4xx\"}",
        "larder_requests_total{class=\"5xx\"}",
        "larder_thumbs_total{result=\"made\"}",
        "larder_thumbs_total{result=\"failed\"}",
    ] {
        assert!(told.contains_key(series), "{series}: {told:?}");
    }
}

#[test]
fn requests_bytes_failures_and_what_goes_on_are_counted() {
    let larder = Larder::start().admin("ida");
    let ida = larder.http("ida");
    let before = told(&ida);
    larder.sign_in("ida", "not the password").expect(401);
    ida.get("/api/finder?path=nothing").expect(404);
    ida.upload(&Form::new().file("big.bin", vec![b'x'; 300_000])).expect(200);
    ida.get("/api/download?file_path=big.bin").expect(200);
    let tus = Tus::of(&larder, "ida");
    let upload = tus.begun(1000, &[("filename", "a.bin")]);
    let wish = json!({ "path": "big.bin" });
    ida.post("/api/link/create", wish.clone()).expect(200);
    let over = json!({ "path": "big.bin", "expires": "2001-01-01T00:00:00Z" });
    let _refused_or_over = ida.post("/api/link/create", over);
    let after = told(&ida);
    let grown = |series: &str| after[series] - before[series];
    assert_eq!(grown("larder_signin_failures_total"), 1);
    assert!(grown("larder_requests_total{class=\"4xx\"}") >= 2);
    assert!(grown("larder_requests_total{class=\"2xx\"}") >= 4);
    assert!(grown("larder_bytes_received_total") >= 300_000);
    assert!(grown("larder_bytes_sent_total") >= 300_000);
    assert_eq!((after["larder_uploads_open"], before["larder_uploads_open"]), (1, 0));
    assert_eq!((after["larder_links_open"], before["larder_links_open"]), (1, 0));
    assert!(after["larder_connections"] >= 1);
    tus.take_back(&upload);
    assert_eq!(told(&ida)["larder_uploads_open"], 0);
}

#[test]
fn an_upload_that_waits_is_counted_after_a_restart_and_one_that_is_done_is_not() {
    let mut larder = Larder::start().admin("ida");
    let tus = Tus::of(&larder, "ida");
    let upload = tus.begun(10, &[("filename", "a.bin")]);
    tus.patch(&upload, 0, b"half ");
    larder.restart();
    let ida = larder.http("ida");
    wait::until("the upload is seen", || told(&ida)["larder_uploads_open"] == 1);
    let tus = Tus::of(&larder, "ida");
    tus.patch(&upload, 5, b"whole");
    assert_eq!(told(&ida)["larder_uploads_open"], 0);
    assert_eq!(larder.read("a.bin"), "half whole");
}

#[test]
fn a_download_that_is_not_read_is_a_transfer() {
    let larder = Larder::start().admin("ida");
    larder.sparse("large.bin", 1 << 30);
    let ida = larder.http("ida");
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/download?file_path=large.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\r\n",
        larder.key("ida")
    ));
    wait::until("it goes on", || told(&ida)["larder_transfers"] >= 1);
    drop(wire);
    wait::until("it is over", || told(&ida)["larder_transfers"] == 0);
}

#[test]
fn the_trash_is_weighed_and_the_drive_is_told_of() {
    let larder = Larder::start().admin("ida").file("a.bin", vec![b'x'; 100_000]);
    let ida = larder.http("ida");
    ida.post("/api/delete_file", json!({ "path": "a.bin" })).expect(200);
    wait::until("the trash is weighed", || {
        told(&ida).get("larder_trash_bytes").is_some_and(|bytes| *bytes >= 100_000)
    });
    ida.post("/api/trash/empty", json!({})).expect(200);
    wait::until("it is weighed again", || told(&ida)["larder_trash_bytes"] == 0);
    let now = told(&ida);
    let (total, free) =
        (now["larder_drive_bytes{kind=\"total\"}"], now["larder_drive_bytes{kind=\"free\"}"]);
    assert!(total >= free && free > 0, "{total} {free}");
    assert_eq!(now["larder_drive_present"], 1);
    larder.unplug();
    wait::until("it is missed", || {
        let now = told(&ida);
        now["larder_drive_present"] == 0 && !now.contains_key("larder_drive_bytes{kind=\"free\"}")
    });
    larder.plug();
    wait::until("it is back", || told(&ida)["larder_drive_present"] == 1);
}

#[test]
fn no_name_no_path_and_no_address_is_told() {
    let larder = Larder::start().admin("secretive-ida").file("secret-folder/secret-file", "A");
    let ida = larder.http("secretive-ida");
    ida.get("/api/finder?path=secret-folder").expect(200);
    ida.post("/api/link/create", json!({ "path": "secret-folder", "label": "secret-label" }))
        .expect(200);
    let text = ida.get("/metrics").expect(200).text().to_owned();
    assert!(!text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
    assert!(!text.contains(larder.root().to_str().unwrap()), "{text}");
}

#[test]
fn a_role_is_needed_and_a_key_that_opens_this_door() {
    let larder = Larder::prepare()
        .roles(&json!({ "/metrics": ["admin"], "/api/finder": ["admin", "user"] }))
        .launch()
        .admin("ida")
        .user("ben");
    larder.anonymous().get("/metrics").expect_code(401, "unauthorized");
    larder.http("ben").get("/metrics").expect_code(403, "not_permitted");
    larder.http("ida").post("/metrics", json!({})).expect_refusal(405);
    larder.http("ida").head("/metrics").expect(200);
    let session = larder.session("ida");
    let (_, api) = session.make_key(json!({ "label": "watcher", "doors": ["api"] }));
    larder.with_key(&api).get("/metrics").expect(200);
    let basic = format!("Basic {}", BASE64.encode(format!("ida:{api}")));
    larder.anonymous().with("Authorization", &basic).get("/metrics").expect(200);
    larder.anonymous().with("Authorization", &basic).get("/api/is_up?deep=1").expect(200);
    let (_, dav) = session.make_key(json!({ "label": "drive", "doors": ["dav"] }));
    larder.with_key(&dav).get("/metrics").expect_code(403, "not_permitted");
    larder.with_key(&dav).get("/api/is_up?deep=1").expect_code(403, "not_permitted");
    let bens = larder.session("ben");
    let (_, key) = bens.make_key(json!({ "label": "his" }));
    larder.with_key(&key).get("/metrics").expect_code(403, "not_permitted");
}

#[test]
fn a_deep_look_tells_at_once_of_a_drive_that_is_away_and_is_not_limited() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for _ in 0..5 {
        assert_eq!(ana.get("/api/is_up?deep=1").expect_status("Server is up")["drive"], true);
    }
    for _ in 0..2 {
        larder.unplug();
        let away = ana.get("/api/is_up?deep=1").expect_code(503, "drive_absent").json();
        assert_eq!(away["drive"], false, "{away}");
        larder.plug();
        ana.get("/api/is_up?deep=1").expect(200);
    }
    // What is asked every few seconds is not written down each time.
    let log = ana.get("/api/get_logs").expect(200).text().to_owned();
    assert!(!log.contains("is_up"), "{log}");
    // Without the wish nothing is said of the drive.
    let plain = ana.get("/api/is_up?deep=0").expect_status("Server is up");
    assert_eq!(plain.get("drive"), None);
}

#[test]
fn a_deep_look_is_for_those_who_have_signed_in_and_others_are_limited() {
    let larder = Larder::start().user("ana");
    larder.unplug();
    let answers: Vec<u16> =
        (0..4).map(|_| larder.anonymous().get("/api/is_up?deep=1").status).collect();
    assert!(answers.contains(&401) && answers.contains(&429), "{answers:?}");
    assert!(answers.iter().all(|status| [401, 429].contains(status)), "{answers:?}");
    wait::until("the limit is over", || larder.anonymous().get("/api/is_up").status == 200);
    larder.bearer("nonsense").get("/api/is_up?deep=1").expect_refusal(429);
}
