//! Who is asking, and may they ask this? Every request passes here before its handler.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tiny_http::Request;

use crate::app::App;
use crate::auth::token::Session;
use crate::auth::{key, permission};
use crate::error::{Error, Result, SignInProblem};
use crate::http::api::{Access, Endpoint};
use crate::settings::Network;
use crate::store::User;
use crate::tickets::Holder;
use crate::vault::Grant;

/// Somebody who has signed in.
pub struct Caller {
    /// Their row.
    pub user: Arc<User>,
    /// Their paths.
    pub grant: Arc<Grant>,
    /// The token they came with; `None` for an API key.
    pub session: Option<Session>,
    /// The hash of the API key they came with.
    key_hash: Option<String>,
}

impl Caller {
    /// The session or the key that this caller came with, to bind something to it.
    ///
    /// Errors: `Bug`, as everybody comes with either.
    pub fn holder(&self) -> Result<Holder> {
        match (&self.session, &self.key_hash) {
            (Some(session), _) => Ok(Holder::Session(session.token_id.clone())),
            (None, Some(hash)) => Ok(Holder::Key(hash.clone())),
            (None, None) => Err(Error::Bug("a caller without session and key".into())),
        }
    }
}

/// Lets a request in: `None` where nobody needs to sign in.
///
/// Errors: `SignIn`, `Refused` (the role is not listed).
pub fn admit(app: &App, endpoint: &Endpoint, request: &Request) -> Result<Option<Caller>> {
    if endpoint.access == Access::Public {
        return Ok(None);
    }
    let caller = identify(app, request)?;
    if endpoint.access == Access::ByRole && !endpoint.is_open_to(&caller.user.role, &app.roles()) {
        return Err(Error::Refused);
    }
    Ok(Some(caller))
}

/// What a caller may, to be judged again while something lasts that they have begun: it goes on without its
/// session, but not without the right to it.
pub struct Standing {
    /// What was asked for.
    endpoint: &'static Endpoint,
    /// The user as they were when they were let in.
    user: Arc<User>,
    /// Their paths.
    grant: Arc<Grant>,
}

impl Standing {
    /// Of somebody who was let in.
    pub fn of(caller: &Caller, endpoint: &'static Endpoint) -> Self {
        let (user, grant) = (Arc::clone(&caller.user), Arc::clone(&caller.grant));
        Self { endpoint, user, grant }
    }

    /// Whether they are still there, may use the endpoint, and have lost no path. As long as nobody can say,
    /// nothing has changed.
    pub fn lasts(&self, app: &App) -> bool {
        let Ok(now) = app.users.by_id(self.user.id) else { return true };
        now.is_some_and(|now| {
            let has_all =
                Arc::ptr_eq(&now, &self.user) || permission::grant(&now).covers(&self.grant);
            has_all && self.endpoint.is_open_to(&now.role, &app.roles())
        })
    }
}

/// What a caller came with, to be judged again while a long answer runs.
pub struct Pass {
    /// What was asked for.
    endpoint: &'static Endpoint,
    /// The user as they were when they were let in.
    user: Arc<User>,
    /// Their token; `None` for an API key.
    session: Option<Session>,
    /// The hash of their API key, if they came with one.
    key_hash: Option<String>,
}

impl Pass {
    /// Of somebody who was let in with this request.
    pub fn new(caller: &Caller, endpoint: &'static Endpoint) -> Self {
        let (session, key_hash) = (caller.session.clone(), caller.key_hash.clone());
        Self { endpoint, user: Arc::clone(&caller.user), session, key_hash }
    }

    /// Whether they would be let in again, as the same: with the token or key still good, the role
    /// still listed, the paths unchanged.
    pub fn is_good(&self, app: &App) -> bool {
        self.user_now(app).is_ok_and(|user| {
            let is_same = user.id == self.user.id
                && user.role == self.user.role
                && user.paths == self.user.paths
                && user.paths_write == self.user.paths_write;
            is_same && self.endpoint.is_open_to(&self.user.role, &app.roles())
        })
    }

    /// Whether the role is listed for an endpoint.
    pub fn may_use(&self, app: &App, path: &str) -> bool {
        app.roles().allow(path, &self.user.role)
    }

    /// The user as they are now.
    fn user_now(&self, app: &App) -> Result<Arc<User>> {
        let gone = || Error::SignIn(SignInProblem::Unauthorized);
        match (&self.session, &self.key_hash) {
            (Some(session), _) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                if session.expires <= i64::try_from(now.as_secs()).unwrap_or(i64::MAX) {
                    return Err(Error::SignIn(SignInProblem::Expired));
                }
                by_session(app, session)
            }
            (None, Some(hash)) => app.users.by_key_hash(hash)?.ok_or_else(gone),
            (None, None) => Err(gone()),
        }
    }
}

/// Finds the user: bearer token, then API key, then, for requests that change nothing, the cookie
/// (contract, section 3).
fn identify(app: &App, request: &Request) -> Result<Caller> {
    if let Some(token) = request.header("Authorization").and_then(bearer) {
        return by_token(app, token);
    }
    if let Some(key) = request.header("X-API-KEY") {
        let hash = key::hash(key.trim());
        let user = app.users.by_key_hash(&hash)?;
        let user = user.ok_or(Error::SignIn(SignInProblem::Unauthorized))?;
        return Ok(Caller { key_hash: Some(hash), ..caller(user, None) });
    }
    let reads_only = matches!(request.method().as_str(), "GET" | "HEAD");
    let cookie = request.headers_named("Cookie").find_map(session_cookie);
    match cookie.filter(|_| reads_only) {
        Some(token) => by_token(app, token),
        None => Err(Error::SignIn(SignInProblem::Unauthorized)),
    }
}

/// The caller that a token stands for.
fn by_token(app: &App, token: &str) -> Result<Caller> {
    let session = app.tokens.read(token)?;
    let user = by_session(app, &session)?;
    Ok(caller(user, Some(session)))
}

/// The user of a session that nobody has ended.
fn by_session(app: &App, session: &Session) -> Result<Arc<User>> {
    let found = app.users.by_session(session.user_id, &session.token_id)?;
    let (user, is_logged_out) = found.ok_or(Error::SignIn(SignInProblem::Unauthorized))?;
    if user.epoch != session.epoch || is_logged_out {
        return Err(Error::SignIn(SignInProblem::InvalidToken));
    }
    Ok(user)
}

/// Puts a caller together.
fn caller(user: Arc<User>, session: Option<Session>) -> Caller {
    let grant = Arc::new(permission::grant(&user));
    Caller { user, grant, session, key_hash: None }
}

/// The token of `Authorization: Bearer ...`; other schemes are none of ours (RFC 9110, 11.4: the
/// scheme's case does not matter).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token of `larder_session` in a `Cookie` field (RFC 6265, 4.2.1).
fn session_cookie(value: &str) -> Option<&str> {
    value.split(';').find_map(|pair| pair.trim().strip_prefix("larder_session="))
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

/// One address of `X-Forwarded-For`: some proxies add the port, and then put brackets around IPv6.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    Some(address.ok()?.to_canonical())
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
    fn our_cookie_is_found_among_others() {
        assert_eq!(session_cookie("a=1; larder_session=t.o.k; b=2"), Some("t.o.k"));
        assert_eq!(session_cookie("xlarder_session=t"), None);
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
