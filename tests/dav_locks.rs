//! `WebDAV`: locks (second contract, section 14), which hold on every door.

use serde_json::json;

use crate::harness::dav::{self, Dav, addresses, value};
use crate::harness::{Answer, Larder, everybody_may_everything};

/// A larder with ana and ben, who may everything, and ida, an admin.
fn house() -> Larder {
    dav::house().user("ben").admin("ida").file("d/a.txt", "A").file("d/sub/b.txt", "B")
}

/// What asks for a lock.
fn wanted(scope: &str) -> String {
    format!(
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype>\
         <D:owner><x:me xmlns:x='urn:x'>Ana &amp; co</x:me></D:owner></D:lockinfo>"
    )
}

/// Asks for a lock.
#[track_caller]
fn lock(client: &Dav<'_>, target: &str, scope: &str, more: &[(&str, &str)]) -> Answer {
    client.ask("LOCK", target, more, wanted(scope).as_bytes())
}

/// The token of a lock that was given, as `If` wants it.
#[track_caller]
fn token(answer: &Answer) -> String {
    answer.header("Lock-Token").unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The field that shows a token.
fn showing(token: &str) -> String {
    format!("({token})")
}

#[test]
fn a_lock_is_told_and_refuses_all_but_its_holder() {
    let larder = house();
    let (ana, ben) = (Dav::of(&larder, "ana"), Dav::of(&larder, "ben"));
    let given = lock(&ana, "/dav/d/a.txt", "exclusive", &[("Timeout", "Second-100")]).expect(200);
    let token = token(&given);
    for told in [&given, &ana.find("/dav/d/a.txt", "0", "").expect(207)] {
        let active = value(told, "activelock").unwrap();
        for part in [
            "<D:lockscope><D:exclusive/></D:lockscope>",
            "<D:depth>infinity</D:depth>",
            "<D:owner><x:me xmlns:x=\"urn:x\">Ana &amp; co</x:me></D:owner>",
            "<D:timeout>Second-",
            "<D:lockroot><D:href>/dav/d/a.txt</D:href></D:lockroot>",
            token.trim_matches(['<', '>']),
        ] {
            assert!(active.contains(part), "{part}: {told}");
        }
    }
    for client in [&ana, &ben] {
        let refused = client.put("/dav/d/a.txt", "x").expect(423);
        assert!(
            refused.text().contains(
                "<D:lock-token-submitted><D:href>/dav/d/a.txt</D:href></D:lock-token-submitted>"
            ),
            "{refused}"
        );
        client.say("DELETE", "/dav/d/a.txt").expect(423);
        client.say("DELETE", "/dav/d").expect(423);
        client.bring("MOVE", "/dav/d", "/dav/e", &[]).expect(423);
        client.bring("MOVE", "/dav/d/a.txt", "/dav/d/c", &[]).expect(423);
        client.bring("COPY", "/dav/d/sub/b.txt", "/dav/d/a.txt", &[]).expect(423);
        let body = b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><x/></D:prop></D:set></D:propertyupdate>";
        client.ask("PROPPATCH", "/dav/d/a.txt", &[], body).expect(423);
        let conflict = lock(client, "/dav/d/a.txt", "shared", &[]).expect(423);
        assert!(
            conflict.text().contains("<D:no-conflicting-lock><D:href>/dav/d/a.txt</D:href>"),
            "{conflict}"
        );
        lock(client, "/dav/d", "exclusive", &[]).expect(423);
        client.say("GET", "/dav/d/a.txt").expect(200);
    }
    // Somebody else's token is as none.
    ben.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&token))], b"x").expect(423);
    assert_eq!(larder.read("d/a.txt"), "A");
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&token))], b"mine").expect(204);
    let tagged = format!("<http://nas/dav/d/a.txt> {}", showing(&token));
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &tagged)], b"mine too").expect(204);
    // A copy has no lock.
    ana.bring("COPY", "/dav/d/a.txt", "/dav/d/free", &[]).expect(201);
    ana.put("/dav/d/free", "x").expect(204);
    ana.ask("UNLOCK", "/dav/d/a.txt", &[("Lock-Token", &token)], b"").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(204);
    let gone = ana.ask("UNLOCK", "/dav/d/a.txt", &[("Lock-Token", &token)], b"").expect(409);
    assert!(gone.text().contains("<D:lock-token-matches-request-uri/>"), "{gone}");
    // What was given back counts no more.
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&token))], b"x").expect(412);
}

