//! Caps and deadlines, with short times.

use std::io::Read;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tiny_http::{Body, Head, Limits};

use crate::support::{Client, Floor, PATIENCE, eventually, get, handle};

#[test]
fn a_head_that_drips_is_told_408_in_time() {
    let limits = Limits {
        head_time: Duration::from_millis(200),
        linger_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let floor = Floor::limited(limits);
    let mut client = floor.connect();
    let began = Instant::now();
    client.say("GET /hello HTTP/1.1\r\n");
    for byte in b"Host: a-name-that-comes-slowly" {
        client.try_say([*byte]);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(client.answer().status, 408);
    assert!(began.elapsed() < PATIENCE / 2);
    floor.expect_connections(0);
}

#[test]
fn idle_connections_end_quietly() {
    let limits = Limits { idle_time: Duration::from_millis(200), ..Limits::default() };
    let floor = Floor::limited(limits);
    let mut silent = floor.connect();
    let mut used = floor.connect();
    used.say(get("/hello"));
    assert_eq!(used.answer().text(), "hello");
    let mut empty_lines = floor.connect();
    empty_lines.say("\r\n\r\n\r");
    silent.expect_end();
    used.expect_end();
    empty_lines.expect_end();
    floor.expect_connections(0);
}

#[test]
fn at_the_cap_the_busy_stay_and_the_next_is_turned_away() {
    let limits = Limits { connections_max: 4, ..Limits::default() };
    let (tell, told) = mpsc::channel();
    let floor = Floor::with(limits, 8, move |request| {
        if request.url() == "/wait" {
            let (go, wait) = mpsc::channel::<()>();
            tell.send(go).expect("the test listens");
            wait.recv_timeout(PATIENCE).expect("the test says so");
            request.send(Head::new(200), Body::from("waited")).expect("sent");
        } else {
            handle(request);
        }
    });
    let mut busy: Vec<_> = (0..4)
        .map(|_| {
            let mut client = floor.connect();
            client.say(get("/wait"));
            (client, told.recv_timeout(PATIENCE).expect("at work"))
        })
        .collect();
    for _ in 0..3 {
        let mut next = floor.connect();
        next.try_say(get("/hello"));
        let answer = next.answer();
        assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")));
        assert_eq!(answer.header("Content-Type"), Some("text/x-floor"));
        assert_eq!(answer.header("X-Floor"), Some("refused"));
        next.expect_end();
    }
    assert_eq!(floor.server.counters().turned_away, 3);
    let (client, go) = &mut busy[2];
    go.send(()).expect("it waits");
    assert_eq!(client.answer().text(), "waited");
    // Now one is idle, or will be as soon as its thread has noticed, and makes room.
    eventually("room", || floor.ask(get("/hello")).status == 200);
    busy[2].0.expect_end();
    for (mut client, go) in busy.into_iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, b)| b) {
        go.send(()).expect("it waits");
        assert_eq!(client.answer().text(), "waited");
    }
}

#[test]
fn an_address_has_its_own_cap() {
    let limits =
        Limits { connections_per_address_max: 3, room_time: PATIENCE, ..Limits::default() };
    let floor = Floor::limited(limits);
    let mut crowd: Vec<_> = (0..6)
        .map(|_| {
            loop {
                let mut client = floor.connect();
                client.try_say(get("/hello"));
                let answer = client.answer();
                if answer.status == 200 {
                    break client;
                }
                // On a busy machine the thread of the one before has not noticed yet that it is idle.
                assert_eq!(answer.status, 503);
            }
        })
        .collect();
    assert_eq!(floor.server.num_connections(), 3);
    assert_eq!(floor.server.counters().evicted, 3);
    // Those went that were idle longest, and on a busy machine the first is not the first to be idle.
    let is_there = |client: &mut Client| {
        client.try_say(get("/hello"));
        client.try_answer(false).is_ok_and(|answer| answer.text() == "hello")
    };
    assert_eq!(crowd.iter_mut().map(is_there).filter(|is_there| *is_there).count(), 3);
    assert!(crowd.last_mut().is_some_and(is_there), "whoever came last");
}

#[test]
fn a_lingering_connection_makes_room_too() {
    let limits = Limits {
        connections_max: 2,
        linger_time: PATIENCE,
        linger_idle_time: PATIENCE,
        room_time: PATIENCE,
        ..Limits::default()
    };
    let floor = Floor::limited(limits);
    let mut farewells: Vec<_> = (0..2)
        .map(|_| {
            let mut client = floor.connect();
            client.say("nonsense\r\n\r\n");
            assert_eq!(client.answer().status, 400);
            client
        })
        .collect();
    floor.expect_alive();
    for client in &mut farewells {
        client.expect_end();
    }
}

#[test]
fn a_connection_has_so_many_requests() {
    let limits = Limits { keepalive_requests_max: 3, ..Limits::default() };
    let floor = Floor::limited(limits);
    let mut client = floor.connect();
    for closes in [false, false, true] {
        client.say(get("/hello"));
        assert_eq!(client.answer().closes(), closes);
    }
    client.expect_end();
}

#[test]
fn slow_readers_are_judged_by_their_average() {
    let limits = Limits {
        rate_grace_time: Duration::from_millis(200),
        write_rate_min: 1 << 30,
        write_stall_time: Duration::from_secs(1),
        ..Limits::default()
    };
    // More than the buffers of both sockets hold, so that the floor has to wait.
    let floor = Floor::with(limits, 1, |request| {
        let _cut = request.send(Head::new(200), Body::from(vec![b'x'; 256 << 20]));
    });
    let mut client = floor.connect();
    client.say(get("/"));
    let mut block = [0; 4096];
    let mut seen = 0_usize;
    loop {
        match client.reader.get_mut().read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(count) => seen += count,
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    assert!(seen < 256 << 20, "too slow on average");
    floor.expect_connections(0);
}

#[test]
fn counters_count() {
    let floor = Floor::start();
    floor.expect_alive();
    floor.ask("nonsense\r\n\r\n");
    eventually("both have left", || floor.server.counters().connections == 0);
    let counters = floor.server.counters();
    assert_eq!((counters.accepted, counters.requests, counters.refused), (2, 1, 1));
}
