//! Walking through a tree of any size and any depth with two descriptors and little memory, without
//! following a link: what is still ahead waits on a stack, whose lower end goes to a hidden file when it
//! grows. Knows no grants.

use super::look;
use super::os;
use super::progress::Progress;
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// A folder that is being walked through.
pub struct Folder<'a> {
    /// Where it is, relative to the top, as bytes; empty for the top.
    pub place: &'a [u8],
    /// Open for reading.
    pub handle: &'a OwnedFd,
    /// What it was when it was opened.
    pub stat: &'a Statx,
}

/// What a folder was when the walk came into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its mode bits (`chmod(2)`).
    pub mode: u16,
    /// When its content changed last: seconds and nanoseconds.
    pub modified: (i64, u32),
}

impl Mark {
    /// As it is now.
    pub fn of(stat: &Statx) -> Self {
        let modified = (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
        Self { mode: stat.stx_mode & 0o7777, modified }
    }
}

/// Who is shown the tree.
pub trait Visitor {
    /// A folder, before anything in it.
    fn enter(&mut self, folder: &Folder<'_>) -> Result<()>;

    /// Whether a folder in a folder is walked into.
    fn wants(&mut self, _folder: &Folder<'_>, _name: &[u8], _stat: &Statx) -> Result<bool> {
        Ok(true)
    }

    /// Anything in a folder but folders.
    fn thing(&mut self, folder: &Folder<'_>, name: &[u8], stat: &Statx) -> Result<()>;

    /// A folder, after everything in it.
    fn leave(&mut self, place: &[u8], mark: Mark) -> Result<()>;

    /// Something that cannot be looked into; an error ends the walk.
    fn refused(&mut self, _place: &[u8], errno: Errno) -> Result<()> {
        Err(os(errno))
    }
}

/// A walk and what it needs.
pub struct Walk<'a> {
    /// Where it starts.
    pub top: Arc<OwnedFd>,
    /// Whether the kernel is to be taken not to know `openat2`.
    pub no_openat2: bool,
    /// Whether folders that keep their owner out are unlocked.
    pub unlocks: bool,
    /// Makes a file without a name.
    pub overflow: &'a dyn Fn() -> Result<File>,
    /// Whether to go on.
    pub progress: &'a Progress,
}

impl Walk<'_> {
    /// Shows the tree, each folder before what is in it, and again after. What vanishes meanwhile is
    /// passed over.
    ///
    /// Errors: those of the visitor, `Cancelled`, `Io`, `Refused` (a folder that larder may not read).
    pub fn show(&self, visitor: &mut dyn Visitor) -> Result<()> {
        let mut stack = Stack::new(self.overflow);
        let mut place = Vec::new();
        let handle = match self.open(&place) {
            Ok(handle) => handle,
            Err(errno) => return visitor.refused(&place, errno),
        };
        self.visit(&place, &handle, &mut stack, visitor)?;
        drop(handle);
        while let Some(record) = stack.pop()? {
            self.progress.go_on()?;
            match record {
                Record::Enter(name) => {
                    let above = place.len();
                    if above > 0 {
                        place.push(b'/');
                    }
                    place.extend(name);
                    if place.len() > limits::TREE_PATH_BYTES_MAX {
                        return Err(Error::Io(io::Error::other("folders nested too deep")));
                    }
                    match self.open(&place) {
                        Ok(handle) => self.visit(&place, &handle, &mut stack, visitor)?,
                        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => place.truncate(above),
                        Err(errno) => {
                            visitor.refused(&place, errno)?;
                            place.truncate(above);
                        }
                    }
                }
                Record::Leave(mark) => {
                    visitor.leave(&place, mark)?;
                    let above = place.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                    place.truncate(above);
                }
            }
        }
        Ok(())
    }

