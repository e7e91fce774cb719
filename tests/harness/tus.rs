//! A bare client of `/api/uploads`, which says exactly what it is told to.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Answer, Larder, Wire, wait};

/// Where uploads are begun.
pub const UPLOADS: &str = "/api/uploads";

/// The type of their bytes.
pub const BYTES: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

/// Bytes that larder puts on the drive in one piece or several whole ones: fewer may wait in its memory for more.
pub const BLOCK: usize = 1 << 20;

/// Somebody who brings files.
pub struct Tus {
    /// The port of the larder.
    port: u16,
    /// Their API key.
    key: String,
}

impl Tus {
    /// Somebody whom the larder knows, as long as it runs.
    #[track_caller]
    pub fn of(larder: &Larder, name: &str) -> Self {
        Self::with_key(larder, larder.key(name))
    }

    /// Somebody with this key, likewise.
    #[track_caller]
    pub fn with_key(larder: &Larder, key: &str) -> Self {
        Self { port: larder.port(), key: key.to_owned() }
    }

    /// The head of a request with a body of so many bytes.
    fn head_text(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        length: u64,
    ) -> String {
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\nConnection: close\r\n",
            self.key
        );
        if length > 0 || method == "PATCH" {
            write!(head, "Content-Length: {length}\r\n").unwrap();
        }
        for (name, value) in fields {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head + "\r\n"
    }

    /// The head of a request with a body of so many bytes, sent over a connection of its own.
    #[track_caller]
    pub fn head_of(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        length: u64,
    ) -> Wire {
        let mut wire = Wire::open(self.port);
        wire.send(self.head_text(method, target, fields, length));
        wire
    }

    /// Any request; `None` when larder is gone before it has answered.
    #[track_caller]
    pub fn try_ask(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut wire = Wire::try_open(self.port)?;
        if !wire.try_send(self.head_text(method, target, fields, body.len() as u64)) {
            return None;
        }
        wire.send_until_answered(body);
        let mut answer = wire.try_answer(method == "HEAD")?;
        answer.asked = format!("{method} {target} {fields:?}, {} bytes", body.len());
        Some(answer)
    }

    /// Any request.
    #[track_caller]
    pub fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_ask(method, target, fields, body)
            .expect("an answer, not the end of the connection")
    }

    /// Begins an upload of so many bytes.
    #[track_caller]
    pub fn begin(&self, length: impl Display, metadata: &[(&str, &str)]) -> Answer {
        let (length, metadata) = (length.to_string(), encoded(metadata));
        let fields = [("Upload-Length", &*length), ("Upload-Metadata", &*metadata)];
        self.ask("POST", UPLOADS, &fields, b"")
    }

    /// The same; `None` when larder is gone before it has answered.
    #[track_caller]
    pub fn try_begin(&self, length: usize, metadata: &[(&str, &str)]) -> Option<Answer> {
        let (length, metadata) = (length.to_string(), encoded(metadata));
        let fields = [("Upload-Length", &*length), ("Upload-Metadata", &*metadata)];
        self.try_ask("POST", UPLOADS, &fields, b"")
    }

    /// Begins an upload, which must work; where it is.
    #[track_caller]
    pub fn begun(&self, length: usize, metadata: &[(&str, &str)]) -> String {
        let answer = self.begin(length, metadata).expect(201);
        answer.header("Location").expect("a location").to_owned()
    }

    /// Brings a whole file by one request.
    #[track_caller]
    pub fn bring(&self, metadata: &[(&str, &str)], body: &[u8]) -> Answer {
        let (length, metadata) = (body.len().to_string(), encoded(metadata));
        let fields = [("Upload-Length", &*length), ("Upload-Metadata", &*metadata), BYTES];
        self.ask("POST", UPLOADS, &fields, body)
    }

    /// Goes on with an upload.
    #[track_caller]
    pub fn patch(&self, upload: &str, offset: usize, body: &[u8]) -> Answer {
        self.ask("PATCH", upload, &[BYTES, ("Upload-Offset", &offset.to_string())], body)
    }

    /// The same; `None` when larder is gone before it has answered.
    #[track_caller]
    pub fn try_patch(&self, upload: &str, offset: usize, body: &[u8]) -> Option<Answer> {
        self.try_ask("PATCH", upload, &[BYTES, ("Upload-Offset", &offset.to_string())], body)
    }

    /// Goes on with an upload and stays on in the middle of that.
    #[track_caller]
    pub fn patch_begun(&self, upload: &str, offset: usize, length: usize, begun: &[u8]) -> Wire {
        let fields = [BYTES, ("Upload-Offset", &*offset.to_string())];
        let mut wire = self.head_of("PATCH", upload, &fields, length as u64);
        wire.send(begun);
        wire
    }

    /// How far an upload is.
    #[track_caller]
    pub fn head(&self, upload: &str) -> Answer {
        self.ask("HEAD", upload, &[], b"")
    }

    /// The same, which must work.
    #[track_caller]
    pub fn offset(&self, upload: &str) -> usize {
        offset_in(&self.head(upload).expect(200))
    }

    /// Takes an upload back.
    #[track_caller]
    pub fn take_back(&self, upload: &str) -> Answer {
        self.ask("DELETE", upload, &[], b"")
    }

    /// One's own uploads.
    #[track_caller]
    pub fn list(&self) -> Vec<Value> {
        let answer = self.ask("GET", UPLOADS, &[], b"").expect(200);
        answer.json().as_array().expect("a list").clone()
    }
}

