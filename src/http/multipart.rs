//! `multipart/form-data` (RFC 7578 on RFC 2046, 5.1) as a stream: parts in any order, one buffer,
//! every length bounded. Knows nothing of files.

use std::io::Read;

use memchr::memmem;

use crate::error::{Error, Result, Why};
use crate::http::query;
use crate::limits;

/// Reads one body, part after part.
pub struct Multipart<R> {
    /// The body.
    reader: R,
    /// Finds CR LF `--` boundary.
    finder: memmem::Finder<'static>,
    /// What has come and is not handed out yet: `buffer[start..end]`.
    buffer: Vec<u8>,
    /// See `buffer`.
    start: usize,
    /// See `buffer`.
    end: usize,
    /// Where in the body we are.
    state: State,
    /// Parts begun so far.
    parts: usize,
}

/// Where in the body the reader stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary; what is there does not count (RFC 2046, 5.1.1).
    Preamble,
    /// In the content of a part.
    Content,
    /// Right behind a boundary.
    Boundary,
    /// Behind the last boundary.
    End,
}

/// The head of one part.
#[derive(Debug, PartialEq, Eq)]
pub struct PartHead {
    /// The field's name.
    pub name: String,
    /// The name the file had where it came from; `None` for plain fields.
    pub file_name: Option<String>,
}

/// The boundary of a `Content-Type: multipart/form-data`; `None` for anything else.
pub fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.splitn(2, ';');
    if !parts.next()?.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parts.next()?, "boundary")?;
    // RFC 2046, 5.1.1: 1 to 70 characters.
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The sentence for everything that breaks the format.
fn malformed() -> Error {
    Error::invalid("Malformed multipart body")
}

impl<R: Read> Multipart<R> {
    /// Reads `reader` as parts between lines of this boundary.
    pub fn new(reader: R, boundary: &str) -> Self {
        let mut buffer = vec![0; limits::COPY_BUFFER_BYTES + limits::PART_HEAD_BYTES_MAX];
        // A first boundary need not follow a line end, but every other must: pretend that it does.
        buffer[..2].copy_from_slice(b"\r\n");
        let line = format!("\r\n--{boundary}");
        let finder = memmem::Finder::new(line.as_bytes()).into_owned();
        Self { reader, finder, buffer, start: 0, end: 2, state: State::Preamble, parts: 0 }
    }

