//! The response of the published crate: a status, fields, and a reader. `ext::Head` and
//! `ext::Body` do more.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::mpsc::Receiver;

use crate::common::{Header, StatusCode};

/// A response with any reader in it.
pub type ResponseBox = Response<Box<dyn Read + Send>>;

/// A response. `Connection`, `Transfer-Encoding` and `Content-Length` are the floor's own;
/// `Content-Type` replaces the one before, other fields are added.
pub struct Response<R> {
    /// The status.
    status: StatusCode,
    /// The fields.
    headers: Vec<Header>,
    /// The body.
    data: R,
    /// Bytes of the body, if known.
    length: Option<u64>,
    /// From how many bytes on chunks are used although the length is known. `None`: never, unlike
    /// in the published crate, since a known length is what progress bars are made of.
    chunked_threshold: Option<usize>,
}

impl<R: Read> Response<R> {
    /// A response. `more_headers` is emptied when this is called, and never waited for.
    #[expect(clippy::needless_pass_by_value, reason = "the published crate's interface")]
    pub fn new(
        status: StatusCode,
        headers: Vec<Header>,
        data: R,
        length: Option<usize>,
        more_headers: Option<Receiver<Header>>,
    ) -> Self {
        let length = length.map(|length| length as u64);
        let empty = Self { status, headers: Vec::new(), data, length, chunked_threshold: None };
        let more: Vec<Header> = more_headers.iter().flat_map(Receiver::try_iter).collect();
        headers.into_iter().chain(more).fold(empty, Self::with_header)
    }

    /// Uses chunks from so many bytes on.
    #[must_use]
    pub fn with_chunked_threshold(mut self, bytes: usize) -> Self {
        self.chunked_threshold = Some(bytes);
        self
    }

    /// From how many bytes on chunks are used.
    pub fn chunked_threshold(&self) -> usize {
        self.chunked_threshold.unwrap_or(usize::MAX)
    }

    /// Adds a field.
    pub fn add_header(&mut self, header: impl Into<Header>) {
        let header = header.into();
        if header.field.equiv("Content-Length") {
            if let Ok(length) = header.value.parse() {
                self.length = Some(length);
            }
            return;
        }
        if header.field.equiv("Content-Type") {
            self.headers.retain(|present| !present.field.equiv("Content-Type"));
        }
        self.headers.push(header);
    }

    /// Adds a field.
    #[must_use]
    pub fn with_header(mut self, header: impl Into<Header>) -> Self {
        self.add_header(header);
        self
    }

    /// Changes the status.
    #[must_use]
    pub fn with_status_code(mut self, status: impl Into<StatusCode>) -> Self {
        self.status = status.into();
        self
    }

    /// Changes the body.
    pub fn with_data<S: Read>(self, data: S, length: Option<usize>) -> Response<S> {
        Response {
            status: self.status,
            headers: self.headers,
            data,
            length: length.map(|length| length as u64),
            chunked_threshold: self.chunked_threshold,
        }
    }

    /// The status.
    pub fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The fields.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// Bytes of the body, if known and within a `usize`.
    pub fn data_length(&self) -> Option<usize> {
        self.length.and_then(|length| usize::try_from(length).ok())
    }

    /// The status, the fields, the reader, and the length if it is to be told.
    pub(crate) fn take_apart(self) -> (u16, Vec<Header>, R, Option<u64>) {
        let threshold = self.chunked_threshold.map_or(u64::MAX, |bytes| bytes as u64);
        let length = self.length.filter(|&length| length < threshold);
        (self.status.0, self.headers, self.data, length)
    }
}

impl<R: Read + Send + 'static> Response<R> {
    /// Hides the reader's type.
    pub fn boxed(self) -> ResponseBox {
        Response {
            status: self.status,
            headers: self.headers,
            data: Box::new(self.data),
            length: self.length,
            chunked_threshold: self.chunked_threshold,
        }
    }
}

impl Response<File> {
    /// The rest of a file. It passes through memory; `ext::Part::File` does not.
    pub fn from_file(file: File) -> Self {
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
        let status = StatusCode(200);
        Self { status, headers: Vec::new(), data: file, length, chunked_threshold: None }
    }
}

impl Response<Cursor<Vec<u8>>> {
    /// Bytes.
    pub fn from_data(data: impl Into<Vec<u8>>) -> Self {
        let data = data.into();
        let length = Some(data.len());
        Self::new(StatusCode(200), Vec::new(), Cursor::new(data), length, None)
    }

    /// Text, with its type.
    pub fn from_string(text: impl Into<String>) -> Self {
        let response = Self::from_data(text.into());
        match Header::from_bytes("Content-Type", "text/plain; charset=UTF-8") {
            Ok(header) => response.with_header(header),
            Err(()) => response,
        }
    }
}

impl Response<io::Empty> {
    /// No body.
    pub fn empty(status: impl Into<StatusCode>) -> Self {
        Self::new(status.into(), Vec::new(), io::empty(), Some(0), None)
    }

    /// No body.
    pub fn new_empty(status: StatusCode) -> Self {
        Self::empty(status)
    }
}

impl<R> fmt::Debug for Response<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Response({}, {:?})", self.status.0, self.length)
    }
}
