//! Uploads that go on where they broke off (tus 1.0.0): second contract, section 16. What is the same at each door that
//! takes them; what differs stands in a `Desk`.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tiny_http::Request;
use tiny_http::ext::Body;

use crate::auth::caller::Caller;
use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Time, other_answer};
use crate::http::call::Call;
use crate::http::handlers::wish::Wish;
use crate::http::problem;
use crate::http::question::Asked;
use crate::http::reply::Reply;
use crate::http::tus::{self, Digest};
use crate::limits;
use crate::logbook::Event;
use crate::vault::{
    Ask, EndedUpload, IfExists, Share, TrashId, Upload, UploadId, UploadPlan, VaultPath, Waiting,
};

/// Where uploads are taken in: what differs between the doors.
pub trait Desk {
    /// What stands before the id of an upload in its address.
    fn address(&self) -> String;

    /// Whose the caller's new uploads are, a word that the vault keeps with them.
    fn owner(&self) -> &str;

    /// Where the caller is, if they are one of a crowd that counts as one.
    fn network(&self) -> Option<&str>;

    /// Whose uploads the caller may go on with, whose id they know: their own first.
    fn owners(&self) -> &[String];

    /// Whose uploads are told to the caller; nobody's to those who cannot be told apart.
    fn listed(&self) -> Option<&str>;

    /// What tells the caller from others who may send the very same file, if their owner does not.
    fn told_apart_by(&self) -> Option<String>;

    /// What the metadata of an upload say of its file.
    ///
    /// Errors: `Invalid`.
    fn wish(&self, metadata: &str) -> Result<Wish>;

    /// Where the file goes, now that the drive can be asked.
    ///
    /// Errors: those of looking.
    fn place(&self, share: &Share, path: VaultPath) -> Result<VaultPath>;

    /// Looks whether what the caller came to is still there, now that a file is to be put in it.
    ///
    /// Errors: `Gone`, those of looking.
    fn look_again(&self, share: &Share) -> Result<()>;

    /// Counts one more upload of so many bytes.
    ///
    /// Errors: `LimitReached`.
    fn count(&self, length: u64) -> Result<()>;

    /// One that was counted will never come.
    fn uncount(&self, length: u64);

    /// One has come, and is there.
    fn has_come(&self, _path: &VaultPath) {}

    /// What the caller calls themselves, if that is not what the log calls them already.
    fn name(&self) -> &str;

    /// How the caller is told where a file of such metadata is.
    fn told(&self, path: &VaultPath, metadata: &str) -> String;
}

/// What is said of a length that is none, or another than before.
const WRONG_LENGTH: &str = "Invalid length";

/// What an upload says of its file, as it is kept beside its bytes.
#[derive(Default, Serialize, Deserialize)]
struct Note {
    /// `Upload-Metadata`, as it came.
    metadata: String,
    /// The SHA-256 that the whole is to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<[u8; 32]>,
    /// Whether the client wants to be told it.
    #[serde(default)]
    is_digest_wanted: bool,
    /// What tells its sender from others (`Desk::told_apart_by`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// What `POST` is asked by: fields of the head, and bytes.
pub struct Beginning;

/// What `PATCH` is asked by: a field of the head, and bytes.
pub struct GoingOn;

/// What `HEAD`, `DELETE` and the list are asked by.
pub struct About;

impl Asked for Beginning {
    fn unread() -> Self {
        Self
    }

    #[cfg(test)]
    fn describe(_: &mut crate::http::openapi::Book, operation: &mut serde_json::Value) {
        manual::describe(operation, manual::BEGINNING, Some(false));
    }
}

impl Asked for GoingOn {
    fn unread() -> Self {
        Self
    }

    #[cfg(test)]
    fn describe(_: &mut crate::http::openapi::Book, operation: &mut serde_json::Value) {
        manual::describe(operation, manual::GOING_ON, Some(true));
    }
}

impl Asked for About {
    fn unread() -> Self {
        Self
    }

