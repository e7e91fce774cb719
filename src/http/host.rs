//! Who is asked for: the name that a request gives the server in `Host`. A page of a stranger whose name
//! was bound to our address (DNS rebinding) would else be of our own origin; it comes with the
//! stranger's name, which is none of ours.

use std::net::{IpAddr, Ipv6Addr};

use tiny_http::Request;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{gate, query, router};
use crate::settings::Settings;

/// Domains that no stranger can have a name in: of the house itself (RFC 6762, RFC 8375, ICANN's
/// `internal`), and what routers of homes use.
const OF_THE_HOUSE: &[&str] = &["local", "lan", "home", "home.arpa", "internal", "fritz.box"];

/// Answers whoever asks for whatever name: probes and load balancers have none.
const ALWAYS: &str = "/api/is_up";

/// Refuses a request for a name that is none of ours, and what a browser would run as a program.
///
/// Errors: `UnknownHost`, `Forbidden`.
pub fn judge(app: &App, settings: &Settings, request: &Request) -> Result<()> {
    let (path, _) = query::split(request.url());
    let host = request.header("Host").map(str::trim).unwrap_or_default();
    let is_known = || {
        may_be(host, settings)
            || app.own_names.has(&name_of(host))
            || gate::is_from_proxy(request, &settings.trusted_proxies)
    };
    if path != ALWAYS && !is_known() {
        return Err(Error::UnknownHost);
    }
    if is_to_be_run(request) { Err(Error::Forbidden) } else { Ok(()) }
}

/// The origin under which larder is reached: the one in the settings, else that of a request.
pub fn origin(settings: &Settings, request: &Request) -> String {
    if !settings.public_url.is_empty() {
        return settings.public_url.clone();
    }
    let host = request.header("Host").map(str::trim).unwrap_or_default();
    format!("{}://{host}", scheme(settings, request))
}

/// The scheme by which larder is reached in a request.
pub fn scheme(settings: &Settings, request: &Request) -> &'static str {
    if gate::is_secure(request, &settings.trusted_proxies) { "https" } else { "http" }
}

/// Whether a browser would run, or apply, what it asks for, and no user's file is meant for that.
pub fn is_to_be_run(request: &Request) -> bool {
    let (path, _) = query::split(request.url());
    let is_data = ["/api/", "/dav/", router::LINKS].iter().any(|door| path.starts_with(door));
    is_data && request.header("Sec-Fetch-Dest").is_some_and(runs)
}

/// Whether a browser runs or applies what it fetches for this (the Fetch standard, 2.2.5,
/// "script-like", and styles): no file of a user's is that for any page.
fn runs(destination: &str) -> bool {
    matches!(
        destination.trim(),
        "audioworklet"
            | "paintworklet"
            | "script"
            | "serviceworker"
            | "sharedworker"
            | "style"
            | "worker"
            | "xslt"
    )
}

/// Whether a `Host` field may be ours as far as the settings say. A client that names nobody (HTTP/1.0)
/// is no browser.
fn may_be(host: &str, settings: &Settings) -> bool {
    let name = name_of(host);
    let is_under = |domain: &str| {
        name.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    };
    // A percent sign is a dot to some who read addresses.
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_single = name.bytes().all(is_letter);
    let is_listed = |listed: &String| match listed.strip_prefix("*.") {
        Some(domain) => is_under(domain),
        None => listed == "*" || *listed == name,
    };
    is_single
        || is_address(&name)
        || OF_THE_HOUSE.iter().any(|domain| is_under(domain))
        || settings.public_host().is_some_and(|public| name_of(public) == name)
        || settings.allowed_hosts.iter().any(is_listed)
}

/// The name of a `Host` field: without port, brackets and the dot at the end, in lower case.
pub fn name_of(host: &str) -> String {
    let parts = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']'),
        None => Some(host.split_at(host.find(':').unwrap_or(host.len()))),
    };
    let is_port = |text: &str| text.is_empty() || is_port_number(text);
    let name = parts.filter(|(_, port)| is_port(port)).map(|(name, _)| name);
    let name = name.map(|name| name.strip_suffix('.').unwrap_or(name));
    name.filter(|name| !name.is_empty()).unwrap_or(host).to_ascii_lowercase()
}

/// Whether this is a colon and the number of a port, which may be missing (RFC 3986, 3.2.3).
fn is_port_number(text: &str) -> bool {
    let number = text.strip_prefix(':');
    number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Whether this is an address; one of IPv6 may have a zone (RFC 6874).
fn is_address(name: &str) -> bool {
    let without_zone = name.split('%').next().unwrap_or_default();
    name.parse::<IpAddr>().is_ok() || without_zone.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    /// The defaults with these two keys.
    fn settings(public_url: &str, allowed_hosts: &[&str]) -> Settings {
        let (mut object, _) = Settings::with_defaults(Map::new());
        object.insert("public_url".to_owned(), json!(public_url));
        object.insert("allowed_hosts".to_owned(), json!(allowed_hosts));
        Settings::parse(object).unwrap()
    }

    #[test]
    fn addresses_and_names_of_a_house_may_be_ours() {
        let settings = settings("", &[]);
        for host in [
            "",
            "192.168.1.4",
            "192.168.1.4:6969",
            "[::1]",
            "[2001:db8::1]:80",
            "[fe80::1%25eth0]:6969",
            "localhost:6969",
            "nas",
            "NAS.",
            "nas.local",
            "nas.LAN:6969",
            "my.nas.home.arpa.",
            "nas.fritz.box",
            "nas.internal",
        ] {
            assert!(may_be(host, &settings), "{host}");
        }
    }

    #[test]
    fn names_that_anybody_can_have_are_not() {
        let settings = settings("", &[]);
        for host in [
            "evil.example",
            "evil.example:6969",
            "nas.local.evil.example",
            "evillocal.example",
            "fritz.box.evil.example",
            "notfritz.box",
            ".local",
            "127.0.0.1.evil.example",
            "192.168.1.4.nip.io",
            "127.1.",
            "[evil.example]",
            "evil.example.",
            "home.arpa",
            "[::1].evil.example",
            "[::1]evil.example",
            "[::1",
            "localhost:80.evil.example",
            "x:evil.example",
            ":80",
            ".",
            "evil%2eexample",
            "evil;example",
            "evil\u{3002}example",
        ] {
            assert!(!may_be(host, &settings), "{host}");
        }
    }

    #[test]
    fn the_owner_adds_names() {
        let settings =
            settings("https://Nas.example.org:8443", &["files.example", "*.home.example"]);
        for host in ["nas.example.org", "NAS.example.org:80", "files.example", "a.b.home.example"] {
            assert!(may_be(host, &settings), "{host}");
        }
        for host in ["example.org", "x.files.example", "home.example", "xhome.example"] {
            assert!(!may_be(host, &settings), "{host}");
        }
        assert!(may_be("anything.example", &self::settings("", &["*"])));
    }

    #[test]
    fn programs_and_styles_run_and_pictures_do_not() {
        assert!(
            ["script", "style", "worker", "serviceworker", "xslt"].map(runs).iter().all(|is| *is)
        );
        assert!(!["empty", "image", "document", "video", "iframe", ""].map(runs).contains(&true));
    }
}
