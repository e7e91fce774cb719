//! How many rows strangers may cause: enough to see what happens, too few to push out of the log what happened
//! before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits;

/// Counts the rows of late, and those left out.
#[derive(Debug, Default)]
pub struct Thinning {
    /// When rows were let through, `REFUSAL_ROWS_TIME` back.
    rows: VecDeque<Instant>,
    /// How many were left out since the log last told so.
    left_out: u64,
    /// When the first of these was.
    since: Option<Instant>,
}

impl Thinning {
    /// Whether there shall be a row for what happened just now.
    pub fn admit(&mut self, now: Instant) -> bool {
        self.forget(now);
        // One is left for the row that tells of the rest.
        if self.rows.len() + 1 < limits::REFUSAL_ROWS_MAX {
            self.rows.push_back(now);
            return true;
        }
        self.left_out += 1;
        self.since.get_or_insert(now);
        false
    }

    /// How long until `take` may have something to tell; `None` when nothing has happened of late. Who is left
    /// out wakes nobody, but was preceded by rows that did.
    pub fn look_in(&self, now: Instant) -> Option<Duration> {
        let age = |then: &Instant| now.saturating_duration_since(*then);
        let is_busy = self.rows.back().is_some_and(|last| age(last) < limits::REFUSAL_ROWS_TIME);
        self.due_in(now).or_else(|| is_busy.then_some(limits::REFUSAL_ROWS_TIME))
    }

    /// How long until what was left out is told.
    fn due_in(&self, now: Instant) -> Option<Duration> {
        Some((self.since? + limits::REFUSAL_ROWS_TIME).saturating_duration_since(now))
    }

    /// How many rows were left out, when it is time to tell: at once with `is_last`.
    pub fn take(&mut self, now: Instant, is_last: bool) -> Option<u64> {
        if !is_last && !self.due_in(now)?.is_zero() {
            return None;
        }
        self.since.take()?;
        self.forget(now);
        self.rows.push_back(now);
        Some(std::mem::take(&mut self.left_out))
    }

    /// Forgets what was long enough ago.
    fn forget(&mut self, now: Instant) {
        let is_old =
            |then: &Instant| now.saturating_duration_since(*then) >= limits::REFUSAL_ROWS_TIME;
        while self.rows.front().is_some_and(is_old) {
            self.rows.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_no_ten_seconds_are_there_more_rows_than_may_and_none_is_lost_without_a_word() {
        let mut thinning = Thinning::default();
        let start = Instant::now();
        let (mut rows, mut told, mut happened) = (Vec::new(), 0, 0);
        for tick in 0..4000_u32 {
            let now = start + Duration::from_millis(10) * tick;
            // A flood of 30 s, then silence.
            if tick < 3000 {
                happened += 1;
                if thinning.admit(now) {
                    rows.push(now);
                    told += 1;
                }
            }
            if let Some(count) = thinning.take(now, false) {
                rows.push(now);
                told += count;
            }
        }
        assert_eq!((told, thinning.due_in(start)), (happened, None));
        assert_eq!(thinning.look_in(start + Duration::from_mins(1)), None);
        for (index, first) in rows.iter().enumerate() {
            let within = |row: &&Instant| **row < *first + limits::REFUSAL_ROWS_TIME;
            let count = rows[index..].iter().take_while(within).count();
            assert!(count <= limits::REFUSAL_ROWS_MAX, "{count}");
        }
        assert!(rows.len() >= 3 * (limits::REFUSAL_ROWS_MAX - 1), "{}", rows.len());
    }

    #[test]
    fn at_the_end_it_is_told_at_once() {
        let mut thinning = Thinning::default();
        let now = Instant::now();
        assert_eq!(thinning.look_in(now), None);
        assert!(thinning.admit(now));
        assert_eq!(thinning.look_in(now), Some(limits::REFUSAL_ROWS_TIME));
        for _ in 1..limits::REFUSAL_ROWS_MAX + 4 {
            thinning.admit(now);
        }
        assert_eq!(thinning.take(now, false), None);
        assert_eq!(thinning.look_in(now), Some(limits::REFUSAL_ROWS_TIME));
        assert_eq!(thinning.take(now, true), Some(5));
        assert_eq!(thinning.take(now, true), None);
    }
}
