//! Who may read and write where. Both spaces: the door is shut, and its neighbour is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::harness::{Answer, Client, Form, Larder, encode, everybody_may_everything};

/// Every way of reading `path`.
fn read_in_every_way(larder: &Larder, name: &str, path: &str) -> Vec<Answer> {
    read_in_every_way_as(&larder.http(name), path)
}

/// The same for somebody.
fn read_in_every_way_as(client: &Client, path: &str) -> Vec<Answer> {
    vec![
        client.get_with("/api/finder", "path", path),
        client.get_with("/api/get_file", "file_path", path),
        client.get_with("/api/download", "file_path", path),
        client.head(&format!("/api/download?file_path={}", encode(path))),
        client.get_with("/api/thumb", "path", path),
        client.head(&format!("/api/thumb?path={}", encode(path))),
        client.post("/api/link/create", json!({ "path": path })),
    ]
}

/// A value of `Upload-Metadata`.
fn encoded(text: &str) -> String {
    BASE64.encode(text)
}

/// Begins an upload that goes on.
fn begin_upload(client: &Client, metadata: &str) -> Answer {
    let metadata = format!("{metadata},if_exists {}", encoded("overwrite"));
    let fields = [("Upload-Length", "4"), ("Upload-Metadata", &*metadata)];
    client.ask("POST", "/api/uploads", &fields, b"")
}

/// Every way of changing `folder/name`, which must not be permitted.
fn change_in_every_way(larder: &Larder, who: &str, folder: &str, name: &str) -> Vec<Answer> {
    change_in_every_way_as(&larder.http(who), folder, name)
}

/// The same for somebody.
fn change_in_every_way_as(client: &Client, folder: &str, name: &str) -> Vec<Answer> {
    let path = format!("{folder}/{name}");
    let form = Form::new().field("path", folder).file(name, "evil");
    let late = Form::new().file(name, "evil").field("path", folder);
    vec![
        client.post(
            "/api/new_file",
            json!({ "path": folder, "file_name": name, "file_content": "evil" }),
        ),
        client.post("/api/edit_file", json!({ "path": path, "file_content": "evil" })),
        client.post("/api/delete_file", json!({ "path": path })),
        client.post("/api/delete_file", json!({ "path": path, "permanent": true })),
        client.post(
            "/api/rename_file",
            json!({ "path": folder, "file_name": name, "new_name": "x" }),
        ),
        client.post("/api/create_folder", json!({ "path": folder, "folder_name": "made" })),
        client.post("/api/delete_folder", json!({ "path": folder })),
        client.post(
            "/api/rename_folder",
            json!({ "path": folder, "folder_name": name, "new_name": "x" }),
        ),
        client.upload(&form),
        client.upload(&late),
        begin_upload(client, &format!("filename {},path {}", encoded(name), encoded(folder))),
        begin_upload(client, &format!("relativePath {}", encoded(&path))),
        client.post("/api/link/create", json!({ "path": folder, "read": false, "write": true })),
        client.clone().with("If-Match", "\"evil\"").post_raw(
            &format!("/api/thumb?path={}", encode(&path)),
            Some("image/jpeg"),
            b"evil",
        ),
    ]
}

/// How something refuses, by status and in words: programs take 401 as "ask for the password again", which is why
/// what came with the second contract says 403.
fn refusal_of(answer: &Answer) -> (u16, &'static str) {
    let is_newer = |door: &&str| answer.asked.contains(*door);
    if ["/api/thumb", "/api/uploads", "/api/link"].iter().any(is_newer) {
        (403, "Not permitted")
    } else {
        (401, "Unauthorized")
    }
}

/// All of them refused, each in its words.
#[track_caller]
fn expect_all_refused(answers: Vec<Answer>) {
    for answer in answers {
        let (status, words) = refusal_of(&answer);
        if answer.asked.starts_with("HEAD") {
            answer.expect(status);
        } else {
            answer.expect_error(status, words);
        }
    }
}

