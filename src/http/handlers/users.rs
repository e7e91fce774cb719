//! Signing in and out, and who one is: contract, sections 3 and 7.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::auth::password;
use crate::error::{Error, Result, SignInProblem};
use crate::http::body::{Field, flag, text};
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::limits;

/// The fields of `login`.
pub const LOGIN: &[Field] = &[text("username"), text("password")];

/// The fields of `logout`.
pub const LOGOUT: &[Field] = &[flag("everywhere")];

/// `POST /api/user/login`: a token, also set as the session cookie.
///
/// A wrong name and a wrong password give the same answer in the same time. Errors: `TooSoon`,
/// `Invalid`, `SignIn`.
pub fn login(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct SignedIn<'a> {
        /// A JWT.
        token: &'a str,
    }
    call.app.login_throttle.admit(call.address)?;
    let ask = call.ask()?;
    let (Some(username), Some(given)) = (ask.text("username"), ask.text("password")) else {
        return Err(Error::invalid("No username or password provided"));
    };
    if username.is_empty() || given.is_empty() {
        return Err(Error::invalid("No username or password provided"));
    }
    let wrong = Err(Error::SignIn(SignInProblem::WrongPassword));
    if username.len() > limits::USERNAME_BYTES_MAX || given.len() > limits::PASSWORD_BYTES_MAX {
        return wrong;
    }
    call.app.name_throttle.admit(username)?;
    let user = call.app.users.by_username(username)?;
    if !password::is_right(given, user.as_ref().map(|user| user.password_hash.as_str()))? {
        call.app.name_throttle.failed(username);
        call.app.logbook.note(&format!("failed sign-in as {username}"), &call.address.to_string());
        return wrong;
    }
    let Some(user) = user else { return wrong };
    call.app.name_throttle.succeeded(username);
    let token = call.app.tokens.issue(user.id, &user.username, user.epoch)?;
    call.app.seen(&user, call.address);
    call.app.logbook.note(&format!("{username}: signed in"), &call.address.to_string());
    let cookie = session_cookie(&token, limits::TOKEN_LIFE.as_secs());
    Ok(Reply::json(&SignedIn { token: &token })?.with("Set-Cookie", cookie))
}

/// `POST /api/user/logout`: ends this session, or with `everywhere` all of the caller's.
pub fn logout(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let caller = call.caller()?;
    if ask.flag("everywhere") {
        call.app.users.log_out_everywhere(caller.user.id)?;
        call.note("signed out everywhere");
    } else if let Some(session) = &caller.session {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        call.app.users.log_out(caller.user.id, &session.token_id, session.expires, now)?;
        call.note("signed out");
    }
    Ok(Reply::json(&Status { status: "Logged out" })?.with("Set-Cookie", session_cookie("", 0)))
}

/// The cookie for links, images and videos (contract, section 3; RFC 6265, 4.1).
fn session_cookie(token: &str, seconds: u64) -> String {
    format!("larder_session={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}")
}

/// `GET /api/user/get_self`: who the caller is.
pub fn get_self(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer.
    #[derive(Serialize)]
    struct Myself<'a> {
        /// The row's number.
        id: i64,
        /// To sign in with.
        username: &'a str,
        /// Always empty.
        password: &'static str,
        /// For people.
        name: &'a str,
        /// Decides about endpoints.
        role: &'a str,
        /// The user's own text.
        ftp_users: &'a str,
        /// JSON array of what may be read.
        paths: &'a str,
        /// The user's own text.
        settings: &'a str,
        /// JSON array of what may be written.
        paths_write: &'a str,
    }
    let user = &call.caller()?.user;
    Reply::json(&Myself {
        id: user.id,
        username: &user.username,
        password: "",
        name: &user.name,
        role: &user.role,
        ftp_users: &user.ftp_users,
        paths: &user.paths,
        settings: &user.settings,
        paths_write: &user.paths_write,
    })
}
