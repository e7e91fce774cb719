//! `WebDAV`: what is locked by this door is locked at every other (second contract, section 14, "Locks").

use std::fs;

use serde_json::{Value, json};

use crate::harness::dav::Dav;
use crate::harness::ftp::FtpHouse;
use crate::harness::tus::{BYTES, Tus, encoded};
use crate::harness::{Answer, Client, Form, Larder};

/// How something is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// The file `d/a.txt`.
    File,
    /// The folder `d` with all that is in it.
    Deep,
    /// The folder `d` by itself: which names it has.
    Names,
}

/// All of them, in the order of the table's columns.
const LOCKS: [Lock; 3] = [Lock::File, Lock::Deep, Lock::Names];

/// Puts everything back as it was.
fn fill(larder: &Larder) {
    for top in ["d", "free", "e"] {
        let _not_there = fs::remove_dir_all(larder.root().join(top));
    }
    for (path, content) in [
        ("d/a.txt", "A"),
        ("d/sub/b.txt", "B"),
        ("d/sub/deep/c.txt", "C"),
        ("free/f.txt", "F"),
        ("free/a.txt", "other"),
        ("free/d/x.txt", "X"),
    ] {
        larder.write(path, content);
    }
    fs::create_dir(larder.root().join("d/empty")).unwrap();
}

/// A house with an FTP server and ana, whose name is Ana B., and ben.
fn house() -> FtpHouse {
    let mut house = FtpHouse::start();
    house.larder = house.larder.user("ben").admin("ida");
    let edit = json!({ "name": "Ana B." });
    house.larder.session("ana").post("/api/user/edit_self", edit).expect(200);
    fill(&house.larder);
    house
}

/// Locks; gives the token.
#[track_caller]
fn lock(larder: &Larder, lock: Lock) -> String {
    let (target, depth) = match lock {
        Lock::File => ("/dav/d/a.txt", "0"),
        Lock::Deep => ("/dav/d", "infinity"),
        Lock::Names => ("/dav/d/", "0"),
    };
    take(larder, target, depth)
}

/// Takes a lock of ana's; gives the token.
#[track_caller]
fn take(larder: &Larder, target: &str, depth: &str) -> String {
    let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
        <D:locktype><D:write/></D:locktype></D:lockinfo>";
    let given = Dav::of(larder, "ana").ask("LOCK", target, &[("Depth", depth)], body);
    let token = given.header("Lock-Token").map(str::to_owned);
    token.unwrap_or_else(|| panic!("{given}"))
}

/// Gives it back.
#[track_caller]
fn unlock(larder: &Larder, target: &str, token: &str) {
    Dav::of(larder, "ana").ask("UNLOCK", target, &[("Lock-Token", token)], b"").expect(204);
}

/// Something that is tried.
type Try<'a> = Box<dyn Fn() -> Answer + 'a>;

