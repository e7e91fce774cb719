//! Makes a picture smaller while its rows come: each pixel of the small one is the average of the area that it
//! covers. Nothing of the large one is held but a row.

/// What the three bytes of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Red, green, blue.
    Rgb,
    /// As in a JPEG: luma and two of chroma, each over the whole range of a byte. What comes and goes as this need not
    /// be turned into the other in between.
    YCbCr,
}

/// A picture in memory: three bytes a pixel, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What the pixels are made of.
    pub colours: Colours,
    /// The pixels.
    pub pixels: Vec<u8>,
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
/// the small picture as the large one has, so that both rows have the same length. The same goes for heights. Rows are
/// added up as they are and made narrow only where a row of the small picture is full: adding is what a processor does
/// best.
pub struct Scaler {
    /// The large picture's size.
    from: (u32, u32),
    /// The small one's.
    to: (u32, u32),
    /// What the pixels are made of.
    colours: Colours,
    /// Sums over the rows that the row of the small picture which is being filled covers. No picture is so high that
    /// they would not fit (`PICTURE_SIDE_MAX`).
    sums: Vec<u32>,
    /// How much of its height is still to come.
    room: u32,
    /// Divides by the area of a pixel of the small picture.
    area: Divisor,
    /// What is done.
    done: Vec<u8>,
}

impl Scaler {
    /// From one size to another that is not larger in any direction; neither is 0.
    pub fn new(from: (u32, u32), to: (u32, u32), colours: Colours) -> Self {
        Self {
            colours,
            from,
            to,
            sums: vec![0; from.0 as usize * 3],
            room: from.1,
            area: Divisor::new(u64::from(from.0) * u64::from(from.1)),
            done: Vec::with_capacity(to.0 as usize * to.1 as usize * 3),
        }
    }

    /// Takes the next row, three bytes a pixel.
    pub fn push(&mut self, row: &[u8]) {
        let height = self.to.1;
        if self.room > height {
            self.add(row, height);
            self.room -= height;
            return;
        }
        self.add(row, self.room);
        self.finish_row();
        let rest = height - self.room;
        self.sums.fill(0);
        if rest > 0 {
            self.add(row, rest);
        }
        self.room = self.from.1 - rest;
    }

    /// The small picture; `None` while rows are missing.
    pub fn finish(self) -> Option<Canvas> {
        let (width, height) = self.to;
        let is_whole = self.done.len() == width as usize * height as usize * 3;
        is_whole.then_some(Canvas { width, height, colours: self.colours, pixels: self.done })
    }

    /// Adds a row to the one that is being filled, so high.
    fn add(&mut self, row: &[u8], height: u32) {
        for (sum, value) in self.sums.iter_mut().zip(row) {
            *sum += u32::from(*value) * height;
        }
    }

    /// Makes the row that is full narrow: each column is the average of what lies in it.
    fn finish_row(&mut self) {
        // Rows beyond the last would have nowhere to go.
        if self.done.len() == self.done.capacity() {
            return;
        }
        let (column, whole) = (self.to.0, self.from.0);
        let mut room = whole;
        let mut sum = [0_u64; 3];
        for pixel in self.sums.as_chunks::<3>().0 {
            let inside = column.min(room);
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += u64::from(*value) * u64::from(inside);
            }
            room -= inside;
            if room > 0 {
                continue;
            }
            self.done.extend(sum.map(|sum| self.area.average(sum)));
            let rest = column - inside;
            sum = pixel.map(|value| u64::from(value) * u64::from(rest));
            room = whole - rest;
        }
    }
}

/// Divides by the same number again and again, by multiplying: small processors take their time for a division, and
/// there is one for each value of a picture.
struct Divisor {
    /// The number.
    number: u64,
    /// The part of `2^64` that it is, rounded up.
    inverse: u64,
}

impl Divisor {
    /// By this number, which is not 0.
    fn new(number: u64) -> Self {
        Self { number, inverse: (u64::MAX / number).saturating_add(1) }
    }

    /// So much divided, rounded, as a value of a pixel.
    ///
    /// It is exact for what is asked here: the inverse is too large by less than `1 / 2^64`, which can't be seen as long
    /// as the square of the area times 256 is less than `2^64`, that is for areas of 260 million.
    fn average(&self, sum: u64) -> u8 {
        let sum = u128::from(sum + self.number / 2);
        let divided = (sum * u128::from(self.inverse)) >> u64::BITS;
        u8::try_from(divided).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes of a picture whose pixels are told by their place.
    fn scaled(from: (u32, u32), to: (u32, u32), pixel: impl Fn(u32, u32) -> [u8; 3]) -> Canvas {
        let mut scaler = Scaler::new(from, to, Colours::Rgb);
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
        assert_eq!(halves.pixels, [30, 30, 30, 110, 110, 110]);
        // Three columns into two: each takes one and a half.
        let uneven = scaled((3, 1), (2, 1), |x, _| [[0, 90, 240][x as usize]; 3]);
        assert_eq!(uneven.pixels, [30, 30, 30, 190, 190, 190]);
        let same =
            scaled((3, 2), (3, 2), |x, y| [u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 9]);
        assert_eq!(same.pixels, [0, 0, 9, 1, 0, 9, 2, 0, 9, 0, 1, 9, 1, 1, 9, 2, 1, 9]);
    }

    #[test]
    fn a_picture_without_its_last_rows_is_none() {
        let mut scaler = Scaler::new((4, 4), (2, 2), Colours::Rgb);
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
            prop_assert!(canvas.pixels.chunks_exact(3).all(|pixel| pixel == colour));
        }
    }
}
