//! JSON bodies, read as a stream: only the fields that an endpoint knows are kept, each within its
//! bound, and a file's content goes straight to disk. So no body of any size costs memory.

use std::cell::Cell;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ReaderSettings, ValueType};
use tiny_http::Request;

use crate::error::{Error, Result, Why};
use crate::limits;
use crate::vault::Spool;

/// One field that an endpoint knows.
#[derive(Clone, Copy)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it must be.
    pub kind: Kind,
}

/// What a field must be. `null` counts as missing everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A short string.
    Text,
    /// A string of any length, that becomes a file.
    Content,
    /// `true` or `false`.
    Flag,
    /// A number or a short string that says one.
    Id,
    /// An array of strings.
    Texts,
    /// An array of paths, or a short string that is one in JSON.
    Paths,
}

/// A short string.
pub const fn text(name: &'static str) -> Field {
    Field { name, kind: Kind::Text }
}

/// A file's content.
pub const fn content(name: &'static str) -> Field {
    Field { name, kind: Kind::Content }
}

/// `true` or `false`.
pub const fn flag(name: &'static str) -> Field {
    Field { name, kind: Kind::Flag }
}

/// A number, also as a string.
pub const fn id(name: &'static str) -> Field {
    Field { name, kind: Kind::Id }
}

/// An array of strings.
pub const fn texts(name: &'static str) -> Field {
    Field { name, kind: Kind::Texts }
}

/// An array of paths, also as a string.
pub const fn paths(name: &'static str) -> Field {
    Field { name, kind: Kind::Paths }
}

/// The fields that came.
#[derive(Default)]
pub struct Ask {
    /// All but content, of the right type.
    values: Map<String, Value>,
    /// The content, if it came.
    content: Option<Spool>,
}

impl Ask {
    /// A string, or the JSON text of paths, or the digits of an id; `None` when missing.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    /// An array of strings; `None` when missing.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.values.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// A flag; missing means false.
    pub fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A flag; `None` when missing.
    pub fn flag_given(&self, name: &str) -> Option<bool> {
        self.values.get(name)?.as_bool()
    }

    /// The content; `None` when missing.
    pub fn take_content(&mut self) -> Option<Spool> {
        self.content.take()
    }
}

/// Reads a request's JSON body; no body at all counts as `{}`.
///
/// `open_spool` is asked for a place when content comes, and told what came before it. Errors: `Invalid` (not JSON, not an object, a wrong type, another media type), `TooLarge`,
/// `Disconnected`, and what `open_spool` and writing to it may fail with.
pub fn read(
    request: &mut Request,
    fields: &[Field],
    open_spool: impl FnMut(&Ask) -> Result<Spool>,
) -> Result<Ask> {
    if !has_json(request)? {
        return Ok(Ask::default());
    }
    parse(request.as_reader(), fields, open_spool)
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
fn parse(
    reader: impl Read,
    fields: &[Field],
    open_spool: impl FnMut(&Ask) -> Result<Spool>,
) -> Result<Ask> {
    let failure = Cell::new(None);
    let guard = Guard {
        inner: Unmarked::new(reader),
        bytes: 0,
        failure: &failure,
        lexer: Lexer::default(),
    };
    read_object(guard, fields, open_spool).map_err(|broken| {
        // What the guard saw is the cause of whatever the parser made of it.
        match (failure.take(), broken) {
            (Some(Failure::Empty | Failure::NotJson), _) | (None, Broken::Json) => {
                Error::invalid(NO_OBJECT)
            }
            (Some(Failure::TooLarge), _) => Error::TooLarge,
            (Some(Failure::Gone), _) => Error::Disconnected,
            (None, Broken::House(error)) => error,
        }
    })
}

/// What some programs begin a text with: the byte order mark (RFC 8259, 8.1 lets us ignore it).
const MARK: &[u8; 3] = b"\xef\xbb\xbf";

/// A reader that passes over a byte order mark at the beginning.
struct Unmarked<R> {
    /// The rest.
    inner: R,
    /// The first bytes.
    head: [u8; MARK.len()],
    /// Those of them that are still to be read; `None` before the first read.
    kept: Option<std::ops::Range<usize>>,
}

impl<R: Read> Unmarked<R> {
    /// Reads nothing yet.
    const fn new(inner: R) -> Self {
        Self { inner, head: [0; MARK.len()], kept: None }
    }

    /// Reads the first bytes; those that are no mark are kept.
    fn begin(&mut self) -> io::Result<std::ops::Range<usize>> {
        let mut count = 0;
        while count < MARK.len() {
            match self.inner.read(&mut self.head[count..])? {
                0 => break,
                more => count += more,
            }
        }
        Ok(if self.head == *MARK { 0..0 } else { 0..count })
    }
}

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.begin()?,
        };
        if kept.is_empty() {
            self.kept = Some(kept);
            return self.inner.read(buffer);
        }
        let count = kept.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.head[kept.start..kept.start + count]);
        self.kept = Some(kept.start + count..kept.end);
        Ok(count)
    }
}

