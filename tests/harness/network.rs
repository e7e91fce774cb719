//! A network of a test's own, which nobody else is in: interfaces of one machine that lead nowhere but hear each other
//! (a network namespace with cables), and a small client of multicast DNS that knows nothing of larder's.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Socket, Type};

use super::mounts::{launch_within, mounts_are_given};
use super::wait::PATIENCE;
use super::{Larder, wait};

/// The group of multicast DNS.
const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 0, 251), 5353);

/// The same by IPv6.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// Kinds of records.
pub const A: u16 = 1;
/// See above.
pub const PTR: u16 = 12;
/// See above.
pub const TXT: u16 = 16;
/// See above.
pub const AAAA: u16 = 28;
/// See above.
pub const SRV: u16 = 33;
/// See above.
pub const NSEC: u16 = 47;
/// See above.
pub const ANY: u16 = 255;

/// Keeps a network alive, and ends it when it is dropped.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Runs a test in a network of its own, on a thread of its own. Nothing runs where this machine does not let a test
/// make one, which root may.
#[track_caller]
pub fn in_own_network(test: impl FnOnce() + Send + 'static) {
    if !mounts_are_given() {
        std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: no networks of one's own here\n",
        )
        .ok();
        return;
    }
    let thread = std::thread::spawn(move || {
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        let holder = Command::new("unshare").args(["--net", "sleep", "1000"]).spawn().unwrap();
        let holder = Holder(holder);
        let place = format!("/proc/{}/ns/net", holder.0.id());
        wait::until("a network of its own", || {
            std::fs::read_link(&place).is_ok_and(|its| its != ours)
        });
        let network = File::open(&place).unwrap();
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        ip("link set lo up");
        test();
    });
    if let Err(cause) = thread.join() {
        std::panic::resume_unwind(cause);
    }
}

/// `ip(8)` in this thread's network.
#[track_caller]
pub fn ip(words: &str) {
    let told = Command::new("ip").args(words.split(' ')).stderr(Stdio::inherit()).status().unwrap();
    assert!(told.success(), "ip {words}");
}

/// An interface with this address, such as `192.168.7.4/24`.
#[track_caller]
pub fn plug_in(name: &str, address: &str) {
    ip(&format!("link add name {name} type veth peer name {name}-end"));
    ip(&format!("addr add {address} dev {name}"));
    ip(&format!("link set {name}-end up"));
    ip(&format!("link set {name} up"));
}

/// Starts a larder in this thread's network that listens there, such as at `0.0.0.0`.
#[track_caller]
pub fn launch_in_network(larder: Larder, host: &str) -> Larder {
    launch_within(larder, &format!("mount -t sysfs sysfs /sys; exec \"$@\" --host {host}"))
}

/// A record as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of what, labels with dots between.
    pub name: String,
    /// Which kind.
    pub kind: u16,
    /// Whether it replaces those of others.
    pub is_unique: bool,
    /// How long it holds (s).
    pub ttl: u32,
    /// The rest.
    pub data: Vec<u8>,
    /// The name in it, if there is one.
    pub target: String,
}

/// A packet as it was heard.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Whether it answers.
    pub is_answer: bool,
    /// Names that are asked for.
    pub questions: Vec<String>,
    /// All records in it.
    pub records: Vec<Record>,
}

/// Hears and asks in one network.
pub struct Ear {
    /// The socket.
    socket: UdpSocket,
    /// Where all are.
    group: SocketAddr,
}

impl Ear {
    /// At the interface that has this address; `port` 5353 hears what is told to all.
    #[track_caller]
    pub fn at(address: [u8; 4], port: u16) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.set_multicast_all_v4(false).unwrap();
        let at = if port == GROUP.1 { GROUP.0 } else { address.into() };
        socket.bind(&SocketAddr::from((at, port)).into()).unwrap();
        socket.join_multicast_v4(&GROUP.0, &address.into()).unwrap();
        socket.set_multicast_if_v4(&address.into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self { socket: socket.into(), group: GROUP.into() }
    }

    /// At an interface of this name by IPv6; hears what is told to all there.
    #[track_caller]
    pub fn at_v6(interface: &str) -> Self {
        let told = Command::new("ip").args(["-o", "link", "show", interface]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let index: u32 = told.split(':').next().unwrap().parse().unwrap();
        let group = SocketAddr::V6(SocketAddrV6::new(GROUP_V6, GROUP.1, 0, index));
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.bind(&group.into()).unwrap();
        socket.join_multicast_v6(&GROUP_V6, index).unwrap();
        socket.set_multicast_if_v6(index).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self { socket: socket.into(), group }
    }

    /// Says something to all.
    pub fn shout(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.group).unwrap();
    }

