//! The running server: its listener, who is on, starting, stopping, and following the settings. Never
//! looks at a file.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use rustls::ServerConnection;
use serde::Serialize;

use crate::app::App;
use crate::auth::throttle::network_of;
use crate::error::{Error, Result};
use crate::ftp::data::unwrapped;
use crate::ftp::session::Session;
use crate::ftp::tls::Tls;
use crate::settings::FtpSettings;
use crate::{limits, terminal, threads};

/// Starts and stops the FTP server, and knows who is on.
pub struct Controller {
    /// Where TLS connections come from.
    tls: Tls,
    /// Who is on.
    registry: Arc<Registry>,
    /// The listener, while it runs.
    running: Mutex<Option<Running>>,
    /// What sessions work with; set once it is whole.
    app: OnceLock<Weak<App>>,
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
    pub fn new(state: &Path, host: IpAddr, port: Option<u16>) -> Self {
        Self {
            tls: Tls::new(state),
            registry: Arc::default(),
            running: Mutex::default(),
            app: OnceLock::new(),
            host,
            port,
        }
    }

    /// Hands over what sessions work with.
    pub fn attach(&self, app: &Arc<App>) {
        let _set_once = self.app.set(Arc::downgrade(app));
    }

    /// Listens; when it does already, at another address if the settings now name one. What runs goes on
    /// when that fails.
    ///
    /// Errors: `Failed` (the port is taken).
    pub fn start(&self, settings: &FtpSettings) -> Result<SocketAddr> {
        let host = settings.host.unwrap_or(self.host);
        let wanted = SocketAddr::new(host, self.port.unwrap_or(settings.port));
        let mut running = self.lock();
        if let Some(running) = running.as_ref().filter(|running| running.wanted == wanted) {
            return Ok(running.address);
        }
        let app = self.app.get().and_then(Weak::upgrade);
        let app = app.ok_or(Error::Bug("the FTP server was started too early".into()))?;
        let listener = TcpListener::bind(wanted).map_err(|cause| {
            app.logbook.note(&format!("FTP can't listen at {wanted}: {cause}"), "");
            Error::Failed("The FTP server can't listen at its port")
        })?;
        let address = listener.local_addr()?;
        let (listener, is_closed) = (Arc::new(listener), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (app, listener, is_closed) =
                (Arc::downgrade(&app), Arc::clone(&listener), Arc::clone(&is_closed));
            let registry = Arc::clone(&self.registry);
            threads::spawn("ftp", move || accept(&app, &listener, &is_closed, &registry))?
        };
        let before = running.replace(Running { wanted, address, listener, is_closed, thread });
        drop(running);
        if let Some(before) = before {
            before.close();
        }
        app.logbook.note(&format!("FTP listens at {address}"), "");
        Ok(address)
    }

    /// Closes the listener and asks everybody to leave; who is in a transfer may finish it within the
    /// grace. Says whether it ran.
    pub fn stop(&self) -> bool {
        let Some(running) = self.lock().take() else { return false };
        running.close();
        self.registry.ask_to_leave();
        if let Some(app) = self.app.get().and_then(Weak::upgrade) {
            app.logbook.note("FTP stopped", "");
        }
        let registry = Arc::clone(&self.registry);
        let of_now: Vec<u64> = registry.all().iter().map(|handle| handle.id).collect();
        if of_now.is_empty() {
            return true;
        }
        let closing = threads::spawn("ftp-stop", move || {
            registry.wait_until_gone(&of_now, limits::DRAIN_TIME);
            registry.close(|handle| of_now.contains(&handle.id));
        });
        if closing.is_err() {
            self.registry.close(|_| true);
        }
        true
    }

    /// Waits until everybody has left, at most so long, and closes the rest: the last act before the
    /// end.
    pub fn finish(&self, time: Duration) {
        let all: Vec<u64> = self.registry.all().iter().map(|handle| handle.id).collect();
        self.registry.wait_until_gone(&all, time);
        self.registry.close(|_| true);
        self.registry.wait_until_gone(&all, limits::FTP_REPLY_TIME.min(time));
    }

    /// Follows changed settings. What can't be followed is told and leaves what runs as it is.
    pub fn apply(&self, settings: &FtpSettings) {
        self.tls.forget();
        if !settings.is_on {
            self.stop();
        } else if let Err(error) = self.start(settings) {
            terminal::warn(&format!("FTP: {error}"));
        }
    }

    /// Where it listens, while it runs.
    pub fn address(&self) -> Option<SocketAddr> {
        self.lock().as_ref().map(|running| running.address)
    }

