//! Bounds of the FTP door.

use std::time::Duration;

use super::PATH_BYTES_MAX;

/// Bytes of a command's line: the longest path and its verb.
pub const FTP_LINE_BYTES_MAX: usize = PATH_BYTES_MAX + 64;

/// Bytes of the control connection that wait to be obeyed: a line, and what a client sends ahead.
pub const FTP_BUFFER_BYTES_MAX: usize = 2 * FTP_LINE_BYTES_MAX;

/// Bytes of one line that are thrown away before the client is taken for something else than FTP.
pub const FTP_SKIP_BYTES_MAX: usize = 64 * 1024;

/// Sessions at once. Each is a thread and about 60 KiB while it is idle.
pub const FTP_SESSIONS_MAX: usize = 256;

/// Sessions of one client address: programs that copy in parallel open a dozen.
pub const FTP_SESSIONS_PER_ADDRESS_MAX: usize = 128;

/// Who has signed in and was idle for less than this makes no room for others.
pub const FTP_EVICTION_IDLE: Duration = Duration::from_secs(10);

/// How long a client may take to sign in, all tries together.
pub const FTP_LOGIN_TIME: Duration = Duration::from_mins(1);

/// Added to the answer to a wrong password.
pub const FTP_FAILURE_DELAY: Duration = Duration::from_secs(1);

/// How long a try waits for those before it from the same address. Each wrong one takes `THROTTLE_INTERVAL`.
pub const FTP_TRY_WAIT_MAX: Duration = Duration::from_secs(10);

/// How often who waits so looks whether their session was closed.
pub const FTP_TRY_LOOK_TIME: Duration = Duration::from_millis(100);

/// Addresses that are remembered for a moment after a wrong password, before they are looked through.
pub const FTP_LANES_KEPT: usize = 1024;

/// Wrong passwords before a session is closed.
pub const FTP_FAILURES_MAX: u32 = 3;

/// How long a data connection may take to come about.
pub const FTP_CONNECT_TIME: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
pub const FTP_HANDSHAKE_TIME: Duration = Duration::from_secs(20);

/// How long a transfer may stand still: a phone that changes its access point comes back within that.
pub const FTP_STALL_TIME: Duration = Duration::from_mins(1);

/// How long a client may take to read a reply.
pub const FTP_REPLY_TIME: Duration = Duration::from_secs(20);

/// How long after the end of an upload's data connection its client's control connection is watched.
///
/// An upload over FTP has no length: the end of the data connection is the end of the file. When a client's program
/// is killed in the middle, its kernel closes both of its connections one right after the other, and the first end
/// looks exactly like that of a file that is whole. So the second is waited for: not longer than a kernel takes from
/// one socket of a process to the next, since every upload pays for it. It hardly does: the sync of the file counts,
/// and takes longer than this on most drives.
pub const FTP_CUT_TIME: Duration = Duration::from_micros(250);

/// The same where the upload had stood still before its end, or its TLS ended without a word.
///
/// Who sends a file to its end does not pause before it; who is cut off often had stopped sending. Such an end is
/// doubtful, so the second one gets the time that a busy machine or a wireless network needs to bring it. Uploads
/// that are whole rarely look like this, so few pay for it, and a person does not notice.
pub const FTP_CUT_TIME_DOUBTFUL: Duration = Duration::from_millis(200);

/// An upload stands still when nothing has come for so long: several times what lies between two packets at home.
pub const FTP_STILL_TIME: Duration = Duration::from_millis(5);

/// Bytes that the kernel sends of a file before `ABOR` is looked for.
pub const FTP_SENDFILE_BYTES: usize = 1 << 20;

/// How long the kernel waits for a slow client before `ABOR` is looked for: shorter than a person notices.
pub const FTP_LOOK_TIME: Duration = Duration::from_millis(200);

/// Bytes of a listing that are sent at once.
pub const FTP_LISTING_BUFFER_BYTES: usize = 32 * 1024;

/// Bytes of the longest text that `SIZE` reads to count its lines in `TYPE A`: a moment on any drive.
pub const FTP_TEXT_BYTES_MAX: u64 = 8 << 20;

/// Pause after a connection that could not be accepted: whatever is scarce may come back.
pub const FTP_ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often a stopping server looks whether everybody has left.
pub const FTP_STOP_LOOK_TIME: Duration = Duration::from_millis(10);

/// How often it is looked during a transfer whether its client may still do all that they might: as often as the API
/// looks at a stream of events.
pub const FTP_JUDGE_INTERVAL: Duration = Duration::from_secs(1);
