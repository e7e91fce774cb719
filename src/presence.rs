//! Who is on: everybody who has asked for anything of late. Only in memory, and nobody's secret but
//! the owner's. Knows no requests.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;

use crate::{limits, threads};

/// Remembers who was seen, where and when.
#[derive(Default)]
pub struct Presence(Mutex<HashMap<i64, Seen>>);

/// When somebody was seen last.
struct Seen {
    /// Their name.
    username: String,
    /// Where their request came from.
    address: IpAddr,
    /// When that was.
    at: Instant,
}

/// Somebody who is on.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PersonOn"))]
pub struct Person {
    /// Their name.
    pub username: String,
    /// Where their last request came from.
    pub ip: IpAddr,
    /// How long ago that was (s).
    pub seconds_ago: u64,
}

impl Presence {
    /// Notes that the user with this id has just asked for something.
    pub fn saw(&self, id: i64, username: &str, address: IpAddr) {
        let at = Instant::now();
        let mut all = threads::locked(&self.0);
        if let Some(seen) = all.get_mut(&id) {
            (seen.address, seen.at) = (address, at);
            if seen.username != username {
                username.clone_into(&mut seen.username);
            }
            return;
        }
        if all.len() >= limits::PEOPLE_ON_MAX {
            all.retain(|_, seen| seen.at.elapsed() < limits::PERSON_ON_TIME);
        }
        if all.len() < limits::PEOPLE_ON_MAX {
            all.insert(id, Seen { username: username.to_owned(), address, at });
        }
    }

    /// Who is on, the latest first.
    pub fn on(&self) -> Vec<Person> {
        let all = threads::locked(&self.0);
        let mut people: Vec<Person> = all
            .values()
            .filter(|seen| seen.at.elapsed() < limits::PERSON_ON_TIME)
            .map(|seen| Person {
                username: seen.username.clone(),
                ip: seen.address,
                seconds_ago: seen.at.elapsed().as_secs(),
            })
            .collect();
        drop(all);
        people.sort_by(|one, two| {
            (one.seconds_ago, &one.username).cmp(&(two.seconds_ago, &two.username))
        });
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_and_name_of_each_counts_and_the_memory_is_bounded() {
        let presence = Presence::default();
        presence.saw(1, "ana", [10, 0, 0, 1].into());
        presence.saw(1, "anna", [10, 0, 0, 2].into());
        let ana = Person { username: "anna".into(), ip: [10, 0, 0, 2].into(), seconds_ago: 0 };
        assert_eq!(presence.on(), [ana]);
        for id in 0..1000 {
            presence.saw(id, "x", [10, 0, 0, 3].into());
        }
        assert_eq!(presence.on().len(), limits::PEOPLE_ON_MAX);
    }
}