/// Why reading ended early.
enum Broken {
    /// The parser says so.
    Json,
    /// One of our own errors.
    House(Error),
}

impl From<ReaderError> for Broken {
    fn from(_: ReaderError) -> Self {
        Self::Json
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::House(error)
    }
}

/// The object and nothing after it.
fn read_object(
    reader: Guard<'_, impl Read>,
    fields: &[Field],
    mut open_spool: impl FnMut(&Ask) -> Result<Spool>,
) -> std::result::Result<Ask, Broken> {
    let settings = ReaderSettings {
        max_nesting_depth: Some(limits::JSON_DEPTH_MAX),
        track_path: false,
        ..ReaderSettings::default()
    };
    let mut json = JsonStreamReader::new_custom(reader, settings);
    let mut ask = Ask::default();
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name()?;
        let Some(field) = fields.iter().find(|field| field.name == name).copied() else {
            json.skip_value()?;
            continue;
        };
        match (field.kind, json.peek()?) {
            (_, ValueType::Null) => json.next_null()?,
            (Kind::Content, ValueType::String) => {
                let mut spool = open_spool(&ask)?;
                copy_text(&mut json.next_string_reader()?, &mut spool)?;
                ask.content = Some(spool);
            }
            (Kind::Text | Kind::Id | Kind::Paths, ValueType::String) => {
                let value = short_text(&mut json.next_string_reader()?, field.name)?;
                ask.values.insert(field.name.to_owned(), Value::String(value));
            }
            (Kind::Flag, ValueType::Boolean) => {
                ask.values.insert(field.name.to_owned(), Value::Bool(json.next_bool()?));
            }
            (Kind::Id, ValueType::Number) => {
                let digits = json.next_number_as_string()?;
                ask.values.insert(field.name.to_owned(), Value::String(digits));
            }
            (Kind::Paths, ValueType::Array) => {
                let list = text_list(&mut json, field, limits::JSON_TEXT_BYTES_MAX)?;
                let text = serde_json::to_string(&list).map_err(|_| Broken::Json)?;
                ask.values.insert(field.name.to_owned(), Value::String(text));
            }
            (Kind::Texts, ValueType::Array) => {
                let list = text_list(&mut json, field, limits::JSON_LIST_BYTES_MAX)?;
                ask.values.insert(field.name.to_owned(), list.into());
            }
            (kind, _) => return Err(wrong_type(field.name, kind).into()),
        }
    }
    json.end_object()?;
    json.consume_trailing_whitespace()?;
    Ok(ask)
}

/// The sentence for a field of the wrong type.
fn wrong_type(name: &str, kind: Kind) -> Error {
    let wanted = match kind {
        Kind::Text | Kind::Content => "a string",
        Kind::Flag => "true or false",
        Kind::Id => "a number",
        Kind::Texts => "an array of strings",
        Kind::Paths => return Error::invalid("Invalid paths"),
    };
    Error::invalid_text(format!("{name} must be {wanted}"))
}

