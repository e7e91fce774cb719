//! Search: second contract, section 17.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::harness::client::{Client, encode};
use crate::harness::dav::Dav;
use crate::harness::form::Form;
use crate::harness::mounts::{launch_within, mounts_are_given};
use crate::harness::{Larder, Wire, wait};

/// What a search told.
struct Found {
    /// The hits.
    hits: Vec<Value>,
    /// The last line.
    done: Value,
}

impl Found {
    /// Where the hits are.
    fn paths(&self) -> BTreeSet<String> {
        let paths: Vec<&str> = self.hits.iter().map(|hit| hit["path"].as_str().unwrap()).collect();
        let set: BTreeSet<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(set.len(), paths.len(), "something was told twice: {paths:?}");
        set
    }

    /// How many names were looked at.
    fn seen(&self) -> u64 {
        self.done["seen"].as_u64().unwrap()
    }
}

/// Searches, whatever the query is.
#[track_caller]
fn search(client: &Client, query: &str) -> Found {
    let answer = client.get(&format!("/api/search?{query}")).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"), "{answer}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
    let lines: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (done, lines) = lines.split_last().unwrap();
    assert_eq!(done["done"], true, "{answer}");
    let hits = lines.iter().filter(|line| line.get("path").is_some()).cloned().collect();
    Found { hits, done: done.clone() }
}

/// Where what is found lies.
#[track_caller]
fn paths(client: &Client, query: &str) -> BTreeSet<String> {
    let found = search(client, query);
    assert_eq!(found.done["more"], false, "{query}: {}", found.done);
    found.paths()
}

/// Searches for words.
#[track_caller]
fn words(client: &Client, words: &str) -> BTreeSet<String> {
    paths(client, &format!("q={}", encode(words)))
}

/// As a set.
fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// Waits until the list of names is on the drive.
#[track_caller]
fn wait_for_list(larder: &Larder) -> Vec<u8> {
    let place = larder.root().join(".larder/index/names");
    wait::until("the list is kept", || place.is_file());
    fs::read(place).unwrap()
}

/// Dates everything in a tree so far back that its times are believed.
fn age(larder: &Larder, folders: &[&str]) {
    for folder in folders {
        let handle = fs::File::open(larder.root().join(folder)).unwrap();
        handle.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    }
}

#[test]
fn hits_are_told_as_the_contract_says() {
    let larder = Larder::prepare()
        .file("Urlaub/Müller am Strand.jpg", "x".repeat(10))
        .file("Urlaub/mu\u{308}ller.txt", "12345")
        .file("Urlaub/Miller.txt", "1")
        .file("Muller/inside.txt", "")
        .launch()
        .user("ana")
        .reader("eve");
    let client = larder.http("ana");
    let found = search(&client, "q=muller");
    assert_eq!(
        found.paths(),
        set(&["Urlaub/Müller am Strand.jpg", "Urlaub/mu\u{308}ller.txt", "Muller"])
    );
    assert_eq!(found.done, json!({ "done": true, "seen": 6, "more": false }));
    let hit = found.hits.iter().find(|hit| hit["path"] == "Urlaub/Müller am Strand.jpg").unwrap();
    assert_eq!(
        (&hit["name"], &hit["type"], &hit["size"], &hit["mime"], &hit["writable"]),
        (
            &json!("Müller am Strand.jpg"),
            &json!("file"),
            &json!(10),
            &json!("image/jpeg"),
            &json!(true)
        )
    );
    let listed = client.get("/api/finder?path=Urlaub&details=1").expect(200).json();
    let entry = listed["entries"].as_array().unwrap().iter().find(|one| one["name"] == hit["name"]);
    let mut as_listed = entry.unwrap().clone();
    as_listed["path"] = hit["path"].clone();
    assert_eq!(hit, &as_listed);
    let folder = found.hits.iter().find(|hit| hit["path"] == "Muller").unwrap();
    assert_eq!((&folder["type"], &folder["size"]), (&json!("folder"), &json!(0)));
    assert_eq!(words(&client, "MÜLLER strand"), set(&["Urlaub/Müller am Strand.jpg"]));
    assert_eq!(
        words(&client, "*.TXT"),
        set(&["Urlaub/mu\u{308}ller.txt", "Urlaub/Miller.txt", "Muller/inside.txt"])
    );
    assert_eq!(words(&client, "m?ller.*"), set(&["Urlaub/mu\u{308}ller.txt", "Urlaub/Miller.txt"]));
    assert_eq!(words(&client, "laub/mi"), set(&["Urlaub/Miller.txt"]));
    assert_eq!(words(&client, "muller/"), set(&["Muller/inside.txt"]));
    // What is above the folder that was named is no part of the path.
    assert_eq!(paths(&client, "path=Urlaub&q=urlaub/"), set(&[]));
    assert_eq!(
        paths(&client, "path=/Urlaub/&q=m*"),
        set(&["Urlaub/Müller am Strand.jpg", "Urlaub/mu\u{308}ller.txt", "Urlaub/Miller.txt"])
    );
    let eve = search(&larder.http("eve"), "q=muller");
    assert!(eve.hits.iter().all(|hit| hit["writable"] == false));
    client.head("/api/search?q=a").expect(200);
}

