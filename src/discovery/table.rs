//! What larder says of itself in one network: the records of its name and of its services (RFC 6763).

use std::net::IpAddr;

use super::message::{A, AAAA, NSEC, Name, PTR, Record, SRV, TXT};
use crate::limits;

/// The domain of names that only their own network knows.
const DOMAIN: &str = "local";

/// A service that may be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// By which protocol, as it is registered (RFC 6335), such as `_http`.
    pub protocol: &'static str,
    /// Where it begins there; empty where that is nothing to be told.
    pub path: &'static str,
    /// The address that it listens at.
    pub host: IpAddr,
    /// Its port.
    pub port: u16,
}

impl Service {
    /// Whether it is to be reached at one of these addresses.
    fn is_at(&self, addresses: &[IpAddr]) -> bool {
        match self.host {
            IpAddr::V4(host) if host.is_unspecified() => addresses.iter().any(IpAddr::is_ipv4),
            IpAddr::V6(host) if host.is_unspecified() => true,
            host => addresses.contains(&host),
        }
    }
}

/// What the machine and its services are called: each a label, with a number behind it where others had it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Of the machine.
    pub host: Numbered,
    /// Of the services.
    pub instance: Numbered,
}

/// A label that may have to be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Without the number.
    plain: String,
    /// Which one it is; 1 is not written.
    number: u32,
    /// What stands before the number and behind it.
    around: (&'static str, &'static str),
}

impl Numbered {
    /// A machine's: `larder`, `larder-2`.
    pub fn host(plain: &str) -> Self {
        Self { plain: plain.to_owned(), number: 1, around: ("-", "") }
    }

    /// A service's: `larder on nas`, `larder on nas (2)` (RFC 6763, appendix D).
    pub fn instance(plain: &str) -> Self {
        Self { plain: plain.to_owned(), number: 1, around: (" (", ")") }
    }

    /// The next one; after the last the first again.
    pub fn advance(&mut self) {
        self.number = self.number % limits::MDNS_NAMES_MAX + 1;
    }

    /// Whether it has no number.
    pub const fn is_plain(&self) -> bool {
        self.number == 1
    }

    /// Without the number.
    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// As it is told.
    pub fn label(&self) -> String {
        if self.is_plain() {
            return self.plain.clone();
        }
        let tail = format!("{}{}{}", self.around.0, self.number, self.around.1);
        let room = limits::LABEL_BYTES_MAX.saturating_sub(tail.len());
        let kept = &self.plain[..self.plain.floor_char_boundary(room)];
        format!("{kept}{tail}")
    }
}

impl Names {
    /// The machine's name in the network.
    pub fn host_name(&self) -> Name {
        Name::of(&[&self.host.label(), DOMAIN])
    }

    /// The full name of a service.
    fn instance_name(&self, service: &Service) -> Name {
        Name::of(&[&self.instance.label(), service.protocol, "_tcp", DOMAIN])
    }
}

