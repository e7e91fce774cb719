//! Signing in and out, and who there is: contract, sections 3 and 7.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::auth::caller::Credential;
use crate::auth::key;
use crate::auth::sign_in::{Attempt, Entrance};
use crate::error::{Error, Result, SignInProblem, Why};
use crate::http::answer::{Answer, Done, Rows, done, sentence};
use crate::http::call::Call;
use crate::http::gate;
use crate::http::handlers::sessions::{self, SignedIn};
use crate::http::question::{Ask, Filled, Id, Paths, Question, unless_empty};
use crate::limits;
use crate::logbook::Event;
use crate::people::{self, Authority, Changes, NewPerson};
use crate::store::User;

/// What `login` is asked by: name and password, or a code.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Login {
    /// Who it is.
    username: Option<Filled>,
    /// In plain text.
    password: Option<Filled>,
    /// With both the code of a second factor, or a recovery code. Alone a one-time code: from private and loopback
    /// addresses only, once, for 15 minutes.
    code: Option<Filled>,
    /// The session lasts 90 days after its last use instead of 24 hours.
    #[serde(default)]
    remember: bool,
}

impl Question for Login {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some(NOTHING_TO_SIGN_IN_BY)
    }
}

/// What is said to who brings neither name and password nor a code.
const NOTHING_TO_SIGN_IN_BY: &str = "No username or password provided";

/// `POST /api/user/login`: a token, also set as the session cookie.
///
/// A wrong name and a wrong password give the same answer in the same time, and so does a code that is no longer, or
/// was never, good. Errors: `TooSoon`, `Invalid`, `SignIn`.
pub fn login(call: &mut Call<'_>, ask: Ask<Login>) -> Result<Answer<SignedIn>> {
    call.app.sign_in.admit(call.address)?;
    let login = ask.read(call)?;
    let user = let_in(call, &login)?;
    call.app.sign_in.comes_from(&user, call.address, Some(call.whence().agent));
    let pass = call.app.accounts.begin_session(&user, login.remember, call.whence())?;
    call.app.users.saw(&user, call.address, call.whence().agent);
    sessions::show(call, pass)
}

/// Whom they prove to be.
///
/// Errors: `TooSoon`, `Invalid`, `SignIn`.
fn let_in(call: &Call<'_>, login: &Login) -> Result<Arc<User>> {
    let (sign_in, from) = (&call.app.sign_in, call.address);
    let code = login.code.as_deref();
    let is_named = login.username.is_some() && login.password.is_some();
    if let Some(code) = code.filter(|_| !is_named) {
        let proxies = &call.app.config.settings().trusted_proxies;
        let client = gate::certain_client_address(call.request, proxies);
        return sign_in.sign_in_by_code(code, from, client);
    }
    let (Some(name), Some(password)) = (&login.username, &login.password) else {
        return Err(Error::invalid_as(Why::Missing, NOTHING_TO_SIGN_IN_BY));
    };
    let caller = sign_in.sign_in(&Attempt { name, password, from, at: Entrance::Api(code) })?;
    Ok(Arc::clone(caller.user().ok_or(Error::Refused)?))
}

/// What `logout` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Logout {
    /// All of the caller's sessions.
    #[serde(default)]
    everywhere: bool,
}

impl Question for Logout {}

sentence!(/// Of `logout`.
    LoggedOut, "Logged out");

/// `POST /api/user/logout`: ends this session, or with `everywhere` all of the caller's.
pub fn logout(call: &mut Call<'_>, ask: Ask<Logout>) -> Result<Answer<Done<LoggedOut>>> {
    let ask = ask.read(call)?;
    let id = call.user()?.id;
    if ask.everywhere {
        call.app.users.log_out_everywhere(id)?;
        call.note(Event::signed_out("signed out everywhere"));
    } else if let Credential::Session(session) = call.caller()?.credential() {
        sessions::end_own(call.app, session)?;
        call.note(Event::signed_out("signed out"));
    }
    // What the browser keeps of answers is nobody else's to find (W3C Clear Site Data).
    let answer = done()?.with("Set-Cookie", sessions::no_cookie(call));
    Ok(answer.with("Clear-Site-Data", "\"cache\""))
}

