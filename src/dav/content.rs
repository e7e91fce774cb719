//! `GET` and `HEAD`: files as `/api/download` sends them to be shown.

use std::slice;

use crate::dav::{locking, refusal};
use crate::error::Result;
use crate::http::call::Call;
use crate::http::handlers::download;
use crate::http::reply::Reply;
use crate::vault::Kind;

/// Sends a file; of a folder one sentence, never a listing.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `PreconditionFailed`.
pub fn send(call: &mut Call<'_>) -> Result<Reply> {
    let (share, path) = locking::enter(call)?;
    if share.look(&path)?.kind == Kind::Folder {
        return Ok(refusal::said(
            200,
            "This is a folder; open it as a drive, or in larder's pages.",
        ));
    }
    let reply = download::deliver(call, slice::from_ref(&path), true, &mut || Ok(()))?;
    Ok(match reply.status {
        412 => refusal::said(412, "Precondition failed"),
        416 => refusal::worded(reply, "Range not satisfiable"),
        _ => reply,
    })
}
