//! From an `Error` to a status and `{"error": "..."}`: the contract's sentences, never a cause.

use std::io::ErrorKind;

use serde::Serialize;
use tiny_http::ext::{Body, Refusal};

use crate::error::{Error, READ_ONLY, SignInProblem, Why};
use crate::http::guests;
use crate::http::reply::{JSON, Reply};

/// Every word that may stand in `code` (second contract, section 13). They are for programs and never
/// change; the document lists them.
#[cfg(test)]
pub const CODES: &[&str] = &[
    "bad_request",
    "bridge_away",
    "bridge_refused",
    "cancelled",
    "cannot_delete",
    "clock_not_set",
    "code_required",
    "conflict",
    "denied_by_drive",
    "disk_full",
    "drive_absent",
    "drive_busy",
    "exists",
    "failed",
    "gone",
    "https_needed",
    "internal",
    "invalid",
    "invalid_name",
    "invalid_path",
    "invalid_settings",
    "invalid_token",
    "limit_reached",
    "list_too_long",
    "locked",
    "method_not_allowed",
    "missing",
    "not_a_file",
    "not_a_folder",
    "not_found",
    "not_permitted",
    "not_sent",
    "password_required",
    "precondition_failed",
    "read_only",
    "second_factor_needed",
    "timeout",
    "token_expired",
    "too_large",
    "too_many",
    "unauthorized",
    "unknown_host",
    "unsupported_type",
    "wrong_code",
    "wrong_content",
    "wrong_password",
];

/// `{"error": "...", "code": "..."}`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Error"))]
pub struct Problem<'a> {
    /// A sentence for people.
    error: &'a str,
    /// The same for programs; it never changes.
    #[cfg_attr(test, schemars(extend("enum" = CODES)))]
    code: &'static str,
    /// What somebody else said about it (contract, section 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
    /// What could not be deleted, relative to the share root (second contract, section 26).
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a [String]>,
    /// Whether name and password are right and a code is wanted beside them (second contract, section 21).
    #[serde(skip_serializing_if = "Option::is_none")]
    code_required: Option<bool>,
    /// Whether the drive is there; told where it is not (second contract, section 24).
    #[serde(skip_serializing_if = "Option::is_none")]
    drive: Option<bool>,
}

/// The answer to a request that was refused or failed.
pub fn reply(error: &Error) -> Reply {
    let details = match error {
        Error::BridgeRefused { details, .. }
        | Error::BridgeAway { details }
        | Error::NotSent { details } => Some(details.as_str()),
        // Whoever reads this in a browser may be the owner.
        Error::UnknownHost => Some("Add the name to allowed_hosts or public_url in the settings"),
        _ => None,
    };
    let (sentence, code, failed) = (sentence(error), code(error), failed(error));
    let code_required = matches!(error, Error::SignIn(SignInProblem::CodeRequired)).then_some(true);
    let drive = matches!(error, Error::StorageAbsent).then_some(false);
    let problem = Problem { error: sentence, code, details, failed, code_required, drive };
    let reply = Reply::new(status(error), Body::Bytes(text(&problem).into_bytes().into()))
        .with("Content-Type", JSON)
        .with("Cache-Control", "no-store");
    match error {
        Error::OtherOffset(there) => reply.with("Upload-Offset", there.to_string()),
        Error::Method { allow } => reply.with("Allow", *allow),
        Error::TooSoon { retry_after_s }
        | Error::DriveBusy { retry_after_s }
        | Error::Busy { retry_after_s } => reply.with("Retry-After", retry_after_s.to_string()),
        Error::SignIn(_) | Error::Refused => reply.with("WWW-Authenticate", "Bearer"),
        _ => reply,
    }
}

/// How the floor words what it refuses before larder sees it.
pub fn refusal(status: u16, reason: &'static str) -> Refusal {
    let code = match status {
        408 => "timeout",
        413 | 414 | 431 => "too_large",
        503 => "too_many",
        500 => "internal",
        _ => "bad_request",
    };
    let (details, failed, code_required, drive) = (None, None, None, None);
    let problem = Problem { error: reason, code, details, failed, code_required, drive };
    Refusal { content_type: JSON, body: text(&problem), fields: OF_THE_FLOOR, more: &[] }
}

/// What the floor's refusals have: nobody has found out what was asked for, so each has what the answers to a link's
/// guests have.
const OF_THE_FLOOR: &[(&str, &str)] = {
    let [referrer, robots, cache, policy] = guests::CLOSED;
    let (sniffing, pages) =
        (("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"));
    &[sniffing, pages, referrer, robots, cache, policy]
};

/// The body.
fn text(problem: &Problem<'_>) -> String {
    serde_json::to_string(problem).unwrap_or_else(|_| "{}".to_owned())
}