#[test]
fn filters_narrow_and_stand_alone() {
    let larder = Larder::prepare()
        .file("a.jpg", "1")
        .file("film.mp4", "x".repeat(2000))
        .file("song.mp3", "x".repeat(300))
        .file("letter.pdf", "12")
        .file("all.zip", "123")
        .file("main.rs", "1234")
        .file("docs.d/none", "")
        .launch()
        .user("ana");
    let root = larder.root();
    let date = |path: &str, days: u64| {
        let file = fs::File::open(root.join(path)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * days)).unwrap();
    };
    for (path, days) in [("a.jpg", 100), ("film.mp4", 200), ("song.mp3", 300)] {
        date(path, days);
    }
    let client = larder.http("ana");
    for _ in 0..2 {
        for (query, wanted) in [
            ("type=image", &["a.jpg"][..]),
            ("type=image,video&q=", &["a.jpg", "film.mp4"]),
            ("type=audio", &["song.mp3"]),
            ("type=document", &["letter.pdf"]),
            ("type=archive", &["all.zip"]),
            ("type=code", &["main.rs"]),
            ("type=folder", &["docs.d"]),
            ("type=file&q=o", &["song.mp3", "docs.d/none"]),
            ("size_min=300", &["film.mp4", "song.mp3"]),
            ("size_min=2&size_max=3", &["letter.pdf", "all.zip"]),
            ("size_max=0", &["docs.d/none"]),
            ("size_min=99999999999999999999", &[]),
            ("after=1970-07-20T00:00:00Z&before=1970-10-28T00:00:01Z", &["film.mp4", "song.mp3"]),
            ("after=1970-07-20T00:00:00Z&before=1970-10-28T00:00:00Z", &["film.mp4"]),
            ("before=1970-04-12&type=image", &["a.jpg"]),
            ("before=1970-05-01&q=film", &[]),
            ("q=.MP&size_min=1000", &["film.mp4"]),
            ("q=MP&size_min=1000", &["film.mp4"]),
        ] {
            assert_eq!(paths(&client, query), set(wanted), "{query}");
        }
        wait_for_list(&larder);
    }
}

