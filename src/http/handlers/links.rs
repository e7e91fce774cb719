//! Links as their makers see them: second contract, section 15.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiny_http::ext::Body;

use crate::app::App;
use crate::auth::password;
use crate::clock;
use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, Rows, Time, done, other_answer, sentence};
use crate::http::call::Call;
use crate::http::host;
use crate::http::question::{Ask, Count, Filled, Id, Nullable, Query, Question, Until};
use crate::http::reply::Reply;
use crate::limits;
use crate::links::{self, Edit, Link, Owner, State, Terms, Wanted};
use crate::logbook::Event;
use crate::qr;
use crate::vault::{Grant, Kind, VaultPath};
use crate::words;

/// What is said of a link that is not there, or is none of the caller's business.
const NOT_FOUND: Error = Error::NotFound("Link not found");

/// The field in which a code's answer tells the address that it leads to: pages write the same one beside it.
const ADDRESS: &str = "Larder-Address";

/// What is said where something would be brought into a file.
const NOT_A_FOLDER: Error = Error::invalid_as(Why::NotAFolder, "Path is not a folder");

/// What `create` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewLink {
    /// The file or folder.
    path: String,
    /// One's own words for it.
    label: Option<String>,
    /// Whether guests may look and download; they may unless this is `false`.
    read: Option<bool>,
    /// Whether guests may bring files into the folder.
    write: Option<bool>,
    /// In plain text; nobody is asked for one if it is empty.
    password: Option<String>,
    /// When it closes: a moment, or so many days from now.
    expires: Option<Until>,
    /// How many downloads may begin.
    downloads_max: Option<Count>,
    /// How many bytes may be brought.
    upload_bytes_max: Option<Count>,
    /// How many files may be brought.
    upload_files_max: Option<Count>,
    /// Whether each guest's files go into a folder of their own; so by itself where guests only bring.
    guest_folders: Option<bool>,
}

impl Question for NewLink {}

sentence!(/// Of `create`.
    LinkCreated, "Link created");

/// What `create` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "LinkCreatedAnswer"))]
pub struct Created {
    /// What was done.
    status: LinkCreated,
    /// The link's number.
    id: i64,
    /// Where it is, on this server.
    url: String,
}

/// `POST /api/link/create`.
///
/// Errors: `Invalid`, `Refused` (the path), `NotFound`, `Conflict` (too many), `ClockNotSet`.
pub fn create(call: &mut Call<'_>, ask: Ask<NewLink>) -> Result<Answer<Created>> {
    let ask = ask.read(call)?;
    let (read, write) = (ask.read.unwrap_or(true), ask.write.unwrap_or(false));
    must_do_something(read, write)?;
    let path = VaultPath::parse(&ask.path)?;
    let label = ask.label.as_deref().map(label_of).transpose()?;
    let password = ask.password.as_deref().filter(|password| !password.is_empty());
    password.map_or(Ok(()), must_be_password)?;
    let wanted = Wanted {
        label,
        read: Some(read),
        write: Some(write),
        expires: Edit::Set(ask.expires.map(Until::moment).transpose()?),
        downloads_max: Edit::Set(ask.downloads_max.map(times).transpose()?),
        upload_bytes_max: Edit::Set(ask.upload_bytes_max.map(bytes).transpose()?),
        upload_files_max: Edit::Set(ask.upload_files_max.map(times).transpose()?),
        guest_folders: Some(ask.guest_folders.unwrap_or(write && !read)),
        ..Wanted::default()
    };
    let (path, is_folder) = place_of(call, &path, read, write)?;
    let hash = password.map(password::hash).transpose()?;
    let wanted = Wanted { password_hash: Edit::Set(hash.as_deref()), ..wanted };
    call.must_still_be_let_in()?;
    let links = &call.app.links;
    let link = links.create(owner(call)?, &path, is_folder, &wanted)?;
    call.note(Event::change(format!("made a link to /{path}{}", told(&link))).at(path.as_str()));
    let url = url_of(call.app, &link).ok_or(Error::Bug("a new link has no address".into()))?;
    Answer::of(&Created { status: LinkCreated, id: link.id, url })
}

