//! Small pictures of files: `/api/thumb` (second contract, section 18).

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::harness::mounts::{Stick, launch_within, mounts_are_given};
use crate::harness::silent::SilentDrive;
use crate::harness::{Answer, Client, Larder, encode, wait};

/// A JPEG of this size in one colour but for a corner.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let (right, bottom) = (usize::from(width), usize::from(height));
    let mut pixels = vec![90; right * bottom * 3];
    for row in 0..bottom / 4 {
        pixels[row * right * 3..][..right / 4 * 3].fill(220);
    }
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// The size of an answer's JPEG.
#[track_caller]
fn size_of(answer: &Answer) -> (u16, u16) {
    assert_eq!(answer.header("Content-Type"), Some("image/jpeg"));
    let mut decoder = jpeg_decoder::Decoder::new(&answer.body[..]);
    decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    (info.width, info.height)
}

/// Asks for the small picture of a file.
#[track_caller]
fn thumb(client: &Client, path: &str) -> Answer {
    client.get_with("/api/thumb", "path", path)
}

/// Brings one.
#[track_caller]
fn give(client: &Client, path: &str, etag: &str, body: &[u8]) -> Answer {
    let target = format!("/api/thumb?path={}", encode(path));
    client.clone().with("If-Match", etag).post_raw(&target, Some("image/jpeg"), body)
}

/// The `ETag` of a file.
#[track_caller]
fn etag(client: &Client, path: &str) -> String {
    let head = client.head(&format!("/api/download?file_path={}", encode(path))).expect(200);
    head.header("ETag").unwrap().to_owned()
}

/// What is kept on the drive at `top`.
fn kept_at(top: &Path) -> Vec<PathBuf> {
    let list = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path)
            .map(|all| all.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default()
    };
    list(&top.join(".larder/thumbs")).iter().flat_map(|drawer| list(drawer)).collect()
}

/// What is kept of the share root's drive.
fn kept(larder: &Larder) -> Vec<PathBuf> {
    kept_at(&larder.root())
}

/// A larder with a picture in it.
fn house() -> Larder {
    Larder::start().user("ana").file("a.jpg", jpeg(2000, 1000))
}

#[test]
fn a_picture_is_small_and_upright_and_of_the_size_that_was_asked_for() {
    let larder = house().file("tiny.jpg", jpeg(40, 30));
    let ana = larder.http("ana");
    assert_eq!(size_of(&thumb(&ana, "a.jpg").expect(200)), (160, 80));
    for (size, is) in [("160", (160, 80)), ("320", (320, 160)), ("1280", (1280, 640))] {
        let answer = ana.get(&format!("/api/thumb?path=a.jpg&size={size}")).expect(200);
        assert_eq!(size_of(&answer), is);
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    }
    let answer = ana.get("/api/thumb?path=tiny.jpg&size=1280").expect(200);
    assert_eq!(size_of(&answer), (40, 30), "never enlarged");
    let head = ana.head("/api/thumb?path=a.jpg").expect(200);
    assert!(head.body.is_empty() && head.header("ETag").is_some());
}

#[test]
fn bad_questions_are_told_so() {
    let larder = house().file("b.txt", "no picture").folder("in");
    let ana = larder.http("ana");
    for size in ["", "0", "161", "large", "160x"] {
        ana.get(&format!("/api/thumb?path=a.jpg&size={size}")).expect_error(400, "Invalid size");
    }
    ana.get("/api/thumb").expect_error(400, "No path provided");
    ana.get("/api/thumb?path=../a.jpg").expect(400);
    thumb(&ana, "none.jpg").expect(404);
    thumb(&ana, "in").expect_error(404, "No thumbnail");
    let none = thumb(&ana, "b.txt").expect_error(404, "No thumbnail");
    assert_eq!(none.header("Larder-Thumb"), None, "of a text no browser makes a picture");
    thumb(&larder.anonymous(), "a.jpg").expect(401);
}

