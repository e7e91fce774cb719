//! Single files, their content inside JSON: contract, section 5.

use std::io::{Read, Write};
use std::str;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde::Serialize;
use tiny_http::ext::Body;

use crate::error::{Error, Result, Why};
use crate::http::body::{Field, content as content_field, flag, text};
use crate::http::call::Call;
use crate::http::handlers::deletion::{self, Deleted, wish};
use crate::http::handlers::media;
use crate::http::reply::{JSON, PathStatus, Reply};
use crate::limits;
use crate::logbook::Event;
use crate::vault::{Fate, IfExists, Kind, OpenFile, Opened, Place, TrashId, VaultPath};

/// The fields of `new_file`.
pub const CREATE: &[Field] = &[text("file_name"), text("path"), content_field("file_content")];

/// The fields of `edit_file`.
pub const EDIT: &[Field] = &[text("path"), content_field("file_content")];

/// The fields of `delete_file`.
pub const DELETE: &[Field] = &[text("path"), flag("permanent"), flag("job")];

/// The fields of `rename_file`.
pub const RENAME: &[Field] = &[text("file_name"), text("new_name"), text("path")];

/// `POST /api/new_file`: never overwrites.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the folder), `Collision`.
pub fn create(call: &mut Call<'_>) -> Result<Reply> {
    let mut ask = call.ask()?;
    let content = ask.take_content();
    let (Some(name), Some(content)) = (ask.text("file_name"), content) else {
        return Err(Error::invalid_as(Why::Missing, "No file name or content provided"));
    };
    let target = VaultPath::parse(ask.text("path").unwrap_or_default())?.child(name)?;
    let options = Place {
        if_exists: IfExists::Error("File already exists"),
        make_parents: false,
        files_only: false,
    };
    call.share()?.place(vec![(content, target.clone())], &options)?;
    call.note(Event::created(target.as_str()));
    Reply::json(&PathStatus { status: "File created", path: target.as_str() })
}

/// `POST /api/edit_file`: replaces the content, or creates the file if its folder exists.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the folder).
pub fn edit(call: &mut Call<'_>) -> Result<Reply> {
    let mut ask = call.ask()?;
    let content = ask.take_content();
    let target = VaultPath::parse(
        ask.text("path").ok_or(Error::invalid_as(Why::Missing, "No path provided"))?,
    )?;
    let share = call.share()?;
    let content = match content {
        Some(content) => content,
        None => share.spool(Some(&target))?,
    };
    let options = Place { if_exists: IfExists::Overwrite, make_parents: false, files_only: true };
    let placed = share.place(vec![(content, target.clone())], &options)?;
    for placed in &placed {
        let trash = placed.trash.as_ref().map(TrashId::as_str);
        call.note(Event::edited(target.as_str(), placed.is_new).trashed(trash));
    }
    let trash = placed.iter().filter_map(|placed| placed.trash.as_ref()).collect();
    Reply::json(&Edited { status: "File edited", path: target.as_str(), trash })
}

/// What an edit answers.
#[derive(Serialize)]
struct Edited<'a> {
    /// The contract's sentence.
    status: &'static str,
    /// The file.
    path: &'a str,
    /// Where in the trash its old content is.
    trash: Vec<&'a TrashId>,
}

/// `POST /api/delete_file`: into the trash, unless the caller or the drive wants it otherwise.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon` (a job).
pub fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let target = VaultPath::parse(
        ask.text("path").ok_or(Error::invalid_as(Why::Missing, "No path provided"))?,
    )?;
    let wish = wish(&ask);
    if ask.flag("job") {
        let removal = call.share()?.removal(&[target], Some(Kind::File), wish)?;
        return deletion::start(call, removal, "");
    }
    let trash = call.share()?.delete_file(&target, wish)?;
    let fate = Fate::of(trash.as_ref());
    call.note(deletion::deleted("", &target, trash.as_ref()));
    Reply::json(&Deleted {
        status: "File deleted",
        trash: trash.into_iter().collect(),
        permanent: fate == Fate::Gone,
    })
}

