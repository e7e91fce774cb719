//! The socket of one connection: every read and write has a deadline, none is retried in secret.
//! Knows no HTTP.

use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{SendAncillaryBuffer, SendFlags, sockopt};
use rustls::ServerConfig;

use crate::ext::Limits;
use crate::secure::Secure;

/// Bytes per `sendfile(2)`: large enough to cost nothing, small enough that the average rate of a
/// slow client is looked at now and then.
const SENDFILE_BYTES_MAX: u64 = 1024 * 1024;

/// Time that the kernel gives a peer beyond ours, so that the deadlines here come first.
const PEER_GRACE_MS: u32 = 5_000;

/// Time until the kernel asks an idle peer whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// Connections that the kernel holds for us until they are accepted. One that comes when they are as many is not
/// answered, and asks again only after a second; the standard library's 128 are fewer than one crowd of browsers. The kernel's
/// own bound, `net.core.somaxconn`, holds besides (4096 since Linux 5.4).
const BACKLOG: i32 = 512;

/// Sets on the listener what every accepted socket inherits from it, so that a connection starts
/// without a single call.
pub(crate) fn dress(listener: &TcpListener, limits: &Limits) -> io::Result<()> {
    // On a socket that listens already it sets how many may wait, `listen(2)`.
    rustix::net::listen(listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    sockopt::set_tcp_nodelay(listener, true)?;
    sockopt::set_socket_keepalive(listener, true)?;
    sockopt::set_tcp_keepidle(listener, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(listener, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(listener, 3)?;
    // The kernel counts a peer that reads nothing as one that is gone, so it gets the same time.
    let silence_ms = u32::try_from(limits.write_stall_time.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(listener, silence_ms.saturating_add(PEER_GRACE_MS))?;
    sockopt::set_socket_timeout(listener, sockopt::Timeout::Send, Some(limits.write_stall_time))?;
    sockopt::set_socket_timeout(listener, sockopt::Timeout::Recv, Some(limits.idle_time))?;
    Ok(())
}

/// Whether the other end has said that it is done, or the connection is broken. Never waits.
pub(crate) fn is_left(socket: &TcpStream) -> bool {
    let mut polled = [PollFd::new(socket, PollFlags::RDHUP)];
    let timeout = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut polled, Some(&timeout)).is_ok_and(|count| count > 0)
}

/// The way to the other end: a socket, and perhaps TLS over it.
#[derive(Debug)]
pub(crate) struct Link {
    /// The socket.
    socket: Socket,
    /// What encrypts, once the client has asked for it.
    secure: Option<Box<Secure>>,
}

/// What one call of sending came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Bytes that were taken from the caller. With TLS some of them may wait, see `Link::has_backlog`.
    pub(crate) taken: usize,
    /// Bytes that went into the socket.
    pub(crate) moved: usize,
}

impl Sent {
    /// Without anything in between, what is taken has gone.
    fn straight(count: usize) -> Self {
        Self { taken: count, moved: count }
    }

    /// Whether nothing happened.
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// One socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Shared with the registry, which may shut it down.
    stream: Arc<TcpStream>,
    /// The receive timeout the socket has now; setting it again would be a call for nothing.
    recv_timeout: Duration,
    /// Told whenever we wait for the other end.
    pulse: Arc<Pulse>,
    /// Told of every byte.
    traffic: Arc<Traffic>,
}

/// Bytes that came and went over all connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Those that came.
    pub(crate) received: AtomicU64,
    /// Those that went.
    pub(crate) sent: AtomicU64,
}

/// Counts what one call has moved.
fn counted(total: &AtomicU64, moved: usize) -> usize {
    total.fetch_add(moved as u64, Ordering::Relaxed);
    moved
}

/// Since when a connection waits for its other end, for whoever looks for the one that pauses longest.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// The moment from which is counted.
    started: Instant,
    /// Microseconds from there, plus one; 0 while nothing is waited for.
    since: AtomicU64,
}

