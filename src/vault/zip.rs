//! A folder or a selection as a ZIP, made while it is sent. Links out of the share and what the grant does not reach
//! are passed over; so are pipes and other things that have no content. What else is not in it, because larder may
//! not read it or because it vanished meanwhile, is told in a last entry.

use super::entry_name::{self, Changed};
use super::look;
use super::missing::{Lack, Missing};
use super::numbered::numbered;
use super::opened::open_regular;
use super::pack::{Backing, End, Member, Packer};
use super::path::{VaultPath, is_hidden, is_reserved};
use super::resolve::Follow;
use super::share::{Need, Share};
use super::{NOT_THERE, os};
use crate::budget::{self, Loan, Seat};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

/// A folder still to be visited.
struct Pending {
    /// Its name in the ZIP, with a `/` at the end; empty for the folder that was asked for.
    name: String,
    /// Where it is, relative to the share root, as bytes: nobody can name it otherwise if it is not UTF-8.
    place: Vec<u8>,
    /// Whether a link led here or above; then no link to a folder is followed again.
    is_linked: bool,
}

impl Pending {
    /// Estimated memory in bytes.
    fn cost(&self) -> usize {
        self.name.len() + self.place.len() + size_of::<Self>()
    }
}

/// The walk: what is still ahead, and the ZIP so far.
struct Walk<'a> {
    /// Whose walk it is.
    share: &'a Share,
    /// What was asked for.
    tops: &'a [Top],
    /// Folders ahead, the next one last.
    ahead: Vec<Pending>,
    /// What they cost in bytes.
    ahead_bytes: usize,
    /// The memory for them, beyond the first of it.
    ahead_loans: Vec<Loan>,
    /// The ZIP.
    packer: Packer<'a, Overflow<'a>>,
    /// What is not in it.
    missing: Missing,
}

/// Files and folders that were found and permitted, to be written as a ZIP.
pub struct Archive {
    /// Whose it is.
    share: Share,
    /// What was asked for.
    tops: Vec<Top>,
    /// A place among the long answers of the user whose it is.
    _seat: Seat,
    /// The memory for what is on its way.
    _loan: Loan,
}

/// One of the things that were asked for.
struct Top {
    /// Where it is, links resolved.
    place: VaultPath,
    /// What of it comes.
    content: Content,
}

/// How something that was asked for comes into the ZIP.
enum Content {
    /// What is in a folder, relative to it. The folder itself is held, so that what takes its name between
    /// the answer's head and its body matters not.
    Members(OwnedFd),
    /// A folder, by this name.
    Folder(String),
    /// A file, by this name.
    File(String),
}

impl Archive {
    /// Of these, found in a share.
    ///
    /// Errors: `TooSoon`.
    fn new(share: &Share, tops: Vec<Top>) -> Result<Self> {
        let seat = budget::house().seat(&share.line)?;
        let loan = budget::house().lend(limits::ZIP_BYTES)?;
        Ok(Self { share: share.clone(), tops, _seat: seat, _loan: loan })
    }

    /// Writes everything; returns what was missing, which the last entry tells as well.
    ///
    /// Errors: `Io`, `StorageAbsent`; then the ZIP is incomplete.
    pub fn write(&self, out: &mut dyn Write) -> Result<Missing> {
        self.share.checked(|| {
            let mut walk = Walk {
                share: &self.share,
                tops: &self.tops,
                ahead: Vec::new(),
                ahead_bytes: 0,
                ahead_loans: Vec::new(),
                packer: Packer::new(out, Overflow { share: &self.share, file: None, length: 0 }),
                missing: Missing::default(),
            };
            for top in &self.tops {
                walk.visit_top(top)?;
            }
            walk.finish()
        })
    }
}

impl Share {
    /// Finds a folder that is to be sent as a ZIP.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`.
    pub fn zip(&self, folder: &VaultPath) -> Result<Archive> {
        self.checked(|| {
            let spot = self.locate(folder, Need::Read, Follow::Last)?;
            match spot.file_type() {
                None => Err(NOT_THERE),
                Some(FileType::Directory) => {
                    let handle = self.open_place_beneath(&spot.path.on_disk());
                    let content = Content::Members(handle.map_err(os)?);
                    Archive::new(self, vec![Top { place: spot.path, content }])
                }
                Some(_) => Err(Error::invalid_as(Why::NotAFolder, "Path is not a folder")),
            }
        })
    }

    /// Finds files and folders that are to be sent as one ZIP, each by its name (the share root by
    /// `root_name`); the second of a name is numbered.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (neither file nor folder), `StorageAbsent`.
    pub fn zip_selection(&self, paths: &[VaultPath], root_name: &str) -> Result<Archive> {
        paths.iter().try_for_each(|path| self.ask(path, Need::Read))?;
        self.checked(|| {
            let mut names = HashMap::with_capacity(paths.len());
            let mut tops = Vec::with_capacity(paths.len());
            for path in paths {
                let spot = self.locate(path, Need::Read, Follow::Last)?;
                let name =
                    if path.is_root() { OsString::from(root_name) } else { path.name_on_disk() };
                let content: fn(String) -> Content = match spot.file_type() {
                    None => return Err(NOT_THERE),
                    Some(FileType::Directory) => Content::Folder,
                    Some(FileType::RegularFile) => Content::File,
                    Some(_) => return Err(Error::invalid("Path is neither a file nor a folder")),
                };
                let content = content(free_name(&mut names, &entry_name::safe(name.as_bytes()))?);
                tops.push(Top { place: spot.path, content });
            }
            Archive::new(self, tops)
        })
    }