#[test]
fn wrong_questions_are_refused_in_their_order() {
    let larder = Larder::prepare()
        .file("a/b.txt", "")
        .launch()
        .user("ana")
        .user_with("eve", "user", r#"["a"]"#, "[]")
        .user_with("ben", "guest", r#"[""]"#, "[]");
    let client = larder.http("ana");
    for query in
        ["", "?q=", "?q=%20+", "?path=a", "?limit=5", "?q=%CC%81", "?q=&type=&size_min=&after="]
    {
        client.get(&format!("/api/search{query}")).expect_error(400, "No query provided");
    }
    for (query, field) in [
        ("type=pictures", "type"),
        ("type=image,,video", "type"),
        ("q=a&size_min=-1", "size_min"),
        ("q=a&size_max=1.5", "size_max"),
        ("q=a&size_max=1k", "size_max"),
        ("q=a&after=yesterday", "after"),
        ("q=a&before=2026-02-30", "before"),
        ("q=a&before=2026-02-03T04:05:06", "before"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=-5", "limit"),
        ("q=a&limit=many", "limit"),
        ("q=%FF", "q"),
        ("q=a&type=%FF", "type"),
        ("q=a&path=..", "path"),
        ("q=a&path=%00", "path"),
    ] {
        let answer = client.get(&format!("/api/search?{query}"));
        answer.expect_error(400, &format!("Invalid {field}"));
    }
    let mut wire = larder.wire();
    let (long, key) = ("a+".repeat(32 * 1024), larder.key("ana"));
    let head =
        format!("GET /api/search?q={long} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n");
    wire.send_until_answered(head.as_bytes());
    let told = wire.status();
    assert!([400, 414, 431].contains(&told), "{told}");
    client.get(&format!("/api/search?q={}", "a".repeat(2000))).expect_error(400, "Invalid q");
    client.get(&format!("/api/search?q={}", "*a".repeat(500))).expect(200);
    client.get("/api/search?q=a&path=none").expect_error(404, "Path does not exist");
    client.get("/api/search?q=a&path=a/b.txt").expect_error(400, "Path is not a folder");
    let nobody = larder.anonymous();
    nobody.get("/api/search?q=a").expect_error(401, "Unauthorized");
    client.post("/api/search", json!({ "q": "a" })).expect_error(405, "Method not allowed");
    larder.http("ben").get("/api/search").expect_code(403, "not_permitted");
    let eve = larder.http("eve");
    eve.get("/api/search?q=a&path=b").expect_error(403, "Not permitted");
    eve.get("/api/search?q=a&path=none").expect_error(403, "Not permitted");
    eve.get("/api/search?path=none").expect_error(400, "No query provided");
    assert_eq!(words(&eve, "b"), set(&["a/b.txt"]));
}

#[test]
fn only_the_limit_is_told_and_that_there_is_more() {
    let mut larder = Larder::prepare();
    for number in 0..30 {
        larder = larder.file(&format!("f{}/name {number}.txt", number % 3), "");
    }
    let larder = larder.launch().user("ana");
    let client = larder.http("ana");
    for _ in 0..2 {
        for (limit, count, more) in
            [(1, 1, true), (29, 29, true), (30, 30, false), (9999, 30, false)]
        {
            let found = search(&client, &format!("q=name&limit={limit}"));
            assert_eq!(
                (found.paths().len(), &found.done["more"]),
                (count, &json!(more)),
                "{limit}"
            );
        }
        wait_for_list(&larder);
    }
}

#[test]
fn hidden_names_are_found_when_a_dot_begins_the_query() {
    let larder = Larder::prepare()
        .file(".config/app.toml", "")
        .file("src/.git/config", "")
        .file("src/config.rs", "")
        .file(".larder/config", "")
        .launch()
        .user("ana");
    let client = larder.http("ana");
    for _ in 0..2 {
        let found = search(&client, "q=config");
        assert_eq!((found.paths(), found.seen()), (set(&["src/config.rs"]), 2));
        assert_eq!(words(&client, ".config"), set(&[".config"]));
        assert_eq!(words(&client, ". config"), set(&[".config", "src/config.rs"]));
        let found = search(&client, "q=.g");
        assert_eq!((found.paths(), found.seen()), (set(&["src/.git"]), 6));
        assert_eq!(words(&client, ".*g/*"), set(&[".config/app.toml"]));
        // Somebody who is in a hidden folder sees what is in it.
        assert_eq!(paths(&client, "path=.config&q=app"), set(&[".config/app.toml"]));
        client.get("/api/search?q=a&path=.larder").expect_error(404, "Path does not exist");
        assert_eq!(words(&client, ".larder"), set(&[]));
        wait_for_list(&larder);
    }
}

#[test]
fn links_are_told_and_not_followed_and_odd_names_are_as_listed() {
    let larder = Larder::prepare().file("real/deep/target.txt", "12345").launch().user("ana");
    let root = larder.root();
    symlink("deep", root.join("real/link to target")).unwrap();
    symlink("/etc", root.join("out of target")).unwrap();
    symlink("..", root.join("real/deep/up target")).unwrap();
    symlink(larder.root().join("real"), root.join("way")).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"real/t\xe4rget \xff.txt")), "1").unwrap();
    let client = larder.http("ana");
    for _ in 0..2 {
        let found = search(&client, "q=target");
        let wanted =
            ["real/deep/target.txt", "real/link to target", "out of target", "real/deep/up target"];
        assert_eq!(found.paths(), set(&wanted));
        let kind =
            |path: &str| found.hits.iter().find(|hit| hit["path"] == path).unwrap()["type"].clone();
        assert_eq!(kind("out of target"), "other");
        assert_eq!(kind("real/link to target"), "folder");
        // By the name that was used.
        assert_eq!(
            paths(&client, "path=way/deep&q=target"),
            set(&["way/deep/target.txt", "way/deep/up target"])
        );
        client
            .get("/api/search?q=a&path=out%20of%20target")
            .expect_error(404, "Path does not exist");
        let odd = search(&client, "q=rget&type=file");
        let odd = odd.hits.iter().find(|hit| hit["raw"] == true).unwrap();
        assert_eq!(odd["path"], "real/%=t%E4rget %FF.txt");
        client.get_with("/api/download", "file_path", odd["path"].as_str().unwrap()).expect(200);
        wait_for_list(&larder);
    }
}

