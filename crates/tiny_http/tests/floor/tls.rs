//! TLS: everything that is served in the clear is served over it, and what it brings of hazards of its own.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
    SupportedProtocolVersion,
};
use tiny_http::{Body, Head, Limits, Part, Request, Secured, Server};

use crate::support::{
    Client, Floor, PATIENCE, echo, eventually, free_port, get, handle, post, refuse,
};

/// What a client speaks over.
type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A floor with TLS.
struct Secure {
    /// The floor.
    floor: Floor,
    /// Where it speaks nothing else.
    alone: SocketAddr,
    /// Whether it speaks it at all.
    is_on: Arc<AtomicBool>,
    /// Whom clients trust.
    roots: Arc<RootCertStore>,
}

impl Secure {
    /// With the usual handler, and some answers more.
    fn start(limits: Limits) -> Self {
        Self::with(limits, serve)
    }

    /// With any handler.
    fn with(limits: Limits, handler: impl Fn(Request) + Send + Sync + 'static) -> Self {
        let own = rcgen::generate_simple_self_signed(["box".to_owned()]).expect("made");
        let certificate = CertificateDer::from(own.cert);
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).expect("fit");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("known")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("they fit");
        config.ticketer = ring::Ticketer::new().expect("random bytes");
        let (config, is_on) = (Arc::new(config), Arc::new(AtomicBool::new(true)));
        let for_source = Arc::clone(&is_on);
        let source = move || for_source.load(Ordering::SeqCst).then(|| Arc::clone(&config));
        let listener = free_port();
        let alone = listener.local_addr().expect("bound");
        let secured = Secured { source: Box::new(source), alone: Some(listener) };
        let server = Server::start_secured(free_port(), limits, refuse, Box::new(Some), secured);
        let floor = Floor::of(server.expect("a server"), 4, handler);
        Self { floor, alone, is_on, roots: Arc::new(roots) }
    }

    /// A bare connection.
    fn bare(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).expect("the floor accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_write_timeout(Some(PATIENCE)).expect("set");
        stream
    }

    /// The client's side of a handshake.
    fn session(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConnection {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("known")
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        let name = ServerName::try_from("box").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("made")
    }

    /// A connection over TLS.
    fn over(
        &self,
        address: SocketAddr,
        version: &'static SupportedProtocolVersion,
    ) -> Client<Stream> {
        let stream = StreamOwned::new(self.session(&[version]), Self::bare(address));
        Client { reader: BufReader::new(stream) }
    }

    /// The same with the newest version, where both are spoken.
    fn connect(&self) -> Client<Stream> {
        self.over(self.floor.address, &rustls::version::TLS13)
    }

    /// Asserts that both are served.
    fn expect_alive(&self) {
        self.floor.expect_alive();
        let mut client = self.connect();
        client.say(get("/hello"));
        assert_eq!(client.answer().text(), "hello");
    }
}

impl Client<Stream> {
    /// Asserts that the end comes, and is told.
    fn expect_told_end(&mut self) {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest).expect("a close_notify");
        assert_eq!(rest, b"");
    }
}

/// So many bytes, none of which stands where another should.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251).to_le_bytes()[0]).collect()
}

/// A file with these bytes.
fn file(bytes: &[u8]) -> Arc<std::fs::File> {
    let mut file = tempfile::tempfile().expect("made");
    file.write_all(bytes).expect("written");
    Arc::new(file)
}

