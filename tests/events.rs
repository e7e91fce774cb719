//! `GET /api/events`: what happens is told as it happens, to whom it concerns.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Form, Larder, Wire, encode, wait};

/// One event.
#[derive(Debug, PartialEq)]
struct Event {
    /// Its number.
    id: u64,
    /// `change`, ...
    name: String,
    /// What it says.
    data: Value,
}

/// A stream of events over a bare connection.
pub struct Stream {
    /// The connection.
    wire: Wire,
    /// Text that came and was not looked at yet.
    text: String,
}

impl Stream {
    /// Asks with one more header line; demands the stream's head and `hello`.
    #[track_caller]
    fn open(larder: &Larder, header: &str, query: &str) -> Self {
        Self::open_to(larder, header, query, true)
    }

    /// The same where not all folders may be followed.
    #[track_caller]
    fn open_to(larder: &Larder, header: &str, query: &str, is_complete: bool) -> Self {
        let mut stream = Self { wire: ask(larder, header, query), text: String::new() };
        let head = stream.wire.try_answer(true).expect("a head");
        assert_eq!(head.status, 200, "{head}");
        assert_eq!(head.header("Content-Type"), Some("text/event-stream"), "{head}");
        assert_eq!(head.header("Cache-Control"), Some("no-store"), "{head}");
        let hello = stream.next();
        assert_eq!(
            (hello.name.as_str(), &hello.data),
            ("hello", &json!({ "complete": is_complete }))
        );
        stream
    }

    /// The stream of a user with an API key.
    #[track_caller]
    pub fn of(larder: &Larder, name: &str, query: &str) -> Self {
        Self::open(larder, &format!("X-API-KEY: {}", larder.key(name)), query)
    }

    /// The next event; `None` at the end.
    fn try_next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                // Comments and `retry` are no events.
                let Some(name) = field("event") else { continue };
                let data = serde_json::from_str(field("data").expect("data")).expect("JSON");
                let id = field("id").expect("an id").parse().expect("a number");
                return Some(Event { id, name: name.to_owned(), data });
            }
            let more = self.more()?;
            self.text.push_str(&more);
        }
    }

    /// The next chunk; `None` at the end.
    fn more(&mut self) -> Option<String> {
        let size = usize::from_str_radix(self.wire.line()?.trim(), 16).expect("a chunk size");
        let bytes = self.wire.take(size)?;
        self.wire.take(2)?;
        (size > 0).then(|| String::from_utf8(bytes).expect("UTF-8"))
    }

    /// The next event but those that come by the clock.
    #[track_caller]
    fn next(&mut self) -> Event {
        loop {
            let event = self.try_next().expect("an event, not the end");
            if event.name != "resources" {
                return event;
            }
        }
    }

    /// What the next event of this name says.
    #[track_caller]
    fn next_of(&mut self, name: &str) -> Value {
        loop {
            let event = self.try_next().expect("an event, not the end");
            if event.name == name {
                return event.data;
            }
        }
    }

    /// The path of the next event, which must be a `change`.
    #[track_caller]
    fn change(&mut self) -> String {
        let event = self.next();
        assert_eq!(event.name, "change", "{event:?}");
        event.data["path"].as_str().expect("a path").to_owned()
    }

    /// Reads until a change in this folder is told; gives all that came, it included.
    #[track_caller]
    pub fn changes_until(&mut self, path: &str) -> Vec<String> {
        let mut paths = Vec::new();
        while paths.last().is_none_or(|last| last != path) {
            paths.push(self.change());
        }
        paths
    }

    /// Reads to the end; demands that it comes soon.
    #[track_caller]
    fn expect_end(&mut self) {
        let since = Instant::now();
        while self.try_next().is_some() {}
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    }
}

/// Sends the request.
fn ask(larder: &Larder, header: &str, query: &str) -> Wire {
    let mut wire = larder.wire();
    wire.send(format!("GET /api/events{query} HTTP/1.1\r\nHost: larder\r\n{header}\r\n\r\n"));
    wire
}

