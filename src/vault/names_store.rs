//! Where lists of names lie: on the filesystem that they are of, in larder's own folder there, replaced whole and
//! durably. For one that takes no writes a list is kept in memory.

use super::hidden::{self, TEMPORARY};
use super::look::{self, Filesystem};
use super::names_list::{List, Writer, Written};
use super::path::HOME;
use super::root::{Root, tops_below};
use crate::{limits, threads};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// The folder in larder's own where whatever can be made anew lies.
const INDEX: &str = "index";

/// The list in it.
const LIST: &str = "names";

/// Removes the lists, on all filesystems of a share, unless they are to be kept after all.
pub(super) fn forget_all(root: &Root, handle: &Arc<OwnedFd>) {
    let mut kept = root.names.in_memory();
    if root.names.is_on() {
        return;
    }
    *kept = None;
    let inner = tops_below(root, handle).into_iter().map(|(_, top)| top);
    for top in inner.chain(handle.try_clone()) {
        if let Ok(index) = index_of(&top) {
            hidden::unlink(index.as_fd(), LIST);
        }
    }
}

/// The folder for the list of a filesystem, if there is one.
fn index_of(top: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    look::open_place(look::open_place(top, HOME.as_bytes())?, INDEX.as_bytes())
}

/// Where the list of one filesystem lies.
#[derive(Debug)]
pub(super) struct Store {
    /// What the vault knows of the share.
    root: Arc<Root>,
    /// The top of the filesystem.
    top: OwnedFd,
    /// Which it is.
    filesystem: Filesystem,
}

impl Store {
    /// Of the filesystem with this top; `None` while no lists are kept.
    pub fn of(root: &Arc<Root>, top: OwnedFd) -> Option<Self> {
        let filesystem = look::filesystem_of(&look::look_at(&top).ok()?);
        root.names.is_on().then(|| Self { root: Arc::clone(root), top, filesystem })
    }

    /// Whether a folder's times tell that its names are still the same, also when the drive was elsewhere meanwhile:
    /// Windows does not write them down on FAT and exFAT, and who knows what a filesystem in user space does.
    pub fn believes_times(&self) -> bool {
        look::keeps_numbers(&self.top).unwrap_or(false)
    }

    /// The list, and whether it is older than lists become.
    pub fn list(&self) -> Option<(List, bool)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = index_of(&self.top)
            .and_then(|index| rustix::fs::openat(index, LIST, flags, Mode::empty()));
        let Ok(file) = opened.map(File::from) else {
            let kept = self.root.names.in_memory();
            let of_this = kept.as_ref().filter(|(of, _)| *of == self.filesystem);
            return of_this.map(|(_, list)| (List::Memory(Arc::clone(list)), false));
        };
        let about = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let age = about.modified().ok().and_then(|modified| modified.elapsed().ok());
        let is_old = age.is_none_or(|age| age > limits::NAMES_LIST_AGE);
        Some((List::File(Arc::new(file)), is_old))
    }

    /// Begins a list.
    pub fn begin(&self) -> io::Result<Draft> {
        let made = self.make_file();
        let Ok((workshop, name, file)) = made else {
            return Ok(Draft {
                workshop: None,
                name: String::new(),
                writer: Some(Writer::to_memory()?),
            });
        };
        let mut draft = Draft { workshop: Some(workshop), name, writer: None };
        draft.writer = Some(Writer::to_file(file)?);
        Ok(draft)
    }

    /// Makes a file without a place for a list.
    fn make_file(&self) -> rustix::io::Result<(OwnedFd, String, File)> {
        let home = hidden::open_or_make(self.top.as_fd(), HOME)?;
        let workshop = hidden::open_or_make(home.as_fd(), TEMPORARY)?;
        let name = hidden::temporary_name();
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&workshop, &name, flags, Mode::from(0o600))?);
        Ok((workshop, name, file))
    }

    /// Gives a list its name, in the place of the one before. That is made durable on a thread of its own: whoever
    /// searches does not wait for it.
    pub fn keep(self, draft: Draft) {
        let (root, filesystem) = (Arc::clone(&self.root), self.filesystem);
        if !root.names.begin_to_store(filesystem) {
            return;
        }
        let started = threads::spawn("names-list", move || {
            // It is made anew by a later search.
            let _kept = self.keep_now(draft);
            self.root.names.has_stored(filesystem);
        });
        if started.is_err() {
            root.names.has_stored(filesystem);
        }
    }

    /// See `keep`.
    fn keep_now(&self, mut draft: Draft) -> io::Result<()> {
        let writer = draft.writer.take().ok_or(Errno::INVAL)?;
        let file = match writer.finish()? {
            Written::File(file) => file,
            Written::Memory(list) => {
                let mut kept = self.root.names.in_memory();
                if self.root.names.is_on() {
                    *kept = Some((self.filesystem, list));
                }
                return Ok(());
            }
        };
        file.sync_all()?;
        let workshop = draft.workshop.as_ref().ok_or(Errno::INVAL)?;
        let home = look::open_place(&self.top, HOME.as_bytes())?;
        let _turn = self.root.names.in_memory();
        if !self.root.names.is_on() {
            return Ok(());
        }
        let index = hidden::open_or_make(home.as_fd(), INDEX)?;
        rustix::fs::renameat(workshop, &draft.name, &index, LIST)?;
        draft.name.clear();
        Ok(look::sync_folder(&index)?)
    }
}

/// A list that has no name yet; dropped, it is gone.
#[derive(Debug)]
pub(super) struct Draft {
    /// The folder where its file lies; `None` for one in memory.
    workshop: Option<OwnedFd>,
    /// What that is called there; empty once it has its name.
    name: String,
    /// Writes it.
    pub writer: Option<Writer>,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(workshop) = self.workshop.as_ref().filter(|_| !self.name.is_empty()) {
            hidden::unlink(workshop.as_fd(), &self.name);
        }
    }
}
