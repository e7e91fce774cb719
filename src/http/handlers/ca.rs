//! How a device is told to trust larder's own authority (second contract, section 20). Open to all, and over plain HTTP
//! as well: who does not trust it yet could not come by another way. Nothing here is a secret.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tiny_http::ext::Body;

use crate::error::{Error, Result};
use crate::http::answer::other_answer;
use crate::http::assets;
use crate::http::call::Call;
use crate::http::handlers::pages::{self, Page};
use crate::http::reply::Reply;
use crate::tls::Authority;

/// The page in German, packed.
static GERMAN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ca-de.html.gz"));

/// The page in English, packed.
static ENGLISH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ca-en.html.gz"));

/// What the page calls each kind of device, and by which words its browsers are known; the last is for all others.
const DEVICES: [(&str, &[&str]); 5] = [
    ("{ios}", &["iPhone", "iPad"]),
    ("{android}", &["Android"]),
    ("{mac}", &["Macintosh"]),
    ("{windows}", &["Windows"]),
    ("{linux}", &[""]),
];

/// What stands for the host where the one that was asked for could not be shown.
const HOST: &str = "larder.local";

other_answer!(/// A certificate.
    Certificate,
    200: "The certificate, DER." in "application/x-x509-ca-cert");

other_answer!(/// A profile for Apple's devices.
    Profile,
    200: "The profile." in "application/x-apple-aspen-config");

/// `GET /ca`: what to do on each kind of device, the one that asks first.
///
/// Errors: `NotFound` where larder is not its own authority.
pub fn page(call: &mut Call<'_>, (): ()) -> Result<Page> {
    let authority = authority(call)?;
    let field = |name: &str| call.request.header(name).unwrap_or_default();
    let packed = if is_german(field("Accept-Language")) { GERMAN } else { ENGLISH };
    let mut text = unpacked(packed).map_err(|_| Error::Bug("a page can't be unpacked".into()))?;
    let device = device_of(field("User-Agent"));
    for (mark, _) in DEVICES {
        text = text.replace(mark, if mark == device { " open" } else { "" });
    }
    let text = text
        .replace("{subject}", &escaped(authority.subject()))
        .replace("{fingerprint}", &authority.fingerprint())
        .replace("{host}", &escaped(shown_host(field("Host"))));
    let reply = fresh(text.into_bytes(), "text/html; charset=utf-8")
        .with("Vary", "Accept-Language, User-Agent")
        .with("Content-Security-Policy", assets::CONTENT_SECURITY_POLICY)
        .with("Referrer-Policy", "same-origin");
    Ok(Page(reply))
}

/// `GET /ca.css`: the page's style, beside it and not under `/web/`, which may be open to TLS alone.
///
/// Errors: `NotFound`, likewise.
pub fn style(call: &mut Call<'_>, (): ()) -> Result<Page> {
    authority(call)?;
    pages::send(call, "ca.css")
}

/// `GET /ca.crt`.
///
/// Errors: `NotFound`, likewise.
pub fn certificate(call: &mut Call<'_>, (): ()) -> Result<Certificate> {
    let authority = authority(call)?;
    // Not as an attachment: some browsers take it in at once then.
    let reply = fresh(authority.der().to_vec(), "application/x-x509-ca-cert")
        .with("Content-Disposition", "inline; filename=\"larder-ca.crt\"");
    Ok(Certificate(reply))
}

/// `GET /ca.mobileconfig`.
///
/// Errors: `NotFound`, likewise.
pub fn profile(call: &mut Call<'_>, (): ()) -> Result<Profile> {
    let profile = profile_of(&authority(call)?);
    Ok(Profile(fresh(profile.into_bytes(), "application/x-apple-aspen-config")))
}

/// What devices are to trust.
///
/// Errors: `NotFound` where the certificates are the owner's; `Io`.
fn authority(call: &Call<'_>) -> Result<Authority> {
    let found = call.app.tls.authority().map_err(io::Error::other)?;
    found.ok_or(Error::NotFound("Not found"))
}

/// 200 with what nobody may keep: after `larder ca renew` it is another.
fn fresh(bytes: Vec<u8>, mime: &'static str) -> Reply {
    Reply::new(200, Body::Bytes(bytes.into()))
        .with("Content-Type", mime)
        .with("Cache-Control", "no-store")
}

/// A text that was packed when larder was built.
fn unpacked(packed: &[u8]) -> io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text)?;
    Ok(text)
}

/// Whether German is the first of the languages of the two that we have. Browsers list what they like best first.
fn is_german(accepted: &str) -> bool {
    let mut languages = accepted.split(',').map(str::trim);
    let known = |language: &str| match language.get(..2) {
        Some(short) if short.eq_ignore_ascii_case("de") => Some(true),
        Some(short) if short.eq_ignore_ascii_case("en") => Some(false),
        _ => None,
    };
    languages.find_map(known) == Some(true)
}

