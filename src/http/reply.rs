//! An answer on its way out: status, fields and body, not yet sent.

use std::borrow::Cow;

use serde::Serialize;
use tiny_http::Request;
use tiny_http::ext::{Body, GoesOn, Head};

use crate::error::{Error, Result};

/// What a handler answers.
pub struct Reply {
    /// RFC 9110, section 15.
    pub status: u16,
    /// Fields besides those that every answer has.
    pub fields: Vec<(&'static str, Cow<'static, str>)>,
    /// What follows the head.
    pub body: Body,
    /// Whether it may still be sent, where it takes long enough for that to change.
    goes_on: Option<GoesOn>,
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
        Self { status, fields: Vec::new(), body, goes_on: None }
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

    /// Is sent as long as this says that it may be; then the connection is cut.
    pub fn while_it(mut self, may_go_on: impl Fn() -> bool + Send + 'static) -> Self {
        self.goes_on = Some(Box::new(may_go_on));
        self
    }

    /// Sends it; whoever broke off has no use for the rest, and there is nobody to tell.
    pub fn send(mut self, request: Request) {
        let goes_on = self.goes_on.take();
        let (head, body) = self.into_parts();
        let _gone = match goes_on {
            Some(goes_on) => request.send_while(goes_on, head, body),
            None => request.send(head, body),
        };
    }

    /// The head as the floor wants it, and the body.
    fn into_parts(self) -> (Head, Body) {
        let mut head = Head::new(self.status).with("X-Content-Type-Options", "nosniff");
        for (name, value) in self.fields {
            head = head.with(name, value);
        }
        (head, self.body)
    }
}

/// The media type of every answer of the API (RFC 8259 needs no charset).
pub const JSON: &str = "application/json";
