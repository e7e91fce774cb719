//! The life of a server: starting, obeying signals, what goes on behind the requests, and the end. Owns both doors.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use serde_json::Map;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::app::{App, FirstAdmin, Overrides, State};
use crate::auth::password;
use crate::discovery::Discovery;
use crate::door::Door;
use crate::error::Error;
use crate::notify::{Failures, Kind, News, Troubles};
use crate::system::urls;
use crate::update::{self, Prepared};
use crate::{
    backup, ftp, http, limits, logbook, metrics, people, renew, secrets, service, terminal,
    threads, welcome,
};

/// What the command line and the environment decide; where they say nothing, the settings do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The state directory.
    pub state: PathBuf,
    /// The share root.
    pub root: Option<PathBuf>,
    /// The address to listen at.
    pub host: Option<IpAddr>,
    /// The port; 0 takes a free one.
    pub port: Option<u16>,
    /// The port of the FTP server.
    pub ftp_port: Option<u16>,
    /// Take the root as it is, whatever marker it has.
    pub new_root: bool,
    /// Take over settings and users from the backup that the drive carries.
    pub restore: bool,
}

/// Both doors, and the house behind them.
struct House {
    /// What they lend.
    app: Arc<App>,
    /// The pages and the API.
    http: http::Server,
    /// The FTP server; in the house it is known by what it can be told.
    ftp: Arc<ftp::Controller>,
    /// Who the first start made.
    admin: Option<FirstAdmin>,
}

/// `larder serve`.
///
/// Errors: one line for the person who started larder.
pub fn run(wishes: &Wishes) -> Result<ExitCode, String> {
    let admin_password = secrets::take("LARDER_ADMIN_PASSWORD");
    // Signals first, so that none that comes while starting is lost.
    let signals = catch_signals()?;
    update::end_with_parent()?;
    let executable = renew::own_path()?;
    raise_descriptor_limit();
    let endpoints = http::role_paths();
    let state = open_state(wishes, &endpoints)?;
    let folder = state.folder().to_path_buf();
    let (listener, address) = listen(wishes, &state)?;
    state.tell(address)?;
    let house = open_house(wishes, state, listener, address, admin_password)?;
    let app = Arc::clone(&house.app);
    app.logbook.note_own(logbook::Event::start(concat!(
        "larder ",
        env!("CARGO_PKG_VERSION"),
        " started"
    )));
    greet(&house, address, &folder);
    background(&app)?;
    // What a trial makes of the databases may be taken back; it is nothing to keep.
    if !update::is_trial() {
        backup::keep_daily(&app, folder).map_err(cannot_start)?;
    }
    service::watch(address).map_err(cannot_start)?;
    service::ready();
    let (events, inbox) = mpsc::channel();
    pass_on(signals, events.clone())?;
    let prepared = match wait_for_the_end(house, &endpoints, &executable, &events, &inbox)? {
        End::Stopped => return Ok(ExitCode::SUCCESS),
        End::AtOnce => return Ok(ExitCode::FAILURE),
        End::Renewed(prepared) => prepared,
    };
    // What was taken over is there; the new one would refuse to do it again.
    let given = std::env::args_os().skip(1).filter(|word| word != "--restore");
    let found_port = (wishes.port == Some(0)).then_some(address.port());
    let arguments = update::arguments(given, found_port);
    let was_stopped = Cell::new(false);
    let is_stopped = || {
        let asked = inbox.try_iter().any(|event| matches!(event, Event::Stop));
        was_stopped.set(was_stopped.get() || asked);
        was_stopped.get()
    };
    renew::take_over(&app, &prepared, &arguments, &is_stopped)
}

/// What is said of whatever has to run and can't.
fn cannot_start(cause: impl std::fmt::Display) -> String {
    format!("can't start: {cause}")
}

/// From now on signals wait to be obeyed.
fn catch_signals() -> Result<Signals, String> {
    let say = |cause| format!("signals: {cause}");
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1]).map_err(say)?;
    // A file beyond a limit of the process is a failed write of whoever writes it. With a handler, which programs
    // that larder starts do not inherit, the signal that comes along does nothing else.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(say)?;
    Ok(signals)
}

