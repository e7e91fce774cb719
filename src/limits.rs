//! Every number that bounds something, with its unit and its reason. Knows nothing else.

/// Bytes in one component of a path (POSIX `NAME_MAX` on every Linux filesystem).
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes in a path of a request (Linux `PATH_MAX`): a longer one cannot exist.
pub const PATH_BYTES_MAX: usize = 4096;
