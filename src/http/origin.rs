//! By which address the caller reached us, for devices beside them.

use std::net::{IpAddr, SocketAddr};

use tiny_http::Request;

use crate::app::App;
use crate::http::host::{self, name_of};
use crate::system;

/// The origin (RFC 6454) for a device that stands beside the caller's: the one by which they are here themselves, as far
/// as their browser tells, else the one that strangers are given. No other device could open `localhost`, so that the
/// machine's address in the house takes its place, where larder answers.
pub fn nearby(request: &Request, app: &App) -> String {
    let settings = app.config.settings();
    let host = request.header("Host").map(str::trim).unwrap_or_default();
    let told = request.header("Origin").map(str::trim).unwrap_or_default();
    if !told.is_empty() && told == settings.public_url {
        return told.to_owned();
    }
    if is_loopback(&name_of(host))
        && app.is_everywhere()
        && let Some(ip) = system::in_house()
    {
        let scheme = host::scheme(&settings, request);
        return format!("{scheme}://{}", at_port_of(host, ip));
    }
    match told.split_once("://") {
        Some((_, of)) if of == host => told.to_owned(),
        _ => host::origin(&settings, request),
    }
}

/// Whether a name means the machine that asks for it.
fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

/// This address, with the port that a `Host` field has, if any.
fn at_port_of(host: &str, ip: IpAddr) -> String {
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.map_or_else(|| ip.to_string(), |port| SocketAddr::new(ip, port).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_is_told_from_others() {
        for own in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["nas", "192.168.0.2", "localhost.lan", "fd00::1", ""] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn the_port_stays() {
        let ip = IpAddr::from([192, 168, 0, 2]);
        assert_eq!(at_port_of("localhost:6969", ip), "192.168.0.2:6969");
        assert_eq!(at_port_of("[::1]:80", ip), "192.168.0.2:80");
        assert_eq!(at_port_of("localhost", ip), "192.168.0.2");
        assert_eq!(at_port_of("[::1]", ip), "192.168.0.2");
    }
}
