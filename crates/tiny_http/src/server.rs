//! The server: what connections share, and how workers get their requests.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::ext::{AtHome, Counters, Limits, Refuse, Secured, TlsSource, plain_refusal};
use crate::link::Traffic;
use crate::queue::Queue;
use crate::registry::{Registry, lock};
use crate::request::Request;

/// Time that connections get to notice that they were cut.
const CUT_TIME: Duration = Duration::from_secs(1);

/// What all connections of a server share.
pub(crate) struct Shared {
    /// What is taken from strangers.
    pub(crate) limits: Limits,
    /// Renders refusals.
    pub(crate) refuse: Refuse,
    /// What is answered on the connections' own threads; the rest goes to the workers.
    pub(crate) at_home: Option<AtHome>,
    /// Requests for the workers.
    pub(crate) queue: Queue,
    /// What TLS connections are made from, if there are any.
    pub(crate) tls: Option<TlsSource>,
    /// The connections.
    pub(crate) registry: Arc<Registry>,
    /// Whether the server is ending.
    draining: AtomicBool,
    /// See `Counters`.
    pub(crate) accepted: AtomicU64,
    /// See `Counters`.
    pub(crate) turned_away: AtomicU64,
    /// See `Counters`.
    pub(crate) evicted: AtomicU64,
    /// See `Counters`.
    pub(crate) requests: AtomicU64,
    /// See `Counters`.
    pub(crate) refused: AtomicU64,
    /// See `Counters`.
    pub(crate) accept_failures: AtomicU64,
    /// See `Counters`.
    pub(crate) thread_failures: AtomicU64,
    /// What has come and gone.
    pub(crate) traffic: Arc<Traffic>,
}

impl Shared {
    /// Whether the server is ending: nothing new begins, answers close their connections.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// What is spoken at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// HTTP, plain or over TLS: the first byte decides.
    Both,
    /// HTTP over TLS alone.
    TlsAlone,
}

/// The address a server listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddr {
    /// A TCP address.
    IP(SocketAddr),
}

impl ListenAddr {
    /// The TCP address; always `Some`.
    pub fn to_ip(self) -> Option<SocketAddr> {
        let Self::IP(address) = self;
        Some(address)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::IP(address) = self;
        address.fmt(out)
    }
}

/// The accepting side.
struct Acceptor {
    /// Shared with its thread; shutting it down wakes that thread.
    listener: Arc<TcpListener>,
    /// The thread.
    thread: JoinHandle<()>,
}

/// A server. Workers share it and call `recv`.
pub struct Server {
    /// What connections see of it.
    shared: Arc<Shared>,
    /// None are left once it stopped accepting.
    acceptors: Mutex<Vec<Acceptor>>,
    /// Where it listens, or listened.
    address: SocketAddr,
}

