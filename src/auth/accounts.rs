//! Where callers are found by what they bring, and found again while something lasts that they have begun.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::auth::caller::{Caller, Credential, Who};
use crate::auth::key;
use crate::auth::token::{Session, Tokens};
use crate::error::{Error, Result, SignInProblem};
use crate::store::{FtpUserStore, User, UserStore};

/// All kinds of accounts there are.
pub struct Accounts {
    /// The users of the house.
    pub(super) users: Arc<UserStore>,
    /// FTP's own.
    pub(super) ftp_users: Arc<FtpUserStore>,
    /// Signs and reads sessions' tokens.
    tokens: Tokens,
}

/// What is said to somebody whom nobody knows, or knows no more.
const GONE: Error = Error::SignIn(SignInProblem::Unauthorized);

impl Accounts {
    /// These, with tokens signed with this secret.
    pub fn new(users: Arc<UserStore>, ftp_users: Arc<FtpUserStore>, secret: &[u8]) -> Self {
        Self { users, ftp_users, tokens: Tokens::new(secret) }
    }

    /// A token for a new session of this user.
    pub fn begin_session(&self, user: &User) -> Result<String> {
        self.tokens.issue(user.id, &user.username, user.epoch)
    }

    /// The caller that a token stands for.
    ///
    /// Errors: `SignIn`.
    pub fn by_token(&self, token: &str) -> Result<Caller> {
        self.by_session(self.tokens.read(token)?)
    }

    /// The caller whose API key this is.
    ///
    /// Errors: `SignIn`.
    pub fn by_key(&self, given: &str) -> Result<Caller> {
        self.by_key_hash(key::hash(given))
    }

