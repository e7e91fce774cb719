//! Answers that are compressed on their way out, and those that never are.

use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;

use crate::harness::{Answer, Client, Larder, Wire, password_of, wait};

/// A folder whose listing is longer than what is worth compressing, and one whose is not.
fn house() -> Larder {
    let larder = Larder::start().user("ana").folder("many").file("few/a.txt", "a");
    for number in 0..100 {
        File::create(larder.root().join(format!("many/entry number {number:06}.txt"))).unwrap();
    }
    larder
}

/// The listing of `many`, for a client that takes this.
#[track_caller]
fn listing(client: &Client, accept: &str) -> Answer {
    client
        .clone()
        .with("Accept-Encoding", accept)
        .get("/api/finder?path=many&details=1")
        .expect(200)
}

/// An answer's text, unpacked.
#[track_caller]
fn unpacked(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"), "{answer}");
    let mut plain = Vec::new();
    GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap();
    plain
}

/// Whether caches are told that answers differ by what clients take.
fn varies(answer: &Answer) -> bool {
    answer.header("Vary").is_some_and(|vary| vary.contains("Accept-Encoding"))
}

#[test]
fn a_long_answer_is_compressed_for_who_takes_it() {
    let larder = house();
    let ana = larder.http("ana");
    let plain = listing(&ana, "identity");
    assert!(plain.header("Content-Encoding").is_none() && varies(&plain), "{plain}");
    assert_eq!(plain.json()["items"].as_array().unwrap().len(), 100);
    for accept in ["gzip", "gzip, deflate, br, zstd", "br, x-gzip;q=0.5", "*", "identity;q=0, *"] {
        let packed = listing(&ana, accept);
        assert_eq!(unpacked(&packed), plain.body, "{accept}");
        assert!(packed.body.len() * 3 < plain.body.len() && varies(&packed), "{packed}");
        assert_eq!(packed.header("Content-Type"), Some("application/json"));
        assert_eq!(packed.header("Cache-Control"), Some("no-store"));
    }
    for accept in ["", "br", "gzip;q=0", "*;q=0", "gzip;q=0.5, identity", "gzip;q=2", "gzipped"] {
        let answer = listing(&ana, accept);
        assert!(answer.header("Content-Encoding").is_none() && varies(&answer), "{accept}");
        assert_eq!(answer.body, plain.body, "{accept}");
    }
}

#[test]
fn several_fields_are_one_list() {
    let larder = house();
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/finder?path=many HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\
         Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n\r\n",
        larder.key("ana")
    ));
    unpacked(&wire.answer().expect(200));
}

#[test]
fn head_says_what_get_says() {
    let larder = house();
    for accept in ["gzip", "identity"] {
        let ask = |method: &str| {
            let mut wire = larder.wire();
            wire.send(format!(
                "{method} /api/finder?path=many HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\
                 Accept-Encoding: {accept}\r\n\r\n",
                larder.key("ana")
            ));
            wire.try_answer(method == "HEAD").unwrap().expect(200)
        };
        let (get, head) = (ask("GET"), ask("HEAD"));
        assert!(head.body.is_empty());
        for field in
            ["Content-Encoding", "Vary", "Content-Type", "Content-Length", "Transfer-Encoding"]
        {
            assert_eq!(get.header(field), head.header(field), "{field}");
        }
    }
}

#[test]
fn an_old_client_gets_a_whole_answer() {
    let larder = house();
    let plain = listing(&larder.http("ana"), "identity");
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/finder?path=many&details=1 HTTP/1.0\r\nX-API-KEY: {}\r\n\
         Accept-Encoding: gzip\r\n\r\n",
        larder.key("ana")
    ));
    assert_eq!(unpacked(&wire.answer().expect(200)), plain.body);
    assert!(wire.is_ended());
}

#[test]
fn short_answers_downloads_and_secrets_are_sent_as_they_are() {
    let larder = house().file("long.txt", "all the same ".repeat(10_000));
    let ana = larder.http("ana").with("Accept-Encoding", "gzip");
    for target in [
        "/api/finder?path=few&details=1",
        "/api/user/get_self",
        "/api/download?file_path=long.txt",
        "/api/download?file_path=long.txt&inline=1",
        "/api/download?file_path=many",
        "/api/finder?path=nothing",
    ] {
        let answer = ana.get(target);
        assert!(answer.header("Content-Encoding").is_none() && !varies(&answer), "{answer}");
    }
    let signed_in = ana.post(
        "/api/user/login",
        json!({ "username": "ana", "password": password_of("ana"), "x": "y".repeat(4000) }),
    );
    assert!(signed_in.expect(200).header("Content-Encoding").is_none());
    let part = ana.clone().with("Range", "bytes=0-4999").get("/api/download?file_path=long.txt");
    assert!(part.expect(206).header("Content-Encoding").is_none());
    let text = ana.get("/api/get_file?file_path=long.txt").expect(200);
    assert!(unpacked(&text).len() > 130_000 && text.body.len() < 2000);
}

#[test]
fn events_come_at_once() {
    let larder = house();
    let mut wire = larder.wire();
    wire.send(format!(
        "GET /api/events?path=many HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\
         Accept-Encoding: gzip\r\n\r\n",
        larder.key("ana")
    ));
    while !wire.line().expect("a line").contains("event: hello") {}
}

/// The bar that a phone on a slow line sets.
#[test]
fn twenty_thousand_entries_are_at_most_150_kilobytes() {
    let larder = Larder::start().user("ana").folder("many");
    for number in 0..20_000 {
        File::create(larder.root().join(format!("many/entry number {number:06}.txt"))).unwrap();
    }
    let packed = listing(&larder.http("ana"), "gzip");
    let plain = unpacked(&packed);
    assert!(packed.body.len() <= 150_000, "{} bytes", packed.body.len());
    assert!(plain.len() > 2_000_000);
}

/// Compressors are memory: those who read nothing must not collect them.
#[test]
fn who_finds_no_compressor_free_gets_the_plain_answer() {
    let larder = house();
    let noise: Vec<u8> = (0_u64..24 << 17)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).to_le_bytes())
        .collect();
    larder.write("noise.bin", noise);
    let ana = larder.http("ana");
    let is_packed = || listing(&ana, "gzip").header("Content-Encoding").is_some();
    assert!(is_packed());
    let mut silent: Vec<Wire> = Vec::new();
    wait::until("no compressor to be free", || {
        let mut wire = larder.wire();
        wire.send(format!(
            "GET /api/get_file?file_path=noise.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            larder.key("ana")
        ));
        // The head has come: its compressor is taken.
        assert!(wire.line().expect("a head").contains(" 200 "));
        silent.push(wire);
        !is_packed()
    });
    assert!(silent.len() >= 4, "{} were enough", silent.len());
    assert_eq!(listing(&ana, "gzip").json()["items"].as_array().unwrap().len(), 100);
    drop(silent);
    wait::until("compressors to be free again", is_packed);
}
