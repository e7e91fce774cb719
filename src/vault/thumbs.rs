//! Small pictures of files, kept on the files' own drive in larder's hidden folder: a cache, which may be lost at
//! any time. Knows nothing of pictures but their bytes, and is asked only with a file that its caller may open.
//!
//! A small picture is called by what tells its file's content from any other: inode, size, time of the last change
//! and of birth. So a rename keeps it, and whatever has another content has none. Each ends with a mark that tells
//! what it is, and with a checksum: what a power cut left behind is never shown.

use super::gate::Patience;
use super::hidden::{TEMPORARY, open_or_make, temporary_name, unlink};
use super::look::{self, FileId};
use super::opened::{OpenFile, open_regular};
use super::path::HOME;
use super::resolve::{Finder, Follow};
use super::root::{Root, tops_below};
use super::share::{Need, Share};
use super::stamp::Stamp;
use super::thumbs_keeping::Drive;
use super::{NOT_THERE, VaultPath, os};
use crate::error::{Error, Result};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// The folder in larder's hidden folder where they lie.
const THUMBS: &str = "thumbs";

/// What stands behind each: what it is, the edition of this form, and a checksum of all before that.
const TRAILER_BYTES: usize = 8;

/// The edition of this form, and of how they are made: those of another are made anew.
const EDITION: [u8; 3] = *b"th1";

/// What there is instead of a picture for a file that has none, of whatever size.
const NOTHING: &str = "none";

/// What a file has no small picture of.
const NO_THUMBNAIL: Error = Error::NotFound("No thumbnail");

/// Where a small picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Larder made it of the file.
    Made,
    /// The browser of somebody who may write the file gave it.
    Given,
}

/// What is kept of a file.
#[derive(Debug)]
pub enum KeptThumb {
    /// A small picture.
    Picture(SmallPicture),
    /// Larder can make none.
    Nothing,
}

/// A small picture as it is kept.
#[derive(Clone, Debug)]
pub struct SmallPicture {
    /// Open; behind the picture stands more.
    pub file: Arc<File>,
    /// Bytes of the picture, from the beginning.
    pub length: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// What stands behind it: the sum of its bytes.
    pub sum: u32,
}

/// An open file whose small picture is wanted.
pub struct Pictured {
    /// The file.
    pub file: OpenFile,
    /// Where it is, a true path.
    path: VaultPath,
    /// Finds places in the share.
    finder: Finder,
    /// Which file it is.
    id: FileId,
    /// By what its content is told from any other; `None` where nobody can be sure.
    content: Option<String>,
    /// Where its small pictures are kept, if they are.
    album: Option<Album>,
}

/// Where the small pictures of a drive are.
struct Album {
    /// The share's root, which counts them.
    root: Arc<Root>,
    /// Larder's hidden folder on the drive.
    home: OwnedFd,
    /// Their folder.
    folder: Arc<OwnedFd>,
    /// The drive.
    drive: Drive,
}

impl Share {
    /// Opens a file that may be read, to look for its small picture.
    ///
    /// Errors: `Refused`, `NotFound` (also what is no file), `StorageAbsent`.
    pub fn open_pictured(&self, path: &VaultPath) -> Result<Pictured> {
        self.open_for_picture(path, Need::Read)
    }

    /// The same for a file that may be changed, whose small picture is brought.
    ///
    /// Errors: as `open_pictured`.
    pub fn open_to_be_pictured(&self, path: &VaultPath) -> Result<Pictured> {
        self.open_for_picture(path, Need::Write)
    }

