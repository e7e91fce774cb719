//! Drives mounted inside the share. Mounting needs a mount namespace of one's own; where the machine
//! does not give it, the same work is done on one filesystem.

use super::super::root::Quirks;
use super::super::{Fate, IfExists, Kind, Place, What};
use super::alone::{Surroundings, alone, mount, unmount};
use super::{House, UPLOAD, listed, opened, path, refusal, spool, upload};
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::MetadataExt as _;

/// Mounts an empty drive in the share.
pub fn drive(house: &House, name: &str, options: &str) {
    let place = house.folder(name);
    mount(&["-t", "tmpfs", "-o", options, "none", place.to_str().unwrap()]);
}

/// What any folder must stand, by name.
fn use_like_any_other(house: &House, usb: &str) {
    let share = house.share();
    let at = |name: &str| format!("{usb}/{name}");
    upload(&share, &[(&at("new/a"), "A"), (&at("b"), "B"), ("here", "H")], &UPLOAD).unwrap();
    upload(&share, &[(&at("b"), "B2")], &UPLOAD).unwrap();
    let rename = Place { if_exists: IfExists::Rename, ..UPLOAD };
    upload(&share, &[(&at("b"), "B3")], &rename).unwrap();
    assert_eq!(listed(&share, usb).unwrap(), ["b", "b (1)", "new"]);
    assert_eq!(opened(&share, &at("b")).unwrap(), "B2");
    // The order of an upload's parts is the client's: the spool may lie on the wrong drive.
    let far = spool(&share, "", "far");
    let near = spool(&share, usb, "near");
    share.place(vec![(far, path(&at("far"))), (near, path("near"))], &UPLOAD).unwrap();
    assert_eq!(opened(&share, &at("far")).unwrap(), "far");
    assert_eq!(opened(&share, "near").unwrap(), "near");
    // Through a link as well, and over a file.
    house.link("way", usb);
    house.link("file", at("far"));
    let far = spool(&share, "", "further");
    share.place(vec![(far, path("way/far"))], &UPLOAD).unwrap();
    let far = spool(&share, "", "furthest");
    share.place(vec![(far, path("file"))], &UPLOAD).unwrap();
    assert_eq!(opened(&share, &at("far")).unwrap(), "furthest");
    share.rename((&path(&at("new")), &path(&at("old"))), Kind::Folder, IfExists::REFUSE).unwrap();
    share.make_folder(&path(&at("old/er"))).unwrap();
    house.file(at("old/x/y/z"), "Z");
    share.remove(&path(&at("old")), What::Tree, Fate::Trash).unwrap();
    share.remove(&path(&at("b (1)")), What::File, Fate::Trash).unwrap();
    let told = refusal(upload(&share, &[(&at("n/a"), "x"), ("m/b", "x"), (usb, "x")], &UPLOAD));
    assert_eq!(told.as_deref(), Some("collision: Target already exists"));
    assert_eq!(listed(&share, usb).unwrap(), ["b", "far"]);
    assert_eq!(
        listed(&share, "").unwrap(),
        ["file", "here", "near", usb.split('/').next().unwrap(), "way"]
    );
    let mut bytes = Vec::new();
    share.zip(&path("")).unwrap().write(&mut bytes).unwrap();
    let zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    // Backslashes and control characters are changed there.
    let in_zip = at("far").replace(['\\', '\n'], "_");
    assert!(zip.index_for_name(&in_zip).is_some());
    assert!(zip.file_names().all(|name| !name.unwrap().contains(".larder")));
    assert!(house.unfinished("").is_empty() && house.unfinished(usb).is_empty());
    for folder in ["", usb] {
        let hidden = format!("{folder}/.larder");
        assert!(refusal(listed(&share, &hidden)).is_some());
        assert!(refusal(share.remove(&path(&hidden), What::Tree, Fate::Trash)).is_some());
    }
}

/// What can be seen without mounting: the same work in a plain folder.
fn on_one_filesystem() {
    let house = House::new();
    house.folder("usb");
    use_like_any_other(&house, "usb");
}

/// The same house, seen by a kernel that cannot find a place in one step. Its own folder is empty.
pub fn without_openat2(house: &House) -> House {
    let quirks = Quirks { no_openat2: true, ..Quirks::default() };
    House { vault: house.vault.with_quirks(quirks), ..House::new() }
}

