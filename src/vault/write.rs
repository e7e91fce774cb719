//! Putting finished files into the share: all of a group or none, durable before it is said, each
//! name old or new at every instant.

use super::group::Change;
use super::journal::{Journal, Step};
use super::look;
use super::numbered::numbered;
use super::path::VaultPath;
use super::progress::Progress;
use super::put::{Aim, Put};
use super::resolve::{Follow, Lost, Spot, is_taken, refuse_new};
use super::share::{Need, Share};
use super::spool::{Spool, is_replaceable};
use super::thing::Judged;
use super::trash::Fate;
use super::trash_id::TrashId;
use super::{os, os_new_name, raw_name, room_for};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::Arc;

/// What to do about a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// Replace it.
    Overwrite,
    /// Take the next free name, `name (1).ext`.
    Rename,
    /// Refuse, with this sentence.
    Error(&'static str),
}

impl IfExists {
    /// Refuse, as the contract says it where nothing else is asked for.
    pub const REFUSE: Self = Self::Error("Target already exists");
}

/// How a group of files is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// See `IfExists`.
    pub if_exists: IfExists,
    /// Whether missing folders are made.
    pub make_parents: bool,
    /// Whether an empty file that is replaced is gone for good: some programs put one before each file.
    pub drops_empty: bool,
    /// Whether a folder in the way is a mistake in the question (`Path is not a file`) rather than a
    /// collision.
    pub files_only: bool,
}

/// One file in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it is, by the name that was used.
    pub path: VaultPath,
    /// Bytes.
    pub size: u64,
    /// Whether there was none before.
    pub is_new: bool,
    /// Where in the trash the file is that it replaced; `None` when nothing went there.
    pub trash: Option<TrashId>,
}

/// What a group is told that holds two files for one place.
const TWICE: Error = Error::Conflict("Two files have the same name");

impl Share {
    /// Puts every spool in its place, or none.
    ///
    /// A file that replaces another gets its mode; the other goes into the trash. Through a link that stays
    /// inside the share the file behind it is replaced. Where nothing can be kept and the filesystem can neither
    /// exchange two names nor give a file a second one, a failure after the first replacement of several cannot
    /// be undone; each file is whole all the same.
    ///
    /// Errors: `Refused`, `NotFound` (the folder), `Collision`, `Invalid`, `DiskFull`, `StorageAbsent`.
    pub fn place(&self, items: Vec<(Spool, VaultPath)>, options: &Place) -> Result<Vec<Placed>> {
        for (_, path) in &items {
            self.ask(path, Need::Write)?;
            if path.is_root() {
                return Err(Error::invalid_as(Why::NotAFile, "Path is not a file"));
            }
            if path.is_reserved() {
                return Err(Error::invalid_as(Why::Name, "Invalid name"));
            }
        }
        let mut paths = HashSet::with_capacity(items.len());
        if options.if_exists != IfExists::Rename
            && !items.iter().all(|(_, path)| paths.insert(path))
        {
            return Err(TWICE);
        }
        self.checked(|| {
            let mut journal = Journal::new(self);
            let mut placed = self.place_all(items, options, &mut journal)?;
            let settled = journal.settle()?;
            // Each file is in its place by one step.
            for (placed, (is_new, trash)) in placed.iter_mut().zip(settled.facts()) {
                (placed.is_new, placed.trash) = (is_new, trash);
            }
            // Everything is in its place, whatever becomes of what was replaced.
            let _shown_if_it_stays = settled.let_go(&Progress::default());
            Ok(placed)
        })
    }

