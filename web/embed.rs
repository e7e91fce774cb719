//! The build script: turns the built pages (`web/dist`) into a table in the program, and packs the
//! document of the API.
//!
//! For each file it keeps the plain bytes and, where that is smaller, a gzip form and for what is loaded at
//! first a brotli form, so that the running larder compresses nothing. The plain form of a large file is
//! unpacked from the gzip form when somebody asks for it, which no browser does: that keeps the program
//! small. `src/http/assets.rs` includes the table. Without `web/dist` the pages say how to build them. Knows
//! nothing of the server.

#![expect(clippy::print_stdout, reason = "Cargo listens to a build script's standard output")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// Where Vite leaves the pages, relative to the package.
const PAGES_FOLDER: &str = "web/dist";

/// What `larder openapi` prints, relative to the package; a test writes it.
const DOCUMENT: &str = "docs/openapi.json";

/// The page that shows how larder is trusted, which no build makes, relative to the package: its texts, packed for
/// `src/http/handlers/ca.rs`, and its style, which is served like everything that belongs to pages.
const TRUST_FOLDER: &str = "web/ca";
/// Its texts.
const TRUST_TEXTS: [&str; 2] = ["de.html", "en.html"];
/// Its style.
const TRUST_STYLE: &str = "ca.css";

/// The pages larder cannot do without.
const ENTRIES: [&str; 4] = ["guest.html", "index.html", "login.html", "preview.html"];

/// What else is asked for by a name of its own.
const NAMED: [&str; 2] = ["manifest.webmanifest", "worker.js"];

/// From this size on (bytes) the plain form is not kept beside the gzip form.
const KEPT_PLAIN_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a SHA-256 that an `ETag` shows: 128 bits, so that no two contents ever share one.
const ETAG_HASH_BYTES: usize = 16;

/// Brotli's best quality and largest standard window: time is spent here once, never on the board.
const BROTLI_QUALITY: u32 = 11;
/// Base-2 logarithm of brotli's window in bytes (RFC 7932, 9.1: 22 is what every client takes).
const BROTLI_WINDOW_BITS: u32 = 22;
/// Bytes brotli's writer holds back before it works on them.
const BROTLI_BUFFER_BYTES: usize = 64 * 1024;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=web/embed.rs");
    println!("cargo::rerun-if-changed={PAGES_FOLDER}");
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed={TRUST_FOLDER}");
    // What a release manifest calls the machine we are built for.
    println!(
        "cargo::rustc-env=LARDER_TARGET={}",
        std::env::var("TARGET").map_err(io::Error::other)?
    );

    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| fault("no OUT_DIR"))?);
    fs::write(out.join("openapi.json.gz"), gzip(&fs::read(DOCUMENT)?)?)?;
    let trust = Path::new(TRUST_FOLDER);
    for text in TRUST_TEXTS {
        fs::write(out.join(format!("ca-{text}.gz")), gzip(&fs::read(trust.join(text))?)?)?;
    }
    let pages = Path::new(PAGES_FOLDER);
    let mut files = if pages.is_dir() { read_tree(pages)? } else { Vec::new() };
    let is_built = !files.is_empty();
    if !is_built {
        leave_folder_to_watch(pages);
        files = ENTRIES.iter().map(|&name| (name.to_owned(), fallback_page())).collect();
    }
    files.push((TRUST_STYLE.to_owned(), fs::read(trust.join(TRUST_STYLE))?));
    // The table is searched by bisection.
    files.sort();
    let wanted = ENTRIES.iter().chain(NAMED.iter().filter(|_| is_built));
    for &entry in wanted {
        if !files.iter().any(|(name, _)| name == entry) {
            return Err(fault(&format!("{PAGES_FOLDER} has no {entry}: build the pages again")));
        }
    }

    let (mut statics, mut table) = (String::new(), String::new());
    for (number, (name, bytes)) in files.iter().enumerate() {
        let file = Embedded { name, bytes, is_first: is_loaded_at_first(&files, name) };
        write_asset(&mut statics, &mut table, &out, number, &file)?;
    }
    fs::write(out.join("assets.rs"), format!("{{\n{statics}[\n{table}]\n}}\n"))
}

/// A file to be embedded.
struct Embedded<'a> {
    /// Its name below `/web/`.
    name: &'a str,
    /// What is in it.
    bytes: &'a [u8],
    /// Whether it is one of the first things that a visitor waits for.
    is_first: bool,
}

/// Whether a file is a page, or a page names it: those are one answer after the other, and each byte counts.
fn is_loaded_at_first(files: &[(String, Vec<u8>)], name: &str) -> bool {
    let is_page = |name: &str| Path::new(name).extension().is_some_and(|kind| kind == "html");
    let names_it = |page: &[u8]| page.windows(name.len()).any(|part| part == name.as_bytes());
    is_page(name) || files.iter().any(|(other, bytes)| is_page(other) && names_it(bytes))
}

