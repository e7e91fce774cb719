//! `WebDAV` (second contract, section 14): who is let in, what each method does, and what it refuses.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::harness::dav::{Dav, addresses, basic, value};
use crate::harness::{Larder, everybody_may_everything, password_of, wait};

/// A larder with ana, who may everything, eve, who may read `pub` and write `pub/in`, and ida, an admin.
fn house() -> Larder {
    Larder::prepare()
        .roles(&everybody_may_everything())
        .launch()
        .user("ana")
        .user_with("eve", "user", r#"["pub"]"#, r#"["pub/in"]"#)
        .admin("ida")
        .file("pub/a.txt", "A")
        .folder("pub/in")
        .file("own/s.txt", "secret")
}

#[test]
fn options_is_for_everybody_and_the_same_everywhere() {
    let larder = house();
    let nobody = Dav::nobody(&larder);
    let first = nobody.say("OPTIONS", "/dav/").expect(200);
    assert_eq!(
        first.header("Allow"),
        Some(
            "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK"
        )
    );
    assert!(first.body.is_empty());
    for target in ["/dav", "/", "*", "/dav/none", "/dav/.larder/x", "/dav/own/s.txt", "/dav/%ff"] {
        let answer = nobody.say("OPTIONS", target).expect(200);
        assert_eq!(answer.header("Allow"), first.header("Allow"), "{answer}");
    }
}

#[test]
fn a_preflight_of_a_listed_origin_is_told_what_it_may() {
    let origin = "http://pages.example";
    let larder = Larder::prepare().settings(&json!({ "cors_origins": [origin] })).launch();
    let asked = [("Origin", origin), ("Access-Control-Request-Method", "PROPFIND")];
    let answer = Dav::nobody(&larder).ask("OPTIONS", "/dav/", &asked, b"").expect(200);
    let methods = answer.header("Access-Control-Allow-Methods").unwrap();
    assert!(methods.contains("PROPFIND") && answer.header("Allow").is_some(), "{answer}");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(origin));
    assert!(answer.header("Access-Control-Allow-Headers").unwrap().contains("Destination"));
}

