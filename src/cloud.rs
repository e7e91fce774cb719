//! Signing up at a cloud bridge (contract, section 10). Knows the bridge's address and its answer;
//! not who asks, and not where the account is kept.
//!
//! Whoever may change `cloud_url` decides where this larder's token goes; by the roles that is an
//! admin, who has the command console anyway. So addresses in the house are allowed (a bridge may well
//! stand there), but a redirect is never followed: what was meant for one machine goes to no other.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::fetch::{self, Fault};
use crate::limits;

/// What the bridge is sent.
#[derive(Serialize)]
pub struct SignUp<'a> {
    /// The owner's address.
    pub email: &'a str,
    /// The account's name.
    pub username: &'a str,
    /// The account's password; kept nowhere here.
    pub password: &'a str,
    /// What proves that this larder may.
    pub auth_token: &'a str,
}

/// Asks the bridge at `cloud_url` for an account; gives its JSON.
///
/// Errors: `Invalid` (no `cloud_url`), `BridgeRefused` (also when a success makes no sense),
/// `BridgeAway` (unreachable, too slow, broke off).
pub fn sign_up(cloud_url: &str, ask: &SignUp<'_>, time: Duration) -> Result<Value> {
    if cloud_url.is_empty() {
        return Err(Error::invalid("No cloud_url in the settings"));
    }
    let url = format!("{}/signup", cloud_url.trim_end_matches('/'));
    let json = serde_json::to_vec(ask).map_err(|cause| Error::Bug(cause.to_string().into()))?;
    let refused = |status, details: String| Err(Error::BridgeRefused { status, details });
    let answer = match fetch::post_json(&url, &json, limits::CLOUD_ANSWER_BYTES_MAX, time) {
        Ok(answer) => answer,
        Err(Fault::TooLarge) => return refused(BAD_GATEWAY, "The answer is too large".to_owned()),
        Err(fault) => return Err(Error::BridgeAway { details: fault.to_string() }),
    };
    let parsed: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match (answer.status, parsed) {
        (200..=299, Some(data)) => Ok(data),
        (200..=299, None) => refused(BAD_GATEWAY, "The answer is not JSON".to_owned()),
        // For a caller of ours 401 means that their own session ended.
        (status @ (400 | 402..=599), parsed) => {
            refused(status, details(parsed.as_ref(), &answer.body))
        }
        (401, parsed) => refused(BAD_GATEWAY, details(parsed.as_ref(), &answer.body)),
        (other, _) => refused(BAD_GATEWAY, format!("The answer has the status {other}")),
    }
}

/// RFC 9110, 15.6.3: what stands behind us answered nonsense.
const BAD_GATEWAY: u16 = 502;

/// Why the bridge refuses, in its own words: the text of the usual key, or the body as it is.
fn details(parsed: Option<&Value>, body: &[u8]) -> String {
    let said = parsed.and_then(|json| {
        let texts = ["error", "message", "detail", "details"];
        texts.iter().find_map(|key| json.get(key)?.as_str())
    });
    let mut text = match said {
        Some(said) => said.to_owned(),
        None => String::from_utf8_lossy(body).trim().to_owned(),
    };
    if text.len() > limits::CLOUD_DETAILS_BYTES_MAX {
        text.truncate(text.floor_char_boundary(limits::CLOUD_DETAILS_BYTES_MAX));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::TcpListener;

    const ASK: SignUp<'_> =
        SignUp { email: "a@b.c", username: "ana", password: "secret", auth_token: "token" };

    #[test]
    fn a_bridge_that_stays_silent_is_left_after_the_time() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let error = sign_up(&url, &ASK, Duration::from_millis(80)).unwrap_err();
        assert!(
            matches!(&error, Error::BridgeAway { details } if details == "no answer in time"),
            "{error}"
        );
    }

    #[test]
    fn without_an_address_nobody_is_asked() {
        assert!(matches!(sign_up("", &ASK, Duration::ZERO), Err(Error::Invalid(..))));
    }

    #[test]
    fn the_bridges_own_words_are_found() {
        for (body, wanted) in [
            (r#"{"error": "Name taken"}"#, "Name taken"),
            (r#"{"message": "No", "code": 5}"#, "No"),
            (r#"{"error": {"deep": 1}}"#, r#"{"error": {"deep": 1}}"#),
            (r#"["a"]"#, r#"["a"]"#),
            (" busy \n", "busy"),
            ("", ""),
        ] {
            let parsed: Option<Value> = serde_json::from_str(body).ok();
            assert_eq!(details(parsed.as_ref(), body.as_bytes()), wanted);
        }
        let shown = details(Some(&json!({ "error": "é".repeat(5000) })), b"");
        assert!(shown.ends_with('…') && shown.len() <= limits::CLOUD_DETAILS_BYTES_MAX + 3);
    }
}
