//! Pictures and films made by hand, for tests: as small as may be, and of each kind what larder reads. The black-box
//! tests use this file, too.

/// What EXIF says.
#[derive(Clone, Copy, Default)]
pub struct Exif<'a> {
    /// `Orientation`.
    pub orientation: u16,
    /// `DateTimeOriginal`, as it is written.
    pub taken: Option<&'a str>,
    /// Degrees north and east.
    pub place: Option<(f64, f64)>,
    /// Width and height, in a TIFF that is the picture itself.
    pub pixels: Option<(u32, u32)>,
}

/// A table of tags; longer values come behind it.
fn table(at: usize, entries: &[(u16, u16, u32, Vec<u8>)]) -> Vec<u8> {
    let mut table = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
    let mut behind: Vec<u8> = Vec::new();
    let end = at + 2 + entries.len() * 12 + 4;
    for (tag, form, count, value) in entries {
        table.extend(tag.to_be_bytes());
        table.extend(form.to_be_bytes());
        table.extend(count.to_be_bytes());
        if value.len() <= 4 {
            table.extend(value);
            table.extend(vec![0; 4 - value.len()]);
        } else {
            table.extend(u32::try_from(end + behind.len()).unwrap().to_be_bytes());
            behind.extend(value);
        }
    }
    table.extend([0; 4]);
    table.extend(behind);
    table
}

/// Degrees as three fractions.
fn degrees(value: f64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "degrees are few")]
    let millionths = (value.abs() * 1e6).round() as u32;
    let parts = [(millionths / 1_000_000, 1), (0, 1), (millionths % 1_000_000 * 36, 10_000)];
    parts
        .iter()
        .flat_map(|(over, under): &(u32, u32)| [over.to_be_bytes(), under.to_be_bytes()].concat())
        .collect()
}

/// EXIF as a TIFF.
pub fn tiff(exif: Exif<'_>) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    let long = |number: usize| u32::try_from(number).unwrap().to_be_bytes().to_vec();
    let mut first = Vec::new();
    if let Some((width, height)) = exif.pixels {
        first.push((0x100, 4, 1, width.to_be_bytes().to_vec()));
        first.push((0x101, 4, 1, height.to_be_bytes().to_vec()));
    }
    first.push((0x112, 3, 1, exif.orientation.max(1).to_be_bytes().to_vec()));
    let pointers = usize::from(exif.taken.is_some()) + usize::from(exif.place.is_some());
    let mut end = 8 + 2 + (first.len() + pointers) * 12 + 4;
    let mut tables = Vec::new();
    if let Some(taken) = exif.taken {
        let text = [taken.as_bytes(), b"\0"].concat();
        first.push((0x8769, 4, 1, long(end)));
        tables.push(table(end, &[(0x9003, 2, u32::try_from(text.len()).unwrap(), text)]));
        end += tables.last().unwrap().len();
    }
    if let Some((north, east)) = exif.place {
        let side = |value: f64, letters: [&[u8]; 2]| letters[usize::from(value < 0.0)].to_vec();
        first.push((0x8825, 4, 1, long(end)));
        tables.push(table(
            end,
            &[
                (1, 2, 2, side(north, [b"N\0", b"S\0"])),
                (2, 5, 3, degrees(north)),
                (3, 2, 2, side(east, [b"E\0", b"W\0"])),
                (4, 5, 3, degrees(east)),
            ],
        ));
    }
    tiff.extend(table(8, &first));
    tiff.extend(tables.concat());
    tiff
}

/// The head of a JPEG of that size, and no picture.
pub fn jpeg((width, height): (u16, u16), exif: Option<Exif<'_>>) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8];
    if let Some(exif) = exif {
        let tags = [b"Exif\0\0".as_slice(), &tiff(exif)].concat();
        jpeg.extend([0xFF, 0xE1]);
        jpeg.extend(u16::try_from(tags.len() + 2).unwrap().to_be_bytes());
        jpeg.extend(tags);
    }
    jpeg.extend([0xFF, 0xC0, 0, 11, 8]);
    jpeg.extend(height.to_be_bytes());
    jpeg.extend(width.to_be_bytes());
    jpeg.extend([1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xFF, 0xD9]);
    jpeg
}

