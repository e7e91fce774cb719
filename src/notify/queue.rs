//! What waits to be sent: how often something is told, tried and put off. No clock and no socket, so that tests turn the
//! time themselves.

use std::collections::BTreeSet;
use std::time::Instant;

use super::News;
use super::letter::Message;
use crate::limits;
use crate::settings::{NotifyKind as Kind, NotifyTarget as Target};

/// One message to one of those who are told.
#[derive(Debug)]
pub(super) struct Letter {
    /// What it says.
    pub message: Message,
    /// To whom.
    pub target: Target,
    /// How often that was tried.
    tries: usize,
    /// When it is tried next.
    due: Instant,
}

/// How one kind of news is told.
#[derive(Default)]
struct Pace {
    /// When it was last.
    told: Option<Instant>,
    /// What happened last since then.
    held: Option<News>,
    /// How often something has happened since then.
    count: u32,
}

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    /// By kind, in the order of `Kind::ALL`.
    paces: [Pace; Kind::ALL.len()],
    /// In the order in which they came.
    letters: Vec<Letter>,
    /// The addresses where the last try failed.
    failing: BTreeSet<String>,
    /// Messages for which there was no room.
    lost: usize,
    /// Whether that has been told since there was room.
    is_full: bool,
}

impl Queue {
    /// Something happened: it is told at once, or counted if something of its kind was told lately.
    pub fn take(&mut self, news: News, targets: &[Target], now: Instant) {
        let pace = self.pace(news.kind);
        if pace.told.is_some_and(|told| now < told + limits::NOTIFY_KIND_INTERVAL) {
            pace.count = pace.count.saturating_add(1);
            pace.held = Some(news);
            return;
        }
        pace.told = Some(now);
        self.post(&news, 0, targets, now);
    }

    /// What was counted is told once its time has come.
    pub fn release(&mut self, targets: &[Target], now: Instant) {
        for kind in Kind::ALL {
            let pace = self.pace(kind);
            if pace.told.is_some_and(|told| now < told + limits::NOTIFY_KIND_INTERVAL) {
                continue;
            }
            let count = std::mem::take(&mut pace.count);
            if let Some(news) = pace.held.take() {
                pace.told = Some(now);
                self.post(&news, count.saturating_sub(1), targets, now);
            }
        }
    }

    /// A message to each who wants to hear of it.
    fn post(&mut self, news: &News, more: u32, targets: &[Target], now: Instant) {
        self.failing.retain(|url| targets.iter().any(|target| target.url == *url));
        for target in targets.iter().filter(|target| target.kinds.contains(&news.kind)) {
            if self.letters.len() >= limits::NOTIFY_QUEUE_MAX {
                self.lost += 1;
                continue;
            }
            let message = Message { event: news.kind.as_str(), more, news: news.clone() };
            self.letters.push(Letter { message, target: target.clone(), tries: 0, due: now });
        }
    }

    /// Takes out what is to be sent now. Whose last try failed comes after all others, who would wait behind them.
    pub fn pick(&mut self, now: Instant) -> Option<Letter> {
        let due = self.letters.iter().enumerate().filter(|(_, letter)| letter.due <= now);
        let next = due.min_by_key(|(at, letter)| (self.failing.contains(&letter.target.url), *at));
        let at = next.map(|(at, _)| at)?;
        Some(self.letters.remove(at))
    }

    /// It was taken.
    pub fn arrived(&mut self, letter: &Letter) {
        self.failing.remove(&letter.target.url);
    }

    /// It was not, and is tried again. Whether it was tried often enough.
    pub fn failed(&mut self, mut letter: Letter, now: Instant) -> bool {
        self.failing.insert(letter.target.url.clone());
        letter.tries += 1;
        let Some(rest) = limits::NOTIFY_RETRIES.get(letter.tries - 1) else { return true };
        letter.due = now + *rest;
        self.letters.push(letter);
        false
    }

    /// When there is something to do.
    pub fn next_due(&self) -> Option<Instant> {
        let held = self.paces.iter().filter(|pace| pace.held.is_some());
        let held = held.filter_map(|pace| Some(pace.told? + limits::NOTIFY_KIND_INTERVAL));
        self.letters.iter().map(|letter| letter.due).chain(held).min()
    }

    /// How many messages found no room, once until there was room again.
    pub fn lost(&mut self) -> Option<usize> {
        let lost = std::mem::take(&mut self.lost);
        let is_news = lost > 0 && !self.is_full;
        self.is_full = lost > 0 || (self.is_full && self.letters.len() >= limits::NOTIFY_QUEUE_MAX);
        is_news.then_some(lost)
    }