    /// The work of `place`, but for what is known only when it is settled.
    fn place_all(
        &self,
        mut items: Vec<(Spool, VaultPath)>,
        options: &Place,
        journal: &mut Journal<'_>,
    ) -> Result<Vec<Placed>> {
        items.iter_mut().try_for_each(|(spool, _)| spool.finish())?;
        if items.len() > 1 {
            journal.group = Some(self.begin_group(self.plan(&items, options)?)?);
        }
        let mut placed = Vec::with_capacity(items.len());
        for (spool, path) in items {
            if options.make_parents {
                self.refuse_new_folders(&path)?;
                self.make_missing(&path, journal)?;
            }
            let size = spool.len();
            let path = match options.if_exists {
                IfExists::Overwrite => self.overwrite(spool, path, options, journal)?,
                IfExists::Rename => self.take_free_name(spool, &path, journal)?,
                IfExists::Error(sentence) => {
                    let (spool, spot) = self.bring_near(spool, &path)?;
                    if add(spool, &spot, &path, journal)?.is_some() {
                        let is_twice =
                            journal.has_put(&self.finder.locate(&path, Follow::NotLast)?);
                        return Err(if is_twice { TWICE } else { Error::Collision(sentence) });
                    }
                    path
                }
            };
            placed.push(Placed { path, size, is_new: false, trash: None });
        }
        Ok(placed)
    }

    /// What a group of files is about to change, as far as that can be known.
    fn plan(&self, items: &[(Spool, VaultPath)], options: &Place) -> Result<Vec<Change>> {
        let follow = match options.if_exists {
            IfExists::Overwrite => Follow::Last,
            IfExists::Rename | IfExists::Error(_) => Follow::NotLast,
        };
        let mut changes: Vec<Change> = Vec::with_capacity(items.len());
        let mut taken = HashSet::with_capacity(items.len());
        for (spool, path) in items {
            let mut place = self.finder.destination(path, follow)?;
            if options.if_exists == IfExists::Rename {
                place = self.finder.next_free(&place, |place| taken.contains(place))?;
            }
            taken.insert(place.clone());
            changes.push(spool.coming_to(place)?);
        }
        Ok(changes)
    }

    /// Whether a folder above `path` would have to be made whose name is no text.
    fn refuse_new_folders(&self, path: &VaultPath) -> Result<()> {
        let mut above = path.parent();
        while let Some(folder) = above.filter(VaultPath::has_raw_names) {
            match self.finder.locate(&folder, Follow::Last) {
                Ok(spot) => refuse_new(&spot)?,
                Err(Lost::Missing) => raw_name::must_be_text(&folder.name_on_disk())?,
                Err(lost) => return Err(lost.into()),
            }
            above = folder.parent();
        }
        Ok(())
    }

    /// Finds where a new name will be, and sees to it that the spool is on that filesystem.
    fn bring_near(&self, spool: Spool, path: &VaultPath) -> Result<(Spool, Spot)> {
        let mut spot = self.locate(path, Need::Write, Follow::NotLast)?;
        refuse_new(&spot)?;
        let spool = self.on_filesystem_of(spool, &mut spot)?;
        Ok((spool, spot))
    }

    /// The spool, or a copy of it on the filesystem of a place.
    pub(super) fn on_filesystem_of(&self, mut spool: Spool, spot: &mut Spot) -> Result<Spool> {
        spot.folder = self.finder.shared(Arc::clone(&spot.folder)).map_err(os)?;
        let folder = look::look_at(&*spot.folder).map_err(os)?;
        if look::filesystem_of(&folder) != spool.filesystem {
            let parent = spot.path.parent().unwrap_or_default();
            let workshop = self.finder.workshop(&parent)?;
            room_for::make_room_for(&workshop, spool.len())?;
            spool = spool.moved_to(workshop)?;
        }
        if spot.stat.is_none() {
            spool.belong_to(&folder)?;
        }
        Ok(spool)
    }

    /// Puts a spool at `path`, whatever file is there.
    fn overwrite(
        &self,
        spool: Spool,
        path: VaultPath,
        options: &Place,
        journal: &mut Journal<'_>,
    ) -> Result<VaultPath> {
        let mut spool = Some(spool);
        for _ in 0..limits::RACE_TRIES_MAX {
            let mut spot = self.locate(&path, Need::Write, Follow::Last)?;
            let near = spool.take().ok_or(Error::Bug("a spool was lost".into()))?;
            let near = self.on_filesystem_of(near, &mut spot)?;
            let Some(old) = &spot.stat else {
                refuse_new(&spot)?;
                spool = add(near, &spot, &path, journal)?;
                if spool.is_none() {
                    return Ok(path);
                }
                continue;
            };
            if journal.has_put(&spot) {
                return Err(TWICE);
            }
            match look::type_of(old) {
                file_type if is_replaceable(file_type) => {}
                FileType::Directory if !options.files_only => {
                    return Err(Error::Collision("Target already exists"));
                }
                _ => return Err(Error::invalid_as(Why::NotAFile, "Path is not a file")),
            }
            // What came back went away meanwhile.
            let is_dropped = options.drops_empty && old.stx_size == 0;
            let fate = if is_dropped { Fate::Gone } else { Fate::Trash };
            let judged = Judged::AnyFile;
            let aside = near.aside.clone();
            let aim = Aim { spot: &spot, named: &path, judged, aside: &aside, fate };
            spool = replace(near, aim, journal)?;
            if spool.is_none() {
                return Ok(path);
            }
        }
        Err(Error::Io(Errno::AGAIN.into()))
    }

