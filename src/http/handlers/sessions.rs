//! Sessions: what somebody who has signed in shows, and where else they have: second contract, section 21.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::accounts::IssuedToken;
use crate::auth::caller::Credential;
use crate::auth::token::Session;
use crate::error::{Error, Result};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::call::Call;
use crate::http::cookie;
use crate::http::handlers::users::told_time;
use crate::http::question::{Ask, Filled, Question};
use crate::logbook::Event;
use crate::store::SessionRow;

/// What `login` and `renew` answer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SignedInAnswer"))]
pub struct SignedIn {
    /// A JWT, good for 24 hours.
    token: String,
}

/// Hands out a token, also as the session's cookie.
pub fn show(call: &Call<'_>, pass: IssuedToken) -> Result<Answer<SignedIn>> {
    let cookie = cookie(call, &pass);
    Ok(Answer::of(&SignedIn { token: pass.token })?.with("Set-Cookie", cookie))
}

/// The cookie for links, images and videos (contract, section 3; RFC 6265, 4.1): until the session's end, as its token
/// is renewed before.
pub fn cookie(call: &Call<'_>, pass: &IssuedToken) -> String {
    session_cookie(call, &pass.token, pass.lasts.as_secs())
}

/// What takes the cookie away.
pub fn no_cookie(call: &Call<'_>) -> String {
    session_cookie(call, "", 0)
}

/// A cookie of ours.
fn session_cookie(call: &Call<'_>, token: &str, seconds: u64) -> String {
    cookie::SESSION.field(call.is_secure(), token, "/", seconds)
}

/// `POST /api/user/renew`: the token that it is asked with is good for another minute.
///
/// Errors: `SignIn` (the session has ended, or another token took that one's place).
pub fn renew(call: &mut Call<'_>, (): ()) -> Result<Answer<SignedIn>> {
    show(call, call.app.accounts.renew_session(call.caller()?, call.whence())?)
}

/// One of the caller's sessions.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Session"))]
pub struct Told {
    /// What `end_session` knows it by.
    id: String,
    /// When it began (RFC 3339, UTC); empty when nobody knew the time.
    created: String,
    /// When it was used last, likewise.
    last_used: String,
    /// From where.
    ip: String,
    /// By what program, in its own words.
    agent: String,
    /// Whether it lasts 90 days after its last use instead of 24 hours.
    remembered: bool,
    /// Whether it is the one that asks.
    is_this: bool,
}

/// `GET /api/user/sessions`: the caller's own, the last used first.
pub fn list(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<Told>>> {
    let own = own_id(call)?;
    let tell = |session: SessionRow| Told {
        is_this: own == Some(session.id.as_str()),
        id: session.id,
        created: told_time(session.created),
        last_used: told_time(session.last_used),
        ip: session.ip,
        agent: session.agent,
        remembered: session.is_remembered,
    };
    let sessions = call.app.users.sessions_of(call.user()?.id)?;
    Answer::of(&sessions.into_iter().map(tell).collect())
}

/// What `end_session` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// Which.
    id: Filled,
}

impl Question for End {}

sentence!(/// Of `end_session`.
    SessionEnded, "Session ended");

/// `POST /api/user/end_session`: at once, on every door.
///
/// Errors: `Invalid`, `NotFound`.
pub fn end(call: &mut Call<'_>, ask: Ask<End>) -> Result<Answer<Done<SessionEnded>>> {
    let ask = ask.read(call)?;
    if !call.app.users.end_session(call.user()?.id, &ask.id)? {
        return Err(Error::NotFound("Session not found"));
    }
    call.note(Event::signed_out("ended a session"));
    let is_own = own_id(call)? == Some(&*ask.id);
    let answer = done()?;
    Ok(if is_own { answer.with("Set-Cookie", no_cookie(call)) } else { answer })
}

/// Ends the session that somebody came with.
pub fn end_own(app: &App, session: &Session) -> Result<()> {
    let had_one = app.users.end_session(session.user_id, &session.id)?;
    if had_one || !session.is_sessionless() {
        return Ok(());
    }
    app.users.revoke_token(session.user_id, &session.id, session.expires)
}

/// The session that the caller came with.
pub fn own_id<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>> {
    Ok(match call.caller()?.credential() {
        Credential::Session(session) => Some(session.id.as_str()),
        _ => None,
    })
}
