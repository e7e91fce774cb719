//! Codes that change with the time: RFC 6238 with SHA-1, six digits and steps of 30 seconds, which every program knows.

use hmac_sha1_compact::HMAC;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::key;
use crate::error::Result;

/// Seconds for which one code is shown (RFC 6238, 5.2).
const STEP_S: i64 = 30;

/// Digits of a code.
const DIGITS: usize = 6;

/// How many codes there are of so many digits.
const CODES: u32 = 1_000_000;

/// Bytes of a secret: as many as the hash has (RFC 4226, 4).
pub const SECRET_BYTES: usize = 20;

/// What both sides know.
pub type Secret = [u8; SECRET_BYTES];

/// Letters of base32 (RFC 4648, 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What is encoded in a part of a URI: all but what never is (RFC 3986, 2.3).
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A secret that nobody knows yet.
///
/// Errors: `Io` (no randomness).
pub fn new_secret() -> Result<Secret> {
    key::random_bytes()
}

/// The step that a moment is in, in seconds since 1970.
pub fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(STEP_S)
}

/// The code of a step (RFC 4226, 5.3).
fn code_at(secret: &Secret, step: i64) -> u32 {
    let mac = HMAC::mac(&step.to_be_bytes(), secret);
    let offset = usize::from(mac.last().copied().unwrap_or_default() & 0xf);
    let word = mac.iter().skip(offset).take(4);
    let word = word.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
    (word & 0x7fff_ffff) % CODES
}

/// The number of a code as somebody typed it, with or without blanks; `None` for what is none.
pub fn number(given: &str) -> Option<u32> {
    if given.len() > 4 * DIGITS {
        return None;
    }
    let digits: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_code = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_code)
}

/// The step whose code this is, of this one, the one before and the one after: phones and boards do not agree to the
/// second, and people type slowly.
pub fn step_of(secret: &Secret, code: u32, now: i64) -> Option<i64> {
    (now - 1..=now + 1).find(|step| code_at(secret, *step) == code)
}

/// A secret as people and programs copy it.
pub fn base32(secret: &Secret) -> String {
    let bits = secret.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
    let bits: Vec<u8> = bits.collect();
    let letter = |five: &[u8]| five.iter().fold(0_u8, |letter, bit| (letter << 1) | bit);
    let letters = bits.chunks(5).map(|five| BASE32.get(usize::from(letter(five))));
    letters.flatten().map(|letter| char::from(*letter)).collect()
}

/// What a program that shows codes reads out of a QR code.
pub fn uri(secret: &Secret, username: &str) -> String {
    let label = utf8_percent_encode(username, IN_URI);
    let secret = base32(secret);
    format!(
        "otpauth://totp/larder:{label}?secret={secret}&issuer=larder&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    pub const SECRET: Secret = *b"12345678901234567890";

    /// The code that a phone shows.
    pub fn shown(secret: &Secret, step: i64) -> String {
        format!("{:06}", code_at(secret, step))
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, of whose eight digits these are the last six.
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code_at(&SECRET, step_at(seconds)), code, "{seconds}");
        }
        // RFC 4226, appendix D.
        let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(code_at(&SECRET, step), code);
        }
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after() {
        let code = code_at(&SECRET, 100);
        let found = [98, 99, 100, 101, 102].map(|now| step_of(&SECRET, code, now));
        assert_eq!(found, [None, Some(100), Some(100), Some(100), None]);
        assert_eq!(step_at(59), 1);
        assert_eq!(step_at(-1), -1);
    }

    #[test]
    fn six_digits_are_a_code_however_they_are_grouped() {
        for (typed, code) in [("081804", 81_804), (" 081 804 ", 81_804), ("000000", 0)] {
            assert_eq!(number(typed), Some(code));
        }
        let long = format!("081804{}", " ".repeat(100));
        for none in ["", "81804", "0818040", "+81804", "08180x", "०८१८०४", "-81804", &long]
        {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn a_secret_is_told_in_base32_and_in_a_uri() {
        assert_eq!(base32(&SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(&[0xff; SECRET_BYTES]), "7".repeat(32));
        assert_eq!(
            uri(&SECRET, "ana b:é"),
            "otpauth://totp/larder:ana%20b%3A%C3%A9?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=larder&algorithm=SHA1&digits=6&period=30"
        );
        assert_ne!(new_secret().unwrap(), new_secret().unwrap());
    }
}
