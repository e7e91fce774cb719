//! From the bytes of a picture to a small picture in memory. Only ever run in the child: decoders are where files do
//! harm.

mod alone;
mod alpha;
mod bytes;
mod jpeg;
mod layout;
mod letterbox;
mod paced;
mod png;
mod sheet;
mod split;
#[cfg(test)]
mod tests;
mod webp;

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::sniff::{self, Kind};
use super::tags;
use super::task::{Inside, Task};
use super::turn::{self, Orientation};
use crate::limits;
use larder_scale::{Canvas, Scaler, fit};

/// Why there is no picture: it is none, a broken one, too large a one, or of a kind that larder leaves to browsers.
/// Nobody treats these differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPicture;

/// A small picture, or none.
pub type Result<T> = std::result::Result<T, NoPicture>;

/// What is decoded.
type Input<R> = BufReader<paced::Paced<R>>;

/// Does a task: the small picture, upright. `held` tells how much memory is held, in a process that does nothing else.
///
/// Errors: there is none.
pub fn make(input: impl Read + Seek, task: Task, held: fn() -> Option<usize>) -> Result<Canvas> {
    let input = paced::Paced::new(input, held);
    let mut reader = BufReader::with_capacity(limits::PICTURE_READ_BYTES, input);
    let kind = sniff::kind_of(reader.fill_buf().map_err(|_| NoPicture)?).ok_or(NoPicture)?;
    let side = u32::from(task.side);
    let Some(inside) = task.inside else {
        let orientation = orientation_of(&mut reader, kind)?;
        return decode(reader, kind, side).map(|canvas| turn::upright(canvas, orientation));
    };
    let canvas = decode(reader, kind, limits::PICTURE_INSIDE_SIDE_MAX.into())?;
    let canvas = in_shape(canvas, inside)?;
    Ok(turn::upright(shrink(&canvas, side)?, inside.orientation))
}

/// How the picture lies in the file; goes back to the beginning.
fn orientation_of(reader: &mut (impl BufRead + Seek), kind: Kind) -> Result<Orientation> {
    let orientation = tags::orientation(tags::read(reader, kind).as_ref());
    reader.seek(SeekFrom::Start(0)).map_err(|_| NoPicture)?;
    Ok(orientation)
}

/// Decodes a picture to at most `side` pixels, as it lies.
fn decode(reader: Input<impl Read + Seek>, kind: Kind, side: u32) -> Result<Canvas> {
    match kind {
        Kind::Jpeg => jpeg::decode(reader, side),
        Kind::Png => png::decode(reader, side),
        Kind::WebP => webp::decode(reader, side),
        Kind::Heif => Err(NoPicture),
    }
}

/// Cuts off the bars that stand around a picture from inside another. One that has no bars where they should be is a
/// picture of something else: the large one was cropped, and this was forgotten.
fn in_shape(canvas: Canvas, inside: Inside) -> Result<Canvas> {
    match inside.shape {
        None => Ok(canvas),
        Some(shape) => letterbox::cut(&canvas, shape).ok_or(NoPicture),
    }
}

/// Makes a picture in memory smaller, if it is too large.
fn shrink(canvas: &Canvas, side: u32) -> Result<Canvas> {
    let from = (canvas.width, canvas.height);
    let mut scaler = Scaler::new(from, fit(from, side), canvas.colours);
    for row in canvas.pixels.chunks_exact(canvas.width as usize * 3) {
        scaler.push(row);
    }
    scaler.finish().ok_or(NoPicture)
}

/// Whether a picture has any pixels and no more than these.
fn is_within((width, height): (u32, u32), pixels_max: u64) -> bool {
    let is_side = |length| (1..=limits::PICTURE_SIDE_MAX).contains(&length);
    is_side(width) && is_side(height) && u64::from(width) * u64::from(height) <= pixels_max
}

/// What a pixel that one can see through looks like on white.
fn on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    [red, green, blue].map(|value| mixed(value, u8::MAX, alpha))
}

/// A value over another one that shines through.
fn mixed(value: u8, ground: u8, alpha: u8) -> u8 {
    let (value, ground, alpha) = (u32::from(value), u32::from(ground), u32::from(alpha));
    let mixed = (value * alpha + ground * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}
