//! The control connection: lines in, replies out, each within its time.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFd;
use rustls::ServerConnection;

use crate::ftp::channel::{Channel, wait};
use crate::ftp::line::{Lines, Taken};
use crate::ftp::reply::Reply;
use crate::limits;

/// The control connection.
pub struct Control {
    /// The socket.
    pub channel: Channel,
    /// What has come and was not obeyed yet.
    lines: Lines,
    /// Whether the client has ended its side.
    pub is_at_end: bool,
}

/// What a client did next.
pub enum Next {
    /// It sent a line.
    Line(Vec<u8>),
    /// It sent a line that is too long.
    TooLong,
    /// It sends without an end, or what is no TLS.
    Flood,
    /// It went.
    End,
    /// It was silent for too long.
    Silence,
}

impl Control {
    /// Over an accepted socket.
    pub fn new(stream: Arc<TcpStream>) -> io::Result<Self> {
        // Short replies must not wait for one another.
        stream.set_nodelay(true)?;
        // Telnet's Synch sends `ABOR`, or its last byte, as urgent data (RFC 959, 4.1.3): it stays in line.
        rustix::net::sockopt::set_socket_oobinline(&*stream, true)?;
        Ok(Self { channel: Channel::plain(stream)?, lines: Lines::default(), is_at_end: false })
    }

    /// The next line, within `time` from now, however it drips.
    pub fn next(&mut self, time: Duration) -> io::Result<Next> {
        let until = Instant::now() + time;
        loop {
            match self.lines.take() {
                Some(Taken::Line(line)) => return Ok(Next::Line(line)),
                Some(Taken::TooLong) => return Ok(Next::TooLong),
                Some(Taken::Flood) => return Ok(Next::Flood),
                None if self.is_at_end => return Ok(Next::End),
                None => {}
            }
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(Next::Silence);
            }
            if self.fill()? {
                continue;
            }
            let flags = self.channel.interest(true);
            if !wait(&mut [PollFd::new(&*self.channel.stream, flags)], rest)? {
                return Ok(Next::Silence);
            }
        }
    }

    /// Reads what is there without waiting; whether that was anything.
    pub fn fill(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 2048];
        let fits = self.lines.room().min(bytes.len());
        if fits == 0 || self.is_at_end {
            return Ok(false);
        }
        match self.channel.read(&mut bytes[..fits]) {
            Ok(0) => {
                self.is_at_end = true;
                Ok(true)
            }
            Ok(count) => {
                self.lines.push(&bytes[..count]);
                Ok(true)
            }
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(cause) => {
                self.is_at_end = true;
                Err(cause)
            }
        }
    }

    /// Whether it is worth waiting for more while a transfer runs.
    pub fn has_room(&self) -> bool {
        !self.is_at_end && self.lines.room() > 0
    }

    /// Takes a command for the running transfer out of what waits.
    pub fn take_command(&mut self, verb: &str) -> bool {
        self.lines.take_command(verb)
    }

    /// Whether a command without an argument waits.
    pub fn has_command(&self, verb: &str) -> bool {
        self.lines.find(verb).is_some()
    }

    /// Says something.
    ///
    /// Errors: the client is gone, or does not read.
    pub fn say(&mut self, reply: &Reply) -> io::Result<()> {
        self.write(&reply.to_bytes())
    }

    /// Writes bytes that make up lines.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let until = Instant::now() + limits::FTP_REPLY_TIME;
        loop {
            let done = if bytes.is_empty() {
                self.channel.flush()
            } else {
                self.channel.write(bytes).map(|count| bytes = &bytes[count..])
            };
            match done {
                Ok(()) if bytes.is_empty() => return Ok(()),
                Ok(()) => {}
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    self.pause(false, until)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    /// Speaks TLS from here on. Nothing that came in the clear counts any more.
    pub fn secure(&mut self, tls: ServerConnection) -> io::Result<()> {
        self.lines.clear();
        self.channel.secure(tls);
        let until = Instant::now() + limits::FTP_HANDSHAKE_TIME;
        loop {
            match self.channel.shake_hands() {
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    self.pause(true, until)?;
                }
                done => return done,
            }
        }
    }

    /// Throws away what the client has sent so far in the clear (RFC 4217, 4.2).
    pub fn drop_pending(&mut self) -> io::Result<()> {
        self.lines.clear();
        while self.fill()? && !self.is_at_end {
            self.lines.clear();
        }
        Ok(())
    }

    /// Waits until the socket can go on.
    fn pause(&self, reads: bool, until: Instant) -> io::Result<()> {
        let rest = until.saturating_duration_since(Instant::now());
        let flags = self.channel.interest(reads);
        if wait(&mut [PollFd::new(&*self.channel.stream, flags)], rest)? {
            Ok(())
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}
