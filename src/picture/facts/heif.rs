//! Pictures in boxes: HEIC, HEIF and AVIF (ISO/IEC 23008-12). What is known of them stands in one box at the
//! beginning, EXIF in an item of its own that this box tells the place of.

use super::boxes::{Box, Boxes};
use super::tiff::{self, Tags};
use super::window::{Cursor, Window};
use crate::limits;

/// What such a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heif {
    /// Width and height as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// Its EXIF. The side that is up is told by the boxes; what EXIF says of it does not count.
    pub tags: Tags,
}

/// A property that pictures can have.
#[derive(Clone, Copy)]
enum Property {
    /// Width and height.
    Size(u32, u32),
    /// Shown are only so many in width and height.
    Cropped(u32, u32),
    /// Turned by so many quarters.
    Turned(u8),
    /// Anything else.
    Other,
}

/// Reads a file of that kind.
pub fn read(window: &mut Window<'_>) -> Heif {
    let Some(meta) = Boxes::of(window).find(window, *b"meta") else { return Heif::default() };
    let pixels = size_of(window, meta);
    let exif = exif_of(window, meta);
    let tags = exif.map(|at| tiff::read(window, at)).unwrap_or_default();
    Heif { pixels, tags }
}

/// The content of a box in `meta`, as long as larder reads.
fn content(window: &mut Window<'_>, found: Box) -> Option<Vec<u8>> {
    window.piece(found.start, found.length().min(limits::PICTURE_TABLE_BYTES))
}

/// Width and height of the picture that is meant by the whole file.
fn size_of(window: &mut Window<'_>, meta: Box) -> Option<(u32, u32)> {
    let inside = meta.inside(4);
    let properties = inside.find(window, *b"iprp")?.inside(0);
    let known = properties.find(window, *b"ipco")?.inside(0);
    let known = known_properties(window, known);
    let primary = inside.find(window, *b"pitm").and_then(|found| primary_of(window, found));
    let owners = properties.find(window, *b"ipma").and_then(|found| content(window, found));
    let own = primary.zip(owners).and_then(|(item, owners)| properties_of(item, &owners));
    let of_primary = own.and_then(|own| {
        let own = own.iter().filter_map(|index| known.get(index.checked_sub(1)?));
        shown(own.copied())
    });
    // Where nobody says whose they are, the largest is the picture, and smaller ones are parts of it.
    of_primary.or_else(|| {
        let sizes = known.iter().filter_map(|property| match property {
            Property::Size(width, height) => Some((*width, *height)),
            _ => None,
        });
        sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
    })
}

/// Width and height of what has these properties.
fn shown(properties: impl Iterator<Item = Property>) -> Option<(u32, u32)> {
    let (mut size, mut is_lying) = (None, false);
    for property in properties {
        match property {
            Property::Size(width, height) => size = Some((width, height)),
            Property::Cropped(width, height) => {
                size = size.map(|(wide, high): (u32, u32)| (wide.min(width), high.min(height)));
            }
            Property::Turned(quarters) => is_lying = quarters & 1 == 1,
            Property::Other => {}
        }
    }
    size.map(|(width, height)| if is_lying { (height, width) } else { (width, height) })
}

/// All properties that the file has, in order.
fn known_properties(window: &mut Window<'_>, mut boxes: Boxes) -> Vec<Property> {
    let mut known = Vec::new();
    while known.len() < limits::PICTURE_PROPERTIES_MAX
        && let Some(found) = boxes.next(window)
    {
        known.push(property(window, found).unwrap_or(Property::Other));
    }
    known
}

/// One of them.
fn property(window: &mut Window<'_>, found: Box) -> Option<Property> {
    match &found.kind {
        b"ispe" => {
            let [_, _, _, _, w0, w1, w2, w3, height @ ..] = window.bytes::<12>(found.start)?;
            let width = u32::from_be_bytes([w0, w1, w2, w3]);
            Some(Property::Size(width, u32::from_be_bytes(height)))
        }
        b"clap" => {
            let bytes = window.bytes::<16>(found.start)?;
            let mut numbers = bytes.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
            let mut side = || numbers.next()?.checked_div(numbers.next()?);
            Some(Property::Cropped(side()?, side()?))
        }
        b"irot" => Some(Property::Turned(window.bytes::<1>(found.start)?[0] & 3)),
        _ => Some(Property::Other),
    }
}

