//! Reads the head of a request: where it ends, what it says, and how long the body is. Pure: bytes
//! in, facts out. Knows no socket.
//!
//! There is one reading of every head or none (RFC 9112, 11.2): what another reader could take
//! differently (bare LF, folded lines, two lengths, two hosts) is refused, not repaired.

use std::ops::Range;

use memchr::memchr;

use crate::common::{HTTPVersion, Method};
use crate::ext::Limits;

/// The most header fields `httparse` is given room for; `Limits::headers_max` stays below it.
pub const HEADERS_CAP: usize = 256;

/// Bytes in a method. The longest registered one has 17.
const METHOD_BYTES_MAX: usize = 32;

/// A head that is not accepted: the status to say so with, and why (for people, not for programs).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub u16, pub &'static str);

/// A part of the head, as offsets from its first byte. Heads are far below 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    from: u32,
    /// Behind the last byte.
    to: u32,
}

impl Span {
    /// Where `part` lies in `whole`; the parser only hands out parts of what it was given.
    fn of(part: &[u8], whole: &[u8]) -> Self {
        let from = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
        Self::new(from, from + part.len())
    }

    /// From two offsets.
    fn new(from: usize, to: usize) -> Self {
        let bound = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { from: bound(from), to: bound(to) }
    }

    /// The span as a range; empty and in front when it were out of bounds.
    pub fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }

    /// The bytes of the span.
    pub fn bytes(self, head: &[u8]) -> &[u8] {
        head.get(self.range()).unwrap_or_default()
    }
}

/// One header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Span,
    /// Its value, without the white space around it.
    pub value: Span,
}

/// What the target of a request is for the application: a path with its query, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// It stands in the head as it is.
    Here(Span),
    /// The absolute form without a path (`http://box?x`), which means `/?x`.
    Rooted(String),
}

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Absent,
    /// This many bytes; 0 when the client said so.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// What a head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The method.
    pub method: Method,
    /// The target.
    pub target: Target,
    /// 1.0 or 1.1.
    pub version: HTTPVersion,
    /// The body's framing.
    pub framing: Framing,
    /// Whether the client lets the connection live on.
    pub keeps_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

impl Facts {
    /// Before any head was read.
    pub fn none() -> Self {
        Self {
            method: Method::Get,
            target: Target::Here(Span::new(0, 0)),
            version: HTTPVersion(1, 1),
            framing: Framing::Absent,
            keeps_alive: false,
            expects_continue: false,
        }
    }
}

/// Looks for the end of a head in bytes that arrive in pieces; no byte is looked at twice.
#[derive(Debug, Default)]
pub struct Scan {
    /// Everything before this was looked at.
    seen: usize,
    /// Where the present line starts.
    line_start: usize,
    /// Lines so far.
    lines: usize,
}

