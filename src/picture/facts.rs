//! What is known of a picture or a film without decoding it: when it was taken, how large it is shown, how long it
//! lasts, where it was. At most `PICTURE_FACTS_BYTES` of a file are read, whatever it is, and nothing that a file
//! claims makes this take more memory than that. Goes by content, never by name.

mod boxes;
mod film;
mod heif;
#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;
mod tiff;
mod window;

use jiff::Timestamp;
use jiff::civil::DateTime;

use self::boxes::Boxes;
use self::tiff::Tags;
use self::window::{Source, Window};
use crate::{limits, zone};

/// What is known of a picture or a film.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it was taken, on the camera's clock, and who says so.
    pub taken: Option<(DateTime, Clock)>,
    /// Width and height as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// How long it lasts (ms).
    pub duration_ms: Option<u64>,
    /// Where it was taken.
    pub place: Option<Place>,
}

/// Who says when something was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The camera, in EXIF.
    Exif,
    /// The film.
    Film,
}

/// A place on earth, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// North of the equator.
    pub latitude: i32,
    /// East of Greenwich.
    pub longitude: i32,
}

impl Place {
    /// Of degrees; `None` for what is not on earth, or where cameras say that they do not know.
    pub fn of(latitude: f64, longitude: f64) -> Option<Self> {
        let is_there = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let is_told = latitude != 0.0 || longitude != 0.0;
        #[expect(clippy::cast_possible_truncation, reason = "180 million fit")]
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        (is_there && is_told)
            .then(|| Self { latitude: millionths(latitude), longitude: millionths(longitude) })
    }

    /// In degrees.
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.latitude) / 1e6, f64::from(self.longitude) / 1e6)
    }
}

/// Reads what is known of a file of `size` bytes.
pub fn read(source: &dyn Source, size: u64) -> Facts {
    read_at(source, size, Timestamp::now())
}

/// The same at a time.
fn read_at(source: &dyn Source, size: u64, now: Timestamp) -> Facts {
    let mut window = Window::new(source, size, limits::PICTURE_FACTS_BYTES);
    let Some(head) = window.bytes::<16>(0) else { return Facts::default() };
    let mut facts = match &head {
        [0xFF, 0xD8, 0xFF, ..] => jpeg(&mut window),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => of_tags(tiff::read(&mut window, 0)),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => png(&mut window),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(&mut window),
        [b'G', b'I', b'F', b'8', _, b'a', w0, w1, h0, h1, ..] => {
            let number = |low, high| u32::from(u16::from_le_bytes([low, high]));
            Facts { pixels: Some((number(*w0, *w1), number(*h0, *h1))), ..Facts::default() }
        }
        [_, _, _, _, kind @ .., _, _, _, _, _, _, _, _] => boxed(&mut window, kind),
    };
    facts.taken = facts.taken.filter(|(taken, clock)| is_likely(*taken, *clock, now));
    facts.pixels = facts.pixels.filter(|(width, height)| *width > 0 && *height > 0);
    facts
}

/// Whether a camera's clock can have said that. Clocks that were never set, and counters that begin elsewhere than
/// their readers think, say years long before there were such files; nothing was taken after tomorrow.
fn is_likely(taken: DateTime, clock: Clock, now: Timestamp) -> bool {
    let first = match clock {
        // People write when a print was taken into its scan.
        Clock::Exif => limits::PICTURE_YEAR_MIN,
        Clock::Film => limits::FILM_YEAR_MIN,
    };
    let tomorrow = now.checked_add(limits::MODIFIED_AHEAD_MAX).unwrap_or(now);
    let is_unset = taken == DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    taken.year() >= first && !is_unset && taken <= zone::local().to_datetime(tomorrow)
}

/// What tags say of the picture that they stand in.
fn of_tags(tags: Tags) -> Facts {
    let mut facts = Facts::default();
    add_tags(&mut facts, tags);
    facts.pixels = upright(tags.pixels, tags);
    facts
}

/// Adds when and where.
fn add_tags(facts: &mut Facts, tags: Tags) {
    facts.taken = tags.taken.map(|taken| (taken, Clock::Exif));
    facts.place = tags.place;
}

/// Width and height as they are shown.
fn upright(pixels: Option<(u32, u32)>, tags: Tags) -> Option<(u32, u32)> {
    pixels.map(|(width, height)| if tags.is_lying() { (height, width) } else { (width, height) })
}

