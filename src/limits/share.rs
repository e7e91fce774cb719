//! Bounds of paths, names, listings, ZIPs and whatever walks through the share.

use std::time::Duration;

use super::COPY_BUFFER_BYTES;

/// Bytes in one component of a path (POSIX `NAME_MAX` on every Linux filesystem).
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes in a path of a request (Linux `PATH_MAX`): a longer one cannot exist.
pub const PATH_BYTES_MAX: usize = 4096;

/// The same as callers are told it: a byte of a name that is no text becomes three letters, behind a mark.
pub const TOLD_PATH_BYTES_MAX: usize = 4 * PATH_BYTES_MAX;

/// Symbolic links followed in one lookup (Linux `MAXSYMLINKS`): more is a loop.
pub const LINKS_MAX: usize = 40;

/// Folders opened in one lookup in user space: `a/../a/../...` behind links would else cost millions.
pub const LOOKUP_STEPS_MAX: usize = 20_000;

/// Times a lookup or a replacement is tried again because somebody else changed the place meanwhile.
pub const RACE_TRIES_MAX: usize = 16;

/// Bytes that a path needs for each of its names that may get a number behind it: those of ` (10000)`, and a few by which
/// the kernel takes less than `PATH_BYTES_MAX`.
pub const NUMBER_BYTES: usize = 12;

/// Bytes of names a listing keeps at once; a larger folder is read in several passes. With the
/// half that is copied while thinning out, this stays under 12 MiB.
pub const LISTING_BYTES_MAX: usize = 8 << 20;

/// Bytes of names that a listing takes without asking for them: some 2000 files.
pub const LISTING_SMALL_BYTES: usize = 64 << 10;

/// Bytes that are lent at once to a listing that takes more.
pub const LISTING_STEP_BYTES: usize = 1536 << 10;

/// Bytes of names that are handed out at once: while they are sent the rest may be called back.
pub const LISTING_BATCH_BYTES: usize = 32 << 10;

/// Bytes read of a folder at once: some 1000 names in one call (what glibc takes, too).
pub const FOLDER_READ_BYTES: usize = 32 << 10;

/// Numbers tried for `name (1).ext` before the name counts as taken.
pub const NUMBERED_NAMES_MAX: usize = 10_000;

/// Bytes written to a spool before the kernel is asked to start writing them to the drive, so
/// that the final sync finds little left to do.
pub const WRITEBACK_BYTES: u64 = 64 << 20;

/// How far ahead of the clock the time may be that a sender wishes for a file: cameras and laptops that set
/// their clocks by hand are off by a time zone, hardly by more.
pub const MODIFIED_AHEAD_MAX: Duration = Duration::from_hours(24);

/// Extended attributes of larder's own that go along with one file or folder; one is in use.
pub const CARRIED_ATTRIBUTES_MAX: usize = 16;

/// Bytes of all their values: what one attribute of Linux may have (`XATTR_SIZE_MAX`).
pub const CARRIED_BYTES_MAX: usize = 64 << 10;

/// Bytes of the names of a file's attributes for which there is room at first: nearly always enough.
pub const CARRIED_NAMES_BYTES: usize = 256;

/// Bytes of the names of all attributes of a file, larder's or not: what Linux lists (`XATTR_LIST_MAX`).
pub const CARRIED_NAMES_BYTES_MAX: usize = 64 << 10;

/// Bytes of the ZIP's table of contents kept in memory; what goes beyond waits in a hidden file.
pub const ZIP_DIRECTORY_BYTES_MAX: usize = 256 << 10;

/// Bytes of memory that a ZIP takes: content on its way, the table of contents, folders ahead.
pub const ZIP_BYTES: usize = COPY_BUFFER_BYTES + ZIP_DIRECTORY_BYTES_MAX + ZIP_PENDING_STEP_BYTES;

/// Bytes of folders ahead for which memory is lent at once.
pub const ZIP_PENDING_STEP_BYTES: usize = 256 << 10;

/// The same where no hidden file can be written, because the drive is full or read-only: some 80 000
/// files. A ZIP with more is broken off there.
pub const ZIP_DIRECTORY_BYTES_UNBACKED_MAX: usize = 8 << 20;

/// Bytes copied inside the kernel before somebody is asked whether to go on: a quarter of a second on a slow
/// stick. Files from this size on are made durable one by one.
pub const COPY_CHUNK_BYTES: u64 = 8 << 20;

/// Paths in one move, copy or deletion: a folder full of photos, chosen one by one.
pub const TRANSFER_PATHS_MAX: usize = 10_000;

/// The part of all descriptors that may be in use when a move or deletion of many holds one more folder open:
/// half, so that others find some for their connections and files.
pub const DESCRIPTORS_PARTS: u64 = 2;

/// Files in one copy, or records in one deletion, that are made durable one by one; for more the whole
/// filesystem is asked once.
pub const FEW_FILES: usize = 16;

/// Bytes in memory of what a walk through a tree has still ahead; more waits in a hidden file.
pub const WALK_STACK_BYTES: usize = 256 << 10;

/// The same where no hidden file can be written, because the drive is full: some 100 000 folders.
pub const WALK_STACK_BYTES_UNBACKED_MAX: usize = 4 << 20;

