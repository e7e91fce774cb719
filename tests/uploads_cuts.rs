//! Uploads that go on, and the worst moments: larder is killed at each call that matters, the power goes, and what
//! was acknowledged is there: second contract, section 16.

use std::fs;

use serde_json::{Value, json};

use crate::crash_groups::{CALLS_MAX, CHANGES, can_kill, tracer};
use crate::harness::cut_drive::CutDrive;
use crate::harness::tus::{
    BLOCK, Tus, bytes_in, content, left_in, offset_in, wait_for_bytes, wait_until_nothing_is_left,
};
use crate::harness::{Form, Larder, wait};

/// Bytes of a small upload.
const SMALL: usize = 2 * BLOCK + 4321;

/// Where it ends.
const PLACE: &str = "new/film.mkv";

/// What is said of it.
const METADATA: [(&str, &str); 2] = [("filename", "film.mkv"), ("path", "new")];

/// What was acknowledged of an upload.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Where it is, once it was begun.
    upload: Option<String>,
    /// Its offset.
    offset: usize,
    /// Whether it has its place.
    is_done: bool,
}

/// Brings a file by several requests, until larder is gone.
fn bring(tus: &Tus, whole: &[u8], pieces: usize) -> Acknowledged {
    let mut known = Acknowledged::default();
    let Some(begun) = tus.try_begin(whole.len(), &METADATA) else { return known };
    let upload = begun.expect(201).header("Location").unwrap().to_owned();
    known.upload = Some(upload.clone());
    for piece in whole.chunks(whole.len().div_ceil(pieces)) {
        let Some(answer) = tus.try_patch(&upload, known.offset, piece) else { return known };
        let answer = answer.expect(204);
        known.offset += piece.len();
        assert_eq!(offset_in(&answer), known.offset);
        known.is_done = answer.header("Larder-Path").is_some();
    }
    assert!(known.is_done, "{known:?}");
    known
}

/// Demands that all is there that was acknowledged, goes on with it to its end, and clears up.
#[track_caller]
fn expect_kept(larder: &Larder, whole: &[u8], known: &Acknowledged, when: &str) {
    let tus = Tus::of(larder, "ana");
    if known.is_done {
        assert!(larder.exists(PLACE), "{when}: the file is lost");
    }
    let is_there = |larder: &Larder| larder.exists(PLACE) && larder.read_bytes(PLACE) == *whole;
    assert!(!larder.exists(PLACE) || is_there(larder), "{when}: not what was sent");
    if let Some(upload) = &known.upload {
        if !larder.exists(PLACE) {
            let told = tus.head(upload);
            assert_eq!(told.status, 200, "{when}: {:?}: {told}", left_in(larder, ""));
            let offset = offset_in(&told);
            assert!(offset >= known.offset, "{when}: at {offset}, acknowledged {}", known.offset);
            tus.patch(upload, offset, &whole[offset..]).expect(204);
        }
        assert!(is_there(larder), "{when}: not what was sent");
    } else {
        assert!(!larder.exists(PLACE), "{when}: of nothing");
        for waiting in tus.list() {
            let id = waiting["id"].as_str().unwrap();
            tus.take_back(&format!("/api/uploads/{id}")).expect(204);
        }
    }
    wait_until_nothing_is_left(larder);
    if larder.exists("new") {
        let all = json!({ "paths": ["new"], "permanent": true });
        larder.http("ana").post("/api/delete", all).expect(200);
    }
}

/// A larder on a drive of its own, or on the machine's.
fn house(is_on_drive: bool) -> Option<(Larder, Option<CutDrive>)> {
    let larder = Larder::prepare();
    let drive = is_on_drive.then(|| CutDrive::at(&larder, "", 512));
    if matches!(drive, Some(None)) {
        return None;
    }
    Some((larder.launch().user("ana"), drive.flatten()))
}

/// Takes larder away, and its drive's power if it has one of its own; brings both back.
fn fall(larder: &mut Larder, drive: Option<&CutDrive>) {
    if let Some(drive) = drive {
        drive.cut();
    }
    larder.kill();
    if let Some(drive) = drive {
        drive.power();
    }
    larder.restart();
    // On a busy machine a drive that was just mounted may be slow to show itself.
    wait::until("the drive", || larder.http("ana").get("/api/finder").status == 200);
}

