//! Every number that bounds something, with its unit and its reason. Knows nothing else.

use std::time::Duration;

// Paths, names and the share.

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

/// Uploads that were broken off and wait to be taken up again, on each filesystem.
pub const PARTS_MAX: usize = 32;

/// How long they wait: whoever was cut off comes back within a day.
pub const PART_AGE_MAX: Duration = Duration::from_hours(24);

// Jobs.

/// Jobs at once, all users together: they share one drive, and each has a thread.
pub const JOBS_RUNNING_MAX: usize = 16;

/// Jobs at once for one user.
pub const JOBS_RUNNING_PER_USER_MAX: usize = 4;

/// Jobs of one user that are remembered after their end.
pub const JOBS_ENDED_PER_USER_MAX: usize = 20;

/// The same for all users together.
pub const JOBS_ENDED_MAX: usize = 200;

/// Bytes of a note of folders that are being made: a path of `PATH_BYTES_MAX` in which JSON escapes every byte
/// by six, and little else.
pub const MADE_NOTE_BYTES_MAX: u64 = 32 << 10;

/// Names of unfinished things that could not be removed and are remembered, of some 40 bytes each. The next
/// start finds the rest.
pub const LEFTOVERS_MAX: usize = 10_000;

/// How long it takes until what could not be removed is tried again, on a drive that takes writes: such a drive
/// fails in another way, and should not be kept busy by that. The second contract wants 60 s.
pub const SWEEP_AGAIN_TIME: Duration = Duration::from_secs(30);

/// Paths told of what could not be deleted: enough to see whose they are.
pub const REMAINS_TOLD_MAX: usize = 20;

/// Ids of things in the trash that all jobs together remember, of some 100 bytes each; beyond that the oldest
/// jobs that have ended forget theirs. One job may bring `TRANSFER_PATHS_MAX`.
pub const JOBS_TRASH_IDS_MAX: usize = 50_000;

/// Seconds after which somebody may try again when too many jobs run.
pub const JOB_RETRY_AFTER_S: u64 = 5;

// Drives that do not answer.

/// Requests that ask a filesystem, or wait to while it is silent (contract, 13): each keeps a thread.
pub const DRIVE_WAITING_MAX: usize = 16;

/// How long a request waits for a drive, everything together (contract, 13). A disk that sleeps is awake
/// after ten seconds.
pub const DRIVE_PATIENCE: Duration = Duration::from_secs(30);

/// How long whoever looks at several drives waits for one of them: one that answers takes milliseconds.
pub const DRIVE_GLANCE_TIME: Duration = Duration::from_millis(250);

/// A drive that has answered within this time is taken to answer, and one that owes an answer for longer
/// is left out where several are looked at: no drive that is awake takes so long.
pub const DRIVE_FRESH_TIME: Duration = Duration::from_secs(1);

/// A drive that owes an answer for longer than this is silent also on a machine that is very busy.
pub const DRIVE_SILENT_TIME: Duration = Duration::from_secs(3);

/// Seconds after which somebody may try again whom a drive did not answer.
pub const DRIVE_RETRY_AFTER_S: u64 = 10;

/// Filesystems whose gates are remembered while nobody uses them.
pub const DRIVE_GATES_MAX: usize = 64;

// The memory of the whole house.

/// Bytes that listings, ZIPs and lists together may take (contract, 26).
pub const BUDGET_BYTES: usize = 64 << 20;

/// Long answers at once for one user (contract, 26).
pub const STREAMS_PER_USER_MAX: usize = 32;

/// How long somebody waits for memory, a place or a turn: what is short is back after this, what is long
/// is not.
pub const BUDGET_TIME: Duration = Duration::from_secs(4);

/// Seconds after which somebody may try again who got none.
pub const BUDGET_RETRY_AFTER_S: u64 = 5;

/// Who does not go on for so long gives back what they hold when others need it. Longer than a client takes
/// for what it was sent, shorter than a person waits.
pub const HOLDER_PAUSE_TIME: Duration = Duration::from_millis(100);

/// How long a thread that makes a long answer works at most before it lets go of the processor, while short
/// requests come. A short one takes a tenth of that; letting go costs a hundredth.
pub const GIVE_WAY_TIME: Duration = Duration::from_micros(200);

