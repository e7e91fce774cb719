//! Tickets: selections of files and folders that wait to be downloaded by a short address. Only in memory,
//! and bounded. Knows no requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::auth::caller::Holder;
use crate::auth::key;
use crate::error::{Error, Result};
use crate::vault::VaultPath;
use crate::{limits, threads};

/// All tickets by their ids.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<String, Ticket>>);

/// One of them.
struct Ticket {
    /// The number of the user who made it.
    user: i64,
    /// What it is bound to.
    holder: Holder,
    /// What is to be downloaded.
    paths: Arc<[VaultPath]>,
    /// Estimated memory in bytes.
    bytes: usize,
    /// When it was made.
    made: Instant,
    /// When it was asked for last, or made.
    used: Instant,
}

impl Tickets {
    /// Makes a ticket; gives its id. Where there are too many, those that were unused longest go: first
    /// those of the same user.
    ///
    /// Errors: `Io` (no randomness).
    pub fn make(&self, user: i64, holder: Holder, paths: Vec<VaultPath>) -> Result<String> {
        let id = key::hex(&key::random_bytes::<16>()?);
        let now = Instant::now();
        let bytes = size_of::<Ticket>()
            + paths.iter().map(|path| path.as_str().len() + size_of::<VaultPath>()).sum::<usize>();
        let ticket = Ticket { user, holder, paths: paths.into(), bytes, made: now, used: now };
        let mut all = threads::locked(&self.0);
        all.retain(|_, ticket| ticket.is_good());
        let of_user = |ticket: &Ticket| ticket.user == user;
        let (count, bytes_max) = (limits::TICKETS_PER_USER_MAX, limits::TICKET_BYTES_PER_USER_MAX);
        make_room(&mut all, of_user, count - 1, bytes_max.saturating_sub(bytes));
        let (count, bytes_max) = (limits::TICKETS_MAX, limits::TICKET_BYTES_MAX);
        make_room(&mut all, |_| true, count - 1, bytes_max.saturating_sub(bytes));
        all.insert(id.clone(), ticket);
        Ok(id)
    }

    /// What a ticket names, if it is this holder's and still good.
    ///
    /// Errors: `NotFound`.
    pub fn paths_of(&self, id: &str, holder: &Holder) -> Result<Arc<[VaultPath]>> {
        let mut all = threads::locked(&self.0);
        let found = all.get_mut(id).filter(|ticket| ticket.holder == *holder && ticket.is_good());
        let ticket = found.ok_or(Error::NotFound("Not found"))?;
        ticket.used = Instant::now();
        Ok(Arc::clone(&ticket.paths))
    }
}

impl Ticket {
    /// Whether its time is not over.
    fn is_good(&self) -> bool {
        self.made.elapsed() < limits::TICKET_LIFE
    }
}

/// Drops the tickets that were unused longest among those chosen, until these are at most `count` and
/// `bytes`.
fn make_room(
    all: &mut HashMap<String, Ticket>,
    is_chosen: impl Fn(&Ticket) -> bool,
    count: usize,
    bytes: usize,
) {
    loop {
        let chosen = || all.iter().filter(|(_, ticket)| is_chosen(ticket));
        let taken: usize = chosen().map(|(_, ticket)| ticket.bytes).sum();
        if chosen().count() <= count && taken <= bytes {
            return;
        }
        let unused = chosen().min_by_key(|(_, ticket)| ticket.used).map(|(id, _)| id.clone());
        let Some(id) = unused else { return };
        all.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The holder of a made-up session.
    fn session(name: &str) -> Holder {
        Holder::Session(name.to_owned())
    }

    /// So many paths of so many bytes each.
    fn paths(count: usize, bytes: usize) -> Vec<VaultPath> {
        vec![VaultPath::parse(&"p/".repeat(bytes / 2)).unwrap(); count]
    }

    #[test]
    fn a_ticket_is_its_holders_until_its_time_is_over() {
        let tickets = Tickets::default();
        let id = tickets.make(1, session("a"), paths(3, 10)).unwrap();
        assert_eq!(tickets.paths_of(&id, &session("a")).unwrap().len(), 3);
        assert_eq!(tickets.paths_of(&id, &session("a")).unwrap().len(), 3, "as often as asked");
        for other in [session("b"), Holder::Key("a".to_owned())] {
            assert!(matches!(tickets.paths_of(&id, &other), Err(Error::NotFound("Not found"))));
        }
        assert!(tickets.paths_of("", &session("a")).is_err());
        let past = Instant::now().checked_sub(limits::TICKET_LIFE).unwrap();
        tickets.0.lock().unwrap().get_mut(&id).unwrap().made = past;
        assert!(tickets.paths_of(&id, &session("a")).is_err());
        tickets.make(1, session("a"), paths(1, 10)).unwrap();
        assert_eq!(tickets.0.lock().unwrap().len(), 1, "what is over takes no room");
    }

    #[test]
    fn a_user_has_room_for_some_and_the_longest_unused_goes() {
        let tickets = Tickets::default();
        let other = tickets.make(2, session("b"), paths(1, 10)).unwrap();
        let mut ids = Vec::new();
        for _ in 0..limits::TICKETS_PER_USER_MAX {
            ids.push(tickets.make(1, session("a"), paths(1, 10)).unwrap());
        }
        tickets.paths_of(&ids[0], &session("a")).unwrap();
        tickets.make(1, session("a"), paths(1, 10)).unwrap();
        assert!(tickets.paths_of(&ids[0], &session("a")).is_ok(), "it was used");
        assert!(tickets.paths_of(&ids[1], &session("a")).is_err());
        assert!(tickets.paths_of(&other, &session("b")).is_ok(), "of somebody else");
        assert_eq!(tickets.0.lock().unwrap().len(), limits::TICKETS_PER_USER_MAX + 1);
    }

    #[test]
    fn neither_one_nor_all_together_take_more_than_their_bytes() {
        let tickets = Tickets::default();
        let large = || paths(limits::JSON_LIST_BYTES_MAX / 2000, 2000);
        for user in 0..40 {
            for _ in 0..3 {
                tickets.make(user, session("a"), large()).unwrap();
            }
        }
        let all = tickets.0.lock().unwrap();
        let bytes = |user: Option<i64>| -> usize {
            let chosen = all.values().filter(|ticket| user.is_none_or(|user| ticket.user == user));
            chosen.map(|ticket| ticket.bytes).sum()
        };
        assert!(bytes(None) <= limits::TICKET_BYTES_MAX && all.len() >= 3);
        assert!(bytes(Some(39)) <= limits::TICKET_BYTES_PER_USER_MAX && bytes(Some(39)) > 0);
    }
}
