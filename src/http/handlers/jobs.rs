//! Work that lasts, and how it is watched and called off: contract, section 11.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Result, Why};
use crate::http::body::{Field, text};
use crate::http::call::Call;
use crate::http::problem;
use crate::http::reply::{Reply, Status};
pub use crate::jobs::Kind;
use crate::jobs::{End, Reach, View};
use crate::logbook::{By, Event};
use crate::vault::{Progress, TrashId};

/// The fields of `jobs/cancel`.
pub const CANCEL: &[Field] = &[text("id")];

/// `GET /api/jobs`: one's own jobs, all for an admin, the oldest first.
pub fn list(call: &mut Call<'_>) -> Result<Reply> {
    let (views, _) = call.app.jobs.changed_since(0, reach(call)?);
    Reply::json(&views.iter().map(Shown::of).collect::<Vec<_>>())
}

/// `POST /api/jobs/cancel`: asks a job to stop.
///
/// Errors: `Invalid`, `NotFound`.
pub fn cancel(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let id = ask.text("id").ok_or(Error::invalid_as(Why::Missing, "No id provided"))?;
    call.app.jobs.cancel(id, reach(call)?)?;
    call.note(Event::change("cancelled a job"));
    Reply::json(&Status { status: "Cancelled" })
}

/// Whose jobs the caller may see.
pub fn reach(call: &Call<'_>) -> Result<Reach> {
    if call.caller()?.may_see_all_jobs() {
        return Ok(Reach::All);
    }
    Ok(Reach::Own(call.user()?.id))
}

/// A job in the contract's words.
#[derive(Serialize)]
pub struct Shown<'a> {
    /// Its name.
    id: &'a str,
    /// `move`, `copy` or `delete`.
    kind: &'static str,
    /// `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    /// See `Counts`.
    done_bytes: u64,
    /// See `Counts`.
    total_bytes: u64,
    /// See `Counts`.
    done_items: u64,
    /// See `Counts`.
    total_items: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What could not be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a [String]>,
    /// What it has put into the trash so far.
    trash: &'a [TrashId],
}

impl<'a> Shown<'a> {
    /// In the contract's words.
    pub fn of(view: &'a View) -> Self {
        let (state, error) = match &view.end {
            None => ("running", None),
            Some(End::Done) => ("done", None),
            Some(End::Cancelled) => ("cancelled", None),
            Some(End::Failed(error)) => ("failed", Some(error)),
        };
        let kind = match view.kind {
            Kind::Move => "move",
            Kind::Copy => "copy",
            Kind::Delete => "delete",
        };
        Self {
            id: &view.id,
            kind,
            state,
            done_bytes: view.counts.done_bytes,
            total_bytes: view.counts.total_bytes,
            done_items: view.counts.done_items,
            total_items: view.counts.total_items,
            error: error.map(|error| problem::sentence(error)),
            code: error.map(|error| problem::code(error)),
            failed: error.and_then(|error| problem::failed(error)),
            trash: &view.trash,
        }
    }
}

/// Writes down what a caller's job did, also when the caller has left.
pub struct Scribe {
    /// Where the logbook is.
    app: Arc<App>,
    /// Who started it.
    who: String,
    /// From where.
    address: IpAddr,
}

impl Scribe {
    /// For this caller.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        let who = call.caller()?.label().to_owned();
        Ok(Self { app: Arc::clone(call.app), who, address: call.address })
    }

    /// Notes one of the things that were done.
    pub fn note(&self, event: Event) {
        self.app.logbook.note_one_of_many(&By::api(Some(&self.who), self.address), event);
    }
}

/// Starts work as a job and says so.
///
/// Errors: `TooSoon`.
pub fn start(
    call: &Call<'_>,
    kind: Kind,
    work: impl FnOnce(&Progress, &Scribe) -> Result<()> + Send + 'static,
) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Started<'a> {
        /// The contract's sentence.
        status: &'static str,
        /// What the job is called.
        job: &'a str,
    }
    let scribe = Scribe::of(call)?;
    let job = call.app.jobs.start(call.user()?.id, kind, call.standing()?, move |progress| {
        let done = work(progress, &scribe);
        if let Err(error) = &done {
            scribe.note(Event::other(format!("a job ended early: {error}")));
        }
        done
    })?;
    Reply::json(&Started { status: "Started", job: &job })
}
