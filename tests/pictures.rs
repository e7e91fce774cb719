//! `larder picture`, the child that makes small pictures of large ones: what it makes, and what it has given up.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;

use crate::harness::pictures::{
    Seen, exif, jpeg, jpeg_lying, jpeg_of, jpeg_with, png_chunk, png_start,
};
use crate::harness::wait::until;
use crate::harness::{LARDER, Larder};

/// An open file of these bytes.
fn file_of(bytes: &[u8]) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, bytes).unwrap();
    File::open(path).unwrap()
}

/// A child for this task, whose output nobody reads yet.
fn start(input: File, task: &str) -> Child {
    let mut command = Command::new(&*LARDER);
    command.args(["picture", task]).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What becomes of these bytes.
fn run(bytes: &[u8], task: &str) -> Output {
    start(file_of(bytes), task).wait_with_output().unwrap()
}

/// A picture that stays larger than a pipe, whatever is made of it.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let pixels: Vec<u8> = (0..1280 * 1280 * 3).map(|_| next()).collect();
    jpeg_of(&pixels, 1280, 1280, jpeg_encoder::ColorType::Rgb, false)
}

#[test]
fn it_makes_a_small_upright_picture_and_nothing_else() {
    let inside = jpeg(32, 24);
    let file = jpeg_with(&jpeg_lying(600, 800, 6, false), &exif(6, Some(&inside)));
    let made = run(&file, "160");
    assert_eq!(made.status.code(), Some(0));
    let seen = Seen::of(&made.stdout);
    assert!((seen.width, seen.height) == (160, 120) && seen.is_upright());
    let has = |what: &[u8]| made.stdout.windows(what.len()).any(|window| window == what);
    assert!(!has(b"Exif") && !has(b"Adobe"), "nothing of the file goes on but the picture");
}

#[test]
fn colours_that_mean_more_than_usual_go_along() {
    let mut profile = vec![7; 548];
    profile[16..20].copy_from_slice(b"RGB ");
    let packed = |bytes: &[u8]| {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(bytes).unwrap();
        zlib.finish().unwrap()
    };
    let rows = packed(&vec![0; (200 * 3 + 1) * 100]);
    let png = |colours: &[u8]| {
        let colours = png_chunk(b"iCCP", &[b"Display P3\0\0", colours].concat());
        let rest = [png_chunk(b"IDAT", &rows), png_chunk(b"IEND", b"")].concat();
        [png_start(200, 100, 0), colours, rest].concat()
    };
    let has = |made: &Output| made.stdout.windows(profile.len()).any(|bytes| bytes == profile);
    let made = run(&png(&packed(&profile)), "160");
    assert!(made.status.success() && has(&made));
    assert_eq!(Seen::of(&made.stdout).width, 160);
    // What is large once it is unpacked is left out.
    for bomb in [packed(&vec![7; 64 << 20]), b"nothing packed".to_vec()] {
        let made = run(&png(&bomb), "160");
        assert!(made.status.success() && made.stdout.len() < 4096 && !has(&made));
    }
}

#[test]
fn it_is_told_nowhere_and_takes_one_task_only() {
    let help = Command::new(&*LARDER).arg("--help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("picture"));
    for task in ["", "0", "9999", "160:6:7", "../160"] {
        assert_eq!(run(&jpeg(64, 48), task).status.code(), Some(2), "{task}");
    }
}

#[test]
fn it_takes_no_file_that_it_could_write_and_writes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, jpeg(64, 48)).unwrap();
    let open = File::options().read(true).write(true).open(&path).unwrap();
    assert_eq!(start(open, "160").wait_with_output().unwrap().status.code(), Some(3));
    let target = File::create(folder.path().join("made")).unwrap();
    let mut command = Command::new(&*LARDER);
    let command = command.args(["picture", "160"]).stdin(File::open(path).unwrap()).stdout(target);
    let status = command.status().unwrap();
    assert_eq!(status.signal(), Some(rustix::process::Signal::XFSZ.as_raw()), "{status}");
}

#[test]
fn bombs_end_it_or_are_refused() {
    let rows = |width: usize| {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        let row = vec![0; width * 3 + 1];
        for _ in 0..(30 << 20) / row.len() {
            zlib.write_all(&row).unwrap();
        }
        png_chunk(b"IDAT", &zlib.finish().unwrap())
    };
    let start_of = |width, height, interlace| png_start(width, height, interlace);
    let mut wide = jpeg(64, 48);
    let frame = wide.windows(2).position(|window| window == [0xff, 0xc0]).unwrap();
    wide[frame + 5..frame + 9].fill(0xff);
    for bomb in [
        [start_of(30_000, 30_000, 0), rows(30_000)].concat(),
        [start_of(6000, 6000, 1), rows(6000)].concat(),
        // A row of 300 MB.
        [start_of(100_000_000, 1, 0), rows(1000)].concat(),
        wide,
        b"RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f".to_vec(),
        b"<html>".to_vec(),
        Vec::new(),
    ] {
        let outcome = run(&bomb, "160");
        assert!(outcome.stdout.is_empty() && !outcome.status.success(), "{outcome:?}");
    }
}

