//! The way of a request: accept, route, lane, gate, handler, reply, logbook.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tiny_http::Request;
use tiny_http::ext::{Body, Limits, Refusal, Secured, TlsSource};

use crate::app::App;
use crate::auth::caller::{Caller, Credential};
use crate::auth::narrowed::Door;
use crate::auth::throttle::network_of;
use crate::dav;
use crate::error::{Error, Result, SignInProblem};
use crate::http::api::{Dictionary, Endpoint, Lane};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::http::router::{self, Route};
use crate::http::{coding, cors, gate, guests, host, https, problem, query, tus};
use crate::logbook::{By, Event};
use crate::metrics::{self, Traffic};
use crate::permits::{Permit, Permits};
use crate::settings::{Https, Settings};
use crate::store::Whence;
use crate::{limits, threads};

/// The running HTTP server.
pub struct Server {
    /// The floor: connections, heads, bodies.
    floor: Arc<tiny_http::Server>,
    /// The quick lane.
    workers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Answers on this listener from now on, and over TLS alone on the other.
    pub fn start(
        app: &Arc<App>,
        listener: TcpListener,
        alone: Option<TcpListener>,
    ) -> io::Result<Self> {
        let floor_limits = Limits {
            linger_bytes_max: limits::REFUSED_BODY_BYTES_MAX,
            piecemeal_media_type: tus::MEDIA_TYPE,
            ..Limits::default()
        };
        let lanes = Lanes::new();
        let for_connections = Arc::clone(app);
        let at_home = move |request| serve_at_home(&for_connections, &lanes, request);
        let floor = tiny_http::Server::start_secured(
            listener,
            floor_limits,
            refuse,
            Box::new(at_home),
            Secured { source: tls_source(app), alone },
        )?;
        let floor = Arc::new(floor);
        count_floor(&floor);
        let mut workers = Vec::new();
        for number in 1..=limits::QUICK_WORKERS {
            let (app, floor) = (Arc::clone(app), Arc::clone(&floor));
            workers.push(threads::spawn(&format!("http-{number}"), move || {
                while let Ok(request) = floor.recv() {
                    serve_one(&app, find(&app, &request), None, request);
                }
            })?);
        }
        Ok(Self { floor, workers })
    }

    /// Stops accepting, lets running requests finish within the bound, ends the workers.
    pub fn stop(self) {
        let _all_finished = self.floor.drain(limits::REQUESTS_DRAIN_TIME);
        for worker in self.workers {
            let _panicked = worker.join();
        }
    }
}

/// How the floor words what it refuses before anybody looks at it.
fn refuse(status: u16, reason: &'static str, target: &str) -> Refusal {
    let worded = if dav::is_ours(target) { dav::of_floor } else { problem::refusal };
    worded(status, reason)
}

/// What the floor counts is told with the rest.
fn count_floor(floor: &Arc<tiny_http::Server>) {
    let floor = Arc::downgrade(floor);
    metrics::ask_floor_by(move || {
        let counted = floor.upgrade().map(|floor| floor.counters()).unwrap_or_default();
        Traffic {
            connections: counted.connections,
            refused: counted.refused,
            turned_away: counted.turned_away,
            received_bytes: counted.received_bytes,
            sent_bytes: counted.sent_bytes,
        }
    });
}

/// Where the floor finds what a TLS connection is made from.
fn tls_source(app: &Arc<App>) -> TlsSource {
    let app = Arc::clone(app);
    Box::new(move || match app.config.settings().https.mode {
        Https::Off => None,
        // What is wrong with the certificate has been told.
        Https::On | Https::Only => app.tls.config_for_http().ok(),
    })
}

/// The rooms for requests that may take their time. What waits for the drive takes no place from what
/// waits for anything else.
struct Lanes {
    /// Of `Lane::Disk`.
    disk: Permits<IpAddr>,
    /// Of `Lane::Transfer`, and of bodies that are still to come.
    other: Permits<IpAddr>,
    /// Answers that are made while they are sent: their clients decide how long that takes.
    streams: Permits<IpAddr>,
    /// Of `Lane::Picture`.
    pictures: Permits<IpAddr>,
}

