//! What is worked out from `secret.key`: the tokens of links, and what guests are known by. Everything is compared
//! in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::{HMAC, Hash};

use crate::auth::key;
use crate::error::Result;
use crate::limits;

/// Bytes of a MAC.
const MAC_BYTES: usize = 32;

/// One key for each use, so that what was made for one says nothing about the other.
pub(super) struct Keys {
    /// Makes tokens.
    tokens: [u8; MAC_BYTES],
    /// Seals guests' cookies.
    guests: [u8; MAC_BYTES],
}

/// Somebody who uses a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Who it is: hex digits that larder made up.
    pub id: String,
    /// What they call themselves; empty when they did not say.
    pub name: String,
    /// When they were let in (seconds since 1970): their time counts from there.
    pub since: i64,
}

/// What a cookie is bound to.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    /// The link's number.
    pub link_id: i64,
    /// The link's epoch.
    pub epoch: i64,
}

impl Guest {
    /// Somebody nobody knows yet, by the name they give themselves, who is let in now.
    ///
    /// Errors: `Io` (no randomness).
    pub fn new(name: &str, since: i64) -> Result<Self> {
        let name = name.get(..name.floor_char_boundary(limits::GUEST_NAME_BYTES_MAX));
        Ok(Self {
            id: key::hex(&key::random_bytes::<16>()?),
            name: name.unwrap_or_default().to_owned(),
            since,
        })
    }

    /// Seconds that their cookie is still good.
    pub fn time_left(&self, now: i64) -> u64 {
        // A clock that was set back makes it as old as one that went on.
        limits::LINK_COOKIE_LIFE.as_secs().saturating_sub(self.since.abs_diff(now))
    }
}

impl Keys {
    /// Those that belong to this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self {
            tokens: HMAC::mac("larder: tokens of links", secret),
            guests: HMAC::mac("larder: guests of links", secret),
        }
    }

    /// The token of a link: 22 letters that say nothing about it and can be worked out again.
    pub fn token(&self, link_id: i64, nonce: &[u8]) -> String {
        let mut mac = HMAC::new(self.tokens);
        mac.update(link_id.to_be_bytes());
        mac.update(nonce);
        let mac = mac.finalize();
        URL_SAFE_NO_PAD.encode(mac.get(..limits::LINK_TOKEN_BYTES).unwrap_or_default())
    }

    /// A guest as a cookie's value: who, since when and under what name, and that larder wrote it.
    pub fn seal(&self, bound: Bound, guest: &Guest) -> String {
        let name = URL_SAFE_NO_PAD.encode(&guest.name);
        let said = format!("{}.{}.{name}", guest.id, guest.since);
        let mac = URL_SAFE_NO_PAD.encode(self.mac_of(bound, &said).finalize());
        format!("{said}.{mac}")
    }

    /// The guest of a cookie that larder wrote for this link, and not too long ago.
    pub fn unseal(&self, bound: Bound, cookie: &str, now: i64) -> Option<Guest> {
        if cookie.len() > limits::LINK_COOKIE_BYTES_MAX {
            return None;
        }
        let (said, mac) = cookie.rsplit_once('.')?;
        let mac: [u8; MAC_BYTES] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        if !self.mac_of(bound, said).finalize_verify(&mac) {
            return None;
        }
        let mut parts = said.split('.');
        let (id, since, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (id, since) = (id.to_owned(), since.parse().ok()?);
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        Some(Guest { id, name, since }).filter(|guest| guest.time_left(now) > 0)
    }

    /// The MAC of what a cookie says.
    fn mac_of(&self, bound: Bound, said: &str) -> HMAC {
        let mut mac = HMAC::new(self.guests);
        mac.update(bound.link_id.to_be_bytes());
        mac.update(bound.epoch.to_be_bytes());
        mac.update(said);
        mac
    }
}

/// SHA-256 of a token in hex; `None` for what is no token.
pub(super) fn token_hash(token: &str) -> Option<String> {
    let is_one =
        URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| bytes.len() == limits::LINK_TOKEN_BYTES);
    is_one.then(|| key::hash(token))
}

/// Whether a token has this hash (hex).
pub(super) fn has_hash(token: &str, hash: &str) -> bool {
    from_hex::<32>(hash).is_some_and(|hash| Hash::verify(token, &hash))
}

/// Bytes that are told in lower-case hex digits.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link's number and epoch.
    fn bound(link_id: i64, epoch: i64) -> Bound {
        Bound { link_id, epoch }
    }

    #[test]
    fn a_token_is_22_letters_and_comes_again_from_the_same_secret_only() {
        let keys = Keys::new(&[7; 32]);
        let token = keys.token(5, &[1; 16]);
        assert_eq!(token.len(), 22);
        assert_eq!(token, Keys::new(&[7; 32]).token(5, &[1; 16]));
        let others = [
            keys.token(6, &[1; 16]),
            keys.token(5, &[2; 16]),
            Keys::new(&[8; 32]).token(5, &[1; 16]),
        ];
        assert!(!others.contains(&token));
        let hash = token_hash(&token).unwrap();
        assert!(has_hash(&token, &hash) && !has_hash(&others[0], &hash) && !has_hash(&token, ""));
    }

    #[test]
    fn what_is_no_token_has_no_hash() {
        let good = Keys::new(&[7; 32]).token(5, &[1; 16]);
        let near = [
            String::new(),
            good[1..].to_owned(),
            format!("{good}A"),
            format!("{good}=="),
            format!("+{}", &good[1..]),
            format!("/{}", &good[1..]),
            format!("ü{}", &good[2..]),
            // The last letter has four bits that say nothing; another spelling of them is no token.
            format!("{}B", &good[..21]),
        ];
        for text in near {
            assert_eq!(token_hash(&text), None, "{text}");
        }
    }

    #[test]
    fn a_cookie_is_good_for_its_link_its_epoch_and_its_time() {
        let keys = Keys::new(&[7; 32]);
        let guest = Guest { id: "0123abcd".to_owned(), name: "Oma. ü/..".to_owned(), since: 1000 };
        let life = i64::try_from(limits::LINK_COOKIE_LIFE.as_secs()).unwrap();
        let cookie = keys.seal(bound(5, 1), &guest);
        for (link, now) in [(bound(5, 1), 1000), (bound(5, 1), 999 + life), (bound(5, 1), 900)] {
            assert_eq!(keys.unseal(link, &cookie, now).as_ref(), Some(&guest), "{now}");
        }
        for (link, now) in [
            (bound(5, 2), 1000),
            (bound(6, 1), 1000),
            (bound(5, 1), 1000 + life),
            (bound(5, 1), 1000 - life),
            (bound(5, 1), i64::MIN),
        ] {
            assert_eq!(keys.unseal(link, &cookie, now), None, "{now}");
        }
        assert_eq!(Keys::new(&[8; 32]).unseal(bound(5, 1), &cookie, 1000), None);
    }

    #[test]
    fn a_cookie_that_somebody_changed_is_none() {
        let keys = Keys::new(&[7; 32]);
        let guest = Guest { id: "ab".to_owned(), name: "Ana".to_owned(), since: 1000 };
        let cookie = keys.seal(bound(5, 1), &guest);
        for index in 0..cookie.len() {
            let mut changed = cookie.clone().into_bytes();
            changed[index] = if changed[index] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(keys.unseal(bound(5, 1), &changed, 1000), None, "{changed}");
        }
        for cookie in ["", ".", "...", "a.b.c.d", &"x".repeat(5000)] {
            assert_eq!(keys.unseal(bound(5, 1), cookie, 1000), None, "{cookie}");
        }
    }
}
