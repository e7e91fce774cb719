//! `WebDAV`: sentences of the contract's section 14 that have no other place.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::deleting::mixed;
use crate::harness::dav::{self, Dav, LOCK, addresses, value};
use crate::harness::ftp::{ALL_LETTERS, FtpHouse};
use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::{Client, Larder, everybody_may_everything};

/// A larder with ana, who may everything.
fn house() -> Larder {
    dav::house().file("d/a.txt", "A").folder("d/sub")
}

/// A body that sets these properties.
fn set(properties: &str) -> String {
    format!(
        "<D:propertyupdate xmlns:D='DAV:' xmlns:x='urn:x' xmlns:Z='urn:schemas-microsoft-com:'>\
         <D:set><D:prop>{properties}</D:prop></D:set></D:propertyupdate>"
    )
}

#[test]
fn if_is_judged_by_every_method() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let tag = ana.say("GET", "/dav/d/a.txt").expect(200).header("ETag").unwrap().to_owned();
    let given = ana.ask("LOCK", "/dav/d/a.txt", &[], LOCK).expect(200);
    let token = given.header("Lock-Token").unwrap();
    for (method, done) in [("GET", 200), ("HEAD", 200), ("PROPFIND", 207)] {
        let ask = |field: &str| {
            ana.ask(method, "/dav/d/a.txt", &[("Depth", "0"), ("If", field)], b"").status
        };
        assert_eq!(ask(&format!("({token})")), done);
        assert_eq!(ask(&format!("({token} [{tag}])")), done);
        assert_eq!(ask(&format!("([\"x\"]) (Not <DAV:no-lock> [{tag}])")), done);
        assert_eq!(ask("(<DAV:no-lock>)"), 412);
        assert_eq!(ask("([\"x\"])"), 412);
        assert_eq!(ask(&format!("</dav/d/sub> ({token})")), 412);
        assert_eq!(ask("x"), 400);
        assert_eq!(ask("()"), 400);
    }
    ana.ask("OPTIONS", "/dav/d/a.txt", &[("If", "x")], b"").expect(200);
    // What somebody else's token says is as if it had not been said.
    let larder = larder.user("ben");
    let ben = Dav::of(&larder, "ben");
    for field in [format!("({token})"), format!("(Not {token})")] {
        ben.ask("GET", "/dav/d/a.txt", &[("If", &field)], b"").expect(200);
        ben.ask("PUT", "/dav/d/a.txt", &[("If", &field)], b"x").expect(423);
    }
}

#[test]
fn macs_lock_no_litter_and_keep_nothing_with_it() {
    let larder = house().file("d/._a.txt", "");
    let mac = Dav::of(&larder, "ana").with("User-Agent", "WebDAVFS/3.0 Darwin/23.0");
    mac.ask("LOCK", "/dav/d/._new", &[], LOCK).expect(423);
    for target in ["/dav/d/._a.txt", "/dav/d/.DS_Store"] {
        mac.ask("PROPPATCH", target, &[], set("<x:a/>").as_bytes()).expect(423);
    }
    // What is there may go, and be looked at.
    mac.say("GET", "/dav/d/._a.txt").expect(200);
    mac.bring("MOVE", "/dav/d/._a.txt", "/dav/d/plain", &[]).expect(201);
    mac.put("/dav/d/DS_Store", "x").expect(201);
    mac.put("/dav/d/x._y", "x").expect(201);
    mac.say("DELETE", "/dav/d/plain").expect(204);
    assert_eq!(larder.tree(), ["d/", "d/DS_Store", "d/a.txt", "d/sub/", "d/x._y"]);
}

#[test]
fn another_sites_page_locks_nothing_and_ends_no_lock() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let given = ana.ask("LOCK", "/dav/d/a.txt", &[], LOCK).expect(200);
    let token = given.header("Lock-Token").unwrap();
    let cross = ("Sec-Fetch-Site", "cross-site");
    ana.ask("LOCK", "/dav/d/new", &[cross], LOCK).expect(403);
    ana.ask("UNLOCK", "/dav/d/a.txt", &[cross, ("Lock-Token", token)], b"").expect(403);
    ana.put("/dav/d/a.txt", "x").expect(423);
    for site in ["same-origin", "same-site", "none"] {
        ana.ask("PROPFIND", "/dav/d", &[("Sec-Fetch-Site", site), ("Depth", "0")], b"").expect(207);
    }
    ana.ask("OPTIONS", "/dav/d", &[cross], b"").expect(200);
    assert!(!larder.exists("d/new"));
}

