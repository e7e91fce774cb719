//! Session tokens: JWT (RFC 7519), HS256, 24 hours. A token carries the user's epoch, so that a
//! new password ends it, and an id of its own, so that one can be logged out alone.

use jwt_simple::JWTError;
use jwt_simple::prelude::{Claims, Duration, HS256Key, MACLike, VerificationOptions};
use serde::{Deserialize, Serialize};

use crate::auth::key;
use crate::error::{Error, Result, SignInProblem};
use crate::limits;

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
    /// The token's own id.
    pub token_id: String,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
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
}

impl Tokens {
    /// Tokens signed with this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: HS256Key::from_bytes(secret) }
    }

    /// Issues a token that is good from now on.
    pub fn issue(&self, user_id: i64, username: &str, epoch: i64) -> Result<String> {
        self.issue_for(limits::TOKEN_LIFE, user_id, username, epoch)
    }

    /// Issues a token with another length of life.
    fn issue_for(
        &self,
        life: std::time::Duration,
        user_id: i64,
        username: &str,
        epoch: i64,
    ) -> Result<String> {
        let extra = Extra { user_id, username: username.to_owned(), epoch };
        let claims = Claims::with_custom_claims(
            extra,
            Duration::from_millis(u64::try_from(life.as_millis()).unwrap_or(0)),
        )
        .with_jwt_id(key::hex(&key::random_bytes::<16>()?));
        let mut claims = claims;
        // `nbf` would refuse a token after the clock of a board without one jumps back.
        claims.invalid_before = None;
        self.key.authenticate(claims).map_err(|cause| Error::Bug(format!("jwt: {cause}").into()))
    }

    /// Reads a token: signature, algorithm and time. Whether it was revoked is the store's to say.
    ///
    /// Errors: `SignIn` with `Expired` or `InvalidToken`.
    pub fn read(&self, token: &str) -> Result<Session> {
        let invalid = Error::SignIn(SignInProblem::InvalidToken);
        let options = VerificationOptions {
            time_tolerance: Some(Duration::from_secs(0)),
            // A board without a clock starts in the past until it hears the time.
            accept_future: true,
            max_token_length: Some(limits::TOKEN_BYTES_MAX),
            ..VerificationOptions::default()
        };
        let claims = match self.key.verify_token::<Extra>(token, Some(options)) {
            Ok(claims) => claims,
            Err(cause) => {
                return Err(match cause.downcast_ref::<JWTError>() {
                    Some(JWTError::TokenHasExpired) => Error::SignIn(SignInProblem::Expired),
                    _ => invalid,
                });
            }
        };
        let (Some(token_id), Some(expires)) = (claims.jwt_id, claims.expires_at) else {
            return Err(invalid);
        };
        let Extra { user_id, epoch, .. } = claims.custom;
        let expires = i64::try_from(expires.as_secs()).unwrap_or(i64::MAX);
        Ok(Session { user_id, epoch, token_id, expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn problem(tokens: &Tokens, token: &str) -> SignInProblem {
        match tokens.read(token) {
            Err(Error::SignIn(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_token_says_what_it_was_issued_for() {
        let tokens = Tokens::new(&[7; 32]);
        let session = tokens.read(&tokens.issue(5, "ana", 3).unwrap()).unwrap();
        assert_eq!((session.user_id, session.epoch), (5, 3));
        let payload = tokens.issue(5, "ana", 3).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&claims["user_id"], &claims["username"]), (&5.into(), &"ana".into()));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 24 * 3600);
    }

    #[test]
    fn an_old_token_is_expired_and_nothing_else() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.issue_for(std::time::Duration::ZERO, 5, "ana", 3).unwrap();
        assert_eq!(problem(&tokens, &token), SignInProblem::Expired);
        assert_eq!(problem(&Tokens::new(&[8; 32]), &token), SignInProblem::InvalidToken);
    }

    #[test]
    fn forged_tokens_are_invalid() {
        let tokens = Tokens::new(&[7; 32]);
        let good = tokens.issue(5, "ana", 3).unwrap();
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
            Tokens::new(&[8; 32]).issue(5, "ana", 3).unwrap(),
        ] {
            assert_eq!(problem(&tokens, &forged), SignInProblem::InvalidToken, "{forged}");
        }
    }
}
