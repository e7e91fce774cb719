//! The logbook, read: contract, section 6.

use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;

/// `GET /api/get_logs`: the newest rows, newest first; `before` pages back.
///
/// Errors: `Invalid`.
pub fn list(call: &mut Call<'_>) -> Result<Reply> {
    let wanted = number(call, "limit")?.unwrap_or(limits::LOG_ROWS_DEFAULT);
    let before = number(call, "before")?;
    if wanted == 0 {
        return Err(Error::invalid("limit must be a whole number of at least 1"));
    }
    let rows = call.app.logbook.newest(wanted.min(limits::LOG_ROWS_PER_ANSWER_MAX), before)?;
    Reply::json(&rows)
}

/// A whole number of the query, not negative.
fn number(call: &Call<'_>, name: &str) -> Result<Option<i64>> {
    let Some(text) = call.query(name)? else { return Ok(None) };
    // `parse` would take a plus sign.
    let digits = Some(&text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    let wrong = || Error::invalid_text(format!("{name} must be a whole number"));
    number.ok_or_else(wrong).map(Some)
}
