//! Nothing outside the share root is ever read or written, whatever the path and whenever.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::harness::{Form, Larder, wait};

/// What lies outside and must neither be seen nor changed.
const SECRET: &str = "the secret outside";

/// A larder with a file and a folder outside of its share.
fn guarded() -> Larder {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A");
    fs::write(larder.outside().join("secret.txt"), SECRET).unwrap();
    fs::create_dir(larder.outside().join("folder")).unwrap();
    fs::write(larder.outside().join("folder/deep.txt"), SECRET).unwrap();
    larder
}

/// Demands that what is outside is as it was.
#[track_caller]
fn expect_untouched(larder: &Larder) {
    let outside = larder.outside();
    assert_eq!(fs::read_to_string(outside.join("secret.txt")).unwrap(), SECRET);
    assert_eq!(fs::read_to_string(outside.join("folder/deep.txt")).unwrap(), SECRET);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
    assert_eq!(fs::read_dir(outside.join("folder")).unwrap().count(), 1);
}

/// Demands that bytes show nothing of what is outside.
#[track_caller]
fn expect_silent(body: &[u8], asked: &str) {
    let shows = |text: &[u8]| body.windows(text.len()).any(|window| window == text);
    assert!(!shows(SECRET.as_bytes()), "{asked} shows the secret");
    assert!(!shows(b"secret.txt") && !shows(b"deep.txt"), "{asked} shows a name");
    assert!(!shows(b"root:x:0"), "{asked} shows /etc/passwd");
}

#[test]
fn dots_lead_nowhere_however_they_are_spelled() {
    let larder = guarded();
    let ana = larder.http("ana");
    for spelled in [
        "..",
        "../",
        "/..",
        "../outside/secret.txt",
        "..%2Foutside%2Fsecret.txt",
        "%2e%2e/outside/secret.txt",
        "%2e%2e%2foutside%2fsecret.txt",
        "%2E%2E%2Foutside",
        ".%2e/outside/secret.txt",
        "docs/../../outside/secret.txt",
        "docs/..",
        "docs/../docs/a.txt",
        "./../outside",
        "docs/./../../outside/secret.txt",
        "/../outside/secret.txt",
        "//../outside/secret.txt",
        "docs//..//..//outside/secret.txt",
        "..%00",
        "..%00/a",
        "docs/a.txt%00",
        "docs/..%2f..%2foutside%2fsecret.txt",
        "../files/docs/a.txt",
    ] {
        for target in [
            format!("/api/finder?path={spelled}"),
            format!("/api/finder?details=1&path={spelled}"),
            format!("/api/get_file?file_path={spelled}"),
            format!("/api/download?file_path={spelled}"),
            format!("/api/download?inline=1&file_path={spelled}"),
        ] {
            let answer = ana.get(&target).expect_error(400, "Invalid path");
            expect_silent(&answer.body, &target);
        }
    }
    // These are names, odd ones, and not there.
    for spelled in [
        "%252e%252e%252foutside",
        "..%5Coutside",
        "...",
        "....//outside",
        "%c0%ae%c0%ae/outside",
        "..;/outside",
        "%u002e%u002e/x",
    ] {
        for target in [
            format!("/api/get_file?file_path={spelled}"),
            format!("/api/download?file_path={spelled}"),
        ] {
            let answer = ana.get(&target);
            assert!(matches!(answer.status, 400 | 404), "{answer}");
            expect_silent(&answer.body, &target);
        }
    }
    expect_untouched(&larder);
}

#[test]
fn absolute_paths_start_at_the_share_root() {
    let larder = guarded();
    let ana = larder.http("ana");
    let outside = larder.outside().join("secret.txt");
    for path in [
        "/etc/passwd",
        "//etc/passwd",
        "etc/passwd",
        outside.to_str().unwrap(),
        "file:///etc/passwd",
        "/proc/self/environ",
        "~/x",
        "C:\\x",
    ] {
        let found = ana.get_with("/api/get_file", "file_path", path).expect_refusal(404);
        expect_silent(&found.body, path);
        ana.get_with("/api/download", "file_path", path).expect_refusal(404);
        ana.get_with("/api/finder", "path", path).expect_refusal(404);
        ana.post("/api/edit_file", json!({ "path": format!("{path}/x") })).expect_refusal(404);
    }
    assert_eq!(ana.get("/api/get_file?file_path=/docs/a.txt").expect(200).json()["content"], "A");
}

