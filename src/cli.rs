//! The command line: flags, their twins in the environment, and what they start.

use std::cell::Cell;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use lexopt::prelude::{Long, Short, Value};
use serde_json::Map;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::app::{App, FirstAdmin, Overrides, State};
use crate::auth::password;
use crate::check;
use crate::error::Error;
use crate::http::{self, Server};
use crate::offline::{self, Profile};
use crate::update::{self, Prepared};
use crate::{backup, limits, renew, secrets, service, terminal, threads};

/// What `--help` prints.
const HELP: &str = "\
larder - a home NAS: your folder on every phone, laptop and script in the house

Usage:
  larder [serve] [--state DIR] [--root DIR] [--host ADDR] [--port N] [--ftp-port N] [--new-root] [--restore]
  larder user list [--state DIR]
  larder user add NAME [--state DIR] [--role ROLE] [--name TEXT] [--paths JSON] [--paths-write JSON]
  larder user passwd NAME [--state DIR]
  larder user delete NAME [--state DIR]
  larder backup [--state DIR] [--root DIR]
  larder openapi
  larder check [--state DIR] [--root DIR]      verify databases, settings, roles, drive, space, clock
  larder update [--check] [--state DIR] [--root DIR]
  larder --version | --help

Options of serve, each with its twin in the environment:
  --state DIR     settings, users, logs          LARDER_STATE     (default ./larder-data)
  --root DIR      the folder that is shared      LARDER_ROOT      (default <state>/files)
  --host ADDR     address to listen at           LARDER_HOST      (default 0.0.0.0)
  --port N        port; 0 takes a free one       LARDER_PORT      (default 6969)
  --ftp-port N    port of the FTP server         LARDER_FTP_PORT  (default 2121)
  --new-root      take the root as it is, even if it is another drive than before
  --restore       take over settings and users from the backup that the drive carries

LARDER_ADMIN_PASSWORD gives the password of the user `admin`, whom the first start creates.
";

/// The exit code for a mistake of whoever started larder (contract, section 1).
const EXIT_USAGE: u8 = 2;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    /// Serve until told to stop.
    Serve,
    /// List the users.
    UserList,
    /// Add a user with this name.
    UserAdd(String),
    /// Give the user with this name a new password.
    UserPasswd(String),
    /// Delete the user with this name.
    UserDelete(String),
    /// Write the backup onto the drive.
    Backup,
    /// Print the OpenAPI document.
    OpenApi,
    /// Verify the state directory.
    Check,
    /// Become the newest release, or only say whether there is one.
    Update {
        /// `--check`.
        only_check: bool,
    },
    /// Print the version.
    Version,
    /// Print `HELP`.
    Help,
}

/// Flags as they were given, environment included.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flags {
    /// `--state`.
    state: Option<PathBuf>,
    /// `--root`.
    root: Option<PathBuf>,
    /// `--host`.
    host: Option<IpAddr>,
    /// `--port`.
    port: Option<u16>,
    /// `--ftp-port`.
    ftp_port: Option<u16>,
    /// `--new-root`.
    new_root: bool,
    /// `--check`.
    check: bool,
    /// `--restore`.
    restore: bool,
    /// `--role`, `--name`, `--paths`, `--paths-write`.
    profile: Profile,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    secrets::close_process();
    let outcome = parse(std::env::args_os().skip(1), |name| std::env::var_os(name)).and_then(
        |(command, flags)| match command {
            Command::Serve => serve(&flags),
            Command::UserList => offline::list(flags.state()).map(|()| ExitCode::SUCCESS),
            Command::UserAdd(name) => {
                offline::add(flags.state(), &name, &flags.profile).map(|()| ExitCode::SUCCESS)
            }
            Command::UserPasswd(name) => {
                offline::set_password(flags.state(), &name).map(|()| ExitCode::SUCCESS)
            }
            Command::UserDelete(name) => {
                offline::delete(flags.state(), &name).map(|()| ExitCode::SUCCESS)
            }
            Command::Backup => backup::run(flags.state(), flags.root.as_deref()).map(|path| {
                terminal::say(&path.display().to_string());
                ExitCode::SUCCESS
            }),
            Command::OpenApi => {
                terminal::say(http::document().trim_end());
                Ok(ExitCode::SUCCESS)
            }
            Command::Check => {
                let is_well = check::run(flags.state(), flags.root.as_deref());
                Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Update { only_check } => {
                renew::offline(flags.state(), flags.root.as_deref(), only_check)
            }
            Command::Version => {
                terminal::say(concat!("larder ", env!("CARGO_PKG_VERSION")));
                Ok(ExitCode::SUCCESS)
            }
            Command::Help => {
                terminal::say(HELP.trim_end());
                Ok(ExitCode::SUCCESS)
            }
        },
    );
    outcome.unwrap_or_else(|line| {
        terminal::warn(&line);
        ExitCode::from(EXIT_USAGE)
    })
}