    /// Asks all.
    pub fn ask(&self, name: &str, kind: u16) {
        self.shout(&question(7, name, kind));
    }

    /// The next packet, our own too, if one comes soon. What is none is passed over.
    pub fn next(&self) -> Option<Packet> {
        let mut space = [0; 9000];
        loop {
            let length = self.socket.recv(&mut space).ok()?;
            if let Some(packet) = read(&space[..length]) {
                return Some(packet);
            }
        }
    }

    /// Waits for a record like that.
    #[track_caller]
    pub fn hears(&self, what: &str, is_it: impl Fn(&Record) -> bool) -> Record {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let Some(packet) = self.next().filter(|packet| packet.is_answer) else { continue };
            if let Some(found) = packet.records.into_iter().find(&is_it) {
                return found;
            }
        }
        panic!("not heard: {what}");
    }

    /// Asks until a record of that name and kind comes: one packet may be lost.
    #[track_caller]
    pub fn finds(&self, name: &str, kind: u16) -> Record {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.ask(name, kind);
            let again = Instant::now() + Duration::from_millis(1500);
            while Instant::now() < again {
                let Some(packet) = self.next().filter(|packet| packet.is_answer) else { continue };
                let is_it =
                    |record: &Record| record.name == name && record.kind == kind && record.ttl > 0;
                if let Some(found) = packet.records.into_iter().find(is_it) {
                    return found;
                }
            }
        }
        panic!("not found: {name} ({kind})");
    }

    /// Forgets what has come so far.
    pub fn forget(&self) {
        for _ in 0..1000 {
            if self.next().is_none() {
                return;
            }
        }
    }
}

/// A name on the wire; a label may have blanks, none has dots.
fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire
}

/// A head with these counts.
pub fn head(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let numbers = [id, flags].into_iter().chain(counts);
    numbers.flat_map(u16::to_be_bytes).collect()
}

/// A packet with one question.
pub fn question(id: u16, name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = head(id, 0, [1, 0, 0, 0]);
    bytes.extend(wire_name(name));
    bytes.extend(kind.to_be_bytes());
    bytes.extend(1_u16.to_be_bytes());
    bytes
}

/// A packet that says that a name has an address, as its only owner.
pub fn claim(name: &str, address: [u8; 4]) -> Vec<u8> {
    let mut bytes = head(0, 0x8400, [0, 1, 0, 0]);
    bytes.extend(wire_name(name));
    bytes.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4]);
    bytes.extend(address);
    bytes
}

/// Reads a packet; nothing if it is none, as the hostile ones that a test sends, which it hears too.
fn read(bytes: &[u8]) -> Option<Packet> {
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let mut at = 12;
    let mut questions = Vec::new();
    for _ in 0..number(4)? {
        questions.push(name_at(bytes, &mut at)?);
        at += 4;
    }
    let mut records = Vec::new();
    for _ in 0..u32::from(number(6)?) + u32::from(number(8)?) + u32::from(number(10)?) {
        let name = name_at(bytes, &mut at)?;
        let (kind, class) = (number(at)?, number(at + 2)?);
        let ttl = u32::from(number(at + 4)?) << 16 | u32::from(number(at + 6)?);
        let length = usize::from(number(at + 8)?);
        at += 10;
        let data = bytes.get(at..at + length)?.to_vec();
        let mut inner = at + if kind == SRV { 6 } else { 0 };
        let has_target = matches!(kind, PTR | SRV);
        let target = if has_target { name_at(bytes, &mut inner)? } else { String::new() };
        at += length;
        records.push(Record { name, kind, is_unique: class & 0x8000 != 0, ttl, data, target });
    }
    Some(Packet { is_answer: number(2)? & 0x8000 != 0, questions, records })
}

/// The name there, and after it.
fn name_at(bytes: &[u8], at: &mut usize) -> Option<String> {
    let (mut labels, mut here, mut end) = (Vec::new(), *at, None);
    // No name has more labels than this, and no pointers of larder's lead to others.
    for _ in 0..256 {
        let length = usize::from(*bytes.get(here)?);
        if length == 0 {
            *at = end.unwrap_or(here + 1);
            return Some(labels.join("."));
        }
        if length >= 0xc0 {
            end = end.or(Some(here + 2));
            here = (length & 0x3f) << 8 | usize::from(*bytes.get(here + 1)?);
            continue;
        }
        labels.push(String::from_utf8_lossy(bytes.get(here + 1..=here + length)?).into_owned());
        here += 1 + length;
    }
    None
}
