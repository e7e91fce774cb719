//! Small pictures of large ones. Knows the bytes of picture files, nothing of shares, users or HTTP.
//!
//! A thumbnail comes from the picture that the camera put into the file, else from `larder picture`, a child that
//! is bounded in every way and ends with its task (decision 0016). The server itself decodes nothing: it reads heads.

mod child;
mod decode;
mod directories;
mod embedded;
mod encode;
mod head;
mod heif;
mod maker;
mod places;
#[cfg(test)]
#[path = "../../tests/harness/pictures.rs"]
mod samples;
mod scale;
mod sniff;
mod source;
mod tags;
mod task;
mod turn;

pub use child::run;
pub use head::frame_of;
pub use maker::Pictures;

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

/// Endings of names that may have a thumbnail: what larder makes itself, and what carries a picture inside or is
/// drawn by the browser of somebody who may write there.
const ENDINGS: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "heic", "heif", "hif", "avif", "gif",
    "svg", "mp4", "m4v", "mov", "qt", "webm", "mkv", "3gp", "pdf",
];

/// Whether a file of this name may have a thumbnail. Only the bytes say whether it has one.
pub fn may_have_one(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
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

    #[test]
    fn the_ending_says_what_may_have_one() {
        for name in
            ["a.jpg", "A.JPEG", "b.c.png", "x.WebP", "IMG_1.HEIC", "film.mov", ".hidden.gif"]
        {
            assert!(may_have_one(name), "{name}");
        }
        for name in ["", "jpg", "a.txt", "a.jpg.zip", "a.", "png.tar"] {
            assert!(!may_have_one(name), "{name}");
        }
    }
}
