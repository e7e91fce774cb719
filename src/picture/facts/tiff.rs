//! What larder needs to know of a TIFF's tags, which is what EXIF is: when, where, how large, which side is up.
//!
//! Libraries read all tags into memory, and tables of tags that lie over each other make hundreds of megabytes
//! of 64 KiB. This reads three tables at most, of each no more than `PICTURE_TAGS_MAX` tags, and keeps nothing.

use jiff::civil::DateTime;

use super::Place;
use super::window::Window;
use crate::limits;

/// What the tags say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Which side is up (1 to 8, EXIF's `Orientation`).
    pub orientation: u32,
    /// Width and height of the picture as it is stored.
    pub pixels: Option<(u32, u32)>,
    /// When it was taken, on the camera's clock.
    pub taken: Option<DateTime>,
    /// Where.
    pub place: Option<Place>,
}

impl Tags {
    /// Whether width and height change places when the picture is shown upright.
    pub fn is_lying(&self) -> bool {
        (5..=8).contains(&self.orientation)
    }
}

/// `NewSubfileType`: bit 0 means a smaller version of another picture.
const SUBFILE_TYPE: u16 = 0xFE;
/// `ImageWidth`.
const WIDTH: u16 = 0x100;
/// `ImageLength`.
const HEIGHT: u16 = 0x101;
/// `Orientation`.
const ORIENTATION: u16 = 0x112;
/// Where EXIF's own table is.
const EXIF_TABLE: u16 = 0x8769;
/// Where the table about the place is.
const PLACE_TABLE: u16 = 0x8825;
/// `DateTimeOriginal`.
const TAKEN: u16 = 0x9003;
/// `PixelXDimension`.
const EXIF_WIDTH: u16 = 0xA002;
/// `PixelYDimension`.
const EXIF_HEIGHT: u16 = 0xA003;

/// Bytes of `DateTimeOriginal`, without the NUL at its end.
const TIME_BYTES: usize = 19;

/// A TIFF in a file.
struct Tiff<'w, 'a> {
    /// The file.
    window: &'w mut Window<'a>,
    /// Where in it the TIFF begins.
    base: u64,
    /// Whether numbers have their lowest byte first.
    is_little: bool,
}

/// One tag of a table.
#[derive(Clone, Copy)]
struct Entry {
    /// Which.
    tag: u16,
    /// How its values are stored.
    form: u16,
    /// How many there are.
    count: u32,
    /// The value, or where it is.
    value: [u8; 4],
}

/// Reads the tags of the TIFF that begins at `base`.
pub fn read(window: &mut Window<'_>, base: u64) -> Tags {
    let mut tags = Tags::default();
    // What cannot be read says nothing.
    let _some = read_into(window, base, &mut tags);
    tags
}