#[test]
fn it_is_known_by_its_tag_and_kept_for_good_by_who_knows_the_file() {
    let larder = house();
    let ana = larder.http("ana");
    let answer = thumb(&ana, "a.jpg").expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    let tag = answer.header("ETag").unwrap();
    let known = ana.clone().with("If-None-Match", tag);
    let unchanged = thumb(&known, "a.jpg").expect(304);
    assert!(unchanged.body.is_empty());
    assert_eq!(unchanged.header("ETag"), Some(tag));
    known.get("/api/thumb?path=a.jpg&size=320").expect(200);
    let file = etag(&ana, "a.jpg");
    let v = file.trim_matches('"');
    let lasting = "private, max-age=31536000, immutable";
    for v in [v, &encode(&file)] {
        let answer = ana.get(&format!("/api/thumb?path=a.jpg&v={v}")).expect(200);
        assert_eq!(answer.header("Cache-Control"), Some(lasting));
    }
    let old = ana.get("/api/thumb?path=a.jpg&v=other").expect(200);
    assert_eq!(old.header("Cache-Control"), Some("no-cache"));
    larder.write("a.jpg", jpeg(1000, 2000));
    let other = thumb(&known, "a.jpg").expect(200);
    assert_ne!(other.header("ETag"), Some(tag));
    assert_eq!(size_of(&other), (80, 160));
}

