//! Making pictures with children that are scripts: what they are asked, and what becomes of them.

use super::*;
use crate::picture::samples::{Seen, exif, jpeg, jpeg_of, jpeg_with};
use crate::picture::{heif, profile};
use jpeg_encoder::ColorType;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// Pictures whose child is this script of a shell.
struct Scripted {
    /// They.
    pictures: Pictures,
    /// Where the script lies, and its traces.
    folder: tempfile::TempDir,
}

impl Scripted {
    /// With this script.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("child");
        let text = format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display());
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Self { pictures: Pictures::of(program, 1), folder }
    }

    /// A file of these bytes.
    fn file(&self, bytes: &[u8]) -> File {
        let path = self.folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        File::open(path).unwrap()
    }

    /// Makes a thumbnail of a small PNG, as far as its first bytes say.
    fn make(&self) -> Result<Option<Vec<u8>>> {
        self.pictures.make(&self.file(b"\x89PNG\r\n\x1a\n...."), Size::Medium, &|| true)
    }
}

/// What a shell prints to look like a JPEG of 256 x 1 pixels, in two halves.
const JPEG: [&str; 2] =
    [r"\377\330\377\300\000\013\010\000\001", r"\001\000\001\001\021\000\377\332\000\002\377\331"];

#[test]
fn what_a_child_writes_is_taken_if_it_is_a_picture() {
    let made = Scripted::new(&format!("printf '{}{}'", JPEG[0], JPEG[1])).make().unwrap().unwrap();
    assert_eq!(head::frame_of(&made), Some((256, 1)));
    for script in [
        "exit 0",
        "exit 2",
        "echo '<html>'",
        "kill -9 $$",
        "kill -11 $$",
        &format!("printf '{}{}'; exit 1", JPEG[0], JPEG[1]),
        // 65 280 pixels wide.
        &format!(r"printf '{}\377{}'", JPEG[0], &JPEG[1][4..]),
    ] {
        assert!(matches!(Scripted::new(script).make(), Ok(None)), "{script}");
    }
    assert!(matches!(Scripted::new("exit 3").make(), Err(Error::Io(_))));
    let nowhere = Pictures::of("/nonexistent".into(), 1);
    let png = Scripted::new("").file(b"\x89PNG\r\n\x1a\n....");
    assert!(matches!(nowhere.make(&png, Size::Small, &|| true), Err(Error::Io(_))));
}

#[test]
fn a_child_that_writes_without_end_is_ended() {
    let endless = Scripted::new("echo $$ > pid; exec cat /dev/zero");
    assert!(matches!(endless.make(), Ok(None)));
    let number = std::fs::read_to_string(endless.folder.path().join("pid")).unwrap();
    let left = std::path::Path::new("/proc").join(number.trim());
    assert!(!left.exists(), "reaped");
}

#[test]
fn a_child_ends_when_nobody_wants_its_picture() {
    // One that has closed its output, and one that has not.
    for script in ["echo $$ > pid; exec sleep 60", "echo $$ > pid; exec sleep 60 >&-"] {
        let idle = Scripted::new(script);
        let asked = AtomicU32::new(0);
        let png = idle.file(b"\x89PNG\r\n\x1a\n....");
        let is_wanted = || asked.fetch_add(1, Ordering::Relaxed) < 3;
        let outcome = idle.pictures.make(&png, Size::Medium, &is_wanted);
        assert!(matches!(outcome, Err(Error::Disconnected)));
        assert!(idle.pictures.places.take(&|| false).is_ok(), "its place is free");
    }
}

#[test]
fn no_child_is_started_for_what_is_no_picture() {
    let never = Scripted::new("touch started");
    for bytes in [&b""[..], b"<html>", b"GIF89a", b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypheic"] {
        let file = never.file(bytes);
        assert!(matches!(never.pictures.make(&file, Size::Small, &|| true), Ok(None)));
    }
    for given in [&b""[..], b"\x89PNG\r\n\x1a\n....", b"\xff\xd8\xff\xe0"] {
        assert!(matches!(never.pictures.remake(given, 512, &|| true), Ok(None)));
    }
    assert!(!never.folder.path().join("started").exists());
    let open = File::options().read(true).write(true).open(never.folder.path().join("file"));
    std::fs::write(never.folder.path().join("file"), b"\x89PNG\r\n\x1a\n....").unwrap();
    let outcome = never.pictures.make(&open.unwrap(), Size::Small, &|| true);
    assert!(matches!(outcome, Err(Error::Bug(_))), "a child could write through it");
}

#[test]
fn bytes_become_a_file_that_only_can_be_read() {
    let file = file_of(b"0123").unwrap();
    assert!(child::is_read_only(&file).unwrap());
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"0123");
    assert!(file.write_at(b"x", 0).is_err());
}

/// A child that tells what it was asked and given, and makes a picture of 64 x 48.
fn telling() -> Scripted {
    let telling = Scripted::new("echo \"$*\" > asked; cat > given; cat picture");
    std::fs::write(telling.folder.path().join("picture"), jpeg(64, 48)).unwrap();
    telling
}