/// The caller as they see themselves.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Self"))]
pub struct Myself {
    /// The row's number.
    id: i64,
    /// To sign in with.
    username: String,
    /// Always empty.
    password: &'static str,
    /// Whether they have chosen one; until then they can sign in by a code only.
    has_password: bool,
    /// Whether they sign in with a code beside the password.
    totp: bool,
    /// Whether they must set that up before they may do anything else.
    totp_needed: bool,
    /// For people.
    name: String,
    /// Decides about endpoints.
    role: String,
    /// The user's own text.
    ftp_users: String,
    /// JSON array of what may be read.
    paths: String,
    /// The user's own text.
    settings: String,
    /// JSON array of what may be written.
    paths_write: String,
}

/// `GET /api/user/get_self`: who the caller is.
pub fn get_self(call: &mut Call<'_>, (): ()) -> Result<Answer<Myself>> {
    let user = call.user()?;
    Answer::of(&Myself {
        id: user.id,
        username: user.username.clone(),
        password: "",
        has_password: user.has_password(),
        totp: user.has_factor(),
        totp_needed: call.caller()?.lacks_factor(&call.app.config.settings()),
        name: user.name.clone(),
        role: user.role.clone(),
        ftp_users: user.ftp_users.clone(),
        paths: user.paths.clone(),
        settings: user.settings.clone(),
        paths_write: user.paths_write.clone(),
    })
}

/// What `create` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewUser {
    /// To sign in with.
    username: Filled,
    /// In plain text.
    password: Option<Filled>,
    /// There is no password yet: they are let in by a code (`signin_code`) and choose one themselves.
    #[serde(default)]
    without_password: bool,
    /// For people.
    name: Filled,
    /// Decides about endpoints.
    role: Filled,
    /// What they may read; everything if left out.
    paths: Option<Paths>,
    /// What they may write; nothing if left out.
    paths_write: Option<Paths>,
}

impl Question for NewUser {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some(NOT_ENOUGH_OF_A_USER)
    }
}

/// What is said to who leaves out what a user must have.
const NOT_ENOUGH_OF_A_USER: &str = "No username, password, name or role provided";

sentence!(/// Of `create`.
    UserCreated, "User created");

/// What `create` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "UserCreatedAnswer"))]
pub struct Created {
    /// What was done.
    status: UserCreated,
    /// A key that nobody can read again.
    #[serde(rename = "API_KEY")]
    api_key: String,
}

/// `POST /api/user/create`: the answer is the only one that shows the user's API key.
///
/// Errors: `Invalid`, `Refused` (more than the caller has), `Collision`.
pub fn create(call: &mut Call<'_>, ask: Ask<NewUser>) -> Result<Answer<Created>> {
    let ask = ask.read(call)?;
    let (username, role): (&str, &str) = (&ask.username, &ask.role);
    if ask.password.is_none() && !ask.without_password {
        return Err(Error::invalid_as(Why::Missing, NOT_ENOUGH_OF_A_USER));
    }
    let person = NewPerson {
        username,
        password: ask.password.as_deref(),
        name: &ask.name,
        role,
        paths: ask.paths.as_ref().map_or(people::READS_EVERYTHING, Paths::as_str),
        paths_write: ask.paths_write.as_ref().map_or(people::WRITES_NOTHING, Paths::as_str),
    };
    let api_key = people::create(&call.app.users, &authority(call)?, &person)?;
    call.note(Event::change(format!("added user {username} with the role {role}")));
    Answer::of(&Created { status: UserCreated, api_key })
}