#[test]
fn they_hold_on_every_door() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    lock(&ana, "/dav/d/a.txt", "exclusive", &[]).expect(200);
    for name in ["ana", "ben"] {
        let session = larder.http(name);
        for (endpoint, ask) in [
            ("/api/edit_file", json!({ "path": "d/a.txt", "file_content": "x" })),
            ("/api/delete_file", json!({ "path": "d/a.txt" })),
            ("/api/delete_folder", json!({ "path": "d" })),
            ("/api/move", json!({ "paths": ["d/a.txt"], "to": "" })),
            ("/api/move", json!({ "paths": ["d"], "to": "d/sub" })),
            ("/api/rename_file", json!({ "path": "d", "file_name": "a.txt", "new_name": "c" })),
            ("/api/rename_folder", json!({ "path": "", "folder_name": "d", "new_name": "e" })),
        ] {
            let answer = session.post(endpoint, ask.clone());
            if answer.status != 400 {
                let answer = answer.expect_code(409, "locked");
                assert_eq!(answer.json()["error"], "Locked by ana", "{answer}");
            }
        }
        session.get("/api/get_file?file_path=d/a.txt").expect(200);
    }
    assert_eq!(larder.read("d/a.txt"), "A");
}

#[test]
fn a_folder_is_locked_by_itself_or_with_all_that_is_in_it() {
    let larder = house();
    let (ana, ben) = (Dav::of(&larder, "ana"), Dav::of(&larder, "ben"));
    lock(&ana, "/dav/d", "exclusive", &[("Depth", "1")]).expect(400);
    let alone = token(&lock(&ana, "/dav/d", "exclusive", &[("Depth", "0")]).expect(200));
    ben.put("/dav/d/a.txt", "x").expect(204);
    ben.put("/dav/d/new", "x").expect(423);
    ben.say("MKCOL", "/dav/d/new").expect(423);
    ben.say("DELETE", "/dav/d/a.txt").expect(423);
    ben.put("/dav/d/sub/new", "x").expect(201);
    let tagged = format!("</dav/d/> {}", showing(&alone));
    ana.ask("PUT", "/dav/d/new", &[("If", &tagged)], b"x").expect(201);
    ana.ask("UNLOCK", "/dav/d/", &[("Lock-Token", &alone)], b"").expect(204);
    let deep = token(&lock(&ana, "/dav/d", "exclusive", &[]).expect(200));
    for target in ["/dav/d/a.txt", "/dav/d/sub/b.txt", "/dav/d/sub/newer"] {
        ben.put(target, "x").expect(423);
        let status = ana.ask("PUT", target, &[("If", &showing(&deep))], b"y").status;
        assert!(matches!(status, 201 | 204), "{target}: {status}");
    }
    // It is given back, and lasts longer, at any address that it covers.
    ana.ask("LOCK", "/dav/d/sub/b.txt", &[("If", &showing(&deep)), ("Timeout", "Second-9")], b"")
        .expect(200);
    ben.ask("LOCK", "/dav/d/sub/b.txt", &[("If", &showing(&deep))], b"").expect(412);
    ben.ask("UNLOCK", "/dav/d/sub/b.txt", &[("Lock-Token", &deep)], b"").expect(403);
    // An admin ends anybody's.
    Dav::of(&larder, "ida").ask("UNLOCK", "/dav/d/sub", &[("Lock-Token", &deep)], b"").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(204);
}

#[test]
fn shared_locks_go_together() {
    let larder = house();
    let (ana, ben) = (Dav::of(&larder, "ana"), Dav::of(&larder, "ben"));
    let one = token(&lock(&ana, "/dav/d/a.txt", "shared", &[]).expect(200));
    let two = token(&lock(&ben, "/dav/d/a.txt", "shared", &[]).expect(200));
    lock(&ben, "/dav/d/a.txt", "exclusive", &[]).expect(423);
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&one))], b"x").expect(204);
    ben.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&two))], b"x").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(423);
    let told = ana.find("/dav/d/a.txt", "0", "").expect(207);
    assert_eq!(told.text().matches("<D:activelock>").count(), 2, "{told}");
}

#[test]
fn a_name_that_is_not_there_becomes_an_empty_file() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let token = token(&lock(&ana, "/dav/d/new.txt", "exclusive", &[]).expect(201));
    assert_eq!(larder.read("d/new.txt"), "");
    ana.ask("PUT", "/dav/d/new.txt", &[("If", &showing(&token))], b"x").expect(204);
    assert_eq!(larder.read("d/new.txt"), "x");
    lock(&ana, "/dav/none/new.txt", "exclusive", &[]).expect(409);
    // It ends with what it locks.
    ana.ask("DELETE", "/dav/d/new.txt", &[("If", &showing(&token))], b"").expect(204);
    ana.put("/dav/d/new.txt", "x").expect(201);
    let token = self::token(&lock(&ana, "/dav/d/new.txt", "exclusive", &[]).expect(200));
    ana.bring("MOVE", "/dav/d/new.txt", "/dav/d/newer", &[("If", &showing(&token))]).expect(201);
    ana.put("/dav/d/newer", "y").expect(204);
    ana.put("/dav/d/new.txt", "y").expect(201);
}

