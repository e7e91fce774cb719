//! Ending well.

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tiny_http::{Body, Head, Limits};

use crate::support::{Floor, PATIENCE, eventually, get, handle};

#[test]
fn draining_frees_the_port_closes_the_idle_and_lets_the_running_finish() {
    let (tell, told) = mpsc::channel();
    let floor = Floor::with(Limits::default(), 2, move |request| {
        if request.url() != "/wait" {
            return handle(request);
        }
        let (go, wait) = mpsc::channel::<()>();
        tell.send(go).expect("the test listens");
        wait.recv_timeout(PATIENCE).expect("the test says so");
        request.send(Head::new(200), Body::from("waited")).expect("sent");
    });
    let mut idle = floor.connect();
    let mut dripping = floor.connect();
    dripping.say("GET /hel");
    let mut running = floor.connect();
    running.say(get("/wait"));
    let go = told.recv_timeout(PATIENCE).expect("at work");
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| floor.server.drain(PATIENCE));
        idle.expect_end();
        dripping.end();
        eventually("the port is free", || TcpListener::bind(floor.address).is_ok());
        go.send(()).expect("it waits");
        let answer = running.answer();
        assert_eq!((answer.text(), answer.closes()), ("waited", true));
        drop(running);
        assert!(drained.join().expect("it returns"), "all finished in time");
    });
    assert!(floor.server.recv().is_err());
    assert!(floor.server.try_recv().is_err());
    assert!(floor.server.recv_timeout(PATIENCE).is_err());
}

#[test]
fn draining_cuts_what_does_not_end() {
    let floor = Floor::with(Limits::default(), 1, |request| {
        request.run_on_connection(Box::new(|request| {
            let endless = Body::Stream(Box::new(|out| {
                let block = vec![b'x'; 65536];
                loop {
                    out.write_all(&block)?;
                }
            }));
            assert!(request.send(Head::new(200), endless).is_err());
        }));
    });
    let mut client = floor.connect();
    client.say(get("/"));
    eventually("it runs", || floor.server.counters().requests == 1);
    let began = Instant::now();
    assert!(!floor.server.drain(Duration::from_millis(100)));
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(floor.server.num_connections(), 0);
    assert!(client.try_answer(false).is_err());
}

#[test]
fn requests_nobody_takes_are_answered_at_the_end() {
    let floor = Floor::with(Limits::default(), 0, handle);
    let mut client = floor.connect();
    client.say(get("/hello"));
    eventually("it waits", || floor.server.counters().requests == 1);
    floor.server.drain(Duration::from_millis(10));
    if let Ok(answer) = client.try_answer(false) {
        assert_eq!(answer.status, 503);
    }
}

#[test]
fn a_dropped_server_frees_its_port() {
    let server = tiny_http::Server::http("127.0.0.1:0").expect("a server");
    let address = server.server_addr().to_ip().expect("TCP");
    drop(server);
    TcpListener::bind(address).expect("free again");
}
