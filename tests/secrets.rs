//! What other programs may learn from the running larder: nothing that is secret.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{ADMIN_PASSWORD, Form, Larder};

/// A user that is nobody on this machine.
const SOMEBODY: u32 = 54_321;

/// What a command of the console prints, run by the admin.
#[track_caller]
fn output(larder: &Larder, token: &str, command: &str) -> String {
    let answer = larder.bearer(token).post("/api/command", json!({ "command": command }));
    answer.expect_status("Command executed")["output"].as_str().unwrap().to_owned()
}

/// A command that shows all that `/proc` tells of the process that started it, which is larder.
const LOOK_AT_PARENT: &str = "tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' '\\n' </proc/$PPID/cmdline; \
                              ls /proc/$PPID/fd; head -c 1 /proc/$PPID/mem; cat /proc/$PPID/auxv | wc -c";

#[test]
fn the_first_password_is_not_in_the_environment_of_the_running_larder() {
    let mut larder = Larder::start();
    let of_larder = |larder: &Larder, name: &str| {
        let path = format!("/proc/{}/{name}", larder.process().pid());
        match fs::read(path) {
            // Who is not root, as these tests need not be, sees nothing at all.
            Err(cause) if cause.kind() == std::io::ErrorKind::PermissionDenied => String::new(),
            read => String::from_utf8_lossy(&read.unwrap()).into_owned(),
        }
    };
    let token = larder.token("admin");
    let told = output(&larder, &token, LOOK_AT_PARENT);
    assert!(!told.contains(ADMIN_PASSWORD) && told.contains("serve"), "{told}");
    // Root sees everything there is.
    let environment = of_larder(&larder, "environ");
    assert!(!environment.contains(ADMIN_PASSWORD), "{environment}");
    assert!(!environment.contains("LARDER_ADMIN_PASSWORD"), "{environment}");
    let line = of_larder(&larder, "cmdline");
    let state = larder.state().display().to_string();
    assert!(line.contains(&format!("\0serve\0--state\0{state}\0")), "{line}");
    assert_eq!(of_larder(&larder, "comm"), "larder\n");
    // Nor later, when nobody needs it.
    larder.stop();
    larder.restart();
    assert!(!of_larder(&larder, "environ").contains(ADMIN_PASSWORD));
    larder.token("admin");
}

#[test]
fn a_first_password_that_is_none_is_refused() {
    for bad in ["", &"x".repeat(1025), &"é".repeat(60_000)] {
        let larder = Larder::bare();
        let output = larder.command().env("LARDER_ADMIN_PASSWORD", bad).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.contains("LARDER_ADMIN_PASSWORD must have 1 to 1024 bytes"), "{line}");
    }
    let longest = "é".repeat(512);
    let larder = Larder::bare().launch_with(|command| {
        command.env("LARDER_ADMIN_PASSWORD", &longest);
    });
    larder.sign_in("admin", &longest).expect(200);
}

#[test]
fn commands_cannot_look_into_larder_and_larder_can_still_look_after_itself() {
    let larder = Larder::prepare().file("docs/a.txt", "A").folder("docs/sub").link("in", "docs");
    // Root sees everything; so larder runs as somebody else, if we are root.
    let is_root = rustix::process::geteuid().is_root();
    let program = larder.folder_path().join("larder");
    fs::copy(&*crate::harness::LARDER, &program).unwrap();
    if is_root {
        give_away(larder.folder_path());
    }
    let larder = larder.launch_with(|command| {
        let before: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let mut other = Command::new(&program);
        other.args(before).envs(environment);
        if is_root {
            other.uid(SOMEBODY).gid(SOMEBODY);
        }
        *command = other;
    });
    let token = larder.token("admin");
    let told = output(&larder, &token, LOOK_AT_PARENT);
    assert!(!told.contains(ADMIN_PASSWORD) && told.contains("serve"), "{told}");
    for hidden in ["environ", "mem", "fd"] {
        let command = format!("head -c 1 /proc/$PPID/{hidden}; ls /proc/$PPID/{hidden}/");
        let told = output(&larder, &token, &command);
        assert!(told.contains("Permission denied"), "{hidden}: {told}");
    }
    if is_root {
        assert_eq!(output(&larder, &token, "id -u").trim(), SOMEBODY.to_string());
    }
    // What larder itself needs of `/proc/self` is there: names of open files, the table of mounts.
    let admin = larder.bearer(&token);
    admin.get("/api/finder?path=in").expect(200);
    admin.upload(&Form::new().field("path", "docs").file("b.txt", "B")).expect(200);
    let copy = json!({ "paths": ["docs"], "to": "docs/sub" });
    admin.post("/api/copy", copy).expect_refusal(400);
    admin.post("/api/copy", json!({ "paths": ["docs/b.txt"], "to": "" })).expect(200);
    admin.post("/api/delete_folder", json!({ "path": "docs" })).expect(200);
    let trash = admin.get("/api/trash").expect(200).json();
    assert_eq!(trash[0]["path"], "docs");
    let ids = json!({ "ids": [trash[0]["id"]] });
    admin.post("/api/trash/restore", ids).expect(200);
    assert_eq!(larder.read("docs/b.txt"), "B");
}

/// Gives a folder with all that is in it to somebody else.
fn give_away(path: &Path) {
    chown(path, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap().path();
            if !entry.is_symlink() {
                give_away(&entry);
            }
        }
    }
}