    /// Puts a spool at the first free one of `name.ext`, `name (1).ext`, `name (2).ext` ...
    fn take_free_name(
        &self,
        spool: Spool,
        path: &VaultPath,
        journal: &mut Journal<'_>,
    ) -> Result<VaultPath> {
        let (mut spool, mut spot) = self.bring_near(spool, path)?;
        let parent = path.parent().unwrap_or_default();
        let real_parent = spot.path.parent().unwrap_or_default();
        for number in 0..=limits::NUMBERED_NAMES_MAX {
            let name = numbered(path.name(), number);
            let place = parent.child(&name)?;
            self.ask(&place, Need::Write)?;
            spot.path = real_parent.join(&name);
            self.ask(&spot.path, Need::Write)?;
            spot.name = place.name_on_disk();
            // A name that is taken is not worth telling in the record of a group.
            if (number > 0 || journal.group.is_some()) && is_taken(&spot)? {
                continue;
            }
            spool = match add(spool, &spot, &place, journal)? {
                Some(spool) => spool,
                None => return Ok(place),
            };
        }
        Err(Error::Collision("Target already exists"))
    }
}

/// Sees to it that the record of the group, if there is one, tells of a spool that goes to a place.
fn expect(spool: &Spool, spot: &Spot, journal: &mut Journal<'_>) -> Result<()> {
    if journal.group.is_none() {
        return Ok(());
    }
    let number = journal.done.iter().filter_map(Step::is_new).count();
    journal.expect(number, spool.coming_to(spot.path.clone())?)
}

/// Gives a spool a name that nothing has; gives the spool back when something has it.
pub(super) fn add(
    spool: Spool,
    spot: &Spot,
    named: &VaultPath,
    journal: &mut Journal<'_>,
) -> Result<Option<Spool>> {
    let _coming = journal.share.changing(&spot.path);
    journal.share.may_come(&spot.path)?;
    expect(&spool, spot, journal)?;
    journal.add(spool, (&spot.folder, &spot.name), named).map_err(os_new_name)
}

/// Puts a spool where a file is; gives the spool back when none is there any more.
pub(super) fn replace(
    mut spool: Spool,
    aim: Aim<'_>,
    journal: &mut Journal<'_>,
) -> Result<Option<Spool>> {
    spool.take_after(aim.spot)?;
    expect(&spool, aim.spot, journal)?;
    journal.replace(spool, aim).map_err(Put::told)
}

#[cfg(test)]
mod tests {
    use super::super::root::Quirks;
    use super::super::tests::{House, UPLOAD, path, spool, upload};
    use super::super::trash::What;
    use super::*;

