//! Bodies of requests: what is read before, what is read on demand, and what breaks off.

use std::sync::mpsc;
use std::time::Duration;

use tiny_http::{Body, Head, Limits};

use crate::support::{Floor, PATIENCE, get, handle, post};

/// The start of a `POST /echo` with these fields.
fn echo_head(fields: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: box\r\n{fields}\r\n")
}

#[test]
fn small_bodies_are_there_before_the_handler() {
    let floor = Floor::with(Limits::default(), 1, |mut request| {
        let facts = format!(
            "{} {} {:?} {:?}",
            request.has_body(),
            request.body_is_buffered(),
            request.content_length(),
            request.body_length()
        );
        let mut body = Vec::new();
        if request.body_is_buffered() {
            request.as_reader().read_to_end(&mut body).expect("buffered");
        }
        let text = format!("{facts} {}", body.len());
        request.send(Head::new(200), Body::from(text)).expect("sent");
    });
    let told = |request: String| floor.ask(request).text().to_owned();
    assert_eq!(told(get("/")), "false true None None 0");
    assert_eq!(told(post("/", 0, "")), "false true Some(0) Some(0) 0");
    let small = "x".repeat(16 * 1024);
    assert_eq!(told(post("/", small.len(), &small)), "true true Some(16384) Some(16384) 16384");
    let large = "x".repeat(16 * 1024 + 1);
    assert_eq!(told(post("/", 1_u64 << 40, &large)), {
        let length = 1_u64 << 40;
        format!("true false Some({length}) {:?} 0", usize::try_from(length).ok())
    });
    assert_eq!(
        told("POST / HTTP/1.1\r\nHost: box\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()),
        "true false None None 0"
    );
}

#[test]
fn bodies_that_are_worth_something_in_part_are_handed_out_at_once() {
    let (tell, told) = mpsc::channel();
    let piecemeal_media_type = "application/part";
    let floor =
        Floor::with(Limits { piecemeal_media_type, ..Limits::default() }, 1, move |mut request| {
            let mut body = Vec::new();
            let whole = request.as_reader().read_to_end(&mut body).is_ok();
            tell.send((body, whole)).expect("a listener");
        });
    for (kind, is_handed_out) in
        [("application/part", true), ("Application/Part; a=b", true), ("text/plain", false)]
    {
        let mut client = floor.connect();
        client.say(format!(
            "POST / HTTP/1.1\r\nHost: box\r\nContent-Type: {kind}\r\nContent-Length: 4\r\n\r\nab"
        ));
        client.end();
        let _refused = client.answer();
        assert_eq!(told.try_recv().ok(), is_handed_out.then(|| (b"ab".to_vec(), false)), "{kind}");
    }
}

#[test]
fn a_connection_can_be_cut_and_what_had_come_is_read() {
    let (tell, told) = mpsc::channel();
    let (ask, asked) = mpsc::channel();
    let piecemeal_media_type = "application/part";
    let floor =
        Floor::with(Limits { piecemeal_media_type, ..Limits::default() }, 1, move |mut request| {
            ask.send(request.peer()).expect("a listener");
            let mut body = Vec::new();
            let whole = request.as_reader().read_to_end(&mut body).is_ok();
            tell.send((body, whole)).expect("a listener");
        });
    let mut client = floor.connect();
    client.say("POST / HTTP/1.1\r\nHost: box\r\nContent-Type: application/part\r\nContent-Length: 4\r\n\r\nab");
    let peer = asked.recv_timeout(PATIENCE).expect("a request");
    peer.cut();
    assert_eq!(told.recv_timeout(PATIENCE).expect("an end"), (b"ab".to_vec(), false));
    assert!(peer.is_gone());
}

#[test]
fn bodies_of_every_size_come_back_as_they_went() {
    let floor = Floor::start();
    let mut client = floor.connect();
    for size in [1, 1000, 16 * 1024, 16 * 1024 + 1, 100_000, 3_000_000] {
        let body: String = (b'a'..=b'w').cycle().take(size).map(char::from).collect();
        client.say(post("/echo", size, &body));
        assert_eq!(client.answer().text(), body, "{size}");
        client.say(echo_head("Transfer-Encoding: chunked\r\n"));
        for piece in body.as_bytes().chunks(70_001) {
            client.say(format!("{:x}\r\n", piece.len()));
            client.say(piece);
            client.say("\r\n");
        }
        client.say("0\r\nX-Trailer: thrown away\r\n\r\n");
        assert_eq!(client.answer().text(), body, "{size}, chunked");
    }
}

#[test]
fn a_dripped_body_is_put_together() {
    let floor = Floor::start();
    let mut client = floor.connect();
    for byte in post("/echo", 11, "hello world").bytes() {
        client.say([byte]);
    }
    assert_eq!(client.answer().text(), "hello world");
    for byte in echo_head("Transfer-Encoding: chunked\r\n").bytes() {
        client.say([byte]);
    }
    for byte in b"5;x=y\r\nhello\r\n06\r\n world\r\n0\r\n\r\n" {
        client.say([*byte]);
    }
    assert_eq!(client.answer().text(), "hello world");
}

#[test]
fn a_body_that_breaks_off_is_never_a_short_success() {
    let floor = Floor::start();
    let chunked = echo_head("Transfer-Encoding: chunked\r\n");
    for cut in [
        post("/echo", 100_000, "a few bytes"),
        format!("{chunked}5\r\nhel"),
        format!("{chunked}5\r\nhello\r\n"),
        format!("{chunked}5\r\nhello\r\n0\r\n"),
        chunked.clone(),
    ] {
        let mut client = floor.connect();
        client.say(&cut);
        client.end();
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (400, "UnexpectedEof"), "{cut:?}");
        assert!(answer.closes());
        client.expect_end();
    }
    // A small one never reaches a handler at all.
    let mut client = floor.connect();
    client.say(post("/echo", 100, "a few bytes"));
    client.end();
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Content-Type")), (400, Some("text/x-floor")));
}

