//! From bytes to lines and from lines to commands: pure, bounded, and deaf to everything of Telnet but
//! its presence (RFC 959, 5.3; RFC 854).

use std::ops::RangeInclusive;

use crate::ftp::reply::Reply;
use crate::limits;

/// Telnet's escape (RFC 854).
const IAC: u8 = 255;
/// Begins a subnegotiation.
const SB: u8 = 250;
/// Ends one.
const SE: u8 = 240;
/// The first of the four that take an option: WILL, WON'T, DO, DON'T.
const WILL: u8 = 251;

/// One command as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// In capitals.
    pub verb: String,
    /// What follows the first space, spaces and all; empty when nothing does.
    pub argument: String,
}

/// Bytes of the control connection that are not yet commands.
#[derive(Debug, Default)]
pub struct Lines {
    /// What has come, up to `FTP_BUFFER_BYTES_MAX`.
    buffer: Vec<u8>,
    /// Bytes thrown away of a line that is too long and has not ended yet.
    skipped: usize,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// A whole line, without its end.
    Line(Vec<u8>),
    /// A line that was too long; it is thrown away.
    TooLong,
    /// Not even a line that is too long ends: nobody speaks FTP there.
    Flood,
}

impl Lines {
    /// How many bytes may be added now.
    pub fn room(&self) -> usize {
        limits::FTP_BUFFER_BYTES_MAX.saturating_sub(self.buffer.len())
    }

    /// Adds what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Forgets everything (RFC 4217, 4.2: what was sent after `AUTH` in the clear must not count).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next line, if it has come whole.
    pub fn take(&mut self) -> Option<Taken> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            if self.buffer.len() > limits::FTP_LINE_BYTES_MAX {
                self.skipped += self.buffer.len();
                self.buffer.clear();
            }
            return (self.skipped > limits::FTP_SKIP_BYTES_MAX).then_some(Taken::Flood);
        };
        let line: Vec<u8> = self.buffer.drain(..=end).take(end).collect();
        let is_too_long = self.skipped > 0 || line.len() > limits::FTP_LINE_BYTES_MAX;
        self.skipped = 0;
        if is_too_long {
            return Some(Taken::TooLong);
        }
        let line = without_telnet(&line);
        Some(Taken::Line(line.strip_suffix(b"\r").map_or(line.clone(), <[u8]>::to_vec)))
    }

    /// Takes a command out from among those that wait, wherever it stands: `ABOR` and `STAT` are for the
    /// transfer that runs, not for the time after it (RFC 959, 4.1.3).
    pub fn take_command(&mut self, verb: &str) -> bool {
        let found = self.find(verb);
        if let Some(place) = found.clone() {
            self.buffer.drain(place);
        }
        found.is_some()
    }

    /// Where a command without an argument waits.
    pub fn find(&self, verb: &str) -> Option<RangeInclusive<usize>> {
        let mut start = 0;
        while let Some(length) = self.buffer[start..].iter().position(|byte| *byte == b'\n') {
            let line = without_telnet(&self.buffer[start..start + length]);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.trim_ascii_end().eq_ignore_ascii_case(verb.as_bytes()) {
                return Some(start..=start + length);
            }
            start += length + 1;
        }
        None
    }
}

/// A line without Telnet commands: `IAC IP`, `IAC DM` and the like are dropped, options are neither
/// taken nor answered, a doubled IAC is the byte itself. CR NUL stands for a CR (RFC 2640, 3.1).
fn without_telnet(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != IAC {
            plain.push(byte);
            if byte == b'\r' {
                bytes.next_if_eq(&0);
            }
            continue;
        }
        match bytes.next() {
            Some(IAC) => plain.push(IAC),
            Some(SB) => {
                while let Some(inner) = bytes.next() {
                    if inner == IAC && bytes.next_if_eq(&SE).is_some() {
                        break;
                    }
                }
            }
            Some(WILL..=254) => {
                bytes.next();
            }
            _ => {}
        }
    }
    plain
}

