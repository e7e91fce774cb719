//! The three sizes of thumbnails.

/// The longer side of a thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    /// 160 pixels: a tile that is scrolled past, mostly what the camera put into the file.
    Small,
    /// 320 pixels: a tile that is looked at.
    Medium,
    /// 1280 pixels: a screen.
    Large,
}

impl Size {
    /// Every one, the smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// Its longer side in pixels.
    pub const fn pixels(self) -> u16 {
        match self {
            Self::Small => 160,
            Self::Medium => 320,
            Self::Large => 1280,
        }
    }
}

impl TryFrom<&str> for Size {
    type Error = ();

    /// From the pixels as they are written.
    fn try_from(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|size| text == size.pixels().to_string()).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_three() {
        for size in Size::ALL {
            assert_eq!(Size::try_from(size.pixels().to_string().as_str()), Ok(size));
        }
        for wrong in ["", "0", "161", "160 ", "+160", "0160", "large"] {
            assert_eq!(Size::try_from(wrong), Err(()), "{wrong}");
        }
    }
}
