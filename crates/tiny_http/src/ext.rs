//! Everything beyond the interface of the published crate: limits, the floor's own refusals,
//! general answers (files, ranges, streams), requests that move to their connection's own thread,
//! draining and counters. The distance to tiny_http 0.12 is this file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustls::ServerConfig;

use crate::common::{is_field_value, is_token};
use crate::head::Framing;
use crate::request::Request;
use crate::server::Server;

/// What a server takes from strangers. Each number bounds something that would be endless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Each costs a thread, a descriptor and some 20 KiB; with TLS some 15 KiB more, and while
    /// something long goes over it 192 KiB at most.
    pub connections_max: usize,
    /// Connections at once from one address (IPv6: from one /64, which is what one household has).
    /// Half of all, so that one machine gone mad leaves room for the others.
    pub connections_per_address_max: usize,
    /// Bytes of stack of a connection's thread. Work handed over by `run_on_connection` runs on it.
    pub connection_stack_bytes: usize,
    /// Bytes of a head, request line and empty line included. Browsers stay below 8 KiB even with
    /// many cookies.
    pub head_bytes_max: usize,
    /// Header fields of a head; at most 256. Browsers send about 20.
    pub headers_max: usize,
    /// Bytes of a request's target. A path of 4096 bytes, percent-encoded where needed, fits.
    pub target_bytes_max: usize,
    /// Time for a whole head, from its first byte. Honest heads come in one piece.
    pub head_time: Duration,
    /// Time to wait for the first byte of a head. Browsers keep connections for about a minute.
    pub idle_time: Duration,
    /// Time without one byte of the body, while there is room for others: at a limit those that pause
    /// longest make room. A phone changing rooms needs a few seconds, one that is called minutes.
    pub body_stall_time: Duration,
    /// Bytes per second that a body must bring on average, judged after `rate_grace_time` of
    /// waiting: a byte now and then resets every timer that only looks at silence.
    pub body_rate_min: u64,
    /// Time without the client taking one byte of the answer, while there is room for others. Players
    /// pause, and browsers whose person is asked where to put the file.
    pub write_stall_time: Duration,
    /// Bytes per second that a client must take on average, judged like `body_rate_min`.
    pub write_rate_min: u64,
    /// Time that a new connection waits for the one that goes for it, or for its thread to begin. Nobody else is let in
    /// meanwhile.
    pub room_time: Duration,
    /// Time after which an answer of `send_while` is asked about anew. Short beside what a person notices, long
    /// beside what asking costs.
    pub while_interval: Duration,
    /// Time spent waiting for a client before its average rate is judged. A single pause counts for no
    /// more than this.
    pub rate_grace_time: Duration,
    /// Bytes of a body that is read before the request is handed out, so that no worker ever waits
    /// for it. Forms and small JSON fit.
    pub buffered_body_bytes_max: usize,
    /// The media type of bodies that are never read before the request is handed out, however small: what has come
    /// of one that breaks off is worth something. Empty for none.
    pub piecemeal_media_type: &'static str,
    /// Requests on one connection, after which it is closed: buffers and threads get renewed.
    pub keepalive_requests_max: u32,
    /// Time in all to let a client read the last answer before the socket goes: closing with
    /// unread data in it resets the connection and takes the answer back.
    pub linger_time: Duration,
    /// Time without a byte from the client after which lingering ends.
    pub linger_idle_time: Duration,
    /// Bytes read and thrown away while lingering. Beyond them the socket only waits, so that an
    /// upload that was refused costs neither processor time nor much of the network.
    pub linger_bytes_max: u64,
    /// Time for a TLS handshake, which counts as idle: it makes room like a connection at rest.
    pub handshake_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            connections_per_address_max: 256,
            connection_stack_bytes: 256 * 1024,
            head_bytes_max: 16 * 1024,
            headers_max: 100,
            target_bytes_max: 8 * 1024,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_mins(1),
            body_stall_time: Duration::from_mins(2),
            body_rate_min: 1024,
            write_stall_time: Duration::from_mins(10),
            write_rate_min: 1024,
            room_time: Duration::from_millis(100),
            while_interval: Duration::from_millis(100),
            rate_grace_time: Duration::from_secs(30),
            buffered_body_bytes_max: 16 * 1024,
            piecemeal_media_type: "",
            keepalive_requests_max: 100_000,
            linger_time: Duration::from_secs(5),
            linger_idle_time: Duration::from_secs(2),
            linger_bytes_max: 4 * 1024 * 1024,
            handshake_time: Duration::from_secs(10),
        }
    }
}

/// How the floor's own refusals (400, 408, 413, 414, 417, 431, 500, 501, 503, 505) look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Fields beside those of the body.
    pub fields: &'static [(&'static str, &'static str)],
    /// More of them.
    pub more: &'static [(&'static str, &'static str)],
}