#[test]
fn a_list_is_kept_and_what_changes_behind_it_is_found() {
    let larder = Larder::prepare()
        .file("a/one old.txt", "")
        .file("a/b/two old.txt", "")
        .file("c/three old.txt", "")
        .launch()
        .user("ana");
    age(&larder, &["a/b", "a", "c"]);
    let (root, client) = (larder.root(), larder.http("ana"));
    let all = set(&["a/one old.txt", "a/b/two old.txt", "c/three old.txt"]);
    assert_eq!(words(&client, "old"), all);
    let first = wait_for_list(&larder);
    assert!(first.starts_with(b"LNAMES"));
    assert_eq!(words(&client, "old"), all);
    // Behind larder's back: new, renamed, removed, a whole folder moved.
    fs::write(root.join("a/four old.txt"), "").unwrap();
    fs::rename(root.join("a/b/two old.txt"), root.join("a/b/five old.txt")).unwrap();
    fs::remove_file(root.join("a/one old.txt")).unwrap();
    fs::rename(root.join("c"), root.join("a/moved")).unwrap();
    let now = set(&["a/four old.txt", "a/b/five old.txt", "a/moved/three old.txt"]);
    let found = search(&client, "q=old");
    assert_eq!((found.paths(), found.seen()), (now.clone(), 6));
    wait::until("the next list is kept", || wait_for_list(&larder) != first);
    assert_eq!(words(&client, "old"), now);
    // What larder is not told of is the content: that is looked at each time.
    fs::write(root.join("a/b/five old.txt"), "12345").unwrap();
    assert_eq!(paths(&client, "size_min=5"), set(&["a/b/five old.txt"]));
    assert_eq!(search(&client, "q=five").hits[0]["size"], 5);
}

#[test]
fn a_list_that_is_torn_or_made_up_changes_nothing() {
    let larder = Larder::prepare()
        .file("a/one.txt", "")
        .file("b/two.txt", "")
        .file("secret/three.txt", "")
        .launch()
        .user("ana")
        .user_with("eve", "user", r#"["a", "b"]"#, "[]");
    age(&larder, &["a", "b", "secret"]);
    let (client, eve) = (larder.http("ana"), larder.http("eve"));
    let all = set(&["a/one.txt", "b/two.txt", "secret/three.txt"]);
    assert_eq!(words(&client, "txt"), all);
    let list = wait_for_list(&larder);
    let place = larder.root().join(".larder/index/names");
    let mut lists =
        vec![Vec::new(), b"LNAMES".to_vec(), vec![0xFF; 10_000], list[..list.len() - 1].to_vec()];
    for at in 0..list.len() {
        let mut spoiled = list.clone();
        spoiled[at] ^= 0x10;
        lists.push(spoiled);
    }
    for list in lists.iter().step_by(7) {
        fs::write(&place, list).unwrap();
        assert_eq!(words(&client, "txt"), all);
        assert_eq!(words(&eve, "txt"), set(&["a/one.txt", "b/two.txt"]));
    }
    fs::remove_file(&place).unwrap();
    symlink("/dev/zero", &place).unwrap();
    assert_eq!(words(&client, "txt"), all);
    let _may_be_replaced = fs::remove_file(&place);
    let _may_be_there = fs::create_dir(&place);
    assert_eq!(words(&client, "txt"), all);
}

#[test]
fn what_one_may_not_read_is_neither_found_nor_counted() {
    let house = |with_secrets: bool| {
        let mut larder = Larder::prepare()
            .file("photos/anna/canary one.jpg", "")
            .file("photos/anna/x/canary two.jpg", "")
            .file("docs/shared/canary three.txt", "")
            .file("canary alone.txt", "12");
        if with_secrets {
            for number in 0..50 {
                larder = larder
                    .file(&format!("photos/ben/canary secret {number}"), "")
                    .file(&format!("docs/canary secret {number}"), "")
                    .file(&format!("canary secret {number}/canary"), "");
            }
        }
        let paths = r#"["photos/anna", "docs/shared", "canary alone.txt", "gone"]"#;
        larder.launch().user("ana").user_with("eve", "user", paths, "[]")
    };
    let (with, without) = (house(true), house(false));
    let wanted = set(&[
        "photos/anna/canary one.jpg",
        "photos/anna/x/canary two.jpg",
        "docs/shared/canary three.txt",
        "canary alone.txt",
    ]);
    for _ in 0..2 {
        let mut told = Vec::new();
        for larder in [&with, &without] {
            let eve = larder.http("eve");
            let found = search(&eve, "q=canary");
            assert_eq!(found.paths(), wanted);
            // The folders themselves that may be read can be found, those on the way cannot.
            assert_eq!(words(&eve, "shared"), set(&["docs/shared"]));
            assert_eq!(words(&eve, "docs"), set(&[]));
            let other = search(&eve, "q=nothing+at+all");
            let below = search(&eve, "path=photos&q=canary");
            assert_eq!(below.paths().len(), 2);
            told.push((found.done, other.done, below.done));
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0].0, json!({ "done": true, "seen": 7, "more": false }));
        with.http("eve").get("/api/search?q=a&path=photos/ben").expect_error(403, "Not permitted");
        with.http("eve").get("/api/search?q=a&path=nothing").expect_error(403, "Not permitted");
        // Somebody else's list has everything in it.
        assert_eq!(words(&with.http("ana"), "secret").len(), 150);
        words(&without.http("ana"), "secret");
        wait_for_list(&with);
        wait_for_list(&without);
    }
}

