//! From method and path to a row of the table, or the right refusal.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::error::{Error, Result};
use crate::http::api::{ENDPOINTS, Endpoint, Method};

/// The row for this request. `path` is the request target without its query.
///
/// Errors: `NotFound` for a path that is in no row; `Method` for the wrong method.
pub fn find(method: &str, path: &str) -> Result<&'static Endpoint> {
    static BY_PATH: OnceLock<HashMap<&str, &Endpoint>> = OnceLock::new();
    let by_path = BY_PATH.get_or_init(|| {
        ENDPOINTS.iter().filter(|row| !row.is_prefix).map(|row| (row.path, row)).collect()
    });
    let row = by_path
        .get(path)
        .copied()
        .or_else(|| ENDPOINTS.iter().find(|row| row.is_prefix && path.starts_with(row.path)))
        .ok_or(Error::NotFound("Not found"))?;
    match (row.method, method) {
        (Method::Get, "GET" | "HEAD") | (Method::Post, "POST") => Ok(row),
        (Method::Get, _) => Err(Error::Method { allow: "GET, HEAD" }),
        (Method::Post, _) => Err(Error::Method { allow: "POST" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_method_alone() {
        for row in ENDPOINTS {
            let (good, bad, allow) = match row.method {
                Method::Get => ("GET", "POST", "GET, HEAD"),
                Method::Post => ("POST", "GET", "POST"),
            };
            assert!(std::ptr::eq(find(good, row.path).unwrap(), row));
            for method in [bad, "PUT", "DELETE", "get", "OPTIONS"] {
                let refused = find(method, row.path);
                assert!(matches!(refused, Err(Error::Method { allow: told }) if told == allow));
            }
        }
    }

    #[test]
    fn unknown_paths_are_not_found_whatever_the_method() {
        for path in
            ["/api/", "/api/finder/", "/api/Finder", "/api", "/index.html", "", "*", "/webx", "//"]
        {
            for method in ["GET", "POST", "PUT"] {
                assert!(matches!(find(method, path), Err(Error::NotFound("Not found"))), "{path}");
            }
        }
        assert!(find("GET", "/web/assets/a.js").is_ok());
    }
}
