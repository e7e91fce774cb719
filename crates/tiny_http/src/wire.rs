//! One connection while it lives: its socket, its one buffer, the head it read last and the body
//! behind it. It travels: the connection's thread reads a head into it, a `Request` carries it to a
//! worker, and the answer sends it home. Whoever holds it is alone with it, so nothing is locked.

use std::io::{self, IoSlice, Read};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use crate::chunks::Chunks;
use crate::common::Method;
use crate::connection::Slot;
use crate::ext::{GoesOn, Limits};
use crate::head::{self, Facts, Field, Framing, Refused, Scan, Target};
use crate::link::Link;
use crate::secure;
use crate::server::{Shared, Spoken};

/// Bytes of the buffer of a connection at rest. Most heads fit; a longer one makes it larger.
const BUFFER_BYTES: usize = 1024;

/// Bytes of most heads of answers.
pub(crate) const ANSWER_HEAD_BYTES: usize = 512;

/// Bytes a read must ask for to bypass the buffer.
const DIRECT_READ_BYTES_MIN: usize = 4 * 1024;

/// Bytes read ahead when a body is read in smaller pieces, and for the framing of chunks.
const READ_AHEAD_BYTES: usize = 8 * 1024;

/// Bytes of empty lines skipped before a request line (RFC 9112, 2.2 asks for at least one).
const EMPTY_LINE_BYTES_MAX: usize = 64;

/// Why no request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client left, or was silent for too long without having begun.
    Gone,
    /// What it sent is refused.
    Refused(Refused),
}

/// How far the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was said.
    Unanswered,
    /// The head is composed; something may have been sent.
    Answering,
    /// Everything was sent.
    Answered,
}

/// Where the reader of a body stands.
#[derive(Debug)]
enum Reading {
    /// So many bytes are left.
    Left(u64),
    /// Within a chunked body.
    Chunked(Chunks),
    /// It broke off or made no sense; there is no way back to the next request.
    Failed,
}

/// The average rate of one message.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Time spent waiting for the client.
    waited: Duration,
    /// Bytes moved.
    moved: u64,
}

impl Pace {
    /// Counts one call, begun at `since`. Errors: `TimedOut` when the client is too slow on
    /// average.
    pub(crate) fn count(
        &mut self,
        since: Instant,
        moved: usize,
        rate_min: u64,
        limits: &Limits,
    ) -> io::Result<()> {
        // One long pause alone is none of its business: whoever pauses makes room when others need it.
        self.waited += since.elapsed().min(limits.rate_grace_time);
        self.moved += moved as u64;
        if self.waited <= limits.rate_grace_time {
            return Ok(());
        }
        let asked = u128::from(rate_min) * self.waited.as_millis() / 1000;
        if u128::from(self.moved) < asked {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow"));
        }
        Ok(())
    }
}

/// What an answer goes on by.
pub(crate) struct Watch {
    /// Whether it may.
    pub(crate) goes_on: GoesOn,
    /// When that was asked last.
    pub(crate) asked: Instant,
}

/// One connection.
#[expect(clippy::struct_excessive_bools, reason = "four facts, each independent of the others")]
pub(crate) struct Wire {
    /// What all connections share.
    pub(crate) shared: Arc<Shared>,
    /// The way home.
    pub(crate) slot: Arc<Slot>,
    /// The socket.
    pub(crate) link: Link,
    /// The other end.
    pub(crate) peer: SocketAddr,
    /// Bytes received: the head, then what follows it. Zeroed space behind `filled`.
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were received.
    filled: usize,
    /// Bytes of the head.
    head_length: usize,
    /// The first byte of `buffer` that nobody took yet.
    unread: usize,
    /// The header fields.
    pub(crate) fields: Vec<Field>,
    /// What the head says.
    pub(crate) facts: Facts,
    /// The body.
    reading: Reading,
    /// Whether the client still waits for `100 Continue`.
    awaits_continue: bool,
    /// How fast the body comes.
    inbound: Pace,
    /// How fast the answer goes.
    pub(crate) outbound: Pace,
    /// The head of the answer.
    pub(crate) out: Vec<u8>,
    /// Bytes of `out` that were sent.
    pub(crate) out_sent: usize,
    /// How far the answer is.
    pub(crate) stage: Stage,
    /// Requests on this connection.
    pub(crate) served: u32,
    /// Whether the connection ends with this answer.
    pub(crate) closes: bool,
    /// Whether the client may still be sending when it ends.
    pub(crate) lingers: bool,
    /// Whether the answer failed: nothing more can be said.
    pub(crate) is_broken: bool,
    /// What the answer goes on by, if by anything.
    pub(crate) watch: Option<Watch>,
}