impl Lanes {
    /// Nobody is in any of them.
    fn new() -> Self {
        let lane = || Permits::new(limits::TRANSFERS_MAX, limits::TRANSFERS_PER_ADDRESS_MAX);
        let pictures = Permits::new(limits::THUMB_REQUESTS_MAX, limits::THUMB_REQUESTS_MAX);
        Self { disk: lane(), other: lane(), streams: lane(), pictures }
    }
}

/// Where a request is counted.
#[derive(Clone, Copy)]
struct Places<'a> {
    /// While it is worked on.
    work: &'a Permits<IpAddr>,
    /// What those hear who find none.
    too_many: fn() -> Error,
    /// While its answer is made and sent.
    streams: &'a Permits<IpAddr>,
}

/// Where a request leads.
fn find(app: &App, request: &Request) -> Route {
    let (path, _) = query::split(request.url());
    let method = tus::method_of(request, path);
    router::find(method, dav::path_of(method, path, app.config.settings().dav))
}

/// Answers on the connection's own thread what may wait, and gives back what a worker can answer from
/// memory. A worker never waits: neither for the drive nor for a client, so it takes no body that must
/// still be read.
fn serve_at_home(app: &Arc<App>, lanes: &Lanes, request: Request) -> Option<Request> {
    let route = find(app, &request);
    let mut too_many: fn() -> Error = too_soon;
    let has_query = !query::split(request.url()).1.is_empty();
    let work = match route.endpoint.as_ref().map(|endpoint| endpoint.lane_for(has_query)) {
        Ok(Lane::Disk) => &lanes.disk,
        Ok(Lane::Transfer) => &lanes.other,
        Ok(Lane::Picture) => {
            too_many = || Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S };
            &lanes.pictures
        }
        _ if request.body_is_buffered() => {
            threads::note_short_work();
            return Some(request);
        }
        _ => &lanes.other,
    };
    serve_one(app, route, Some(Places { work, too_many, streams: &lanes.streams }), request);
    None
}

/// Answers one request. Never panics outward, never leaves the caller without a reply.
fn serve_one(app: &Arc<App>, route: Route, places: Option<Places<'_>>, mut request: Request) {
    let settings = app.config.settings();
    let address = gate::client_address(&request, &settings.trusted_proxies);
    let path = query::split(request.url()).0.to_owned();
    let is_by_link = path.starts_with(router::LINKS);
    // No page of another origin has any business with what people come to by a link.
    let origins: &[String] = if is_by_link { &[] } else { &settings.cors_origins };
    let origin = cors::listed(request.header("Origin"), origins);
    let Route { endpoint, dictionary, allow, door } = route;
    let is_dav = door == Door::Dav;
    let manner = Manner {
        settings: &settings,
        streams: places.map(|places| places.streams),
        address,
        dictionary,
        door,
        may_compress: endpoint.as_ref().is_ok_and(|endpoint| endpoint.compresses),
        is_by_link,
        origin,
        origins,
    };
    // What is sent slowly is under way while it is read.
    let coming = (!request.body_is_buffered()).then(|| metrics::TRANSFERS.enter());
    let mut who = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        host::judge(app, &settings, &request)?;
        if is_dav {
            dav::judge(&settings, &request)?;
        } else if let Some(reply) = https::redirect(&settings, &request)? {
            return Ok(reply);
        }
        if !allow.is_empty()
            && !is_dav
            && let Some(reply) = cors::preflight(&request, origins, allow)
        {
            return Ok(reply);
        }
        if is_by_link && !guests::are_served(&settings) {
            return Err(Error::NotFound("Not found"));
        }
        let endpoint = endpoint?;
        let _place =
            places.map(|places| take(places.work, address, places.too_many)).transpose()?;
        answer(app, endpoint, address, &mut request, &mut who)
    }))
    .unwrap_or_else(|_panic| Err(Error::Bug("a handler panicked".into())));
    drop(coming);
    manner.give(app, outcome, who.as_ref(), request);
}

