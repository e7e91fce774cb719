//! What pages of other origins may do (the Fetch standard, 3.2): those that the owner listed may use
//! the API with a token or a key, and all others nothing. Cookies are for our own pages only, so
//! `Access-Control-Allow-Credentials` is never sent.

use tiny_http::Request;
use tiny_http::ext::Body;

use crate::http::reply::Reply;

/// The fields that such a page may send.
const MAY_SEND: &str = "Authorization, X-API-KEY, Content-Type, Range, If-Range, If-None-Match, \
    If-Modified-Since, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, Upload-Defer-Length, \
    Repr-Digest, Want-Repr-Digest, X-HTTP-Method-Override, Depth, Destination, Overwrite, If, If-Match, \
    If-Unmodified-Since, Lock-Token, Timeout, Prefer, Brief, X-OC-Mtime";

/// The fields of an answer that such a page may read besides the usual ones.
const MAY_READ: &str = "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Range, ETag, \
    Retry-After, Location, Tus-Resumable, Tus-Version, Tus-Extension, Upload-Offset, Upload-Length, \
    Upload-Metadata, Upload-Expires, Larder-Path, Repr-Digest, DAV, Lock-Token, \
    X-OC-Mtime";

/// For how long a browser need not ask again (s).
const MAX_AGE_S: &str = "600";

/// The answer to a browser that asks before it does, if this is one and its page may. `allow` are the
/// methods of the endpoint.
pub fn preflight(request: &Request, origins: &[String], allow: &'static str) -> Option<Reply> {
    let is_asking = request.method().as_str() == "OPTIONS"
        && request.header("Access-Control-Request-Method").is_some();
    if !is_asking || listed(request.header("Origin"), origins).is_none() {
        return None;
    }
    Some(
        Reply::new(204, Body::Empty)
            .with("Access-Control-Allow-Methods", allow)
            .with("Access-Control-Allow-Headers", MAY_SEND)
            .with("Access-Control-Max-Age", MAX_AGE_S),
    )
}

/// The origin of a request's page, if the owner listed it; to be told to `mark`.
pub fn listed(origin: Option<&str>, origins: &[String]) -> Option<String> {
    let origin = origin?.trim();
    origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin)).then(|| origin.to_owned())
}

/// Tells the browser whether the page may read this answer, or show it as its own picture or film (the
/// Fetch standard, 3.6): nobody's but those that are listed. Where any origin is listed, answers
/// differ by it, and caches must know.
pub fn mark(reply: Reply, origin: Option<String>, origins: &[String]) -> Reply {
    let whose = if origin.is_some() { "cross-origin" } else { "same-origin" };
    let reply = reply.with("Cross-Origin-Resource-Policy", whose);
    if origins.is_empty() {
        return reply;
    }
    let reply = reply.with("Vary", "Origin");
    match origin {
        None => reply,
        Some(origin) => reply
            .with("Access-Control-Allow-Origin", origin)
            .with("Access-Control-Expose-Headers", MAY_READ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_listed_whole_or_not_at_all() {
        let origins = ["http://nas.example".to_owned(), "https://a.example:8443".to_owned()];
        for (origin, is_listed) in [
            ("http://nas.example", true),
            ("http://NAS.example", true),
            ("https://nas.example", false),
            ("http://nas.example:80", false),
            ("http://nas.example.evil.example", false),
            ("http://nas.exampl", false),
            ("https://a.example:8443", true),
            ("https://a.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(listed(Some(origin), &origins).is_some(), is_listed, "{origin}");
        }
        assert_eq!(listed(None, &origins), None);
        assert_eq!(listed(Some("http://nas.example"), &[]), None);
    }
}
