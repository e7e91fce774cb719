//! The cloud: contract, section 10.

use serde::Serialize;
use serde_json::Value;

use crate::cloud::{self, SignUp};
use crate::error::{Error, Result, Why};
use crate::http::body::{Ask, Field, flag, text};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::limits;
use crate::logbook::Event;

/// The fields of `manage`, for all of its actions.
pub const MANAGE: &[Field] =
    &[text("action"), flag("enabled"), text("email"), text("username"), text("password")];

/// `POST /api/cloud/manage`: switches the cloud on and off, forgets the account, signs up.
///
/// Errors: `Invalid`, `NotFound` (there is no `cloud.json`), `BridgeRefused`, `BridgeAway`.
pub fn manage(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    match ask.text("action") {
        Some("enable") => enable(call, &ask),
        Some("delete_auth") => delete_auth(call),
        Some("signup") => sign_up(call, &ask),
        _ => Err(Error::invalid("Invalid action")),
    }
}

/// `enable`.
fn enable(call: &Call<'_>, ask: &Ask) -> Result<Reply> {
    let enabled =
        ask.flag_given("enabled").ok_or(Error::invalid("enabled must be true or false"))?;
    call.app.config.change_cloud(|cloud| {
        let mut cloud = cloud.unwrap_or_default();
        cloud.set_enabled(enabled);
        Ok(cloud)
    })?;
    call.note(Event::change(if enabled { "enabled the cloud" } else { "disabled the cloud" }));
    Reply::json(&Status { status: if enabled { "Cloud enabled" } else { "Cloud disabled" } })
}

/// `delete_auth`.
fn delete_auth(call: &Call<'_>) -> Result<Reply> {
    call.app.config.change_cloud(|cloud| {
        let mut cloud = cloud.ok_or(Error::NotFound("Cloud settings file not found"))?;
        cloud.forget_account();
        Ok(cloud)
    })?;
    call.note(Event::change("deleted the cloud's authentication data"));
    Reply::json(&Status { status: "Authentication data deleted" })
}

/// `signup`: what was sent is kept nowhere but for the name.
fn sign_up(call: &Call<'_>, ask: &Ask) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct SignedUp<'a> {
        /// The contract's sentence.
        status: &'static str,
        /// What the bridge answered.
        data: &'a Value,
    }
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let (Some(email), Some(username), Some(password)) =
        (given("email"), given("username"), given("password"))
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
    Reply::json(&SignedUp { status: "Signup successful", data: &data })
}

/// `GET /api/cloud/get`: `cloud.json`, its secrets masked.
///
/// Errors: `NotFound`.
pub fn get(call: &mut Call<'_>) -> Result<Reply> {
    let cloud = call.app.config.cloud()?.ok_or(Error::NotFound("Cloud settings not found"))?;
    Reply::json(&cloud.to_show())
}
