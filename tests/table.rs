//! The table of endpoints, walked from outside.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{BY_ROLE, Larder, OTHER_DOORS, PUBLIC, TABLE};

/// The paths that a first start writes into `roles.json`.
fn role_paths() -> Vec<String> {
    let larder = Larder::bare().launch();
    let text = fs::read_to_string(larder.state().join("settings/roles.json")).unwrap();
    let roles: Value = serde_json::from_str(&text).unwrap();
    roles.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_first_start_writes_every_endpoint_that_roles_decide_about() {
    let mut known: Vec<&str> = BY_ROLE.iter().map(|(_, path)| *path).chain(OTHER_DOORS).collect();
    known.sort_unstable();
    let mut written = role_paths();
    written.sort_unstable();
    assert_eq!(written, known);
}

#[test]
fn every_endpoint_has_a_test_that_names_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sources = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name();
        let is_source = entry.path().extension().is_some_and(|extension| extension == "rs");
        if is_source && name != "table.rs" {
            sources.push_str(&fs::read_to_string(entry.path()).unwrap());
        }
    }
    for path in TABLE.iter().map(|row| row.path) {
        let is_named =
            sources.contains(&format!("\"{path}\"")) || sources.contains(&format!("{path}?"));
        assert!(is_named, "no test names {path}");
    }
}

#[test]
fn nothing_but_the_open_doors_answers_a_stranger() {
    let larder = Larder::start();
    for row in TABLE.iter().filter(|row| !row.is_public()) {
        if row.is_by_link() {
            let answer = larder.anonymous().ask(row.method, row.path, &[], b"");
            assert!(matches!(answer.status, 404 | 429), "{answer}");
            continue;
        }
        let answer = match row.method {
            "GET" => larder.anonymous().get(row.path),
            // It has no body to be looked at.
            "HEAD" => {
                larder.anonymous().head(row.path).expect(401);
                continue;
            }
            "DELETE" => larder.anonymous().ask("DELETE", row.path, &[], b""),
            other => larder.anonymous().ask(other, row.path, &[], b"{}"),
        };
        let answer = answer.expect_error(401, "Unauthorized");
        assert!(answer.header("Set-Cookie").is_none());
    }
    for path in role_paths().into_iter().filter(|path| !OTHER_DOORS.contains(&path.as_str())) {
        let get = larder.anonymous().get(&path);
        let answer =
            if get.status == 405 { larder.anonymous().post_raw(&path, None, b"") } else { get };
        answer.expect_error(401, "Unauthorized");
    }
    for (method, path) in PUBLIC.iter() {
        let mut wire = larder.wire_from_afar();
        wire.send(format!("{method} {path} HTTP/1.1\r\nHost: larder\r\nContent-Length: 0\r\n\r\n"));
        let answer = wire.answer();
        let wanted = match (*method, *path) {
            (_, "/api/user/login") => 400,
            (_, "/share") => 303,
            ("OPTIONS", _) => 204,
            _ => 200,
        };
        assert_eq!(answer.status, wanted, "{path}: {answer}");
    }
}

#[test]
fn every_endpoint_refuses_other_methods_and_says_which_it_takes() {
    let larder = Larder::start().user("ana");
    for path in TABLE.iter().map(|row| row.path) {
        let of_path = TABLE.iter().filter(|row| row.path == path);
        let allowed: Vec<&str> = of_path
            .flat_map(
                |row| if row.method == "GET" { vec!["GET", "HEAD"] } else { vec![row.method] },
            )
            .collect();
        let told = allowed.join(", ");
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "get"] {
            // Windows asks for WebDAV at the very top first.
            let is_of_dav = path == "/" && matches!(other, "OPTIONS" | "PROPFIND");
            if allowed.contains(&other) || is_of_dav {
                continue;
            }
            // Whoever asks: the method is judged before the credentials.
            let mut wire = larder.wire();
            wire.send(format!(
                "{other} {path} HTTP/1.1\r\nHost: larder\r\nContent-Length: 0\r\n\r\n"
            ));
            let answer = wire.answer().expect_refusal(405);
            assert_eq!(answer.header("Allow"), Some(&*told), "{other} {path}");
        }
        let mut wire = larder.wire();
        wire.send(format!(
            "HEAD {path} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\r\n",
            larder.key("ana")
        ));
        let answer = wire.head_answer();
        if allowed.contains(&"HEAD") {
            assert_ne!(answer.status, 405, "{path}");
        } else {
            assert_eq!((answer.status, answer.header("Allow")), (405, Some(&*told)), "{path}");
        }
    }
}

#[test]
fn unknown_paths_are_not_found_whatever_the_method_and_whoever_asks() {
    let larder = Larder::start().user("ana");
    for path in [
        "/api/",
        "/api",
        "/api/nothing",
        "/api/finder/",
        "/api/Finder",
        "/api/finder/x",
        "/api//finder",
        "//api/finder",
        "/api/user",
        "/api/user/login/",
        "/api/%66inder",
        "/nothing",
        "/authx",
        "/webx",
        "/.larder",
        "/api/../api/finder",
    ] {
        for method in ["GET", "POST", "DELETE", "HEAD"] {
            for key in ["nobody", larder.key("ana")] {
                let mut wire = larder.wire();
                wire.send(format!(
                    "{method} {path} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Length: 0\r\n\r\n"
                ));
                let is_head = method == "HEAD";
                let answer = wire.try_answer(is_head).unwrap();
                if is_head {
                    assert_eq!(answer.status, 404, "{path}");
                } else {
                    answer.expect_error(404, "Not found");
                }
            }
        }
    }
}
