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
    Invalid(Why, Cow<'static, str>),
    /// The caller did not prove who it is.
    SignIn(SignInProblem),
    /// The caller is known and may not do this here.
    Refused,
    /// The same at a door or an endpoint where programs would take 401 for "ask for the password again".
    Forbidden,
    /// The caller's role wants a second factor, and they have none.
    FactorNeeded,
    /// The permissions on the drive itself do not let larder do it, whoever asks.
    DeniedByDrive,
    /// The name that a request gave the server in `Host` is none of its own.
    UnknownHost,
    /// This is answered over HTTPS only.
    HttpsNeeded,
    /// What was named does not exist, or may as well not.
    NotFound(&'static str),
    /// What was there for this caller is no more, and asking again will not help.
    Gone(&'static str),
    /// A link takes no more than it was given.
    LimitReached,
    /// What ends at a time cannot be judged as long as nobody knows the time.
    ClockNotSet,
    /// The place exists but does not take this method; `allow` lists what it takes.
    Method {
        /// The methods it takes, comma-separated, as the `Allow` field wants them.
        allow: &'static str,
    },
    /// It would overwrite or collide with something that is there.
    Collision(&'static str),
    /// It does not fit what is so now, for another reason than a name that is taken.
    Conflict(&'static str),
    /// An upload goes on from another byte than the one that was named; this is how many have come.
    OtherOffset(u64),
    /// What was asked for holds for another content than the one that is there.
    PreconditionFailed,
    /// Somebody has locked it, or something in it, over `WebDAV`.
    Locked {
        /// By whom.
        sentence: String,
        /// What is locked, relative to the share root.
        root: String,
        /// Whether that is a folder.
        is_folder: bool,
    },
    /// Something could not be removed for good; it stays where it is. The paths are relative to the share
    /// root, `REMAINS_TOLD_MAX` at most.
    Remains(Vec<String>),
    /// The body is of a kind that this endpoint does not take.
    Unsupported,
    /// The body is larger than this endpoint takes.
    TooLarge,
    /// Too often, or too much at once; try again after so many seconds.
    TooSoon {
        /// Seconds to wait, at least 1.
        retry_after_s: u64,
    },
    /// The drive with the share is not there.
    StorageAbsent,
    /// The drive is there and does not answer in time; try again after so many seconds.
    DriveBusy {
        /// Seconds to wait, at least 1.
        retry_after_s: u64,
    },
    /// As many wait for this already as may; try again after so many seconds.
    Busy {
        /// Seconds to wait, at least 1.
        retry_after_s: u64,
    },
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
    /// A notification did not arrive.
    NotSent {
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
    /// Name and password are right, and a code of the second factor is wanted beside them.
    CodeRequired,
    /// That code is none, is over, or was used before.
    WrongCode,
    /// Nobody can tell which code is the present one.
    ClockNotSet,
    /// A link has a password, and none was given yet.
    LinkPassword,
    /// It was given, and is another.
    WrongLinkPassword,
}

/// What is wrong with a question, for programs, which must not go by the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Malformed or impossible, in a way that needs no word of its own.
    Input,
    /// A field that is needed is not there.
    Missing,
    /// No path within the share.
    Path,
    /// No name for a file or folder, a user, a role.
    Name,
    /// Something else than a file was named.
    NotAFile,
    /// Something else than a folder was named.
    NotAFolder,
    /// A code of the second factor that is none.
    Code,
    /// Another content came than was announced.
    Digest,
    /// A list is longer than one request may have it.
    TooMany,
    /// The settings as a whole would be impossible.
    Settings,
}

impl Error {
    /// An `Invalid` with a fixed sentence and no reason that programs would tell apart.
    pub const fn invalid(sentence: &'static str) -> Self {
        Self::invalid_as(Why::Input, sentence)
    }

    /// An `Invalid` with a fixed sentence.
    pub const fn invalid_as(why: Why, sentence: &'static str) -> Self {
        Self::Invalid(why, Cow::Borrowed(sentence))
    }

    /// An `Invalid` with a sentence made for the occasion.
    pub fn invalid_text(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(Why::Input, sentence.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(_, sentence) => write!(out, "invalid: {sentence}"),
            Self::SignIn(SignInProblem::Unauthorized) => write!(out, "refused: not signed in"),
            Self::SignIn(SignInProblem::Expired) => write!(out, "refused: the token has expired"),
            Self::SignIn(SignInProblem::InvalidToken) => write!(out, "refused: invalid token"),
            Self::SignIn(SignInProblem::WrongPassword) => write!(out, "refused: wrong password"),
            Self::SignIn(SignInProblem::CodeRequired) => write!(out, "refused: a code is wanted"),
            Self::SignIn(SignInProblem::WrongCode) => write!(out, "refused: wrong code"),
            Self::SignIn(SignInProblem::ClockNotSet) => {
                write!(out, "refused: no code can be judged, the clock is not set")
            }
            Self::SignIn(SignInProblem::LinkPassword) => {
                write!(out, "refused: the link has a password")
            }
            Self::SignIn(SignInProblem::WrongLinkPassword) => {
                write!(out, "refused: wrong password of a link")
            }
            Self::Refused | Self::Forbidden => write!(out, "refused"),
            Self::FactorNeeded => write!(out, "refused: a second factor is needed"),
            Self::DeniedByDrive => write!(out, "refused by the drive's own permissions"),
            Self::UnknownHost => write!(out, "asked for under an unknown name"),
            Self::HttpsNeeded => out.write_str("refused: HTTPS is required"),
            Self::NotFound(sentence) => write!(out, "not found: {sentence}"),
            Self::Gone(sentence) => write!(out, "gone: {sentence}"),
            Self::LimitReached => write!(out, "refused: the link's limit is reached"),
            Self::ClockNotSet => write!(out, "the clock is not set"),
            Self::Method { allow } => write!(out, "wrong method, allowed: {allow}"),
            Self::Collision(sentence) => write!(out, "collision: {sentence}"),
            Self::Conflict(sentence) => write!(out, "conflict: {sentence}"),
            Self::OtherOffset(there) => write!(out, "the upload goes on from byte {there}"),
            Self::Unsupported => write!(out, "a body of another kind"),
            Self::PreconditionFailed => out.write_str("another content by now"),
            Self::Locked { sentence, .. } => write!(out, "locked: {sentence}"),
            Self::Remains(paths) => write!(out, "cannot be deleted: {}", paths.join(", ")),
            Self::TooLarge => write!(out, "body too large"),
            Self::TooSoon { retry_after_s } => write!(out, "too soon, wait {retry_after_s} s"),
            Self::StorageAbsent => write!(out, "storage is not available"),
            Self::DriveBusy { .. } => write!(out, "the drive does not answer"),
            Self::Busy { .. } => write!(out, "too many wait already"),
            Self::DiskFull => write!(out, "disk full"),
            Self::Cancelled => write!(out, "cancelled"),
            Self::Disconnected => write!(out, "the caller went away"),
            Self::BridgeRefused { status, .. } => write!(out, "the bridge refused ({status})"),
            Self::BridgeAway { details } => write!(out, "the bridge is away: {details}"),
            Self::NotSent { details } => write!(out, "notification not sent: {details}"),
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
            // More than the filesystem, or a limit of the process, lets one file have.
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Io(cause),
        }
    }
}
