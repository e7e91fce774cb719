//! What a service manager is told: a socket of ours plays systemd's part.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;

use crate::harness::{Larder, wait::PATIENCE};

/// The service manager's end of `NOTIFY_SOCKET`.
struct Manager(UnixDatagram);

impl Manager {
    /// Starts a larder that reports to it.
    fn start(watchdog_us: Option<&str>) -> (Self, Larder) {
        let larder = Larder::prepare();
        let path = larder.folder_path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let larder = larder.launch_with(|command| {
            command.env("NOTIFY_SOCKET", &path);
            if let Some(interval) = watchdog_us {
                command.env("WATCHDOG_USEC", interval);
            }
        });
        (Self(socket), larder)
    }

    /// The next message.
    #[track_caller]
    fn heard(&self) -> String {
        let mut message = [0; 256];
        let length = self.0.recv(&mut message).expect("a message in time");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    /// Waits for a message that begins like this.
    #[track_caller]
    fn hears(&self, wanted: &str) {
        while !self.heard().starts_with(wanted) {}
    }
}

#[test]
fn it_hears_that_we_are_ready_reload_and_stop() {
    let (manager, larder) = Manager::start(None);
    assert_eq!(manager.heard().trim_end(), "READY=1");
    larder.process().signal(Signal::HUP);
    let reloading = manager.heard();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(manager.heard().trim_end(), "READY=1");
    larder.process().signal(Signal::TERM);
    assert_eq!(manager.heard().trim_end(), "STOPPING=1");
    assert!(larder.process().wait().success());
}

#[test]
fn its_watchdog_is_told_again_and_again_that_we_answer() {
    let (manager, _larder) = Manager::start(Some("100000"));
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
}

#[test]
fn without_a_manager_nothing_is_said() {
    let larder = Larder::start();
    larder.process().signal(Signal::TERM);
    assert!(larder.process().wait().success());
    assert_eq!(larder.process().complaints(), "");
}
