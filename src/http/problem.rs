//! From an `Error` to a status and `{"error": "..."}`: the contract's sentences, never a cause.

use std::io::ErrorKind;

use serde::Serialize;
use tiny_http::ext::{Body, Refusal};

use crate::error::{Error, READ_ONLY, SignInProblem};
use crate::http::reply::{JSON, Reply};

/// `{"error": "..."}`.
#[derive(Serialize)]
struct Problem<'a> {
    /// A sentence for the caller.
    error: &'a str,
    /// What somebody else said about it (contract, section 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

/// The answer to a request that was refused or failed.
pub fn reply(error: &Error) -> Reply {
    let details = match error {
        Error::BridgeRefused { details, .. } | Error::BridgeAway { details } => Some(details),
        _ => None,
    };
    let text = text(sentence(error), details.map(String::as_str));
    let reply = Reply::new(status(error), Body::Bytes(text.into_bytes().into()))
        .with("Content-Type", JSON)
        .with("Cache-Control", "no-store");
    match error {
        Error::Method { allow } => reply.with("Allow", *allow),
        Error::TooSoon { retry_after_s } => reply.with("Retry-After", retry_after_s.to_string()),
        Error::SignIn(_) | Error::Refused => reply.with("WWW-Authenticate", "Bearer"),
        _ => reply,
    }
}

/// How the floor words what it refuses before larder sees it.
pub fn refusal(_status: u16, reason: &'static str) -> Refusal {
    Refusal { content_type: JSON, body: text(reason, None) }
}

/// The body.
fn text(sentence: &str, details: Option<&str>) -> String {
    serde_json::to_string(&Problem { error: sentence, details }).unwrap_or_else(|_| "{}".to_owned())
}

/// The status (contract, section 2).
fn status(error: &Error) -> u16 {
    match error {
        // A caller who went away reads no status; 400 is what a truncated body deserves.
        Error::Invalid(_) | Error::Disconnected => 400,
        Error::SignIn(_) | Error::Refused => 401, // the contract has no 403
        Error::NotFound(_) => 404,
        Error::Method { .. } => 405,
        Error::Collision(_) => 409,
        Error::TooLarge => 413,
        Error::TooSoon { .. } => 429,
        Error::BridgeAway { .. }
        | Error::Io(_)
        | Error::Store(_)
        | Error::Failed(_)
        | Error::Bug(_) => 500,
        Error::BridgeRefused { status, .. } => *status,
        // Without a job only the end of the server calls work off.
        Error::StorageAbsent | Error::Cancelled => 503,
        Error::DiskFull => 507,
    }
}

/// The sentence for a caller.
pub fn sentence(error: &Error) -> &str {
    match error {
        Error::Invalid(sentence) => sentence,
        Error::Disconnected => "The body ended too early",
        Error::SignIn(SignInProblem::Unauthorized) | Error::Refused => "Unauthorized",
        Error::SignIn(SignInProblem::Expired) => "Token expired",
        Error::SignIn(SignInProblem::InvalidToken) => "Invalid token",
        Error::SignIn(SignInProblem::WrongPassword) => "Invalid username or password",
        Error::NotFound(sentence) | Error::Collision(sentence) | Error::Failed(sentence) => {
            sentence
        }
        Error::Method { .. } => "Method not allowed",
        Error::TooLarge => "Body too large",
        Error::TooSoon { .. } => "Too many requests",
        Error::Io(cause) if cause.kind() == ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        Error::Io(_) | Error::Store(_) | Error::Bug(_) => "Internal server error",
        Error::BridgeRefused { .. } => "Signup failed",
        Error::BridgeAway { .. } => "Network error",
        Error::StorageAbsent => "Storage is not available",
        Error::Cancelled => "Cancelled",
        Error::DiskFull => "Disk full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stay_inside() {
        for error in [
            Error::Io(std::io::Error::other("/secret/path")),
            Error::Store("users.db: secret".to_owned()),
            Error::Bug("secret".into()),
        ] {
            assert_eq!((status(&error), sentence(&error)), (500, "Internal server error"));
        }
    }

    #[test]
    fn a_read_only_drive_is_named() {
        let error = Error::Io(ErrorKind::ReadOnlyFilesystem.into());
        assert_eq!((status(&error), sentence(&error)), (500, "The drive is read-only"));
    }

    #[test]
    fn a_sentence_is_escaped() {
        assert_eq!(text("a \"b\"", None), r#"{"error":"a \"b\""}"#);
        assert_eq!(text("a", Some("\n")), r#"{"error":"a","details":"\n"}"#);
    }
}
