//! Moving and copying into a folder.

use super::super::root::Quirks;
use super::super::{Fate, IfExists, Progress, TransferKind, What};
use super::alone::{Surroundings, alone};
use super::mounts::drive;
use super::{House, path, raw, refusal};
use crate::error::{Error, Result};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use TransferKind::{Copy, Move};

/// What the contract says when nothing else is asked for.
const REFUSE: IfExists = IfExists::Error("Target already exists");

/// Kernels and filesystems that know more or less.
fn houses() -> impl Iterator<Item = House> {
    (0..16).map(|bits: u32| {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let mut house = House::in_memory();
        house.vault = house.vault.with_quirks(Quirks {
            no_offload: has(0),
            far_apart: has(1),
            no_exchange: has(2),
            no_noreplace: has(3),
            no_openat2: has(0),
            no_links: has(1) && has(2),
        });
        house
    })
}

/// Moves or copies with all rights; returns where the things are now.
fn transfer(
    house: &House,
    kind: TransferKind,
    sources: &[&str],
    to: &str,
    if_exists: IfExists,
) -> Result<Vec<String>> {
    let sources = sources.iter().map(|source| path(source)).collect();
    let transfer = house.share().relocate_into(kind, sources, &path(to), if_exists)?;
    let mut told = Vec::new();
    let done = transfer.run(&Progress::default(), &mut |_, landed| told.push(landed.clone()))?;
    assert_eq!(told, done);
    assert!(house.unfinished("").is_empty(), "{:?}", house.unfinished(""));
    Ok(done.iter().map(|landed| landed.path.to_string()).collect())
}

/// A tree with whatever a tree may have.
fn plant(house: &House) {
    house.file("tree/a.txt", "A");
    house.file("tree/empty", "");
    house.file("tree/deep/er/b.txt", vec![b'b'; 700_000]);
    house.folder("tree/nothing/at all");
    house.file(raw(b"tree/not utf8 \xff"), "raw");
    house.link("tree/link", "a.txt");
    house.link("tree/dangling", "nowhere");
    let root = house.root();
    let file = File::options().write(true).open(root.join("tree/a.txt")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::new(1_500_000_000, 123_456_789)).unwrap();
    fs::set_permissions(root.join("tree/a.txt"), Permissions::from_mode(0o4750)).unwrap();
    let holes = File::create(root.join("tree/holes")).unwrap();
    holes.write_all_at(b"middle", 1 << 20).unwrap();
    holes.set_len(3 << 20).unwrap();
    fs::set_permissions(root.join("tree/nothing"), Permissions::from_mode(0o555)).unwrap();
    File::open(root.join("tree/deep"))
        .unwrap()
        .set_modified(UNIX_EPOCH + Duration::from_secs(1_400_000_000))
        .unwrap();
}

/// Demands the tree that was planted.
fn check(house: &House, at: &str) {
    let root = house.root().join(at);
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    assert_eq!(read("a.txt"), b"A");
    assert_eq!(read("empty"), b"");
    assert_eq!(read("deep/er/b.txt"), vec![b'b'; 700_000]);
    assert_eq!(fs::read(root.join(raw(b"not utf8 \xff"))).unwrap(), b"raw");
    assert!(root.join("nothing/at all").is_dir());
    assert_eq!(fs::read_link(root.join("link")).unwrap().to_str(), Some("a.txt"));
    assert_eq!(fs::read_link(root.join("dangling")).unwrap().to_str(), Some("nowhere"));
    let stat = fs::metadata(root.join("a.txt")).unwrap();
    assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_500_000_000, 123_456_789));
    assert_eq!(stat.mode() & 0o777, 0o750);
    let holes = read("holes");
    let mut expected = vec![0; 3 << 20];
    expected[1 << 20..(1 << 20) + 6].copy_from_slice(b"middle");
    assert!(holes == expected, "another content");
    assert_eq!(fs::metadata(root.join("nothing")).unwrap().mode() & 0o777, 0o555);
    assert_eq!(fs::metadata(root.join("deep")).unwrap().mtime(), 1_400_000_000);
}