#[test]
fn a_listing_tells_what_may_have_one() {
    let larder = house().file("b.txt", "x").file("c.heic", "x").folder("d.jpg");
    let listed = larder.http("ana").get("/api/finder?path=&details=1").expect(200).json();
    let told: Vec<(&str, &Value)> = listed["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), &entry["thumb"]))
        .collect();
    let (yes, no) = (json!(true), Value::Null);
    assert_eq!(told, [("a.jpg", &yes), ("b.txt", &no), ("c.heic", &yes), ("d.jpg", &no)]);
}

#[test]
fn it_is_made_once_and_found_again_under_another_name() {
    let larder = house();
    let ana = larder.http("ana");
    let first = thumb(&ana, "a.jpg").expect(200);
    let [kept_as] = &kept(&larder)[..] else { panic!("{:?}", kept(&larder)) };
    // Another picture in its place shows that nothing is made anew.
    let made = fs::metadata(kept_as).unwrap().modified().unwrap();
    ana.post("/api/rename_file", json!({ "file_name": "a.jpg", "new_name": "b.jpg", "path": "" }))
        .expect(200);
    let again = thumb(&ana, "b.jpg").expect(200);
    assert_eq!((&again.body, again.header("ETag")), (&first.body, first.header("ETag")));
    assert_eq!(kept(&larder).len(), 1);
    assert_eq!(fs::metadata(kept_as).unwrap().modified().unwrap(), made);
    // Nobody sees where they lie.
    let listed = ana.get("/api/finder?path=").expect(200).json();
    assert_eq!(listed["items"], json!(["b.jpg"]));
    ana.get("/api/finder?path=.larder/thumbs").expect_refusal(404);
    // That it is still used is noted once a day.
    let long_ago = SystemTime::now() - Duration::from_hours(48);
    fs::File::open(kept_as).unwrap().set_modified(long_ago).unwrap();
    thumb(&ana, "b.jpg").expect(200);
    assert!(fs::metadata(kept_as).unwrap().modified().unwrap() > long_ago);
}

#[test]
fn what_failed_is_not_tried_again() {
    let larder = Larder::start().user("ana").file("a.jpg", &jpeg(400, 300)[..200]);
    let ana = larder.http("ana");
    let none = thumb(&ana, "a.jpg").expect_error(404, "No thumbnail");
    assert_eq!(none.header("Larder-Thumb"), Some("wanted"));
    let [noted_as] = &kept(&larder)[..] else { panic!("{:?}", kept(&larder)) };
    assert_eq!(noted_as.extension().unwrap(), "none");
    let noted = fs::metadata(noted_as).unwrap().modified().unwrap();
    ana.get("/api/thumb?path=a.jpg&size=1280").expect(404);
    assert_eq!(fs::metadata(noted_as).unwrap().modified().unwrap(), noted);
    assert_eq!(kept(&larder).len(), 1);
    larder.write("a.jpg", jpeg(400, 300));
    thumb(&ana, "a.jpg").expect(200);
}

#[test]
fn what_a_power_cut_left_of_one_is_not_shown() {
    let larder = house();
    let ana = larder.http("ana");
    let whole = thumb(&ana, "a.jpg").expect(200);
    let [kept_as] = &kept(&larder)[..] else { panic!("{:?}", kept(&larder)) };
    let length = usize::try_from(fs::metadata(kept_as).unwrap().len()).unwrap();
    for broken in [vec![], vec![0; length], fs::read(kept_as).unwrap()[..length / 2].to_vec()] {
        fs::write(kept_as, broken).unwrap();
        assert_eq!(thumb(&ana, "a.jpg").expect(200).body, whole.body);
    }
}

/// Says that it is over, whatever happens.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes over a file in two halves, and has `between` go on after each.
fn write_over(file: &fs::File, content: &[u8], between: &mut dyn FnMut()) {
    let (first, second) = content.split_at(content.len() / 2);
    file.write_all_at(first, 0).unwrap();
    between();
    file.write_all_at(second, first.len() as u64).unwrap();
    between();
}

#[test]
fn a_picture_of_one_content_is_never_shown_as_that_of_another() {
    // Of one length, so that only the time tells them apart.
    let mut contents = [jpeg(1200, 600), jpeg(600, 1200)];
    let length = contents.iter().map(Vec::len).max().unwrap();
    for content in &mut contents {
        content.resize(length, 0);
    }
    let larder = Larder::start().user("ana").file("a.jpg", &contents[0]);
    let file = fs::File::options().write(true).open(larder.root().join("a.jpg")).unwrap();
    let (is_over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let seen = Mutex::new(HashMap::new());
    let look = || {
        let ana = larder.http("ana");
        while !is_over.load(Ordering::Relaxed) {
            let answer = thumb(&ana, "a.jpg");
            answers.fetch_add(1, Ordering::Relaxed);
            if answer.status != 200 {
                // Half of it was of another content.
                assert!(matches!(answer.status, 404 | 503), "{answer}");
                continue;
            }
            let tag = answer.header("ETag").unwrap().to_owned();
            let size = size_of(&answer);
            let before = *seen.lock().unwrap().entry(tag).or_insert(size);
            assert_eq!(before, size, "one tag, two pictures");
        }
    };
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        let lookers: Vec<_> = (0..3).map(|_| scope.spawn(look)).collect();
        let ana = larder.http("ana");
        for round in 0..30 {
            let is_tall = round % 2 == 0;
            let content = &contents[usize::from(is_tall)];
            // At one moment or another of what the others are at.
            let mut between = || {
                let wanted = answers.load(Ordering::Relaxed) + round % 3;
                wait::until("others have looked", || {
                    answers.load(Ordering::Relaxed) >= wanted
                        || lookers.iter().any(std::thread::ScopedJoinHandle::is_finished)
                });
            };
            write_over(&file, content, &mut between);
            for _ in 0..2 {
                let (width, height) = size_of(&thumb(&ana, "a.jpg").expect(200));
                assert_eq!(width < height, is_tall, "{width} x {height}");
            }
        }
    });
    assert!(seen.into_inner().unwrap().len() > 5, "many contents were seen");
}

#[test]
fn a_browser_brings_what_larder_cannot_make() {
    let larder = house().reader("eve").file("film.mp4", "not really a film");
    let (ana, eve) = (larder.http("ana"), larder.http("eve"));
    let wanted = thumb(&ana, "film.mp4").expect_error(404, "No thumbnail");
    assert_eq!(wanted.header("Larder-Thumb"), Some("wanted"));
    let unwanted = thumb(&eve, "film.mp4").expect_error(404, "No thumbnail");
    assert_eq!(unwanted.header("Larder-Thumb"), None);
    let (tag, picture) = (etag(&ana, "film.mp4"), jpeg(400, 200));
    let given = give(&ana, "film.mp4", &tag, &picture);
    assert_eq!(given.expect(200).json()["status"], "Thumbnail kept");
    for (size, is) in [("160", (160, 80)), ("320", (320, 160)), ("1280", (400, 200))] {
        let answer = eve.get(&format!("/api/thumb?path=film.mp4&size={size}")).expect(200);
        assert_eq!(size_of(&answer), is);
        assert_ne!(answer.body, picture, "encoded anew");
    }
    // A better one may follow.
    give(&ana, "film.mp4", &tag, &jpeg(200, 100)).expect(200);
    assert_eq!(size_of(&thumb(&eve, "film.mp4").expect(200)), (160, 80));
}

