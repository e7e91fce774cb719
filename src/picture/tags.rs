//! What a camera wrote beside the picture (EXIF 2.32), wherever the kind of file keeps it. Read without decoding
//! anything, and no more of a file than a bounded reader gives.

use std::io::{BufRead, Read, Result, Seek};

use exif::{Exif, In, Tag};

use super::sniff::Kind;
use super::turn::Orientation;
use super::{directories, head, heif};
use crate::limits;

/// Reads the tags of a file of this kind; `None` when it has none that can be understood.
pub fn read(reader: &mut (impl BufRead + Seek), kind: Kind) -> Option<Exif> {
    // A drive that fails in the middle of a head is met again where the picture is read.
    let bytes = match kind {
        Kind::Jpeg => head::read(reader).ok()??.exif,
        Kind::Png => find_in_png(reader).ok()?,
        Kind::WebP => find_in_webp(reader).ok()?,
        Kind::Heif => heif::find_exif(reader).ok()?,
    };
    parse(bytes?)
}

/// Understands EXIF from its TIFF header on, as far as it can be understood.
pub fn parse(bytes: Vec<u8>) -> Option<Exif> {
    let bytes = Some(bytes).filter(|bytes| directories::are_modest(bytes))?;
    let mut parser = exif::Reader::new();
    // Cameras' own notes are full of what nobody understands.
    parser.continue_on_error(true);
    parser.read_raw(bytes).or_else(|cause| cause.distill_partial_result(|_| ())).ok()
}

/// How the picture lies in its file.
pub fn orientation(tags: Option<&Exif>) -> Orientation {
    let field = tags.and_then(|tags| tags.get_field(Tag::Orientation, In::PRIMARY));
    field.and_then(|field| field.value.get_uint(0)).map_or(Orientation::UPRIGHT, Orientation::of)
}

/// The picture inside: what stands where the tags of the thumbnail's directory say.
pub fn thumbnail(tags: &Exif) -> Option<&[u8]> {
    let number = |tag| {
        let field = tags.get_field(tag, In::THUMBNAIL)?;
        field.value.get_uint(0).map(|number| number as usize)
    };
    let start = number(Tag::JPEGInterchangeFormat)?;
    let length = number(Tag::JPEGInterchangeFormatLength)?;
    tags.buf().get(start..start.checked_add(length)?)
}

/// The chunk of a PNG that has them, before its picture or behind.
fn find_in_png(reader: &mut (impl BufRead + Seek)) -> Result<Option<Vec<u8>>> {
    reader.seek_relative(8)?;
    find_chunk(reader, |head| {
        let [a, b, c, d, name @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        // A checksum follows.
        (&name == b"eXIf", length, u64::from(length) + 4)
    })
}

/// The chunk of a WebP that has them.
fn find_in_webp(reader: &mut (impl BufRead + Seek)) -> Result<Option<Vec<u8>>> {
    reader.seek_relative(12)?;
    let found = find_chunk(reader, |head| {
        let [name @ .., a, b, c, d] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        // Chunks are of an even length.
        (&name == b"EXIF", length, u64::from(length) + u64::from(length % 2))
    })?;
    // Some write it as it stands in a JPEG.
    let bare = found.map(|bytes| match bytes.strip_prefix(b"Exif\0\0") {
        Some(bare) => bare.to_vec(),
        None => bytes,
    });
    Ok(bare)
}

/// Walks over chunks, whose heads tell whether it is the one, how long it is, and how far the next one.
fn find_chunk(
    reader: &mut (impl BufRead + Seek),
    understand: impl Fn([u8; 8]) -> (bool, u32, u64),
) -> Result<Option<Vec<u8>>> {
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let mut head = [0; 8];
        reader.read_exact(&mut head)?;
        let (is_it, length, step) = understand(head);
        if is_it {
            if length as usize > limits::PICTURE_GIVEN_BYTES_MAX {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            reader.take(length.into()).read_to_end(&mut bytes)?;
            return Ok(Some(bytes));
        }
        reader.seek_relative(i64::try_from(step).unwrap_or(i64::MAX))?;
    }
    Ok(None)
}
