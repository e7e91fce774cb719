//! What changes users and roles, for the API and for `larder user` alike: the rules of the
//! contract's section 7, in one place. Knows no requests.

mod authority;
pub mod ftp_users;

use std::path::Path;

use crate::auth::{key, password, permission};
use crate::error::{Error, Result, Why};
use crate::settings::{self, ADMIN, Roles};
use crate::store::{NewUser, User, UserChange, UserStore};
use crate::{limits, words};
pub use authority::Authority;

/// Somebody who shall become a user.
pub struct NewPerson<'a> {
    /// To sign in with.
    pub username: &'a str,
    /// In plain text, on its way into a hash; `None` for who will be let in by a code and choose one then.
    pub password: Option<&'a str>,
    /// For people to read.
    pub name: &'a str,
    /// Decides about endpoints.
    pub role: &'a str,
    /// JSON array of what may be read.
    pub paths: &'a str,
    /// JSON array of what may be written.
    pub paths_write: &'a str,
}

/// What shall become different about a user; `None` stays as it is.
#[derive(Default)]
pub struct Changes<'a> {
    /// See `NewPerson`.
    pub username: Option<&'a str>,
    /// See `NewPerson`; a new one ends all sessions of the user.
    pub password: Option<&'a str>,
    /// See `NewPerson`.
    pub name: Option<&'a str>,
    /// See `NewPerson`.
    pub role: Option<&'a str>,
    /// See `NewPerson`.
    pub paths: Option<&'a str>,
    /// See `NewPerson`.
    pub paths_write: Option<&'a str>,
    /// Free text of the user's own.
    pub ftp_users: Option<&'a str>,
    /// Free text of the user's own.
    pub settings: Option<&'a str>,
    /// An API key that the user made up, or `NEW_KEY`.
    pub api_key: Option<&'a str>,
    /// The session that a new password does not end.
    pub keep_session: Option<&'a str>,
}

/// What a new user may read unless somebody says otherwise (contract, section 7).
pub const READS_EVERYTHING: &str = "[\"\"]";

/// What a new user may write unless somebody says otherwise (contract, section 7).
pub const WRITES_NOTHING: &str = "[]";

/// What asks for a random API key where one may be given (contract, section 7).
const NEW_KEY: &str = "new";

/// What was changed.
pub struct Changed {
    /// The names of what is different now, for the logbook; never what it became.
    pub what: String,
    /// A random API key, if one was asked for: nobody can ever read it again.
    pub api_key: Option<String>,
}

impl Changes<'_> {
    /// Whether there is nothing that could change anything: an empty name names nobody, while an
    /// empty text of the user's own is one.
    pub fn is_empty(&self) -> bool {
        let names = [self.username, self.password, self.name, self.role, self.api_key];
        let texts = [self.paths, self.paths_write, self.ftp_users, self.settings];
        names.iter().all(|name| name.is_none_or(str::is_empty)) && texts.iter().all(Option::is_none)
    }

    /// The names of what would be different about `user`.
    fn named(&self, user: &User) -> String {
        [
            ("username", self.username.is_some_and(|new| new != user.username)),
            ("password", self.password.is_some()),
            ("name", self.name.is_some_and(|new| new != user.name)),
            ("role", self.role.is_some_and(|new| new != user.role)),
            ("paths", self.paths.is_some_and(|new| new != user.paths)),
            ("paths_write", self.paths_write.is_some_and(|new| new != user.paths_write)),
            ("ftp_users", self.ftp_users.is_some_and(|new| new != user.ftp_users)),
            ("settings", self.settings.is_some_and(|new| new != user.settings)),
            ("API key", self.api_key.is_some()),
        ]
        .into_iter()
        .filter(|(_, is_different)| *is_different)
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .join(", ")
    }
}