    #[cfg(test)]
    fn describe(_: &mut crate::http::openapi::Book, operation: &mut serde_json::Value) {
        manual::describe(operation, &[], None);
    }
}

other_answer!(/// What larder can do.
    Told,
    204: "The version and the extensions of tus, in `Tus-Version` and `Tus-Extension`.");

other_answer!(/// An upload that has begun.
    Begun,
    201: "The upload is at `Location`, and goes on from `Upload-Offset`. With `Larder-Path` all of it came, and that is \
        where the file is.");

other_answer!(/// An upload that went on.
    WentOn,
    204: "`Upload-Offset` bytes are there for certain. With `Larder-Path` that is all, and that is where the file is.");

other_answer!(/// How far an upload is.
    Stands,
    200: "`Upload-Offset` of `Upload-Length` bytes are there for certain. With `Larder-Path` that is where the file is.");

other_answer!(/// An upload that was dropped.
    Dropped,
    204: "Nothing of it is left.");

/// One upload that waits.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "WaitingUpload"))]
pub struct Listed {
    /// What stands behind `/api/uploads/`.
    id: String,
    /// Where it goes, name included.
    path: String,
    /// Bytes of the whole.
    size: u64,
    /// Bytes that are there for certain.
    offset: u64,
    /// When the file changed last, where it comes from, to the millisecond (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    /// When the last byte came.
    last: Time,
    /// When it goes if nothing more comes.
    expires: Time,
}

/// The refusals of this door.
pub fn refusal(error: &Error) -> Reply {
    let reply = marked(problem::reply(error));
    match error {
        Error::PreconditionFailed => reply.with("Tus-Version", tus::VERSION),
        _ => reply,
    }
}

/// With what each answer of this door has.
fn marked(reply: Reply) -> Reply {
    reply.with("Tus-Resumable", tus::VERSION)
}

/// A good answer without a body.
fn empty(status: u16) -> Reply {
    marked(Reply::new(status, Body::Empty)).with("Cache-Control", "no-store")
}

/// What can be done with uploads.
pub fn tell() -> Told {
    let reply = empty(204).with("Tus-Version", tus::VERSION);
    Told(reply.with("Tus-Extension", tus::EXTENSIONS))
}

/// Begins an upload, with its first bytes, or all, in the body.
///
/// Errors: `PreconditionFailed`, `Unsupported`, `Invalid`, `Refused`, `Collision`, `TooLarge`, `DiskFull`, `TooSoon`,
/// `Disconnected`, `LimitReached`.
pub fn begin(call: &mut Call<'_>, desk: &impl Desk) -> Result<Begun> {
    tus::must_be_ours(call.request)?;
    if call.request.has_body() {
        tus::must_be_bytes(call.request)?;
    }
    let note = Note::of(call.request, desk)?;
    let wish = desk.wish(&note.metadata)?;
    let length = length_of(call.request)?;
    let share = call.share()?;
    let path = desk.place(&share, wish.path)?;
    share.foresee_upload(&path, wish.if_exists)?;
    let sent = if call.request.has_body() { call.request.content_length() } else { Some(0) };
    if sent.is_some_and(|sent| sent > length) {
        return Err(Error::TooLarge);
    }
    let days = call.app.config.settings().upload_days;
    let text = serde_json::to_string(&note).map_err(|_| Error::Bug("a note".into()))?;
    let mut upload = share.begin_lasting_upload(&UploadPlan {
        owner: desk.owner(),
        network: desk.network(),
        path: &path,
        length,
        kept: Duration::from_hours(24 * u64::from(days)),
        kept_empty: desk.network().map(|_guest| limits::UPLOAD_OF_GUEST_EMPTY_TIME),
        note: &text,
        comes_whole: sent == Some(length),
        hears: &|length| desk.uncount(length),
    })?;
    // Counted before its first byte, but not while it may still turn out not to fit: others would hear of a limit that
    // is not reached.
    if let Err(limit) = desk.count(length) {
        upload.discard()?;
        return Err(limit);
    }
    upload.ask_by(leave(call));
    prepare(&mut upload, &note);
    let id = upload.id().ok_or(Error::Bug("an upload without an id".into()))?.clone();
    let (upload, told) = take(call, desk, upload)?;
    let reply = empty(201).with("Location", format!("{}{}", desk.address(), id.as_str()));
    let reply = reply.with("Upload-Offset", told.to_string());
    if told == length {
        return Ok(Begun(with_end(reply, desk, &finish(call, desk, upload)?)));
    }
    Ok(Begun(with_expiry(reply, settled(upload)?)))
}

/// Drops an upload of which more came than was told, and takes back what was counted; what is to be said.
fn too_large(upload: Upload, desk: &impl Desk) -> Error {
    let length = upload.length().unwrap_or_default();
    match upload.discard() {
        Ok(()) => {
            desk.uncount(length);
            Error::TooLarge
        }
        // Whoever goes on with it by now answers for it.
        Err(theirs) => theirs,
    }
}

/// One's own that wait.
///
/// Errors: `PreconditionFailed`, `StorageAbsent`.
pub fn list(call: &mut Call<'_>, desk: &impl Desk) -> Result<Answer<Vec<Listed>>> {
    tus::must_be_ours(call.request)?;
    let share = call.share()?;
    let mut all = desk.listed().map_or(Ok(Vec::new()), |owner| share.uploads(owner))?;
    let caller = call.caller()?;
    all.retain(|waiting| is_reached(caller, &waiting.path));
    let all: Vec<Listed> = all.iter().map(|waiting| Listed::of(waiting, desk)).collect();
    Ok(Answer::of(&all)?.with("Tus-Resumable", tus::VERSION))
}

/// More bytes of one. Behind the last the file is put in place.
///
/// Errors: `PreconditionFailed`, `Unsupported`, `Invalid`, `NotFound`, `Refused`, `OtherOffset`, `TooLarge`, `DiskFull`,
/// `Disconnected`, those of placing.
pub fn go_on(call: &mut Call<'_>, desk: &impl Desk) -> Result<WentOn> {
    tus::must_be_ours(call.request)?;
    tus::must_be_bytes(call.request)?;
    let length = tus::bytes_in(call.request, "Upload-Length", WRONG_LENGTH)?;
    let offset = tus::bytes_in(call.request, "Upload-Offset", "Invalid offset")?;
    let offset = offset.ok_or(Error::invalid_as(Why::Missing, "No offset provided"))?;
    let mut upload = match find(call, desk, Some(leave(call)))? {
        Found::Ended(ended) if offset != ended.length => {
            return Err(Error::OtherOffset(ended.length));
        }
        Found::Ended(_) if call.request.has_body() => return Err(Error::TooLarge),
        Found::Ended(ended) => return Ok(WentOn(with_end(with_offset(204, offset), desk, &ended))),
        Found::Waits(upload) => *upload,
    };
    if length.is_some() && length != upload.length() {
        return Err(Error::invalid(WRONG_LENGTH));
    }
    if offset != upload.offset() {
        // What is told must last.
        upload.settle()?;
        return Err(Error::OtherOffset(upload.offset()));
    }
    let note = Note::parse(upload.note());
    prepare(&mut upload, &note);
    let (upload, told) = take(call, desk, upload)?;
    let reply = with_offset(204, told);
    if Some(told) == upload.length() {
        return Ok(WentOn(with_end(reply, desk, &finish(call, desk, upload)?)));
    }
    Ok(WentOn(with_expiry(reply, settled(upload)?)))
}

/// How much of one has come.
///
/// Errors: `PreconditionFailed`, `NotFound`, `Refused`, `StorageAbsent`.
pub fn look(call: &mut Call<'_>, desk: &impl Desk) -> Result<Stands> {
    tus::must_be_ours(call.request)?;
    for _ in 1..limits::RACE_TRIES_MAX {
        match stands(call, desk) {
            // Somebody else came to go on with it: a client that is told so begins anew.
            Err(Error::Conflict(_)) => {}
            told => return told,
        }
    }
    stands(call, desk)
}

/// The same, once.
///
/// Errors: `NotFound`, `Refused`, `Conflict` (somebody else came meanwhile), `StorageAbsent`.
fn stands(call: &Call<'_>, desk: &impl Desk) -> Result<Stands> {
    let mut upload = match find(call, desk, None)? {
        Found::Waits(upload) => *upload,
        Found::Ended(ended) => {
            let reply = with_offset(200, ended.length);
            let reply = reply.with("Upload-Length", ended.length.to_string());
            return Ok(Stands(with_end(reply, desk, &ended)));
        }
    };
    upload.settle()?;
    let reply = with_offset(200, upload.offset())
        .with("Upload-Length", upload.length().unwrap_or_default().to_string());
    let metadata = Note::parse(upload.note()).metadata;
    let reply = if metadata.is_empty() { reply } else { reply.with("Upload-Metadata", metadata) };
    Ok(Stands(with_expiry(reply, upload.expires())))
}

/// Whatever has come of one goes.
///
/// Errors: `PreconditionFailed`, `NotFound`, `StorageAbsent`.
pub fn remove(call: &mut Call<'_>, desk: &impl Desk) -> Result<Dropped> {
    tus::must_be_ours(call.request)?;
    let id = id_of(call)?;
    let (share, owner) = (call.share()?, owner_of(desk, &id)?);
    must_reach_waiting(call.caller()?, &share, owner, &id)?;
    let length = share.drop_upload(owner, &id)?;
    desk.uncount(length);
    Ok(Dropped(empty(204)))
}

/// Whether an upload to this place is one that the caller may know of: a narrowed key has to do with those of its user
/// as far as it may write.
fn is_reached(caller: &Caller, path: &VaultPath) -> bool {
    caller.narrowed_key().is_none() || caller.grant().may_write(path)
}

/// Sees to it that the caller may know of an upload that waits, if they came with a narrowed key.
///
/// Errors: `NotFound`, `Refused`, `StorageAbsent`.
fn must_reach_waiting(caller: &Caller, share: &Share, owner: &str, id: &UploadId) -> Result<()> {
    if caller.narrowed_key().is_none() {
        return Ok(());
    }
    let all = share.uploads(owner)?;
    let waiting = all.iter().find(|waiting| waiting.id == *id).ok_or(NO_UPLOAD)?;
    if is_reached(caller, &waiting.path) { Ok(()) } else { Err(Error::Refused) }
}

/// What is known of an upload.
enum Found {
    /// It waits to be gone on with; nobody else works on it any more.
    Waits(Box<Upload>),
    /// The file has its place.
    Ended(EndedUpload),
}

/// What is said of an upload that is not there, or is another's.
const NO_UPLOAD: Error = Error::NotFound("Upload not found");

/// The upload that the path names.
///
/// Errors: `NotFound`.
fn id_of(call: &Call<'_>) -> Result<UploadId> {
    let rest = call.rest().unwrap_or_default();
    UploadId::parse(&rest).ok_or(NO_UPLOAD)
}

/// Whose an upload is, among those that the caller may go on with.
///
/// Errors: `NotFound`.
fn owner_of<'a>(desk: &'a impl Desk, id: &UploadId) -> Result<&'a str> {
    let owner = desk.owners().iter().find(|owner| id.is_of(owner));
    owner.map(String::as_str).ok_or(NO_UPLOAD)
}

