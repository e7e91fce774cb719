//! Small pictures of files: found where they are kept, else made, once for all who want the same at the same time.
//! Knows neither who asks nor how they are told.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use crate::error::{Error, Result};
use crate::picture::{self, Pictures, Place, Places, Size, Wish};
use crate::vault::{KeptThumb, Origin, Pictured, SmallPicture};
use crate::{limits, metrics, threads};

/// A small picture.
#[derive(Clone, Debug)]
pub enum Thumb {
    /// As it is kept.
    Kept(SmallPicture),
    /// The drive keeps none; a place among those that are sent from memory goes with it.
    InMemory(Arc<Vec<u8>>),
}

impl Thumb {
    /// It as the drive keeps it.
    pub fn kept(&self) -> Option<&SmallPicture> {
        match self {
            Self::Kept(small) => Some(small),
            Self::InMemory(_) => None,
        }
    }
}

/// What is known of one that is wanted.
#[derive(Clone, Debug)]
pub struct Found {
    /// The picture, if there is one.
    pub thumb: Option<Thumb>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Found {
    /// There is none.
    const NONE: Self = Self { thumb: None, origin: Origin::Made };
}

/// What came of making one.
#[derive(Clone, Debug, Default)]
enum Outcome {
    /// It is being made.
    #[default]
    Open,
    /// This.
    Found(Found),
    /// Nothing that says anything for others: whose it was has gone, or the machine has failed.
    Left,
}

/// One that is being made, for whoever wants it too.
#[derive(Debug, Default)]
struct Flight {
    /// What came of it.
    outcome: Mutex<Outcome>,
    /// Told when it is known.
    landed: Condvar,
    /// Whether any who wait for it go before guests: then it does.
    is_first: AtomicBool,
}

/// The wish of whoever makes one, and of those who wait for it.
struct Together<'a> {
    /// Theirs.
    own: &'a dyn Wish,
    /// Who waits.
    flight: &'a Flight,
}

impl Wish for Together<'_> {
    fn is_wanted(&self) -> bool {
        self.own.is_wanted()
    }

    fn is_first(&self) -> bool {
        self.own.is_first() || self.flight.is_first.load(Ordering::Relaxed)
    }
}

/// Small pictures, and who makes which of them at the moment.
#[derive(Default)]
pub struct Thumbs {
    /// Makes them.
    pictures: Pictures,
    /// Who may look into a file for one, by drive: one that falls silent holds up no other.
    places: Mutex<HashMap<(u32, u32), Arc<Places>>>,
    /// What has none, where the drive keeps no note of it; the oldest first.
    failures: Mutex<VecDeque<String>>,
    /// What is being made, and for how many others than those who make it.
    flights: Mutex<(HashMap<String, Arc<Flight>>, usize)>,
}

/// What somebody makes; when it is dropped, those who wait for it are told.
struct Captain<'a> {
    /// Where it is noted.
    thumbs: &'a Thumbs,
    /// Under which name.
    name: String,
    /// Who waits.
    flight: Arc<Flight>,
    /// What came of it.
    outcome: Option<Found>,
}

impl Drop for Captain<'_> {
    fn drop(&mut self) {
        threads::locked(&self.thumbs.flights).0.remove(&self.name);
        *threads::locked(&self.flight.outcome) =
            self.outcome.take().map_or(Outcome::Left, Outcome::Found);
        self.flight.landed.notify_all();
    }
}

impl Thumbs {
    /// The small picture of an open file. `wish` is asked now and then.
    ///
    /// Errors: `Busy` (as many as may wait already), `Disconnected` (not wanted any more), `Io`.
    pub fn of(&self, file: &Pictured, size: Size, wish: &dyn Wish) -> Result<Found> {
        if let Some(found) = self.known(file, size) {
            return Ok(found);
        }
        let Some(identity) = file.identity() else { return self.make(file, size, wish) };
        let name = format!("{identity}/{}", size.pixels());
        loop {
            let mut captain = match self.board(&name, wish)? {
                Ok(captain) => captain,
                Err(flight) => {
                    let outcome = flight.wait(wish);
                    threads::locked(&self.flights).1 -= 1;
                    match outcome? {
                        Some(found) => return Ok(found),
                        None => continue,
                    }
                }
            };
            // Whoever made it may have just been done.
            let found = if let Some(found) = self.known(file, size) {
                found
            } else {
                let flight = Arc::clone(&captain.flight);
                self.make(file, size, &Together { own: wish, flight: &flight })?
            };
            captain.outcome = Some(found.clone());
            return Ok(found);
        }
    }

