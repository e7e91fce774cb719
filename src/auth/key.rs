//! API keys and other random secrets. A key is stored as its SHA-256 hash: it has 192 random
//! bits, so that a slow hash would add nothing.

use nanorand::{ChaCha20, Rng};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::limits;

/// Letters and digits that nobody mistakes for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters of a password that larder makes up: 16 of 32 letters are 80 bits.
const PASSWORD_LETTERS: usize = 16;

/// `N` bytes from the system's own source of randomness.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        let rest = &mut bytes[filled..];
        filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())
            .map_err(|cause| Error::Io(cause.into()))?;
    }
    Ok(bytes)
}

/// A new API key, `lk_` and 48 hex digits, with its hash and its hint.
pub fn new_key() -> Result<NewKey> {
    let key = format!("lk_{}", hex(&random_bytes::<24>()?));
    Ok(NewKey { hash: hash(&key), hint: hint(&key), key })
}

/// A key that its user made up: long enough not to be guessed, and of letters that pass in a
/// header field as they are.
///
/// Errors: `Invalid`.
pub fn given_key(given: &str) -> Result<NewKey> {
    let length = limits::KEY_LETTERS_MIN..=limits::KEY_BYTES_MAX;
    if !length.contains(&given.len()) || !given.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid("API_KEY must have 32 to 256 letters, digits or signs"));
    }
    Ok(NewKey { hash: hash(given), hint: hint(given), key: given.to_owned() })
}

/// A key on the day it is made: shown once, then only hash and hint are left.
pub struct NewKey {
    /// What the user types.
    pub key: String,
    /// What is stored.
    pub hash: String,
    /// What is shown later.
    pub hint: String,
}

/// SHA-256 of a key, in hex.
pub fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// The first seven letters: enough to tell keys apart, too few to guess by.
pub fn hint(key: &str) -> String {
    key.chars().take(7).collect()
}

/// How a key is shown later (contract, section 3); nothing without a key.
pub fn masked(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("{hint}…") }
}

/// A random password that can be read aloud, in groups of four.
pub fn new_password() -> Result<String> {
    // A generator that draws each letter alike, with a key from the system.
    let mut generator = ChaCha20::new_key(random_bytes()?, [0; 8], random_bytes()?);
    let mut password = String::new();
    for index in 0..PASSWORD_LETTERS {
        if index > 0 && index % 4 == 0 {
            password.push('-');
        }
        let letter = ALPHABET[generator.generate_range(0..ALPHABET.len())];
        password.push(char::from(letter));
    }
    Ok(password)
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, two) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one.key, two.key);
        assert_eq!(one.key.len(), 51);
        assert!(one.key.starts_with(&one.hint) && one.hint.len() == 7);
        assert_eq!(one.hash, hash(&one.key));
    }

    #[test]
    fn a_hash_is_sha256_in_hex() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn passwords_are_readable_and_never_the_same() {
        let password = new_password().unwrap();
        assert_eq!(password.len(), 19);
        assert!(password.bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)));
        assert_ne!(password, new_password().unwrap());
    }
}
