//! Links that dangle, escape, loop or lead to what the grant does not allow, and things that are
//! neither file nor folder.

use super::super::root::Quirks;
use super::super::{Fate, IfExists, Kind, Opened, What};
use super::{House, UPLOAD, entries, listed, opened, path, raw, refusal, upload};
use crate::error::Error;
use rustix::fs::{CWD, FileType, Mode};
use std::fs;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::time::Duration;

/// What a place that is not there is called.
const GONE: Option<&str> = Some("not found: Path does not exist");

/// Houses where the kernel finds places, and where larder must.
fn houses() -> [House; 2] {
    [House::new(), House::with_quirks(Quirks { no_openat2: true, ..Quirks::default() })]
}

#[test]
fn a_link_that_leaves_the_root_is_not_there_and_what_is_behind_it_stays() {
    for house in houses() {
        let outside = house.outside("secret");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("a"), "secret").unwrap();
        house.folder("docs");
        house.link("absolute", &outside);
        house.link("relative", "../secret");
        house.link("docs/up", "../../secret");
        house.link("docs/far", "../../../../../../../../../../../etc");
        house.link("proc", "/proc/self/root/etc");
        house.link("sibling", format!("{}2", house.root().display()));
        house.link("through", "docs/up");
        let share = house.share();
        for name in [
            "absolute",
            "relative",
            "docs/up",
            "docs/far",
            "proc",
            "sibling",
            "through",
            "docs/up/a",
        ] {
            assert_eq!(refusal(opened(&share, name)).as_deref(), GONE, "{name}");
            assert_eq!(refusal(listed(&share, name)).as_deref(), GONE, "{name}");
            assert_eq!(refusal(share.zip(&path(name))).as_deref(), GONE, "{name}");
            assert_eq!(
                refusal(share.remove(&path(name), What::File, Fate::Trash)).as_deref(),
                GONE,
                "{name}"
            );
            assert_eq!(
                refusal(share.remove(&path(name), What::Tree, Fate::Trash)).as_deref(),
                GONE,
                "{name}"
            );
            let to = path("taken");
            assert_eq!(
                refusal(share.rename((&path(name), &to), Kind::File, IfExists::REFUSE)).as_deref(),
                GONE,
                "{name}"
            );
            let inside = format!("{name}/new");
            assert!(upload(&share, &[(&inside, "x")], &UPLOAD).is_err(), "{name}");
            assert!(upload(&share, &[(name, "x")], &UPLOAD).is_err(), "{name}");
            assert!(share.make_folder(&path(&inside)).is_err(), "{name}");
        }
        for entry in entries(&share, "").unwrap() {
            let wanted = if entry.name == "docs" { Kind::Folder } else { Kind::Other };
            assert_eq!(
                (entry.kind, entry.writable),
                (wanted, entry.name == "docs"),
                "{}",
                entry.name
            );
        }
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(outside.join("a")).unwrap(), "secret");
        // The folder of links goes, and nothing behind them.
        share.remove(&path("docs"), What::Tree, Fate::Trash).unwrap();
        assert_eq!(std::fs::read_to_string(outside.join("a")).unwrap(), "secret");
        assert!(house.unfinished("").is_empty());
    }
}

#[test]
fn a_link_inside_is_followed_wherever_it_stands() {
    for house in houses() {
        house.file("real/deep/a.txt", "A");
        house.link("one", "real");
        house.link("two", "one/deep");
        house.link("real/up", "../two/../deep/./a.txt");
        house.link("abs", house.root().join("real/deep"));
        house.link("file", "two/a.txt");
        house.link("whole", ".");
        house.link("real/home", "..");
        let share = house.share();
        for name in [
            "one/deep/a.txt",
            "two/a.txt",
            "real/up",
            "abs/a.txt",
            "file",
            "whole/real/deep/a.txt",
            "whole/whole/one/home/one/deep/a.txt",
        ] {
            assert_eq!(opened(&share, name).expect(name), "A", "{name}");
        }
        upload(&share, &[("two/b.txt", "B"), ("file", "new")], &UPLOAD).unwrap();
        assert_eq!(house.content("real/deep/b.txt").as_deref(), Some("B"));
        assert_eq!(house.content("real/deep/a.txt").as_deref(), Some("new"));
        assert!(std::fs::symlink_metadata(house.root().join("file")).unwrap().is_symlink());
        // Renaming and deleting mean the link.
        share.rename((&path("file"), &path("other")), Kind::File, IfExists::REFUSE).unwrap();
        share.rename((&path("one"), &path("uno")), Kind::Folder, IfExists::REFUSE).unwrap();
        share.remove(&path("other"), What::File, Fate::Trash).unwrap();
        share.remove(&path("abs"), What::Tree, Fate::Trash).unwrap();
        assert_eq!(house.content("real/deep/a.txt").as_deref(), Some("new"));
        assert_eq!(listed(&share, "").unwrap(), ["real", "two", "uno", "whole"]);
    }
}

