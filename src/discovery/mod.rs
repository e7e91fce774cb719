//! Being found in the local network by multicast DNS (RFC 6762, RFC 6763; decision 0031): `larder.local`, and what is
//! served there. One thread, while there is something to announce. Knows no requests, and not what is served.

mod link;
mod message;
mod networks;
mod responder;
mod settled;
mod sockets;
mod table;

pub use table::Service;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::event::EventfdFlags;
use rustix::fd::OwnedFd;

use crate::logbook::{Event, Logbook};
use crate::{system, terminal, threads};
use responder::Responder;

/// What is to be announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The address that larder listens at.
    pub listens: IpAddr,
    /// What the machine is to be called: one label, before `.local`.
    pub host: String,
    /// What its services are to be called.
    pub instance: String,
    /// The services.
    pub services: Vec<Service>,
}

/// What the thread is told.
enum Word {
    /// To announce this.
    Announce(Wish),
    /// To take everything back, and end.
    FallSilent,
}

/// Announces larder, as long as it is told what.
pub struct Discovery {
    /// What it shares with its thread.
    shared: Arc<Shared>,
    /// Who announces.
    speaker: Mutex<Speaker>,
}

/// Who announces, as far as those know who tell it what.
#[derive(Default)]
struct Speaker {
    /// Its thread, while there is something to announce.
    thread: Option<JoinHandle<()>>,
    /// Whether larder ends: then nothing is announced any more.
    is_over: bool,
}

/// What the thread shares with those who tell it something.
struct Shared {
    /// What was told since the thread asked last.
    word: Mutex<Option<Word>>,
    /// Rung when there is one.
    bell: OwnedFd,
    /// Hears under which label the machine is announced.
    listener: Box<dyn Fn(&str) + Send + Sync>,
    /// Where the owner is told of troubles.
    logbook: Arc<Logbook>,
}

/// Whether there is a network now in which a server would be announced that listens at this address.
pub fn has_network(listens: IpAddr) -> bool {
    !networks::announced(&system::interfaces(), listens).is_empty()
}

impl Discovery {
    /// Announces nothing yet. `listener` hears under which label the machine is announced, when it is another for good.
    ///
    /// Errors: the system has no descriptor left.
    pub fn new(
        logbook: &Arc<Logbook>,
        listener: impl Fn(&str) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Shared {
            word: Mutex::default(),
            bell: rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            listener: Box::new(listener),
            logbook: Arc::clone(logbook),
        };
        Ok(Self { shared: Arc::new(shared), speaker: Mutex::default() })
    }

    /// Announces from now on what `wish` finds. With nothing it has taken everything back when it returns. The wish is
    /// found while others wait for their turn, so that of two who tell at the same time the later one's is the newer.
    pub fn follow(&self, wish: impl FnOnce() -> Option<Wish>) {
        let mut speaker = threads::locked(&self.speaker);
        if !speaker.is_over {
            self.pass_on(&mut speaker, wish());
        }
    }

    /// Takes everything back, and announces nothing any more.
    pub fn end(&self) {
        let mut speaker = threads::locked(&self.speaker);
        speaker.is_over = true;
        self.pass_on(&mut speaker, None);
    }

    /// Has the thread follow; one is started, or ends, where that is needed.
    fn pass_on(&self, speaker: &mut Speaker, wish: Option<Wish>) {
        let running = speaker.thread.take().filter(|running| !running.is_finished());
        match (running, wish) {
            (None, None) => {}
            (Some(running), None) => {
                self.shared.tell(Word::FallSilent);
                // One that panicked has said so.
                let _ended = running.join();
            }
            (Some(running), Some(wish)) => {
                self.shared.tell(Word::Announce(wish));
                speaker.thread = Some(running);
            }
            (None, Some(wish)) => {
                self.shared.tell(Word::Announce(wish));
                speaker.thread = self.start();
            }
        }
    }

    /// Starts the thread; without one everything else is worth having.
    fn start(&self) -> Option<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        let started = threads::spawn("discovery", move || Responder::new(shared).run());
        started.inspect_err(|cause| self.shared.complain(&format!("not announced: {cause}"))).ok()
    }
}

impl Shared {
    /// Has the thread follow this.
    fn tell(&self, word: Word) {
        *threads::locked(&self.word) = Some(word);
        // One that is rung often enough already rings.
        let _rings = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// What was told since the last time, if anything.
    fn take(&self) -> Option<Word> {
        threads::locked(&self.word).take()
    }

    /// What wakes.
    const fn bell(&self) -> &OwnedFd {
        &self.bell
    }

    /// Stops its ringing.
    fn answer_bell(&self) {
        let _was_it_quiet = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }

    /// The machine is announced under this label.
    fn settle(&self, label: &str) {
        (self.listener)(label);
    }

    /// Tells the owner of a trouble.
    fn complain(&self, line: &str) {
        terminal::warn(line);
        self.logbook.note_own(Event::other(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_announced_any_more_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let logbook = Arc::new(Logbook::open(&folder.path().join("logs.db"), 90).unwrap());
        let discovery = Discovery::new(&logbook, |_| {}).unwrap();
        let mut times_asked = 0;
        let mut follow = || {
            discovery.follow(|| {
                times_asked += 1;
                None
            });
        };
        follow();
        discovery.end();
        follow();
        assert_eq!(times_asked, 1);
    }
}