/// How an outcome is told.
struct Manner<'a> {
    /// As they were when the request came.
    settings: &'a Settings,
    /// Where answers that are made while they are sent find their place.
    streams: Option<&'a Permits<IpAddr>>,
    /// Where the client is.
    address: IpAddr,
    /// How refusals are worded.
    dictionary: Dictionary,
    /// By which door the request came.
    door: Door,
    /// Whether the answer may be compressed.
    may_compress: bool,
    /// Whether the request came by a link.
    is_by_link: bool,
    /// The origin of the request's page, if it is listed.
    origin: Option<String>,
    /// All that are.
    origins: &'a [String],
}

impl Manner<'_> {
    /// Sends it. It has a frame of its own: what an answer is made of would lie on the stack under all that a handler does,
    /// once for each that waits.
    #[inline(never)]
    fn give(self, app: &App, outcome: Result<Reply>, who: Option<&Caller>, request: Request) {
        let placed = outcome.map(|reply| with_place(reply, self.streams, self.address));
        let (outcome, _place) = match placed {
            Ok(Ok((reply, place))) => (Ok(reply), place),
            Ok(Err(error)) | Err(error) => (Err(error), None),
        };
        let reply = outcome.unwrap_or_else(|error| {
            note_failure(app, &error, &request, self.door, (who, self.address));
            (self.dictionary)(&error)
        });
        let reply = if self.may_compress { coding::fit(reply, &request) } else { reply };
        let reply = if self.is_by_link { guests::mark(reply) } else { reply };
        let reply = if self.door == Door::Dav { dav::mark(reply) } else { reply };
        metrics::answered(reply.status);
        let is_long = matches!(reply.body, Body::Stream(_) | Body::Parts(_));
        // A page that listens for what happens waits, and fetches nothing.
        let is_going = is_long && query::split(request.url()).0 != EVENTS;
        let _going = is_going.then(|| metrics::TRANSFERS.enter());
        let is_secure = gate::is_secure(&request, &self.settings.trusted_proxies);
        let reply = https::mark(reply, self.settings, is_secure);
        cors::mark(reply, self.origin, self.origins).send(request);
    }
}

/// Where larder is asked whether it is up.
const IS_UP: &str = "/api/is_up";

/// Where pages listen for what happens.
const EVENTS: &str = "/api/events";

/// An answer that is made while it is sent takes a place until it is.
///
/// Errors: `TooSoon`.
fn with_place(
    reply: Reply,
    streams: Option<&Permits<IpAddr>>,
    address: IpAddr,
) -> Result<(Reply, Option<Permit<'_, IpAddr>>)> {
    let is_stream = matches!(reply.body, Body::Stream(_));
    let place = streams
        .filter(|_| is_stream)
        .map(|streams| take(streams, address, too_soon))
        .transpose()?;
    Ok((reply, place))
}

/// Takes a place for this client.
///
/// Errors: what `too_many` says.
fn take(
    places: &Permits<IpAddr>,
    address: IpAddr,
    too_many: fn() -> Error,
) -> Result<Permit<'_, IpAddr>> {
    places.take(network_of(address)).ok_or_else(too_many)
}

/// What those hear for whom there is no place.
fn too_soon() -> Error {
    Error::TooSoon { retry_after_s: limits::TRANSFER_RETRY_AFTER_S }
}

/// Gate, then handler: each step goes on or returns its refusal. Who it is stands in `who` as soon as the gate
/// knows, also on failure.
fn answer(
    app: &Arc<App>,
    endpoint: &'static Endpoint,
    address: IpAddr,
    request: &mut Request,
    who: &mut Option<Caller>,
) -> Result<Reply> {
    *who = gate::recognize(app, endpoint, request)
        .map_err(|error| worded_for(endpoint, None, error))?;
    let who = who.as_ref();
    let worded = |error| worded_for(endpoint, who, error);
    if let Some(caller) = who {
        gate::admit(app, endpoint, caller).map_err(worded)?;
    }
    let mut call = Call::new(app, endpoint, address, request, who.cloned());
    let reply = (endpoint.handler)(&mut call).map_err(worded)?;
    guests::saw(&call)?;
    if let Some(caller) = who {
        saw(app, caller, address, request.header("User-Agent").unwrap_or_default());
    }
    Ok(reply)
}

