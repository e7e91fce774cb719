//! Writes answers: heads, lengths, files, chunks. Knows what RFC 9110 and 9112 want in a response,
//! and nothing of what it means.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::common::{HTTPVersion, reason_phrase};
use crate::ext::{Body, Part};
use crate::wire::{ANSWER_HEAD_BYTES, Stage, Wire};

/// Bytes a stream gathers before they are sent.
const GATHER_BYTES: usize = 64 * 1024;

/// Bytes of a body that are copied behind the head, so that both leave in one plain `send`.
const INLINE_BODY_BYTES_MAX: usize = 4 * 1024;

/// How the body of an answer is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiting {
    /// There is none (`HEAD`, 204, 304).
    Absent,
    /// By its length.
    Length,
    /// By chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// What is left of an answer.
#[derive(Debug)]
pub(crate) struct Rest {
    /// The body.
    body: Body,
    /// How it is delimited.
    delimiting: Delimiting,
    /// Bytes of a `Body::Bytes` that were sent.
    body_sent: usize,
}

/// What an answer says of itself besides its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline {
    /// The status.
    pub(crate) status: u16,
    /// Bytes of the body, if known.
    pub(crate) length: Option<u64>,
    /// Whether the connection has to end with it.
    pub(crate) closes: bool,
}

impl Wire {
    /// Composes the head and settles how the connection goes on. Nothing is sent yet.
    pub(crate) fn begin<'h>(
        &mut self,
        outline: Outline,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Delimiting {
        self.stage = Stage::Answering;
        self.out.clear();
        self.out.reserve(ANSWER_HEAD_BYTES);
        self.out_sent = 0;
        let given = self.compose(outline.status, headers);
        let is_old = self.facts.version == HTTPVersion(1, 0);
        let is_bodiless = matches!(outline.status, 204 | 304);
        let delimiting = match outline.length {
            _ if is_bodiless || self.is_head_request() => Delimiting::Absent,
            Some(_) => Delimiting::Length,
            None if is_old => Delimiting::Close,
            None => Delimiting::Chunked,
        };
        let body_is_skipped = self.skip_body();
        let client_stays = self.facts.keeps_alive;
        self.closes = !client_stays
            || outline.closes
            || given.closes
            || !body_is_skipped
            || delimiting == Delimiting::Close
            || self.served >= self.shared.limits.keepalive_requests_max
            || self.shared.is_draining();
        // Who asked for the close and has said everything needs no more than that.
        self.lingers =
            client_stays || !body_is_skipped || !self.is_quiet() || self.link.is_secure();

        match outline.length {
            _ if is_bodiless => {}
            Some(0) if self.is_head_request() => {
                self.put_length(given.length.unwrap_or(0));
            }
            Some(length) => self.put_length(length),
            None if is_old => {}
            None => self.out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        }
        if self.closes {
            self.out.extend_from_slice(b"Connection: close\r\n");
        } else if is_old {
            self.out.extend_from_slice(b"Connection: keep-alive\r\n");
        }
        self.out.extend_from_slice(b"\r\n");
        delimiting
    }

