//! FTP's own users: what they may be called, and how far somebody who adds and changes them may go. Nobody hands
//! out what they may not do themselves, nor touches somebody who may do more (contract, sections 8 and 26).

use crate::auth::letters::Letters;
use crate::auth::password;
use crate::error::{Error, Result};
use crate::store::{FtpUser, FtpUserStore};
use crate::vault::{Grant, VaultPath};
use crate::{limits, words};

/// Somebody who shall become one, as it was asked for.
pub struct NewFtpUser<'a> {
    /// To sign in with.
    pub username: &'a str,
    /// In plain text, on its way into a hash.
    pub password: &'a str,
    /// Their home folder.
    pub home: &'a str,
    /// Letters for what they may do there.
    pub permissions: &'a str,
}

/// What shall become different about one; `None` stays as it is.
#[derive(Default)]
pub struct FtpChanges<'a> {
    /// See `NewFtpUser`.
    pub password: Option<&'a str>,
    /// See `NewFtpUser`.
    pub home: Option<&'a str>,
    /// See `NewFtpUser`.
    pub permissions: Option<&'a str>,
}

/// Somebody else was quicker, and what was judged is no longer so.
const CHANGED_MEANWHILE: Error = Error::Conflict("The FTP user was changed meanwhile");

/// Adds one, for somebody with this grant; `must_be_home` says whether a place can be somebody's home, and is asked
/// only where that somebody may do what the letters give.
///
/// Errors: `Invalid`, `Refused`, `Collision`; those of `must_be_home`.
pub fn create(
    users: &FtpUserStore,
    grant: &Grant,
    new: &NewFtpUser<'_>,
    must_be_home: impl FnOnce(&VaultPath) -> Result<()>,
) -> Result<FtpUser> {
    let is_name =
        new.username.len() <= limits::USERNAME_BYTES_MAX && words::are_plain(new.username);
    if !is_name {
        return Err(Error::invalid("Invalid username"));
    }
    must_be_password(new.password)?;
    let letters = Letters::parse(new.permissions)?;
    let home = VaultPath::parse(new.home)?;
    must_be_within(grant, &home, &letters)?;
    must_be_home(&home)?;
    if users.by_username(new.username)?.is_some() {
        return Err(Error::Collision("Username already exists"));
    }
    let user = FtpUser {
        id: 0,
        username: new.username.to_owned(),
        password_hash: password::hash(new.password)?,
        home: home.as_str().to_owned(),
        permissions: letters.as_str().to_owned(),
    };
    users.insert(&user)?;
    Ok(user)
}

/// Changes one, likewise: what they may do now, and what they would do then, must both be the changer's to give.
///
/// Errors: `Invalid`, `NotFound`, `Refused`, `Conflict`; those of `must_be_home`.
pub fn change(
    users: &FtpUserStore,
    grant: &Grant,
    username: &str,
    changes: &FtpChanges<'_>,
    must_be_home: impl FnOnce(&VaultPath) -> Result<()>,
) -> Result<()> {
    changes.password.map_or(Ok(()), must_be_password)?;
    let letters = changes.permissions.map(Letters::parse).transpose()?;
    let home = changes.home.map(VaultPath::parse).transpose()?;
    let before = within_reach(users, grant, username)?;
    let (home_of_now, letters_of_now) = rights_of(&before);
    let will_have = letters.as_ref().unwrap_or(&letters_of_now);
    must_be_within(grant, home.as_ref().unwrap_or(&home_of_now), will_have)?;
    home.as_ref().map_or(Ok(()), must_be_home)?;
    let hash = changes.password.map(password::hash).transpose()?;
    let home = home.as_ref().map(VaultPath::as_str);
    let letters = letters.as_ref().map(Letters::as_str);
    let is_done = users.edit(&before, hash.as_deref(), home, letters)?;
    if is_done { Ok(()) } else { Err(CHANGED_MEANWHILE) }
}

/// Removes one.
///
/// Errors: `NotFound`, `Refused`, `Conflict`.
pub fn delete(users: &FtpUserStore, grant: &Grant, username: &str) -> Result<()> {
    let before = within_reach(users, grant, username)?;
    if users.delete(&before)? { Ok(()) } else { Err(CHANGED_MEANWHILE) }
}

/// One whom somebody with this grant could have made.
///
/// Errors: `NotFound`, `Refused`.
fn within_reach(users: &FtpUserStore, grant: &Grant, username: &str) -> Result<FtpUser> {
    let user = users.by_username(username)?.ok_or(Error::NotFound("User not found"))?;
    let (home, letters) = rights_of(&user);
    must_be_within(grant, &home, &letters)?;
    Ok(user)
}