#[test]
fn a_key_finds_what_it_is_narrowed_to_and_only_by_its_door() {
    let larder = Larder::prepare().file("a/x.txt", "").file("b/x.txt", "").launch().user("ana");
    let signed_in = larder.session("ana");
    let (_, key) = signed_in.make_key(json!({ "label": "k", "path": "a" }));
    let narrowed = larder.anonymous().with("X-API-KEY", &key);
    let found = search(&narrowed, "q=x");
    assert_eq!((found.paths(), found.seen()), (set(&["a/x.txt"]), 2));
    narrowed.get("/api/search?q=x&path=b").expect_error(403, "Not permitted");
    let (_, key) = signed_in.make_key(json!({ "label": "d", "doors": ["dav"] }));
    larder
        .anonymous()
        .with("X-API-KEY", &key)
        .get("/api/search?q=x")
        .expect_error(403, "Not permitted");
}

#[test]
fn what_any_door_changes_is_found_at_once() {
    let larder = Larder::prepare()
        .file("from/old name.txt", "")
        .file("from/tree/leaf name.txt", "")
        .launch()
        .user("ana");
    age(&larder, &["from", "from/tree"]);
    let client = larder.http("ana");
    assert_eq!(words(&client, "name"), set(&["from/old name.txt", "from/tree/leaf name.txt"]));
    wait_for_list(&larder);
    client.upload(&Form::new().field("path", "new/deep").file("sent name.txt", "1")).expect(200);
    assert!(words(&client, "name").contains("new/deep/sent name.txt"));
    let rename =
        json!({ "path": "from", "file_name": "old name.txt", "new_name": "other name.txt" });
    client.post("/api/rename_file", rename).expect(200);
    client.post("/api/create_folder", json!({ "folder_name": "to name" })).expect(200);
    client.post("/api/move", json!({ "paths": ["from/tree"], "to": "to name" })).expect(200);
    client.post("/api/copy", json!({ "paths": ["to name/tree"], "to": "new" })).expect(200);
    let wanted = [
        "new/deep/sent name.txt",
        "from/other name.txt",
        "to name",
        "to name/tree/leaf name.txt",
        "new/tree/leaf name.txt",
    ];
    assert_eq!(words(&client, "name"), set(&wanted));
    Dav::by_password(&larder, "ana").put("/dav/dav%20name.txt", "x").expect(201);
    assert!(words(&client, "name").contains("dav name.txt"));
    client.post("/api/delete", json!({ "paths": ["to name", "new", "dav name.txt"] })).expect(200);
    assert_eq!(words(&client, "name"), set(&["from/other name.txt"]));
    // Neither the trash nor what larder keeps is found.
    assert_eq!(words(&client, "."), set(&["from/other name.txt"]));
}

#[test]
fn no_list_is_kept_when_the_settings_say_so() {
    let larder = Larder::prepare().file("a/one.txt", "").launch().user("ana").admin("root");
    let (client, admin) = (larder.http("ana"), larder.http("root"));
    assert_eq!(words(&client, "one"), set(&["a/one.txt"]));
    wait_for_list(&larder);
    admin.post("/api/update_settings", json!({ "search_index": 1 })).expect_refusal(400);
    admin.post("/api/update_settings", json!({ "search_index": false })).expect(200);
    let place = larder.root().join(".larder/index/names");
    wait::until("the list is removed", || !place.exists());
    assert_eq!(words(&client, "one"), set(&["a/one.txt"]));
    assert!(!place.exists());
    admin.post("/api/update_settings", json!({ "search_index": true })).expect(200);
    assert_eq!(words(&client, "one"), set(&["a/one.txt"]));
    wait_for_list(&larder);
}