#[test]
fn who_brings_nothing_or_something_wrong_is_asked_for_a_password() {
    let larder = house();
    let nobody = Dav::nobody(&larder);
    for method in
        ["GET", "PUT", "PROPFIND", "MKCOL", "DELETE", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK"]
    {
        let answer = nobody.say(method, "/dav/pub/a.txt").expect(401);
        let challenge = answer.header("WWW-Authenticate");
        assert_eq!(challenge, Some("Basic realm=\"larder\", charset=\"UTF-8\""), "{answer}");
    }
    // The cookie is for the pages alone.
    let token = larder.token("ana");
    let cookie = format!("larder_session={token}");
    nobody.ask("GET", "/dav/pub/a.txt", &[("Cookie", &cookie)], b"").expect(401);
    let bearer = format!("Bearer {token}");
    nobody.ask("GET", "/dav/pub/a.txt", &[("Authorization", &bearer)], b"").expect(200);
    nobody.ask("GET", "/dav/pub/a.txt", &[("X-API-KEY", larder.key("ana"))], b"").expect(200);
    let with = |name: &str, password: &str| {
        Dav::nobody(&larder).with("Authorization", &basic(name, password))
    };
    // Signing in for the token was a try of its own.
    wait::until("the next try to be let in", || {
        with("ana", &password_of("ana")).say("GET", "/dav/pub/a.txt").status == 200
    });
    with("LAPTOP\\ana", &password_of("ana")).say("GET", "/dav/pub/a.txt").expect(200);
    let wrong = with("ana", "wrong");
    let answers: Vec<u16> = (0..3).map(|_| wrong.say("GET", "/dav/pub/a.txt").status).collect();
    assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
    // Who was right lately waits for nobody's guesses.
    with("ana", &password_of("ana")).say("GET", "/dav/pub/a.txt").expect(200);
    wrong.say("GET", "/dav/pub/a.txt");
    with("ana", &password_of("ana")).say("GET", "/dav/pub/a.txt").expect(200);
}

#[test]
fn a_key_comes_as_a_password_and_opens_what_it_says() {
    let larder = house();
    let ana = larder.session("ana");
    let key = |wish| ana.make_key(wish).1;
    let with = |key: &str| Dav::nobody(&larder).with("Authorization", &basic("ana", key));
    let reads = key(json!({ "label": "r", "path": "pub", "doors": ["dav"] }));
    with(&reads).say("GET", "/dav/pub/a.txt").expect(200);
    with(&reads).say("GET", "/dav/own/s.txt").expect(403);
    with(&reads).put("/dav/pub/new", "x").expect(403);
    let other = key(json!({ "label": "ftp", "doors": ["ftp", "api"] }));
    with(&other).say("GET", "/dav/pub/a.txt").expect(403);
    let writes = key(json!({ "label": "w", "path": "pub", "write": true }));
    with(&writes).put("/dav/pub/new", "x").expect(201);
    with("lk_000000000000000000000000000000000000000000000000")
        .say("GET", "/dav/pub/a.txt")
        .expect(401);
    Dav::nobody(&larder)
        .with("Authorization", &basic("NAS\\ana", &reads))
        .say("GET", "/dav/pub/a.txt")
        .expect(200);
    Dav::nobody(&larder)
        .with("Authorization", &basic("eve", &reads))
        .say("GET", "/dav/pub/a.txt")
        .expect(401);
}

#[test]
fn each_method_needs_its_role_and_the_doors() {
    let needs: [(&str, &[&str]); 10] = [
        ("GET", &["/api/download"]),
        ("PROPFIND", &["/api/finder"]),
        ("PUT", &["/api/upload"]),
        ("PROPPATCH", &["/api/upload"]),
        ("LOCK", &["/api/upload"]),
        ("UNLOCK", &[]),
        ("MKCOL", &["/api/create_folder"]),
        ("COPY", &["/api/copy"]),
        ("MOVE", &["/api/move"]),
        ("DELETE", &["/api/delete_file", "/api/delete_folder"]),
    ];
    let larder = house();
    let (ana, ida) = (Dav::of(&larder, "ana"), larder.session("ida"));
    for (method, others) in needs {
        for without in others.iter().chain(&["/dav/"]) {
            let mut roles = everybody_may_everything();
            roles[*without] = json!(["admin"]);
            ida.post("/api/role/edit", roles).expect(200);
            ana.say(method, "/dav/pub/a.txt").expect(403);
            ana.say(method, "/dav/pub/none").expect(403);
        }
    }
    assert_eq!(larder.read("pub/a.txt"), "A");
}

#[test]
fn a_path_that_may_not_is_refused_before_anybody_learns_what_is_there() {
    let larder = house();
    let eve = Dav::of(&larder, "eve");
    for target in ["/dav/own/s.txt", "/dav/own/none"] {
        for method in ["GET", "HEAD", "PUT", "PROPFIND", "MKCOL", "DELETE"] {
            eve.say(method, target).expect(403);
        }
        let body = b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><x/></D:prop></D:set></D:propertyupdate>";
        eve.ask("PROPPATCH", target, &[], body).expect(403);
        for method in ["COPY", "MOVE"] {
            eve.bring(method, target, "/dav/pub/in/x", &[]).expect(403);
            eve.bring(method, "/dav/pub/in/x", target, &[]).expect(403);
        }
    }
    eve.say("GET", "/dav/pub/a.txt").expect(200);
    eve.put("/dav/pub/a.txt", "evil").expect(403);
    eve.put("/dav/pub/in/b", "x").expect(201);
    assert_eq!(addresses(&eve.find("/dav/", "1", "").expect(207)), ["/dav/", "/dav/pub/"]);
    assert_eq!(larder.read("pub/a.txt"), "A");
}

#[test]
fn larders_own_folder_is_not_there_and_takes_nothing() {
    let larder = house();
    let ida = Dav::of(&larder, "ida");
    for target in ["/dav/.larder", "/dav/.larder/trash", "/dav/pub/.larder/x", "/dav/%2elarder/"] {
        for method in ["GET", "HEAD", "PROPFIND"] {
            ida.say(method, target).expect(404);
        }
        for method in ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH"] {
            let body: &[u8] = match method {
                "PROPPATCH" => b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><x/></D:prop></D:set></D:propertyupdate>",
                _ => b"",
            };
            ida.ask(method, target, &[("Destination", "/dav/x")], body).expect(403);
        }
        ida.bring("MOVE", "/dav/pub/a.txt", target, &[]).expect(403);
    }
    let listed = addresses(&ida.find("/dav/", "1", "").expect(207));
    assert_eq!(listed, ["/dav/", "/dav/own/", "/dav/pub/"]);
}