    /// The next part's head; `None` after the last. What is unread of the part before is passed over.
    ///
    /// Errors: `Invalid`, `Disconnected`.
    pub fn next_part(&mut self) -> Result<Option<PartHead>> {
        while matches!(self.state, State::Preamble | State::Content) {
            self.read_content(&mut |_| Ok(()))?;
        }
        if self.state == State::End {
            return Ok(None);
        }
        while self.end - self.start < 2 {
            self.fill()?;
        }
        if self.buffer[self.start..].starts_with(b"--") {
            self.state = State::End;
            self.pass_over_the_rest()?;
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > limits::UPLOAD_PARTS_MAX {
            return Err(Error::invalid_as(Why::TooMany, "Too many parts"));
        }
        let head = self.read_head()?;
        self.state = State::Content;
        Ok(Some(head))
    }

    /// Hands the content of the present part to `take`, piece by piece, to its end; gives its length.
    ///
    /// Errors: those of `take`, `Invalid`, `Disconnected`.
    pub fn read_content(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let mut length = 0;
        // How much of what is unread holds no boundary's beginning.
        let mut searched = 0;
        while matches!(self.state, State::Preamble | State::Content) {
            let rest = &self.buffer[self.start..self.end];
            if let Some(at) = self.finder.find(&rest[searched..]) {
                let at = searched + at;
                take(&rest[..at])?;
                length += at as u64;
                self.start += at + self.finder.needle().len();
                self.state = State::Boundary;
                break;
            }
            // The last bytes may be the beginning of a boundary.
            searched = rest.len().saturating_sub(self.finder.needle().len() - 1);
            // Whole blocks only: writes that begin and end within a page cost twice as much.
            if searched >= limits::COPY_BUFFER_BYTES {
                take(&rest[..limits::COPY_BUFFER_BYTES])?;
                length += limits::COPY_BUFFER_BYTES as u64;
                self.start += limits::COPY_BUFFER_BYTES;
                searched -= limits::COPY_BUFFER_BYTES;
            }
            self.fill()?;
        }
        Ok(length)
    }

    /// A plain field's value, within its bound.
    ///
    /// Errors: `Invalid` also when it is too long or not UTF-8.
    pub fn read_text(&mut self, name: &str) -> Result<String> {
        let mut bytes = Vec::new();
        self.read_content(&mut |piece| {
            if bytes.len() + piece.len() > limits::PART_FIELD_BYTES_MAX {
                return Err(Error::invalid_text(format!("{name} is too long")));
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        String::from_utf8(bytes).map_err(|_| Error::invalid_text(format!("{name} is not UTF-8")))
    }

    /// The header lines behind a boundary, up to the empty line.
    fn read_head(&mut self) -> Result<PartHead> {
        let length = loop {
            let rest = &self.buffer[self.start..self.end];
            // The boundary's own line end may be followed by the empty line at once.
            if let Some(at) = memmem::find(rest, b"\r\n\r\n") {
                break at;
            }
            if rest.len() > limits::PART_HEAD_BYTES_MAX {
                return Err(Error::invalid("Part header too large"));
            }
            self.fill()?;
        };
        if length > limits::PART_HEAD_BYTES_MAX {
            return Err(Error::invalid("Part header too large"));
        }
        let head = &self.buffer[self.start..self.start + length];
        let is_text = std::str::from_utf8(head).is_ok();
        let head = String::from_utf8_lossy(head).into_owned();
        self.start += length + 4;
        // RFC 2046, 5.1.1: white space may follow a boundary on its line.
        let (padding, lines) = head.split_once("\r\n").ok_or_else(malformed)?;
        if !padding.trim_matches([' ', '\t']).is_empty() {
            return Err(malformed());
        }
        let disposition = lines
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("Content-Disposition"))
            .map(|(_, value)| value.trim())
            .ok_or_else(malformed)?;
        let (kind, parameters) = disposition.split_once(';').ok_or_else(malformed)?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(malformed());
        }
        let name = parameter(parameters, "name").ok_or_else(malformed)?;
        let plain = || parameter(parameters, "filename").map(|name| undo_form_escapes(&name));
        let file_name =
            parameter(parameters, "filename*").and_then(|value| extended(&value)).or_else(plain);
        // What was no text would be the name of any other file that was none.
        if !is_text && file_name.as_ref().is_some_and(|name| name.contains('\u{fffd}')) {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        Ok(PartHead { name: undo_form_escapes(&name), file_name })
    }

    /// Reads to the end of the body. What follows the last boundary does not count (RFC 2046, 5.1.1),
    /// but a body that breaks off there broke off all the same.
    fn pass_over_the_rest(&mut self) -> Result<()> {
        let mut rest = 0;
        loop {
            let count = self.read_some(0)?;
            rest += count;
            if rest > limits::PART_HEAD_BYTES_MAX {
                return Err(malformed());
            }
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// Reads more behind what is unread, which moves to the front of the buffer.
    fn fill(&mut self) -> Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            return Err(malformed());
        }
        let count = self.read_some(self.end)?;
        if count == 0 {
            return Err(malformed());
        }
        self.end += count;
        Ok(())
    }

    /// One read into the buffer from `at` on.
    fn read_some(&mut self, at: usize) -> Result<usize> {
        self.reader.read(&mut self.buffer[at..]).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::InvalidData => malformed(),
            _ => Error::Disconnected,
        })
    }
}

/// The value of one parameter in `; name=token; other="quoted \" text"`.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
            unquote(quoted)?
        } else {
            let (token, after) = after.split_once(';').unwrap_or((after, ""));
            (token.trim().to_owned(), after)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quote, and what follows it. Only `\"` and `\\` are escapes: old
/// browsers send whole Windows paths.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, letters.peek().map(|(_, next)| *next)) {
            ('"', _) => return Some((value, &quoted[at + 1..])),
            ('\\', Some(next @ ('"' | '\\'))) => {
                value.push(next);
                letters.next();
            }
            _ => value.push(letter),
        }
    }
    // No end was found: then the last quote was meant as one, behind a name that ends in a backslash.
    let (value, rest) = quoted.rsplit_once('"')?;
    Some((value.to_owned(), rest))
}

