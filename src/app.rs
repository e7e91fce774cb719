//! `App`: every long-lived part, built once, lent to whoever answers.

mod announced;
mod live;

pub use live::would_share_state;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustix::process::{Pid, Signal, getpid, kill_process};
use serde_json::{Map, Value};

use crate::auth::accounts::Accounts;
use crate::auth::factor::Factors;
use crate::auth::lock_token::LockTokens;
use crate::auth::sign_in::SignIn;
use crate::auth::throttle::{AddressThrottle, GuessThrottle};
use crate::auth::{key, password};
use crate::console::Console;
use crate::door::Door;
use crate::error::Error;
use crate::events::Hub;
use crate::jobs::Jobs;
use crate::limits;
use crate::links::Links;
use crate::logbook::{Event, Logbook};
use crate::notify::{Kind, News, Notifier};
use crate::presence::Presence;
use crate::searches::Searches;
use crate::sessions::Sessions;
use crate::settings::{self, Config, RoleTexts, Roles, Settings};
use crate::store::{FtpUserStore, LinkStore, NewUser, UserStore};
use crate::system::{Names, Power, Resources};
use crate::terminal;
use crate::thumbs::Thumbs;
use crate::tickets::Tickets;
use crate::tls::Tls;
use crate::update;
use crate::vault::{AttachError, Grant, RootId, Share, UploadId, UploadOwners, Vault};
use crate::zone;

/// Everything that lives as long as the server.
pub struct App {
    /// Settings and roles.
    pub config: Arc<Config>,
    /// Users and their sessions.
    pub users: Arc<UserStore>,
    /// The FTP users.
    pub ftp_users: Arc<FtpUserStore>,
    /// Who is on by FTP.
    pub sessions: Arc<Sessions>,
    /// The FTP server, as far as it can be told something; set once it is there.
    ftp: OnceLock<Arc<dyn Door>>,
    /// What announces larder in the local network; set once it is there.
    announcer: OnceLock<announced::Announcer>,
    /// Where callers are found by what they bring.
    pub accounts: Arc<Accounts>,
    /// What some show beside the password.
    pub factors: Arc<Factors>,
    /// Judges everybody who signs in with a password.
    pub sign_in: Arc<SignIn>,
    /// The share.
    pub vault: Vault,
    /// Who hears of which change.
    pub events: Hub,
    /// Work that lasts.
    pub jobs: Jobs,
    /// What happened.
    pub logbook: Arc<Logbook>,
    /// How busy the machine is.
    pub resources: Resources,
    /// Switches the machine off.
    pub power: Power,
    /// Runs commands.
    pub console: Console,
    /// One `is_up` per second for an address.
    pub is_up_throttle: AddressThrottle,
    /// One row of the log per second for an address that is turned away.
    pub refusal_throttle: AddressThrottle,
    /// The same for an address that hears of larder's own troubles.
    pub trouble_throttle: AddressThrottle,
    /// Ten wrong links a minute for an address.
    pub link_guesses: GuessThrottle,
    /// What the machine is called.
    pub own_names: Names,
    /// Who is on.
    pub presence: Presence,
    /// Selections that wait to be downloaded.
    pub tickets: Tickets,
    /// Who searches.
    pub searches: Arc<Searches>,
    /// What people without an account may see or bring.
    pub links: Links,
    /// What each role may, as it is told.
    pub rights: RoleTexts,
    /// Makes and reads the tokens of locks.
    pub lock_tokens: LockTokens,
    /// Small pictures of large ones.
    pub thumbs: Thumbs,
    /// What TLS connections are made from.
    pub tls: Arc<Tls>,
    /// Tells people who are elsewhere what happens.
    pub notifier: Notifier,
    /// The state directory.
    folder: PathBuf,
    /// The settings as they were at the start.
    started_with: Arc<Settings>,
    /// The keys of the settings that the command line or the environment covers, each with the value that is
    /// in force.
    covered: Map<String, Value>,
    /// Whether larder has begun to stop.
    pub is_stopping: AtomicBool,
    /// Held while settings change: one change after the other.
    settings_turn: Mutex<()>,
    /// Held while serving, so that no second server uses the same state.
    lock: File,
}