#[test]
fn addresses_are_decoded_name_by_name() {
    let larder = house().file("pub/a b+c%ü.txt", "odd");
    let ana = Dav::of(&larder, "ana");
    for target in [
        "/dav/pub/a%20b+c%25%C3%BC.txt",
        "/dav/pub/a%20b%2Bc%25%c3%bc.txt/",
        "/dav//pub/./a%20b+c%25%C3%BC.txt",
    ] {
        assert_eq!(ana.say("GET", target).expect(200).text(), "odd");
    }
    for target in [
        "/dav/%ff",
        "/dav/pub/..",
        "/dav/pub/%2e%2E/own",
        "/dav/a%2Fb",
        "/dav/a%00",
        "/dav/%",
        "/dav/%4",
        "/dav/%zz",
    ] {
        ana.say("GET", target).expect(400);
        ana.put(target, "x").expect(400);
        ana.bring("COPY", "/dav/pub/a.txt", target, &[]).expect(400);
    }
    let listed = addresses(&ana.find("/dav/pub", "1", "").expect(207));
    assert_eq!(
        listed,
        ["/dav/pub/", "/dav/pub/a%20b%2Bc%25%C3%BC.txt", "/dav/pub/a.txt", "/dav/pub/in/"]
    );
}

#[test]
fn a_name_in_pieces_means_the_one_that_is_there() {
    let larder = house().file("pub/M\u{fc}nchen.txt", "whole").folder("pub/Gr\u{fc}n");
    let ana = Dav::of(&larder, "ana");
    let pieces = "/dav/pub/Mu%CC%88nchen.txt";
    assert_eq!(ana.say("GET", pieces).expect(200).text(), "whole");
    ana.put(pieces, "again").expect(204);
    assert_eq!(larder.read("pub/M\u{fc}nchen.txt"), "again");
    // A new name stays as it was sent, but for the one that takes apart what people type.
    ana.put("/dav/pub/Gru%CC%88n/a%CC%88", "1").expect(201);
    assert_eq!(larder.read("pub/Gr\u{fc}n/a\u{308}"), "1");
    let finder = Dav::of(&larder, "ana").with("User-Agent", "WebDAVFS/3.0.0 (03008000) Darwin/23");
    finder.put("/dav/pub/o%CC%88", "2").expect(201);
    assert_eq!(larder.read("pub/\u{f6}"), "2");
    finder.bring("MOVE", "/dav/pub/o%CC%88", "/dav/pub/Gru%CC%88n/e%CC%81", &[]).expect(201);
    assert_eq!(larder.read("pub/Gr\u{fc}n/\u{e9}"), "2");
}

#[test]
fn get_sends_files_as_downloads_and_of_folders_a_sentence() {
    let larder = house().file("pub/page.html", "<b>0123456789</b>");
    let ana = Dav::of(&larder, "ana");
    let whole = ana.say("GET", "/dav/pub/page.html").expect(200);
    assert!(whole.header("Content-Security-Policy").unwrap().starts_with("sandbox"), "{whole}");
    assert!(whole.header("Content-Disposition").unwrap().starts_with("inline"), "{whole}");
    let api =
        larder.session("ana").get("/api/download?file_path=pub/page.html&inline=1").expect(200);
    assert_eq!(whole.header("ETag"), api.header("ETag"));
    let part = ana.ask("GET", "/dav/pub/page.html", &[("Range", "bytes=3-5")], b"").expect(206);
    assert_eq!(part.text(), "012");
    let tag = whole.header("ETag").unwrap();
    ana.ask("GET", "/dav/pub/page.html", &[("If-None-Match", tag)], b"").expect(304);
    let failed = ana.ask("GET", "/dav/pub/page.html", &[("If-Match", "\"x\"")], b"").expect(412);
    assert_eq!(failed.text(), "Precondition failed\n");
    let beyond = ana.ask("GET", "/dav/pub/page.html", &[("Range", "bytes=99-")], b"").expect(416);
    assert_eq!(beyond.header("Content-Range"), Some("bytes */17"));
    assert_eq!(beyond.header("Content-Type"), Some("text/plain; charset=utf-8"));
    ana.say("HEAD", "/dav/pub/page.html").expect(200);
    for target in ["/dav", "/dav/", "/dav/pub", "/dav/pub/"] {
        let folder = ana.say("GET", target).expect(200);
        assert_eq!(folder.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert!(!folder.text().contains("a.txt"), "{folder}");
    }
    ana.say("GET", "/dav/pub/none").expect(404);
    ana.say("GET", "/dav/pub/a.txt/b").expect(404);
}

#[test]
fn put_stores_new_and_replaces_old_into_the_trash() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let first = ana.put("/dav/pub/new.txt", "one").expect(201);
    let tag = first.header("ETag").unwrap().to_owned();
    assert_eq!(ana.say("GET", "/dav/pub/new.txt").expect(200).header("ETag"), Some(&*tag));
    ana.put("/dav/pub/new.txt", "two").expect(204);
    assert_eq!(larder.read("pub/new.txt"), "two");
    let trash = larder.session("ana").get("/api/trash").expect(200).json();
    assert!(trash.to_string().contains("pub/new.txt"), "{trash}");
    ana.put("/dav/none/new.txt", "x").expect(409);
    ana.put("/dav/pub/a.txt/x", "x").expect(409);
    let folder = ana.put("/dav/pub/in", "x").expect(405);
    assert!(folder.header("Allow").unwrap().contains("MKCOL"));
    ana.put("/dav/", "x").expect(405);
    ana.ask("PUT", "/dav/pub/p", &[("Content-Range", "bytes 0-0/5")], b"x").expect(400);
    let chunked = [("Transfer-Encoding", "Chunked")];
    ana.ask("PUT", "/dav/pub/c", &chunked, b"2\r\nab\r\n0\r\n\r\n").expect(201);
    assert_eq!(larder.read("pub/c"), "ab");
    assert!(!larder.exists("pub/p"));
}