/// The usual handler, and answers of the other kinds.
fn serve(request: Request) {
    let path = request.url().to_owned();
    let _gone = match path.as_str() {
        "/secure" => {
            let text = if request.secure() { "over TLS" } else { "in the clear" };
            request.send(Head::new(200), Body::from(text))
        }
        "/parts" => {
            let bytes = pattern(1 << 20);
            let file = file(&bytes);
            let slice = |offset, length| Part::File { file: Arc::clone(&file), offset, length };
            let parts = vec![
                Part::Bytes(b"head".to_vec()),
                slice(0, 1 << 20),
                Part::Bytes(b"between".to_vec()),
                slice(777, 100_001),
                Part::Bytes(Vec::new()),
            ];
            request.send(Head::new(206), Body::Parts(parts))
        }
        "/short" => {
            let part = Part::File { file: file(b"four"), offset: 0, length: 4000 };
            request.send(Head::new(200), Body::Parts(vec![part]))
        }
        "/stream" => {
            let stream = |out: &mut dyn Write| {
                out.write_all(b"first")?;
                out.flush()?;
                out.write_all(&pattern(300_000))
            };
            request.send(Head::new(200), Body::Stream(Box::new(stream)))
        }
        "/upload" => {
            request.run_on_connection(Box::new(echo));
            Ok(())
        }
        _ => {
            handle(request);
            Ok(())
        }
    };
}

/// Whether nothing comes any more, whatever was said before.
fn is_cut(mut stream: TcpStream) -> bool {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => true,
        Err(cause) => cause.kind() == io::ErrorKind::ConnectionReset,
    }
}

/// The first bytes of a handshake.
fn hello(house: &Secure) -> Vec<u8> {
    let mut bytes = Vec::new();
    house.session(rustls::ALL_VERSIONS).write_tls(&mut bytes).expect("into memory");
    bytes
}

#[test]
fn the_first_byte_of_a_connection_decides() {
    let house = Secure::start(Limits::default());
    assert_eq!(house.floor.ask(get("/secure")).text(), "in the clear");
    for version in rustls::ALL_VERSIONS {
        for address in [house.floor.address, house.alone] {
            let mut client = house.over(address, version);
            client.say(get("/secure"));
            assert_eq!(client.answer().text(), "over TLS");
        }
    }
    house.expect_alive();
}

#[test]
fn where_tls_stands_alone_plain_http_is_told_so() {
    let house = Secure::start(Limits::default());
    let mut plain = Client { reader: BufReader::new(Secure::bare(house.alone)) };
    plain.say(get("/hello"));
    let answer = plain.answer();
    assert_eq!((answer.status, answer.text()), (400, "floor 400: This port speaks HTTPS"));
    plain.expect_end();
}

#[test]
fn without_tls_its_own_port_is_silent_and_the_other_speaks_http() {
    let house = Secure::start(Limits::default());
    house.is_on.store(false, Ordering::SeqCst);
    for said in [get("/hello").into_bytes(), hello(&house)] {
        let mut stream = Secure::bare(house.alone);
        let _may_be_cut = stream.write_all(&said);
        assert!(is_cut(stream));
    }
    let mut secure = house.floor.connect();
    secure.say(hello(&house));
    secure.try_say("\r\n\r\n");
    assert_eq!(secure.answer().status, 400);
    house.floor.expect_alive();
}

#[test]
fn answers_of_each_kind_are_the_same_over_tls() {
    let house = Secure::start(Limits::default());
    for version in rustls::ALL_VERSIONS {
        let mut client = house.over(house.floor.address, version);
        // All on one connection, the second before the first is answered.
        client.say(get("/hello") + &get("/big"));
        assert_eq!(client.answer().text(), "hello");
        assert!(client.answer().body == vec![b'x'; 8 << 20]);
        client.say(get("/parts"));
        let bytes = pattern(1 << 20);
        let wanted = [b"head", &bytes[..], b"between", &bytes[777..100_778]].concat();
        let answer = client.answer();
        assert_eq!(answer.status, 206);
        assert!(answer.body == wanted);
        client.say(get("/stream"));
        assert!(client.answer().body == [&b"first"[..], &pattern(300_000)].concat());
        client.say("HEAD /big HTTP/1.1\r\nHost: box\r\n\r\n");
        assert_eq!(client.answer_to_head().header("Content-Length"), Some("8388608"));
        client.say(get("/refuse"));
        assert_eq!(client.answer().status, 401);
    }
}