/// Makes a user; returns the API key, which nobody can ever read again.
///
/// Errors: `Invalid`, `Refused` (more than `by` may give), `Collision` (the name is taken).
pub fn create(users: &UserStore, by: &Authority, person: &NewPerson<'_>) -> Result<String> {
    check_username(person.username)?;
    person.password.map_or(Ok(()), check_password)?;
    check_name(person.name)?;
    check_role(person.role)?;
    permission::prefixes(person.paths)?;
    permission::prefixes(person.paths_write)?;
    by.must_cover(person.role, person.paths, person.paths_write)?;
    if users.by_username(person.username)?.is_some() {
        // Asked again when it is stored; this only spares the hash.
        return Err(Error::Collision("Username already exists"));
    }
    let key = key::new_key()?;
    users.insert(&NewUser {
        username: person.username,
        password_hash: &person.password.map_or(Ok(String::new()), password::hash)?,
        name: person.name,
        role: person.role,
        paths: person.paths,
        paths_write: person.paths_write,
        key_hash: &key.hash,
        key_hint: &key.hint,
    })?;
    Ok(key.key)
}

/// Changes a user.
///
/// Errors: `Invalid`, `NotFound`, `Refused` (the user has, or would have, more than `by` may give),
/// `Collision` (the name is taken), `Conflict` (the last admin would lose its role).
pub fn change(
    users: &UserStore,
    by: &Authority,
    id: i64,
    changes: &Changes<'_>,
) -> Result<Changed> {
    changes.username.map_or(Ok(()), check_username)?;
    changes.password.map_or(Ok(()), check_password)?;
    changes.name.map_or(Ok(()), check_name)?;
    changes.role.map_or(Ok(()), check_role)?;
    for list in [changes.paths, changes.paths_write].into_iter().flatten() {
        permission::prefixes(list)?;
    }
    for (text, sentence) in
        [(changes.ftp_users, "ftp_users is too long"), (changes.settings, "settings is too long")]
    {
        if text.is_some_and(|text| text.len() > limits::USER_TEXT_BYTES_MAX) {
            return Err(Error::invalid(sentence));
        }
    }
    let new_key = match changes.api_key {
        Some(NEW_KEY) => Some(key::new_key()?),
        Some(given) => Some(key::given_key(given)?),
        None => None,
    };
    let before = users.by_id(id)?.ok_or(Error::NotFound("User not found"))?;
    by.must_cover_user(&before)?;
    by.must_cover(
        changes.role.unwrap_or(&before.role),
        changes.paths.unwrap_or(permission::NOTHING),
        changes.paths_write.unwrap_or(permission::NOTHING),
    )?;
    let password_hash = changes.password.map(password::hash).transpose()?;
    let change = UserChange {
        username: changes.username,
        password_hash: password_hash.as_deref(),
        name: changes.name,
        role: changes.role,
        ftp_users: changes.ftp_users,
        paths: changes.paths,
        settings: changes.settings,
        paths_write: changes.paths_write,
        key_hash: new_key.as_ref().map(|key| key.hash.as_str()),
        key_hint: new_key.as_ref().map(|key| key.hint.as_str()),
        keep_session: changes.keep_session,
    };
    users.change(id, &change, ADMIN)?;
    let random_key = new_key.filter(|_| changes.api_key == Some(NEW_KEY));
    Ok(Changed { what: changes.named(&before), api_key: random_key.map(|key| key.key) })
}

/// Makes a code that signs a user in once; nobody can ever read it again.
///
/// Errors: `NotFound`; `Refused` (the user has more than `by` may give); `Conflict` (they were changed meanwhile).
pub fn make_code(users: &UserStore, by: &Authority, username: &str) -> Result<String> {
    let user = users.by_username(username)?.ok_or(Error::NotFound("User not found"))?;
    by.must_cover_user(&user)?;
    if user.has_factor() {
        // A code would be a way around it.
        return Err(Error::Conflict("The user has a second factor"));
    }
    let code = key::new_code()?;
    let hash = key::code_hash(&code).ok_or(Error::Bug("a code that is none".into()))?;
    users.keep_code(&user, &hash)?;
    Ok(code)
}

/// The admin who was here first.
///
/// Errors: `NotFound`.
pub fn first_admin(users: &UserStore) -> Result<User> {
    let mut last = 0;
    loop {
        let some = users.after(last, limits::USERS_PER_READ)?;
        last = some.last().ok_or(Error::NotFound("There is no admin"))?.id;
        if let Some(admin) = some.into_iter().find(|user| user.role == ADMIN) {
            return Ok(admin);
        }
    }
}