/// What a file in a process's folder says.
fn told(child: &Child, name: &str) -> String {
    fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap()
}

#[test]
fn it_has_given_up_what_it_does_not_need() {
    let mut child = start(file_of(&noise()), "1280");
    // It waits for its pipe to be emptied, and all that it does comes before.
    until("it is bounded", || {
        told(&child, "limits").lines().any(|line| {
            line.starts_with("Max open files") && line.split_whitespace().nth(3) == Some("0")
        })
    });
    let limits = told(&child, "limits");
    for (name, most) in [
        ("Max address space", "100663296"),
        ("Max cpu time", "10"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max open files", "0"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let values: Vec<_> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(values, [most, most], "{line}");
    }
    assert!(told(&child, "status").contains("NoNewPrivs:\t1"));
    let stat = told(&child, "stat");
    let behind_name = stat.rsplit_once(')').unwrap().1;
    assert_eq!(behind_name.split_whitespace().nth(16), Some("19"), "the lowest priority: {stat}");
    let mut picture = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut picture).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(picture.len() > 1 << 16, "a pipe is smaller");
    assert_eq!(Seen::of(&picture).width, 1280);
}

#[test]
fn what_larder_was_started_with_goes_to_no_program_that_it_starts() {
    let stray = File::open("/dev/null").unwrap();
    // From here on whoever is started has it, too: nobody asks for close-on-exec any more.
    rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).unwrap();
    let handed_on = format!("/proc/self/fd/{}", stray.as_raw_fd());
    let seen = Command::new("/bin/readlink").arg(&handed_on).output().unwrap();
    assert_eq!(seen.stdout, b"/dev/null\n");
    let larder = Larder::start().user("ana");
    let command = json!({ "command": format!("readlink {handed_on}") });
    let answer = larder.http("ana").post("/api/command", command);
    assert_eq!(answer.expect_status("Command executed")["output"], "");
}

/// Memory that a child has held at most and that is not its program's file (KiB), once it has made what it is asked for
/// and waits for its pipe to be emptied.
fn memory_of(file: &[u8]) -> u64 {
    let mut child = start(file_of(file), "1280");
    // It comes last on the machine, so it is waited for without a bound; then the rest of its picture is still in it.
    let mut picture = vec![0];
    child.stdout.as_mut().unwrap().read_exact(&mut picture).unwrap();
    let status = told(&child, "status");
    let number = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let held = number("VmHWM:") - number("RssFile:");
    child.stdout.take().unwrap().read_to_end(&mut picture).unwrap();
    assert!(child.wait().unwrap().success() && picture.len() > 1 << 16);
    held
}

#[test]
fn it_holds_little_of_a_large_picture() {
    let noise = |width: u16, height: u16, is_progressive| {
        // Coarse, so that there is still noise in what is made of it; a few rows again and again.
        let value = |x: u16, y: u16, colour: u32| {
            let place = u32::from(x / 4) * 7919 + u32::from(y) * 104_729 + colour * 31;
            place.wrapping_mul(2_654_435_769).to_be_bytes()[0]
        };
        let row = |y| -> Vec<u8> {
            (0..width).flat_map(|x| [0, 1, 2].map(|colour| value(x, y, colour))).collect()
        };
        let rows: Vec<Vec<u8>> = (0..16).map(row).collect();
        let mut pixels = Vec::new();
        for y in 0..usize::from(height) {
            pixels.extend_from_slice(&rows[y / 4 % rows.len()]);
        }
        jpeg_of(&pixels, width, height, jpeg_encoder::ColorType::Rgb, is_progressive)
    };
    // With its program's own pages it stays within 32 MiB.
    for (file, name) in [(noise(4000, 3000, false), "12 MP"), (noise(3000, 2000, true), "6 MP")] {
        let held = memory_of(&file);
        assert!(held < 28 * 1024, "{held} KiB for {name}");
    }
}

#[test]
fn it_ends_with_whoever_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, noise()).unwrap();
    let script = r#""$0" picture 1280 < "$1" & echo $! >&2; wait"#;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(&*LARDER).arg(path);
    let mut shell = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut number = [0; 16];
    let count = shell.stderr.as_mut().unwrap().read(&mut number).unwrap();
    let number = std::str::from_utf8(&number[..count]).unwrap().trim().to_owned();
    let limits = Path::new("/proc").join(&number).join("limits");
    until("it is bounded", || {
        fs::read_to_string(&limits).is_ok_and(|text| text.contains("100663296"))
    });
    shell.kill().unwrap();
    shell.wait().unwrap();
    // Whoever takes its place as a parent may be slow to reap it.
    let stat = Path::new("/proc").join(&number).join("stat");
    until("it has ended", || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")));
}
