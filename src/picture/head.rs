//! The head of a JPEG: what stands before the first scan (ITU-T T.81, annex B). Read without decoding anything.

use std::io::{BufRead, Cursor, ErrorKind, Result, Seek};

use super::profile;
use crate::limits;

/// How a picture is coded, as far as larder treats it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Block by block: any part can be decoded small at once.
    Sequential,
    /// In several passes over the whole picture, all of which has to be held.
    Progressive,
    /// In a way that larder does not decode.
    Other,
}

/// What the frame header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// 1 is grey, 3 are colours, 4 are printing inks.
    pub components: u8,
    /// Whether its colours are luma and chroma, as is usual, and nothing says otherwise.
    pub is_ycbcr: bool,
    /// Values in all components together: chroma often has a quarter of luma's.
    pub samples: u64,
    /// How it is coded.
    pub coding: Coding,
}

impl Frame {
    /// Its longer side.
    pub fn longer(self) -> u16 {
        self.width.max(self.height)
    }

    /// Pixels in all.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Bytes that a decoder holds of the file before there is a picture: the coefficients of one in several passes.
    pub fn coefficient_bytes(self) -> u64 {
        if self.coding == Coding::Progressive { self.samples * 2 } else { 0 }
    }

    /// Bytes of its planes, made so many eighths as large.
    pub fn plane_bytes(self, eighths: u64) -> u64 {
        self.samples * eighths * eighths / 64
    }

    /// Bytes that a decoder holds at most to make it so many eighths as large: coefficients, planes, and the picture
    /// that is put together of those.
    pub fn held_bytes(self, eighths: u64) -> u64 {
        let picture = self.pixels() * u64::from(self.components) * eighths * eighths / 64;
        self.coefficient_bytes() + self.plane_bytes(eighths) + picture
    }

    /// What is held at a time: all, or where that would be too much and can be done otherwise, a single component.
    pub fn held_at_once(self) -> Self {
        let blocks = u64::from(self.width.div_ceil(8)) * u64::from(self.height.div_ceil(8));
        let is_alike = self.samples == blocks * 64 * u64::from(self.components);
        let is_little = self.held_bytes(1) <= limits::PICTURE_HELD_BYTES_MAX;
        if is_little || !is_alike || self.coding != Coding::Progressive {
            return self;
        }
        Self { components: 1, samples: blocks * 64, ..self }
    }

    /// Bytes of coefficients in a row of blocks, of at most so many lines.
    pub fn row_bytes(self) -> u64 {
        self.samples * 2 * ROW_LINES_MAX / u64::from(self.height)
    }
}

/// What stands before the first scan.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The frame.
    pub frame: Frame,
    /// EXIF, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// What its colours mean, if that is told in few bytes.
    pub profile: Option<Vec<u8>>,
    /// Whether there is nothing but what a decoder needs: no positions, no comments, no further picture.
    pub is_bare: bool,
}

/// What the segment of JFIF begins with.
const JFIF: &[u8] = b"JFIF\0";

/// Lines of a row of blocks: 8, and up to four times as many where chroma is coarser.
const ROW_LINES_MAX: u64 = 32;

/// What the segment of EXIF begins with.
const EXIF: &[u8] = b"Exif\0\0";

/// Reads a head. `None`: it is no JPEG, or a broken one.
///
/// Errors: the drive's.
pub fn read(reader: &mut (impl BufRead + Seek)) -> Result<Option<Head>> {
    match read_segments(reader) {
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Ok(None),
        outcome => outcome,
    }
}

/// The width and height of a JPEG in memory; `None` when it is none.
pub fn frame_of(jpeg: &[u8]) -> Option<(u16, u16)> {
    let head = read(&mut Cursor::new(jpeg)).ok().flatten()?;
    Some((head.frame.width, head.frame.height))
}

/// Goes from segment to segment until the first scan.
fn read_segments(reader: &mut (impl BufRead + Seek)) -> Result<Option<Head>> {
    let (mut frame, mut exif, mut colours) = (None, None, None);
    let (mut is_bare, mut is_jfif) = (true, false);
    if take::<2>(reader)? != [0xff, 0xd8] {
        return Ok(None);
    }
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let marker = next_marker(reader)?;
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            continue;
        }
        let Some(length) = u16::from_be_bytes(take(reader)?).checked_sub(2) else {
            return Ok(None);
        };
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let found = read_frame(marker, &segment(reader, length)?, is_jfif);
                let (None, Some(found)) = (frame, found) else { return Ok(None) };
                frame = Some(found);
            }
            0xe1 if exif.is_none() => {
                is_bare = false;
                let mut bytes = segment(reader, length)?;
                if bytes.starts_with(EXIF) {
                    exif = Some(bytes.split_off(EXIF.len()));
                }
            }
            0xe2 if usize::from(length) <= limits::PICTURE_PROFILE_BYTES_MAX => {
                is_bare = false;
                let found = profile::in_segment(&segment(reader, length)?);
                colours = colours.or(found);
            }
            0xe0 => is_jfif |= segment(reader, length)?.starts_with(JFIF),
            // The first scan.
            0xda => {
                return Ok(frame.map(|frame| Head { frame, exif, profile: colours, is_bare }));
            }
            0xd8 | 0xd9 => return Ok(None),
            marker => {
                // Tables, restarts, what JFIF and Adobe say of colours.
                is_bare &= matches!(marker, 0xc4 | 0xdb | 0xdd | 0xee);
                reader.seek_relative(length.into())?;
            }
        }
    }
    Ok(None)
}