/// The name and password that a first start made up, or was given.
pub struct FirstAdmin {
    /// To show once; `None` when the owner chose it (`LARDER_ADMIN_PASSWORD`).
    pub password: Option<String>,
}

/// What the command line decides over the settings.
pub struct Overrides {
    /// The share root.
    pub root: Option<PathBuf>,
    /// Take the root as it is, whatever marker it has.
    pub new_root: bool,
    /// The admin's first password.
    pub admin_password: Option<String>,
    /// The keys of the settings that it covers, with the values in force.
    pub covered: Map<String, Value>,
}

/// The state directory, opened and locked.
pub struct State {
    /// Its path, absolute.
    folder: PathBuf,
    /// Settings and roles.
    pub config: Config,
    /// Whether an update was interrupted, so that the databases were put back as before it.
    update_broke_off: bool,
    /// See `App`.
    lock: File,
}

impl State {
    /// Where it is, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells whoever is at the machine where the server listens, beside its number.
    ///
    /// Errors: one line.
    pub fn tell(&self, address: SocketAddr) -> Result<(), String> {
        let told = (&self.lock).write_all(format!("\n{address}").as_bytes());
        told.map_err(|cause| format!("{}: {cause}", self.folder.join("lock").display()))
    }

    /// Opens the state directory, making it if need be.
    ///
    /// Errors: one line for the person who started larder.
    pub fn open(folder: &Path, endpoints: &[&'static str]) -> Result<Self, String> {
        let say =
            |what: &Path, cause: &dyn std::fmt::Display| format!("{}: {cause}", what.display());
        for part in ["", "settings", "db"] {
            let path = if part.is_empty() { folder.to_path_buf() } else { folder.join(part) };
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|cause| say(&path, &cause))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700))
                .map_err(|cause| say(&path, &cause))?;
        }
        for part in ["", "settings", "db"] {
            close_to_others(&folder.join(part)).map_err(|cause| say(folder, &cause))?;
        }
        let folder = folder.canonicalize().map_err(|cause| say(folder, &cause))?;
        let lock_path = folder.join("lock");
        let lock = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|cause| say(&lock_path, &cause))?;
        if lock.try_lock().is_err() {
            return Err(format!(
                "{}: another larder is using this state directory",
                folder.display()
            ));
        }
        // Whoever tells a running server something finds its number here.
        let number = std::process::id().to_string();
        lock.set_len(0)
            .and_then(|()| (&lock).write_all(number.as_bytes()))
            .map_err(|cause| say(&lock_path, &cause))?;
        let update_broke_off = update::settle(&folder)?;
        let config = Config::open(&folder.join("settings"), endpoints)?;
        Ok(Self { folder, config, update_broke_off, lock })
    }
}