/// Appends one `Asset { .. }` to the table, the bytes of its forms to the statics before it, and leaves
/// those bytes beside the table.
fn write_asset(
    statics: &mut String,
    table: &mut String,
    out: &Path,
    number: usize,
    file: &Embedded,
) -> io::Result<()> {
    let Embedded { name, bytes, is_first } = *file;
    let (mime, shrinks) = mime_of(name)?;
    let mut forms = vec![("Identity", bytes.to_vec())];
    if shrinks {
        let gzip = gzip(bytes)?;
        // What is loaded later would be 330 KB of the program for some 6 KB less on the way of each part.
        let brotli = is_first.then(|| brotli(bytes)).transpose()?;
        let brotli = brotli.filter(|brotli| brotli.len() < gzip.len());
        let packed = [("Gzip", Some(gzip)), ("Brotli", brotli)];
        let packed = packed.into_iter().filter_map(|(coding, form)| Some((coding, form?)));
        forms.extend(packed.filter(|(_, form)| form.len() < bytes.len()));
    }

    // Only Vite's output lies under `assets/`, and there each name carries a hash of the content.
    let is_immutable = name.starts_with("assets/");
    let mut put = |text: std::fmt::Arguments| table.write_fmt(text).map_err(io::Error::other);
    put(format_args!(
        "Asset {{ path: {name:?}, mime: {mime:?}, is_immutable: {is_immutable}, forms: &[\n"
    ))?;
    let is_unpacked = bytes.len() > KEPT_PLAIN_BYTES_MAX && forms.len() > 1;
    for (encoding, form) in &forms {
        let etag = etag_of(form);
        let (kept, length) = match *encoding {
            "Identity" if is_unpacked => ("GZIP", Some(grouped(form.len()))),
            "Identity" => ("IDENTITY", None),
            "Gzip" => ("GZIP", None),
            _ => ("BROTLI", None),
        };
        put(format_args!(
            "Form {{ encoding: Encoding::{encoding}, etag: {etag:?}, bytes: {kept}_{number}, \
             unpacked_length: {} }},\n",
            length.as_ref().map_or("None".to_owned(), |length| format!("Some({length})"))
        ))?;
        if length.is_none() {
            let file = format!("form-{number}-{encoding}");
            fs::write(out.join(&file), form)?;
            writeln!(
                statics,
                "static {kept}_{number}: &[u8] = \
                 include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));"
            )
            .map_err(io::Error::other)?;
        }
    }
    put(format_args!("] }},\n"))
}

/// A number as Rust likes to read it: `377_986`.
fn grouped(number: usize) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{}_{:03}", grouped(number / 1000), number % 1000)
}

/// Every file below `folder` with its content, named relative to it and with `/`.
fn read_tree(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).map_err(io::Error::other)?;
            let name = name.to_str().ok_or_else(|| fault("a page's name is not UTF-8"))?;
            files.push((name.replace('\\', "/"), fs::read(&path)?));
        }
    }
    Ok(files)
}

/// Makes the empty folder that a later `npm run build` fills.
///
/// Cargo takes a watched path that does not exist for changed at every build, and would compile
/// larder anew each time; an empty folder it can watch. The old date keeps it from counting as a
/// change itself. A source tree that cannot be written only loses that comfort.
fn leave_folder_to_watch(folder: &Path) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    if fs::create_dir_all(folder).is_ok()
        && let Ok(handle) = File::open(folder)
    {
        let _ = handle.set_modified(long_ago);
    }
}

/// What larder shows when it was built without its pages. Plain HTML: the policy forbids inline
/// styles, and this page has no file to take any from.
fn fallback_page() -> Vec<u8> {
    b"<!doctype html>\n\
      <html lang=\"en\">\n\
      <head>\n\
      <meta charset=\"utf-8\">\n\
      <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
      <meta name=\"color-scheme\" content=\"light dark\">\n\
      <title>larder</title>\n\
      </head>\n\
      <body>\n\
      <main>\n\
      <h1>This larder was built without its pages</h1>\n\
      <p>The server works; only its pages are missing. In the source folder, run</p>\n\
      <pre>npm --prefix web ci\nnpm --prefix web run build\ncargo build --release</pre>\n\
      <p>and start the new program.</p>\n\
      </main>\n\
      </body>\n\
      </html>\n"
        .to_vec()
}

/// The media type of a file by its name, and whether compressing it can pay.
///
/// Errors: an ending that is not listed, so that nothing is ever served under a guessed type.
fn mime_of(name: &str) -> io::Result<(&'static str, bool)> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Ok(match ending {
        "html" => ("text/html; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        // RFC 9239, 6: this type, and UTF-8 for modules.
        "js" => ("text/javascript; charset=utf-8", true),
        "json" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "svg" => ("image/svg+xml; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "ico" => ("image/x-icon", true),
        "png" => ("image/png", false),
        "jpg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "avif" => ("image/avif", false),
        "woff2" => ("font/woff2", false),
        _ => return Err(fault(&format!("no media type for {name}: add one to web/embed.rs"))),
    })
}

/// The gzip form (RFC 1952), without a time, so that the same pages give the same program.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}

/// The brotli form (RFC 7932).
fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(
        &mut packed,
        BROTLI_BUFFER_BYTES,
        BROTLI_QUALITY,
        BROTLI_WINDOW_BITS,
    );
    writer.write_all(bytes)?;
    writer.flush()?;
    drop(writer);
    Ok(packed)
}

/// A strong validator of exactly these bytes (RFC 9110, 8.8.1: each encoding has its own).
fn etag_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: Vec<String> =
        hash.iter().take(ETAG_HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{}\"", hex.concat())
}

/// An error in one sentence.
fn fault(sentence: &str) -> io::Error {
    io::Error::other(sentence.to_owned())
}