#[test]
fn bodies_come_whole_in_whatever_records() {
    let house = Secure::start(Limits::default());
    let body = pattern(3 << 20);
    for version in rustls::ALL_VERSIONS {
        let mut client = house.over(house.floor.address, version);
        client.say(post("/upload", body.len(), ""));
        client.say(&body);
        assert!(client.answer().body == body);
        // Small ones, a record for every few bytes.
        client.say(post("/upload", 3000, ""));
        for piece in body[..3000].chunks(7) {
            client.say(piece);
            client.reader.get_mut().flush().expect("sent");
        }
        assert!(client.answer().body == body[..3000]);
        client.say("POST /upload HTTP/1.1\r\nHost: box\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in body.chunks(70_000) {
            client.say(format!("{:x}\r\n", piece.len()));
            client.say(piece);
            client.say("\r\n");
        }
        client.say("0\r\n\r\n");
        assert!(client.answer().body == body);
    }
}

#[test]
fn who_asks_whether_to_go_on_hears_it() {
    let house = Secure::start(Limits::default());
    let mut client = house.connect();
    client.say(
        "POST /upload HTTP/1.1\r\nHost: box\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.answer().status, 100);
    client.say("hello");
    assert_eq!(client.answer().text(), "hello");
}

#[test]
fn a_handshake_may_come_in_single_bytes() {
    let house = Secure::start(Limits::default());
    let mut session = house.session(rustls::ALL_VERSIONS);
    let mut stream = Secure::bare(house.floor.address);
    stream.set_nodelay(true).expect("set");
    while session.is_handshaking() {
        let mut bytes = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut bytes).expect("into memory");
        }
        bytes.chunks(1).for_each(|byte| stream.write_all(byte).expect("it listens"));
        if session.is_handshaking() {
            session.read_tls(&mut stream).expect("it answers");
            session.process_new_packets().expect("well");
        }
    }
    let mut client = Client { reader: BufReader::new(StreamOwned::new(session, stream)) };
    client.say(get("/hello"));
    assert_eq!(client.answer().text(), "hello");
}

#[test]
fn the_end_of_a_connection_is_told_within_tls() {
    let limits = Limits { idle_time: Duration::from_secs(1), ..Limits::default() };
    let house = Secure::start(limits);
    for version in rustls::ALL_VERSIONS {
        let mut asked = house.over(house.floor.address, version);
        asked.say("GET /hello HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n");
        assert_eq!(asked.answer().text(), "hello");
        asked.expect_told_end();
        let mut idle = house.over(house.floor.address, version);
        idle.say(get("/hello"));
        assert_eq!(idle.answer().text(), "hello");
        idle.expect_told_end();
        let mut refused = house.over(house.floor.address, version);
        refused.say("nonsense\r\n\r\n");
        assert_eq!(refused.answer().status, 400);
        refused.expect_told_end();
    }
    house.floor.expect_connections(0);
}

#[test]
fn an_answer_that_broke_off_has_no_end() {
    let house = Secure::start(Limits::default());
    let mut client = house.connect();
    client.say(get("/short"));
    let cause = client.try_answer(false).expect_err("it is too short");
    assert!(matches!(cause.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset));
    let cause = client.reader.read_to_end(&mut Vec::new()).expect_err("nobody said so");
    assert!(matches!(cause.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset));
}

#[test]
fn a_body_that_breaks_off_is_an_error_whether_told_or_not() {
    for is_told in [true, false] {
        let (tell, told) = std::sync::mpsc::channel();
        let house = Secure::with(Limits::default(), move |request| {
            let tell = tell.clone();
            request.run_on_connection(Box::new(move |mut request| {
                let mut body = Vec::new();
                let kind = request.as_reader().read_to_end(&mut body).map_err(|cause| cause.kind());
                tell.send((kind, body)).expect("the test listens");
            }));
        });
        let mut client = house.connect();
        client.say(post("/", 100_000, "some of it"));
        let stream = client.reader.get_mut();
        if is_told {
            stream.conn.send_close_notify();
        }
        stream.flush().expect("sent");
        stream.sock.shutdown(std::net::Shutdown::Write).expect("open");
        let (kind, body) = told.recv_timeout(PATIENCE).expect("it ends");
        assert_eq!((kind, &body[..]), (Err(io::ErrorKind::UnexpectedEof), &b"some of it"[..]));
    }
}

