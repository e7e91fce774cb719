//! What `larder picture` is asked to do, as its one argument says it. What it works on is its standard input.

use super::turn::Orientation;

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The longer side of what is made, at most (pixels).
    pub side: u16,
    /// What is known of a picture that was taken out of another file.
    pub inside: Option<Inside>,
}

/// A picture that was inside another file knows less of itself than that file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside {
    /// How it lies.
    pub orientation: Orientation,
    /// The width and height of the large picture: what is of another shape has bars, which are to be cut off.
    pub shape: Option<(u32, u32)>,
}

impl Task {
    /// As an argument: `320`, `160:6`, `160:6:4000x3000`.
    pub fn to_argument(self) -> String {
        let Some(inside) = self.inside else { return self.side.to_string() };
        let shape = inside.shape.map(|(width, height)| format!(":{width}x{height}"));
        format!("{}:{}{}", self.side, inside.orientation.number(), shape.unwrap_or_default())
    }

    /// From an argument; `None` when it is none.
    pub fn from_argument(argument: &str) -> Option<Self> {
        let mut parts = argument.split(':');
        let side = parts.next()?.parse().ok().filter(|side| (1..=SIDE_MAX).contains(side))?;
        let inside = match parts.next() {
            None => None,
            Some(number) => {
                let orientation = Orientation::of(number.parse().ok()?);
                let shape = match parts.next() {
                    None => None,
                    Some(shape) => {
                        let (width, height) = shape.split_once('x')?;
                        Some((width.parse().ok()?, height.parse().ok()?))
                    }
                };
                Some(Inside { orientation, shape })
            }
        };
        parts.next().is_none().then_some(Self { side, inside })
    }
}

/// The longest side that is ever made (pixels): the contract's large thumbnail.
const SIDE_MAX: u16 = super::size::Size::Large.pixels();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_understood_as_it_was_meant() {
        let inside = |number, shape| Some(Inside { orientation: Orientation::of(number), shape });
        for (text, inside) in [
            ("320", None),
            ("160:6", inside(6, None)),
            ("1280:1:65535x1", inside(1, Some((65_535, 1)))),
        ] {
            let task = Task::from_argument(text).unwrap();
            assert_eq!(task.inside, inside);
            assert_eq!(task.to_argument(), text);
        }
        for wrong in
            ["", "0", "1281", "-1", "160:", "160:6:", "160:6:1", "160:6:1x2:3", "160:6:ax1"]
        {
            assert_eq!(Task::from_argument(wrong), None, "{wrong}");
        }
    }
}
