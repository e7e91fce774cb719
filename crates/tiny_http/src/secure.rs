//! TLS over the socket of one connection. What is kept of either direction is bounded, and a connection at rest keeps
//! next to nothing. Knows no HTTP, and of certificates only that somebody has them.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ProtocolVersion, ServerConfig, ServerConnection};

use crate::link::{Sent, Socket};

/// The first byte of whoever speaks TLS: a handshake's record (RFC 8446, 5.1). No request begins with it.
pub(crate) const FIRST_BYTE: u8 = 0x16;

/// Bytes that are encrypted before they are sent, and bytes of a file that are read at once: four records, for one
/// call each. Twice as many are held for a moment, and nothing of them at rest.
const OUTBOUND_BYTES: usize = 64 * 1024;

/// Bytes that are received at once of a body: two records. At rest it is the 4 KiB that rustls takes.
const INBOUND_BYTES: usize = 32 * 1024;

/// Room of a reader from which on it counts as one that reads a body.
const BULK_READ_BYTES_MIN: usize = 4 * 1024;

/// TLS over one socket.
pub(crate) struct Secure {
    /// The protocol; takes and gives bytes, and touches no socket.
    session: ServerConnection,
    /// What was received for `session`, from `fed` on; empty at rest.
    inbound: Vec<u8>,
    /// Bytes of `inbound` that `session` has.
    fed: usize,
    /// What is read of files; empty at rest.
    piece: Vec<u8>,
}

impl Secure {
    /// Shakes hands. See `Link::secure`. Two sessions of a KiB each lie on the stack while this runs: as a part of its caller
    /// they would lie under all that each connection does from here on, the plain ones included.
    #[inline(never)]
    pub(crate) fn accept(
        socket: &mut Socket,
        config: Arc<ServerConfig>,
        hello: &[u8],
        time: Duration,
    ) -> io::Result<Box<Self>> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(Some(OUTBOUND_BYTES));
        let (inbound, piece) = (hello.to_vec(), Vec::new());
        let mut secure = Box::new(Self { session, inbound, fed: 0, piece });
        let until = Instant::now() + time;
        while secure.session.is_handshaking() {
            if secure.has_backlog() {
                secure.push(socket, true)?;
            } else if secure.has_inbound() {
                secure.feed(socket)?;
            } else if !secure.receive(socket, 0, remaining(until))? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        // With 1.3 only tickets are left, which go along with the first answer.
        while secure.session.protocol_version() != Some(ProtocolVersion::TLSv1_3)
            && secure.has_backlog()
        {
            secure.push(socket, true)?;
        }
        Ok(secure)
    }

    /// Gives back memory that a connection at rest has no need of.
    pub(crate) fn rest(&mut self) {
        self.piece = Vec::new();
        if !self.has_inbound() {
            self.inbound = Vec::new();
            self.fed = 0;
        }
    }

    /// See `Link::recv`. An end without a word is an end: what is cut off by it, HTTP's own lengths tell.
    pub(crate) fn recv(
        &mut self,
        socket: &mut Socket,
        into: &mut [u8],
        wait: Duration,
    ) -> io::Result<usize> {
        let until = Instant::now() + wait;
        let (mut left, mut done) = (wait, 0);
        loop {
            match self.session.reader().read(&mut into[done..]) {
                Ok(0) => return Ok(done),
                Ok(count) => done += count,
                Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(done),
                Err(cause) if cause.kind() != io::ErrorKind::WouldBlock => return Err(cause),
                // What is wrong behind good bytes is told when those are taken.
                Err(_) if self.has_inbound() => match self.feed(socket) {
                    Err(_) if done > 0 => return Ok(done),
                    result => result?,
                },
                Err(_) if done > 0 => return Ok(done),
                Err(_) => {
                    self.receive(socket, into.len(), left)?;
                    left = remaining(until);
                }
            }
        }
    }

    /// Whether something is encrypted and has not gone.
    pub(crate) fn has_backlog(&self) -> bool {
        self.session.wants_write()
    }