/// An array of strings, all together within `bytes_max`.
fn text_list(
    json: &mut JsonStreamReader<impl Read>,
    field: Field,
    bytes_max: usize,
) -> std::result::Result<Vec<String>, Broken> {
    let invalid = || Broken::House(wrong_type(field.name, field.kind));
    let mut list: Vec<String> = Vec::new();
    let mut bytes = 0;
    json.begin_array()?;
    while json.has_next()? {
        if json.peek()? != ValueType::String {
            return Err(invalid());
        }
        let text = short_text(&mut json.next_string_reader()?, field.name)?;
        // An empty string takes room, too.
        bytes += text.len() + size_of::<String>();
        if bytes > bytes_max && list.len() > limits::TRANSFER_PATHS_MAX {
            let sentence = format!("Too many {}", field.name);
            return Err(Error::Invalid(Why::TooMany, sentence.into()).into());
        }
        if bytes > bytes_max && field.kind == Kind::Texts {
            return Err(Error::invalid_text(format!("{} is too long", field.name)).into());
        }
        if bytes > bytes_max {
            return Err(invalid());
        }
        list.push(text);
    }
    json.end_array()?;
    Ok(list)
}

/// Moves a string's text into a spool.
fn copy_text(reader: &mut impl Read, spool: &mut Spool) -> std::result::Result<(), Broken> {
    let mut buffer = vec![0; limits::ANSWER_IN_MEMORY_BYTES];
    loop {
        let count = read_some(reader, &mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        spool.write_all(&buffer[..count]).map_err(Error::from)?;
    }
}

/// A string within its bound; the text was checked to be UTF-8 by the parser.
fn short_text(reader: &mut impl Read, name: &str) -> std::result::Result<String, Broken> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = read_some(reader, &mut buffer)?;
        if count == 0 {
            return String::from_utf8(bytes).map_err(|_| Broken::Json);
        }
        if bytes.len() + count > limits::JSON_TEXT_BYTES_MAX {
            return Err(Error::invalid_text(format!("{name} is too long")).into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// One read; whatever goes wrong is the text's fault unless the guard knows better.
fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> std::result::Result<usize, Broken> {
    reader.read(buffer).map_err(|_| Broken::Json)
}

/// What the guard saw go wrong.
#[derive(Clone, Copy)]
enum Failure {
    /// The body has no byte.
    Empty,
    /// A key or a number that nobody writes.
    NotJson,
    /// More than `JSON_BODY_BYTES_MAX`.
    TooLarge,
    /// The client broke off.
    Gone,
}

/// Stands between the connection and the parser: counts bytes, tells a broken connection from bad
/// JSON, and refuses keys so long that the parser would fill the memory with them.
struct Guard<'a, R> {
    /// The body.
    inner: R,
    /// How much has come.
    bytes: u64,
    /// Why we stopped, for whoever asks afterwards.
    failure: &'a Cell<Option<Failure>>,
    /// Where in the text we are.
    lexer: Lexer,
}

impl<R: Read> Guard<'_, R> {
    /// Stops reading for this reason.
    fn stop(&self, failure: Failure) -> io::Error {
        self.failure.set(Some(failure));
        io::Error::other("stopped by the guard")
    }
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(self.stop(Failure::NotJson));
            }
            Err(_) => return Err(self.stop(Failure::Gone)),
        };
        if count == 0 && self.bytes == 0 {
            return Err(self.stop(Failure::Empty));
        }
        self.bytes += count as u64;
        if self.bytes > limits::JSON_BODY_BYTES_MAX {
            return Err(self.stop(Failure::TooLarge));
        }
        if !self.lexer.accepts(&buffer[..count]) {
            return Err(self.stop(Failure::NotJson));
        }
        Ok(count)
    }
}

/// Follows strings through a JSON text, no more.
#[derive(Default)]
struct Lexer {
    /// Between two quotes.
    in_string: bool,
    /// The last byte was a backslash that escapes the next.
    is_escaped: bool,
    /// The string follows a colon, so that it is a value and may be long.
    is_value: bool,
    /// The last byte outside strings that was no white space.
    last: u8,
    /// Bytes of the present string, or of the present run of other bytes.
    run: usize,
}

