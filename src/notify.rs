//! Tells people who are elsewhere what happens here, by one message to each that wants to hear of it (second contract,
//! section 24; decision 0036). One thread, `notify`, while there is something to send; nobody waits for it, larder's end
//! included. Knows no requests, and not who finds out what happens.

mod letter;
mod queue;
mod troubles;

pub use troubles::{Failures, Troubles};

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::logbook::{Event, Logbook};
use crate::settings::Config;
pub use crate::settings::NotifyKind as Kind;
use crate::{limits, threads, words};
use letter::Message;
use queue::Queue;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What kind of thing.
    kind: Kind,
    /// A sentence for people.
    text: String,
    /// Whose doing it was, by their name.
    user: Option<String>,
    /// Which place of the share it is about.
    path: Option<String>,
    /// When.
    at: Timestamp,
}

impl News {
    /// This, now. Names in it are somebody's words: what would turn or part a line is shown as what it is.
    pub fn new(kind: Kind, text: &str) -> Self {
        Self { kind, text: plain(text), user: None, path: None, at: Timestamp::now() }
    }

    /// It was this one's doing.
    pub fn by(mut self, user: &str) -> Self {
        self.user = Some(plain(user)).filter(|user| !user.is_empty());
        self
    }

    /// It is about this place.
    pub fn about(mut self, path: &str) -> Self {
        self.path = Some(plain(path));
        self
    }
}

/// Words as they may stand in a message.
fn plain(text: &str) -> String {
    let mut text = words::told(text);
    text.truncate(text.floor_char_boundary(limits::NOTIFY_TEXT_BYTES_MAX));
    text
}

/// Tells what happens.
#[derive(Clone)]
pub struct Notifier(Arc<Shared>);

/// What it shares with its thread.
struct Shared {
    /// Who is to be told.
    config: Arc<Config>,
    /// Where it is told what could not be.
    logbook: Arc<Logbook>,
    /// What waits.
    state: Mutex<State>,
    /// Told when there is more, or larder ends.
    changed: Condvar,
}

/// What waits.
#[derive(Default)]
struct State {
    /// The messages.
    queue: Queue,
    /// Who sends them, while there are any.
    thread: Option<JoinHandle<()>>,
    /// Whether the thread has seen that there are none, and goes.
    is_leaving: bool,
    /// Whether larder ends.
    is_over: bool,
}

impl Notifier {
    /// Tells whom these settings name.
    pub fn new(config: &Arc<Config>, logbook: &Arc<Logbook>) -> Self {
        let (config, logbook) = (Arc::clone(config), Arc::clone(logbook));
        Self(Arc::new(Shared { config, logbook, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Has everybody told who wants to hear of it. Waits for nobody.
    pub fn raise(&self, news: News) {
        let settings = self.0.config.settings();
        if !settings.notify.iter().any(|target| target.kinds.contains(&news.kind)) {
            return;
        }
        let mut state = threads::locked(&self.0.state);
        if state.is_over {
            return;
        }
        state.queue.take(news, &settings.notify, Instant::now());
        self.0.note_lost(&mut state);
        let is_there = state.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        if is_there && !state.is_leaving {
            self.0.changed.notify_one();
            return;
        }
        let shared = Arc::clone(&self.0);
        state.is_leaving = false;
        state.thread = threads::spawn("notify", move || shared.send_all())
            .inspect_err(|cause| {
                let line = format!("notifications wait: {cause}");
                self.0.logbook.note_own(Event::other(line));
            })
            .ok();
    }

    /// Sends a message to one of those who are told, and waits for what comes of it.
    ///
    /// Errors: `NotFound`, `NotSent`.
    pub fn test(&self, index: i64) -> Result<()> {
        let settings = self.0.config.settings();
        let target = usize::try_from(index).ok().and_then(|index| settings.notify.get(index));
        let target = target.ok_or(Error::NotFound("No such notification"))?;
        let news =
            News::new(Kind::Update, "This is a test: notifications of this larder arrive here.");
        let message = Message { event: "test", more: 0, news };
        let sent = letter::send(target, &message, &settings.discovery.server_name);
        sent.map_err(|details| Error::NotSent { details })
    }

    /// Sends nothing any more, and waits for nothing.
    pub fn end(&self) {
        threads::locked(&self.0.state).is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    /// Sends what is due, one message after the other, until nothing waits.
    fn send_all(&self) {
        let mut state = threads::locked(&self.state);
        while !state.is_over {
            let (settings, now) = (self.config.settings(), Instant::now());
            state.queue.release(&settings.notify, now);
            self.note_lost(&mut state);
            if let Some(letter) = state.queue.pick(now) {
                // Whoever was taken out of the settings hears nothing any more, and no old secret is shown.
                let Some(at) = settings.notify.iter().position(|one| *one == letter.target) else {
                    continue;
                };
                drop(state);
                let server = &settings.discovery.server_name;
                let sent = letter::send(&letter.target, &letter.message, server);
                state = threads::locked(&self.state);
                match sent {
                    Ok(()) => state.queue.arrived(&letter),
                    Err(why) => {
                        let event = letter.message.event;
                        if state.queue.failed(letter, Instant::now()) {
                            let line = format!("notification {} ({event}) not sent: {why}", at + 1);
                            self.logbook.note_own(Event::other(line));
                        }
                    }
                }
                continue;
            }
            let Some(due) = state.queue.next_due() else { break };
            let rest = due.saturating_duration_since(now);
            state = threads::whole(self.changed.wait_timeout(state, rest)).0;
        }
        state.is_leaving = true;
    }

    /// Tells the owner once that there is no room for more.
    fn note_lost(&self, state: &mut State) {
        if let Some(lost) = state.queue.lost() {
            let most = limits::NOTIFY_QUEUE_MAX;
            let line = format!("{lost} notifications were lost: {most} wait already");
            self.logbook.note_own(Event::other(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_part_no_line_and_fill_no_message() {
        let news = News::new(Kind::LinkUpload, "a\r\nX-Evil: 1\u{202e}").by("b\nc").about("d\0e");
        assert!(!format!("{}{:?}{:?}", news.text, news.user, news.path).contains(char::is_control));
        let long = News::new(Kind::LinkUpload, &"ä".repeat(9000));
        assert!(long.text.len() <= limits::NOTIFY_TEXT_BYTES_MAX);
        assert_eq!(News::new(Kind::Heat, "x").by("").user, None);
    }
}