/// Kills larder in an upload at each call of some kinds, whose power then goes if it has a drive of its own.
fn killed_at_each(kinds: &[&str], is_on_drive: bool, length: usize, pieces: usize, kills_min: u32) {
    if !can_kill() {
        return;
    }
    let Some((mut larder, drive)) = house(is_on_drive) else { return };
    let whole = content(length);
    let mut kills = 0;
    for call in kinds {
        for number in 1..=CALLS_MAX {
            assert!(number < CALLS_MAX, "it never comes to an end");
            let mut tracer = tracer(&larder, call, number, &[]);
            let known = bring(&Tus::of(&larder, "ana"), &whole, pieces);
            fall(&mut larder, drive.as_ref());
            tracer.wait().unwrap();
            let when = format!("killed at {call} {number}, {known:?}");
            expect_kept(&larder, &whole, &known, &when);
            if known.is_done {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills >= kills_min, "killed {kills} times only");
}

#[test]
fn killed_at_each_change_of_names_an_upload_goes_on() {
    killed_at_each(&CHANGES, false, SMALL, 3, 5);
}

#[test]
fn killed_at_each_write_and_sync_an_upload_goes_on() {
    killed_at_each(&["write", "fsync", "fdatasync", "fallocate", "ftruncate"], false, SMALL, 3, 5);
}

#[test]
fn when_the_power_goes_at_a_change_of_names_an_upload_goes_on() {
    killed_at_each(&CHANGES, true, SMALL, 3, 5);
}

#[test]
fn when_the_power_goes_at_a_sync_an_upload_goes_on() {
    killed_at_each(&["fsync", "fdatasync", "fallocate"], true, SMALL, 3, 5);
}

#[test]
fn when_the_power_goes_at_a_checkpoint_of_a_long_request_an_upload_goes_on() {
    // Two checkpoints on the way, one at the end.
    killed_at_each(&["fdatasync", "renameat"], true, 150 << 20, 1, 4);
}

/// How somebody learns how far an upload is.
const WAYS_TO_LEARN: [fn(&Tus, &str) -> usize; 3] = [
    |tus, upload| tus.offset(upload),
    |tus, _upload| usize::try_from(tus.list()[0]["offset"].as_u64().unwrap()).unwrap(),
    // Nothing is at an offset beyond the end.
    |tus, upload| offset_in(&tus.patch(upload, SMALL + 1, b"x").expect(409)),
];

#[test]
fn an_offset_that_was_told_survives_a_power_cut() {
    let Some((mut larder, drive)) = house(true) else { return };
    let whole = content(SMALL);
    for learn in WAYS_TO_LEARN {
        for is_gone in [false, true] {
            let tus = Tus::of(&larder, "ana");
            let upload = tus.begun(SMALL, &METADATA);
            tus.patch(&upload, 0, &whole[..1000]).expect(204);
            // Larder does not know that this one has broken off, or just learns it.
            let half = &whole[1000..=BLOCK];
            let wire = tus.patch_begun(&upload, 1000, SMALL - 1000, half);
            wait_for_bytes(&larder, "", BLOCK);
            let wire = if is_gone {
                drop(wire);
                None
            } else {
                Some(wire)
            };
            let offset = learn(&tus, &upload);
            fall(&mut larder, drive.as_ref());
            drop(wire);
            assert!(offset >= 1000);
            let known = Acknowledged { upload: Some(upload), offset, is_done: false };
            expect_kept(&larder, &whole, &known, &format!("gone: {is_gone}, told {offset}"));
        }
    }
}

#[test]
fn what_a_checkpoint_has_made_durable_survives_a_power_cut_in_a_long_request() {
    let Some((mut larder, drive)) = house(true) else { return };
    let whole = content(150 << 20);
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(whole.len(), &METADATA);
    let wire = tus.patch_begun(&upload, 0, whole.len(), &whole[..140 << 20]);
    let record = bytes_in(&larder, "").with_extension("json");
    let noted = || -> usize {
        let text = fs::read_to_string(&record).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        usize::try_from(record["offset"].as_u64().unwrap()).unwrap()
    };
    wait::until("a checkpoint", || noted() >= 64 << 20);
    let offset = noted();
    fall(&mut larder, drive.as_ref());
    drop(wire);
    let known = Acknowledged { upload: Some(upload), offset, is_done: false };
    expect_kept(&larder, &whole, &known, "in a long request");
}

#[test]
fn killed_in_a_long_request_nothing_is_sent_twice() {
    let (mut larder, _machine) = house(false).unwrap();
    let whole = content(100 << 20);
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(whole.len(), &METADATA);
    let wire = tus.patch_begun(&upload, 0, whole.len(), &whole[..90 << 20]);
    wait_for_bytes(&larder, "", 90 << 20);
    fall(&mut larder, None);
    drop(wire);
    // The same boot and mount: what was written is there, durable or not.
    assert_eq!(Tus::of(&larder, "ana").offset(&upload), 90 << 20);
    let known = Acknowledged { upload: Some(upload), offset: 90 << 20, is_done: false };
    expect_kept(&larder, &whole, &known, "in a long request");
}

#[test]
fn a_file_of_one_request_survives_a_power_cut_once_it_is_answered() {
    let Some((mut larder, drive)) = house(true) else { return };
    for length in [0, 1, SMALL] {
        let whole = content(length);
        Tus::of(&larder, "ana").bring(&METADATA, &whole).expect(201);
        fall(&mut larder, drive.as_ref());
        assert!(larder.read_bytes(PLACE) == whole, "{length} bytes");
        wait_until_nothing_is_left(&larder);
        let all = json!({ "paths": ["new"], "permanent": true });
        larder.http("ana").post("/api/delete", all).expect(200);
    }
}

#[test]
fn a_form_survives_a_power_cut_once_it_is_answered() {
    let Some((mut larder, drive)) = house(true) else { return };
    for (length, folder) in [(0, "new"), (1, "new"), (SMALL, "other/deep")] {
        let whole = content(length);
        let form = Form::new().field("path", folder).file("film.mkv", &whole);
        larder.http("ana").upload(&form.field("if_exists", "overwrite")).expect(200);
        fall(&mut larder, drive.as_ref());
        assert!(larder.read_bytes(&format!("{folder}/film.mkv")) == whole, "{length} bytes");
        wait_until_nothing_is_left(&larder);
    }
}
