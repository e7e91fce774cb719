//! A picture that may cover only a part of what is shown, row by row into the scaler.

use super::layout::Layout;
use super::{NoPicture, Result};
use larder_scale::{Canvas, Colours, Scaler, fit};

/// What is shown, with rows of the picture coming.
pub struct Sheet {
    /// Where rows go.
    scaler: Scaler,
    /// A row of what is shown, bare where the picture is not.
    row: Vec<u8>,
    /// Which bytes of it the picture covers.
    covered: std::ops::Range<usize>,
    /// Bare rows behind the picture.
    behind: u32,
    /// A bare pixel.
    ground: [u8; 3],
}

impl Sheet {
    /// Laid out like this, to become at most `side` pixels; bare parts have the colour of the ground.
    pub fn new(layout: &Layout, side: u32, colours: Colours, ground: [u8; 3]) -> Self {
        let Layout { canvas, place, size, .. } = *layout;
        let scaler = Scaler::new(canvas, fit(canvas, side), colours);
        let row = ground.repeat(canvas.0 as usize);
        let covered = place.0 as usize * 3..(place.0 + size.0) as usize * 3;
        let behind = canvas.1 - place.1 - size.1;
        let mut sheet = Self { scaler, row, covered, behind, ground };
        sheet.leave_bare(place.1);
        sheet
    }

    /// So many rows without anything.
    fn leave_bare(&mut self, rows: u32) {
        for _ in 0..rows {
            self.scaler.push(&self.row);
        }
    }

    /// The picture's next row.
    pub fn push(&mut self, row: &[u8]) {
        self.row[self.covered.clone()].copy_from_slice(row);
        self.scaler.push(&self.row);
    }

    /// The small picture.
    pub fn finish(mut self) -> Result<Canvas> {
        if self.behind > 0 {
            self.row = self.ground.repeat(self.row.len() / 3);
            self.leave_bare(self.behind);
        }
        self.scaler.finish().ok_or(NoPicture)
    }
}
