//! `WebDAV`: what somebody sends or keeps who means no good (second contract, section 14).

use serde_json::json;

use crate::harness::Larder;
use crate::harness::dav::{self, Dav, LOCK, basic, value};

/// A larder with ana and ben, who may everything.
fn house() -> Larder {
    dav::house().user("ben").file("d/a.txt", "A")
}

#[test]
fn a_long_namespace_of_many_names_takes_no_memory() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let ask = |length: usize| {
        let attributes: Vec<String> = (0..60).map(|number| format!("n:a{number}=''")).collect();
        let names = format!("<q {}/>", attributes.join(" ")).repeat(50);
        let namespace = "u".repeat(length);
        let body = format!(
            "<D:propfind xmlns:D='DAV:' xmlns:n='{namespace}'>{names}<D:allprop/></D:propfind>"
        );
        ana.find("/dav/d", "0", &body)
    };
    ask(1024).expect(207);
    let before = larder.process().memory_peak_kib();
    ask(1024).expect(207);
    ask(30_000).expect(400);
    let grown = larder.process().memory_peak_kib() - before;
    assert!(grown < 16 * 1024, "{grown} KiB");
}

#[test]
fn a_name_that_no_document_may_have_spoils_no_listing() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    ana.put("/dav/d/b%01%1B%0D%0AX:%EF%BF%BE", "B").expect(201);
    let told = ana.find("/dav/d", "1", "").expect(207);
    let is_allowed = |letter: char| letter == '\n' || (letter >= ' ' && letter != '\u{fffe}');
    assert!(told.text().chars().all(is_allowed), "{told}");
    assert!(told.text().contains("<D:href>/dav/d/b%01%1B%0D%0AX%3A%EF%BF%BE</D:href>"), "{told}");
    assert!(told.text().contains("<D:displayname>b\u{fffd}\u{fffd}&#13;\nX:\u{fffd}<"), "{told}");
    let got = ana.say("GET", "/dav/d/b%01%1B%0D%0AX:%EF%BF%BE").expect(200);
    assert_eq!((got.text(), got.header("X")), ("B", None));
}

#[test]
fn nothing_is_kept_that_spoils_the_answers_of_others() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for property in [
        "<a×b/>",
        "<p xmlns:a='v' xmlns:b='v' a:q='1' b:q='2'/>",
        "<p xmlns='http://www.w3.org/2000/xmlns/'/>",
    ] {
        let body = format!(
            "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop>{property}</D:prop></D:set></D:propertyupdate>"
        );
        ana.ask("PROPPATCH", "/dav/d", &[], body.as_bytes()).expect(400);
    }
    // This namespace has no prefix but its own.
    let body = "<D:propfind xmlns:D='DAV:'><D:prop><xml:p/></D:prop></D:propfind>";
    let told = ana.find("/dav/d", "0", body).expect(207);
    assert!(told.text().contains("<D:prop><xml:p/></D:prop>"), "{told}");
}

#[test]
fn a_link_that_goes_ends_no_lock_on_what_it_leads_to() {
    let larder = house().link("way", "d").link("other", "d");
    let (ana, ben) = (Dav::of(&larder, "ana"), Dav::of(&larder, "ben"));
    ana.ask("LOCK", "/dav/d/a.txt", &[], LOCK).expect(200);
    ben.bring("MOVE", "/dav/way", "/dav/gone", &[]).expect(201);
    ben.put("/dav/d/a.txt", "x").expect(423);
    ben.say("DELETE", "/dav/other").expect(204);
    ben.put("/dav/d/a.txt", "x").expect(423);
    assert_eq!(larder.read("d/a.txt"), "A");
}

