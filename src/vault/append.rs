//! Adding to the end of a file. The old content and what is added to it become a new file, which takes the
//! old one's place in one step: a reader sees the old or the new. Nothing is lost by that, so nothing goes
//! into the trash.

use super::journal::Journal;
use super::part::{UploadTarget, Version};
use super::progress::Progress;
use super::put::Aim;
use super::resolve::{Follow, Spot};
use super::share::{Need, Share};
use super::spool::Spool;
use super::thing::Judged;
use super::trash::Fate;
use super::write;
use crate::error::{Error, Result};
use crate::limits;
use std::sync::Arc;

impl Share {
    /// Puts a spool that begins with all of what was at its target there, durably. Gives the spool back
    /// when something else is there by now.
    ///
    /// Errors: `Refused`, `NotFound` (the folder), `Invalid`, `DiskFull`, `StorageAbsent`.
    pub fn extend(&self, target: &UploadTarget, mut spool: Spool) -> Result<Option<Spool>> {
        self.checked(|| {
            spool.finish()?;
            let mut spot = self.locate(&target.path, Need::Write, Follow::Last)?;
            let spool = self.on_filesystem_of(spool, &mut spot)?;
            if spot.stat.as_ref().map(Version::of) != target.was {
                return Ok(Some(spool));
            }
            let mut journal = Journal::new(self);
            let back = match target.was {
                Some(was) => put_over(spool, &spot, (target, was), &mut journal)?,
                None => write::add(spool, &spot, &target.path, &mut journal)?,
            };
            if back.is_none() {
                // It is in its place, whatever becomes of the old one.
                let _shown_if_it_stays = journal.settle()?.let_go(&Progress::default());
            }
            Ok(back)
        })
    }

    /// The same for what is to stand at the end of a file, whatever that is by now: of two who add at once
    /// nothing is lost. Returns the bytes of the whole.
    ///
    /// Errors: those of `extend`; `Conflict` when the file changes again and again.
    pub fn append(&self, mut target: UploadTarget, mut spool: Spool) -> Result<u64> {
        for _ in 0..limits::RACE_TRIES_MAX {
            let bytes = spool.len();
            let Some(back) = self.extend(&target, spool)? else { return Ok(bytes) };
            let old_end = target.size().unwrap_or(0);
            target = self.upload_target(&target.path, target.owner())?;
            spool = Spool::open(Arc::clone(&target.workshop))?;
            if target.was.is_some() {
                self.copy_into(&mut target, None, &mut spool)?;
            }
            back.copy_from(old_end, &mut spool)?;
        }
        Err(Error::Conflict("The file has changed meanwhile"))
    }
}

/// Puts a spool in the place of one version of a file; gives it back when another is there.
fn put_over(
    spool: Spool,
    spot: &Spot,
    (target, was): (&UploadTarget, Version),
    journal: &mut Journal<'_>,
) -> Result<Option<Spool>> {
    let (judged, fate) = (Judged::Content(was), Fate::Gone);
    let aside = spool.aside.clone();
    let aim = Aim { spot, named: &target.path, judged, aside: &aside, fate };
    write::replace(spool, aim, journal)
}

#[cfg(test)]
mod tests {
    use super::super::root::Quirks;
    use super::super::tests::{House, UPLOAD, path, upload};
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    /// The ways that drives have of putting a file in another's place, or of copying its beginning.
    fn houses() -> [House; 3] {
        [
            House::new(),
            House::with_quirks(Quirks { no_exchange: true, ..Quirks::default() }),
            House::with_quirks(Quirks { no_offload: true, no_links: true, ..Quirks::default() }),
        ]
    }

    /// An addition to `name` that has come whole and was not put there yet.
    fn added(share: &Share, name: &str, text: &str) -> (UploadTarget, Spool) {
        let mut target = share.upload_target(&path(name), "aa").unwrap();
        let mut spool = Spool::open(Arc::clone(&target.workshop)).unwrap();
        if target.size().is_some() {
            share.copy_into(&mut target, None, &mut spool).unwrap();
        }
        spool.write_all(text.as_bytes()).unwrap();
        (target, spool)
    }

