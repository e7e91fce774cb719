//! The release manifest (contract, section 12), and whether to believe it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_compact::{PublicKey, Signature};
use semver::Version;
use serde::Deserialize;

/// Bytes of a SHA-256.
pub const HASH_BYTES: usize = 32;

/// A newer program for this machine, whose hash its maker has signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// Of the manifest; not signed.
    pub version: Version,
    /// Where the program lies.
    pub url: String,
    /// What its content must be.
    pub sha256: [u8; HASH_BYTES],
}

/// `{"version", "targets": {"<target triple>": {"url", "sha256", "signature"}}}`.
#[derive(Deserialize)]
struct Manifest {
    /// Semantic version 2.0.0.
    version: String,
    /// By target triple.
    targets: BTreeMap<String, Binary>,
}

/// One program.
#[derive(Deserialize)]
struct Binary {
    /// http or https.
    url: String,
    /// Hexadecimal.
    sha256: String,
    /// Ed25519 (RFC 8032) over the 32 bytes of the hash, base64.
    signature: String,
}

/// The release for this target, if it is newer than ours.
///
/// Errors: one line for the owner.
pub fn choose(
    manifest: &[u8],
    target: &str,
    ours: &Version,
    key: &str,
) -> Result<Option<Release>, String> {
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|_| "the manifest is not one".to_owned())?;
    let version = Version::parse(&manifest.version)
        .map_err(|_| format!("the manifest's version {:?} is none", manifest.version))?;
    if version <= *ours {
        return Ok(None);
    }
    let binary = manifest
        .targets
        .get(target)
        .ok_or_else(|| format!("release {version} has no program for {target}"))?;
    let sha256 = hash_of_hex(&binary.sha256)
        .ok_or_else(|| format!("release {version} has no SHA-256 for {target}"))?;
    if !is_signed(&sha256, &binary.signature, key) {
        return Err(format!("the signature of release {version} is not good"));
    }
    Ok(Some(Release { version, url: binary.url.clone(), sha256 }))
}

/// Whether `signature` is that of `key` over the hash.
fn is_signed(sha256: &[u8], signature: &str, key: &str) -> bool {
    let decode = |text: &str| BASE64.decode(text.trim()).ok();
    let check = || {
        let key = PublicKey::from_slice(&decode(key)?).ok()?;
        let signature = Signature::from_slice(&decode(signature)?).ok()?;
        key.verify(sha256, &signature).ok()
    };
    check().is_some()
}

/// 64 hexadecimal digits.
fn hash_of_hex(text: &str) -> Option<[u8; HASH_BYTES]> {
    let digits = text.trim().as_bytes();
    let mut hash = [0; HASH_BYTES];
    if digits.len() != 2 * HASH_BYTES {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |letter: u8| char::from(letter).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_compact::{KeyPair, Seed};
    use serde_json::{Value, json};

    fn pair(number: u8) -> (KeyPair, String) {
        let pair = KeyPair::from_seed(Seed::new([number; 32]));
        let key = BASE64.encode(*pair.pk);
        (pair, key)
    }

    fn manifest(version: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let signature = BASE64.encode(*pair(1).0.sk.sign([7; 32], None));
        let mut manifest = json!({ "version": version, "more": 1, "targets": {
            "ours": { "url": "http://x/larder", "sha256": "07".repeat(32), "signature": signature }
        }});
        change(&mut manifest);
        manifest.to_string().into_bytes()
    }

    fn choose_with(manifest: &[u8], key: &str) -> Result<Option<Release>, String> {
        choose(manifest, "ours", &Version::new(0, 10, 0), key)
    }

    #[test]
    fn a_newer_signed_release_is_chosen() {
        let release = choose_with(&manifest("0.11.0", |_| {}), &pair(1).1).unwrap().unwrap();
        assert_eq!(release.sha256, [7; 32]);
        assert_eq!(release.version, Version::new(0, 11, 0));
        assert_eq!(release.url, "http://x/larder");
    }

    #[test]
    fn what_is_not_newer_is_left() {
        for version in ["0.10.0", "0.9.9", "0.10.0-rc.1", "0.2.0"] {
            assert_eq!(choose_with(&manifest(version, |_| {}), &pair(1).1), Ok(None), "{version}");
        }
    }

    #[test]
    fn what_cannot_be_believed_is_refused() {
        let good = pair(1).1;
        let newer = |change: fn(&mut Value)| manifest("1.0.0", change);
        for (text, key, why) in [
            (newer(|_| {}), pair(2).1.as_str(), "signature"),
            (newer(|_| {}), "", "signature"),
            (newer(|_| {}), "nonsense!", "signature"),
            (
                newer(|m| m["targets"]["ours"]["sha256"] = "08".repeat(32).into()),
                &good,
                "signature",
            ),
            (newer(|m| m["targets"]["ours"]["signature"] = "AAAA".into()), &good, "signature"),
            (newer(|m| m["targets"]["ours"]["signature"] = "".into()), &good, "signature"),
            (newer(|m| m["targets"]["ours"]["sha256"] = "0".into()), &good, "SHA-256"),
            (newer(|m| m["targets"]["ours"]["sha256"] = "é".repeat(32).into()), &good, "SHA-256"),
            (newer(|m| m["targets"] = json!({})), &good, "no program for ours"),
            (newer(|m| m["version"] = "latest".into()), &good, "version"),
            (newer(|m| m["version"] = 1.into()), &good, "manifest"),
            (b"<html>".to_vec(), &good, "manifest"),
        ] {
            let line = choose_with(&text, key).unwrap_err();
            assert!(line.contains(why), "{line}, not {why}");
        }
    }

    #[test]
    fn the_signature_is_the_standards() {
        // RFC 8032, 7.1, test 1: an empty message.
        let key = BASE64.encode([
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64,
            0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68,
            0xf7, 0x07, 0x51, 0x1a,
        ]);
        let signature = BASE64.encode([
            0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80, 0x6e,
            0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65,
            0x22, 0x49, 0x01, 0x55, 0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e,
            0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0, 0x59, 0x5b, 0xbe, 0x24,
            0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b,
        ]);
        assert!(is_signed(b"", &signature, &key));
        assert!(!is_signed(b"x", &signature, &key));
    }
}
