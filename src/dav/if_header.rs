//! `If` (RFC 4918, 10.4): on which tags and tokens a request depends, and which tokens it shows.

use crate::dav::tags::Tag;
use crate::error::{Error, Result};
use crate::limits;

/// What is said of what cannot be read.
const MALFORMED: Error = Error::invalid("If is malformed");

/// One list of conditions, all of which must hold.
#[derive(Debug, PartialEq, Eq)]
pub struct List<'a> {
    /// What it is about, as it was written; `None` for what the request is about.
    pub about: Option<&'a str>,
    /// The conditions, at least one.
    pub conditions: Vec<Condition<'a>>,
}

/// A condition.
#[derive(Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Whether it shall not be so.
    pub is_not: bool,
    /// What shall be so.
    pub state: State<'a>,
}

/// What may be so of something.
#[derive(Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// It is locked with this token.
    Token(&'a str),
    /// It has this tag.
    Tag(Tag<'a>),
}

/// Reads the lists, one of which must hold.
///
/// Errors: `Invalid`.
pub fn parse(field: &str) -> Result<Vec<List<'_>>> {
    if field.len() > limits::DAV_IF_BYTES_MAX {
        return Err(MALFORMED);
    }
    let mut rest = field.trim();
    let is_tagged = rest.starts_with('<');
    let (mut lists, mut count, mut about) = (Vec::new(), 0, None);
    while !rest.is_empty() {
        if let Some(tagged) = rest.strip_prefix('<') {
            let (resource, behind) = tagged.split_once('>').ok_or(MALFORMED)?;
            if !is_tagged || resource.is_empty() {
                return Err(MALFORMED);
            }
            about = Some(resource);
            rest = behind.trim_start();
        }
        let (conditions, behind) = list(rest.strip_prefix('(').ok_or(MALFORMED)?)?;
        count += conditions.len();
        if count > limits::DAV_IF_CONDITIONS_MAX {
            return Err(MALFORMED);
        }
        lists.push(List { about, conditions });
        rest = behind.trim_start();
    }
    if lists.is_empty() { Err(MALFORMED) } else { Ok(lists) }
}

/// Reads the conditions behind a bracket, and gives what is behind its end.
fn list(text: &str) -> Result<(Vec<Condition<'_>>, &str)> {
    let (mut conditions, mut rest) = (Vec::new(), text.trim_start());
    loop {
        if let Some(behind) = rest.strip_prefix(')') {
            return if conditions.is_empty() { Err(MALFORMED) } else { Ok((conditions, behind)) };
        }
        let negated = rest.get(..3).filter(|word| word.eq_ignore_ascii_case("not"));
        let is_not = negated.is_some();
        rest = if is_not { rest[3..].trim_start() } else { rest };
        let (state, behind) = if let Some(token) = rest.strip_prefix('<') {
            let (token, behind) = token.split_once('>').ok_or(MALFORMED)?;
            let is_uri = token.contains(':') && !token.contains(char::is_whitespace);
            (is_uri.then_some(State::Token(token)).ok_or(MALFORMED)?, behind)
        } else {
            let tag = rest.strip_prefix('[').and_then(|tag| Tag::begin(tag.trim_start()));
            let (tag, behind) = tag.ok_or(MALFORMED)?;
            (State::Tag(tag), behind.trim_start().strip_prefix(']').ok_or(MALFORMED)?)
        };
        conditions.push(Condition { is_not, state });
        rest = behind.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lists as one reads them.
    fn told(field: &str) -> Vec<String> {
        let condition = |one: &Condition<'_>| {
            let state = match &one.state {
                State::Token(token) => (*token).to_owned(),
                State::Tag(tag) => format!("[{}{}]", if tag.is_weak { "W/" } else { "" }, tag.text),
            };
            format!("{}{state}", if one.is_not { "!" } else { "" })
        };
        let list = |list: &List<'_>| {
            let all: Vec<String> = list.conditions.iter().map(condition).collect();
            format!("{}({})", list.about.unwrap_or_default(), all.join(" "))
        };
        parse(field).unwrap().iter().map(list).collect()
    }

    #[test]
    fn lists_are_about_something_or_about_the_request() {
        assert_eq!(told("(<a:b>)"), ["(a:b)"]);
        assert_eq!(told("(<a:b> [\"x\"]) (Not <DAV:no-lock>)"), ["(a:b [x])", "(!DAV:no-lock)"]);
        assert_eq!(
            told("</dav/a>(<a:b>)(not[W/\"t\"]) <http://h/dav/b> ( <c:d> )"),
            ["/dav/a(a:b)", "/dav/a(![W/t])", "http://h/dav/b(c:d)"]
        );
    }

    #[test]
    fn what_has_another_form_is_refused() {
        let many = "(<a:b>)".repeat(65);
        let long = format!("(<a:{}>)", "b".repeat(4096));
        for bad in [
            "",
            "()",
            "(",
            "(<a:b>",
            "<a:b>",
            "(a:b)",
            "(<ab>)",
            "(<a b:c>)",
            "([x])",
            "([\"x\")",
            "(Not)",
            "(<a:b>) <r> (<c:d>)",
            "<> (<a:b>)",
            "(<a:b>) x",
            "(<a:b>))",
            &many,
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad:.40}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "[()<>\\[\\]\"a:W/ notN]{0,60}") {
            let _lists_or_not = parse(&text);
        }

        #[test]
        fn no_letters_make_it_fail(text: String) {
            let _lists_or_not = parse(&text);
        }
    }
}