impl Pulse {
    /// Nothing is waited for yet.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), since: AtomicU64::new(0) }
    }

    /// How long the other end has paused.
    pub(crate) fn pause(&self) -> Duration {
        let since = self.since.load(Ordering::Relaxed);
        let since = since.checked_sub(1).map(Duration::from_micros);
        since.map_or(Duration::ZERO, |since| self.started.elapsed().saturating_sub(since))
    }

    /// Waits for the other end by `call`.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let now = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX - 1);
        self.since.store(now + 1, Ordering::Relaxed);
        let outcome = call();
        self.since.store(0, Ordering::Relaxed);
        outcome
    }
}

impl Link {
    /// Wraps a socket accepted from a dressed listener.
    pub(crate) fn new(
        socket: Arc<TcpStream>,
        pulse: Arc<Pulse>,
        limits: &Limits,
        traffic: Arc<Traffic>,
    ) -> Self {
        let socket = Socket { stream: socket, recv_timeout: limits.idle_time, pulse, traffic };
        Self { socket, secure: None }
    }

    /// The socket, for whoever wants to know whether the other end is still there.
    pub(crate) fn watched(&self) -> Weak<TcpStream> {
        Arc::downgrade(&self.socket.stream)
    }

    /// Whether the bytes are encrypted.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure.is_some()
    }

    /// Shakes hands; `hello` are the bytes that came already. Waits for the other end, in all at most `time`.
    ///
    /// Errors: the other end does not speak TLS as we do, or not in time. It was told why, if it could be.
    pub(crate) fn secure(
        &mut self,
        config: Arc<ServerConfig>,
        hello: &[u8],
        time: Duration,
    ) -> io::Result<()> {
        self.secure = Some(Secure::accept(&mut self.socket, config, hello, time)?);
        Ok(())
    }

    /// Gives back memory that a connection at rest has no need of.
    pub(crate) fn rest(&mut self) {
        if let Some(secure) = &mut self.secure {
            secure.rest();
        }
    }

    /// Reads once, waiting at most `wait`. 0 is the end. Errors: `TimedOut`, and what happened to
    /// the connection.
    pub(crate) fn recv(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        match &mut self.secure {
            None => self.socket.recv(into, wait),
            Some(secure) => secure.recv(&mut self.socket, into, wait),
        }
    }

    /// Whether something was taken that has not gone yet.
    pub(crate) fn has_backlog(&self) -> bool {
        self.secure.as_ref().is_some_and(|secure| secure.has_backlog())
    }

    /// Sends once, waiting at most the socket's send timeout. `more` says that more follows at
    /// once. Errors: `TimedOut` when not one byte went.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>], more: bool) -> io::Result<Sent> {
        match &mut self.secure {
            None => self.socket.send(slices, more).map(Sent::straight),
            Some(secure) => secure.send(&mut self.socket, slices, more),
        }
    }

    /// Sends what goes without waiting; how many bytes were taken.
    pub(crate) fn send_now(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.secure {
            None => self.socket.send_now(slices),
            Some(secure) => secure.send_now(&mut self.socket, slices),
        }
    }

    /// Sends up to `length` bytes of `file` from `offset`. Nothing is the file's end. Errors: `TimedOut` when not one
    /// byte went.
    pub(crate) fn send_file(&mut self, file: &File, offset: u64, length: u64) -> io::Result<Sent> {
        match &mut self.secure {
            None => self.socket.send_file(file, offset, length).map(Sent::straight),
            Some(secure) => secure.send_file(&mut self.socket, file, offset, length),
        }
    }

    /// Says within TLS that nothing more comes from us, as far as that goes without waiting.
    pub(crate) fn say_the_end(&mut self) {
        if let Some(secure) = &mut self.secure {
            secure.say_the_end(&mut self.socket);
        }
    }

    /// Makes the close a reset, for an answer that would look whole if it ended quietly.
    pub(crate) fn reset(&mut self) {
        let _unsettable = sockopt::set_socket_linger(&self.socket.stream, Some(Duration::ZERO));
    }

    /// Lets the client read what we sent last: says the end, then throws away what still comes,
    /// within the limits, until the client has closed. It is read into `scratch`: an array here would
    /// be part of every connection's stack for as long as that lives.
    pub(crate) fn linger(&mut self, scratch: &mut [u8], limits: &Limits) {
        self.say_the_end();
        self.socket.linger(scratch, limits);
    }
}

