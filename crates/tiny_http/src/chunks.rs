//! The framing of `Transfer-Encoding: chunked` (RFC 9112, 7.1), as a machine that is fed bytes.
//! Knows no socket and keeps no data: the caller moves the data, this says where it ends.
//!
//! Strict on purpose, because two readers who disagree on lengths are how requests are smuggled:
//! hex digits only, CRLF only, no white space around a size, extensions and trailers bounded and
//! discarded.

/// Bytes of chunk extensions in one body, together. Nobody uses them; unbounded they are a way to
/// send much and to mean nothing.
pub const EXTENSION_BYTES_MAX: u32 = 4096;

/// Bytes of trailer fields after the last chunk. They are discarded.
pub const TRAILER_BYTES_MAX: u32 = 8192;

/// Digits of a chunk's size: what fits into 64 bits.
const SIZE_DIGITS_MAX: u8 = 16;

/// The body is not what RFC 9112, 7.1 describes; the text says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk(pub &'static str);

/// Where in the framing we stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the digits of a size.
    Size,
    /// After the `;` of a size.
    Extension,
    /// After the CR of a size line.
    SizeEnd,
    /// Within the data of a chunk.
    Data,
    /// After the data: its CR.
    DataCr,
    /// After the data: its LF.
    DataLf,
    /// At the start of a trailer line, or of the line that ends it all.
    LineStart,
    /// Within a trailer line.
    Line,
    /// After the CR of a trailer line.
    LineEnd,
    /// After the CR of the empty line.
    LastLf,
    /// Behind the body.
    Done,
    /// Something was wrong; it stays wrong.
    Failed,
}

/// The reader of one chunked body.
#[derive(Debug, Clone)]
pub struct Chunks {
    /// Where we stand.
    place: Place,
    /// Digits of the present size so far.
    digits: u8,
    /// While `Size`: the size so far. While `Data`: bytes still to come of this chunk.
    left: u64,
    /// Extension bytes so far, over all chunks.
    extension_bytes: u32,
    /// Trailer bytes so far.
    trailer_bytes: u32,
}

impl Default for Chunks {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunks {
    /// Before the first byte of a body.
    pub fn new() -> Self {
        Self { place: Place::Size, digits: 0, left: 0, extension_bytes: 0, trailer_bytes: 0 }
    }

    /// Bytes of data that come next; nothing but data comes before they are taken.
    pub fn data_left(&self) -> u64 {
        if self.place == Place::Data { self.left } else { 0 }
    }

    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Says that `count` bytes of data were moved; never more than `data_left`.
    pub fn take(&mut self, count: u64) {
        debug_assert!(count <= self.data_left());
        self.left = self.left.saturating_sub(count);
        if self.left == 0 && self.place == Place::Data {
            self.place = Place::DataCr;
        }
    }

    /// Reads framing from `input` until data comes, the body ends or the input does. Returns how
    /// many bytes it used. Errors stay: a body that was wrong once never becomes right.
    pub fn advance(&mut self, input: &[u8]) -> Result<usize, BadChunk> {
        let mut used = 0;
        while !matches!(self.place, Place::Data | Place::Done) {
            let Some(&byte) = input.get(used) else { break };
            match self.step(byte) {
                Ok(next) => self.place = next,
                Err(problem) => {
                    self.place = Place::Failed;
                    return Err(problem);
                }
            }
            used += 1;
        }
        Ok(used)
    }

    /// One byte of framing.
    fn step(&mut self, byte: u8) -> Result<Place, BadChunk> {
        match (self.place, byte) {
            (Place::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (Place::Size, _) if self.digits == 0 => Err(BadChunk("a chunk without a size")),
            (Place::Size | Place::Extension, b'\r') => Ok(Place::SizeEnd),
            (Place::Size, b';') | (Place::Extension, b'\t' | b' '..=0x7e | 0x80..) => {
                self.extension()
            }
            (Place::SizeEnd, b'\n') => Ok(self.size_is_known()),
            (Place::DataCr, b'\r') => Ok(Place::DataLf),
            (Place::DataLf, b'\n') => Ok(Place::Size),
            (Place::LineStart, b'\r') => Ok(Place::LastLf),
            (Place::LineStart | Place::Line, b'\t' | b' '..=0x7e | 0x80..) => self.trailer(),
            (Place::Line, b'\r') => Ok(Place::LineEnd),
            (Place::LineEnd, b'\n') => Ok(Place::LineStart),
            (Place::LastLf, b'\n') => Ok(Place::Done),
            (Place::Size | Place::Extension, _) => Err(BadChunk("a bad byte in a chunk's size")),
            (Place::DataCr | Place::DataLf, _) => Err(BadChunk("no line end after a chunk")),
            (Place::Failed, _) => Err(BadChunk("the body was malformed before")),
            _ => Err(BadChunk("a bad byte in the trailer")),
        }
    }

    /// One more digit of a size.
    fn digit(&mut self, byte: u8) -> Result<Place, BadChunk> {
        if self.digits == SIZE_DIGITS_MAX {
            return Err(BadChunk("a chunk's size has too many digits"));
        }
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => byte - b'A' + 10,
        };
        self.digits += 1;
        self.left = (self.left << 4) | u64::from(value);
        Ok(Place::Size)
    }

