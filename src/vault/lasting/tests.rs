//! Uploads that last, over real drives.

use super::super::root::Quirks;
use super::super::tests::{House, UPLOAD, path};
use super::*;
use std::fs;

/// What kernels and filesystems may not know of giving a file its place.
fn quirks() -> [Quirks; 4] {
    let all = Quirks::default();
    [
        all,
        Quirks { no_exchange: true, ..all },
        Quirks { no_noreplace: true, no_links: true, ..all },
        Quirks { no_exchange: true, no_noreplace: true, no_links: true, ..all },
    ]
}

/// A plan for a file of so many bytes by `ana`.
fn plan(path: &VaultPath, length: u64) -> UploadPlan<'_> {
    UploadPlan {
        owner: "ana",
        path,
        length,
        kept: Duration::from_hours(1),
        note: "{\"a\":1}",
        comes_whole: false,
        hears: &|_| {},
        network: None,
        kept_empty: None,
    }
}

/// Begins one; it is open.
fn begin(share: &Share, name: &str, length: u64) -> Upload {
    share.begin_lasting_upload(&plan(&path(name), length)).unwrap()
}

/// Names in the folder where uploads wait.
fn kept(house: &House) -> usize {
    fs::read_dir(house.root().join(".larder/parts")).map_or(0, Iterator::count)
}

/// Takes the machine away under an upload, or its drive: what is written down was written elsewhere.
fn forget_here(house: &House, id: &UploadId) {
    let record = house.root().join(".larder/parts").join(id.record());
    let text = fs::read_to_string(&record).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let other = text.replace(boot.trim(), "another boot");
    assert_ne!(other, text);
    fs::write(record, other).unwrap();
}

#[test]
fn an_upload_goes_on_where_it_stood_and_ends_in_its_place() {
    for quirks in quirks() {
        goes_on_and_ends(&House::with_quirks(quirks));
    }
}

/// An upload that larder's end breaks off and that is gone on with.
fn goes_on_and_ends(house: &House) {
    let share = house.share();
    let mut upload = begin(&share, "new/film.mkv", 10);
    let id = upload.id().unwrap().clone();
    upload.append(b"0123").unwrap();
    // The end of larder is the end of no upload: nothing was said, nothing written down.
    std::mem::forget(upload);
    let told = share.uploads("ana").unwrap();
    assert_eq!((told[0].offset, told[0].length), (0, Some(10)));
    assert_eq!((told[0].path.as_str(), told[0].note.as_str()), ("new/film.mkv", "{\"a\":1}"));
    assert!(told[0].expires > Some(SystemTime::now()));
    let mut upload = share.open_upload("ana", &id, None).unwrap();
    assert_eq!(upload.offset(), 4);
    upload.append(b"456789").unwrap();
    let target = path("new/film.mkv");
    let placed = upload.finish(|spool| share.place(vec![(spool, target)], &UPLOAD)).unwrap();
    assert_eq!(placed[0].size, 10);
    assert_eq!(house.content("new/film.mkv").as_deref(), Some("0123456789"));
    assert!(share.uploads("ana").unwrap().is_empty());
    assert!(share.open_upload("ana", &id, None).is_err());
    assert_eq!((kept(house), house.unfinished("").len()), (0, 0));
}

#[test]
fn after_another_boot_only_what_was_made_durable_counts() {
    let house = House::new();
    let share = house.share();
    let mut upload = begin(&share, "f", 10);
    let id = upload.id().unwrap().clone();
    upload.append(b"0123").unwrap();
    upload.checkpoint().unwrap();
    upload.append(b"lost").unwrap();
    drop(upload);
    forget_here(&house, &id);
    assert_eq!(share.uploads("ana").unwrap()[0].offset, 4);
    let upload = share.open_upload("ana", &id, None).unwrap();
    assert_eq!(upload.offset(), 4);
    drop(upload);
    // What is written from now on counts again, and what was cut off does not come back.
    let mut upload = share.open_upload("ana", &id, None).unwrap();
    upload.append(b"45").unwrap();
    drop(upload);
    // Only what is durable is told, and it is made so by whoever is to tell more.
    assert_eq!(share.uploads("ana").unwrap()[0].offset, 4);
    let mut upload = share.open_upload("ana", &id, None).unwrap();
    assert_eq!(upload.offset(), 6);
    upload.settle().unwrap();
    drop(upload);
    assert_eq!(share.uploads("ana").unwrap()[0].offset, 6);
    assert_eq!(fs::read(house.root().join(".larder/parts").join(id.as_str())).unwrap(), b"012345");
}

