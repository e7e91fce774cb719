//! The drive as something that comes and goes.

use super::super::mount::AttachError;
use super::super::{Grant, IfExists, Kind, RootId, Vault};
use super::alone::{Surroundings, alone, mount, unmount};
use super::{House, UPLOAD, listed, opened, path, refusal, spool, upload};
use crate::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Nothing may be in a bare mount point.
fn expect_bare(place: &Path) {
    let found: Vec<_> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// The vault says that the drive is absent, in every way it can be asked.
fn expect_absent(vault: &Vault) {
    assert!(!vault.is_present());
    assert!(matches!(vault.share(Arc::new(Grant::everything()), "ana"), Err(Error::StorageAbsent)));
    assert!(matches!(vault.usage(), Err(Error::StorageAbsent)));
    assert!(matches!(vault.sweep(), Err(Error::StorageAbsent)));
}

/// Takes the drive away and leaves its bare mount point.
fn unplug(house: &House) {
    fs::rename(house.root(), house.outside("unplugged")).unwrap();
    fs::create_dir(house.root()).unwrap();
}

/// Brings it back.
fn plug(house: &House) {
    fs::remove_dir(house.root()).unwrap();
    fs::rename(house.outside("unplugged"), house.root()).unwrap();
}

#[test]
fn a_drive_that_goes_is_missed_and_comes_back_by_itself() {
    let house = House::new();
    house.file("a", "A");
    for _ in 0..2 {
        unplug(&house);
        expect_absent(&house.vault);
        expect_bare(&house.root());
        plug(&house);
        assert_eq!(opened(&house.share(), "a").unwrap(), "A");
        assert!(house.vault.usage().unwrap().total_bytes > 0);
    }
    // The mount point may go as well.
    fs::rename(house.root(), house.outside("unplugged")).unwrap();
    expect_absent(&house.vault);
    assert!(!house.root().exists());
    fs::write(house.root(), "a file in its place").unwrap();
    expect_absent(&house.vault);
}

#[test]
fn a_drive_that_is_absent_at_the_start_is_waited_for() {
    let house = House::new();
    house.file("a", "A");
    unplug(&house);
    let (vault, id) = Vault::attach(&house.root(), Some(&house.id), false).unwrap();
    assert_eq!(id, house.id);
    expect_absent(&vault);
    expect_bare(&house.root());
    plug(&house);
    assert!(vault.is_present());
    // A mount point that is missing is no reason not to start either.
    fs::rename(house.root(), house.outside("unplugged")).unwrap();
    let (vault, _id) = Vault::attach(&house.root(), Some(&house.id), false).unwrap();
    expect_absent(&vault);
    assert!(!house.root().exists());
}

#[test]
fn a_vault_that_moves_takes_its_clones_along_and_leaves_open_shares_where_they_are() {
    let (house, other) = (House::new(), House::new());
    house.file("a", "here");
    other.file("a", "there");
    let (clone, share) = (house.vault.clone(), house.share());
    house.vault.move_to(&other.vault);
    assert_eq!(opened(&share, "a").unwrap(), "here");
    assert_eq!(opened(&house.share(), "a").unwrap(), "there");
    assert_eq!(clone.root(), other.root());
    unplug(&other);
    expect_absent(&clone);
    plug(&other);
    assert!(clone.is_present());
}

#[test]
fn the_wrong_drive_is_absent_until_it_is_adopted() {
    let (house, other) = (House::new(), House::new());
    let (vault, _id) = Vault::attach(&other.root(), Some(&house.id), false).unwrap();
    expect_absent(&vault);
    assert_eq!(other.content(".larder/id").unwrap().trim_end(), other.id.as_str());
    let (vault, id) = Vault::attach(&other.root(), Some(&house.id), true).unwrap();
    assert!(vault.is_present() && id == other.id, "its own marker is kept");
    for broken in ["", "zz", "\u{0}", &"0".repeat(1000), &house.id.as_str().to_uppercase()] {
        other.file(".larder/id", broken);
        expect_absent(&vault);
    }
    other.file(".larder/id", format!("{}\n", other.id.as_str()));
    assert!(vault.is_present());
    fs::remove_file(other.root().join(".larder/id")).unwrap();
    expect_absent(&vault);
    std::os::unix::fs::symlink(house.root().join(".larder/id"), other.root().join(".larder/id"))
        .unwrap();
    expect_absent(&vault);
}

#[test]
fn a_marker_that_is_a_pipe_is_not_waited_for() {
    let house = House::new();
    let marker = house.root().join(".larder/id");
    fs::remove_file(&marker).unwrap();
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &marker, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    expect_absent(&house.vault);
}

#[test]
fn a_root_that_cannot_be_one_is_refused_at_the_start() {
    let house = House::new();
    let attach = |place: &Path| Vault::attach(place, None, false).err();
    assert!(matches!(attach(&house.outside("none")), Some(AttachError::Missing(_))));
    let file = house.file("file", "x");
    assert!(matches!(attach(&file), Some(AttachError::NotAFolder(_))));
    assert!(matches!(attach(Path::new("/proc")), Some(AttachError::Unusable(..))));
    for error in [attach(&house.outside("none")), attach(&file), attach(Path::new("/proc"))] {
        let text = error.unwrap().to_string();
        assert!(text.starts_with("the share root /") && !text.contains('\n'), "{text}");
    }
    // The root itself may be reached through a link: the owner said so.
    std::os::unix::fs::symlink(house.root(), house.outside("link")).unwrap();
    let (vault, id) = Vault::attach(&house.outside("link"), None, false).unwrap();
    assert!(vault.is_present() && id == house.id);
}

#[test]
fn a_share_held_while_the_drive_goes_never_writes_into_the_mount_point() {
    let house = House::new();
    let share = house.share();
    house.file("a", "A");
    let waiting = spool(&share, "", "waiting");
    unplug(&house);
    // The share holds the drive it was opened on; what it does, it does there or not at all.
    let _there_or_refused = share.place(vec![(waiting, path("b"))], &UPLOAD);
    let _there_or_refused = share.make_folder(&path("c"));
    let _there_or_refused = share.rename((&path("a"), &path("d")), Kind::File, IfExists::REFUSE);
    let _there_or_refused = upload(&share, &[("e/f", "x")], &UPLOAD);
    expect_bare(&house.root());
    expect_absent(&house.vault);
}

#[test]
fn a_mounted_drive_that_is_pulled_is_missed_and_comes_back() {
    fn body() {
        let house = House::new();
        let root = house.root();
        let disk = house.outside("disk");
        fs::rename(&root, &disk).unwrap();
        fs::create_dir(&root).unwrap();
        let plug = || mount(&["--bind", disk.to_str().unwrap(), root.to_str().unwrap()]);
        plug();
        house.file("a", "A");
        let share = house.share();
        let waiting = spool(&share, "", "waiting");
        unmount(&root);
        expect_absent(&house.vault);
        let _on_the_drive_or_refused = share.place(vec![(waiting, path("b"))], &UPLOAD);
        drop(share);
        expect_bare(&root);
        assert!(Vault::attach(&root, Some(&house.id), false).is_ok());
        expect_bare(&root);
        // An empty drive in its place is not the one.
        mount(&["-t", "tmpfs", "none", root.to_str().unwrap()]);
        expect_absent(&house.vault);
        expect_bare(&root);
        unmount(&root);
        plug();
        assert_eq!(opened(&house.share(), "a").unwrap(), "A");
        unmount(&root);
    }
    let name = "drive::a_mounted_drive_that_is_pulled_is_missed_and_comes_back";
    alone(name, Surroundings::Mounts, body, a_drive_that_goes_is_missed_and_comes_back_by_itself);
}

#[test]
fn an_idle_vault_holds_nothing_of_the_drive() {
    let house = House::new();
    let share = house.share();
    upload(&share, &[("d/a", "A")], &UPLOAD).unwrap();
    listed(&share, "d").unwrap();
    drop(share);
    let root = house.root();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let leads_to = fs::read_link(entry.unwrap().path()).unwrap_or_default();
        assert!(!leads_to.starts_with(&root), "{}", leads_to.display());
    }
}

