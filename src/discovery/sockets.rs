//! The sockets of one network, and what tells that networks have changed.
//!
//! A socket is bound to the group itself and has joined it on one interface alone, so that it hears what is sent to all
//! there and nothing else: no packet that comes to the machine's address, from wherever, is ever read here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

use rustix::fd::OwnedFd;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, sockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::link::PORT;
use super::networks::Network;

/// Where multicast DNS is spoken by IPv4.
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The same by IPv6.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// By which those who want to see that a packet comes from their own network could tell (RFC 6762, 11).
const TTL: u32 = 255;

/// The kernel's groups of news: interfaces, and addresses of both families (rtnetlink(7)).
const NEWS: u32 = 0x1 | 0x10 | 0x100;

/// A way to all in one network.
pub struct Mouth {
    /// The socket.
    pub socket: UdpSocket,
    /// Where all are.
    group: SocketAddr,
}

impl Mouth {
    /// One for each family that the network's addresses have.
    ///
    /// Errors: why there is none at all, or not all.
    pub fn open_all(network: &Network) -> (Vec<Self>, Option<io::Error>) {
        let (mut mouths, mut trouble) = (Vec::new(), None);
        let has = |is_it: fn(&IpAddr) -> bool| network.addresses.iter().any(|(ip, _)| is_it(ip));
        if has(IpAddr::is_ipv4) {
            match Self::open_v4(network.index) {
                Ok(mouth) => mouths.push(mouth),
                Err(cause) => trouble = Some(cause),
            }
        }
        if has(IpAddr::is_ipv6) {
            match Self::open_v6(network.index) {
                Ok(mouth) => mouths.push(mouth),
                Err(cause) => trouble = Some(cause),
            }
        }
        (mouths, trouble)
    }

    /// For IPv4.
    fn open_v4(index: u32) -> io::Result<Self> {
        let group = SocketAddr::from((GROUP_V4, PORT));
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        share(&socket)?;
        socket.set_multicast_all_v4(false)?;
        socket.bind(&group.into())?;
        socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(index))?;
        socket.set_multicast_ttl_v4(TTL)?;
        socket.set_ttl_v4(TTL)?;
        sockopt::set_ip_multicast_if_with_ifindex(
            &socket,
            &Ipv4Addr::UNSPECIFIED,
            &Ipv4Addr::UNSPECIFIED,
            index,
        )?;
        Ok(Self { socket: socket.into(), group })
    }

    /// For IPv6.
    fn open_v6(index: u32) -> io::Result<Self> {
        let group = SocketAddr::V6(SocketAddrV6::new(GROUP_V6, PORT, 0, index));
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        share(&socket)?;
        socket.set_only_v6(true)?;
        socket.set_multicast_all_v6(false)?;
        socket.bind(&group.into())?;
        socket.join_multicast_v6(&GROUP_V6, index)?;
        socket.set_multicast_if_v6(index)?;
        socket.set_multicast_hops_v6(TTL)?;
        socket.set_unicast_hops_v6(TTL)?;
        Ok(Self { socket: socket.into(), group })
    }

    /// Sends a packet. One that does not arrive is one that the network has lost, which it may.
    pub fn send(&self, to: Option<SocketAddr>, bytes: &[u8]) {
        let _lost = self.socket.send_to(bytes, to.unwrap_or(self.group));
    }
}

/// Others on this machine may speak it too, avahi for one.
fn share(socket: &Socket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)
}

/// Hears of it when interfaces or addresses come or go.
pub struct News(OwnedFd);

impl News {
    /// From now on.
    ///
    /// Errors: the kernel does not tell.
    pub fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // The protocol that is none in particular is that of networks (`NETLINK_ROUTE`).
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, NEWS))?;
        Ok(Self(socket))
    }

    /// What wakes.
    pub const fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// Takes what was told; that it was is enough.
    pub fn take(&self) {
        let mut news = [0_u8; 4096];
        // What was too much to keep is told as an error, once, and is news as well.
        while !matches!(
            rustix::net::recv(&self.0, &mut news, RecvFlags::empty()),
            Err(rustix::io::Errno::AGAIN) | Ok((0, _))
        ) {}
    }
}
