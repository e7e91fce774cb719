//! The settings: contract, section 6.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::body;
use crate::http::call::Call;
use crate::http::question::AskWhole;
use crate::logbook::Event;
use crate::settings::IN_FORCE;

/// All settings by name.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Settings", with = "crate::settings::ShownShape"))]
pub struct Shown(Value);

/// What is to change: settings by name. What a value may be is judged with all others (`Settings::merged`), so
/// that the refusal names the key.
#[derive(Deserialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, with = "crate::settings::SettingsShape"))]
pub struct Changes(Map<String, Value>);

sentence!(/// Of `update_settings`.
    SettingsUpdated, "Settings updated");

/// What `update_settings` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SettingsUpdatedAnswer"))]
pub struct Updated {
    /// What was done.
    status: SettingsUpdated,
    /// The keys whose new value counts from the next start on.
    restart_required: Vec<String>,
}

/// `GET /api/get_settings`: all of them as they are stored, the secret masked; and which of them the command
/// line or the environment covers, as they are in force.
pub fn get(call: &mut Call<'_>, (): ()) -> Result<Answer<Shown>> {
    let mut shown = call.app.config.settings().to_show();
    if let Some(object) = shown.as_object_mut() {
        object.insert(IN_FORCE.to_owned(), call.app.covered().clone().into());
    }
    Answer::of(&Shown(shown))
}

/// `POST /api/update_settings`: merges, checks as a whole, stores and applies; of a change that is
/// wrong anywhere nothing is done.
///
/// Errors: `Invalid`.
pub fn update(call: &mut Call<'_>, ask: AskWhole<Changes>) -> Result<Answer<Updated>> {
    let changes = ask.read(call, body::NO_OBJECT)?.map_or_else(Map::new, |Changes(all)| all);
    if changes.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No settings provided"));
    }
    let outcome = call.app.change_settings(changes)?;
    if !outcome.keys.is_empty() {
        // The keys alone: a value may be a secret.
        call.note(Event::change(format!("changed settings: {}", outcome.keys.join(", "))));
    }
    let restart_required = outcome.restart_required;
    Answer::of(&Updated { status: SettingsUpdated, restart_required })
}
