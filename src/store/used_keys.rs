//! Where and on which day keys were used, and what of it is not yet in the table: a camera uses its key all day, and
//! SD cards wear out.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::keys::KeyRow;
use crate::{clock, limits, zone};

/// Every key that was used since larder started.
#[derive(Default)]
pub(super) struct UsedKeys(HashMap<i64, Use>);

/// The last time that one was used.
struct Use {
    /// From where.
    address: IpAddr,
    /// When (seconds since 1970).
    at: i64,
    /// The day in the table.
    written_day: String,
    /// The address in the table.
    written_ip: String,
}

impl UsedKeys {
    /// A key was used just now. Costs no more than a look: which day that is, is found when it is written or shown.
    pub fn used(&mut self, key: &KeyRow, address: IpAddr) {
        let at = clock::now();
        if let Some(last) = self.0.get_mut(&key.id) {
            (last.address, last.at) = (address, at);
            return;
        }
        if self.0.len() >= limits::KEYS_SEEN_MAX {
            self.0.retain(|_, last| last.written_day != day_of(last.at));
        }
        let (written_day, written_ip) = (key.last_day.clone(), key.ip.clone());
        self.0.insert(key.id, Use { address, at, written_day, written_ip });
    }

    /// The day on which a key was last used, and from where.
    pub fn last_of(&self, id: i64) -> Option<(String, String)> {
        self.0.get(&id).map(|last| (day_of(last.at), last.address.to_string()))
    }

    /// What is to be written, and from now on counts as written: a key that was not used before on its day; with
    /// `at_once` also one that has been used from elsewhere since.
    pub fn due(&mut self, at_once: bool) -> Vec<(i64, String, String)> {
        let mut due = Vec::new();
        for (id, last) in &mut self.0 {
            let (day, ip) = (day_of(last.at), last.address.to_string());
            if last.written_day == day && (!at_once || last.written_ip == ip) {
                continue;
            }
            (last.written_day, last.written_ip) = (day.clone(), ip.clone());
            due.push((*id, day, ip));
        }
        due
    }

    /// Forgets a key that is gone.
    pub fn forget(&mut self, id: i64) {
        self.0.remove(&id);
    }
}

/// The local day of a moment in seconds since 1970.
fn day_of(at: i64) -> String {
    let moment = Timestamp::from_second(at).unwrap_or_default();
    moment.to_zoned_datetime(zone::local()).strftime("%Y-%m-%d").to_string()
}
