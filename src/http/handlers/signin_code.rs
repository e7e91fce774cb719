//! One-time codes for people who shall sign in without a password: second contract, section 23.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::handlers::users::authority;
use crate::http::origin;
use crate::http::question::{Ask, Filled, Question};
use crate::logbook::Event;
use crate::{limits, people, qr};

/// What `signin_code` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewCode {
    /// Who it shall sign in.
    username: Filled,
}

impl Question for NewCode {}

sentence!(/// Of `signin_code`.
    CodeMade, "Code made");

/// What `signin_code` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CodeMadeAnswer"))]
pub struct Made {
    /// What was done.
    status: CodeMade,
    /// The code, good once.
    code: String,
    /// Until when (RFC 3339, UTC).
    expires: String,
    /// Where it signs in, from this larder's top.
    url: String,
    /// The same for another device in the house.
    address: String,
    /// That address as a QR code (SVG).
    qr: String,
}

/// `POST /api/user/signin_code`: a code that signs a user in, for whoever might give them another password.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (a user who has more than the caller), `Conflict` (they were changed
/// meanwhile).
pub fn make(call: &mut Call<'_>, ask: Ask<NewCode>) -> Result<Answer<Made>> {
    let ask = ask.read(call)?;
    let username: &str = &ask.username;
    let code = people::make_code(&call.app.users, &authority(call)?, username)?;
    let url = format!("/auth#code={code}");
    let address = format!("{}{url}", origin::nearby(call.request, call.app));
    let qr = qr::svg(&address)?;
    call.note(Event::change(format!("made a sign-in code for {username}")));
    let ends = Timestamp::try_from(SystemTime::now() + limits::CODE_LIFE).unwrap_or_default();
    let expires = ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Answer::of(&Made { status: CodeMade, code, expires, url, address, qr })
}