/// From words to a command and its flags; the environment fills in what no flag says.
///
/// Errors: one line.
fn parse(
    words: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(Command, Flags), String> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut names: Vec<String> = Vec::new();
    let mut flags = Flags::default();
    let mut special = None;
    let mut given: Vec<String> = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => special = Some(Command::Help),
            Short('V') | Long("version") => special = Some(Command::Version),
            Long(flag @ ("new-root" | "restore")) => {
                *(if flag == "restore" { &mut flags.restore } else { &mut flags.new_root }) = true;
                given.push(flag.to_owned());
            }
            Long("check") => {
                flags.check = true;
                given.push("check".to_owned());
            }
            Long(flag) => {
                let flag = flag.to_owned();
                let known = [
                    "state",
                    "root",
                    "host",
                    "port",
                    "ftp-port",
                    "role",
                    "name",
                    "paths",
                    "paths-write",
                ];
                if !known.contains(&flag.as_str()) {
                    return Err(format!("unknown option --{flag}; see larder --help"));
                }
                let value = parser.value().map_err(|error| error.to_string())?;
                flags.set(&flag, value, &format!("--{flag}"))?;
                given.push(flag);
            }
            Short(letter) => return Err(format!("unknown option -{letter}; see larder --help")),
            Value(word) => {
                names.push(
                    word.into_string()
                        .map_err(|word| format!("{} is not UTF-8", word.display()))?,
                );
            }
        }
    }
    if let Some(command) = special {
        return Ok((command, flags));
    }
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let command = match words[..] {
        [] | ["serve"] => Command::Serve,
        ["backup"] => Command::Backup,
        ["openapi"] => Command::OpenApi,
        ["check"] => Command::Check,
        ["user", "list"] => Command::UserList,
        ["update"] => Command::Update { only_check: flags.check },
        ["user", "add", name] => Command::UserAdd(name.to_owned()),
        ["user", "passwd", name] => Command::UserPasswd(name.to_owned()),
        ["user", "delete", name] => Command::UserDelete(name.to_owned()),
        _ => return Err(format!("unknown command: {}; see larder --help", words.join(" "))),
    };
    if let Some(flag) = given.iter().find(|flag| !command.takes(flag)) {
        return Err(format!("--{flag} does not belong to larder {}", words.join(" ")));
    }
    for (flag, twin) in [
        ("state", "LARDER_STATE"),
        ("root", "LARDER_ROOT"),
        ("host", "LARDER_HOST"),
        ("port", "LARDER_PORT"),
        ("ftp-port", "LARDER_FTP_PORT"),
    ] {
        let is_open = command.takes(flag) && !flags.has(flag);
        if let Some(value) = environment(twin).filter(|value| is_open && !value.is_empty()) {
            flags.set(flag, value, twin)?;
        }
    }
    Ok((command, flags))
}