#[test]
fn an_empty_file_that_is_replaced_is_not_kept() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    ana.put("/dav/pub/doc", "").expect(201);
    ana.put("/dav/pub/doc", "content").expect(204);
    let trash = larder.session("ana").get("/api/trash").expect(200).json();
    assert!(!trash.to_string().contains("pub/doc"), "{trash}");
    // What had something in it is.
    ana.put("/dav/pub/doc", "").expect(204);
    let trash = larder.session("ana").get("/api/trash").expect(200).json();
    assert!(trash.to_string().contains("pub/doc"), "{trash}");
}

#[test]
fn an_announced_length_counts_and_must_be_true() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let send = |length: &str, more: &[(&str, &str)]| {
        let fields =
            [&[("Transfer-Encoding", "chunked"), ("X-Expected-Entity-Length", length)], more]
                .concat();
        ana.ask("PUT", "/dav/pub/a.txt", &fields, b"2\r\nab\r\n0\r\n\r\n")
    };
    send("3", &[]).expect(400);
    send("1", &[]).expect(400);
    assert_eq!(larder.read("pub/a.txt"), "A");
    send("9000000000000000", &[]).expect(507);
    send("2", &[]).expect(204);
    assert_eq!(larder.read("pub/a.txt"), "ab");
}

#[test]
fn a_file_is_dated_as_it_was_where_it_comes_from() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let dated = |date: &str| ana.ask("PUT", "/dav/pub/d", &[("X-OC-Mtime", date)], b"x");
    let answer = dated("1500000000.5").expect(201);
    assert_eq!(answer.header("X-OC-Mtime"), Some("accepted"));
    let modified = std::fs::metadata(larder.root().join("pub/d")).unwrap().modified().unwrap();
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_millis(), Duration::from_millis(1_500_000_000_500).as_millis());
    let told = ana.find("/dav/pub/d", "0", "").expect(207);
    assert_eq!(value(&told, "getlastmodified").as_deref(), Some("Fri, 14 Jul 2017 02:40:00 GMT"));
    assert_eq!(dated("soon").expect(204).header("X-OC-Mtime"), None);
}

