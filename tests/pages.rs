//! The pages that the program carries with it.

use crate::harness::{Answer, Form, Larder};

/// The pages and their paths below `/web/`.
const PAGES: &[(&str, &str)] =
    &[("/", "index.html"), ("/auth", "login.html"), ("/preview", "preview.html")];

/// Demands what every page and every part of one must have.
#[track_caller]
fn expect_safe(answer: &Answer) {
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{answer}");
    let policy = answer.header("Content-Security-Policy").expect("a policy");
    let scripts = policy
        .split(';')
        .find_map(|part| part.trim().strip_prefix("script-src"))
        .or_else(|| policy.split(';').find_map(|part| part.trim().strip_prefix("default-src")))
        .expect("a rule for scripts");
    assert!(
        !scripts.contains("unsafe") && !scripts.contains('*') && !scripts.contains("http"),
        "{policy}"
    );
    let tag = answer.header("ETag").expect("a tag");
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert!(answer.header("Vary").is_some_and(|vary| vary.contains("Accept-Encoding")), "{answer}");
}

#[test]
fn the_pages_are_html_and_safe() {
    let larder = Larder::start();
    for (path, file) in PAGES {
        let answer = larder.anonymous().get(path).expect(200);
        assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
        assert!(answer.text().to_lowercase().contains("<!doctype html"), "{answer}");
        assert_ne!(answer.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        expect_safe(&answer);
        let same = larder.anonymous().get(&format!("/web/{file}")).expect(200);
        assert_eq!(same.body, answer.body);
        let head = larder.anonymous().head(path).expect(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("Content-Length"), Some(answer.body.len().to_string().as_str()));
    }
}

#[test]
fn each_encoding_has_a_tag_of_its_own() {
    let larder = Larder::start();
    let get =
        |accept: &str| larder.anonymous().with("Accept-Encoding", accept).get("/").expect(200);
    let plain = larder.anonymous().get("/").expect(200);
    assert!(plain.header("Content-Encoding").is_none());
    let mut tags = vec![plain.header("ETag").unwrap().to_owned()];
    for coding in ["br", "gzip"] {
        let answer = get(coding);
        // A page that is too small to gain from it stays plain.
        if answer.header("Content-Encoding").is_none() {
            assert_eq!(answer.body, plain.body);
            continue;
        }
        assert_eq!(answer.header("Content-Encoding"), Some(coding));
        assert!(answer.body.len() < plain.body.len());
        let tag = answer.header("ETag").unwrap().to_owned();
        assert!(!tags.contains(&tag), "{coding} has another's tag");
        let again = larder.anonymous().with("Accept-Encoding", coding).with("If-None-Match", &tag);
        let again = again.get("/").expect(304);
        assert!(again.body.is_empty());
        assert_eq!(again.header("ETag"), Some(tag.as_str()));
        tags.push(tag);
    }
    for refused in ["identity", "br;q=0, gzip;q=0", "zstd", ""] {
        assert!(get(refused).header("Content-Encoding").is_none(), "{refused}");
    }
    // Another encoding's tag is not this one's.
    let stale = larder.anonymous().with("If-None-Match", "\"x\"");
    assert_eq!(stale.get("/").expect(200).body, plain.body);
    assert_eq!(tags.len(), 3, "the index page should gain from both codings");
}

#[test]
fn what_a_page_loads_is_there_with_its_type() {
    let larder = Larder::start();
    for (path, _) in PAGES {
        let page = larder.anonymous().get(path).expect(200);
        let mut looked_at = 0;
        for part in page.text().split('"').filter(|part| part.starts_with("/web/")) {
            let answer = larder.anonymous().get(part).expect(200);
            expect_safe(&answer);
            let wanted = match part.rsplit_once('.').map(|(_, extension)| extension) {
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                Some("svg") => "image/svg+xml",
                Some("png") => "image/png",
                Some("ico") => "image/x-icon",
                Some("woff2") => "font/woff2",
                Some("json" | "webmanifest") => "application/",
                other => panic!("{part}: {other:?}"),
            };
            let content_type = answer.header("Content-Type").unwrap();
            assert!(content_type.starts_with(wanted), "{part}: {content_type}");
            if part.starts_with("/web/assets/") {
                let cache = answer.header("Cache-Control").unwrap();
                assert!(
                    cache.contains("max-age=31536000") && cache.contains("immutable"),
                    "{part}: {cache}"
                );
            }
            looked_at += 1;
        }
        // Nothing is loaded from another host.
        for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
            assert!(!page.text().contains(attribute), "{path}: {attribute}");
        }
        // Built without the pages' own sources, larder has pages that load nothing.
        assert!(looked_at > 0 || !page.text().contains("<script src"), "{path}");
    }
}