    /// The caller as they are let in at this moment with what they came with.
    ///
    /// Errors: `SignIn` when that is no longer good.
    pub fn again(&self, caller: &Caller) -> Result<Caller> {
        match caller.credential() {
            Credential::Session(session) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                if session.expires <= i64::try_from(now.as_secs()).unwrap_or(i64::MAX) {
                    return Err(Error::SignIn(SignInProblem::Expired));
                }
                self.by_session(session.clone())
            }
            Credential::Key(hash) => self.by_key_hash(hash.clone()),
            // A link is no account: whoever found it finds it again.
            Credential::Link => Err(GONE),
            Credential::Password => {
                let now = self.at_present(caller)?.ok_or(GONE)?;
                if now.has_password_of(caller) { Ok(now) } else { Err(GONE) }
            }
        }
    }

    /// The caller as they are at this moment, whatever became of what they came with; `None` when they are gone.
    pub fn at_present(&self, caller: &Caller) -> Result<Option<Caller>> {
        let who = match caller.who() {
            Who::User(user) => match self.users.by_id(user.id)? {
                // Asked for at each step of long work: nobody has changed, and nothing is read anew.
                Some(now) if Arc::ptr_eq(&now, user) => return Ok(Some(caller.clone())),
                now => now.map(Who::User),
            },
            Who::FtpUser(user) => {
                let now = self.ftp_users.by_username(&user.username)?;
                now.filter(|now| now.id == user.id).map(|now| Who::FtpUser(Arc::new(now)))
            }
            Who::Guest(_) => None,
        };
        Ok(who.map(|who| Caller::new(who, caller.credential().clone())))
    }

    /// The caller of a session that nobody has ended.
    fn by_session(&self, session: Session) -> Result<Caller> {
        let found = self.users.by_session(session.user_id, &session.token_id)?;
        let (user, is_logged_out) = found.ok_or(GONE)?;
        if user.epoch != session.epoch || is_logged_out {
            return Err(Error::SignIn(SignInProblem::InvalidToken));
        }
        Ok(Caller::new(Who::User(user), Credential::Session(session)))
    }

    /// The caller whose API key has this hash.
    fn by_key_hash(&self, hash: String) -> Result<Caller> {
        let user: Arc<User> = self.users.by_key_hash(&hash)?.ok_or(GONE)?;
        Ok(Caller::new(Who::User(user), Credential::Key(hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FtpUser, NewUser, UserChange};

    /// Accounts with the user ana and the FTP user cam.
    fn house() -> (tempfile::TempDir, Accounts) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        let users = Arc::new(UserStore::open(&path).unwrap());
        let ftp_users = Arc::new(FtpUserStore::open(&path).unwrap());
        let ana = NewUser {
            username: "ana",
            password_hash: "one",
            name: "Ana",
            role: "user",
            paths: "[\"a\"]",
            paths_write: "[]",
            key_hash: &key::hash("a key"),
            key_hint: "",
        };
        users.insert(&ana).unwrap();
        ftp_users.insert(&cam()).unwrap();
        (folder, Accounts::new(users, ftp_users, &[7; 32]))
    }

    fn cam() -> FtpUser {
        FtpUser {
            id: 1,
            username: "cam".to_owned(),
            password_hash: "one".to_owned(),
            home: "a".to_owned(),
            permissions: "elw".to_owned(),
        }
    }

    /// Ana by each thing that she can bring.
    fn ana(accounts: &Accounts) -> [Caller; 3] {
        let user = accounts.users.by_username("ana").unwrap().unwrap();
        let token = accounts.begin_session(&user).unwrap();
        let by_token = accounts.by_token(&token).unwrap();
        let by_password = Caller::new(Who::User(user), Credential::Password);
        [by_token, accounts.by_key("a key").unwrap(), by_password]
    }

    #[test]
    fn each_credential_lets_in_again_until_what_it_hangs_on_is_gone() {
        let (_folder, accounts) = house();
        let callers = ana(&accounts);
        let let_in = || callers.each_ref().map(|caller| accounts.again(caller).is_ok());
        let change = |change: UserChange<'_>| accounts.users.change(1, &change, "admin").unwrap();
        assert_eq!(let_in(), [true, true, true]);
        change(UserChange { role: Some("other"), ..UserChange::default() });
        assert_eq!(let_in(), [true, true, true]);
        assert!(callers.iter().all(|caller| !accounts.again(caller).unwrap().is_same_as(caller)));
        let new = key::hash("another");
        change(UserChange { key_hash: Some(&new), key_hint: Some(""), ..UserChange::default() });
        assert_eq!(let_in(), [true, false, true]);
        accounts.users.log_out_everywhere(1).unwrap();
        assert_eq!(let_in(), [false, false, false]);
        assert!(accounts.at_present(&callers[0]).unwrap().is_some(), "she is still there");
        assert!(accounts.by_key("a key").is_err());
    }

    #[test]
    fn a_new_password_ends_what_the_old_one_began() {
        let (_folder, accounts) = house();
        let [_, _, caller] = ana(&accounts);
        let change = UserChange { password_hash: Some("two"), ..UserChange::default() };
        accounts.users.change(1, &change, "admin").unwrap();
        assert!(matches!(accounts.again(&caller), Err(Error::SignIn(_))));
    }

    #[test]
    fn ftp_users_are_callers_without_a_role_who_change_with_their_row() {
        let (_folder, accounts) = house();
        let caller = Caller::new(Who::FtpUser(Arc::new(cam())), Credential::Password);
        assert_eq!(caller.label(), "cam");
        assert!(caller.user().is_none() && caller.holder().is_err());
        assert!(!caller.may_see_all_jobs() && *caller.grant_in_trash() == **caller.grant());
        assert!(accounts.again(&caller).unwrap().is_same_as(&caller));
        accounts.ftp_users.edit(&cam(), None, None, Some("el")).unwrap();
        let now = accounts.again(&caller).unwrap();
        assert!(!now.covers(&caller) && caller.covers(&now) && !now.is_same_as(&caller));
        let row = accounts.ftp_users.by_username("cam").unwrap().unwrap();
        accounts.ftp_users.edit(&row, Some("two"), None, None).unwrap();
        assert!(accounts.again(&caller).is_err());
        accounts.ftp_users.delete(&row).unwrap();
        assert!(accounts.at_present(&caller).unwrap().is_none());
    }
}