    /// How a kind is told.
    fn pace(&mut self, kind: Kind) -> &mut Pace {
        let at = Kind::ALL.iter().position(|one| *one == kind).unwrap_or(0);
        &mut self.paces[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::NotifyFormat as Format;
    use std::time::Duration;

    /// Somebody who hears of all.
    fn target(url: &str) -> Target {
        let url = format!("http://{url}");
        Target { url, kinds: Kind::ALL.to_vec(), format: Format::Json, token: String::new() }
    }

    /// Something.
    fn news(text: &str) -> News {
        News::new(Kind::Heat, text)
    }

    /// What is to be sent now, and is taken.
    fn sent(queue: &mut Queue, now: Instant) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(letter) = queue.pick(now) {
            queue.arrived(&letter);
            all.push(letter.message.text());
        }
        all
    }

    #[test]
    fn of_a_kind_one_is_told_in_ten_minutes_and_the_rest_is_counted() {
        let (mut queue, all, start) = (Queue::default(), [target("a")], Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        for second in 0..6 {
            queue.take(news(&format!("It is hot, {second}.")), &all, after(second));
        }
        queue.take(News::new(Kind::Power, "Weak."), &all, after(6));
        assert_eq!(sent(&mut queue, after(6)), ["It is hot, 0.", "Weak."]);
        assert_eq!(queue.next_due(), Some(after(600)));
        queue.release(&all, after(599));
        assert!(sent(&mut queue, after(599)).is_empty());
        queue.release(&all, after(600));
        assert_eq!(sent(&mut queue, after(600)), ["It is hot, 5, and 4 more."]);
        assert_eq!(queue.next_due(), None);
        // The ten minutes go on from there.
        queue.take(news("Again."), &all, after(601));
        assert_eq!(queue.next_due(), Some(after(1200)));
        queue.release(&all, after(1200));
        assert_eq!(sent(&mut queue, after(1200)), ["Again."]);
        queue.take(news("Later."), &all, after(1800));
        assert_eq!(sent(&mut queue, after(1800)), ["Later."]);
    }

    #[test]
    fn what_is_not_taken_is_tried_three_times_over_ten_minutes() {
        let (mut queue, all, start) = (Queue::default(), [target("a")], Instant::now());
        queue.take(news("Hot."), &all, start);
        for (second, is_over) in [(0, false), (30, false), (600, true)] {
            let now = start + Duration::from_secs(second);
            assert!(
                second == 0
                    || queue.pick(now.checked_sub(Duration::from_secs(1)).unwrap()).is_none()
            );
            let letter = queue.pick(now).unwrap();
            assert_eq!(queue.failed(letter, now), is_over, "{second}");
        }
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn who_does_not_answer_comes_after_those_who_do() {
        let (mut queue, all, start) =
            (Queue::default(), [target("away"), target("b")], Instant::now());
        queue.take(news("One."), &all, start);
        let first = queue.pick(start).unwrap();
        assert_eq!(first.target, all[0]);
        assert!(!queue.failed(first, start));
        queue.take(News::new(Kind::Power, "Two."), &all, start);
        let order: Vec<Target> =
            std::iter::from_fn(|| queue.pick(start)).map(|letter| letter.target).collect();
        assert_eq!(order, [all[1].clone(), all[1].clone(), all[0].clone()]);
    }

    #[test]
    fn a_hundred_wait_and_of_those_beyond_one_row_tells() {
        let all: Vec<Target> = ["a", "b", "c", "d", "e"].map(target).to_vec();
        let (mut queue, start) = (Queue::default(), Instant::now());
        let mut told = 0;
        for turn in 0..30 {
            let now = start + limits::NOTIFY_KIND_INTERVAL * turn;
            queue.take(news("Hot."), &all, now);
            told += usize::from(queue.lost().is_some());
        }
        assert_eq!((queue.letters.len(), told), (limits::NOTIFY_QUEUE_MAX, 1));
        let later = start + limits::NOTIFY_KIND_INTERVAL * 40;
        assert_eq!(sent(&mut queue, later).len(), limits::NOTIFY_QUEUE_MAX);
        assert_eq!(queue.lost(), None);
    }

    #[test]
    fn who_does_not_want_to_hear_of_it_does_not() {
        let (mut queue, start) = (Queue::default(), Instant::now());
        let deaf = Target { kinds: vec![Kind::Update], ..target("a") };
        queue.take(news("Hot."), &[deaf], start);
        assert!(queue.pick(start).is_none());
    }
}
