//! The program itself: its command line, its first start, its end.

use std::fs::{self, Permissions};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{BY_ROLE, LARDER, Larder, PUBLIC, Process, password_of, wait};

/// Runs a start that must fail: one line on standard error, exit code 2.
#[track_caller]
fn refused(mut command: Command) -> String {
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let has_ended = wait::comes_true(wait::PATIENCE, || child.try_wait().unwrap().is_some());
    let _already_gone = child.kill();
    let output = child.wait_with_output().unwrap();
    assert!(has_ended, "it started: {}", String::from_utf8_lossy(&output.stdout));
    line_of_refusal(&output)
}

/// The one line of a start that failed.
#[track_caller]
fn line_of_refusal(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!line.contains("panicked"), "{line}");
    line
}

#[test]
fn version_and_help_are_printed_and_start_nothing() {
    let larder = Larder::bare();
    for flag in ["--version", "-V"] {
        let output = larder.program().arg(flag).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert_eq!(text, concat!("larder ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    for flag in ["--help", "-h"] {
        let output = larder.program().arg(flag).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        for word in ["--state", "--root", "--host", "--port", "LARDER_STATE", "user add"] {
            assert!(text.contains(word), "{word} is missing: {text}");
        }
    }
    assert!(!larder.folder_path().join("larder-data").exists());
}

#[test]
fn a_bad_flag_is_named_and_nothing_is_created() {
    let larder = Larder::bare();
    for (words, named) in [
        (&["serve", "--nonsense"][..], "--nonsense"),
        (&["--port", "seventy"], "--port"),
        (&["serve", "--port", "65536"], "--port"),
        (&["serve", "--port", "-1"], "--port"),
        (&["serve", "--port"], "--port"),
        (&["serve", "--host", "not an address"], "--host"),
        (&["serve", "--state", ""], "--state"),
        (&["serve", "--root", ""], "--root"),
        (&["serve", "--ftp-port", "x"], "--ftp-port"),
        (&["fly"], "fly"),
        (&["serve", "twice"], "twice"),
        (&["user", "add"], "user add"),
        (&["-x"], "-x"),
    ] {
        let mut command = larder.program();
        command.args(words);
        let line = refused(command);
        assert!(line.contains(named), "{words:?}: {line}");
    }
    for (name, value) in
        [("LARDER_PORT", "x"), ("LARDER_HOST", "nowhere"), ("LARDER_FTP_PORT", "99999")]
    {
        let mut command = larder.program();
        command.env(name, value);
        let line = refused(command);
        assert!(line.contains(name), "{line}");
    }
    assert!(!larder.folder_path().join("larder-data").exists());
}

#[test]
fn an_unusable_directory_is_named() {
    let larder = Larder::bare();
    let file = larder.folder_path().join("a file");
    fs::write(&file, "").unwrap();
    for flag in ["--state", "--root"] {
        let mut command = larder.command();
        command.arg(flag).arg(&file);
        assert!(refused(command).contains("a file"), "{flag}");
        let mut command = larder.command();
        command.arg(flag).arg(file.join("below"));
        assert!(refused(command).contains("a file"), "{flag}");
    }
}

#[test]
fn a_root_that_is_missing_below_a_missing_folder_is_not_invented() {
    let larder = Larder::bare();
    let mut command = larder.command();
    command.arg("--root").arg(larder.folder_path().join("not/there"));
    assert!(refused(command).contains("not/there"));
    assert!(!larder.folder_path().join("not").exists());
}

#[test]
fn a_taken_port_is_named() {
    let larder = Larder::bare();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = larder.command();
    command.args(["--port", &port]);
    assert!(refused(command).contains(&port));
}

#[test]
fn flags_come_before_the_environment_and_that_before_settings() {
    let larder = Larder::bare();
    let elsewhere = larder.folder_path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    // The port of each source is taken except for the one that must win.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port();
    let settings = larder.state().join("settings");
    fs::create_dir_all(&settings).unwrap();
    let text = json!({ "port": taken, "host": "127.0.0.1", "path": elsewhere }).to_string();
    fs::write(settings.join("settings.json"), text).unwrap();

    let start = |flags: &[&str], environment: &[(&str, &str)]| {
        let mut command = larder.program();
        command.arg("--state").arg(larder.state()).args(flags).envs(environment.iter().copied());
        crate::harness::Process::start(command, &larder.folder_path().join("stderr"))
    };
    let taken = taken.to_string();
    // The flag wins over a bad port from the environment.
    let by_flag = start(&["--port", "0"], &[("LARDER_PORT", &taken)]);
    assert_ne!(by_flag.port.to_string(), taken);
    assert!(by_flag.banner[0].contains("elsewhere"), "{:?}", by_flag.banner);
    drop(by_flag);
    // The environment wins over the settings.
    let root = larder.root();
    let environment = [("LARDER_PORT", "0"), ("LARDER_ROOT", root.to_str().unwrap())];
    let by_environment = start(&[], &environment);
    assert_ne!(by_environment.port.to_string(), taken);
    assert!(by_environment.banner[0].contains("files"), "{:?}", by_environment.banner);
    drop(by_environment);
    // Alone, the settings count.
    let held = TcpListener::bind(format!("127.0.0.1:{taken}"));
    let Ok(_held) = held else { return };
    let mut command = larder.program();
    command.arg("--state").arg(larder.state());
    assert!(refused(command).contains(&taken));
}

#[test]
fn the_state_directory_may_come_from_the_environment() {
    let larder = Larder::bare();
    let state = larder.folder_path().join("my state");
    let mut command = larder.program();
    command.env("LARDER_STATE", &state).env("LARDER_HOST", "127.0.0.1").env("LARDER_PORT", "0");
    let process = crate::harness::Process::start(command, &larder.folder_path().join("stderr"));
    assert!(state.join("settings/settings.json").exists());
    // By default the share lies in the state directory.
    assert!(state.join("files").is_dir());
    drop(process);
}

#[test]
fn the_state_is_private_and_complete() {
    let larder = Larder::bare().launch();
    let state = larder.state();
    let mode = |path: &str| fs::metadata(state.join(path)).unwrap().permissions().mode() & 0o7777;
    for folder in ["", "settings", "db"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in [
        "settings/settings.json",
        "settings/roles.json",
        "settings/cloud.json",
        "db/users.db",
        "db/logs.db",
        "secret.key",
    ] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    for folder in ["", "settings", "db"] {
        for entry in fs::read_dir(state.join(folder)).unwrap().flatten() {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
            let wanted = if entry.file_type().unwrap().is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "{}", entry.path().display());
        }
    }
    let roles = fs::read_to_string(state.join("settings/roles.json")).unwrap();
    assert!(roles.lines().count() > BY_ROLE.len(), "not pretty-printed: {roles}");
    for (_, path) in BY_ROLE.iter() {
        let roles: Value = serde_json::from_str(&roles).unwrap();
        assert_eq!(roles[path], json!(["admin"]), "{path}");
    }
    let settings = fs::read_to_string(state.join("settings/settings.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(settings["port"], 6969);
    assert_eq!(settings["ftp"], false);
    assert_eq!(settings["trash_days"], 30);
}

#[test]
fn an_open_state_directory_is_closed_again() {
    let larder = Larder::bare();
    fs::create_dir(larder.state()).unwrap();
    fs::set_permissions(larder.state(), Permissions::from_mode(0o755)).unwrap();
    let larder = larder.launch();
    let mode = fs::metadata(larder.state()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[test]
fn the_first_start_shows_a_password_once() {
    let mut larder = Larder::bare().launch_with(|command| {
        command.env_remove("LARDER_ADMIN_PASSWORD");
    });
    let line = larder.process().next_line(wait::PATIENCE).expect("a line with the password");
    let password = line
        .split_whitespace()
        .skip_while(|word| *word != "password")
        .nth(1)
        .expect("a password")
        .to_owned();
    assert!(password.len() >= 12, "{line}");
    larder.sign_in("admin", &password).expect(200);
    larder.stop();
    let larder = larder.launch_with(|command| {
        command.env_remove("LARDER_ADMIN_PASSWORD");
    });
    let next = || larder.process().next_line(Duration::from_millis(300));
    let later: Vec<String> = std::iter::from_fn(next).collect();
    assert!(later.iter().all(|line| !line.contains("password")), "{later:?}");
    assert!(!larder.process().banner.join("\n").contains("password"));
    larder.sign_in("admin", &password).expect(200);
}

#[test]
fn a_root_that_holds_the_state_is_not_taken_and_an_old_one_is_told_of() {
    let mut larder = Larder::bare();
    let serve = |larder: &Larder, state: &Path, root: &Path| {
        let mut command = larder.program();
        command.args(["serve", "--port", "0", "--host", "127.0.0.1", "--state"]).arg(state);
        command.arg("--root").arg(root).env("LARDER_ADMIN_PASSWORD", password_of("admin"));
        command
    };
    for root in [larder.folder_path(), &larder.state()] {
        let told = refused(serve(&larder, &larder.state(), root));
        assert!(told.contains("own state directory"), "{told}");
    }
    larder = larder.launch();
    larder.stop();
    // As an older larder has taken it, and remembers it.
    let state = larder.root().join("state");
    fs::rename(larder.state(), &state).unwrap();
    let complaints = larder.folder_path().join("complaints");
    let again = Process::start(serve(&larder, &state, &larder.root()), &complaints);
    assert!(again.complaints().contains("own state directory"), "{}", again.complaints());
    for named in [&state, Path::new("state")] {
        let mut check = larder.program();
        check.current_dir(larder.root()).args(["check", "--state"]).arg(named);
        let told = String::from_utf8(check.output().unwrap().stdout).unwrap();
        assert!(told.contains("WRONG  share root: "), "{named:?}: {told}");
    }
}

#[test]
fn two_first_starts_make_different_passwords_and_keys() {
    let start = || {
        let larder = Larder::bare().launch_with(|command| {
            command.env_remove("LARDER_ADMIN_PASSWORD");
        });
        let line = larder.process().next_line(wait::PATIENCE).unwrap();
        (line, fs::read(larder.state().join("secret.key")).unwrap())
    };
    let (one, two) = (start(), start());
    assert_ne!(one.0, two.0);
    assert_ne!(one.1, two.1);
    assert!(one.1.len() >= 32);
}

#[test]
fn the_admins_password_may_be_given_and_is_not_shown() {
    let larder = Larder::bare().launch();
    let line = larder.process().next_line(wait::PATIENCE).unwrap_or_default();
    assert!(!line.contains(&password_of("admin")), "{line}");
    assert!(larder.process().banner.iter().all(|line| !line.contains(&password_of("admin"))));
    larder.sign_in("admin", &password_of("admin")).expect(200);
}

#[test]
fn the_admins_password_of_a_later_start_changes_nothing() {
    let mut larder = Larder::bare().launch();
    larder.stop();
    let larder = larder.launch_with(|command| {
        command.env("LARDER_ADMIN_PASSWORD", "another one");
    });
    larder.sign_in("admin", "another one").expect_error(401, "Invalid username or password");
    larder.sign_in("admin", &password_of("admin")).expect(200);
}

#[test]
fn a_stop_lets_a_running_download_finish() {
    let big = vec![b'x'; 24 << 20];
    let mut larder = Larder::start().user("ana").file("big.bin", &big);
    let mut wire = larder.wire();
    let key = larder.key("ana").to_owned();
    wire.send(format!(
        "GET /api/download?file_path=big.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    // It is on its way, and far from done: the connection's buffers hold only a part.
    assert_eq!(wire.line().unwrap(), "HTTP/1.1 200 OK");
    larder.process().signal(Signal::TERM);
    let port = larder.port();
    wait::until("nobody else is let in", || {
        let Ok(mut late) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return true };
        late.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let _maybe_gone =
            std::io::Write::write_all(&mut late, b"GET /auth HTTP/1.1\r\nHost: a\r\n\r\n");
        !matches!(late.read(&mut [0; 9]), Ok(count) if count > 0)
    });
    assert!(larder.process().ended().is_none(), "it did not wait for the download");
    wire.skip_head();
    assert!(wire.take(big.len()).expect("the whole file") == big);
    drop(wire);
    let status = larder.process().wait();
    assert_eq!(status.code(), Some(0));
    larder.kill();
}

#[test]
fn a_stop_without_work_is_quick() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut larder = Larder::start().user("ana");
        // A connection that is kept alive does not count as work.
        larder.http("ana").get("/api/user/get_self").expect(200);
        let _silent = larder.wire();
        let before = Instant::now();
        larder.process().signal(signal);
        assert_eq!(larder.process().wait().code(), Some(0));
        assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
        larder.kill();
    }
}

#[test]
fn a_stop_checkpoints_the_databases() {
    let mut larder = Larder::start().user("ana");
    larder.http("ana").get("/api/user/get_self").expect(200);
    larder.stop();
    for name in ["users.db-wal", "logs.db-wal"] {
        let left = fs::metadata(larder.state().join("db").join(name)).map_or(0, |data| data.len());
        assert_eq!(left, 0, "{name}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let big = vec![b'x'; 24 << 20];
    let larder = Larder::start().user("ana").file("big.bin", &big);
    let mut wire = larder.wire();
    let key = larder.key("ana").to_owned();
    wire.send(format!(
        "GET /api/download?file_path=big.bin HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"
    ));
    assert_eq!(wire.line().unwrap(), "HTTP/1.1 200 OK");
    let process = larder.process();
    process.signal(Signal::TERM);
    let port = larder.port();
    wait::until("it stops listening", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_err()
    });
    assert!(process.ended().is_none());
    let before = Instant::now();
    process.signal(Signal::TERM);
    process.wait();
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
}

#[test]
fn a_hang_up_reads_the_roles_again() {
    let larder = Larder::start().user("ana");
    larder.http("ana").get("/api/finder").expect(200);
    let larder = larder.roles(&json!({ "/api/finder": ["admin"] }));
    larder.http("ana").get("/api/finder").expect(200);
    larder.process().signal(Signal::HUP);
    wait::until("the new roles", || larder.http("ana").get("/api/finder").status == 401);
    // What is wrong leaves the old state in force.
    let larder = larder.roles(&json!({ "/api/finder": "user" }));
    larder.process().signal(Signal::HUP);
    larder.process().wait_for_complaint("roles.json");
    larder.http("ana").get("/api/finder").expect_error(401, "Unauthorized");
    let larder = larder.roles(&json!({ "/api/finder": ["user"] }));
    larder.process().signal(Signal::HUP);
    wait::until("the right roles", || larder.http("ana").get("/api/finder").status == 200);
}

#[test]
fn two_servers_do_not_share_a_state() {
    let larder = Larder::start();
    let line = refused(larder.command());
    assert!(line.contains("another larder"), "{line}");
    larder.anonymous().get("/auth").expect(200);
}

#[test]
fn a_damaged_file_of_the_state_is_named() {
    for (file, content, named) in [
        ("settings.json", "{", "settings.json"),
        ("settings.json", "[]", "settings.json"),
        ("settings.json", "", "settings.json"),
        ("settings.json", r#"{"port": "many"}"#, "port"),
        ("settings.json", r#"{"host": 1}"#, "host"),
        ("settings.json", r#"{"trash_days": -1}"#, "trash_days"),
        ("roles.json", "nonsense", "roles.json"),
        ("roles.json", r#"{"/api/finder": "admin"}"#, "/api/finder"),
        ("roles.json", r#"{"/api/finder": [1]}"#, "/api/finder"),
        ("cloud.json", "{", "cloud.json"),
    ] {
        let larder = Larder::prepare();
        let path = larder.state().join("settings").join(file);
        fs::write(&path, content).unwrap();
        let line = refused(larder.command());
        assert!(line.contains(file) && line.contains(named), "{file} {content}: {line}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "it was overwritten");
    }
}

#[test]
fn unknown_settings_survive_and_missing_ones_are_added() {
    let mut larder = Larder::prepare();
    let path = larder.state().join("settings/settings.json");
    fs::write(&path, r#"{"future": {"a": [1]}, "trash_days": 7}"#).unwrap();
    larder.restart();
    let settings: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(settings["future"], json!({ "a": [1] }));
    assert_eq!(settings["trash_days"], 7);
    assert_eq!(settings["log_retention_days"], 90);
}

#[test]
fn an_endpoint_that_older_roles_lack_is_given_to_admin_and_an_empty_list_stays() {
    let mut larder =
        Larder::prepare().roles(&json!({ "/api/upload": [], "/api/finder": ["user"] }));
    larder.restart();
    let text = fs::read_to_string(larder.state().join("settings/roles.json")).unwrap();
    let roles: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(roles["/api/upload"], json!([]));
    assert_eq!(roles["/api/finder"], json!(["user"]));
    assert_eq!(roles["/api/download"], json!(["admin"]));
}

#[test]
fn a_user_is_added_only_where_a_larder_lives() {
    let larder = Larder::bare();
    let line = line_of_refusal(&larder.add_user("ana", &[]));
    assert!(line.contains("state"), "{line}");
    assert!(!larder.state().exists());
    let larder = larder.launch();
    let added = larder.add_user("ana", &[]);
    assert!(added.status.success());
    let line = line_of_refusal(&larder.add_user("ana", &[]));
    assert!(line.contains("exists"), "{line}");
    for paths in ["photos", "{}", "[1]", r#"["../x"]"#] {
        let line = line_of_refusal(&larder.add_user("bea", &["--paths", paths]));
        assert!(line.contains("--paths"), "{line}");
        let line = line_of_refusal(&larder.add_user("bea", &["--paths-write", paths]));
        assert!(line.contains("--paths-write"), "{line}");
    }
    line_of_refusal(&larder.add_user("", &[]));
    line_of_refusal(&larder.add_user(&"a".repeat(129), &[]));
}

#[test]
fn a_first_start_without_words_serves() {
    let larder = Larder::bare();
    let mut command = Command::new(&*LARDER);
    command.current_dir(larder.folder_path()).env_clear();
    command.args(["--port", "0", "--host", "127.0.0.1"]);
    let process = crate::harness::Process::start(command, &larder.folder_path().join("stderr"));
    assert!(larder.folder_path().join("larder-data/secret.key").exists());
    let client = crate::harness::Client {
        agent: crate::harness::client::agent(),
        base: format!("http://127.0.0.1:{}", process.port),
        headers: Vec::new(),
    };
    for (method, path) in PUBLIC.iter() {
        if *method == "GET" && *path != "/web/index.html" {
            client.get(path).expect(200);
        }
    }
}

#[test]
fn files_of_the_state_that_are_open_to_others_are_closed_at_a_start() {
    let mut larder = Larder::start();
    larder.stop();
    let path = larder.state().join("settings/roles.json");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    larder.restart();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
