//! A drive that does not answer holds up only what asks for it: `API-2.md`, section 13.

use crate::harness::silent::{CONTENT, FILE, SilentDrive};
use crate::harness::{Larder, Wire, password_of, wait};
use serde_json::json;

/// A larder with a file of its own, and a drive mounted in its share that still answers. `None` where
/// nothing can be mounted.
fn house() -> Option<(Larder, SilentDrive)> {
    let larder = Larder::start().user("ana").file("docs/a.txt", "A").folder("usb");
    let drive = SilentDrive::mount(&larder.root().join("usb"))?;
    let listed = larder.http("ana").get("/api/finder?path=usb&details=1").expect(200).json();
    assert_eq!(listed["items"], json!([FILE]));
    // Closing the file, behind the answer, asks the drive again, and nothing can end who waits for that:
    // the next answer of the connection says that it is done.
    let mut wire = ask(&larder, &format!("/api/download?file_path=usb/{FILE}"));
    assert_eq!(wire.answer().expect(200).text(), CONTENT);
    wire.send("GET /auth HTTP/1.1\r\nHost: larder\r\n\r\n");
    wire.answer().expect(200);
    Some((larder, drive))
}

/// Asks on a connection of its own, and does not wait for the answer.
fn ask(larder: &Larder, target: &str) -> Wire {
    let mut wire = larder.wire();
    wire.send(format!(
        "GET {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\r\n",
        larder.key("ana")
    ));
    wire
}

/// Demands that all answer that do not need the silent drive.
#[track_caller]
fn expect_the_rest_to_answer(larder: &Larder) {
    let ana = larder.http("ana");
    larder.anonymous().get("/").expect(200);
    let is_up = larder.anonymous().get("/api/is_up").status;
    assert!(matches!(is_up, 200 | 429), "{is_up}");
    larder.sign_in("ana", &password_of("ana")).expect(200);
    ana.get("/api/user/get_self").expect(200);
    ana.get("/api/resources").expect(200);
    ana.get("/api/jobs").expect(200);
    ana.get("/metrics").expect(200);
    ana.get("/api/is_up?deep=1").expect(200);
    assert_eq!(ana.get("/api/download?file_path=docs/a.txt").expect(200).text(), "A");
    let listed = ana.get("/api/finder?details=1").expect(200).json();
    assert_eq!(listed["items"], json!(["docs", "usb"]));
    ana.get("/api/finder?path=docs&details=1").expect(200);
    ana.get("/api/trash").expect(200);
}

/// Waits until larder knows that the drive is silent: of one that it does not ask it tells no time.
#[track_caller]
pub fn wait_until_noticed(larder: &Larder) {
    let ana = larder.http("ana");
    wait::until("the silence noticed", || {
        let listed = ana.get("/api/finder?details=1").expect(200).json();
        let entries = listed["entries"].as_array().unwrap().clone();
        let drive = entries.iter().find(|entry| entry["name"] == "usb").unwrap();
        assert_eq!(drive["type"], "folder");
        drive["modified"] == "1970-01-01T00:00:00Z"
    });
}

#[test]
fn a_silent_drive_in_the_share_holds_up_only_what_asks_for_it() {
    let Some((larder, drive)) = house() else { return };
    drive.fall_silent();
    let mut asked: Vec<Wire> = (0..8).map(|_| ask(&larder, "/api/finder?path=usb")).collect();
    wait::until("a question to the drive", || drive.is_asked());
    wait_until_noticed(&larder);
    expect_the_rest_to_answer(&larder);
    // The owner learns which drive it is, and that it is well again.
    let ana = larder.http("ana");
    let is_warned = || {
        let told = ana.get("/api/resources").expect(200).json();
        told["warnings"].as_array().unwrap().iter().any(|it| it["code"] == "storage_silent")
    };
    let place = larder.root().join("usb");
    let is_logged = |news: &str| {
        let row = format!("the drive at {} {news}", place.display());
        ana.get("/api/get_logs").expect(200).text().contains(&row)
    };
    wait::until("a warning", is_warned);
    wait::until("a row about the silence", || is_logged("does not answer"));
    drive.speak();
    wait::until("a row about its end", || is_logged("answers again"));
    assert!(!is_warned());
    for wire in &mut asked {
        wire.answer().expect(200);
    }
}

