//! Pairs of places: other names, what they replace, and what is told of it.

use super::super::journal::Journal;
use super::super::put::Aim;
use super::super::resolve::Follow;
use super::super::root::Quirks;
use super::super::share::Need;
use super::super::thing::{Itself, Judged, Source};
use super::super::transfer::Landed;
use super::super::transfer::Over;
use super::super::{Fate, IfExists, Kind, Progress, TransferKind, TrashId, look};
use super::alone::{Surroundings, alone};
use super::mounts::drive;
use super::{House, path, refusal};
use crate::error::Result;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use TransferKind::{Copy, Move};

/// Files are renamed so.
const RENAME: TransferKind = TransferKind::Rename(Kind::File);

/// Kernels and filesystems that know more or less.
fn houses() -> impl Iterator<Item = House> {
    (0..16).map(|bits: u32| {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let quirks = Quirks {
            no_exchange: has(0),
            no_noreplace: has(1),
            far_apart: has(2),
            no_links: has(3),
            ..Quirks::default()
        };
        House::with_quirks(quirks)
    })
}

/// Gives things other places with all rights; says what became of each.
fn relocate(
    house: &House,
    kind: TransferKind,
    pairs: &[(&str, &str)],
    if_exists: IfExists,
) -> Result<Vec<Landed>> {
    let pairs = pairs.iter().map(|(from, to)| (path(from), path(to))).collect();
    let transfer = house.share().relocate(kind, pairs, if_exists)?;
    let done = transfer.run(&Progress::default(), &mut |_, _| {});
    assert!(house.unfinished("").is_empty(), "{:?}", house.unfinished(""));
    done
}

/// The names of the things in the trash.
fn binned(house: &House) -> Vec<String> {
    house.trashed("").into_iter().filter(|name| !name.contains('.')).collect()
}

/// The same, of the only thing there.
#[track_caller]
fn only_binned(house: &House) -> String {
    let [id] = binned(house).try_into().unwrap();
    id
}

#[test]
fn each_thing_gets_the_place_it_was_given() {
    for house in houses() {
        for kind in [Copy, Move] {
            for name in ["from", "to", "else"] {
                let _ = fs::remove_dir_all(house.root().join(name));
                house.folder(name);
            }
            house.file("from/a.txt", "A");
            house.file("from/tree/in/x", "X");
            let pairs = [("from/a.txt", "to/b.txt"), ("from/tree", "else/wood")];
            let done = relocate(&house, kind, &pairs, IfExists::REFUSE).unwrap();
            let new = |place| Landed { path: path(place), over: Over::Nothing };
            assert_eq!(done, [new("to/b.txt"), new("else/wood")]);
            assert_eq!(house.content("to/b.txt").as_deref(), Some("A"));
            assert_eq!(house.content("else/wood/in/x").as_deref(), Some("X"));
            assert_eq!((house.on_disk("to"), house.on_disk("else")), {
                (vec!["b.txt".to_owned()], vec!["wood".to_owned()])
            });
            assert_eq!(house.on_disk("from").is_empty(), kind == Move);
            // In the same folder, too.
            house.file("from/a.txt", "A");
            relocate(&house, kind, &[("from/a.txt", "from/c.txt")], IfExists::REFUSE).unwrap();
            assert_eq!(house.content("from/c.txt").as_deref(), Some("A"));
            assert_eq!(house.content("from/a.txt").is_some(), kind == Copy);
        }
    }
}

