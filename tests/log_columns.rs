//! The columns of the log and the filters over them: second contract, section 22.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::ftp::FtpHouse;
use crate::harness::{Form, Larder};

/// The rows that a query finds, without what differs from run to run.
#[track_caller]
fn found(larder: &Larder, query: &str) -> Vec<Value> {
    let mut rows = larder.http("ana").get(&format!("/api/get_logs?{query}")).expect(200).json();
    let rows = rows.as_array_mut().expect("an array");
    rows.reverse();
    rows.iter()
        .cloned()
        .map(|mut row| {
            let columns = row.as_object_mut().expect("a row");
            columns.remove("id");
            columns.remove("timestamp");
            row
        })
        .collect()
}

/// What the rows say that a query finds, the oldest first.
#[track_caller]
fn actions(larder: &Larder, query: &str) -> Vec<String> {
    let text = |row: &Value| row["action"].as_str().unwrap().to_owned();
    found(larder, query).iter().map(text).collect()
}

/// A value within a query.
fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// What the API writes down of one thing of ana's.
fn row(action: &str, op: &str, path: &str, more: Value) -> Value {
    let mut row = json!({ "action": format!("ana: {action}"), "ip": "127.0.0.1" });
    let columns = json!({ "user": "ana", "door": "api", "op": op, "path": path });
    for part in [columns, more] {
        let part = part.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(part);
    }
    row
}

#[test]
fn what_is_done_to_files_has_its_columns() {
    let larder = Larder::start().user("ana").folder("d");
    let ana = larder.http("ana");
    let trash = |answer: &Value| answer["trash"][0].as_str().expect("an id").to_owned();
    ana.post("/api/new_file", json!({ "file_name": "a.txt", "file_content": "1" })).expect(200);
    let edited = ana
        .post("/api/edit_file", json!({ "path": "a.txt", "file_content": "2" }))
        .expect_status("File edited");
    ana.post("/api/edit_file", json!({ "path": "new.txt", "file_content": "2" })).expect(200);
    ana.upload(&Form::new().file("up.txt", "1")).expect(200);
    let replaced = ana.upload(&Form::new().file("up.txt", "2")).expect_status("File uploaded");
    let names = json!({ "path": "", "file_name": "a.txt", "new_name": "b.txt" });
    ana.post("/api/rename_file", names).expect(200);
    let moving = json!({ "paths": ["b.txt"], "to": "d" });
    ana.post("/api/move", moving).expect(200);
    ana.post("/api/copy", json!({ "paths": ["d/b.txt"], "to": "" })).expect(200);
    let over = json!({ "paths": ["d/b.txt"], "to": "", "if_exists": "overwrite" });
    let over = ana.post("/api/copy", over).expect_status("Copied");
    let deleted =
        ana.post("/api/delete_file", json!({ "path": "b.txt" })).expect_status("File deleted");
    ana.post("/api/trash/restore", json!({ "ids": [trash(&deleted)] })).expect(200);
    ana.post("/api/delete", json!({ "paths": ["b.txt"], "permanent": true })).expect(200);
    let wanted = [
        row("created /a.txt", "create", "a.txt", json!({})),
        row("edited /a.txt", "write", "a.txt", json!({ "trash_id": trash(&edited) })),
        row("edited /new.txt", "create", "new.txt", json!({})),
        row("uploaded /up.txt", "create", "up.txt", json!({})),
        row("uploaded /up.txt", "write", "up.txt", json!({ "trash_id": trash(&replaced) })),
        row("renamed /a.txt to /b.txt", "rename", "a.txt", json!({ "path_to": "b.txt" })),
        row("moved /b.txt to /d/b.txt", "move", "b.txt", json!({ "path_to": "d/b.txt" })),
        row("copied /d/b.txt to /b.txt", "copy", "d/b.txt", json!({ "path_to": "b.txt" })),
        row(
            "copied /d/b.txt to /b.txt",
            "copy",
            "d/b.txt",
            json!({ "path_to": "b.txt", "trash_id": trash(&over) }),
        ),
        row("moved to the trash /b.txt", "delete", "b.txt", json!({ "trash_id": trash(&deleted) })),
        row(
            "restored from the trash /b.txt",
            "restore",
            "b.txt",
            json!({ "trash_id": trash(&deleted) }),
        ),
        row("deleted /b.txt", "delete", "b.txt", json!({})),
    ];
    let rows = found(&larder, "path=");
    for (row, wanted) in rows.iter().zip(&wanted) {
        assert_eq!(row, wanted);
    }
    assert_eq!(rows.len(), wanted.len(), "{rows:#?}");
}