    /// Opens it with this right.
    fn open_for_picture(&self, path: &VaultPath, need: Need) -> Result<Pictured> {
        self.checked(|| {
            for _ in 0..limits::RACE_TRIES_MAX {
                let spot = self.locate(path, need, Follow::Last)?;
                match spot.file_type() {
                    None => return Err(NOT_THERE),
                    Some(FileType::RegularFile) => {}
                    // Somebody put a link there since; it must be judged first.
                    Some(FileType::Symlink) => continue,
                    Some(_) => return Err(NO_THUMBNAIL),
                }
                let _pass = self.finder.ask(&spot.path)?;
                match open_regular(&spot.folder, spot.name.as_bytes()) {
                    Err(Errno::LOOP | Errno::NXIO) => {}
                    Err(errno) => return Err(os(errno)),
                    Ok(None) => return Err(NO_THUMBNAIL),
                    Ok(Some(file)) => return self.pictured(file, &spot.path),
                }
            }
            Err(NOT_THERE)
        })
    }

    /// What is known of an open file, which is at a true path.
    fn pictured(&self, file: OpenFile, path: &VaultPath) -> Result<Pictured> {
        let stat = look::look_at(&file.file).map_err(os)?;
        if look::modified_of(&stat).elapsed().is_ok_and(|age| age < limits::THUMB_SETTLE_TIME) {
            // Until the clock's next tick another change would have the same time.
            std::thread::sleep(limits::THUMB_SETTLE_TIME);
        }
        let content = content_of(&file.file)?;
        let album = self.album(&path.parent().unwrap_or_default());
        let (path, finder) = (path.clone(), self.finder.clone());
        Ok(Pictured { file, path, finder, id: look::id_of(&stat), content, album })
    }

    /// Where the small pictures are of what lies in a folder, which is a true path; `None` where none are kept.
    fn album(&self, folder: &VaultPath) -> Option<Album> {
        let root = &self.finder.root;
        let (_top, folder) = self.finder.hidden(folder, THUMBS).ok()?;
        let home = look::open_place(&folder, b"..").ok()?;
        let drive = Drive::of(folder.as_fd())?;
        root.thumbs.look_through_once(&folder, drive);
        let is_on = root.thumbs.is_on();
        is_on.then(|| Album { root: Arc::clone(root), home, folder, drive })
    }
}

/// Has too many of them go, here and on the drives mounted inside the share. Does not wait for that.
pub(super) fn look_through(root: &Root, handle: &Arc<OwnedFd>) {
    look_through_below(root, handle.as_fd());
    for (_, top) in tops_below(root, handle) {
        look_through_below(root, top.as_fd());
    }
}

/// The same on the drive of a folder, where any are kept.
fn look_through_below(root: &Root, top: BorrowedFd<'_>) {
    let home = look::open_place(top, HOME.as_bytes());
    let folder = home.and_then(|home| look::open_place(home, THUMBS.as_bytes()));
    if let Ok(folder) = folder.map(Arc::new)
        && let Some(drive) = Drive::of(folder.as_fd())
    {
        root.thumbs.look_through_once(&folder, drive);
    }
}

/// By what a file's content is told from any other; `None` where nobody can be sure.
fn content_of(file: &File) -> Result<Option<String>> {
    let stat = look::look_at(file).map_err(os)?;
    let Some(content) = Stamp::of(&stat).content() else { return Ok(None) };
    // An inode that is given to another file has another birth.
    Ok(Some(format!("{content}-{:x}", look::born_ns(file).map_err(os)?)))
}

impl Pictured {
    /// Which file it is, and which content: the same for two requests that want the same thing made. `None` where
    /// nobody can be sure.
    pub fn identity(&self) -> Option<String> {
        Some(format!("{}/{}", self.id, self.content.as_ref()?))
    }

    /// Which drive it is on, major and minor.
    pub fn drive(&self) -> (u32, u32) {
        self.id.device()
    }

    /// Waits until its drive answers, but not for one that is known to be silent.
    ///
    /// Errors: `DriveBusy`.
    pub fn ask_drive(&self) -> Result<()> {
        let root = &self.finder.root;
        root.hear(&root.drives.mounts(), &self.path, Patience::UntilSilent)
    }