/// Reads a line as a command.
///
/// Errors: 500 or 501.
pub fn parse(line: &[u8]) -> Result<Command, Reply> {
    if line.contains(&0) {
        return Err(Reply::new(501, "A command can't contain NUL"));
    }
    let text = str::from_utf8(line).map_err(|_| Reply::new(501, "Not UTF-8 (RFC 2640)"))?;
    let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
    let is_verb = (1..=8).contains(&verb.len()) && verb.bytes().all(|b| b.is_ascii_alphabetic());
    if !is_verb {
        return Err(Reply::new(500, "Syntax error: a command begins with its verb"));
    }
    Ok(Command { verb: verb.to_ascii_uppercase(), argument: argument.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(bytes: &[u8]) -> Vec<Taken> {
        let mut lines = Lines::default();
        lines.push(bytes);
        std::iter::from_fn(|| lines.take()).collect()
    }

    fn line(text: &str) -> Taken {
        Taken::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_end_with_crlf_or_lf_and_may_come_together() {
        assert_eq!(lines(b"USER a\r\nNOOP\n\r\nQU"), [line("USER a"), line("NOOP"), line("")]);
    }

    #[test]
    fn telnet_is_dropped_and_names_keep_their_cr() {
        assert_eq!(lines(b"\xff\xf4\xff\xf2ABOR\r\n"), [line("ABOR")]);
        assert_eq!(lines(b"\xff\xfd\x18NO\xff\xfa\x18a\xff\xf0OP\r\n"), [line("NOOP")]);
        assert_eq!(lines(b"DELE a\r\0b\r\n"), [line("DELE a\rb")]);
        assert_eq!(lines(b"X \xff\xff\xff\n"), [Taken::Line(b"X \xff".to_vec())]);
    }

    #[test]
    fn a_long_line_is_thrown_away_and_a_flood_is_told() {
        let mut lines = Lines::default();
        lines.push(&vec![b'a'; limits::FTP_LINE_BYTES_MAX + 1]);
        assert_eq!(lines.take(), None);
        lines.push(b"rest\r\nNOOP\r\n");
        assert_eq!(lines.take(), Some(Taken::TooLong));
        assert_eq!(lines.take(), Some(line("NOOP")));
        let mut taken = None;
        for _ in 0..=limits::FTP_SKIP_BYTES_MAX / limits::FTP_LINE_BYTES_MAX + 1 {
            lines.push(&vec![b'a'; limits::FTP_LINE_BYTES_MAX + 1]);
            taken = lines.take();
            assert!(lines.room() > 0);
        }
        assert_eq!(taken, Some(Taken::Flood));
    }

    #[test]
    fn an_abort_is_found_among_what_waits() {
        let mut lines = Lines::default();
        lines.push(b"NOOP\r\n\xff\xf4\xff\xf2abor\r\nPWD\r\nAB");
        assert!(lines.take_command("ABOR"));
        assert!(!lines.take_command("ABOR"));
        assert_eq!(lines.take(), Some(line("NOOP")));
        assert_eq!(lines.take(), Some(line("PWD")));
    }

    #[test]
    fn a_command_keeps_the_spaces_of_its_argument() {
        let stor = Command { verb: "STOR".to_owned(), argument: " two  spaces ".to_owned() };
        assert_eq!(parse(b"stor  two  spaces "), Ok(stor));
        assert_eq!(parse(b"PWD").unwrap().argument, "");
        for (bad, code) in
            [(&b"A\0B"[..], 501), (b"STOR \xe9", 501), (b"", 500), (b" PWD", 500), (b"GET / x", 0)]
        {
            let code = (code > 0).then_some(code);
            assert_eq!(parse(bad).err().map(|reply| reply.code), code, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_breaks_it(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..40)) {
            let mut lines = Lines::default();
            for chunk in chunks {
                let fits = chunk.len().min(lines.room());
                lines.push(&chunk[..fits]);
                lines.take_command("ABOR");
                while let Some(taken) = lines.take() {
                    match taken {
                        Taken::Line(line) => { let _either = parse(&line); }
                        Taken::TooLong => {}
                        Taken::Flood => break,
                    }
                }
                prop_assert!(lines.room() > 0);
            }
        }
    }
}