impl App {
    /// Builds everything on an open state directory.
    ///
    /// Errors: one line for the person who started larder.
    pub fn build(
        state: State,
        overrides: &Overrides,
    ) -> Result<(Self, Option<FirstAdmin>), String> {
        let State { folder, config, update_broke_off, lock } = state;
        if let Some(line) = zone::complaint() {
            terminal::warn(&line);
        }
        let db = |name: &str| folder.join("db").join(name);
        let users = UserStore::open(&db("users.db")).map_err(|error| error.to_string())?;
        let ftp_users = FtpUserStore::open(&db("users.db")).map_err(|error| error.to_string())?;
        let (users, ftp_users) = (Arc::new(users), Arc::new(ftp_users));
        let secret = secret_key(&folder.join("secret.key"))?;
        let accounts = Arc::new(Accounts::new(Arc::clone(&users), Arc::clone(&ftp_users), &secret));
        let factors = factors(&users, &secret)?;
        let links = LinkStore::open(&db("users.db")).map_err(|error| error.to_string())?;
        let links = Links::new(links, Arc::clone(&users), &secret);
        let vault = attach_root(&folder, &config, overrides)?;
        let logbook = Logbook::open(&db("logs.db"), config.settings().log_retention_days)
            .map_err(|error| error.to_string())?;
        let (logbook, config) = (Arc::new(logbook), Arc::new(config));
        config.roles_as_of(users.roles_edition())?;
        let resources = Resources::start(vault.clone(), &folder);
        let resources = resources.map_err(|cause| cause.to_string())?;
        let started_with = config.settings();
        let app = Self {
            tls: Arc::new(Tls::new(&folder, &config, &logbook)?),
            notifier: Notifier::new(&config, &logbook),
            config,
            users,
            ftp_users,
            sessions: Arc::default(),
            ftp: OnceLock::new(),
            announcer: OnceLock::new(),
            sign_in: Arc::new(SignIn::new(&accounts, &factors, &logbook)),
            accounts,
            factors,
            events: Hub::new(vault.clone()),
            vault,
            jobs: Jobs::default(),
            logbook,
            resources,
            power: Power::default(),
            console: Console::default(),
            is_up_throttle: AddressThrottle::default(),
            folder,
            lock,
            refusal_throttle: AddressThrottle::default(),
            trouble_throttle: AddressThrottle::default(),
            link_guesses: GuessThrottle::default(),
            own_names: Names::default(),
            presence: Presence::default(),
            tickets: Tickets::default(),
            searches: Arc::default(),
            links,
            rights: RoleTexts::default(),
            lock_tokens: lock_tokens(&secret)?,
            thumbs: Thumbs::default(),
            started_with,
            covered: overrides.covered.clone(),
            is_stopping: AtomicBool::new(false),
            settings_turn: Mutex::new(()),
        };
        app.prepare();
        if update_broke_off {
            app.logbook.note_own(Event::other("an update broke off; everything is as before it"));
        }
        let admin = app.first_admin(overrides.admin_password.as_deref())?;
        Ok((app, admin))
    }

    /// Tells all parts what they shall do, and who hears of it.
    fn prepare(&self) {
        self.prepare_vault();
        self.prepare_tellers();
    }

    /// Has those told who are to hear of jobs, and of sign-ins from elsewhere. The program on trial tells nobody outside.
    fn prepare_tellers(&self) {
        self.jobs.observe(self.events.job_teller());
        if update::is_trial() {
            self.notifier.end();
        }
        let notifier = self.notifier.clone();
        self.sign_in.tell_of_new_places(Box::new(move |user, from| {
            let days = limits::PLACE_KNOWN_DAYS;
            let text = format!(
                "{user} signed in from {from}: from there, or by that program, for the first time in {days} days."
            );
            notifier.raise(News::new(Kind::NewSignIn, &text).by(user));
        }));
    }

    /// Tells the vault what it shall keep, and who follows it.
    fn prepare_vault(&self) {
        self.vault.keep_trash(self.started_with.trash_days, self.started_with.trash_percent);
        self.vault.keep_versions(self.started_with.versions_max);
        self.vault.keep_thumbs(self.started_with.thumbs_mb);
        self.vault.keep_names(self.started_with.search_index);
        self.vault.keep_photo_notes();
        self.vault.tell_of_moves(self.links.follower());
    }

