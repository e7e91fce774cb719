//! Single files, their content inside JSON: contract, section 5.

use std::io::{Read, Write};
use std::str;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, At, at, sentence};
use crate::http::call::Call;
use crate::http::handlers::deletion::{self, DeleteOne, Deleted};
use crate::http::handlers::jobs::OrJob;
use crate::http::handlers::media;
use crate::http::question::{Ask, Content, Filled, Query, Question};
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Kind, OpenFile, Opened, Place, TrashId, VaultPath, What};

/// What `new_file` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewFile {
    /// Its name.
    file_name: String,
    /// What will be in it.
    file_content: Content,
    /// The folder to make it in; the share root if left out.
    path: Option<String>,
}

impl Question for NewFile {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some("No file name or content provided")
    }
}

sentence!(/// Of `new_file`.
    FileCreated, "File created");

/// `POST /api/new_file`: never overwrites.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the folder), `Collision`.
pub fn create(call: &mut Call<'_>, ask: Ask<NewFile>) -> Result<Answer<At<FileCreated>>> {
    let ask = ask.read(call)?;
    let content = call.take_content(&ask.file_content)?;
    let target = VaultPath::parse(&ask.path.unwrap_or_default())?.child(&ask.file_name)?;
    let options = Place {
        if_exists: IfExists::Error("File already exists"),
        make_parents: false,
        drops_empty: false,
        files_only: false,
    };
    call.share()?.place(vec![(content, target.clone())], &options)?;
    call.note(Event::created(target.as_str()));
    at(target.as_str())
}

/// What `edit_file` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EditFile {
    /// The file.
    path: String,
    /// What will be in it; nothing if left out.
    file_content: Option<Content>,
}

impl Question for EditFile {}

sentence!(/// Of `edit_file`.
    FileEdited, "File edited");

/// `POST /api/edit_file`: replaces the content, or creates the file if its folder exists.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the folder).
pub fn edit(call: &mut Call<'_>, ask: Ask<EditFile>) -> Result<Answer<Edited>> {
    let ask = ask.read(call)?;
    let target = VaultPath::parse(&ask.path)?;
    let share = call.share()?;
    let content = match &ask.file_content {
        Some(content) => call.take_content(content)?,
        None => share.spool(Some(&target))?,
    };
    let options = Place {
        if_exists: IfExists::Overwrite,
        make_parents: false,
        drops_empty: false,
        files_only: true,
    };
    let placed = share.place(vec![(content, target.clone())], &options)?;
    for placed in &placed {
        let trash = placed.trash.as_ref().map(TrashId::as_str);
        call.note(Event::edited(target.as_str(), placed.is_new).trashed(trash));
    }
    let trash = placed.into_iter().filter_map(|placed| placed.trash).collect();
    Answer::of(&Edited { status: FileEdited, path: target.as_str().to_owned(), trash })
}

/// What an edit answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FileEditedAnswer"))]
pub struct Edited {
    /// What was done.
    status: FileEdited,
    /// The file.
    path: String,
    /// Where in the trash its old content is.
    trash: Vec<TrashId>,
}

sentence!(/// Of `delete_file`.
    FileDeleted, "File deleted");

/// `POST /api/delete_file`: into the trash, unless the caller or the drive wants it otherwise.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon` (a job).
pub fn delete(
    call: &mut Call<'_>,
    ask: Ask<DeleteOne>,
) -> Result<Answer<OrJob<Deleted<FileDeleted>>>> {
    let ask = ask.read(call)?;
    let target = VaultPath::parse(&ask.path)?;
    if ask.job {
        let removal = call.share()?.removal(&[target], Some(What::File), ask.fate())?;
        return deletion::start(call, removal, "");
    }
    let trash = call.share()?.remove(&target, What::File, ask.fate())?;
    call.note(deletion::deleted("", &target, trash.as_ref()));
    Answer::of(&OrJob::Done(Deleted::of(trash)))
}

/// What `rename_file` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RenameFile {
    /// What it is called.
    file_name: String,
    /// What it will be called.
    new_name: String,
    /// The folder that it is in.
    path: String,
}

impl Question for RenameFile {
    fn missing(field: &'static str) -> Option<&'static str> {
        (field != "path").then_some("No file name provided")
    }
}

sentence!(/// Of `rename_file`.
    FileRenamed, "File renamed");

/// `POST /api/rename_file`: renames within one folder; never overwrites.
///
/// Errors: `Invalid`, `Refused` (either end), `NotFound`, `Collision`.
pub fn rename(call: &mut Call<'_>, ask: Ask<RenameFile>) -> Result<Answer<At<FileRenamed>>> {
    let ask = ask.read(call)?;
    let folder = VaultPath::parse(&ask.path)?;
    let (source, target) = (folder.child(&ask.file_name)?, folder.child(&ask.new_name)?);
    call.share()?.rename((&source, &target), Kind::File, IfExists::REFUSE)?;
    call.note(Event::renamed(source.as_str(), target.as_str()));
    at(target.as_str())
}

/// What `get_file` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GetFile {
    /// The file.
    file_path: Filled,
}

impl Question for GetFile {}

sentence!(/// Of `get_file`.
    FileRetrieved, "File content retrieved");

/// What is in a file.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileContent {
    /// What was done.
    status: FileRetrieved,
    /// Text, or bytes in base64.
    content: String,
    /// Which of the two.
    r#type: ContentType,
}

/// How a file's content is told.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum ContentType {
    /// As it is.
    Text,
    /// In base64.
    Binary,
}

/// `GET /api/get_file`: the content inside JSON, as text where it is text, else in base64.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn content(call: &mut Call<'_>, ask: Query<GetFile>) -> Result<Answer<FileContent>> {
    let path = VaultPath::parse(&ask.read(call)?.file_path)?;
    let Opened::File(mut file) = call.share()?.open(&path)? else {
        return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
    };
    let is_media = media::is_media(&media::of(path.name()));
    if file.size <= limits::CONTENT_IN_MEMORY_BYTES {
        return whole(&mut file, is_media);
    }
    // The answer begins before the end of the file was seen, so text is looked through first.
    Ok(Answer::written(move |out| {
        if !is_media && is_text(&mut file)? {
            write_text(&mut file, out)
        } else {
            write_binary(&mut file, out)
        }
    }))
}

/// The answer for a small file.
fn whole(file: &mut OpenFile, is_media: bool) -> Result<Answer<FileContent>> {
    let mut bytes = Vec::new();
    (&file.file).take(limits::CONTENT_IN_MEMORY_BYTES + 1).read_to_end(&mut bytes)?;
    let (content, r#type) = match String::from_utf8(bytes) {
        Ok(text) if !is_media => (text, ContentType::Text),
        Ok(text) => (STANDARD.encode(text), ContentType::Binary),
        Err(other) => (STANDARD.encode(other.as_bytes()), ContentType::Binary),
    };
    Answer::of(&FileContent { status: FileRetrieved, content, r#type })
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
