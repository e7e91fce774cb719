//! larder's own authority, and the certificates that it makes.

use std::time::Duration;

/// How long an authority lasts (365-day years): ten years, so that no device has to be told twice in a box's life.
pub const AUTHORITY_LIFE: Duration = Duration::from_hours(10 * 365 * 24);

/// How long before any clock that was ever set an authority begins to hold: certificates by it begin earlier than the
/// moment in which they are made.
pub const AUTHORITY_BACKDATED: Duration = Duration::from_hours(365 * 24);

/// How long before an authority's end `larder check` speaks of it: time to tell every device of another.
pub const AUTHORITY_NOTICE: Duration = Duration::from_hours(180 * 24);

/// How long a certificate holds, from its first day to its last: one year. Apple's devices take 825 days at most.
pub const LEAF_LIFE: Duration = Duration::from_hours(365 * 24);

/// How long before it is made a certificate begins to hold: devices whose clock is behind take it, and so does a
/// board that wakes up some days in the past, which then need not make it anew.
pub const LEAF_BACKDATED: Duration = Duration::from_hours(30 * 24);

/// How long before its end a certificate is made anew.
pub const LEAF_RENEWED_BEFORE: Duration = Duration::from_hours(30 * 24);

/// Addresses in a certificate: a machine with more has made them up for its containers.
pub const LEAF_ADDRESSES_MAX: usize = 64;

/// Names in a certificate: a machine with more has a list of something else in `/etc/hosts`.
pub const LEAF_NAMES_MAX: usize = 32;

/// Bytes of a host's name in the subject of an authority, which has 64 at most in all (X.520, `ub-common-name`).
pub const AUTHORITY_HOST_BYTES_MAX: usize = 40;

/// Random bytes in the subject of an authority: devices tell authorities apart by it, and show them.
pub const AUTHORITY_MARK_BYTES: usize = 4;
