//! JSON bodies, read as a stream: only the fields that a question has are kept, each within its
//! bound, and a file's content goes straight to disk. So no body of any size costs memory.

use std::cell::Cell;
use std::io::{self, Read};

use serde::de::DeserializeOwned;
use tiny_http::Request;

use crate::error::{Error, Result};
use crate::http::question::{Question, Wrong};
use crate::limits;
use crate::vault::Spool;
use fields::{OpenSpool, Source};
use guard::{Failure, Guard, MARK};

mod fields;
mod guard;

/// Reads a request's JSON body as a question; no body at all counts as `{}`. With it comes a file's content,
/// if the question has one.
///
/// `open_spool` is asked for a place when content comes, and told the path if that came before it. Errors:
/// `Invalid` (not JSON, not an object, a wrong type, a missing field, another media type), `TooLarge`,
/// `Disconnected`, and what `open_spool` and writing to it may fail with.
pub fn read<Q: Question>(
    request: &mut Request,
    open_spool: OpenSpool<'_>,
) -> Result<(Q, Option<Spool>)> {
    if !has_json(request)? {
        return parse(&b"{}"[..], open_spool);
    }
    parse(request.as_reader(), open_spool)
}

/// Reads a small JSON object whole, where its keys are not known beforehand; `None` without a
/// body.
///
/// Errors: `Invalid` (not JSON; `wrong_shape`; more than `bytes_max`), `TooLarge`, `Disconnected`.
pub fn read_whole<T: DeserializeOwned>(
    request: &mut Request,
    bytes_max: u64,
    wrong_shape: &'static str,
) -> Result<Option<T>> {
    if !has_json(request)? {
        return Ok(None);
    }
    let mut text = Vec::new();
    match request.as_reader().take(bytes_max + 1).read_to_end(&mut text) {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            return Err(Error::invalid(NO_OBJECT));
        }
        Err(_) => return Err(Error::Disconnected),
    }
    whole(&text, bytes_max, wrong_shape)
}

/// The same for a text.
fn whole<T: DeserializeOwned>(
    text: &[u8],
    bytes_max: u64,
    wrong_shape: &'static str,
) -> Result<Option<T>> {
    if text.len() as u64 > bytes_max || parts_in(text) > limits::JSON_PARTS_MAX {
        return Err(Error::invalid("The JSON object is too large"));
    }
    let text = text.strip_prefix(MARK).unwrap_or(text);
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(text).map(Some).map_err(|cause| match cause.classify() {
        serde_json::error::Category::Data => Error::invalid(wrong_shape),
        _ => Error::invalid(NO_OBJECT),
    })
}

/// How many values a JSON text has at most: each but the first follows a comma, a colon or a bracket.
fn parts_in(text: &[u8]) -> usize {
    let (mut parts, mut is_text, mut is_escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b':' | b'[' | b'{' if !is_text => parts += 1,
            _ => {}
        }
    }
    parts
}

/// The sentence for a body that can't be read.
pub const NO_OBJECT: &str = "The body is not a JSON object";

/// Whether there is a body; it must call itself JSON, or nothing.
///
/// Errors: `Invalid`, `TooLarge`.
fn has_json(request: &Request) -> Result<bool> {
    if !request.has_body() {
        return Ok(false);
    }
    if let Some(media_type) = request.header("Content-Type") {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Error::invalid("Content-Type must be application/json"));
        }
    }
    if request.content_length().is_some_and(|length| length > limits::JSON_BODY_BYTES_MAX) {
        return Err(Error::TooLarge);
    }
    Ok(true)
}

/// Reads a JSON object from anywhere.
fn parse<Q: Question>(reader: impl Read, open_spool: OpenSpool<'_>) -> Result<(Q, Option<Spool>)> {
    let failure = Cell::new(None);
    let mut content = None;
    let source = Source::new(Guard::new(reader, &failure), open_spool, &mut content);
    match Q::deserialize(source) {
        Ok(question) => Ok((question, content)),
        Err(wrong) => Err(cause(failure.take(), wrong).into_error::<Q>(NO_OBJECT)),
    }
}

