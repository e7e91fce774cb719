//! Content codings (RFC 9110, 8.4.1): which of them a client takes, and answers compressed on their way
//! out. Downloads are never compressed, and neither is what has a validator or secrets in it.

use std::io::{self, BufWriter, Write};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use tiny_http::Request;
use tiny_http::ext::{Body, Streamer};

use crate::http::reply::{JSON, Reply};
use crate::limits;
use crate::permits::{Permit, Permits};

/// The highest weight, in thousandths (RFC 9110, 12.4.2 allows three decimals).
const WEIGHT_FULL: u16 = 1000;

/// The content codings larder has (RFC 9110, 8.4.1; brotli: RFC 7932). Listed from worst to best:
/// among equals the client gets the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
}

impl Encoding {
    /// The value of `Content-Encoding`; `None` for the plain form, which has no such field.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// Whether an `Accept-Encoding` item means this coding (RFC 9110, 8.4.1.3 for `x-gzip`).
    fn is_named(self, name: &str) -> bool {
        match self {
            Self::Identity => name.eq_ignore_ascii_case("identity"),
            Self::Gzip => name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip"),
            Self::Brotli => name.eq_ignore_ascii_case("br"),
        }
    }

    /// How welcome an encoding is, from 0 (refused) to `WEIGHT_FULL`.
    pub fn weight(self, accept_encoding: Option<&str>) -> u16 {
        // No field means "anything", but a client that says nothing may well know nothing else.
        let Some(field) = accept_encoding else {
            return if self == Self::Identity { WEIGHT_FULL } else { 0 };
        };
        let mut star = None;
        for item in field.split(',') {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let name = name.trim();
            if self.is_named(name) {
                return parse_weight(parameters);
            }
            if name == "*" {
                star = Some(parse_weight(parameters));
            }
        }
        match (star, self) {
            (Some(weight), _) => weight,
            // Plain is always acceptable unless refused, yet anything asked for by name comes first.
            (None, Self::Identity) => 1,
            (None, _) => 0,
        }
    }
}

/// The weight in ` q=0.5`, in thousandths (RFC 9110, 12.4.2). No weight is the full weight; one
/// that cannot be read is a refusal, since the plain form is then the safe answer.
fn parse_weight(parameters: &str) -> u16 {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return WEIGHT_FULL;
    }
    let Some((name, value)) = parameters.split_once('=') else { return 0 };
    if !name.trim().eq_ignore_ascii_case("q") {
        return 0;
    }
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    let thousandths = format!("{decimals:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => thousandths,
        "1" if thousandths == 0 => WEIGHT_FULL,
        _ => 0,
    }
}

/// What a client says of codings; one that sends several such fields means their items one after the
/// other (RFC 9110, 5.3).
pub fn accepted(request: &Request) -> Option<String> {
    let fields: Vec<&str> = request.headers_named("Accept-Encoding").collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

/// The answer as this client gets it: compressed, if it is long text and the client takes that.
pub fn fit(reply: Reply, request: &Request) -> Reply {
    if !gains(&reply) {
        return reply;
    }
    let reply = reply.with("Vary", "Accept-Encoding");
    let accepted = accepted(request);
    let accepted = accepted.as_deref();
    let gzip = Encoding::Gzip.weight(accepted);
    if gzip == 0 || gzip < Encoding::Identity.weight(accepted) {
        return reply;
    }
    match COMPRESSORS.take(()) {
        Some(place) => compressed(reply, place),
        None => reply,
    }
}

/// Whether compressing is worth while and right: long enough, text, and not yet in a form of its own.
fn gains(reply: &Reply) -> bool {
    let field = |name: &str| reply.fields.iter().find(|(known, _)| *known == name);
    let is_text = field("Content-Type").is_some_and(|(_, media_type)| {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        // A stream of events grows while it is read: each must arrive at once.
        essence == JSON || (essence.starts_with("text/") && essence != "text/event-stream")
    });
    // A strong validator names exactly these bytes (RFC 9110, 8.8.1).
    let is_fixed = field("ETag").is_some() || field("Content-Encoding").is_some();
    let is_long = match &reply.body {
        Body::Bytes(bytes) => bytes.len() > limits::COMPRESSED_BYTES_MIN,
        Body::Stream(_) => true,
        Body::Empty | Body::Parts(_) => false,
    };
    is_text && is_long && !is_fixed && reply.status != 206
}

/// The same answer compressed while it is sent, by the connection's own thread: no worker spends its time on
/// it, and `HEAD` says what `GET` says.
fn compressed(mut reply: Reply, place: Permit<'static, ()>) -> Reply {
    let write: Streamer = match reply.body {
        Body::Bytes(bytes) => Box::new(move |out| out.write_all(&bytes)),
        Body::Stream(write) => write,
        other => {
            reply.body = other;
            return reply;
        }
    };
    reply.body = Body::Stream(Box::new(move |out| {
        let _place = place;
        compress(write, out)
    }));
    reply.with("Content-Encoding", "gzip")
}

/// Writes a body through the compressor. Of a body that fails the floor cuts the connection, whatever the
/// compressor says at its end.
fn compress(write: Streamer, out: &mut dyn Write) -> io::Result<()> {
    let level = Compression::new(limits::COMPRESSION_LEVEL);
    let paced = Paced { encoder: GzEncoder::new(out, level), flushed: Instant::now() };
    let mut gathered = BufWriter::with_capacity(limits::COMPRESSOR_BUFFER_BYTES, paced);
    write(&mut gathered)?;
    let paced = gathered.into_inner().map_err(io::IntoInnerError::into_error)?;
    paced.encoder.finish()?;
    Ok(())
}

/// A compressor that holds nothing back for long: a slow drive's listing arrives as it comes.
struct Paced<'a> {
    /// The compressor.
    encoder: GzEncoder<&'a mut dyn Write>,
    /// When everything before was sent.
    flushed: Instant,
}

