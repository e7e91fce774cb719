//! Search: second contract, section 17.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tiny_http::ext::{Body, Peer};

use crate::error::{Error, Result, Why};
use crate::http::answer::Answered;
use crate::http::call::Call;
use crate::http::handlers::folders::Entry;
use crate::http::handlers::media;
#[cfg(test)]
use crate::http::openapi::{Book, Responses};
use crate::http::question::{Query, Question};
use crate::http::reply::Reply;
use crate::limits;
use crate::searches::Place;
use crate::vault::{IsKind, Kind, Search, Searched, Told, VaultPath, Wanted, Words};
use crate::zone;

/// What `search` is asked by. What is empty counts as left out.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SearchQuery"))]
pub struct Ask {
    /// Words that are all in the name; one with `*` or `?` is a pattern for the whole name, one with `/` is looked for in
    /// the path. Without it one of the filters is needed.
    q: Option<String>,
    /// The folder to search in; everything readable if left out.
    path: Option<String>,
    /// Kinds, parted by commas: `image`, `video`, `audio`, `document`, `archive`, `code`, `folder`, `file`.
    r#type: Option<String>,
    /// Bytes at least.
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    size_min: Option<String>,
    /// Bytes at most.
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    size_max: Option<String>,
    /// Changed on this day (`YYYY-MM-DD`) or at this moment (RFC 3339), or later.
    after: Option<String>,
    /// Changed before this day or moment.
    before: Option<String>,
    /// How many hits at most (500 if left out; never more than 5000).
    #[cfg_attr(test, schemars(with = "Option<u64>", range(min = 1)))]
    limit: Option<String>,
}

impl Question for Ask {}

/// Something that was found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SearchHit"))]
struct Hit<'a> {
    /// Where it is, relative to the share root.
    path: &'a str,
    /// What it is.
    #[serde(flatten)]
    entry: Entry,
}

/// How far a search is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SearchPulse"))]
struct Pulse {
    /// Names that were looked at.
    seen: u64,
    /// Names in all, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
}

/// The last line.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SearchDone"))]
struct Done {
    /// That it is.
    #[serde(rename = "done")]
    is_over: bool,
    /// Names that were looked at.
    seen: u64,
    /// Whether there may be more than was told.
    more: bool,
}

/// Lines of JSON, as things are found.
pub struct Lines(Reply);

impl Answered for Lines {
    fn into_reply(self) -> Reply {
        self.0
    }

    #[cfg(test)]
    fn describe(book: &mut Book, responses: &mut Responses) {
        let lines = [book.answer::<Hit<'_>>(), book.answer::<Pulse>(), book.answer::<Done>()];
        responses.insert(
            "200".to_owned(),
            serde_json::json!({
                "description": "A line of JSON for each hit, now and then how far it is, and the end.",
                "content": { "application/x-ndjson": {} },
                // What a line can be.
                "x-lines": { "anyOf": lines },
            }),
        );
    }
}

/// `GET /api/search`: finds files and folders, and tells them as they are found.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon`.
pub fn find(call: &mut Call<'_>, ask: Query<Ask>) -> Result<Lines> {
    let ask = ask.read(call)?;
    let path = VaultPath::parse(ask.path.as_deref().unwrap_or_default())?;
    let wanted = wanted(&ask)?;
    let user = call.user()?.id;
    let search = call.share()?.search(&path, wanted)?;
    let peer = call.request.peer();
    let place = call.app.searches.begin(user, Box::new(move || peer.cut()))?;
    let stands = call.standing_in_session()?;
    let stream = Stream { search, place, peer: call.request.peer(), stands: Box::new(stands) };
    let body = Body::Stream(Box::new(move |out| stream.run(out)));
    let reply = Reply::new(200, body)
        .with("Content-Type", "application/x-ndjson")
        .with("Cache-Control", "no-store")
        // A proxy that gathers answers would hold hits back.
        .with("X-Accel-Buffering", "no");
    Ok(Lines(reply))
}

/// What is looked for.
///
/// Errors: `Invalid`.
fn wanted(ask: &Ask) -> Result<Wanted> {
    let wrong = |field: &str| Error::invalid_text(format!("Invalid {field}"));
    let number = |field: &str, text: Option<&str>| {
        let Some(text) = given(text) else { return Ok(None) };
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        // More bytes than can be counted are more than any file has.
        let number = is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX));
        number.map(Some).ok_or_else(|| wrong(field))
    };
    let moment = |field: &str, text: Option<&str>| {
        given(text).map(|text| moment_of(text).ok_or_else(|| wrong(field))).transpose()
    };
    let words = Words::parse(ask.q.as_deref().unwrap_or_default()).ok_or_else(|| wrong("q"))?;
    let kind = match given(ask.r#type.as_deref()) {
        Some(kinds) => Some(kinds_of(kinds).ok_or_else(|| wrong("type"))?),
        None => None,
    };
    let size = (
        number("size_min", ask.size_min.as_deref())?,
        number("size_max", ask.size_max.as_deref())?,
    );
    let modified =
        (moment("after", ask.after.as_deref())?, moment("before", ask.before.as_deref())?);
    let limit = number("limit", ask.limit.as_deref())?;
    if limit == Some(0) {
        return Err(wrong("limit"));
    }
    let limit = limit.map_or(limits::SEARCH_HITS_DEFAULT, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX).min(limits::SEARCH_HITS_MAX)
    });
    let has_filter = kind.is_some()
        || [size.0, size.1].iter().any(Option::is_some)
        || [modified.0, modified.1].iter().any(Option::is_some);
    if words.is_empty() && !has_filter {
        return Err(Error::invalid_as(Why::Missing, "No query provided"));
    }
    let kind =
        kind.map(|kinds| -> IsKind { Box::new(move |name, kind| is_of(&kinds, name, kind)) });
    Ok(Wanted { words, kind, size, modified, limit })
}

