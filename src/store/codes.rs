//! One-time codes that sign a user in, for whoever serves and for `larder signin-code` beside them. Knows hashes
//! only, never a code.
//!
//! Their time is counted from the machine's start: a clock that is set meanwhile, as on boards that have none, neither
//! ends them early nor gives them longer.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, params};

use super::moment::Moment;
use super::user::{User, UserChange};
use super::users::{UserStore, begin};
use crate::error::{Error, Result};
use crate::limits;
use crate::threads::locked;

impl UserStore {
    /// Keeps a code of a user, who is as they are told here; on the disk when this returns. The oldest of more than
    /// `CODES_PER_USER_MAX` goes.
    ///
    /// Errors: `Conflict` when they were changed meanwhile: what was judged of them need not hold any more.
    pub fn keep_code(&self, user: &User, hash: &str) -> Result<()> {
        self.keep_code_at(user, hash, &Moment::now())
    }

    /// Whose code has this hash. Whoever hears it was the only one: the code is gone, and that is on the disk.
    pub fn take_code(&self, hash: &str) -> Result<Option<Arc<User>>> {
        self.take_code_at(hash, &Moment::now())
    }

    /// The same at a given time.
    fn keep_code_at(&self, user: &User, hash: &str, now: &Moment) -> Result<()> {
        let life = i64::try_from(limits::CODE_LIFE.as_secs()).unwrap_or(i64::MAX);
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        transaction.execute(
            "DELETE FROM signin_codes WHERE expires <= ?1 OR boot <> ?2",
            params![now.seconds, now.boot],
        )?;
        transaction.execute(
            "DELETE FROM signin_codes WHERE user_id = ?1 AND hash NOT IN (
                 SELECT hash FROM signin_codes WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
            params![user.id, limits::CODES_PER_USER_MAX - 1],
        )?;
        let kept = transaction.execute(
            "INSERT INTO signin_codes(hash, user_id, epoch, boot, expires)
             SELECT ?1, id, epoch, ?2, ?3 FROM users
             WHERE id = ?4 AND epoch = ?5 AND role = ?6 AND paths = ?7 AND paths_write = ?8
             AND totp IS NULL",
            params![
                hash,
                now.boot,
                now.seconds.saturating_add(life),
                user.id,
                user.epoch,
                user.role,
                user.paths,
                user.paths_write
            ],
        )?;
        if kept == 0 {
            return Err(Error::Conflict("The user was changed meanwhile"));
        }
        Ok(transaction.commit()?)
    }

    /// The same at a given time.
    fn take_code_at(&self, hash: &str, now: &Moment) -> Result<Option<Arc<User>>> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        // That the index is walked tells at most of the hash, from which nobody comes to the code.
        let found: Option<(i64, i64, String, i64)> = transaction
            .prepare_cached(
                "DELETE FROM signin_codes WHERE hash = ?1 RETURNING user_id, epoch, boot, expires",
            )?
            .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        transaction.commit()?;
        drop(writer);
        let Some((id, epoch, boot, expires)) = found else { return Ok(None) };
        if boot != now.boot || expires <= now.seconds {
            return Ok(None);
        }
        Ok(self.by_id(id)?.filter(|user| user.epoch == epoch))
    }
}