    /// Writes the status line and the fields, but those that are the floor's own.
    fn compose<'h>(
        &mut self,
        status: u16,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Given {
        let out = &mut self.out;
        if status == 200 {
            out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        } else {
            put(out, format_args!("HTTP/1.1 {status} {}\r\n", reason_phrase(status)));
        }
        let mut given = Given::default();
        let mut has_date = false;
        for (name, value) in headers {
            match name.len() {
                4 if name.eq_ignore_ascii_case("date") => has_date = true,
                10 if name.eq_ignore_ascii_case("connection") => {
                    given.closes |=
                        value.split(',').any(|option| option.trim().eq_ignore_ascii_case("close"));
                    continue;
                }
                14 if name.eq_ignore_ascii_case("content-length") => {
                    given.length = value.parse().ok();
                    continue;
                }
                17 if name.eq_ignore_ascii_case("transfer-encoding") => continue,
                _ => {}
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if !has_date {
            put_date(out);
        }
        given
    }

    /// Writes a `Content-Length`.
    fn put_length(&mut self, length: u64) {
        put(&mut self.out, format_args!("Content-Length: {length}\r\n"));
    }

    /// What is to be sent of `body` after `begin`.
    pub(crate) fn rest(&mut self, body: Body, delimiting: Delimiting) -> Rest {
        let mut rest = Rest { body, delimiting, body_sent: 0 };
        if delimiting == Delimiting::Absent {
            rest.body = Body::Empty;
        }
        if let Body::Bytes(bytes) = &rest.body
            && bytes.len() <= INLINE_BODY_BYTES_MAX
        {
            self.out.extend_from_slice(bytes);
            rest.body = Body::Empty;
        }
        rest
    }

    /// Sends what goes without waiting. Returns whether that was all; files and streams never are.
    pub(crate) fn send_now(&mut self, rest: &mut Rest) -> io::Result<bool> {
        let body: &[u8] = match &rest.body {
            Body::Empty => &[],
            Body::Bytes(bytes) => bytes,
            Body::Parts(_) | Body::Stream(_) => return Ok(false),
        };
        let sent = if body.is_empty() {
            self.link.send_now(&[IoSlice::new(&self.out)])?
        } else {
            self.link.send_now(&[IoSlice::new(&self.out), IoSlice::new(body)])?
        };
        self.out_sent = sent.min(self.out.len());
        rest.body_sent = sent - self.out_sent;
        let is_all = sent == self.out.len() + body.len() && !self.link.has_backlog();
        if is_all {
            self.stage = Stage::Answered;
        }
        Ok(is_all)
    }

    /// Sends all that is left, waiting for the client as long as the limits allow.
    ///
    /// Errors break the connection: the client is gone or too slow, a file is too short, a stream
    /// failed.
    pub(crate) fn finish(&mut self, rest: Rest) -> io::Result<()> {
        let delimiting = rest.delimiting;
        let result = match rest.body {
            Body::Empty => self.send_with_head(&[], false),
            Body::Bytes(bytes) => {
                self.send_with_head(bytes.get(rest.body_sent..).unwrap_or_default(), false)
            }
            Body::Parts(parts) => self.send_parts(&parts),
            Body::Stream(stream) => {
                let mut writer = Streaming::new(self, delimiting);
                stream(&mut writer).and_then(|()| writer.end())
            }
        };
        self.settle(result, delimiting)
    }

    /// Sends a body from a reader, which yields `length` bytes if that is known.
    ///
    /// Errors: as `finish`, and `UnexpectedEof` when the reader ends too early.
    pub(crate) fn finish_from(
        &mut self,
        reader: &mut dyn Read,
        length: Option<u64>,
        delimiting: Delimiting,
    ) -> io::Result<()> {
        let mut reader = reader.take(length.unwrap_or(u64::MAX));
        let mut writer = Streaming::new(self, delimiting);
        let result = copy_gathered(&mut reader, &mut writer).and_then(|moved| {
            if length.is_some_and(|length| moved < length) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            writer.end()
        });
        self.settle(result, delimiting)
    }

    /// Notes how the answer ended.
    fn settle(&mut self, result: io::Result<()>, delimiting: Delimiting) -> io::Result<()> {
        if result.is_ok() {
            self.stage = Stage::Answered;
        } else {
            self.is_broken = true;
            if delimiting == Delimiting::Close {
                // A quiet end would say that this was all.
                self.link.reset();
            }
        }
        result
    }

    /// Sends what is left of the head, and `bytes` behind it.
    fn send_with_head(&mut self, bytes: &[u8], more: bool) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        let head = out.get(self.out_sent..).unwrap_or_default();
        let result = self.send_whole(&mut [IoSlice::new(head), IoSlice::new(bytes)], more);
        self.out_sent = out.len();
        self.out = out;
        result
    }

    /// Sends all of `slices`; with `more` what TLS has gathered of them may wait for what follows.
    pub(crate) fn send_whole(
        &mut self,
        mut slices: &mut [IoSlice<'_>],
        more: bool,
    ) -> io::Result<()> {
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() || (!more && self.link.has_backlog()) {
            let since = Instant::now();
            self.must_go_on(since)?;
            let sent = self.link.send(slices, more)?;
            if sent.is_nothing() {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let limits = &self.shared.limits;
            self.outbound.count(since, sent.moved, limits.write_rate_min, limits)?;
            IoSlice::advance_slices(&mut slices, sent.taken);
        }
        Ok(())
    }

    /// Asks, if it is time to, whether the answer may go on.
    ///
    /// Errors: `PermissionDenied`.
    fn must_go_on(&mut self, now: Instant) -> io::Result<()> {
        let interval = self.shared.limits.while_interval;
        let Some(watch) = &mut self.watch else { return Ok(()) };
        if now.saturating_duration_since(watch.asked) < interval {
            return Ok(());
        }
        watch.asked = now;
        if (watch.goes_on)() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Sends parts, the head in front.
    fn send_parts(&mut self, parts: &[Part]) -> io::Result<()> {
        let has_more = |from: usize| parts[from..].iter().any(|part| part.length() > 0);
        self.send_with_head(&[], has_more(0))?;
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Bytes(bytes) => {
                    self.send_whole(&mut [IoSlice::new(bytes)], has_more(index + 1))?;
                }
                Part::File { file, offset, length } => self.send_file(file, *offset, *length)?,
            }
        }
        self.send_whole(&mut [], false)
    }

    /// Sends a slice of a file.
    fn send_file(&mut self, file: &File, mut offset: u64, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let since = Instant::now();
            self.must_go_on(since)?;
            let sent = self.link.send_file(file, offset, left)?;
            if sent.is_nothing() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file got shorter"));
            }
            let limits = &self.shared.limits;
            self.outbound.count(since, sent.moved, limits.write_rate_min, limits)?;
            left -= sent.taken as u64;
            offset += sent.taken as u64;
        }
        Ok(())
    }
}

