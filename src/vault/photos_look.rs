//! Looking through one folder for pictures and films, in the order of their names and beside what was noted of them
//! before: what has not changed since is not read again. Which names are pictures is decided here.

use super::look;
use super::opened::open_regular;
use super::os;
use super::photos_note::{Noted, Reader, TakenFrom, seconds_of};
use super::progress::Progress;
use super::sorted::{self, Order, Shelf};
use crate::error::Result;
use crate::picture::facts::{self, Facts};
use crate::zone;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use std::cmp::Ordering;
use std::time::SystemTime;

/// What stands behind the last point in the names of pictures.
const PICTURES: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "heic", "heif", "hif", "avif", "png", "webp", "gif", "tif",
    "tiff", "bmp", "dng",
];

/// The same for films. `.ts` is not among them: more of those are programs.
const FILMS: &[&str] = &[
    "mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "3gp", "3g2", "mpg", "mpeg", "mts", "m2ts",
    "wmv",
];

/// The pictures that a Live Photo's film can belong to, the likelier first, as cameras and people write them.
const LIVE_PICTURES: &[&str] = &["HEIC", "heic", "JPG", "jpg", "JPEG", "jpeg", "HEIF", "heif"];

/// The same for their films.
const LIVE_FILMS: &[&str] = &["MOV", "mov", "Mov"];

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A picture.
    Picture,
    /// A film.
    Film,
}

/// A name cut at its last point.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let point = name.iter().rposition(|byte| *byte == b'.').filter(|point| *point > 0)?;
    Some((&name[..point], &name[point + 1..]))
}

/// What a name promises; hidden ones are nothing.
pub(super) fn sort_of(name: &[u8]) -> Option<Sort> {
    let (stem, extension) = split(name)?;
    let is_in =
        |list: &[&str]| list.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(extension));
    if stem.starts_with(b".") {
        return None;
    }
    if is_in(PICTURES) {
        return Some(Sort::Picture);
    }
    is_in(FILMS).then_some(Sort::Film)
}

/// The name with something else behind its last point.
pub(super) fn sibling(name: &[u8], extension: &[u8]) -> Vec<u8> {
    let stem = split(name).map_or(name, |(stem, _)| stem);
    [stem, extension].join(&b'.')
}

/// Whether what stands behind the last point of a name is in a list, exactly.
fn ends_as(name: &[u8], list: &[&str]) -> bool {
    split(name).is_some_and(|(_, extension)| list.iter().any(|one| one.as_bytes() == extension))
}

/// Whether a regular file has that name.
fn is_file(folder: &OwnedFd, name: &[u8]) -> bool {
    let stat = look::look(folder, name).ok().flatten();
    stat.is_some_and(|stat| look::type_of(&stat) == FileType::RegularFile)
}

/// The first of these endings under which the stem of a name has a file.
fn live_sibling(folder: &OwnedFd, name: &[u8], list: &'static [&str]) -> Option<&'static str> {
    list.iter().find(|ending| is_file(folder, &sibling(name, ending.as_bytes()))).copied()
}

/// The film of a Live Photo, by what stands behind its last point. Of several pictures of one stem it belongs to the
/// first.
fn pair_of(folder: &OwnedFd, name: &[u8]) -> Option<Vec<u8>> {
    if !ends_as(name, LIVE_PICTURES) {
        return None;
    }
    let film = live_sibling(folder, name, LIVE_FILMS)?;
    let owner = live_sibling(folder, name, LIVE_PICTURES)?;
    let is_owner = sibling(name, owner.as_bytes()) == name;
    is_owner.then(|| film.as_bytes().to_vec())
}

/// Whether a film belongs to a Live Photo, so that it is none of its own.
fn is_part_of_live_photo(folder: &OwnedFd, name: &[u8]) -> bool {
    ends_as(name, LIVE_FILMS)
        && live_sibling(folder, name, LIVE_PICTURES).is_some()
        // Of several films of one stem the others stand for themselves.
        && live_sibling(folder, name, LIVE_FILMS).is_some_and(|film| sibling(name, film.as_bytes()) == name)
}

/// How much is asked of the files themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What is in them.
    Content,
    /// Only what the folder tells of them.
    Names,
}

/// When a file was changed last (nanoseconds since 1970), as far as 64 bits can say.
pub(super) fn modified_ns(stat: &Statx) -> i64 {
    i64::try_from(look::nanoseconds_of(&stat.stx_mtime)).unwrap_or(0)
}

/// When a file was changed last, in larder's zone: seconds since 1970 without a zone.
pub(super) fn local_s(modified: SystemTime) -> i64 {
    let time = jiff::Timestamp::try_from(modified).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    seconds_of(zone::local().to_datetime(time))
}

/// What is noted of a file.
fn noted(name: &[u8], sort: Sort, stat: &Statx, facts: Facts) -> Noted {
    let (taken_s, taken_from) = match facts.taken {
        Some((taken, clock)) => (seconds_of(taken), TakenFrom::from(clock)),
        None => (local_s(look::modified_of(stat)), TakenFrom::File),
    };
    Noted {
        name: name.to_vec(),
        is_film: sort == Sort::Film,
        size: stat.stx_size,
        modified_ns: modified_ns(stat),
        taken_s,
        taken_from,
        pixels: facts.pixels,
        duration_ms: facts.duration_ms,
        place: facts.place,
        pair: None,
    }
}

/// Reads what is known of a file.
fn facts_of(folder: &OwnedFd, name: &[u8]) -> Facts {
    match open_regular(folder, name) {
        Ok(Some(opened)) => facts::read(&opened.file, opened.size),
        // It cannot be read, or is gone; the folder tells enough.
        _ => Facts::default(),
    }
}