    /// What tells its small picture of so many pixels from any other, without quotes. Larder makes only one of a
    /// content; somebody may give another than before.
    pub fn thumb_tag(&self, pixels: u16, kept: Option<&SmallPicture>) -> String {
        let edition = String::from_utf8_lossy(&EDITION);
        let content = self.content.as_deref().unwrap_or(&self.file.tag);
        match kept {
            Some(SmallPicture { origin: Origin::Given, sum, .. }) => {
                format!("{content}-{pixels}-{edition}-{sum:08x}")
            }
            _ => format!("{content}-{pixels}-{edition}"),
        }
    }

    /// Whether its content is still the one that it had when it was opened.
    pub fn is_as_it_was(&self) -> Result<bool> {
        Ok(self.content.is_some() && content_of(&self.file.file)? == self.content)
    }

    /// What is kept of it, of so many pixels.
    pub fn kept(&self, pixels: u16) -> Option<KeptThumb> {
        let (album, content) = (self.album.as_ref()?, self.content.as_ref()?);
        album
            .find(&format!("{content}.{pixels}"))
            .or_else(|| album.find(&format!("{content}.{NOTHING}")))
    }

    /// Keeps a small picture of so many pixels. What can't be kept is made again.
    pub fn keep(&self, pixels: u16, jpeg: &[u8]) {
        let (Some(album), Some(content)) = (&self.album, &self.content) else { return };
        let _or_made_again = album.keep(&format!("{content}.{pixels}"), jpeg, Some(Origin::Made));
    }

    /// Remembers that larder can make none.
    pub fn keep_nothing(&self) {
        let (Some(album), Some(content)) = (&self.album, &self.content) else { return };
        let _or_tried_again = album.keep(&format!("{content}.{NOTHING}"), &[], None);
    }

    /// Whether the drive has a place for what somebody brings.
    pub fn takes_any(&self) -> bool {
        self.content.is_some() && self.album.as_ref().is_some_and(Album::takes_any)
    }

    /// Keeps small pictures, by their pixels, that somebody has brought, durably.
    ///
    /// Errors: `DiskFull` (also where the drive is to keep none), `Conflict` (switched off), `Io`.
    pub fn keep_given(&self, pictures: &[(u16, Vec<u8>)]) -> Result<()> {
        let (Some(album), Some(content)) = (&self.album, &self.content) else {
            return Err(Error::Conflict("No thumbnails are kept here"));
        };
        for (pixels, jpeg) in pictures {
            let name = format!("{content}.{pixels}");
            if !album.keep(&name, jpeg, Some(Origin::Given)).map_err(os)? {
                return Err(Error::DiskFull);
            }
        }
        Ok(())
    }
}

impl Album {
    /// What is kept under a name.
    fn find(&self, name: &str) -> Option<KeptThumb> {
        let drawer = look::open_place(&*self.folder, drawer_of(name).as_bytes()).ok()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&drawer, name, flags, Mode::empty()).ok()?);
        let stat = look::look_at(&file).ok()?;
        let found = if look::type_of(&stat) == FileType::RegularFile {
            understand(file, stat.stx_size)
        } else {
            None
        };
        if found.is_none() {
            // What a power cut left of one.
            unlink(drawer.as_fd(), name);
        } else if look::modified_of(&stat)
            .elapsed()
            .is_ok_and(|unused| unused > limits::THUMB_USE_TIME)
        {
            note_use(&drawer, name);
        }
        found
    }

    /// Whether there is room for one more.
    fn takes_any(&self) -> bool {
        self.root.thumbs.has_room(&self.folder, self.drive, limits::PICTURE_GIVEN_BYTES_MAX as u64)
    }

    /// Keeps something under a name; what is given durably. `false` when there is no room for it.
    fn keep(&self, name: &str, jpeg: &[u8], origin: Option<Origin>) -> rustix::io::Result<bool> {
        let bytes = (jpeg.len() + TRAILER_BYTES) as u64;
        if !self.root.thumbs.take_room(&self.folder, self.drive, bytes) {
            return Ok(false);
        }
        let temporaries = open_or_make(self.home.as_fd(), TEMPORARY)?;
        let drawer = open_or_make(self.folder.as_fd(), &drawer_of(name))?;
        let temporary = temporary_name();
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&temporaries, &temporary, flags, Mode::from(0o600))?;
        let is_durable = origin == Some(Origin::Given);
        let placed = write(File::from(file), jpeg, origin, is_durable)
            .and_then(|()| rustix::fs::renameat(&temporaries, &temporary, &drawer, name))
            .and_then(|()| if is_durable { look::sync_folder(&drawer) } else { Ok(()) });
        if placed.is_err() {
            unlink(temporaries.as_fd(), &temporary);
        }
        placed.map(|()| true)
    }
}