/// What the application said with fields that are the floor's.
#[derive(Debug, Default)]
struct Given {
    /// `Connection: close`.
    closes: bool,
    /// `Content-Length`.
    length: Option<u64>,
}

/// The writer of a body whose length nobody knows yet (or which comes from a plain reader).
struct Streaming<'w> {
    /// The connection.
    wire: &'w mut Wire,
    /// How the body is delimited.
    delimiting: Delimiting,
    /// What waits to be sent.
    gathered: Vec<u8>,
}

impl<'w> Streaming<'w> {
    /// Before the first byte; the head is not sent yet.
    fn new(wire: &'w mut Wire, delimiting: Delimiting) -> Self {
        Self { wire, delimiting, gathered: Vec::new() }
    }

    /// Sends the head if it waits, what was gathered, and `bytes`, as one chunk.
    fn push(&mut self, bytes: &[u8], tail: &[u8]) -> io::Result<()> {
        if self.delimiting == Delimiting::Absent {
            self.gathered.clear();
            return self.wire.send_with_head(&[], false);
        }
        let count = self.gathered.len() + bytes.len();
        let mut size_line = [0_u8; 20];
        let (size_line, line_end): (&[u8], &[u8]) =
            if self.delimiting == Delimiting::Chunked && count > 0 {
                let room = size_line.len();
                let mut left = &mut size_line[..];
                write!(left, "{count:x}\r\n")?;
                let used = room - left.len();
                (&size_line[..used], b"\r\n")
            } else {
                (&[], &[])
            };
        let out = std::mem::take(&mut self.wire.out);
        let head = out.get(self.wire.out_sent..).unwrap_or_default();
        let result = self.wire.send_whole(
            &mut [head, size_line, &self.gathered, bytes, line_end, tail].map(IoSlice::new),
            false,
        );
        self.wire.out_sent = out.len();
        self.wire.out = out;
        self.gathered.clear();
        result
    }

    /// Sends what waits and the end of the body.
    fn end(&mut self) -> io::Result<()> {
        let tail: &[u8] = if self.delimiting == Delimiting::Chunked { b"0\r\n\r\n" } else { b"" };
        self.push(&[], tail)
    }
}

impl Write for Streaming<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + bytes.len() < GATHER_BYTES {
            self.gathered.extend_from_slice(bytes);
        } else {
            self.push(bytes, &[])?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push(&[], &[])
    }
}

/// Moves everything from `reader` in pieces that leave at once; how many bytes.
fn copy_gathered(reader: &mut dyn Read, writer: &mut Streaming<'_>) -> io::Result<u64> {
    let mut piece = vec![0; GATHER_BYTES];
    let mut moved = 0;
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(moved),
            Ok(count) => {
                writer.push(&piece[..count], &[])?;
                moved += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes text behind what is there; a `Vec` takes everything.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _always_fits = out.write_fmt(text);
}

/// Writes the `Date` field. Each thread formats it once a second.
fn put_date(out: &mut Vec<u8>) {
    thread_local! {
        /// The second, and how it is written.
        static DATE: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DATE.with_borrow_mut(|(formatted, line)| {
        if *formatted != second {
            // A clock that stands before 1970 or behind 9999 would make httpdate panic.
            let shown = UNIX_EPOCH + std::time::Duration::from_secs(second.min(253_402_300_799));
            *line = format!("Date: {}\r\n", httpdate::fmt_http_date(shown));
            *formatted = second;
        }
        out.extend_from_slice(line.as_bytes());
    });
}
