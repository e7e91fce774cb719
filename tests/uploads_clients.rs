//! `/api/uploads` and other people's clients: tus-js-client, tuspy and curl, whole and interrupted, also through
//! nginx: second contract, section 16. `scripts/test` installs them.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::Larder;
use crate::harness::cutter::{Break, Cutter};
use crate::harness::program::{command, run, skip, try_run};
use crate::harness::tus::{Tus, UPLOADS, content, encoded, wait_until_nothing_is_left};
use crate::harness::wait;

/// Bytes in 1 MiB.
const MIB: usize = 1 << 20;

/// More than is on the way in a network that breaks: buffers of both ends' kernels and of the client, and heads.
const ON_THE_WAY: u64 = 8 << 20;

/// The clients that know nothing of larder.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// tus-js-client, in Node.js.
    Js,
    /// tuspy, in Python.
    Py,
}

/// A client that is here.
struct Client {
    /// Which.
    kind: Kind,
    /// The program that runs it.
    program: PathBuf,
}

/// One file to be brought.
struct Task<'a> {
    /// The port that the client speaks to.
    port: u16,
    /// The file.
    file: &'a Path,
    /// What is told of it.
    metadata: Value,
    /// What else the client is told, of its own.
    more: Value,
}

/// How a client ended.
struct Ended {
    /// What it said.
    told: Value,
}

impl Client {
    /// One of them; `None`, with the reason, where it was not installed.
    fn here(kind: Kind) -> Option<Self> {
        let (program, needed) = match kind {
            Kind::Js => (PathBuf::from("node"), tree().join("web/node_modules/tus-js-client")),
            Kind::Py => {
                let program = tree().join("target/tools/tus/bin/python3");
                (program.clone(), program)
            }
        };
        if needed.exists() {
            return Some(Self { kind, program });
        }
        skip(&format!("{} is not there; scripts/test installs it", needed.display()));
        None
    }

