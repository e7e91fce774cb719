//! The thread of one connection: reads requests, queues them, waits until they are answered, does
//! what may block, and closes so that the last answer arrives.

use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread, ThreadId};

use crate::answer::Rest;
use crate::ext::Work;
use crate::link::Link;
use crate::registry::{Seat, lock};
use crate::request::Request;
use crate::server::{Shared, Spoken};
use crate::wire::{End, Stage, Wire};

/// What a connection's thread is asked to do when its wire comes home.
pub(crate) enum Errand {
    /// Go on: the answer is sent, or failed.
    Nothing,
    /// Send the rest of the answer.
    Finish(Rest),
    /// Run this with the request.
    Work(Work),
}

/// Where a wire comes home to.
pub(crate) struct Slot {
    /// What came.
    hand: Mutex<Option<(Box<Wire>, Errand)>>,
    /// The connection's thread.
    thread: Thread,
    /// Its identity.
    id: ThreadId,
}

impl Slot {
    /// The slot of the present thread.
    fn here() -> Self {
        let thread = thread::current();
        Self { hand: Mutex::new(None), id: thread.id(), thread }
    }

    /// Whether the caller is the connection's own thread.
    pub(crate) fn is_here(&self) -> bool {
        thread::current().id() == self.id
    }

    /// Sends a wire home.
    pub(crate) fn give(&self, wire: Box<Wire>, errand: Errand) {
        *lock(&self.hand) = Some((wire, errand));
        self.thread.unpark();
    }

    /// Waits until the wire comes home.
    fn wait(&self) -> (Box<Wire>, Errand) {
        loop {
            if let Some(come) = lock(&self.hand).take() {
                return come;
            }
            thread::park();
        }
    }
}

/// Serves one connection until it ends. Runs on the connection's own thread; `seat` is given back
/// behind everything else, so that whoever waits for it finds the descriptor closed.
pub(crate) fn serve(
    shared: &Arc<Shared>,
    socket: Arc<TcpStream>,
    peer: SocketAddr,
    spoken: Spoken,
    seat: &Seat,
) {
    let slot = Arc::new(Slot::here());
    let link = Link::new(socket, seat.pulse(), &shared.limits, Arc::clone(&shared.traffic));
    let mut wire = Wire::new(Arc::clone(shared), Arc::clone(&slot), link, peer);
    let mut greeting = wire.greet(spoken);
    loop {
        match std::mem::replace(&mut greeting, Ok(())).and_then(|()| wire.next_request()) {
            Ok(()) => {}
            Err(End::Gone) => {
                wire.link.say_the_end();
                return;
            }
            Err(End::Refused(refused)) => {
                shared.refused.fetch_add(1, Ordering::Relaxed);
                wire.facts = crate::head::Facts::none();
                Request::new(wire).refuse(refused.0, refused.1);
                wire = come_home(&slot);
                wire.lingers = true;
                break;
            }
        }
        if !seat.become_busy() {
            return;
        }
        shared.requests.fetch_add(1, Ordering::Relaxed);
        hand_out(shared, Request::new(wire));
        wire = come_home(&slot);
        seat.become_idle();
        if wire.closes || wire.is_broken {
            break;
        }
        // In this order: whoever drains has raised the flag before it looks for the idle.
        if shared.is_draining() && wire.is_quiet() {
            wire.lingers = true;
            break;
        }
    }
    // A farewell may be cut short by whoever needs the seat.
    seat.become_idle();
    if !wire.is_broken && wire.lingers {
        wire.linger();
    }
}

/// Lets a request be answered here and now, or queues it for the workers.
fn hand_out(shared: &Shared, request: Request) {
    let rest = match &shared.at_home {
        Some(at_home) if !shared.queue.is_closed() => {
            // A request that the panic dropped has answered by that.
            catch_unwind(AssertUnwindSafe(|| at_home(request))).unwrap_or(None)
        }
        _ => Some(request),
    };
    let Some(request) = rest else { return };
    if let Err(request) = shared.queue.push(request) {
        request.refuse(503, "The server is shutting down");
    }
}

/// Waits for the wire and runs its errands, until the request is answered. What panics in here is
/// the application's: it costs this connection at most.
fn come_home(slot: &Slot) -> Box<Wire> {
    loop {
        let (mut wire, errand) = slot.wait();
        match errand {
            Errand::Nothing => return wire,
            Errand::Finish(rest) => {
                let outcome = catch_unwind(AssertUnwindSafe(|| wire.finish(rest)));
                if outcome.is_err() {
                    wire.cut();
                }
                return wire;
            }
            Errand::Work(work) => {
                // The request answers when it is dropped, by the work or by its panic; until then
                // it may have moved to any thread.
                let request = Request::new(wire);
                let _panicked = catch_unwind(AssertUnwindSafe(move || work(request)));
            }
        }
    }
}

impl Wire {
    /// Gives up an answer that can't be ended.
    pub(crate) fn cut(&mut self) {
        self.is_broken = true;
        if self.stage != Stage::Unanswered {
            self.link.reset();
        }
    }
}