impl Wire {
    /// A fresh connection. It is put together on the stack, of which its caller is to keep nothing.
    #[inline(never)]
    pub(crate) fn new(
        shared: Arc<Shared>,
        slot: Arc<Slot>,
        link: Link,
        peer: SocketAddr,
    ) -> Box<Self> {
        Box::new(Self {
            shared,
            slot,
            link,
            peer,
            buffer: vec![0; BUFFER_BYTES],
            filled: 0,
            head_length: 0,
            unread: 0,
            fields: Vec::with_capacity(16),
            facts: Facts::none(),
            reading: Reading::Left(0),
            awaits_continue: false,
            inbound: Pace::default(),
            outbound: Pace::default(),
            out: Vec::new(),
            out_sent: 0,
            stage: Stage::Unanswered,
            served: 0,
            closes: false,
            lingers: false,
            is_broken: false,
            watch: None,
        })
    }

    /// Waits for the first bytes, which tell whether TLS is spoken; then hands are shaken.
    pub(crate) fn greet(&mut self, spoken: Spoken) -> Result<(), End> {
        match self.receive(self.shared.limits.idle_time) {
            Ok(0) | Err(_) => return Err(End::Gone),
            Ok(_) => {}
        }
        let wants_tls = self.buffer[0] == secure::FIRST_BYTE;
        if !wants_tls && spoken == Spoken::Both {
            return Ok(());
        }
        let config = self.shared.tls.as_ref().and_then(|source| source());
        match config {
            Some(config) if wants_tls => self.shake_hands(config),
            Some(_) => Err(End::Refused(Refused(400, "This port speaks HTTPS"))),
            None if spoken == Spoken::TlsAlone => Err(End::Gone),
            // It is told that this is no request.
            None => Ok(()),
        }
    }

    /// Goes on over TLS, with what has come.
    fn shake_hands(&mut self, config: Arc<ServerConfig>) -> Result<(), End> {
        let hello = &self.buffer[..self.filled];
        let time = self.shared.limits.handshake_time;
        self.link.secure(config, hello, time).map_err(|_told_already| End::Gone)?;
        self.filled = 0;
        Ok(())
    }

    /// Waits for the next request, up to the end of its head and of its body if that is small.
    pub(crate) fn next_request(&mut self) -> Result<(), End> {
        self.turn_page();
        let head_length = self.read_head()?;
        self.head_length = head_length;
        self.unread = head_length;
        let limits = &self.shared.limits;
        self.facts = head::parse(&self.buffer[..head_length], &mut self.fields, limits)
            .map_err(End::Refused)?;
        self.reading = match self.facts.framing {
            Framing::Absent => Reading::Left(0),
            Framing::Length(length) => Reading::Left(length),
            Framing::Chunked => Reading::Chunked(Chunks::new()),
        };
        // Who has begun to send the body does not wait (RFC 9110, 10.1.1).
        self.awaits_continue = self.facts.expects_continue && self.unread == self.filled;
        self.served = self.served.saturating_add(1);
        self.read_small_body()
    }

    /// What was asked for, as far as it has come and is text: the second word of the first line, whatever becomes of the
    /// rest of the head.
    pub(crate) fn told_target(&self) -> &str {
        let begun = self.buffer.get(..self.filled).unwrap_or_default();
        let line = begun.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let word = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }

    /// Forgets the last request, and moves what came behind it to the front.
    fn turn_page(&mut self) {
        self.buffer.copy_within(self.unread..self.filled, 0);
        self.filled -= self.unread;
        self.unread = 0;
        self.head_length = 0;
        if self.buffer.len() > BUFFER_BYTES && self.filled <= BUFFER_BYTES {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
        self.out.clear();
        self.out.shrink_to(BUFFER_BYTES);
        self.out_sent = 0;
        self.stage = Stage::Unanswered;
        self.inbound = Pace::default();
        self.outbound = Pace::default();
        self.watch = None;
        self.link.rest();
    }

    /// Lets the client read what it was sent last, throwing away what still comes.
    pub(crate) fn linger(&mut self) {
        self.link.linger(&mut self.buffer, &self.shared.limits);
    }

    /// Receives until the buffer starts with a whole head; its length.
    fn read_head(&mut self) -> Result<usize, End> {
        let idle_time = self.shared.limits.idle_time;
        let mut idle_until = None;
        let mut head_until = None;
        let mut scan = Scan::default();
        let mut skipped = 0;
        loop {
            skipped += self.skip_empty_lines();
            if skipped > EMPTY_LINE_BYTES_MAX {
                return Err(End::Refused(Refused(400, "too many empty lines")));
            }
            let found = scan.look(&self.buffer[..self.filled], &self.shared.limits);
            if let Some(length) = found.map_err(End::Refused)? {
                return Ok(length);
            }
            // A lone CR may be half an empty line: no head has begun.
            let has_begun = self.filled > 1 || (self.filled == 1 && self.buffer[0] != b'\r');
            let wait = if has_begun {
                let until =
                    head_until.get_or_insert_with(|| Instant::now() + self.shared.limits.head_time);
                until.saturating_duration_since(Instant::now())
            } else if let Some(until) = idle_until {
                Instant::saturating_duration_since(&until, Instant::now())
            } else {
                idle_until = Some(Instant::now() + idle_time);
                idle_time
            };
            match self.receive(wait) {
                Ok(0) if has_begun => {
                    return Err(End::Refused(Refused(400, "the head broke off")));
                }
                Ok(0) => return Err(End::Gone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut && has_begun => {
                    return Err(End::Refused(Refused(408, "the head took too long")));
                }
                Err(_) => return Err(End::Gone),
            }
        }
    }

    /// Drops empty lines in front of a request line; how many bytes.
    fn skip_empty_lines(&mut self) -> usize {
        let mut skipped = 0;
        while self.buffer[skipped..self.filled].starts_with(b"\r\n") {
            skipped += 2;
        }
        if skipped > 0 {
            self.buffer.copy_within(skipped..self.filled, 0);
            self.filled -= skipped;
        }
        skipped
    }

    /// Receives once behind what is there, making room when there is none.
    fn receive(&mut self, wait: Duration) -> io::Result<usize> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = self.link.recv(&mut self.buffer[self.filled..], wait)?;
        self.filled += count;
        Ok(count)
    }

    /// Reads a small body of known length whole, so that its reader never waits.
    fn read_small_body(&mut self) -> Result<(), End> {
        let limits = &self.shared.limits;
        let length = match self.reading {
            Reading::Left(length) => length,
            Reading::Chunked(_) | Reading::Failed => return Ok(()),
        };
        let small = usize::try_from(length).ok().filter(|&n| n <= limits.buffered_body_bytes_max);
        let Some(length) = small else { return Ok(()) };
        if self.awaits_continue || self.is_piecemeal() {
            return Ok(());
        }
        let end = self.head_length + length;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while self.filled < end {
            let since = Instant::now();
            let (wait, rate_min) =
                (self.shared.limits.body_stall_time, self.shared.limits.body_rate_min);
            let count = match self.receive(wait) {
                Ok(0) => return Err(End::Refused(Refused(400, "the body broke off"))),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(End::Refused(Refused(408, "the body took too long")));
                }
                Err(_) => return Err(End::Gone),
            };
            self.inbound
                .count(since, count, rate_min, &self.shared.limits)
                .map_err(|_| End::Refused(Refused(408, "the body took too long")))?;
        }
        Ok(())
    }

    /// Whether what has come of the body is worth something by itself.
    fn is_piecemeal(&self) -> bool {
        let media_type = self.shared.limits.piecemeal_media_type.as_bytes();
        let is_so = |field: &crate::head::Field| {
            let value = field.value.bytes(self.head()).trim_ascii();
            field.name.bytes(self.head()).eq_ignore_ascii_case(b"content-type")
                && value
                    .get(..media_type.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(media_type))
        };
        !media_type.is_empty() && self.fields.iter().any(is_so)
    }

