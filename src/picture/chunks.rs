//! The chunks that a PNG (W3C, third edition, 5.3) or a WebP (RFC 9649, section 2.3) is made of.

use std::io::{BufRead, Result, Seek};

use super::sniff::Kind;
use crate::limits;

/// The head of a chunk.
struct Head {
    /// What it is.
    name: [u8; 4],
    /// Bytes of its content.
    length: u32,
    /// Bytes from there to the next chunk's head.
    step: u64,
}

impl Head {
    /// As it stands in a file of this kind.
    fn of(kind: Kind, first: [u8; 4], second: [u8; 4]) -> Self {
        if kind == Kind::Png {
            let length = u32::from_be_bytes(first);
            // A checksum follows.
            return Self { name: second, length, step: u64::from(length) + 4 };
        }
        let length = u32::from_le_bytes(second);
        // They are of an even length.
        Self { name: first, length, step: u64::from(length) + u64::from(length % 2) }
    }
}

/// The content of the first chunk with this name, before the picture or behind, in a file of one of these two kinds;
/// `None` when it is larger than that.
///
/// Errors: the drive's, and a file that ends before one was found.
pub fn find(
    reader: &mut (impl BufRead + Seek),
    kind: Kind,
    name: [u8; 4],
    bytes_max: usize,
) -> Result<Option<Vec<u8>>> {
    // A signature; or `RIFF`, a length and `WEBP`.
    reader.seek_relative(if kind == Kind::Png { 8 } else { 12 })?;
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let (mut first, mut second) = ([0; 4], [0; 4]);
        reader.read_exact(&mut first)?;
        reader.read_exact(&mut second)?;
        let head = Head::of(kind, first, second);
        if head.name != name {
            reader.seek_relative(i64::try_from(head.step).unwrap_or(i64::MAX))?;
            continue;
        }
        if head.length as usize > bytes_max {
            return Ok(None);
        }
        let mut bytes = vec![0; head.length as usize];
        reader.read_exact(&mut bytes)?;
        return Ok(Some(bytes));
    }
    Ok(None)
}
