//! HTTP itself: hostile clients, bounds on memory and time, and never a 500.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Larder, Wire, all_but_endings, password_of, wait};

/// How much a request of any size may cost (contract, section 2), in KiB.
const GROWTH_KIB_MAX: u64 = 32 * 1024;

/// Does `work` and demands that the server's peak of memory grew less than the bound.
#[track_caller]
fn expect_small(larder: &Larder, what: &str, work: impl FnOnce()) {
    // The first requests of all kinds have been made, so that only `what` is measured.
    larder.http("ana").get("/api/user/get_self").expect(200);
    larder.http("ana").get("/api/role/self").expect(200);
    let before = larder.process().memory_peak_kib();
    work();
    // The kernel counts in batches, so that the peak may seem to shrink by a few pages.
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "{what} cost {grown} KiB above {before} KiB");
}

/// A small request that anybody may make, and that changes nothing.
const PING: &str = "GET /auth HTTP/1.1\r\nHost: larder\r\n\r\n";

#[test]
fn a_script_that_sends_everything_before_it_reads_learns_why_it_was_refused() {
    let larder = Larder::start().user("ana");
    let mebibytes = 65;
    for (key, status) in [("nobody", 401), (larder.key("ana"), 413)] {
        let mut wire = larder.wire();
        wire.send(format!(
            "POST /api/edit_file HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            mebibytes << 20
        ));
        let piece = vec![b' '; 1 << 20];
        for _ in 0..mebibytes {
            wire.send(&piece);
        }
        wire.answer().expect_refusal(status);
    }
}

#[test]
fn a_burst_of_64_connections_is_answered_at_once() {
    let larder = Larder::start();
    let before = Instant::now();
    let mut wires: Vec<Wire> = (0..64).map(|_| larder.wire()).collect();
    for wire in &mut wires {
        wire.send(PING);
    }
    // The last first, while all others stay open.
    for wire in wires.iter_mut().rev() {
        wire.answer().expect(200);
    }
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    for wire in &mut wires {
        wire.send(PING);
        wire.answer().expect(200);
    }
}

#[test]
fn silent_and_dripping_connections_keep_nobody_out() {
    let larder = Larder::start();
    let mut silent: Vec<Wire> = (0..100).map(|_| larder.wire()).collect();
    for (number, wire) in silent.iter_mut().enumerate() {
        if number % 2 == 0 {
            wire.send("POST /api/user/login HTTP/1.1\r\nHost: larder\r\nContent-Length: 10");
        }
        if number % 4 == 0 {
            wire.send("\r\n\r\n{");
        }
    }
    for _ in 0..10 {
        let before = Instant::now();
        let mut wire = larder.wire();
        wire.send(PING);
        wire.answer().expect(200);
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    }
}

#[test]
fn more_connections_than_there_may_be_make_room() {
    let larder = Larder::start();
    // The eldest go; whoever comes is served.
    let mut held = Vec::new();
    for number in 0..1500 {
        let mut wire = larder.wire_from_afar_by(number);
        let _maybe_closed = wire.try_send("GET /");
        held.push(wire);
    }
    let mut wire = larder.wire();
    wire.send(PING);
    wire.answer().expect(200);
}

#[test]
fn requests_in_one_breath_are_answered_in_order() {
    let larder = Larder::start().user("ana");
    let key = larder.key("ana");
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n");
    let body = r#"{"everywhere": 1}"#;
    let post = format!(
        "POST /api/user/logout HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut wire = larder.wire();
    let breath =
        [get("/api/user/get_self"), post, get("/api/nothing"), get("/auth"), get("/api/role/self")];
    wire.send(breath.concat());
    wire.answer().expect(200);
    wire.answer().expect_refusal(400);
    wire.answer().expect_error(404, "Not found");
    wire.answer().expect(200);
    wire.answer().expect(200);
}

#[test]
fn an_endless_length_is_not_waited_for() {
    let larder = Larder::start().user("ana");
    for (key, status) in [("nobody", 401), (larder.key("ana"), 413)] {
        for length in ["67108865", "99999999999", "18446744073709551615"] {
            let before = Instant::now();
            let mut wire = larder.wire();
            wire.send(format!(
                "POST /api/edit_file HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Length: {length}\r\n\r\n{{"
            ));
            wire.answer().expect_refusal(status);
            assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
        }
    }
    larder.http("ana").get("/api/user/get_self").expect(200);
}

#[test]
fn heads_that_are_none_are_refused() {
    let larder = Larder::start();
    for bad in [
        "nonsense\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "POST /auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(200_000)),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(200_000)),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(5000)),
    ] {
        let mut wire = larder.wire();
        let _maybe_refused = wire.try_send(&bad);
        let shown = &bad[..bad.len().min(90)];
        let Some(answer) = wire.try_answer(false) else {
            panic!("no answer to {shown:?}");
        };
        assert!(matches!(answer.status, 400 | 411 | 413 | 414 | 431 | 501 | 505), "{shown:?}: {answer}");
        answer.json()["error"].as_str().expect("a sentence");
        // What is behind a broken head is nobody's request.
        wire.finish_sending();
        assert!(wire.is_ended(), "{shown:?}: the connection goes on");
    }
    let mut wire = larder.wire();
    wire.send(PING);
    wire.answer().expect(200);
}

