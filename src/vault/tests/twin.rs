//! One thing under two names: folders mounted twice, and drives that ignore case.

use super::super::{Fate, IfExists, Kind, Place, Progress, TransferKind, What};
use super::alone::{Surroundings, alone, mount, unmount};
use super::{House, UPLOAD, listed, opened, path, refusal, upload};
use crate::error::Result;
use std::fs;
use std::process::Command;

/// Moves or copies into a folder.
fn send(house: &House, kind: TransferKind, from: &str, to: &str, way: IfExists) -> Result<()> {
    let transfer = house.share().relocate_into(kind, vec![path(from)], &path(to), way)?;
    transfer.run(&Progress::default(), &mut |_, _| {}).map(|_| ())
}

/// What such a folder is told.
const INTO_ITSELF: Option<&str> = Some("invalid: A folder can't be moved or copied into itself");

#[test]
fn a_folder_is_not_put_into_itself_by_another_mount() {
    fn body() {
        let house = House::new();
        house.file("a/sub/deep/f", "F");
        let bind = |from: &str, to: &str| {
            let (from, to) = (house.folder(from), house.folder(to));
            mount(&["--bind", from.to_str().unwrap(), to.to_str().unwrap()]);
        };
        bind("a", "b");
        bind("a/sub", "c");
        for kind in [TransferKind::Copy, TransferKind::Move] {
            for to in ["b", "b/sub", "b/sub/deep", "c", "c/deep"] {
                let told = refusal(send(&house, kind, "a", to, IfExists::Overwrite));
                let told = told.as_deref();
                let is_mounted_in = told == Some("invalid: A drive is mounted in this folder");
                assert!(told == INTO_ITSELF || is_mounted_in, "{kind:?} {to} {told:?}");
            }
            // Where it is already, nothing is done.
            send(&house, kind, "a/sub", "b", IfExists::Overwrite).unwrap();
        }
        assert_eq!(house.on_disk("a/sub"), ["deep"]);
        assert_eq!(house.on_disk("a/sub/deep"), ["f"]);
        assert!(house.trashed("").is_empty());
        // Its neighbours may go there.
        house.file("n/g", "G");
        send(&house, TransferKind::Copy, "n", "b/sub", IfExists::Overwrite).unwrap();
        assert_eq!(house.content("a/sub/n/g").as_deref(), Some("G"));
        unmount(&house.root().join("b"));
        unmount(&house.root().join("c"));
    }
    fn otherwise() {
        let house = House::new();
        house.file("a/sub/f", "F");
        house.link("way", "a/sub");
        let told = refusal(send(&house, TransferKind::Copy, "a", "way", IfExists::Overwrite));
        assert_eq!(told.as_deref(), INTO_ITSELF);
    }
    let name = "twin::a_folder_is_not_put_into_itself_by_another_mount";
    alone(name, Surroundings::Mounts, body, otherwise);
}

/// Mounts an empty drive that ignores case, served by a program in user space, in the share. False where this
/// machine has no such program.
fn windows_drive(house: &House, name: &str) -> bool {
    let image = house.outside("drive.img");
    fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let image = image.to_str().unwrap();
    let place = house.folder(name);
    let run = |program: &str, words: &[&str]| {
        let told = Command::new(program).args(words).output().ok()?;
        let text = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        told.status.success().then_some(text)
    };
    let mounted = (|| {
        run("mkfs.exfat", &[image])?;
        let device = run("losetup", &["--find", "--show", image])?;
        let served = run("mount.exfat-fuse", &[&device, place.to_str().unwrap()]);
        // It goes with the mount.
        run("losetup", &["--detach", &device]);
        served
    })();
    if mounted.is_none() {
        #[expect(clippy::print_stderr, reason = "who runs the tests should know what was not seen")]
        {
            eprintln!(
                "skipped: no mkfs.exfat (exfatprogs) or no mount.exfat-fuse (exfat-fuse) here"
            );
        }
    }
    mounted.is_some()
}

/// The same with FAT and a program that knows neither modes nor owners nor links.
fn fat_drive(house: &House, name: &str) -> bool {
    let image = house.outside("fat.img");
    fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let place = house.folder(name);
    let run = |line: &[&str]| {
        Command::new(line[0]).args(&line[1..]).output().is_ok_and(|told| told.status.success())
    };
    let (image, place) = (image.to_str().unwrap(), place.to_str().unwrap());
    let is_mounted = run(&["mkfs.vfat", image]) && run(&["fusefat", "-o", "rw+", image, place]);
    if !is_mounted {
        #[expect(clippy::print_stderr, reason = "who runs the tests should know what was not seen")]
        {
            eprintln!("skipped: no mkfs.vfat (dosfstools) or no fusefat here");
        }
    }
    is_mounted
}

