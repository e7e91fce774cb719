//! Bounds of the small pictures that are kept on the drives (second contract, section 18).

use std::time::Duration;

/// Percent of a drive that small pictures may take, whatever the setting says (second contract, section 18).
pub const THUMBS_PERCENT_MAX: u64 = 1;

/// A drive that has less than this part free gets no small pictures: 95 % full (second contract, section 18).
pub const THUMBS_FREE_PART: u64 = 20;

/// What a small picture takes on a drive is counted in blocks of this many bytes, as most filesystems have them.
pub const THUMB_BLOCK_BYTES: u64 = 4096;

/// Bytes of a small picture that are read at once to see whether it is whole: most are so small.
pub const THUMB_READ_BYTES: usize = 8 * 1024;

/// Of what may be kept, this many percent stay when the longest unused go, so that it is not done for each new one.
pub const THUMBS_KEPT_PERCENT: u64 = 90;

/// How often it is noted that a small picture was used: a write each time would wear out a card.
pub const THUMB_USE_TIME: Duration = Duration::from_hours(24);

/// Drives whose small pictures are counted, and that have places of their own; beyond, those are forgotten that
/// nobody uses.
pub const THUMB_DRIVES_MAX: usize = 64;

/// Files of one drive that are looked into at once for their small picture. Each holds its head in memory, and at most one or two
/// of them run a child; the others are for what the camera has made already.
pub const THUMBS_AT_ONCE: usize = 4;

/// Of these, those that guests of links may have: whoever is of the house waits for the picture in work at most.
pub const THUMBS_OF_GUESTS_AT_ONCE: usize = THUMBS_AT_ONCE - 1;

/// Requests for small pictures that are worked on or wait at once, all callers together: those that may wait (second
/// contract, section 18), and those that are looked into.
pub const THUMB_REQUESTS_MAX: usize = super::PICTURES_WAITING_MAX + THUMBS_AT_ONCE;

/// Requests that wait for a small picture that another one makes, all together.
pub const THUMB_FOLLOWERS_MAX: usize = 64;

/// How often a file is opened anew that changes while its picture is made.
pub const THUMB_TRIES_MAX: usize = 2;

/// How old the last change of a file must be before its picture is looked for: kernels tell the time of a change by
/// ticks of up to 10 ms, and what is changed twice within one looks unchanged.
pub const THUMB_SETTLE_TIME: Duration = Duration::from_millis(20);

/// Files that are remembered in memory to have no small picture, where their drive keeps no note of it.
pub const THUMB_FAILURES_MAX: usize = 1024;

/// Small pictures that are sent from memory at once, since their drive keeps none: each has up to
/// `PICTURE_MADE_BYTES_MAX`, and a client may read slowly.
pub const THUMBS_IN_MEMORY_MAX: usize = 32;

/// Small pictures that guests of links wait for at once, of which none is kept yet: half of the queue, which users need.
pub const THUMBS_FOR_GUESTS_MAX: usize = super::PICTURES_WAITING_MAX / 2;

/// The same for the guests of one network: a browser asks for six at once.
pub const THUMBS_FOR_GUEST_MAX: usize = 8;