    /// A new TLS connection.
    ///
    /// Errors: one line for the logbook.
    pub fn tls(&self, settings: &FtpSettings) -> std::result::Result<ServerConnection, String> {
        self.tls.connection(settings)
    }

    /// Closes what this user has open.
    pub fn close_user(&self, username: &str) {
        self.registry.close(|handle| handle.lock().username.as_deref() == Some(username));
    }

    /// Who is on, the longest first.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let mut all = self.registry.all();
        all.sort_by_key(|handle| handle.id);
        all.iter().map(|handle| handle.info()).collect()
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        threads::locked(&self.running)
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
fn accept(
    app: &Weak<App>,
    listener: &TcpListener,
    is_closed: &AtomicBool,
    registry: &Arc<Registry>,
) {
    loop {
        let accepted = listener.accept();
        if is_closed.load(Ordering::SeqCst) {
            return;
        }
        match (accepted, app.upgrade()) {
            (_, None) => return,
            (Ok((stream, peer)), Some(app)) => welcome(&app, registry, stream, unwrapped(peer)),
            // Out of descriptors, or the client has gone already.
            (Err(_), Some(_)) => std::thread::sleep(limits::FTP_ACCEPT_PAUSE),
        }
    }
}

/// Gives a client a session, if there is a place for it.
fn welcome(app: &Arc<App>, registry: &Arc<Registry>, stream: TcpStream, peer: SocketAddr) {
    let Ok(local) = stream.local_addr().map(unwrapped) else { return };
    let stream = Arc::new(stream);
    let Some(place) = registry.admit(&stream, peer.ip()) else {
        let _full = (&*stream).write(b"421 Too many sessions: try again later\r\n");
        return;
    };
    let app = Arc::clone(app);
    let started = threads::spawn("ftp-session", move || {
        let handle = Arc::clone(&place.handle);
        let logbook = Arc::clone(&app);
        let work = || {
            // Who has gone can't be told anything; that is all that can go wrong here.
            let _gone =
                Session::new(app, handle, peer, local).and_then(|mut session| session.converse());
        };
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            logbook.logbook.note("ftp: a session panicked", &peer.ip().to_string());
        }
        place.handle.say_goodbye(&logbook);
    });
    if started.is_err() {
        let _full = (&*stream).write(b"421 Too many sessions: try again later\r\n");
    }
}

/// Everybody who is on.
#[derive(Default)]
struct Registry {
    /// By number.
    sessions: Mutex<HashMap<u64, Arc<Handle>>>,
    /// The last number.
    last: AtomicU64,
}

/// The right to be on; ends with its drop.
struct Place {
    /// Where it is counted.
    registry: Arc<Registry>,
    /// Whose it is.
    handle: Arc<Handle>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.handle.id);
    }
}

