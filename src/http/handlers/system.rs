//! The server itself: contract, section 4.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::http::body::{Field, flag};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::{renew, update};

/// `GET /api/is_up`: answers whoever asks, once a second for each address.
///
/// Errors: `TooSoon`.
pub fn is_up(call: &mut Call<'_>) -> Result<Reply> {
    call.app.is_up_throttle.admit(call.address)?;
    Reply::json(&Status { status: "Server is up" })
}

/// The fields of `update`.
pub const UPDATE: &[Field] = &[flag("check")];

/// `POST /api/update`: begins to look for a newer program; what comes of it stands in the log. While
/// one update is under way this begins no second one. With `check` it only says whether there is one.
pub fn update(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer to `check`.
    #[derive(Serialize)]
    struct Checked {
        /// Never mistaken for the beginning of an update.
        status: &'static str,
        /// This program's.
        version: &'static str,
        /// The newer one's; null when there is none, or `problem` keeps us from knowing.
        available: Option<String>,
        /// Why nobody knows, in words for the owner.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    }
    if !call.ask()?.flag("check") {
        call.note("started an update");
        renew::ask().map_err(|errno| Error::Io(errno.into()))?;
        return Reply::json(&Status { status: "Update started" });
    }
    let (available, problem) = match update::look(&call.app.config.settings()) {
        Ok(release) => (release.map(|release| release.version.to_string()), None),
        Err(line) => (None, Some(line)),
    };
    Reply::json(&Checked { status: "Update checked", version: update::VERSION, available, problem })
}
