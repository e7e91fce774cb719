//! The accepting thread. It can't die of anything a client or the kernel does: every failure costs
//! at most the connection at hand.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::connection;
use crate::registry::lock;
use crate::server::{Shared, Spoken};

/// Sockets that were turned away and may still read why.
const TURNED_AWAY_MAX: usize = 32;

/// Time they get for it.
const TURNED_AWAY_TIME: Duration = Duration::from_secs(1);

/// How often they are looked after.
const TURNED_AWAY_TICK_MS: i64 = 100;

/// From so many connections on each one's thread has to have begun before the next one is let in; fewer are let in as
/// fast as they come.
const CROWD_MIN: usize = 64;

/// Bytes of stack; the thread does next to nothing.
const STACK_BYTES: usize = 128 * 1024;

/// Starts it. Errors: no thread could be started.
pub(crate) fn start(
    listener: Arc<TcpListener>,
    shared: Arc<Shared>,
    spoken: Spoken,
) -> io::Result<JoinHandle<()>> {
    let farewell = render_farewell(&shared);
    let mut acceptor = Acceptor {
        listener,
        spoken,
        shared,
        farewell,
        turned_away: VecDeque::new(),
        started: 0,
        begun: Arc::default(),
    };
    thread::Builder::new()
        .name("http-accept".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || acceptor.run())
}

/// What connections beyond the caps are told.
fn render_farewell(shared: &Shared) -> Vec<u8> {
    let refusal = (shared.refuse)(503, "Too many connections", "");
    let line = |(name, value): &(&str, &str)| format!("{name}: {value}\r\n");
    let fields: String = refusal.fields.iter().chain(refusal.more).map(line).collect();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
         {fields}Retry-After: 1\r\nConnection: close\r\n\r\n{}",
        refusal.content_type,
        refusal.body.len(),
        refusal.body
    )
    .into_bytes()
}

/// The state of the thread.
struct Acceptor {
    /// Where connections come from; never blocks.
    listener: Arc<TcpListener>,
    /// What is spoken there.
    spoken: Spoken,
    /// What connections share.
    shared: Arc<Shared>,
    /// See `render_farewell`.
    farewell: Vec<u8>,
    /// Sockets that may still read it, and until when.
    turned_away: VecDeque<(TcpStream, Instant)>,
    /// Threads of connections that were started so far.
    started: u64,
    /// How many of them have begun.
    begun: Arc<Begun>,
}

/// How many threads of connections have begun.
///
/// Of a crowd that comes at once each is answered before many more are let in. To start a thread is much less work than
/// what it then does, so that on a busy machine hundreds would come to wait for their first turn, each with its stack,
/// and most would only be told in the end that there is no place for them.
#[derive(Default)]
struct Begun {
    /// So many.
    count: Mutex<u64>,
    /// Told when there are more.
    changed: Condvar,
}

impl Begun {
    /// One more has.
    fn note(&self) {
        *lock(&self.count) += 1;
        self.changed.notify_one();
    }

    /// Waits until so many have, but not for a machine that has no time for anything.
    fn wait(&self, wanted: u64, patience: Duration) {
        let (changed, count) = (&self.changed, lock(&self.count));
        let outcome = changed.wait_timeout_while(count, patience, |count| *count < wanted);
        drop(outcome.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Acceptor {
    /// Accepts until the server ends.
    fn run(&mut self) {
        while !self.shared.is_draining() {
            match self.listener.accept() {
                Ok((socket, peer)) => {
                    self.shared.accepted.fetch_add(1, Ordering::Relaxed);
                    self.admit(socket, peer);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => self.wait(),
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => self.recover(),
                },
            }
            self.look_after_turned_away();
        }
    }

    /// Waits for a connection.
    fn wait(&self) {
        let tick = Timespec { tv_sec: 0, tv_nsec: TURNED_AWAY_TICK_MS * 1_000_000 };
        let timeout = (!self.turned_away.is_empty()).then_some(&tick);
        let mut polled = [PollFd::new(&*self.listener, PollFlags::IN)];
        if rustix::event::poll(&mut polled, timeout).is_err() {
            // Nothing but a signal or a lack of memory; never spin on it.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `accept` failed, most likely for want of descriptors: someone idle has to go.
    fn recover(&mut self) {
        if self.shared.is_draining() {
            return;
        }
        self.shared.accept_failures.fetch_add(1, Ordering::Relaxed);
        self.turned_away.clear();
        let before = self.shared.registry.len();
        if self.shared.registry.evict(None, &self.shared.limits) {
            self.shared.evicted.fetch_add(1, Ordering::Relaxed);
        }
        self.shared
            .registry
            .wait_for_leave(self.shared.limits.room_time, |connections| connections < before);
    }

    /// Gives a connection its seat and its thread, or turns it away.
    fn admit(&mut self, socket: TcpStream, peer: SocketAddr) {
        let shared = &self.shared;
        let socket = Arc::new(socket);
        let address = peer.ip();
        let mut seat = shared.registry.take_seat(&socket, address, &shared.limits);
        if seat.is_err() {
            let before = shared.registry.len();
            if shared.registry.evict(Some(address), &shared.limits) {
                shared.evicted.fetch_add(1, Ordering::Relaxed);
                shared
                    .registry
                    .wait_for_leave(shared.limits.room_time, |connections| connections < before);
                seat = shared.registry.take_seat(&socket, address, &shared.limits);
            }
        }
        let Ok(seat) = seat else {
            if let Some(socket) = Arc::into_inner(socket) {
                self.turn_away(socket);
            }
            return;
        };
        let (their_shared, begun) = (Arc::clone(shared), Arc::clone(&self.begun));
        let spoken = self.spoken;
        let started = thread::Builder::new()
            .name("http-connection".to_owned())
            .stack_size(shared.limits.connection_stack_bytes)
            .spawn(move || {
                begun.note();
                connection::serve(&their_shared, socket, peer, spoken, &seat);
            });
        if started.is_err() {
            // The closure is dropped: the socket closes and the seat is free again.
            shared.thread_failures.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.started += 1;
        if shared.registry.len() >= CROWD_MIN {
            self.begun.wait(self.started, shared.limits.room_time);
        }
    }

    /// Says 503, without ever waiting, and keeps the socket for a moment so that it is read.
    fn turn_away(&mut self, mut socket: TcpStream) {
        self.shared.turned_away.fetch_add(1, Ordering::Relaxed);
        if self.turned_away.len() == TURNED_AWAY_MAX {
            self.turned_away.pop_front();
        }
        let said = socket.set_nonblocking(true).and_then(|()| socket.write(&self.farewell));
        if said.is_ok() && socket.shutdown(Shutdown::Write).is_ok() {
            self.turned_away.push_back((socket, Instant::now() + TURNED_AWAY_TIME));
        }
    }

    /// Throws away what they still send, and drops those that closed or had their time.
    fn look_after_turned_away(&mut self) {
        let now = Instant::now();
        let mut scratch = [0; 4096];
        self.turned_away.retain_mut(|(socket, until)| {
            let is_there = match socket.read(&mut scratch) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            };
            is_there && now < *until
        });
    }
}