#[test]
fn what_waits_for_a_silent_drive_does_not_keep_larder_from_ending() {
    let Some((mut larder, drive)) = house() else { return };
    drive.fall_silent();
    // Some are with the drive already, the others wait for it.
    let _asked: Vec<Wire> = (0..12).map(|_| ask(&larder, "/api/finder?path=usb")).collect();
    wait::until("a question to the drive", || drive.is_asked());
    wait_until_noticed(&larder);
    let _waiting: Vec<Wire> = (0..4).map(|_| ask(&larder, "/api/finder?path=usb")).collect();
    larder.stop();
}

#[test]
fn beyond_sixteen_nobody_waits_for_a_silent_drive() {
    let Some((larder, drive)) = house() else { return };
    drive.fall_silent();
    let _first = ask(&larder, "/api/finder?path=usb");
    wait::until("a question to the drive", || drive.is_asked());
    wait_until_noticed(&larder);
    let mut asked: Vec<Wire> = (0..24).map(|_| ask(&larder, "/api/finder?path=usb")).collect();
    expect_the_rest_to_answer(&larder);
    let refused = |wires: &mut Vec<Wire>| {
        wires.iter_mut().filter_map(Wire::status_at_once).filter(|status| *status == 503).count()
    };
    wait::until("503 for some", || refused(&mut asked) >= 8);
    // The owner learns of it, and not once for each that was sent away.
    let mut told = 0;
    wait::until("a row in the log", || {
        let rows = larder.http("ana").get("/api/get_logs").expect(200);
        told = rows.text().matches("the drive does not answer").count();
        told > 0
    });
    assert!(told < 8, "{told} rows");
    drive.speak();
    for wire in &mut asked {
        assert!(matches!(wire.status(), 200 | 503));
    }
    assert!(asked.iter_mut().filter_map(Wire::status_at_once).filter(|s| *s == 200).count() >= 8);
}

/// Asks for something with a body, and does not wait for the answer.
fn post(larder: &Larder, target: &str, kind: &str, body: &str) -> Wire {
    let mut wire = larder.wire();
    wire.send(format!(
        "POST {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        larder.key("ana"),
        body.len()
    ));
    wire
}

/// What many ask for, in words, and how one does.
type Door<'a> = (&'a str, &'a dyn Fn() -> Wire);