#[test]
fn conditions_are_judged_and_what_has_no_form_of_a_tag_is_none() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let put = |name: &str, fields: &[(&str, &str)]| ana.ask("PUT", name, fields, b"x").status;
    let (there, none) = ("/dav/pub/a.txt", "/dav/pub/none");
    assert_eq!(put(there, &[("If-None-Match", "*")]), 412);
    assert_eq!(put(none, &[("If-Match", "*")]), 412);
    assert_eq!(put(there, &[("If-Match", "\"x\"")]), 412);
    assert_eq!(put(there, &[("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")]), 412);
    assert_eq!(larder.read("pub/a.txt"), "A");
    assert!(!larder.exists("pub/none"));
    // What Joplin sends.
    assert_eq!(put(there, &[("If-None-Match", "JoplinIgnore-74610")]), 204);
    let tag = ana.put(there, "y").expect(204).header("ETag").unwrap().to_owned();
    let weak = format!("W/{tag}");
    assert_eq!(put(there, &[("If-Match", &weak)]), 412);
    assert_eq!(put(there, &[("If-Match", &format!("\"x\", {tag}"))]), 204);
    assert_eq!(put(there, &[("If-Match", &tag)]), 412);
    for method in ["DELETE", "PROPFIND"] {
        let answer = ana.ask(method, there, &[("If-Match", "\"x\""), ("Depth", "0")], b"");
        assert_eq!(answer.status, if method == "DELETE" { 412 } else { 207 });
    }
}

#[test]
fn a_tag_that_put_answered_is_good_until_the_content_changes() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let tag = ana.put("/dav/pub/t", "x").expect(201).header("ETag").unwrap().to_owned();
    let patch = |inner: &str| {
        let body = format!(
            "<D:propertyupdate xmlns:D='DAV:' xmlns:Z='urn:schemas-microsoft-com:'><D:set><D:prop>{inner}</D:prop></D:set></D:propertyupdate>"
        );
        let answer = ana.ask("PROPPATCH", "/dav/pub/t", &[], body.as_bytes()).expect(207);
        answer.text().contains("HTTP/1.1 200 OK")
    };
    let win = |date: &str| format!("<Z:Win32LastModifiedTime>{date}</Z:Win32LastModifiedTime>");
    if !patch("<x xmlns='urn:x'>1</x>") {
        // No attributes on this filesystem: nothing is kept there, neither this nor tags.
        return;
    }
    for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"] {
        assert!(patch(&win(date)));
        let told = ana.find("/dav/pub/t", "0", "").expect(207);
        assert_eq!(value(&told, "getlastmodified").as_deref(), Some(date));
    }
    ana.ask("PUT", "/dav/pub/t", &[("If-Match", &tag)], b"y").expect(204);
    ana.ask("PUT", "/dav/pub/t", &[("If-Match", &tag)], b"z").expect(412);
}

#[test]
fn mkcol_makes_folders() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    ana.say("MKCOL", "/dav/pub/new/").expect(201);
    ana.say("MKCOL", "/dav/pub/new").expect(405);
    ana.say("MKCOL", "/dav/pub/a.txt").expect(405);
    ana.say("MKCOL", "/dav").expect(405);
    ana.say("MKCOL", "/dav/none/new").expect(409);
    ana.say("MKCOL", "/dav/pub/a.txt/new").expect(409);
    ana.ask("MKCOL", "/dav/pub/body", &[("Content-Type", "text/xml")], b"<x/>").expect(415);
    assert!(larder.exists("pub/new") && !larder.exists("pub/body"));
}

#[test]
fn delete_puts_into_the_trash() {
    let larder = house().file("pub/tree/deep/x", "x");
    let ana = Dav::of(&larder, "ana");
    ana.ask("DELETE", "/dav/pub/tree", &[("Depth", "0")], b"").expect(400);
    ana.ask("DELETE", "/dav/pub/tree", &[("Depth", "1")], b"").expect(400);
    ana.ask("DELETE", "/dav/pub/tree", &[("Depth", "x")], b"").expect(400);
    ana.ask("DELETE", "/dav/pub/tree", &[("Depth", "infinity")], b"").expect(204);
    ana.say("DELETE", "/dav/pub/a.txt").expect(204);
    ana.say("DELETE", "/dav/pub/a.txt").expect(404);
    ana.say("DELETE", "/dav/").expect(403);
    let trash = larder.session("ana").get("/api/trash").expect(200).json();
    assert!(trash.to_string().contains("pub/tree") && trash.to_string().contains("pub/a.txt"));
    assert!(!larder.exists("pub/tree") && larder.exists("pub/in"));
}