    #[test]
    fn an_addition_leaves_nothing_in_the_trash_and_keeps_the_mode() {
        for house in houses() {
            let share = house.share();
            let file = house.file("log", "old");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
            let (target, spool) = added(&share, "log", "new");
            assert_eq!(share.append(target, spool).unwrap(), 6);
            assert_eq!(house.content("log").as_deref(), Some("oldnew"));
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
            let (target, spool) = added(&share, "fresh", "new");
            assert_eq!(share.append(target, spool).unwrap(), 3);
            assert_eq!(house.content("fresh").as_deref(), Some("new"));
            assert!(house.trashed("").is_empty() && house.unfinished("").is_empty());
        }
    }

    #[test]
    fn what_came_meanwhile_is_what_is_added_to() {
        for house in houses() {
            let share = house.share();
            house.file("log", "old");
            let (target, spool) = added(&share, "log", "+mine");
            upload(&share, &[("log", "replaced")], &UPLOAD).unwrap();
            let Some(spool) = share.extend(&target, spool).unwrap() else { panic!("given back") };
            assert_eq!(share.append(target, spool).unwrap(), 13);
            assert_eq!(house.content("log").as_deref(), Some("replaced+mine"));
            // What went is nothing to add to, and what is new since is.
            let (target, spool) = added(&share, "log", "+more");
            std::fs::remove_file(house.root().join("log")).unwrap();
            share.append(target, spool).unwrap();
            assert_eq!(house.content("log").as_deref(), Some("+more"));
            // It goes just before its content would be taken over.
            let mut target = share.upload_target(&path("log"), "aa").unwrap();
            let mut spool = Spool::open(Arc::clone(&target.workshop)).unwrap();
            std::fs::remove_file(house.root().join("log")).unwrap();
            share.copy_into(&mut target, None, &mut spool).unwrap();
            spool.write_all(b"+alone").unwrap();
            assert_eq!(share.append(target, spool).unwrap(), 6);
            assert_eq!(house.content("log").as_deref(), Some("+alone"));
            let (target, spool) = added(&share, "new", "+mine");
            house.file("new", "theirs");
            share.append(target, spool).unwrap();
            assert_eq!(house.content("new").as_deref(), Some("theirs+mine"));
            assert!(house.unfinished("").is_empty());
        }
    }

    #[test]
    fn what_comes_between_the_look_and_the_exchange_is_not_lost() {
        let house = House::new();
        let share = house.share();
        house.file("log", "old");
        let (target, mut spool) = added(&share, "log", "+mine");
        spool.finish().unwrap();
        let spot = share.locate(&path("log"), Need::Write, Follow::Last).unwrap();
        upload(&share, &[("log", "theirs")], &UPLOAD).unwrap();
        let mut journal = Journal::new(&share);
        let was = (&target, target.was.unwrap());
        let back = put_over(spool, &spot, was, &mut journal).unwrap();
        assert!(back.is_some());
        assert_eq!(house.content("log").as_deref(), Some("theirs"));
        drop((back, journal));
        assert_eq!(house.content("log").as_deref(), Some("theirs"));
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn a_beginning_is_as_long_as_asked_for() {
        for house in houses() {
            let share = house.share();
            house.file("f", "0123456789");
            let mut target = share.upload_target(&path("f"), "aa").unwrap();
            let mut spool = Spool::open(Arc::clone(&target.workshop)).unwrap();
            share.copy_into(&mut target, Some(4), &mut spool).unwrap();
            spool.write_all(b"!").unwrap();
            assert_eq!(spool.len(), 5);
            share.place(vec![(spool, path("f"))], &UPLOAD).unwrap();
            assert_eq!(house.content("f").as_deref(), Some("0123!"));
            let mut spool = Spool::open(Arc::clone(&target.workshop)).unwrap();
            let told = share.copy_into(&mut target, Some(6), &mut spool);
            assert!(matches!(told, Err(Error::Invalid(..))));
        }
    }
}
