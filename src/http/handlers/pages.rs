//! The pages, embedded in the binary: contract, section 9.

use std::time::SystemTime;

use tiny_http::ext::Body;

use crate::error::{Error, Result};
use crate::http::answer::other_answer;
use crate::http::assets;
use crate::http::call::Call;
use crate::http::coding;
use crate::http::range::{self, Decision, Fields, Representation};
use crate::http::reply::Reply;

/// What works for the pages in the browser, beside them.
const WORKER: &str = "worker.js";

other_answer!(/// A page, or what belongs to one.
    Page,
    200: "The page." in "*/*",
    304: "The client has it already.");

/// `GET /`.
pub fn index(call: &mut Call<'_>, (): ()) -> Result<Page> {
    send(call, "index.html")
}

/// `GET /auth`.
pub fn login(call: &mut Call<'_>, (): ()) -> Result<Page> {
    send(call, "login.html")
}

/// `GET /preview`.
pub fn preview(call: &mut Call<'_>, (): ()) -> Result<Page> {
    send(call, "preview.html")
}

/// `GET /web/...`.
///
/// Errors: `NotFound`.
pub fn asset(call: &mut Call<'_>, (): ()) -> Result<Page> {
    let path = call.rest().map_err(|_| Error::NotFound("Not found"))?;
    let Page(reply) = send(call, &path)?;
    // It lies below `/web/` and answers for `/` (Service Workers, "Service-Worker-Allowed").
    let is_worker = path == WORKER;
    Ok(Page(if is_worker { reply.with("Service-Worker-Allowed", "/") } else { reply }))
}

other_answer!(/// Where the pages are.
    Elsewhere,
    303: "The pages are there.");

/// `POST /share`: what another app of the phone shares is taken by the pages' worker, in the browser. What comes here
/// found none; any page of the web can send it, too, so that nothing of it is read or kept.
#[expect(clippy::unnecessary_wraps, reason = "a handler may be refused; this one never is")]
pub fn share(_: &mut Call<'_>, (): ()) -> Result<Elsewhere> {
    Ok(Elsewhere(
        Reply::new(303, Body::Empty).with("Location", "/").with("Cache-Control", "no-store"),
    ))
}

/// Sends an embedded file in the form that the browser likes best.
///
/// Errors: `NotFound`.
pub fn send(call: &Call<'_>, path: &str) -> Result<Page> {
    let asset = assets::find(path).ok_or(Error::NotFound("Not found"))?;
    // Who refuses every form gets the plain one all the same (RFC 9110, 12.5.3 allows it).
    let accepted = coding::accepted(call.request);
    let form = assets::choose(asset, accepted.as_deref())
        .or(asset.forms.first())
        .ok_or(Error::NotFound("Not found"))?;
    let fields =
        Fields { if_none_match: call.request.header("If-None-Match"), ..Fields::default() };
    let length = form.length() as u64;
    let now = Representation { etag: form.etag, modified: SystemTime::UNIX_EPOCH, length };
    let reply = if range::decide(&fields, &now) == Decision::NotModified {
        Reply::new(304, Body::Empty)
    } else {
        let reply = Reply::new(200, Body::Bytes(form.content()?)).with("Content-Type", asset.mime);
        match form.encoding.token() {
            Some(encoding) => reply.with("Content-Encoding", encoding),
            None => reply,
        }
    };
    let cache = if asset.is_immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(Page(
        reply
            .with("ETag", form.etag)
            .with("Cache-Control", cache)
            .with("Vary", "Accept-Encoding")
            .with("Content-Security-Policy", assets::CONTENT_SECURITY_POLICY)
            .with("Referrer-Policy", "same-origin"),
    ))
}
