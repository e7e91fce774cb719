//! Moving and copying into a folder: contract, section 11.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, OrJob, Scribe};
use crate::http::handlers::upload::IfTaken;
use crate::http::question::{Ask, Question, Shape};
use crate::jobs::Kind;
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Progress, Transfer, TransferKind, TrashId, VaultPath};

/// What both are asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TransferSeveral {
    /// The files and folders.
    paths: Vec<String>,
    /// The folder that they go into.
    to: String,
    /// What to do about names that are taken there; `error` if left out.
    if_exists: Option<IfTaken>,
    /// As a job.
    #[serde(default)]
    job: bool,
}

impl Question for TransferSeveral {
    fn missing(field: &'static str) -> Option<&'static str> {
        (field == "to").then_some("No target provided")
    }
}

/// What both answer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "{S}Answer"))]
pub struct Transferred<S> {
    /// What was done.
    status: S,
    /// Where the things are now.
    paths: Vec<String>,
    /// Where in the trash is what they replaced.
    #[serde(serialize_with = "jobs::shared")]
    #[cfg_attr(test, schemars(with = "Vec<TrashId>"))]
    trash: Arc<Vec<TrashId>>,
}

sentence!(/// Of `move`.
    Moved, "Moved");
sentence!(/// Of `copy`.
    Copied, "Copied");

/// The things that a request names in `paths`: several at once, in a bounded number.
///
/// Errors: `Invalid`.
pub fn paths_of(given: &[String]) -> Result<Vec<VaultPath>> {
    if given.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No paths provided"));
    }
    if given.len() > limits::TRANSFER_PATHS_MAX {
        return Err(Error::invalid_as(Why::TooMany, "Too many paths"));
    }
    given.iter().map(|path| VaultPath::parse(path)).collect()
}

/// `POST /api/move`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn relocate(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
) -> Result<Answer<OrJob<Transferred<Moved>>>> {
    transfer(call, ask, TransferKind::Move)
}

/// `POST /api/copy`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn copy(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
) -> Result<Answer<OrJob<Transferred<Copied>>>> {
    transfer(call, ask, TransferKind::Copy)
}

/// Either. Whatever can be refused is refused at once, also when the work goes on as a job.
fn transfer<S: Serialize + Default + Shape>(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
    kind: TransferKind,
) -> Result<Answer<OrJob<Transferred<S>>>> {
    let ask = ask.read(call)?;
    let sources = paths_of(&ask.paths)?;
    let to = VaultPath::parse(&ask.to)?;
    let if_exists = ask.if_exists.map_or(IfExists::Error("Target already exists"), IfExists::from);
    let transfer = call.share()?.transfer(kind, &sources, &to, if_exists)?;
    if ask.job {
        let job = match kind {
            TransferKind::Move => Kind::Move,
            TransferKind::Copy => Kind::Copy,
        };
        return jobs::start(call, job, move |progress, scribe| {
            run(&transfer, &sources, progress, scribe).map(|_places| ())
        });
    }
    let progress = call.app.jobs.wait_for(call.standing()?);
    let places = run(&transfer, &sources, &progress, &Scribe::of(call)?)?;
    let paths = places.iter().map(|place| place.as_str().to_owned()).collect();
    let trash = progress.trash();
    Answer::of(&OrJob::Done(Transferred { status: S::default(), paths, trash }))
}

/// Does it and writes it down.
fn run(
    transfer: &Transfer,
    sources: &[VaultPath],
    progress: &Progress,
    scribe: &Scribe,
) -> Result<Vec<VaultPath>> {
    let told = match transfer.kind() {
        TransferKind::Move => Event::moved,
        TransferKind::Copy => Event::copied,
    };
    transfer.run(progress, &mut |number, landed| {
        if let Some(source) = sources.get(number) {
            let trash = landed.trash.as_ref().map(TrashId::as_str);
            scribe.note(told(source.as_str(), landed.path.as_str()).trashed(trash));
        }
    })
}
