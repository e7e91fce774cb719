//! Moments since the machine was started. A clock that is set meanwhile, as on boards that have none, changes nothing
//! about how long ago they were.

use std::sync::OnceLock;

use rustix::time::{ClockId, clock_gettime};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Which start.
    pub boot: String,
    /// Seconds since then, those asleep included.
    pub seconds: i64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self { boot: boot().to_owned(), seconds: seconds() }
    }

    /// Seconds that have passed since; `None` when the machine was started anew meanwhile.
    pub fn elapsed(&self) -> Option<i64> {
        (self.boot == boot()).then(|| seconds() - self.seconds)
    }
}

/// Seconds since the machine was started, those asleep included.
pub(super) fn seconds() -> i64 {
    clock_gettime(ClockId::Boottime).tv_sec
}

/// Which start of the machine this is. Without the kernel's id the seconds alone tell moments apart.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}
