//! `cloud.json`: whether the cloud is on, and what the bridge knows this larder by. Read at each use,
//! since the owner puts the auth token there by hand.

use serde_json::{Map, Value};

use super::values::MASK;
use crate::limits;

/// What `delete_auth` removes (contract, section 10), besides the times of registration.
const ACCOUNT: [&str; 6] =
    ["user_id", "auth_token", "username", "password", "server_id", "server_name"];

/// What an answer never shows.
const SECRETS: [&str; 2] = ["auth_token", "password"];

/// The file's content; keys that we don't know are kept.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// As it is stored.
    object: Map<String, Value>,
}

impl Cloud {
    /// Of what was read.
    pub const fn new(object: Map<String, Value>) -> Self {
        Self { object }
    }

    /// Switches the cloud on or off.
    pub fn set_enabled(&mut self, enabled: bool) {
        self.object.insert("enabled".to_owned(), Value::Bool(enabled));
    }

    /// What this larder proves itself with to the bridge.
    pub fn auth_token(&self) -> Option<&str> {
        self.object.get("auth_token")?.as_str().filter(|token| !token.is_empty())
    }

    /// Removes everything about the account.
    pub fn forget_account(&mut self) {
        self.object.retain(|key, _| !is_of_account(key));
    }

    /// Keeps who signed up, and of the bridge's answer the ids, the server's name and the times of
    /// registration. Never a password, and never a token: what this larder proves itself with is
    /// chosen by its owner, not by the answer to a question.
    pub fn remember_account(&mut self, username: &str, answer: &Value) {
        self.object.insert("username".to_owned(), username.into());
        let Some(answer) = answer.as_object() else { return };
        let is_kept = |key: &str, value: &Value| {
            is_of_account(key)
                && !SECRETS.contains(&key)
                && key != "username"
                && key.len() <= limits::CLOUD_VALUE_BYTES_MAX
                && match value {
                    Value::String(text) => text.len() <= limits::CLOUD_VALUE_BYTES_MAX,
                    Value::Number(_) => true,
                    _ => false,
                }
        };
        let kept = answer.iter().filter(|(key, value)| is_kept(key, value));
        for (key, value) in kept.take(limits::CLOUD_VALUES_MAX) {
            self.object.insert(key.clone(), value.clone());
        }
    }

    /// As an answer may show it: the secrets masked.
    pub fn to_show(&self) -> Value {
        let mut object = self.object.clone();
        for key in SECRETS {
            if let Some(secret) = object.get_mut(key).filter(|secret| !is_empty(secret)) {
                *secret = Value::from(MASK);
            }
        }
        Value::Object(object)
    }

    /// As it is stored.
    pub fn into_json(self) -> Value {
        Value::Object(self.object)
    }
}

/// Whether a key belongs to the account. Bridges word the times differently: `registered_at`,
/// `registration_time`, `server_registration_date`.
fn is_of_account(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ACCOUNT.contains(&key.as_str()) || key.contains("registered") || key.contains("registration")
}

/// Whether there is nothing to hide.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cloud(value: Value) -> Cloud {
        let Value::Object(object) = value else { panic!("{value}") };
        Cloud::new(object)
    }

    #[test]
    fn forgetting_takes_the_account_and_nothing_else() {
        let mut cloud = cloud(json!({
            "enabled": true, "user_id": 7, "auth_token": "t", "username": "ana", "password": "p",
            "server_id": "s", "server_name": "n", "registered_at": "2026", "registration_time": 1,
            "server_registration_date": "x", "of_the_future": [1], "registry": "kept"
        }));
        cloud.forget_account();
        assert_eq!(
            cloud.into_json(),
            json!({ "enabled": true, "of_the_future": [1], "registry": "kept" })
        );
    }

    #[test]
    fn of_an_answer_only_the_account_is_kept_and_no_secret() {
        let mut cloud = cloud(json!({ "auth_token": "mine", "future": 1 }));
        let answer = json!({
            "user_id": 7, "server_id": "s", "server_name": "home", "registered_at": "2026-11-25",
            "auth_token": "theirs", "password": "p", "username": "other", "enabled": true,
            "registration": { "nested": 1 }, "registered": "x".repeat(5000), "greeting": "hello"
        });
        cloud.remember_account("ana", &answer);
        assert_eq!(
            cloud.clone().into_json(),
            json!({
                "auth_token": "mine", "future": 1, "username": "ana", "user_id": 7,
                "server_id": "s", "server_name": "home", "registered_at": "2026-11-25"
            })
        );
        cloud.remember_account("bo", &json!("no object"));
        assert_eq!(cloud.into_json()["username"], "bo");
    }

    #[test]
    fn secrets_are_masked_where_there_are_any() {
        let shown = cloud(json!({ "auth_token": "t", "password": 5, "username": "ana" })).to_show();
        assert_eq!(shown, json!({ "auth_token": MASK, "password": MASK, "username": "ana" }));
        let shown = cloud(json!({ "auth_token": "", "password": null })).to_show();
        assert_eq!(shown, json!({ "auth_token": "", "password": null }));
        assert_eq!(cloud(json!({ "auth_token": "" })).auth_token(), None);
        assert_eq!(cloud(json!({ "auth_token": 5 })).auth_token(), None);
        assert_eq!(cloud(json!({ "auth_token": "t" })).auth_token(), Some("t"));
    }
}
