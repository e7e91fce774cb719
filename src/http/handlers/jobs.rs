//! Work that lasts, and how it is watched and called off: contract, section 11.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{Error, Result};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::api::Endpoint;
use crate::http::call::Call;
use crate::http::problem;
use crate::http::question::{Ask, Question, Shape};
pub use crate::jobs::Kind;
use crate::jobs::{End, Owner, Reach, View};
use crate::logbook::Event;
use crate::vault::{Progress, TrashId, VaultPath};

/// What `jobs/cancel` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CancelJob {
    /// The job.
    id: String,
}

impl Question for CancelJob {}

sentence!(/// Of `jobs/cancel`.
    Cancelled, "Cancelled");

/// `GET /api/jobs`: one's own jobs, all for an admin, the oldest first.
pub fn list(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<Job>>> {
    let (views, _) = call.app.jobs.changed_since(0, reach(call)?);
    Answer::of(&views.iter().map(Job::from).collect())
}

/// `POST /api/jobs/cancel`: asks a job to stop.
///
/// Errors: `Invalid`, `NotFound`.
pub fn cancel(call: &mut Call<'_>, ask: Ask<CancelJob>) -> Result<Answer<Done<Cancelled>>> {
    let ask = ask.read(call)?;
    call.app.jobs.cancel(&ask.id, reach(call)?)?;
    call.note(Event::change("cancelled a job"));
    done()
}

/// Whose jobs the caller may see.
pub fn reach(call: &Call<'_>) -> Result<Reach> {
    if call.caller()?.may_see_all_jobs() {
        return Ok(Reach::All);
    }
    Ok(Reach::Own(owner(call)?))
}

/// Whose the jobs are that the caller starts.
pub fn owner(call: &Call<'_>) -> Result<Owner> {
    let key_id = call.caller()?.narrowed_key().map(|key| key.id);
    Ok(Owner { user: call.user()?.id, key_id })
}

/// Work that lasts.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Job {
    /// Its name.
    id: String,
    /// What it does.
    kind: JobKind,
    /// How far it is.
    state: JobState,
    /// Bytes that are done.
    done_bytes: u64,
    /// Bytes in all, as far as they are counted.
    total_bytes: u64,
    /// Files and folders that are done.
    done_items: u64,
    /// Files and folders in all, as far as they are counted.
    total_items: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("enum" = problem::CODES)))]
    code: Option<&'static str>,
    /// What could not be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Vec<String>>,
    /// What it has put into the trash so far.
    #[serde(serialize_with = "shared")]
    #[cfg_attr(test, schemars(with = "Vec<TrashId>"))]
    trash: Arc<Vec<TrashId>>,
    /// Where the things are that it has moved or copied, once it has ended; forgotten after a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<Places>,
}

/// What a job does.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum JobKind {
    /// Moves.
    Move,
    /// Copies.
    Copy,
    /// Deletes.
    Delete,
    /// Looks through folders for pictures.
    Photos,
}

/// How far a job is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum JobState {
    /// It goes on.
    Running,
    /// It has done all.
    Done,
    /// It ended early.
    Failed,
    /// It was called off.
    Cancelled,
}

impl From<&View> for Job {
    fn from(view: &View) -> Self {
        let (state, error) = match &view.end {
            None => (JobState::Running, None),
            Some(End::Done) => (JobState::Done, None),
            Some(End::Cancelled) => (JobState::Cancelled, None),
            Some(End::Failed(error)) => (JobState::Failed, Some(error)),
        };
        let kind = match view.kind {
            Kind::Move => JobKind::Move,
            Kind::Copy => JobKind::Copy,
            Kind::Delete => JobKind::Delete,
            Kind::Photos => JobKind::Photos,
        };
        Self {
            id: view.id.clone(),
            kind,
            state,
            done_bytes: view.counts.done_bytes,
            total_bytes: view.counts.total_bytes,
            done_items: view.counts.done_items,
            total_items: view.counts.total_items,
            error: error.map(|error| problem::sentence(error).to_owned()),
            code: error.map(|error| problem::code(error)),
            failed: error.and_then(|error| problem::failed(error)).map(<[String]>::to_vec),
            trash: Arc::clone(&view.trash),
            paths: view.paths.clone().map(Places),
        }
    }
}

/// Where things are.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(transparent)]
pub struct Places(
    #[serde(serialize_with = "shared")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub Arc<Vec<VaultPath>>,
);

/// A long list that many answers tell of.
pub fn shared<T: Serialize, S: Serializer>(
    list: &Arc<Vec<T>>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    list.as_slice().serialize(serializer)
}

/// Writes down what a caller's job did, also when the caller has left.
pub struct Scribe {
    /// Where the logbook is.
    app: Arc<App>,
    /// Who started it.
    caller: Caller,
    /// What they asked for.
    endpoint: &'static Endpoint,
    /// From where.
    address: IpAddr,
}

impl Scribe {
    /// For this caller.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        let caller = call.caller()?.clone();
        let (app, endpoint) = (Arc::clone(call.app), call.endpoint);
        Ok(Self { app, caller, endpoint, address: call.address })
    }

    /// Notes why a job has not done all.
    fn ended_early(&self, error: &Error) {
        self.note(Event::other(format!("a job ended early: {error}")));
    }

    /// Notes one of the things that were done.
    pub fn note(&self, event: Event) {
        let by = self.endpoint.by(Some(&self.caller), self.address);
        self.app.logbook.note_one_of_many(&by, event);
    }
}

/// What is done at once, or goes on as a job if that was asked for.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(untagged)]
pub enum OrJob<T> {
    /// It is done.
    Done(T),
    /// It goes on.
    Started(Started),
}

sentence!(/// Of what goes on as a job.
    JobStarted, "Started");

/// Work goes on as a job.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "JobStartedAnswer"))]
pub struct Started {
    /// What was done.
    status: JobStarted,
    /// What the job is called.
    job: String,
}

/// Starts work as a job and says so.
///
/// Errors: `TooSoon`.
pub fn start<T: Serialize + Shape>(
    call: &Call<'_>,
    kind: Kind,
    work: impl FnOnce(&Progress, &Scribe) -> Result<()> + Send + 'static,
) -> Result<Answer<OrJob<T>>> {
    let scribe = Scribe::of(call)?;
    let job = call.app.jobs.start(owner(call)?, kind, call.standing()?, move |progress| {
        work(progress, &scribe).inspect_err(|error| scribe.ended_early(error))
    })?;
    Answer::of(&OrJob::Started(Started { status: JobStarted, job }))
}

/// Starts work as a job that a user has one of at a place, and says so; so it does of one that runs.
///
/// Errors: `TooSoon`.
pub fn start_only(
    call: &Call<'_>,
    kind: Kind,
    place: &str,
    work: impl FnOnce(&Progress) -> Result<()> + Send + 'static,
) -> Result<Answer<Started>> {
    let scribe = Scribe::of(call)?;
    let (owner, standing) = (owner(call)?, call.standing()?);
    let job = call.app.jobs.start_only(owner, (kind, place), standing, move |progress| {
        work(progress).inspect_err(|error| scribe.ended_early(error))
    })?;
    Answer::of(&Started { status: JobStarted, job })
}
