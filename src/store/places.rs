//! From where, and by what program, users have signed in of late: so that somebody hears when it is from elsewhere
//! (second contract, section 24).

use std::net::IpAddr;

use rusqlite::{OptionalExtension, Transaction, params};

use super::seen::tidy;
use super::user::User;
use super::users::{UserStore, begin};
use crate::error::Result;
use crate::threads::locked;
use crate::{clock, limits};

/// Seconds of a day.
const DAY_S: i64 = 24 * 3600;

/// Where somebody comes from.
pub struct Place<'a> {
    /// What stands for the addresses that count as one with theirs.
    pub network: IpAddr,
    /// Whether another address counts as one with it.
    pub is_same: &'a dyn Fn(IpAddr) -> bool,
    /// The program, in its own words, where it has said which.
    pub agent: Option<&'a str>,
}

impl UserStore {
    /// Whether a user who signs in comes from where nobody has seen them for `PLACE_KNOWN_DAYS`, or by a program that
    /// nobody has; from now on both are known. It is asked before their new session begins.
    pub fn came_from(&self, user: &User, place: &Place<'_>) -> Result<bool> {
        let sessions = self.sessions_of(user.id)?;
        let is_here = |ip: &str| ip.parse().is_ok_and(|ip| (place.is_same)(ip));
        let is_address_known =
            is_here(&user.ip) || sessions.iter().any(|session| is_here(&session.ip));
        let mut places = vec![(format!("ip {}", place.network), is_address_known)];
        if let Some(agent) = place.agent.map(kind_of) {
            let is_known = kind_of(&user.last_agent) == agent
                || sessions.iter().any(|session| kind_of(&session.agent) == agent);
            places.push((format!("agent {agent}"), is_known));
        }
        let today = clock::now() / DAY_S;
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let (mut is_new, mut is_written) = (false, false);
        for (place, is_known) in places {
            let last = last_day(&transaction, user.id, &place)?;
            // A clock that is behind says nothing.
            let is_recent = last.is_some_and(|day| today - day <= limits::PLACE_KNOWN_DAYS);
            is_new |= !is_known && !is_recent;
            if last != Some(today) {
                note(&transaction, user.id, &place, today)?;
                is_written = true;
            }
        }
        if is_written {
            transaction.commit()?;
        }
        Ok(is_new)
    }
}

/// When somebody was last seen there (days since 1970).
fn last_day(transaction: &Transaction<'_>, user_id: i64, place: &str) -> Result<Option<i64>> {
    let sql = "SELECT day FROM known_places WHERE user_id = ?1 AND place = ?2";
    Ok(transaction.query_row(sql, params![user_id, place], |row| row.get(0)).optional()?)
}

/// Remembers it; of more than `PLACES_PER_USER_MAX` the longest unseen goes.
fn note(transaction: &Transaction<'_>, user_id: i64, place: &str, today: i64) -> Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO known_places(user_id, place, day) VALUES (?1, ?2, ?3)",
        params![user_id, place, today],
    )?;
    transaction.execute(
        "DELETE FROM known_places WHERE user_id = ?1 AND place NOT IN (
             SELECT place FROM known_places WHERE user_id = ?1 ORDER BY day DESC, place LIMIT ?2)",
        params![user_id, limits::PLACES_PER_USER_MAX],
    )?;
    Ok(())
}

/// What a program calls itself, without its versions: a browser has another one each month, and is the same.
fn kind_of(agent: &str) -> String {
    let agent = tidy(agent);
    let mut parts = agent.split('/');
    let mut kind = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kind.push('/');
        kind.push_str(
            part.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.'),
        );
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_the_same_program_and_another_program_is_not() {
        let old = kind_of("Mozilla/5.0 (X11; Linux x86_64; rv:140) Gecko/20100101 Firefox/140.0");
        assert_eq!(
            old,
            kind_of("Mozilla/5.0 (X11; Linux x86_64; rv:140) Gecko/20100101 Firefox/141.2")
        );
        assert_ne!(old, kind_of("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"));
        assert_ne!(kind_of("phone-1"), kind_of("phone-2"));
        assert_ne!(kind_of(""), kind_of("curl/8.1"));
    }
}