/// What a stored user may do where. A home that can't be read counts as the root, so that only those who may
/// everything touch such a row.
fn rights_of(user: &FtpUser) -> (VaultPath, Letters) {
    let home = VaultPath::parse(&user.home).unwrap_or_else(|_| VaultPath::root());
    (home, Letters::stored(&user.permissions))
}

/// Whether somebody with this grant may do at `home` what the letters give there. Whether it exists is not looked
/// at: that is nobody's business who may not.
///
/// Errors: `Refused`.
fn must_be_within(grant: &Grant, home: &VaultPath, letters: &Letters) -> Result<()> {
    if letters.are_within(grant, home) { Ok(()) } else { Err(Error::Refused) }
}

/// Whether a password can be one.
///
/// Errors: `Invalid`.
fn must_be_password(password: &str) -> Result<()> {
    // A line of FTP ends where a control character would be.
    if password.len() > limits::PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
        return Err(Error::invalid("Invalid password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAM: NewFtpUser<'static> =
        NewFtpUser { username: "cam", password: "p", home: "a/cam", permissions: "wle" };

    fn house() -> (tempfile::TempDir, FtpUserStore) {
        let folder = tempfile::tempdir().unwrap();
        let users = FtpUserStore::open(&folder.path().join("users.db")).unwrap();
        (folder, users)
    }

    fn at(place: &str) -> Vec<VaultPath> {
        vec![VaultPath::parse(place).unwrap()]
    }

    /// Every place is a folder.
    const IS_HOME: fn(&VaultPath) -> Result<()> = |_| Ok(());

    #[test]
    fn what_is_none_is_refused_before_anybody_looks_at_the_drive() {
        let (_folder, users) = house();
        let all = Grant::everything();
        for wrong in [
            NewFtpUser { username: "a\nb", ..CAM },
            NewFtpUser { username: &"a".repeat(limits::USERNAME_BYTES_MAX + 1), ..CAM },
            NewFtpUser { password: "a\rb", ..CAM },
            NewFtpUser { permissions: "", ..CAM },
            NewFtpUser { home: "../a", ..CAM },
        ] {
            let made = create(&users, &all, &wrong, |_| panic!("looked"));
            assert!(matches!(made, Err(Error::Invalid(..))), "{:?}", wrong.username);
        }
        let made = create(&users, &all, &CAM, IS_HOME).unwrap();
        assert_eq!((made.home.as_str(), made.permissions.as_str()), ("a/cam", "elw"));
        assert!(matches!(create(&users, &all, &CAM, IS_HOME), Err(Error::Collision(_))));
    }

    #[test]
    fn nobody_reaches_beyond_what_they_may_do_themselves() {
        let (_folder, users) = house();
        let mine = Grant::new(at("a"), at("a"));
        create(&users, &mine, &CAM, IS_HOME).unwrap();
        let reader = Grant::new(at("a"), at("b"));
        let unlooked = |_: &VaultPath| -> Result<()> { panic!("looked") };
        let none = FtpChanges::default();
        for change in [
            change(&users, &reader, "cam", &none, unlooked),
            delete(&users, &reader, "cam"),
            change(
                &users,
                &mine,
                "cam",
                &FtpChanges { home: Some(""), ..FtpChanges::default() },
                unlooked,
            ),
            create(&users, &reader, &NewFtpUser { username: "x", ..CAM }, unlooked).map(drop),
        ] {
            assert!(matches!(change, Err(Error::Refused)), "{change:?}");
        }
        let fewer = FtpChanges { permissions: Some("l"), ..FtpChanges::default() };
        change(&users, &mine, "cam", &fewer, unlooked).unwrap();
        assert_eq!(users.by_username("cam").unwrap().unwrap().permissions, "l");
        // What only reads is now the reader's to change.
        let moved = FtpChanges { home: Some("a"), ..FtpChanges::default() };
        change(&users, &reader, "cam", &moved, IS_HOME).unwrap();
        delete(&users, &reader, "cam").unwrap();
        assert!(matches!(delete(&users, &mine, "cam"), Err(Error::NotFound(_))));
    }

    #[test]
    fn a_home_that_is_none_changes_nothing() {
        let (_folder, users) = house();
        let all = Grant::everything();
        let not_there = |_: &VaultPath| Err(Error::NotFound("Path does not exist"));
        assert!(create(&users, &all, &CAM, not_there).is_err());
        assert!(users.all().unwrap().is_empty());
        let made = create(&users, &all, &CAM, IS_HOME).unwrap();
        let moved = FtpChanges { home: Some("b"), password: Some("q"), ..FtpChanges::default() };
        assert!(change(&users, &all, "cam", &moved, not_there).is_err());
        let now = users.by_username("cam").unwrap().unwrap();
        assert_eq!((now.home, now.password_hash), (made.home, made.password_hash));
    }
}