#[test]
fn a_tree_is_copied_with_all_that_is_in_it() {
    for house in houses() {
        plant(&house);
        house.folder("to");
        let places = transfer(&house, Copy, &["tree", "tree/a.txt"], "to", REFUSE).unwrap();
        assert_eq!(places, ["to/tree", "to/a.txt"]);
        check(&house, "tree");
        check(&house, "to/tree");
        let stat = fs::metadata(house.root().join("to/tree/a.txt")).unwrap();
        assert_eq!(stat.mode() & 0o7777, 0o750, "set-user-ID came along");
        assert_eq!(house.content("to/a.txt").as_deref(), Some("A"));
        let stat = fs::metadata(house.root().join("to/tree/holes")).unwrap();
        assert!(stat.blocks() * 512 < 1 << 20, "the holes were filled: {}", stat.blocks());
    }
}

#[test]
fn a_tree_is_moved_with_all_that_is_in_it() {
    for house in houses() {
        plant(&house);
        house.file("b.txt", "B");
        house.folder("to");
        let places = transfer(&house, Move, &["tree", "b.txt"], "to", REFUSE).unwrap();
        assert_eq!(places, ["to/tree", "to/b.txt"]);
        check(&house, "to/tree");
        assert_eq!(house.on_disk(""), ["to"]);
        assert_eq!(house.content("to/b.txt").as_deref(), Some("B"));
    }
}

#[test]
fn what_is_in_the_way_stays_unless_it_is_to_be_replaced() {
    for house in houses() {
        for kind in [Copy, Move] {
            let _ = fs::remove_dir_all(house.root().join("to"));
            let _ = fs::remove_dir_all(house.root().join("from"));
            house.file("from/a.txt", "new");
            house.file("from/tree/x", "new");
            house.file("to/a.txt", "old");
            house.file("to/tree/y", "old");
            let sources = ["from/a.txt", "from/tree"];
            for sources in [&sources[..1], &sources[1..], &sources[..]] {
                let told = refusal(transfer(&house, kind, sources, "to", REFUSE));
                assert_eq!(told.as_deref(), Some("collision: Target already exists"));
            }
            let renamed = transfer(&house, kind, &sources, "to", IfExists::Rename).unwrap();
            assert_eq!(renamed, ["to/a (1).txt", "to/tree (1)"]);
            assert_eq!(house.content("to/a.txt").as_deref(), Some("old"));
            assert_eq!(house.content("to/tree (1)/x").as_deref(), Some("new"));
            house.file("from/a.txt", "newer");
            house.file("from/tree/z", "newer");
            let replaced = transfer(&house, kind, &sources, "to", IfExists::Overwrite).unwrap();
            assert_eq!(replaced, ["to/a.txt", "to/tree"]);
            assert_eq!(house.content("to/a.txt").as_deref(), Some("newer"));
            assert_eq!(house.content("to/tree/z").as_deref(), Some("newer"));
            assert_eq!(house.content("to/tree/y"), None, "two folders were mixed");
            assert_eq!(house.content("from/a.txt").is_some(), kind == Copy);
            // The old file and the old folder, each with its record.
            let before = if kind == Copy { 0 } else { 4 };
            assert_eq!(house.trashed("").len(), before + 4, "{:?}", house.trashed(""));
        }
    }
}

#[test]
fn a_file_and_a_folder_never_replace_each_other() {
    for kind in [Copy, Move] {
        let house = House::new();
        house.file("from/a/x", "folder");
        house.file("from/b", "file");
        house.file("to/a", "file");
        house.file("to/b/x", "folder");
        for source in ["from/a", "from/b"] {
            let told = refusal(transfer(&house, kind, &[source], "to", IfExists::Overwrite));
            assert_eq!(told.as_deref(), Some("collision: Target already exists"));
        }
        assert_eq!(house.content("to/a").as_deref(), Some("file"));
        assert_eq!(house.content("to/b/x").as_deref(), Some("folder"));
    }
}

#[test]
fn where_it_is_already_nothing_is_lost() {
    for house in houses() {
        house.file("docs/a.txt", "A");
        house.file("docs/sub/x", "X");
        let both = ["docs/a.txt", "docs/sub"];
        for kind in [Copy, Move] {
            let told = refusal(transfer(&house, kind, &both, "docs", REFUSE));
            assert_eq!(told.as_deref(), Some("collision: Target already exists"));
            let same = transfer(&house, kind, &both, "docs", IfExists::Overwrite).unwrap();
            assert_eq!(same, both);
        }
        let same = transfer(&house, Move, &both, "docs", IfExists::Rename).unwrap();
        assert_eq!(same, both);
        let doubled = transfer(&house, Copy, &both, "docs", IfExists::Rename).unwrap();
        assert_eq!(doubled, ["docs/a (1).txt", "docs/sub (1)"]);
        assert_eq!(house.on_disk("docs"), ["a (1).txt", "a.txt", "sub", "sub (1)"]);
        assert_eq!(house.content("docs/sub (1)/x").as_deref(), Some("X"));
    }
}