#[test]
fn whatever_many_ask_of_a_silent_drive_keeps_nobody_from_another() {
    let Some((larder, drive)) = house() else { return };
    let asked_by = |target: &str, body: &str| post(&larder, target, "application/json", body);
    let form = "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\nusb/deep\r\n--b\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nA\r\n--b--\r\n";
    let link = |path: &str| {
        let made =
            larder.http("ana").post("/api/link/create", json!({ "path": path, "write": true }));
        made.expect_status("Link created")["url"].as_str().unwrap().to_owned()
    };
    let (there, elsewhere) = (link("usb"), link("docs"));
    let tus =
        "application/offset+octet-stream\r\nUpload-Length: 1\r\nUpload-Metadata: filename YQ==";
    let doors: [Door<'_>; 16] = [
        ("a file", &|| ask(&larder, "/api/download?file_path=usb/there.txt")),
        ("a listing", &|| ask(&larder, "/api/finder?path=usb&details=1")),
        ("a listing below", &|| ask(&larder, "/api/finder?path=usb/deep")),
        ("a small picture", &|| ask(&larder, "/api/thumb?path=usb/a.jpg")),
        ("a ZIP", &|| ask(&larder, "/api/download?file_path=usb")),
        ("photos", &|| ask(&larder, "/api/photos?path=usb")),
        ("an upload", &|| post(&larder, "/api/upload", "multipart/form-data; boundary=b", form)),
        ("a folder", &|| asked_by("/api/create_folder", r#"{"path":"usb","folder_name":"n"}"#)),
        ("a rename", &|| {
            asked_by("/api/rename_file", r#"{"path":"usb","file_name":"there.txt","new_name":"b"}"#)
        }),
        ("a move", &|| asked_by("/api/move", r#"{"paths":["usb/there.txt"],"to":"docs"}"#)),
        ("a deletion", &|| asked_by("/api/delete", r#"{"paths":["usb/there.txt"]}"#)),
        ("what a link is", &|| ask(&larder, &format!("{there}/info"))),
        ("a listing by a link", &|| ask(&larder, &format!("{there}/list?path=deep"))),
        ("a file by a link", &|| ask(&larder, &format!("{there}/download?path=there.txt"))),
        ("a small picture by a link", &|| ask(&larder, &format!("{there}/thumb?path=a.jpg"))),
        ("an upload by a link", &|| post(&larder, &format!("{there}/uploads"), tus, "A")),
    ];
    for (what, door) in doors {
        // It has just answered: as many go in as may.
        larder.http("ana").get("/api/finder?path=usb").expect(200);
        drive.fall_silent();
        let mut asked: Vec<Wire> = (0..24).map(|_| door()).collect();
        wait::until(&format!("the drive asked for {what}"), || drive.is_asked());
        let ana = larder.http("ana");
        let by_link = format!("{elsewhere}/list");
        let told =
            ["/api/download?file_path=docs/a.txt", "/api/finder?path=docs&details=1", &by_link]
                .map(|target| ana.get(target));
        drive.speak();
        for answer in told {
            assert_eq!(answer.status, 200, "beside those who ask for {what}: {answer}");
        }
        for wire in &mut asked {
            let status = wire.status();
            assert!(!matches!(status, 400 | 401 | 403 | 405), "{what}: {status}");
        }
    }
}

#[test]
fn a_group_that_was_cut_off_is_taken_back_when_its_silent_drive_answers_again() {
    let Some((mut larder, drive)) = house() else { return };
    larder.stop();
    let record = ".larder/tmp/0011223344556677-1.group";
    let what = r#"{"size":1,"modified_ns":1,"is_file":true}"#;
    let text = format!(
        r#"[{{"place":"hidden","top":"","asides":["0011223344556677-2"]}},
            {{"place":"usb/new","top":"usb","what":{what}}}]"#
    );
    larder.write(record, &text);
    larder.write(".larder/tmp/0011223344556677-2", "H");
    drive.fall_silent();
    larder.restart();
    wait_until_noticed(&larder);
    expect_the_rest_to_answer(&larder);
    assert!(larder.exists(record) && !larder.exists("hidden"));
    drive.speak();
    let ana = larder.http("ana");
    wait::until("the group taken back", || {
        ana.get("/api/finder").expect(200);
        larder.exists("hidden") && !larder.exists(record)
    });
}

#[test]
fn a_drive_that_comes_while_another_falls_silent_holds_up_nobody() {
    let Some((larder, drive)) = house() else { return };
    let ana = larder.http("ana");
    std::fs::create_dir(larder.root().join("other")).unwrap();
    assert_eq!(ana.get(&format!("/api/download?file_path=usb/{FILE}")).expect(200).text(), CONTENT);
    // It has just answered, so that whoever clears up after the new one goes in, and stays there.
    drive.fall_silent();
    let Some(_other) = SilentDrive::mount(&larder.root().join("other")) else { return };
    assert_eq!(ana.get("/api/download?file_path=docs/a.txt").expect(200).text(), "A");
    ana.get("/api/finder?path=docs&details=1").expect(200);
}
