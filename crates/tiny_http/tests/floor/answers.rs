//! Answers: framing, files, streams, order, and what becomes of a request nobody answers.

use std::fs::File;
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tiny_http::{Body, Head, Limits, Part, Request};

use crate::support::{Floor, PATIENCE, get, handle};

/// A floor with one worker and one answer.
fn answering(answer: impl Fn(Request) + Send + Sync + 'static) -> Floor {
    Floor::with(Limits::default(), 1, answer)
}

/// Sends and expects it to work.
fn send(request: Request, head: Head, body: impl Into<Body>) {
    request.send(head, body.into()).expect("sent");
}

#[test]
fn a_plain_answer_is_complete() {
    let floor = answering(|request| {
        let head = Head::new(404).with("X-Name", "größe").with("Transfer-Encoding", "gzip");
        send(request, head.with("Content-Length", "999"), "here");
    });
    let answer = floor.ask(get("/"));
    assert_eq!((answer.status, answer.text()), (404, "here"));
    assert_eq!(answer.header("X-Name"), Some("größe"));
    assert_eq!(answer.header("Content-Length"), Some("4"));
    assert_eq!(answer.header("Transfer-Encoding"), None);
    assert_eq!(answer.header("Connection"), None);
    assert_eq!(answer.header("Server"), None);
    let date = answer.header("Date").expect("a date");
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
}

#[test]
fn control_bytes_never_split_an_answer() {
    let (tell, told) = mpsc::channel();
    let floor = answering(move |request| {
        let head = if request.url() == "/name" {
            Head::new(200).with("X\r\nEvil", "x")
        } else {
            Head::new(200).with("X-Name", "x\r\nSet-Cookie: evil=1")
        };
        let result = request.send(head, Body::from("body"));
        tell.send(result.map_err(|error| error.kind())).expect("the test listens");
    });
    for path in ["/name", "/value"] {
        let answer = floor.ask(get(path));
        assert_eq!(answer.status, 500);
        assert!(answer.header("Set-Cookie").is_none() && answer.header("Evil").is_none());
        let result = told.recv_timeout(PATIENCE).expect("told");
        assert_eq!(result, Err(ErrorKind::InvalidInput));
    }
}

#[test]
fn head_gets_the_fields_of_get_and_no_body() {
    let floor = answering(|request| {
        let body = match request.url() {
            "/stream" => Body::Stream(Box::new(|out| out.write_all(b"streamed"))),
            "/parts" => Body::Parts(vec![Part::Bytes(b"12345".to_vec())]),
            "/told" => Body::Empty,
            _ => Body::from("hello"),
        };
        let head = Head::new(200).with("ETag", "\"x\"");
        send(request, head.with("Content-Length", "5000000000"), body);
    });
    let mut client = floor.connect();
    let mut ask = |path: &str| {
        client.say(format!("HEAD {path} HTTP/1.1\r\nHost: box\r\n\r\n"));
        let answer = client.answer_to_head();
        assert_eq!((answer.status, answer.header("ETag")), (200, Some("\"x\"")));
        let field = |name| answer.header(name).map(str::to_owned);
        (field("Content-Length"), field("Transfer-Encoding"))
    };
    assert_eq!(ask("/"), (Some("5".to_owned()), None));
    assert_eq!(ask("/parts"), (Some("5".to_owned()), None));
    assert_eq!(ask("/told"), (Some("5000000000".to_owned()), None));
    assert_eq!(ask("/stream"), (None, Some("chunked".to_owned())));
}

#[test]
fn some_statuses_have_no_body_and_no_length() {
    let floor = answering(|request| {
        let status = request.url()[1..].parse().expect("a status");
        send(request, Head::new(status), "never sent");
    });
    let mut client = floor.connect();
    for status in [204, 304, 200, 204, 304] {
        client.say(get(&format!("/{status}")));
        let answer = client.answer();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("Content-Length").is_some(), status == 200);
        assert_eq!(answer.header("Transfer-Encoding"), None);
    }
    for impossible in [100, 101, 199, 600, 999] {
        assert_eq!(floor.ask(get(&format!("/{impossible}"))).status, 500);
    }
}

