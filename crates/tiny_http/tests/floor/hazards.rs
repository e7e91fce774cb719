//! What ended or stopped the published crate (H1 to H11), each as a test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tiny_http::{Body, Head, Limits};

use crate::support::{Client, Floor, PATIENCE, eventually, get, handle, post};

#[test]
fn h1_a_huge_declared_length_is_refused_unread() {
    let floor = Floor::start();
    for length in [1_000_000_000_u64, 60_000_000_000, 1_000_000_000_000_000_000, u64::MAX] {
        let mut client = floor.connect();
        client.say(post("/refuse", length, "a few bytes"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (401, "no"));
        assert!(answer.closes(), "the rest of the body can't be told from a request");
        client.end();
        client.expect_end();
    }
    floor.expect_connections(0);
    floor.expect_alive();
}

#[test]
fn h1_a_client_that_leaves_in_the_middle_is_an_error_and_nothing_else() {
    let (tell, told) = mpsc::channel();
    let floor = Floor::with(Limits::default(), 1, move |request| {
        if request.url() != "/upload" {
            return handle(request);
        }
        let tell = tell.clone();
        request.run_on_connection(Box::new(move |mut request| {
            let mut buffer = vec![0; 64 * 1024];
            let mut sum = 0;
            let end = loop {
                match request.as_reader().read(&mut buffer) {
                    Ok(0) => break None,
                    Ok(count) => sum += count,
                    Err(error) => break Some(error.kind()),
                }
            };
            let again = request.as_reader().read(&mut buffer).is_err();
            tell.send((sum, end, again)).expect("the test listens");
        }));
    });
    let mut client = floor.connect();
    client.say(post("/upload", 60_000_000_000_u64, &"x".repeat(100_000)));
    drop(client);
    let (sum, end, again) = told.recv_timeout(PATIENCE).expect("the handler noticed");
    assert_eq!((sum, end), (100_000, Some(std::io::ErrorKind::UnexpectedEof)));
    assert!(again, "an error of the body stays");
    floor.expect_connections(0);
    floor.expect_alive();
}

#[test]
fn h2_other_versions_are_told_so_and_leave_nothing_behind() {
    let floor = Floor::start();
    for _ in 0..40 {
        for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/1.2", "HTTP/0.9"] {
            let answer = floor.ask(format!("PRI * {version}\r\n\r\nSM\r\n\r\n"));
            assert_eq!(answer.status, 505, "{version}");
            assert_eq!(answer.header("Content-Type"), Some("text/x-floor"));
            assert_eq!(answer.header("X-Floor"), Some("refused"));
        }
    }
    floor.expect_connections(0);
    floor.expect_alive();
}

#[test]
fn h3_a_burst_of_64_connections_is_answered_at_once() {
    let floor = Floor::start();
    for _ in 0..3 {
        // All are open before the first asks, and stay open until the last has its answer.
        let mut clients: Vec<_> = (0..64).map(|_| floor.connect()).collect();
        for client in &mut clients {
            client.say(get("/hello"));
        }
        for client in &mut clients {
            assert_eq!(client.answer().text(), "hello");
        }
    }
}

#[test]
fn h4_used_up_descriptors_stop_nobody_for_good() {
    let me = std::env::current_exe().expect("a test has a file");
    let mut child = Command::new(me)
        .args(["--exact", "hazards::a_child_with_few_descriptors", "--ignored", "--nocapture"])
        .env("FLOOR_CHILD", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let address = lines
        .find_map(|line| line.expect("text").strip_prefix("listening on ").map(str::to_owned))
        .expect("the child says where");

    let connect = || {
        let stream = TcpStream::connect(&address).expect("the kernel accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream
    };
    let ask = |mut stream: &TcpStream| {
        stream.write_all(get("/hello").as_bytes()).expect("sent");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        assert_eq!(answer, "HTTP/1.1 200 OK\r\n");
    };
    // Four times as many as the child has descriptors: the idle make room, the last are served.
    let crowd: Vec<_> = (0..256).map(|_| connect()).collect();
    ask(&connect());
    ask(crowd.last().expect("there are many"));
    drop(crowd);
    for _ in 0..100 {
        ask(&connect());
    }
    drop(child.stdin.take());
    assert!(child.wait().expect("the child ends").success());
}

/// Serves with 64 descriptors until its standard input ends.
#[test]
#[ignore = "run by h4 in a process of its own"]
fn a_child_with_few_descriptors() {
    if std::env::var_os("FLOOR_CHILD").is_none() {
        return;
    }
    let few = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, few).expect("lowered");
    let floor = Floor::start();
    writeln!(std::io::stdout(), "\nlistening on {}", floor.address).expect("printed");
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).expect("ends");
    assert!(floor.server.counters().accept_failures > 0, "the descriptors never ran out");
}

