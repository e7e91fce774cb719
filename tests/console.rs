//! Commands of a shell: `/api/command`.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

use crate::harness::{Larder, wait};

/// Runs a command that must be executed.
#[track_caller]
fn run(larder: &Larder, who: &str, command: &str) -> Value {
    larder
        .http(who)
        .post("/api/command", json!({ "command": command }))
        .expect_status("Command executed")
}

/// What a command writes.
#[track_caller]
fn output(larder: &Larder, who: &str, command: &str) -> String {
    run(larder, who, command)["output"].as_str().expect("text").to_owned()
}

/// Whether the process that a file of the share names is there.
fn is_alive(larder: &Larder, file: &str) -> bool {
    let pid: i32 = larder.read(file).trim().parse().expect("a process id");
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

#[test]
fn a_command_runs_in_a_shell_at_the_share_root_with_both_outputs_in_order() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let answer = run(&larder, "ana", "echo one; echo two >&2; cat a.txt; echo three; exit 3");
    assert_eq!(answer["output"], "one\ntwo\nAthree\n");
    assert_eq!(answer["exit_code"], 3);
    assert_eq!((&answer["timed_out"], &answer["truncated"]), (&json!(false), &json!(false)));
    let answer = run(&larder, "ana", "true");
    assert_eq!((&answer["output"], &answer["exit_code"]), (&json!(""), &json!(0)));
    let answer = run(&larder, "ana", "no-such-program-at-all");
    assert_eq!(answer["exit_code"], 127);
    assert!(answer["output"].as_str().unwrap().contains("not found"), "{answer}");
    assert_eq!(run(&larder, "ana", "kill -9 $$")["exit_code"], 128 + 9);
    assert_eq!(output(&larder, "ana", "pwd -P").trim_end(), larder.root().to_str().unwrap());
    // A command that looks like a flag is a command.
    assert_eq!(run(&larder, "ana", "-e x")["exit_code"], 127);
}

#[test]
fn nothing_to_run_is_said_so() {
    let larder = Larder::start().user("ana");
    for body in [json!({}), json!({ "command": "" }), json!({ "command": " \n" }), Value::Null] {
        let body = if body.is_null() { json!({ "command": null }) } else { body };
        let answer = larder.http("ana").post("/api/command", body);
        answer.expect_error(400, "No command provided");
    }
    let ana = larder.http("ana");
    ana.post_raw("/api/command", None, b"").expect_error(400, "No command provided");
    ana.post("/api/command", json!({ "command": ["ls"] })).expect_refusal(400);
    ana.post("/api/command", json!({ "command": "a\u{0}b" })).expect_refusal(400);
    ana.post_raw("/api/command", None, b"ls").expect_refusal(400);
}

#[test]
fn there_is_no_standard_input() {
    let larder = Larder::start().user("ana");
    let before = Instant::now();
    assert_eq!(output(&larder, "ana", "cat; read line || echo nothing"), "nothing\n");
    assert!(before.elapsed() < Duration::from_secs(10));
}

#[test]
fn moving_about_is_kept_for_each_user_and_told_in_the_shares_words() {
    let larder = Larder::start().user("ana").user("bea").folder("docs/old").folder("My Photos");
    assert_eq!(output(&larder, "ana", "pwd"), "/");
    assert_eq!(output(&larder, "ana", "cd docs"), "Changed directory to: docs");
    assert_eq!(output(&larder, "ana", "pwd"), "/docs");
    assert_eq!(output(&larder, "ana", "ls"), "old\n");
    assert_eq!(output(&larder, "ana", "cd old"), "Changed directory to: old");
    assert_eq!(output(&larder, "ana", "pwd"), "/docs/old");
    assert_eq!(output(&larder, "bea", "pwd"), "/");
    assert_eq!(output(&larder, "ana", "cd .."), "Changed directory to: ..");
    assert_eq!(output(&larder, "ana", "pwd"), "/docs");
    assert_eq!(output(&larder, "ana", "cd ~"), "Changed directory to: ~");
    assert_eq!(output(&larder, "ana", "pwd"), "/");
    for (command, place) in [
        ("cd 'My Photos'", "/My Photos"),
        ("cd /docs/old", "/docs/old"),
        ("cd", "/"),
        ("cd My Photos", "/My Photos"),
        ("cd ../docs/./old/", "/docs/old"),
        ("cd ~/docs", "/docs"),
    ] {
        let answer = run(&larder, "ana", command);
        assert_eq!(answer["exit_code"], 0, "{command}: {answer}");
        assert_eq!(output(&larder, "ana", "pwd"), place, "{command}");
    }
    // What a shell does inside one command ends with it.
    assert_eq!(output(&larder, "ana", "cd old && pwd -P | sed 's/.*docs/docs/'"), "docs/old\n");
    assert_eq!(output(&larder, "ana", "pwd"), "/docs");
}