#[test]
fn http_1_0_is_spoken() {
    let floor = answering(|request| match request.url() {
        "/stream" => send(
            request,
            Head::new(200),
            Body::Stream(Box::new(|out| out.write_all(b"until the end"))),
        ),
        "/fails" => {
            let stream = Body::Stream(Box::new(|out| {
                out.write_all(b"half")?;
                Err(ErrorKind::Other.into())
            }));
            request.send(Head::new(200), stream).expect("handed over");
        }
        _ => send(request, Head::new(200), "hello"),
    });
    let mut client = floor.connect();
    client.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    client.say("GET / HTTP/1.0\r\n\r\n");
    assert!(client.answer().closes());
    client.expect_end();

    let mut client = floor.connect();
    client.say("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.text(), "until the end");
    assert!(answer.closes() && answer.header("Transfer-Encoding").is_none());

    // A quiet end would make half an answer look whole.
    let mut client = floor.connect();
    client.say("GET /fails HTTP/1.0\r\n\r\n");
    let error = client.try_answer(false).expect_err("it was cut");
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof));
}

#[test]
fn streams_are_chunked_and_flush_really_sends() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(Some(gone));
    let floor = answering(move |request| {
        let Some(gone) = gone.lock().expect("unpoisoned").take() else {
            return send(request, Head::new(200), "after");
        };
        let stream = Body::Stream(Box::new(move |out| {
            out.write_all(b"first")?;
            out.flush()?;
            out.flush()?;
            gone.recv_timeout(PATIENCE).expect("the client has the first");
            out.write_all(&vec![b'x'; 200_000])?;
            out.write_all(b"")?;
            out.write_all(b"last")
        }));
        send(request, Head::new(200), stream);
    });
    let mut client = floor.connect();
    client.say(get("/"));
    let mut seen = Vec::new();
    while !seen.ends_with(b"5\r\nfirst\r\n") {
        let mut byte = [0];
        client.reader.read_exact(&mut byte).expect("it comes before the rest");
        seen.push(byte[0]);
    }
    go.send(()).expect("it waits");
    let mut rest = Vec::new();
    while !rest.ends_with(b"last\r\n0\r\n\r\n") {
        let mut byte = [0];
        client.reader.read_exact(&mut byte).expect("the rest");
        rest.push(byte[0]);
    }
    client.say(get("/"));
    assert_eq!(client.answer().text(), "after", "the connection lives");
}

#[test]
fn a_stream_that_fails_or_panics_is_cut() {
    let floor = answering(|request| {
        let panics = request.url() == "/panics";
        let stream = Body::Stream(Box::new(move |out| {
            out.write_all(b"half")?;
            out.flush()?;
            assert!(!panics, "a stream panics on purpose");
            Err(ErrorKind::Other.into())
        }));
        if request.url() == "/there" {
            request.run_on_connection(Box::new(|request| {
                let result = request.send(Head::new(200), stream);
                assert!(result.is_err());
            }));
        } else {
            request.send(Head::new(200), stream).expect("handed over");
        }
    });
    for path in ["/", "/there", "/panics"] {
        let mut client = floor.connect();
        client.say(get(path));
        assert!(client.try_answer(false).is_err(), "{path}: no last chunk");
    }
    floor.expect_connections(0);
}