#[test]
fn folders_have_their_columns_and_reading_leaves_no_row() {
    let larder = Larder::start().user("ana").file("z/x.txt", "x");
    let ana = larder.http("ana");
    ana.post("/api/create_folder", json!({ "folder_name": "d" })).expect(200);
    let names = json!({ "path": "", "folder_name": "d", "new_name": "e" });
    ana.post("/api/rename_folder", names).expect(200);
    let deleted = ana.post("/api/delete_folder", json!({ "path": "e" })).expect(200).json();
    for read in ["download?file_path=z", "get_file?file_path=z/x.txt", "finder?path=z", "trash"] {
        ana.get(&format!("/api/{read}")).expect(200);
    }
    let id = deleted["trash"][0].clone();
    let wanted = [
        row("created folder /d", "create", "d", json!({})),
        row("renamed /d to /e", "rename", "d", json!({ "path_to": "e" })),
        row("moved to the trash folder /e", "delete", "e", json!({ "trash_id": id })),
    ];
    assert_eq!(found(&larder, "path="), wanted);
    assert!(found(&larder, "op=read").is_empty());
}

/// Each thing of a group can be found by its path, with its own place in the trash.
#[test]
fn a_group_has_a_row_for_each_thing() {
    let larder = Larder::start().user("ana").folder("to").file("to/1", "old").file("to/3", "old");
    let ana = larder.http("ana");
    let form = ["1", "2", "3"].iter().fold(Form::new(), |form, name| form.file(name, "new"));
    ana.upload(&form).expect(200);
    assert_eq!(actions(&larder, "path=2"), ["ana: uploaded /2"]);
    let moving =
        json!({ "paths": ["1", "2", "3"], "to": "to", "if_exists": "overwrite", "job": true });
    ana.post("/api/move", moving).expect(200);
    crate::harness::wait::until("the move", || !larder.exists("3"));
    crate::harness::wait::until("its rows", || found(&larder, "op=move").len() == 3);
    let jobs = ana.get("/api/jobs").expect(200).json();
    let ids: Vec<_> = found(&larder, "op=move").iter().map(|row| row["trash_id"].clone()).collect();
    assert_eq!([&ids[0], &ids[2]], [&jobs[0]["trash"][0], &jobs[0]["trash"][1]]);
    assert!(ids[1].is_null() && ids[0] != ids[2], "{ids:?}");
    let deleted = json!({ "paths": ["to/3", "to/1"] });
    let deleted = ana.post("/api/delete", deleted).expect_status("Deleted");
    let one = &found(&larder, "path=to/1&op=delete")[0];
    assert_eq!(one["trash_id"], deleted["trash"][1]);
    let both = json!({ "ids": [deleted["trash"][1], deleted["trash"][0], deleted["trash"][1]] });
    ana.post("/api/trash/restore", both).expect(200);
    let back = found(&larder, "op=restore");
    assert_eq!(back.len(), 2);
    assert_eq!((&back[0]["path"], &back[0]["trash_id"]), (&json!("to/1"), &deleted["trash"][1]));
    assert_eq!((&back[1]["path"], &back[1]["trash_id"]), (&json!("to/3"), &deleted["trash"][0]));
}

/// More at once than the log has in its queue.
#[test]
fn of_a_large_group_no_row_is_lost() {
    let larder = Larder::start().user("ana");
    let names: Vec<String> = (0..3000).map(|number| format!("{number}")).collect();
    for name in &names {
        larder.write(name, "");
    }
    let deleted = json!({ "paths": names });
    let deleted = larder.http("ana").post("/api/delete", deleted).expect_status("Deleted");
    for number in [0, 1023, 1024, 2999] {
        let rows = found(&larder, &format!("path={number}"));
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["trash_id"], deleted["trash"][number]);
    }
    assert!(actions(&larder, "door=machine").iter().all(|action| !action.contains("lost")));
}

