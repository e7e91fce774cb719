//! Moving and copying into a folder: contract, section 11.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, OrJob, Places, Scribe};
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
    paths: Places,
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

/// One of the two.
#[derive(Clone, Copy)]
struct Verb {
    /// What it does.
    kind: TransferKind,
    /// What it is as a job.
    job: Kind,
    /// What the log says of each thing: from where, and where it is now.
    told: fn(&str, &str) -> Event,
}

/// `POST /api/move`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn relocate(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
) -> Result<Answer<OrJob<Transferred<Moved>>>> {
    transfer(call, ask, Verb { kind: TransferKind::Move, job: Kind::Move, told: Event::moved })
}

/// `POST /api/copy`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn copy(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
) -> Result<Answer<OrJob<Transferred<Copied>>>> {
    transfer(call, ask, Verb { kind: TransferKind::Copy, job: Kind::Copy, told: Event::copied })
}

/// Either. Whatever can be refused is refused at once, also when the work goes on as a job.
fn transfer<S: Serialize + Default + Shape>(
    call: &mut Call<'_>,
    ask: Ask<TransferSeveral>,
    verb: Verb,
) -> Result<Answer<OrJob<Transferred<S>>>> {
    let ask = ask.read(call)?;
    let sources = paths_of(&ask.paths)?;
    let to = VaultPath::parse(&ask.to)?;
    let if_exists = ask.if_exists.map_or(IfExists::REFUSE, IfExists::from);
    let transfer = call.share()?.relocate_into(verb.kind, sources, &to, if_exists)?;
    if ask.job {
        return jobs::start(call, verb.job, move |progress, scribe| {
            run(&transfer, verb.told, progress, scribe)
        });
    }
    let progress = call.app.jobs.wait_for(call.standing()?);
    run(&transfer, verb.told, &progress, &Scribe::of(call)?)?;
    let paths = Places(progress.places().unwrap_or_default());
    let trash = progress.trash();
    Answer::of(&OrJob::Done(Transferred { status: S::default(), paths, trash }))
}

/// Does it and writes it down, also what was complete when the rest was called off.
fn run(
    transfer: &Transfer,
    told: fn(&str, &str) -> Event,
    progress: &Progress,
    scribe: &Scribe,
) -> Result<()> {
    let mut places = Vec::new();
    let done = transfer.run(progress, &mut |source, landed| {
        let trash = landed.trash().map(TrashId::as_str);
        scribe.note(told(source.as_str(), landed.path.as_str()).trashed(trash));
        places.push(landed.path.clone());
    });
    progress.found_places(places);
    done.map(|_landed| ())
}