#[test]
fn whoever_begins_the_same_again_takes_away_only_what_nobody_was_told_of() {
    let house = House::new();
    let share = house.share();
    let at = path("f");
    let whole = UploadPlan { comes_whole: true, ..plan(&at, 10) };
    let broken_off = || {
        let mut upload = share.begin_lasting_upload(&whole).unwrap();
        upload.append(b"0123").unwrap();
        let id = upload.id().unwrap().clone();
        upload.keep().unwrap();
        id
    };
    let first = broken_off();
    let second = broken_off();
    let ids = || share.uploads("ana").unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(), std::slice::from_ref(&second));
    assert!(share.open_upload("ana", &first, None).is_err());
    // Somebody knows of it from here on, and while it is worked on it is left alone in any case.
    let working = share.open_upload("ana", &second, None).unwrap();
    let third = broken_off();
    drop(working);
    let fourth = broken_off();
    let mut left = ids();
    left.sort();
    let mut wanted = vec![second, fourth];
    wanted.sort();
    assert_eq!(left, wanted);
    assert!(share.open_upload("ana", &third, None).is_err());
}

#[test]
fn nobody_finds_anothers_and_the_grant_is_asked_each_time() {
    let house = House::new();
    let share = house.share();
    let mut upload = begin(&share, "a/f", 3);
    let id = upload.id().unwrap().clone();
    upload.append(b"abc").unwrap();
    drop(upload);
    let other = share.open_upload("cam", &id, None);
    assert!(matches!(other, Err(Error::NotFound("Upload not found"))));
    assert!(share.drop_upload("cam", &id).is_err());
    assert!(share.uploads("cam").unwrap().is_empty());
    let narrow = house.share_of(&["b"], &["b"]);
    assert!(matches!(narrow.open_upload("ana", &id, None), Err(Error::Refused)));
    assert!(narrow.begin_lasting_upload(&plan(&path("a/g"), 1)).is_err());
    for name in ["", ".larder/x"] {
        assert!(share.begin_lasting_upload(&plan(&path(name), 1)).is_err(), "{name}");
    }
    // It waits all the same, and its owner drops it, even while somebody works on it.
    let mut working = share.open_upload("ana", &id, None).unwrap();
    share.drop_upload("ana", &id).unwrap();
    assert!(working.append(b"").is_err());
    assert!(working.finish(|_| Ok(())).is_err());
    assert_eq!(kept(&house), 0);
}

#[test]
fn what_could_not_be_placed_waits_and_is_tried_again() {
    let house = House::new();
    let share = house.share();
    house.folder("taken");
    let mut upload = begin(&share, "taken", 3);
    let id = upload.id().unwrap().clone();
    assert!(matches!(upload.append(b"abcd"), Err(Error::TooLarge)));
    upload.append(b"ab").unwrap();
    upload.append(b"c").unwrap();
    let place = |spool| share.place(vec![(spool, path("taken"))], &UPLOAD);
    assert!(upload.finish(place).is_err());
    let half = begin(&share, "half", 3);
    assert!(half.finish(|_| Ok(())).is_err());
    fs::remove_dir(house.root().join("taken")).unwrap();
    let upload = share.open_upload("ana", &id, None).unwrap();
    assert_eq!(upload.offset(), 3);
    upload.finish(place).unwrap();
    assert_eq!(house.content("taken").as_deref(), Some("abc"));
    assert_eq!(kept(&house), 2, "the half one waits");
}

