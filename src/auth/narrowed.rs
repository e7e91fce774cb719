//! What a narrowed key (an app password) opens, where and until when: never more than its user may at that moment.
//!
//! Which endpoints of the API are open to keys stands in the table of those; which letters FTP's door gives a key, in
//! `letters`.

use serde::{Deserialize, Serialize};

use crate::auth::permission;
use crate::clock;
use crate::error::{Error, Result, SignInProblem};
use crate::store::{KeyRow, User};
use crate::vault::{Grant, VaultPath};

/// A door that a key may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "KeyDoor"))]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The API.
    Api,
    /// `WebDAV`.
    Dav,
    /// FTP.
    Ftp,
}

impl Door {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 3] = [Self::Api, Self::Dav, Self::Ftp];

    /// What it is called in the table of keys.
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Dav => "dav",
            Self::Ftp => "ftp",
        }
    }

    /// How these stand in the table.
    pub fn stored(doors: &[Self]) -> String {
        let given = Self::ALL.iter().filter(|door| doors.contains(door));
        given.map(|door| door.name()).collect::<Vec<_>>().join(",")
    }
}

/// The doors that a key opens. A word that is none opens nothing.
pub fn doors_of(key: &KeyRow) -> Vec<Door> {
    Door::ALL.into_iter().filter(|door| opens(key, *door)).collect()
}

/// Whether a key opens a door.
pub fn opens(key: &KeyRow, door: Door) -> bool {
    key.doors.split(',').any(|word| word == door.name())
}

/// What somebody with a user's key may read and write: what the user may, within the key's path, and without its right
/// to write only to read. A stored path that can't be read grants nothing.
pub fn grant(user: &User, key: &KeyRow) -> Grant {
    let Ok(path) = VaultPath::parse(&key.path) else { return Grant::default() };
    permission::grant(user).within(Some(&path), Some(&path).filter(|_| key.may_write))
}

/// Whether the time of a key is not over.
///
/// Errors: `SignIn` (it is, and the key as good as unknown), `ClockNotSet`.
pub fn must_last(key: &KeyRow) -> Result<()> {
    must_last_at(key, clock::now())
}

/// The same at a time in seconds since 1970.
fn must_last_at(key: &KeyRow, now: i64) -> Result<()> {
    match key.expires {
        Some(_) if !clock::is_set(now) => Err(Error::ClockNotSet),
        Some(expires) if expires <= now => Err(Error::SignIn(SignInProblem::Unauthorized)),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::limits;

    /// A key of ana's for everything.
    pub fn key() -> KeyRow {
        KeyRow {
            id: 8,
            user_id: 1,
            label: "Phone".into(),
            hash: "one".into(),
            hint: "lk_1234".into(),
            path: String::new(),
            may_write: true,
            doors: "api,dav,ftp".into(),
            expires: None,
            created_ms: 0,
            last_day: String::new(),
            ip: String::new(),
        }
    }

    fn ana(paths: &[&str], paths_write: &[&str]) -> User {
        User {
            id: 1,
            username: "ana".into(),
            password_hash: String::new(),
            name: "Ana".into(),
            ip: String::new(),
            role: "user".into(),
            ftp_users: String::new(),
            paths: serde_json::to_string(paths).unwrap(),
            settings: String::new(),
            paths_write: serde_json::to_string(paths_write).unwrap(),
            key_hint: String::new(),
            epoch: 0,
            last_seen: 0,
            last_agent: String::new(),
            factor: None,
            factor_step: 0,
        }
    }

    #[test]
    fn a_key_opens_the_doors_that_it_names() {
        assert_eq!(Door::stored(&[Door::Ftp, Door::Api, Door::Ftp]), "api,ftp");
        let key = KeyRow { doors: "api,ftp".into(), ..key() };
        assert_eq!(doors_of(&key), [Door::Api, Door::Ftp]);
        for damaged in ["", "API", "apis", "api ftp", ",", "*"] {
            assert_eq!(doors_of(&KeyRow { doors: damaged.into(), ..key.clone() }), []);
        }
    }

    #[test]
    fn a_key_ends_at_its_time_and_nobody_judges_it_without_a_clock() {
        let now = limits::CLOCK_SET_FROM_S + 100;
        let until = |expires| KeyRow { expires, ..key() };
        assert!(must_last_at(&until(None), 0).is_ok());
        assert!(must_last_at(&until(Some(now + 1)), now).is_ok());
        assert!(matches!(must_last_at(&until(Some(now)), now), Err(Error::SignIn(_))));
        assert!(matches!(must_last_at(&until(Some(now)), 0), Err(Error::ClockNotSet)));
    }

    #[test]
    fn a_damaged_path_grants_nothing() {
        let everything = ana(&[""], &[""]);
        assert_eq!(grant(&everything, &key()), Grant::everything());
        let damaged = KeyRow { path: "../x".into(), ..key() };
        assert_eq!(grant(&everything, &damaged), Grant::default());
    }

    proptest! {
        /// Never more than either side, and all that both give.
        #[test]
        fn a_key_is_its_user_and_never_more(
            paths in prop::collection::vec("[ab](/[ab]){0,2}", 0..4),
            paths_write in prop::collection::vec("[ab](/[ab]){0,2}", 0..4),
            path in "([ab](/[ab]){0,2})?",
            may_write: bool,
            places in prop::collection::vec("[ab](/[ab]){0,3}", 1..20),
        ) {
            let read: Vec<&str> = paths.iter().map(String::as_str).collect();
            let write: Vec<&str> = paths_write.iter().map(String::as_str).collect();
            let user = ana(&read, &write);
            let narrowed = grant(&user, &KeyRow { path: path.clone(), may_write, ..key() });
            let whole = permission::grant(&user);
            prop_assert!(whole.covers(&narrowed));
            let edge = VaultPath::parse(&path).unwrap();
            for place in &places {
                let place = VaultPath::parse(place).unwrap();
                let is_in = place.starts_with(&edge);
                prop_assert_eq!(narrowed.may_read(&place), is_in && whole.may_read(&place));
                let writes = is_in && may_write && whole.may_write(&place);
                prop_assert_eq!(narrowed.may_write(&place), writes);
            }
        }
    }
}