/// The status (contract, section 2; second contract, section 13).
pub fn status(error: &Error) -> u16 {
    match error {
        // A caller who went away reads no status; 400 is what a truncated body deserves.
        Error::Invalid(..) | Error::Disconnected => 400,
        // The endpoints of the first contract have no 403 for a role or a path.
        Error::SignIn(_) | Error::Refused => 401,
        Error::Forbidden
        | Error::HttpsNeeded
        | Error::FactorNeeded
        | Error::DeniedByDrive
        | Error::LimitReached => 403,
        Error::NotFound(_) => 404,
        Error::Method { .. } => 405,
        Error::Collision(_)
        | Error::Conflict(_)
        | Error::Locked { .. }
        | Error::Remains(_)
        | Error::OtherOffset(_) => 409,
        Error::Gone(_) => 410,
        Error::PreconditionFailed => 412,
        Error::TooLarge => 413,
        Error::Unsupported => 415,
        Error::UnknownHost => 421,
        Error::TooSoon { .. } => 429,
        Error::BridgeAway { .. }
        | Error::Io(_)
        | Error::Store(_)
        | Error::Failed(_)
        | Error::Bug(_) => 500,
        Error::BridgeRefused { status, .. } => *status,
        Error::NotSent { .. } => 502,
        // Without a job only the end of the server calls work off.
        Error::StorageAbsent
        | Error::DriveBusy { .. }
        | Error::Busy { .. }
        | Error::ClockNotSet
        | Error::Cancelled => 503,
        Error::DiskFull => 507,
    }
}

/// The word for programs: one of `CODES`.
pub fn code(error: &Error) -> &'static str {
    match error {
        Error::Invalid(why, _) => match why {
            Why::Input => "invalid",
            Why::Missing => "missing",
            Why::Path => "invalid_path",
            Why::Name => "invalid_name",
            Why::NotAFile => "not_a_file",
            Why::NotAFolder => "not_a_folder",
            Why::TooMany => "list_too_long",
            Why::Settings => "invalid_settings",
            Why::Digest => "wrong_content",
            Why::Code => "wrong_code",
        },
        Error::Disconnected => "bad_request",
        Error::SignIn(SignInProblem::Unauthorized) => "unauthorized",
        Error::SignIn(SignInProblem::Expired) => "token_expired",
        Error::SignIn(SignInProblem::InvalidToken) => "invalid_token",
        Error::SignIn(SignInProblem::WrongPassword | SignInProblem::WrongLinkPassword) => {
            "wrong_password"
        }
        Error::SignIn(SignInProblem::CodeRequired) => "code_required",
        Error::SignIn(SignInProblem::WrongCode) => "wrong_code",
        Error::SignIn(SignInProblem::LinkPassword) => "password_required",
        Error::Refused | Error::Forbidden => "not_permitted",
        Error::FactorNeeded => "second_factor_needed",
        Error::DeniedByDrive => "denied_by_drive",
        Error::UnknownHost => "unknown_host",
        Error::HttpsNeeded => "https_needed",
        Error::NotFound(_) => "not_found",
        Error::Gone(_) => "gone",
        Error::LimitReached => "limit_reached",
        Error::ClockNotSet | Error::SignIn(SignInProblem::ClockNotSet) => "clock_not_set",
        Error::Method { .. } => "method_not_allowed",
        Error::Collision(_) => "exists",
        Error::Conflict(_) | Error::OtherOffset(_) => "conflict",
        Error::Unsupported => "unsupported_type",
        Error::PreconditionFailed => "precondition_failed",
        Error::Locked { .. } => "locked",
        Error::Remains(_) => "cannot_delete",
        Error::TooLarge => "too_large",
        Error::TooSoon { .. } | Error::Busy { .. } => "too_many",
        Error::Io(cause) if cause.kind() == ErrorKind::ReadOnlyFilesystem => "read_only",
        Error::Io(_) | Error::Store(_) | Error::Bug(_) => "internal",
        Error::Failed(_) => "failed",
        Error::BridgeRefused { .. } => "bridge_refused",
        Error::BridgeAway { .. } => "bridge_away",
        Error::NotSent { .. } => "not_sent",
        Error::StorageAbsent => "drive_absent",
        Error::DriveBusy { .. } => "drive_busy",
        Error::Cancelled => "cancelled",
        Error::DiskFull => "disk_full",
    }
}

/// What could not be deleted, relative to the share root.
pub fn failed(error: &Error) -> Option<&[String]> {
    match error {
        Error::Remains(paths) => Some(paths),
        _ => None,
    }
}

