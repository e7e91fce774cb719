//! Groups that a crash cut off, as the next start finds them.

use super::House;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// A group of another process.
const GROUP: &str = "0011223344556677-1.group";

/// By what a file is known.
fn known(house: &House, name: &str) -> String {
    let stat = fs::metadata(house.root().join(name)).unwrap();
    let modified_ns = i128::from(stat.mtime()) * 1_000_000_000 + i128::from(stat.mtime_nsec());
    let (size, inode) = (stat.len(), stat.ino());
    format!(r#"{{"size":{size},"modified_ns":{modified_ns},"inode":{inode},"is_file":true}}"#)
}

/// A house in which four things were on their way: one made, one moved, one out of sight and one in the trash.
fn cut_off() -> House {
    let house = House::new();
    house.file("made", "made");
    house.file("to/moved", "moved");
    house.folder("from");
    house.file(".larder/tmp/0011223344556677-2", "hidden");
    let id = "0123456789ab-0011223344556677-3";
    house.file(format!(".larder/trash/{id}"), "deleted");
    let record = format!(r#"{{"path":"deleted","by":"","reason":"deleted","group":"{GROUP}"}}"#);
    house.file(format!(".larder/trash/{id}.json"), record);
    let (made, moved) = (known(&house, "made"), known(&house, "to/moved"));
    let text = format!(
        r#"[{{"place":"made","top":"","what":{made}}},
            {{"place":"to/moved","top":"","what":{moved},"from":"from/moved"}},
            {{"place":"hidden","top":"","asides":["0011223344556677-2"]}}]"#
    );
    house.file(format!(".larder/tmp/{GROUP}"), text);
    house
}

#[test]
fn what_was_cut_off_is_taken_back_before_anybody_has_a_share() {
    let mut house = cut_off();
    // As after a start: the house itself has been looked at while it was empty.
    house.vault = house.vault.with_quirks(super::Quirks::default());
    let _share = house.share();
    assert_eq!(house.on_disk(""), ["deleted", "from", "hidden", "to"]);
    assert_eq!(house.content("from/moved").as_deref(), Some("moved"));
    assert_eq!(house.content("hidden").as_deref(), Some("hidden"));
    assert_eq!(house.content("deleted").as_deref(), Some("deleted"));
    assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
}

#[test]
fn what_somebody_else_did_meanwhile_is_theirs() {
    let house = cut_off();
    house.file("made", "theirs, and longer");
    house.file("from/moved", "theirs");
    house.file("hidden", "theirs");
    house.file("deleted", "theirs");
    house.vault.sweep().unwrap();
    for name in ["from/moved", "hidden", "deleted"] {
        assert_eq!(house.content(name).as_deref(), Some("theirs"), "{name}");
    }
    assert_eq!(house.content("made").as_deref(), Some("theirs, and longer"));
    assert_eq!(house.content("to/moved").as_deref(), Some("moved"));
    // What finds its place taken is in the trash, each with its record.
    assert_eq!(house.trashed("").len(), 4);
    assert!(house.unfinished("").is_empty());
}

#[test]
fn a_record_from_a_strange_drive_leads_nowhere_else() {
    for (place, from, aside) in
        [(".larder/id", "x", "y"), ("made", ".larder/id2", "y"), ("made", "x", "../id")]
    {
        let house = House::new();
        house.file("made", "made");
        let what = known(&house, "made");
        let text = format!(
            r#"[{{"place":"{place}","top":"","what":{what},"from":"{from}","asides":["{aside}"]}}]"#
        );
        house.file(format!(".larder/tmp/{GROUP}"), text);
        house.vault.sweep().unwrap();
        assert_eq!(house.on_disk(""), ["made"]);
        assert!(house.root().join(".larder/id").exists());
        assert!(house.vault.is_present());
    }
}
