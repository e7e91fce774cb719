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

/// A number for a row that was never another's: few enough digits for programs whose numbers are floating ones.
pub fn new_id() -> Result<i64> {
    // The lowest bit is set, so that it is never 0.
    Ok((i64::from_be_bytes(random_bytes()?) & 0x000f_ffff_ffff_ffff) | 1)
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

/// Whether this has the form of the keys that larder makes up.
pub fn is_key(given: &str) -> bool {
    let digits = given.strip_prefix("lk_").unwrap_or_default();
    digits.len() == 48 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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

/// Letters of a code that signs somebody in once: 12 of 32 letters are 60 bits, for a quarter of an hour and one
/// guess a second.
const CODE_LETTERS: usize = 12;

/// A random password that can be read aloud, in groups of four.
pub fn new_password() -> Result<String> {
    new_word(PASSWORD_LETTERS)
}

/// A code that signs somebody in once, in groups of four.
pub fn new_code() -> Result<String> {
    new_word(CODE_LETTERS)
}

/// Letters of a code that stands in for the second factor: 80 bits, as they lie in a drawer for years and their hashes
/// in a table.
const RECOVERY_LETTERS: usize = 16;

/// A code that stands in for the second factor once, in groups of four.
pub fn new_recovery_code() -> Result<String> {
    new_word(RECOVERY_LETTERS)
}

/// Its hash, likewise however it was typed.
pub fn recovery_hash(given: &str) -> Option<String> {
    word_hash(given, RECOVERY_LETTERS)
}

/// The hash of a code as somebody typed it: in capitals, with or without what groups the letters. `None` for what
/// is no code.
pub fn code_hash(given: &str) -> Option<String> {
    word_hash(given, CODE_LETTERS)
}

/// The hash of a word of so many letters.
fn word_hash(given: &str, length: usize) -> Option<String> {
    if given.len() > limits::CODE_BYTES_MAX {
        return None;
    }
    let letters = given.chars().filter(|letter| *letter != '-' && !letter.is_whitespace());
    let code: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let is_code = code.len() == length && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then(|| hash(&code))
}

/// Random letters that nobody mistakes for one another, in groups of four.
fn new_word(letters: usize) -> Result<String> {
    // A generator that draws each letter alike, with a key from the system.
    let mut generator = ChaCha20::new_key(random_bytes()?, [0; 8], random_bytes()?);
    let mut word = String::new();
    for index in 0..letters {
        if index > 0 && index % 4 == 0 {
            word.push('-');
        }
        let letter = ALPHABET[generator.generate_range(0..ALPHABET.len())];
        word.push(char::from(letter));
    }
    Ok(word)
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
        assert!(is_key(&one.key));
        for none in ["", "lk_", &one.key[1..], &one.key[..50], &one.key.to_uppercase()] {
            assert!(!is_key(none), "{none}");
        }
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

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = new_code().unwrap();
        assert_eq!(code.len(), 14);
        let hash = code_hash(&code).unwrap();
        for typed in
            [code.to_uppercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))]
        {
            assert_eq!(code_hash(&typed).as_ref(), Some(&hash), "{typed}");
        }
        let long = format!("{code}{}", " ".repeat(1000));
        for no_code in
            ["", "abcd-efgh-ijk", "abcd-efgh-ijkl", "abcd-efgh-ijkmn", "abcd-efgh-ijké", &long]
        {
            assert_eq!(code_hash(no_code), None, "{no_code}");
        }
    }
}