/// Renders a refusal: the status, a short reason in English, and what was asked for as far as the head tells that so
/// early; nobody has looked at it, and it may be empty.
pub type Refuse = fn(u16, &'static str, &str) -> Refusal;

/// The refusal of a server that was not told better: one line of text.
pub(crate) fn plain_refusal(_status: u16, reason: &'static str, _target: &str) -> Refusal {
    let body = format!("{reason}\n");
    Refusal { content_type: "text/plain; charset=utf-8", body, fields: &[], more: &[] }
}

/// What happened since the server started, for a page about the machine's health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections open now.
    pub connections: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections turned away with 503, since none was idle.
    pub turned_away: u64,
    /// Idle connections closed to make room.
    pub evicted: u64,
    /// Requests handed out.
    pub requests: u64,
    /// Heads and small bodies refused by the floor.
    pub refused: u64,
    /// Failures of `accept`, descriptors used up above all.
    pub accept_failures: u64,
    /// Connections dropped since no thread could be started.
    pub thread_failures: u64,
    /// Bytes received, as they came: with heads, and encrypted where TLS is spoken.
    pub received_bytes: u64,
    /// Bytes sent, likewise.
    pub sent_bytes: u64,
}

/// The head of an answer: a status and header fields.
///
/// `Content-Length`, `Transfer-Encoding` and `Connection` are the floor's: what is given for them
/// is left out, but `Connection: close` closes, and a `Content-Length` beside `Body::Empty` is told
/// to a `HEAD`. `Date` is added when it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status.
    status: u16,
    /// The fields, in order.
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// Whether a field was not fit to be sent.
    is_malformed: bool,
    /// Whether the connection is to be closed afterwards.
    closes: bool,
}

impl Head {
    /// A head without fields. Only final statuses (200 to 599) can be sent.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            is_malformed: !(200..=599).contains(&status),
            closes: false,
        }
    }

    /// Adds a field. A name that is no token or a value with control bytes spoils the head: `send`
    /// then answers 500 and returns `InvalidInput`, so a response is never split.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.add(name, value);
        self
    }

    /// Adds a field, like `with`.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) {
        let (name, value) = (name.into(), value.into());
        self.is_malformed |= !is_token(name.as_bytes()) || !is_field_value(value.as_bytes());
        self.headers.push((name, value));
    }

    /// Closes the connection after this answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first field of that name, whatever the case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The fields, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Whether it can't be sent.
    pub(crate) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Whether the connection is to be closed afterwards.
    pub(crate) fn closes(&self) -> bool {
        self.closes
    }
}

/// Writes the body of a stream. An `Err` cuts the connection, so that the client can't take the
/// part for the whole. `flush` really sends what was gathered.
pub type Streamer = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Whether an answer may go on. Never asked once it was denied.
pub type GoesOn = Box<dyn Fn() -> bool + Send>;

/// The body of an answer.
pub enum Body {
    /// None.
    Empty,
    /// Bytes in memory.
    Bytes(Cow<'static, [u8]>),
    /// Parts one after the other, of known length: a file, a range, `multipart/byteranges`.
    Parts(Vec<Part>),
    /// Unknown length: chunked in HTTP/1.1, until the close in HTTP/1.0.
    Stream(Streamer),
}

/// One part of a body.
#[derive(Debug, Clone)]
pub enum Part {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A slice of a file. A file that ends before it cuts the connection.
    File {
        /// The file, read at its offsets; its own position stays where it is.
        file: Arc<File>,
        /// The first byte.
        offset: u64,
        /// Bytes from there.
        length: u64,
    },
}

impl Part {
    /// Bytes of this part.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => out.write_str("Empty"),
            Self::Bytes(bytes) => write!(out, "Bytes({})", bytes.len()),
            Self::Parts(parts) => out.debug_tuple("Parts").field(parts).finish(),
            Self::Stream(_) => out.write_str("Stream"),
        }
    }
}

