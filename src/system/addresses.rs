//! The addresses of the machine in the network, and where it is to be opened there.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

/// An address that nobody has (RFC 5737): asking how one would come there sends nothing.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// The kernel's flag of an address that is for a while only (`IFA_F_TEMPORARY`).
const TEMPORARY: u32 = 0x01;

/// The kernel's flags of interfaces (netdevice(7)): it is in use;
const IS_UP: u32 = 0x1;
/// it is the machine itself;
const IS_LOOPBACK: u32 = 0x8;
/// there is one other at its end;
const IS_TUNNEL: u32 = 0x10;
/// it takes what is for many.
const HEARS_MANY: u32 = 0x1000;

/// What to open for a server that listens there: each of the machine's addresses in the network, the one that other
/// devices most likely reach first, or the one that was asked for.
pub fn urls(address: SocketAddr) -> Vec<String> {
    let url = |ip: IpAddr| format!("http://{}/", SocketAddr::new(ip, address.port()));
    if !address.ip().is_unspecified() {
        return vec![url(address.ip())];
    }
    let found = in_network(address.is_ipv6()).into_iter();
    found.chain([IpAddr::from([127, 0, 0, 1])]).map(url).collect()
}

/// The address by which a phone in the house most likely reaches the machine; none without a network.
pub fn in_house() -> Option<IpAddr> {
    in_network(false).into_iter().next()
}

/// The addresses by which others reach the machine, in no order. Those that IPv6 takes for a day, to be known by nobody
/// (RFC 8981), are not among them: nobody comes by them, and each day they are others. Nor are those of interfaces that
/// are plugged into a bridge, which has the address of them all: with every container one comes and goes.
pub fn lasting() -> Vec<IpAddr> {
    let passing = passing(&super::names::text_of("/proc/net/if_inet6"));
    let mut found = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() {
        let own = networks.iter().filter(|(name, _)| !is_plugged(name.as_ref()));
        found.extend(own.flat_map(|(_, data)| data.ip_networks()).map(|network| network.addr));
    }
    found.retain(|ip| !passing.contains(ip));
    found
}

/// A way into a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub is_up: bool,
    /// Whether what is sent to many is heard there: it is no tunnel, and not the machine itself.
    pub hears_many: bool,
    /// Its addresses that last, each with the bits that its network begins with.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// The machine's interfaces, by number, but for those that are plugged into a bridge.
pub fn interfaces() -> Vec<Interface> {
    let passing = passing(&super::names::text_of("/proc/net/if_inet6"));
    let networks = sysinfo::Networks::new_with_refreshed_list();
    let own = networks.iter().flatten().filter(|(name, _)| !is_plugged(name.as_ref()));
    let read = |(name, data): (&OsString, &sysinfo::NetworkData)| {
        let name = name.to_str()?;
        let told = |what: &str| super::names::text_of(&format!("/sys/class/net/{name}/{what}"));
        let flags = told("flags");
        let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).ok()?;
        let mut addresses: Vec<(IpAddr, u8)> =
            data.ip_networks().iter().map(|network| (network.addr, network.prefix)).collect();
        addresses.retain(|(ip, _)| !passing.contains(ip));
        addresses.sort_unstable();
        Some(Interface {
            index: told("ifindex").trim().parse().ok()?,
            name: name.to_owned(),
            // Without a cable, or a wireless network, nobody hears; what cannot tell is taken to have one.
            is_up: flags & IS_UP != 0 && told("carrier").trim() != "0",
            hears_many: flags & (IS_LOOPBACK | IS_TUNNEL) == 0 && flags & HEARS_MANY != 0,
            addresses,
        })
    };
    let mut found: Vec<Interface> = own.filter_map(read).collect();
    found.sort_by_key(|interface| interface.index);
    found
}

/// Whether an interface is a port of a bridge.
fn is_plugged(interface: &OsStr) -> bool {
    Path::new("/sys/class/net").join(interface).join("brport").exists()
}

/// The temporary addresses in the kernel's list: each line has an address, three numbers, its flags and its interface.
fn passing(list: &str) -> Vec<IpAddr> {
    let read = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        (flags & TEMPORARY != 0).then_some(IpAddr::V6(Ipv6Addr::from_bits(address)))
    };
    list.lines().filter_map(read).collect()
}

/// The machine's addresses, in that order: of the house, towards the router, then the others.
fn in_network(with_ipv6: bool) -> Vec<IpAddr> {
    let is_useful = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        // A link-local address would need its zone, which browsers don't take.
        IpAddr::V6(ip) => with_ipv6 && *ip != Ipv6Addr::LOCALHOST && !ip.is_unicast_link_local(),
    };
    let mut found: Vec<IpAddr> = Vec::new();
    if let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() {
        let addresses = networks.values().flat_map(sysinfo::NetworkData::ip_networks);
        found.extend(addresses.map(|network| network.addr).filter(is_useful));
    }
    let outward = outward();
    found.sort_by_key(|ip| (!is_of_house(ip), Some(*ip) != outward, *ip));
    found
}

/// Whether an address is one of a house's own (RFC 1918).
const fn is_of_house(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_private())
}

/// The address that we have towards the router.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_for_a_day_are_told_from_those_that_last() {
        let list = "00000000000000000000000000000001 01 80 10 80       lo\n\
                    fd000000000000000000000000000001 02 40 00 80     eth0\n\
                    fd000000000000000000000000000abc 02 40 00 01     eth0\n\
                    fd000000000000000000000000000def 02 40 00 21     eth0\n\
                    nonsense\n\n";
        let expected: Vec<IpAddr> =
            ["fd00::abc", "fd00::def"].iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(passing(list), expected);
        let lasting = lasting();
        assert!(lasting.contains(&Ipv4Addr::LOCALHOST.into()), "{lasting:?}");
    }

    #[test]
    fn the_machine_itself_is_an_interface_that_hears_one_alone() {
        let all = interfaces();
        let own = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(!own.hears_many, "{own:?}");
    }

    #[test]
    fn an_address_that_was_asked_for_is_the_only_url() {
        assert_eq!(urls("127.0.0.1:80".parse().unwrap()), ["http://127.0.0.1:80/"]);
        assert_eq!(urls("[::1]:81".parse().unwrap()), ["http://[::1]:81/"]);
        let all = urls("0.0.0.0:82".parse().unwrap());
        assert_eq!(all.last().unwrap(), "http://127.0.0.1:82/");
        assert!(in_house().is_none_or(|ip| all[0] == format!("http://{ip}:82/")), "{all:?}");
    }
}
