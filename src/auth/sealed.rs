//! Secrets that larder must be able to read again, as they lie in a table: encrypted and bound to whom they belong to,
//! under a key that is made of `secret.key`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HMAC;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::auth::key;
use crate::error::{Error, Result};

/// Seals and opens.
pub struct Seal(LessSafeKey);

/// What went wrong cannot be: a length is not as it was declared.
const BUG: Error = Error::Bug(std::borrow::Cow::Borrowed("a secret could not be sealed"));

impl Seal {
    /// With a key of its own for this purpose, so that what is made for one says nothing about another.
    ///
    /// Errors: `Bug`.
    pub fn new(secret: &[u8], purpose: &str) -> Result<Self> {
        let key = HMAC::mac(purpose, secret);
        Ok(Self(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_| BUG)?)))
    }

    /// A secret as it is stored: RFC 8439, under a nonce of its own each time.
    ///
    /// Errors: `Io` (no randomness), `Bug`.
    pub fn seal(&self, owner: i64, secret: &[u8]) -> Result<String> {
        let nonce = key::random_bytes::<NONCE_LEN>()?;
        let mut sealed = secret.to_vec();
        let owner = Aad::from(owner.to_be_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), owner, &mut sealed)
            .map_err(|_| BUG)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The secret again; `None` when it was sealed under another key, for somebody else, or is damaged.
    pub fn open(&self, owner: i64, stored: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(stored).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(owner.to_be_bytes()), sealed);
        opened.ok().map(|secret| secret.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_it_for_the_same_owner() {
        let seal = Seal::new(&[7; 32], "a test").unwrap();
        let stored = seal.seal(5, b"secret").unwrap();
        assert_eq!(seal.open(5, &stored).unwrap(), b"secret");
        assert_ne!(stored, seal.seal(5, b"secret").unwrap());
        assert!(seal.open(6, &stored).is_none());
        assert!(Seal::new(&[7; 32], "another").unwrap().open(5, &stored).is_none());
        assert!(Seal::new(&[8; 32], "a test").unwrap().open(5, &stored).is_none());
        for damaged in ["", "x", "AAAA", &stored[1..], &stored.to_lowercase()] {
            assert!(seal.open(5, damaged).is_none(), "{damaged}");
        }
    }
}
