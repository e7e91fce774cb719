//! `larder openapi`: the document is the committed one, and says what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::table::DOCUMENT;
use crate::harness::{LARDER, TABLE, acting};

/// All references in a piece of the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                found.insert(target.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What types make of the table is compared with the committed one by a test of the program itself.
#[test]
fn the_program_carries_the_committed_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let printed = Command::new(&*LARDER).arg("openapi").output().unwrap().stdout;
    assert!(fs::read(path).unwrap() == printed, "cargo build carries it");
}

#[test]
fn every_endpoint_is_in_it_with_its_doors_and_its_answers() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
    for row in TABLE.iter() {
        let (path, operation) = (row.path, &row.operation);
        let is_good = |status| operation["responses"][status].is_object();
        assert!(["200", "201", "204", "303"].into_iter().any(is_good), "{path}: {operation}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{path}");
        let count = match row.method {
            _ if row.is_public() || row.is_by_link() => 0,
            // A key makes nobody more than it is itself.
            _ if ["/api/user/signin_code", "/api/user/renew", "/api/user/totp"].contains(&path) => {
                1
            }
            _ if path.starts_with("/api/key/") => 1,
            "GET" | "HEAD" => 3,
            _ => 2,
        };
        let mut doors = operation["security"].as_array().unwrap().clone();
        // Where narrowed keys are taken; tests of those ask for each.
        doors.retain(|door| door.get("basic").is_none());
        assert_eq!(doors.len(), count, "{path}");
        let is_judged = operation["responses"]["401"].is_object();
        assert_eq!(is_judged, !row.is_public() || path.contains("login"), "{path}");
    }
    for (method, path, _) in acting() {
        let path = path.replace("index.html", "{path}");
        let operation = &DOCUMENT["paths"][&path][method.to_lowercase()];
        assert!(operation["responses"]["403"].is_object(), "{path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = &*DOCUMENT;
    let mut found = BTreeSet::new();
    references(document, &mut found);
    assert!(found.len() > 5);
    for target in found {
        let pointer = target.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

/// Whether a schema says `null` where it should say a type.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.get("type").is_some_and(Value::is_null) || object.values().any(says_nothing)
        }
        Value::Array(items) => items.iter().any(says_nothing),
        _ => false,
    }
}

#[test]
fn every_type_is_one() {
    assert!(!says_nothing(&DOCUMENT));
}
