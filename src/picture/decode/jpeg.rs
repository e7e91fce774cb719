//! JPEG, decoded small at once: its blocks of 8 x 8 give 1, 2 or 4 pixels a side, so that most of a large picture is
//! never there.

use std::io::{BufRead, Seek, SeekFrom};

use jpeg_decoder::{Decoder, PixelFormat};

use super::{NoPicture, Result};
use crate::limits;
use crate::picture::scale::{Canvas, Scaler, fit};
use crate::picture::{embedded, head};

/// Decodes to at most `side` pixels.
pub fn decode(mut reader: impl BufRead + Seek, side: u32) -> Result<Canvas> {
    let head = head::read(&mut reader).ok().flatten().ok_or(NoPicture)?;
    if !embedded::is_decodable(head.frame) {
        return Err(NoPicture);
    }
    reader.seek(SeekFrom::Start(0)).map_err(|_| NoPicture)?;
    let wanted = fit((head.frame.width.into(), head.frame.height.into()), side);
    let mut decoder = Decoder::new(reader);
    decoder.set_max_decoding_buffer_size(limits::PICTURE_DECODED_BYTES_MAX);
    // A sixteenth less than was asked for is no reason to decode four times as many pixels.
    let number = |length: u32| u16::try_from((length * 15).div_ceil(16)).map_err(|_| NoPicture);
    decoder.scale(number(wanted.0)?, number(wanted.1)?).map_err(|_| NoPicture)?;
    let pixels = decoder.decode().map_err(|_| NoPicture)?;
    let info = decoder.info().ok_or(NoPicture)?;
    // The picture's own shape, not that of what was decoded, which is rounded up.
    let from = (u32::from(info.width), u32::from(info.height));
    let to = (wanted.0.min(from.0), wanted.1.min(from.1));
    let mut scaler = Scaler::new(from, to);
    match info.pixel_format {
        PixelFormat::RGB24 => {
            pixels.chunks_exact(from.0 as usize * 3).for_each(|row| scaler.push(row));
        }
        PixelFormat::L8 => {
            let mut colours = Vec::new();
            for row in pixels.chunks_exact(from.0 as usize) {
                colours.clear();
                colours.extend(row.iter().flat_map(|value| [*value; 3]));
                scaler.push(&colours);
            }
        }
        PixelFormat::L16 | PixelFormat::CMYK32 => return Err(NoPicture),
    }
    scaler.finish().ok_or(NoPicture)
}
