//! Bounds of making small pictures of large ones (decision 0016).

use std::time::Duration;

/// Bytes of a file that has a thumbnail (second contract, section 18).
pub const PICTURE_BYTES_MAX: u64 = 200 << 20;

/// Pixels of a picture that is decoded row by row, or small at once (second contract, section 18).
pub const PICTURE_PIXELS_MAX: u64 = 100_000_000;

/// Pixels of a picture that has to be held whole (second contract, section 18).
pub const PICTURE_HELD_PIXELS_MAX: u64 = 6_000_000;

/// Bytes that a decoder may hold of a picture, so that the child stays within its 32 MiB (second contract, section 18):
/// the program and what else it needs take 7. A progressive JPEG of 6 million pixels takes 17 MiB with a quarter of
/// chroma, as nearly all have it, and 34 with all: of the latter a component is decoded at a time, which takes 12.
pub const PICTURE_HELD_BYTES_MAX: u64 = 24 << 20;

/// Bytes of one component of a progressive JPEG that is decoded alone: a byte a pixel of the largest, which is more than
/// is of use in a photo.
pub const PICTURE_SPLIT_BYTES_MAX: usize = 6 << 20;

/// The longer side of what is decoded (pixels). No camera's panorama has a tenth of it; with more, a row alone would be
/// too much to hold.
pub const PICTURE_SIDE_MAX: u32 = 1 << 20;

/// Segments before the picture itself in a JPEG, or chunks of a PNG or WebP that are walked over: cameras write
/// 30, a colour profile of 16 MB has 255.
pub const PICTURE_SEGMENTS_MAX: usize = 4096;

/// Bytes that the server reads of a file to find what the camera put into it: EXIF has 64 KiB, in HEIF twice as
/// many, and the table of where things lie comes first.
pub const PICTURE_HEAD_BYTES_MAX: u64 = 256 * 1024;

/// Bytes read at once of a head: most heads have all before their EXIF's picture in one.
pub const PICTURE_HEAD_BUFFER_BYTES: usize = 4096;

/// The longer side of a picture inside a file that is believed to be one (pixels), and of one that a browser may
/// give (second contract, section 18).
pub const PICTURE_INSIDE_SIDE_MAX: u16 = 512;

/// A picture inside with a longer side under this (pixels) is only used when nothing better can be made.
pub const PICTURE_INSIDE_SIDE_MIN: u16 = 120;

/// Bytes of a picture that a browser may give (second contract, section 18), and of one inside a file.
pub const PICTURE_GIVEN_BYTES_MAX: usize = 64 * 1024;

/// Bytes of what is made: 1280 x 1280 pixels of noise have some 800 KB.
pub const PICTURE_MADE_BYTES_MAX: usize = 1 << 20;

/// Bytes of a colour profile, with what stands before it, that go into a small picture with it: those of cameras have
/// some 550, one of Apple's 2 KB, those of screens 2.6. Larger ones hold tables and would be more than the tile.
pub const PICTURE_PROFILE_BYTES_MAX: usize = 4096;

/// Thumbnails that wait for their turn, all callers together (second contract, section 18).
pub const PICTURES_WAITING_MAX: usize = 64;

/// What those are told who are one too many (seconds; second contract, section 18).
pub const PICTURES_RETRY_AFTER_S: u64 = 2;

/// Cores from which on two are made at once, if there is the memory (second contract, section 18).
pub const PICTURES_TWO_CORES: usize = 4;

/// Memory from which on two are made at once (bytes): boards sold with 1 GiB tell of 900 MB and more.
pub const PICTURES_TWO_MEMORY_BYTES: u64 = 880 << 20;

/// How often somebody who waits for a thumbnail is asked whether they are still there.
pub const PICTURE_LOOK_TIME: Duration = Duration::from_millis(50);

/// How long a child may take in all. It is of lowest priority, so a busy board gives it a third of its time for its
/// `PICTURE_CHILD_CPU_S`.
pub const PICTURE_CHILD_TIME: Duration = Duration::from_secs(30);

/// Processor time of a child (seconds; second contract, section 18).
pub const PICTURE_CHILD_CPU_S: u64 = 10;

/// Address space of a child (bytes; second contract, section 18).
pub const PICTURE_CHILD_MEMORY_BYTES: u64 = 96 << 20;

/// The stack of a thread in the child (bytes): the decoder of JPEG has one for each colour.
pub const PICTURE_CHILD_STACK_BYTES: usize = 256 * 1024;

/// Memory that the decoder of PNG may take beside its rows (bytes).
pub const PICTURE_PNG_BYTES_MAX: usize = 32 << 20;

/// Bytes read at once by a decoder.
pub const PICTURE_READ_BYTES: usize = 64 * 1024;

/// How long a killed child is waited for. It ends at once unless it waits for a drive that does not answer; then it
/// is reaped later.
pub const PICTURE_END_TIME: Duration = Duration::from_millis(500);

/// Children that wait for a drive that does not answer: as many, and no further one is started.
pub const PICTURE_STUCK_MAX: usize = 4;

/// Directories of EXIF; a camera writes five.
pub const EXIF_DIRECTORIES_MAX: usize = 12;

/// Tags in all of them; a camera writes some hundred.
pub const EXIF_ENTRIES_MAX: usize = 2000;

/// Bytes of the boxes that tell where things lie in HEIF: a picture of 48 MP from a phone, in 200 tiles, has 8 KB.
pub const HEIF_META_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of EXIF in HEIF that are read, which is not bound to a segment as in JPEG. Canon's has 100 KB, with the picture
/// inside; one of Xiaomi's 190, with the picture before 127.
pub const HEIF_EXIF_BYTES_MAX: u64 = 128 * 1024;

/// What a decoder may give back at once (bytes): a JPEG of 100 million pixels for a screen, at a quarter of its size.
pub const PICTURE_DECODED_BYTES_MAX: usize = 32 << 20;

/// What a child may read of a file (bytes): all of it, and its head once more.
pub const PICTURE_READ_BYTES_MAX: u64 = PICTURE_BYTES_MAX + (16 << 20);

/// How often a child that should have ended is looked at.
pub const PICTURE_END_LOOK_TIME: Duration = Duration::from_millis(2);

/// Bytes taken out of the pipe at once: a quarter of what it holds. As many lie empty behind a picture that is being made.
pub const PICTURE_PIPE_BYTES: usize = 16 * 1024;

/// Room that a picture begins with which a child makes (bytes): most fit. It is mapped by itself, so that only what is written
/// takes memory and all of it is given back, while room that grew would leave holes of its former sizes.
pub const PICTURE_MADE_ROOM_BYTES: usize = 256 * 1024;

/// Bytes of a file that have been read and are not yet worked off, where the child still reads on.
pub const PICTURE_BEHIND_BYTES: u64 = 1 << 20;

/// Rows of a file likewise: one is read, one is on its way, one is worked on, and one waits.
pub const PICTURE_ROWS_BEHIND: u64 = 4;

/// How long it waits until what is held has become less.
pub const PICTURE_WAIT_TIME: Duration = Duration::from_millis(1);

/// How often it waits in all: for five seconds, within `PICTURE_CHILD_TIME`.
pub const PICTURE_WAITS_MAX: u32 = 5000;