#[test]
fn a_key_that_only_reads_ends_no_lock() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let given = ana.ask("LOCK", "/dav/d/a.txt", &[], LOCK).expect(200);
    let token = given.header("Lock-Token").unwrap();
    let wish = json!({ "label": "r", "doors": ["dav"] });
    let (_, key) = larder.session("ana").make_key(wish);
    let reader = Dav::nobody(&larder).with("Authorization", &basic("ana", &key));
    let told = reader.find("/dav/d/a.txt", "0", "").expect(207);
    assert!(value(&told, "lockdiscovery").unwrap().contains(token.trim_matches(['<', '>'])));
    reader.ask("UNLOCK", "/dav/d/a.txt", &[("Lock-Token", token)], b"").expect(403);
    ana.put("/dav/d/a.txt", "x").expect(423);
    ana.ask("UNLOCK", "/dav/d/a.txt", &[("Lock-Token", token)], b"").expect(204);
}

/// Parts of requests, of which odd ones are put together.
#[rustfmt::skip]
const PARTS: [&[&str]; 4] = [
    &["OPTIONS", "GET", "HEAD", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK",
      "POST", "BREW"],
    &["/dav", "/dav/", "/dav/d", "/dav/d/a.txt", "/dav/d/new", "/dav/d/n%C3%BC", "/dav/d/nu%CC%88", "/dav/.larder/x",
      "/dav/%ff", "/dav/%", "/dav/../x", "/dav//d///", "/dav/d/a.txt/x", "/dav/d%2Fa", "/dav/%00", "*", "/",
      "/dav/d?x=%", "/dav/way/x", "/dav/d/%F0%9F%8D%8A"],
    &["Depth: 0", "Depth: 1", "Depth: infinity", "Depth: 7", "Depth:", "Destination: /dav/d/to",
      "Destination: http://x/dav/d/a.txt", "Destination: /dav/d", "Destination: x", "Destination: /dav/%", "Overwrite: F",
      "Overwrite: T", "Overwrite: x", "If: (<a:b>)", "If: ([\"x\"])", "If: (Not <DAV:no-lock>)", "If: ((", "If:",
      "If-Match: *", "If-None-Match: *", "If-Match: \"x\", y", "Timeout: Second-9", "Timeout: Infinite, x",
      "Lock-Token: <a:b>", "Lock-Token: x", "Lock-Token: <larder:AAAA>", "Brief: t", "Prefer: return=minimal, x",
      "X-OC-Mtime: 5", "X-OC-Mtime: -5", "X-Expected-Entity-Length: 7", "Content-Range: bytes 0-1/2", "Range: bytes=0-0",
      "Range: bytes=9-,x", "User-Agent: WebDAVFS/1 Darwin/1", "Sec-Fetch-Site: cross-site", "Content-Type: text/xml",
      "Accept-Encoding: gzip", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "Translate: f"],
    &["<?xml version='1.0' encoding='utf-8'?>", "<D:propfind xmlns:D='DAV:'>", "</D:propfind>", "<D:prop>", "</D:prop>",
      "<D:allprop/>", "<D:propname/>", "<D:getetag/>", "<D:lockdiscovery/>", "<x xmlns='u'/>", "<x:y/>",
      "<D:propertyupdate xmlns:D='DAV:'>", "</D:propertyupdate>", "<D:set>", "</D:set>", "<D:remove>", "</D:remove>",
      "<p xmlns='urn:p'>&lt;v</p>", "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope><D:locktype>\
      <D:write/></D:locktype></D:lockinfo>", "<D:owner>", "</D:owner>", "&amp;", "&x;", "&#0;", "<!DOCTYPE a>", "<![CDATA[",
      "]]>", "<!--", "-->", "\u{fffd}", "\u{feff}", "text", "\r\n", ""],
];

