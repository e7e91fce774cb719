//! `WebDAV`: what bounds requests and what they cost (second contract, section 14).

use std::time::Duration;

use serde_json::json;

use crate::harness::dav::{self, Dav, addresses, value};
use crate::harness::{Answer, Larder};

/// A larder with ana, who may everything.
fn house() -> Larder {
    dav::house().file("d/a.txt", "A")
}

/// Asks for a lock whose owner says this of themselves.
#[track_caller]
fn lock(client: &Dav<'_>, target: &str, scope: &str, owner: &str) -> Answer {
    let body = format!(
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype>\
         <D:owner>{owner}</D:owner></D:lockinfo>"
    );
    client.ask("LOCK", target, &[], body.as_bytes())
}

#[test]
fn many_entries_take_no_memory() {
    let larder = house().folder("many");
    let many = larder.root().join("many");
    for number in 0..40_000 {
        std::fs::File::create(many.join(format!("file number {number}"))).unwrap();
    }
    let ana = Dav::of(&larder, "ana");
    ana.find("/dav/d", "1", "").expect(207);
    let before = larder.process().memory_peak_kib();
    let body = "<D:propfind xmlns:D='DAV:'><D:prop><D:getetag/><D:getcontentlength/></D:prop></D:propfind>";
    let mut wire = ana.begin("PROPFIND", "/dav/many", &[("Depth", "1")], body.as_bytes());
    wire = wire.with_patience();
    wire.skip_head();
    // Of each some 270 bytes are told; it is not kept whole.
    let told = wire.pass_over();
    assert!(told > 10_000_000, "{told}");
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB");
}

/// What `If` is about is searched for by other forms of its name; each search reads a folder.
#[test]
fn many_things_in_if_read_no_folder_many_times() {
    let larder = house().folder("many");
    for number in 0..5000 {
        larder.write(&format!("many/\u{e4} {number}"), "");
    }
    let ana = Dav::of(&larder, "ana");
    let cost = |count: usize| {
        let lists: Vec<String> =
            (0..count).map(|number| format!("</dav/many/%C3%B6{number}>([\"x\"])")).collect();
        let before = larder.process().processor_time();
        ana.ask("PUT", "/dav/d/a.txt", &[("If", &lists.concat())], b"x").expect(412);
        larder.process().processor_time().saturating_sub(before)
    };
    cost(1);
    let (few, many) = (cost(4), cost(64));
    assert!(many < few * 3 + Duration::from_millis(100), "{few:?} {many:?}");
    // The same place as often as one likes, and what is in pieces is found.
    let list = "</dav/many/a%CC%88%207>(Not <DAV:no-lock>)".repeat(64);
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &list)], b"x").expect(204);
    let tag = ana.say("GET", "/dav/many/%C3%A4%207").expect(200).header("ETag").unwrap().to_owned();
    let list = format!("</dav/many/a%CC%88%207>([{tag}])");
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &list)], b"y").expect(204);
}

#[test]
fn what_many_owners_say_is_not_told_with_everything() {
    let larder = house();
    for number in 0..200 {
        larder.write(&format!("d/{number}"), "");
    }
    let ana = Dav::of(&larder, "ana");
    let words = "w".repeat(4096);
    for _ in 0..100 {
        lock(&ana, "/dav/d", "shared", &words).expect(200);
    }
    let one = ana.find("/dav/d/a.txt", "0", "").expect(207);
    assert_eq!(one.text().matches("<D:activelock>").count(), 100);
    assert_eq!(one.text().matches(&words).count(), 4);
    let before = larder.process().memory_peak_kib();
    assert_eq!(addresses(&ana.find("/dav/d", "1", "").expect(207)).len(), 202);
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
}

