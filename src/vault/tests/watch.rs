//! Following changes where the kernel helps less, and drives that come and go meanwhile.

use super::super::{
    Change, Fate, IfExists, Kind, Place, Progress, TransferKind, Watcher, What, Wishes,
};
use super::alone::{Surroundings, alone, mount};
use super::{House, path, upload};
use crate::limits;
use std::process::Command;
use std::time::{Duration, Instant};

/// Everything, and these folders.
fn wishes(folders: &[&str]) -> Wishes {
    let folders = folders.iter().map(|text| path(text)).collect();
    Wishes { trees: [path("")].into(), folders }
}

/// Waits until this folder is told of, or everything (`*`).
#[track_caller]
fn wait_for(watcher: &mut Watcher, wanted: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    let mut is_told = false;
    while !is_told {
        assert!(Instant::now() < until, "{wanted:?} was not told");
        watcher.wait(Duration::from_secs(1), &mut |change| {
            is_told |= match change {
                Change::Everything => wanted == "*",
                Change::Folder { name, .. } => name.as_str() == wanted,
            };
        });
    }
}

#[test]
fn without_the_kernels_help_folders_are_looked_at_now_and_then() {
    let house = House::new();
    house.folder("a/b");
    let mut watcher = Watcher::new(&house.vault).unwrap().with_less(100, false);
    watcher.follow(wishes(&[]));
    assert!(watcher.is_complete());
    house.file("a/b/c", "C");
    wait_for(&mut watcher, "a/b");
    house.file("top", "T");
    wait_for(&mut watcher, "");
}

#[test]
fn a_tree_that_is_too_large_is_followed_from_the_top_and_named_folders_always() {
    let house = House::new();
    for name in ["a/b/c/d", "e/f"] {
        house.folder(name);
    }
    let mut watcher = Watcher::new(&house.vault).unwrap().with_less(3, true);
    watcher.follow(wishes(&["a/b/c/d"]));
    assert!(!watcher.is_complete());
    house.file("a/b/c/d/x", "X");
    wait_for(&mut watcher, "a/b/c/d");
    house.file("e/x", "X");
    wait_for(&mut watcher, "e");
    // With fewer wishes there is room.
    watcher.follow(Wishes { trees: [path("e")].into(), ..Wishes::default() });
    assert!(watcher.is_complete());
    house.file("e/f/x", "X");
    wait_for(&mut watcher, "e/f");
}

/// A drive can be unmounted, without force, while it is followed.
fn drives_come_and_go() {
    let house = House::new();
    let usb = house.folder("usb");
    let drive = ["-t", "tmpfs", "-o", "size=1m", "none", usb.to_str().unwrap()];
    let mut watcher = Watcher::new(&house.vault).unwrap();
    watcher.follow(wishes(&["usb"]));
    for _ in 0..2 {
        mount(&drive);
        wait_for(&mut watcher, "*");
        house.file("usb/deep/x", "X");
        wait_for(&mut watcher, "usb/deep");
        let told = Command::new("umount").arg(&usb).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        wait_for(&mut watcher, "*");
    }
    house.file("usb/y", "Y");
    wait_for(&mut watcher, "usb");
}

/// What can be seen without mounting: the same with a folder that is swapped.
fn folders_come_and_go() {
    let house = House::new();
    house.folder("usb");
    let mut watcher = Watcher::new(&house.vault).unwrap();
    watcher.follow(wishes(&["usb"]));
    std::fs::rename(house.root().join("usb"), house.outside("usb")).unwrap();
    wait_for(&mut watcher, "usb");
    house.file("usb/deep/x", "X");
    wait_for(&mut watcher, "usb");
}

#[test]
fn a_followed_drive_can_be_unmounted_and_is_followed_again() {
    let name = "watch::a_followed_drive_can_be_unmounted_and_is_followed_again";
    alone(name, Surroundings::Mounts, drives_come_and_go, folders_come_and_go);
}

/// The folders that are told without a wait; of one change, which of them comes first says nothing.
fn told_at_once(watcher: &mut Watcher) -> Vec<String> {
    let mut told = Vec::new();
    watcher.wait(Duration::ZERO, &mut |change| {
        told.push(match change {
            Change::Everything => "*".to_owned(),
            Change::Folder { name, real, .. } if name == real => name.to_string(),
            Change::Folder { name, real, .. } => format!("{name} is {real}"),
        });
    });
    told.sort();
    told
}

/// How files are put there.
const OVER: Place = Place {
    if_exists: IfExists::Overwrite,
    make_parents: false,
    drops_empty: false,
    files_only: false,
};

/// What nobody looks at: it is found only because it is told.
#[test]
fn what_larder_itself_changes_in_a_tree_that_is_too_large_is_told() {
    let house = House::new();
    house.folder("a/b/c");
    let share = house.share();
    let mut watcher = Watcher::new(&house.vault).unwrap().with_less(2, true).without_looks();
    watcher.follow(wishes(&[]));
    assert!(!watcher.is_complete());
    house.file("a/b/c/theirs", "T");
    assert!(told_at_once(&mut watcher).is_empty());
    share.make_folder(&path("a/b/c/d")).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c"]);
    share
        .rename((&path("a/b/c/theirs"), &path("a/b/c/d/x")), Kind::File, IfExists::REFUSE)
        .unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c", "a/b/c/d"]);
    share.set_mode(&path("a/b/c/d/x"), 0o600).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c/d"]);
    upload(&share, &[("a/b/c/d/y", "Y")], &OVER).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c/d"]);
    let sources = [path("a/b/c/d/x")];
    let moving = share.relocate_into(
        TransferKind::Move,
        sources.to_vec(),
        &path("a/b/c"),
        IfExists::Overwrite,
    );
    moving.unwrap().run(&Progress::default(), &mut |_, _| {}).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c", "a/b/c/d"]);
    share.remove(&path("a/b/c/x"), What::File, Fate::Gone).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c"]);
    let trash = share.remove(&path("a/b/c/d"), What::Tree, Fate::Trash).unwrap().unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c"]);
    share.restore(&[trash.as_str().to_owned()], IfExists::Rename).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/b/c"]);
    // Where the kernel watches, it is told once.
    share.make_folder(&path("new")).unwrap();
    let told = told_at_once(&mut watcher);
    assert_eq!(told.iter().filter(|folder| folder.is_empty()).count(), 1, "{told:?}");
    for number in 0..=limits::NEWS_FOLDERS_MAX {
        house.vault.now().news.came(&path(&format!("{number}/x")));
    }
    assert_eq!(told_at_once(&mut watcher), ["*"]);
}

/// Where folders are only looked at now and then, a file's mode is not seen at all.
#[test]
fn what_larder_itself_changes_without_the_kernels_help_is_told_by_all_names() {
    let house = House::new();
    house.file("a/x", "X");
    std::os::unix::fs::symlink("a", house.root().join("link")).unwrap();
    let share = house.share();
    let mut watcher = Watcher::new(&house.vault).unwrap().with_less(100, false).without_looks();
    watcher.follow(wishes(&["link"]));
    share.set_mode(&path("link/x"), 0o600).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a", "link is a"]);
    let watcher = Watcher::new(&house.vault).unwrap();
    let mut watcher = watcher.with_less(100, false).without_looks();
    watcher.follow(wishes(&[]));
    share.make_folder(&path("a/new")).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a", "a/new"]);
    // That is followed, too.
    upload(&share, &[("a/new/y", "Y")], &OVER).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a/new"]);
    share.remove(&path("a/new"), What::Tree, Fate::Gone).unwrap();
    assert_eq!(told_at_once(&mut watcher), ["a", "a/new"]);
}
