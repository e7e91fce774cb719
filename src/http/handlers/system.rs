//! The server itself: contract, section 4.

use crate::error::Result;
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};

/// `GET /api/is_up`: answers whoever asks, once a second for each address.
///
/// Errors: `TooSoon`.
pub fn is_up(call: &mut Call<'_>) -> Result<Reply> {
    call.app.is_up_throttle.admit(call.address)?;
    Reply::json(&Status { status: "Server is up" })
}