/// Deletes a user, and its role from `roles.json` below `settings_folder` when nobody else has it.
///
/// Errors: `NotFound`; `Refused` (the user has more than `by` may give); `Conflict` (the last admin); `Io` when `roles.json` can't be read or
/// replaced, and then nobody is deleted.
pub fn delete(
    users: &UserStore,
    by: &Authority,
    settings_folder: &Path,
    username: &str,
) -> Result<()> {
    let user = users.by_username(username)?.ok_or(Error::NotFound("User not found"))?;
    by.must_cover_user(&user)?;
    users.delete(username, ADMIN, |role| {
        let mut roles = settings::read_roles(settings_folder)
            .map_err(|line| Error::Io(std::io::Error::other(line)))?;
        let was_listed = roles.forget(role);
        if was_listed {
            settings::write_roles(settings_folder, &roles)?;
        }
        Ok(was_listed)
    })
}

/// Replaces the roles in `roles.json` below `settings_folder`.
///
/// Errors: `Io`, `DiskFull`.
pub fn replace_roles(users: &UserStore, settings_folder: &Path, roles: &Roles) -> Result<()> {
    users.change_roles(|| Ok(settings::write_roles(settings_folder, roles)?))
}

/// Errors: `Invalid` unless people can read and type it.
fn check_username(username: &str) -> Result<()> {
    let is_good = !username.is_empty()
        && username.len() <= limits::USERNAME_BYTES_MAX
        && username.trim() == username
        && words::are_plain(username);
    if is_good { Ok(()) } else { Err(Error::invalid("Invalid username")) }
}

/// Errors: `Invalid` when it is empty or too long to be hashed.
fn check_password(password: &str) -> Result<()> {
    let is_good = !password.is_empty() && password.len() <= limits::PASSWORD_BYTES_MAX;
    if is_good { Ok(()) } else { Err(Error::invalid("Invalid password")) }
}

/// Errors: `Invalid`.
fn check_name(name: &str) -> Result<()> {
    let is_good =
        !name.is_empty() && name.len() <= limits::PERSON_BYTES_MAX && words::are_plain(name);
    if is_good { Ok(()) } else { Err(Error::invalid_as(Why::Name, "Invalid name")) }
}