#[test]
fn a_smuggled_request_is_none() {
    let larder = Larder::start().user("ana");
    let key = larder.key("ana");
    let inner = format!("GET /api/user/get_self HTTP/1.1\r\nHost: a\r\nX-API-KEY: {key}\r\n\r\n");
    for head in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked", inner.len() + 5),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding:\u{b}chunked".to_owned(),
    ] {
        let mut wire = larder.wire();
        wire.send(format!(
            "POST /api/user/logout HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n0\r\n\r\n{inner}"
        ));
        wire.finish_sending();
        let first = wire.try_answer(false);
        assert!(first.as_ref().is_none_or(|answer| answer.status >= 400), "{head}");
        let second = wire.try_answer(false);
        assert!(
            second.is_none_or(|answer| answer.status != 200),
            "{head}: the inner request was answered"
        );
    }
}

#[test]
fn a_refused_body_does_not_become_the_next_request() {
    let larder = Larder::start().user("ana");
    let body = "GET /api/is_up HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/edit_file HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    wire.answer().expect_error(401, "Unauthorized");
    if wire.try_send(PING)
        && let Some(next) = wire.try_answer(false)
    {
        assert!(next.header("Content-Type").unwrap().starts_with("text/html"), "{next}");
    }
}

#[test]
fn old_clients_and_those_who_want_to_leave_are_let_go() {
    let larder = Larder::start();
    for request in [
        "GET /auth HTTP/1.0\r\n\r\n",
        "GET /auth HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET /auth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /auth HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n",
    ] {
        let mut wire = larder.wire();
        wire.send(request);
        wire.answer().expect(200);
        assert!(wire.is_ended(), "{request}");
    }
}

#[test]
fn a_body_over_64_mebibytes_is_too_large_in_chunks_too() {
    let larder = Larder::start().user("ana");
    let mut wire = larder.wire();
    wire.send(format!(
        "POST /api/edit_file HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        larder.key("ana")
    ));
    let start = r#"{"path": "a.txt", "file_content": ""#;
    wire.send(format!("{:x}\r\n{start}\r\n", start.len()));
    let megabyte = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    for _ in 0..66 {
        wire.send_until_answered(megabyte.as_bytes());
    }
    wire.answer().expect_refusal(413);
    assert!(larder.tree().is_empty());
    larder.wait_until_tidy();
}