impl Server {
    /// Listens on `address` with the default limits.
    ///
    /// Errors: the address is malformed or taken.
    pub fn http(address: impl ToSocketAddrs) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Self::from_listener(TcpListener::bind(address)?)
    }

    /// Serves a listener with the default limits. (The published crate takes a TLS setting
    /// besides; here TLS has its own constructor.)
    pub fn from_listener(
        listener: impl Into<TcpListener>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::start(listener.into(), Limits::default(), plain_refusal)?)
    }

    /// See `start`.
    pub(crate) fn serve(
        listener: TcpListener,
        limits: Limits,
        refuse: Refuse,
        at_home: Option<AtHome>,
        secured: Option<Secured>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tls, alone) = match secured {
            Some(Secured { source, alone }) => (Some(source), alone),
            None => (None, None),
        };
        let shared = Arc::new(Shared {
            limits,
            refuse,
            at_home,
            tls,
            queue: Queue::new(),
            registry: Arc::new(Registry::new()),
            draining: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            accept_failures: AtomicU64::new(0),
            thread_failures: AtomicU64::new(0),
            traffic: Arc::default(),
        });
        // From here on dropping it ends what has begun.
        let server = Self { shared, acceptors: Mutex::default(), address };
        server.accept_from(listener, Spoken::Both)?;
        if let Some(listener) = alone {
            server.accept_from(listener, Spoken::TlsAlone)?;
        }
        Ok(server)
    }

    /// Lets in whoever comes to `listener`.
    fn accept_from(&self, listener: TcpListener, spoken: Spoken) -> io::Result<()> {
        crate::link::dress(&listener, &self.shared.limits)?;
        let listener = Arc::new(listener);
        let shared = Arc::clone(&self.shared);
        let thread = crate::accept::start(Arc::clone(&listener), shared, spoken)?;
        lock(&self.acceptors).push(Acceptor { listener, thread });
        Ok(())
    }

    /// Where it listens.
    pub fn server_addr(&self) -> ListenAddr {
        ListenAddr::IP(self.address)
    }

    /// Connections open now.
    pub fn num_connections(&self) -> usize {
        self.shared.registry.len()
    }

    /// Waits for the next request. Errors: `unblock` was called, or the server has ended.
    pub fn recv(&self) -> io::Result<Request> {
        loop {
            if let Some(request) = self.shared.queue.pop(None)? {
                return Ok(request);
            }
        }
    }

    /// Waits for the next request, at most so long. Errors: as `recv`.
    pub fn recv_timeout(&self, timeout: Duration) -> io::Result<Option<Request>> {
        self.shared.queue.pop(Instant::now().checked_add(timeout))
    }

    /// Takes the next request if there is one. Errors: as `recv`.
    pub fn try_recv(&self) -> io::Result<Option<Request>> {
        self.shared.queue.pop(Some(Instant::now()))
    }

    /// The requests as they come, until the first error.
    pub fn incoming_requests(&self) -> IncomingRequests<'_> {
        IncomingRequests { server: self }
    }

    /// Makes one `recv` fail, once the requests that wait are taken.
    pub fn unblock(&self) {
        self.shared.queue.unblock();
    }

    /// Stops accepting and frees the ports.
    fn stop_accepting(&self) {
        for acceptor in std::mem::take(&mut *lock(&self.acceptors)) {
            let _closed = rustix::net::shutdown(&acceptor.listener, rustix::net::Shutdown::Both);
            // It panics for no known reason; if it did, it stopped accepting as well.
            let _panicked = acceptor.thread.join();
        }
    }

    /// See `drain`.
    pub(crate) fn drain_within(&self, grace: Duration) -> bool {
        let registry = &self.shared.registry;
        self.shared.draining.store(true, Ordering::SeqCst);
        self.stop_accepting();
        registry.evict_all_idle();
        let is_done = registry.wait_for_leave(grace, |connections| connections == 0);
        self.shared.queue.close();
        if !is_done {
            registry.cut_all();
            registry.wait_for_leave(CUT_TIME, |connections| connections == 0);
        }
        is_done
    }

    /// See `counters`.
    pub(crate) fn count_all(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            connections: self.shared.registry.len() as u64,
            accepted: read(&self.shared.accepted),
            turned_away: read(&self.shared.turned_away),
            evicted: read(&self.shared.evicted),
            requests: read(&self.shared.requests),
            refused: read(&self.shared.refused),
            accept_failures: read(&self.shared.accept_failures),
            thread_failures: read(&self.shared.thread_failures),
            received_bytes: read(&self.shared.traffic.received),
            sent_bytes: read(&self.shared.traffic.sent),
        }
    }
}

impl Drop for Server {
    /// Frees the port, closes what is idle, and answers what waits with 503. Requests that are in
    /// somebody's hands can still be answered.
    fn drop(&mut self) {
        self.shared.draining.store(true, Ordering::SeqCst);
        self.stop_accepting();
        self.shared.registry.evict_all_idle();
        self.shared.queue.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Server({})", self.address)
    }
}

/// Requests as they come.
#[derive(Debug)]
pub struct IncomingRequests<'s> {
    /// Where they come from.
    server: &'s Server,
}

impl Iterator for IncomingRequests<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.server.recv().ok()
    }
}
