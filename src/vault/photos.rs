//! Photos, read from the notes of all folders that a caller may read: the months, and the pictures of one. What has
//! gone since is not told: a folder that has changed is held against its names, and each picture of an answer is
//! looked at before it is told.

use super::look;
use super::path::VaultPath;
use super::photos_look::{self, Depth, modified_ns, sibling};
use super::photos_note::{Noted, Reader, TakenFrom, seconds_of, time_of};
use super::photos_walk::Visit;
use super::progress::Progress;
use super::share::Share;
use super::stamp::Stamp;
use crate::budget;
use crate::error::Result;
use crate::picture::facts::Place;
use crate::{limits, threads};
use jiff::civil::{Date, DateTime};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Statx};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::SystemTime;

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    year: i16,
    /// From 1 to 12.
    month: i8,
}

impl Month {
    /// Reads `2026-08`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) =
            text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(year) || !is_number(month) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        Date::new(year, month, 1).ok().map(|_| Self { year, month })
    }

    /// That a time is in.
    fn of(time: DateTime) -> Self {
        Self { year: time.year(), month: time.month() }
    }

    /// Its first second, and the first after it.
    fn seconds(self) -> (i64, i64) {
        let first = Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO);
        let end = first.last_of_month().tomorrow().unwrap_or(Date::MAX);
        let seconds = |date: Date| seconds_of(date.to_datetime(jiff::civil::Time::midnight()));
        (seconds(first), seconds(end))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:04}-{:02}", self.year, self.month)
    }
}

/// All months that have pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Months {
    /// How many pictures each has.
    pub counts: BTreeMap<Month, u64>,
    /// Whether every folder was looked through.
    pub is_complete: bool,
    /// How many pictures are noted.
    pub noted: u64,
}

/// One picture or film.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Where it is.
    pub path: VaultPath,
    /// Whether it is a film.
    pub is_film: bool,
    /// When it was taken, on the camera's clock.
    pub taken: DateTime,
    /// Who says so.
    pub taken_from: TakenFrom,
    /// Width and height as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// How long it lasts (ms).
    pub duration_ms: Option<u64>,
    /// Where it was taken.
    pub place: Option<Place>,
    /// Bytes.
    pub size: u64,
    /// When its content changed last.
    pub modified: SystemTime,
    /// Differs whenever the content does.
    pub tag: String,
    /// The film of a Live Photo.
    pub pair: Option<VaultPath>,
}

/// Some pictures of a month, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhotoPage {
    /// The pictures.
    pub photos: Vec<Photo>,
    /// Where the next ones begin, if there are more.
    pub next: Option<Position>,
}

/// A place in the row of all pictures: when it was taken, and the path where several were at that time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Seconds since 1970, on the camera's clock.
    taken_s: i64,
    /// Where it is.
    path: VaultPath,
}

impl Position {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (seconds, path) = text.split_once('/')?;
        Some(Self { taken_s: seconds.parse().ok()?, path: VaultPath::parse(path).ok()? })
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.taken_s, self.path)
    }
}

/// A picture that was found and may be told.
struct Found {
    /// Where it stands in the row.
    position: Position,
    /// The folder that it is in, by the share root.
    folder: Arc<[u8]>,
    /// What is noted.
    noted: Noted,
}

impl Share {
    /// The months in which pictures in and below a folder were taken.
    ///
    /// Errors: `Refused`, `NotFound`, `Invalid` (a file), `StorageAbsent`, `TooSoon`.
    pub fn photo_months(&self, path: &VaultPath) -> Result<Months> {
        let mut months = Months::default();
        let mut current = (i64::MAX, i64::MIN, 0_u64, Month { year: 1970, month: 1 });
        let put = |(.., count, month): (i64, i64, u64, Month), months: &mut Months| {
            if count > 0 {
                *months.counts.entry(month).or_default() += count;
            }
        };
        let is_complete = self.each_noted(path, &mut |_, noted| {
            months.noted += 1;
            // Most pictures are of the month of the one before.
            if !(current.0..current.1).contains(&noted.taken_s) {
                put(current, &mut months);
                let month = Month::of(time_of(noted.taken_s));
                let (from, to) = month.seconds();
                current = (from, to, 0, month);
            }
            current.2 += 1;
            Ok(())
        })?;
        put(current, &mut months);
        months.is_complete = is_complete;
        Ok(months)
    }

