//! What the settings say of plain HTTP and of HTTPS: who is sent from the one to the other, and what browsers are to
//! remember of it.

use std::time::Duration;

use tiny_http::Request;
use tiny_http::ext::Body;

use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::http::{gate, query};
use crate::settings::{Https, Settings};

/// What is answered in the clear whatever the settings say: how a device learns to trust us, and programs, which
/// follow nobody elsewhere with what they bring.
const IN_THE_CLEAR: [&str; 5] = ["/ca", "/ca.css", "/ca.crt", "/ca.mobileconfig", "/api/is_up"];

/// The same, and everything below.
const IN_THE_CLEAR_BELOW: &str = "/dav/";

/// The way to HTTPS, where the settings want nothing else and a request came without.
///
/// Errors: `Invalid`: it does not say whom it asks.
pub fn redirect(settings: &Settings, request: &Request) -> Result<Option<Reply>> {
    let (path, _) = query::split(request.url());
    let is_free = IN_THE_CLEAR.contains(&path) || path.starts_with(IN_THE_CLEAR_BELOW);
    if settings.https.mode != Https::Only
        || is_free
        || gate::is_secure(request, &settings.trusted_proxies)
    {
        return Ok(None);
    }
    // Nobody leads a browser elsewhere by this: it is `host` that lets it through, and the browser's own word, which no
    // page can choose and which is asked for before anything a proxy says of it (`X-Forwarded-Host` is not read).
    let host = request.header("Host").map(str::trim).unwrap_or_default();
    if host.is_empty() {
        return Err(Error::invalid("Only HTTPS is spoken here"));
    }
    let target = if request.url().starts_with('/') { request.url() } else { "/" };
    let reply = Reply::new(308, Body::Empty)
        .with("Location", format!("https://{host}{target}"))
        // It holds as long as the owner wants it, and no longer.
        .with("Cache-Control", "no-store");
    Ok(Some(reply))
}

/// Tells browsers to come by HTTPS alone (RFC 6797), if the owner has said for how long.
pub fn mark(reply: Reply, settings: &Settings, is_secure: bool) -> Reply {
    if !is_secure || settings.https.hsts_days == 0 {
        return reply;
    }
    let seconds = Duration::from_hours(24 * u64::from(settings.https.hsts_days)).as_secs();
    reply.with("Strict-Transport-Security", format!("max-age={seconds}"))
}
