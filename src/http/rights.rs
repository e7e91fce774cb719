//! What somebody may use, as `role/self` tells it (contract, section 7).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use crate::http::api::Access::{ByRole, SignedIn};
use crate::http::api::Method::Get;
use crate::http::api::{ENDPOINTS, Endpoint};
use crate::settings::Roles;

/// The rows of the table that are told whatever stands in `roles.json`: what the second contract has for those who
/// have signed in.
static OF_TABLE: LazyLock<Vec<&Endpoint>> = LazyLock::new(|| {
    let is_read = |row: &Endpoint| row.methods.contains(&Get);
    let read: BTreeSet<&str> =
        ENDPOINTS.iter().filter(|row| is_read(row)).map(|row| row.path).collect();
    // Of rows that share a path the one is told by which it is read; what lies below a path goes with it.
    let is_told = |row: &Endpoint| {
        let is_below = row.is_prefix && !row.acts_as.is_empty();
        !is_below && (is_read(row) || !read.contains(row.path))
    };
    let is_of_the_house = |row: &Endpoint| matches!(row.access, ByRole | SignedIn) && row.forbids;
    ENDPOINTS.iter().filter(|row| is_of_the_house(row) && is_told(row)).collect()
});

/// Their paths.
static PATHS_OF_TABLE: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| OF_TABLE.iter().map(|row| row.path).collect());

/// Each endpoint, and whether somebody of this role may use it.
pub struct Rights<'a> {
    /// Who may use what.
    pub roles: &'a Roles,
    /// Whose rights; nobody's may still do what whoever has signed in may.
    pub role: Option<&'a str>,
}

impl Rights<'_> {
    /// What stands in `roles.json`, and the rows of the table.
    fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let may = |path: &str| self.role.is_some_and(|role| self.roles.allow(path, role));
        // A row of that name in the file, by a newer larder or by hand, decides nothing.
        let of_file = self.roles.paths().filter(|path| !PATHS_OF_TABLE.contains(path));
        of_file
            .map(move |path| (path, may(path)))
            .chain(OF_TABLE.iter().map(move |row| (row.path, row.is_open_to(may))))
    }
}

impl Serialize for Rights<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_told_once_and_a_row_of_the_table_decides() {
        let paths = ["/api/finder", "/api/role/self", "/of/a/newer/larder"];
        let object = paths.iter().map(|path| ((*path).to_owned(), serde_json::json!(["ana"])));
        let roles = Roles::parse(&object.collect()).unwrap();
        let rights = Rights { roles: &roles, role: Some("ana") };
        let told: Vec<(&str, bool)> = rights.iter().collect();
        let paths: BTreeSet<&str> = told.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths.len(), told.len());
        assert!(told.contains(&("/api/finder", true)));
        assert!(told.contains(&("/of/a/newer/larder", true)));
        let nobody = Rights { roles: &roles, role: None };
        assert!(nobody.iter().any(|(path, may)| path == "/api/finder" && !may));
    }
}
