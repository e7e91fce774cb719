//! Who is on over a connection that lasts: who is let in, who makes room, what each does, asking all to leave and
//! waiting until they have. Knows connections, names and verbs as text, and no protocol.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use crate::auth::throttle::network_of;
use crate::{limits, threads};

/// Everybody who is on.
#[derive(Default)]
pub struct Sessions {
    /// By number.
    sessions: Mutex<HashMap<u64, Arc<Handle>>>,
    /// The last number.
    last: AtomicU64,
}

/// The right to be on; ends with its drop.
pub struct Admission {
    /// Where it is counted.
    sessions: Arc<Sessions>,
    /// Whose it is.
    pub handle: Arc<Handle>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.handle.id);
    }
}

impl Sessions {
    /// Takes a place; when there is none left, in all or for this address, somebody makes room: those first
    /// that have not even signed in, of these those of the address that has most, of these the longest idle.
    /// So whoever comes from one address is not pushed out by a flood from others.
    pub fn admit(self: &Arc<Self>, stream: &Arc<TcpStream>, address: IpAddr) -> Option<Admission> {
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
        Some(Admission { sessions: Arc::clone(self), handle })
    }

    /// Everybody.
    fn all(&self) -> Vec<Arc<Handle>> {
        self.lock().values().cloned().collect()
    }

    /// The numbers of those who are on.
    pub fn ids(&self) -> Vec<u64> {
        self.lock().keys().copied().collect()
    }

    /// How many of them send or receive something.
    pub fn transfers(&self) -> u64 {
        self.all().iter().map(|handle| u64::from(handle.is_at_work())).sum()
    }

    /// Who is on, the longest first.
    pub fn list(&self) -> Vec<SessionInfo> {
        let mut all = self.all();
        all.sort_by_key(|handle| handle.id);
        all.iter().map(|handle| handle.info()).collect()
    }

    /// Closes what this user of FTP's own has open; whoever has the same name and a key is another.
    pub fn close_user(&self, username: &str) {
        self.close(|handle| {
            let state = handle.lock();
            state.username.as_deref() == Some(username) && state.key_id.is_none()
        });
    }

    /// Closes what was opened with this narrowed key.
    pub fn close_key(&self, key_id: i64) {
        self.close(|handle| handle.lock().key_id == Some(key_id));
    }

    /// Asks everybody to leave: at once, or after the transfer that runs.
    pub fn ask_to_leave(&self) {
        for handle in self.all() {
            handle.ask_to_leave();
        }
    }

    /// Closes those of these numbers that are still on.
    pub fn close_all(&self, ids: &[u64]) {
        self.close(|handle| ids.contains(&handle.id));
    }

    /// Closes those for whom `is_meant`.
    fn close(&self, is_meant: impl Fn(&Handle) -> bool) {
        for handle in self.all().iter().filter(|handle| is_meant(handle)) {
            handle.close();
        }
    }

    /// Waits until none of these is on any more, at most so long.
    pub fn wait_until_gone(&self, ids: &[u64], time: Duration) {
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
    /// The narrowed key by which it did, if it was one.
    key_id: Option<i64>,
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FtpSession"))]
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
            key_id: None,
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
    }

    /// No transfer goes on any more.
    pub fn end_transfer(&self) {
        self.lock().transfer = None;
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

    /// Whether a transfer goes on.
    fn is_at_work(&self) -> bool {
        self.lock().transfer.is_some()
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

    /// It has signed in, perhaps by a narrowed key.
    pub fn signed_in(&self, username: &str, key_id: Option<i64>) {
        let mut state = self.lock();
        (state.username, state.key_id) = (Some(username.to_owned()), key_id);
    }

    /// It begins anew with `USER`.
    pub fn signed_out(&self) {
        let mut state = self.lock();
        (state.username, state.key_id) = (None, None);
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

    /// Who it is, once signed in.
    pub fn username(&self) -> Option<String> {
        self.lock().username.clone()
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
    use std::net::TcpListener;

    /// A connected socket; what it is connected to goes at once.
    fn stream() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap())
    }

    #[test]
    fn one_address_cannot_keep_others_out_and_strangers_make_room_first() {
        let sessions = Arc::new(Sessions::default());
        let (one, two) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let stream = stream();
        let mut places: Vec<Admission> = (0..limits::FTP_SESSIONS_PER_ADDRESS_MAX)
            .map(|_| sessions.admit(&stream, one).unwrap())
            .collect();
        // The first has signed in, so the second, which has not, makes room.
        places[0].handle.signed_in("cam", None);
        let second = Arc::clone(&places[1].handle);
        let other = sessions.admit(&stream, two).unwrap();
        assert!(!second.is_closed());
        places.push(sessions.admit(&stream, one).unwrap());
        assert!(second.is_closed() && !places[0].handle.is_closed());
        for place in &places {
            place.handle.signed_in("cam", None);
        }
        // All have been busy a moment ago: nobody makes room.
        assert!(sessions.admit(&stream, one).is_none());
        drop(other);
        drop(places);
        assert!(sessions.all().is_empty());
    }

    #[test]
    fn who_comes_alone_is_not_pushed_out_by_a_flood_from_several_addresses() {
        let sessions = Arc::new(Sessions::default());
        let stream = stream();
        let alone = sessions.admit(&stream, [10, 0, 0, 9].into()).unwrap();
        let flood = |number: usize| {
            let last = u8::try_from(number % 3).unwrap();
            sessions.admit(&stream, [10, 0, 0, last].into())
        };
        let places: Vec<_> = (0..limits::FTP_SESSIONS_MAX * 2).map(flood).collect();
        assert!(places.iter().all(Option::is_some) && !alone.handle.is_closed());
        assert_eq!(sessions.all().len(), limits::FTP_SESSIONS_MAX);
    }
}