impl Body {
    /// Its length, `None` for a stream. Errors: the parts are longer than 64 bits can say.
    pub(crate) fn length(&self) -> io::Result<Option<u64>> {
        Ok(match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Parts(parts) => Some(
                parts
                    .iter()
                    .try_fold(0_u64, |sum, part| sum.checked_add(part.length()))
                    .ok_or(io::ErrorKind::InvalidInput)?,
            ),
            Self::Stream(_) => None,
        })
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Bytes(Cow::Owned(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

/// Tells whether the client of a request is still there, also while its answer runs. Does not keep
/// the connection open.
#[derive(Debug, Clone)]
pub struct Peer(Weak<TcpStream>);

impl Peer {
    /// Whether the client has closed its end, or the connection is broken or over. Never waits. A
    /// client that vanished without a word is only noticed by writing to it.
    pub fn is_gone(&self) -> bool {
        self.0.upgrade().is_none_or(|socket| crate::link::is_left(&socket))
    }

    /// Ends the connection, from any thread, without waiting. Whoever reads the body of the request still gets what
    /// had come, and then hears that it breaks off.
    pub fn cut(&self) {
        if let Some(socket) = self.0.upgrade() {
            let _gone = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Answers a request on its connection's own thread, or gives it back for the workers. A panic in
/// there is answered with 500, or cuts the connection when an answer had begun.
pub type AtHome = Box<dyn Fn(Request) -> Option<Request> + Send + Sync + 'static>;

/// Gives what a TLS connection is made from, anew for each; `None` while the server speaks no TLS. Asked on the
/// connection's own thread.
pub type TlsSource = Box<dyn Fn() -> Option<Arc<ServerConfig>> + Send + Sync + 'static>;

/// How a server speaks TLS: whoever begins a connection with a handshake gets it, on every port.
pub struct Secured {
    /// What connections are made from.
    pub source: TlsSource,
    /// Where nothing but TLS is spoken, in addition.
    pub alone: Option<TcpListener>,
}

/// Work that runs on a connection's own thread.
pub type Work = Box<dyn FnOnce(Request) + Send + 'static>;

impl Server {
    /// Serves `listener` within `limits`. `refuse` renders the floor's own refusals in the
    /// application's style.
    ///
    /// Errors: the listener is not fit, or no thread could be started.
    pub fn start(listener: TcpListener, limits: Limits, refuse: Refuse) -> io::Result<Self> {
        Self::serve(listener, limits, refuse, None, None)
    }

    /// As `start`, but `at_home` sees every request first, on its connection's own thread, which may
    /// block. What it gives back goes to the workers.
    ///
    /// Errors: as `start`.
    pub fn start_sorted(
        listener: TcpListener,
        limits: Limits,
        refuse: Refuse,
        at_home: AtHome,
    ) -> io::Result<Self> {
        Self::serve(listener, limits, refuse, Some(at_home), None)
    }

    /// As `start_sorted`, and TLS is spoken as well.
    ///
    /// Errors: as `start`.
    pub fn start_secured(
        listener: TcpListener,
        limits: Limits,
        refuse: Refuse,
        at_home: AtHome,
        secured: Secured,
    ) -> io::Result<Self> {
        Self::serve(listener, limits, refuse, Some(at_home), Some(secured))
    }

    /// Ends well: stops accepting and frees the port, closes idle connections, lets running
    /// requests finish (with `Connection: close`) for at most `grace`, then cuts the rest. From
    /// then on `recv` fails, for every worker. Workers have to go on receiving meanwhile.
    ///
    /// Returns whether everything had finished in time.
    pub fn drain(&self, grace: Duration) -> bool {
        self.drain_within(grace)
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.count_all()
    }
}

impl Request {
    /// Bytes of the body as the client declared them; `None` when it declared none (chunked, or
    /// no body). 64 bits on every machine.
    pub fn content_length(&self) -> Option<u64> {
        match self.wire().facts.framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::Absent => None,
        }
    }

    /// Whether a body of at least one byte was announced.
    pub fn has_body(&self) -> bool {
        !matches!(self.wire().facts.framing, Framing::Absent | Framing::Length(0))
    }

    /// Whether reading the body can't block: there is none, or it was read before.
    pub fn body_is_buffered(&self) -> bool {
        self.wire().body_is_buffered()
    }

    /// The first field of that name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// All fields of that name, in order.
    pub fn headers_named<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.values_of(name)
    }

    /// The client, to be looked after while a long answer runs.
    pub fn peer(&self) -> Peer {
        Peer(self.wire().link.watched())
    }

    /// Hands the request to its connection's own thread, which runs `work` with it: blocking reads
    /// and long writes then cost no worker. A panic in there is answered with 500, or cuts the
    /// connection when an answer had begun. On that thread already, `work` just runs.
    pub fn run_on_connection(self, work: Work) {
        self.go_home(work);
    }

    /// Answers. On the connection's own thread it blocks until all is sent; elsewhere it sends
    /// what the socket takes at once and leaves the rest (files and streams always) to that thread.
    ///
    /// A `HEAD` gets the head that the same body would have had. 204 and 304 have no body.
    ///
    /// Errors: the client is gone or too slow, a file was shorter than its part, a stream failed
    /// (these cut the connection), or the head was malformed (which answered 500).
    #[expect(clippy::needless_pass_by_value, reason = "an answer is used up by sending it")]
    pub fn send(self, head: Head, body: Body) -> io::Result<()> {
        self.answer(&head, body)
    }

    /// Answers as long as this says so: it is asked now and then, before something is sent. `false` cuts the
    /// connection, so that the client can't take the part for the whole.
    ///
    /// Errors: as `send`; `PermissionDenied` when the answer was not to go on.
    pub fn send_while(mut self, goes_on: GoesOn, head: Head, body: Body) -> io::Result<()> {
        self.watch(goes_on);
        self.send(head, body)
    }
}
