//! An open file as a stream of its own: the place where it is read is not shared with anybody else who has the same
//! file open, and no more is read than was allowed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// A file that is read from a place of our own.
pub struct Source<'a> {
    /// The file.
    file: &'a File,
    /// Where the next byte comes from.
    at: u64,
    /// Bytes that may still be read; then it is as if the file ended.
    left: u64,
    /// How reading failed, if the drive would not give what is there.
    failure: Option<&'a std::cell::Cell<bool>>,
}

impl<'a> Source<'a> {
    /// From the beginning, so many bytes at most.
    pub fn new(file: &'a File, bytes_max: u64) -> Self {
        Self { file, at: 0, left: bytes_max, failure: None }
    }

    /// The same, and notes in `failure` whether the drive failed: decoders tell every failure alike.
    pub fn watched(file: &'a File, bytes_max: u64, failure: &'a std::cell::Cell<bool>) -> Self {
        Self { failure: Some(failure), ..Self::new(file, bytes_max) }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let outcome = self.file.read_at(&mut buffer[..most], self.at);
        let is_failure =
            outcome.as_ref().is_err_and(|cause| cause.kind() != io::ErrorKind::Interrupted);
        if let Some(failure) = self.failure.filter(|_| is_failure) {
            failure.set(true);
        }
        let count = outcome?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        // What lies beyond is no place in a file (off_t).
        let place = place.filter(|place| i64::try_from(*place).is_ok());
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_has_its_own_place_and_an_end() {
        let file = tempfile::tempfile().unwrap();
        (&file).write_all(b"0123456789").unwrap();
        let (mut one, mut other) = (Source::new(&file, 6), Source::new(&file, 100));
        let mut text = String::new();
        one.read_to_string(&mut text).unwrap();
        assert_eq!(text, "012345", "no more than was allowed");
        assert_eq!(other.seek(SeekFrom::End(-2)).unwrap(), 8);
        text.clear();
        other.read_to_string(&mut text).unwrap();
        assert_eq!(text, "89");
        assert_eq!((&file).stream_position().unwrap(), 10, "nobody has moved the file's own place");
        assert!(other.seek(SeekFrom::Current(-100)).is_err());
        assert!(other.seek(SeekFrom::Start(u64::MAX)).is_err());
    }
}
