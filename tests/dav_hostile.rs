//! `WebDAV`: what somebody sends or keeps who means no good (second contract, section 14).

use serde_json::json;

use crate::harness::dav::{Dav, basic, value};
use crate::harness::{Larder, everybody_may_everything};

/// A larder with ana and ben, who may everything.
fn house() -> Larder {
    Larder::prepare()
        .roles(&everybody_may_everything())
        .launch()
        .user("ana")
        .user("ben")
        .file("d/a.txt", "A")
}

/// What asks for an exclusive lock.
const LOCK: &[u8] = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
    <D:locktype><D:write/></D:locktype></D:lockinfo>";

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
