//! Narrowed keys (app passwords) as their users see them: second contract, section 21.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::auth::key;
use crate::auth::narrowed::{self, Door};
use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, Time, done, sentence};
use crate::http::call::Call;
use crate::http::question::{Ask, Filled, Id, Query, Question, Until, unless_empty};
use crate::limits;
use crate::logbook::Event;
use crate::qr;
use crate::store::{KeyRow, NewKeyRow, User};
use crate::vault::{Grant, Kind, VaultPath};
use crate::words;

/// What `create` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewKey {
    /// One's own words for what it is for.
    label: Filled,
    /// The file or folder to which it is narrowed; everything of one's own if it is left out.
    path: Option<String>,
    /// Whether it may do more than read.
    write: Option<bool>,
    /// The doors that it opens; all if they are left out.
    doors: Option<Vec<Door>>,
    /// When it ends: a moment, or so many days from now.
    expires: Option<Until>,
    /// Whether the answer shall tell what a page shows beside the key.
    show: Option<bool>,
}

impl Question for NewKey {}

sentence!(/// Of `create`.
    KeyCreated, "Key created");

/// What `create` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "KeyCreatedAnswer"))]
pub struct Created {
    /// What was done.
    status: KeyCreated,
    /// The key's number.
    id: i64,
    /// The key, which is never shown again.
    key: String,
    /// The same as a QR code (SVG), if `show` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<String>,
    /// The port at which FTP answers now, if `show` asked for it and the key opens that door.
    #[serde(skip_serializing_if = "Option::is_none")]
    ftp_port: Option<u16>,
}

/// `POST /api/key/create`.
///
/// Errors: `Invalid`, `Refused` (the path), `NotFound`, `Conflict` (too many), `ClockNotSet`.
pub fn create(call: &mut Call<'_>, ask: Ask<NewKey>) -> Result<Answer<Created>> {
    let ask = ask.read(call)?;
    let (label, may_write) = (label_of(&ask.label)?, ask.write.unwrap_or(false));
    let path = ask.path.as_deref().map_or(Ok(VaultPath::root()), VaultPath::parse)?;
    let doors = ask.doors.as_deref().unwrap_or(&Door::ALL);
    if doors.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No doors provided"));
    }
    let expires = ask.expires.map(Until::moment).transpose()?;
    let path = place_of(call, path, may_write)?;
    call.must_still_be_let_in()?;
    let (id, key) = (key::new_id()?, key::new_key()?);
    let (qr, ftp_port) = match ask.show {
        Some(true) => (Some(qr::svg(&key.key)?), ftp_port(call, doors)?),
        _ => (None, None),
    };
    call.app.users.insert_key(&NewKeyRow {
        id,
        user_id: call.user()?.id,
        label,
        hash: &key.hash,
        hint: &key.hint,
        path: path.as_str(),
        may_write,
        doors: &Door::stored(doors),
        expires,
        created_ms: Timestamp::now().as_millisecond(),
    })?;
    let does = if may_write { "read and write" } else { "read" };
    let words = format!("made the key {label} ({}…), to {does} /{path}", key.hint);
    call.note(Event::change(words));
    Answer::of(&Created { status: KeyCreated, id, key: key.key, qr, ftp_port })
}

/// Where FTP answers, for a key that opens it.
fn ftp_port(call: &Call<'_>, doors: &[Door]) -> Result<Option<u16>> {
    let address = call.app.ftp()?.address();
    Ok(address.filter(|_| doors.contains(&Door::Ftp)).map(|address| address.port()))
}

/// Where something really is that the caller's key shall reach.
///
/// Errors: `Refused` (there is nothing for the caller), `NotFound`, `Invalid` (neither file nor folder),
/// `StorageAbsent`.
fn place_of(call: &Call<'_>, path: VaultPath, may_write: bool) -> Result<VaultPath> {
    if path.is_root() {
        return Ok(path);
    }
    let caller = call.caller()?;
    let grant = caller.grant();
    let reaches =
        |path: &VaultPath| grant.may_see(path) || (may_write && grant.may_write_below(path));
    if !reaches(&path) {
        return Err(Error::Refused);
    }
    // Who may only write there may ask that much of it.
    let mut seen = vec![path.clone()];
    seen.extend_from_slice(grant.readable());
    let seen = Arc::new(Grant::new(seen, Vec::new()));
    let (place, kind) = call.app.share(seen, caller.label())?.real_place(&path)?;
    if !reaches(&place) {
        return Err(Error::Refused);
    }
    match kind {
        Kind::Folder | Kind::File => Ok(place),
        Kind::Other => Err(Error::invalid_as(Why::NotAFile, "Path is neither a file nor a folder")),
    }
}

