//! The fields of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): what a request says in them, and how answers
//! say it. Knows no uploads.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tiny_http::Request;

use crate::error::{Error, Result, Why};
use crate::http::router;
use crate::limits;

/// The only version.
pub const VERSION: &str = "1.0.0";

/// What larder can do beyond the core.
pub const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration";

/// What the bytes of an upload come as.
pub const MEDIA_TYPE: &str = "application/offset+octet-stream";

/// Where uploads are.
pub const UPLOADS: &str = "/api/uploads/";

/// What needs no escape in a path (RFC 3986, 3.3).
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The method that is meant: who cannot send every method says so in a `POST` to an upload.
pub fn method_of<'a>(request: &'a Request, path: &str) -> &'a str {
    let method = request.method().as_str();
    let meant = request.header("X-HTTP-Method-Override").filter(|_| method == "POST");
    meant.filter(|_| is_upload(path)).map_or(method, str::trim)
}

/// Whether an upload is meant.
fn is_upload(path: &str) -> bool {
    let by_link = router::link_in(path).is_some_and(|(_, rest)| rest.starts_with("/uploads/"));
    by_link || path.starts_with(UPLOADS)
}

/// Looks whether the client speaks our version; it need not say so.
///
/// Errors: `PreconditionFailed`.
pub fn must_be_ours(request: &Request) -> Result<()> {
    let is_ours = request.headers_named("Tus-Resumable").all(|version| version.trim() == VERSION);
    if is_ours { Ok(()) } else { Err(Error::PreconditionFailed) }
}

/// Looks whether the body is bytes of an upload.
///
/// Errors: `Unsupported`.
pub fn must_be_bytes(request: &Request) -> Result<()> {
    let told = request.header("Content-Type").unwrap_or_default();
    let kind = told.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(MEDIA_TYPE) { Ok(()) } else { Err(Error::Unsupported) }
}

/// A number of bytes in a field; `None` where there is no such field.
///
/// Errors: `Invalid` with this sentence. A number beyond all numbers is the largest.
pub fn bytes_in(request: &Request, name: &str, wrong: &'static str) -> Result<Option<u64>> {
    let mut told = request.headers_named(name);
    let Some(text) = told.next() else { return Ok(None) };
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || told.next().is_some() {
        return Err(Error::invalid(wrong));
    }
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

/// What the client says of a file, as it said it: `key base64, key base64 ...`.
///
/// Errors: `Invalid` when it is too long.
pub fn metadata_of(request: &Request) -> Result<String> {
    let told: Vec<&str> = request.headers_named("Upload-Metadata").map(str::trim).collect();
    let told = told.join(",");
    if told.len() > limits::UPLOAD_METADATA_BYTES_MAX {
        return Err(Error::invalid("Metadata too long"));
    }
    Ok(told)
}

/// The same taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a>(Vec<(&'a str, Vec<u8>)>);

impl<'a> Metadata<'a> {
    /// Reads it.
    ///
    /// Errors: `Invalid` (no base64, or a key that is there twice).
    pub fn parse(text: &'a str) -> Result<Self> {
        const WRONG: Error = Error::invalid("Invalid metadata");
        let mut pairs: Vec<(&str, Vec<u8>)> = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let is_key = key.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_key || pairs.iter().any(|(known, _)| *known == key) {
                return Err(WRONG);
            }
            pairs.push((key, BASE64.decode(value.trim()).map_err(|_| WRONG)?));
        }
        Ok(Self(pairs))
    }

    /// The text of a key; `None` when it is missing or empty.
    ///
    /// Errors: `Invalid`, in these words, when it is no text.
    pub fn text(&self, key: &str, why: Why, wrong: &'static str) -> Result<Option<&str>> {
        let value = self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value);
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
        let text = std::str::from_utf8(value).map_err(|_| Error::invalid_as(why, wrong))?;
        Ok(Some(text))
    }
}

/// What a request says of the content's hash (RFC 9530).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// The SHA-256 that the whole is to have.
    pub told: Option<[u8; 32]>,
    /// Whether the client wants to be told it.
    pub is_wanted: bool,
}