#[test]
fn what_is_replaced_is_told_and_in_the_trash() {
    for house in houses() {
        for kind in [Copy, Move] {
            for name in ["from", "to"] {
                let _ = fs::remove_dir_all(house.root().join(name));
            }
            house.share().empty_trash(None, &mut |_| {}).unwrap();
            house.file("from/a", "new");
            house.file("from/tree/x", "new");
            house.file("to/b", "old");
            house.file("to/wood/y", "old");
            for (from, to) in [("from/a", "to/b"), ("from/tree", "to/wood")] {
                let told = refusal(relocate(&house, kind, &[(from, to)], IfExists::REFUSE));
                assert_eq!(told.as_deref(), Some("collision: Target already exists"));
                let pair = [(from, to)];
                let done = relocate(&house, kind, &pair, IfExists::Overwrite).unwrap();
                let [landed] = done.try_into().unwrap();
                let id = only_binned(&house);
                assert_eq!(landed.path, path(to));
                assert_eq!(landed.trash().map(TrashId::as_str), Some(id.as_str()));
                let kept = house.content(&format!(".larder/trash/{id}"));
                let inside = house.content(&format!(".larder/trash/{id}/y"));
                assert_eq!(kept.or(inside).as_deref(), Some("old"));
                house.share().empty_trash(None, &mut |_| {}).unwrap();
            }
            assert_eq!(house.content("to/b").as_deref(), Some("new"));
            assert_eq!(house.on_disk("to/wood"), ["x"], "two folders were mixed");
        }
        // Without a trash it is replaced all the same.
        house.vault.keep_trash(0, 10);
        house.file("from/a", "newest");
        let done = relocate(&house, Move, &[("from/a", "to/b")], IfExists::Overwrite).unwrap();
        assert_eq!(done, [Landed { path: path("to/b"), over: Over::Another(None) }]);
        assert_eq!(house.content("to/b").as_deref(), Some("newest"));
    }
}

