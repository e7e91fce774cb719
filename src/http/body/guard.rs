//! What stands between a connection and the parser of a body: it passes over a byte order mark, counts,
//! and stops what no parser should be given.

use std::cell::Cell;
use std::io::{self, Read};

use crate::limits;

/// What some programs begin a text with: the byte order mark (RFC 8259, 8.1 lets us ignore it).
pub const MARK: &[u8; 3] = b"\xef\xbb\xbf";

/// A reader that passes over a byte order mark at the beginning.
pub struct Unmarked<R> {
    /// The rest.
    inner: R,
    /// The first bytes.
    head: [u8; MARK.len()],
    /// Those of them that are still to be read; `None` before the first read.
    kept: Option<std::ops::Range<usize>>,
}

impl<R: Read> Unmarked<R> {
    /// Reads nothing yet.
    pub const fn new(inner: R) -> Self {
        Self { inner, head: [0; MARK.len()], kept: None }
    }

    /// Reads the first bytes; those that are no mark are kept.
    fn begin(&mut self) -> io::Result<std::ops::Range<usize>> {
        let mut count = 0;
        while count < MARK.len() {
            match self.inner.read(&mut self.head[count..])? {
                0 => break,
                more => count += more,
            }
        }
        Ok(if self.head == *MARK { 0..0 } else { 0..count })
    }
}

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.begin()?,
        };
        if kept.is_empty() {
            self.kept = Some(kept);
            return self.inner.read(buffer);
        }
        let count = kept.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.head[kept.start..kept.start + count]);
        self.kept = Some(kept.start + count..kept.end);
        Ok(count)
    }
}

/// What the guard saw go wrong.
#[derive(Clone, Copy)]
pub enum Failure {
    /// The body has no byte.
    Empty,
    /// A key or a number that nobody writes.
    NotJson,
    /// More than `JSON_BODY_BYTES_MAX`.
    TooLarge,
    /// The client broke off.
    Gone,
}

/// Stands between the connection and the parser: counts bytes, tells a broken connection from bad
/// JSON, and refuses keys so long that the parser would fill the memory with them.
pub struct Guard<'a, R> {
    /// The body.
    inner: Unmarked<R>,
    /// How much has come.
    bytes: u64,
    /// Why we stopped, for whoever asks afterwards.
    failure: &'a Cell<Option<Failure>>,
    /// Where in the text we are.
    lexer: Lexer,
}

impl<'a, R: Read> Guard<'a, R> {
    /// Has read nothing yet.
    pub fn new(inner: R, failure: &'a Cell<Option<Failure>>) -> Self {
        Self { inner: Unmarked::new(inner), bytes: 0, failure, lexer: Lexer::default() }
    }

    /// Stops reading for this reason.
    fn stop(&self, failure: Failure) -> io::Error {
        self.failure.set(Some(failure));
        io::Error::other("stopped by the guard")
    }
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(self.stop(Failure::NotJson));
            }
            Err(_) => return Err(self.stop(Failure::Gone)),
        };
        if count == 0 && self.bytes == 0 {
            return Err(self.stop(Failure::Empty));
        }
        self.bytes += count as u64;
        if self.bytes > limits::JSON_BODY_BYTES_MAX {
            return Err(self.stop(Failure::TooLarge));
        }
        if !self.lexer.accepts(&buffer[..count]) {
            return Err(self.stop(Failure::NotJson));
        }
        Ok(count)
    }
}

/// Follows strings through a JSON text, no more.
#[derive(Default)]
struct Lexer {
    /// Between two quotes.
    in_string: bool,
    /// The last byte was a backslash that escapes the next.
    is_escaped: bool,
    /// The string follows a colon, so that it is a value and may be long.
    is_value: bool,
    /// The last byte outside strings that was no white space.
    last: u8,
    /// Bytes of the present string, or of the present run of other bytes.
    run: usize,
}

impl Lexer {
    /// Takes the next bytes; false when a key or a bare word exceeds its bound.
    fn accepts(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            self.run += 1;
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_string = false;
                        self.last = byte;
                        self.run = 0;
                    }
                    _ => {}
                }
            } else if byte == b'"' {
                self.in_string = true;
                self.is_value = self.last == b':';
                self.run = 0;
            } else if byte.is_ascii_whitespace()
                || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
            {
                if !byte.is_ascii_whitespace() {
                    self.last = byte;
                }
                self.run = 0;
            }
            if self.run > limits::JSON_TEXT_BYTES_MAX && !(self.in_string && self.is_value) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_passed_over_once_however_it_comes() {
        /// Gives one byte at a time.
        struct Drop<'a>(&'a [u8]);
        impl Read for Drop<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = 1.min(buffer.len());
                self.0.read(&mut buffer[..count])
            }
        }
        for (text, left) in [
            (&b"\xef\xbb\xbf{}"[..], &b"{}"[..]),
            (b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb\xbf"),
            (b"\xef\xbb", b"\xef\xbb"),
            (b"{", b"{"),
            (b"", b""),
            (b"{\"a\": 1}", b"{\"a\": 1}"),
        ] {
            let mut whole = Vec::new();
            Unmarked::new(text).read_to_end(&mut whole).unwrap();
            assert_eq!(whole, left);
            let mut slow = Vec::new();
            Unmarked::new(Drop(text)).read_to_end(&mut slow).unwrap();
            assert_eq!(slow, left);
        }
    }
}