impl Registry {
    /// Takes a place; when there is none left, in all or for this address, somebody makes room: those first
    /// that have not even signed in, of these those of the address that has most, of these the longest idle.
    /// So whoever comes from one address is not pushed out by a flood from others.
    fn admit(self: &Arc<Self>, stream: &Arc<TcpStream>, address: IpAddr) -> Option<Place> {
        let mut sessions = self.lock();
        let network = network_of(address);
        let mut crowds: HashMap<IpAddr, usize> = HashMap::new();
        for handle in sessions.values() {
            *crowds.entry(network_of(handle.address)).or_default() += 1;
        }
        let crowd = |network: IpAddr| crowds.get(&network).copied().unwrap_or(0);
        let is_near_full = crowd(network) >= limits::FTP_SESSIONS_PER_ADDRESS_MAX;
        if is_near_full || sessions.len() >= limits::FTP_SESSIONS_MAX {
            let victims = sessions.values().filter_map(|handle| {
                let theirs = network_of(handle.address);
                let (is_stranger, since) = handle.idleness()?;
                let is_meant = !is_near_full || theirs == network;
                is_meant.then_some((is_stranger, crowd(theirs), since, handle.id))
            });
            let (.., victim) = victims.max()?;
            if let Some(victim) = sessions.remove(&victim) {
                victim.close();
            }
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let handle = Arc::new(Handle::new(id, address, Arc::clone(stream)));
        sessions.insert(id, Arc::clone(&handle));
        Some(Place { registry: Arc::clone(self), handle })
    }

    /// Everybody.
    fn all(&self) -> Vec<Arc<Handle>> {
        self.lock().values().cloned().collect()
    }

    /// Asks everybody to leave: at once, or after the transfer that runs.
    fn ask_to_leave(&self) {
        for handle in self.all() {
            handle.ask_to_leave();
        }
    }

    /// Closes those for whom `is_meant`.
    fn close(&self, is_meant: impl Fn(&Handle) -> bool) {
        for handle in self.all().iter().filter(|handle| is_meant(handle)) {
            handle.close();
        }
    }

    /// Waits until none of these is on any more, at most so long.
    fn wait_until_gone(&self, ids: &[u64], time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && ids.iter().any(|id| self.lock().contains_key(id)) {
            std::thread::sleep(limits::FTP_STOP_LOOK_TIME);
        }
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Handle>>> {
        threads::locked(&self.sessions)
    }
}

/// A session as others see it.
pub struct Handle {
    /// Its number.
    id: u64,
    /// Where the client is.
    address: IpAddr,
    /// When it came.
    since: SystemTime,
    /// Its control connection.
    stream: Arc<TcpStream>,
    /// Bytes of the transfer that runs.
    bytes: AtomicU64,
    /// It is to leave after what it does now.
    is_stopping: AtomicBool,
    /// It was closed.
    is_closed: AtomicBool,
    /// What changes together.
    state: Mutex<State>,
}

/// What a session does.
struct State {
    /// Who it is, once signed in.
    username: Option<String>,
    /// Whether a command is being obeyed.
    is_busy: bool,
    /// Since when it is, or is not.
    since: Instant,
    /// The transfer that runs: its verb and its path in the share.
    transfer: Option<(&'static str, String)>,
    /// Its path as the client sees it.
    seen: String,
    /// When that began.
    transfer_since: Instant,
    /// Its data connection.
    data: Option<Arc<TcpStream>>,
    /// Whether the control connection speaks TLS.
    is_secure: bool,
}

/// What `GET /api/ftp/sessions` tells of a session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionInfo {
    /// Its number.
    pub id: u64,
    /// Who it is; empty before signing in.
    pub username: String,
    /// From where.
    pub address: String,
    /// Since when (RFC 3339, UTC).
    pub since: String,
    /// Whether the control connection is encrypted.
    pub tls: bool,
    /// The verb of the transfer that runs; empty without one.
    pub doing: &'static str,
    /// Its path in the share.
    pub path: String,
    /// Bytes of it so far.
    pub bytes: u64,
    /// Bytes per second.
    pub rate: u64,
    /// Seconds without a command; 0 while one is being obeyed.
    pub idle: u64,
}

impl Handle {
    /// A session that has just come.
    fn new(id: u64, address: IpAddr, stream: Arc<TcpStream>) -> Self {
        let state = State {
            username: None,
            is_busy: false,
            since: Instant::now(),
            transfer: None,
            seen: String::new(),
            transfer_since: Instant::now(),
            data: None,
            is_secure: false,
        };
        Self {
            id,
            address,
            since: SystemTime::now(),
            stream,
            bytes: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// The control connection.
    pub fn stream(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    /// A command is being obeyed.
    pub fn wake(&self) {
        let mut state = self.lock();
        (state.is_busy, state.since) = (true, Instant::now());
    }

    /// The next command is awaited.
    pub fn rest(&self) {
        let mut state = self.lock();
        if state.is_busy {
            (state.is_busy, state.since) = (false, Instant::now());
        }
        state.transfer = None;
    }

    /// A transfer begins, of what is at `path` in the share and at `seen` for the client.
    pub fn begin(&self, verb: &'static str, path: String, seen: String) {
        self.bytes.store(0, Ordering::Relaxed);
        let mut state = self.lock();
        state.seen = seen;
        (state.transfer, state.transfer_since) = (Some((verb, path)), Instant::now());
    }

    /// So many bytes more.
    pub fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of the transfer so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How far the transfer is, in a sentence for the client.
    pub fn progress(&self) -> String {
        let state = self.lock();
        let verb = state.transfer.as_ref().map_or("Listing", |(verb, _)| verb);
        format!("{verb} {}: {} bytes so far", state.seen, self.bytes())
    }

    /// Its data connection, or that there is none any more.
    pub fn set_data(&self, data: Option<Arc<TcpStream>>) {
        let data = data.inspect(|data| {
            if self.is_closed() {
                let _gone = data.shutdown(Shutdown::Both);
            }
        });
        self.lock().data = data;
    }

    /// It has signed in.
    pub fn signed_in(&self, username: &str) {
        self.lock().username = Some(username.to_owned());
    }

    /// It begins anew with `USER`.
    pub fn signed_out(&self) {
        self.lock().username = None;
    }

    /// Its control connection speaks TLS now.
    pub fn is_secure_now(&self) {
        self.lock().is_secure = true;
    }

    /// Whether it is to leave after what it does now.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Whether it need not wait for anything any more.
    pub fn is_leaving(&self) -> bool {
        self.is_stopping() || self.is_closed()
    }

    /// Asks it to leave.
    fn ask_to_leave(&self) {
        let state = self.lock();
        self.is_stopping.store(true, Ordering::SeqCst);
        if !state.is_busy {
            // It waits for a command: it sees the end of the line, and then why.
            let _gone = self.stream.shutdown(Shutdown::Read);
        }
    }

    /// Closes its connections; its thread ends by that.
    fn close(&self) {
        let state = self.lock();
        self.is_closed.store(true, Ordering::SeqCst);
        let _gone = self.stream.shutdown(Shutdown::Both);
        if let Some(data) = &state.data {
            let _gone = data.shutdown(Shutdown::Both);
        }
    }

    /// How ready it is to make room: who has not signed in before who has, the longest idle first.
    /// `None` for who works, or did a moment ago.
    fn idleness(&self) -> Option<(bool, Reverse<Instant>)> {
        let state = self.lock();
        let since = Reverse(state.since);
        match (&state.username, state.is_busy) {
            (None, _) => Some((true, since)),
            (Some(_), false) if state.since.elapsed() >= limits::FTP_EVICTION_IDLE => {
                Some((false, since))
            }
            _ => None,
        }
    }

    /// Notes that somebody who had signed in has gone.
    fn say_goodbye(&self, app: &App) {
        if let Some(username) = &self.lock().username {
            app.logbook.note(&format!("ftp {username}: left"), &self.address.to_string());
        }
    }

    /// What is told of it.
    fn info(&self) -> SessionInfo {
        let state = self.lock();
        let (doing, path) = state.transfer.clone().unwrap_or_default();
        let bytes = if doing.is_empty() { 0 } else { self.bytes() };
        let time_ms = u64::try_from(state.transfer_since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since = Timestamp::try_from(self.since).unwrap_or(Timestamp::UNIX_EPOCH);
        SessionInfo {
            id: self.id,
            username: state.username.clone().unwrap_or_default(),
            address: self.address.to_string(),
            since: since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            tls: state.is_secure,
            doing,
            path,
            bytes,
            rate: bytes.saturating_mul(1000) / time_ms.max(1),
            idle: if state.is_busy { 0 } else { state.since.elapsed().as_secs() },
        }
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, State> {
        threads::locked(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connected socket; what it is connected to goes at once.
    fn stream() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap())
    }

    #[test]
    fn one_address_cannot_keep_others_out_and_strangers_make_room_first() {
        let registry = Arc::new(Registry::default());
        let (one, two) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let stream = stream();
        let mut places: Vec<Place> = (0..limits::FTP_SESSIONS_PER_ADDRESS_MAX)
            .map(|_| registry.admit(&stream, one).unwrap())
            .collect();
        // The first has signed in, so the second, which has not, makes room.
        places[0].handle.signed_in("cam");
        let second = Arc::clone(&places[1].handle);
        let other = registry.admit(&stream, two).unwrap();
        assert!(!second.is_closed());
        places.push(registry.admit(&stream, one).unwrap());
        assert!(second.is_closed() && !places[0].handle.is_closed());
        for place in &places {
            place.handle.signed_in("cam");
        }
        // All have been busy a moment ago: nobody makes room.
        assert!(registry.admit(&stream, one).is_none());
        drop(other);
        drop(places);
        assert!(registry.all().is_empty());
    }

    #[test]
    fn who_comes_alone_is_not_pushed_out_by_a_flood_from_several_addresses() {
        let registry = Arc::new(Registry::default());
        let stream = stream();
        let alone = registry.admit(&stream, [10, 0, 0, 9].into()).unwrap();
        let flood = |number: usize| {
            let last = u8::try_from(number % 3).unwrap();
            registry.admit(&stream, [10, 0, 0, last].into())
        };
        let places: Vec<_> = (0..limits::FTP_SESSIONS_MAX * 2).map(flood).collect();
        assert!(places.iter().all(Option::is_some) && !alone.handle.is_closed());
        assert_eq!(registry.all().len(), limits::FTP_SESSIONS_MAX);
    }
}