/// Bytes in the path of a folder in a tree that is copied or removed: thousands of folders in each other,
/// far beyond what any program but a test makes.
pub const TREE_PATH_BYTES_MAX: usize = 1 << 20;

/// How often somebody is told at most that a job has come further: what an eye can follow.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of `/proc/self/mountinfo` read at most (a machine full of containers stays below).
pub const MOUNT_TABLE_BYTES_MAX: u64 = 4 << 20;

/// Bytes of the paths of folders that a ZIP being made has still to visit: some 100 000 folders.
/// Beyond them the ZIP is broken off rather than the memory filled.
pub const ZIP_PENDING_BYTES_MAX: usize = 8 << 20;

/// Names of one folder that a ZIP has changed and remembers, so that none comes twice: about 1 MiB. Beyond them
/// each gets a number of its own.
pub const ZIP_CHANGED_NAMES_MAX: usize = 1 << 16;

/// Bytes of text about what is missing in a ZIP; what goes beyond is only counted.
pub const ZIP_MISSING_BYTES_MAX: usize = 64 << 10;

/// Bytes of an upload that can be gone on with between two moments in which what has come is made durable and
/// written down: what a power cut costs, and enough that the syncs do not show (0.6 s of a gigabit).
pub const UPLOAD_CHECKPOINT_BYTES: u64 = 64 << 20;

/// Bytes of a record of such an upload: a path, what the door notes, and little else, escaped.
pub const UPLOAD_RECORD_BYTES_MAX: usize = 64 << 10;

/// Bytes of what a door notes of an upload.
pub const UPLOAD_NOTE_BYTES_MAX: usize = 16 << 10;

/// Bytes of the word that says whose an upload is: a hash of 64 digits.
pub const UPLOAD_OWNER_BYTES_MAX: usize = 128;

/// How long an upload may wait for its next byte at most.
pub const UPLOAD_AGE_MAX: Duration = Duration::from_hours(90 * 24);

/// Open uploads of one owner ...
pub const UPLOADS_PER_OWNER_MAX: usize = 100;

/// ... and in all: each is looked at when one is asked for by its place.
pub const UPLOADS_MAX: usize = 1000;

/// ... and of all guests of all links beside those: half as many, so that whoever may begin without an account never
/// keeps anybody from it who has one.
pub const UPLOADS_OF_CROWDS_MAX: usize = 500;

/// Open uploads of one guest, by their cookie, and of one network's guests: more than a browser sends at once, and five
/// must come together to fill a link.
pub const UPLOADS_PER_GUEST_MAX: usize = 20;

/// How long an upload of a guest's waits for its first byte: it cost nothing, and takes a place from others.
pub const UPLOAD_OF_GUEST_EMPTY_TIME: Duration = Duration::from_hours(1);

/// Seconds that whoever has too many is told to wait.
pub const UPLOADS_RETRY_S: u64 = 60;

/// The same where they are too many only together with those that come in one piece just now, which are soon over.
pub const UPLOADS_UNDER_WAY_RETRY_S: u64 = 2;

/// How long whoever works on an upload has to put away what has come when somebody else goes on with it, who must not
/// wait for more than a second.
pub const UPLOAD_LEAVE_TIME: Duration = Duration::from_millis(500);

/// How long an upload that has ended well still answers.
pub const UPLOAD_ENDED_TIME: Duration = Duration::from_mins(10);

/// How many of them are remembered: more than come in ten minutes but for small files, which one request brings.
pub const UPLOADS_ENDED_MAX: usize = 4000;

/// Bytes of their paths in all.
pub const UPLOADS_ENDED_BYTES_MAX: usize = 256 << 10;

/// Bytes of an upload up to which its content is hashed without being asked for: larger ones would cost half as much
/// processor time again, and few want to know.
pub const UPLOAD_HASHED_BYTES_MAX: u64 = 8 << 20;

/// FTP's uploads that were broken off and wait to be taken up again, on each filesystem.
pub const PARTS_MAX: usize = 32;

/// How long they wait: whoever was cut off comes back within a day.
pub const PART_AGE_MAX: Duration = Duration::from_hours(24);

/// Bytes of a note of folders that are being made: a path of `PATH_BYTES_MAX` in which JSON escapes every byte
/// by six, and little else.
pub const MADE_NOTE_BYTES_MAX: u64 = 32 << 10;

/// Bytes of a record of a group: as many paths as a request can name, each with where it comes from, in which
/// JSON escapes bytes by six.
pub const GROUP_RECORD_BYTES_MAX: u64 = 64 << 20;

/// How long what a crash cut off waits for a drive that is not there, before it is ended without that: as long as the trash
/// keeps things. Somebody who is away for a month with the drive in the bag is the exception.
pub const GROUP_WAITS: Duration = Duration::from_hours(30 * 24);

/// Names of unfinished things that could not be removed and are remembered, of some 40 bytes each. The next
/// start finds the rest.
pub const LEFTOVERS_MAX: usize = 10_000;

/// How long it takes until what could not be removed is tried again, on a drive that takes writes: such a drive
/// fails in another way, and should not be kept busy by that. The second contract wants 60 s.
pub const SWEEP_AGAIN_TIME: Duration = Duration::from_secs(30);

/// Paths told of what could not be deleted: enough to see whose they are.
pub const REMAINS_TOLD_MAX: usize = 20;
