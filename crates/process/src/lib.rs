//! Two system calls that the standard library and rustix have no safe function for. This crate knows nothing of larder.

use std::io::{Error, Result};

/// Keeps to this process what it was started with: descriptors beside the three standard ones go to no program that
/// it starts. Those that are opened later are the standard library's, which does the same.
///
/// Source: `close_range(2)`, since Linux 5.11; an older kernel says so.
pub fn keep_descriptors() -> Result<()> {
    #[expect(unsafe_code, reason = "it takes three integers and cannot touch memory of ours")]
    // SAFETY: nothing is closed: the call sets a flag of descriptors that only matters to another program.
    let outcome = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if outcome == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// Lets this thread, and those that it starts from now on, read from a drive only while nobody else does.
///
/// Source: `ioprio_set(2)`. Drives whose scheduler knows no such classes take no notice.
pub fn yield_drives() -> Result<()> {
    /// This thread (`IOPRIO_WHO_PROCESS` of thread 0).
    const THREAD: libc::c_int = 1;
    /// The idle class, in its place (`IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT`).
    const IDLE: libc::c_int = 3 << 13;
    #[expect(unsafe_code, reason = "it takes three integers and cannot touch memory of ours")]
    // SAFETY: the call only stores the class of the calling thread.
    let outcome = unsafe { libc::syscall(libc::SYS_ioprio_set, THREAD, 0, IDLE) };
    if outcome == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::process::Command;

    #[test]
    fn what_was_inherited_is_not_handed_on() {
        #[expect(
            unsafe_code,
            reason = "a descriptor that is handed on can be made in no other way"
        )]
        // SAFETY: the copy is a descriptor of nobody else.
        let inherited = unsafe {
            let file = File::open("/dev/null").unwrap();
            OwnedFd::from_raw_fd(libc::fcntl(file.as_raw_fd(), libc::F_DUPFD, 100))
        };
        let is_seen = || {
            let test = format!("test -e /proc/self/fd/{}", inherited.as_raw_fd());
            Command::new("/bin/sh").args(["-c", &test]).status().unwrap().success()
        };
        assert!(is_seen());
        super::keep_descriptors().unwrap();
        assert!(!is_seen());
        assert!(
            File::open(format!("/proc/self/fd/{}", inherited.as_raw_fd())).is_ok(),
            "still ours"
        );
    }

    #[test]
    fn a_thread_may_always_come_last() {
        std::thread::spawn(|| super::yield_drives().unwrap()).join().unwrap();
    }
}
