//! What is read of pictures and films of each kind, and that nothing bad comes of bad ones.

use super::made::{self, Exif, Film};
use super::window::Source;
use super::{Clock, Facts, Place, read};
use proptest::prelude::*;
use std::cell::Cell;

/// A picture's EXIF.
const EXIF: Exif<'_> = Exif {
    orientation: 6,
    taken: Some("2024:08:03 12:34:56"),
    place: Some((48.8577, -2.295)),
    pixels: None,
};

/// A film.
const FILM: Film<'_> = Film {
    // 2024-08-03T10:34:56Z.
    made_s: 1_722_681_296,
    duration_ms: 12_345,
    pixels: (1920, 1080),
    is_lying: true,
    place: Some("+48.8577-002.2950/"),
    before: 200_000,
};

fn facts(bytes: &[u8]) -> Facts {
    read(&bytes, bytes.len() as u64)
}

fn taken(facts: &Facts) -> Option<(String, Clock)> {
    facts.taken.map(|(taken, clock)| (taken.to_string(), clock))
}

/// Something of each kind, by name.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    let tiff = Exif { pixels: Some((3000, 4000)), ..EXIF };
    vec![
        ("jpeg", made::jpeg((4000, 3000), Some(EXIF))),
        ("png", made::png((4000, 3000), Some(EXIF))),
        ("webp", made::webp((4000, 3000), Some(EXIF))),
        ("tiff", made::tiff(Exif { pixels: Some((4000, 3000)), ..tiff })),
        ("heic", made::heic((4000, 3000), 3, Some(EXIF))),
        ("gif", made::gif((4000, 3000))),
        ("film", made::film(FILM)),
    ]
}

#[test]
fn each_kind_of_picture_tells_when_where_and_how_large_it_is_shown() {
    for (name, bytes) in all().into_iter().take(5) {
        let facts = facts(&bytes);
        let wanted = ("2024-08-03T12:34:56".to_owned(), Clock::Exif);
        assert_eq!(taken(&facts), Some(wanted), "{name}");
        assert_eq!(facts.pixels, Some((3000, 4000)), "{name}");
        assert_eq!(facts.place, Place::of(48.8577, -2.295), "{name}");
        assert_eq!(facts.duration_ms, None, "{name}");
    }
    let gif = facts(&made::gif((4000, 3000)));
    assert_eq!(gif, Facts { pixels: Some((4000, 3000)), ..Facts::default() });
}

#[test]
fn without_exif_the_size_is_known() {
    for bytes in [
        made::jpeg((40, 30), None),
        made::png((40, 30), None),
        made::webp((40, 30), None),
        made::heic((40, 30), 0, None),
        made::gif((40, 30)),
    ] {
        assert_eq!(facts(&bytes), Facts { pixels: Some((40, 30)), ..Facts::default() });
    }
}

#[test]
fn what_stands_between_segments_is_passed_over() {
    let jpeg = made::jpeg((40, 30), Some(EXIF));
    // Behind the first segment.
    let (start, rest) = jpeg.split_at(4 + usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]])));
    let lost = [start, b"\0lost\xff\0", rest].concat();
    assert_eq!(facts(&lost), facts(&jpeg));
}

#[test]
fn a_picture_in_boxes_is_as_large_as_what_is_shown_of_it() {
    let of = |(width, height): (u32, u32)| {
        let part = [width * 2, 2, height, 1, 0, 1, 0, 1].map(u32::to_be_bytes).concat();
        facts(&made::heic_with((64, 100), &made::boxed(b"clap", &part), 0, None)).pixels
    };
    assert_eq!(of((29, 100)), Some((29, 100)));
    assert_eq!(of((200, 50)), Some((64, 50)), "not more than there is");
}

#[test]
fn a_picture_of_many_tiles_tells_when_it_was_taken() {
    let bytes = made::heic_with((16_320, 12_240), b"\0\0\0\x08free", 800, Some(EXIF));
    let found = facts(&bytes);
    assert_eq!(found.pixels, Some((16_320, 12_240)));
    assert_eq!(found.taken, facts(&made::jpeg((4, 3), Some(EXIF))).taken);
}

#[test]
fn only_four_of_eight_orientations_lay_a_picture_down() {
    for orientation in 0..=9 {
        let picture = made::jpeg((40, 30), Some(Exif { orientation, ..EXIF }));
        let wanted = if (5..=8).contains(&orientation) { (30, 40) } else { (40, 30) };
        assert_eq!(facts(&picture).pixels, Some(wanted), "{orientation}");
    }
}