    /// The pictures of a month in and below a folder, newest first, behind a position: as many as asked for.
    ///
    /// Errors: those of `photo_months`.
    pub fn photos_of(
        &self,
        path: &VaultPath,
        month: Month,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<PhotoPage> {
        let (from, to) = month.seconds();
        let mut newest: BinaryHeap<Reverse<Found>> = BinaryHeap::new();
        let mut folder: Arc<[u8]> = Arc::from([]);
        self.each_noted(path, &mut |visit, noted| {
            let is_full = newest.len() > limit;
            let oldest = newest.peek().filter(|_| is_full).map(|oldest| oldest.0.position.taken_s);
            if !(from..to).contains(&noted.taken_s)
                || oldest.is_some_and(|oldest| noted.taken_s < oldest)
            {
                return Ok(());
            }
            let position = Position { taken_s: noted.taken_s, path: visit.tell(&noted.name) };
            if after.is_some_and(|after| position >= *after) {
                return Ok(());
            }
            if *folder != *visit.place {
                folder = visit.place.into();
            }
            newest.push(Reverse(Found {
                position,
                folder: Arc::clone(&folder),
                noted: noted.clone(),
            }));
            if newest.len() > limit + 1 {
                newest.pop();
            }
            Ok(())
        })?;
        let mut found: Vec<Found> =
            newest.into_sorted_vec().into_iter().map(|found| found.0).collect();
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|last| last.position.clone());
        let mut folder = None;
        let photos = found.into_iter().filter_map(|found| self.seen(found, &mut folder)).collect();
        Ok(PhotoPage { photos, next })
    }

