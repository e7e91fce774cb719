//! Who is asking, and may they ask this? Every request passes here before its handler.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tiny_http::Request;

use crate::app::App;
use crate::auth::accounts::Accounts;
use crate::auth::caller::Caller;
use crate::auth::key;
use crate::auth::narrowed::Door;
use crate::error::{Error, Result, SignInProblem};
use crate::http::api::{self, Access, Endpoint, Opens, Proof};
use crate::http::{cookie, guests};
use crate::limits;
use crate::links;
use crate::settings::Network;

/// Finds out who asks: `None` where nobody needs to sign in.
///
/// It has a frame of its own: what the databases are asked with would lie on the stack under all that a handler does.
///
/// Errors: `SignIn`; those of `guests::recognize`.
#[inline(never)]
pub fn recognize(app: &App, endpoint: &Endpoint, request: &Request) -> Result<Option<Caller>> {
    if endpoint.access == Access::Public {
        return Ok(None);
    }
    identify(app, endpoint.proofs, request).map(Some)
}

/// Lets them in, if they may.
///
/// Errors: `Refused` (the role is not listed), `FactorNeeded`, `SignIn` (a link's password is missing).
pub fn admit(app: &App, endpoint: &Endpoint, caller: &Caller) -> Result<()> {
    let is_asked_more = caller.guest().is_some_and(|guest| !guest.is_let_in);
    if is_asked_more && endpoint.access != Access::Knocking {
        return Err(Error::SignIn(SignInProblem::LinkPassword));
    }
    if lacks_factor(app, endpoint, caller) {
        return Err(Error::FactorNeeded);
    }
    if is_open_to(app, endpoint, caller) { Ok(()) } else { Err(Error::Refused) }
}

/// What a caller may, to be judged again while something lasts that they have begun: it goes on without its
/// session, but not without the right to it.
pub struct Standing {
    /// What was asked for.
    endpoint: &'static Endpoint,
    /// Who it is, as they were when they were let in.
    caller: Caller,
}

impl Standing {
    /// Of somebody who was let in.
    pub fn of(caller: &Caller, endpoint: &'static Endpoint) -> Self {
        Self { endpoint, caller: caller.clone() }
    }

    /// Whether they are still there, may use the endpoint, and have lost no path. As long as nobody can say,
    /// nothing has changed.
    pub fn lasts(&self, app: &App) -> bool {
        let Ok(now) = at_present(app, &self.caller) else { return true };
        now.is_some_and(|now| now.covers(&self.caller) && is_open_to(app, self.endpoint, &now))
    }

    /// The same, and nobody has ended the session that they came with: work goes on without it, but what is sent or
    /// brought is as much theirs as any new request.
    pub fn lasts_in_session(&self, app: &App) -> bool {
        app.accounts.has_session_of(&self.caller) && self.lasts(app)
    }

    /// Who they are by now, if they may still use the endpoint; their paths may be others. As long as nobody can say,
    /// nothing has changed.
    ///
    /// Errors: `SignIn` or `Gone` (they are gone), `Refused`.
    pub fn renewed(self, app: &App) -> Result<Caller> {
        if !app.accounts.has_session_of(&self.caller) {
            return Err(gone(&self.caller));
        }
        let Ok(now) = at_present(app, &self.caller) else { return Ok(self.caller) };
        let now = now.ok_or_else(|| gone(&self.caller))?;
        admit(app, self.endpoint, &now).map(|()| now)
    }
}

/// What a caller came with, to be judged again while a long answer runs.
pub struct Pass {
    /// What was asked for.
    endpoint: &'static Endpoint,
    /// Who it is, as they were when they were let in.
    caller: Caller,
}

impl Pass {
    /// Of somebody who was let in with this request.
    pub fn new(caller: &Caller, endpoint: &'static Endpoint) -> Self {
        Self { endpoint, caller: caller.clone() }
    }

    /// Whether they would be let in again, as the same: with the token or key still good, the role
    /// still listed, the paths unchanged.
    pub fn is_good(&self, app: &App) -> bool {
        let now = app.accounts.again(&self.caller);
        now.is_ok_and(|now| now.is_same_as(&self.caller) && is_open_to(app, self.endpoint, &now))
    }

    /// Whether they may also use another endpoint.
    pub fn may_use(&self, app: &App, path: &str) -> bool {
        may(app, &self.caller, path)
    }
}

/// The caller as they are at this moment; `None` when they are gone.
fn at_present(app: &App, caller: &Caller) -> Result<Option<Caller>> {
    match caller.guest() {
        Some(guest) => guests::again(app, guest),
        None => app.accounts.at_present(caller),
    }
}

/// What is said to somebody who is gone.
pub fn gone(caller: &Caller) -> Error {
    match caller.guest() {
        Some(_) => links::NO_LONGER,
        None => Error::SignIn(SignInProblem::Unauthorized),
    }
}

