//! A crash at any moment: acknowledged writes are there, nothing is half-written, nothing stays.
//!
//! Several servers are killed in turn, 200 times in all, while several writers each work on files
//! of their own. So each writer knows what its files may hold: what was acknowledged last, or what
//! was under way. What was ever acknowledged and then replaced or deleted is in the trash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Form, Larder, Wire, wait};

/// Servers that are killed side by side.
const SERVERS: u64 = 4;

/// How often each of them is.
const KILLS_PER_SERVER: u64 = 50;

/// Writers at one server.
const WRITERS: usize = 4;

/// The latest moment of a kill after the writers began, in microseconds.
const LATEST_MOMENT_US: u64 = 60_000;

/// How long what a crash left may lie about (contract, section 2).
const SWEEP_TIME: Duration = Duration::from_secs(10);

/// The next number of a seeded row (splitmix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The content of one version: its number, so often that a part of it or a mix would show.
fn content(version: u64) -> String {
    let lines = 1 + usize::try_from(version * 37 % 2000).unwrap();
    format!("version {version:08}\n").repeat(lines) + &format!("end of {version:08}")
}

/// What one writer knows of its own files.
#[derive(Default)]
struct Writer {
    /// The last version it tried.
    version: u64,
    /// What each file may hold: `None` when it may be missing.
    files: BTreeMap<String, Vec<Option<u64>>>,
    /// Every version that was acknowledged, with its file.
    stored: BTreeSet<(String, u64)>,
}

impl Writer {
    /// Writes until the server is gone.
    fn work(&mut self, number: usize, port: u16, key: &str, is_over: &AtomicBool) {
        let Some(mut wire) = Wire::try_open(port) else { return };
        while !is_over.load(Ordering::Relaxed) {
            self.version += 1;
            let version = self.version;
            let (request, paths) = Self::request(number, version, key);
            let becomes = (version % 4 != 3).then_some(version);
            for path in &paths {
                self.files.entry(path.clone()).or_insert_with(|| vec![None]).push(becomes);
            }
            if !wire.try_send(&request) {
                return;
            }
            let Some(answer) = wire.try_answer(false) else { return };
            // What is to be deleted may have gone before the last crash.
            assert!(answer.status == 200 || becomes.is_none() && answer.status == 404, "{answer}");
            for path in paths {
                self.stored.extend(becomes.map(|version| (path.clone(), version)));
                self.files.insert(path, vec![becomes]);
            }
        }
    }