#[test]
fn every_change_through_dots_is_refused() {
    let larder = guarded();
    let ana = larder.http("ana");
    for bad in ["..", "../outside", "docs/../../outside", "/../outside"] {
        for (path, ask) in [
            ("/api/new_file", json!({ "path": bad, "file_name": "x", "file_content": "evil" })),
            (
                "/api/edit_file",
                json!({ "path": format!("{bad}/secret.txt"), "file_content": "evil" }),
            ),
            ("/api/delete_file", json!({ "path": format!("{bad}/secret.txt") })),
            (
                "/api/rename_file",
                json!({ "path": bad, "file_name": "secret.txt", "new_name": "x" }),
            ),
            ("/api/create_folder", json!({ "path": bad, "folder_name": "x" })),
            ("/api/delete_folder", json!({ "path": format!("{bad}/folder") })),
            (
                "/api/rename_folder",
                json!({ "path": bad, "folder_name": "folder", "new_name": "x" }),
            ),
        ] {
            ana.post(path, ask).expect_error(400, "Invalid path");
        }
        let form = Form::new().field("path", bad).file("x", "evil");
        ana.upload(&form).expect_error(400, "Invalid path");
    }
    for bad in ["../outside/secret.txt", "..", "docs/../../x"] {
        for (path, ask) in [
            ("/api/new_file", json!({ "file_name": bad, "file_content": "evil" })),
            ("/api/rename_file", json!({ "path": "docs", "file_name": "a.txt", "new_name": bad })),
            ("/api/rename_file", json!({ "path": "docs", "file_name": bad, "new_name": "x" })),
            ("/api/create_folder", json!({ "folder_name": bad })),
            ("/api/rename_folder", json!({ "folder_name": "docs", "new_name": bad })),
        ] {
            ana.post(path, ask).expect_error(400, "Invalid name");
        }
    }
    expect_untouched(&larder);
    assert_eq!(larder.tree(), ["docs/", "docs/a.txt"]);
}