    /// Opens a folder for reading.
    fn open(&self, place: &[u8]) -> rustix::io::Result<OwnedFd> {
        let folder = look::open_deep(&self.top, place, self.no_openat2)?;
        match look::open_to_read(&*folder, b".") {
            Err(Errno::ACCESS) if self.unlocks => {
                look::unlock(folder.as_fd()).map_err(|_| Errno::ACCESS)?;
                look::open_to_read(&*folder, b".")
            }
            opened => opened,
        }
    }

    /// Shows one folder and what is in it but the folders, which come later.
    fn visit(
        &self,
        place: &[u8],
        handle: &OwnedFd,
        stack: &mut Stack<'_>,
        visitor: &mut dyn Visitor,
    ) -> Result<()> {
        let stat = look::look_at(handle).map_err(os)?;
        let folder = Folder { place, handle, stat: &stat };
        visitor.enter(&folder)?;
        stack.push(&Record::Leave(Mark::of(&stat)))?;
        look::each_name(handle.as_fd(), os, &mut |name| {
            self.progress.go_on()?;
            let stat = match look::look(handle, name) {
                Ok(Some(stat)) => stat,
                Ok(None) => return Ok(()),
                Err(errno) => return visitor.refused(&join(place, name), errno),
            };
            if look::type_of(&stat) != FileType::Directory {
                return visitor.thing(&folder, name, &stat);
            }
            if visitor.wants(&folder, name, &stat)? {
                stack.push(&Record::Enter(name.to_vec()))?;
            }
            Ok(())
        })
    }
}

/// The place of a name in a folder of the tree.
pub fn join(place: &[u8], name: &[u8]) -> Vec<u8> {
    if place.is_empty() { name.to_vec() } else { [place, name].join(&b'/') }
}

/// What is still ahead.
#[derive(Debug, PartialEq, Eq)]
enum Record {
    /// The folder of this name, in the folder where the walk stands.
    Enter(Vec<u8>),
    /// The folder where the walk stands, for the last time.
    Leave(Mark),
}

/// Bytes behind a record: its kind, and its length.
const TAIL_BYTES: usize = 3;

/// Records, the last one first. Only the upper end is in memory.
struct Stack<'a> {
    /// Records as bytes, each with its kind and length behind it, so that it can be read backwards.
    memory: Vec<u8>,
    /// How long each piece is that went to the file.
    pieces: Vec<usize>,
    /// Bytes in the file that count.
    length: u64,
    /// The file.
    file: Option<File>,
    /// Makes it.
    overflow: &'a dyn Fn() -> Result<File>,
}

impl<'a> Stack<'a> {
    /// An empty one.
    fn new(overflow: &'a dyn Fn() -> Result<File>) -> Self {
        Self { memory: Vec::new(), pieces: Vec::new(), length: 0, file: None, overflow }
    }

    /// Adds a record.
    ///
    /// Errors: `Io` when there is neither memory nor a file for it.
    fn push(&mut self, record: &Record) -> Result<()> {
        let before = self.memory.len();
        let kind = match record {
            Record::Enter(name) => {
                self.memory.extend(name);
                0
            }
            Record::Leave(mark) => {
                self.memory.extend(mark.mode.to_le_bytes());
                self.memory.extend(mark.modified.0.to_le_bytes());
                self.memory.extend(mark.modified.1.to_le_bytes());
                1
            }
        };
        let length = u16::try_from(self.memory.len() - before).unwrap_or(u16::MAX);
        self.memory.push(kind);
        self.memory.extend(length.to_le_bytes());
        if self.memory.len() < limits::WALK_STACK_BYTES {
            return Ok(());
        }
        match self.spill() {
            // A full drive is no reason not to walk through it, as long as there is memory.
            Err(_) if self.memory.len() < limits::WALK_STACK_BYTES_UNBACKED_MAX => Ok(()),
            spilled => spilled,
        }
    }