#[test]
fn impossible_wishes_are_refused_before_anything_is_changed() {
    let house = House::new();
    house.file("a/b/c.txt", "C");
    house.file("b/b/d.txt", "D");
    house.file("file", "F");
    house.link("way", "a/b");
    let told = |kind, sources: &[&str], to: &str, if_exists| {
        refusal(transfer(&house, kind, sources, to, if_exists)).unwrap()
    };
    let into_itself = "invalid: A folder can't be moved or copied into itself";
    for kind in [Copy, Move] {
        assert_eq!(told(kind, &["a"], "a", REFUSE), into_itself);
        assert_eq!(told(kind, &["a"], "a/b", REFUSE), into_itself);
        assert_eq!(told(kind, &["a"], "way", REFUSE), into_itself);
        assert_eq!(told(kind, &["file", "a"], "a/missing", REFUSE), into_itself);
        let root = "invalid: The root can't be moved or copied";
        assert_eq!(told(kind, &[""], "a", REFUSE), root);
        let missing = "not found: Path does not exist";
        assert_eq!(told(kind, &["file", "missing"], "a", REFUSE), missing);
        assert_eq!(told(kind, &["file"], "missing", REFUSE), missing);
        assert_eq!(told(kind, &["file"], ".larder", REFUSE), missing);
        assert_eq!(told(kind, &[".larder"], "a", REFUSE), missing);
        assert_eq!(told(kind, &["a"], "file", REFUSE), "invalid: Path is not a folder");
        let in_the_way = "collision: Target already exists";
        // The second of one name, and what would go with the folder it replaces.
        for if_exists in [REFUSE, IfExists::Overwrite] {
            house.file("to/x", "");
            assert_eq!(told(kind, &["a/b", "b/b"], "to", if_exists), in_the_way);
            assert_eq!(told(kind, &["b/b"], "", if_exists), in_the_way);
        }
    }
    let overlap = "invalid: The paths overlap";
    assert_eq!(told(Move, &["a", "a/b"], "to", REFUSE), overlap);
    assert_eq!(told(Move, &["a", "a"], "to", REFUSE), overlap);
    assert_eq!(house.content("a/b/c.txt").as_deref(), Some("C"));
    assert_eq!(house.content("b/b/d.txt").as_deref(), Some("D"));
    assert_eq!(house.on_disk("to"), ["x"]);
}

#[test]
fn rights_are_judged_before_existence_and_at_both_ends() {
    let house = House::new();
    house.file("mine/a.txt", "A");
    house.file("theirs/b.txt", "B");
    house.file("shared/c.txt", "C");
    house.link("mine/way", "../theirs");
    house.link("mine/out", "/etc");
    let share = house.share_of(&["mine", "shared"], &["mine", "drop"]);
    house.folder("drop");
    let told = |kind, source: &str, to: &str| {
        refusal(share.relocate_into(kind, vec![path(source)], &path(to), REFUSE))
    };
    for source in ["theirs/b.txt", "theirs/missing", "missing", "mine/way/b.txt", "mine/way"] {
        assert_eq!(told(Copy, source, "mine").as_deref(), Some("refused"), "{source}");
        assert_eq!(told(Move, source, "mine").as_deref(), Some("refused"), "{source}");
    }
    assert_eq!(told(Copy, "shared/c.txt", "mine"), None);
    assert_eq!(told(Move, "shared/c.txt", "mine").as_deref(), Some("refused"));
    for to in ["shared", "theirs", "missing", "", "mine/way"] {
        assert_eq!(told(Copy, "mine/a.txt", to).as_deref(), Some("refused"), "{to}");
    }
    assert_eq!(told(Copy, "mine/a.txt", "drop"), None);
    let missing = Some("not found: Path does not exist");
    assert_eq!(told(Copy, "mine/out", "drop").as_deref(), missing);
    assert_eq!(told(Copy, "mine/missing", "drop").as_deref(), missing);
}

