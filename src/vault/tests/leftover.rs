//! What a crash, or a drive that takes no writes, leaves behind, and how it goes all the same.

use super::super::journal::Journal;
use super::super::{Fate, IfExists, What};
use super::alone::{Surroundings, alone, mount};
use super::mounts::drive;
use super::{House, UPLOAD, path, spool, upload};
use std::fs;

/// Ends this process' work as a kill does, and has another process' sweep look at what is left.
fn crash(house: &House, journal: Journal<'_>) {
    std::mem::forget(journal);
    let workshop = house.root().join(".larder/tmp");
    for (number, entry) in fs::read_dir(&workshop).unwrap().flatten().enumerate() {
        let name = entry.file_name().into_string().unwrap();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let other = format!("0011223344556677-{number}.{ending}");
        fs::rename(entry.path(), workshop.join(other)).unwrap();
    }
}

#[test]
fn folders_that_were_made_for_nothing_go_after_a_crash() {
    let house = House::new();
    let share = house.share();
    house.file("there/x", "X");
    house.folder("empty");
    let mut journal = Journal::new(&share);
    for place in ["there/a/b/f", "new/f", "kept/in/f", "there/f"] {
        share.make_missing(&path(place), &mut journal).unwrap();
    }
    house.file("kept/y", "Y");
    assert_eq!(house.unfinished("").len(), 3);
    // Nothing of another process' is touched while that is at work.
    house.vault.sweep().unwrap();
    assert!(house.root().join("there/a/b").is_dir());
    crash(&house, journal);
    house.vault.sweep().unwrap();
    assert_eq!(house.on_disk(""), ["empty", "kept", "there"]);
    assert_eq!(house.on_disk("there"), ["x"]);
    assert_eq!(house.on_disk("kept"), ["y"]);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn folders_that_were_made_for_something_stay() {
    let house = House::new();
    let share = house.share();
    upload(&share, &[("a/b/c", "C"), ("a/d", "D")], &UPLOAD).unwrap();
    assert!(house.unfinished("").is_empty());
    // One that fails takes its folders along, and the note.
    house.folder("in/way");
    assert!(upload(&share, &[("n/e/w", "N"), ("in/way", "W")], &UPLOAD).is_err());
    assert_eq!(house.on_disk(""), ["a", "in"]);
    assert!(house.unfinished("").is_empty());
    share.remove(&path("a/d"), What::File, Fate::Gone).unwrap();
    share.remove(&path("a/b/c"), What::File, Fate::Gone).unwrap();
    house.vault.sweep().unwrap();
    assert_eq!(house.on_disk("a"), ["b"]);
}

#[test]
fn a_restore_that_fails_takes_the_folders_of_all_along() {
    let house = House::new();
    let share = house.share();
    house.file("one/a", "A");
    house.file("b", "B");
    let first = share.remove(&path("one/a"), What::File, Fate::Trash).unwrap().unwrap();
    let second = share.remove(&path("b"), What::File, Fate::Trash).unwrap().unwrap();
    fs::remove_dir(house.root().join("one")).unwrap();
    house.file("b", "new");
    let ids = [first.as_str().to_owned(), second.as_str().to_owned()];
    assert!(share.restore(&ids, IfExists::Error("taken")).is_err());
    assert_eq!(house.on_disk(""), ["b"]);
    assert!(house.unfinished("").is_empty());
    share.restore(&ids, IfExists::Rename).unwrap();
    assert_eq!(house.on_disk(""), ["b", "b (1)", "one"]);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn notes_of_a_strange_drive_are_not_believed() {
    let house = House::new();
    house.folder("a");
    fs::create_dir(house.outside("there")).unwrap();
    house.link("way", house.outside("").to_str().unwrap());
    let notes = [
        r#"{"path":"../there","count":1}"#,
        r#"{"path":"way/there","count":1}"#,
        r#"{"path":".larder/trash","count":2}"#,
        r#"{"path":"","count":9}"#,
        r#"{"path":"a/b/c","count":0}"#,
        "nonsense",
    ];
    for (number, note) in notes.iter().enumerate() {
        house.file(format!(".larder/tmp/0011223344556677-{number}.made"), note);
    }
    house.vault.sweep().unwrap();
    assert!(house.outside("there").is_dir());
    assert!(house.root().join(".larder/trash").is_dir());
    assert_eq!(house.on_disk(""), ["a", "way"]);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn what_a_read_only_drive_kept_goes_when_it_takes_writes_again() {
    fn body() {
        let house = House::new();
        drive(&house, "usb", "size=1m");
        let place = house.root().join("usb").to_str().unwrap().to_owned();
        let share = house.share();
        let mut half = spool(&share, "usb", "half");
        half.finish().unwrap();
        house.file("usb/.larder/tmp/0011223344556677-0", "of an earlier run");
        mount(&["-o", "remount,ro", &place]);
        drop(half);
        house.vault.sweep().unwrap();
        assert_eq!(house.vault.sweep_again().unwrap(), 0);
        assert_eq!(house.unfinished("usb").len(), 2);
        mount(&["-o", "remount,rw", &place]);
        assert_eq!(house.vault.sweep_again().unwrap(), 2);
        assert!(house.unfinished("usb").is_empty());
        // Then there is nothing to do, and nobody looks.
        house.file("usb/.larder/tmp/0011223344556677-0", "");
        assert_eq!(house.vault.sweep_again().unwrap(), 0);
    }
    let name = "leftover::what_a_read_only_drive_kept_goes_when_it_takes_writes_again";
    alone(name, Surroundings::Mounts, body, || {});
}