/// Where something really is that the caller may share, and whether it is a folder.
///
/// Errors: `Refused`, `NotFound`, `Invalid` (not a folder, or neither file nor folder).
fn place_of(
    call: &Call<'_>,
    path: &VaultPath,
    read: bool,
    write: bool,
) -> Result<(VaultPath, bool)> {
    let (caller, roles) = (call.caller()?, call.app.roles());
    let may = |path: &VaultPath| {
        (!read || caller.grant().may_read(path)) && (!write || caller.grant().may_write(path))
    };
    let may_use = |is_wanted: bool, path| !is_wanted || caller.may(path, &roles);
    if !may_use(read, links::DOWNLOAD) || !may_use(write, links::UPLOAD) || !may(path) {
        return Err(Error::Refused);
    }
    // Who may only write there may ask that much of it.
    let mut seen = vec![path.clone()];
    seen.extend_from_slice(caller.grant().readable());
    let grant = Arc::new(Grant::new(seen, Vec::new()));
    let (place, kind) = call.app.share(grant, caller.label())?.real_place(path)?;
    if !may(&place) {
        return Err(Error::Refused);
    }
    match kind {
        Kind::Folder => Ok((place, true)),
        Kind::File if write => Err(NOT_A_FOLDER),
        Kind::File => Ok((place, false)),
        Kind::Other => Err(Error::invalid_as(Why::NotAFile, "Path is neither a file nor a folder")),
    }
}

/// What `edit` is asked by. What is left out stays; `null` takes a limit away.
#[derive(Deserialize)]
#[serde(rename = "WithNulls")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EditLink"))]
pub struct EditLink {
    /// The link's number.
    id: Id,
    /// One's own words for it.
    label: Option<String>,
    /// Whether guests may look and download.
    read: Option<bool>,
    /// Whether guests may bring files into the folder.
    write: Option<bool>,
    /// In plain text; an empty one takes it away. Another ends all guests' sessions.
    password: Option<String>,
    /// When it closes: a moment, or so many days from now; `null` for never.
    #[serde(default)]
    expires: Nullable<Until>,
    /// How many downloads may begin; `null` for any number.
    #[serde(default)]
    downloads_max: Nullable<Count>,
    /// How many bytes may be brought, likewise.
    #[serde(default)]
    upload_bytes_max: Nullable<Count>,
    /// How many files may be brought, likewise.
    #[serde(default)]
    upload_files_max: Nullable<Count>,
    /// Whether each guest's files go into a folder of their own.
    guest_folders: Option<bool>,
    /// Whether it gets another address; the one it had leads nowhere any more.
    renew: Option<bool>,
}

impl Question for EditLink {}

sentence!(/// Of `edit`.
    LinkEdited, "Link edited");

