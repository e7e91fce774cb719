//! Uploads that go on, and drives that fill, go away, come back, are others or answer nothing: second contract,
//! section 16.

use std::fs::{self, File};
use std::io::Write as _;

use serde_json::json;

use crate::harness::cut_drive::CutDrive;
use crate::harness::mounts::{Stick, launch_within, mounts_are_given};
use crate::harness::silent::SilentDrive;
use crate::harness::tus::{
    BYTES, Tus, UPLOADS, content, encoded, left_in, wait_for_bytes, wait_until_nothing_is_left,
    wait_until_nothing_is_left_in,
};
use crate::harness::{Larder, wait};
use crate::silence::wait_until_noticed;

/// Bytes in 1 MiB.
const MIB: usize = 1 << 20;

/// A name on the drive in the share.
const ON_USB: [(&str, &str); 2] = [("filename", "film"), ("path", "usb")];

/// A name on the share's own drive.
const ON_ROOT: [(&str, &str); 1] = [("filename", "film")];

/// Writes behind larder's back until a drive is full.
fn fill(larder: &Larder, name: &str) {
    let mut file = File::create(larder.root().join(name)).unwrap();
    for piece in [MIB, 4096, 1] {
        let zeros = vec![0; piece];
        while file.write_all(&zeros).is_ok() {}
    }
    let _full = file.sync_all();
}

/// Larder takes no more trash than none, so that it has nothing to give way.
fn prepare() -> Larder {
    Larder::prepare().settings(&json!({ "trash_percent": 0 }))
}

#[test]
fn what_does_not_fit_is_refused_before_any_byte() {
    if !mounts_are_given() {
        return;
    }
    let script = r#"mount -t tmpfs -o size=16M tmpfs . && cd "$PWD" && exec "$@""#;
    let larder = launch_within(prepare(), script).user("ana").user("bea");
    let (ana, bea) = (Tus::of(&larder, "ana"), Tus::of(&larder, "bea"));
    for length in ["17000000", "1000000000000000000", "18446744073709551615"] {
        ana.begin(length, &ON_ROOT).expect_code(507, "disk_full");
    }
    // The bytes of a file that does not fit are not even taken.
    let mut wire = ana.head_of(
        "POST",
        UPLOADS,
        &[("Upload-Length", "17000000"), ("Upload-Metadata", &encoded(&ON_ROOT)), BYTES],
        17_000_000,
    );
    assert_eq!(wire.status(), 507);
    // What others still lack counts, and what they drop does not.
    let first = ana.begun(9 * MIB, &ON_ROOT);
    ana.patch(&first, 0, &content(MIB)).expect(204);
    bea.begin(9 * MIB, &[("filename", "other")]).expect_code(507, "disk_full");
    let second = bea.begun(4 * MIB, &[("filename", "other")]);
    bea.begin(4 * MIB, &[("filename", "third")]).expect_code(507, "disk_full");
    ana.take_back(&first).expect(204);
    let third = bea.begun(9 * MIB, &[("filename", "third")]);
    for upload in [second, third] {
        bea.take_back(&upload).expect(204);
    }
    let asked = larder.http("ana").get("/api/finder").expect(200).json();
    assert_eq!(asked["items"], json!([]));
}

