//! A network that fails: it stands between a client and a larder, counts what the client sends, and breaks the
//! connection that carries the n-th byte. Its address stays the same while larder is started again elsewhere.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::wait;

/// What is done at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The connection is cut on both sides.
    Cut,
    /// Nothing passes any more until `Cutter::go_on`; then the connection is cut.
    Hold,
}

/// The network; its threads end with the test.
pub struct Cutter {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// What its threads share.
    shared: Arc<Shared>,
}

/// See `Cutter`.
struct Shared {
    /// How far it is.
    state: Mutex<State>,
    /// Told of each change.
    changed: Condvar,
}

/// How far it is.
struct State {
    /// Where larder is.
    target: u16,
    /// Bytes that clients have sent, heads included.
    sent: u64,
    /// What comes next, each behind so many bytes of all.
    breaks: VecDeque<(u64, Break)>,
    /// Whether it holds.
    is_holding: bool,
}

impl Cutter {
    /// Stands before a larder's port.
    pub fn before(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { target, sent: 0, breaks: VecDeque::new(), is_holding: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || shared.carry(&client));
            }
        });
        Self { port, shared }
    }

    /// Breaks what carries the bytes behind these, in this order.
    pub fn break_at(&self, breaks: &[(u64, Break)]) {
        let mut state = self.shared.lock();
        let sent = state.sent;
        state.breaks = breaks.iter().map(|(after, kind)| (sent + after, *kind)).collect();
    }

    /// Bytes that clients have sent so far.
    pub fn sent(&self) -> u64 {
        self.shared.lock().sent
    }

    /// Breaks that have not come yet.
    pub fn breaks_left(&self) -> usize {
        self.shared.lock().breaks.len()
    }

    /// Waits until it holds.
    #[track_caller]
    pub fn wait_until_holding(&self) {
        wait::until("the hold", || self.shared.lock().is_holding);
    }

    /// Ends the hold; from now on larder is at this port.
    pub fn go_on(&self, target: u16) {
        let mut state = self.shared.lock();
        state.target = target;
        state.is_holding = false;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// A panic while it was locked left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries one connection both ways until it ends or breaks.
    fn carry(&self, client: &TcpStream) {
        let target = self.lock().target;
        // Larder may be starting again.
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _broken = std::io::copy(&mut &server, &mut &*client);
                let _gone = client.shutdown(Shutdown::Both);
            });
            self.carry_up(client, &server);
            // What was sent is still carried; the other side tells when it has had enough.
            let _gone = server.shutdown(Shutdown::Write);
        });
    }

    /// Carries what the client sends.
    fn carry_up(&self, mut client: &TcpStream, mut server: &TcpStream) {
        let mut buffer = [0; 16 * 1024];
        loop {
            let Ok(count @ 1..) = client.read(&mut buffer) else { return };
            let (passing, kind) = self.pass(count);
            let is_sent = server.write_all(&buffer[..passing]).is_ok();
            if kind == Some(Break::Hold) {
                self.hold();
            }
            if kind.is_some() || !is_sent {
                let _gone = client.shutdown(Shutdown::Both);
                return;
            }
        }
    }

    /// How many of so many bytes pass, and what comes then.
    fn pass(&self, count: usize) -> (usize, Option<Break>) {
        let mut state = self.lock();
        let left = state.breaks.front().map(|(at, _)| at.saturating_sub(state.sent));
        let left = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        if left > count {
            state.sent += count as u64;
            return (count, None);
        }
        state.sent += left as u64;
        (left, state.breaks.pop_front().map(|(_, kind)| kind))
    }

    /// Waits for `Cutter::go_on`.
    fn hold(&self) {
        let mut state = self.lock();
        state.is_holding = true;
        while state.is_holding {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
