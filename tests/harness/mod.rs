//! A real larder in an empty folder, and the clients that speak to it.
//!
//! Each test has a larder of its own: state, share root and a folder outside of both lie in one
//! temporary folder, the port is a free one that the banner names. Most requests use API keys,
//! because signing in is bounded to once a second for an address.

pub mod answer;
pub mod archive;
pub mod cgroup;
pub mod client;
pub mod cut_drive;
pub mod cutter;
pub mod dav;
pub mod form;
pub mod ftp;
pub mod machine;
pub mod mounts;
pub mod network;
pub mod pictures;
pub mod process;
pub mod program;
pub mod silent;
pub mod table;
pub mod tls;
pub mod tus;
pub mod wait;
pub mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

pub use answer::Answer;
pub use archive::unzip;
pub use client::{Client, encode};
pub use form::Form;
pub use process::{LARDER, Process};
pub use table::{BY_ROLE, PUBLIC, TABLE, acting, all_but_endings};
pub use wire::Wire;

/// The password of the user `admin`.
pub const ADMIN_PASSWORD: &str = "the admin opens the larder";

/// A larder and its folder.
pub struct Larder {
    /// Holds `state`, `files` and `outside`; goes last.
    folder: TempDir,
    /// The server, when it runs.
    process: Option<Process>,
    /// API keys by user name.
    keys: BTreeMap<String, String>,
    /// The client of all requests.
    agent: Agent,
    /// The loopback address that signed in last: 127.0.1.x.
    last_address: AtomicU8,
}