impl Scripted {
    /// What the child was asked, if there was one; the next one is seen anew.
    fn asked(&self) -> Option<String> {
        let path = self.folder.path().join("asked");
        let asked = std::fs::read_to_string(&path).ok()?;
        std::fs::remove_file(path).unwrap();
        Some(asked.trim().to_owned())
    }

    /// What it was given.
    fn given(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("given")).unwrap()
    }

    /// A thumbnail of these bytes.
    fn make_of(&self, bytes: &[u8], size: Size) -> Option<Vec<u8>> {
        self.pictures.make(&self.file(bytes), size, &|| true).unwrap()
    }
}

#[test]
fn the_picture_inside_goes_out_as_it_is() {
    let telling = telling();
    let inside = jpeg(160, 120);
    let padded = [&inside[..], &[0; 40]].concat();
    let file = jpeg_with(&jpeg(800, 600), &exif(1, Some(&padded)));
    assert_eq!(telling.make_of(&file, Size::Small), Some(inside));
    assert_eq!(telling.asked(), None);
    for size in [Size::Medium, Size::Large] {
        assert!(telling.make_of(&file, size).is_some());
        assert_eq!(telling.asked(), Some(format!("picture {}", size.pixels())));
        assert_eq!(telling.given(), file, "better is made of the large one");
    }
    let large = jpeg(320, 240);
    let file = jpeg_with(&jpeg(800, 600), &exif(1, Some(&large)));
    assert_eq!(telling.make_of(&file, Size::Medium), Some(large.clone()));
    assert_eq!(telling.asked(), None);
    telling.make_of(&file, Size::Small).unwrap();
    assert_eq!(telling.asked().as_deref(), Some("picture 160:1"));
    assert_eq!(telling.given(), large);
}

#[test]
fn the_picture_inside_is_turned_and_cut_by_the_child() {
    let telling = telling();
    let inside = jpeg(160, 120);
    for (orientation, size, task) in [
        (6, (800, 600), "picture 160:6"),
        (1, (600, 400), "picture 160:1:600x400"),
        (8, (600, 400), "picture 160:8:600x400"),
    ] {
        let file = jpeg_with(&jpeg(size.0, size.1), &exif(orientation, Some(&inside)));
        telling.make_of(&file, Size::Small).unwrap();
        assert_eq!(telling.asked().as_deref(), Some(task));
        assert_eq!(telling.given(), inside);
    }
    // Whatever it carries beside the picture, a position for one, stays here.
    let telltale = jpeg_with(&inside, &exif(1, None));
    let file = jpeg_with(&jpeg(800, 600), &exif(1, Some(&telltale)));
    telling.make_of(&file, Size::Small).unwrap();
    assert_eq!(telling.asked().as_deref(), Some("picture 160:1"));
}

/// EXIF that this program has written, with a picture inside.
fn exif_by(software: &[u8], inside: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let (text, start) = (8 + 18 + 30, 8 + 18 + 30 + software.len() + 1);
    [
        &b"MM\0*\0\0\0\x08\0\x01\x01\x31\0\x02"[..],
        &number(software.len() + 1),
        &number(text),
        &number(8 + 18),
        b"\0\x02\x02\x01\0\x04\0\0\0\x01",
        &number(start),
        b"\x02\x02\0\x04\0\0\0\x01",
        &number(inside.len()),
        &[0; 4],
        software,
        &[0],
        inside,
    ]
    .concat()
}

#[test]
fn the_picture_inside_has_the_colours_of_the_large_one() {
    let telling = telling();
    let colours = |of: u8| {
        let mut bytes = vec![of; 548];
        bytes[16..20].copy_from_slice(b"RGB ");
        bytes
    };
    let of = |made: &[u8]| profile::read(&mut std::io::Cursor::new(made), Kind::Jpeg);
    let (inside, large) = (jpeg(160, 120), profile::put(&jpeg(800, 600), &colours(1)));
    for orientation in [1, 6] {
        let file = jpeg_with(&large, &exif(orientation, Some(&inside)));
        let made = telling.make_of(&file, Size::Small).unwrap();
        assert_eq!(of(&made), Some(colours(1)), "{orientation}");
    }
    // Adobe's programs put one of usual colours inside.
    let file = jpeg_with(&large, &exif_by(b"Adobe Photoshop Lightroom 6.0", &inside));
    assert_eq!(of(&telling.make_of(&file, Size::Small).unwrap()), None);
    let file = jpeg_with(&large, &exif_by(b"vivo PD2227F_EX_A_13.1", &inside));
    assert_eq!(of(&telling.make_of(&file, Size::Small).unwrap()), Some(colours(1)));
    // What the child found in it is its own.
    let own = profile::put(&jpeg(64, 48), &colours(2));
    std::fs::write(telling.folder.path().join("picture"), own).unwrap();
    let file = jpeg_with(&large, &exif(6, Some(&inside)));
    assert_eq!(of(&telling.make_of(&file, Size::Small).unwrap()), Some(colours(2)));
}

