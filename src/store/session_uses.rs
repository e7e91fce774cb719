//! When sessions were used last, and what of it is not yet in the table: SD cards wear out. What happened since larder
//! started is counted from the machine's start, so that a clock that is set meanwhile ends no session early.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::seen::tidy;
use crate::limits;

/// The sessions that were used since larder started.
#[derive(Default)]
pub(super) struct Uses {
    /// By their ids.
    sessions: HashMap<String, Use>,
    /// When the table was last brought up to date.
    written: Option<Instant>,
    /// When somebody last looked which are over.
    looked: Option<Instant>,
}

/// When, from where and by what one was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// Seconds since the machine was started.
    pub at: i64,
    /// From where.
    pub address: IpAddr,
    /// By what program, as it calls itself.
    pub agent: String,
    /// The time in the table.
    written_at: i64,
    /// Whether the table has another address.
    is_address_news: bool,
}

impl Uses {
    /// A session was used; at its beginning the table knows of it.
    pub fn saw(&mut self, id: &str, (address, agent): (IpAddr, &str), at: i64, is_written: bool) {
        let Some(used) = self.sessions.get_mut(id) else {
            self.make_room();
            let written_at = if is_written { at } else { i64::MIN };
            let (agent, is_address_news) = (tidy(agent), !is_written);
            let used = Use { at, address, agent, written_at, is_address_news };
            self.sessions.insert(id.to_owned(), used);
            return;
        };
        used.at = at;
        if used.address != address {
            (used.address, used.is_address_news) = (address, true);
        }
        // Nearly always it is the same, which costs nothing.
        if used.agent != agent {
            used.agent = tidy(agent);
        }
        if is_written {
            (used.written_at, used.is_address_news) = (at, false);
        }
    }

    /// What is known of a session.
    pub fn of(&self, id: &str) -> Option<&Use> {
        self.sessions.get(id)
    }

    /// Forgets one that has ended.
    pub fn forget(&mut self, id: &str) {
        self.sessions.remove(id);
    }

    /// What is to be written now, and from now on counts as written: another address at most once a minute, the time
    /// alone far less often; all of it with `at_once`.
    pub fn due(&mut self, at_once: bool) -> Vec<(String, Use)> {
        let is_recent =
            self.written.is_some_and(|then| then.elapsed() < limits::ADDRESS_WRITE_INTERVAL);
        if is_recent && !at_once {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (id, used) in &mut self.sessions {
            if used.is_due(at_once) {
                (used.is_address_news, used.written_at) = (false, used.at);
                due.push((id.clone(), used.clone()));
            }
        }
        if !due.is_empty() {
            self.written = Some(Instant::now());
        }
        due
    }

    /// Whether it is time to look which sessions are over; from now on somebody has.
    pub fn is_time_to_look(&mut self) -> bool {
        let is_time =
            self.looked.is_none_or(|then| then.elapsed() >= limits::SESSIONS_LOOK_INTERVAL);
        if is_time {
            self.looked = Some(Instant::now());
        }
        is_time
    }

    /// Of more than `SESSIONS_SEEN_MAX` the longest unused goes; the table knows it, to the hour.
    fn make_room(&mut self) {
        if self.sessions.len() < limits::SESSIONS_SEEN_MAX {
            return;
        }
        let oldest = self.sessions.iter().min_by_key(|(_, used)| used.at);
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.sessions.remove(&id);
        }
    }
}

impl Use {
    /// Whether the table should hear of it.
    fn is_due(&self, at_once: bool) -> bool {
        let interval = if at_once { 1 } else { limits::SEEN_WRITE_INTERVAL.as_secs() };
        self.is_address_news || self.at.abs_diff(self.written_at) >= interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn what_changes_with_each_request_is_written_rarely() {
        let hour = i64::try_from(limits::SEEN_WRITE_INTERVAL.as_secs()).unwrap();
        let mut uses = Uses::default();
        uses.saw("a", (HOME, "curl/8"), 100, true);
        for second in 1..hour {
            uses.saw("a", (HOME, "curl/8"), 100 + second, false);
            assert!(uses.due(false).is_empty());
        }
        assert_eq!(uses.of("a").unwrap().at, 100 + hour - 1);
        uses.saw("a", (HOME, "curl/8"), 100 + hour, false);
        assert_eq!(uses.due(false).len(), 1);
        uses.saw("a", (AWAY, "curl/8"), 101 + hour, false);
        assert!(uses.due(false).is_empty(), "that was a moment ago");
        let due = uses.due(true);
        assert_eq!((due[0].1.address, due[0].1.at), (AWAY, 101 + hour));
        assert!(uses.due(true).is_empty());
        uses.saw("b", (HOME, ""), 200, false);
        assert_eq!(uses.due(true).len(), 1, "of an earlier run, and the table need not know");
        uses.forget("a");
        assert!(uses.of("a").is_none());
    }

    #[test]
    fn memory_is_bounded_and_the_longest_unused_goes() {
        let mut uses = Uses::default();
        for number in 0..=limits::SESSIONS_SEEN_MAX {
            let at = i64::try_from(number).unwrap();
            uses.saw(&number.to_string(), (HOME, &"é".repeat(1000)), at, true);
        }
        assert_eq!(uses.sessions.len(), limits::SESSIONS_SEEN_MAX);
        assert!(uses.of("0").is_none() && uses.of("1").is_some());
        assert_eq!(uses.of("1").unwrap().agent.len(), limits::AGENT_BYTES_MAX);
    }
}