/// What the API's callers try, and whether each lock refuses it.
#[rustfmt::skip]
fn tries<'a>(client: &'a Client, tus: &'a Tus, guest: &'a (Client, String)) -> Vec<(&'static str, Try<'a>, [bool; 3])> {
    let post = |endpoint: &'static str, ask: Value| -> Try<'a> {
        Box::new(move || client.post(endpoint, ask.clone()))
    };
    let bring = |metadata: &'static [(&str, &str)]| -> Try<'a> {
        Box::new(move || tus.bring(metadata, b"N"))
    };
    let form = || Form::new().field("path", "d");
    let by_guest = |name: &'static str| -> Try<'a> {
        Box::new(move || {
            let metadata = encoded(&[("filename", name)]);
            let fields = [("Upload-Length", "1"), ("Upload-Metadata", &*metadata), BYTES];
            guest.0.ask("POST", &format!("{}/uploads", guest.1), &fields, b"N")
        })
    };
    vec![
        //                                                                        File   Deep  Names
        ("edit", post("/api/edit_file", json!({ "path": "d/a.txt", "file_content": "x" })),
            [true, true, false]),
        ("edit below", post("/api/edit_file", json!({ "path": "d/sub/b.txt", "file_content": "x" })),
            [false, true, false]),
        ("new", post("/api/new_file", json!({ "path": "d", "file_name": "new", "file_content": "" })),
            [false, true, true]),
        ("new below", post("/api/new_file", json!({ "path": "d/sub", "file_name": "n", "file_content": "" })),
            [false, true, false]),
        ("new in new",
            Box::new(move || client.upload(&Form::new().field("path", "d/made").file("n", "N"))),
            [false, true, true]),
        ("upload", Box::new(move || client.upload(&form().file("new", "N"))), [false, true, true]),
        ("upload over", Box::new(move || client.upload(&form().file("a.txt", "N"))), [true, true, false]),
        ("several", Box::new(move || client.upload(&form().file("n", "N").file("a.txt", "N"))),
            [true, true, true]),
        ("brings", bring(&[("filename", "new"), ("path", "d")]), [false, true, true]),
        ("brings over", bring(&[("filename", "a.txt"), ("path", "d"), ("if_exists", "overwrite")]),
            [true, true, false]),
        ("guest brings", by_guest("new"), [false, true, true]),
        ("folder", post("/api/create_folder", json!({ "path": "d", "folder_name": "made" })),
            [false, true, true]),
        ("folder below", post("/api/create_folder", json!({ "path": "d/sub", "folder_name": "made" })),
            [false, true, false]),
        ("delete", post("/api/delete_file", json!({ "path": "d/a.txt" })), [true, true, true]),
        ("delete several", post("/api/delete", json!({ "paths": ["free/f.txt", "d/a.txt"] })),
            [true, true, true]),
        ("delete for good", post("/api/delete_file", json!({ "path": "d/a.txt", "permanent": true })),
            [true, true, true]),
        ("delete below", post("/api/delete_file", json!({ "path": "d/sub/b.txt" })), [false, true, false]),
        ("delete sub", post("/api/delete_folder", json!({ "path": "d/sub" })), [false, true, true]),
        ("delete all", post("/api/delete_folder", json!({ "path": "d" })), [true, true, true]),
        ("delete all for good", post("/api/delete_folder", json!({ "path": "d", "permanent": true })),
            [true, true, true]),
        ("rename", post("/api/rename_file", json!({ "path": "d", "file_name": "a.txt", "new_name": "c" })),
            [true, true, true]),
        ("rename onto", post("/api/rename_file", json!({ "path": "d/sub", "file_name": "b.txt", "new_name": "c" })),
            [false, true, false]),
        ("rename folder", post("/api/rename_folder", json!({ "path": "", "folder_name": "d", "new_name": "e" })),
            [true, true, true]),
        ("move away", post("/api/move", json!({ "paths": ["d/a.txt"], "to": "free/d" })), [true, true, true]),
        ("move all away", post("/api/move", json!({ "paths": ["d"], "to": "free", "if_exists": "rename" })),
            [true, true, true]),
        ("move in", post("/api/move", json!({ "paths": ["free/f.txt"], "to": "d" })), [false, true, true]),
        ("move below", post("/api/move", json!({ "paths": ["free/f.txt"], "to": "d/sub" })), [false, true, false]),
        ("move over", post("/api/move", json!({ "paths": ["free/a.txt"], "to": "d", "if_exists": "overwrite" })),
            [true, true, true]),
        ("move over all", post("/api/move", json!({ "paths": ["free/d"], "to": "", "if_exists": "overwrite" })),
            [true, true, true]),
        ("copy in", post("/api/copy", json!({ "paths": ["free/f.txt"], "to": "d" })), [false, true, true]),
        ("copy over", post("/api/copy", json!({ "paths": ["free/a.txt"], "to": "d", "if_exists": "overwrite" })),
            [true, true, true]),
        ("copy beside", post("/api/copy", json!({ "paths": ["free/a.txt"], "to": "d", "if_exists": "rename" })),
            // Its place is locked, even if it would get another name there.
            [true, true, true]),
        ("copy away", post("/api/copy", json!({ "paths": ["d"], "to": "free", "if_exists": "rename" })),
            [false, false, false]),
        ("read", Box::new(move || client.get("/api/download?file_path=d/a.txt")), [false, false, false]),
        ("list", Box::new(move || client.get("/api/finder?path=d")), [false, false, false]),
    ]
}