/// Opens the state directory; with `--restore` from the backup.
fn open_state(wishes: &Wishes, endpoints: &[&'static str]) -> Result<State, String> {
    let state = State::open(&wishes.state, endpoints)?;
    if wishes.restore {
        let configured =
            wishes.root.clone().unwrap_or_else(|| state.config.settings().path.clone().into());
        backup::restore(state.folder(), &state.folder().join(configured))?;
        // Nobody could open them here; whoever counts on one must hear that it is not there.
        terminal::warn(
            "--restore: second factors are in no backup; whoever had one signs in without, until it is set up anew",
        );
        state.config.reload(endpoints)?;
    }
    Ok(state)
}

/// Listens for HTTP; gives where.
fn listen(wishes: &Wishes, state: &State) -> Result<(TcpListener, SocketAddr), String> {
    let settings = state.config.settings();
    let wanted =
        SocketAddr::new(wishes.host.unwrap_or(settings.host), wishes.port.unwrap_or(settings.port));
    let listener =
        TcpListener::bind(wanted).map_err(|cause| format!("can't listen at {wanted}: {cause}"))?;
    let address = listener.local_addr().map_err(|cause| format!("{wanted}: {cause}"))?;
    Ok((listener, address))
}

/// Listens where HTTP is spoken over TLS alone, if anywhere: not where everything is spoken already. Everything else is
/// worth having without it.
fn listen_for_tls(app: &App, host: IpAddr, taken: u16) -> Option<TcpListener> {
    let told = match app.config.settings().https.port {
        0 => return None,
        port if port == taken => Err(format!(
            "https_port must be another than port: nothing but HTTPS is spoken there, and {taken} speaks both"
        )),
        port => {
            let wanted = SocketAddr::new(host, port);
            TcpListener::bind(wanted)
                .map_err(|cause| format!("HTTPS can't listen at {wanted}: {cause}"))
        }
    };
    told.inspect_err(|line| {
        terminal::warn(line);
        app.logbook.note_own(logbook::Event::other(line.clone()));
    })
    .ok()
}

/// Builds the house and opens its doors.
fn open_house(
    wishes: &Wishes,
    state: State,
    listener: TcpListener,
    address: SocketAddr,
    admin_password: Option<String>,
) -> Result<House, String> {
    let overrides = Overrides {
        root: wishes.root.clone(),
        new_root: wishes.new_root,
        admin_password,
        covered: wishes.covered(address.port()),
    };
    let (app, admin) = App::build(state, &overrides)?;
    let host = wishes.host.unwrap_or(app.config.settings().host);
    let lent = lend_to_ftp(&app);
    let ftp = Arc::new(ftp::Controller::new(lent, host, wishes.ftp_port));
    app.hang_ftp(Arc::<ftp::Controller>::clone(&ftp));
    let app = Arc::new(app);
    let alone = listen_for_tls(&app, host, address.port());
    let tls_port = alone.as_ref().and_then(|listener| listener.local_addr().ok());
    let http = http::Server::start(&app, listener, alone).map_err(cannot_start)?;
    if app.config.settings().ftp.is_on {
        // Everything else is worth having without it.
        ftp.follow(&app.config.settings());
    }
    announce(&app, address, tls_port.map(|address| address.port()));
    Ok(House { app, http, ftp, admin })
}

/// Announces larder in the local network. Everything else is worth having without it.
fn announce(app: &App, address: SocketAddr, tls_port: Option<u16>) {
    // The program on trial would answer beside the one that it is to take the place of.
    if update::is_trial() {
        return;
    }
    let tls = Arc::clone(&app.tls);
    match Discovery::new(&app.logbook, move |label| tls.announced_as(label)) {
        Ok(discovery) => app.hang_discovery(discovery, address, tls_port),
        Err(cause) => terminal::warn(&format!("not announced in the network: {cause}")),
    }
}

/// What the FTP door gets of the house.
fn lend_to_ftp(app: &App) -> ftp::Lent {
    ftp::Lent {
        config: Arc::clone(&app.config),
        vault: app.vault.clone(),
        logbook: Arc::clone(&app.logbook),
        sign_in: Arc::clone(&app.sign_in),
        sessions: Arc::clone(&app.sessions),
        tls: Arc::clone(&app.tls),
    }
}

impl Wishes {
    /// The keys of the settings that are decided here, with what they are; `port` is the one that was found
    /// free where any was asked for.
    fn covered(&self, port: u16) -> Map<String, serde_json::Value> {
        let root = || self.root.as_ref().map(|root| root.to_string_lossy().into_owned());
        let given = [
            ("path", root().map(serde_json::Value::from)),
            ("host", self.host.map(|host| host.to_string().into())),
            ("port", self.port.map(|_| port.into())),
            ("ftp_port", self.ftp_port.map(serde_json::Value::from)),
        ];
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// Tells the person who started larder where to find it, once who may sign in, and of a backup that waits.
fn greet(house: &House, address: SocketAddr, folder: &Path) {
    print_banner(address, house);
    if house.admin.is_some()
        && let Some(made) = backup::offered(folder, &house.app.vault)
    {
        terminal::say(&format!(
            "  The drive carries settings and users of an earlier larder, of {}. To take them over, stop larder \
             and start it once with --restore",
            jiff::Timestamp::try_from(made).unwrap_or_default().strftime("%Y-%m-%d")
        ));
    }
}

/// Turns signals into events, as long as anybody hears them.
fn pass_on(mut signals: Signals, events: mpsc::Sender<Event>) -> Result<(), String> {
    threads::spawn("signals", move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGHUP => Event::Reload,
                SIGUSR1 => Event::Update,
                _ => Event::Stop,
            };
            if events.send(event).is_err() {
                break;
            }
        }
    })
    .map(|_runs_as_long_as_we_do| ())
    .map_err(cannot_start)
}

