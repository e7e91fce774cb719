//! Tokens of locks: each says itself what it locks and for whom, so that its holder has the lock again after a restart.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac_sha256::{HMAC, Hash};

use crate::auth::key;
use crate::error::Result;

/// What every token begins with, as the URI that it is.
const SCHEME: &str = "larder:";

/// Bytes of what a token says, without the proof of it. There are clients with little room for a token.
const SAID: usize = 31;

/// Bytes of the proof.
const PROOF: usize = 12;

/// Makes tokens, and reads them.
pub struct LockTokens {
    /// What proves that a token is ours.
    key: [u8; 32],
    /// This run of larder.
    run: [u8; 6],
    /// Tokens so far.
    count: AtomicU32,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run in which it was made, and its number there.
    serial: [u8; 10],
    /// Of the path that is locked.
    path: [u8; 8],
    /// Whether all below is locked, too.
    pub is_deep: bool,
    /// Whether nobody else may have a lock there.
    pub is_exclusive: bool,
    /// Whose it is.
    pub user: i64,
    /// When it ends (seconds since 1970).
    pub expires: i64,
}

impl LockTokens {
    /// With keys made from this secret.
    ///
    /// Errors: `Io` (no randomness).
    pub fn new(secret: &[u8]) -> Result<Self> {
        let key = HMAC::mac("larder: tokens of locks", secret);
        Ok(Self { key, run: key::random_bytes()?, count: AtomicU32::new(0) })
    }

    /// A new token.
    pub fn make(&self, path: &str, claim: Wish) -> String {
        let mut said = Vec::with_capacity(SAID + PROOF);
        said.extend(self.run);
        said.extend(self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        said.extend(digest(path));
        said.push(u8::from(claim.is_deep) | u8::from(claim.is_exclusive) << 1);
        said.extend(claim.user.to_be_bytes());
        // Past the year 2100 too.
        said.extend(&claim.expires.to_be_bytes()[4..]);
        said.extend(self.proof(&said));
        format!("{SCHEME}{}", BASE64.encode(&said))
    }

    /// What a token says, if it is one of ours.
    pub fn read(&self, token: &str) -> Option<Claim> {
        let bytes = BASE64.decode(token.strip_prefix(SCHEME)?).ok()?;
        let (said, proof) = bytes.split_at_checked(SAID)?;
        let is_same = |one: &[u8], two: &[u8]| {
            one.iter().zip(two).fold(0, |differing, (one, two)| differing | (one ^ two)) == 0
        };
        if proof.len() != PROOF || !is_same(proof, &self.proof(said)) {
            return None;
        }
        let (serial, rest) = said.split_first_chunk::<10>()?;
        let (path, rest) = rest.split_first_chunk::<8>()?;
        let ([flags], rest) = rest.split_first_chunk::<1>()?;
        let (user, rest) = rest.split_first_chunk::<8>()?;
        let (expires, _) = rest.split_first_chunk::<4>()?;
        Some(Claim {
            serial: *serial,
            path: *path,
            is_deep: flags & 1 != 0,
            is_exclusive: flags & 2 != 0,
            user: i64::from_be_bytes(*user),
            expires: u32::from_be_bytes(*expires).into(),
        })
    }

    /// Whether a token was made by a larder that ran before: this one does not know what became of it.
    pub fn is_of_before(&self, claim: &Claim) -> bool {
        !claim.serial.starts_with(&self.run)
    }

    /// What proves that this was said by us.
    fn proof(&self, said: &[u8]) -> [u8; PROOF] {
        let mut proof = [0; PROOF];
        proof.copy_from_slice(&HMAC::mac(said, self.key)[..PROOF]);
        proof
    }
}

/// What a token is to say.
#[derive(Clone, Copy)]
pub struct Wish {
    /// Whether all below is locked, too.
    pub is_deep: bool,
    /// Whether nobody else may have a lock there.
    pub is_exclusive: bool,
    /// Whose it is.
    pub user: i64,
    /// When it ends (seconds since 1970).
    pub expires: i64,
}

impl Claim {
    /// Whether it is this path that is locked.
    pub fn is_for(&self, path: &str) -> bool {
        self.path == digest(path)
    }
}

/// What stands for a path in a token.
fn digest(path: &str) -> [u8; 8] {
    let mut digest = [0; 8];
    digest.copy_from_slice(&Hash::hash(path.as_bytes())[..8]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_says_what_it_locks_and_nobody_else_makes_one() {
        let tokens = LockTokens::new(b"secret").unwrap();
        let wish = Wish { is_deep: true, is_exclusive: false, user: 7, expires: 1_800_000_000 };
        let token = tokens.make("a/b", wish);
        let claim = tokens.read(&token).unwrap();
        assert!(claim.is_deep && !claim.is_exclusive && claim.is_for("a/b") && !claim.is_for("a"));
        assert_eq!((claim.user, claim.expires), (7, 1_800_000_000));
        assert!(!tokens.is_of_before(&claim));
        assert_ne!(tokens.make("a/b", wish), token);
        let later = LockTokens::new(b"secret").unwrap();
        assert!(later.is_of_before(&later.read(&token).unwrap()));
        assert_eq!(LockTokens::new(b"other").unwrap().read(&token), None);
        for at in (SCHEME.len()..token.len()).step_by(5) {
            let mut forged = token.clone();
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            forged.replace_range(at..=at, other);
            assert_eq!(tokens.read(&forged), None, "{at}");
        }
        for none in ["", SCHEME, "larder:AAAA", "urn:uuid:x", &token[..token.len() - 2]] {
            assert_eq!(tokens.read(none), None);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_somebody_makes_up_is_a_token(text in "(larder:)?[A-Za-z0-9_-]{0,64}") {
            prop_assert_eq!(LockTokens::new(b"secret").unwrap().read(&text), None);
        }

        #[test]
        fn a_token_says_what_was_wished(
            path in "[a-z/\u{e9}]{0,20}",
            is_deep: bool,
            is_exclusive: bool,
            user: i64,
            expires in 0..i64::from(u32::MAX),
        ) {
            let tokens = LockTokens::new(b"secret").unwrap();
            let wish = Wish { is_deep, is_exclusive, user, expires };
            let claim = tokens.read(&tokens.make(&path, wish)).unwrap();
            prop_assert!(claim.is_for(&path));
            prop_assert_eq!((claim.is_deep, claim.is_exclusive), (is_deep, is_exclusive));
            prop_assert_eq!((claim.user, claim.expires), (user, expires));
        }
    }
}
