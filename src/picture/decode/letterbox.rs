//! Cameras whose pictures are 3:2 or 16:9 put one of 4:3 into the file, with black bars.

use larder_scale::{Canvas, Colours};

/// A value up to which black may have been spoiled by the JPEG's coding.
const BLACK_MAX: u8 = 48;

/// The part of a picture that has this shape, in its middle; `None` when what is around it is not black, or it has bars
/// itself: some of Nikon's cameras put a frame around the picture inside.
pub fn cut(canvas: &Canvas, (width, height): (u32, u32)) -> Option<Canvas> {
    let (wide, high) = (u64::from(canvas.width), u64::from(canvas.height));
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    // The largest of that shape that fits; a pixel less, which the bar has coloured.
    let (columns, rows) = if wide * height > high * width {
        ((high * width).div_ceil(height), high)
    } else {
        (wide, (wide * height).div_ceil(width))
    };
    let (left, top) = (wide.saturating_sub(columns) / 2, high.saturating_sub(rows) / 2);
    let part = Part {
        left: usize::try_from(left).ok()?,
        top: usize::try_from(top).ok()?,
        columns: usize::try_from(columns.min(wide)).ok()?,
        rows: usize::try_from(rows.min(high)).ok()?,
    };
    (part.has_black_around(canvas) && !part.has_bars(canvas)).then(|| part.of(canvas))
}

/// A part of a picture.
struct Part {
    /// The first column.
    left: usize,
    /// The first row.
    top: usize,
    /// How many columns.
    columns: usize,
    /// How many rows.
    rows: usize,
}

impl Part {
    /// Whether all but a line around it is black.
    fn has_black_around(&self, canvas: &Canvas) -> bool {
        let is_near =
            |at: usize, first: usize, count: usize| at + 1 >= first && at < first + count + 1;
        canvas.pixels.chunks_exact(canvas.width as usize * 3).enumerate().all(|(y, row)| {
            let is_row = is_near(y, self.top, self.rows);
            row.as_chunks().0.iter().enumerate().all(|(x, pixel)| {
                let is_inside = is_row && is_near(x, self.left, self.columns);
                is_inside || is_black(canvas.colours, *pixel)
            })
        })
    }

    /// Whether there is nothing but black along two opposite sides, behind the line that a bar around it has spoiled.
    fn has_bars(&self, canvas: &Canvas) -> bool {
        let row = |y: usize| (0..self.columns).map(move |x| (x, y));
        let column = |x: usize| (0..self.rows).map(move |y| (x, y));
        let (right, bottom) = (self.columns.saturating_sub(2), self.rows.saturating_sub(2));
        let is_black = |(x, y)| {
            let at = (self.top + y) * canvas.width as usize + self.left + x;
            canvas.pixels.as_chunks().0.get(at).is_some_and(|at| is_black(canvas.colours, *at))
        };
        row(1).chain(row(bottom)).all(is_black) || column(1).chain(column(right)).all(is_black)
    }

    /// The part as a picture.
    fn of(&self, canvas: &Canvas) -> Canvas {
        let rows = canvas.pixels.chunks_exact(canvas.width as usize * 3);
        let bytes = self.left * 3..(self.left + self.columns) * 3;
        let pixels: Vec<u8> = rows
            .skip(self.top)
            .take(self.rows)
            .flat_map(|row| row[bytes.clone()].iter().copied())
            .collect();
        let number = |length| u32::try_from(length).unwrap_or(0);
        let (width, height) = (number(self.columns), number(self.rows));
        Canvas { width, height, colours: canvas.colours, pixels }
    }
}

/// Whether a pixel is black, or was.
fn is_black(colours: Colours, pixel: [u8; 3]) -> bool {
    let is_dark = |thousandths: i32| thousandths <= i32::from(BLACK_MAX) * 1000;
    let [first, second, third] = pixel.map(i32::from);
    match colours {
        Colours::Rgb => pixel.iter().all(|value| *value <= BLACK_MAX),
        // What of red, green and blue they stand for (ITU-T T.871, section 7).
        Colours::YCbCr => {
            let (luma, blue, red) = (first * 1000, second - 128, third - 128);
            is_dark(luma + 1402 * red)
                && is_dark(luma - 344 * blue - 714 * red)
                && is_dark(luma + 1772 * blue)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture of 160 x 120 with bars of this value over and under its middle of 160 x 107.
    fn with_bars(value: u8) -> Canvas {
        let pixels = (0..120).flat_map(|y| [if (7..113).contains(&y) { 128 } else { value }; 480]);
        Canvas { width: 160, height: 120, colours: Colours::Rgb, pixels: pixels.collect() }
    }

    #[test]
    fn bars_go() {
        let cut_out = cut(&with_bars(10), (6000, 4000)).unwrap();
        assert_eq!((cut_out.width, cut_out.height), (160, 107));
        assert!(cut_out.pixels[480..480 * 106].iter().all(|value| *value == 128));
    }

    #[test]
    fn a_frame_is_no_bars() {
        let mut framed = with_bars(10);
        for row in framed.pixels.chunks_exact_mut(480) {
            row[..18].fill(10);
            row[462..].fill(10);
        }
        assert_eq!(cut(&framed, (6000, 4000)), None);
        // A side that is black by itself is none.
        let mut dark = with_bars(10);
        dark.pixels.chunks_exact_mut(480).for_each(|row| row[..18].fill(10));
        assert!(cut(&dark, (6000, 4000)).is_some());
    }

    #[test]
    fn what_has_no_bars_is_something_else() {
        assert_eq!(cut(&with_bars(200), (6000, 4000)), None);
        assert_eq!(cut(&with_bars(128), (3000, 4000)), None);
    }
}