/// A parameter that is not empty.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A moment, or the beginning of a day where larder is.
fn moment_of(text: &str) -> Option<SystemTime> {
    let day = || {
        let is_day = text.len() == 10 && !text.starts_with(['+', '-']);
        let day: Date = text.parse().ok().filter(|_| is_day)?;
        zone::local().to_timestamp(day.at(0, 0, 0, 0)).ok()
    };
    let moment: Timestamp = text.parse().ok().or_else(day)?;
    let since = Duration::from_nanos_u128(moment.as_nanosecond().unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if moment < Timestamp::UNIX_EPOCH { epoch.checked_sub(since) } else { epoch.checked_add(since) }
}

/// What can be looked for by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// By the beginning of the media type.
    Media(&'static str),
    /// By the end of the name.
    Named(&'static [&'static str]),
    /// Any folder.
    Folder,
    /// Any file.
    File,
}

/// What people write, read and print.
const DOCUMENTS: &[&str] = &[
    "pdf", "doc", "docx", "docm", "dot", "dotx", "odt", "ott", "rtf", "txt", "md", "rst", "tex",
    "pages", "xls", "xlsx", "xlsm", "ods", "csv", "tsv", "numbers", "ppt", "pptx", "pps", "ppsx",
    "odp", "key", "odg", "vsd", "epub", "mobi", "azw3", "djvu", "ps", "xps", "eml", "msg", "one",
    "wps", "abw",
];

/// What has other files in it.
const ARCHIVES: &[&str] = &[
    "zip", "7z", "rar", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "zst", "tzst", "lz", "lz4",
    "lzma", "cab", "iso", "img", "dmg", "deb", "rpm", "jar", "apk", "ar", "cpio", "arj", "lha",
    "z",
];

/// What programs are made of.
const CODE: &[&str] = &[
    "rs", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "java", "kt", "kts", "scala", "go", "py",
    "rb", "php", "pl", "pm", "lua", "r", "jl", "swift", "m", "mm", "js", "mjs", "cjs", "ts", "tsx",
    "jsx", "svelte", "vue", "html", "htm", "css", "scss", "less", "json", "xml", "yaml", "yml",
    "toml", "ini", "sh", "bash", "zsh", "fish", "bat", "ps1", "sql", "hs", "ml", "ex", "exs",
    "erl", "clj", "el", "vim", "asm", "s", "zig", "dart", "nix", "cmake", "mk", "gradle", "tf",
    "proto", "ipynb", "ino",
];

/// The kinds that are named, parted by commas.
fn kinds_of(text: &str) -> Option<Vec<Sort>> {
    let sort = |word: &str| {
        Some(match word.trim() {
            "image" => Sort::Media("image/"),
            "video" => Sort::Media("video/"),
            "audio" => Sort::Media("audio/"),
            "document" => Sort::Named(DOCUMENTS),
            "archive" => Sort::Named(ARCHIVES),
            "code" => Sort::Named(CODE),
            "folder" => Sort::Folder,
            "file" => Sort::File,
            _ => return None,
        })
    };
    text.split(',').map(sort).collect()
}

/// Whether something is of one of these kinds.
fn is_of(kinds: &[Sort], name: &str, kind: Kind) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    kinds.iter().any(|sort| match (sort, kind) {
        (Sort::Folder, Kind::Folder) | (Sort::File, Kind::File) => true,
        (Sort::Named(names), Kind::File) => {
            names.iter().any(|known| known.eq_ignore_ascii_case(extension))
        }
        (Sort::Media(beginning), Kind::File) => media::of(name).starts_with(beginning),
        _ => false,
    })
}

/// A search while it runs, on its connection's own thread.
struct Stream {
    /// What is searched.
    search: Search,
    /// Its place among all.
    place: Place,
    /// Who listens.
    peer: Peer,
    /// Whether its caller still may.
    stands: Box<dyn Fn() -> bool + Send>,
}

