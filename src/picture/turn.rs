//! Turns a picture upright, by what the camera says of how it was held (EXIF 2.32, 4.6.4, `Orientation`).

use larder_scale::Canvas;

/// How a picture lies in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// As it is looked at.
    pub const UPRIGHT: Self = Self(1);

    /// By EXIF's number; what is none of its eight means upright, as everybody takes it.
    pub fn of(number: u32) -> Self {
        u8::try_from(number)
            .ok()
            .filter(|number| (1..=8).contains(number))
            .map_or(Self::UPRIGHT, Self)
    }

    /// EXIF's number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The size as it is stored of a picture that is shown in this size.
    pub fn stored(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.lies_on_its_side() { (height, width) } else { (width, height) }
    }

    /// Whether rows become columns.
    fn lies_on_its_side(self) -> bool {
        self.0 >= 5
    }
}

/// The picture as it is looked at.
pub fn upright(canvas: Canvas, orientation: Orientation) -> Canvas {
    if orientation.0 <= 1 || canvas.width == 0 || canvas.height == 0 {
        return canvas;
    }
    let (right, bottom) = (canvas.width - 1, canvas.height - 1);
    let (width, height) = orientation.stored((canvas.width, canvas.height));
    let mut pixels = Vec::with_capacity(canvas.pixels.len());
    for y in 0..height {
        for x in 0..width {
            let (column, row) = match orientation.0 {
                2 => (right - x, y),
                3 => (right - x, bottom - y),
                4 => (x, bottom - y),
                5 => (y, x),
                6 => (y, bottom - x),
                7 => (right - y, bottom - x),
                _ => (right - y, x),
            };
            let at = (row as usize * canvas.width as usize + column as usize) * 3;
            pixels.extend_from_slice(&canvas.pixels[at..at + 3]);
        }
    }
    Canvas { width, height, pixels, ..canvas }
}

#[cfg(test)]
mod tests {
    use super::*;
    use larder_scale::Colours;

    /// A picture of grey pixels.
    fn canvas(width: u32, height: u32, pixels: &[u8]) -> Canvas {
        let pixels = pixels.iter().flat_map(|value| [*value; 3]).collect();
        Canvas { width, height, colours: Colours::Rgb, pixels }
    }

    #[test]
    fn all_eight_come_upright() {
        // Upright: 1 2 3 / 4 5 6. As each orientation stores it:
        for (number, width, height, stored) in [
            (1, 3, 2, [1, 2, 3, 4, 5, 6]),
            (2, 3, 2, [3, 2, 1, 6, 5, 4]),
            (3, 3, 2, [6, 5, 4, 3, 2, 1]),
            (4, 3, 2, [4, 5, 6, 1, 2, 3]),
            (5, 2, 3, [1, 4, 2, 5, 3, 6]),
            // The top of what is looked at is the right side of what is stored.
            (6, 2, 3, [3, 6, 2, 5, 1, 4]),
            (7, 2, 3, [6, 3, 5, 2, 4, 1]),
            (8, 2, 3, [4, 1, 5, 2, 6, 3]),
        ] {
            let turned = upright(canvas(width, height, &stored), Orientation::of(number));
            assert_eq!(turned, canvas(3, 2, &[1, 2, 3, 4, 5, 6]), "{number}");
        }
    }

    #[test]
    fn other_numbers_mean_upright() {
        for number in [0, 9, 255, 65_536 + 6] {
            assert_eq!(Orientation::of(number), Orientation::UPRIGHT);
        }
    }
}