/// The head of a PNG of that size.
pub fn png((width, height): (u32, u32), exif: Option<Exif<'_>>) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length, kind, content, &[0; 4]].concat()
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &[size.as_slice(), &[8, 2, 0, 0, 0]].concat()));
    png.extend(chunk(b"IDAT", &[1; 100]));
    if let Some(exif) = exif {
        png.extend(chunk(b"eXIf", &tiff(exif)));
    }
    png.extend(chunk(b"IEND", b""));
    png
}

/// The head of a WebP of that size, its EXIF behind the picture.
pub fn webp((width, height): (u32, u32), exif: Option<Exif<'_>>) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [kind, &length, content, &vec![0; content.len() % 2]].concat()
    };
    let (width, height) = ((width - 1).to_le_bytes(), (height - 1).to_le_bytes());
    let canvas = [&[8, 0, 0, 0], &width[..3], &height[..3]].concat();
    let mut chunks = [chunk(b"VP8X", &canvas), chunk(b"VP8 ", &[0; 33])].concat();
    if let Some(exif) = exif {
        chunks.extend(chunk(b"EXIF", &tiff(exif)));
    }
    let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", &chunks].concat()
}

/// The head of a GIF of that size.
pub fn gif((width, height): (u16, u16)) -> Vec<u8> {
    [b"GIF89a".as_slice(), &width.to_le_bytes(), &height.to_le_bytes(), &[0; 20]].concat()
}

/// A box of a film.
pub fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length, kind, content].concat()
}

/// A HEIC of that size, stored turned by so many quarters.
pub fn heic(size: (u32, u32), quarters: u8, exif: Option<Exif<'_>>) -> Vec<u8> {
    heic_with(size, &boxed(b"irot", &[quarters]), 0, exif)
}

/// A HEIC of that size in so many tiles, with a property.
pub fn heic_with(
    (width, height): (u32, u32),
    property: &[u8],
    tiles: u16,
    exif: Option<Exif<'_>>,
) -> Vec<u8> {
    let start = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    let size = |width: u32, height: u32| {
        boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
    };
    // A tile, which is smaller, comes first; the picture has the second and the third property.
    let known = [size(512, 512), size(width, height), property.to_vec()].concat();
    let owners =
        [&[0, 0, 0, 0], &2_u32.to_be_bytes()[..], &[0, 7, 1, 0x81], &[0, 1, 2, 0x82, 0x03]]
            .concat();
    let properties = boxed(b"iprp", &[boxed(b"ipco", &known), boxed(b"ipma", &owners)].concat());
    let item = |number: u16, kind: &[u8]| {
        let [high, low] = number.to_be_bytes();
        boxed(b"infe", &[&[2, 0, 0, 0, high, low, 0, 0], kind, b"\0"].concat())
    };
    let count = (tiles + 2).to_be_bytes();
    let tile_items = (0..tiles).flat_map(|tile| item(tile + 10, b"hvc1")).collect::<Vec<_>>();
    let items = [&[0; 4], &count[..], &item(1, b"grid"), &tile_items, &item(9, b"Exif")].concat();
    let tags =
        exif.map(|exif| [&6_u32.to_be_bytes(), b"Exif\0\0".as_slice(), &tiff(exif)].concat());
    let tags = tags.unwrap_or_default();
    let meta = |at: u32| {
        let place = |number: u16, at: u32, length: u32| {
            let number = number.to_be_bytes();
            [&number[..], &[0, 0, 0, 0, 0, 1], &at.to_be_bytes()[..], &length.to_be_bytes()]
                .concat()
        };
        let tile_places = (0..tiles).flat_map(|tile| place(tile + 10, 0, 1)).collect::<Vec<_>>();
        let places = [
            [1, 0, 0, 0, 0x44, 0].as_slice(),
            &count,
            &place(1, 0, 1),
            &tile_places,
            &place(9, at, u32::try_from(tags.len()).unwrap()),
        ];
        let parts = [
            boxed(b"pitm", &[0, 0, 0, 0, 0, 1]),
            boxed(b"iinf", &items),
            boxed(b"iloc", &places.concat()),
            properties.clone(),
        ];
        boxed(b"meta", &[vec![0; 4], parts.concat()].concat())
    };
    // Its place does not change its length.
    let at = u32::try_from(start.len() + meta(0).len() + 8).unwrap();
    [start, meta(at), boxed(b"mdat", &tags)].concat()
}

