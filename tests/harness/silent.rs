//! A drive that can fall silent: a filesystem in user space, served by this process. While it is silent
//! whoever asks it for anything waits in the kernel, as with a dead disk or a network mount without its
//! server.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::mount::{MountFlags, UnmountFlags};

/// Bytes of the largest question, as the kernel demands of who reads it.
const QUESTION_BYTES: usize = (128 << 10) + 4096;

/// The file on the drive.
pub const FILE: &str = "there.txt";

/// What is in it.
pub const CONTENT: &str = "T";

/// The numbers of the root and of the file.
const ROOT: u64 = 1;
/// See `ROOT`.
const FILE_NUMBER: u64 = 2;

/// A mounted drive; unmounted when dropped, which ends what waits for it.
pub struct SilentDrive {
    /// Where it is mounted.
    place: PathBuf,
    /// What the serving thread shares with the test.
    shared: Arc<Shared>,
}

/// See `SilentDrive`.
struct Shared {
    /// Questions come and answers go here.
    device: File,
    /// Whether it is silent; held while a question is read and answered. A question that was read and is
    /// never answered would keep its asker in the kernel even when it is killed.
    is_silent: Mutex<bool>,
}

impl SilentDrive {
    /// Mounts an answering drive at a folder. `None`, with the reason on standard error, where this
    /// machine does not let a test mount: then there is nothing to be tested.
    pub fn mount(place: &Path) -> Option<Self> {
        let skipped = |why: &dyn std::fmt::Display| {
            std::io::stderr().write_all(format!("skipped: no FUSE here: {why}\n").as_bytes()).ok();
        };
        let device = match File::options().read(true).write(true).open("/dev/fuse") {
            Ok(device) => device,
            Err(cause) => {
                skipped(&cause);
                return None;
            }
        };
        let fd = device.as_raw_fd();
        let data = format!("fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other");
        let data = std::ffi::CString::new(data).unwrap();
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        if let Err(errno) = rustix::mount::mount("silent", place, "fuse", flags, &*data) {
            skipped(&errno);
            return None;
        }
        let shared = Arc::new(Shared { device, is_silent: Mutex::new(false) });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || server.serve());
        Some(Self { place: place.to_owned(), shared })
    }

    /// Answers nothing from now on.
    pub fn fall_silent(&self) {
        *self.shared.lock() = true;
    }

    /// Answers again, at first what was asked meanwhile.
    pub fn speak(&self) {
        *self.shared.lock() = false;
    }

    /// Whether anybody waits for an answer.
    pub fn is_asked(&self) -> bool {
        self.shared.is_readable()
    }
}

impl Drop for SilentDrive {
    fn drop(&mut self) {
        // Whoever waits gets an error, the serving thread included, once it looks.
        self.speak();
        let _busy = rustix::mount::unmount(&self.place, UnmountFlags::FORCE);
        let _gone = rustix::mount::unmount(&self.place, UnmountFlags::DETACH);
    }
}

impl Shared {
    /// A panic while it was locked left it whole.
    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a question waits to be read; also when there are none any more.
    fn is_readable(&self) -> bool {
        let moment = Timespec { tv_sec: 0, tv_nsec: 3_000_000 };
        let mut polled = [PollFd::new(&self.device, PollFlags::IN)];
        rustix::event::poll(&mut polled, Some(&moment)).is_ok_and(|count| count > 0)
    }

    /// Serves until the drive is unmounted.
    fn serve(&self) {
        let mut buffer = vec![0; QUESTION_BYTES];
        loop {
            let is_readable = self.is_readable();
            let is_silent = self.lock();
            if !is_readable || *is_silent {
                drop(is_silent);
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            match (&self.device).read(&mut buffer) {
                Ok(count) => self.answer(&buffer[..count]),
                // A question was withdrawn before it was read.
                Err(cause) if cause.raw_os_error() == Some(2) => {}
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Answers a question (`linux/fuse.h`).
    fn answer(&self, question: &[u8]) {
        let node = number_64(question, 16);
        let body = question.get(40..).unwrap_or_default();
        let answer = match number_32(question, 4) {
            // FORGET, INTERRUPT, BATCH_FORGET.
            2 | 36 | 42 => return,
            1 => lookup(body),
            3 => Ok([&[0; 16][..], &attributes(node)].concat()),
            14 | 27 => Ok(vec![0; 16]),
            15 => Ok(CONTENT.as_bytes().get(offset_of(body)..).unwrap_or_default().to_vec()),
            17 => Ok(space()),
            18 | 29 | 34 => Ok(Vec::new()),
            26 => Ok(init()),
            28 => Ok(if offset_of(body) == 0 { entry() } else { Vec::new() }),
            _ => Err(38),
        };
        let (error, body) = match answer {
            Ok(body) => (0_i32, body),
            Err(errno) => (-errno, Vec::new()),
        };
        let length = u32::try_from(16 + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(error.to_ne_bytes());
        bytes.extend(&question[8..16]);
        bytes.extend(body);
        // Whoever asked may be gone.
        let _gone = (&self.device).write(&bytes);
    }
}

/// 32 bits of a message.
fn number_32(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// 64 bits of a message.
fn number_64(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The offset in a READ or READDIR.
fn offset_of(body: &[u8]) -> usize {
    usize::try_from(number_64(body, 8)).unwrap()
}

/// `fuse_init_out`: version 7.31 and nothing special.
fn init() -> Vec<u8> {
    let mut out = Vec::new();
    for number in [7_u32, 31, 0, 0, 0, 128 << 10] {
        out.extend(number.to_ne_bytes());
    }
    out.resize(64, 0);
    out
}

/// `fuse_attr` of the root or the file.
fn attributes(node: u64) -> Vec<u8> {
    let is_root = node == ROOT;
    let size = if is_root { 0 } else { CONTENT.len() as u64 };
    let mut out = Vec::new();
    // Number, size, blocks; then times, some days after 1970.
    for number in [node, size, 1, 1_000_000, 1_000_000, 1_000_000] {
        out.extend(number.to_ne_bytes());
    }
    let mode: u32 = if is_root { 0o040_755 } else { 0o100_644 };
    // Fractions of the times, mode, names, owner, group, device, block size, flags.
    for number in [0, 0, 0, mode, 1, 0, 0, 0, 4096, 0] {
        out.extend(number.to_ne_bytes());
    }
    out
}

/// `fuse_entry_out` of the file; nothing is remembered by the kernel.
fn lookup(body: &[u8]) -> Result<Vec<u8>, i32> {
    if body.strip_suffix(&[0]) != Some(FILE.as_bytes()) {
        return Err(2);
    }
    let mut out = FILE_NUMBER.to_ne_bytes().to_vec();
    out.resize(40, 0);
    out.extend(attributes(FILE_NUMBER));
    Ok(out)
}

/// `fuse_statfs_out`: plenty of room.
fn space() -> Vec<u8> {
    let mut out = Vec::new();
    for number in [1_u64 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19] {
        out.extend(number.to_ne_bytes());
    }
    for number in [4096_u32, 255, 4096] {
        out.extend(number.to_ne_bytes());
    }
    out.resize(80, 0);
    out
}

/// `fuse_dirent` of the file.
fn entry() -> Vec<u8> {
    let mut out = FILE_NUMBER.to_ne_bytes().to_vec();
    out.extend(1_u64.to_ne_bytes());
    out.extend(u32::try_from(FILE.len()).unwrap().to_ne_bytes());
    out.extend(8_u32.to_ne_bytes());
    out.extend(FILE.as_bytes());
    out.resize(out.len().next_multiple_of(8), 0);
    out
}
