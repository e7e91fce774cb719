//! An ordinary HTTP client (ureq) that asks as somebody.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::answer::Answer;
use super::form::Form;

/// Bytes of an answer that a test is ready to hold.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A client that takes every status as an answer and follows nothing.
pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into()
}

/// Somebody with credentials, or nobody.
#[derive(Clone)]
pub struct Client {
    /// Keeps connections.
    pub agent: Agent,
    /// Scheme, address and port, without a slash at the end.
    pub base: String,
    /// Fields of every request.
    pub headers: Vec<(String, String)>,
}

impl Client {
    /// Sends one more field with every request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `GET`; `target` is a path with its query, encoded.
    #[track_caller]
    pub fn get(&self, target: &str) -> Answer {
        let mut request = self.agent.get(format!("{}{target}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(format!("GET {target}"), request.call())
    }

    /// `GET` with one query parameter, encoded here.
    #[track_caller]
    pub fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.get(&format!("{path}?{name}={}", encode(value)))
    }

    /// `HEAD`.
    #[track_caller]
    pub fn head(&self, target: &str) -> Answer {
        let mut request = self.agent.head(format!("{}{target}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(format!("HEAD {target}"), request.call())
    }

    /// `POST` of JSON.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes a value on the spot")]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.post_raw(path, Some("application/json"), body.to_string().as_bytes())
    }

    /// `POST` of anything.
    #[track_caller]
    pub fn post_raw(&self, path: &str, content_type: Option<&str>, body: &[u8]) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(content_type) = content_type {
            request = request.content_type(content_type);
        }
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        answer(format!("POST {path} {shown}"), request.send(body))
    }

    /// Any method, with more fields.
    #[track_caller]
    pub fn ask(&self, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder();
        request = request.method(method).uri(format!("{}{target}", self.base));
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(more.iter().copied()) {
            request = request.header(name, value);
        }
        let sent = if body.is_empty() && !matches!(method, "POST" | "PATCH") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        answer(format!("{method} {target}"), sent)
    }

    /// Makes a narrowed key; gives its number and itself.
    #[track_caller]
    pub fn make_key(&self, wish: Value) -> (i64, String) {
        let made = self.post("/api/key/create", wish).expect_status("Key created");
        (made["id"].as_i64().unwrap(), made["key"].as_str().unwrap().to_owned())
    }

    /// `POST` of a form to the upload.
    #[track_caller]
    pub fn upload(&self, form: &Form) -> Answer {
        self.post_raw("/api/upload", Some(&Form::content_type()), &form.body())
    }
}

/// A query value, percent-encoded down to letters and digits.
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Reads an answer whole.
#[track_caller]
fn answer(asked: String, response: Result<Response<Body>, ureq::Error>) -> Answer {
    let mut response = response.unwrap_or_else(|cause| panic!("{asked}: {cause}"));
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let reader = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let body = reader.read_to_vec().unwrap_or_else(|cause| panic!("{asked}: {cause}"));
    Answer { asked, status, headers, body }
}