/// How far the caller may go with other users.
pub(super) fn authority(call: &Call<'_>) -> Result<Authority> {
    Ok(Authority::of(call.caller()?, call.app.roles()))
}

/// What `delete` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteUser {
    /// Who it is about.
    username: Filled,
}

impl Question for DeleteUser {}

sentence!(/// Of `delete`.
    UserDeleted, "User deleted");

/// `POST /api/user/delete`: ends whatever the user has open; a role that nobody else has goes too.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (a user who has more than the caller), `Conflict` (the last admin).
pub fn delete(call: &mut Call<'_>, ask: Ask<DeleteUser>) -> Result<Answer<Done<UserDeleted>>> {
    let ask = ask.read(call)?;
    let username: &str = &ask.username;
    people::delete(&call.app.users, &authority(call)?, call.app.config.folder(), username)?;
    call.note(Event::change(format!("deleted user {username}")));
    done()
}

/// What `edit` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EditUser {
    /// Who it is about.
    id: Id,
    /// To sign in with.
    username: Filled,
    /// For people.
    name: Filled,
    /// Another one, in plain text.
    #[serde(default, deserialize_with = "unless_empty")]
    password: Option<String>,
    /// Decides about endpoints.
    #[serde(default, deserialize_with = "unless_empty")]
    role: Option<String>,
    /// What they may read.
    paths: Option<Paths>,
    /// What they may write.
    paths_write: Option<Paths>,
}

impl Question for EditUser {
    fn missing(_: &'static str) -> Option<&'static str> {
        Some("No username, name, role or id provided")
    }
}

sentence!(/// Of `edit`.
    UserEdited, "User edited");

/// `POST /api/user/edit`: what is left out stays; an empty password counts as left out, since
/// that is what `get_all` shows.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (a user who has more than the caller, or would), `Collision` (the
/// name is taken), `Conflict` (the last admin).
pub fn edit(call: &mut Call<'_>, ask: Ask<EditUser>) -> Result<Answer<Done<UserEdited>>> {
    let ask = ask.read(call)?;
    let (id, username): (i64, &str) = (ask.id.number(), &ask.username);
    let changes = Changes {
        username: Some(username),
        password: ask.password.as_deref(),
        name: Some(&ask.name),
        role: ask.role.as_deref(),
        paths: ask.paths.as_ref().map(Paths::as_str),
        paths_write: ask.paths_write.as_ref().map(Paths::as_str),
        ..Changes::default()
    };
    let done_to = people::change(&call.app.users, &authority(call)?, id, &changes)?;
    call.note(Event::change(format!("changed user {username} (id {id}): {}", done_to.what)));
    done()
}

/// What `edit_self` is asked by: what is left out stays.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EditSelf {
    /// To sign in with.
    username: Option<String>,
    /// Another one, in plain text. What `get_self` shows is none.
    #[serde(default, deserialize_with = "unless_empty")]
    password: Option<String>,
    /// For people.
    name: Option<String>,
    /// The user's own text.
    ftp_users: Option<String>,
    /// The user's own text.
    settings: Option<String>,
    /// A key that the user made up, or `new`.
    #[serde(rename = "API_KEY")]
    api_key: Option<String>,
}

impl Question for EditSelf {}

sentence!(/// Of `edit_self`.
    UserUpdated, "User updated");