#[test]
fn handshakes_that_stay_silent_or_half_end_in_time_and_keep_nobody_waiting() {
    // Enough for the good ones, however busy the machine is.
    let limits = Limits { handshake_time: Duration::from_secs(2), ..Limits::default() };
    let house = Secure::start(limits);
    let begun = hello(&house);
    let half = &begun[..begun.len() / 2];
    let said: [&[u8]; 5] =
        [&[0x16], b"\x16\x03\x01", half, &begun, b"\x16nonsense that is no record at all"];
    let streams: Vec<TcpStream> = said
        .iter()
        .cycle()
        .take(50)
        .map(|said| {
            let mut stream = Secure::bare(house.floor.address);
            stream.write_all(said).expect("it listens");
            stream
        })
        .collect();
    house.expect_alive();
    assert!(streams.into_iter().all(is_cut));
    house.floor.expect_connections(0);
}

#[test]
fn a_handshake_makes_room_like_a_connection_at_rest() {
    // Whoever makes room may need longer for it on a busy machine than a client would be kept waiting.
    let limits = Limits { connections_max: 4, room_time: PATIENCE, ..Limits::default() };
    let house = Secure::start(limits);
    let mut silent = Vec::new();
    for _ in 0..12 {
        let mut stream = Secure::bare(house.floor.address);
        let _may_be_cut = stream.write_all(&[0x16, 3, 1]);
        silent.push(stream);
    }
    for _ in 0..4 {
        house.expect_alive();
    }
    assert_eq!(house.floor.server.counters().turned_away, 0);
    eventually("room was made", || house.floor.server.counters().evicted >= 8);
}

#[test]
fn who_stops_reading_is_cut_in_time() {
    let limits = Limits {
        write_stall_time: Duration::from_millis(300),
        rate_grace_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let house = Secure::start(limits);
    let stalled: Vec<_> = ["/big", "/parts", "/stream"]
        .map(|path| {
            let mut client = house.connect();
            // More than any socket holds.
            (0..40).for_each(|_| client.say(get(path)));
            client
        })
        .into();
    house.expect_alive();
    house.floor.expect_connections(0);
    drop(stalled);
}

#[test]
fn who_drips_within_records_is_judged_by_what_they_bring() {
    let limits = Limits {
        rate_grace_time: Duration::from_millis(100),
        body_stall_time: Duration::from_millis(400),
        linger_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let house = Secure::start(limits);
    let mut client = house.connect();
    client.say(post("/upload", 100_000, ""));
    let stream = client.reader.get_mut();
    stream.conn.writer().write_all(&pattern(16_000)).expect("into memory");
    let mut record = Vec::new();
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut record).expect("into memory");
    }
    // A byte now and then, of a record that will not be whole in time: dripping is what is tested, so that this waits.
    for byte in record.chunks(1) {
        if stream.sock.write_all(byte).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    house.floor.expect_connections(0);
}

#[test]
fn what_is_wrong_within_tls_ends_that_connection_alone() {
    let house = Secure::start(Limits::default());
    let mut client = house.connect();
    client.say(get("/hello"));
    assert_eq!(client.answer().text(), "hello");
    client
        .reader
        .get_mut()
        .sock
        .write_all(b"\x17\x03\x03\x00\x20thirty-two bytes nobody encrypted")
        .expect("open");
    assert!(client.reader.read_to_end(&mut Vec::new()).is_err());
    let mut plain = house.connect();
    plain.say(get("/hello"));
    plain.answer();
    plain.reader.get_mut().sock.write_all(get("/hello").as_bytes()).expect("open");
    assert!(plain.reader.read_to_end(&mut Vec::new()).is_err());
    house.expect_alive();
}