/// Asks for a stream and expects a refusal.
#[track_caller]
fn refused(larder: &Larder, name: &str, query: &str) -> Answer {
    ask(larder, &format!("X-API-KEY: {}", larder.key(name)), query).answer()
}

/// Uploads one file.
#[track_caller]
fn upload(client: &Client, folder: &str, name: &str) {
    client.upload(&Form::new().field("path", folder).file(name, "X")).expect(200);
}

#[test]
fn every_kind_of_change_is_told_with_its_folder() {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").folder("docs/deep/er");
    let ana = larder.http("ana");
    let mut stream = Stream::of(&larder, "ana", "");
    upload(&ana, "docs", "b.txt");
    stream.changes_until("docs");
    ana.post("/api/new_file", json!({ "path": "docs/deep", "file_name": "n", "file_content": "" }))
        .expect(200);
    stream.changes_until("docs/deep");
    ana.post("/api/edit_file", json!({ "path": "docs/deep/er/e", "file_content": "E" }))
        .expect(200);
    stream.changes_until("docs/deep/er");
    ana.post("/api/create_folder", json!({ "folder_name": "new" })).expect(200);
    assert!(stream.changes_until("new").contains(&String::new()));
    // The new folder is followed, too.
    upload(&ana, "new", "c.txt");
    stream.changes_until("new");
    ana.post("/api/rename_file", json!({ "path": "new", "file_name": "c.txt", "new_name": "d" }))
        .expect(200);
    stream.changes_until("new");
    ana.post("/api/rename_folder", json!({ "folder_name": "docs", "new_name": "papers" }))
        .expect(200);
    let told = stream.changes_until("papers/deep/er");
    assert!(told.contains(&String::new()), "{told:?}");
    upload(&ana, "papers/deep", "x");
    stream.changes_until("papers/deep");
    ana.post("/api/delete_file", json!({ "path": "papers/deep/x" })).expect(200);
    stream.changes_until("papers/deep");
    ana.post("/api/delete_folder", json!({ "path": "papers" })).expect(200);
    stream.changes_until("papers");
}

#[test]
fn what_other_programs_and_other_users_do_is_told() {
    let larder = Larder::start().user("ana").user("ben").folder("docs");
    let mut stream = Stream::of(&larder, "ana", "");
    larder.write("docs/by-a-program.txt", "P");
    stream.changes_until("docs");
    larder.write("far/away/x.txt", "P");
    stream.changes_until("far/away");
    fs::rename(larder.root().join("docs/by-a-program.txt"), larder.root().join("moved")).unwrap();
    assert!(stream.changes_until("docs").contains(&String::new()));
    upload(&larder.http("ben"), "docs", "by-ben");
    stream.changes_until("docs");
    fs::remove_file(larder.root().join("docs/by-ben")).unwrap();
    stream.changes_until("docs");
}