#[test]
fn what_is_not_embedded_is_not_found() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    for path in [
        "/web/",
        "/web/missing.js",
        "/web/assets/",
        "/web/assets/missing.js",
        "/web//index.html",
        "/web/INDEX.html",
        "/web/index.html/",
        "/web/index.html%00",
        "/web/a.txt",
        "/web/files/a.txt",
        "/index.html",
        "/favicon.ico2",
    ] {
        larder.anonymous().get(path).expect_error(404, "Not found");
    }
    for path in [
        "/web/../src/main.rs",
        "/web/%2e%2e/%2e%2e/etc/passwd",
        "/web/..%2f..%2fetc/passwd",
        "/web/assets/../../Cargo.toml",
        "/web/./index.html",
    ] {
        let mut wire = larder.wire();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: larder\r\n\r\n"));
        wire.answer().expect_refusal(404);
    }
}

#[test]
fn a_query_does_not_hide_a_page() {
    let larder = Larder::start();
    larder.anonymous().get("/?path=docs").expect(200);
    larder.anonymous().get("/preview?path=a.txt#x").expect(200);
    larder.anonymous().get("/web/index.html?v=1").expect(200);
}

/// Built without the pages' own sources, larder has neither a worker nor a manifest.
fn has_pages(larder: &Larder) -> bool {
    !larder.anonymous().get("/").expect(200).text().contains("was built without its pages")
}

#[test]
fn the_worker_answers_for_all_of_larder_and_is_asked_for_anew_each_time() {
    let larder = Larder::start();
    if !has_pages(&larder) {
        return;
    }
    let worker = larder.anonymous().get("/web/worker.js").expect(200);
    assert_eq!(worker.header("Service-Worker-Allowed"), Some("/"), "{worker}");
    assert_eq!(worker.header("Cache-Control"), Some("no-cache"), "{worker}");
    assert_eq!(worker.header("Content-Type"), Some("text/javascript; charset=utf-8"));
    expect_safe(&worker);
    let tag = worker.header("ETag").unwrap();
    let again = larder.anonymous().with("If-None-Match", tag).get("/web/worker.js").expect(304);
    assert_eq!(again.header("Service-Worker-Allowed"), Some("/"), "{again}");
    // Nothing else may answer for what is not below its own folder.
    for other in ["/", "/web/index.html", "/web/manifest.webmanifest"] {
        assert!(
            larder.anonymous().get(other).header("Service-Worker-Allowed").is_none(),
            "{other}"
        );
    }
}

