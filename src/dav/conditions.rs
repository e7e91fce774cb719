//! On what condition something shall be changed: the fields of RFC 9110 (13.1).

use std::time::{SystemTime, UNIX_EPOCH};

use tiny_http::Request;

use crate::error::{Error, Result};
use crate::vault::{Share, Tagged, VaultPath};

/// Whether what is there is what the request takes it for. Of a place that may only be written nobody learns anything
/// by this.
///
/// Errors: `PreconditionFailed`, `StorageAbsent`.
pub fn judge(request: &Request, share: &Share, path: &VaultPath) -> Result<()> {
    let fields =
        ["If-Match", "If-None-Match", "If-Unmodified-Since"].map(|name| request.header(name));
    if fields.iter().all(Option::is_none) {
        return Ok(());
    }
    let is_there = match share.look(path) {
        Ok(_) => true,
        Err(Error::NotFound(_)) => false,
        Err(Error::Refused) => return Ok(()),
        Err(error) => return Err(error),
    };
    let tagged = share.tagged(path)?;
    if holds(fields, is_there, tagged.as_ref()) { Ok(()) } else { Err(Error::PreconditionFailed) }
}

/// The same of what was looked at.
fn holds(
    [if_match, if_none_match, if_unmodified_since]: [Option<&str>; 3],
    is_there: bool,
    tagged: Option<&Tagged>,
) -> bool {
    let names = |list: &Tags<'_>, is_weak: bool| match list {
        Tags::Any => is_there,
        Tags::These(tags) => tags.iter().any(|tag| {
            (is_weak || !tag.is_weak) && tagged.is_some_and(|now| now.is_known_by(tag.text))
        }),
    };
    match if_match.and_then(Tags::parse) {
        Some(list) if !names(&list, false) => return false,
        Some(_) => {}
        None => {
            let date =
                if_unmodified_since.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
            let seconds = |time: SystemTime| {
                time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
            };
            if date.zip(tagged).is_some_and(|(date, now)| seconds(now.modified) > seconds(date)) {
                return false;
            }
        }
    }
    if_none_match.and_then(Tags::parse).is_none_or(|list| !names(&list, true))
}

/// What a field of tags names.
enum Tags<'a> {
    /// Whatever is there.
    Any,
    /// One of these.
    These(Vec<Tag<'a>>),
}

/// An entity tag (RFC 9110, 8.8.3).
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Without its quotes.
    pub text: &'a str,
    /// Whether it is a weak one.
    pub is_weak: bool,
}

impl<'a> Tags<'a> {
    /// Reads a list. What has not the form of a tag is none; a list of nothing else is no condition.
    fn parse(list: &'a str) -> Option<Self> {
        if list.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = list.trim_start();
        while !rest.is_empty() {
            match Tag::begin(rest) {
                Some((tag, behind)) => {
                    let behind = behind.trim_start();
                    if behind.is_empty() || behind.starts_with(',') {
                        tags.push(tag);
                    }
                    rest = behind.split_once(',').map_or("", |(_, rest)| rest);
                }
                None => rest = rest.split_once(',').map_or("", |(_, rest)| rest),
            }
            rest = rest.trim_start();
        }
        (!tags.is_empty()).then_some(Self::These(tags))
    }
}

impl<'a> Tag<'a> {
    /// Reads one from the beginning of a text, and gives what is behind it.
    pub fn begin(text: &'a str) -> Option<(Self, &'a str)> {
        let strong = text.strip_prefix("W/");
        let quoted = strong.unwrap_or(text).strip_prefix('"')?;
        let (tag, behind) = quoted.split_once('"')?;
        let is_tag = tag.chars().all(|letter| letter > ' ' && letter != '\u{7f}');
        is_tag.then_some((Self { text: tag, is_weak: strong.is_some() }, behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &str) -> Vec<String> {
        match Tags::parse(list) {
            None => Vec::new(),
            Some(Tags::Any) => vec!["*".to_owned()],
            Some(Tags::These(tags)) => {
                let told =
                    |tag: &Tag<'_>| format!("{}{}", if tag.is_weak { "W/" } else { "" }, tag.text);
                tags.iter().map(told).collect()
            }
        }
    }

    #[test]
    fn what_has_no_form_of_a_tag_is_none() {
        assert_eq!(texts(" * "), ["*"]);
        assert_eq!(texts("\"a\", W/\"b,c\" ,\"\""), ["a", "W/b,c", ""]);
        assert_eq!(texts("JoplinIgnore-74610"), [""; 0]);
        assert_eq!(texts("x, \"a\", \"b\" c, \"d"), ["a"]);
        assert_eq!(texts("w/\"a\""), [""; 0]);
        assert_eq!(texts(""), [""; 0]);
    }
}
