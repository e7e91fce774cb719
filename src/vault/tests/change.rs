//! Making folders, renaming and deleting.

use super::super::root::Quirks;
use super::super::{Fate, IfExists, Kind, What};
use super::alone::{Surroundings, alone};
use super::{House, listed, opened, path, refusal};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn no_door_gives_a_readable_name_to_what_may_not_be_read() {
    let house = House::new();
    house.file("in/secret.txt", "secret");
    house.file("in/d/sub/s.txt", "secret");
    house.file("in/mine/m.txt", "M");
    house.link("in/way", "mine");
    let share = house.share_of(&["in/mine", "in/t/sub", "in/x (1).txt"], &["in"]);
    let refused = Some("refused");
    for target in ["in/mine/new", "in/mine/m.txt", "in/way/new", "in/way/m.txt"] {
        let (source, target) = (path("in/secret.txt"), path(target));
        let told = refusal(share.rename((&source, &target), Kind::File, IfExists::REFUSE));
        assert_eq!(told.as_deref(), refused, "{target}");
        let told = refusal(share.rename((&source, &target), Kind::File, IfExists::Overwrite));
        assert_eq!(told.as_deref(), refused, "{target}");
    }
    let told =
        refusal(share.rename((&path("in/d"), &path("in/t")), Kind::Folder, IfExists::REFUSE));
    assert_eq!(told.as_deref(), refused);
    share.rename((&path("in/d"), &path("in/e")), Kind::Folder, IfExists::REFUSE).unwrap();
    // Nor does the trash: by a link that has come since, or by a number behind the name.
    for name in ["in/x.txt", "in/l/x.txt"] {
        house.file(name, "secret");
        share.remove(&path(name), What::File, Fate::Trash).unwrap();
    }
    house.file("in/x.txt", "X");
    fs::remove_dir(house.root().join("in/l")).unwrap();
    house.link("in/l", "mine");
    let mut ids: Vec<String> = house.trashed("");
    ids.retain(|name| !name.contains('.'));
    for id in ids {
        let told = refusal(share.restore(&[id], IfExists::Rename));
        assert_eq!(told.as_deref(), refused);
    }
    assert_eq!(house.on_disk("in/mine"), ["m.txt"]);
    assert_eq!(house.content("in/secret.txt").as_deref(), Some("secret"));
}

#[test]
fn a_rename_never_overwrites_on_any_filesystem() {
    for bits in 0..8 {
        let quirks = Quirks {
            no_noreplace: bits & 1 != 0,
            no_links: bits & 2 != 0,
            no_openat2: bits & 4 != 0,
            ..Quirks::default()
        };
        let house = House::with_quirks(quirks);
        for name in ["a", "b"] {
            house.file(name, name);
            house.folder(format!("f{name}"));
        }
        house.file("fa/in", "x");
        house.link("l", "nowhere");
        let share = house.share();
        let there = Some("collision: Target already exists");
        for (source, target, kind) in [
            ("a", "b", Kind::File),
            ("a", "fb", Kind::File),
            ("a", "l", Kind::File),
            ("a", "a", Kind::File),
            ("fa", "fb", Kind::Folder),
            ("fa", "b", Kind::Folder),
            ("fb", "fa", Kind::Folder),
            ("fa", "l", Kind::Folder),
            ("fa", "fa", Kind::Folder),
        ] {
            let told =
                refusal(share.rename((&path(source), &path(target)), kind, IfExists::REFUSE));
            assert_eq!(told.as_deref(), there, "{source} {target} {quirks:?}");
        }
        assert_eq!(house.on_disk(""), ["a", "b", "fa", "fb", "l"]);
        assert_eq!((house.content("a"), house.content("b")), (Some("a".into()), Some("b".into())));
        share.rename((&path("a"), &path("fa/a")), Kind::File, IfExists::REFUSE).unwrap();
        share.rename((&path("fa"), &path("fb/c")), Kind::Folder, IfExists::REFUSE).unwrap();
        share.rename((&path("l"), &path("L")), Kind::File, IfExists::REFUSE).unwrap();
        assert_eq!(opened(&share, "fb/c/a").unwrap(), "a");
        assert_eq!(house.on_disk(""), ["L", "b", "fb"]);
    }
}

