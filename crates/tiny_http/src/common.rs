//! The small words of HTTP: methods, statuses, versions and header fields, as the published crate
//! names them. Knows no socket.

use std::fmt;
use std::str::FromStr;

/// The method of a request. Methods are case-sensitive tokens (RFC 9110, 9.1), so `get` is a
/// `NonStandard` one and never a `Get`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`; the floor answers it itself, with 501.
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH`
    Patch,
    /// Any other token.
    NonStandard(String),
}

impl Method {
    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::NonStandard(token) => token,
        }
    }

    /// Reads a method; `None` when the bytes are no token.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let method = match token {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            "OPTIONS" => Self::Options,
            "TRACE" => Self::Trace,
            "PATCH" => Self::Patch,
            other if is_token(other.as_bytes()) => Self::NonStandard(other.to_owned()),
            _ => return None,
        };
        Some(method)
    }
}

impl FromStr for Method {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::from_token(text).ok_or(())
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The status of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// The reason phrase of the registry (RFC 9110, 15), `Unknown` for the rest.
    pub fn default_reason_phrase(&self) -> &'static str {
        reason_phrase(self.0)
    }
}

/// Makes `StatusCode` from an integer; what does not fit becomes 500, an honest "our fault".
macro_rules! status_from {
    ($($integer:ty),*) => {$(
        impl From<$integer> for StatusCode {
            fn from(status: $integer) -> Self {
                Self(u16::try_from(status).unwrap_or(500))
            }
        }
    )*};
}
status_from!(i16, i32, u32);

impl From<u16> for StatusCode {
    fn from(status: u16) -> Self {
        Self(status)
    }
}

/// The reason phrase of a status, as the IANA registry has it.
pub(crate) fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Unknown",
    }
}

/// The version of HTTP, major then minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HTTPVersion(pub u8, pub u8);

impl fmt::Display for HTTPVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0, self.1)
    }
}

/// The name of a header field: a token (RFC 9110, 5.1), equal whatever its case.
#[derive(Debug, Clone, Eq)]
pub struct HeaderField(String);

impl HeaderField {
    /// Takes a name. Errors: it is empty or no token.
    #[expect(clippy::result_unit_err, reason = "the signature of the published crate")]
    pub fn from_bytes(name: impl AsRef<[u8]>) -> Result<Self, ()> {
        let name = name.as_ref();
        if !is_token(name) {
            return Err(());
        }
        std::str::from_utf8(name).map(|name| Self(name.to_owned())).map_err(|_| ())
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the field `other`, whatever the case.
    pub fn equiv(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq for HeaderField {
    fn eq(&self, other: &Self) -> bool {
        self.equiv(&other.0)
    }
}

impl FromStr for HeaderField {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::from_bytes(name)
    }
}

impl fmt::Display for HeaderField {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One header field.
///
/// Unlike in the published crate the value is a `String`: a byte above 127 is legal on the wire
/// (`obs-text`, RFC 9110, 5.5). Incoming values that are no UTF-8 are read as Latin-1, so that no
/// byte of a stranger can drop a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub field: HeaderField,
    /// The value, without control bytes.
    pub value: String,
}

impl Header {
    /// Makes a header. Errors: the name is no token, or the value has a control byte (CR and LF
    /// above all, which would split the response) or is no UTF-8.
    #[expect(clippy::result_unit_err, reason = "the signature of the published crate")]
    pub fn from_bytes(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Self, ()> {
        let field = HeaderField::from_bytes(name)?;
        let value = std::str::from_utf8(value.as_ref()).map_err(|_| ())?;
        if !is_field_value(value.as_bytes()) {
            return Err(());
        }
        Ok(Self { field, value: value.to_owned() })
    }
}

impl FromStr for Header {
    type Err = ();

    /// Reads `Name: value`.
    fn from_str(line: &str) -> Result<Self, ()> {
        let (name, value) = line.split_once(':').ok_or(())?;
        Self::from_bytes(name, value.trim_matches([' ', '\t']))
    }
}

impl fmt::Display for Header {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.field, self.value)
    }
}

/// Whether these bytes are a token (RFC 9110, 5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether these bytes may be a field's value: no control byte but the tab (RFC 9110, 5.5).
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_never_enter_a_header() {
        for bad in ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb"] {
            assert!(Header::from_bytes("X-Name", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a:", "a\n", "ä"] {
            assert!(Header::from_bytes(bad, "v").is_err(), "{bad:?}");
        }
        let header = Header::from_bytes("X-Name", "größe\tok").expect("obs-text is legal");
        assert_eq!(header.value, "größe\tok");
        assert!(header.field.equiv("x-NAME"));
    }

    #[test]
    fn a_header_line_is_read() {
        let header: Header = "Content-Type:  text/plain ".parse().expect("a good line");
        assert_eq!(header, Header::from_bytes("content-type", "text/plain").expect("good"));
        assert!("no colon".parse::<Header>().is_err());
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::from_token("GET"), Some(Method::Get));
        assert_eq!(Method::from_token("get"), Some(Method::NonStandard("get".to_owned())));
        assert_eq!(Method::from_token("G T"), None);
        assert_eq!(Method::from_token(""), None);
    }
}
