//! The dictionary of this door: from errors to answers, as RFC 4918 has them. What is refused by a condition that it has
//! a name for says so in XML, everything else by its sentence.

use tiny_http::ext::{Body, Refusal};

use crate::dav::xml::escaped;
use crate::dav::{address, door};
use crate::error::{Error, SignInProblem, Why};
use crate::http::problem;
use crate::http::reply::Reply;

/// How somebody is asked for a name and a password (RFC 7617).
const CHALLENGE: &str = "Basic realm=\"larder\", charset=\"UTF-8\"";

/// The media type of a sentence.
const TEXT: &str = "text/plain; charset=utf-8";

/// The media type of XML.
pub const XML: &str = "application/xml; charset=utf-8";

/// The answer to a request that was refused or failed.
pub fn reply(error: &Error) -> Reply {
    if let Error::Locked { root, is_folder, .. } = error {
        let root = address::told_of(root, *is_folder);
        return by_condition(423, "lock-token-submitted", &[root]);
    }
    let reply = said(status(error), problem::sentence(error));
    match error {
        Error::Method { allow } => reply.with("Allow", *allow),
        Error::Collision(_) => reply.with("Allow", door::allow()),
        Error::TooSoon { retry_after_s }
        | Error::DriveBusy { retry_after_s }
        | Error::Busy { retry_after_s } => reply.with("Retry-After", retry_after_s.to_string()),
        Error::SignIn(problem) => {
            let reply = reply.with("WWW-Authenticate", CHALLENGE);
            match problem {
                SignInProblem::CodeRequired => worded(reply, "A key is needed"),
                _ => reply,
            }
        }
        _ => reply,
    }
}

/// The status of an error.
pub fn status(error: &Error) -> u16 {
    match error {
        // What the contract's endpoints say by a word.
        Error::Refused => 403,
        Error::Locked { .. } => 423,
        Error::Invalid(Why::NotAFolder, _) => 409,
        Error::Collision(_) => 405,
        error => problem::status(error),
    }
}

/// How the floor words what it refuses before anybody looks at it.
pub fn of_floor(status: u16, reason: &'static str) -> Refusal {
    let refusal = problem::refusal(status, reason);
    Refusal { content_type: TEXT, body: format!("{reason}\n"), more: door::MARKS, ..refusal }
}

/// A refusal in words.
pub fn said(status: u16, words: &str) -> Reply {
    worded(Reply::new(status, Body::Empty), words)
}

/// The same answer with other words.
pub fn worded(reply: Reply, words: &str) -> Reply {
    let body = Body::Bytes(format!("{words}\n").into_bytes().into());
    let mut reply = reply;
    reply.body = body;
    reply.set("Content-Type", TEXT).set("Cache-Control", "no-store")
}

/// A refusal by one of the conditions of RFC 4918 (16), with the addresses that it tells.
pub fn by_condition(status: u16, condition: &str, addresses: &[String]) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"DAV:\">{}</D:error>\n",
        named(condition, addresses)
    );
    Reply::new(status, Body::Bytes(text.into_bytes().into()))
        .with("Content-Type", XML)
        .with("Cache-Control", "no-store")
}

/// A condition, as it stands in `DAV:error`.
pub fn named(condition: &str, addresses: &[String]) -> String {
    if addresses.is_empty() {
        return format!("<D:{condition}/>");
    }
    let href = |address: &String| format!("<D:href>{}</D:href>", escaped(address));
    let all: String = addresses.iter().map(href).collect();
    format!("<D:{condition}>{all}</D:{condition}>")
}