    /// The command that brings a file as `ana`.
    fn command(&self, larder: &Larder, task: &Task<'_>) -> Command {
        let endpoint = format!("http://127.0.0.1:{}{UPLOADS}", task.port);
        let mut ask = json!({
            "endpoint": endpoint, "key": larder.key("ana"), "file": task.file, "metadata": task.metadata,
        });
        ask.as_object_mut().unwrap().extend(task.more.as_object().unwrap().clone());
        let script = match self.kind {
            Kind::Js => "tests/clients/tus_js.cjs",
            Kind::Py => "tests/clients/tus_py.py",
        };
        let script = tree().join(script);
        let arguments = [script.to_str().unwrap(), &ask.to_string()];
        let mut command = command(&larder.outside(), self.program.to_str().unwrap(), &arguments);
        command.env("NODE_PATH", tree().join("web/node_modules"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins to bring a file.
    fn begin(&self, larder: &Larder, task: &Task<'_>) -> Child {
        self.command(larder, task).spawn().unwrap()
    }

    /// Brings a file, which must work.
    #[track_caller]
    fn bring(&self, larder: &Larder, task: &Task<'_>) -> Ended {
        Ended::of(self.begin(larder, task))
    }

    /// How this client is told to send in slices of so many bytes.
    fn sliced(&self, bytes: usize) -> Value {
        match self.kind {
            Kind::Js => json!({ "options": { "chunkSize": bytes } }),
            Kind::Py => json!({ "options": { "chunk_size": bytes } }),
        }
    }
}

impl Ended {
    /// Waits for it, and demands that it worked.
    #[track_caller]
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {text}\n{complaints}", output.status);
        let last = text.lines().last().unwrap_or_default();
        Self { told: serde_json::from_str(last).unwrap() }
    }

    /// Where the file is, as larder told it.
    #[track_caller]
    fn path(&self) -> String {
        let told = self.told["path"].as_str().unwrap_or_else(|| panic!("no path: {}", self.told));
        percent_encoding::percent_decode_str(told).decode_utf8().unwrap().into_owned()
    }
}

/// The source tree.
fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A larder with `ana`, and a file of so many bytes outside of it.
fn house(length: usize) -> (Larder, PathBuf) {
    let larder = Larder::start().user("ana");
    let file = larder.outside().join("film.mkv");
    fs::write(&file, content(length)).unwrap();
    (larder, file)
}

/// Demands that a file of the share is this one.
#[track_caller]
fn expect_alike(larder: &Larder, path: &str, file: &Path) {
    assert!(larder.read_bytes(path) == fs::read(file).unwrap(), "{path} is not what was sent");
}

/// Whole files of all sizes, with all that can be said of them.
fn brings_whole_files(kind: Kind) {
    let Some(client) = Client::here(kind) else { return };
    let larder = Larder::start().user("ana");
    let named = |name: &str| json!({ "filename": name });
    let deep = json!({
        "name": "ignored.bin", "path": "Fotos/2026", "relativePath": "Grüße/日本 🍊/&=+ % é.jpg",
        "modified": "1700000000123", "filename": "&=+ % é.jpg",
    });
    for (length, metadata, more, path) in [
        (0, named("empty"), json!({}), "empty"),
        (1, named("one"), json!({}), "one"),
        (
            100_000,
            named("a name, with: odd;\"letters\" ü.txt"),
            json!({}),
            "a name, with: odd;\"letters\" ü.txt",
        ),
        (3 * MIB + 17, deep, json!({}), "Fotos/2026/Grüße/日本 🍊/&=+ % é.jpg"),
        (3 * MIB + 17, named("sliced"), client.sliced(MIB), "sliced"),
        (3 * MIB, named("even"), client.sliced(MIB), "even"),
        (
            100_000,
            json!({ "filename": "dated", "modified": "2001-02-03T04:05:06Z" }),
            json!({}),
            "dated",
        ),
    ] {
        let file = larder.outside().join("source");
        fs::write(&file, content(length)).unwrap();
        let ended =
            client.bring(&larder, &Task { port: larder.port(), file: &file, metadata, more });
        expect_alike(&larder, path, &file);
        // tuspy looks at no answer to a creation.
        if length > 0 || matches!(kind, Kind::Js) {
            assert_eq!(ended.path(), path);
        }
    }
    let modified = |path: &str| {
        let found = fs::metadata(larder.root().join(path)).unwrap();
        (found.mtime(), found.mtime_nsec() / 1_000_000)
    };
    assert_eq!(modified("Fotos/2026/Grüße/日本 🍊/&=+ % é.jpg"), (1_700_000_000, 123));
    assert_eq!(modified("dated"), (981_173_106, 0));
    // A name that is taken: refused at once, overwritten, or kept beside, as it is told.
    let file = larder.outside().join("source");
    let taken = |rule: &str| json!({ "filename": "one", "if_exists": rule });
    let bring = |rule: &str| {
        let metadata = taken(rule);
        let task = Task { port: larder.port(), file: &file, metadata, more: json!({}) };
        client.begin(&larder, &task)
    };
    assert!(!bring("error").wait_with_output().unwrap().status.success());
    assert_eq!(larder.read_bytes("one").len(), 1);
    let beside = Ended::of(bring("rename")).path();
    assert!(beside != "one" && larder.read_bytes(&beside).len() == 100_000, "{beside}");
    assert_eq!(Ended::of(bring("overwrite")).path(), "one");
    expect_alike(&larder, "one", &file);
    wait_until_nothing_is_left(&larder);
}

/// The connection breaks again and again, and the client goes on.
fn goes_on_after_breaks(kind: Kind) {
    let Some(client) = Client::here(kind) else { return };
    for sliced in [false, true] {
        let (larder, file) = house(24 * MIB + 5);
        let network = Cutter::before(larder.port());
        let at = |mib: u64| (mib << 20, Break::Cut);
        network.break_at(&[at(3), at(4), at(9), at(15), at(20)]);
        let metadata = json!({ "filename": "film.mkv" });
        let more = if sliced { client.sliced(5 * MIB) } else { json!({}) };
        let task = Task { port: network.port, file: &file, metadata, more };
        assert_eq!(client.bring(&larder, &task).path(), "film.mkv");
        expect_alike(&larder, "film.mkv", &file);
        assert_eq!(network.breaks_left(), 0);
        let twice = network.sent() - (24 * MIB) as u64;
        assert!(twice < 5 * ON_THE_WAY, "{twice} bytes were sent twice");
        wait_until_nothing_is_left(&larder);
    }
}

/// Larder is killed and started again in the middle.
fn goes_on_after_a_kill(kind: Kind) {
    let Some(client) = Client::here(kind) else { return };
    let (mut larder, file) = house(24 * MIB + 5);
    let network = Cutter::before(larder.port());
    network.break_at(&[(6 << 20, Break::Hold), (15 << 20, Break::Hold)]);
    let metadata = json!({ "filename": "film.mkv", "path": "new" });
    let task = Task { port: network.port, file: &file, metadata, more: json!({}) };
    let running = client.begin(&larder, &task);
    for _ in 0..2 {
        network.wait_until_holding();
        larder.kill();
        assert!(!larder.exists("new/film.mkv"));
        larder.restart();
        network.go_on(larder.port());
    }
    assert_eq!(Ended::of(running).path(), "new/film.mkv");
    expect_alike(&larder, "new/film.mkv", &file);
    assert!(network.sent() < (24 * MIB) as u64 + 2 * ON_THE_WAY, "{}", network.sent());
    wait_until_nothing_is_left(&larder);
}

/// The client itself is killed, and another goes on on another day.
fn another_goes_on(kind: Kind) {
    let Some(client) = Client::here(kind) else { return };
    let (mut larder, file) = house(24 * MIB + 5);
    let network = Cutter::before(larder.port());
    network.break_at(&[(16 << 20, Break::Hold)]);
    let mut more = client.sliced(2 * MIB);
    more["storage"] = json!(larder.outside().join("remembered.json"));
    let metadata = json!({ "filename": "film.mkv" });
    let task = Task { port: network.port, file: &file, metadata, more };
    let mut first = client.begin(&larder, &task);
    network.wait_until_holding();
    first.kill().unwrap();
    first.wait().unwrap();
    larder.stop();
    larder.restart();
    network.go_on(larder.port());
    let waiting = Tus::of(&larder, "ana").list();
    assert_eq!((waiting.len(), &waiting[0]["path"]), (1, &json!("film.mkv")));
    assert!(waiting[0]["offset"].as_u64().unwrap() >= 8 << 20, "{waiting:?}");
    assert_eq!(client.bring(&larder, &task).path(), "film.mkv");
    expect_alike(&larder, "film.mkv", &file);
    assert!(network.sent() < (24 * MIB) as u64 + 2 * ON_THE_WAY, "{}", network.sent());
    wait_until_nothing_is_left(&larder);
}

#[test]
fn tus_js_client_brings_whole_files() {
    brings_whole_files(Kind::Js);
}

#[test]
fn tuspy_brings_whole_files() {
    brings_whole_files(Kind::Py);
}

#[test]
fn tus_js_client_goes_on_after_breaks() {
    goes_on_after_breaks(Kind::Js);
}

#[test]
fn tuspy_goes_on_after_breaks() {
    goes_on_after_breaks(Kind::Py);
}

#[test]
fn tus_js_client_goes_on_after_a_kill_of_larder() {
    goes_on_after_a_kill(Kind::Js);
}

#[test]
fn tuspy_goes_on_after_a_kill_of_larder() {
    goes_on_after_a_kill(Kind::Py);
}

#[test]
fn another_tus_js_client_goes_on_with_what_one_began() {
    another_goes_on(Kind::Js);
}

#[test]
fn another_tuspy_goes_on_with_what_one_began() {
    another_goes_on(Kind::Py);
}

#[test]
fn tus_js_client_sends_bytes_with_the_creation_and_takes_uploads_back() {
    let Some(client) = Client::here(Kind::Js) else { return };
    let (larder, file) = house(3 * MIB + 1);
    let port = larder.port();
    let bring = |name: &str, more: Value| {
        let metadata = json!({ "filename": name });
        client.bring(&larder, &Task { port, file: &file, metadata, more })
    };
    // One request is enough.
    let ended = bring("at-once", json!({ "options": { "uploadDataDuringCreation": true } }));
    assert_eq!(ended.told["requests"], json!(["POST 201"]));
    expect_alike(&larder, "at-once", &file);
    let options = json!({ "uploadDataDuringCreation": true, "chunkSize": MIB });
    let ended = bring("sliced", json!({ "options": options }));
    let requests = ended.told["requests"].as_array().unwrap().len();
    assert_eq!((requests, ended.path().as_str()), (4, "sliced"));
    expect_alike(&larder, "sliced", &file);
    let ended = bring("dropped", json!({ "options": { "chunkSize": MIB }, "terminate": 2 * MIB }));
    assert!(ended.told["requests"].as_array().unwrap().contains(&json!("DELETE 204")));
    assert!(!larder.exists("dropped"));
    wait_until_nothing_is_left(&larder);
}

/// An nginx before a larder, with a listening socket of its own.
struct Nginx {
    /// It.
    process: Child,
    /// Where it listens on 127.0.0.1.
    port: u16,
}

impl Nginx {
    /// Starts one, as most people have them: no body of more than 64 MiB.
    fn before(larder: &Larder, is_buffering: bool) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].map(Path::new);
        let Some(program) = program.iter().find(|program| program.exists()) else {
            skip("there is no nginx here; scripts/test installs it");
            return None;
        };
        let folder = larder.folder_path().join(format!("nginx-{is_buffering}"));
        fs::create_dir(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (here, root) = (folder.display(), rustix::process::geteuid().is_root());
        let conf = format!(
            "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log;\n{}\n\
             events {{ worker_connections 64; }}\n\
             http {{\n\
               access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p;\n\
               fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
               client_max_body_size 64m; proxy_request_buffering {};\n\
               server {{\n\
                 listen 127.0.0.1:{port};\n\
                 location / {{\n\
                   proxy_pass http://127.0.0.1:{}; proxy_http_version 1.1; proxy_set_header Host $http_host;\n\
                 }}\n\
               }}\n\
             }}\n",
            if root { "user root;" } else { "" },
            if is_buffering { "on" } else { "off" },
            larder.port(),
        );
        fs::write(folder.join("nginx.conf"), conf).unwrap();
        // It takes over a socket that listens already, as at its own updates: so no port is guessed.
        let mut command = Command::new("sh");
        command.args(["-c", "exec 3<&0 0</dev/null; NGINX='3;' exec \"$@\"", "sh"]);
        command.arg(program).arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf"));
        command.stdin(OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self { process: command.spawn().unwrap(), port })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker ends with it when it is asked, not when it is killed.
        if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(self.process.id()).unwrap())
        {
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _gone = self.process.wait();
    }
}