    /// One request, and the files that it writes: an edit, an upload of one or of two files, a deletion.
    fn request(number: usize, version: u64, key: &str) -> (Vec<u8>, Vec<String>) {
        let text = content(version);
        let folder = format!("w{number}");
        let (target, content_type, body, paths) = match version % 4 {
            0 => {
                let path = format!("{folder}/edited");
                let ask = serde_json::json!({ "path": path, "file_content": text });
                (
                    "/api/edit_file",
                    "application/json".to_owned(),
                    ask.to_string().into_bytes(),
                    vec![path],
                )
            }
            1 => {
                // Now and then into a folder that is made for it.
                let is_new = version % 16 == 1;
                let folder = if is_new { format!("{folder}/n{version}") } else { folder };
                let form = Form::new().field("path", &folder).file("uploaded", &text);
                (
                    "/api/upload",
                    Form::content_type(),
                    form.body(),
                    vec![format!("{folder}/uploaded")],
                )
            }
            3 => {
                let name = ["edited", "uploaded", "one"][usize::try_from(version / 4 % 3).unwrap()];
                let path = format!("{folder}/{name}");
                let ask = serde_json::json!({ "path": path }).to_string();
                ("/api/delete_file", "application/json".to_owned(), ask.into_bytes(), vec![path])
            }
            _ => {
                let form = Form::new().field("path", &folder).file("one", &text).file("two", &text);
                let paths = vec![format!("{folder}/one"), format!("{folder}/two")];
                ("/api/upload", Form::content_type(), form.body(), paths)
            }
        };
        let mut request = Vec::with_capacity(body.len() + 300);
        write!(
            request,
            "POST {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        request.extend(body);
        (request, paths)
    }

    /// Demands that its files hold what they may; if that is for good, learns what they do hold. Before the next
    /// start a group that was cut off may still be taken back.
    fn check(&mut self, larder: &Larder, is_for_good: bool, when: &str) {
        for (path, may_hold) in &mut self.files {
            let found = larder.exists(path).then(|| larder.read(path));
            let version = may_hold.iter().copied().find(|version| version.map(content) == found);
            let shown = found.as_ref().map(|text| (text.len(), &text[..text.len().min(40)]));
            assert!(version.is_some(), "{when}: {path} is {shown:?} and may be {may_hold:?}");
            if is_for_good {
                *may_hold = version.into_iter().collect();
            }
        }
    }

    /// Demands that each version that was acknowledged is in its place or in the trash, and that nothing
    /// lies in the trash that never was in a place.
    fn check_trash(&mut self, trash: &BTreeSet<(String, u64)>, when: &str) {
        for (path, may_hold) in &self.files {
            for version in may_hold.iter().flatten() {
                // What was under way when the server was killed came to pass.
                self.stored.insert((path.clone(), *version));
            }
        }
        for (path, version) in &self.stored {
            let is_in_place =
                self.files.get(path).is_some_and(|held| held.contains(&Some(*version)));
            let is_there = is_in_place || trash.contains(&(path.clone(), *version));
            assert!(is_there, "{when}: version {version} of {path} is lost");
        }
    }
}

/// The versions in the trash, each with the file that it was of.
fn trash(larder: &Larder, when: &str) -> BTreeSet<(String, u64)> {
    let told = larder.http("ana").get("/api/trash").expect(200).json();
    let mut names = BTreeSet::new();
    let mut found = BTreeSet::new();
    for item in told.as_array().unwrap() {
        let text = |key: &str| item[key].as_str().unwrap().to_owned();
        let whole = larder.read(&format!(".larder/trash/{}", text("id")));
        let version = whole.rsplit_once(' ').and_then(|(_, number)| number.parse().ok());
        let version: u64 =
            version.unwrap_or_else(|| panic!("{when}: {item} is {} bytes", whole.len()));
        assert!(whole == content(version), "{when}: {item} is not version {version}");
        assert_eq!(item["by"], "ana", "{when}");
        found.insert((text("path"), version));
        names.extend([text("id"), text("id") + ".json"]);
    }
    // And nothing lies there of which nobody knows.
    let lies = fs::read_dir(larder.root().join(".larder/trash")).unwrap();
    let lies: BTreeSet<String> =
        lies.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(lies, names, "{when}");
    found
}

/// Kills one server again and again.
fn crash(mut seed: u64) {
    // So many that none of what is looked for goes because it is too old.
    let settings = serde_json::json!({ "versions_max": 1000 });
    let mut larder = Larder::prepare().settings(&settings).launch().user("ana");
    for writer in 0..WRITERS {
        larder = larder.folder(&format!("w{writer}"));
    }
    let mut writers: Vec<Writer> = (0..WRITERS).map(|_| Writer::default()).collect();
    let mut acknowledged = 0;
    for round in 0..KILLS_PER_SERVER {
        let moment = Duration::from_micros(next(&mut seed) % LATEST_MOMENT_US);
        let when = format!("seed {seed:#x}, kill {round} after {moment:?}");
        let is_over = AtomicBool::new(false);
        let (port, key) = (larder.port(), larder.key("ana").to_owned());
        std::thread::scope(|scope| {
            for (number, writer) in writers.iter_mut().enumerate() {
                let (is_over, key) = (&is_over, &key);
                scope.spawn(move || writer.work(number, port, key, is_over));
            }
            // This waits for no condition: the moment itself is what the test is about.
            std::thread::sleep(moment);
            larder.kill();
            is_over.store(true, Ordering::Relaxed);
        });
        for writer in &mut writers {
            writer.check(&larder, false, &when);
        }
        let started = Instant::now();
        larder.restart();
        let is_tidy = wait::comes_true(SWEEP_TIME, || larder.unfinished() == 0);
        assert!(is_tidy, "{when}: left after {:?}", started.elapsed());
        for writer in &mut writers {
            writer.check(&larder, true, &when);
        }
        let trash = trash(&larder, &when);
        for writer in &mut writers {
            writer.check_trash(&trash, &when);
        }
        let known = |path: &String| {
            let folder_or_file =
                path.ends_with('/') || writers.iter().any(|writer| writer.files.contains_key(path));
            folder_or_file && path.starts_with('w')
        };
        let tree = larder.tree();
        assert!(tree.iter().all(known), "{when}: {tree:?}");
        // No folder was made for nothing.
        let is_made = |path: &&String| path.ends_with('/') && path.contains("/n");
        for folder in tree.iter().filter(is_made) {
            assert!(tree.contains(&format!("{folder}uploaded")), "{when}: {folder} is empty");
        }
        acknowledged = writers.iter().map(|writer| writer.version).sum();
    }
    // Otherwise nothing was tested.
    assert!(acknowledged > KILLS_PER_SERVER, "only {acknowledged} writes");
    larder.stop();
    larder.restart();
    larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn two_hundred_crashes_lose_nothing_and_leave_nothing() {
    let seed = 0x1a2d_e200_0000_0023;
    std::thread::scope(|scope| {
        for server in 0..SERVERS {
            scope.spawn(move || crash(seed + server));
        }
    });
}
