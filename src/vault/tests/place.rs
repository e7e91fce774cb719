//! Putting files in place: all or none, and what is there already.

use super::super::root::Quirks;
use super::super::{IfExists, Place};
use super::{House, UPLOAD, opened, path, refusal, spool, upload};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

/// Every kind of filesystem and kernel.
fn houses() -> impl Iterator<Item = (House, Quirks)> {
    (0..16).map(|bits| {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let quirks = Quirks {
            no_openat2: has(0),
            no_noreplace: has(1),
            no_exchange: has(2),
            no_links: has(3),
            ..Quirks::default()
        };
        (House::with_quirks(quirks), quirks)
    })
}

#[test]
fn a_group_is_stored_whole() {
    for (house, quirks) in houses() {
        let share = house.share();
        house.file("in/b.txt", "old");
        let files = [("in/a.txt", "A"), ("in/b.txt", "B"), ("far/away/c.txt", ""), ("d.txt", "D")];
        let placed = upload(&share, &files, &UPLOAD).unwrap();
        for (file, (name, content)) in placed.iter().zip(files) {
            assert_eq!((file.path.as_str(), file.size), (name, content.len() as u64));
            assert_eq!(house.content(name).as_deref(), Some(content), "{quirks:?}");
        }
        assert!(house.unfinished("").is_empty(), "{quirks:?}");
    }
}

#[test]
fn of_a_group_nothing_is_stored_when_one_fails() {
    for (house, quirks) in houses() {
        let share = house.share();
        house.file("old.txt", "old");
        house.folder("folder");
        // The last is in the way of itself, or a folder is in the way of it.
        for last in ["folder", "old.txt/x", "none/folder/../x", "far/away/a.txt/x"] {
            let Ok(last) = super::VaultPath::parse(last) else { continue };
            let files = [
                ("far/away/a.txt", "A"),
                ("far/b.txt", "B"),
                ("new.txt", "N"),
                (last.as_str(), "L"),
            ];
            assert!(upload(&share, &files, &UPLOAD).is_err(), "{last} {quirks:?}");
            assert_eq!(house.on_disk(""), ["folder", "old.txt"], "{last} {quirks:?}");
            assert_eq!(house.content("old.txt").as_deref(), Some("old"));
            assert!(house.unfinished("").is_empty(), "{last} {quirks:?}");
        }
        // Folders that were there stay.
        house.folder("far");
        let files = [("far/away/a.txt", "A"), ("folder", "L")];
        assert!(upload(&share, &files, &UPLOAD).is_err());
        assert_eq!(house.on_disk(""), ["far", "folder", "old.txt"], "{quirks:?}");
        assert!(house.on_disk("far").is_empty(), "{quirks:?}");
    }
}

#[test]
fn what_a_group_replaced_comes_back_when_one_fails() {
    for (house, quirks) in houses() {
        let share = house.share();
        house.folder("folder");
        let old = house.file("a.txt", "old");
        fs::set_permissions(&old, Permissions::from_mode(0o640)).unwrap();
        house.link("link", "a.txt");
        let before = fs::metadata(&old).unwrap();
        let files = [("link", "new"), ("b.txt", "B"), ("folder", "F")];
        assert!(upload(&share, &files, &UPLOAD).is_err());
        assert_eq!(house.on_disk(""), ["a.txt", "folder", "link"], "{quirks:?}");
        assert!(house.unfinished("").is_empty(), "{quirks:?}");
        assert!(house.trashed("").is_empty(), "{quirks:?}");
        assert_eq!(house.content("a.txt").as_deref(), Some("old"));
        let after = fs::metadata(&old).unwrap();
        assert_eq!(after.mode(), before.mode());
        // Where names can neither be exchanged nor doubled, it is a copy that comes back.
        if !(quirks.no_exchange && quirks.no_links) {
            assert_eq!(after.ino(), before.ino());
        }
        // Without a trash it is the same, but that there is no way back where names can be neither.
        house.vault.keep_trash(0, 10);
        assert!(upload(&share, &files, &UPLOAD).is_err());
        let wanted = if quirks.no_exchange && quirks.no_links { "new" } else { "old" };
        assert_eq!(house.content("a.txt").as_deref(), Some(wanted), "{quirks:?}");
        assert!(house.unfinished("").is_empty() && house.trashed("").is_empty(), "{quirks:?}");
    }
}