/// What curl says of its last answer: its status, and a field of it.
struct Curled {
    /// The status.
    status: String,
    /// Head and body, as they came.
    text: String,
}

impl Curled {
    /// A field of the last answer.
    fn field(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.text.lines().rev().find_map(|line| {
            let is_it = line.get(..start.len())?.eq_ignore_ascii_case(&start);
            is_it.then(|| line[start.len()..].trim())
        })
    }
}

/// Asks by curl as `ana`; whether it came to an answer.
fn try_curl(larder: &Larder, url: &str, arguments: &[&str]) -> Option<Curled> {
    let key = format!("X-API-KEY: {}", larder.key("ana"));
    let always = ["-sS", "-i", "--no-progress-meter", "-w", "\n%{http_code}", "-H", &key, url];
    let output = try_run(&larder.outside(), "curl", &[&always, arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let status = text.lines().last().unwrap_or_default().to_owned();
    output.status.success().then_some(Curled { status, text })
}

/// Asks by curl as `ana` and demands this status.
#[track_caller]
fn curl(larder: &Larder, url: &str, status: &str, arguments: &[&str]) -> Curled {
    let curled = try_curl(larder, url, arguments).expect("an answer to curl");
    assert_eq!(curled.status, status, "{}", curled.text);
    curled
}

/// Begins an upload by curl; where it is.
#[track_caller]
fn begin_by_curl(larder: &Larder, base: &str, length: usize, name: &str) -> String {
    let length = format!("Upload-Length: {length}");
    let metadata = format!("Upload-Metadata: {}", encoded(&[("filename", name)]));
    let arguments = ["-X", "POST", "-H", &length, "-H", &metadata];
    let begun = curl(larder, &format!("{base}{UPLOADS}"), "201", &arguments);
    format!("{base}{}", begun.field("Location").expect("a location"))
}

/// The fields of a `PATCH` at an offset.
fn patch_fields(offset: usize) -> [String; 2] {
    ["Content-Type: application/offset+octet-stream".to_owned(), format!("Upload-Offset: {offset}")]
}

#[test]
fn curl_brings_goes_on_and_takes_back() {
    let (larder, file) = house(5 * MIB + 3);
    let base = format!("http://127.0.0.1:{}", larder.port());
    // Whole, by one request.
    let length = format!("Upload-Length: {}", 5 * MIB + 3);
    let metadata =
        format!("Upload-Metadata: {}", encoded(&[("filename", "whole"), ("path", "sub")]));
    let [kind, _] = patch_fields(0);
    let arguments = ["-X", "POST", "-H", &length, "-H", &metadata, "-H", &kind, "-T", "film.mkv"];
    let brought = curl(&larder, &format!("{base}{UPLOADS}"), "201", &arguments);
    assert_eq!(brought.field("Larder-Path"), Some("sub/whole"));
    expect_alike(&larder, "sub/whole", &file);
    // Through a network that breaks.
    let network = Cutter::before(larder.port());
    let broken = format!("http://127.0.0.1:{}", network.port);
    let url = begin_by_curl(&larder, &broken, 5 * MIB + 3, "film");
    let [kind, start] = patch_fields(0);
    network.break_at(&[(2 << 20, Break::Cut)]);
    let patch = ["-X", "PATCH", "-H", &kind, "-H", &start, "-T", "film.mkv"];
    assert!(try_curl(&larder, &url, &patch).is_none());
    // The next request goes on at once with what came, however much of it larder has read.
    let offset: usize =
        curl(&larder, &url, "200", &["-I"]).field("Upload-Offset").unwrap().parse().unwrap();
    assert!(offset > 0 && offset < 5 * MIB, "{offset}");
    let wrong = patch_fields(offset + 1);
    let wrong = ["-X", "PATCH", "-H", &kind, "-H", &wrong[1], "-T", "film.mkv"];
    let told = curl(&larder, &url, "409", &wrong);
    assert_eq!(told.field("Upload-Offset"), Some(&*offset.to_string()));
    // As the README says: from a pipe, whose length curl does not know.
    let key = larder.key("ana");
    let line = format!(
        "tail -c +$(({offset} + 1)) film.mkv | curl -sS -i -X PATCH -T - -H 'X-API-KEY: {key}' \
         -H '{kind}' -H 'Upload-Offset: {offset}' {url}"
    );
    let told = run(&larder.outside(), "sh", &["-c", &line]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains(" 204 ") && told.to_lowercase().contains("larder-path: film"), "{told}");
    expect_alike(&larder, "film", &file);
    let done = curl(&larder, &url, "200", &["-I"]);
    assert_eq!(done.field("Upload-Offset"), done.field("Upload-Length"));
    let url = begin_by_curl(&larder, &base, 10, "dropped");
    curl(&larder, &url, "204", &["-X", "DELETE"]);
    curl(&larder, &url, "404", &["-I"]);
    wait_until_nothing_is_left(&larder);
}

/// What is larger than a proxy lets through goes in slices.
fn passes_in_slices(is_buffering: bool) {
    let (larder, file) = house(129 * MIB + 1);
    let Some(nginx) = Nginx::before(&larder, is_buffering) else { return };
    let base = format!("http://127.0.0.1:{}", nginx.port);
    let url = begin_by_curl(&larder, &base, 129 * MIB + 1, "film");
    let [kind, start] = patch_fields(0);
    let told =
        curl(&larder, &url, "413", &["-X", "PATCH", "-H", &kind, "-H", &start, "-T", "film.mkv"]);
    // That was nginx, and the upload is not gone.
    assert_eq!(told.field("Tus-Resumable"), None, "{}", told.text);
    assert_eq!(curl(&larder, &url, "200", &["-I"]).field("Upload-Offset"), Some("0"));
    for (offset, mib) in [(0, 64), (64 * MIB, 64), (128 * MIB, 64)] {
        let slice = format!("tail -c +$(({offset} + 1)) film.mkv | head -c {} > slice", mib * MIB);
        try_run(&larder.outside(), "sh", &["-c", &slice]);
        let [kind, at] = patch_fields(offset);
        let patch = ["-X", "PATCH", "-H", &kind, "-H", &at, "-T", "slice"];
        let told = curl(&larder, &url, "204", &patch);
        let whole = (offset + 64 * MIB).min(129 * MIB + 1);
        assert_eq!(told.field("Upload-Offset"), Some(&*whole.to_string()));
    }
    expect_alike(&larder, "film", &file);
    if let Some(client) = Client::here(Kind::Js) {
        let metadata = json!({ "filename": "again" });
        let task = Task { port: nginx.port, file: &file, metadata, more: client.sliced(64 * MIB) };
        client.bring(&larder, &task);
        expect_alike(&larder, "again", &file);
    }
    wait_until_nothing_is_left(&larder);
}

#[test]
fn slices_pass_an_nginx_that_sends_on_what_comes() {
    passes_in_slices(false);
}

#[test]
fn slices_pass_an_nginx_that_waits_for_all_of_a_request() {
    passes_in_slices(true);
}

#[test]
fn what_breaks_before_an_nginx_goes_on() {
    let Some(client) = Client::here(Kind::Js) else { return };
    for is_buffering in [false, true] {
        let (larder, file) = house(20 * MIB);
        let Some(nginx) = Nginx::before(&larder, is_buffering) else { return };
        let network = Cutter::before(nginx.port);
        network.break_at(&[(3 << 20, Break::Cut), (11 << 20, Break::Cut)]);
        let metadata = json!({ "filename": "film.mkv" });
        // What waits for all of a request loses what it has of one that breaks off.
        let task = Task { port: network.port, file: &file, metadata, more: client.sliced(4 * MIB) };
        client.bring(&larder, &task);
        expect_alike(&larder, "film.mkv", &file);
        assert_eq!(network.breaks_left(), 0);
        wait::until("nginx to have nothing on its way", || {
            Tus::of(&larder, "ana").list().is_empty()
        });
        wait_until_nothing_is_left(&larder);
    }
}
