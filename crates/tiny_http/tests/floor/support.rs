//! A server with workers, and a client that reads answers byte by byte and trusts nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tiny_http::{Body, Head, Limits, Refusal, Request, Server};

/// Time after which a test gives up; nothing takes as long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server and its workers; ended when dropped.
pub struct Floor {
    pub server: Arc<Server>,
    pub address: SocketAddr,
    workers: Vec<JoinHandle<()>>,
}

/// Renders refusals so that tests can tell them from the handler's answers.
pub fn refuse(status: u16, reason: &'static str, target: &str) -> Refusal {
    let body = format!("floor {status}: {reason}");
    let more: &[_] = if target == "/special" { &[("X-Target", "special")] } else { &[] };
    Refusal { content_type: "text/x-floor", body, fields: &[("X-Floor", "refused")], more }
}

impl Floor {
    /// Four workers with the usual handler.
    pub fn start() -> Self {
        Self::with(Limits::default(), 4, handle)
    }

    /// The usual handler within other limits.
    pub fn limited(limits: Limits) -> Self {
        Self::with(limits, 4, handle)
    }

    /// Any handler.
    pub fn with(
        limits: Limits,
        workers: usize,
        handler: impl Fn(Request) + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(free_port(), limits, refuse).expect("a server");
        Self::of(server, workers, handler)
    }

    /// Any server.
    pub fn of(
        server: Server,
        workers: usize,
        handler: impl Fn(Request) + Send + Sync + 'static,
    ) -> Self {
        let address = server.server_addr().to_ip().expect("bound");
        let server = Arc::new(server);
        let handler = Arc::new(handler);
        let workers = (0..workers)
            .map(|_| {
                let (server, handler) = (Arc::clone(&server), Arc::clone(&handler));
                std::thread::spawn(move || {
                    while let Ok(request) = server.recv() {
                        let _panicked = catch_unwind(AssertUnwindSafe(|| handler(request)));
                    }
                })
            })
            .collect();
        Self { server, address, workers }
    }

    /// A connection.
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the floor accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_write_timeout(Some(PATIENCE)).expect("set");
        Client { reader: BufReader::new(stream) }
    }

    /// One request on a connection of its own; the answer.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.say(request);
        client.answer()
    }

    /// Asserts that an ordinary request is served.
    pub fn expect_alive(&self) {
        let answer = self.ask(get("/hello"));
        assert_eq!((answer.status, answer.text()), (200, "hello"));
    }

    /// Waits until so many connections are open.
    pub fn expect_connections(&self, count: usize) {
        eventually("the number of connections", || self.server.num_connections() == count);
    }
}

/// A listener of its own.
pub fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port")
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.server.drain(Duration::ZERO);
        for worker in self.workers.drain(..) {
            let _panicked = worker.join();
        }
    }
}

/// Waits until something holds.
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A `GET`.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: box\r\n\r\n")
}

/// A `POST` whose body may be shorter than it says.
pub fn post(path: &str, length: impl std::fmt::Display, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: box\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The usual handler.
pub fn handle(mut request: Request) {
    let path = request.url().to_owned();
    let _gone = match path.as_str() {
        "/hello" => request.send(Head::new(200), Body::from("hello")),
        "/refuse" => request.send(Head::new(401), Body::from("no")),
        "/nothing" => Ok(()),
        "/panic" => panic!("a handler panics on purpose"),
        "/panic-there" => {
            request.run_on_connection(Box::new(|_request| panic!("work panics on purpose")));
            Ok(())
        }
        "/echo" if !request.body_is_buffered() => {
            request.run_on_connection(Box::new(echo));
            Ok(())
        }
        "/echo" => {
            let mut body = Vec::new();
            request.as_reader().read_to_end(&mut body).expect("it is buffered");
            request.send(Head::new(200), Body::from(body))
        }
        "/big" => request.send(Head::new(200), Body::from(vec![b'x'; 8 << 20])),
        other => request.send(Head::new(404), Body::from(other.to_owned())),
    };
}

/// Sends the body back, or says what was wrong with it.
pub fn echo(mut request: Request) {
    let mut body = Vec::new();
    let _gone = match request.as_reader().read_to_end(&mut body) {
        Ok(_) => request.send(Head::new(200), Body::from(body)),
        Err(error) => request.send(Head::new(400), Body::from(format!("{:?}", error.kind()))),
    };
}

/// The other end.
pub struct Client<S = TcpStream> {
    pub reader: BufReader<S>,
}

/// An answer, with its framing undone.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// Whether the floor said that it closes.
    pub fn closes(&self) -> bool {
        self.header("Connection") == Some("close")
    }
}

impl Client {
    /// Ends our direction.
    pub fn end(&mut self) {
        self.reader.get_mut().shutdown(std::net::Shutdown::Write).expect("still open");
    }
}

impl<S: Read + Write> Client<S> {
    /// Sends bytes.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).expect("the floor listens");
    }

    /// Sends bytes that may find the connection closed.
    pub fn try_say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Reads an answer with its body.
    pub fn answer(&mut self) -> Answer {
        self.try_answer(false).expect("a whole answer")
    }

    /// Reads the answer to a `HEAD`.
    pub fn answer_to_head(&mut self) -> Answer {
        self.try_answer(true).expect("a whole answer")
    }

    /// Reads an answer. Errors: it broke off.
    pub fn try_answer(&mut self, is_head: bool) -> std::io::Result<Answer> {
        let mut line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        assert!(line.starts_with("HTTP/1.1 "), "{line:?}");
        let mut headers = Vec::new();
        loop {
            line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").expect("a field");
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if is_head || status == 204 || status == 304 || status < 200 {
            return Ok(answer);
        }
        if let Some(length) = answer.header("Content-Length") {
            let length: usize = length.parse().expect("digits");
            answer.body.resize(length, 0);
            self.reader.read_exact(&mut answer.body)?;
        } else if answer.header("Transfer-Encoding").is_some() {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).expect("a size");
                let start = answer.body.len();
                answer.body.resize(start + size, 0);
                self.reader.read_exact(&mut answer.body[start..])?;
                assert_eq!(self.line()?, "");
                if size == 0 {
                    break;
                }
            }
        } else {
            self.reader.read_to_end(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// One line, which must end with CRLF.
    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        line.strip_suffix("\r\n")
            .map(str::to_owned)
            .ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }

    /// Asserts that nothing more comes and the connection ends.
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => assert_eq!(String::from_utf8_lossy(&rest), ""),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}
