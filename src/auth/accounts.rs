//! Where callers are found by what they bring, and found again while something lasts that they have begun.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::caller::{Caller, Credential, Who};
use crate::auth::key;
use crate::auth::narrowed;
use crate::auth::token::{Place, Session, Tokens};
use crate::error::{Error, Result, SignInProblem};
use crate::limits;
use crate::store::{Found, FtpUserStore, KeyRow, SessionRow, Sessionless, User, UserStore, Whence};

/// All kinds of accounts there are.
pub struct Accounts {
    /// The users of the house.
    pub(super) users: Arc<UserStore>,
    /// FTP's own.
    pub(super) ftp_users: Arc<FtpUserStore>,
    /// Signs and reads sessions' tokens.
    tokens: Tokens,
}

/// What somebody who has signed in shows from now on.
pub struct IssuedToken {
    /// A JWT.
    pub token: String,
    /// How long it can be renewed if nobody uses it.
    pub lasts: Duration,
}

/// How old a token may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    /// As the contract bounds it.
    Bound,
    /// As long as its session lasts: it is to be renewed.
    Any,
    /// It was good when something began that lasts.
    Begun,
}

/// What is said to somebody whom nobody knows, or knows no more.
const GONE: Error = Error::SignIn(SignInProblem::Unauthorized);

/// What is said to whose token was ended, by themselves or others.
const ENDED: Error = Error::SignIn(SignInProblem::InvalidToken);

impl Accounts {
    /// These, with tokens signed with this secret.
    pub fn new(users: Arc<UserStore>, ftp_users: Arc<FtpUserStore>, secret: &[u8]) -> Self {
        Self { users, ftp_users, tokens: Tokens::new(secret) }
    }

    /// Begins a session of this user. Where nothing can be written they get a token without one: whoever is to make
    /// room on a full drive must be able to sign in.
    ///
    /// Errors: `SignIn` (they are gone, or got another password, meanwhile).
    pub fn begin_session(
        &self,
        user: &User,
        is_remembered: bool,
        whence: Whence<'_>,
    ) -> Result<IssuedToken> {
        let id = key::hex(&key::random_bytes::<16>()?);
        match self.users.begin_session(user, &id, is_remembered, whence) {
            Ok(session) => self.pass(user, &session),
            Err(Error::DiskFull | Error::Store(_)) => {
                let token = self.tokens.issue(user.id, &user.username, user.epoch, None)?;
                Ok(IssuedToken { token, lasts: limits::TOKEN_LIFE })
            }
            Err(error) => Err(error),
        }
    }

    /// A new token of the session that the caller came with; that one is good for another minute.
    ///
    /// Errors: `SignIn` (it has ended, or was renewed before), `Refused` (they came with something else).
    pub fn renew_session(&self, caller: &Caller, whence: Whence<'_>) -> Result<IssuedToken> {
        let (Who::User(user), Credential::Session(session)) = (caller.who(), caller.credential())
        else {
            return Err(Error::Refused);
        };
        let generation = Some(session.generation);
        let found = self.users.renew_session(user, &session.id, generation, whence)?;
        let renewed = match found {
            Some(renewed) => renewed,
            None if session.is_sessionless() => {
                let (token_id, expires) = (session.id.as_str(), session.expires);
                self.users.adopt_session(&Sessionless { user, token_id, expires }, whence)?
            }
            None => return Err(ENDED),
        };
        self.pass(user, &renewed)
    }

    /// A token for somebody who has chosen a new password, which ended every one that there was: of the session in
    /// which they did, or of a new one for who came without. `None` for who came by a key and has a second factor: a
    /// session begins with a code of it then.
    ///
    /// Errors: `SignIn` (they are gone meanwhile).
    pub fn go_on(
        &self,
        caller: &Caller,
        user: &User,
        whence: Whence<'_>,
    ) -> Result<Option<IssuedToken>> {
        let renewed = match caller.credential() {
            Credential::Session(session) => {
                self.users.renew_session(user, &session.id, None, whence)?
            }
            _ if user.has_factor() => return Ok(None),
            _ => None,
        };
        let pass = match renewed {
            Some(renewed) => self.pass(user, &renewed),
            None => self.begin_session(user, false, whence),
        };
        pass.map(Some)
    }

    /// What somebody shows from now on.
    fn pass(&self, user: &User, session: &SessionRow) -> Result<IssuedToken> {
        let place = Place { id: &session.id, generation: session.generation };
        let token = self.tokens.issue(user.id, &user.username, user.epoch, Some(place))?;
        Ok(IssuedToken { token, lasts: Duration::from_secs(session.life().unsigned_abs()) })
    }

    /// The caller that a token stands for.
    ///
    /// Errors: `SignIn`.
    pub fn by_token(&self, token: &str) -> Result<Caller> {
        self.by_session(self.tokens.read(token)?, Age::Bound)
    }

    /// The same, also when the token's 24 hours are over: as long as its session lasts.
    ///
    /// Errors: `SignIn`.
    pub fn by_lasting_token(&self, token: &str) -> Result<Caller> {
        self.by_session(self.tokens.read(token)?, Age::Any)
    }

    /// Whether the session that a caller came with has not been ended; true of whoever came with something else. As
    /// long as nobody can say, nothing has changed.
    pub fn has_session_of(&self, caller: &Caller) -> bool {
        let Credential::Session(session) = caller.credential() else { return true };
        let Ok(found) = self.users.by_session(session.user_id, &session.id) else { return true };
        found.is_some_and(|found| {
            // A token without a session has only the user's epoch to end with.
            let is_as_issued = !found.is_revoked && found.user.epoch == session.epoch;
            found.session.is_some() || (session.is_sessionless() && is_as_issued)
        })
    }