/// Undoes what the HTML standard has browsers do to names
/// (multipart/form-data encoding algorithm: `"`, CR and LF).
fn undo_form_escapes(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The value of an extended parameter, `UTF-8''...` (RFC 8187, 3.2); other charsets are ignored.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    charset.eq_ignore_ascii_case("utf-8").then_some(())?;
    Some(query::decode(&encoded.replace('+', "%2B")).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    type Parts = Vec<(PartHead, Vec<u8>)>;

    fn read_all(body: &[u8], step: usize) -> Result<Parts> {
        let mut multipart = Multipart::new(Drip(body, step), "XX");
        let mut parts = Vec::new();
        while let Some(head) = multipart.next_part()? {
            let mut content = Vec::new();
            let length = multipart.read_content(&mut |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })?;
            assert_eq!(length, content.len() as u64);
            parts.push((head, content));
        }
        Ok(parts)
    }

    fn field(name: &str, file_name: Option<&str>) -> PartHead {
        PartHead { name: name.to_owned(), file_name: file_name.map(str::to_owned) }
    }

    #[test]
    fn parts_come_whole_whatever_the_pieces() {
        let body = b"preamble\r\n--XX \t\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\ndocs\r\n\
            --XX\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=file; filename=\"a.txt\"\r\n\r\n\
            \r\n--X\r\n--\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"e\"\r\n\r\n\r\n--XX--\r\nepilogue";
        for step in [1, 2, 3, 7, 1000] {
            let parts = read_all(body, step).unwrap();
            assert_eq!(parts[0], (field("path", None), b"docs".to_vec()));
            assert_eq!(parts[1], (field("file", Some("a.txt")), b"\r\n--X\r\n--\r\n".to_vec()));
            assert_eq!(parts[2], (field("e", None), Vec::new()));
            assert_eq!(parts.len(), 3);
        }
    }

    #[test]
    fn a_body_that_breaks_the_format_is_refused() {
        let head = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
        for bad in [
            String::new(),
            "--XX".to_owned(),
            "no boundary at all".to_owned(),
            format!("{head}cut"),
            format!("{head}cut\r\n--XX"),
            format!("{head}cut\r\n--XX-"),
            "--XXmore\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--".to_owned(),
            "--XX\r\nContent-Type: a/b\r\n\r\nx\r\n--XX--".to_owned(),
            "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--".to_owned(),
            "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--".to_owned(),
            "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XX--".to_owned(),
            format!("{head}x\r\n--XX--{}", "epilogue".repeat(limits::PART_HEAD_BYTES_MAX)),
            format!("--XX\r\nX: {}\r\n\r\nx\r\n--XX--", "y".repeat(limits::PART_HEAD_BYTES_MAX)),
            format!("--XX\r\nX: {}", "y".repeat(limits::COPY_BUFFER_BYTES * 2)),
        ] {
            assert!(matches!(read_all(bad.as_bytes(), 1000), Err(Error::Invalid(..))), "{bad:.80}");
        }
        assert!(read_all(b"--XX--", 1).unwrap().is_empty());
    }

    #[test]
    fn names_come_as_their_senders_meant_them() {
        let name = |parameters: &str| {
            let body =
                format!("--XX\r\nContent-Disposition: form-data; {parameters}\r\n\r\n\r\n--XX--");
            read_all(body.as_bytes(), 99).unwrap().remove(0).0.file_name
        };
        assert_eq!(name(r#"name="file"; filename="a \"b\".txt""#).unwrap(), "a \"b\".txt");
        assert_eq!(name(r#"name="file"; filename="a %22b%22.txt""#).unwrap(), "a \"b\".txt");
        assert_eq!(name(r#"name="file"; filename="C:\dir\a.txt""#).unwrap(), r"C:\dir\a.txt");
        assert_eq!(name("name=file; filename=grün.txt").unwrap(), "grün.txt");
        assert_eq!(
            name("name=file; filename=x; filename*=UTF-8''gr%C3%BCn+1.txt").unwrap(),
            "grün+1.txt"
        );
        assert_eq!(name("name=file; filename=x; filename*=latin1''%FC").unwrap(), "x");
        assert_eq!(name(r#"name="file"; filename="a;b=c.txt""#).unwrap(), "a;b=c.txt");
        assert_eq!(name(r#"name="file"; filename="a\""#).unwrap(), r"a\");
        assert_eq!(name("name=file"), None);
    }

    #[test]
    fn only_form_data_has_a_boundary() {
        assert_eq!(boundary("multipart/form-data; boundary=XX").as_deref(), Some("XX"));
        assert_eq!(
            boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        for bad in [
            "multipart/form-data",
            "multipart/mixed; boundary=XX",
            "multipart/form-data; boundary=",
            "",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    proptest! {
        #[test]
        fn any_content_passes_unchanged(content in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()], 0..600), step in 1..300_usize) {
            prop_assume!(memmem::find(&[b"\r\n", content.as_slice()].concat(), b"\r\n--XX").is_none());
            let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".to_vec();
            body.extend_from_slice(&content);
            body.extend_from_slice(b"\r\n--XX--\r\n");
            let parts = read_all(&body, step).unwrap();
            prop_assert_eq!(&parts[0].1, &content);
        }

        #[test]
        fn garbage_never_panics(body in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), Just(b'"'), Just(b';'), any::<u8>()], 0..400), step in 1..50_usize) {
            let _any_answer = read_all(&[b"--XX\r\n", body.as_slice()].concat(), step);
        }
    }
}
