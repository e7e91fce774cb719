//! A request target, taken apart: the segments of its path, and its query, which is `name=value` pairs,
//! percent-encoded (WHATWG URL, `application/x-www-form-urlencoded`).

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::error::{Error, Result, Why};

/// A request target, cut at its first `?`.
pub fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// All values of one name, in order.
///
/// Errors: `Invalid("Invalid path")` when a value is not UTF-8 (all our values are paths or flags).
pub fn values<'a>(query: &'a str, name: &str) -> Result<Vec<Cow<'a, str>>> {
    let mut found = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(key).is_ok_and(|key| key == name) {
            found.push(decode(value)?);
        }
    }
    Ok(found)
}

/// Undoes `+` and `%XX`.
pub fn decode(text: &str) -> Result<Cow<'_, str>> {
    let invalid = |_| Error::invalid_as(Why::Path, "Invalid path");
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(invalid)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode(text.as_bytes()).decode_utf8().map_err(invalid)
}

/// Undoes `%XX` in a path. What would be another path than was written is none: an encoded `/` is no
/// letter of a name.
///
/// Errors: `Invalid` (also not UTF-8, or NUL).
pub fn decode_segments(path: &str) -> Result<Cow<'_, str>> {
    let invalid = || Error::invalid_as(Why::Path, "Invalid path");
    let decoded = percent_decode(path.as_bytes()).decode_utf8().map_err(|_| invalid())?;
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if decoded.contains('\0') || slashes(&decoded) != slashes(path) {
        return Err(invalid());
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_kept_in_order() {
        let query = "path=a%2Fb+c&x=1&path=%C3%A9&p%61th=d%2B&flag";
        assert_eq!(values(query, "path").unwrap(), ["a/b c", "é", "d+"]);
        assert_eq!(values(query, "flag").unwrap(), [""]);
        assert!(values(query, "none").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_utf8_is_refused_only_where_it_is_asked_for() {
        assert!(values("path=%FF", "path").is_err());
        assert_eq!(values("other=%FF&%FF=1&path=a", "path").unwrap(), ["a"]);
        assert_eq!(values("path=100%&path=%zz", "path").unwrap(), ["100%", "%zz"]);
    }

    #[test]
    fn a_path_keeps_its_segments() {
        assert_eq!(decode_segments("a%20b/c+d/%C3%A9").unwrap(), "a b/c+d/é");
        assert_eq!(decode_segments("").unwrap(), "");
        assert_eq!(decode_segments("100%/%zz").unwrap(), "100%/%zz");
        for bad in ["a%2Fb", "a%2fb/", "%FF", "a%00"] {
            assert!(decode_segments(bad).is_err(), "{bad}");
        }
    }
}