#[test]
fn copy_and_move_say_whether_something_was_there() {
    let larder = house().file("pub/b", "B").file("pub/tree/x", "x").file("pub/other/y", "y");
    let ana = Dav::of(&larder, "ana");
    ana.bring("COPY", "/dav/pub/a.txt", "http://elsewhere:1/dav/pub/c", &[]).expect(201);
    ana.bring("COPY", "/dav/pub/a.txt", "/dav/pub/b", &[("Overwrite", "F")]).expect(412);
    ana.bring("COPY", "/dav/pub/a.txt", "/dav/pub/b", &[("Overwrite", "T")]).expect(204);
    assert_eq!(larder.read("pub/b"), "A");
    ana.bring("MOVE", "/dav/pub/b", "/dav/pub/d", &[]).expect(201);
    ana.bring("MOVE", "/dav/pub/d", "/dav/pub/c", &[]).expect(204);
    assert!(!larder.exists("pub/b") && !larder.exists("pub/d"));
    // A folder in the way is replaced, and so is what is of another kind.
    ana.bring("COPY", "/dav/pub/tree", "/dav/pub/other", &[]).expect(204);
    assert!(larder.exists("pub/other/x") && !larder.exists("pub/other/y"));
    ana.bring("COPY", "/dav/pub/a.txt", "/dav/pub/other", &[]).expect(204);
    assert_eq!(larder.read("pub/other"), "A");
    ana.bring("MOVE", "/dav/pub/tree", "/dav/pub/other", &[]).expect(204);
    assert_eq!(larder.read("pub/other/x"), "x");
    let trash = larder.session("ana").get("/api/trash").expect(200).json().to_string();
    assert!(trash.matches("\"pub/other\"").count() >= 3, "{trash}");
    // Only the folder.
    ana.bring("COPY", "/dav/pub/other", "/dav/pub/bare", &[("Depth", "0")]).expect(201);
    ana.bring("COPY", "/dav/pub/other", "/dav/pub/c", &[("Depth", "0")]).expect(204);
    assert!(larder.exists("pub/bare") && !larder.exists("pub/bare/x") && !larder.exists("pub/c/x"));
}

#[test]
fn copy_and_move_refuse_what_cannot_be() {
    let larder = house().file("pub/tree/x", "x");
    let ana = Dav::of(&larder, "ana");
    for method in ["COPY", "MOVE"] {
        let bring =
            |from: &str, to: &str, more: &[(&str, &str)]| ana.bring(method, from, to, more).status;
        assert_eq!(ana.say(method, "/dav/pub/tree").status, 400, "no Destination");
        assert_eq!(bring("/dav/pub/tree", "pub/x", &[]), 400);
        assert_eq!(bring("/dav/pub/tree", "http://nas", &[]), 400);
        let elsewhere = ana.bring(method, "/dav/pub/tree", "http://nas/other/x", &[]).expect(502);
        assert_eq!(elsewhere.text(), "Destination is elsewhere\n");
        assert_eq!(bring("/dav/pub/tree", "/dav/pub/tree/", &[]), 403);
        assert_eq!(bring("/dav/pub/tree", "/dav/pub/tree/in/it", &[]), 403);
        assert_eq!(bring("/dav/pub/tree/x", "/dav/pub/tree", &[]), 403);
        assert_eq!(bring("/dav/", "/dav/pub/all", &[]), 403);
        assert_eq!(bring("/dav/pub/tree", "/dav/", &[]), 403);
        assert_eq!(bring("/dav/pub/none", "/dav/pub/x", &[]), 404);
        assert_eq!(bring("/dav/pub/tree", "/dav/none/x", &[]), 409);
        assert_eq!(bring("/dav/pub/tree", "/dav/pub/a.txt/x", &[]), 409);
        for overwrite in ["t", "yes", ""] {
            assert_eq!(bring("/dav/pub/tree", "/dav/pub/x", &[("Overwrite", overwrite)]), 400);
        }
        assert_eq!(bring("/dav/pub/tree", "/dav/pub/x", &[("Depth", "1")]), 400);
    }
    assert_eq!(ana.bring("MOVE", "/dav/pub/tree", "/dav/pub/x", &[("Depth", "0")]).status, 400);
    assert_eq!(larder.read("pub/tree/x"), "x");
    assert!(!larder.exists("pub/x"));
}

