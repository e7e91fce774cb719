//! Writes a small picture as a JPEG that carries nothing but the picture.

use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

use super::size::Size;
use crate::limits;
use larder_scale::{Canvas, Colours};

/// Qualities to be tried until it is small enough, the best first; for tiles, and for a screen.
const TILE: [u8; 3] = [70, 50, 20];

/// The same for a picture as large as a screen, where artefacts are seen.
const SCREEN: [u8; 3] = [80, 50, 20];

/// The picture as a JPEG; `None` when it can't be one.
pub fn encode(canvas: &Canvas) -> Option<Vec<u8>> {
    let is_tile = canvas.width.max(canvas.height) <= Size::Medium.pixels().into();
    let qualities = if is_tile { TILE } else { SCREEN };
    let tries = qualities.into_iter().filter_map(|quality| encode_at(canvas, quality).ok());
    tries.into_iter().find(|jpeg| jpeg.len() <= limits::PICTURE_MADE_BYTES_MAX)
}

/// The same in one quality.
fn encode_at(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, EncodingError> {
    let side = |length| u16::try_from(length).unwrap_or(0);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    // A twelfth less to send, for a look at each block more.
    encoder.set_optimized_huffman_tables(true);
    let colours = match canvas.colours {
        Colours::Rgb => ColorType::Rgb,
        Colours::YCbCr => ColorType::Ycbcr,
    };
    encoder.encode(&canvas.pixels, side(canvas.width), side(canvas.height), colours)?;
    Ok(jpeg)
}
