//! What handlers are asked by. A handler names the type of its question in its signature, as one of the
//! tokens here, and reads it when it wants to; the document tells of the same type.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};

use crate::clock;
use crate::error::{Error, Result, Why};
use crate::http::call::Call;
#[cfg(test)]
use crate::http::openapi::Book;
use crate::limits;

/// What the document can tell of: nothing more than a type where larder is not being tested.
#[cfg(not(test))]
pub trait Shape {}
#[cfg(not(test))]
impl<T> Shape for T {}

/// What the document can tell of.
#[cfg(test)]
pub trait Shape: schemars::JsonSchema {}
#[cfg(test)]
impl<T: schemars::JsonSchema> Shape for T {}

/// The fields of a question: of a JSON body or of a query. A field that is `null` is missing, but for `WITH_NULLS`.
pub trait Question: DeserializeOwned + Shape {
    /// What to say when this field, which must be there, is missing: `No <field> provided` if `None`.
    fn missing(_field: &'static str) -> Option<&'static str> {
        None
    }
}

/// What is wrong with a question.
#[derive(Debug)]
pub enum Wrong {
    /// It is none at all.
    Syntax,
    /// One of our own errors.
    House(Error),
    /// This field is missing.
    Missing(&'static str),
    /// A field is empty that must not be, which counts as missing.
    Empty,
    /// A field is none of these words.
    Unknown(&'static [&'static str]),
}

impl Wrong {
    /// The same, now that the field is known.
    pub fn at(self, field: &'static str) -> Self {
        match self {
            Self::Empty => Self::Missing(field),
            Self::Unknown(words) => {
                Error::invalid_text(format!("{field} must be {}", alternatives(words))).into()
            }
            other => other,
        }
    }

    /// As an error of larder's; `syntax` is the sentence for what is no question at all.
    pub fn into_error<Q: Question>(self, syntax: &'static str) -> Error {
        match self {
            Self::Syntax | Self::Empty | Self::Unknown(_) => Error::invalid(syntax),
            Self::House(error) => error,
            Self::Missing(field) => {
                let usual = || format!("No {} provided", field.replace('_', " ")).into();
                let sentence = Q::missing(field).map_or_else(usual, Cow::Borrowed);
                Error::Invalid(Why::Missing, sentence)
            }
        }
    }
}

/// `a, b or c`.
fn alternatives(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::House(error)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Error::invalid_text(sentence.to_string()).into()
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::Empty
    }

    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        Self::Unknown(words)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Error::invalid_text(format!("{field} is there twice")).into()
    }
}

/// What a handler is asked by, before it is read.
pub trait Asked: Sized {
    /// Reads nothing yet.
    fn unread() -> Self;

    /// Tells the document's operation of it.
    #[cfg(test)]
    fn describe(book: &mut Book, operation: &mut serde_json::Value);
}

/// Nothing; a body is not looked at.
impl Asked for () {
    fn unread() -> Self {}

    #[cfg(test)]
    fn describe(_: &mut Book, _: &mut serde_json::Value) {}
}

/// A JSON body.
pub struct Ask<Q>(PhantomData<fn() -> Q>);

impl<Q: Question> Ask<Q> {
    /// Reads it. A file's content is at `Call::take_content` afterwards.
    ///
    /// Errors: `Invalid`, `TooLarge`, `Disconnected`; those of the vault for a file's content; `SignIn` (who
    /// is gone meanwhile).
    pub fn read(self, call: &mut Call<'_>) -> Result<Q> {
        let Self(PhantomData) = self;
        call.ask()
    }
}

impl<Q: Question> Asked for Ask<Q> {
    fn unread() -> Self {
        Self(PhantomData)
    }

    #[cfg(test)]
    fn describe(book: &mut Book, operation: &mut serde_json::Value) {
        book.describe_body::<Q>("application/json", operation);
    }
}

/// A small JSON object whose keys are not known beforehand.
pub struct AskWhole<Q>(PhantomData<fn() -> Q>);

impl<Q: DeserializeOwned> AskWhole<Q> {
    /// Reads it; `None` without a body.
    ///
    /// Errors: `Invalid` (also `wrong_shape`), `TooLarge`, `Disconnected`, `SignIn` (who is gone meanwhile).
    pub fn read(self, call: &mut Call<'_>, wrong_shape: &'static str) -> Result<Option<Q>> {
        let Self(PhantomData) = self;
        call.ask_whole(wrong_shape)
    }
}

impl<Q: Shape> Asked for AskWhole<Q> {
    fn unread() -> Self {
        Self(PhantomData)
    }

    #[cfg(test)]
    fn describe(book: &mut Book, operation: &mut serde_json::Value) {
        book.describe_body::<Q>("application/json", operation);
        // Nothing at all is refused.
        let body = &mut operation["requestBody"];
        body["required"] = true.into();
        body["content"]["application/json"]["schema"]["minProperties"] = 1.into();
    }
}

/// The query of the target.
pub struct Query<Q>(PhantomData<fn() -> Q>);

impl<Q: Question> Query<Q> {
    /// Reads it.
    ///
    /// Errors: `Invalid`.
    pub fn read(self, call: &Call<'_>) -> Result<Q> {
        let Self(PhantomData) = self;
        call.query()
    }
}

