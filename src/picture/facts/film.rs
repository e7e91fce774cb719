//! What larder needs to know of a film: when it was made, how long it lasts, how large it is shown, where it was
//! taken. MP4 and `QuickTime` only; all of it stands in the box `moov`, before or behind the pictures.

use jiff::Timestamp;

use super::Place;
use super::boxes::{Box, Boxes};
use super::window::{Cursor, Window};
use crate::limits;

/// What a film says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Film {
    /// When it was made.
    pub made: Option<Timestamp>,
    /// How long it lasts (ms).
    pub duration_ms: Option<u64>,
    /// Width and height as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// Where it was taken.
    pub place: Option<Place>,
}

/// Seconds from the beginning of 1904, from which films count, to that of 1970.
const EPOCH_S: i64 = 2_082_844_800;

/// Reads a film.
pub fn read(window: &mut Window<'_>) -> Film {
    let mut film = Film::default();
    let Some(whole) = Boxes::of(window).find(window, *b"moov") else { return film };
    let mut inside = whole.inside(0);
    while let Some(found) = inside.next(window) {
        match &found.kind {
            b"mvhd" => {
                let head = head_of(window, found);
                (film.made, film.duration_ms) = head.unwrap_or_default();
            }
            b"trak" => film.pixels = film.pixels.or_else(|| size_of(window, found)),
            b"udta" => film.place = film.place.or_else(|| place_of_user(window, found)),
            b"meta" => film.place = film.place.or_else(|| place_of_apple(window, found)),
            _ => {}
        }
    }
    film
}

/// When the film was made, and how long it lasts.
fn head_of(window: &mut Window<'_>, found: Box) -> Option<(Option<Timestamp>, Option<u64>)> {
    let bytes = window.piece(found.start, found.length().min(32))?;
    let mut cursor = Cursor(&bytes);
    let wide = if cursor.number(1)? == 1 { 8 } else { 4 };
    cursor.take(3)?;
    let (made, _changed) = (cursor.number(wide)?, cursor.number(wide)?);
    let (per_second, duration) = (cursor.number(4)?, cursor.number(wide)?);
    let made =
        i64::try_from(made).ok().and_then(|made| Timestamp::from_second(made - EPOCH_S).ok());
    // All ones mean that nobody knows.
    let is_known = per_second > 0 && duration > 0 && duration != u64::MAX >> (64 - 8 * wide);
    let duration_ms = (u128::from(duration) * 1000).checked_div(u128::from(per_second));
    let duration_ms = duration_ms.and_then(|time| u64::try_from(time).ok()).filter(|_| is_known);
    Some((made, duration_ms))
}

/// Width and height of a track, if it is one of pictures.
fn size_of(window: &mut Window<'_>, track: Box) -> Option<(u32, u32)> {
    let media = track.inside(0).find(window, *b"mdia")?;
    let handler = media.inside(0).find(window, *b"hdlr")?;
    if window.bytes::<4>(handler.start + 8)? != *b"vide" {
        return None;
    }
    let head = track.inside(0).find(window, *b"tkhd")?;
    // The matrix, then width and height, each with 16 bits behind the point.
    let bytes = window.bytes::<44>(head.end.checked_sub(44).filter(|at| *at >= head.start)?)?;
    let mut numbers = bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
    let matrix: Vec<u32> = numbers.by_ref().take(9).collect();
    let (width, height) = (numbers.next()? >> 16, numbers.next()? >> 16);
    if width == 0 || height == 0 {
        return None;
    }
    // Turned by a quarter, the picture's width goes down the screen.
    let is_lying = matrix[0] == 0 && matrix[4] == 0 && matrix[1] != 0;
    Some(if is_lying { (height, width) } else { (width, height) })
}

/// The place as cameras and Android write it.
fn place_of_user(window: &mut Window<'_>, user: Box) -> Option<Place> {
    let found = user.inside(0).find(window, *b"\xa9xyz")?;
    let text = window.piece(found.start, found.length().min(limits::PICTURE_TEXT_BYTES))?;
    // Two bytes of length, two of language.
    parse_place(text.get(4..)?)
}

/// The place as Apple writes it: a list of names, and one of values by their numbers.
fn place_of_apple(window: &mut Window<'_>, meta: Box) -> Option<Place> {
    let keys = meta.inside(0).find(window, *b"keys")?;
    let keys = window.piece(keys.start, keys.length().min(limits::PICTURE_TABLE_BYTES))?;
    let wanted = number_of(&keys, b"com.apple.quicktime.location.ISO6709")?;
    let values = meta.inside(0).find(window, *b"ilst")?;
    let value = values.inside(0).find(window, wanted.to_be_bytes())?;
    let data = value.inside(0).find(window, *b"data")?;
    let text = window.piece(data.start, data.length().min(limits::PICTURE_TEXT_BYTES))?;
    // Four bytes of type, four of language.
    parse_place(text.get(8..)?)
}

/// The number of a name in a list of names, counted from 1.
fn number_of(keys: &[u8], wanted: &[u8]) -> Option<u32> {
    let mut cursor = Cursor(keys);
    cursor.take(4)?;
    let count = u32::try_from(cursor.number(4)?).ok()?;
    for number in 1..=count {
        let length = usize::try_from(cursor.number(4)?).ok()?;
        let name = cursor.take(length.checked_sub(4)?)?;
        if name.get(4..) == Some(wanted) {
            return Some(number);
        }
    }
    None
}

/// A place as ISO 6709 writes it, in degrees: `+48.8577+002.2950+035/`.
fn parse_place(text: &[u8]) -> Option<Place> {
    let end = text.iter().position(|byte| matches!(byte, b'/' | 0)).unwrap_or(text.len());
    let text = std::str::from_utf8(text.get(..end)?).ok()?;
    let is_sign = |letter: char| matches!(letter, '+' | '-');
    let second = text.get(1..)?.find(is_sign)? + 1;
    let rest = text.get(second..)?;
    let third = rest.get(1..)?.find(is_sign).map_or(rest.len(), |at| at + 1);
    let number = |text: &str| -> Option<f64> {
        let (sign, digits) = text.split_at_checked(1)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = digits.parse().ok().filter(|_| is_number)?;
        is_sign(sign.chars().next()?).then_some(if sign == "-" { -number } else { number })
    };
    Place::of(number(text.get(..second)?)?, number(rest.get(..third)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_two_numbers_with_signs() {
        let parse = |text: &str| parse_place(text.as_bytes());
        assert_eq!(parse("+48.8577+002.2950/"), Place::of(48.8577, 2.295));
        assert_eq!(parse("-33.5-070.25+1200.5CRSWGS_84/"), Place::of(-33.5, -70.25));
        assert_eq!(parse("+48+2\0\0"), Place::of(48.0, 2.0));
        for none in
            ["", "+", "+48.1", "48+2/", "+91+2/", "+1+181/", "+a+b/", "+1e3+2/", "++/", "é+2+3"]
        {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
