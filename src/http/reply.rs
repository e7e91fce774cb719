//! An answer on its way out: status, fields and body, not yet sent.

use std::borrow::Cow;

use serde::Serialize;
use tiny_http::ext::{Body, Head};

use crate::error::{Error, Result};

/// What a handler answers.
pub struct Reply {
    /// RFC 9110, section 15.
    pub status: u16,
    /// Fields besides those that every answer has.
    pub fields: Vec<(&'static str, Cow<'static, str>)>,
    /// What follows the head.
    pub body: Body,
}

impl Reply {
    /// 200 with this as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        Self::json_with_status(200, value)
    }

    /// Any status with this as JSON.
    pub fn json_with_status(status: u16, value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_vec(value)
            .map_err(|cause| Error::Bug(format!("json: {cause}").into()))?;
        Ok(Self::new(status, Body::Bytes(text.into()))
            .with("Content-Type", JSON)
            .with("Cache-Control", "no-store"))
    }

    /// A bare answer.
    pub const fn new(status: u16, body: Body) -> Self {
        Self { status, fields: Vec::new(), body }
    }

    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Gives a field this value alone.
    pub fn set(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.retain(|(other, _)| *other != name);
        self.with(name, value)
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(other, _)| *other == name)
    }

    /// The head as the floor wants it, and the body.
    pub fn into_parts(self) -> (Head, Body) {
        let mut head = Head::new(self.status).with("X-Content-Type-Options", "nosniff");
        for (name, value) in self.fields {
            head = head.with(name, value);
        }
        (head, self.body)
    }
}

/// The media type of every answer of the API (RFC 8259 needs no charset).
pub const JSON: &str = "application/json";
