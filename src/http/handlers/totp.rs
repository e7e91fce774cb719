//! The second factor of whoever has signed in: second contract, section 21.

use serde::{Deserialize, Serialize};

use crate::auth::totp;
use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, sentence};
use crate::http::call::Call;
use crate::http::question::{Ask, Filled, Question};
use crate::logbook::{By, Event};
use crate::qr;

/// What `totp` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Factor {
    /// What to do.
    action: Action,
    /// The caller's password: to start and to stop. Whoever has none yet leaves it out.
    password: Option<Filled>,
    /// A code of the program that shows them: to confirm and to stop, there also a recovery code.
    code: Option<Filled>,
}

/// What can be done.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Make a secret.
    Start,
    /// Show that it has arrived.
    Confirm,
    /// Do without.
    Stop,
}

impl Question for Factor {}

/// A secret that counts once a code of it was shown.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FactorStarted"))]
pub struct Started {
    /// In base32, to be typed.
    secret: String,
    /// The same with all around it, to be opened.
    uri: String,
    /// That address as a QR code (SVG).
    qr: String,
}

sentence!(/// Of `confirm`.
    FactorOn, "Second factor on");

sentence!(/// Of `stop`.
    FactorOff, "Second factor off");

/// It is on.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FactorConfirmed"))]
pub struct Confirmed {
    /// What was done.
    status: FactorOn,
    /// Ten codes that are each good once instead of one of the program's; shown only now.
    recovery: Vec<String>,
}

/// It is off.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FactorStopped"))]
pub struct Stopped {
    /// What was done.
    status: FactorOff,
}

/// What `totp` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "FactorAnswer"))]
#[serde(untagged)]
pub enum Told {
    /// To `start`.
    Started(Started),
    /// To `confirm`.
    Confirmed(Confirmed),
    /// To `stop`.
    Stopped(Stopped),
}

/// `POST /api/user/totp`: a code beside the password, from now on or no longer.
///
/// Errors: `Invalid` (also a wrong code), `SignIn` (a wrong password, or nobody knows the time), `TooSoon`, `Conflict`
/// (it is on, or off, already).
pub fn change(call: &mut Call<'_>, ask: Ask<Factor>) -> Result<Answer<Told>> {
    let ask = ask.read(call)?;
    Answer::of(&match ask.action {
        Action::Start => Told::Started(start(call, &ask)?),
        Action::Confirm => Told::Confirmed(confirm(call, &ask)?),
        Action::Stop => Told::Stopped(stop(call, &ask)?),
    })
}

/// Makes a secret.
fn start(call: &Call<'_>, ask: &Factor) -> Result<Started> {
    must_know_password(call, ask)?;
    let user = call.user()?;
    let secret = call.app.factors.begin(user)?;
    let uri = totp::uri(&secret, &user.username);
    Ok(Started { secret: totp::base32(&secret), qr: qr::svg(&uri)?, uri })
}

/// Turns it on.
fn confirm(call: &Call<'_>, ask: &Factor) -> Result<Confirmed> {
    let recovery = call.app.factors.confirm(call.user()?, code(ask)?)?;
    call.note(Event::change("turned their second factor on".to_owned()));
    Ok(Confirmed { status: FactorOn, recovery })
}

/// Turns it off.
fn stop(call: &Call<'_>, ask: &Factor) -> Result<Stopped> {
    let code = code(ask)?;
    must_know_password(call, ask)?;
    let user = call.user()?;
    call.app
        .factors
        .stop(user, code, call.address)
        .inspect_err(|error| note_wrong_code(call, &user.username, error))?;
    call.note(Event::change("turned their second factor off".to_owned()));
    Ok(Stopped { status: FactorOff })
}

/// Tells the log of a wrong code: whoever guesses at it knows the password.
fn note_wrong_code(call: &Call<'_>, username: &str, error: &Error) {
    if matches!(error, Error::Invalid(Why::Code, _)) {
        let words = format!("failed to turn the second factor of {username} off: wrong code");
        let event = Event::failed_sign_in(username, words).whole();
        call.app.logbook.note_refusal(&By::api(None, call.address), event);
    }
}

/// The code, which must be there.
fn code(ask: &Factor) -> Result<&str> {
    ask.code.as_deref().ok_or(Error::invalid_as(Why::Missing, "No code provided"))
}

/// Whether it is the caller who asks, and not somebody at a computer that was left alone.
///
/// Errors: `Invalid`, `SignIn`, `TooSoon`.
fn must_know_password(call: &Call<'_>, ask: &Factor) -> Result<()> {
    let user = call.user()?;
    // Whoever was let in by a code has none to know.
    if !user.has_password() {
        return Ok(());
    }
    let password = ask.password.as_deref();
    let password = password.ok_or(Error::invalid_as(Why::Missing, "No password provided"))?;
    call.app.sign_in.must_know_password(user, password, call.address)
}
