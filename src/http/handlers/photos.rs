//! Photos, all pictures and films by the day they were taken: second contract, section 19.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::http::answer::{Answer, Time};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, Started};
use crate::http::handlers::media;
use crate::http::question::{Ask, Query, Question};
use crate::limits;
use crate::picture::facts::Place;
use crate::vault::{self, Photo, PhotoPage, Position, VaultPath};

/// What `photos` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhotoQuery {
    /// The folder; everything readable if left out.
    path: Option<String>,
    /// The month whose pictures are wanted, as `2026-08`; all months are counted if left out.
    month: Option<String>,
    /// How many pictures at most (500 if left out; never more than 5000).
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<i64>,
    /// Where to go on, as `next` said.
    after: Option<String>,
    /// Whether to tell where they were taken (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    place: bool,
}

impl Question for PhotoQuery {}

/// All months, or the pictures of one.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(untagged)]
pub enum Photos {
    /// Without `month`.
    Months(Months),
    /// With `month`.
    Items(Items),
}

/// All months that have pictures.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PhotoMonths"))]
pub struct Months {
    /// The months, newest first.
    #[serde(rename = "months")]
    counts: Vec<MonthCount>,
    /// Whether every folder was looked through once.
    complete: bool,
    /// How many pictures are noted.
    scanned: u64,
}

/// One month.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PhotoMonth"))]
struct MonthCount {
    /// As `2026-08`.
    month: String,
    /// How many pictures it has.
    count: u64,
}

/// Pictures of one month.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PhotoItems"))]
pub struct Items {
    /// The pictures, newest first.
    items: Vec<Item>,
    /// What to ask for as `after`, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One picture or film.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PhotoItem"))]
struct Item {
    /// Where it is, relative to the share root.
    path: String,
    /// What it is.
    r#type: ItemType,
    /// When it was taken, on the camera's clock: without a zone.
    #[cfg_attr(test, schemars(extend("format" = "date-time-local")))]
    taken: String,
    /// Who says so.
    taken_from: TakenFrom,
    /// Pixels from left to right, as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// Pixels from top to bottom, as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// How long it lasts (s).
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    /// Bytes.
    size: u64,
    /// When it was changed last.
    modified: Time,
    /// Its media type, by its name.
    mime: String,
    /// Another one whenever the content is; as a download's, without the quotes.
    etag: String,
    /// The film of a Live Photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<String>,
    /// Degrees north; only with `place=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<f64>,
    /// Degrees east; only with `place=1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lon: Option<f64>,
}

/// What an item is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum ItemType {
    /// A picture.
    Image,
    /// A film.
    Video,
}

/// Who says when something was taken.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum TakenFrom {
    /// The camera.
    Exif,
    /// The film.
    Film,
    /// The file's time of modification.
    File,
}

impl From<vault::TakenFrom> for TakenFrom {
    fn from(from: vault::TakenFrom) -> Self {
        match from {
            vault::TakenFrom::Exif => Self::Exif,
            vault::TakenFrom::Film => Self::Film,
            vault::TakenFrom::File => Self::File,
        }
    }
}

impl Item {
    /// Of a picture, with its place or without.
    fn of(photo: Photo, has_place: bool) -> Self {
        let place = photo.place.filter(|_| has_place).map(Place::degrees);
        // Thousandths of seconds fit into 53 bits for longer than there are films.
        #[expect(clippy::cast_precision_loss, reason = "nobody films for 285 000 years")]
        let seconds = |ms: u64| ms as f64 / 1000.0;
        Self {
            mime: media::of(photo.path.name()),
            path: photo.path.into(),
            r#type: if photo.is_film { ItemType::Video } else { ItemType::Image },
            taken: photo.taken.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            taken_from: photo.taken_from.into(),
            width: photo.pixels.map(|(width, _)| width),
            height: photo.pixels.map(|(_, height)| height),
            duration: photo.duration_ms.map(seconds),
            size: photo.size,
            modified: Time::of(photo.modified),
            etag: photo.tag,
            pair: photo.pair.map(String::from),
            lat: place.map(|(latitude, _)| latitude),
            lon: place.map(|(_, longitude)| longitude),
        }
    }
}

/// `GET /api/photos`: the months, or the pictures of one.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon`.
pub fn list(call: &mut Call<'_>, ask: Query<PhotoQuery>) -> Result<Answer<Photos>> {
    let ask = ask.read(call)?;
    let month = ask.month.as_deref().map(month_of).transpose()?;
    let after = ask.after.as_deref().map(position_of).transpose()?;
    let limit = ask.limit.unwrap_or(limits::PHOTOS_DEFAULT);
    if limit == 0 {
        return Err(Error::invalid("limit must be a whole number of at least 1"));
    }
    let limit = usize::try_from(limit.min(limits::PHOTOS_PER_ANSWER_MAX)).unwrap_or(1);
    let path = VaultPath::parse(&ask.path.unwrap_or_default())?;
    let share = call.share()?;
    let Some(month) = month else {
        return Answer::of(&Photos::Months(share.photo_months(&path)?.into()));
    };
    // Nobody but users of the house is told of places.
    let has_place = ask.place && call.user().is_ok();
    let page = share.photos_of(&path, month, after.as_ref(), limit)?;
    Ok(Answer::streamed(Photos::Items(Items::of(page, has_place))))
}

/// Reads a month.
fn month_of(text: &str) -> Result<vault::Month> {
    vault::Month::parse(text).ok_or(Error::invalid("Invalid month"))
}

/// Reads where to go on.
fn position_of(text: &str) -> Result<Position> {
    Position::parse(text).ok_or(Error::invalid("after must be what next said"))
}

impl Items {
    /// Of a page.
    fn of(page: PhotoPage, has_place: bool) -> Self {
        let items = page.photos.into_iter().map(|photo| Item::of(photo, has_place)).collect();
        Self { items, next: page.next.map(|next| next.to_string()) }
    }
}

impl From<vault::Months> for Months {
    fn from(months: vault::Months) -> Self {
        let counts = months.counts.iter().rev();
        let counts =
            counts.map(|(month, count)| MonthCount { month: month.to_string(), count: *count });
        Self { counts: counts.collect(), complete: months.is_complete, scanned: months.noted }
    }
}

/// What `photos/scan` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanQuestion {
    /// The folder; everything readable if left out.
    path: Option<String>,
}

impl Question for ScanQuestion {}

/// `POST /api/photos/scan`: looks through folders for pictures, as a job. Whoever has one running for the same folder
/// is told of that.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon`.
pub fn scan(call: &mut Call<'_>, ask: Ask<ScanQuestion>) -> Result<Answer<Started>> {
    let ask = ask.read(call)?;
    let path = VaultPath::parse(&ask.path.unwrap_or_default())?;
    let scan = call.share()?.photo_scan(&path)?;
    jobs::start_only(call, jobs::Kind::Photos, path.as_str(), move |progress| scan.run(progress))
}
