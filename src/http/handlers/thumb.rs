//! `/api/thumb`: small pictures of files, and those that a browser brings: second contract, section 18.

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;
use tiny_http::ext::{Body, Part};

use crate::auth::throttle::network_of;
use crate::error::{Error, Result};
use crate::http::answer::{Answer, Done, done, other_answer, sentence};
use crate::http::call::Call;
use crate::http::problem;
use crate::http::question::{Filled, Query, Question};
use crate::http::range::{self, Decision, Fields, Representation};
use crate::http::reply::Reply;
use crate::limits;
use crate::permits::{Permit, Permits};
use crate::picture::{self, Size, Wish};
use crate::thumbs::Thumb;
use crate::vault::{Pictured, SmallPicture, VaultPath};

/// Small pictures that are sent from memory at the moment: they have to wait for their clients.
static IN_MEMORY: Permits<()> =
    Permits::new(limits::THUMBS_IN_MEMORY_MAX, limits::THUMBS_IN_MEMORY_MAX);

/// Small pictures that guests of links wait for at the moment, by their networks: they must not fill the queue in which
/// users wait.
static FOR_GUESTS: Permits<IpAddr> =
    Permits::new(limits::THUMBS_FOR_GUESTS_MAX, limits::THUMBS_FOR_GUEST_MAX);

/// What `GET /api/thumb` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wanted {
    /// The file.
    path: Filled,
    /// The longer side in pixels at most: `160`, `320` or `1280`; `160` if left out.
    size: Option<String>,
    /// The `ETag` of the file that the caller knows: if it is still right, the answer may be kept for good.
    v: Option<String>,
}

impl Question for Wanted {}

other_answer!(/// A small picture.
    Sent,
    200: "The picture, upright." in "image/jpeg",
    304: "The client has it already.",
    404: "There is none. With `Larder-Thumb: wanted` a browser may make one and bring it.");

/// `GET /api/thumb`: a small picture of a file.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Busy`.
pub fn send(call: &mut Call<'_>, ask: Query<Wanted>) -> Result<Sent> {
    let ask = ask.read(call)?;
    let path = VaultPath::parse(&ask.path)?;
    match look(call, &path, (ask.size.as_deref(), ask.v.as_deref()))? {
        Looked::Found(reply) => Ok(Sent(reply)),
        Looked::None(file) => none(call, &path, &file),
    }
}

/// A place among the guests who wait for what must be made, for one of them; users need none.
///
/// Errors: `Busy`.
fn place_among_guests(call: &Call<'_>) -> Result<Option<Permit<'static, IpAddr>>> {
    if call.guest().is_err() {
        return Ok(None);
    }
    let busy = Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S };
    FOR_GUESTS.take(network_of(call.address)).map(Some).ok_or(busy)
}

/// What a look for a small picture finds.
pub enum Looked {
    /// The answer: the picture, or that the client has it.
    Found(Reply),
    /// There is none of this file.
    None(Box<Pictured>),
}

/// Looks for a small picture of a file in a size, and makes it if it can be made. Of which content the caller knows, by
/// its `ETag`, may be said.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Busy`.
pub fn look(
    call: &Call<'_>,
    path: &VaultPath,
    (size, v): (Option<&str>, Option<&str>),
) -> Result<Looked> {
    let size = match size {
        None => Size::Small,
        Some(text) => Size::try_from(text).map_err(|()| Error::invalid("Invalid size"))?,
    };
    let share = call.share()?;
    for _ in 0..limits::THUMB_TRIES_MAX {
        let file = share.open_pictured(path)?;
        let known = call.app.thumbs.known(&file, size);
        let etag = etag_of(&file, size, known.as_ref().and_then(|found| found.thumb.as_ref()));
        let is_known = v.map(|v| v.trim_matches('"')) == Some(&*file.file.tag);
        if is_had(call, &file, &etag) {
            return Ok(Looked::Found(with_tag(Reply::new(304, Body::Empty), etag, is_known)));
        }
        let found = if let Some(found) = known {
            found
        } else {
            let _place = place_among_guests(call)?;
            call.app.thumbs.of(&file, size, &wish_of(call)?)?
        };
        if let Some(thumb) = found.thumb {
            share.photo_was_seen(path);
            let etag = etag_of(&file, size, Some(&thumb));
            let reply = Reply::new(200, body_of(thumb)?).with("Content-Type", "image/jpeg");
            return Ok(Looked::Found(with_tag(reply, etag, is_known)));
        }
        if file.identity().is_none() || file.is_as_it_was()? {
            return Ok(Looked::None(Box::new(file)));
        }
        // It was changed while its picture was made.
    }
    Err(NO_THUMBNAIL)
}

/// There is none.
pub const NO_THUMBNAIL: Error = Error::NotFound("No thumbnail");

/// What tells a small picture of a file from any other.
fn etag_of(file: &Pictured, size: Size, thumb: Option<&Thumb>) -> String {
    format!("\"{}\"", file.thumb_tag(size.pixels(), thumb.and_then(Thumb::kept)))
}