/// Remembers that a user was here, and used their session or their key.
fn saw(app: &App, caller: &Caller, address: IpAddr, agent: &str) {
    let Some(user) = caller.user() else { return };
    app.users.saw(user, address, agent);
    app.presence.saw(user.id, &user.username, address);
    match caller.credential() {
        Credential::Session(session) => {
            app.users.saw_session(&session.id, Whence { address, agent });
        }
        Credential::Narrowed(key) => app.users.used_key(key, address),
        _ => {}
    }
}

/// The refusal as this endpoint says it: those of the second contract tell a caller who is known and may
/// not from one who is to sign in, and so do all to programs that have a key of their own.
fn worded_for(endpoint: &Endpoint, who: Option<&Caller>, error: Error) -> Error {
    let has_key = who.is_some_and(|caller| caller.narrowed_key().is_some());
    match error {
        Error::Refused if endpoint.forbids || has_key => Error::Forbidden,
        other => other,
    }
}

/// Writes down what the owner should know of; ordinary mistakes of callers are none of it.
fn note_failure(
    app: &App,
    error: &Error,
    request: &Request,
    door: Door,
    (who, address): (Option<&Caller>, IpAddr),
) {
    let (path, _) = query::split(request.url());
    let is_by_link = path.starts_with(router::LINKS);
    let told = format!("{} {}: {error}", request.method().as_str(), router::told(path));
    let nobody = match door {
        _ if is_by_link => By::link,
        Door::Dav => By::dav,
        Door::Api | Door::Ftp => By::api,
    };
    let by = who.map_or(nobody(None, address), |caller| caller.by_door(door, address));
    let refused = |told| Event::refused(told).whole();
    // Nobody has signed in for this: any page of the web can have it asked, as often as it likes.
    let is_anybodys = host::is_to_be_run(request) || is_by_link;
    match error {
        // Whoever watches asks every few seconds, and the drive that is away has its row.
        Error::StorageAbsent if path == IS_UP => {}
        Error::Forbidden | Error::DeniedByDrive
            if is_anybodys && app.refusal_throttle.admit(address).is_err() => {}
        Error::Forbidden | Error::DeniedByDrive if is_anybodys => {
            app.logbook.note_refusal(&by, refused(told));
        }
        Error::Refused | Error::Forbidden | Error::DeniedByDrive => {
            app.logbook.note(&by, refused(told));
        }
        // What lasts is told to all who ask, and of that one row tells as much as those of all.
        Error::Io(_) | Error::Store(_) | Error::Bug(_) | Error::DiskFull | Error::StorageAbsent
            if app.trouble_throttle.admit(address).is_ok() =>
        {
            app.logbook.note_refusal(&by, Event::other(told).whole());
        }
        Error::UnknownHost if app.refusal_throttle.admit(address).is_ok() => {
            let host = request.header("Host").unwrap_or_default();
            app.logbook.note_refusal(&by, refused(format!("{told}: {host}")));
        }
        // A wrong password has its row already, and one that is missing is only asked for.
        Error::SignIn(
            SignInProblem::WrongPassword
            | SignInProblem::CodeRequired
            | SignInProblem::WrongCode
            | SignInProblem::ClockNotSet
            | SignInProblem::WrongLinkPassword
            | SignInProblem::LinkPassword,
        ) => {}
        // Of a drive that does not answer one row tells as much as those of all who ask.
        Error::DriveBusy { .. } if app.refusal_throttle.admit(address).is_ok() => {
            app.logbook.note_refusal(&by, Event::other(told).whole());
        }
        // Anybody can send a wrong token, as fast as they like.
        Error::SignIn(_) if app.refusal_throttle.admit(address).is_ok() => {
            app.logbook.note_refusal(&by, refused(told));
        }
        _ => {}
    }
}