#[test]
fn each_if_exists_does_what_it_says() {
    for (house, quirks) in houses() {
        let share = house.share();
        let rename = Place { if_exists: IfExists::Rename, ..UPLOAD };
        let error = Place { if_exists: IfExists::Error("it is there"), ..UPLOAD };
        upload(&share, &[("d/a.txt", "1")], &error).unwrap();
        let told = refusal(upload(&share, &[("d/a.txt", "2")], &error));
        assert_eq!(told.as_deref(), Some("collision: it is there"), "{quirks:?}");
        assert_eq!(opened(&share, "d/a.txt").unwrap(), "1");
        for number in 1..4 {
            let placed = upload(&share, &[("d/a.txt", "again")], &rename).unwrap();
            assert_eq!(placed[0].path.as_str(), format!("d/a ({number}).txt"), "{quirks:?}");
        }
        upload(&share, &[("d/a.txt", "3")], &UPLOAD).unwrap();
        assert_eq!(house.on_disk("d"), ["a (1).txt", "a (2).txt", "a (3).txt", "a.txt"]);
        assert_eq!(house.content("d/a.txt").as_deref(), Some("3"));
        assert_eq!(house.content("d/a (2).txt").as_deref(), Some("again"));
        // Folders and dangling links are in the way as well.
        house.folder("f");
        house.link("l", "nowhere");
        for name in ["f", "l"] {
            let told = refusal(upload(&share, &[(name, "x")], &error));
            assert_eq!(told.as_deref(), Some("collision: it is there"), "{name}");
            let placed = upload(&share, &[(name, "x")], &rename).unwrap();
            assert_eq!(placed[0].path.as_str(), format!("{name} (1)"));
        }
        let told = refusal(upload(&share, &[("f", "x")], &UPLOAD));
        assert_eq!(told.as_deref(), Some("collision: Target already exists"));
        let only_files = Place { files_only: true, ..UPLOAD };
        let told = refusal(upload(&share, &[("f", "x")], &only_files));
        assert_eq!(told.as_deref(), Some("invalid: Path is not a file"));
        assert!(house.unfinished("").is_empty(), "{quirks:?}");
    }
}

#[test]
fn one_name_twice_in_a_group_does_what_if_exists_says() {
    let house = House::new();
    let share = house.share();
    let twice = [("a", "1"), ("a", "2")];
    let error = Place { if_exists: IfExists::Error("it is there"), ..UPLOAD };
    assert!(upload(&share, &twice, &error).is_err());
    assert!(house.on_disk("").is_empty());
    upload(&share, &twice, &Place { if_exists: IfExists::Rename, ..UPLOAD }).unwrap();
    assert_eq!(house.on_disk(""), ["a", "a (1)"]);
    let told = refusal(upload(&share, &[("a", "3"), ("a", "4")], &UPLOAD));
    assert_eq!(told.as_deref(), Some("conflict: Two files have the same name"));
    // By a link that leads there as well.
    house.link("way", "a");
    let told = refusal(upload(&share, &[("a", "3"), ("way", "4")], &UPLOAD));
    assert_eq!(told.as_deref(), Some("conflict: Two files have the same name"));
    assert_eq!(house.content("a").as_deref(), Some("1"));
    assert!(house.unfinished("").is_empty());
}

#[test]
fn a_replaced_file_leaves_its_mode_and_nothing_more() {
    for (house, quirks) in houses() {
        let share = house.share();
        for mode in [0o600, 0o640, 0o644, 0o664, 0o755, 0o444, 0o200] {
            let place = house.file("a", "old");
            fs::set_permissions(&place, Permissions::from_mode(mode)).unwrap();
            upload(&share, &[("a", "new")], &UPLOAD).unwrap();
            let mode_now = fs::metadata(&place).unwrap().mode() & 0o7777;
            assert_eq!(mode_now, mode, "{quirks:?}");
            fs::remove_file(place).unwrap();
        }
        // New content must not run with somebody else's rights.
        let place = house.file("s", "old");
        fs::set_permissions(&place, Permissions::from_mode(0o6755)).unwrap();
        upload(&share, &[("s", "new")], &UPLOAD).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o7777, 0o755, "{quirks:?}");
    }
}

#[test]
fn a_file_that_was_open_is_read_to_its_end_as_it_was() {
    let house = House::new();
    let share = house.share();
    house.file("a", "old content");
    let super::super::Opened::File(mut file) = share.open(&path("a")).unwrap() else { panic!() };
    upload(&share, &[("a", "new")], &UPLOAD).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut file.file, &mut text).unwrap();
    assert_eq!(text, "old content");
    assert_ne!(share.open(&path("a")).map(tag_of).unwrap(), file.tag);
}