    /// Begins to make what has this name, or finds who is at it already.
    ///
    /// Errors: `Busy`.
    fn board(
        &self,
        name: &str,
        wish: &dyn Wish,
    ) -> Result<std::result::Result<Captain<'_>, Arc<Flight>>> {
        let mut flights = threads::locked(&self.flights);
        let (known, followers) = &mut *flights;
        if let Some(flight) = known.get(name) {
            if *followers >= limits::THUMB_FOLLOWERS_MAX {
                return Err(Error::Busy { retry_after_s: limits::PICTURES_RETRY_AFTER_S });
            }
            *followers += 1;
            flight.is_first.fetch_or(wish.is_first(), Ordering::Relaxed);
            return Ok(Err(Arc::clone(flight)));
        }
        let flight = Arc::new(Flight::default());
        known.insert(name.to_owned(), Arc::clone(&flight));
        drop(flights);
        Ok(Ok(Captain { thumbs: self, name: name.to_owned(), flight, outcome: None }))
    }

    /// What is known of it already.
    pub fn known(&self, file: &Pictured, size: Size) -> Option<Found> {
        kept(file, size).or_else(|| {
            let identity = file.identity()?;
            threads::locked(&self.failures).contains(&identity).then_some(Found::NONE)
        })
    }

    /// Remembers that a file has none: on its drive if that takes a note, else in memory.
    fn remember_failure(&self, file: &Pictured) {
        file.keep_nothing();
        if let Some(identity) = file.identity().filter(|_| kept(file, Size::Small).is_none()) {
            let mut failures = threads::locked(&self.failures);
            failures.push_back(identity);
            if failures.len() > limits::THUMB_FAILURES_MAX {
                failures.pop_front();
            }
        }
    }

    /// Where those have places who look into files of a drive.
    fn places_of(&self, drive: (u32, u32)) -> Arc<Places> {
        let mut places = threads::locked(&self.places);
        if places.len() >= limits::THUMB_DRIVES_MAX && !places.contains_key(&drive) {
            places.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let new = || Places::new(limits::THUMBS_AT_ONCE, limits::THUMBS_OF_GUESTS_AT_ONCE).into();
        Arc::clone(places.entry(drive).or_insert_with(new))
    }

    /// Makes it, and keeps it if the file is still what it was.
    fn make(&self, file: &Pictured, size: Size, wish: &dyn Wish) -> Result<Found> {
        let places = self.places_of(file.drive());
        let _place = place_while(&places, wish, &|| file.ask_drive())?;
        let made = self.pictures.make(&file.file.file, size, wish)?;
        if made.is_some() { &metrics::THUMBS_MADE } else { &metrics::THUMBS_FAILED }.add(1);
        let is_as_it_was = file.is_as_it_was()?;
        let Some(jpeg) = made else {
            if is_as_it_was {
                self.remember_failure(file);
            }
            return Ok(Found::NONE);
        };
        if is_as_it_was {
            file.keep(size.pixels(), &jpeg);
            if let Some(found) = kept(file, size) {
                return Ok(found);
            }
        } else if file.identity().is_some() {
            // Half of it may be of the old content: nobody is shown that.
            return Ok(Found::NONE);
        }
        Ok(Found { thumb: Some(Thumb::InMemory(Arc::new(jpeg))), origin: Origin::Made })
    }

    /// Keeps a small picture that a browser has made, decoded and encoded anew.
    ///
    /// Errors: `Invalid` (no JPEG, or too large a one), `Conflict` (larder makes it itself, or keeps none),
    /// `PreconditionFailed` (the file has changed), `DiskFull`, `Busy`, `Disconnected`, `Io`.
    pub fn give(&self, file: &Pictured, jpeg: &[u8], wish: &dyn Wish) -> Result<()> {
        let (width, height) = picture::frame_of(jpeg).ok_or(Error::invalid("Not a JPEG"))?;
        if width.max(height) > limits::PICTURE_INSIDE_SIDE_MAX {
            return Err(Error::invalid("Too large a picture"));
        }
        let found = self.of(file, Size::Small, wish)?;
        if found.thumb.is_some() && found.origin == Origin::Made {
            return Err(Error::Conflict("larder makes this thumbnail itself"));
        }
        let mut pictures = Vec::with_capacity(Size::ALL.len());
        for size in Size::ALL {
            let side = size.pixels().min(limits::PICTURE_INSIDE_SIDE_MAX);
            let remade = self.pictures.remake(jpeg, side, wish)?;
            pictures.push((size.pixels(), remade.ok_or(Error::invalid("Not a JPEG"))?));
        }
        if !file.is_as_it_was()? {
            return Err(Error::PreconditionFailed);
        }
        file.keep_given(&pictures)
    }
}