/// `POST /api/rename_file`: renames within one folder; never overwrites.
///
/// Errors: `Invalid`, `Refused` (either end), `NotFound`, `Collision`.
pub fn rename(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let (Some(old), Some(new)) = (ask.text("file_name"), ask.text("new_name")) else {
        return Err(Error::invalid_as(Why::Missing, "No file name provided"));
    };
    let folder = VaultPath::parse(
        ask.text("path").ok_or(Error::invalid_as(Why::Missing, "No path provided"))?,
    )?;
    let (source, target) = (folder.child(old)?, folder.child(new)?);
    call.share()?.rename(&source, &target, Kind::File)?;
    call.note(Event::renamed(source.as_str(), target.as_str()));
    Reply::json(&PathStatus { status: "File renamed", path: target.as_str() })
}

/// `GET /api/get_file`: the content inside JSON, as text where it is text, else in base64.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn content(call: &mut Call<'_>) -> Result<Reply> {
    let path = call.query("file_path")?.filter(|path| !path.is_empty());
    let path =
        VaultPath::parse(&path.ok_or(Error::invalid_as(Why::Missing, "No file path provided"))?)?;
    let Opened::File(mut file) = call.share()?.open(&path)? else {
        return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
    };
    let is_media = media::is_media(&media::of(path.name()));
    if file.size <= limits::CONTENT_IN_MEMORY_BYTES {
        return whole(&mut file, is_media);
    }
    // The answer begins before the end of the file was seen, so text is looked through first.
    let body = Body::Stream(Box::new(move |out| {
        if !is_media && is_text(&mut file)? {
            write_text(&mut file, out)
        } else {
            write_binary(&mut file, out)
        }
    }));
    Ok(Reply::new(200, body).with("Content-Type", JSON).with("Cache-Control", "no-store"))
}

/// The answer for a small file.
fn whole(file: &mut OpenFile, is_media: bool) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Answer<'a> {
        /// The contract's sentence.
        status: &'static str,
        /// Text or base64.
        content: &'a str,
        /// Which of the two.
        r#type: &'static str,
    }
    let status = "File content retrieved";
    let mut bytes = Vec::new();
    (&file.file).take(limits::CONTENT_IN_MEMORY_BYTES + 1).read_to_end(&mut bytes)?;
    match str::from_utf8(&bytes) {
        Ok(text) if !is_media => Reply::json(&Answer { status, content: text, r#type: "text" }),
        _ => Reply::json(&Answer { status, content: &STANDARD.encode(&bytes), r#type: "binary" }),
    }
}

/// Whether the whole file is UTF-8. Leaves the file at its beginning.
fn is_text(file: &mut OpenFile) -> std::io::Result<bool> {
    use std::io::Seek;
    let is_text = for_each_text(file, &mut |_| Ok(())).is_ok();
    file.file.rewind()?;
    Ok(is_text)
}

/// Streams the answer for text.
fn write_text(file: &mut OpenFile, out: &mut dyn Write) -> std::io::Result<()> {
    out.write_all(br#"{"status":"File content retrieved","type":"text","content":""#)?;
    for_each_text(file, &mut |text| {
        // A JSON string without its quotes can be continued by the next.
        let quoted = serde_json::to_string(text)?;
        out.write_all(&quoted.as_bytes()[1..quoted.len() - 1])
    })?;
    out.write_all(br#""}"#)
}

/// Streams the answer for everything else.
fn write_binary(file: &mut OpenFile, out: &mut dyn Write) -> std::io::Result<()> {
    out.write_all(br#"{"status":"File content retrieved","type":"binary","content":""#)?;
    let mut encoder = EncoderWriter::new(&mut *out, &STANDARD);
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    loop {
        let count = file.file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        encoder.write_all(&buffer[..count])?;
    }
    encoder.finish()?;
    drop(encoder);
    out.write_all(br#""}"#)
}

/// Hands out a file's text piece by piece, cut between characters.
///
/// Errors: `InvalidData` at the first byte that is not UTF-8.
fn for_each_text(
    file: &mut OpenFile,
    take: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    let mut kept = 0;
    loop {
        let count = file.file.read(&mut buffer[kept..])?;
        let end = kept + count;
        let good = match str::from_utf8(&buffer[..end]) {
            Ok(_) => end,
            // A character may be cut by the end of the buffer, not by the end of the file.
            Err(broken) if broken.error_len().is_none() && count > 0 => broken.valid_up_to(),
            Err(_) => return Err(std::io::ErrorKind::InvalidData.into()),
        };
        if let Ok(text) = str::from_utf8(&buffer[..good]) {
            take(text)?;
        }
        if count == 0 {
            return Ok(());
        }
        buffer.copy_within(good..end, 0);
        kept = end - good;
    }
}
