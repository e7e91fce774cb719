//! `multipart/form-data` bodies, put together by hand so that they can be odd.

use std::fmt::Write as _;

/// The boundary of every form here.
pub const BOUNDARY: &str = "larder-test-boundary-7f3a";

/// A form whose parts come in the order in which they were added.
#[derive(Clone, Default)]
pub struct Form {
    /// The parts so far, without the last boundary.
    body: Vec<u8>,
}

impl Form {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plain field.
    pub fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), value.as_bytes())
    }

    /// Adds a file.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let disposition = format!("form-data; name=\"file\"; filename=\"{name}\"");
        self.part(&disposition, content.as_ref())
    }

    /// Adds a part with this `Content-Disposition`.
    pub fn part(mut self, disposition: &str, content: &[u8]) -> Self {
        let mut head = String::new();
        write!(head, "--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n").unwrap();
        head.push_str("Content-Type: application/octet-stream\r\n\r\n");
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// The `Content-Type` field.
    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The whole body.
    pub fn body(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    /// The body as far as it goes, without its end.
    pub fn unfinished(&self) -> Vec<u8> {
        self.body.clone()
    }
}
