//! Who is connected: the caps on connections, and which connection makes room for another.
//! Knows no HTTP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ext::Limits;
use crate::link::Pulse;

/// The connection has a request at work.
const BUSY: u64 = u64::MAX;

/// A client that takes or brings nothing for so long makes room when there is no other; shorter ones
/// are the network's.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The connection was told to go.
const EVICTED: u64 = u64::MAX - 1;

/// Locks, also after a panic: what these locks guard is never left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All connections.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Who sits where.
    seats: Mutex<Seats>,
    /// Told whenever a seat becomes free.
    freed: Condvar,
    /// The moment from which idleness is counted.
    started: Instant,
}

/// The taken seats.
#[derive(Debug, Default)]
struct Seats {
    /// The next seat's number.
    next: u64,
    /// The connections.
    taken: HashMap<u64, Arc<Occupant>>,
    /// How many each address has.
    per_address: HashMap<IpAddr, usize>,
}

/// What is known of a connection from outside its thread.
#[derive(Debug)]
struct Occupant {
    /// The address as the caps count it.
    address: IpAddr,
    /// To shut it down from outside.
    socket: Arc<TcpStream>,
    /// Since when it waits for its other end.
    pulse: Arc<Pulse>,
    /// `BUSY`, `EVICTED`, or since when it is idle: microseconds since the registry started.
    /// Idleness starts with the connection and with each completed answer, never with a byte, so
    /// that a dripping client ages like a silent one.
    idle_since: AtomicU64,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Registry {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { seats: Mutex::default(), freed: Condvar::new(), started: Instant::now() }
    }

    /// Takes a seat for a connection if the caps leave one. Does not wait.
    pub(crate) fn take_seat(
        self: &Arc<Self>,
        socket: &Arc<TcpStream>,
        address: IpAddr,
        limits: &Limits,
    ) -> Result<Seat, Full> {
        let address = counted_address(address);
        let mut seats = lock(&self.seats);
        let of_address = seats.per_address.get(&address).copied().unwrap_or(0);
        if seats.taken.len() >= limits.connections_max
            || of_address >= limits.connections_per_address_max
        {
            return Err(Full);
        }
        let number = seats.next;
        seats.next += 1;
        let occupant = Arc::new(Occupant {
            address,
            socket: Arc::clone(socket),
            pulse: Arc::new(Pulse::new()),
            idle_since: AtomicU64::new(self.now()),
        });
        seats.taken.insert(number, Arc::clone(&occupant));
        seats.per_address.insert(address, of_address + 1);
        Ok(Seat { registry: Arc::clone(self), number, occupant })
    }

    /// Tells the connection that is idle for longest to go: one of `address` if that address is at
    /// its cap (or any, without an address). Where all are busy the one goes whose client pauses for
    /// longest. Returns whether one goes.
    pub(crate) fn evict(&self, address: Option<IpAddr>, limits: &Limits) -> bool {
        let seats = lock(&self.seats);
        let crowded = address.map(counted_address).filter(|address| {
            seats.per_address.get(address).is_some_and(|&n| n >= limits.connections_per_address_max)
        });
        // Whoever starts working in this very moment is lost as a candidate; a few tries suffice.
        for _ in 0..8 {
            let oldest = seats
                .taken
                .values()
                .filter(|occupant| crowded.is_none_or(|address| occupant.address == address))
                .map(|occupant| (occupant.idle_since.load(Ordering::SeqCst), occupant))
                .filter(|(since, _)| *since < EVICTED)
                .min_by_key(|(since, _)| *since);
            match oldest {
                None => break,
                Some((since, occupant)) if occupant.send_away(since) => return true,
                Some(_) => {}
            }
        }
        let is_asked =
            |occupant: &&Arc<Occupant>| crowded.is_none_or(|address| occupant.address == address);
        let pausing = seats.taken.values().filter(is_asked).filter(|occupant| occupant.is_busy());
        let longest = pausing.max_by_key(|occupant| occupant.pulse.pause());
        longest.is_some_and(|one| one.pulse.pause() >= PAUSE_MIN && one.send_away(BUSY))
    }