#[test]
fn at_the_api_and_by_links() {
    let house = house();
    let larder = &house.larder;
    let ask = json!({ "path": "d", "write": true });
    let made = larder.http("ben").post("/api/link/create", ask).expect_status("Link created");
    let guest = (larder.anonymous(), made["url"].as_str().unwrap().to_owned());
    // To the holder, too: no token can be shown there.
    for name in ["ben", "ana", "ida"] {
        let (client, tus) = (larder.http(name), Tus::of(larder, name));
        for (number, kind) in LOCKS.into_iter().enumerate() {
            for (what, attempt, refused) in tries(&client, &tus, &guest) {
                fill(larder);
                let before = larder.tree();
                let token = lock(larder, kind);
                let answer = attempt();
                let told = format!("{name}: {what}, locked by {kind:?}: {answer}");
                if refused[number] {
                    assert_eq!(answer.status, 409, "{told}");
                    let json = answer.json();
                    assert_eq!(json["error"], "Locked by Ana B.", "{told}");
                    assert_eq!(json["code"], "locked", "{told}");
                    assert_eq!(larder.tree(), before, "{told}");
                    assert_eq!(larder.read("d/a.txt"), "A", "{told}");
                } else {
                    assert!(matches!(answer.status, 200..=299), "{told}");
                }
                unlock(larder, if kind == Lock::File { "/dav/d/a.txt" } else { "/dav/d" }, &token);
            }
        }
        if name == "ida" {
            assert_eq!(larder.unfinished(), 0);
        }
    }
}

#[test]
fn at_ftp() {
    let house = house();
    let larder = &house.larder;
    #[rustfmt::skip]
    let lines: [(&str, [bool; 3]); 20] = [
        //                              File   Deep   Names
        ("STOR d/a.txt",               [true,  true,  false]),
        ("APPE d/a.txt",               [true,  true,  false]),
        ("STOR d/new",                 [false, true,  true]),
        ("APPE d/new",                 [false, true,  true]),
        ("STOR d/sub/b.txt",           [false, true,  false]),
        ("DELE d/a.txt",               [true,  true,  true]),
        ("DELE d/sub/b.txt",           [false, true,  false]),
        ("MKD d/made",                 [false, true,  true]),
        ("RMD d/empty",                [false, true,  true]),
        ("MFMT 20200101000000 d/a.txt", [true, true,  false]),
        ("MDTM 20200101000000 d/a.txt", [true, true,  false]),
        ("SITE CHMOD 600 d/a.txt",     [true,  true,  false]),
        ("RNFR d/a.txt>free/z",        [true,  true,  true]),
        ("RNFR d/a.txt>d/z",           [true,  true,  true]),
        ("RNFR d>e",                   [true,  true,  true]),
        ("RNFR free/f.txt>d/z",        [false, true,  true]),
        ("RNFR free/a.txt>d/sub/z",    [false, true,  false]),
        ("RNFR d/sub>free/sub",        [false, true,  true]),
        ("RETR d/a.txt",               [false, false, false]),
        ("NLST d",                     [false, false, false]),
    ];
    let mut cam = house.sign_in("cam");
    for (number, kind) in LOCKS.into_iter().enumerate() {
        for (line, refused) in lines {
            fill(larder);
            let token = lock(larder, kind);
            let (code, text) = match (line.split_once('>'), line.get(..4).unwrap()) {
                (Some((from, to)), _) => match cam.say(from) {
                    (350, _) => cam.say(&format!("RNTO {to}")),
                    other => other,
                },
                (None, "STOR" | "APPE") => cam.store(line, "N"),
                (None, "RETR" | "NLST") => cam.fetch(line).1,
                _ => cam.say(line),
            };
            let told = format!("{line}, locked by {kind:?}: {code} {text}");
            if refused[number] {
                assert!(code == 450 && text.contains("Locked by Ana B."), "{told}");
            } else {
                assert!(matches!(code, 200..=299), "{told}");
            }
            unlock(larder, if kind == Lock::File { "/dav/d/a.txt" } else { "/dav/d" }, &token);
        }
    }
}