/// Whether the client has this picture already. `*` stands for any that there is, which is not known yet.
fn is_had(call: &Call<'_>, file: &Pictured, etag: &str) -> bool {
    let if_none_match = call.request.header("If-None-Match").filter(|list| list.trim() != "*");
    let fields = Fields { if_none_match, ..Fields::default() };
    let now = Representation { etag, modified: file.file.modified, length: 0 };
    range::decide(&fields, &now) == Decision::NotModified
}

/// The fields of a picture and of "you have it".
fn with_tag(reply: Reply, etag: String, is_known: bool) -> Reply {
    let lasts = if is_known { "private, max-age=31536000, immutable" } else { "no-cache" };
    reply.with("ETag", etag).with("Cache-Control", lasts)
}

/// The bytes of a picture.
fn body_of(thumb: Thumb) -> Result<Body> {
    match thumb {
        Thumb::Kept(SmallPicture { file, length, .. }) => {
            Ok(Body::Parts(vec![Part::File { file, offset: 0, length }]))
        }
        Thumb::InMemory(jpeg) => {
            let retry_after_s = limits::PICTURES_RETRY_AFTER_S;
            let place = IN_MEMORY.take(()).ok_or(Error::Busy { retry_after_s })?;
            Ok(Body::Stream(Box::new(move |out| {
                let _place = place;
                out.write_all(&jpeg)
            })))
        }
    }
}

/// The answer that there is none, and whether a browser may bring one.
fn none(call: &Call<'_>, path: &VaultPath, file: &Pictured) -> Result<Sent> {
    let reply = problem::reply(&NO_THUMBNAIL);
    let is_welcome = picture::may_have_one(path.name())
        && file.takes_any()
        && call.may("/api/upload")?
        && call.share()?.look(path).is_ok_and(|entry| entry.writable);
    Ok(Sent(if is_welcome { reply.with("Larder-Thumb", "wanted") } else { reply }))
}

/// A caller who waits.
struct Asker<F> {
    /// Whether they are still there, and may still have what they asked for.
    is_wanted: F,
    /// Whether they come by a link: whoever is of the house goes first.
    is_guest: bool,
}

impl<F: Fn() -> bool> Wish for Asker<F> {
    fn is_wanted(&self) -> bool {
        (self.is_wanted)()
    }

    fn is_first(&self) -> bool {
        !self.is_guest
    }
}

/// The wish of a caller.
fn wish_of(call: &Call<'_>) -> Result<impl Wish + use<>> {
    let (peer, stands) = (call.request.peer(), call.standing_in_session()?);
    let is_wanted = move || !peer.is_gone() && stands();
    Ok(Asker { is_wanted, is_guest: call.guest().is_ok() })
}

/// What `POST /api/thumb` is asked by; the picture is the body.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Given {
    /// The file that it is a picture of.
    path: Filled,
}

impl Question for Given {}

sentence!(/// Of `POST /api/thumb`.
    ThumbnailKept, "Thumbnail kept");

/// `POST /api/thumb`: keeps a small picture that a browser has made of a file, for everybody who may read that.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `PreconditionFailed`, `TooLarge`, `Conflict`, `Busy`, `DiskFull`.
pub fn keep(call: &mut Call<'_>, ask: Query<Given>) -> Result<Answer<Done<ThumbnailKept>>> {
    let path = VaultPath::parse(&ask.read(call)?.path)?;
    let file = call.share()?.open_to_be_pictured(&path)?;
    let if_match = call.request.header("If-Match");
    // `*` says nothing of which content it is a picture.
    let if_match = if_match.filter(|list| list.trim() != "*");
    let fields = Fields {
        if_match: Some(if_match.ok_or(Error::invalid("No etag provided"))?),
        ..Fields::default()
    };
    let etag = format!("\"{}\"", file.file.tag);
    let now = Representation { etag: &etag, modified: file.file.modified, length: file.file.size };
    if range::decide(&fields, &now) == Decision::PreconditionFailed {
        return Err(Error::PreconditionFailed);
    }
    let jpeg = picture_of(call)?;
    call.must_still_be_let_in()?;
    let wish = wish_of(call)?;
    Arc::clone(call.app).thumbs.give(&file, &jpeg, &wish)?;
    done()
}

/// The picture in the body.
///
/// Errors: `TooLarge`, `Disconnected`.
fn picture_of(call: &mut Call<'_>) -> Result<Vec<u8>> {
    let bytes_max = limits::PICTURE_GIVEN_BYTES_MAX as u64;
    if call.request.content_length().is_some_and(|length| length > bytes_max) {
        return Err(Error::TooLarge);
    }
    let mut jpeg = Vec::new();
    let read = call.request.as_reader().take(bytes_max + 1).read_to_end(&mut jpeg);
    read.map_err(|_| Error::Disconnected)?;
    if jpeg.len() as u64 > bytes_max { Err(Error::TooLarge) } else { Ok(jpeg) }
}
