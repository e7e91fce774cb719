//! Uploads that are gone on with, on drives that come and go and that fill up.

use super::super::lasting::UploadPlan;
use super::super::upload_record::UploadId;
use super::super::{Upload, UploadOwners};
use super::alone::{Surroundings, alone, mount, unmount};
use super::{House, UPLOAD, path};
use crate::error::{Error, Result};
use std::fs;
use std::sync::Mutex;
use std::time::Duration;

/// Begins an upload of so many bytes to a place.
fn begin(house: &House, name: &str, length: u64) -> Result<Upload> {
    house.share().begin_lasting_upload(&UploadPlan {
        owner: "ana",
        path: &path(name),
        length,
        kept: Duration::from_hours(1),
        note: "",
        comes_whole: false,
        hears: &|_| {},
        network: None,
        kept_empty: None,
    })
}

/// What its end does.
fn place(house: &House, upload: Upload, name: &str) {
    let share = house.share();
    upload.finish(|spool| share.place(vec![(spool, path(name))], &UPLOAD)).unwrap();
}

/// Lets the same folder be a drive at `usb`, once more.
fn plug_in(house: &House) {
    let disk = house.outside("disk");
    fs::create_dir_all(&disk).unwrap();
    mount(&["--bind", disk.to_str().unwrap(), house.folder("usb").to_str().unwrap()]);
}

#[test]
fn a_drive_that_was_away_is_believed_what_was_made_durable() {
    fn body() {
        let house = House::new();
        plug_in(&house);
        let mut upload = begin(&house, "usb/f", 10).unwrap();
        let id: UploadId = upload.id().unwrap().clone();
        upload.append(b"0123").unwrap();
        upload.checkpoint().unwrap();
        upload.append(b"45").unwrap();
        drop(upload);
        // It lies on that drive, and goes with it.
        assert!(house.outside("disk/.larder/parts").join(id.record()).exists());
        assert_eq!(house.share().uploads("ana").unwrap()[0].offset, 4);
        unmount(&house.root().join("usb"));
        assert!(house.share().uploads("ana").unwrap().is_empty());
        assert!(house.share().open_upload("ana", &id, None).is_err());
        plug_in(&house);
        assert_eq!(house.share().uploads("ana").unwrap()[0].offset, 4);
        let mut upload = house.share().open_upload("ana", &id, None).unwrap();
        assert_eq!(upload.offset(), 4);
        upload.append(b"456789").unwrap();
        place(&house, upload, "usb/f");
        assert_eq!(house.content("usb/f").as_deref(), Some("0123456789"));
        assert_eq!(fs::read_dir(house.outside("disk/.larder/parts")).unwrap().count(), 0);
    }
    let name = "uploads::a_drive_that_was_away_is_believed_what_was_made_durable";
    alone(name, Surroundings::Mounts, body, without_mounts);
}

/// The same without a drive: what is broken off goes on.
fn without_mounts() {
    let house = House::new();
    let mut upload = begin(&house, "f", 2).unwrap();
    let id = upload.id().unwrap().clone();
    upload.append(b"0").unwrap();
    upload.keep().unwrap();
    let mut upload = house.share().open_upload("ana", &id, None).unwrap();
    upload.append(b"1").unwrap();
    place(&house, upload, "f");
    assert_eq!(house.content("f").as_deref(), Some("01"));
}

#[test]
fn a_drive_that_is_full_keeps_what_it_took_and_room_that_was_promised() {
    fn body() {
        const MIB: u64 = 1 << 20;
        let house = House::new();
        let usb = house.folder("usb");
        mount(&["-t", "tmpfs", "-o", "size=8m", "none", usb.to_str().unwrap()]);
        assert!(matches!(begin(&house, "usb/a", 9 * MIB).err(), Some(Error::DiskFull)));
        let mut first = begin(&house, "usb/a", 6 * MIB).unwrap();
        // The rest of the drive is what is left for others.
        assert!(matches!(begin(&house, "usb/b", 3 * MIB).err(), Some(Error::DiskFull)));
        let filler = vec![1; 1 << 20];
        let mut others = 0;
        while fs::write(usb.join(format!("filler{others}")), &filler).is_ok() {
            others += 1;
        }
        assert!(others < 3);
        for _ in 0..6 {
            first.append(&filler).unwrap();
        }
        place(&house, first, "usb/a");
        assert_eq!(fs::metadata(usb.join("a")).unwrap().len(), 6 * MIB);
        assert_eq!(fs::read_dir(usb.join(".larder/parts")).unwrap().count(), 0);
    }
    let name = "uploads::a_drive_that_is_full_keeps_what_it_took_and_room_that_was_promised";
    alone(name, Surroundings::Mounts, body, without_mounts);
}

/// Of whom one is gone, and who hear of what of a crowd's goes.
#[derive(Default)]
struct Owners {
    /// Who is gone.
    gone: &'static str,
    /// Whether they cannot hear of anything now.
    is_deaf: bool,
    /// What they heard.
    heard: Mutex<Vec<String>>,
}

impl UploadOwners for Owners {
    fn is_gone(&self, owner: &str) -> bool {
        owner == self.gone
    }

    fn expires(&self, owner: &str, _id: &UploadId, length: u64) -> Result<()> {
        self.heard.lock().unwrap().push(format!("{owner} loses {length}"));
        if self.is_deaf { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn removed(&self, _id: &UploadId) {
        self.heard.lock().unwrap().push("gone".to_owned());
    }
}

/// The only test that tends: what is known of uploads is one for the process.
#[test]
fn what_waited_too_long_goes_and_all_of_who_is_gone() {
    let house = House::new();
    let begin = |owner, name, kept| {
        let path = path(name);
        let plan = UploadPlan {
            owner,
            path: &path,
            length: 4,
            kept,
            note: "",
            comes_whole: false,
            hears: &|_| {},
            network: None,
            kept_empty: None,
        };
        house.share().begin_lasting_upload(&plan).unwrap()
    };
    let waiting = |owner| house.share().uploads(owner).unwrap().len();
    drop(begin("late", "a", Duration::ZERO));
    drop(begin("stays", "b", Duration::from_hours(1)));
    assert!(house.vault.tend_uploads(&Owners::default()).unwrap() > 0);
    assert_eq!((waiting("late"), waiting("stays")), (0, 1));
    let mut at_work = begin("goes", "c", Duration::from_hours(1));
    drop(begin("goes", "d", Duration::from_hours(1)));
    house.vault.tend_uploads(&Owners { gone: "goes", ..Owners::default() }).unwrap();
    assert_eq!((waiting("goes"), waiting("stays")), (0, 1));
    assert!(at_work.append(b"x").is_err());
    assert_eq!(fs::read_dir(house.root().join(".larder/parts")).unwrap().count(), 2);
    // Of a crowd's its owners hear first, whoever else would sweep, and again until they could.
    drop(begin("crowd/1", "e", Duration::ZERO));
    house.vault.sweep().unwrap();
    let left = || fs::read_dir(house.root().join(".larder/parts")).unwrap().count();
    assert_eq!(left(), 4);
    let deaf = Owners { is_deaf: true, ..Owners::default() };
    house.vault.tend_uploads(&deaf).unwrap();
    assert_eq!((left(), deaf.heard.into_inner().unwrap()), (4, vec!["crowd/1 loses 4".to_owned()]));
    house.vault.sweep().unwrap();
    let owners = Owners::default();
    house.vault.tend_uploads(&owners).unwrap();
    assert_eq!((left(), owners.heard.into_inner().unwrap().len()), (2, 2));
}