#[test]
fn a_film_tells_what_stands_behind_its_pictures() {
    let film = facts(&made::film(FILM));
    let local = crate::zone::local();
    let made = local.to_datetime(jiff::Timestamp::from_second(FILM.made_s).unwrap());
    assert_eq!(film.taken, Some((made, Clock::Film)));
    assert_eq!(film.pixels, Some((1080, 1920)));
    assert_eq!((film.duration_ms, film.place), (Some(12_345), Place::of(48.8577, -2.295)));
    // Apple's way to say where.
    let mut apple = made::film(Film { place: None, before: 0, ..FILM });
    let at = apple.windows(4).position(|kind| kind == b"moov").unwrap();
    let place = made::apple_place("-10.5+020.25+000.0/");
    let length = u32::try_from(apple.len() - at + 4 + place.len()).unwrap();
    apple[at - 4..at].copy_from_slice(&length.to_be_bytes());
    apple.extend(place);
    assert_eq!(facts(&apple).place, Place::of(-10.5, 20.25));
}

#[test]
fn clocks_that_nobody_has_set_are_not_believed() {
    let of = |taken: &str| {
        facts(&made::jpeg((4, 3), Some(Exif { taken: Some(taken), ..EXIF }))).taken.is_some()
    };
    assert!(of("1955:06:01 12:00:00") && of("2000:01:01 00:00:00"));
    for none in [
        "0000:00:00 00:00:00",
        "1970:01:01 00:00:00",
        "1066:10:14 09:00:00",
        "2999:01:01 00:00:00",
        "x",
    ] {
        assert!(!of(none), "{none}");
    }
    let now = jiff::Timestamp::now().as_second();
    let of = |made_s| facts(&made::film(Film { made_s, ..FILM })).taken.is_some();
    assert!(of(now) && of(now + 3600));
    // 1904, 1970, 1958, the day after tomorrow.
    for none in [-2_082_844_800, 0, -360_000_000, now + 172_800] {
        assert!(!of(none), "{none}");
    }
}

/// A file that counts what is read of it.
struct Counted<'a> {
    bytes: &'a [u8],
    read: Cell<usize>,
}

impl Source for Counted<'_> {
    fn read_some(&self, buffer: &mut [u8], at: u64) -> usize {
        let count = self.bytes.read_some(buffer, at);
        self.read.set(self.read.get() + count);
        count
    }
}

/// Reads it, and sees to it that no more is read than may be.
fn read_little(bytes: &[u8], size: u64) -> Facts {
    let counted = Counted { bytes, read: Cell::new(0) };
    let facts = read(&counted, size);
    assert!(counted.read.get() <= 64 << 10);
    facts
}

proptest! {
    #[test]
    fn nothing_is_known_of_noise(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        read_little(&bytes, bytes.len() as u64);
    }

    #[test]
    fn what_is_cut_off_or_changed_does_no_harm(
        kind in 0..7_usize,
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        size in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
    ) {
        let (_, mut bytes) = all().swap_remove(kind);
        // What a film has before what is read does not matter.
        let head = bytes.len().min(4000);
        for (at, byte) in changes {
            let at = at.index(head);
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        read_little(&bytes, size.unwrap_or(bytes.len() as u64));
    }
}

/// A JPEG of nothing but heads, a TIFF whose tables lead to each other, boxes in boxes without end.
#[test]
fn what_leads_round_in_circles_ends() {
    read_little(&[[0xFF, 0xD8].as_slice(), &vec![0xFF; 1 << 20]].concat(), 1 << 20);
    read_little(&[b"\xff\xd8".as_slice(), &b"\xff\xe0\0\x02".repeat(1 << 16)].concat(), 1 << 20);
    let pointers = b"\x87\x69\0\x04\0\0\0\x01\0\0\0\x08".repeat(5000);
    read_little(&[b"MM\0\x2a\0\0\0\x08\xff\xff".as_slice(), &pointers].concat(), 1 << 20);
    read_little(&b"\0\0\0\x08moov".repeat(1 << 15), 1 << 18);
    read_little(
        &[b"\0\0\0\x08ftyp".as_slice(), &b"\0\0\0\x08trak".repeat(1 << 15)].concat(),
        1 << 18,
    );
    read_little(b"\0\0\0\x14ftypmif1\0\0\0\0\0\0\0\0\xff\xff\xff\xffmeta", u64::MAX);
}