/// Finds the upload that the path names, and takes it over from whoever works on it; whoever takes it from here may
/// `ask` for it.
///
/// Errors: `NotFound` (also another's), `Refused`, `StorageAbsent`.
fn find(call: &Call<'_>, desk: &impl Desk, ask: Option<Ask>) -> Result<Found> {
    let id = id_of(call)?;
    let owner = owner_of(desk, &id)?;
    if let Some(ended) = Upload::ended(owner, &id) {
        return found_ended(call, ended);
    }
    match call.share()?.open_upload(owner, &id, ask) {
        // It may have ended this very moment.
        Err(Error::NotFound(sentence)) => {
            let ended = Upload::ended(owner, &id).ok_or(Error::NotFound(sentence))?;
            found_ended(call, ended)
        }
        opened => Ok(Found::Waits(Box::new(opened?))),
    }
}

/// One that has ended, for those who may know of it.
///
/// Errors: `Refused`.
fn found_ended(call: &Call<'_>, ended: EndedUpload) -> Result<Found> {
    let is_theirs = is_reached(call.caller()?, &ended.path);
    if is_theirs { Ok(Found::Ended(ended)) } else { Err(Error::Refused) }
}

/// How the sender of this request is asked to leave: the connection is cut, what has come by it is still read.
fn leave(call: &Call<'_>) -> Ask {
    let peer = call.request.peer();
    Box::new(move || peer.cut())
}