#[test]
fn h4b_a_thread_that_does_not_start_costs_its_connection_only() {
    // No machine has that much to map for a stack.
    let limits = Limits { connection_stack_bytes: usize::MAX / 4, ..Limits::default() };
    let floor = Floor::limited(limits);
    for failures in 1..4 {
        let mut client = floor.connect();
        client.expect_end();
        eventually("the failure counts", || floor.server.counters().thread_failures == failures);
        floor.expect_connections(0);
    }
}

#[test]
fn h5_slow_clients_hold_no_worker() {
    let floor = Floor::start();
    let mut crowd = Vec::new();
    for _ in 0..64 {
        let mut slow_body = floor.connect();
        slow_body.say(post("/echo", 2000, "abc"));
        let mut slow_large_body = floor.connect();
        slow_large_body.say(post("/echo", 2_000_000, "abc"));
        crowd.extend([slow_body, slow_large_body]);
    }
    for _ in 0..16 {
        let mut never_reads = floor.connect();
        never_reads.say(get("/big"));
        never_reads.say(get("/hello"));
        crowd.push(never_reads);
    }
    eventually("all are at work", || floor.server.counters().requests >= 64 + 16);
    for _ in 0..20 {
        floor.expect_alive();
    }
}

#[test]
fn h6_heads_without_end_are_cut_short() {
    let floor = Floor::start();
    let endless = |start: &str, piece: &str| {
        let mut client = floor.connect();
        client.say(start);
        // The floor answers long before a mebibyte went; whatever is sent after that is its own.
        let piece = piece.repeat(1024);
        for _ in 0..(1 << 20) / piece.len() {
            if !client.try_say(&piece) {
                break;
            }
        }
        client.answer().status
    };
    let start = "GET / HTTP/1.1\r\nHost: box\r\n";
    assert_eq!(endless(&format!("{start}X-Long: "), "xxxxxxxx"), 431);
    assert_eq!(endless(start, "A: b\r\n"), 431);
    assert_eq!(endless("GET /", "xxxxxxxx"), 414);
    assert_eq!(endless("", "xxxxxxxx"), 414);
    floor.expect_connections(0);
    floor.expect_alive();
}

#[test]
fn h7_a_pipelined_flood_queues_one_request_at_a_time() {
    let floor = Floor::with(Limits::default(), 0, handle);
    let mut client = floor.connect();
    client.say(get("/hello").repeat(1000));
    let answer = |request: tiny_http::Request| {
        request.send(Head::new(200), Body::from("one")).expect("sent");
    };
    for _ in 0..1000 {
        let request = floor.server.recv_timeout(PATIENCE).expect("open").expect("a request");
        assert!(
            floor.server.try_recv().expect("open").is_none(),
            "the next waits for the answer to this one"
        );
        answer(request);
        assert_eq!(client.answer().text(), "one");
    }
}

/// Two hundred clients that say nothing, or the beginning of a head.
fn drippers(floor: &Floor) -> Vec<Client> {
    let dripper = |number| {
        let mut client = floor.connect();
        if number % 2 == 0 {
            client.try_say("GET / HT");
        }
        client
    };
    (0..200).map(dripper).collect()
}

#[test]
fn h8_idle_and_dripping_clients_make_room() {
    let floor = Floor::limited(Limits {
        connections_max: 64,
        // However busy the machine is, whoever has to go goes before the next is looked at.
        room_time: PATIENCE,
        ..Limits::default()
    });
    let mut drippers = drippers(&floor);
    for _ in 0..10 {
        for dripper in &mut drippers {
            dripper.try_say("x");
        }
        floor.expect_alive();
        assert!(floor.server.num_connections() <= 64);
    }
    assert!(floor.server.counters().evicted > 100);
    assert_eq!(floor.server.counters().turned_away, 0, "there was always someone idle");
}

