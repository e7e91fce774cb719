//! Bounds of accounts and of signing in.

use std::time::Duration;

/// How long a token is good (contract, section 3).
pub const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// Bytes of a token that we would look at; ours have about 320.
pub const TOKEN_BYTES_MAX: usize = 2048;

/// How long a session lasts after its last use (second contract, section 21).
pub const SESSION_LIFE: Duration = Duration::from_hours(24);

/// The same for one that is to be remembered.
pub const REMEMBERED_LIFE: Duration = Duration::from_hours(90 * 24);

/// How long a token is good after another took its place (second contract, section 21): what is under way with it
/// arrives, and whoever did not hear of the new one asks again.
pub const OLD_TOKEN_LIFE: Duration = Duration::from_mins(1);

/// Sessions of one user (second contract, section 21).
pub const SESSIONS_PER_USER_MAX: usize = 50;

/// Sessions of which it is remembered when they were used since larder started: 400 bytes each, and more than a club
/// has devices.
pub const SESSIONS_SEEN_MAX: usize = 4096;

/// How often somebody looks which sessions are over. They are good for nothing before that.
pub const SESSIONS_LOOK_INTERVAL: Duration = Duration::from_hours(1);

/// Tokens without a session of one user that are remembered as logged out; one more logs out all of that user's,
/// which keeps the table small and errs on the safe side.
pub const REVOKED_TOKENS_PER_USER_MAX: i64 = 100;

/// Passwords that are hashed at once. Each takes `ARGON2_KIB` of memory, and both together stay
/// under the 32 MiB that requests may cost.
pub const HASHINGS_MAX: usize = 2;

/// Names with passwords that were right lately, of one kind of account: some 200 bytes each, and more than a house
/// has people and cameras.
pub const VERIFIED_MAX: usize = 256;

/// How long a right password is remembered after its last use, so that the next costs no Argon2id: longer than a
/// program waits between two files, and short enough that what a computer left alone keeps is soon gone.
pub const VERIFIED_LIFE: Duration = Duration::from_mins(10);

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

/// Roles whose rights are kept as they are told, some 5 KB each: a house has four or five roles.
pub const ROLE_TEXTS_MAX: usize = 16;

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

/// Addresses that one throttle of requests remembers; when full, those whose time is over go first. Half of what a table of
/// 2048 places takes (84 KiB): where more come and go it would be made twice as large.
pub const THROTTLE_ADDRESSES_MAX: usize = 896;

/// The same of wrong guesses, whose time is a minute.
pub const GUESSING_ADDRESSES_MAX: usize = 4096;

/// Time in which wrong guesses of links are counted together (second contract, section 15).
pub const GUESS_WINDOW: Duration = Duration::from_mins(1);

/// Wrong guesses in it that are told that they were wrong: whoever mistypes an address, or has an old one, is.
pub const GUESSES_PER_WINDOW_MAX: u32 = 10;

/// How long the secret of a second factor waits for the first code of it: time to fetch the phone.
pub const FACTOR_SETUP_TIME: Duration = Duration::from_mins(15);

/// Wrong codes after which such a secret waits no longer: nobody mistypes so often, and of a million codes three are
/// good at a time.
pub const FACTOR_SETUP_WRONG_CODES_MAX: u32 = 10;

/// Secrets that wait so, 100 bytes each: a club that sets them up in one evening.
pub const FACTOR_SETUPS_MAX: usize = 1024;

/// Recovery codes of a second factor (second contract, section 21).
pub const RECOVERY_CODES: usize = 10;

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

/// How long a one-time code signs somebody in (second contract, section 23): time to fetch the phone.
pub const CODE_LIFE: Duration = Duration::from_mins(15);

/// Bytes of a code that we would look at; ours have 14.
pub const CODE_BYTES_MAX: usize = 64;

/// One-time codes of one user that are good at the same time: a phone, a tablet, and one that was made anew.
pub const CODES_PER_USER_MAX: i64 = 4;

/// Narrowed keys of one user (second contract, section 21): what a person can still look through.
pub const KEYS_PER_USER_MAX: i64 = 50;

/// Narrowed keys kept in memory, some hundred bytes each; read again from the database when it changes.
pub const CACHED_KEYS_MAX: usize = 1024;

/// Narrowed keys of which it is remembered when they were used since larder started, some 200 bytes each. Of more the
/// table is right to the day.
pub const KEYS_SEEN_MAX: usize = 4096;

/// Bytes of the words by which somebody knows a key again.
pub const KEY_LABEL_BYTES_MAX: usize = 128;
