//! What a camera wrote beside the picture (EXIF 2.32), wherever the kind of file keeps it. Read without decoding
//! anything, and no more of a file than a bounded reader gives.

use std::io::{BufRead, Seek};

use exif::{Exif, In, Tag, Value};

use super::sniff::Kind;
use super::turn::Orientation;
use super::{chunks, directories, head, heif};
use crate::limits;

/// Reads the tags of a file of this kind; `None` when it has none that can be understood.
pub fn read(reader: &mut (impl BufRead + Seek), kind: Kind) -> Option<Exif> {
    // A drive that fails in the middle of a head is met again where the picture is read.
    let bytes = match kind {
        Kind::Jpeg => head::read(reader).ok()??.exif,
        Kind::Png | Kind::WebP => {
            let name = if kind == Kind::Png { b"eXIf" } else { b"EXIF" };
            let found = chunks::find(reader, kind, *name, limits::PICTURE_GIVEN_BYTES_MAX).ok()?;
            match found {
                // Some write it as it stands in a JPEG.
                Some(bytes) if bytes.starts_with(b"Exif\0\0") => Some(bytes[6..].to_vec()),
                found => found,
            }
        }
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

/// Whether they were written by one of Adobe's programs. Those put a picture inside that means usual colours, whatever
/// the large one's are; what cameras put inside has those of the large one.
pub fn are_by_adobe(tags: &Exif) -> bool {
    let field = tags.get_field(Tag::Software, In::PRIMARY);
    match field.map(|field| &field.value) {
        Some(Value::Ascii(texts)) => texts.iter().any(|text| text.starts_with(b"Adobe ")),
        _ => false,
    }
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