#[test]
fn room_that_was_promised_is_there_when_the_drive_fills() {
    let larder = prepare();
    let Some(_drive) = CutDrive::at(&larder, "", 48) else { return };
    let larder = larder.launch().user("ana");
    let tus = Tus::of(&larder, "ana");
    let whole = content(12 * MIB);
    let upload = tus.begun(whole.len(), &ON_ROOT);
    tus.patch(&upload, 0, &whole[..5 * MIB]).expect(204);
    fill(&larder, "filler");
    // Less than it lacks, but room for larder's own notes.
    let filler = File::options().write(true).open(larder.root().join("filler")).unwrap();
    filler.set_len(filler.metadata().unwrap().len() - MIB as u64).unwrap();
    filler.sync_all().unwrap();
    tus.patch(&upload, 5 * MIB, &whole[5 * MIB..11 * MIB]).expect(204);
    tus.patch(&upload, 11 * MIB, &whole[11 * MIB..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn on_a_drive_that_fills_the_bytes_wait_until_there_is_room() {
    let larder = prepare();
    let Some(_drive) = CutDrive::without_promises(&larder, "", 48) else { return };
    let mut larder = larder.launch().user("ana");
    let tus = Tus::of(&larder, "ana");
    let whole = content(20 * MIB);
    let upload = tus.begun(whole.len(), &ON_ROOT);
    tus.patch(&upload, 0, &whole[..5 * MIB]).expect(204);
    fill(&larder, "filler");
    for _ in 0..3 {
        let offset = tus.offset(&upload);
        assert!((5 * MIB..20 * MIB).contains(&offset), "{offset}");
        let told = tus.patch(&upload, offset, &whole[offset..]);
        told.expect_code(507, "disk_full");
    }
    let full = tus.offset(&upload);
    larder.stop();
    larder.restart();
    let tus = Tus::of(&larder, "ana");
    assert!(tus.offset(&upload) >= 5 * MIB && tus.offset(&upload) <= full);
    fs::remove_file(larder.root().join("filler")).unwrap();
    let offset = tus.offset(&upload);
    tus.patch(&upload, offset, &whole[offset..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn while_the_drive_of_the_share_is_away_an_upload_waits() {
    let mut larder = Larder::start().user("ana");
    let whole = content(3 * MIB);
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(3 * MIB, &ON_ROOT);
    tus.patch(&upload, 0, &whole[..1000]).expect(204);
    // It goes in the middle of a request.
    let mut wire = tus.patch_begun(&upload, 1000, 2 * MIB, &whole[1000..=MIB]);
    wait_for_bytes(&larder, "", MIB);
    larder.unplug();
    wire.send(&whole[MIB + 1..2 * MIB + 1000]);
    let status = wire.head_answer().status;
    assert!(matches!(status, 204 | 503), "{status}");
    let all_absent = |larder: &Larder| {
        let tus = Tus::of(larder, "ana");
        assert_eq!(tus.head(&upload).status, 503);
        tus.patch(&upload, 1000, b"x").expect_code(503, "drive_absent");
        tus.begin(5, &[("filename", "b")]).expect_code(503, "drive_absent");
        tus.bring(&[("filename", "b")], b"hello").expect_code(503, "drive_absent");
        assert_eq!(tus.ask("GET", UPLOADS, &[], b"").status, 503);
        assert_eq!(tus.take_back(&upload).status, 503);
    };
    all_absent(&larder);
    larder.restart();
    all_absent(&larder);
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0, "written into the mount point");
    larder.plug();
    wait::until("the drive", || larder.http("ana").get("/api/finder").status == 200);
    let tus = Tus::of(&larder, "ana");
    let offset = tus.offset(&upload);
    assert!((1000..=2 * MIB + 1000).contains(&offset), "{offset}");
    assert!(status != 204 || offset == 2 * MIB + 1000);
    tus.patch(&upload, offset, &whole[offset..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn an_upload_waits_on_its_drive_and_no_other_is_taken_for_it() {
    let mut larder = Larder::start().user("ana");
    let Some(stick) = Stick::plugged(&larder, "usb") else { return };
    let whole = content(MIB);
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(MIB, &ON_USB);
    tus.patch(&upload, 0, &whole[..500_000]).expect(204);
    assert!(left_in(&larder, "").is_empty(), "its bytes lie on another drive");
    stick.pull();
    // Nobody knows of it, and the rest is as ever.
    let told = tus.patch(&upload, 500_000, &whole[500_000..]);
    assert!(matches!(told.status, 404 | 503), "{told}");
    tus.bring(&[("filename", "beside")], b"B").expect(201);
    assert_eq!(fs::read_dir(larder.root().join("usb")).unwrap().count(), 0);
    // Another one in its place.
    let other = Other::plugged(&larder, "usb");
    let told = tus.patch(&upload, 500_000, &whole[500_000..]);
    assert!(matches!(told.status, 404 | 503), "{told}");
    let theirs = tus.begun(10, &ON_USB);
    tus.patch(&theirs, 0, b"0123456789").expect(204);
    assert_eq!(larder.read("usb/film"), "0123456789");
    wait_until_nothing_is_left_in(&larder, "usb");
    drop(other);
    larder.stop();
    larder.restart();
    stick.plug();
    let tus = Tus::of(&larder, "ana");
    wait::until("the drive", || tus.head(&upload).status == 200);
    // Its drive was away: what was made durable counts.
    assert_eq!(tus.offset(&upload), 500_000);
    tus.patch(&upload, 500_000, &whole[500_000..]).expect(204);
    assert!(larder.read_bytes("usb/film") == whole);
    wait_until_nothing_is_left_in(&larder, "usb");
}

/// Another drive at the same place, as long as it lives.
struct Other(std::path::PathBuf);

impl Other {
    /// Mounts an empty one.
    fn plugged(larder: &Larder, name: &str) -> Self {
        let place = larder.root().join(name);
        rustix::mount::mount("other", &place, "tmpfs", rustix::mount::MountFlags::empty(), c"")
            .unwrap();
        Self(place)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn a_drive_that_stops_writing_holds_up_its_own_uploads_only() {
    let larder = Larder::start().user("ana");
    let Some(drive) = CutDrive::at(&larder, "usb", 64) else { return };
    let tus = Tus::of(&larder, "ana");
    let whole = content(MIB);
    wait::until("the drive", || larder.http("ana").get("/api/finder?path=usb").status == 200);
    let here = tus.begun(MIB, &ON_ROOT);
    let there = tus.begun(MIB, &ON_USB);
    tus.patch(&there, 0, &whole[..1000]).expect(204);
    drive.freeze();
    let mut waiting = tus.patch_begun(&there, 1000, MIB - 1000, &whole[1000..]);
    // The others go on as ever.
    tus.patch(&here, 0, &whole[..500_000]).expect(204);
    assert_eq!(tus.offset(&here), 500_000);
    tus.patch(&here, 500_000, &whole[500_000..]).expect(204);
    tus.bring(&[("filename", "small")], b"S").expect(201);
    larder.http("ana").get("/api/finder").expect(200);
    assert!(waiting.status_at_once().is_none(), "answered by a drive that does not write");
    drive.thaw();
    assert_eq!(waiting.head_answer().status, 204);
    assert!(larder.read_bytes("usb/film") == whole && larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
    wait_until_nothing_is_left_in(&larder, "usb");
}

#[test]
fn a_silent_drive_holds_up_no_upload_to_another() {
    let larder = Larder::start().user("ana").folder("usb");
    let tus = Tus::of(&larder, "ana");
    let whole = content(MIB);
    let upload = tus.begun(MIB, &ON_ROOT);
    let Some(drive) = SilentDrive::mount(&larder.root().join("usb")) else { return };
    larder.http("ana").get("/api/finder?path=usb").expect(200);
    drive.fall_silent();
    let mut asked = tus.head_of("GET", "/api/finder?path=usb", &[], 0);
    wait::until("a question to the drive", || drive.is_asked());
    wait_until_noticed(&larder);
    tus.patch(&upload, 0, &whole[..500_000]).expect(204);
    assert_eq!(tus.offset(&upload), 500_000);
    assert_eq!(tus.list().len(), 1);
    let other = tus.begun(10, &[("filename", "other")]);
    tus.take_back(&other).expect(204);
    // It might be on the one that does not answer.
    assert_eq!(tus.head(&other).status, 503);
    tus.patch(&upload, 500_000, &whole[500_000..]).expect(204);
    tus.bring(&[("filename", "small")], b"S").expect(201);
    assert!(asked.status_at_once().is_none(), "the drive was not silent");
    drive.speak();
    asked.answer().expect(200);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}
