//! WebP, decoded whole: its decoder knows no other way. Of a moving one the first picture.

use std::io::{BufRead, Seek};

use image_webp::WebPDecoder;

use super::{NoPicture, Result, is_within, on_white};
use crate::limits;
use crate::picture::scale::{Canvas, Scaler, fit};

/// Decodes to at most `side` pixels.
pub fn decode(reader: impl BufRead + Seek, side: u32) -> Result<Canvas> {
    let mut decoder = WebPDecoder::new(reader).map_err(|_| NoPicture)?;
    decoder.set_memory_limit(limits::PICTURE_DECODED_BYTES_MAX);
    let from = decoder.dimensions();
    if !is_within(from.0, from.1, limits::PICTURE_HELD_PIXELS_MAX) {
        return Err(NoPicture);
    }
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(NoPicture)?];
    decoder.read_image(&mut pixels).map_err(|_| NoPicture)?;
    let mut scaler = Scaler::new(from, fit(from, side));
    if decoder.has_alpha() {
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