#[test]
fn what_macs_leave_everywhere_is_refused_to_macs_unless_it_is_wanted() {
    let mac = |larder: &Larder, litter: &str| -> Vec<u16> {
        let ana = Dav::of(larder, "ana").with("User-Agent", "WebDAVFS/3.0 Darwin/23.0");
        let target = format!("/dav/pub/{litter}");
        vec![
            ana.put(&target, "x").status,
            ana.say("MKCOL", &target).status,
            ana.bring("MOVE", "/dav/pub/a.txt", &target, &[]).status,
        ]
    };
    let larder = house();
    for litter in [
        "._a.txt",
        ".DS_Store",
        ".Spotlight-V100",
        ".Trashes",
        ".fseventsd",
        ".TemporaryItems",
        ".metadata_never_index",
    ] {
        assert_eq!(mac(&larder, litter), [423, 423, 423], "{litter}");
        assert!(!larder.exists(&format!("pub/{litter}")));
    }
    Dav::of(&larder, "ana").put("/dav/pub/.DS_Store", "x").expect(201);
    let larder = Larder::prepare()
        .roles(&everybody_may_everything())
        .settings(&json!({ "dav_litter": "keep" }))
        .launch()
        .user("ana")
        .file("pub/a.txt", "A");
    assert_eq!(mac(&larder, "._a"), [201, 405, 204]);
}

#[test]
fn settings_close_it_and_demand_tls() {
    let larder = Larder::prepare().settings(&json!({ "dav": false })).launch().admin("ida");
    let mut wire = larder.wire();
    for (method, target) in [("OPTIONS", "/dav/"), ("PROPFIND", "/dav/x"), ("GET", "/dav")] {
        wire.send(format!("{method} {target} HTTP/1.1\r\nHost: nas\r\n\r\n"));
        assert_eq!(wire.answer().expect(404).header("DAV"), None);
    }
    for method in ["OPTIONS", "PROPFIND"] {
        wire.send(format!("{method} / HTTP/1.1\r\nHost: nas\r\n\r\n"));
        assert_eq!(wire.answer().expect(405).header("Allow"), Some("GET, HEAD"));
    }
    for settings in [json!({ "dav_require_tls": true }), json!({ "https": "only" })] {
        let larder = Larder::prepare().settings(&settings).launch().admin("ida");
        let ida = Dav::of(&larder, "ida");
        for (method, target) in
            [("GET", "/dav/"), ("PROPFIND", "/dav/x"), ("PROPFIND", "/"), ("PUT", "/dav/x")]
        {
            assert_eq!(ida.say(method, target).expect(403).text(), "HTTPS is required\n");
        }
        ida.say("OPTIONS", "/dav/").expect(200);
        ida.say("OPTIONS", "/").expect(200);
    }
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let cross = [("Sec-Fetch-Site", "cross-site")];
    for method in ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPFIND", "PROPPATCH"] {
        ana.ask(method, "/dav/pub/a.txt", &cross, b"").expect(403);
    }
    ana.ask("GET", "/dav/pub/a.txt", &cross, b"").expect(200);
    ana.ask("GET", "/dav/pub/a.txt", &[("Sec-Fetch-Dest", "script")], b"").expect(403);
    assert_eq!(larder.read("pub/a.txt"), "A");
}

#[test]
fn other_methods_are_told_which_there_are() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for method in ["POST", "PATCH", "SEARCH", "REPORT", "propfind", "TRACE"] {
        let answer = ana.say(method, "/dav/pub/a.txt").expect(405);
        assert!(answer.header("Allow").unwrap().starts_with("OPTIONS, GET"), "{answer}");
    }
}

#[test]
fn changes_are_in_the_log_with_their_door() {
    let larder = house();
    let ana = Dav::by_password(&larder, "ana");
    ana.put("/dav/pub/l", "x").expect(201);
    ana.put("/dav/pub/l", "y").expect(204);
    ana.say("MKCOL", "/dav/pub/m").expect(201);
    ana.bring("COPY", "/dav/pub/l", "/dav/pub/m/l", &[]).expect(201);
    ana.bring("MOVE", "/dav/pub/l", "/dav/pub/l2", &[]).expect(201);
    ana.say("DELETE", "/dav/pub/m").expect(204);
    Dav::of(&larder, "eve").put("/dav/own/x", "x").expect(403);
    let rows = larder.session("ida").get("/api/get_logs?door=dav").expect(200).json().to_string();
    for op in ["create", "write", "copy", "rename", "delete", "sign_in", "refused"] {
        assert!(rows.contains(&format!("\"op\":\"{op}\"")), "{op}: {rows}");
    }
    assert_eq!(rows.matches("\"op\":\"sign_in\"").count(), 1, "not one for each request: {rows}");
}
