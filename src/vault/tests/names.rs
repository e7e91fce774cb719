//! File names are bytes from strangers.

use super::super::path::HOME;
use super::super::{Fate, IfExists, Kind, Place, Share, What};
use super::{House, UPLOAD, entries, listed, opened, path, raw, refusal, upload};

/// Names that must work like any other.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "it's \"quoted\"",
        "new\nline",
        "tab\there",
        "🍯🐝",
        "e\u{301}",
        "é",
        "back\\slash",
        "*?[a]",
        "-rf",
        " leading",
        "trailing ",
        "trailing.",
        "...",
        "..a",
        ".hidden",
        "\u{202e}txt.exe",
        "\u{7f}\u{1}",
        "a:b|c<d>e",
        "%2e%2e",
        "$(reboot)",
        "CON",
        "\u{feff}bom",
        "larder",
    ]
    .map(str::to_owned)
    .into();
    names.extend(["x".repeat(255), "ü".repeat(127), format!("{}.jpeg", "🍯".repeat(62))]);
    names
}

#[test]
fn every_odd_name_is_stored_listed_read_renamed_and_deleted() {
    let house = House::new();
    let share = house.share();
    let mut wanted = odd_names();
    for name in &wanted {
        upload(&share, &[(name, "x")], &UPLOAD).expect(name);
        share.make_folder(&path(&format!("{name}/in"))).expect_err("a file holds no folder");
    }
    wanted.sort();
    assert_eq!(listed(&share, "").unwrap(), wanted);
    for (entry, name) in entries(&share, "").unwrap().iter().zip(&wanted) {
        assert_eq!((&entry.name, entry.kind, entry.size), (name, Kind::File, 1));
        assert!(entry.writable);
    }
    for (number, name) in wanted.iter().enumerate() {
        assert_eq!(opened(&share, name).expect(name), "x");
        let target = path(&number.to_string());
        share.rename((&path(name), &target), Kind::File, IfExists::REFUSE).expect(name);
        share.rename((&target, &path(name)), Kind::File, IfExists::REFUSE).expect(name);
        share.remove(&path(name), What::File, Fate::Trash).expect(name);
        share.make_folder(&path(name)).expect(name);
        share.remove(&path(name), What::Tree, Fate::Trash).expect(name);
    }
    assert!(house.on_disk("").is_empty());
    assert!(house.unfinished("").is_empty());
}

#[test]
fn a_long_name_makes_room_for_its_number() {
    let house = House::new();
    let share = house.share();
    let around = Place { if_exists: IfExists::Rename, ..UPLOAD };
    for name in odd_names().iter().filter(|name| name.len() > 200) {
        for _ in 0..3 {
            let placed = upload(&share, &[(name, "x")], &around).expect(name);
            assert!(placed[0].path.name().len() <= 255);
        }
    }
    assert_eq!(house.on_disk("").len(), 9);
}

#[test]
fn a_name_too_long_is_refused_and_nothing_is_made() {
    let house = House::new();
    let share = house.share();
    assert_eq!(
        refusal(path("a").child(&"x".repeat(256))).as_deref(),
        Some("invalid: Invalid name")
    );
    // A folder chain whose whole is as long as a request may say works; what lies below does not.
    let deep = ["d".repeat(250).as_str(); 16].join("/");
    upload(&share, &[(&format!("{deep}/f"), "x")], &UPLOAD).unwrap();
    assert_eq!(opened(&share, &format!("{deep}/f")).unwrap(), "x");
    assert!(path(&deep).child(&"y".repeat(200)).is_err());
}