/// Whether a caller may use an endpoint.
fn is_open_to(app: &App, endpoint: &Endpoint, caller: &Caller) -> bool {
    if lacks_factor(app, endpoint, caller) {
        return false;
    }
    if caller.narrowed_key().is_some() && !(endpoint.is_open_to_keys && caller.opens(endpoint.door))
    {
        return false;
    }
    let roles = app.roles();
    endpoint.is_open_to(|path| caller.may(path, &roles))
}

/// Whether a caller must get a second factor before they may use an endpoint.
fn lacks_factor(app: &App, endpoint: &Endpoint, caller: &Caller) -> bool {
    let is_for_getting_one = endpoint.opens == Opens::BeforeFactor && caller.has_session();
    !is_for_getting_one && caller.lacks_factor(&app.config.settings())
}

/// Whether a caller may also do what stands under another path in `roles.json`.
pub fn may(app: &App, caller: &Caller, path: &str) -> bool {
    let is_narrowed = caller.narrowed_key().is_some();
    (!is_narrowed || api::is_open_to_keys(path)) && caller.may(path, &app.roles())
}

/// Finds out who asks something that is open to all, but of which those hear more who have signed in.
///
/// Errors: `SignIn`, `FactorNeeded`, `Forbidden` (a key that does not open this door).
pub fn must_be_signed_in(app: &App, request: &Request) -> Result<()> {
    let caller = identify(app, api::ANY_PROOF, request)?;
    if caller.lacks_factor(&app.config.settings()) {
        return Err(Error::FactorNeeded);
    }
    let is_shut_out = caller.narrowed_key().is_some() && !caller.opens(Door::Api);
    if is_shut_out { Err(Error::Forbidden) } else { Ok(()) }
}

/// Finds the caller by the first of the credentials that the request brings and the endpoint takes.
///
/// Errors: `SignIn`; those of `guests::recognize`.
fn identify(app: &App, proofs: &[Proof], request: &Request) -> Result<Caller> {
    let accounts = &app.accounts;
    for proof in proofs {
        match proof {
            Proof::Link => return guests::recognize(app, request),
            Proof::Bearer => {
                if let Some(token) = request.header("Authorization").and_then(bearer) {
                    return accounts.by_token(token);
                }
            }
            Proof::Lasting => {
                if let Some(token) = request.header("Authorization").and_then(bearer) {
                    return accounts.by_lasting_token(token);
                }
            }
            Proof::Key => {
                if let Some(caller) = by_key(accounts, request) {
                    return caller;
                }
            }
            Proof::Password => {
                if let Some((name, password)) = request.header("Authorization").and_then(basic) {
                    let from = client_address(request, &app.config.settings().trusted_proxies);
                    return app.sign_in.sign_in_each_time(&name, &password, from);
                }
            }
            Proof::Cookie => {
                let reads_only = matches!(request.method().as_str(), "GET" | "HEAD");
                let is_secure = is_secure(request, &app.config.settings().trusted_proxies);
                let token = cookie::SESSION.values(request, is_secure).next();
                if let Some(token) = token.filter(|_| reads_only) {
                    return accounts.by_token(token);
                }
            }
        }
    }
    // Whoever brings a narrowed key is known also where none is taken, and hears there that it may not.
    match by_key(accounts, request) {
        Some(Ok(caller)) if caller.narrowed_key().is_some() => Ok(caller),
        _ => Err(Error::SignIn(SignInProblem::Unauthorized)),
    }
}

/// The caller whose key the request brings: in `X-API-KEY`, or a narrowed one as the password of its user.
///
/// A password that is no key is none of ours: a proxy in front of us may have asked for it.
fn by_key(accounts: &Accounts, request: &Request) -> Option<Result<Caller>> {
    if let Some(key) = request.header("X-API-KEY") {
        return Some(accounts.by_key(key.trim()));
    }
    let (name, password) = request.header("Authorization").and_then(basic)?;
    key::is_key(&password).then(|| accounts.by_named_key(&name, &password))
}

/// Name and password of `Authorization: Basic ...` (RFC 7617, in UTF-8).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, pair) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || pair.len() > limits::BASIC_BYTES_MAX {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(pair.trim()).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The token of `Authorization: Bearer ...`; other schemes are none of ours (RFC 9110, 11.4: the
/// scheme's case does not matter).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The client's address: the peer's, or what a trusted proxy says. Of several addresses in
/// `X-Forwarded-For` the last that is not itself a trusted proxy counts; the ones before it are
/// whatever the client wrote.
pub fn client_address(request: &Request, trusted: &[Network]) -> IpAddr {
    let peer = request
        .remote_addr()
        .map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded: Vec<&str> = request.headers_named("X-Forwarded-For").collect();
    last_untrusted(&forwarded.join(","), is_trusted).unwrap_or(peer)
}

