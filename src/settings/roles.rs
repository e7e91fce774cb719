//! Who may use which endpoint: `roles.json`, an object from endpoint path to role names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{limits, words};

/// The role that every endpoint is given to at first, and that can't lock itself out.
pub const ADMIN: &str = "admin";

/// The role of those who live here, where it exists.
const FAMILY: &str = "family";

/// The endpoints that, being new, are given to them too (second contract, section 13).
const FOR_FAMILY: &[&str] = &["/api/link/create", "/dav/"];

/// The endpoint by which an admin mends all others.
const WAY_BACK_IN: &str = "/api/role/edit";

/// Endpoint path to the roles that may use it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Sorted by path, so that the file reads well.
    endpoints: BTreeMap<String, Vec<String>>,
}

impl Roles {
    /// Checks the shape `{"<path>": ["role", ...], ...}`.
    pub fn parse(object: &Map<String, Value>) -> Result<Self, String> {
        let mut endpoints = BTreeMap::new();
        for (path, roles) in object {
            let wrong = || format!("{path}: not an array of role names");
            let roles = roles.as_array().ok_or_else(wrong)?;
            let names: Option<Vec<String>> =
                roles.iter().map(|role| role.as_str().map(str::to_owned)).collect();
            endpoints.insert(path.clone(), names.ok_or_else(wrong)?);
        }
        Ok(Self { endpoints })
    }

    /// Adds each endpoint that is missing, for `admin`, and some for `family` where that role exists; says whether
    /// there was any.
    pub fn complete(&mut self, endpoints: &[&str]) -> bool {
        let before = self.endpoints.len();
        let has_family = self.endpoints.values().flatten().any(|name| name == FAMILY);
        for path in endpoints {
            let with_family = has_family && FOR_FAMILY.contains(path);
            let roles = [Some(ADMIN), with_family.then_some(FAMILY)];
            let roles = || roles.iter().flatten().map(|name| (*name).to_owned()).collect();
            self.endpoints.entry((*path).to_owned()).or_insert_with(roles);
        }
        self.endpoints.len() != before
    }

    /// These roles as somebody wants them to be. `endpoints` may be named, and what is named now;
    /// what is left out is nobody's from now on, as an empty list, so that `complete` does not
    /// give it back (contract, section 12).
    ///
    /// Errors: a sentence for whoever asked.
    pub fn replaced_by(
        &self,
        mut wanted: BTreeMap<String, Vec<String>>,
        endpoints: &[&str],
    ) -> Result<Self, String> {
        for (path, names) in &mut wanted {
            if !self.endpoints.contains_key(path) && !endpoints.contains(&path.as_str()) {
                let shown = path.get(..path.floor_char_boundary(100)).unwrap_or_default();
                return Err(format!("Unknown endpoint: {shown}"));
            }
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            if !names.iter().all(|name| is_role_name(name)) {
                return Err(format!("Invalid role name for {path}"));
            }
            if names.len() > limits::ROLES_PER_ENDPOINT_MAX {
                return Err(format!("Too many roles for {path}"));
            }
        }
        let has_way_back =
            wanted.get(WAY_BACK_IN).is_some_and(|names| names.iter().any(|name| name == ADMIN));
        if !has_way_back {
            return Err(format!("{ADMIN} must keep {WAY_BACK_IN}"));
        }
        let known = endpoints.iter().copied().chain(self.endpoints.keys().map(String::as_str));
        for path in known {
            if !wanted.contains_key(path) {
                wanted.insert(path.to_owned(), Vec::new());
            }
        }
        Ok(Self { endpoints: wanted })
    }

    /// Takes a role out of every endpoint; says whether it was in any.
    pub fn forget(&mut self, role: &str) -> bool {
        let mut was_listed = false;
        for names in self.endpoints.values_mut() {
            let before = names.len();
            names.retain(|name| name != role);
            was_listed |= names.len() != before;
        }
        was_listed
    }

    /// Whether an admin can still change the roles.
    pub fn has_way_back_in(&self) -> bool {
        self.may_edit_roles(ADMIN)
    }

    /// Whether `role` may edit the roles, and so decides about every right there is.
    pub fn may_edit_roles(&self, role: &str) -> bool {
        self.allow(WAY_BACK_IN, role)
    }

    /// Whether `role` is listed for the endpoint; an endpoint that is not listed is nobody's.
    pub fn allow(&self, path: &str, role: &str) -> bool {
        self.endpoints.get(path).is_some_and(|roles| roles.iter().any(|listed| listed == role))
    }