impl Larder {
    /// An empty folder with roles that let `user` do what `admin` may; nothing runs.
    pub fn prepare() -> Self {
        let larder = Self::bare();
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).recursive(true).create(larder.state().join("settings")).unwrap();
        // No test powers off the machine that it runs on.
        let harmless = json!({ "shutdown_command": ["true"], "restart_command": ["true"] });
        larder.settings(&harmless).roles(&everybody_may_everything())
    }

    /// An empty folder, as at a first start; nothing runs.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("larder-test-").tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        let (keys, agent) = (BTreeMap::new(), client::agent());
        Self { folder, process: None, keys, agent, last_address: AtomicU8::new(0) }
    }

    /// A running larder.
    #[track_caller]
    pub fn start() -> Self {
        Self::prepare().launch()
    }

    /// Starts the server.
    #[track_caller]
    pub fn launch(self) -> Self {
        self.launch_with(|_| {})
    }

    /// Starts the server with a changed command line or environment.
    #[track_caller]
    pub fn launch_with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = self.command();
        change(&mut command);
        self.process = Some(Process::start(command, &self.folder.path().join("stderr")));
        self
    }

    /// `larder serve` on this folder and a free port.
    pub fn command(&self) -> Command {
        let mut command = self.program();
        command.arg("serve").arg("--state").arg(self.state()).arg("--root").arg(self.root());
        command.args(["--port", "0", "--host", "127.0.0.1"]);
        command.env("LARDER_ADMIN_PASSWORD", ADMIN_PASSWORD);
        command
    }

    /// `larder` without anything, and with nothing of ours in its environment.
    pub fn program(&self) -> Command {
        let mut command = Command::new(&*LARDER);
        command.current_dir(self.folder.path());
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("LARDER_")) {
            command.env_remove(name);
        }
        command
    }

    // Who.

    /// Adds a user of the role `user` who may read and write everything.
    #[track_caller]
    pub fn user(self, name: &str) -> Self {
        self.user_with(name, "user", r#"[""]"#, r#"[""]"#)
    }

    /// Adds a user of the role `user` who may read everything and write nothing.
    #[track_caller]
    pub fn reader(self, name: &str) -> Self {
        self.user_with(name, "user", r#"[""]"#, "[]")
    }

    /// Adds a user of the role `admin` who may read and write everything.
    #[track_caller]
    pub fn admin(self, name: &str) -> Self {
        self.user_with(name, "admin", r#"[""]"#, r#"[""]"#)
    }

    /// Adds a user.
    #[track_caller]
    pub fn user_with(mut self, name: &str, role: &str, paths: &str, paths_write: &str) -> Self {
        let flags = ["--role", role, "--paths", paths, "--paths-write", paths_write];
        let output = self.add_user(name, &flags);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
        let key = text.split_whitespace().last().expect("an API key").to_owned();
        self.keys.insert(name.to_owned(), key);
        self
    }

    /// Runs `larder user add`.
    pub fn add_user(&self, name: &str, flags: &[&str]) -> Output {
        let words = [&["user", "add", name], flags].concat();
        self.run(&words, &format!("{}\n", password_of(name)))
    }

    /// Runs `larder` with these words on this state directory and this on its standard input.
    pub fn run(&self, words: &[&str], input: &str) -> Output {
        let mut command = self.program();
        command.args(words).arg("--state").arg(self.state());
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A program that refuses its flags may be gone before it reads this.
        let _maybe_gone = pipe.write_all(input.as_bytes());
        drop(pipe);
        child.wait_with_output().unwrap()
    }

    /// The API key of a user.
    #[track_caller]
    pub fn key(&self, name: &str) -> &str {
        self.keys.get(name).unwrap_or_else(|| panic!("nobody called {name}"))
    }

    /// Replaces `roles.json`. A running larder reads it after `reload`.
    pub fn roles(self, roles: &Value) -> Self {
        let path = self.state().join("settings/roles.json");
        fs::write(path, serde_json::to_string_pretty(roles).unwrap()).unwrap();
        self
    }

    /// Replaces `settings.json`; keys that are left out get their defaults. A running larder reads it
    /// when it is told to.
    pub fn settings(self, settings: &Value) -> Self {
        let path = self.state().join("settings/settings.json");
        fs::write(path, serde_json::to_string_pretty(settings).unwrap()).unwrap();
        self
    }

    /// What `settings.json` says now.
    #[track_caller]
    pub fn stored_settings(&self) -> Value {
        let text = fs::read_to_string(self.state().join("settings/settings.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    // What is in the share.

    /// Puts a file into the share, with its folders.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file of the share behind larder's back, with its folders.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Puts a file of nothing but zeros into a folder of the share; it takes no room on the disk.
    pub fn sparse(&self, path: &str, bytes: u64) {
        fs::File::create(self.root().join(path)).unwrap().set_len(bytes).unwrap();
    }

    /// Puts a folder into the share, with its parents.
    pub fn folder(self, path: &str) -> Self {
        fs::create_dir_all(self.root().join(path)).unwrap();
        self
    }

    /// Puts a symbolic link into the share.
    pub fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        symlink(target, self.root().join(path)).unwrap();
        self
    }

    /// The content of a file of the share.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        String::from_utf8(self.read_bytes(path)).unwrap()
    }

    /// The content of a file of the share.
    #[track_caller]
    pub fn read_bytes(&self, path: &str) -> Vec<u8> {
        let whole = self.root().join(path);
        fs::read(whole).unwrap_or_else(|cause| panic!("{path}: {cause}"))
    }

    /// Whether there is anything of this name in the share.
    pub fn exists(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok()
    }

    /// Every path in the share but larder's own, sorted; folders end with `/`.
    pub fn tree(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.root(), "", &mut found);
        found.sort();
        found
    }

    /// How many unfinished things lie in the share.
    pub fn unfinished(&self) -> usize {
        let hidden = self.root().join(".larder");
        let on_their_way = fs::read_dir(hidden.join("trash")).map_or(0, |trash| {
            let names = trash.flatten().map(|entry| entry.file_name());
            names.filter(|name| name.to_string_lossy().ends_with(".new")).count()
        });
        on_their_way + fs::read_dir(hidden.join("tmp")).map_or(0, Iterator::count)
    }

    /// Waits until nothing unfinished is left.
    #[track_caller]
    pub fn wait_until_tidy(&self) {
        wait::until("no unfinished files", || self.unfinished() == 0);
    }

    /// The share root.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder that larder has nothing to do with.
    pub fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// The folder around all of it.
    pub fn folder_path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the share's drive away: an empty folder is left, as of a mount point.
    pub fn unplug(&self) {
        std::fs::rename(self.root(), self.folder_path().join("unplugged")).unwrap();
        std::fs::create_dir(self.root()).unwrap();
    }

    /// Brings it back.
    pub fn plug(&self) {
        // This fails unless the mount point is still empty.
        std::fs::remove_dir(self.root()).unwrap();
        std::fs::rename(self.folder_path().join("unplugged"), self.root()).unwrap();
    }

    // The server.

    /// The running server.
    #[track_caller]
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("a running larder")
    }

    /// Its port.
    #[track_caller]
    pub fn port(&self) -> u16 {
        self.process().port
    }

    /// Asks it to stop and demands that it does so cleanly.
    #[track_caller]
    pub fn stop(&mut self) {
        let process = self.process.take().expect("a running larder");
        process.signal(Signal::TERM);
        let status = process.wait();
        assert_eq!(status.code(), Some(0), "{status}: {}", process.complaints());
    }

    /// Kills it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again, on another port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process = None;
        let command = self.command();
        self.process = Some(Process::start(command, &self.folder.path().join("stderr")));
    }

    // Clients.

    /// A client with a user's API key.
    #[track_caller]
    pub fn http(&self, name: &str) -> Client {
        self.with_key(self.key(name))
    }

    /// Lets a row of `keys` or `links` end at another moment: one that is over, as none can be made.
    #[track_caller]
    pub fn let_end(&self, table: &str, id: i64, when: &str) {
        let when: jiff::Timestamp = when.parse().unwrap();
        let database = rusqlite::Connection::open(self.state().join("db/users.db")).unwrap();
        database.busy_timeout(wait::PATIENCE).unwrap();
        let sql = format!("UPDATE {table} SET expires = ?2 WHERE id = ?1");
        assert_eq!(database.execute(&sql, (id, when.as_second())).unwrap(), 1);
    }

    /// A client with this key.
    #[track_caller]
    pub fn with_key(&self, key: &str) -> Client {
        self.anonymous().with("X-API-KEY", key)
    }

    /// A client without credentials.
    #[track_caller]
    pub fn anonymous(&self) -> Client {
        let base = format!("http://127.0.0.1:{}", self.port());
        Client { agent: self.agent.clone(), base, headers: Vec::new() }
    }

    /// A client with a token.
    #[track_caller]
    pub fn bearer(&self, token: &str) -> Client {
        self.anonymous().with("Authorization", &format!("Bearer {token}"))
    }

    /// A client of somebody who has just signed in.
    #[track_caller]
    pub fn session(&self, name: &str) -> Client {
        self.bearer(&self.token(name))
    }

    /// A client with a token in the cookie alone, as a browser that follows a link.
    #[track_caller]
    pub fn browser(&self, token: &str) -> Client {
        self.anonymous().with("Cookie", &format!("larder_session={token}"))
    }

    /// A bare connection.
    #[track_caller]
    pub fn wire(&self) -> Wire {
        Wire::open(self.port())
    }

    /// A bare connection from an address that no other client of this larder has.
    #[track_caller]
    pub fn wire_from_afar(&self) -> Wire {
        let last = self.last_address.fetch_add(1, Ordering::Relaxed);
        Wire::open_from(Ipv4Addr::new(127, 0, 1, last + 1), self.port())
    }

    /// A bare connection from one of many addresses: 127.1.x.y.
    #[track_caller]
    pub fn wire_from_afar_by(&self, number: u16) -> Wire {
        let [high, low] = number.to_be_bytes();
        Wire::open_from(Ipv4Addr::new(127, 1, high, low), self.port())
    }

    /// Signs in, from an address of its own each time.
    #[track_caller]
    pub fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.login(&json!({ "username": username, "password": password }))
    }

    /// Asks to be let in by whatever this says, likewise.
    #[track_caller]
    pub fn login(&self, ask: &Value) -> Answer {
        let mut wire = self.wire_from_afar();
        wire.send(login_request(ask, ""));
        wire.answer()
    }

    /// Signs in with the right password; gives the token.
    #[track_caller]
    pub fn token(&self, name: &str) -> String {
        let answer = self.sign_in(name, &password_of(name)).expect(200);
        answer.json()["token"].as_str().expect("a token").to_owned()
    }
}

/// A request to sign in, with more fields.
pub fn login_request(ask: &Value, more: &str) -> String {
    let body = ask.to_string();
    format!(
        "POST /api/user/login HTTP/1.1\r\nHost: larder\r\nContent-Type: application/json\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The password of a user.
pub fn password_of(name: &str) -> String {
    if name == "admin" { ADMIN_PASSWORD.to_owned() } else { format!("{name} opens the larder") }
}

/// Roles under which `user` may do what `admin` may.
pub fn everybody_may_everything() -> Value {
    let both = json!(["admin", "user"]);
    let paths = BY_ROLE.iter().map(|(_, path)| *path).chain(OTHER_DOORS);
    paths.map(|path| (path.to_owned(), both.clone())).collect::<serde_json::Map<_, _>>().into()
}

/// What `roles.json` decides about beside the endpoints of the API that are for roles alone.
pub const OTHER_DOORS: [&str; 2] = ["/dav/", "/api/explain"];

/// Gathers the paths below a folder.
fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    // A folder may go while it is looked at.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if prefix.is_empty() && name == ".larder" {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(format!("{path}/"));
            collect(&entry.path(), &format!("{path}/"), found);
        } else {
            found.push(path);
        }
    }
}
