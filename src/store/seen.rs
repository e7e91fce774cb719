//! Where, when and with what program users were last seen, and what of it is not yet in the table: SD cards
//! wear out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::user::User;
use crate::{limits, words};

/// Everybody who was seen since larder started.
#[derive(Default)]
pub(super) struct Seen {
    /// By the user's number.
    people: HashMap<i64, Sighting>,
    /// When the table was last brought up to date.
    written: Option<Instant>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// From where they asked last.
    pub address: IpAddr,
    /// What program they use, as it calls itself.
    pub agent: String,
    /// When that was (seconds since 1970).
    pub at: i64,
    /// Whether the table has another address.
    is_address_news: bool,
    /// The time in the table, as far as we wrote it.
    written_at: i64,
}

impl Seen {
    /// Somebody was seen, at a time in seconds since 1970.
    pub fn saw(&mut self, user: &User, address: IpAddr, agent: &str, at: i64) {
        let Some(sighting) = self.people.get_mut(&user.id) else {
            let sighting = Sighting {
                address,
                agent: tidy(agent),
                at,
                is_address_news: user.ip != address.to_string(),
                written_at: user.last_seen,
            };
            self.people.insert(user.id, sighting);
            return;
        };
        sighting.at = at;
        if sighting.address != address {
            sighting.address = address;
            sighting.is_address_news = user.ip != address.to_string();
        }
        // Nearly always it is the same, which costs nothing.
        if sighting.agent != agent {
            sighting.agent = tidy(agent);
        }
    }

    /// What is known of a user.
    pub fn of(&self, id: i64) -> Option<&Sighting> {
        self.people.get(&id)
    }

    /// What is to be written now, and from now on counts as written: another address at most once a minute, as a
    /// phone and a laptop in turn must not cost a write for each request; the time alone far less often. All of
    /// it with `at_once`.
    pub fn due(&mut self, at_once: bool) -> Vec<(i64, Sighting)> {
        let is_recent =
            self.written.is_some_and(|then| then.elapsed() < limits::ADDRESS_WRITE_INTERVAL);
        if is_recent && !at_once {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (id, sighting) in &mut self.people {
            if !sighting.is_due(at_once) {
                continue;
            }
            (sighting.is_address_news, sighting.written_at) = (false, sighting.at);
            due.push((*id, sighting.clone()));
        }
        if !due.is_empty() {
            self.written = Some(Instant::now());
        }
        due
    }

    /// Forgets a user who is gone.
    pub fn forget(&mut self, id: i64) {
        self.people.remove(&id);
    }
}

impl Sighting {
    /// Whether the table should hear of it.
    fn is_due(&self, at_once: bool) -> bool {
        // A clock that was set back makes it due, too.
        let age = self.at.abs_diff(self.written_at);
        let interval = if at_once { Duration::ZERO } else { limits::SEEN_WRITE_INTERVAL };
        self.is_address_news || (age > 0 && age >= interval.as_secs())
    }
}

/// What a program calls itself, in one line and cut to its bound: anybody can write anything there.
pub(super) fn tidy(agent: &str) -> String {
    let mut text = words::plain(agent.trim());
    text.truncate(text.floor_char_boundary(limits::AGENT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn ana() -> User {
        User {
            id: 7,
            username: "ana".into(),
            password_hash: String::new(),
            name: "Ana".into(),
            ip: HOME.to_string(),
            role: "user".into(),
            ftp_users: String::new(),
            paths: "[]".into(),
            settings: String::new(),
            paths_write: "[]".into(),
            key_hint: String::new(),
            epoch: 0,
            last_seen: 1000,
            last_agent: String::new(),
            factor: None,
            factor_step: 0,
        }
    }

    #[test]
    fn what_changes_with_each_request_is_written_rarely() {
        let hour = i64::try_from(limits::SEEN_WRITE_INTERVAL.as_secs()).unwrap();
        let mut seen = Seen::default();
        for second in 1..hour {
            seen.saw(&ana(), HOME, "curl/8", 1000 + second);
            assert!(seen.due(false).is_empty());
        }
        assert_eq!(seen.of(7).unwrap().at, 1000 + hour - 1);
        seen.saw(&ana(), HOME, "curl/8", 1000 + hour);
        assert_eq!(seen.due(false).len(), 1);
        seen.saw(&ana(), AWAY, "curl/8", 1001 + hour);
        assert!(seen.due(false).is_empty(), "that was a moment ago");
        let due = seen.due(true);
        assert_eq!((due[0].1.address, due[0].1.at), (AWAY, 1001 + hour));
        assert!(seen.due(true).is_empty());
        seen.forget(7);
        assert!(seen.of(7).is_none());
    }

    #[test]
    fn what_a_program_calls_itself_is_one_bounded_line() {
        let mut seen = Seen::default();
        let told = |seen: &Seen| seen.of(7).unwrap().agent.clone();
        seen.saw(&ana(), HOME, " Moz\u{1b}[31mil\u{85}la\t/5.0 ", 1);
        assert_eq!(told(&seen), "Moz[31milla/5.0");
        seen.saw(&ana(), HOME, &"é".repeat(1000), 2);
        assert_eq!(told(&seen).len(), limits::AGENT_BYTES_MAX);
        seen.saw(&ana(), HOME, "", 3);
        assert_eq!(told(&seen), "");
    }
}
