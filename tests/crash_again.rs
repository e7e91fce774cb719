//! A group that was cut off, where taking it back is not so simple: larder is killed at that as well, or one of the
//! drives that the group is on is away at the next start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::crash_groups::{
    CALLS_MAX, CHANGES, Group, SWEEP_TIME, USB, ask, can_kill, group, is_done, is_old, prepare,
    see, tops, tracer,
};
use crate::harness::mounts::{Stick, mounts_are_given};
use crate::harness::{Larder, wait};

/// Where larder's unfinished things on a drive are.
const WORKSHOP: &str = ".larder/tmp";

/// Has larder do a group and kills it at the N-th call of a kind; whether the group was acknowledged.
fn cut_off(larder: &mut Larder, group: &Group, call: &str, number: u32) -> bool {
    prepare(larder, group);
    let request = (group.request)(larder);
    let mut tracer = tracer(larder, call, number, &[]);
    let is_done = is_done(larder, &request);
    larder.kill();
    tracer.wait().unwrap();
    is_done
}

/// Whether a drive has a record of a group.
fn has_record(top: &Path) -> bool {
    let names = fs::read_dir(top.join(WORKSHOP)).into_iter().flatten().flatten();
    names.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|end| end == "group"))
}

/// Starts larder and kills it at the N-th call of a kind, of any of its threads; whether it came so far. If not, it
/// is killed when no record of a group is left.
fn is_killed_at_start(larder: &Larder, call: &str, number: u32) -> bool {
    let plain = larder.command();
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "signal=none"]);
    command.arg(format!("--trace={}", CHANGES.join(",")));
    command.arg(format!("--inject={call}:signal=KILL:when={number}"));
    command.arg(plain.get_program()).args(plain.get_args());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut tracer = command.spawn().unwrap();
    let mut is_killed = false;
    wait::until("taking back, or the kill", || {
        is_killed = tracer.try_wait().unwrap().is_some();
        is_killed || !has_record(&larder.root())
    });
    if !is_killed {
        let id = tracer.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        if let Ok(child) = children.trim().parse() {
            let _gone_already = kill_process(Pid::from_raw(child).unwrap(), Signal::KILL);
        }
        tracer.wait().unwrap();
    }
    is_killed
}