#[test]
fn a_rename_means_what_it_says() {
    let house = House::new();
    house.file("a", "A");
    house.file("f/in", "x");
    let share = house.share();
    for (source, target, kind, told) in [
        ("a", "c", Kind::Folder, "invalid: Path is not a folder"),
        ("f", "c", Kind::File, "invalid: Path is not a file"),
        ("none", "c", Kind::File, "not found: Path does not exist"),
        ("a/x", "c", Kind::File, "not found: Path does not exist"),
        ("a", "none/c", Kind::File, "not found: Path does not exist"),
        ("a", "a/c", Kind::File, "not found: Path does not exist"),
        ("f", "f/in2", Kind::Folder, "invalid: A folder can't be moved into itself"),
        ("f", "f/in/x", Kind::Folder, "not found: Path does not exist"),
        ("", "c", Kind::Folder, "invalid: The root can't be renamed"),
        ("a", "", Kind::File, "collision: Target already exists"),
    ] {
        let result = refusal(share.rename((&path(source), &path(target)), kind, IfExists::REFUSE));
        assert_eq!(result.as_deref(), Some(told), "{source} {target}");
    }
    assert_eq!(house.on_disk(""), ["a", "f"]);
    assert_eq!(house.on_disk("f"), ["in"]);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn two_names_of_one_file_are_not_mistaken_for_one() {
    // A drive that ignores case shows the file itself under the new name; hard links look the same.
    let house = House::new();
    let one = house.file("name", "x");
    fs::hard_link(one, house.root().join("NAME")).unwrap();
    let told =
        refusal(house.share().rename((&path("name"), &path("NAME")), Kind::File, IfExists::REFUSE));
    assert_eq!(told.as_deref(), Some("collision: Target already exists"));
    assert_eq!(house.on_disk(""), ["NAME", "name"]);
}

#[test]
fn a_folder_is_made_once() {
    let house = House::new();
    house.file("file", "x");
    house.link("link", "nowhere");
    let share = house.share_of(&[""], &["", "x"]);
    share.make_folder(&path("new")).unwrap();
    share.make_folder(&path("new/deeper")).unwrap();
    for name in ["new", "file", "link", ""] {
        let told = refusal(share.make_folder(&path(name)));
        assert_eq!(told.as_deref(), Some("collision: Folder already exists"), "{name}");
    }
    for name in ["none/a", "file/a", "link/a"] {
        let told = refusal(share.make_folder(&path(name)));
        assert_eq!(told.as_deref(), Some("not found: Path does not exist"), "{name}");
    }
    assert_eq!(listed(&share, "new").unwrap(), ["deeper"]);
}

#[test]
fn deleting_takes_what_was_named_and_nothing_else() {
    let house = House::new();
    house.file("keep/a", "A");
    house.file("go/b", "B");
    house.link("go/to-keep", "../keep");
    house.link("go/to-file", "../keep/a");
    house.file("file", "F");
    let share = house.share();
    for (name, told) in [
        ("go", "invalid: Path is not a file"),
        ("", "invalid: Path is not a file"),
        ("none", "not found: Path does not exist"),
        ("file/x", "not found: Path does not exist"),
    ] {
        assert_eq!(
            refusal(share.remove(&path(name), What::File, Fate::Trash)).as_deref(),
            Some(told),
            "{name}"
        );
    }
    for (name, told) in [
        ("file", "invalid: Path is not a folder"),
        ("", "invalid: The root can't be deleted"),
        ("none", "not found: Path does not exist"),
        ("go/to-file", "invalid: Path is not a folder"),
    ] {
        assert_eq!(
            refusal(share.remove(&path(name), What::Tree, Fate::Trash)).as_deref(),
            Some(told),
            "{name}"
        );
    }
    share.remove(&path("go/to-keep"), What::Tree, Fate::Trash).unwrap();
    share.remove(&path("go/to-file"), What::File, Fate::Trash).unwrap();
    share.remove(&path("go"), What::Tree, Fate::Trash).unwrap();
    assert_eq!(house.on_disk(""), ["file", "keep"]);
    assert_eq!(house.on_disk("keep"), ["a"]);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn every_change_needs_the_right_at_both_ends() {
    let house = House::new();
    house.file("mine/a", "A");
    house.file("yours/b", "B");
    let share = house.share_of(&["", "yours"], &["mine"]);
    let refused = Some("refused");
    for (source, target) in [("mine/a", "yours/a"), ("yours/b", "mine/b"), ("yours/no", "mine/b")] {
        let told =
            refusal(share.rename((&path(source), &path(target)), Kind::File, IfExists::REFUSE));
        assert_eq!(told.as_deref(), refused, "{source} {target}");
    }
    for name in ["yours/b", "yours/none", "", "yours"] {
        assert_eq!(
            refusal(share.remove(&path(name), What::File, Fate::Trash)).as_deref(),
            refused,
            "{name}"
        );
        assert_eq!(refusal(share.make_folder(&path(name))).as_deref(), refused, "{name}");
    }
    assert_eq!(refusal(share.remove(&path("yours"), What::Tree, Fate::Trash)).as_deref(), refused);
    assert_eq!(house.content("yours/b").as_deref(), Some("B"));
}

#[test]
fn a_folder_with_locked_folders_in_it_is_deleted() {
    fn body() {
        let house = House::new();
        for mode in [0o000, 0o100, 0o300, 0o444, 0o500, 0o555] {
            house.file("top/locked/inner/deep/a", "x");
            house.file("top/locked/b", "x");
            for name in ["top/locked/inner/deep", "top/locked/inner", "top/locked"] {
                fs::set_permissions(house.root().join(name), Permissions::from_mode(mode)).unwrap();
            }
            house.share().remove(&path("top"), What::Tree, Fate::Gone).unwrap();
            assert!(house.on_disk("").is_empty(), "{mode:o}");
            assert!(house.unfinished("").is_empty(), "{mode:o}");
        }
        // One that may itself not be changed, as copied from a disc.
        house.file("disc/a", "x");
        let disc = house.root().join("disc");
        fs::set_permissions(&disc, Permissions::from_mode(0o555)).unwrap();
        house.share().remove(&path("disc"), What::Tree, Fate::Gone).unwrap();
        assert!(house.on_disk("").is_empty() && house.unfinished("").is_empty());
    }
    let name = "change::a_folder_with_locked_folders_in_it_is_deleted";
    alone(name, Surroundings::Ordinary, body, body);
}

#[test]
fn what_the_drive_does_not_permit_is_refused() {
    fn body() {
        let house = House::new();
        house.file("locked/a", "A");
        let locked = house.root().join("locked");
        fs::set_permissions(&locked, Permissions::from_mode(0o500)).unwrap();
        let share = house.share();
        let refused = Some("refused by the drive's own permissions");
        assert_eq!(
            refusal(share.remove(&path("locked/a"), What::File, Fate::Trash)).as_deref(),
            refused
        );
        assert_eq!(refusal(share.make_folder(&path("locked/b"))).as_deref(), refused);
        let told = refusal(super::upload(&share, &[("locked/a", "x")], &super::UPLOAD));
        assert_eq!(told.as_deref(), refused);
        assert!(house.unfinished("").is_empty());
        fs::set_permissions(&locked, Permissions::from_mode(0o300)).unwrap();
        assert_eq!(refusal(listed(&share, "locked")).as_deref(), refused);
        // A drop box: nobody can look in, and what is put there is stored.
        super::upload(&share, &[("locked/c", "C")], &super::UPLOAD).unwrap();
        fs::set_permissions(&locked, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(house.content("locked/c").as_deref(), Some("C"));
    }
    let name = "change::what_the_drive_does_not_permit_is_refused";
    alone(name, Surroundings::Ordinary, body, body);
}
