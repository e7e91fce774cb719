//! What can go wrong, in the house's own words. Knows neither HTTP nor FTP nor SQL: each door
//! translates these into its own statuses (`http/problem.rs`, later `ftp/reply.rs`).

use std::borrow::Cow;
use std::io;

/// What a caller may know of an `Io` whose kind is `ReadOnlyFilesystem`: a failing drive often ends
/// like this, and the owner is the one who can help.
pub const READ_ONLY: &str = "The drive is read-only";

/// The result of everything that can be refused or fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a caller's wish was not granted. Each text is what the contract lets a caller read;
/// causes (`Io`, `Store`, `Bug`) go to the log only.
#[derive(Debug)]
pub enum Error {
    /// The question itself is wrong: a field is missing, malformed or impossible.
    Invalid(Cow<'static, str>),
    /// The caller did not prove who it is.
    SignIn(SignInProblem),
    /// The caller is known and may not do this here.
    Refused,
    /// What was named does not exist, or may as well not.
    NotFound(&'static str),
    /// The place exists but does not take this method; `allow` lists what it takes.
    Method {
        /// The methods it takes, comma-separated, as the `Allow` field wants them.
        allow: &'static str,
    },
    /// It would overwrite or collide with something.
    Collision(&'static str),
    /// The body is larger than this endpoint takes.
    TooLarge,
    /// Too often, or too much at once; try again after so many seconds.
    TooSoon {
        /// Seconds to wait, at least 1.
        retry_after_s: u64,
    },
    /// The drive with the share is not there.
    StorageAbsent,
    /// No space (or quota) is left on the drive.
    DiskFull,
    /// The work was called off before it was done.
    Cancelled,
    /// The caller went away in the middle; nobody is left to answer.
    Disconnected,
    /// The cloud's bridge said no, or answered nonsense.
    BridgeRefused {
        /// The status to pass on (RFC 9110, section 15).
        status: u16,
        /// Why, in the bridge's words.
        details: String,
    },
    /// The cloud's bridge could not be reached, or did not answer in time.
    BridgeAway {
        /// Why.
        details: String,
    },
    /// The operating system failed us.
    Io(io::Error),
    /// The database failed us.
    Store(String),
    /// The machine does not let us, for a reason that the caller should read.
    Failed(&'static str),
    /// We failed ourselves; the text is for the log.
    Bug(Cow<'static, str>),
}

/// The ways in which signing in fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// No credentials, or they name a user who is gone.
    Unauthorized,
    /// A good token past its time.
    Expired,
    /// A token that is malformed, forged, revoked or of another kind.
    InvalidToken,
    /// Wrong name or password.
    WrongPassword,
}

impl Error {
    /// An `Invalid` with a fixed sentence.
    pub const fn invalid(sentence: &'static str) -> Self {
        Self::Invalid(Cow::Borrowed(sentence))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(sentence) => write!(out, "invalid: {sentence}"),
            Self::SignIn(SignInProblem::Unauthorized) => write!(out, "refused: not signed in"),
            Self::SignIn(SignInProblem::Expired) => write!(out, "refused: the token has expired"),
            Self::SignIn(SignInProblem::InvalidToken) => write!(out, "refused: invalid token"),
            Self::SignIn(SignInProblem::WrongPassword) => write!(out, "refused: wrong password"),
            Self::Refused => write!(out, "refused"),
            Self::NotFound(sentence) => write!(out, "not found: {sentence}"),
            Self::Method { allow } => write!(out, "wrong method, allowed: {allow}"),
            Self::Collision(sentence) => write!(out, "collision: {sentence}"),
            Self::TooLarge => write!(out, "body too large"),
            Self::TooSoon { retry_after_s } => write!(out, "too soon, wait {retry_after_s} s"),
            Self::StorageAbsent => write!(out, "storage is not available"),
            Self::DiskFull => write!(out, "disk full"),
            Self::Cancelled => write!(out, "cancelled"),
            Self::Disconnected => write!(out, "the caller went away"),
            Self::BridgeRefused { status, .. } => write!(out, "the bridge refused ({status})"),
            Self::BridgeAway { details } => write!(out, "the bridge is away: {details}"),
            Self::Io(cause) => write!(out, "input/output: {cause}"),
            Self::Store(cause) => write!(out, "database: {cause}"),
            Self::Failed(sentence) => write!(out, "failed: {sentence}"),
            Self::Bug(what) => write!(out, "bug: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    /// Recognises the few failures that every caller should hear of by name.
    fn from(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(cause),
        }
    }
}