    /// Opens a folder by its true place, however deep, without following a link.
    fn open_place_beneath(&self, place: &[u8]) -> rustix::io::Result<OwnedFd> {
        let folder =
            look::open_deep(&self.finder.handle, place, self.finder.root.quirks.no_openat2)?;
        look::open_to_read(&*folder, b".")
    }
}

impl Walk<'_> {
    /// Writes one of the things that were asked for, with all that is in it.
    fn visit_top(&mut self, top: &Top) -> Result<()> {
        let place = top.place.on_disk().into_owned();
        match &top.content {
            Content::Members(handle) => {
                // What was removed since it was found is no empty folder.
                if look::look_at(handle).map_err(os)?.stx_nlink == 0 {
                    return Err(NOT_THERE);
                }
                self.visit(&Pending { name: String::new(), place, is_linked: false }, handle)?;
            }
            Content::Folder(name) => {
                self.push(Pending { name: format!("{name}/"), place, is_linked: false })?;
            }
            Content::File(name) => {
                let around = top.place.parent().unwrap_or_default();
                return match self.share.open_place_beneath(&around.on_disk()) {
                    Ok(folder) => self.add_file(name, &folder, top.place.name_on_disk().as_bytes()),
                    Err(errno) => self.lacks(name, errno),
                };
            }
        }
        while let Some(next) = self.ahead.pop() {
            self.ahead_bytes -= next.cost();
            match self.share.open_place_beneath(&next.place) {
                Ok(handle) => self.visit(&next, &handle)?,
                Err(errno) => self.lacks(&next.name, errno)?,
            }
        }
        Ok(())
    }

    /// Remembers a folder for later.
    fn push(&mut self, folder: Pending) -> Result<()> {
        self.ahead_bytes += folder.cost();
        if self.ahead_bytes > (self.ahead_loans.len() + 1) * limits::ZIP_PENDING_STEP_BYTES {
            let step = limits::ZIP_PENDING_STEP_BYTES;
            self.ahead_loans.push(budget::house().lend(step)?);
        }
        if self.ahead_bytes > limits::ZIP_PENDING_BYTES_MAX {
            return Err(Error::Io(io::Error::other("too many folders for one ZIP")));
        }
        self.ahead.push(folder);
        Ok(())
    }

    /// Writes one folder and the files in it; the folders in it come later.
    fn visit(&mut self, folder: &Pending, handle: &OwnedFd) -> Result<()> {
        let stat = look::look_at(handle).map_err(os)?;
        if !folder.name.is_empty() {
            self.missing.avoid(&folder.name);
            self.packer.add_folder(&member(&folder.name, &stat))?;
        }
        let mut changed = Changed::default();
        let read = look::each_name(handle.as_fd(), Halt::Unread, &mut |name| {
            let is_ours = std::str::from_utf8(name).is_ok_and(is_reserved);
            if is_ours || (self.share.grant().hides() && is_hidden(name)) {
                return Ok(());
            }
            let is_there =
                |name: &str| look::look(handle, name.as_bytes()).is_ok_and(|stat| stat.is_some());
            let zip_name = format!("{}{}", folder.name, changed.name(name, &is_there));
            self.add(folder, handle, name, zip_name).map_err(Halt::Failed)
        });
        match read {
            Ok(()) => Ok(()),
            Err(Halt::Unread(errno)) => {
                let name = if folder.name.is_empty() { "./" } else { &folder.name };
                self.lacks(name, errno)
            }
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// Writes one file, or remembers one folder.
    fn add(
        &mut self,
        folder: &Pending,
        handle: &OwnedFd,
        name: &[u8],
        zip_name: String,
    ) -> Result<()> {
        let place =
            if folder.place.is_empty() { name.to_vec() } else { [&folder.place, name].join(&b'/') };
        let stat = match look::look(handle, name) {
            Ok(Some(stat)) => stat,
            Ok(None) => return self.lacks(&zip_name, Errno::NOENT),
            Err(errno) => return self.lacks(&zip_name, errno),
        };
        match look::type_of(&stat) {
            FileType::RegularFile => self.add_file(&zip_name, handle, name),
            FileType::Directory => {
                self.push(Pending { name: zip_name + "/", place, is_linked: folder.is_linked })
            }
            FileType::Symlink => self.add_link(folder, zip_name, &place),
            _ => Ok(()),
        }
    }

    /// Writes a file as it is when it is opened.
    fn add_file(&mut self, zip_name: &str, handle: &OwnedFd, name: &[u8]) -> Result<()> {
        let mut opened = match open_regular(handle, name) {
            Ok(Some(opened)) => opened,
            Ok(None) => return self.lacks(zip_name, Errno::NOENT),
            Err(errno) => return self.lacks(zip_name, errno),
        };
        let stat = look::look_at(&opened.file).map_err(os)?;
        self.missing.avoid(zip_name);
        let added = self.packer.add_file(&member(zip_name, &stat), &mut opened.file)?;
        match added.end {
            End::Whole if added.size < stat.stx_size => self.missing.add(zip_name, Lack::Shrunk),
            End::Whole => {}
            End::Cut => self.missing.add(zip_name, Lack::Grown),
            End::Failed(cause) => {
                self.lacks(zip_name, Errno::from_io_error(&cause).unwrap_or(Errno::IO))?;
            }
        }
        Ok(())
    }

    /// Goes on without something.
    ///
    /// Errors: the drive is gone, and with it all that comes; or the machine lacks what a moment later it
    /// may have.
    fn lacks(&mut self, name: &str, errno: Errno) -> Result<()> {
        match Lack::of(errno) {
            Some(Lack::Unreadable(_)) | None if !self.share.finder.root.is_present() => {
                Err(os(errno))
            }
            None => Err(os(errno)),
            Some(lack) => {
                self.missing.add(name, lack);
                Ok(())
            }
        }
    }

    /// Writes the last entry, if anything is missing, and the end.
    fn finish(mut self) -> Result<Missing> {
        if self.missing.count() > 0 {
            let (name, text) = (self.missing.name(), self.missing.text());
            let member = Member {
                name: &name,
                modified: SystemTime::now(),
                size: text.len() as u64,
                mode: 0o100_644,
            };
            self.packer.add_file(&member, &mut text.as_bytes())?;
        }
        self.packer.finish()?;
        Ok(self.missing)
    }

    /// What a link leads to, if that is in the share and permitted: a file, or a folder that is not in
    /// the ZIP anyway and leads back to nowhere. So there are no loops, and no folder comes more often
    /// than there are links to it.
    fn add_link(&mut self, folder: &Pending, zip_name: String, place: &[u8]) -> Result<()> {
        let path = VaultPath::from_disk(place);
        let spot = match self.share.locate(&path, Need::Read, Follow::Last) {
            Ok(spot) => spot,
            Err(Error::Io(cause)) => return Err(Error::Io(cause)),
            Err(Error::DeniedByDrive) => return self.lacks(&zip_name, Errno::ACCESS),
            Err(_not_reached) => return Ok(()),
        };
        match spot.file_type() {
            Some(FileType::RegularFile) => {
                self.add_file(&zip_name, &spot.folder, spot.name.as_bytes())
            }
            Some(FileType::Directory) if !folder.is_linked => {
                let is_tangled = |top: &Top| {
                    spot.path.starts_with(&top.place) || top.place.starts_with(&spot.path)
                };
                if self.tops.iter().any(is_tangled) {
                    return Ok(());
                }
                let place = spot.path.on_disk().into_owned();
                self.push(Pending { name: zip_name + "/", place, is_linked: true })
            }
            _ => Ok(()),
        }
    }
}

/// Why the names of a folder are not read to their end.
enum Halt {
    /// The folder cannot be read.
    Unread(Errno),
    /// The ZIP cannot be written.
    Failed(Error),
}

/// The first of `name.ext`, `name (1).ext`, ... that is not taken yet; `names` knows for each name the
/// number with which to go on. Names that differ only in case are one on many machines.
fn free_name(names: &mut HashMap<String, usize>, name: &str) -> Result<String> {
    let key = name.to_lowercase();
    let mut number = names.get(&key).copied().unwrap_or_default();
    loop {
        let free = numbered(name, number);
        number += 1;
        let free_key = free.to_lowercase();
        if !names.contains_key(&free_key) {
            names.insert(free_key, 1);
            names.insert(key, number);
            return Ok(free);
        }
        if number > limits::NUMBERED_NAMES_MAX {
            return Err(Error::invalid_as(Why::TooMany, "Too many paths"));
        }
    }
}

/// What a ZIP tells of a file or folder.
fn member<'a>(name: &'a str, stat: &Statx) -> Member<'a> {
    let mode = u32::from(stat.stx_mode);
    Member { name, modified: look::modified_of(stat), size: stat.stx_size, mode }
}

/// Where a large table of contents waits: a hidden file without a name, made when it is needed.
struct Overflow<'a> {
    /// Whose share it is in.
    share: &'a Share,
    /// The file.
    file: Option<File>,
    /// Bytes in it that count: a write that failed half-way leaves more.
    length: u64,
}

impl Backing for Overflow<'_> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(self.share.nameless_file().map_err(io::Error::other)?),
        };
        file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.rewind()?;
        let mut file = file.take(self.length);
        let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            out.write_all(&buffer[..count])?;
        }
    }
}

impl Share {
    /// A file in larder's hidden folder that is gone when it is closed.
    pub(super) fn nameless_file(&self) -> Result<File> {
        let workshop = self.finder.workshop(&VaultPath::root())?;
        super::rake::nameless_file(workshop.as_fd())
    }
}