/// `POST /api/link/edit`: whatever is changed, the link does no more than its maker may.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (its maker may not what it is to do now), `ClockNotSet`.
pub fn edit(call: &mut Call<'_>, ask: Ask<EditLink>) -> Result<Answer<Done<LinkEdited>>> {
    let ask = ask.read(call)?;
    let label = ask.label.as_deref().map(label_of).transpose()?;
    let password = ask.password.as_deref();
    password.filter(|password| !password.is_empty()).map_or(Ok(()), must_be_password)?;
    let wanted = Wanted {
        label,
        read: ask.read,
        write: ask.write,
        expires: ask.expires.try_map(Until::moment)?.into(),
        downloads_max: ask.downloads_max.try_map(times)?.into(),
        upload_bytes_max: ask.upload_bytes_max.try_map(bytes)?.into(),
        upload_files_max: ask.upload_files_max.try_map(times)?.into(),
        guest_folders: ask.guest_folders,
        ..Wanted::default()
    };
    let before = link_of(call, &ask.id)?;
    if ask.write == Some(true) && !before.is_folder {
        return Err(NOT_A_FOLDER);
    }
    let hash = password.map(hash_unless_empty).transpose()?;
    let password_hash = hash.as_ref().map_or(Edit::Keep, |hash| Edit::Set(hash.as_deref()));
    let wanted = Wanted { password_hash, ..wanted };
    call.must_still_be_let_in()?;
    let (links, roles, settings) = (&call.app.links, call.app.roles(), call.app.config.settings());
    let terms = Terms { roles: &roles, settings: &settings };
    links.edit(before.id, &wanted, ask.renew == Some(true), |link| {
        must_do_something(link.read, link.write)?;
        // It would not do it anyway, and whoever changes it should hear so.
        let (reads, writes) = (link.read && !before.read, link.write && !before.write);
        links.ask_maker(link, terms, reads, writes)
    })?;
    let path = before.path.as_str();
    call.note(Event::change(format!("changed the link to /{path}")).at(path));
    done()
}

/// What `delete` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteLink {
    /// The link's number.
    id: Id,
}

impl Question for DeleteLink {}

sentence!(/// Of `delete`.
    LinkDeleted, "Link deleted");

/// `POST /api/link/delete`.
///
/// Errors: `Invalid`, `NotFound`.
pub fn delete(call: &mut Call<'_>, ask: Ask<DeleteLink>) -> Result<Answer<Done<LinkDeleted>>> {
    let ask = ask.read(call)?;
    let link = link_of(call, &ask.id)?;
    call.app.links.delete(link.id)?;
    let path = link.path.as_str();
    call.note(Event::change(format!("deleted the link to /{path}")).at(path));
    done()
}

/// What `get_all` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WhichLinks {
    /// Whether an admin wants everybody's (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    all: bool,
}

impl Question for WhichLinks {}

/// A link as those see it who may change it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Link"))]
#[expect(clippy::struct_excessive_bools, reason = "the contract's")]
pub struct Shown {
    /// Its number.
    id: i64,
    /// Where it is, on this server. Only its maker is told; nobody where `secret.key` is another than when it was
    /// made.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What it opens, relative to the share root; `null` where the caller may not see that place any more: somebody else
    /// may have moved it there.
    path: Option<String>,
    /// Its maker's own words for it.
    label: String,
    /// What it opens.
    r#type: LinkType,
    /// Whether guests may look and download.
    read: bool,
    /// Whether guests may bring files.
    write: bool,
    /// Whether guests are asked for one.
    has_password: bool,
    /// When it closes; `null` for never.
    expires: Option<Time>,
    /// How many downloads may begin; `null` for any number.
    downloads_max: Option<i64>,
    /// How many have begun.
    downloads: i64,
    /// How many bytes may be brought; `null` for any number.
    upload_bytes_max: Option<i64>,
    /// How many were, or are being.
    uploaded_bytes: i64,
    /// How many files may be brought; `null` for any number.
    upload_files_max: Option<i64>,
    /// How many were, or are being.
    uploaded_files: i64,
    /// Whether each guest's files go into a folder of their own.
    guest_folders: bool,
    /// Its maker.
    by: String,
    /// When it was made.
    created: Time,
    /// When a guest used it last, to the minute; `null` for never.
    last_used: Option<Time>,
    /// How it stands.
    state: State,
}