/// The folder in which a small picture is, by the last digits of its file's inode.
fn drawer_of(name: &str) -> String {
    let inode = name.split('-').next().unwrap_or_default();
    format!("{:0>2}", &inode[inode.len().saturating_sub(2)..])
}

/// Notes that a small picture was used now, so that it goes after those that were not.
fn note_use(drawer: &OwnedFd, name: &str) {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
    };
    let _or_it_goes_sooner = rustix::fs::utimensat(drawer, name, &times, AtFlags::SYMLINK_NOFOLLOW);
}

/// Writes a picture and what stands behind it.
fn write(
    mut file: File,
    jpeg: &[u8],
    origin: Option<Origin>,
    is_durable: bool,
) -> rustix::io::Result<()> {
    let mut behind = [0; TRAILER_BYTES];
    behind[0] = mark_of(origin);
    behind[1..4].copy_from_slice(&EDITION);
    let mut sum = crc32fast::Hasher::new();
    sum.update(jpeg);
    sum.update(&behind[..4]);
    behind[4..].copy_from_slice(&sum.finalize().to_le_bytes());
    file.write_all(jpeg)
        .and_then(|()| file.write_all(&behind))
        .and_then(|()| if is_durable { file.sync_all() } else { Ok(()) })
        .map_err(|cause| Errno::from_io_error(&cause).unwrap_or(Errno::IO))
}

/// The mark of where something comes from.
fn mark_of(origin: Option<Origin>) -> u8 {
    match origin {
        Some(Origin::Made) => b'm',
        Some(Origin::Given) => b'g',
        None => b'n',
    }
}

