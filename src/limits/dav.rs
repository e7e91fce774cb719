//! `WebDAV` (RFC 4918; second contract, section 14).

use std::time::Duration;

/// Bytes of a body that is XML: ten times what any client sends.
pub const DAV_XML_BYTES_MAX: usize = 64 * 1024;

/// Elements inside each other in such a body; clients have six.
pub const DAV_XML_DEPTH_MAX: usize = 32;

/// Elements of such a body.
pub const DAV_XML_ELEMENTS_MAX: usize = 1000;

/// Attributes of one element, declarations of namespaces among them; clients have four.
pub const DAV_XML_ATTRIBUTES_MAX: usize = 64;

/// Bytes of a namespace: it is told again with each of the names that are asked for, for each entry of a folder.
pub const DAV_NAMESPACE_BYTES_MAX: usize = 1024;

/// Properties that one request may name.
pub const DAV_PROPERTIES_MAX: usize = 100;

/// Bytes of all that clients have kept with one file: ext4 has one block of 4 KiB for all attributes.
pub const DAV_NOTES_BYTES_MAX: usize = 3 * 1024;

/// Bytes of an attribute of larder's own that are read: with room to spare for what an older larder has kept.
pub const NOTES_BYTES_READ: usize = 8 * 1024;

/// Bytes of `If`.
pub const DAV_IF_BYTES_MAX: usize = 4096;

/// Conditions in `If`.
pub const DAV_IF_CONDITIONS_MAX: usize = 64;

/// Things that `If` is about and that are searched for by other forms of their names; beyond that each means what was
/// sent. A search reads a folder, and clients name two.
pub const DAV_IF_SEARCHES_MAX: usize = 4;

/// How long a lock lasts at most.
pub const LOCK_TIME_MAX: Duration = Duration::from_hours(1);

/// How long a lock lasts for which nobody has said how long.
pub const LOCK_TIME: Duration = Duration::from_mins(10);

/// Bytes of what a lock says of its owner.
pub const LOCK_OWNER_BYTES_MAX: usize = 4096;

/// Bytes of owners' words that are told of one thing.
pub const LOCK_OWNERS_BYTES_TOLD_MAX: usize = 4 * LOCK_OWNER_BYTES_MAX;

/// Locks at once. Each takes some 200 bytes and its owner's words.
pub const LOCKS_MAX: usize = 1024;

/// Locks of one user at once.
pub const LOCKS_PER_USER_MAX: usize = 128;

/// How long a lock waits for changes of the same thing that others began before: they are a few calls, but the drive may
/// be slow.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// Seconds after which somebody may try again when there are too many locks.
pub const LOCKS_RETRY_AFTER_S: u64 = 60;