#[test]
fn links_are_copied_as_links_and_only_where_they_may_lead() {
    let house = House::new();
    house.file("mine/tree/a.txt", "A");
    house.file("theirs/secret", "S");
    house.link("mine/tree/inside", "a.txt");
    house.link("mine/tree/outside", "/etc");
    house.link("mine/tree/secret", "../../theirs/secret");
    house.link("mine/tree/nowhere", "gone");
    house.folder("mine/to");
    let share = house.share_of(&["mine"], &["mine"]);
    let transfer =
        share.relocate_into(Copy, vec![path("mine/tree")], &path("mine/to"), REFUSE).unwrap();
    transfer.run(&Progress::default(), &mut |_, _| {}).unwrap();
    assert_eq!(house.on_disk("mine/to/tree"), ["a.txt", "inside", "nowhere"]);
    assert!(house.root().join("mine/to/tree/inside").is_symlink());
    // The link itself is moved, and what it leads to stays.
    house.link("mine/alone", "tree/a.txt");
    let places = self::transfer(&house, Move, &["mine/alone"], "mine/to", REFUSE).unwrap();
    assert_eq!(places, ["mine/to/alone"]);
    assert!(house.root().join("mine/to/alone").is_symlink());
    assert_eq!(house.content("mine/tree/a.txt").as_deref(), Some("A"));
}

