//! Moving and copying into a folder: contract, section 11.

use serde::Serialize;

use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, flag, text, texts};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, Scribe};
use crate::http::handlers::upload::if_exists;
use crate::http::reply::Reply;
use crate::jobs::Kind;
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Progress, Transfer, TransferKind, TrashId, VaultPath};

/// The fields of both.
pub const FIELDS: &[Field] = &[texts("paths"), text("to"), text("if_exists"), flag("job")];

/// The things that a request names in `paths`: several at once, in a bounded number.
///
/// Errors: `Invalid`.
pub fn paths_of(ask: &Ask) -> Result<Vec<VaultPath>> {
    let given = ask.texts("paths").filter(|paths| !paths.is_empty());
    let given = given.ok_or(Error::invalid_as(Why::Missing, "No paths provided"))?;
    if given.len() > limits::TRANSFER_PATHS_MAX {
        return Err(Error::invalid_as(Why::TooMany, "Too many paths"));
    }
    given.iter().map(|path| VaultPath::parse(path)).collect()
}

/// `POST /api/move`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn relocate(call: &mut Call<'_>) -> Result<Reply> {
    transfer(call, TransferKind::Move)
}

/// `POST /api/copy`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `TooSoon` (a job).
pub fn copy(call: &mut Call<'_>) -> Result<Reply> {
    transfer(call, TransferKind::Copy)
}

/// Either. Whatever can be refused is refused at once, also when the work goes on as a job.
fn transfer(call: &mut Call<'_>, kind: TransferKind) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Transferred<'a> {
        /// The contract's sentence.
        status: &'static str,
        /// Where the things are now.
        paths: Vec<&'a str>,
        /// Where in the trash is what they replaced.
        trash: &'a [TrashId],
    }
    let ask = call.ask()?;
    let sources = paths_of(&ask)?;
    let to = VaultPath::parse(
        ask.text("to").ok_or(Error::invalid_as(Why::Missing, "No target provided"))?,
    )?;
    let if_exists = match ask.text("if_exists") {
        Some(text) => if_exists(text)?,
        None => IfExists::Error("Target already exists"),
    };
    let transfer = call.share()?.transfer(kind, &sources, &to, if_exists)?;
    if ask.flag("job") {
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
    let status = match kind {
        TransferKind::Move => "Moved",
        TransferKind::Copy => "Copied",
    };
    let paths = places.iter().map(VaultPath::as_str).collect();
    Reply::json(&Transferred { status, paths, trash: &progress.trash() })
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