    /// Hands out what is noted of the pictures in and below a folder, as far as they are still there; whether every
    /// folder was looked through.
    fn each_noted(
        &self,
        path: &VaultPath,
        take: &mut dyn FnMut(&Visit<'_>, &Noted) -> Result<()>,
    ) -> Result<bool> {
        if let Some(ear) = self.finder.root.news.ear() {
            ear.settle();
        }
        self.checked(|| {
            let _seat = budget::house().seat(&self.line)?;
            let _loan = budget::house().lend(limits::PHOTOS_BYTES)?;
            let progress = Progress::default();
            let mut is_complete = true;
            let starts = self.photo_starts(path)?;
            let is_all = self.walk_photos(
                &starts,
                &progress,
                &mut |visit| {
                    is_complete &= read_folder(visit, &progress, take)?;
                    Ok(())
                },
                &mut |_| Ok(()),
            )?;
            Ok(is_all && is_complete)
        })
    }

    /// Somebody looked at a picture: its folder is noted, if it was not lately. Waits for nothing.
    pub fn photo_was_seen(&self, path: &VaultPath) {
        if let Some(ear) = self.finder.root.news.ear() {
            ear.seen(path);
        }
    }

    /// What is to be told of a picture, as it is now; `None` when it is gone. The folder that was opened for the one
    /// before is mostly its own, too.
    fn seen(&self, found: Found, folder: &mut Option<(Arc<[u8]>, Arc<OwnedFd>)>) -> Option<Photo> {
        threads::give_way();
        if folder.as_ref().is_none_or(|(place, _)| *place != found.folder) {
            let (handle, quirks) = (&self.finder.handle, &self.finder.root.quirks);
            let opened = look::open_deep(handle, &found.folder, quirks.no_openat2).ok()?;
            *folder = Some((Arc::clone(&found.folder), opened));
        }
        let (_, folder) = folder.as_ref()?;
        let noted = found.noted;
        let stat = file_at(folder, &noted.name)?;
        let is_same = noted.size == stat.stx_size && noted.modified_ns == modified_ns(&stat);
        if !is_same && let Some(ear) = self.finder.root.news.ear() {
            ear.came(&found.position.path);
        }
        let path = found.position.path;
        let pair = noted.pair.filter(|pair| file_at(folder, &sibling(&noted.name, pair)).is_some());
        let pair = pair.and_then(|pair| {
            let name = sibling(path.name().as_bytes(), &pair);
            Some(path.parent()?.join(std::str::from_utf8(&name).ok()?))
        });
        Some(Photo {
            is_film: noted.is_film,
            taken: time_of(noted.taken_s),
            taken_from: noted.taken_from,
            // Of another content nothing is known yet.
            pixels: noted.pixels.filter(|_| is_same),
            duration_ms: noted.duration_ms.filter(|_| is_same),
            place: noted.place.filter(|_| is_same),
            size: stat.stx_size,
            modified: look::modified_of(&stat),
            tag: Stamp::of(&stat).tag(),
            pair,
            path,
        })
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.position.cmp(&other.position)
    }
}

/// The regular file of that name.
fn file_at(folder: &OwnedFd, name: &[u8]) -> Option<Statx> {
    let stat = look::look(folder, name).ok().flatten()?;
    (look::type_of(&stat) == FileType::RegularFile).then_some(stat)
}

/// Hands out what is noted of one folder's pictures; whether all of them are noted.
fn read_folder(
    visit: &mut Visit<'_>,
    progress: &Progress,
    take: &mut dyn FnMut(&Visit<'_>, &Noted) -> Result<()>,
) -> Result<bool> {
    let mut note = visit.top.store.read(&visit.note);
    let head = note.as_ref().map(Reader::head).unwrap_or_default();
    let is_fresh = head.changed_ns.is_some() && head.changed_ns == visit.mark();
    if let Some(note) = note.as_mut().filter(|_| is_fresh) {
        while let Some(noted) = note.next() {
            threads::give_way();
            tell(visit, noted, take)?;
        }
        if !head.has_folders {
            return Ok(true);
        }
    }
    // Larder may not look into it, or it is gone.
    let Ok(folder) = visit.open() else { return Ok(true) };
    let has_pictures = photos_look::each_folder(&folder, &mut |name| visit.descend(name))?;
    let visit = &*visit;
    match note {
        _ if is_fresh || !has_pictures => Ok(true),
        Some(mut note) => {
            let has_others = photos_look::each_still_there(&folder, &mut note, &mut |noted| {
                tell(visit, noted, take)
            })?;
            Ok(!has_others)
        }
        None if visit.top.store.takes_notes() => Ok(false),
        // A drive that takes no notes is told of by what its folders say.
        None => {
            let depth = Depth::Names;
            photos_look::each_picture(&folder, None, depth, progress, &mut |noted, _| {
                tell(visit, noted, take)
            })?;
            Ok(true)
        }
    }
}

/// Hands out one picture, if it is meant.
fn tell(
    visit: &Visit<'_>,
    noted: &Noted,
    take: &mut dyn FnMut(&Visit<'_>, &Noted) -> Result<()>,
) -> Result<()> {
    if visit.is_meant(&noted.name) { take(visit, noted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_month_is_one() {
        for text in ["2026-08", "0001-01", "9999-12"] {
            assert_eq!(Month::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-8",
            "26-08",
            "2026-08-01",
            "+026-08",
            "2026-+8",
            "abcd-ef",
        ] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_has_all_its_seconds() {
        let (from, to) = Month::parse("2024-02").unwrap().seconds();
        assert_eq!(to - from, 29 * 86400);
        assert_eq!(Month::of(time_of(from)).to_string(), "2024-02");
        assert_eq!(Month::of(time_of(to - 1)).to_string(), "2024-02");
        assert_eq!(Month::of(time_of(to)).to_string(), "2024-03");
        let (from, to) = Month::parse("9999-12").unwrap().seconds();
        assert!(to > from);
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let position = Position { taken_s: -5, path: VaultPath::parse("a/b:c.jpg").unwrap() };
        assert_eq!(Position::parse(&position.to_string()), Some(position));
        for text in ["", "5", "x/y", "5/../y", "/y"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