#[test]
fn what_is_inside_and_no_small_picture_is_left_alone() {
    let telling = telling();
    let huge = {
        let mut bytes = jpeg(160, 120);
        let frame = bytes.windows(2).position(|window| window == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..frame + 9].fill(0xff);
        bytes
    };
    let large = jpeg(520, 8);
    let tiny = jpeg(60, 45);
    for inside in
        [&b"<html><script>alert(1)</script>"[..], b"\x89PNG\r\n\x1a\n", b"", &huge, &large, &tiny]
    {
        let file = jpeg_with(&jpeg(800, 600), &exif(1, Some(inside)));
        telling.make_of(&file, Size::Small).unwrap();
        assert_eq!(telling.asked().as_deref(), Some("picture 160"), "made of the large one");
    }
}

#[test]
fn the_picture_inside_one_in_boxes_loses_its_bars() {
    let telling = telling();
    let inside = jpeg(160, 120);
    for (orientation, size, task) in [
        (1, (6000, 4000), "picture 160:1:6000x4000"),
        // It is shown upright, and what is inside lies.
        (6, (4000, 6000), "picture 160:6:6000x4000"),
        (6, (3000, 4000), "picture 160:6"),
    ] {
        let file = heif::tests::file_of_size(&exif(orientation, Some(&inside)), size.0, size.1);
        telling.make_of(&file, Size::Small).unwrap();
        assert_eq!(telling.asked().as_deref(), Some(task));
    }
}

#[test]
fn a_picture_inside_that_is_larger_than_the_large_one_is_another() {
    let telling = telling();
    let inside = exif(6, Some(&jpeg(160, 120)));
    telling.make_of(&jpeg_with(&jpeg(90, 150), &inside), Size::Small).unwrap();
    assert_eq!(telling.asked().as_deref(), Some("picture 160"), "made of the large one");
    let inks = jpeg_of(&vec![77; 80 * 60 * 4], 80, 60, ColorType::Cmyk, false);
    for none in [jpeg_with(&inks, &inside), heif::tests::file_of_size(&inside, 60, 80)] {
        assert_eq!(telling.make_of(&none, Size::Small), None);
        assert_eq!(telling.asked(), None);
    }
}

#[test]
fn where_nothing_better_can_be_made_the_picture_inside_will_do() {
    let telling = telling();
    let inside = jpeg(160, 120);
    let inks = jpeg_of(&vec![77; 400 * 300 * 4], 400, 300, ColorType::Cmyk, false);
    for file in
        [jpeg_with(&inks, &exif(1, Some(&inside))), heif::tests::file_with(&exif(1, Some(&inside)))]
    {
        for size in Size::ALL {
            assert_eq!(telling.make_of(&file, size).as_deref(), Some(&inside[..]));
        }
        assert_eq!(telling.asked(), None);
    }
    assert_eq!(telling.make_of(&inks, Size::Small), None);
    // A child that fails is followed by what there is.
    let failing = Scripted::new("echo \"$*\" >> asked; exit 2");
    let file = jpeg_with(&jpeg(800, 600), &exif(1, Some(&inside)));
    assert_eq!(failing.make_of(&file, Size::Large), Some(inside.clone()));
    assert_eq!(failing.asked().as_deref(), Some("picture 1280"));
    // One whose bars are none, and a large one that is no picture: each is tried once.
    let file = jpeg_with(&jpeg(600, 400), &exif(1, Some(&inside)));
    assert_eq!(failing.make_of(&file, Size::Small), None);
    assert_eq!(failing.asked().as_deref(), Some("picture 160:1:600x400\npicture 160"));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let telling = telling();
    let file = telling.file(&jpeg(64, 48));
    let grow = |length| {
        File::options()
            .write(true)
            .open(telling.folder.path().join("file"))
            .unwrap()
            .set_len(length)
    };
    grow(limits::PICTURE_BYTES_MAX + 1).unwrap();
    assert!(telling.pictures.make(&file, Size::Small, &|| true).unwrap().is_none());
    assert_eq!(telling.asked(), None);
    grow(1 << 20).unwrap();
    assert!(telling.pictures.make(&file, Size::Small, &|| true).unwrap().is_some());
}

#[test]
fn what_a_browser_gives_is_made_anew() {
    let telling = telling();
    let given = jpeg(400, 300);
    let made = telling.pictures.remake(&given, 512, &|| true).unwrap().unwrap();
    assert_eq!(Seen::of(&made).width, 64);
    assert_eq!(telling.asked().as_deref(), Some("picture 512"));
    assert_eq!(telling.given(), given);
    for wrong in [jpeg(513, 10), [given, vec![0; limits::PICTURE_GIVEN_BYTES_MAX]].concat()] {
        assert!(telling.pictures.remake(&wrong, 512, &|| true).unwrap().is_none());
    }
    assert_eq!(telling.asked(), None);
}
