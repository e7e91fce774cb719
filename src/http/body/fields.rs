//! A JSON object that becomes a question, field by field as it comes (serde's data model over struson):
//! nothing of it is kept but the fields that the question has, each within its bound.

use std::io::{Read, Write};

use serde::de::value::{SeqDeserializer, StrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ReaderSettings, ValueType};

use crate::error::{Error, Result, Why};
use crate::http::question::{Count, Id, Index, Paths, Until, WITH_NULLS, Wrong};
use crate::limits;
use crate::vault::Spool;

/// What a part of reading comes to.
type Read1<T> = std::result::Result<T, Wrong>;

/// Finds a place for a file's content, told the path if that has come before it.
pub type OpenSpool<'a> = &'a mut dyn FnMut(Option<&str>) -> Result<Spool>;

impl From<ReaderError> for Wrong {
    fn from(_: ReaderError) -> Self {
        Self::Syntax
    }
}

/// A whole body, while it is read.
pub struct Source<'a, R: Read> {
    /// The parser.
    json: JsonStreamReader<R>,
    /// Finds a place for content.
    open_spool: OpenSpool<'a>,
    /// The text of the field `path`, if it has come.
    near: Option<String>,
    /// Where content is kept, once it has come.
    content: &'a mut Option<Spool>,
}

impl<'a, R: Read> Source<'a, R> {
    /// Has read nothing yet.
    pub fn new(reader: R, open_spool: OpenSpool<'a>, content: &'a mut Option<Spool>) -> Self {
        let settings = ReaderSettings {
            max_nesting_depth: Some(limits::JSON_DEPTH_MAX),
            track_path: false,
            ..ReaderSettings::default()
        };
        let json = JsonStreamReader::new_custom(reader, settings);
        Self { json, open_spool, near: None, content }
    }
}