#[test]
fn if_is_read_and_judged() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let put = |field: &str| ana.ask("PUT", "/dav/d/a.txt", &[("If", field)], b"x").status;
    for bad in ["x", "()", "(", "(<x>)", "([x])", "(<a:b>) <r> (<c:d>)", "(<a:b>"] {
        assert_eq!(put(bad), 400, "{bad}");
    }
    assert_eq!(put(&"(<a:b>)".repeat(65)), 400);
    assert_eq!(put(&format!("(<a:{}>)", "b".repeat(5000))), 400);
    assert_eq!(put("(<a:b>)"), 412);
    assert_eq!(put("(<DAV:no-lock>)"), 412);
    assert_eq!(put("([\"x\"])"), 412);
    assert_eq!(larder.read("d/a.txt"), "A");
    assert_eq!(put("(Not <DAV:no-lock>)"), 204);
    let tag = ana.put("/dav/d/a.txt", "y").expect(204).header("ETag").unwrap().to_owned();
    assert_eq!(put(&format!("(<a:b>) (Not <a:b> [{tag}])")), 204);
    assert_eq!(put(&format!("([{tag}])")), 412);
    assert_eq!(put("</dav/d/none> ([\"x\"])"), 412);
    for body in [
        "<D:lockinfo xmlns:D='DAV:'/>",
        "<D:propfind xmlns:D='DAV:'><D:allprop/></D:propfind>",
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>",
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:read/></D:locktype></D:lockinfo>",
        &wanted("exclusive").replace("co<", &format!("{}<", "x".repeat(4100))),
    ] {
        ana.ask("LOCK", "/dav/d/a.txt", &[], body.as_bytes()).expect(400);
    }
    ana.say("LOCK", "/dav/d/a.txt").expect(400);
    ana.say("UNLOCK", "/dav/d/a.txt").expect(400);
    ana.ask("LOCK", "/dav/d/a.txt", &[("If", "(<a:b>)")], b"").expect(412);
}

#[test]
fn they_are_bounded_and_end_by_themselves() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    lock(&ana, "/dav/d/a.txt", "exclusive", &[("Timeout", "Second-1")]).expect(200);
    crate::harness::wait::until("the lock to end", || ana.put("/dav/d/a.txt", "x").status == 204);
    let given = lock(&ana, "/dav/d/a.txt", "shared", &[("Timeout", "Infinite, Second-4100000000")])
        .expect(200);
    let seconds: u64 =
        value(&given, "timeout").unwrap().trim_start_matches("Second-").parse().unwrap();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    let given = lock(&ana, "/dav/d/a.txt", "shared", &[]).expect(200);
    let seconds: u64 =
        value(&given, "timeout").unwrap().trim_start_matches("Second-").parse().unwrap();
    assert!((500..=600).contains(&seconds), "{seconds}");
    for _ in 2..128 {
        lock(&ana, "/dav/d/a.txt", "shared", &[]).expect(200);
    }
    let beyond = lock(&ana, "/dav/d/a.txt", "shared", &[]).expect(503);
    assert!(beyond.header("Retry-After").is_some());
    lock(&Dav::of(&larder, "ben"), "/dav/d/a.txt", "shared", &[]).expect(200);
}

#[test]
fn a_holder_has_the_lock_again_after_a_restart() {
    let mut larder = house();
    let (first, second) = {
        let ana = Dav::of(&larder, "ana");
        let first = token(&lock(&ana, "/dav/d/a.txt", "exclusive", &[]).expect(200));
        (first, token(&lock(&ana, "/dav/d/sub", "exclusive", &[]).expect(200)))
    };
    larder.restart();
    let (ana, ben) = (Dav::of(&larder, "ana"), Dav::of(&larder, "ben"));
    ana.ask("PUT", "/dav/d/a.txt", &[("If", &showing(&first))], b"x").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(423);
    // Somebody else was faster.
    lock(&ben, "/dav/d/sub/b.txt", "exclusive", &[]).expect(200);
    ana.ask("PUT", "/dav/d/sub/b.txt", &[("If", &showing(&second))], b"x").expect(412);
    ana.ask("UNLOCK", "/dav/d/a.txt", &[("Lock-Token", &first)], b"").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(204);
}

#[test]
fn who_may_not_write_may_not_lock() {
    let larder = Larder::prepare()
        .roles(&everybody_may_everything())
        .launch()
        .reader("eve")
        .file("a.txt", "A");
    let eve = Dav::of(&larder, "eve");
    lock(&eve, "/dav/a.txt", "exclusive", &[]).expect(403);
    lock(&eve, "/dav/none", "exclusive", &[]).expect(403);
    lock(&eve, "/dav/.larder/x", "exclusive", &[]).expect(403);
    assert!(!larder.exists("none"));
    assert!(addresses(&eve.find("/dav/", "1", "").expect(207)).contains(&"/dav/a.txt".to_owned()));
}
