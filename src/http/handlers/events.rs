//! Following changes: contract, sections 11 and 12. Server-Sent Events (WHATWG HTML, 9.2).

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tiny_http::ext::Body;

use crate::app::App;
use crate::error::{Error, Result, Why};
use crate::events::{Listener, News, Subscription};
use crate::http::answer::Answered;
use crate::http::call::Call;
use crate::http::gate::Pass;
use crate::http::handlers::jobs::{self, Job};
#[cfg(test)]
use crate::http::openapi::{Book, Responses};
use crate::http::question::{Query, Question};
use crate::http::reply::Reply;
use crate::jobs::Reach;
use crate::limits;
#[cfg(test)]
use crate::system::Sample;
use crate::vault::VaultPath;

/// What `events` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Follow {
    /// A folder to follow; all that may be read if left out.
    #[serde(default)]
    path: Vec<String>,
}

impl Question for Follow {}

/// Whoever hears this hears of everything from now on.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hello {
    /// Whether every folder that is followed is followed already.
    complete: bool,
}

/// Something in a folder is not as it was.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change<'a> {
    /// The folder.
    path: &'a str,
    /// Whether it may be in any folder below it, too; told where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deep: bool,
}

/// Events, without end.
pub struct Events(Reply);

impl Answered for Events {
    fn into_reply(self) -> Reply {
        self.0
    }

    #[cfg(test)]
    fn describe(book: &mut Book, responses: &mut Responses) {
        responses.insert(
            "200".to_owned(),
            serde_json::json!({
                "description": "`change`, `job` and `resources`, without end.",
                "content": { "text/event-stream": {} },
                // What stands in `data` of each.
                "x-events": {
                    "hello": book.answer::<Hello>(),
                    "change": book.answer::<Change<'_>>(),
                    "job": book.answer::<Job>(),
                    "resources": book.answer::<Sample>(),
                },
            }),
        );
    }
}

/// `GET /api/events`: what happens, as it happens. With `path`, given once or more, only of those
/// folders; else of all that the caller may read.
///
/// Errors: `Invalid`, `Refused`, `NotFound` (a folder that was named), `TooSoon`.
pub fn follow(call: &mut Call<'_>, ask: Query<Follow>) -> Result<Events> {
    let mut folders = Vec::new();
    for text in ask.read(call)?.path {
        let folder = VaultPath::parse(&text)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.len() > limits::EVENT_PATHS_MAX {
        return Err(Error::invalid_as(Why::TooMany, "Too many paths"));
    }
    for folder in &folders {
        match call.share().and_then(|share| share.list(folder)) {
            // A page waits for the drive with an open stream.
            Ok(_) | Err(Error::StorageAbsent) => {}
            Err(error) => return Err(error),
        }
    }
    let caller = call.caller()?;
    let peer = call.request.peer();
    let listener = Listener {
        user: call.user()?.id,
        grant: Arc::clone(caller.grant()),
        hears_all_jobs: jobs::reach(call)? == Reach::All,
        folders,
        is_gone: Box::new(move || peer.is_gone()),
    };
    let stream = Stream {
        app: Arc::clone(call.app),
        pass: Pass::new(caller, call.endpoint),
        // A browser that lost its stream comes back with this; nobody knows what it missed.
        has_missed: call.request.header("Last-Event-ID").is_some(),
        reach: jobs::reach(call)?,
        jobs_told: None,
        resources_told: None,
        subscription: call.app.events.subscribe(listener)?,
    };
    let body = Body::Stream(Box::new(move |out| stream.run(out)));
    let reply = Reply::new(200, body)
        .with("Content-Type", "text/event-stream")
        .with("Cache-Control", "no-store")
        // A proxy that gathers answers would hold events back.
        .with("X-Accel-Buffering", "no");
    Ok(Events(reply))
}

/// One stream while it runs, on its connection's own thread.
struct Stream {
    /// To judge the caller again.
    app: Arc<App>,
    /// The caller.
    pass: Pass,
    /// Whether the client may have missed something before it hears `hello`.
    has_missed: bool,
    /// Whose jobs are told.
    reach: Reach,
    /// The number of the last change of a job that was told, once any could be.
    jobs_told: Option<u64>,
    /// When it was last told what the machine is doing.
    resources_told: Option<Instant>,
    /// What comes.
    subscription: Subscription,
}

impl Stream {
    /// Writes events until the client leaves, may no longer listen, or the server ends.
    ///
    /// Errors: the client is gone or too slow.
    fn run(mut self, out: &mut dyn Write) -> io::Result<()> {
        // Whoever sees the head may rely on it: what changes from now on is told.
        let mut news = self.subscription.next(limits::EVENT_READY_TIME);
        self.has_missed |= news.is_followed.is_none();
        write!(out, "retry: {}\n\n", RETRY.as_millis())?;
        let mut written = Instant::now();
        loop {
            if news.is_over || !self.pass.is_good(&self.app) {
                return Ok(());
            }
            if self.subscription.is_gone() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let mut text = self.render(&news);
            if text.is_empty() && written.elapsed() >= limits::EVENT_HEARTBEAT_TIME {
                text.push_str(": still here\n\n");
            }
            if !text.is_empty() {
                out.write_all(text.as_bytes())?;
                written = Instant::now();
            }
            out.flush()?;
            news = self.subscription.next(limits::EVENT_CHECK_TIME);
        }
    }

    /// What is to be told, as text.
    fn render(&mut self, news: &News) -> String {
        let mut text = String::new();
        if let Some(is_complete) = news.is_followed {
            self.event(&mut text, "hello", &Hello { complete: is_complete });
        }
        if news.is_followed.is_some() || news.jobs {
            self.render_jobs(&mut text);
        }
        let is_due = |told: Instant| told.elapsed() >= limits::EVENT_RESOURCES_TIME;
        if self.resources_told.is_none_or(is_due) && self.pass.may_use(&self.app, "/api/resources")
        {
            self.resources_told = Some(Instant::now());
            self.event(&mut text, "resources", &self.app.resources.newest());
        }
        let is_new = news.is_followed.is_some() && std::mem::take(&mut self.has_missed);
        if !news.everything && !is_new {
            for folder in &news.folders {
                self.event(&mut text, "change", &Change { path: folder.as_str(), deep: false });
            }
            return text;
        }
        if self.subscription.folders().is_empty() {
            self.event(&mut text, "change", &Change { path: "", deep: true });
        }
        for folder in self.subscription.folders() {
            self.event(&mut text, "change", &Change { path: folder.as_str(), deep: false });
        }
        text
    }

    /// The jobs that have changed; at first those that run.
    fn render_jobs(&mut self, text: &mut String) {
        if !self.pass.may_use(&self.app, "/api/jobs") {
            return;
        }
        let (views, last) =
            self.app.jobs.changed_since(self.jobs_told.unwrap_or_default(), self.reach);
        let is_first = self.jobs_told.replace(last).is_none();
        for view in views.iter().filter(|view| !is_first || view.end.is_none()) {
            self.event(text, "job", &Job::from(view));
        }
    }

    /// Adds one event.
    fn event(&self, text: &mut String, name: &str, data: &impl Serialize) {
        let id = self.subscription.number();
        // What is told has no keys that JSON could not say, and no line breaks; a string takes all.
        let data = serde_json::to_string(data).unwrap_or_default();
        let _ = write!(text, "id: {id}\nevent: {name}\ndata: {data}\n\n");
    }
}

/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(3);
