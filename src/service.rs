//! What a service manager hears of us (`sd_notify(3)`, `systemd.service(5)`): that we are ready,
//! reload, stop, and, while its watchdog wants to know, that we still answer. Knows no HTTP beyond
//! one request that proves the whole way from `accept` to a worker and back.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::{limits, terminal, threads};

/// Says that requests are answered from now on. Nothing happens without a service manager.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that settings are being read again; `ready` ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Says that the end has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says nothing from now on, but keeps the watchdog quiet without an answer: the server stops for an
/// update, and for the service manager this process goes on under another program (decision 0004). How
/// long that may take is bounded there.
pub fn renewing() {
    IS_RENEWING.store(true, Ordering::Relaxed);
}

/// See `renewing`.
static IS_RENEWING: AtomicBool = AtomicBool::new(false);

/// Keeps the watchdog quiet for as long as `address` answers, if there is a watchdog
/// (`WATCHDOG_USEC`). It is told twice in each of its intervals.
///
/// Errors: no thread could be started.
pub fn watch(address: SocketAddr) -> std::io::Result<()> {
    let Some(interval) = sd_notify::watchdog_enabled() else { return Ok(()) };
    let pause = interval / 2;
    let address = reachable(address);
    threads::spawn("watchdog", move || {
        loop {
            let is_well = IS_RENEWING.load(Ordering::Relaxed)
                || answers(address, pause.min(limits::WATCHDOG_ANSWER_TIME));
            if is_well {
                tell(&[NotifyState::Watchdog]);
            } else {
                terminal::warn("the server does not answer its watchdog");
            }
            std::thread::sleep(pause);
        }
    })?;
    Ok(())
}

/// Passes it on. A manager that cannot be reached is told nothing; its own time-outs decide then.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        terminal::warn(&format!("the service manager was not told: {cause}"));
    }
}

/// Where to reach a listener from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Whether a request is answered, whatever the answer: also "too many connections" is a sign of life.
fn answers(address: SocketAddr, patience: Duration) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(b"HEAD /auth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 9];
        stream.read_exact(&mut start)?;
        Ok(start.starts_with(b"HTTP/1.1 "))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_everywhere_is_asked_on_loopback() {
        for (address, wanted) in
            [("0.0.0.0:7", "127.0.0.1:7"), ("[::]:7", "[::1]:7"), ("192.0.2.1:7", "192.0.2.1:7")]
        {
            assert_eq!(reachable(address.parse().unwrap()), wanted.parse().unwrap());
        }
    }

    #[test]
    fn silence_is_no_answer_and_any_status_is_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(!answers(address, Duration::from_millis(50)));
        let answering = std::thread::spawn(move || {
            // The first one waits in the queue still, and is gone.
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let _gone = stream.write_all(b"HTTP/1.1 503 Busy\r\n\r\n");
                let _gone = stream.read(&mut [0; 100]);
            }
        });
        assert!(answers(address, Duration::from_secs(10)));
        answering.join().unwrap();
        assert!(!answers(address, Duration::from_secs(1)), "nobody listens any more");
    }
}