/// The client's address where it is certain: `None` when a proxy is trusted to tell it and does not, or not readably.
/// Of nothing but trusted proxies the first is the client.
pub fn certain_client_address(request: &Request, trusted: &[Network]) -> Option<IpAddr> {
    if !is_from_proxy(request, trusted) {
        return request.remote_addr().map(|peer| peer.ip().to_canonical());
    }
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let forwarded: Vec<&str> = request.headers_named("X-Forwarded-For").collect();
    told_client(&forwarded.join(","), is_trusted)
}

/// Whom a list of addresses that can be read to where it is believed names.
fn told_client(list: &str, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let first = || {
        let all = list.split(',').map(|text| forwarded_address(text.trim()));
        all.collect::<Option<Vec<IpAddr>>>()?.first().copied()
    };
    last_untrusted(list, is_trusted).or_else(first)
}

/// One address of `X-Forwarded-For`: some proxies add the port, and then put brackets around IPv6.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    Some(address.ok()?.to_canonical())
}

/// Whether a request came over TLS: to us, or to a trusted proxy that says so. Of a row of proxies that each say it, the
/// first is the client's.
pub fn is_secure(request: &Request, trusted: &[Network]) -> bool {
    let told = request.header("X-Forwarded-Proto").filter(|_| is_from_proxy(request, trusted));
    let first = told.and_then(|schemes| schemes.split(',').next());
    first.map_or_else(|| request.secure(), |scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// Whether a request comes from a proxy that is trusted.
pub fn is_from_proxy(request: &Request, trusted: &[Network]) -> bool {
    let peer = request.remote_addr().map(|peer| peer.ip().to_canonical());
    peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(peer)))
}

/// Walks a list of addresses from its end.
fn last_untrusted(list: &str, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    for text in list.rsplit(',') {
        let address = forwarded_address(text.trim())?;
        if !is_trusted(address) {
            return Some(address);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_one() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer   a.b.c "), Some("a.b.c"));
        assert_eq!(bearer("Bearer"), Some(""));
        assert_eq!(bearer("Basic YTpi"), None);
        assert_eq!(bearer("Bearerx"), None);
    }

    #[test]
    fn only_a_name_and_a_password_in_base64_are_basic() {
        let encoded = |pair: &[u8]| format!("Basic {}", BASE64.encode(pair));
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(basic(&encoded(b"ana:lk_1:2")), pair("ana", "lk_1:2"));
        assert_eq!(basic(&encoded("\u{e4}na:p".as_bytes())), pair("\u{e4}na", "p"));
        assert_eq!(basic("bASIC  YTpi "), pair("a", "b"));
        assert_eq!(basic(&encoded(b":")), pair("", ""));
        for none in ["Basic", "Basic ", "Basic !", "Bearer YTpi", "Basic YWI=", "YTpi"] {
            assert_eq!(basic(none), None, "{none}");
        }
        assert_eq!(basic(&encoded(b"\xff:\xff")), None);
        assert_eq!(basic(&encoded(&[b':'; 10_000])), None);
    }

    #[test]
    fn whom_nobody_names_readably_is_nobody() {
        let is_trusted = |address: IpAddr| address.to_string().starts_with("10.");
        for (list, client) in [
            ("8.8.8.8", "8.8.8.8"),
            ("garbage, 8.8.8.8, 10.0.0.2", "8.8.8.8"),
            ("10.0.0.9", "10.0.0.9"),
            ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ] {
            assert_eq!(told_client(list, is_trusted), client.parse().ok(), "{list}");
        }
        for list in ["", " ", "garbage", "8.8.8.8, garbage", "garbage, 10.0.0.2", "10.0.0.2,"] {
            assert_eq!(told_client(list, is_trusted), None, "{list}");
        }
    }

    #[test]
    fn what_a_client_forges_before_the_proxy_is_not_believed() {
        let is_trusted = |address: IpAddr| address.to_string().starts_with("10.");
        assert_eq!(
            last_untrusted("6.6.6.6, 1.2.3.4, 10.0.0.2", is_trusted),
            "1.2.3.4".parse().ok()
        );
        assert_eq!(last_untrusted("10.0.0.9", is_trusted), None);
        assert_eq!(last_untrusted("1.2.3.4, nonsense", is_trusted), None);
        assert_eq!(last_untrusted("", is_trusted), None);
        for (list, client) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4:1, 10.0.0.2:80", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:1.2.3.4]:5", "1.2.3.4"),
        ] {
            assert_eq!(last_untrusted(list, is_trusted), client.parse().ok(), "{list}");
        }
        for none in ["1.2.3.4:", "1.2.3.4:99999", "[1.2.3.4", "2001:db8::1]:1", "[]:1", "a:1"] {
            assert_eq!(last_untrusted(none, is_trusted), None, "{none}");
        }
    }
}
