//! What is said on the control connection: a code and one or more lines (RFC 959, 4.2), and the only
//! translation of the house's errors into codes.

use std::borrow::Cow;
use std::io::ErrorKind;

use crate::error::{Error, READ_ONLY, SignInProblem, Why};

/// What would end a line, or be taken for its end.
const ENDS: [char; 3] = ['\r', '\n', '\0'];

/// What a command comes to: both sides are said to the client.
pub type Answer = Result<Reply, Reply>;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// RFC 959, 4.2.1 and 4.2.2.
    pub code: u16,
    /// What follows the code: the first line, and the last.
    text: Cow<'static, str>,
    /// Lines between the first and the last, without a code.
    middle: Vec<String>,
    /// What the last line says when there are several.
    end: &'static str,
    /// Whether the session ends with it.
    pub is_last: bool,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), middle: Vec::new(), end: "End", is_last: false }
    }

    /// A reply of several lines.
    pub fn lines(
        code: u16,
        first: impl Into<Cow<'static, str>>,
        middle: Vec<String>,
        end: &'static str,
    ) -> Self {
        Self { code, text: first.into(), middle, end, is_last: false }
    }

    /// Nothing: what was to be said was said already.
    pub fn said() -> Self {
        Self::new(0, "")
    }

    /// Whether nothing is to be said.
    pub fn is_said(&self) -> bool {
        self.code == 0
    }

    /// Ends the session.
    pub fn and_close(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// As it goes over the wire. Whatever a name has in it, a line stays a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let code = self.code;
        if self.middle.is_empty() {
            return format!("{code} {}\r\n", one_line(&self.text)).into_bytes();
        }
        let mut text = format!("{code}-{}\r\n", one_line(&self.text));
        for line in &self.middle {
            // A line in the middle that began with digits could be taken for the last (RFC 959, 4.2).
            if !line.starts_with(' ') {
                text.push(' ');
            }
            text.push_str(&one_line(line));
            text.push_str("\r\n");
        }
        format!("{text}{code} {}\r\n", self.end).into_bytes()
    }
}

/// A text without what would end a line. Everything else in a name is told as it is, or it could not be used
/// (RFC 2640, 3.1).
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(ENDS) { text.replace(ENDS, "?").into() } else { text.into() }
}

impl From<Error> for Reply {
    /// RFC 959, 4.2; causes stay inside.
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(Why::Name, sentence) => Self::new(553, sentence),
            Error::Invalid(_, sentence) => Self::new(550, sentence),
            Error::SignIn(SignInProblem::WrongPassword) => {
                Self::new(530, "Invalid username or password")
            }
            Error::SignIn(_) => Self::new(530, "Please sign in with USER and PASS"),
            Error::Refused | Error::Forbidden => Self::new(550, "Permission denied"),
            Error::FactorNeeded => Self::new(530, "Second factor needed"),
            Error::DeniedByDrive => Self::new(550, "Not permitted on the drive"),
            Error::NotFound(sentence) | Error::Gone(sentence) | Error::Conflict(sentence) => {
                Self::new(550, sentence)
            }
            Error::Method { .. } => Self::new(502, "Not implemented"),
            Error::Collision(sentence) => Self::new(553, sentence),
            Error::Locked { sentence, .. } => Self::new(450, sentence),
            Error::Remains(_) => Self::new(550, "Part of it cannot be deleted"),
            Error::PreconditionFailed => Self::new(550, "It has changed"),
            Error::TooLarge => Self::new(552, "Too large"),
            Error::TooSoon { retry_after_s } => {
                Self::new(530, format!("Too many failed sign-ins: try again in {retry_after_s} s"))
            }
            Error::StorageAbsent => Self::new(450, "Storage is not available"),
            Error::DriveBusy { .. } => Self::new(450, "The drive does not answer"),
            Error::Busy { .. } => Self::new(450, "Too many are waiting"),
            Error::DiskFull => Self::new(452, "Disk full"),
            Error::Cancelled => Self::new(451, "Cancelled"),
            Error::Disconnected => Self::new(426, "The connection was broken off"),
            Error::Failed(sentence) => Self::new(451, sentence),
            Error::Io(cause) if cause.kind() == ErrorKind::ReadOnlyFilesystem => {
                Self::new(451, READ_ONLY)
            }
            Error::UnknownHost
            | Error::HttpsNeeded
            | Error::LimitReached
            | Error::ClockNotSet
            | Error::OtherOffset(_)
            | Error::Unsupported
            | Error::BridgeRefused { .. }
            | Error::BridgeAway { .. }
            | Error::NotSent { .. }
            | Error::Io(_)
            | Error::Store(_)
            | Error::Bug(_) => Self::new(451, "Server error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_line_or_a_marked_block() {
        assert_eq!(Reply::new(200, "Fine").to_bytes(), b"200 Fine\r\n");
        let lines = vec!["211 looks like an end".to_owned(), " UTF8".to_owned()];
        let block = Reply::lines(211, "Features:", lines, "End").to_bytes();
        assert_eq!(block, b"211-Features:\r\n 211 looks like an end\r\n UTF8\r\n211 End\r\n");
    }

    #[test]
    fn a_name_cannot_forge_a_reply() {
        let reply = Reply::new(257, "\"/a\r\n230 Welcome\"");
        assert_eq!(reply.to_bytes(), b"257 \"/a??230 Welcome\"\r\n");
        let reply = Reply::lines(250, "x", vec!["a\n250 End".to_owned()], "End");
        assert_eq!(reply.to_bytes(), b"250-x\r\n a?250 End\r\n250 End\r\n");
        assert_eq!(one_line("a\tb\x1b\x7f\u{85}\0c"), "a\tb\x1b\x7f\u{85}?c");
    }

    #[test]
    fn a_read_only_drive_is_named() {
        let error = Error::Io(ErrorKind::ReadOnlyFilesystem.into());
        assert_eq!(Reply::from(error), Reply::new(451, "The drive is read-only"));
    }

    #[test]
    fn causes_stay_inside() {
        for error in [
            Error::Io(std::io::Error::other("/secret")),
            Error::Store("secret".to_owned()),
            Error::Bug("secret".into()),
        ] {
            assert_eq!(Reply::from(error), Reply::new(451, "Server error"));
        }
    }
}