#[test]
fn the_ftp_door_has_its_columns() {
    let house = FtpHouse::start();
    let larder = &house.larder;
    let mut ftp = house.sign_in("cam");
    ftp.store("STOR a.txt", "1");
    ftp.store("STOR a.txt", "2");
    ftp.store("APPE a.txt", "3");
    ftp.store("APPE new.txt", "3");
    ftp.fetch_text("RETR a.txt");
    ftp.expect("MKD d", 257);
    ftp.expect("RNFR a.txt", 350);
    ftp.expect("RNTO d/b.txt", 250);
    ftp.expect("RNFR new.txt", 350);
    ftp.expect("RNTO d/b.txt", 250);
    ftp.expect("MFMT 20200102030405 d/b.txt", 213);
    ftp.expect("DELE d/b.txt", 250);
    ftp.expect("RMD d", 250);
    ftp.expect("QUIT", 221);
    let mut wrong = house.connect();
    wrong.expect("USER cam", 331);
    wrong.expect("PASS wrong", 530);
    let summary = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let trashed = if row["trash_id"].is_string() { " trashed" } else { "" };
        format!("{} {} {}{trashed}", text("op"), text("path"), text("path_to"))
    };
    let rows = found(larder, "user=cam&path=");
    assert!(rows.iter().all(|row| row["door"] == "ftp" && row["ip"] == "127.0.0.1"));
    let told: Vec<_> = rows.iter().map(summary).collect();
    let wanted = [
        "create a.txt -",
        "write a.txt - trashed",
        "write a.txt -",
        "create new.txt -",
        "create d -",
        "move a.txt d/b.txt",
        "move new.txt d/b.txt trashed",
        "change d/b.txt -",
        "delete d/b.txt - trashed",
        "delete d -",
    ];
    assert_eq!(told, wanted);
    let others: Vec<_> = found(larder, "user=cam&door=ftp")
        .into_iter()
        .filter(|row| row["path"].is_null())
        .collect();
    let told: Vec<_> =
        others.iter().map(|row| (row["op"].as_str(), row["action"].as_str())).collect();
    assert_eq!(told[0], (Some("sign_in"), Some("ftp cam: signed in")));
    assert!(told.contains(&(Some("sign_out"), Some("ftp cam: left"))), "{told:?}");
    let refused = found(larder, "user=cam&op=refused");
    assert!(
        refused[0]["action"].as_str().unwrap().starts_with("ftp somebody: failed sign-in as cam")
    );
}

