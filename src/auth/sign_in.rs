//! The one way in by name and password, at whatever door: how often it may be tried, whose account it is, whether
//! the password is right, and what the logbook hears of it. What differs between the doors stands in `Entrance`. A
//! one-time code takes the place of both at the API.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use crate::auth::accounts::Accounts;
use crate::auth::authenticator::{Authenticator, Judged};
use crate::auth::caller::{Caller, Credential, Who};
use crate::auth::factor::Factors;
use crate::auth::key;
use crate::auth::names::NameThrottle;
use crate::auth::narrowed::Door;
use crate::auth::pace::Pace;
use crate::auth::throttle::{AddressThrottle, network_of};
use crate::auth::verified::Stored;
use crate::error::{Error, Result, SignInProblem};
use crate::logbook::{By, Event, Logbook};
use crate::metrics;
use crate::store::{Place, User};

/// Judges everybody who wants to sign in.
pub struct SignIn {
    /// Where they are looked up.
    accounts: Arc<Accounts>,
    /// What some of them show beside the password.
    factors: Arc<Factors>,
    /// Hears who came, and who was sent away.
    logbook: Arc<Logbook>,
    /// Judges passwords of the house's users.
    users: Authenticator,
    /// Judges passwords of FTP's own, so that guesses at one kind make nobody of the other wait.
    ftp_users: Authenticator,
    /// How often codes were wrong, by the address they came from: a code names nobody.
    codes: NameThrottle,
    /// Judges passwords of links.
    links: Authenticator,
    /// One try per second for an address, at doors that send away.
    throttle: AddressThrottle,
    /// One row per second for an address that has a right password and no code, where no code is asked for.
    stopped: AddressThrottle,
    /// One wrong password per second for an address, at doors where one waits.
    pace: Pace,
    /// Hears of sign-ins from where nobody has seen the user of late: whose, and from where.
    listener: OnceLock<Listener>,
}

/// See `SignIn`.
type Listener = Box<dyn Fn(&str, IpAddr) + Send + Sync>;

/// A try.
pub struct Attempt<'a> {
    /// Who it is, by their own word.
    pub name: &'a str,
    /// What shall prove it.
    pub password: &'a str,
    /// Where they are.
    pub from: IpAddr,
    /// Where they want in.
    pub at: Entrance<'a>,
}

/// The password of a link.
pub struct LinkPassword<'a> {
    /// The link's number.
    pub id: i64,
    /// Counts the link's passwords.
    pub epoch: i64,
    /// Argon2id, in PHC form.
    pub hash: &'a str,
}