impl Scan {
    /// Looks at what is new in `bytes`, which starts with the head's first byte. `Some` is the
    /// head's length with its empty line.
    ///
    /// Errors: 400 for a line end without CR, 414 and 431 for what is too long; these come as soon
    /// as they are certain, not when the head ends.
    pub fn look(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refused> {
        while let Some(offset) = memchr(b'\n', bytes.get(self.seen..).unwrap_or_default()) {
            let line_feed = self.seen + offset;
            if line_feed == 0 || bytes.get(line_feed - 1) != Some(&b'\r') {
                return Err(Refused(400, "a line ends without CR"));
            }
            if self.lines == 0 {
                Self::request_line_fits(line_feed, limits)?;
            }
            self.seen = line_feed + 1;
            if line_feed + 1 > limits.head_bytes_max {
                return Err(Refused(431, "the head is too long"));
            }
            if line_feed == self.line_start + 1 {
                return Ok(Some(self.seen));
            }
            self.lines += 1;
            if self.lines > limits.headers_max.min(HEADERS_CAP) + 1 {
                return Err(Refused(431, "too many header fields"));
            }
            self.line_start = self.seen;
        }
        self.seen = bytes.len();
        if self.lines == 0 {
            Self::request_line_fits(bytes.len(), limits)?;
        }
        if bytes.len() > limits.head_bytes_max {
            return Err(Refused(431, "the head is too long"));
        }
        Ok(None)
    }

    /// Whether a request line of so many bytes can hold a target within its limit.
    fn request_line_fits(bytes: usize, limits: &Limits) -> Result<(), Refused> {
        // Method, two spaces, `HTTP/1.1` and CR stand around the target.
        if bytes > limits.target_bytes_max.saturating_add(METHOD_BYTES_MAX + 11) {
            return Err(Refused(414, "the request line is too long"));
        }
        Ok(())
    }
}

/// Reads a whole head, as `Scan` found it; `fields` is emptied and filled.
///
/// Errors: 400, 414, 417, 431, 501 and 505, see `Refused`.
pub fn parse(head: &[u8], fields: &mut Vec<Field>, limits: &Limits) -> Result<Facts, Refused> {
    fields.clear();
    let line_end = memchr(b'\r', head).ok_or(Refused(400, "no line end"))?;
    if head.get(line_end + 1) != Some(&b'\n') {
        return Err(Refused(400, "a CR without LF"));
    }
    let (line, rest) = (&head[..line_end], &head[line_end + 2..]);
    let (method, target, version) = request_line(line, limits)?;
    read_fields(head, rest, fields, limits)?;

    let said = Said::collect(head, fields, version)?;
    let (target, authority) = resolve_target(head, target, &method)?;
    said.check_host(version, authority)?;
    Ok(Facts {
        framing: said.framing(),
        keeps_alive: said.keeps_alive(version),
        expects_continue: said.expects_continue(version)?,
        method,
        target,
        version,
    })
}

/// Splits the request line: three parts, one space between them (RFC 9112, 3).
fn request_line<'a>(
    line: &'a [u8],
    limits: &Limits,
) -> Result<(Method, &'a [u8], HTTPVersion), Refused> {
    let bad = Refused(400, "a malformed request line");
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad);
    };
    let version = match version {
        b"HTTP/1.1" => HTTPVersion(1, 1),
        b"HTTP/1.0" => HTTPVersion(1, 0),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return Err(Refused(505, "only HTTP/1.0 and HTTP/1.1 are spoken here"));
        }
        _ => return Err(bad),
    };
    if method.len() > METHOD_BYTES_MAX {
        return Err(Refused(400, "the method is too long"));
    }
    let method = std::str::from_utf8(method).ok().and_then(Method::from_token).ok_or(bad)?;
    if target.len() > limits.target_bytes_max {
        return Err(Refused(414, "the target is too long"));
    }
    // A fragment never travels, and everything but visible ASCII has to be percent-encoded.
    if target.is_empty() || !target.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(Refused(400, "a bad byte in the target"));
    }
    Ok((method, target, version))
}

/// Reads the header fields behind the request line. Its room of 8 KiB lies on the stack only while this runs: as a part of
/// its caller it would lie under all that the request does from here on, in each connection's thread.
#[inline(never)]
fn read_fields(
    head: &[u8],
    rest: &[u8],
    fields: &mut Vec<Field>,
    limits: &Limits,
) -> Result<(), Refused> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_CAP];
    let room = &mut room[..limits.headers_max.min(HEADERS_CAP)];
    let found = match httparse::parse_headers(rest, room) {
        Ok(httparse::Status::Complete((used, found))) if used == rest.len() => found,
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refused(431, "too many header fields"));
        }
        _ => return Err(Refused(400, "a malformed header field")),
    };
    for header in found {
        // httparse is lenient in places; these two are what the rest relies on.
        if !crate::common::is_token(header.name.as_bytes())
            || !crate::common::is_field_value(header.value)
        {
            return Err(Refused(400, "a bad byte in a header field"));
        }
        fields.push(Field {
            name: Span::of(header.name.as_bytes(), head),
            value: Span::of(header.value, head),
        });
    }
    Ok(())
}

/// Turns the target into what the application is told, and says which authority it named, if any.
fn resolve_target<'a>(
    head: &'a [u8],
    target: &'a [u8],
    method: &Method,
) -> Result<(Target, Option<&'a [u8]>), Refused> {
    let here = |part: &[u8]| Target::Here(Span::of(part, head));
    if *method == Method::Connect {
        return Err(Refused(501, "this is no proxy"));
    }
    if target.starts_with(b"/") {
        return Ok((here(target), None));
    }
    if target == b"*" && *method == Method::Options {
        return Ok((here(target), None));
    }
    let bad = Refused(400, "the target is no path");
    let after = strip_scheme(target).ok_or(bad)?;
    let split = after.iter().position(|byte| b"/?".contains(byte)).unwrap_or(after.len());
    let (authority, path) = after.split_at(split);
    if authority.is_empty() {
        return Err(bad);
    }
    let target = if path.starts_with(b"/") {
        here(path)
    } else {
        let mut rooted = String::from("/");
        rooted.extend(path.iter().map(|&byte| char::from(byte)));
        Target::Rooted(rooted)
    };
    Ok((target, Some(authority)))
}

