//! Bounds of the trash and of its keeper.

use std::time::Duration;

/// Bytes of the name of a thing in the trash; ours have some 40.
pub const TRASH_ID_BYTES_MAX: usize = 64;

/// Bytes of a record in the trash: a path of `PATH_BYTES_MAX` in which JSON escapes every byte by six, and
/// a name.
pub const TRASH_RECORD_BYTES_MAX: u64 = 32 << 10;

/// What a record counts against the trash's share of the drive (bytes): one block of most filesystems.
pub const TRASH_RECORD_WEIGHT_BYTES: u64 = 4 << 10;

/// An upload that finds the drive full frees this part of the drive (one of so many) from the trash ...
pub const TRASH_ROOM_PARTS: u64 = 100;

/// ... but no more than this at once (bytes): the next one that is lacking asks again.
pub const TRASH_ROOM_BYTES_MAX: u64 = 64 << 20;

/// Things looked at to find out how much a folder in the trash takes; a larger one counts as what was
/// found so far. A million takes some seconds on a small board.
pub const TRASH_WEIGH_THINGS_MAX: u64 = 1_000_000;

/// Bytes of the paths of folders that are still to be weighed; beyond them the figure is what was found.
pub const TRASH_WEIGH_BYTES_MAX: usize = 4 << 20;

/// Bytes of the paths of all things that one request restores.
pub const TRASH_PATHS_BYTES_MAX: usize = 4 << 20;

/// How often the keeper of the trash asks, in memory only, whether there is anything to do.
pub const TRASH_KEEPER_TIME: Duration = Duration::from_secs(1);

/// How long the keeper waits after the drive failed it.
pub const TRASH_KEEPER_PATIENCE: Duration = Duration::from_mins(1);

/// The keeper rests so many times as long as it worked, so that it takes little of a busy drive.
pub const TRASH_KEEPER_REST: u32 = 20;

/// Versions of one file that are kept, unless the settings say otherwise (second contract, section 22).
pub const VERSIONS_DEFAULT: u32 = 32;

/// Of what one user replaced within this time (milliseconds) only the first and the last version stay: ten minutes ...
pub const VERSIONS_NEAR_MS: u64 = 10 * 60 * 1000;

/// ... once they are older than this (milliseconds): an hour.
pub const VERSIONS_WHOLE_MS: u64 = 60 * 60 * 1000;

/// Bits that remember of what there are versions (64 KiB): of 100 000 files in a few folders each tenth question about
/// another is answered wrongly with yes, which costs a look through the records.
pub const VERSIONS_FILTER_BITS: usize = 512 << 10;

/// Versions that the keeper of the trash has in mind at once (1 MiB); where there are more it looks through the trash
/// several times.
pub const VERSIONS_SEEN_MAX: usize = 32 << 10;

/// How often it does that at most.
pub const VERSIONS_GOES_MAX: u64 = 1024;

/// Records that are written anew together when a folder is renamed: each some hundred bytes, 4 MiB at most.
pub const VERSIONS_MOVED_AT_ONCE: usize = 512;
