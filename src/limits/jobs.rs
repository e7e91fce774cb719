//! Bounds of work that lasts.

use std::time::Duration;

/// Jobs at once, all users together: they share one drive, and each has a thread.
pub const JOBS_RUNNING_MAX: usize = 16;

/// Jobs at once for one user.
pub const JOBS_RUNNING_PER_USER_MAX: usize = 4;

/// Jobs of one user that are remembered after their end.
pub const JOBS_ENDED_PER_USER_MAX: usize = 20;

/// The same for all users together.
pub const JOBS_ENDED_MAX: usize = 200;

/// Ids of things in the trash that all jobs together remember, of some 100 bytes each; beyond that the oldest
/// jobs that have ended forget theirs. One job may bring `TRANSFER_PATHS_MAX`.
pub const JOBS_TRASH_IDS_MAX: usize = 50_000;

/// Bytes of the paths that all jobs together remember of where they have put things, so that it can be undone; beyond that
/// the oldest forget theirs. One job of `TRANSFER_PATHS_MAX` things with paths of a usual length has its place.
pub const JOBS_PLACES_BYTES_MAX: usize = 2 << 20;

/// Seconds after which somebody may try again when too many jobs run.
pub const JOB_RETRY_AFTER_S: u64 = 5;

/// How long work goes on that a request waits for before it is shown as a job: most is over long before.
pub const JOB_SHOWN_AFTER: Duration = Duration::from_mins(1);