#[test]
fn only_what_may_be_read_is_told() {
    let larder = Larder::start()
        .user("ana")
        .user_with("eva", "user", r#"["photos", "docs/shared"]"#, r#"["inbox"]"#)
        .folder("photos")
        .folder("photos2")
        .folder("docs/secret")
        .folder("docs/shared")
        .folder("inbox");
    let ana = larder.http("ana");
    let mut stream = Stream::of(&larder, "eva", "");
    for folder in ["", "photos2", "docs", "docs/secret", "inbox", "docs/shared2"] {
        upload(&ana, folder, "hidden");
    }
    upload(&ana, "photos", "seen");
    assert_eq!(stream.change(), "photos");
    // On the way only what leads to something readable counts.
    fs::remove_dir(larder.root().join("docs/shared")).unwrap();
    let mut told = stream.changes_until("docs/shared");
    assert!(told.contains(&"docs".to_owned()), "{told:?}");
    fs::create_dir(larder.root().join("docs/shared")).unwrap();
    told.extend(stream.changes_until("docs/shared"));
    upload(&ana, "docs", "hidden2");
    upload(&ana, "docs/shared", "seen");
    told.extend(stream.changes_until("docs/shared"));
    let allowed = ["docs", "docs/shared", "photos"];
    assert!(told.iter().all(|path| allowed.contains(&path.as_str())), "{told:?}");
}

#[test]
fn larders_own_folder_is_never_told() {
    let larder = Larder::start().user("ana");
    let mut stream = Stream::of(&larder, "ana", "");
    larder.write(".larder/tmp/x", "X");
    larder.write("sub/.larder/x", "X");
    larder.write("last/x", "X");
    let told = stream.changes_until("last");
    assert!(told.iter().all(|path| !path.contains(".larder")), "{told:?}");
}

#[test]
fn named_folders_alone_are_followed() {
    let larder = Larder::start().user("ana").folder("a/deep").folder("b b").folder("c");
    let ana = larder.http("ana");
    let query = format!("?path=a&path={}", encode("b b"));
    let mut stream = Stream::of(&larder, "ana", &query);
    upload(&ana, "c", "x");
    upload(&ana, "a/deep", "x");
    upload(&ana, "b b", "x");
    let told = stream.changes_until("b b");
    assert!(told.iter().all(|path| path == "b b"), "{told:?}");
    upload(&ana, "a", "x");
    stream.changes_until("a");
    // A named folder that goes and comes back is followed again.
    fs::rename(larder.root().join("a"), larder.root().join("elsewhere")).unwrap();
    stream.changes_until("a");
    larder.write("a/new.txt", "N");
    stream.changes_until("a");
    larder.write("a/newer.txt", "N");
    stream.changes_until("a");
}

#[test]
fn a_folder_behind_a_link_is_told_by_the_name_that_was_used() {
    let larder = Larder::start().user("ana").folder("real").link("way", "real");
    let mut stream = Stream::of(&larder, "ana", "?path=way");
    larder.write("real/x", "X");
    stream.changes_until("way");
}

#[test]
fn a_storm_of_changes_is_a_few_events() {
    let larder = Larder::start().user("ana").folder("docs");
    let mut stream = Stream::of(&larder, "ana", "");
    for number in 0..10_000 {
        fs::write(larder.root().join(format!("docs/{number}")), "").unwrap();
    }
    larder.write("end/x", "X");
    let told = stream.changes_until("end");
    assert!(told.len() < 100, "{} events", told.len());
}

#[test]
fn very_many_changed_folders_become_one_event() {
    let larder = Larder::start().user("ana");
    let mut stream = Stream::of(&larder, "ana", "");
    for number in 0..1500 {
        fs::create_dir(larder.root().join(number.to_string())).unwrap();
    }
    let mut seen = 0;
    loop {
        let event = stream.next();
        assert_eq!(event.name, "change");
        seen += 1;
        if event.data["deep"] == true {
            assert_eq!(event.data["path"], "");
            break;
        }
        assert!(seen < 1500, "nothing was gathered");
    }
}

/// More folders than are followed: what other programs do in the last ones is not seen, what larder does is.
#[test]
fn what_larder_does_is_told_in_a_tree_that_is_too_large_as_well() {
    let larder = Larder::start().user("ana").folder("wide/deep/deeper");
    for number in 0..8300 {
        fs::create_dir(larder.root().join(format!("wide/{number}"))).unwrap();
    }
    let key = format!("X-API-KEY: {}", larder.key("ana"));
    let mut stream = Stream::open_to(&larder, &key, "", false);
    upload(&larder.http("ana"), "wide/deep/deeper", "x");
    stream.changes_until("wide/deep/deeper");
    let ask = json!({ "path": "wide/deep/deeper", "folder_name": "new" });
    larder.http("ana").post("/api/create_folder", ask).expect(200);
    stream.changes_until("wide/deep/deeper");
}

#[test]
fn numbers_rise_and_a_client_that_comes_back_is_told_to_look() {
    let larder = Larder::start().user("ana").folder("docs");
    let key = format!("X-API-KEY: {}", larder.key("ana"));
    let mut stream = Stream::open(&larder, &key, "?path=docs");
    let mut last = 0;
    for name in ["a", "b", "c"] {
        upload(&larder.http("ana"), "docs", name);
        let event = stream.next();
        assert!(event.id > last, "{event:?}");
        last = event.id;
    }
    drop(stream);
    let again = format!("{key}\r\nLast-Event-ID: {last}");
    assert_eq!(Stream::open(&larder, &again, "?path=docs").change(), "docs");
    let whole = Stream::open(&larder, &again, "").next();
    assert_eq!(whole.data, json!({ "path": "", "deep": true }));
}

#[test]
fn the_stream_tells_the_browser_when_to_come_back_and_head_has_no_body() {
    let larder = Larder::start().user("ana");
    let mut wire = ask(&larder, &format!("X-API-KEY: {}", larder.key("ana")), "");
    wire.skip_head();
    wire.line().unwrap();
    assert_eq!(wire.take(13).unwrap(), b"retry: 3000\n\n");
    let answer = larder.http("ana").head("/api/events").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("text/event-stream"));
}