#[test]
fn moving_never_leaves_the_share() {
    let larder = Larder::start().user("ana").folder("docs").file("a.txt", "A");
    let outside = larder.outside();
    let larder = larder.link("out", &outside).link("up", "..").link("etc", "/etc");
    let larder = larder.link("in", "docs").link("lost", "nowhere");
    for (word, why) in [
        ("..", "Permission denied"),
        ("../..", "Permission denied"),
        ("docs/../..", "Permission denied"),
        ("~/..", "Permission denied"),
        ("/..", "Permission denied"),
        ("/etc", "Permission denied"),
        ("/etc/../usr", "Permission denied"),
        ("out", "Permission denied"),
        ("up", "Permission denied"),
        ("etc", "Permission denied"),
        ("docs/../out", "Permission denied"),
        ("missing", "No such file or directory"),
        ("docs/missing", "No such file or directory"),
        ("/missing", "No such file or directory"),
        ("a.txt", "No such file or directory"),
        ("lost", "No such file or directory"),
        (".larder", "No such file or directory"),
    ] {
        let answer = run(&larder, "ana", &format!("cd {word}"));
        let told = answer["output"].as_str().unwrap();
        assert_eq!(told, format!("cd: {word}: {why}"));
        assert_eq!(answer["exit_code"], 1);
        assert_eq!(output(&larder, "ana", "pwd"), "/", "{word}");
    }
    assert_eq!(output(&larder, "ana", "cd in"), "Changed directory to: in");
}

#[test]
fn an_absolute_path_of_the_machine_is_no_way_out_either() {
    let larder = Larder::start().user("ana").folder("docs");
    for path in ["/usr/bin", "/proc"] {
        let told = output(&larder, "ana", &format!("cd {path}"));
        assert_eq!(told, format!("cd: {path}: Permission denied"));
    }
    // The share by its whole path is the share.
    let whole = larder.root().join("docs");
    let told = output(&larder, "ana", &format!("cd {}", whole.display()));
    assert_eq!(told, format!("Changed directory to: {}", whole.display()));
    assert_eq!(output(&larder, "ana", "pwd"), "/docs");
}