/// The ways in by name and password.
#[derive(Clone, Copy)]
pub enum Entrance<'a> {
    /// The API and the pages, for users of the house, with what was given for the code of a second factor. Whoever tries
    /// too often is sent away: `SignIn::admit` comes before anything is read of them.
    Api(Option<&'a str>),
    /// FTP, for its own users. Whoever tries too often waits.
    Ftp(&'a dyn Visitor),
}

/// Somebody whose connection lasts.
pub trait Visitor {
    /// Whether they, or we, have had enough: nobody waits for their turn then.
    fn is_leaving(&self) -> bool;

    /// From here on they leave when the account of that name changes, or when the narrowed key is deleted that they
    /// came with.
    fn sits_down(&self, name: &str, key_id: Option<i64>);

    /// They were not that user after all.
    fn stands_up(&self);
}

/// The same for a wrong password, an unknown name, and who changed while they were judged.
const WRONG: Error = Error::SignIn(SignInProblem::WrongPassword);

impl SignIn {
    /// For these accounts.
    pub fn new(accounts: &Arc<Accounts>, factors: &Arc<Factors>, logbook: &Arc<Logbook>) -> Self {
        Self {
            accounts: Arc::clone(accounts),
            factors: Arc::clone(factors),
            logbook: Arc::clone(logbook),
            users: Authenticator::default(),
            ftp_users: Authenticator::default(),
            codes: NameThrottle::default(),
            links: Authenticator::default(),
            throttle: AddressThrottle::default(),
            stopped: AddressThrottle::default(),
            pace: Pace::default(),
            listener: OnceLock::new(),
        }
    }

    /// From now on this hears of sign-ins from new places. Only the first does; it must not wait.
    pub fn tell_of_new_places(&self, listener: Listener) {
        let _only_the_first = self.listener.set(listener);
    }

    /// Notes from where a user signs in, and by what program, where that has said what it is. To be called before their
    /// session begins.
    pub fn comes_from(&self, user: &User, from: IpAddr, agent: Option<&str>) {
        let network = network_of(from);
        let is_same = |other: IpAddr| network_of(other) == network;
        let place = Place { network, is_same: &is_same, agent };
        // Where it cannot be noted, nobody is kept out for that.
        let is_new = self.accounts.users.came_from(user, &place).unwrap_or(false);
        if let Some(listener) = self.listener.get().filter(|_| is_new) {
            listener(&user.username, from);
        }
    }

    /// Lets somebody at this address try, or says when to come again.
    ///
    /// Errors: `TooSoon`.
    pub fn admit(&self, from: IpAddr) -> Result<()> {
        self.throttle.admit(from)
    }

    /// Who this is, if name and password belong together. A wrong name and a wrong password give the same answer
    /// in the same time.
    ///
    /// Errors: `SignIn`, `TooSoon`, `Disconnected` (they left while they waited).
    pub fn sign_in(&self, attempt: &Attempt<'_>) -> Result<Caller> {
        let outcome = match attempt.at {
            Entrance::Api(_) => self.judge(attempt),
            Entrance::Ftp(visitor) => self.judge_in_turn(attempt, visitor),
        };
        self.note(attempt, &outcome);
        outcome
    }

    /// Who this is by name and password that are brought with each request (RFC 7617, over `WebDAV`), or by a name and
    /// one of that user's narrowed keys. What was right lately is not hashed again and never waits. A name that nobody
    /// has counts from behind its last `\`: Windows puts the machine's name before it.
    ///
    /// Errors: `SignIn` (also `CodeRequired`: who has a second factor comes by a key), `TooSoon`, `ClockNotSet`.
    pub fn sign_in_each_time(&self, name: &str, password: &str, from: IpAddr) -> Result<Caller> {
        let mut name = name;
        let mut user = self.accounts.users.by_username(name)?;
        if let Some((_, own)) = name.rsplit_once('\\').filter(|_| user.is_none()) {
            name = own;
            user = self.accounts.users.by_username(name)?;
        }
        if key::is_key(password) {
            return self.accounts.by_named_key(name, password);
        }
        let who = user.map(Who::User);
        let stored = who.as_ref().filter(|who| who.has_password()).and_then(Who::stored);
        let admit = || self.throttle.admit(from);
        let judged = self.users.is_right_each_time((name, from), password, stored, &admit)?;
        let outcome = who
            .filter(|_| judged != Judged::Wrong)
            .ok_or(WRONG)
            .and_then(|who| self.accounts.again(&Caller::new(who, Credential::Password)))
            .and_then(|caller| {
                let has_factor = caller.user().is_some_and(|user| user.has_factor());
                if has_factor {
                    Err(Error::SignIn(SignInProblem::CodeRequired))
                } else {
                    Ok(caller)
                }
            });
        match (&outcome, judged) {
            (Ok(caller), Judged::Right) => {
                if let Some(user) = caller.user() {
                    self.comes_from(user, from, None);
                }
                self.logbook.note(&By::dav(Some(name), from), Event::signed_in());
            }
            (Err(Error::SignIn(SignInProblem::CodeRequired)), _) => self.note_stopped(name, from),
            (Err(Error::SignIn(_)), Judged::Right | Judged::Wrong) => {
                let words = format!("failed sign-in as {name}");
                let event = Event::failed_sign_in(name, words).whole();
                self.was_wrong(&By::dav(None, from), event);
            }
            _ => {}
        }
        outcome
    }

    /// Tells of a right password where no code is asked for, also of one that was right lately at another door: programs
    /// come again and again with it.
    fn note_stopped(&self, name: &str, from: IpAddr) {
        if self.stopped.admit(from).is_ok() {
            self.logbook.note_refusal(&By::dav(None, from), stopped_at_code(name));
        }
    }

    /// Somebody who was let in as they are let in at this moment.
    ///
    /// Errors: `SignIn` when they are no more.
    pub fn again(&self, caller: &Caller) -> Result<Caller> {
        self.accounts.again(caller)
    }

    /// Which edition of the roles is in force, as of the last time that a user was asked for.
    pub fn roles_edition(&self) -> i64 {
        self.accounts.users.roles_edition()
    }

    /// Whether somebody who has signed in knows their password; wrong ones count as at the door.
    ///
    /// Errors: `SignIn`, `TooSoon`.
    pub fn must_know_password(&self, user: &User, password: &str, from: IpAddr) -> Result<()> {
        let stored = Stored { id: user.id, epoch: user.epoch, hash: &user.password_hash };
        if self.users.is_right(&user.username, from, password, Some(stored))? {
            return Ok(());
        }
        let words = format!("failed sign-in as {}: their own password", user.username);
        let event = Event::failed_sign_in(&user.username, words).whole();
        self.was_wrong(&By::api(None, from), event);
        Err(WRONG)
    }

    /// Whom a one-time code signs in, who is at home with larder. Any other code, and any from elsewhere or from a
    /// `client` whom nobody knows the address of, is what a wrong password is.
    ///
    /// Errors: `SignIn`, `TooSoon`.
    pub fn sign_in_by_code(
        &self,
        code: &str,
        from: IpAddr,
        client: Option<IpAddr>,
    ) -> Result<Arc<User>> {
        let outcome = self.judge_code(code, from, client);
        match &outcome {
            Ok(user) => {
                let by = By::api(Some(&user.username), from);
                self.logbook.note(&by, Event::signed_in_by_code());
            }
            Err(Error::SignIn(_)) => {
                self.was_wrong(&By::api(None, from), Event::failed_code());
            }
            Err(_) => {}
        }
        outcome
    }

    /// Whose the code is; from here on it is nobody's.
    fn judge_code(&self, code: &str, from: IpAddr, client: Option<IpAddr>) -> Result<Arc<User>> {
        let tried = self.codes.admit(&network_of(from).to_string(), from)?;
        let hash = key::code_hash(code).filter(|_| client.is_some_and(is_at_home));
        let found = hash.map_or(Ok(None), |hash| self.accounts.users.take_code(&hash))?;
        let Some(user) = found else {
            tried.was_wrong();
            return Err(WRONG);
        };
        tried.was_right();
        Ok(user)
    }

    /// Whether this opens a link that has a password, delayed after wrong ones for each link and address as for each
    /// name.
    ///
    /// Errors: `TooSoon`.
    pub fn opens_link(&self, link: &LinkPassword<'_>, from: IpAddr, given: &str) -> Result<bool> {
        let tried = format!("{}@{}", link.id, network_of(from));
        let stored = Stored { id: link.id, epoch: link.epoch, hash: link.hash };
        self.links.is_right(&tried, from, given, Some(stored))
    }

    /// The same for somebody who waits for their turn.
    fn judge_in_turn(&self, attempt: &Attempt<'_>, visitor: &dyn Visitor) -> Result<Caller> {
        let (name, from) = (attempt.name, attempt.from);
        self.ftp_users.check(name, from)?;
        let known_as = self.ftp_users.is_known(name, from).then_some(name);
        let admitted = self.pace.enter(from, known_as, || visitor.is_leaving())?;
        let outcome = self.judge(attempt);
        if matches!(outcome, Err(Error::SignIn(_))) {
            admitted.was_wrong();
        }
        outcome
    }

    /// Compares, and looks again: whoever was deleted, or got another password, while this one was judged must not
    /// slip in.
    fn judge(&self, attempt: &Attempt<'_>) -> Result<Caller> {
        if let Some(caller) = self.judge_key(attempt)? {
            self.ftp_users.let_in(attempt.name, attempt.from)?;
            self.accounts.used_key(&caller, attempt.from);
            return self.seat(attempt, &caller);
        }
        let (judge, who) = match attempt.at {
            Entrance::Api(_) => {
                let user = self.accounts.users.by_username(attempt.name)?;
                (&self.users, user.map(Who::User))
            }
            Entrance::Ftp(_) => {
                let user = self.accounts.ftp_users.by_username(attempt.name)?;
                (&self.ftp_users, user.map(|user| Who::FtpUser(Arc::new(user))))
            }
        };
        let stored = who.as_ref().filter(|who| who.has_password()).and_then(Who::stored);
        let is_right = judge.is_right(attempt.name, attempt.from, attempt.password, stored)?;
        let who = who.filter(|_| is_right).ok_or(WRONG)?;
        self.seat(attempt, &Caller::new(who, Credential::Password))
    }

    /// Whom a narrowed key lets in at FTP's door, in the place of a password: the user of the house whose name it is,
    /// and whose key. `None` when it is no such key: one of FTP's own users may still have it for a password.
    fn judge_key(&self, attempt: &Attempt<'_>) -> Result<Option<Caller>> {
        let Entrance::Ftp(_) = attempt.at else { return Ok(None) };
        if !key::is_key(attempt.password) {
            return Ok(None);
        }
        match self.accounts.by_named_key(attempt.name, attempt.password) {
            Ok(caller) if caller.opens(Door::Ftp) => Ok(Some(caller)),
            Ok(_) | Err(Error::SignIn(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets somebody in who proved who they are, unless that has changed meanwhile.
    fn seat(&self, attempt: &Attempt<'_>, caller: &Caller) -> Result<Caller> {
        let again = || match self.accounts.again(caller) {
            Err(Error::SignIn(_)) => Err(WRONG),
            other => other,
        };
        let visitor = match attempt.at {
            Entrance::Ftp(visitor) => visitor,
            Entrance::Api(code) => {
                if let Some(user) = caller.user() {
                    self.factors.judge(user, code, attempt.from)?;
                }
                return again();
            }
        };
        visitor.sits_down(attempt.name, caller.narrowed_key().map(|key| key.id));
        again().inspect_err(|_| visitor.stands_up())
    }

    /// What the logbook hears. Who is told to come later by the API was not judged.
    fn note(&self, attempt: &Attempt<'_>, outcome: &Result<Caller>) {
        let (name, from) = (attempt.name, attempt.from);
        let by = |name| match attempt.at {
            Entrance::Api(_) => By::api(name, from),
            Entrance::Ftp(_) => By::ftp(name, from),
        };
        let failed = match (attempt.at, outcome) {
            (Entrance::Ftp(_), Ok(caller)) => {
                if let Some(user) = caller.user() {
                    self.comes_from(user, from, None);
                }
                return self.logbook.note(&caller.by_ftp(from), Event::signed_in());
            }
            (Entrance::Api(_), Ok(_)) => {
                return self.logbook.note(&by(Some(name)), Event::signed_in());
            }
            (Entrance::Api(_), Err(Error::SignIn(SignInProblem::CodeRequired))) => {
                return self.logbook.note_refusal(&by(None), stopped_at_code(name));
            }
            (
                Entrance::Api(_),
                Err(Error::SignIn(
                    problem @ (SignInProblem::WrongCode | SignInProblem::ClockNotSet),
                )),
            ) => {
                let why = Error::SignIn(*problem);
                Event::failed_sign_in(name, format!("failed sign-in as {name}: {why}")).whole()
            }
            (Entrance::Api(_), Err(Error::SignIn(_))) => {
                Event::failed_sign_in(name, format!("failed sign-in as {name}")).whole()
            }
            (Entrance::Api(_), Err(_)) | (Entrance::Ftp(_), Err(Error::Disconnected)) => return,
            (Entrance::Ftp(_), Err(error)) => {
                Event::failed_sign_in(name, format!("failed sign-in as {name}: {error}"))
            }
        };
        self.was_wrong(&by(None), failed);
    }

    /// Somebody was not let in.
    fn was_wrong(&self, by: &By<'_>, event: Event) {
        metrics::SIGN_IN_FAILURES.add(1);
        self.logbook.note_refusal(by, event);
    }
}

/// Somebody gave the right password and no code. So far everybody comes who has a second factor, and whoever only has
/// their password: who did not sign in after it knows by this row that another tried.
fn stopped_at_code(name: &str) -> Event {
    let words = format!("sign-in as {name} stopped at the code; the password was right");
    Event::failed_sign_in(name, words).whole()
}

/// Whether an address is of a network that strangers are not in: this machine's own, a house's (RFC 1918, RFC 4193),
/// or one that ends at the next router (RFC 3927, RFC 4291).
fn is_at_home(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_home_are_addresses_that_no_stranger_has() {
        let is_home = |address: &str| is_at_home(address.parse().unwrap());
        for home in [
            "127.0.0.1",
            "127.3.2.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.1",
            "192.168.1.2",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.2",
        ] {
            assert!(is_home(home), "{home}");
        }
        for away in [
            "8.8.8.8",
            "172.32.0.1",
            "100.64.0.1",
            "192.169.0.1",
            "0.0.0.0",
            "2001:db8::1",
            "::",
            "::ffff:8.8.8.8",
            "ff02::1",
        ] {
            assert!(!is_home(away), "{away}");
        }
    }
}
