//! What is so for all of `WebDAV`: whether it is spoken, over what, and what every answer says.

use std::io::Read as _;

use tiny_http::Request;
use tiny_http::ext::Body;

use crate::dav::methods::ROOT;
use crate::dav::xml::{self, Element};
use crate::dav::{address, refusal};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::http::{cors, gate, query, router};
use crate::limits;
use crate::settings::{DavSettings, Https, Settings};
use crate::vault::VaultPath;

/// What a request is about, as the table has it: the folder itself is meant without its `/` as well, and Windows asks
/// at the very top first. Where `WebDAV` is not spoken, nothing is there.
pub fn path_of<'a>(method: &str, path: &'a str, settings: DavSettings) -> &'a str {
    let is_below = is_ours(path);
    let is_about_us = match (method, path) {
        ("OPTIONS", "/" | "*") | ("PROPFIND", "/") => true,
        _ => path == "/dav",
    };
    match settings.is_on {
        false if is_below => "",
        true if is_about_us => ROOT,
        _ => path,
    }
}

/// Refuses what comes in the clear where it must not, and what a page of another site has a browser do.
///
/// Errors: `HttpsNeeded`, `Forbidden`.
pub fn judge(settings: &Settings, request: &Request) -> Result<()> {
    let method = request.method().as_str();
    let needs_tls = settings.dav.needs_tls || settings.https.mode == Https::Only;
    if needs_tls && method != "OPTIONS" && !gate::is_secure(request, &settings.trusted_proxies) {
        return Err(Error::HttpsNeeded);
    }
    let is_of_another_site =
        request.header("Sec-Fetch-Site").is_some_and(|site| site.trim() == "cross-site");
    if is_of_another_site && !matches!(method, "GET" | "HEAD" | "OPTIONS") {
        return Err(Error::Forbidden);
    }
    Ok(())
}

/// What every answer says, refusals too: without it some clients never ask for a password. The classes are those of
/// RFC 4918 (18) that are whole.
pub const MARKS: &[(&str, &str)] = &[("DAV", "1, 2"), ("MS-Author-Via", "DAV")];

/// The answer that says so.
pub fn mark(reply: Reply) -> Reply {
    MARKS.iter().fold(reply, |reply, (name, value)| reply.with(name, *value))
}

/// Whether something that was asked for is ours, as it stands in the request.
pub fn is_ours(target: &str) -> bool {
    let (target, _) = query::split(target);
    let path = address::path_of_uri(target).unwrap_or(target);
    path == "/dav" || path.starts_with(ROOT)
}

/// `OPTIONS`: the same for every path, and to everybody.
#[expect(clippy::unnecessary_wraps, reason = "as every row of the table answers")]
pub fn options(call: &mut Call<'_>) -> Result<Reply> {
    let allow = allow();
    let settings = call.app.config.settings();
    let reply = Reply::new(200, Body::Empty);
    let asked = cors::preflight(call.request, &settings.cors_origins, allow);
    let fields = asked.into_iter().flat_map(|asked| asked.fields);
    let reply = fields.fold(reply, |reply, (name, value)| reply.with(name, value));
    Ok(reply.with("Allow", allow))
}

/// The methods there are, as `Allow` lists them.
pub fn allow() -> &'static str {
    router::find("OPTIONS", ROOT).allow
}

/// What is said where something is that the method is not for.
pub fn not_here() -> Error {
    Error::Method { allow: allow() }
}

/// Refuses whoever may not write to a place, before anything is told of it.
///
/// Errors: `Refused`.
pub fn must_write(call: &Call<'_>, path: &VaultPath) -> Result<()> {
    if call.caller()?.grant().may_write(path) { Ok(()) } else { Err(Error::Refused) }
}

/// The answer to a Mac that leaves its own things in every folder, where the owner wants none of them.
pub fn refuse_litter(call: &Call<'_>, path: &VaultPath) -> Option<Reply> {
    let is_mac = call.request.header("User-Agent").is_some_and(|agent| agent.contains("Darwin/"));
    let is_refused =
        is_mac && call.app.config.settings().dav.refuses_litter && is_litter(path.name());
    is_refused.then(|| refusal::said(423, "This is not kept here"))
}

/// Whether a Mac leaves something of this name by itself.
fn is_litter(name: &str) -> bool {
    name.starts_with("._")
        || matches!(
            name,
            ".DS_Store"
                | ".Spotlight-V100"
                | ".Trashes"
                | ".fseventsd"
                | ".TemporaryItems"
                | ".metadata_never_index"
        )
}

/// How deep a request goes (RFC 4918, 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It means the thing itself.
    Itself,
    /// What is directly in it, too.
    Members,
    /// All that is in it.
    Infinity,
}

/// The depth that a request names, if it does.
///
/// Errors: `Invalid`.
pub fn depth(request: &Request) -> Result<Option<Depth>> {
    let Some(field) = request.header("Depth") else { return Ok(None) };
    match field.trim() {
        "0" => Ok(Some(Depth::Itself)),
        "1" => Ok(Some(Depth::Members)),
        word if word.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
        _ => Err(Error::invalid("Depth must be 0, 1 or infinity")),
    }
}

/// Reads a small body that is XML; `None` without one.
///
/// Errors: `TooLarge`, `Invalid`, `Disconnected`, `SignIn` (who is gone meanwhile).
pub fn body(call: &mut Call<'_>) -> Result<Option<Element>> {
    let bound = limits::DAV_XML_BYTES_MAX;
    let too_large = |length: u64| length > bound as u64;
    if call.request.content_length().is_some_and(too_large) {
        return Err(Error::TooLarge);
    }
    let mut bytes = Vec::new();
    let read = call.request.as_reader().take(bound as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|_| Error::Disconnected)?;
    call.must_still_be_let_in()?;
    match bytes.len() {
        0 => Ok(None),
        length if length > bound => Err(Error::TooLarge),
        _ => xml::parse(&bytes).map(Some),
    }
}