/// Readies an upload for what comes.
fn prepare(upload: &mut Upload, note: &Note) {
    let is_short = upload.length().is_some_and(|length| length <= limits::UPLOAD_HASHED_BYTES_MAX);
    if is_short || note.is_digest_wanted || note.digest.is_some() {
        upload.hash();
    }
}

/// Takes the body; returns how much is there. What has come of one that breaks off waits.
///
/// Errors: `TooLarge` (then nothing is left of it), `Conflict` (somebody else goes on with it), `Disconnected`, `Invalid`
/// (bad chunks), those of storing.
fn take(call: &mut Call<'_>, desk: &impl Desk, mut upload: Upload) -> Result<(Upload, u64)> {
    let whole = upload.length().unwrap_or(u64::MAX);
    let sent = if call.request.has_body() { call.request.content_length() } else { Some(0) };
    if sent.is_some_and(|sent| sent > whole - upload.offset()) {
        return Err(too_large(upload, desk));
    }
    match receive(call.request, &mut upload, whole) {
        Ok(()) => {
            let told = upload.offset();
            Ok((upload, told))
        }
        Err(Error::TooLarge) if upload.offset() >= whole => Err(too_large(upload, desk)),
        Err(error) => {
            // If that fails, what was durable before still is.
            let _as_well_as_we_can = upload.keep();
            Err(error)
        }
    }
}