/// The next marker's second byte. What stands before it and belongs to nothing is passed over, as browsers do: some
/// cameras write more of a segment than they say.
fn next_marker(reader: &mut impl BufRead) -> Result<u8> {
    loop {
        while take(reader)? != [0xff] {}
        let [mut second] = take(reader)?;
        // Any number of fill bytes may stand before a marker.
        while second == 0xff {
            [second] = take(reader)?;
        }
        if second != 0 {
            return Ok(second);
        }
    }
}

/// So many bytes.
fn take<const COUNT: usize>(reader: &mut impl BufRead) -> Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The content of a segment.
fn segment(reader: &mut impl BufRead, length: u16) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Understands a frame header, behind JFIF's or not; `None` for an empty picture, or one whose height comes later.
fn read_frame(marker: u8, segment: &[u8], is_jfif: bool) -> Option<Frame> {
    let [precision, high, low, wide, narrow, components, ref parts @ ..] = *segment else {
        return None;
    };
    let (height, width) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([wide, narrow]));
    let coding = match marker {
        0xc0 | 0xc1 if precision == 8 => Coding::Sequential,
        0xc2 if precision == 8 => Coding::Progressive,
        _ => Coding::Other,
    };
    let parts = &parts.as_chunks::<3>().0[..usize::from(components).min(parts.len() / 3)];
    // Those who number them otherwise may mean red, green and blue, or a larger gamut.
    let is_ycbcr = match *parts {
        [[1, ..], [2, ..], [3, ..]] => true,
        [[0, ..], [1, ..], [2, ..]] => is_jfif,
        _ => false,
    };
    let samples = samples_of(width, height, parts);
    let frame = Frame { width, height, components, is_ycbcr, samples, coding };
    (width > 0 && height > 0).then_some(frame)
}

/// How many values there are in components of these kinds: name, share of each direction, table.
fn samples_of(width: u16, height: u16, parts: &[[u8; 3]]) -> u64 {
    let share = |[_, share, _]: &[u8; 3]| (u64::from(share >> 4), u64::from(share & 15));
    let all = || parts.iter().map(share);
    let across = all().map(|(across, _)| across).max().unwrap_or(1).max(1);
    let along = all().map(|(_, along)| along).max().unwrap_or(1).max(1);
    // What is begun of a block counts as a whole one.
    let (width, height) =
        (u64::from(width).div_ceil(8 * across), u64::from(height).div_ceil(8 * along));
    all().map(|(across, along)| width * across * height * along * 64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment as it stands in a file.
    fn segment_of(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, content].concat()
    }

    /// A head of these segments.
    fn head_of(segments: &[Vec<u8>]) -> Option<Head> {
        let bytes = [&[0xff, 0xd8][..], &segments.concat()].concat();
        read(&mut Cursor::new(bytes)).unwrap()
    }

    /// 300 x 200 in three colours.
    fn frame(marker: u8) -> Vec<u8> {
        segment_of(marker, &[8, 0, 200, 1, 44, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
    }

    #[test]
    fn a_head_tells_size_coding_and_exif() {
        let scan = segment_of(0xda, &[]);
        let plain = head_of(&[segment_of(0xe0, b"JFIF\0"), frame(0xc0), scan.clone()]).unwrap();
        assert_eq!((plain.frame.width, plain.frame.height), (300, 200));
        assert_eq!((plain.frame.coding, plain.frame.components), (Coding::Sequential, 3));
        assert!(plain.is_bare && plain.exif.is_none());
        let exif = segment_of(0xe1, b"Exif\0\0MM\0*");
        let xmp = segment_of(0xe1, b"http://ns.adobe.com/xap/1.0/\0");
        let full = head_of(&[xmp, exif, vec![0xff, 0xff], frame(0xc2), scan.clone()]).unwrap();
        assert_eq!(full.frame.coding, Coding::Progressive);
        assert_eq!(full.exif.as_deref(), Some(&b"MM\0*"[..]));
        assert!(!full.is_bare);
        assert_eq!(head_of(&[frame(0xc9), scan]).unwrap().frame.coding, Coding::Other);
    }

    #[test]
    fn what_stands_between_segments_is_passed_over() {
        let scan = segment_of(0xda, &[]);
        let lost = b"\0lost\xff\0".to_vec();
        let found = head_of(&[segment_of(0xe0, b"JFIF\0"), lost, frame(0xc0), scan]).unwrap();
        assert_eq!((found.frame.width, found.frame.height), (300, 200));
    }

    #[test]
    fn what_is_no_head_is_none() {
        let scan = || segment_of(0xda, &[]);
        let empty = segment_of(0xc0, &[8, 0, 0, 0, 0, 3]);
        for wrong in [
            vec![],
            vec![scan()],
            vec![frame(0xc0)],
            vec![frame(0xc0), frame(0xc0), scan()],
            vec![empty, scan()],
            vec![vec![0xff, 0xd9]],
            vec![vec![0xff, 0xe0, 0, 1]],
            vec![b"<html>".to_vec()],
            vec![[0xff, 1].repeat(100_000), frame(0xc0), scan()],
        ] {
            assert_eq!(
                head_of(&wrong),
                None,
                "{:?}",
                &wrong.concat()[..wrong.concat().len().min(20)]
            );
        }
        assert_eq!(frame_of(b"<html>"), None);
    }
}