impl Command {
    /// Whether the flag means anything to the command.
    fn takes(&self, flag: &str) -> bool {
        match self {
            Self::Version | Self::Help => true,
            Self::Serve => {
                ["state", "root", "host", "port", "ftp-port", "new-root", "restore"].contains(&flag)
            }
            Self::Check | Self::Backup => ["state", "root"].contains(&flag),
            Self::UserAdd(_) => ["state", "role", "name", "paths", "paths-write"].contains(&flag),
            Self::Update { .. } => ["state", "root", "check"].contains(&flag),
            // Every command takes it, so that a wrapper may always give it.
            Self::OpenApi | Self::UserList | Self::UserPasswd(_) | Self::UserDelete(_) => {
                flag == "state"
            }
        }
    }
}

impl Flags {
    /// Whether a flag was given.
    fn has(&self, flag: &str) -> bool {
        match flag {
            "state" => self.state.is_some(),
            "root" => self.root.is_some(),
            "host" => self.host.is_some(),
            "port" => self.port.is_some(),
            "ftp-port" => self.ftp_port.is_some(),
            _ => false,
        }
    }

    /// Takes a value; `source` is what the person wrote it as.
    fn set(&mut self, flag: &str, value: OsString, source: &str) -> Result<(), String> {
        if matches!(flag, "state" | "root") {
            if value.is_empty() {
                return Err(format!("{source}: needs a directory"));
            }
            let path = std::path::absolute(&value).map_err(|cause| format!("{source}: {cause}"))?;
            *(if flag == "state" { &mut self.state } else { &mut self.root }) = Some(path);
            return Ok(());
        }
        let text = value
            .into_string()
            .map_err(|value| format!("{source}: {} is not UTF-8", value.display()))?;
        match flag {
            "host" => {
                let host =
                    text.parse().map_err(|_| format!("{source}: {text:?} is no IP address"))?;
                self.host = Some(host);
            }
            "port" | "ftp-port" => {
                let port = text
                    .parse()
                    .map_err(|_| format!("{source}: {text:?} is no port (0 to 65535)"))?;
                *(if flag == "port" { &mut self.port } else { &mut self.ftp_port }) = Some(port);
            }
            "role" => self.profile.role = Some(text),
            "name" => self.profile.name = Some(text),
            "paths" => self.profile.paths = Some(text),
            _ => self.profile.paths_write = Some(text),
        }
        Ok(())
    }

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

    /// The state directory.
    fn state(&self) -> &Path {
        self.state.as_deref().unwrap_or(Path::new("larder-data"))
    }
}

