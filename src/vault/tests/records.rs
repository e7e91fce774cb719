//! Records of groups that were cut off: what they can do, whoever wrote them, and what is done without one.

use super::super::group::Change;
use super::super::hidden;
use super::super::leftover;
use super::super::{Fate, IfExists, Progress, TransferKind};
use super::alone::{Surroundings, alone};
use super::mounts::drive;
use super::{House, path};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

/// Puts a record into larder's folder for unfinished things on a drive.
fn record(house: &House, drive: &str, name: &str, changes: &serde_json::Value) {
    let workshop = house.root().join(drive).join(".larder/tmp");
    fs::create_dir_all(&workshop).unwrap();
    fs::write(workshop.join(name), changes.to_string()).unwrap();
}

/// What a thing is known by.
fn known_by(house: &House, name: &str) -> serde_json::Value {
    let stat = fs::symlink_metadata(house.root().join(name)).unwrap();
    let modified_ns = stat.mtime() * 1_000_000_000 + stat.mtime_nsec();
    serde_json::json!({
        "size": stat.size(), "modified_ns": modified_ns, "inode": stat.ino(), "is_file": stat.is_file(),
    })
}

/// That `to` has come from `from`.
fn came(house: &House, to: &str, from: &str, top: &str) -> serde_json::Value {
    serde_json::json!({ "place": to, "top": top, "what": known_by(house, to), "from": from })
}

#[test]
fn a_record_takes_back_what_a_crash_has_left_half_done() {
    let house = House::new();
    house.file("new", "moved");
    let change = came(&house, "new", "old", "");
    record(&house, "", "dead-1.group", &serde_json::json!([change]));
    house.vault.sweep().unwrap();
    assert_eq!(house.content("old").as_deref(), Some("moved"));
    assert!(house.unfinished("").is_empty());
}

/// A drive may come from anywhere.
#[test]
fn a_record_moves_nothing_out_of_what_callers_can_name() {
    for (place, from) in [
        ("thing", "../outside"),
        ("thing", ".larder/id2"),
        ("thing", ".LARDER./tmp/x"),
        ("thing", ".larder/trash/no id"),
        ("thing", "link/x"),
        ("thing", "far/../../x"),
        ("thing", ""),
        (".larder/id", "marker"),
        ("link/secret", "stolen"),
    ] {
        let house = House::new();
        house.file("thing", "THING");
        fs::create_dir(house.outside("out")).unwrap();
        fs::write(house.outside("out").join("secret"), "SECRET").unwrap();
        house.link("link", house.outside("out"));
        let what = known_by(&house, place);
        let change = serde_json::json!({ "place": place, "top": "", "what": what, "from": from, "asides": ["id"] });
        record(&house, "", "dead-1.group", &serde_json::json!([change]));
        house.vault.sweep().unwrap();
        assert_eq!(house.content("thing").as_deref(), Some("THING"), "{place} {from}");
        assert_eq!(fs::read_to_string(house.outside("out").join("secret")).unwrap(), "SECRET");
        assert_eq!(fs::read_dir(house.outside("out")).unwrap().count(), 1, "{place} {from}");
        assert!(house.root().join(".larder/id").exists(), "{place} {from}");
        assert!(house.content("stolen").is_none() && house.content("marker").is_none());
    }
}

#[test]
fn a_record_in_which_something_waits_under_no_name_says_nothing() {
    for (aside, is_taken_back) in [("", false), ("..", false), ("a/b", false), ("dead-2", true)] {
        let house = House::new();
        house.file("new", "moved");
        let mut change = came(&house, "new", "old", "");
        change["asides"] = serde_json::json!([aside]);
        record(&house, "", "dead-1.group", &serde_json::json!([change]));
        house.vault.sweep().unwrap();
        assert_eq!(house.content("old").is_some(), is_taken_back, "{aside:?}");
    }
}

/// One drive mounted in another has its own records.
#[test]
fn a_record_moves_nothing_on_a_drive_that_is_mounted_further_in() {
    alone(
        "records::a_record_moves_nothing_on_a_drive_that_is_mounted_further_in",
        Surroundings::Mounts,
        || {
            let house = House::new();
            drive(&house, "usb", "size=1m");
            drive(&house, "usb/inner", "size=1m");
            house.file("usb/inner/precious", "P");
            house.file("usb/own", "O");
            let changes = [
                came(&house, "usb/inner/precious", "inner/elsewhere", ""),
                came(&house, "usb/own", "back", ""),
            ];
            let changes = changes.map(|mut change| {
                let place = change["place"].as_str().unwrap().replacen("usb/", "", 1);
                change["place"] = place.into();
                change
            });
            record(&house, "usb", "dead-1.group", &serde_json::json!(changes));
            house.vault.sweep().unwrap();
            assert_eq!(house.content("usb/inner/precious").as_deref(), Some("P"));
            assert_eq!(house.content("usb/back").as_deref(), Some("O"));
        },
        || {},
    );
}

/// Drives may sleep, however long another is away.
#[test]
fn what_waits_for_a_drive_that_is_away_keeps_no_other_awake() {
    alone(
        "records::what_waits_for_a_drive_that_is_away_keeps_no_other_awake",
        Surroundings::Process,
        || {
            let house = House::new();
            house.file("new", "moved");
            house.file(".larder/tmp/dead-2", "waits");
            house.file(".larder/tmp/dead-3", "left");
            let changes = serde_json::json!([
                came(&house, "new", "old", ""),
                { "place": "usb/x", "top": "usb", "asides": ["dead-2"] },
            ]);
            record(&house, "", "dead-1.group", &changes);
            house.vault.sweep().unwrap();
            // It waits with what it needs; all else is swept.
            let mut waiting = house.unfinished("");
            waiting.sort();
            assert_eq!(waiting, ["dead-1.group", "dead-2"]);
            assert_eq!(house.content("new").as_deref(), Some("moved"));
            assert!(!leftover::is_due());
        },
        || unreachable!(),
    );
}