    /// Places a group and hands out its journal, as if one more file were still to come.
    fn half_placed<'a>(share: &'a Share, names: &[&str]) -> Journal<'a> {
        let items = names.iter().map(|name| (spool(share, "", "half"), path(name))).collect();
        let mut journal = Journal::new(share);
        share.place_all(items, &UPLOAD, &mut journal).unwrap();
        journal
    }

    #[test]
    fn taking_back_leaves_what_somebody_else_has_put_there_since() {
        let house = House::new();
        let share = house.share();
        house.file("old", "old");
        house.file("older", "older");
        let journal =
            half_placed(&share, &["new", "newer", "newest", "old", "older", "made/by/us"]);
        // Before the group fails, somebody else replaces two of its files, and is told that it worked;
        // a third goes, and a folder takes its place; a fourth file comes into the group's new folder.
        upload(&share, &[("new", "theirs")], &UPLOAD).unwrap();
        upload(&share, &[("old", "theirs")], &UPLOAD).unwrap();
        share.remove(&path("newest"), What::File, Fate::Trash).unwrap();
        house.file("newest/in", "theirs");
        upload(&share, &[("made/by/them", "theirs")], &UPLOAD).unwrap();
        drop(journal);
        for name in ["new", "old", "newest/in", "made/by/them"] {
            assert_eq!(house.content(name).as_deref(), Some("theirs"), "{name}");
        }
        assert_eq!(house.content("older").as_deref(), Some("older"));
        assert_eq!(house.on_disk(""), ["made", "new", "newest", "old", "older"]);
        assert_eq!(house.on_disk("made/by"), ["them"]);
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn what_was_replaced_for_good_is_shown_beside_what_has_come_since() {
        let house = House::new();
        house.vault.keep_trash(30, 0);
        let share = house.share();
        let place = house.file("old", "old");
        let journal = half_placed(&share, &["old", "new"]);
        std::fs::remove_file(place).unwrap();
        house.file("old", "theirs");
        drop(journal);
        assert_eq!(house.content("old").as_deref(), Some("theirs"));
        assert_eq!(house.content("old (1)").as_deref(), Some("old"));
        assert_eq!(house.on_disk(""), ["old", "old (1)"]);
        assert!(house.unfinished("").is_empty());
    }

    #[test]
    fn an_upload_that_waits_is_never_shown_when_its_place_is_taken_back() {
        let house = House::new();
        house.vault.keep_trash(30, 0);
        let share = house.share();
        house.file("old", "old");
        let mut waits = spool(&share, "", "half");
        waits.finish().unwrap();
        let workshop = share.finder.workshop(&VaultPath::root()).unwrap();
        waits.stay_at(&workshop, "waits").unwrap();
        let mut journal = Journal::new(&share);
        share.place_all(vec![(waits, path("old"))], &UPLOAD, &mut journal).unwrap();
        assert_eq!(house.content("old").as_deref(), Some("half"));
        drop(journal);
        assert_eq!(house.content("old").as_deref(), Some("old"));
        assert_eq!(house.on_disk(""), ["old"]);
        assert_eq!(house.unfinished(""), ["waits"]);
    }

    #[test]
    fn a_folder_that_has_come_since_is_not_replaced() {
        for no_exchange in [false, true] {
            let house = House::with_quirks(Quirks { no_exchange, ..Quirks::default() });
            let share = house.share();
            let place = house.file("name", "old");
            let spot = share.locate(&path("name"), Need::Write, Follow::Last).unwrap();
            std::fs::remove_file(place).unwrap();
            house.file("name/precious", "kept");
            for is_kept in [true, false] {
                house.vault.keep_trash(30, if is_kept { 10 } else { 0 });
                let mut spool = spool(&share, "", "new");
                spool.finish().unwrap();
                // What is no file any more went away: the place is looked at again.
                let (judged, fate) = (Judged::AnyFile, Fate::Trash);
                let (named, aside) = (&path("name"), &spool.aside.clone());
                let aim = Aim { spot: &spot, named, judged, aside, fate };
                assert!(replace(spool, aim, &mut Journal::new(&share)).unwrap().is_some());
            }
            assert!(house.trashed("").is_empty());
            assert_eq!(house.content("name/precious").as_deref(), Some("kept"));
            assert!(house.unfinished("").is_empty());
        }
    }

    #[test]
    fn what_came_between_an_exchange_and_its_taking_back_goes_back() {
        let house = House::new();
        let share = house.share();
        house.file("name", "old");
        let journal = half_placed(&share, &["name", "other"]);
        let Some(Step::Put { from, folder, name, .. }) = journal.done.first() else {
            panic!("exchanged")
        };
        upload(&share, &[("name", "theirs")], &UPLOAD).unwrap();
        from.exchange_back(folder, name).unwrap();
        assert_eq!(house.content("name").as_deref(), Some("theirs"));
    }
}