#[test]
fn there_are_so_many_locks_and_no_more() {
    let mut larder = house();
    let names: Vec<String> = (0..9).map(|number| format!("user{number}")).collect();
    for name in &names {
        larder = larder.user(name);
    }
    let count = |name: &str| {
        let client = Dav::of(&larder, name);
        (0..130).take_while(|_| lock(&client, "/dav/d/a.txt", "shared", "").status == 200).count()
    };
    let given: Vec<usize> = std::thread::scope(|scope| {
        let each: Vec<_> = names.iter().map(|name| scope.spawn(|| count(name))).collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(given.iter().sum::<usize>(), 1024, "{given:?}");
    assert!(given.iter().all(|count| *count <= 128), "{given:?}");
    let beyond = lock(&Dav::of(&larder, "ana"), "/dav/d/new", "shared", "").expect(503);
    assert!(beyond.header("Retry-After").is_some());
    assert!(!larder.exists("d/new"), "no file without its lock");
}

/// Whatever is refused before anybody looks at it says whose door this is.
#[test]
fn what_is_no_request_is_refused_in_this_doors_words() {
    let larder = house();
    let long = format!("GET /dav/a HTTP/1.1\r\nHost: nas\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    for request in [
        "GET /dav/a HTTP/1.1\r\n\r\n",
        "PROPFIND /dav HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "PUT /dav/a HTTP/1.1\r\nHost: nas\r\nContent-Length: x\r\n\r\n",
        "PUT /dav/a?x HTTP/1.1\r\nHost: nas\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET /dav/a HTTP/1.1\r\nHost: nas\r\nno field\r\n\r\n",
        "GET /dav/a HTTP/2.9\r\nHost: nas\r\n\r\n",
        &long,
    ] {
        let mut wire = larder.wire();
        wire.send_until_answered(request.as_bytes());
        let answer = wire.answer();
        assert!(matches!(answer.status, 400 | 417 | 431 | 501 | 505), "{request:.60}: {answer}");
        assert_eq!(answer.header("DAV"), Some("1, 2"), "{request:.60}: {answer}");
        assert_eq!(answer.header("MS-Author-Via"), Some("DAV"));
        assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    }
    for target in ["/", "/davx", "/api/finder?path=/dav/"] {
        let mut wire = larder.wire();
        wire.send(format!("GET {target} HTTP/1.1\r\n\r\n"));
        let answer = wire.answer().expect_refusal(400);
        assert_eq!(answer.header("DAV"), None);
    }
}

#[test]
fn a_body_is_asked_for_when_it_can_be_kept_and_not_before() {
    let larder = house();
    let ask = |target: &str, length: &str, more: &str| {
        let mut wire = larder.wire();
        wire.send(format!(
            "PUT {target} HTTP/1.1\r\nHost: nas\r\nX-API-KEY: {}\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n{more}\r\n",
            larder.key("ana")
        ));
        wire
    };
    let mut wire = ask("/dav/d/new", "3", "");
    wire.head_answer().expect(100);
    wire.send("new");
    wire.answer().expect(201);
    assert_eq!(larder.read("d/new"), "new");
    for (target, length, more, status) in [
        ("/dav/d/huge", "9000000000000000", "", 507),
        ("/dav/none/x", "3", "", 409),
        ("/dav/d", "3", "", 405),
        ("/dav/.larder/x", "3", "", 403),
        ("/dav/d/%", "3", "", 400),
        ("/dav/d/part", "3", "Content-Range: bytes 0-2/9\r\n", 400),
        ("/dav/d/a.txt", "3", "If-None-Match: *\r\n", 412),
        ("/dav/d/a.txt", "3", "If: (<a:b>)\r\n", 412),
    ] {
        ask(target, length, more).answer().expect(status);
    }
    // Who has signed in nowhere sends nothing either.
    let mut wire = larder.wire();
    wire.send(
        "PUT /dav/d/x HTTP/1.1\r\nHost: nas\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    );
    wire.answer().expect(401);
    assert_eq!(larder.tree(), ["d/", "d/a.txt", "d/new"]);
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn what_a_lock_is_asked_for_is_read_within_its_bounds() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    lock(&ana, "/dav/d/x", "shared", &"w".repeat(4097)).expect(400);
    lock(&ana, "/dav/d/x", "shared", &"&lt;".repeat(1025)).expect(400);
    assert!(!larder.exists("d/x"));
    let inner = "<x:a xmlns:x='urn:x' xml:lang='de'>\u{fc} &amp; <b/></x:a> tail";
    let given = lock(&ana, "/dav/d/x", "shared", inner).expect(201);
    let told = "<x:a xmlns:x=\"urn:x\" xml:lang=\"de\">\u{fc} &amp; <b/></x:a> tail";
    assert_eq!(value(&given, "owner").as_deref(), Some(told), "{given}");
    for (field, least, most) in [
        ("Second-1", 0, 1),
        ("Second-100, Infinite", 90, 100),
        ("Infinite", 3500, 3600),
        ("Second-4294967295", 3500, 3600),
        ("Second-18446744073709551616", 3500, 3600),
        ("nonsense", 500, 600),
        ("Second--5", 500, 600),
        ("", 500, 600),
    ] {
        let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope>\
            <D:locktype><D:write/></D:locktype></D:lockinfo>";
        let given = ana.ask("LOCK", "/dav/d/x", &[("Timeout", field)], body).expect(200);
        let seconds: u64 =
            value(&given, "timeout").unwrap().trim_start_matches("Second-").parse().unwrap();
        assert!((least..=most).contains(&seconds), "{field}: {seconds}");
    }
    // Refreshed by whoever holds it, wherever it covers; `Depth` and what it was asked for before mean nothing.
    let token = given.header("Lock-Token").unwrap();
    let shown = format!("({token})");
    let fields = [("If", &*shown), ("Timeout", "Second-77"), ("Depth", "0")];
    let again = ana.ask("LOCK", "/dav/d/x", &fields, b"").expect(200);
    assert!(again.header("Lock-Token").is_none(), "no new token");
    let seconds: u64 =
        value(&again, "timeout").unwrap().trim_start_matches("Second-").parse().unwrap();
    assert!((70..=77).contains(&seconds), "{seconds}");
    ana.ask("LOCK", "/dav/d/a.txt", &fields, b"").expect(412);
    let off = json!({ "dav": false });
    larder.http("ana").post("/api/update_settings", off).expect(200);
    let mut wire = larder.wire();
    wire.send("OPTIONS /dav/d HTTP/1.1\r\nHost: nas\r\n\r\n");
    wire.answer().expect_refusal(404);
}
