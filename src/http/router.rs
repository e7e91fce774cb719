//! From a path, then a method, to a row of the table, or the right refusal.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::{Error, Result};
use crate::http::api::{Dictionary, ENDPOINTS, Endpoint};
use crate::http::problem;

/// Where a request leads.
pub struct Route {
    /// The row.
    ///
    /// Errors: `NotFound` for a path that is in no row; `Method` for one whose rows have another method.
    pub endpoint: Result<&'static Endpoint>,
    /// How the door of that path words refusals, whatever the method.
    pub dictionary: Dictionary,
    /// The methods of the path, as `Allow` lists them; empty for one that is in no row.
    pub allow: &'static str,
}

/// The rows that share one path.
struct Site {
    /// At least one.
    rows: Vec<&'static Endpoint>,
    /// All their methods, as `Allow` lists them (RFC 9110, 10.2.1).
    allow: String,
}

/// All of the table, by path.
struct Sites {
    /// Those of one path.
    whole: HashMap<&'static str, Site>,
    /// Those to which everything below belongs, the longest first.
    prefixes: Vec<Site>,
}

/// The row for this request. `path` is the request target without its query.
pub fn find(method: &str, path: &str) -> Route {
    static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::of(ENDPOINTS));
    SITES.find(method, path)
}

impl Sites {
    /// Sorts a table.
    fn of(table: &'static [Endpoint]) -> Self {
        let mut whole: HashMap<_, Vec<&Endpoint>> = HashMap::new();
        let mut below: HashMap<_, Vec<&Endpoint>> = HashMap::new();
        for row in table {
            let sites = if row.is_prefix { &mut below } else { &mut whole };
            sites.entry(row.path).or_default().push(row);
        }
        let mut prefixes: Vec<Site> = below.into_values().map(Site::of).collect();
        prefixes.sort_by_key(|site| std::cmp::Reverse(site.path().len()));
        let whole = whole.into_iter().map(|(path, rows)| (path, Site::of(rows))).collect();
        Self { whole, prefixes }
    }

    /// As `find`.
    fn find(&'static self, method: &str, path: &str) -> Route {
        let below = || self.prefixes.iter().find(|site| path.starts_with(site.path()));
        let Some(site) = self.whole.get(path).or_else(below) else {
            let endpoint = Err(Error::NotFound("Not found"));
            return Route { endpoint, dictionary: problem::reply, allow: "" };
        };
        let row = site.rows.iter().copied().find(|row| row.takes_method(method));
        let endpoint = row.ok_or(Error::Method { allow: &site.allow });
        Route { endpoint, dictionary: site.dictionary(), allow: &site.allow }
    }
}

impl Site {
    /// Of rows of one path, in the order of the table.
    fn of(rows: Vec<&'static Endpoint>) -> Self {
        let names = rows.iter().flat_map(|row| row.methods).flat_map(|method| method.names());
        let allow = names.copied().collect::<Vec<_>>().join(", ");
        Self { rows, allow }
    }

    /// What the rows share.
    fn path(&self) -> &'static str {
        self.rows.first().map_or("", |row| row.path)
    }

    /// How the door of the path words refusals.
    fn dictionary(&self) -> Dictionary {
        self.rows.first().map_or(problem::reply, |row| row.dictionary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::{Access, Lane, Method, row};
    use crate::http::handlers::pages;
    use std::collections::BTreeMap;

    #[test]
    fn each_row_is_found_by_its_methods_alone() {
        let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in ENDPOINTS {
            let names = row.methods.iter().flat_map(|method| method.names());
            allowed.entry(row.path).or_default().extend(names);
        }
        for row in ENDPOINTS {
            let allow = &allowed[row.path];
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "get", "OPTIONS", "PROPFIND"] {
                let found = find(method, row.path).endpoint;
                if row.takes_method(method) {
                    assert!(std::ptr::eq(found.unwrap(), row), "{method} {}", row.path);
                } else if !allow.contains(&method) {
                    let Err(Error::Method { allow: told }) = found else { panic!("{}", row.path) };
                    assert_eq!(told, allow.join(", "), "{method} {}", row.path);
                }
            }
        }
    }

    #[test]
    fn unknown_paths_are_not_found_whatever_the_method() {
        for path in
            ["/api/", "/api/finder/", "/api/Finder", "/api", "/index.html", "", "*", "/webx", "//"]
        {
            for method in ["GET", "POST", "PUT"] {
                let found = find(method, path).endpoint;
                assert!(matches!(found, Err(Error::NotFound("Not found"))), "{path}");
            }
        }
        assert!(find("GET", "/web/assets/a.js").endpoint.is_ok());
    }

    /// A row of the table below; it is never asked.
    macro_rules! some {
        ([$($method:ident),+], $path:literal) => {
            row!([$(Method::$method),+], $path, Access::Public, Lane::Quick, Pages, pages::index, [], "")
        };
    }

    #[test]
    fn rows_that_share_a_path_are_told_apart_by_method() {
        static TABLE: &[Endpoint] = &[
            some!([Get], "/things"),
            some!([Post], "/things"),
            some!([Get, Post], "/things/").and_below(),
            some!([Get], "/things/inner/").and_below(),
        ];
        static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::of(TABLE));
        let found = |method, path| match SITES.find(method, path).endpoint {
            Ok(row) => Ok(TABLE.iter().position(|other| std::ptr::eq(row, other)).unwrap()),
            Err(Error::Method { allow }) => Err(allow),
            Err(_) => Err("not found"),
        };
        assert_eq!(found("HEAD", "/things"), Ok(0));
        assert_eq!(found("POST", "/things"), Ok(1));
        assert_eq!(found("PATCH", "/things"), Err("GET, HEAD, POST"));
        assert_eq!(found("POST", "/things/a/b"), Ok(2));
        assert_eq!(found("GET", "/things/"), Ok(2));
        assert_eq!(found("GET", "/things/inner/a"), Ok(3), "the longest prefix counts");
        assert_eq!(found("POST", "/things/inner/a"), Err("GET, HEAD"));
        assert_eq!(found("GET", "/thing"), Err("not found"));
    }

    /// A refusal by method must look like every other of its path.
    #[test]
    fn rows_of_a_path_have_one_dictionary() {
        for row in ENDPOINTS {
            let of_path = find("NONE", row.path).dictionary;
            assert!(std::ptr::fn_addr_eq(of_path, row.dictionary), "{}", row.path);
        }
    }
}