/// Photos for ana, with neighbours of similar names.
fn photos() -> Larder {
    Larder::start()
        .user_with("ana", "user", r#"["photos", "docs/shared"]"#, r#"["photos/new"]"#)
        .file("photos/a.txt", "A")
        .file("photos/new/n.txt", "N")
        .file("photos/newer/n.txt", "N")
        .file("photos2/a.txt", "secret")
        .file("phot/a.txt", "secret")
        .file("Photos/a.txt", "secret")
        .file("docs/shared/s.txt", "S")
        .file("docs/shared/deep/d.txt", "D")
        .file("docs/private/p.txt", "secret")
        .file("docs/p.txt", "secret")
        .file("top.txt", "secret")
}

#[test]
fn a_prefix_opens_its_folder_and_all_below() {
    let larder = photos();
    let ana = larder.http("ana");
    for (path, content) in
        [("photos/a.txt", "A"), ("/photos/new/n.txt", "N"), ("docs/shared/deep/d.txt", "D")]
    {
        assert_eq!(ana.get_with("/api/download", "file_path", path).expect(200).text(), content);
        let json = ana
            .get_with("/api/get_file", "file_path", path)
            .expect_status("File content retrieved");
        assert_eq!(json["content"], content);
    }
    let items = ana.get("/api/finder?path=photos").expect(200).json()["items"].clone();
    assert_eq!(items, json!(["a.txt", "new", "newer"]));
    ana.get("/api/download?file_path=photos").expect(200);
}

#[test]
fn a_prefix_does_not_open_its_neighbours() {
    let larder = photos();
    for path in [
        "photos2",
        "photos2/a.txt",
        "phot/a.txt",
        "Photos/a.txt",
        "docs/private",
        "docs/private/p.txt",
        "docs/p.txt",
        "top.txt",
        "docs/shared2",
        "photos2/../photos2",
    ] {
        for answer in read_in_every_way(&larder, "ana", path) {
            let is_input = path.contains("..");
            let refused = refusal_of(&answer).0;
            assert_eq!(answer.status, if is_input { 400 } else { refused }, "{answer}");
            assert!(!answer.body.windows(6).any(|window| window == b"secret"), "{answer}");
        }
    }
}

#[test]
fn a_forbidden_path_is_refused_whether_it_exists_or_not() {
    let larder = photos();
    let ana = larder.http("ana");
    for endpoint in ["/api/get_file", "/api/download"] {
        let there =
            ana.get_with(endpoint, "file_path", "docs/p.txt").expect_error(401, "Unauthorized");
        let not_there =
            ana.get_with(endpoint, "file_path", "docs/q.txt").expect_error(401, "Unauthorized");
        let below =
            ana.get_with(endpoint, "file_path", "docs/p.txt/q").expect_error(401, "Unauthorized");
        assert_eq!(there.body, not_there.body);
        assert_eq!(there.body, below.body);
    }
    expect_all_refused(change_in_every_way(&larder, "ana", "docs/private", "p.txt"));
    expect_all_refused(change_in_every_way(&larder, "ana", "docs/private", "not there.txt"));
    expect_all_refused(change_in_every_way(&larder, "ana", "not there", "p.txt"));
    assert_eq!(larder.read("docs/private/p.txt"), "secret");
}

#[test]
fn input_is_judged_before_permission() {
    let larder = photos();
    let ana = larder.http("ana");
    ana.get("/api/get_file").expect_error(400, "No file path provided");
    ana.get("/api/get_file?file_path=docs/../x").expect_error(400, "Invalid path");
    let ask = json!({ "path": "docs", "file_name": "a/b", "file_content": "" });
    ana.post("/api/new_file", ask).expect_error(400, "Invalid name");
}

#[test]
fn a_folder_on_the_way_lists_only_the_way() {
    let larder = photos();
    let ana = larder.http("ana");
    let items = |path: &str| {
        let answer = ana.get(&format!("/api/finder?details=1&path={path}")).expect(200).json();
        let names = answer["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone());
        assert_eq!(answer["items"].as_array().unwrap(), &names.collect::<Vec<_>>());
        answer["items"].clone()
    };
    assert_eq!(items(""), json!(["docs", "photos"]));
    assert_eq!(items("docs"), json!(["shared"]));
    assert_eq!(items("docs/shared"), json!(["deep", "s.txt"]));
    // Seeing it is not having it.
    ana.get("/api/download?file_path=docs").expect_error(401, "Unauthorized");
    ana.get("/api/download?file_path=").expect_refusal(401);
}

#[test]
fn a_reader_does_not_write() {
    let larder = Larder::start().reader("rob").file("docs/a.txt", "A");
    for answer in read_in_every_way(&larder, "rob", "docs/a.txt").into_iter().skip(1) {
        // Of a text there is no small picture, which is told to whoever may read it.
        let status = if answer.asked.contains("/api/thumb") { 404 } else { 200 };
        answer.expect(status);
    }
    expect_all_refused(change_in_every_way(&larder, "rob", "docs", "a.txt"));
    expect_all_refused(change_in_every_way(&larder, "rob", "docs", "not there.txt"));
    assert_eq!(larder.tree(), ["docs/", "docs/a.txt"]);
    assert_eq!(larder.read("docs/a.txt"), "A");
    larder.wait_until_tidy();
}

#[test]
fn writing_is_confined_to_its_own_prefix() {
    let larder = photos();
    let ana = larder.http("ana");
    let ask = json!({ "path": "photos/new", "file_name": "b.txt", "file_content": "B" });
    ana.post("/api/new_file", ask).expect_status("File created");
    assert_eq!(larder.read("photos/new/b.txt"), "B");
    expect_all_refused(change_in_every_way(&larder, "ana", "photos/newer", "n.txt"));
    expect_all_refused(change_in_every_way(&larder, "ana", "photos", "a.txt"));
    let entries =
        ana.get("/api/finder?path=photos&details=1").expect(200).json()["entries"].clone();
    let writable: Vec<(&str, bool)> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["writable"].as_bool().unwrap()))
        .collect();
    assert_eq!(writable, [("a.txt", false), ("new", true), ("newer", false)]);
}

