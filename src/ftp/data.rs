//! Data connections: only to and from the address of the control connection, never to a port under
//! 1024 (RFC 2577, 3 and 5), each step within its time and with an ear for `ABOR`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::auth::key;
use crate::ftp::channel::{Channel, wait};
use crate::ftp::reply::Reply;
use crate::ftp::session::Session;
use crate::{limits, metrics};

/// Ports below this belong to services of the system (RFC 2577, 5).
const PORT_MIN: u16 = 1024;

/// How the next data connection will be made.
pub enum Ready {
    /// We wait for the client here.
    Passive(TcpListener),
    /// The client waits for us there.
    Active(SocketAddr),
}

/// Why a transfer did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The client said `ABOR`.
    Aborted,
    /// Nothing moved for too long.
    Stalled,
    /// The data connection broke.
    Gone,
    /// The control connection is gone as well.
    ClientGone,
    /// We are closing the session.
    Stopping,
    /// They may no longer do all that they might when they signed in.
    NotAllowed,
}

/// A listener for one passive data connection, at a port that nobody can guess.
///
/// Errors: no port is free.
pub fn listen(local: SocketAddr, ports: &RangeInclusive<u16>) -> io::Result<TcpListener> {
    let count = u32::from(ports.end() - ports.start()) + 1;
    let random = u32::from_le_bytes(key::random_bytes::<4>().map_err(io::Error::other)?);
    for step in 0..count {
        let offset = (random % count + step) % count;
        let port = u16::try_from(u32::from(*ports.start()) + offset).unwrap_or(*ports.end());
        let mut address = local;
        address.set_port(port);
        match TcpListener::bind(address) {
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {}
            Err(cause) => return Err(cause),
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// The address in `h1,h2,h3,h4,p1,p2` (RFC 959, 4.1.2).
pub fn parse_port(text: &str) -> Option<SocketAddr> {
    let numbers: Vec<u8> =
        text.trim().split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let [h1, h2, h3, h4, p1, p2] = numbers[..] else { return None };
    let port = u16::from_be_bytes([p1, p2]);
    Some(SocketAddrV4::new(Ipv4Addr::new(h1, h2, h3, h4), port).into())
}

/// The address in `|1|132.235.1.2|6275|` (RFC 2428, 2); any printable character may be the delimiter.
///
/// Errors: 501, 522 for a protocol that there is none of.
pub fn parse_eprt(text: &str) -> Result<SocketAddr, Reply> {
    let wrong = || Reply::new(501, "EPRT takes |protocol|address|port|");
    let text = text.trim();
    let delimiter = text.chars().next().filter(char::is_ascii_graphic).ok_or_else(wrong)?;
    let parts: Vec<&str> = text.split(delimiter).collect();
    let ["", protocol, address, port, ""] = parts[..] else { return Err(wrong()) };
    let address: IpAddr = match protocol {
        "1" => IpAddr::V4(address.parse().map_err(|_| wrong())?),
        "2" => IpAddr::V6(address.parse().map_err(|_| wrong())?),
        _ => return Err(Reply::new(522, "Network protocol not supported, use (1,2)")),
    };
    Ok(SocketAddr::new(address, port.parse().map_err(|_| wrong())?))
}

/// Judges where a client wants us to connect to: its own address, and no system's port.
///
/// Errors: 504 (RFC 2577, 3 and 5).
pub fn check_target(target: SocketAddr, peer: SocketAddr) -> Result<SocketAddr, Reply> {
    if target.ip().to_canonical() != peer.ip() {
        return Err(Reply::new(504, "Data connections go to your own address only"));
    }
    if target.port() < PORT_MIN {
        return Err(Reply::new(504, "Data connections go to no port under 1024"));
    }
    // A link-local IPv6 address is nothing without its zone.
    let mut address = peer;
    address.set_port(target.port());
    Ok(address)
}

/// An address without the wrapping of IPv4 in IPv6 (RFC 4291, 2.5.5.2).
pub fn unwrapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// Begins to connect from our address to the client's.
fn begin_to_connect(local: SocketAddr, target: SocketAddr) -> io::Result<TcpStream> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    let mut from = local;
    from.set_port(0);
    rustix::net::bind(&socket, &from)?;
    match rustix::net::connect(&socket, &target) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(socket.into()),
        Err(errno) => Err(errno.into()),
    }
}

impl Session {
    /// Opens the data connection for a transfer, after saying `opening`.
    ///
    /// Errors: 425, 521, or what became of it meanwhile.
    pub fn open_data(&mut self, opening: String) -> Result<Channel, Reply> {
        if self.settings().ftp.needs_tls && !self.is_protected {
            return Err(Reply::new(521, "Data connections need PROT P here"));
        }
        let ready =
            self.ready.take().ok_or(Reply::new(425, "Use PASV, EPSV, PORT or EPRT first"))?;
        self.say(&Reply::new(150, opening))?;
        let opened = match &ready {
            Ready::Passive(listener) => self.accept(listener),
            Ready::Active(target) => self.connect(*target),
        };
        drop(ready);
        let stream = Arc::new(opened.map_err(|why| self.no_connection(why))?);
        let mut channel = Channel::plain(Arc::clone(&stream)).map_err(|_| Broken::Gone)?;
        self.handle.set_data(Some(stream));
        if self.is_protected {
            channel.secure(self.tls_connection()?);
            let shaken =
                self.finish(&mut channel, limits::FTP_HANDSHAKE_TIME, Channel::shake_hands);
            shaken.map_err(|why| self.no_connection(why))?;
        }
        Ok(channel)
    }

    /// What is said when a data connection did not come about.
    fn no_connection(&mut self, why: Broken) -> Reply {
        match why {
            Broken::Stalled | Broken::Gone => Reply::new(425, "Can't open the data connection"),
            other => self.broken(other),
        }
    }

    /// Waits for the client's connection. Everybody else is turned away, and costs nothing but a little
    /// of this time.
    fn accept(&mut self, listener: &TcpListener) -> Result<TcpStream, Broken> {
        let until = Instant::now() + limits::FTP_CONNECT_TIME;
        loop {
            match listener.accept() {
                Ok((stream, from)) if from.ip().to_canonical() == self.peer.ip() => {
                    return Ok(stream);
                }
                Ok(_stranger) => {}
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    let rest = until.saturating_duration_since(Instant::now());
                    self.pause(listener, PollFlags::IN, rest)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Gone),
            }
            if Instant::now() >= until {
                return Err(Broken::Stalled);
            }
        }
    }

    /// Connects to the client.
    fn connect(&mut self, target: SocketAddr) -> Result<TcpStream, Broken> {
        let stream = begin_to_connect(self.local, target).map_err(|_| Broken::Gone)?;
        self.pause(&stream, PollFlags::OUT, limits::FTP_CONNECT_TIME)?;
        match stream.take_error() {
            Ok(None) => Ok(stream),
            _ => Err(Broken::Gone),
        }
    }

    /// Waits until a socket is ready, obeying what the client says meanwhile.
    ///
    /// Errors: `Stalled` when `time` is over.
    fn pause(
        &mut self,
        socket: &impl AsFd,
        flags: PollFlags,
        time: Duration,
    ) -> Result<(), Broken> {
        let until = Instant::now() + time;
        let control = Arc::clone(&self.control.channel.stream);
        loop {
            self.look_for_abort()?;
            let watched = if self.control.has_room() { 2 } else { 1 };
            let mut fds = [PollFd::new(socket, flags), PollFd::new(&*control, PollFlags::IN)];
            let rest = until.saturating_duration_since(Instant::now());
            match wait(&mut fds[..watched], rest.min(limits::FTP_JUDGE_INTERVAL)) {
                Ok(true) if !fds[0].revents().is_empty() => return Ok(()),
                Ok(true) => {}
                Ok(false) if Instant::now() < until => {}
                Ok(false) => return Err(Broken::Stalled),
                Err(_) => return Err(Broken::Gone),
            }
        }
    }

    /// Looks at the control connection without waiting.
    ///
    /// Errors: `Aborted`, `ClientGone`, `Stopping`, `NotAllowed`.
    fn look_for_abort(&mut self) -> Result<(), Broken> {
        if self.handle.is_closed() {
            return Err(Broken::Stopping);
        }
        if !self.may_go_on() {
            return Err(Broken::NotAllowed);
        }
        let is_broken = self.control.fill().is_err();
        if self.control.take_command("ABOR") {
            return Err(Broken::Aborted);
        }
        if self.control.take_command("STAT") {
            let status = Reply::new(213, self.handle.progress());
            self.control.say(&status).map_err(|_| Broken::ClientGone)?;
        }
        // A server that stops closes this side itself, and lets the transfer go on for a while.
        if (is_broken || self.control.is_at_end) && !self.handle.is_stopping() {
            return Err(Broken::ClientGone);
        }
        Ok(())
    }

    /// Whether the client has gone without waiting for our answer: then what it sent is not known to be
    /// all. Its two connections end one within `time` of the other; `since` is when the first did.
    pub fn has_client_gone(&mut self, since: Instant, time: Duration) -> bool {
        let rest = time.saturating_sub(since.elapsed());
        let control = Arc::clone(&self.control.channel.stream);
        if !rest.is_zero() && self.control.has_room() {
            let _either = wait(&mut [PollFd::new(&*control, PollFlags::IN)], rest);
        }
        let is_broken = self.control.fill().is_err();
        let is_gone = is_broken || self.control.is_at_end && !self.handle.is_stopping();
        is_gone && !self.control.has_command("QUIT")
    }

    /// Does something with the channel that may have to wait.
    fn finish(
        &mut self,
        channel: &mut Channel,
        time: Duration,
        mut work: impl FnMut(&mut Channel) -> io::Result<()>,
    ) -> Result<(), Broken> {
        loop {
            match work(channel) {
                Ok(()) => return Ok(()),
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    let flags = channel.interest(channel.is_handshaking());
                    self.pause(&*channel.stream, flags, time)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Gone),
            }
        }
    }

    /// Sends all of `bytes`.
    pub fn send(&mut self, channel: &mut Channel, mut bytes: &[u8]) -> Result<(), Broken> {
        self.look_for_abort()?;
        while !bytes.is_empty() {
            match channel.write(bytes) {
                Ok(0) => return Err(Broken::Gone),
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.handle.count(count);
                    metrics::FTP_SENT.add(count as u64);
                }
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    let flags = channel.interest(false);
                    self.pause(&*channel.stream, flags, limits::FTP_STALL_TIME)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Gone),
            }
        }
        Ok(())
    }

    /// Receives as much as is there, at least a byte; 0 at the end.
    pub fn receive(&mut self, channel: &mut Channel, buffer: &mut [u8]) -> Result<usize, Broken> {
        self.look_for_abort()?;
        let mut filled = 0;
        while filled < buffer.len() {
            match channel.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    self.handle.count(count);
                    metrics::FTP_RECEIVED.add(count as u64);
                }
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                    if filled > 0 {
                        break;
                    }
                    let flags = channel.interest(true);
                    self.pause(&*channel.stream, flags, limits::FTP_STALL_TIME)?;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Gone),
            }
        }
        Ok(filled)
    }

    /// Sends a file from `offset` to its end, by the kernel alone where nothing is to be encrypted.
    ///
    /// Errors: `Ok(Err(..))` when the file can't be read.
    pub fn send_file(
        &mut self,
        channel: &mut Channel,
        file: &impl AsFd,
        offset: u64,
    ) -> Result<io::Result<()>, Broken> {
        let stream = Arc::clone(&channel.stream);
        // The kernel waits for room by itself, which costs less than being told of every bit of it, and
        // comes back after a while to let the client be heard.
        let waits = || {
            stream.set_write_timeout(Some(limits::FTP_LOOK_TIME))?;
            stream.set_nonblocking(false)
        };
        waits().map_err(|_| Broken::Gone)?;
        let sent = self.send_by_kernel(&stream, file, offset);
        stream.set_nonblocking(true).map_err(|_| Broken::Gone)?;
        sent
    }

    /// Sends a file over a socket whose writes wait at most `FTP_LOOK_TIME`.
    fn send_by_kernel(
        &mut self,
        stream: &TcpStream,
        file: &impl AsFd,
        mut offset: u64,
    ) -> Result<io::Result<()>, Broken> {
        let mut moved = Instant::now();
        loop {
            self.look_for_abort()?;
            let sent =
                rustix::fs::sendfile(stream, file, Some(&mut offset), limits::FTP_SENDFILE_BYTES);
            match sent {
                Ok(0) => return Ok(Ok(())),
                Ok(count) => {
                    self.handle.count(count);
                    metrics::FTP_SENT.add(count as u64);
                    moved = Instant::now();
                }
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {
                    if moved.elapsed() >= limits::FTP_STALL_TIME {
                        return Err(Broken::Stalled);
                    }
                }
                Err(errno @ (rustix::io::Errno::IO | rustix::io::Errno::NODEV)) => {
                    return Ok(Err(errno.into()));
                }
                Err(_) => return Err(Broken::Gone),
            }
        }
    }

    /// Ends a data connection after all was sent.
    pub fn end_data(&mut self, mut channel: Channel) -> Result<(), Broken> {
        self.finish(&mut channel, limits::FTP_STALL_TIME, Channel::flush)?;
        channel.say_end();
        let _gone_already = channel.stream.shutdown(std::net::Shutdown::Write);
        Ok(())
    }
}

