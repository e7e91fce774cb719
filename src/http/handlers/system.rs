//! The server itself: contract, section 4.

use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::renew;

/// `GET /api/is_up`: answers whoever asks, once a second for each address.
///
/// Errors: `TooSoon`.
pub fn is_up(call: &mut Call<'_>) -> Result<Reply> {
    call.app.is_up_throttle.admit(call.address)?;
    Reply::json(&Status { status: "Server is up" })
}

/// `POST /api/update`: begins to look for a newer program; what comes of it stands in the log. While
/// one update is under way this begins no second one.
pub fn update(call: &mut Call<'_>) -> Result<Reply> {
    let _nothing = call.ask()?;
    call.note("started an update");
    renew::ask().map_err(|errno| Error::Io(errno.into()))?;
    Reply::json(&Status { status: "Update started" })
}
