//! Commands of a shell: contract, section 6.

use std::time::Duration;

use serde::Serialize;
use tiny_http::ext::Body;

use crate::error::{Error, Result, Why};
use crate::http::body::{Field, text};
use crate::http::call::Call;
use crate::http::reply::{JSON, Reply};
use crate::limits;
use crate::logbook::Event;

/// The fields of `command`.
pub const RUN: &[Field] = &[text("command")];

/// What a command answers.
#[derive(Serialize)]
struct Executed {
    /// The contract's sentence.
    status: &'static str,
    /// Standard output and standard error as they came.
    output: String,
    /// As a shell tells it.
    exit_code: i32,
    /// Whether it was killed because its time was over.
    timed_out: bool,
    /// Whether it was killed because it wrote too much.
    truncated: bool,
}

/// `POST /api/command`: runs a command in the caller's current folder, within its bounds.
///
/// Errors: `Invalid`, `TooSoon`, `StorageAbsent`.
pub fn run(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let command = ask.text("command").filter(|command| !command.trim().is_empty());
    let command = command.ok_or(Error::invalid_as(Why::Missing, "No command provided"))?;
    if command.contains('\0') {
        return Err(Error::invalid("Invalid command"));
    }
    let share = call.share()?;
    call.note(Event::command(command));
    let time_max = Duration::from_secs(call.app.config.settings().command_timeout_s.into());
    let user = call.caller()?.label();
    let outcome = call.app.console.run(user, &share, &call.app.vault.root(), command, time_max)?;
    let executed = Executed {
        status: "Command executed",
        output: outcome.output,
        exit_code: outcome.exit_code,
        timed_out: outcome.timed_out,
        truncated: outcome.truncated,
    };
    if executed.output.len() <= limits::ANSWER_IN_MEMORY_BYTES {
        return Reply::json(&executed);
    }
    // Escaped, a byte may become six: they are made while they are sent.
    let body = Body::Stream(Box::new(move |out| Ok(serde_json::to_writer(out, &executed)?)));
    Ok(Reply::new(200, body).with("Content-Type", JSON).with("Cache-Control", "no-store"))
}
