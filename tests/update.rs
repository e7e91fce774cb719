//! Self-update, end to end: a larder of its own in a folder of its own, and a release server beside it
//! (contract, sections 6 and 12).

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_compact::{KeyPair, Seed};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::machine::{Machine, response};
use crate::harness::pictures::{Seen, jpeg};
use crate::harness::{LARDER, Larder, wait};

/// A version that is newer than any.
const NEWER: &str = "99.0.0";

/// The maker of all releases here, and a stranger.
fn key_pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([seed; 32]))
}

/// What the maker's releases are checked with.
fn public_key() -> String {
    BASE64.encode(*key_pair(1).pk)
}

/// What the program under test was built for.
fn target() -> &'static str {
    env!("LARDER_TARGET")
}

/// The next larder: this one with a few bytes behind its end, which the loader does not look at. So it
/// is another program to everybody but itself.
fn next_larder() -> Arc<Vec<u8>> {
    static BYTES: OnceLock<Arc<Vec<u8>>> = OnceLock::new();
    let make = || {
        let mut bytes = fs::read(&*LARDER).unwrap();
        bytes.extend_from_slice(b"the next one");
        Arc::new(bytes)
    };
    Arc::clone(BYTES.get_or_init(make))
}

/// A program of a few lines that says it is a newer larder, and then does something else.
fn script(text: &str) -> Arc<Vec<u8>> {
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo larder {NEWER}; exit; fi\n{text}\n"
    );
    Arc::new(text.into_bytes())
}

/// What is published; a test changes what it is about.
struct Published {
    /// Of the manifest.
    version: &'static str,
    /// What is sent.
    program: Arc<Vec<u8>>,
    /// What the manifest says about it; its hash and signature are of this.
    promised: Arc<Vec<u8>>,
    /// Who signs.
    signer: u8,
    /// Bytes of the program that are sent before the connection closes.
    sent: usize,
}

impl Published {
    /// A good release of this program.
    fn of(program: Arc<Vec<u8>>) -> Self {
        let (promised, sent) = (Arc::clone(&program), program.len());
        Self { version: NEWER, program, promised, signer: 1, sent }
    }

    /// Publishes it.
    fn serve(self) -> Machine {
        let hash = Sha256::digest(self.promised.as_slice());
        let signature = key_pair(self.signer).sk.sign(hash, None);
        let (hash, signature) = (hex(&hash), BASE64.encode(*signature));
        // The manifest names the server's own address, which is known once it has one.
        let address = Arc::new(OnceLock::<String>::new());
        let of_server = Arc::clone(&address);
        let machine = Machine::start(move |path| {
            if path == "/larder" {
                let mut answer = response("200 OK", &self.program);
                answer.truncate(answer.len() - (self.program.len() - self.sent));
                return answer;
            }
            let url = format!("{}/larder", of_server.get().unwrap());
            let binary = json!({ "url": url, "sha256": hash, "signature": signature });
            let manifest = json!({ "version": self.version, "targets": { target(): binary } });
            response("200 OK", manifest.to_string().as_bytes())
        });
        address.set(machine.url.clone()).unwrap();
        machine
    }
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A larder whose program lies in a folder of its own, beside which releases are laid.
struct Installed {
    /// The server and its folders.
    larder: Larder,
    /// Its program.
    program: PathBuf,
}

impl Installed {
    /// Runs it with these settings.
    #[track_caller]
    fn start(settings: &Value) -> Self {
        let mut installed = Self::prepare(settings);
        let program = installed.program.clone();
        let larder = installed.larder.launch_with(|command| *command = moved(command, &program));
        installed.larder = larder.user("ana");
        installed
    }

