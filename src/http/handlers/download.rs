//! `GET /api/download`: a file with conditions and ranges, or a folder or a selection as a ZIP: contract,
//! sections 5 and 11.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tiny_http::ext::{Body, Part};

use crate::auth::key;
use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, other_answer, sentence};
use crate::http::call::Call;
use crate::http::handlers::media;
use crate::http::handlers::transfers::paths_of;
use crate::http::problem;
use crate::http::question::{Ask, Query, Question};
use crate::http::range::{self, Decision, Fields, Piece, Representation};
use crate::http::reply::Reply;
use crate::logbook::Event;
use crate::vault::{Archive, OpenFile, Opened, VaultPath};

/// What may stand unencoded in `filename*` (RFC 8187, 3.2.1, attr-char).
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// What an inline file that is not known to be harmless may do: look like itself, no more. It is
/// also an origin of its own, so that our cookie does not travel with what it asks for.
const SANDBOX: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:";

/// What `download_ticket` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Selection {
    /// The files and folders.
    paths: Vec<String>,
}

impl Question for Selection {}

sentence!(/// Of `download_ticket`.
    TicketMade, "Ticket made");

/// What `download_ticket` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TicketMadeAnswer"))]
pub struct Ticket {
    /// What was done.
    status: TicketMade,
    /// Where the selection is downloaded.
    url: String,
}

/// `POST /api/download_ticket`: remembers what is to be downloaded, so that a selection that is too long
/// for an address has a short one.
///
/// Errors: `Invalid`, `Refused`, `TooSoon`.
pub fn make_ticket(call: &mut Call<'_>, ask: Ask<Selection>) -> Result<Answer<Ticket>> {
    let paths = paths_of(&ask.read(call)?.paths)?;
    let caller = call.caller()?;
    // The download judges anew; here a page that asks for too much learns it while it can still say so.
    if !paths.iter().all(|path| caller.grant().may_read(path)) {
        return Err(Error::Refused);
    }
    let id = call.app.tickets.make(call.user()?.id, caller.holder()?, paths)?;
    Answer::of(&Ticket { status: TicketMade, url: format!("/api/download?ticket={id}") })
}

/// What `download` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wanted {
    /// A ticket of `/api/download_ticket`, in place of paths.
    ticket: Option<String>,
    /// A version of a file, by its id from `/api/versions`, in place of paths.
    version: Option<String>,
    /// A file or folder; several become one ZIP. Needed without a ticket.
    #[serde(default)]
    file_path: Vec<String>,
    /// Whether to show it rather than save it (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    inline: bool,
}

impl Question for Wanted {}

other_answer!(/// What was downloaded.
    Download,
    200: "The file, or a ZIP of the folder or of several." in "*/*",
    206: "The ranges that were asked for." in "*/*",
    304: "The client has it already.");

/// Sends what the paths name: those of the query, or those of a ticket; or a version of a file.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn send(call: &mut Call<'_>, ask: Query<Wanted>) -> Result<Download> {
    let ask = ask.read(call)?;
    if let Some(id) = &ask.version {
        return send_version(call, id, ask.inline).map(Download);
    }
    let paths = match &ask.ticket {
        Some(id) => call.app.tickets.paths_of(id, &call.caller()?.holder()?)?,
        None => named(&ask.file_path)?.into(),
    };
    deliver(call, &paths, ask.inline, &mut || Ok(())).map(Download)
}

/// Sends what a file replaced, as long as the caller may have the file.
///
/// Errors: `Refused`, `NotFound`.
fn send_version(call: &Call<'_>, id: &str, is_inline: bool) -> Result<Reply> {
    let stands = call.standing_in_session()?;
    let (path, file) = call.share()?.open_version(id)?;
    let reply = send_file(call, file, (path.name(), is_inline), &mut || Ok(()))?;
    Ok(reply.while_it(stands))
}

