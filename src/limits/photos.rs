//! Bounds of Photos: what is read of a picture, what is noted of it, what one answer tells.

use std::time::Duration;

/// Bytes of a picture or film that are read to know when it was taken and how large it is (second contract, 19).
pub const PICTURE_FACTS_BYTES: u64 = 64 << 10;

/// Tags of one table of EXIF that are looked at: cameras write some 40, raw formats some 100.
pub const PICTURE_TAGS_MAX: u64 = 512;

/// Bytes of one table of a picture in boxes: a phone's of 50 tiles takes 2 KiB, one of 200 million pixels in 800 tiles
/// 17. Two of them and EXIF are within `PICTURE_FACTS_BYTES`.
pub const PICTURE_TABLE_BYTES: u64 = 24 << 10;

/// Properties in a picture in boxes: a phone's has some 20.
pub const PICTURE_PROPERTIES_MAX: usize = 512;

/// Bytes of a text in a film, and of the list of what a file of boxes can be taken for.
pub const PICTURE_TEXT_BYTES: u64 = 128;

/// No picture is older: the first that is kept was taken in this year.
pub const PICTURE_YEAR_MIN: i16 = 1826;

/// No film of that kind is older. Some write seconds since 1970 where they should be since 1904, which gives
/// years around 1960; clocks that are not set give 1904.
pub const FILM_YEAR_MIN: i16 = 1991;

/// Bytes of a note of a folder that are in memory at once: some 1000 pictures.
pub const PHOTOS_PIECE_BYTES: usize = 64 << 10;

/// Bytes of the names of folders that a walk through the share has still ahead: some 100 000. Folders beyond are
/// left out, and the answer says that it is not complete.
pub const PHOTOS_AHEAD_BYTES: usize = 2 << 20;

/// Bytes of memory that an answer of Photos takes beside the folders ahead: 5000 pictures with their paths, and
/// what is read of one note.
pub const PHOTOS_BYTES: usize = 4 << 20;

/// Pictures in one answer that asks for no number ...
pub const PHOTOS_DEFAULT: i64 = 500;

/// ... and in any (second contract, 19).
pub const PHOTOS_PER_ANSWER_MAX: i64 = 5000;

/// Timestamps of filesystems with coarse clocks (FAT 2 s, ext3 1 s, exFAT 10 ms) are multiples of this
/// (nanoseconds).
pub const COARSE_CLOCK_NS: i128 = 10_000_000;

/// For so long after a coarse timestamp another change could have the same one ...
pub const COARSE_CLOCK_TIME: Duration = Duration::from_secs(3);

/// ... and for so long after a fine one: the kernel's clock goes on every few milliseconds.
pub const FINE_CLOCK_TIME: Duration = Duration::from_millis(100);

/// How nice a thread is that works in the background (`setpriority(2)`): as nice as can be.
pub const BACKGROUND_NICENESS: i32 = 19;

/// Folders that wait to be noted because larder has stored something there; more are left to the next scan.
pub const PHOTOS_NEWS_MAX: usize = 256;

/// How long more is let come before the folders are looked through: an upload of many pictures is noted at once.
pub const PHOTOS_NEWS_PAUSE: Duration = Duration::from_secs(1);

/// The same at most: a folder of 100 000 pictures that is filled one by one.
pub const PHOTOS_NEWS_PAUSE_MAX: Duration = Duration::from_mins(1);

/// How many times as long as it worked a thread that notes what comes waits until it works again.
pub const PHOTOS_NEWS_SHARE: u32 = 20;

/// How long whoever asks for Photos waits until what has just been stored is noted: it is there at once after a few
/// pictures, and nobody is kept while many come.
pub const PHOTOS_SETTLE_TIME: Duration = Duration::from_millis(200);

/// How long a folder whose thumbnails are looked at is not looked through again for that reason.
pub const PHOTOS_SEEN_TIME: Duration = Duration::from_mins(10);
