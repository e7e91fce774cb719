//! Folders: contract, section 5.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use tiny_http::ext::Body;

use crate::error::{Error, Result, Why};
use crate::http::body::{Field, flag, text};
use crate::http::call::Call;
use crate::http::handlers::deletion::{Deleted, wish};
use crate::http::handlers::{deletion, media};
use crate::http::reply::{JSON, PathStatus, Reply};
use crate::limits;
use crate::logbook::Event;
use crate::vault::{Entry, Fate, Kind, Listing, VaultPath};

/// The fields of `create_folder`.
pub const CREATE: &[Field] = &[text("folder_name"), text("path")];

/// The fields of `delete_folder`.
pub const DELETE: &[Field] = &[text("path"), flag("permanent"), flag("job")];

/// The fields of `rename_folder`.
pub const RENAME: &[Field] = &[text("folder_name"), text("new_name"), text("path")];

/// `GET /api/finder`: the names in a folder, with `details=1` also what they are.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn list(call: &mut Call<'_>) -> Result<Reply> {
    let folder = VaultPath::parse(&call.query("path")?.unwrap_or_default())?;
    let has_details = call.has_flag("details")?;
    let mut listing = call.share()?.list(&folder)?;
    in_memory_or_streamed(move |out| write_listing(&mut listing, has_details, out))
}

/// 200 with JSON that `write` writes, the same each time. Most answers fit into memory: then it has a length
/// and takes one write.
pub fn in_memory_or_streamed(
    mut write: impl FnMut(&mut dyn Write) -> Result<()> + Send + 'static,
) -> Result<Reply> {
    let mut small = Bounded(Vec::new());
    match write(&mut small) {
        Ok(()) => return Ok(json_reply(Body::Bytes(small.0.into()))),
        Err(Error::TooLarge) => {}
        Err(Error::Io(cause)) if cause.kind() == io::ErrorKind::FileTooLarge => {}
        Err(error) => return Err(error),
    }
    drop(small);
    Ok(json_reply(Body::Stream(Box::new(move |out| {
        write(out).map_err(|error| match error {
            Error::Io(cause) => cause,
            other => io::Error::other(other),
        })
    }))))
}

/// 200 with a body that is JSON already.
fn json_reply(body: Body) -> Reply {
    Reply::new(200, body).with("Content-Type", JSON).with("Cache-Control", "no-store")
}

/// Memory up to the bound; behind it every write fails with `FileTooLarge`.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > limits::ANSWER_IN_MEMORY_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the answer of `finder`.
fn write_listing(listing: &mut Listing, has_details: bool, mut out: &mut dyn Write) -> Result<()> {
    out.write_all(br#"{"items":["#)?;
    let mut comma = "";
    listing.for_each_name(&mut |name| {
        out.write_all(comma.as_bytes())?;
        comma = ",";
        write_json(&mut out, &name)
    })?;
    if has_details {
        out.write_all(br#"],"entries":["#)?;
        comma = "";
        listing.for_each_entry(&mut |entry| {
            out.write_all(comma.as_bytes())?;
            comma = ",";
            write_json(&mut out, &Details::of(entry))
        })?;
    }
    out.write_all(b"]}")?;
    Ok(())
}

/// One value, straight into the writer.
pub fn write_json(out: &mut impl Write, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(out, value).map_err(|cause| Error::Io(cause.into()))
}

/// One entry of `finder` with `details=1`.
#[derive(Serialize)]
struct Details<'a> {
    /// Its name.
    name: &'a str,
    /// Whether that is not what it is called on the drive; told where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    raw: bool,
    /// `file`, `folder` or `other`.
    r#type: &'static str,
    /// Bytes.
    size: u64,
    /// RFC 3339, UTC.
    modified: String,
    /// By its name.
    mime: String,
    /// Whether the caller may change it.
    writable: bool,
}

impl<'a> Details<'a> {
    /// In the contract's words.
    fn of(entry: &'a Entry) -> Self {
        let (r#type, mime) = match entry.kind {
            Kind::File => ("file", media::of(&entry.name)),
            Kind::Folder => ("folder", "inode/directory".to_owned()),
            Kind::Other => ("other", "application/octet-stream".to_owned()),
        };
        let modified = Timestamp::try_from(entry.modified).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            name: &entry.name,
            raw: entry.raw,
            r#type,
            size: entry.size,
            modified: modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            mime,
            writable: entry.writable,
        }
    }
}

/// `POST /api/create_folder`.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the parent), `Collision`.
pub fn create(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let name = ask
        .text("folder_name")
        .ok_or(Error::invalid_as(Why::Missing, "No folder name provided"))?;
    let target = VaultPath::parse(ask.text("path").unwrap_or_default())?.child(name)?;
    call.share()?.make_folder(&target)?;
    call.note(Event::created_folder(target.as_str()));
    Reply::json(&PathStatus { status: "Folder created", path: target.as_str() })
}

/// `POST /api/delete_folder`: with all that is in it, into the trash as `delete_file` does. For good it goes in one
/// step, too; as a job then piece by piece, so that what is left when it is called off stays where it was.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon` (a job).
pub fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let target = VaultPath::parse(
        ask.text("path").ok_or(Error::invalid_as(Why::Missing, "No path provided"))?,
    )?;
    let wish = wish(&ask);
    if ask.flag("job") {
        let removal = call.share()?.removal(&[target], Some(Kind::Folder), wish)?;
        return deletion::start(call, removal, "folder ");
    }
    let trash = call.share()?.delete_folder(&target, wish)?;
    let fate = Fate::of(trash.as_ref());
    call.note(deletion::deleted("folder ", &target, trash.as_ref()));
    Reply::json(&Deleted {
        status: "Folder deleted",
        trash: trash.into_iter().collect(),
        permanent: fate == Fate::Gone,
    })
}

/// `POST /api/rename_folder`: renames within one folder; never overwrites.
///
/// Errors: `Invalid`, `Refused` (either end), `NotFound`, `Collision`.
pub fn rename(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let (Some(old), Some(new)) = (ask.text("folder_name"), ask.text("new_name")) else {
        return Err(Error::invalid_as(Why::Missing, "No folder name provided"));
    };
    let folder = VaultPath::parse(ask.text("path").unwrap_or_default())?;
    let (source, target) = (folder.child(old)?, folder.child(new)?);
    call.share()?.rename(&source, &target, Kind::Folder)?;
    call.note(Event::renamed(source.as_str(), target.as_str()));
    Reply::json(&PathStatus { status: "Folder renamed", path: target.as_str() })
}