/// What the main thread waits for.
enum Event {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// Everything that ran has finished.
    Stopped,
    /// SIGUSR1: somebody wants the newest release.
    Update,
    /// What came of it.
    Prepared(Option<Prepared>),
}

/// How serving ended.
enum End {
    /// Everything that ran has finished.
    Stopped,
    /// A second signal did not want to wait for that.
    AtOnce,
    /// As `Stopped`, and this program is to go on.
    Renewed(Prepared),
}

/// Obeys signals until the server has stopped; a second one to stop ends at once.
fn wait_for_the_end(
    house: House,
    endpoints: &[&str],
    executable: &Path,
    events: &mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<End, String> {
    let app = Arc::clone(&house.app);
    let mut house = Some(house);
    let (mut is_updating, mut next) = (false, None::<Prepared>);
    for event in inbox {
        match event {
            Event::Reload => reload(&app, endpoints),
            Event::Stop => {
                service::stopping();
                match (house.take(), next.take()) {
                    (Some(house), _) => stop(house, events)?,
                    // It was stopping for an update; now it only stops.
                    (None, Some(prepared)) => prepared.discard(),
                    (None, None) => return Ok(End::AtOnce),
                }
            }
            Event::Update if is_updating || house.is_none() || update::is_trial() => {}
            Event::Update => {
                is_updating = look_for_update(&app, executable, events);
            }
            Event::Prepared(None) => is_updating = false,
            Event::Prepared(Some(prepared)) => match house.take() {
                Some(house) => {
                    service::renewing();
                    next = Some(prepared);
                    stop(house, events)?;
                }
                None => prepared.discard(),
            },
            Event::Stopped => break,
        }
    }
    Ok(next.map_or(End::Stopped, End::Renewed))
}

/// Reads settings and roles again.
fn reload(app: &App, endpoints: &[&str]) {
    service::reloading();
    match app.reload(endpoints) {
        Ok(()) => app.logbook.note_own(logbook::Event::change("settings and roles read again")),
        Err(line) => {
            terminal::warn(&line);
            let words = format!("settings and roles not read again: {line}");
            app.logbook.note_own(logbook::Event::other(words));
        }
    }
    service::ready();
}

/// Lets what runs finish, and closes everything; `Stopped` follows.
fn stop(house: House, events: &mpsc::Sender<Event>) -> Result<(), String> {
    let House { app, http, ftp, .. } = house;
    app.is_stopping.store(true, Ordering::Release);
    // A command of the console has the same time as any request, and then ends before its
    // connection is waited for; without the thread it ends a second later.
    let console = Arc::clone(&app);
    let _at_the_latest = threads::spawn("last-commands", move || {
        std::thread::sleep(limits::DRAIN_TIME);
        console.console.stop();
    });
    let done = events.clone();
    threads::spawn("stopping", move || {
        let begun = Instant::now();
        app.fall_silent();
        app.notifier.end();
        ftp.close();
        // An open page must not keep us for the whole time to drain.
        app.events.close();
        app.searches.close();
        // Nor must a copy of a whole drive: it stops at once, and leaves what is complete.
        app.jobs.close();
        // Nor must a drive that does not answer.
        app.vault.stop_waiting();
        http.stop();
        app.jobs.wait_until_ended(limits::DRAIN_TIME.saturating_sub(begun.elapsed()));
        ftp.finish(limits::DRAIN_TIME.saturating_sub(begun.elapsed()));
        app.close();
        let _nobody_waits = done.send(Event::Stopped);
    })
    .map(|_it_tells_us| ())
    .map_err(|cause| format!("can't stop cleanly: {cause}"))
}

/// Looks for a newer program behind the requests; `Prepared` follows. False when that can't begin.
fn look_for_update(app: &Arc<App>, executable: &Path, events: &mpsc::Sender<Event>) -> bool {
    let (for_thread, executable, done) =
        (Arc::clone(app), executable.to_path_buf(), events.clone());
    let started = threads::spawn("update", move || {
        let prepared = renew::prepare(&for_thread, &executable);
        let _nobody_waits = done.send(Event::Prepared(prepared));
    });
    if let Err(cause) = &started {
        app.logbook.note_own(logbook::Event::other(format!("update: can't begin: {cause}")));
    }
    started.is_ok()
}

/// What may go on behind the first requests: clearing up after a crash, and hashing the decoy.
fn background(app: &Arc<App>) -> Result<(), String> {
    let keeper = Arc::clone(app);
    threads::spawn("trash", move || keep_trash(&keeper)).map_err(cannot_start)?;
    let listener = Arc::clone(app);
    threads::spawn("silence", move || watch_silence(&listener)).map_err(cannot_start)?;
    let app = Arc::clone(app);
    threads::spawn("background", move || {
        // Not behind a drive that may not answer.
        if let Err(error) = password::warm_up() {
            app.logbook.note_own(logbook::Event::other(format!("starting: {error}")));
        }
        sweep(&app);
        watch_drive(&app);
    })
    .map(|_runs_as_long_as_we_do| ())
    .map_err(cannot_start)
}

/// Keeps the trash, and small pictures, within their bounds. While there is nothing to do it asks only the memory, so that an idle
/// drive may sleep.
fn keep_trash(app: &App) {
    loop {
        let begun = Instant::now();
        // A drive that is not there is told of below.
        let _again_later = app.vault.prune_thumbs();
        let _again_later = app.vault.prune_names();
        let rest = match app.vault.prune_trash() {
            Ok(removed) => {
                if removed > 0 {
                    let words = format!("the trash was cleared of {removed} old things");
                    app.logbook.note_own(logbook::Event::cleared(words));
                }
                limits::TRASH_KEEPER_TIME.max(begun.elapsed() * limits::TRASH_KEEPER_REST)
            }
            Err(Error::StorageAbsent) => limits::DRIVE_WATCH_TIME,
            Err(error) => {
                app.logbook.note_own(logbook::Event::other(format!("clearing the trash: {error}")));
                limits::TRASH_KEEPER_PATIENCE
            }
        };
        std::thread::sleep(rest);
    }
}

/// Removes what a crash left half done.
fn sweep(app: &App) {
    if let Ok(removed @ 1..) = app.vault.sweep() {
        let words = format!("{removed} unfinished files of an earlier run were removed");
        app.logbook.note_own(logbook::Event::other(words));
    }
    // By now things are where they stay.
    app.settle_links();
}

/// Tells the owner when the drive goes and when it comes back.
fn watch_drive(app: &App) {
    let mut was_there = true;
    loop {
        let is_there = app.vault.is_present();
        if is_there != was_there {
            let news =
                if is_there { "the storage is back" } else { "the storage is not available" };
            terminal::warn(news);
            app.logbook.note_own(logbook::Event::other(news));
            let (kind, text) = if is_there {
                (Kind::DriveBack, "The drive with the files is there again.")
            } else {
                (Kind::DriveGone, "The drive with the files is not there any more.")
            };
            app.notifier.raise(News::new(kind, text));
            was_there = is_there;
            if is_there {
                sweep(app);
            }
        }
        app.resources.look_at_drive();
        if let Ok(removed @ 1..) = app.vault.sweep_again() {
            let words = format!("{removed} unfinished files were removed at last");
            app.logbook.note_own(logbook::Event::other(words));
        }
        if let Ok(removed @ 1..) = app.vault.tend_uploads(app) {
            let words = format!("{removed} uploads were removed that nobody goes on with");
            app.logbook.note_own(logbook::Event::cleared(words));
        }
        app.write_sightings();
        app.write_uses_of_links();
        std::thread::sleep(limits::DRIVE_WATCH_TIME);
    }
}

/// Tells the owner which drives do not answer, or are waited for by what was cut off. On a thread of its own, which asks no drive: one that does would wait
/// with the first drive that it is to tell of.
fn watch_silence(app: &App) {
    let (mut silent, mut missed) = (Vec::new(), Vec::new());
    let (mut troubles, mut failures) = (Troubles::default(), Failures::default());
    loop {
        let now = app.vault.silent_drives();
        silent = tell_of_drives(app, &silent, now, ["does not answer", "answers again"]);
        let now = app.vault.missed_drives();
        missed = tell_of_drives(app, &missed, now, [MISSED, MISSED_NO_MORE]);
        let failed = metrics::SIGN_IN_FAILURES.get();
        let news = failures.look(failed, Instant::now()).into_iter();
        let news = news.chain(troubles.look(&app.resources.known().warnings));
        news.for_each(|news| app.notifier.raise(news));
        std::thread::sleep(limits::DRIVE_WATCH_TIME);
    }
}

/// What is said of a drive that is missed.
const MISSED: &str =
    "is missed: what was cut off there can only be taken back when it is connected again";

/// What is said of it when it is not any more.
const MISSED_NO_MORE: &str = "is missed no more: nothing waits for it";

/// Tells the owner of which drives something is so that was not before, and of which it is so no more; gives those of
/// which it is so.
fn tell_of_drives(
    app: &App,
    before: &[PathBuf],
    now: Vec<PathBuf>,
    news: [&str; 2],
) -> Vec<PathBuf> {
    let tell = |drive: &Path, kind: Kind, news: &str| {
        let line = format!("the drive at {} {news}", drive.display());
        terminal::warn(&line);
        app.notifier.raise(News::new(kind, &format!("The{}.", &line["the".len()..])));
        app.logbook.note_own(logbook::Event::other(line));
    };
    for drive in now.iter().filter(|drive| !before.contains(drive)) {
        tell(drive, Kind::DriveGone, news[0]);
    }
    for drive in before.iter().filter(|drive| !now.contains(drive)) {
        tell(drive, Kind::DriveBack, news[1]);
    }
    now
}

/// As many descriptors as the system lets us have: each connection and each open file needs one.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let present = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: present.maximum, maximum: present.maximum };
    // With fewer the floor makes room by closing idle connections.
    let _as_before = setrlimit(Resource::Nofile, raised);
}

