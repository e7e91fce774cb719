//! What decoders make of files of all kinds, whole, broken and hostile.

use std::io::{Cursor, Write};

use ::png::{BitDepth, ColorType};
use jpeg_encoder::ColorType as Inks;
use proptest::prelude::*;

use super::*;
use crate::picture::encode::encode;
use crate::picture::head::Coding::{Progressive, Sequential};
use crate::picture::head::Frame;
use crate::picture::samples::{
    CORNERS, Seen, exif, jpeg, jpeg_lying, jpeg_of, jpeg_with, pixels, png_chunk, png_start,
};

/// Does a task on a file, without waiting for other tests to hold less memory.
fn done(file: &[u8], task: Task) -> Result<Canvas> {
    make(Cursor::new(file), task, || None)
}

/// What is made of a file, at most so large.
fn made(file: &[u8], side: u16) -> Result<Seen> {
    let canvas = done(file, Task { side, inside: None })?;
    Ok(Seen::of(&encode(&canvas).unwrap()))
}

/// A PNG of these bytes, which lie as the colours and the depth say.
fn png(size: (u32, u32), colours: ColorType, depth: BitDepth, bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, size.0, size.1);
    encoder.set_color(colours);
    encoder.set_depth(depth);
    if colours == ColorType::Indexed {
        encoder.set_palette(CORNERS.concat());
        encoder.set_trns(vec![255, 255, 255, 0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
    writer.finish().unwrap();
    file
}

/// A PNG with a chunk more, behind its header.
fn png_with(png: &[u8], name: &[u8], content: &[u8]) -> Vec<u8> {
    let (start, rest) = png.split_at(8 + 25);
    [start, &png_chunk(name, content), rest].concat()
}

/// Bytes as zlib writes them.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PNG in seven passes (PNG, 8.1).
fn interlaced(width: u32, height: u32) -> Vec<u8> {
    let pixels = pixels(width, height, 1);
    let passes = [
        (0, 8, 0, 8),
        (4, 8, 0, 8),
        (0, 4, 4, 8),
        (2, 4, 0, 4),
        (0, 2, 2, 4),
        (1, 2, 0, 2),
        (0, 1, 1, 2),
    ];
    let mut rows = Vec::new();
    for (left, right, top, down) in passes {
        for y in (top..height).step_by(down) {
            rows.push(0);
            for x in (left..width).step_by(right) {
                let at = (y * width + x) as usize * 3;
                rows.extend_from_slice(&pixels[at..at + 3]);
            }
        }
    }
    let data = png_chunk(b"IDAT", &deflated(&rows));
    [png_start(width, height, 1), data, png_chunk(b"IEND", b"")].concat()
}

/// A WebP without loss, of four bytes a pixel or of three.
fn webp(pixels: &[u8], width: u32, height: u32, has_alpha: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let colours =
        if has_alpha { image_webp::ColorType::Rgba8 } else { image_webp::ColorType::Rgb8 };
    image_webp::WebPEncoder::new(&mut file).encode(pixels, width, height, colours).unwrap();
    file
}

/// A WebP with EXIF.
fn webp_with(exif: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut file);
    encoder.set_exif_metadata(exif.to_vec());
    let stored = pixels(width, height, 6);
    encoder.encode(&stored, width, height, image_webp::ColorType::Rgb8).unwrap();
    file
}

/// The pixels of an upright picture with the last corner seen through.
fn with_alpha(width: u32, height: u32) -> Vec<u8> {
    let opaque = pixels(width, height, 1);
    let alpha = |pixel: &[u8]| {
        if pixel == CORNERS[3] { [0, 0, 0, 0] } else { [pixel[0], pixel[1], pixel[2], 255] }
    };
    opaque.chunks_exact(3).flat_map(alpha).collect()
}

/// Whether the first three corners are right, and the last is white.
fn has_white_corner(seen: &Seen) -> bool {
    seen.has(20, 20, CORNERS[0]) && seen.has(80, 20, CORNERS[1]) && seen.has(80, 80, [255; 3])
}

#[test]
fn jpegs_come_upright_and_small_in_all_eight_orientations() {
    for orientation in 1..=8 {
        let (width, height) = if orientation >= 5 { (300, 400) } else { (400, 300) };
        for is_progressive in [false, true] {
            let stored = jpeg_lying(width, height, orientation, is_progressive);
            let file = jpeg_with(&stored, &exif(orientation, None));
            let seen = made(&file, 160).unwrap();
            assert_eq!((seen.width, seen.height), (160, 120), "{orientation}");
            assert!(seen.is_upright(), "{orientation} {is_progressive}");
        }
    }
}

#[test]
fn every_size_is_right_and_none_is_enlarged() {
    for (size, side, small) in [
        ((4000, 3000), 320, (320, 240)),
        ((1281, 700), 1280, (1280, 699)),
        ((100, 60), 160, (100, 60)),
        ((1, 1), 160, (1, 1)),
        ((2000, 3), 160, (160, 1)),
        ((333, 999), 320, (107, 320)),
    ] {
        let seen = made(&jpeg(size.0, size.1), side).unwrap();
        assert_eq!((seen.width, seen.height), small, "{size:?}");
    }
    assert!(made(&jpeg(4000, 3000), 1280).unwrap().is_upright());
}

#[test]
fn grey_is_made_and_inks_are_not() {
    let grey = jpeg_of(&vec![77; 400 * 300], 400, 300, Inks::Luma, false);
    let seen = made(&grey, 160).unwrap();
    assert!(seen.has(50, 50, [77; 3]));
    let inks = jpeg_of(&[77; 40 * 30 * 4], 40, 30, Inks::Cmyk, false);
    assert!(made(&inks, 160).is_err());
}

#[test]
fn pngs_of_all_colours_and_depths() {
    let size = (400, 300);
    let colours = pixels(400, 300, 1);
    assert!(made(&png(size, ColorType::Rgb, BitDepth::Eight, &colours), 160).unwrap().is_upright());
    let deep: Vec<u8> = colours.iter().flat_map(|value| [*value, 7]).collect();
    assert!(made(&png(size, ColorType::Rgb, BitDepth::Sixteen, &deep), 160).unwrap().is_upright());
    let clear = with_alpha(400, 300);
    let clear = made(&png(size, ColorType::Rgba, BitDepth::Eight, &clear), 160).unwrap();
    assert!(has_white_corner(&clear));
    // Two pixels of grey and alpha: half seen through black is grey.
    let grey =
        made(&png((1, 1), ColorType::GrayscaleAlpha, BitDepth::Eight, &[0, 128]), 160).unwrap();
    assert!(grey.has(0, 0, [127; 3]));
    let grey = made(&png((8, 1), ColorType::Grayscale, BitDepth::One, &[0xff]), 160).unwrap();
    assert!(grey.has(0, 0, [255; 3]));
    // Four colours of a palette, the last seen through: two bits a pixel.
    let rows = (0..300).flat_map(|y| {
        let (left, right) = if y < 150 { (0b0000_0000, 0b0101_0101) } else { (0b1010_1010, 0xff) };
        [[left; 50], [right; 50]].concat()
    });
    let rows: Vec<u8> = rows.collect();
    let palette = made(&png(size, ColorType::Indexed, BitDepth::Two, &rows), 160).unwrap();
    assert!(has_white_corner(&palette) && palette.has(20, 80, CORNERS[2]));
}

#[test]
fn a_png_in_seven_passes_and_one_that_lies_on_its_side() {
    for (width, height) in [(400, 300), (17, 13), (1, 1)] {
        let seen = made(&interlaced(width, height), 160).unwrap();
        assert!(width == 1 || seen.is_upright(), "{width}");
    }
    let stored = png((300, 400), ColorType::Rgb, BitDepth::Eight, &pixels(300, 400, 6));
    let lying = made(&png_with(&stored, b"eXIf", &exif(6, None)), 160).unwrap();
    assert_eq!((lying.width, lying.height), (160, 120));
    assert!(lying.is_upright());
}

#[test]
fn webps_with_alpha_without_and_on_their_side() {
    assert!(made(&webp(&pixels(400, 300, 1), 400, 300, false), 160).unwrap().is_upright());
    assert!(has_white_corner(&made(&webp(&with_alpha(400, 300), 400, 300, true), 160).unwrap()));
    for start in [&b""[..], b"Exif\0\0"] {
        let file = webp_with(&[start, &exif(6, None)].concat(), 300, 400);
        let lying = made(&file, 160).unwrap();
        assert!(lying.width == 160 && lying.is_upright());
    }
}

/// A WebP with losses, of 43 x 33 pixels, whose corners are those of an upright picture.
const LOSSY: &str = "\
    524946468e0000005745425056503820820000003005009d012a2b0021003ea5429a49a623a2a1354800c014896200c88ba2\
    795fe4072c10800224f71dc82ad823f8b48bc28000fee9691fad247d8dfff3895fd32e7ec392d374e58d5f5bf91fcbdf562d\
    f3fe39a1bd58b7cffa06fc2ffaf1e75c98ec7519fc5bbefd78be13e7654a425715a95bbeb15a5c4ac1bbfff1ac49d0000000";

/// The same, and its last corner is seen through.
const LOSSY_WITH_ALPHA: &str = "\
    52494646ba00000057454250565038580a000000100000002a0000200000414c50481000000001101210fe9f5665292226c0\
    8713ff0a56503820840000001005009d012a2b0021003ea5429a49a623a2a1354800c014896200ccff81f95fe4072bf60032\
    c00129d0a7e4f7a4ee5c8000fee9691fc23ea9defff9c4af37f7215627c9f09f33cab77944ed27fd58abaccc8ffb58abbadd\
    6d0fc3b21cd391a75f4987bc77fa0280fffe0f06cfaa60fe0cb6af43f2fe0c90dbc6f2ef1ccb608389a00000";

/// The bytes that are written so.
fn unhexed(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks_exact(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

#[test]
fn webps_with_losses() {
    for side in [160, 20] {
        let plain = made(&unhexed(LOSSY), side).unwrap();
        assert_eq!(plain.width, u32::from(side.min(43)));
        assert!(plain.is_upright(), "{side}");
        assert!(has_white_corner(&made(&unhexed(LOSSY_WITH_ALPHA), side).unwrap()), "{side}");
    }
}

/// A chunk of a WebP.
fn webp_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [name, &length[..], content, &vec![0; content.len() % 2]].concat()
}

/// A WebP of these chunks, of 43 x 33 pixels, or of more.
fn webp_of(canvas: (u8, u8), flags: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = [flags, 0, 0, 0, canvas.0 - 1, 0, 0, canvas.1 - 1, 0, 0];
    let body = [b"WEBP".to_vec(), webp_chunk(b"VP8X", &head), chunks.concat()].concat();
    webp_chunk(b"RIFF", &body)
}

/// The picture of a file with losses, as a chunk.
fn lossy_chunk() -> Vec<u8> {
    unhexed(LOSSY)[12..].to_vec()
}

#[test]
fn alpha_of_all_kinds_is_understood() {
    // All is seen but the last corner, in each of the four ways to write it plainly.
    let seen: Vec<u8> =
        (0..33 * 43).map(|at| if at / 43 >= 16 && at % 43 >= 21 { 0 } else { 255 }).collect();
    let written = |way: u8, at: usize| {
        let (is_top, is_first) = (at < 43, at.is_multiple_of(43));
        let guess = match way {
            0 => 0,
            _ if at == 0 => 0,
            _ if is_top => seen[at - 1],
            _ if is_first => seen[at - 43],
            1 => seen[at - 1],
            2 => seen[at - 43],
            _ => {
                let [left, above, between] = [1, 43, 44].map(|by| i32::from(seen[at - by]));
                u8::try_from((left + above - between).clamp(0, 255)).unwrap()
            }
        };
        seen[at].wrapping_sub(guess)
    };
    for way in 0..4 {
        let plane: Vec<u8> = (0..seen.len()).map(|at| written(way, at)).collect();
        let alpha = webp_chunk(b"ALPH", &[&[way << 2], &plane[..]].concat());
        let file = webp_of((43, 33), 0x10, &[alpha, lossy_chunk()]);
        assert!(has_white_corner(&made(&file, 160).unwrap()), "{way}");
    }
    for wrong in [&[][..], &[0; 100], &[1, 2, 3], &[2; 2000], &[3; 2000]] {
        let file = webp_of((43, 33), 0x10, &[webp_chunk(b"ALPH", wrong), lossy_chunk()]);
        assert_eq!(made(&file, 160).err(), Some(NoPicture), "{:?}", wrong.len());
    }
}

#[test]
fn of_a_moving_webp_the_first_picture_is_shown_where_it_is() {
    let frame = |left: u8, top: u8, size: (u8, u8), chunk: &[u8]| {
        let head = [left / 2, 0, 0, top / 2, 0, 0, size.0 - 1, 0, 0, size.1 - 1, 0, 0, 9, 0, 0, 0];
        webp_chunk(b"ANMF", &[&head[..], chunk].concat())
    };
    let anim = || webp_chunk(b"ANIM", &[0; 6]);
    let colours = pixels(40, 30, 1);
    let lossless = webp(&colours, 40, 30, false)[12..].to_vec();
    let last = || frame(0, 0, (40, 30), &webp(&[9; 40 * 30 * 3], 40, 30, false)[12..]);
    for (size, chunk) in [((40, 30), &lossless), ((43, 33), &lossy_chunk())] {
        let whole = webp_of(size, 2, &[anim(), frame(0, 0, size, chunk), last()]);
        assert!(made(&whole, 160).unwrap().is_upright());
        // In the middle of a sheet three times as large.
        let (wide, high) = (size.0 * 3, size.1 * 3);
        let inside = frame(size.0 / 2 * 2, size.1 / 2 * 2, size, chunk);
        let part = made(&webp_of((wide, high), 2, &[anim(), inside, last()]), 160).unwrap();
        assert_eq!((part.width, part.height), (wide.into(), high.into()));
        for (place, colour) in [(10, [255; 3]), (90, [255; 3]), (40, CORNERS[0]), (60, CORNERS[3])]
        {
            assert!(part.has(place, place, colour), "{place} {:?}", part.at(place, place));
        }
        let outside = frame(size.0 / 2 * 2, 0, size, chunk);
        let other = frame(0, 0, (size.0 - 1, size.1), chunk);
        for wrong in [outside, other, frame(0, 0, size, b""), vec![]] {
            assert_eq!(made(&webp_of(size, 2, &[anim(), wrong]), 160).err(), Some(NoPicture));
        }
    }
}

#[test]
fn as_much_is_decoded_as_is_wanted_and_may_be_held() {
    let frame = |width, height, quarters: u64, coding| Frame {
        width,
        height,
        components: 3,
        is_ycbcr: true,
        samples: u64::from(width) * u64::from(height) * quarters / 4,
        coding,
    };
    for (width, height, quarters, coding, side, eighths) in [
        (4000, 3000, 6, Sequential, 160, 1),
        (4000, 3000, 6, Sequential, 320, 1),
        (4000, 3000, 6, Sequential, 1280, 4),
        (4000, 3000, 12, Sequential, 1280, 4),
        (4700, 4700, 12, Sequential, 1280, 2),
        (10_000, 10_000, 12, Sequential, 1280, 1),
        (9500, 9500, 12, Sequential, 1280, 1),
        (3000, 2000, 6, Progressive, 1280, 4),
        (2400, 2400, 6, Progressive, 1280, 4),
        (2400, 1600, 12, Progressive, 1280, 2),
        (3000, 2000, 12, Progressive, 1280, 4),
        (1000, 800, 12, Progressive, 1280, 8),
    ] {
        let frame = frame(width, height, quarters, coding);
        let wanted = fit((width.into(), height.into()), side);
        assert_eq!(jpeg::eighths_for(frame, wanted), eighths, "{frame:?} {side}");
        assert!(jpeg::held_bytes(frame, eighths) <= limits::PICTURE_HELD_BYTES_MAX);
    }
}

/// A JPEG in several passes with all its chroma, of noise, with a restart after so many blocks.
fn whole_chroma(width: u16, height: u16, restart: u16) -> Vec<u8> {
    let noise = |at: u32| at.wrapping_mul(2_654_435_769).rotate_left(11).to_be_bytes()[0] / 2;
    let count = u32::from(width) * u32::from(height) * 3;
    let pixels: Vec<u8> = (0..count).map(|at| noise(at / 7) + noise(at)).collect();
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
    encoder.set_progressive(true);
    if restart > 0 {
        encoder.set_restart_interval(restart);
    }
    encoder.encode(&pixels, width, height, Inks::Rgb).unwrap();
    file
}

#[test]
fn a_component_alone_is_what_it_is_among_others() {
    for (width, height, restart) in [(200, 120, 0), (203, 117, 0), (203, 117, 7), (8, 8, 0)] {
        let file = whole_chroma(width, height, restart);
        let mut decoder = jpeg_decoder::Decoder::new(&file[..]);
        decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
        let whole = decoder.decode().unwrap();
        for component in 0..3 {
            let alone = split::component(&mut Cursor::new(&file), component).unwrap();
            let plane = jpeg_decoder::Decoder::new(&alone[..]).decode().unwrap();
            let expected: Vec<u8> = whole.iter().skip(component).step_by(3).copied().collect();
            assert!(plane == expected, "{width} x {height}, {restart}: {component}");
        }
        assert_eq!(split::component(&mut Cursor::new(&file), 3), Err(NoPicture));
        for cut in 2..file.len().min(3000) {
            for component in 0..3 {
                let _made_or_not = split::component(&mut Cursor::new(&file[..cut]), component);
            }
        }
    }
}

#[test]
fn a_large_picture_in_passes_with_all_its_chroma_is_made() {
    let upright = pixels(2600, 1700, 1);
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 60);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
    encoder.set_progressive(true);
    encoder.encode(&upright, 2600, 1700, Inks::Rgb).unwrap();
    let head = crate::picture::head::read(&mut Cursor::new(&file)).unwrap().unwrap();
    assert_ne!(head.frame.held_at_once(), head.frame, "too much to be held whole");
    for (side, height) in [(160, 105), (1280, 837)] {
        let seen = made(&file, side).unwrap();
        assert!((seen.width, seen.height) == (side.into(), height) && seen.is_upright());
    }
}

#[test]
fn what_is_too_large_is_refused_by_its_head() {
    let data = png_chunk(b"IDAT", &deflated(&[0; 1000]));
    for (width, height, interlace) in [(30_000, 30_000, 0), (3000, 2001, 1), (u32::MAX, 1, 0)] {
        let bomb = [&png_start(width, height, interlace)[..], &data].concat();
        assert_eq!(made(&bomb, 160).err(), Some(NoPicture), "{width}");
    }
    for (is_progressive, width, height) in [(false, 65_535, 65_535), (true, 8000, 6000)] {
        assert!(
            made(&resized(&jpeg_lying(64, 48, 1, is_progressive), width, height), 160).is_err()
        );
    }
    // What is missing at the end is grey.
    assert!(made(&resized(&jpeg(64, 48), 64, 60), 160).unwrap().has(20, 20, CORNERS[0]));
}

/// A JPEG whose head tells of another size.
fn resized(jpeg: &[u8], width: u16, height: u16) -> Vec<u8> {
    let at = jpeg.windows(3).position(|window| matches!(window, [0xff, 0xc0 | 0xc2, 0])).unwrap();
    let mut bytes = jpeg.to_vec();
    bytes[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    bytes[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn what_is_packed_beside_the_picture_stays_packed() {
    let plain = png((400, 300), ColorType::Rgb, BitDepth::Eight, &pixels(400, 300, 1));
    // 64 MiB of nothing, in 64 KiB.
    let heap = deflated(&vec![0; 64 << 20]);
    for (name, start) in
        [(b"iCCP", &b"p\0\0"[..]), (b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\x01\0\0\0")]
    {
        let bomb = png_with(&plain, name, &[start, &heap].concat());
        assert!(made(&bomb, 160).unwrap().is_upright());
    }
}

#[test]
fn bars_around_a_picture_from_inside_go() {
    let mut bars = pixels(160, 120, 1);
    for (at, value) in bars.iter_mut().enumerate() {
        let row = at / 480;
        if !(7..113).contains(&row) {
            *value = 4;
        }
    }
    let file = jpeg_of(&bars, 160, 120, Inks::Rgb, false);
    let inside = |orientation, shape| {
        let inside = Inside { orientation: Orientation::of(orientation), shape: Some(shape) };
        done(&file, Task { side: 160, inside: Some(inside) })
    };
    let cut = inside(1, (6000, 4000)).unwrap();
    assert_eq!((cut.width, cut.height), (160, 107));
    let turned = inside(8, (6000, 4000)).unwrap();
    assert_eq!((turned.width, turned.height), (107, 160));
    assert!(inside(1, (4000, 6000)).is_err(), "it shows something else");
}

/// Files of all kinds.
fn files() -> Vec<Vec<u8>> {
    let colours = pixels(40, 30, 1);
    vec![
        jpeg_with(&jpeg(40, 30), &exif(6, Some(&jpeg(16, 12)))),
        jpeg_lying(40, 30, 1, true),
        png((40, 30), ColorType::Rgb, BitDepth::Eight, &colours),
        interlaced(40, 30),
        webp(&colours, 40, 30, false),
        webp_with(&exif(6, None), 30, 40),
        unhexed(LOSSY),
        unhexed(LOSSY_WITH_ALPHA),
    ]
}

#[test]
fn what_is_cut_off_anywhere_is_a_picture_or_none() {
    for file in files() {
        for end in 0..file.len() {
            let _made_or_not = done(&file[..end], Task { side: 16, inside: None });
        }
    }
}

proptest! {
    #[test]
    fn broken_files_are_pictures_or_none(
        which in 0_usize..8, flips in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6),
    ) {
        let mut file = files().swap_remove(which);
        let length = file.len();
        for (at, value) in flips {
            file[usize::from(at) % length] = value;
        }
        let _made_or_not = done(&file, Task { side: 16, inside: None });
    }

    #[test]
    fn any_bytes_are_no_picture(start in 0_usize..5, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let starts = [&b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheic"];
        let file = [starts[start], &bytes].concat();
        let task = Task { side: 16, inside: None };
        prop_assert!(done(&file, task).is_err());
    }
}
