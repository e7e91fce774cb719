//! The logbook, read: contract, section 6, and second contract, section 22.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::question::{Query, Question};
use crate::limits;
use crate::logbook::{Filter, Row};
use crate::vault::VaultPath;

/// What `get_logs` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogQuery {
    /// How many rows at most (125 if left out; never more than 1000).
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<i64>,
    /// Only rows older than the one with this id.
    #[cfg_attr(test, schemars(range(min = 0)))]
    before: Option<i64>,
    /// Only what happened to this path or below, wherever it went or came from.
    #[cfg_attr(test, schemars(extend("pattern" = "")))]
    path: Option<String>,
    /// Only what this user did, or somebody who tried to be them.
    user: Option<String>,
    /// Only what came by this door: `api`, `ftp` or `machine`.
    door: Option<String>,
    /// Only this kind: `create`, `write`, `rename`, `move`, `copy`, `delete`, `restore`, `sign_in`, `sign_out`,
    /// `refused`, `change`, `command`, `start` or `stop`.
    op: Option<String>,
}

impl Question for LogQuery {}

/// `GET /api/get_logs`: the newest rows of those that are wanted, newest first; `before` pages back.
///
/// Errors: `Invalid`.
pub fn list(call: &mut Call<'_>, ask: Query<LogQuery>) -> Result<Answer<Vec<Row>>> {
    let ask = ask.read(call)?;
    let wanted = ask.limit.unwrap_or(limits::LOG_ROWS_DEFAULT);
    if wanted == 0 {
        return Err(Error::invalid("limit must be a whole number of at least 1"));
    }
    let path = match ask.path.map(|path| VaultPath::parse(&path)) {
        Some(Ok(path)) => Some(path.as_str().to_owned()),
        // Nothing can have happened to what cannot be there.
        Some(Err(_)) => return Answer::of(&Vec::new()),
        None => None,
    };
    let filter = Filter {
        rows_max: wanted.min(limits::LOG_ROWS_PER_ANSWER_MAX),
        before: ask.before,
        user: ask.user,
        door: ask.door,
        op: ask.op,
        path,
    };
    Answer::of(&call.app.logbook.newest(&filter)?)
}
