//! Several things deleted at once, what answers tell of the trash, and what cannot be deleted: second
//! contract, sections 13 and 26.

use crate::harness::{Answer, Client, Form, Larder, everybody_may_everything, wait};
use serde_json::{Value, json};

/// Asks for several things to be deleted.
fn delete(client: &Client, paths: &[&str]) -> Answer {
    client.post("/api/delete", json!({ "paths": paths }))
}

/// The paths in the trash, sorted.
#[track_caller]
fn trashed(client: &Client) -> Vec<String> {
    let listed = client.get("/api/trash").expect(200).json();
    let paths =
        listed.as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap().to_owned());
    let mut paths: Vec<String> = paths.collect();
    paths.sort();
    paths
}

/// The job of an answer, once it has ended.
#[track_caller]
fn end_of(client: &Client, started: Answer) -> Value {
    let id = started.expect_status("Started")["job"].clone();
    let job = || {
        let jobs = client.get("/api/jobs").expect(200).json();
        jobs.as_array().unwrap().iter().find(|job| job["id"] == id).cloned().expect("the job")
    };
    wait::until("the job's end", || job()["state"] != "running");
    job()
}

#[test]
fn several_things_go_at_once_and_the_answer_tells_how_to_undo_it() {
    let larder = Larder::start().user("ana").file("a.txt", "A").file("d/b.txt", "B").file("c", "C");
    let ana = larder.http("ana");
    let told = delete(&ana, &["a.txt", "/d/"]).expect_status("Deleted");
    assert_eq!(told["permanent"], false);
    assert_eq!(told["trash"].as_array().unwrap().len(), 2);
    assert_eq!(larder.tree(), ["c"]);
    assert_eq!(trashed(&ana), ["a.txt", "d"]);
    let back = ana.post("/api/trash/restore", json!({ "ids": told["trash"] }));
    assert_eq!(back.expect_status("Restored")["paths"], json!(["a.txt", "d"]));
    assert_eq!(larder.tree(), ["a.txt", "c", "d/", "d/b.txt"]);

    let ask = json!({ "paths": ["a.txt", "d"], "permanent": true });
    let told = ana.post("/api/delete", ask).expect_status("Deleted");
    assert_eq!(told, json!({ "status": "Deleted", "trash": [], "permanent": true }));
    assert_eq!(larder.tree(), ["c"]);
    assert!(trashed(&ana).is_empty());
    assert_eq!(larder.unfinished(), 0);
}