impl From<Broken> for Reply {
    fn from(broken: Broken) -> Self {
        match broken {
            // The 426 for the transfer goes before it (RFC 959, 4.1.3).
            Broken::Aborted => Self::new(226, "Aborted"),
            Broken::Stalled => Self::new(426, "Nothing came for too long: transfer broken off"),
            Broken::Gone => Self::new(426, "Data connection closed: transfer broken off"),
            Broken::ClientGone => Self::new(426, "Connection closed").and_close(),
            Broken::Stopping => Self::new(421, "The server is stopping").and_close(),
            Broken::NotAllowed => {
                Self::new(421, "Your rights have changed: transfer broken off").and_close()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn port_takes_six_numbers() {
        assert_eq!(parse_port("127,0,0,1,19,137"), Some(address("127.0.0.1:5001")));
        for bad in ["", "127,0,0,1,19", "127,0,0,1,19,137,1", "127,0,0,1,256,1", "a,0,0,1,1,1"] {
            assert_eq!(parse_port(bad), None, "{bad}");
        }
    }

    #[test]
    fn eprt_takes_both_protocols() {
        assert_eq!(parse_eprt("|1|132.235.1.2|6275|"), Ok(address("132.235.1.2:6275")));
        assert_eq!(parse_eprt("|2|::1|5282|"), Ok(address("[::1]:5282")));
        assert_eq!(parse_eprt("!1!10.0.0.1!2000!"), Ok(address("10.0.0.1:2000")));
        for (bad, code) in [
            ("", 501),
            ("|3|::1|5282|", 522),
            ("|1|::1|5282|", 501),
            ("|2|127.0.0.1|5282|", 501),
            ("|1|127.0.0.1|66000|", 501),
            ("|1|127.0.0.1|2000", 501),
        ] {
            assert_eq!(parse_eprt(bad).unwrap_err().code, code, "{bad}");
        }
    }

    #[test]
    fn nobody_is_connected_to_but_the_client_and_no_system_port() {
        let peer = address("192.168.1.5:40000");
        for (target, is_good) in [
            ("192.168.1.5:2000", true),
            ("[::ffff:192.168.1.5]:2000", true),
            ("192.168.1.6:2000", false),
            ("127.0.0.1:2000", false),
            ("192.168.1.5:1023", false),
            ("192.168.1.5:0", false),
            ("192.168.1.5:1024", true),
        ] {
            let judged = check_target(address(target), peer);
            assert_eq!(judged.is_ok(), is_good, "{target}");
            assert!(judged.err().is_none_or(|reply| reply.code == 504));
        }
    }

    #[test]
    fn a_passive_port_is_in_its_range_and_taken_once() {
        let one = listen(address("127.0.0.1:0"), &(20_000..=40_000)).unwrap();
        let port = one.local_addr().unwrap().port();
        assert!((20_000..=40_000).contains(&port));
        assert!(listen(address("127.0.0.1:0"), &(port..=port)).is_err());
    }
}
