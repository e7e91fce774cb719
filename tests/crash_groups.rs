//! A group is one step for a crash: larder is killed at each change of the disk in turn, and what is found
//! after the next start is all old or all new.
//!
//! `strace` kills: at the N-th call of one kind that changes names, for each N until the answer comes. What only
//! makes content durable changes no name, so killing there finds what killing at the next change does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Form, Larder, Wire, wait};

/// The calls that change names.
pub const CHANGES: [&str; 5] = ["renameat", "renameat2", "linkat", "mkdirat", "unlinkat"];

/// More calls of one kind than any group here makes.
pub const CALLS_MAX: u32 = 60;

/// Where some tests mount a drive in the share.
pub const USB: &str = "usb";

/// How long what a crash left may lie about (contract, section 2).
pub const SWEEP_TIME: Duration = Duration::from_secs(30);

/// Everything that anybody can see: files with their content, folders, and the trash by path and content.
pub type Seen = (BTreeMap<String, Option<String>>, Vec<(String, String)>);

/// What is done to several things at once.
pub struct Group {
    /// Makes the share as it is before; the server runs.
    pub prepare: fn(&Larder),
    /// The request.
    pub request: fn(&Larder) -> Vec<u8>,
}

/// A request with a JSON body.
pub fn ask(larder: &Larder, path: &str, body: &Value) -> Vec<u8> {
    request(larder, path, "application/json", body.to_string().as_bytes())
}

/// A request.
fn request(larder: &Larder, path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    write!(
        request,
        "POST {path} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        larder.key("ana"),
        body.len()
    )
    .unwrap();
    request.extend(body);
    request
}

/// Three files and a folder with one, and another place where two of them are already.
fn three_and_two(larder: &Larder) {
    for (path, text) in [
        ("from/a", "new a"),
        ("from/b", "new b"),
        ("from/d/e", "new e"),
        ("to/b", "old b"),
        ("to/d/f", "old f"),
    ] {
        larder.write(path, text);
    }
}

static GROUPS: [(&str, Group); 5] = [
    (
        "upload",
        Group {
            prepare: |larder| larder.write("b", "old b"),
            request: |larder| {
                let form = Form::new()
                    .field("path", "made/for")
                    .file("a", "new a")
                    .file("b", "new b")
                    .file("c", "new c");
                request(larder, "/api/upload", &Form::content_type(), &form.body())
            },
        },
    ),
    (
        "move",
        Group {
            prepare: three_and_two,
            request: |larder| {
                let paths = ["from/a", "from/b", "from/d"];
                let ask_for = json!({ "paths": paths, "to": "to", "if_exists": "overwrite" });
                ask(larder, "/api/move", &ask_for)
            },
        },
    ),
    (
        "copy",
        Group {
            prepare: three_and_two,
            request: |larder| {
                let paths = ["from/a", "from/b", "from/d"];
                let ask_for = json!({ "paths": paths, "to": "to", "if_exists": "overwrite" });
                ask(larder, "/api/copy", &ask_for)
            },
        },
    ),
    (
        "delete",
        Group {
            prepare: three_and_two,
            request: |larder| {
                ask(larder, "/api/delete", &json!({ "paths": ["from/a", "from/d", "to/b"] }))
            },
        },
    ),
    (
        "restore",
        Group {
            prepare: |larder| {
                three_and_two(larder);
                let paths = json!({ "paths": ["from/a", "from/d", "to/b"] });
                larder.http("ana").post("/api/delete", paths).expect(200);
                // One comes back to where something else is, one into a folder that has gone.
                larder.write("to/b", "newer b");
                fs::remove_dir_all(larder.root().join("from")).unwrap();
            },
            request: |larder| {
                let trash = larder.http("ana").get("/api/trash").expect(200).json();
                let trash = trash.as_array().unwrap().iter();
                let ids: Vec<&Value> = trash.map(|item| &item["id"]).collect();
                let ask_for = json!({ "ids": ids, "if_exists": "overwrite" });
                ask(larder, "/api/trash/restore", &ask_for)
            },
        },
    ),
];

/// One of them.
pub fn group(name: &str) -> &'static Group {
    &GROUPS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// Looks at everything below a folder.