/// `larder serve`.
fn serve(flags: &Flags) -> Result<ExitCode, String> {
    let admin_password = secrets::take("LARDER_ADMIN_PASSWORD");
    // Signals first, so that none that comes while starting is lost.
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
        .map_err(|cause| format!("signals: {cause}"))?;
    // A file beyond a limit of the process is a failed write of whoever writes it. With a handler, which programs
    // that larder starts do not inherit, the signal that comes along does nothing else.
    signal_hook::flag::register(SIGXFSZ, Arc::default())
        .map_err(|cause| format!("signals: {cause}"))?;
    update::end_with_parent()?;
    let executable = renew::own_path()?;
    raise_descriptor_limit();
    let endpoints = http::role_paths();
    let state = State::open(flags.state(), &endpoints)?;
    if flags.restore {
        let configured =
            flags.root.clone().unwrap_or_else(|| state.config.settings().path.clone().into());
        backup::restore(state.folder(), &state.folder().join(configured))?;
        state.config.reload(&endpoints)?;
    }
    let settings = state.config.settings();
    let folder = state.folder().to_path_buf();
    let address =
        SocketAddr::new(flags.host.unwrap_or(settings.host), flags.port.unwrap_or(settings.port));
    let listener = TcpListener::bind(address)
        .map_err(|cause| format!("can't listen at {address}: {cause}"))?;
    let found_port = address.port() == 0;
    let address = listener.local_addr().map_err(|cause| format!("{address}: {cause}"))?;
    let overrides = Overrides {
        root: flags.root.clone(),
        new_root: flags.new_root,
        host: flags.host,
        ftp_port: flags.ftp_port,
        admin_password,
        covered: flags.covered(address.port()),
    };
    let (app, admin) = App::build(state, &overrides)?;
    let app = Arc::new(app);
    let server = Server::start(&app, listener).map_err(|cause| format!("can't start: {cause}"))?;
    app.ftp.attach(&app);
    if app.config.settings().ftp.is_on {
        // Everything else is worth having without it.
        app.ftp.apply(&app.config.settings().ftp);
    }
    print_banner(address, admin.as_ref(), &app);
    if admin.is_some()
        && let Some(made) = backup::offered(&folder, &app.vault)
    {
        terminal::say(&format!(
            "  The drive carries settings and users of an earlier larder, of {}. To take them over, stop larder \
             and start it once with --restore",
            jiff::Timestamp::try_from(made).unwrap_or_default().strftime("%Y-%m-%d")
        ));
    }
    app.logbook.note(concat!("larder ", env!("CARGO_PKG_VERSION"), " started"), "");
    background(&app)?;
    // What a trial makes of the databases may be taken back; it is nothing to keep.
    if !update::is_trial() {
        backup::keep_daily(&app, folder).map_err(|cause| format!("can't start: {cause}"))?;
    }
    service::watch(address).map_err(|cause| format!("can't start: {cause}"))?;
    service::ready();
    let (events, inbox) = mpsc::channel();
    let for_signals = events.clone();
    threads::spawn("signals", move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGHUP => Event::Reload,
                SIGUSR1 => Event::Update,
                _ => Event::Stop,
            };
            if for_signals.send(event).is_err() {
                break;
            }
        }
    })
    .map_err(|cause| format!("can't start: {cause}"))?;
    let prepared = match wait_for_the_end(&app, server, &endpoints, &executable, &events, &inbox)? {
        End::Stopped => return Ok(ExitCode::SUCCESS),
        End::AtOnce => return Ok(ExitCode::FAILURE),
        End::Renewed(prepared) => prepared,
    };
    // What was taken over is there; the new one would refuse to do it again.
    let given = std::env::args_os().skip(1).filter(|word| word != "--restore");
    let arguments = update::arguments(given, found_port.then_some(address.port()));
    let was_stopped = Cell::new(false);
    let is_stopped = || {
        let asked = inbox.try_iter().any(|event| matches!(event, Event::Stop));
        was_stopped.set(was_stopped.get() || asked);
        was_stopped.get()
    };
    renew::take_over(&app, &prepared, &arguments, &is_stopped)
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
    app: &Arc<App>,
    server: Server,
    endpoints: &[&str],
    executable: &Path,
    events: &mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<End, String> {
    let mut server = Some(server);
    let (mut is_updating, mut next) = (false, None::<Prepared>);
    for event in inbox {
        match event {
            Event::Reload => {
                service::reloading();
                match app.reload(endpoints) {
                    Ok(()) => app.logbook.note("settings and roles read again", ""),
                    Err(line) => {
                        terminal::warn(&line);
                        app.logbook.note(&format!("settings and roles not read again: {line}"), "");
                    }
                }
                service::ready();
            }
            Event::Stop => {
                service::stopping();
                match (server.take(), next.take()) {
                    (Some(server), _) => stop(app, server, events)?,
                    // It was stopping for an update; now it only stops.
                    (None, Some(prepared)) => prepared.discard(),
                    (None, None) => return Ok(End::AtOnce),
                }
            }
            Event::Update if is_updating || server.is_none() || update::is_trial() => {}
            Event::Update => {
                is_updating = look_for_update(app, executable, events);
            }
            Event::Prepared(None) => is_updating = false,
            Event::Prepared(Some(prepared)) => match server.take() {
                Some(server) => {
                    service::renewing();
                    next = Some(prepared);
                    stop(app, server, events)?;
                }
                None => prepared.discard(),
            },
            Event::Stopped => break,
        }
    }
    Ok(next.map_or(End::Stopped, End::Renewed))
}

