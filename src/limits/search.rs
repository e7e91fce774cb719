//! Bounds of searching, and of the lists of names that it keeps.

use std::time::Duration;

/// Bytes of what is looked for: no name has more than 255, and a search field takes some words.
pub const SEARCH_QUERY_BYTES_MAX: usize = 1024;

/// Words of what is looked for: each is looked for in each name.
pub const SEARCH_WORDS_MAX: usize = 32;

/// Hits told to who names no number ...
pub const SEARCH_HITS_DEFAULT: usize = 500;

/// ... and to any (second contract, 17).
pub const SEARCH_HITS_MAX: usize = 5000;

/// Searches at once, all users together (second contract, 17): each keeps a drive busy, and a connection's thread.
pub const SEARCHES_MAX: usize = 4;

/// How long a newer search waits for the older one of its user to end by itself: that looks at each step whether it
/// shall ...
pub const SEARCH_ENDS_TIME: Duration = Duration::from_millis(500);

/// ... and how long once its connection is cut, which ends a write to a client that does not read.
pub const SEARCH_CUT_TIME: Duration = Duration::from_secs(2);

/// Seconds that whoever is refused for these is told to wait.
pub const SEARCH_RETRY_AFTER_S: u64 = 2;

/// Memory of a search (bytes), lent by the house: the names of one folder, folders ahead, what is read and written of
/// lists.
pub const SEARCH_BYTES: usize = 4 << 20;

/// Names between two looks whether anybody still listens.
pub const SEARCH_NAMES_PER_LOOK: u64 = 256;

/// How often it is looked whether the client is there: a system call.
pub const SEARCH_LOOK_TIME: Duration = Duration::from_millis(100);

/// How often a search judges whether its caller still may: a question to the database at most.
pub const SEARCH_JUDGE_TIME: Duration = Duration::from_secs(1);

/// How long found things may wait for others to be sent together; the first goes at once.
pub const SEARCH_GATHER_TIME: Duration = Duration::from_millis(50);

/// After so long without a hit it is told how far the search is (second contract, 17).
pub const SEARCH_PULSE_TIME: Duration = Duration::from_secs(2);

/// Names out of a list that are looked at on the drive before the walk begins, which looks at all that are left: some
/// 10 us each.
pub const SEARCH_FIRST_LOOKS_MAX: usize = 10_000;

/// Names that are looked at in places where larder has lately changed something, before the walk begins.
pub const SEARCH_FRESH_NAMES_MAX: u64 = 50_000;

/// Bytes of the places that are remembered in which larder has changed something: some 1000.
pub const SEARCH_FRESH_BYTES_MAX: usize = 64 << 10;

/// Names of one place that are remembered singly; of more the whole folder is looked through.
pub const SEARCH_FRESH_NAMES_OF_ONE: usize = 16;

/// Bytes of names of one folder that are sorted at once: some 25 000. Files beyond are sorted apart, and folders beyond
/// are not found in a list again, but looked through anew.
pub const NAMES_GATHER_BYTES: usize = 512 << 10;

/// Bytes of a list of names on a drive: some 4 million. What is beyond is walked through each time.
pub const NAMES_LIST_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a list that is kept in memory, for a drive that takes none; one in all.
pub const NAMES_MEMORY_BYTES_MAX: u64 = 16 << 20;

/// Bytes of one piece of a list, which is checked as a whole: a folder of up to some 1000 names. Beyond, a folder has
/// several.
pub const NAMES_PIECE_BYTES: usize = 16 << 10;

/// Bytes of a piece at most: a name and its place are added before it is looked whether it is full.
pub const NAMES_PIECE_BYTES_MAX: usize = 24 << 10;

/// Lists that are made durable at once, each by a thread: those of the drives of a share.
pub const NAMES_STORING_MAX: usize = 8;

/// Bytes of a list that are read or written at once.
pub const NAMES_BUFFER_BYTES: usize = 32 << 10;

/// A change that is younger is not believed to be the last one: clocks of filesystems are coarse, FAT's goes by two
/// seconds.
pub const NAMES_FRESH_TIME: Duration = Duration::from_secs(3);

/// A list of this size is written anew as soon as something in it is another ...
pub const NAMES_SMALL_BYTES: u64 = 1 << 20;

/// ... a larger one when one part in so many is ...
pub const NAMES_CHANGED_PARTS: u64 = 16;

/// ... or when it is as old as this: whoever types has many searches made, and cards wear out.
pub const NAMES_LIST_AGE: Duration = Duration::from_mins(10);