#[test]
fn a_kill_on_the_way_to_its_place_leaves_it_there_or_waiting() {
    for is_placed in [false, true] {
        for quirks in quirks() {
            let house = House::with_quirks(quirks);
            let share = house.share();
            house.file("f", "old");
            let mut upload = begin(&share, "f", 3);
            let id = upload.id().unwrap().clone();
            upload.append(b"abc").unwrap();
            // Nothing that comes behind this moment is done.
            let killed = upload.finish(|spool| -> Result<()> {
                if is_placed {
                    share.place(vec![(spool, path("f"))], &UPLOAD)?;
                } else {
                    std::mem::forget(spool);
                }
                Err(Error::Cancelled)
            });
            assert!(killed.is_err());
            let parts = house.root().join(".larder/parts");
            assert!(parts.join(id.as_str()).exists() && parts.join(id.record()).exists());
            if is_placed {
                // Nobody writes into it any more.
                assert!(share.open_upload("ana", &id, None).is_err());
                house.vault.sweep().unwrap();
                assert_eq!(kept(&house), 0);
            } else {
                // The next process finds it before it sweeps what this one left.
                let tmp = house.root().join(".larder/tmp");
                for (number, name) in house.unfinished("").into_iter().enumerate() {
                    let theirs = format!("0011223344556677-{number}");
                    fs::rename(tmp.join(name), tmp.join(theirs)).unwrap();
                }
                let upload = share.open_upload("ana", &id, None).unwrap();
                assert_eq!(upload.offset(), 3);
                upload.finish(|spool| share.place(vec![(spool, path("f"))], &UPLOAD)).unwrap();
                assert_eq!(kept(&house), 0);
            }
            assert_eq!(house.content("f").as_deref(), Some("abc"));
        }
    }
}

#[test]
fn a_whole_that_does_not_fit_is_refused_before_its_first_byte() {
    let house = House::new();
    let share = house.share();
    for length in [1 << 60, u64::MAX] {
        let told = share.begin_lasting_upload(&plan(&path("f"), length)).err();
        assert!(matches!(told, Some(Error::DiskFull | Error::TooLarge)), "{told:?}");
    }
    let note = "x".repeat(limits::UPLOAD_NOTE_BYTES_MAX + 1);
    let place = path("f");
    let long = UploadPlan { note: &note, ..plan(&place, 1) };
    let told = share.begin_lasting_upload(&long).err();
    assert!(matches!(told, Some(Error::Invalid(..))), "{told:?}");
    assert_eq!((kept(&house), house.unfinished("").len()), (0, 0));
}

#[test]
fn open_uploads_are_bounded_for_one_and_for_all() {
    let house = House::in_memory();
    let share = house.share();
    let first = begin(&share, "f", 1).id().unwrap().clone();
    let parts = house.root().join(".larder/parts");
    let text = fs::read_to_string(parts.join(first.record())).unwrap();
    let add = |owner: &str| {
        let id = UploadId::new(None, owner).unwrap();
        fs::write(parts.join(id.record()), text.replace("ana", owner)).unwrap();
        fs::write(parts.join(id.as_str()), "").unwrap();
    };
    (1..limits::UPLOADS_PER_OWNER_MAX).for_each(|_| add("ana"));
    let place = path("another");
    let too_many = |owner| {
        let plan = UploadPlan { owner, ..plan(&place, 1) };
        matches!(share.begin_lasting_upload(&plan).err(), Some(Error::TooSoon { .. }))
    };
    assert!(too_many("ana") && !too_many("cam"));
    (0..limits::UPLOADS_MAX).for_each(|number| add(&number.to_string()));
    assert!(too_many("cam") && share.uploads("ana").unwrap().len() == 100);
    // What nobody can go on with makes room when it is needed.
    for record in fs::read_dir(&parts).unwrap().flatten() {
        if record.path().extension().is_some() && record.file_name() != *first.record() {
            fs::write(record.path(), "{}").unwrap();
        }
    }
    assert!(!too_many("ana"));
    assert_eq!(kept(&house), 4);
}

#[test]
fn crowds_take_nothing_from_others_and_nobody_in_them_all() {
    let house = House::in_memory();
    let share = house.share();
    let first = begin(&share, "f", 1).id().unwrap().clone();
    let parts = house.root().join(".larder/parts");
    let text = fs::read_to_string(parts.join(first.record())).unwrap();
    let add = |owner: &str, network: &str| {
        let id = UploadId::of_network(network, owner).unwrap();
        fs::write(parts.join(id.record()), text.replace("ana", owner)).unwrap();
        fs::write(parts.join(id.as_str()), "").unwrap();
    };
    let place = path("another");
    let too_many = |owner, network| {
        let plan = UploadPlan { owner, network, ..plan(&place, 1) };
        matches!(share.begin_lasting_upload(&plan).err(), Some(Error::TooSoon { .. }))
    };
    // One guest, by what tells them from others, and by where they are.
    (0..limits::UPLOADS_PER_GUEST_MAX).for_each(|number| add("link:5/a", &number.to_string()));
    assert!(too_many("link:5/a", Some("n")) && !too_many("link:5/b", Some("n")));
    (0..limits::UPLOADS_PER_GUEST_MAX).for_each(|number| add(&format!("link:5/{number}"), "m"));
    assert!(too_many("link:5/c", Some("m")) && too_many("link:5/", Some("m")));
    assert!(!too_many("link:5/", Some("n")));
    (0..limits::UPLOADS_PER_OWNER_MAX)
        .for_each(|number| add(&format!("link:5/{number}"), &number.to_string()));
    assert!(too_many("link:5/d", Some("n")) && !too_many("link:55/d", Some("n")));
    (0..limits::UPLOADS_OF_CROWDS_MAX)
        .for_each(|number| add(&format!("link:{number}/"), &number.to_string()));
    assert!(too_many("link:x/d", Some("n")));
    (0..limits::UPLOADS_MAX).for_each(|number| add("link:6/", &number.to_string()));
    assert!(!too_many("ana", None) && !too_many("cam", None));
    // Whoever knows the id goes on with it; with a link all go that came by it, and nobody else's.
    let home = fs::File::open(house.root().join(".larder")).unwrap();
    let gone = waiting::drop_all_of(home.as_fd(), "link:6/");
    assert_eq!(gone, limits::UPLOADS_MAX as u64 + 1);
    assert_eq!(waiting::drop_all_of(home.as_fd(), "link:5/a"), 20);
}

