//! Files and folders under the share root: the one layer between every door and the disk. Knows
//! no users, tokens, HTTP, FTP or SQL; a caller is a [`Grant`] and nothing more.
//!
//! A [`Vault`] lives as long as the program. A door asks it for a [`Share`] per request or
//! session: the share root, opened anew and found to be the right drive, narrowed to a grant.
//! Everything else is relative to that open handle, so that the check and the use are one step.

mod append;
mod aside;
mod attributes;
mod carried;
mod change;
mod composed;
mod content_hash;
mod copy;
mod discard;
mod drives;
mod ended;
mod entry_name;
mod explain;
mod foresee;
mod gate;
mod grant;
mod group;
mod hidden;
mod journal;
mod keeping;
mod kept;
mod lasting;
mod lease;
mod leftover;
mod list;
mod locking;
mod locks;
mod look;
mod made;
mod missing;
mod mount;
mod mounts;
mod names_fresh;
mod names_keeping;
mod names_list;
mod names_merge;
mod names_store;
mod news;
mod noted;
mod numbered;
mod opened;
mod opening;
mod pack;
mod part;
mod path;
mod permit;
mod photos;
mod photos_keeper;
mod photos_look;
mod photos_note;
mod photos_scan;
mod photos_store;
mod photos_turn;
mod photos_walk;
mod progress;
mod put;
mod rake;
mod raw_name;
mod refusals;
mod relocate;
mod remove;
mod renames;
mod resolve;
mod restore;
mod room;
mod room_for;
mod root;
mod search;
mod search_gather;
mod search_look;
mod search_scope;
mod search_walk;
mod search_words;
mod share;
mod sorted;
mod spool;
mod stamp;
mod stuck;
mod survey;
mod tending;
#[cfg(test)]
mod tests;
mod thing;
mod throw;
mod thumbs;
mod thumbs_keeping;
mod transfer;
mod trash;
mod trash_id;
mod twin;
mod unfinished;
mod upload;
mod upload_record;
mod versions;
mod versions_keeping;
mod versions_known;
mod versions_rule;
mod waiting;
mod walk;
mod watch;
mod write;
mod zip;

pub use ended::EndedUpload;
pub use explain::{Action, Asked, Step};
pub use grant::Grant;
pub use kept::Kept;
pub use lasting::{UploadPlan, Waiting};
pub use lease::Ask;
pub use list::Listing;
pub use locks::{Lock, NoLock};
pub use mount::{AttachError, Vault};
pub use news::{Follower, Move, Waker};
pub use noted::Tagged;
pub use opened::{OpenFile, Opened};
pub use part::UploadTarget;
pub use path::VaultPath;
pub use photos::{Month, Months, Photo, PhotoPage, Position};
pub use photos_note::TakenFrom;
pub use progress::{Counts, Progress};
pub use relocate::{Transfer, TransferKind};
pub use remove::Removal;
pub use restore::Item;
pub use room::Usage;
pub use root::RootId;
pub use search::{Search, Searched};
pub use search_look::Told;
pub use search_scope::{IsKind, Wanted};
pub use search_words::Words;
pub use share::{Entry, Kind, Share};
pub use spool::Spool;
pub use thumbs::{KeptThumb, Origin, Pictured, SmallPicture};
pub use trash::{Fate, Reason, What};
pub use trash_id::TrashId;
pub use upload::Upload;
pub use upload_record::UploadId;
pub use versions::Version;
pub use waiting::UploadOwners;
pub use watch::{Change, Watcher, Wishes};
pub use write::{IfExists, Place, Placed};
pub use zip::Archive;

use crate::error::{Error, Why};
use rustix::io::Errno;

/// What the contract calls a path that leads nowhere.
const NOT_THERE: Error = Error::NotFound("Path does not exist");

/// Puts a failure of the operating system into the house's words. `EACCES` and `EPERM` on a
/// user's file become `DeniedByDrive`: the drive does not permit what the grant would. A drive that
/// turned read-only (`EROFS`) is a fault of the machine, and its cause belongs into the log.
fn os(errno: Errno) -> Error {
    match errno {
        // A link where a moment ago there was none is followed by nobody.
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => NOT_THERE,
        Errno::NOSPC | Errno::DQUOT => Error::DiskFull,
        Errno::NAMETOOLONG => Error::invalid_as(Why::Path, "Invalid path"),
        Errno::ILSEQ => Error::invalid_as(Why::Name, "Invalid name"),
        Errno::ACCESS | Errno::PERM => Error::DeniedByDrive,
        Errno::FBIG => Error::TooLarge,
        other => Error::Io(other.into()),
    }
}

/// The same for an operation that makes a new name: drives with the rules of Windows (FAT, exFAT,
/// NTFS) refuse some names with `EINVAL`.
fn os_new_name(errno: Errno) -> Error {
    match errno {
        Errno::INVAL => Error::invalid_as(Why::Name, "Invalid name"),
        other => os(other),
    }
}

/// Why a folder can't go.
fn mounted() -> Error {
    Error::invalid("A drive is mounted in this folder")
}

/// What it means that a folder could not be moved.
fn moved(errno: Errno) -> Error {
    match errno {
        Errno::BUSY | Errno::XDEV => mounted(),
        errno => os(errno),
    }
}

/// Why a folder can't go there.
fn into_itself() -> Error {
    Error::invalid("A folder can't be moved or copied into itself")
}