/// Ends the codes of a user who is about to get another password, or other rights: whoever has one was given it by
/// somebody who could give what the user had then.
pub(super) fn end_those_of(
    transaction: &Transaction<'_>,
    id: i64,
    change: &UserChange<'_>,
) -> Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM signin_codes WHERE user_id = ?1 AND (?2 OR EXISTS (
                 SELECT 1 FROM users WHERE id = ?1
                 AND (role <> ?3 OR paths <> ?4 OR paths_write <> ?5)))",
        )?
        .execute(params![
            id,
            change.password_hash.is_some(),
            change.role,
            change.paths,
            change.paths_write
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewUser;

    /// A store with the user ana.
    fn house() -> (tempfile::TempDir, UserStore) {
        let folder = tempfile::tempdir().unwrap();
        let users = UserStore::open(&folder.path().join("users.db")).unwrap();
        add(&users, "ana");
        (folder, users)
    }

    fn add(users: &UserStore, username: &str) {
        let user = NewUser {
            username,
            password_hash: "",
            name: "A Name",
            role: "family",
            paths: "[\"a\"]",
            paths_write: "[]",
            key_hash: username,
            key_hint: "",
        };
        users.insert(&user).unwrap();
    }

    fn ana(users: &UserStore) -> Arc<User> {
        users.by_username("ana").unwrap().unwrap()
    }

    fn at(boot: &str, seconds: i64) -> Moment {
        Moment { boot: boot.to_owned(), seconds }
    }

    fn count(users: &UserStore) -> i64 {
        let writer = locked(&users.writer);
        writer.query_row("SELECT count(*) FROM signin_codes", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_code_is_good_once_and_a_quarter_of_an_hour_of_one_start() {
        let (_folder, users) = house();
        let keep = |hash: &str| users.keep_code_at(&ana(&users), hash, &at("x", 100)).unwrap();
        let take = |hash: &str, boot: &str, seconds| {
            users.take_code_at(hash, &at(boot, seconds)).unwrap().map(|user| user.username.clone())
        };
        ["one", "two", "six"].into_iter().for_each(keep);
        assert_eq!(take("one", "x", 100 + 899), Some("ana".to_owned()));
        assert_eq!(take("one", "x", 100), None);
        assert_eq!(take("two", "x", 100 + 900), None);
        assert_eq!(take("two", "x", 100), None, "what came too late is gone");
        assert_eq!(take("six", "y", 101), None);
        assert_eq!(take("none", "x", 101), None);
        assert_eq!(count(&users), 0);
    }

    #[test]
    fn the_oldest_of_many_goes_and_so_does_what_is_over() {
        let (_folder, users) = house();
        let keep = |hash: &str, boot, seconds| {
            users.keep_code_at(&ana(&users), hash, &at(boot, seconds)).unwrap();
        };
        // Also of those that were made in one second.
        for (second, hash) in (0..).zip(["9", "1", "2", "3", "4", "5"]) {
            keep(hash, "x", second / 2);
        }
        assert!(users.take_code_at("9", &at("x", 10)).unwrap().is_none());
        assert_eq!(count(&users), limits::CODES_PER_USER_MAX);
        assert!(users.take_code_at("1", &at("x", 10)).unwrap().is_none());
        assert!(users.take_code_at("2", &at("x", 10)).unwrap().is_some());
        keep("6", "x", 900);
        assert_eq!(count(&users), 4, "3 and 4 and 5 are not over, 6 came");
        keep("7", "y", 0);
        assert_eq!(count(&users), 1, "of an earlier start nothing is left");
    }

    #[test]
    fn it_ends_with_the_password_the_rights_and_the_user() {
        let (_folder, users) = house();
        let id = ana(&users).id;
        let keep = || users.keep_code(&ana(&users), "one").unwrap();
        let is_good = || users.take_code("one").unwrap().is_some();
        let none = UserChange::default;
        let change = |change: UserChange<'_>| users.change(id, &change, "admin").unwrap();
        for ends in [
            UserChange { password_hash: Some("x"), ..none() },
            UserChange { role: Some("guest"), ..none() },
            UserChange { paths: Some("[]"), ..none() },
            UserChange { paths_write: Some("[\"a\"]"), ..none() },
        ] {
            keep();
            change(ends);
            assert!(!is_good(), "{ends:?}");
        }
        keep();
        change(UserChange {
            name: Some("Ana B."),
            role: Some("guest"),
            paths: Some("[]"),
            ..none()
        });
        assert!(is_good(), "another name, and the rights as they were");
        keep();
        users.log_out_everywhere(id).unwrap();
        assert!(!is_good());
        keep();
        users.delete("ana", "admin", |_| Ok(false)).unwrap();
        assert!(!is_good() && count(&users) == 0);
    }

    #[test]
    fn none_is_kept_for_who_is_no_longer_who_was_judged() {
        let (_folder, users) = house();
        let before = ana(&users);
        let change = UserChange { role: Some("admin"), ..UserChange::default() };
        users.change(before.id, &change, "admin").unwrap();
        assert!(matches!(users.keep_code(&before, "one"), Err(Error::Conflict(_))));
        users.keep_code(&ana(&users), "one").unwrap();
        add(&users, "bea");
        assert_eq!(users.take_code("one").unwrap().unwrap().id, before.id);
    }
}