    /// One more byte of an extension.
    fn extension(&mut self) -> Result<Place, BadChunk> {
        self.extension_bytes += 1;
        if self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(BadChunk("too many chunk extensions"));
        }
        Ok(Place::Extension)
    }

    /// One more byte of a trailer line.
    fn trailer(&mut self) -> Result<Place, BadChunk> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(BadChunk("too long a trailer"));
        }
        Ok(Place::Line)
    }

    /// A size line has ended: data follows, or the trailer after the last chunk.
    fn size_is_known(&mut self) -> Place {
        self.digits = 0;
        if self.left == 0 { Place::LineStart } else { Place::Data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes the whole of `input`, given in pieces of `piece` bytes: the data and what follows.
    fn decode(input: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, BadChunk> {
        let mut chunks = Chunks::new();
        let mut data = Vec::new();
        let mut at = 0;
        while at < input.len() {
            let slice = &input[at..input.len().min(at + piece)];
            let used = if chunks.data_left() > 0 {
                let count =
                    slice.len().min(usize::try_from(chunks.data_left()).unwrap_or(usize::MAX));
                data.extend_from_slice(&slice[..count]);
                chunks.take(count as u64);
                count
            } else {
                chunks.advance(slice)?
            };
            at += used;
            if chunks.is_done() {
                return Ok(Some((data, at)));
            }
        }
        Ok(None)
    }

    #[test]
    fn a_good_body_is_read() {
        let body =
            b"5\r\nhello\r\n1;name=\"x\"\r\n \r\n00A\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nnext";
        for piece in [1, 2, 3, 7, 100] {
            let (data, at) = decode(body, piece).expect("good").expect("whole");
            assert_eq!(data, b"hello 0123456789");
            assert_eq!(&body[at..], b"next");
        }
    }

    #[test]
    fn bad_framing_is_refused() {
        for bad in [
            &b"+3\r\nabc\r\n0\r\n\r\n"[..],
            b"-3\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b" 3\r\nabc\r\n0\r\n\r\n",
            b"3 \r\nabc\r\n0\r\n\r\n",
            b"3\nabc\r\n0\r\n\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"3\r\nabc\n0\r\n\r\n",
            b"\r\nabc\r\n0\r\n\r\n",
            b";x\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabc\r\n0\r\n\n",
            b"3\r\nabc\r\n0\r\nX: a\nY: b\r\n\r\n",
            b"3\r\nabc\r\n0\r\nX: \0\r\n\r\n",
            b"11111111111111111\r\n",
            b"g\r\n",
        ] {
            assert!(decode(bad, 4).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let mut long = b"1;".to_vec();
        long.resize(1 << 16, b'x');
        assert!(decode(&long, 1024).is_err());
        let many = b"1;xxxxxxxxxxxxxxx\r\na\r\n".repeat(1000);
        assert!(decode(&many, 1024).is_err(), "the bound is for the whole body");
        let mut trailer = b"0\r\n".to_vec();
        trailer.extend(b"X-Long: y\r\n".repeat(2000));
        assert!(decode(&trailer, 1024).is_err());
    }

    #[test]
    fn the_largest_size_is_no_overflow() {
        let mut chunks = Chunks::new();
        assert_eq!(chunks.advance(b"ffffffffffffffff\r\nx"), Ok(18));
        assert_eq!(chunks.data_left(), u64::MAX);
    }

    #[test]
    fn a_failed_body_stays_failed() {
        let mut chunks = Chunks::new();
        assert!(chunks.advance(b"z").is_err());
        assert!(chunks.advance(b"0\r\n\r\n").is_err());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..8),
            piece in 1usize..64,
        ) {
            let mut body = Vec::new();
            for part in &parts {
                body.extend(format!("{:x}\r\n", part.len()).into_bytes());
                body.extend(part);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let length = body.len();
            body.extend(b"GET");
            let (data, at) = decode(&body, piece).expect("good").expect("whole");
            prop_assert_eq!(data, parts.concat());
            prop_assert_eq!(at, length);
        }

        #[test]
        fn pieces_never_change_the_verdict(input in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'2'), Just(b';'), any::<u8>()], 0..80,
        ), piece in 1usize..9) {
            prop_assert_eq!(decode(&input, piece), decode(&input, 1000));
        }
    }
}
