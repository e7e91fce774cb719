//! Putting finished files into the share: all of a group or none, durable before it is said, each
//! name old or new at every instant.

use super::look;
use super::path::VaultPath;
use super::resolve::{Follow, Spot};
use super::share::{Need, Share};
use super::spool::{Spool, is_replaceable};
use super::{NOT_THERE, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;
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

/// How a group of files is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// See `IfExists`.
    pub if_exists: IfExists,
    /// Whether missing folders are made.
    pub make_parents: bool,
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
}

/// What was changed so far and how to undo it, in order.
enum Step {
    /// A folder was made.
    Made(Arc<OwnedFd>, String),
    /// A file was put where nothing was.
    Added(Arc<OwnedFd>, String),
    /// A file changed places with the one that it replaces, which waits in the spool.
    Exchanged(Arc<OwnedFd>, String, Spool),
    /// A file replaced another for good: nothing can be undone.
    Replaced,
}

impl Share {
    /// Puts every spool in its place, or none.
    ///
    /// A file that replaces another gets its mode. Through a link that stays inside the share the file
    /// behind it is replaced. Where the filesystem cannot exchange two names, a failure after the first
    /// replacement of several cannot be undone; each file is whole all the same.
    ///
    /// Errors: `Refused`, `NotFound` (the folder), `Collision`, `Invalid`, `DiskFull`, `StorageAbsent`.
    pub fn place(&self, items: Vec<(Spool, VaultPath)>, options: &Place) -> Result<Vec<Placed>> {
        for (_, path) in &items {
            self.ask(path, Need::Write)?;
            if path.is_root() {
                return Err(Error::invalid("Path is not a file"));
            }
            if path.is_reserved() {
                return Err(Error::invalid("Invalid name"));
            }
        }
        self.checked(|| {
            let mut steps = Vec::new();
            let done = self.place_all(items, options, &mut steps);
            if done.is_err() {
                undo(steps);
            }
            done
        })
    }