#[test]
fn both_are_kept_under_the_next_free_number() {
    for house in houses() {
        for (kind, number) in [(Copy, 1), (Move, 2)] {
            house.file("a", "new");
            house.file("to/b.txt", "old");
            let done = relocate(&house, kind, &[("a", "to/b.txt")], IfExists::Rename).unwrap();
            let place = format!("to/b ({number}).txt");
            assert_eq!(done, [Landed { path: path(&place), over: Over::Nothing }]);
            assert_eq!(house.content(&place).as_deref(), Some("new"));
            assert_eq!(house.content("to/b.txt").as_deref(), Some("old"));
        }
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_changed() {
    let house = House::new();
    house.file("a/b/c.txt", "C");
    house.file("d/x", "X");
    house.file("file", "F");
    let told = |kind, pairs: &[(&str, &str)], if_exists| {
        refusal(relocate(&house, kind, pairs, if_exists)).unwrap()
    };
    let in_the_way = "collision: Target already exists";
    let into_itself = "invalid: A folder can't be moved or copied into itself";
    for kind in [Copy, Move] {
        for to in ["a/n", "a/b/n"] {
            assert_eq!(told(kind, &[("a", to)], IfExists::Overwrite), into_itself);
        }
        // A file onto a folder, a folder onto a file, and one onto the folder that it is in.
        for (from, to) in [("file", "d"), ("d", "file"), ("a/b", "a"), ("file", "")] {
            assert_eq!(told(kind, &[(from, to)], IfExists::Overwrite), in_the_way, "{from} {to}");
        }
        // Two to one place, and one to where another is.
        let pairs = [("file", "n"), ("d", "n")];
        assert_eq!(told(kind, &pairs, IfExists::Overwrite), in_the_way);
        let pairs = [("a/b/c.txt", "file"), ("file", "n")];
        assert_eq!(told(kind, &pairs, IfExists::Overwrite), in_the_way);
        let missing = "not found: Path does not exist";
        for (from, to) in
            [("file", "none/n"), ("none", "n"), ("file", ".larder"), ("d", ".larder/n")]
        {
            assert_eq!(told(kind, &[(from, to)], IfExists::Overwrite), missing, "{from} {to}");
        }
        let unfit = [("file", "d/%=n%FF")];
        for if_exists in [IfExists::REFUSE, IfExists::Rename, IfExists::Overwrite] {
            assert_eq!(told(kind, &unfit, if_exists), "invalid: Invalid name");
        }
    }
    // Into a folder that goes away itself.
    let pairs = [("d", "n"), ("file", "d/n")];
    assert_eq!(told(Move, &pairs, IfExists::REFUSE), "invalid: The paths overlap");
    assert_eq!(house.on_disk(""), ["a", "d", "file"]);
    assert_eq!((house.on_disk("d"), house.on_disk("a")), (vec!["x".into()], vec!["b".into()]));
    assert!(house.trashed("").is_empty());
}

#[test]
fn where_it_is_already_nothing_is_done() {
    for house in houses() {
        house.file("a", "A");
        house.file("d/x", "X");
        let same = |place| [Landed { path: path(place), over: Over::Itself }];
        for kind in [Copy, Move] {
            for place in ["a", "d"] {
                let done = relocate(&house, kind, &[(place, place)], IfExists::Overwrite).unwrap();
                assert_eq!(done, same(place));
            }
        }
        assert_eq!(
            relocate(&house, RENAME, &[("a", "a")], IfExists::Overwrite).unwrap(),
            same("a")
        );
        assert!(house.trashed("").is_empty());
        assert_eq!(house.content("a").as_deref(), Some("A"));
    }
}

#[test]
fn a_failure_half_way_takes_every_pair_back() {
    for house in houses() {
        for kind in [Copy, Move] {
            for name in ["from", "to", "else"] {
                let _ = fs::remove_dir_all(house.root().join(name));
            }
            for name in ["from/a", "from/tree/x", "from/c"] {
                house.file(name, "new");
            }
            house.file("to/b", "old");
            house.folder("else");
            let pairs = [("from/a", "to/b"), ("from/tree", "else/wood"), ("from/c", "else/c")];
            let pairs = pairs.iter().map(|(from, to)| (path(from), path(to))).collect();
            let transfer = house.share().relocate(kind, pairs, IfExists::Overwrite).unwrap();
            // After the look and before the work, a folder comes where the last one goes.
            house.file("else/c/precious", "theirs");
            let told = refusal(transfer.run(&Progress::default(), &mut |_, _| {}));
            assert_eq!(told.as_deref(), Some("collision: Target already exists"));
            assert_eq!(house.on_disk("else"), ["c"]);
            assert_eq!(house.content("to/b").as_deref(), Some("old"));
            for name in ["from/a", "from/tree/x", "from/c"] {
                assert_eq!(house.content(name).as_deref(), Some("new"), "{name}");
            }
            assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
        }
    }
}

#[test]
fn between_two_drives_it_is_the_same_but_for_a_rename() {
    fn body() {
        let house = House::new();
        for usb in ["usb", "disk"] {
            drive(&house, usb, "size=4m");
        }
        house.file("a", "A");
        house.file("tree/x", "X");
        house.file("usb/b", "old");
        house.file("disk/wood/y", "old");
        let pairs = [("a", "usb/b"), ("tree", "disk/wood")];
        let done = relocate(&house, Move, &pairs, IfExists::Overwrite).unwrap();
        for (landed, usb) in done.iter().zip(["usb", "disk"]) {
            let id = landed.trash().unwrap().as_str().to_owned();
            assert!(house.trashed(usb).contains(&id), "each in the trash of its drive");
        }
        assert_eq!(house.on_disk(""), ["disk", "usb"]);
        assert_eq!(house.content("usb/b").as_deref(), Some("A"));
        assert_eq!(house.on_disk("disk/wood"), ["x"]);
        // From drive to drive, and one that has no room there: neither goes.
        house.file("usb/small", "S");
        house.file("big", vec![1; 5 << 20]);
        let pairs = [("usb/small", "disk/little"), ("big", "usb/large")];
        let told = refusal(relocate(&house, Move, &pairs, IfExists::REFUSE));
        assert_eq!(told.as_deref(), Some("disk full"));
        assert_eq!(house.content("usb/small").as_deref(), Some("S"));
        assert_eq!(house.on_disk("disk"), ["wood"]);
        // Only a name changes: nothing is copied by that.
        assert!(relocate(&house, RENAME, &[("usb/small", "small")], IfExists::REFUSE).is_err());
        assert_eq!(house.on_disk(""), ["big", "disk", "usb"]);
    }
    let name = "relocate::between_two_drives_it_is_the_same_but_for_a_rename";
    alone(name, Surroundings::Mounts, body, || {});
}

#[test]
fn a_rename_puts_files_in_the_place_of_files_alone() {
    for house in houses() {
        house.file("a.part", "new");
        house.file("a.txt", "old");
        house.folder("d");
        house.link("l", "a.txt");
        fs::hard_link(house.root().join("a.txt"), house.root().join("same")).unwrap();
        let over = |from, to| relocate(&house, RENAME, &[(from, to)], IfExists::Overwrite);
        for (from, to) in [("a.part", "d"), ("a.part", "l"), ("l", "a.part"), ("same", "a.txt")] {
            let told = refusal(over(from, to));
            assert_eq!(told.as_deref(), Some("collision: Target already exists"), "{from} {to}");
        }
        assert!(house.trashed("").is_empty());
        fs::remove_file(house.root().join("same")).unwrap();
        let id = fs::metadata(house.root().join("a.part")).unwrap().ino();
        let [landed] = over("a.part", "a.txt").unwrap().try_into().unwrap();
        assert_eq!(landed.trash().unwrap().as_str(), only_binned(&house));
        assert_eq!(house.content("a.txt").as_deref(), Some("new"));
        assert_eq!(fs::metadata(house.root().join("a.txt")).unwrap().ino(), id, "it was copied");
        assert_eq!(house.on_disk(""), ["a.txt", "d", "l"]);
        let done = over("a.txt", "d/b.txt").unwrap();
        assert_eq!(done, [Landed { path: path("d/b.txt"), over: Over::Nothing }]);
    }
}

#[test]
fn what_comes_between_the_look_and_the_rename_is_not_replaced_unseen() {
    for house in houses() {
        house.file("a.part", "new");
        house.file("a.txt", "old");
        let pair = vec![(path("a.part"), path("a.txt"))];
        let rename = house.share().relocate(RENAME, pair, IfExists::Overwrite).unwrap();
        fs::rename(house.file("b", "theirs"), house.root().join("a.txt")).unwrap();
        rename.run(&Progress::default(), &mut |_, _| {}).unwrap();
        assert_eq!(house.content("a.txt").as_deref(), Some("new"));
        let kept = house.content(&format!(".larder/trash/{}", only_binned(&house)));
        assert_eq!(kept.as_deref(), Some("theirs"));
    }
}

#[test]
fn what_comes_between_the_last_look_and_the_exchange_goes_back() {
    let house = House::new();
    let share = house.share();
    house.file("a.part", "new");
    house.file("a.txt", "old");
    let locate = |name| share.locate(&path(name), Need::Write, Follow::NotLast).unwrap();
    let (from, to) = (locate("a.part"), locate("a.txt"));
    fs::rename(house.file("b", "theirs"), house.root().join("a.txt")).unwrap();
    let at = Source::there(&from.folder, &from.name, look::id_of(&from.stat.unwrap()));
    let thing = Itself::moved(at, path("a.part"));
    let mut journal = Journal::new(&share);
    let judged = Judged::This(look::id_of(&to.stat.unwrap()));
    let named = path("a.txt");
    let aim = Aim { spot: &to, named: &named, judged, aside: "aside", fate: Fate::Trash };
    assert!(matches!(journal.replace(thing, aim), Ok(Some(_))));
    drop(journal);
    assert_eq!(house.content("a.txt").as_deref(), Some("theirs"));
    assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn whoever_may_not_read_gives_no_name_that_shows_it() {
    let house = House::new();
    house.file("drop/secret", "S");
    house.file("mine/m", "M");
    let share = house.share_of(&["mine", "drop/seen (1)"], &["mine", "drop"]);
    let told = |kind, from: &str, to: &str, if_exists| {
        let pair = vec![(path(from), path(to))];
        let transfer = share.relocate(kind, pair, if_exists);
        refusal(transfer.and_then(|it| it.run(&Progress::default(), &mut |_, _| {})))
    };
    let refused = Some("refused");
    for if_exists in [IfExists::REFUSE, IfExists::Overwrite, IfExists::Rename] {
        for kind in [Copy, Move] {
            assert_eq!(told(kind, "drop/secret", "drop/other", if_exists).as_deref(), refused);
        }
        assert_eq!(told(RENAME, "drop/secret", "mine/other", if_exists).as_deref(), refused);
    }
    // Nor by a number behind the name.
    house.file("drop/seen", "");
    assert_eq!(told(RENAME, "drop/secret", "drop/seen", IfExists::Rename).as_deref(), refused);
    assert_eq!(told(RENAME, "drop/secret", "drop/other", IfExists::REFUSE), None);
}