impl Digest {
    /// Reads `Repr-Digest` and `Want-Repr-Digest`; other hashes than SHA-256 are passed over.
    ///
    /// Errors: `Invalid`.
    pub fn of(request: &Request) -> Result<Self> {
        let told = request.headers_named("Repr-Digest").find_map(|list| member(list, "sha-256"));
        let wish =
            request.headers_named("Want-Repr-Digest").find_map(|list| member(list, "sha-256"));
        let told = told.map(|value| parse_digest(value).ok_or(Error::invalid("Invalid digest")));
        Ok(Self { told: told.transpose()?, is_wanted: wish.is_some_and(|wish| wish != "0") })
    }
}

/// The value of one member of a list like `a=1, b=:...:` (RFC 9651, 3.2).
fn member<'a>(list: &'a str, key: &str) -> Option<&'a str> {
    let pairs = list.split(',').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
    found.next().map(|(_, value)| value.split(';').next().unwrap_or_default().trim())
}

/// A hash as lists of that kind have it: `:base64:`.
fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let encoded = text.strip_prefix(':')?.strip_suffix(':')?;
    BASE64.decode(encoded).ok()?.try_into().ok()
}

/// The same on its way out.
pub fn digest(hash: [u8; 32]) -> String {
    format!("sha-256=:{}:", BASE64.encode(hash))
}

/// A path of the share, so that it can stand in a field whatever its names are.
pub fn path(path: &str) -> String {
    utf8_percent_encode(path, IN_PATH).to_string()
}

/// A moment as fields have it (RFC 9110, 5.6.7).
pub fn date(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A date as clients send them: milliseconds since 1970 (`File.lastModified` of browsers), or RFC 3339. What is
/// neither is ignored, as a date that cannot be is: the content is what matters.
pub fn moment(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let ms = text.parse::<u64>().ok().or_else(|| {
        let time: Timestamp = text.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok()
    })?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_date_is_milliseconds_or_a_text_with_its_zone() {
        let at = |ms| Some(SystemTime::UNIX_EPOCH + Duration::from_millis(ms));
        assert_eq!(moment("1700000000123"), at(1_700_000_000_123));
        assert_eq!(moment(" 0 "), at(0));
        assert_eq!(moment("2023-11-14T22:13:20.123Z"), at(1_700_000_000_123));
        assert_eq!(moment("2023-11-15T00:13:20+02:00"), at(1_700_000_000_000));
        for bad in ["", "yesterday", "-1", "1.5", "2023-11-14", "2023-11-14T22:13:20", "1e9"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
        // Later than any clock tells.
        let _never_panics = moment(&u64::MAX.to_string());
    }

    #[test]
    fn metadata_is_keys_with_base64() {
        let text = |metadata: &Metadata<'_>, key| {
            metadata.text(key, Why::Name, "wrong").unwrap().map(str::to_owned)
        };
        let metadata = Metadata::parse("filename YS50eHQ=, empty ,is_secret,path w6Q=").unwrap();
        assert_eq!(text(&metadata, "filename").as_deref(), Some("a.txt"));
        assert_eq!(text(&metadata, "path").as_deref(), Some("ä"));
        assert_eq!(text(&metadata, "empty"), None);
        assert_eq!(text(&metadata, "is_secret"), None);
        assert_eq!(Metadata::parse("").unwrap(), Metadata::default());
        for wrong in ["a YQ", "a !", "a YQ==,a YQ==", "a YQ== YQ==", "a\tYQ==", "ä YQ=="] {
            assert!(Metadata::parse(wrong).is_err(), "{wrong}");
        }
        let raw = Metadata::parse("filename /w==").unwrap();
        assert!(matches!(
            raw.text("filename", Why::Name, "wrong"),
            Err(Error::Invalid(Why::Name, _))
        ));
    }

    #[test]
    fn a_hash_is_found_among_others() {
        let told = digest([7; 32]);
        let list = format!("sha-512=:YQ==:, {told}");
        assert_eq!(member(&list, "sha-256").and_then(parse_digest), Some([7; 32]));
        assert_eq!(member("sha-512=3, sha-256=10", "sha-256"), Some("10"));
        for wrong in ["", ":", "::", ":YQ==:", "YQ==", ":!:"] {
            assert_eq!(parse_digest(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_of_a_field_is_in_english_and_of_greenwich() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_field(text in any::<String>()) {
            let field = path(&text);
            prop_assert!(field.bytes().all(|byte| byte.is_ascii_graphic()));
            let back = percent_encoding::percent_decode_str(&field).decode_utf8().unwrap();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn metadata_never_panics(text in any::<String>()) {
            let _any = Metadata::parse(&text);
        }
    }
}
