//! Signing in and out, and who there is: contract, sections 3 and 7.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::Serialize;
use tiny_http::ext::Body;

use crate::auth::caller::Credential;
use crate::auth::key;
use crate::auth::sign_in::{Attempt, Entrance};
use crate::error::{Error, Result, SignInProblem, Why};
use crate::http::body::{Field, flag, id, paths, text};
use crate::http::call::Call;
use crate::http::reply::{JSON, Reply, Status};
use crate::limits;
use crate::logbook::Event;
use crate::people::{self, Authority, Changes, NewPerson};
use crate::store::User;

/// The fields of `login`.
pub const LOGIN: &[Field] = &[text("username"), text("password")];

/// The fields of `logout`.
pub const LOGOUT: &[Field] = &[flag("everywhere")];

/// The fields of `create`.
pub const CREATE: &[Field] = &[
    text("username"),
    text("password"),
    text("name"),
    text("role"),
    paths("paths"),
    paths("paths_write"),
];

/// The fields of `edit`.
pub const EDIT: &[Field] = &[
    id("id"),
    text("username"),
    text("name"),
    text("password"),
    text("role"),
    paths("paths"),
    paths("paths_write"),
];

/// The fields of `delete`.
pub const DELETE: &[Field] = &[text("username")];

/// The fields of `edit_self`.
pub const EDIT_SELF: &[Field] = &[
    text("username"),
    text("password"),
    text("name"),
    text("ftp_users"),
    text("settings"),
    text("API_KEY"),
];

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
    call.app.sign_in.admit(call.address)?;
    let ask = call.ask()?;
    let (Some(username), Some(given)) = (ask.text("username"), ask.text("password")) else {
        return Err(Error::invalid_as(Why::Missing, "No username or password provided"));
    };
    if username.is_empty() || given.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No username or password provided"));
    }
    let attempt =
        Attempt { name: username, password: given, from: call.address, at: Entrance::Api };
    let caller = call.app.sign_in.sign_in(&attempt)?;
    let user = caller.user().ok_or(Error::Refused)?;
    let token = call.app.accounts.begin_session(user)?;
    let agent = call.request.header("User-Agent").unwrap_or_default();
    call.app.users.saw(user, call.address, agent);
    let cookie = session_cookie(&token, limits::TOKEN_LIFE.as_secs());
    Ok(Reply::json(&SignedIn { token: &token })?.with("Set-Cookie", cookie))
}

