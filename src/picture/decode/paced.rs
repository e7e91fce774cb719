//! A file that is read no faster than what is read is worked off. The decoder of JPEG reads in one thread and works in
//! others, with nothing between them that is bounded: on a busy machine the first can be far ahead of the others.

use std::io::{Read, Result, Seek, SeekFrom};

use crate::limits;

/// A file that is waited with while much is held.
pub struct Paced<R> {
    /// The file.
    file: R,
    /// What was held before any of it was read: that is not given back by waiting.
    before: usize,
    /// How often it may still be waited: who holds much for good is not waited for.
    waits: u32,
}

impl<R> Paced<R> {
    /// This file.
    pub fn new(file: R) -> Self {
        let before = larder_heap::in_use().unwrap_or(0);
        Self { file, before, waits: limits::PICTURE_WAITS_MAX }
    }

    /// Waits while more than enough is held.
    fn give_time(&mut self) {
        let enough = self.before.saturating_add(limits::PICTURE_HELD_BYTES);
        let is_much = || larder_heap::in_use().is_some_and(|held| held > enough);
        while self.waits > 0 && is_much() {
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
