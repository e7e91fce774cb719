//! Somebody who speaks `WebDAV`, with a name and a password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::answer::Answer;
use super::{Larder, Wire, everybody_may_everything, password_of};

/// What asks for an exclusive lock.
pub const LOCK: &[u8] = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
    <D:locktype><D:write/></D:locktype></D:lockinfo>";

/// A larder with ana, who may everything, as whoever else is added.
pub fn house() -> Larder {
    Larder::prepare().roles(&everybody_may_everything()).launch().user("ana")
}

/// A client of `/dav/`; each request has a connection of its own.
pub struct Dav<'a> {
    /// Whom it asks.
    larder: &'a Larder,
    /// Fields of every request.
    fields: Vec<(String, String)>,
    /// The address that it comes from, if that is not everybody's.
    from: Option<u16>,
}

/// The fields of `Authorization` for a name and a password.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{name}:{password}")))
}

impl<'a> Dav<'a> {
    /// Nobody in particular.
    pub fn nobody(larder: &'a Larder) -> Self {
        Self { larder, fields: Vec::new(), from: None }
    }

    /// A user with their key for everything: passwords are judged once a second for an address.
    pub fn of(larder: &'a Larder, name: &str) -> Self {
        Self::nobody(larder).with("X-API-KEY", larder.key(name))
    }

    /// A user with their password.
    pub fn by_password(larder: &'a Larder, name: &str) -> Self {
        Self::nobody(larder).with("Authorization", &basic(name, &password_of(name)))
    }

    /// The same with one more field in every request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same from one of many addresses, each of which has a try of its own in each second.
    pub fn afar(mut self, number: u16) -> Self {
        self.from = Some(number);
        self
    }

    /// Asks, and is still to hear the answer; `target` is encoded.
    #[track_caller]
    pub fn begin(&self, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Wire {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: nas\r\nConnection: close\r\n");
        let own = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let is_chunked =
            more.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
        for (name, value) in own.chain(more.iter().copied()) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !is_chunked && (!body.is_empty() || method == "PUT") {
            head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        let mut wire = match self.from {
            Some(number) => self.larder.wire_from_afar_by(number),
            None => self.larder.wire(),
        };
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        wire.send_until_answered(&bytes);
        wire
    }

    /// Asks; `target` is encoded.
    #[track_caller]
    pub fn ask(&self, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut wire = self.begin(method, target, more, body);
        let mut answer = if method == "HEAD" { wire.head_answer() } else { wire.answer() };
        answer.asked = format!("{method} {target}");
        // Every answer says so, refusals too.
        assert_eq!(answer.header("DAV"), Some("1, 2"), "{answer}");
        assert_eq!(answer.header("MS-Author-Via"), Some("DAV"), "{answer}");
        answer
    }

    /// Asks with nothing more.
    #[track_caller]
    pub fn say(&self, method: &str, target: &str) -> Answer {
        self.ask(method, target, &[], b"")
    }

    /// Stores a file.
    #[track_caller]
    pub fn put(&self, target: &str, content: impl AsRef<[u8]>) -> Answer {
        self.ask("PUT", target, &[], content.as_ref())
    }

    /// Asks for properties.
    #[track_caller]
    pub fn find(&self, target: &str, depth: &str, body: &str) -> Answer {
        self.ask("PROPFIND", target, &[("Depth", depth)], body.as_bytes())
    }

    /// Copies or moves.
    #[track_caller]
    pub fn bring(&self, method: &str, from: &str, to: &str, more: &[(&str, &str)]) -> Answer {
        self.ask(method, from, &[&[("Destination", to)], more].concat(), b"")
    }
}

/// The addresses that an answer of several parts tells, in order.
pub fn addresses(answer: &Answer) -> Vec<String> {
    let parts = answer.text().split("<D:response><D:href>").skip(1);
    parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

/// The value of a property in an answer, as XML.
pub fn value(answer: &Answer, name: &str) -> Option<String> {
    let (_, rest) = answer.text().split_once(&format!("<D:{name}>"))?;
    Some(rest.split_once(&format!("</D:{name}>"))?.0.to_owned())
}
