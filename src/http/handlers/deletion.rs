//! Deleting several things at once, and what all deletions have in common: second contract, section 13.

use serde::Serialize;

use crate::error::Result;
use crate::http::body::{Ask, Field, flag, texts};
use crate::http::call::Call;
use crate::http::handlers::jobs;
use crate::http::handlers::transfers::paths_of;
use crate::http::reply::Reply;
use crate::logbook::Event;
use crate::vault::{Fate, Removal, TrashId, VaultPath};

/// The fields of `delete`.
pub const FIELDS: &[Field] = &[texts("paths"), flag("permanent"), flag("job")];

/// What a deletion answers.
#[derive(Serialize)]
pub struct Deleted {
    /// The contract's sentence.
    pub status: &'static str,
    /// Where in the trash it is.
    pub trash: Vec<TrashId>,
    /// Whether it is gone for good (contract, section 12); not said of what is in the trash.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

/// Where the caller wants a deleted thing to go.
pub fn wish(ask: &Ask) -> Fate {
    if ask.flag("permanent") { Fate::Gone } else { Fate::Trash }
}

/// `POST /api/delete`: several files and folders, all of them or none.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Remains`, `TooSoon` (a job).
pub fn delete(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct AllDeleted {
        /// The contract's sentence.
        status: &'static str,
        /// Where in the trash they are.
        trash: Vec<TrashId>,
        /// Whether any of them is gone for good.
        permanent: bool,
    }
    let ask = call.ask()?;
    let paths = paths_of(&ask)?;
    let removal = call.share()?.removal(&paths, None, wish(&ask))?;
    if ask.flag("job") {
        return start(call, removal, "");
    }
    let ids = removal.at_once(&mut |path, id| call.note_one_of_many(deleted("", path, id)))?;
    let permanent = ids.iter().any(Option::is_none);
    let trash = ids.into_iter().flatten().collect();
    Reply::json(&AllDeleted { status: "Deleted", trash, permanent })
}

/// What the log says of one thing; `what` stands before the path.
pub fn deleted(what: &str, path: &VaultPath, id: Option<&TrashId>) -> Event {
    Event::deleted(what, path.as_str(), id.map(TrashId::as_str))
}

/// Starts a deletion as a job; `what` stands before the path in the log.
///
/// Errors: `TooSoon`.
pub fn start(call: &Call<'_>, removal: Removal, what: &'static str) -> Result<Reply> {
    jobs::start(call, jobs::Kind::Delete, move |progress, scribe| {
        removal.run(progress, &mut |path, id| scribe.note(deleted(what, path, id)))
    })
}
