//! The trash: what goes in, comes back, is emptied, and what a crash leaves of it.

use super::super::root::Quirks;
use super::super::{Fate, IfExists, Item, Kind, Place, Progress, Reason, Share, TransferKind};
use super::alone::{Surroundings, alone, mount, unmount};
use super::{House, UPLOAD, listed, opened, path, refusal, spool, upload};
use crate::error::Result;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, SystemTime};

/// Every kind of filesystem and kernel that matters here.
fn houses() -> impl Iterator<Item = (House, Quirks)> {
    (0..8).map(|bits| {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let quirks = Quirks {
            no_noreplace: has(0),
            no_exchange: has(1),
            no_links: has(2),
            ..Quirks::default()
        };
        (House::with_quirks(quirks), quirks)
    })
}

/// What a caller sees in the trash.
fn items(share: &Share) -> Vec<Item> {
    let mut items = Vec::new();
    share
        .trash()
        .unwrap()
        .for_each(&mut |item| {
            items.push(item.clone());
            Ok(())
        })
        .unwrap();
    items
}

/// The ids of what was at a place, the latest first.
fn ids(share: &Share, place: &str) -> Vec<String> {
    items(share).into_iter().filter(|item| item.path == path(place)).map(|item| item.id).collect()
}

/// The paths in the trash, sorted.
fn paths(share: &Share) -> Vec<String> {
    let mut paths: Vec<_> =
        items(share).into_iter().map(|item| item.path.as_str().to_owned()).collect();
    paths.sort();
    paths
}

/// Deletes a file or folder into the trash.
#[track_caller]
fn delete(share: &Share, place: &str, kind: Kind) {
    let fate = match kind {
        Kind::Folder => share.delete_folder(&path(place), Fate::Trash),
        _ => share.delete_file(&path(place), Fate::Trash),
    };
    assert!(fate.unwrap().is_some());
}

/// Where things were restored to.
fn restore(share: &Share, ids: &[String], if_exists: IfExists) -> Vec<String> {
    let paths = share.restore(ids, if_exists).unwrap();
    paths.into_iter().map(|path| path.as_str().to_owned()).collect()
}

/// Empties the trash and tells how many things went.
fn empty(share: &Share, ids: Option<&[String]>) -> Result<u64> {
    let mut removed = 0;
    share.empty_trash(ids, &mut |count| removed = count).map(|()| removed)
}

#[test]
fn what_is_deleted_waits_in_the_trash_and_comes_back() {
    for (house, quirks) in houses() {
        let share = house.share();
        let file = house.file("docs/a.txt", "A");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&file).unwrap();
        house.file("docs/deep/er/b", "B");
        house.link("docs/link", "a.txt");
        let began = SystemTime::now() - Duration::from_millis(1);
        delete(&share, "docs/a.txt", Kind::File);
        delete(&share, "docs/link", Kind::Other);
        delete(&share, "docs/deep", Kind::Folder);
        assert!(house.on_disk("docs").is_empty());
        let found = items(&share);
        let told: Vec<_> =
            found.iter().map(|item| (item.path.as_str(), item.kind, item.size)).collect();
        let wanted = [
            ("docs/deep", Kind::Folder, 0),
            ("docs/link", Kind::Other, 0),
            ("docs/a.txt", Kind::File, 1),
        ];
        assert_eq!(told, wanted, "{quirks:?}");
        for item in &found {
            assert_eq!((item.by.as_str(), item.reason), ("ana", Reason::Deleted));
            assert!((began..=SystemTime::now()).contains(&item.deleted), "{item:?}");
        }
        // The folder goes as well, and is made again by what comes back.
        delete(&share, "docs", Kind::Folder);
        let ids: Vec<String> = found.iter().map(|item| item.id.clone()).collect();
        let back = restore(&share, &ids, IfExists::Error("taken"));
        assert_eq!(back, ["docs/deep", "docs/link", "docs/a.txt"], "{quirks:?}");
        assert_eq!(house.on_disk("docs"), ["a.txt", "deep", "link"]);
        assert_eq!(house.content("docs/link").as_deref(), Some("A"));
        assert_eq!(house.content("docs/deep/er/b").as_deref(), Some("B"));
        let after = fs::metadata(&file).unwrap();
        assert_eq!((after.mode(), after.mtime()), (before.mode(), before.mtime()));
        assert_eq!(paths(&share), ["docs"]);
        assert!(house.unfinished("").is_empty());
        // What came back once is not there any more.
        let told = refusal(share.restore(&ids[..1], IfExists::Rename));
        assert_eq!(told.as_deref(), Some("not found: Item does not exist"));
    }
}