/// A JPEG: a row of segments, each with its length.
fn jpeg(window: &mut Window<'_>) -> Facts {
    let (mut tags, mut pixels) = (None, None);
    let mut at = 2;
    while tags.is_none() || pixels.is_none() {
        let Some([first, marker, high, low]) = window.bytes::<4>(at) else { break };
        let length = u64::from(u16::from_be_bytes([high, low]));
        // Bytes that fill a gap, and such as belong to nothing.
        if first != 0xFF || matches!(marker, 0 | 0xFF) {
            at += 1;
            continue;
        }
        match marker {
            0x01 | 0xD0..=0xD7 => {
                at += 2;
                continue;
            }
            // From here on there is the picture itself.
            0xD9 | 0xDA => break,
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let size = window.bytes::<5>(at + 4);
                let number = |high, low| u32::from(u16::from_be_bytes([high, low]));
                pixels = size.map(|[_, h0, h1, w0, w1]| (number(w0, w1), number(h0, h1)));
            }
            0xE1 if tags.is_none() && window.bytes::<6>(at + 4) == Some(*b"Exif\0\0") => {
                tags = Some(tiff::read(window, at + 10));
            }
            _ => {}
        }
        at += 2 + length.max(2);
    }
    let tags = tags.unwrap_or_default();
    Facts { pixels: upright(pixels, tags), ..of_tags(tags) }
}

/// A PNG: a row of chunks, each with its length and a checksum.
fn png(window: &mut Window<'_>) -> Facts {
    let (mut tags, mut pixels) = (None, None);
    let mut at = 8;
    while let Some([l0, l1, l2, l3, kind @ ..]) = window.bytes::<8>(at) {
        match &kind {
            b"IHDR" => pixels = window.bytes::<8>(at + 8).map(big_pair),
            b"eXIf" => tags = Some(tiff::read(window, at + 8)),
            _ => {}
        }
        if tags.is_some() || kind == *b"IEND" {
            break;
        }
        at += 12 + u64::from(u32::from_be_bytes([l0, l1, l2, l3]));
    }
    let tags = tags.unwrap_or_default();
    Facts { pixels: upright(pixels, tags), ..of_tags(tags) }
}

/// Two numbers, the highest byte first.
fn big_pair([w0, w1, w2, w3, h0, h1, h2, h3]: [u8; 8]) -> (u32, u32) {
    (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))
}

/// A WebP: a row of chunks, each with its length and of an even size; EXIF comes behind the picture.
fn webp(window: &mut Window<'_>) -> Facts {
    let (mut tags, mut pixels) = (None, None);
    let mut at = 12;
    while let Some([k0, k1, k2, k3, length @ ..]) = window.bytes::<8>(at) {
        let start = at + 8;
        match &[k0, k1, k2, k3] {
            b"VP8X" => pixels = window.bytes::<10>(start).map(|bytes| canvas_of(&bytes)),
            b"VP8 " if pixels.is_none() => {
                let side = |low, high| u32::from(u16::from_le_bytes([low, high])) & 0x3FFF;
                let head = window.bytes::<10>(start);
                pixels = head.map(|[.., w0, w1, h0, h1]| (side(w0, w1), side(h0, h1)));
            }
            b"VP8L" if pixels.is_none() => {
                let head = window.bytes::<5>(start);
                let bits = head.map(|[_, bits @ ..]| u32::from_le_bytes(bits));
                pixels = bits.map(|bits| ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1));
            }
            b"EXIF" => {
                // Some put the head of a JPEG's segment before it.
                let skipped = if window.bytes::<6>(start) == Some(*b"Exif\0\0") { 6 } else { 0 };
                tags = Some(tiff::read(window, start + skipped));
                break;
            }
            _ => {}
        }
        let length = u64::from(u32::from_le_bytes(length));
        at = start + length + (length & 1);
    }
    let tags = tags.unwrap_or_default();
    Facts { pixels: upright(pixels, tags), ..of_tags(tags) }
}

/// Width and height of the canvas of a WebP.
fn canvas_of(bytes: &[u8; 10]) -> (u32, u32) {
    let [_, _, _, _, w0, w1, w2, h0, h1, h2] = *bytes;
    (u32::from_le_bytes([w0, w1, w2, 0]) + 1, u32::from_le_bytes([h0, h1, h2, 0]) + 1)
}

/// A file of boxes, whose first is of this kind: a picture, a film, or nothing that is known.
fn boxed(window: &mut Window<'_>, kind: &[u8]) -> Facts {
    if kind == b"ftyp" && is_picture(window) {
        let picture = heif::read(window);
        return Facts { pixels: picture.pixels, ..of_tags(picture.tags) };
    }
    if !matches!(kind, b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot") {
        return Facts::default();
    }
    let film = film::read(window);
    let local = |made: Timestamp| (zone::local().to_datetime(made), Clock::Film);
    Facts {
        taken: film.made.map(local),
        pixels: film.pixels,
        duration_ms: film.duration_ms,
        place: film.place,
    }
}

/// Whether a file of boxes says that it is a picture.
fn is_picture(window: &mut Window<'_>) -> bool {
    let Some(first) = Boxes::of(window).find(window, *b"ftyp") else { return false };
    let brands = window.piece(first.start, first.length().min(limits::PICTURE_TEXT_BYTES));
    let is_picture = |brand: &[u8; 4]| {
        matches!(
            brand,
            b"mif1"
                | b"msf1"
                | b"heic"
                | b"heix"
                | b"hevc"
                | b"hevx"
                | b"heim"
                | b"heis"
                | b"avif"
                | b"avis"
        )
    };
    brands.is_some_and(|brands| brands.as_chunks::<4>().0.iter().any(is_picture))
}