impl Socket {
    /// Reads once, waiting at most `wait`. 0 is the end. Errors: `TimedOut`, and what happened to
    /// the connection.
    pub(crate) fn recv(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        if wait.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if wait != self.recv_timeout {
            // The kernel counts in milliseconds or coarser, and reads zero as "for ever".
            let wait_in_kernel = wait.max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(wait_in_kernel))?;
            self.recv_timeout = wait;
        }
        loop {
            match self.pulse.during(|| (&*self.stream).read(into)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                result => return result.map(|moved| counted(&self.traffic.received, moved)),
            }
        }
    }

    /// Sends once, waiting at most the socket's send timeout. `more` says that more follows at
    /// once. Errors: `TimedOut` when not one byte went.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let flags = if more { SendFlags::MORE } else { SendFlags::empty() };
        self.pulse.during(|| self.sendmsg(slices, flags)).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            _ => error,
        })
    }

    /// Sends what goes without waiting; 0 when nothing does.
    pub(crate) fn send_now(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.sendmsg(slices, SendFlags::DONTWAIT) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    /// `sendmsg(2)`, never raising a signal.
    fn sendmsg(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> io::Result<usize> {
        let flags = flags | SendFlags::NOSIGNAL;
        loop {
            let result = match slices {
                [one] => rustix::net::send(&self.stream, one, flags),
                many => rustix::net::sendmsg(
                    &self.stream,
                    many,
                    &mut SendAncillaryBuffer::default(),
                    flags,
                ),
            };
            match result {
                Err(rustix::io::Errno::INTR) => {}
                result => return Ok(counted(&self.traffic.sent, result?)),
            }
        }
    }

    /// Sends up to `length` bytes of `file` from `offset`, without them passing through us.
    /// 0 is the file's end. Errors: `TimedOut` when not one byte went.
    fn send_file(&mut self, file: &File, mut offset: u64, length: u64) -> io::Result<usize> {
        let count = usize::try_from(length.min(SENDFILE_BYTES_MAX)).unwrap_or(usize::MAX);
        loop {
            let send = || rustix::fs::sendfile(&self.stream, file, Some(&mut offset), count);
            match self.pulse.during(send) {
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
                result => return Ok(counted(&self.traffic.sent, result?)),
            }
        }
    }

    /// Says that nothing more comes from us.
    fn shut_write(&mut self) {
        // The peer may be gone; then there is nobody to tell.
        let _gone = self.stream.shutdown(Shutdown::Write);
    }

    /// See `Link::linger`. With TLS what still comes is thrown away as it is.
    fn linger(&mut self, scratch: &mut [u8], limits: &Limits) {
        self.shut_write();
        let until = Instant::now() + limits.linger_time;
        let mut discarded: u64 = 0;
        while discarded < limits.linger_bytes_max {
            let wait = until.saturating_duration_since(Instant::now()).min(limits.linger_idle_time);
            match self.recv(scratch, wait) {
                Ok(0) | Err(_) => return,
                Ok(count) => discarded += count as u64,
            }
        }
        // It sends and sends. Its window fills, its sending stalls, its reading does not.
        let wait = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(wait).unwrap_or_default();
        let _over =
            rustix::event::poll(&mut [PollFd::new(&self.stream, PollFlags::RDHUP)], Some(&timeout));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_let_in_while_nobody_accepts() {
        let bound = std::fs::read_to_string("/proc/sys/net/core/somaxconn").expect("Linux");
        let bound: usize = bound.trim().parse().expect("a number");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        dress(&listener, &Limits::default()).expect("dressed");
        let address = listener.local_addr().expect("bound");
        // Who is not let in at once is not before somebody accepts, which nobody does.
        let come = |_| TcpStream::connect_timeout(&address, Duration::from_secs(20));
        let crowd: io::Result<Vec<_>> = (0..bound.min(500)).map(come).collect();
        assert!(crowd.is_ok(), "{:?}", crowd.err());
    }
}
