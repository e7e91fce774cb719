//! Few descriptors: what runs out is said, and nothing is taken for something else.

use super::super::{Fate, IfExists, Place, Progress, TransferKind, What, look};
use super::alone::{Surroundings, alone};
use super::{House, UPLOAD, entries, opened, path, refusal, spool};
use crate::error::Error;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::sync::Arc;

/// Lets this process have so many descriptors.
fn allow(count: u64) {
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..getrlimit(Resource::Nofile) })
        .unwrap();
}

/// Takes all descriptors that are left but so many.
fn leave(count: usize) -> Vec<File> {
    let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    taken.truncate(taken.len() - count);
    taken
}

#[test]
fn a_group_of_a_thousand_files_needs_a_handful_of_descriptors() {
    fn body() {
        let house = House::new();
        let share = house.share();
        allow(40);
        for (round, if_exists) in
            [IfExists::Error("it is there"), IfExists::Overwrite, IfExists::Rename]
                .into_iter()
                .enumerate()
        {
            let items = (0..1000)
                .map(|number| {
                    let mut spool = spool(&share, "new", &number.to_string());
                    spool.finish().unwrap();
                    (spool, path(&format!("new/folder/{number}")))
                })
                .collect();
            let placed = share.place(items, &Place { if_exists, ..UPLOAD }).unwrap();
            assert_eq!(placed.len(), 1000);
            assert_eq!(house.on_disk("new/folder").len(), if round == 2 { 2000 } else { 1000 });
        }
        assert_eq!(opened(&share, "new/folder/999").unwrap(), "999");
        assert!(house.unfinished("").is_empty());
    }
    let name = "scarce::a_group_of_a_thousand_files_needs_a_handful_of_descriptors";
    alone(name, Surroundings::Process, body, || unreachable!());
}

#[test]
fn who_takes_things_out_of_very_many_folders_leaves_descriptors_to_others() {
    fn body() {
        let house = House::new();
        let share = house.share();
        let names: Vec<String> = (10..90).map(|number| format!("{number}/a")).collect();
        let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
        for name in &names {
            house.file(name, name);
        }
        house.folder("to");
        allow(120);
        let told = refusal(share.removal(&paths, None, Fate::Trash).map(drop));
        assert!(told.is_some_and(|told| told.contains("Too many paths")));
        let to = path("to");
        let moving =
            share.relocate_into(TransferKind::Move, paths[..1].to_vec(), &to, IfExists::Rename);
        moving.unwrap().run(&Progress::default(), &mut |_, _| {}).unwrap();
        let moving =
            share.relocate_into(TransferKind::Move, paths[1..].to_vec(), &to, IfExists::Rename);
        let told = refusal(moving.unwrap().run(&Progress::default(), &mut |_, _| {}));
        assert!(told.is_some_and(|told| told.contains("Too many paths")));
        assert_eq!(house.on_disk("to"), ["a"]);
        for part in paths[1..].chunks(30) {
            let removal = share.removal(part, None, Fate::Trash).unwrap();
            removal.at_once(&mut |_, _| {}).unwrap();
        }
        assert!(names[1..].iter().all(|name| house.content(name).is_none()));
    }
    let name = "scarce::who_takes_things_out_of_very_many_folders_leaves_descriptors_to_others";
    alone(name, Surroundings::Process, body, || unreachable!());
}

#[test]
fn a_lack_of_descriptors_is_not_taken_for_an_absent_drive() {
    fn body() {
        let house = House::new();
        house.file("docs/a", "A");
        house.file("docs/sub/b", "B");
        let share = house.share();
        allow(64);
        for left in 0..8 {
            let taken = leave(left);
            let results = [
                refusal(house.vault.share(Arc::new(super::Grant::everything()), "ana")),
                refusal(house.vault.usage()),
                refusal(share.spool(Some(&path("docs")))),
                refusal(opened(&share, "docs/a")),
                refusal(entries(&share, "docs")),
                refusal(share.make_folder(&path(&format!("docs/{left}")))),
                refusal(share.remove(&path("docs/sub"), What::Tree, Fate::Trash)),
            ];
            assert!(house.vault.is_present());
            drop(taken);
            for told in results.into_iter().flatten() {
                assert!(
                    told.starts_with("input/output: Too many open files")
                        || told == "not found: Path does not exist"
                            && !house.root().join("docs/sub").exists(),
                    "{left}: {told}"
                );
            }
            if left == 0 {
                // Nothing was right or wrong; nothing was changed.
                assert_eq!(house.on_disk("docs"), ["a", "sub"]);
            }
        }
        assert!(!house.root().join("docs/sub").exists());
    }
    let name = "scarce::a_lack_of_descriptors_is_not_taken_for_an_absent_drive";
    alone(name, Surroundings::Process, body, || unreachable!());
}

#[test]
fn a_zip_for_which_descriptors_run_out_is_broken_off_not_incomplete() {
    fn body() {
        let house = House::new();
        house.file("docs/a", "A");
        house.file("docs/sub/b", "B");
        house.file("else/c", "C");
        house.link("docs/link", "../else/c");
        let share = house.share();
        let archive = share.zip(&path("docs")).unwrap();
        allow(64);
        let mut whole = Vec::new();
        archive.write(&mut whole).unwrap();
        let mut failures = 0;
        for left in 0..8 {
            let taken = leave(left);
            let mut bytes = Vec::new();
            let told = archive.write(&mut bytes);
            drop(taken);
            match told {
                Ok(_) => assert_eq!(bytes.len(), whole.len(), "with {left} descriptors"),
                Err(Error::Io(_)) => failures += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!((1..8).contains(&failures), "{failures}");
    }
    let name = "scarce::a_zip_for_which_descriptors_run_out_is_broken_off_not_incomplete";
    alone(name, Surroundings::Process, body, || unreachable!());
}

#[test]
fn a_folder_that_cannot_be_read_to_its_end_is_no_shorter_folder() {
    let house = House::new();
    let file = File::open(house.file("a", "A")).unwrap();
    let told = look::each_name(file.as_fd(), std::convert::identity, &mut |_| Ok(()));
    assert_eq!(told, Err(rustix::io::Errno::NOTDIR));
    assert!(fs::exists(house.root().join("a")).unwrap());
}
