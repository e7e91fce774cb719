//! Makes small pictures of open files: from what is inside them, else by a child. At most so many children at once,
//! each bounded in time and output and always reaped.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};

use super::child::{self, EXIT_UNREADABLE};
use super::embedded::{self, Embedded};
use super::facts;
use super::head;
use super::places::{Places, Wish};
use super::size::Size;
use super::sniff::{self, Kind};
use super::source::Source;
use super::task::Task;
use crate::error::{Error, Result};
use crate::{limits, process, threads};

/// Makes small pictures. There is one in the house: it holds the places.
pub struct Pictures {
    /// The program that is run as the child.
    program: PathBuf,
    /// Who may run one.
    places: Places,
    /// Children that were killed and have not ended: they wait for a drive that does not answer.
    stuck: Mutex<Vec<Child>>,
}

/// What is said when it may go better another time.
const BUSY: Error = Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S };

/// How running a child came to its end.
#[derive(PartialEq, Eq)]
enum End {
    /// It has written all that it had to.
    Written,
    /// It wrote too much.
    TooMuch,
    /// It took too long. What costs too much has ended by itself: the machine is busy, or the drive is.
    TooLong,
    /// Nobody wants it any more.
    Unwanted,
}

impl Default for Pictures {
    fn default() -> Self {
        Self::of(process::OWN_PROGRAM.into(), at_once())
    }
}

impl Pictures {
    /// With this program as the child, and so many at once.
    fn of(program: PathBuf, at_once: usize) -> Self {
        Self { program, places: Places::new(at_once, at_once), stuck: Mutex::default() }
    }

    /// A thumbnail of an open file, which only can be read through it: an upright JPEG of at most this size. `None`:
    /// it has none that larder can make, and will have none as long as its content is the same. `wish` is asked
    /// now and then while it waits and works.
    ///
    /// Errors: `Busy` (as many as may wait already, or machine or drive had no time for it), `Disconnected` (not
    /// wanted any more), `Io`. None of them says anything of the content.
    pub fn make(&self, file: &File, size: Size, wish: &dyn Wish) -> Result<Option<Vec<u8>>> {
        let Some(kind) = kind_of(file)? else { return Ok(None) };
        let length = file.metadata()?.len();
        let boxed = (kind == Kind::Heif).then(|| facts::read(file, length).pixels).flatten();
        let find =
            || embedded::find(Source::new(file, limits::PICTURE_HEAD_BYTES_MAX), kind, boxed);
        let found = find()?;
        // What is not enough is not held while others have their turn; it is read again if nothing else is left.
        let enough = found.embedded.filter(|inside| inside.is_enough_for(size));
        let is_tried = enough.is_some();
        if let Some(enough) = enough {
            let made = self.shrunk_inside(&enough, size, wish)?;
            if made.is_some() {
                return Ok(made);
            }
        }
        if found.is_decodable && length <= limits::PICTURE_BYTES_MAX {
            let made = self.run(file, Task { side: size.pixels(), inside: None }, wish)?;
            if made.is_some() {
                return Ok(made);
            }
        }
        if is_tried {
            return Ok(None);
        }
        match find()?.embedded {
            Some(inside) => self.shrunk_inside(&inside, size, wish),
            None => Ok(None),
        }
    }

    /// A picture that a browser gave, at most 512 x 512, decoded and encoded anew with a longer side of at most
    /// `side`: nothing but the picture. `None`: it is no JPEG that larder decodes, or a larger one.
    ///
    /// Errors: `Busy`, `Disconnected`, `Io`.
    pub fn remake(&self, jpeg: &[u8], side: u16, wish: &dyn Wish) -> Result<Option<Vec<u8>>> {
        let is_jpeg = sniff::kind_of(jpeg) == Some(Kind::Jpeg);
        let is_fit =
            |(width, height): (u16, u16)| width.max(height) <= limits::PICTURE_INSIDE_SIDE_MAX;
        if !is_jpeg
            || jpeg.len() > limits::PICTURE_GIVEN_BYTES_MAX
            || !head::frame_of(jpeg).is_some_and(is_fit)
        {
            return Ok(None);
        }
        self.run(&file_of(jpeg)?, Task { side, inside: None }, wish)
    }

    /// The picture inside a file, for this size.
    fn shrunk_inside(
        &self,
        embedded: &Embedded,
        size: Size,
        wish: &dyn Wish,
    ) -> Result<Option<Vec<u8>>> {
        if embedded.is_ready_for(size) {
            return Ok(Some(embedded.in_its_colours(embedded.jpeg.clone())));
        }
        let task = Task { side: size.pixels(), inside: Some(embedded.inside) };
        let made = self.run(&file_of(&embedded.jpeg)?, task, wish)?;
        Ok(made.map(|jpeg| embedded.in_its_colours(jpeg)))
    }