#[test]
fn a_quiet_stream_lives_on_and_learns_that_its_client_left() {
    let short = Duration::from_millis(20);
    let limits = Limits {
        idle_time: short,
        write_stall_time: short,
        rate_grace_time: short,
        ..Limits::default()
    };
    let (sender, left) = mpsc::channel();
    let floor = Floor::with(limits, 1, move |request| {
        let (peer, sender) = (request.peer(), sender.clone());
        let stream = Body::Stream(Box::new(move |out| {
            out.write_all(b"a")?;
            out.flush()?;
            // Much longer than any of the limits: none of them is about saying nothing.
            std::thread::park_timeout(short * 10);
            out.write_all(b"b")?;
            out.flush()?;
            while !peer.is_gone() {
                std::thread::yield_now();
            }
            sender.send(peer).expect("the test waits");
            Ok(())
        }));
        request.send(Head::new(200), stream).expect("handed over");
    });
    let mut client = floor.connect();
    client.say(get("/"));
    let mut come = String::new();
    while !come.ends_with("b\r\n") {
        assert!(client.reader.read_line(&mut come).expect("a line") > 0, "{come}");
    }
    drop(client);
    let peer = left.recv_timeout(PATIENCE).expect("it is noticed");
    floor.expect_connections(0);
    assert!(peer.is_gone(), "a peer keeps no connection open");
}

#[test]
fn answers_come_in_the_order_of_the_questions() {
    let floor = Floor::with(Limits::default(), 4, |request| {
        let path = request.url().to_owned();
        if path.ends_with('0') {
            let moved = Box::new(move |request| send(request, Head::new(200), path));
            return request.run_on_connection(moved);
        }
        send(request, Head::new(200), path);
    });
    let mut client = floor.connect();
    let questions: String = (0..500).map(|number| get(&format!("/{number}"))).collect();
    client.say(questions);
    for number in 0..500 {
        assert_eq!(client.answer().text(), format!("/{number}"));
    }
}

#[test]
fn files_ranges_and_parts_are_sent() {
    let mut file = tempfile::tempfile().expect("a file");
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    file.write_all(&content).expect("written");
    let file = Arc::new(file);
    let length = content.len() as u64;
    let floor = answering(move |request| {
        let slice = |offset, length| Part::File { file: Arc::clone(&file), offset, length };
        let text = |text: &str| Part::Bytes(text.as_bytes().to_vec());
        let parts = match request.url() {
            "/whole" => vec![slice(0, length)],
            "/range" => vec![slice(1_000_000, 5)],
            "/nothing" => vec![],
            "/empty" => vec![slice(7, 0), text("")],
            "/more" => vec![slice(length - 10, 20)],
            _ => vec![text("--a\r\n"), slice(10, 5), text("\r\n--b\r\n"), slice(0, 70_000)],
        };
        let _cut = request.send(Head::new(206), Body::Parts(parts));
    });
    let mut client = floor.connect();
    let mut ask = |path: &str| {
        client.say(get(path));
        client.answer().body
    };
    assert_eq!(ask("/whole"), content);
    assert_eq!(ask("/range"), &content[1_000_000..1_000_005]);
    assert_eq!(ask("/nothing"), b"");
    assert_eq!(ask("/empty"), b"");
    let both = [b"--a\r\n", &content[10..15], b"\r\n--b\r\n", &content[..70_000]].concat();
    assert_eq!(ask("/both"), both);
    // A file that is shorter than it was promised to be: cut, never padded, never quietly ended.
    let mut client = floor.connect();
    client.say(get("/more"));
    assert!(client.try_answer(false).is_err());
    floor.expect_connections(1);
}

#[test]
fn files_beyond_4_gib_are_sent() {
    const LENGTH: u64 = 5 << 30;
    let mut file = tempfile::tempfile().expect("a file");
    file.set_len(LENGTH).expect("sparse");
    file.seek(SeekFrom::Start(LENGTH - 3)).expect("moved");
    file.write_all(b"end").expect("written");
    let file = Arc::new(file);
    let floor = answering(move |request| {
        let (offset, length) =
            if request.url() == "/range" { (LENGTH - 10, 10) } else { (0, LENGTH) };
        let part = Part::File { file: Arc::clone(&file), offset, length };
        send(request, Head::new(200), Body::Parts(vec![part]));
    });
    assert_eq!(floor.ask(get("/range")).body, b"\0\0\0\0\0\0\0end");

    let mut client = floor.connect();
    client.say(get("/"));
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.reader.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    assert!(head.contains(&format!("Content-Length: {LENGTH}\r\n")), "{head}");
    let mut buffer = vec![0; 4 << 20];
    let mut left = LENGTH;
    let mut last = Vec::new();
    while left > 0 {
        let room = usize::try_from(left.min(buffer.len() as u64)).expect("small");
        let count = client.reader.read(&mut buffer[..room]).expect("it goes on");
        assert!(count > 0, "{left} bytes are missing");
        left -= count as u64;
        last.extend_from_slice(&buffer[count.saturating_sub(3)..count]);
        last.drain(..last.len().saturating_sub(3));
    }
    assert_eq!(last, b"end");
}