#[test]
fn what_is_replaced_goes_into_the_trash_version_by_version() {
    for (house, quirks) in houses() {
        let share = house.share();
        house.file("d/a", "0");
        house.link("way", "d/a");
        for number in 1..4 {
            upload(&share, &[("d/a", &number.to_string())], &UPLOAD).unwrap();
        }
        // Through a link, too, and in a group.
        let group = [("way", "4"), ("d/new", "N"), ("d/other", "O")];
        upload(&share, &group, &UPLOAD).unwrap();
        assert_eq!(house.content("d/a").as_deref(), Some("4"), "{quirks:?}");
        let found = items(&share);
        assert!(found.iter().all(|item| item.path == path("d/a")
            && item.kind == Kind::File
            && (item.size, item.reason) == (1, Reason::Replaced)));
        assert!(house.unfinished("").is_empty());
        assert_eq!(house.trashed("").len(), 2 * 4, "{quirks:?}");
        // The latest comes first, here and as it is restored.
        let ids = ids(&share, "d/a");
        assert_eq!(restore(&share, &ids[..1], IfExists::Rename), ["d/a (1)"]);
        assert_eq!(house.content("d/a (1)").as_deref(), Some("3"), "{quirks:?}");
        assert_eq!(restore(&share, &ids[3..], IfExists::Overwrite), ["d/a"]);
        assert_eq!(house.content("d/a").as_deref(), Some("0"), "{quirks:?}");
        assert_eq!(items(&share).len(), 3);
        let back = restore(&share, &super::trash::ids(&share, "d/a"), IfExists::Rename);
        let mut versions: Vec<_> = back.iter().map(|name| house.content(name).unwrap()).collect();
        versions.sort();
        assert_eq!(versions, ["1", "2", "4"], "{quirks:?}");
        assert!(house.trashed("").is_empty());
    }
}

#[test]
fn what_a_move_or_a_copy_replaces_goes_into_the_trash() {
    for (house, quirks) in houses() {
        for kind in [TransferKind::Move, TransferKind::Copy] {
            let share = house.share();
            let run = |sources: &[&str], to: &str| {
                let sources: Vec<_> = sources.iter().map(|source| path(source)).collect();
                let transfer = share.transfer(kind, &sources, &path(to), IfExists::Overwrite);
                transfer.unwrap().run(&Progress::default(), &mut |_, _| {})
            };
            house.file("from/a", "new");
            house.file("from/d/in", "new");
            house.link("from/l", "a");
            for name in ["a", "d/other", "l"] {
                house.file(format!("to/{name}"), "old");
            }
            run(&["from/a", "from/d", "from/l"], "to").unwrap();
            let what = format!("{kind:?} {quirks:?}");
            assert_eq!(paths(&share), ["to/a", "to/d", "to/l"], "{what}");
            for item in items(&share) {
                assert_eq!((item.by.as_str(), item.reason), ("ana", Reason::Replaced), "{what}");
            }
            assert_eq!(house.content("to/a").as_deref(), Some("new"), "{what}");
            assert_eq!(house.on_disk("to/d"), ["in"], "{what}");
            assert!(house.unfinished("").is_empty(), "{what}");
            assert_eq!(house.trashed("").len(), 6, "{what}");
            let all: Vec<_> = items(&share).into_iter().map(|item| item.id).collect();
            restore(&share, &all, IfExists::Rename);
            assert_eq!(house.content("to/a (1)").as_deref(), Some("old"), "{what}");
            assert_eq!(house.content("to/l (1)").as_deref(), Some("old"), "{what}");
            assert_eq!(house.content("to/d (1)/other").as_deref(), Some("old"), "{what}");
            assert!(house.trashed("").is_empty(), "{what}");
            for folder in ["from", "to"] {
                share.delete_folder(&path(folder), Fate::Gone).unwrap();
            }
        }
    }
}

