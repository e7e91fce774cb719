//! Picture files for tests, made here: their four corners have four colours, so that it shows how they lie.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// What is in the corners of an upright picture: left and right above, left and right below.
pub const CORNERS: [[u8; 3]; 4] = [[220, 40, 40], [40, 200, 40], [40, 40, 220], [230, 230, 230]];

/// Which corners of the upright picture lie in the corners of one that is stored so (EXIF's `Orientation`).
const LYING: [[usize; 4]; 8] = [
    [0, 1, 2, 3],
    [1, 0, 3, 2],
    [3, 2, 1, 0],
    [2, 3, 0, 1],
    [0, 2, 1, 3],
    [1, 3, 0, 2],
    [3, 1, 2, 0],
    [2, 0, 3, 1],
];

/// Pixels of a picture of this size, red, green, blue, whose upright corners have their colours when it is stored so.
pub fn pixels(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let lying = LYING[usize::from(orientation - 1)];
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let corner = |(x, y)| usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
    places.flat_map(|place| CORNERS[lying[corner(place)]]).collect()
}

/// A JPEG in colours, block by block.
pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    jpeg_lying(width, height, 1, false)
}

/// The same, stored so, in one pass or in several.
pub fn jpeg_lying(width: u16, height: u16, orientation: u8, is_progressive: bool) -> Vec<u8> {
    let pixels = pixels(width.into(), height.into(), orientation);
    jpeg_of(&pixels, width, height, ColorType::Rgb, is_progressive)
}

/// A JPEG of these pixels.
pub fn jpeg_of(
    pixels: &[u8],
    width: u16,
    height: u16,
    colours: ColorType,
    is_progressive: bool,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 88);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_progressive(is_progressive);
    encoder.encode(pixels, width, height, colours).unwrap();
    bytes
}

/// EXIF that tells how the picture lies, with a picture inside.
pub fn exif(orientation: u8, inside: Option<&[u8]>) -> Vec<u8> {
    let directory = |entries: &[(u16, u16, u32)], next: u32| {
        let mut bytes = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
        for (tag, kind, value) in entries {
            bytes.extend(tag.to_be_bytes());
            bytes.extend(kind.to_be_bytes());
            bytes.extend([0, 0, 0, 1]);
            // A number of two bytes stands in the first of the four.
            bytes.extend((value << if *kind == 3 { 16 } else { 0 }).to_be_bytes());
        }
        bytes.extend(next.to_be_bytes());
        bytes
    };
    let lies = [(0x0112, 3, u32::from(orientation))];
    let Some(inside) = inside else {
        return [b"MM\0*\0\0\0\x08".to_vec(), directory(&lies, 0)].concat();
    };
    let first = directory(&lies, 8 + 18);
    let length = u32::try_from(inside.len()).unwrap();
    let second = directory(&[(0x0201, 4, 8 + 18 + 30), (0x0202, 4, length)], 0);
    [b"MM\0*\0\0\0\x08", &first[..], &second, inside].concat()
}

/// A JPEG with EXIF put into it.
pub fn jpeg_with(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + 6 + exif.len()).unwrap().to_be_bytes();
    [&[0xff, 0xd8, 0xff, 0xe1], &length[..], b"Exif\0\0", exif, &jpeg[2..]].concat()
}

/// One chunk of a PNG.
pub fn png_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let sum = crc32fast::hash(&[name, content].concat()).to_be_bytes();
    [&length[..], name, content, &sum].concat()
}

/// The beginning of a PNG of this size, 8 bits, in colours; `interlace` is 1 for one in seven passes.
pub fn png_start(width: u32, height: u32, interlace: u8) -> Vec<u8> {
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, interlace]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &png_chunk(b"IHDR", &header)].concat()
}

/// A decoded picture.
pub struct Seen {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue.
    pub pixels: Vec<u8>,
}

impl Seen {
    /// What a JPEG shows.
    pub fn of(jpeg: &[u8]) -> Self {
        let mut decoder = jpeg_decoder::Decoder::new(jpeg);
        let pixels = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        Self { width: info.width.into(), height: info.height.into(), pixels }
    }

    /// The pixel at these per cent of width and height.
    pub fn at(&self, across: u32, along: u32) -> [u8; 3] {
        let (x, y) = (self.width * across / 100, self.height * along / 100);
        let at = (y * self.width + x) as usize * 3;
        self.pixels[at..at + 3].try_into().unwrap()
    }

    /// Whether a pixel has nearly this colour.
    pub fn has(&self, across: u32, along: u32, colour: [u8; 3]) -> bool {
        self.at(across, along).iter().zip(colour).all(|(one, other)| one.abs_diff(other) < 24)
    }

    /// Whether its four corners are those of an upright picture.
    pub fn is_upright(&self) -> bool {
        let places = [(20, 20), (80, 20), (20, 80), (80, 80)];
        places.iter().zip(CORNERS).all(|((x, y), colour)| self.has(*x, *y, colour))
    }
}
