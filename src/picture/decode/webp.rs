//! WebP, decoded whole: its decoder knows no other way. Of a moving one the first picture.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use image_webp::WebPDecoder;
use image_webp::vp8::{Frame, Vp8Decoder};

use super::{NoPicture, Result, is_within, on_white};
use crate::limits;
use crate::picture::scale::{Canvas, Colours, Scaler, fit};

/// Decodes to at most `side` pixels.
pub fn decode(mut reader: impl BufRead + Seek, side: u32) -> Result<Canvas> {
    let mut decoder = WebPDecoder::new(&mut reader).map_err(|_| NoPicture)?;
    let from = decoder.dimensions();
    if !is_within(from, limits::PICTURE_HELD_PIXELS_MAX) {
        return Err(NoPicture);
    }
    let (is_lossy, is_opaque) = (decoder.is_lossy(), !decoder.has_alpha());
    let is_still = !decoder.is_animated();
    drop(decoder);
    if is_still && is_lossy && is_opaque {
        return from_planes(&plain_frame(&mut reader)?, from, side);
    }
    reader.seek(SeekFrom::Start(0)).map_err(|_| NoPicture)?;
    let bytes_a_pixel = match (is_still, is_lossy) {
        (true, false) => LOSSLESS_BYTES,
        (true, true) => WITH_ALPHA_BYTES,
        (false, _) => MOVING_BYTES,
    };
    if u64::from(from.0) * u64::from(from.1) * bytes_a_pixel > limits::PICTURE_HELD_BYTES_MAX {
        return Err(NoPicture);
    }
    if is_still && is_opaque {
        return whole(BufReader::new(Claimed::new(reader)?), from, side);
    }
    whole(reader, from, side)
}

/// Bytes a pixel that are held of a picture without losses: red, green, blue and alpha.
const LOSSLESS_BYTES: u64 = 4;

/// The same of one with losses and alpha: planes of colours, the alpha, and what is put together of them.
const WITH_ALPHA_BYTES: u64 = 9;

/// The same of one that moves: the canvas, the frame on it with its planes, and what is put together of them.
const MOVING_BYTES: u64 = 13;

/// Makes a picture small that the decoder gives whole.
fn whole(reader: impl BufRead + Seek, from: (u32, u32), side: u32) -> Result<Canvas> {
    let mut decoder = WebPDecoder::new(reader).map_err(|_| NoPicture)?;
    decoder.set_memory_limit(limits::PICTURE_DECODED_BYTES_MAX);
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(NoPicture)?];
    decoder.read_image(&mut pixels).map_err(|_| NoPicture)?;
    let has_alpha = decoder.has_alpha();
    drop(decoder);
    let mut scaler = Scaler::new(from, fit(from, side), Colours::Rgb);
    if has_alpha {
        let mut opaque = Vec::new();
        for row in pixels.chunks_exact(from.0 as usize * 4) {
            opaque.clear();
            opaque.extend(row.as_chunks().0.iter().flat_map(|pixel| on_white(*pixel)));
            scaler.push(&opaque);
        }
    } else {
        pixels.chunks_exact(from.0 as usize * 3).for_each(|row| scaler.push(row));
    }
    scaler.finish().ok_or(NoPicture)
}

/// A still picture without losses that says it has alpha, although it has none: then the decoder works in the memory
/// that it is given for the picture, and does not copy a second one of three bytes a pixel out of one of four. Where
/// there is no alpha all pixels are opaque (RFC 9649, section 3.4).
struct Claimed<R> {
    /// The file.
    file: R,
    /// The next byte's place.
    at: u64,
    /// The place of the byte whose bit says so.
    place: u64,
}

/// The bit that says so, both in the head of the format and in that of an extended file.
const ALPHA_BIT: u8 = 0x10;

impl<R: Read + Seek> Claimed<R> {
    /// This file, from its beginning.
    fn new(mut file: R) -> Result<Self> {
        let mut head = [0; 16];
        file.read_exact(&mut head).map_err(|_| NoPicture)?;
        file.seek(SeekFrom::Start(0)).map_err(|_| NoPicture)?;
        // Behind RIFF's head and that of the first chunk, a signature stands before the size; or the flags come first.
        let place = if head.ends_with(b"VP8L") { 24 } else { 20 };
        Ok(Self { file, at: 0, place })
    }
}

impl<R: Read> Read for Claimed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let within = self.place.checked_sub(self.at).and_then(|at| usize::try_from(at).ok());
        if let Some(byte) = within.and_then(|at| buffer[..count].get_mut(at)) {
            *byte |= ALPHA_BIT;
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Claimed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

/// The planes of a picture with losses and without alpha. The decoder of whole files makes three bytes a pixel of them,
/// which would be twice as much again.
fn plain_frame(reader: &mut (impl BufRead + Seek)) -> Result<Frame> {
    reader.seek(SeekFrom::Start(RIFF_HEAD_BYTES)).map_err(|_| NoPicture)?;
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let mut head = [0; 8];
        reader.read_exact(&mut head).map_err(|_| NoPicture)?;
        let [kind @ .., a, b, c, d] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        if kind == *b"VP8 " {
            return Vp8Decoder::decode_frame(reader.take(length.into())).map_err(|_| NoPicture);
        }
        // Chunks begin at even places.
        let behind = i64::from(length) + i64::from(length % 2);
        reader.seek_relative(behind).map_err(|_| NoPicture)?;
    }
    Err(NoPicture)
}

/// What stands before the first chunk: `RIFF`, a length, `WEBP`.
const RIFF_HEAD_BYTES: u64 = 12;

/// Makes planes small.
fn from_planes(frame: &Frame, from: (u32, u32), side: u32) -> Result<Canvas> {
    if (u32::from(frame.width), u32::from(frame.height)) != from {
        return Err(NoPicture);
    }
    // Planes are made of whole blocks of 16 x 16, with half as many chroma each way.
    let stride = usize::from(frame.width).next_multiple_of(16);
    let mut scaler = Scaler::new(from, fit(from, side), Colours::YCbCr);
    let mut pixels = Vec::new();
    let luma = frame.ybuf.chunks_exact(stride).take(usize::from(frame.height));
    for (y, row) in luma.enumerate() {
        let chroma = y / 2 * (stride / 2)..(y / 2 + 1) * (stride / 2);
        let blue = frame.ubuf.get(chroma.clone()).ok_or(NoPicture)?;
        let red = frame.vbuf.get(chroma).ok_or(NoPicture)?;
        pixels.clear();
        let pairs = row.as_chunks::<2>().0.iter().zip(blue.iter().zip(red));
        pixels.extend(pairs.flat_map(|([one, other], (b, r))| [*one, *b, *r, *other, *b, *r]));
        scaler.push(&pixels);
    }
    let mut canvas = scaler.finish().ok_or(NoPicture)?;
    for [luma, chroma @ ..] in canvas.pixels.as_chunks_mut::<3>().0 {
        *luma = whole_luma(*luma);
        for value in chroma {
            *value = whole_chroma(*value);
        }
    }
    Ok(canvas)
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