/// Some drives never come back.
#[test]
fn what_has_waited_for_a_drive_for_long_is_ended_without_it_and_loses_nothing() {
    let house = House::new();
    house.file("copied", "all that is left of it");
    house.file("taken", "theirs");
    house.file(".larder/tmp/dead-2", "deleted");
    house.file(".larder/tmp/dead-3", "replaced");
    let mut copied = came(&house, "copied", "usb/was", "");
    copied.as_object_mut().unwrap().remove("from");
    let changes = serde_json::json!([
        copied,
        { "place": "usb/was", "top": "usb", "asides": ["dead-4"] },
        { "place": "deleted", "top": "", "asides": ["dead-2"] },
        { "place": "taken", "top": "", "asides": ["dead-3"] },
    ]);
    record(&house, "", "dead-1.group", &changes);
    fs::create_dir(house.root().join("usb")).unwrap();
    let age = |days: u64| {
        let record = house.root().join(".larder/tmp/dead-1.group");
        let record = fs::File::options().append(true).open(record).unwrap();
        let past = std::time::SystemTime::now() - Duration::from_hours(24 * days);
        record.set_modified(past).unwrap();
        house.vault.sweep().unwrap();
    };
    age(29);
    assert_eq!(house.vault.missed_drives(), [house.root().join("usb")]);
    assert!(house.content("deleted").is_none() && house.unfinished("").len() == 3);
    age(31);
    assert_eq!(house.content("deleted").as_deref(), Some("deleted"));
    assert_eq!(house.content("copied").as_deref(), Some("all that is left of it"));
    assert_eq!(house.content("taken").as_deref(), Some("theirs"));
    assert_eq!(house.trashed("").len(), 2, "the replaced one and its record");
    assert!(house.unfinished("").is_empty() && house.vault.missed_drives().is_empty());
}

/// Where a filesystem has no locks, only the name tells.
#[test]
fn what_this_process_is_at_is_not_taken_back() {
    let house = House::new();
    house.file("new", "moved");
    let change = came(&house, "new", "old", "");
    let name = format!("{}.group", hidden::temporary_name());
    record(&house, "", &name, &serde_json::json!([change]));
    house.vault.sweep().unwrap();
    assert_eq!(house.content("new").as_deref(), Some("moved"));
    assert_eq!(house.unfinished(""), [name]);
}

#[test]
fn a_record_that_cannot_be_removed_tells_nothing_once_the_group_is_settled() {
    let house = House::new();
    house.file("a", "A");
    let going = Change::going(path("a"), hidden::temporary_name());
    let mut group = house.share().begin_group(vec![going]).unwrap();
    let workshop = house.root().join(".larder/tmp");
    let (place, kept) = (workshop.join(group.name()), workshop.join("kept"));
    fs::rename(&place, &kept).unwrap();
    assert!(fs::metadata(&kept).unwrap().len() > 0);
    // No file can be removed by the name of a folder.
    fs::create_dir(&place).unwrap();
    group.settle().unwrap();
    assert_eq!(fs::metadata(&kept).unwrap().len(), 0);
}

/// Several are moved and deleted in the folder `at`, whatever there is no place for.
fn moves_and_deletes(house: &House, at: &str) {
    let at = |name: &str| format!("{at}{name}");
    let (from, to) = ([path(&at("a")), path(&at("b"))], path(&at("to")));
    let share = house.share();
    let moving = share
        .relocate_into(TransferKind::Move, from.to_vec(), &to, IfExists::Error("taken"))
        .unwrap();
    moving.run(&Progress::default(), &mut |_, _| {}).unwrap();
    let paths = [path(&at("to/a")), path(&at("to/b"))];
    for wish in [Fate::Gone, Fate::Trash] {
        let removal = share.removal(&paths, None, wish).unwrap();
        removal.run(&Progress::default(), &mut |_, _| {}).unwrap();
        assert_eq!(house.on_disk(to.as_str()), [""; 0]);
        for place in &paths {
            fs::write(house.root().join(place.as_str()), "").unwrap();
        }
    }
}

/// Who empties a full drive begins with what is there.
#[test]
fn on_a_full_drive_several_can_be_moved_and_deleted() {
    alone(
        "records::on_a_full_drive_several_can_be_moved_and_deleted",
        Surroundings::Mounts,
        || {
            let house = House::new();
            drive(&house, "usb", "size=1m");
            for name in ["usb/a", "usb/b"] {
                house.file(name, "");
            }
            house.folder("usb/to");
            house.folder("usb/.larder/tmp");
            let mut filler = fs::File::create(house.root().join("usb/filler")).unwrap();
            while filler.write_all(&[0; 4096]).is_ok() {}
            moves_and_deletes(&house, "usb/");
        },
        || {},
    );
}

/// A drive may let larder into some folders, and not into one of its own.
#[test]
fn where_larder_may_note_nothing_several_can_be_moved_and_deleted() {
    alone(
        "records::where_larder_may_note_nothing_several_can_be_moved_and_deleted",
        Surroundings::Ordinary,
        || {
            let house = House::new();
            for name in ["a", "b"] {
                house.file(name, "");
            }
            house.folder("to");
            for name in [".larder/tmp", ".larder/trash"] {
                let denied = fs::Permissions::from_mode(0o555);
                fs::set_permissions(house.root().join(name), denied).unwrap();
            }
            moves_and_deletes(&house, "");
        },
        || {},
    );
}
