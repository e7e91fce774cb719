//! From what the house knows all the time to what happened just now: troubles of the machine, and sign-ins that fail.

use std::collections::VecDeque;
use std::time::Instant;

use super::News;
use crate::limits;
use crate::settings::NotifyKind as Kind;
use crate::system::Warning;

/// Which warnings are told of, and as what. Drives that are away are told of by whoever sees them go.
const KINDS: [(&str, Kind); 9] = [
    (POWER, Kind::Power),
    (POWER_BEFORE, Kind::Power),
    ("throttled", Kind::Power),
    (HEAT, Kind::Heat),
    (HEAT_BEFORE, Kind::Heat),
    ("storage_full", Kind::DriveFull),
    ("state_full", Kind::DriveFull),
    ("storage_read_only", Kind::ReadOnly),
    ("state_read_only", Kind::ReadOnly),
];

/// The voltage is too low.
const POWER: &str = "under_voltage";

/// It was, since the board started; also between two looks.
const POWER_BEFORE: &str = "under_voltage_before";

/// The board is too hot.
const HEAT: &str = "too_hot";

/// It was, likewise.
const HEAT_BEFORE: &str = "too_hot_before";

/// The troubles that were there at the last look.
#[derive(Default)]
pub struct Troubles {
    /// Their codes.
    known: Vec<&'static str>,
    /// Whether there was a look: what the board tells of before it is no news.
    has_looked: bool,
}

impl Troubles {
    /// What has come since the last look.
    pub fn look(&mut self, warnings: &[Warning]) -> Vec<News> {
        let is_old = |code: &str| [POWER_BEFORE, HEAT_BEFORE].contains(&code);
        let mut news = Vec::new();
        for warning in warnings {
            let kind = KINDS.iter().find(|(code, _)| *code == warning.code).map(|(_, kind)| *kind);
            let is_news =
                !self.known.contains(&warning.code) && (self.has_looked || !is_old(warning.code));
            if let Some(kind) = kind.filter(|_| is_news) {
                news.push(News::new(kind, &format!("{}.", warning.text)));
            }
        }
        // What is so now will have been so before.
        let mut known: Vec<&'static str> = warnings.iter().map(|warning| warning.code).collect();
        for (now, before) in [(POWER, POWER_BEFORE), (HEAT, HEAT_BEFORE)] {
            if known.contains(&now) || self.known.contains(&before) {
                known.push(before);
            }
        }
        (self.known, self.has_looked) = (known, true);
        news
    }
}

/// How many sign-ins have failed of late.
#[derive(Default)]
pub struct Failures {
    /// How many there had been when, as far as it was less than now.
    seen: VecDeque<(Instant, u64)>,
}

impl Failures {
    /// Whether too many have failed lately, of so many in all; once for those.
    pub fn look(&mut self, total: u64, now: Instant) -> Option<News> {
        let is_over =
            |then: Instant| now.saturating_duration_since(then) > limits::NOTIFY_FAILURES_TIME;
        while self.seen.front().is_some_and(|(then, _)| is_over(*then)) {
            self.seen.pop_front();
        }
        let lately = self.seen.front().map_or(0, |(_, before)| total.saturating_sub(*before));
        if lately >= limits::NOTIFY_FAILURES_MIN {
            self.seen.clear();
        }
        self.seen.push_back((now, total));
        let minutes = limits::NOTIFY_FAILURES_TIME.as_secs() / 60;
        let text = format!(
            "{lately} sign-ins failed within {minutes} minutes: somebody may be guessing. The log tells where from."
        );
        (lately >= limits::NOTIFY_FAILURES_MIN).then(|| News::new(Kind::Failures, &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What is told of these codes.
    fn kinds(troubles: &mut Troubles, codes: &[&'static str]) -> Vec<Kind> {
        let warning = |code: &&'static str| Warning { code, text: "It is so" };
        let warnings: Vec<Warning> = codes.iter().map(warning).collect();
        troubles.look(&warnings).into_iter().map(|news| news.kind).collect()
    }

    #[test]
    fn a_trouble_is_told_when_it_comes_and_again_when_it_comes_again() {
        let mut troubles = Troubles::default();
        assert_eq!(kinds(&mut troubles, &["storage_full"]), [Kind::DriveFull]);
        assert!(kinds(&mut troubles, &["storage_full"]).is_empty());
        let two = ["storage_full", "storage_read_only", "card_busy", "storage_absent"];
        assert_eq!(kinds(&mut troubles, &two), [Kind::ReadOnly]);
        assert!(kinds(&mut troubles, &[]).is_empty());
        assert_eq!(kinds(&mut troubles, &["storage_full"]), [Kind::DriveFull]);
    }

    #[test]
    fn what_was_before_larder_is_no_news_and_what_has_passed_is_told_once() {
        let mut troubles = Troubles::default();
        assert!(kinds(&mut troubles, &[POWER_BEFORE]).is_empty());
        assert_eq!(kinds(&mut troubles, &[POWER]), [Kind::Power]);
        assert!(kinds(&mut troubles, &[POWER_BEFORE]).is_empty());
        let mut troubles = Troubles::default();
        assert!(kinds(&mut troubles, &[]).is_empty());
        assert_eq!(kinds(&mut troubles, &[HEAT_BEFORE]), [Kind::Heat], "between two looks");
        assert!(kinds(&mut troubles, &[HEAT_BEFORE]).is_empty());
    }

    #[test]
    fn ten_failures_in_ten_minutes_are_told_once_and_slower_ones_are_not() {
        let (start, mut failures) = (Instant::now(), Failures::default());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(failures.look(3, after(0)), None);
        assert_eq!(failures.look(12, after(500)), None);
        let news = failures.look(13, after(600)).unwrap();
        assert_eq!(news.kind, Kind::Failures);
        assert!(news.text.starts_with("10 sign-ins failed within 10 minutes"), "{}", news.text);
        assert_eq!(failures.look(14, after(605)), None);
        // One a minute.
        let mut failures = Failures::default();
        for minute in 0..100 {
            let told = failures.look(minute, after(minute * 67));
            assert_eq!(told, None, "{minute}");
        }
    }
}