#[test]
fn whoever_wants_it_gone_or_has_no_trash_hears_that_it_is_gone() {
    let house = House::new();
    let share = house.share();
    for (days, percent, wish) in
        [(30, 10, Fate::Gone), (0, 10, Fate::Trash), (30, 0, Fate::Trash), (0, 0, Fate::Gone)]
    {
        house.vault.keep_trash(days, percent);
        house.file("a", "A");
        house.file("d/b", "B");
        house.link("l", "a");
        house.link("f", "d");
        upload(&share, &[("a", "A2")], &UPLOAD).unwrap();
        if wish == Fate::Gone && days > 0 {
            assert_eq!(paths(&share), ["a"]);
            empty(&share, None).unwrap();
        }
        for name in ["l", "a"] {
            assert_eq!(share.delete_file(&path(name), wish).unwrap(), None);
        }
        for name in ["f", "d"] {
            assert_eq!(share.delete_folder(&path(name), wish).unwrap(), None);
        }
        assert!(house.on_disk("").is_empty() && house.trashed("").is_empty(), "{days} {percent}");
        assert!(house.unfinished("").is_empty());
    }
    house.vault.keep_trash(1, 10);
    house.file("a", "A");
    delete(&share, "a", Kind::File);
    // Where its folder cannot be, nothing can be kept, and deleting still works.
    fs::remove_dir_all(house.root().join(".larder/trash")).unwrap();
    house.link(".larder/trash", "../keep");
    house.file("keep/a", "A");
    house.file("b", "B");
    assert_eq!(share.delete_file(&path("b"), Fate::Trash).unwrap(), None);
    upload(&share, &[("keep/a", "A2")], &UPLOAD).unwrap();
    assert!(items(&share).is_empty());
    assert_eq!(empty(&share, None).unwrap(), 0);
    assert_eq!(house.on_disk("keep"), ["a"]);
}

#[test]
fn a_name_that_is_taken_is_dealt_with_as_the_caller_says() {
    for (house, quirks) in houses() {
        let share = house.share();
        let parts = [("f", Kind::File), ("d", Kind::Folder)];
        for (name, kind) in parts {
            for (taken_by, _) in parts {
                let make = |kind: &str, content: &str| match kind {
                    "f" => drop(house.file("x", content)),
                    _ => drop(house.file(format!("x/{content}"), content)),
                };
                make(name, "old");
                delete(&share, "x", kind);
                make(taken_by, "new");
                let id = ids(&share, "x");
                let what = format!("{name} over {taken_by}, {quirks:?}");
                let told = refusal(share.restore(&id, IfExists::Error("it is there")));
                assert_eq!(told.as_deref(), Some("collision: it is there"), "{what}");
                assert_eq!(ids(&share, "x"), id, "{what}");
                assert_eq!(restore(&share, &id, IfExists::Overwrite), ["x"], "{what}");
                let shows = |content: &str| {
                    house.content("x").as_deref() == Some(content)
                        || house.content(&format!("x/{content}")).as_deref() == Some(content)
                };
                assert!(shows("old") && !shows("new"), "{what}");
                let found = items(&share);
                assert_eq!(found.len(), 1, "{what}: {found:?}");
                assert_eq!((found[0].path.as_str(), found[0].reason), ("x", Reason::Replaced));
                assert_ne!(found[0].id, id[0], "{what}");
                // And once more beside it.
                assert_eq!(restore(&share, &ids(&share, "x"), IfExists::Rename), ["x (1)"]);
                assert_eq!(house.on_disk(""), ["x", "x (1)"], "{what}");
                assert!(house.trashed("").is_empty() && house.unfinished("").is_empty(), "{what}");
                for name in ["x", "x (1)"] {
                    let place = house.root().join(name);
                    if place.is_dir() {
                        fs::remove_dir_all(place).unwrap();
                    } else {
                        fs::remove_file(place).unwrap();
                    }
                }
            }
        }
    }
}

#[test]
fn a_changed_tree_is_answered_properly() {
    let house = House::new();
    let share = house.share();
    house.file("d/e/a", "A");
    delete(&share, "d/e/a", Kind::File);
    fs::remove_dir_all(house.root().join("d")).unwrap();
    let id = ids(&share, "d/e/a");
    let in_the_way = Some("collision: Target already exists");
    // A file where its folder was, or where the folder above was.
    for place in ["d", "d/e"] {
        house.file(place, "F");
        for if_exists in [IfExists::Rename, IfExists::Overwrite, IfExists::Error("x")] {
            let told = refusal(share.restore(&id, if_exists));
            assert_eq!(told.as_deref(), in_the_way, "{place} {if_exists:?}");
        }
        fs::remove_file(house.root().join(place)).unwrap();
        let _or_not = fs::remove_dir(house.root().join("d"));
    }
    // A link there that leads out, or to where the caller may not write.
    house.link("d", "/tmp");
    assert_eq!(
        refusal(share.restore(&id, IfExists::Rename)).as_deref(),
        Some("not found: Path does not exist")
    );
    fs::remove_file(house.root().join("d")).unwrap();
    house.folder("yours/e");
    house.link("d", "yours");
    let mine = house.share_of(&["d"], &["d"]);
    assert_eq!(refusal(mine.restore(&id, IfExists::Rename)).as_deref(), Some("refused"));
    assert_eq!(ids(&share, "d/e/a"), id);
    assert_eq!(house.on_disk("yours/e"), [""; 0]);
    assert_eq!(restore(&share, &id, IfExists::Rename), ["d/e/a"]);
    assert_eq!(house.content("yours/e/a").as_deref(), Some("A"));
}