fn look(folder: &Path, place: &str, seen: &mut BTreeMap<String, Option<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == ".larder" {
            continue;
        }
        let place = format!("{place}/{name}");
        if entry.file_type().unwrap().is_dir() {
            seen.insert(place.clone(), None);
            look(&entry.path(), &place, seen);
        } else {
            seen.insert(place, Some(fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// Everything that anybody can see. A folder in the trash is told by what is in it.
pub fn see(larder: &Larder) -> Seen {
    let told = larder.http("ana").get("/api/trash").expect(200).json();
    let mut files = BTreeMap::new();
    look(&larder.root(), "", &mut files);
    let mut trash = Vec::new();
    for item in told.as_array().unwrap() {
        let bins = tops(larder).map(|top| top.join(".larder/trash"));
        let place = bins.into_iter().map(|bin| bin.join(item["id"].as_str().unwrap()));
        let place = place.into_iter().find(|place| place.exists()).unwrap();
        let mut inside = BTreeMap::new();
        let content = if place.is_dir() {
            look(&place, "", &mut inside);
            format!("{inside:?}")
        } else {
            fs::read_to_string(place).unwrap()
        };
        trash.push((item["path"].as_str().unwrap().to_owned(), content));
    }
    trash.sort();
    (files, trash)
}

/// Removes something that may be gone already.
fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    assert!(!path.exists(), "{}: {removed:?}", path.display());
}

/// Where the share begins, and the drive that some tests mount in it.
pub fn tops(larder: &Larder) -> [PathBuf; 2] {
    [larder.root(), larder.root().join(USB)]
}

/// Makes everything as it was before a group.
pub fn prepare(larder: &Larder, group: &Group) {
    // Not by hand: larder has just started, and its sweep writes records for what lies in the trash without one.
    larder.http("ana").post("/api/trash/empty", json!({})).expect(200);
    for top in tops(larder) {
        for entry in fs::read_dir(top).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name != ".larder" && name != USB) {
                remove(&path);
            }
        }
    }
    (group.prepare)(larder);
}

/// Whether `strace` is here, which is what kills.
pub fn can_kill() -> bool {
    let is_here =
        Command::new("strace").arg("--version").output().is_ok_and(|told| told.status.success());
    if !is_here {
        let why = b"skipped: there is no strace here, which is what kills\n";
        std::io::stderr().write_all(why).unwrap();
    }
    is_here
}

/// A `strace` that kills larder at the N-th call of one kind, and lets none of the calls `lacking` work.
pub fn tracer(larder: &Larder, call: &str, number: u32, lacking: &[&str]) -> Child {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "signal=none"]);
    command.arg(format!("--trace={},{call}", CHANGES.join(",")));
    command.arg(format!("--inject={call}:signal=KILL:when={number}"));
    for lacking in lacking {
        command.arg(format!("--inject={lacking}:error=EINVAL"));
    }
    command.arg("-p").arg(larder.process().pid().to_string());
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().expect("strace says something").unwrap();
    assert!(line.contains("attached"), "strace: {line}");
    // Nobody reads what it says later, and it must not wait for that.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// Does a group; whether it was acknowledged.
pub fn is_done(larder: &Larder, request: &[u8]) -> bool {
    let Some(mut wire) = Wire::try_open(larder.port()) else { return false };
    if !wire.try_send(request) {
        return false;
    }
    let Some(answer) = wire.try_answer(false) else { return false };
    assert_eq!(answer.status, 200, "{answer}");
    true
}

/// Whether everything is as before. A copy of a folder that was taken back lies in the trash: somebody might have
/// put something into it.
pub fn is_old(found: &Seen, old: &Seen) -> bool {
    let is_copy = |(path, content): &(String, String)| {
        path.ends_with("to/d") && content == r#"{"/e": Some("new e")}"#
    };
    let trash: Vec<_> = found.1.iter().filter(|item| !is_copy(item)).cloned().collect();
    found.0 == old.0 && trash == old.1
}

/// Kills larder in one group at each change, on a drive that lacks some calls.
fn crash(name: &str, lacking: &[&str]) {
    if !can_kill() {
        return;
    }
    let group = group(name);
    let mut larder = Larder::start().user("ana");
    prepare(&larder, group);
    let old = see(&larder);
    assert!(is_done(&larder, &(group.request)(&larder)));
    let new = see(&larder);
    assert_ne!(old, new);
    let mut kills = 0;
    for call in CHANGES.iter().filter(|call| !lacking.contains(call)) {
        for number in 1..=CALLS_MAX {
            assert!(number < CALLS_MAX, "{name} never comes to an end");
            prepare(&larder, group);
            let request = (group.request)(&larder);
            let mut tracer = tracer(&larder, call, number, lacking);
            let is_done = is_done(&larder, &request);
            larder.kill();
            tracer.wait().unwrap();
            larder.restart();
            let when = format!("{name} without {lacking:?}, killed at {call} {number}");
            // At once: whoever asks first must not find a part of it.
            let first = see(&larder);
            let is_tidy = wait::comes_true(SWEEP_TIME, || larder.unfinished() == 0);
            assert!(is_tidy, "{when}: something is left");
            let found = see(&larder);
            assert!(found == new || is_old(&found, &old) && !is_done, "{when}: {found:?}");
            assert_eq!(first.0, found.0, "{when}: it has changed since");
            if is_done {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 5, "{name} was killed {kills} times only");
}

#[test]
fn an_upload_is_one_step() {
    crash("upload", &[]);
}

#[test]
fn a_move_is_one_step() {
    crash("move", &[]);
}

#[test]
fn a_copy_is_one_step() {
    crash("copy", &[]);
}

#[test]
fn a_deletion_is_one_step() {
    crash("delete", &[]);
}

#[test]
fn a_restoration_is_one_step() {
    crash("restore", &[]);
}

#[test]
fn groups_are_one_step_where_names_cannot_be_exchanged() {
    std::thread::scope(|scope| {
        for (name, _) in &GROUPS {
            scope.spawn(move || crash(name, &["renameat2"]));
        }
    });
}