#[test]
fn continue_is_said_on_the_first_read_and_to_nobody_else() {
    let floor = Floor::start();
    let expecting =
        |length: usize| echo_head(&format!("Expect: 100-Continue\r\nContent-Length: {length}\r\n"));
    // Read: 100 first, then the answer; the connection lives.
    let mut client = floor.connect();
    for length in [5, 50_000] {
        let body = "x".repeat(length);
        client.say(expecting(length));
        assert_eq!(client.answer().status, 100);
        client.say(&body);
        assert_eq!(client.answer().text(), body);
    }
    // Refused unread: the final answer at once, and the end.
    let mut client = floor.connect();
    client.say(expecting(1_000_000).replace("/echo", "/refuse"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (401, true));
    // Who did not wait is not told to go on.
    let mut client = floor.connect();
    client.say(format!("{}hello", expecting(5)));
    assert_eq!(client.answer().text(), "hello");
    // HTTP/1.0 knows no 100.
    let mut client = floor.connect();
    client.say(format!("{}hello", expecting(5).replace("HTTP/1.1", "HTTP/1.0")));
    assert_eq!(client.answer().text(), "hello");
    // Other expectations are not met.
    let other = echo_head("Expect: a-miracle\r\nContent-Length: 5\r\n");
    assert_eq!(floor.ask(other).status, 417);
}

#[test]
fn a_client_that_still_sends_can_read_the_refusal() {
    let floor = Floor::start();
    // Less and more than what is thrown away while lingering.
    for megabytes in [1, 16] {
        let mut client = floor.connect();
        client.say(post("/refuse", megabytes << 20, ""));
        let writer = client.reader.get_ref().try_clone().expect("cloned");
        let sender = std::thread::spawn(move || {
            use std::io::Write;
            let block = vec![b'x'; 1 << 20];
            for _ in 0..megabytes {
                if (&writer).write_all(&block).is_err() {
                    break;
                }
            }
        });
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (401, "no"));
        client.reader.get_ref().shutdown(std::net::Shutdown::Both).expect("open");
        sender.join().expect("it ends");
    }
    floor.expect_alive();
}

#[test]
fn more_than_4_gib_arrive() {
    const LENGTH: u64 = (4 << 30) + 12_345;
    let (tell, told) = mpsc::channel();
    let floor = Floor::with(Limits::default(), 1, move |request| {
        let tell = tell.clone();
        request.run_on_connection(Box::new(move |mut request| {
            let mut buffer = vec![0; 4 << 20];
            let mut sum = 0_u64;
            loop {
                match request.as_reader().read(&mut buffer).expect("it goes on") {
                    0 => break,
                    count => sum += count as u64,
                }
            }
            tell.send((request.content_length(), sum)).expect("the test listens");
            request.send(Head::new(200), Body::from("all")).expect("sent");
        }));
    });
    let mut client = floor.connect();
    client.say(post("/", LENGTH, ""));
    let block = vec![0; 4 << 20];
    let mut left = LENGTH;
    while left > 0 {
        let count = left.min(block.len() as u64);
        client.say(&block[..usize::try_from(count).expect("small")]);
        left -= count;
    }
    let (declared, sum) = told.recv_timeout(PATIENCE).expect("all arrives");
    assert_eq!((declared, sum), (Some(LENGTH), LENGTH));
    assert_eq!(client.answer().text(), "all");
    client.say(get("/"));
    assert_eq!(client.answer().status, 200, "the connection lives");
}

#[test]
fn stalling_and_slow_bodies_end() {
    let limits = Limits {
        body_stall_time: Duration::from_millis(200),
        linger_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let floor = Floor::limited(limits.clone());
    let mut small = floor.connect();
    small.say(post("/echo", 100, "x"));
    assert_eq!(small.answer().status, 408, "a small body is the floor's to wait for");
    let mut large = floor.connect();
    large.say(post("/echo", 100_000, "x"));
    assert_eq!(large.answer().text(), "TimedOut");
    floor.expect_connections(0);

    // A byte every 10 ms never stalls, but is far below the average.
    let limits =
        Limits { rate_grace_time: Duration::from_millis(300), body_rate_min: 10_000, ..limits };
    let floor = Floor::limited(limits);
    for length in [2000, 1_000_000] {
        let mut client = floor.connect();
        client.say(post("/echo", length, ""));
        let writer = client.reader.get_ref().try_clone().expect("cloned");
        let dripping = std::thread::spawn(move || {
            use std::io::Write;
            while (&writer).write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let answer = client.answer();
        assert!(answer.status == 408 || answer.text() == "TimedOut", "{answer:?}");
        drop(client);
        dripping.join().expect("it ends");
    }
    floor.expect_connections(0);
}

#[test]
fn a_body_can_be_read_in_the_worker_too() {
    let floor = Floor::with(Limits::default(), 1, |mut request| {
        let mut body = String::new();
        match request.as_reader().read_to_string(&mut body) {
            Ok(_) => request.send(Head::new(200), Body::from(body)).expect("sent"),
            Err(_) => handle(request),
        }
    });
    let body = "y".repeat(200_000);
    assert_eq!(floor.ask(post("/", body.len(), &body)).text(), body);
}