impl Write for Paced<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.encoder.write(bytes)?;
        if self.flushed.elapsed() >= limits::COMPRESSOR_FLUSH_TIME {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()?;
        self.flushed = Instant::now();
        Ok(())
    }
}

/// Compressors that run now, in the whole process; an answer that gets none goes out plain.
static COMPRESSORS: Permits<()> = Permits::new(limits::COMPRESSORS_MAX, limits::COMPRESSORS_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    use flate2::read::GzDecoder;

    /// 200 with so many bytes of this type.
    fn reply(media_type: &'static str, count: usize) -> Reply {
        Reply::new(200, Body::Bytes(vec![b'x'; count].into())).with("Content-Type", media_type)
    }

    #[test]
    fn long_text_gains_and_nothing_else() {
        let long = limits::COMPRESSED_BYTES_MIN + 1;
        assert!(gains(&reply(JSON, long)));
        assert!(gains(&reply("text/plain; charset=utf-8", long)));
        assert!(!gains(&reply(JSON, long - 1)));
        for other in ["image/png", "application/zip", "text/event-stream", "application/x-ndjson"] {
            assert!(!gains(&reply(other, long)), "{other}");
        }
        assert!(!gains(&reply(JSON, long).with("ETag", "\"a\"")));
        assert!(!gains(&reply(JSON, long).with("Content-Encoding", "br")));
        let download = Reply::new(200, Body::Parts(Vec::new())).with("Content-Type", "text/plain");
        assert!(!gains(&download));
        let stream = Body::Stream(Box::new(|_| Ok(())));
        assert!(gains(&Reply::new(200, stream).with("Content-Type", JSON)));
    }

    #[test]
    fn what_was_compressed_is_what_was_written() {
        let mut out = Vec::new();
        let text: String = (0..100_000).map(|number| number.to_string()).collect();
        let (one, other) = (text.clone(), text.clone());
        let write: Streamer = Box::new(move |out| {
            out.write_all(one.as_bytes())?;
            out.flush()?;
            out.write_all(other.as_bytes())
        });
        compress(write, &mut out).unwrap();
        let mut plain = String::new();
        GzDecoder::new(&out[..]).read_to_string(&mut plain).unwrap();
        assert!(plain == text.repeat(2) && out.len() < text.len());
    }

    /// A connection's thread has 256 KiB in all.
    #[test]
    fn a_compressor_needs_little_of_the_stack() {
        let thread = std::thread::Builder::new().stack_size(96 * 1024);
        let write: Streamer = Box::new(|out| out.write_all(&[b'x'; 4096]));
        let run = thread.spawn(move || compress(write, &mut Vec::new()).is_ok()).unwrap();
        assert!(run.join().unwrap());
    }

    #[test]
    fn a_body_that_fails_says_so() {
        let write: Streamer = Box::new(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::NotFound.into())
        });
        assert_eq!(compress(write, &mut Vec::new()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// Whatever is held back would be a second too late for whoever waits for it.
    #[test]
    fn a_slow_body_arrives_as_it_comes() {
        let mut out = Vec::new();
        let past = Instant::now().checked_sub(limits::COMPRESSOR_FLUSH_TIME).unwrap();
        let encoder = GzEncoder::new(&mut out as &mut dyn Write, Compression::fast());
        let mut paced = Paced { encoder, flushed: past };
        paced.write_all(b"first").unwrap();
        std::mem::forget(paced);
        let mut seen = [0; 5];
        GzDecoder::new(&out[..]).read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"first");
    }
}