#[test]
fn another_picture_of_the_same_file_has_another_tag() {
    let larder = house().file("film.mp4", "not really a film");
    let ana = larder.http("ana");
    let tag = etag(&ana, "film.mp4");
    let told = |client: &Client| thumb(client, "film.mp4").header("ETag").unwrap().to_owned();
    give(&ana, "film.mp4", &tag, &jpeg(400, 200)).expect(200);
    let first = told(&ana);
    let known = ana.clone().with("If-None-Match", &first);
    thumb(&known, "film.mp4").expect(304);
    give(&ana, "film.mp4", &tag, &jpeg(200, 400)).expect(200);
    assert_eq!(size_of(&thumb(&known, "film.mp4").expect(200)), (80, 160));
    assert_ne!(told(&ana), first);
    // The same picture once more is no other.
    give(&ana, "film.mp4", &tag, &jpeg(400, 200)).expect(200);
    assert_eq!(told(&ana), first);
    thumb(&known, "film.mp4").expect(304);
}

#[test]
fn what_a_browser_brings_is_judged() {
    let larder = house().reader("eve").file("film.mp4", "not really a film").folder("in");
    let (ana, eve) = (larder.http("ana"), larder.http("eve"));
    let (tag, picture) = (etag(&ana, "film.mp4"), jpeg(400, 200));
    let ask = |client: &Client, path: &str, body: &[u8]| give(client, path, &tag, body);
    ask(&eve, "film.mp4", &picture).expect_error(403, "Not permitted");
    ask(&larder.anonymous(), "film.mp4", &picture).expect(401);
    ask(&ana, "none.mp4", &picture).expect(404);
    ask(&ana, "in", &picture).expect(404);
    let target = "/api/thumb?path=film.mp4";
    ana.post_raw(target, Some("image/jpeg"), &picture).expect_error(400, "No etag provided");
    give(&ana, "film.mp4", "*", &picture).expect_error(400, "No etag provided");
    for stale in ["\"other\"", "W/\"other\"", "nonsense", &format!("W/{tag}")] {
        give(&ana, "film.mp4", stale, &picture).expect_error(412, "Precondition failed");
    }
    for wrong in [&b""[..], b"GIF89a", b"\xff\xd8\xff\xe0<html>", b"<html></html>"] {
        ask(&ana, "film.mp4", wrong).expect_error(400, "Not a JPEG");
    }
    ask(&ana, "film.mp4", &picture[..picture.len() / 3]).expect_error(400, "Not a JPEG");
    ask(&ana, "film.mp4", &jpeg(513, 10)).expect_error(400, "Too large a picture");
    ask(&ana, "film.mp4", &jpeg(10, 513)).expect_error(400, "Too large a picture");
    let padded = [picture.clone(), vec![0; 64 * 1024 + 1 - picture.len()]].concat();
    ask(&ana, "film.mp4", &padded).expect(413);
    let own = etag(&ana, "a.jpg");
    let told = give(&ana, "a.jpg", &own, &picture).expect(409);
    assert_eq!(told.json()["code"], "conflict");
    thumb(&eve, "film.mp4").expect(404);
    // The content of before has nothing to do with what is there now.
    larder.write("film.mp4", "another film");
    ask(&ana, "film.mp4", &picture).expect_error(412, "Precondition failed");
}

