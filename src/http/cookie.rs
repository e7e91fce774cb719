//! Our cookies. Each has one name in the clear and another over TLS: a browser lets nothing that came in the clear
//! replace a `Secure` cookie, so that one name for both would lock people out of one of them (RFC 6265bis, 5.7).

use tiny_http::Request;

/// A cookie of ours.
pub struct Cookie {
    /// Its name in the clear.
    plain: &'static str,
    /// Its name over TLS, which browsers take from nobody else.
    secure: &'static str,
    /// With which requests of other pages it comes along.
    same_site: &'static str,
}

/// In which a browser keeps a session's token (contract, section 3; second contract, section 20).
pub const SESSION: Cookie =
    Cookie { plain: "larder_session", secure: "__Host-larder_session", same_site: "Strict" };

/// Of a guest, for one link alone: its path is the link's, so that it can be no `__Host-` cookie.
pub const GUEST: Cookie =
    Cookie { plain: "larder_link", secure: "__Secure-larder_link", same_site: "Lax" };

impl Cookie {
    /// What a request brings of it. There may be several, of more than one path.
    pub fn values<'a>(
        &self,
        request: &'a Request,
        is_secure: bool,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        values(request.headers_named("Cookie"), self.name(is_secure))
    }

    /// The field by which a browser is given it (RFC 6265, 4.1); 0 seconds take it away.
    pub fn field(&self, is_secure: bool, value: &str, path: &str, seconds: u64) -> String {
        let (name, same_site) = (self.name(is_secure), self.same_site);
        let secure = if is_secure { "; Secure" } else { "" };
        format!(
            "{name}={value}; HttpOnly; SameSite={same_site}; Path={path}; Max-Age={seconds}{secure}"
        )
    }

    /// What it is called.
    fn name(&self, is_secure: bool) -> &'static str {
        if is_secure { self.secure } else { self.plain }
    }
}

/// The values of a cookie in `Cookie` fields (RFC 6265, 4.2.1).
fn values<'a>(
    fields: impl Iterator<Item = &'a str>,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    let pairs = fields.flat_map(|field| field.split(';'));
    pairs.filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_cookie_is_found_among_others() {
        let ours = |fields: &'static [&str]| values(fields.iter().copied(), SESSION.name(false));
        assert_eq!(ours(&["a=1; larder_session=t.o.k; b=2"]).next(), Some("t.o.k"));
        assert_eq!(ours(&["xlarder_session=t"]).next(), None);
        assert_eq!(ours(&["larder_sessions=t; larder_session"]).next(), None);
        assert_eq!(ours(&["__Host-larder_session=t"]).next(), None);
        assert_eq!(
            ours(&["larder_session=a", "b=1;larder_session=c"]).collect::<Vec<_>>(),
            ["a", "c"]
        );
    }

    #[test]
    fn over_tls_it_is_another_one() {
        assert_eq!(
            SESSION.field(false, "t", "/", 9),
            "larder_session=t; HttpOnly; SameSite=Strict; Path=/; Max-Age=9"
        );
        assert_eq!(
            SESSION.field(true, "t", "/", 9),
            "__Host-larder_session=t; HttpOnly; SameSite=Strict; Path=/; Max-Age=9; Secure"
        );
        assert_eq!(
            GUEST.field(true, "t", "/s/x", 9),
            "__Secure-larder_link=t; HttpOnly; SameSite=Lax; Path=/s/x; Max-Age=9; Secure"
        );
    }
}