/// What a film says.
#[derive(Clone, Copy)]
pub struct Film<'a> {
    /// Seconds since 1970.
    pub made_s: i64,
    /// How long it lasts (ms).
    pub duration_ms: u32,
    /// Width and height as it is stored.
    pub pixels: (u16, u16),
    /// Whether it is turned by a quarter.
    pub is_lying: bool,
    /// Where it was taken, as it is written.
    pub place: Option<&'a str>,
    /// Bytes of pictures before what larder reads.
    pub before: usize,
}

/// A film without pictures, what larder reads at its end.
pub fn film(film: Film<'_>) -> Vec<u8> {
    let made = u32::try_from(film.made_s + 2_082_844_800).unwrap().to_be_bytes();
    let times = [made, made, 1000_u32.to_be_bytes(), film.duration_ms.to_be_bytes()].concat();
    let head = boxed(b"mvhd", &[vec![0; 4], times, vec![0; 80]].concat());
    let one = 0x1_0000_u32.to_be_bytes();
    let (zero, far) = ([0; 4], 0x4000_0000_u32.to_be_bytes());
    let matrix = if film.is_lying {
        [zero, one, zero, (-0x1_0000_i32).to_be_bytes(), zero, zero, zero, zero, far]
    } else {
        [one, zero, zero, zero, one, zero, zero, zero, far]
    };
    let fixed = |pixels: u16| (u32::from(pixels) << 16).to_be_bytes();
    let size = [fixed(film.pixels.0), fixed(film.pixels.1)].concat();
    let track = |kind: &[u8], size: &[u8]| {
        let handler = boxed(b"hdlr", &[&[0; 8], kind, &[0; 12]].concat());
        let head = boxed(b"tkhd", &[vec![0; 40], matrix.concat(), size.to_vec()].concat());
        boxed(b"trak", &[head, boxed(b"mdia", &handler)].concat())
    };
    let mut parts = [head, track(b"soun", &[0; 8]), track(b"vide", &size)].concat();
    if let Some(place) = film.place {
        let length = u16::try_from(place.len()).unwrap().to_be_bytes();
        let text = [&length, [0x15, 0xC7].as_slice(), place.as_bytes()].concat();
        parts.extend(boxed(b"udta", &boxed(b"\xa9xyz", &text)));
    }
    let start = boxed(b"ftyp", b"isom\0\0\0\0isommp42");
    [start, boxed(b"mdat", &vec![0; film.before]), boxed(b"moov", &parts)].concat()
}

/// The place of a film as Apple writes it.
pub fn apple_place(place: &str) -> Vec<u8> {
    let name = b"com.apple.quicktime.location.ISO6709";
    let keys = [&[0; 4], &1_u32.to_be_bytes()[..], &boxed(b"mdta", name)].concat();
    let data = boxed(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], place.as_bytes()].concat());
    let values = boxed(b"ilst", &boxed(&1_u32.to_be_bytes(), &data));
    boxed(b"meta", &[boxed(b"hdlr", &[0; 24]), boxed(b"keys", &keys), values].concat())
}