    /// The head, as it was received.
    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[..self.head_length]
    }

    /// The target as the application sees it. It is visible ASCII, as `head::parse` saw to.
    pub(crate) fn target(&self) -> &str {
        match &self.facts.target {
            Target::Here(span) => std::str::from_utf8(span.bytes(self.head())).unwrap_or("/"),
            Target::Rooted(path) => path,
        }
    }

    /// Whether the request is a `HEAD`.
    pub(crate) fn is_head_request(&self) -> bool {
        self.facts.method == Method::Head
    }

    /// The bytes received and not yet taken.
    fn at_hand(&self) -> Range<usize> {
        self.unread..self.filled
    }

    /// Whether nothing was received beyond what was taken.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unread == self.filled
    }

    /// Whether the rest of the body is in the buffer.
    pub(crate) fn body_is_buffered(&self) -> bool {
        match self.reading {
            Reading::Left(left) => left <= self.at_hand().len() as u64,
            Reading::Chunked(ref chunks) => chunks.is_done(),
            Reading::Failed => true,
        }
    }

    /// Skips the rest of the body if it is at hand. `false`: it is not, and is never fetched.
    pub(crate) fn skip_body(&mut self) -> bool {
        loop {
            let at_hand = self.at_hand();
            match &mut self.reading {
                Reading::Failed => return false,
                Reading::Left(left) => {
                    let Some(count) =
                        usize::try_from(*left).ok().filter(|&left| left <= at_hand.len())
                    else {
                        return false;
                    };
                    self.unread += count;
                    *left = 0;
                    return true;
                }
                Reading::Chunked(chunks) if chunks.is_done() => return true,
                Reading::Chunked(_) if at_hand.is_empty() => return false,
                Reading::Chunked(chunks) if chunks.data_left() > 0 => {
                    let count = within(chunks.data_left(), at_hand.len());
                    chunks.take(count as u64);
                    self.unread += count;
                }
                Reading::Chunked(chunks) => match chunks.advance(&self.buffer[at_hand]) {
                    Ok(used) => self.unread += used,
                    Err(_) => self.reading = Reading::Failed,
                },
            }
        }
    }

    /// Reads some of the body.
    fn read_body(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.reading {
                Reading::Failed => return Err(io::ErrorKind::InvalidData.into()),
                Reading::Left(0) => return Ok(0),
                Reading::Left(left) => {
                    let room = within(*left, into.len());
                    let count = self.take_some(&mut into[..room])?;
                    if let Reading::Left(left) = &mut self.reading {
                        *left -= count as u64;
                    }
                    return Ok(count);
                }
                Reading::Chunked(chunks) if chunks.is_done() => return Ok(0),
                Reading::Chunked(chunks) if chunks.data_left() > 0 => {
                    let room = within(chunks.data_left(), into.len());
                    let count = self.take_some(&mut into[..room])?;
                    if let Reading::Chunked(chunks) = &mut self.reading {
                        chunks.take(count as u64);
                    }
                    return Ok(count);
                }
                Reading::Chunked(_) if self.unread == self.filled => self.read_ahead()?,
                Reading::Chunked(chunks) => {
                    let used = chunks
                        .advance(&self.buffer[self.unread..self.filled])
                        .map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad.0))?;
                    self.unread += used;
                }
            }
        }
    }

    /// Moves at least one byte of data: what is at hand, or straight from the socket when the
    /// reader brought enough room.
    fn take_some(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unread == self.filled {
            if into.len() >= DIRECT_READ_BYTES_MIN {
                return self.receive_body(|wire, wait| wire.link.recv(into, wait));
            }
            self.read_ahead()?;
        }
        let count = into.len().min(self.at_hand().len());
        into[..count].copy_from_slice(&self.buffer[self.unread..self.unread + count]);
        self.unread += count;
        Ok(count)
    }

    /// Fills the space behind the head; what was there has been taken.
    fn read_ahead(&mut self) -> io::Result<()> {
        self.unread = self.head_length;
        self.filled = self.head_length;
        let end = self.head_length + READ_AHEAD_BYTES;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        self.receive_body(Self::receive)?;
        Ok(())
    }

    /// Receives once for the body, after the `100 Continue` the client may wait for.
    ///
    /// Errors: `UnexpectedEof` when the client ended too early, `TimedOut` when it is too slow.
    fn receive_body(
        &mut self,
        receive: impl FnOnce(&mut Self, Duration) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if std::mem::take(&mut self.awaits_continue) {
            self.send_whole(&mut [IoSlice::new(b"HTTP/1.1 100 Continue\r\n\r\n")], false)?;
        }
        let since = Instant::now();
        let count = receive(self, self.shared.limits.body_stall_time)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body broke off"));
        }
        let limits = &self.shared.limits;
        self.inbound.count(since, count, limits.body_rate_min, limits)?;
        Ok(count)
    }
}

impl Read for Wire {
    /// Reads the body, without its framing. A body that broke off is an error, never a short end,
    /// and stays one.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.read_body(into).inspect_err(|_| self.reading = Reading::Failed)
    }
}

/// The smaller of a length on the wire and one in memory.
fn within(length: u64, room: usize) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_connection_holds_nothing_of_what_tls_takes() {
        // Hundreds of connections may wait at once, each with one of these. What only some of them need is boxed.
        assert!(size_of::<Link>() <= 48, "{}", size_of::<Link>());
        assert!(size_of::<Wire>() <= 448, "{}", size_of::<Wire>());
    }
}