    /// Runs a child on a file; `None` when it ends without a picture, however that is.
    fn run(&self, file: &File, task: Task, wish: &dyn Wish) -> Result<Option<Vec<u8>>> {
        if !child::is_read_only(file)? {
            return Err(Error::Bug("a picture was opened for writing".into()));
        }
        let _place = self.places.take(wish)?;
        self.reap_stuck()?;
        let (mut output, input) = std::io::pipe()?;
        let mut command = process::own(&self.program, &["picture", &task.to_argument()]);
        command.stdin(file.try_clone()?).stdout(input).stderr(Stdio::null());
        command.env("RUST_MIN_STACK", limits::PICTURE_CHILD_STACK_BYTES.to_string());
        let mut child = command.spawn()?;
        // It holds our end of the pipe, which would never come to its own end.
        drop(command);
        let mut bytes = Vec::with_capacity(limits::PICTURE_MADE_ROOM_BYTES);
        let end = watch(&child, &mut output, &mut bytes, wish);
        let status = if end == End::Written { child.wait().map(Some)? } else { self.end(child)? };
        match end {
            End::Written | End::TooMuch => judge(status, bytes, task),
            End::TooLong => Err(BUSY),
            End::Unwanted => Err(Error::Disconnected),
        }
    }

    /// Kills a child and reaps it; `None` while it does not end, which is seen to later.
    fn end(&self, mut child: Child) -> Result<Option<ExitStatus>> {
        child.kill()?;
        let until = Instant::now() + limits::PICTURE_END_TIME;
        while !process::has_ended(&child) {
            if Instant::now() >= until {
                threads::locked(&self.stuck).push(child);
                return Ok(None);
            }
            std::thread::sleep(limits::PICTURE_END_LOOK_TIME);
        }
        Ok(Some(child.wait()?))
    }

    /// Reaps those that have ended at last.
    ///
    /// Errors: `Busy` while too many have not.
    fn reap_stuck(&self) -> Result<()> {
        let mut stuck = threads::locked(&self.stuck);
        // What can't be asked is none of ours any more.
        stuck.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if stuck.len() >= limits::PICTURE_STUCK_MAX {
            return Err(BUSY);
        }
        Ok(())
    }
}

/// How many children run at once on this machine.
fn at_once() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = rustix::system::sysinfo();
    let total = usize::try_from(machine.totalram).map_or(u64::MAX, |total| total as u64);
    let memory = u64::from(machine.mem_unit).saturating_mul(total);
    let is_large =
        cores >= limits::PICTURES_TWO_CORES && memory >= limits::PICTURES_TWO_MEMORY_BYTES;
    if is_large { 2 } else { 1 }
}

/// What kind of picture a file is.
fn kind_of(file: &File) -> Result<Option<Kind>> {
    let mut start = [0; sniff::BYTES];
    let count = file.read_at(&mut start, 0)?;
    Ok(sniff::kind_of(&start[..count]))
}

/// Bytes as an open file, which only can be read through it.
fn file_of(bytes: &[u8]) -> Result<File> {
    let memory = memfd_create("picture", MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?;
    let mut memory = File::from(memory);
    memory.write_all(bytes)?;
    Ok(File::open(format!("/proc/self/fd/{}", memory.as_raw_fd()))?)
}

/// Takes what a child writes until it has ended, is out of its bounds or is not wanted any more.
fn watch(child: &Child, output: &mut PipeReader, bytes: &mut Vec<u8>, wish: &dyn Wish) -> End {
    let until = Instant::now() + limits::PICTURE_CHILD_TIME;
    let mut is_open = true;
    loop {
        if is_open {
            is_open = take(output, bytes);
        } else if process::has_ended(child) {
            return End::Written;
        } else {
            std::thread::sleep(limits::PICTURE_END_LOOK_TIME);
        }
        if bytes.len() > limits::PICTURE_MADE_BYTES_MAX {
            return End::TooMuch;
        }
        if Instant::now() >= until {
            return End::TooLong;
        }
        if !wish.is_wanted() {
            return End::Unwanted;
        }
    }
}

/// Takes what is in the pipe, waiting for it for a moment; `false` when nothing more will come.
fn take(output: &mut PipeReader, bytes: &mut Vec<u8>) -> bool {
    let time = Timespec::try_from(limits::PICTURE_LOOK_TIME).unwrap_or_default();
    let mut waiting = [PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN)];
    // A signal in between is as good as nothing yet.
    if !matches!(poll(&mut waiting, Some(&time)), Ok(1..)) {
        return true;
    }
    let before = bytes.len();
    bytes.resize(before + limits::PICTURE_PIPE_BYTES, 0);
    let count = output.read(&mut bytes[before..]).unwrap_or(0);
    bytes.truncate(before + count);
    count > 0
}

/// What a child has made, if it is what was asked for; it is believed no more than the file.
fn judge(status: Option<ExitStatus>, bytes: Vec<u8>, task: Task) -> Result<Option<Vec<u8>>> {
    let code = status.and_then(|status| status.code());
    if code == Some(EXIT_UNREADABLE.into()) {
        return Err(Error::Io(std::io::Error::other("a picture could not be read")));
    }
    let is_fit = |(width, height): (u16, u16)| width.max(height) <= task.side;
    let is_picture = code == Some(0) && head::frame_of(&bytes).is_some_and(is_fit);
    Ok(Some(bytes).filter(|_| is_picture))
}

#[cfg(test)]
#[path = "maker_tests.rs"]
mod tests;
