//! `POST /api/upload`: files in a multipart form, stored all or none: contract, section 5.

use std::io::Read;
use std::time::SystemTime;

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::multipart::{self, Multipart};
use crate::http::question::{self, Question, Wrong};
use crate::http::tus;
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Place, Placed, Share, TrashId, Upload, VaultPath};

/// The form, as far as it has been read.
#[derive(Default)]
struct Form {
    /// Files by the name they came with.
    files: Vec<(Upload, String)>,
    /// The folder; the root when it never comes.
    folder: Option<VaultPath>,
    /// What to do about files that are there already.
    if_exists: Option<IfExists>,
    /// When the next file changed last, where it comes from.
    modified: Option<SystemTime>,
}

/// The form, for the document.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(dead_code, reason = "its parts are read as they come")]
pub struct UploadForm {
    /// The files. What comes before them counts for those behind it.
    file: Vec<FilePart>,
    /// The folder; made if it is missing. The share root if left out.
    path: Option<String>,
    /// What to do about names that are taken; `overwrite` if left out.
    if_exists: Option<IfTaken>,
    /// When the next file changed last: milliseconds since 1970, or RFC 3339.
    modified: Option<String>,
}

impl Question for UploadForm {}

/// A file's bytes, with its name.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, with = "String", extend("contentMediaType" = "application/octet-stream")))]
struct FilePart;

/// What to do about a name that is taken.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IfExists"))]
#[serde(rename_all = "lowercase")]
pub enum IfTaken {
    /// What is there goes into the trash.
    Overwrite,
    /// What comes gets the next free name.
    Rename,
    /// Nothing is done.
    Error,
}

impl From<IfTaken> for IfExists {
    fn from(wish: IfTaken) -> Self {
        match wish {
            IfTaken::Overwrite => Self::Overwrite,
            IfTaken::Rename => Self::Rename,
            IfTaken::Error => Self::Error("Target already exists"),
        }
    }
}

sentence!(/// Of `upload`.
    FileUploaded, "File uploaded");

/// What `upload` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FileUploadedAnswer"))]
pub struct Uploaded {
    /// What was done.
    status: FileUploaded,
    /// What was stored, in the order in which it came.
    files: Vec<StoredFile>,
    /// Where in the trash is what they replaced.
    trash: Vec<TrashId>,
}

/// One file that was stored.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoredFile {
    /// Where it is now.
    path: String,
    /// Bytes.
    size: u64,
}

/// Receives the files into hidden temporary ones, then puts all in place in one go.
///
/// Errors: `Invalid`, `Refused`, `Collision`, `DiskFull`, `Disconnected`, `SignIn` (who is gone meanwhile).
pub fn receive(call: &mut Call<'_>, _: question::Form<UploadForm>) -> Result<Answer<Uploaded>> {
    let content_type = call.request.header("Content-Type").unwrap_or_default();
    let boundary = multipart::boundary(content_type)
        .ok_or(Error::invalid_as(Why::Missing, "No file provided"))?;
    let share = call.share()?;
    let may_write = call.caller()?.grant().may_write_somewhere();
    // The body is a little more than the files; the spare is what the drive must keep.
    let length = call.request.content_length();
    let length = length.map(|length| length.saturating_add(limits::UPLOAD_SPARE_BYTES));
    if let Some(length) = length {
        share.expect(length)?;
    }
    let mut parts = Multipart::new(call.request.as_reader(), &boundary);
    let mut form = Form::default();
    while let Some(head) = parts.next_part()? {
        match (head.name.as_str(), head.file_name) {
            ("path", None) => form.folder = Some(VaultPath::parse(&parts.read_text("path")?)?),
            ("if_exists", None) => {
                form.if_exists = Some(if_exists(&parts.read_text("if_exists")?)?);
            }
            ("modified", None) => form.modified = tus::moment(&parts.read_text("modified")?),
            ("file", Some(sent)) => {
                if !may_write {
                    return Err(Error::Refused);
                }
                let received: u64 = form.files.iter().map(|(upload, _)| upload.offset()).sum();
                let ahead = length.map(|length| length.saturating_sub(received));
                receive_file(&share, &mut parts, &mut form, &sent, ahead)?;
            }
            _ => {}
        }
    }
    call.must_still_be_let_in()?;
    store(call, &share, form)
}

/// One file, into a hidden temporary one on the drive where it will stay, as far as that is known. `ahead` is
/// how many bytes the form has at most from here on, if it tells.
fn receive_file(
    share: &Share,
    parts: &mut Multipart<impl Read>,
    form: &mut Form,
    sent: &str,
    ahead: Option<u64>,
) -> Result<()> {
    // A browser's name may be a whole path of the machine it came from.
    let name = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let modified = form.modified.take();
    if sent.is_empty() {
        // A form sent without choosing a file has a part without name and content.
        return match parts.read_content(&mut |_| Ok(()))? {
            0 => Ok(()),
            _ => Err(Error::invalid_as(Why::Name, "Invalid name")),
        };
    }
    let folder = form.folder.clone().unwrap_or_else(VaultPath::root);
    let target = folder.child(name)?;
    // Where the file goes may be known already: then a refusal comes before its bytes.
    if form.folder.is_some() && !share.grant().may_write(&target) {
        return Err(Error::Refused);
    }
    if form.files.len() >= limits::UPLOAD_FILES_MAX {
        return Err(Error::invalid_as(Why::TooMany, "Too many files"));
    }
    let mut upload = share.begin_upload(form.folder.as_ref(), ahead)?;
    if let Some(modified) = modified {
        upload.date(modified);
    }
    parts.read_content(&mut |bytes| upload.append(bytes))?;
    upload.seal()?;
    form.files.push((upload, name.to_owned()));
    Ok(())
}

/// Puts everything in place and answers.
fn store(call: &Call<'_>, share: &Share, form: Form) -> Result<Answer<Uploaded>> {
    if form.files.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No file provided"));
    }
    let folder = form.folder.unwrap_or_else(VaultPath::root);
    let items = form
        .files
        .into_iter()
        .map(|(upload, name)| Ok((upload.finish(Ok)?, folder.child(&name)?)))
        .collect::<Result<Vec<_>>>()?;
    let options = Place {
        if_exists: form.if_exists.unwrap_or(IfExists::Overwrite),
        make_parents: true,
        drops_empty: false,
        files_only: false,
    };
    let placed: Vec<Placed> = share.place(items, &options)?;
    for file in &placed {
        let trash = file.trash.as_ref().map(TrashId::as_str);
        call.note_one_of_many(Event::uploaded(file.path.as_str(), file.is_new).trashed(trash));
    }
    let stored =
        |file: &Placed| StoredFile { path: file.path.as_str().to_owned(), size: file.size };
    let files = placed.iter().map(stored).collect();
    let trash = placed.into_iter().filter_map(|file| file.trash).collect();
    Answer::of(&Uploaded { status: FileUploaded, files, trash })
}

/// The word of `if_exists`.
pub(super) fn if_exists(text: &str) -> Result<IfExists> {
    let word: StrDeserializer<'_, Wrong> = text.into_deserializer();
    let wish = IfTaken::deserialize(word)
        .map_err(|wrong| wrong.at("if_exists").into_error::<UploadForm>("Invalid form"))?;
    Ok(wish.into())
}