    /// See `Link::send`. With `more` nothing goes that can wait for what follows.
    pub(crate) fn send(
        &mut self,
        socket: &mut Socket,
        slices: &[IoSlice<'_>],
        more: bool,
    ) -> io::Result<Sent> {
        let taken = self.session.writer().write_vectored(slices)?;
        let is_all = taken == slices.iter().map(|slice| slice.len()).sum();
        let moved = if more && is_all { 0 } else { self.push(socket, true)? };
        Ok(Sent { taken, moved })
    }

    /// See `Link::send_now`.
    pub(crate) fn send_now(
        &mut self,
        socket: &mut Socket,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        let taken = self.session.writer().write_vectored(slices)?;
        self.push(socket, false)?;
        Ok(taken)
    }

    /// See `Link::send_file`.
    pub(crate) fn send_file(
        &mut self,
        socket: &mut Socket,
        file: &File,
        offset: u64,
        length: u64,
    ) -> io::Result<Sent> {
        self.piece.resize(OUTBOUND_BYTES, 0);
        let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(OUTBOUND_BYTES);
        let count = read_at(file, &mut self.piece[..wanted], offset)?;
        if count == 0 {
            return Ok(Sent::default());
        }
        let taken = self.session.writer().write(&self.piece[..count])?;
        Ok(Sent { taken, moved: self.push(socket, true)? })
    }

    /// Says that nothing more comes from us, as far as that goes without waiting.
    pub(crate) fn say_the_end(&mut self, socket: &mut Socket) {
        self.session.send_close_notify();
        let _as_far_as_it_goes = self.push(socket, false);
    }

    /// Sends encrypted bytes once; how many.
    fn push(&mut self, socket: &mut Socket, waits: bool) -> io::Result<usize> {
        self.session.write_tls(&mut Outgoing { socket, waits })
    }

    /// Whether something was received that the session does not have yet.
    fn has_inbound(&self) -> bool {
        self.fed < self.inbound.len()
    }

    /// Receives once, for a reader with so much room. `false`: the other end has closed.
    fn receive(&mut self, socket: &mut Socket, room: usize, wait: Duration) -> io::Result<bool> {
        if room < BULK_READ_BYTES_MIN {
            let count = self.session.read_tls(&mut Incoming { socket, wait })?;
            self.process(socket)?;
            return Ok(count > 0);
        }
        self.fed = 0;
        self.inbound.resize(INBOUND_BYTES, 0);
        let received = socket.recv(&mut self.inbound, wait);
        self.inbound.truncate(*received.as_ref().unwrap_or(&0));
        if received? == 0 {
            self.session.read_tls(&mut io::empty())?;
            self.process(socket)?;
        }
        Ok(self.has_inbound())
    }

    /// Gives the session some of what was received.
    fn feed(&mut self, socket: &mut Socket) -> io::Result<()> {
        let count = self.session.read_tls(&mut &self.inbound[self.fed..])?;
        // Behind its end it takes nothing.
        self.fed = if count == 0 { self.inbound.len() } else { self.fed + count };
        self.process(socket)
    }

    /// Has the session look at what it was given. Errors: `InvalidData`; the other end is told, if it can be.
    fn process(&mut self, socket: &mut Socket) -> io::Result<()> {
        let looked = self.session.process_new_packets();
        // Whoever wants to negotiate anew waits for the no (RFC 5246, 7.4.1.1); what 1.3 has to say can wait for an
        // answer.
        let is_asked = self.session.protocol_version() == Some(ProtocolVersion::TLSv1_2);
        if looked.is_err() || is_asked && self.has_backlog() {
            let _as_far_as_it_goes = self.push(socket, false);
        }
        let Err(cause) = looked else { return Ok(()) };
        Err(io::Error::new(io::ErrorKind::InvalidData, cause))
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secure({:?})", self.session.protocol_version())
    }
}

/// Reads a piece of a file; short at its end alone.
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(done)
}

/// The time until then in whole seconds, so that a socket is not told another time after each record.
fn remaining(until: Instant) -> Duration {
    let left = until.saturating_duration_since(Instant::now());
    Duration::from_secs(left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
}

/// The socket as the session reads it.
struct Incoming<'s> {
    /// The socket.
    socket: &'s mut Socket,
    /// How long to wait.
    wait: Duration,
}

impl Read for Incoming<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(into, self.wait)
    }
}

/// The socket as the session writes to it.
struct Outgoing<'s> {
    /// The socket.
    socket: &'s mut Socket,
    /// Whether to wait for the other end.
    waits: bool,
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.waits { self.socket.send(slices, false) } else { self.socket.send_now(slices) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