#[test]
fn what_a_guest_says_that_they_will_bring_takes_no_room() {
    use std::os::unix::fs::MetadataExt;

    let house = House::new();
    let share = house.share();
    let place = path("promised");
    let length = 8 << 20;
    let taken = |id: &UploadId| {
        fs::metadata(house.root().join(".larder/parts").join(id.as_str())).unwrap().blocks()
    };
    let own = begin(&share, "own", length).id().unwrap().clone();
    let guest = UploadPlan { owner: "link:5/a", network: Some("n"), ..plan(&place, length) };
    let guests = share.begin_lasting_upload(&guest).unwrap().id().unwrap().clone();
    assert_eq!(taken(&guests), 0, "when it begins; its owner's takes {}", taken(&own));
    drop(share.open_upload("link:5/a", &guests, None).unwrap());
    assert_eq!(taken(&guests), 0, "when it goes on");
    // What is asked beyond all that is free is refused at once.
    let endless = share.begin_lasting_upload(&UploadPlan { length: 1 << 50, ..guest });
    assert!(matches!(endless.err(), Some(Error::DiskFull | Error::TooLarge)));
}

#[test]
fn what_has_no_byte_may_be_kept_for_less() {
    let house = House::new();
    let share = house.share();
    let (at, short) = (path("f"), Duration::from_mins(1));
    let plan = UploadPlan { kept_empty: Some(short), ..plan(&at, 3) };
    let mut upload = share.begin_lasting_upload(&plan).unwrap();
    assert!(upload.expires().unwrap() <= SystemTime::now() + short);
    upload.append(b"a").unwrap();
    upload.keep().unwrap();
    let waits = share.uploads("ana").unwrap().pop().unwrap();
    assert!(waits.expires.unwrap() > SystemTime::now() + short * 2);
}

#[test]
fn a_record_that_lies_changes_nothing_but_itself() {
    let house = House::new();
    let share = house.share();
    house.file("precious", "kept");
    let parts = house.root().join(".larder/parts");
    for (from, to) in [
        ("\"f\"", "\"../precious\""),
        ("\"f\"", "\".larder/id\""),
        ("\"offset\":3", "\"offset\":9"),
        ("\"length\":4", "\"length\":2"),
        ("\"ana\"", "\"cam\""),
    ] {
        let mut upload = begin(&share, "f", 4);
        let id = upload.id().unwrap().clone();
        upload.append(b"abc").unwrap();
        upload.keep().unwrap();
        let text = fs::read_to_string(parts.join(id.record())).unwrap();
        let lie = text.replacen(from, to, 1);
        assert_ne!(lie, text);
        fs::write(parts.join(id.record()), lie).unwrap();
        assert!(share.open_upload("ana", &id, None).is_err(), "{to}");
    }
    // Bytes that are none.
    let upload = begin(&share, "f", 4);
    let id = upload.id().unwrap().clone();
    drop(upload);
    fs::remove_file(parts.join(id.as_str())).unwrap();
    std::os::unix::fs::symlink("../../precious", parts.join(id.as_str())).unwrap();
    assert!(share.open_upload("ana", &id, None).is_err());
    assert_eq!(house.content("precious").as_deref(), Some("kept"));
}
