//! Addresses below `/dav/`: from what clients send to places in the share, and back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dav::methods::ROOT;
use crate::error::{Error, Result, Why};
use crate::http::call::Call;
use crate::http::query;
use crate::vault::{Share, VaultPath};

/// What stands encoded in an address that is told.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is said of what is no address.
const WRONG: Error = Error::invalid_as(Why::Path, "Invalid path");

/// The place that a request is about.
///
/// Errors: `Invalid`; `NotFound` or `Forbidden` for larder's own.
pub fn of(call: &Call<'_>, share: &Share) -> Result<VaultPath> {
    let (path, _) = query::split(call.request.url());
    let path = parse(path.strip_prefix(ROOT).unwrap_or_default())?;
    must_be_open(call, &path)?;
    share.meant_by(&path, composes(call))
}

/// Whether the very top is asked for, above `/dav/`.
pub fn is_top(call: &Call<'_>) -> bool {
    query::split(call.request.url()).0 == "/"
}

/// The place that `Destination` names (RFC 4918, 10.3); `None` for one that is elsewhere.
///
/// Errors: `Invalid` (missing or malformed), `Forbidden` for larder's own.
pub fn destination(call: &Call<'_>, share: &Share) -> Result<Option<VaultPath>> {
    const NONE: Error = Error::invalid("Destination is missing or malformed");
    let field = call.request.header("Destination").ok_or(NONE)?.trim();
    let path = path_of_uri(field).ok_or(NONE)?;
    let Some(below) = path.strip_prefix(ROOT).or((path == "/dav").then_some("")) else {
        return Ok(None);
    };
    let path = parse(below)?;
    must_be_open(call, &path)?;
    share.meant_by(&path, composes(call)).map(Some)
}

/// The path of a URI or of an absolute path; whose it is, is not looked at: behind a proxy nobody knows.
pub fn path_of_uri(field: &str) -> Option<&str> {
    let path = match field.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') && !scheme.is_empty() => {
            &rest[rest.find('/').filter(|at| *at > 0)?..]
        }
        _ => field,
    };
    let is_plain = path.bytes().all(|byte| byte > b' ' && byte != 0x7f);
    (path.starts_with('/') && !path.starts_with("//") && is_plain && !path.contains(['?', '#']))
        .then_some(path)
}

/// Reads what stands behind `/dav/`, each name by itself.
///
/// Errors: `Invalid`.
pub fn parse(below: &str) -> Result<VaultPath> {
    let names: Result<Vec<String>> =
        below.split('/').filter(|name| !name.is_empty()).map(decode).collect();
    VaultPath::parse(&names?.join("/"))
}

/// Undoes `%XX` in one name, every one of which must be whole.
fn decode(name: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = behind.split_at_checked(2).ok_or(WRONG)?;
        let [high, low] = [digits.0[0], digits.0[1]].map(|digit| char::from(digit).to_digit(16));
        let value = high.zip(low).map(|(high, low)| high * 16 + low).ok_or(WRONG)?;
        bytes.push(u8::try_from(value).map_err(|_| WRONG)?);
        rest = digits.1;
    }
    let name = String::from_utf8(bytes).map_err(|_| WRONG)?;
    if name.contains(['/', '\0']) || name == ".." { Err(WRONG) } else { Ok(name) }
}

/// Refuses larder's own folder: to who looks, it is not there.
///
/// Errors: `NotFound`, `Forbidden`.
fn must_be_open(call: &Call<'_>, path: &VaultPath) -> Result<()> {
    match call.request.method().as_str() {
        _ if !path.is_reserved() => Ok(()),
        "GET" | "HEAD" | "PROPFIND" => Err(Error::NotFound("File or folder does not exist")),
        _ => Err(Error::Forbidden),
    }
}

/// Whether a client sends in pieces what people type: the Finder does.
pub fn composes(call: &Call<'_>) -> bool {
    call.request.header("User-Agent").is_some_and(|agent| agent.starts_with("WebDAVFS"))
}

/// The address of a place; a folder's ends in `/`.
pub fn told(path: &VaultPath, is_folder: bool) -> String {
    told_of(path.as_str(), is_folder)
}

/// The same of a place that may be too long to be asked for.
pub fn told_of(path: &str, is_folder: bool) -> String {
    let mut told = ROOT.to_owned();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        told.extend(utf8_percent_encode(name, ENCODED));
        told.push('/');
    }
    if !is_folder && told.len() > ROOT.len() {
        told.pop();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_decoded_one_by_one() {
        let good = |sent: &str, path: &str| assert_eq!(parse(sent).unwrap().as_str(), path);
        good("", "");
        good("a%20b/c+d/%C3%A9/", "a b/c+d/é");
        good("//a///b", "a/b");
        good("%2e%2e.", "...");
        good("a%25", "a%");
        for bad in ["%", "a%2", "%zz", "%+1", "%ff", "a%2Fb", "%00", "..", "a/%2E%2e/b", "%c3/%a9"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn of_a_uri_only_the_path_counts() {
        for (field, path) in [
            ("http://nas:6969/dav/a", Some("/dav/a")),
            ("https://other/dav/a%20b", Some("/dav/a%20b")),
            ("HTTP://[::1]:80/x", Some("/x")),
            ("/dav/a://b", Some("/dav/a://b")),
            ("/dav/", Some("/dav/")),
            ("dav/a", None),
            ("", None),
            ("http://nas", None),
            ("http:///dav/a", None),
            ("//nas/dav/a", None),
            ("/dav/a b", None),
            ("/dav/a?b", None),
            ("/dav/a#b", None),
        ] {
            assert_eq!(path_of_uri(field), path, "{field}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_read_as_the_same(names in prop::collection::vec("[^/\0]{1,9}", 0..4), is_folder: bool) {
            let Ok(path) = VaultPath::parse(&names.join("/")) else { return Ok(()) };
            let told = told(&path, is_folder);
            prop_assert!(told.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)));
            let below = told.strip_prefix(ROOT).unwrap();
            prop_assert_eq!(parse(below).unwrap(), path);
        }

        #[test]
        fn nothing_makes_it_fail(text: String) {
            let _read_or_not = parse(&text);
            let _path_or_none = path_of_uri(&text);
        }
    }
}
