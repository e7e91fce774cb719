//! Uploads that go on, and whoever means them ill or knows no better: odd lengths, offsets, names and peers, rights
//! that are withdrawn, more of them than there may be: second contract, section 16.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::tus::{
    BLOCK, BYTES, Tus, UPLOADS, bytes_in, content, encoded, left_in, offset_in, wait_for_bytes,
    wait_until_nothing_is_left,
};
use crate::harness::{Answer, Larder, everybody_may_everything, wait};

/// Bytes of most uploads here.
const LENGTH: usize = 4 * BLOCK + 1234;

/// What is said of most uploads here.
const FILM: [(&str, &str); 1] = [("filename", "film")];

/// A larder with `ana`.
fn house() -> Larder {
    Larder::start().user("ana")
}

/// Begins an upload with these fields, as they are.
#[track_caller]
fn begin_raw(tus: &Tus, fields: &[(&str, &str)]) -> Answer {
    tus.ask("POST", UPLOADS, fields, b"")
}

#[test]
fn lengths_that_are_none_begin_nothing() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let metadata = encoded(&FILM);
    for length in ["", " ", "-1", "+1", "1.5", "1e3", "0x10", "1 0", "1,1", "ten", "१०", "NaN"]
    {
        let told = begin_raw(&tus, &[("Upload-Length", length), ("Upload-Metadata", &metadata)]);
        assert!(told.status == 400, "{length:?}: {told}");
    }
    let told = begin_raw(&tus, &[("Upload-Metadata", &metadata)]);
    told.expect_error(400, "No length provided");
    let later = [("Upload-Defer-Length", "1"), ("Upload-Metadata", &*metadata)];
    begin_raw(&tus, &later).expect_error(400, "No length provided");
    let two = [("Upload-Length", "5"), ("Upload-Length", "6"), ("Upload-Metadata", &*metadata)];
    let told = begin_raw(&tus, &two);
    assert!(told.status == 400, "two lengths: {told}");
    // More than there is room for on any drive, than any file can have, and than fits into any number.
    let long = "9".repeat(400);
    for length in [
        "1000000000000000000",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        &long,
    ] {
        let told = tus.begin(length, &FILM);
        told.expect_code(507, "disk_full");
    }
    assert!(larder.tree().is_empty() && tus.list().is_empty());
    wait_until_nothing_is_left(&larder);
}

#[test]
fn bodies_that_are_longer_than_was_told_end_the_upload() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let whole = content(LENGTH);
    // With the creation.
    let fields = [("Upload-Length", "10"), ("Upload-Metadata", &*encoded(&FILM)), BYTES];
    let told = tus.ask("POST", UPLOADS, &fields, &whole[..11]);
    assert_eq!(told.status, 413, "{told}");
    assert!(!larder.exists("film"));
    wait_until_nothing_is_left(&larder);
    // Told in the head, and only seen in chunks.
    let upload = tus.begun(LENGTH, &FILM);
    tus.patch(&upload, 0, &whole[..1000]).expect(204);
    assert_eq!(tus.patch(&upload, 1000, &whole[999..]).status, 413);
    assert_eq!(tus.head(&upload).status, 404);
    let upload = tus.begun(10, &FILM);
    let chunked = [BYTES, ("Upload-Offset", "0"), ("Transfer-Encoding", "chunked")];
    let mut wire = larder.wire();
    wire.send(format!(
        "PATCH {upload} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n",
        larder.key("ana")
    ));
    for (name, value) in chunked {
        wire.send(format!("{name}: {value}\r\n"));
    }
    wire.send("\r\n8\r\n01234567\r\n8\r\n89abcdef\r\n0\r\n\r\n");
    assert_eq!(wire.answer().status, 413);
    assert_eq!(tus.head(&upload).status, 404);
    assert!(larder.tree().is_empty(), "{:?}", larder.tree());
    wait_until_nothing_is_left(&larder);
}

