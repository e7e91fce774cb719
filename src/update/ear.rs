//! Hears a program that we start say that it is ready, as a service manager would (`sd_notify(3)`).

use std::cell::Cell;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use crate::limits;

/// The variable that names the socket.
pub const SOCKET: &str = "NOTIFY_SOCKET";

/// What is said.
const READY: &[u8] = b"READY=1";

/// A socket in the state directory, where nobody else comes.
pub struct Ear {
    /// Never blocks.
    socket: UnixDatagram,
    /// Where it lies.
    path: PathBuf,
    /// Whether the word has come.
    is_ready: Cell<bool>,
}

impl Ear {
    /// Opens one. Errors: also a path that is too long for a socket (some 100 bytes).
    pub fn open(state: &Path) -> io::Result<Self> {
        let path = state.join("ready.socket");
        let _left_by_a_crash = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, path, is_ready: Cell::new(false) })
    }

    /// What to put into `NOTIFY_SOCKET`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the word has come by now.
    pub fn heard_ready(&self) -> bool {
        let mut buffer = [0; limits::NOTIFY_BYTES_MAX];
        while let Ok(count) = self.socket.recv(&mut buffer) {
            let is_word = buffer[..count].split(|byte| *byte == b'\n').any(|line| line == READY);
            self.is_ready.set(self.is_ready.get() || is_word);
        }
        self.is_ready.get()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _already_gone = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_heard_and_other_words_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let ear = Ear::open(folder.path()).unwrap();
        let other = UnixDatagram::unbound().unwrap();
        assert!(!ear.heard_ready());
        other.send_to(b"STATUS=READY=1\n", ear.path()).unwrap();
        assert!(!ear.heard_ready());
        other.send_to(b"STATUS=up\nREADY=1\n", ear.path()).unwrap();
        assert!(ear.heard_ready());
        assert!(ear.heard_ready());
        drop(ear);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
