//! What somebody wants of a lock: the body of `LOCK` and `Timeout` (RFC 4918, 9.10 and 10.7).

use std::time::Duration;

use crate::dav::xml::{Element, Node, escaped};
use crate::error::{Error, Result};
use crate::limits;

/// What is wanted of a lock.
pub struct Wanted {
    /// Whether nobody else may have one there.
    pub is_exclusive: bool,
    /// What its owner says of themselves, as XML.
    pub words: String,
}

/// Reads what is wanted.
///
/// Errors: `Invalid`.
pub fn read(body: &Element) -> Result<Wanted> {
    const NONE: Error = Error::invalid("The body asks for no lock that there is");
    let scope = body.child("lockscope").filter(|_| body.is("lockinfo")).ok_or(NONE)?;
    let is_write = body.child("locktype").is_some_and(|kind| kind.child("write").is_some());
    let is_exclusive = match (scope.child("exclusive"), scope.child("shared")) {
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => return Err(NONE),
    };
    let words = body.child("owner").map_or_else(String::new, words);
    if !is_write {
        return Err(NONE);
    }
    if words.len() > limits::LOCK_OWNER_BYTES_MAX {
        return Err(Error::invalid("The owner is too long"));
    }
    Ok(Wanted { is_exclusive, words })
}

/// What an owner says of themselves.
fn words(owner: &Element) -> String {
    let part = |child: &Node| match child {
        Node::Element(element) => element.to_text(),
        Node::Text(text) => escaped(text).into_owned(),
    };
    owner.children.iter().map(part).collect()
}

/// How long a lock shall last: the first of the wishes that can be read (RFC 4918, 10.7).
pub fn time(field: &str) -> Duration {
    let wish = |word: &str| match word.trim().split_once('-') {
        None if word.trim().eq_ignore_ascii_case("infinite") => Some(limits::LOCK_TIME_MAX),
        Some((unit, count)) if unit.eq_ignore_ascii_case("second") => {
            let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| Duration::from_secs(count.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    field
        .split(',')
        .find_map(wish)
        .map_or(limits::LOCK_TIME, |time| time.min(limits::LOCK_TIME_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lock_lasts_as_long_as_is_wished_and_may_be() {
        for (field, seconds) in [
            ("", 600),
            ("Second-5", 5),
            ("Infinite, Second-5", 3600),
            ("Extend, second-7", 7),
            ("Second-4100000000", 3600),
            ("Second-99999999999999999999999", 3600),
            ("Second-", 600),
            ("Second-x", 600),
        ] {
            assert_eq!(time(field), Duration::from_secs(seconds), "{field}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(field in "[SsecondIinfinite,\\- 0-9]{0,60}") {
            prop_assert!(time(&field) <= limits::LOCK_TIME_MAX);
        }
    }
}