/// What the guard saw is the cause of whatever the parser made of it.
fn cause(failure: Option<Failure>, wrong: Wrong) -> Wrong {
    match failure {
        Some(Failure::Empty | Failure::NotJson) => Wrong::Syntax,
        Some(Failure::TooLarge) => Error::TooLarge.into(),
        Some(Failure::Gone) => Error::Disconnected.into(),
        None => wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Why;
    use crate::http::question::{Content, Filled, Id, Paths, unless_empty};
    use serde::Deserialize;

    /// One field of each type.
    #[derive(Debug, Deserialize, schemars::JsonSchema)]
    struct Everything {
        path: Option<String>,
        name: Option<String>,
        #[serde(default)]
        job: bool,
        id: Option<Id>,
        paths: Option<Paths>,
        list: Option<Vec<String>>,
        word: Option<Word>,
        #[serde(default, deserialize_with = "unless_empty")]
        text: Option<String>,
        content: Option<Content>,
    }

    impl Everything {
        /// Whether there was content.
        fn has_content(&self) -> bool {
            self.content.is_some()
        }
    }

    #[derive(Debug, Deserialize, PartialEq, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    impl Question for Everything {}

    /// Fields that must be there.
    #[derive(Debug, Deserialize, schemars::JsonSchema)]
    struct Needs {
        user_name: Filled,
        to: String,
    }

    impl Question for Needs {
        fn missing(field: &'static str) -> Option<&'static str> {
            (field == "to").then_some("No target provided")
        }
    }

    fn read_as<Q: Question>(json: impl Read) -> Result<Q> {
        parse(json, &mut |_| Err(Error::StorageAbsent)).map(|(question, _)| question)
    }

    fn read_text(json: &[u8]) -> Result<Everything> {
        read_as(json)
    }

    fn refusal_of<Q: Question + std::fmt::Debug>(json: &[u8]) -> String {
        match read_as::<Q>(json) {
            Err(Error::Invalid(_, sentence)) => sentence.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn refusal(json: &[u8]) -> String {
        refusal_of::<Everything>(json)
    }

    #[test]
    fn known_fields_are_kept_and_others_passed_over() {
        let ask =
            read_text(br#" {"path": "a\u00e9\n", "x": [{"y": 1e3}], "job": true, "name": null} "#)
                .unwrap();
        assert_eq!(ask.path.as_deref(), Some("aé\n"));
        assert_eq!(ask.name, None);
        assert!(ask.job && !ask.has_content());
        let ask = read_text(br#"{"list": ["a", ""], "word": "two", "text": ""}"#).unwrap();
        assert_eq!(ask.list.unwrap(), ["a", ""]);
        assert_eq!((ask.word, ask.text), (Some(Word::Two), None));
    }

    #[test]
    fn what_must_be_there_is_asked_for_by_name() {
        assert_eq!(refusal_of::<Needs>(b"{}"), "No user name provided");
        assert_eq!(refusal_of::<Needs>(br#"{"user_name": null}"#), "No user name provided");
        assert_eq!(refusal_of::<Needs>(br#"{"to": "", "user_name": ""}"#), "No user name provided");
        assert_eq!(refusal_of::<Needs>(br#"{"user_name": "a"}"#), "No target provided");
        let whole: Needs = read_as(&br#"{"to": "", "user_name": "a"}"#[..]).unwrap();
        assert_eq!((&*whole.user_name, &*whole.to), ("a", ""));
        assert!(matches!(read_as::<Needs>(&b"{}"[..]), Err(Error::Invalid(Why::Missing, _))));
    }

    #[test]
    fn content_is_told_the_path_that_came_before_it() {
        for (json, near) in [
            (&br#"{"path": "a", "content": "x"}"#[..], Some("a")),
            (br#"{"content": "x", "path": "a"}"#, None),
        ] {
            let mut told = None;
            let asked = parse::<Everything>(json, &mut |path| {
                told = Some(path.map(str::to_owned));
                Err(Error::StorageAbsent)
            });
            assert!(matches!(asked, Err(Error::StorageAbsent)));
            assert_eq!(told.unwrap().as_deref(), near);
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let deep = [b"{\"x\":".as_slice(), &b"[".repeat(1000), &b"]".repeat(1000), b"}"].concat();
        for bad in [
            b"".as_slice(),
            b" ",
            b"[]",
            b"1",
            b"null",
            b"{",
            b"{\"path\"",
            b"{\"path\": \"a",
            b"{path: 1}",
            b"{} x",
            b"{}{}",
            b"{\"path\": \"a\",}",
            b"{\"path\": \"\xff\"}",
            b"{\"path\": \"\\ud800\"}",
            b"{\"path\": \"\n\"}",
            &deep,
        ] {
            assert_eq!(
                refusal(bad),
                "The body is not a JSON object",
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }

    #[test]
    fn wrong_types_name_the_field() {
        for (json, sentence) in [
            (r#"{"path": 1}"#, "path must be a string"),
            (r#"{"path": ["a"]}"#, "path must be a string"),
            (r#"{"job": "yes"}"#, "job must be true or false"),
            (r#"{"list": "a"}"#, "list must be an array of strings"),
            (r#"{"list": ["a", 1]}"#, "list must be an array of strings"),
            (r#"{"word": "three"}"#, "word must be one or two"),
            (r#"{"word": 1}"#, "word must be a string"),
            (r#"{"content": 1}"#, "content must be a string"),
            (r#"{"text": 1}"#, "text must be a string"),
            (r#"{"path": "a", "path": "b"}"#, "path is there twice"),
        ] {
            assert_eq!(refusal(json.as_bytes()), sentence, "{json}");
        }
    }

    #[test]
    fn an_id_is_a_number_or_a_string_and_paths_an_array_or_a_string() {
        for (json, wanted) in [
            (r#"{"id": 7}"#, Some(7)),
            (r#"{"id": "7"}"#, Some(7)),
            (r#"{"id": -1.5e3}"#, Some(0)),
            (r#"{"id": null}"#, None),
        ] {
            let id = read_text(json.as_bytes()).unwrap().id;
            assert_eq!(id.as_ref().map(Id::number), wanted, "{json}");
        }
        for (json, wanted) in [
            (r#"{"paths": ["a", "b\"c"]}"#, r#"["a","b\"c"]"#),
            (r#"{"paths": []}"#, "[]"),
            (r#"{"paths": "[ \"a\"]"}"#, r#"[ "a"]"#),
        ] {
            assert_eq!(read_text(json.as_bytes()).unwrap().paths.unwrap().as_str(), wanted);
        }
        assert_eq!(refusal(br#"{"id": true}"#), "id must be a number");
        let many = format!(r#"{{"paths": [{}""]}}"#, r#""","#.repeat(20_000));
        for bad in [r#"{"paths": 1}"#, r#"{"paths": [1]}"#, r#"{"paths": [["a"]]}"#, &many] {
            assert_eq!(refusal(bad.as_bytes()), "Invalid paths");
        }
        assert_eq!(refusal(br#"{"paths": ["a"}"#), "The body is not a JSON object");
    }

    #[test]
    fn a_small_object_is_read_whole_and_no_other() {
        type Lists = std::collections::BTreeMap<String, Vec<String>>;
        let read = |text: &[u8]| match whole::<Lists>(text, 100, "wrong shape") {
            Ok(lists) => lists,
            Err(Error::Invalid(_, sentence)) => {
                Some(Lists::from([(sentence.into_owned(), Vec::new())]))
            }
            Err(other) => panic!("{other}"),
        };
        let refusal = |text: &[u8]| read(text).unwrap().into_keys().next().unwrap();
        assert_eq!(read(b""), None);
        assert_eq!(read(b" {} ").unwrap(), Lists::new());
        assert_eq!(read(br#"{"a": ["b"]}"#).unwrap()["a"], ["b"]);
        for bad in [r#"{"a": 1}"#, r#"{"a": [1]}"#, "[]", "null", "1"] {
            assert_eq!(refusal(bad.as_bytes()), "wrong shape", "{bad}");
        }
        for bad in [&b"{"[..], b" ", b"{}{}", b"{\"a\": [\"\xff\"]}", b"x"] {
            assert_eq!(refusal(bad), NO_OBJECT);
        }
        assert_eq!(refusal(&b" ".repeat(101)), "The JSON object is too large");
    }

    #[test]
    fn the_parts_of_a_text_are_counted_outside_of_its_strings() {
        for (text, parts) in [
            (r"{}", 1),
            (r#"{"a": [1, 2, 3]}"#, 5),
            (r#"{"a": "[1,2,3,{:"}"#, 2),
            (r#"{"a\",[": "\\", "b": 0}"#, 4),
        ] {
            assert_eq!(parts_in(text.as_bytes()), parts, "{text}");
        }
    }

    /// Repeats one byte for ever.
    struct Endless(&'static [u8], u8);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if !self.0.is_empty() {
                return self.0.read(buffer);
            }
            buffer.fill(self.1);
            Ok(buffer.len())
        }
    }

    #[test]
    fn endless_bodies_end_early() {
        let parse = |start, byte| read_as::<Everything>(Endless(start, byte));
        assert!(
            matches!(parse(b"{\"path\": \"", b'a'), Err(Error::Invalid(_, why)) if why == "path is too long")
        );
        assert!(matches!(parse(b"{\"", b'a'), Err(Error::Invalid(..))));
        assert!(matches!(parse(b"{\"x\": ", b'1'), Err(Error::Invalid(..))));
        assert!(matches!(parse(b"{\"x\": [\"", b'a'), Err(Error::Invalid(..))));
        assert!(matches!(parse(b"{\"x\": \"", b'a'), Err(Error::TooLarge)));
        assert!(matches!(parse(b"{", b' '), Err(Error::TooLarge)));
    }

    #[test]
    fn a_broken_connection_is_not_bad_json() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let cut = b"{\"path\": \"a".chain(Broken);
        assert!(matches!(read_as::<Everything>(cut), Err(Error::Disconnected)));
    }
}