#[test]
fn offsets_that_lie_change_nothing() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let whole = content(LENGTH);
    let upload = tus.begun(LENGTH, &FILM);
    tus.patch(&upload, 0, &whole[..1000]).expect(204);
    for offset in [0, 999, 1001, LENGTH, LENGTH + 1, usize::MAX] {
        let told = tus.patch(&upload, offset, b"wrong");
        assert_eq!((told.status, offset_in(&told)), (409, 1000), "{told}");
    }
    for offset in ["-1", "", "1e3", "0x3e8", "99999999999999999999999", "1000, 1000", "one"] {
        let told = tus.ask("PATCH", &upload, &[BYTES, ("Upload-Offset", offset)], b"wrong");
        assert!(matches!(told.status, 400 | 409), "{told}");
    }
    let told = tus.ask("PATCH", &upload, &[BYTES], b"wrong");
    assert!(matches!(told.status, 400 | 409), "{told}");
    for kind in ["", "application/octet-stream", "text/plain", "application/offset+octet-stream2"] {
        let fields = [("Content-Type", kind), ("Upload-Offset", "1000")];
        let told = tus.ask("PATCH", &upload, &fields, b"wrong");
        assert_eq!(told.status, 415, "{kind:?}: {told}");
    }
    // A length that has changed since is not believed.
    let changed = [BYTES, ("Upload-Offset", "1000"), ("Upload-Length", "5")];
    let told = tus.ask("PATCH", &upload, &changed, &whole[1000..2000]);
    assert!(matches!(told.status, 204 | 400), "{told}");
    let offset = tus.offset(&upload);
    assert_eq!(offset, if told.status == 204 { 2000 } else { 1000 });
    assert_eq!(tus.head(&upload).header("Upload-Length"), Some(&*LENGTH.to_string()));
    // One byte at a time, and none.
    tus.patch(&upload, offset, b"").expect(204);
    tus.patch(&upload, offset, &whole[offset..=offset]).expect(204);
    tus.patch(&upload, offset + 1, &whole[offset + 1..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn bodies_that_are_shorter_than_was_told_are_kept_as_they_came() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let whole = content(LENGTH);
    let upload = tus.begun(LENGTH, &FILM);
    for step in 0..4 {
        // Some more than what larder writes at once, which it does not throw away.
        let (start, end) = (step * BLOCK + step, (step + 1) * BLOCK + step + 1);
        let wire = tus.patch_begun(&upload, start, LENGTH - start, &whole[start..end]);
        wait_for_bytes(&larder, "", (step + 1) * BLOCK);
        drop(wire);
        assert_eq!(tus.offset(&upload), end);
    }
    let rest = 4 * BLOCK + 4;
    tus.patch(&upload, rest, &whole[rest..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn metadata_that_is_none_begins_nothing() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let huge = format!("filename {}", "QUJD".repeat(16_000));
    let many = "key QQ==,".repeat(3000) + "filename QQ==";
    for metadata in [
        "filename",
        "filename ",
        "filename =",
        "filename ===",
        "filename A",
        "filename QQ=",
        "filename QQ==x",
        "filename Q Q==",
        "filename Q*==",
        "filename QQ==, filename",
        "filename\u{e9} QQ==",
        ",",
        ",,,",
        " ",
        "",
        "filename QQ==,,",
        "other QQ==",
        "FILENAME",
        "filename QQ==\u{0}",
        &huge,
        &many,
    ] {
        let Some(told) = tus.try_ask(
            "POST",
            UPLOADS,
            &[("Upload-Length", "5"), ("Upload-Metadata", metadata)],
            b"",
        ) else {
            panic!("no answer to {metadata:.60}");
        };
        let is_odd_but_clear = metadata == "filename QQ==,," || metadata == &*many;
        let is_good = matches!(told.status, 400 | 431) || is_odd_but_clear && told.status == 201;
        assert!(is_good, "{metadata:.60}: {told}");
    }
    let told = begin_raw(&tus, &[("Upload-Length", "5")]);
    told.expect_error(400, "No file name provided");
    for waiting in tus.list() {
        tus.take_back(&format!("{UPLOADS}/{}", waiting["id"].as_str().unwrap())).expect(204);
    }
    assert!(larder.tree().is_empty());
    wait_until_nothing_is_left(&larder);
}

#[test]
fn names_that_lead_elsewhere_begin_nothing() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let (long, deep) = ("x".repeat(256), "d/".repeat(3000));
    let bad: [&[(&str, &str)]; 23] = [
        &[("filename", "")],
        &[("filename", ".")],
        &[("filename", "..")],
        &[("filename", "../film")],
        &[("filename", "a/b")],
        &[("filename", "/etc/passwd")],
        &[("filename", "a\0b")],
        &[("filename", "a\nb\0")],
        &[("filename", &long)],
        &[("filename", ".larder")],
        &[("name", "..")],
        &[("filename", "f"), ("path", "..")],
        &[("filename", "f"), ("path", "a/../../b")],
        &[("filename", "f"), ("path", ".larder/parts")],
        &[("filename", "f"), ("path", "a\0b")],
        &[("filename", "f"), ("path", &long)],
        &[("filename", "f"), ("path", &deep)],
        &[("filename", "f"), ("relativePath", "../f")],
        &[("filename", "f"), ("relativePath", "a/../../f")],
        &[("filename", "f"), ("relativePath", ".larder/f")],
        &[("filename", "f"), ("relativePath", "a\0/f")],
        &[("filename", "f"), ("path", "a"), ("relativePath", "../../f")],
        &[("filename", "f"), ("if_exists", "destroy")],
    ];
    for metadata in bad {
        for told in [tus.begin(0, metadata), tus.begin(5, metadata), tus.bring(metadata, b"hello")]
        {
            let is_good = matches!(told.status, 400 | 403 | 431);
            assert!(is_good, "{:.80}: {told}", format!("{metadata:?}"));
        }
    }
    // No text at all.
    for value in ["/w==", "gA==", "YfCCgg==", "7aCA"] {
        let metadata = format!("filename {value}");
        let told = begin_raw(&tus, &[("Upload-Length", "0"), ("Upload-Metadata", &metadata)]);
        told.expect_refusal(400);
    }
    assert!(larder.tree().is_empty(), "{:?}", larder.tree());
    assert_eq!(fs::read_dir(larder.outside()).unwrap().count(), 0);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn ids_that_are_none_find_nothing() {
    let larder = house().user("bea");
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(LENGTH, &FILM);
    let id = upload.rsplit('/').next().unwrap();
    let (upper, long) = (id.to_uppercase(), "a".repeat(3000));
    let own = format!("{id}.json");
    let up = format!("..%2Fparts%2F{id}");
    for other in
        ["x", "..", "..%2F..%2Fid", "%00", &upper, &own, &up, &long, &id[1..], "%2e%2e%2fid"]
    {
        let target = format!("{UPLOADS}/{other}");
        for (method, body) in [("HEAD", &b""[..]), ("PATCH", b"x"), ("DELETE", b"")] {
            let told = tus.ask(method, &target, &[BYTES, ("Upload-Offset", "0")], body);
            assert!(matches!(told.status, 400 | 404 | 414 | 431), "{told}");
        }
    }
    let bea = Tus::of(&larder, "bea");
    assert_eq!(bea.head(&upload).status, 404);
    bea.patch(&upload, 0, b"x").expect_error(404, "Upload not found");
    bea.take_back(&upload).expect_error(404, "Upload not found");
    assert!(bea.list().is_empty());
    assert_eq!(tus.offset(&upload), 0);
    tus.take_back(&upload).expect(204);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn a_peer_that_is_gone_without_a_word_holds_up_nobody() {
    let larder = house();
    let tus = Tus::of(&larder, "ana");
    let whole = content(LENGTH);
    let upload = tus.begun(LENGTH, &FILM);
    let mut peers = Vec::new();
    for step in 0..4 {
        let (start, end) = (step * BLOCK, (step + 1) * BLOCK);
        let peer = tus.patch_begun(&upload, start, LENGTH - start, &whole[start..end]);
        wait_for_bytes(&larder, "", end);
        peers.push(peer);
        // Nothing says that the peer is gone: the next one comes, asks and goes on at once.
        if step % 2 == 0 {
            assert_eq!(tus.offset(&upload), end);
        }
    }
    tus.patch(&upload, 4 * BLOCK, &whole[4 * BLOCK..]).expect(204);
    assert!(larder.read_bytes("film") == whole);
    // The older ones were cut, and what they might still send counts nowhere.
    for mut peer in peers {
        peer.try_send(&whole[..1000]);
        let told = peer.try_answer(false);
        assert!(told.as_ref().is_none_or(|told| told.status >= 400), "{}", told.unwrap());
    }
    assert!(larder.read_bytes("film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn two_tabs_on_one_upload_make_one_file() {
    let larder = house();
    let whole = content(1 << 20);
    let upload = Tus::of(&larder, "ana").begun(whole.len(), &FILM);
    let work = || {
        let tus = Tus::of(&larder, "ana");
        let mut rounds = 0;
        while !larder.exists("film") {
            let head = tus.head(&upload).expect(200);
            let offset = offset_in(&head);
            let end = (offset + 50_000).min(whole.len());
            // The other one may end this at any byte.
            if let Some(told) = tus.try_patch(&upload, offset, &whole[offset..end]) {
                assert!(matches!(told.status, 204 | 409), "{told}");
            }
            rounds += 1;
            assert!(rounds < 10_000, "it never comes to an end");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    assert!(larder.read_bytes("film") == whole);
    assert_eq!(larder.tree(), ["film"]);
    wait_until_nothing_is_left(&larder);
}

/// Changes what `ana` may write.
#[track_caller]
fn let_ana_write(larder: &Larder, paths: &str) {
    let boss = larder.http("boss");
    let people = boss.get("/api/user/get_all").expect(200).json();
    let mut people = people.as_array().unwrap().iter();
    let ana = people.find(|person| person["username"] == "ana").unwrap();
    let ask = json!({
        "id": ana["id"], "username": "ana", "name": "Ana", "role": "user", "paths": "[\"\"]",
        "paths_write": paths,
    });
    boss.post("/api/user/edit", ask).expect_status("User edited");
}

#[test]
fn a_grant_that_is_withdrawn_half_way_keeps_the_bytes() {
    let larder = house().admin("boss");
    let tus = Tus::of(&larder, "ana");
    let whole = content(LENGTH);
    let metadata = [("filename", "film"), ("path", "photos")];
    let upload = tus.begun(LENGTH, &metadata);
    tus.patch(&upload, 0, &whole[..1000]).expect(204);
    let mut wire = tus.patch_begun(&upload, 1000, LENGTH - 1000, &whole[1000..=BLOCK]);
    wait_for_bytes(&larder, "", BLOCK);
    let_ana_write(&larder, r#"["other"]"#);
    wire.send(&whole[BLOCK + 1..]);
    let told = wire.answer();
    told.expect_code(403, "not_permitted");
    tus.patch(&upload, LENGTH, b"").expect_code(403, "not_permitted");
    tus.begin(5, &metadata).expect_code(403, "not_permitted");
    tus.bring(&metadata, b"hello").expect_code(403, "not_permitted");
    assert!(larder.tree().is_empty(), "{:?}", larder.tree());
    let_ana_write(&larder, r#"["photos"]"#);
    assert_eq!(tus.offset(&upload), LENGTH);
    let told = tus.patch(&upload, LENGTH, b"").expect(204);
    assert_eq!(told.header("Larder-Path"), Some("photos/film"));
    assert!(larder.read_bytes("photos/film") == whole);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn a_role_that_may_no_more_keeps_the_bytes() {
    let larder = house().admin("boss");
    let (tus, boss) = (Tus::of(&larder, "ana"), larder.http("boss"));
    let upload = tus.begun(10, &FILM);
    tus.patch(&upload, 0, b"01234").expect(204);
    let mut roles = everybody_may_everything();
    roles["/api/upload"] = json!(["admin"]);
    boss.post("/api/role/edit", roles).expect_status("Roles updated");
    assert_eq!(tus.head(&upload).status, 403);
    tus.patch(&upload, 5, b"56789").expect_code(403, "not_permitted");
    tus.begin(5, &FILM).expect_code(403, "not_permitted");
    tus.take_back(&upload).expect_code(403, "not_permitted");
    boss.post("/api/role/edit", everybody_may_everything()).expect_status("Roles updated");
    tus.patch(&upload, 5, b"56789").expect(204);
    assert_eq!(larder.read("film"), "0123456789");
    wait_until_nothing_is_left(&larder);
}

#[test]
fn of_a_deleted_user_nothing_stays() {
    let larder = house().admin("boss").user("bea");
    let (tus, bea) = (Tus::of(&larder, "ana"), Tus::of(&larder, "bea"));
    let kept = bea.begun(10, &[("filename", "theirs")]);
    let idle = tus.begun(10, &[("filename", "idle")]);
    tus.patch(&idle, 0, b"01234").expect(204);
    let upload = tus.begun(LENGTH, &FILM);
    let mut wire = tus.patch_begun(&upload, 0, LENGTH, &content(BLOCK));
    let has_come = |path: &PathBuf| fs::metadata(path).is_ok_and(|it| it.len() == BLOCK as u64);
    wait::until("the bytes", || left_in(&larder, "").iter().any(has_come));
    larder.http("boss").post("/api/user/delete", json!({ "username": "ana" })).expect(200);
    // Whatever was under way comes to nothing.
    wire.try_send(&content(LENGTH)[BLOCK..]);
    let told = wire.try_answer(false);
    assert!(told.as_ref().is_none_or(|told| told.status >= 400), "{}", told.unwrap());
    assert_eq!(tus.head(&upload).status, 401);
    wait::until("nothing of ana's", || left_in(&larder, "").len() == 2);
    assert!(larder.tree().is_empty(), "{:?}", larder.tree());
    bea.patch(&kept, 0, b"0123456789").expect(204);
    wait_until_nothing_is_left(&larder);
}

#[test]
fn a_hundred_of_one_user_and_a_thousand_in_all_may_be_open() {
    if !mounts_are_given() {
        return;
    }
    // In memory: ten thousand syncs would be a test of this machine's disk.
    let script = r#"mount -t tmpfs -o size=256M tmpfs . && cd "$PWD" && exec "$@""#;
    let mut larder = launch_within(Larder::prepare(), script);
    let names: Vec<String> = (0..11).map(|number| format!("user{number}")).collect();
    for name in &names {
        larder = larder.user(name);
    }
    let mut uploads: Vec<Vec<String>> = Vec::new();
    for name in &names[..10] {
        let tus = Tus::of(&larder, name);
        let begin = |number: usize| {
            let file = format!("{name}-{number}");
            tus.begun(10, &[("filename", &file)])
        };
        uploads.push((0..100).map(begin).collect());
        let told = tus.begin(10, &FILM).expect_refusal(429);
        assert!(told.header("Retry-After").is_some(), "{told}");
        tus.bring(&FILM, b"hello").expect_refusal(429);
        assert_eq!(tus.list().len(), 100);
    }
    let last = Tus::of(&larder, &names[10]);
    last.begin(10, &FILM).expect_refusal(429);
    // The rest answers, and all of them go on.
    larder.http(&names[10]).get("/api/finder").expect(200);
    let first = Tus::of(&larder, &names[0]);
    first.take_back(&uploads[0].pop().unwrap()).expect(204);
    let upload = last.begun(10, &FILM);
    last.patch(&upload, 0, b"0123456789").expect(204);
    for (name, uploads) in names.iter().zip(&uploads) {
        let tus = Tus::of(&larder, name);
        for (number, upload) in uploads.iter().enumerate() {
            let whole = format!("{:010}", number % 7);
            tus.patch(upload, 0, &whole.as_bytes()[..5]).expect(204);
            if number % 2 == 0 {
                tus.take_back(upload).expect(204);
            } else {
                tus.patch(upload, 5, &whole.as_bytes()[5..]).expect(204);
            }
        }
        assert!(tus.list().is_empty());
    }
    let found = larder.http(&names[10]).get("/api/finder").expect(200).json();
    // Half of those of each user, but the one that was taken back for the last.
    assert_eq!(found["items"].as_array().unwrap().len(), 10 * 50 - 1 + 1);
}

/// Makes the only upload so many days older than it is.
fn age(larder: &Larder, days: u64) {
    let bytes = bytes_in(larder, "");
    let age = Duration::from_hours(days * 24);
    let record = bytes.with_extension("json");
    let mut noted: Value = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    let last = noted["last_ms"].as_u64().unwrap();
    noted["last_ms"] = json!(last - u64::try_from(age.as_millis()).unwrap());
    fs::write(&record, noted.to_string()).unwrap();
    let file = fs::File::options().write(true).open(bytes).unwrap();
    file.set_modified(file.metadata().unwrap().modified().unwrap() - age).unwrap();
}

#[test]
fn an_upload_that_nobody_goes_on_with_expires() {
    let mut larder = house();
    let tus = Tus::of(&larder, "ana");
    let upload = tus.begun(10, &FILM);
    tus.patch(&upload, 0, b"01234").expect(204);
    age(&larder, 6);
    // Whoever goes on has all of the time again.
    assert_eq!(tus.offset(&upload), 5);
    tus.patch(&upload, 5, b"5").expect(204);
    age(&larder, 6);
    larder.restart();
    let tus = Tus::of(&larder, "ana");
    assert_eq!(tus.offset(&upload), 6);
    age(&larder, 2);
    assert_eq!(tus.head(&upload).status, 404);
    tus.patch(&upload, 6, b"6789").expect_error(404, "Upload not found");
    assert!(tus.list().is_empty());
    larder.restart();
    wait_until_nothing_is_left(&larder);
    assert!(larder.tree().is_empty());
}

#[test]
fn many_that_break_off_at_once_leave_nothing_but_what_they_sent() {
    let larder = house();
    let whole = content(LENGTH);
    std::thread::scope(|scope| {
        for number in 0..16_usize {
            let (larder, whole) = (&larder, &whole);
            scope.spawn(move || {
                let tus = Tus::of(larder, "ana");
                let name = format!("f{number}");
                let upload = tus.begun(LENGTH, &[("filename", &name)]);
                for step in 1..5 {
                    let offset = tus.offset(&upload);
                    let end = LENGTH * step / 5 - number;
                    if offset < end {
                        let begun = &whole[offset..end];
                        drop(tus.patch_begun(&upload, offset, LENGTH - offset, begun));
                    }
                }
                // Larder may hear of an older one only now, which then goes first.
                while !larder.exists(&name) {
                    let offset = tus.offset(&upload);
                    if let Some(told) = tus.try_patch(&upload, offset, &whole[offset..]) {
                        assert!(matches!(told.status, 204 | 409), "{told}");
                    }
                }
                let found = larder.read_bytes(&name);
                let differs = found.iter().zip(whole).position(|(one, other)| one != other);
                if let Some(at) = differs {
                    let piece = &found[at..(at + 16).min(found.len())];
                    let place = whole.windows(piece.len()).position(|window| window == piece);
                    let until = (at..found.len()).find(|n| {
                        found[*n] == whole[*n]
                            && found[*n..(*n + 16).min(found.len())]
                                == whole[*n..(*n + 16).min(found.len())]
                    });
                    panic!(
                        "{name}: bytes, other at {at}: {piece:?} from {place:?} until {until:?}"
                    );
                }
                assert!(found == *whole, "{name}: {} bytes, other at {differs:?}", found.len());
            });
        }
    });
    wait_until_nothing_is_left(&larder);
}
