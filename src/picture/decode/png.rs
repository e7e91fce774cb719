//! PNG, decoded row by row; what comes in seven passes over the picture is held whole.

use std::io::{BufRead, Seek};

use png::{ColorType, Decoder, Limits, Transformations};

use super::{NoPicture, Result, is_within, on_white};
use crate::limits;
use larder_scale::{Canvas, Colours, Scaler, fit};

/// Decodes to at most `side` pixels.
pub fn decode(reader: impl BufRead + Seek, side: u32) -> Result<Canvas> {
    let bounds = Limits { bytes: limits::PICTURE_PNG_BYTES_MAX };
    let mut decoder = Decoder::new_with_limits(reader, bounds);
    // Texts and colour profiles are compressed: a few bytes may become gigabytes.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(|_| NoPicture)?;
    let from = (header.width, header.height);
    let is_interlaced = header.interlaced;
    let pixels_max =
        if is_interlaced { limits::PICTURE_HELD_PIXELS_MAX } else { limits::PICTURE_PIXELS_MAX };
    if !is_within(from, pixels_max) {
        return Err(NoPicture);
    }
    let mut reader = decoder.read_info().map_err(|_| NoPicture)?;
    let (colours, _eight_bits) = reader.output_color_type();
    let mut rows =
        Rows { scaler: Scaler::new(from, fit(from, side), Colours::Rgb), colours, row: Vec::new() };
    if is_interlaced {
        let mut whole = vec![0; reader.output_buffer_size().ok_or(NoPicture)?];
        let info = reader.next_frame(&mut whole).map_err(|_| NoPicture)?;
        whole.chunks_exact(info.line_size).take(from.1 as usize).for_each(|row| rows.push(row));
    } else {
        for _ in 0..from.1 {
            let row = reader.next_row().map_err(|_| NoPicture)?.ok_or(NoPicture)?;
            rows.push(row.data());
        }
    }
    rows.scaler.finish().ok_or(NoPicture)
}

/// Takes rows as they are in the file.
struct Rows {
    /// Where they go.
    scaler: Scaler,
    /// What their bytes mean.
    colours: ColorType,
    /// The last one, as the scaler wants it.
    row: Vec<u8>,
}

impl Rows {
    /// Takes one.
    fn push(&mut self, row: &[u8]) {
        self.row.clear();
        match self.colours {
            // Palettes are expanded by the decoder.
            ColorType::Rgb | ColorType::Indexed => return self.scaler.push(row),
            ColorType::Grayscale => self.row.extend(row.iter().flat_map(|value| [*value; 3])),
            ColorType::GrayscaleAlpha => {
                let pixels = row.as_chunks().0.iter();
                self.row
                    .extend(pixels.flat_map(|&[grey, alpha]| on_white([grey, grey, grey, alpha])));
            }
            ColorType::Rgba => {
                self.row.extend(row.as_chunks().0.iter().flat_map(|pixel| on_white(*pixel)));
            }
        }
        self.scaler.push(&self.row);
    }
}
