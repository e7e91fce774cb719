//! Which label those hear who make something of it, the certificate for one. Each is another file on the drive and
//! another row of the log, and whoever claims one name after the other in the network has larder take one after the
//! other: the first is told at once, each further one when it was kept for a while, which grows.

use std::time::{Duration, Instant};

use crate::limits;

/// What was told, and what may be next.
#[derive(Debug, Default)]
pub struct Settled {
    /// What was told last.
    told: Option<String>,
    /// How many were told.
    count: u32,
    /// What is kept since, and when it is told.
    next: Option<(String, Instant)>,
}

impl Settled {
    /// The machine has this label, or none yet; gives one that is to be told.
    pub fn keep(&mut self, label: Option<&str>, now: Instant) -> Option<String> {
        let label = label.filter(|label| self.told.as_deref() != Some(*label));
        let Some(label) = label else {
            self.next = None;
            return None;
        };
        if self.next.as_ref().is_none_or(|(kept, _)| kept != label) {
            self.next = Some((label.to_owned(), now + self.rest()));
        }
        let (label, _) = self.next.take_if(|(_, at)| *at <= now)?;
        self.count = self.count.saturating_add(1);
        self.told = Some(label.clone());
        Some(label)
    }

    /// When one is told, if it is kept until then.
    pub fn next(&self) -> Option<Instant> {
        self.next.as_ref().map(|(_, at)| *at)
    }

    /// How long the next one must be kept.
    fn rest(&self) -> Duration {
        let Some(doublings) = self.count.checked_sub(1) else { return Duration::ZERO };
        let times = 2_u32.saturating_pow(doublings);
        limits::MDNS_KEPT_TIME.saturating_mul(times).min(limits::MDNS_KEPT_TIME_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_next_when_it_was_kept() {
        let (mut settled, now) = (Settled::default(), Instant::now());
        assert_eq!(settled.keep(None, now), None);
        assert_eq!(settled.keep(Some("larder"), now).as_deref(), Some("larder"));
        assert_eq!(settled.keep(Some("larder"), now), None, "it is known");
        assert_eq!(settled.keep(Some("larder-2"), now), None);
        assert_eq!(settled.next(), Some(now + limits::MDNS_KEPT_TIME));
        let later = now + limits::MDNS_KEPT_TIME;
        assert_eq!(settled.keep(Some("larder-2"), later).as_deref(), Some("larder-2"));
        // One that is lost before that is not told, and begins anew.
        assert_eq!(settled.keep(Some("larder-3"), later), None);
        assert_eq!(settled.keep(None, later), None);
        assert_eq!(settled.next(), None);
    }

    #[test]
    fn a_storm_of_names_is_told_of_once_an_hour_in_the_end() {
        let (mut settled, mut now) = (Settled::default(), Instant::now());
        let day = now + Duration::from_hours(24);
        let (mut told, mut number) = (0, 0);
        while now < day {
            // Whoever makes it lets each name be until it was told, or takes it after a second.
            number += 1;
            let label = format!("larder-{number}");
            told += usize::from(settled.keep(Some(&label), now).is_some());
            if number % 2 == 0
                && let Some(at) = settled.next()
            {
                now = at;
                told += usize::from(settled.keep(Some(&label), now).is_some());
            }
            now += Duration::from_secs(1);
        }
        assert!((25..=40).contains(&told), "{told}");
    }
}