/// The whole is one object and nothing after it.
impl<'de, R: Read> Deserializer<'de> for Source<'_, R> {
    type Error = Wrong;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Read1<V::Value> {
        self.json.begin_object()?;
        let has_nulls = name == WITH_NULLS;
        let fields = Fields { source: &mut self, known, name: "", has_nulls };
        let question = visitor.visit_map(fields)?;
        self.json.end_object()?;
        self.json.consume_trailing_whitespace()?;
        Ok(question)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Read1<V::Value> {
        Err(Wrong::House(Error::Bug("a question is no struct".into())))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields of the object.
struct Fields<'s, 'a, R: Read> {
    /// Where they come from.
    source: &'s mut Source<'a, R>,
    /// Those that the question has.
    known: &'static [&'static str],
    /// The one whose value is next.
    name: &'static str,
    /// Whether `null` says something.
    has_nulls: bool,
}

impl<'de, R: Read> MapAccess<'de> for Fields<'_, '_, R> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read1<Option<K::Value>> {
        let json = &mut self.source.json;
        while json.has_next()? {
            let name = json.next_name()?;
            let Some(known) = self.known.iter().find(|known| **known == name) else {
                json.skip_value()?;
                continue;
            };
            // It counts as missing nearly everywhere.
            if !self.has_nulls && json.peek()? == ValueType::Null {
                json.next_null()?;
                continue;
            }
            self.name = known;
            return seed.deserialize(StrDeserializer::new(known)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read1<S::Value> {
        let name = self.name;
        seed.deserialize(Field { source: self.source, name }).map_err(|wrong| wrong.at(name))
    }
}

/// The value of one field; `null` only where that says something.
struct Field<'s, 'a, R: Read> {
    /// Where it comes from.
    source: &'s mut Source<'a, R>,
    /// What it is called.
    name: &'static str,
}

impl<R: Read> Field<'_, '_, R> {
    /// What comes is of this type; `wanted` says so to whoever sent another.
    fn must_be(&mut self, value: ValueType, wanted: &'static str) -> Read1<()> {
        if self.source.json.peek()? == value { Ok(()) } else { Err(self.is_not(wanted)) }
    }

    /// The sentence for a value of the wrong type.
    fn is_not(&self, wanted: &str) -> Wrong {
        Error::invalid_text(format!("{} must be {wanted}", self.name)).into()
    }

    /// A string within its bound; the text was checked to be UTF-8 by the parser.
    fn text(&mut self) -> Read1<String> {
        let mut reader = self.source.json.next_string_reader()?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = read_some(&mut reader, &mut buffer)?;
            if count == 0 {
                return String::from_utf8(bytes).map_err(|_| Wrong::Syntax);
            }
            if bytes.len() + count > limits::JSON_TEXT_BYTES_MAX {
                return Err(Error::invalid_text(format!("{} is too long", self.name)).into());
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
    }

    /// An array of strings, all together within `bytes_max`; the sentences are for one that is not.
    fn texts(
        &mut self,
        bytes_max: usize,
        wrong_type: fn(&Self) -> Wrong,
        too_long: fn(&Self, usize) -> Wrong,
    ) -> Read1<Vec<String>> {
        let mut list: Vec<String> = Vec::new();
        let mut bytes = 0;
        self.source.json.begin_array()?;
        while self.source.json.has_next()? {
            if self.source.json.peek()? != ValueType::String {
                return Err(wrong_type(self));
            }
            let text = self.text()?;
            // An empty string takes room, too.
            bytes += text.len() + size_of::<String>();
            if bytes > bytes_max {
                return Err(too_long(self, list.len()));
            }
            list.push(text);
        }
        self.source.json.end_array()?;
        Ok(list)
    }

    /// The sentence for a list that takes too much room, of which `count` are read.
    fn is_too_long(&self, count: usize) -> Wrong {
        if count > limits::TRANSFER_PATHS_MAX {
            let sentence = format!("Too many {}", self.name);
            return Error::Invalid(Why::TooMany, sentence.into()).into();
        }
        Error::invalid_text(format!("{} is too long", self.name)).into()
    }

    /// The JSON text of paths, or a string that already is one.
    fn paths(&mut self) -> Read1<String> {
        const INVALID: fn() -> Wrong = || Error::invalid("Invalid paths").into();
        match self.source.json.peek()? {
            ValueType::String => self.text(),
            ValueType::Array => {
                let list =
                    self.texts(limits::JSON_TEXT_BYTES_MAX, |_| INVALID(), |_, _| INVALID())?;
                serde_json::to_string(&list).map_err(|_| Wrong::Syntax)
            }
            _ => Err(INVALID()),
        }
    }

    /// A number, or a string that says one, or whatever else is `wanted`.
    fn number_or_text(&mut self, wanted: &'static str) -> Read1<String> {
        match self.source.json.peek()? {
            ValueType::String => self.text(),
            ValueType::Number => Ok(self.source.json.next_number_as_string()?),
            _ => Err(self.is_not(wanted)),
        }
    }

    /// A whole number from this one on, which is what is `wanted`.
    fn whole(&mut self, least: i64, wanted: &'static str) -> Read1<i64> {
        self.must_be(ValueType::Number, wanted)?;
        let number = self.source.json.next_number_as_string()?.parse();
        number.ok().filter(|number| *number >= least).ok_or_else(|| self.is_not(wanted))
    }

    /// Moves a string's text into a spool.
    fn content(self) -> Read1<()> {
        let mut spool = (self.source.open_spool)(self.source.near.as_deref())?;
        let mut reader = self.source.json.next_string_reader()?;
        let mut buffer = vec![0; limits::ANSWER_IN_MEMORY_BYTES];
        loop {
            let count = read_some(&mut reader, &mut buffer)?;
            if count == 0 {
                break;
            }
            spool.write_all(&buffer[..count]).map_err(Error::from)?;
        }
        *self.source.content = Some(spool);
        Ok(())
    }
}

/// One read; whatever goes wrong is the text's fault unless the guard knows better.
fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> Read1<usize> {
    reader.read(buffer).map_err(|_| Wrong::Syntax)
}

impl<'de, R: Read> Deserializer<'de> for Field<'_, '_, R> {
    type Error = Wrong;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read1<V::Value> {
        if self.source.json.peek()? == ValueType::Null {
            self.source.json.next_null()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Read1<V::Value> {
        self.must_be(ValueType::Boolean, "true or false")?;
        visitor.visit_bool(self.source.json.next_bool()?)
    }

    fn deserialize_string<V: Visitor<'de>>(mut self, visitor: V) -> Read1<V::Value> {
        self.must_be(ValueType::String, "a string")?;
        let text = self.text()?;
        if self.name == "path" {
            self.source.near = Some(text.clone());
        }
        visitor.visit_string(text)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Read1<V::Value> {
        self.must_be(ValueType::Array, "an array of strings")?;
        let list = self.texts(
            limits::JSON_LIST_BYTES_MAX,
            |field| field.is_not("an array of strings"),
            Self::is_too_long,
        )?;
        visitor.visit_seq(SeqDeserializer::new(list.into_iter()))
    }

    /// One of a few words.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read1<V::Value> {
        self.must_be(ValueType::String, "a string")?;
        let word: StringDeserializer<Wrong> = self.text()?.into_deserializer();
        visitor.visit_enum(word)
    }

    /// `Content`, the only one there is.
    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        visitor: V,
    ) -> Read1<V::Value> {
        self.must_be(ValueType::String, "a string")?;
        self.content()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Read1<V::Value> {
        match name {
            Id::NAME => {
                let number = self.number_or_text("a number")?;
                visitor.visit_newtype_struct(number.into_deserializer())
            }
            Until::NAME => {
                let until = self.number_or_text("a date or a number of days")?;
                visitor.visit_newtype_struct(until.into_deserializer())
            }
            Count::NAME => {
                let count = self.whole(1, "a whole number above 0")?;
                visitor.visit_newtype_struct(count.into_deserializer())
            }
            Index::NAME => {
                let index = self.whole(0, "a whole number from 0 on")?;
                visitor.visit_newtype_struct(index.into_deserializer())
            }
            Paths::NAME => visitor.visit_newtype_struct(self.paths()?.into_deserializer()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Read1<V::Value> {
        Err(Wrong::House(Error::Bug("a question has a field of a type that none can have".into())))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit
        tuple tuple_struct map struct identifier ignored_any
    }
}