/// The offset that an answer tells.
#[track_caller]
pub fn offset_in(answer: &Answer) -> usize {
    let told = answer.header("Upload-Offset").unwrap_or_else(|| panic!("no offset: {answer}"));
    told.parse().unwrap_or_else(|_| panic!("an odd offset: {answer}"))
}

/// `Upload-Metadata` of these.
pub fn encoded(metadata: &[(&str, &str)]) -> String {
    let pairs = metadata.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

/// Bytes that differ from place to place, so that a shift, a hole or a mix would show.
pub fn content(length: usize) -> Vec<u8> {
    let words =
        (0_u64..).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.take(length).collect()
}

/// What is in larder's folders for uploads and unfinished things, on the drive of a folder of the share.
pub fn left_in(larder: &Larder, top: &str) -> Vec<PathBuf> {
    let home = larder.root().join(top).join(".larder");
    let folders = ["parts", "tmp"].map(|name| home.join(name)).into_iter();
    let entries = folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    entries.map(|entry| entry.path()).collect()
}

/// Waits until nothing of any upload is left on the drive of the share.
#[track_caller]
pub fn wait_until_nothing_is_left(larder: &Larder) {
    wait_until_nothing_is_left_in(larder, "");
}

/// The same on another drive.
#[track_caller]
pub fn wait_until_nothing_is_left_in(larder: &Larder, top: &str) {
    let is_empty = wait::comes_true(wait::PATIENCE, || left_in(larder, top).is_empty());
    assert!(is_empty, "left: {:?}", left_in(larder, top));
}

/// Where the bytes of the only upload that waits on a drive are.
#[track_caller]
pub fn bytes_in(larder: &Larder, top: &str) -> PathBuf {
    let is_bytes = |path: &PathBuf| {
        path.extension().is_none() && path.parent().is_some_and(|folder| folder.ends_with("parts"))
    };
    let mut found: Vec<PathBuf> = left_in(larder, top).into_iter().filter(is_bytes).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Waits until so many bytes of the only upload on a drive have come, which are whole blocks.
#[track_caller]
pub fn wait_for_bytes(larder: &Larder, top: &str, count: usize) {
    assert_eq!(count % BLOCK, 0);
    let bytes = bytes_in(larder, top);
    let has_come = || fs::metadata(&bytes).is_ok_and(|found| found.len() >= count as u64);
    wait::until("the bytes on the drive", has_come);
}