/// Errors: `Invalid`.
fn check_role(role: &str) -> Result<()> {
    if settings::is_role_name(role) { Ok(()) } else { Err(Error::invalid("Invalid role")) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// A store with the users `root` (admin) and `ana` (family), and a folder with `roles.json`.
    pub fn house() -> (tempfile::TempDir, UserStore) {
        let folder = tempfile::tempdir().unwrap();
        let users = UserStore::open(&folder.path().join("users.db")).unwrap();
        create(&users, &Authority::unbounded(), &person("root", ADMIN)).unwrap();
        create(&users, &Authority::unbounded(), &person("ana", "family")).unwrap();
        let roles = json!({"/api/finder": ["admin", "family"], "/api/role/edit": ["admin"]});
        let roles = Roles::parse(roles.as_object().unwrap()).unwrap();
        settings::write_roles(folder.path(), &roles).unwrap();
        (folder, users)
    }

    pub fn person<'a>(username: &'a str, role: &'a str) -> NewPerson<'a> {
        NewPerson {
            username,
            password: Some("secret"),
            name: "A Name",
            role,
            paths: "[\"\"]",
            paths_write: "[]",
        }
    }

    #[test]
    fn bad_input_is_refused_before_anything_happens() {
        let (_folder, users) = house();
        let long = "a".repeat(2000);
        for bad in [
            NewPerson { username: "", ..person("x", "user") },
            NewPerson { username: " x", ..person("x", "user") },
            NewPerson { username: "a\0b", ..person("x", "user") },
            NewPerson { username: &long, ..person("x", "user") },
            NewPerson { password: Some(""), ..person("x", "user") },
            NewPerson { password: Some(&long), ..person("x", "user") },
            NewPerson { name: "", ..person("x", "user") },
            NewPerson { name: "a\nb", ..person("x", "user") },
            NewPerson { role: "", ..person("x", "user") },
            NewPerson { paths: "photos", ..person("x", "user") },
            NewPerson { paths_write: "[\"../x\"]", ..person("x", "user") },
        ] {
            assert!(
                matches!(create(&users, &Authority::unbounded(), &bad), Err(Error::Invalid(..))),
                "{}",
                bad.username
            );
        }
        assert_eq!(users.count().unwrap(), 2);
    }

    #[test]
    fn a_role_goes_with_its_last_user_and_the_last_admin_stays() {
        let (folder, users) = house();
        create(&users, &Authority::unbounded(), &person("bea", "family")).unwrap();
        let edition = |users: &UserStore| {
            users.by_username("root").unwrap().unwrap();
            users.roles_edition()
        };
        let before = edition(&users);
        delete(&users, &Authority::unbounded(), folder.path(), "ana").unwrap();
        assert!(settings::read_roles(folder.path()).unwrap().allow("/api/finder", "family"));
        assert_eq!(edition(&users), before);
        delete(&users, &Authority::unbounded(), folder.path(), "bea").unwrap();
        let roles = settings::read_roles(folder.path()).unwrap();
        assert_eq!(roles.to_json(), json!({"/api/finder": ["admin"], "/api/role/edit": ["admin"]}));
        assert_eq!(edition(&users), before + 1);
        assert!(matches!(
            delete(&users, &Authority::unbounded(), folder.path(), "bea"),
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            delete(&users, &Authority::unbounded(), folder.path(), "root"),
            Err(Error::Conflict(_))
        ));
    }

    #[test]
    fn nobody_is_deleted_when_the_roles_cannot_be_kept() {
        let (folder, users) = house();
        std::fs::write(folder.path().join("roles.json"), "broken").unwrap();
        assert!(matches!(
            delete(&users, &Authority::unbounded(), folder.path(), "ana"),
            Err(Error::Io(_))
        ));
        assert!(users.by_username("ana").unwrap().is_some());
    }

    #[test]
    fn the_last_admin_keeps_its_role_until_there_is_another() {
        let (_folder, users) = house();
        let id = |name: &str| users.by_username(name).unwrap().unwrap().id;
        let role = |role| Changes { role: Some(role), ..Changes::default() };
        assert!(matches!(
            change(&users, &Authority::unbounded(), id("root"), &role("user")),
            Err(Error::Conflict(_))
        ));
        change(&users, &Authority::unbounded(), id("root"), &role(ADMIN)).unwrap();
        change(&users, &Authority::unbounded(), id("ana"), &role(ADMIN)).unwrap();
        change(&users, &Authority::unbounded(), id("root"), &role("user")).unwrap();
        assert!(matches!(
            change(&users, &Authority::unbounded(), id("ana"), &role("user")),
            Err(Error::Conflict(_))
        ));
        assert!(matches!(
            change(&users, &Authority::unbounded(), 999, &role("user")),
            Err(Error::NotFound(_))
        ));
    }

    #[test]
    fn what_is_different_is_named_and_never_what_it_became() {
        let (_folder, users) = house();
        let id = users.by_username("ana").unwrap().unwrap().id;
        let changes = Changes {
            username: Some("ana"),
            name: Some("Ana B."),
            password: Some("very secret"),
            settings: Some(""),
            paths: Some("[]"),
            ..Changes::default()
        };
        assert_eq!(
            change(&users, &Authority::unbounded(), id, &changes).unwrap().what,
            "password, name, paths"
        );
        assert!(Changes::default().is_empty());
        assert!(Changes { username: Some(""), ..Changes::default() }.is_empty());
        assert!(!Changes { settings: Some(""), ..Changes::default() }.is_empty());
    }

    #[test]
    fn a_key_is_returned_only_when_larder_made_it() {
        let (_folder, users) = house();
        let id = users.by_username("ana").unwrap().unwrap().id;
        let key = |given| {
            let changed = change(
                &users,
                &Authority::unbounded(),
                id,
                &Changes { api_key: Some(given), ..Changes::default() },
            )?;
            assert_eq!(changed.what, "API key");
            Ok(changed.api_key)
        };
        let made = key("new").unwrap().unwrap();
        assert_eq!(users.by_key_hash(&key::hash(&made)).unwrap().unwrap().id, id);
        let given = "0123456789abcdef0123456789abcdef";
        assert_eq!(key(given).unwrap(), None);
        assert_eq!(users.by_key_hash(&key::hash(given)).unwrap().unwrap().id, id);
        assert!(users.by_key_hash(&key::hash(&made)).unwrap().is_none());
        for bad in
            ["", "short", &given[1..], &format!("{given} "), &format!("{given}é"), &given.repeat(9)]
        {
            assert!(matches!(key(bad), Err(Error::Invalid(..))), "{bad}");
        }
    }
}
