//! Bounds of the numbers in `settings.json`: the check of a change and the OpenAPI document both use them.

use std::ops::RangeInclusive;

/// Days that rows of the log are kept: a day at least, so that there is a log; a century at most.
pub const LOG_RETENTION_DAYS: RangeInclusive<u32> = 1..=36_500;

/// Days that browsers are told to come by HTTPS alone: none tells them nothing; two years is what their lists ask for.
pub const HSTS_DAYS: RangeInclusive<u32> = 0..=730;

/// Seconds that a command of the console may run: an hour at most, as it holds a connection meanwhile.
pub const COMMAND_TIMEOUT_S: RangeInclusive<u32> = 1..=3600;

/// Seconds that an FTP client may be silent: a day at most, as each silent one holds a thread.
pub const FTP_TIMEOUT_S: RangeInclusive<u32> = 1..=86_400;

/// Days that the trash keeps things: none turns it off; a century at most.
pub const TRASH_DAYS: RangeInclusive<u32> = 0..=36_500;

/// Versions of one file that are kept (second contract, section 22).
pub const VERSIONS_MAX: RangeInclusive<u32> = 1..=1000;

/// Days that an upload that broke off waits to be gone on with (second contract, section 16).
pub const UPLOAD_DAYS: RangeInclusive<u32> = 1..=90;

/// Percent of a drive that the trash may take: none turns it off, and a tenth always stays for what is in use.
pub const TRASH_PERCENT: RangeInclusive<u32> = 0..=90;

/// Megabytes of small pictures that each drive keeps: none keeps none; a terabyte at most, of which 1 % of the drive
/// is ever used (second contract, section 18).
pub const THUMBS_MB: RangeInclusive<u32> = 0..=1_048_576;
