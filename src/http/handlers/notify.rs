//! Notifications: second contract, section 24.

use serde::Deserialize;

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::call::Call;
use crate::http::question::{Ask, Index, Question};
use crate::logbook::Event;

/// What `notify/test` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TestNotification {
    /// Which one of `notify` in the settings, counted from 0.
    #[cfg_attr(test, schemars(required))]
    index: Option<Index>,
}

impl Question for TestNotification {}

sentence!(/// Of `notify/test`.
    NotificationSent, "Notification sent");

/// `POST /api/notify/test`: sends a message to one of those who are told, and says what came of it.
///
/// Errors: `Invalid`, `NotFound`, `NotSent`.
pub fn test(
    call: &mut Call<'_>,
    ask: Ask<TestNotification>,
) -> Result<Answer<Done<NotificationSent>>> {
    let index = ask.read(call)?.index;
    let missing = Error::invalid_as(Why::Missing, "No index provided");
    let Index(index) = index.ok_or(missing)?;
    let sent = call.app.notifier.test(index);
    if let Ok(()) | Err(Error::NotSent { .. }) = &sent {
        let outcome = if sent.is_ok() { "sent" } else { "could not send" };
        call.note(Event::other(format!(
            "{outcome} a test notification to {}",
            index.saturating_add(1)
        )));
    }
    sent.and_then(|()| done())
}
