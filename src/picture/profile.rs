//! What the numbers of a picture's colours mean, where they mean more than usual: cameras that know Adobe RGB or Display
//! P3 put a profile of some hundred bytes into the file, and without it the same numbers look pale. It is handed on as it
//! is, for browsers to read; larder looks at its size and kind alone.

use std::io::{BufRead, Read, Seek};

use flate2::bufread::ZlibDecoder;

use super::sniff::Kind;
use super::{chunks, head};
use crate::limits;

/// What the segment of a profile begins with, in a JPEG.
const NAME: &[u8] = b"ICC_PROFILE\0";

/// Where a profile says which colours it is for (ICC.1, 7.2.8).
const SPACE: std::ops::Range<usize> = 16..20;

/// How profiles of usual colours call themselves (IEC 61966-2-1).
const USUAL: &[u8] = b"sRGB IEC61966-2";

/// The profile of a picture in colours, of this kind, if it has a small one.
pub fn read(reader: &mut (impl BufRead + Seek), kind: Kind) -> Option<Vec<u8>> {
    let bytes_max = limits::PICTURE_PROFILE_BYTES_MAX;
    match kind {
        Kind::Jpeg => head::read(reader).ok()??.profile,
        Kind::Png => in_chunk(&chunks::find(reader, kind, *b"iCCP", bytes_max).ok()??),
        Kind::WebP => of_colours(chunks::find(reader, kind, *b"ICCP", bytes_max).ok()??),
        Kind::Heif => None,
    }
}

/// The profile in a segment of a JPEG, where that has all of it.
pub fn in_segment(segment: &[u8]) -> Option<Vec<u8>> {
    let [1, 1, profile @ ..] = segment.strip_prefix(NAME)? else { return None };
    of_colours(profile.to_vec())
}

/// The profile in a chunk of a PNG: behind its name it is compressed (third edition, 11.3.2.3). A few bytes may become
/// gigabytes; no more is unpacked than would be handed on.
fn in_chunk(chunk: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(0, chunk)?;
    let [0, packed @ ..] = &chunk[end + 1..] else { return None };
    let mut profile = Vec::new();
    let bytes_max = limits::PICTURE_PROFILE_BYTES_MAX as u64;
    ZlibDecoder::new(packed).take(bytes_max + 1).read_to_end(&mut profile).ok()?;
    of_colours(profile)
}

/// A profile, if it is small and one of red, green and blue that says something: the most common one has 3 KB to say
/// that the colours are the usual ones.
fn of_colours(profile: Vec<u8>) -> Option<Vec<u8>> {
    let is_small = profile.len() <= limits::PICTURE_PROFILE_BYTES_MAX;
    let is_usual = || memchr::memmem::find(&profile, USUAL).is_some();
    (is_small && profile.get(SPACE)? == b"RGB " && !is_usual()).then_some(profile)
}

/// Puts a profile into a JPEG, which must be one.
pub fn put(jpeg: &[u8], profile: &[u8]) -> Vec<u8> {
    let length = u16::try_from(NAME.len() + profile.len() + 4);
    let (Ok(length), Some((start, rest))) = (length, jpeg.split_at_checked(2)) else {
        return jpeg.to_vec();
    };
    [start, &[0xff, 0xe2], &length.to_be_bytes(), NAME, &[1, 1], profile, rest].concat()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::picture::samples::{exif, jpeg, jpeg_with, png_chunk, png_start};

    /// A profile of this size, for these colours.
    fn profile(space: [u8; 4], size: usize) -> Vec<u8> {
        let mut bytes = vec![7; size];
        bytes[SPACE].copy_from_slice(&space);
        bytes
    }

    /// What is found in a file.
    fn found(file: &[u8], kind: Kind) -> Option<Vec<u8>> {
        read(&mut Cursor::new(file), kind)
    }

    /// The start of a PNG with a profile, between other chunks.
    fn png_of(profile: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(profile).unwrap();
        let chunk = [&b"Display P3\0\0"[..], &packer.finish().unwrap()].concat();
        let chunks = [png_chunk(b"gAMA", &[0; 4]), png_chunk(b"iCCP", &chunk)].concat();
        [png_start(4, 4, 0), chunks, png_chunk(b"IDAT", b"")].concat()
    }

    /// The start of a WebP with a profile.
    fn webp_of(profile: &[u8]) -> Vec<u8> {
        let length = u32::try_from(profile.len()).unwrap().to_le_bytes();
        let head = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x20\0\0\0\0\0\0\0\0\0";
        [&head[..], b"ICCP", &length, profile].concat()
    }

    #[test]
    fn a_small_profile_is_found_again() {
        // Apple's P3, Apple's generic one, a screen's.
        [548, 1960, 2616].into_iter().for_each(is_found_again);
    }

    /// Puts a profile of this size into a file of each kind, and finds it there.
    fn is_found_again(size: usize) {
        let (jpeg, of_p3) = (jpeg(40, 30), profile(*b"RGB ", size));
        assert_eq!(found(&jpeg, Kind::Jpeg), None);
        let with = put(&jpeg, &of_p3);
        assert_eq!(found(&with, Kind::Jpeg), Some(of_p3.clone()));
        assert_eq!(found(&jpeg_with(&with, &exif(1, None)), Kind::Jpeg), Some(of_p3.clone()));
        let decoded = |jpeg: &[u8]| jpeg_decoder::Decoder::new(jpeg).decode().unwrap();
        assert_eq!(decoded(&with), decoded(&jpeg));
        assert_eq!(found(&png_of(&of_p3), Kind::Png), Some(of_p3.clone()));
        assert_eq!(found(&webp_of(&of_p3), Kind::WebP), Some(of_p3));
    }

    #[test]
    fn what_is_of_no_use_or_broken_is_none() {
        let jpeg = jpeg(40, 30);
        for wrong in [
            profile(*b"CMYK", 548),
            profile(*b"RGB ", limits::PICTURE_PROFILE_BYTES_MAX + 1),
            profile(*b"RGB ", 16 << 20)[..].to_vec(),
            b"RGB ".to_vec(),
            [profile(*b"RGB ", 84), b"sRGB IEC61966-2.1\0".to_vec()].concat(),
        ] {
            assert_eq!(found(&put(&jpeg, &wrong), Kind::Jpeg), None);
            assert_eq!(found(&png_of(&wrong), Kind::Png), None);
            assert_eq!(found(&webp_of(&wrong), Kind::WebP), None);
        }
        for kind in [Kind::Jpeg, Kind::Png, Kind::WebP, Kind::Heif] {
            assert_eq!(found(b"", kind), None);
            assert_eq!(found(b"\xff\xd8\xff", kind), None);
        }
        let right = profile(*b"RGB ", 548);
        let jpeg = put(&jpeg, &right);
        let (png, webp) = (png_of(&right), webp_of(&right));
        for cut in 0..500 {
            assert_eq!(found(&jpeg[..cut], Kind::Jpeg), None);
            assert_eq!(found(&webp[..cut], Kind::WebP), None);
            // Of what is compressed the last bytes are a sum.
            let _whole_or_not = found(&png[..cut.min(png.len())], Kind::Png);
        }
        let chunk = |content: &[u8]| [png_start(4, 4, 0), png_chunk(b"iCCP", content)].concat();
        for wrong in [&b""[..], b"name", b"name\0", b"name\0\x01", b"name\0\0nothing packed"] {
            assert_eq!(found(&chunk(wrong), Kind::Png), None);
        }
    }
}