#[test]
fn of_several_all_come_back_or_none() {
    for (house, quirks) in houses() {
        let share = house.share();
        for name in ["a", "d/b", "c"] {
            house.file(name, name);
            delete(&share, name, Kind::File);
        }
        fs::remove_dir(house.root().join("d")).unwrap();
        house.file("c", "theirs");
        let all: Vec<String> =
            ["a", "d/b", "c"].iter().flat_map(|name| ids(&share, name)).collect();
        let told = refusal(share.restore(&all, IfExists::Error("taken")));
        assert_eq!(told.as_deref(), Some("collision: taken"), "{quirks:?}");
        assert_eq!(paths(&share), ["a", "c", "d/b"], "{quirks:?}");
        assert_eq!(house.content("c").as_deref(), Some("theirs"));
        assert!(!house.root().join("a").exists() && !house.root().join("d/b").exists());
        // One that is not there, and one that comes twice.
        let strange = [all.clone(), vec!["0123456789ab-x-1".into()]].concat();
        let told = refusal(share.restore(&strange, IfExists::Rename));
        assert_eq!(told.as_deref(), Some("not found: Item does not exist"));
        let twice = [all.clone(), all].concat();
        assert_eq!(restore(&share, &twice, IfExists::Rename), ["a", "d/b", "c (1)"]);
        assert!(house.trashed("").is_empty(), "{quirks:?}");
    }
}

#[test]
fn everybody_has_the_trash_of_their_own_places() {
    let house = House::new();
    let all = house.share();
    for name in ["mine/a", "mine/b", "yours/c", "both/d"] {
        house.file(name, name);
        delete(&all, name, Kind::File);
    }
    let reader = house.share_of(&["mine", "both"], &[]);
    let writer = house.share_of(&["mine"], &["mine", "both"]);
    assert_eq!(paths(&reader), ["both/d", "mine/a", "mine/b"]);
    assert_eq!(paths(&writer), ["mine/a", "mine/b"]);
    assert_eq!(paths(&house.share_of(&[], &[""])), [""; 0]);
    let (mine, yours) = (ids(&all, "mine/a"), ids(&all, "yours/c"));
    let refused = Some("refused");
    for (share, ids) in [(&reader, &mine), (&writer, &yours)] {
        assert_eq!(refusal(share.restore(ids, IfExists::Rename)).as_deref(), refused);
        assert_eq!(refusal(empty(share, Some(ids))).as_deref(), refused);
    }
    // What is not permitted is said before what is not there.
    let mixed = [vec!["0123456789ab-x-1".into()], yours.clone(), mine.clone()].concat();
    assert_eq!(refusal(empty(&writer, Some(&mixed))).as_deref(), refused);
    assert_eq!(paths(&all).len(), 4);
    // Writing needs no right to read.
    assert_eq!(restore(&writer, &ids(&all, "both/d"), IfExists::Rename), ["both/d"]);
    assert_eq!(empty(&writer, Some(&mine)).unwrap(), 1);
    assert_eq!(empty(&reader, None).unwrap(), 0);
    assert_eq!(empty(&writer, None).unwrap(), 1);
    assert_eq!(paths(&all), ["yours/c"]);
    assert_eq!(empty(&all, None).unwrap(), 1);
    assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn an_id_is_one_plain_name_of_something_in_the_trash() {
    let house = House::new();
    let share = house.share();
    house.file("keep", "K");
    house.file("a", "A");
    delete(&share, "a", Kind::File);
    let id = ids(&share, "a").remove(0);
    let longest = format!("0123456789ab-{}", "x".repeat(200));
    for text in [
        "",
        ".",
        "..",
        "../id",
        "../../keep",
        "id",
        &format!("{id}.json"),
        &format!("{id}/"),
        &format!("./{id}"),
        &format!(" {id}"),
        &format!("{id}\0"),
        &id.to_uppercase(),
        &longest,
        "0123456789ab",
        "+12345678901-a-1",
        "é123456789ab-a-1",
    ] {
        let ids = [text.to_owned()];
        let gone = Some("not found: Item does not exist");
        assert_eq!(refusal(share.restore(&ids, IfExists::Rename)).as_deref(), gone, "{text:?}");
        assert_eq!(refusal(empty(&share, Some(&ids))).as_deref(), gone, "{text:?}");
    }
    assert_eq!(paths(&share), ["a"]);
    assert!(house.vault.is_present());
}

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
        assert_eq!(share.delete_file(&path("big"), Fate::Trash).unwrap(), None);
        assert!(house.trashed("").is_empty());
    }
    let name = "trash::the_oldest_go_when_the_trash_is_too_large";
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
        share.delete_file(&path("new"), Fate::Gone).unwrap();
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
        assert_eq!(share.delete_folder(&path("d"), Fate::Trash).unwrap(), None);
        let mut much = share.spool(None).unwrap();
        let full = std::io::Write::write_all(&mut much, &vec![1; 4 << 20]).unwrap_err();
        assert!(matches!(crate::error::Error::from(full), crate::error::Error::DiskFull));
        drop(much);
        assert!(house.unfinished("").is_empty());
    }
    let name = "trash::an_upload_that_needs_the_space_takes_it_from_the_trash";
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
    let name = "trash::each_drive_has_a_trash_of_its_own";
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
fn a_locked_folder_goes_and_comes_back_as_it_was() {
    fn body() {
        for (house, quirks) in houses() {
            let share = house.share();
            house.file("disc/in/a", "A");
            for name in ["disc/in", "disc"] {
                let place = house.root().join(name);
                fs::set_permissions(place, Permissions::from_mode(0o555)).unwrap();
            }
            delete(&share, "disc", Kind::Folder);
            house.file("disc", "in the way");
            assert_eq!(restore(&share, &ids(&share, "disc"), IfExists::Overwrite), ["disc"]);
            let mode = fs::metadata(house.root().join("disc")).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o555, "{quirks:?}");
            assert_eq!(house.content("disc/in/a").as_deref(), Some("A"));
            delete(&share, "disc", Kind::Folder);
            assert_eq!(empty(&share, None).unwrap(), 2);
            assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
        }
    }
    let name = "trash::a_locked_folder_goes_and_comes_back_as_it_was";
    alone(name, Surroundings::Ordinary, body, body);
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

