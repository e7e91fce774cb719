//! A file that is read byte by byte, as the decoder of JPEG does it: millions of times for a large picture.

use std::io::{BufRead, BufReader, Read, Result};

/// A file that gives a single byte at once, as long as it has been read ahead. Going through the general way for each
/// takes a tenth of all that a picture takes.
pub struct ByByte<R>(pub BufReader<R>);

impl<R: Read> Read for ByByte<R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }

    #[inline]
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        if let [wanted] = buffer
            && let [next, ..] = self.0.buffer()
        {
            *wanted = *next;
            self.0.consume(1);
            return Ok(());
        }
        self.0.read_exact(buffer)
    }
}
