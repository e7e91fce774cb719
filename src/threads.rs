//! The one door to threads of our own: named, with a known stack, and joined by whoever asked.

use std::thread::{Builder, JoinHandle};

use crate::limits;

/// Starts a thread. The name is shown by `ps -L` and in a panic's message (15 bytes at most).
///
/// Errors: the system has no thread left.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).stack_size(limits::THREAD_STACK_BYTES).spawn(work)
}