    /// The same without running it.
    fn prepare(settings: &Value) -> Self {
        let larder = Larder::prepare();
        let settings_path = larder.state().join("settings/settings.json");
        fs::write(settings_path, settings.to_string()).unwrap();
        let bin = larder.folder_path().join("bin");
        fs::create_dir(&bin).unwrap();
        let program = bin.join("larder");
        // By another process: a file that this one has open for writing, if only in a child that another
        // test is just starting, can't be run.
        let copied = Command::new("cp").arg(&*LARDER).arg(&program).status().unwrap();
        assert!(copied.success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { larder, program }
    }

    /// With a release server and the maker's key.
    #[track_caller]
    fn following(releases: &Machine) -> Self {
        Self::start(&settings(releases))
    }

    /// Asks for an update.
    #[track_caller]
    fn update(&self) {
        let answer = self.larder.http("ana").post("/api/update", json!({}));
        answer.expect_status("Update started");
    }

    /// Runs `larder update`.
    fn command(&self, flags: &[&str]) -> Output {
        let mut command = moved(&self.larder.program(), &self.program);
        command.arg("update").args(flags).arg("--state").arg(self.larder.state());
        command.output().unwrap()
    }

    /// Waits until the log says this.
    #[track_caller]
    fn wait_for_log(&self, text: &str) {
        wait::until(&format!("{text:?} in the log"), || self.has_logged(text));
    }

    /// Whether the log says this: the database, or what is still to be written into it.
    fn has_logged(&self, text: &str) -> bool {
        ["logs.db", "logs.db-wal"].iter().any(|name| {
            let bytes = fs::read(self.larder.state().join("db").join(name)).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }

    /// Waits until it has started once more, at the port it had, as the same process.
    #[track_caller]
    fn wait_for_restart(&self) {
        let next = || self.larder.process().next_line(wait::PATIENCE).expect("a second banner");
        while !next().contains("is serving") {}
        let line = self.larder.process().next_line(wait::PATIENCE).expect("an address");
        assert_eq!(line.trim(), format!("http://127.0.0.1:{}/", self.larder.port()));
        self.is_serving();
    }

    /// Demands that it answers.
    #[track_caller]
    fn is_serving(&self) {
        self.larder.http("ana").get("/api/user/get_self").expect(200);
        assert!(self.larder.process().ended().is_none());
    }

    /// The names beside the program, sorted.
    fn beside(&self) -> Vec<String> {
        let folder = fs::read_dir(self.program.parent().unwrap()).unwrap();
        let mut names: Vec<_> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Demands that nothing has changed.
    #[track_caller]
    fn is_as_before(&self) {
        assert!(same(&self.program, &fs::read(&*LARDER).unwrap()), "the program has changed");
        assert_eq!(self.beside(), ["larder"]);
        assert!(!self.larder.state().join("db.before-update").exists());
    }
}

/// Whether a file has this content; of a difference nobody wants to read 30 MiB.
fn same(path: &Path, content: &[u8]) -> bool {
    fs::read(path).unwrap() == content
}

/// The same command with another program.
fn moved(command: &Command, program: &Path) -> Command {
    let mut other = Command::new(program);
    other.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// Settings that follow a release server.
fn settings(releases: &Machine) -> Value {
    let url = format!("{}/manifest.json", releases.url);
    json!({ "update_url": url, "update_public_key": public_key() })
}

#[test]
fn a_good_release_takes_over_in_the_same_process_at_the_same_port() {
    let releases = Published::of(next_larder()).serve();
    let mut installed = Installed::following(&releases);
    installed
        .larder
        .http("ana")
        .post("/api/new_file", json!({ "file_name": "a", "file_content": "A" }))
        .expect(200);
    let before = fs::metadata(&installed.program).unwrap().permissions();
    installed.update();
    installed.wait_for_restart();
    assert!(same(&installed.program, &next_larder()), "the new program is not there");
    let old = installed.program.with_extension("old");
    assert!(same(&old, &fs::read(&*LARDER).unwrap()), "the old program is not kept");
    assert_eq!(installed.beside(), ["larder", "larder.old"]);
    assert_eq!(fs::metadata(&installed.program).unwrap().permissions(), before);
    assert!(!installed.larder.state().join("db.before-update").exists());
    assert_eq!(installed.larder.read("a"), "A");
    installed.larder.stop();
    for line in
        ["ana: started an update", "99.0.0 is here and checked", "99.0.0 is good and takes over"]
    {
        assert!(installed.has_logged(line), "{line}");
    }
}

#[test]
fn a_release_may_follow_a_release() {
    let releases = Published::of(next_larder()).serve();
    let installed = Installed::following(&releases);
    for _ in 0..2 {
        installed.update();
        installed.wait_for_restart();
    }
    assert!(same(&installed.program.with_extension("old"), &next_larder()));
    assert_eq!(installed.beside(), ["larder", "larder.old"]);
}

#[test]
fn the_ftp_server_comes_back_with_the_rest() {
    let releases = Published::of(next_larder()).serve();
    let mut settings = settings(&releases);
    settings["ftp"] = json!(true);
    settings["ftp_host"] = json!("127.0.0.1");
    settings["ftp_port"] = json!(0);
    let installed = Installed::start(&settings);
    let ftp_line = || loop {
        let line = installed.larder.process().next_line(wait::PATIENCE).expect("an FTP address");
        if line.contains("ftp://127.0.0.1:") {
            return;
        }
    };
    ftp_line();
    installed.update();
    installed.wait_for_restart();
    ftp_line();
    assert!(same(&installed.program, &next_larder()));
}

#[test]
fn without_an_address_or_a_key_nothing_happens() {
    let installed = Installed::start(&json!({}));
    installed.update();
    installed.wait_for_log("no update_url in the settings; nothing was changed");
    installed.is_serving();
    installed.is_as_before();

    let releases = Published::of(next_larder()).serve();
    let installed = Installed::start(&json!({ "update_url": releases.url }));
    installed.update();
    installed.wait_for_log("no update_public_key");
    assert!(releases.was_not_asked());
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn a_release_server_that_is_away_changes_nothing() {
    let installed = Installed::start(
        &json!({ "update_url": "http://127.0.0.1:1/manifest.json", "update_public_key": public_key() }),
    );
    installed.update();
    installed.wait_for_log("the manifest can't be fetched: connection refused");
    // The next one may try again.
    installed.update();
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn what_is_not_signed_by_the_maker_is_not_even_fetched() {
    let releases = Published { signer: 2, ..Published::of(next_larder()) }.serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_log("the signature of release 99.0.0 is not good; nothing was changed");
    assert!(releases.question().starts_with("GET /manifest.json "));
    assert!(releases.was_not_asked());
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn what_is_not_what_was_signed_is_thrown_away() {
    let releases = Published { program: script("exit"), ..Published::of(next_larder()) };
    let releases = Published { sent: releases.program.len(), ..releases }.serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_log("release 99.0.0 is not what its maker signed; nothing was changed");
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn a_download_that_breaks_off_is_thrown_away() {
    let releases = Published { sent: 100_000, ..Published::of(next_larder()) }.serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_log("release 99.0.0 can't be fetched");
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn what_is_not_newer_is_left_alone() {
    for version in [env!("CARGO_PKG_VERSION"), "0.0.1"] {
        let releases = Published { version, ..Published::of(next_larder()) }.serve();
        let installed = Installed::following(&releases);
        installed.update();
        installed.wait_for_log("is the newest");
        assert!(releases.question().starts_with("GET /manifest.json "));
        assert!(releases.was_not_asked());
        installed.is_serving();
        installed.is_as_before();
    }
}

#[test]
fn an_old_program_in_a_new_manifest_is_found_out() {
    let old = Arc::new(b"#!/bin/sh\necho larder 0.0.1\n".to_vec());
    let releases = Published::of(old).serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_log("the new program is an older one: 0.0.1; nothing was changed");
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn what_does_not_run_here_is_thrown_away() {
    let releases = Published::of(Arc::new(b"\x7fELF for another machine".to_vec())).serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_log("the new program does not run here");
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let releases = Published::of(next_larder()).serve();
    let installed = Installed::following(&releases);
    // Not even the system's administrator may put a file there.
    let in_the_way = installed.program.with_file_name("larder.new");
    fs::create_dir(&in_the_way).unwrap();
    installed.update();
    installed.wait_for_log("can't be replaced: File exists");
    fs::remove_dir(&in_the_way).unwrap();
    installed.is_serving();
    installed.is_as_before();
}

#[test]
fn a_release_that_crashes_at_its_start_is_rolled_back() {
    let releases = Published::of(script("kill -SEGV $$")).serve();
    let mut installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_restart();
    installed.is_as_before();
    installed.larder.stop();
    assert!(installed.has_logged("the new program ended before it was ready (signal: 11"));
    assert!(installed.has_logged("rolled back"));
}

#[test]
fn what_a_failed_release_made_of_the_databases_is_taken_back() {
    // A release that brings the schema up to date, as this larder would not understand it, and fails.
    let text = "for word; do [ \"$last\" = --state ] && state=$word; last=$word; done\n\
        : > \"$state/db/users.db\"; : > \"$state/db/more.db\"; exit 1";
    let releases = Published::of(script(text)).serve();
    let installed = Installed::following(&releases);
    installed.update();
    installed.wait_for_restart();
    installed.is_as_before();
    assert!(!installed.larder.state().join("db/more.db").exists());
    installed.larder.http("ana").get("/api/finder").expect(200);
}

#[test]
fn a_server_that_is_told_to_stop_in_the_middle_stops() {
    // Would never become ready.
    let releases = Published::of(script("echo > \"${0%/*}/tried\"; exec sleep 1000")).serve();
    let installed = Installed::following(&releases);
    installed.update();
    let tried = installed.program.with_file_name("tried");
    wait::until("the new program is tried", || tried.exists());
    installed.larder.process().signal(Signal::TERM);
    assert_eq!(installed.larder.process().wait().code(), Some(0));
    fs::remove_file(tried).unwrap();
    installed.is_as_before();
}

#[test]
fn a_server_that_is_told_to_stop_while_it_stops_for_an_update_only_stops() {
    let releases = Published::of(next_larder()).serve();
    let installed = Installed::following(&releases);
    // Somebody is still uploading, which is waited for.
    let mut wire = installed.larder.wire();
    wire.send(format!(
        "POST /api/upload HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n",
        installed.larder.key("ana")
    ));
    installed.update();
    installed.wait_for_log("started on trial");
    installed.larder.process().signal(Signal::TERM);
    drop(wire);
    assert_eq!(installed.larder.process().wait().code(), Some(0));
    installed.is_as_before();
}

#[test]
fn an_update_that_a_power_cut_broke_off_is_taken_back_at_the_next_start() {
    let mut installed = Installed::prepare(&json!({}));
    installed.larder = installed.larder.launch().user("ana");
    installed.larder.stop();
    let state = installed.larder.state();
    let kept = state.join("db.before-update");
    fs::create_dir(&kept).unwrap();
    fs::copy(state.join("db/users.db"), kept.join("users.db")).unwrap();
    fs::write(kept.join("version"), env!("CARGO_PKG_VERSION")).unwrap();
    fs::write(state.join("db/users.db"), "of the future").unwrap();
    installed.larder.restart();
    installed.is_serving();
    assert!(!kept.exists());
}

#[test]
fn a_check_over_the_api_tells_and_changes_nothing() {
    let check = |installed: &Installed| {
        let answer = installed.larder.http("ana").post("/api/update", json!({ "check": true }));
        let json = answer.expect_status("Update checked");
        assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
        installed.is_as_before();
        (json["available"].clone(), json["problem"].clone())
    };
    let releases = Published::of(next_larder()).serve();
    assert_eq!(check(&Installed::following(&releases)), (json!(NEWER), Value::Null));
    let releases = Published { version: "0.0.1", ..Published::of(next_larder()) }.serve();
    assert_eq!(check(&Installed::following(&releases)), (Value::Null, Value::Null));
    let releases = Published { signer: 2, ..Published::of(next_larder()) }.serve();
    let problem = json!("the signature of release 99.0.0 is not good");
    assert_eq!(check(&Installed::following(&releases)), (Value::Null, problem));
    let installed = Installed::start(&json!({}));
    let problem = json!("there is no update_url in the settings");
    assert_eq!(check(&installed), (Value::Null, problem));
    installed
        .larder
        .http("ana")
        .post("/api/update", json!({ "check": 1 }))
        .expect_error(400, "check must be true or false");
}

#[test]
fn the_command_line_looks_and_changes_nothing() {
    let releases = Published::of(next_larder()).serve();
    let mut installed = Installed::following(&releases);
    let output = installed.command(&["--check"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("larder {NEWER} can be had; this is {}\n", env!("CARGO_PKG_VERSION")));
    installed.is_as_before();
    installed.larder.stop();
    drop(releases);

    let releases = Published { version: "0.0.1", ..Published::of(next_larder()) }.serve();
    let installed = Installed::following(&releases);
    let output = installed.command(&["--check"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("is the newest"));

    let installed = Installed::start(&json!({}));
    let output = installed.command(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no update_url"));

    let nowhere = Installed::prepare(&json!({}));
    fs::remove_file(nowhere.larder.state().join("settings/settings.json")).unwrap();
    let output = nowhere.command(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no larder has been started"));
}

#[test]
fn the_command_line_installs_when_no_server_runs() {
    let releases = Published::of(next_larder()).serve();
    let mut installed = Installed::following(&releases);
    installed.larder.stop();
    let output = installed.command(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("larder 99.0.0 is installed"), "{text}");
    assert!(same(&installed.program, &next_larder()));
    assert_eq!(installed.beside(), ["larder", "larder.old"]);
    installed.larder.restart();
    installed.is_serving();
}

#[test]
fn the_command_line_tries_nothing_on_the_state_of_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a folder away.
    }
    let releases = Published::of(next_larder()).serve();
    let mut installed = Installed::following(&releases);
    installed.larder.stop();
    std::os::unix::fs::chown(installed.larder.state(), Some(12345), None).unwrap();
    let output = installed.command(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("belongs to user 12345; run this as that user"), "{text}");
    installed.is_as_before();
}

#[test]
fn the_command_line_leaves_a_crashing_release() {
    let releases = Published::of(script("exit 9")).serve();
    let mut installed = Installed::following(&releases);
    installed.larder.stop();
    let output = installed.command(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("ended before it was ready (exit status: 9)"), "{text}");
    installed.is_as_before();
    installed.larder.restart();
    installed.is_serving();
}

#[test]
fn the_command_line_has_a_running_server_update_itself() {
    let releases = Published::of(next_larder()).serve();
    let installed = Installed::following(&releases);
    let output = installed.command(&[]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("updates itself"));
    installed.wait_for_restart();
    assert!(same(&installed.program, &next_larder()));
}

#[test]
fn what_the_release_script_makes_is_what_larder_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (key, out) = (folder.path().join("key.pem"), folder.path().join("out"));
    let program = folder.path().join("larder");
    let written = folder.path().join("written");
    fs::write(&written, next_larder().as_slice()).unwrap();
    // By another process, as in `Installed::prepare`: the script runs it.
    assert!(Command::new("cp").arg(&written).arg(&program).status().unwrap().success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let public_key = run(Command::new(&script).arg("new-key").arg(&key));
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    // The address must be known before what lies there is made.
    let published = out.clone();
    let releases =
        Machine::start(move |path| match fs::read(published.join(path.trim_start_matches('/'))) {
            Ok(content) => response("200 OK", &content),
            Err(_) => response("404 Not Found", b""),
        });
    let pair = format!("{}={}", target(), program.display());
    run(Command::new(&script).arg(&key).args([NEWER, &releases.url]).arg(&out).arg(pair));

    let url = format!("{}/manifest.json", releases.url);
    let key = public_key.trim();
    let installed = Installed::start(&json!({ "update_url": url, "update_public_key": key }));
    installed.update();
    installed.wait_for_restart();
    assert!(same(&installed.program, &next_larder()));

    // It refuses what makes no sense, and makes nothing of it.
    let nothing = folder.path().join("nothing");
    for words in [
        ["v1", &releases.url, "x=/dev/null"],
        [NEWER, "ftp://example.org", &format!("x={}", program.display())],
        [NEWER, &releases.url, "x=/no/such/file"],
        [NEWER, &releases.url, "no pair"],
    ] {
        let mut command = Command::new(&script);
        command.arg(folder.path().join("key.pem")).args(&words[..2]).arg(&nothing).arg(words[2]);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{words:?}");
        assert!(!nothing.exists());
    }
}

#[test]
fn a_larder_whose_program_has_made_way_still_makes_small_pictures() {
    let installed = Installed::start(&json!({}));
    fs::write(installed.larder.root().join("a.jpg"), jpeg(400, 300)).unwrap();
    // As after an update that waits for its restart: the child is the program that runs, not the one that lies there.
    fs::remove_file(&installed.program).unwrap();
    fs::write(&installed.program, "#!/bin/sh\nexit 1\n").unwrap();
    let answer = installed.larder.http("ana").get_with("/api/thumb", "path", "a.jpg").expect(200);
    assert!(Seen::of(&answer.body).is_upright());
}