#[test]
fn on_a_drive_that_ignores_case_two_spellings_are_one_entry() {
    fn body() {
        let house = House::new();
        if !windows_drive(&house, "usb") {
            return;
        }
        let share = house.share();
        upload(&share, &[("usb/a.txt", "A"), ("usb/photos/p.jpg", "P")], &UPLOAD).unwrap();
        let rename = |old: &str, new: &str, kind| {
            share.rename((&path(old), &path(new)), kind, IfExists::REFUSE)
        };
        rename("usb/a.txt", "usb/A.TXT", Kind::File).unwrap();
        assert_eq!(listed(&share, "usb").unwrap(), ["A.TXT", "photos"]);
        rename("usb/photos", "usb/PHOTOS", Kind::Folder).unwrap();
        assert_eq!(listed(&share, "usb").unwrap(), ["A.TXT", "PHOTOS"]);
        assert!(refusal(rename("usb/A.TXT", "usb/photos", Kind::File)).is_some());
        for to in ["usb/photos", "usb/Photos"] {
            for kind in [TransferKind::Copy, TransferKind::Move] {
                let told = refusal(send(&house, kind, "usb/PHOTOS", to, IfExists::Overwrite));
                assert_eq!(told.as_deref(), INTO_ITSELF, "{kind:?} {to}");
            }
        }
        // Two spellings of one name in one move.
        house.file("one/x.txt", "1");
        house.file("two/X.TXT", "2");
        let both = [path("one/x.txt"), path("two/X.TXT")];
        for way in [IfExists::Overwrite, IfExists::Error("Target already exists")] {
            let told = share
                .relocate_into(TransferKind::Copy, both.to_vec(), &path("usb/PHOTOS"), way)
                .and_then(|transfer| transfer.run(&Progress::default(), &mut |_, _| {}));
            assert_eq!(refusal(told).as_deref(), Some("collision: Target already exists"));
            assert_eq!(listed(&share, "usb/PHOTOS").unwrap(), ["p.jpg"]);
        }
        // And in one upload.
        let error = Place { if_exists: IfExists::Error("Target already exists"), ..UPLOAD };
        for way in [UPLOAD, error] {
            let told = upload(&share, &[("usb/b.txt", "1"), ("usb/B.TXT", "2")], &way);
            let twice = Some("conflict: Two files have the same name");
            assert_eq!(refusal(told).as_deref(), twice);
            assert_eq!(listed(&share, "usb").unwrap(), ["A.TXT", "PHOTOS"]);
        }
        // What is carried there and back is whole.
        send(&house, TransferKind::Copy, "one/x.txt", "usb", IfExists::Overwrite).unwrap();
        send(&house, TransferKind::Copy, "usb/x.txt", "usb/PHOTOS", IfExists::Overwrite).unwrap();
        send(&house, TransferKind::Move, "two", "usb", IfExists::Overwrite).unwrap();
        send(&house, TransferKind::Move, "usb/two", "", IfExists::Overwrite).unwrap();
        assert_eq!(opened(&share, "usb/photos/x.txt").unwrap(), "1");
        assert_eq!(house.content("two/X.TXT").as_deref(), Some("2"));
        share.remove(&path("usb/x.txt"), What::File, Fate::Trash).unwrap();
        let id = house.trashed("usb").into_iter().find(|name| !name.contains('.')).unwrap();
        share.restore(&[id], IfExists::Rename).unwrap();
        assert_eq!(opened(&share, "usb/x.txt").unwrap(), "1");
        unmount(&house.root().join("usb"));
    }
    let name = "twin::on_a_drive_that_ignores_case_two_spellings_are_one_entry";
    alone(name, Surroundings::Mounts, body, || {});
}

#[test]
fn a_copy_keeps_what_the_filesystem_can_hold() {
    fn body() {
        let house = House::new();
        if !fat_drive(&house, "usb") {
            return;
        }
        let share = house.share();
        house.file("a.txt", "A");
        house.file("b.bin", vec![7; 3_000_000]);
        // With a hole at its end.
        let sparse = fs::File::create(house.file("c.bin", "")).unwrap();
        sparse.set_len(200_000).unwrap();
        for name in ["a.txt", "b.bin", "c.bin"] {
            send(&house, TransferKind::Copy, name, "usb", IfExists::Overwrite).unwrap();
            let size = fs::metadata(house.root().join(name)).unwrap().len();
            assert_eq!(fs::metadata(house.root().join("usb").join(name)).unwrap().len(), size);
        }
        send(&house, TransferKind::Copy, "usb/a.txt", "usb", IfExists::Rename).unwrap();
        send(&house, TransferKind::Move, "b.bin", "usb", IfExists::Overwrite).unwrap();
        send(&house, TransferKind::Move, "usb/b.bin", "", IfExists::Overwrite).unwrap();
        assert_eq!(fs::read(house.root().join("b.bin")).unwrap(), vec![7; 3_000_000]);
        // What no copy can hold is left out, and what a move would lose stays.
        house.link("way", "a.txt");
        let told = refusal(send(&house, TransferKind::Move, "way", "usb", IfExists::Overwrite));
        assert_eq!(told.as_deref(), Some("invalid: A link can't be moved to this drive"));
        upload(&share, &[("usb/a.txt", "new")], &UPLOAD).unwrap();
        share.remove(&path("usb/a.txt"), What::File, Fate::Trash).unwrap();
        assert!(!listed(&share, "usb").unwrap().contains(&"a.txt".to_owned()));
        unmount(&house.root().join("usb"));
    }
    let name = "twin::a_copy_keeps_what_the_filesystem_can_hold";
    alone(name, Surroundings::Mounts, body, || {});
}