    /// Makes the user `admin` when there is no user at all.
    fn first_admin(&self, chosen: Option<&str>) -> Result<Option<FirstAdmin>, String> {
        let say = |error: crate::error::Error| error.to_string();
        if self.users.count().map_err(say)? > 0 {
            return Ok(None);
        }
        let made_up = if chosen.is_some() { None } else { Some(key::new_password().map_err(say)?) };
        let given = chosen.or(made_up.as_deref()).unwrap_or_default();
        if given.is_empty() || given.len() > limits::PASSWORD_BYTES_MAX {
            return Err("LARDER_ADMIN_PASSWORD must have 1 to 1024 bytes".to_owned());
        }
        let key = key::new_key().map_err(say)?;
        self.users
            .insert(&NewUser {
                username: "admin",
                password_hash: &password::hash(given).map_err(say)?,
                name: "Administrator",
                role: "admin",
                paths: "[\"\"]",
                paths_write: "[\"\"]",
                // Nobody has seen this key: the owner asks for one of their own when they need it.
                key_hash: &key.hash,
                key_hint: &key.hint,
            })
            .map_err(say)?;
        let words = "added user admin with the role admin: there was no user";
        self.logbook.note_own(Event::change(words));
        Ok(Some(FirstAdmin { password: made_up }))
    }

    /// What a caller may see of the share. The trash shows `by` beside what they delete.
    ///
    /// Errors: `StorageAbsent`.
    pub fn share(&self, grant: Arc<Grant>, by: &str) -> Result<Share, Error> {
        self.vault.share(grant, by)
    }

    /// Hangs the FTP server, which follows the settings from now on. Only the first one is.
    pub fn hang_ftp(&self, door: Arc<dyn Door>) {
        let _only_the_first = self.ftp.set(door);
    }

    /// The FTP server.
    ///
    /// Errors: `Bug`: somebody asked before it was there.
    pub fn ftp(&self) -> Result<&dyn Door, Error> {
        let door = self.ftp.get().ok_or(Error::Bug("there is no FTP server yet".into()))?;
        Ok(&**door)
    }

    /// Who may use what: a snapshot. Reads `roles.json` again when larder has changed it, in this
    /// process or in another; what can't be read leaves the old state in force.
    pub fn roles(&self) -> Arc<Roles> {
        self.config.roles_as_of(self.users.roles_edition()).unwrap_or_else(|line| {
            terminal::warn(&line);
            self.logbook.note_own(Event::other(format!("roles not read again: {line}")));
            self.config.roles()
        })
    }

    /// Sees to it that links lead to where a crash left what they lead to.
    pub fn settle_links(&self) {
        let everything = || self.share(Arc::new(Grant::everything()), "");
        // Whatever cannot be told now is looked at when the drive comes back, or at the next start.
        let _later = everything().and_then(|share| self.links.settle_moves(&share));
    }

    /// Writes down where and when users were last seen, when it is time to.
    pub fn write_sightings(&self) {
        if let Err(error) = self.users.write_sightings(false) {
            self.logbook.note_own(Event::other(format!("where users were last seen: {error}")));
        }
        if let Err(error) = self.users.tend_sessions(false) {
            self.logbook.note_own(Event::other(format!("when sessions were last used: {error}")));
        }
    }

    /// Writes down how links were used, when it is time to.
    pub fn write_uses_of_links(&self) {
        if let Err(error) = self.links.write_uses(false) {
            self.logbook.note_own(Event::other(format!("how links were used: {error}")));
        }
    }

    /// What the vault calls the uploads of a user: on a drive there may be those of another house, too.
    pub fn owner_of(&self, user_id: i64) -> String {
        format!("{}:{user_id}", self.vault.id().as_str())
    }

    /// The same of somebody who comes by a link, empty for all those whom nobody can tell apart: what stands before
    /// the `/` is the crowd of which the vault lets nobody take the places of others.
    pub fn owner_by_link(&self, link_id: i64, who: &str) -> String {
        format!("{}:link:{link_id}/{who}", self.vault.id().as_str())
    }

