//! Tests of sessions in their table.

use super::*;
use crate::store::{NewUser, UserChange};
use std::net::Ipv4Addr;

const HERE: Whence<'_> =
    Whence { address: IpAddr::V4(Ipv4Addr::LOCALHOST), agent: "a\u{1b} browser" };

/// A store with the users ana and bea.
fn house() -> (tempfile::TempDir, UserStore) {
    let folder = tempfile::tempdir().unwrap();
    let users = UserStore::open(&folder.path().join("users.db")).unwrap();
    for username in ["ana", "bea"] {
        let user = NewUser {
            username,
            password_hash: "one",
            name: "A Name",
            role: "family",
            paths: "[]",
            paths_write: "[]",
            key_hash: username,
            key_hint: "",
        };
        users.insert(&user).unwrap();
    }
    (folder, users)
}

fn user(users: &UserStore, name: &str) -> Arc<User> {
    users.by_username(name).unwrap().unwrap()
}

fn begin_one(users: &UserStore, id: &str, is_remembered: bool) -> Arc<SessionRow> {
    users.begin_session(&user(users, "ana"), id, is_remembered, HERE).unwrap()
}

fn ids(users: &UserStore) -> Vec<String> {
    let rows = users.sessions_of(user(users, "ana").id).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// Changes what the table says, as time does; memory has heard of nothing.
fn say(users: &UserStore, what: &str) {
    locked(&users.writer).execute(&format!("UPDATE sessions SET {what}"), []).unwrap();
    *locked(&users.uses) = Uses::default();
}

fn is_over(users: &UserStore, id: &str) -> bool {
    let session = users.by_session(user(users, "ana").id, id).unwrap().unwrap().session;
    users.is_session_over(&session.unwrap())
}

#[test]
fn a_session_is_its_users_and_is_told_as_it_is() {
    let (_folder, users) = house();
    begin_one(&users, "a", true);
    let found = users.sessions_of(user(&users, "ana").id).unwrap();
    let told = &found[0];
    assert_eq!((told.ip.as_str(), told.agent.as_str()), ("127.0.0.1", "a browser"));
    assert!(told.is_remembered && told.created > 0 && told.last_used >= told.created);
    let bea = user(&users, "bea").id;
    assert!(users.sessions_of(bea).unwrap().is_empty());
    assert!(users.by_session(bea, "a").unwrap().unwrap().session.is_none());
    assert!(!users.end_session(bea, "a").unwrap());
    assert!(users.end_session(user(&users, "ana").id, "a").unwrap());
    assert!(!users.end_session(user(&users, "ana").id, "a").unwrap());
    assert!(ids(&users).is_empty());
}

#[test]
fn the_next_token_takes_the_place_of_the_one_before_in_a_minute() {
    let (_folder, users) = house();
    let ana = user(&users, "ana");
    let renew = |generation| {
        let found = users.renew_session(&ana, "a", generation, HERE).unwrap();
        found.map(|row| row.generation)
    };
    assert_eq!(renew(Some(1)), None, "there is none");
    begin_one(&users, "a", false);
    assert_eq!(renew(Some(1)), Some(2));
    assert_eq!(renew(Some(1)), Some(2), "whoever did not hear of it hears it again");
    assert_eq!(renew(Some(2)), Some(3));
    assert_eq!(renew(Some(1)), None);
    say(&users, "renewed = renewed - 59");
    assert_eq!(renew(Some(2)), Some(3));
    say(&users, "renewed = renewed - 1");
    assert_eq!(renew(Some(2)), None);
    say(&users, "boot = 'another', renewed = renewed + 60");
    assert_eq!(renew(Some(2)), None, "the machine was started anew");
    assert_eq!(renew(None), Some(4));
    assert!(users.renew_session(&user(&users, "bea"), "a", None, HERE).unwrap().is_none());
    users.log_out_everywhere(ana.id).unwrap();
    assert_eq!(renew(None), None);
}

#[test]
fn it_lasts_after_its_last_use_by_the_clock_or_without() {
    let (_folder, users) = house();
    begin_one(&users, "a", false);
    begin_one(&users, "b", true);
    let over = |ago: i64| {
        say(&users, &format!("last_used = {}", clock::now() - ago));
        ["a", "b"].map(|id| is_over(&users, id))
    };
    let day = 24 * 3600;
    assert_eq!(over(day - 60), [false, false]);
    assert_eq!(over(day), [true, false]);
    assert_eq!(over(90 * day - 60), [true, false]);
    assert_eq!(over(90 * day), [true, true]);
    assert_eq!(over(-day), [false, false], "the clock is behind");
    assert_eq!(over(clock::now()), [false, false], "nobody knew the time");
    // What was used in this run is counted without the clock.
    say(&users, "last_used = 1");
    users.saw_session("a", HERE);
    assert_eq!(["a", "b"].map(|id| is_over(&users, id)), [false, true]);
    assert_eq!(ids(&users), ["a"]);
}

#[test]
fn what_is_over_goes_and_what_nobody_dated_is_dated() {
    let (_folder, users) = house();
    begin_one(&users, "a", false);
    begin_one(&users, "b", true);
    say(&users, "last_used = 1");
    begin_one(&users, "c", false);
    say(&users, "last_used = CASE id WHEN 'c' THEN 0 ELSE 1 END");
    users.tend_sessions(false).unwrap();
    assert_eq!(ids(&users), ["c"]);
    let dated = |users: &UserStore| -> i64 {
        let writer = locked(&users.writer);
        writer.query_row("SELECT last_used FROM sessions", [], |row| row.get(0)).unwrap()
    };
    assert!(clock::is_set(dated(&users)));
    // A use is in the table when larder stops.
    say(&users, "last_used = 5");
    users.saw_session("c", HERE);
    users.tend_sessions(true).unwrap();
    assert!(clock::is_set(dated(&users)));
}

#[test]
fn of_too_many_the_longest_unused_ends_and_other_users_keep_theirs() {
    let (_folder, users) = house();
    users.begin_session(&user(&users, "bea"), "bea's", false, HERE).unwrap();
    let name = |number: usize| format!("{number:02}");
    for number in 0..limits::SESSIONS_PER_USER_MAX {
        begin_one(&users, &name(number), false);
    }
    say(&users, "last_used = last_used - 100");
    users.saw_session("00", HERE);
    begin_one(&users, "new", false);
    let left = ids(&users);
    assert_eq!(left.len(), limits::SESSIONS_PER_USER_MAX);
    assert!(left.contains(&name(0)) && !left.contains(&name(1)) && left.contains(&name(2)));
    assert_eq!(users.sessions_of(user(&users, "bea").id).unwrap().len(), 1);
}

#[test]
fn a_new_password_ends_all_but_the_one_in_which_it_is_chosen() {
    let (_folder, users) = house();
    let before = user(&users, "ana");
    for id in ["a", "b", "c"] {
        begin_one(&users, id, false);
    }
    let change = |keep_session| {
        let change =
            UserChange { password_hash: Some("two"), keep_session, ..UserChange::default() };
        users.change(before.id, &change, "admin").unwrap();
    };
    change(Some("b"));
    assert_eq!(ids(&users), ["b"]);
    assert!(users.renew_session(&before, "b", None, HERE).unwrap().is_none());
    assert!(users.begin_session(&before, "d", false, HERE).is_err());
    assert!(users.renew_session(&user(&users, "ana"), "b", None, HERE).unwrap().is_some());
    change(None);
    assert!(ids(&users).is_empty());
    begin_one(&users, "e", false);
    users.delete("ana", "admin", |_| Ok(false)).unwrap();
    let writer = locked(&users.writer);
    let left: i64 =
        writer.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_token_without_a_session_gets_one_and_never_comes_to_life_again() {
    let (_folder, users) = house();
    let ana = user(&users, "ana");
    let token = Sessionless { user: &ana, token_id: "old", expires: i64::MAX };
    let found = || users.by_session(ana.id, "old").unwrap().unwrap();
    assert!(found().session.is_none() && !found().is_revoked);
    assert_eq!(users.adopt_session(&token, HERE).unwrap().generation, 1);
    assert_eq!(users.adopt_session(&token, HERE).unwrap().generation, 1, "once");
    assert!(found().session.is_some());
    users.end_session(ana.id, "old").unwrap();
    assert!(found().session.is_none() && found().is_revoked);
}

#[test]
fn revoked_tokens_survive_a_restart_and_are_bounded() {
    let (folder, users) = house();
    let ana = user(&users, "ana");
    users.revoke_token(ana.id, "t", i64::MAX).unwrap();
    drop(users);
    let users = UserStore::open(&folder.path().join("users.db")).unwrap();
    let is_revoked = |id: &str| users.by_session(ana.id, id).unwrap().unwrap().is_revoked;
    assert!(is_revoked("t"));
    begin_one(&users, "a", false);
    for number in 0..=limits::REVOKED_TOKENS_PER_USER_MAX {
        users.revoke_token(ana.id, &number.to_string(), 1000).unwrap();
    }
    assert!(user(&users, "ana").epoch == ana.epoch && is_revoked("t"), "those are over");
    for number in 0..=limits::REVOKED_TOKENS_PER_USER_MAX {
        users.revoke_token(ana.id, &number.to_string(), i64::MAX).unwrap();
    }
    assert!(user(&users, "ana").epoch > ana.epoch && ids(&users).is_empty());
    users.revoke_token(ana.id, "late", i64::MAX).unwrap();
    assert!(is_revoked("late") && !is_revoked("t"));
    assert!(users.by_session(99, "late").unwrap().is_none());
}
