//! The trash: contract, sections 11 and 12. What files replaced, which is there too: second contract, section 22.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, Rows, Time, done, sentence};
use crate::http::call::Call;
use crate::http::handlers::folders::EntryType;
use crate::http::handlers::upload::IfTaken;
use crate::http::question::{Ask, Query, Question};
use crate::logbook::Event;
use crate::vault::{IfExists, Item, Reason, Share, TrashId, VaultPath, Version};

/// `GET /api/trash`: what is in the trash and was where the caller may read; of each drive the latest first.
///
/// Errors: `StorageAbsent`.
pub fn list(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<Trashed>>> {
    let trash = call.share()?.trash()?;
    Answer::in_memory_or_streamed(move |out| {
        let mut rows = Rows::begin(out);
        trash.for_each(&mut |item| rows.push(&Trashed::from(item)))?;
        rows.end()
    })
}

/// One thing in the trash.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trashed {
    /// To restore or remove it by.
    id: String,
    /// Where it was.
    path: String,
    /// Its last component.
    name: String,
    /// What it is.
    r#type: EntryType,
    /// Bytes; a folder's are counted some time after it was deleted, and 0 until then.
    size: u64,
    /// When that was.
    deleted: Time,
    /// The user who did it.
    by: String,
    /// Why it is here.
    reason: Reason,
}

impl From<&Item> for Trashed {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id.clone(),
            path: item.path.as_str().to_owned(),
            name: item.path.name().to_owned(),
            r#type: item.kind.into(),
            size: item.size,
            deleted: Time::of(item.deleted),
            by: item.by.clone(),
            reason: item.reason,
        }
    }
}

/// What `versions` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WhoseVersions {
    /// The file.
    path: String,
}

impl Question for WhoseVersions {}

/// One version of a file.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FileVersion"))]
pub struct ShownVersion {
    /// To download or restore it by.
    id: TrashId,
    /// Bytes.
    size: u64,
    /// When it was replaced.
    replaced: Time,
    /// Who did that.
    by: String,
}

impl From<Version> for ShownVersion {
    fn from(Version { id, size, replaced, by }: Version) -> Self {
        Self { id, size, replaced: Time::of(replaced), by }
    }
}

/// `GET /api/versions`: what a file replaced, the latest first.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `TooSoon`, `StorageAbsent`.
pub fn versions(
    call: &mut Call<'_>,
    ask: Query<WhoseVersions>,
) -> Result<Answer<Vec<ShownVersion>>> {
    let path = VaultPath::parse(&ask.read(call)?.path)?;
    let versions = call.share()?.versions(&path)?;
    Answer::of(&versions.into_iter().map(ShownVersion::from).collect())
}

/// What `restore` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RestoreSeveral {
    /// What to put back.
    ids: Vec<String>,
    /// What to do about names that are taken; `rename` if left out.
    if_exists: Option<IfTaken>,
}

impl Question for RestoreSeveral {}

sentence!(/// Of `restore`.
    SeveralRestored, "Restored");

/// What `restore` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "RestoredAnswer"))]
pub struct Restored {
    /// What was done.
    status: SeveralRestored,
    /// Where they are now, in the order of the ids.
    paths: Vec<String>,
}

/// `POST /api/trash/restore`: puts things back where they were, all of them or none.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `StorageAbsent`.
pub fn restore(call: &mut Call<'_>, ask: Ask<RestoreSeveral>) -> Result<Answer<Restored>> {
    let mut ask = ask.read(call)?;
    if ask.ids.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No ids provided"));
    }
    // What is named twice comes back once, and each place is told with its id.
    let mut known = HashSet::with_capacity(ask.ids.len());
    ask.ids.retain(|id| known.insert(id.clone()));
    let wish = ask.if_exists.map_or(IfExists::Rename, IfExists::from);
    let paths = keeper(call)?.restore(&ask.ids, wish)?;
    for (path, id) in paths.iter().zip(&ask.ids) {
        call.note_one_of_many(Event::restored(path.as_str(), id));
    }
    let paths = paths.iter().map(VaultPath::as_str).map(str::to_owned).collect();
    Answer::of(&Restored { status: SeveralRestored, paths })
}

/// What `empty` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EmptyTrash {
    /// What to remove; everything if left out.
    ids: Option<Vec<String>>,
}

impl Question for EmptyTrash {}

sentence!(/// Of `empty`.
    TrashEmptied, "Trash emptied");

/// `POST /api/trash/empty`: removes things for good, or everything that was where the caller may write.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Remains`, `StorageAbsent`.
pub fn empty(call: &mut Call<'_>, ask: Ask<EmptyTrash>) -> Result<Answer<Done<TrashEmptied>>> {
    let ask = ask.read(call)?;
    keeper(call)?.empty_trash(ask.ids.as_deref(), &mut |removed| {
        if removed > 0 {
            let things = if removed == 1 { "thing" } else { "things" };
            call.note(Event::cleared(format!("removed {removed} {things} from the trash")));
        }
    })?;
    done()
}

/// The share in which the caller may restore and empty.
fn keeper(call: &Call<'_>) -> Result<Share> {
    let caller = call.caller()?;
    call.app.share(caller.grant_in_trash(), caller.label())
}
