//! QR codes: a text as a picture for pages, or as blocks for a terminal. Knows nothing of larder.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::error::Error;
use crate::limits;

/// The empty border that readers need around the modules (ISO/IEC 18004, 6.3.8), in modules.
const QUIET: i32 = 4;
/// The empty border on a terminal, where each module more costs a column: half of what the standard
/// wants, which readers are content with.
const QUIET_ON_TERMINAL: i32 = 2;
/// Black on white from the part of the 256 colours that no theme changes, so that the code can be
/// read on dark and on light terminals.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
/// Back to the terminal's own colours.
const PLAIN: &str = "\x1b[0m";

/// The text's QR code as an SVG picture: black on white, with its quiet zone, of no size of its own.
pub fn svg(text: &str) -> Result<String, Error> {
    // Whoever prints it may crease it.
    let code = encode(text, QrCodeEcc::Medium)?;
    let side = code.size() + 2 * QUIET;
    let path = path(&code);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
    ))
}

/// The text's QR code as lines of half blocks for a terminal of UTF-8, two rows of modules in each.
pub fn blocks(text: &str) -> Result<String, Error> {
    let code = encode(text, QrCodeEcc::Low)?;
    let (from, to) = (-QUIET_ON_TERMINAL, code.size() + QUIET_ON_TERMINAL);
    let mut lines = String::new();
    for y in (from..to).step_by(2) {
        lines.push_str(BLACK_ON_WHITE);
        lines.extend((from..to).map(|x| half_blocks(&code, x, y)));
        lines.push_str(PLAIN);
        lines.push('\n');
    }
    Ok(lines)
}

/// How many columns of a terminal such lines take.
pub fn columns(blocks: &str) -> usize {
    let line = blocks.lines().next().unwrap_or_default();
    line.chars().count().saturating_sub(BLACK_ON_WHITE.len() + PLAIN.len())
}

/// The code of a text, of no more modules than a phone can tell apart.
fn encode(text: &str, correction: QrCodeEcc) -> Result<QrCode, Error> {
    let segments = QrSegment::make_segments(text);
    let largest = Version::new(limits::QR_VERSION_MAX);
    QrCode::encode_segments_advanced(&segments, correction, Version::MIN, largest, None, true)
        .map_err(|_| Error::invalid("Too long for a QR code"))
}

/// All dark modules as one path, each run within a row as one rectangle.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        for (x, length) in runs(code, y) {
            // Writing to a string cannot fail.
            let _whole = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
        }
    }
    path
}

/// The runs of dark modules in a row, each with where it begins and its length.
fn runs(code: &QrCode, y: i32) -> Vec<(i32, i32)> {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
        match runs.last_mut() {
            Some((from, length)) if *from + *length == x => *length += 1,
            _ => runs.push((x, 1)),
        }
    }
    runs
}

/// The letter for two modules, one above the other; what lies beyond the code is light.
fn half_blocks(code: &QrCode, x: i32, y: i32) -> char {
    match (code.get_module(x, y), code.get_module(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What pages and the banner show.
    const ADDRESS: &str = "http://192.168.100.200:6969/auth#code=ABCD-EFGH-JKLM";

    /// What a reader finds in a picture of dark modules, each drawn as a square of this many dots.
    fn read(side: i32, is_dark: impl Fn(i32, i32) -> bool) -> String {
        const DOTS: usize = 3;
        let side = usize::try_from(side).unwrap() * DOTS;
        let place = |dot: usize| i32::try_from(dot / DOTS).unwrap();
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            if is_dark(place(x), place(y)) { 0 } else { 255 }
        });
        let found = picture.detect_grids();
        assert_eq!(found.len(), 1, "one code");
        found[0].decode().unwrap().1
    }

    /// Each rectangle of a path: where it begins and its length.
    fn rectangles(svg: &str) -> Vec<(i32, i32, i32)> {
        let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let number = |text: &str| text.parse::<i32>().unwrap();
        let rectangle = |text: &str| {
            let (x, rest) = text.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, rest) = rest.split_once('v').unwrap();
            assert_eq!(rest, format!("1h-{length}z"));
            (number(x), number(y), number(length))
        };
        path.split('M').skip(1).map(rectangle).collect()
    }

    /// What a reader finds in the SVG.
    fn read_svg(svg: &str) -> String {
        let side = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap();
        let drawn = rectangles(svg);
        let is_dark = |x, y| {
            drawn.iter().any(|(from, row, length)| *row == y && (*from..from + length).contains(&x))
        };
        read(side.parse().unwrap(), is_dark)
    }

    /// What a reader finds on the terminal.
    fn read_blocks(blocks: &str) -> String {
        let bare = |line: &str| {
            let line = line.strip_prefix(BLACK_ON_WHITE).unwrap().strip_suffix(PLAIN).unwrap();
            line.chars().collect::<Vec<char>>()
        };
        let lines: Vec<Vec<char>> = blocks.lines().map(bare).collect();
        let width = lines[0].len();
        assert!(lines.iter().all(|line| line.len() == width), "a rectangle");
        let is_dark = |x: i32, y: i32| {
            // A border around, so that the reader sees where the terminal's own colour begins.
            let line = lines.get(usize::try_from(y / 2).unwrap()).unwrap();
            let wanted = if y % 2 == 0 { ['█', '▀'] } else { ['█', '▄'] };
            wanted.contains(&line[usize::try_from(x).unwrap()])
        };
        read(i32::try_from(width).unwrap(), is_dark)
    }

    #[test]
    fn a_reader_finds_the_text_in_both_forms() {
        assert_eq!(read_svg(&svg(ADDRESS).unwrap()), ADDRESS);
        assert_eq!(read_blocks(&blocks(ADDRESS).unwrap()), ADDRESS);
    }

    #[test]
    fn an_address_fits_a_terminal_of_eighty_columns_by_twenty_four_lines() {
        let blocks = blocks(ADDRESS).unwrap();
        assert!(blocks.lines().count() < 24, "{}", blocks.lines().count());
        assert!(columns(&blocks) < 80, "{}", columns(&blocks));
    }

    #[test]
    fn the_picture_is_one_path_on_white_within_its_quiet_zone() {
        let svg = svg(ADDRESS).unwrap();
        assert_eq!(svg.matches("<path").count(), 1);
        assert!(svg.contains("shape-rendering=\"crispEdges\"") && svg.contains("fill=\"#fff\""));
        assert!(
            !svg.contains("style") && !svg.contains("script") && !svg.contains(ADDRESS),
            "{svg}"
        );
        let side = encode(ADDRESS, QrCodeEcc::Medium).unwrap().size();
        let inside = QUIET..QUIET + side;
        let all = rectangles(&svg);
        assert!(all.iter().all(|(x, y, length)| inside.contains(x)
            && inside.contains(y)
            && x + length <= inside.end));
    }

    #[test]
    fn what_no_phone_could_read_is_refused() {
        let long = "a".repeat(3000);
        let refused = |outcome: Result<String, Error>| matches!(outcome, Err(Error::Invalid(..)));
        assert!(refused(svg(&long)) && refused(blocks(&long)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn any_text_comes_back(text in "\\PC{1,120}") {
            prop_assert_eq!(read_svg(&svg(&text).unwrap()), text.clone());
            prop_assert_eq!(read_blocks(&blocks(&text).unwrap()), text);
        }
    }
}