/// What `edit_self` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "UserUpdatedAnswer"))]
pub struct Changed {
    /// What was done.
    status: UserUpdated,
    /// A key that nobody can read again.
    #[serde(rename = "API_KEY", skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// A token that takes the place of the one which a new password ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// `POST /api/user/edit_self`: a new password ends all sessions but this one, and every token.
///
/// Errors: `Invalid`, `Collision` (the name or the key is taken).
pub fn edit_self(call: &mut Call<'_>, ask: Ask<EditSelf>) -> Result<Answer<Changed>> {
    let ask = ask.read(call)?;
    let changes = Changes {
        username: ask.username.as_deref(),
        password: ask.password.as_deref(),
        name: ask.name.as_deref(),
        ftp_users: ask.ftp_users.as_deref(),
        settings: ask.settings.as_deref(),
        api_key: ask.api_key.as_deref(),
        ..Changes::default()
    };
    if changes.is_empty() {
        return Err(Error::invalid("No valid fields provided for update"));
    }
    let id = call.user()?.id;
    let changes = Changes { keep_session: sessions::own_id(call)?, ..changes };
    // No right is among them.
    let done = people::change(&call.app.users, &Authority::unbounded(), id, &changes)?;
    call.note(Event::change(format!("changed their own {}", done.what)));
    let mut answer = Changed { status: UserUpdated, api_key: done.api_key, token: None };
    if changes.password.is_none() {
        return Answer::of(&answer);
    }
    // Somebody else may have deleted the user meanwhile.
    let user = call.app.users.by_id(id)?.ok_or(Error::SignIn(SignInProblem::Unauthorized))?;
    let Some(pass) = call.app.accounts.go_on(call.caller()?, &user, call.whence())? else {
        return Answer::of(&answer);
    };
    let cookie = sessions::cookie(call, &pass);
    answer.token = Some(pass.token);
    Ok(Answer::of(&answer)?.with("Set-Cookie", cookie))
}

/// A user as others see them.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "User"))]
pub struct Person {
    /// The row's number.
    id: i64,
    /// To sign in with.
    username: String,
    /// Always empty.
    password: &'static str,
    /// Whether they have chosen one; until then they can sign in by a code only.
    has_password: bool,
    /// Whether they sign in with a code beside it.
    totp: bool,
    /// For people.
    name: String,
    /// Address of the last successful request.
    ip: String,
    /// When that was (RFC 3339, UTC); empty for never.
    last_seen: String,
    /// What program made it, in its own words.
    last_agent: String,
    /// Decides about endpoints.
    role: String,
    /// The user's own text.
    ftp_users: String,
    /// JSON array of what may be read.
    paths: String,
    /// The user's own text.
    settings: String,
    /// Its beginning.
    #[serde(rename = "API_KEY")]
    api_key: String,
    /// JSON array of what may be written.
    paths_write: String,
}

impl From<&User> for Person {
    /// Without what nobody may read.
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.clone(),
            password: "",
            has_password: user.has_password(),
            totp: user.has_factor(),
            name: user.name.clone(),
            ip: user.ip.clone(),
            last_seen: told_time(user.last_seen),
            last_agent: user.last_agent.clone(),
            role: user.role.clone(),
            ftp_users: user.ftp_users.clone(),
            paths: user.paths.clone(),
            settings: user.settings.clone(),
            api_key: key::masked(&user.key_hint),
            paths_write: user.paths_write.clone(),
        }
    }
}

/// A time in seconds since 1970 as the contract tells it; nothing for 0.
pub(super) fn told_time(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => String::new(),
    }
}

/// `GET /api/user/get_all`: everybody, without passwords and usable keys.
pub fn get_all(call: &mut Call<'_>, (): ()) -> Result<Answer<Vec<Person>>> {
    let first = call.app.users.after(0, limits::USERS_PER_READ)?;
    if first.len() < limits::USERS_PER_READ {
        return Answer::of(&first.iter().map(Person::from).collect());
    }
    // More than a household: read while they are sent.
    let users = Arc::clone(&call.app.users);
    Ok(Answer::written(move |out| {
        let mut some = first;
        let mut rows = Rows::begin(out);
        while let Some(last) = some.last().map(|user| user.id) {
            for user in &some {
                rows.push(&Person::from(user)).map_err(io::Error::other)?;
            }
            some = users.after(last, limits::USERS_PER_READ).map_err(io::Error::other)?;
        }
        rows.end().map_err(io::Error::other)
    }))
}
