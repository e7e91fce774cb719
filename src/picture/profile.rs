//! What the numbers of a JPEG's colours mean, where they mean more than usual: cameras that know Adobe RGB or Display P3
//! put a profile of some hundred bytes into the file, and without it the same numbers look pale. It is handed on as it
//! is, for browsers to read; larder looks at its size and kind alone.

use std::io::{BufRead, ErrorKind, Result};

use crate::limits;

/// What the segment of a profile begins with.
const NAME: &[u8] = b"ICC_PROFILE\0";

/// Where a profile says which colours it is for (ICC.1, 7.2.8).
const SPACE: std::ops::Range<usize> = 16..20;

/// The profile of a JPEG in colours, if it has a small one.
pub fn read(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    read_segments(reader).ok().flatten()
}

/// Goes from segment to segment until the first scan.
fn read_segments(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    if take::<2>(reader)? != [0xff, 0xd8] {
        return Ok(None);
    }
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let [0xff, marker] = take(reader)? else { return Ok(None) };
        let Some(length) = u16::from_be_bytes(take(reader)?).checked_sub(2) else {
            return Ok(None);
        };
        let length = usize::from(length);
        match marker {
            0xe2 if length <= limits::PICTURE_PROFILE_BYTES_MAX => {
                let mut segment = vec![0; length];
                reader.read_exact(&mut segment)?;
                if segment.starts_with(NAME) {
                    return Ok(whole(&segment));
                }
            }
            // The first scan, or something that is no segment.
            0x00 | 0xd0..=0xda => return Ok(None),
            _ => pass_over(reader, length)?,
        }
    }
    Ok(None)
}

/// The profile in a segment, where that has all of it and it is one of red, green and blue.
fn whole(segment: &[u8]) -> Option<Vec<u8>> {
    let [1, 1, profile @ ..] = segment.strip_prefix(NAME)? else { return None };
    (profile.get(SPACE)? == b"RGB ").then(|| profile.to_vec())
}

/// Reads on without keeping anything.
fn pass_over(reader: &mut impl BufRead, mut left: usize) -> Result<()> {
    while left > 0 {
        let there = reader.fill_buf()?.len().min(left);
        if there == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        reader.consume(there);
        left -= there;
    }
    Ok(())
}

/// So many bytes.
fn take<const COUNT: usize>(reader: &mut impl BufRead) -> Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
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
    use super::*;
    use crate::picture::samples::jpeg;

    /// A profile of this size, for these colours.
    fn profile(space: [u8; 4], size: usize) -> Vec<u8> {
        let mut bytes = vec![7; size];
        bytes[SPACE].copy_from_slice(&space);
        bytes
    }

    #[test]
    fn a_small_profile_is_found_again() {
        let (jpeg, of_p3) = (jpeg(40, 30), profile(*b"RGB ", 548));
        assert_eq!(read(&mut &jpeg[..]), None);
        let with = put(&jpeg, &of_p3);
        assert_eq!(read(&mut &with[..]), Some(of_p3));
        let decoded = |jpeg: &[u8]| jpeg_decoder::Decoder::new(jpeg).decode().unwrap();
        assert_eq!(decoded(&with), decoded(&jpeg));
    }

    #[test]
    fn what_is_of_no_use_or_broken_is_none() {
        let jpeg = jpeg(40, 30);
        let with = |profile: &[u8]| put(&jpeg, profile);
        let inks = with(&profile(*b"CMYK", 548));
        let large = with(&profile(*b"RGB ", limits::PICTURE_PROFILE_BYTES_MAX));
        let short = with(b"RGB ");
        for file in [&inks, &large, &short, &Vec::new(), &b"\xff\xd8\xff".to_vec()] {
            assert_eq!(read(&mut &file[..]), None);
        }
        let right = with(&profile(*b"RGB ", 548));
        for cut in 0..500 {
            assert_eq!(read(&mut &right[..cut]), None);
        }
    }
}
