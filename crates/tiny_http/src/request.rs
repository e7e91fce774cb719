//! A request in the hands of the application. It is answered exactly once: by `respond`, `send` or
//! `into_writer`, or with 500 when it is dropped.

use std::cell::OnceCell;
use std::fmt;
use std::io::{self, BufWriter, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use crate::answer::Outline;
use crate::common::{HTTPVersion, Header, HeaderField, Method};
use crate::connection::Errand;
use crate::ext::{Body, GoesOn, Head, Work};
use crate::response::Response;
use crate::wire::{Stage, Watch, Wire};

/// Bytes of a `Response` that are read into memory, so that the connection's thread can send what
/// the socket does not take at once. Longer ones keep the caller until they are sent.
const RESPONSE_BYTES_IN_MEMORY_MAX: u64 = 256 * 1024;

/// Bytes that the bare writer gathers.
const WRITER_BYTES: usize = 8 * 1024;

/// One request.
pub struct Request {
    /// The connection; gone once the request is answered.
    wire: Option<Box<Wire>>,
    /// The header fields in the published form, made when first asked for.
    headers: OnceCell<Vec<Header>>,
}

impl Request {
    /// The request whose head the wire holds.
    pub(crate) fn new(wire: Box<Wire>) -> Self {
        Self { wire: Some(wire), headers: OnceCell::new() }
    }

    /// The connection.
    pub(crate) fn wire(&self) -> &Wire {
        self.wire.as_deref().expect("a request holds its wire until it is consumed")
    }

    /// The connection, to be changed.
    fn wire_mut(&mut self) -> &mut Wire {
        self.wire.as_deref_mut().expect("a request holds its wire until it is consumed")
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.wire().facts.method
    }

    /// The target: a path with its query, still percent-encoded, or `*` with `OPTIONS`. The
    /// absolute form arrives as its path.
    pub fn url(&self) -> &str {
        self.wire().target()
    }

    /// The header fields, in order.
    pub fn headers(&self) -> &[Header] {
        self.headers.get_or_init(|| {
            let wire = self.wire();
            let head = wire.head();
            let to_header = |field: &crate::head::Field| {
                let name = HeaderField::from_bytes(field.name.bytes(head)).ok()?;
                Some(Header { field: name, value: decode(field.value.bytes(head)) })
            };
            // Each name was checked to be a token, so none is left out.
            wire.fields.iter().filter_map(to_header).collect()
        })
    }

    /// The version the client speaks.
    pub fn http_version(&self) -> &HTTPVersion {
        &self.wire().facts.version
    }

    /// Bytes of the body, if it has a length. On machines with 32 bits a longer one is told as the
    /// largest `usize`; `content_length` always tells the truth.
    pub fn body_length(&self) -> Option<usize> {
        self.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The client's address; always `Some`.
    pub fn remote_addr(&self) -> Option<&SocketAddr> {
        Some(&self.wire().peer)
    }

    /// Whether the request came through TLS.
    pub fn secure(&self) -> bool {
        self.wire().link.is_secure()
    }

    /// The body. Reads of 4 KiB and more come straight from the socket once what arrived with the
    /// head is used up.
    ///
    /// Errors of reading: `UnexpectedEof` for a body that breaks off, `InvalidData` for bad
    /// chunks, `TimedOut` for a client that is too slow. They stay.
    pub fn as_reader(&mut self) -> &mut dyn Read {
        self.wire_mut()
    }

    /// Answers. A body of at most 256 KiB never keeps the caller; a longer one is read and sent
    /// before this returns (`send` is made for files and streams).
    ///
    /// Errors: the client is gone or too slow, or the reader failed or was too short.
    pub fn respond<R: Read>(mut self, response: Response<R>) -> io::Result<()> {
        let (status, headers, mut data, length) = response.take_apart();
        let headers = headers.iter().map(|header| (header.field.as_str(), header.value.as_str()));
        let outline = Outline { status, length, closes: false };
        if !(200..=599).contains(&status) {
            self.refuse(500, "The answer had an impossible status");
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let small = length.filter(|&length| length <= RESPONSE_BYTES_IN_MEMORY_MAX);
        let Some(length) = small else {
            let wire = self.wire_mut();
            let delimiting = wire.begin(outline, headers);
            if delimiting == crate::answer::Delimiting::Absent {
                return self.send_rest(Body::Empty, delimiting);
            }
            let result = wire.finish_from(&mut data, length, delimiting);
            self.go(Errand::Nothing);
            return result;
        };
        let mut bytes = Vec::new();
        if !self.wire().is_head_request() {
            // Dropping the request answers 500 if this fails.
            data.by_ref().take(length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let delimiting = self.wire_mut().begin(outline, headers);
        self.send_rest(Body::from(bytes), delimiting)
    }

    /// The bare connection, to write a whole response to it, status line and framing included.
    /// When the writer is dropped the connection ends, since only the caller knows what was said.
    pub fn into_writer(mut self) -> Box<dyn Write + Send + 'static> {
        let wire = self.wire.take().map(|mut wire| {
            wire.stage = Stage::Answering;
            wire
        });
        Box::new(BufWriter::with_capacity(WRITER_BYTES, BareWriter { wire }))
    }

    /// See `send_while`.
    pub(crate) fn watch(&mut self, goes_on: GoesOn) {
        self.wire_mut().watch = Some(Watch { goes_on, asked: Instant::now() });
    }

    /// See `send`.
    pub(crate) fn answer(mut self, head: &Head, body: Body) -> io::Result<()> {
        let length = match body.length() {
            Ok(length) if !head.is_malformed() => length,
            _ => {
                self.refuse(500, "The answer was malformed");
                return Err(io::ErrorKind::InvalidInput.into());
            }
        };
        let outline = Outline { status: head.status(), length, closes: head.closes() };
        let delimiting = self.wire_mut().begin(outline, head.headers());
        self.send_rest(body, delimiting)
    }

    /// Sends what `begin` began.
    fn send_rest(mut self, body: Body, delimiting: crate::answer::Delimiting) -> io::Result<()> {
        let wire = self.wire_mut();
        let mut rest = wire.rest(body, delimiting);
        if wire.slot.is_here() {
            let result = wire.finish(rest);
            self.go(Errand::Nothing);
            return result;
        }
        match wire.send_now(&mut rest) {
            Ok(true) => self.go(Errand::Nothing),
            Ok(false) => self.go(Errand::Finish(rest)),
            Err(error) => {
                wire.is_broken = true;
                self.go(Errand::Nothing);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Answers in the floor's own words, and ends the connection.
    pub(crate) fn refuse(self, status: u16, reason: &'static str) {
        let wire = self.wire();
        let refusal = (wire.shared.refuse)(status, reason, wire.told_target());
        let mut head = Head::new(status).with("Content-Type", refusal.content_type).closing();
        let fields = refusal.fields.iter().chain(refusal.more);
        fields.for_each(|(name, value)| head.add(*name, *value));
        if status == 503 {
            head.add("Retry-After", "1");
        }
        let outline = Outline { status, length: Some(refusal.body.len() as u64), closes: true };
        let mut request = self;
        let delimiting = request.wire_mut().begin(outline, head.headers());
        // The client may be gone; then nobody misses the refusal.
        let _gone = request.send_rest(Body::from(refusal.body), delimiting);
    }

    /// See `run_on_connection`.
    pub(crate) fn go_home(mut self, work: Work) {
        if self.wire().slot.is_here() {
            work(self);
        } else {
            self.go(Errand::Work(work));
        }
    }

    /// See `headers_named`.
    pub(crate) fn values_of<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let wire = self.wire();
        let head = wire.head();
        let is_named = move |field: &&crate::head::Field| {
            field.name.bytes(head).eq_ignore_ascii_case(name.as_bytes())
        };
        wire.fields.iter().enumerate().filter(move |(_, field)| is_named(field)).filter_map(
            move |(index, field)| match std::str::from_utf8(field.value.bytes(head)) {
                Ok(value) => Some(value),
                Err(_) => self.headers().get(index).map(|header| header.value.as_str()),
            },
        )
    }

    /// Sends the wire home.
    fn go(&mut self, errand: Errand) {
        if let Some(wire) = self.wire.take() {
            send_home(wire, errand);
        }
    }
}

/// Sends a wire to its connection's thread.
fn send_home(wire: Box<Wire>, errand: Errand) {
    let slot = std::sync::Arc::clone(&wire.slot);
    slot.give(wire, errand);
}

impl Drop for Request {
    /// Nobody is left without an answer, whatever became of the handler.
    fn drop(&mut self) {
        let Some(mut wire) = self.wire.take() else { return };
        if wire.stage == Stage::Unanswered {
            let reason = if wire.shared.queue.is_closed() {
                (503, "The server is shutting down")
            } else {
                (500, "The request was not answered")
            };
            Self::new(wire).refuse(reason.0, reason.1);
        } else {
            wire.cut();
            send_home(wire, Errand::Nothing);
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wire {
            None => out.write_str("Request(answered)"),
            Some(wire) => {
                write!(out, "Request({} {} from {})", self.method(), self.url(), wire.peer)
            }
        }
    }
}

/// The value of a field as text: UTF-8, or else Latin-1 as in the days of old (RFC 9110, 5.5).
fn decode(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Writes to a connection without any framing.
struct BareWriter {
    /// The connection.
    wire: Option<Box<Wire>>,
}

impl Write for BareWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(wire) = &mut self.wire else { return Err(io::ErrorKind::NotConnected.into()) };
        if wire.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let result = wire.send_whole(&mut [IoSlice::new(bytes)], false);
        wire.is_broken |= result.is_err();
        result.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BareWriter {
    fn drop(&mut self) {
        if let Some(mut wire) = self.wire.take() {
            wire.closes = true;
            wire.lingers = true;
            send_home(wire, Errand::Nothing);
        }
    }
}
