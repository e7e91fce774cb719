//! Bounds of requests and answers, tickets and multipart bodies (RFC 7578).

use std::time::Duration;

// HTTP.

/// Threads that answer quick requests. They never wait for a client or a big disk operation, so a
/// few keep every core of a small board busy.
pub const QUICK_WORKERS: usize = 4;

/// Transfers and other slow requests at once, all callers together. Each runs on its connection's
/// own thread, so this only keeps the drive from thrashing; half the connections stay for others.
pub const TRANSFERS_MAX: usize = 256;

/// Transfers at once for one client address: above the burst of 64 that must be served, below the
/// total, so that one client leaves room for the rest.
pub const TRANSFERS_PER_ADDRESS_MAX: usize = 128;

/// Seconds that a client refused for `TRANSFERS_MAX` is told to wait.
pub const TRANSFER_RETRY_AFTER_S: u64 = 5;

/// Bytes of a JSON body (contract, section 2).
pub const JSON_BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of a refused body that are read and thrown away, so that a client that reads only after it
/// has sent everything (many scripts) learns why: some more than the largest JSON body. Beyond them,
/// or after the floor's `linger_time`, the connection is cut.
pub const REFUSED_BODY_BYTES_MAX: u64 = 80 * 1024 * 1024;

/// Bytes of one text field of a JSON body that is not a file's content: a path, a name, a
/// password. Longer ones are read past and refused as invalid.
pub const JSON_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Bytes of all texts in a list of a JSON body, some 24 of them for each: `TRANSFER_PATHS_MAX` paths of 180 bytes,
/// which is twice what photos in folders in folders have.
pub const JSON_LIST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Depth of nesting in a JSON body; nothing of ours is deeper than 4.
pub const JSON_DEPTH_MAX: u32 = 32;

/// Values in a JSON body that is kept whole (settings, roles): each takes 72 bytes of memory, and up
/// to four copies are about while settings change.
pub const JSON_PARTS_MAX: usize = 50_000;

/// Bytes of a reader's or writer's buffer on the way between a socket and a file. 256 KiB costs
/// the least processor time per byte (measured against 8 KiB to 1 MiB).
pub const COPY_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of an answer that is put together in memory, so that it has a length and takes one write;
/// longer ones are streamed.
pub const ANSWER_IN_MEMORY_BYTES: usize = 64 * 1024;

/// Bytes of a file whose content `get_file` answers from memory in one read; longer ones are
/// looked through first (is it UTF-8?) and then streamed.
pub const CONTENT_IN_MEMORY_BYTES: u64 = 1024 * 1024;

/// Bytes up to which an answer is sent as it is: less than a packet saves nothing (second contract,
/// section 13).
pub const COMPRESSED_BYTES_MIN: usize = 1024;

/// How hard text is compressed, of 9: the fastest.
pub const COMPRESSION_LEVEL: u32 = 1;

/// Compressors at once, all callers together. Each takes some 350 KiB, which the allocator keeps for the next
/// one; a listing of 20 000 entries holds it for 70 ms. Who finds none free gets the answer plain.
pub const COMPRESSORS_MAX: usize = 8;

/// Bytes gathered before they are compressed: an answer is written in pieces of a few.
pub const COMPRESSOR_BUFFER_BYTES: usize = 16 * 1024;

/// How long a compressor holds back at most what it was given.
pub const COMPRESSOR_FLUSH_TIME: Duration = Duration::from_secs(1);

/// How long the machine's own names are remembered.
pub const OWN_NAMES_TIME: Duration = Duration::from_mins(1);

/// Ranges in one `Range` field; more than this is abuse (RFC 9110, 14.2) and gets the whole file.
pub const RANGES_MAX: usize = 32;

// Tickets: selections that wait to be downloaded.

/// How long a ticket is good (second contract, section 13).
pub const TICKET_LIFE: Duration = Duration::from_mins(10);

/// Tickets of one user: a dozen windows. The one that was unused longest makes room.
pub const TICKETS_PER_USER_MAX: usize = 16;

/// Tickets of all users together, likewise.
pub const TICKETS_MAX: usize = 512;

/// Bytes of the paths of one user's tickets: two of the largest that a body brings.
pub const TICKET_BYTES_PER_USER_MAX: usize = 2 * JSON_LIST_BYTES_MAX;

/// The same for all users together.
pub const TICKET_BYTES_MAX: usize = 4 * JSON_LIST_BYTES_MAX;

// Multipart (RFC 7578).

/// Bytes in all header lines of one part; browsers send about 200.
pub const PART_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a part that is a plain field (`path`, `if_exists`).
pub const PART_FIELD_BYTES_MAX: usize = 8 * 1024;

/// Files in one upload: all are kept apart until the last has come, so that all or none are stored.
pub const UPLOAD_FILES_MAX: usize = 1000;

/// Parts in one upload, fields and files together.
pub const UPLOAD_PARTS_MAX: usize = UPLOAD_FILES_MAX + 100;

/// Bytes of what a client says of an upload that goes on: a path of `PATH_BYTES_MAX` in base64, and little else.
pub const UPLOAD_METADATA_BYTES_MAX: usize = 12 << 10;

/// Free space that an upload must leave on the drive (bytes): filesystems behave badly when full.
pub const UPLOAD_SPARE_BYTES: u64 = 1024 * 1024;

/// Bytes of a name and a password in `Authorization` that we would look at: both at their longest, in base64.
pub const BASIC_BYTES_MAX: usize = 4096;

/// How long what is given may last from now on (days), a link as well as a key: as far as a date of four digits is sure
/// to reach.
pub const EXPIRES_DAYS_MAX: i64 = 36_500;