/// Cuts a group off as late as possible, and then kills larder at each change of taking it back in turn.
fn killed_again(name: &str) {
    if !can_kill() {
        return;
    }
    let group = group(name);
    let mut larder = Larder::start().user("ana");
    prepare(&larder, group);
    let old = see(&larder);
    let mut late = 0;
    while !cut_off(&mut larder, group, "unlinkat", late + 1) {
        late += 1;
        assert!(late < CALLS_MAX, "{name} never comes to an end");
        larder.restart();
        // What is taken back must not meet what is prepared anew.
        larder.wait_until_tidy();
    }
    assert!(late > 0, "{name} removes nothing");
    let mut kills = 0;
    for call in CHANGES {
        for number in 1..=CALLS_MAX {
            larder.restart();
            assert!(!cut_off(&mut larder, group, "unlinkat", late), "{name} has an answer");
            assert!(has_record(&larder.root()), "{name} left nothing to be taken back");
            let is_killed = is_killed_at_start(&larder, call, number);
            larder.restart();
            let when = format!("{name}, killed at {call} {number} of taking it back");
            let first = see(&larder);
            let is_tidy = wait::comes_true(SWEEP_TIME, || larder.unfinished() == 0);
            assert!(is_tidy, "{when}: something is left");
            let found = see(&larder);
            assert!(is_old(&found, &old), "{when}: {found:?}");
            assert_eq!(first.0, found.0, "{when}: it has changed since");
            if !is_killed {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 5, "{name} was killed {kills} times only");
}

#[test]
fn a_move_is_taken_back_by_several_starts() {
    killed_again("move");
}

#[test]
fn a_deletion_is_taken_back_by_several_starts() {
    killed_again("delete");
}

/// A group on two drives.
const OVER: [(&str, Group); 2] = [
    (
        "move",
        Group {
            prepare: |larder| {
                for (path, text) in
                    [("from/a", "new a"), ("from/d/e", "new e"), ("usb/to/a", "old a")]
                {
                    larder.write(path, text);
                }
            },
            request: |larder| {
                let paths = ["from/a", "from/d"];
                let to = "usb/to";
                ask(
                    larder,
                    "/api/move",
                    &json!({ "paths": paths, "to": to, "if_exists": "overwrite" }),
                )
            },
        },
    ),
    (
        "delete",
        Group {
            prepare: |larder| {
                for path in ["a", "usb/b", "usb/d/e"] {
                    larder.write(path, path);
                }
            },
            request: |larder| {
                ask(larder, "/api/delete", &json!({ "paths": ["usb/b", "a", "usb/d"] }))
            },
        },
    ),
];

/// Whether nothing unfinished is left on either drive.
fn is_tidy(larder: &Larder) -> bool {
    let names_in = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    tops(larder).into_iter().all(|top| {
        let mut on_their_way = names_in(top.join(".larder/trash")).map(|entry| entry.path());
        names_in(top.join(WORKSHOP)).next().is_none()
            && on_their_way.all(|path| path.extension().is_none_or(|end| end != "new"))
    })
}

/// Demands that all but one drive is used as ever, and swept.
fn without_the_drive(larder: &mut Larder, when: &str) {
    let leftover = larder.root().join(WORKSHOP).join("0011223344556677-9");
    fs::write(&leftover, "left").unwrap();
    larder.restart();
    let ana = larder.http("ana");
    ana.get("/api/finder").expect(200);
    let edit = json!({ "file_name": "other", "file_content": "O" });
    ana.post("/api/new_file", edit).expect(200);
    ana.post("/api/delete_file", json!({ "path": "other", "permanent": true })).expect(200);
    let is_swept = wait::comes_true(SWEEP_TIME, || !leftover.exists());
    assert!(is_swept, "{when}: nothing is swept while a drive is away");
    let empty = fs::read_dir(larder.root().join(USB)).unwrap().count();
    assert_eq!(empty, 0, "{when}: the mount point was written into");
}

/// Kills larder in a group on two drives at each change, and takes one of them away for the next start.
fn away(name: &str) {
    if !can_kill() {
        return;
    }
    let waited: usize = std::thread::scope(|scope| {
        let kinds = CHANGES.map(|call| scope.spawn(move || away_at_each(name, call)));
        kinds.into_iter().map(|kind| kind.join().unwrap()).sum()
    });
    let is_skipped = waited == 0 && !mounts_are_given();
    assert!(waited > 3 || is_skipped, "{name} waited {waited} times only");
}

/// The same with one kind of call; how often the group waited, which is never where nothing can be mounted.
fn away_at_each(name: &str, call: &str) -> usize {
    let group = &OVER.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut larder = Larder::start().user("ana");
    let Some(stick) = Stick::plugged(&larder, USB) else { return 0 };
    prepare(&larder, group);
    let old = see(&larder);
    assert!(is_done(&larder, &(group.request)(&larder)));
    let new = see(&larder);
    assert_ne!(old, new);
    let mut waited = 0;
    // Every other change: each costs a round of the keeper, which sweeps the drive that has come.
    for number in (1..=CALLS_MAX).step_by(2) {
        let is_done = cut_off(&mut larder, group, call, number);
        let when = format!("{name}, killed at {call} {number}");
        stick.pull();
        let is_cut_off = has_record(&larder.root());
        without_the_drive(&mut larder, &when);
        assert_eq!(has_record(&larder.root()), is_cut_off, "{when}: the record has not waited");
        waited += usize::from(is_cut_off);
        stick.plug();
        // At once: whoever asks first must not find a part of it.
        let first = see(&larder);
        let is_tidy = wait::comes_true(SWEEP_TIME, || is_tidy(&larder));
        assert!(is_tidy, "{when}: something is left");
        let found = see(&larder);
        assert!(found == new || is_old(&found, &old) && !is_done, "{when}: {found:?}");
        assert_eq!(first.0, found.0, "{when}: it has changed since");
        if is_done {
            return waited;
        }
    }
    panic!("{name} never comes to an end");
}

#[test]
fn a_move_waits_for_a_drive_that_is_away() {
    away("move");
}

#[test]
fn a_deletion_waits_for_a_drive_that_is_away() {
    away("delete");
}
