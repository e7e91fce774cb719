//! Where the notes of pictures lie: on the drive of their folder, in larder's own, each called by the folder's number
//! there, so that a folder that is renamed keeps its note. Nothing in them is worth a sync: what a power cut takes is
//! noted again.

use super::hidden::{self, TEMPORARY};
use super::look;
use super::path::HOME;
use super::photos_note::{Head, Noted, Reader, Writer};
use super::room::Usage;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Access, AtFlags, Mode, OFlags, Statx};
use rustix::io::Errno;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::time::SystemTime;

/// The folder in larder's own where whatever can be made anew lies.
const INDEX: &str = "index";

/// The folder in that for notes of pictures.
const PHOTOS: &str = "photos";

/// The notes of one filesystem.
#[derive(Debug)]
pub(super) struct Store {
    /// The top of the filesystem.
    top: OwnedFd,
    /// The folder with the notes; `None` while there is none.
    notes: Option<OwnedFd>,
    /// Whether folders keep their numbers when the drive comes again.
    keeps_numbers: bool,
}

/// What a folder's note is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct NoteName(String);

impl Store {
    /// Of the filesystem with this top. Makes nothing.
    pub fn of(top: OwnedFd) -> Self {
        let keeps_numbers = look::keeps_numbers(&top).unwrap_or(false);
        let open = || {
            let home = look::open_place(&top, HOME.as_bytes())?;
            look::open_place(look::open_place(home, INDEX.as_bytes())?, PHOTOS.as_bytes())
        };
        let notes = open().ok();
        Self { top, notes, keeps_numbers }
    }

    /// Makes the folder for the notes, if there is none; whether there is one then.
    pub fn make(&mut self) -> bool {
        if self.notes.is_none() {
            let make = || {
                let home = hidden::open_or_make(self.top.as_fd(), HOME)?;
                hidden::open_or_make(home.as_fd(), TEMPORARY)?;
                let index = hidden::open_or_make(home.as_fd(), INDEX)?;
                hidden::open_or_make(index.as_fd(), PHOTOS)
            };
            self.notes = make().ok();
        }
        self.notes.is_some()
    }

    /// Whether notes can be kept there, as far as the drive tells.
    pub fn takes_notes(&self) -> bool {
        let usage = Usage::of(self.top.as_fd());
        let is_ours = || rustix::fs::accessat(&self.top, ".", Access::WRITE_OK, AtFlags::EACCESS);
        usage.is_ok_and(|usage| !usage.is_read_only) && (self.notes.is_some() || is_ours().is_ok())
    }

    /// What the note of a folder is called; `place` is where that is, by the top of the filesystem. Where numbers
    /// pass, as on FAT, a folder is known by its place, and one that is renamed is looked through anew.
    pub fn name_of(&self, stat: &Statx, place: &[u8]) -> NoteName {
        if self.keeps_numbers {
            return NoteName(format!("{:x}", stat.stx_ino));
        }
        let hash = hmac_sha256::Hash::hash(place);
        let digits = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
        NoteName(digits.fold(String::from("p"), |name, digits| name + &digits))
    }

    /// The note of that name; `None` when there is none that can be believed.
    pub fn read(&self, name: &NoteName) -> Option<Reader> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.notes.as_ref()?, &name.0, flags, Mode::empty()).ok()?;
        Reader::open(File::from(file))
    }

    /// Begins a note.
    pub fn begin(&mut self) -> io::Result<Draft> {
        if !self.make() {
            return Err(Errno::ROFS.into());
        }
        let home = look::open_place(&self.top, HOME.as_bytes())?;
        let temporaries = hidden::open_or_make(home.as_fd(), TEMPORARY)?;
        let name = hidden::temporary_name();
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&temporaries, &name, flags, Mode::from(0o600))?;
        let mut draft = Draft { temporaries, name, writer: None };
        draft.writer = Some(Writer::new(File::from(file))?);
        Ok(draft)
    }

    /// Gives a note its name, in the place of the one before; one without pictures is none.
    pub fn keep(&self, mut draft: Draft, name: &NoteName, head: Head) -> io::Result<()> {
        let (Some(notes), Some(writer)) = (&self.notes, draft.writer.take()) else {
            return Err(Errno::ROFS.into());
        };
        if writer.count() == 0 {
            self.forget(name);
            return Ok(());
        }
        writer.finish(head)?;
        rustix::fs::renameat(&draft.temporaries, &draft.name, notes, &name.0)?;
        draft.name.clear();
        Ok(())
    }

    /// Removes a note.
    pub fn forget(&self, name: &NoteName) {
        if let Some(notes) = &self.notes {
            hidden::unlink(notes.as_fd(), &name.0);
        }
    }

    /// Removes the notes that are called by none of these names and were there before a time: those of folders that
    /// are no more. What was noted since may be of a folder that has come since.
    pub fn forget_others(&self, known: &HashSet<NoteName>, before: SystemTime) -> io::Result<()> {
        let Some(notes) = &self.notes else { return Ok(()) };
        let names = look::open_to_read(notes, b".")?;
        let mut others = Vec::new();
        look::each_name(names.as_fd(), io::Error::from, &mut |name| {
            let told = NoteName(String::from_utf8_lossy(name).into_owned());
            let is_old =
                look::look(notes, name)?.is_some_and(|stat| look::modified_of(&stat) < before);
            if is_old && !known.contains(&told) {
                others.push(told);
            }
            Ok::<(), io::Error>(())
        })?;
        for name in &others {
            self.forget(name);
        }
        Ok(())
    }
}

/// A note that has no name yet; dropped, it is gone.
pub(super) struct Draft {
    /// Where it lies.
    temporaries: OwnedFd,
    /// What it is called there; empty once it has its name.
    name: String,
    /// What is being written.
    writer: Option<Writer>,
}

impl Draft {
    /// Adds a picture.
    pub fn push(&mut self, noted: &Noted) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.push(noted))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            hidden::unlink(self.temporaries.as_fd(), &self.name);
        }
    }
}
