//! JPEG, decoded small at once: its blocks of 8 x 8 give 1, 2 or 4 pixels a side, so that most of a large picture is
//! never there.

use std::io::{Read, Seek, SeekFrom};

use jpeg_decoder::{ColorTransform, Decoder, ImageInfo, PixelFormat};

use super::bytes::ByByte;
use super::{Input, NoPicture, Result, split};
use crate::limits;
use crate::picture::embedded;
use crate::picture::head::{self, Frame};
use larder_scale::{Canvas, Colours, Scaler, fit};

/// Decodes to at most `side` pixels.
pub fn decode(mut reader: Input<impl Read + Seek>, side: u32) -> Result<Canvas> {
    let head = head::read(&mut reader).ok().flatten().ok_or(NoPicture)?;
    let frame = head.frame;
    if !embedded::is_decodable(frame) {
        return Err(NoPicture);
    }
    reader.seek(SeekFrom::Start(0)).map_err(|_| NoPicture)?;
    let wanted = fit((frame.width.into(), frame.height.into()), side);
    let eighths = eighths_for(frame, wanted);
    if frame.held_at_once() != frame {
        return by_component(reader, frame, eighths, wanted);
    }
    reader
        .get_mut()
        .expect(frame.coefficient_bytes() + frame.plane_bytes(eighths), frame.row_bytes());
    let mut decoder = Decoder::new(ByByte(reader));
    decoder.set_max_decoding_buffer_size(limits::PICTURE_DECODED_BYTES_MAX);
    // Luma and chroma are left as they are, which they will be again: half of the work between. The decoder takes them
    // for red, green and blue, which it only copies; its transform called "None" panics.
    let colours = if frame.is_ycbcr { Colours::YCbCr } else { Colours::Rgb };
    if frame.is_ycbcr {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let (pixels, info) = decoded(decoder, frame, eighths)?;
    shrink(&pixels, info, colours, wanted)
}

/// What comes of so many eighths of a picture. Its coefficients are given back with the decoder.
fn decoded(
    mut decoder: Decoder<impl Read>,
    frame: Frame,
    eighths: u64,
) -> Result<(Vec<u8>, ImageInfo)> {
    let part = |length: u16| u16::try_from((u64::from(length) * eighths).div_ceil(8));
    let (width, height) = (part(frame.width), part(frame.height));
    let (Ok(width), Ok(height)) = (width, height) else { return Err(NoPicture) };
    decoder.scale(width, height).map_err(|_| NoPicture)?;
    let pixels = decoder.decode().map_err(|_| NoPicture)?;
    Ok((pixels, decoder.info().ok_or(NoPicture)?))
}

/// Decodes one component after the other, as if each were a grey picture.
fn by_component(
    mut reader: Input<impl Read + Seek>,
    frame: Frame,
    eighths: u64,
    wanted: (u32, u32),
) -> Result<Canvas> {
    let plane = |component| {
        let file = split::component(&mut reader, component)?;
        decoded(Decoder::new(&file[..]), frame, eighths)
    };
    let planes = (0..usize::from(frame.components)).map(plane).collect::<Result<Vec<_>>>()?;
    let [(first, info), (second, _), (third, _)] = &planes[..] else { return Err(NoPicture) };
    let from = (u32::from(info.width), u32::from(info.height));
    if planes.iter().any(|(pixels, _)| pixels.len() != from.0 as usize * from.1 as usize) {
        return Err(NoPicture);
    }
    let colours = if frame.is_ycbcr { Colours::YCbCr } else { Colours::Rgb };
    let to = (wanted.0.min(from.0), wanted.1.min(from.1));
    let mut scaler = Scaler::new(from, to, colours);
    let rows = |plane| <[u8]>::chunks_exact(plane, from.0 as usize);
    let mut row = Vec::new();
    for ((one, two), three) in rows(first).zip(rows(second)).zip(rows(third)) {
        row.clear();
        row.extend(one.iter().zip(two).zip(three).flat_map(|((a, b), c)| [*a, *b, *c]));
        scaler.push(&row);
    }
    scaler.finish().ok_or(NoPicture)
}

/// Makes what was decoded as small as is wanted. It has the picture's own shape, but is rounded up.
fn shrink(pixels: &[u8], info: ImageInfo, colours: Colours, wanted: (u32, u32)) -> Result<Canvas> {
    let from = (u32::from(info.width), u32::from(info.height));
    let to = (wanted.0.min(from.0), wanted.1.min(from.1));
    let mut scaler = Scaler::new(from, to, colours);
    match info.pixel_format {
        PixelFormat::RGB24 => {
            pixels.chunks_exact(from.0 as usize * 3).for_each(|row| scaler.push(row));
        }
        PixelFormat::L8 => {
            let mut thrice = Vec::new();
            for row in pixels.chunks_exact(from.0 as usize) {
                thrice.clear();
                thrice.extend(row.iter().flat_map(|value| [*value; 3]));
                scaler.push(&thrice);
            }
        }
        PixelFormat::L16 | PixelFormat::CMYK32 => return Err(NoPicture),
    }
    scaler.finish().ok_or(NoPicture)
}

/// How many eighths of its size a picture is decoded to, so that it can be made as small as is wanted: as few as will
/// do, and no more than may be held.
pub fn eighths_for(frame: Frame, wanted: (u32, u32)) -> u64 {
    // A sixteenth less than was asked for is no reason to decode four times as many pixels.
    let is_enough = |eighths: u64| {
        let is_long = |length: u16, wanted: u32| {
            (u64::from(length) * eighths).div_ceil(8) >= (u64::from(wanted) * 15).div_ceil(16)
        };
        is_long(frame.width, wanted.0) || is_long(frame.height, wanted.1)
    };
    let is_held = |eighths: u64| held_bytes(frame, eighths) <= limits::PICTURE_HELD_BYTES_MAX;
    let enough = [1, 2, 4].into_iter().find(|eighths| is_enough(*eighths)).unwrap_or(8);
    [8, 4, 2].into_iter().find(|eighths| *eighths <= enough && is_held(*eighths)).unwrap_or(1)
}

/// Bytes that are held at most to make a picture so many eighths as large.
pub fn held_bytes(frame: Frame, eighths: u64) -> u64 {
    let at_once = frame.held_at_once();
    if at_once == frame {
        return frame.held_bytes(eighths);
    }
    // One component is decoded out of its own file while there are planes of the others, and may be copied once.
    let own = limits::PICTURE_SPLIT_BYTES_MAX as u64 + at_once.coefficient_bytes();
    own + frame.plane_bytes(eighths) + at_once.plane_bytes(eighths)
}
