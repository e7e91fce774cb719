//! Conditional requests and ranges: RFC 9110, sections 13 and 14. Pure: decides from fields and
//! validators, touches nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::limits;

/// The fields of a request that conditions and ranges are written in.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    /// RFC 9110, 13.1.1.
    pub if_match: Option<&'a str>,
    /// RFC 9110, 13.1.2.
    pub if_none_match: Option<&'a str>,
    /// RFC 9110, 13.1.3.
    pub if_modified_since: Option<&'a str>,
    /// RFC 9110, 13.1.4.
    pub if_unmodified_since: Option<&'a str>,
    /// RFC 9110, 13.1.5.
    pub if_range: Option<&'a str>,
    /// RFC 9110, 14.2; only `GET` has ranges.
    pub range: Option<&'a str>,
}

/// What the file is like now.
#[derive(Clone, Copy, Debug)]
pub struct Representation<'a> {
    /// The strong entity tag, quotes included.
    pub etag: &'a str,
    /// When it was last changed.
    pub modified: SystemTime,
    /// Bytes.
    pub length: u64,
}

/// A piece of a file: bytes `first..first + length`, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Offset of the first byte.
    pub first: u64,
    /// Bytes.
    pub length: u64,
}

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// 200 with everything.
    Whole,
    /// 206 with these, at least one.
    Partial(Vec<Piece>),
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    Unsatisfiable,
}

/// Decides in the order of RFC 9110, 13.2.2.
pub fn decide(fields: &Fields<'_>, now: &Representation<'_>) -> Decision {
    if let Some(list) = fields.if_match {
        if !lists(list, now.etag, Comparison::Strong) {
            return Decision::PreconditionFailed;
        }
    } else if let Some(date) = fields.if_unmodified_since.and_then(parse_date)
        && seconds(now.modified) > seconds(date)
    {
        return Decision::PreconditionFailed;
    }
    if let Some(list) = fields.if_none_match {
        if lists(list, now.etag, Comparison::Weak) {
            return Decision::NotModified;
        }
    } else if let Some(date) = fields.if_modified_since.and_then(parse_date)
        && seconds(now.modified) <= seconds(date)
    {
        return Decision::NotModified;
    }
    let Some(range) = fields.range else { return Decision::Whole };
    if fields.if_range.is_some_and(|validator| !is_current(validator, now)) {
        return Decision::Whole;
    }
    if now.length == 0 {
        // Nothing is all that there is; a player that asks for its first byte takes 416 for a failure.
        return Decision::Whole;
    }
    parse(range, now.length)
}

/// Whether an `If-Range` validator still holds: a strong tag, or the very date, which must be old
/// enough to be one (RFC 9110, 8.8.2.2).
fn is_current(validator: &str, now: &Representation<'_>) -> bool {
    if validator.starts_with('"') || validator.starts_with("W/") {
        return validator == now.etag;
    }
    let is_old = now.modified.elapsed().is_ok_and(|age| age > Duration::from_secs(1));
    is_old && parse_date(validator).is_some_and(|date| seconds(date) == seconds(now.modified))
}

/// How tags are compared (RFC 9110, 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// Weak tags never match.
    Strong,
    /// `W/` does not matter.
    Weak,
}

/// Whether a list of entity tags, or `*`, names this one.
fn lists(list: &str, etag: &str, comparison: Comparison) -> bool {
    let mut rest = list.trim();
    if rest == "*" {
        return true;
    }
    // A tag may contain commas, so the list is walked from quote to quote.
    while let Some(open) = rest.find('"') {
        let Some(length) = rest[open + 1..].find('"') else { return false };
        let tag = &rest[open..=open + 1 + length];
        let is_weak = rest[..open].trim_end().ends_with("W/");
        if tag == etag && (comparison == Comparison::Weak || !is_weak) {
            return true;
        }
        rest = &rest[open + length + 2..];
    }
    false
}

/// Any of the three forms of an HTTP date (RFC 9110, 5.6.7); anything else is ignored.
fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

