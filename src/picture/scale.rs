//! Makes a picture smaller while its rows come: each pixel of the small one is the average of the area that it
//! covers. Nothing of the large one is held but a row.

/// A picture in memory: three bytes a pixel, red, green, blue, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels.
    pub rgb: Vec<u8>,
}

/// The size of a picture with a longer side of at most `side`, in the same shape; never larger than it is.
pub fn fit((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= side {
        return (width, height);
    }
    let scaled = |length: u32| {
        let rounded =
            (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    };
    (scaled(width), scaled(height))
}

/// Takes rows of a large picture, gives a small one.
///
/// All is counted in whole numbers: a pixel of the large picture is as wide as the small picture has columns, one of
/// the small picture as the large one has, so that both rows have the same length. The same goes for heights.
pub struct Scaler {
    /// The large picture's size.
    from: (u64, u64),
    /// The small one's.
    to: (u64, u64),
    /// A row, made narrow: sums of what lies in each column.
    line: Vec<u64>,
    /// The row of the small picture that is being filled.
    sums: Vec<u64>,
    /// How much of its height is still to come.
    room: u64,
    /// What is done.
    done: Vec<u8>,
}

impl Scaler {
    /// From one size to another that is not larger in any direction; neither is 0.
    pub fn new(from: (u32, u32), to: (u32, u32)) -> Self {
        let columns = to.0 as usize * 3;
        Self {
            from: (from.0.into(), from.1.into()),
            to: (to.0.into(), to.1.into()),
            line: vec![0; columns],
            sums: vec![0; columns],
            room: from.1.into(),
            done: Vec::with_capacity(columns * to.1 as usize),
        }
    }

    /// Takes the next row, three bytes a pixel.
    pub fn push(&mut self, row: &[u8]) {
        self.narrow(row);
        let height = self.to.1;
        if self.room > height {
            self.add(height);
            self.room -= height;
            return;
        }
        self.add(self.room);
        self.finish_row();
        let rest = height - self.room;
        self.add(rest);
        self.room = self.from.1 - rest;
    }

    /// The small picture; `None` while rows are missing.
    pub fn finish(self) -> Option<Canvas> {
        let (width, height) = (u32::try_from(self.to.0).ok()?, u32::try_from(self.to.1).ok()?);
        let is_whole = self.done.len() == width as usize * height as usize * 3;
        is_whole.then_some(Canvas { width, height, rgb: self.done })
    }

    /// Sums up a row into the columns of the small picture.
    fn narrow(&mut self, row: &[u8]) {
        let (column, whole) = (self.to.0, self.from.0);
        let mut room = whole;
        let mut sum = [0_u64; 3];
        let mut columns = self.line.chunks_exact_mut(3);
        for pixel in row.chunks_exact(3) {
            let inside = column.min(room);
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += u64::from(*value) * inside;
            }
            room -= inside;
            if room > 0 {
                continue;
            }
            if let Some(place) = columns.next() {
                place.copy_from_slice(&sum);
            }
            let rest = column - inside;
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum = u64::from(*value) * rest;
            }
            room = whole - rest;
        }
    }

    /// Adds the line to the row that is being filled, so high.
    fn add(&mut self, height: u64) {
        for (sum, value) in self.sums.iter_mut().zip(&self.line) {
            *sum += value * height;
        }
    }

    /// Averages the row that is full.
    fn finish_row(&mut self) {
        // Rows beyond the last would have nowhere to go.
        if self.done.len() == self.sums.len() * usize::try_from(self.to.1).unwrap_or(0) {
            return;
        }
        let area = self.from.0 * self.from.1;
        let average = |sum: &u64| u8::try_from((sum + area / 2) / area).unwrap_or(u8::MAX);
        self.done.extend(self.sums.iter().map(average));
        self.sums.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes of a picture whose pixels are told by their place.
    fn scaled(from: (u32, u32), to: (u32, u32), pixel: impl Fn(u32, u32) -> [u8; 3]) -> Canvas {
        let mut scaler = Scaler::new(from, to);
        for y in 0..from.1 {
            let row: Vec<u8> = (0..from.0).flat_map(|x| pixel(x, y)).collect();
            scaler.push(&row);
        }
        scaler.finish().unwrap()
    }

    #[test]
    fn shapes_stay_and_nothing_grows() {
        assert_eq!(fit((4000, 3000), 160), (160, 120));
        assert_eq!(fit((3000, 4000), 320), (240, 320));
        assert_eq!(fit((100, 50), 160), (100, 50));
        assert_eq!(fit((100_000, 1), 160), (160, 1), "never without a row");
        assert_eq!(fit((6000, 4000), 160), (160, 107));
    }

    #[test]
    fn a_pixel_is_the_average_of_its_area() {
        let halves = scaled((4, 2), (2, 1), |x, y| [u8::try_from(x * 40 + y * 20).unwrap(); 3]);
        assert_eq!(halves.rgb, [30, 30, 30, 110, 110, 110]);
        // Three columns into two: each takes one and a half.
        let uneven = scaled((3, 1), (2, 1), |x, _| [[0, 90, 240][x as usize]; 3]);
        assert_eq!(uneven.rgb, [30, 30, 30, 190, 190, 190]);
        let same =
            scaled((3, 2), (3, 2), |x, y| [u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 9]);
        assert_eq!(same.rgb, [0, 0, 9, 1, 0, 9, 2, 0, 9, 0, 1, 9, 1, 1, 9, 2, 1, 9]);
    }

    #[test]
    fn a_picture_without_its_last_rows_is_none() {
        let mut scaler = Scaler::new((4, 4), (2, 2));
        for _ in 0..3 {
            scaler.push(&[1; 12]);
        }
        assert_eq!(scaler.finish(), None);
    }

    proptest! {
        #[test]
        fn one_colour_stays_what_it_is(
            width in 1_u32..300, height in 1_u32..300, side in 1_u32..200, colour: [u8; 3],
        ) {
            let to = fit((width, height), side);
            let canvas = scaled((width, height), to, |_, _| colour);
            prop_assert_eq!((canvas.width, canvas.height), to);
            prop_assert!(canvas.rgb.chunks_exact(3).all(|pixel| pixel == colour));
        }
    }
}