#[test]
fn two_who_replace_and_delete_at_once_lose_nothing() {
    for no_exchange in [false, true] {
        let house = House::with_quirks(Quirks { no_exchange, ..Quirks::default() });
        house.file("a", "first");
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let house = &house;
                scope.spawn(move || {
                    let share = house.share();
                    for number in 0..20 {
                        let content = format!("{writer}-{number}");
                        upload(&share, &[("a", &content)], &UPLOAD).unwrap();
                        if number % 5 == writer {
                            let _maybe_gone = share.delete_file(&path("a"), Fate::Trash);
                        }
                    }
                });
            }
        });
        let share = house.share();
        let found = ids(&share, "a");
        let mut versions: Vec<String> = restore(&share, &found, IfExists::Rename)
            .iter()
            .map(|name| house.content(name).unwrap())
            .chain(house.content("a"))
            .collect();
        versions.sort();
        versions.dedup();
        // Without exchanging, of two at the same instant one may take the other's place unseen.
        let all = 61;
        assert!(
            if no_exchange { versions.len() > 30 } else { versions.len() == all },
            "{}",
            versions.len()
        );
        assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
    }
}

#[test]
fn the_trash_is_seen_by_nobody_who_lists_zips_or_opens() {
    let house = House::new();
    let share = house.share();
    house.file("d/a", "A");
    delete(&share, "d/a", Kind::File);
    let id = ids(&share, "d/a").remove(0);
    assert_eq!(listed(&share, "").unwrap(), ["d"]);
    for place in [".larder/trash".to_owned(), format!(".larder/trash/{id}"), ".LARDER/trash".into()]
    {
        assert!(refusal(listed(&share, &place)).is_some(), "{place}");
        assert!(refusal(opened(&share, &place)).is_some(), "{place}");
        assert!(refusal(share.delete_file(&path(&place), Fate::Trash)).is_some(), "{place}");
        assert!(refusal(share.delete_folder(&path(&place), Fate::Trash)).is_some(), "{place}");
        let spool = spool(&share, "", "x");
        let options = Place { if_exists: IfExists::Overwrite, ..UPLOAD };
        assert!(refusal(share.place(vec![(spool, path(&place))], &options)).is_some(), "{place}");
    }
    let mut bytes = Vec::new();
    share.zip(&path("")).unwrap().write(&mut bytes).unwrap();
    let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(zip.file_names().map(|name| name.unwrap().to_string()).collect::<Vec<_>>(), ["d/"]);
    assert_eq!(paths(&share), ["d/a"]);
}
