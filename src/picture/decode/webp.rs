//! WebP, decoded whole: its decoder knows no other way. Of a moving one the first picture. Its parts are decoded one by
//! one, since what the decoder of whole files holds at once is several times as much.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use image_webp::WebPDecoder;
use image_webp::vp8::{Frame, Vp8Decoder};

use super::alone::Alone;
use super::layout::{Coding, Layout, Part};
use super::sheet::Sheet;
use super::{NoPicture, Result, alpha, is_within, mixed, on_white};
use crate::limits;
use larder_scale::{Canvas, Colours};

/// Decodes to at most `side` pixels.
pub fn decode(mut reader: impl BufRead + Seek, side: u32) -> Result<Canvas> {
    let layout = Layout::read(&mut reader)?;
    if !is_within(layout.canvas, limits::PICTURE_HELD_PIXELS_MAX) {
        return Err(NoPicture);
    }
    match layout.coding {
        Coding::Lossy => {
            let alpha = layout.alpha.map(|part| alpha::read(&mut reader, part, layout.size));
            let alpha = alpha.transpose()?;
            from_planes(&planes(&mut reader, layout.image)?, alpha.as_deref(), &layout, side)
        }
        Coding::Lossless { is_clear } => {
            let pixels = without_losses(&mut reader, layout.image, layout.size)?;
            from_pixels(&pixels, is_clear, &layout, side)
        }
    }
}

/// The pixels of what is coded without losses: red, green, blue, alpha. The part begins behind its own head.
///
/// It is put alone into a file that says that there is alpha, whether there is or not: then the decoder works in the
/// memory that it is given for the picture, and does not copy a second one of three bytes a pixel out of one of four.
pub fn without_losses(
    reader: &mut (impl BufRead + Seek),
    part: Part,
    size: (u32, u32),
) -> Result<Vec<u8>> {
    let alone = Alone::new(reader, part, size)?;
    let alone = BufReader::with_capacity(limits::PICTURE_READ_BYTES, alone);
    let mut decoder = WebPDecoder::new(alone).map_err(|_| NoPicture)?;
    decoder.set_memory_limit(limits::PICTURE_DECODED_BYTES_MAX);
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(NoPicture)?];
    decoder.read_image(&mut pixels).map_err(|_| NoPicture)?;
    Ok(pixels)
}

/// Makes these pixels small.
fn from_pixels(pixels: &[u8], is_clear: bool, layout: &Layout, side: u32) -> Result<Canvas> {
    let mut sheet = Sheet::new(layout, side, Colours::Rgb, [u8::MAX; 3]);
    let mut opaque = Vec::new();
    for row in pixels.chunks_exact(layout.size.0 as usize * 4) {
        opaque.clear();
        opaque.extend(row.as_chunks().0.iter().flat_map(|&[red, green, blue, alpha]| {
            on_white([red, green, blue, if is_clear { alpha } else { u8::MAX }])
        }));
        sheet.push(&opaque);
    }
    sheet.finish()
}

/// The planes of a picture with losses. The decoder of whole files makes three or four bytes a pixel of them, which
/// would be twice as much again.
fn planes(reader: &mut (impl BufRead + Seek), part: Part) -> Result<Frame> {
    reader.seek(SeekFrom::Start(part.start)).map_err(|_| NoPicture)?;
    Vp8Decoder::decode_frame(reader.take(part.length)).map_err(|_| NoPicture)
}

/// White, as VP8 has it.
const WHITE: [u8; 3] = [235, 128, 128];

/// Makes planes small, on white where one can see through them.
fn from_planes(frame: &Frame, alpha: Option<&[u8]>, layout: &Layout, side: u32) -> Result<Canvas> {
    if (u32::from(frame.width), u32::from(frame.height)) != layout.size {
        return Err(NoPicture);
    }
    // Planes are made of whole blocks of 16 x 16, with half as many chroma each way.
    let stride = usize::from(frame.width).next_multiple_of(16);
    let mut sheet = Sheet::new(layout, side, Colours::YCbCr, WHITE);
    let mut pixels = Vec::new();
    let luma = frame.ybuf.chunks_exact(stride).take(usize::from(frame.height));
    for (y, row) in luma.enumerate() {
        let chroma = y / 2 * (stride / 2)..(y / 2 + 1) * (stride / 2);
        let blue = frame.ubuf.get(chroma.clone()).ok_or(NoPicture)?;
        let red = frame.vbuf.get(chroma).ok_or(NoPicture)?;
        pixels.clear();
        let pairs = row.as_chunks::<2>().0.iter().zip(blue.iter().zip(red));
        pixels.extend(pairs.flat_map(|([one, other], (b, r))| [*one, *b, *r, *other, *b, *r]));
        pixels.truncate(usize::from(frame.width) * 3);
        if let Some(alpha) = alpha {
            let alpha = alpha.chunks_exact(usize::from(frame.width)).nth(y).ok_or(NoPicture)?;
            put_on_white(&mut pixels, alpha);
        }
        sheet.push(&pixels);
    }
    let mut canvas = sheet.finish()?;
    for [luma, chroma @ ..] in canvas.pixels.as_chunks_mut::<3>().0 {
        *luma = whole_luma(*luma);
        for value in chroma {
            *value = whole_chroma(*value);
        }
    }
    Ok(canvas)
}

/// What a row of pixels looks like on white.
fn put_on_white(pixels: &mut [u8], alpha: &[u8]) {
    for (pixel, alpha) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(alpha) {
        for (value, white) in pixel.iter_mut().zip(WHITE) {
            *value = mixed(*value, white, *alpha);
        }
    }
}

/// Luma as a JPEG has it. VP8 leaves room at both ends (RFC 6386, section 9.2: ITU-R BT.601): from 16 over 219 steps.
fn whole_luma(value: u8) -> u8 {
    byte_of(stretched(i32::from(value) - 16, 219))
}

/// Chroma likewise: 112 steps to each side of 128.
fn whole_chroma(value: u8) -> u8 {
    byte_of(stretched(i32::from(value) - 128, 224) + 128)
}

/// A part of so many steps as one of 255, rounded.
fn stretched(value: i32, steps: i32) -> i32 {
    (value * 255 + value.signum() * steps / 2) / steps
}

/// The byte that is nearest to a number.
fn byte_of(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}