/// Whether words can be a key's.
///
/// Errors: `Invalid`.
fn label_of(label: &str) -> Result<&str> {
    let label = label.trim();
    if label.len() > limits::KEY_LABEL_BYTES_MAX || !words::are_plain(label) {
        return Err(Error::invalid("Invalid label"));
    }
    if label.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No label provided"));
    }
    Ok(label)
}

/// What `get_all` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WhoseKeys {
    /// Whose keys an admin wants; one's own if it is left out.
    #[serde(default, deserialize_with = "unless_empty")]
    username: Option<String>,
}

impl Question for WhoseKeys {}

/// A key as its user sees it later.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Key"))]
pub struct Shown {
    /// Its number.
    id: i64,
    /// Its user's own words for it.
    label: String,
    /// Its beginning, to tell keys apart.
    hint: String,
    /// The file or folder to which it is narrowed, relative to the share root; empty for everything of its user.
    path: String,
    /// Whether it may do more than read.
    write: bool,
    /// The doors that it opens.
    doors: Vec<Door>,
    /// When it ends; `null` for never.
    expires: Option<Time>,
    /// When it was made.
    created: Time,
    /// The local day on which it was used last; `null` for never.
    last_used: Option<String>,
    /// From where; empty for never.
    ip: String,
}

impl From<KeyRow> for Shown {
    fn from(key: KeyRow) -> Self {
        Self {
            id: key.id,
            hint: key::masked(&key.hint),
            doors: narrowed::doors_of(&key),
            label: key.label,
            path: key.path,
            write: key.may_write,
            expires: key.expires.map(Time::of_seconds),
            created: Time::of_seconds(key.created_ms / 1000),
            last_used: Some(key.last_day).filter(|day| !day.is_empty()),
            ip: key.ip,
        }
    }
}

/// `GET /api/key/get_all`: one's own keys, or for an admin another's.
///
/// Errors: `Refused`, `NotFound`.
pub fn get_all(call: &mut Call<'_>, query: Query<WhoseKeys>) -> Result<Answer<Vec<Shown>>> {
    let username = query.read(call)?.username;
    let user = whose(call, username.as_deref())?;
    let keys = call.app.users.keys_of(user.id)?;
    Answer::of(&keys.into_iter().map(Shown::from).collect())
}

/// What `delete` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteKey {
    /// The key's number.
    id: Id,
    /// Whose key an admin deletes; one's own if it is left out.
    #[serde(default, deserialize_with = "unless_empty")]
    username: Option<String>,
}

impl Question for DeleteKey {}

sentence!(/// Of `delete`.
    KeyDeleted, "Key deleted");

/// `POST /api/key/delete`: whatever goes on with it ends.
///
/// Errors: `Invalid`, `Refused`, `NotFound`.
pub fn delete(call: &mut Call<'_>, ask: Ask<DeleteKey>) -> Result<Answer<Done<KeyDeleted>>> {
    let ask = ask.read(call)?;
    let user = whose(call, ask.username.as_deref())?;
    let key = call.app.users.delete_key(user.id, ask.id.number())?;
    call.app.sessions.close_key(key.id);
    let is_own = call.user()?.id == user.id;
    let of = if is_own { String::new() } else { format!(" of {}", user.username) };
    call.note(Event::change(format!("deleted the key {} ({}…){of}", key.label, key.hint)));
    done()
}

/// Whose keys are meant: the caller's own or, for an admin, those of somebody named.
///
/// Errors: `Refused`, `NotFound`.
fn whose(call: &Call<'_>, username: Option<&str>) -> Result<Arc<User>> {
    let own = call.user()?;
    let Some(username) = username.filter(|username| *username != own.username) else {
        return Ok(Arc::clone(own));
    };
    if !call.caller()?.may_manage_all_keys() {
        return Err(Error::Refused);
    }
    call.app.users.by_username(username)?.ok_or(Error::NotFound("User not found"))
}
