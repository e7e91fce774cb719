//! Small pictures that many ask for at once, of files that are meant to do harm: `/api/thumb` (second contract,
//! section 18).

use std::io::Write;
use std::time::{Duration, Instant};

use crate::harness::cgroup::Cgroup;
use crate::harness::pictures::{exif, jpeg, jpeg_lying, jpeg_with, png_chunk, png_start};
use crate::harness::{Larder, Wire};

/// What the server may grow by (KiB). Without optimisation a waiting request takes more of its stack.
const GROWTH_KIB_MAX: u64 = if cfg!(debug_assertions) { 4096 } else { 2048 };

/// How long others may wait meanwhile. It is 50 ms on a machine that does nothing else, which `scripts/bench --only
/// crush` measures; this one may be anybody's, and who had to wait for the crowd would wait longer than this.
const OTHERS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Asks for so many small pictures at once: all have asked before anybody reads an answer.
fn ask_for(larder: &Larder, count: usize, path: impl Fn(usize) -> String) -> Vec<Wire> {
    let key = larder.key("ana");
    let ask = |number: usize| {
        let mut wire = larder.wire().with_patience();
        let (path, size) = (path(number), ["160", "320", "1280"][number % 3]);
        wire.send(format!(
            "GET /api/thumb?path={path}&size={size} HTTP/1.1\r\nHost: larder\r\n\
             X-API-KEY: {key}\r\nConnection: close\r\n\r\n"
        ));
        wire
    };
    (0..count).map(ask).collect()
}

/// How long somebody else waits for an answer, of a hundred times the second longest.
fn others_wait(larder: &Larder) -> Duration {
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let started = Instant::now();
            // It is told once a second to each address; not to be told takes the same way.
            let answer = larder.anonymous().get("/api/is_up");
            assert!(matches!(answer.status, 200 | 429), "{}", answer.status);
            started.elapsed()
        })
        .collect();
    times.sort();
    times[98]
}

#[test]
fn a_crowd_is_answered_or_told_to_wait_and_takes_no_memory() {
    let mut larder = Larder::start().user("ana");
    for number in 0..40 {
        // Each has another content, and none has a small picture inside.
        larder = larder.file(&format!("{number}.jpg"), jpeg(1000 + number, 800));
    }
    let ana = larder.http("ana");
    for path in ["0.jpg", "0.jpg&size=320"] {
        ana.get(&format!("/api/thumb?path={path}")).expect(200);
    }
    let before = larder.process().memory_peak_kib();
    let asked = ask_for(&larder, 500, |number| format!("{}.jpg", number % 40));
    let waited = others_wait(&larder);
    assert!(waited < OTHERS_WAIT_MAX, "{waited:?}");
    let statuses: Vec<u16> = asked.into_iter().map(|mut wire| wire.status()).collect();
    for status in &statuses {
        assert!(matches!(status, 200 | 503), "{status}");
    }
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB for what 500 connections ask for");
    larder.wait_until_tidy();
}

/// So many bytes of nothing, packed.
fn packed(length: usize) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let nothing = vec![0; 1 << 20];
    for _ in 0..length >> 20 {
        zlib.write_all(&nothing).unwrap();
    }
    zlib.finish().unwrap()
}

/// A JPEG whose head tells of another size.
fn resized(mut jpeg: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let at = jpeg.windows(3).position(|bytes| matches!(bytes, [0xff, 0xc0 | 0xc2, 0])).unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// Files that ask for more than there is, and whether there is a small picture of each all the same.
fn bombs() -> Vec<(&'static str, bool, Vec<u8>)> {
    let rows = || png_chunk(b"IDAT", &packed(64 << 20));
    let beside = |name: &[u8], start: &[u8]| {
        let bomb = png_chunk(name, &[start, &packed(256 << 20)].concat());
        [png_start(200, 100, 0), bomb, png_chunk(b"IDAT", &packed(1 << 20))].concat()
    };
    let huge = || resized(jpeg(64, 48), u16::MAX, u16::MAX);
    vec![
        ("wide.png", false, [png_start(30_000, 30_000, 0), rows()].concat()),
        ("passes.png", false, [png_start(6000, 6000, 1), rows()].concat()),
        ("row.png", false, [png_start(100_000_000, 1, 0), rows()].concat()),
        ("colours.png", true, beside(b"iCCP", b"p\0\0")),
        ("text.png", true, beside(b"zTXt", b"k\0\0")),
        ("huge.jpg", false, huge()),
        ("held.jpg", false, resized(jpeg_lying(64, 48, 1, true), 8000, 6000)),
        ("inside.jpg", true, jpeg_with(&jpeg(800, 600), &exif(1, Some(&huge())))),
        ("cut.jpg", false, jpeg(64, 48)[..200].to_vec()),
        ("page.jpg", false, b"<html><script>alert(1)</script></html>".to_vec()),
        (
            "large.webp",
            false,
            b"RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f"
                .to_vec(),
        ),
    ]
}

#[test]
fn bombs_and_a_crowd_end_nobody_in_a_group_of_512_mb() {
    // A bound on address space would be another thing: this is what the kernel of a small board does. Where none can be
    // made (which takes root, and the controller of memory), nothing is shown.
    let Some(group) = Cgroup::of(512 << 20) else { return };
    let larder = group.launch(Larder::prepare()).user("ana");
    let mut names = Vec::new();
    for (name, is_shown, content) in bombs() {
        larder.write(name, &content);
        for number in 0..2 {
            // The same harm as another content, that each has to be tried.
            larder.write(&format!("{number}-{name}"), [&content[..], &[number]].concat());
            names.push(format!("{number}-{name}"));
        }
        let status = larder.http("ana").get(&format!("/api/thumb?path={name}")).status;
        assert_eq!(status, if is_shown { 200 } else { 404 }, "{name}");
    }
    let pid = larder.process().pid();
    assert!(group.has(pid), "larder runs in the group");
    let before = larder.process().memory_peak_kib();
    let asked = ask_for(&larder, 500, |number| names[number % names.len()].clone());
    let waited = others_wait(&larder);
    assert!(waited < OTHERS_WAIT_MAX, "{waited:?}");
    for mut wire in asked {
        let status = wire.status();
        assert!(matches!(status, 200 | 404 | 503), "{status}");
    }
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB for what 500 connections ask for");
    assert_eq!(group.kills(), 0, "the kernel had to kill nobody; the most was {:?}", group.peak());
    larder.anonymous().get("/api/is_up");
    assert!(larder.process().ended().is_none());
    larder.wait_until_tidy();
}