    /// What stands behind the house in the word for whose an upload is; `None` for another house's.
    fn of_this_house<'a>(&self, owner: &'a str) -> Option<&'a str> {
        let (house, rest) = owner.split_once(':')?;
        (house == self.vault.id().as_str()).then_some(rest)
    }

    /// The settings that the command line or the environment covers, with the values in force.
    pub fn covered(&self) -> &Map<String, Value> {
        &self.covered
    }

    /// Whether larder answers at each of the machine's addresses.
    pub fn is_everywhere(&self) -> bool {
        let told = self.covered.get("host").and_then(Value::as_str);
        told.and_then(|host| host.parse().ok()).unwrap_or(self.started_with.host).is_unspecified()
    }

    /// The state directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// After `close`: lets another larder use the state directory.
    pub fn release(&self) {
        let _closing_does_it_too = self.lock.unlock();
    }

    /// After `close`: one more row for the log.
    pub fn note_at_last(&self, action: &str) {
        let path = self.folder.join("db").join("logs.db");
        match Logbook::open(&path, self.config.settings().log_retention_days) {
            Ok(logbook) => {
                logbook.note_own(Event::other(action));
                logbook.close();
            }
            Err(error) => terminal::warn(&format!("{}: {error}", path.display())),
        }
    }

    /// Stops larder as SIGTERM does, which does not wait for it. A second signal would end it at once,
    /// so there is one only.
    pub fn stop(&self) -> crate::error::Result<()> {
        if !self.is_stopping.swap(true, Ordering::AcqRel) {
            kill_process(getpid(), Signal::TERM)
                .map_err(|errno| crate::error::Error::Io(errno.into()))?;
        }
        Ok(())
    }

    /// Writes down what is only in memory: the last act before the end.
    pub fn close(&self) {
        self.console.stop();
        let _best_effort = self.users.write_sightings(true);
        let _best_effort = self.links.write_uses(true);
        let _best_effort = self.users.tend_sessions(true);
        self.resources.keep();
        self.logbook.note_own(Event::stop("larder stopped"));
        self.logbook.close();
        let _best_effort = self.users.checkpoint();
    }
}

impl UploadOwners for App {
    /// As long as nobody can say, they are there.
    fn is_gone(&self, owner: &str) -> bool {
        match self.of_this_house(owner) {
            None => false,
            Some(rest) => match link_in(rest) {
                Some(id) => matches!(self.links.by_id(id), Err(Error::NotFound(_))),
                None => rest.parse().is_ok_and(|id| matches!(self.users.by_id(id), Ok(None))),
            },
        }
    }

    fn expires(&self, owner: &str, id: &UploadId, length: u64) -> Result<(), Error> {
        match self.of_this_house(owner).and_then(link_in) {
            Some(link_id) => self.links.return_upload(link_id, id.as_str(), length),
            // Another house's count is none of ours.
            None => Ok(()),
        }
    }

    fn removed(&self, id: &UploadId) {
        // What stays is a row that nobody asks for.
        let _a_row_too_many = self.links.upload_was_returned(id.as_str());
    }
}

/// The link that an upload came by, as `owner_by_link` tells it.
fn link_in(owner: &str) -> Option<i64> {
    owner.strip_prefix("link:")?.split('/').next()?.parse().ok()
}

