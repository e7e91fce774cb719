//! A part of a file, with what makes it a WebP of its own before it.

use std::io::{Read, Result, Seek, SeekFrom};

use super::NoPicture;
use super::layout::Part;

/// Bytes before the part: RIFF's head, that of the chunk, and what a picture without losses begins with (RFC 9649,
/// sections 2.4 and 3.4).
const HEAD_BYTES: usize = 25;

/// A picture without losses, alone.
pub struct Alone<R> {
    /// What stands before it.
    head: [u8; HEAD_BYTES],
    /// Where it is.
    file: R,
    /// In which part.
    part: Part,
    /// The next byte's place.
    at: u64,
}

impl<R: Read + Seek> Alone<R> {
    /// Of this size, which must be one that a WebP can have.
    pub fn new(file: R, part: Part, (width, height): (u32, u32)) -> super::Result<Self> {
        let is_side = |length| (1..=1 << 14).contains(&length);
        let length = u32::try_from(part.length).ok().filter(|length| *length < u32::MAX - 64);
        let (Some(length), true) = (length, is_side(width) && is_side(height)) else {
            return Err(NoPicture);
        };
        // The size, that there is alpha, and the version, 0.
        let bits = (width - 1) | (height - 1) << 14 | 1 << 28;
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(b"RIFF");
        head[4..8].copy_from_slice(&(length + 17).to_le_bytes());
        head[8..16].copy_from_slice(b"WEBPVP8L");
        head[16..20].copy_from_slice(&(length + 5).to_le_bytes());
        head[20] = 0x2f;
        head[21..].copy_from_slice(&bits.to_le_bytes());
        let mut alone = Self { head, file, part, at: 0 };
        alone.rewind().map_err(|_| NoPicture)?;
        Ok(alone)
    }
}

impl<R: Read> Read for Alone<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let ahead = usize::try_from(self.at).ok().and_then(|at| self.head.get(at..));
        let count = match ahead {
            Some(mut ahead) if !ahead.is_empty() => ahead.read(buffer)?,
            _ => {
                let left = (self.part.length + HEAD_BYTES as u64).saturating_sub(self.at);
                (&mut self.file).take(left).read(buffer)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Alone<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => (self.part.length + HEAD_BYTES as u64).checked_add_signed(by),
        };
        self.at = place.ok_or(std::io::ErrorKind::InvalidInput)?;
        let inside = self.at.saturating_sub(HEAD_BYTES as u64).min(self.part.length);
        self.file.seek(SeekFrom::Start(self.part.start + inside))?;
        Ok(self.at)
    }
}