/// The item that is meant by the whole file.
fn primary_of(window: &mut Window<'_>, found: Box) -> Option<u64> {
    let bytes = content(window, found)?;
    let mut cursor = Cursor(&bytes);
    let version = cursor.number(1)?;
    cursor.take(3)?;
    cursor.number(if version == 0 { 2 } else { 4 })
}

/// The numbers of an item's properties, counted from 1.
fn properties_of(item: u64, owners: &[u8]) -> Option<Vec<usize>> {
    let mut cursor = Cursor(owners);
    let (version, flags) = (cursor.number(1)?, cursor.number(3)?);
    let count = cursor.number(4)?;
    let width = if flags & 1 == 1 { 2 } else { 1 };
    let mask = if flags & 1 == 1 { 0x7FFF } else { 0x7F };
    for _ in 0..count {
        let owner = cursor.number(if version == 0 { 2 } else { 4 })?;
        let own = usize::try_from(cursor.number(1)?).ok()?;
        let indices = cursor.take(own * width)?;
        if owner == item {
            let index = |bytes: &[u8]| Cursor(bytes).number(width).unwrap_or(0) & mask;
            let indices = indices.chunks_exact(width).map(index);
            return indices.map(|index| usize::try_from(index).ok()).collect();
        }
    }
    None
}

/// Where the EXIF is, as a TIFF.
fn exif_of(window: &mut Window<'_>, meta: Box) -> Option<u64> {
    let inside = meta.inside(4);
    let items = inside.find(window, *b"iinf")?;
    let item = exif_item(&content(window, items)?)?;
    let places = inside.find(window, *b"iloc")?;
    let (at, length) = place_of(item, &content(window, places)?)?;
    // Before the TIFF stands how far away it is.
    let skipped = u64::from(u32::from_be_bytes(window.bytes(at)?));
    (skipped < length).then(|| at.checked_add(4 + skipped)).flatten()
}

/// The item that is EXIF.
fn exif_item(items: &[u8]) -> Option<u64> {
    let mut cursor = Cursor(items);
    let version = cursor.number(1)?;
    cursor.take(3)?;
    let count = cursor.number(if version == 0 { 2 } else { 4 })?;
    for _ in 0..count {
        let length = usize::try_from(cursor.number(4)?).ok()?;
        let mut entry = Cursor(cursor.take(length.checked_sub(4)?)?);
        let is_entry = entry.take(4)? == b"infe";
        let version = entry.number(1)?;
        entry.take(3)?;
        let item = entry.number(if version == 2 { 2 } else { 4 })?;
        entry.take(2)?;
        if is_entry && version >= 2 && entry.take(4)? == b"Exif" {
            return Some(item);
        }
    }
    None
}

/// Where an item's bytes begin in the file, and how many there are.
fn place_of(item: u64, places: &[u8]) -> Option<(u64, u64)> {
    let mut cursor = Cursor(places);
    let version = cursor.number(1)?;
    cursor.take(3)?;
    let half =
        |byte: u64| Some((usize::try_from(byte >> 4).ok()?, usize::try_from(byte & 15).ok()?));
    let (offset_bytes, length_bytes) = half(cursor.number(1)?)?;
    let (base_bytes, index_bytes) = half(cursor.number(1)?)?;
    let index_bytes = if version == 0 { 0 } else { index_bytes };
    let count = cursor.number(if version < 2 { 2 } else { 4 })?;
    for _ in 0..count {
        let owner = cursor.number(if version < 2 { 2 } else { 4 })?;
        let way = if version == 0 { 0 } else { cursor.number(2)? & 15 };
        cursor.take(2)?;
        let base = cursor.number(base_bytes)?;
        let pieces = cursor.number(2)?;
        for piece in 0..pieces {
            cursor.take(index_bytes)?;
            let (offset, length) = (cursor.number(offset_bytes)?, cursor.number(length_bytes)?);
            // Only what lies in the file as it is, from its first piece on.
            if owner == item && piece == 0 {
                return (way == 0).then(|| Some((base.checked_add(offset)?, length))).flatten();
            }
        }
    }
    None
}
