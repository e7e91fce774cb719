//! Session tokens: JWT (RFC 7519), HS256, 24 hours. A token carries the user's epoch, so that a new password ends it, and
//! the session that it is of, with its generation in it, so that a renewed one takes its place.

use std::time::Duration;

use jwt_simple::prelude::{
    Claims, Duration as Life, HS256Key, MACLike, UnixTimeStamp, VerificationOptions,
};
use serde::{Deserialize, Serialize};

use crate::auth::key;
use crate::error::{Error, Result, SignInProblem};
use crate::{clock, limits};

/// Signs and verifies with the key of the state directory.
pub struct Tokens {
    /// HMAC-SHA-256.
    key: HS256Key,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user_id: i64,
    /// The user's epoch when it was issued.
    pub epoch: i64,
    /// The session that it is of; the token's own id if it was issued without one.
    pub id: String,
    /// Which of that session's tokens it is: the first is 1. 0: it was issued without a session, by an older larder or
    /// while nothing could be written.
    pub generation: i64,
    /// When it was issued, in seconds since 1970.
    pub issued: i64,
    /// When it ends, likewise.
    pub expires: i64,
}

/// What a token is to say of its session.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// See `Session`.
    pub id: &'a str,
    /// See `Session`.
    pub generation: i64,
}

/// The claims besides `iat`, `exp` and `jti`.
#[derive(Serialize, Deserialize)]
struct Extra {
    /// Contract, section 3.
    user_id: i64,
    /// Contract, section 3.
    username: String,
    /// See `Session`.
    epoch: i64,
    /// The session's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// Which of its tokens this is.
    #[serde(default, skip_serializing_if = "is_zero")]
    generation: i64,
}

/// For serde.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Session {
    /// Whether it was issued without a session.
    pub fn is_sessionless(&self) -> bool {
        self.generation == 0
    }

    /// Whether its 24 hours are over, by the clock; with the seconds since it was issued where they were counted, which
    /// is what matters of a token from before somebody set the clock.
    pub fn has_expired(&self, age: Option<i64>) -> bool {
        let life = i64::try_from(limits::TOKEN_LIFE.as_secs()).unwrap_or(i64::MAX);
        match age {
            Some(age) if !clock::is_set(self.issued) => age >= life,
            _ => self.expires <= clock::now(),
        }
    }
}

impl Tokens {
    /// Tokens signed with this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: HS256Key::from_bytes(secret) }
    }

    /// Issues a token of a session, or without one, that is good from now on.
    pub fn issue(
        &self,
        user_id: i64,
        username: &str,
        epoch: i64,
        place: Option<Place<'_>>,
    ) -> Result<String> {
        let extra = Extra {
            user_id,
            username: username.to_owned(),
            epoch,
            sid: place.map(|place| place.id.to_owned()),
            generation: place.map_or(0, |place| place.generation),
        };
        let mut claims = Claims::with_custom_claims(extra, whole(limits::TOKEN_LIFE))
            .with_jwt_id(key::hex(&key::random_bytes::<16>()?));
        // `nbf` would refuse a token after the clock of a board without one jumps back.
        claims.invalid_before = None;
        self.key.authenticate(claims).map_err(|cause| Error::Bug(format!("jwt: {cause}").into()))
    }

    /// Reads a token: signature and algorithm. Whether it has expired, was renewed or has ended is not judged here.
    ///
    /// Errors: `SignIn` with `InvalidToken`.
    pub fn read(&self, token: &str) -> Result<Session> {
        let invalid = Error::SignIn(SignInProblem::InvalidToken);
        let options = VerificationOptions {
            time_tolerance: Some(Life::from_secs(0)),
            // A board without a clock starts in the past until it hears the time.
            accept_future: true,
            // Nothing has expired then.
            artificial_time: Some(UnixTimeStamp::from_secs(0)),
            max_token_length: Some(limits::TOKEN_BYTES_MAX),
            ..VerificationOptions::default()
        };
        let Ok(claims) = self.key.verify_token::<Extra>(token, Some(options)) else {
            return Err(invalid);
        };
        let (Some(token_id), Some(expires)) = (claims.jwt_id, claims.expires_at) else {
            return Err(invalid);
        };
        let Extra { user_id, epoch, sid, generation, .. } = claims.custom;
        if sid.is_some() != (generation > 0) {
            return Err(invalid);
        }
        Ok(Session {
            user_id,
            epoch,
            id: sid.unwrap_or(token_id),
            generation,
            issued: claims.issued_at.map_or(0, seconds),
            expires: seconds(expires),
        })
    }
}

