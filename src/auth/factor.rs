//! The second factor: whoever has one shows a code beside the password that their phone makes of a secret and the time,
//! or one of ten recovery codes, each good once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::auth::key;
use crate::auth::names::NameThrottle;
use crate::auth::sealed::Seal;
use crate::auth::totp::{self, Secret};
use crate::error::{Error, Result, SignInProblem, Why};
use crate::settings::Settings;
use crate::store::{FACTOR_ON_ALREADY, User, UserStore};
use crate::{clock, limits, threads};

/// What the key that seals secrets is for.
const PURPOSE: &str = "larder: second factors";

/// A code is not the one that is wanted now.
pub const WRONG_CODE: Error = Error::invalid_as(Why::Code, "Wrong code");

/// Nobody can tell which code is the present one.
const CLOCK: Error = Error::SignIn(SignInProblem::ClockNotSet);

/// Judges codes, and keeps what somebody has begun to set up.
pub struct Factors {
    /// Where they are kept.
    users: Arc<UserStore>,
    /// Seals secrets in the table.
    seal: Seal,
    /// Secrets that nobody has shown a code of yet, by the user's number.
    begun: Mutex<HashMap<i64, Begun>>,
    /// How often codes of a name were wrong: apart from its passwords, of which a right one comes before each code.
    tries: NameThrottle,
}

/// One of them.
struct Begun {
    /// What the phone was shown.
    secret: Secret,
    /// When.
    at: Instant,
    /// Codes that were tried and are none of it.
    wrong: u32,
}

/// Whether somebody's role wants a second factor that they do not have: then nothing that is theirs opens a door, but
/// their session, to get one (second contract, section 21).
pub fn is_lacking(user: &User, settings: &Settings) -> bool {
    !user.has_factor() && settings.wants_factor(&user.role)
}

impl Factors {
    /// Those of these users, sealed with a key of this secret.
    ///
    /// Errors: `Bug`.
    pub fn new(users: Arc<UserStore>, secret: &[u8]) -> Result<Self> {
        let seal = Seal::new(secret, PURPOSE)?;
        Ok(Self { users, seal, begun: Mutex::default(), tries: NameThrottle::default() })
    }

    /// Makes a secret for somebody who has none; it counts when they have shown a code of it.
    ///
    /// Errors: `Conflict` (they have one), `Io` (no randomness).
    pub fn begin(&self, user: &User) -> Result<Secret> {
        if user.has_factor() {
            return Err(FACTOR_ON_ALREADY);
        }
        let secret = totp::new_secret()?;
        let mut begun = threads::locked(&self.begun);
        begun.retain(|_, begun| begun.at.elapsed() < limits::FACTOR_SETUP_TIME);
        if begun.len() >= limits::FACTOR_SETUPS_MAX && !begun.contains_key(&user.id) {
            return Err(Error::TooSoon { retry_after_s: limits::FACTOR_SETUP_TIME.as_secs() });
        }
        begun.insert(user.id, Begun { secret, at: Instant::now(), wrong: 0 });
        Ok(secret)
    }

    /// Turns the second factor on for whoever shows a code of the secret that was made for them; gives the recovery
    /// codes, which nobody can ever read again.
    ///
    /// Errors: `Conflict` (nothing was begun, or it is on already), `Invalid` (the code), `SignIn` (the clock, or they
    /// got another password meanwhile).
    pub fn confirm(&self, user: &User, code: &str) -> Result<Vec<String>> {
        const NOT_BEGUN: Error = Error::Conflict("Begin with start");
        let secret = {
            let begun = threads::locked(&self.begun);
            let lasting =
                begun.get(&user.id).filter(|begun| begun.at.elapsed() < limits::FACTOR_SETUP_TIME);
            lasting.ok_or(NOT_BEGUN)?.secret
        };
        let now = totp::step_at(clock::known().ok_or(CLOCK)?);
        let step = totp::number(code).and_then(|code| totp::step_of(&secret, code, now));
        let step = step.ok_or_else(|| self.guessed_wrong(user))?;
        let codes: Vec<String> =
            (0..limits::RECOVERY_CODES).map(|_| key::new_recovery_code()).collect::<Result<_>>()?;
        let hashes: Vec<String> =
            codes.iter().filter_map(|code| key::recovery_hash(code)).collect();
        let sealed = self.seal.seal(user.id, &secret)?;
        self.users.turn_factor_on(user, &sealed, step, &hashes)?;
        threads::locked(&self.begun).remove(&user.id);
        Ok(codes)
    }