#[test]
fn over_tls_it_is_open_where_that_is_demanded() {
    let settings = json!({ "dav_require_tls": true, "trusted_proxies": ["127.0.0.1"] });
    let larder = Larder::prepare()
        .roles(&everybody_may_everything())
        .settings(&settings)
        .launch()
        .user("ana")
        .file("a.txt", "A");
    let ana = Dav::of(&larder, "ana");
    ana.say("GET", "/dav/a.txt").expect(403);
    ana.say("POST", "/dav/a.txt").expect(403);
    let by_proxy = ("X-Forwarded-Proto", "https");
    ana.ask("GET", "/dav/a.txt", &[by_proxy], b"").expect(200);
    ana.ask("GET", "/dav/a.txt", &[("X-Forwarded-Proto", "http")], b"").expect(403);
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(ureq::tls::TlsConfig::builder().disable_verification(true).build())
        .build()
        .into();
    let base = format!("https://127.0.0.1:{}", larder.port());
    let secure = Client { agent, base, headers: Vec::new() }.with("X-API-KEY", larder.key("ana"));
    assert_eq!(secure.get("/dav/a.txt").expect(200).text(), "A");
}

#[test]
fn larders_own_folder_is_locked_by_nobody() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for target in ["/dav/.larder", "/dav/d/.larder/x", "/dav/%2Elarder/trash/"] {
        ana.ask("LOCK", target, &[], LOCK).expect(403);
        ana.ask("LOCK", target, &[("If", "(<a:b>)")], b"").expect(403);
        ana.ask("UNLOCK", target, &[("Lock-Token", "<a:b>")], b"").expect(403);
        ana.say("OPTIONS", target).expect(200);
    }
    assert!(!larder.exists("d/.larder"));
}

#[test]
fn a_name_in_pieces_means_no_one_of_two() {
    // Composed, in pieces in two orders that are the same one: three names on the drive.
    let larder = house().file("d/\u{1e69}", "1").file("d/s\u{307}\u{323}", "2");
    let ana = Dav::of(&larder, "ana");
    // As it is sent where that is there.
    assert_eq!(ana.say("GET", "/dav/d/%E1%B9%A9").expect(200).text(), "1");
    assert_eq!(ana.say("GET", "/dav/d/s%CC%87%CC%A3").expect(200).text(), "2");
    // Two siblings equal it: nobody knows which is meant.
    ana.say("GET", "/dav/d/s%CC%A3%CC%87").expect(404);
    ana.say("DELETE", "/dav/d/s%CC%A3%CC%87").expect(404);
    let listed = addresses(&ana.find("/dav/d", "1", "").expect(207));
    assert!(listed.contains(&"/dav/d/%E1%B9%A9".to_owned()), "{listed:?}");
    assert!(listed.contains(&"/dav/d/s%CC%87%CC%A3".to_owned()), "{listed:?}");
}

#[test]
fn a_request_may_name_the_whole_address() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for target in ["http://nas/dav/d/a.txt", "http://nas/dav/d/a.txt?x=1", "/dav/d/a.txt?x=%"] {
        assert_eq!(ana.say("GET", target).expect(200).text(), "A");
    }
    // Which must be that of `Host`.
    ana.say("GET", "http://other/dav/d/a.txt").expect(400);
    let head = ana.say("HEAD", "/dav/d").expect(200);
    assert!(head.header("Content-Length").unwrap().parse::<u64>().unwrap() > 0, "{head}");
}