#[test]
fn a_link_that_leaves_the_root_is_not_there() {
    let larder = guarded();
    let outside = larder.outside();
    let larder = larder
        .link("absolute", &outside)
        .link("relative", "../outside")
        .link("file", outside.join("secret.txt"))
        .link("docs/up", "../..")
        .link("docs/chain", "up/outside")
        .link("etc", "/etc")
        .link("proc", "/proc/self/root")
        .link("missing", outside.join("new.txt"));
    let ana = larder.http("ana");
    for path in [
        "absolute",
        "absolute/secret.txt",
        "absolute/folder",
        "relative",
        "relative/secret.txt",
        "file",
        "docs/up",
        "docs/up/outside/secret.txt",
        "docs/chain",
        "docs/chain/secret.txt",
        "etc/passwd",
        "proc/etc/passwd",
        "missing",
    ] {
        for target in ["/api/finder?path=", "/api/get_file?file_path=", "/api/download?file_path="]
        {
            let target = format!("{target}{path}");
            let answer = ana.get(&target).expect_refusal(404);
            expect_silent(&answer.body, &target);
        }
    }
    for folder in ["absolute", "relative", "docs/up", "docs/chain", "proc"] {
        for (path, ask) in [
            ("/api/new_file", json!({ "path": folder, "file_name": "x", "file_content": "evil" })),
            (
                "/api/edit_file",
                json!({ "path": format!("{folder}/secret.txt"), "file_content": "evil" }),
            ),
            ("/api/delete_file", json!({ "path": format!("{folder}/secret.txt") })),
            (
                "/api/rename_file",
                json!({ "path": folder, "file_name": "secret.txt", "new_name": "x" }),
            ),
            ("/api/create_folder", json!({ "path": folder, "folder_name": "x" })),
            ("/api/delete_folder", json!({ "path": format!("{folder}/folder") })),
            (
                "/api/rename_folder",
                json!({ "path": folder, "folder_name": "folder", "new_name": "x" }),
            ),
        ] {
            let answer = ana.post(path, ask);
            assert!((400..500).contains(&answer.status), "{answer}");
        }
        let form = Form::new().field("path", folder).file("x", "evil");
        let answer = ana.upload(&form);
        assert!((400..500).contains(&answer.status), "{answer}");
        let form = Form::new().field("path", &format!("{folder}/new/deep")).file("x", "evil");
        let answer = ana.upload(&form);
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    // A link where a file should go: either refused or replaced, never followed out.
    for name in ["file", "missing"] {
        ana.post("/api/edit_file", json!({ "path": name, "file_content": "evil" }));
        ana.upload(&Form::new().file(name, "evil"));
        expect_untouched(&larder);
    }
    let zip = ana.get("/api/download?file_path=/").expect(200);
    expect_silent(&zip.body, "the zip of the root");
    expect_untouched(&larder);
    larder.wait_until_tidy();
}

#[test]
fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    let larder = guarded();
    let larder = larder.file("race/folder/deep.txt", "inside").file("race/secret.txt", "inside");
    let (root, outside) = (larder.root(), larder.outside());
    let (race, away, link) = (root.join("race"), root.join("away"), root.join("link"));
    symlink(&outside, &link).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Swaps the folder and a link to the outside, so that the name is one or the other.
        let (done, larder) = (&done, &larder);
        let (race, away, link) = (&race, &away, &link);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let _busy = fs::rename(race, away).and_then(|()| fs::rename(link, race));
                std::thread::yield_now();
                let _busy = fs::rename(race, link).and_then(|()| fs::rename(away, race));
                std::thread::yield_now();
            }
        });
        let mut clients = Vec::new();
        for client in 0..3 {
            clients.push(scope.spawn(move || {
                let ana = larder.http("ana");
                for round in 0..60 {
                    let name = format!("n{client}-{round}");
                    for answer in [
                        ana.get("/api/finder?path=race&details=1"),
                        ana.get("/api/get_file?file_path=race/secret.txt"),
                        ana.get("/api/download?file_path=race/folder/deep.txt"),
                        ana.get("/api/download?file_path=race"),
                        ana.post("/api/new_file", json!({ "path": "race", "file_name": name, "file_content": "in" })),
                        ana.post("/api/edit_file", json!({ "path": "race/secret.txt", "file_content": "inside" })),
                        ana.post("/api/create_folder", json!({ "path": "race/folder", "folder_name": name })),
                        ana.post("/api/delete_folder", json!({ "path": format!("race/folder/{name}") })),
                        ana.post("/api/rename_file", json!({ "path": "race", "file_name": name, "new_name": format!("{name}x") })),
                        ana.post("/api/delete_file", json!({ "path": format!("race/{name}x") })),
                        ana.upload(&Form::new().field("path", "race/folder/up").file(&name, "in")),
                    ] {
                        assert!(matches!(answer.status, 200 | 400 | 404 | 409), "{answer}");
                        let shown = String::from_utf8_lossy(&answer.body);
                        assert!(!shown.contains(SECRET), "{answer}");
                    }
                }
            }));
        }
        let results: Vec<_> =
            clients.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    expect_untouched(&larder);
    larder.wait_until_tidy();
    larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_deleted_takes_nothing_outside_with_it() {
    let larder = guarded();
    let ana = larder.http("ana");
    for round in 0..15 {
        let top = format!("tree{round}");
        for number in 0..30 {
            larder.write(&format!("{top}/sub/{number}/f.txt"), "x");
        }
        let sub = larder.root().join(&top).join("sub");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..30 {
                    let one = sub.join(number.to_string());
                    if fs::rename(&one, sub.join(format!("gone{number}"))).is_ok() {
                        let _gone = symlink(larder.outside(), &one);
                    }
                }
            });
            let answer = ana.post("/api/delete_folder", json!({ "path": top }));
            assert!(answer.status < 500, "{answer}");
        });
        expect_untouched(&larder);
        wait::until("the rest deleted", || {
            !larder.exists(&top)
                || ana.post("/api/delete_folder", json!({ "path": top })).status == 200
        });
    }
    expect_untouched(&larder);
}