impl<Q: Question> Asked for Query<Q> {
    fn unread() -> Self {
        Self(PhantomData)
    }

    #[cfg(test)]
    fn describe(book: &mut Book, operation: &mut serde_json::Value) {
        book.describe_query::<Q>(operation);
    }
}

/// A multipart form, which its handler reads part by part; the type is for the document.
pub struct Form<Q>(PhantomData<fn() -> Q>);

impl<Q: Shape> Asked for Form<Q> {
    fn unread() -> Self {
        Self(PhantomData)
    }

    #[cfg(test)]
    fn describe(book: &mut Book, operation: &mut serde_json::Value) {
        book.describe_body::<Q>("multipart/form-data", operation);
    }
}

/// A file's content, of any length: the sign that it came. Its bytes go to the drive while they come, and
/// are at `Call::take_content`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "String", inline))]
pub struct Content;

/// The number of a row, also as a text, which must not be empty.
#[derive(Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, with = "serde_json::Value", extend("type" = ["integer", "string"])))]
pub struct Id(i64);

impl Id {
    /// What it is read by: serde hands this name to the body's reader.
    pub const NAME: &'static str = "Id";

    /// The number; 0, which is nobody's, for what none can be.
    pub fn number(&self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        /// As it came.
        #[derive(Deserialize)]
        #[serde(rename = "Id")]
        struct Sent(Filled);
        Ok(Self(Sent::deserialize(deserializer)?.0.parse().unwrap_or(0)))
    }
}

/// A count of things or bytes: a whole number above 0.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, extend("minimum" = 1)))]
pub struct Count(pub i64);

impl Count {
    /// What serde calls it; by that it is read.
    pub const NAME: &'static str = "Count";
}

/// The place of something in a list: a whole number from 0 on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, extend("minimum" = 0)))]
pub struct Index(pub i64);

impl Index {
    /// What serde calls it; by that it is read.
    pub const NAME: &'static str = "Index";
}

/// A moment, or so many whole days from now. One that is past ends what it is given to: so links are closed.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(
    test,
    schemars(
        inline,
        with = "serde_json::Value",
        extend("anyOf" = [{ "type": "string", "format": "date-time" }, { "type": "integer", "minimum": 0 }])
    )
)]
pub struct Until(String);

impl Until {
    /// What serde calls it; by that it is read.
    pub const NAME: &'static str = "Until";

    /// The moment, in seconds since 1970.
    ///
    /// Errors: `Invalid`, `ClockNotSet` (days from when?).
    pub fn moment(self) -> Result<i64> {
        const WRONG: Error = Error::invalid("expires must be a date or a number of days");
        let latest = clock::now() + days(limits::EXPIRES_DAYS_MAX);
        let moment = if self.0.bytes().all(|byte| byte.is_ascii_digit()) {
            let count = self.0.parse().ok().filter(|count| *count <= limits::EXPIRES_DAYS_MAX);
            clock::known().ok_or(Error::ClockNotSet)? + days(count.ok_or(WRONG)?)
        } else {
            self.0.parse::<Timestamp>().map_err(|_| WRONG)?.as_second()
        };
        if moment > latest { Err(Error::invalid("expires is too far away")) } else { Ok(moment) }
    }
}

/// Seconds of so many days.
const fn days(count: i64) -> i64 {
    count * 24 * 3600
}

/// The serde name of a question in which `null` says something: that what it stands for shall be nothing.
pub const WITH_NULLS: &str = "WithNulls";

/// A field of such a question.
#[derive(Clone, Copy, Debug, Default)]
pub enum Nullable<T> {
    /// It is not there.
    #[default]
    Missing,
    /// It is `null`.
    Null,
    /// It is this.
    Is(T),
}

impl<T> Nullable<T> {
    /// The same of another type.
    ///
    /// Errors: those of `change`.
    pub fn try_map<U>(self, change: impl FnOnce(T) -> Result<U>) -> Result<Nullable<U>> {
        Ok(match self {
            Self::Missing => Nullable::Missing,
            Self::Null => Nullable::Null,
            Self::Is(value) => Nullable::Is(change(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Is))
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
}

/// An array of paths, or a string that is one in JSON.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, extend("type" = ["array", "string"], "items" = { "type": "string" })))]
pub struct Paths(String);

impl Paths {
    /// What serde calls it; by that it is read.
    pub const NAME: &'static str = "Paths";

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that must not be empty, which would count as missing.
#[derive(Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, extend("minLength" = 1)))]
pub struct Filled(String);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(de::Error::invalid_length(0, &"a text that is not empty"));
        }
        Ok(Self(text))
    }
}

impl std::ops::Deref for Filled {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// For `deserialize_with`: a text that counts as left out when it is empty.
///
/// Errors: the deserializer's.
pub fn unless_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed_as_people_do() {
        assert_eq!(alternatives(&["a"]), "a");
        assert_eq!(alternatives(&["a", "b"]), "a or b");
        assert_eq!(alternatives(&["a", "b", "c"]), "a, b or c");
    }
}
