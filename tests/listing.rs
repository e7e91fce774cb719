//! What a folder shows.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::Larder;

/// The entry of this name.
#[track_caller]
fn entry(answer: &Value, name: &str) -> Value {
    let entries = answer["entries"].as_array().expect("entries");
    entries
        .iter()
        .find(|entry| entry["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {answer}"))
        .clone()
}

#[test]
fn a_folder_shows_its_names_sorted_hidden_ones_included() {
    let larder = Larder::start()
        .user("ana")
        .file("b.txt", "B")
        .file("a.txt", "A")
        .file(".hidden", "H")
        .folder("c")
        .file("c/inner.txt", "I");
    let ana = larder.http("ana");
    for target in [
        "/api/finder",
        "/api/finder?path=",
        "/api/finder?path=/",
        "/api/finder?path=.",
        "/api/finder?path=%2F&x=1",
    ] {
        let json = ana.get(target).expect(200).json();
        assert_eq!(json, json!({ "items": [".hidden", "a.txt", "b.txt", "c"] }), "{target}");
    }
    assert_eq!(ana.get("/api/finder?path=c").expect(200).json()["items"], json!(["inner.txt"]));
    assert_eq!(ana.get("/api/finder?path=/c/").expect(200).json()["items"], json!(["inner.txt"]));
    assert!(ana.get("/api/finder?details=0").expect(200).json().get("entries").is_none());
}

#[test]
fn an_empty_folder_shows_nothing() {
    let larder = Larder::start().user("ana").folder("empty");
    let ana = larder.http("ana");
    assert_eq!(ana.get("/api/finder").expect(200).json()["items"], json!(["empty"]));
    let json = ana.get("/api/finder?path=empty&details=1").expect(200).json();
    assert_eq!(json, json!({ "items": [], "entries": [] }));
}

