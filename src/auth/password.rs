//! Passwords: Argon2id (RFC 9106), a bounded number at once, and a decoy for unknown names.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::auth::key;
use crate::auth::turns::{Party, Turn, Turns};
use crate::error::{Error, Result};
use crate::limits;

/// Everybody who wants something hashed waits here.
static TURNS: Turns = Turns::new(limits::HASHINGS_MAX);

/// The hash that unknown names are compared with.
static DECOY: OnceLock<String> = OnceLock::new();

/// Waits until it is somebody's turn to have one password hashed.
///
/// Errors: `TooSoon`.
pub fn turn(party: Party) -> Result<Turn<'static>> {
    TURNS.take(party)
}

/// Hashes a password with a random salt, for somebody who has signed in; the answer is in PHC form.
pub fn hash(password: &str) -> Result<String> {
    hash_in(&turn(Party::House)?, password)
}

/// Whether the password belongs to the hash. Without a hash (no such user) it takes as long and
/// is never right.
pub fn is_right(turn: &Turn<'_>, password: &str, hash: Option<&str>) -> Result<bool> {
    let decoy = if let Some(decoy) = DECOY.get() {
        decoy
    } else {
        let made = hash_in(turn, "decoy")?;
        DECOY.get_or_init(|| made)
    };
    let stored = hash.unwrap_or(decoy);
    #[cfg(test)]
    tests::count_hashing();
    let parsed = PasswordHash::new(stored)
        .map_err(|cause| Error::Bug(format!("a stored password hash: {cause}").into()))?;
    let matches = hasher()?.verify_password(password.as_bytes(), &parsed).is_ok();
    Ok(matches && hash.is_some())
}

/// Hashes a password with a random salt.
fn hash_in(_turn: &Turn<'_>, password: &str) -> Result<String> {
    let salt = key::random_bytes::<16>()?;
    hasher()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|cause| Error::Bug(format!("argon2: {cause}").into()))
}

/// Whether this is a hash that a password can be compared with.
pub fn is_hash(stored: &str) -> bool {
    PasswordHash::new(stored).is_ok()
}

/// Makes the decoy ahead of time, so that the first unknown name takes no longer than the next.
pub fn warm_up() -> Result<()> {
    is_right(&turn(Party::House)?, "", None).map(|_| ())
}

/// Argon2id with our parameters; a stored hash brings its own.
fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(limits::ARGON2_KIB, limits::ARGON2_PASSES, 1, None)
        .map_err(|cause| Error::Bug(format!("argon2: {cause}").into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// Passwords that were compared on this thread.
        static HASHINGS: Cell<usize> = const { Cell::new(0) };
    }

    /// Notes one more.
    pub fn count_hashing() {
        HASHINGS.set(HASHINGS.get() + 1);
    }

    /// How many there were on this thread.
    pub fn hashings() -> usize {
        HASHINGS.get()
    }

    fn is_right(password: &str, hash: Option<&str>) -> Result<bool> {
        super::is_right(&turn(Party::House)?, password, hash)
    }

    #[test]
    fn only_the_right_password_of_a_known_user_is_right() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{hash}");
        assert!(is_right("correct horse", Some(&hash)).unwrap());
        assert!(!is_right("wrong horse", Some(&hash)).unwrap());
        assert!(!is_right("decoy", None).unwrap());
        assert!(matches!(is_right("x", Some("plain text")), Err(Error::Bug(_))));
        assert!(is_hash(&hash) && !is_hash("plain text") && !is_hash(""));
    }

    #[test]
    fn the_same_password_never_has_the_same_hash() {
        assert_ne!(hash("a").unwrap(), hash("a").unwrap());
    }
}
