//! What handlers answer with, by type: the document tells of the same type that is sent.

use std::borrow::Cow;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tiny_http::ext::Body;

use crate::error::{Error, Result};
use crate::http::call::Call;
#[cfg(test)]
use crate::http::openapi::{Book, Responses};
use crate::http::question::{Asked, Shape};
use crate::http::reply::{JSON, Reply};
use crate::limits;

/// A good answer.
pub trait Answered {
    /// On its way out.
    fn into_reply(self) -> Reply;

    /// Tells the document's operation of it.
    #[cfg(test)]
    fn describe(book: &mut Book, responses: &mut Responses);
}

/// Asks a handler.
pub fn ask<Q: Asked, A: Answered>(
    call: &mut Call<'_>,
    handler: fn(&mut Call<'_>, Q) -> Result<A>,
) -> Result<Reply> {
    handler(call, Q::unread()).map(A::into_reply)
}

/// 200 with JSON of this type.
pub struct Answer<T> {
    /// What is sent.
    reply: Reply,
    /// What it is.
    shape: PhantomData<fn() -> T>,
}

impl<T: Serialize> Answer<T> {
    /// This.
    pub fn of(value: &T) -> Result<Self> {
        Ok(Self::made(Reply::json(value)?))
    }

    /// What `T` would be as JSON, written already.
    pub fn of_text(text: Vec<u8>) -> Self {
        Self::made(json_reply(Body::Bytes(text.into())))
    }

    /// This, which is long: escaped, a byte may become six, and they are made while they are sent.
    pub fn streamed(value: T) -> Self
    where
        T: Send + 'static,
    {
        Self::written(move |out| Ok(serde_json::to_writer(out, &value)?))
    }

    /// What `write` writes while it is sent.
    pub fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Self {
        Self::made(json_reply(Body::Stream(Box::new(write))))
    }

    /// What `write` writes, the same each time. Most answers fit into memory: then it has a length and takes
    /// one write.
    pub fn in_memory_or_streamed(
        write: impl FnMut(&mut dyn Write) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        in_memory_or_streamed(write).map(|body| Self::made(json_reply(body)))
    }

    /// What a handler has made.
    fn made(reply: Reply) -> Self {
        Self { reply, shape: PhantomData }
    }

    /// Adds a field of the head.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.reply = self.reply.with(name, value);
        self
    }
}

impl<T: Serialize + Shape> Answered for Answer<T> {
    fn into_reply(self) -> Reply {
        self.reply
    }

    #[cfg(test)]
    fn describe(book: &mut Book, responses: &mut Responses) {
        let schema = book.answer::<T>();
        responses.insert(
            "200".to_owned(),
            serde_json::json!({
                "description": "Done.",
                "content": { "application/json": { "schema": schema } },
            }),
        );
    }
}

/// 200 with a body that is JSON already.
fn json_reply(body: Body) -> Reply {
    Reply::new(200, body).with("Content-Type", JSON).with("Cache-Control", "no-store")
}

/// The same of any kind.
pub fn in_memory_or_streamed(
    mut write: impl FnMut(&mut dyn Write) -> Result<()> + Send + 'static,
) -> Result<Body> {
    let mut small = Bounded(Vec::new());
    match write(&mut small) {
        Ok(()) => return Ok(Body::Bytes(small.0.into())),
        Err(Error::TooLarge) => {}
        Err(Error::Io(cause)) if cause.kind() == io::ErrorKind::FileTooLarge => {}
        Err(error) => return Err(error),
    }
    drop(small);
    Ok(Body::Stream(Box::new(move |out| {
        write(out).map_err(|error| match error {
            Error::Io(cause) => cause,
            other => io::Error::other(other),
        })
    })))
}

/// Memory up to the bound; behind it every write fails with `FileTooLarge`.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > limits::ANSWER_IN_MEMORY_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An array of JSON that is written row by row.
pub struct Rows<'o, T: ?Sized> {
    /// Where it goes.
    out: &'o mut dyn Write,
    /// What stands before the next row.
    before: &'static [u8],
    /// What a row is.
    shape: PhantomData<fn(&T)>,
}

impl<'o, T: Serialize + ?Sized> Rows<'o, T> {
    /// Begins one.
    pub fn begin(out: &'o mut dyn Write) -> Self {
        Self { out, before: b"[", shape: PhantomData }
    }

    /// Writes a row.
    pub fn push(&mut self, row: &T) -> Result<()> {
        self.out.write_all(self.before)?;
        self.before = b",";
        serde_json::to_writer(&mut *self.out, row).map_err(|cause| Error::Io(cause.into()))
    }

    /// Ends it.
    pub fn end(self) -> Result<()> {
        if self.before == b"[" {
            self.out.write_all(self.before)?;
        }
        Ok(self.out.write_all(b"]")?)
    }
}

/// Declares what stands in `status` of a good answer: a type for each of the contract's sentences.
macro_rules! sentence {
    ($(#[$doc:meta])* $name:ident, $sentence:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str($sentence)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "const": $sentence })
            }
        }
    };
}
pub(crate) use sentence;

/// It is done.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "{S}Answer"))]
pub struct Done<S> {
    /// What was done.
    status: S,
}

/// It is done, and something is there now.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "{S}Answer"))]
pub struct At<S> {
    /// What was done.
    status: S,
    /// Where it is, relative to the share root.
    path: String,
}

/// It is done.
pub fn done<S: Serialize + Default>() -> Result<Answer<Done<S>>> {
    Answer::of(&Done::default())
}

/// It is done, and something is there now.
pub fn at<S: Serialize + Default>(path: &str) -> Result<Answer<At<S>>> {
    Answer::of(&At { status: S::default(), path: path.to_owned() })
}

/// A moment, told to the second (RFC 3339, UTC).
#[derive(Clone, Copy, Debug)]
pub struct Time(Timestamp);

impl Time {
    /// What the form cannot tell is the beginning of 1970.
    pub fn of(time: SystemTime) -> Self {
        Self(Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// So many seconds after the beginning of 1970; that moment for what the form cannot tell.
    pub fn of_seconds(seconds: i64) -> Self {
        Self(Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Declares an answer that is no JSON, with what the document tells of it: for each status what it means, and
/// the media type if it has a body.
macro_rules! other_answer {
    ($(#[$doc:meta])* $name:ident, $($status:literal: $meaning:literal $(in $media_type:literal)?),+) => {
        $(#[$doc])*
        pub struct $name(pub crate::http::reply::Reply);

        impl crate::http::answer::Answered for $name {
            fn into_reply(self) -> crate::http::reply::Reply {
                self.0
            }

            #[cfg(test)]
            fn describe(
                _: &mut crate::http::openapi::Book,
                responses: &mut crate::http::openapi::Responses,
            ) {
                $(
                    let response = serde_json::json!({
                        "description": $meaning,
                        $( "content": { $media_type: {} }, )?
                    });
                    responses.insert($status.to_string(), response);
                )+
            }
        }
    };
}
pub(crate) use other_answer;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_an_array() {
        for rows in [vec![], vec!["a"], vec!["a", "b\n"]] {
            let mut text = Vec::new();
            let mut array = Rows::begin(&mut text);
            for row in &rows {
                array.push(row).unwrap();
            }
            array.end().unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), serde_json::to_string(&rows).unwrap());
        }
    }
}