/// Takes from others what rights they have on the files of a folder: an editor or a restored
/// backup may have left some.
fn close_to_others(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let close = || -> std::io::Result<()> {
            let found = entry.metadata()?;
            if found.is_file() && found.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        };
        match close() {
            // A temporary file of `larder user`, in its place by now.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

/// The server that uses a state directory.
pub fn server_of(state: &Path) -> Result<Option<Pid>, String> {
    let Some(told) = told_by_server(state)? else { return Ok(None) };
    let number = told.lines().next().unwrap_or_default();
    let server = number.trim().parse().ok().and_then(Pid::from_raw);
    let unknown = || format!("{}: in use by nobody that is known", state.join("lock").display());
    server.map(Some).ok_or_else(unknown)
}

/// Where the server listens that uses a state directory.
pub fn address_of(state: &Path) -> Result<Option<SocketAddr>, String> {
    let told = told_by_server(state)?;
    Ok(told.and_then(|told| told.lines().nth(1)?.parse().ok()))
}

/// What the server that uses a state directory has written into the lock; `None` when none does.
fn told_by_server(state: &Path) -> Result<Option<String>, String> {
    let path = state.join("lock");
    let say = |cause: std::io::Error| format!("{}: {cause}", path.display());
    let lock: File = OpenOptions::new().read(true).append(true).open(&path).map_err(say)?;
    if lock.try_lock().is_ok() {
        return Ok(None);
    }
    std::io::read_to_string(lock).map(Some).map_err(say)
}

/// The number of the user that a state directory belongs to.
pub fn owner_of(state: &Path) -> Result<u32, String> {
    let found = state.metadata().map_err(|cause| format!("{}: {cause}", state.display()))?;
    Ok(found.uid())
}

/// The token-signing key: read, or made at the first start.
fn secret_key(path: &Path) -> Result<Vec<u8>, String> {
    let say = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let mut secret = Vec::new();
    match File::open(path) {
        Ok(file) => {
            file.take(1024).read_to_end(&mut secret).map_err(|cause| say(&cause))?;
            if secret.len() < 32 {
                return Err(say(
                    &"too short; remove it to have a new one made (everybody signs in again)",
                ));
            }
            return Ok(secret);
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
        Err(cause) => return Err(say(&cause)),
    }
    let made = key::random_bytes::<32>().map_err(|cause| say(&cause))?;
    let temporary = path.with_extension("key.new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&made)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|cause| say(&cause))?;
    Ok(made.to_vec())
}

/// What makes the tokens of locks.
fn lock_tokens(secret: &[u8]) -> Result<LockTokens, String> {
    LockTokens::new(secret).map_err(|error| error.to_string())
}

/// What users show beside the password.
fn factors(users: &Arc<UserStore>, secret: &[u8]) -> Result<Arc<Factors>, String> {
    let factors = Factors::new(Arc::clone(users), secret).map_err(|error| error.to_string())?;
    Ok(Arc::new(factors))
}

/// Attaches the share root: the one known by its marker, or a new one, which is then remembered.
fn attach_root(state: &Path, config: &Config, overrides: &Overrides) -> Result<Vault, String> {
    let configured =
        overrides.root.clone().unwrap_or_else(|| config.settings().path.clone().into());
    // A relative path in the settings lies in the state directory; the command line's was made
    // absolute where it was read.
    let root = state.join(configured);
    let known = settings::read_object(&live::root_record(state))?.and_then(|found| {
        let is_same = found.get("path")?.as_str()? == root.to_str()?;
        is_same.then(|| found.get("id")?.as_str().and_then(RootId::parse))?
    });
    if live::would_share_state(&root, state) {
        let line = format!(
            "{}: larder's own state directory {} is in it, with all its secrets: put it elsewhere (--state)",
            root.display(),
            state.display()
        );
        // Nobody's files are to be out of reach after an update because of that.
        if known.is_none() {
            return Err(line);
        }
        terminal::warn(&line);
    }
    let (vault, id) =
        take_root(&root, known.as_ref(), overrides.new_root).map_err(|error| error.to_string())?;
    if known.is_none() || overrides.new_root {
        live::remember_root(state, &root, &id)?;
    }
    Ok(vault)
}

/// Takes a folder as the share root. One that is not known yet is made if it is missing.
fn take_root(
    root: &Path,
    known: Option<&RootId>,
    adopt: bool,
) -> Result<(Vault, RootId), AttachError> {
    if (known.is_none() || adopt) && !root.exists() {
        // One level only: a path that is wrong from its beginning is a mistake, not a wish.
        DirBuilder::new()
            .mode(0o755)
            .create(root)
            .map_err(|cause| AttachError::Unusable(root.into(), cause))?;
    }
    Vault::attach(root, known, adopt)
}
