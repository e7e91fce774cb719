//! A file that is read no faster than what is read is worked off. The decoder of JPEG reads in one thread and works in
//! others, with nothing between them that is bounded: on a busy machine the first can be far ahead of the others.

use std::io::{Read, Result, Seek, SeekFrom};

use crate::limits;

/// A file that is waited with while much is held.
pub struct Paced<R> {
    /// The file.
    file: R,
    /// Tells how much is held (bytes), where that can be told.
    held: fn() -> Option<usize>,
    /// What may be held without waiting (bytes).
    enough: usize,
    /// How often it may still be waited: who holds much for good is not waited for.
    waits: u32,
}

impl<R> Paced<R> {
    /// This file. `held` tells how much is held in a process that does nothing else.
    pub fn new(file: R, held: fn() -> Option<usize>) -> Self {
        Self { file, held, enough: usize::MAX, waits: limits::PICTURE_WAITS_MAX }
    }

    /// From now on so many bytes will be held for good, which waiting does not give back, and what is read is worked
    /// off in rows of so many.
    pub fn expect(&mut self, held: u64, row: u64) {
        let before = (self.held)().unwrap_or(0);
        let more = held + row * limits::PICTURE_ROWS_BEHIND + limits::PICTURE_BEHIND_BYTES;
        self.enough = before.saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
    }

    /// Waits while more than enough is held.
    fn give_time(&mut self) {
        while self.enough < usize::MAX
            && self.waits > 0
            && (self.held)().is_some_and(|held| held > self.enough)
        {
            self.waits -= 1;
            std::thread::sleep(limits::PICTURE_WAIT_TIME);
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.give_time();
        self.file.read(buffer)
    }
}

impl<R: Seek> Seek for Paced<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.file.seek(to)
    }
}
