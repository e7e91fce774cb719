//! The interface of the published crate, used as its documentation shows.

use std::fs::File;
use std::io::{Cursor, Write};
use std::sync::Arc;
use std::time::Duration;

use tiny_http::{HTTPVersion, Header, Method, Response, ResponseBox, Server, StatusCode};

use crate::support::{Client, PATIENCE, get, post};

/// A server, and a connection to it.
fn pair() -> (Server, Client) {
    let server = Server::http("127.0.0.1:0").expect("a server");
    let address = server.server_addr().to_ip().expect("TCP");
    let stream = std::net::TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    (server, Client { reader: std::io::BufReader::new(stream) })
}

#[test]
fn requests_tell_what_they_are() {
    let (server, mut client) = pair();
    client.say(post("/path?query", 5, "hello"));
    let mut request = server.recv().expect("a request");
    assert_eq!(request.method(), &Method::Post);
    assert_eq!(request.url(), "/path?query");
    assert_eq!(request.http_version(), &HTTPVersion(1, 1));
    assert_eq!(request.body_length(), Some(5));
    assert!(!request.secure());
    assert!(request.remote_addr().expect("TCP").ip().is_loopback());
    let host = request.headers().iter().find(|header| header.field.equiv("host"));
    assert_eq!(host.expect("a host").value.as_str(), "box");
    let mut body = String::new();
    request.as_reader().read_to_string(&mut body).expect("a body");
    assert_eq!(body, "hello");
    let header = Header::from_bytes("X-A", "b").expect("a header");
    request.respond(Response::from_string("text").with_header(header)).expect("sent");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, "text"));
    assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("X-A"), Some("b"));
    assert_eq!(server.num_connections(), 1);
}

#[test]
fn all_kinds_of_responses_arrive() {
    let (server, mut client) = pair();
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&vec![b'f'; 1_000_000]).expect("written");
    let open = || File::open(file.path()).expect("there");
    let mut ask = |response: ResponseBox| {
        client.say(get("/"));
        server.recv().expect("a request").respond(response).expect("sent");
        client.answer()
    };
    assert_eq!(ask(Response::empty(204).boxed()).status, 204);
    assert_eq!(ask(Response::from_data(vec![1, 2, 3]).boxed()).body, [1, 2, 3]);
    let answer = ask(Response::from_file(open()).with_status_code(206).boxed());
    assert_eq!((answer.status, answer.body.len()), (206, 1_000_000));
    assert_eq!(answer.header("Content-Length"), Some("1000000"));
    let answer = ask(Response::from_file(open()).with_chunked_threshold(1000).boxed());
    assert_eq!(answer.body.len(), 1_000_000);
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    let unknown = Response::empty(200).with_data(Cursor::new(vec![b'u'; 100_000]), None);
    assert_eq!(unknown.data_length(), None);
    assert_eq!(ask(unknown.boxed()).body.len(), 100_000);
    let response = Response::new(StatusCode(418), vec![], Cursor::new(b"tea"), Some(3), None);
    assert_eq!(response.status_code().default_reason_phrase(), "Unknown");
    assert_eq!(ask(response.boxed()).status, 418);
    // A reader that ends too early is never a short success.
    client.say(get("/"));
    let short = Response::empty(200).with_data(Cursor::new(b"abc"), Some(5));
    assert!(server.recv().expect("a request").respond(short).is_err());
    assert_eq!(client.answer().status, 500);
}

#[test]
fn respond_answers_head_without_a_body() {
    let (server, mut client) = pair();
    for length in [5, 5_000_000] {
        client.say("HEAD / HTTP/1.1\r\nHost: box\r\n\r\n");
        let response = Response::from_data(vec![b'x'; length]);
        server.recv().expect("a request").respond(response).expect("sent");
        let answer = client.answer_to_head();
        assert_eq!(answer.header("Content-Length"), Some(length.to_string().as_str()));
    }
}

#[test]
fn waiting_ends_when_asked() {
    let (server, _client) = pair();
    assert!(server.try_recv().expect("open").is_none());
    assert!(server.recv_timeout(Duration::from_millis(5)).expect("open").is_none());
    let server = Arc::new(server);
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || server.incoming_requests().count())
        })
        .collect();
    server.unblock();
    server.unblock();
    for thread in waiting {
        assert_eq!(thread.join().expect("it ends"), 0);
    }
}

#[test]
fn the_bare_writer_writes_and_ends_the_connection() {
    let (server, mut client) = pair();
    client.say(get("/"));
    let mut writer = server.recv().expect("a request").into_writer();
    writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").expect("sent");
    writer.flush().expect("sent");
    assert_eq!(client.answer().text(), "hi");
    drop(writer);
    client.expect_end();
}
