//! Larder's hidden folder and what is made in it: folders of its own, names for unfinished things by which
//! the sweep knows whose they are. Knows no shares.

use super::{leftover, look};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use rustix::rand::GetRandomFlags;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder in larder's hidden folder where unfinished things wait.
pub(super) const TEMPORARY: &str = "tmp";

/// The folder in larder's hidden folder where the trash lies.
pub(super) const TRASH: &str = "trash";

/// Opens a folder of larder's own, making it first where it is missing. Nobody else may look in.
pub(super) fn open_or_make(folder: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    match look::open_place(folder, name.as_bytes()) {
        Err(Errno::NOENT) => {}
        opened => return opened,
    }
    match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) => look::sync_folder(folder)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    look::open_place(folder, name.as_bytes())
}

/// A name for something unfinished, never used twice. It starts with this process's own mark, by
/// which the sweep knows what is still being worked on.
pub(super) fn temporary_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", process_mark(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Random digits that no other process has.
fn process_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    // Without entropy the process id must do: then an older process's leftovers may wait longer.
    MARK.get_or_init(|| random_hex(8).unwrap_or_else(|_| format!("p{}", std::process::id())))
}

/// So many bytes of system entropy, as hexadecimal digits.
pub(super) fn random_hex(bytes: usize) -> rustix::io::Result<String> {
    use std::fmt::Write as _;
    let mut random = [0_u8; 32];
    let wanted = random.get_mut(..bytes).ok_or(Errno::INVAL)?;
    let mut filled = 0;
    while let Some(rest) = wanted.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::rand::getrandom(rest, GetRandomFlags::empty()) {
            Err(Errno::INTR) => {}
            got => filled += got?,
        }
    }
    Ok(wanted.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}

/// Whether this process made a temporary name.
pub(super) fn is_ours(name: &str) -> bool {
    name.strip_prefix(process_mark()).is_some_and(|rest| rest.starts_with('-'))
}

/// Whether this process made a name and still works on it.
pub(super) fn is_in_work(name: &str) -> bool {
    is_ours(name) && !leftover::is_given_up(name)
}

/// Removes a file of larder's own; that it is gone already is as good.
pub(super) fn unlink(folder: BorrowedFd<'_>, name: &(impl AsRef<std::ffi::OsStr> + ?Sized)) {
    // Nobody can be told; it is tried again when the drive takes it, or at the next start.
    if let Err(errno) = rustix::fs::unlinkat(folder, name.as_ref(), AtFlags::empty()) {
        leftover::give_up(folder, &name.as_ref().to_string_lossy(), errno);
    }
}