#[test]
fn the_sweep_takes_what_other_processes_left_and_nothing_of_ours() {
    let house = House::new();
    let share = house.share();
    let ours = spool(&share, "", "ours");
    house.file(".larder/tmp/0011223344556677-0", "left");
    house.file(".larder/tmp/0011223344556677-1/0/deep/er", "left");
    house.link(".larder/tmp/link", "../../keep");
    house.file("keep/a", "A");
    assert_eq!(house.unfinished("").len(), 4);
    assert_eq!(house.vault.sweep().unwrap(), 3);
    assert_eq!(house.unfinished("").len(), 1);
    assert_eq!(house.vault.sweep().unwrap(), 0);
    share.place(vec![(ours, path("ours"))], &UPLOAD).unwrap();
    assert_eq!(house.content("ours").as_deref(), Some("ours"));
    assert_eq!(house.content("keep/a").as_deref(), Some("A"));
    // Nor does a link in place of the hidden folder lead the sweep astray.
    fs::remove_dir(house.root().join(".larder/tmp")).unwrap();
    house.link(".larder/tmp", "../keep");
    assert_eq!(house.vault.sweep().unwrap(), 0);
    assert_eq!(house.content("keep/a").as_deref(), Some("A"));
    assert!(refusal(share.spool(None)).is_some(), "nothing is written through that link");
    assert_eq!(house.on_disk("keep"), ["a"]);
}

#[test]
fn an_id_of_another_shape_is_none() {
    assert_eq!(RootId::parse("0123456789abcdef"), None);
}