/// Whoever began before it was locked ends after it: nothing lands, and nothing that was brought is lost.
#[test]
fn what_was_begun_before_ends_no_better() {
    let house = house();
    let larder = &house.larder;
    let ben = Tus::of(larder, "ben");
    let begun = |metadata: &[(&str, &str)]| ben.begun(4, metadata);
    let over = begun(&[("filename", "a.txt"), ("path", "d"), ("if_exists", "overwrite")]);
    let new = begun(&[("filename", "new"), ("path", "d")]);
    for upload in [&over, &new] {
        ben.patch(upload, 0, b"NN").expect(204);
    }
    let put = "PUT /dav/d/a.txt HTTP/1.1\r\nHost: nas\r\nContent-Length: 4\r\n";
    let mut wire = larder.wire();
    wire.send(format!("{put}X-API-KEY: {}\r\n\r\nNN", larder.key("ben")));
    let token = lock(larder, Lock::Deep);
    wire.send("NN");
    wire.answer().expect(423);
    for upload in [&over, &new] {
        ben.patch(upload, 2, b"NN").expect_code(409, "locked");
    }
    assert_eq!(larder.read("d/a.txt"), "A");
    assert!(!larder.exists("d/new"));
    unlock(larder, "/dav/d", &token);
    for upload in [&over, &new] {
        let at = ben.offset(upload);
        ben.patch(upload, at, &b"NNNN"[at..]).expect(204);
    }
    assert_eq!((larder.read("d/a.txt"), larder.read("d/new")), ("NNNN".into(), "NNNN".into()));
}

#[test]
fn nothing_comes_out_of_the_trash_into_what_is_locked() {
    let house = house();
    let larder = &house.larder;
    let ben = larder.http("ben");
    for (locked, depth, if_exists, is_refused) in [
        ("/dav/d", "infinity", "rename", true),
        ("/dav/d", "0", "rename", true),
        ("/dav/d/sub/", "infinity", "rename", false),
        ("/dav/d/a.txt", "0", "overwrite", true),
        // The place that it comes back to is locked, even if it would get another name there.
        ("/dav/d/a.txt", "0", "rename", true),
    ] {
        fill(larder);
        let told = ben.post("/api/delete_file", json!({ "path": "d/a.txt" })).expect(200).json();
        larder.write("d/a.txt", "A");
        let token = take(larder, locked, depth);
        let ask = json!({ "ids": told["trash"], "if_exists": if_exists });
        let answer = ben.post("/api/trash/restore", ask);
        if is_refused {
            answer.expect_code(409, "locked");
            assert_eq!(larder.read("d/a.txt"), "A");
        } else {
            answer.expect_status("Restored");
        }
        unlock(larder, locked, &token);
    }
    // A folder that would be replaced with something locked in it.
    fill(larder);
    let told = ben.post("/api/delete_folder", json!({ "path": "d" })).expect(200).json();
    fill(larder);
    let token = take(larder, "/dav/d/sub/b.txt", "0");
    let ask = json!({ "ids": told["trash"], "if_exists": "overwrite" });
    ben.post("/api/trash/restore", ask).expect_code(409, "locked");
    unlock(larder, "/dav/d/sub/b.txt", &token);
}

/// A lock holds for the thing, by whatever way one comes to it.
#[test]
fn links_lead_to_what_is_locked() {
    let house = house();
    let larder = &house.larder;
    std::os::unix::fs::symlink("d", larder.root().join("way")).unwrap();
    std::os::unix::fs::symlink("d/a.txt", larder.root().join("way.txt")).unwrap();
    let token = take(larder, "/dav/way/a.txt", "0");
    let (ana, ben) = (Dav::of(larder, "ana"), Dav::of(larder, "ben"));
    for target in ["/dav/d/a.txt", "/dav/way/a.txt", "/dav/way.txt", "/dav/./d//a.txt/"] {
        let refused = ben.put(target, "x").expect(423);
        assert!(refused.text().contains("<D:href>/dav/d/a.txt</D:href>"), "{refused}");
        ana.ask("PUT", target, &[("If", &format!("({token})"))], b"mine").expect(204);
    }
    let ask = json!({ "path": "way.txt", "file_content": "x" });
    larder.http("ben").post("/api/edit_file", ask).expect_code(409, "locked");
    // Nobody locks what they may not change, by no link either.
    let mut house = house;
    house.larder = house.larder.user_with("eve", "user", r#"["", "in"]"#, r#"["in"]"#);
    let larder = house.larder.folder("in").link("in/out", "../free/f.txt");
    let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
        <D:locktype><D:write/></D:locktype></D:lockinfo>";
    Dav::of(&larder, "eve").ask("LOCK", "/dav/in/out", &[], body).expect(403);
    Dav::of(&larder, "ben").put("/dav/free/f.txt", "x").expect(204);
}
