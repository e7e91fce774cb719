//! A folder as a ZIP, made while it is sent. Links out of the share and what the grant does not reach
//! are passed over; so are things that vanish meanwhile.

use super::look;
use super::pack::{Backing, Member, Packer};
use super::path::{VaultPath, is_reserved};
use super::resolve::{Follow, open_beneath};
use super::share::{Need, Share, open_regular};
use super::{NOT_THERE, discard, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Statx};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

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
    /// The folder that was asked for, links resolved.
    base: &'a VaultPath,
    /// Folders ahead, the next one last.
    ahead: Vec<Pending>,
    /// What they cost in bytes.
    ahead_bytes: usize,
    /// The ZIP.
    packer: Packer<'a, Overflow<'a>>,
}

/// A folder that was found and permitted, to be written as a ZIP.
pub struct Archive {
    /// Whose it is.
    share: Share,
    /// The folder, links resolved.
    base: VaultPath,
}

impl Archive {
    /// Writes everything in the folder, members relative to it.
    ///
    /// Errors: `Io`, `StorageAbsent`; then the ZIP is incomplete.
    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        self.share.checked(|| {
            let mut walk = Walk {
                share: &self.share,
                base: &self.base,
                ahead: Vec::new(),
                ahead_bytes: 0,
                packer: Packer::new(out, Overflow { share: &self.share, file: None }),
            };
            let place = self.base.as_str().as_bytes().to_vec();
            walk.push(Pending { name: String::new(), place, is_linked: false })?;
            while let Some(next) = walk.ahead.pop() {
                walk.ahead_bytes -= next.cost();
                walk.visit(&next)?;
            }
            Ok(walk.packer.finish()?)
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
                Some(FileType::Directory) => Ok(Archive { share: self.clone(), base: spot.path }),
                Some(_) => Err(Error::invalid("Path is not a folder")),
            }
        })
    }

    /// Opens a folder by its true place, however deep, without following a link.
    fn open_place_beneath(&self, place: &[u8]) -> rustix::io::Result<OwnedFd> {
        if place.is_empty() {
            return look::open_to_read(&*self.finder.handle, b".");
        }
        match open_beneath(self.finder.handle.as_fd(), place, OFlags::RDONLY) {
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NAMETOOLONG) => {}
            opened => return opened,
        }
        let mut folder = self.finder.handle.try_clone().map_err(|_| Errno::MFILE)?;
        for part in place.split(|byte| *byte == b'/') {
            folder = look::open_place(&folder, part)?;
        }
        look::open_to_read(&folder, b".")
    }
}

impl Walk<'_> {
    /// Remembers a folder for later.
    fn push(&mut self, folder: Pending) -> Result<()> {
        self.ahead_bytes += folder.cost();
        if self.ahead_bytes > limits::ZIP_PENDING_BYTES_MAX {
            return Err(Error::Io(io::Error::other("too many folders for one ZIP")));
        }
        self.ahead.push(folder);
        Ok(())
    }

    /// Writes one folder and the files in it; the folders in it come later.
    fn visit(&mut self, folder: &Pending) -> Result<()> {
        let Ok(handle) = self.share.open_place_beneath(&folder.place) else { return Ok(()) };
        let stat = look::look_at(&handle).map_err(os)?;
        if !folder.name.is_empty() {
            self.packer.add_folder(&member(&folder.name, &stat))?;
        }
        for name in discard::names(handle.as_fd()).map_err(os)? {
            if std::str::from_utf8(&name).is_ok_and(is_reserved) {
                continue;
            }
            self.add(folder, &handle, &name)?;
        }
        Ok(())
    }

    /// Writes one file, or remembers one folder.
    fn add(&mut self, folder: &Pending, handle: &OwnedFd, name: &[u8]) -> Result<()> {
        let zip_name = format!("{}{}", folder.name, String::from_utf8_lossy(name));
        let place =
            if folder.place.is_empty() { name.to_vec() } else { [&folder.place, name].join(&b'/') };
        let Ok(Some(stat)) = look::look(handle, name) else { return Ok(()) };
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
        let Ok(Some(mut opened)) = open_regular(handle, name) else { return Ok(()) };
        let stat = look::look_at(&opened.file).map_err(os)?;
        Ok(self.packer.add_file(&member(zip_name, &stat), &mut opened.file)?)
    }

    /// What a link leads to, if that is in the share and permitted: a file, or a folder that is not in
    /// the ZIP anyway and leads back to nowhere. So there are no loops, and no folder comes more often
    /// than there are links to it.
    fn add_link(&mut self, folder: &Pending, zip_name: String, place: &[u8]) -> Result<()> {
        let Some(path) =
            std::str::from_utf8(place).ok().and_then(|text| VaultPath::parse(text).ok())
        else {
            return Ok(());
        };
        let Ok(spot) = self.share.locate(&path, Need::Read, Follow::Last) else { return Ok(()) };
        match spot.file_type() {
            Some(FileType::RegularFile) => {
                self.add_file(&zip_name, &spot.folder, spot.name.as_bytes())
            }
            Some(FileType::Directory) if !folder.is_linked => {
                let is_tangled =
                    spot.path.starts_with(self.base) || self.base.starts_with(&spot.path);
                if is_tangled {
                    return Ok(());
                }
                let place = spot.path.as_str().as_bytes().to_vec();
                self.push(Pending { name: zip_name + "/", place, is_linked: true })
            }
            _ => Ok(()),
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
}

impl Backing for Overflow<'_> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(self.share.nameless_file().map_err(io::Error::other)?),
        };
        file.write_all(bytes)
    }

    fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.rewind()?;
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
    fn nameless_file(&self) -> Result<File> {
        let workshop = self.finder.workshop(&VaultPath::root())?;
        let name = super::mount::temporary_name();
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&*workshop, &name, flags, Mode::from(0o600)).map_err(os)?;
        super::mount::unlink(workshop.as_fd(), &name);
        Ok(file.into())
    }
}
