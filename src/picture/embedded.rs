//! The picture that a camera put into the file beside the large one. Found and judged by its head only.

use std::io::{BufReader, Cursor, Read, Result, Seek};

use super::head::{self, Coding, Frame};
use super::profile;
use super::size::Size;
use super::sniff::Kind;
use super::tags;
use super::task::Inside;
use super::turn::Orientation;
use crate::limits;

/// What the head of a file tells without decoding.
#[derive(Debug, Default)]
pub struct Found {
    /// The picture inside.
    pub embedded: Option<Embedded>,
    /// Whether larder decodes the large picture, as far as its head says.
    pub is_decodable: bool,
}

/// A small picture from inside a large one's file.
#[derive(Debug)]
pub struct Embedded {
    /// The picture, without what may stand behind it.
    pub jpeg: Vec<u8>,
    /// How large it is.
    frame: Frame,
    /// What the child has to know to make it upright and of the right shape.
    pub inside: Inside,
    /// What the large picture's file says of its colours.
    colours: Option<Vec<u8>>,
    /// Whether it can go out as it is: upright, in the large one's shape, with nothing in it but the picture.
    is_ready: bool,
}

impl Embedded {
    /// Whether it goes out as it is where this size is asked for.
    pub fn is_ready_for(&self, size: Size) -> bool {
        self.is_ready && self.frame.longer() <= size.pixels()
    }

    /// What was made of it, with the colours of the large picture: cameras tell of these once.
    pub fn in_its_colours(&self, made: Vec<u8>) -> Vec<u8> {
        let tells = || profile::read(&mut Cursor::new(&made), Kind::Jpeg).is_some();
        match &self.colours {
            Some(colours) if !tells() => profile::put(&made, colours),
            _ => made,
        }
    }

    /// Whether nothing better needs to be made for this size. A tile that is scrolled past may be less sharp.
    pub fn is_enough_for(&self, size: Size) -> bool {
        let least = match size {
            Size::Small => limits::PICTURE_INSIDE_SIDE_MIN,
            Size::Medium | Size::Large => size.pixels(),
        };
        self.frame.longer() >= least
    }
}

/// Looks into a file of this kind, of which no more is given than may be read. `boxed` is the size of a picture in
/// boxes as it is shown, if that is known.
///
/// Errors: the drive's.
pub fn find(source: impl Read + Seek, kind: Kind, boxed: Option<(u32, u32)>) -> Result<Found> {
    let mut reader = BufReader::with_capacity(limits::PICTURE_HEAD_BUFFER_BYTES, source);
    match kind {
        Kind::Jpeg => {
            let Some(head) = head::read(&mut reader)? else { return Ok(Found::default()) };
            let frame = head.frame;
            let shape = (frame.width.into(), frame.height.into());
            let embedded =
                head.exif.and_then(|exif| from_exif(exif, |_| Some(shape), head.profile));
            Ok(Found { embedded, is_decodable: is_decodable(frame) })
        }
        // Their makers put none inside that would be smaller than what there is.
        Kind::Png | Kind::WebP => Ok(Found { embedded: None, is_decodable: true }),
        Kind::Heif => {
            let exif = super::heif::find_exif(&mut reader)?;
            // Boxes tell how it is shown, EXIF how that which is inside lies.
            let stored = |lies: Orientation| boxed.map(|size| lies.stored(size));
            let embedded = exif.and_then(|exif| from_exif(exif, stored, None));
            Ok(Found { embedded, is_decodable: false })
        }
    }
}

/// Whether the child will decode a JPEG with this frame.
pub fn is_decodable(frame: Frame) -> bool {
    let pixels_max = match frame.coding {
        Coding::Sequential => limits::PICTURE_PIXELS_MAX,
        Coding::Progressive => limits::PICTURE_HELD_PIXELS_MAX,
        Coding::Other => 0,
    };
    let is_held = frame.held_at_once().held_bytes(1) <= limits::PICTURE_HELD_BYTES_MAX;
    frame.pixels() <= pixels_max && is_held && matches!(frame.components, 1 | 3)
}