#[test]
fn moving_asks_the_users_paths() {
    let larder = Larder::start().user_with("leo", "user", r#"["photos/2024"]"#, "[]");
    let larder = larder.folder("photos/2024").folder("photos/2025").folder("docs");
    assert_eq!(output(&larder, "leo", "cd photos"), "Changed directory to: photos");
    assert_eq!(output(&larder, "leo", "cd 2024"), "Changed directory to: 2024");
    assert_eq!(output(&larder, "leo", "cd ../2025"), "cd: ../2025: Permission denied");
    assert_eq!(output(&larder, "leo", "cd /docs"), "cd: /docs: Permission denied");
}

#[test]
fn a_command_meant_for_a_folder_that_is_gone_runs_nowhere_else() {
    let larder = Larder::start().user("ana").folder("docs").file("a.txt", "A");
    run(&larder, "ana", "cd docs");
    fs::remove_dir(larder.root().join("docs")).unwrap();
    let answer = run(&larder, "ana", "rm -rf ./*");
    assert_eq!(answer["output"], "cd: /docs: No such file or directory");
    assert_eq!(answer["exit_code"], 1);
    assert!(larder.exists("a.txt"));
    assert_eq!(output(&larder, "ana", "pwd"), "/");
}

#[test]
fn a_command_that_lasts_too_long_is_killed_with_all_it_started() {
    let larder = Larder::prepare().settings(&json!({ "command_timeout": 1 })).launch().user("ana");
    let before = Instant::now();
    let command = "echo begin; sleep 300 & echo $! >child; sh -c 'echo $$ >grand; sleep 300'; true";
    let answer = run(&larder, "ana", command);
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
    assert_eq!(answer["timed_out"], true, "{answer}");
    assert_eq!((&answer["output"], &answer["exit_code"]), (&json!("begin\n"), &json!(137)));
    for file in ["child", "grand"] {
        wait::until("it is gone", || !is_alive(&larder, file));
    }
}

#[test]
fn what_a_command_leaves_in_the_background_goes_with_it_and_is_not_waited_for() {
    let larder = Larder::start().user("ana");
    let before = Instant::now();
    let answer = run(&larder, "ana", "sleep 300 & echo $! >child; echo done");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    assert_eq!((&answer["output"], &answer["timed_out"]), (&json!("done\n"), &json!(false)));
    assert_eq!(answer["exit_code"], 0);
    wait::until("it is gone", || !is_alive(&larder, "child"));
    // Who left the group keeps the pipe open, and is not waited for either.
    let before = Instant::now();
    assert_eq!(output(&larder, "ana", "setsid sleep 20 & echo done"), "done\n");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}

#[test]
fn a_command_that_closed_its_output_is_waited_for() {
    let larder = Larder::start().user("ana");
    let answer = run(&larder, "ana", "echo a; exec >&- 2>&-; sleep 0.3; echo x >late; exit 4");
    assert_eq!((&answer["output"], &answer["exit_code"]), (&json!("a\n"), &json!(4)));
    assert!(larder.exists("late"));
}

#[test]
fn output_without_end_is_cut_at_a_mebibyte() {
    let larder = Larder::start().user("ana");
    let peak = larder.process().memory_peak_kib();
    let answer = run(&larder, "ana", "echo $$ >child; yes 0123456789");
    assert_eq!((&answer["truncated"], &answer["timed_out"]), (&json!(true), &json!(false)));
    assert_eq!(answer["output"].as_str().unwrap().len(), 1 << 20);
    wait::until("it is gone", || !is_alive(&larder, "child"));
    let grown = larder.process().memory_peak_kib().saturating_sub(peak);
    assert!(grown < 32 << 10, "{grown} KiB");
    // All of it, when it just fits, and bytes that grow on their way.
    let command = "head -c 1048576 /dev/zero; exit 0";
    let answer = run(&larder, "ana", command);
    assert_eq!((&answer["truncated"], &answer["exit_code"]), (&json!(false), &json!(0)));
    assert_eq!(answer["output"].as_str().unwrap().len(), 1 << 20);
    let answer = run(&larder, "ana", "head -c 1048577 /dev/zero");
    assert_eq!(answer["truncated"], true);
    let grown = larder.process().memory_peak_kib().saturating_sub(peak);
    assert!(grown < 32 << 10, "{grown} KiB");
}

#[test]
fn output_that_is_not_text_is_told_as_far_as_it_is() {
    let larder = Larder::start().user("ana");
    assert_eq!(output(&larder, "ana", r"printf 'a\377b\n'"), "a\u{fffd}b\n");
    assert_eq!(output(&larder, "ana", r"printf '\303\251'"), "é");
}

#[test]
fn a_command_does_not_inherit_secrets() {
    let larder = Larder::prepare()
        .launch_with(|command| {
            command.env("LARDER_ADMIN_PASSWORD", "a secret 1").env("SOME_TOKEN", "a secret 2");
        })
        .user("ana");
    let told = output(&larder, "ana", "env; cat /proc/self/environ; ls -l /proc/self/fd");
    assert!(!told.contains("a secret") && !told.contains("LARDER_"), "{told}");
    assert!(told.contains("PATH="), "{told}");
    assert!(told.contains(&format!("HOME={}", larder.root().display())), "{told}");
    for file in ["users.db", "logs.db", "secret.key", "lock", "socket"] {
        assert!(!told.contains(file), "{told}");
    }
}

#[test]
fn an_absent_drive_runs_nothing() {
    let larder = Larder::start().user("ana");
    fs::rename(larder.root(), larder.folder_path().join("unplugged")).unwrap();
    fs::create_dir(larder.root()).unwrap();
    for command in ["echo x >file", "pwd", "cd docs"] {
        larder
            .http("ana")
            .post("/api/command", json!({ "command": command }))
            .expect_error(503, "Storage is not available");
    }
    assert_eq!(fs::read_dir(larder.root()).unwrap().count(), 0);
}

#[test]
fn only_so_many_run_at_once_and_others_work_meanwhile() {
    let larder = Larder::prepare().settings(&json!({ "command_timeout": 60 })).launch().user("ana");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let larder = &larder;
            let command = format!("touch began{number}; until [ -e go ]; do sleep 0.05; done");
            scope.spawn(move || run(larder, "ana", &command));
        }
        wait::until("all run", || (0..8).all(|number| larder.exists(&format!("began{number}"))));
        let answer = larder.http("ana").post("/api/command", json!({ "command": "touch ninth" }));
        assert!(answer.expect_refusal(429).header("Retry-After").is_some());
        larder.http("ana").get("/api/finder").expect(200);
        assert_eq!(output(&larder, "ana", "pwd"), "/");
        larder.write("go", "");
    });
    assert!(!larder.exists("ninth"));
    assert_eq!(run(&larder, "ana", "touch tenth")["exit_code"], 0);
}

#[test]
fn a_stop_takes_running_commands_with_it() {
    let larder = Larder::prepare().settings(&json!({ "command_timeout": 600 })).launch();
    let mut larder = larder.user("ana");
    let mut wire = larder.wire();
    let body = json!({ "command": "echo $$ >child; sleep 600" }).to_string();
    let key = larder.key("ana").to_owned();
    wire.send(format!(
        "POST /api/command HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    wait::until("it runs", || larder.exists("child") && !larder.read("child").is_empty());
    assert!(is_alive(&larder, "child"));
    larder.stop();
    wait::until("it is gone", || !is_alive(&larder, "child"));
}

#[test]
fn every_command_is_logged_before_it_runs() {
    let larder = Larder::start().user("ana").folder("docs");
    run(&larder, "ana", "echo hello");
    run(&larder, "ana", "cd docs");
    let rows = larder.http("ana").get("/api/get_logs").expect(200).json();
    let actions: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"ana: command: echo hello"), "{actions:?}");
    assert!(actions.contains(&"ana: command: cd docs"), "{actions:?}");
}

#[test]
fn commands_are_for_roles_that_are_listed() {
    let larder = Larder::prepare().roles(&json!({ "/api/command": ["admin"] })).launch();
    let larder = larder.user("ana");
    let answer = larder.http("ana").post("/api/command", json!({ "command": "touch x" }));
    answer.expect_error(401, "Unauthorized");
    assert!(!larder.exists("x"));
}