/// `POST /api/user/logout`: ends this session, or with `everywhere` all of the caller's.
pub fn logout(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let id = call.user()?.id;
    if ask.flag("everywhere") {
        call.app.users.log_out_everywhere(id)?;
        call.note(Event::signed_out("signed out everywhere"));
    } else if let Credential::Session(session) = call.caller()?.credential() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        call.app.users.log_out(id, &session.token_id, session.expires, now)?;
        call.note(Event::signed_out("signed out"));
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
    let user = call.user()?;
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

/// What `create` answers, and `edit_self` as far as there is something to show.
#[derive(Serialize)]
struct Made {
    /// The contract's sentence.
    status: &'static str,
    /// A key that nobody can read again.
    #[serde(rename = "API_KEY", skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// A token that takes the place of the one which a new password ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// `POST /api/user/create`: the answer is the only one that shows the user's API key.
///
/// Errors: `Invalid`, `Refused` (more than the caller has), `Collision`.
pub fn create(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let (Some(username), Some(password), Some(name), Some(role)) =
        (given("username"), given("password"), given("name"), given("role"))
    else {
        return Err(Error::invalid_as(
            Why::Missing,
            "No username, password, name or role provided",
        ));
    };
    let person = NewPerson {
        username,
        password,
        name,
        role,
        paths: ask.text("paths").unwrap_or(people::READS_EVERYTHING),
        paths_write: ask.text("paths_write").unwrap_or(people::WRITES_NOTHING),
    };
    let key = people::create(&call.app.users, &authority(call)?, &person)?;
    call.note(Event::change(format!("added user {username} with the role {role}")));
    Reply::json(&Made { status: "User created", api_key: Some(key), token: None })
}

/// How far the caller may go with other users.
fn authority(call: &Call<'_>) -> Result<Authority> {
    Ok(Authority::of(call.caller()?, call.app.roles()))
}

/// `POST /api/user/delete`: ends whatever the user has open; a role that nobody else has goes too.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (a user who has more than the caller), `Conflict` (the last admin).
pub fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let username = ask.text("username").filter(|text| !text.is_empty());
    let username = username.ok_or(Error::invalid_as(Why::Missing, "No username provided"))?;
    people::delete(&call.app.users, &authority(call)?, call.app.config.folder(), username)?;
    call.note(Event::change(format!("deleted user {username}")));
    Reply::json(&Status { status: "User deleted" })
}

/// `POST /api/user/edit`: what is left out stays; an empty password counts as left out, since
/// that is what `get_all` shows.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (a user who has more than the caller, or would), `Collision` (the
/// name is taken), `Conflict` (the last admin).
pub fn edit(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let given = |name| ask.text(name).filter(|text| !text.is_empty());
    let (Some(id), Some(username), Some(name)) = (given("id"), given("username"), given("name"))
    else {
        return Err(Error::invalid_as(Why::Missing, "No username, name, role or id provided"));
    };
    // A number that no id can be is nobody's.
    let id = id.parse().unwrap_or(0);
    let changes = Changes {
        username: Some(username),
        password: given("password"),
        name: Some(name),
        role: given("role"),
        paths: ask.text("paths"),
        paths_write: ask.text("paths_write"),
        ..Changes::default()
    };
    let done = people::change(&call.app.users, &authority(call)?, id, &changes)?;
    call.note(Event::change(format!("changed user {username} (id {id}): {}", done.what)));
    Reply::json(&Status { status: "User edited" })
}

/// `POST /api/user/edit_self`: a new password ends all sessions and begins a new one.
///
/// Errors: `Invalid`, `Collision` (the name or the key is taken).
pub fn edit_self(call: &mut Call<'_>) -> Result<Reply> {
    let ask = call.ask()?;
    let changes = Changes {
        username: ask.text("username"),
        // What `get_self` shows is no new password.
        password: ask.text("password").filter(|text| !text.is_empty()),
        name: ask.text("name"),
        ftp_users: ask.text("ftp_users"),
        settings: ask.text("settings"),
        api_key: ask.text("API_KEY"),
        ..Changes::default()
    };
    if changes.is_empty() {
        return Err(Error::invalid("No valid fields provided for update"));
    }
    let id = call.user()?.id;
    // No right is among them.
    let done = people::change(&call.app.users, &Authority::unbounded(), id, &changes)?;
    call.note(Event::change(format!("changed their own {}", done.what)));
    let mut made = Made { status: "User updated", api_key: done.api_key, token: None };
    if changes.password.is_none() {
        return Reply::json(&made);
    }
    // Somebody else may have deleted the user meanwhile.
    let user = call.app.users.by_id(id)?.ok_or(Error::SignIn(SignInProblem::Unauthorized))?;
    let token = call.app.accounts.begin_session(&user)?;
    let cookie = session_cookie(&token, limits::TOKEN_LIFE.as_secs());
    made.token = Some(token);
    Ok(Reply::json(&made)?.with("Set-Cookie", cookie))
}

/// One user as `get_all` shows them.
#[derive(Serialize)]
struct Person<'a> {
    /// The row's number.
    id: i64,
    /// To sign in with.
    username: &'a str,
    /// Always empty.
    password: &'static str,
    /// For people.
    name: &'a str,
    /// Address of the last successful request.
    ip: &'a str,
    /// When that was (RFC 3339, UTC); empty for never.
    last_seen: String,
    /// What program made it, in its own words.
    last_agent: &'a str,
    /// Decides about endpoints.
    role: &'a str,
    /// The user's own text.
    ftp_users: &'a str,
    /// JSON array of what may be read.
    paths: &'a str,
    /// The user's own text.
    settings: &'a str,
    /// Its beginning.
    #[serde(rename = "API_KEY")]
    api_key: String,
    /// JSON array of what may be written.
    paths_write: &'a str,
}

impl<'a> Person<'a> {
    /// Without what nobody may read.
    fn of(user: &'a User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            password: "",
            name: &user.name,
            ip: &user.ip,
            last_seen: told_time(user.last_seen),
            last_agent: &user.last_agent,
            role: &user.role,
            ftp_users: &user.ftp_users,
            paths: &user.paths,
            settings: &user.settings,
            api_key: key::masked(&user.key_hint),
            paths_write: &user.paths_write,
        }
    }
}

/// A time in seconds since 1970 as the contract tells it; nothing for 0.
fn told_time(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => String::new(),
    }
}

/// `GET /api/user/get_all`: everybody, without passwords and usable keys.
pub fn get_all(call: &mut Call<'_>) -> Result<Reply> {
    let first = call.app.users.after(0, limits::USERS_PER_READ)?;
    if first.len() < limits::USERS_PER_READ {
        return Reply::json(&first.iter().map(Person::of).collect::<Vec<_>>());
    }
    // More than a household: read while they are sent.
    let users = Arc::clone(&call.app.users);
    let body = Body::Stream(Box::new(move |out| {
        let mut some = first;
        let mut opening = "[";
        while let Some(last) = some.last().map(|user| user.id) {
            for user in &some {
                out.write_all(opening.as_bytes())?;
                serde_json::to_writer(&mut *out, &Person::of(user))?;
                opening = ",";
            }
            some = users.after(last, limits::USERS_PER_READ).map_err(io::Error::other)?;
        }
        out.write_all(b"]")
    }));
    Ok(Reply::new(200, body).with("Content-Type", JSON).with("Cache-Control", "no-store"))
}