#[test]
fn a_drive_mounted_in_the_share_is_a_folder_like_any_other() {
    fn body() {
        for usb in ["usb", "usb/a b\\c\n🍯"] {
            let house = House::new();
            drive(&house, usb, "size=4m");
            use_like_any_other(&house, usb);
            // Its files were made on it, not on the drive around it.
            assert!(house.root().join(usb).join(".larder/tmp").is_dir());
            unmount(&house.root().join(usb));
            assert_eq!(fs::read_dir(house.root().join(usb)).unwrap().count(), 0);
        }
        // A drive in a drive, and one that shares its device with what is around it.
        let house = House::new();
        drive(&house, "usb", "size=4m");
        drive(&house, "usb/in", "size=4m");
        use_like_any_other(&house, "usb/in");
        let house = House::new();
        fs::create_dir(house.outside("disk")).unwrap();
        let bound = house.folder("usb");
        mount(&["--bind", house.outside("disk").to_str().unwrap(), bound.to_str().unwrap()]);
        use_like_any_other(&house, "usb");
    }
    let name = "mounts::a_drive_mounted_in_the_share_is_a_folder_like_any_other";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn a_folder_with_a_drive_in_it_is_not_deleted() {
    fn body() {
        let house = House::new();
        house.file("top/a", "A");
        drive(&house, "top/usb", "size=4m");
        house.file("top/usb/b", "B");
        let share = house.share();
        let told = Some("invalid: A drive is mounted in this folder");
        assert_eq!(refusal(share.remove(&path("top"), What::Tree, Fate::Trash)).as_deref(), told);
        assert_eq!(
            refusal(share.remove(&path("top/usb"), What::Tree, Fate::Trash)).as_deref(),
            told
        );
        let other = path("other");
        assert_eq!(
            refusal(share.rename((&path("top/usb"), &other), Kind::Folder, IfExists::REFUSE))
                .as_deref(),
            told
        );
        assert_eq!(house.content("top/a").as_deref(), Some("A"));
        assert_eq!(house.content("top/usb/b").as_deref(), Some("B"));
        assert!(house.unfinished("").is_empty());
        // Around the drive names may change.
        share.rename((&path("top"), &other), Kind::Folder, IfExists::REFUSE).unwrap();
        assert_eq!(opened(&share, "other/usb/b").unwrap(), "B");
        unmount(&house.root().join("other/usb"));
        share.remove(&path("other"), What::Tree, Fate::Trash).unwrap();
    }
    let name = "mounts::a_folder_with_a_drive_in_it_is_not_deleted";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn a_full_drive_says_so_and_keeps_nothing() {
    fn body() {
        let house = House::new();
        drive(&house, "usb", "size=256k,nr_inodes=12");
        let share = house.share();
        upload(&share, &[("usb/a", "A")], &UPLOAD).unwrap();
        let mut big = spool(&share, "usb", "");
        let full = std::io::Write::write_all(&mut big, &vec![1; 1 << 20]).unwrap_err();
        assert!(matches!(crate::error::Error::from(full), crate::error::Error::DiskFull));
        drop(big);
        // A spool that lies elsewhere is copied, and does not fit.
        let big = spool(&share, "", &"x".repeat(1 << 20));
        let told = refusal(share.place(vec![(big, path("usb/deep/big"))], &UPLOAD));
        assert_eq!(told.as_deref(), Some("disk full"));
        assert_eq!(listed(&share, "usb").unwrap(), ["a"]);
        let mut made = 0;
        let told = loop {
            match share.make_folder(&path(&format!("usb/{made}"))) {
                Ok(()) => made += 1,
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(told, "disk full");
        assert!(made > 0);
        // Making room must always work.
        share.remove(&path("usb/a"), What::File, Fate::Trash).unwrap();
        share.make_folder(&path("usb/again")).unwrap();
        for name in ["usb/0", "usb/again"] {
            share.remove(&path(name), What::Tree, Fate::Trash).unwrap();
        }
        assert!(house.unfinished("usb").is_empty() && house.unfinished("").is_empty());
    }
    let name = "mounts::a_full_drive_says_so_and_keeps_nothing";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn a_read_only_drive_is_read_and_its_refusal_is_a_fault_of_the_machine() {
    fn body() {
        let house = House::new();
        drive(&house, "usb", "size=1m");
        house.file("usb/a", "A");
        house.file("usb/d/b", "B");
        let usb = house.root().join("usb");
        mount(&["-o", "remount,bind,ro", usb.to_str().unwrap()]);
        let share = house.share();
        assert_eq!(opened(&share, "usb/a").unwrap(), "A");
        let elsewhere = spool(&share, "", "x");
        let io = |told: Option<String>| {
            let told = told.unwrap();
            assert!(told.starts_with("input/output: Read-only file system"), "{told}");
        };
        io(refusal(share.spool(Some(&path("usb")))));
        io(refusal(share.place(vec![(elsewhere, path("usb/x"))], &UPLOAD)));
        io(refusal(share.make_folder(&path("usb/x"))));
        io(refusal(share.remove(&path("usb/a"), What::File, Fate::Trash)));
        io(refusal(share.remove(&path("usb/d"), What::Tree, Fate::Trash)));
        io(refusal(share.rename((&path("usb/a"), &path("usb/x")), Kind::File, IfExists::REFUSE)));
        assert_eq!(listed(&share, "usb").unwrap(), ["a", "d"]);
        let mut bytes = Vec::new();
        share.zip(&path("usb")).unwrap().write(&mut bytes).unwrap();
        assert_eq!(zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len(), 3);
    }
    let name = "mounts::a_read_only_drive_is_read_and_its_refusal_is_a_fault_of_the_machine";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn leftovers_on_a_drive_in_the_share_are_swept() {
    fn body() {
        let house = House::new();
        drive(&house, "deep/a b\\usb", "size=1m");
        drive(&house, "deep/a b\\usb/in", "size=1m");
        let left = ["", "deep/a b\\usb", "deep/a b\\usb/in"];
        for place in left {
            house.file(
                format!("{place}/.larder/tmp/0011223344556677-0").trim_start_matches('/'),
                "x",
            );
            house.file(
                format!("{place}/.larder/tmp/0011223344556677-1/0/x").trim_start_matches('/'),
                "x",
            );
        }
        let started = std::time::Instant::now();
        assert_eq!(house.vault.sweep().unwrap(), 6);
        assert!(started.elapsed() < std::time::Duration::from_secs(10));
        for place in left {
            assert!(house.unfinished(place).is_empty(), "{place}");
        }
    }
    let name = "mounts::leftovers_on_a_drive_in_the_share_are_swept";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn larders_folder_on_a_drive_is_hidden_by_every_name_the_drive_gives_it() {
    fn body() {
        // A drive that makes up short names shows one folder under two names, as a bind mount does.
        let house = House::new();
        drive(&house, "usb", "size=1m");
        for place in ["", "usb"] {
            let hidden = house.folder(format!("{place}/.larder").trim_start_matches('/'));
            house.file(format!("{place}/.larder/tmp/x").trim_start_matches('/'), "x");
            let alias = house.folder(format!("{place}/LARDER~1").trim_start_matches('/'));
            mount(&["--bind", hidden.to_str().unwrap(), alias.to_str().unwrap()]);
            house.link(format!("{place}/link").trim_start_matches('/'), "LARDER~1");
        }
        for share in [house.share(), without_openat2(&house).share()] {
            for name in ["LARDER~1", "usb/LARDER~1", "link", "usb/link"] {
                let gone = Some("not found: Path does not exist");
                assert_eq!(refusal(listed(&share, name)).as_deref(), gone, "{name}");
                let inside = format!("{name}/tmp");
                assert_eq!(refusal(listed(&share, &inside)).as_deref(), gone, "{inside}");
                let file = format!("{name}/tmp/x");
                assert_eq!(refusal(opened(&share, &file)).as_deref(), gone, "{file}");
                assert_eq!(
                    refusal(share.remove(&path(&file), What::File, Fate::Trash)).as_deref(),
                    gone,
                    "{file}"
                );
                assert!(upload(&share, &[(&file, "y")], &UPLOAD).is_err());
                assert!(refusal(share.remove(&path(name), What::Tree, Fate::Trash)).is_some());
            }
            assert_eq!(house.content("usb/.larder/tmp/x").as_deref(), Some("x"));
        }
    }
    let name = "mounts::larders_folder_on_a_drive_is_hidden_by_every_name_the_drive_gives_it";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn on_an_overlay_files_and_folders_tell_different_devices_and_all_is_removed() {
    fn body() {
        let house = House::new();
        // The lower layer on one drive, the upper on another.
        for place in ["lower/old/deep", "upper"] {
            fs::create_dir_all(house.outside(place)).unwrap();
        }
        fs::write(house.outside("lower/old/a"), "A").unwrap();
        fs::write(house.outside("lower/old/deep/b"), "B").unwrap();
        mount(&["-t", "tmpfs", "none", house.outside("upper").to_str().unwrap()]);
        for place in ["upper/files", "upper/work"] {
            fs::create_dir(house.outside(place)).unwrap();
        }
        let layers = format!(
            "lowerdir={},upperdir={},workdir={}",
            house.outside("lower").display(),
            house.outside("upper/files").display(),
            house.outside("upper/work").display()
        );
        let usb = house.folder("usb");
        mount(&["-t", "overlay", "-o", &layers, "none", usb.to_str().unwrap()]);
        let share = house.share();
        let near = spool(&share, "usb", "near");
        let inode = |place: std::path::PathBuf| fs::metadata(place).unwrap().ino();
        let before = inode(usb.join(".larder/tmp").join(&near.at.name));
        share.place(vec![(near, path("usb/old/new"))], &UPLOAD).unwrap();
        assert_eq!(inode(usb.join("old/new")), before, "it was moved, not copied");
        assert_eq!(house.unfinished("usb").len(), 0);
        upload(&share, &[("usb/old/a", "A2"), ("usb/c", "C")], &UPLOAD).unwrap();
        assert_eq!(listed(&share, "usb/old").unwrap(), ["a", "deep", "new"]);
        // Folders of the lower layer cannot be renamed without `redirect_dir`; files in them can go.
        house.file("usb/upper/x/y/z", "Z");
        house.file("usb/upper/x/w", "W");
        share.remove(&path("usb/upper"), What::Tree, Fate::Trash).unwrap();
        assert_eq!(house.unfinished("usb").len(), 0);
        house.file("usb/.larder/tmp/0011223344556677-0/0/x", "left");
        assert_eq!(house.vault.sweep().unwrap(), 1);
    }
    let name = "mounts::on_an_overlay_files_and_folders_tell_different_devices_and_all_is_removed";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn a_full_or_read_only_drive_is_zipped_as_well() {
    fn body() {
        let house = House::new();
        let root = house.root();
        let root = root.to_str().unwrap();
        // The share root itself, with its marker, on a small drive.
        let marker = house.content(".larder/id").unwrap();
        mount(&["-t", "tmpfs", "-o", "size=64m,nr_inodes=50k", "none", root]);
        house.file(".larder/id", marker);
        house.folder(".larder/tmp");
        // Few files whose many names make a long table of contents: over 4 MiB.
        house.file("docs/0/file", "x");
        for folder in 0..100 {
            let place = house.folder(format!("docs/{folder}/{}", "n".repeat(240)));
            for link in 0..160 {
                let name = place.join(format!("{}{link}", "l".repeat(200)));
                fs::hard_link(house.root().join("docs/0/file"), name).unwrap();
            }
        }
        let filler = house.file("filler", "");
        let mut filler = fs::File::options().write(true).open(filler).unwrap();
        while std::io::Write::write(&mut filler, &[0; 4096]).is_ok() {}
        drop(filler);
        let share = house.share();
        let entries = || {
            let mut bytes = Vec::new();
            share.zip(&path("docs")).unwrap().write(&mut bytes).unwrap();
            zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len()
        };
        assert_eq!(entries(), 100 * 162 + 1);
        mount(&["-o", "remount,bind,ro", root]);
        assert_eq!(entries(), 100 * 162 + 1);
        assert!(house.unfinished("").is_empty());
    }
    let name = "mounts::a_full_or_read_only_drive_is_zipped_as_well";
    alone(name, Surroundings::Mounts, body, on_one_filesystem);
}

#[test]
fn a_drive_mounted_under_a_name_that_is_no_text_has_a_trash_like_any_other() {
    fn body() {
        let house = House::new();
        let place = house.folder(super::raw(b"usb\xff"));
        std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "none"])
            .arg(&place)
            .status()
            .unwrap();
        let share = house.share();
        upload(&share, &[("%=usb%FF/a.txt", "A")], &UPLOAD).unwrap();
        share.remove(&path("%=usb%FF/a.txt"), What::File, Fate::Trash).unwrap();
        let mut ids = Vec::new();
        share
            .trash()
            .unwrap()
            .for_each(&mut |item| {
                ids.push((item.id.clone(), item.path.to_string()));
                Ok(())
            })
            .unwrap();
        assert_eq!(ids.len(), 1);
        assert_eq!(ids[0].1, "%=usb%FF/a.txt");
        share.restore(&[ids[0].0.clone()], IfExists::Rename).unwrap();
        assert_eq!(opened(&share, "%=usb%FF/a.txt").unwrap(), "A");
        unmount(&place);
    }
    let name = "mounts::a_drive_mounted_under_a_name_that_is_no_text_has_a_trash_like_any_other";
    alone(name, Surroundings::Mounts, body, || {});
}