#[test]
fn a_drive_in_the_share_has_a_list_of_its_own_and_one_that_takes_no_writes_none() {
    if !mounts_are_given() {
        return;
    }
    let larder = Larder::prepare().file("usb/below.txt", "").file("here.txt", "");
    fs::create_dir(larder.root().join("fixed")).unwrap();
    let larder = launch_within(
        larder,
        r#"mount -t tmpfs usb usb && mkdir usb/in && touch usb/in/there.txt &&
           mount -t tmpfs fixed fixed && touch fixed/still.txt && mount -o remount,ro fixed &&
           exec "$@""#,
    )
    .user("ana");
    let client = larder.http("ana");
    let all = set(&["usb/in/there.txt", "here.txt", "fixed/still.txt"]);
    for _ in 0..3 {
        assert_eq!(words(&client, "*.txt"), all);
        assert_eq!(paths(&client, "path=usb&q=txt"), set(&["usb/in/there.txt"]));
    }
    wait_for_list(&larder);
    assert!(!larder.root().join("usb/.larder").exists(), "what is below the mount is left alone");
}

#[test]
fn a_newer_search_ends_the_older_and_there_are_four_in_all() {
    let mut larder = Larder::prepare();
    let folder = larder.root().join("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..6000 {
        // Each of these letters takes six bytes in JSON: no buffer on the way holds it all.
        fs::write(folder.join(format!("x{number:05}{}", "\u{1}".repeat(249))), "").unwrap();
    }
    larder = larder.launch();
    for name in ["a", "b", "c", "d", "e"] {
        larder = larder.user(name);
    }
    // Whoever does not read keeps a search going: the answer is longer than what waits on its way.
    let hang = |name: &str| -> Wire {
        let mut wire = larder.wire();
        let key = larder.key(name);
        wire.send(format!(
            "GET /api/search?q=x&limit=5000 HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
        ));
        wire
    };
    let mut waiting = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut wire = hang(name);
        // Whoever is answered has a place.
        assert_eq!(wire.status(), 200, "{name}");
        waiting.push(wire);
    }
    let refused = larder.http("e").get("/api/search?q=nothing").expect_refusal(429);
    assert!(refused.header("Retry-After").is_some());
    // One's own older search makes room.
    assert_eq!(words(&larder.http("a"), "nothing"), set(&[]));
    assert_eq!(words(&larder.http("e"), "nothing"), set(&[]));
    // Whoever goes makes room, too.
    drop(waiting);
    wait::until("they have ended", || {
        ["a", "b", "c", "d", "e"]
            .iter()
            .all(|name| larder.http(name).get("/api/search?q=nothing").status == 200)
    });
}

#[test]
fn large_and_deep_trees_are_searched_whole() {
    let larder = Larder::prepare();
    let root = larder.root();
    for outer in 0..100 {
        for inner in 0..10 {
            let folder = root.join(format!("{outer:03}/{inner}"));
            fs::create_dir_all(&folder).unwrap();
            let first = folder.join("leaf 000.txt");
            fs::write(&first, "").unwrap();
            for leaf in 1..97 {
                fs::hard_link(&first, folder.join(format!("leaf {leaf:03}.txt"))).unwrap();
            }
        }
    }
    let deep: Vec<String> = (0..150).map(|level| format!("level {level}")).collect();
    fs::create_dir_all(root.join(deep.join("/"))).unwrap();
    fs::write(root.join(deep.join("/")).join("bottom.txt"), "").unwrap();
    let larder = larder.launch().user("ana");
    let client = larder.http("ana");
    let bottom = format!("{}/bottom.txt", deep.join("/"));
    for _ in 0..3 {
        let found = search(&client, "q=bottom");
        assert_eq!(found.paths(), set(&[&bottom]));
        assert_eq!(found.seen(), 100 + 1000 + 97_000 + 151);
        assert_eq!(found.done["more"], false);
        wait_for_list(&larder);
    }
    assert_eq!(words(&client, "096 /098/").len(), 10);
    assert!(wait_for_list(&larder).len() < 100_000 * 22);
}