#[test]
fn signing_in_refusals_changes_and_the_machine_have_their_columns() {
    let larder = Larder::start().user("ana").user_with("leo", "admin", r#"["photos"]"#, "[]");
    let mut larder = larder.user_with("gus", "guest", "[]", "[]");
    let ana = larder.http("ana");
    larder.token("ana");
    larder.sign_in("leo", "a wrong password").expect(401);
    larder.sign_in(&"x".repeat(900), "a wrong password").expect(401);
    let asked = json!({ "file_name": "x", "file_content": "" });
    larder.http("leo").post("/api/new_file", asked).expect(401);
    larder.anonymous().get("/api/finder").expect(401);
    // A guest's role is not listed there.
    larder.http("gus").get("/api/get_logs").expect(401);
    ana.post("/api/update_settings", json!({ "trash_days": 7 })).expect(200);
    ana.post("/api/command", json!({ "command": "true" })).expect(200);
    let columns = |query: &str| {
        let rows = found(&larder, query);
        let column = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
        rows.iter()
            .map(|row| {
                format!("{} {} {}", column(row, "user"), column(row, "door"), column(row, "op"))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(columns("op=sign_in"), ["ana api sign_in"]);
    let refused = ["leo", "-", "leo", "-", "gus"].map(|who| format!("{who} api refused"));
    assert_eq!(columns("op=refused"), refused);
    assert_eq!(columns("op=change&user=ana"), ["ana api change"]);
    assert_eq!(columns("op=command"), ["ana api command"]);
    assert_eq!(columns("op=start"), ["- machine start"]);
    let added = actions(&larder, "door=machine&op=change");
    let by_hand = added.iter().filter(|action| action.starts_with("command line: added user "));
    assert_eq!(by_hand.count(), 3, "{added:?}");
    larder.stop();
    let larder = larder.launch();
    assert_eq!(
        columns_of_stop(&larder),
        json!({ "action": "larder stopped", "ip": "", "door": "machine", "op": "stop" })
    );
}

/// The one row that tells of a stop.
fn columns_of_stop(larder: &Larder) -> Value {
    let rows = found(larder, "op=stop");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

#[test]
fn filters_go_together_with_each_other_and_with_pages() {
    let larder = Larder::start().user("ana").user("ben").folder("d");
    let make = |who: &str, folder: &str, name: &str| {
        let asked = json!({ "path": folder, "folder_name": name });
        larder.http(who).post("/api/create_folder", asked).expect(200);
    };
    for number in 0..5 {
        make("ana", "d", &format!("{number}"));
        make("ben", "", &format!("{number}"));
    }
    make("ben", "d", "by ben");
    assert_eq!(found(&larder, "user=ana&op=create&path=/d/").len(), 5);
    assert_eq!(actions(&larder, "user=ben&path=d"), ["ben: created folder /d/by ben"]);
    assert_eq!(actions(&larder, "user=ben&path=d&limit=9&door=api").len(), 1);
    let newest = larder.http("ana").get("/api/get_logs?user=ana&op=create&limit=2").json();
    assert_eq!(newest[1]["action"], "ana: created folder /d/3");
    let query = format!("user=ana&op=create&limit=2&before={}", newest[1]["id"]);
    let wanted = ["ana: created folder /d/1", "ana: created folder /d/2"];
    assert_eq!(actions(&larder, &query), wanted);
    for query in
        ["user=ana&door=ftp", "user=ana&op=delete", "door=api&user=nobody", "op=create&before=0"]
    {
        assert!(found(&larder, query).is_empty(), "{query}");
    }
}

#[test]
fn a_value_that_nobody_has_finds_nothing_and_none_is_a_pattern() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for name in ["a_b", "aXb", "a%b", "a'b", "a\"b", "a\u{7f}b", "ä", "a\u{308}", "📷", "ab"] {
        ana.post("/api/create_folder", json!({ "folder_name": name })).expect(200);
        let told: Vec<_> = found(&larder, &format!("path={}", encoded(name)))
            .iter()
            .map(|row| row["path"].clone())
            .collect();
        assert_eq!(told, [name], "{name:?}");
    }
    let long = "x".repeat(6 << 10);
    for value in [
        "%",
        "_",
        "a%",
        "a_",
        "*",
        "",
        "\0",
        "ana\0",
        "ANA",
        "ana ",
        "' OR ''='",
        "x' --",
        "ä",
        "\u{feff}",
        &long,
    ] {
        for name in ["user", "door", "op"] {
            let query = format!("{name}={}", encoded(value));
            assert!(found(&larder, &query).is_empty(), "{query}");
        }
    }
    for value in ["%", "_", "a\0", "../a", "a/../..", "a", "A_B", "aXb/", &long] {
        let rows = found(&larder, &format!("path={}", encoded(value)));
        assert_eq!(rows.len(), usize::from(value == "aXb/"), "{value}");
    }
    // Longer than an address may be.
    ana.get(&format!("/api/get_logs?user={}", "x".repeat(9 << 10))).expect(414);
    ana.get("/api/get_logs?user=%FF").expect_refusal(400);
}

#[test]
fn names_that_are_no_text_are_told_and_found_in_larders_own_form() {
    use std::os::unix::ffi::OsStrExt;
    let larder = Larder::start().user("ana");
    let raw = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    std::fs::write(larder.root().join(raw), "x").unwrap();
    larder.http("ana").post("/api/delete_file", json!({ "path": "%=caf%E9.txt" })).expect(200);
    let rows = found(&larder, &format!("path={}", encoded("%=caf%E9.txt")));
    assert_eq!((rows.len(), &rows[0]["path"]), (1, &json!("%=caf%E9.txt")));
}

#[test]
fn only_whoever_may_read_the_log_may_filter_it() {
    let larder = Larder::start().user("ana").user_with("leo", "guest", "[]", "[]");
    larder.http("leo").get("/api/get_logs?user=leo").expect(401);
    larder.anonymous().get("/api/get_logs?path=a").expect(401);
}

#[test]
fn rows_of_before_the_columns_keep_their_text() {
    let mut larder = Larder::start().user("ana");
    larder.stop();
    let path = larder.state().join("db/logs.db");
    for name in ["logs.db", "logs.db-wal", "logs.db-shm"] {
        let _not_there = std::fs::remove_file(path.with_file_name(name));
    }
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE logs(id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, action TEXT NOT NULL,
                           ip TEXT NOT NULL) STRICT;
         INSERT INTO logs(timestamp, action, ip)
         VALUES ('2999-01-01 00:00:00', 'ana: created /old.txt', '10.0.0.9');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let larder = larder.launch();
    let rows = found(&larder, "");
    assert_eq!(rows[0], json!({ "action": "ana: created /old.txt", "ip": "10.0.0.9" }));
    assert!(found(&larder, "path=old.txt").is_empty());
    assert_eq!(found(&larder, "op=start").len(), 1);
}