impl Stream {
    /// Searches and writes what is found.
    ///
    /// Errors: the client is gone, too slow, or may no longer; the drive is gone.
    fn run(self, out: &mut dyn Write) -> io::Result<()> {
        let Self { search, place, peer, stands } = self;
        let mut lines = Writer::to(out);
        let (mut looked, mut judged) = (Instant::now(), Instant::now());
        let progress = Arc::clone(&place.progress);
        let outcome = search.run(&progress, &mut |told| {
            let pulse = match told {
                Told::Hit(path, entry) => {
                    return lines.hit(&Hit { path: path.as_str(), entry: entry.into() });
                }
                Told::Pulse(seen, of) => Pulse { seen, of },
            };
            let now = Instant::now();
            if is_due(&mut looked, now, limits::SEARCH_LOOK_TIME) && peer.is_gone() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if is_due(&mut judged, now, limits::SEARCH_JUDGE_TIME) && !stands() {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            lines.pulse(&pulse, now)
        });
        match outcome {
            Ok(Searched { seen, more }) => lines.end(&Done { is_over: true, seen, more }),
            Err(Error::Io(cause)) => Err(cause),
            Err(other) => Err(io::Error::other(other)),
        }
    }
}

/// Whether so much time has passed since something was done last; then it is done now.
fn is_due(last: &mut Instant, now: Instant, time: Duration) -> bool {
    let is_due = now.saturating_duration_since(*last) >= time;
    if is_due {
        *last = now;
    }
    is_due
}

/// Writes the lines: the first hit at once, then several together, as they come.
struct Writer<'o> {
    /// Where they go.
    out: &'o mut dyn Write,
    /// When something was sent last; `None` before the first hit.
    sent: Option<Instant>,
    /// When there was a line last.
    written: Instant,
    /// Whether something waits to be sent.
    has_more: bool,
}

impl<'o> Writer<'o> {
    /// Nothing is written yet.
    fn to(out: &'o mut dyn Write) -> Self {
        Self { out, sent: None, written: Instant::now(), has_more: false }
    }

    /// A line.
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.has_more = true;
        self.out.write_all(&text)
    }

    /// Something was found.
    fn hit(&mut self, hit: &Hit<'_>) -> io::Result<()> {
        self.written = Instant::now();
        self.line(hit)?;
        self.send_if_due(self.written)
    }

    /// Says how far it is, if nothing was said for a while.
    fn pulse(&mut self, pulse: &Pulse, now: Instant) -> io::Result<()> {
        if is_due(&mut self.written, now, limits::SEARCH_PULSE_TIME) {
            self.line(pulse)?;
        }
        self.send_if_due(now)
    }

    /// Sends what waits, unless something was sent a moment ago.
    fn send_if_due(&mut self, now: Instant) -> io::Result<()> {
        let is_due = self
            .sent
            .is_none_or(|sent| now.saturating_duration_since(sent) >= limits::SEARCH_GATHER_TIME);
        if self.has_more && is_due {
            (self.sent, self.has_more) = (Some(now), false);
            self.out.flush()?;
        }
        Ok(())
    }

    /// The last line.
    fn end(mut self, done: &Done) -> io::Result<()> {
        self.line(done)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_name() {
        for (kinds, name, kind, is_wanted) in [
            ("image", "a.JPG", Kind::File, true),
            ("image", "a.jpg", Kind::Folder, false),
            ("video,audio", "a.mp3", Kind::File, true),
            ("document", "a.b.PDF", Kind::File, true),
            ("document", "pdf", Kind::File, false),
            ("archive", "a.tar.gz", Kind::File, true),
            ("code", "main.rs", Kind::File, true),
            ("folder", "x", Kind::Folder, true),
            ("folder", "x", Kind::File, false),
            ("file, folder", "x", Kind::File, true),
            ("file", "x", Kind::Other, false),
        ] {
            let kinds = kinds_of(kinds).unwrap();
            assert_eq!(is_of(&kinds, name, kind), is_wanted, "{kinds:?} {name}");
        }
        for wrong in ["images", "image,", ",", "image;video"] {
            assert!(kinds_of(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn days_and_moments_are_understood_and_nothing_else() {
        let seconds = |text: &str| {
            let moment = moment_of(text)?;
            Some(Timestamp::try_from(moment).unwrap().as_second())
        };
        assert_eq!(seconds("1970-01-02T00:00:00Z"), Some(86_400));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Some(0));
        let day = seconds("2026-08-01").unwrap();
        assert!((day - 1_785_542_400).abs() <= 14 * 3600);
        for wrong in
            ["", "2026", "2026-13-01", "2026-02-30", "20260801", "yesterday", "2026-08-01T00:00"]
        {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
