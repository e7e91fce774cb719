//! The trash: contract, sections 11 and 12.

use std::collections::HashSet;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, text, texts};
use crate::http::call::Call;
use crate::http::handlers::folders::{in_memory_or_streamed, write_json};
use crate::http::handlers::upload::if_exists;
use crate::http::reply::{Reply, Status};
use crate::logbook::Event;
use crate::vault::{IfExists, Item, Kind, Reason, Share, Trash, VaultPath};

/// The fields of `restore`.
pub const RESTORE: &[Field] = &[texts("ids"), text("if_exists")];

/// The fields of `empty`.
pub const EMPTY: &[Field] = &[texts("ids")];

/// `GET /api/trash`: what is in the trash and was where the caller may read; of each drive the latest first.
///
/// Errors: `StorageAbsent`.
pub fn list(call: &mut Call<'_>) -> Result<Reply> {
    let trash = call.share()?.trash()?;
    in_memory_or_streamed(move |out| write_listing(&trash, out))
}

/// Writes the answer of `list`.
fn write_listing(trash: &Trash, mut out: &mut dyn Write) -> Result<()> {
    out.write_all(b"[")?;
    let mut comma = "";
    trash.for_each(&mut |item| {
        out.write_all(comma.as_bytes())?;
        comma = ",";
        write_json(&mut out, &Details::of(item))
    })?;
    out.write_all(b"]")?;
    Ok(())
}

/// One thing in the trash.
#[derive(Serialize)]
struct Details<'a> {
    /// To restore or remove it by.
    id: &'a str,
    /// Where it was.
    path: &'a str,
    /// Its last component.
    name: &'a str,
    /// `file`, `folder` or `other`.
    r#type: &'static str,
    /// Bytes; a folder's are counted some time after it was deleted, and 0 until then.
    size: u64,
    /// RFC 3339, UTC.
    deleted: String,
    /// The user who did it.
    by: &'a str,
    /// `deleted` or `replaced`.
    reason: Reason,
}

impl<'a> Details<'a> {
    /// In the contract's words.
    fn of(item: &'a Item) -> Self {
        let deleted = Timestamp::try_from(item.deleted).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            id: &item.id,
            path: item.path.as_str(),
            name: item.path.name(),
            r#type: match item.kind {
                Kind::File => "file",
                Kind::Folder => "folder",
                Kind::Other => "other",
            },
            size: item.size,
            deleted: deleted.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            by: &item.by,
            reason: item.reason,
        }
    }
}

/// `POST /api/trash/restore`: puts things back where they were, all of them or none.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Collision`, `DiskFull`, `StorageAbsent`.
pub fn restore(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Restored<'a> {
        /// The contract's sentence.
        status: &'static str,
        /// Where they are now, in the order of the ids.
        paths: Vec<&'a str>,
    }
    let ask = call.ask()?;
    let ids = ids_of(&ask).filter(|ids| !ids.is_empty());
    let mut ids = ids.ok_or(Error::invalid_as(Why::Missing, "No ids provided"))?;
    // What is named twice comes back once, and each place is told with its id.
    let mut known = HashSet::with_capacity(ids.len());
    ids.retain(|id| known.insert(id.clone()));
    let wish = ask.text("if_exists").map_or(Ok(IfExists::Rename), if_exists)?;
    let paths = keeper(call)?.restore(&ids, wish)?;
    for (path, id) in paths.iter().zip(&ids) {
        call.note_one_of_many(Event::restored(path.as_str(), id));
    }
    let paths = paths.iter().map(VaultPath::as_str).collect();
    Reply::json(&Restored { status: "Restored", paths })
}

/// `POST /api/trash/empty`: removes things for good, or everything that was where the caller may write.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Remains`, `StorageAbsent`.
pub fn empty(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let ids = ids_of(&ask);
    keeper(call)?.empty_trash(ids.as_deref(), &mut |removed| {
        if removed > 0 {
            let things = if removed == 1 { "thing" } else { "things" };
            call.note(Event::cleared(format!("removed {removed} {things} from the trash")));
        }
    })?;
    Reply::json(&Status { status: "Trash emptied" })
}

/// The ids that were named; `None` when none were.
fn ids_of(ask: &Ask) -> Option<Vec<String>> {
    Some(ask.texts("ids")?.into_iter().map(str::to_owned).collect())
}

/// The share in which the caller may restore and empty.
fn keeper(call: &Call<'_>) -> Result<Share> {
    let caller = call.caller()?;
    call.app.share(caller.grant_in_trash(), caller.label())
}