/// Reads the body to its end into the upload, in whole blocks: writes that begin and end within a page cost twice as
/// much.
fn receive(request: &mut Request, upload: &mut Upload, whole: u64) -> Result<()> {
    if !request.has_body() {
        return Ok(());
    }
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    loop {
        let over = upload.offset() % buffer.len() as u64;
        let room = buffer.len() - usize::try_from(over).unwrap_or(0);
        let (count, read) = fill(request, &mut buffer[..room]);
        if count as u64 > whole - upload.offset() {
            upload.append(&buffer[..usize::try_from(whole - upload.offset()).unwrap_or(count)])?;
            return Err(Error::TooLarge);
        }
        upload.append(&buffer[..count])?;
        read?;
        if count < room {
            return Ok(());
        }
    }
}

/// Reads until the buffer is full, the body ends or breaks off: what has come counts all the same.
fn fill(request: &mut Request, buffer: &mut [u8]) -> (usize, Result<()>) {
    let mut count = 0;
    while count < buffer.len() {
        match request.as_reader().read(&mut buffer[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(cause) if cause.kind() == ErrorKind::InvalidData => {
                return (count, Err(Error::invalid("Malformed chunked body")));
            }
            Err(_) => return (count, Err(Error::Disconnected)),
        }
    }
    (count, Ok(()))
}

/// Makes durable what has come; returns when it goes if nothing more comes.
fn settled(mut upload: Upload) -> Result<Option<SystemTime>> {
    upload.settle()?;
    let expires = upload.expires();
    upload.keep()?;
    Ok(expires)
}

/// Puts the file in its place, as far as the caller may by now.
///
/// Errors: `SignIn`, `Refused`, `Gone`, those of placing; then the bytes wait.
fn finish(call: &Call<'_>, desk: &impl Desk, mut upload: Upload) -> Result<EndedUpload> {
    let share = call.share_by_now().and_then(|share| desk.look_again(&share).map(|()| share));
    let share: Share = match share {
        Ok(share) => share,
        Err(error) => {
            let _as_well_as_we_can = upload.keep();
            return Err(error);
        }
    };
    let note = Note::parse(upload.note());
    let wish = desk.wish(&note.metadata)?;
    if let Some(modified) = wish.modified {
        upload.date(modified);
    }
    // Nothing that was sent is lost to a name that was free when it began.
    let if_exists = match wish.if_exists {
        IfExists::Error(_) => IfExists::Rename,
        other => other,
    };
    let length = upload.length().unwrap_or_default();
    let finished = share.finish_upload(upload, if_exists, note.digest);
    let lose = |error: &Error| {
        if let Error::Invalid(Why::Digest, _) = error {
            desk.uncount(length);
        }
    };
    let (placed, ended) = finished.inspect_err(lose)?;
    let trash = placed.trash.as_ref().map(TrashId::as_str);
    let event = Event::uploaded(placed.path.as_str(), placed.is_new).trashed(trash);
    call.note_one_of_many(event.named(desk.name()));
    desk.has_come(&placed.path);
    Ok(ended)
}

/// An answer that tells how much has come.
fn with_offset(status: u16, offset: u64) -> Reply {
    empty(status).with("Upload-Offset", offset.to_string())
}

/// With when the upload goes.
fn with_expiry(reply: Reply, expires: Option<SystemTime>) -> Reply {
    match expires {
        Some(expires) => reply.with("Upload-Expires", tus::date(expires)),
        None => reply,
    }
}

/// With where the file is, and what it is.
fn with_end(reply: Reply, desk: &impl Desk, ended: &EndedUpload) -> Reply {
    let reply = with_expiry(reply, Some(ended.expires));
    let path = desk.told(&ended.path, &Note::parse(&ended.note).metadata);
    let reply = reply.with("Larder-Path", tus::path(&path));
    match ended.digest {
        Some(hash) => reply.with("Repr-Digest", tus::digest(hash)),
        None => reply,
    }
}

/// Bytes of the whole.
///
/// Errors: `Invalid`.
fn length_of(request: &Request) -> Result<u64> {
    let length = tus::bytes_in(request, "Upload-Length", WRONG_LENGTH)?;
    let is_deferred = request.header("Upload-Defer-Length").is_some();
    length.filter(|_| !is_deferred).ok_or(Error::invalid_as(Why::Missing, "No length provided"))
}

impl Note {
    /// That of a request that begins an upload.
    ///
    /// Errors: `Invalid`.
    fn of(request: &Request, desk: &impl Desk) -> Result<Self> {
        let digest = Digest::of(request)?;
        Ok(Self {
            metadata: tus::metadata_of(request)?,
            digest: digest.told,
            is_digest_wanted: digest.is_wanted,
            by: desk.told_apart_by(),
        })
    }

    /// That of an upload that waits. A drive may come from anywhere: what is none is as good as nothing.
    fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl Listed {
    /// One that waits.
    fn of(waiting: &Waiting, desk: &impl Desk) -> Self {
        let note = Note::parse(&waiting.note);
        let modified = desk.wish(&note.metadata).ok().and_then(|wish| wish.modified);
        Self {
            id: waiting.id.as_str().to_owned(),
            path: desk.told(&waiting.path, &note.metadata),
            size: waiting.length.unwrap_or(waiting.offset),
            offset: waiting.offset,
            modified: modified.and_then(to_the_millisecond),
            last: Time::of(waiting.last),
            expires: Time::of(waiting.expires.unwrap_or(waiting.last)),
        }
    }
}

/// A moment as browsers know it of files; `None` for one that the form cannot tell.
fn to_the_millisecond(time: SystemTime) -> Option<String> {
    let time = Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// What the document says of the fields.
#[cfg(test)]
mod manual {
    use super::*;
    use serde_json::{Value, json};

    /// A field: its name, what it says, and whether it must be there.
    type Field = (&'static str, &'static str, bool);

    /// Those of `POST`.
    pub const BEGINNING: &[Field] = &[
        ("Upload-Length", "Bytes of the whole.", true),
        (
            "Upload-Metadata",
            "Keys, each with its value in base64, separated by commas: `filename` (or `name`), `path` (the folder; made \
             if it is missing), `relativePath` (folders below it, ending in the file's name), `if_exists` (`error` if \
             left out), `modified` (milliseconds since 1970, or RFC 3339).",
            true,
        ),
        ("Repr-Digest", "The SHA-256 that the whole must have (RFC 9530).", false),
        (
            "Want-Repr-Digest",
            "`sha-256=1`: the last answer tells that hash, also of a large file.",
            false,
        ),
    ];

    /// Those of `PATCH`.
    pub const GOING_ON: &[Field] = &[("Upload-Offset", "How many bytes are there.", true)];

    /// Adds fields to an operation, and a body if there is one, that must or may be there.
    pub fn describe(operation: &mut Value, fields: &[Field], body: Option<bool>) {
        let version = ("Tus-Resumable", "The version of tus, `1.0.0`.", false);
        let fields = fields.iter().chain(std::iter::once(&version));
        let field = |(name, description, required): &Field| {
            let kind = match *name {
                "Upload-Length" | "Upload-Offset" => json!({ "type": "integer", "minimum": 0 }),
                "Tus-Resumable" => json!({ "const": tus::VERSION }),
                _ => json!({ "type": "string" }),
            };
            json!({
                "name": name, "in": "header", "required": required, "description": description,
                "schema": kind,
            })
        };
        operation["parameters"] = fields.map(field).collect();
        if let Some(is_required) = body {
            operation["requestBody"] = json!({
                "required": is_required, "content": { tus::MEDIA_TYPE: {} },
            });
        }
    }
}