#[test]
fn the_cookie_opens_a_stream_and_signing_out_ends_it() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    let mut stream = Stream::open(&larder, &format!("Cookie: larder_session={token}"), "");
    upload(&larder.http("ana"), "", "x");
    stream.changes_until("");
    larder.bearer(&token).post("/api/user/logout", json!({})).expect(200);
    stream.expect_end();
}

#[test]
fn a_role_taken_away_ends_the_stream() {
    let larder = Larder::start().user("ana");
    let mut stream = Stream::of(&larder, "ana", "");
    let larder = larder.roles(&json!({ "/api/events": ["admin"] }));
    larder.process().signal(rustix::process::Signal::HUP);
    stream.expect_end();
    wait::until("refused", || refused(&larder, "ana", "").status == 401);
}

#[test]
fn wrong_questions_are_refused_in_the_contracts_order() {
    let larder = Larder::start()
        .user("ana")
        .user_with("eva", "user", r#"["photos"]"#, "[]")
        .file("docs/a.txt", "A");
    refused(&larder, "ana", "?path=a/../b").expect_error(400, "Invalid path");
    refused(&larder, "ana", "?path=docs/a.txt").expect_error(400, "Path is not a folder");
    refused(&larder, "ana", "?path=none").expect_error(404, "Path does not exist");
    refused(&larder, "ana", "?path=.larder").expect_error(404, "Path does not exist");
    refused(&larder, "eva", "?path=docs").expect_error(401, "Unauthorized");
    refused(&larder, "eva", "?path=none").expect_error(401, "Unauthorized");
    let many: Vec<String> = (0..17).map(|number| format!("path={number}")).collect();
    refused(&larder, "ana", &format!("?{}", many.join("&"))).expect_error(400, "Too many paths");
    larder.anonymous().get("/api/events").expect_error(401, "Unauthorized");
}

#[test]
fn a_user_has_a_few_streams_and_closed_ones_do_not_count() {
    let larder = Larder::start().user("ana").user("ben");
    let mut streams: Vec<Stream> = (0..8).map(|_| Stream::of(&larder, "ana", "")).collect();
    let answer = refused(&larder, "ana", "").expect_error(429, "Too many requests");
    assert_eq!(answer.header("Retry-After"), Some("10"));
    let _others_are_not_kept_out = Stream::of(&larder, "ben", "");
    streams.pop();
    wait::until("a place", || {
        let mut wire = ask(&larder, &format!("X-API-KEY: {}", larder.key("ana")), "");
        wire.try_answer(true).is_some_and(|head| head.status == 200)
    });
}

#[test]
fn what_the_machine_does_is_told_to_those_who_may_ask() {
    let larder = Larder::start().user("ana").user_with("eva", "guest", r#"[""]"#, "[]");
    let larder = larder.roles(&json!({
        "/api/events": ["user", "guest"], "/api/finder": ["guest"], "/api/resources": ["user"],
    }));
    larder.process().signal(rustix::process::Signal::HUP);
    wait::until("the roles", || larder.http("eva").get("/api/finder").status == 200);
    let mut stream = Stream::of(&larder, "ana", "");
    for _ in 0..2 {
        let told = stream.next_of("resources");
        for name in ["cpu", "memory", "disk"] {
            assert!(told[name].as_u64().is_some_and(|percent| percent <= 100), "{told}");
        }
    }
    let mut stream = Stream::of(&larder, "eva", "");
    larder.write("x", "X");
    assert_eq!(stream.try_next().unwrap().name, "change");
}

#[test]
fn ones_own_jobs_are_told_and_all_to_an_admin() {
    let larder =
        Larder::start().user("ana").user("ben").admin("eva").file("docs/a.txt", "A").folder("to");
    let mut streams = ["ana", "eva"].map(|name| Stream::of(&larder, name, "?path=docs"));
    let mut other = Stream::of(&larder, "ben", "?path=docs");
    let ask = json!({ "paths": ["docs/a.txt"], "to": "to", "job": true });
    let id = larder.http("ana").post("/api/copy", ask).expect_status("Started")["job"].clone();
    for stream in &mut streams {
        loop {
            let told = stream.next_of("job");
            assert_eq!((&told["id"], &told["kind"]), (&id, &json!("copy")), "{told}");
            if told["state"] == "done" {
                assert_eq!(told["done_items"], told["total_items"], "{told}");
                break;
            }
            assert_eq!(told["state"], "running", "{told}");
        }
    }
    larder.write("docs/x", "X");
    assert_eq!(other.next().name, "change");
    // What has ended is no news for whoever comes later.
    let mut late = Stream::of(&larder, "ana", "?path=docs");
    larder.write("docs/y", "Y");
    assert_eq!(late.next().name, "change");
}

#[test]
fn another_listener_is_no_event() {
    let larder = Larder::start().user("ana").user("ben").folder("docs");
    let mut stream = Stream::of(&larder, "ana", "");
    let _others = [Stream::of(&larder, "ben", ""), Stream::of(&larder, "ben", "?path=docs")];
    upload(&larder.http("ana"), "docs", "x");
    assert_eq!(stream.change(), "docs");
}

#[test]
fn streams_cost_no_worker() {
    let larder = Larder::start().user("ana").user("ben").user("eva");
    let _streams: Vec<Stream> = ["ana", "ben", "eva"]
        .iter()
        .flat_map(|name| (0..8).map(|_| Stream::of(&larder, name, "")).collect::<Vec<_>>())
        .collect();
    for _ in 0..50 {
        larder.http("ana").get("/api/finder").expect(200);
    }
}

#[test]
fn the_end_of_the_server_ends_streams_at_once() {
    let mut larder = Larder::start().user("ana");
    let mut stream = Stream::of(&larder, "ana", "");
    let since = Instant::now();
    larder.stop();
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    stream.expect_end();
}

/// The files and folders below the share root that the server holds open.
fn held(larder: &Larder) -> BTreeSet<String> {
    let root = larder.root().to_string_lossy().into_owned();
    let open = larder.process().open_files().unwrap_or_default();
    open.into_iter()
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| target.starts_with(&root))
        .collect()
}

#[test]
fn listening_holds_nothing_of_the_drive_open() {
    let larder = Larder::start().user("ana").folder("docs/deep");
    let mut stream = Stream::of(&larder, "ana", "");
    larder.write("docs/deep/new/x", "X");
    stream.changes_until("docs/deep/new");
    wait::until("nothing held", || held(&larder).is_empty());
    drop(stream);
    // Nobody listens: the kernel's watches go, too.
    wait::until("no watches", || {
        let open = larder.process().open_files().unwrap_or_default();
        open.iter().all(|target| !target.to_string_lossy().contains("inotify"))
    });
}

#[test]
fn a_drive_that_goes_and_comes_back_is_followed_again() {
    let larder = Larder::start().user("ana").folder("docs");
    let mut stream = Stream::of(&larder, "ana", "");
    let (root, away) = (larder.root(), larder.folder_path().join("unplugged"));
    fs::rename(&root, &away).unwrap();
    fs::create_dir(&root).unwrap();
    let everything = json!({ "path": "", "deep": true });
    while stream.next().data != everything {}
    // A stream can be opened while the drive is away.
    let mut waiting = Stream::of(&larder, "ana", "?path=docs");
    fs::remove_dir(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    while stream.next().data != everything {}
    waiting.changes_until("docs");
    larder.write("docs/x", "X");
    stream.changes_until("docs");
    waiting.changes_until("docs");
}