/// A length of time as the tokens' makers count it.
fn whole(life: Duration) -> Life {
    Life::from_secs(life.as_secs())
}

/// A moment in seconds since 1970.
fn seconds(moment: UnixTimeStamp) -> i64 {
    i64::try_from(moment.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const PLACE: Option<Place<'_>> = Some(Place { id: "a session", generation: 2 });

    fn problem(tokens: &Tokens, token: &str) -> SignInProblem {
        match tokens.read(token) {
            Err(Error::SignIn(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_token_says_what_it_was_issued_for() {
        let tokens = Tokens::new(&[7; 32]);
        let session = tokens.read(&tokens.issue(5, "ana", 3, PLACE).unwrap()).unwrap();
        assert_eq!((session.user_id, session.epoch), (5, 3));
        assert_eq!((session.id.as_str(), session.generation), ("a session", 2));
        assert!(!session.is_sessionless() && !session.has_expired(None));
        let payload = tokens.issue(5, "ana", 3, PLACE).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&claims["user_id"], &claims["username"]), (&5.into(), &"ana".into()));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 24 * 3600);
    }

    #[test]
    fn a_token_without_a_session_is_known_by_its_own_id() {
        let tokens = Tokens::new(&[7; 32]);
        let one = tokens.read(&tokens.issue(5, "ana", 3, None).unwrap()).unwrap();
        let two = tokens.read(&tokens.issue(5, "ana", 3, None).unwrap()).unwrap();
        assert!(one.is_sessionless() && one.id != two.id && one.id.len() == 32);
        for place in [Place { id: "x", generation: 0 }, Place { id: "x", generation: -1 }] {
            let token = tokens.issue(5, "ana", 3, Some(place)).unwrap();
            assert_eq!(problem(&tokens, &token), SignInProblem::InvalidToken);
        }
    }

    #[test]
    fn a_day_is_counted_without_the_clock_where_it_was_not_set() {
        let day = i64::try_from(limits::TOKEN_LIFE.as_secs()).unwrap();
        let issued = |issued| Session {
            user_id: 5,
            epoch: 3,
            id: String::new(),
            generation: 1,
            issued,
            expires: issued + day,
        };
        let now = clock::now();
        assert!(!issued(now - day + 60).has_expired(None));
        assert!(issued(now - day).has_expired(None));
        assert!(issued(now - day).has_expired(Some(1)), "its time is over by a clock that was set");
        assert!(!issued(100).has_expired(Some(day - 1)), "1970, and the clock was set meanwhile");
        assert!(issued(100).has_expired(Some(day)));
        assert!(issued(100).has_expired(None), "1970, before the machine was started anew");
    }

    #[test]
    fn forged_tokens_are_invalid() {
        let tokens = Tokens::new(&[7; 32]);
        let good = tokens.issue(5, "ana", 3, PLACE).unwrap();
        let [head, claims, tag] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let other = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS384","typ":"JWT"}"#);
        for forged in [
            String::new(),
            "a.b.c".to_owned(),
            format!("{head}.{claims}"),
            format!("{head}.{claims}."),
            format!("{none}.{claims}."),
            format!("{none}.{claims}.{tag}"),
            format!("{other}.{claims}.{tag}"),
            format!("{head}.{claims}x.{tag}"),
            format!("{good}{}", "x".repeat(5000)),
            Tokens::new(&[8; 32]).issue(5, "ana", 3, PLACE).unwrap(),
        ] {
            assert_eq!(problem(&tokens, &forged), SignInProblem::InvalidToken, "{forged}");
        }
    }
}
