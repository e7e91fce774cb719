//! The running server: its listener, starting, stopping, and following the settings. Never looks at a file.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::door::Door;
use crate::error::{Error, Result};
use crate::ftp::data::unwrapped;
use crate::ftp::lent::Lent;
use crate::ftp::session::Session;
use crate::logbook::{By, Event};
use crate::settings::Settings;
use crate::{limits, terminal, threads};

/// Starts and stops the FTP server.
pub struct Controller {
    /// What sessions work with.
    lent: Arc<Lent>,
    /// The listener, while it runs.
    running: Mutex<Option<Running>>,
    /// Where larder itself listens.
    host: IpAddr,
    /// The port that the command line decides.
    port: Option<u16>,
}

/// A listener and its thread.
struct Running {
    /// Where it was told to listen; port 0 takes a free one.
    wanted: SocketAddr,
    /// Where it listens.
    address: SocketAddr,
    /// Shared with its thread.
    listener: Arc<TcpListener>,
    /// Tells the thread that the listener was closed on purpose.
    is_closed: Arc<AtomicBool>,
    /// Accepts.
    thread: JoinHandle<()>,
}

impl Controller {
    /// Nothing runs yet. `host` is where larder itself listens, `port` what the command line says.
    pub fn new(lent: Lent, host: IpAddr, port: Option<u16>) -> Self {
        Self { lent: Arc::new(lent), running: Mutex::default(), host, port }
    }

    /// Waits until everybody has left, at most so long, and closes the rest: the last act before the
    /// end.
    pub fn finish(&self, time: Duration) {
        let sessions = &self.lent.sessions;
        let all = sessions.ids();
        sessions.wait_until_gone(&all, time);
        sessions.close_all(&sessions.ids());
        sessions.wait_until_gone(&all, limits::FTP_REPLY_TIME.min(time));
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        threads::locked(&self.running)
    }
}

impl Door for Controller {
    fn open(&self, settings: &Settings) -> Result<SocketAddr> {
        let host = settings.ftp.host.unwrap_or(self.host);
        let wanted = SocketAddr::new(host, self.port.unwrap_or(settings.ftp.port));
        let mut running = self.lock();
        if let Some(running) = running.as_ref().filter(|running| running.wanted == wanted) {
            return Ok(running.address);
        }
        let logbook = &self.lent.logbook;
        let listener = TcpListener::bind(wanted).map_err(|cause| {
            let words = format!("FTP can't listen at {wanted}: {cause}");
            logbook.note_own(Event::other(words));
            Error::Failed("The FTP server can't listen at its port")
        })?;
        let address = listener.local_addr()?;
        let (listener, is_closed) = (Arc::new(listener), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (lent, listener, is_closed) =
                (Arc::clone(&self.lent), Arc::clone(&listener), Arc::clone(&is_closed));
            threads::spawn("ftp", move || accept(&lent, &listener, &is_closed))?
        };
        let before = running.replace(Running { wanted, address, listener, is_closed, thread });
        drop(running);
        if let Some(before) = before {
            before.close();
        }
        logbook.note_own(Event::start(format!("FTP listens at {address}")));
        Ok(address)
    }

    fn close(&self) -> bool {
        let Some(running) = self.lock().take() else { return false };
        running.close();
        let Lent { sessions, logbook, .. } = &*self.lent;
        sessions.ask_to_leave();
        logbook.note_own(Event::stop("FTP stopped"));
        let of_now = sessions.ids();
        if of_now.is_empty() {
            return true;
        }
        let for_thread = Arc::clone(sessions);
        let closing = threads::spawn("ftp-stop", move || {
            for_thread.wait_until_gone(&of_now, limits::DRAIN_TIME);
            for_thread.close_all(&of_now);
        });
        if closing.is_err() {
            sessions.close_all(&sessions.ids());
        }
        true
    }

    fn follow(&self, settings: &Settings) {
        if !settings.ftp.is_on {
            self.close();
        } else if let Err(error) = self.open(settings) {
            terminal::warn(&format!("FTP: {error}"));
        }
    }

    fn address(&self) -> Option<SocketAddr> {
        self.lock().as_ref().map(|running| running.address)
    }
}

impl Running {
    /// Ends the thread, and with it the listener.
    fn close(self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // Wakes a thread that waits in `accept` (Linux: it fails with EINVAL).
        let _woken = rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both);
        let _panicked = self.thread.join();
    }
}

/// Lets clients in until the listener is closed.
fn accept(lent: &Arc<Lent>, listener: &TcpListener, is_closed: &AtomicBool) {
    loop {
        let accepted = listener.accept();
        if is_closed.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            Ok((stream, peer)) => welcome(lent, stream, unwrapped(peer)),
            // Out of descriptors, or the client has gone already.
            Err(_) => std::thread::sleep(limits::FTP_ACCEPT_PAUSE),
        }
    }
}

/// Gives a client a session, if there is a place for it.
fn welcome(lent: &Arc<Lent>, stream: TcpStream, peer: SocketAddr) {
    let Ok(local) = stream.local_addr().map(unwrapped) else { return };
    let stream = Arc::new(stream);
    let Some(admission) = lent.sessions.admit(&stream, peer.ip()) else {
        let _full = (&*stream).write(b"421 Too many sessions: try again later\r\n");
        return;
    };
    let lent = Arc::clone(lent);
    let started = threads::spawn("ftp-session", move || {
        let handle = Arc::clone(&admission.handle);
        let work = || {
            // Who has gone can't be told anything; that is all that can go wrong here.
            let _gone = Session::new(Arc::clone(&lent), handle, peer, local)
                .and_then(|mut session| session.converse());
        };
        let address = peer.ip();
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let event = Event::other("ftp: a session panicked").whole();
            lent.logbook.note(&By::ftp(None, address), event);
        }
        if let Some(username) = admission.handle.username() {
            let by = By::ftp(Some(&username), address);
            lent.logbook.note(&by, Event::signed_out("left"));
        }
    });
    if started.is_err() {
        let _full = (&*stream).write(b"421 Too many sessions: try again later\r\n");
    }
}