    /// Counts a wrong code for the secret that waits, which goes when there were too many: whoever has only a session
    /// of theirs could else try all there are.
    fn guessed_wrong(&self, user: &User) -> Error {
        let mut all = threads::locked(&self.begun);
        if let Some(begun) = all.get_mut(&user.id) {
            begun.wrong += 1;
            if begun.wrong >= limits::FACTOR_SETUP_WRONG_CODES_MAX {
                all.remove(&user.id);
            }
        }
        WRONG_CODE
    }

    /// Turns it off for whoever shows a good code.
    ///
    /// Errors: `Conflict` (it is off), `Invalid` (the code), `TooSoon`, `SignIn` (the clock).
    pub fn stop(&self, user: &User, code: &str, from: IpAddr) -> Result<()> {
        if !user.has_factor() {
            return Err(Error::Conflict("The second factor is off"));
        }
        match self.judge(user, Some(code), from) {
            Err(Error::SignIn(SignInProblem::WrongCode)) => return Err(WRONG_CODE),
            other => other?,
        }
        self.users.turn_factor_off(user.id)
    }

    /// Whether somebody who has given the right password is let in: with a second factor only by a code, which is good
    /// once. Wrong ones are counted and delayed as wrong passwords are.
    ///
    /// Errors: `SignIn` (no code, a wrong one, or nobody knows the time), `TooSoon`.
    pub fn judge(&self, user: &User, code: Option<&str>, from: IpAddr) -> Result<()> {
        const WRONG: Error = Error::SignIn(SignInProblem::WrongCode);
        let Some(sealed) = &user.factor else { return Ok(()) };
        let code = code.ok_or(Error::SignIn(SignInProblem::CodeRequired))?;
        let tried = self.tries.admit(&user.username, from)?;
        let is_right = match totp::number(code) {
            Some(code) => self.takes_code(user, sealed, code)?,
            None => self.takes_recovery_code(user, code)?,
        };
        if !is_right {
            tried.was_wrong();
            return Err(WRONG);
        }
        tried.was_right();
        Ok(())
    }

    /// Whether this is a code of about now that was not used yet; from here on it was.
    ///
    /// Errors: `SignIn` (nobody knows the time).
    fn takes_code(&self, user: &User, sealed: &str, code: u32) -> Result<bool> {
        let now = totp::step_at(clock::known().ok_or(CLOCK)?);
        // A code was used that is still to come: the clock was set back, or has stood still.
        if user.factor_step > now + 1 {
            return Err(CLOCK);
        }
        let secret = self.seal.open(user.id, sealed).and_then(|secret| secret.try_into().ok());
        let step = secret.and_then(|secret| totp::step_of(&secret, code, now));
        let Some(step) = step else { return Ok(false) };
        self.users.take_factor_step(user.id, sealed, step)
    }