#[test]
fn lengths_beyond_64_bits_are_refused() {
    let file = Arc::new(tempfile::tempfile().expect("a file"));
    let floor = answering(move |request| {
        let part = Part::File { file: Arc::<File>::clone(&file), offset: 0, length: u64::MAX };
        let result = request.send(Head::new(200), Body::Parts(vec![part.clone(), part]));
        assert_eq!(result.expect_err("too long").kind(), ErrorKind::InvalidInput);
    });
    assert_eq!(floor.ask(get("/")).status, 500);
}

#[test]
fn a_request_nobody_answers_is_answered_500() {
    let floor = Floor::start();
    for path in ["/nothing", "/panic", "/panic-there"] {
        let answer = floor.ask(get(path));
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(answer.header("Content-Type"), Some("text/x-floor"));
    }
    floor.expect_connections(0);
    for _ in 0..10 {
        floor.expect_alive();
    }
}

#[test]
fn a_request_may_move_to_any_thread() {
    let floor = answering(|request| match request.url() {
        "/thread" => {
            std::thread::spawn(|| send(request, Head::new(200), vec![b'x'; 5_000_000]));
        }
        "/home-and-away" => request.run_on_connection(Box::new(|request| {
            std::thread::spawn(|| {
                request.run_on_connection(Box::new(|request| {
                    request.run_on_connection(Box::new(handle));
                }));
            });
        })),
        _ => handle(request),
    });
    let mut client = floor.connect();
    client.say(get("/thread"));
    assert_eq!(client.answer().body.len(), 5_000_000);
    client.say(get("/home-and-away"));
    assert_eq!(client.answer().text(), "/home-and-away");
}

#[test]
fn header_fields_are_found_whatever_their_case() {
    let floor = answering(|request| {
        let all: Vec<_> = request.headers_named("x-name").collect();
        let text = format!(
            "{all:?} {:?} {:?} {}",
            request.header("HOST"),
            request.header("absent"),
            request.headers().len()
        );
        send(request, Head::new(200), text);
    });
    let answer = floor.ask(
        &b"GET / HTTP/1.1\r\nHost: box\r\nX-Name: a \r\nx-name:\tb\r\nX-NAME: \xe4\r\n\r\n"[..],
    );
    assert_eq!(answer.text(), "[\"a\", \"b\", \"ä\"] Some(\"box\") None 4");
}

#[test]
fn a_large_answer_costs_its_worker_no_time() {
    // One worker, a client that does not read 8 MiB, and another that is served meanwhile.
    let floor = Floor::with(Limits::default(), 1, handle);
    let mut lazy = floor.connect();
    lazy.say(get("/big"));
    floor.expect_alive();
    assert_eq!(lazy.answer().body.len(), 8 << 20);
    lazy.say(get("/hello"));
    assert_eq!(lazy.answer().text(), "hello");
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    let limits = Limits { write_stall_time: Duration::from_millis(200), ..Limits::default() };
    let (tell, told) = mpsc::channel();
    let floor = Floor::with(limits, 1, move |request| {
        let tell = tell.clone();
        request.run_on_connection(Box::new(move |request| {
            let result = request.send(Head::new(200), Body::from(vec![b'x'; 64 << 20]));
            tell.send(result.map_err(|error| error.kind())).expect("the test listens");
        }));
    });
    let mut lazy = floor.connect();
    lazy.say(get("/"));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Err(ErrorKind::TimedOut)));
    floor.expect_connections(0);
    assert!(lazy.try_answer(false).is_err());
}