    /// The work of `place`; what was changed is told in `steps`, also on failure.
    fn place_all(
        &self,
        items: Vec<(Spool, VaultPath)>,
        options: &Place,
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Placed>> {
        let is_group = items.len() > 1;
        let mut placed = Vec::with_capacity(items.len());
        let mut folders: Vec<Arc<OwnedFd>> = Vec::new();
        for (mut spool, path) in items {
            spool.finish()?;
            if options.make_parents
                && let Some(parent) = path.parent()
            {
                self.make_missing(&parent, steps)?;
            }
            let size = spool.len();
            let (path, folder) = match options.if_exists {
                IfExists::Overwrite => self.overwrite(spool, path, options, is_group, steps)?,
                IfExists::Rename => self.take_free_name(spool, &path, steps)?,
                IfExists::Error(sentence) => {
                    let (spool, spot) = self.bring_near(spool, &path)?;
                    if !self.add(spool, &spot, steps)? {
                        return Err(Error::Collision(sentence));
                    }
                    (path, spot.folder)
                }
            };
            // Many files usually go into one folder; it is synced once.
            let id =
                |folder: &OwnedFd| look::look_at(folder).map(|stat| look::id_of(&stat)).map_err(os);
            let this = id(&folder)?;
            let mut is_known = false;
            for other in &folders {
                is_known |= id(other)? == this;
            }
            if !is_known {
                folders.push(folder);
            }
            placed.push(Placed { path, size });
        }
        for folder in &folders {
            look::sync_folder(&**folder).map_err(os)?;
        }
        Ok(placed)
    }

    /// Makes a folder and those above it where they are missing, each durable.
    fn make_missing(&self, path: &VaultPath, steps: &mut Vec<Step>) -> Result<()> {
        // Most often it is there.
        if self.finder.locate(path, Follow::Last).is_ok_and(|spot| spot.is_folder()) {
            return Ok(());
        }
        let mut place = VaultPath::root();
        for part in path.components() {
            place = place.join(part);
            let spot = self.finder.locate(&place, Follow::Last)?;
            if spot.is_folder() {
                continue;
            }
            if spot.stat.is_some() {
                return Err(Error::invalid("Path is not a folder"));
            }
            match rustix::fs::mkdirat(&*spot.folder, &spot.name, Mode::from(0o777)) {
                Ok(()) => steps.push(Step::Made(Arc::clone(&spot.folder), spot.name.clone())),
                // Somebody else was faster; that is as good.
                Err(Errno::EXIST) => continue,
                Err(errno) => return Err(os(errno)),
            }
            look::sync_folder(&*spot.folder).map_err(os)?;
        }
        Ok(())
    }

    /// Finds where a new name will be, and sees to it that the spool is on that filesystem.
    fn bring_near(&self, spool: Spool, path: &VaultPath) -> Result<(Spool, Spot)> {
        let spot = self.locate(path, Need::Write, Follow::NotLast)?;
        Ok((self.on_filesystem_of(spool, &spot)?, spot))
    }

    /// The spool, or a copy of it on the filesystem of a place.
    fn on_filesystem_of(&self, mut spool: Spool, spot: &Spot) -> Result<Spool> {
        let filesystem = look::filesystem_of(&look::look_at(&*spot.folder).map_err(os)?);
        if filesystem == spool.filesystem {
            return Ok(spool);
        }
        let parent = spot.path.parent().unwrap_or_default();
        spool.moved_to(self.finder.workshop(&parent)?)
    }

    /// Gives a spool a name that nothing has; false when something has it.
    fn add(&self, mut spool: Spool, spot: &Spot, steps: &mut Vec<Step>) -> Result<bool> {
        match self.rename_noreplace(&spool.folder, &spool.name, &spot.folder, &spot.name) {
            Ok(()) => {
                spool.is_pending = false;
                steps.push(Step::Added(Arc::clone(&spot.folder), spot.name.clone()));
                Ok(true)
            }
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(os(errno)),
        }
    }

    /// Puts a spool at `path`, whatever file is there.
    fn overwrite(
        &self,
        spool: Spool,
        path: VaultPath,
        options: &Place,
        is_group: bool,
        steps: &mut Vec<Step>,
    ) -> Result<(VaultPath, Arc<OwnedFd>)> {
        let mut spool = Some(spool);
        for _ in 0..limits::RACE_TRIES_MAX {
            let spot = self.locate(&path, Need::Write, Follow::Last)?;
            let near = spool.take().ok_or(Error::Bug("a spool was lost".into()))?;
            let mut near = self.on_filesystem_of(near, &spot)?;
            let Some(old) = &spot.stat else {
                let renamed =
                    self.rename_noreplace(&near.folder, &near.name, &spot.folder, &spot.name);
                match renamed {
                    Ok(()) => {
                        near.is_pending = false;
                        steps.push(Step::Added(Arc::clone(&spot.folder), spot.name));
                        return Ok((path, spot.folder));
                    }
                    Err(Errno::EXIST) => {
                        spool = Some(near);
                        continue;
                    }
                    Err(errno) => return Err(os(errno)),
                }
            };
            match look::type_of(old) {
                file_type if is_replaceable(file_type) => {}
                rustix::fs::FileType::Directory if !options.files_only => {
                    return Err(Error::Collision("Target already exists"));
                }
                _ => return Err(Error::invalid("Path is not a file")),
            }
            near.take_after(old)?;
            match self.replace(&mut near, &spot, is_group) {
                Ok(true) => steps.push(Step::Exchanged(Arc::clone(&spot.folder), spot.name, near)),
                Ok(false) => steps.push(Step::Replaced),
                // It went away meanwhile.
                Err(Errno::NOENT) => {
                    spool = Some(near);
                    continue;
                }
                Err(Errno::ISDIR) => return Err(Error::Collision("Target already exists")),
                Err(errno) => return Err(os(errno)),
            }
            return Ok((path, spot.folder));
        }
        Err(Error::Io(Errno::AGAIN.into()))
    }

    /// Replaces what is at a place; true when the old file now waits in the spool.
    fn replace(&self, spool: &mut Spool, spot: &Spot, keep_old: bool) -> rustix::io::Result<bool> {
        if keep_old && !self.finder.root.quirks.no_exchange {
            let exchanged = rustix::fs::renameat_with(
                &*spool.folder,
                &spool.name,
                &*spot.folder,
                &spot.name,
                RenameFlags::EXCHANGE,
            );
            match exchanged {
                Ok(()) => return Ok(true),
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                Err(errno) => return Err(errno),
            }
        }
        rustix::fs::renameat(&*spool.folder, &spool.name, &*spot.folder, &spot.name)?;
        spool.is_pending = false;
        Ok(false)
    }

    /// Puts a spool at the first free one of `name.ext`, `name (1).ext`, `name (2).ext` ...
    fn take_free_name(
        &self,
        spool: Spool,
        path: &VaultPath,
        steps: &mut Vec<Step>,
    ) -> Result<(VaultPath, Arc<OwnedFd>)> {
        let (mut spool, spot) = self.bring_near(spool, path)?;
        let parent = path.parent().unwrap_or_default();
        for number in 0..=limits::NUMBERED_NAMES_MAX {
            let name = numbered(path.name(), number);
            let place = parent.child(&name)?;
            self.ask(&place, Need::Write)?;
            match self.rename_noreplace(&spool.folder, &spool.name, &spot.folder, &name) {
                Ok(()) => {
                    spool.is_pending = false;
                    steps.push(Step::Added(Arc::clone(&spot.folder), name));
                    return Ok((place, spot.folder));
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(os(errno)),
            }
        }
        Err(Error::Collision("Target already exists"))
    }

    /// Renames a file in one step that cannot overwrite; where the filesystem does not know how, by a
    /// second name, and where it has none of those either, by looking first.
    ///
    /// Errors: `EEXIST`.
    pub(super) fn rename_noreplace(
        &self,
        from: &OwnedFd,
        old: &str,
        to: &OwnedFd,
        new: &str,
    ) -> rustix::io::Result<()> {
        let quirks = self.finder.root.quirks;
        if !quirks.no_noreplace {
            match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                done => return done,
            }
        }
        let is_folder = look::look(from, old.as_bytes())?
            .is_some_and(|stat| look::type_of(&stat) == rustix::fs::FileType::Directory);
        if is_folder {
            // A folder may replace an empty one: the empty one claims the name.
            rustix::fs::mkdirat(to, new, Mode::RWXU)?;
            return rustix::fs::renameat(from, old, to, new).inspect_err(|_| {
                let _claim = rustix::fs::unlinkat(to, new, AtFlags::REMOVEDIR);
            });
        }
        if !quirks.no_links {
            match rustix::fs::linkat(from, old, to, new, AtFlags::empty()) {
                Ok(()) => return rustix::fs::unlinkat(from, old, AtFlags::empty()),
                Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
                Err(errno) => return Err(errno),
            }
        }
        if look::look(to, new.as_bytes())?.is_some() {
            return Err(Errno::EXIST);
        }
        rustix::fs::renameat(from, old, to, new)
    }
}

/// Takes back what was done, the last step first. What cannot be taken back stays; each file is whole.
fn undo(steps: Vec<Step>) {
    for step in steps.into_iter().rev() {
        let undone = match step {
            Step::Made(folder, name) => rustix::fs::unlinkat(&*folder, &name, AtFlags::REMOVEDIR),
            Step::Added(folder, name) => rustix::fs::unlinkat(&*folder, &name, AtFlags::empty()),
            Step::Exchanged(folder, name, spool) => rustix::fs::renameat_with(
                &*spool.folder,
                &spool.name,
                &*folder,
                &name,
                RenameFlags::EXCHANGE,
            ),
            Step::Replaced => Ok(()),
        };
        let _nothing_more_to_be_done = undone;
    }
}

/// `name.ext` for 0, else `name (number).ext`, the stem cut so that the whole fits.
fn numbered(name: &str, number: usize) -> String {
    if number == 0 {
        return name.to_owned();
    }
    // A leading dot hides a file; it begins no extension.
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    };
    let tail = format!(" ({number}){extension}");
    let room = limits::NAME_BYTES_MAX.saturating_sub(tail.len());
    let stem = &stem[..stem.floor_char_boundary(room)];
    // An extension that fills the name alone leaves no room for a number: it is cut instead.
    let whole = format!("{stem}{tail}");
    if whole.len() <= limits::NAME_BYTES_MAX {
        return whole;
    }
    let short = format!("({number}){extension}");
    short[..short.floor_char_boundary(limits::NAME_BYTES_MAX)].to_owned()
}

/// What a place that must be there is called by, when it is not.
pub(super) fn there(spot: &Spot) -> Result<&rustix::fs::Statx> {
    spot.stat.as_ref().ok_or(NOT_THERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_before_the_extension_and_fit() {
        assert_eq!(numbered("a.txt", 0), "a.txt");
        assert_eq!(numbered("a.txt", 1), "a (1).txt");
        assert_eq!(numbered("a.tar.gz", 2), "a.tar (2).gz");
        assert_eq!(numbered(".hidden", 1), ".hidden (1)");
        assert_eq!(numbered("a", 10), "a (10)");
        for name in
            ["x".repeat(255), format!("{}.jpeg", "ü".repeat(125)), format!("a.{}", "x".repeat(253))]
        {
            let longer = numbered(&name, 77);
            assert!(longer.len() <= 255 && longer.contains("(77)"), "{longer}");
        }
    }
}
