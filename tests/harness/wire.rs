//! A bare connection: says exactly what a test wants said, hears exactly what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::answer::Answer;
use super::wait::PATIENCE;

/// One TCP connection to a larder.
pub struct Wire {
    /// The connection.
    stream: TcpStream,
    /// What has come and was not looked at yet.
    unread: Vec<u8>,
}

impl Wire {
    /// Connects from 127.0.0.1.
    pub fn open(port: u16) -> Self {
        Self::over(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap())
    }

    /// Connects from 127.0.0.1, if anybody listens.
    pub fn try_open(port: u16) -> Option<Self> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(Self::over)
    }

    /// Connects from another loopback address, which counts as another client.
    pub fn open_from(source: Ipv4Addr, port: u16) -> Self {
        // Or a server that another test is just starting would hold it open.
        let flags = SocketFlags::CLOEXEC;
        let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
        let socket = rustix::net::socket_with(family, kind, flags, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrV4::new(source, 0)).unwrap();
        rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).unwrap();
        Self::over(TcpStream::from(socket))
    }

    /// Wraps a connection.
    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Answers to it come from what has the lowest priority on the machine, which may have a lot to do.
    pub fn with_patience(self) -> Self {
        self.stream.set_read_timeout(Some(PATIENCE * 9)).unwrap();
        self
    }

    /// Sends bytes that must arrive.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends bytes; whether they could be.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends bytes as a good client does: until all are sent or an answer begins to come.
    pub fn send_until_answered(&mut self, mut bytes: &[u8]) {
        self.stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        while !bytes.is_empty() && !self.has_more() {
            let piece = &bytes[..bytes.len().min(256 * 1024)];
            match self.stream.write(piece) {
                Ok(count) => bytes = &bytes[count..],
                Err(cause)
                    if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    }

    /// Whether there is something to read, or the end.
    fn has_more(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !peeked.is_err_and(|cause| cause.kind() == ErrorKind::WouldBlock)
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&self) {
        let _already_gone = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads one answer to anything but `HEAD`.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer(false).expect("an answer, not the end of the connection")
    }

    /// Reads one answer to `HEAD`, or to what has only a head.
    #[track_caller]
    pub fn head_answer(&mut self) -> Answer {
        self.try_answer(true).expect("an answer, not the end of the connection")
    }

    /// The status of the next answer, which is left to be read.
    #[track_caller]
    pub fn status(&mut self) -> u16 {
        while self.unread.len() < 12 {
            assert!(self.more() > 0, "an answer, not the end of the connection");
        }
        String::from_utf8_lossy(&self.unread[9..12]).parse().expect("a status")
    }

    /// The same if it has begun to come.
    pub fn status_at_once(&mut self) -> Option<u16> {
        (self.unread.len() >= 12 || self.has_more()).then(|| self.status())
    }

    /// Reads one answer; `None` when the connection ends first.
    pub fn try_answer(&mut self, head_only: bool) -> Option<Answer> {
        let end = loop {
            if let Some(at) = find(&self.unread, b"\r\n\r\n") {
                break at;
            }
            if self.more() == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("a head in UTF-8");
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("HTTP/1.1 "), "{first:?}");
        let status = first[9..12].parse().expect("a status");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let asked = "(raw)".to_owned();
        let mut answer = Answer { asked, status, headers, body: Vec::new() };
        let has_body = !head_only && status >= 200 && status != 204 && status != 304;
        if has_body {
            answer.body = self.body(&answer)?;
        }
        Some(answer)
    }

    /// Reads a body as the head says (RFC 9112, 6.3).
    fn body(&mut self, answer: &Answer) -> Option<Vec<u8>> {
        if answer.header("Transfer-Encoding").is_some() {
            return self.chunks();
        }
        if let Some(length) = answer.header("Content-Length") {
            return self.take(length.parse().expect("a length"));
        }
        while self.more() > 0 {}
        Some(std::mem::take(&mut self.unread))
    }

    /// Reads a chunked body.
    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
            body.extend(self.take(size)?);
            assert_eq!(self.take(2)?, b"\r\n");
            if size == 0 {
                return Some(body);
            }
        }
    }

    /// Reads one line, without its end.
    pub fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.unread, b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if self.more() == 0 {
                return None;
            }
        }
    }

    /// Passes over the rest of a head.
    #[track_caller]
    pub fn skip_head(&mut self) {
        while !self.line().expect("a head").is_empty() {}
    }

    /// Reads so many bytes; `None` when fewer come.
    pub fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if self.more() == 0 {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    /// Reads what there is; 0 at the end, however it came.
    fn more(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                count
            }
            // With a time limit on the socket the kernel does not go on by itself after a signal.
            Err(cause) if cause.kind() == ErrorKind::Interrupted => self.more(),
            Err(cause) => {
                let is_end = matches!(
                    cause.kind(),
                    ErrorKind::ConnectionReset
                        | ErrorKind::BrokenPipe
                        | ErrorKind::ConnectionAborted
                );
                assert!(is_end, "reading: {cause}");
                0
            }
        }
    }

    /// Reads to the end and forgets it; how many bytes there were.
    pub fn pass_over(&mut self) -> u64 {
        let mut passed = 0;
        loop {
            passed += self.unread.len() as u64;
            self.unread.clear();
            if self.more() == 0 {
                return passed;
            }
        }
    }

    /// Whether the other side ends the connection without another byte.
    pub fn is_ended(&mut self) -> bool {
        self.unread.is_empty() && self.more() == 0
    }
}

/// Where `wanted` begins in `bytes`.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