    /// Waits until a seat becomes free, or for `wait`.
    pub(crate) fn wait_for_leave(&self, wait: Duration, is_enough: impl Fn(usize) -> bool) -> bool {
        let until = Instant::now() + wait;
        let mut seats = lock(&self.seats);
        while !is_enough(seats.taken.len()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            seats = self.freed.wait_timeout(seats, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Tells all idle connections to go.
    pub(crate) fn evict_all_idle(&self) {
        for occupant in lock(&self.seats).taken.values() {
            let since = occupant.idle_since.load(Ordering::SeqCst);
            if since < EVICTED {
                let _busy_by_now = occupant.send_away(since);
            }
        }
    }

    /// Cuts all connections, whatever they do.
    pub(crate) fn cut_all(&self) {
        for occupant in lock(&self.seats).taken.values() {
            let _gone = occupant.socket.shutdown(Shutdown::Both);
        }
    }

    /// Connections now.
    pub(crate) fn len(&self) -> usize {
        lock(&self.seats).taken.len()
    }

    /// Microseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(EVICTED - 1)
    }
}

impl Occupant {
    /// Whether it has a request at work.
    fn is_busy(&self) -> bool {
        self.idle_since.load(Ordering::SeqCst) == BUSY
    }

    /// Marks it as gone and wakes it, unless it is no longer as it was: idle since `since`, or `BUSY`.
    fn send_away(&self, since: u64) -> bool {
        let was_idle = self
            .idle_since
            .compare_exchange(since, EVICTED, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if was_idle {
            let _gone = self.socket.shutdown(Shutdown::Both);
        }
        was_idle
    }
}

/// The right to be connected; given back when dropped, whatever happens.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Where it is given back.
    registry: Arc<Registry>,
    /// Its number.
    number: u64,
    /// What others know of it.
    occupant: Arc<Occupant>,
}

impl Seat {
    /// To be told when the other end is waited for.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.occupant.pulse)
    }

    /// Starts a request. `false`: the connection was told to go meanwhile.
    pub(crate) fn become_busy(&self) -> bool {
        let since = self.occupant.idle_since.load(Ordering::SeqCst);
        since != EVICTED
            && self
                .occupant
                .idle_since
                .compare_exchange(since, BUSY, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
    }

    /// A request is done: from now on this connection may be told to go.
    pub(crate) fn become_idle(&self) {
        self.occupant.idle_since.store(self.registry.now(), Ordering::SeqCst);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.registry.seats);
        seats.taken.remove(&self.number);
        let address = self.occupant.address;
        if let Some(count) = seats.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                seats.per_address.remove(&address);
            }
        }
        drop(seats);
        self.registry.freed.notify_all();
    }
}

/// The address as the caps count it: IPv4 as it is, IPv6 by its /64.
fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A socket to sit with.
    fn socket() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        Arc::new(TcpStream::connect(listener.local_addr().expect("bound")).expect("connects"))
    }

    #[test]
    fn ipv6_counts_by_household() {
        let counted = |text: &str| counted_address(text.parse().expect("an address"));
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
    }

    #[test]
    fn the_longest_idle_makes_room_and_the_busy_stay() {
        let limits = Limits { connections_max: 2, ..Limits::default() };
        let registry = Arc::new(Registry::new());
        let (socket, address) = (socket(), IpAddr::from([192, 0, 2, 1]));
        let first = registry.take_seat(&socket, address, &limits).expect("room");
        let second = registry.take_seat(&socket, address, &limits).expect("room");
        assert_eq!(registry.take_seat(&socket, address, &limits).err(), Some(Full));
        first.become_idle();
        assert!(registry.evict(Some(address), &limits));
        assert!(!second.become_busy(), "the second was idle for longer");
        assert!(first.become_busy());
        assert!(!registry.evict(None, &limits), "nobody idle is left");
        drop(second);
        assert_eq!(registry.len(), 1);
        assert!(registry.take_seat(&socket, address, &limits).is_ok());
    }

    #[test]
    fn where_all_are_busy_whoever_pauses_longest_makes_room() {
        let limits = Limits { connections_max: 2, ..Limits::default() };
        let registry = Arc::new(Registry::new());
        let (socket, address) = (socket(), IpAddr::from([192, 0, 2, 1]));
        let reading = registry.take_seat(&socket, address, &limits).expect("room");
        let pausing = registry.take_seat(&socket, address, &limits).expect("room");
        assert!(reading.become_busy() && pausing.become_busy());
        assert!(!registry.evict(None, &limits), "nobody pauses");
        let pulse = pausing.pulse();
        let (go_on, pause) = std::sync::mpsc::channel::<()>();
        let paused = std::thread::spawn(move || pulse.during(|| pause.recv()));
        while pausing.pulse().pause() < PAUSE_MIN {
            std::thread::yield_now();
        }
        assert!(registry.evict(None, &limits));
        assert!(!pausing.occupant.is_busy() && reading.occupant.is_busy());
        go_on.send(()).expect("it waits");
        paused.join().expect("no panic").expect("it was told");
        assert_eq!(pausing.pulse().pause(), Duration::ZERO);
    }

    #[test]
    fn at_its_own_cap_an_address_makes_its_own_room() {
        let limits =
            Limits { connections_max: 10, connections_per_address_max: 1, ..Limits::default() };
        let registry = Arc::new(Registry::new());
        let socket = socket();
        let (ours, theirs) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let other = registry.take_seat(&socket, theirs, &limits).expect("room");
        let own = registry.take_seat(&socket, ours, &limits).expect("room");
        assert_eq!(registry.take_seat(&socket, ours, &limits).err(), Some(Full));
        assert!(registry.evict(Some(ours), &limits));
        assert!(!own.become_busy());
        assert!(other.become_busy(), "the neighbour is left alone");
    }
}
