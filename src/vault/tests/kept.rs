//! What the trash keeps, and for how long: after a crash, from another drive, of what is old, and where room is short.

use super::super::{Fate, IfExists, Kind, Reason, What};
use super::alone::{Surroundings, alone, mount, unmount};
use super::trash::{delete, empty, ids, items, paths, restore};
use super::{House, UPLOAD, listed, opened, path, refusal, upload};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// Puts a thing and its record into the trash behind the vault's back.
fn plant(house: &House, id: &str, thing: Option<&str>, record: Option<(&str, &str)>) {
    if let Some(content) = thing {
        house.file(format!(".larder/trash/{id}"), content);
    }
    if let Some((extension, text)) = record {
        house.file(format!(".larder/trash/{id}.{extension}"), text);
    }
}

/// An id of another process, with the time of so many days ago.
fn old_id(days: u64, number: usize) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = now.checked_sub(Duration::from_hours(24 * days)).unwrap();
    format!("{:012x}-0011223344556677-{number}", then.as_millis())
}

/// A record.
fn record(place: &str) -> String {
    format!(r#"{{"path":"{place}","by":"ben","reason":"deleted"}}"#)
}

#[test]
fn what_a_crash_leaves_is_settled() {
    let house = House::new();
    let share = house.share();
    let made: Vec<String> = (0..=80).map(|number| old_id(1, number)).collect();
    let id = |number: usize| made[number].clone();
    let placed = house.file("incoming", "12345");
    let stat = fs::metadata(&placed).unwrap();
    let modified_ns = i128::from(stat.mtime()) * 1_000_000_000 + i128::from(stat.mtime_nsec());
    let replacing = |place: &str| {
        format!(
            r#"{{"path":"{place}","by":"ben","reason":"replaced","incoming":{{"size":5,"modified_ns":{modified_ns}}}}}"#
        )
    };
    // A deletion that did not come to pass, and one that did.
    plant(&house, &id(1), None, Some(("new", &record("one"))));
    plant(&house, &id(2), Some("2"), Some(("new", &record("two"))));
    // A replacement before the files changed places: what lies here is what should have come.
    plant(&house, &id(3), None, Some(("new", &replacing("three"))));
    fs::rename(&placed, house.root().join(".larder/trash").join(id(3))).unwrap();
    // And after.
    plant(&house, &id(4), Some("67890"), Some(("new", &replacing("four"))));
    // Something restored or emptied whose record stayed, and something whose record is lost or broken.
    plant(&house, &id(5), None, Some(("json", &record("five"))));
    plant(&house, &id(6), Some("6"), None);
    plant(&house, &id(7), Some("7"), Some(("new", "{")));
    // What is as it should be, also under the next number, and what is none of ours.
    plant(&house, &id(8), Some("8"), Some(("json", &record("eight"))));
    plant(&house, &id(80), Some("80"), Some(("json", &record("eighty"))));
    house.file(".larder/trash/lost+found/x", "x");
    house.file(".larder/trash/zzz.json", "x");
    assert_eq!(house.vault.sweep().unwrap(), 3);
    let mut found: Vec<_> = items(&share).into_iter().map(|item| item.path).collect();
    found.sort();
    let mut wanted = ["two", "four", "eight", "eighty", &id(6), &id(7)].map(path);
    wanted.sort();
    assert_eq!(found, wanted);
    let before = house.trashed("");
    assert_eq!(before.len(), 6 * 2 + 2, "{before:?}");
    assert_eq!(house.vault.sweep().unwrap(), 0);
    assert_eq!(house.trashed(""), before);
    for (place, content) in [("two", "2"), ("four", "67890"), (&id(6), "6"), (&id(7), "7")] {
        assert_eq!(restore(&share, &ids(&share, place), IfExists::Rename), [place]);
        assert_eq!(house.content(place).as_deref(), Some(content));
    }
}

#[test]
fn the_sweep_leaves_what_this_process_is_working_on() {
    use super::super::resolve::Follow;
    use super::super::share::Need;
    let house = House::new();
    let share = house.share();
    house.file("a", "A");
    let spot = share.locate(&path("a"), Need::Write, Follow::NotLast).unwrap();
    let ticket = share.ticket(&spot, Reason::Deleted, None, None).unwrap().unwrap();
    assert_eq!(house.trashed("").len(), 1);
    assert_eq!(house.vault.sweep().unwrap(), 0);
    assert_eq!(house.trashed("").len(), 1);
    assert!(items(&share).is_empty(), "nothing has come yet");
    drop(ticket);
    assert!(house.trashed("").is_empty(), "a ticket that is given back leaves nothing");
}

#[test]
fn a_drive_from_somebody_else_is_not_believed() {
    let house = House::new();
    let share = house.share();
    house.file("keep", "K");
    let longest = "x/".repeat(3000);
    let made: Vec<String> = (0..23).map(|number| old_id(1, number)).collect();
    for (number, place) in [
        "",
        "/",
        "..",
        "../x",
        "a/../../x",
        ".larder/id",
        ".LARDER/tmp/x",
        &longest,
        "\\u0000",
        "a/b/",
    ]
    .iter()
    .enumerate()
    {
        plant(&house, &made[number], Some("x"), Some(("json", &record(place))));
    }
    plant(&house, &made[20], Some("x"), Some(("json", &"[".repeat(1 << 20))));
    plant(&house, &made[21], Some("x"), None);
    house.link(&format!(".larder/trash/{}.json", made[21]), "../../keep");
    plant(&house, &made[22], Some("x"), None);
    house.folder(format!(".larder/trash/{}.json", made[22]));
    // Only what could be anywhere is shown.
    assert_eq!(paths(&share), ["a/b"]);
    assert_eq!(restore(&share, &ids(&share, "a/b"), IfExists::Rename), ["a/b"]);
    for id in made {
        let told = refusal(share.restore(&[id], IfExists::Overwrite));
        assert_eq!(told.as_deref(), Some("not found: Item does not exist"));
    }
    // A link that comes back is judged like any other.
    let way = old_id(2, 1);
    house.link(&format!(".larder/trash/{way}"), "/etc");
    plant(&house, &way, None, Some(("json", &record("way"))));
    assert_eq!(restore(&share, &ids(&share, "way"), IfExists::Rename), ["way"]);
    assert!(refusal(opened(&share, "way/passwd")).is_some());
    // All of it can be removed, also what nobody can name.
    empty(&share, None).unwrap();
    assert!(house.vault.is_present() && house.content("keep").is_some());
    assert!(items(&share).is_empty());
}

#[test]
fn old_things_go_and_young_ones_stay() {
    let house = House::new();
    let share = house.share();
    for days in [0, 3, 6, 8, 40] {
        let id = old_id(days, usize::try_from(days).unwrap());
        plant(&house, &id, Some("x"), Some(("json", &record(&format!("{days:02}")))));
    }
    let folder = old_id(50, 1);
    house.file(format!(".larder/trash/{folder}/deep/x"), "x");
    plant(&house, &folder, None, Some(("json", &record("folder"))));
    house.vault.keep_trash(30, 10);
    assert_eq!(house.vault.prune_trash().unwrap(), 2);
    assert_eq!(house.vault.prune_trash().unwrap(), 0, "there is nothing to look for");
    house.vault.keep_trash(7, 10);
    assert_eq!(house.vault.prune_trash().unwrap(), 1);
    assert_eq!(paths(&share), ["00", "03", "06"]);
    house.vault.keep_trash(1, 10);
    assert_eq!(house.vault.prune_trash().unwrap(), 2);
    house.vault.keep_trash(0, 10);
    assert_eq!(house.vault.prune_trash().unwrap(), 1);
    assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn a_thing_is_looked_for_when_its_time_has_come_and_not_before() {
    let house = House::new();
    house.vault.keep_trash(1, 10);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    // It has half a second left.
    let then = now.checked_sub(Duration::from_millis(24 * 3600 * 1000 - 500)).unwrap();
    let id = format!("{:012x}-0011223344556677-1", then.as_millis());
    plant(&house, &id, Some("x"), Some(("json", &record("x"))));
    assert_eq!(house.vault.prune_trash().unwrap(), 0);
    assert_eq!(paths(&house.share()), ["x"]);
    let started = std::time::Instant::now();
    while house.vault.prune_trash().unwrap() == 0 {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
    assert!(house.trashed("").is_empty());
}

/// A house whose share root is a small drive of its own.
fn small_drive(options: &str) -> House {
    let house = House::new();
    let root = house.root();
    let marker = house.content(".larder/id").unwrap();
    mount(&["-t", "tmpfs", "-o", options, "none", root.to_str().unwrap()]);
    house.file(".larder/id", marker);
    house.folder(".larder/tmp");
    house.folder(".larder/trash");
    house
}

#[test]
fn the_oldest_go_when_the_trash_is_too_large() {
    fn body() {
        let house = small_drive("size=10m");
        let share = house.share();
        house.vault.keep_trash(30, 50);
        let block = "x".repeat(1 << 20);
        for number in 0..4 {
            house.file(format!("{number}"), &block);
            delete(&share, &number.to_string(), Kind::File);
        }
        assert_eq!(house.vault.prune_trash().unwrap(), 0);
        // A folder weighs what is in it, and says so from then on.
        house.file("folder/deep/a", &block);
        house.file("folder/b", &block);
        delete(&share, "folder", Kind::Folder);
        assert_eq!(items(&share)[0].size, 0);
        assert_eq!(house.vault.prune_trash().unwrap(), 2);
        assert_eq!(paths(&share), ["2", "3", "folder"]);
        let size = items(&share)[0].size;
        assert!((2 << 20..3 << 20).contains(&size), "{size}");
        house.vault.keep_trash(30, 25);
        assert_eq!(house.vault.prune_trash().unwrap(), 2);
        assert_eq!(paths(&share), ["folder"]);
        house.vault.keep_trash(30, 10);
        assert_eq!(house.vault.prune_trash().unwrap(), 1);
        assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
        // A file that is more than the trash may be is gone at once, and that is said.
        house.file("big", "x".repeat(2 << 20));
        assert_eq!(share.remove(&path("big"), What::File, Fate::Trash).unwrap(), None);
        assert!(house.trashed("").is_empty());
    }
    let name = "kept::the_oldest_go_when_the_trash_is_too_large";
    alone(name, Surroundings::Mounts, body, old_things_go_and_young_ones_stay);
}

#[test]
fn an_upload_that_needs_the_space_takes_it_from_the_trash() {
    fn body() {
        let house = small_drive("size=10m");
        let share = house.share();
        house.vault.keep_trash(30, 90);
        let block = "x".repeat(1 << 20);
        let delete_eight = || {
            for number in 0..8 {
                house.file(format!("{number}"), &block);
                delete(&share, &number.to_string(), Kind::File);
            }
        };
        delete_eight();
        // As it is written.
        upload(&share, &[("new", &"n".repeat(4 << 20))], &UPLOAD).unwrap();
        let left = paths(&share);
        assert!((2..=6).contains(&left.len()) && left.contains(&"7".to_owned()), "{left:?}");
        assert!(!left.contains(&"0".to_owned()), "the oldest went first");
        share.remove(&path("new"), What::File, Fate::Gone).unwrap();
        empty(&share, None).unwrap();
        // As it is announced, no more than needed, and nothing when it would not help.
        delete_eight();
        let before = paths(&share);
        assert!(share.spool_sized(None, Some(20 << 20)).is_err());
        assert_eq!(paths(&share), before);
        share.spool_sized(None, Some(5 << 20)).unwrap();
        let left = paths(&share);
        assert!((4..=5).contains(&left.len()), "{left:?}");
        empty(&share, None).unwrap();
        // Where there is no room for a record either, the oldest goes for it.
        delete_eight();
        house.file("last", "L");
        let filler = house.file("filler", "");
        let mut filler = fs::File::options().write(true).open(filler).unwrap();
        while std::io::Write::write(&mut filler, &[0; 4096]).is_ok() {}
        let before = paths(&share);
        delete(&share, "last", Kind::File);
        let after = paths(&share);
        assert!(after.contains(&"last".to_owned()) && after.len() <= before.len(), "{after:?}");
        // And where the trash has nothing to give, deleting makes room all the same.
        empty(&share, None).unwrap();
        house.file("d/x", "x");
        while std::io::Write::write(&mut filler, &[0; 4096]).is_ok() {}
        assert_eq!(share.remove(&path("d"), What::Tree, Fate::Trash).unwrap(), None);
        let mut much = share.spool(None).unwrap();
        let full = std::io::Write::write_all(&mut much, &vec![1; 4 << 20]).unwrap_err();
        assert!(matches!(crate::error::Error::from(full), crate::error::Error::DiskFull));
        drop(much);
        assert!(house.unfinished("").is_empty());
    }
    let name = "kept::an_upload_that_needs_the_space_takes_it_from_the_trash";
    let otherwise = || {
        let house = House::new();
        house.file("a", "A");
        delete(&house.share(), "a", Kind::File);
        house.share().spool_sized(None, Some(1)).unwrap();
        assert!(house.share().spool_sized(None, Some(u64::MAX)).is_err());
        assert_eq!(paths(&house.share()), ["a"]);
    };
    alone(name, Surroundings::Mounts, body, otherwise);
}

#[test]
fn each_drive_has_a_trash_of_its_own() {
    fn body() {
        let house = House::new();
        let usb = house.folder("media/usb");
        fs::create_dir(house.outside("disk")).unwrap();
        let disk = house.outside("disk");
        let plug = |place: &std::path::Path| {
            mount(&["--bind", disk.to_str().unwrap(), place.to_str().unwrap()]);
        };
        plug(&usb);
        let share = house.share();
        house.file("media/usb/d/a", "A");
        house.file("media/b", "B");
        delete(&share, "media/usb/d/a", Kind::File);
        delete(&share, "media/b", Kind::File);
        upload(&share, &[("media/usb/c", "1")], &UPLOAD).unwrap();
        upload(&share, &[("media/usb/c", "2")], &UPLOAD).unwrap();
        assert_eq!(paths(&share), ["media/b", "media/usb/c", "media/usb/d/a"]);
        assert_eq!(house.trashed("").len(), 2);
        assert_eq!(house.trashed("media/usb").len(), 4);
        assert_eq!(listed(&share, "media/usb").unwrap(), ["c", "d"]);
        let on_usb = ids(&share, "media/usb/d/a");
        // It goes and comes with the drive, wherever that is.
        unmount(&usb);
        let share = house.share();
        assert_eq!(paths(&share), ["media/b"]);
        let told = refusal(share.restore(&on_usb, IfExists::Rename));
        assert_eq!(told.as_deref(), Some("not found: Item does not exist"));
        let elsewhere = house.folder("elsewhere");
        plug(&elsewhere);
        let share = house.share();
        assert_eq!(paths(&share), ["elsewhere/c", "elsewhere/d/a", "media/b"]);
        assert_eq!(restore(&share, &on_usb, IfExists::Rename), ["elsewhere/d/a"]);
        // The keeper and emptying come there, too.
        house.vault.keep_trash(1, 10);
        let old = old_id(2, 1);
        house.file(format!("elsewhere/.larder/trash/{old}"), "x");
        house.file(format!("elsewhere/.larder/trash/{old}.json"), record("x"));
        assert_eq!(house.vault.prune_trash().unwrap(), 1);
        assert_eq!(empty(&share, None).unwrap(), 2);
        // A drive over the place that something was at.
        house.file("over/x", "X");
        delete(&share, "over/x", Kind::File);
        plug(&house.root().join("over"));
        let share = house.share();
        let told = refusal(share.restore(&ids(&share, "over/x"), IfExists::Rename));
        assert_eq!(told.as_deref(), Some("conflict: Another drive is in its place"));
        // The same drive in two places comes once.
        house.file("over/twice", "T");
        delete(&share, "over/twice", Kind::File);
        assert_eq!(items(&share).len(), 2);
    }
    let name = "kept::each_drive_has_a_trash_of_its_own";
    alone(name, Surroundings::Mounts, body, what_is_deleted_waits_in_the_trash_and_comes_back_once);
}

/// What can be seen without mounting.
fn what_is_deleted_waits_in_the_trash_and_comes_back_once() {
    let house = House::new();
    house.file("d/a", "A");
    delete(&house.share(), "d/a", Kind::File);
    assert_eq!(house.trashed("").len(), 2);
    assert_eq!(restore(&house.share(), &ids(&house.share(), "d/a"), IfExists::Rename), ["d/a"]);
}

#[test]
fn a_huge_trash_is_listed_weighed_and_emptied() {
    let house = House::in_memory();
    let share = house.share();
    let long = "n".repeat(200);
    for number in 0..30_000 {
        plant(
            &house,
            &old_id(1, number),
            Some(""),
            Some(("json", &record(&format!("{long}/{number}")))),
        );
    }
    let mut count = 0;
    let mut last: Option<String> = None;
    share
        .trash()
        .unwrap()
        .for_each(&mut |item| {
            assert!(last.as_ref().is_none_or(|last| *last > item.id), "{item:?}");
            last = Some(item.id.clone());
            count += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(count, 30_000);
    assert_eq!(house.vault.sweep().unwrap(), 0);
    assert_eq!(house.vault.prune_trash().unwrap(), 0);
    assert_eq!(empty(&share, None).unwrap(), 30_000);
    assert!(house.trashed("").is_empty());
}
