//! One connection, in the clear or in TLS, that never blocks: whoever uses it decides how long to wait,
//! and for what else besides.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustls::ServerConnection;

/// A socket, and TLS over it.
pub struct Channel {
    /// Never blocks; shared with whoever may have to close it.
    pub stream: Arc<TcpStream>,
    /// The TLS connection over it.
    tls: Option<Box<ServerConnection>>,
    /// Whether TLS ended without a word.
    is_cut: bool,
}

impl Channel {
    /// In the clear.
    pub fn plain(stream: Arc<TcpStream>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, tls: None, is_cut: false })
    }

    /// Speaks TLS from here on; the handshake goes on with the first reads.
    pub fn secure(&mut self, tls: ServerConnection) {
        self.tls = Some(Box::new(tls));
    }

    /// Whether it speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether TLS ended without its `close_notify` (RFC 5246, 7.2.1): by that alone nobody can tell whether
    /// all has come.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// What to wait for before writing or, with `reads`, reading can go on.
    pub fn interest(&self, reads: bool) -> PollFlags {
        let writes = self.tls.as_ref().is_some_and(|tls| tls.wants_write()) || !reads;
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, reads || self.is_handshaking());
        flags.set(PollFlags::OUT, writes && !self.is_waiting_for_peer());
        flags
    }

    /// Whether nothing can be written before the peer has gone on with the handshake.
    fn is_waiting_for_peer(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking() && !tls.wants_write())
    }

    /// Reads what is there. 0 at the end, also where TLS was not ended properly: few clients do.
    ///
    /// Errors: `WouldBlock` when nothing is there.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return (&*self.stream).read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    return Ok(0);
                }
                done => return done,
            }
            receive(tls, &self.stream)?;
        }
    }

    /// Goes on with the handshake; says whether it is done.
    ///
    /// Errors: `WouldBlock` when the peer is awaited.
    pub fn shake_hands(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.is_handshaking() {
            if tls.wants_write() {
                send(tls, &self.stream)?;
            } else if receive(tls, &self.stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        send(tls, &self.stream)
    }

    /// Takes some of `bytes`; what it took is on its way once `flush` says so.
    ///
    /// Errors: `WouldBlock` when nothing can be taken.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return (&*self.stream).write(bytes) };
        let taken = tls.writer().write(bytes)?;
        match send(tls, &self.stream) {
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock && taken > 0 => {}
            done => done?,
        }
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Sends what was taken.
    ///
    /// Errors: `WouldBlock` when the socket is full.
    pub fn flush(&mut self) -> io::Result<()> {
        self.tls.as_mut().map_or(Ok(()), |tls| send(tls, &self.stream))
    }

    /// Tells the peer that this is the end (RFC 5246, 7.2.1), as far as it can be told without waiting.
    pub fn say_end(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _as_far_as_it_goes = send(tls, &self.stream);
        }
    }
}

/// Reads ciphertext once and works it off; 0 at the end.
fn receive(tls: &mut ServerConnection, mut stream: &TcpStream) -> io::Result<usize> {
    let count = tls.read_tls(&mut stream)?;
    if let Err(cause) = tls.process_new_packets() {
        // The peer may want to know why.
        let _as_far_as_it_goes = send(tls, stream);
        return Err(io::Error::new(io::ErrorKind::InvalidData, cause));
    }
    match send(tls, stream) {
        Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
        done => done?,
    }
    Ok(count)
}

/// Writes ciphertext until there is no more.
fn send(tls: &mut ServerConnection, mut stream: &TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut stream)?;
    }
    Ok(())
}

/// Waits until one of them is ready; which, is told in their flags. False when the time is over.
pub fn wait(fds: &mut [PollFd<'_>], time: Duration) -> io::Result<bool> {
    let until = Instant::now() + time;
    loop {
        let rest = until.saturating_duration_since(Instant::now());
        let rest = Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        };
        match rustix::event::poll(fds, Some(&rest)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}