#[test]
fn a_name_that_is_not_utf8_is_shown_and_goes_with_its_folder() {
    let house = House::new();
    house.file(raw(b"docs/caf\xe9.txt"), "x");
    house.folder(raw(b"docs/\xff"));
    house.link("docs/to", "plain");
    let share = house.share();
    assert_eq!(listed(&share, "docs").unwrap(), ["%=caf%E9.txt", "to", "%=%FF"]);
    let shown = entries(&share, "docs").unwrap();
    assert!(
        shown
            .iter()
            .filter(|entry| entry.name != "to")
            .all(|entry| { entry.kind != Kind::Other && entry.writable && entry.raw })
    );
    // The lossy name is nobody's.
    assert!(opened(&share, "docs/caf\u{fffd}.txt").is_err());
    assert_eq!(opened(&share, "docs/%=caf%E9.txt").unwrap(), "x");
    std::fs::remove_file(house.root().join("docs/to")).unwrap();
    house.link("docs/to", raw(b"caf\xe9.txt"));
    assert_eq!(opened(&share, "docs/to").unwrap(), "x");
    share.remove(&path("docs"), What::Tree, Fate::Trash).unwrap();
    assert!(house.on_disk("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn a_name_that_is_not_utf8_shows_nothing_on_the_way_to_a_grant() {
    let house = House::new();
    house.file("docs/open/a.txt", "x");
    house.file("docs/closed.txt", "x");
    house.file(raw(b"docs/\xff"), "x");
    let share = house.share_of(&["docs/open"], &[]);
    assert_eq!(listed(&share, "").unwrap(), ["docs"]);
    assert_eq!(listed(&share, "docs").unwrap(), ["open"]);
    assert_eq!(listed(&share, "docs/open").unwrap(), ["a.txt"]);
    assert_eq!(refusal(listed(&share, "docs/closed.txt")).as_deref(), Some("refused"));
    assert_eq!(refusal(listed(&share, "docs/none")).as_deref(), Some("refused"));
}

/// Tries everything with one spelling of larder's own folder, and with what is hidden in it.
#[track_caller]
fn refuse_every_way_into(share: &Share, folder: &str, hidden: &str) {
    let place = path(folder);
    let inside = path(&format!("{folder}/{hidden}"));
    let gone = Some("not found: Path does not exist");
    assert_eq!(refusal(listed(share, folder)).as_deref(), gone, "{folder}");
    assert_eq!(refusal(opened(share, folder)).as_deref(), gone, "{folder}");
    assert_eq!(refusal(share.zip(&place)).as_deref(), gone, "{folder}");
    if !["way", "deep", "absolute", "round"].contains(&folder) {
        assert_eq!(
            refusal(share.remove(&place, What::File, Fate::Trash)).as_deref(),
            gone,
            "{folder}"
        );
        assert_eq!(
            refusal(share.remove(&place, What::Tree, Fate::Trash)).as_deref(),
            gone,
            "{folder}"
        );
    }
    assert!(refusal(share.remove(&place, What::Tree, Fate::Trash)).is_some(), "{folder}");
    assert_eq!(
        refusal(share.remove(&inside, What::File, Fate::Trash)).as_deref(),
        gone,
        "{folder}"
    );
    assert!(
        share.rename((&place, &path("mine")), Kind::Folder, IfExists::REFUSE).is_err(),
        "{folder}"
    );
    assert!(
        share.rename((&path("docs"), &inside), Kind::Folder, IfExists::REFUSE).is_err(),
        "{folder}"
    );
    assert!(share.make_folder(&inside).is_err(), "{folder}");
    for if_exists in [IfExists::Overwrite, IfExists::Rename, IfExists::Error("there")] {
        let options = Place { if_exists, ..UPLOAD };
        let name = format!("{folder}/id");
        assert!(upload(share, &[(&name, "x")], &options).is_err(), "{folder} {if_exists:?}");
    }
}

#[test]
fn larders_own_folder_has_no_spelling() {
    let house = House::new();
    house.file("docs/.larder/x", "x");
    house.file("docs/y", "y");
    house.link("way", HOME);
    house.link("deep", ".larder/tmp");
    house.link("absolute", house.root().join(HOME));
    house.link("round", "docs/../.larder");
    let share = house.share();
    let spool = super::spool(&share, "", "waiting");
    let hidden = house.unfinished("").pop().unwrap();
    for folder in [
        ".larder",
        "./.larder/",
        "/.larder",
        ".LARDER",
        ".Larder",
        ".larder.",
        ".larder ",
        "way",
        "deep",
        "absolute",
        "round",
        "docs/.larder",
        ".larder/tmp",
        "way/tmp",
        "round/tmp",
        "absolute/tmp",
    ] {
        refuse_every_way_into(&share, folder, &hidden);
    }
    for name in [".larder", ".LARDER", ".larder.", ".larder "] {
        assert!(share.make_folder(&path(name)).is_err(), "{name}");
        assert!(
            share.rename((&path("docs"), &path(name)), Kind::Folder, IfExists::REFUSE).is_err(),
            "{name}"
        );
        assert!(
            share.rename((&path("docs/y"), &path(name)), Kind::File, IfExists::REFUSE).is_err(),
            "{name}"
        );
        assert!(upload(&share, &[(name, "x")], &UPLOAD).is_err(), "{name}");
    }
    assert_eq!(listed(&share, "docs").unwrap(), ["y"]);
    assert_eq!(listed(&share, "").unwrap(), ["absolute", "deep", "docs", "round", "way"]);
    // A link to it is a name like any other, and only a name.
    share.rename((&path("way"), &path("weg")), Kind::File, IfExists::REFUSE).unwrap();
    for link in ["absolute", "deep", "round", "weg"] {
        share.remove(&path(link), What::File, Fate::Trash).unwrap();
    }
    // The neighbours of the name are anybody's.
    for name in ["larder", ".larder2", ".larde", ".larder.d"] {
        upload(&share, &[(name, "x")], &UPLOAD).expect(name);
    }
    drop(spool);
    assert!(house.unfinished("").is_empty());
    assert_eq!(house.content(".larder/id").unwrap().trim_end(), house.id.as_str());
}

#[test]
fn a_folder_larger_than_memory_is_listed_whole_and_in_order() {
    let house = House::in_memory();
    let folder = house.folder("many");
    // 36 000 names of 250 bytes: more than `LISTING_BYTES_MAX`.
    let name = |number: usize| format!("{number:06}{}", "n".repeat(244));
    for number in 0..36_000 {
        std::fs::write(folder.join(name(number)), "").unwrap();
    }
    let share = house.share();
    let mut listing = share.list(&path("many")).unwrap();
    for _twice in 0..2 {
        let mut count = 0;
        listing
            .for_each_name(&mut |found| {
                assert_eq!(found, name(count));
                count += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(count, 36_000);
    }
}