    /// Moves what is in memory to the file.
    fn spill(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert((self.overflow)()?),
        };
        file.write_all_at(&self.memory, self.length)?;
        self.length += self.memory.len() as u64;
        self.pieces.push(self.memory.len());
        self.memory.clear();
        Ok(())
    }

    /// Takes the last record.
    fn pop(&mut self) -> Result<Option<Record>> {
        const BROKEN: Error = Error::Bug(std::borrow::Cow::Borrowed("a broken stack"));
        if self.memory.is_empty() {
            let (Some(length), Some(file)) = (self.pieces.pop(), &self.file) else {
                return Ok(None);
            };
            self.memory.resize(length, 0);
            self.length -= length as u64;
            file.read_exact_at(&mut self.memory, self.length)?;
        }
        let tail = self.memory.len().checked_sub(TAIL_BYTES).ok_or(BROKEN)?;
        let [kind, low, high] = self.memory[tail..] else { return Err(BROKEN) };
        let length = usize::from(u16::from_le_bytes([low, high]));
        let start = tail.checked_sub(length).ok_or(BROKEN)?;
        let bytes = &self.memory[start..tail];
        let record = if kind == 0 {
            Record::Enter(bytes.to_vec())
        } else {
            let [m0, m1, s @ .., n0, n1, n2, n3] = bytes else { return Err(BROKEN) };
            let seconds = <[u8; 8]>::try_from(s).map_err(|_| BROKEN)?;
            Record::Leave(Mark {
                mode: u16::from_le_bytes([*m0, *m1]),
                modified: (i64::from_le_bytes(seconds), u32::from_le_bytes([*n0, *n1, *n2, *n3])),
            })
        };
        self.memory.truncate(start);
        Ok(Some(record))
    }
}

/// Counts what is in a tree: bytes of its files, and all things, the top included.
pub struct Census {
    /// Bytes of files.
    pub bytes: u64,
    /// Things of any kind.
    pub items: u64,
}

impl Visitor for Census {
    fn enter(&mut self, _folder: &Folder<'_>) -> Result<()> {
        self.items += 1;
        Ok(())
    }

    fn thing(&mut self, _folder: &Folder<'_>, _name: &[u8], stat: &Statx) -> Result<()> {
        self.items += 1;
        if look::type_of(stat) == FileType::RegularFile {
            self.bytes += stat.stx_size;
        }
        Ok(())
    }

    fn leave(&mut self, _place: &[u8], _mark: Mark) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_reverse_from_memory_and_from_the_file() {
        let overflow = || Ok(tempfile::tempfile().unwrap());
        let mut stack = Stack::new(&overflow);
        let record = |number: u32| {
            if number.is_multiple_of(3) {
                let modified = (-i64::from(number), number);
                Record::Leave(Mark { mode: 0o755, modified })
            } else {
                Record::Enter(format!("{number}{}", "x".repeat(200)).into_bytes())
            }
        };
        for number in 0..10_000 {
            stack.push(&record(number)).unwrap();
            assert!(stack.memory.len() < limits::WALK_STACK_BYTES);
        }
        assert!(stack.pieces.len() > 2);
        // Half of it goes, and comes again.
        for number in (5000..10_000).rev() {
            assert_eq!(stack.pop().unwrap(), Some(record(number)));
        }
        for number in 5000..10_000 {
            stack.push(&record(number)).unwrap();
        }
        for number in (0..10_000).rev() {
            assert_eq!(stack.pop().unwrap(), Some(record(number)));
        }
        assert_eq!(stack.pop().unwrap(), None);
    }

    #[test]
    fn without_a_file_memory_does_up_to_its_bound() {
        let overflow = || Err(Error::DiskFull);
        let mut stack = Stack::new(&overflow);
        let record = Record::Enter(vec![b'x'; 200]);
        let pushed = (0..1_000_000).take_while(|_| stack.push(&record).is_ok()).count();
        assert!(
            pushed > 10_000 && stack.memory.len() <= limits::WALK_STACK_BYTES_UNBACKED_MAX + 300
        );
    }
}
