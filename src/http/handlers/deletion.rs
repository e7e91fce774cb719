//! Deleting several things at once, and what all deletions have in common: second contract, section 13.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, OrJob};
use crate::http::handlers::transfers::paths_of;
use crate::http::question::{Ask, Question, Shape};
use crate::logbook::Event;
use crate::vault::{Fate, Removal, TrashId, VaultPath};

/// What `delete_file` and `delete_folder` are asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteOne {
    /// What to delete.
    pub path: String,
    /// For good, past the trash.
    #[serde(default)]
    permanent: bool,
    /// As a job.
    #[serde(default)]
    pub job: bool,
}

impl Question for DeleteOne {}

impl DeleteOne {
    /// Where the caller wants it to go.
    pub fn fate(&self) -> Fate {
        wish(self.permanent)
    }
}

/// What the deletion of one thing answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "{S}Answer"))]
pub struct Deleted<S> {
    /// What was done.
    status: S,
    /// Where in the trash it is.
    trash: Vec<TrashId>,
    /// Whether it is gone for good (contract, section 12); not said of what is in the trash.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    permanent: bool,
}

impl<S: Default> Deleted<S> {
    /// Of a thing that has, or has not, this place in the trash.
    pub fn of(trash: Option<TrashId>) -> Self {
        let permanent = trash.is_none();
        Self { status: S::default(), trash: trash.into_iter().collect(), permanent }
    }
}

/// Where a caller wants a deleted thing to go.
fn wish(permanent: bool) -> Fate {
    if permanent { Fate::Gone } else { Fate::Trash }
}

/// What `delete` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteSeveral {
    /// What to delete: files and folders.
    paths: Vec<String>,
    /// For good, past the trash.
    #[serde(default)]
    permanent: bool,
    /// As a job.
    #[serde(default)]
    job: bool,
}

impl Question for DeleteSeveral {}

sentence!(/// Of `delete`.
    SeveralDeleted, "Deleted");

/// What `delete` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "DeletedAnswer"))]
pub struct AllDeleted {
    /// What was done.
    status: SeveralDeleted,
    /// Where in the trash they are.
    trash: Vec<TrashId>,
    /// Whether any of them is gone for good.
    permanent: bool,
}

/// `POST /api/delete`: several files and folders, all of them or none.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Remains`, `TooSoon` (a job).
pub fn delete(call: &mut Call<'_>, ask: Ask<DeleteSeveral>) -> Result<Answer<OrJob<AllDeleted>>> {
    let ask = ask.read(call)?;
    let paths = paths_of(&ask.paths)?;
    let removal = call.share()?.removal(&paths, None, wish(ask.permanent))?;
    if ask.job {
        return start(call, removal, "");
    }
    let ids = removal.at_once(&mut |path, id| call.note_one_of_many(deleted("", path, id)))?;
    let permanent = ids.iter().any(Option::is_none);
    let trash = ids.into_iter().flatten().collect();
    Answer::of(&OrJob::Done(AllDeleted { status: SeveralDeleted, trash, permanent }))
}

/// What the log says of one thing; `what` stands before the path.
pub fn deleted(what: &str, path: &VaultPath, id: Option<&TrashId>) -> Event {
    Event::deleted(what, path.as_str(), id.map(TrashId::as_str))
}

/// Starts a deletion as a job; `what` stands before the path in the log.
///
/// Errors: `TooSoon`.
pub fn start<T: Serialize + Shape>(
    call: &Call<'_>,
    removal: Removal,
    what: &'static str,
) -> Result<Answer<OrJob<T>>> {
    jobs::start(call, jobs::Kind::Delete, move |progress, scribe| {
        removal.run(progress, &mut |path, id| scribe.note(deleted(what, path, id)))
    })
}