#[test]
fn h8_idle_and_dripping_clients_go_at_their_deadline() {
    let limits = Limits {
        head_time: Duration::from_millis(300),
        idle_time: Duration::from_millis(300),
        linger_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let floor = Floor::limited(limits);
    let drippers = drippers(&floor);
    // Dripping on does not help: the deadline is for the whole head.
    eventually("the drippers are gone", || {
        for dripper in &drippers {
            let mut stream = dripper.reader.get_ref();
            let _gone = stream.write(b"x");
        }
        floor.server.num_connections() == 0
    });
}

#[test]
fn h9_lengths_have_one_reading_or_none() {
    let floor = Floor::start();
    let status = |fields: &str, body: &str| {
        let request = format!("POST /echo HTTP/1.1\r\nHost: box\r\n{fields}\r\n{body}");
        let mut client = floor.connect();
        client.say(&request);
        let answer = client.answer();
        if answer.status != 200 {
            assert!(answer.closes(), "{fields:?}");
            client.expect_end();
        }
        answer.status
    };
    assert_eq!(status("Content-Length: 3\r\n", "abc"), 200);
    assert_eq!(status("Content-Length: 003\r\n", "abc"), 200);
    assert_eq!(status("transfer-encoding: Chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), 200);
    for bad in
        ["-5", "+5", "0x5", "", "5, 5", "5 5", "18446744073709551616", "1e3", "5;", "\u{665}"]
    {
        assert_eq!(status(&format!("Content-Length: {bad}\r\n"), "hello"), 400, "{bad:?}");
    }
    let twice = "Content-Length: 5\r\n";
    assert_eq!(status(&format!("{twice}Content-Length: 6\r\n"), "hello"), 400);
    assert_eq!(status(&format!("{twice}{twice}"), "hello"), 400);
    assert_eq!(status(&format!("{twice}Transfer-Encoding: chunked\r\n"), "0\r\n\r\n"), 400);
    assert_eq!(status(&format!("Transfer-Encoding: chunked\r\n{twice}"), "0\r\n\r\n"), 400);
    for unknown in ["xchunked", "identity", "gzip, chunked", "chunked, chunked", ""] {
        let field = format!("Transfer-Encoding: {unknown}\r\n");
        assert_eq!(status(&field, "0\r\n\r\n"), 501, "{unknown:?}");
    }
    let coding = "Transfer-Encoding: chunked\r\n";
    assert_eq!(status(&format!("{coding}{coding}"), "0\r\n\r\n"), 501);
    assert_eq!(status(" Content-Length: 5\r\n", "hello"), 400);
    assert_eq!(status("Content-Length : 5\r\n", "hello"), 400);
    let old = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(floor.ask(old).status, 400);
    // Chunks that are no chunks: the handler hears of it, and the connection ends.
    for bad in ["+3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\n"] {
        let mut client = floor.connect();
        client.say(format!("POST /echo HTTP/1.1\r\nHost: box\r\n{coding}\r\n{bad}"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (400, "InvalidData"), "{bad:?}");
        assert!(answer.closes());
        client.expect_end();
    }
    floor.expect_alive();
}

#[test]
fn h9_an_unread_body_is_never_taken_for_a_request() {
    let floor = Floor::start();
    let mut client = floor.connect();
    // Whole and at hand: skipped, and the connection lives.
    client.say(post("/refuse", get("/smuggled").len(), &get("/smuggled")));
    assert_eq!(client.answer().status, 401);
    client.say("POST /refuse HTTP/1.1\r\nHost: box\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.say("5\r\nhello\r\n0\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 401);
    if !answer.closes() {
        client.say(get("/hello"));
        assert_eq!(client.answer().text(), "hello");
    }
    // Not at hand: the connection ends.
    let mut client = floor.connect();
    client.say(post("/refuse", 100_000, ""));
    let answer = client.answer();
    assert!(answer.status == 401 && answer.closes());
    client.try_say(get("/smuggled"));
    client.end();
    client.expect_end();
}

#[test]
fn h10_heads_have_one_reading_or_none() {
    let floor = Floor::start();
    let bad = [
        "GET /hello HTTP/1.1\nHost: box\n\n",
        "GET /hello HTTP/1.1\r\nHost: box\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nX: a\rb\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nX: a\0b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nX: a\x1bb\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nX: a\r\n b\r\n\r\n",
        "GET /hello HTTP/1.1\r\n Host: box\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost : box\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\n: empty\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nno colon\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nB\u{e4}d: x\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box\r\nHost: box\r\n\r\n",
        "GET /hello HTTP/1.0\r\nHost: box\r\nHost: other\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: user@box\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: box/path\r\n\r\n",
        "GET  /hello HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /hello  HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /hello there HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /hello\r\nHost: box\r\n\r\n",
        "GET HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET hello HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /h\u{e4}llo HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /hello#part HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET /hello http/1.1\r\nHost: box\r\n\r\n",
        "GET /hello HTTP/1.1 \r\nHost: box\r\n\r\n",
        "G(T /hello HTTP/1.1\r\nHost: box\r\n\r\n",
        " GET /hello HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET http:/hello HTTP/1.1\r\nHost: box\r\n\r\n",
        "GET http://other/hello HTTP/1.1\r\nHost: box\r\n\r\n",
    ];
    for head in bad {
        let answer = floor.ask(head);
        assert_eq!(answer.status, 400, "{head:?}");
        assert!(answer.closes());
    }
    let good = [
        "GET /hello HTTP/1.1\r\nHost: box\r\nX: \u{e4}\t\r\n\r\n".as_bytes(),
        b"GET /hello HTTP/1.1\r\nHost: box\r\nX: \xff\xfe\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\nEmpty:\r\n\r\n",
        b"\r\n\r\nGET /hello HTTP/1.1\r\nHost: box\r\n\r\n",
        b"GET /hello HTTP/1.0\r\n\r\n",
        b"GET HTTP://box/hello HTTP/1.1\r\nHost: Box\r\n\r\n",
    ];
    for head in good {
        assert_eq!(floor.ask(head).text(), "hello", "{:?}", String::from_utf8_lossy(head));
    }
    let mut many_empty_lines = floor.connect();
    many_empty_lines.try_say("\r\n".repeat(200));
    assert_eq!(many_empty_lines.answer().status, 400);
    // Every Connection field counts.
    let mut client = floor.connect();
    client.say("GET /hello HTTP/1.1\r\nHost: box\r\nConnection: x\r\nConnection: y, Close\r\n\r\n");
    assert!(client.answer().closes());
    client.expect_end();
}

#[test]
fn h11_odd_targets_and_methods_arrive_in_one_form() {
    let floor = Floor::with(Limits::default(), 2, |request| {
        let text = format!("{:?} {}", request.method(), request.url());
        request.send(Head::new(200), Body::from(text)).expect("sent");
    });
    let told = |line: &str| {
        let answer = floor.ask(format!("{line} HTTP/1.1\r\nHost: box:80\r\n\r\n"));
        (answer.status, answer.text().to_owned())
    };
    let ok = |text: &str| (200, text.to_owned());
    assert_eq!(told("GET http://box:80/a/b?c=d"), ok("Get /a/b?c=d"));
    assert_eq!(told("GET http://box:80"), ok("Get /"));
    assert_eq!(told("GET http://box:80?c=d"), ok("Get /?c=d"));
    assert_eq!(told("OPTIONS *"), ok("Options *"));
    assert_eq!(told("get /"), ok("NonStandard(\"get\") /"));
    assert_eq!(told("PROPFIND /dav/"), ok("NonStandard(\"PROPFIND\") /dav/"));
    assert_eq!(told("CONNECT box:443").0, 501);
    assert_eq!(told(&format!("GET /{}", "x".repeat(8191))).0, 200);
    assert_eq!(told(&format!("GET /{}", "x".repeat(8192))).0, 414);
    assert_eq!(told(&format!("{} /", "M".repeat(33))).0, 400);
    let many = |count: usize| {
        let fields = "X: y\r\n".repeat(count);
        floor.ask(format!("GET / HTTP/1.1\r\nHost: box\r\n{fields}\r\n")).status
    };
    assert_eq!((many(99), many(100), many(500), many(10_000)), (200, 431, 431, 431));
}