/// Steps of such work, each a name or a comparison of two, after which the clock is looked at: looking takes
/// as long as a comparison.
pub const GIVE_WAY_STEPS: u32 = 32;

/// How long after a short request others are still to be expected: pages send several after each other.
pub const SHORT_WORK_TIME: Duration = Duration::from_millis(100);

/// Large folders that are read and sorted at the same moment: that is work for a processor, and short
/// requests should find one free.
pub const TURNS_MAX: usize = 2;

/// A turn that lasts longer waits for the drive, not for the processor, and no longer counts.
pub const TURN_TIME: Duration = Duration::from_secs(1);

// The trash.

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

/// Free space that an upload must leave on the drive (bytes): filesystems behave badly when full.
pub const UPLOAD_SPARE_BYTES: u64 = 1024 * 1024;

// Following changes.

/// Streams of events at once, all users together: each takes a connection for as long as a page is
/// open, and most of the connections stay for others.
pub const EVENT_STREAMS_MAX: usize = 64;

/// Streams of events at once for one user: a phone, a tablet and a few windows.
pub const EVENT_STREAMS_PER_USER_MAX: usize = 8;

/// Seconds that a client refused for these is told to wait.
pub const EVENT_RETRY_AFTER_S: u64 = 10;

/// Folders that one stream may name.
pub const EVENT_PATHS_MAX: usize = 16;

/// Folders followed for the sake of whole trees. The kernel keeps some 1 KiB for each and cannot
/// swap it out; larder keeps some 300 bytes.
pub const EVENT_FOLDERS_MAX: usize = 8192;

/// Folders that the kernel gives no watch for and that are looked at now and then instead.
pub const EVENT_POLLED_FOLDERS_MAX: usize = 256;

/// How often those are looked at, and whether the drive is still the same: a few system calls.
pub const EVENT_RECHECK_TIME: Duration = Duration::from_secs(2);

/// Changed folders that wait to be told to one client; beyond them it is told that everything may have
/// changed.
pub const EVENT_PENDING_FOLDERS_MAX: usize = 256;

/// How long changes are gathered before they are told, so that a group of files is one event.
pub const EVENT_GATHER_TIME: Duration = Duration::from_millis(100);

/// The shortest time between two tellings, so that copying 10 000 files is a few events.
pub const EVENT_INTERVAL: Duration = Duration::from_millis(500);

/// How often a stream looks whether its client is there and may still listen.
pub const EVENT_CHECK_TIME: Duration = Duration::from_secs(1);

/// After so long without an event a comment is sent, so that dead peers and proxies are noticed
/// (most cut a connection that is silent for a minute).
pub const EVENT_HEARTBEAT_TIME: Duration = Duration::from_secs(15);

/// How often a stream tells what the machine is doing: dashboards look alive, phones may doze.
pub const EVENT_RESOURCES_TIME: Duration = Duration::from_secs(5);

/// How long the head of an answer waits until the folders are followed; with large trees it comes before.
pub const EVENT_READY_TIME: Duration = Duration::from_secs(2);

// FTP.

/// Bytes of a command's line: the longest path and its verb.
pub const FTP_LINE_BYTES_MAX: usize = PATH_BYTES_MAX + 64;

/// Bytes of the control connection that wait to be obeyed: a line, and what a client sends ahead.
pub const FTP_BUFFER_BYTES_MAX: usize = 2 * FTP_LINE_BYTES_MAX;

/// Bytes of one line that are thrown away before the client is taken for something else than FTP.
pub const FTP_SKIP_BYTES_MAX: usize = 64 * 1024;

/// Sessions at once. Each is a thread and about 60 KiB while it is idle.
pub const FTP_SESSIONS_MAX: usize = 256;

/// Sessions of one client address: programs that copy in parallel open a dozen.
pub const FTP_SESSIONS_PER_ADDRESS_MAX: usize = 128;

/// Who has signed in and was idle for less than this makes no room for others.
pub const FTP_EVICTION_IDLE: Duration = Duration::from_secs(10);

/// How long a client may take to sign in, all tries together.
pub const FTP_LOGIN_TIME: Duration = Duration::from_mins(1);

/// Added to the answer to a wrong password.
pub const FTP_FAILURE_DELAY: Duration = Duration::from_secs(1);

/// How long a try waits for those before it from the same address. Each wrong one takes `THROTTLE_INTERVAL`.
pub const FTP_TRY_WAIT_MAX: Duration = Duration::from_secs(10);

