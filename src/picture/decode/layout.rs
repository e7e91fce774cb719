//! Where in a WebP its picture lies, or the first one of those that move (RFC 9649, section 2).

use std::io::{BufRead, Seek, SeekFrom};

use super::{NoPicture, Result};
use crate::limits;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first byte.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
}

/// How a picture is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// With losses; its alpha stands beside it.
    Lossy,
    /// Without.
    Lossless {
        /// Whether there is something of it that one can see through.
        is_clear: bool,
    },
}

/// What a file tells of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Width and height of all.
    pub canvas: (u32, u32),
    /// Where on it the picture is: of one that moves not all may be covered.
    pub place: (u32, u32),
    /// Its width and height.
    pub size: (u32, u32),
    /// How it is coded.
    pub coding: Coding,
    /// The picture: with losses all of it, without what stands behind its head.
    pub image: Part,
    /// Its alpha.
    pub alpha: Option<Part>,
}

/// What stands before the first chunk: `RIFF`, a length, `WEBP`.
const RIFF_HEAD_BYTES: u64 = 12;

/// Bytes of the head of a picture without losses: a mark, its size, whether there is alpha, a version.
const LOSSLESS_HEAD_BYTES: u64 = 5;

/// What was seen on the way to the picture.
#[derive(Default)]
struct Seen {
    /// The canvas.
    canvas: Option<(u32, u32)>,
    /// Place and size of the first picture of those that move.
    frame: Option<[(u32, u32); 2]>,
    /// The alpha of what comes next.
    alpha: Option<Part>,
}

impl Layout {
    /// Looks for the picture.
    pub fn read(reader: &mut (impl BufRead + Seek)) -> Result<Self> {
        let (mut seen, mut at) = (Seen::default(), RIFF_HEAD_BYTES);
        for _ in 0..limits::PICTURE_SEGMENTS_MAX {
            reader.seek(SeekFrom::Start(at)).map_err(|_| NoPicture)?;
            let name = take::<4>(reader)?;
            let length = u32::from_le_bytes(take(reader)?).into();
            let part = Part { start: at + 8, length };
            // They begin at even places.
            at = part.start + part.length.next_multiple_of(2);
            match &name {
                b"VP8X" => {
                    let _flags = take::<4>(reader)?;
                    seen.canvas = Some(size_of(reader)?);
                }
                b"ANMF" if seen.frame.is_none() => {
                    let place = (2 * number(reader)?, 2 * number(reader)?);
                    seen.frame = Some([place, size_of(reader)?]);
                    // Its picture is in it, behind how long it is shown, and how.
                    at = part.start + 16;
                }
                b"ALPH" => seen.alpha = Some(part),
                b"VP8 " => return seen.lossy(&take(reader)?, part),
                b"VP8L" => return seen.lossless(take(reader)?, part),
                _ => {}
            }
        }
        Err(NoPicture)
    }
}

impl Seen {
    /// The picture is one with losses, which begins like this (RFC 6386, section 9.1).
    fn lossy(self, head: &[u8; 10], image: Part) -> Result<Layout> {
        let [_, _, _, 0x9d, 0x01, 0x2a, wide, width, high, height] = *head else {
            return Err(NoPicture);
        };
        // Two bits of each tell how to enlarge it.
        let pixels = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
        self.found((pixels(wide, width), pixels(high, height)), Coding::Lossy, image)
    }

    /// The picture is one without, which begins like this (section 3.4).
    fn lossless(self, [mark, bits @ ..]: [u8; 5], part: Part) -> Result<Layout> {
        let bits = u32::from_le_bytes(bits);
        let size = ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
        let length = part.length.checked_sub(LOSSLESS_HEAD_BYTES).ok_or(NoPicture)?;
        let image = Part { start: part.start + LOSSLESS_HEAD_BYTES, length };
        if mark != 0x2f || bits >> 29 != 0 {
            return Err(NoPicture);
        }
        self.found(size, Coding::Lossless { is_clear: bits >> 28 & 1 == 1 }, image)
    }

    /// The picture has this size.
    fn found(self, size: (u32, u32), coding: Coding, image: Part) -> Result<Layout> {
        let canvas = self.canvas.unwrap_or(size);
        let [place, told] = self.frame.unwrap_or([(0, 0), canvas]);
        let is_inside = place.0.saturating_add(size.0) <= canvas.0
            && place.1.saturating_add(size.1) <= canvas.1;
        if told != size || !is_inside {
            return Err(NoPicture);
        }
        Ok(Layout { canvas, place, size, coding, image, alpha: self.alpha })
    }
}

/// So many bytes.
fn take<const COUNT: usize>(reader: &mut impl BufRead) -> Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    reader.read_exact(&mut bytes).map_err(|_| NoPicture)?;
    Ok(bytes)
}

/// A number of three bytes.
fn number(reader: &mut impl BufRead) -> Result<u32> {
    let [low, middle, high] = take(reader)?;
    Ok(u32::from_le_bytes([low, middle, high, 0]))
}

/// A width and a height, each less one in three bytes.
fn size_of(reader: &mut impl BufRead) -> Result<(u32, u32)> {
    Ok((number(reader)? + 1, number(reader)? + 1))
}
