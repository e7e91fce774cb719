//! Photos: second contract, section 19.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::harness::client::{Client, encode};
use crate::harness::{Larder, wait};

#[path = "../src/picture/facts/made.rs"]
mod made;

use made::{Exif, Film};

/// A larder where Ana may read and write everything.
fn house() -> Larder {
    Larder::start().user("ana")
}

/// A picture taken at a time.
fn jpeg(taken: &str) -> Vec<u8> {
    let exif = Exif { orientation: 6, taken: Some(taken), place: Some((48.5, 2.25)), pixels: None };
    made::jpeg((4000, 3000), Some(exif))
}

/// A film made at a time.
fn film(made_s: i64) -> Vec<u8> {
    let (pixels, place) = ((1920, 1080), Some("+48.5+002.25/"));
    made::film(Film {
        made_s,
        duration_ms: 12_345,
        pixels,
        is_lying: false,
        place,
        before: 100_000,
    })
}

/// Looks through a folder, and waits for the end.
fn scan(client: &Client, path: &str) {
    let started = client.post("/api/photos/scan", json!({ "path": path })).expect_status("Started");
    let id = started["job"].as_str().unwrap().to_owned();
    let mut job = Value::Null;
    wait::until("the scan ends", || {
        let jobs = client.get("/api/jobs").expect(200).json();
        let found = jobs.as_array().unwrap().iter().find(|job| job["id"] == id.as_str());
        job = found.unwrap().clone();
        job["state"] != "running"
    });
    assert_eq!((&job["state"], &job["kind"]), (&json!("done"), &json!("photos")), "{job}");
    assert_eq!(job["done_items"], job["total_items"], "{job}");
}

/// The months in and below a folder: how many pictures each has, and whether that is all.
fn months(client: &Client, path: &str) -> (BTreeMap<String, u64>, bool) {
    let answer = client.get(&format!("/api/photos?path={}", encode(path))).expect(200).json();
    let rows = answer["months"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["month"].as_str().unwrap()).collect();
    assert!(names.is_sorted_by(|one, other| one > other), "newest first: {names:?}");
    let counts: BTreeMap<String, u64> = rows
        .iter()
        .map(|row| (row["month"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(answer["scanned"].as_u64().unwrap(), counts.values().sum::<u64>());
    (counts, answer["complete"].as_bool().unwrap())
}

/// The pictures of a month.
fn items(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/photos?{query}")).expect(200).json();
    answer["items"].as_array().unwrap().clone()
}

/// Their paths.
fn paths(client: &Client, query: &str) -> Vec<String> {
    items(client, query).iter().map(|item| item["path"].as_str().unwrap().to_owned()).collect()
}

/// The notes on a drive, by name.
fn notes(root: PathBuf) -> BTreeMap<String, Vec<u8>> {
    let Ok(folder) = fs::read_dir(root.join(".larder/index/photos")) else {
        return BTreeMap::new();
    };
    folder
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// Gives a file a time of modification.
fn date(larder: &Larder, path: &str, unix_s: u64) {
    let file = fs::File::options().write(true).open(larder.root().join(path)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(unix_s)).unwrap();
}

#[test]
fn months_and_items_tell_what_the_contract_says() {
    let larder = Larder::prepare()
        .file("a/one.jpg", jpeg("2024:08:03 12:34:56"))
        .file("b/two.JPG", jpeg("2024:08:04 00:00:00"))
        .file("b/c/film.mp4", film(1_722_000_000))
        .file("plain.png", made::png((40, 30), None))
        .file("notes.txt", "no picture")
        .launch_with(|command| {
            command.env("TZ", "Asia/Tokyo");
        })
        .user("ana");
    date(&larder, "plain.png", 1_700_000_000);
    let client = larder.http("ana");
    assert_eq!(months(&client, ""), (BTreeMap::new(), false), "nothing was looked at yet");
    scan(&client, "");
    let wanted =
        BTreeMap::from([("2023-11".into(), 1), ("2024-07".into(), 1), ("2024-08".into(), 2)]);
    assert_eq!(months(&client, ""), (wanted, true));
    let both = items(&client, "month=2024-08");
    assert_eq!(both[0]["path"], "b/two.JPG");
    let one = &both[1];
    let download = client.head("/api/download?file_path=a/one.jpg").expect(200);
    let etag = download.header("ETag").unwrap().trim_matches('"').to_owned();
    let listed =
        client.get("/api/finder?path=a&details=1").expect(200).json()["entries"][0].clone();
    assert_eq!(
        *one,
        json!({
            "path": "a/one.jpg", "type": "image", "taken": "2024-08-03T12:34:56", "taken_from": "exif",
            "width": 3000, "height": 4000, "size": listed["size"], "modified": listed["modified"],
            "mime": "image/jpeg", "etag": etag,
        })
    );
    let film = &items(&client, "month=2024-07")[0];
    // 2024-07-26T13:20:00Z, nine hours east.
    assert_eq!(film["taken"], "2024-07-26T22:20:00");
    assert_eq!((&film["taken_from"], &film["type"]), (&json!("film"), &json!("video")));
    assert_eq!((&film["width"], &film["height"]), (&json!(1920), &json!(1080)));
    assert_eq!((&film["duration"], &film["mime"]), (&json!(12.345), &json!("video/mp4")));
    let plain = &items(&client, "month=2023-11")[0];
    assert_eq!(
        (&plain["taken"], &plain["taken_from"]),
        (&json!("2023-11-15T07:13:20"), &json!("file"))
    );
    assert!(plain.get("duration").is_none() && plain.get("pair").is_none());
    // Below a folder.
    assert_eq!(paths(&client, "month=2024-08&path=b"), ["b/two.JPG"]);
    assert_eq!(months(&client, "b/c").0.len(), 1);
    // Where they were taken is told to whoever asks for it.
    let placed = &items(&client, "month=2024-08&place=1")[1];
    assert_eq!((&placed["lat"], &placed["lon"]), (&json!(48.5), &json!(2.25)));
    assert!(items(&client, "month=2024-08&place=0")[1].get("lat").is_none());
}

#[test]
fn wrong_questions_are_refused_in_order() {
    let larder = house().file("a.jpg", jpeg("2024:08:03 12:34:56"));
    let client = larder.http("ana");
    for month in ["", "2024", "2024-13", "2024-8", "x", "2024-08-01"] {
        client.get(&format!("/api/photos?month={month}")).expect_error(400, "Invalid month");
    }
    client.get("/api/photos?month=2024-08&limit=0").expect_refusal(400);
    client.get("/api/photos?month=2024-08&after=x").expect_refusal(400);
    client.get("/api/photos?path=nowhere").expect_error(404, "Path does not exist");
    client.get("/api/photos?path=a.jpg").expect_error(400, "Path is not a folder");
    client.get("/api/photos?path=../x").expect_error(400, "Invalid path");
    client.get("/api/photos?path=.larder").expect_refusal(404);
    client
        .post("/api/photos/scan", json!({ "path": "nowhere" }))
        .expect_error(404, "Path does not exist");
    client.post("/api/photos/scan", json!({ "path": 1 })).expect_refusal(400);
    larder.anonymous().get("/api/photos").expect_error(401, "Unauthorized");
    larder.anonymous().post("/api/photos/scan", json!({})).expect_error(401, "Unauthorized");
}
