//! The databases as they were before a trial: a newer larder may bring their schema up to date, and an
//! older one does not open what it does not know.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{VERSION, is_trial};

/// The file that says which version took it.
const VERSION_FILE: &str = "version";

/// Where it lies in the state directory.
fn place(state: &Path) -> PathBuf {
    state.join("db.before-update")
}

/// Copies the databases; nobody may be using them.
pub fn take(state: &Path) -> Result<(), String> {
    let copy = || {
        let new = state.join("db.before-update.new");
        remove(&new)?;
        remove(&place(state))?;
        DirBuilder::new().mode(0o700).create(&new)?;
        copy_files(&state.join("db"), &new)?;
        let mut version = File::create(new.join(VERSION_FILE))?;
        version.write_all(VERSION.as_bytes())?;
        version.sync_all()?;
        File::open(&new)?.sync_all()?;
        fs::rename(&new, place(state))?;
        File::open(state)?.sync_all()
    };
    copy().map_err(|cause| format!("the databases can't be copied: {cause}"))
}

/// Puts the databases back as they were. Broken off in the middle, it can be done again.
pub fn put_back(state: &Path) -> Result<(), String> {
    let restore = || {
        let (kept, db) = (place(state), state.join("db"));
        if !kept.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(&db)? {
            fs::remove_file(entry?.path())?;
        }
        copy_files(&kept, &db)?;
        fs::remove_file(db.join(VERSION_FILE))?;
        File::open(&db)?.sync_all()?;
        discard_folder(state)
    };
    restore().map_err(|cause: io::Error| format!("the databases can't be put back: {cause}"))
}

/// Removes the copy: the new program is good.
pub fn discard(state: &Path) -> Result<(), String> {
    discard_folder(state).map_err(|cause| format!("{}: {cause}", place(state).display()))
}

/// At a start: takes back what an update left that broke off (a power cut), or clears up behind one
/// that succeeded; says whether it was the former. Nothing of it in a trial.
///
/// Errors: one line for the person who started larder.
pub fn settle(state: &Path) -> Result<bool, String> {
    let kept = place(state);
    if is_trial() || !kept.is_dir() {
        return Ok(false);
    }
    let version = fs::read_to_string(kept.join(VERSION_FILE))
        .map_err(|cause| format!("{}: {cause}", kept.display()))?;
    if version == VERSION {
        put_back(state)?;
        return Ok(true);
    }
    discard(state)?;
    Ok(false)
}

/// Copies every file of one folder into another, to the disk.
fn copy_files(source: &Path, target: &Path) -> io::Result<()> {
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = target.join(entry.file_name());
            fs::copy(entry.path(), &copy)?;
            File::open(copy)?.sync_all()?;
        }
    }
    Ok(())
}

/// Out of its place in one step, then away.
fn discard_folder(state: &Path) -> io::Result<()> {
    let old = state.join("db.before-update.old");
    remove(&old)?;
    match fs::rename(place(state), &old) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    File::open(state)?.sync_all()?;
    remove(&old)
}

/// A folder and what is in it, if it is there.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> tempfile::TempDir {
        let state = tempfile::tempdir().unwrap();
        fs::create_dir(state.path().join("db")).unwrap();
        fs::write(state.path().join("db/users.db"), "old").unwrap();
        state
    }

    fn spoil(state: &Path) {
        fs::write(state.join("db/users.db"), "new").unwrap();
        fs::write(state.join("db/users.db-wal"), "more").unwrap();
    }

    fn files(state: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(state.join("db"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_copied_comes_back_and_nothing_else_stays() {
        let folder = state();
        let state = folder.path();
        take(state).unwrap();
        spoil(state);
        put_back(state).unwrap();
        assert_eq!(files(state), ["users.db"]);
        assert_eq!(fs::read_to_string(state.join("db/users.db")).unwrap(), "old");
        assert_eq!(fs::read_dir(state).unwrap().count(), 1);
        // Without a copy nothing happens.
        spoil(state);
        put_back(state).unwrap();
        assert_eq!(files(state).len(), 2);
    }

    #[test]
    fn a_start_takes_back_what_broke_off_and_clears_up_what_succeeded() {
        let folder = state();
        let state = folder.path();
        assert_eq!(settle(state), Ok(false));
        take(state).unwrap();
        spoil(state);
        assert_eq!(settle(state), Ok(true));
        assert_eq!(files(state), ["users.db"]);
        assert_eq!(settle(state), Ok(false));

        take(state).unwrap();
        fs::write(place(state).join(VERSION_FILE), "0.0.1").unwrap();
        spoil(state);
        assert_eq!(settle(state), Ok(false));
        assert_eq!(files(state).len(), 2);
        assert_eq!(fs::read_dir(state).unwrap().count(), 1);
    }
}
