//! The cloud: contract, section 10.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::{self, SignUp};
use crate::error::{Error, Result, Why};
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::question::{Ask, Question, unless_empty};
use crate::limits;
use crate::logbook::Event;

/// What `manage` is asked by, for all of its actions.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ManageCloud {
    /// What to do.
    #[cfg_attr(test, schemars(required, extend("enum" = ["enable", "delete_auth", "signup"])))]
    action: Option<String>,
    /// For `enable`: whether it will be.
    enabled: Option<bool>,
    /// For `signup`.
    #[serde(default, deserialize_with = "unless_empty")]
    email: Option<String>,
    /// For `signup`.
    #[serde(default, deserialize_with = "unless_empty")]
    username: Option<String>,
    /// For `signup`.
    #[serde(default, deserialize_with = "unless_empty")]
    password: Option<String>,
}

impl Question for ManageCloud {}

/// What `manage` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CloudManagedAnswer"))]
pub struct Managed {
    /// What was done.
    status: CloudStatus,
    /// What the bridge answered, for `signup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// What was done at the cloud.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
enum CloudStatus {
    /// It is enabled.
    #[serde(rename = "Cloud enabled")]
    Enabled,
    /// It is not.
    #[serde(rename = "Cloud disabled")]
    Disabled,
    /// The account is forgotten.
    #[serde(rename = "Authentication data deleted")]
    Forgotten,
    /// There is an account.
    #[serde(rename = "Signup successful")]
    SignedUp,
}

impl CloudStatus {
    /// Alone.
    fn alone(self) -> Result<Answer<Managed>> {
        Answer::of(&Managed { status: self, data: None })
    }
}

/// `POST /api/cloud/manage`: switches the cloud on and off, forgets the account, signs up.
///
/// Errors: `Invalid`, `NotFound` (there is no `cloud.json`), `BridgeRefused`, `BridgeAway`.
pub fn manage(call: &mut Call<'_>, ask: Ask<ManageCloud>) -> Result<Answer<Managed>> {
    let ask = ask.read(call)?;
    match ask.action.as_deref() {
        Some("enable") => enable(call, &ask),
        Some("delete_auth") => delete_auth(call),
        Some("signup") => sign_up(call, &ask),
        _ => Err(Error::invalid("Invalid action")),
    }
}

/// `enable`.
fn enable(call: &Call<'_>, ask: &ManageCloud) -> Result<Answer<Managed>> {
    let enabled = ask.enabled.ok_or(Error::invalid("enabled must be true or false"))?;
    call.app.config.change_cloud(|cloud| {
        let mut cloud = cloud.unwrap_or_default();
        cloud.set_enabled(enabled);
        Ok(cloud)
    })?;
    call.note(Event::change(if enabled { "enabled the cloud" } else { "disabled the cloud" }));
    if enabled { CloudStatus::Enabled.alone() } else { CloudStatus::Disabled.alone() }
}

/// `delete_auth`.
fn delete_auth(call: &Call<'_>) -> Result<Answer<Managed>> {
    call.app.config.change_cloud(|cloud| {
        let mut cloud = cloud.ok_or(Error::NotFound("Cloud settings file not found"))?;
        cloud.forget_account();
        Ok(cloud)
    })?;
    call.note(Event::change("deleted the cloud's authentication data"));
    CloudStatus::Forgotten.alone()
}

/// `signup`: what was sent is kept nowhere but for the name.
fn sign_up(call: &Call<'_>, ask: &ManageCloud) -> Result<Answer<Managed>> {
    let (Some(email), Some(username), Some(password)) =
        (ask.email.as_deref(), ask.username.as_deref(), ask.password.as_deref())
    else {
        return Err(Error::invalid_as(Why::Missing, "Email, username and password required"));
    };
    let config = &call.app.config;
    let cloud = config.cloud()?.ok_or(Error::NotFound("Cloud settings not found"))?;
    let auth_token =
        cloud.auth_token().ok_or(Error::invalid("Auth token not found in cloud settings"))?;
    let question = SignUp { email, username, password, auth_token };
    let data = cloud::sign_up(&config.settings().cloud_url, &question, limits::CLOUD_TIME)
        .inspect_err(|error| {
            call.note(Event::other(format!("failed to sign up at the cloud: {error}")));
        })?;
    call.note(Event::change("signed up at the cloud"));
    let kept = config.change_cloud(|cloud| {
        let mut cloud = cloud.unwrap_or_default();
        cloud.remember_account(username, &data);
        Ok(cloud)
    });
    if let Err(error) = kept {
        // The account is there all the same, and a second try would be refused.
        call.note(Event::other(format!("the cloud's answer was not kept: {error}")));
    }
    Answer::of(&Managed { status: CloudStatus::SignedUp, data: Some(data) })
}

/// The cloud's settings by name.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CloudSettings", with = "crate::settings::CloudShape"))]
pub struct Shown(Value);

/// `GET /api/cloud/get`: `cloud.json`, its secrets masked.
///
/// Errors: `NotFound`.
pub fn get(call: &mut Call<'_>, (): ()) -> Result<Answer<Shown>> {
    let cloud = call.app.config.cloud()?.ok_or(Error::NotFound("Cloud settings not found"))?;
    Answer::of(&Shown(cloud.to_show()))
}