impl Lexer {
    /// Takes the next bytes; false when a key or a bare word exceeds its bound.
    fn accepts(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            self.run += 1;
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_string = false;
                        self.last = byte;
                        self.run = 0;
                    }
                    _ => {}
                }
            } else if byte == b'"' {
                self.in_string = true;
                self.is_value = self.last == b':';
                self.run = 0;
            } else if byte.is_ascii_whitespace()
                || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
            {
                if !byte.is_ascii_whitespace() {
                    self.last = byte;
                }
                self.run = 0;
            }
            if self.run > limits::JSON_TEXT_BYTES_MAX && !(self.in_string && self.is_value) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_passed_over_once_however_it_comes() {
        /// Gives one byte at a time.
        struct Drop<'a>(&'a [u8]);
        impl Read for Drop<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = 1.min(buffer.len());
                self.0.read(&mut buffer[..count])
            }
        }
        for (text, left) in [
            (&b"\xef\xbb\xbf{}"[..], &b"{}"[..]),
            (b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb\xbf"),
            (b"\xef\xbb", b"\xef\xbb"),
            (b"{", b"{"),
            (b"", b""),
            (b"{\"a\": 1}", b"{\"a\": 1}"),
        ] {
            let mut whole = Vec::new();
            Unmarked::new(text).read_to_end(&mut whole).unwrap();
            assert_eq!(whole, left);
            let mut slow = Vec::new();
            Unmarked::new(Drop(text)).read_to_end(&mut slow).unwrap();
            assert_eq!(slow, left);
        }
    }

    const FIELDS: &[Field] = &[text("path"), text("name"), flag("job"), id("id"), paths("paths")];

    fn read_text(json: &[u8]) -> Result<Ask> {
        parse(json, FIELDS, |_| Err(Error::StorageAbsent))
    }

    fn refusal(json: &[u8]) -> String {
        match read_text(json) {
            Err(Error::Invalid(_, sentence)) => sentence.into_owned(),
            other => panic!("{:?}", other.map(|ask| ask.values)),
        }
    }

    #[test]
    fn known_fields_are_kept_and_others_passed_over() {
        let ask =
            read_text(br#" {"path": "a\u00e9\n", "x": [{"y": 1e3}], "job": true, "name": null} "#)
                .unwrap();
        assert_eq!(ask.text("path"), Some("aé\n"));
        assert_eq!(ask.text("name"), None);
        assert!(ask.flag("job"));
        assert_eq!(ask.values.len(), 2);
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
        assert_eq!(refusal(br#"{"path": 1}"#), "path must be a string");
        assert_eq!(refusal(br#"{"path": ["a"]}"#), "path must be a string");
        assert_eq!(refusal(br#"{"job": "yes"}"#), "job must be true or false");
    }

    #[test]
    fn an_id_is_a_number_or_a_string_and_paths_an_array_or_a_string() {
        for (json, name, wanted) in [
            (r#"{"id": 7}"#, "id", Some("7")),
            (r#"{"id": "7"}"#, "id", Some("7")),
            (r#"{"id": -1.5e3}"#, "id", Some("-1.5e3")),
            (r#"{"id": null}"#, "id", None),
            (r#"{"paths": ["a", "b\"c"]}"#, "paths", Some(r#"["a","b\"c"]"#)),
            (r#"{"paths": []}"#, "paths", Some("[]")),
            (r#"{"paths": "[ \"a\"]"}"#, "paths", Some(r#"[ "a"]"#)),
        ] {
            assert_eq!(read_text(json.as_bytes()).unwrap().text(name), wanted, "{json}");
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
        let parse =
            |start, byte| parse(Endless(start, byte), FIELDS, |_| Err(Error::StorageAbsent));
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
        assert!(matches!(
            parse(cut, FIELDS, |_| Err(Error::StorageAbsent)),
            Err(Error::Disconnected)
        ));
    }
}