/// All that is said in a network where the machine has these addresses.
pub fn records(names: &Names, addresses: &[IpAddr], services: &[Service]) -> Vec<Record> {
    let host = names.host_name();
    let mut records: Vec<Record> = addresses.iter().map(|ip| address(&host, *ip)).collect();
    let mut kinds: Vec<u16> = records.iter().map(|record| record.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    records.push(only_has(&host, &kinds));
    for service in services.iter().filter(|service| service.is_at(addresses)) {
        let kind = Name::of(&[service.protocol, "_tcp", DOMAIN]);
        let instance = names.instance_name(service);
        let all_kinds = Name::of(&["_services", "_dns-sd", "_udp", DOMAIN]);
        let mut place = vec![0; 4];
        place.extend_from_slice(&service.port.to_be_bytes());
        place.extend_from_slice(host.wire());
        records.extend([
            shared(&all_kinds, &kind),
            shared(&kind, &instance),
            unique(&instance, SRV, limits::MDNS_HOST_TTL_S, place),
            unique(&instance, TXT, limits::MDNS_OTHER_TTL_S, text(service.path)),
            only_has(&instance, &[TXT, SRV]),
        ]);
    }
    records
}

/// The record of an address.
fn address(host: &Name, ip: IpAddr) -> Record {
    let (kind, data) = match ip {
        IpAddr::V4(ip) => (A, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AAAA, ip.octets().to_vec()),
    };
    unique(host, kind, limits::MDNS_HOST_TTL_S, data)
}

/// What a service says of itself: where it begins, or nothing (RFC 6763, 6.1).
fn text(path: &str) -> Vec<u8> {
    let said = if path.is_empty() { String::new() } else { format!("path={path}") };
    let mut data = vec![u8::try_from(said.len()).unwrap_or_default()];
    data.extend_from_slice(said.as_bytes());
    data
}

/// A record that nobody else may have.
fn unique(name: &Name, kind: u16, ttl_s: u32, data: Vec<u8>) -> Record {
    Record { name: name.clone(), kind, is_unique: true, ttl_s, data }
}

/// A record beside those of others, which leads to a name.
fn shared(name: &Name, target: &Name) -> Record {
    let data = target.wire().to_vec();
    Record {
        name: name.clone(),
        kind: PTR,
        is_unique: false,
        ttl_s: limits::MDNS_OTHER_TTL_S,
        data,
    }
}

/// That a name has records of these kinds and no others (RFC 6762, 6.1; RFC 4034, 4.1.2).
fn only_has(name: &Name, kinds: &[u16]) -> Record {
    let mut bits = vec![0_u8; usize::from(kinds.last().copied().unwrap_or_default() / 8 + 1)];
    for kind in kinds {
        bits[usize::from(kind / 8)] |= 0x80 >> (kind % 8);
    }
    let mut data = name.wire().to_vec();
    data.extend_from_slice(&[0, u8::try_from(bits.len()).unwrap_or_default()]);
    data.extend_from_slice(&bits);
    unique(name, NSEC, limits::MDNS_HOST_TTL_S, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that listens there.
    fn service(protocol: &'static str, path: &'static str, host: &str) -> Service {
        Service { protocol, path, host: host.parse().unwrap(), port: 6969 }
    }

    /// The names of a house where nobody else has them.
    fn names() -> Names {
        Names { host: Numbered::host("larder"), instance: Numbered::instance("larder on nas") }
    }

    #[test]
    fn the_next_name_has_a_number_and_still_fits() {
        let mut host = Numbered::host("larder");
        assert_eq!(host.label(), "larder");
        host.advance();
        assert_eq!((host.label().as_str(), host.plain()), ("larder-2", "larder"));
        let mut instance = Numbered::instance(&"ä".repeat(31));
        instance.advance();
        assert_eq!(instance.label(), format!("{} (2)", "ä".repeat(29)));
        for _ in 2..=limits::MDNS_NAMES_MAX {
            host.advance();
        }
        assert_eq!(host.label(), "larder", "after the last the first");
    }

    #[test]
    fn a_service_is_found_by_its_type_and_says_where_it_is() {
        let addresses = ["192.168.1.4".parse().unwrap()];
        let services = [service("_http", "/", "0.0.0.0"), service("_ftp", "", "192.168.1.4")];
        let records = records(&names(), &addresses, &services);
        let of = |labels: &[&str], kind: u16| -> Vec<Vec<u8>> {
            let name = Name::of(labels);
            let found = records.iter().filter(|record| record.name == name && record.kind == kind);
            found.map(|record| record.data.clone()).collect()
        };
        assert_eq!(of(&["larder", "local"], A), [[192, 168, 1, 4]]);
        assert_eq!(of(&["_services", "_dns-sd", "_udp", "local"], PTR).len(), 2);
        let instance = ["larder on nas", "_http", "_tcp", "local"];
        assert_eq!(of(&["_http", "_tcp", "local"], PTR), [Name::of(&instance).wire()]);
        assert_eq!(of(&instance, TXT), [b"\x06path=/"]);
        assert_eq!(of(&["larder on nas", "_ftp", "_tcp", "local"], TXT), [[0]]);
        let place = &of(&instance, SRV)[0];
        assert_eq!(place[4..6], 6969_u16.to_be_bytes());
        assert_eq!(&place[6..], Name::of(&["larder", "local"]).wire());
        let mut expected = Name::of(&["larder", "local"]).wire().to_vec();
        expected.extend([0, 1, 0x40]);
        assert_eq!(of(&["larder", "local"], NSEC), [expected], "an A and no AAAA");
    }

    #[test]
    fn what_is_not_to_be_reached_here_is_not_told_here() {
        let addresses: [IpAddr; 1] = ["192.168.1.4".parse().unwrap()];
        for (host, is_told) in [
            ("0.0.0.0", true),
            ("::", true),
            ("192.168.1.4", true),
            ("192.168.1.5", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(service("_ftp", "", host).is_at(&addresses), is_told, "{host}");
        }
        let v6: [IpAddr; 1] = ["fd00::1".parse().unwrap()];
        assert!(!service("_ftp", "", "0.0.0.0").is_at(&v6));
    }
}
