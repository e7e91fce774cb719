//! The logbook, read: contract, section 6, and second contract, section 22.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;
use crate::logbook::{Filter, Row};
use crate::vault::VaultPath;

/// `GET /api/get_logs`: the newest rows of those that are wanted, newest first; `before` pages back.
///
/// Errors: `Invalid`.
pub fn list(call: &mut Call<'_>) -> Result<Reply> {
    let wanted = number(call, "limit")?.unwrap_or(limits::LOG_ROWS_DEFAULT);
    let before = number(call, "before")?;
    if wanted == 0 {
        return Err(Error::invalid("limit must be a whole number of at least 1"));
    }
    let path = match text(call, "path")?.map(|path| VaultPath::parse(&path)) {
        Some(Ok(path)) => Some(path.as_str().to_owned()),
        // Nothing can have happened to what cannot be there.
        Some(Err(_)) => return Reply::json(&Vec::<Row>::new()),
        None => None,
    };
    let filter = Filter {
        rows_max: wanted.min(limits::LOG_ROWS_PER_ANSWER_MAX),
        before,
        user: text(call, "user")?,
        door: text(call, "door")?,
        op: text(call, "op")?,
        path,
    };
    Reply::json(&call.app.logbook.newest(&filter)?)
}

/// A parameter of the query.
fn text(call: &Call<'_>, name: &str) -> Result<Option<String>> {
    Ok(call.query(name)?.map(Cow::into_owned))
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