/// What was noted before, in the order of names.
struct Before<'r> {
    /// The note.
    reader: Option<&'r mut Reader>,
    /// The picture that it is at.
    current: Option<Noted>,
}

impl<'r> Before<'r> {
    /// At the beginning of a note.
    fn of(reader: Option<&'r mut Reader>) -> Self {
        let mut before = Self { reader, current: None };
        before.step();
        before
    }

    /// Goes on to the next picture.
    fn step(&mut self) {
        self.current = self.reader.as_mut().and_then(|reader| reader.next()).cloned();
    }

    /// What was noted of a name; names are asked for in order.
    fn of_name(&mut self, name: &[u8]) -> Option<&Noted> {
        while let Some(current) = &self.current {
            match current.name.as_slice().cmp(name) {
                Ordering::Less => self.step(),
                Ordering::Equal => break,
                Ordering::Greater => return None,
            }
        }
        self.current.as_ref()
    }
}

/// Hands out the pictures and films that are in a folder now, in the order of their names, and whether each is noted
/// as it is. `folder` is open for reading.
///
/// Errors: those of `take`, `Io`, `Cancelled`.
pub(super) fn each_picture(
    folder: &OwnedFd,
    before: Option<&mut Reader>,
    depth: Depth,
    progress: &Progress,
    take: &mut dyn FnMut(&Noted, bool) -> Result<()>,
) -> Result<()> {
    let mut before = Before::of(before);
    each_name(folder, &mut |name, sort| {
        progress.go_on()?;
        let Ok(Some(stat)) = look::look(folder, name) else { return Ok(()) };
        if look::type_of(&stat) != FileType::RegularFile || is_part_of_live_photo(folder, name) {
            return Ok(());
        }
        let is_same =
            |old: &&Noted| old.size == stat.stx_size && old.modified_ns == modified_ns(&stat);
        let known = before.of_name(name).filter(is_same);
        let pair = pair_of(folder, name);
        let is_known = known.is_some_and(|known| known.pair == pair);
        let now = match known {
            Some(known) => known.clone(),
            None if depth == Depth::Content => noted(name, sort, &stat, facts_of(folder, name)),
            None => noted(name, sort, &stat, Facts::default()),
        };
        take(&Noted { pair, ..now }, is_known)
    })
}

/// Whether the pictures in a folder are those that are noted, and none of them has changed.
///
/// Errors: `Io`, `Cancelled`.
pub(super) fn is_as_noted(
    folder: &OwnedFd,
    reader: &mut Reader,
    progress: &Progress,
) -> Result<bool> {
    let (mut is_same, mut count) = (true, 0);
    let all = reader.count();
    each_picture(folder, Some(reader), Depth::Names, progress, &mut |_, is_known| {
        is_same &= is_known;
        count += 1;
        Ok(())
    })?;
    reader.rewind();
    Ok(is_same && count == all)
}

/// Hands out those noted pictures whose names are still there, and says whether there are others that are not noted.
///
/// Errors: those of `take`, `Io`.
pub(super) fn each_still_there(
    folder: &OwnedFd,
    reader: &mut Reader,
    take: &mut dyn FnMut(&Noted) -> Result<()>,
) -> Result<bool> {
    let mut before = Before::of(Some(reader));
    let mut has_others = false;
    each_name(folder, &mut |name, _| {
        if let Some(noted) = before.of_name(name) {
            return take(noted);
        }
        // The film of a Live Photo is noted with its picture.
        has_others |= is_file(folder, name) && !is_part_of_live_photo(folder, name);
        Ok(())
    })?;
    Ok(has_others)
}

/// Hands out the names in a folder that promise something, in order.
fn each_name(folder: &OwnedFd, take: &mut dyn FnMut(&[u8], Sort) -> Result<()>) -> Result<()> {
    let is_wanted = |name: &[u8]| sort_of(name).is_some();
    let source = sorted::Source {
        folder: folder.as_fd(),
        order: Order::Up,
        is_wanted: &is_wanted,
        enter: None,
    };
    source.each(&Shelf::new(), &mut |name| {
        if let Some(sort) = sort_of(name) {
            take(name, sort)?;
        }
        Ok(true)
    })
}

/// Hands out the folders in a folder that Photos looks into, and says whether anything there promises to be a picture.
///
/// Errors: `Io`.
pub(super) fn each_folder(folder: &OwnedFd, take: &mut dyn FnMut(&[u8])) -> Result<bool> {
    let mut has_pictures = false;
    look::each_kind(folder.as_fd(), &mut |name, kind| match kind {
        FileType::Directory if !name.starts_with(b".") => take(name),
        FileType::RegularFile => has_pictures |= sort_of(name).is_some(),
        _ => {}
    })
    .map_err(os)?;
    Ok(has_pictures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_what_is_behind_their_last_point() {
        for (name, sort) in [
            ("a.jpg", Some(Sort::Picture)),
            ("a.b.HEIC", Some(Sort::Picture)),
            ("a.MOV", Some(Sort::Film)),
            ("a.ts", None),
            ("a.aae", None),
            ("a.xmp", None),
            ("a.jpg.xmp", None),
            (".a.jpg", None),
            ("._IMG_1.JPG", None),
            (".jpg", None),
            ("jpg", None),
            ("", None),
        ] {
            assert_eq!(sort_of(name.as_bytes()), sort, "{name}");
        }
        assert_eq!(sibling(b"a.b.JPG", b"mov"), b"a.b.mov");
    }
}