/// What follows `http://` or `https://`.
fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    for scheme in [&b"http://"[..], b"https://"] {
        if let Some((start, rest)) = target.split_at_checked(scheme.len())
            && start.eq_ignore_ascii_case(scheme)
        {
            return Some(rest);
        }
    }
    None
}

/// The fields that the floor itself understands.
#[derive(Default)]
struct Said<'a> {
    /// `Host`.
    host: Option<&'a [u8]>,
    /// `Content-Length`.
    length: Option<u64>,
    /// Whether there is a `Transfer-Encoding`.
    is_chunked: bool,
    /// `close` in any `Connection` field.
    says_close: bool,
    /// `keep-alive` in any `Connection` field.
    says_keep_alive: bool,
    /// `Expect`.
    expect: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    /// Goes through the fields once.
    #[expect(clippy::collapsible_match, reason = "a guard that stores something would hide it")]
    fn collect(head: &'a [u8], fields: &[Field], version: HTTPVersion) -> Result<Self, Refused> {
        let mut said = Self::default();
        let mut coding: Option<&[u8]> = None;
        let mut codings = 0_u32;
        for field in fields {
            let (name, value) = (field.name.bytes(head), field.value.bytes(head));
            // The length of the name decides first, since most fields are none of these.
            match name.len() {
                4 if name.eq_ignore_ascii_case(b"host") => {
                    if said.host.replace(value).is_some() {
                        return Err(Refused(400, "more than one Host"));
                    }
                }
                6 if name.eq_ignore_ascii_case(b"expect") => said.expect = Some(value),
                10 if name.eq_ignore_ascii_case(b"connection") => said.connection(value),
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    if said.length.replace(content_length(value)?).is_some() {
                        return Err(Refused(400, "more than one Content-Length"));
                    }
                }
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    coding = Some(value);
                    codings += 1;
                }
                _ => {}
            }
        }
        if let Some(coding) = coding {
            if said.length.is_some() {
                return Err(Refused(400, "Transfer-Encoding beside Content-Length"));
            }
            if version == HTTPVersion(1, 0) {
                return Err(Refused(400, "Transfer-Encoding in HTTP/1.0"));
            }
            if codings > 1 || !coding.eq_ignore_ascii_case(b"chunked") {
                return Err(Refused(501, "no transfer coding but chunked is spoken here"));
            }
            said.is_chunked = true;
        }
        Ok(said)
    }

    /// Reads the options of one `Connection` field; the others may say more.
    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            self.says_close |= option.eq_ignore_ascii_case(b"close");
            self.says_keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// RFC 9112, 3.2: one `Host` in HTTP/1.1, of the form host[:port].
    fn check_host(&self, version: HTTPVersion, authority: Option<&[u8]>) -> Result<(), Refused> {
        let Some(host) = self.host else {
            return if version == HTTPVersion(1, 0) {
                Ok(())
            } else {
                Err(Refused(400, "no Host"))
            };
        };
        let is_host = |byte: &u8| byte.is_ascii_graphic() && !b"/\\@?#\"<>,{}|^`".contains(byte);
        if !host.iter().all(is_host) {
            return Err(Refused(400, "a malformed Host"));
        }
        // RFC 9112, 3.2.2 lets the target win. Here a contradiction is refused: nobody honest
        // sends one, and whoever checks Host must be able to rely on it.
        if authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
            return Err(Refused(400, "the target names another host than Host"));
        }
        Ok(())
    }

    /// How the body is framed (RFC 9112, 6.3).
    fn framing(&self) -> Framing {
        match self.length {
            Some(length) => Framing::Length(length),
            None if self.is_chunked => Framing::Chunked,
            None => Framing::Absent,
        }
    }

    /// RFC 9112, 9.3: `close` wins; without a word 1.1 stays and 1.0 goes.
    fn keeps_alive(&self, version: HTTPVersion) -> bool {
        !self.says_close && (version == HTTPVersion(1, 1) || self.says_keep_alive)
    }

    /// RFC 9110, 10.1.1: ignored in HTTP/1.0, and nothing but `100-continue` is known.
    fn expects_continue(&self, version: HTTPVersion) -> Result<bool, Refused> {
        match self.expect {
            Some(_) if version == HTTPVersion(1, 0) => Ok(false),
            Some(expect) if expect.eq_ignore_ascii_case(b"100-continue") => Ok(true),
            Some(_) => Err(Refused(417, "this expectation is unknown")),
            None => Ok(false),
        }
    }
}

/// Reads a `Content-Length`: digits only, and what fits into 64 bits.
fn content_length(value: &[u8]) -> Result<u64, Refused> {
    let bad = Refused(400, "a malformed Content-Length");
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(bad);
    }
    std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or(bad)
}
