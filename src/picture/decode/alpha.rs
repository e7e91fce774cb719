//! What one can see through in a WebP with losses: a plane beside its colours (RFC 9649, section 2.7.1.2).

use std::io::{BufRead, Read, Seek, SeekFrom};

use super::layout::Part;
use super::{NoPicture, Result, webp};

/// What a value was told from: the difference to a guess stands in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// Nothing.
    Zero,
    /// Its left neighbour.
    Left,
    /// The one above.
    Above,
    /// Both, less the one between.
    Slope,
}

/// The plane of a picture of this size: a byte a pixel.
pub fn read(reader: &mut (impl BufRead + Seek), part: Part, size: (u32, u32)) -> Result<Vec<u8>> {
    let length = part.length.checked_sub(1).ok_or(NoPicture)?;
    let content = Part { start: part.start + 1, length };
    reader.seek(SeekFrom::Start(part.start)).map_err(|_| NoPicture)?;
    let mut head = [0];
    reader.read_exact(&mut head).map_err(|_| NoPicture)?;
    let guess = match head[0] >> 2 & 3 {
        0 => Guess::Zero,
        1 => Guess::Left,
        2 => Guess::Above,
        _ => Guess::Slope,
    };
    let mut plane = match head[0] & 3 {
        0 => plain(reader, content, size)?,
        1 => packed(reader, content, size)?,
        _ => return Err(NoPicture),
    };
    undo(&mut plane, size.0 as usize, guess);
    Ok(plane)
}

/// The values as they are.
fn plain(reader: &mut impl BufRead, part: Part, (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let length = u64::from(width) * u64::from(height);
    let mut plane = Vec::new();
    let read = reader.take(length.min(part.length)).read_to_end(&mut plane);
    if read.is_ok_and(|count| count as u64 == length) { Ok(plane) } else { Err(NoPicture) }
}

/// The green of a picture without losses. It is gathered in the memory of that picture, and the rest given back.
fn packed(reader: &mut (impl BufRead + Seek), part: Part, size: (u32, u32)) -> Result<Vec<u8>> {
    let mut pixels = webp::without_losses(reader, part, size)?;
    let count = pixels.len() / 4;
    for at in 0..count {
        pixels[at] = pixels[at * 4 + 1];
    }
    pixels.truncate(count);
    pixels.shrink_to_fit();
    Ok(pixels)
}

/// Makes values of differences. Where a guess has nothing to go by, the other neighbour will do.
fn undo(plane: &mut [u8], width: usize, guess: Guess) {
    if guess == Guess::Zero {
        return;
    }
    for at in 1..plane.len() {
        let (is_first, is_top) = (at % width == 0, at < width);
        let guessed = match guess {
            _ if is_top => plane[at - 1],
            _ if is_first => plane[at - width],
            Guess::Zero | Guess::Left => plane[at - 1],
            Guess::Above => plane[at - width],
            Guess::Slope => slope(plane[at - 1], plane[at - width], plane[at - width - 1]),
        };
        plane[at] = plane[at].wrapping_add(guessed);
    }
}

/// What follows from three neighbours if it goes on like this.
fn slope(left: u8, above: u8, between: u8) -> u8 {
    let value = i16::from(left) + i16::from(above) - i16::from(between);
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}