/// The work of `read`; what was found until something was missing stays.
fn read_into(window: &mut Window<'_>, base: u64, tags: &mut Tags) -> Option<()> {
    let head = window.bytes::<8>(base)?;
    let is_little = match &head[..2] {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let mut tiff = Tiff { window, base, is_little };
    if tiff.u16([head[2], head[3]]) != 42 {
        return None;
    }
    let first = tiff.table(tiff.u32([head[4], head[5], head[6], head[7]]))?;
    let of_first = |tag| first.iter().find(|entry| entry.tag == tag).copied();
    tags.orientation = of_first(ORIENTATION).and_then(|entry| tiff.number(entry)).unwrap_or(1);
    let size = |tiff: &Tiff<'_, '_>, width: Option<Entry>, height: Option<Entry>| {
        Some((tiff.number(width?)?, tiff.number(height?)?))
    };
    let kind = of_first(SUBFILE_TYPE).and_then(|entry| tiff.number(entry)).unwrap_or(0);
    if kind & 1 == 0 {
        tags.pixels = size(&tiff, of_first(WIDTH), of_first(HEIGHT));
    }
    if let Some(exif) = of_first(EXIF_TABLE).and_then(|entry| tiff.table_at(entry)) {
        let of_exif = |tag| exif.iter().find(|entry| entry.tag == tag).copied();
        let told = size(&tiff, of_exif(EXIF_WIDTH), of_exif(EXIF_HEIGHT));
        tags.pixels = tags.pixels.or(told);
        tags.taken = of_exif(TAKEN).and_then(|entry| tiff.time(entry));
    }
    let place = of_first(PLACE_TABLE).and_then(|entry| tiff.table_at(entry));
    tags.place = place.and_then(|table| tiff.place(&table));
    Some(())
}

impl Tiff<'_, '_> {
    /// A number of two bytes.
    fn u16(&self, bytes: [u8; 2]) -> u16 {
        if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    /// A number of four bytes.
    fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    /// The table at an offset.
    fn table(&mut self, offset: u32) -> Option<Vec<Entry>> {
        let at = self.base + u64::from(offset);
        let count = self.window.bytes::<2>(at)?;
        let count = u64::from(self.u16(count)).min(limits::PICTURE_TAGS_MAX);
        let bytes = self.window.piece(at + 2, count * 12)?;
        let entry = |bytes: &[u8]| {
            let [t0, t1, f0, f1, c0, c1, c2, c3, value @ ..] = bytes else { return None };
            Some(Entry {
                tag: self.u16([*t0, *t1]),
                form: self.u16([*f0, *f1]),
                count: self.u32([*c0, *c1, *c2, *c3]),
                value: value.try_into().ok()?,
            })
        };
        bytes.chunks_exact(12).map(entry).collect()
    }

    /// The table that a tag leads to.
    fn table_at(&mut self, entry: Entry) -> Option<Vec<Entry>> {
        let offset = self.number(entry)?;
        self.table(offset)
    }

    /// The value of a tag that is one number.
    fn number(&self, entry: Entry) -> Option<u32> {
        match entry.form {
            3 => Some(u32::from(self.u16([entry.value[0], entry.value[1]]))),
            // 13 is what some write for the place of a table.
            4 | 13 => Some(self.u32(entry.value)),
            _ => None,
        }
    }

    /// The value of a tag that is a time.
    fn time(&mut self, entry: Entry) -> Option<DateTime> {
        if entry.form != 2 || (entry.count as usize) < TIME_BYTES {
            return None;
        }
        let at = self.base + u64::from(self.u32(entry.value));
        parse_time(&self.window.bytes::<TIME_BYTES>(at)?)
    }

    /// The place that a table tells.
    fn place(&mut self, table: &[Entry]) -> Option<Place> {
        let mut degrees = |reference: u16, negative: u8| {
            let entry = |tag| table.iter().find(|entry| entry.tag == tag).copied();
            let sign = if entry(reference)?.value[0] == negative { -1.0 } else { 1.0 };
            Some(sign * self.degrees(entry(reference + 1)?)?)
        };
        let latitude = degrees(1, b'S')?;
        Place::of(latitude, degrees(3, b'W')?)
    }

    /// Degrees, minutes and seconds as degrees.
    fn degrees(&mut self, entry: Entry) -> Option<f64> {
        if entry.form != 5 || entry.count != 3 {
            return None;
        }
        let at = self.base + u64::from(self.u32(entry.value));
        let bytes = self.window.bytes::<24>(at)?;
        let mut numbers = bytes.as_chunks::<4>().0.iter().map(|bytes| f64::from(self.u32(*bytes)));
        let mut part = || Some(numbers.next()? / numbers.next()?);
        Some(part()? + part()? / 60.0 + part()? / 3600.0)
    }
}

/// A time as EXIF writes it: `2026:08:03 12:34:56`.
fn parse_time(text: &[u8; TIME_BYTES]) -> Option<DateTime> {
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = text.get(from..to)?;
        let is_number = digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
    };
    let small = |from| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let (year, month, day) = (number(0, 4)?, small(5)?, small(8)?);
    // A leap second is the second before.
    let (hour, minute, second) = (small(11)?, small(14)?, small(17)?.min(59));
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_is_one() {
        let parse = |text: &[u8; 19]| parse_time(text).map(|time| time.to_string());
        assert_eq!(parse(b"2026:08:03 12:34:56").as_deref(), Some("2026-08-03T12:34:56"));
        assert_eq!(parse(b"2016-12-31 23:59:60").as_deref(), Some("2016-12-31T23:59:59"));
        for none in [
            b"0000:00:00 00:00:00",
            b"    :  :     :  :  ",
            b"2026:13:03 12:34:56",
            b"2026:02:30 12:34:56",
            b"2026:08:03 24:00:00",
            b"+026:08:03 12:34:56",
            b"\xff\xff\xff\xff:08:03 12:34:56",
        ] {
            assert_eq!(parse(none), None);
        }
    }
}