/// How often who waits so looks whether their session was closed.
pub const FTP_TRY_LOOK_TIME: Duration = Duration::from_millis(100);

/// Addresses that are remembered for a moment after a wrong password, before they are looked through.
pub const FTP_LANES_KEPT: usize = 1024;

/// Wrong passwords before a session is closed.
pub const FTP_FAILURES_MAX: u32 = 3;

/// How long a data connection may take to come about.
pub const FTP_CONNECT_TIME: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
pub const FTP_HANDSHAKE_TIME: Duration = Duration::from_secs(20);

/// How long a transfer may stand still: a phone that changes its access point comes back within that.
pub const FTP_STALL_TIME: Duration = Duration::from_mins(1);

/// How long a client may take to read a reply.
pub const FTP_REPLY_TIME: Duration = Duration::from_secs(20);

/// The time between the ends of the two connections of a client that is cut off in the middle of an
/// upload. What is still synced to the disk meanwhile counts, so that this costs nothing on most drives.
pub const FTP_CUT_TIME: Duration = Duration::from_micros(250);

/// The same when the upload had stood still before its end, which those that come to their end rarely do.
pub const FTP_CUT_TIME_DOUBTFUL: Duration = Duration::from_millis(200);

/// An upload stands still when nothing has come for so long.
pub const FTP_STILL_TIME: Duration = Duration::from_millis(5);

/// Bytes that the kernel sends of a file before `ABOR` is looked for.
pub const FTP_SENDFILE_BYTES: usize = 1 << 20;

/// How long the kernel waits for a slow client before `ABOR` is looked for: shorter than a person notices.
pub const FTP_LOOK_TIME: Duration = Duration::from_millis(200);

/// Bytes of a listing that are sent at once.
pub const FTP_LISTING_BUFFER_BYTES: usize = 32 * 1024;

/// Bytes of the longest text that `SIZE` reads to count its lines in `TYPE A`: a moment on any drive.
pub const FTP_TEXT_BYTES_MAX: u64 = 8 << 20;

/// Addresses that a certificate names: a machine with more has made them up for its containers.
pub const FTP_CERTIFICATE_ADDRESSES_MAX: usize = 64;

/// Pause after a connection that could not be accepted: whatever is scarce may come back.
pub const FTP_ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often a stopping server looks whether everybody has left.
pub const FTP_STOP_LOOK_TIME: Duration = Duration::from_millis(10);

// Signing in.

/// How long a token is good (contract, section 3).
pub const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// Bytes of a token that we would look at; ours have about 250.
pub const TOKEN_BYTES_MAX: usize = 2048;

/// Tokens of one user that are remembered as logged out; one more logs out all of that user's,
/// which keeps the table small and errs on the safe side.
pub const REVOKED_TOKENS_PER_USER_MAX: i64 = 100;

/// Passwords that are hashed at once. Each takes `ARGON2_KIB` of memory, and both together stay
/// under the 32 MiB that requests may cost.
pub const HASHINGS_MAX: usize = 2;

/// How long somebody waits for their password to be hashed: with one turn for each address, that is two hundred
/// addresses before them on a slow board.
pub const HASHING_WAIT_MAX: Duration = Duration::from_secs(10);

/// Who waits for their password to be hashed, strangers of all addresses together. Each holds a thread.
pub const HASHINGS_WAITING_MAX: usize = 256;

/// The same for one address: more than any program opens connections at once.
pub const HASHINGS_WAITING_PER_ADDRESS_MAX: usize = 32;

/// Seconds that somebody is told to wait when too many want to sign in at once.
pub const HASHING_RETRY_AFTER_S: u64 = 5;

/// Memory of one Argon2id run (KiB). With three passes and one lane this is one of the settings of
/// equal strength in OWASP's Password Storage Cheat Sheet.
pub const ARGON2_KIB: u32 = 12 * 1024;

/// Passes of one Argon2id run (see `ARGON2_KIB`).
pub const ARGON2_PASSES: u32 = 3;

/// Bytes of a password; the hash would take more, but nobody types it.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Bytes of a user name.
pub const USERNAME_BYTES_MAX: usize = 128;

/// Bytes of the name of a person, for people to read.
pub const PERSON_BYTES_MAX: usize = 256;

