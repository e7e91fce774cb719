//! Where callers are found by what they bring, and found again while something lasts that they have begun.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::auth::caller::{Caller, Credential, Who};
use crate::auth::key;
use crate::auth::token::{Session, Tokens};
use crate::error::{Error, Result, SignInProblem};
use crate::store::{FtpUserStore, User, UserStore};

/// All kinds of accounts there are.
pub struct Accounts<'a> {
    /// The users of the house.
    pub users: &'a UserStore,
    /// FTP's own.
    pub ftp_users: &'a FtpUserStore,
    /// Reads sessions' tokens.
    pub tokens: &'a Tokens,
}

/// What is said to somebody whom nobody knows, or knows no more.
const GONE: Error = Error::SignIn(SignInProblem::Unauthorized);

impl Accounts<'_> {
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