#[test]
fn a_loop_of_links_ends() {
    for house in houses() {
        house.link("self", "self");
        house.link("a", "b");
        house.link("b", "a");
        house.link("grow", "grow/grow");
        house.link("dots", "whole/../whole/../dots");
        house.link("whole", ".");
        let mut last = "end".to_owned();
        house.file("end", "E");
        for number in 0..41 {
            house.link(&format!("chain{number}"), &last);
            last = format!("chain{number}");
        }
        let share = house.share();
        for name in ["self", "a", "b/c", "grow", "grow/x/y", "dots", "chain40"] {
            assert_eq!(refusal(opened(&share, name)).as_deref(), GONE, "{name}");
            assert_eq!(refusal(listed(&share, name)).as_deref(), GONE, "{name}");
            assert!(upload(&share, &[(name, "x")], &UPLOAD).is_err(), "{name}");
        }
        // As many links as Linux follows are followed.
        assert_eq!(opened(&share, "chain39").unwrap(), "E");
        assert_eq!(entries(&share, "").unwrap().len(), 48);
    }
}

#[test]
fn a_dangling_link_can_be_filled_renamed_and_deleted() {
    for house in houses() {
        house.folder("docs");
        house.link("new", "docs/later.txt");
        house.link("lost", "none/at/all");
        let share = house.share();
        for name in ["new", "lost"] {
            assert_eq!(refusal(opened(&share, name)).as_deref(), GONE);
        }
        let shown = entries(&share, "").unwrap();
        assert!(shown.iter().all(|entry| (entry.kind == Kind::Other) == (entry.name != "docs")));
        upload(&share, &[("new", "N")], &UPLOAD).unwrap();
        assert_eq!(house.content("docs/later.txt").as_deref(), Some("N"));
        assert!(upload(&share, &[("lost", "N")], &UPLOAD).is_err());
        share.remove(&path("new"), What::File, Fate::Trash).unwrap();
        assert_eq!(house.content("docs/later.txt").as_deref(), Some("N"));
    }
}

#[test]
fn a_link_gives_no_more_than_the_grant_does() {
    for house in houses() {
        house.file("mine/a.txt", "mine");
        house.file("yours/b.txt", "yours");
        house.file("yours/open/c.txt", "open");
        house.link("mine/peek", "../yours/b.txt");
        house.link("mine/dir", "../yours");
        house.link("mine/good", "../yours/open/c.txt");
        house.link("mine/none", "../yours/none");
        house.link("yours/way", "../mine/a.txt");
        let share = house.share_of(&["mine", "yours/open"], &["mine"]);
        assert_eq!(opened(&share, "mine/a.txt").unwrap(), "mine");
        assert_eq!(opened(&share, "mine/good").unwrap(), "open");
        for name in
            ["mine/peek", "mine/dir/b.txt", "mine/none", "yours/way", "yours/b.txt", "yours/no"]
        {
            assert_eq!(refusal(opened(&share, name)).as_deref(), Some("refused"), "{name}");
        }
        // A folder on the way shows the way only, whatever the name that was used.
        assert_eq!(listed(&share, "mine/dir").unwrap(), ["open"]);
        assert_eq!(listed(&share, "yours").unwrap(), ["open"]);
        for (name, kind, writable) in [
            ("a.txt", Kind::File, true),
            ("dir", Kind::Folder, false),
            ("good", Kind::File, false),
            ("none", Kind::Other, false),
            ("peek", Kind::Other, false),
        ] {
            let entry = entries(&share, "mine")
                .unwrap()
                .into_iter()
                .find(|entry| entry.name == name)
                .unwrap();
            assert_eq!((entry.kind, entry.writable), (kind, writable), "{name}");
        }
        for name in ["mine/peek", "mine/good", "mine/dir/x", "mine/none", "yours/open/x"] {
            let told = refusal(upload(&share, &[(name, "x")], &UPLOAD));
            assert_eq!(told.as_deref(), Some("refused"), "{name}");
            assert_eq!(
                refusal(share.remove(&path(name), What::File, Fate::Trash)).as_deref(),
                Some("refused"),
                "{name}"
            );
        }
        assert_eq!(house.content("yours/b.txt").as_deref(), Some("yours"));
        assert_eq!(house.on_disk("yours"), ["b.txt", "open", "way"]);
    }
}