/// What a file of so many bytes holds; `None` when it is not whole, or of another edition.
fn understand(file: File, size: u64) -> Option<KeptThumb> {
    let length = size.checked_sub(TRAILER_BYTES as u64)?;
    if length > limits::PICTURE_MADE_BYTES_MAX as u64 {
        return None;
    }
    let mut sum = crc32fast::Hasher::new();
    // On the heap: an array would be part of the stacks of all who wait for a picture.
    let mut buffer = vec![0; limits::THUMB_READ_BYTES];
    let mut at = 0;
    while at < length {
        let count =
            usize::try_from(length - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_exact_at(&mut buffer[..count], at).ok()?;
        sum.update(&buffer[..count]);
        at += count as u64;
    }
    let mut behind = [0; TRAILER_BYTES];
    file.read_exact_at(&mut behind, length).ok()?;
    sum.update(&behind[..4]);
    let sum = sum.finalize();
    if behind[1..4] != EDITION || behind[4..] != sum.to_le_bytes() {
        return None;
    }
    let origin = match behind[0] {
        b'n' if length == 0 => return Some(KeptThumb::Nothing),
        b'm' => Origin::Made,
        b'g' => Origin::Given,
        _ => return None,
    };
    Some(KeptThumb::Picture(SmallPicture { file: Arc::new(file), length, origin, sum }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::House;
    use super::*;

    /// The bytes of what is kept.
    fn bytes(kept: Option<KeptThumb>) -> Option<Vec<u8>> {
        let Some(KeptThumb::Picture(small)) = kept else { return None };
        let mut bytes = vec![0; usize::try_from(small.length).unwrap()];
        small.file.read_exact_at(&mut bytes, 0).unwrap();
        Some(bytes)
    }

    /// All small pictures on the drive of a house.
    fn all(house: &House) -> Vec<std::path::PathBuf> {
        let top = house.root().join(".larder").join(THUMBS);
        let drawers = std::fs::read_dir(top).unwrap().flatten();
        drawers
            .flat_map(|drawer| std::fs::read_dir(drawer.path()).unwrap().flatten())
            .map(|entry| entry.path())
            .collect()
    }

    /// A file whose clock is past doubt.
    fn opened(house: &House, name: &str) -> Pictured {
        let path = VaultPath::parse(name).unwrap();
        house.share().open_pictured(&path).unwrap()
    }

    #[test]
    fn what_is_kept_is_found_under_another_name_and_not_for_another_content() {
        let house = House::new();
        house.file("a.jpg", "one");
        let one = opened(&house, "a.jpg");
        assert!(one.kept(160).is_none());
        one.keep(160, b"small");
        assert_eq!(bytes(one.kept(160)).as_deref(), Some(&b"small"[..]));
        assert!(one.kept(320).is_none());
        std::fs::rename(house.root().join("a.jpg"), house.root().join("b.jpg")).unwrap();
        let renamed = opened(&house, "b.jpg");
        assert_eq!(bytes(renamed.kept(160)).as_deref(), Some(&b"small"[..]));
        assert_eq!(renamed.thumb_tag(160, None), one.thumb_tag(160, None));
        house.file("b.jpg", "another");
        let another = opened(&house, "b.jpg");
        assert!(another.kept(160).is_none());
        assert_ne!(another.thumb_tag(160, None), one.thumb_tag(160, None));
        assert!(!one.is_as_it_was().unwrap());
    }

    #[test]
    fn what_failed_is_known_for_every_size_until_somebody_brings_one() {
        let house = House::new();
        house.file("a.heic", "x");
        let file = opened(&house, "a.heic");
        file.keep_nothing();
        assert!(matches!(file.kept(160), Some(KeptThumb::Nothing)));
        assert!(matches!(file.kept(1280), Some(KeptThumb::Nothing)));
        file.keep_given(&[(160, b"s".to_vec()), (1280, b"l".to_vec())]).unwrap();
        assert_eq!(bytes(file.kept(1280)).as_deref(), Some(&b"l"[..]));
        let Some(KeptThumb::Picture(small)) = file.kept(160) else { panic!("it was given") };
        assert_eq!(small.origin, Origin::Given);
    }

    #[test]
    fn what_is_not_whole_is_not_shown_and_goes() {
        let house = House::new();
        house.file("a.jpg", "x");
        let file = opened(&house, "a.jpg");
        let damages: [fn(&mut Vec<u8>); 4] = [
            |bytes| bytes.truncate(5),
            |bytes| bytes.clear(),
            |bytes| bytes[3] ^= 1,
            |bytes| bytes.iter_mut().for_each(|byte| *byte = 0),
        ];
        for damage in damages {
            file.keep(160, b"a small picture");
            let [kept] = &all(&house)[..] else { panic!("there is one") };
            let mut bytes = std::fs::read(kept).unwrap();
            damage(&mut bytes);
            std::fs::write(kept, bytes).unwrap();
            assert!(file.kept(160).is_none());
            assert_eq!(all(&house), Vec::<std::path::PathBuf>::new());
        }
    }

    #[test]
    fn nothing_is_kept_when_it_is_switched_off() {
        let house = House::new();
        house.file("a.jpg", "x");
        house.vault.keep_thumbs(0);
        let file = opened(&house, "a.jpg");
        file.keep(160, b"small");
        assert!(file.kept(160).is_none() && !file.takes_any());
        assert!(matches!(file.keep_given(&[]), Err(Error::Conflict(_))));
    }
}
