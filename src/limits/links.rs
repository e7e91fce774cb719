//! Bounds of links.

use std::time::Duration;

/// Links of one user (contract, section 15): what a person can still look through.
pub const LINKS_PER_USER_MAX: i64 = 500;

/// Links kept of all users who were deleted, so that their guests are told that it is over: a few large houses' worth.
pub const LINKS_OF_NOBODY_MAX: i64 = 2000;

/// Random-looking bytes of a link's token: 128 bits are found by nobody who guesses, and their 22 letters still
/// make a small QR code.
pub const LINK_TOKEN_BYTES: usize = 16;

/// Links that are kept in memory for whoever asks next, some 500 bytes each.
pub const CACHED_LINKS_MAX: usize = 256;

/// What `upload_bytes_max` may be: what a number of JavaScript holds exactly (bytes).
pub const LINK_BYTES_MAX: i64 = (1 << 53) - 1;

/// How long a download that was counted may go on, or begin again, without being counted once more (contract,
/// section 15).
pub const LINK_DOWNLOAD_LIFE: Duration = Duration::from_hours(24);

/// Counted downloads of one link that are remembered for those who go on with them, some 60 bytes each. Beyond,
/// the oldest are forgotten, and who began them is counted again.
pub const LINK_DOWNLOADS_REMEMBERED_MAX: i64 = 10_000;

/// The same of all links without a limit, in memory, some 120 bytes each.
pub const LINK_DOWNLOADS_IN_MEMORY_MAX: usize = 10_000;

/// Guests of one link and day of whom is told that they looked; of more there is no row in the log.
pub const LINK_GUESTS_PER_DAY_MAX: i64 = 1_000;

/// Guests of all links that wait to be written down, some 60 bytes each; of more at once there is no row in the log.
pub const LINK_GUESTS_IN_MEMORY_MAX: usize = 10_000;

/// How often it is written down how links were used, of all of them together: SD cards wear out. A power cut costs that
/// much of what is told of their use, and no limit.
pub const LINK_USED_INTERVAL: Duration = Duration::from_mins(1);

/// How long a guest's cookie is good (contract, section 15).
pub const LINK_COOKIE_LIFE: Duration = Duration::from_hours(12);

/// Bytes of a guest's cookie that we would look at; ours have at most 250.
pub const LINK_COOKIE_BYTES_MAX: usize = 512;

/// Bytes of what a guest calls themselves; the longest name of their folder (contract, section 15).
pub const GUEST_NAME_BYTES_MAX: usize = 64;

/// Uploads that guests at one address may begin by one link and lose again (dropped, refused at the end, or beyond the
/// link's limits) before they wait: some 24 KiB are written for each, and nothing stays. An album of five hundred
/// pictures loses none of them, and one that is called off the few that were being sent.
pub const LOST_UPLOADS_AT_ONCE: u32 = 120;

/// How often they may lose one after that: some 70 MB a day are written for nothing then, which no card minds.
pub const LOST_UPLOAD_INTERVAL: Duration = Duration::from_secs(30);

/// Letters of a link's password, at least (contract, section 15); guessing is slowed by the throttle.
pub const LINK_PASSWORD_LETTERS_MIN: usize = 4;

/// Bytes of the words by which an owner knows a link again.
pub const LINK_LABEL_BYTES_MAX: usize = 256;

/// What `downloads_max` and `upload_files_max` may be: more is no limit.
pub const LINK_COUNT_MAX: i64 = 1_000_000;

/// Links that are read at once when all are told.
pub const LINKS_PER_READ: usize = 500;

/// Letters in a row that nothing but a secret is likely to have in a path that is none of larder's: well below a
/// token's 22, so that no part of one is told that somebody could go on guessing from.
pub const VEILED_LETTERS_MIN: usize = 16;