/// Lets what runs finish, and closes everything; `Stopped` follows.
fn stop(app: &Arc<App>, server: Server, events: &mpsc::Sender<Event>) -> Result<(), String> {
    app.is_stopping.store(true, Ordering::Release);
    // A command of the console has the same time as any request, and then ends before its
    // connection is waited for; without the thread it ends a second later.
    let console = Arc::clone(app);
    let _at_the_latest = threads::spawn("last-commands", move || {
        std::thread::sleep(limits::DRAIN_TIME);
        console.console.stop();
    });
    let (app, done) = (Arc::clone(app), events.clone());
    threads::spawn("stopping", move || {
        let begun = Instant::now();
        app.ftp.stop();
        // An open page must not keep us for the whole time to drain.
        app.events.close();
        // Nor must a copy of a whole drive: it stops at once, and leaves what is complete.
        app.jobs.close();
        // Nor must a drive that does not answer.
        app.vault.stop_waiting();
        server.stop();
        app.jobs.wait_until_ended(limits::DRAIN_TIME.saturating_sub(begun.elapsed()));
        app.ftp.finish(limits::DRAIN_TIME.saturating_sub(begun.elapsed()));
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
        app.logbook.note(&format!("update: can't begin: {cause}"), "");
    }
    started.is_ok()
}

/// What may go on behind the first requests: clearing up after a crash, and hashing the decoy.
fn background(app: &Arc<App>) -> Result<(), String> {
    let keeper = Arc::clone(app);
    threads::spawn("trash", move || keep_trash(&keeper))
        .map_err(|cause| format!("can't start: {cause}"))?;
    let app = Arc::clone(app);
    threads::spawn("background", move || {
        // Not behind a drive that may not answer.
        if let Err(error) = password::warm_up() {
            app.logbook.note(&format!("starting: {error}"), "");
        }
        sweep(&app);
        watch_drive(&app);
    })
    .map(|_runs_as_long_as_we_do| ())
    .map_err(|cause| format!("can't start: {cause}"))
}

/// Keeps the trash within its bounds. While there is nothing to do it asks only the memory, so that an idle
/// drive may sleep.
fn keep_trash(app: &App) {
    loop {
        let begun = Instant::now();
        app.set_trash();
        let rest = match app.vault.prune_trash() {
            Ok(removed) => {
                if removed > 0 {
                    app.logbook.note(&format!("the trash was cleared of {removed} old things"), "");
                }
                limits::TRASH_KEEPER_TIME.max(begun.elapsed() * limits::TRASH_KEEPER_REST)
            }
            Err(Error::StorageAbsent) => limits::DRIVE_WATCH_TIME,
            Err(error) => {
                app.logbook.note(&format!("clearing the trash: {error}"), "");
                limits::TRASH_KEEPER_PATIENCE
            }
        };
        std::thread::sleep(rest);
    }
}

/// Removes what a crash left half done.
fn sweep(app: &App) {
    if let Ok(removed @ 1..) = app.vault.sweep() {
        app.logbook.note(&format!("{removed} unfinished files of an earlier run were removed"), "");
    }
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
            app.logbook.note(news, "");
            was_there = is_there;
            if is_there {
                sweep(app);
            }
        }
        if let Ok(removed @ 1..) = app.vault.sweep_again() {
            app.logbook.note(&format!("{removed} unfinished files were removed at last"), "");
        }
        app.write_sightings();
        std::thread::sleep(limits::DRIVE_WATCH_TIME);
    }
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
fn print_banner(address: SocketAddr, admin: Option<&FirstAdmin>, app: &App) {
    let mut lines = vec![format!(
        "larder {} is serving {}",
        env!("CARGO_PKG_VERSION"),
        app.vault.root().display()
    )];
    lines.extend(urls(address).into_iter().map(|url| format!("  {url}")));
    if let Some(address) = app.ftp.address() {
        lines.extend(urls(address).into_iter().map(|url| format!("  ftp{}", &url["http".len()..])));
    }
    match admin {
        Some(FirstAdmin { password: Some(password) }) => lines.push(format!(
            "  Sign in as admin with the password {password} (shown only now; change it after signing in)"
        )),
        Some(FirstAdmin { password: None }) => {
            lines.push("  Sign in as admin with the password in LARDER_ADMIN_PASSWORD".to_owned());
        }
        None => {}
    }
    if !app.vault.is_present() {
        lines.push(
            "  The storage is not available: is the drive mounted? (--new-root takes another)"
                .to_owned(),
        );
    }
    terminal::say(&lines.join("\n"));
}

