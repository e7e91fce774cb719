//! Commands of a shell: contract, section 6.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::question::{Ask, Question};
use crate::limits;
use crate::logbook::Event;

/// What `command` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Command {
    /// For `sh -c`.
    command: String,
}

impl Question for Command {}

sentence!(/// Of `command`.
    CommandExecuted, "Command executed");

/// What a command answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CommandExecutedAnswer"))]
pub struct Executed {
    /// What was done.
    status: CommandExecuted,
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
pub fn run(call: &mut Call<'_>, ask: Ask<Command>) -> Result<Answer<Executed>> {
    let Command { command } = ask.read(call)?;
    if command.trim().is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No command provided"));
    }
    if command.contains('\0') {
        return Err(Error::invalid("Invalid command"));
    }
    let share = call.share()?;
    call.note(Event::command(&command));
    let time_max = Duration::from_secs(call.app.config.settings().command_timeout_s.into());
    let user = call.caller()?.label();
    let outcome = call.app.console.run(user, &share, &call.app.vault.root(), &command, time_max)?;
    let executed = Executed {
        status: CommandExecuted,
        output: outcome.output,
        exit_code: outcome.exit_code,
        timed_out: outcome.timed_out,
        truncated: outcome.truncated,
    };
    if executed.output.len() <= limits::ANSWER_IN_MEMORY_BYTES {
        return Answer::of(&executed);
    }
    Ok(Answer::streamed(executed))
}