#[test]
fn details_say_what_each_entry_is() {
    let larder = Larder::start()
        .user("ana")
        .file("a.txt", "12345")
        .folder("docs")
        .file("b.JPG", "")
        .file("c", "x");
    let file = File::options().write(true).open(larder.root().join("a.txt")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(1_700_000_000_987)).unwrap();
    let answer = larder.http("ana").get("/api/finder?details=1").expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let json = answer.json();
    assert_eq!(json["items"], json!(["a.txt", "b.JPG", "c", "docs"]));
    let a = entry(&json, "a.txt");
    assert_eq!((a["type"].as_str(), a["size"].as_u64()), (Some("file"), Some(5)));
    assert_eq!((a["mime"].as_str(), a["writable"].as_bool()), (Some("text/plain"), Some(true)));
    assert!(a["modified"].as_str().unwrap().starts_with("2023-11-14T22:13:20"), "{a}");
    assert!(a["modified"].as_str().unwrap().ends_with('Z'), "{a}");
    assert_eq!(entry(&json, "b.JPG")["mime"], "image/jpeg");
    assert_eq!(entry(&json, "c")["mime"], "application/octet-stream");
    let download = larder.http("ana").get("/api/download?file_path=b.JPG").expect(200);
    let tag = entry(&json, "b.JPG")["etag"].as_str().unwrap().to_owned();
    assert_eq!(download.header("ETag"), Some(&*format!("\"{tag}\"")), "of what may be pictured");
    assert!(entry(&json, "c").get("etag").is_none(), "of nothing else: {json}");
    assert_eq!(entry(&json, "docs")["type"], "folder");
    let names: Vec<&Value> =
        json["entries"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(json!(names), json["items"]);
}

#[test]
fn times_before_1970_and_far_away_do_no_harm() {
    let larder = Larder::start().user("ana").file("old.txt", "").file("new.txt", "");
    let set = |name: &str, time| {
        File::options().write(true).open(larder.root().join(name)).unwrap().set_modified(time)
    };
    set("old.txt", UNIX_EPOCH - Duration::from_hours(24)).unwrap();
    set("new.txt", UNIX_EPOCH + Duration::from_hours(24 * 365 * 300)).unwrap();
    let ana = larder.http("ana");
    let json = ana.get("/api/finder?details=1").expect(200).json();
    for name in ["old.txt", "new.txt"] {
        assert!(entry(&json, name)["modified"].as_str().unwrap().ends_with('Z'));
        ana.get(&format!("/api/download?file_path={name}")).expect(200);
    }
    ana.get("/api/download?file_path=").expect(200);
}

#[test]
fn what_is_neither_file_nor_folder_is_other() {
    let larder = Larder::start()
        .user("ana")
        .file("real.txt", "real")
        .folder("folder")
        .link("to file", "real.txt")
        .link("to folder", "folder")
        .link("dangling", "nowhere")
        .link("loop", "loop")
        .link("escaping", "/etc/passwd")
        .link("up", "..");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(larder.root().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let _socket = UnixListener::bind(larder.root().join("socket")).unwrap();
    let json = larder.http("ana").get("/api/finder?details=1").expect(200).json();
    for name in ["dangling", "loop", "escaping", "up", "pipe", "socket"] {
        assert_eq!(entry(&json, name)["type"], "other", "{name}");
    }
    assert_eq!(entry(&json, "to file")["type"], "file");
    assert_eq!(entry(&json, "to file")["size"], 4);
    assert_eq!(entry(&json, "to folder")["type"], "folder");
}

#[test]
fn listing_refuses_what_is_no_folder() {
    let larder = Larder::start().user("ana").file("a.txt", "A").link("dangling", "nowhere");
    let ana = larder.http("ana");
    ana.get("/api/finder?path=a.txt").expect_error(400, "Path is not a folder");
    ana.get("/api/finder?path=missing").expect_error(404, "Path does not exist");
    ana.get("/api/finder?path=dangling").expect_error(404, "Path does not exist");
    ana.get("/api/finder?path=a.txt/b").expect_refusal(404);
    ana.get("/api/finder?path=..").expect_error(400, "Invalid path");
    ana.get("/api/finder?path=%ff%fe").expect_error(400, "Invalid path");
    ana.get("/api/finder?path=a%00").expect_error(400, "Invalid path");
}

#[test]
fn names_that_are_not_utf8_do_not_break_a_listing() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").file("docs/z.txt", "Z");
    let folder = larder.root().join("docs");
    for name in [b"b\xff.txt".as_slice(), b"\xfe\xff", b"\xc3"] {
        fs::write(folder.join(OsStr::from_bytes(name)), "odd").unwrap();
    }
    fs::create_dir(folder.join(OsStr::from_bytes(b"d\xff"))).unwrap();
    let ana = larder.http("ana");
    for target in ["/api/finder?path=docs", "/api/finder?path=docs&details=1"] {
        let json = ana.get(target).expect(200).json();
        let items = json["items"].as_array().unwrap();
        assert!(items.contains(&json!("a.txt")) && items.contains(&json!("z.txt")), "{json}");
    }
    ana.get("/api/download?file_path=docs").expect(200);
    ana.post("/api/delete_folder", json!({ "path": "docs" })).expect_status("Folder deleted");
    assert!(larder.tree().is_empty());
}

#[test]
fn twenty_thousand_entries_are_all_shown_in_order() {
    let larder = Larder::start().user("ana").folder("many");
    let folder = larder.root().join("many");
    for number in 0..20_000 {
        File::create(folder.join(format!("entry number {number:06}.txt"))).unwrap();
    }
    let json = larder.http("ana").get("/api/finder?path=many&details=1").expect(200).json();
    let items = json["items"].as_array().unwrap();
    let entries = json["entries"].as_array().unwrap();
    assert_eq!((items.len(), entries.len()), (20_000, 20_000));
    for (number, (item, entry)) in items.iter().zip(entries).enumerate() {
        assert_eq!(*item, format!("entry number {number:06}.txt"));
        assert_eq!(*item, entry["name"]);
    }
}

#[test]
fn a_folder_that_changes_while_it_is_listed_gives_whole_answers() {
    let larder = Larder::start().user("ana").folder("busy").file("busy/always.txt", "A");
    let folder = larder.root().join("busy");
    let ana = larder.http("ana");
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for number in 0..3000 {
                let path = folder.join(format!("f{}", number % 50));
                if fs::remove_file(&path).is_err() {
                    fs::write(&path, "x").unwrap();
                }
            }
        });
        let mut count = 0;
        while !changing.is_finished() || count < 5 {
            let json = ana.get("/api/finder?path=busy&details=1").expect(200).json();
            assert_eq!(json["items"][0], "always.txt", "{json}");
            count += 1;
        }
    });
}