#[test]
fn a_small_picture_is_as_closed_as_its_file() {
    let larder = house()
        .user_with("eve", "user", r#"["open"]"#, r#"["open"]"#)
        .user_with("bob", "user", "[]", r#"["open"]"#)
        .folder("closed")
        .file("open/b.jpg", jpeg(300, 300))
        .link("open/way.jpg", "../a.jpg")
        .link("open/out.jpg", "/etc/hostname");
    let (ana, eve) = (larder.http("ana"), larder.http("eve"));
    thumb(&ana, "a.jpg").expect(200);
    thumb(&eve, "a.jpg").expect_error(403, "Not permitted");
    thumb(&eve, "nothing.jpg").expect_error(403, "Not permitted");
    thumb(&eve, "open/way.jpg").expect_refusal(403);
    thumb(&eve, "open/out.jpg").expect_refusal(404);
    thumb(&larder.http("bob"), "open/b.jpg").expect_error(403, "Not permitted");
    let tag = thumb(&eve, "open/b.jpg").expect(200).header("ETag").unwrap().to_owned();
    ana.post("/api/move", json!({ "paths": ["open/b.jpg"], "to": "closed" })).expect(200);
    let known = eve.clone().with("If-None-Match", &tag);
    thumb(&known, "open/b.jpg").expect(404);
    thumb(&known, "closed/b.jpg").expect_error(403, "Not permitted");
    thumb(&ana, "closed/b.jpg").expect(200);
    ana.post("/api/delete_file", json!({ "path": "closed/b.jpg" })).expect(200);
    thumb(&ana, "closed/b.jpg").expect(404);
}

#[test]
fn who_may_not_download_sees_no_small_picture_either() {
    let mut roles = crate::harness::everybody_may_everything();
    roles["/api/download"] = json!(["admin"]);
    let larder = Larder::prepare().roles(&roles).launch().user("ana").file("a.jpg", jpeg(9, 9));
    let ana = larder.http("ana");
    thumb(&ana, "a.jpg").expect_error(403, "Not permitted");
    let told = ana.get("/api/role/self").expect(200).json();
    assert_eq!(told["/api/thumb"], json!(false), "the page is told of the GET: {told}");
}

#[test]
fn none_are_kept_where_that_is_switched_off() {
    let larder = Larder::prepare()
        .settings(&json!({ "thumbs_mb": 0 }))
        .launch()
        .user("ana")
        .file("a.jpg", jpeg(400, 300))
        .file("film.mp4", "x");
    let ana = larder.http("ana");
    for _ in 0..2 {
        assert_eq!(size_of(&thumb(&ana, "a.jpg").expect(200)), (160, 120));
    }
    assert_eq!(thumb(&ana, "film.mp4").expect(404).header("Larder-Thumb"), None);
    give(&ana, "film.mp4", &etag(&ana, "film.mp4"), &jpeg(9, 9)).expect(409);
    assert_eq!(kept(&larder), Vec::<PathBuf>::new());
    ana.post("/api/update_settings", json!({ "thumbs_mb": 1 })).expect(200);
    thumb(&ana, "a.jpg").expect(200);
    assert_eq!(kept(&larder).len(), 1);
}

#[test]
fn those_that_are_too_many_go_when_the_setting_says_so_on_every_drive() {
    let larder = house().folder("usb");
    let Some(stick) = Stick::plugged(&larder, "usb") else { return };
    larder.write("usb/b.jpg", jpeg(320, 200));
    let ana = larder.http("ana");
    for path in ["a.jpg", "usb/b.jpg"] {
        thumb(&ana, path).expect(200);
    }
    let usb = larder.root().join("usb");
    assert_eq!((kept(&larder).len(), kept_at(&usb).len()), (1, 1));
    ana.post("/api/update_settings", json!({ "thumbs_mb": 0 })).expect(200);
    // Nobody has to come by for that.
    wait::until("nothing is kept", || kept(&larder).is_empty() && kept_at(&usb).is_empty());
    stick.pull();
}

#[test]
fn a_drive_that_falls_silent_holds_up_no_other() {
    let larder = house().folder("usb");
    let Some(drive) = SilentDrive::mount(&larder.root().join("usb")) else { return };
    let ana = larder.http("ana");
    ana.get("/api/finder?path=usb&details=1").expect(200);
    drive.fall_silent();
    let ask = |number: usize| {
        let mut wire = larder.wire();
        let target = format!("/api/thumb?path=usb/{number}.jpg");
        let key = larder.key("ana");
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"));
        wire
    };
    let asked: Vec<_> = (0..40).map(ask).collect();
    wait::until("the drive is asked", || drive.is_asked());
    let told = ["a.jpg", "a.jpg&size=320"].map(|path| ana.get(&format!("/api/thumb?path={path}")));
    drive.speak();
    for answer in told {
        answer.expect(200);
    }
    for mut wire in asked {
        let status = wire.status();
        assert!(matches!(status, 404 | 503), "{status}");
    }
}

#[test]
fn what_failed_is_known_also_where_nothing_is_kept() {
    let larder = Larder::prepare()
        .settings(&json!({ "thumbs_mb": 0 }))
        .launch()
        .user("ana")
        .file("a.jpg", &jpeg(400, 300)[..200]);
    let ana = larder.http("ana");
    thumb(&ana, "a.jpg").expect(404);
    let children = || larder.process().pages_of_children();
    let before = children();
    for size in ["160", "320", "1280"] {
        ana.get(&format!("/api/thumb?path=a.jpg&size={size}")).expect(404);
    }
    assert_eq!(children(), before, "no child was run");
    larder.write("b.jpg", jpeg(400, 300));
    thumb(&ana, "b.jpg").expect(200);
    assert!(children() > before, "a child shows");
}

#[test]
fn never_more_are_kept_than_may_be() {
    let larder = Larder::prepare().settings(&json!({ "thumbs_mb": 1 })).launch().user("ana");
    let ana = larder.http("ana");
    // So many old ones that there is no room for more.
    for number in 0..300 {
        larder.write(&format!(".larder/thumbs/{:02x}/old-{number}", number % 7), "x");
    }
    let names = |larder: &Larder| kept(larder).iter().filter(|path| is_old(path)).count();
    assert_eq!(names(&larder), 300);
    larder.write("a.jpg", jpeg(400, 300));
    wait::until("some have gone", || {
        thumb(&ana, "a.jpg").expect(200);
        kept(&larder).len() <= 256
    });
    wait::until("the new one is kept", || {
        thumb(&ana, "a.jpg").expect(200);
        kept(&larder).iter().any(|path| !is_old(path))
    });
    assert!(names(&larder) > 150, "not more than has to");
}

/// Whether something kept is one of those that a test has put there.
fn is_old(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with("old-")
}

#[test]
fn each_drive_keeps_its_own() {
    let larder = house().folder("usb");
    let Some(stick) = Stick::plugged(&larder, "usb") else { return };
    larder.write("usb/b.jpg", jpeg(320, 200));
    let ana = larder.http("ana");
    assert_eq!(size_of(&thumb(&ana, "usb/b.jpg").expect(200)), (160, 100));
    assert_eq!(kept(&larder), Vec::<PathBuf>::new());
    assert_eq!(kept_at(&larder.root().join("usb")).len(), 1);
    stick.pull();
    thumb(&ana, "usb/b.jpg").expect(404);
}

#[test]
fn a_drive_that_takes_no_writes_or_is_full_keeps_none_and_shows_them_all_the_same() {
    if !mounts_are_given() {
        return;
    }
    let script = r#"mkdir ro full && mount -t tmpfs -o size=8M tmpfs ro && mount -t tmpfs -o size=8M tmpfs full &&
        cp ../outside/a.jpg ro && cp ../outside/a.jpg full && cp ../outside/a.jpg ro/a.mp4 &&
        dd if=/dev/zero of=full/fill bs=1M count=8 2>/dev/null; rm -f full/none;
        mount -o remount,ro ro && exec "$@""#;
    let larder = Larder::prepare();
    fs::write(larder.outside().join("a.jpg"), jpeg(400, 300)).unwrap();
    let larder = launch_within(larder, script).user("ana");
    let ana = larder.http("ana");
    for path in ["ro/a.jpg", "full/a.jpg", "ro/a.jpg", "full/a.jpg"] {
        assert_eq!(size_of(&thumb(&ana, path).expect(200)), (160, 120), "{path}");
    }
}

#[test]
fn the_cookie_shows_pictures_and_brings_none() {
    let larder = house();
    let token = larder.token("ana");
    let page = larder.browser(&token);
    thumb(&page, "a.jpg").expect(200);
    let brought = give(&page, "a.jpg", "\"x\"", &jpeg(9, 9));
    brought.expect(401);
}