/// Bytes of the name of a role.
pub const ROLE_BYTES_MAX: usize = 64;

/// Roles listed for one endpoint: each request of a role looks through them.
pub const ROLES_PER_ENDPOINT_MAX: usize = 100;

/// Bytes of each longer text of a user (`paths`, `paths_write`, `settings`, `ftp_users`): users are
/// kept in memory, `CACHED_USERS_MAX` of them.
pub const USER_TEXT_BYTES_MAX: usize = 16 * 1024;

/// Prefixes in `paths` or `paths_write`: each path of each request is compared with all of them.
pub const USER_PATHS_MAX: usize = 256;

/// Letters of an API key that a user makes up, at least (contract, section 7).
pub const KEY_LETTERS_MIN: usize = 32;

/// Bytes of an API key, at most: it has to pass in a header field.
pub const KEY_BYTES_MAX: usize = 256;

/// Users in all: a household, a club, not a provider.
pub const USERS_MAX: i64 = 10_000;

/// Users read at once for a list of all: a few MiB at the very most.
pub const USERS_PER_READ: usize = 64;

/// One request per address in this time for the two throttled endpoints (contract, 4 and 7).
pub const THROTTLE_INTERVAL: Duration = Duration::from_secs(1);

/// Addresses that one throttle remembers; when full, those whose time is over go first.
pub const THROTTLE_ADDRESSES_MAX: usize = 4096;

/// Wrong passwords for a name before the delay starts to grow.
pub const FAILURES_FREE: u32 = 5;

/// The longest delay after wrong passwords: grows 2, 4, 8, ... up to this, so that nobody can lock
/// an owner out for long.
pub const FAILURE_DELAY_MAX: Duration = Duration::from_secs(30);

/// Wrong passwords are forgotten after this time without another.
pub const FAILURE_MEMORY: Duration = Duration::from_mins(15);

/// Names whose failures are remembered.
pub const FAILURE_NAMES_MAX: usize = 1024;

/// How long an address from which a name was signed in is told from strangers': people who are at home once a
/// week stay known.
pub const PLACE_MEMORY: Duration = Duration::from_hours(8 * 24);

/// Names and addresses that are remembered so, in all: a household, a club.
pub const PLACES_MAX: usize = 1024;

/// Of these those of one name, so that somebody who signs in from everywhere leaves room for the others.
pub const PLACES_PER_NAME_MAX: usize = 16;

/// Users kept in memory with their permissions; read again from the database when it changes.
pub const CACHED_USERS_MAX: usize = 256;

/// How often users' changing addresses are written down at most.
pub const ADDRESS_WRITE_INTERVAL: Duration = Duration::from_mins(1);

/// How far the time that is written down as a user's last may lag behind while larder runs: it changes with each
/// request, and SD cards wear out. When larder stops it is written exactly.
pub const SEEN_WRITE_INTERVAL: Duration = Duration::from_hours(1);

/// Bytes that are kept of what a user's program calls itself: browsers need half of that.
pub const AGENT_BYTES_MAX: usize = 256;

// Files of the state directory.

/// Bytes of `settings.json` (contract, section 12), `roles.json` and `cloud.json`.
pub const STATE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Memory for SQLite's pages, per connection (KiB).
pub const SQLITE_CACHE_KIB: i64 = 512;

/// How long a database statement waits for another process (`larder user ...`) to finish.
pub const SQLITE_BUSY: Duration = Duration::from_secs(5);

// `larder check`.

/// Free bytes below which a drive is told to be nearly full: the databases and a small upload.
pub const FREE_SPACE_BYTES_MIN: u64 = 64 << 20;

/// A clock before this (20 089 days since 1970: 1 January 2025) was never set.
pub const CLOCK_EARLIEST: Duration = Duration::from_hours(20_089 * 24);

/// How far a clock may be corrected backwards without a complaint.
pub const CLOCK_DRIFT_MAX: Duration = Duration::from_hours(1);

/// Findings of one kind in one line.
pub const FINDINGS_IN_LINE_MAX: usize = 5;

// The logbook.

/// Rows that wait to be written; when the card is slower than that, the newest are counted and dropped.
pub const LOG_QUEUE_ROWS: usize = 1024;

/// How long the logbook gathers rows before it writes them in one transaction: SD cards wear out.
pub const LOG_BATCH_TIME: Duration = Duration::from_millis(500);

