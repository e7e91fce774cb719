//! `larder openapi`: the document is the committed one, and says what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{ACTS_AS, BY_ROLE, LARDER, PUBLIC, SIGNED_IN, acting};

/// What the program prints.
fn printed() -> String {
    let output = Command::new(&*LARDER).arg("openapi").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

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
    assert!(fs::read_to_string(path).unwrap() == printed(), "cargo build carries it");
}

#[test]
fn every_endpoint_is_in_it_with_its_method_its_doors_and_its_answers() {
    let document: Value = serde_json::from_str(&printed()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let acting: Vec<_> = acting().collect();
    let known = BY_ROLE.iter().chain(SIGNED_IN).chain(PUBLIC).chain(&acting);
    for (method, path) in known {
        let shown = if path.starts_with("/web/") { "/web/{path}" } else { path };
        let operation = &document["paths"][shown][method.to_ascii_lowercase()];
        assert!(operation["responses"]["200"].is_object(), "{method} {path}: {operation}");
        let doors = operation["security"].as_array();
        let is_open = PUBLIC.contains(&(method, path));
        let count = if is_open {
            0
        } else if *method == "GET" {
            3
        } else {
            2
        };
        assert_eq!(doors.map(Vec::len), Some(count), "{path}");
        assert_eq!(operation["responses"]["401"].is_object(), !is_open || path.contains("login"));
        let acts_as = ACTS_AS.iter().find(|(_, acting, _)| acting == path).map(|(_, _, as_)| as_);
        assert_eq!(operation["x-acts-as"].is_array(), acts_as.is_some(), "{path}");
        assert!(acts_as.is_none() || operation["responses"]["403"].is_object(), "{path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&printed()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 5);
    for target in found {
        let pointer = target.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}