#[test]
fn of_several_all_go_or_none() {
    let larder = Larder::start().user("ana").reader("rea").file("a", "A").file("d/b", "B");
    let larder = larder.user_with("eve", "user", r#"[""]"#, r#"["d"]"#);
    let ana = larder.http("ana");
    let before = larder.tree();
    delete(&ana, &["a", "d", "none"]).expect_error(404, "Path does not exist");
    delete(&ana, &["a", "d", "d/b"]).expect_error(400, "The paths overlap");
    delete(&ana, &["a", "/a"]).expect_error(400, "The paths overlap");
    delete(&ana, &["a", ""]).expect_error(400, "The root can't be deleted");
    delete(&ana, &[]).expect_error(400, "No paths provided");
    ana.post("/api/delete", json!({})).expect_error(400, "No paths provided");
    delete(&ana, &["a", "../b"]).expect_refusal(400);
    let many: Vec<String> = (0..=10_000).map(|number| format!("f{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    delete(&ana, &many).expect_error(400, "Too many paths");
    // What may not be deleted is told before whether it is there.
    delete(&larder.http("eve"), &["d/b", "a"]).expect_error(403, "Not permitted");
    delete(&larder.http("eve"), &["none"]).expect_error(403, "Not permitted");
    delete(&larder.http("rea"), &["a"]).expect_error(403, "Not permitted");
    assert_eq!(larder.tree(), before);
    assert!(trashed(&ana).is_empty());
}

#[test]
fn whoever_may_delete_files_and_folders_may_delete_several() {
    let mut roles = everybody_may_everything();
    roles["/api/delete_folder"] = json!(["admin"]);
    let larder = Larder::prepare().roles(&roles).launch();
    let larder = larder.user("ana").user_with("ada", "admin", r#"[""]"#, r#"[""]"#).file("a", "A");
    let ana = larder.http("ana");
    delete(&ana, &["a"]).expect_error(403, "Not permitted");
    let told = ana.get("/api/role/self").expect(200).json();
    assert_eq!((&told["/api/delete_file"], &told["/api/delete"]), (&json!(true), &json!(false)));
    delete(&larder.http("ada"), &["a"]).expect_status("Deleted");
}

#[test]
fn as_a_job_it_tells_its_ids_in_its_row() {
    let larder = Larder::start().user("ana").file("a", "A").file("d/b", "B").file("c/d", "C");
    let ana = larder.http("ana");
    let job = end_of(&ana, ana.post("/api/delete", json!({ "paths": ["a", "d"], "job": true })));
    assert_eq!((&job["kind"], &job["state"]), (&json!("delete"), &json!("done")));
    let back = ana.post("/api/trash/restore", json!({ "ids": job["trash"] }));
    assert_eq!(back.expect_status("Restored")["paths"], json!(["a", "d"]));
    let ask = json!({ "paths": ["a", "d"], "job": true, "permanent": true });
    let job = end_of(&ana, ana.post("/api/delete", ask));
    assert_eq!((&job["state"], &job["trash"]), (&json!("done"), &json!([])));
    assert_eq!(job["done_items"], job["total_items"]);
    assert_eq!(larder.tree(), ["c/", "c/d"]);
    let job = end_of(&ana, ana.post("/api/delete_folder", json!({ "path": "c", "job": true })));
    assert_eq!(job["trash"].as_array().unwrap().len(), 1);
    ana.post("/api/delete", json!({ "paths": ["x"], "job": true })).expect_refusal(404);
}

#[test]
fn whatever_deletes_or_replaces_tells_the_ids() {
    let larder = Larder::start().user("ana").file("a", "A").file("d/a", "D").file("e/a", "E");
    let ana = larder.http("ana");
    // Gives everything back that the answer tells of, and says what that was.
    let back = |told: &Value| {
        let ids = &told["trash"];
        let ask = json!({ "ids": ids, "if_exists": "overwrite" });
        let told = ana.post("/api/trash/restore", ask).expect_status("Restored");
        told["paths"].clone()
    };
    let told = ana.post("/api/delete_file", json!({ "path": "a" })).expect_status("File deleted");
    assert_eq!(back(&told), json!(["a"]));
    let told =
        ana.post("/api/delete_folder", json!({ "path": "d" })).expect_status("Folder deleted");
    assert_eq!(back(&told), json!(["d"]));

    let edit = |path: &str| {
        let ask = json!({ "path": path, "file_content": "new" });
        ana.post("/api/edit_file", ask).expect_status("File edited")
    };
    assert_eq!(edit("fresh")["trash"], json!([]));
    assert_eq!(back(&edit("a")), json!(["a"]));
    assert_eq!(larder.read("a"), "A");

    let form = Form::new().field("path", "d").file("a", "new").file("b", "new");
    let told = ana.upload(&form).expect_status("File uploaded");
    assert_eq!(back(&told), json!(["d/a"]));
    assert_eq!(
        ana.upload(&Form::new().file("g", "G")).expect_status("File uploaded")["trash"],
        json!([])
    );

    for verb in ["copy", "move"] {
        let ask = json!({ "paths": ["a"], "to": "d", "if_exists": "overwrite" });
        let told = ana.post(&format!("/api/{verb}"), ask).expect(200).json();
        assert_eq!(back(&told), json!(["d/a"]), "{verb}");
        assert_eq!(larder.read("d/a"), "D");
        larder.write("a", "A");
    }
    let ask = json!({ "paths": ["a"], "to": "d", "if_exists": "rename" });
    assert_eq!(ana.post("/api/copy", ask).expect(200).json()["trash"], json!([]));
    let ask = json!({ "paths": ["a"], "to": "e", "if_exists": "overwrite", "job": true });
    let job = end_of(&ana, ana.post("/api/copy", ask));
    assert_eq!(back(&job), json!(["e/a"]));
    assert_eq!(larder.read("e/a"), "E");
}