    /// Each endpoint that somebody decides about, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str)
    }

    /// As it is stored.
    pub fn to_json(&self) -> Value {
        self.endpoints
            .iter()
            .map(|(path, roles)| (path.clone(), Value::from(roles.clone())))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// Whether this may be the name of a role: something that people can read and type.
pub fn is_role_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= limits::ROLE_BYTES_MAX
        && name.trim() == name
        && words::are_plain(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn roles(value: &Value) -> Result<Roles, String> {
        Roles::parse(value.as_object().unwrap())
    }

    #[test]
    fn a_role_may_use_what_lists_it_and_nothing_else() {
        let roles = roles(&json!({"/api/finder": ["user", "admin"], "/api/upload": []})).unwrap();
        assert!(roles.allow("/api/finder", "user"));
        assert!(!roles.allow("/api/finder", "use"));
        assert!(!roles.allow("/api/upload", "admin"));
        assert!(!roles.allow("/api/unheard", "admin"));
        assert_eq!(roles.paths().collect::<Vec<_>>(), ["/api/finder", "/api/upload"]);
    }

    #[test]
    fn an_older_file_gets_what_it_lacks_but_keeps_an_empty_list() {
        let mut roles = roles(&json!({"/api/finder": []})).unwrap();
        assert!(roles.complete(&["/api/finder", "/api/upload"]));
        assert_eq!(roles.to_json(), json!({"/api/finder": [], "/api/upload": ["admin"]}));
        assert!(!roles.complete(&["/api/finder", "/api/upload"]));
    }

    #[test]
    fn what_is_new_is_given_to_the_family_too_where_there_is_one() {
        let new = ["/api/link/create", "/api/explain"];
        for (before, listed) in [
            (json!({"/api/finder": ["family"]}), json!(["admin", "family"])),
            (json!({"/api/finder": ["families"]}), json!(["admin"])),
            (json!({"/api/finder": ["family"], "/api/link/create": []}), json!([])),
        ] {
            let mut roles = roles(&before).unwrap();
            roles.complete(&new);
            assert_eq!(roles.to_json()["/api/link/create"], listed, "{before}");
            assert_eq!(roles.to_json()["/api/explain"], json!(["admin"]));
        }
    }

    /// Roles as a first start with these endpoints makes them, replaced by `wanted`.
    fn replaced(wanted: &Value) -> Result<Value, String> {
        let mut present = Roles::default();
        let endpoints = ["/api/finder", "/api/upload", "/api/role/edit"];
        present.complete(&endpoints);
        present.endpoints.insert("/api/of_the_future".to_owned(), vec!["admin".to_owned()]);
        let wanted = serde_json::from_value(wanted.clone()).unwrap();
        present.replaced_by(wanted, &endpoints).map(|roles| roles.to_json())
    }

    #[test]
    fn what_is_left_out_becomes_nobodys() {
        let wanted = json!({"/api/role/edit": ["admin"], "/api/finder": ["user", "user"]});
        assert_eq!(
            replaced(&wanted).unwrap(),
            json!({
                "/api/finder": ["user"],
                "/api/of_the_future": [],
                "/api/role/edit": ["admin"],
                "/api/upload": [],
            })
        );
    }

    #[test]
    fn nobody_locks_the_admin_out_or_opens_what_is_not_there() {
        let keep = json!(["admin"]);
        for (wanted, what) in [
            (json!({"/api/finder": ["admin"]}), "must keep"),
            (json!({"/api/role/edit": []}), "must keep"),
            (json!({"/api/role/edit": ["Admin", "user"]}), "must keep"),
            (json!({"/api/role/edit": keep, "/api/nothing": ["admin"]}), "/api/nothing"),
            (json!({"/api/role/edit": keep, "/api/finder": [""]}), "/api/finder"),
            (json!({"/api/role/edit": keep, "/api/finder": [" user"]}), "/api/finder"),
            (json!({"/api/role/edit": keep, "/api/finder": ["a\nb"]}), "/api/finder"),
            (json!({"/api/role/edit": keep, "/api/finder": ["a".repeat(65)]}), "/api/finder"),
        ] {
            let line = replaced(&wanted).unwrap_err();
            assert!(line.contains(what), "{wanted}: {line}");
        }
        let many: Vec<String> = (0..101).map(|number| format!("role {number}")).collect();
        let wanted = json!({"/api/role/edit": keep, "/api/finder": many});
        assert!(replaced(&wanted).unwrap_err().contains("Too many"));
        assert!(replaced(&json!({"/api/role/edit": keep, "/api/of_the_future": ["x"]})).is_ok());
    }

    #[test]
    fn a_forgotten_role_is_listed_nowhere() {
        let mut roles = roles(&json!({"/a": ["eve", "admin"], "/b": ["eve"], "/c": []})).unwrap();
        assert!(roles.forget("eve"));
        assert_eq!(roles.to_json(), json!({"/a": ["admin"], "/b": [], "/c": []}));
        assert!(!roles.forget("eve"));
    }

    #[test]
    fn a_wrong_shape_is_named() {
        for bad in [json!({"/a": "admin"}), json!({"/a": [1]}), json!({"/a": null})] {
            assert!(roles(&bad).unwrap_err().starts_with("/a:"));
        }
    }
}