/// HTTP dates have whole seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Reads `bytes=...` (RFC 9110, 14.1.2). What is not well-formed, or abuse, counts as absent;
/// well-formed ranges that all lie behind the end are unsatisfiable.
fn parse(range: &str, length: u64) -> Decision {
    let Some((unit, list)) = range.split_once('=') else { return Decision::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Decision::Whole;
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut specs = 0;
    for spec in list.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        specs += 1;
        if specs > limits::RANGES_MAX {
            return Decision::Whole;
        }
        match piece(spec, length) {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => {}
            Err(()) => return Decision::Whole,
        }
    }
    let overlaps = |one: &Piece, other: &Piece| {
        one.first < other.first + other.length && other.first < one.first + one.length
    };
    let do_overlap = pieces
        .iter()
        .enumerate()
        .any(|(index, one)| pieces[..index].iter().any(|other| overlaps(one, other)));
    match (specs, pieces.is_empty()) {
        (0, _) => Decision::Whole,
        (_, true) => Decision::Unsatisfiable,
        // RFC 9110, 15.3.7.2 lets a server coalesce what overlaps; the whole span is simplest.
        _ if do_overlap => Decision::Partial(vec![span(&pieces)]),
        _ => Decision::Partial(pieces),
    }
}

/// One range, `first-last`, `first-` or `-suffix`; `None` when it lies behind the end.
fn piece(spec: &str, length: u64) -> Result<Option<Piece>, ()> {
    let (first, last) = spec.split_once('-').ok_or(())?;
    if first.is_empty() {
        let suffix = number(last)?.min(length);
        return Ok((suffix > 0).then(|| Piece { first: length - suffix, length: suffix }));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return Err(());
    }
    if first >= length {
        return Ok(None);
    }
    Ok(Some(Piece { first, length: last.min(length - 1) - first + 1 }))
}