#[test]
fn the_manifest_makes_an_app_of_the_pages() {
    let larder = Larder::start();
    if !has_pages(&larder) {
        return;
    }
    let answer = larder.anonymous().get("/web/manifest.webmanifest").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/manifest+json"));
    assert_eq!(answer.header("Cache-Control"), Some("no-cache"), "{answer}");
    let manifest = answer.json();
    assert_eq!(manifest["name"], "larder");
    assert_eq!(manifest["display"], "standalone");
    assert_eq!(manifest["start_url"], "/");
    let target = &manifest["share_target"];
    assert_eq!(
        (&target["action"], &target["method"], &target["enctype"]),
        (&"/share".into(), &"POST".into(), &"multipart/form-data".into())
    );
    for name in ["title", "text", "url"] {
        assert_eq!(target["params"][name], name);
    }
    assert!(target["params"]["files"][0]["accept"].as_array().unwrap().contains(&"*/*".into()));
    let icons = manifest["icons"].as_array().unwrap();
    for (side, purpose) in [(192, "any"), (512, "any"), (512, "maskable")] {
        let sizes = format!("{side}x{side}");
        let is_it =
            |icon: &&serde_json::Value| icon["sizes"] == sizes && icon["purpose"] == purpose;
        let icon = icons.iter().find(is_it).unwrap_or_else(|| panic!("{sizes} {purpose}"));
        expect_png(&larder, icon["src"].as_str().unwrap(), side);
    }
    let page = larder.anonymous().get("/").text().to_owned();
    let touch = page.split("rel=\"apple-touch-icon\"").nth(1).expect("a touch icon");
    expect_png(&larder, touch.split('"').nth(1).unwrap(), 180);
    assert!(page.contains("rel=\"manifest\"") && page.contains("name=\"theme-color\""), "{page}");
    // What guests see is no app, and no worker of the house's stands between them and larder.
    let guests = larder.anonymous().get("/web/guest.html").text().to_owned();
    assert!(!guests.contains("manifest") && !guests.contains("worker"), "{guests}");
}

/// Demands a square PNG (ISO 15948) of this side.
#[track_caller]
fn expect_png(larder: &Larder, path: &str, side: u32) {
    let answer = larder.anonymous().get(path).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("image/png"), "{path}");
    assert_eq!(answer.body[..8], *b"\x89PNG\r\n\x1a\n", "{path}");
    let number = |at: usize| u32::from_be_bytes(answer.body[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (side, side), "{path}");
}

/// What is told of somebody's sessions, by their key.
fn sessions_of(larder: &Larder, name: &str) -> serde_json::Value {
    larder.http(name).get("/api/user/sessions").expect(200).json()
}

#[test]
fn what_is_shared_past_the_worker_leads_to_the_pages_and_is_not_read() {
    let larder = Larder::start().user("ana").user("bea");
    let anonymous = larder.anonymous();
    // Any page of the web can have a browser send it, with or without saying so; the cookie of whoever sits there is not
    // looked at, and nobody is seen by it.
    let sits_there = larder.browser(&larder.token("bea"));
    let before = sessions_of(&larder, "bea");
    for fields in [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Referer", "https://evil.example/")],
        &[],
    ] {
        let more =
            fields.iter().fold(sits_there.clone(), |one, (name, value)| one.with(name, value));
        let answer = more.post_raw("/share", None, b"words").expect(303);
        assert_eq!((answer.header("Location"), answer.header("Set-Cookie")), (Some("/"), None));
    }
    assert_eq!(sessions_of(&larder, "bea"), before);
    let form = Form::new().field("title", "A song").file("song.txt", "la la");
    for answer in [
        anonymous.post_raw("/share", Some(&Form::content_type()), &form.body()),
        anonymous.post_raw("/share", None, b""),
        larder.http("ana").post_raw("/share?x=1", Some("text/plain"), b"words"),
        anonymous.with("Sec-Fetch-Site", "cross-site").post_raw("/share", None, b"words"),
    ] {
        let answer = answer.expect(303);
        assert_eq!(answer.header("Location"), Some("/"), "{answer}");
        assert!(answer.body.is_empty() && answer.header("Set-Cookie").is_none(), "{answer}");
    }
    larder.anonymous().get("/share").expect_code(405, "method_not_allowed");
    // However much is promised, the answer comes before it and the connection is not gone on with.
    let mut wire = larder.wire();
    wire.send("POST /share HTTP/1.1\r\nHost: larder\r\nContent-Length: 9000000000\r\n\r\nbegin");
    let answer = wire.answer().expect(303);
    assert_eq!(answer.header("Connection"), Some("close"), "{answer}");
    wire.finish_sending();
    assert!(wire.is_ended());
    let items = larder.http("ana").get("/api/finder").expect(200).json()["items"].clone();
    assert_eq!(items, serde_json::json!([]));
}