/// Takes a place, waiting for one as long as the drive answers that `ask` asks: nobody waits behind others for one that
/// has fallen silent.
///
/// Errors: those of `ask` and of `Places::take`.
fn place_while<'a>(
    places: &'a Places,
    wish: &dyn Wish,
    ask: &dyn Fn() -> Result<()>,
) -> Result<Place<'a>> {
    let asking = WhileItAnswers { wish, ask, silence: OnceCell::new() };
    let place = places.take(&asking);
    // Who was told so has not left, whatever the drive says by now.
    match asking.silence.into_inner() {
        Some(silence) => Err(silence),
        None => ask().and(place),
    }
}

/// A wish as long as a drive answers.
struct WhileItAnswers<'a> {
    /// It.
    wish: &'a dyn Wish,
    /// Asks the drive.
    ask: &'a dyn Fn() -> Result<()>,
    /// What was said when it did not answer.
    silence: OnceCell<Error>,
}

impl Wish for WhileItAnswers<'_> {
    fn is_wanted(&self) -> bool {
        let is_silent = |error| self.silence.get_or_init(|| error);
        self.wish.is_wanted() && (self.ask)().map_err(is_silent).is_ok()
    }

    fn is_first(&self) -> bool {
        self.wish.is_first()
    }
}

impl Flight {
    /// Waits for what comes of it; `None` when somebody else has to make it.
    ///
    /// Errors: `Disconnected` when it is not wanted any more.
    fn wait(&self, wish: &dyn Wish) -> Result<Option<Found>> {
        let mut outcome = threads::locked(&self.outcome);
        loop {
            match &*outcome {
                Outcome::Found(found) => return Ok(Some(found.clone())),
                Outcome::Left => return Ok(None),
                Outcome::Open => {}
            }
            threads::shed_stack();
            outcome =
                threads::whole(self.landed.wait_timeout(outcome, limits::PICTURE_LOOK_TIME)).0;
            if matches!(*outcome, Outcome::Open) && !wish.is_wanted() {
                return Err(Error::Disconnected);
            }
        }
    }
}

/// What is kept of a file.
fn kept(file: &Pictured, size: Size) -> Option<Found> {
    Some(match file.kept(size.pixels())? {
        KeptThumb::Picture(small) => {
            let origin = small.origin;
            Found { thumb: Some(Thumb::Kept(small)), origin }
        }
        KeptThumb::Nothing => Found::NONE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn who_waits_for_a_drive_that_was_silent_for_a_moment_has_not_left() {
        let places = Places::new(1, 1);
        let _first = places.take(&|| true).unwrap();
        let asked = Cell::new(0);
        let once_silent = || {
            asked.set(asked.get() + 1);
            if asked.get() > 1 { Ok(()) } else { Err(Error::DriveBusy { retry_after_s: 1 }) }
        };
        let told = place_while(&places, &|| true, &once_silent);
        assert!(matches!(told, Err(Error::DriveBusy { .. })));
        let left = place_while(&places, &|| false, &|| Ok(()));
        assert!(matches!(left, Err(Error::Disconnected)));
    }
}