/// What a link opens.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkType {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// `GET /api/link/get_all`: one's own links, or everybody's for an admin who wants them.
///
/// Errors: `Store`.
pub fn get_all(call: &mut Call<'_>, query: Query<WhichLinks>) -> Result<Answer<Vec<Shown>>> {
    let is_all = query.read(call)?.all && call.caller()?.may_manage_all_links();
    let (own, grant) = (owner(call)?, call.caller()?.grant_over_links());
    let viewer = Viewer { app: Arc::clone(call.app), own, grant };
    let whose = if is_all { None } else { Some(viewer.own) };
    let first = viewer.app.links.after(whose, None, limits::LINKS_PER_READ)?;
    Ok(Answer::written(move |out| {
        let mut rows = Rows::begin(out);
        let mut next = Some(first);
        while let Some((links, last)) = next {
            for link in &links {
                rows.push(&viewer.show(link).map_err(io::Error::other)?)
                    .map_err(io::Error::other)?;
            }
            let Some(last) = last else { break };
            let more = viewer.app.links.after(whose, Some(last), limits::LINKS_PER_READ);
            next = Some(more.map_err(io::Error::other)?);
        }
        rows.end().map_err(io::Error::other)
    }))
}

/// Somebody who looks at links.
struct Viewer {
    /// Where they are.
    app: Arc<App>,
    /// Which links are theirs.
    own: Owner,
    /// Which places they may hear of.
    grant: Arc<Grant>,
}

impl Viewer {
    /// A link as they see it.
    fn show(&self, link: &Link) -> Result<Shown> {
        let maker = self.app.users.by_id(link.user_id)?;
        let (roles, settings) = (self.app.roles(), self.app.config.settings());
        let terms = Terms { roles: &roles, settings: &settings };
        let may = settings.links && self.app.links.standing(link, terms).is_ok();
        let is_mine = self.own.has(link);
        let now = clock::now();
        Ok(Shown {
            id: link.id,
            url: url_of(&self.app, link).filter(|_| is_mine),
            path: self.may_hear_of(&link.path).then(|| link.path.as_str().to_owned()),
            label: link.label.clone(),
            r#type: if link.is_folder { LinkType::Folder } else { LinkType::File },
            read: link.read,
            write: link.write,
            has_password: link.password_hash.is_some(),
            expires: link.expires.map(Time::of_seconds),
            downloads_max: link.downloads_max,
            downloads: link.downloads,
            upload_bytes_max: link.upload_bytes_max,
            uploaded_bytes: link.uploaded_bytes,
            upload_files_max: link.upload_files_max,
            uploaded_files: link.uploaded_files,
            guest_folders: link.guest_folders,
            by: maker.map(|maker| maker.username.clone()).unwrap_or_default(),
            created: Time::of_seconds(link.created_ms / 1000),
            last_used: link.last_used.map(Time::of_seconds),
            // Where the rest decides already, no drive is woken.
            state: match link.state(may, true, now) {
                State::Open | State::UsedUp => link.state(may, self.is_there(link), now),
                other => other,
            },
        })
    }

    /// Whether they may know of a place.
    fn may_hear_of(&self, path: &VaultPath) -> bool {
        self.grant.may_see(path) || self.grant.may_write_below(path)
    }

    /// Whether what a link opens is where it was, and still what it was. A drive that is silent already is not
    /// waited for again.
    fn is_there(&self, link: &Link) -> bool {
        let vault = &self.app.vault;
        let place = vault.root().join(link.path.as_str());
        if vault.silent_drives().iter().any(|drive| place.starts_with(drive)) {
            return false;
        }
        let grant = Arc::new(Grant::new(vec![link.path.clone()], Vec::new()));
        let found = self.app.share(grant, "").and_then(|share| share.look(&link.path));
        let wanted = if link.is_folder { Kind::Folder } else { Kind::File };
        found.is_ok_and(|entry| entry.kind == wanted)
    }
}

/// What `qr` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WhichLink {
    /// The link's number.
    #[cfg_attr(test, schemars(with = "i64"))]
    id: Filled,
}

impl Question for WhichLink {}

other_answer!(/// A picture of a link's address.
    Picture,
    200: "A QR code of the whole address, which `Larder-Address` tells as text." in "image/svg+xml");