/// Sends a file, or a folder or several things as a ZIP, as long as the caller may have them. `begins` is asked when
/// it is certain that bytes follow.
///
/// Errors: `Invalid`, `Refused`, `NotFound`; those of `begins`.
pub fn deliver(
    call: &Call<'_>,
    paths: &[VaultPath],
    is_inline: bool,
    begins: &mut dyn FnMut() -> Result<()>,
) -> Result<Reply> {
    let stands = call.standing_in_session()?;
    Ok(find(call, paths, is_inline, begins)?.while_it(stands))
}

/// The answer with what the paths name.
///
/// Errors: as `deliver`.
fn find(
    call: &Call<'_>,
    paths: &[VaultPath],
    is_inline: bool,
    begins: &mut dyn FnMut() -> Result<()>,
) -> Result<Reply> {
    let not_there = |error| match error {
        Error::NotFound(_) => Error::NotFound("File or folder does not exist"),
        other => other,
    };
    let [path] = paths else {
        if paths.is_empty() {
            return Err(Error::invalid_as(Why::Missing, "No file path provided"));
        }
        let archive = call.share()?.zip_selection(paths, ROOT_NAME).map_err(not_there)?;
        begins()?;
        return Ok(send_zip(call, archive, ROOT_NAME));
    };
    let share = call.share()?;
    match share.open(path).map_err(not_there)? {
        Opened::File(file) => send_file(call, file, (path.name(), is_inline), begins),
        Opened::Folder => {
            let name = if path.is_root() { ROOT_NAME } else { path.name() };
            let archive = share.zip(path).map_err(not_there)?;
            begins()?;
            Ok(send_zip(call, archive, name))
        }
    }
}

/// The paths of the query.
///
/// Errors: `Invalid`.
fn named(paths: &[String]) -> Result<Vec<VaultPath>> {
    paths.iter().map(|path| VaultPath::parse(path)).collect()
}

/// What the share root and a selection are called.
const ROOT_NAME: &str = "larder";

/// A ZIP that is made while it is sent. What it lacks is known behind it only.
fn send_zip(call: &Call<'_>, archive: Archive, name: &str) -> Reply {
    let name = format!("{name}.zip");
    let note = call.noted_later();
    let asked = name.clone();
    let body = Body::Stream(Box::new(move |out| {
        let missing = archive.write(out).map_err(into_io)?;
        if missing.count() > 0 {
            let (count, first) = (missing.count(), missing.first());
            let event = Event::other(format!("{asked} lacks {count}, the first: {first}"));
            note(event);
        }
        Ok(())
    }));
    Reply::new(200, body)
        .with("Content-Type", "application/zip")
        .with("Content-Disposition", disposition("attachment", &name))
        .with("Cache-Control", "no-store")
}

/// The floor cuts the connection whatever the error; only its own kind tells it how.
fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(cause) => cause,
        other => io::Error::other(other),
    }
}

/// A file, or the part of it that was asked for.
fn send_file(
    call: &Call<'_>,
    file: OpenFile,
    (name, is_inline): (&str, bool),
    begins: &mut dyn FnMut() -> Result<()>,
) -> Result<Reply> {
    let media_type = media::of(name);
    let etag = format!("\"{}\"", file.tag);
    let now = Representation { etag: &etag, modified: file.modified, length: file.size };
    let decision = range::decide(&request_fields(call), &now);
    if matches!(decision, Decision::Whole | Decision::Partial(_)) {
        begins()?;
    }
    let length = file.size;
    let modified = last_modified(file.modified);
    let content_type = media::content_type(&media_type);
    let file = Arc::new(file.file);
    let part = |piece: Piece| Part::File {
        file: Arc::clone(&file),
        offset: piece.first,
        length: piece.length,
    };
    let (mut reply, content_type) = match decision {
        Decision::PreconditionFailed => return Ok(problem_reply(412, "Precondition failed")),
        Decision::Unsatisfiable => {
            let reply = problem_reply(416, "Range not satisfiable");
            return Ok(reply.with("Content-Range", format!("bytes */{length}")));
        }
        Decision::NotModified => (Reply::new(304, Body::Empty), None),
        Decision::Whole => {
            let body = Body::Parts(vec![part(Piece { first: 0, length })]);
            (Reply::new(200, body), Some(content_type))
        }
        Decision::Partial(pieces) => {
            if let [piece] = pieces[..] {
                let reply = Reply::new(206, Body::Parts(vec![part(piece)]));
                (reply.with("Content-Range", content_range(piece, length)), Some(content_type))
            } else {
                let boundary = key::hex(&key::random_bytes::<12>()?);
                let body = byte_ranges(&pieces, &boundary, &content_type, length, part);
                (Reply::new(206, body), Some(format!("multipart/byteranges; boundary={boundary}")))
            }
        }
    };
    if let Some(content_type) = content_type {
        let kind = if is_inline { "inline" } else { "attachment" };
        reply = reply
            .with("Content-Type", content_type)
            .with("Content-Disposition", disposition(kind, name));
        if is_inline && !media::is_passive(&media_type) {
            reply = reply.with("Content-Security-Policy", SANDBOX);
        }
    }
    Ok(reply
        .with("ETag", etag)
        .with("Last-Modified", modified)
        .with("Accept-Ranges", "bytes")
        .with("Cache-Control", "private, no-cache"))
}