#[test]
fn pipes_sockets_and_devices_are_never_waited_for() {
    let (done, waits) = mpsc::channel();
    std::thread::spawn(move || {
        let house = House::new();
        house.file("docs/a.txt", "A");
        let docs = house.root().join("docs");
        rustix::fs::mknodat(CWD, docs.join("fifo"), FileType::Fifo, Mode::from(0o666), 0).unwrap();
        let _socket = UnixListener::bind(docs.join("socket")).unwrap();
        // Device nodes need root; `/dev/zero`'s numbers, so that reading it would never end.
        let zero = rustix::fs::makedev(1, 5);
        let device = docs.join("device");
        let has_device =
            rustix::fs::mknodat(CWD, device, FileType::CharacterDevice, Mode::from(0o666), zero)
                .is_ok();
        house.link("docs/to-fifo", "fifo");
        let share = house.share();
        let mut names = vec!["fifo", "socket", "to-fifo"];
        names.extend(has_device.then_some("device"));
        for name in &names {
            let place = path(&format!("docs/{name}"));
            let told = refusal(share.open(&place).map(|_: Opened| ()));
            assert_eq!(told.as_deref(), Some("invalid: Path is not a file"), "{name}");
            let told = refusal(listed(&share, place.as_str()));
            assert_eq!(told.as_deref(), Some("invalid: Path is not a folder"), "{name}");
            assert!(share.zip(&place).is_err(), "{name}");
            let told = refusal(upload(&share, &[(place.as_str(), "x")], &UPLOAD));
            assert_eq!(told.as_deref(), Some("invalid: Path is not a file"), "{name}");
            assert!(upload(&share, &[(&format!("docs/{name}/in"), "x")], &UPLOAD).is_err());
        }
        for entry in entries(&share, "docs").unwrap() {
            let wanted = if entry.name == "a.txt" { Kind::File } else { Kind::Other };
            assert_eq!((entry.kind, entry.size), (wanted, u64::from(entry.name == "a.txt")));
        }
        let mut zip = Vec::new();
        share.zip(&path("docs")).unwrap().write(&mut zip).unwrap();
        let zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        assert_eq!(zip.file_names().map(|name| name.unwrap()).collect::<Vec<_>>(), ["a.txt"]);
        share.remove(&path("docs/fifo"), What::File, Fate::Trash).unwrap();
        share.remove(&path("docs"), What::Tree, Fate::Trash).unwrap();
        assert!(house.on_disk("").is_empty() && house.unfinished("").is_empty());
        done.send(()).unwrap();
    });
    waits.recv_timeout(Duration::from_mins(1)).expect("it waited for a pipe's other end");
}

#[test]
fn a_link_to_a_name_that_is_not_utf8_is_judged_by_what_is_told_of_it() {
    for house in houses() {
        house.file(raw(b"b\xffb/a.txt"), "A");
        house.link("way", raw(b"b\xffb"));
        house.link("back", raw(b"b\xffb/.."));
        let share = house.share_of(&["way", "back", "%=b%FFb"], &[]);
        assert_eq!(opened(&share, "way/a.txt").unwrap(), "A");
        assert_eq!(opened(&share, "%=b%FFb/a.txt").unwrap(), "A");
        assert_eq!(refusal(opened(&share, "back")).as_deref(), Some("refused"));
        let share = house.share_of(&["way", "%=b%FEb"], &[]);
        assert_eq!(refusal(opened(&share, "way/a.txt")).as_deref(), Some("refused"));
    }
}

#[test]
fn only_a_folder_that_may_be_seen_is_entered() {
    let house = House::new();
    house.folder("photos/old");
    house.folder("docs");
    house.file("a", "A");
    fs::create_dir(house.outside("secret")).unwrap();
    house.link("out", house.outside("secret"));
    house.link("in", "photos");
    house.link("lost", "nowhere");
    let all = house.share();
    for name in ["", "photos", "photos/old", "in", "in/old"] {
        assert!(all.enter(&path(name)).is_ok(), "{name}");
    }
    for name in ["a", "lost", "missing", ".larder", "a/b"] {
        assert!(matches!(all.enter(&path(name)), Err(Error::NotFound(_))), "{name}");
    }
    assert!(matches!(all.enter(&path("out")), Err(Error::Refused)));
    let some = house.share_of(&["photos/old"], &["docs"]);
    for name in ["", "photos", "photos/old"] {
        assert!(some.enter(&path(name)).is_ok(), "{name}");
    }
    for name in ["docs", "in", "missing"] {
        assert!(matches!(some.enter(&path(name)), Err(Error::Refused)), "{name}");
    }
}