/// `GET /api/link/qr`: of one's own link.
///
/// Errors: `Invalid`, `NotFound`, `Conflict` (the address cannot be told any more).
pub fn qr(call: &mut Call<'_>, query: Query<WhichLink>) -> Result<Picture> {
    const UNKNOWN: Error = Error::Conflict("The link's address is not known any more");
    let id = query.read(call)?.id.parse().unwrap_or(0);
    let link = call.app.links.by_id(id)?;
    if !owner(call)?.has(&link) {
        return Err(NOT_FOUND);
    }
    let url = url_of(call.app, &link).ok_or(UNKNOWN)?;
    let origin = host::origin(&call.app.config.settings(), call.request);
    let address = format!("{origin}{url}");
    let picture = qr::svg(&address)?;
    let reply = Reply::new(200, Body::Bytes(picture.into_bytes().into()))
        .with("Content-Type", "image/svg+xml")
        .with("Cache-Control", "no-store")
        .with(ADDRESS, address);
    Ok(Picture(reply))
}

/// Whose links are the caller's own. Those of a narrowed key are those that it made: the address of any other link of
/// its user may open what the key does not reach.
fn owner(call: &Call<'_>) -> Result<Owner> {
    let key_id = call.caller()?.narrowed_key().map(|key| key.id);
    Ok(Owner { user_id: call.user()?.id, key_id })
}

/// A link that the caller may change.
///
/// Errors: `NotFound`.
fn link_of(call: &Call<'_>, id: &Id) -> Result<Link> {
    let link = call.app.links.by_id(id.number())?;
    let is_mine = owner(call)?.has(&link);
    if is_mine || call.caller()?.may_manage_all_links() { Ok(link) } else { Err(NOT_FOUND) }
}

/// Where a link is, on this server.
fn url_of(app: &App, link: &Link) -> Option<String> {
    app.links.token(link).map(|token| format!("/s/{token}"))
}

/// What of a new link the log should tell.
fn told(link: &Link) -> &'static str {
    match (link.read, link.write) {
        (true, true) => ", to see and to bring",
        (false, true) => ", to bring",
        _ => ", to see",
    }
}

/// A link must let guests do something.
///
/// Errors: `Invalid`.
fn must_do_something(read: bool, write: bool) -> Result<()> {
    if read || write { Ok(()) } else { Err(Error::invalid("A link must read or write")) }
}

/// Whether words can be a link's.
///
/// Errors: `Invalid`.
fn label_of(label: &str) -> Result<&str> {
    if label.len() > limits::LINK_LABEL_BYTES_MAX || !words::are_plain(label) {
        return Err(Error::invalid("Invalid label"));
    }
    Ok(label)
}

/// Whether a password can be a link's.
///
/// Errors: `Invalid`.
fn must_be_password(password: &str) -> Result<()> {
    if password.chars().count() < limits::LINK_PASSWORD_LETTERS_MIN {
        return Err(Error::invalid("The password must have 4 letters at least"));
    }
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Err(Error::invalid("The password is too long"));
    }
    Ok(())
}

/// The hash of a password; none of an empty one.
fn hash_unless_empty(password: &str) -> Result<Option<String>> {
    if password.is_empty() { Ok(None) } else { password::hash(password).map(Some) }
}

/// How often something may be done.
///
/// Errors: `Invalid`.
fn times(Count(count): Count) -> Result<i64> {
    within(count, limits::LINK_COUNT_MAX)
}

/// How many bytes may be brought.
///
/// Errors: `Invalid`.
fn bytes(Count(count): Count) -> Result<i64> {
    within(count, limits::LINK_BYTES_MAX)
}

/// A limit that can be told and added to.
///
/// Errors: `Invalid`.
fn within(count: i64, max: i64) -> Result<i64> {
    if count <= max { Ok(count) } else { Err(Error::invalid("A limit is too large")) }
}

impl<T> From<Nullable<T>> for Edit<T> {
    fn from(field: Nullable<T>) -> Self {
        match field {
            Nullable::Missing => Self::Keep,
            Nullable::Null => Self::Set(None),
            Nullable::Is(value) => Self::Set(Some(value)),
        }
    }
}