/// The sentence for a caller.
pub fn sentence(error: &Error) -> &str {
    match error {
        Error::Invalid(_, sentence) => sentence,
        Error::Disconnected => "The body ended too early",
        Error::SignIn(SignInProblem::Unauthorized) | Error::Refused => "Unauthorized",
        Error::SignIn(SignInProblem::Expired) => "Token expired",
        Error::SignIn(SignInProblem::InvalidToken) => "Invalid token",
        Error::SignIn(SignInProblem::WrongPassword) => "Invalid username or password",
        Error::SignIn(SignInProblem::CodeRequired) => "Code required",
        Error::SignIn(SignInProblem::WrongCode) => "Wrong code",
        Error::SignIn(SignInProblem::ClockNotSet) => {
            "The clock of the board is not set; use a recovery code"
        }
        Error::SignIn(SignInProblem::LinkPassword) => "Password required",
        Error::SignIn(SignInProblem::WrongLinkPassword) => "Wrong password",
        Error::Forbidden => "Not permitted",
        Error::FactorNeeded => "Second factor needed",
        Error::PreconditionFailed => "Precondition failed",
        Error::OtherOffset(_) => "The upload goes on from another byte",
        Error::Unsupported => "Unsupported media type",
        Error::DeniedByDrive => "Not permitted on the drive",
        Error::UnknownHost => "Unknown host",
        Error::HttpsNeeded => "HTTPS is required",
        Error::LimitReached => "The link's limit is reached",
        Error::ClockNotSet => "The clock is not set",
        Error::NotFound(sentence)
        | Error::Gone(sentence)
        | Error::Collision(sentence)
        | Error::Conflict(sentence)
        | Error::Failed(sentence) => sentence,
        Error::Locked { sentence, .. } => sentence,
        Error::Remains(_) => "Part of it cannot be deleted",
        Error::Method { .. } => "Method not allowed",
        Error::TooLarge => "Body too large",
        Error::TooSoon { .. } => "Too many requests",
        Error::Io(cause) if cause.kind() == ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        Error::Io(_) | Error::Store(_) | Error::Bug(_) => "Internal server error",
        Error::BridgeRefused { .. } => "Signup failed",
        Error::BridgeAway { .. } => "Network error",
        Error::NotSent { .. } => "Notification not sent",
        Error::StorageAbsent => "Storage is not available",
        Error::DriveBusy { .. } => "The drive does not answer",
        Error::Busy { .. } => "Too many are waiting",
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

    /// The document promises a closed list.
    #[test]
    fn every_code_is_in_the_list() {
        assert!(CODES.is_sorted(), "in order, so that they are found");
        for why in [
            Why::Input,
            Why::Missing,
            Why::Path,
            Why::Name,
            Why::NotAFile,
            Why::NotAFolder,
            Why::TooMany,
            Why::Settings,
            Why::Digest,
            Why::Code,
        ] {
            assert!(CODES.contains(&code(&Error::invalid_as(why, ""))), "{why:?}");
        }
        for error in [
            Error::Refused,
            Error::DeniedByDrive,
            Error::UnknownHost,
            Error::HttpsNeeded,
            Error::Locked { sentence: String::new(), root: String::new(), is_folder: false },
            Error::Remains(Vec::new()),
            Error::DriveBusy { retry_after_s: 1 },
            Error::Busy { retry_after_s: 1 },
            Error::Conflict(""),
            Error::OtherOffset(1),
            Error::Unsupported,
            Error::Collision(""),
            Error::NotFound(""),
            Error::Cancelled,
            Error::DiskFull,
            Error::StorageAbsent,
            Error::Failed(""),
            Error::Gone(""),
            Error::LimitReached,
            Error::ClockNotSet,
            Error::FactorNeeded,
            Error::SignIn(SignInProblem::CodeRequired),
            Error::SignIn(SignInProblem::WrongCode),
            Error::SignIn(SignInProblem::ClockNotSet),
            Error::SignIn(SignInProblem::LinkPassword),
            Error::SignIn(SignInProblem::WrongLinkPassword),
            Error::TooLarge,
            Error::Io(ErrorKind::ReadOnlyFilesystem.into()),
            Error::Bug("".into()),
        ] {
            assert!(CODES.contains(&code(&error)), "{error}");
        }
        for status in [400, 408, 413, 414, 417, 431, 500, 501, 503, 505] {
            let body: serde_json::Value = serde_json::from_str(&refusal(status, "x").body).unwrap();
            assert!(CODES.contains(&body["code"].as_str().unwrap()), "{status}");
        }
    }

    #[test]
    fn a_read_only_drive_is_named() {
        let error = Error::Io(ErrorKind::ReadOnlyFilesystem.into());
        assert_eq!((status(&error), sentence(&error)), (500, "The drive is read-only"));
    }

    #[test]
    fn a_sentence_is_escaped() {
        let said = |error, details| {
            let (failed, code_required, drive) = (None, None, None);
            text(&Problem { error, code: "failed", details, failed, code_required, drive })
        };
        assert_eq!(said("a \"b\"", None), r#"{"error":"a \"b\"","code":"failed"}"#);
        assert_eq!(said("a", Some("\n")), r#"{"error":"a","code":"failed","details":"\n"}"#);
    }
}