/// Takes the picture out of EXIF; `size` tells the large one's as it is stored when it lies like this, if it is known,
/// and `colours` is its profile.
fn from_exif(
    exif: Vec<u8>,
    size: impl Fn(Orientation) -> Option<(u32, u32)>,
    colours: Option<Vec<u8>>,
) -> Option<Embedded> {
    let tags = tags::parse(exif)?;
    let jpeg = whole_jpeg(tags::thumbnail(&tags)?)?;
    let head = head::read(&mut Cursor::new(jpeg)).ok().flatten()?;
    let frame = head.frame;
    if !is_decodable(frame) || frame.longer() > limits::PICTURE_INSIDE_SIDE_MAX {
        return None;
    }
    let orientation = tags::orientation(Some(&tags));
    let size = size(orientation);
    // The large one was made smaller or is another by now, and this was forgotten.
    if size.is_some_and(|(width, height)| u32::from(frame.longer()) > width.max(height)) {
        return None;
    }
    let colours = colours.filter(|_| !tags::are_by_adobe(&tags));
    let shape = size.filter(|size| !is_of_shape(frame, *size));
    let is_ready = orientation == Orientation::UPRIGHT && shape.is_none() && head.is_bare;
    let jpeg = jpeg.to_vec();
    Some(Embedded { jpeg, frame, inside: Inside { orientation, shape }, colours, is_ready })
}

/// A JPEG up to its end marker: makers pad it.
fn whole_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let is_fit = bytes.len() <= limits::PICTURE_GIVEN_BYTES_MAX && bytes.starts_with(&[0xff, 0xd8]);
    let end = memchr::memmem::rfind(bytes, &[0xff, 0xd9]).filter(|_| is_fit)? + 2;
    Some(&bytes[..end])
}

/// Whether a small picture has the large one's shape, within the pixel that is lost by rounding.
fn is_of_shape(small: Frame, (width, height): (u32, u32)) -> bool {
    let small = (u64::from(small.width), u64::from(small.height));
    let (width, height) = (u64::from(width), u64::from(height));
    let across = small.0 * height;
    let along = small.1 * width;
    across.abs_diff(along) <= width.max(height) * 3 / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of this size.
    fn frame(width: u16, height: u16) -> Frame {
        let samples = u64::from(width) * u64::from(height) * 3 / 2;
        let coding = Coding::Sequential;
        Frame { width, height, components: 3, is_ycbcr: true, samples, coding }
    }

    #[test]
    fn shapes_are_compared_to_the_pixel() {
        for (small, large) in [
            ((160, 120), (4000, 3000)),
            ((160, 107), (6000, 4000)),
            ((160, 106), (6000, 4000)),
            ((120, 160), (3000, 4000)),
            ((160, 90), (1920, 1080)),
        ] {
            assert!(is_of_shape(frame(small.0, small.1), large), "{small:?} {large:?}");
        }
        for (small, large) in
            [((160, 120), (6000, 4000)), ((160, 120), (3000, 4000)), ((160, 120), (1920, 1080))]
        {
            assert!(!is_of_shape(frame(small.0, small.1), large), "{small:?} {large:?}");
        }
    }

    #[test]
    fn what_the_child_decodes() {
        assert!(is_decodable(frame(12_000, 8_000)));
        assert!(!is_decodable(frame(65_535, 65_535)));
        let progressive =
            |width, height| Frame { coding: Coding::Progressive, ..frame(width, height) };
        assert!(is_decodable(progressive(3000, 2000)));
        assert!(!is_decodable(progressive(8000, 6000)));
        let whole = |width, height| Frame {
            samples: u64::from(width) * u64::from(height) * 3,
            ..progressive(width, height)
        };
        assert!(is_decodable(whole(2400, 1600)));
        assert!(is_decodable(whole(3000, 2000)), "a component at a time");
        assert!(!is_decodable(whole(3000, 2008)));
        let odd = |samples| Frame { samples, ..progressive(3000, 2000) };
        assert!(!is_decodable(odd(14_000_000)), "its coefficients alone have 28 MB");
        assert!(!is_decodable(Frame { components: 4, ..frame(10, 10) }));
        assert!(!is_decodable(Frame { coding: Coding::Other, ..frame(10, 10) }));
    }

    #[test]
    fn a_jpeg_ends_at_its_end() {
        assert_eq!(whole_jpeg(b"\xff\xd8..\xff\xd9\0\0\0"), Some(&b"\xff\xd8..\xff\xd9"[..]));
        assert_eq!(whole_jpeg(b"\xff\xd8.."), None);
        assert_eq!(whole_jpeg(b"<html>\xff\xd9"), None);
        let long = [b"\xff\xd8".to_vec(), vec![0; 70_000], b"\xff\xd9".to_vec()].concat();
        assert_eq!(whole_jpeg(&long), None);
    }
}
