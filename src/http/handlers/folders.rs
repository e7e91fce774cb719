//! Folders: contract, section 5.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::http::answer::{Answer, At, Rows, Time, at, sentence};
use crate::http::call::Call;
use crate::http::handlers::deletion::{self, DeleteOne, Deleted};
use crate::http::handlers::jobs::OrJob;
use crate::http::handlers::media;
use crate::http::question::{Ask, Query, Question};
use crate::logbook::Event;
use crate::picture;
use crate::vault::{self, IfExists, Kind, VaultPath, What};

/// What `finder` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Find {
    /// The folder; the share root if left out.
    path: Option<String>,
    /// Whether to say what each name is (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    details: bool,
}

impl Question for Find {}

/// What is in a folder.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listing {
    /// The names.
    items: Vec<String>,
    /// With `details=1`: what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Entry>>,
}

/// One entry of a folder.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    /// Its name.
    name: String,
    /// Whether that is not what it is called on the drive; told where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    raw: bool,
    /// What it is.
    r#type: EntryType,
    /// Bytes.
    size: u64,
    /// When it was changed last.
    modified: Time,
    /// Its media type, by its name.
    mime: String,
    /// Whether the caller may change it.
    writable: bool,
    /// Of what there may be a thumbnail: the `ETag` that a download would carry, without its quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// Whether there may be one, which only looking can tell.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    thumb: bool,
}

/// Whether pages may want a thumbnail of such a file: whoever keeps one has to know of which content.
fn may_be_pictured(mime: &str) -> bool {
    mime.starts_with("image/") || mime.starts_with("video/") || mime == "application/pdf"
}

/// What something in the share is.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum EntryType {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Neither.
    Other,
}

impl From<Kind> for EntryType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Folder => Self::Folder,
            Kind::Other => Self::Other,
        }
    }
}

impl From<&vault::Entry> for Entry {
    fn from(entry: &vault::Entry) -> Self {
        let mime = match entry.kind {
            Kind::File => media::of(&entry.name),
            Kind::Folder => "inode/directory".to_owned(),
            Kind::Other => "application/octet-stream".to_owned(),
        };
        let thumb = entry.kind == Kind::File && picture::may_have_one(&entry.name);
        let etag = entry.stamp.filter(|_| thumb || may_be_pictured(&mime)).map(|stamp| stamp.tag());
        Self {
            name: entry.name.clone(),
            raw: entry.raw,
            r#type: entry.kind.into(),
            size: entry.size,
            modified: Time::of(entry.modified),
            mime,
            writable: entry.writable,
            etag,
            thumb,
        }
    }
}

/// `GET /api/finder`: the names in a folder, with `details=1` also what they are.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn list(call: &mut Call<'_>, ask: Query<Find>) -> Result<Answer<Listing>> {
    let ask = ask.read(call)?;
    let folder = VaultPath::parse(&ask.path.unwrap_or_default())?;
    let listing = call.share()?.list(&folder)?;
    told(listing, ask.details, |entry| entry.into())
}

/// What is in a folder for a guest, to whom all of it is told, and who can only add to folders.
pub fn told_to_guest(listing: vault::Listing) -> Result<Answer<Listing>> {
    told(listing, true, |entry| Entry {
        writable: entry.writable && entry.kind == Kind::Folder,
        ..entry.into()
    })
}

/// What is in a folder, told while it is read.
fn told(
    mut listing: vault::Listing,
    has_details: bool,
    shown: fn(&vault::Entry) -> Entry,
) -> Result<Answer<Listing>> {
    Answer::in_memory_or_streamed(move |out| write_listing(&mut listing, has_details, shown, out))
}

/// Writes a `Listing` while the folder is read.
fn write_listing(
    listing: &mut vault::Listing,
    has_details: bool,
    shown: fn(&vault::Entry) -> Entry,
    out: &mut dyn Write,
) -> Result<()> {
    out.write_all(br#"{"items":"#)?;
    let mut items = Rows::<str>::begin(out);
    listing.for_each_name(&mut |name| items.push(name))?;
    items.end()?;
    if has_details {
        out.write_all(br#","entries":"#)?;
        let mut entries = Rows::<Entry>::begin(out);
        listing.for_each_entry(&mut |entry| entries.push(&shown(entry)))?;
        entries.end()?;
    }
    Ok(out.write_all(b"}")?)
}

/// What `create_folder` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewFolder {
    /// Its name.
    folder_name: String,
    /// The folder to make it in; the share root if left out.
    path: Option<String>,
}

impl Question for NewFolder {}

sentence!(/// Of `create_folder`.
    FolderCreated, "Folder created");

/// `POST /api/create_folder`.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (the parent), `Collision`.
pub fn create(call: &mut Call<'_>, ask: Ask<NewFolder>) -> Result<Answer<At<FolderCreated>>> {
    let ask = ask.read(call)?;
    let target = VaultPath::parse(&ask.path.unwrap_or_default())?.child(&ask.folder_name)?;
    call.share()?.make_folder(&target)?;
    call.note(Event::created_folder(target.as_str()));
    at(target.as_str())
}

sentence!(/// Of `delete_folder`.
    FolderDeleted, "Folder deleted");

/// `POST /api/delete_folder`: with all that is in it, into the trash as `delete_file` does. For good it goes in one
/// step, too; as a job then piece by piece, so that what is left when it is called off stays where it was.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon` (a job).
pub fn delete(
    call: &mut Call<'_>,
    ask: Ask<DeleteOne>,
) -> Result<Answer<OrJob<Deleted<FolderDeleted>>>> {
    let ask = ask.read(call)?;
    let target = VaultPath::parse(&ask.path)?;
    if ask.job {
        let removal = call.share()?.removal(&[target], Some(What::Tree), ask.fate())?;
        return deletion::start(call, removal, "folder ");
    }
    let trash = call.share()?.remove(&target, What::Tree, ask.fate())?;
    call.note(deletion::deleted("folder ", &target, trash.as_ref()));
    Answer::of(&OrJob::Done(Deleted::of(trash)))
}

/// What `rename_folder` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RenameFolder {
    /// What it is called.
    folder_name: String,
    /// What it will be called.
    new_name: String,
    /// The folder that it is in; the share root if left out.
    path: Option<String>,
}

impl Question for RenameFolder {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some("No folder name provided")
    }
}

sentence!(/// Of `rename_folder`.
    FolderRenamed, "Folder renamed");

/// `POST /api/rename_folder`: renames within one folder; never overwrites.
///
/// Errors: `Invalid`, `Refused` (either end), `NotFound`, `Collision`.
pub fn rename(call: &mut Call<'_>, ask: Ask<RenameFolder>) -> Result<Answer<At<FolderRenamed>>> {
    let ask = ask.read(call)?;
    let folder = VaultPath::parse(&ask.path.unwrap_or_default())?;
    let (source, target) = (folder.child(&ask.folder_name)?, folder.child(&ask.new_name)?);
    call.share()?.rename((&source, &target), Kind::Folder, IfExists::REFUSE)?;
    call.note(Event::renamed(source.as_str(), target.as_str()));
    at(target.as_str())
}