    /// Whether this is one of the recovery codes that are left; from here on it is none.
    fn takes_recovery_code(&self, user: &User, code: &str) -> Result<bool> {
        let Some(hash) = key::recovery_hash(code) else { return Ok(false) };
        self.users.take_recovery_code(user.id, &hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewUser;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// Ana, who has none.
    fn house() -> (tempfile::TempDir, Factors) {
        let folder = tempfile::tempdir().unwrap();
        let users = Arc::new(UserStore::open(&folder.path().join("users.db")).unwrap());
        let ana = NewUser {
            username: "ana",
            password_hash: "one",
            name: "Ana",
            role: "family",
            paths: "[]",
            paths_write: "[]",
            key_hash: "",
            key_hint: "",
        };
        users.insert(&ana).unwrap();
        (folder, Factors::new(users, &[7; 32]).unwrap())
    }

    fn ana(factors: &Factors) -> Arc<User> {
        factors.users.by_username("ana").unwrap().unwrap()
    }

    fn now() -> i64 {
        totp::step_at(clock::now())
    }

    /// Turns it on; gives the secret and the recovery codes.
    fn on(factors: &Factors) -> (Secret, Vec<String>) {
        let secret = factors.begin(&ana(factors)).unwrap();
        let code = totp::tests::shown(&secret, now() - 1);
        let codes = factors.confirm(&ana(factors), &code).unwrap();
        (secret, codes)
    }

    fn judged(factors: &Factors, code: Option<&str>) -> Option<SignInProblem> {
        match factors.judge(&ana(factors), code, HERE) {
            Ok(()) => None,
            Err(Error::SignIn(problem)) => Some(problem),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_on_when_a_code_was_shown_and_off_when_another_was() {
        let (_folder, factors) = house();
        assert_eq!(judged(&factors, None), None);
        assert!(matches!(factors.confirm(&ana(&factors), "000000"), Err(Error::Conflict(_))));
        let secret = factors.begin(&ana(&factors)).unwrap();
        let late = totp::tests::shown(&secret, now() - 10);
        assert!(matches!(factors.confirm(&ana(&factors), &late), Err(Error::Invalid(..))));
        assert_eq!(judged(&factors, None), None);
        let (secret, codes) = on(&factors);
        assert!(ana(&factors).has_factor() && codes.len() == limits::RECOVERY_CODES);
        assert!(!ana(&factors).factor.as_ref().unwrap().contains(&totp::base32(&secret)));
        assert!(matches!(factors.begin(&ana(&factors)), Err(Error::Conflict(_))));
        assert_eq!(judged(&factors, None), Some(SignInProblem::CodeRequired));
        assert!(matches!(factors.stop(&ana(&factors), &late, HERE), Err(Error::Invalid(..))));
        factors.stop(&ana(&factors), &totp::tests::shown(&secret, now()), HERE).unwrap();
        assert_eq!(judged(&factors, None), None);
        assert!(matches!(factors.stop(&ana(&factors), "1", HERE), Err(Error::Conflict(_))));
        assert!(!factors.users.take_recovery_code(ana(&factors).id, &codes[0]).unwrap());
    }

    #[test]
    fn a_secret_that_waits_is_not_guessed_at_without_end() {
        let (_folder, factors) = house();
        let secret = factors.begin(&ana(&factors)).unwrap();
        for _ in 0..limits::FACTOR_SETUP_WRONG_CODES_MAX {
            assert!(matches!(factors.confirm(&ana(&factors), "wrong"), Err(Error::Invalid(..))));
        }
        let good = totp::tests::shown(&secret, now());
        assert!(matches!(factors.confirm(&ana(&factors), &good), Err(Error::Conflict(_))));
    }

    #[test]
    fn each_code_is_good_once_and_none_before_it_either() {
        let (_folder, factors) = house();
        let (secret, codes) = on(&factors);
        let wrong = Some(SignInProblem::WrongCode);
        let code = |step: i64| totp::tests::shown(&secret, step);
        let step = now();
        assert_eq!(judged(&factors, Some(&code(step - 5))), wrong);
        assert_eq!(judged(&factors, Some(&code(step))), None);
        assert_eq!(judged(&factors, Some(&code(step))), wrong);
        assert_eq!(judged(&factors, Some(&code(step - 1))), wrong);
        let typed = codes[3].to_uppercase().replace('-', " ");
        assert_eq!(judged(&factors, Some(&typed)), None);
        assert_eq!(judged(&factors, Some(&codes[3])), wrong);
        assert_eq!(judged(&factors, Some(&codes[4])), None);
    }

    #[test]
    fn with_another_key_of_the_house_recovery_codes_are_left() {
        let (_folder, factors) = house();
        let (secret, codes) = on(&factors);
        let other = Factors::new(Arc::clone(&factors.users), &[8; 32]).unwrap();
        let code = totp::tests::shown(&secret, now());
        assert_eq!(judged(&other, Some(&code)), Some(SignInProblem::WrongCode));
        assert_eq!(judged(&other, Some(&codes[0])), None);
    }

    #[test]
    fn a_clock_that_was_set_back_is_told() {
        let (_folder, factors) = house();
        let (secret, codes) = on(&factors);
        let sealed = ana(&factors).factor.clone().unwrap();
        assert!(factors.users.take_factor_step(ana(&factors).id, &sealed, now() + 100).unwrap());
        let code = totp::tests::shown(&secret, now());
        assert_eq!(judged(&factors, Some(&code)), Some(SignInProblem::ClockNotSet));
        assert_eq!(judged(&factors, Some(&codes[0])), None);
    }

    #[test]
    fn wrong_codes_are_delayed_however_often_the_password_was_right() {
        let (_folder, factors) = house();
        on(&factors);
        let guess = |_: u32| factors.judge(&ana(&factors), Some("x"), HERE);
        let delayed =
            (0..20).map(guess).find(|outcome| matches!(outcome, Err(Error::TooSoon { .. })));
        assert!(delayed.is_some());
        assert_eq!(judged(&factors, None), Some(SignInProblem::CodeRequired));
    }
}