#[test]
fn a_large_body_costs_no_memory() {
    let larder = Larder::start().user("ana").folder("docs");
    let content = "x\\n\\u00e9".repeat(6_600_000);
    let body = format!(r#"{{"file_content": "{content}", "path": "docs/a.txt"}}"#);
    assert!(body.len() > 56 << 20 && body.len() < 64 << 20);
    expect_small(&larder, "a JSON body", || {
        let answer = larder.http("ana").post_raw("/api/edit_file", None, body.as_bytes());
        answer.expect_status("File edited");
    });
    assert_eq!(fs::metadata(larder.root().join("docs/a.txt")).unwrap().len(), 4 * 6_600_000);
}

#[test]
fn a_large_body_of_nonsense_costs_no_memory() {
    let larder = Larder::start().user("ana");
    let megabytes = |text: &str| text.repeat((50 << 20) / text.len());
    expect_small(&larder, "nonsense", || {
        for body in [
            format!(r#"{{"path": "{}"}}"#, megabytes("a")),
            format!(r#"{{"{}": 1}}"#, megabytes("a")),
            format!(r#"{{"x": [{}1]}}"#, megabytes("1,")),
            format!(r#"{{"x": {}}}"#, megabytes("9")),
            format!(r#"{{"path": 1{}}}"#, megabytes(" ")),
        ] {
            let mut wire = larder.wire();
            wire.send(format!(
                "POST /api/delete_file HTTP/1.1\r\nHost: a\r\nX-API-KEY: {}\r\nContent-Length: {}\r\n\r\n",
                larder.key("ana"),
                body.len()
            ));
            wire.send_until_answered(body.as_bytes());
            let answer = wire.answer();
            assert!(matches!(answer.status, 400 | 413), "{answer}");
        }
    });
}

#[test]
fn the_content_of_a_large_file_costs_no_memory() {
    let larder = Larder::start().user("ana");
    let file = File::create(larder.root().join("big.mp4")).unwrap();
    file.set_len(150 << 20).unwrap();
    let mut text = File::create(larder.root().join("big.txt")).unwrap();
    let line = "é".repeat(1 << 19);
    for _ in 0..60 {
        text.write_all(line.as_bytes()).unwrap();
    }
    expect_small(&larder, "get_file", || {
        for (path, shown) in [("big.mp4", 150_u64 << 20), ("big.txt", 60 << 20)] {
            let body =
                larder.http("ana").get_with("/api/get_file", "file_path", path).expect(200).body;
            assert!(body.len() as u64 > shown, "{path}: {}", body.len());
        }
    });
}

#[test]
fn a_listing_of_a_hundred_thousand_entries_costs_no_memory() {
    let larder = Larder::start().user("ana").folder("many");
    let folder = larder.root().join("many");
    let first = folder.join("a rather long name of a file, as people have them 000000.jpg");
    File::create(&first).unwrap();
    // Names of one file are quicker to make than files; ext4 allows 65 000 for one.
    for number in 1..100_000 {
        let name = folder
            .join(format!("a rather long name of a file, as people have them {number:06}.jpg"));
        if number % 50_000 == 0 || fs::hard_link(&first, &name).is_err() {
            File::create(&name).unwrap();
        }
    }
    expect_small(&larder, "a listing", || {
        let answer = larder.http("ana").get("/api/finder?path=many&details=1").expect(200);
        assert_eq!(answer.json()["entries"].as_array().unwrap().len(), 100_000);
    });
}

#[test]
fn many_sign_ins_at_once_cost_no_memory() {
    let larder = Larder::start().user("ana");
    expect_small(&larder, "signing in", || {
        std::thread::scope(|scope| {
            for number in 0..16 {
                let larder = &larder;
                scope.spawn(move || {
                    let name = if number % 2 == 0 { "ana" } else { "nobody" };
                    let answer = larder.sign_in(name, &password_of("ana"));
                    assert!(matches!(answer.status, 200 | 401 | 429), "{answer}");
                });
            }
        });
    });
}

#[test]
fn a_zip_of_many_files_costs_no_memory() {
    let larder = Larder::start().user("ana").folder("many");
    // A fifth of the contract's number: making them takes most of the time, and what grew with
    // their number would show at this one.
    for number in 0..10_000 {
        let path = larder.root().join(format!("many/a file with a long name of its own {number}"));
        File::create(path).unwrap();
    }
    expect_small(&larder, "a zip", || {
        let body = larder.http("ana").get("/api/download?file_path=many").expect(200).body;
        assert!(body.len() > 10_000 * 100);
    });
}

/// A small generator (xorshift64*), so that a failure can be seen again.
struct Dice(u64);

impl Dice {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    /// One of these.
    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Where the dice of the odd requests start.
const SEED: u64 = 0x1a2d_e200_0000_0007;

/// Fields that the odd requests have.
const FIELDS: &[&str] = &[
    "path",
    "file_name",
    "new_name",
    "folder_name",
    "file_content",
    "permanent",
    "everywhere",
    "username",
    "ids",
    "if_exists",
    "other",
];

#[test]
fn no_odd_request_is_a_fault_of_the_server() {
    let larder = Larder::start()
        .user("ana")
        .file("docs/a.txt", "A")
        .folder("docs/deep")
        .link("link", "docs");
    let values = [
        json!(null),
        json!(""),
        json!("."),
        json!(".."),
        json!("/"),
        json!("docs"),
        json!("docs/a.txt"),
        json!("a.txt"),
        json!("link"),
        json!("link/a.txt"),
        json!("\0"),
        json!("é\n\"\\"),
        json!("x".repeat(255)),
        json!("x".repeat(5000)),
        json!("a/".repeat(3000)),
        json!(0),
        json!(-1.5e300),
        json!(true),
        json!([]),
        json!({}),
        json!([[["x"]]]),
        json!(".larder"),
        json!("docs/missing/x"),
        json!("docs/a.txt/x"),
        json!("%2e%2e"),
        json!("con:"),
        json!("\u{ffff}"),
    ];
    let queries = ["path", "file_path", "details", "inline", "x", ""];
    let allowed = [200, 206, 303, 400, 401, 404, 405, 409, 413, 415, 416, 429, 431];
    let ana = larder.http("ana");
    let mut dice = Dice(SEED);
    let rows = all_but_endings();
    for round in 0..900 {
        let (method, path) = *dice.one(&rows);
        let answer = if method == "GET" {
            let mut target = format!("{path}?");
            for _ in 0..dice.below(4) {
                let value = dice.one(&values).to_string();
                let value = value.trim_matches('"').to_owned();
                let value = if dice.below(2) == 0 {
                    crate::harness::encode(&value)
                } else {
                    crate::harness::encode(&value).replace("%2F", "/")
                };
                write!(target, "{}={value}&", dice.one(&queries)).unwrap();
            }
            target.truncate(7000);
            ana.get(&target)
        } else if path == "/api/upload" {
            let mut form = crate::harness::Form::new();
            for _ in 0..dice.below(4) {
                let value = dice.one(&values).to_string();
                let value = value.trim_matches('"');
                form = match dice.below(3) {
                    0 => form.file(value, "x"),
                    1 => form.field("path", value),
                    _ => form.field(dice.one::<&str>(&["if_exists", "other"]), value),
                };
            }
            ana.upload(&form)
        } else {
            let mut object = serde_json::Map::new();
            for _ in 0..dice.below(5) {
                object.insert((*dice.one(FIELDS)).to_owned(), dice.one(&values).clone());
            }
            let mut body = json!(object).to_string().into_bytes();
            // Some are cut, some have a byte changed.
            match dice.below(6) {
                0 => body.truncate(dice.below(body.len() + 1)),
                1 => {
                    let at = dice.below(body.len());
                    body[at] = u8::try_from(dice.below(256)).unwrap();
                }
                _ => {}
            }
            ana.post_raw(path, None, &body)
        };
        assert!(allowed.contains(&answer.status), "seed {SEED:#x}, round {round}: {answer}");
    }
    larder.http("ana").get("/api/user/get_self").expect(200);
    assert_eq!(larder.process().complaints(), "");
    larder.wait_until_tidy();
}

#[test]
fn bytes_at_random_do_not_hurt() {
    let larder = Larder::start();
    let mut dice = Dice(0x1a2d_e200_0000_0011);
    for round in 0..200 {
        let mut bytes: Vec<u8> =
            (0..dice.below(400)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        if round % 2 == 0 {
            bytes.splice(0..0, *b"GET /auth HTTP/1.1\r\nHost: a\r\n");
            bytes.extend(b"\r\n\r\n");
        }
        let mut wire = larder.wire();
        let _maybe_refused = wire.try_send(&bytes);
        wire.finish_sending();
        while let Some(answer) = wire.try_answer(false) {
            assert!(
                answer.status < 500 || matches!(answer.status, 501 | 505),
                "round {round}: {answer}"
            );
        }
    }
    let mut wire = larder.wire();
    wire.send(PING);
    wire.answer().expect(200);
    wait::until("still there", || larder.process().ended().is_none());
}

/// Programs and pages go by the code (second contract, section 13); people read the sentence.
#[test]
fn each_refusal_has_a_word_for_programs() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    ana.get("/api/finder?path=nowhere").expect_code(404, "not_found");
    ana.get("/api/finder?path=..").expect_code(400, "invalid_path");
    ana.get("/api/get_file").expect_code(400, "missing");
    ana.get("/api/nothing").expect_code(404, "not_found");
    ana.get("/api/new_file").expect_code(405, "method_not_allowed");
    larder.anonymous().get("/api/finder").expect_code(401, "unauthorized");
}
