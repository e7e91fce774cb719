//! The settings: contract, section 6.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result, Why};
use crate::http::body;
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::logbook::Event;
use crate::settings::IN_FORCE;

/// `GET /api/get_settings`: all of them as they are stored, the secret masked; and which of them the command
/// line or the environment covers, as they are in force.
pub fn get(call: &mut Call<'_>) -> Result<Reply> {
    let mut shown = call.app.config.settings().to_show();
    if let Some(object) = shown.as_object_mut() {
        object.insert(IN_FORCE.to_owned(), call.app.covered().clone().into());
    }
    Reply::json(&shown)
}

/// `POST /api/update_settings`: merges, checks as a whole, stores and applies; of a change that is
/// wrong anywhere nothing is done.
///
/// Errors: `Invalid`.
pub fn update(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Updated {
        /// The contract's sentence.
        status: &'static str,
        /// The keys whose new value counts from the next start on.
        restart_required: Vec<String>,
    }
    let changes: Map<String, Value> = call.ask_whole(body::NO_OBJECT)?.unwrap_or_default();
    if changes.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No settings provided"));
    }
    let outcome = call.app.change_settings(changes)?;
    if !outcome.keys.is_empty() {
        // The keys alone: a value may be a secret.
        call.note(Event::change(format!("changed settings: {}", outcome.keys.join(", "))));
    }
    Reply::json(&Updated { status: "Settings updated", restart_required: outcome.restart_required })
}