/// Digits only; a number beyond 2^64 is as good as the largest.
fn number(digits: &str) -> Result<u64, ()> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(());
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// The smallest piece that holds all of them.
fn span(pieces: &[Piece]) -> Piece {
    let first = pieces.iter().map(|piece| piece.first).min().unwrap_or(0);
    let end = pieces.iter().map(|piece| piece.first + piece.length).max().unwrap_or(0);
    Piece { first, length: end - first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(text: &str) -> Decision {
        parse(text, 100)
    }

    fn partial(pieces: &[(u64, u64)]) -> Decision {
        Decision::Partial(pieces.iter().map(|&(first, length)| Piece { first, length }).collect())
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(ranges("bytes=0-9"), partial(&[(0, 10)]));
        assert_eq!(ranges("bytes=90-"), partial(&[(90, 10)]));
        assert_eq!(ranges("bytes=90-1000"), partial(&[(90, 10)]));
        assert_eq!(ranges("bytes=-10"), partial(&[(90, 10)]));
        assert_eq!(ranges("bytes=-1000"), partial(&[(0, 100)]));
        assert_eq!(ranges("Bytes = 0-0, ,99-99"), partial(&[(0, 1), (99, 1)]));
        assert_eq!(ranges("bytes=50-59,0-9"), partial(&[(50, 10), (0, 10)]));
        assert_eq!(ranges("bytes=0-9,200-300"), partial(&[(0, 10)]));
        assert_eq!(ranges("bytes=0-99999999999999999999999"), partial(&[(0, 100)]));
    }

    #[test]
    fn overlapping_ranges_become_one() {
        assert_eq!(ranges("bytes=0-10,5-20,40-50"), partial(&[(0, 51)]));
        assert_eq!(ranges("bytes=0-9,10-19"), partial(&[(0, 10), (10, 10)]));
    }

    #[test]
    fn what_is_not_a_range_counts_as_absent() {
        for text in [
            "bytes",
            "bytes=",
            "bytes=,",
            "items=0-1",
            "bytes=a-b",
            "bytes=5-1",
            "bytes=--1",
            "bytes=1",
            "bytes=+1-2",
            "bytes=0-1,x",
        ] {
            assert_eq!(ranges(text), Decision::Whole, "{text}");
        }
        assert_eq!(ranges(&format!("bytes={}", "0-0,".repeat(50))), Decision::Whole);
    }

    #[test]
    fn ranges_behind_the_end_cannot_be_satisfied() {
        for text in ["bytes=100-", "bytes=-0", "bytes=100-200,300-"] {
            assert_eq!(ranges(text), Decision::Unsatisfiable, "{text}");
        }
        assert_eq!(parse("bytes=0-", 0), Decision::Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Decision::Unsatisfiable);
    }

    #[test]
    fn an_empty_file_is_sent_whole_whatever_the_range() {
        let now = Representation { etag: "\"a\"", modified: UNIX_EPOCH, length: 0 };
        for range in ["bytes=-1", "bytes=0-", "bytes=0-0", "bytes=5-9,11-"] {
            let fields = Fields { range: Some(range), ..Fields::default() };
            assert_eq!(decide(&fields, &now), Decision::Whole, "{range}");
        }
    }

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn decided(fields: &Fields<'_>) -> Decision {
        let modified = parse_date(DATE).unwrap() + Duration::from_millis(300);
        decide(fields, &Representation { etag: "\"a,b\"", modified, length: 100 })
    }

    #[test]
    fn conditions_come_in_the_order_of_the_rfc() {
        let none = Fields::default();
        let some = Some;
        assert_eq!(decided(&none), Decision::Whole);
        for (list, expected) in [
            ("\"a,b\"", Decision::NotModified),
            ("W/\"a,b\"", Decision::NotModified),
            ("*", Decision::NotModified),
            ("\"x\", W/\"y\", \"a,b\"", Decision::NotModified),
            ("\"a\", \"b\"", Decision::Whole),
            ("a,b", Decision::Whole),
            ("\"a,b", Decision::Whole),
        ] {
            assert_eq!(
                decided(&Fields { if_none_match: some(list), ..none.clone() }),
                expected,
                "{list}"
            );
        }
        for (list, expected) in [
            ("\"a,b\"", Decision::Whole),
            ("*", Decision::Whole),
            ("W/\"a,b\"", Decision::PreconditionFailed),
            ("\"x\"", Decision::PreconditionFailed),
        ] {
            assert_eq!(
                decided(&Fields { if_match: some(list), ..none.clone() }),
                expected,
                "{list}"
            );
        }
        for (date, expected) in [
            (DATE, Decision::NotModified),
            (LATER, Decision::NotModified),
            (EARLIER, Decision::Whole),
            ("nonsense", Decision::Whole),
        ] {
            assert_eq!(
                decided(&Fields { if_modified_since: some(date), ..none.clone() }),
                expected,
                "{date}"
            );
        }
        for (date, expected) in [(DATE, Decision::Whole), (EARLIER, Decision::PreconditionFailed)] {
            assert_eq!(
                decided(&Fields { if_unmodified_since: some(date), ..none.clone() }),
                expected,
                "{date}"
            );
        }
        // A tag that differs makes the date irrelevant.
        let both = Fields { if_none_match: some("\"x\""), if_modified_since: some(LATER), ..none };
        assert_eq!(decided(&both), Decision::Whole);
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole_file() {
        let range = |if_range| Fields {
            range: Some("bytes=0-9"),
            if_range: Some(if_range),
            ..Fields::default()
        };
        assert_eq!(decided(&range("\"a,b\"")), partial(&[(0, 10)]));
        assert_eq!(decided(&range(DATE)), partial(&[(0, 10)]));
        for stale in ["W/\"a,b\"", "\"x\"", LATER, EARLIER, "nonsense"] {
            assert_eq!(decided(&range(stale)), Decision::Whole, "{stale}");
        }
    }

    proptest! {
        #[test]
        fn pieces_always_lie_in_the_file(text in "bytes=[0-9, -]{0,40}", length in 0_u64..200) {
            if let Decision::Partial(pieces) = parse(&text, length) {
                for piece in pieces {
                    prop_assert!(piece.length > 0 && piece.first + piece.length <= length);
                }
            }
        }
    }
}