/// Where to find larder, and once who may sign in.
fn print_banner(address: SocketAddr, house: &House) {
    let app = &house.app;
    let mut lines = vec![format!(
        "larder {} is serving {}",
        env!("CARGO_PKG_VERSION"),
        app.vault.root().display()
    )];
    lines.extend(urls(address).into_iter().map(|url| format!("  {url}")));
    lines.extend(app.announced_url().map(|url| format!("  {url}")));
    if let Some(address) = house.ftp.address() {
        lines.extend(urls(address).into_iter().map(|url| format!("  ftp{}", &url["http".len()..])));
    }
    match &house.admin {
        Some(FirstAdmin { password: Some(password) }) => lines.push(format!(
            "  Sign in as admin with the password {password} (shown only now; change it after signing in)"
        )),
        Some(FirstAdmin { password: None }) => {
            lines.push("  Sign in as admin with the password in LARDER_ADMIN_PASSWORD".to_owned());
        }
        None => {}
    }
    if house.admin.is_some() {
        lines.extend(welcome_first(app, address));
    }
    lines.extend(trust(app, address));
    if !app.vault.is_present() {
        lines.push(
            "  The storage is not available: is the drive mounted? (--new-root takes another)"
                .to_owned(),
        );
    }
    terminal::say(&lines.join("\n"));
}

/// What devices are told to trust, and where that is shown to them.
fn trust(app: &App, address: SocketAddr) -> Option<String> {
    // What is wrong with it was told by whoever looked.
    let authority = app.tls.authority().ok().flatten()?;
    let url = urls(address).into_iter().next()?;
    Some(format!(
        "  Encrypted, once a device trusts it ({url}ca): {}\n  SHA-256 {}",
        authority.subject(),
        authority.fingerprint()
    ))
}

/// What a first start says of a code that signs the owner's phone in; nothing where none can be made, since there is
/// the password.
fn welcome_first(app: &App, address: SocketAddr) -> Vec<String> {
    let url = urls(address).into_iter().next();
    let admin = people::first_admin(&app.users);
    let code = admin.and_then(|admin| welcome::make_code(&app.users, &admin.username));
    let shown = url.zip(code.ok()).map(|(url, code)| welcome::lines(&url, &code));
    shown.unwrap_or_default()
}
