//! `MKCOL` and `DELETE`.

use tiny_http::ext::Body;

use crate::dav::door::Depth;
use crate::dav::{conditions, door, locking, multistatus, put};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::jobs;
use crate::http::reply::Reply;
use crate::jobs::Kind as JobKind;
use crate::logbook::Event;
use crate::vault::{Fate, Kind, TrashId};

/// Makes a folder. No body has a meaning here.
///
/// Errors: `Unsupported` (a body), `Refused`, `Collision`, `Conflict` (no folder around it), `Invalid`.
pub fn make(call: &mut Call<'_>) -> Result<Reply> {
    let (share, path) = locking::enter(call)?;
    door::must_write(call, &path)?;
    if call.request.has_body() && call.request.content_length() != Some(0) {
        return Err(Error::Unsupported);
    }
    if let Some(refused) = door::refuse_litter(call, &path) {
        return Ok(refused);
    }
    if path.is_root() {
        return Err(door::not_here());
    }
    put::must_have_folder(&share, &path)?;
    conditions::judge(call.request, &share, &path)?;
    share.make_folder(&path)?;
    call.note(Event::created_folder(path.as_str()));
    Ok(Reply::new(201, Body::Empty))
}

/// Deletes a file, or a folder with all that is in it, into the trash.
///
/// Errors: `Forbidden` (the root), `Refused`, `NotFound`, `Invalid` (a folder, and not all of it), `PreconditionFailed`.
pub fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let (share, path) = locking::enter(call)?;
    door::must_write(call, &path)?;
    if path.is_root() {
        return Err(Error::Forbidden);
    }
    let depth = door::depth(call.request)?;
    let is_folder = matches!(share.kind_of(&path), Ok(Kind::Folder));
    if is_folder && depth.is_some_and(|depth| depth != Depth::Infinity) {
        return Err(Error::invalid("A folder is deleted with all that is in it"));
    }
    conditions::judge(call.request, &share, &path)?;
    let ending = share.tokens_below(&share.own_place(&path));
    let removal = share.removal(std::slice::from_ref(&path), None, Fate::Trash)?;
    let owner = jobs::owner(call)?;
    let shown = call.app.jobs.wait_for_shown(owner, JobKind::Delete, call.standing()?)?;
    let what = if is_folder { "folder " } else { "" };
    let outcome = removal.run(&shown.progress, &mut |path, trash| {
        let trash = trash.map(TrashId::as_str);
        call.note_one_of_many(Event::deleted(what, path.as_str(), trash));
    });
    match outcome {
        Err(Error::Remains(paths)) => Ok(multistatus::of_remains(&paths)),
        Err(error) => Err(error),
        Ok(()) => {
            shown.done();
            share.end_locks(&ending);
            Ok(Reply::new(204, Body::Empty))
        }
    }
}