/// How long a reader waits for the rows before it to be written; a card that takes longer is ill.
pub const LOG_FLUSH_TIME: Duration = Duration::from_secs(2);

/// Rows about refused strangers in `REFUSAL_ROWS_TIME` (contract part 2, section 26), the one included that tells
/// how many were left out.
pub const REFUSAL_ROWS_MAX: usize = 60;

/// See `REFUSAL_ROWS_MAX`.
pub const REFUSAL_ROWS_TIME: Duration = Duration::from_secs(10);

/// How often old rows are looked for.
pub const LOG_PRUNE_TIME: Duration = Duration::from_hours(1);

/// Rows in one answer of `get_logs` when the caller names no number (contract, section 6).
pub const LOG_ROWS_DEFAULT: i64 = 125;

/// Rows in one answer of `get_logs` (contract, section 6): about 1 MiB.
pub const LOG_ROWS_PER_ANSWER_MAX: i64 = 1000;

/// Bytes of one row's text; what strangers send is cut to this.
pub const LOG_ACTION_BYTES_MAX: usize = 1024;

/// Bytes of the rules of a time zone; the longest have 4 KiB.
pub const ZONE_BYTES_MAX: u64 = 64 * 1024;

/// Rows kept at most, whatever their age: about 50 MB of database.
pub const LOG_ROWS_MAX: i64 = 500_000;

// The backup on the drive.

/// Documents of larder's own that are kept on the drive: one for each card that died.
pub const KEPT_DOCUMENTS_MAX: usize = 8;

/// Bytes of one such document: some thousand users.
pub const KEPT_DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// How long after the start the backup is looked at first: not while everything else begins.
pub const BACKUP_FIRST_TIME: Duration = Duration::from_mins(1);

/// How often it is looked at then. It is written only when something has changed.
pub const BACKUP_INTERVAL: Duration = Duration::from_hours(24);

/// When it is tried again while the drive is away.
pub const BACKUP_RETRY_TIME: Duration = Duration::from_mins(10);

// The console and the machine.

/// Commands that run at once, all callers together: each is a process or many.
pub const COMMANDS_MAX: usize = 8;

/// Bytes of a command's output (contract, section 6).
pub const COMMAND_OUTPUT_BYTES_MAX: usize = 1 << 20;

/// How often a running command is looked at: has it ended, is its time over, is larder stopping? Output
/// wakes us by itself.
pub const COMMAND_LOOK_TIME: Duration = Duration::from_millis(20);

/// How long the output of a command is still read after its end: something that left the process group
/// may hold the pipe open.
pub const COMMAND_REST_TIME: Duration = Duration::from_millis(200);

/// Users whose current folder is remembered.
pub const COMMAND_FOLDERS_MAX: usize = 256;

/// How long after the answer the machine is told to power off or restart (contract, section 4).
pub const POWER_DELAY: Duration = Duration::from_secs(1);

/// How long the program that does it may run; then it is killed.
pub const POWER_COMMAND_TIME: Duration = Duration::from_secs(30);

/// How often the machine is looked at while somebody watches.
pub const SAMPLE_TIME: Duration = Duration::from_secs(2);

/// The same while nobody does, so that a chart that is opened begins with how it was. It is read from memory:
/// no drive is asked.
pub const SAMPLE_IDLE_TIME: Duration = Duration::from_secs(20);

/// How far back samples are remembered (second contract, section 26).
pub const SAMPLE_HISTORY_TIME: Duration = Duration::from_mins(10);

/// Samples remembered at most: one every `SAMPLE_TIME`, of 64 bytes each.
pub const SAMPLE_HISTORY_MAX: usize = 300;

/// Somebody who asked this long ago still counts as watching.
pub const SAMPLE_WATCHED_TIME: Duration = Duration::from_secs(30);

/// Bytes read of a file in `/proc` or `/sys` at most: `/proc/stat` of a machine with 500 cores.
pub const PROC_BYTES_MAX: u64 = 256 * 1024;

/// A processor this hot (degrees Celsius) is told of: a Raspberry Pi slows itself down at 80.
pub const TEMPERATURE_HIGH: f64 = 80.0;

