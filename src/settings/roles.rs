//! Who may use which endpoint: `roles.json`, an object from endpoint path to role names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The role that every endpoint is given to at first, and that can't lock itself out.
pub const ADMIN: &str = "admin";

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

    /// Adds each endpoint that is missing, for `admin`; says whether there was any.
    pub fn complete(&mut self, endpoints: &[&str]) -> bool {
        let before = self.endpoints.len();
        for path in endpoints {
            self.endpoints.entry((*path).to_owned()).or_insert_with(|| vec![ADMIN.to_owned()]);
        }
        self.endpoints.len() != before
    }

    /// Whether `role` is listed for the endpoint; an endpoint that is not listed is nobody's.
    pub fn allow(&self, path: &str, role: &str) -> bool {
        self.endpoints.get(path).is_some_and(|roles| roles.iter().any(|listed| listed == role))
    }

    /// Each endpoint with whether `role` may use it, in order of path.
    pub fn of(&self, role: &str) -> impl Iterator<Item = (&str, bool)> {
        self.endpoints
            .iter()
            .map(move |(path, roles)| (path.as_str(), roles.iter().any(|listed| listed == role)))
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
        let of_user: Vec<_> = roles.of("user").collect();
        assert_eq!(of_user, [("/api/finder", true), ("/api/upload", false)]);
    }

    #[test]
    fn an_older_file_gets_what_it_lacks_but_keeps_an_empty_list() {
        let mut roles = roles(&json!({"/api/finder": []})).unwrap();
        assert!(roles.complete(&["/api/finder", "/api/upload"]));
        assert_eq!(roles.to_json(), json!({"/api/finder": [], "/api/upload": ["admin"]}));
        assert!(!roles.complete(&["/api/finder", "/api/upload"]));
    }

    #[test]
    fn a_wrong_shape_is_named() {
        for bad in [json!({"/a": "admin"}), json!({"/a": [1]}), json!({"/a": null})] {
            assert!(roles(&bad).unwrap_err().starts_with("/a:"));
        }
    }
}