/// When something was changed, as an HTTP date (RFC 9110, 5.6.7). What is dated ahead of the clock is told
/// as of now (8.8.2.1), what the form cannot tell as the first or last second that it can.
pub fn last_modified(time: SystemTime) -> String {
    /// The last second of 9999, since 1970.
    const LAST_S: u64 = 253_402_300_799;
    let seconds = time
        .min(SystemTime::now())
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().min(LAST_S));
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The fields that conditions and ranges are in; `HEAD` has no ranges (RFC 9110, 14.2).
fn request_fields<'a>(call: &'a Call<'_>) -> Fields<'a> {
    let request = &*call.request;
    let is_get = request.method().as_str() == "GET";
    Fields {
        if_match: request.header("If-Match"),
        if_none_match: request.header("If-None-Match"),
        if_modified_since: request.header("If-Modified-Since"),
        if_unmodified_since: request.header("If-Unmodified-Since"),
        if_range: request.header("If-Range"),
        range: request.header("Range").filter(|_| is_get),
    }
}

/// A refusal that only RFC 9110 knows.
fn problem_reply(status: u16, sentence: &'static str) -> Reply {
    let refusal = problem::refusal(status, sentence);
    Reply::new(status, Body::Bytes(refusal.body.into_bytes().into()))
        .with("Content-Type", refusal.content_type)
        .with("Cache-Control", "no-store")
}

/// RFC 9110, 14.4.
fn content_range(piece: Piece, length: u64) -> String {
    format!("bytes {}-{}/{length}", piece.first, piece.first + piece.length - 1)
}

/// Several ranges (RFC 9110, 14.6).
fn byte_ranges(
    pieces: &[Piece],
    boundary: &str,
    content_type: &str,
    length: u64,
    part: impl Fn(Piece) -> Part,
) -> Body {
    let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
    for (index, piece) in pieces.iter().enumerate() {
        let line_end = if index == 0 { "" } else { "\r\n" };
        let range = content_range(*piece, length);
        let head = format!(
            "{line_end}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n"
        );
        parts.push(Part::Bytes(head.into_bytes()));
        parts.push(part(*piece));
    }
    parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes()));
    Body::Parts(parts)
}

/// `Content-Disposition` (RFC 6266, 4): a plain name for old clients, the true one beside it.
fn disposition(kind: &str, name: &str) -> Cow<'static, str> {
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            '"' | '\\' | '%' => '_',
            ' '..='~' => letter,
            _ => '_',
        })
        .collect();
    let exact = utf8_percent_encode(name, ATTR_CHAR);
    Cow::Owned(format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_field() {
        assert_eq!(
            disposition("attachment", "a \"b\"\r\nX: ü.txt"),
            "attachment; filename=\"a _b___X: _.txt\"; filename*=UTF-8''a%20%22b%22%0D%0AX%3A%20%C3%BC.txt"
        );
        assert_eq!(
            disposition("inline", "plain-name_1.txt"),
            "inline; filename=\"plain-name_1.txt\"; filename*=UTF-8''plain-name_1.txt"
        );
    }
}
