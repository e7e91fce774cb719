//! A file looked at through a window: pieces of it, wherever they lie, and never more bytes in all than were
//! agreed on. Whatever a file claims about itself, this is all the memory and all the reading that it gets.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Where the bytes are.
pub trait Source {
    /// Reads some bytes from here on; 0 at the end and when they cannot be read.
    fn read_some(&self, buffer: &mut [u8], at: u64) -> usize;
}

impl Source for File {
    fn read_some(&self, buffer: &mut [u8], at: u64) -> usize {
        self.read_at(buffer, at).unwrap_or(0)
    }
}

impl Source for &[u8] {
    fn read_some(&self, buffer: &mut [u8], at: u64) -> usize {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }
}

/// Bytes that a single look costs at least, so that their number is bounded as well.
const LOOK_COST: u64 = 16;

/// A file and how much of it may still be read.
pub struct Window<'a> {
    /// The file.
    source: &'a dyn Source,
    /// Bytes in it.
    size: u64,
    /// Bytes that may still be read.
    left: u64,
}

impl<'a> Window<'a> {
    /// Of a file of `size` bytes, of which at most `left` are read.
    pub fn new(source: &'a dyn Source, size: u64, left: u64) -> Self {
        Self { source, size, left }
    }

    /// Bytes in the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// So many bytes from here on; `None` when there are not as many, or enough was read.
    pub fn bytes<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, at).then_some(bytes)
    }

    /// A piece; `None` when there is not as much, or enough was read.
    pub fn piece(&mut self, at: u64, length: u64) -> Option<Vec<u8>> {
        if length > self.left || length > self.size.saturating_sub(at) {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.fill(&mut bytes, at).then_some(bytes)
    }

    /// Fills the buffer; whether that was possible.
    fn fill(&mut self, mut buffer: &mut [u8], mut at: u64) -> bool {
        let cost = (buffer.len() as u64).max(LOOK_COST);
        if cost > self.left {
            self.left = 0;
            return false;
        }
        self.left -= cost;
        while !buffer.is_empty() {
            let count = self.source.read_some(buffer, at);
            if count == 0 {
                return false;
            }
            at += count as u64;
            buffer = &mut buffer[count..];
        }
        true
    }
}

/// Bytes that were read, taken one after another. Numbers are big-endian, as files of boxes have them.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next number of so many bytes, 8 at most; 0 of none.
    pub fn number(&mut self, bytes: usize) -> Option<u64> {
        if bytes > 8 {
            return None;
        }
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_was_agreed_on_and_looks_have_a_price() {
        let bytes: &[u8] = &[7; 1000];
        let mut window = Window::new(&bytes, 1000, 100);
        assert_eq!(window.bytes::<60>(0), Some([7; 60]));
        assert_eq!(window.bytes::<60>(0), None);
        assert_eq!(window.bytes::<1>(0), None, "nothing more after that");
        let mut window = Window::new(&bytes, 1000, 100);
        assert_eq!((0..100).filter(|at| window.bytes::<1>(*at).is_some()).count(), 6);
    }

    #[test]
    fn what_is_not_there_is_none_and_takes_no_memory() {
        let bytes: &[u8] = &[7; 10];
        let mut window = Window::new(&bytes, 10, u64::MAX);
        assert_eq!(window.piece(0, u64::MAX), None);
        assert_eq!(window.piece(u64::MAX, 1), None);
        assert_eq!(window.piece(3, 7), Some(vec![7; 7]));
        assert_eq!(window.bytes::<2>(9), None);
        // It says it is larger than it is.
        let mut window = Window::new(&bytes, 1000, 2000);
        assert_eq!(window.piece(0, 1000), None);
    }

    #[test]
    fn a_cursor_ends_where_its_bytes_do() {
        let mut cursor = Cursor(&[1, 2, 3, 4]);
        assert_eq!((cursor.number(2), cursor.number(0)), (Some(0x102), Some(0)));
        assert_eq!((cursor.number(3), cursor.number(9)), (None, None));
        assert_eq!(cursor.take(2), Some(&[3, 4][..]));
    }
}
