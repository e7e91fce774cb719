//! A request target, taken apart: the segments of its path, and its query, which is `name=value` pairs,
//! percent-encoded (WHATWG URL, `application/x-www-form-urlencoded`).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, Result, Why};
use crate::http::question::{Question, Wrong};

/// A request target, cut at its first `?`.
pub fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The parameters that a question has, in the order in which it has them; others are passed over. Of one that
/// comes several times the first counts, unless it is a list.
///
/// Errors: `Invalid`.
pub fn read<Q: Question>(query: &str) -> Result<Q> {
    Q::deserialize(Parameters { query, names: &[], values: Vec::new() })
        .map_err(|wrong| wrong.into_error::<Q>("Invalid query"))
}

/// The parameters of a question.
struct Parameters<'q> {
    /// What was sent.
    query: &'q str,
    /// Those that are still to be looked for.
    names: &'static [&'static str],
    /// What the first of them, which is there, has.
    values: Vec<Cow<'q, str>>,
}

impl<'de> Deserializer<'de> for Parameters<'_> {
    type Error = Wrong;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Wrong> {
        self.names = names;
        visitor.visit_map(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Wrong> {
        Err(Wrong::House(Error::Bug("a question is no struct".into())))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Parameters<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> std::result::Result<Option<K::Value>, Wrong> {
        while let Some(name) = self.names.first() {
            self.values = values(self.query, name)?;
            if !self.values.is_empty() {
                return seed.deserialize(StrDeserializer::new(name)).map(Some);
            }
            self.names = &self.names[1..];
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> std::result::Result<S::Value, Wrong> {
        let Some((name, others)) = self.names.split_first() else { return Err(Wrong::Syntax) };
        self.names = others;
        let values = std::mem::take(&mut self.values);
        seed.deserialize(Parameter { name, values }).map_err(|wrong| wrong.at(name))
    }
}

/// All that was sent for one parameter.
struct Parameter<'q> {
    /// What it is called.
    name: &'static str,
    /// At least one.
    values: Vec<Cow<'q, str>>,
}

impl Parameter<'_> {
    /// The one that counts.
    fn first(&self) -> &str {
        self.values.first().map_or("", |value| value)
    }
}

impl<'de> Deserializer<'de> for Parameter<'_> {
    type Error = Wrong;

    fn deserialize_option<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> std::result::Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_string<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> std::result::Result<V::Value, Wrong> {
        visitor.visit_str(self.first())
    }

    /// A flag is set by anything but `0`.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Wrong> {
        visitor.visit_bool(self.first() != "0")
    }

    /// A whole number, not negative.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Wrong> {
        // `parse` would take a plus sign.
        let digits =
            Some(self.first()).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|text| text.parse().ok()) {
            Some(number) => visitor.visit_i64(number),
            None => {
                Err(Error::invalid_text(format!("{} must be a whole number", self.name)).into())
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Wrong> {
        let values = self.values.into_iter().map(Cow::into_owned);
        visitor.visit_seq(SeqDeserializer::new(values.map(IntoDeserializer::into_deserializer)))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Wrong> {
        Err(Wrong::House(Error::Bug("a query has a field of a type that none can have".into())))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// All values of one name, in order.
///
/// Errors: `Invalid` when a value is not UTF-8.
fn values<'a>(query: &'a str, name: &str) -> Result<Vec<Cow<'a, str>>> {
    let mut found = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(key).is_ok_and(|key| key == name) {
            found.push(decode(value).map_err(|_| not_text(name))?);
        }
    }
    Ok(found)
}

/// What is said of a value that is not UTF-8.
fn not_text(name: &str) -> Error {
    if name.ends_with("path") {
        return Error::invalid_as(Why::Path, "Invalid path");
    }
    Error::invalid_text(format!("Invalid {name}"))
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

    /// One parameter of each type.
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Everything {
        limit: Option<i64>,
        path: Option<String>,
        #[serde(default)]
        file_path: Vec<String>,
        #[serde(default)]
        flag: bool,
    }

    impl Question for Everything {}

    #[test]
    fn parameters_become_what_the_question_has() {
        let all: Everything =
            read("x=1&path=a+b&file_path=a&flag&limit=007&path=c&file_path=").unwrap();
        assert_eq!((all.limit, all.path.as_deref(), all.flag), (Some(7), Some("a b"), true));
        assert_eq!(all.file_path, ["a", ""]);
        let none: Everything = read("flag=0").unwrap();
        assert_eq!((none.limit, none.path, none.flag), (None, None, false));
        assert!(none.file_path.is_empty());
        for (query, sentence) in [
            ("limit=+1", "limit must be a whole number"),
            ("limit=", "limit must be a whole number"),
            ("path=%FF&limit=x", "limit must be a whole number"),
            ("path=%FF", "Invalid path"),
        ] {
            let Err(Error::Invalid(_, told)) = read::<Everything>(query) else { panic!("{query}") };
            assert_eq!(told, sentence, "{query}");
        }
    }

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