/// The addresses to open: each of this machine's in the network, or the one that was asked for.
fn urls(address: SocketAddr) -> Vec<String> {
    let url = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("http://{ip}:{}/", address.port()),
        IpAddr::V6(ip) => format!("http://[{ip}]:{}/", address.port()),
    };
    if !address.ip().is_unspecified() {
        return vec![url(address.ip())];
    }
    let is_useful = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        // A link-local address would need its zone, which browsers don't take.
        IpAddr::V6(ip) => {
            address.is_ipv6() && *ip != Ipv6Addr::LOCALHOST && !ip.is_unicast_link_local()
        }
    };
    let mut found: Vec<IpAddr> = Vec::new();
    if let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() {
        let addresses = networks.values().flat_map(sysinfo::NetworkData::ip_networks);
        found.extend(addresses.map(|network| network.addr).filter(is_useful));
    }
    found.sort();
    found.push(IpAddr::from([127, 0, 0, 1]));
    found.into_iter().map(url).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<(Command, Flags), String> {
        let find = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        };
        parse(words.iter().map(OsString::from), find)
    }

    #[test]
    fn a_flag_comes_before_its_twin() {
        let environment = [("LARDER_PORT", "80"), ("LARDER_HOST", "::1"), ("LARDER_ROOT", "")];
        let (command, flags) = parse_words(&["serve", "--port=81"], &environment).unwrap();
        assert_eq!(command, Command::Serve);
        assert_eq!(
            (flags.port, flags.host, flags.root),
            (Some(81), Some("::1".parse().unwrap()), None)
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (words, what) in [
            (&["--port", "x"][..], "--port"),
            (&["--port", "65536"], "--port"),
            (&["--host", "nas"], "--host"),
            (&["--state"], "--state"),
            (&["--state", ""], "--state"),
            (&["--nonsense"], "--nonsense"),
            (&["-x"], "-x"),
            (&["fly"], "fly"),
            (&["user", "add"], "user add"),
            (&["user", "list", "--port", "80"], "--port"),
            (&["user", "delete", "ana", "--role", "user"], "--role"),
            (&["serve", "--name", "x"], "--name"),
        ] {
            let line = parse_words(words, &[]).unwrap_err();
            assert!(line.contains(what), "{words:?}: {line}");
        }
        assert!(parse_words(&[], &[("LARDER_PORT", "x")]).unwrap_err().contains("LARDER_PORT"));
    }

    #[test]
    fn the_environment_of_serve_is_nothing_to_the_others() {
        let environment = [("LARDER_PORT", "x"), ("LARDER_STATE", "/var/lib/larder")];
        let (command, flags) = parse_words(&["user", "list"], &environment).unwrap();
        assert_eq!(command, Command::UserList);
        assert_eq!(flags.state(), Path::new("/var/lib/larder"));
    }

    #[test]
    fn help_and_version_are_always_there() {
        assert_eq!(
            parse_words(&["serve", "--help"], &[("LARDER_PORT", "x")]).unwrap().0,
            Command::Help
        );
        assert_eq!(parse_words(&["-V"], &[]).unwrap().0, Command::Version);
    }

    #[test]
    fn an_address_that_was_asked_for_is_the_only_url() {
        assert_eq!(urls("127.0.0.1:80".parse().unwrap()), ["http://127.0.0.1:80/"]);
        assert_eq!(urls("[::1]:81".parse().unwrap()), ["http://[::1]:81/"]);
        assert!(urls("0.0.0.0:82".parse().unwrap()).contains(&"http://127.0.0.1:82/".to_owned()));
    }
}
