//! Small pictures of large ones. Knows the bytes of picture files, nothing of shares, users or HTTP.
//!
//! A thumbnail comes from the picture that the camera put into the file, else from `larder picture`, a child that
//! is bounded in every way and ends with its task (decision 0016). The server itself decodes nothing: it reads heads.

mod child;
mod chunks;
mod decode;
mod directories;
mod embedded;
mod encode;
pub mod facts;
mod head;
mod heif;
mod maker;
mod places;
mod profile;
#[cfg(test)]
#[path = "../../tests/harness/pictures.rs"]
mod samples;
mod size;
mod sniff;
mod source;
mod tags;
mod task;
mod turn;

pub use child::run;
pub use head::frame_of;
pub use maker::Pictures;
pub use places::{Place, Places, Wish};
pub use size::Size;

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
