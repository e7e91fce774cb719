//! In which networks larder is announced, and by which of the machine's addresses there: the one place that decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits;
use crate::system::Interface;

/// A network in which larder is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The interface's number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// By which addresses larder is reached there, each with the bits that its network begins with.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl Network {
    /// The addresses alone.
    pub fn ips(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|(ip, _)| *ip).collect()
    }
}

/// The networks, and addresses, for a server that listens at this address: of a house, never public ones.
///
/// An interface with an address of IPv4 that anybody reaches is a rented server's. One that has only such addresses of
/// IPv6 besides the link's is as likely one. A house has private addresses, or nothing but the link's own.
pub fn announced(interfaces: &[Interface], listens: IpAddr) -> Vec<Network> {
    let fits =
        |interface: &&Interface| interface.is_up && interface.hears_many && is_house(interface);
    let networks = interfaces.iter().filter(fits).map(|interface| Network {
        index: interface.index,
        name: interface.name.clone(),
        addresses: told(interface, listens),
    });
    let networks = networks.filter(|network| !network.addresses.is_empty());
    networks.take(limits::MDNS_NETWORKS_MAX).collect()
}

/// Whether an interface leads into a house.
fn is_house(interface: &Interface) -> bool {
    let ips = || interface.addresses.iter().map(|(ip, _)| *ip);
    let is_public = |ip: IpAddr| !is_private(ip) && !is_of_link(ip);
    !ips().any(|ip| ip.is_ipv4() && is_public(ip))
        && (ips().any(is_private) || (ips().any(is_of_link) && !ips().any(is_public)))
}

/// The addresses that are told there. Those of the link need their zone, which browsers do not take: they are told only
/// where there are no others.
fn told(interface: &Interface, listens: IpAddr) -> Vec<(IpAddr, u8)> {
    let is_reached = |ip: IpAddr| match listens {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => ip.is_ipv4(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => true,
        one => ip == one,
    };
    let told = |is_meant: fn(IpAddr) -> bool| {
        let addresses = interface.addresses.iter().copied();
        let meant = addresses.filter(move |(ip, _)| is_reached(*ip) && is_meant(*ip));
        meant.take(limits::MDNS_ADDRESSES_MAX).collect::<Vec<_>>()
    };
    let lasting = told(is_private);
    if lasting.is_empty() { told(is_of_link) } else { lasting }
}

/// Whether an address is of a house's own network (RFC 1918, RFC 4193).
const fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// Whether an address holds on its link alone (RFC 3927, RFC 4291).
const fn is_of_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Whether an address lies in the network of one of ours.
pub fn is_beside(ours: &[(IpAddr, u8)], theirs: IpAddr) -> bool {
    let shared = |a: u128, b: u128, bits: u8, of: u32| {
        (a ^ b).checked_shr(of.saturating_sub(u32::from(bits))).unwrap_or_default() == 0
    };
    is_of_link(theirs)
        || ours.iter().any(|(ip, bits)| match (ip, theirs) {
            (IpAddr::V4(ip), IpAddr::V4(theirs)) => {
                shared(ip.to_bits().into(), theirs.to_bits().into(), *bits, 32)
            }
            (IpAddr::V6(ip), IpAddr::V6(theirs)) => {
                shared(ip.to_bits(), theirs.to_bits(), *bits, 128)
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An interface that is up and hears what is for many.
    fn interface(addresses: &[&str]) -> Interface {
        let read = |text: &&str| {
            let (ip, bits) = text.split_once('/').unwrap();
            (ip.parse().unwrap(), bits.parse().unwrap())
        };
        Interface {
            index: 2,
            name: "eth0".to_owned(),
            is_up: true,
            hears_many: true,
            addresses: addresses.iter().map(read).collect(),
        }
    }

    /// What is told of an interface with these addresses by a server that listens there.
    fn told_of(addresses: &[&str], listens: &str) -> Vec<String> {
        let found = announced(&[interface(addresses)], listens.parse().unwrap());
        found.iter().flat_map(Network::ips).map(|ip| ip.to_string()).collect()
    }

    #[test]
    fn a_house_is_told_and_nobody_else() {
        let nobody: [&str; 0] = [];
        assert_eq!(told_of(&["192.168.1.4/24", "fe80::1/64"], "0.0.0.0"), ["192.168.1.4"]);
        assert_eq!(told_of(&["10.0.0.4/8", "2001:db8::4/64"], "0.0.0.0"), ["10.0.0.4"]);
        assert_eq!(told_of(&["169.254.7.7/16"], "0.0.0.0"), ["169.254.7.7"]);
        assert_eq!(told_of(&["203.0.113.4/24", "fe80::1/64"], "::"), nobody, "a rented server");
        assert_eq!(
            told_of(&["203.0.113.4/24", "10.0.0.4/8"], "0.0.0.0"),
            nobody,
            "its inner network too"
        );
        assert_eq!(told_of(&["2001:db8::4/64", "fe80::1/64"], "::"), nobody);
        assert_eq!(told_of(&["100.64.0.4/10"], "0.0.0.0"), nobody, "of a provider (RFC 6598)");
        assert_eq!(told_of(&["127.0.0.1/8", "::1/128"], "::"), nobody);
        assert_eq!(told_of(&[], "::"), nobody);
    }

    #[test]
    fn only_what_larder_listens_at_is_told() {
        let addresses = ["192.168.1.4/24", "192.168.1.5/24", "fd00::4/64", "fe80::1/64"];
        assert_eq!(told_of(&addresses, "0.0.0.0"), ["192.168.1.4", "192.168.1.5"]);
        assert_eq!(told_of(&addresses, "::"), ["192.168.1.4", "192.168.1.5", "fd00::4"]);
        assert_eq!(told_of(&addresses, "192.168.1.5"), ["192.168.1.5"]);
        assert!(told_of(&addresses, "127.0.0.1").is_empty());
        assert!(told_of(&addresses, "192.168.1.9").is_empty());
        assert_eq!(told_of(&["fe80::1/64"], "::"), ["fe80::1"], "where there is nothing else");
    }

    #[test]
    fn an_interface_that_is_down_or_hears_one_alone_is_passed_over() {
        let down = Interface { is_up: false, ..interface(&["192.168.1.4/24"]) };
        let tunnel = Interface { hears_many: false, ..interface(&["10.8.0.2/24"]) };
        assert!(announced(&[down, tunnel], Ipv4Addr::UNSPECIFIED.into()).is_empty());
        let many: Vec<Interface> = (0..40).map(|_| interface(&["10.0.0.1/24"])).collect();
        let networks = announced(&many, Ipv4Addr::UNSPECIFIED.into());
        assert_eq!(networks.len(), limits::MDNS_NETWORKS_MAX);
    }

    #[test]
    fn neighbours_are_told_from_strangers() {
        let ours = [("192.168.1.4".parse().unwrap(), 24), ("fd00::4".parse().unwrap(), 64)];
        for (theirs, is) in [
            ("192.168.1.77", true),
            ("192.168.2.77", false),
            ("8.8.8.8", false),
            ("fd00::9", true),
            ("fd01::9", false),
            ("fe80::9", true),
            ("169.254.1.1", true),
        ] {
            assert_eq!(is_beside(&ours, theirs.parse().unwrap()), is, "{theirs}");
        }
        let all = [("10.0.0.1".parse().unwrap(), 0)];
        assert!(is_beside(&all, "8.8.8.8".parse().unwrap()));
        let one = [("10.0.0.1".parse().unwrap(), 32)];
        assert!(!is_beside(&one, "10.0.0.2".parse().unwrap()));
    }
}