/// What a card that is not the share itself should take in a day at most (bytes). Cards of 32 GB last for
/// some hundred times their size: at this rate for three years.
pub const CARD_BYTES_IN_DAY_MAX: u64 = 10 << 30;

/// Drives whose writing is counted. A NAS of boards' kind has two.
pub const DRIVES_COUNTED_MAX: usize = 32;

/// How often the counts of today are written to the state directory: 24 small writes a day, and a power
/// cut takes no more than this from them.
pub const COUNTS_KEPT_TIME: Duration = Duration::from_hours(1);

/// People that are remembered as being on.
pub const PEOPLE_ON_MAX: usize = 100;

/// Whoever asked for anything this long ago still counts as being on.
pub const PERSON_ON_TIME: Duration = Duration::from_mins(10);

// Starting and stopping.

/// How long running requests may go on after SIGTERM (contract, section 1).
pub const DRAIN_TIME: Duration = Duration::from_secs(10);

/// How long of that requests may take: cutting those that do not end, because a drive does not answer them,
/// and closing the databases have to fit, too.
pub const REQUESTS_DRAIN_TIME: Duration = Duration::from_millis(8500);

/// Bytes of the stack of a thread of ours. Only touched pages cost memory.
pub const THREAD_STACK_BYTES: usize = 512 * 1024;

/// How long the watchdog waits for an answer from ourselves before it tells the service manager
/// nothing. Longer than any quick request takes, shorter than half of a sensible interval.
pub const WATCHDOG_ANSWER_TIME: Duration = Duration::from_secs(5);

/// How often the drive's absence is looked for while nobody asks (to tell the owner in the log).
pub const DRIVE_WATCH_TIME: Duration = Duration::from_secs(5);

// Other machines: the cloud's bridge.

/// Redirects that are followed where nothing secret is sent: release pages need two.
pub const FETCH_REDIRECTS_MAX: u32 = 5;

/// Silence after which another machine counts as gone.
pub const FETCH_STALL_TIME: Duration = Duration::from_secs(30);

/// Bytes taken from another machine at once.
pub const FETCH_BUFFER_BYTES: usize = 64 * 1024;

/// How long the cloud's bridge may take for everything (contract, section 10).
pub const CLOUD_TIME: Duration = Duration::from_secs(30);

/// Bytes of a bridge's answer. As values in memory it takes up to some 60 times as much, and that must
/// stay under the 32 MiB that a request may cost.
pub const CLOUD_ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// Bytes of a bridge's refusal that are passed on.
pub const CLOUD_DETAILS_BYTES_MAX: usize = 1024;

/// Bytes of one value that is kept of a bridge's answer: an id, a name, a time.
pub const CLOUD_VALUE_BYTES_MAX: usize = 1024;

/// Values that are kept of a bridge's answer.
pub const CLOUD_VALUES_MAX: usize = 16;

// Self-update.

/// Bytes of a release manifest; an entry for each target takes some 300.
pub const UPDATE_MANIFEST_BYTES_MAX: u64 = 64 * 1024;

/// How long fetching the manifest may take.
pub const UPDATE_MANIFEST_TIME: Duration = Duration::from_secs(30);

/// Bytes of a release's program: seven times ours.
pub const UPDATE_BINARY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long fetching a program may take: 9 MiB over a line of 100 kbit/s.
pub const UPDATE_DOWNLOAD_TIME: Duration = Duration::from_mins(15);

/// How long a new program may take to say its version: an SD card must read it first.
pub const UPDATE_VERSION_TIME: Duration = Duration::from_secs(20);

/// Bytes of what it says that are looked at.
pub const UPDATE_VERSION_BYTES_MAX: u64 = 256;

/// How long a new program may take to become ready; nobody is served meanwhile. Bringing a large log
/// database up to date on an SD card is the slowest of it.
pub const UPDATE_READY_TIME: Duration = Duration::from_mins(1);

/// How long a program that was tried out may take to stop: its running requests, and the databases.
pub const UPDATE_STOP_TIME: Duration = Duration::from_secs(20);

/// How often a program that was started is looked after.
pub const UPDATE_TICK: Duration = Duration::from_millis(20);

/// Times that starting a program is tried while its file is still open somewhere.
pub const UPDATE_SPAWN_TRIES: usize = 50;

/// Bytes of a datagram of `sd_notify(3)` that are looked at.
pub const NOTIFY_BYTES_MAX: usize = 256;
