//! Answers of several parts: 207 (RFC 4918, 13).

use std::io::{self, Write};

use tiny_http::ext::Body;

use crate::dav::xml::{XML, escaped_value};
use crate::dav::{address, refusal};
use crate::http::reply::Reply;

/// What such an answer begins with.
const BEGIN: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n";

/// What it ends with.
const END: &str = "</D:multistatus>\n";

/// The answer with this body.
pub fn reply(body: Body) -> Reply {
    Reply::new(207, body).with("Content-Type", refusal::XML).with("Cache-Control", "no-store")
}

/// The answer with these parts.
pub fn of(parts: &str) -> Reply {
    reply(Body::Bytes(format!("{BEGIN}{parts}{END}").into_bytes().into()))
}

/// What could not be removed: it is where it was.
pub fn of_remains(paths: &[String]) -> Reply {
    let part = |path: &String| {
        let href = address::told_of(path, false);
        format!("<D:response><D:href>{href}</D:href>{}</D:response>\n", status(403))
    };
    of(&paths.iter().map(part).collect::<String>())
}

/// Writes such an answer part by part.
pub fn begin(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(BEGIN.as_bytes())
}

/// Ends it.
pub fn end(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(END.as_bytes())
}

/// A status, as it stands in a part.
pub fn status(status: u16) -> String {
    let phrase = match status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        423 => "Locked",
        424 => "Failed Dependency",
        507 => "Insufficient Storage",
        _ => "Error",
    };
    format!("<D:status>HTTP/1.1 {status} {phrase}</D:status>")
}

/// The beginning of a part about one thing.
pub fn open_part(out: &mut String, href: &str) {
    out.push_str("<D:response><D:href>");
    out.push_str(href);
    out.push_str("</D:href>");
}

/// The end of a part.
pub fn close_part(out: &mut String) {
    out.push_str("</D:response>\n");
}

/// Properties that share a status; with a condition that says why, if there is one.
pub fn propstat(out: &mut String, properties: &str, code: u16, condition: Option<&str>) {
    out.push_str("<D:propstat><D:prop>");
    out.push_str(properties);
    out.push_str("</D:prop>");
    out.push_str(&status(code));
    if let Some(condition) = condition {
        out.push_str("<D:error>");
        out.push_str(&refusal::named(condition, &[]));
        out.push_str("</D:error>");
    }
    out.push_str("</D:propstat>");
}

/// A property with nothing in it.
pub fn empty(out: &mut String, namespace: &str, name: &str) {
    match namespace {
        "DAV:" => out.extend(["<D:", name, "/>"]),
        "" => out.extend(["<", name, "/>"]),
        XML => out.extend(["<xml:", name, "/>"]),
        other => out.extend(["<x:", name, " xmlns:x=\"", &*escaped_value(other), "\"/>"]),
    }
}
