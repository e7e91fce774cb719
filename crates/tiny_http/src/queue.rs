//! The queue between connections and workers. At most one request of each connection is in it, so
//! the cap on connections bounds it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::registry::lock;
use crate::request::Request;

/// Requests that wait for a worker.
pub(crate) struct Queue {
    /// What waits.
    state: Mutex<State>,
    /// Told when something came.
    ready: Condvar,
}

/// What waits on either side.
struct State {
    /// Requests, oldest first.
    requests: VecDeque<Request>,
    /// Workers that sleep.
    sleeping: usize,
    /// Workers to be sent away empty-handed.
    unblocks: usize,
    /// Nothing comes any more.
    is_closed: bool,
}

impl Queue {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let state = State { requests: VecDeque::new(), sleeping: 0, unblocks: 0, is_closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new() }
    }

    /// Adds a request; gives it back when the queue is closed.
    pub(crate) fn push(&self, request: Request) -> Result<(), Request> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(request);
        }
        state.requests.push_back(request);
        let someone_sleeps = state.sleeping > 0;
        drop(state);
        if someone_sleeps {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Takes the next request, waiting until `until` (or for ever). `Ok(None)` when the time is up.
    ///
    /// Errors: someone called `unblock`, or the queue is closed and empty.
    pub(crate) fn pop(&self, until: Option<Instant>) -> io::Result<Option<Request>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(request) = state.requests.pop_front() {
                return Ok(Some(request));
            }
            if state.unblocks > 0 {
                state.unblocks -= 1;
                return Err(io::Error::other("the worker was unblocked"));
            }
            if state.is_closed {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the server has ended"));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            state.sleeping += 1;
            state = match left {
                None => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    self.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.sleeping -= 1;
        }
    }

    /// Sends one worker away, behind the requests that wait.
    pub(crate) fn unblock(&self) {
        lock(&self.state).unblocks += 1;
        self.ready.notify_one();
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    /// Ends it: what waits is dropped, which answers it.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        let left_over = std::mem::take(&mut state.requests);
        drop(state);
        self.ready.notify_all();
        drop(left_over);
    }
}