    /// The caller whose API key this is, for everything or narrowed.
    ///
    /// Errors: `SignIn`, `ClockNotSet`.
    pub fn by_key(&self, given: &str) -> Result<Caller> {
        let hash = key::hash(given);
        match self.users.by_any_key(&hash)?.ok_or(GONE)? {
            (user, Some(key)) => narrowed_caller(user, key),
            (user, None) => Ok(Caller::new(Who::User(user), Credential::Key(hash))),
        }
    }

    /// The caller whose narrowed key this is, if it is one that this user has.
    ///
    /// Errors: `SignIn`, `ClockNotSet`.
    pub fn by_named_key(&self, username: &str, given: &str) -> Result<Caller> {
        let found = self.users.by_narrowed_key(&key::hash(given))?;
        let (user, key) = found.filter(|(user, _)| user.username == username).ok_or(GONE)?;
        narrowed_caller(user, key)
    }

    /// Remembers where the narrowed key of somebody was used.
    pub fn used_key(&self, caller: &Caller, from: IpAddr) {
        if let Some(key) = caller.narrowed_key() {
            self.users.used_key(key, from);
        }
    }

    /// The caller as they are let in at this moment with what they came with.
    ///
    /// Errors: `SignIn` when that is no longer good.
    pub fn again(&self, caller: &Caller) -> Result<Caller> {
        match caller.credential() {
            Credential::Session(session) => self.by_session(session.clone(), Age::Begun),
            Credential::Key(hash) => self.by_key_hash(hash.clone()),
            Credential::Narrowed(_) => self.at_present(caller)?.ok_or(GONE),
            // A link is no account: whoever found it finds it again.
            Credential::Link => Err(GONE),
            Credential::Password => {
                let now = self.at_present(caller)?.ok_or(GONE)?;
                if now.has_password_of(caller) { Ok(now) } else { Err(GONE) }
            }
        }
    }

    /// The caller as they are at this moment, whatever became of what they came with; `None` when they are gone. Whoever
    /// came with a narrowed key is gone with it.
    pub fn at_present(&self, caller: &Caller) -> Result<Option<Caller>> {
        if let Some(key) = caller.narrowed_key() {
            return self.with_key_at_present(caller, key);
        }
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

    /// The same of somebody with a narrowed key.
    fn with_key_at_present(&self, caller: &Caller, key: &Arc<KeyRow>) -> Result<Option<Caller>> {
        let Some((user, now)) = self.users.by_narrowed_key(&key.hash)? else { return Ok(None) };
        if narrowed::must_last(&now).is_err_and(|error| matches!(error, Error::SignIn(_))) {
            return Ok(None);
        }
        // Asked for at each step of long work: nothing has changed, and nothing is worked out anew.
        let is_same_user = caller.user().is_some_and(|before| Arc::ptr_eq(before, &user));
        if is_same_user && Arc::ptr_eq(key, &now) {
            return Ok(Some(caller.clone()));
        }
        Ok(Some(Caller::new(Who::User(user), Credential::Narrowed(now))))
    }

    /// The caller of a session that nobody has ended.
    fn by_session(&self, session: Session, age: Age) -> Result<Caller> {
        let found = self.users.by_session(session.user_id, &session.id)?.ok_or(GONE)?;
        if found.user.epoch != session.epoch {
            return Err(ENDED);
        }
        self.judge(&session, &found, age)?;
        Ok(Caller::new(Who::User(found.user), Credential::Session(session)))
    }

    /// Whether a token is still good for what its bearer wants.
    ///
    /// Errors: `SignIn`.
    fn judge(&self, session: &Session, found: &Found, age: Age) -> Result<()> {
        const EXPIRED: Error = Error::SignIn(SignInProblem::Expired);
        let has_expired = |token_age| age != Age::Any && session.has_expired(token_age);
        let Some(row) = &found.session else {
            let was_ended = found.is_revoked || !session.is_sessionless();
            return match session.has_expired(None) {
                _ if was_ended => Err(ENDED),
                true => Err(EXPIRED),
                false => Ok(()),
            };
        };
        if self.users.is_session_over(row) {
            return Err(EXPIRED);
        }
        match row.generation - session.generation {
            0 if has_expired(row.token_age()) => Err(EXPIRED),
            0 => Ok(()),
            1.. if has_expired(None) => Err(EXPIRED),
            // What was begun goes on in the session, whatever took the token's place.
            1.. if age == Age::Begun => Ok(()),
            1 if row.has_old_token() => Ok(()),
            _ => Err(ENDED),
        }
    }

    /// The caller whose API key has this hash.
    fn by_key_hash(&self, hash: String) -> Result<Caller> {
        let user: Arc<User> = self.users.by_key_hash(&hash)?.ok_or(GONE)?;
        Ok(Caller::new(Who::User(user), Credential::Key(hash)))
    }
}

/// Somebody with a user's narrowed key, as long as that is good.
///
/// Errors: `SignIn`, `ClockNotSet`.
fn narrowed_caller(user: Arc<User>, key: Arc<KeyRow>) -> Result<Caller> {
    narrowed::must_last(&key)?;
    Ok(Caller::new(Who::User(user), Credential::Narrowed(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    use crate::store::{FtpUser, NewUser, UserChange};

    const HERE: Whence<'_> =
        Whence { address: IpAddr::V4(Ipv4Addr::LOCALHOST), agent: "a browser" };

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
        let token = accounts.begin_session(&user, false, HERE).unwrap().token;
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