#[test]
fn what_is_kept_with_a_file_stays_with_it_by_every_door() {
    let house = FtpHouse::start();
    house.user("kim", "", ALL_LETTERS);
    let larder = &house.larder;
    larder.write("d/a.txt", "A");
    let ana = Dav::of(larder, "ana");
    let answer = ana.ask("PROPPATCH", "/dav/d/a.txt", &[], set("<x:k>v</x:k>").as_bytes());
    if !answer.expect(207).text().contains("200 OK") {
        return;
    }
    let keeps = |target: &str| {
        ana.find(target, "0", "").expect(207).text().contains("<x:k xmlns:x=\"urn:x\">v</x:k>")
    };
    let api = larder.http("ana");
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(larder.root().join("d/a.txt"), mode).unwrap();
    ana.put("/dav/d/a.txt", "new").expect(204);
    let mode = std::fs::metadata(larder.root().join("d/a.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(keeps("/dav/d/a.txt"));
    api.post("/api/copy", json!({ "paths": ["d/a.txt"], "to": "" })).expect(200);
    assert!(keeps("/dav/a.txt"));
    let mut kim = house.sign_in("kim");
    kim.expect("RNFR a.txt", 350);
    kim.expect("RNTO b.txt", 250);
    assert!(keeps("/dav/b.txt"));
    api.post("/api/move", json!({ "paths": ["b.txt"], "to": "d" })).expect(200);
    assert!(keeps("/dav/d/b.txt"));
    let told = api.post("/api/delete_file", json!({ "path": "d/b.txt" })).expect(200).json();
    api.post("/api/trash/restore", json!({ "ids": told["trash"] })).expect(200);
    assert!(keeps("/dav/d/b.txt"));
    ana.bring("COPY", "/dav/d", "/dav/e", &[]).expect(201);
    assert!(keeps("/dav/e/b.txt"));
}

#[test]
fn where_nothing_can_be_kept_that_is_said() {
    if !mounts_are_given() {
        return;
    }
    let larder = Larder::prepare().roles(&everybody_may_everything()).folder("card");
    let script = r#"mount -t ramfs ramfs card && echo A > card/a.txt && exec "$@""#;
    let larder = launch_within(larder, script).user("ana");
    let ana = Dav::of(&larder, "ana");
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let dated = format!("<Z:Win32LastModifiedTime>{date}</Z:Win32LastModifiedTime>");
    let patch = |body: &str| ana.ask("PROPPATCH", "/dav/card/a.txt", &[], body.as_bytes());
    let answer = patch(&set(&format!("<x:k>v</x:k>{dated}"))).expect(207);
    let kept = "<x:k xmlns:x=\"urn:x\"/></D:prop><D:status>HTTP/1.1 403 Forbidden";
    assert!(answer.text().contains(kept) && answer.text().contains("HTTP/1.1 424"), "{answer}");
    let told = ana.find("/dav/card/a.txt", "0", "").expect(207);
    assert_ne!(value(&told, "getlastmodified").as_deref(), Some(date), "all or nothing");
    // Dates are no attributes.
    assert!(patch(&set(&dated)).expect(207).text().contains("HTTP/1.1 200 OK"));
    let told = ana.find("/dav/card/a.txt", "0", "").expect(207);
    assert_eq!(value(&told, "getlastmodified").as_deref(), Some(date));
    // Everything else works there.
    let tag = ana.put("/dav/card/a.txt", "new").expect(204).header("ETag").unwrap().to_owned();
    ana.ask("PUT", "/dav/card/a.txt", &[("If-Match", &tag)], b"newer").expect(204);
    ana.ask("LOCK", "/dav/card/new", &[], LOCK).expect(201);
    ana.say("MKCOL", "/dav/card/f").expect(201);
    ana.bring("MOVE", "/dav/card/a.txt", "/dav/b.txt", &[]).expect(201);
    ana.bring("COPY", "/dav/b.txt", "/dav/card/c.txt", &[]).expect(201);
}

#[test]
fn what_cannot_go_is_named_one_by_one() {
    let Some(larder) = mixed() else { return };
    let ana = Dav::of(&larder, "ana");
    larder.http("ana").post("/api/update_settings", json!({ "trash_days": 0 })).expect(200);
    let href = "/dav/mixed/deep/theirs/b.txt";
    let before = larder.tree();
    for method in ["COPY", "MOVE"] {
        let answer = ana.bring(method, "/dav/other", "/dav/mixed", &[]).expect(207);
        assert_eq!(addresses(&answer), [href], "{answer}");
        assert!(answer.text().contains("<D:status>HTTP/1.1 403 Forbidden</D:status>"), "{answer}");
        assert_eq!(larder.tree(), before);
    }
    let answer = ana.say("DELETE", "/dav/mixed").expect(207);
    assert_eq!(addresses(&answer), [href], "{answer}");
    assert!(larder.tree().contains(&"mixed/deep/theirs/b.txt".to_owned()));
    assert!(!larder.tree().contains(&"mixed/mine.txt".to_owned()), "{:?}", larder.tree());
    assert_eq!(larder.unfinished(), 0);
}
