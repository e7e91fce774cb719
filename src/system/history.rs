//! How busy the machine was of late: a few numbers of each sample, in memory only.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use super::Sample;
use crate::limits;

/// What is remembered of a sample.
#[derive(Clone, Copy, Debug, Serialize, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SampleThen"))]
pub struct Moment {
    /// When it was taken (seconds since 1970).
    pub t: i64,
    /// See `Sample`.
    pub cpu: u8,
    /// See `Sample`.
    pub memory: u8,
    /// See `Sample`.
    pub disk: u8,
    /// See `Sample`.
    pub temperature: Option<f64>,
    /// See `Sample`.
    pub network_received_bytes_per_s: u64,
    /// See `Sample`.
    pub network_sent_bytes_per_s: u64,
}

impl Moment {
    /// Of a sample that was taken just now.
    pub fn of(sample: &Sample) -> Self {
        Self {
            t: Timestamp::now().as_second(),
            cpu: sample.cpu,
            memory: sample.memory,
            disk: sample.disk,
            temperature: sample.temperature,
            network_received_bytes_per_s: sample.network_received_bytes_per_s,
            network_sent_bytes_per_s: sample.network_sent_bytes_per_s,
        }
    }
}

/// The moments of the last ten minutes, the oldest first.
#[derive(Default)]
pub struct History(VecDeque<Moment>);

impl History {
    /// Adds one. What is older than ten minutes goes, and what a clock that was set back left ahead.
    pub fn keep(&mut self, moment: Moment) {
        let oldest = moment.t.saturating_sub_unsigned(limits::SAMPLE_HISTORY_TIME.as_secs());
        self.0.retain(|kept| kept.t > oldest && kept.t <= moment.t);
        if self.0.len() >= limits::SAMPLE_HISTORY_MAX {
            self.0.pop_front();
        }
        self.0.push_back(moment);
    }

    /// All of them.
    pub fn told(&self) -> Vec<Moment> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment at this second.
    fn at(t: i64) -> Moment {
        Moment { t, ..Moment::of(&Sample::default()) }
    }

    #[test]
    fn ten_minutes_are_kept_and_no_more_than_fit() {
        let mut history = History::default();
        for t in 0..=60 {
            history.keep(at(t * 20));
        }
        let seconds: Vec<i64> = history.told().iter().map(|moment| moment.t).collect();
        assert_eq!((seconds.first(), seconds.last()), (Some(&620), Some(&1200)));
        for t in 1200..3000 {
            history.keep(at(t));
        }
        assert_eq!(history.told().len(), limits::SAMPLE_HISTORY_MAX);
        history.keep(at(100));
        assert_eq!(history.told(), [at(100)], "the clock was set back");
    }
}