#[test]
fn special_files_are_passed_over_in_a_copy_and_never_lost_in_a_move() {
    let house = House::with_quirks(Quirks { far_apart: true, ..Quirks::default() });
    house.file("tree/a.txt", "A");
    let pipe = house.root().join("tree/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    house.folder("to");
    transfer(&house, Copy, &["tree"], "to", REFUSE).unwrap();
    assert_eq!(house.on_disk("to/tree"), ["a.txt"]);
    let alone = refusal(transfer(&house, Copy, &["tree/pipe"], "to", REFUSE));
    assert_eq!(alone.as_deref(), Some("invalid: Path is neither a file nor a folder"));
    house.folder("far");
    let told = refusal(transfer(&house, Move, &["tree"], "far", REFUSE));
    assert_eq!(told.as_deref(), Some("invalid: A special file can't be moved to another drive"));
    assert_eq!(house.on_disk("tree"), ["a.txt", "pipe"]);
    assert!(house.on_disk("far").is_empty());
}

#[test]
fn a_failure_half_way_takes_everything_back() {
    for house in houses() {
        for kind in [Copy, Move] {
            let _ = fs::remove_dir_all(house.root().join("from"));
            let _ = fs::remove_dir_all(house.root().join("to"));
            for name in ["a", "b", "tree/x", "c"] {
                house.file(format!("from/{name}"), "new");
            }
            for name in ["a", "tree/y"] {
                house.file(format!("to/{name}"), "old");
            }
            let sources = ["from/a", "from/b", "from/tree", "from/c"].map(path);
            let share = house.share();
            let transfer = share
                .relocate_into(kind, sources.to_vec(), &path("to"), IfExists::Overwrite)
                .unwrap();
            // After the look and before the work, a folder comes where the last one goes.
            house.file("to/c/precious", "theirs");
            let told = refusal(transfer.run(&Progress::default(), &mut |_, _| {}));
            assert_eq!(told.as_deref(), Some("collision: Target already exists"));
            assert_eq!(house.on_disk("to"), ["a", "c", "tree"]);
            assert_eq!(house.content("to/c/precious").as_deref(), Some("theirs"));
            let quirks = share.finder.root.quirks;
            // Also where files have one name only and two cannot change places: the trash has a copy.
            assert_eq!(house.content("to/a").as_deref(), Some("old"), "{quirks:?}");
            assert!(house.content("from/a").is_some(), "{quirks:?}");
            assert!(house.trashed("").is_empty(), "{quirks:?}");
            assert_eq!(house.content("from/b").as_deref(), Some("new"));
            assert_eq!(house.content("from/c").as_deref(), Some("new"));
            assert_eq!(house.content("to/tree/y").as_deref(), Some("old"));
            assert_eq!(house.content("from/tree/x").as_deref(), Some("new"));
            assert!(house.unfinished("").is_empty());
        }
    }
}

#[test]
fn without_a_trash_what_is_replaced_is_gone() {
    for house in houses() {
        house.vault.keep_trash(0, 10);
        for kind in [Copy, Move] {
            for name in ["from/a", "from/tree/x"] {
                house.file(name, "new");
            }
            for name in ["to/a", "to/tree/y"] {
                let _ = fs::remove_dir_all(house.root().join("to/tree"));
                house.file(name, "old");
            }
            let sources = ["from/a", "from/tree"];
            transfer(&house, kind, &sources, "to", IfExists::Overwrite).unwrap();
            assert_eq!(house.content("to/a").as_deref(), Some("new"));
            assert_eq!(house.on_disk("to/tree"), ["x"]);
            assert!(house.trashed("").is_empty());
        }
    }
}

#[test]
fn a_copy_takes_the_room_it_needs_from_the_trash() {
    fn body() {
        for no_offload in [true, false] {
            let mut house = House::new();
            house.vault = house.vault.with_quirks(Quirks { no_offload, ..Quirks::default() });
            house.vault.keep_trash(30, 100);
            drive(&house, "usb", "size=1m");
            house.file("usb/old", vec![1; 600 << 10]);
            house.share().remove(&path("usb/old"), What::File, Fate::Trash).unwrap();
            assert_eq!(house.trashed("usb").len(), 2);
            house.file("big", vec![2; 700 << 10]);
            transfer(&house, Copy, &["big"], "usb", REFUSE).unwrap();
            assert_eq!(fs::metadata(house.root().join("usb/big")).unwrap().len(), 700 << 10);
            assert!(house.trashed("usb").is_empty());
        }
    }
    let name = "transfer::a_copy_takes_the_room_it_needs_from_the_trash";
    alone(name, Surroundings::Mounts, body, || {});
}

#[test]
fn what_changed_since_it_was_looked_at_is_not_taken_for_it() {
    let house = House::new();
    house.file("a", "old");
    house.folder("to");
    let share = house.share();
    for kind in [Copy, Move] {
        let transfer = share.relocate_into(kind, vec![path("a")], &path("to"), REFUSE).unwrap();
        fs::rename(house.root().join("a"), house.root().join("b")).unwrap();
        house.file("a", "another");
        let told = refusal(transfer.run(&Progress::default(), &mut |_, _| {}));
        assert_eq!(told.as_deref(), Some("not found: Path does not exist"));
        assert!(house.on_disk("to").is_empty());
        fs::rename(house.root().join("b"), house.root().join("a")).unwrap();
    }
}

#[test]
fn called_off_only_complete_things_are_left() {
    for (kind, no_offload) in [(Copy, true), (Copy, false), (Move, true), (Move, false)] {
        let quirks = Quirks { far_apart: true, no_offload, ..Quirks::default() };
        let house = House::with_quirks(quirks);
        house.file("small", "S");
        house.file("tree/first", "1");
        house.file("tree/big", vec![7; 40 << 20]);
        house.folder("to");
        let sources = ["small", "tree"].map(path);
        let transfer =
            house.share().relocate_into(kind, sources.to_vec(), &path("to"), REFUSE).unwrap();
        // Called off when the small one is complete and the tree is on its way.
        let progress = Arc::new_cyclic(|progress: &std::sync::Weak<Progress>| {
            let progress = progress.clone();
            Progress::watched(move || {
                let Some(progress) = progress.upgrade() else { return };
                if progress.counts().done_items >= 1 {
                    progress.cancel();
                }
            })
        });
        progress.expect(0, 0);
        let mut told = Vec::new();
        let end = transfer.run(&progress, &mut |_, landed| told.push(landed.path.to_string()));
        // The watcher is told now and then: a fast machine may be through by then.
        let is_off = matches!(end, Err(Error::Cancelled));
        assert!(is_off || end.is_ok());
        assert_eq!(house.on_disk("to").contains(&"tree".to_owned()), !is_off);
        if house.on_disk("to").contains(&"tree".to_owned()) {
            assert_eq!(house.on_disk("to/tree"), ["big", "first"]);
        }
        assert_eq!(
            house.on_disk("to").contains(&"small".to_owned()),
            told.contains(&"to/small".into())
        );
        assert_eq!(house.root().join("tree").exists(), kind == Copy || is_off);
        assert!(house.unfinished("").is_empty());
    }
}

#[test]
fn work_that_was_called_off_before_it_began_changes_nothing() {
    for kind in [Copy, Move] {
        let house = House::with_quirks(Quirks { far_apart: true, ..Quirks::default() });
        house.file("a", "A");
        house.folder("to");
        let transfer =
            house.share().relocate_into(kind, vec![path("a")], &path("to"), REFUSE).unwrap();
        let progress = Progress::default();
        progress.cancel();
        let end = transfer.run(&progress, &mut |_, _| panic!("nothing is there"));
        assert!(matches!(end, Err(Error::Cancelled)));
        assert_eq!(house.on_disk("to"), [""; 0]);
        assert_eq!(house.content("a").as_deref(), Some("A"));
    }
}

#[test]
fn the_numbers_end_where_they_were_expected_to() {
    let house = House::new();
    plant(&house);
    house.folder("to");
    let share = house.share();
    let transfer = share.relocate_into(Copy, vec![path("tree")], &path("to"), REFUSE).unwrap();
    let progress = Progress::watched(|| {});
    transfer.run(&progress, &mut |_, _| {}).unwrap();
    let counts = progress.counts();
    assert_eq!(counts.done_items, counts.total_items);
    assert_eq!(counts.done_bytes, counts.total_bytes);
    assert_eq!(counts.total_items, 12);
    assert_eq!(counts.total_bytes, 1 + 700_000 + 3 + (3 << 20));
}

#[test]
fn a_tree_of_great_depth_is_copied_and_removed() {
    let house = House::in_memory();
    let share = house.share();
    let mut folder =
        rustix::fs::open(house.root(), rustix::fs::OFlags::PATH, rustix::fs::Mode::empty())
            .unwrap();
    // Deeper than any path that the kernel takes in one call.
    for _ in 0..1200 {
        let name = "a long name of a folder";
        rustix::fs::mkdirat(&folder, name, rustix::fs::Mode::RWXU).unwrap();
        folder =
            rustix::fs::openat(&folder, name, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty())
                .unwrap();
    }
    house.folder("to");
    let top = path("a long name of a folder");
    let transfer = share.relocate_into(Copy, vec![top.clone()], &path("to"), REFUSE).unwrap();
    let progress = Progress::watched(|| {});
    transfer.run(&progress, &mut |_, _| {}).unwrap();
    assert_eq!(progress.counts().done_items, 1200);
    let removal = share.removal(&[path("to")], Some(What::Tree), super::super::Fate::Gone).unwrap();
    let progress = Progress::watched(|| {});
    removal.run(&progress, &mut |_, _| {}).unwrap();
    assert_eq!(progress.counts().done_items, 1201);
    share
        .removal(&[top], Some(What::Tree), super::super::Fate::Gone)
        .unwrap()
        .run(&Progress::default(), &mut |_, _| {})
        .unwrap();
    assert!(house.on_disk("").is_empty());
}

#[test]
fn a_removal_that_is_called_off_leaves_whole_things_in_their_places() {
    let house = House::new();
    for number in 0..50 {
        house.file(format!("tree/{number}/file"), number.to_string());
    }
    let share = house.share();
    let removal =
        share.removal(&[path("tree")], Some(What::Tree), super::super::Fate::Gone).unwrap();
    let progress = Progress::default();
    progress.cancel();
    assert!(matches!(removal.run(&progress, &mut |_, _| {}), Err(Error::Cancelled)));
    assert_eq!(house.on_disk("tree").len(), 50);
    assert_eq!(house.content("tree/7/file").as_deref(), Some("7"));
    let progress = Progress::watched(|| {});
    removal.run(&progress, &mut |_, _| {}).unwrap();
    let counts = progress.counts();
    assert_eq!((counts.done_items, counts.total_items), (101, 101));
    assert!(house.on_disk("").is_empty());
    let told = refusal(share.removal(&[path("tree")], Some(What::Tree), super::super::Fate::Gone));
    assert_eq!(told.as_deref(), Some("not found: Path does not exist"));
    house.file("file", "F");
    let told = refusal(share.removal(&[path("file")], Some(What::Tree), super::super::Fate::Gone));
    assert_eq!(told.as_deref(), Some("invalid: Path is not a folder"));
    let told = refusal(share.removal(&[path("")], Some(What::Tree), super::super::Fate::Gone));
    assert_eq!(told.as_deref(), Some("invalid: The root can't be deleted"));
}

#[test]
fn what_gets_the_group_of_its_folder_gets_it_as_a_copy_too() {
    let house = House::new();
    house.file("tree/a", "A");
    let shared = house.folder("shared");
    let group = fs::metadata(&shared).unwrap().gid();
    fs::set_permissions(&shared, Permissions::from_mode(0o2775)).unwrap();
    transfer(&house, Copy, &["tree"], "shared", REFUSE).unwrap();
    let made = fs::metadata(shared.join("tree")).unwrap();
    assert_eq!((made.gid(), made.mode() & 0o2000), (group, 0o2000));
    assert_eq!(fs::metadata(shared.join("tree/a")).unwrap().gid(), group);
}

/// Moves and copies between the share's drive and another one, and back.
fn there_and_back(house: &House, usb: &str) {
    plant(house);
    let copied = transfer(house, Copy, &["tree"], usb, REFUSE).unwrap();
    assert_eq!(copied, [format!("{usb}/tree")]);
    check(house, &copied[0]);
    house.file("over/tree/gone", "replaced as a whole");
    let moved = transfer(house, Move, &[&copied[0]], "over", IfExists::Overwrite).unwrap();
    assert_eq!(moved, ["over/tree"]);
    check(house, "over/tree");
    assert_eq!(house.content("over/tree/gone"), None);
    assert!(house.on_disk(usb).is_empty() && house.unfinished(usb).is_empty());
    let moved = transfer(house, Move, &["over/tree", "tree/a.txt"], usb, REFUSE).unwrap();
    assert_eq!(moved, [format!("{usb}/tree"), format!("{usb}/a.txt")]);
    check(house, &moved[0]);
    assert!(house.on_disk("over").is_empty());
    let told = refusal(transfer(house, Move, &["tree/empty", "tree/link"], usb, REFUSE));
    assert_eq!(told, None);
    let told = refusal(transfer(house, Copy, &["tree/deep"], &format!("{usb}/tree"), REFUSE));
    assert_eq!(told.as_deref(), Some("collision: Target already exists"));
    assert!(house.unfinished("").is_empty() && house.unfinished(usb).is_empty());
}

#[test]
fn between_two_drives_it_is_the_same() {
    fn body() {
        let house = House::new();
        drive(&house, "usb", "size=16m");
        there_and_back(&house, "usb");
        // A drive itself stays where it is, and so does what it is mounted in.
        house.folder("to");
        drive(&house, "top/in", "size=1m");
        house.file("top/in/b", "B");
        let told = Some("invalid: A drive is mounted in this folder");
        for (source, to) in [("usb", "to"), ("top", "usb"), ("top/in", "usb")] {
            let moved = refusal(transfer(&house, Move, &[source], to, REFUSE));
            assert_eq!(moved.as_deref(), told, "{source}");
        }
        // A copy takes what is on it, but not what is larder's there.
        transfer(&house, Copy, &["top"], "to", REFUSE).unwrap();
        assert_eq!(house.content("to/top/in/b").as_deref(), Some("B"));
        transfer(&house, Copy, &["usb"], "to", REFUSE).unwrap();
        assert!(!house.root().join("to/usb/.larder").exists());
    }
    fn otherwise() {
        let house = House::with_quirks(Quirks { far_apart: true, ..Quirks::default() });
        house.folder("usb");
        there_and_back(&house, "usb");
    }
    alone("transfer::between_two_drives_it_is_the_same", Surroundings::Mounts, body, otherwise);
}

#[test]
fn a_drive_that_is_full_keeps_nothing_of_it_and_loses_nothing() {
    fn body() {
        let house = House::new();
        drive(&house, "usb", "size=512k");
        house.file("tree/small", "S");
        house.file("tree/big", vec![1; 1 << 20]);
        house.file("usb/old/kept", "K");
        for kind in [Copy, Move] {
            let told = refusal(transfer(&house, kind, &["tree"], "usb", REFUSE));
            assert_eq!(told.as_deref(), Some("disk full"));
            assert_eq!(house.on_disk("usb"), ["old"]);
            assert_eq!(house.on_disk("tree"), ["big", "small"]);
            assert!(house.unfinished("usb").is_empty() && house.unfinished("").is_empty());
        }
        transfer(&house, Move, &["tree/small"], "usb", REFUSE).unwrap();
        assert_eq!(house.content("usb/small").as_deref(), Some("S"));
    }
    let name = "transfer::a_drive_that_is_full_keeps_nothing_of_it_and_loses_nothing";
    alone(name, Surroundings::Mounts, body, || {});
}