/// The tag of what was opened.
fn tag_of(opened: super::super::Opened) -> String {
    match opened {
        super::super::Opened::File(file) => file.tag,
        super::super::Opened::Folder => panic!("a folder"),
    }
}

#[test]
fn without_make_parents_a_missing_folder_is_not_found() {
    let house = House::new();
    let strict = Place { make_parents: false, ..UPLOAD };
    let told = refusal(upload(&house.share(), &[("none/a", "x")], &strict));
    assert_eq!(told.as_deref(), Some("not found: Path does not exist"));
    let told = refusal(upload(&house.share(), &[("", "x")], &strict));
    assert_eq!(told.as_deref(), Some("invalid: Path is not a file"));
    assert!(house.on_disk("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn a_spool_that_is_not_placed_leaves_nothing() {
    let house = House::new();
    let share = house.share();
    let mut waiting = spool(&share, "", "x");
    assert_eq!((waiting.len(), house.unfinished("").len()), (1, 1));
    waiting.finish().unwrap();
    waiting.finish().unwrap();
    assert!(std::io::Write::write(&mut waiting, b"more").is_err(), "it is finished");
    drop(waiting);
    assert!(house.unfinished("").is_empty() && house.on_disk("").is_empty());
}

#[test]
fn who_may_write_one_file_does_not_get_its_neighbours_under_a_number() {
    let house = House::new();
    house.file("real/a.txt", "A");
    house.link("way", "real");
    let share = house.share_of(&[], &["way", "real/a.txt"]);
    let rename = Place { if_exists: IfExists::Rename, ..UPLOAD };
    let told = refusal(upload(&share, &[("way/a.txt", "x")], &rename));
    assert_eq!(told.as_deref(), Some("refused"));
    assert_eq!(house.on_disk("real"), ["a.txt"]);
    upload(&share, &[("way/a.txt", "x")], &UPLOAD).unwrap();
    assert_eq!(house.content("real/a.txt").as_deref(), Some("x"));
}

#[test]
fn no_folder_is_made_behind_a_dangling_link_that_the_grant_does_not_follow() {
    let house = House::new();
    house.folder("mine");
    house.folder("yours");
    house.link("mine/way", "../yours/new");
    let yours = house.root().join("yours");
    let before = fs::metadata(&yours).unwrap();
    let share = house.share_of(&["mine"], &["mine"]);
    let told = refusal(upload(&share, &[("mine/way/a", "x")], &UPLOAD));
    assert_eq!(told.as_deref(), Some("refused"));
    let after = fs::metadata(&yours).unwrap();
    assert_eq!(
        (before.mtime(), before.mtime_nsec()),
        (after.mtime(), after.mtime_nsec()),
        "something was made there for a moment"
    );
    // Whoever may write there may.
    let both = house.share_of(&[], &["mine", "yours"]);
    upload(&both, &[("mine/way/a", "x")], &UPLOAD).unwrap();
    assert_eq!(house.content("yours/new/a").as_deref(), Some("x"));
}

#[test]
fn a_grant_deep_down_makes_its_own_way() {
    let house = House::new();
    let share = house.share_of(&[], &["a/b"]);
    upload(&share, &[("a/b/c/d", "x")], &UPLOAD).unwrap();
    for name in ["a/x", "x", "a/b2/x"] {
        assert_eq!(refusal(upload(&share, &[(name, "x")], &UPLOAD)).as_deref(), Some("refused"));
    }
    assert_eq!(house.on_disk("a"), ["b"]);
}

#[test]
fn a_new_file_belongs_to_the_group_of_a_folder_that_says_so() {
    let house = House::new();
    let family = house.folder("family");
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(&family, None, Some(12_345)).unwrap();
    }
    fs::set_permissions(&family, Permissions::from_mode(0o2775)).unwrap();
    upload(&house.share(), &[("family/a", "x"), ("family/new/b", "x")], &UPLOAD).unwrap();
    let wanted = fs::metadata(&family).unwrap().gid();
    assert_eq!(wanted == 12_345, is_root, "only root can choose any group");
    for name in ["family/a", "family/new/b"] {
        assert_eq!(fs::metadata(house.root().join(name)).unwrap().gid(), wanted, "{name}");
    }
}
