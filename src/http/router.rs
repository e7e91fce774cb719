//! From a path, then a method, to a row of the table, or the right refusal.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::auth::narrowed::Door;
use crate::error::{Error, Result};
use crate::http::api::{self, Dictionary, Endpoint};
use crate::http::problem;
use crate::limits;

/// What stands for the token of a link in the paths of the table, and in everything that is told of a path.
pub const TOKEN: &str = "{token}";

/// Where everything that people come to by a link is.
pub const LINKS: &str = "/s/";

/// The token of a link in a path, and what follows it, if it is one of a link's.
pub fn link_in(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(LINKS)?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// A path as the table has it: whatever the token, and with or without a `/` behind it.
fn in_table(path: &str) -> Cow<'_, str> {
    match link_in(path) {
        None => Cow::Borrowed(path),
        Some((_, "/")) => Cow::Owned(format!("{LINKS}{TOKEN}")),
        Some((_, rest)) => Cow::Owned(format!("{LINKS}{TOKEN}{rest}")),
    }
}

/// A path without the secret that may be in it: what stands in logs. Of a path that is in no row anything that is as
/// long as a secret may be one, for somebody may have written the address of a link in another way.
pub fn told(path: &str) -> Cow<'_, str> {
    match link_in(path) {
        None if is_whole_row(path) => Cow::Borrowed(path),
        None => Cow::Owned(veiled(path)),
        Some((_, rest)) => Cow::Owned(format!("{LINKS}…{}", veiled(rest))),
    }
}

/// A text without what may be a token of it, be its letters percent-encoded or not.
fn veiled(text: &str) -> String {
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_%".contains(letter);
    let mut told = String::with_capacity(text.len());
    let mut left = text;
    while let Some(letter) = left.chars().next() {
        let length = left.find(|letter| !is_of_token(letter)).unwrap_or(left.len());
        let (run, rest) = left.split_at(length.max(letter.len_utf8()));
        told.push_str(if length < limits::VEILED_LETTERS_MIN { run } else { "…" });
        left = rest;
    }
    told
}

/// What follows the path of a row in the path of a request that led there.
pub fn rest_of<'a>(row: &str, path: &'a str) -> &'a str {
    let (row, path) = match (link_in(row), link_in(path)) {
        (Some((_, row)), Some((_, path))) => (row, path),
        _ => (row, path),
    };
    path.strip_prefix(row).unwrap_or_default()
}

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
    /// The door of that path.
    pub door: Door,
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

/// All of larder's own table.
static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::of(api::all()));

/// The row for this request. `path` is the request target without its query.
pub fn find(method: &str, path: &str) -> Route {
    SITES.find(method, path)
}

/// Whether a path is, letter for letter, that of a row.
fn is_whole_row(path: &str) -> bool {
    SITES.whole.contains_key(path)
}

impl Sites {
    /// Sorts a table.
    fn of(table: impl Iterator<Item = &'static Endpoint>) -> Self {
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
        let path = &*in_table(path);
        let below = || self.prefixes.iter().find(|site| path.starts_with(site.path()));
        let Some(site) = self.whole.get(path).or_else(below) else {
            let endpoint = Err(Error::NotFound("Not found"));
            return Route { endpoint, dictionary: problem::reply, allow: "", door: Door::Api };
        };
        let row = site.rows.iter().copied().find(|row| row.takes_method(method));
        let endpoint = row.ok_or(Error::Method { allow: &site.allow });
        let (dictionary, door) = (site.dictionary(), site.door());
        Route { endpoint, dictionary, allow: &site.allow, door }
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

    /// The door of the path.
    fn door(&self) -> Door {
        self.rows.first().map_or(Door::Api, |row| row.door)
    }

    /// How the door of the path words refusals.
    fn dictionary(&self) -> Dictionary {
        self.rows.first().map_or(problem::reply, |row| row.dictionary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::{Access, ENDPOINTS, Lane, Method, row};
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
        static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::of(TABLE.iter()));
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

    #[test]
    fn whatever_the_token_the_row_is_the_same_and_nobody_tells_the_token() {
        static TABLE: &[Endpoint] = &[
            some!([Get], "/s/{token}"),
            some!([Post], "/s/{token}/open"),
            some!([Delete], "/s/{token}/uploads/").and_below(),
        ];
        static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::of(TABLE.iter()));
        for (method, path, row, rest, is_told) in [
            ("GET", "/s/abc", Some(0), "", "/s/…"),
            ("GET", "/s/abc/", Some(0), "/", "/s/…/"),
            ("GET", "/s/", Some(0), "", "/s/…"),
            ("POST", "/s/a%2Fc/open", Some(1), "", "/s/…/open"),
            ("POST", "/s//open", Some(1), "", "/s/…/open"),
            ("DELETE", "/s/abc/uploads/1-2", Some(2), "1-2", "/s/…/uploads/1-2"),
            ("DELETE", "/s/abc/uploads", None, "", "/s/…/uploads"),
            ("POST", "/s/abc/open/", None, "", "/s/…/open/"),
            ("GET", "/s", None, "", "/s"),
            ("GET", "/sx/abc", None, "", "/sx/abc"),
        ] {
            let found = SITES.find(method, path).endpoint.ok();
            let at = found.and_then(|row| TABLE.iter().position(|other| std::ptr::eq(row, other)));
            assert_eq!(at, row, "{path}");
            assert_eq!(told(path), is_told, "{path}");
            if let Some(row) = found {
                assert_eq!(rest_of(row.path, path), rest, "{path}");
            }
        }
        assert_eq!(rest_of("/web/", "/web/assets/a.js"), "assets/a.js");
    }

    #[test]
    fn no_other_way_to_write_the_address_of_a_link_tells_its_token() {
        let token = "AbCdEfGhIjKlMnOpQr-_12";
        let encoded: Vec<String> = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let encoded = encoded.concat();
        for path in [
            format!("//s/{token}/info"),
            format!("/s%2F{token}/info"),
            format!("/S/{token}"),
            format!("/web/../s/{token}/info"),
            format!("/s/x/../../s/{token}"),
            format!("/s/x/uploads/{token}"),
            format!("/S/{encoded}/info"),
            format!("/ü{token}ü"),
        ] {
            let told = told(&path);
            assert!(!told.contains(token) && !told.contains(&encoded[..30]), "{told}");
            assert!(told.contains('…'), "{told}");
        }
        for plain in ["/api/finder", "/api/download_ticket", "/ü/..//index.html", "", "*"] {
            assert_eq!(told(plain), plain);
        }
        for row in ENDPOINTS.iter().filter(|row| link_in(row.path).is_none() && !row.is_prefix) {
            assert_eq!(told(row.path), row.path);
        }
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