/// Which device this browser runs on.
fn device_of(agent: &str) -> &'static str {
    let is_it = |(_, words): &&(&str, &[&str])| words.iter().any(|word| agent.contains(word));
    DEVICES.iter().find(is_it).map_or("{linux}", |(mark, _)| mark)
}

/// The host that was asked for, if it looks like one.
fn shown_host(host: &str) -> &str {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    let host = host.trim();
    if !host.is_empty() && host.bytes().all(is_fine) { host } else { HOST }
}

/// Text as it stands in HTML, in its attributes, and in XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML knows none of them (XML 1.0, 2.2).
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A profile with the authority as a root. Its names follow from the authority: the same one replaces itself, another
/// larder's stands beside it.
fn profile_of(authority: &Authority) -> String {
    let name = escaped(authority.subject());
    let (outer, inner) = (uuid(authority, "profile"), uuid(authority, "certificate"));
    let content = STANDARD.encode(authority.der());
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>larder-ca.crt</string>
			<key>PayloadContent</key>
			<data>{content}</data>
			<key>PayloadDisplayName</key>
			<string>{name}</string>
			<key>PayloadIdentifier</key>
			<string>larder.{outer}.certificate</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>{inner}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDisplayName</key>
	<string>{name}</string>
	<key>PayloadIdentifier</key>
	<string>larder.{outer}</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{outer}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
"#
    )
}

/// A UUID that follows from the authority and from what it is for (RFC 9562, 5.8).
fn uuid(authority: &Authority, purpose: &str) -> String {
    let hash = Sha256::new().chain_update(authority.der()).chain_update(purpose).finalize();
    let bits = hash.iter().take(16).fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    let bits = bits & !(0xf << 76) | 0x8 << 76;
    let bits = bits & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{bits:032X}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| hex.get(part)).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    /// An authority of a machine that is called so.
    fn authority(host: &str) -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let wanted = crate::tls::Wanted::of(host, &[], &[]);
        crate::tls::make_authority(folder.path(), &wanted, SystemTime::now()).unwrap()
    }

    #[test]
    fn the_page_speaks_the_language_that_is_liked_best() {
        for german in ["de", "de-AT,en;q=0.5", "fr, DE;q=0.8, en;q=0.7", "nl,de"] {
            assert!(is_german(german), "{german}");
        }
        for english in ["", "en", "en-GB,de;q=0.9", "fr", "*", "d", "ü"] {
            assert!(!is_german(english), "{english}");
        }
    }

    #[test]
    fn both_pages_have_every_mark_and_no_other() {
        for packed in [GERMAN, ENGLISH] {
            let text = unpacked(packed).unwrap();
            let marks = DEVICES.iter().map(|(mark, _)| *mark);
            let mut left = text.clone();
            for mark in marks.chain(["{subject}", "{fingerprint}", "{host}"]) {
                assert!(text.contains(mark), "{mark}");
                left = left.replace(mark, "");
            }
            assert!(!left.contains(['{', '}']), "{left}");
            assert!(!text.contains("<script") && !text.contains("style="), "the policy forbids it");
        }
    }

    #[test]
    fn the_device_that_asks_is_the_one_that_is_open() {
        for (agent, device) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "{ios}"),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8)", "{android}"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "{mac}"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "{windows}"),
            ("Mozilla/5.0 (X11; Linux x86_64)", "{linux}"),
            ("", "{linux}"),
        ] {
            assert_eq!(device_of(agent), device, "{agent}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_stays_text() {
        assert_eq!(escaped("a&<b>\"'\u{7}"), "a&amp;&lt;b&gt;&quot;&#39;\u{fffd}");
        for host in ["\"><script>", "", "a b", "a/../b", "x'y", "ü"] {
            assert_eq!(shown_host(host), HOST, "{host}");
        }
        for host in ["nas", "nas.local:6969", "[fd00::1]:80", "192.168.1.4"] {
            assert_eq!(shown_host(host), host);
        }
        let profile = profile_of(&authority("<&\">"));
        assert!(profile.contains("<string>larder on &lt;&amp;&quot;&gt;, "), "{profile}");
        assert!(!profile.contains("<&"), "{profile}");
    }

    #[test]
    fn a_profile_is_the_same_for_one_authority_and_another_for_another() {
        let (one, other) = (authority("nas"), authority("nas"));
        assert_eq!(profile_of(&one), profile_of(&one));
        let uuid_of = |authority: &Authority| uuid(authority, "profile");
        assert_ne!(uuid_of(&one), uuid_of(&other));
        assert_ne!(uuid_of(&one), uuid(&one, "certificate"));
        let found = uuid_of(&one);
        let lengths: Vec<usize> = found.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{found}");
        assert_eq!(found.chars().nth(14), Some('8'), "{found}");
        assert!(found.chars().nth(19).is_some_and(|digit| "89AB".contains(digit)), "{found}");
    }
}
