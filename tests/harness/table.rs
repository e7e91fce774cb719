//! The table of endpoints, read from what the program says of itself: `larder openapi`.

use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::process::LARDER;

/// A token that no link has.
pub const NO_TOKEN: &str = "no-such-link";

/// One endpoint.
pub struct Row {
    /// Its method, as requests name it.
    pub method: &'static str,
    /// A path that it answers to.
    pub path: &'static str,
    /// `public`, `signed_in`, `by_role` or `by_link`.
    access: String,
    /// The older endpoints that it acts as; it has no row in `roles.json`.
    acts_as: Vec<&'static str>,
    /// What the document says of it.
    pub operation: Value,
}

impl Row {
    /// Whether people come to it by a link.
    pub fn is_by_link(&self) -> bool {
        self.access == "by_link"
    }

    /// Whether anybody may use it who has signed in.
    pub fn is_anybodys(&self) -> bool {
        self.access == "signed_in"
    }

    /// Whether anybody may use it.
    pub fn is_public(&self) -> bool {
        self.access == "public"
    }
}

/// All of the document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(&*LARDER).arg("openapi").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
});

/// Every endpoint, in the order of the table.
pub static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = Vec::new();
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let acts_as = operation["x-acts-as"].as_array().into_iter().flatten();
            rows.push(Row {
                method: forever(&method.to_ascii_uppercase()),
                path: forever(&path.replace("{path}", "index.html").replace("{token}", NO_TOKEN)),
                access: operation["x-access"].as_str().unwrap().to_owned(),
                acts_as: acts_as.map(|other| forever(other.as_str().unwrap())).collect(),
                operation: operation.clone(),
            });
        }
    }
    rows
});

/// Methods and paths of some endpoints.
pub type Endpoints = LazyLock<Vec<(&'static str, &'static str)>>;

/// The endpoints that `roles.json` decides about.
pub static BY_ROLE: Endpoints =
    LazyLock::new(|| those(|row| row.access == "by_role" && row.acts_as.is_empty()));

/// The endpoints that are open to all.
pub static PUBLIC: Endpoints = LazyLock::new(|| those(Row::is_public));

/// The endpoints that act as others, with those: they have no row in `roles.json`.
pub fn acting() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    let acting = TABLE.iter().filter(|row| !row.acts_as.is_empty() && !row.is_by_link());
    acting.map(|row| (row.method, row.path, &row.acts_as[..]))
}

/// Methods and paths of these.
fn those(is_meant: impl Fn(&Row) -> bool) -> Vec<(&'static str, &'static str)> {
    TABLE.iter().filter(|row| is_meant(row)).map(|row| (row.method, row.path)).collect()
}

/// Endpoints that tests ask at random: all but those that end the server or the machine, and the one whose
/// answer has no end.
pub fn all_but_endings() -> Vec<(&'static str, &'static str)> {
    const ENDINGS: &[&str] =
        &["/api/shutdown", "/api/restart", "/update_start_exit_program", "/api/events"];
    those(|row| !ENDINGS.contains(&row.path))
}

/// As long as the tests run.
fn forever(text: &str) -> &'static str {
    text.to_owned().leak()
}