/// Odd requests, always the same ones: each is answered, by none larder fails, and every answer says whose door it is.
#[test]
fn nothing_odd_makes_it_fail() {
    let larder = house().link("way", "d");
    let ana = Dav::of(&larder, "ana");
    let mut seed = 0x5eed_u64;
    // SplitMix64.
    let mut below = |bound: usize| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    };
    let mut told = std::collections::BTreeMap::new();
    for _ in 0..1500 {
        let mut pick = |part: usize| PARTS[part][below(PARTS[part].len())];
        let (method, target) = (pick(0), pick(1));
        let fields: Vec<&str> = (0..3).map(|_| pick(2)).collect();
        let body: String = if method == "GET" {
            String::new()
        } else {
            let whole = PARTS[3][18];
            let pieces: Vec<&str> = (0..6).map(|_| pick(3)).collect();
            match below(4) {
                0 => String::new(),
                1 => whole.to_owned(),
                2 => format!(
                    "<D:propfind xmlns:D='DAV:'><D:prop>{}</D:prop></D:propfind>",
                    pieces[0]
                ),
                _ => pieces.concat(),
            }
        };
        let is_ours = target.starts_with("/dav");
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .filter_map(|field| field.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
            .collect();
        let status = if is_ours || matches!((method, target), ("OPTIONS", _) | ("PROPFIND", "/")) {
            ana.ask(method, target, &fields, body.as_bytes()).status
        } else {
            let mut wire = ana.begin(method, target, &fields, body.as_bytes());
            if method == "HEAD" { wire.head_answer() } else { wire.answer() }.status
        };
        assert_ne!(status, 500, "{method} {target} {fields:?} {body}");
        *told.entry(status).or_insert(0) += 1;
        if !larder.exists("d/a.txt") {
            larder.write("d/a.txt", "A");
        }
    }
    assert!(told.len() > 8, "{told:?}");
    assert_eq!(larder.unfinished(), 0);
    assert!(!larder.exists("x"));
}

/// One name, and many who put, lock, move and delete it at once: whatever comes of it, a lock that was given holds, and
/// nobody sees half of anything.
#[test]
fn many_at_one_name_leave_it_whole() {
    let larder = house().file("d/b.txt", "B");
    let contents: Vec<String> =
        (b'a'..=b'h').map(|one| char::from(one).to_string().repeat(70_000)).collect();
    std::thread::scope(|scope| {
        for (number, content) in contents.iter().enumerate() {
            let larder = &larder;
            scope.spawn(move || {
                let client = Dav::of(larder, if number % 2 == 0 { "ana" } else { "ben" });
                for round in 0..12 {
                    match (number + round) % 4 {
                        0 | 1 => {
                            let status = client.put("/dav/d/n", content).status;
                            assert!(matches!(status, 201 | 204 | 423), "{status}");
                        }
                        2 => {
                            let to = format!("/dav/d/m{}", number % 3);
                            let status = client.bring("MOVE", "/dav/d/n", &to, &[]).status;
                            assert!(
                                matches!(status, 201 | 204 | 404 | 409 | 412 | 423),
                                "{status}"
                            );
                        }
                        _ => {
                            let given = client.ask("LOCK", "/dav/d/n", &[], LOCK);
                            let Some(token) = given.header("Lock-Token") else {
                                assert_eq!(given.status, 423, "{given}");
                                continue;
                            };
                            let shown = [("If", &*format!("({token})"))];
                            let put = client.ask("PUT", "/dav/d/n", &shown, content.as_bytes());
                            assert!(matches!(put.status, 201 | 204), "{put}");
                            let got = client.say("GET", "/dav/d/n").expect(200);
                            assert!(got.text() == content, "another's came while it was locked");
                            client
                                .ask("UNLOCK", "/dav/d/n", &[("Lock-Token", token)], b"")
                                .expect(204);
                        }
                    }
                }
            });
        }
    });
    for path in larder.tree().into_iter().filter(|path| path.starts_with("d/") && path != "d/") {
        let content = larder.read(&path);
        let is_whole = content.is_empty() || content.len() <= 1 || contents.contains(&content);
        assert!(is_whole, "{path}: {} bytes", content.len());
    }
    assert_eq!(larder.unfinished(), 0);
}