#[test]
fn a_rename_needs_both_ends() {
    let larder = Larder::start()
        .user_with("ana", "user", r#"[""]"#, r#"["docs/mine", "docs/mine.txt"]"#)
        .folder("docs/mine")
        .folder("docs/other")
        .file("docs/mine.txt", "M")
        .file("docs/other.txt", "O");
    let ana = larder.http("ana");
    let file = |old: &str, new: &str| {
        ana.post("/api/rename_file", json!({ "path": "docs", "file_name": old, "new_name": new }))
    };
    file("mine.txt", "free.txt").expect_error(401, "Unauthorized");
    file("other.txt", "mine.txt").expect_error(401, "Unauthorized");
    let folder = |old: &str, new: &str| {
        ana.post(
            "/api/rename_folder",
            json!({ "path": "docs", "folder_name": old, "new_name": new }),
        )
    };
    folder("mine", "free").expect_error(401, "Unauthorized");
    folder("other", "mine").expect_error(401, "Unauthorized");
    assert_eq!(
        larder.tree(),
        ["docs/", "docs/mine.txt", "docs/mine/", "docs/other.txt", "docs/other/"]
    );
}

#[test]
fn a_rename_shows_nothing_that_was_not_shown_before() {
    let larder = Larder::start()
        .user_with(
            "ana",
            "user",
            r#"["inbox/mine", "inbox/mine.txt", "inbox/a/b"]"#,
            r#"["inbox"]"#,
        )
        .file("inbox/secret.txt", "secret")
        .file("inbox/secret/b/s.txt", "secret")
        .file("inbox/plain.txt", "P");
    let ana = larder.http("ana");
    let file = |old: &str, new: &str| {
        ana.post("/api/rename_file", json!({ "path": "inbox", "file_name": old, "new_name": new }))
    };
    let folder = |old: &str, new: &str| {
        let ask = json!({ "path": "inbox", "folder_name": old, "new_name": new });
        ana.post("/api/rename_folder", ask)
    };
    file("secret.txt", "mine.txt").expect_error(401, "Unauthorized");
    file("secret.txt", "mine").expect_error(401, "Unauthorized");
    file("no such file", "mine.txt").expect_error(401, "Unauthorized");
    folder("secret", "mine").expect_error(401, "Unauthorized");
    // What is in it would be where one may read.
    folder("secret", "a").expect_error(401, "Unauthorized");
    std::fs::create_dir(larder.root().join("inbox/mine")).unwrap();
    let ask = json!({ "paths": ["inbox/secret.txt"], "to": "inbox/mine" });
    ana.post("/api/move", ask).expect_error(401, "Unauthorized");
    // Where nobody reads, nothing is shown; and what is mine may be called anything.
    file("plain.txt", "plainer.txt").expect_status("File renamed");
    larder.write("inbox/mine.txt", "M");
    file("mine.txt", "hidden.txt").expect_status("File renamed");
    file("hidden.txt", "mine.txt").expect_error(401, "Unauthorized");
    let hidden = larder.root().join("inbox/secret.txt");
    assert_eq!(std::fs::read_to_string(hidden).unwrap(), "secret");
}

#[test]
fn a_drop_box_takes_and_does_not_show() {
    let larder = Larder::start()
        .user_with("guest", "user", "[]", r#"["inbox"]"#)
        .file("inbox/old.txt", "old")
        .file("inbox2/old.txt", "old");
    let guest = larder.http("guest");
    let form = Form::new().field("path", "inbox").file("new.txt", "new");
    guest.upload(&form).expect_status("File uploaded");
    assert_eq!(larder.read("inbox/new.txt"), "new");
    let ask = json!({ "path": "inbox", "file_name": "n.txt", "file_content": "N" });
    guest.post("/api/new_file", ask).expect_status("File created");
    expect_all_refused(read_in_every_way(&larder, "guest", "inbox"));
    expect_all_refused(read_in_every_way(&larder, "guest", "inbox/new.txt"));
    expect_all_refused(change_in_every_way(&larder, "guest", "inbox2", "old.txt"));
}

#[test]
fn nothing_is_granted_by_an_empty_list() {
    let larder = Larder::start().user_with("eve", "user", "[]", "[]").file("a.txt", "A");
    for path in ["", "a.txt", "b.txt"] {
        for answer in read_in_every_way(&larder, "eve", path) {
            let refused = refusal_of(&answer).0;
            assert!(
                answer.status == refused || (path.is_empty() && answer.status == 400),
                "{answer}"
            );
        }
    }
    expect_all_refused(change_in_every_way(&larder, "eve", "x", "a.txt"));
}

#[test]
fn a_link_is_judged_by_its_name_and_by_where_it_leads() {
    let larder = Larder::start()
        .user_with("ana", "user", r#"["photos"]"#, r#"["photos"]"#)
        .user("bea")
        .file("photos/real/a.txt", "A")
        .file("private/p.txt", "secret")
        .folder("other")
        .link("photos/inside", "real")
        .link("photos/inside.txt", "real/a.txt")
        .link("photos/out", "../private")
        .link("photos/out.txt", "../private/p.txt")
        .link("other/in", "../photos/real")
        .link("other/in.txt", "../photos/real/a.txt");
    // Both permitted.
    let ana = larder.http("ana");
    for path in ["photos/inside/a.txt", "photos/inside.txt"] {
        assert_eq!(ana.get_with("/api/download", "file_path", path).expect(200).text(), "A");
    }
    assert_eq!(
        ana.get("/api/finder?path=photos/inside").expect(200).json()["items"],
        json!(["a.txt"])
    );
    // The name permitted, where it leads not; and the other way round.
    for path in [
        "photos/out",
        "photos/out/p.txt",
        "photos/out.txt",
        "other/in",
        "other/in/a.txt",
        "other/in.txt",
    ] {
        expect_all_refused(read_in_every_way(&larder, "ana", path));
    }
    for answer in change_in_every_way(&larder, "ana", "photos/out", "p.txt") {
        // Removing the link itself is ana's right; nothing behind it may change.
        assert!([400, refusal_of(&answer).0, 404].contains(&answer.status), "{answer}");
    }
    let ask = json!({ "path": "photos/out.txt", "file_content": "evil" });
    assert_ne!(ana.post("/api/edit_file", ask).status, 500);
    assert_eq!(larder.read("private/p.txt"), "secret");
    // Whoever may go everywhere follows them all.
    let bea = larder.http("bea");
    for path in ["photos/out/p.txt", "photos/out.txt"] {
        assert_eq!(bea.get_with("/api/download", "file_path", path).expect(200).text(), "secret");
    }
}

#[test]
fn a_zip_leaves_out_what_the_links_in_it_lead_to_elsewhere() {
    let larder = Larder::start()
        .user_with("ana", "user", r#"["photos"]"#, "[]")
        .file("photos/a.txt", "A")
        .file("private/p.txt", "secret")
        .link("photos/out", "../private")
        .link("photos/out.txt", "../private/p.txt");
    let zip = larder.http("ana").get("/api/download?file_path=photos").expect(200).body;
    let members = crate::harness::unzip(&zip);
    assert!(members.contains_key("a.txt"));
    assert!(!members.keys().any(|name| name.contains("p.txt") || name == "out.txt"), "{members:?}");
}

#[test]
fn permission_to_write_a_folder_includes_making_it() {
    let larder = Larder::start().user_with("ana", "user", r#"["a"]"#, r#"["a/b"]"#);
    let ana = larder.http("ana");
    ana.post("/api/create_folder", json!({ "folder_name": "a" })).expect_error(401, "Unauthorized");
    let larder = larder.folder("a");
    let ana = {
        drop(ana);
        larder.http("ana")
    };
    ana.post("/api/create_folder", json!({ "path": "a", "folder_name": "b2" }))
        .expect_error(401, "Unauthorized");
    ana.post("/api/create_folder", json!({ "path": "a", "folder_name": "b" }))
        .expect_status("Folder created");
    assert_eq!(larder.tree(), ["a/", "a/b/"]);
}

/// Links are a door, too: through one that was made by somebody who may everything no more is to be had than they may
/// by now.
#[test]
fn a_link_is_as_narrow_as_its_maker_has_become() {
    let larder = photos().user("boss");
    let boss = larder.http("boss");
    let made = boss.post("/api/link/create", json!({ "path": "", "write": true }));
    let url = made.expect_status("Link created")["url"].as_str().unwrap().to_owned();
    let guest = larder.anonymous();
    let ask = |what: &str, path: &str| guest.get_with(&format!("{url}/{what}"), "path", path);
    let bring = |folder: &str| {
        let metadata = format!("filename {},path {}", encoded("new"), encoded(folder));
        let fields = [("Upload-Length", "0"), ("Upload-Metadata", &*metadata)];
        guest.ask("POST", &format!("{url}/uploads"), &fields, b"")
    };
    assert_eq!(ask("download", "top.txt").expect(200).text(), "secret");
    bring("phot").expect(201);
    let id = boss.get("/api/user/get_self").expect(200).json()["id"].clone();
    let narrow = json!({
        "id": id, "username": "boss", "name": "boss", "role": "user",
        "paths": r#"["photos", "docs/shared"]"#, "paths_write": r#"["photos/new"]"#,
    });
    let admin = larder.session("admin");
    admin.post("/api/user/edit", narrow).expect_status("User edited");
    for path in [
        "photos2",
        "photos2/a.txt",
        "phot/a.txt",
        "Photos",
        "docs/private/p.txt",
        "docs/none",
        "top.txt",
    ] {
        for what in ["list", "download", "thumb"] {
            let answer = ask(what, path).expect_error(403, "Not permitted");
            assert!(!answer.body.windows(6).any(|window| window == b"secret"), "{answer}");
        }
    }
    for folder in ["", "photos", "photos2", "docs/shared", "none"] {
        bring(folder).expect_error(403, "Not permitted");
    }
    // On the way to what may be read the way alone is shown, and nothing of it is to be had.
    assert_eq!(ask("list", "").expect(200).json()["items"], json!(["docs", "photos"]));
    assert_eq!(ask("list", "docs").expect(200).json()["items"], json!(["shared"]));
    ask("download", "docs").expect_error(403, "Not permitted");
    guest.get(&format!("{url}/download")).expect_error(403, "Not permitted");
    assert_eq!(ask("download", "docs/shared/s.txt").expect(200).text(), "S");
    bring("photos/new").expect(201);
    assert!(larder.exists("photos/new/new"));
    // Whoever may not make links any more has none, and one whose time is over opens nothing.
    let mut roles = everybody_may_everything();
    let edit = |roles: &serde_json::Value| admin.post("/api/role/edit", roles.clone());
    roles["/api/link/create"] = json!(["admin"]);
    edit(&roles).expect(200);
    ask("list", "photos").expect_error(410, "Link is no longer available");
    roles["/api/link/create"] = json!(["admin", "user"]);
    roles["/api/upload"] = json!(["admin"]);
    edit(&roles).expect(200);
    ask("list", "photos").expect(200);
    bring("photos/new").expect_error(403, "Not permitted");
    let told = guest.get(&format!("{url}/info")).expect(200).json();
    assert_eq!((&told["read"], &told["write"]), (&json!(true), &json!(false)));
    roles["/api/finder"] = json!(["admin"]);
    edit(&roles).expect(200);
    ask("list", "photos").expect_error(403, "Not permitted");
    ask("download", "photos/a.txt").expect(200);
}

/// A narrowed key is one more door: of somebody who may everything it opens its folder, and none of the neighbours; and
/// it says 403 everywhere, since a program would take 401 for a wrong key.
#[test]
fn a_key_is_as_narrow_as_its_folder_and_its_right() {
    let larder = photos().user("boss");
    let session = larder.session("boss");
    let with_key = |path: &str, write: bool| {
        let ask = json!({ "label": "k", "path": path, "write": write });
        larder.with_key(&session.make_key(ask).1)
    };
    let refused = |answers: Vec<Answer>| {
        for answer in answers {
            assert!(!answer.body.windows(6).any(|window| window == b"secret"), "{answer}");
            if answer.asked.starts_with("HEAD") {
                answer.expect(403);
            } else {
                answer.expect_error(403, "Not permitted");
            }
        }
    };
    let photos = with_key("photos", true);
    for path in [
        "photos2",
        "photos2/a.txt",
        "phot/a.txt",
        "Photos/a.txt",
        "docs/private",
        "docs/shared/s.txt",
        "docs/none",
        "top.txt",
    ] {
        refused(read_in_every_way_as(&photos, path));
    }
    for (folder, name) in [("photos2", "a.txt"), ("phot", "a.txt"), ("docs/private", "p.txt")] {
        refused(change_in_every_way_as(&photos, folder, name));
        refused(change_in_every_way_as(&photos, folder, "not there.txt"));
    }
    let reader = with_key("photos", false);
    assert_eq!(reader.get("/api/download?file_path=photos/a.txt").expect(200).text(), "A");
    refused(change_in_every_way_as(&reader, "photos", "a.txt"));
    refused(change_in_every_way_as(&reader, "photos", "not there.txt"));
    assert_eq!(larder.read("photos/a.txt"), "A");
}
