//! Looking through folders for pictures, and noting what was found. What has not changed is not read again, and its
//! note stays as it is.

use super::path::VaultPath;
use super::photos_look::{self, Depth};
use super::photos_note::{Head, Noted};
use super::photos_walk::{Start, Visit};
use super::progress::Progress;
use super::share::Share;
use crate::error::Result;
use crate::threads;
use std::time::SystemTime;

impl Share {
    /// Finds the folders that are to be looked through for pictures.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`.
    pub fn photo_scan(&self, path: &VaultPath) -> Result<PhotoScan> {
        let starts = self.checked(|| self.photo_starts(path))?;
        Ok(PhotoScan { share: self.clone(), path: path.clone(), starts })
    }

    /// Notes the pictures of a folder, and what is below it, too, if that is wanted.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `Cancelled`, `DiskFull`, `Io`, `StorageAbsent`.
    pub(super) fn note_photos(
        &self,
        path: &VaultPath,
        is_deep: bool,
        progress: &Progress,
    ) -> Result<()> {
        let starts = self.photo_starts(path)?;
        let _turn = self.finder.root.looking.turn(path, progress)?;
        let visit = &mut |visit: &mut Visit<'_>| look_through(visit, is_deep, progress).map(|_| ());
        self.walk_photos(&starts, progress, visit, &mut |_| Ok(())).map(|_| ())
    }
}

/// Folders that are to be looked through for pictures.
pub struct PhotoScan {
    /// Whose wish it is.
    share: Share,
    /// The place that was named.
    path: VaultPath,
    /// Where they are.
    starts: Vec<Start>,
}

impl PhotoScan {
    /// Looks through them, counted first. Notes of folders that are no more go, where the whole drive was looked
    /// through.
    ///
    /// Errors: `Cancelled`, `DiskFull`, `Io`, `StorageAbsent`.
    pub fn run(&self, progress: &Progress) -> Result<()> {
        threads::step_back();
        let _turn = self.share.finder.root.looking.turn(&self.path, progress)?;
        self.share.checked(|| {
            self.count(progress)?;
            let began = SystemTime::now();
            self.share.walk_photos(
                &self.starts,
                progress,
                &mut |visit| {
                    if look_through(visit, true, progress)? {
                        visit.top.known.insert(visit.note.clone());
                    }
                    progress.add(0, 1);
                    Ok(())
                },
                &mut |top| {
                    if top.is_whole {
                        top.store.forget_others(&top.known, began)?;
                    }
                    Ok(())
                },
            )?;
            Ok(())
        })
    }

    /// Counts the folders.
    fn count(&self, progress: &Progress) -> Result<()> {
        self.share.walk_photos(
            &self.starts,
            progress,
            &mut |visit| {
                progress.expect(0, 1);
                if let Ok(folder) = visit.open() {
                    photos_look::each_folder(&folder, &mut |name| visit.descend(name))?;
                }
                Ok(())
            },
            &mut |_| Ok(()),
        )?;
        Ok(())
    }
}

/// Looks through one folder, and notes what is in it; whether there are pictures. `is_deep`: the folders in it come
/// later.
fn look_through(visit: &mut Visit<'_>, is_deep: bool, progress: &Progress) -> Result<bool> {
    // Before its names are read: what comes while they are makes another mark.
    let changed_ns = visit.mark();
    let Ok(folder) = visit.open() else { return Ok(false) };
    let mut has_folders = false;
    let has_pictures = photos_look::each_folder(&folder, &mut |name| {
        has_folders = true;
        if is_deep {
            visit.descend(name);
        }
    })?;
    let head = Head { changed_ns, has_folders };
    let mut before = visit.top.store.read(&visit.note);
    if !has_pictures {
        if before.is_some() {
            visit.top.store.forget(&visit.note);
        }
        return Ok(false);
    }
    if !visit.top.store.takes_notes() {
        return Ok(true);
    }
    if let Some(before) = before.as_mut().filter(|before| before.head() == head)
        && photos_look::is_as_noted(&folder, before, progress)?
    {
        return Ok(true);
    }
    let mut draft = visit.top.store.begin()?;
    let push = &mut |noted: &Noted, _| Ok(draft.push(noted)?);
    photos_look::each_picture(&folder, before.as_mut(), Depth::Content, progress, push)?;
    visit.top.store.keep(draft, &visit.note, head)?;
    Ok(true)
}
